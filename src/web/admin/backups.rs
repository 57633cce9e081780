//! «Резервные копии»: when the last good one was made, all of them, and how to go back to one.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tokio_util::io::ReaderStream;

use super::state::{RIGHT, age};
use crate::domain::ru;
use crate::services::backup::{self, BackupError, BackupFile, BackupStatus, Reason};
use crate::services::health::bytes;
use crate::storage::backup::Contents;
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, Tone, badge, csrf, page as framed};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// What has just been done.
enum News {
    Made(String),
    Sound(String, Contents),
    Bad(String),
}

/// `GET /admin/backups`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
) -> Result<Markup, WebError> {
    me.must_be_admin(RIGHT)?;
    show(&desk, &visitor, &me, None).await
}

/// `POST /admin/backups`: makes a copy.
pub async fn make(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
) -> Result<Markup, WebError> {
    me.must_be_admin(RIGHT)?;
    let news = match desk.operations.backups.make(Reason::Manual, None).await {
        Ok((file, _)) => {
            let name = name_of(&file);
            let (by, object) = (me.account_actor(), format!("backup:{name}"));
            let size = bytes(file.size);
            desk.operations.journal.note(&by, "backup.made", &object, (None, Some(&size))).await?;
            News::Made(name)
        }
        Err(error) => News::Bad(format!("Копия не сделана: {error}")),
    };
    show(&desk, &visitor, &me, Some(&news)).await
}

/// `POST /admin/backups/{name}/verify`: reads a copy to its end.
pub async fn verify(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Path(name): Path<String>,
) -> Result<Markup, WebError> {
    me.must_be_admin(RIGHT)?;
    let file = find(&desk, &name).await?;
    let news = match desk.operations.backups.verify(Some(file.path)).await {
        Ok((_, contents)) => News::Sound(name, contents),
        Err(error) => News::Bad(format!("Копия {name} не годится: {error}")),
    };
    show(&desk, &visitor, &me, Some(&news)).await
}

/// `POST /admin/backups/{name}/download`: the file itself, piece by piece. No `GET`: it holds
/// everything, and taking it leaves a trace.
pub async fn download(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(name): Path<String>,
) -> Result<Response, WebError> {
    me.must_be_admin(RIGHT)?;
    let file = find(&desk, &name).await?;
    let opened = tokio::fs::File::open(&file.path).await.map_err(WebError::internal)?;
    let (by, object) = (me.account_actor(), format!("backup:{name}"));
    desk.operations.journal.note(&by, "backup.downloaded", &object, (None, None)).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/vnd.sqlite3".to_owned()),
        (header::CONTENT_LENGTH, file.size.to_string()),
        // As it is: whoever takes it may compare its size and its sum.
        (header::CONTENT_ENCODING, "identity".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, Body::from_stream(ReaderStream::new(opened))).into_response())
}

/// The copy of this name: only what is in the list is there.
async fn find(desk: &Desk, name: &str) -> Result<BackupFile, WebError> {
    let files = desk.operations.backups.list().await.map_err(in_words)?;
    files.into_iter().find(|file| name_of(file) == name).ok_or(WebError::NotFound)
}

fn in_words(error: BackupError) -> WebError {
    WebError::internal(error)
}

fn name_of(file: &BackupFile) -> String {
    file.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

async fn show(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    news: Option<&News>,
) -> Result<Markup, WebError> {
    let files = desk.operations.backups.list().await;
    let status = desk.operations.backups.status().await;
    let around = around(desk, me).await?;
    let content = html! {
        div.page-head {
            h1 { "Резервные копии" }
            form.head-links method="post" action="/admin/backups" {
                (csrf(visitor))
                button.button.primary type="submit" { (icon(Icon::Plus)) "Создать" }
            }
        }
        @if let Some(news) = news { (told(news)) }
        @match (&files, &status) {
            (Ok(files), Ok(status)) => {
                p.lead { (sentence(desk, status)) " " (schedule(desk, status)) }
                @if let Some((at, why)) = &status.failed {
                    p.notice data-tone="danger" { (icon(Icon::Alert)) span { "Копия " (desk.base.zone.date_time(*at, desk.base.clock.now())) " не сделана: " (why) } }
                }
                (list(desk, visitor, files))
                (restoring(files))
            },
            (Err(error), _) | (_, Err(error)) => {
                p.notice data-tone="danger" role="alert" { (icon(Icon::Alert)) span { "Папка копий не читается: " (error) ". Исправьте backup.dir или права на папку." } }
            },
        }
    };
    let page =
        Page {
            title: "Резервные копии", section: Some(Section::Backups), class: "", content
        };
    Ok(framed(visitor, &around, &page))
}

fn told(news: &News) -> Markup {
    html! {
        @match news {
            News::Made(name) => p.notice data-tone="ok" role="status" { (icon(Icon::Check)) span { "Копия " (name) " сделана и проверена." } },
            News::Sound(name, contents) => p.notice data-tone="ok" role="status" {
                (icon(Icon::Check))
                span { "Копия " (name) " цела: " (holds(contents)) "." }
            },
            News::Bad(text) => p.notice data-tone="danger" role="alert" { (icon(Icon::Alert)) span { (text) } },
        }
    }
}

fn holds(contents: &Contents) -> String {
    let count = |count: i64, forms| ru::count(count.unsigned_abs(), forms);
    format!(
        "{}, {}, {}; последний номер {}",
        count(contents.orders, ["заказ", "заказа", "заказов"]),
        count(contents.products, ["товар", "товара", "товаров"]),
        count(contents.people, ["человек", "человека", "человек"]),
        contents.last_number
    )
}

fn sentence(desk: &Desk, status: &BackupStatus) -> String {
    let now = desk.base.clock.now();
    match (&status.last, status.age) {
        (Some(last), Some(old)) => {
            let at = desk.base.zone.date_time(last.made_at, now);
            format!("Последняя проверенная копия сделана {at}, {}.", age(old))
        }
        _ => "Копий ещё нет.".to_owned(),
    }
}

fn schedule(desk: &Desk, status: &BackupStatus) -> Markup {
    let config = &desk.base.config;
    let now = desk.base.clock.now();
    html! {
        @if let Some((hour, minute)) = config.backup.at {
            "Каждый день в " (format!("{hour:02}:{minute:02}"))
            @if let Some(next) = status.next_at { ", следующая " (desk.base.zone.date_time(next, now)) }
            "; хранится по " (ru::count(config.backup.keep as u64, ["копии", "копии", "копий"])) " каждого вида в папке "
        } @else {
            "Расписание выключено. Папка копий: "
        }
        code { (backup::folder(config).display()) } ". "
        a href="/admin/settings#backup.at" { "Изменить" }
    }
}

fn list(desk: &Desk, visitor: &Visitor, files: &[BackupFile]) -> Markup {
    let now = desk.base.clock.now();
    html! {
        @if files.is_empty() {
            div.empty { (icon(Icon::Backup)) p { "Копий пока нет. Первую можно сделать сейчас, это занимает секунды и никому не мешает." } }
        } @else {
            div.table-wrap {
                table.cards-on-phone.simple {
                    caption.sr { "Копии, последние сверху" }
                    thead { tr { th scope="col" { "Сделана" } th scope="col" { "Почему" } th.num scope="col" { "Размер" } th scope="col" { "Проверка" } th scope="col" { "Файл" } th scope="col" { span.sr { "Действия" } } } }
                    tbody {
                        @for file in files {
                            @let name = name_of(file);
                            tr {
                                td.nowrap { (desk.base.zone.date_time(file.made_at, now)) span.sub { (age(now.since(file.made_at))) } }
                                td { (file.reason.label()) }
                                td.num { (bytes(file.size)) }
                                td { (badge(Tone::Ok, "✓ при создании")) }
                                td.muted.words { (name) }
                                td {
                                    div.in-row {
                                        form method="post" action=(format!("/admin/backups/{name}/verify")) { (csrf(visitor)) button.button.small type="submit" { "Проверить" span.sr { " " (name) } } }
                                        form method="post" action=(format!("/admin/backups/{name}/download")) { (csrf(visitor)) button.button.small type="submit" { (icon(Icon::Download)) "Скачать" span.sr { " " (name) } } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn restoring(files: &[BackupFile]) -> Markup {
    let Some(newest) = files.first() else { return html! {} };
    // In single quotes a shell changes nothing; the quote itself ends and begins them anew.
    let path = newest.path.display().to_string().replace('\'', "'\\''");
    html! {
        section.card.gap-above aria-labelledby="restore-title" {
            header { h2 #restore-title { "Как восстановить" } }
            div.body {
                p { "Только из командной строки и при остановленной программе. Нынешняя база останется рядом, в папке aside, номера заказов продолжатся с наибольшего. Для другой копии поставьте её имя." }
                pre.command { "sudo systemctl stop partner-m\nsudo partner-m restore '" (path) "'\nsudo systemctl start partner-m" }
            }
        }
    }
}
