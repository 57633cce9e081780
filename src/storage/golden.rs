//! Texts with the lines that they are known to mean, and what came of running them.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StorageError;
use crate::domain::Timestamp;

/// Runs that are kept.
const RUNS: u32 = 20;

/// A text and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRow {
    /// The row.
    pub id: i64,
    /// Its name: one of a kind.
    pub name: String,
    /// The text.
    pub text: String,
    /// JSON of the lines.
    pub lines: String,
}

/// A run over every text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// When.
    pub at: Timestamp,
    /// JSON of what came of it.
    pub report: String,
}

/// Every text, by name.
pub fn cases(conn: &Connection) -> Result<Vec<CaseRow>, StorageError> {
    const SQL: &str = "select id, name, text, lines from golden_cases order by fold(name), id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| {
        Ok(CaseRow {
            id: row.get("id")?,
            name: row.get("name")?,
            text: row.get("text")?,
            lines: row.get("lines")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps a text under its name; whether the name is new. The one that had it is replaced.
pub fn put(
    tx: &Transaction<'_>,
    name: &str,
    text: &str,
    lines: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const KNOWN: &str = "select exists (select 1 from golden_cases where name = :name) as known";
    const SQL: &str = "
        insert into golden_cases (name, text, lines, created_at_ms)
        values (:name, :text, :lines, :now)
        on conflict (name) do update set text = :text, lines = :lines";
    let known: bool = tx
        .prepare_cached(KNOWN)?
        .query_row(named_params! { ":name": name }, |row| row.get("known"))?;
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":name": name, ":text": text, ":lines": lines, ":now": now,
    })?;
    Ok(!known)
}

/// Takes a text away; its name, or `None` where there is none.
pub fn delete(tx: &Transaction<'_>, id: i64) -> Result<Option<String>, StorageError> {
    const SQL: &str = "delete from golden_cases where id = :id returning name";
    let mut stmt = tx.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":id": id }, |row| row.get("name")).optional()?)
}

/// Keeps what came of a run; older ones go.
pub fn insert_run(tx: &Transaction<'_>, report: &str, now: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "insert into golden_runs (at_ms, report) values (:now, :report)";
    const SWEEP: &str = "
        delete from golden_runs where id not in (select id from golden_runs order by id desc limit :runs)";
    tx.prepare_cached(SQL)?.execute(named_params! { ":now": now, ":report": report })?;
    tx.prepare_cached(SWEEP)?.execute(named_params! { ":runs": RUNS })?;
    Ok(())
}

/// The last runs, the newest first.
pub fn runs(conn: &Connection, limit: u32) -> Result<Vec<RunRow>, StorageError> {
    const SQL: &str = "select at_ms, report from golden_runs order by id desc limit :limit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":limit": limit }, |row| {
        Ok(RunRow { at: row.get("at_ms")?, report: row.get("report")? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
