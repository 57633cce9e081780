//! The chain: who is asked when, what is never sent, and that nothing hurts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use partner_m::clients::llm::{
    Answer, AskLines, Budget, BudgetError, Calling, Chain, ChainError, Limits, LineForModel,
    ProviderKind, ProviderState,
};
use partner_m::config;
use partner_m::domain::{Clock, Timestamp};

use crate::support::fake_gigachat::FakeGigaChat;
use crate::support::fake_openai::FakeOpenAi;
use crate::support::server::Scripted;

struct Purse(AtomicU32);

impl Budget for Purse {
    fn take(&self) -> Calling<'_, Result<(), BudgetError>> {
        let take = |left: u32| left.checked_sub(1);
        let taken = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
        Box::pin(std::future::ready(taken.map(|_| ()).map_err(|_| BudgetError::Spent)))
    }
}

struct Stand {
    clock: Clock,
    gigachat: FakeGigaChat,
    openai: FakeOpenAi,
    purse: Arc<Purse>,
    chain: Chain,
}

impl Stand {
    async fn new() -> Self {
        Self::with_timeout(Duration::from_secs(20)).await
    }

    /// Two providers that wait so long for an answer.
    async fn with_timeout(timeout: Duration) -> Self {
        let clock = Clock::manual(Timestamp::from_millis(1_795_532_400_000));
        let gigachat = FakeGigaChat::start(&clock).await;
        let openai = FakeOpenAi::start().await;
        gigachat.state().answer = r#"[{"line":1,"title":"от GigaChat"}]"#.into();
        openai.state().answer = r#"[{"line":1,"title":"от OpenAI"}]"#.into();
        let settings = config::Llm {
            gigachat: config::GigaChat { timeout, ..gigachat.settings() },
            openai: config::OpenAi { timeout, ..openai.settings() },
        };
        let purse = Arc::new(Purse(AtomicU32::new(1_000)));
        let limits = Limits { pause: Duration::from_millis(1), ..Limits::default() };
        let chain = Chain::with_limits(&settings, &clock, purse.clone(), limits).expect("a chain");
        Self { clock, gigachat, openai, purse, chain }
    }

    async fn ask(&self, text: &str) -> Result<Answer, ChainError> {
        self.chain.ask(&question(&[text], &[])).await
    }

    fn asked(&self) -> (usize, usize) {
        (self.gigachat.state().questions.len(), self.openai.state().questions.len())
    }
}

fn question(texts: &[&str], secrets: &[&str]) -> AskLines {
    let line = |text: &&str| LineForModel { text: (*text).to_owned(), candidates: Vec::new() };
    AskLines {
        lines: texts.iter().map(line).collect(),
        secrets_to_mask: secrets.iter().map(|secret| (*secret).to_owned()).collect(),
    }
}

#[tokio::test]
async fn gigachat_is_asked_first_and_openai_when_it_fails() {
    let stand = Stand::new().await;
    let answer = stand.ask("болт").await.expect("an answer");
    assert_eq!(answer.provider, ProviderKind::GigaChat);
    assert_eq!(stand.asked(), (1, 0));

    let fault = || Scripted::status(500, "{}");
    stand.gigachat.state().script.extend([fault(), fault()]);
    let answer = stand.ask("гайка").await.expect("an answer");
    assert_eq!(
        (answer.provider, answer.proposals[0].title.as_str()),
        (ProviderKind::OpenAi, "от OpenAI")
    );

    stand.gigachat.state().script.extend([fault(), fault()]);
    stand.openai.state().script.extend([fault(), fault()]);
    let error = stand.ask("шайба").await.expect_err("nobody answers");
    let ChainError::Failed(failures) = error else { panic!("{error}") };
    let who: Vec<_> = failures.iter().map(|(who, _)| *who).collect();
    assert_eq!(who, [ProviderKind::GigaChat, ProviderKind::OpenAi]);
}

#[tokio::test]
async fn what_is_no_answer_falls_to_the_next() {
    let html = || Scripted::Body("text/html", "<html><body>Вход</body></html>".to_owned());
    let content = |text: &str| {
        let message = serde_json::json!({ "choices": [{ "message": { "content": text } }] });
        Scripted::Body("application/json", message.to_string())
    };
    let cut_off = Scripted::Body(
        "application/json",
        r#"{"choices":[{"finish_reason":"length","message":{"content":"[]"}}]}"#.to_owned(),
    );
    let huge = content(&"а".repeat(10 * 1024 * 1024));
    for scripted in [
        html(),
        content("Не знаю, о чём вы."),
        cut_off,
        huge,
        Scripted::Endless,
        Scripted::Cut,
        Scripted::Body("application/json", String::new()),
    ] {
        let stand = Stand::new().await;
        let name: String = format!("{scripted:?}").chars().take(60).collect();
        stand.gigachat.state().script.push_back(scripted);
        let answer = stand.ask("болт").await.expect(&name);
        assert_eq!(answer.provider, ProviderKind::OpenAi, "{name}");
        assert_eq!(stand.asked(), (1, 1), "{name}");
    }
}

#[tokio::test]
async fn silence_ends_with_the_time_limit() {
    let stand = Stand::with_timeout(Duration::from_millis(200)).await;
    stand.gigachat.state().script.push_back(Scripted::Silence);
    let answer = stand.ask("болт").await.expect("an answer");
    assert_eq!(answer.provider, ProviderKind::OpenAi);
    let status = stand.chain.status();
    let (_, why) = status[0].failed_at.clone().expect("a failure");
    assert_eq!(why, "нет ответа за отведённое время");
}

#[tokio::test]
async fn all_providers_together_have_one_limit() {
    let stand = Stand::new().await;
    let settings =
        config::Llm { gigachat: stand.gigachat.settings(), openai: stand.openai.settings() };
    let limits = Limits { total: Duration::from_millis(200), ..Limits::default() };
    let chain = Chain::with_limits(&settings, &stand.clock, stand.purse.clone(), limits);
    stand.gigachat.state().script.push_back(Scripted::Silence);
    let chain = chain.expect("a chain");
    let error = chain.ask(&question(&["болт"], &[])).await.expect_err("no time is left");
    let text = error.to_string();
    assert!(text.ends_with("OpenAI: время вышло"), "{text}");
    assert_eq!(stand.asked().1, 0);
}

#[tokio::test]
async fn an_empty_list_is_an_answer() {
    let stand = Stand::new().await;
    stand.gigachat.state().answer = "[]".into();
    let answer = stand.ask("спасибо").await.expect("an answer");
    assert_eq!((answer.provider, answer.proposals.len()), (ProviderKind::GigaChat, 0));
    assert_eq!(stand.asked(), (1, 0));
}

#[tokio::test]
async fn five_failures_in_a_row_rest_a_provider_and_one_trial_brings_it_back() {
    let stand = Stand::new().await;
    // A page of HTML is not repeated: one question, one failure.
    let page = || Scripted::Body("text/html", "<html>".to_owned());
    stand.gigachat.state().script.extend([page(), page(), page(), page(), page()]);
    for n in 0..5 {
        let answer = stand.ask(&format!("болт {n}")).await.expect("OpenAI answers");
        assert_eq!(answer.provider, ProviderKind::OpenAi);
    }
    assert_eq!(stand.asked().0, 5);
    let until = stand.clock.now().plus(Duration::from_mins(1));
    assert_eq!(stand.chain.status()[0].state, ProviderState::Resting(until));

    stand.clock.advance(Duration::from_secs(59));
    stand.ask("гайка").await.expect("OpenAI answers");
    assert_eq!(stand.asked().0, 5, "it rests");

    stand.clock.advance(Duration::from_secs(1));
    stand.gigachat.state().script.push_back(page());
    stand.ask("шайба").await.expect("OpenAI answers");
    assert_eq!(stand.asked().0, 6, "one trial");
    stand.ask("винт").await.expect("OpenAI answers");
    assert_eq!(stand.asked().0, 6, "that failed: it rests again");

    stand.clock.advance(Duration::from_mins(1));
    let answer = stand.ask("шуруп").await.expect("an answer");
    assert_eq!(answer.provider, ProviderKind::GigaChat);
    assert_eq!(stand.chain.status()[0].state, ProviderState::Working);
}

#[tokio::test]
async fn a_success_between_failures_starts_the_count_anew() {
    let stand = Stand::new().await;
    let page = || Scripted::Body("text/html", "<html>".to_owned());
    for round in 0..3 {
        stand.gigachat.state().script.extend([page(), page(), page(), page()]);
        for n in 0..5 {
            stand.ask(&format!("болт {round} {n}")).await.expect("an answer");
        }
    }
    assert_eq!(stand.asked().0, 15);
}

#[tokio::test]
async fn a_clock_put_back_does_not_rest_a_provider_for_a_day() {
    let stand = Stand::new().await;
    let refusal = || Scripted::status(401, "{}");
    stand.gigachat.state().script.extend([refusal(), refusal()]);
    stand.clock.advance(Duration::from_hours(24));
    stand.ask("болт").await.expect("OpenAI answers");
    // A manual clock does not go back; a rest that ends in a day looks the same.
    let (_, asked) = (stand.clock.now(), stand.asked().0);
    stand.clock.advance(Duration::from_mins(15));
    stand.ask("гайка").await.expect("an answer");
    assert!(stand.asked().0 > asked);
}

#[tokio::test]
async fn a_spent_budget_asks_nobody() {
    let stand = Stand::new().await;
    stand.purse.0.store(2, Ordering::SeqCst);
    stand.ask("болт").await.expect("an answer");
    stand.ask("гайка").await.expect("an answer");
    let error = stand.ask("шайба").await.expect_err("spent");
    assert_eq!(error, ChainError::Budget(BudgetError::Spent));
    assert_eq!(stand.asked(), (2, 0));
    assert!(stand.ask("болт").await.expect("known already").cached, "the cache costs nothing");
}

#[tokio::test]
async fn a_question_asked_before_is_answered_from_memory() {
    let stand = Stand::new().await;
    let first = stand.ask("болт 2 шт").await.expect("an answer");
    let again = stand.ask("болт 2 шт").await.expect("an answer");
    assert!(!first.cached && again.cached);
    assert_eq!(first.proposals, again.proposals);
    assert_eq!((again.model.as_str(), again.tokens), ("GigaChat:2.0.28.2", None));
    assert_eq!(stand.asked(), (1, 0));
    assert_eq!(stand.purse.0.load(Ordering::SeqCst), 999);

    let page = Scripted::Body("text/html", "<html>".to_owned());
    stand.gigachat.state().script.push_back(page);
    stand.ask("гайка").await.expect("OpenAI answers");
    let answer = stand.ask("гайка").await.expect("an answer");
    assert_eq!(answer.provider, ProviderKind::GigaChat, "a failure is not kept");
}

#[tokio::test]
async fn what_names_people_never_leaves() {
    let stand = Stand::new().await;
    let text =
        "болт 5 шт для Мебельный двор, Тверь, Ленина 5, +7 (921) 123-45-67, a@b.ru, ИНН 7707083893";
    let secrets = ["ООО «Мебельный двор»", "г. Тверь, ул. Ленина, д. 5"];
    stand.chain.ask(&question(&[text], &secrets)).await.expect("an answer");
    let sent = stand.gigachat.state().questions[0].to_string();
    assert!(
        sent.contains("болт 5 шт для [скрыто], [скрыто], [телефон], [почта], ИНН [ИНН]"),
        "{sent}"
    );
}

#[tokio::test]
async fn a_probe_tells_of_every_provider() {
    let stand = Stand::new().await;
    stand.purse.0.store(0, Ordering::SeqCst);
    stand.openai.state().script.push_back(Scripted::status(500, r#"{"error":"overloaded"}"#));
    let probes = stand.chain.probe().await;
    assert_eq!(probes.len(), 2);
    assert_eq!(probes[0].provider, ProviderKind::GigaChat);
    assert_eq!(probes[0].outcome, Ok(vec!["от GigaChat".to_owned()]));
    assert_eq!((probes[0].model.as_str(), probes[0].tokens), ("GigaChat:2.0.28.2", Some(274)));
    assert_eq!(probes[1].outcome, Err("OpenAI: ответ 500: overloaded".to_owned()));
}

#[tokio::test]
async fn nothing_configured_asks_nobody() {
    let clock = Clock::system();
    let purse = Arc::new(Purse(AtomicU32::new(5)));
    let chain = Chain::new(&config::Config::default().llm, &clock, purse).expect("a chain");
    assert!(!chain.is_configured());
    let error = chain.ask(&question(&["болт"], &[])).await.expect_err("nobody");
    assert_eq!(error, ChainError::NotConfigured);
}
