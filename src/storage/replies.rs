//! What staff answer often.

use rusqlite::{Connection, Transaction, named_params};

use super::StorageError;
use crate::domain::Timestamp;

/// A reply that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyRow {
    /// The row.
    pub id: i64,
    /// The words, with `{имя}` and `{номер}` where those belong.
    pub text: String,
}

/// Every reply, by its words.
pub fn list(conn: &Connection) -> Result<Vec<ReplyRow>, StorageError> {
    const SQL: &str = "select id, text from canned_replies order by fold(text), id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows =
        stmt.query_map([], |row| Ok(ReplyRow { id: row.get("id")?, text: row.get("text")? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps a reply; the same words are kept once.
pub fn insert(tx: &Transaction<'_>, text: &str, now: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into canned_replies (text, created_at_ms) values (:text, :now) on conflict do nothing";
    tx.prepare_cached(SQL)?.execute(named_params! { ":text": text, ":now": now })?;
    Ok(())
}

/// Takes a reply away; whether there was one.
pub fn delete(tx: &Transaction<'_>, id: i64) -> Result<bool, StorageError> {
    const SQL: &str = "delete from canned_replies where id = :id";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id })? == 1)
}
