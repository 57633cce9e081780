//! One exchange: its steps, counts, warnings, raw files, and the replay.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::{duration, ending, figure};
use crate::domain::{ru, time};
use crate::services::exchange::journal::{Details, ReplayError, kind_label, way_label};
use crate::storage::exchange_log::ProblemRow;
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, csrf, page as framed};
use crate::web::markup::{Icon, icon, small_icon};
use crate::web::session::{ManagerSession, Visitor};

/// Problems that are named on the page.
const NAMED: usize = 200;

/// `GET /admin/exchange/{id}`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Path(id): Path<i64>,
) -> Result<Markup, WebError> {
    let session = desk.exchange.details(id).await?.ok_or(WebError::NotFound)?;
    let import = desk.exchange.import_of(id).await?;
    let held = desk.exchange.held_hiding().await?;
    let waits = held.is_some_and(|held| held.exchange == Some(id));
    let tabular = import.as_ref().is_some_and(|import| import.row.tabular);
    let around = around(&desk, &me).await?;
    let admin = me.must_be_admin("").is_ok();
    let title = format!("Обмен №\u{a0}{id}");
    let content = html! {
        div.page-head {
            a.back href="/admin/exchange" aria-label="К журналу обменов" { (icon(Icon::Back)) }
            h1 { (title) ", " (kind_label(&session.row.kind).to_lowercase()) }
            (ending(&session.row))
            @if admin && session.can_replay() {
                div.buttons {
                    form method="post" action=(format!("/admin/exchange/{id}/replay")) {
                        (csrf(&visitor))
                        button.button type="submit" data-confirm="Применить те же файлы ещё раз? Более новые данные из 1С могут вернуться к прежним." { (icon(Icon::Exchange)) "Повторить" }
                    }
                }
            }
        }
        div.two {
            div {
                @if !session.row.error.is_empty() {
                    p.notice data-tone="danger" role="alert" { (icon(Icon::Alert)) span { (session.row.error) } }
                }
                (figures(&session, waits))
                @if let Some(import) = &import { (super::undo::card(&desk, &visitor, admin, import)) }
                (warnings(&session))
                (problems(&session, tabular))
                (steps(&desk, &session))
                @if session.row.error.is_empty() && session.problems.is_empty() && session.steps.is_empty() {
                    p.muted.aside-note { "Замечаний нет." }
                }
            }
            aside aria-label="Об обмене" {
                (facts(&desk, &session))
                (files(&session, admin))
                (others(&desk, &session))
            }
        }
    };
    let page = Page { title: &title, section: Some(Section::Exchange), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

fn figures(session: &Details, waits: bool) -> Markup {
    let row = &session.row;
    let mut figures = vec![("Создано", row.created), ("Изменено", row.changed)];
    if row.kind == "catalog" {
        figures.push(("Без изменений", row.unchanged));
    } else {
        figures.push(("Получено", row.received));
    }
    figures.push(("Пропущено", row.skipped));
    if row.kind == "orders" {
        figures = vec![("Отдано заказов", row.received)];
    }
    html! {
        section.card aria-label="Счёт" {
            dl.figures.four {
                @for (word, count) in figures { div { dt { (word) } dd { (figure(count)) } } }
            }
            @if row.hidden > 0 { p.notice data-tone="warn" { (icon(Icon::Alert)) span { (if row.way == "import" { "Скрыто как отсутствующие в файле: " } else { "Скрыто как отсутствующие в полной выгрузке: " }) (ru::thousands(u64::from(row.hidden))) } } }
            @if waits { p.notice data-tone="warn" { (icon(Icon::Alert)) span { "Скрытие ждёт решения: " (ru::count(u64::from(row.held), super::RECORDS)) ". " a href="/admin/exchange" { "Решить" } } } }
        }
    }
}

/// What is wrong with the whole.
fn warnings(session: &Details) -> Markup {
    let whole: Vec<_> = session.problems.iter().filter(|p| p.record.is_none()).collect();
    html! {
        @if !whole.is_empty() {
            section.card aria-labelledby="warnings-title" {
                header { h2 #warnings-title { "Замечания ко всему обмену" } span.count { (whole.len()) } }
                ul.rows { @for warning in whole { li { (small_icon(Icon::Alert)) span.grow { (warning.reason) } } } }
            }
        }
    }
}

/// What records are called in an exchange of this kind.
fn entity(kind: &str) -> &'static str {
    match kind {
        "catalog" => "Товар",
        "members" | "balances" => "Организация",
        "purchases" => "Строка",
        _ => "Заказ",
    }
}

fn problems(session: &Details, tabular: bool) -> Markup {
    let records: Vec<_> = session.problems.iter().filter(|p| p.record.is_some()).collect();
    html! {
        @if !records.is_empty() {
            section.card aria-labelledby="problems-title" {
                header { h2 #problems-title { "Пропущено" } span.count { (ru::thousands(u64::from(session.row.skipped).max(records.len() as u64))) } }
                div.table-wrap {
                    table.cards-on-phone.simple {
                        caption.sr { "Пропущенные записи с причинами" }
                        thead { tr { th scope="col" { (entity(&session.row.kind)) } th scope="col" { (if tabular { "Строка" } else { "Запись" }) } th scope="col" { "Поле" } th scope="col" { "Причина" } } }
                        tbody { @for problem in records.iter().take(NAMED) { (problem_row(problem, tabular)) } }
                    }
                }
                @if records.len() > NAMED { p.body.muted { "Показаны первые " (NAMED) "." } }
            }
        }
    }
}

fn problem_row(problem: &ProblemRow, tabular: bool) -> Markup {
    // «поле «price» = «12р»: не число» names the field first.
    let parts = problem.reason.strip_prefix("поле ").and_then(|rest| rest.split_once(": "));
    let (field, reason) = parts.unwrap_or(("", &problem.reason));
    html! {
        tr {
            td { @if problem.sku.is_empty() { span.muted { "без имени" } } @else { strong { (problem.sku) } } }
            td.muted { @if let Some(record) = problem.record { (if tabular { "строка\u{a0}" } else { "запись\u{a0}" }) (ru::thousands(u64::from(record) + 1)) } }
            td { @if field.is_empty() { span.muted { "—" } } @else { (field) } }
            td { (reason) }
        }
    }
}

fn steps(desk: &Desk, session: &Details) -> Markup {
    let now = desk.base.clock.now();
    html! {
        @if !session.steps.is_empty() {
            section.card aria-labelledby="steps-title" {
                header { h2 #steps-title { "Шаги" } span.count { (session.steps.len()) } }
                ol.timeline {
                    @for step in &session.steps {
                        li {
                            span.pip { (small_icon(Icon::Check)) }
                            p.what { (step.step) }
                            time datetime=(desk.base.zone.rfc3339(step.at)) { (desk.base.zone.date_time(step.at, now)) }
                        }
                    }
                }
            }
        }
    }
}

fn facts(desk: &Desk, session: &Details) -> Markup {
    let (base, row) = (&desk.base, &session.row);
    let now = base.clock.now();
    html! {
        section.card aria-labelledby="facts-title" {
            header { h2 #facts-title { "Сведения" } }
            div.body {
                dl.facts {
                    dt { "Когда" } dd { (base.zone.date_time(row.at, now)) @if now.since(row.at).as_secs() >= 60 { ", " (time::ago(now.since(row.at))) " назад" } }
                    @if row.way != "import" { dt { "Направление" } dd { (if row.kind == "orders" { "в 1С" } else { "из 1С" }) } }
                    dt { "Способ" } dd { (way_label(&row.way)) }
                    @if !row.address.is_empty() { dt { (if row.way == "import" { "Имя файла" } else { "Адрес" }) } dd { (row.address) } }
                    @if !row.sender.is_empty() { dt { "Программа" } dd { (row.sender) } }
                    dt { "Длилось" } dd { (duration(row.duration_ms)) }
                    @if !row.request_id.is_empty() { dt { "Код запроса" } dd { code { (row.request_id) } } }
                    @if !row.session.is_empty() { dt { "Сеанс 1С" } dd { code { (ru::ellipsis(&row.session, 16)) } } }
                }
            }
        }
    }
}

/// «12 КБ».
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{}\u{a0}КБ", bytes.div_ceil(1_000)),
        _ => format!("{}\u{a0}МБ", ru::thousands(bytes / 1_000_000)),
    }
}

fn files(session: &Details, admin: bool) -> Markup {
    let id = session.row.id;
    html! {
        @if !session.files.is_empty() {
            section.card aria-labelledby="files-title" {
                header { h2 #files-title { "Исходные файлы" } span.count { "7\u{a0}дней" } }
                ul.rows {
                    @for (index, file) in session.files.iter().enumerate() {
                        li {
                            div.grow { (file.name) span.sub { (size(file.bytes)) } }
                            @if file.path.is_none() { span.muted { "удалён" } }
                            @else if admin {
                                a.button.small href=(format!("/admin/exchange/{id}/files/{index}")) download { (icon(Icon::Download)) "Скачать" span.sr { " " (file.name) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn others(desk: &Desk, session: &Details) -> Markup {
    let now = desk.base.clock.now();
    html! {
        @if !session.others.is_empty() {
            section.card aria-labelledby="session-title" {
                header { h2 #session-title { "В том же сеансе" } span.count { (session.others.len()) } }
                ul.rows {
                    @for other in &session.others {
                        li {
                            div.grow {
                                a href=(format!("/admin/exchange/{}", other.id)) { (kind_label(&other.kind)) ", №\u{a0}" (other.id) }
                                span.sub { (desk.base.zone.date_time(other.at, now)) }
                            }
                            (ending(other))
                        }
                    }
                }
            }
        }
    }
}

/// `POST /admin/exchange/{id}/replay`: applies the same files once more.
pub async fn replay(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(id): Path<i64>,
) -> Result<Redirect, WebError> {
    me.must_be_admin("повторять обмен")?;
    match desk.exchange.replay(id, me.account_actor()).await {
        Ok(replayed) => {
            let last = replayed.exchanges.last().copied().unwrap_or(id);
            Ok(Redirect::to(&format!("/admin/exchange/{last}")))
        }
        Err(ReplayError::NotFound) => Err(WebError::NotFound),
        Err(ReplayError::Storage(error)) => Err(WebError::internal(error)),
        Err(ReplayError::Busy) => Err(WebError::Conflict(ReplayError::Busy.to_string())),
        Err(error) => Err(WebError::Invalid(format!("Обмен не повторён: {error}."))),
    }
}

/// `GET /admin/exchange/{id}/files/{index}`: a raw file as it came. It holds phones and debts, so
/// only an administrator takes it away.
pub async fn file(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path((id, index)): Path<(i64, usize)>,
) -> Result<Response, WebError> {
    me.must_be_admin("скачивать файлы обмена")?;
    let session = desk.exchange.details(id).await?.ok_or(WebError::NotFound)?;
    let file = session.files.into_iter().nth(index).ok_or(WebError::NotFound)?;
    let path = file.path.ok_or(WebError::NotFound)?;
    let opened = tokio::fs::File::open(&path).await.map_err(|_| WebError::NotFound)?;
    let stream = tokio_util::io::ReaderStream::new(opened);
    // The sender's name is only a hint: what is not plain ASCII stays out of the header.
    let tail = file.name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name: String = tail.chars().filter(plain).take(80).collect();
    let name = if name.is_empty() { format!("exchange-{id}") } else { name };
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{id}-{name}\"")),
    ];
    Ok((headers, axum::body::Body::from_stream(stream)).into_response())
}
