//! «Клиенты»: organizations, people, requests for access.

mod import;
mod one;
mod person;

pub use import::{export, page as import_page, take as import_take};
pub use one::{act, one};
pub use person::{act_on_person, person};

use axum::Form;
use axum::extract::{Query, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::{OrgKind, time};
use crate::services::accounts::{AccessDecision, AccountError};
use crate::storage::directory::{ClientFilter, ClientRow, PersonLine};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::{WebError, encode};
use crate::web::layout::{Page, Pager, Section, Tone, badge, csrf, page as framed};
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
        div.page-head {
            h1 { "Клиенты" }
            div.buttons {
                details.menu data-menu {
                    summary.button.quiet { (icon(Icon::Download)) "Выгрузить" }
                    div.popover {
                        @for format in ["xlsx", "csv"] {
                            a.item href=(format!("/admin/clients/export/{format}")) { "Список в ." (format) }
                        }
                    }
                }
                @if me.must_be_admin("").is_ok() { a.button href="/admin/clients/import" { (icon(Icon::Upload)) "Загрузить файл" } }
            }
        }
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
                                th scope="col" { "Последний заказ" } th scope="col" { "Состояние" }
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
            td.muted data-label="ИНН" data-none[row.inn.is_none()] { (row.inn.as_deref().unwrap_or("—")) }
            td.num data-label="Люди" { (row.people) }
            td.num data-label="Заказы за 90\u{a0}дн" { (row.orders) }
            td.num data-label="На сумму" { (row.total) }
            td.muted data-label="Последний заказ" data-none[row.last_order_at.is_none()] { @if let Some(at) = row.last_order_at { (desk.base.zone.date(at, now)) } @else { "—" } }
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
                        thead { tr { th scope="col" { "Имя" } th scope="col" { "Телефон" } th.roomy scope="col" { "Роль" } th.roomy scope="col" { "Организация" } th.roomy scope="col" { "Последний визит" } th scope="col" { "Состояние" } } }
                        tbody { @for person in &found.rows { (person_row(&desk, person)) } }
                    }
                }
                (pager.render(["человек", "человека", "человек"], |page| query.href("/admin/people", page)))
            }
        }
    };
    let page = Page { title: "Люди", section: Some(Section::Clients), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

fn person_row(desk: &Desk, person: &PersonLine) -> Markup {
    let now = desk.base.clock.now();
    html! {
        tr.link {
            td { a.main-link href=(format!("/admin/people/{}", person.id)) { @if person.name.is_empty() { "Без имени" } @else { (person.name) } } }
            td.nowrap data-label="Телефон" data-none[person.phone.is_none()] {
                @if let Some(phone) = &person.phone {
                    (phone)
                    @if person.phone_verified { " " span title="подтверждён" { "✓" span.sr { " подтверждён" } } } @else { span.sub { "не подтверждён" } }
                } @else { span.muted { "—" } }
            }
            td.roomy data-label="Роль" { (person::role(person).label()) }
            td.roomy data-label="Организация" data-none[person.organizations.is_empty()] { @if person.organizations.is_empty() { span.muted { "—" } } @else { (person.organizations) } }
            td.muted.roomy data-label="Последний визит" data-none[person.seen_at.is_none()] { @if let Some(at) = person.seen_at { (time::ago_in_sentence(now.since(at))) } @else { "не было" } }
            td { (person_state(person)) }
        }
    }
}

fn person_state(person: &PersonLine) -> Markup {
    html! {
        @if person.blocked { (badge(Tone::Danger, "доступ закрыт")) }
        @else if person.chat_blocked { (badge(Tone::Warn, "бот заблокирован")) }
        @else if person.chats > 0 { (badge(Tone::Ok, "на связи")) }
        @else { (badge(Tone::Neutral, "без чата")) }
    }
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
