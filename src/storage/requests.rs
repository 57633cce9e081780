//! Requests for access: a guest asks, staff decide.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use crate::domain::{ChatKey, PersonId, Timestamp};

/// A row of `access_requests`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRow {
    /// The row.
    pub id: i64,
    /// Who asks.
    pub chat: ChatKey,
    /// Their name.
    pub name: String,
    /// Their organization, in words.
    pub organization: String,
    /// Their number, as typed: proves nothing.
    pub phone: String,
    /// What else.
    pub comment: String,
    /// `None`: waits; else whether access was granted.
    pub granted: Option<bool>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl RequestRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let state: String = row.get("state")?;
        Ok(Self {
            id: row.get("id")?,
            chat: row.get("chat_key")?,
            name: row.get("name")?,
            organization: row.get("organization")?,
            phone: row.get("phone")?,
            comment: row.get("comment")?,
            granted: (state != "pending").then(|| state == "granted"),
            created_at: row.get("created_at_ms")?,
        })
    }
}

const COLUMNS: &str = "id, chat_key, name, organization, phone, comment, state, created_at_ms";

/// The request with this id.
pub fn find(conn: &Connection, id: i64) -> Result<Option<RequestRow>, StorageError> {
    let sql = format!("select {COLUMNS} from access_requests where id = :id");
    let mut stmt = conn.prepare_cached(&sql)?;
    Ok(stmt.query_row(named_params! { ":id": id }, RequestRow::from_row).optional()?)
}

/// The requests that wait, the oldest first.
pub fn list_pending(conn: &Connection) -> Result<Vec<RequestRow>, StorageError> {
    let sql = format!(
        "select {COLUMNS} from access_requests where state = 'pending'
        order by created_at_ms, id limit 500"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map([], RequestRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many requests of a chat wait.
pub fn count_pending(conn: &Connection, chat: &ChatKey) -> Result<u32, StorageError> {
    const SQL: &str = "
        select count(*) from access_requests where state = 'pending' and chat_key = :chat";
    Ok(conn.prepare_cached(SQL)?.query_row(named_params! { ":chat": chat }, |row| row.get(0))?)
}

/// Adds a request; its `id` and `granted` are not read. The new id.
pub fn insert(tx: &Transaction<'_>, row: &RequestRow) -> Result<i64, StorageError> {
    const SQL: &str = "
        insert into access_requests (chat_key, name, organization, phone, comment, created_at_ms)
        values (:chat, :name, :organization, :phone, :comment, :now)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":chat": row.chat, ":name": row.name, ":organization": row.organization,
        ":phone": row.phone, ":comment": row.comment, ":now": row.created_at,
    })?;
    Ok(tx.last_insert_rowid())
}

/// Decides a request that waits; whether it did.
pub fn decide(
    tx: &Transaction<'_>,
    id: i64,
    granted: bool,
    by: Option<PersonId>,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        update access_requests set state = :state, decided_by = :by, decided_at_ms = :now
        where id = :id and state = 'pending'";
    let state = if granted { "granted" } else { "refused" };
    let found = tx
        .prepare_cached(SQL)?
        .execute(named_params! { ":state": state, ":by": by, ":now": now, ":id": id })?;
    Ok(found == 1)
}
