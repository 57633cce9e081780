//! Orders as 1C sees them: those it has not taken yet, and what it says of them.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use crate::config::SendFrom;
use crate::domain::{OrderId, OrderStatus, Timestamp};

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

/// A line that keeps its order from being offered: nobody has chosen the product, it is no longer
/// sold, or the quantity is not in base units.
const OPEN_LINE: &str = "
    select 1 from order_lines l left join products p on p.id = l.product_id
    where l.order_id = o.id and (l.state <> 'ok' or p.id is null or p.withdrawn
        or l.base_quantity_thousandths is null)";

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
            and not o.history and not exists ({OPEN_LINE})
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
        where o.status in ({}) and o.onec_acknowledged_at_ms is null and not o.history
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
        where o.status in ({}) and o.onec_acknowledged_at_ms is null and not o.history
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
