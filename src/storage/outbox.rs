//! What goes out. A row is queued in the transaction of what it tells, and closed once it is sent.

use rusqlite::{Connection, Row, Transaction, named_params};

use super::StorageError;
use crate::domain::{ChatKey, OutboxId, Timestamp};

/// A row that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// The row.
    pub id: OutboxId,
    /// Where it goes.
    pub chat: ChatKey,
    /// JSON of what to do, opaque here.
    pub payload: String,
    /// When it is due.
    pub due_at: Timestamp,
    /// How often sending it has failed.
    pub attempts: u32,
    /// When it was queued.
    pub created_at: Timestamp,
}

impl OutboxRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            chat: row.get("chat_key")?,
            payload: row.get("payload")?,
            due_at: row.get("due_at_ms")?,
            attempts: row.get("attempts")?,
            created_at: row.get("created_at_ms")?,
        })
    }
}

/// Queues a row; whether it is new: a second one with the same `dedup_key` is not queued.
pub fn insert(
    tx: &Transaction<'_>,
    chat: &ChatKey,
    payload: &str,
    due: Timestamp,
    dedup_key: Option<&str>,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        insert into outbox (chat_key, dedup_key, payload, due_at_ms, created_at_ms)
        values (:chat, :dedup_key, :payload, :due, :due)
        on conflict (dedup_key) do nothing";
    let mut stmt = tx.prepare_cached(SQL)?;
    let inserted = stmt.execute(named_params! {
        ":chat": chat, ":dedup_key": dedup_key, ":payload": payload, ":due": due,
    })?;
    Ok(inserted == 1)
}

/// Chats that have rows due by `now`, the longest waiting first.
pub fn list_due_chats(conn: &Connection, now: Timestamp) -> Result<Vec<ChatKey>, StorageError> {
    const SQL: &str = "
        select chat_key from outbox where state = 'queued' and due_at_ms <= :now
        group by chat_key order by min(id)";
    let mut stmt = conn.prepare_cached(SQL)?;
    let chats = stmt.query_map(named_params! { ":now": now }, |row| row.get("chat_key"))?;
    Ok(chats.collect::<Result<_, _>>()?)
}

/// The chat's first `limit` rows due by `now`, in the order of queueing.
pub fn list_due(
    conn: &Connection,
    chat: &ChatKey,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<OutboxRow>, StorageError> {
    const SQL: &str = "
        select id, chat_key, payload, due_at_ms, attempts, created_at_ms
        from outbox where state = 'queued' and chat_key = :chat and due_at_ms <= :now
        order by id limit :limit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":chat": chat, ":now": now, ":limit": limit };
    let rows = stmt.query_map(params, OutboxRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// When the next row falls due that is not due by `now`.
pub fn find_next_due(conn: &Connection, now: Timestamp) -> Result<Option<Timestamp>, StorageError> {
    const SQL: &str = "
        select min(due_at_ms) as due from outbox where state = 'queued' and due_at_ms > :now";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":now": now }, |row| row.get("due"))?)
}

/// How many rows wait, how many of them were due before `late`, and how many failed for good.
pub fn count(conn: &Connection, late: Timestamp) -> Result<(i64, i64, i64), StorageError> {
    const SQL: &str = "
        select (select count(*) from outbox where state = 'queued') as queued,
            (select count(*) from outbox where state = 'queued' and due_at_ms < :late) as late,
            (select count(*) from outbox where state = 'failed') as failed";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":late": late };
    Ok(stmt
        .query_row(params, |row| Ok((row.get("queued")?, row.get("late")?, row.get("failed")?)))?)
}

/// Keeps what is left of a row.
pub fn set_payload(tx: &Transaction<'_>, id: OutboxId, payload: &str) -> Result<(), StorageError> {
    const SQL: &str = "
        update outbox set payload = :payload, attempts = 0 where id = :id and state = 'queued'";
    tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":payload": payload })?;
    Ok(())
}

/// Puts a row off.
pub fn set_due(tx: &Transaction<'_>, id: OutboxId, due: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "
        update outbox set due_at_ms = :due where id = :id and state = 'queued'";
    tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":due": due })?;
    Ok(())
}

/// Closes a row as sent.
pub fn close_sent(tx: &Transaction<'_>, id: OutboxId, now: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "
        update outbox set state = 'sent', error = '', closed_at_ms = :now
        where id = :id and state = 'queued'";
    tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":now": now })?;
    Ok(())
}

/// Closes a row as failed for good.
pub fn close_failed(
    tx: &Transaction<'_>,
    id: OutboxId,
    error: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update outbox set state = 'failed', error = :error, closed_at_ms = :now
        where id = :id and state = 'queued'";
    let params = named_params! { ":id": id, ":error": error, ":now": now };
    tx.prepare_cached(SQL)?.execute(params)?;
    Ok(())
}

/// Closes all waiting rows of a chat as failed; how many.
pub fn close_chat(
    tx: &Transaction<'_>,
    chat: &ChatKey,
    error: &str,
    now: Timestamp,
) -> Result<usize, StorageError> {
    const SQL: &str = "
        update outbox set state = 'failed', error = :error, closed_at_ms = :now
        where chat_key = :chat and state = 'queued'";
    let params = named_params! { ":chat": chat, ":error": error, ":now": now };
    Ok(tx.prepare_cached(SQL)?.execute(params)?)
}

/// Takes back waiting rows whose `dedup_key` begins so; how many.
pub fn withdraw(tx: &Transaction<'_>, prefix: &str) -> Result<usize, StorageError> {
    const SQL: &str = "
        delete from outbox
        where state = 'queued' and substr(dedup_key, 1, length(:prefix)) = :prefix
            and dedup_key >= :prefix";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":prefix": prefix })?)
}

/// Counts a failure that may pass.
pub fn count_attempt(tx: &Transaction<'_>, id: OutboxId, error: &str) -> Result<(), StorageError> {
    const SQL: &str = "
        update outbox set attempts = attempts + 1, error = :error
        where id = :id and state = 'queued'";
    tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":error": error })?;
    Ok(())
}

/// Gives a chat's waiting rows its new address.
pub fn move_chat(tx: &Transaction<'_>, from: &ChatKey, to: &ChatKey) -> Result<(), StorageError> {
    const SQL: &str = "
        update outbox set chat_key = :to where chat_key = :from and state = 'queued'";
    tx.prepare_cached(SQL)?.execute(named_params! { ":from": from, ":to": to })?;
    Ok(())
}

/// Forgets rows closed before `before`; how many.
pub fn sweep(tx: &Transaction<'_>, before: Timestamp) -> Result<usize, StorageError> {
    const SQL: &str = "delete from outbox where closed_at_ms < :before";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":before": before })?)
}
