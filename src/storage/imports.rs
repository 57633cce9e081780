//! Catalogue files that people brought: what each has changed, to be taken back for a day.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StorageError;
use super::db::one_row;
use crate::domain::{PersonId, Timestamp};

/// An import that can be taken back, or has been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// Its exchange.
    pub exchange: i64,
    /// Whether a record is a row of a table.
    pub tabular: bool,
    /// When it was loaded.
    pub at: Timestamp,
    /// When it was taken back; `None`: it stands.
    pub undone_at: Option<Timestamp>,
    /// Who took it back.
    pub undone_by: Option<String>,
    /// Products that are as they were before.
    pub restored: u32,
    /// Products that it had made and that are no longer sold.
    pub removed: u32,
}

/// What of an import was not taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftoverRow {
    /// What it is called.
    pub name: String,
    /// Why, in Russian.
    pub reason: String,
}

/// Notes an import.
pub fn insert(tx: &Transaction<'_>, exchange: i64, tabular: bool) -> Result<(), StorageError> {
    const SQL: &str = "insert into imports (exchange_id, tabular) values (:exchange, :tabular)";
    tx.execute(SQL, named_params! { ":exchange": exchange, ":tabular": tabular })?;
    Ok(())
}

/// The import that this exchange was, or `None`.
pub fn find(conn: &Connection, exchange: i64) -> Result<Option<ImportRow>, StorageError> {
    const SQL: &str = "
        select i.exchange_id, i.tabular, e.at_ms + e.duration_ms as at_ms, i.undone_at_ms,
            p.name as undone_by, i.restored, i.removed
        from imports i join exchanges e on e.id = i.exchange_id
        left join persons p on p.id = i.undone_by
        where i.exchange_id = :exchange";
    let mut stmt = conn.prepare_cached(SQL)?;
    let found = stmt.query_row(named_params! { ":exchange": exchange }, |row| {
        Ok(ImportRow {
            exchange: row.get("exchange_id")?,
            tabular: row.get("tabular")?,
            at: row.get("at_ms")?,
            undone_at: row.get("undone_at_ms")?,
            undone_by: row.get("undone_by")?,
            restored: row.get("restored")?,
            removed: row.get("removed")?,
        })
    });
    Ok(found.optional()?)
}

/// Notes what an import has changed in this item, over what was noted before.
pub fn set_change(
    tx: &Transaction<'_>,
    exchange: i64,
    kind: &str,
    item: i64,
    change: &str,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into import_changes (exchange_id, kind, item, change)
        values (:exchange, :kind, :item, :change)
        on conflict do update set change = excluded.change";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":exchange": exchange, ":kind": kind, ":item": item, ":change": change,
    })?;
    Ok(())
}

/// What an import has changed in this item, or `None`.
pub fn change(
    conn: &Connection,
    exchange: i64,
    kind: &str,
    item: i64,
) -> Result<Option<String>, StorageError> {
    const SQL: &str = "
        select change from import_changes
        where exchange_id = :exchange and kind = :kind and item = :item";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":exchange": exchange, ":kind": kind, ":item": item };
    Ok(stmt.query_row(params, |row| row.get("change")).optional()?)
}

/// What an import has changed in items of this kind: ids and changes, by id.
pub fn changes(
    conn: &Connection,
    exchange: i64,
    kind: &str,
) -> Result<Vec<(i64, String)>, StorageError> {
    const SQL: &str = "
        select item, change from import_changes
        where exchange_id = :exchange and kind = :kind order by item";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":exchange": exchange, ":kind": kind };
    let rows = stmt.query_map(params, |row| Ok((row.get("item")?, row.get("change")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Closes an import that was taken back: what it had changed is no longer needed.
pub fn close(
    tx: &Transaction<'_>,
    exchange: i64,
    (now, by): (Timestamp, Option<PersonId>),
    (restored, removed): (u32, u32),
) -> Result<(), StorageError> {
    const FORGET: &str = "delete from import_changes where exchange_id = :exchange";
    const SQL: &str = "
        update imports set undone_at_ms = :now, undone_by = :by, restored = :restored,
            removed = :removed
        where exchange_id = :exchange and undone_at_ms is null";
    one_row(tx.execute(
        SQL,
        named_params! {
            ":exchange": exchange, ":now": now, ":by": by, ":restored": restored,
            ":removed": removed,
        },
    )?)?;
    tx.execute(FORGET, named_params! { ":exchange": exchange })?;
    Ok(())
}

/// Notes something that was not taken back.
pub fn add_leftover(
    tx: &Transaction<'_>,
    exchange: i64,
    position: u32,
    leftover: &LeftoverRow,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into import_leftovers (exchange_id, position, name, reason)
        values (:exchange, :position, :name, :reason)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":exchange": exchange, ":position": position, ":name": leftover.name,
        ":reason": leftover.reason,
    })?;
    Ok(())
}

/// What of an import was not taken back.
pub fn leftovers(conn: &Connection, exchange: i64) -> Result<Vec<LeftoverRow>, StorageError> {
    const SQL: &str = "
        select name, reason from import_leftovers
        where exchange_id = :exchange order by position";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":exchange": exchange }, |row| {
        Ok(LeftoverRow { name: row.get("name")?, reason: row.get("reason")? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The catalogue's exchange after this one that was at work at this moment, the last of them.
pub fn exchange_at(
    conn: &Connection,
    after: i64,
    at: Timestamp,
) -> Result<Option<i64>, StorageError> {
    const SQL: &str = "
        select max(id) from exchanges
        where id > :after and kind = 'catalog' and error = ''
            and at_ms <= :at and at_ms + duration_ms >= :at";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":after": after, ":at": at }, |row| row.get(0))?)
}

/// Forgets what imports before this moment have changed; how many changes.
pub fn sweep(tx: &Transaction<'_>, before: Timestamp) -> Result<usize, StorageError> {
    const SQL: &str = "
        delete from import_changes where exchange_id in (
            select i.exchange_id from imports i join exchanges e on e.id = i.exchange_id
            where e.at_ms + e.duration_ms < :before)";
    Ok(tx.execute(SQL, named_params! { ":before": before })?)
}
