//! «Выучено, проверьте»: what clients' choices taught, accepted or refused by staff.

use axum::Form;
use axum::extract::{Query, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::tabs;
use crate::domain::{OrganizationId, ProductId};
use crate::services::bench::Verdict;
use crate::storage::words::Unchecked;
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::{WebError, encode};
use crate::web::layout::{Page, Pager, Section, csrf, page as framed};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// Rows of a page.
const PAGE: u32 = 50;

/// The address of the list.
#[derive(Debug, Default, Deserialize)]
pub struct LearntQuery {
    #[serde(default)]
    page: String,
    /// How many were just decided about.
    #[serde(default)]
    done: String,
}

/// `GET /admin/synonyms/learnt`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(query): Query<LearntQuery>,
) -> Result<Markup, WebError> {
    let mut pager = Pager { page: query.page.parse().unwrap_or(1).max(1), size: PAGE, total: 0 };
    let (rows, waiting) = desk.bench().unchecked(pager.offset(), PAGE).await?;
    pager.total = waiting;
    let around = around(&desk, &me).await?;
    let content = html! {
        div.page-head { h1 { "Синонимы" } }
        (tabs(true, waiting))
        @if let Ok(done) = query.done.parse::<u32>() { p.notice data-tone="ok" role="status" { "Проверено: " (done) } }
        @if rows.is_empty() {
            div.empty { (icon(Icon::Check)) p { "Всё проверено. Когда клиент выберет товар для своих слов и отправит заявку, они появятся здесь." } }
        } @else {
            p.hint.lead { "Клиент выбрал товар для своих слов, и бот их запомнил. Примите верное; отклонённое бот забудет и больше так не поймёт." }
            div #list {
                div.table-wrap {
                    table.cards-on-phone.simple {
                        caption.sr { "Выученные слова" }
                        thead {
                            tr {
                                th.pick scope="col" { label.tick { input type="checkbox" data-pick-all; span.sr { "Выбрать всю страницу" } } }
                                th scope="col" { "Клиент пишет" }
                                th scope="col" { "Это значит" }
                                th scope="col" { "Чьи слова" }
                                th scope="col" { "Когда" }
                                th scope="col" { span.sr { "Действия" } }
                            }
                        }
                        tbody { @for row in &rows { (self::row(&desk, &visitor, row)) } }
                    }
                }
                (pager.render(["фраза", "фразы", "фраз"], |page| format!("/admin/synonyms/learnt?page={page}")))
            }
            form.bulk-bar #bulk method="post" action="/admin/synonyms/learnt" aria-label="Действия с выбранными" {
                (csrf(&visitor))
                span.bulk-count data-pick-count { "Выбранные фразы" }
                button.button.small type="submit" name="act" value="accept" { "Верно" }
                button.button.small.danger type="submit" name="act" value="refuse" { "Отклонить" }
            }
        }
    };
    let page =
        Page {
            title: "Выучено, проверьте", section: Some(Section::Synonyms), class: "", content
        };
    Ok(framed(&visitor, &around, &page))
}

fn row(desk: &Desk, visitor: &Visitor, row: &Unchecked) -> Markup {
    let value = format!("{} {} {}", row.organization, row.product, row.phrase);
    let again =
        format!("/admin/search?text={}&organization={}", encode(&row.phrase), row.organization);
    html! {
        tr data-row {
            td.pick { label.tick { input type="checkbox" name="phrase" value=(value) form="bulk" data-pick; span.sr { "Выбрать: " (row.phrase) } } }
            td { a.quiet href=(again) { strong { "«" (row.phrase) "»" } } }
            td { (row.title) }
            td { (row.organization_name) }
            td.muted {
                (desk.base.zone.date_time(row.at, desk.base.clock.now()))
                @if let Some(number) = row.order { ", " a href=(format!("/admin/orders/{number}")) { "№\u{a0}" (number) } }
            }
            td.num {
                form.in-row method="post" action="/admin/synonyms/learnt" {
                    (csrf(visitor))
                    input type="hidden" name="phrase" value=(value);
                    button.button.small type="submit" name="act" value="accept" aria-label=(format!("Верно: {}", row.phrase)) { "Верно" }
                    button.button.small.quiet.danger type="submit" name="act" value="refuse" aria-label=(format!("Отклонить: {}", row.phrase)) { "Отклонить" }
                }
            }
        }
    }
}

/// `POST /admin/synonyms/learnt`
pub async fn decide(
    State(desk): State<Desk>,
    me: ManagerSession,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Redirect, WebError> {
    let act = fields.iter().find(|(name, _)| name == "act").map(|(_, act)| act.as_str());
    let verdict = match act {
        Some("accept") => Verdict::Accept,
        Some("refuse") => Verdict::Refuse,
        _ => return Err(WebError::Invalid("Действие не понято.".to_owned())),
    };
    let chosen = fields.iter().filter(|(name, _)| name == "phrase");
    let chosen: Vec<_> = chosen.filter_map(|(_, value)| read(value)).collect();
    if chosen.is_empty() {
        return Err(WebError::Invalid("Не выбрана ни одна фраза.".to_owned()));
    }
    let done = desk.bench().check(me.account_actor(), chosen, verdict).await?;
    Ok(Redirect::to(&format!("/admin/synonyms/learnt?done={done}")))
}

/// A row as its form names it.
fn read(value: &str) -> Option<(OrganizationId, ProductId, String)> {
    let mut parts = value.splitn(3, ' ');
    let organization = OrganizationId(parts.next()?.parse().ok()?);
    let product = ProductId(parts.next()?.parse().ok()?);
    Some((organization, product, parts.next()?.to_owned()))
}
