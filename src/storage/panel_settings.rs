//! Settings that were changed in the panel: a key of the settings table and the value as the
//! environment would write it.

use rusqlite::{Connection, Transaction, named_params};

use super::StorageError;
use crate::domain::Timestamp;

/// What is kept under these keys.
pub fn list(conn: &Connection, keys: &[&str]) -> Result<Vec<(String, String)>, StorageError> {
    let mut stmt = conn.prepare_cached("select key, value from settings order by key")?;
    let rows = stmt.query_map([], |row| Ok((row.get("key")?, row.get("value")?)))?;
    let mut kept: Vec<(String, String)> = rows.collect::<Result<_, _>>()?;
    kept.retain(|(key, _)| keys.contains(&key.as_str()));
    Ok(kept)
}

/// Keeps a value.
pub fn set(
    tx: &Transaction<'_>,
    key: &str,
    value: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into settings (key, value, updated_at_ms) values (:key, :value, :now)
        on conflict (key) do update set value = :value, updated_at_ms = :now";
    let params = named_params! { ":key": key, ":value": value, ":now": now };
    tx.prepare_cached(SQL)?.execute(params)?;
    Ok(())
}

/// Forgets a value.
pub fn remove(tx: &Transaction<'_>, key: &str) -> Result<(), StorageError> {
    const SQL: &str = "delete from settings where key = :key";
    tx.prepare_cached(SQL)?.execute(named_params! { ":key": key })?;
    Ok(())
}
