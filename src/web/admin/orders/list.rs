//! The list of orders: views, filters, sorting, and changes of many at once.

use axum::Form;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::{manager_options, managers, reasons};
use crate::domain::{
    Channel, Delivery, Money, OrderId, OrderNumber, OrderStatus, OrganizationId, PersonId,
    Timestamp, ru, time,
};
use crate::services::ordering::{Bulk, BulkOutcome, OrderPage};
use crate::storage::orders::{OrderFilter, OrderRow, OrderSort};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::admin::exchange::queue::order_mark;
use crate::web::error::{WebError, encode};
use crate::web::layout::{Page, Pager, Section, csrf, page as framed, status_badge};
use crate::web::markup::{Icon, icon, marked, small_icon};
use crate::web::session::{ManagerSession, Visitor};

/// Orders on a page of the list.
const PAGE: u32 = 50;

/// Orders changed at once.
const BULK_MAX: u32 = 1_000;

const FORMS: [&str; 3] = ["заказ", "заказа", "заказов"];

/// The address of a list: everything that it shows. Statuses may be named several times, every
/// other key once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    pairs: Vec<(String, String)>,
}

/// Keys of an address, in the order in which it is written.
const KEYS: [&str; 18] = [
    "view",
    "q",
    "status",
    "organization",
    "manager",
    "source",
    "onec",
    "unresolved",
    "created_from",
    "created_to",
    "delivery_from",
    "delivery_to",
    "sum_from",
    "sum_to",
    "product",
    "sort",
    "done",
    "page",
];

/// Keys that let orders through or not, beside the view.
const FILTERS: [&str; 13] = [
    "q",
    "status",
    "organization",
    "manager",
    "source",
    "onec",
    "unresolved",
    "created_from",
    "created_to",
    "delivery_from",
    "delivery_to",
    "sum_from",
    "sum_to",
];

/// A tab of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct View {
    code: &'static str,
    word: &'static str,
    statuses: &'static [OrderStatus],
    mine: bool,
    today: bool,
}

const IN_WORK: &[OrderStatus] = &[OrderStatus::Accepted, OrderStatus::Picking, OrderStatus::Ready];

const VIEWS: [View; 7] = [
    View {
        code: "new", word: "Новые", statuses: &[OrderStatus::New], mine: false, today: false
    },
    View {
        code: "mine",
        word: "Мои",
        statuses: &[
            OrderStatus::NeedsClient,
            OrderStatus::Accepted,
            OrderStatus::Picking,
            OrderStatus::Ready,
        ],
        mine: true,
        today: false,
    },
    View {
        code: "waiting",
        word: "Ждут клиента",
        statuses: &[OrderStatus::NeedsClient],
        mine: false,
        today: false,
    },
    View { code: "picking", word: "В работе", statuses: IN_WORK, mine: false, today: false },
    View {
        code: "ship", word: "Сегодня к отгрузке", statuses: IN_WORK, mine: false, today: true
    },
    View {
        code: "approval",
        word: "На согласовании",
        statuses: &[OrderStatus::Approval],
        mine: false,
        today: false,
    },
    View { code: "all", word: "Все", statuses: &[], mine: false, today: false },
];

/// Sortings: the code, and what a second click leads to.
const SORTS: [(&str, OrderSort); 6] = [
    ("", OrderSort::Newest),
    ("oldest", OrderSort::Oldest),
    ("dearest", OrderSort::Dearest),
    ("cheapest", OrderSort::Cheapest),
    ("delivery", OrderSort::Delivery),
    ("organization", OrderSort::Organization),
];

impl ListQuery {
    /// From an address's pairs; those that mean nothing here are dropped.
    pub fn of(pairs: Vec<(String, String)>) -> Self {
        let known = |(key, value): &(String, String)| {
            KEYS.contains(&key.as_str()) && !value.trim().is_empty()
        };
        Self { pairs: pairs.into_iter().filter(known).collect() }
    }

    fn get(&self, key: &str) -> &str {
        let found = self.pairs.iter().find(|(known, _)| known == key);
        found.map_or("", |(_, value)| value.trim())
    }

    fn set(&mut self, key: &str, value: &str) {
        self.pairs.retain(|(known, _)| known != key);
        if !value.is_empty() {
            self.pairs.push((key.to_owned(), value.to_owned()));
        }
    }

    fn view(&self) -> View {
        let found = VIEWS.iter().find(|view| view.code == self.get("view"));
        // A search looks everywhere.
        *found.unwrap_or(&VIEWS[VIEWS.len() - 1])
    }

    fn statuses(&self) -> Vec<OrderStatus> {
        let given = self.pairs.iter().filter(|(key, _)| key == "status");
        given.filter_map(|(_, value)| value.parse().ok()).collect()
    }

    fn page(&self) -> u32 {
        self.get("page").parse().unwrap_or(1).max(1)
    }

    /// What the address lets through.
    pub fn filter(&self, desk: &Desk, me: PersonId) -> OrderFilter {
        let view = self.view();
        let mut statuses = self.statuses();
        statuses.retain(|status| view.statuses.is_empty() || view.statuses.contains(status));
        if statuses.is_empty() {
            statuses = view.statuses.to_vec();
        }
        let zone = &desk.base.zone;
        let day = |key: &str| self.get(key).parse::<jiff::civil::Date>().ok();
        let midnight =
            |date: jiff::civil::Date| zone.moment(date.to_datetime(jiff::civil::Time::midnight()));
        let today = zone.civil(desk.base.clock.now()).date();
        let manager = self.get("manager");
        OrderFilter {
            statuses,
            organization: self.get("organization").parse().ok().map(OrganizationId),
            manager: view.mine.then_some(me).or_else(|| manager.parse().ok().map(PersonId)),
            unassigned: manager == "none" && !view.mine,
            query: self.get("q").to_owned(),
            unresolved: self.get("unresolved") == "1",
            source: self.get("source").parse::<Channel>().ok(),
            created_from: day("created_from").and_then(midnight),
            created_before: day("created_to").and_then(|d| d.tomorrow().ok()).and_then(midnight),
            delivery_from: day("delivery_from"),
            delivery_to: if view.today { Some(today) } else { day("delivery_to") },
            total_from: roubles(self.get("sum_from")),
            total_to: roubles(self.get("sum_to")),
            acknowledged: match self.get("onec") {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            product: self.get("product").to_owned(),
            sort: SORTS
                .iter()
                .find(|(code, _)| *code == self.get("sort"))
                .map_or(OrderSort::Newest, |(_, sort)| *sort),
            author: None,
        }
    }

    /// The query of this list, without the question mark.
    fn query(&self) -> String {
        let mut parts = Vec::new();
        for key in KEYS {
            for (_, value) in self.pairs.iter().filter(|(known, _)| known == key) {
                if (key, value.as_str()) != ("page", "1") {
                    parts.push(format!("{key}={}", encode(value.trim())));
                }
            }
        }
        parts.join("&")
    }

    /// The address of this list.
    fn href(&self) -> String {
        let query = self.query();
        if query.is_empty() { "/admin/orders".to_owned() } else { format!("/admin/orders?{query}") }
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut other = self.clone();
        other.set("page", "");
        other.set("done", "");
        change(&mut other);
        other.href()
    }

    fn without(&self, keys: &[&str]) -> String {
        self.with(|query| {
            for key in keys {
                query.set(key, "");
            }
        })
    }

    fn export(&self, format: &str) -> String {
        let list = self.with(|_| {});
        let query = list.split_once('?').map_or("", |(_, query)| query);
        format!("/admin/orders/export/{format}?{query}")
    }

    fn is_filtered(&self) -> bool {
        FILTERS.iter().chain(&["product"]).any(|key| !self.get(key).is_empty())
    }

    fn unfiltered(&self) -> String {
        let mut keys = FILTERS.to_vec();
        keys.push("product");
        self.without(&keys)
    }
}

/// A sum as people type it: «10 000», «1 250,50».
fn roubles(text: &str) -> Option<Money> {
    crate::formats::text::Decimal::parse(text).ok()?.money().ok()
}

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
    let counts = desk.ordering.counts().await?;
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
            @if self.pager.total > 0 { (self.bulk()) }
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

    /// What is done with the chosen rows. The bar comes up once one is chosen.
    fn bulk(&self) -> Markup {
        let statuses = OrderStatus::ALL.iter().filter(|status| {
            reasons(**status).is_none()
                && !matches!(status, OrderStatus::Approval | OrderStatus::New)
        });
        html! {
            form.bulk-bar #bulk method="post" action="/admin/orders/bulk" aria-label="Действия с выбранными" {
                (csrf(self.visitor))
                input type="hidden" name="back" value=(self.query.with(|_| {}));
                span.bulk-count data-pick-count { "Выбранные заказы" }
                @if self.pager.pages() > 1 {
                    label.check { input type="checkbox" name="all" value="1" data-pick; "все " (ru::thousands(u64::from(self.pager.total))) " по фильтру" }
                }
                span.in-row {
                    select name="status" aria-label="Новый статус" { @for status in statuses { option value=(status) { (status.staff_label()) } } }
                    button.button.small type="submit" name="act" value="status" { "Сменить статус" }
                }
                span.in-row {
                    select name="manager" aria-label="Кому назначить" { option value="" { "никому" } (manager_options(self.managers, None)) }
                    button.button.small type="submit" name="act" value="manager" { "Назначить" }
                }
                span.in-row {
                    input type="date" name="date" aria-label="Дата доставки";
                    button.button.small type="submit" name="act" value="date" { "Дата" }
                }
                button.button.small type="submit" formmethod="get" formaction="/admin/orders/print" formnovalidate { "Листы сборки" }
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

/// `POST /admin/orders/bulk`: the list again, or what could not be changed and why.
pub async fn bulk(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let get = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let back = get("back").strip_prefix("/admin/orders").unwrap_or_default();
    let pairs = back.strip_prefix('?').unwrap_or_default();
    let pairs: Vec<(String, String)> = axum::http::Uri::builder()
        .path_and_query(format!("/?{pairs}"))
        .build()
        .ok()
        .and_then(|uri| Query::try_from_uri(&uri).ok())
        .map(|Query(pairs)| pairs)
        .unwrap_or_default();
    let query = ListQuery::of(pairs);
    let wrong = |text: &str| WebError::Invalid(text.to_owned());
    let change = match get("act") {
        "status" => {
            let next = get("status").parse().map_err(|_| wrong("Выберите статус."))?;
            Bulk::Status(next, String::new())
        }
        "manager" => Bulk::Manager(get("manager").parse().ok().map(PersonId)),
        "date" => {
            let date = get("date").parse().map_err(|_| wrong("Выберите дату доставки."))?;
            Bulk::Delivery(Delivery::On(date))
        }
        _ => return Err(wrong("Действие не понято.")),
    };
    let ids: Vec<OrderId> = if get("all") == "1" {
        let filter = query.filter(&desk, me.staff.person);
        let ids = desk.ordering.order_ids(filter, BULK_MAX + 1).await?;
        if ids.len() > BULK_MAX as usize {
            return Err(wrong("За один раз можно изменить до 1 000 заказов. Сузьте фильтр."));
        }
        ids
    } else {
        let chosen = fields.iter().filter(|(name, _)| name == "order");
        chosen.filter_map(|(_, value)| value.parse().ok()).collect()
    };
    if ids.is_empty() {
        return Err(wrong("Не выбран ни один заказ."));
    }
    let outcome = desk.ordering.change_many(me.actor(), ids, change).await?;
    if outcome.skipped.is_empty() {
        let href = query.with(|query| query.set("done", &outcome.updated.to_string()));
        return Ok(Redirect::to(&href).into_response());
    }
    let around = around(&desk, &me).await?;
    let content = outcome_page(&outcome, &query.with(|_| {}));
    let page = Page { title: "Итог", section: Some(Section::Orders), class: "", content };
    Ok(framed(&visitor, &around, &page).into_response())
}

fn outcome_page(outcome: &BulkOutcome, back: &str) -> Markup {
    html! {
        div.page-head {
            a.back href=(back) aria-label="К заказам" { (icon(Icon::Back)) }
            h1 { "Обновлено " (outcome.updated) ", пропущено " (outcome.skipped.len()) }
        }
        section.card.narrow aria-labelledby="skipped-title" {
            header { h2 #skipped-title { "Пропущены" } }
            ul.rows {
                @for (number, why) in &outcome.skipped {
                    li { div.grow { a href=(format!("/admin/orders/{number}")) { "№\u{a0}" (number) } span.sub { (why) } } }
                }
            }
        }
        p { a.button href=(back) { "К списку" } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> ListQuery {
        ListQuery::of(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn the_address_holds_the_whole_list() {
        let list = query(&[
            ("view", "all"),
            ("q", "диван & ко"),
            ("status", "accepted"),
            ("status", "new"),
            ("unresolved", "1"),
            ("page", "3"),
            ("evil", "x"),
        ]);
        assert_eq!(
            list.href(),
            "/admin/orders?view=all&q=%D0%B4%D0%B8%D0%B2%D0%B0%D0%BD%20%26%20%D0%BA%D0%BE&status=accepted&status=new&unresolved=1&page=3"
        );
        assert_eq!(list.statuses(), [OrderStatus::Accepted, OrderStatus::New]);
        assert_eq!(list.unfiltered(), "/admin/orders?view=all");
        assert_eq!(ListQuery::default().href(), "/admin/orders");
        assert!(!query(&[("view", "mine"), ("sort", "oldest")]).is_filtered());
    }

    #[test]
    fn sums_are_read_as_people_type_them() {
        assert_eq!(roubles("10 000"), Some(Money::from_kopecks(1_000_000)));
        assert_eq!(roubles("1250,50"), Some(Money::from_kopecks(125_050)));
        assert_eq!(roubles("много"), None);
    }
}
