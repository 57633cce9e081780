//! What the program does by itself: when each job last ran, what came of it, when it runs next.
//! Kept in the database, so that a restart neither repeats a job nor forgets it.

use std::time::Duration;

use super::Base;
use crate::domain::{Timestamp, ru};
use crate::storage::StorageError;
use crate::storage::jobs::{self, JobRow};

/// The catalogue pulled from 1C.
pub const PULL: &str = "pull";
/// The copy by schedule.
pub const BACKUP: &str = "backup";
/// What is over is forgotten.
pub const RETENTION: &str = "retention";
/// Staff and clients reminded of what waits.
pub const REMINDERS: &str = "reminders";

/// A result longer than this is cut.
const RESULT_MAX: usize = 300;

/// What a job is for, for people; its name where we do not know it.
pub fn label(name: &str) -> &str {
    match name {
        PULL => "Каталог из 1С",
        BACKUP => "Резервная копия",
        RETENTION => "Уборка устаревшего",
        REMINDERS => "Напоминания",
        other => other,
    }
}

/// Notes that a run begins.
pub async fn begin(base: &Base, name: &'static str) -> Result<(), StorageError> {
    let now = base.clock.now();
    base.db.write(move |tx| jobs::begin(tx, name, now)).await
}

/// Notes how a run ended, and when the next one is due.
pub async fn end(
    base: &Base,
    name: &'static str,
    outcome: Result<String, String>,
    next: Option<Timestamp>,
) -> Result<(), StorageError> {
    let now = base.clock.now();
    let cut = |text: String| ru::ellipsis(&text, RESULT_MAX);
    let outcome = outcome.map(cut).map_err(cut);
    base.db
        .write(move |tx| {
            let outcome = outcome.as_ref().map(String::as_str).map_err(String::as_str);
            jobs::end(tx, name, outcome, now, next)
        })
        .await
}

/// All jobs that have ever run.
pub async fn list(base: &Base) -> Result<Vec<JobRow>, StorageError> {
    base.db.read(jobs::list).await
}

/// How long to wait before a job that runs every `every` is due again; zero: now.
///
/// A run that lies in the future was before the clock was put back: it counts for nothing.
pub async fn wait(
    base: &Base,
    name: &'static str,
    every: Duration,
) -> Result<Duration, StorageError> {
    let last = base.db.read(move |conn| jobs::find(conn, name)).await?;
    let now = base.clock.now();
    let Some(last) = last.filter(|job| job.started_at <= now) else { return Ok(Duration::ZERO) };
    let due = last.next_at.unwrap_or(last.started_at.plus(every));
    Ok(due.since(now).min(every))
}
