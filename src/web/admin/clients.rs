//! «Клиенты»: organizations, people, requests for access.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::{MemberState, OrgKind, OrganizationId, PersonId, Role, ru, time};
use crate::services::accounts::{AccessDecision, AccountError};
use crate::services::directory::Client;
use crate::storage::directory::{ClientFilter, ClientRow, PersonLine};
use crate::storage::orders::{OrderFilter, OrderRow};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::{WebError, encode};
use crate::web::layout::{Page, Pager, Section, Tone, badge, csrf, page as framed, status_badge};
use crate::web::markup::{Icon, icon, small_icon};
use crate::web::session::{ManagerSession, Visitor};

/// Rows of a page.
const PAGE: u32 = 50;

/// The address of a list of clients or people.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ListQuery {
    #[serde(default)]
    q: String,
    /// `unverified`; empty: all.
    #[serde(default)]
    view: String,
    #[serde(default)]
    page: String,
}

impl ListQuery {
    fn pager(&self) -> Pager {
        Pager { page: self.page.parse().unwrap_or(1).max(1), size: PAGE, total: 0 }
    }

    fn href(&self, root: &str, page: u32) -> String {
        format!("{root}?q={}&view={}&page={page}", encode(&self.q), encode(&self.view))
    }
}

fn tabs(current: &str, requests: usize) -> Markup {
    let tabs = [
        ("/admin/clients", "Организации"),
        ("/admin/people", "Люди"),
        ("/admin/requests", "Запросы доступа"),
    ];
    html! {
        nav.tabs aria-label="Клиенты" {
            @for (href, word) in tabs {
                a href=(href) aria-current=[(href == current).then_some("page")] {
                    (word)
                    @if href == "/admin/requests" && requests > 0 { span.count { (requests) } }
                }
            }
        }
    }
}

async fn waiting(desk: &Desk) -> Result<usize, WebError> {
    Ok(desk.accounts.access_requests().await?.len())
}

/// `GET /admin/clients`
pub async fn list(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(query): Query<ListQuery>,
) -> Result<Markup, WebError> {
    let mut pager = query.pager();
    let filter =
        ClientFilter { query: query.q.clone(), unverified: query.view == "unverified", id: None };
    let found = desk.directory().clients(filter, pager.offset(), PAGE).await?;
    pager.total = found.total;
    let around = around(&desk, &me).await?;
    let content = html! {
        div.page-head { h1 { "Клиенты" } }
        (tabs("/admin/clients", waiting(&desk).await?))
        form.filters action="/admin/clients" role="search" aria-label="Отбор клиентов" data-filters {
            div.grow { (icon(Icon::Search)) input type="search" name="q" value=(query.q) aria-label="Название, ИНН, человек или телефон" placeholder="Название, ИНН, человек или телефон"; }
            select name="view" aria-label="Какие" {
                option value="" { "Все" }
                option value="unverified" selected[query.view == "unverified"] { "Не подтверждённые" }
            }
            button.button type="submit" { "Найти" }
        }
        div #list {
            @if found.rows.is_empty() {
                div.empty {
                    (icon(Icon::Clients))
                    @if query.q.is_empty() && query.view.is_empty() {
                        p { "Клиентов пока нет. Они появятся, когда зарегистрируются в боте или придут из 1С." }
                    } @else {
                        p { "Ничего не найдено" }
                        a.button href="/admin/clients" { "Сбросить фильтры" }
                    }
                }
            } @else {
                div.table-wrap {
                    table.cards-on-phone.simple {
                        caption.sr { "Организации, последние заказавшие сверху" }
                        thead {
                            tr {
                                th scope="col" { "Организация" } th scope="col" { "ИНН" } th.num scope="col" { "Люди" }
                                th.num scope="col" { "Заказы за 90\u{a0}дн" } th.num scope="col" { "На сумму" }
                                th scope="col" { "Последний" } th scope="col" { "Состояние" }
                            }
                        }
                        tbody { @for row in &found.rows { (client_row(&desk, row)) } }
                    }
                }
                (pager.render(["организация", "организации", "организаций"], |page| query.href("/admin/clients", page)))
            }
        }
    };
    let page =
        Page { title: "Клиенты", section: Some(Section::Clients), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

fn client_row(desk: &Desk, row: &ClientRow) -> Markup {
    let now = desk.base.clock.now();
    html! {
        tr.link {
            td { a.main-link href=(format!("/admin/clients/{}", row.id)) { (row.name) } @if row.kind == OrgKind::Person { span.sub { "частное лицо" } } }
            td.muted { (row.inn.as_deref().unwrap_or("—")) }
            td.num { (row.people) }
            td.num { (row.orders) }
            td.num { (row.total) }
            td.muted { @if let Some(at) = row.last_order_at { (desk.base.zone.date(at, now)) } @else { "—" } }
            td { (client_state(row)) }
        }
    }
}

fn client_state(row: &ClientRow) -> Markup {
    if row.blocked {
        return badge(Tone::Danger, "закрыт");
    }
    if row.verified {
        badge(Tone::Ok, "подтверждён")
    } else {
        badge(Tone::Warn, "не подтверждён")
    }
}

/// `GET /admin/clients/{id}`
pub async fn one(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Path(id): Path<i64>,
) -> Result<Markup, WebError> {
    let id = OrganizationId(id);
    let client = desk.directory().client(id).await?.ok_or(WebError::NotFound)?;
    let filter = OrderFilter { organization: Some(id), ..OrderFilter::default() };
    let orders = desk.ordering.orders(filter, 0, 10).await?;
    let around = around(&desk, &me).await?;
    let content = html! {
        div.page-head {
            a.back href="/admin/clients" aria-label="К клиентам" { (icon(Icon::Back)) }
            h1 { (client.row.name) }
            (client_state(&client.row))
            (client_actions(&visitor, &me, &client.row))
        }
        div.two {
            div {
                (orders_card(&desk, &client.row, &orders.orders, orders.total))
                (bought_card(&desk, &client))
                (learnt_card(&desk, &client))
            }
            aside aria-label="Сведения" { (facts_card(&client.row)) (members_card(&client)) }
        }
    };
    let page =
        Page { title: &client.row.name, section: Some(Section::Clients), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

fn client_actions(visitor: &Visitor, me: &ManagerSession, row: &ClientRow) -> Markup {
    let act = |act: &str, word: &str, class: &str, question: Option<String>| {
        html! {
            form method="post" action=(format!("/admin/clients/{}", row.id)) {
                (csrf(visitor))
                button class=(class) type="submit" name="act" value=(act) data-confirm=[question] { (word) }
            }
        }
    };
    html! {
        div.buttons {
            @if row.verified {
                (act("unverify", "Снять подтверждение", "button", None))
            } @else {
                (act("verify", "Подтвердить", "button primary", None))
            }
            @if me.must_be_admin("").is_ok() {
                @if row.blocked {
                    (act("unblock", "Открыть доступ", "button", None))
                } @else {
                    (act("block", "Закрыть доступ", "button danger", Some(format!("Закрыть доступ для «{}»?", row.name))))
                }
            }
        }
    }
}

fn facts_card(row: &ClientRow) -> Markup {
    html! {
        section.card aria-labelledby="facts-title" {
            header { h2 #facts-title { "Сведения" } }
            div.body {
                dl.facts {
                    dt { "ИНН" } dd { (row.inn.as_deref().unwrap_or("не указан")) }
                    dt { "Вид цен" } dd { @if row.price_type.is_empty() { "основной" } @else { (row.price_type) } }
                    dt { "Менеджер" } dd { @if row.manager_name.is_empty() { "не назначен" } @else { (row.manager_name) } }
                    dt { "Код 1С" } dd { (row.external_id.as_deref().unwrap_or("нет")) }
                    dt { "За 90\u{a0}дней" } dd { (ru::count(u64::from(row.orders), ["заказ", "заказа", "заказов"])) ", " (row.total) }
                }
            }
        }
    }
}

fn members_card(client: &Client) -> Markup {
    html! {
        section.card aria-labelledby="members-title" {
            header { h2 #members-title { "Люди" } span.count { (client.members.len()) } }
            ul.rows {
                @for member in &client.members {
                    li {
                        div.grow {
                            (member.name)
                            span.sub { (member.role.label()) @if let Some(phone) = &member.phone { " · " a href=(format!("tel:{phone}")) { (phone) } } }
                        }
                        @if member.state == MemberState::Pending { (badge(Tone::Warn, "ждёт решения")) }
                    }
                }
                @if client.members.is_empty() { li.muted { "Никого нет" } }
            }
        }
    }
}

fn orders_card(desk: &Desk, row: &ClientRow, orders: &[OrderRow], total: u32) -> Markup {
    let now = desk.base.clock.now();
    html! {
        section.card aria-labelledby="orders-title" {
            header {
                h2 #orders-title { "Заказы" }
                @if total > 0 { a.count href=(format!("/admin/orders?view=all&organization={}", row.id)) { "все " (total) } }
            }
            ul.rows {
                @for order in orders {
                    li {
                        div.grow {
                            a href=(format!("/admin/orders/{}", order.number)) { "№\u{a0}" (order.number) }
                            span.sub { (desk.base.zone.date_time(order.created_at, now)) " · " (ru::positions(order.line_count as usize)) " · " (order.total) }
                        }
                        (status_badge(order.status))
                    }
                }
                @if orders.is_empty() { li.muted { "Заказов пока нет" } }
            }
        }
    }
}

fn bought_card(desk: &Desk, client: &Client) -> Markup {
    let now = desk.base.clock.now();
    html! {
        @if !client.bought.is_empty() {
            section.card aria-labelledby="bought-title" {
                header { h2 #bought-title { "Что покупает" } span.count { (client.bought.len()) } }
                div.table-wrap {
                    table {
                        caption.sr { "Товары, чаще всего сверху" }
                        thead { tr { th scope="col" { "Товар" } th.num scope="col" { "Заказов" } th.num scope="col" { "Всего" } th.num scope="col" { "Последний" } } }
                        tbody {
                            @for line in client.bought.iter().take(20) {
                                tr {
                                    td { (line.title) @if !line.sku.is_empty() { span.sub { "арт.\u{a0}" (line.sku) } } }
                                    td.num { (line.times) }
                                    td.num { (line.quantity.with_unit(&line.unit)) }
                                    td.num.muted { (desk.base.zone.date(line.last_at, now)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn learnt_card(desk: &Desk, client: &Client) -> Markup {
    let now = desk.base.clock.now();
    html! {
        @if !client.learnt.is_empty() {
            section.card aria-labelledby="learnt-title" {
                header { h2 #learnt-title { "Названия клиента" } span.count { (client.learnt.len()) } }
                ul.rows {
                    @for line in client.learnt.iter().take(30) {
                        li {
                            div.grow { "«" (line.phrase) "»" span.sub { @if line.refused { "не " } (line.title) } }
                            span.count { (desk.base.zone.date(line.at, now)) }
                        }
                    }
                }
            }
        }
    }
}

/// What to do with a client.
#[derive(Debug, Deserialize)]
pub struct ActForm {
    act: String,
}

/// `POST /admin/clients/{id}`
pub async fn act(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(id): Path<i64>,
    Form(form): Form<ActForm>,
) -> Result<Redirect, WebError> {
    let id = OrganizationId(id);
    desk.directory().client(id).await?.ok_or(WebError::NotFound)?;
    let by = me.account_actor();
    match form.act.as_str() {
        "verify" => desk.directory().set_verified(by, id, true).await?,
        "unverify" => desk.directory().set_verified(by, id, false).await?,
        act @ ("block" | "unblock") => {
            me.must_be_admin("закрывать доступ")?;
            desk.directory().set_blocked(by, id, act == "block").await?;
        }
        _ => return Err(WebError::Invalid("Действие не понято.".to_owned())),
    }
    Ok(Redirect::to(&format!("/admin/clients/{id}")))
}

/// `GET /admin/people`
pub async fn people(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(query): Query<ListQuery>,
) -> Result<Markup, WebError> {
    let mut pager = query.pager();
    let found = desk.directory().people(query.q.clone(), pager.offset(), PAGE).await?;
    pager.total = found.total;
    let around = around(&desk, &me).await?;
    let admin = me.must_be_admin("").is_ok();
    let content = html! {
        div.page-head { h1 { "Люди" } }
        (tabs("/admin/people", waiting(&desk).await?))
        form.filters action="/admin/people" role="search" aria-label="Отбор людей" {
            div.grow { (icon(Icon::Search)) input type="search" name="q" value=(query.q) aria-label="Имя или телефон" placeholder="Имя или телефон"; }
            button.button type="submit" { "Найти" }
        }
        div #list {
            @if found.rows.is_empty() {
                div.empty { (icon(Icon::Person)) p { "Ничего не найдено" } a.button href="/admin/people" { "Сбросить фильтры" } }
            } @else {
                div.table-wrap {
                    table.cards-on-phone.simple {
                        caption.sr { "Люди" }
                        thead { tr { th scope="col" { "Имя" } th scope="col" { "Телефон" } th.roomy scope="col" { "Роль" } th.roomy scope="col" { "Организация" } th.roomy scope="col" { "Последний визит" } th scope="col" { "Состояние" } @if admin { th scope="col" { span.sr { "Действия" } } } } }
                        tbody { @for person in &found.rows { (person_row(&desk, &visitor, person, &me, admin)) } }
                    }
                }
                (pager.render(["человек", "человека", "человек"], |page| query.href("/admin/people", page)))
            }
        }
    };
    let page = Page { title: "Люди", section: Some(Section::Clients), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

fn person_row(
    desk: &Desk,
    visitor: &Visitor,
    person: &PersonLine,
    me: &ManagerSession,
    admin: bool,
) -> Markup {
    let now = desk.base.clock.now();
    let role = person.granted_role.as_deref().and_then(|r| r.parse().ok()).unwrap_or(Role::Client);
    let own = person.id == me.staff.person;
    html! {
        tr {
            td { strong { (person.name) } }
            td.nowrap {
                @if let Some(phone) = &person.phone {
                    a href=(format!("tel:{phone}")) { (phone) }
                    @if person.phone_verified { " " span title="подтверждён" { "✓" span.sr { " подтверждён" } } }
                } @else { span.muted { "—" } }
            }
            td.roomy { (role.label()) }
            td.roomy { @if person.organizations.is_empty() { span.muted { "—" } } @else { (person.organizations) } }
            td.muted.roomy { @if let Some(at) = person.seen_at { (time::ago(now.since(at))) } @else { "—" } }
            td {
                @if person.blocked { (badge(Tone::Danger, "доступ закрыт")) }
                @else if person.chat_blocked { (badge(Tone::Warn, "бот заблокирован")) }
                @else if person.chats > 0 { (badge(Tone::Ok, "на связи")) }
                @else { (badge(Tone::Neutral, "без чата")) }
            }
            @if admin {
                td.num {
                    @if !own {
                        form.in-row method="post" action=(format!("/admin/people/{}", person.id)) {
                            (csrf(visitor))
                            select name="role" aria-label=(format!("Роль: {}", person.name)) {
                                @for code in [Role::Client, Role::Manager, Role::Admin] { option value=(code) selected[code == role] { (code.label()) } }
                            }
                            button.button.small type="submit" name="act" value="role" aria-label=(format!("Сохранить роль: {}", person.name)) { "Сохранить" }
                            button.button.small.quiet.danger type="submit" name="act" value=(if person.blocked { "unblock" } else { "block" })
                                data-confirm=(format!("{}: {}?", if person.blocked { "Открыть доступ" } else { "Закрыть доступ" }, person.name))
                                aria-label=(format!("{}: {}", if person.blocked { "Открыть доступ" } else { "Закрыть доступ" }, person.name)) {
                                (if person.blocked { "Открыть" } else { "Закрыть" })
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What to do with a person.
#[derive(Debug, Deserialize)]
pub struct PersonForm {
    act: String,
    #[serde(default)]
    role: String,
}

/// `POST /admin/people/{id}`
pub async fn act_on_person(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(id): Path<i64>,
    Form(form): Form<PersonForm>,
) -> Result<Redirect, WebError> {
    me.must_be_admin("роли и доступ людей")?;
    let (by, person) = (me.account_actor(), PersonId(id));
    let done = match form.act.as_str() {
        "role" => match form.role.parse() {
            Ok(role) => desk.accounts.set_role(&by, person, role).await,
            Err(_) => return Err(WebError::Invalid("Роль не понята.".to_owned())),
        },
        act => desk.accounts.set_blocked(&by, person, act == "block").await,
    };
    done.map_err(in_words)?;
    Ok(Redirect::to("/admin/people"))
}

/// What an account's refusal means on a page.
fn in_words(error: AccountError) -> WebError {
    match error {
        AccountError::NotFound => WebError::NotFound,
        AccountError::NotAllowed => WebError::Forbidden("решать о доступе"),
        AccountError::LastAdmin => {
            WebError::Conflict("Должен остаться хотя бы один администратор.".to_owned())
        }
        AccountError::LastOwner => {
            WebError::Conflict("В организации должен остаться владелец.".to_owned())
        }
        other => WebError::internal(other),
    }
}

/// `GET /admin/requests`
pub async fn requests(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
) -> Result<Markup, WebError> {
    let requests = desk.accounts.access_requests().await?;
    let around = around(&desk, &me).await?;
    let now = desk.base.clock.now();
    let content = html! {
        div.page-head { h1 { "Запросы доступа" } }
        (tabs("/admin/requests", requests.len()))
        @if requests.is_empty() {
            div.empty { (icon(Icon::Check)) p { "Запросов нет: всё решено." } }
        } @else {
            ul.card.rows {
                @for request in &requests {
                    li {
                        div.grow {
                            strong { (request.name) } " · " (request.organization)
                            span.sub {
                                a href=(format!("tel:{}", request.phone)) { (request.phone) }
                                " · " (time::ago(now.since(request.created_at)))
                                @if !request.comment.is_empty() { " · " (request.comment) }
                            }
                        }
                        form.buttons method="post" action="/admin/requests" {
                            (csrf(&visitor))
                            input type="hidden" name="id" value=(request.id);
                            button.button.small type="submit" name="act" value="grant" aria-label=(format!("Подтвердить: {}", request.name)) { (small_icon(Icon::Check)) "Подтвердить" }
                            button.button.small.quiet.danger type="submit" name="act" value="refuse" aria-label=(format!("Отклонить: {}", request.name)) { "Отклонить" }
                        }
                    }
                }
            }
        }
    };
    let page =
        Page {
            title: "Запросы доступа", section: Some(Section::Clients), class: "", content
        };
    Ok(framed(&visitor, &around, &page))
}

/// A decision about a request.
#[derive(Debug, Deserialize)]
pub struct DecideForm {
    id: i64,
    act: String,
}

/// `POST /admin/requests`
pub async fn decide(
    State(desk): State<Desk>,
    me: ManagerSession,
    Form(form): Form<DecideForm>,
) -> Result<Redirect, WebError> {
    let decision = if form.act == "grant" { AccessDecision::Grant } else { AccessDecision::Refuse };
    let by = me.account_actor();
    desk.accounts.decide_access(&by, form.id, decision).await.map_err(in_words)?;
    Ok(Redirect::to("/admin/requests"))
}
