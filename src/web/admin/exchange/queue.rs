//! The queue out: orders on their way to 1C.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::{Tab, head};
use crate::config::SendFrom;
use crate::domain::{OrderStatus, ru};
use crate::services::exchange::queue::{OnTheWay, Queue, Queued, lives_on_in_onec};
use crate::services::ordering::OrderView;
use crate::services::standing::Ways;
use crate::storage::onec_orders::QueuedOrder;
use crate::storage::orders::OrderRow;
use crate::web::Desk;
use crate::web::admin::{around, lookup};
use crate::web::error::WebError;
use crate::web::layout::{Page, Pager, Section, Tone, badge, csrf, page as framed, status_badge};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// Orders on a page.
const PAGE: u32 = 50;

/// The address of the queue.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct QueueQuery {
    #[serde(default)]
    page: String,
}

/// `GET /admin/exchange/queue`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(query): Query<QueueQuery>,
) -> Result<Markup, WebError> {
    let mut pager = Pager { page: query.page.parse().unwrap_or(1).max(1), size: PAGE, total: 0 };
    // Where nothing is counted nothing is listed.
    let awaited = desk.demo.is_some() || super::standing(&desk).await?.is_awaited();
    let queue =
        if awaited { desk.exchange.queue(pager.offset(), PAGE).await? } else { Queue::default() };
    pager.total = queue.total;
    let from = match desk.base.config.onec.send_from {
        SendFrom::New => OrderStatus::New,
        SendFrom::Accepted => OrderStatus::Accepted,
    };
    let around = around(&desk, &me).await?;
    let admin = me.must_be_admin("").is_ok();
    let content = html! {
        (head(&desk, &visitor, &me, Tab::Queue).await?)
        p.muted.aside-note {
            "1С забирает заказы сама, начиная со статуса «" (from.staff_label()) "». Заказ остаётся в очереди, пока 1С не подтвердит, что получила его."
        }
        div #list data-live {
            @if !awaited {
                div.empty { (icon(Icon::Exchange)) p { "Обмен с 1С не настроен: заказам нечего ждать." } a.button href="/admin/exchange/connect" { "Подключить 1С" } }
            } @else if queue.orders.is_empty() {
                div.empty { (icon(Icon::Check)) p { "Очередь пуста: всё, что можно отдать, 1С уже получила." } a.button href="/admin/orders?view=all" { "Все заказы" } }
            } @else {
                div.table-wrap {
                    table.cards-on-phone.simple {
                        caption.sr { "Заказы, которых в 1С ещё нет, старые сверху" }
                        thead {
                            tr {
                                th scope="col" { "Заказ" }
                                th scope="col" { "Организация" }
                                th.num scope="col" { "Сумма" }
                                th scope="col" { "Статус" }
                                th scope="col" { "Что с ним" }
                                th scope="col" { "Попытки" }
                            }
                        }
                        tbody { @for queued in &queue.orders { (row(&desk, queued)) } }
                    }
                }
                (pager.render(["заказ", "заказа", "заказов"], |page| format!("/admin/exchange/queue?page={page}")))
            }
        }
        @if !queue.taken.is_empty() {
            section.card.taken aria-labelledby="taken-title" {
                header { h2 #taken-title { "Недавно получены 1С" } span.count { (queue.taken.len()) } }
                ul.rows { @for order in &queue.taken { (taken(&desk, &visitor, admin, order)) } }
            }
        }
    };
    let page = Page {
        title: "Очередь в 1С", section: Some(Section::Exchange), class: "", content
    };
    Ok(framed(&visitor, &around, &page))
}

fn row(desk: &Desk, queued: &Queued) -> Markup {
    let (base, order) = (&desk.base, &queued.order);
    let now = base.clock.now();
    html! {
        tr id=(format!("queued-{}", order.number)) {
            td { a href=(format!("/admin/orders/{}", order.number)) { "№\u{a0}" (order.number) } span.sub { (base.zone.date_time(order.created_at, now)) } }
            td { (order.organization_name) }
            td.num { (order.total) }
            td { (status_badge(order.status)) }
            td {
                @if queued.reasons.is_empty() { (badge(Tone::Ok, "готов")) } @else {
                    (badge(Tone::Warn, "ждёт"))
                    ul.reasons { @for reason in &queued.reasons { li { (reason) } } }
                }
                @if let Some((at, reason)) = &queued.refusal {
                    p.wrong { "1С в " (base.zone.date_time(*at, now)) ": " (reason) }
                }
            }
            td.muted { (attempts(desk, order)) }
        }
    }
}

fn attempts(desk: &Desk, order: &QueuedOrder) -> String {
    let now = desk.base.clock.now();
    match order.offered_at.filter(|_| order.offers > 0) {
        None => "ещё не предлагался".to_owned(),
        Some(at) => {
            let times = ru::count(u64::from(order.offers), ["раз", "раза", "раз"]);
            format!("{times}, последний {}", desk.base.zone.date_time(at, now))
        }
    }
}

fn taken(desk: &Desk, visitor: &Visitor, admin: bool, order: &QueuedOrder) -> Markup {
    let now = desk.base.clock.now();
    html! {
        li {
            div.grow {
                a href=(format!("/admin/orders/{}", order.number)) { "№\u{a0}" (order.number) } " · " (order.organization_name)
                span.sub {
                    @if let Some(number) = &order.onec_number { "в 1С " (number) " · " }
                    @if let Some(at) = order.acknowledged_at { (desk.base.zone.date_time(at, now)) }
                }
            }
            @if admin { (again(visitor, order.number)) }
        }
    }
}

/// The order's way to 1C, for the list: «✓», «в очереди», «ждёт».
pub fn order_mark(desk: &Desk, order: &OrderRow) -> Markup {
    if order.onec_acknowledged_at.is_some() {
        let title = order.onec_number.as_deref().unwrap_or("получен");
        return html! { span title=(title) { "✓" span.sr { " получен 1С" } } };
    }
    let on_the_way = match desk.base.config.onec.send_from {
        SendFrom::New => order.status >= OrderStatus::New,
        SendFrom::Accepted => order.status >= OrderStatus::Accepted,
    };
    let over = matches!(order.status, OrderStatus::Cancelled | OrderStatus::Rejected);
    if !on_the_way || over || order.history || !Ways::of(&desk.base.config).any() {
        return html! { span.muted { "—" } };
    }
    html! {
        @if order.unresolved_count > 0 {
            span title="Не готов: есть позиции без товара" { "ждёт" }
        } @else { span.muted title="1С заберёт при следующем обмене" { "в очереди" } }
    }
}

/// The order's way to 1C, for its page; nothing where there is no exchange.
pub async fn order_card(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    view: &OrderView,
) -> Result<Markup, WebError> {
    let (base, order) = (&desk.base, &view.order);
    let way = desk.exchange.on_the_way(order).await?;
    let silent = way == OnTheWay::Never && !order.history;
    if silent || (!Ways::of(&base.config).any() && order.onec_acknowledged_at.is_none()) {
        return Ok(html! {});
    }
    let now = base.clock.now();
    let last = view.events.iter().rev().find(|event| event.kind == "status");
    let lives_on = lives_on_in_onec(order, last.map(|event| event.channel));
    Ok(html! {
        section.card #onec data-live aria-labelledby="onec-title" {
            header {
                h2 #onec-title { "1С" }
                @match &way {
                    OnTheWay::Taken { .. } => (badge(Tone::Ok, "✓ получен")),
                    OnTheWay::Queued { reasons, .. } if reasons.is_empty() => (badge(Tone::Info, "в очереди")),
                    OnTheWay::Queued { .. } => (badge(Tone::Warn, "ждёт")),
                    OnTheWay::NotYet(_) => (badge(Tone::Neutral, "ещё рано")),
                    OnTheWay::Never => (badge(Tone::Neutral, "не передаётся")),
                }
            }
            div.body.form {
                @match &way {
                    OnTheWay::Taken { at, paid } => {
                        dl.facts {
                            @if let Some(number) = &order.onec_number { dt { "Номер" } dd { (number) } }
                            dt { "Получен" } dd { (base.zone.date_time(*at, now)) }
                            @if *paid { dt { "Оплата" } dd { "оплачен" } }
                        }
                        @if lives_on {
                            p.notice data-tone="warn" { (icon(Icon::Alert)) span { "Заявка закрыта здесь, а в 1С документ остался: отмените его там." } }
                        }
                        @if me.must_be_admin("").is_ok() { (again(visitor, order.number)) }
                    },
                    OnTheWay::Queued { reasons, offers, offered_at } => {
                        @if reasons.is_empty() { p { "1С заберёт заказ при следующем обмене." } } @else {
                            p { "1С получит заказ, когда будет готов:" }
                            ul.reasons { @for reason in reasons { li { (reason) } } }
                        }
                        @if let Some(at) = offered_at.filter(|_| *offers > 0) {
                            p.hint { "Предложен " (ru::count(u64::from(*offers), ["раз", "раза", "раз"])) ", последний " (base.zone.date_time(at, now)) ", 1С ещё не подтвердила." }
                        }
                    },
                    OnTheWay::NotYet(from) => p.muted { "1С получит заказ со статуса «" (from.staff_label()) "»." },
                    OnTheWay::Never => p.muted { "Заказ из прежней программы: в 1С он уже есть." },
                }
            }
        }
    })
}

/// `[Отправить снова]`
pub fn again(visitor: &Visitor, number: crate::domain::OrderNumber) -> Markup {
    let question = format!(
        "Отправить № {number} в 1С снова? 1С заново заполнит свой документ, правки в нём пропадут."
    );
    html! {
        form method="post" action=(format!("/admin/exchange/orders/{number}")) {
            (csrf(visitor))
            button.button.small type="submit" name="act" value="again" data-confirm=(question) { "Отправить снова" span.sr { " № " (number) } }
        }
    }
}

/// What to do with an order of the queue.
#[derive(Debug, Deserialize)]
pub struct OrderForm {
    act: String,
}

/// `POST /admin/exchange/orders/{number}`: offers an order to 1C once more.
pub async fn offer_again(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(number): Path<String>,
    Form(form): Form<OrderForm>,
) -> Result<Redirect, WebError> {
    me.must_be_admin("отправлять заказы в 1С снова")?;
    let order = lookup(&desk, &number).await?.order;
    if form.act != "again" {
        return Err(WebError::Invalid("Действие не понято.".to_owned()));
    }
    if !desk.exchange.offer_again(order.id, me.account_actor()).await? {
        return Err(WebError::Conflict(
            "1С ещё не получала этот заказ: он и так в очереди и будет предложен ей снова."
                .to_owned(),
        ));
    }
    Ok(Redirect::to("/admin/exchange/queue"))
}
