//! «Поиск»: the recognition bench.

mod cases;
mod history;

pub use cases::{
    act as act_on_cases, export as export_cases, import as import_cases, page as cases,
};
pub use history::{gaps, log, not_ours};

use axum::Form;
use axum::extract::{Query, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::{OrganizationId, ProductId, ru};
use crate::recognition::{Decision, RemarkKind};
use crate::services::bench::{BenchError, TEXT_MAX_CHARS, Tried, TriedLine};
use crate::storage::directory::{ClientFilter, ClientRow};
use crate::web::Desk;
use crate::web::admin::{around, models};
use crate::web::error::{WebError, encode};
use crate::web::layout::{Page, Section, Tone, badge, csrf, page as framed};
use crate::web::markup::{Icon, icon, marked};
use crate::web::session::{ManagerSession, Visitor};

/// Products that a search of one line brings.
const FOUND: usize = 8;

/// Clients to choose from.
pub const CLIENTS: u32 = 100;

/// What is tried on the bench.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct BenchQuery {
    /// The text.
    #[serde(default)]
    text: String,
    /// For which organization; empty: nobody in particular.
    #[serde(default)]
    organization: String,
    /// The line that another product is looked for, from 0.
    #[serde(default)]
    at: String,
    /// The words of that product.
    #[serde(default)]
    find: String,
}

/// `GET /admin/search`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(query): Query<BenchQuery>,
) -> Result<Markup, WebError> {
    let organization = query.organization.parse().ok().map(OrganizationId);
    let tried = if query.text.trim().is_empty() {
        None
    } else {
        let mut tried = desk.bench().recognize(organization, &query.text).await?;
        if let Some(line) = query.at.parse::<usize>().ok().and_then(|at| tried.lines.get_mut(at))
            && !query.find.trim().is_empty()
        {
            let found = desk.ordering.search(&query.find, FOUND).await?;
            let known: Vec<_> = line.offers.iter().map(|(offer, _)| offer.id).collect();
            let more = found.into_iter().filter(|offer| !known.contains(&offer.id));
            line.offers.splice(0..0, more.map(|offer| (offer, 0.0)));
        }
        Some(tried)
    };
    let clients = desk.directory().clients(ClientFilter::default(), 0, CLIENTS).await?.rows;
    let around = around(&desk, &me).await?;
    let content = html! {
        div.page-head { h1 { "Поиск" } }
        (tabs("/admin/search"))
        div.bench {
            (bench_form(&query, &clients))
            div #result {
                @match &tried {
                    Some(tried) => {
                        (result(&visitor, &me, &query, tried))
                        (models::compare_button(&desk, &visitor, &query.text, &query.organization))
                        @if !tried.lines.is_empty() { (cases::keep_form(&visitor, &query.text)) }
                    },
                    None => (hint()),
                }
            }
        }
    };
    let page = Page { title: "Поиск", section: Some(Section::Search), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

/// The pages of the bench.
fn tabs(current: &str) -> Markup {
    let tabs = [
        ("/admin/search", "Разбор"),
        ("/admin/search/log", "Журнал"),
        ("/admin/search/gaps", "Пробелы"),
        ("/admin/search/cases", "Эталоны"),
        ("/admin/search/models", "Модель"),
        ("/admin/synonyms", "Синонимы"),
    ];
    html! {
        nav.tabs aria-label="Распознавание" {
            @for (href, word) in tabs { a href=(href) aria-current=[(href == current).then_some("page")] { (word) } }
        }
    }
}

fn bench_form(query: &BenchQuery, clients: &[ClientRow]) -> Markup {
    html! {
        form.card.bench-form action="/admin/search" {
            div.body {
                div.field {
                    label for="text" { "Текст заказа" }
                    textarea #text name="text" rows="8" maxlength=(TEXT_MAX_CHARS) required
                        placeholder="Как пишет клиент: одна или много строк" { (query.text) }
                }
                div.field {
                    label for="organization" { "От чьего имени" }
                    select #organization name="organization" {
                        option value="" { "Без клиента" }
                        @for client in clients {
                            option value=(client.id) selected[query.organization == client.id.to_string()] { (client.name) }
                        }
                    }
                    span.hint { "Учитываются история покупок и слова этого клиента." }
                }
                div.buttons { button.button.primary type="submit" { "Распознать" } }
            }
        }
    }
}

fn hint() -> Markup {
    html! {
        div.empty {
            (icon(Icon::Search))
            p { "Напишите строку так, как её пишет клиент. Здесь видно, что выберет бот, почему, и можно сразу научить его лучше." }
        }
    }
}

fn result(visitor: &Visitor, me: &ManagerSession, query: &BenchQuery, tried: &Tried) -> Markup {
    let of = |decision| tried.lines.iter().filter(|l| l.line.decision == decision).count();
    html! {
        section.card aria-labelledby="lines-title" {
            header {
                h2 #lines-title { (ru::positions(tried.lines.len())) }
                (badge(Tone::Ok, format!("узнано {}", of(Decision::Matched))))
                @if of(Decision::Ambiguous) > 0 { (badge(Tone::Warn, format!("спросит {}", of(Decision::Ambiguous)))) }
                @if of(Decision::Unmatched) > 0 { (badge(Tone::Danger, format!("не нашлось {}", of(Decision::Unmatched)))) }
                span.count { (millis(tried.micros)) }
            }
            @if tried.lines.is_empty() { div.body { p.muted { "Позиций в тексте нет." } } }
            @for (index, line) in tried.lines.iter().enumerate() { (tried_line(visitor, me, query, index, line)) }
            @if !tried.remarks.is_empty() {
                div.body.remarks {
                    h3 { "Не заказ" }
                    ul {
                        @for (kind, text) in &tried.remarks { li { (remark(*kind)) ": «" (text) "»" } }
                    }
                }
            }
        }
    }
}

fn millis(micros: u128) -> String {
    format!("{},{}\u{a0}мс", micros / 1_000, micros / 100 % 10)
}

fn remark(kind: RemarkKind) -> &'static str {
    match kind {
        RemarkKind::Question => "вопрос",
        RemarkKind::Delivery => "о доставке",
        RemarkKind::Greeting => "приветствие",
        RemarkKind::Other => "прочее",
    }
}

fn tried_line(
    visitor: &Visitor,
    me: &ManagerSession,
    query: &BenchQuery,
    index: usize,
    tried: &TriedLine,
) -> Markup {
    let line = &tried.line;
    let sign = match line.decision {
        Decision::Matched => "✅",
        Decision::Ambiguous => "❓",
        Decision::Unmatched => "❌",
    };
    let quantity = line.quantity.map(|quantity| {
        line.unit.as_ref().map_or_else(|| quantity.to_string(), |u| quantity.with_unit(u.as_str()))
    });
    let chosen = line.product.and_then(|id| tried.offers.iter().find(|(offer, _)| offer.id == id));
    let json = serde_json::to_string(&line.trace).ok();
    html! {
        section.tried aria-labelledby=(format!("line-{index}")) {
            h3 id=(format!("line-{index}")) { (marked(sign)) " «" (tried.raw) "»" }
            p {
                @match (chosen, line.decision) {
                    (Some((offer, _)), _) => { strong { (offer.title) } },
                    (None, Decision::Ambiguous) => { "Спросит: " (ru::count(tried.offers.len() as u64, ["вариант", "варианта", "вариантов"])) },
                    (None, _) => { "В каталоге не нашлось" },
                }
                @if let Some(quantity) = quantity { " — " (quantity) }
                " " span.count { "уверенность " (percent(line.confidence)) }
            }
            @if !tried.offers.is_empty() {
                form.teach method="post" action="/admin/search/teach" {
                    (csrf(visitor))
                    input type="hidden" name="phrase" value=(line.phrase);
                    input type="hidden" name="text" value=(query.text);
                    input type="hidden" name="organization" value=(query.organization);
                    ol.options {
                        @for (offer, score) in &tried.offers {
                            li {
                                span.grow { (offer.title) @if !offer.sku.is_empty() { span.sub { "арт.\u{a0}" (offer.sku) } } }
                                @if *score > 0.0 { span.count { (percent(*score)) } }
                                @let right = Some(offer.id) == line.product;
                                button.button.small type="submit" name="product" value=(offer.id)
                                    aria-label=(format!("{}: {}", if right { "Верно" } else { "Вот это" }, offer.title)) {
                                    (if right { "Верно" } else { "Вот это" })
                                }
                            }
                        }
                    }
                    div.scope {
                        @if query.organization.is_empty() {
                            @if me.must_be_admin("").is_err() {
                                span.hint { "Чтобы учить, выберите клиента: слова для всех правит администратор." }
                            } @else {
                                input type="hidden" name="scope" value="all";
                                span.hint { "Запомнится для всех клиентов." }
                            }
                        } @else {
                            label.check { input type="radio" name="scope" value="client" checked; "Для этого клиента" }
                            @if me.must_be_admin("").is_ok() {
                                label.check { input type="radio" name="scope" value="all"; "Для всех" }
                            }
                        }
                    }
                }
            }
            @if line.phrase.is_empty() {
                p.hint { "Чтобы такие слова узнавались, добавьте " a href="/admin/synonyms" { "синоним" } "." }
            } @else {
                form.other action="/admin/search" role="search" aria-label=(format!("Другой товар для «{}»", tried.raw)) {
                    input type="hidden" name="text" value=(query.text);
                    input type="hidden" name="organization" value=(query.organization);
                    input type="hidden" name="at" value=(index);
                    input type="search" name="find" required aria-label=(format!("Не то, найти товар для «{}»", tried.raw))
                        placeholder="Не то? Найдите товар" value=(if query.at == index.to_string() { query.find.as_str() } else { "" });
                    button.button.small type="submit" { "Найти" }
                }
            }
            details.why {
                summary { "Почему так" }
                (crate::web::trace::draw(json.as_deref()))
                @if let Some(json) = &json { button.button.small type="button" data-copy=(json) { "Скопировать JSON" } }
            }
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.0}\u{a0}%", share.clamp(0.0, 1.0) * 100.0)
}

/// A lesson.
#[derive(Debug, Deserialize)]
pub struct TeachForm {
    phrase: String,
    product: i64,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    organization: String,
    #[serde(default)]
    text: String,
}

/// `POST /admin/search/teach`
pub async fn teach(
    State(desk): State<Desk>,
    me: ManagerSession,
    Form(form): Form<TeachForm>,
) -> Result<Redirect, WebError> {
    let organization = match form.scope.as_str() {
        "all" => {
            me.must_be_admin("синонимы для всех")?;
            None
        }
        _ => Some(form.organization.parse().map(OrganizationId).map_err(|_| {
            WebError::Invalid("Выберите клиента, для которого запомнить слова.".to_owned())
        })?),
    };
    desk.bench()
        .teach(me.account_actor(), organization, &form.phrase, ProductId(form.product))
        .await?;
    let query = format!("text={}&organization={}", encode(&form.text), encode(&form.organization));
    Ok(Redirect::to(&format!("/admin/search?{query}")))
}

impl From<BenchError> for WebError {
    fn from(error: BenchError) -> Self {
        match error {
            BenchError::Invalid(text) => Self::Invalid(text.to_owned()),
            other => Self::internal(other),
        }
    }
}
