//! The journal of who changed what. The table refuses updates and deletions by itself.

use rusqlite::{Connection, Row, Transaction, named_params};

use super::StorageError;
use crate::domain::{Channel, PersonId, Timestamp};

/// A change worth remembering. Secrets never come here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// When.
    pub at: Timestamp,
    /// By which way.
    pub channel: Channel,
    /// Who; `None`: the program or the operator at the command line.
    pub person: Option<PersonId>,
    /// Where from: an IP address, where there is one.
    pub address: &'a str,
    /// What was done: `person.role`, `person.blocked`.
    pub action: &'a str,
    /// To what: `person:17`.
    pub object: &'a str,
    /// What was.
    pub before: Option<&'a str>,
    /// What is.
    pub after: Option<&'a str>,
}

/// Writes an entry.
pub fn record(tx: &Transaction<'_>, entry: &Entry<'_>) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into audit (at_ms, channel, person_id, action, object, before, after, address)
        values (:at, :channel, :person, :action, :object, :before, :after, :address)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":at": entry.at, ":channel": entry.channel, ":person": entry.person,
        ":action": entry.action, ":object": entry.object, ":before": entry.before,
        ":after": entry.after, ":address": entry.address,
    })?;
    Ok(())
}

/// A row of `audit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// The row; grows with time.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// By which way.
    pub channel: Channel,
    /// Who.
    pub person: Option<PersonId>,
    /// Their name now.
    pub person_name: Option<String>,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: String,
    /// What was.
    pub before: Option<String>,
    /// What is.
    pub after: Option<String>,
    /// Where from.
    pub address: String,
}

impl AuditRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            at: row.get("at_ms")?,
            channel: row.get("channel")?,
            person: row.get("person_id")?,
            person_name: row.get("name")?,
            action: row.get("action")?,
            object: row.get("object")?,
            before: row.get("before")?,
            after: row.get("after")?,
            address: row.get("address")?,
        })
    }
}

/// The newest entries before `before` (a row's id), at most `limit`.
pub fn list(
    conn: &Connection,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<AuditRow>, StorageError> {
    const SQL: &str = "
        select a.id, a.at_ms, a.channel, a.person_id, p.name, a.action, a.object, a.before,
            a.after, a.address
        from audit a left join persons p on p.id = a.person_id
        where a.id < :before order by a.id desc limit :limit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":before": before.unwrap_or(i64::MAX), ":limit": limit };
    let rows = stmt.query_map(params, AuditRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The newest entries about one object, at most `limit`.
pub fn of_object(
    conn: &Connection,
    object: &str,
    limit: u32,
) -> Result<Vec<AuditRow>, StorageError> {
    const SQL: &str = "
        select a.id, a.at_ms, a.channel, a.person_id, p.name, a.action, a.object, a.before,
            a.after, a.address
        from audit a left join persons p on p.id = a.person_id
        where a.object = :object order by a.id desc limit :limit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows =
        stmt.query_map(named_params! { ":object": object, ":limit": limit }, AuditRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
