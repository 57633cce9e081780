//! «Состояние»: what was looked at, what to do about it, and what the program does by itself.

use axum::extract::State;
use maud::{Markup, html};

use crate::domain::{Timestamp, ru, time};
use crate::services::health::{Check, Level, Report};
use crate::services::jobs;
use crate::storage::jobs::JobRow;
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, Tone, badge, page as framed};
use crate::web::session::{ManagerSession, Visitor};

/// The right that the pages for administrators need.
pub const RIGHT: &str = "управлять программой";

/// `GET /admin/health`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
) -> Result<Markup, WebError> {
    me.must_be_admin(RIGHT)?;
    let report = desk.operations.health.report().await;
    let jobs = jobs::list(&desk.base).await?;
    let around = around(&desk, &me).await?;
    let content = html! {
        (head("Состояние"))
        p.lead { (sentence(&report)) " Работает " (uptime(report.uptime)) "." }
        div.table-wrap {
            table.cards-on-phone.simple {
                caption.sr { "Что проверено" }
                thead { tr { th scope="col" { "Что" } th scope="col" { "Состояние" } th scope="col" { "Подробности" } th scope="col" { "Что делать" } } }
                tbody {
                    @for check in &report.checks {
                        tr {
                            td { strong { @if let Some(href) = place(check) { a.quiet href=(href) { (check.label) } } @else { (check.label) } } }
                            td { (badge(tone(check.state), check.state.word())) }
                            td.words { (check.text) }
                            td.words.muted { @if check.hint.is_empty() { "—" } @else { (check.hint) } }
                        }
                    }
                }
            }
        }
        section.card.gap-above aria-labelledby="jobs-title" {
            header { h2 #jobs-title { "По расписанию" } }
            div.table-wrap {
                table.cards-on-phone.simple {
                    caption.sr { "Что программа делает сама" }
                    thead { tr { th scope="col" { "Работа" } th scope="col" { "Последний раз" } th scope="col" { "Итог" } th scope="col" { "Следующий раз" } } }
                    tbody { @for job in scheduled(&desk, jobs) { (job_row(&desk, &job, report.uptime)) } }
                }
            }
        }
    };
    let page =
        Page { title: "Состояние", section: Some(Section::State), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

/// The head of this page and of its neighbours.
pub fn head(title: &str) -> Markup {
    let pages = [("Состояние", "/admin/health"), ("Исходящие", "/admin/outbox")];
    html! {
        div.page-head {
            h1 { (title) }
            nav.head-links aria-label="Рядом" {
                @for (word, href) in pages.iter().filter(|(word, _)| *word != title) { a href=(href) { (word) } }
            }
        }
    }
}

/// How serious a level looks.
pub fn tone(level: Level) -> Tone {
    match level {
        Level::Ok => Tone::Ok,
        Level::Warning => Tone::Warn,
        Level::Failed => Tone::Danger,
    }
}

/// How everything is, in a sentence.
pub fn sentence(report: &Report) -> String {
    let names = |level| {
        let of_level = report.checks.iter().filter(|check| check.state == level);
        of_level.map(|check| check.label).collect::<Vec<_>>().join(", ")
    };
    match (names(Level::Failed), names(Level::Warning)) {
        (failed, warned) if failed.is_empty() && warned.is_empty() => "Всё в норме.".to_owned(),
        (failed, warned) if failed.is_empty() => format!("Требует внимания: {warned}."),
        (failed, warned) if warned.is_empty() => format!("Сбой: {failed}."),
        (failed, warned) => format!("Сбой: {failed}. Требует внимания: {warned}."),
    }
}

/// Where more is told.
fn place(check: &Check) -> Option<&'static str> {
    match check.name {
        "outbox" => Some("/admin/outbox"),
        "exchange" => Some("/admin/exchange"),
        "backup" => Some("/admin/backups"),
        "llm" => Some("/admin/search/models"),
        "index" => Some("/admin/catalog"),
        _ => None,
    }
}

fn uptime(uptime: std::time::Duration) -> String {
    let minutes = uptime.as_secs() / 60;
    match (minutes / 1_440, minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => "меньше минуты".to_owned(),
        (0, 0, m) => format!("{m}\u{a0}мин"),
        (0, h, m) => format!("{h}\u{a0}ч {m}\u{a0}мин"),
        (d, h, _) => format!("{} {h}\u{a0}ч", ru::count(d, ["день", "дня", "дней"])),
    }
}

/// The jobs that have run, and those that are yet to run for the first time.
fn scheduled(desk: &Desk, mut known: Vec<JobRow>) -> Vec<JobRow> {
    let config = &desk.base.config;
    let expected = [
        (jobs::PULL, config.onec.pull.enabled),
        (jobs::BACKUP, config.backup.at.is_some()),
        (jobs::RETENTION, true),
    ];
    for (name, on) in expected {
        if on && known.iter().all(|job| job.name != name) {
            known.push(JobRow {
                name: name.to_owned(),
                started_at: Timestamp::from_millis(0),
                ended_at: None,
                ok: None,
                result: String::new(),
                succeeded_at: None,
                failures: 0,
                next_at: None,
            });
        }
    }
    known
}

fn job_row(desk: &Desk, job: &JobRow, uptime: std::time::Duration) -> Markup {
    let now = desk.base.clock.now();
    let at = |at: Timestamp| desk.base.zone.date_time(at, now);
    let never = job.started_at.millis() == 0;
    let ours = now.since(job.started_at) <= uptime;
    html! {
        tr {
            td { strong { (jobs::label(&job.name)) } }
            td { @if never { "ещё не было" } @else { (at(job.started_at)) } }
            td.words {
                @match (never, job.ended_at, job.ok) {
                    (true, ..) => "—",
                    (_, None, _) if ours => { (badge(Tone::Info, "идёт")) },
                    (_, None, _) => { (badge(Tone::Warn, "прервано")) " остановкой программы" },
                    (_, _, Some(false)) => {
                        (badge(Tone::Danger, "сбой")) " " (job.result)
                        @if let Some(last) = job.succeeded_at { span.sub { "последний удачный раз " (at(last)) } }
                    },
                    _ => { (badge(Tone::Ok, "готово")) " " (job.result) },
                }
            }
            td {
                @match job.next_at {
                    Some(next) if next > now => { (at(next)) },
                    Some(_) => "сейчас",
                    None if job.name == jobs::BACKUP => { (next_backup(desk)) },
                    None if job.name == jobs::REMINDERS => "каждые полминуты",
                    None => "—",
                }
            }
        }
    }
}

fn next_backup(desk: &Desk) -> String {
    desk.base.config.backup.at.map_or_else(
        || "расписание выключено".to_owned(),
        |(hour, minute)| format!("в {hour:02}:{minute:02}"),
    )
}

/// «3 ч назад»
pub fn age(age: std::time::Duration) -> String {
    if age.as_secs() < 60 {
        "только что".to_owned()
    } else {
        format!("{} назад", time::ago(age))
    }
}
