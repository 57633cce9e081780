//! Templates: what an organization orders again and again.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use super::db::one_row;
use super::drafts::price_from;
use crate::domain::{
    OrganizationId, Price, ProductId, Quantity, TemplateId, TemplateName, Timestamp,
};

/// A template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateRow {
    /// The template.
    pub id: TemplateId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What they call it.
    pub name: String,
    /// Grows with every change.
    pub revision: i64,
    /// The event that last wrote its lines.
    pub event_key: String,
    /// How many lines it has.
    pub line_count: u32,
}

/// A line of a template.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateLine {
    /// The product; `None`: there is none any more.
    pub product: Option<ProductId>,
    /// The product's title when it was ordered.
    pub title: String,
    /// How many, in `unit`.
    pub quantity: Option<Quantity>,
    /// Of which unit; empty: the product's base unit.
    pub unit: String,
    /// The price of the base unit when it was ordered.
    pub price: Option<Price>,
}

const TEMPLATE: &str = "
    select id, organization_id, name, revision, event_key,
        (select count(*) from template_lines where template_id = id) as line_count
    from templates";

impl TemplateRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            organization: row.get("organization_id")?,
            name: row.get("name")?,
            revision: row.get("revision")?,
            event_key: row.get("event_key")?,
            line_count: row.get("line_count")?,
        })
    }
}

/// The template with this id, or `None`.
pub fn find(conn: &Connection, id: TemplateId) -> Result<Option<TemplateRow>, StorageError> {
    let mut stmt = conn.prepare_cached(&format!("{TEMPLATE} where id = :id"))?;
    Ok(stmt.query_row(named_params! { ":id": id }, TemplateRow::from_row).optional()?)
}

/// The organization's template of this name, or `None`.
pub fn find_by_name(
    conn: &Connection,
    organization: OrganizationId,
    name: &TemplateName,
) -> Result<Option<TemplateRow>, StorageError> {
    let sql = format!("{TEMPLATE} where organization_id = :organization and name_key = :key");
    let params = named_params! { ":organization": organization, ":key": name.key() };
    let mut stmt = conn.prepare_cached(&sql)?;
    Ok(stmt.query_row(params, TemplateRow::from_row).optional()?)
}

/// The organization's templates by name.
pub fn list(
    conn: &Connection,
    organization: OrganizationId,
    offset: u32,
    limit: u32,
) -> Result<Vec<TemplateRow>, StorageError> {
    let sql = format!(
        "{TEMPLATE} where organization_id = :organization
        order by name_key limit :limit offset :offset"
    );
    let params =
        named_params! { ":organization": organization, ":limit": limit, ":offset": offset };
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map(params, TemplateRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many templates the organization has.
pub fn count(conn: &Connection, organization: OrganizationId) -> Result<u32, StorageError> {
    const SQL: &str = "
        select count(*) as count from templates where organization_id = :organization";
    let params = named_params! { ":organization": organization };
    Ok(conn.prepare_cached(SQL)?.query_row(params, |row| row.get("count"))?)
}

/// The template's lines, in order.
pub fn lines(conn: &Connection, id: TemplateId) -> Result<Vec<TemplateLine>, StorageError> {
    const SQL: &str = "
        select product_id, title, quantity_thousandths, unit, price_amount_kopecks, price_per
        from template_lines where template_id = :id order by position";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":id": id }, |row| {
        Ok(TemplateLine {
            product: row.get("product_id")?,
            title: row.get("title")?,
            quantity: row.get("quantity_thousandths")?,
            unit: row.get("unit")?,
            price: price_from(row)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Makes a template of these lines.
pub fn insert(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    name: &TemplateName,
    lines: &[TemplateLine],
    event_key: &str,
    now: Timestamp,
) -> Result<TemplateId, StorageError> {
    const SQL: &str = "
        insert into templates (organization_id, name, name_key, event_key, created_at_ms,
            updated_at_ms)
        values (:organization, :name, :key, :event, :now, :now)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":organization": organization, ":name": name.as_str(), ":key": name.key(),
        ":event": event_key, ":now": now,
    })?;
    let id = TemplateId(tx.last_insert_rowid());
    write_lines(tx, id, lines)?;
    Ok(id)
}

/// Puts these lines into the place of those that the template had.
pub fn replace_lines(
    tx: &Transaction<'_>,
    id: TemplateId,
    lines: &[TemplateLine],
    event_key: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    const EMPTY: &str = "delete from template_lines where template_id = :id";
    const SQL: &str = "
        update templates set revision = revision + 1, event_key = :event, updated_at_ms = :now
        where id = :id";
    tx.prepare_cached(EMPTY)?.execute(named_params! { ":id": id })?;
    write_lines(tx, id, lines)?;
    let params = named_params! { ":id": id, ":event": event_key, ":now": now };
    one_row(tx.prepare_cached(SQL)?.execute(params)?)
}

fn write_lines(
    tx: &Transaction<'_>,
    id: TemplateId,
    lines: &[TemplateLine],
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into template_lines (template_id, position, product_id, title,
            quantity_thousandths, unit, price_amount_kopecks, price_per)
        values (:id, :position, :product, :title, :quantity, :unit, :amount, :per)";
    let mut stmt = tx.prepare_cached(SQL)?;
    for (position, line) in (1_i64..).zip(lines) {
        stmt.execute(named_params! {
            ":id": id, ":position": position, ":product": line.product, ":title": line.title,
            ":quantity": line.quantity, ":unit": line.unit,
            ":amount": line.price.map(|price| price.amount),
            ":per": line.price.map(|price| price.per),
        })?;
    }
    Ok(())
}

/// Gives the template another name.
pub fn rename(
    tx: &Transaction<'_>,
    id: TemplateId,
    name: &TemplateName,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update templates set name = :name, name_key = :key, revision = revision + 1,
            updated_at_ms = :now
        where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": id, ":name": name.as_str(), ":key": name.key(), ":now": now,
    })?)
}

/// Takes the template away with its lines.
pub fn remove(tx: &Transaction<'_>, id: TemplateId) -> Result<(), StorageError> {
    const SQL: &str = "delete from templates where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id })?)
}
