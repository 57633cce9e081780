//! «Модель»: the language models that help recognition, how they are doing, and the same text read
//! by the local engine and by each of them, side by side.

use axum::Form;
use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use crate::clients::llm::{Answer, Probe, ProviderKind, ProviderState, ProviderStatus};
use crate::config::{Config, LlmMode};
use crate::domain::{OrganizationId, Secret, ru};
use crate::recognition::Decision;
use crate::services::bench::{Comparison, ModelAnswer, TEXT_MAX_CHARS, Tried, TriedLine};
use crate::services::models::Models;
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::{WebError, encode};
use crate::web::layout::{Page, Section, Tone, badge, csrf, page as framed};
use crate::web::markup::{Icon, icon, marked};
use crate::web::session::{ManagerSession, Visitor};

/// Candidates of a line that are named in a column.
const NAMED: usize = 3;

/// `GET /admin/search/models`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
) -> Result<Markup, WebError> {
    show(&desk, &visitor, &me, None).await
}

/// `POST /admin/search/models`: asks every model about a sample line.
pub async fn test(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
) -> Result<Markup, WebError> {
    let probes = match &desk.models {
        Some(models) => models.probe().await,
        None => Vec::new(),
    };
    show(&desk, &visitor, &me, Some(&probes)).await
}

async fn show(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    probes: Option<&[Probe]>,
) -> Result<Markup, WebError> {
    let around = around(desk, me).await?;
    let budget = match &desk.models {
        Some(models) => Some(models.budget().await?),
        None => None,
    };
    let status = desk.models.as_ref().map(Models::status).unwrap_or_default();
    let config = &desk.base.config;
    let content = html! {
        (head("Модель"))
        p.lead { (marked(mode_sentence(config, !status.is_empty()))) }
        div.pair {
            @for provider in [ProviderKind::GigaChat, ProviderKind::OpenAi] {
                (provider_card(desk, provider, status.iter().find(|s| s.provider == provider)))
            }
        }
        section.card aria-labelledby="test-title" {
            header { h2 #test-title { "Проверка" }
                @if let Some(budget) = budget {
                    span.count {
                        "сегодня " (ru::thousands(budget.used.into())) " из "
                        (ru::count(budget.limit.into(), ["запроса", "запросов", "запросов"]))
                    }
                }
            }
            div.body {
                @if status.is_empty() {
                    p.muted { "Ни одна модель не настроена. Заказы разбирает местный движок, он работает без моделей и без сети." }
                } @else {
                    form.buttons method="post" action="/admin/search/models" {
                        (csrf(visitor))
                        button.button.primary type="submit" { "Проверить" }
                        span.hint { "Каждая модель прочтёт пробную строку. Проверка в дневной лимит не входит." }
                    }
                }
            }
            @if let Some(probes) = probes { (probe_table(probes)) }
        }
    };
    let page = Page { title: "Модель", section: Some(Section::Search), class: "", content };
    Ok(framed(visitor, &around, &page))
}

fn head(title: &str) -> Markup {
    html! {
        div.page-head {
            h1 { (title) }
            nav.head-links aria-label="Рядом" {
                a href="/admin/search" { "Поиск" }
                @if title != "Модель" { a href="/admin/search/models" { "Модель" } }
            }
        }
    }
}

/// What the mode of the settings means.
fn mode_sentence(config: &Config, configured: bool) -> &'static str {
    match (config.recognition.llm, configured) {
        (LlmMode::Off, _) => {
            "Модели выключены настройкой recognition.llm = off: заказы разбирает местный движок."
        }
        (_, false) => "Модель не подключена: заказы разбирает местный движок.",
        (LlmMode::Auto, true) => {
            "Режим auto: модель спрашивают только о строках, в которых местный движок не уверен. \
             Она может превратить ❌ в ❓ и добавить варианты, но не решает за покупателя."
        }
        (LlmMode::First, true) => {
            "Режим first: модель читает заказ первой, местный движок проверяет каждое её слово по \
             каталогу и отвечает сам, если модель молчит."
        }
    }
}

fn provider_card(desk: &Desk, provider: ProviderKind, status: Option<&ProviderStatus>) -> Markup {
    let llm = &desk.base.config.llm;
    let (key, address, model) = match provider {
        ProviderKind::GigaChat => (
            llm.gigachat.auth_key.as_ref(),
            Some(llm.gigachat.api_base_url.as_str()),
            &llm.gigachat.model,
        ),
        ProviderKind::OpenAi => {
            (llm.openai.api_key.as_ref(), llm.openai.base_url.as_deref(), &llm.openai.model)
        }
    };
    let id = format!("provider-{}", provider.as_str());
    html! {
        section.card aria-labelledby=(id) {
            header {
                h2 id=(id) { (provider.label()) }
                @match status {
                    Some(status) => (state_badge(desk, status)),
                    None => (badge(Tone::Neutral, "выключена")),
                }
            }
            div.body {
                dl.facts {
                    dt { "Модель" } dd { (model) }
                    dt { "Адрес" } dd { (address.unwrap_or("https://api.openai.com/v1")) }
                    dt { "Ключ" } dd { (key_shown(key)) }
                    @if let Some(status) = status {
                        dt { "Ответила" } dd { @if let Some(at) = status.answered_at { (when(desk, at)) } @else { "ещё не отвечала" } }
                        @if let Some((at, why)) = &status.failed_at {
                            dt { "Последний сбой" } dd { (when(desk, *at)) ": " (why) }
                        }
                    } @else {
                        dt { "Как включить" }
                        dd {
                            @match provider {
                                ProviderKind::GigaChat => "впишите ключ авторизации в llm.gigachat.auth_key",
                                ProviderKind::OpenAi => "впишите ключ в llm.openai.api_key или адрес своего сервера в llm.openai.base_url",
                            }
                        }
                    }
                }
            }
        }
    }
}

fn state_badge(desk: &Desk, status: &ProviderStatus) -> Markup {
    match status.state {
        ProviderState::Untried => badge(Tone::Neutral, "ещё не спрашивали"),
        ProviderState::Working => badge(Tone::Ok, "работает"),
        ProviderState::Failing => badge(Tone::Warn, "сбоит"),
        ProviderState::Resting(until) => {
            badge(Tone::Danger, format!("пропускается до {}", desk.base.zone.time(until)))
        }
    }
}

fn when(desk: &Desk, at: crate::domain::Timestamp) -> String {
    desk.base.zone.date_time(at, desk.base.clock.now())
}

/// A key as the panel may show it: its last four characters, if it is long enough to keep the rest.
fn key_shown(key: Option<&Secret>) -> String {
    let Some(key) = key else { return "нет".to_owned() };
    let characters: Vec<char> = key.expose().trim().chars().collect();
    match characters.len() {
        0..16 => "задан".to_owned(),
        length => format!("задан, …{}", characters[length - 4..].iter().collect::<String>()),
    }
}

fn probe_table(probes: &[Probe]) -> Markup {
    html! {
        div.table-wrap role="status" {
            table.cards-on-phone.simple {
                caption.sr { "Итог проверки" }
                thead { tr { th scope="col" { "Провайдер" } th scope="col" { "Модель" } th scope="col" { "Ответ" } th.num scope="col" { "Время" } th.num scope="col" { "Токенов" } } }
                tbody {
                    @for probe in probes {
                        tr {
                            td { strong { (probe.provider.label()) } }
                            td { (probe.model) }
                            td {
                                @match &probe.outcome {
                                    Ok(titles) if titles.is_empty() => { (badge(Tone::Warn, "ответила")) " пустым списком" },
                                    Ok(titles) => { (badge(Tone::Ok, "ответила")) " «" (titles.join("», «")) "»" },
                                    Err(why) => { (badge(Tone::Danger, "не ответила")) " " (why) },
                                }
                            }
                            td.num { (ru::thousands(u64::try_from(probe.took.as_millis()).unwrap_or(u64::MAX))) "\u{a0}мс" }
                            td.num { (tokens(probe.tokens)) }
                        }
                    }
                }
            }
        }
    }
}

fn tokens(count: Option<u64>) -> String {
    count.map_or_else(|| "—".to_owned(), ru::thousands)
}

/// A text to be compared.
#[derive(Debug, Deserialize)]
pub struct CompareForm {
    text: String,
    #[serde(default)]
    organization: String,
}

/// `POST /admin/search/compare`: the text as the local engine and every model read it.
pub async fn compare(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Form(form): Form<CompareForm>,
) -> Result<Markup, WebError> {
    if form.text.trim().is_empty() {
        return Err(WebError::Invalid("Сравнивать нечего: в тексте нет слов.".to_owned()));
    }
    let Some(models) = desk.models.as_ref().filter(|models| models.is_configured()) else {
        let why = "Ни одна модель не настроена: сравнивать не с чем.";
        return Err(WebError::Invalid(why.to_owned()));
    };
    let organization = form.organization.parse().ok().map(OrganizationId);
    let compared = desk.bench().compare(models, organization, &form.text).await?;
    let around = around(&desk, &me).await?;
    let back =
        format!("/admin/search?text={}&organization={}", encode(&form.text), form.organization);
    let content = html! {
        (head("Сравнение с моделями"))
        section.card {
            form.body.form method="post" action="/admin/search/compare" {
                (csrf(&visitor))
                input type="hidden" name="organization" value=(form.organization);
                div.field {
                    label for="text" { "Текст заказа" }
                    textarea #text name="text" rows="4" maxlength=(TEXT_MAX_CHARS) required { (form.text) }
                }
                div.buttons {
                    button.button.primary type="submit" { "Сравнить" }
                    a.button href=(back) { "К разбору" }
                }
            }
        }
        (comparison(&compared))
    };
    let title = "Сравнение с моделями";
    Ok(framed(
        &visitor,
        &around,
        &Page { title, section: Some(Section::Search), class: "", content },
    ))
}

fn comparison(compared: &Comparison) -> Markup {
    let answered: Vec<_> = compared
        .answers
        .iter()
        .filter_map(|ModelAnswer { provider, outcome }| Some((*provider, outcome.as_ref().ok()?)))
        .collect();
    html! {
        @for ModelAnswer { provider, outcome } in &compared.answers {
            @if let Err(why) = outcome {
                p.notice data-tone="warn" role="status" { span { strong { (provider.label()) } " не ответила: " (why) } }
            }
        }
        section.card aria-labelledby="compared-title" {
            header { h2 #compared-title { (ru::positions(compared.local.lines.len())) } }
            div.table-wrap {
                table.cards-on-phone.simple.compared {
                    caption.sr { "Что прочли местный движок и модели" }
                    thead {
                        tr {
                            th scope="col" { "Строка" }
                            th scope="col" { "Местный движок" span.sub { (spent(compared.local.micros)) } }
                            @for (provider, (_, answer)) in &answered {
                                th scope="col" { (provider.label()) span.sub { (cost(answer)) } }
                            }
                        }
                    }
                    tbody {
                        @for (place, line) in compared.local.lines.iter().enumerate() {
                            tr {
                                td { "«" (line.raw) "»" }
                                td { span.sub.only-phone { "Местный движок" } (cell(line)) }
                                @for (provider, (tried, answer)) in &answered {
                                    td { span.sub.only-phone { (provider.label()) } (answer_cell(tried, answer, place)) }
                                }
                            }
                        }
                    }
                }
            }
            @if compared.local.lines.is_empty() { div.body { p.muted { "Позиций в тексте нет." } } }
        }
        p.hint.after {
            "Слова модели проходят тот же разбор: товара, которого нет в каталоге, не появится, а решённое местным "
            "движком не меняется. Телефоны, почта, ИНН и названия клиента модели не показываются."
        }
    }
}

fn spent(micros: u128) -> String {
    format!("{},{}\u{a0}мс", micros / 1_000, micros / 100 % 10)
}

/// What an answer cost.
fn cost(answer: &Answer) -> String {
    let time = if answer.cached {
        "из памяти".to_owned()
    } else {
        let millis = u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX);
        format!("{}\u{a0}мс", ru::thousands(millis))
    };
    let tokens = answer.tokens.map(|count| ru::count(count, ["токен", "токена", "токенов"]));
    let parts = [Some(answer.model.clone()), Some(time), tokens];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn answer_cell(tried: &Tried, answer: &Answer, place: usize) -> Markup {
    let titles = answer.proposals.iter().filter(|proposal| proposal.line == place);
    let titles: Vec<_> = titles.map(|proposal| proposal.title.as_str()).collect();
    html! {
        @if let Some(line) = tried.lines.get(place) { (cell(line)) }
        span.sub { @if titles.is_empty() { "модель промолчала" } @else { "модель: «" (titles.join("», «")) "»" } }
    }
}

/// The decision about a line, in a cell.
fn cell(tried: &TriedLine) -> Markup {
    let line = &tried.line;
    let title = |id| tried.offers.iter().find(|(offer, _)| offer.id == id).map(|(o, _)| &o.title);
    match line.decision {
        Decision::Matched => html! {
            (marked("✅")) " " (line.product.and_then(title).map_or("", String::as_str))
        },
        Decision::Ambiguous => html! {
            (marked("❓")) " " (ru::count(tried.offers.len() as u64, ["вариант", "варианта", "вариантов"]))
            @for (offer, _) in tried.offers.iter().take(NAMED) { span.sub { (offer.title) } }
        },
        Decision::Unmatched => html! { (marked("❌")) " не нашлось" },
    }
}

/// The button under a text that was tried, where there is a model to ask.
pub fn compare_button(desk: &Desk, visitor: &Visitor, text: &str, organization: &str) -> Markup {
    let configured = desk.models.as_ref().is_some_and(Models::is_configured);
    html! {
        @if configured {
            form.buttons method="post" action="/admin/search/compare" {
                (csrf(visitor))
                input type="hidden" name="text" value=(text);
                input type="hidden" name="organization" value=(organization);
                button.button type="submit" { (icon(Icon::Search)) "Сравнить с моделями" }
            }
        }
    }
}
