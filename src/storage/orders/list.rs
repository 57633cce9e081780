//! Lists of orders: what is let through, in which order, how many there are.

use std::fmt::Write as _;

use rusqlite::{Connection, named_params};

use super::{ORDER, OrderRow};
use crate::domain::{
    Channel, Money, OrderId, OrderNumber, OrderStatus, OrganizationId, PersonId, ProductId,
    Timestamp,
};
use crate::storage::StorageError;
use crate::storage::drafts::ids_to_json;

/// Which orders to list. Empty fields let everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// One of these statuses.
    pub statuses: Vec<OrderStatus>,
    /// Of this organization.
    pub organization: Option<OrganizationId>,
    /// Of this author.
    pub author: Option<PersonId>,
    /// With this manager.
    pub manager: Option<PersonId>,
    /// Number, organization or author contain this.
    pub query: String,
    /// With lines that wait for a manager.
    pub unresolved: bool,
    /// With no manager.
    pub unassigned: bool,
    /// Through this door.
    pub source: Option<Channel>,
    /// Sent at this moment or later.
    pub created_from: Option<Timestamp>,
    /// Sent before this moment.
    pub created_before: Option<Timestamp>,
    /// To be delivered on this day or later.
    pub delivery_from: Option<jiff::civil::Date>,
    /// To be delivered on this day or earlier.
    pub delivery_to: Option<jiff::civil::Date>,
    /// Of this sum or more.
    pub total_from: Option<Money>,
    /// Of this sum or less.
    pub total_to: Option<Money>,
    /// Whether 1C has said that it has the order.
    pub acknowledged: Option<bool>,
    /// The article or the title of a product in it contains these words: see `products`.
    pub product: String,
    /// With one of these products: those that `product` means.
    pub products: Option<Vec<ProductId>>,
    /// In which order.
    pub sort: OrderSort,
}

/// The order of a list of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderSort {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
    /// The dearest first.
    Dearest,
    /// The cheapest first.
    Cheapest,
    /// By the day of delivery; those without a day last.
    Delivery,
    /// By the organization's name.
    Organization,
}

impl OrderSort {
    fn sql(self) -> &'static str {
        match self {
            Self::Newest => "o.created_at_ms desc, o.id desc",
            Self::Oldest => "o.created_at_ms, o.id",
            Self::Dearest => "o.total_kopecks desc, o.id desc",
            Self::Cheapest => "o.total_kopecks, o.id",
            Self::Delivery => "o.delivery_date nulls last, o.id",
            // Within one organization; the organizations themselves are put in order by name.
            Self::Organization => "o.id desc",
        }
    }
}

/// The conditions of a filter; the parameters are bound by name in [`bind`].
fn conditions(filter: &OrderFilter) -> String {
    let mut sql = " where 1".to_owned();
    if !filter.statuses.is_empty() {
        let codes: Vec<String> =
            filter.statuses.iter().map(|status| format!("'{status}'")).collect();
        let _ = write!(sql, " and o.status in ({})", codes.join(", "));
    }
    if filter.organization.is_some() {
        sql.push_str(" and o.organization_id = :organization");
    }
    if filter.author.is_some() {
        sql.push_str(" and o.author_id = :author");
    }
    if filter.manager.is_some() {
        sql.push_str(" and o.manager_id = :manager");
    }
    if filter.unresolved {
        sql.push_str(" and o.id in (select l.order_id from order_lines l where l.state <> 'ok')");
    }
    if filter.unassigned {
        sql.push_str(" and o.manager_id is null");
    }
    if let Some(source) = filter.source {
        let _ = write!(sql, " and o.source = '{source}'");
    }
    for (column, sign, given) in [
        ("o.created_at_ms", ">=", filter.created_from.map(Timestamp::millis)),
        ("o.created_at_ms", "<", filter.created_before.map(Timestamp::millis)),
        ("o.total_kopecks", ">=", filter.total_from.map(Money::kopecks)),
        ("o.total_kopecks", "<=", filter.total_to.map(Money::kopecks)),
    ] {
        if let Some(value) = given {
            let _ = write!(sql, " and {column} {sign} {value}");
        }
    }
    for (sign, date) in [(">=", filter.delivery_from), ("<=", filter.delivery_to)] {
        if let Some(date) = date {
            let _ = write!(sql, " and o.delivery_date {sign} '{date}'");
        }
    }
    match filter.acknowledged {
        Some(true) => sql.push_str(" and o.onec_acknowledged_at_ms is not null"),
        Some(false) => sql.push_str(" and o.onec_acknowledged_at_ms is null"),
        None => {}
    }
    if filter.products.is_some() {
        sql.push_str(
            " and o.id in (select l.order_id from order_lines l
                where l.product_id in (select value from json_each(:products)))",
        );
    }
    if OrderNumber::parse(&filter.query).is_some() {
        sql.push_str(" and o.number = :number");
    } else if !filter.query.trim().is_empty() {
        // Names are looked through once, not once for every order.
        sql.push_str(
            " and o.id in (
                select id from orders where organization_id in (
                    select id from organizations where holds(name, :text) or inn = :text)
                union select id from orders where author_id in (
                    select id from persons
                    where holds(name, :text) or instr(coalesce(phone, ''), :text) > 0))",
        );
    }
    sql
}

/// Binds those of the filter's values that the statement names.
fn bind(stmt: &mut rusqlite::Statement<'_>, filter: &OrderFilter) -> Result<(), StorageError> {
    let number = OrderNumber::parse(&filter.query);
    let text = filter.query.trim().to_lowercase();
    let products = filter.products.as_deref().map(ids_to_json);
    let values: [(&str, &dyn rusqlite::ToSql); 6] = [
        (":organization", &filter.organization),
        (":author", &filter.author),
        (":manager", &filter.manager),
        (":number", &number),
        (":text", &text),
        (":products", &products),
    ];
    for (name, value) in values {
        if let Some(index) = stmt.parameter_index(name)? {
            stmt.raw_bind_parameter(index, value)?;
        }
    }
    Ok(())
}

/// A page of the orders that the filter lets through, in the order that it asks for; how many it
/// lets through in all, and what they come to.
pub fn page(
    conn: &Connection,
    filter: &OrderFilter,
    offset: u32,
    limit: u32,
) -> Result<(Vec<OrderRow>, u32, Money), StorageError> {
    let looks_for_words = filter.products.is_some() || !filter.query.trim().is_empty();
    if limit == 0 || !looks_for_words || filter.sort == OrderSort::Organization {
        let rows = list(conn, filter, offset, limit)?;
        let (total, sum) = totals(conn, filter)?;
        return Ok((rows, total, sum));
    }
    // Words are looked for once: what is found is counted on the way.
    let sql = format!(
        "select o.id, o.total_kopecks from orders o{} order by {}",
        conditions(filter),
        filter.sort.sql()
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    bind(&mut stmt, filter)?;
    let mut found = stmt.raw_query();
    let (mut total, mut kopecks, mut ids) = (0, 0, Vec::new());
    while let Some(row) = found.next()? {
        if (offset..offset.saturating_add(limit)).contains(&total) {
            ids.push(row.get("id")?);
        }
        total += 1;
        kopecks += row.get::<_, i64>("total_kopecks")?;
    }
    Ok((rows(conn, ids)?, total, Money::from_kopecks(kopecks)))
}

/// A page of the orders that the filter lets through, in the order that it asks for.
///
/// Which orders they are is found out first, over narrow indexes; what is told of them is read for
/// these alone.
pub fn list(
    conn: &Connection,
    filter: &OrderFilter,
    offset: u32,
    limit: u32,
) -> Result<Vec<OrderRow>, StorageError> {
    let page = if filter.sort == OrderSort::Organization {
        by_organization(conn, filter, offset, limit)?
    } else {
        ids_of(conn, filter, None, offset, limit)?
    };
    rows(conn, page)
}

/// What is told of these orders, in the same order.
fn rows(conn: &Connection, ids: Vec<OrderId>) -> Result<Vec<OrderRow>, StorageError> {
    let mut stmt = conn.prepare_cached(&format!("{ORDER} where o.id = :id"))?;
    let rows =
        ids.into_iter().map(|id| stmt.query_row(named_params! { ":id": id }, OrderRow::from_row));
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The ids of a page, of one organization or of all.
fn ids_of(
    conn: &Connection,
    filter: &OrderFilter,
    organization: Option<OrganizationId>,
    offset: u32,
    limit: u32,
) -> Result<Vec<OrderId>, StorageError> {
    let mut sql = format!("select o.id from orders o{}", conditions(filter));
    if let Some(organization) = organization {
        let _ = write!(sql, " and o.organization_id = {}", organization.0);
    }
    let _ = write!(sql, " order by {} limit {limit} offset {offset}", filter.sort.sql());
    let mut stmt = conn.prepare_cached(&sql)?;
    bind(&mut stmt, filter)?;
    let mut rows = stmt.raw_query();
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        ids.push(row.get("id")?);
    }
    Ok(ids)
}

/// The ids of a page by the organization's name: how many orders each has says which are on it.
fn by_organization(
    conn: &Connection,
    filter: &OrderFilter,
    offset: u32,
    limit: u32,
) -> Result<Vec<OrderId>, StorageError> {
    let sql = format!(
        "select g.id, n.orders from (
            select o.organization_id as id, count(*) as orders from orders o{} group by 1) n
        join organizations g on g.id = n.id order by fold(g.name), g.id",
        conditions(filter)
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    bind(&mut stmt, filter)?;
    let mut rows = stmt.raw_query();
    let (mut skip, mut ids) = (offset, Vec::new());
    while let Some(row) = rows.next()? {
        let orders: u32 = row.get("orders")?;
        let left = limit.saturating_sub(u32::try_from(ids.len()).unwrap_or(limit));
        if left == 0 {
            break;
        }
        if skip >= orders {
            skip -= orders;
            continue;
        }
        ids.extend(ids_of(conn, filter, Some(row.get("id")?), skip, left)?);
        skip = 0;
    }
    Ok(ids)
}

/// How many orders the filter lets through, and what they come to.
pub fn totals(conn: &Connection, filter: &OrderFilter) -> Result<(u32, Money), StorageError> {
    let sql = format!(
        "select count(*) as orders, coalesce(sum(o.total_kopecks), 0) as total_kopecks
            from orders o{}",
        conditions(filter)
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    bind(&mut stmt, filter)?;
    let mut rows = stmt.raw_query();
    let Some(row) = rows.next()? else { return Ok((0, Money::ZERO)) };
    Ok((row.get("orders")?, row.get("total_kopecks")?))
}

/// How many orders the filter lets through.
pub fn count(conn: &Connection, filter: &OrderFilter) -> Result<u32, StorageError> {
    Ok(totals(conn, filter)?.0)
}

/// The orders that the filter lets through, at most `limit`, by their ids alone.
pub fn ids(
    conn: &Connection,
    filter: &OrderFilter,
    limit: u32,
) -> Result<Vec<OrderId>, StorageError> {
    let sql =
        format!("select o.id from orders o{} order by o.id limit {limit}", conditions(filter));
    let mut stmt = conn.prepare_cached(&sql)?;
    bind(&mut stmt, filter)?;
    let mut rows = stmt.raw_query();
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        ids.push(row.get("id")?);
    }
    Ok(ids)
}

/// How many orders stand at each of these statuses; statuses without orders are absent.
pub fn count_by_status(
    conn: &Connection,
    statuses: &[OrderStatus],
) -> Result<Vec<(OrderStatus, u32)>, StorageError> {
    let codes: Vec<String> = statuses.iter().map(|status| format!("'{status}'")).collect();
    let sql = format!(
        "select status, count(*) as orders from orders where status in ({}) group by status",
        codes.join(", ")
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map([], |row| Ok((row.get("status")?, row.get("orders")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// An order about which its client has written and nobody has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskingOrder {
    /// Its number.
    pub number: OrderNumber,
    /// Who buys.
    pub organization_name: String,
    /// The manager who has it; empty: nobody.
    pub manager_name: String,
    /// The first message without an answer.
    pub text: String,
    /// When it came.
    pub at: Timestamp,
    /// How many messages have no answer.
    pub messages: u32,
}

/// Orders about which their clients have written since `since` and got no answer, the longest
/// waiting first. A message to the client is an answer, and so is a note: they were called.
pub fn list_asking(conn: &Connection, since: Timestamp) -> Result<Vec<AskingOrder>, StorageError> {
    // Of the columns beside an only `min` SQLite takes those of the row that has it.
    const SQL: &str = "
        select o.number, g.name as organization_name, coalesce(m.name, '') as manager_name, e.text,
            min(e.at_ms) as at_ms, count(*) as messages
        from order_events e indexed by order_events_asked
        join orders o on o.id = e.order_id
        join organizations g on g.id = o.organization_id
        left join persons m on m.id = o.manager_id
        where e.kind = 'message' and e.to_client = 0 and e.at_ms >= :since and o.history = 0
            and not exists (select 1 from order_events a
                where a.order_id = e.order_id and a.id > e.id
                    and (a.kind = 'note' or a.kind = 'message' and a.to_client = 1))
        group by e.order_id order by at_ms, e.order_id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":since": since }, |row| {
        Ok(AskingOrder {
            number: row.get("number")?,
            organization_name: row.get("organization_name")?,
            manager_name: row.get("manager_name")?,
            text: row.get("text")?,
            at: row.get("at_ms")?,
            messages: row.get("messages")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
