//! What an organization calls things and what it buys: the history that recognition uses.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Transaction, named_params};

use super::StorageError;
use crate::domain::{OrderId, OrderNumber, OrganizationId, ProductId, Quantity, Timestamp};
use crate::recognition::{Buyer, Purchase, Synonym, SynonymTarget};

/// Everything recognition wants to know of an organization.
pub fn buyer(conn: &Connection, organization: OrganizationId) -> Result<Buyer, StorageError> {
    let (learnt, rejected) = phrases(conn, organization)?;
    Ok(Buyer {
        purchases: purchases(conn, organization)?,
        learnt,
        rejected,
        synonyms: synonyms(conn, Some(organization))?,
    })
}

type Phrases = (HashMap<String, ProductId>, HashSet<(String, ProductId)>);

fn phrases(conn: &Connection, organization: OrganizationId) -> Result<Phrases, StorageError> {
    const SQL: &str = "
        select phrase, product_id, refused from learnt_phrases
        where organization_id = :organization order by learnt_at_ms";
    let mut stmt = conn.prepare_cached(SQL)?;
    let mut rows = stmt.query(named_params! { ":organization": organization })?;
    let (mut learnt, mut rejected) = (HashMap::new(), HashSet::new());
    while let Some(row) = rows.next()? {
        let (phrase, product) = (row.get("phrase")?, row.get("product_id")?);
        if row.get("refused")? {
            rejected.insert((phrase, product));
        } else {
            learnt.insert(phrase, product);
        }
    }
    Ok((learnt, rejected))
}

fn purchases(
    conn: &Connection,
    organization: OrganizationId,
) -> Result<HashMap<ProductId, Purchase>, StorageError> {
    const SQL: &str = "
        select product_id, count(*) as times, quantity, max(at_ms) from (
            select l.product_id, l.base_quantity_thousandths as quantity, o.created_at_ms as at_ms
            from orders o join order_lines l on l.order_id = o.id
            where o.organization_id = :organization and l.product_id is not null
                and o.status not in ('cancelled', 'rejected', 'approval')
            union all
            select product_id, quantity_thousandths, coalesce(ordered_at_ms, 0)
            from purchases where organization_id = :organization)
        group by product_id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":organization": organization }, |row| {
        let last: Option<_> = row.get("quantity")?;
        Ok((
            row.get("product_id")?,
            Purchase { times: row.get("times")?, last_quantity: last.unwrap_or_default() },
        ))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What the organization bought of these products.
pub fn purchases_of(
    conn: &Connection,
    organization: OrganizationId,
    products: impl IntoIterator<Item = ProductId>,
) -> Result<HashMap<ProductId, Purchase>, StorageError> {
    const SQL: &str = "
        select count(*) as times, quantity, max(at_ms) from (
            select l.base_quantity_thousandths as quantity, o.created_at_ms as at_ms
            from orders o join order_lines l on l.order_id = o.id
            where o.organization_id = :organization and l.product_id = :product
                and o.status not in ('cancelled', 'rejected', 'approval')
            union all
            select quantity_thousandths, coalesce(ordered_at_ms, 0)
            from purchases where organization_id = :organization and product_id = :product)";
    let mut stmt = conn.prepare_cached(SQL)?;
    let mut found = HashMap::new();
    for product in products {
        let params = named_params! { ":organization": organization, ":product": product };
        let (times, last): (u32, Option<_>) =
            stmt.query_row(params, |row| Ok((row.get("times")?, row.get("quantity")?)))?;
        if times > 0 {
            found.insert(product, Purchase { times, last_quantity: last.unwrap_or_default() });
        }
    }
    Ok(found)
}

/// What the organization bought at least so many times, the most usual first, with the quantity in
/// base units that it took most often, the newest of equally frequent ones.
pub fn usual_purchases(
    conn: &Connection,
    organization: OrganizationId,
    times: u32,
    limit: u32,
) -> Result<Vec<(ProductId, Quantity)>, StorageError> {
    const SQL: &str = "
        with bought as (
            select l.product_id, l.base_quantity_thousandths as quantity, o.created_at_ms as at_ms
            from orders o join order_lines l on l.order_id = o.id
            where o.organization_id = :organization and l.product_id is not null
                and l.base_quantity_thousandths > 0
                and o.status not in ('cancelled', 'rejected', 'approval')
            union all
            select product_id, quantity_thousandths, coalesce(ordered_at_ms, 0)
            from purchases where organization_id = :organization and quantity_thousandths > 0)
        select b.product_id, count(*) as times, (
            select q.quantity from bought q where q.product_id = b.product_id
            group by q.quantity order by count(*) desc, max(q.at_ms) desc limit 1) as quantity
        from bought b group by b.product_id having times >= :times
        order by times desc, b.product_id limit :limit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":organization": organization, ":times": times, ":limit": limit };
    let rows = stmt.query_map(params, |row| Ok((row.get("product_id")?, row.get("quantity")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The enabled synonyms of an organization, or those for all.
pub fn synonyms(
    conn: &Connection,
    organization: Option<OrganizationId>,
) -> Result<Vec<Synonym>, StorageError> {
    const SQL: &str = "
        select words, means, product_id from synonyms
        where enabled and coalesce(organization_id, 0) = coalesce(:organization, 0) order by id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let mut rows = stmt.query(named_params! { ":organization": organization })?;
    let mut synonyms = Vec::new();
    while let Some(row) = rows.next()? {
        let target = match (row.get("means")?, row.get("product_id")?) {
            (Some(words), _) => SynonymTarget::Words(words),
            (None, Some(product)) => SynonymTarget::Product(product),
            (None, None) => continue,
        };
        synonyms.push(Synonym { words: row.get("words")?, target });
    }
    Ok(synonyms)
}

/// Learns that the organization's phrase means the product; whether that is news. What a client's
/// `order` taught waits for staff to look at it; what staff teach does not.
pub fn learn(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    phrase: &str,
    product: ProductId,
    order: Option<OrderId>,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const FORGET: &str = "
        delete from learnt_phrases where organization_id = :organization and phrase = :phrase
            and product_id <> :product and not refused";
    const LEARN: &str = "
        insert into learnt_phrases (organization_id, phrase, product_id, learnt_from_order_id,
            learnt_at_ms, checked)
        values (:organization, :phrase, :product, :order, :now, :order is null)
        on conflict (organization_id, phrase, product_id) do update set refused = 0,
            learnt_from_order_id = :order, learnt_at_ms = :now, checked = :order is null
        where refused";
    tx.prepare_cached(FORGET)?.execute(named_params! {
        ":organization": organization, ":phrase": phrase, ":product": product,
    })?;
    let changed = tx.prepare_cached(LEARN)?.execute(named_params! {
        ":organization": organization, ":phrase": phrase, ":product": product, ":order": order,
        ":now": now,
    })?;
    Ok(changed > 0)
}

/// Learns what a manager put right: the phrase means the product, and never again the one that it
/// was taken for.
pub fn correct(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    phrase: &str,
    taken: Option<ProductId>,
    product: ProductId,
    now: Timestamp,
) -> Result<(), StorageError> {
    learn(tx, organization, phrase, product, None, now)?;
    match taken.filter(|taken| *taken != product) {
        Some(wrong) => refuse(tx, organization, phrase, wrong, now),
        None => Ok(()),
    }
}

/// Learns that the organization's phrase never means the product.
pub fn refuse(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    phrase: &str,
    product: ProductId,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into learnt_phrases (organization_id, phrase, product_id, refused, learnt_at_ms)
        values (:organization, :phrase, :product, 1, :now)
        on conflict (organization_id, phrase, product_id) do update set refused = 1,
            learnt_at_ms = :now";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":organization": organization, ":phrase": phrase, ":product": product, ":now": now,
    })?;
    Ok(())
}

/// Whether the phrase of the organization was learnt to mean the product, or never to.
pub fn is_learnt(
    conn: &Connection,
    organization: OrganizationId,
    phrase: &str,
    product: ProductId,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        select exists (select 1 from learnt_phrases
        where organization_id = :organization and phrase = :phrase and product_id = :product)";
    let params = named_params! {
        ":organization": organization, ":phrase": phrase, ":product": product,
    };
    Ok(conn.prepare_cached(SQL)?.query_row(params, |row| row.get(0))?)
}

/// Forgets that the phrase means the product, or never does.
pub fn forget(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    phrase: &str,
    product: ProductId,
) -> Result<(), StorageError> {
    const SQL: &str = "
        delete from learnt_phrases
        where organization_id = :organization and phrase = :phrase and product_id = :product";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":organization": organization, ":phrase": phrase, ":product": product,
    })?;
    Ok(())
}

/// Forgets what was learnt from an order; how many phrases.
pub fn unlearn(tx: &Transaction<'_>, order: OrderId) -> Result<usize, StorageError> {
    const SQL: &str = "delete from learnt_phrases where learnt_from_order_id = :order";
    Ok(tx.prepare_cached(SQL)?.execute(named_params! { ":order": order })?)
}

/// A phrase that a client's choice taught and that nobody of the staff has looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unchecked {
    /// Whose.
    pub organization: OrganizationId,
    /// Its name.
    pub organization_name: String,
    /// The phrase.
    pub phrase: String,
    /// The product that it is taken to mean.
    pub product: ProductId,
    /// The product's title.
    pub title: String,
    /// The order that taught it.
    pub order: Option<OrderNumber>,
    /// When it was learnt.
    pub at: Timestamp,
}

/// A page of what waits to be looked at, the newest first.
pub fn unchecked(
    conn: &Connection,
    offset: u32,
    limit: u32,
) -> Result<Vec<Unchecked>, StorageError> {
    const SQL: &str = "
        select w.organization_id, g.name as organization_name, w.phrase, w.product_id, p.title,
            o.number as order_number, w.learnt_at_ms
        from learnt_phrases w
        join organizations g on g.id = w.organization_id
        join products p on p.id = w.product_id
        left join orders o on o.id = w.learnt_from_order_id
        where w.checked = 0 and w.refused = 0
        order by w.learnt_at_ms desc, w.organization_id, w.phrase limit :limit offset :offset";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":limit": limit, ":offset": offset }, |row| {
        Ok(Unchecked {
            organization: row.get("organization_id")?,
            organization_name: row.get("organization_name")?,
            phrase: row.get("phrase")?,
            product: row.get("product_id")?,
            title: row.get("title")?,
            order: row.get("order_number")?,
            at: row.get("learnt_at_ms")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many phrases wait to be looked at.
pub fn count_unchecked(conn: &Connection) -> Result<u32, StorageError> {
    const SQL: &str = "
        select count(*) as phrases from learnt_phrases where checked = 0 and refused = 0";
    Ok(conn.prepare_cached(SQL)?.query_row([], |row| row.get("phrases"))?)
}

/// Notes that staff have looked at what the phrase was taken to mean and agree; whether it waited.
pub fn accept(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    phrase: &str,
    product: ProductId,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        update learnt_phrases set checked = 1
        where organization_id = :organization and phrase = :phrase and product_id = :product
            and checked = 0 and refused = 0";
    let changed = tx.prepare_cached(SQL)?.execute(named_params! {
        ":organization": organization, ":phrase": phrase, ":product": product,
    })?;
    Ok(changed == 1)
}
