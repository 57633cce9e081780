//! How many requests to language models were made, by day.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StorageError;

/// Takes one request of the day's budget; `false` when it is used up. Days gone by are forgotten.
pub fn take(tx: &Transaction<'_>, day: &str, limit: u32) -> Result<bool, StorageError> {
    const SQL: &str = "
        insert into llm_usage (day, requests) select :day, 1 where :limit > 0
        on conflict (day) do update set requests = requests + 1 where requests < :limit";
    const OLD: &str = "delete from llm_usage where day < date(:day, '-31 days')";
    let taken =
        tx.prepare_cached(SQL)?.execute(named_params! { ":day": day, ":limit": limit })? == 1;
    tx.prepare_cached(OLD)?.execute(named_params! { ":day": day })?;
    Ok(taken)
}

/// Requests made on the day.
pub fn used(conn: &Connection, day: &str) -> Result<u32, StorageError> {
    const SQL: &str = "select requests from llm_usage where day = :day";
    let mut stmt = conn.prepare_cached(SQL)?;
    let used = stmt.query_row(named_params! { ":day": day }, |row| row.get("requests"));
    Ok(used.optional()?.unwrap_or(0))
}
