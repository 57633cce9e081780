//! The journal of exchanges as people look at it: filtered pages, the latest of a kind, and what 1C
//! calls things.

use rusqlite::{Connection, OptionalExtension, named_params};

use super::StorageError;
use super::exchange_log::{COLUMNS, ExchangeRow};
use crate::domain::{OrderNumber, Timestamp};

/// Which exchanges to list. Empty fields let everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalFilter {
    /// `in` or `out`: whether 1C gives or takes.
    pub direction: String,
    /// As in [`ExchangeRow::kind`].
    pub kind: String,
    /// As in [`ExchangeRow::way`].
    pub way: String,
    /// `ok`, `partly` (records were left out) or `failed`.
    pub outcome: String,
}

/// The conditions of a filter: only of what it asks for, so that a look at everything reads no row
/// but those of its page. The parameters are bound by name in [`bind`].
fn conditions(filter: &JournalFilter) -> String {
    let mut sql = "where 1".to_owned();
    sql.push_str(match filter.direction.as_str() {
        "" => "",
        "out" => " and kind = 'orders'",
        _ => " and kind <> 'orders'",
    });
    if !filter.kind.is_empty() {
        sql.push_str(" and kind = :kind");
    }
    if !filter.way.is_empty() {
        sql.push_str(" and way = :way");
    }
    sql.push_str(match filter.outcome.as_str() {
        "" => "",
        "failed" => " and error <> ''",
        "partly" => " and error = '' and skipped > 0",
        "ok" => " and error = '' and skipped <= 0",
        _ => " and 0",
    });
    sql
}

/// Binds those of the filter's values that the statement names.
fn bind(stmt: &mut rusqlite::Statement<'_>, filter: &JournalFilter) -> Result<(), StorageError> {
    for (name, value) in [(":kind", &filter.kind), (":way", &filter.way)] {
        if let Some(index) = stmt.parameter_index(name)? {
            stmt.raw_bind_parameter(index, value)?;
        }
    }
    Ok(())
}

/// A page of the journal, newest first.
pub fn page(
    conn: &Connection,
    filter: &JournalFilter,
    offset: u32,
    limit: u32,
) -> Result<Vec<ExchangeRow>, StorageError> {
    // Which they are first, what is told of them for these alone.
    let sql = format!(
        "select {COLUMNS} from exchanges where id in (
            select id from exchanges {} order by id desc limit {limit} offset {offset})
        order by id desc",
        conditions(filter)
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    bind(&mut stmt, filter)?;
    let mut rows = stmt.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(ExchangeRow::from_row(row)?);
    }
    Ok(found)
}

/// How many exchanges the filter lets through.
pub fn count(conn: &Connection, filter: &JournalFilter) -> Result<u32, StorageError> {
    let sql = format!("select count(*) as exchanges from exchanges {}", conditions(filter));
    let mut stmt = conn.prepare_cached(&sql)?;
    bind(&mut stmt, filter)?;
    let mut rows = stmt.raw_query();
    Ok(rows.next()?.map(|row| row.get("exchanges")).transpose()?.unwrap_or(0))
}

/// The latest exchange with 1C of this way (empty: any), whatever came of it or only a good one.
pub fn latest(
    conn: &Connection,
    way: &str,
    only_good: bool,
) -> Result<Option<ExchangeRow>, StorageError> {
    // A way that nothing came by for years is looked up, not looked for.
    let of_way = if way.is_empty() { "way <> 'import'" } else { "way = :way" };
    let sql = format!(
        "select {COLUMNS} from exchanges where {of_way} and (not :good or error = '')
        order by id desc limit 1"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    stmt.raw_bind_parameter(":good", only_good)?;
    if !way.is_empty() {
        stmt.raw_bind_parameter(":way", way)?;
    }
    Ok(stmt.raw_query().next()?.map(ExchangeRow::from_row).transpose()?)
}

/// The exchanges of one standard session, in order.
pub fn of_session(conn: &Connection, session: &str) -> Result<Vec<ExchangeRow>, StorageError> {
    let sql = format!("select {COLUMNS} from exchanges where session = :session order by id");
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map(named_params! { ":session": session }, ExchangeRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What 1C last said of an order that could not be used, and when, since this moment.
pub fn refusal_of_order(
    conn: &Connection,
    number: OrderNumber,
    uuid: &str,
    since: Timestamp,
) -> Result<Option<(Timestamp, String)>, StorageError> {
    // From the few problems of the order to their exchanges: a week has a thousand of those.
    const SQL: &str = "
        select e.at_ms, p.reason
        from exchange_problems p cross join exchanges e on e.id = p.exchange_id
        where p.sku in (:wire, :plain, :uuid) and e.kind in ('statuses', 'orders')
            and e.at_ms >= :since
        order by e.id desc limit 1";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! {
        ":since": since, ":wire": number.wire(), ":plain": number.to_string(), ":uuid": uuid,
    };
    let found = stmt.query_row(params, |row| Ok((row.get("at_ms")?, row.get("reason")?)));
    Ok(found.optional()?)
}

/// Reasons that begin so, since this moment: each once with how often, most frequent first.
pub fn reasons(
    conn: &Connection,
    begin: &str,
    since: Timestamp,
) -> Result<Vec<(String, u32)>, StorageError> {
    const SQL: &str = "
        select p.reason, count(*) as times
        from exchanges e join exchange_problems p on p.exchange_id = e.id
        where e.kind in ('statuses', 'orders') and e.at_ms >= :since
            and substr(p.reason, 1, length(:begin)) = :begin
        group by p.reason order by times desc, p.reason limit 50";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":begin": begin, ":since": since };
    let rows = stmt.query_map(params, |row| Ok((row.get("reason")?, row.get("times")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A price type with how many products have such a price.
pub fn priced(conn: &Connection) -> Result<Vec<(i64, u32)>, StorageError> {
    const SQL: &str = "
        select price_type_id, count(*) as products from prices group by price_type_id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| Ok((row.get("price_type_id")?, row.get("products")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A warehouse with how many products lie there.
pub fn stocked(conn: &Connection) -> Result<Vec<(i64, u32)>, StorageError> {
    const SQL: &str = "
        select warehouse_id, sum(quantity_thousandths > 0) as products
        from stocks group by warehouse_id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| Ok((row.get("warehouse_id")?, row.get("products")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A unit as the source writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitSeen {
    /// The unit.
    pub unit: String,
    /// Products that are kept in it.
    pub base: u32,
    /// Products that have a pack of this name.
    pub packs: u32,
    /// Base units in such a pack, in thousandths: the least and the greatest; 0: no pack.
    pub coefficients: (i64, i64),
}

/// Units of the products that are sold, the most frequent first.
pub fn units(conn: &Connection) -> Result<Vec<UnitSeen>, StorageError> {
    const SQL: &str = "
        select unit, sum(base) as base, sum(pack) as packs,
            coalesce(min(coefficient), 0) as least, coalesce(max(coefficient), 0) as greatest
        from (
            select unit, 1 as base, 0 as pack, null as coefficient
            from products where withdrawn = 0
            union all
            select k.unit, 0, 1, k.coefficient_thousandths
            from packs k join products p on p.id = k.product_id where p.withdrawn = 0
        )
        group by unit order by base + packs desc, unit limit 100";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| {
        Ok(UnitSeen {
            unit: row.get("unit")?,
            base: row.get("base")?,
            packs: row.get("packs")?,
            coefficients: (row.get("least")?, row.get("greatest")?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
