//! Tries to sign in that failed or are under way, by whom they are counted for.

use rusqlite::{Connection, Transaction, named_params};

use super::StorageError;
use crate::domain::Timestamp;

/// A counted try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TryId(pub i64);

/// The moment at which the newest `limit` tries of a subject began, when there are that many after
/// `since`.
pub fn nth_last(
    conn: &Connection,
    subject: &str,
    since: Timestamp,
    limit: u32,
) -> Result<Option<Timestamp>, StorageError> {
    const SQL: &str = "
        select at_ms from login_failures where subject = :subject and at_ms > :since
        order by at_ms desc, id desc limit 1 offset :skip";
    let skip = i64::from(limit) - 1;
    let mut stmt = conn.prepare_cached(SQL)?;
    let mut rows = stmt.query_map(
        named_params! { ":subject": subject, ":since": since, ":skip": skip },
        |row| row.get(0),
    )?;
    Ok(rows.next().transpose()?)
}

/// Counts a try.
pub fn record(tx: &Transaction<'_>, subject: &str, now: Timestamp) -> Result<TryId, StorageError> {
    const SQL: &str = "insert into login_failures (subject, at_ms) values (:subject, :now)";
    tx.prepare_cached(SQL)?.execute(named_params! { ":subject": subject, ":now": now })?;
    Ok(TryId(tx.last_insert_rowid()))
}

/// Takes one try back: it did not fail.
pub fn forget(tx: &Transaction<'_>, id: TryId) -> Result<(), StorageError> {
    const SQL: &str = "delete from login_failures where id = :id";
    tx.prepare_cached(SQL)?.execute(named_params! { ":id": id.0 })?;
    Ok(())
}

/// Forgets all tries of a subject.
pub fn clear(tx: &Transaction<'_>, subject: &str) -> Result<(), StorageError> {
    const SQL: &str = "delete from login_failures where subject = :subject";
    tx.prepare_cached(SQL)?.execute(named_params! { ":subject": subject })?;
    Ok(())
}

/// Forgets tries before this moment.
pub fn sweep(tx: &Transaction<'_>, before: Timestamp) -> Result<usize, StorageError> {
    const SQL: &str = "delete from login_failures where at_ms < :before";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":before": before })?)
}
