//! Tables that came as orders, and files of browser chats.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StorageError;
use crate::domain::{ChatKey, Timestamp};

/// A kept file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// The row.
    pub id: i64,
    /// Who sent it, or whom it is for.
    pub chat: ChatKey,
    /// Its name; a label, never a path.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Keeps a file; its id. The same event keeps one.
pub fn insert(
    tx: &Transaction<'_>,
    chat: &ChatKey,
    event_key: Option<&str>,
    name: &str,
    content: &[u8],
    now: Timestamp,
) -> Result<i64, StorageError> {
    const KNOWN: &str = "select id from files where event_key = :key";
    const SQL: &str = "
        insert into files (chat_key, event_key, name, content, created_at_ms)
        values (:chat, :key, :name, :content, :now)";
    let mut known = tx.prepare_cached(KNOWN)?;
    let known = known.query_row(named_params! { ":key": event_key }, |row| row.get("id"));
    if let Some(id) = known.optional()? {
        return Ok(id);
    }
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":chat": chat, ":key": event_key, ":name": name, ":content": content, ":now": now,
    })?;
    Ok(tx.last_insert_rowid())
}

/// The file, or `None`.
pub fn find(conn: &Connection, id: i64) -> Result<Option<FileRow>, StorageError> {
    const SQL: &str = "select id, chat_key, name, content from files where id = :id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let row = stmt.query_row(named_params! { ":id": id }, |row| {
        Ok(FileRow {
            id: row.get("id")?,
            chat: row.get("chat_key")?,
            name: row.get("name")?,
            content: row.get("content")?,
        })
    });
    Ok(row.optional()?)
}

/// Forgets files kept before this moment, but for those of orders; how many.
pub fn sweep(tx: &Transaction<'_>, before: Timestamp) -> Result<usize, StorageError> {
    const SQL: &str = "
        delete from files where created_at_ms < :before and id not in (
            select coalesce(json_extract(attachment, '$.file'), 0)
            from order_events indexed by order_events_files where attachment is not null)";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":before": before })?)
}
