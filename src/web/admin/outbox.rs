//! «Исходящие»: what waits to be sent, what was given up and may be sent again, who has blocked the
//! bot. The texts themselves are not shown: they are the clients'.

use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::state::{RIGHT, head};
use crate::domain::{OutboxId, PersonId, ru};
use crate::services::outgoing::subject;
use crate::storage::outgoing::{BlockedRow, OutgoingRow, View};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::WebError;
use crate::web::layout::{Page, Pager, Section, Tone, badge, csrf, page as framed};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// Rows on a page.
const PAGE: u32 = 50;

/// The address of a page.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct OutboxQuery {
    /// `failed`, `queued` or `blocked`.
    view: String,
    page: String,
    /// How many were just queued again.
    queued: String,
}

/// `GET /admin/outbox`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(query): Query<OutboxQuery>,
) -> Result<Markup, WebError> {
    me.must_be_admin(RIGHT)?;
    let outgoing = &desk.operations.outgoing;
    let mut pager = Pager { page: query.page.parse().unwrap_or(1).max(1), size: PAGE, total: 0 };
    let view = match query.view.as_str() {
        "queued" => Some(View::Queued),
        "blocked" => None,
        _ => Some(View::Failed),
    };
    let (blocked, blocked_total) = outgoing.blocked().await?;
    let totals = [
        outgoing.page(View::Failed, 0, 0).await?.1,
        outgoing.page(View::Queued, 0, 0).await?.1,
        blocked_total,
    ];
    let mut rows = Vec::new();
    if let Some(view) = view {
        (rows, pager.total) = outgoing.page(view, pager.offset(), PAGE).await?;
    }
    let around = around(&desk, &me).await?;
    let code = match view {
        Some(View::Failed) => "failed",
        Some(View::Queued) => "queued",
        None => "blocked",
    };
    let tabs = [
        ("failed", "Не доставлено"),
        ("queued", "Ждут отправки"),
        ("blocked", "Заблокировали бота"),
    ];
    let content = html! {
        (head("Исходящие"))
        @if let Ok(count) = query.queued.parse::<u64>() {
            p.notice data-tone="ok" role="status" { (icon(Icon::Check)) span { "Снова в очереди: " (ru::count(count, ["сообщение", "сообщения", "сообщений"])) "." } }
        }
        nav.tabs aria-label="Виды исходящих" {
            @for ((tab, word), total) in tabs.iter().zip(totals) {
                a href=(format!("/admin/outbox?view={tab}")) aria-current=[(*tab == code).then_some("page")] {
                    (word) @if total > 0 { span.count { (ru::thousands(total.into())) } }
                }
            }
        }
        @match view {
            None => (blocked_list(&desk, &blocked, blocked_total)),
            Some(_) if rows.is_empty() => (empty(code)),
            Some(view) => {
                @if view == View::Failed {
                    form.filters method="post" action="/admin/outbox" {
                        (csrf(&visitor))
                        button.button type="submit" { "Повторить всё" }
                        span.hint { "За последние 7\u{a0}дней; тем, кто заблокировал бота, не отправляется." }
                    }
                }
                (list(&desk, &visitor, view, &rows))
                (pager.render(["сообщение", "сообщения", "сообщений"], |page| format!("/admin/outbox?view={code}&page={page}")))
            },
        }
    };
    let page =
        Page { title: "Исходящие", section: Some(Section::State), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

fn empty(code: &str) -> Markup {
    html! {
        div.empty {
            (icon(Icon::Send))
            p { @if code == "queued" { "Очередь пуста: всё отправлено." } @else { "Недоставленных сообщений нет." } }
        }
    }
}

fn whom(person: Option<&(PersonId, String)>, chat: &str) -> Markup {
    html! {
        @match person {
            Some((_, name)) if !name.is_empty() => { (name) span.sub { (chat) } },
            _ => { (chat) },
        }
    }
}

fn list(desk: &Desk, visitor: &Visitor, view: View, rows: &[OutgoingRow]) -> Markup {
    let now = desk.base.clock.now();
    let at = |at| desk.base.zone.date_time(at, now);
    html! {
        div.table-wrap {
            table.cards-on-phone.simple {
                caption.sr { "Сообщения" }
                thead {
                    tr {
                        th scope="col" { "Кому" } th scope="col" { "Что" } th scope="col" { "Поставлено" }
                        th scope="col" { @if view == View::Failed { "Закрыто" } @else { "Срок" } }
                        th.num scope="col" { "Попыток" } th scope="col" { "Почему" }
                        @if view == View::Failed { th scope="col" { span.sr { "Действия" } } }
                    }
                }
                tbody {
                    @for row in rows {
                        tr {
                            td { (whom(row.person.as_ref(), &row.chat.to_string())) @if row.blocked { " " (badge(Tone::Warn, "бот заблокирован")) } }
                            td { (subject(&row.payload)) }
                            td.nowrap { (at(row.created_at)) }
                            td.nowrap { (at(row.closed_at.unwrap_or(row.due_at))) }
                            td.num { (row.attempts) }
                            td.words { @if row.error.is_empty() { "—" } @else { (row.error) } }
                            @if view == View::Failed {
                                td { form.in-row method="post" action=(format!("/admin/outbox/{}/retry", row.id)) { (csrf(visitor)) button.button.small type="submit" { "Повторить" span.sr { " " (row.id) } } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn blocked_list(desk: &Desk, rows: &[BlockedRow], total: u32) -> Markup {
    let now = desk.base.clock.now();
    html! {
        @if rows.is_empty() {
            div.empty { (icon(Icon::Person)) p { "Бота никто не заблокировал." } }
        } @else {
            p.lead { "Им ничего не отправляется. Как только человек снова напишет боту, сообщения пойдут." }
            div.table-wrap {
                table.cards-on-phone.simple {
                    caption.sr { "Кто заблокировал бота" }
                    thead { tr { th scope="col" { "Кто" } th scope="col" { "Имя в Telegram" } th scope="col" { "С какого времени" } } }
                    tbody {
                        @for row in rows {
                            tr {
                                td { (whom(row.person.as_ref(), &row.chat.to_string())) }
                                td { @if row.title.is_empty() { "—" } @else { (row.title) } }
                                td.nowrap { (desk.base.zone.date_time(row.since, now)) }
                            }
                        }
                    }
                }
            }
            @if total as usize > rows.len() { p.muted { "Показаны последние " (rows.len()) " из " (total) "." } }
        }
    }
}

/// `POST /admin/outbox/{id}/retry`
pub async fn retry(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(id): Path<i64>,
) -> Result<Redirect, WebError> {
    me.must_be_admin(RIGHT)?;
    if !desk.operations.outgoing.retry(me.account_actor(), OutboxId(id)).await? {
        return Err(WebError::Conflict("Это сообщение уже в очереди или отправлено.".to_owned()));
    }
    Ok(Redirect::to("/admin/outbox?queued=1"))
}

/// `POST /admin/outbox`: everything of the last week that may be sent again.
pub async fn retry_all(State(desk): State<Desk>, me: ManagerSession) -> Result<Redirect, WebError> {
    me.must_be_admin(RIGHT)?;
    let count = desk.operations.outgoing.retry_all(me.account_actor()).await?;
    Ok(Redirect::to(&format!("/admin/outbox?queued={count}")))
}
