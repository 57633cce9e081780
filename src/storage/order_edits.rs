//! What staff change in an order after it was sent, and what of that the client has seen.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StorageError;
use super::db::one_row;
use super::orders::{self, OrderLineRow};
use crate::domain::{OrderId, OrderLineId, OrderStatus, PersonId, Timestamp};

/// What stands beside an order for its editors: JSON, opaque here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// How the client last saw the order; `None`: as it is.
    pub shown: Option<String>,
    /// How it stood before the last change that can be taken back.
    pub undo: Option<String>,
}

/// What stands beside the order.
pub fn kept(conn: &Connection, id: OrderId) -> Result<Kept, StorageError> {
    const SQL: &str = "select shown, undo from orders where id = :id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let read =
        |row: &rusqlite::Row<'_>| Ok(Kept { shown: row.get("shown")?, undo: row.get("undo")? });
    Ok(stmt.query_row(named_params! { ":id": id }, read).optional()?.unwrap_or_default())
}

/// Keeps how the client last saw the order; `None`: as it is.
pub fn set_shown(
    tx: &Transaction<'_>,
    id: OrderId,
    shown: Option<&str>,
) -> Result<(), StorageError> {
    const SQL: &str = "update orders set shown = :shown where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":shown": shown })?)
}

/// Keeps how the order stood before a change.
pub fn set_undo(tx: &Transaction<'_>, id: OrderId, undo: Option<&str>) -> Result<(), StorageError> {
    const SQL: &str = "update orders set undo = :undo where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":undo": undo })?)
}

/// Takes one line out.
pub fn remove_line(tx: &Transaction<'_>, id: OrderLineId) -> Result<(), StorageError> {
    const SQL: &str = "delete from order_lines where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id })?)
}

/// Puts the lines back as they were, under their own ids.
pub fn restore_lines(
    tx: &Transaction<'_>,
    id: OrderId,
    lines: &[OrderLineRow],
) -> Result<(), StorageError> {
    const SQL: &str = "update order_lines set id = :own where id = :given";
    orders::remove_lines(tx, id)?;
    for line in lines {
        let given = orders::insert_line(tx, id, line)?;
        tx.prepare_cached(SQL)?.execute(named_params! { ":own": line.id, ":given": given })?;
    }
    Ok(())
}

/// Puts the status, its reason and the manager back as they were.
pub fn restore_status(
    tx: &Transaction<'_>,
    id: OrderId,
    status: OrderStatus,
    reason: &str,
    manager: Option<PersonId>,
    now: Timestamp,
) -> Result<(), StorageError> {
    orders::set_status(tx, id, status, reason, now)?;
    orders::set_manager(tx, id, manager, now)
}

/// Makes a message of the timeline an entry about what the client was not told after all.
pub fn not_told(tx: &Transaction<'_>, event: i64, text: &str) -> Result<(), StorageError> {
    const SQL: &str = "
        update order_events set kind = 'line', to_client = 0, text = :text where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! { ":id": event, ":text": text })?)
}
