//! Who waits for which product to be in stock.

use rusqlite::{Connection, Transaction, named_params};

use super::StorageError;
use crate::domain::{PersonId, ProductId, Timestamp};

/// The person waits for the product; whether that is news.
pub fn insert(
    tx: &Transaction<'_>,
    product: ProductId,
    person: PersonId,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        insert into stock_watches (product_id, person_id, created_at_ms)
        values (:product, :person, :now) on conflict do nothing";
    let params = named_params! { ":product": product, ":person": person, ":now": now };
    Ok(tx.prepare_cached(SQL)?.execute(params)? == 1)
}

/// Whether anybody's product has come.
pub fn any_arrived(conn: &Connection) -> Result<bool, StorageError> {
    const SQL: &str = "
        select exists (select 1 from stock_watches w join products p on p.id = w.product_id
            where p.available_thousandths > 0 and not p.withdrawn and not p.hidden) as arrived";
    Ok(conn.prepare_cached(SQL)?.query_row([], |row| row.get("arrived"))?)
}

/// Takes off the list whoever's product has come: who, and which.
pub fn take_arrived(tx: &Transaction<'_>) -> Result<Vec<(PersonId, ProductId)>, StorageError> {
    const SQL: &str = "
        delete from stock_watches where product_id in (select id from products
            where available_thousandths > 0 and not withdrawn and not hidden)
        returning person_id, product_id";
    let mut stmt = tx.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| Ok((row.get("person_id")?, row.get("product_id")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
