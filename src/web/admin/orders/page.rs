//! The page of one order: its head here, its parts beside.

mod lines;
mod side;
mod timeline;

pub use lines::{to_add, to_pick};

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::{managers, reasons};
use crate::domain::{OrderStatus, PersonId, ProductId, Quantity, time};
use crate::services::directory::ClientSide;
use crate::services::ordering::OrderView;
use crate::services::questions::Writer;
use crate::storage::offers::Offer;
use crate::storage::orders::{OrderFilter, OrderRow};
use crate::storage::threads::{ThreadFilter, ThreadOrder, ThreadRow};
use crate::web::Desk;
use crate::web::admin::exchange::queue::order_card;
use crate::web::admin::{around, lookup};
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, csrf, page as framed, status_badge};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// Products that a search for a line brings.
pub const FOUND: usize = 8;

/// What of the timeline is shown.
#[derive(Debug, Default, Deserialize)]
pub struct OrderQuery {
    /// `messages`, `changes`; everything else is all.
    #[serde(default)]
    feed: String,
    /// The line that a product is looked for.
    #[serde(default)]
    line: String,
    /// The words of that product.
    #[serde(default)]
    find: String,
    /// The line that is being changed; `new`: one that is being added; `delivery`.
    #[serde(default)]
    edit: String,
}

/// `GET /admin/orders/{number}`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Path(number): Path<String>,
    Query(query): Query<OrderQuery>,
) -> Result<Markup, WebError> {
    let view = lookup(&desk, &number).await?;
    let found = if query.find.trim().is_empty() {
        Vec::new()
    } else {
        desk.ordering.search(&query.find, FOUND).await?
    };
    let others =
        OrderFilter { organization: Some(view.order.organization), ..OrderFilter::default() };
    let others = desk.ordering.orders(others, 0, 4).await?.orders;
    let organization = view.order.organization;
    let side = desk.directory().client_side(organization).await?;
    let products = view.lines.iter().filter_map(|line| line.product).collect();
    let stocks = desk.directory().stocks(products).await?;
    let open = ThreadFilter {
        open: Some(true),
        organization: Some(organization),
        ..ThreadFilter::default()
    };
    let asker = Writer::staff(me.staff.person);
    let threads = desk.questions().list(asker, open, ThreadOrder::LastFirst, (0, 5)).await?.rows;
    let managers = managers(&desk).await?;
    let around = around(&desk, &me).await?;
    let title = format!("№\u{a0}{}, {}", view.order.number, view.order.organization_name);
    let content = OrderPage {
        desk: &desk,
        visitor: &visitor,
        me: me.staff.person,
        onec: order_card(&desk, &visitor, &me, &view).await?,
        side: &side,
        stocks: &stocks,
        threads: &threads,
        managers: &managers,
        view: &view,
        others: &others,
        query: &query,
        found: &found,
    }
    .render();
    let page =
        Page { title: &title, section: Some(Section::Orders), class: "has-actions", content };
    Ok(framed(&visitor, &around, &page))
}

struct OrderPage<'a> {
    desk: &'a Desk,
    visitor: &'a Visitor,
    me: PersonId,
    /// The order's way to 1C.
    onec: Markup,
    side: &'a ClientSide,
    stocks: &'a HashMap<ProductId, Vec<(String, Quantity)>>,
    threads: &'a [ThreadRow],
    managers: &'a [(PersonId, String)],
    view: &'a OrderView,
    others: &'a [OrderRow],
    query: &'a OrderQuery,
    found: &'a [Offer],
}

impl OrderPage<'_> {
    fn render(&self) -> Markup {
        html! {
            (self.head())
            div.two {
                div {
                    (self.unsent())
                    (self.lines())
                    (self.timeline())
                }
                aside aria-label="О клиенте" { (self.side()) }
            }
        }
    }

    fn head(&self) -> Markup {
        let order = &self.view.order;
        let base = &self.desk.base;
        let now = base.clock.now();
        let today = base.zone.civil(now).date();
        html! {
            header.order-head #head data-live {
                div.line {
                    a.back href="/admin/orders" aria-label="К заказам" { (icon(Icon::Back)) }
                    h1 { "№\u{a0}" (order.number) }
                    (status_badge(order.status))
                    a.quiet.org href=(format!("/admin/orders?view=all&organization={}", order.organization)) { (order.organization_name) }
                    (self.actions())
                }
                div.meta {
                    span { "Создан " (base.zone.date_time(order.created_at, now)) ", " (time::ago(now.since(order.created_at))) (if now.since(order.created_at).as_secs() >= 60 { " назад" } else { "" }) }
                    span { "Доставка: " (order.delivery.label(today)) }
                    @if !order.manager_name.is_empty() { span { "В работе: " (order.manager_name) } }
                    @if let Some(number) = &order.onec_number { span { "В 1С: " (number) } }
                    @if !order.status_reason.is_empty() { span { "Причина: " (order.status_reason) } }
                }
                (self.goes_along())
                (self.undo())
            }
        }
    }

    /// What goes to the client together with the next status.
    fn goes_along(&self) -> Markup {
        let order = &self.view.order;
        html! {
            @if !self.view.unsent.is_empty() && !order.status.is_final() {
                p.along { "Вместе с новым статусом клиенту уйдут и " a href="#unsent" { "изменения заказа" } "." }
            }
        }
    }

    /// The last change, while it can be taken back.
    fn undo(&self) -> Markup {
        let now = self.desk.base.clock.now();
        let undo = self.view.undo.as_ref();
        let undo = undo.filter(|undo| undo.by == Some(self.me) && undo.until > now);
        html! {
            @if let Some(undo) = undo {
                form.undo method="post" action=(format!("/admin/orders/{}/undo", self.view.order.number)) data-swap data-done="Отменено"
                    data-expires=(undo.until.since(now).as_millis()) {
                    (csrf(self.visitor))
                    span { "Сохранено: " (undo.what) @if undo.tells { ". Изменения заказа уйдут клиенту вместе со статусом" } }
                    button.button.small type="submit" { "Отменить" }
                }
            }
        }
    }

    /// What the client has not been told, as they will read it, and the button that tells.
    fn unsent(&self) -> Markup {
        let order = &self.view.order;
        html! {
            div #unsent data-live {
                @if !self.view.unsent.is_empty() {
                    section.card.unsent aria-labelledby="unsent-title" {
                        header { h2 #unsent-title { "Клиент ещё не знает об изменениях" } }
                        div.body {
                            p.hint { "Так он их прочитает — по кнопке или вместе с новым статусом:" }
                            p.said { "Изменения в заявке:" @for line in &self.view.unsent { br; (line) } }
                            form method="post" action=(format!("/admin/orders/{}/edit", order.number)) data-swap data-done="Изменения отправлены" {
                                (csrf(self.visitor))
                                (self.token())
                                button.button.primary type="submit" name="act" value="send" { "Отправить клиенту изменения" }
                            }
                        }
                    }
                }
            }
        }
    }

    /// What a form was drawn over: a change made meanwhile is seen by it.
    fn token(&self) -> Markup {
        let seen = self.view.events.last().map_or(0, |event| event.id);
        html! {
            input type="hidden" name="version" value=(self.view.order.revision);
            input type="hidden" name="seen" value=(seen);
        }
    }

    fn actions(&self) -> Markup {
        let next = self.view.order.status.next();
        let plain: Vec<_> = next.iter().filter(|status| reasons(**status).is_none()).collect();
        let parting: Vec<_> = next.iter().filter(|status| reasons(**status).is_some()).collect();
        html! {
            @if next.is_empty() {
                div.buttons.right {
                    a.button href=(format!("/admin/orders/{}/print", self.view.order.number)) { "Лист сборки" }
                    a.button href=(format!("/admin/orders/new?repeat={}", self.view.order.number)) { "Повторить" }
                }
            } @else {
                div.actions {
                    div.buttons {
                        @for (index, status) in plain.iter().enumerate() {
                            (self.move_to(**status, index == 0))
                        }
                        details.menu data-menu {
                            summary.button aria-label="Другие действия" data-key="status" { (icon(Icon::More)) }
                            div.popover {
                                div.only-phone {
                                    @for status in plain.iter().skip(1) { (self.move_to_item(**status)) }
                                }
                                a.item href=(format!("/admin/orders/{}/print", self.view.order.number)) { "Лист сборки" }
                                a.item href=(format!("/admin/orders/new?repeat={}", self.view.order.number)) { "Повторить" }
                                @for status in &parting { (self.part(**status)) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn form(&self, status: OrderStatus, inside: &Markup) -> Markup {
        let order = &self.view.order;
        let along = !self.view.unsent.is_empty() && reasons(status).is_none();
        let along = if along {
            ". С ним клиенту уйдут изменения заказа"
        } else {
            ""
        };
        html! {
            form method="post" action=(format!("/admin/orders/{}/status", order.number)) data-swap
                data-done=(format!("Статус: {}{along}", status.staff_label())) {
                (csrf(self.visitor))
                input type="hidden" name="status" value=(status);
                (self.token())
                (inside)
            }
        }
    }

    fn move_to(&self, status: OrderStatus, primary: bool) -> Markup {
        let class = if primary { "button primary" } else { "button not-phone" };
        let key = (status == OrderStatus::Accepted).then_some("accept");
        self.form(
            status,
            &html! {
                button class=(class) type="submit" data-key=[key] { (status.verb()) }
            },
        )
    }

    fn move_to_item(&self, status: OrderStatus) -> Markup {
        self.form(status, &html! { button.item type="submit" { (status.verb()) } })
    }

    /// A parting that the client is told the reason of.
    fn part(&self, status: OrderStatus) -> Markup {
        let reasons = reasons(status).unwrap_or_default();
        let id = format!("reason-{status}");
        html! {
            details.part {
                summary.item.danger { (status.verb()) "…" }
                (self.form(status, &html! {
                    div.field {
                        label for=(id) { "Причина, её увидит клиент" }
                        input #(id) type="text" name="reason" list=(format!("{id}-list")) maxlength="200" required placeholder=(reasons[0]);
                        datalist id=(format!("{id}-list")) { @for reason in reasons { option value=(reason) {} } }
                    }
                    button.button.danger type="submit" { (status.verb()) " заказ" }
                }))
            }
        }
    }

    fn href(&self, query: &str) -> String {
        let number = self.view.order.number;
        if query.starts_with('#') {
            return format!("/admin/orders/{number}{query}");
        }
        format!("/admin/orders/{number}?{query}")
    }

    fn action(&self) -> String {
        format!("/admin/orders/{}/edit", self.view.order.number)
    }
}
