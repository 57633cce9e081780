//! «Журнал»: who changed what, when and from where.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::state::RIGHT;
use crate::domain::{Channel, PersonId, Timestamp};
use crate::formats::sheet::{self, Cell};
use crate::services::journal::{Choices, Names, action_label, value_label};
use crate::storage::audit::{AuditFilter, AuditRow};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::{WebError, encode};
use crate::web::layout::{Page, Pager, Section, csrf, page as framed};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// Entries on a page.
const PAGE: u32 = 50;

/// The ways by which a change comes.
const CHANNELS: [Channel; 5] =
    [Channel::Panel, Channel::Bot, Channel::Onec, Channel::Cli, Channel::System];

/// The address of a page: everything that it shows.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AuditQuery {
    q: String,
    /// A person's id, or `-`: no person.
    who: String,
    channel: String,
    action: String,
    /// `YYYY-MM-DD`, both days included.
    from: String,
    until: String,
    page: String,
}

impl AuditQuery {
    fn filter(&self, desk: &Desk) -> AuditFilter {
        let midnight = |text: &str, days: i64| -> Option<Timestamp> {
            let day: jiff::civil::Date = text.parse().ok()?;
            let day = day.checked_add(jiff::Span::new().days(days)).ok()?;
            desk.base.zone.moment(day.at(0, 0, 0, 0))
        };
        AuditFilter {
            person: match self.who.as_str() {
                "-" => Some(None),
                who => who.parse().ok().map(|id| Some(PersonId(id))),
            },
            channel: CHANNELS.into_iter().find(|channel| channel.as_str() == self.channel),
            action: self.action.clone(),
            query: self.q.trim().to_owned(),
            from: midnight(&self.from, 0),
            until: midnight(&self.until, 1),
        }
    }

    fn fields(&self) -> [(&'static str, &str); 6] {
        [
            ("q", &self.q),
            ("who", &self.who),
            ("channel", &self.channel),
            ("action", &self.action),
            ("from", &self.from),
            ("until", &self.until),
        ]
    }

    fn is_filtered(&self) -> bool {
        self.fields().iter().any(|(_, value)| !value.is_empty())
    }

    fn href(&self, page: u32) -> String {
        let fields = self.fields();
        let set = fields.iter().filter(|(_, value)| !value.is_empty());
        let mut pairs: Vec<_> =
            set.map(|(name, value)| format!("{name}={}", encode(value))).collect();
        if page > 1 {
            pairs.push(format!("page={page}"));
        }
        let mark = if pairs.is_empty() { "" } else { "?" };
        format!("/admin/audit{mark}{}", pairs.join("&"))
    }
}

/// `GET /admin/audit`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(query): Query<AuditQuery>,
) -> Result<Markup, WebError> {
    me.must_be_admin(RIGHT)?;
    let mut pager = Pager { page: query.page.parse().unwrap_or(1).max(1), size: PAGE, total: 0 };
    let journal = &desk.operations.journal;
    let (rows, total) = journal.page(query.filter(&desk), pager.offset(), PAGE).await?;
    pager.total = total;
    let choices = journal.choices().await?;
    let names = journal.names(&rows).await?;
    let around = around(&desk, &me).await?;
    let content = html! {
        div.page-head {
            h1 { "Журнал" }
            form.head-links method="post" action="/admin/audit/export" {
                (csrf(&visitor))
                @for (name, value) in query.fields() { input type="hidden" name=(name) value=(value); }
                button.button.quiet type="submit" { (icon(Icon::Download)) "Выгрузить .csv" }
            }
        }
        p.lead { "Кто и что изменил. Записи не меняются и не удаляются; секретов в них нет. Правки и статусы заказа — в ленте на странице самого заказа." }
        (filters(&query, &choices))
        div #list {
            @if rows.is_empty() {
                div.empty {
                    (icon(Icon::Journal))
                    @if query.is_filtered() {
                        p { "Ничего не найдено" }
                        a.button href="/admin/audit" { "Сбросить фильтры" }
                    } @else {
                        p { "Записей пока нет. Они появятся с первым входом или изменением." }
                    }
                }
            } @else {
                div.table-wrap {
                    table.cards-on-phone.simple {
                        caption.sr { "Изменения, последние сверху" }
                        thead {
                            tr {
                                th scope="col" { "Когда" } th scope="col" { "Кто" } th scope="col" { "Откуда" }
                                th scope="col" { "Что" } th scope="col" { "Объект" } th scope="col" { "Было → стало" }
                            }
                        }
                        tbody { @for row in &rows { (entry(&desk, row, &names)) } }
                    }
                }
                (pager.render(["запись", "записи", "записей"], |page| query.href(page)))
            }
        }
    };
    let page = Page { title: "Журнал", section: Some(Section::Journal), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

fn filters(query: &AuditQuery, choices: &Choices) -> Markup {
    html! {
        form.filters action="/admin/audit" role="search" aria-label="Отбор записей" data-filters {
            div.grow { (icon(Icon::Search)) input type="search" name="q" value=(query.q) aria-label="Объект, значение или адрес" placeholder="Объект, значение или адрес"; }
            select name="who" aria-label="Кто" {
                option value="" { "Все люди" }
                option value="-" selected[query.who == "-"] { "Программа и командная строка" }
                @for (id, name) in &choices.people { option value=(id) selected[query.who == id.to_string()] { (name) } }
            }
            select name="channel" aria-label="Откуда" {
                option value="" { "Отовсюду" }
                @for channel in CHANNELS { option value=(channel.as_str()) selected[query.channel == channel.as_str()] { (channel.label()) } }
            }
            select name="action" aria-label="Что" {
                option value="" { "Все действия" }
                @for action in &choices.actions { option value=(action) selected[query.action == *action] { (action_label(action)) } }
            }
            span.days {
                label { "с" input type="date" name="from" value=(query.from); }
                label { "по" input type="date" name="until" value=(query.until); }
            }
            button.button type="submit" { "Показать" }
            @if query.is_filtered() { a.button.quiet href="/admin/audit" { "Сбросить" } }
        }
    }
}

fn entry(desk: &Desk, row: &AuditRow, names: &Names) -> Markup {
    let now = desk.base.clock.now();
    html! {
        tr {
            td.nowrap data-label="Когда" { time datetime=(desk.base.zone.rfc3339(row.at)) title=(desk.base.zone.rfc3339(row.at)) { (desk.base.zone.date_time(row.at, now)) } }
            td data-label="Кто" { (who(row)) }
            td data-label="Откуда" { (row.channel.label()) @if !row.address.is_empty() { span.sub { (row.address) } } }
            td data-label="Что" { (action_label(&row.action)) }
            td data-label="Объект" { (object(row, names)) }
            td.words data-label="Было → стало" data-none[row.before.is_none() && row.after.is_none()] { (change(row)) }
        }
    }
}

fn who(row: &AuditRow) -> String {
    match (&row.person_name, row.person) {
        (Some(name), _) if !name.is_empty() => name.clone(),
        (_, Some(person)) => format!("человек без имени, №\u{a0}{person}"),
        _ => "программа".to_owned(),
    }
}

/// What kind of thing an entry is about.
fn kind_label(kind: &str) -> &str {
    match kind {
        "person" => "человек",
        "organization" => "организация",
        "member" => "участник",
        "product" => "товар",
        "order" => "заказ",
        "setting" => "настройка",
        "backup" => "копия",
        "outbox" => "исходящие",
        "synonym" => "синоним",
        "view" => "вид заказов",
        "access" | "request" | "access_request" => "запрос доступа",
        "audit" => "журнал",
        "exchange" => "обмен",
        "hiding" => "скрытие товаров",
        "onec" => "1С",
        "onec.status" => "статус 1С",
        "golden" => "эталоны",
        "database" => "база данных",
        other => other,
    }
}

fn object(row: &AuditRow, names: &Names) -> Markup {
    let (kind, id) = row.object.split_once(':').unwrap_or((row.object.as_str(), ""));
    let name = names.get(&row.object).map(String::as_str);
    let label = kind_label(kind);
    let called = match (kind, name, id.parse::<i64>()) {
        ("order", Some(number), _) => format!("{label} №\u{a0}{number}"),
        (_, Some(name), _) => name.to_owned(),
        // The number is all that is left, or all there is.
        (_, None, Ok(number)) => format!("{label} №\u{a0}{number}"),
        _ if id.is_empty() => label.to_owned(),
        _ => format!("{label} «{id}»"),
    };
    let href = match (kind, name) {
        ("exchange", _) => Some(format!("/admin/exchange/{id}")),
        ("order", Some(number)) => Some(format!("/admin/orders/{number}")),
        ("organization", Some(_)) => Some(format!("/admin/clients/{id}")),
        ("person", Some(_)) => Some(format!("/admin/people/{id}")),
        ("product", Some(_)) => Some(format!("/admin/catalog/products/{id}")),
        ("setting", _) => Some("/admin/settings".to_owned()),
        _ => None,
    };
    html! {
        @if let Some(href) = href { a href=(href) { (called) } } @else { (called) }
        @if name.is_some() && kind != "order" { span.sub { (label) } }
    }
}

fn change(row: &AuditRow) -> Markup {
    let said = |value: &str| value_label(&row.action, value).to_owned();
    html! {
        @match (row.before.as_deref().map(said), row.after.as_deref().map(said)) {
            (None, None) => "—",
            (Some(before), None) => { del { (before) } },
            (None, Some(after)) => { ins { (after) } },
            (Some(before), Some(after)) => { del { (before) } " → " ins { (after) } },
        }
    }
}

/// `POST /admin/audit/export`: what the page's filter shows, as .csv. No `GET`: it leaves a trace.
pub async fn export(
    State(desk): State<Desk>,
    me: ManagerSession,
    Form(query): Form<AuditQuery>,
) -> Result<Response, WebError> {
    me.must_be_admin(RIGHT)?;
    let by = me.account_actor();
    let rows = desk.operations.journal.export(by, query.filter(&desk)).await?;
    let heads = ["Когда", "Кто", "Откуда", "Адрес", "Действие", "Код", "Объект", "Было", "Стало"];
    let mut cells = vec![heads.map(Cell::text).to_vec()];
    cells.extend(rows.iter().map(|row| {
        vec![
            Cell::text(desk.base.zone.rfc3339(row.at)),
            Cell::text(who(row)),
            Cell::text(row.channel.label()),
            Cell::text(&row.address),
            Cell::text(action_label(&row.action)),
            Cell::text(&row.action),
            Cell::text(&row.object),
            Cell::text(row.before.clone().unwrap_or_default()),
            Cell::text(row.after.clone().unwrap_or_default()),
        ]
    }));
    let today = desk.base.zone.civil(desk.base.clock.now()).date();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"journal-{today}.csv\"")),
    ];
    Ok((headers, sheet::csv(&cells)).into_response())
}
