//! The list of orders: views, filters, sorting.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::address::{ListQuery, View};
use super::columns::{Column, chooser};
use super::views::{Controls, Tab, Wrong, tabs};
use super::{bulk, manager_options, managers};
use crate::domain::{Channel, OrderNumber, OrderStatus, PersonId, Timestamp, ru, time};
use crate::services::ordering::OrderPage;
use crate::storage::orders::OrderRow;
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::admin::exchange::queue::order_mark;
use crate::web::error::WebError;
use crate::web::layout::{Page, Pager, Section, csrf, page as framed, status_badge};
use crate::web::markup::{Icon, icon, marked, small_icon};
use crate::web::session::{ManagerSession, Visitor};

/// Orders on a page of the list.
const PAGE: u32 = 50;

const FORMS: [&str; 3] = ["заказ", "заказа", "заказов"];

/// `GET /admin/orders`
pub async fn list(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let query = ListQuery::of(pairs);
    // The number of an order leads to the order.
    if let Some(number) = OrderNumber::parse(query.get("q"))
        && desk.ordering.order_by_number(number).await.is_ok()
    {
        return Ok(Redirect::to(&format!("/admin/orders/{number}")).into_response());
    }
    Ok(draw(&desk, &visitor, &me, query, None).await?.into_response())
}

/// The page of a list, perhaps with what was wrong with a form on it.
pub async fn draw(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    mut query: ListQuery,
    wrong: Option<&Wrong>,
) -> Result<Markup, WebError> {
    let person = me.staff.person;
    let views = desk.views().list(person).await?;
    let open = query.saved().and_then(|id| views.iter().find(|view| view.id == id));
    match open {
        Some(view) if query.shown().next().is_none() => {
            query = ListQuery::parse(&view.query);
            query.set("saved", &view.id.to_string());
        }
        Some(_) => {}
        // It is gone, or not ours to see: its filters are in the address all the same.
        None => query.set("saved", ""),
    }
    if query == ListQuery::default() {
        query.set("view", "new");
    }
    let mut pager = Pager { page: query.page(), size: PAGE, total: 0 };
    let found = desk.ordering.orders(query.filter(desk, person), pager.offset(), PAGE).await?;
    pager.total = found.total;
    let managers = managers(desk).await?;
    let admin = me.must_be_admin("").is_ok();
    let list = List {
        desk,
        visitor,
        query: &query,
        tabs: tabs(desk, person, &query, &views).await?,
        controls: Controls { visitor, query: &query, open, me: person, admin, wrong },
        pager,
        found: &found,
        managers: &managers,
        admin,
    };
    let content = list.render();
    let around = around(desk, me).await?;
    let page = Page { title: "Заказы", section: Some(Section::Orders), class: "", content };
    Ok(framed(visitor, &around, &page))
}

struct List<'a> {
    desk: &'a Desk,
    visitor: &'a Visitor,
    query: &'a ListQuery,
    tabs: Vec<Tab>,
    controls: Controls<'a>,
    pager: Pager,
    found: &'a OrderPage,
    managers: &'a [(PersonId, String)],
    /// Whether the one who looks is an administrator.
    admin: bool,
}

impl List<'_> {
    fn render(&self) -> Markup {
        let view = self.query.view();
        html! {
            div.page-head {
                h1 { "Заказы" }
                div.buttons {
                    (chooser(self.query))
                    details.menu data-menu {
                        summary.button.quiet { (icon(Icon::Download)) span.word { "Выгрузить" } }
                        div.popover {
                            @for format in ["xlsx", "csv"] {
                                a.item href=(self.query.export(format)) { "Список в ." (format) }
                            }
                        }
                    }
                    a.button.primary href="/admin/orders/new" { (icon(Icon::Plus)) "Заявка за клиента" }
                }
            }
            nav.tabs.wrapping #tabs data-live aria-label="Виды заказов" { @for tab in &self.tabs { (tab.render()) } }
            @if let Some(done) = self.controls.done() { p.notice data-tone="ok" role="status" { (done) } }
            @if let Ok(done) = self.query.get("done").parse::<u32>() {
                p.notice data-tone="ok" role="status" { "Обновлено " (ru::count(u64::from(done), FORMS)) }
            }
            (self.filters(view))
            (self.under_filters())
            div.fresh-bar data-fresh hidden data-forms="новая заявка|новые заявки|новых заявок" {
                button.button type="button" { span data-fresh-words {} " — показать" }
            }
            div #list data-rows data-first=[(self.pager.page == 1).then_some("yes")] {
                @if self.found.orders.is_empty() { (self.empty(view)) } @else { (self.table()) }
                @if self.pager.total > 0 {
                    (self.pager.render(FORMS, |page| self.query.with(|q| q.set("page", &page.to_string()))))
                }
            }
            @if self.pager.total > 0 { (bulk::bar(self.visitor, self.query, self.pager, self.managers, self.admin)) }
        }
    }

    fn filters(&self, view: View) -> Markup {
        let query = self.query;
        let chosen = query.statuses();
        let more = [
            "source",
            "onec",
            "created_from",
            "created_to",
            "delivery_from",
            "delivery_to",
            "sum_from",
            "sum_to",
            "product",
        ];
        let more = more.iter().filter(|key| !query.get(key).is_empty()).count();
        let field = |name: &str, kind: &str, label: &str| {
            html! {
                div.field { label for=(format!("f-{name}")) { (label) } input id=(format!("f-{name}")) type=(kind) name=(name) value=(query.get(name)); }
            }
        };
        html! {
            form.filters action="/admin/orders" role="search" aria-label="Отбор заказов" data-filters {
                input type="hidden" name="view" value=(view.code);
                @for key in ["organization", "sort", "columns", "saved"] {
                    @for value in query.all(key) { input type="hidden" name=(key) value=(value); }
                }
                div.grow {
                    (icon(Icon::Search))
                    input type="search" name="q" value=(query.get("q")) aria-label="Номер, организация, автор или телефон"
                        placeholder="Номер, организация, автор или телефон";
                }
                @if view.statuses.len() != 1 {
                    details.menu data-menu {
                        summary.button { "Статус" @if !chosen.is_empty() { span.count { (chosen.len()) } } }
                        div.popover.choices.to-left {
                            @for status in OrderStatus::ALL.iter().filter(|s| view.statuses.is_empty() || view.statuses.contains(s)) {
                                label.item { input type="checkbox" name="status" value=(status) checked[chosen.contains(status)]; (status.staff_label()) }
                            }
                        }
                    }
                }
                @if !view.mine {
                    select name="manager" aria-label="Менеджер" {
                        option value="" { "Любой менеджер" }
                        option value="none" selected[query.get("manager") == "none"] { "Без менеджера" }
                        (manager_options(self.managers, query.get("manager").parse().ok().map(PersonId)))
                    }
                }
                label.check { input type="checkbox" name="unresolved" value="1" checked[query.get("unresolved") == "1"]; span { "Есть " (marked("👤")) " позиции" } }
                details.menu data-menu {
                    summary.button { "Ещё фильтры" @if more > 0 { span.count { (more) } } }
                    div.popover.more-filters {
                        (field("created_from", "date", "Создан с"))
                        (field("created_to", "date", "Создан по"))
                        (field("delivery_from", "date", "Доставка с"))
                        (field("delivery_to", "date", "Доставка по"))
                        (field("sum_from", "text", "Сумма от, ₽"))
                        (field("sum_to", "text", "Сумма до, ₽"))
                        div.field {
                            label for="f-source" { "Источник" }
                            select #f-source name="source" {
                                option value="" { "Любой" }
                                @for source in [Channel::Bot, Channel::Panel, Channel::Onec] {
                                    option value=(source) selected[query.get("source") == source.as_str()] { (source.label()) }
                                }
                            }
                        }
                        div.field {
                            label for="f-onec" { "1С" }
                            select #f-onec name="onec" {
                                @for (code, word) in [("", "Всё равно"), ("yes", "Получен 1С"), ("no", "Не получен 1С")] {
                                    option value=(code) selected[query.get("onec") == code] { (word) }
                                }
                            }
                        }
                        (field("product", "text", "Товар в заказе"))
                        button.button.primary type="submit" { "Применить" }
                    }
                }
                button.button type="submit" { "Найти" }
                @if query.is_filtered() {
                    a.button.quiet href=(query.unfiltered()) { "Сбросить фильтры" }
                }
            }
        }
    }

    /// Each filter that holds, with a way to drop it, and what keeps them as a view.
    fn under_filters(&self) -> Markup {
        let chips = self.chips();
        html! {
            @if !chips.is_empty() || self.controls.are_needed() {
                div.view-line {
                    @for (word, keys, value) in &chips {
                        a.chip href=(self.query.without(keys)) { (word) ": " (value) (small_icon(Icon::Cross)) span.sr { "убрать фильтр" } }
                    }
                    @if self.controls.are_needed() { (self.controls.render()) }
                }
            }
        }
    }

    /// Filters that hold: the word, the keys of the address, the value.
    fn chips(&self) -> Vec<(&'static str, &'static [&'static str], String)> {
        let query = self.query;
        let manager = query.get("manager");
        let manager = match self.managers.iter().find(|(id, _)| id.to_string() == manager) {
            Some((_, name)) => name.clone(),
            // A view may outlive a manager.
            None if manager.parse::<i64>().is_ok() => format!("№\u{a0}{manager}, уже не в списке"),
            None => String::new(),
        };
        let organization = query.get("organization");
        let organization = match self.found.orders.first() {
            Some(order) if !organization.is_empty() => order.organization_name.clone(),
            None if organization.parse::<i64>().is_ok() => format!("№\u{a0}{organization}"),
            _ => String::new(),
        };
        let span = |from: &str, to: &str| match (query.get(from), query.get(to)) {
            ("", "") => String::new(),
            (from, "") => format!("с {}", day(from)),
            ("", to) => format!("по {}", day(to)),
            (from, to) => format!("{}–{}", day(from), day(to)),
        };
        let sums = match (query.get("sum_from"), query.get("sum_to")) {
            ("", "") => String::new(),
            (from, "") => format!("от {from}\u{a0}₽"),
            ("", to) => format!("до {to}\u{a0}₽"),
            (from, to) => format!("{from}–{to}\u{a0}₽"),
        };
        let onec = match query.get("onec") {
            "yes" => "получен",
            "no" => "не получен",
            _ => "",
        };
        let source = query.get("source").parse::<Channel>().map_or("", Channel::label);
        let statuses: Vec<_> = query.statuses().iter().map(|s| s.staff_label()).collect();
        let chips: [(&str, &[&str], String); 9] = [
            ("Клиент", &["organization"], organization),
            ("Статус", &["status"], statuses.join(", ")),
            ("Менеджер", &["manager"], manager),
            ("Источник", &["source"], source.to_owned()),
            ("1С", &["onec"], onec.to_owned()),
            ("Создан", &["created_from", "created_to"], span("created_from", "created_to")),
            ("Доставка", &["delivery_from", "delivery_to"], span("delivery_from", "delivery_to")),
            ("Сумма", &["sum_from", "sum_to"], sums),
            ("Товар", &["product"], query.get("product").to_owned()),
        ];
        chips.into_iter().filter(|(.., value)| !value.is_empty()).collect()
    }

    fn empty(&self, view: View) -> Markup {
        if self.query.is_filtered() {
            return html! {
                div.empty {
                    (icon(Icon::Search))
                    p { "Ничего не найдено" }
                    a.button href=(self.query.unfiltered()) { "Сбросить фильтры" }
                }
            };
        }
        let sentence = match view.code {
            "new" => "Новых заявок нет. Как только клиент отправит список, он появится здесь.",
            "mine" => "У вас нет заказов в работе. Примите новый — он появится здесь.",
            "waiting" => "Никто из клиентов не должен вам ответа.",
            "picking" => "В работе ничего нет.",
            "ship" => "На сегодня отгружать нечего.",
            "approval" => "На согласовании у клиентов ничего нет.",
            _ => "Заказов пока нет. Первый придёт из бота или из чата в браузере.",
        };
        html! {
            div.empty {
                (icon(Icon::Orders))
                p { (sentence) }
                @if view.code != "all" {
                    a.button href="/admin/orders?view=all" { "Все заказы" }
                }
            }
        }
    }

    /// A head that sorts: by `first`, and by `second` when it is sorted so already.
    fn head(&self, word: &str, first: &str, second: &str, class: &str) -> Markup {
        let now = self.query.get("sort");
        let sorted = now == first || now == second;
        let next = if now == first { second } else { first };
        let up = matches!(now, "oldest" | "cheapest" | "delivery" | "organization");
        html! {
            th class=(class) scope="col" aria-sort=[sorted.then_some(if up { "ascending" } else { "descending" })] {
                a href=(self.query.with(|q| q.set("sort", next))) { (word) @if sorted { span aria-hidden="true" { (if up { "↑" } else { "↓" }) } } }
            }
        }
    }

    fn table(&self) -> Markup {
        let columns = self.query.columns();
        html! {
            div.table-wrap {
                table.cards-on-phone.chosen[self.query.has_own_columns()] {
                    caption.sr { "Заказы" }
                    thead {
                        tr {
                            th.pick scope="col" { label.tick { input type="checkbox" data-pick-all; span.sr { "Выбрать всю страницу" } } }
                            th scope="col" { "№" }
                            @for column in &columns { (self.column_head(*column)) }
                            th.only-phone scope="col" { "Действие" }
                        }
                    }
                    tbody { @for order in &self.found.orders { (self.row(order, &columns)) } }
                    tfoot.not-phone { (self.foot(&columns)) }
                }
            }
        }
    }

    fn column_head(&self, column: Column) -> Markup {
        let word = column.word();
        match column {
            Column::Created => self.head(word, "", "oldest", ""),
            Column::Organization => self.head(word, "organization", "organization", ""),
            Column::Sum => self.head(word, "dearest", "cheapest", "num"),
            Column::Delivery => self.head(word, "delivery", "delivery", ""),
            Column::Lines => html! { th.num scope="col" { (word) } },
            Column::Status => html! { th scope="col" { (word) } },
            Column::Manager | Column::Onec => html! { th.roomy scope="col" { (word) } },
        }
    }

    /// What the filter lets through, in all: its sum under the sums.
    fn foot(&self, columns: &[Column]) -> Markup {
        let words = html! { "Всего по фильтру: " (ru::count(u64::from(self.found.total), FORMS)) };
        let sum = columns.iter().position(|column| *column == Column::Sum);
        let (before, after) = columns.split_at(sum.unwrap_or(columns.len()));
        html! {
            tr {
                // The tick and the number stand before them.
                td colspan=(before.len() + 2) { (words) }
                @for column in after {
                    @match column {
                        Column::Sum => td.num { (self.found.sum) },
                        Column::Manager | Column::Onec => td.roomy {},
                        _ => td {},
                    }
                }
            }
        }
    }

    fn row(&self, order: &OrderRow, columns: &[Column]) -> Markup {
        let accept = order.status == OrderStatus::New;
        html! {
            tr.link id=(format!("order-{}", order.number)) data-row {
                td.pick { label.tick { input type="checkbox" name="order" value=(order.id) form="bulk" data-pick; span.sr { "Выбрать № " (order.number) } } }
                td.p1 { a.main-link href=(format!("/admin/orders/{}", order.number)) { span.only-phone { "№\u{a0}" } (order.number) } }
                @for column in columns { (self.cell(order, *column)) }
                @if accept {
                    td.only-phone.p11 {
                        form method="post" action=(format!("/admin/orders/{}/status", order.number)) data-swap data-done="Заявка принята" {
                            (csrf(self.visitor))
                            input type="hidden" name="status" value=(OrderStatus::Accepted);
                            input type="hidden" name="version" value=(order.revision);
                            button.button.small type="submit" { "Принять" span.sr { " заявку № " (order.number) } }
                        }
                    }
                }
            }
        }
    }

    fn cell(&self, order: &OrderRow, column: Column) -> Markup {
        let base = &self.desk.base;
        let label = column.word();
        match column {
            Column::Created => html! {
                td.p4.muted title=(base.zone.date_time(order.created_at, base.clock.now())) { (created(self.desk, order.created_at)) }
            },
            Column::Organization => html! {
                td.p3 { span.org { (order.organization_name) } span.sub { (order.author_name) } }
            },
            Column::Lines => html! { td.num.p5 data-label=(label) { (lines(order)) } },
            Column::Sum => html! { td.num.p6 { (order.total) } },
            Column::Delivery => {
                let today = base.zone.civil(base.clock.now()).date();
                html! { td.p8.nowrap data-label=(label) { (order.delivery.label(today)) } }
            }
            Column::Status => html! { td.p2 { (status_badge(order.status)) } },
            Column::Manager => html! {
                td.p9.roomy data-label=(label) { @if order.manager_name.is_empty() { span.muted { "—" } } @else { (order.manager_name) } }
            },
            Column::Onec => {
                html! { td.p10.roomy data-label=(label) { (order_mark(self.desk, order)) } }
            }
        }
    }
}

fn day(text: &str) -> String {
    text.parse::<jiff::civil::Date>()
        .map_or_else(|_| text.to_owned(), |date| date.strftime("%d.%m.%Y").to_string())
}

fn lines(order: &OrderRow) -> Markup {
    html! {
        (order.line_count)
        @if order.unresolved_count > 0 {
            " · " span.nowrap title="Позиции, которые подберёт менеджер" { (marked("👤")) "\u{a0}" (order.unresolved_count) }
        }
    }
}

/// «5 мин» within the day, the moment later.
fn created(desk: &Desk, at: Timestamp) -> String {
    let now = desk.base.clock.now();
    let passed = now.since(at);
    if passed.as_secs() < 24 * 3600 { time::ago(passed) } else { desk.base.zone.date_time(at, now) }
}
