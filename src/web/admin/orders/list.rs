//! The list of orders: views, filters, sorting.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::address::{ListQuery, VIEWS, View};
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

/// Statuses that tabs count.
const OPEN: &[OrderStatus] = &[
    OrderStatus::Approval,
    OrderStatus::New,
    OrderStatus::NeedsClient,
    OrderStatus::Accepted,
    OrderStatus::Picking,
    OrderStatus::Ready,
];

/// `GET /admin/orders`
pub async fn list(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let mut query = ListQuery::of(pairs);
    // The number of an order leads to the order.
    if let Some(number) = OrderNumber::parse(query.get("q"))
        && desk.ordering.order_by_number(number).await.is_ok()
    {
        return Ok(Redirect::to(&format!("/admin/orders/{number}")).into_response());
    }
    if query == ListQuery::default() {
        query.set("view", "new");
    }
    let mut pager = Pager { page: query.page(), size: PAGE, total: 0 };
    let filter = query.filter(&desk, me.staff.person);
    let found = desk.ordering.orders(filter, pager.offset(), PAGE).await?;
    pager.total = found.total;
    let counts = desk.ordering.counts(OPEN).await?;
    let mut tabs = Vec::new();
    for view in &VIEWS {
        let count = if view.mine || view.today {
            let mut one = ListQuery::default();
            one.set("view", view.code);
            Some(desk.ordering.orders(one.filter(&desk, me.staff.person), 0, 0).await?.total)
        } else if view.statuses.is_empty() {
            None
        } else {
            let of = counts.iter().filter(|(status, _)| view.statuses.contains(status));
            Some(of.map(|(_, count)| count).sum())
        };
        tabs.push((view, count));
    }
    let managers = managers(&desk).await?;
    let list = List {
        desk: &desk,
        visitor: &visitor,
        query: &query,
        tabs,
        pager,
        found: &found,
        managers: &managers,
        admin: me.must_be_admin("").is_ok(),
    };
    let content = list.render();
    let around = around(&desk, &me).await?;
    let page = Page { title: "Заказы", section: Some(Section::Orders), class: "", content };
    Ok(framed(&visitor, &around, &page).into_response())
}

struct List<'a> {
    desk: &'a Desk,
    visitor: &'a Visitor,
    query: &'a ListQuery,
    tabs: Vec<(&'a View, Option<u32>)>,
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
                    details.menu data-menu {
                        summary.button.quiet { (icon(Icon::Download)) "Выгрузить" }
                        div.popover {
                            @for format in ["xlsx", "csv"] {
                                a.item href=(self.query.export(format)) { "Список в ." (format) }
                            }
                        }
                    }
                    a.button.primary href="/admin/orders/new" { (icon(Icon::Plus)) "Заявка за клиента" }
                }
            }
            nav.tabs #tabs data-live aria-label="Виды заказов" {
                @for (tab, count) in &self.tabs {
                    a href=(self.query.with(|q| { q.set("view", tab.code); q.set("status", ""); }))
                        aria-current=[(tab.code == view.code).then_some("page")] {
                        (tab.word)
                        @if let Some(count) = count { span.count { (ru::thousands(u64::from(*count))) } }
                    }
                }
            }
            @if let Ok(done) = self.query.get("done").parse::<u32>() {
                p.notice data-tone="ok" role="status" { "Обновлено " (ru::count(u64::from(done), FORMS)) }
            }
            (self.filters(view))
            (self.chips())
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
                @for key in ["organization", "sort"] {
                    @if !query.get(key).is_empty() { input type="hidden" name=(key) value=(query.get(key)); }
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

    /// Each filter that holds, with a way to drop it.
    fn chips(&self) -> Markup {
        let query = self.query;
        let manager = query.get("manager");
        let manager = self.managers.iter().find(|(id, _)| id.to_string() == manager);
        let organization = self.found.orders.first().map_or("", |order| &order.organization_name);
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
            (
                "Клиент",
                &["organization"],
                if query.get("organization").is_empty() {
                    String::new()
                } else {
                    organization.to_owned()
                },
            ),
            ("Статус", &["status"], statuses.join(", ")),
            ("Менеджер", &["manager"], manager.map(|(_, name)| name.clone()).unwrap_or_default()),
            ("Источник", &["source"], source.to_owned()),
            ("1С", &["onec"], onec.to_owned()),
            ("Создан", &["created_from", "created_to"], span("created_from", "created_to")),
            ("Доставка", &["delivery_from", "delivery_to"], span("delivery_from", "delivery_to")),
            ("Сумма", &["sum_from", "sum_to"], sums),
            ("Товар", &["product"], query.get("product").to_owned()),
        ];
        let chips: Vec<_> = chips.iter().filter(|(.., value)| !value.is_empty()).collect();
        html! {
            @if !chips.is_empty() {
                div.filters {
                    @for (word, keys, value) in chips {
                        a.chip href=(query.without(keys)) { (word) ": " (value) (small_icon(Icon::Cross)) span.sr { "убрать фильтр" } }
                    }
                }
            }
        }
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
        html! {
            div.table-wrap {
                table.cards-on-phone {
                    caption.sr { "Заказы" }
                    thead {
                        tr {
                            th.pick scope="col" { label.tick { input type="checkbox" data-pick-all; span.sr { "Выбрать всю страницу" } } }
                            th scope="col" { "№" }
                            (self.head("Создан", "", "oldest", ""))
                            (self.head("Организация", "organization", "organization", ""))
                            th.num scope="col" { "Позиции" }
                            (self.head("Сумма", "dearest", "cheapest", "num"))
                            (self.head("Доставка", "delivery", "delivery", ""))
                            th scope="col" { "Статус" }
                            th.roomy scope="col" { "Менеджер" }
                            th.roomy scope="col" { "1С" }
                            th.only-phone scope="col" { "Действие" }
                        }
                    }
                    tbody { @for order in &self.found.orders { (self.row(order)) } }
                    tfoot.not-phone {
                        tr {
                            td colspan="5" { "Всего по фильтру: " (ru::count(u64::from(self.found.total), FORMS)) }
                            td.num { (self.found.sum) }
                            td colspan="2" {}
                            td.roomy colspan="2" {}
                        }
                    }
                }
            }
        }
    }

    fn row(&self, order: &OrderRow) -> Markup {
        let base = &self.desk.base;
        let now = base.clock.now();
        let today = base.zone.civil(now).date();
        let accept = order.status == OrderStatus::New;
        html! {
            tr.link id=(format!("order-{}", order.number)) data-row {
                td.pick { label.tick { input type="checkbox" name="order" value=(order.id) form="bulk" data-pick; span.sr { "Выбрать № " (order.number) } } }
                td.p1 { a.main-link href=(format!("/admin/orders/{}", order.number)) { span.only-phone { "№\u{a0}" } (order.number) } }
                td.p4.muted title=(base.zone.date_time(order.created_at, now)) { (created(self.desk, order.created_at)) }
                td.p3 { span.org { (order.organization_name) } span.sub { (order.author_name) } }
                td.num.p5 { (lines(order)) }
                td.num.p6 { (order.total) }
                td.p8.nowrap { (order.delivery.label(today)) }
                td.p2 { (status_badge(order.status)) }
                td.p9.roomy { @if order.manager_name.is_empty() { span.muted { "—" } } @else { (order.manager_name) } }
                td.p10.roomy { (order_mark(self.desk, order)) }
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
