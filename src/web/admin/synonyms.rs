//! «Синонимы»: words that mean other words or a product, and what clients' choices have taught.

mod learnt;

pub use learnt::{decide, page as learnt};

use axum::Form;
use axum::extract::{FromRequest as _, Multipart, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::{OrganizationId, ru};
use crate::services::bench::SynonymsImported;
use crate::storage::directory::{ClientFilter, ClientRow};
use crate::storage::synonyms::{SynonymFilter, SynonymRow};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::admin::search::CLIENTS;
use crate::web::error::{WebError, encode};
use crate::web::layout::{Page, Pager, Section, Tone, badge, csrf, page as framed};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// Rows of a page.
const PAGE: u32 = 50;

/// Rows of a file that were left out and are named on the page.
const NAMED: usize = 100;

/// Texts that are named in a warning.
const TOLD: usize = 5;

/// The address of the list of synonyms.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SynonymQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    origin: String,
    /// `own`, `all`; empty: both.
    #[serde(default)]
    scope: String,
    #[serde(default)]
    page: String,
    /// Words to begin a new synonym with.
    #[serde(default)]
    words: String,
    /// What they mean, where that was typed already.
    #[serde(default)]
    means: String,
}

impl SynonymQuery {
    fn href(&self, page: u32) -> String {
        format!(
            "/admin/synonyms?q={}&origin={}&scope={}&page={page}",
            encode(&self.q),
            encode(&self.origin),
            encode(&self.scope)
        )
    }

    fn filter(&self) -> SynonymFilter {
        SynonymFilter {
            query: self.q.clone(),
            origin: self.origin.clone(),
            own: match self.scope.as_str() {
                "own" => Some(true),
                "all" => Some(false),
                _ => None,
            },
        }
    }

    /// The address of a file with what is listed.
    fn export(&self) -> String {
        let list = self.href(1);
        let query = list.split_once('?').map_or("", |(_, query)| query);
        format!("/admin/synonyms/export?{query}")
    }
}

/// `GET /admin/synonyms`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(query): Query<SynonymQuery>,
) -> Result<Markup, WebError> {
    let page = draw(&desk, &visitor, &me, &query, &html! {}).await?;
    Ok(page)
}

async fn draw(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    query: &SynonymQuery,
    notice: &Markup,
) -> Result<Markup, WebError> {
    let mut pager = Pager { page: query.page.parse().unwrap_or(1).max(1), size: PAGE, total: 0 };
    let found = desk.bench().synonyms(query.filter(), pager.offset(), PAGE).await?;
    pager.total = found.total;
    let clients = desk.directory().clients(ClientFilter::default(), 0, CLIENTS).await?.rows;
    let waiting = desk.bench().unchecked(0, 0).await?.1;
    let around = around(desk, me).await?;
    let admin = me.must_be_admin("").is_ok();
    let content = html! {
        div.page-head {
            h1 { "Синонимы" }
            div.buttons {
                a.button.quiet href=(query.export()) { (icon(Icon::Download)) "Выгрузить .csv" }
            }
        }
        (tabs(false, waiting))
        (notice)
        (add_form(visitor, query, &clients, admin))
        @if admin { (file_form(visitor)) }
        form.filters action="/admin/synonyms" role="search" aria-label="Отбор синонимов" data-filters {
            div.grow { (icon(Icon::Search)) input type="search" name="q" value=(query.q) aria-label="Слова, товар или клиент" placeholder="Слова, товар или клиент"; }
            select name="scope" aria-label="Для кого" {
                @for (code, word) in [("", "Для всех и клиентов"), ("all", "Только для всех"), ("own", "Только для клиентов")] {
                    option value=(code) selected[query.scope == code] { (word) }
                }
            }
            select name="origin" aria-label="Откуда" {
                option value="" { "Откуда угодно" }
                @for code in ["starter", "manual", "learnt", "onec"] { option value=(code) selected[query.origin == code] { (origin(code)) } }
            }
            button.button type="submit" { "Найти" }
        }
        div #list {
            @if found.rows.is_empty() {
                div.empty { (icon(Icon::Synonyms)) p { "Ничего не найдено" } a.button href="/admin/synonyms" { "Сбросить фильтры" } }
            } @else {
                div.table-wrap {
                    table.cards-on-phone.simple {
                        caption.sr { "Синонимы" }
                        thead { tr { th scope="col" { "Клиент пишет" } th scope="col" { "Это значит" } th scope="col" { "Для кого" } th scope="col" { "Откуда" } th scope="col" { "Состояние" } th scope="col" { span.sr { "Действия" } } } }
                        tbody { @for row in &found.rows { (synonym_row(visitor, row, admin)) } }
                    }
                }
                (pager.render(["синоним", "синонима", "синонимов"], |page| query.href(page)))
            }
        }
    };
    let page =
        Page { title: "Синонимы", section: Some(Section::Synonyms), class: "", content };
    Ok(framed(visitor, &around, &page))
}

/// The synonyms, and what waits to be looked at.
fn tabs(learnt: bool, waiting: u32) -> Markup {
    html! {
        nav.tabs aria-label="Синонимы и выученное" {
            a href="/admin/synonyms" aria-current=[(!learnt).then_some("page")] { "Синонимы" }
            a href="/admin/synonyms/learnt" aria-current=[learnt.then_some("page")] {
                "Выучено, проверьте" @if waiting > 0 { span.count { (ru::thousands(u64::from(waiting))) } }
            }
        }
    }
}

fn add_form(visitor: &Visitor, query: &SynonymQuery, clients: &[ClientRow], admin: bool) -> Markup {
    html! {
        details.card.add open[!query.words.is_empty()] {
            summary { (icon(Icon::Plus)) "Добавить синоним" }
            form.body.inline-form method="post" action="/admin/synonyms" {
                (csrf(visitor))
                div.field { label for="words" { "Клиент пишет" } input #words type="text" name="words" value=(query.words) required maxlength="200" placeholder="т.шт"; }
                div.field { label for="means" { "Это значит" } input #means type="text" name="means" value=(query.means) required maxlength="200" placeholder="тыс шт"; }
                div.field {
                    label for="for" { "Для кого" }
                    select #for name="organization" {
                        @if admin { option value="" { "Для всех" } }
                        @for client in clients { option value=(client.id) { (client.name) } }
                    }
                }
                button.button.primary type="submit" { "Добавить" }
            }
        }
    }
}

fn file_form(visitor: &Visitor) -> Markup {
    html! {
        details.card.add {
            summary { (icon(Icon::Upload)) "Загрузить из файла" }
            form.body.inline-form method="post" action="/admin/synonyms/import" enctype="multipart/form-data" {
                (csrf(visitor))
                div.field.grow {
                    label for="file" { "Файл .csv" }
                    input #file type="file" name="file" required accept=".csv";
                    span.hint { "Столбцы words и means; вместо means можно article, для одного клиента — client. " a href="/admin/synonyms/export" { "Образец — нынешний список" } }
                }
                button.button.primary type="submit" { "Загрузить" }
            }
        }
    }
}

fn origin(code: &str) -> &'static str {
    match code {
        "starter" => "начальный набор",
        "manual" => "вручную",
        "learnt" => "обучение",
        "onec" => "1С",
        _ => "—",
    }
}

fn synonym_row(visitor: &Visitor, row: &SynonymRow, admin: bool) -> Markup {
    let mine = admin || row.organization.is_some();
    let means = if row.product.is_some() { &row.product_title } else { &row.means };
    html! {
        tr {
            td { strong { "«" (row.words) "»" } }
            td { @if row.product.is_some() { (badge(Tone::Info, "товар")) " " } (means) }
            td { @if row.organization_name.is_empty() { "все" } @else { (row.organization_name) } }
            td.muted { (origin(&row.origin)) }
            td { @if row.enabled { (badge(Tone::Ok, "действует")) } @else { (badge(Tone::Neutral, "выключен")) } }
            td.num {
                @if mine {
                    form.in-row method="post" action="/admin/synonyms/change" {
                        (csrf(visitor))
                        input type="hidden" name="id" value=(row.id);
                        input type="hidden" name="organization" value=(row.organization.map(|o| o.to_string()).unwrap_or_default());
                        button.button.small type="submit" name="act" value=(if row.enabled { "off" } else { "on" })
                            aria-label=(format!("{}: «{}»", if row.enabled { "Выключить" } else { "Включить" }, row.words)) {
                            (if row.enabled { "Выключить" } else { "Включить" })
                        }
                        button.button.small.quiet.danger type="submit" name="act" value="delete"
                            data-confirm=(format!("Удалить синоним «{}»?", row.words))
                            aria-label=(format!("Удалить: «{}»", row.words)) { "Удалить" }
                    }
                }
            }
        }
    }
}

/// A new synonym.
#[derive(Debug, Deserialize)]
pub struct SynonymForm {
    words: String,
    means: String,
    #[serde(default)]
    organization: String,
    /// `1`: the texts that it changes have been named.
    #[serde(default)]
    sure: String,
}

/// `POST /admin/synonyms`: adds it; one for all that changes what is certain in a text of the
/// «Эталоны» is asked about first.
pub async fn add(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Form(form): Form<SynonymForm>,
) -> Result<Response, WebError> {
    let organization = form.organization.parse().ok().map(OrganizationId);
    if organization.is_none() {
        me.must_be_admin("синонимы для всех")?;
        if form.sure != "1" {
            let changed = desk.bench().changed_by(&form.words, &form.means).await?;
            if !changed.is_empty() {
                let query = SynonymQuery {
                    words: form.words,
                    means: form.means,
                    ..SynonymQuery::default()
                };
                let notice = touches(&visitor, &query, &changed);
                let page = draw(&desk, &visitor, &me, &query, &notice).await?;
                return Ok((StatusCode::CONFLICT, page).into_response());
            }
        }
    }
    desk.bench().add_synonym(me.account_actor(), organization, &form.words, &form.means).await?;
    Ok(Redirect::to("/admin/synonyms").into_response())
}

/// What a new synonym would change, and the way to add it all the same.
fn touches(visitor: &Visitor, query: &SynonymQuery, changed: &[String]) -> Markup {
    let count = ru::count(changed.len() as u64, ["эталон", "эталона", "эталонов"]);
    html! {
        section.card.narrow role="alert" aria-labelledby="touches-title" {
            header { h2 #touches-title { "Затронет " (count) } }
            div.body {
                p { "Синоним «" (query.words) "» → «" (query.means) "» изменит товары, которые сейчас узнаются уверенно:" }
                ul.plain-list {
                    @for name in changed.iter().take(TOLD) { li { (name) } }
                    @if changed.len() > TOLD { li.muted { "и ещё " (changed.len() - TOLD) } }
                }
                form.buttons method="post" action="/admin/synonyms" {
                    (csrf(visitor))
                    input type="hidden" name="words" value=(query.words);
                    input type="hidden" name="means" value=(query.means);
                    input type="hidden" name="sure" value="1";
                    a.button.primary href="/admin/synonyms" { "Не добавлять" }
                    button.button type="submit" { "Всё равно добавить" }
                }
            }
        }
    }
}

/// `GET /admin/synonyms/export`: what the list shows, as .csv.
pub async fn export(
    State(desk): State<Desk>,
    _me: ManagerSession,
    Query(query): Query<SynonymQuery>,
) -> Result<Response, WebError> {
    let file = desk.bench().export_synonyms(query.filter()).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"synonyms.csv\""),
    ];
    Ok((headers, file).into_response())
}

/// `POST /admin/synonyms/import`
pub async fn import(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    request: Request,
) -> Result<Response, WebError> {
    me.must_be_admin("загружать синонимы")?;
    let file = uploaded(&desk, request).await?;
    let done = desk.bench().import_synonyms(file).await?;
    let query = SynonymQuery::default();
    Ok(draw(&desk, &visitor, &me, &query, &loaded(&done)).await?.into_response())
}

/// The file of a form that holds one.
pub async fn uploaded(desk: &Desk, request: Request) -> Result<Vec<u8>, WebError> {
    let none = || WebError::Invalid("Выберите файл и отправьте форму снова.".to_owned());
    let broken = |_| WebError::Invalid("Файл пришёл не целиком, отправьте его ещё раз.".to_owned());
    let mut form = Multipart::from_request(request, desk).await.map_err(|_| none())?;
    while let Some(field) = form.next_field().await.map_err(broken)? {
        if field.name() == Some("file") {
            let bytes = field.bytes().await.map_err(broken)?;
            return if bytes.is_empty() { Err(none()) } else { Ok(bytes.to_vec()) };
        }
    }
    Err(none())
}

fn loaded(done: &SynonymsImported) -> Markup {
    html! {
        section.card.narrow role="status" aria-labelledby="loaded-title" {
            header { h2 #loaded-title { "Загружено" } }
            dl.figures.three {
                div { dt { "Добавлено" } dd { (done.added) } }
                div { dt { "Были и раньше" } dd { (done.known) } }
                div { dt { "Пропущено" } dd { (done.refused.len()) } }
            }
            @if !done.refused.is_empty() {
                ul.rows {
                    @for (line, why) in done.refused.iter().take(NAMED) { li { "Строка " (line) ": " (why) } }
                    @if done.refused.len() > NAMED { li.muted { "и ещё " (done.refused.len() - NAMED) } }
                }
            }
        }
    }
}

/// What to do with a synonym.
#[derive(Debug, Deserialize)]
pub struct ChangeForm {
    id: i64,
    act: String,
}

/// `POST /admin/synonyms/change`
pub async fn change(
    State(desk): State<Desk>,
    me: ManagerSession,
    Form(form): Form<ChangeForm>,
) -> Result<Redirect, WebError> {
    let own = desk.bench().synonym_is_own(form.id).await?.ok_or(WebError::NotFound)?;
    if !own {
        me.must_be_admin("синонимы для всех")?;
    }
    let found = match form.act.as_str() {
        "delete" => desk.bench().remove_synonym(me.account_actor(), form.id).await?,
        act => desk.bench().set_synonym_enabled(me.account_actor(), form.id, act == "on").await?,
    };
    if found { Ok(Redirect::to("/admin/synonyms")) } else { Err(WebError::NotFound) }
}
