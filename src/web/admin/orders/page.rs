//! The page of one order.

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::{manager_options, managers, reasons};
use crate::domain::{Delivery, LineState, OrderStatus, PersonId, ProductId, Quantity, ru, time};
use crate::services::directory::ClientSide;
use crate::services::ordering::OrderView;
use crate::services::questions::Writer;
use crate::storage::offers::Offer;
use crate::storage::orders::{OrderEventRow, OrderFilter, OrderLineRow, OrderRow};
use crate::storage::threads::{ThreadFilter, ThreadOrder, ThreadRow};
use crate::web::Desk;
use crate::web::admin::exchange::queue::order_card;
use crate::web::admin::{around, lookup};
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, Tone, badge, csrf, page as framed, status_badge};
use crate::web::markup::{Icon, icon, marked, small_icon};
use crate::web::session::{ManagerSession, Visitor};

/// Products that a search for a line brings.
pub const FOUND: usize = 8;

/// Lines whose candidates are shown at once; those after them are opened one by one.
const OPEN_AT_ONCE: usize = 12;

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
                (self.undo())
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
                    span { "Сохранено: " (undo.what) }
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
                            p.hint { "Так он их прочитает:" }
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
        html! {
            form method="post" action=(format!("/admin/orders/{}/status", order.number)) data-swap
                data-done=(format!("Статус: {}", status.staff_label())) {
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

    fn lines(&self) -> Markup {
        let view = self.view;
        let open = view.lines.iter().filter(|line| line.state != LineState::Ok);
        let done = view.lines.iter().filter(|line| line.state == LineState::Ok);
        html! {
            section.card #lines data-live aria-labelledby="lines-title" {
                header {
                    h2 #lines-title { "Позиции" }
                    @let unresolved = view.lines.iter().filter(|line| line.state != LineState::Ok).count();
                    @if unresolved > 0 { (badge(Tone::Warn, format!("подобрать: {unresolved}"))) }
                    span.count { (ru::positions(view.lines.len())) }
                    @if !view.order.status.is_final() && self.query.edit != "new" {
                        a.button.small data-part href=(self.href("edit=new#add")) { (small_icon(Icon::Plus)) "Добавить" }
                    }
                }
                (self.adding())
                table.lines.cards-on-phone {
                    caption.sr { "Позиции заказа" }
                    thead {
                        tr {
                            th scope="col" { "№" }
                            th scope="col" { "Товар и слова клиента" }
                            th.num scope="col" { "Количество" }
                            th.num scope="col" { "Цена" }
                            th.num scope="col" { "Сумма" }
                            th.num.wide scope="col" { "Остаток" }
                        }
                    }
                    tbody {
                        @for (index, line) in open.chain(done).enumerate() {
                            (self.line(line, index < OPEN_AT_ONCE))
                            @if self.query.edit == line.id.to_string() && !view.order.status.is_final() { (self.editor(line)) }
                        }
                    }
                    tfoot {
                        tr {
                            td colspan="4" { "Итого" @if view.lines.iter().any(|l| l.sum.is_none()) { span.muted { " без позиций без цены" } } }
                            td.num { (view.order.total) }
                            td.wide {}
                        }
                    }
                }
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

    /// The form of a new line.
    fn adding(&self) -> Markup {
        let adding = self.query.edit == "new" && !self.view.order.status.is_final();
        html! {
            @if adding {
                div.body.editor #add {
                    form.other action=(self.href("")) role="search" aria-label="Товар для новой позиции" {
                        input type="hidden" name="edit" value="new";
                        input type="search" name="find" required placeholder="Найти товар" value=(self.query.find) aria-label="Найти товар для новой позиции" data-find=(format!("/admin/orders/{}/options/new", self.view.order.number));
                        button.button.small type="submit" { "Найти" }
                        a.button.small.quiet data-part href=(self.href("#lines")) { "Закрыть" }
                    }
                    (self.found_to_add())
                }
            }
        }
    }

    fn found_to_add(&self) -> Markup {
        html! { div data-options { (to_add(self.visitor, self.view, self.found)) } }
    }

    /// What can be done with a line.
    fn editor(&self, line: &OrderLineRow) -> Markup {
        let id = line.id;
        let unit = if line.unit.is_empty() { &line.base_unit } else { &line.unit };
        let quantity = line.quantity.map(|q| q.to_string()).unwrap_or_default();
        let offer = line.product.and_then(|product| self.view.offer(product));
        let form = |act: &str, inside: &Markup| {
            html! {
                form.in-row method="post" action=(self.action()) data-swap data-done="Сохранено" {
                    (csrf(self.visitor))
                    (self.token())
                    input type="hidden" name="line" value=(id);
                    input type="hidden" name="act" value=(act);
                    (inside)
                }
            }
        };
        html! {
            tr.editing {
                td.p0 {}
                td colspan="5" {
                    div.editor {
                        (form("quantity", &html! {
                            label for=(format!("quantity-{id}")) { "Количество" }
                            input.short-field id=(format!("quantity-{id}")) type="text" name="quantity" value=(quantity) required inputmode="decimal" autocomplete="off";
                            select name="unit" aria-label="Единица" {
                                @for known in units(offer, unit) { option value=(known) selected[&known == unit] { (known) } }
                            }
                            button.button.small.primary type="submit" { "Сохранить" }
                        }))
                        @if line.quantity.is_some() {
                            (form("split", &html! {
                                label for=(format!("split-{id}")) { "Отделить" }
                                input.short-field id=(format!("split-{id}")) type="text" name="quantity" required inputmode="decimal" autocomplete="off";
                                button.button.small type="submit" { "Разделить" }
                            }))
                        }
                        @if self.view.lines.len() > 1 {
                            (form("remove", &html! { button.button.small.danger type="submit" { "Убрать позицию" } }))
                        }
                        a.button.small.quiet data-part href=(self.href(&format!("#line-{id}"))) { "Закрыть" }
                    }
                    @if line.state == LineState::Ok { (self.candidates(line)) }
                }
            }
        }
    }

    fn line(&self, line: &OrderLineRow, at_once: bool) -> Markup {
        let open = line.state != LineState::Ok;
        let editing = self.query.edit == line.id.to_string();
        let editable = !self.view.order.status.is_final();
        let offer = line.product.and_then(|product| self.view.offer(product));
        let quantity = line.quantity.map(|quantity| {
            let unit = if line.unit.is_empty() { &line.base_unit } else { &line.unit };
            quantity.with_unit(unit)
        });
        let base =
            line.base_quantity.filter(|_| !line.unit.is_empty() && line.unit != line.base_unit);
        html! {
            tr data-open[open] id=(format!("line-{}", line.id)) {
                td.pos.p0 { (line.position) }
                td.p1 {
                    @if line.title.is_empty() {
                        strong { (marked(line.state.mark())) " «" (line.raw) "»" }
                        span.words { (state_words(line.state)) }
                    } @else {
                        @if open { (marked(line.state.mark())) " " }
                        (line.title)
                        @if !line.sku.is_empty() { span.sub { "арт.\u{a0}" (line.sku) } }
                        @if line.raw.trim() != line.title { span.words { q { (line.raw.trim()) } } }
                    }
                    @if open && editable && (at_once || editing) { (self.candidates(line)) }
                }
                td.num.p2 {
                    (quantity.unwrap_or_else(|| "—".to_owned()))
                    @if let Some(base) = base { span.sub { (base.with_unit(&line.base_unit)) } }
                    @if editable && !editing {
                        a.edit data-part href=(self.href(&format!("edit={}#line-{}", line.id, line.id))) aria-label=(format!("Изменить позицию {}", line.position)) { (small_icon(Icon::Edit)) }
                    }
                }
                td.num.p4 { @if let Some(price) = line.price { (price) } @else { span.muted { "—" } } }
                td.num.p3 { @if let Some(sum) = line.sum { (sum) } @else { span.muted { "—" } } }
                td.num.wide.p5 { (stock(offer, line, self.stocks)) }
            }
        }
    }

    /// Products to choose from for a line: those recognition thought of, and those looked for.
    fn candidates(&self, line: &OrderLineRow) -> Markup {
        let order = &self.view.order;
        let looked = self.query.line == line.id.to_string();
        let found: &[Offer] = if looked { self.found } else { &[] };
        html! {
            div data-options { (to_pick(self.visitor, self.view, line, found)) }
            form.other action=(format!("/admin/orders/{}#line-{}", order.number, line.id)) role="search" aria-label=(format!("Товар для позиции {}", line.position)) {
                input type="hidden" name="line" value=(line.id);
                input type="hidden" name="edit" value=(line.id);
                input type="search" name="find" required placeholder="Найти товар" value=(if looked { self.query.find.as_str() } else { "" })
                    aria-label=(format!("Найти товар для позиции {}", line.position)) data-find=(format!("/admin/orders/{}/options/{}", order.number, line.id));
                button.button.small type="submit" { "Найти" }
            }
            @if looked && self.found.is_empty() { p.words { "Ничего не найдено, измените слова." } }
        }
    }

    fn side(&self) -> Markup {
        let order = &self.view.order;
        let base = &self.desk.base;
        let now = base.clock.now();
        let today = base.zone.civil(now).date();
        let others = self.others.iter().filter(|other| other.number != order.number).take(3);
        html! {
            section.card aria-labelledby="client-title" {
                header { h2 #client-title { "Клиент" } a.count href=(format!("/admin/clients/{}", order.organization)) { "Карточка" } }
                div.body {
                    dl.facts {
                        dt { "Организация" } dd { (order.organization_name) }
                        dt { "Автор" } dd { (order.author_name) }
                        @if let Some(phone) = &order.author_phone {
                            dt { "Телефон" } dd { a href=(format!("tel:{phone}")) { (phone) } }
                        }
                        @if !order.comment.is_empty() { dt { "Комментарий" } dd { (order.comment) } }
                        dt { "Источник" } dd { (order.source.label()) }
                        @if let Some(balance) = &self.side.balance {
                            @if let Some(debt) = balance.debt { dt { "Долг" } dd { (debt) } }
                            @if let Some(overdue) = balance.overdue.filter(|sum| sum.kopecks() > 0) { dt { "Просрочено" } dd { (badge(Tone::Danger, overdue.to_string())) } }
                            @if let Some(limit) = balance.limit { dt { "Лимит" } dd { (limit) } }
                            @if !balance.terms.is_empty() { dt { "Условия" } dd { (balance.terms) } }
                            @if let Some(at) = balance.as_of { dt { "Расчёты на" } dd { (base.zone.date_time(at, now)) } }
                        } @else { dt { "Долг" } dd.muted { "из 1С не приходил" } }
                    }
                }
            }
            (self.delivery(today))
            (self.manager())
            @if !self.threads.is_empty() {
                section.card aria-labelledby="threads-title" {
                    header { h2 #threads-title { "Открытые вопросы" } span.count { (self.threads.len()) } }
                    ul.rows {
                        @for thread in self.threads {
                            li { div.grow { a href=(format!("/admin/questions/{}", thread.id)) { (thread.subject) } span.sub { (time::ago(now.since(thread.last_at))) @if !thread.last_from_staff { " · ждёт ответа" } } } }
                        }
                    }
                }
            }
            (self.onec)
            @if self.others.len() > 1 {
                section.card aria-labelledby="others-title" {
                    header { h2 #others-title { "Другие заказы клиента" } }
                    ul.rows {
                        @for other in others {
                            li {
                                div.grow {
                                    a href=(format!("/admin/orders/{}", other.number)) { "№\u{a0}" (other.number) }
                                    span.sub { (base.zone.date(other.created_at, now)) " · " (other.total) }
                                }
                                (status_badge(other.status))
                            }
                        }
                    }
                }
            }
        }
    }

    fn delivery(&self, today: jiff::civil::Date) -> Markup {
        let order = &self.view.order;
        let date =
            if let Delivery::On(date) = order.delivery { date.to_string() } else { String::new() };
        let kind = match order.delivery {
            Delivery::Any => "any",
            Delivery::On(_) => "date",
            Delivery::Pickup => "pickup",
        };
        let others = self.side.addresses.iter().filter(|address| **address != order.address);
        html! {
            section.card #delivery data-live aria-labelledby="delivery-title" {
                header {
                    h2 #delivery-title { "Доставка" }
                    @if !order.status.is_final() && self.query.edit != "delivery" {
                        a.count data-part href=(self.href("edit=delivery#delivery")) { "Изменить" }
                    }
                }
                div.body {
                    @if self.query.edit == "delivery" && !order.status.is_final() {
                        form.stack.tight method="post" action=(self.action()) data-swap data-done="Сохранено" {
                            (csrf(self.visitor))
                            (self.token())
                            input type="hidden" name="act" value="delivery";
                            div.field {
                                label for="delivery-kind" { "Когда" }
                                select #delivery-kind name="delivery" {
                                    @for (code, word) in [("any", "дата не важна"), ("date", "в указанный день"), ("pickup", "самовывоз")] {
                                        option value=(code) selected[code == kind] { (word) }
                                    }
                                }
                            }
                            div.field { label for="delivery-date" { "День" } input #delivery-date type="date" name="date" value=(date); }
                            div.field {
                                label for="delivery-address" { "Адрес" }
                                input #delivery-address type="text" name="address" value=(order.address) maxlength="300" list="addresses";
                                datalist #addresses { @for address in &self.side.addresses { option value=(address) {} } }
                            }
                            div.buttons {
                                button.button.primary type="submit" { "Сохранить" }
                                a.button.quiet data-part href=(self.href("#delivery")) { "Закрыть" }
                            }
                        }
                    } @else {
                        p { (order.delivery.label(today)) }
                        p { @if order.address.is_empty() { span.muted { "Адрес не указан" } } @else { (order.address) } }
                        @if others.clone().next().is_some() {
                            details.why { summary { "Другие адреса клиента" } ul.plain-list { @for address in others { li { (address) } } } }
                        }
                    }
                }
            }
        }
    }

    fn manager(&self) -> Markup {
        let order = &self.view.order;
        html! {
            section.card #manager data-live aria-labelledby="manager-title" {
                header { h2 #manager-title { "Менеджер" } }
                form.body.in-row.start method="post" action=(self.action()) data-swap data-done="Сохранено" {
                    (csrf(self.visitor))
                    (self.token())
                    input type="hidden" name="act" value="manager";
                    select name="manager" aria-label="Менеджер заказа" {
                        option value="" { "никто" }
                        (manager_options(self.managers, order.manager))
                    }
                    button.button.small type="submit" { "Назначить" }
                }
            }
        }
    }

    fn timeline(&self) -> Markup {
        let order = &self.view.order;
        let shown = |event: &&OrderEventRow| match self.query.feed.as_str() {
            "messages" => matches!(event.kind.as_str(), "message" | "note"),
            "changes" => !matches!(event.kind.as_str(), "message" | "note"),
            _ => true,
        };
        let tabs = [("", "Все"), ("messages", "Сообщения"), ("changes", "Изменения")];
        html! {
            section.card aria-labelledby="feed-title" {
                header {
                    h2 #feed-title { "Лента" }
                    nav.feed-tabs aria-label="Что показать в ленте" {
                        @for (code, word) in tabs {
                            a href=(if code.is_empty() { format!("/admin/orders/{}", order.number) } else { format!("/admin/orders/{}?feed={code}", order.number) })
                                aria-current=[(code == self.query.feed).then_some("page")] { (word) }
                        }
                    }
                }
                ol.timeline #feed data-live aria-live="polite" {
                    @for event in self.view.events.iter().filter(shown) { (self.event(event)) }
                }
                form.composer method="post" action=(format!("/admin/orders/{}/messages", order.number)) data-swap="clear" data-done="Сохранено" {
                    (csrf(self.visitor))
                    fieldset.kinds {
                        legend.sr { "Кому" }
                        label { input type="radio" name="kind" value="client" checked; "Клиенту" }
                        label { input type="radio" name="kind" value="note"; "Заметка" }
                    }
                    label.sr for="composer" { "Текст" }
                    textarea #composer name="text" required maxlength="4000" rows="3" data-key="reply"
                        placeholder="Сообщение клиенту или заметка для своих" {}
                    div.foot {
                        span.hint { "Заметку клиент не увидит. " kbd { "Ctrl" } " " kbd { "Enter" } " — сохранить" }
                        button.button type="submit" { "Отправить" }
                    }
                }
            }
        }
    }

    fn event(&self, event: &OrderEventRow) -> Markup {
        let base = &self.desk.base;
        let now = base.clock.now();
        let picture = match event.kind.as_str() {
            "created" => Icon::Plus,
            "status" => Icon::Check,
            "message" => Icon::Send,
            "note" => Icon::Note,
            "delivery" => Icon::Truck,
            "onec" => Icon::Exchange,
            _ => Icon::Edit,
        };
        let said = matches!(event.kind.as_str(), "message" | "note");
        let kind = match event.kind.as_str() {
            "note" => " · заметка",
            "message" if event.to_client => " · клиенту",
            "message" => " · от клиента",
            _ => "",
        };
        html! {
            li data-kind=(event.kind) data-to-client[event.to_client] {
                span.pip { (small_icon(picture)) }
                div {
                    @if said { p.said { (event.text) } } @else { p.what { (event.text) } }
                    p.who {
                        @if event.person_name.is_empty() { "Программа" } @else { (event.person_name) }
                        " · " (event.channel.label()) (kind)
                    }
                }
                time datetime=(base.zone.rfc3339(event.at)) { (base.zone.date_time(event.at, now)) }
            }
        }
    }
}

fn state_words(state: LineState) -> &'static str {
    match state {
        LineState::Ok => "",
        LineState::Ask => "несколько похожих товаров",
        LineState::None => "в каталоге не нашлось",
        LineState::Manager => "подберёт менеджер",
        LineState::Gone => "снят с продажи",
    }
}

/// Units that a line can be counted in: the product's, and the one it is counted in now.
fn units(offer: Option<&Offer>, present: &str) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    if let Some(offer) = offer {
        units.push(offer.unit.as_str().to_owned());
        units.extend(offer.packs.iter().map(|(unit, _)| unit.as_str().to_owned()));
    } else {
        units.extend(["шт", "уп", "кор", "рул", "м", "кг"].map(str::to_owned));
    }
    if !present.is_empty() && !units.iter().any(|unit| unit == present) {
        units.push(present.to_owned());
    }
    units
}

/// Buttons with products for a line: those found, else those recognition thought of.
pub fn to_pick(
    visitor: &Visitor,
    view: &OrderView,
    line: &OrderLineRow,
    found: &[Offer],
) -> Markup {
    let order = &view.order;
    let thought = line.candidates.iter().filter(|id| Some(**id) != line.product);
    let thought = thought.filter_map(|id| view.offer(*id)).take(6);
    let offers: Vec<&Offer> =
        if found.is_empty() { thought.collect() } else { found.iter().collect() };
    let seen = view.events.last().map_or(0, |event| event.id);
    html! {
        @if !offers.is_empty() {
            form.candidates method="post" action=(format!("/admin/orders/{}/lines/{}", order.number, line.id)) data-swap data-done="Товар подобран" {
                (csrf(visitor))
                input type="hidden" name="version" value=(order.revision);
                input type="hidden" name="seen" value=(seen);
                @for offer in offers {
                    div.candidate {
                        button type="submit" name="product" value=(offer.id) data-option {
                            span { (offer.title) span.sub { @if !offer.sku.is_empty() { "арт.\u{a0}" (offer.sku) " · " } "ост.\u{a0}" (offer.available.with_unit(offer.unit.as_str())) } }
                            @if let Some(price) = offer.price { span.price { (price) } }
                        }
                        button.propose type="submit" name="propose" value=(offer.id) title="Спросить клиента, подойдёт ли" { "Предложить" span.sr { ": " (offer.title) } }
                    }
                }
                label.check { input type="checkbox" name="remember" value="1" checked; "Запомнить для клиента" }
            }
        }
    }
}

/// Products that can be added as a new line.
pub fn to_add(visitor: &Visitor, view: &OrderView, found: &[Offer]) -> Markup {
    let order = &view.order;
    let seen = view.events.last().map_or(0, |event| event.id);
    html! {
        @if !found.is_empty() {
            form.candidates method="post" action=(format!("/admin/orders/{}/edit", order.number)) data-swap data-done="Позиция добавлена" {
                (csrf(visitor))
                input type="hidden" name="version" value=(order.revision);
                input type="hidden" name="seen" value=(seen);
                input type="hidden" name="act" value="add";
                div.in-row.start {
                    label for="add-quantity" { "Количество" }
                    input.short-field #add-quantity type="text" name="quantity" required value="1" inputmode="decimal" autocomplete="off";
                    span.hint { "затем товар; можно с единицей: «3 кор»" }
                }
                @for offer in found {
                    button type="submit" name="product" value=(offer.id) data-option {
                        span { (offer.title) span.sub { @if !offer.sku.is_empty() { "арт.\u{a0}" (offer.sku) " · " } "ост.\u{a0}" (offer.available.with_unit(offer.unit.as_str())) } }
                        @if let Some(price) = offer.price { span.price { (price) } }
                    }
                }
            }
        }
    }
}

fn stock(
    offer: Option<&Offer>,
    line: &OrderLineRow,
    stocks: &HashMap<ProductId, Vec<(String, Quantity)>>,
) -> Markup {
    let Some(offer) = offer else { return html! { span.muted { "—" } } };
    let short = line.base_quantity.is_some_and(|wanted| wanted > offer.available);
    let by_warehouse = stocks.get(&offer.id).filter(|rows| rows.len() > 1);
    html! {
        (offer.available.with_unit(offer.unit.as_str()))
        @if short { span.sub.short { "не хватает" } }
        @for (warehouse, quantity) in by_warehouse.into_iter().flatten() { span.sub { (warehouse) ": " (quantity) } }
    }
}
