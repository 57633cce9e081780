//! The tree of categories.

use rusqlite::{Connection, Transaction, named_params};

use super::StorageError;
use super::db::one_row;
use crate::domain::CategoryId;

/// A category.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CategoryRow {
    /// Its id; of a new one meaningless.
    pub id: CategoryId,
    /// The source's id.
    pub external_id: Option<String>,
    /// The parent; `None`: a root.
    pub parent: Option<CategoryId>,
    /// The title.
    pub title: String,
    /// Its place among its siblings.
    pub order_index: i64,
}

/// All categories, siblings in their order.
pub fn list(conn: &Connection) -> Result<Vec<CategoryRow>, StorageError> {
    const SQL: &str = "
        select id, external_id, parent_id, title, order_index from categories
        order by order_index, title, id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| {
        Ok(CategoryRow {
            id: row.get("id")?,
            external_id: row.get("external_id")?,
            parent: row.get("parent_id")?,
            title: row.get("title")?,
            order_index: row.get("order_index")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Stores a new category and says its id.
pub fn insert(tx: &Transaction<'_>, row: &CategoryRow) -> Result<CategoryId, StorageError> {
    const SQL: &str = "
        insert into categories (external_id, parent_id, title, order_index)
        values (:external_id, :parent, :title, :order_index)";
    let mut stmt = tx.prepare_cached(SQL)?;
    stmt.execute(named_params! {
        ":external_id": row.external_id, ":parent": row.parent, ":title": row.title,
        ":order_index": row.order_index,
    })?;
    Ok(CategoryId(tx.last_insert_rowid()))
}

/// Writes a category over the stored one.
pub fn update(tx: &Transaction<'_>, row: &CategoryRow) -> Result<(), StorageError> {
    const SQL: &str = "
        update categories set external_id = :external_id, parent_id = :parent, title = :title,
            order_index = :order_index
        where id = :id";
    let mut stmt = tx.prepare_cached(SQL)?;
    let found = stmt.execute(named_params! {
        ":id": row.id, ":external_id": row.external_id, ":parent": row.parent,
        ":title": row.title, ":order_index": row.order_index,
    })?;
    one_row(found)
}

/// Removes a category that no product and no other category is in; whether it was.
pub fn remove_empty(tx: &Transaction<'_>, id: CategoryId) -> Result<bool, StorageError> {
    const SQL: &str = "
        delete from categories where id = :id
            and not exists (select 1 from products where category_id = :id)
            and not exists (select 1 from categories where parent_id = :id)";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id })? == 1)
}

/// Products on sale by category, those in none under `None`.
pub fn counts(conn: &Connection) -> Result<Vec<(Option<CategoryId>, u32)>, StorageError> {
    const SQL: &str = "
        select category_id, count(*) from products
        where not withdrawn and not hidden group by category_id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
