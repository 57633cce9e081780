//! Sums over orders and what recognition has made of clients' words, for the panel.

use rusqlite::{Connection, Transaction, named_params};

use super::StorageError;
use crate::domain::{LineState, Money, OrderStatus, OrganizationId, Timestamp};

/// Orders since some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turnover {
    /// How many, those called off left out.
    pub orders: u32,
    /// Their sum.
    pub total: Money,
    /// Their lines that came in a client's words.
    pub lines: u32,
    /// Of these, those whose product a manager had to choose, or has to.
    pub by_hand: u32,
    /// Of these, those whose product anybody had to choose: the buyer too.
    pub chosen: u32,
}

/// Orders made since `since` and neither cancelled nor rejected.
pub fn turnover(conn: &Connection, since: Timestamp) -> Result<Turnover, StorageError> {
    const SQL: &str = "
        with made as (
            select id, total_kopecks from orders
            where created_at_ms >= :since and status not in ('cancelled', 'rejected')
        )
        select (select count(*) from made) as orders,
            (select coalesce(sum(total_kopecks), 0) from made) as total_kopecks,
            count(*) as lines,
            coalesce(sum(l.state <> 'ok' or l.chosen_by is 'manager'), 0) as by_hand,
            coalesce(sum(l.state <> 'ok' or l.chosen_by is not null), 0) as chosen
        from made cross join order_lines l on l.order_id = made.id
        where l.raw <> ''";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":since": since }, |row| {
        Ok(Turnover {
            orders: row.get("orders")?,
            total: row.get("total_kopecks")?,
            lines: row.get("lines")?,
            by_hand: row.get("by_hand")?,
            chosen: row.get("chosen")?,
        })
    })?)
}

/// How long orders made since `since` waited for the first change of status by a person, in
/// milliseconds, shortest first.
pub fn waits(conn: &Connection, since: Timestamp) -> Result<Vec<i64>, StorageError> {
    const SQL: &str = "
        select (select min(e.at_ms) from order_events e where e.order_id = o.id
            and e.kind = 'status' and e.person_id is not null) - o.created_at_ms as wait_ms
        from orders o where o.created_at_ms >= :since";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":since": since }, |row| row.get("wait_ms"))?;
    // Left to SQL, every order's events would be looked at once to choose and once to sort.
    let waits: Vec<Option<i64>> = rows.collect::<Result<_, _>>()?;
    let mut waits: Vec<i64> = waits.into_iter().flatten().filter(|wait| *wait >= 0).collect();
    waits.sort_unstable();
    Ok(waits)
}

/// How many orders in work are to be delivered on this day, `YYYY-MM-DD`.
pub fn deliveries(conn: &Connection, day: &str) -> Result<u32, StorageError> {
    let active = [
        OrderStatus::New,
        OrderStatus::NeedsClient,
        OrderStatus::Accepted,
        OrderStatus::Picking,
        OrderStatus::Ready,
    ];
    let active: Vec<String> = active.iter().map(|status| format!("'{status}'")).collect();
    let sql = format!(
        "select count(*) as orders from orders
            where delivery_date = :day and status in ({})",
        active.join(", ")
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    Ok(stmt.query_row(named_params! { ":day": day }, |row| row.get("orders"))?)
}

/// The words that most often had no product since `since`, with how often.
pub fn unknown_words(
    conn: &Connection,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<(String, u32)>, StorageError> {
    const SQL: &str = "
        select l.phrase, count(*) as times
        from order_lines l join orders o on o.id = l.order_id
        where o.created_at_ms >= :since and l.phrase <> ''
            and l.state <> 'ok'
        group by l.phrase order by times desc, l.phrase limit :limit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":since": since, ":limit": limit }, |row| {
        Ok((row.get("phrase")?, row.get("times")?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many products are sold now.
pub fn products(conn: &Connection) -> Result<u32, StorageError> {
    const SQL: &str = "
        select count(*) as products from products indexed by products_category
        where withdrawn = 0 and hidden = 0";
    Ok(conn.prepare_cached(SQL)?.query_row([], |row| row.get("products"))?)
}

/// Words that clients write and that lead to no product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The words, as they are learnt.
    pub phrase: String,
    /// As one client wrote them.
    pub raw: String,
    /// How often.
    pub times: u32,
    /// By how many organizations.
    pub organizations: u32,
}

/// The gaps since `since`, the most frequent first: words that were left to a manager or found
/// nothing, but for those that are not ours.
pub fn gaps(conn: &Connection, since: Timestamp, limit: u32) -> Result<Vec<Gap>, StorageError> {
    const SQL: &str = "
        select l.phrase, max(l.raw) as raw, count(*) as times,
            count(distinct d.organization_id) as organizations
        from draft_lines l join drafts d on d.id = l.draft_id
        where l.state <> 'ok' and l.phrase <> '' and l.product_id is null
            and d.updated_at_ms >= :since
            and l.phrase not in (select phrase from foreign_phrases)
        group by l.phrase order by times desc, l.phrase limit :limit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":since": since, ":limit": limit }, |row| {
        Ok(Gap {
            phrase: row.get("phrase")?,
            raw: row.get("raw")?,
            times: row.get("times")?,
            organizations: row.get("organizations")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Words that are not ours: no gap any more.
pub fn set_foreign(tx: &Transaction<'_>, phrase: &str, now: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into foreign_phrases (phrase, at_ms) values (:phrase, :now) on conflict do nothing";
    tx.prepare_cached(SQL)?.execute(named_params! { ":phrase": phrase, ":now": now })?;
    Ok(())
}

/// A line that was recognised for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// Their words.
    pub raw: String,
    /// How it stands.
    pub state: LineState,
    /// The product; empty: none.
    pub product: String,
    /// Whether the client chose it.
    pub chosen: bool,
    /// Whose; empty: a guest's.
    pub organization: String,
    /// The organization, to try the line as it.
    pub organization_id: Option<OrganizationId>,
    /// When the draft last changed.
    pub at: Timestamp,
    /// Why, as JSON.
    pub trace: Option<String>,
}

/// The last lines recognised, the newest first, in one state or in any.
pub fn recognised(
    conn: &Connection,
    state: Option<LineState>,
    offset: u32,
    limit: u32,
) -> Result<Vec<Recognised>, StorageError> {
    let state = state.map_or(String::new(), |state| format!("where l.state = '{state}'"));
    let sql = format!(
        "select l.raw, l.state, coalesce(p.title, '') as product, l.chosen, l.trace,
            coalesce(g.name, '') as organization, d.organization_id, d.updated_at_ms
        from (select * from draft_lines l {state} order by l.id desc limit :limit offset :offset) l
        cross join drafts d on d.id = l.draft_id
        left join products p on p.id = l.product_id
        left join organizations g on g.id = d.organization_id
        order by l.id desc"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map(named_params! { ":limit": limit, ":offset": offset }, |row| {
        Ok(Recognised {
            raw: row.get("raw")?,
            state: row.get("state")?,
            product: row.get("product")?,
            chosen: row.get("chosen")?,
            organization: row.get("organization")?,
            organization_id: row.get("organization_id")?,
            at: row.get("updated_at_ms")?,
            trace: row.get("trace")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
