//! What came in from the wires, stored before it is acknowledged.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use crate::domain::{ChatKey, InboxId, Timestamp};

/// An event that waits to be handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// The row.
    pub id: InboxId,
    /// The wire's id of the event.
    pub event_key: String,
    /// Where it happened.
    pub chat: ChatKey,
    /// JSON of the event, opaque here.
    pub payload: String,
    /// How many turns it has been given.
    pub attempts: u32,
}

impl InboxRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            event_key: row.get("event_key")?,
            chat: row.get("chat_key")?,
            payload: row.get("payload")?,
            attempts: row.get("attempts")?,
        })
    }
}

/// Stores an event; whether it is new: a repeat changes nothing.
pub fn insert(
    tx: &Transaction<'_>,
    event_key: &str,
    chat: &ChatKey,
    payload: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        insert into inbox (event_key, chat_key, payload, received_at_ms)
        values (:event_key, :chat, :payload, :now)
        on conflict (event_key) do nothing";
    let mut stmt = tx.prepare_cached(SQL)?;
    let inserted = stmt.execute(named_params! {
        ":event_key": event_key, ":chat": chat, ":payload": payload, ":now": now,
    })?;
    Ok(inserted == 1)
}

/// Stores what cannot be read beside the events, for people to look at: it is never handled.
pub fn insert_dead(
    tx: &Transaction<'_>,
    event_key: &str,
    chat: &ChatKey,
    payload: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        insert into inbox (event_key, chat_key, payload, state, received_at_ms, handled_at_ms)
        values (:event_key, :chat, :payload, 'dead', :now, :now)
        on conflict (event_key) do nothing";
    let mut stmt = tx.prepare_cached(SQL)?;
    let inserted = stmt.execute(named_params! {
        ":event_key": event_key, ":chat": chat, ":payload": payload, ":now": now,
    })?;
    Ok(inserted == 1)
}

/// Chats that have events to handle, the longest waiting first.
pub fn list_pending_chats(conn: &Connection) -> Result<Vec<ChatKey>, StorageError> {
    const SQL: &str = "
        select chat_key from inbox where state = 'pending'
        group by chat_key order by min(id)";
    let mut stmt = conn.prepare_cached(SQL)?;
    let chats = stmt.query_map([], |row| row.get("chat_key"))?;
    Ok(chats.collect::<Result<_, _>>()?)
}

/// The chat's oldest event that waits to be handled.
pub fn find_next(conn: &Connection, chat: &ChatKey) -> Result<Option<InboxRow>, StorageError> {
    const SQL: &str = "
        select id, event_key, chat_key, payload, attempts
        from inbox where state = 'pending' and chat_key = :chat
        order by id limit 1";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":chat": chat }, InboxRow::from_row).optional()?)
}

/// Counts a turn that is about to begin: one that never ends is known by it.
pub fn begin(tx: &Transaction<'_>, id: InboxId) -> Result<(), StorageError> {
    const SQL: &str = "
        update inbox set attempts = attempts + 1 where id = :id and state = 'pending'";
    tx.prepare_cached(SQL)?.execute(named_params! { ":id": id })?;
    Ok(())
}

/// How many events wait, and how many were given up.
pub fn count(conn: &Connection) -> Result<(i64, i64), StorageError> {
    const SQL: &str = "
        select count(*) filter (where state = 'pending') as pending,
               count(*) filter (where state = 'dead') as dead
        from inbox where state in ('pending', 'dead')";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row([], |row| Ok((row.get("pending")?, row.get("dead")?)))?)
}

/// Marks an event as handled; whether it was still waiting.
pub fn finish(tx: &Transaction<'_>, id: InboxId, now: Timestamp) -> Result<bool, StorageError> {
    const SQL: &str = "
        update inbox set state = 'done', handled_at_ms = :now
        where id = :id and state = 'pending'";
    let mut stmt = tx.prepare_cached(SQL)?;
    Ok(stmt.execute(named_params! { ":id": id, ":now": now })? == 1)
}

/// Lets a given-up event of the chat be handled anew; whether there is one.
pub fn revive(tx: &Transaction<'_>, id: InboxId, chat: &ChatKey) -> Result<bool, StorageError> {
    const SQL: &str = "
        update inbox set state = 'pending', attempts = 0, handled_at_ms = null
        where id = :id and chat_key = :chat and state = 'dead'";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":chat": chat })? == 1)
}

/// What an event of the chat said; `None` where there is no such event or it is forgotten.
pub fn payload(
    conn: &Connection,
    id: InboxId,
    chat: &ChatKey,
) -> Result<Option<String>, StorageError> {
    const SQL: &str = "
        select payload from inbox where id = :id and chat_key = :chat and payload <> ''";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":id": id, ":chat": chat };
    Ok(stmt.query_row(params, |row| row.get("payload")).optional()?)
}

/// Forgets what an event said; that it came is still known.
pub fn erase(tx: &Transaction<'_>, id: InboxId) -> Result<(), StorageError> {
    const SQL: &str = "update inbox set payload = '' where id = :id";
    tx.prepare_cached(SQL)?.execute(named_params! { ":id": id })?;
    Ok(())
}

/// A turn has failed; the number of turns, or `None` when the event does not wait any more.
/// From `limit` on the event is given up.
pub fn fail(
    tx: &Transaction<'_>,
    id: InboxId,
    limit: u32,
    now: Timestamp,
) -> Result<Option<u32>, StorageError> {
    const SQL: &str = "
        update inbox set
            state = case when attempts >= :limit then 'dead' else state end,
            handled_at_ms = case when attempts >= :limit then :now end
        where id = :id and state = 'pending'
        returning attempts";
    let mut stmt = tx.prepare_cached(SQL)?;
    let params = named_params! { ":id": id, ":limit": limit, ":now": now };
    Ok(stmt.query_row(params, |row| row.get("attempts")).optional()?)
}

/// Gives a chat's waiting events its new address.
pub fn move_chat(tx: &Transaction<'_>, from: &ChatKey, to: &ChatKey) -> Result<(), StorageError> {
    const SQL: &str = "
        update inbox set chat_key = :to where chat_key = :from and state = 'pending'";
    tx.prepare_cached(SQL)?.execute(named_params! { ":from": from, ":to": to })?;
    Ok(())
}

/// Forgets handled events received before `before`; how many.
pub fn sweep(tx: &Transaction<'_>, before: Timestamp) -> Result<usize, StorageError> {
    const SQL: &str = "
        delete from inbox where received_at_ms < :before and state <> 'pending'";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":before": before })?)
}
