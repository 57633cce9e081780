//! What was moved in from the former program, and the few columns that only a move writes.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StorageError;
use super::db::one_row;
use crate::domain::{OrderId, OrderNumber, ThreadId, Timestamp};

/// Of what a former id is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person.
    Person,
    /// An organization.
    Organization,
    /// A product.
    Product,
    /// An order.
    Order,
    /// A thread.
    Thread,
}

impl Kind {
    fn code(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Organization => "organization",
            Self::Product => "product",
            Self::Order => "order",
            Self::Thread => "thread",
        }
    }
}

/// What a former id has become.
pub fn find(conn: &Connection, kind: Kind, old: i64) -> Result<Option<i64>, StorageError> {
    const SQL: &str = "select new_id from legacy_ids where kind = :kind and old_id = :old";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":kind": kind.code(), ":old": old };
    Ok(stmt.query_row(params, |row| row.get("new_id")).optional()?)
}

/// Remembers what a former id has become.
pub fn set(tx: &Transaction<'_>, kind: Kind, old: i64, new: i64) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into legacy_ids (kind, old_id, new_id) values (:kind, :old, :new)";
    let params = named_params! { ":kind": kind.code(), ":old": old, ":new": new };
    one_row(tx.prepare_cached(SQL)?.execute(params)?)
}

/// Whether another former id has become this already.
pub fn is_taken(conn: &Connection, kind: Kind, new: i64) -> Result<bool, StorageError> {
    const SQL: &str = "
        select exists (select 1 from legacy_ids where kind = :kind and new_id = :new)";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":kind": kind.code(), ":new": new };
    Ok(stmt.query_row(params, |row| row.get(0))?)
}

/// Sets what an order has only by having been moved.
pub fn mark_order(
    tx: &Transaction<'_>,
    id: OrderId,
    updated_at: Timestamp,
    history: bool,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update orders set updated_at_ms = :updated_at, history = :history where id = :id";
    let params = named_params! { ":id": id, ":updated_at": updated_at, ":history": history };
    one_row(tx.prepare_cached(SQL)?.execute(params)?)
}

/// Sets what a thread has only by having been moved: when it was settled. Whoever is in it, or
/// works for the company, has read it.
pub fn settle_thread(
    tx: &Transaction<'_>,
    id: ThreadId,
    closed_at: Timestamp,
) -> Result<(), StorageError> {
    const CLOSE: &str = "
        update threads set state = 'resolved', updated_at_ms = :at where id = :id";
    const READ: &str = "
        insert or replace into thread_reads (thread_id, person_id, message_id)
        select :id, p.id, coalesce((select max(m.id) from thread_messages m
            where m.thread_id = :id), 0)
        from persons p
        where p.granted_role is not null
            or p.id in (select author_id from threads where id = :id)
            or p.id in (select m.person_id from thread_messages m where m.thread_id = :id)";
    one_row(tx.prepare_cached(CLOSE)?.execute(named_params! { ":id": id, ":at": closed_at })?)?;
    tx.prepare_cached(READ)?.execute(named_params! { ":id": id })?;
    Ok(())
}

/// New orders get numbers after this one, and after all that there are; the last number.
pub fn raise_order_number(
    tx: &Transaction<'_>,
    last: OrderNumber,
) -> Result<OrderNumber, StorageError> {
    const SQL: &str = "
        update counters set value = max(value, :last,
            coalesce((select max(number) from orders), 0))
        where name = 'order_number' returning value";
    Ok(tx
        .prepare_cached(SQL)?
        .query_row(named_params! { ":last": last }, |row| row.get("value"))?)
}
