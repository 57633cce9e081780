//! Chats: the addresses of wires, and whose they are.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use crate::domain::{ChatKey, PersonId, Timestamp};

/// A row of `chats`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatRow {
    /// The chat.
    pub key: ChatKey,
    /// Whose it is; `None`: a guest's.
    pub person: Option<PersonId>,
    /// The wire's name of the person, to tell accounts apart.
    pub title: String,
    /// Since when it is theirs.
    pub linked_at: Option<Timestamp>,
    /// When the person blocked the bot.
    pub blocked_at: Option<Timestamp>,
}

impl ChatRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get("key")?,
            person: row.get("person_id")?,
            title: row.get("title")?,
            linked_at: row.get("linked_at_ms")?,
            blocked_at: row.get("blocked_at_ms")?,
        })
    }
}

/// The chat, where it is known.
pub fn find(conn: &Connection, key: &ChatKey) -> Result<Option<ChatRow>, StorageError> {
    const SQL: &str = "
        select key, person_id, title, linked_at_ms, blocked_at_ms from chats where key = :key";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":key": key }, ChatRow::from_row).optional()?)
}

/// The person's chats, oldest link first.
pub fn list(conn: &Connection, person: PersonId) -> Result<Vec<ChatRow>, StorageError> {
    const SQL: &str = "
        select key, person_id, title, linked_at_ms, blocked_at_ms
        from chats where person_id = :person order by linked_at_ms, key";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":person": person }, ChatRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Makes the chat this person's; it stops being anyone else's.
pub fn link(
    tx: &Transaction<'_>,
    key: &ChatKey,
    person: PersonId,
    title: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into chats (key, person_id, title, linked_at_ms) values (:key, :person, :title, :now)
        on conflict (key) do update set person_id = :person, title = :title,
            linked_at_ms = iif(person_id is :person, linked_at_ms, :now), blocked_at_ms = null";
    tx.prepare_cached(SQL)?
        .execute(named_params! { ":key": key, ":person": person, ":title": title, ":now": now })?;
    Ok(())
}

/// Makes the chat a guest's; whether it was anyone's.
pub fn unlink(tx: &Transaction<'_>, key: &ChatKey) -> Result<bool, StorageError> {
    const SQL: &str = "
        update chats set person_id = null, linked_at_ms = null
        where key = :key and person_id is not null";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":key": key })? == 1)
}

/// Takes all chats but `keep` away from the person; how many there were.
pub fn unlink_all(
    tx: &Transaction<'_>,
    person: PersonId,
    keep: Option<&ChatKey>,
) -> Result<usize, StorageError> {
    const SQL: &str = "
        update chats set person_id = null, linked_at_ms = null
        where person_id = :person and key is not :keep";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":person": person, ":keep": keep })?)
}
