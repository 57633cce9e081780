//! Price types and prices.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params, params};

use super::StorageError;
use super::db::one_row;
use crate::domain::{Money, Price, ProductId, is_roubles};

/// A price type («вид цен»).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PriceTypeRow {
    /// Its id.
    pub id: i64,
    /// The source's id.
    pub external_id: Option<String>,
    /// Its name; empty: the one without a name.
    pub name: String,
    /// Its currency, `RUB` or as the source writes it.
    pub currency: String,
    /// The currency in the source's own word, for orders on their way back; empty: it gave none.
    pub currency_word: String,
}

impl PriceTypeRow {
    /// Whether its prices are in roubles; others are listed and not used.
    pub fn is_roubles(&self) -> bool {
        is_roubles(&self.currency)
    }
}

/// All price types.
pub fn types(conn: &Connection) -> Result<Vec<PriceTypeRow>, StorageError> {
    const SQL: &str = "
        select id, external_id, name, currency, currency_word from price_types order by id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| {
        Ok(PriceTypeRow {
            id: row.get("id")?,
            external_id: row.get("external_id")?,
            name: row.get("name")?,
            currency: row.get("currency")?,
            currency_word: row.get("currency_word")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Stores a new price type and says its id.
pub fn insert_type(tx: &Transaction<'_>, row: &PriceTypeRow) -> Result<i64, StorageError> {
    const SQL: &str = "
        insert into price_types (external_id, name, currency, currency_word)
        values (:external_id, :name, :currency, :word)";
    let mut stmt = tx.prepare_cached(SQL)?;
    stmt.execute(named_params! {
        ":external_id": row.external_id, ":name": row.name, ":currency": row.currency,
        ":word": row.currency_word,
    })?;
    Ok(tx.last_insert_rowid())
}

/// Writes a price type over the stored one.
pub fn update_type(tx: &Transaction<'_>, row: &PriceTypeRow) -> Result<(), StorageError> {
    const SQL: &str = "
        update price_types set external_id = :external_id, name = :name, currency = :currency,
            currency_word = :word
        where id = :id";
    let mut stmt = tx.prepare_cached(SQL)?;
    let found = stmt.execute(named_params! {
        ":id": row.id, ":external_id": row.external_id, ":name": row.name,
        ":currency": row.currency, ":word": row.currency_word,
    })?;
    one_row(found)
}

/// Removes a price type that no product has a price of and no organization buys by; whether it was.
pub fn remove_unused_type(tx: &Transaction<'_>, id: i64) -> Result<bool, StorageError> {
    const SQL: &str = "
        delete from price_types where id = :id
            and not exists (select 1 from prices where price_type_id = :id)
            and not exists (select 1 from organizations where price_type_id = :id)";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id })? == 1)
}

/// Marks the default price type, `None`: there is none; whether that is news.
pub fn set_default(tx: &Transaction<'_>, id: Option<i64>) -> Result<bool, StorageError> {
    const SQL: &str = "
        update price_types set is_default = (id is :id) where is_default <> (id is :id)";
    Ok(tx.execute(SQL, named_params! { ":id": id })? > 0)
}

fn price(amount: Money, per: u32) -> Result<Price, StorageError> {
    Price::new(amount, per).ok_or_else(|| StorageError::Corrupt("prices.amount_kopecks".to_owned()))
}

/// Goes over all prices: product, type, price; by product and type.
pub fn scan(
    conn: &Connection,
    mut each: impl FnMut(ProductId, i64, Price),
) -> Result<(), StorageError> {
    const SQL: &str = "
        select product_id, price_type_id, amount_kopecks, per from prices
        order by product_id, price_type_id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let mut rows = stmt.query([])?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, row.get(1)?, price(row.get(2)?, row.get(3)?)?);
    }
    Ok(())
}

/// The product's prices by type.
pub fn of_product(conn: &Connection, id: ProductId) -> Result<Vec<(i64, Price)>, StorageError> {
    const SQL: &str = "
        select price_type_id, amount_kopecks, per from prices
        where product_id = :id order by price_type_id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let mut rows = stmt.query(named_params! { ":id": id })?;
    let mut prices = Vec::new();
    while let Some(row) = rows.next()? {
        prices.push((row.get(0)?, price(row.get(1)?, row.get(2)?)?));
    }
    Ok(prices)
}

/// The product's price of one type.
pub fn find(
    conn: &Connection,
    id: ProductId,
    price_type: i64,
) -> Result<Option<Price>, StorageError> {
    const SQL: &str = "
        select amount_kopecks, per from prices
        where product_id = :id and price_type_id = :price_type";
    let mut stmt = conn.prepare_cached(SQL)?;
    let found = stmt.query_row(named_params! { ":id": id, ":price_type": price_type }, |row| {
        Ok((row.get(0)?, row.get(1)?))
    });
    found.optional()?.map(|(amount, per)| price(amount, per)).transpose()
}

/// Stores a price.
pub fn set(
    tx: &Transaction<'_>,
    id: ProductId,
    price_type: i64,
    price: Price,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into prices (product_id, price_type_id, amount_kopecks, per)
        values (:id, :price_type, :amount, :per)
        on conflict do update set amount_kopecks = excluded.amount_kopecks, per = excluded.per";
    let mut stmt = tx.prepare_cached(SQL)?;
    // In the order of the text: a catalogue has many prices, and a name is looked up for each.
    stmt.execute(params![id, price_type, price.amount, price.per])?;
    Ok(())
}

/// Forgets a price.
pub fn remove(tx: &Transaction<'_>, id: ProductId, price_type: i64) -> Result<(), StorageError> {
    const SQL: &str = "delete from prices where product_id = :id and price_type_id = :price_type";
    tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":price_type": price_type })?;
    Ok(())
}
