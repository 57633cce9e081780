//! What an organization bought elsewhere, as 1C tells it, and what it owes.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StorageError;
use crate::domain::{Money, OrganizationId, ProductId, Quantity, Timestamp};

/// Stores one purchase; whether it is news. `None`: of the undated list.
pub fn set(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    product: ProductId,
    ordered_at: Option<Timestamp>,
    quantity: Quantity,
    unit: &str,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        insert into purchases (organization_id, product_id, ordered_at_ms, quantity_thousandths,
            unit)
        values (:organization, :product, :ordered_at, :quantity, :unit)
        on conflict do update set quantity_thousandths = excluded.quantity_thousandths,
            unit = excluded.unit
        where (quantity_thousandths, unit) is not (excluded.quantity_thousandths, excluded.unit)";
    let mut stmt = tx.prepare_cached(SQL)?;
    let changed = stmt.execute(named_params! {
        ":organization": organization, ":product": product, ":ordered_at": ordered_at,
        ":quantity": quantity, ":unit": unit,
    })?;
    Ok(changed > 0)
}

/// Forgets what the undated list had besides these products; how many.
pub fn keep_undated(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    keep: &[ProductId],
) -> Result<usize, StorageError> {
    const LIST: &str = "
        select id, product_id from purchases
        where organization_id = :organization and ordered_at_ms is null";
    let mut stmt = tx.prepare_cached(LIST)?;
    let rows = stmt.query_map(named_params! { ":organization": organization }, |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, ProductId>(1)?))
    })?;
    let rows: Vec<(i64, ProductId)> = rows.collect::<Result<_, _>>()?;
    let mut delete = tx.prepare_cached("delete from purchases where id = :id")?;
    let mut gone = 0;
    for (id, product) in rows {
        if !keep.contains(&product) {
            gone += delete.execute(named_params! { ":id": id })?;
        }
    }
    Ok(gone)
}

/// What an organization owes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Balance {
    /// The debt.
    pub debt: Option<Money>,
    /// What of it is overdue.
    pub overdue: Option<Money>,
    /// The credit limit.
    pub limit: Option<Money>,
    /// Terms of payment, in words.
    pub terms: String,
    /// The moment that 1C reckoned it for.
    pub as_of: Option<Timestamp>,
}

/// Stores a balance; whether it is another than before.
pub fn set_balance(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    balance: &Balance,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        insert into balances (organization_id, debt_kopecks, overdue_kopecks, limit_kopecks, terms,
            as_of_ms, updated_at_ms)
        values (:organization, :debt, :overdue, :limit, :terms, :as_of, :now)
        on conflict do update set debt_kopecks = excluded.debt_kopecks,
            overdue_kopecks = excluded.overdue_kopecks, limit_kopecks = excluded.limit_kopecks,
            terms = excluded.terms, as_of_ms = excluded.as_of_ms,
            updated_at_ms = excluded.updated_at_ms
        where (debt_kopecks, overdue_kopecks, limit_kopecks, terms, as_of_ms) is not
            (excluded.debt_kopecks, excluded.overdue_kopecks, excluded.limit_kopecks,
            excluded.terms, excluded.as_of_ms)";
    let changed = tx.prepare_cached(SQL)?.execute(named_params! {
        ":organization": organization, ":debt": balance.debt, ":overdue": balance.overdue,
        ":limit": balance.limit, ":terms": balance.terms, ":as_of": balance.as_of, ":now": now,
    })?;
    Ok(changed > 0)
}

/// What the organization owes, as far as 1C has told; `None`: it never has.
pub fn find_balance(
    conn: &Connection,
    organization: OrganizationId,
) -> Result<Option<Balance>, StorageError> {
    const SQL: &str = "
        select debt_kopecks, overdue_kopecks, limit_kopecks, terms, as_of_ms
        from balances where organization_id = :organization";
    let mut stmt = conn.prepare_cached(SQL)?;
    let row = stmt.query_row(named_params! { ":organization": organization }, |row| {
        Ok(Balance {
            debt: row.get("debt_kopecks")?,
            overdue: row.get("overdue_kopecks")?,
            limit: row.get("limit_kopecks")?,
            terms: row.get("terms")?,
            as_of: row.get("as_of_ms")?,
        })
    });
    Ok(row.optional()?)
}
