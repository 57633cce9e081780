//! «Сегодня»: what wants attention, and today's figures.

use axum::extract::State;
use maud::{Markup, html};

use crate::domain::{OrderStatus, ru, time};
use crate::storage::orders::{OrderFilter, OrderRow};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, page as framed, status_badge};
use crate::web::markup::{Icon, icon, marked};
use crate::web::session::{ManagerSession, Visitor};

/// Orders named one by one; the rest is a link.
const NAMED: u32 = 8;

/// `GET /admin`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
) -> Result<Markup, WebError> {
    let of = |statuses: &[OrderStatus], unresolved: bool| OrderFilter {
        statuses: statuses.to_vec(),
        unresolved,
        ..OrderFilter::default()
    };
    let untaken = desk.ordering.orders(of(&[OrderStatus::New], false), 0, NAMED).await?;
    let active = [OrderStatus::Accepted, OrderStatus::Picking, OrderStatus::Ready];
    let unresolved = desk.ordering.orders(of(&active, true), 0, NAMED).await?;
    let waiting = desk.ordering.orders(of(&[OrderStatus::NeedsClient], false), 0, 0).await?.total;
    let all = desk.ordering.orders(OrderFilter::default(), 0, 0).await?.total;
    let around = around(&desk, &me).await?;
    let content = html! {
        div.page-head { h1 { "Сегодня" } }
        div.today {
            section.card #attention data-live aria-labelledby="attention-title" {
                header {
                    h2 #attention-title { "Требует внимания" }
                    @let n = untaken.total + unresolved.total + waiting;
                    @if n > 0 { span.count { (n) } }
                }
                ul.rows {
                    @for order in &untaken.orders { (row(&desk, order, "Новая заявка")) }
                    @if untaken.total > NAMED {
                        li { a href="/admin/orders?view=new" { "Ещё новых: " (untaken.total - NAMED) } }
                    }
                    @for order in &unresolved.orders { (row(&desk, order, "Позиции без товара")) }
                    @if waiting > 0 {
                        li {
                            div.grow {
                                a.quiet href="/admin/orders?view=waiting" { "Ждут ответа клиента: " (waiting) }
                            }
                        }
                    }
                    @if untaken.total + unresolved.total + waiting == 0 {
                        li { div.grow.muted { "Всё разобрано." @if all == 0 { " Первая заявка появится здесь сама." } } }
                    }
                }
            }
        }
    };
    let page = Page { title: "Сегодня", section: Some(Section::Today), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

fn row(desk: &Desk, order: &OrderRow, what: &str) -> Markup {
    let waits = desk.base.clock.now().since(order.created_at);
    html! {
        li {
            div.grow {
                a.quiet href=(format!("/admin/orders/{}", order.number)) {
                    strong { "№\u{a0}" (order.number) } " · " (order.organization_name)
                }
                span.sub {
                    (what) " · " (ru::positions(order.line_count as usize))
                    @if order.unresolved_count > 0 { " · " (marked("👤")) "\u{a0}" (order.unresolved_count) }
                    " · " (order.total) " · " (time::ago(waits))
                }
            }
            (status_badge(order.status))
            a.button.small href=(format!("/admin/orders/{}", order.number)) { "Открыть" span.sr { " № " (order.number) } (icon(Icon::Forward)) }
        }
    }
}
