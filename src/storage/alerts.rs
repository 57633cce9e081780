//! What is wrong with the program itself and was told to the administrators.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StorageError;
use crate::domain::Timestamp;

/// Something that is wrong, or was a moment ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    /// Since when.
    pub since: Timestamp,
    /// When it was last told.
    pub told_at: Timestamp,
    /// Whether it is right again.
    pub over: bool,
}

/// What is known of a cause, or `None`.
pub fn find(conn: &Connection, cause: &str) -> Result<Option<AlertRow>, StorageError> {
    const SQL: &str = "select since_ms, told_at_ms, over from alerts where cause = :cause";
    let mut stmt = conn.prepare_cached(SQL)?;
    let row = stmt.query_row(named_params! { ":cause": cause }, |row| {
        Ok(AlertRow {
            since: row.get("since_ms")?,
            told_at: row.get("told_at_ms")?,
            over: row.get("over")?,
        })
    });
    Ok(row.optional()?)
}

/// Stores what is known of a cause.
pub fn put(tx: &Transaction<'_>, cause: &str, row: &AlertRow) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into alerts (cause, since_ms, told_at_ms, over)
        values (:cause, :since, :told_at, :over)
        on conflict (cause) do update set since_ms = excluded.since_ms,
            told_at_ms = excluded.told_at_ms, over = excluded.over";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":cause": cause, ":since": row.since, ":told_at": row.told_at, ":over": row.over,
    })?;
    Ok(())
}
