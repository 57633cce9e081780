//! Words that mean other words or a product, as people keep them.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use crate::domain::{OrganizationId, ProductId, Timestamp};

/// A synonym with the names around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SynonymRow {
    /// Its row.
    pub id: i64,
    /// For whom; `None`: for all.
    pub organization: Option<OrganizationId>,
    /// The organization's name; empty: for all.
    pub organization_name: String,
    /// What people write.
    pub words: String,
    /// The words it means; empty when it means a product.
    pub means: String,
    /// The product it means.
    pub product: Option<ProductId>,
    /// The product's title; empty when it means words.
    pub product_title: String,
    /// `starter`, `manual`, `learnt` or `onec`.
    pub origin: String,
    /// Whether recognition uses it.
    pub enabled: bool,
}

/// Which synonyms to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SynonymFilter {
    /// Words, meaning, product or organization contain this.
    pub query: String,
    /// Of this origin; empty: of any.
    pub origin: String,
    /// `true`: only those for one organization; `false`: only those for all.
    pub own: Option<bool>,
}

const FROM: &str = "
    from synonyms s
    left join organizations g on g.id = s.organization_id
    left join products p on p.id = s.product_id
    where (:text = '' or holds(s.words, :text) or holds(s.means, :text)
            or holds(p.title, :text) or holds(g.name, :text))
        and (:origin = '' or s.origin = :origin)
        and (:own is null or (s.organization_id is not null) = :own)";

impl SynonymRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            organization: row.get("organization_id")?,
            organization_name: row.get("organization_name")?,
            words: row.get("words")?,
            means: row.get("means")?,
            product: row.get("product_id")?,
            product_title: row.get("product_title")?,
            origin: row.get("origin")?,
            enabled: row.get("enabled")?,
        })
    }
}

/// A page of the synonyms that the filter lets through, newest first.
pub fn list(
    conn: &Connection,
    filter: &SynonymFilter,
    offset: u32,
    limit: u32,
) -> Result<Vec<SynonymRow>, StorageError> {
    let sql = format!(
        "select s.id, s.organization_id, coalesce(g.name, '') as organization_name, s.words,
            coalesce(s.means, '') as means, s.product_id, coalesce(p.title, '') as product_title,
            s.origin, s.enabled {FROM} order by s.id desc limit :limit offset :offset"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map(
        named_params! {
            ":text": filter.query.trim().to_lowercase(), ":origin": filter.origin,
            ":own": filter.own, ":limit": limit, ":offset": offset,
        },
        SynonymRow::from_row,
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many synonyms the filter lets through.
pub fn count(conn: &Connection, filter: &SynonymFilter) -> Result<u32, StorageError> {
    let mut stmt = conn.prepare_cached(&format!("select count(*) as synonyms {FROM}"))?;
    Ok(stmt.query_row(
        named_params! {
            ":text": filter.query.trim().to_lowercase(), ":origin": filter.origin,
            ":own": filter.own,
        },
        |row| row.get("synonyms"),
    )?)
}

/// Whether a synonym is one organization's own, or `None` when there is no such synonym.
pub fn is_own(conn: &Connection, id: i64) -> Result<Option<bool>, StorageError> {
    const SQL: &str = "select organization_id is not null as own from synonyms where id = :id";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":id": id }, |row| row.get("own")).optional()?)
}

/// What a synonym means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means<'a> {
    /// Other words.
    Words(&'a str),
    /// A product.
    Product(ProductId),
}

/// Adds a synonym, or switches the same one on; its id.
pub fn put(
    tx: &Transaction<'_>,
    organization: Option<OrganizationId>,
    words: &str,
    means: Means<'_>,
    origin: &str,
    now: Timestamp,
) -> Result<i64, StorageError> {
    const FIND: &str = "
        select id from synonyms
        where coalesce(organization_id, 0) = coalesce(:organization, 0) and words = :words
            and coalesce(means, '') = coalesce(:means, '')
            and coalesce(product_id, 0) = coalesce(:product, 0)";
    const INSERT: &str = "
        insert into synonyms (organization_id, words, means, product_id, origin, created_at_ms)
        values (:organization, :words, :means, :product, :origin, :now)";
    let (text, product) = match means {
        Means::Words(text) => (Some(text), None),
        Means::Product(product) => (None, Some(product)),
    };
    let found: Option<i64> = tx
        .prepare_cached(FIND)?
        .query_row(
            named_params! {
                ":organization": organization, ":words": words, ":means": text,
                ":product": product,
            },
            |row| row.get("id"),
        )
        .optional()?;
    if let Some(id) = found {
        set_enabled(tx, id, true)?;
        return Ok(id);
    }
    tx.prepare_cached(INSERT)?.execute(named_params! {
        ":organization": organization, ":words": words, ":means": text, ":product": product,
        ":origin": origin, ":now": now,
    })?;
    Ok(tx.last_insert_rowid())
}

/// Whether this database has had the starter set.
pub fn had_starter_set(conn: &Connection) -> Result<bool, StorageError> {
    const SQL: &str =
        "select exists (select 1 from settings where key = 'starter_synonyms') as had";
    Ok(conn.prepare_cached(SQL)?.query_row([], |row| row.get("had"))?)
}

/// Notes that this database has had the starter set; whether it is the first time.
pub fn note_starter_set(tx: &Transaction<'_>, now: Timestamp) -> Result<bool, StorageError> {
    const SQL: &str = "
        insert into settings (key, value, updated_at_ms) values ('starter_synonyms', '1', :now)
        on conflict do nothing";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":now": now })? == 1)
}

/// Switches a synonym on or off; whether there is one.
pub fn set_enabled(tx: &Transaction<'_>, id: i64, enabled: bool) -> Result<bool, StorageError> {
    const SQL: &str = "update synonyms set enabled = :enabled where id = :id";
    let found =
        tx.prepare_cached(SQL)?.execute(named_params! { ":enabled": enabled, ":id": id })?;
    Ok(found == 1)
}

/// Takes a synonym away; whether there was one.
pub fn delete(tx: &Transaction<'_>, id: i64) -> Result<bool, StorageError> {
    const SQL: &str = "delete from synonyms where id = :id";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id })? == 1)
}

/// Whether words lead to other words over the synonyms that are on: a synonym back would make a
/// circle.
pub fn leads_to(conn: &Connection, from: &str, to: &str) -> Result<bool, StorageError> {
    const SQL: &str = "
        with recursive chain (words) as (
            select :from
            union select s.means from synonyms s join chain c on s.words = c.words
                where s.means is not null and s.enabled = 1)
        select exists (select 1 from chain where words = :to) as leads";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":from": from, ":to": to }, |row| row.get("leads"))?)
}
