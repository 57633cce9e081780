//! The providers in their order, each behind a breaker, all under one budget of time and requests.
//!
//! Whatever fails here, the caller goes on with what the local engine found.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moka::future::Cache;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use tracing::{info, warn};

use super::mask::mask;
use super::reading::{self, Item};
use super::{
    CallError, Calling, Completion, Fault, GigaChatClient, OpenAiClient, Prompt, Provider,
    ProviderKind, prompt,
};
use crate::clients::http::HttpSetupError;
use crate::config;
use crate::domain::{Clock, Quantity, Timestamp};

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// All providers and repeats for one question.
    pub total: Duration,
    /// The wait before a repeat, where the server names none.
    pub pause: Duration,
    /// A longer wait that a server asks for is not waited for: the next provider is asked.
    pub longest_pause: Duration,
    /// How long a provider is passed over after too many failures in a row.
    pub rest: Duration,
    /// The same after a refusal that only a person can mend.
    pub long_rest: Duration,
    /// How many failures in a row are too many.
    pub failures: u32,
    /// How long an answer is kept.
    pub answers: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(10),
            rest: Duration::from_mins(1),
            long_rest: Duration::from_mins(15),
            failures: 5,
            answers: Duration::from_hours(24),
        }
    }
}

/// The day's budget of requests; kept by the caller, so that a restart does not renew it.
pub trait Budget: Send + Sync {
    /// Takes one request off the budget.
    fn take(&self) -> Calling<'_, Result<(), BudgetError>>;
}

/// Why no request may be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// The day's requests are used up.
    #[error("дневной лимит запросов к модели исчерпан")]
    Spent,
    /// It is not known how many are left.
    #[error("учёт запросов к модели недоступен: {0}")]
    Unknown(String),
}

/// No limit: for a check by hand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

impl Budget for Unlimited {
    fn take(&self) -> Calling<'_, Result<(), BudgetError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A line as a model sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineForModel {
    /// The buyer's words.
    pub text: String,
    /// A few titles of the catalogue that may be meant.
    pub candidates: Vec<String>,
}

/// A question: lines, and what must not leave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AskLines {
    /// At most 40 lines are asked about; the rest get no proposals.
    pub lines: Vec<LineForModel>,
    /// Names and addresses to be masked beside phones, e-mail addresses and ИНН.
    pub secrets_to_mask: Vec<String>,
}

/// What a model reads in a line. Words for recognition, never a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// Which line of the question, from 0.
    pub line: usize,
    /// What is ordered, 1 to 300 characters.
    pub title: String,
    /// How many; only what the line itself says as a number or in words.
    pub qty: Option<Quantity>,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// In the order of the model's answer; empty when it found nothing.
    pub proposals: Vec<Proposal>,
    /// Who answered.
    pub provider: ProviderKind,
    /// The model as the server names it.
    pub model: String,
    /// How long it took.
    pub took: Duration,
    /// Tokens used; `None` from the cache or when the server does not say.
    pub tokens: Option<u64>,
    /// Whether the answer was asked for before.
    pub cached: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// No provider is set up.
    #[error("модель не настроена")]
    NotConfigured,
    /// The budget says no.
    #[error(transparent)]
    Budget(#[from] BudgetError),
    /// Every provider failed or was passed over; each with its reason.
    #[error("ни одна модель не ответила: {}", reasons(.0))]
    Failed(Vec<(ProviderKind, String)>),
}

fn reasons(failures: &[(ProviderKind, String)]) -> String {
    let lines: Vec<_> = failures.iter().map(|(who, why)| format!("{who}: {why}")).collect();
    lines.join("; ")
}

/// The chain. Clones share it.
#[derive(Clone)]
pub struct Chain {
    inner: Arc<Inner>,
}

struct Inner {
    links: Vec<Link>,
    clock: Clock,
    budget: Arc<dyn Budget>,
    limits: Limits,
    answers: Cache<[u8; 32], Arc<Kept>>,
}

struct Kept {
    items: Vec<Item>,
    model: String,
}

struct Link {
    provider: Arc<dyn Provider>,
    breaker: Mutex<Breaker>,
}

/// Where a provider stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProviderStatus {
    /// Who.
    pub provider: ProviderKind,
    /// The model asked for.
    pub model: String,
    /// Whether it is asked.
    pub state: ProviderState,
    /// When it last answered.
    pub answered_at: Option<Timestamp>,
    /// When and why it last did not.
    pub failed_at: Option<(Timestamp, String)>,
}

/// Whether a provider is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderState {
    /// It was not asked yet.
    Untried,
    /// Its last answer was good.
    Working,
    /// Its last answers were not, it is still asked.
    Failing,
    /// It is passed over until then.
    Resting(Timestamp),
}

/// A check by hand of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Who.
    pub provider: ProviderKind,
    /// The model as the server names it, or the one asked for.
    pub model: String,
    /// How long it took.
    pub took: Duration,
    /// Tokens used.
    pub tokens: Option<u64>,
    /// What it read in a sample line, or why it did not, in words for an operator.
    pub outcome: Result<Vec<String>, String>,
}

#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    rests_until: Option<Timestamp>,
    trial: bool,
    answered_at: Option<Timestamp>,
    failed_at: Option<(Timestamp, String)>,
}

/// Providers that cannot be set up, and why.
pub type Faults = Vec<(ProviderKind, HttpSetupError)>;

/// The providers that the settings have, each by itself.
fn providers(settings: &config::Llm, clock: &Clock) -> (Vec<Arc<dyn Provider>>, Faults) {
    let (mut providers, mut faults): (Vec<Arc<dyn Provider>>, Faults) = (Vec::new(), Vec::new());
    match GigaChatClient::new(&settings.gigachat, clock.clone()) {
        Ok(gigachat) => providers.extend(gigachat.map(|client| Arc::new(client) as _)),
        Err(fault) => faults.push((ProviderKind::GigaChat, fault)),
    }
    match OpenAiClient::new(&settings.openai, clock.clone()) {
        Ok(openai) => providers.extend(openai.map(|client| Arc::new(client) as _)),
        Err(fault) => faults.push((ProviderKind::OpenAi, fault)),
    }
    (providers, faults)
}

impl Chain {
    /// The chain of the providers that the settings have: `GigaChat`, then `OpenAI`.
    ///
    /// # Errors
    ///
    /// [`HttpSetupError`], when an address or a file with roots is of no use: the start stops.
    pub fn new(
        settings: &config::Llm,
        clock: &Clock,
        budget: Arc<dyn Budget>,
    ) -> Result<Self, HttpSetupError> {
        Self::with_limits(settings, clock, budget, Limits::default())
    }

    /// [`Chain::new`] with other limits.
    pub fn with_limits(
        settings: &config::Llm,
        clock: &Clock,
        budget: Arc<dyn Budget>,
        limits: Limits,
    ) -> Result<Self, HttpSetupError> {
        let (providers, faults) = providers(settings, clock);
        match faults.into_iter().next() {
            Some((_, fault)) => Err(fault),
            None => Ok(Self::of(providers, clock.clone(), budget, limits)),
        }
    }

    /// [`Chain::new`] without the providers that cannot be set up, and why they cannot: the fault of
    /// one does not switch the other off.
    pub fn of_sound(
        settings: &config::Llm,
        clock: &Clock,
        budget: Arc<dyn Budget>,
    ) -> (Self, Faults) {
        let (providers, faults) = providers(settings, clock);
        (Self::of(providers, clock.clone(), budget, Limits::default()), faults)
    }

    /// A chain of these providers, asked in this order.
    pub fn of(
        providers: Vec<Arc<dyn Provider>>,
        clock: Clock,
        budget: Arc<dyn Budget>,
        limits: Limits,
    ) -> Self {
        let link = |provider| Link { provider, breaker: Mutex::default() };
        let answers = Cache::builder().max_capacity(2_000).time_to_live(limits.answers).build();
        let links = providers.into_iter().map(link).collect();
        Self { inner: Arc::new(Inner { links, clock, budget, limits, answers }) }
    }

    /// Whether there is anyone to ask.
    pub fn is_configured(&self) -> bool {
        !self.inner.links.is_empty()
    }

    /// Asks the providers in their order until one answers.
    ///
    /// # Errors
    ///
    /// [`ChainError`]; the local engine's result stands.
    pub async fn ask(&self, question: &AskLines) -> Result<Answer, ChainError> {
        self.ask_links(question, self.inner.links.iter().collect()).await
    }

    /// Asks one provider, to see what it makes of a text.
    pub async fn ask_one(
        &self,
        provider: ProviderKind,
        question: &AskLines,
    ) -> Result<Answer, ChainError> {
        let links = self.inner.links.iter().filter(|l| l.provider.kind() == provider).collect();
        self.ask_links(question, links).await
    }

    async fn ask_links(
        &self,
        question: &AskLines,
        links: Vec<&Link>,
    ) -> Result<Answer, ChainError> {
        if links.is_empty() {
            return Err(ChainError::NotConfigured);
        }
        let started = Instant::now();
        let deadline = started + self.inner.limits.total;
        let asked = masked(question);
        let prompt = Prompt::about(&asked);
        let mut failures = Vec::new();
        for link in links {
            let kind = link.provider.kind();
            let key = answer_key(kind, link.provider.model(), &prompt);
            let known = self.inner.answers.get(&key).await;
            let cached = known.is_some();
            let (kept, tokens) = match known {
                Some(kept) => (kept, None),
                None => match self.call(link, &prompt, deadline).await {
                    Ok((items, completion)) => {
                        let kept = Arc::new(Kept { items, model: completion.model });
                        self.inner.answers.insert(key, kept.clone()).await;
                        (kept, completion.tokens)
                    }
                    Err(NoAnswer::Budget(error)) => return Err(error.into()),
                    Err(NoAnswer::Failed(why)) => {
                        failures.push((kind, why));
                        continue;
                    }
                },
            };
            return Ok(Answer {
                proposals: proposals(&asked, &kept.items),
                provider: kind,
                model: kept.model.clone(),
                took: started.elapsed(),
                tokens,
                cached,
            });
        }
        Err(ChainError::Failed(failures))
    }

    /// Asks one provider, and once more where that may help and the time allows it.
    async fn call(
        &self,
        link: &Link,
        prompt: &Prompt,
        deadline: Instant,
    ) -> Result<(Vec<Item>, Completion), NoAnswer> {
        let turn = link.enter(&self.inner).map_err(NoAnswer::Failed)?;
        let mut repeated = false;
        loop {
            if Instant::now() >= deadline {
                return Err(NoAnswer::Failed("время вышло".to_owned()));
            }
            self.inner.budget.take().await.map_err(NoAnswer::Budget)?;
            match attempt(link.provider.as_ref(), prompt, deadline).await {
                Ok(answer) => {
                    turn.answered();
                    return Ok(answer);
                }
                Err(error) => {
                    let pause = match error.fault {
                        Fault::Busy(wait) | Fault::Server(wait) if !repeated => {
                            Some(wait.unwrap_or(self.inner.limits.pause))
                        }
                        _ => None,
                    };
                    let fits = pause.filter(|pause| {
                        *pause <= self.inner.limits.longest_pause
                            && Instant::now() + *pause < deadline
                    });
                    let Some(pause) = fits else {
                        turn.failed(&error);
                        return Err(NoAnswer::Failed(error.why));
                    };
                    repeated = true;
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// Checks every provider by hand with a sample line, past breakers and budget.
    pub async fn probe(&self) -> Vec<Probe> {
        let mut probes = Vec::new();
        for link in &self.inner.links {
            probes.push(self.probe_link(link).await);
        }
        probes
    }

    async fn probe_link(&self, link: &Link) -> Probe {
        let text = "самрез жолтый 4на50 2 пач".to_owned();
        let prompt = Prompt::about(&[LineForModel { text, candidates: Vec::new() }]);
        let started = Instant::now();
        let deadline = started + self.inner.limits.total;
        let answer = attempt(link.provider.as_ref(), &prompt, deadline).await;
        let took = started.elapsed();
        let turn = Turn { link, inner: &self.inner, settled: false };
        let provider = link.provider.kind();
        match answer {
            Ok((items, completion)) => {
                turn.answered();
                let titles = items.into_iter().map(|item| item.title).collect();
                let (model, tokens) = (completion.model, completion.tokens);
                Probe { provider, model, took, tokens, outcome: Ok(titles) }
            }
            Err(error) => {
                turn.failed(&error);
                let model = link.provider.model().to_owned();
                Probe { provider, model, took, tokens: None, outcome: Err(error.why) }
            }
        }
    }

    /// Where each provider stands, in the order they are asked.
    pub fn status(&self) -> Vec<ProviderStatus> {
        let now = self.inner.clock.now();
        let status = |link: &Link| {
            let breaker = link.breaker();
            let state = match breaker.resting(now, &self.inner.limits) {
                Some(until) => ProviderState::Resting(until),
                None if breaker.failures > 0 || breaker.rests_until.is_some() => {
                    ProviderState::Failing
                }
                None if breaker.answered_at.is_some() => ProviderState::Working,
                None if breaker.failed_at.is_some() => ProviderState::Failing,
                None => ProviderState::Untried,
            };
            ProviderStatus {
                provider: link.provider.kind(),
                model: link.provider.model().to_owned(),
                state,
                answered_at: breaker.answered_at,
                failed_at: breaker.failed_at.clone(),
            }
        };
        self.inner.links.iter().map(status).collect()
    }
}

enum NoAnswer {
    Budget(BudgetError),
    Failed(String),
}

/// One call, read; logged without what was asked and answered.
async fn attempt(
    provider: &dyn Provider,
    prompt: &Prompt,
    deadline: Instant,
) -> Result<(Vec<Item>, Completion), CallError> {
    let started = Instant::now();
    let answer = match tokio::time::timeout_at(deadline, provider.complete(prompt)).await {
        Ok(answer) => answer,
        Err(_) => Err(CallError::new(Fault::Network, "нет ответа за отведённое время")),
    };
    let read = answer.and_then(|completion| {
        let items = reading::read(&completion.content);
        let unread = || CallError::new(Fault::Garbled, "в ответе модели нет списка товаров");
        Ok((items.ok_or_else(unread)?, completion))
    });
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let kind = provider.kind().as_str();
    match &read {
        Ok((items, completion)) => info!(
            provider = kind,
            model = completion.model,
            millis,
            tokens = completion.tokens,
            request_id = completion.request_id,
            items = items.len(),
            "модель {kind} ответила за {millis} мс"
        ),
        Err(error) => warn!(
            provider = kind,
            model = provider.model(),
            millis,
            why = error.why,
            "модель {kind} не ответила"
        ),
    }
    read
}

impl Link {
    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A turn to ask, or why there is none now.
    fn enter<'a>(&'a self, inner: &'a Inner) -> Result<Turn<'a>, String> {
        let mut breaker = self.breaker();
        if breaker.rests_until.is_some() {
            let resting = breaker.resting(inner.clock.now(), &inner.limits).is_some();
            if resting || breaker.trial {
                let why = breaker.failed_at.as_ref().map_or("", |(_, why)| why.as_str());
                return Err(format!("пропущена после сбоев ({why})"));
            }
            breaker.trial = true; // one trial: the others wait for what comes of it
        }
        Ok(Turn { link: self, inner, settled: false })
    }
}

impl Breaker {
    /// Until when the provider is passed over. A rest longer than the longest means that the clock
    /// was put back: it is over.
    fn resting(&self, now: Timestamp, limits: &Limits) -> Option<Timestamp> {
        self.rests_until.filter(|until| {
            let left = until.since(now);
            !left.is_zero() && left <= limits.long_rest.max(limits.rest)
        })
    }
}

/// The right to ask a provider; dropped without an outcome it leaves the breaker as it was.
struct Turn<'a> {
    link: &'a Link,
    inner: &'a Inner,
    settled: bool,
}

impl Turn<'_> {
    fn answered(mut self) {
        self.settled = true;
        let failed_at = self.link.breaker().failed_at.take();
        *self.link.breaker() =
            Breaker { answered_at: Some(self.inner.clock.now()), failed_at, ..Breaker::default() };
    }

    fn failed(mut self, error: &CallError) {
        self.settled = true;
        let (now, limits) = (self.inner.clock.now(), &self.inner.limits);
        let mut breaker = self.link.breaker();
        breaker.failed_at = Some((now, error.why.clone()));
        let trial = std::mem::take(&mut breaker.trial);
        match error.fault {
            Fault::Refused => breaker.rests_until = Some(now.plus(limits.long_rest)),
            // It says itself when to come back; without that it is busy with our own requests.
            Fault::Busy(wait) => {
                let rest = wait.map(|wait| wait.min(limits.long_rest));
                if let Some(rest) = rest.or(trial.then_some(limits.rest)) {
                    breaker.rests_until = Some(now.plus(rest));
                }
            }
            // Of this text it says nothing, of the provider it says that it works.
            Fault::Declined => {
                breaker.failures = 0;
                breaker.rests_until = None;
            }
            Fault::Server(_) | Fault::Network | Fault::Garbled => {
                breaker.failures += 1;
                if trial || breaker.failures >= limits.failures {
                    breaker.rests_until = Some(now.plus(limits.rest));
                }
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.link.breaker().trial = false;
        }
    }
}

fn masked(question: &AskLines) -> Vec<LineForModel> {
    let line = |line: &LineForModel| LineForModel {
        text: mask(&line.text, &question.secrets_to_mask),
        candidates: line.candidates.clone(),
    };
    question.lines.iter().take(prompt::MAX_LINES).map(line).collect()
}

fn answer_key(kind: ProviderKind, model: &str, prompt: &Prompt) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [kind.as_str(), model, &prompt::VERSION.to_string(), &prompt.user] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Gives each item its line: the number that the model names; else the line that has its words;
/// else, where there are as many items as lines, the one in its place.
fn proposals(lines: &[LineForModel], items: &[Item]) -> Vec<Proposal> {
    let texts: Vec<String> = lines.iter().map(|line| fold(&line.text)).collect();
    let whole = texts.join(" ");
    let propose = |(place, item): (usize, &Item)| {
        if item.raw.as_ref().is_some_and(|raw| !whole.contains(&fold(raw))) {
            return None; // invented: the text has no such words
        }
        let named = item.line.and_then(|line| line.checked_sub(1)).filter(|at| *at < lines.len());
        let by_words = || {
            let raw = item.raw.as_ref().map(|raw| fold(raw));
            let raw = raw.and_then(|raw| texts.iter().position(|text| text.contains(&raw)));
            raw.or_else(|| nearest(&texts, &item.title))
        };
        let in_place = || (items.len() == lines.len()).then_some(place);
        let line = named.or_else(by_words).or_else(in_place)?;
        let qty = item.qty.filter(|qty| says(&texts[line], *qty));
        Some(Proposal { line, title: item.title.clone(), qty })
    };
    items.iter().enumerate().filter_map(propose).collect()
}

/// Lower case, «ё» as «е», single spaces.
fn fold(text: &str) -> String {
    let lower = text.to_lowercase().replace('ё', "е");
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The line that shares the most beginnings of words with the title; `None` when none does.
fn nearest(texts: &[String], title: &str) -> Option<usize> {
    let stems = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(|word| word.chars().take(4).collect()).collect()
    };
    let wanted = stems(&fold(title));
    let score = |text: &String| {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for stem in stems(text) {
            *counts.entry(stem).or_default() += 1;
        }
        wanted.iter().filter(|stem| counts.contains_key(*stem)).count()
    };
    let scored = texts.iter().enumerate().map(|(at, text)| (score(text), at));
    let (best, at) = scored.max_by_key(|(score, at)| (*score, std::cmp::Reverse(*at)))?;
    (best > 0).then_some(at)
}

const NUMBER_WORDS: &[(&str, i64)] = &[
    ("один", 1_000),
    ("одна", 1_000),
    ("одну", 1_000),
    ("одно", 1_000),
    ("два", 2_000),
    ("две", 2_000),
    ("пара", 2_000),
    ("пару", 2_000),
    ("три", 3_000),
    ("четыре", 4_000),
    ("пять", 5_000),
    ("шесть", 6_000),
    ("семь", 7_000),
    ("восемь", 8_000),
    ("девять", 9_000),
    ("десять", 10_000),
    ("десяток", 10_000),
    ("двенадцать", 12_000),
    ("пятнадцать", 15_000),
    ("двадцать", 20_000),
    ("тридцать", 30_000),
    ("сорок", 40_000),
    ("пятьдесят", 50_000),
    ("сто", 100_000),
    ("сотня", 100_000),
    ("сотню", 100_000),
    ("двести", 200_000),
    ("триста", 300_000),
    ("пятьсот", 500_000),
    ("тысяча", 1_000_000),
    ("тысячу", 1_000_000),
    ("полтора", 1_500),
    ("полторы", 1_500),
    ("пол", 500),
];

/// Whether the folded line has the quantity as a number or in words.
fn says(line: &str, qty: Quantity) -> bool {
    let number = |piece: &str| -> Option<i64> {
        let piece = piece.trim_matches(['.', ',']).replace(',', ".");
        let (whole, fraction) = piece.split_once('.').unwrap_or((&piece, ""));
        let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
        format!("{whole}{fraction}").parse().ok()
    };
    let numeric = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
    let joined = line.replace(['\u{a0}', '\u{202f}'], " ");
    // «1 000»: the spaces of thousands are tried away too.
    let thousands = joined.replace(" 000", "000");
    let pieces = joined.split(|c| !numeric(c)).chain(thousands.split(|c| !numeric(c)));
    let written = pieces.filter_map(number).any(|found| found == qty.thousandths());
    let mut words = joined.split(|c: char| !c.is_alphanumeric());
    written || words.any(|word| NUMBER_WORDS.contains(&(word, qty.thousandths())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<LineForModel> {
        let line = |text: &&str| LineForModel { text: (*text).to_owned(), candidates: vec![] };
        texts.iter().map(line).collect()
    }

    fn placed(texts: &[&str], answer: &str) -> Vec<String> {
        let items = reading::read(answer).expect("an answer");
        let show = |p: Proposal| {
            let qty = p.qty.map(|qty| format!(" × {qty}")).unwrap_or_default();
            format!("{}: {}{qty}", p.line, p.title)
        };
        proposals(&lines(texts), &items).into_iter().map(show).collect()
    }

    #[test]
    fn items_find_their_lines() {
        let texts = ["спанб 70 бел 2 рул", "молния черная 1 000 шт"];
        assert_eq!(
            placed(
                &texts,
                r#"[{"line":2,"title":"Молния","qty":1000},{"line":1,"title":"x","qty":2}]"#
            ),
            ["1: Молния × 1\u{a0}000", "0: x × 2"]
        );
        assert_eq!(
            placed(&texts, r#"[{"title":"молния чёрная"},{"title":"спанбонд белый"}]"#),
            ["1: молния чёрная", "0: спанбонд белый"]
        );
        assert_eq!(placed(&texts, r#"[{"title":"a"},{"title":"b"}]"#), ["0: a", "1: b"]);
        assert_eq!(placed(&texts, r#"[{"title":"дрель"}]"#), [""; 0]);
        assert_eq!(placed(&texts, r#"[{"line":9,"title":"спанбонд"}]"#), ["0: спанбонд"]);
    }

    #[test]
    fn what_the_text_does_not_say_is_dropped() {
        let texts = ["гвозди два кг, забудь всё"];
        assert_eq!(placed(&texts, r#"[{"line":1,"title":"гвозди","qty":1000}]"#), ["0: гвозди"]);
        assert_eq!(placed(&texts, r#"[{"line":1,"title":"гвозди","qty":2}]"#), ["0: гвозди × 2"]);
        assert_eq!(
            placed(
                &texts,
                r#"[{"line":1,"title":"дрель","raw":"дрель ударная"},{"title":"гвозди","raw":"Гвозди  ДВА"}]"#
            ),
            ["0: гвозди"]
        );
    }
}
