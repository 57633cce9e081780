//! Two rows of one organization become one.

use rusqlite::{Connection, Transaction, named_params};

use super::StorageError;
use super::db::one_row;
use crate::domain::OrganizationId;

/// What moves from one organization to the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// People.
    pub people: u32,
    /// Orders.
    pub orders: u32,
    /// Threads of questions.
    pub threads: u32,
    /// Learnt words.
    pub words: u32,
}

/// What would move.
pub fn preview(conn: &Connection, from: OrganizationId) -> Result<Moved, StorageError> {
    const SQL: &str = "
        select (select count(*) from members where organization_id = :from and state <> 'left') as people,
            (select count(*) from orders where organization_id = :from) as orders,
            (select count(*) from threads where organization_id = :from) as threads,
            (select count(*) from learnt_phrases where organization_id = :from) as words";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":from": from }, |row| {
        Ok(Moved {
            people: row.get("people")?,
            orders: row.get("orders")?,
            threads: row.get("threads")?,
            words: row.get("words")?,
        })
    })?)
}

/// Moves all that belongs to `from` to `to` and takes `from` away. Where both have the same, that
/// of `to` stays; its ИНН and 1C's id are filled from `from` where it has none.
pub fn merge(
    tx: &Transaction<'_>,
    from: OrganizationId,
    to: OrganizationId,
) -> Result<(), StorageError> {
    const MOVES: [&str; 11] = [
        "update or ignore members set organization_id = :to where organization_id = :from",
        "update orders set organization_id = :to where organization_id = :from",
        "update threads set organization_id = :to where organization_id = :from",
        "update or ignore addresses set organization_id = :to where organization_id = :from",
        "update or ignore learnt_phrases set organization_id = :to where organization_id = :from",
        "update or ignore purchases set organization_id = :to where organization_id = :from",
        "update or ignore synonyms set organization_id = :to where organization_id = :from",
        "update or ignore drafts set organization_id = :to where organization_id = :from",
        "update or ignore templates set organization_id = :to where organization_id = :from",
        "update or ignore balances set organization_id = :to where organization_id = :from",
        "update persons set current_organization_id = :to where current_organization_id = :from",
    ];
    const IDS: &str = "select inn, external_id from organizations where id = :from";
    const REMOVE: &str = "delete from organizations where id = :from";
    const FILL: &str = "
        update organizations set inn = coalesce(inn, :inn),
            external_id = coalesce(external_id, :external_id) where id = :to";
    for sql in MOVES {
        tx.prepare_cached(sql)?.execute(named_params! { ":from": from, ":to": to })?;
    }
    let (inn, external_id): (Option<String>, Option<String>) =
        tx.prepare_cached(IDS)?.query_row(named_params! { ":from": from }, |row| {
            Ok((row.get("inn")?, row.get("external_id")?))
        })?;
    one_row(tx.prepare_cached(REMOVE)?.execute(named_params! { ":from": from })?)?;
    one_row(tx.prepare_cached(FILL)?.execute(named_params! {
        ":inn": inn, ":external_id": external_id, ":to": to,
    })?)
}
