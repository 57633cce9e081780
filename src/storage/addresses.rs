//! An organization's book of delivery addresses.

use rusqlite::{Connection, Transaction, named_params};

use super::StorageError;
use crate::domain::{OrganizationId, Timestamp};

/// The addresses with their rows, the last used first.
pub fn list(
    conn: &Connection,
    organization: OrganizationId,
) -> Result<Vec<(i64, String)>, StorageError> {
    const SQL: &str = "
        select id, address from addresses
        where organization_id = :organization order by used_at_ms desc, id desc";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":organization": organization }, |row| {
        Ok((row.get("id")?, row.get("address")?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Adds the address, or notes that it was used again.
pub fn remember(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    address: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into addresses (organization_id, address, used_at_ms)
        values (:organization, :address, :now)
        on conflict (organization_id, address) do update set used_at_ms = :now";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":organization": organization, ":address": address, ":now": now,
    })?;
    Ok(())
}
