//! Other products that managers propose for lines of orders.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StorageError;
use crate::domain::{OrderId, OrderLineId, PersonId, ProductId, ProposalId, Timestamp};

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalRow {
    /// The proposal.
    pub id: ProposalId,
    /// The order.
    pub order: OrderId,
    /// Its line.
    pub line: OrderLineId,
    /// What is proposed.
    pub product: ProductId,
    /// Who proposes.
    pub proposed_by: Option<PersonId>,
    /// `open`, `agreed`, `declined`, or `replaced` by a later one.
    pub state: String,
}

/// The proposal with this id, or `None`.
pub fn find(conn: &Connection, id: ProposalId) -> Result<Option<ProposalRow>, StorageError> {
    const SQL: &str = "
        select id, order_id, line_id, product_id, proposed_by, state from proposals where id = :id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let row = stmt.query_row(named_params! { ":id": id }, |row| {
        Ok(ProposalRow {
            id: row.get("id")?,
            order: row.get("order_id")?,
            line: row.get("line_id")?,
            product: row.get("product_id")?,
            proposed_by: row.get("proposed_by")?,
            state: row.get("state")?,
        })
    });
    Ok(row.optional()?)
}

/// Stores a proposal; an open one of the same line gives way to it.
pub fn insert(
    tx: &Transaction<'_>,
    order: OrderId,
    line: OrderLineId,
    product: ProductId,
    by: Option<PersonId>,
    now: Timestamp,
) -> Result<ProposalId, StorageError> {
    const GIVE_WAY: &str = "
        update proposals set state = 'replaced', answered_at_ms = :now
        where line_id = :line and state = 'open'";
    const SQL: &str = "
        insert into proposals (order_id, line_id, product_id, proposed_by, created_at_ms)
        values (:order, :line, :product, :by, :now)";
    tx.prepare_cached(GIVE_WAY)?.execute(named_params! { ":line": line, ":now": now })?;
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":order": order, ":line": line, ":product": product, ":by": by, ":now": now,
    })?;
    Ok(ProposalId(tx.last_insert_rowid()))
}

/// Notes the answer; whether the proposal waited for one.
pub fn answer(
    tx: &Transaction<'_>,
    id: ProposalId,
    agreed: bool,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        update proposals set state = :state, answered_at_ms = :now
        where id = :id and state = 'open'";
    let state = if agreed { "agreed" } else { "declined" };
    let params = named_params! { ":id": id, ":state": state, ":now": now };
    Ok(tx.prepare_cached(SQL)?.execute(params)? == 1)
}
