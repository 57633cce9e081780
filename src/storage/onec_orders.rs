//! Orders as 1C sees them: those it has not taken yet, and what it says of them.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use crate::config::SendFrom;
use crate::domain::{Money, OrderId, OrderNumber, OrderStatus, Timestamp};

/// An order that is offered to 1C, with what only 1C needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedOrder {
    /// The order.
    pub id: OrderId,
    /// The organization's id in 1C.
    pub organization_external_id: Option<String>,
    /// Its taxpayer's number.
    pub inn: Option<String>,
}

/// The statuses from which orders are offered. What has been cancelled never is.
fn statuses(from: SendFrom) -> &'static str {
    match from {
        SendFrom::New => "'new', 'needs_client', 'accepted', 'picking', 'ready', 'shipped', 'done'",
        SendFrom::Accepted => "'accepted', 'picking', 'ready', 'shipped', 'done'",
    }
}

// In the queries below «+o.status» keeps SQLite from the index of statuses, in which nearly every order
// of the past stands; orders that 1C does not have are few, and have an index of their own.

/// A line that keeps its order from being offered: nobody has chosen the product, it is no longer
/// sold, or the quantity is not in base units.
///
/// What is no longer sold is a short index, read once: a look at every line's product reads the
/// whole catalogue.
const OPEN_LINE: &str = "
    select 1 from order_lines l
    where l.order_id = o.id and (l.state <> 'ok' or l.product_id is null
        or l.base_quantity_thousandths is null
        or l.product_id in (select id from products where withdrawn = 1))";

/// Orders that wait for 1C and can go, oldest first, after this one.
pub fn offered(
    conn: &Connection,
    from: SendFrom,
    after: OrderId,
    limit: u32,
) -> Result<Vec<OfferedOrder>, StorageError> {
    let sql = format!(
        "select o.id, g.external_id, g.inn
        from orders o join organizations g on g.id = o.organization_id
        where o.id > :after and o.status in ({}) and o.onec_acknowledged_at_ms is null
            and o.history = 0 and not exists ({OPEN_LINE})
        order by o.id limit :limit",
        statuses(from)
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map(named_params! { ":after": after, ":limit": limit }, |row| {
        Ok(OfferedOrder {
            id: row.get("id")?,
            organization_external_id: row.get("external_id")?,
            inn: row.get("inn")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A line that keeps its order from the standard exchange: there a product is known by 1C's id
/// alone, and a line without a sum is broken.
const UNKNOWN_LINE: &str = "
    select 1 from order_lines l join products p on p.id = l.product_id
    where l.order_id = o.id and (p.external_id is null or coalesce(l.sum_kopecks, 0) <= 0
        or l.price_amount_kopecks is null)";

/// Orders that wait for 1C and can go by the standard exchange, oldest first.
pub fn offered_by_documents(
    conn: &Connection,
    from: SendFrom,
    limit: u32,
) -> Result<Vec<OfferedOrder>, StorageError> {
    let sql = format!(
        "select o.id, g.external_id, g.inn
        from orders o join organizations g on g.id = o.organization_id
        where +o.status in ({}) and o.onec_acknowledged_at_ms is null and o.history = 0
            and trim(g.name) <> '' and exists (select 1 from order_lines l where l.order_id = o.id)
            and not exists ({OPEN_LINE}) and not exists ({UNKNOWN_LINE})
        order by o.id limit :limit",
        statuses(from)
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map(named_params! { ":limit": limit }, |row| {
        Ok(OfferedOrder {
            id: row.get("id")?,
            organization_external_id: row.get("external_id")?,
            inn: row.get("inn")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What 1C's document of the order last said, and whether it is paid.
pub fn document_state(conn: &Connection, id: OrderId) -> Result<(String, bool), StorageError> {
    const SQL: &str = "select onec_state, onec_paid from orders where id = :id";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":id": id }, |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Notes what 1C's document says: `received`, `confirmed`, `shipped` or `cancelled`; paid or not.
pub fn set_document_state(
    tx: &Transaction<'_>,
    id: OrderId,
    state: &str,
    paid: bool,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update orders set onec_state = :state, onec_paid = :paid where id = :id";
    tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":state": state, ":paid": paid })?;
    Ok(())
}

/// Whether the buyer has been told that the order stands so, at any time.
pub fn was_told(conn: &Connection, id: OrderId, status: OrderStatus) -> Result<bool, StorageError> {
    const SQL: &str = "
        select exists (select 1 from order_events
        where order_id = :id and kind = 'status' and to_client and channel = 'onec'
            and (text like :end or text like :end || ': %'))";
    let end = format!("%→ {}", status.staff_label());
    Ok(conn
        .prepare_cached(SQL)?
        .query_row(named_params! { ":id": id, ":end": end }, |row| row.get(0))?)
}

/// Whether the order's timeline has this entry of 1C already.
pub fn has_event(conn: &Connection, id: OrderId, text: &str) -> Result<bool, StorageError> {
    const SQL: &str = "
        select exists (select 1 from order_events
        where order_id = :id and kind = 'onec' and text = :text)";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":id": id, ":text": text }, |row| row.get(0))?)
}

/// Orders that wait for 1C and cannot go yet for their lines.
pub fn waiting(conn: &Connection, from: SendFrom) -> Result<Vec<OrderId>, StorageError> {
    let sql = format!(
        "select o.id from orders o
        where +o.status in ({}) and o.onec_acknowledged_at_ms is null and o.history = 0
            and exists ({OPEN_LINE})
        order by o.id",
        statuses(from)
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The order with this id on 1C's wires.
pub fn find_by_uuid(conn: &Connection, uuid: &str) -> Result<Option<OrderId>, StorageError> {
    let mut stmt = conn.prepare_cached("select id from orders where uuid = :uuid")?;
    Ok(stmt.query_row(named_params! { ":uuid": uuid }, |row: &Row<'_>| row.get(0)).optional()?)
}

/// Notes that 1C has the order, and its number and date there; whether that is news.
pub fn acknowledge(
    tx: &Transaction<'_>,
    id: OrderId,
    number: Option<&str>,
    date: Option<&str>,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        update orders set onec_acknowledged_at_ms = coalesce(onec_acknowledged_at_ms, :now),
            onec_number = coalesce(:number, onec_number), onec_date = coalesce(:date, onec_date),
            onec_offers = 0,
            revision = revision + 1, updated_at_ms = :now
        where id = :id and (onec_acknowledged_at_ms is null
            or coalesce(:number, onec_number) is not onec_number
            or coalesce(:date, onec_date) is not onec_date)";
    let mut stmt = tx.prepare_cached(SQL)?;
    let changed =
        stmt.execute(named_params! { ":id": id, ":number": number, ":date": date, ":now": now })?;
    Ok(changed > 0)
}

/// The status that a word of 1C is mapped to by the company; `None`: it is mapped to none.
pub fn mapped_status(conn: &Connection, word: &str) -> Result<Option<String>, StorageError> {
    let key = format!("onec.status:{}", word.trim().to_lowercase());
    let mut stmt = conn.prepare_cached("select value from settings where key = :key")?;
    Ok(stmt.query_row(named_params! { ":key": key }, |row| row.get(0)).optional()?)
}

/// The words of 1C that the company has mapped, with our code, in the order of words.
pub fn mapped_statuses(conn: &Connection) -> Result<Vec<(String, String)>, StorageError> {
    const SQL: &str = "
        select substr(key, 13) as word, value from settings
        where key like 'onec.status:%' order by word";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| Ok((row.get("word")?, row.get("value")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Maps a word of 1C to a status; `None` forgets the word. What it was mapped to before.
pub fn map_status(
    tx: &Transaction<'_>,
    word: &str,
    status: Option<OrderStatus>,
    now: Timestamp,
) -> Result<Option<String>, StorageError> {
    const SET: &str = "
        insert into settings (key, value, updated_at_ms) values (:key, :value, :now)
        on conflict do update set value = excluded.value, updated_at_ms = excluded.updated_at_ms";
    let before = mapped_status(tx, word)?;
    let key = format!("onec.status:{}", word.trim().to_lowercase());
    match status {
        Some(status) => {
            let params = named_params! { ":key": key, ":value": status, ":now": now };
            tx.prepare_cached(SET)?.execute(params)?;
        }
        None => {
            tx.prepare_cached("delete from settings where key = :key")?
                .execute(named_params! { ":key": key })?;
        }
    }
    Ok(before)
}

/// An order on its way to 1C, or there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedOrder {
    /// The order.
    pub id: OrderId,
    /// Its number, as people see it.
    pub number: OrderNumber,
    /// Who buys.
    pub organization_name: String,
    /// Where it stands.
    pub status: OrderStatus,
    /// The sum of the lines that have a price.
    pub total: Money,
    /// When it was sent.
    pub created_at: Timestamp,
    /// How often 1C was given it and has not said that it has it.
    pub offers: u32,
    /// When 1C was last given it.
    pub offered_at: Option<Timestamp>,
    /// When 1C said that it has it.
    pub acknowledged_at: Option<Timestamp>,
    /// Its number there.
    pub onec_number: Option<String>,
}

const QUEUED: &str = "
    select o.id, o.number, g.name as organization_name, o.status, o.total_kopecks,
        o.created_at_ms, o.onec_offers, o.onec_offered_at_ms, o.onec_acknowledged_at_ms,
        o.onec_number
    from orders o join organizations g on g.id = o.organization_id";

impl QueuedOrder {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            number: row.get("number")?,
            organization_name: row.get("organization_name")?,
            status: row.get("status")?,
            total: row.get("total_kopecks")?,
            created_at: row.get("created_at_ms")?,
            offers: row.get("onec_offers")?,
            offered_at: row.get("onec_offered_at_ms")?,
            acknowledged_at: row.get("onec_acknowledged_at_ms")?,
            onec_number: row.get("onec_number")?,
        })
    }
}

/// Orders that 1C does not have yet, oldest first, whether they can go or not.
pub fn queue(
    conn: &Connection,
    from: SendFrom,
    offset: u32,
    limit: u32,
) -> Result<Vec<QueuedOrder>, StorageError> {
    let sql = format!(
        "{QUEUED} where +o.status in ({}) and o.onec_acknowledged_at_ms is null and o.history = 0
        order by o.id limit :limit offset :offset",
        statuses(from)
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let params = named_params! { ":limit": limit, ":offset": offset };
    let rows = stmt.query_map(params, QueuedOrder::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What keeps an order: of the standard exchange (`strict`), which minds more than JSON does, too.
fn kept(strict: bool) -> String {
    if strict {
        format!("(exists ({OPEN_LINE}) or exists ({UNKNOWN_LINE}))")
    } else {
        format!("exists ({OPEN_LINE})")
    }
}

/// Orders that 1C does not have yet and that cannot go for their lines, oldest first.
pub fn stuck(
    conn: &Connection,
    from: SendFrom,
    strict: bool,
    limit: u32,
) -> Result<Vec<QueuedOrder>, StorageError> {
    let sql = format!(
        "{QUEUED} where +o.status in ({}) and o.onec_acknowledged_at_ms is null and o.history = 0
            and {}
        order by o.id limit :limit",
        statuses(from),
        kept(strict)
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map(named_params! { ":limit": limit }, QueuedOrder::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many orders 1C does not have yet, and how many of them cannot go for their lines.
pub fn count_queue(
    conn: &Connection,
    from: SendFrom,
    strict: bool,
) -> Result<(u32, u32), StorageError> {
    let sql = format!(
        "select count(*), coalesce(sum({}), 0) from orders o
        where +o.status in ({}) and o.onec_acknowledged_at_ms is null and o.history = 0",
        kept(strict),
        statuses(from)
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    Ok(stmt.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Orders that 1C has, the latest first.
pub fn taken(conn: &Connection, limit: u32) -> Result<Vec<QueuedOrder>, StorageError> {
    let sql = format!(
        "{QUEUED} where o.onec_acknowledged_at_ms is not null and o.history = 0
        order by o.onec_acknowledged_at_ms desc, o.id desc limit :limit"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map(named_params! { ":limit": limit }, QueuedOrder::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What is amiss with a line on its way to 1C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// Nobody has chosen the product.
    NoProduct,
    /// The product is no longer sold.
    Withdrawn,
    /// The quantity is not in base units.
    NoQuantity,
    /// The product has no id in 1C: only the standard exchange needs it.
    NoOnecId,
    /// There is no price: only the standard exchange needs it.
    NoPrice,
}

/// A line that something is amiss with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubtfulLine {
    /// Its number in the order, from 1.
    pub position: u32,
    /// The product's title, or the buyer's words.
    pub words: String,
    /// What is amiss.
    pub obstacle: Obstacle,
}

/// The lines of an order that something is amiss with, in order; of each the first thing.
pub fn doubts(conn: &Connection, order: OrderId) -> Result<Vec<DoubtfulLine>, StorageError> {
    const SQL: &str = "
        select l.position, case when l.title = '' then l.raw else l.title end as words,
            l.state <> 'ok' or p.id is null as unchosen, coalesce(p.withdrawn, 0) <> 0 as withdrawn,
            l.base_quantity_thousandths is null as unmeasured,
            coalesce(p.external_id, '') = '' as nameless,
            coalesce(l.price_amount_kopecks, 0) = 0 as priceless
        from order_lines l left join products p on p.id = l.product_id
        where l.order_id = :order order by l.position";
    let mut stmt = conn.prepare_cached(SQL)?;
    let mut rows = stmt.query(named_params! { ":order": order })?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let marks = [
            ("unchosen", Obstacle::NoProduct),
            ("withdrawn", Obstacle::Withdrawn),
            ("unmeasured", Obstacle::NoQuantity),
            ("nameless", Obstacle::NoOnecId),
            ("priceless", Obstacle::NoPrice),
        ];
        for (column, obstacle) in marks {
            if row.get::<_, bool>(column)? {
                let (position, words) = (row.get("position")?, row.get("words")?);
                found.push(DoubtfulLine { position, words, obstacle });
                break;
            }
        }
    }
    Ok(found)
}

/// How often 1C was given an order since it last had it, and when last.
pub fn offers(conn: &Connection, order: OrderId) -> Result<(u32, Option<Timestamp>), StorageError> {
    const SQL: &str = "select onec_offers, onec_offered_at_ms from orders where id = :order";
    let mut stmt = conn.prepare_cached(SQL)?;
    let read = |row: &Row<'_>| Ok((row.get("onec_offers")?, row.get("onec_offered_at_ms")?));
    Ok(stmt.query_row(named_params! { ":order": order }, read)?)
}

/// Notes that 1C has been given these orders.
pub fn note_offered(
    tx: &Transaction<'_>,
    orders: &[OrderId],
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update orders set onec_offers = onec_offers + 1, onec_offered_at_ms = :now
        where id = :id and onec_acknowledged_at_ms is null";
    let mut stmt = tx.prepare_cached(SQL)?;
    for id in orders {
        stmt.execute(named_params! { ":id": id, ":now": now })?;
    }
    Ok(())
}

/// Offers an order to 1C again although it has said that it has it; whether it had.
pub fn offer_again(
    tx: &Transaction<'_>,
    id: OrderId,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        update orders set onec_acknowledged_at_ms = null, onec_offers = 0,
            onec_offered_at_ms = null, revision = revision + 1, updated_at_ms = :now
        where id = :id and onec_acknowledged_at_ms is not null";
    let changed = tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":now": now })?;
    Ok(changed == 1)
}
