//! Warehouses and the stock in each.

use rusqlite::{Connection, Transaction, named_params};

use super::StorageError;
use super::db::one_row;
use crate::domain::{ProductId, Quantity};

/// A warehouse.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WarehouseRow {
    /// Its id.
    pub id: i64,
    /// The source's id.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
}

/// All warehouses.
pub fn warehouses(conn: &Connection) -> Result<Vec<WarehouseRow>, StorageError> {
    const SQL: &str = "select id, external_id, name from warehouses order by id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| {
        Ok(WarehouseRow {
            id: row.get("id")?,
            external_id: row.get("external_id")?,
            name: row.get("name")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Stores a new warehouse and says its id.
pub fn insert_warehouse(tx: &Transaction<'_>, row: &WarehouseRow) -> Result<i64, StorageError> {
    const SQL: &str = "insert into warehouses (external_id, name) values (:external_id, :name)";
    let mut stmt = tx.prepare_cached(SQL)?;
    stmt.execute(named_params! { ":external_id": row.external_id, ":name": row.name })?;
    Ok(tx.last_insert_rowid())
}

/// Writes a warehouse over the stored one.
pub fn update_warehouse(tx: &Transaction<'_>, row: &WarehouseRow) -> Result<(), StorageError> {
    const SQL: &str = "
        update warehouses set external_id = :external_id, name = :name where id = :id";
    let mut stmt = tx.prepare_cached(SQL)?;
    let found = stmt.execute(
        named_params! { ":id": row.id, ":external_id": row.external_id, ":name": row.name },
    )?;
    one_row(found)
}

/// Removes a warehouse that no stock is noted in; whether it was.
pub fn remove_empty_warehouse(tx: &Transaction<'_>, id: i64) -> Result<bool, StorageError> {
    const SQL: &str = "
        delete from warehouses where id = :id
            and not exists (select 1 from stocks where warehouse_id = :id)";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id })? == 1)
}

/// Goes over all stocks: product, warehouse, quantity; by product and warehouse.
pub fn scan(
    conn: &Connection,
    mut each: impl FnMut(ProductId, i64, Quantity),
) -> Result<(), StorageError> {
    const SQL: &str = "
        select product_id, warehouse_id, quantity_thousandths from stocks
        order by product_id, warehouse_id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let mut rows = stmt.query([])?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, row.get(1)?, row.get(2)?);
    }
    Ok(())
}

/// The product's stock by warehouse.
pub fn of_product(conn: &Connection, id: ProductId) -> Result<Vec<(i64, Quantity)>, StorageError> {
    const SQL: &str = "
        select warehouse_id, quantity_thousandths from stocks
        where product_id = :id order by warehouse_id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":id": id }, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Stores the stock in one warehouse.
pub fn set(
    tx: &Transaction<'_>,
    id: ProductId,
    warehouse: i64,
    quantity: Quantity,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into stocks (product_id, warehouse_id, quantity_thousandths)
        values (:id, :warehouse, :quantity)
        on conflict do update set quantity_thousandths = excluded.quantity_thousandths";
    let mut stmt = tx.prepare_cached(SQL)?;
    stmt.execute(named_params! { ":id": id, ":warehouse": warehouse, ":quantity": quantity })?;
    Ok(())
}

/// Forgets the stock in one warehouse.
pub fn remove(tx: &Transaction<'_>, id: ProductId, warehouse: i64) -> Result<(), StorageError> {
    const SQL: &str = "delete from stocks where product_id = :id and warehouse_id = :warehouse";
    tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":warehouse": warehouse })?;
    Ok(())
}
