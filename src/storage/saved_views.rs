//! Saved views: lists of orders that managers keep under a name.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use super::db::one_row;
use crate::domain::{PersonId, Timestamp, ViewId, ViewName};

/// A saved view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewRow {
    /// The view.
    pub id: ViewId,
    /// Who made it and may change it.
    pub owner: PersonId,
    /// The owner's name now.
    pub owner_name: String,
    /// What they call it.
    pub name: String,
    /// The query of the list's address: filters, sorting and columns, never the page.
    pub query: String,
    /// Whether every manager sees it; else its owner alone.
    pub shared: bool,
}

const VIEW: &str = "
    select v.id, v.owner_id, p.name as owner_name, v.name, v.query, v.shared
    from saved_views v join persons p on p.id = v.owner_id";

impl ViewRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            owner: row.get("owner_id")?,
            owner_name: row.get("owner_name")?,
            name: row.get("name")?,
            query: row.get("query")?,
            shared: row.get("shared")?,
        })
    }
}

/// The view with this id, or `None`.
pub fn find(conn: &Connection, id: ViewId) -> Result<Option<ViewRow>, StorageError> {
    let mut stmt = conn.prepare_cached(&format!("{VIEW} where v.id = :id"))?;
    Ok(stmt.query_row(named_params! { ":id": id }, ViewRow::from_row).optional()?)
}

/// The person's own view of this name, or `None`.
pub fn find_by_name(
    conn: &Connection,
    owner: PersonId,
    name: &ViewName,
) -> Result<Option<ViewRow>, StorageError> {
    let sql = format!("{VIEW} where v.owner_id = :owner and v.name_key = :key");
    let params = named_params! { ":owner": owner, ":key": name.key() };
    let mut stmt = conn.prepare_cached(&sql)?;
    Ok(stmt.query_row(params, ViewRow::from_row).optional()?)
}

/// What the person sees: their own views by name, then those that others share.
pub fn list(conn: &Connection, person: PersonId) -> Result<Vec<ViewRow>, StorageError> {
    let sql = format!(
        "{VIEW} where v.owner_id = :person or v.shared = 1
        order by v.owner_id <> :person, v.name_key, v.id"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map(named_params! { ":person": person }, ViewRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many views the person has made.
pub fn count(conn: &Connection, owner: PersonId) -> Result<u32, StorageError> {
    const SQL: &str = "select count(*) as count from saved_views where owner_id = :owner";
    let params = named_params! { ":owner": owner };
    Ok(conn.prepare_cached(SQL)?.query_row(params, |row| row.get("count"))?)
}

/// Keeps this list under this name.
pub fn insert(
    tx: &Transaction<'_>,
    owner: PersonId,
    name: &ViewName,
    query: &str,
    shared: bool,
    now: Timestamp,
) -> Result<ViewId, StorageError> {
    const SQL: &str = "
        insert into saved_views (owner_id, name, name_key, query, shared, created_at_ms,
            updated_at_ms)
        values (:owner, :name, :key, :query, :shared, :now, :now)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":owner": owner, ":name": name.as_str(), ":key": name.key(), ":query": query,
        ":shared": shared, ":now": now,
    })?;
    Ok(ViewId(tx.last_insert_rowid()))
}

/// Gives the view another name, to those who are to see it.
pub fn rename(
    tx: &Transaction<'_>,
    id: ViewId,
    name: &ViewName,
    shared: bool,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update saved_views set name = :name, name_key = :key, shared = :shared, updated_at_ms = :now
        where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": id, ":name": name.as_str(), ":key": name.key(), ":shared": shared, ":now": now,
    })?)
}

/// Puts another list under the view's name.
pub fn set_query(
    tx: &Transaction<'_>,
    id: ViewId,
    query: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update saved_views set query = :query, updated_at_ms = :now where id = :id";
    let params = named_params! { ":id": id, ":query": query, ":now": now };
    one_row(tx.prepare_cached(SQL)?.execute(params)?)
}

/// Takes the view away.
pub fn remove(tx: &Transaction<'_>, id: ViewId) -> Result<(), StorageError> {
    const SQL: &str = "delete from saved_views where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id })?)
}
