//! «Журнал» and «Пробелы» of the bench: what was recognised for clients, and what was not.

use axum::Form;
use axum::extract::{Query, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::tabs;
use crate::domain::{LineState, ru};
use crate::storage::figures::{Gap, Recognised};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::{WebError, encode};
use crate::web::layout::{Page, Section, csrf, page as framed};
use crate::web::markup::{Icon, icon, marked};
use crate::web::session::{ManagerSession, Visitor};

/// Rows of a page.
const PAGE: u32 = 50;

/// Gaps on the page.
const GAPS: u32 = 80;

/// Which lines are shown.
#[derive(Debug, Default, Deserialize)]
pub struct LogQuery {
    /// A state's code; empty: any.
    #[serde(default)]
    state: String,
    #[serde(default)]
    page: String,
}

/// `GET /admin/search/log`
pub async fn log(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(query): Query<LogQuery>,
) -> Result<Markup, WebError> {
    let state = query.state.parse::<LineState>().ok();
    let page: u32 = query.page.parse().unwrap_or(1).max(1);
    let rows = desk.bench().recognised(state, (page - 1).saturating_mul(PAGE), PAGE + 1).await?;
    let more = rows.len() > PAGE as usize;
    let href = |page: u32| format!("/admin/search/log?state={}&page={page}", encode(&query.state));
    let around = around(&desk, &me).await?;
    let content = html! {
        div.page-head { h1 { "Журнал распознавания" } }
        (tabs("/admin/search/log"))
        form.filters action="/admin/search/log" role="search" aria-label="Отбор строк" data-filters {
            select name="state" aria-label="Исход" {
                option value="" { "Любой исход" }
                @for state in LineState::ALL { option value=(state) selected[query.state == state.as_str()] { (outcome(*state)) } }
            }
            button.button type="submit" { "Показать" }
        }
        div #list {
            @if rows.is_empty() {
                div.empty { (icon(Icon::Trace)) p { "Строк пока нет: они появятся, когда клиент напишет боту." } }
            } @else {
                ul.card.rows {
                    @for row in rows.iter().take(PAGE as usize) { (line(&desk, row)) }
                }
                div.pager {
                    span { "Страница " (page) }
                    nav aria-label="Страницы" {
                        @if page > 1 { a.button.small rel="prev" href=(href(page - 1)) aria-label="Предыдущая страница" { (icon(Icon::Back)) } }
                        @if more { a.button.small rel="next" href=(href(page + 1)) aria-label="Следующая страница" { (icon(Icon::Forward)) } }
                    }
                }
            }
        }
    };
    let page =
        Page {
            title: "Журнал распознавания", section: Some(Section::Search), class: "", content
        };
    Ok(framed(&visitor, &around, &page))
}

fn outcome(state: LineState) -> &'static str {
    match state {
        LineState::Ok => "узнано",
        LineState::Ask => "нужно уточнить",
        LineState::None => "не нашлось",
        LineState::Manager => "отдано менеджеру",
        LineState::Gone => "снято с продажи",
    }
}

fn line(desk: &Desk, row: &Recognised) -> Markup {
    let now = desk.base.clock.now();
    let organization = row.organization_id.map(|id| id.to_string()).unwrap_or_default();
    let again = format!("/admin/search?text={}&organization={organization}", encode(&row.raw));
    html! {
        li.wrapping {
            div.grow {
                (marked(row.state.mark())) " «" (row.raw) "»"
                @if !row.product.is_empty() { " — " (row.product) }
                span.sub {
                    (outcome(row.state)) @if row.chosen { ", товар выбрал клиент" }
                    " · " @if row.organization.is_empty() { "гость" } @else { (row.organization) }
                    " · " (desk.base.zone.date_time(row.at, now))
                }
                details.why { summary { "Почему так" } (crate::web::trace::draw(row.trace.as_deref())) }
            }
            a.button.small href=(again) aria-label=(format!("Разобрать: {}", row.raw)) { "Разобрать" }
        }
    }
}

/// `GET /admin/search/gaps`
pub async fn gaps(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
) -> Result<Markup, WebError> {
    let gaps = desk.bench().gaps(GAPS).await?;
    let around = around(&desk, &me).await?;
    let content = html! {
        div.page-head { h1 { "Пробелы" } }
        (tabs("/admin/search/gaps"))
        @if gaps.is_empty() {
            div.empty { (icon(Icon::Check)) p { "За 90\u{a0}дней всё, что писали клиенты, нашлось." } }
        } @else {
            p.hint {
                "Слова клиентов за 90\u{a0}дней, за которыми не нашлось товара. Частые сверху."
                @if gaps.len() >= GAPS as usize { " Показаны первые " (GAPS) "." }
            }
            ul.card.rows { @for gap in &gaps { (row(&visitor, gap)) } }
        }
    };
    let page = Page { title: "Пробелы", section: Some(Section::Search), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

fn row(visitor: &Visitor, gap: &Gap) -> Markup {
    html! {
        li.wrapping {
            div.grow {
                strong { "«" (gap.phrase) "»" }
                span.sub {
                    (ru::count(u64::from(gap.times), ["раз", "раза", "раз"]))
                    @if gap.organizations > 0 { ", " (ru::count(u64::from(gap.organizations), ["клиент", "клиента", "клиентов"])) }
                    @if gap.raw.trim() != gap.phrase { " · например «" (gap.raw.trim()) "»" }
                }
            }
            div.in-row {
                a.button.small href=(format!("/admin/search?text={}", encode(gap.raw.trim()))) aria-label=(format!("Связать с товаром: {}", gap.phrase)) { "Связать с товаром" }
                a.button.small href=(format!("/admin/synonyms?words={}", encode(&gap.phrase))) aria-label=(format!("Создать синоним: {}", gap.phrase)) { "Создать синоним" }
                form method="post" action="/admin/search/gaps" {
                    (csrf(visitor))
                    button.button.small.quiet type="submit" name="phrase" value=(gap.phrase) aria-label=(format!("Не наш товар: {}", gap.phrase)) { "Не наш товар" }
                }
            }
        }
    }
}

/// Words that are not ours.
#[derive(Debug, Deserialize)]
pub struct GapForm {
    phrase: String,
}

/// `POST /admin/search/gaps`
pub async fn not_ours(
    State(desk): State<Desk>,
    _me: ManagerSession,
    Form(form): Form<GapForm>,
) -> Result<Redirect, WebError> {
    desk.bench().not_ours(form.phrase).await?;
    Ok(Redirect::to("/admin/search/gaps"))
}
