//! The journal of who changed what. The table refuses updates and deletions by itself.

use rusqlite::{Connection, Row, Transaction, named_params};

use super::StorageError;
use crate::domain::{Channel, PersonId, Timestamp};

/// A change worth remembering. Secrets never come here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// When.
    pub at: Timestamp,
    /// By which way.
    pub channel: Channel,
    /// Who; `None`: the program or the operator at the command line.
    pub person: Option<PersonId>,
    /// Where from: an IP address, where there is one.
    pub address: &'a str,
    /// What was done: `person.role`, `person.blocked`.
    pub action: &'a str,
    /// To what: `person:17`.
    pub object: &'a str,
    /// What was.
    pub before: Option<&'a str>,
    /// What is.
    pub after: Option<&'a str>,
}

/// Writes an entry.
pub fn record(tx: &Transaction<'_>, entry: &Entry<'_>) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into audit (at_ms, channel, person_id, action, object, before, after, address)
        values (:at, :channel, :person, :action, :object, :before, :after, :address)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":at": entry.at, ":channel": entry.channel, ":person": entry.person,
        ":action": entry.action, ":object": entry.object, ":before": entry.before,
        ":after": entry.after, ":address": entry.address,
    })?;
    Ok(())
}

/// A row of `audit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// The row; grows with time.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// By which way.
    pub channel: Channel,
    /// Who.
    pub person: Option<PersonId>,
    /// Their name now.
    pub person_name: Option<String>,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: String,
    /// What was.
    pub before: Option<String>,
    /// What is.
    pub after: Option<String>,
    /// Where from.
    pub address: String,
}

impl AuditRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            at: row.get("at_ms")?,
            channel: row.get("channel")?,
            person: row.get("person_id")?,
            person_name: row.get("name")?,
            action: row.get("action")?,
            object: row.get("object")?,
            before: row.get("before")?,
            after: row.get("after")?,
            address: row.get("address")?,
        })
    }
}

/// Which entries are wanted; empty fields want all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Those of this person; `Some(None)`: of no person.
    pub person: Option<Option<PersonId>>,
    /// Those that came by this way.
    pub channel: Option<Channel>,
    /// Those whose action begins so: `person.`, `person.role`.
    pub action: String,
    /// Those with this in the object, in what was or is, or in the address; case is ignored.
    pub query: String,
    /// Those since this moment.
    pub from: Option<Timestamp>,
    /// Those before this moment.
    pub until: Option<Timestamp>,
}

const ENTRY: &str = "
    select a.id, a.at_ms, a.channel, a.person_id, p.name, a.action, a.object, a.before,
        a.after, a.address
    from audit a left join persons p on p.id = a.person_id";

/// A page of entries, newest first, and how many there are in all.
pub fn page(
    conn: &Connection,
    filter: &AuditFilter,
    offset: u32,
    limit: u32,
) -> Result<(Vec<AuditRow>, u32), StorageError> {
    if *filter == AuditFilter::default() {
        let count = "select count(*) as total from audit";
        let total = conn.prepare_cached(count)?.query_row([], |row| row.get("total"))?;
        let sql = format!("{ENTRY} order by a.id desc limit :limit offset :offset");
        let mut stmt = conn.prepare_cached(&sql)?;
        let params = named_params! { ":limit": limit, ":offset": offset };
        let rows = stmt.query_map(params, AuditRow::from_row)?;
        return Ok((rows.collect::<Result<_, _>>()?, total));
    }
    // The journal is gone through once: what is found is counted on the way.
    let found = found(conn, filter)?;
    let mut stmt = conn.prepare_cached(&format!("{ENTRY} where a.id = :id"))?;
    let page = found.iter().skip(offset as usize).take(limit as usize);
    let rows = page.map(|id| stmt.query_row(named_params! { ":id": id }, AuditRow::from_row));
    let rows = rows.collect::<Result<_, _>>()?;
    Ok((rows, u32::try_from(found.len()).unwrap_or(u32::MAX)))
}

/// The entries that the filter lets through, newest first.
fn found(conn: &Connection, filter: &AuditFilter) -> Result<Vec<i64>, StorageError> {
    let text = filter.query.to_lowercase();
    let person = filter.person.flatten();
    let asked: [(bool, &str, &str, &dyn rusqlite::ToSql); 6] = [
        (filter.channel.is_some(), "channel = :channel", ":channel", &filter.channel),
        (filter.person.is_some(), "person_id is :person", ":person", &person),
        (
            !filter.action.is_empty(),
            "substr(action, 1, length(:action)) = :action",
            ":action",
            &filter.action,
        ),
        (!text.is_empty(), "any_holds(:text, object, before, after, address)", ":text", &text),
        (filter.from.is_some(), "at_ms >= :from", ":from", &filter.from),
        (filter.until.is_some(), "at_ms < :until", ":until", &filter.until),
    ];
    // Only what is asked for is looked at: there is a look for every entry there ever was.
    let mut sql = "select id from audit where 1".to_owned();
    let mut params = Vec::new();
    for (_, condition, name, value) in asked.iter().filter(|(asked, ..)| *asked) {
        sql.push_str(" and ");
        sql.push_str(condition);
        params.push((*name, *value));
    }
    sql.push_str(" order by id desc");
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map(params.as_slice(), |row| row.get("id"))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Who is in the journal, by name.
pub fn people(conn: &Connection) -> Result<Vec<(PersonId, String)>, StorageError> {
    // From one person to the next over the index: entries are many, people are few.
    const SQL: &str = "
        with recursive seen (id) as (
            select min(person_id) from audit
            union all
            select (select min(a.person_id) from audit a where a.person_id > s.id)
            from seen s where s.id is not null)
        select p.id, p.name from seen s join persons p on p.id = s.id order by p.name, p.id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| Ok((row.get("id")?, row.get("name")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The actions in the journal, in alphabetical order.
pub fn actions(conn: &Connection) -> Result<Vec<String>, StorageError> {
    const SQL: &str = "
        with recursive seen (action) as (
            select min(action) from audit
            union all
            select (select min(a.action) from audit a where a.action > s.action)
            from seen s where s.action is not null)
        select action from seen where action is not null";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| row.get("action"))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The newest entries about one object, at most `limit`.
pub fn of_object(
    conn: &Connection,
    object: &str,
    limit: u32,
) -> Result<Vec<AuditRow>, StorageError> {
    let sql = format!("{ENTRY} where a.object = :object order by a.id desc limit :limit");
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows =
        stmt.query_map(named_params! { ":object": object, ":limit": limit }, AuditRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
