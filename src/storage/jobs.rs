//! What the program does by itself on a schedule: the last run of each job and the next.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use crate::domain::Timestamp;

/// A row of `jobs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// `pull`, `backup`, `retention`.
    pub name: String,
    /// When the last run began.
    pub started_at: Timestamp,
    /// When it ended; `None`: it runs, or was cut short.
    pub ended_at: Option<Timestamp>,
    /// Whether it went well; `None`: not known yet.
    pub ok: Option<bool>,
    /// What came of it, in Russian.
    pub result: String,
    /// The end of the last run that went well.
    pub succeeded_at: Option<Timestamp>,
    /// Runs in a row that did not go well.
    pub failures: u32,
    /// When the next one is due.
    pub next_at: Option<Timestamp>,
}

const COLUMNS: &str =
    "name, started_at_ms, ended_at_ms, ok, result, succeeded_at_ms, failures, next_at_ms";

impl JobRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: row.get("name")?,
            started_at: row.get("started_at_ms")?,
            ended_at: row.get("ended_at_ms")?,
            ok: row.get("ok")?,
            result: row.get("result")?,
            succeeded_at: row.get("succeeded_at_ms")?,
            failures: row.get("failures")?,
            next_at: row.get("next_at_ms")?,
        })
    }
}

/// The job of this name, once it has run.
pub fn find(conn: &Connection, name: &str) -> Result<Option<JobRow>, StorageError> {
    let sql = format!("select {COLUMNS} from jobs where name = :name");
    let mut stmt = conn.prepare_cached(&sql)?;
    Ok(stmt.query_row(named_params! { ":name": name }, JobRow::from_row).optional()?)
}

/// All jobs that have run.
pub fn list(conn: &Connection) -> Result<Vec<JobRow>, StorageError> {
    let sql = format!("select {COLUMNS} from jobs order by name");
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map([], JobRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes that a run begins.
pub fn begin(tx: &Transaction<'_>, name: &str, now: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into jobs (name, started_at_ms) values (:name, :now)
        on conflict (name) do update set started_at_ms = :now, ended_at_ms = null";
    tx.prepare_cached(SQL)?.execute(named_params! { ":name": name, ":now": now })?;
    Ok(())
}

/// Notes how a run ended: what came of it, and when the next one is due.
pub fn end(
    tx: &Transaction<'_>,
    name: &str,
    outcome: Result<&str, &str>,
    now: Timestamp,
    next: Option<Timestamp>,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into jobs (name, started_at_ms, ended_at_ms, ok, result, succeeded_at_ms, failures,
            next_at_ms)
        values (:name, :now, :now, :ok, :result, case when :ok then :now end, 1 - :ok, :next)
        on conflict (name) do update set ended_at_ms = :now, ok = :ok, result = :result,
            succeeded_at_ms = case when :ok then :now else succeeded_at_ms end,
            failures = case when :ok then 0 else failures + 1 end, next_at_ms = :next";
    let (ok, result) = match outcome {
        Ok(result) => (true, result),
        Err(why) => (false, why),
    };
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":name": name, ":now": now, ":ok": ok, ":result": result, ":next": next,
    })?;
    Ok(())
}
