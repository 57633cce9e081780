//! The catalogue as recognition reads it.

use std::collections::HashMap;

use rusqlite::{Connection, Transaction, named_params};

use super::StorageError;
use crate::domain::{CategoryId, ProductId, Timestamp};
use crate::recognition::{Entry, Pack};

/// The version of what recognition sees: it grows with every change.
pub fn version(conn: &Connection) -> Result<i64, StorageError> {
    const SQL: &str = "select version from catalog_version";
    Ok(conn.prepare_cached(SQL)?.query_row([], |row| row.get("version"))?)
}

/// Notes that what recognition sees has changed.
pub fn touch(tx: &Transaction<'_>, now: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "update catalog_version set version = version + 1, changed_at_ms = :now";
    tx.prepare_cached(SQL)?.execute(named_params! { ":now": now })?;
    Ok(())
}

/// Of when prices and stock are: the last load of a catalogue that went through, or else the last
/// change of what recognition sees; `None` when nothing has ever been loaded.
pub fn loaded_at(conn: &Connection) -> Result<Option<Timestamp>, StorageError> {
    const SQL: &str = "
        select coalesce(
            (select at_ms + duration_ms from exchanges where kind = 'catalog' and error = ''
                order by at_ms desc limit 1),
            (select nullif(changed_at_ms, 0) from catalog_version)
        ) as at_ms";
    Ok(conn.prepare_cached(SQL)?.query_row([], |row| row.get("at_ms"))?)
}

/// Every product that is sold.
pub fn load(conn: &Connection) -> Result<Vec<Entry>, StorageError> {
    const SQL: &str = "
        select id, sku, title, category_id, unit, barcode, description, available_thousandths,
            search_words
        from products where not withdrawn and not hidden order by id";
    let paths = category_paths(conn)?;
    let mut packs = packs(conn)?;
    let mut stmt = conn.prepare_cached(SQL)?;
    let mut rows = stmt.query([])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let id: ProductId = row.get("id")?;
        let category: Option<CategoryId> = row.get("category_id")?;
        entries.push(Entry {
            id,
            article: row.get("sku")?,
            title: row.get("title")?,
            description: row.get("description")?,
            category: category.and_then(|id| paths.get(&id)).cloned().unwrap_or_default(),
            unit: Some(row.get("unit")?),
            packs: packs.remove(&id).unwrap_or_default(),
            barcode: row.get("barcode")?,
            available: row.get::<_, i64>("available_thousandths")? > 0,
            search_words: row.get("search_words")?,
        });
    }
    Ok(entries)
}

/// What wires call each product: the article where it is unique, else the key.
pub fn keys(conn: &Connection) -> Result<HashMap<ProductId, String>, StorageError> {
    const SQL: &str = "
        select id, case
            when sku <> '' and count(*) over (partition by sku) = 1 then sku
            else coalesce(external_id, nullif(sku, ''), title)
        end as key
        from products";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| Ok((row.get("id")?, row.get("key")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn packs(conn: &Connection) -> Result<HashMap<ProductId, Vec<Pack>>, StorageError> {
    const SQL: &str = "
        select product_id, unit, coefficient_thousandths from packs
        order by product_id, coefficient_thousandths, unit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let mut rows = stmt.query([])?;
    let mut packs: HashMap<ProductId, Vec<Pack>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let pack =
            Pack { unit: row.get("unit")?, coefficient: row.get("coefficient_thousandths")? };
        packs.entry(row.get("product_id")?).or_default().push(pack);
    }
    Ok(packs)
}

/// «Крепёж/Саморезы» of every category.
fn category_paths(conn: &Connection) -> Result<HashMap<CategoryId, String>, StorageError> {
    const SQL: &str = "
        with recursive tree (id, path, depth) as (
            select id, title, 0 from categories where parent_id is null
            union all
            select c.id, t.path || '/' || c.title, t.depth + 1
            from categories c join tree t on c.parent_id = t.id where t.depth < 32)
        select id, path from tree";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| Ok((row.get("id")?, row.get("path")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
