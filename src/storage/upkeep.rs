//! What keeps the file in order: the mark of a running program, checks, the log's size.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StorageError;
use crate::domain::Timestamp;

/// Whether the program that ran last did not stop in good order: its mark is still there.
pub fn is_marked_running(conn: &Connection) -> Result<bool, StorageError> {
    let found =
        conn.query_row("select pid from running where id = 1", [], |row| row.get::<_, i64>(0));
    Ok(found.optional()?.is_some())
}

/// Marks that a program runs on the file since `now`.
pub fn mark_running(tx: &Transaction<'_>, now: Timestamp, pid: u32) -> Result<(), StorageError> {
    const SQL: &str = "
        insert or replace into running (id, started_at_ms, pid) values (1, :now, :pid)";
    tx.prepare_cached(SQL)?.execute(named_params! { ":now": now, ":pid": pid })?;
    Ok(())
}

/// Takes the mark off: the program stops in good order.
pub fn clear_running(tx: &Transaction<'_>) -> Result<(), StorageError> {
    tx.execute("delete from running", [])?;
    Ok(())
}

/// Looks for damage in the structure of the file.
///
/// # Errors
///
/// [`StorageError::Damaged`] with the first finding.
pub fn quick_check(conn: &Connection) -> Result<(), StorageError> {
    let found: Result<String, _> = conn.query_row("pragma quick_check(1)", [], |row| row.get(0));
    match found {
        Ok(text) if text == "ok" => Ok(()),
        Ok(text) => Err(StorageError::Damaged(text)),
        Err(rusqlite::Error::SqliteFailure(e, text))
            if matches!(
                e.code,
                rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase
            ) =>
        {
            Err(StorageError::Damaged(text.unwrap_or_else(|| e.to_string())))
        }
        Err(error) => Err(error.into()),
    }
}

/// A number that changes on this connection once another one has committed.
///
/// Source: [`pragma data_version`](https://www.sqlite.org/pragma.html#pragma_data_version).
pub fn data_version(conn: &Connection) -> Result<i64, StorageError> {
    Ok(conn.pragma_query_value(None, "data_version", |row| row.get(0))?)
}

/// Rewrites the file without its empty pages. Nobody else may be using it.
pub fn vacuum(conn: &Connection) -> Result<(), StorageError> {
    conn.execute_batch("vacuum")?;
    checkpoint(conn, true)
}

/// Moves the write-ahead log into the file as far as readers allow; `truncate` also empties the
/// log. Being busy is no error.
pub fn checkpoint(conn: &Connection, truncate: bool) -> Result<(), StorageError> {
    let sql =
        if truncate { "pragma wal_checkpoint(truncate)" } else { "pragma wal_checkpoint(passive)" };
    conn.query_row(sql, [], |_| Ok(()))?;
    Ok(())
}
