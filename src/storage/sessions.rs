//! Sessions of the panel. A token is known only by its SHA-256.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use crate::domain::{PersonId, Timestamp};

/// The SHA-256 of a token.
pub type TokenHash = [u8; 32];

/// A row of `sessions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// What the token hashes to.
    pub token: TokenHash,
    /// Whose.
    pub person: PersonId,
    /// The person's stamp at sign-in: the session counts while it is theirs still.
    pub security_stamp: i64,
    /// Sign-in.
    pub created_at: Timestamp,
    /// The last request, to the minute.
    pub seen_at: Timestamp,
    /// Where from.
    pub address: String,
    /// The browser, in its own words.
    pub user_agent: String,
}

const COLUMNS: &str = "
    token_sha256, person_id, security_stamp, created_at_ms, seen_at_ms, address, user_agent";

impl SessionRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            token: row.get("token_sha256")?,
            person: row.get("person_id")?,
            security_stamp: row.get("security_stamp")?,
            created_at: row.get("created_at_ms")?,
            seen_at: row.get("seen_at_ms")?,
            address: row.get("address")?,
            user_agent: row.get("user_agent")?,
        })
    }
}

/// The session of a token.
pub fn find(conn: &Connection, token: &TokenHash) -> Result<Option<SessionRow>, StorageError> {
    let sql = format!("select {COLUMNS} from sessions where token_sha256 = :token");
    let mut stmt = conn.prepare_cached(&sql)?;
    Ok(stmt.query_row(named_params! { ":token": token }, SessionRow::from_row).optional()?)
}

/// The person's sessions, the last used first.
pub fn list(conn: &Connection, person: PersonId) -> Result<Vec<SessionRow>, StorageError> {
    let sql = format!(
        "select {COLUMNS} from sessions where person_id = :person order by seen_at_ms desc"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map(named_params! { ":person": person }, SessionRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Opens a session.
pub fn insert(tx: &Transaction<'_>, row: &SessionRow) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into sessions (token_sha256, person_id, security_stamp, created_at_ms, seen_at_ms,
            address, user_agent)
        values (:token, :person, :stamp, :created, :seen, :address, :agent)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":token": row.token, ":person": row.person, ":stamp": row.security_stamp,
        ":created": row.created_at, ":seen": row.seen_at, ":address": row.address,
        ":agent": row.user_agent,
    })?;
    Ok(())
}

/// Notes a request.
pub fn touch(tx: &Transaction<'_>, token: &TokenHash, now: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "update sessions set seen_at_ms = :now where token_sha256 = :token";
    tx.prepare_cached(SQL)?.execute(named_params! { ":now": now, ":token": token })?;
    Ok(())
}

/// Ends a session; whether there was one.
pub fn delete(tx: &Transaction<'_>, token: &TokenHash) -> Result<bool, StorageError> {
    const SQL: &str = "delete from sessions where token_sha256 = :token";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":token": token })? == 1)
}

/// Ends all sessions of a person but `keep`.
pub fn delete_all(
    tx: &Transaction<'_>,
    person: PersonId,
    keep: Option<&TokenHash>,
) -> Result<usize, StorageError> {
    const SQL: &str =
        "delete from sessions where person_id = :person and token_sha256 is not :keep";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":person": person, ":keep": keep })?)
}

/// Forgets sessions that were last used or opened before these moments.
pub fn sweep(
    tx: &Transaction<'_>,
    seen_before: Timestamp,
    created_before: Timestamp,
) -> Result<usize, StorageError> {
    const SQL: &str = "delete from sessions where seen_at_ms < :seen or created_at_ms < :created";
    Ok(tx
        .prepare_cached(SQL)?
        .execute(named_params! { ":seen": seen_before, ":created": created_before })?)
}
