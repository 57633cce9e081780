//! «Заказы»: the list, and the page of one.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::{
    LineState, OrderLineId, OrderNumber, OrderStatus, OrganizationId, PersonId, ProductId,
    Timestamp, ru, time,
};
use crate::formats::sheet::{self, Cell};
use crate::services::ordering::{OrderError, OrderView};
use crate::storage::offers::Offer;
use crate::storage::orders::{OrderEventRow, OrderFilter, OrderLineRow, OrderRow};
use crate::web::Desk;
use crate::web::admin::exchange::queue::{order_card, order_mark};
use crate::web::admin::{around, lookup};
use crate::web::error::{WebError, encode};
use crate::web::layout::{Page, Pager, Section, Tone, badge, csrf, page as framed, status_badge};
use crate::web::markup::{Icon, icon, marked, small_icon};
use crate::web::session::{ManagerSession, Visitor};

/// Orders on a page of the list.
const PAGE: u32 = 50;

/// Products that a search for a line brings.
const FOUND: usize = 8;

/// Reasons that a client is told with a refusal.
const REFUSALS: [&str; 4] =
    ["нет товара", "дубль заявки", "задолженность по оплате", "не обслуживаем этот адрес"];

/// Reasons that a client is told with a cancellation.
const CANCELLATIONS: [&str; 3] = ["по просьбе клиента", "нет товара", "заявка объединена с другой"];

const FORMS: [&str; 3] = ["заказ", "заказа", "заказов"];

/// The address of a list: everything that it shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ListQuery {
    /// The tab: `new`, `mine`, `waiting`, `picking`, `approval` or `all`.
    #[serde(default)]
    view: String,
    /// Words to look for.
    #[serde(default)]
    q: String,
    /// One status, on the tab `all`.
    #[serde(default)]
    status: String,
    /// An organization's id.
    #[serde(default)]
    organization: String,
    /// `1`: only orders with lines that wait for a manager.
    #[serde(default)]
    unresolved: String,
    /// From 1.
    #[serde(default)]
    page: String,
}

/// A tab of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct View {
    code: &'static str,
    word: &'static str,
    statuses: &'static [OrderStatus],
    mine: bool,
}

const VIEWS: [View; 6] = [
    View { code: "new", word: "Новые", statuses: &[OrderStatus::New], mine: false },
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
    },
    View {
        code: "waiting",
        word: "Ждут клиента",
        statuses: &[OrderStatus::NeedsClient],
        mine: false,
    },
    View {
        code: "picking",
        word: "В работе",
        statuses: &[OrderStatus::Accepted, OrderStatus::Picking, OrderStatus::Ready],
        mine: false,
    },
    View {
        code: "approval",
        word: "На согласовании",
        statuses: &[OrderStatus::Approval],
        mine: false,
    },
    View { code: "all", word: "Все", statuses: &[], mine: false },
];

impl ListQuery {
    fn view(&self) -> View {
        let found = VIEWS.iter().find(|view| view.code == self.view);
        // A search looks everywhere.
        *found.unwrap_or(&VIEWS[VIEWS.len() - 1])
    }

    fn filter(&self, me: PersonId) -> OrderFilter {
        let view = self.view();
        let mut statuses = view.statuses.to_vec();
        if let Ok(status) = self.status.parse::<OrderStatus>()
            && (statuses.is_empty() || statuses.contains(&status))
        {
            statuses = vec![status];
        }
        OrderFilter {
            statuses,
            organization: self.organization.parse().ok().map(OrganizationId),
            manager: view.mine.then_some(me),
            query: self.q.trim().to_owned(),
            unresolved: self.unresolved == "1",
            ..OrderFilter::default()
        }
    }

    /// The address of this list.
    fn href(&self) -> String {
        let page = if self.page == "1" { "" } else { &self.page };
        let parts = [
            ("view", self.view.as_str()),
            ("q", self.q.trim()),
            ("status", &self.status),
            ("organization", &self.organization),
            ("unresolved", &self.unresolved),
            ("page", page),
        ];
        let parts = parts.iter().filter(|(_, value)| !value.is_empty());
        let parts: Vec<String> = parts.map(|(k, v)| format!("{k}={}", encode(v))).collect();
        if parts.is_empty() {
            return "/admin/orders".to_owned();
        }
        format!("/admin/orders?{}", parts.join("&"))
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut other = Self { page: String::new(), ..self.clone() };
        change(&mut other);
        other.href()
    }

    fn export(&self, format: &str) -> String {
        let list = self.with(|_| {});
        let query = list.split_once('?').map_or("", |(_, query)| query);
        format!("/admin/orders/export/{format}?{query}")
    }

    fn is_filtered(&self) -> bool {
        !(self.q.trim().is_empty()
            && self.status.is_empty()
            && self.organization.is_empty()
            && self.unresolved.is_empty())
    }
}

/// `GET /admin/orders`
pub async fn list(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(query): Query<ListQuery>,
) -> Result<Response, WebError> {
    // The number of an order leads to the order.
    if let Some(number) = OrderNumber::parse(&query.q)
        && desk.ordering.order_by_number(number).await.is_ok()
    {
        return Ok(Redirect::to(&format!("/admin/orders/{number}")).into_response());
    }
    let mut query = query;
    if query == ListQuery::default() {
        "new".clone_into(&mut query.view);
    }
    let size = PAGE;
    let mut pager = Pager { page: query.page.parse().unwrap_or(1).max(1), size, total: 0 };
    let found = desk.ordering.orders(query.filter(me.staff.person), pager.offset(), size).await?;
    pager.total = found.total;
    let counts = desk.ordering.counts().await?;
    let mine = OrderFilter {
        statuses: VIEWS[1].statuses.to_vec(),
        manager: Some(me.staff.person),
        ..OrderFilter::default()
    };
    let mine = desk.ordering.orders(mine, 0, 0).await?.total;
    let count = |view: &View| {
        if view.mine {
            return Some(mine);
        }
        (!view.statuses.is_empty()).then(|| {
            let of = counts.iter().filter(|(status, _)| view.statuses.contains(status));
            of.map(|(_, count)| count).sum()
        })
    };
    let tabs: Vec<_> = VIEWS.iter().map(|view| (view, count(view))).collect();
    let content =
        List { desk: &desk, visitor: &visitor, query: &query, tabs, pager, orders: &found.orders }
            .render();
    let around = around(&desk, &me).await?;
    let page = Page { title: "Заказы", section: Some(Section::Orders), class: "", content };
    Ok(framed(&visitor, &around, &page).into_response())
}

/// Orders in one export; more belongs into 1C.
const EXPORT_MAX: u32 = 100_000;

/// `GET /admin/orders/export/{format}`: exactly what the list shows, all pages of it.
pub async fn export(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(format): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Response, WebError> {
    const STEP: u32 = 1_000;
    let (base, filter) = (&desk.base, query.filter(me.staff.person));
    let now = base.clock.now();
    let today = base.zone.civil(now).date();
    let heads = [
        "№",
        "Создан",
        "Организация",
        "Автор",
        "Телефон",
        "Позиций",
        "Без товара",
        "Сумма",
        "Доставка",
        "Адрес",
        "Статус",
        "Менеджер",
        "Номер в 1С",
    ];
    let mut rows = vec![heads.map(Cell::text).to_vec()];
    let mut offset = 0;
    while offset < EXPORT_MAX {
        let page = desk.ordering.orders(filter.clone(), offset, STEP).await?.orders;
        let last = page.len() < STEP as usize;
        rows.extend(page.iter().map(|order| {
            vec![
                Cell::Number(order.number.0),
                Cell::text(base.zone.rfc3339(order.created_at)[..16].replace('T', " ")),
                Cell::text(&order.organization_name),
                Cell::text(&order.author_name),
                Cell::text(
                    order
                        .author_phone
                        .as_ref()
                        .map(|p| p.as_str().replace('+', ""))
                        .unwrap_or_default(),
                ),
                Cell::Number(i64::from(order.line_count)),
                Cell::Number(i64::from(order.unresolved_count)),
                Cell::Money(order.total),
                Cell::text(order.delivery.label(today)),
                Cell::text(&order.address),
                Cell::text(order.status.staff_label()),
                Cell::text(&order.manager_name),
                Cell::text(order.onec_number.clone().unwrap_or_default()),
            ]
        }));
        if last {
            break;
        }
        offset += STEP;
    }
    let (bytes, kind) = match format.as_str() {
        "csv" => (sheet::csv(&rows), "text/csv; charset=utf-8"),
        "xlsx" => {
            let work = move || sheet::xlsx(&rows);
            let book = tokio::task::spawn_blocking(work).await.map_err(WebError::internal)?;
            let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            (book.map_err(WebError::internal)?, kind)
        }
        _ => return Err(WebError::NotFound),
    };
    let name = format!("attachment; filename=\"orders-{today}.{format}\"");
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, bytes).into_response())
}

struct List<'a> {
    desk: &'a Desk,
    visitor: &'a Visitor,
    query: &'a ListQuery,
    tabs: Vec<(&'a View, Option<u32>)>,
    pager: Pager,
    orders: &'a [OrderRow],
}

impl List<'_> {
    fn render(&self) -> Markup {
        let view = self.query.view();
        html! {
            div.page-head {
                h1 { "Заказы" }
                details.menu data-menu {
                    summary.button.quiet { (icon(Icon::Download)) "Выгрузить" }
                    div.popover {
                        @for format in ["xlsx", "csv"] {
                            a.item href=(self.query.export(format)) { "Список в ." (format) }
                        }
                    }
                }
            }
            nav.tabs #tabs data-live aria-label="Виды заказов" {
                @for (tab, count) in &self.tabs {
                    a href=(self.query.with(|q| { tab.code.clone_into(&mut q.view); q.status.clear(); }))
                        aria-current=[(tab.code == view.code).then_some("page")] {
                        (tab.word)
                        @if let Some(count) = count { span.count { (ru::thousands(u64::from(*count))) } }
                    }
                }
            }
            (self.filters(view))
            div.fresh-bar data-fresh hidden data-forms="новая заявка|новые заявки|новых заявок" {
                button.button type="button" { span data-fresh-words {} " — показать" }
            }
            div #list data-rows data-first=[(self.pager.page == 1).then_some("yes")] {
                @if self.orders.is_empty() { (self.empty(view)) } @else { (self.table()) }
                @if self.pager.total > 0 {
                    (self.pager.render(FORMS, |page| self.query.with(|q| q.page = page.to_string())))
                }
            }
        }
    }

    fn filters(&self, view: View) -> Markup {
        let query = self.query;
        html! {
            form.filters action="/admin/orders" role="search" aria-label="Отбор заказов" data-filters {
                input type="hidden" name="view" value=(view.code);
                @if !query.organization.is_empty() {
                    input type="hidden" name="organization" value=(query.organization);
                }
                div.grow {
                    (icon(Icon::Search))
                    input type="search" name="q" value=(query.q) aria-label="Номер, организация, автор или телефон"
                        placeholder="Номер, организация, автор или телефон";
                }
                @if view.statuses.len() != 1 {
                    select name="status" aria-label="Статус" {
                        option value="" { "Любой статус" }
                        @for status in OrderStatus::ALL.iter().filter(|s| view.statuses.is_empty() || view.statuses.contains(s)) {
                            option value=(status) selected[query.status == status.as_str()] { (status.staff_label()) }
                        }
                    }
                }
                label.check { input type="checkbox" name="unresolved" value="1" checked[query.unresolved == "1"]; span { "Есть " (marked("👤")) " позиции" } }
                button.button type="submit" { "Найти" }
                @if query.is_filtered() {
                    a.button.quiet href=(ListQuery { view: query.view.clone(), ..ListQuery::default() }.href()) { "Сбросить фильтры" }
                }
            }
            @if !query.organization.is_empty() && let Some(first) = self.orders.first() {
                div.filters {
                    a.chip href=(query.with(|q| q.organization.clear())) {
                        "Клиент: " (first.organization_name) (small_icon(Icon::Cross)) span.sr { "убрать фильтр" }
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
                    a.button href=(ListQuery { view: self.query.view.clone(), ..ListQuery::default() }.href()) { "Сбросить фильтры" }
                }
            };
        }
        let sentence = match view.code {
            "new" => "Новых заявок нет. Как только клиент отправит список, он появится здесь.",
            "mine" => "У вас нет заказов в работе. Примите новый — он появится здесь.",
            "waiting" => "Никто из клиентов не должен вам ответа.",
            "picking" => "В работе ничего нет.",
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

    fn table(&self) -> Markup {
        html! {
            div.table-wrap {
                table.cards-on-phone {
                    caption.sr { "Заказы, новые сверху" }
                    thead {
                        tr {
                            th scope="col" { "№" }
                            th scope="col" { "Создан" }
                            th scope="col" { "Организация" }
                            th.num scope="col" { "Позиции" }
                            th.num scope="col" { "Сумма" }
                            th scope="col" { "Доставка" }
                            th scope="col" { "Статус" }
                            th.roomy scope="col" { "Менеджер" }
                            th.roomy scope="col" { "1С" }
                            th.only-phone scope="col" { "Действие" }
                        }
                    }
                    tbody { @for order in self.orders { (self.row(order)) } }
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
    let around = around(&desk, &me).await?;
    let title = format!("№\u{a0}{}, {}", view.order.number, view.order.organization_name);
    let content = OrderPage {
        desk: &desk,
        visitor: &visitor,
        view: &view,
        others: &others,
        query: &query,
        found: &found,
        onec: order_card(&desk, &visitor, &me, &view).await?,
    }
    .render();
    let page =
        Page { title: &title, section: Some(Section::Orders), class: "has-actions", content };
    Ok(framed(&visitor, &around, &page))
}

struct OrderPage<'a> {
    desk: &'a Desk,
    visitor: &'a Visitor,
    view: &'a OrderView,
    others: &'a [OrderRow],
    query: &'a OrderQuery,
    found: &'a [Offer],
    /// The order's way to 1C.
    onec: Markup,
}

impl OrderPage<'_> {
    fn render(&self) -> Markup {
        html! {
            (self.head())
            div.two {
                div {
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
            }
        }
    }

    fn actions(&self) -> Markup {
        let next = self.view.order.status.next();
        let plain: Vec<_> = next.iter().filter(|status| reasons(**status).is_none()).collect();
        let parting: Vec<_> = next.iter().filter(|status| reasons(**status).is_some()).collect();
        html! {
            @if !next.is_empty() {
                div.actions {
                    div.buttons {
                        @for (index, status) in plain.iter().enumerate() {
                            (self.move_to(**status, index == 0))
                        }
                        @if plain.len() > 1 || !parting.is_empty() {
                            details.menu data-menu {
                                summary.button aria-label="Другие действия" data-key="status" { (icon(Icon::More)) }
                                div.popover {
                                    div.only-phone {
                                        @for status in plain.iter().skip(1) { (self.move_to_item(**status)) }
                                    }
                                    @for status in &parting { (self.part(**status)) }
                                }
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
                input type="hidden" name="version" value=(order.revision);
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
                }
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
                    tbody { @for line in open.chain(done) { (self.line(line)) } }
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

    fn line(&self, line: &OrderLineRow) -> Markup {
        let open = line.state != LineState::Ok;
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
                    @if open && !self.view.order.status.is_final() { (self.candidates(line)) }
                }
                td.num.p2 {
                    (quantity.unwrap_or_else(|| "—".to_owned()))
                    @if let Some(base) = base { span.sub { (base.with_unit(&line.base_unit)) } }
                }
                td.num.p4 { @if let Some(price) = line.price { (price) } @else { span.muted { "—" } } }
                td.num.p3 { @if let Some(sum) = line.sum { (sum) } @else { span.muted { "—" } } }
                td.num.wide.p5 { (stock(offer, line)) }
            }
        }
    }

    /// Products to choose from for a line: those recognition thought of, and those looked for.
    fn candidates(&self, line: &OrderLineRow) -> Markup {
        let order = &self.view.order;
        let looked = self.query.line == line.id.to_string();
        let found = self.found.iter().filter(|_| looked);
        let thought = line.candidates.iter().filter_map(|id| self.view.offer(*id)).take(6);
        let offers: Vec<&Offer> =
            found.chain(thought.filter(|_| !looked || self.found.is_empty())).collect();
        html! {
            @if !offers.is_empty() {
                form.candidates method="post" action=(format!("/admin/orders/{}/lines/{}", order.number, line.id)) data-swap data-done="Товар подобран" {
                    (csrf(self.visitor))
                    input type="hidden" name="version" value=(order.revision);
                    @for offer in offers {
                        button type="submit" name="product" value=(offer.id) {
                            span { (offer.title) }
                            @if let Some(price) = offer.price { span.price { (price) } }
                        }
                    }
                    label.check { input type="checkbox" name="remember" value="1" checked; "Запомнить для клиента" }
                }
            }
            form.other action=(format!("/admin/orders/{}#line-{}", order.number, line.id)) role="search" aria-label=(format!("Товар для позиции {}", line.position)) {
                input type="hidden" name="line" value=(line.id);
                input type="search" name="find" required placeholder="Найти товар" value=(if looked { self.query.find.as_str() } else { "" })
                    aria-label=(format!("Найти товар для позиции {}", line.position));
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
                header { h2 #client-title { "Клиент" } }
                div.body {
                    dl.facts {
                        dt { "Организация" } dd { (order.organization_name) }
                        dt { "Автор" } dd { (order.author_name) }
                        @if let Some(phone) = &order.author_phone {
                            dt { "Телефон" } dd { a href=(format!("tel:{phone}")) { (phone) } }
                        }
                        dt { "Доставка" } dd { (order.delivery.label(today)) }
                        @if !order.address.is_empty() { dt { "Адрес" } dd { (order.address) } }
                        @if !order.comment.is_empty() { dt { "Комментарий" } dd { (order.comment) } }
                        dt { "Источник" } dd { (order.source.label()) }
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

/// The reasons that go with a parting; `None`: the status needs none.
fn reasons(status: OrderStatus) -> Option<&'static [&'static str]> {
    match status {
        OrderStatus::Rejected => Some(&REFUSALS),
        OrderStatus::Cancelled => Some(&CANCELLATIONS),
        _ => None,
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

fn stock(offer: Option<&Offer>, line: &OrderLineRow) -> Markup {
    let Some(offer) = offer else { return html! { span.muted { "—" } } };
    let short = line.base_quantity.is_some_and(|wanted| wanted > offer.available);
    html! {
        (offer.available.with_unit(offer.unit.as_str()))
        @if short { span.sub.short { "не хватает" } }
    }
}

/// A status that is asked for.
#[derive(Debug, Deserialize)]
pub struct StatusForm {
    status: OrderStatus,
    version: Option<i64>,
    #[serde(default)]
    reason: String,
}

/// `POST /admin/orders/{number}/status`: the page again, or the badge alone for a script that
/// asks for a fragment.
pub async fn set_status(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(number): Path<String>,
    headers: HeaderMap,
    Form(form): Form<StatusForm>,
) -> Result<Response, WebError> {
    let view = lookup(&desk, &number).await?;
    let (id, number) = (view.order.id, view.order.number);
    let order = if form.status == OrderStatus::Accepted && view.order.status == OrderStatus::New {
        desk.ordering.accept(me.actor(), id).await?
    } else {
        desk.ordering.set_status(me.actor(), id, form.version, form.status, &form.reason).await?
    };
    if headers.contains_key("hx-request") {
        return Ok(status_badge(order.status).into_response());
    }
    // Back to where the button was: the list on a phone has one too.
    let from_list = headers
        .get(header::REFERER)
        .and_then(|v| v.to_str().ok())
        .and_then(|url| url.split_once("/admin/orders"))
        .map(|(_, rest)| rest.to_owned())
        .filter(|rest| !rest.starts_with('/'));
    let back = from_list
        .map_or_else(|| format!("/admin/orders/{number}"), |rest| format!("/admin/orders{rest}"));
    Ok(Redirect::to(&back).into_response())
}

/// A message or a note.
#[derive(Debug, Deserialize)]
pub struct MessageForm {
    kind: String,
    text: String,
}

/// `POST /admin/orders/{number}/messages`
pub async fn write(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(number): Path<String>,
    Form(form): Form<MessageForm>,
) -> Result<Redirect, WebError> {
    let order = lookup(&desk, &number).await?.order;
    if form.kind == "note" {
        desk.ordering.note(me.actor(), order.id, &form.text).await?;
    } else {
        desk.ordering.write_to_client(me.actor(), order.id, &form.text).await?;
    }
    Ok(Redirect::to(&format!("/admin/orders/{}#composer", order.number)))
}

/// A product for a line.
#[derive(Debug, Deserialize)]
pub struct PickForm {
    product: i64,
    version: i64,
    #[serde(default)]
    remember: String,
}

/// `POST /admin/orders/{number}/lines/{line}`: a manager's choice for a line.
pub async fn pick(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path((number, line)): Path<(String, i64)>,
    Form(form): Form<PickForm>,
) -> Result<Redirect, WebError> {
    let view = lookup(&desk, &number).await?;
    let line = OrderLineId(line);
    if !view.lines.iter().any(|l| l.id == line) {
        return Err(WebError::NotFound);
    }
    let product = ProductId(form.product);
    let remember = form.remember == "1";
    desk.ordering.pick_for_order(me.actor(), line, form.version, product, None, remember).await?;
    Ok(Redirect::to(&format!("/admin/orders/{}", view.order.number)))
}

impl From<OrderError> for WebError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::NotFound => Self::NotFound,
            OrderError::Stale => Self::Conflict(
                "Заказ только что изменили. Проверьте, что в нём сейчас, и повторите.".to_owned(),
            ),
            OrderError::Transition { from, to, .. } => {
                let allowed: Vec<_> =
                    from.next().iter().map(|s| format!("«{}»", s.staff_label())).collect();
                let allowed = if allowed.is_empty() {
                    "Этот статус последний.".to_owned()
                } else {
                    format!("Можно: {}.", allowed.join(", "))
                };
                Self::Conflict(format!(
                    "Из «{}» нельзя перейти в «{}». {allowed}",
                    from.staff_label(),
                    to.staff_label()
                ))
            }
            OrderError::Taken { manager } => {
                Self::Conflict(format!("Заявка уже в работе: {manager}."))
            }
            OrderError::Empty => Self::Invalid("Напишите текст.".to_owned()),
            other => Self::internal(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_holds_the_whole_list() {
        let query = ListQuery {
            view: "all".to_owned(),
            q: "диван & ко".to_owned(),
            status: "accepted".to_owned(),
            unresolved: "1".to_owned(),
            page: "3".to_owned(),
            ..ListQuery::default()
        };
        assert_eq!(
            query.href(),
            "/admin/orders?view=all&q=%D0%B4%D0%B8%D0%B2%D0%B0%D0%BD%20%26%20%D0%BA%D0%BE&status=accepted&unresolved=1&page=3"
        );
        let filter = query.filter(PersonId(1));
        assert_eq!(filter.statuses, [OrderStatus::Accepted]);
        assert!(filter.unresolved && filter.manager.is_none());
        let mine = ListQuery { view: "mine".to_owned(), ..ListQuery::default() };
        assert_eq!(mine.filter(PersonId(7)).manager, Some(PersonId(7)));
        assert_eq!(ListQuery::default().href(), "/admin/orders");
    }
}
