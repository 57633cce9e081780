//! Figures about the program's own work, for health and metrics. Nothing here changes anything, and
//! no person is in it.

use rusqlite::{Connection, named_params};

use super::StorageError;
use crate::domain::Timestamp;

/// A queue: the inbox or the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Queue {
    /// Rows that wait.
    pub waiting: u32,
    /// When the oldest of them came, or fell due.
    pub oldest: Option<Timestamp>,
    /// Rows that were given up and are still kept.
    pub given_up: u32,
}

/// Events that wait to be handled.
pub fn inbox(conn: &Connection) -> Result<Queue, StorageError> {
    const SQL: &str = "
        select (select count(*) from inbox where state = 'pending') as waiting,
            (select min(received_at_ms) from inbox indexed by inbox_pending
                where state = 'pending') as oldest,
            (select count(*) from inbox where state = 'dead') as given_up";
    Ok(conn.prepare_cached(SQL)?.query_row([], |row| {
        Ok(Queue {
            waiting: row.get("waiting")?,
            oldest: row.get("oldest")?,
            given_up: row.get("given_up")?,
        })
    })?)
}

/// Messages that are due by `now`, and those that were given up.
pub fn outbox(conn: &Connection, now: Timestamp) -> Result<Queue, StorageError> {
    const SQL: &str = "
        select (select count(*) from outbox where state = 'queued') as waiting,
            (select min(due_at_ms) from outbox where state = 'queued' and due_at_ms <= :now)
                as oldest,
            (select count(*) from outbox where state = 'failed') as given_up";
    Ok(conn.prepare_cached(SQL)?.query_row(named_params! { ":now": now }, |row| {
        Ok(Queue {
            waiting: row.get("waiting")?,
            oldest: row.get("oldest")?,
            given_up: row.get("given_up")?,
        })
    })?)
}

/// Messages that were given up since `since`.
pub fn failed_since(conn: &Connection, since: Timestamp) -> Result<u32, StorageError> {
    const SQL: &str = "
        select count(*) as failed from outbox where state = 'failed' and closed_at_ms >= :since";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":since": since }, |row| row.get("failed"))?)
}

/// Orders by status.
pub fn orders(conn: &Connection) -> Result<Vec<(String, u32)>, StorageError> {
    const SQL: &str = "select status, count(*) as orders from orders group by status";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| Ok((row.get("status")?, row.get("orders")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Exchanges of one way and kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeSums {
    /// `json`, `pull`, `commerceml`, `import`.
    pub way: String,
    /// `catalog`, `orders` …
    pub kind: String,
    /// How many.
    pub runs: u32,
    /// How many of them failed.
    pub failed: u32,
    /// Records that came.
    pub received: i64,
    /// Records left out.
    pub skipped: i64,
    /// When the last one that went through began.
    pub succeeded_at: Option<Timestamp>,
}

/// Exchanges by way and kind.
pub fn exchanges(conn: &Connection) -> Result<Vec<ExchangeSums>, StorageError> {
    const SQL: &str = "
        select way, kind, count(*) as runs, count(*) filter (where error <> '') as failed,
            coalesce(sum(received), 0) as received, coalesce(sum(skipped), 0) as skipped,
            max(at_ms) filter (where error = '') as succeeded_at_ms
        from exchanges group by way, kind order by way, kind";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| {
        Ok(ExchangeSums {
            way: row.get("way")?,
            kind: row.get("kind")?,
            runs: row.get("runs")?,
            failed: row.get("failed")?,
            received: row.get("received")?,
            skipped: row.get("skipped")?,
            succeeded_at: row.get("succeeded_at_ms")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The latest moment that the database knows of: a clock that is behind it has been put back.
pub fn latest_moment(conn: &Connection) -> Result<Option<Timestamp>, StorageError> {
    const SQL: &str = "
        select max(at_ms) as at_ms from (
            select max(started_at_ms) as at_ms from jobs
            union all select at_ms from (select at_ms from exchanges order by id desc limit 1)
            union all select at_ms from (select at_ms from audit order by id desc limit 1)
            union all select created_at_ms from (
                select created_at_ms from orders order by id desc limit 1))";
    Ok(conn.prepare_cached(SQL)?.query_row([], |row| row.get("at_ms"))?)
}
