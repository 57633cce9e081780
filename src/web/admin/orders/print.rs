//! Picking lists on paper: A4, one order a sheet.

use axum::extract::{Path, Query, State};
use maud::{Markup, html};

use crate::domain::{LineState, OrderId};
use crate::services::ordering::OrderView;
use crate::web::Desk;
use crate::web::admin::lookup;
use crate::web::error::WebError;
use crate::web::layout::document;
use crate::web::session::{ManagerSession, Visitor};

/// Sheets printed at once.
const SHEETS: usize = 50;

/// `GET /admin/orders/{number}/print`
pub async fn print(
    State(desk): State<Desk>,
    visitor: Visitor,
    _me: ManagerSession,
    Path(number): Path<String>,
) -> Result<Markup, WebError> {
    let view = lookup(&desk, &number).await?;
    let title = format!("Лист сборки №\u{a0}{}", view.order.number);
    let back = format!("/admin/orders/{}", view.order.number);
    Ok(sheets(&desk, &visitor, &title, &back, &[view]))
}

/// `GET /admin/orders/print`: those that the list's boxes name.
pub async fn print_many(
    State(desk): State<Desk>,
    visitor: Visitor,
    _me: ManagerSession,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Markup, WebError> {
    let ids = pairs.iter().filter(|(name, _)| name == "order");
    let ids: Vec<OrderId> = ids.filter_map(|(_, id)| id.parse().ok()).take(SHEETS).collect();
    let mut views = Vec::new();
    for id in ids {
        views.push(desk.ordering.order(id).await?);
    }
    if views.is_empty() {
        return Err(WebError::Invalid("Не выбран ни один заказ.".to_owned()));
    }
    Ok(sheets(&desk, &visitor, "Листы сборки", "/admin/orders", &views))
}

fn sheets(desk: &Desk, visitor: &Visitor, title: &str, back: &str, views: &[OrderView]) -> Markup {
    document(
        visitor,
        title,
        &visitor.company,
        &html! {
            body.paper {
                main #main {
                    div.paper-bar {
                        a.button href=(back) { "К заказам" }
                        button.button.primary type="button" data-print { "Печать" }
                    }
                    @if views.len() > 1 { h1.sr { (title) } }
                    @for view in views { (sheet(desk, view, views.len() == 1)) }
                }
            }
        },
    )
}

fn sheet(desk: &Desk, view: &OrderView, only: bool) -> Markup {
    let (order, base) = (&view.order, &desk.base);
    let now = base.clock.now();
    let today = base.zone.civil(now).date();
    let heading = html! { "Лист сборки №\u{a0}" (order.number) };
    html! {
        section.sheet-of-paper tabindex="0" aria-label="Лист сборки" {
            @if only { h1 { (heading) } } @else { h2.title { (heading) } }
            dl.facts {
                dt { "Клиент" } dd { (order.organization_name) ", " (order.author_name) @if let Some((phone, _)) = order.shown_phone() { ", " (phone) } }
                dt { "Доставка" } dd { (order.delivery.label(today)) @if !order.address.is_empty() { ", " (order.address) } }
                @if !order.comment.is_empty() { dt { "Комментарий" } dd { (order.comment) } }
                dt { "Менеджер" } dd { @if order.manager_name.is_empty() { "—" } @else { (order.manager_name) } }
            }
            table {
                caption.sr { "Что собрать по заказу " (order.number) }
                thead { tr { th scope="col" { "№" } th scope="col" { "Артикул" } th scope="col" { "Товар" } th.num scope="col" { "Собрать" } th.num scope="col" { "Остаток" } th scope="col" { "Собрано" } } }
                tbody {
                    @for line in &view.lines {
                        @let unit = if line.unit.is_empty() { &line.base_unit } else { &line.unit };
                        tr {
                            td { (line.position) }
                            td.nowrap { (line.sku) }
                            td { @if line.title.is_empty() { "«" (line.raw.trim()) "»" } @else { (line.title) } @if line.state != LineState::Ok { span.sub { "товар не подобран" } } }
                            td.num { @if let Some(quantity) = line.quantity { strong { (quantity.with_unit(unit)) } @if let Some(base) = line.base_quantity.filter(|_| !line.unit.is_empty() && line.unit != line.base_unit) { span.sub { (base.with_unit(&line.base_unit)) } } } @else { "—" } }
                            td.num { @if let Some(offer) = line.product.and_then(|id| view.offer(id)) { (offer.available.with_unit(offer.unit.as_str())) } }
                            td.tick-box { span {} }
                        }
                    }
                }
            }
            p.signs { "Сборка: ________________" span { "Проверка: ________________" } span { (base.zone.date_time(now, now)) } }
        }
    }
}
