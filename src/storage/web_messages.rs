//! The browser chat's messages: its wire is this table.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use crate::domain::{ChatKey, Timestamp};

/// A message of a browser chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebMessageRow {
    /// The message's id on its wire.
    pub id: i64,
    /// The chat's revision that this message last changed in.
    pub revision: i64,
    /// JSON of what it says.
    pub payload: String,
    /// Whether it was taken off the screen.
    pub deleted: bool,
    /// When it was written.
    pub at: Timestamp,
    /// When it was last changed.
    pub edited_at: Option<Timestamp>,
}

impl WebMessageRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            revision: row.get("revision")?,
            payload: row.get("payload")?,
            deleted: row.get("deleted")?,
            at: row.get("at_ms")?,
            edited_at: row.get("edited_at_ms")?,
        })
    }
}

/// The chat's next revision.
fn next_revision(tx: &Transaction<'_>, chat: &ChatKey) -> Result<i64, StorageError> {
    Ok(revision(tx, chat)? + 1)
}

/// The chat's revision: 0 when nothing was ever written there.
pub fn revision(conn: &Connection, chat: &ChatKey) -> Result<i64, StorageError> {
    const SQL: &str = "
        select coalesce(max(revision), 0) as revision from web_messages where chat_key = :chat";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":chat": chat }, |row| row.get("revision"))?)
}

/// The last `limit` messages on the screen, oldest first.
pub fn last(
    conn: &Connection,
    chat: &ChatKey,
    limit: u32,
) -> Result<Vec<WebMessageRow>, StorageError> {
    const SQL: &str = "
        select id, revision, payload, deleted, at_ms, edited_at_ms from (
            select id, revision, payload, deleted, at_ms, edited_at_ms from web_messages
            where chat_key = :chat and deleted = 0 order by id desc limit :limit)
        order by id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows =
        stmt.query_map(named_params! { ":chat": chat, ":limit": limit }, WebMessageRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The payload of the newest message that set the reply keyboard, or `None`.
pub fn last_with_keyboard(
    conn: &Connection,
    chat: &ChatKey,
) -> Result<Option<String>, StorageError> {
    const SQL: &str = "
        select payload from web_messages
        where chat_key = :chat and deleted = 0
            and json_extract(payload, '$.message.keyboard') is not null
        order by id desc limit 1";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":chat": chat }, |row| row.get("payload")).optional()?)
}

/// What was written, changed or deleted after this revision, in the order of the messages.
pub fn changed_since(
    conn: &Connection,
    chat: &ChatKey,
    revision: i64,
    limit: u32,
) -> Result<Vec<WebMessageRow>, StorageError> {
    const SQL: &str = "
        select id, revision, payload, deleted, at_ms, edited_at_ms from web_messages
        where chat_key = :chat and revision > :revision order by id limit :limit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(
        named_params! { ":chat": chat, ":revision": revision, ":limit": limit },
        WebMessageRow::from_row,
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The message that this event wrote, or `None`.
pub fn find_by_event(conn: &Connection, event_key: &str) -> Result<Option<i64>, StorageError> {
    const SQL: &str = "select id from web_messages where event_key = :event";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":event": event_key }, |row| row.get("id")).optional()?)
}

/// A message on the screen, or `None`.
pub fn find(
    conn: &Connection,
    chat: &ChatKey,
    id: i64,
) -> Result<Option<WebMessageRow>, StorageError> {
    const SQL: &str = "
        select id, revision, payload, deleted, at_ms, edited_at_ms from web_messages
        where chat_key = :chat and id = :id and deleted = 0";
    let mut stmt = conn.prepare_cached(SQL)?;
    let found = stmt.query_row(named_params! { ":chat": chat, ":id": id }, WebMessageRow::from_row);
    Ok(found.optional()?)
}

/// Adds a message; its id.
pub fn insert(
    tx: &Transaction<'_>,
    chat: &ChatKey,
    event_key: Option<&str>,
    payload: &str,
    now: Timestamp,
) -> Result<i64, StorageError> {
    const SQL: &str = "
        insert into web_messages (chat_key, revision, event_key, payload, at_ms)
        values (:chat, :revision, :event, :payload, :now)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":chat": chat,
        ":revision": next_revision(tx, chat)?,
        ":event": event_key,
        ":payload": payload,
        ":now": now,
    })?;
    Ok(tx.last_insert_rowid())
}

/// Changes a message on the screen; whether it is still there.
pub fn update(
    tx: &Transaction<'_>,
    chat: &ChatKey,
    id: i64,
    payload: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        update web_messages set payload = :payload, revision = :revision, edited_at_ms = :now
        where chat_key = :chat and id = :id and deleted = 0";
    let found = tx.prepare_cached(SQL)?.execute(named_params! {
        ":chat": chat,
        ":id": id,
        ":payload": payload,
        ":revision": next_revision(tx, chat)?,
        ":now": now,
    })?;
    Ok(found == 1)
}

/// Takes a message off the screen and forgets its words; whether it was there.
pub fn delete(
    tx: &Transaction<'_>,
    chat: &ChatKey,
    id: i64,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        update web_messages set payload = '', deleted = 1, revision = :revision,
            edited_at_ms = :now
        where chat_key = :chat and id = :id and deleted = 0";
    let found = tx.prepare_cached(SQL)?.execute(named_params! {
        ":chat": chat,
        ":id": id,
        ":revision": next_revision(tx, chat)?,
        ":now": now,
    })?;
    Ok(found == 1)
}

/// Forgets messages written before `before`; how many.
pub fn sweep(tx: &Transaction<'_>, before: Timestamp) -> Result<usize, StorageError> {
    const SQL: &str = "delete from web_messages where at_ms < :before";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":before": before })?)
}
