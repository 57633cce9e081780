//! The journal of exchanges, and hidings that wait for a person.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use crate::domain::{ProductId, Timestamp};

/// One exchange.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExchangeRow {
    /// Its number; of a new one meaningless.
    pub id: i64,
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub duration_ms: i64,
    /// `json`, `pull`, `commerceml` or `import`.
    pub way: String,
    /// `catalog`, `purchases`, `members`, `balances`, `orders` or `statuses`.
    pub kind: String,
    /// The request's id, as answered.
    pub request_id: String,
    /// Where it came from; of a file that a person brought its name.
    pub address: String,
    /// The program that came, by its `User-Agent`.
    pub sender: String,
    /// Joins the requests of one standard exchange; otherwise empty.
    pub session: String,
    /// Records in it.
    pub received: u32,
    /// Made.
    pub created: u32,
    /// Changed.
    pub changed: u32,
    /// Found as they were.
    pub unchanged: u32,
    /// Left out.
    pub skipped: u32,
    /// Hidden for not being mentioned.
    pub hidden: u32,
    /// Whose hiding waits for a person.
    pub held: u32,
    /// What went wrong with the whole, in Russian; empty: nothing.
    pub error: String,
}

/// What [`ExchangeRow::from_row`] reads.
pub(super) const COLUMNS: &str =
    "id, at_ms, duration_ms, way, kind, request_id, address, sender, session,
    received, created, changed, unchanged, skipped, hidden, held, error";

impl ExchangeRow {
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            at: row.get("at_ms")?,
            duration_ms: row.get("duration_ms")?,
            way: row.get("way")?,
            kind: row.get("kind")?,
            request_id: row.get("request_id")?,
            address: row.get("address")?,
            sender: row.get("sender")?,
            session: row.get("session")?,
            received: row.get("received")?,
            created: row.get("created")?,
            changed: row.get("changed")?,
            unchanged: row.get("unchanged")?,
            skipped: row.get("skipped")?,
            hidden: row.get("hidden")?,
            held: row.get("held")?,
            error: row.get("error")?,
        })
    }
}

/// A record that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemRow {
    /// Which record of the source, from 0; `None`: the whole.
    pub record: Option<u32>,
    /// What it was called.
    pub sku: String,
    /// Why, in Russian.
    pub reason: String,
}

/// Notes an exchange and says its number.
pub fn insert(tx: &Transaction<'_>, row: &ExchangeRow) -> Result<i64, StorageError> {
    const SQL: &str = "
        insert into exchanges (at_ms, duration_ms, way, kind, request_id, address, sender, session,
            received, created, changed, unchanged, skipped, hidden, held, error)
        values (:at, :duration, :way, :kind, :request_id, :address, :sender, :session,
            :received, :created, :changed, :unchanged, :skipped, :hidden, :held, :error)";
    let mut stmt = tx.prepare_cached(SQL)?;
    stmt.execute(named_params! {
        ":at": row.at, ":duration": row.duration_ms, ":way": row.way, ":kind": row.kind,
        ":request_id": row.request_id, ":address": row.address, ":sender": row.sender, ":session": row.session,
        ":received": row.received,
        ":created": row.created, ":changed": row.changed, ":unchanged": row.unchanged,
        ":skipped": row.skipped, ":hidden": row.hidden, ":held": row.held, ":error": row.error,
    })?;
    Ok(tx.last_insert_rowid())
}

/// Notes what was left out of an exchange.
pub fn insert_problem(
    tx: &Transaction<'_>,
    exchange: i64,
    position: u32,
    problem: &ProblemRow,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into exchange_problems (exchange_id, position, record, sku, reason)
        values (:exchange, :position, :record, :sku, :reason)";
    let mut stmt = tx.prepare_cached(SQL)?;
    stmt.execute(named_params! {
        ":exchange": exchange, ":position": position, ":record": problem.record,
        ":sku": problem.sku, ":reason": problem.reason,
    })?;
    Ok(())
}

/// Something that happened in an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRow {
    /// When.
    pub at: Timestamp,
    /// What, in Russian.
    pub step: String,
}

/// A raw file of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// As the sender called it.
    pub name: String,
    /// Its name in `exchange/raw` of the data folder.
    pub stored: String,
    /// How big it is.
    pub bytes: u64,
}

/// Notes the next step of an exchange.
pub fn add_step(tx: &Transaction<'_>, exchange: i64, step: &StepRow) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into exchange_steps (exchange_id, position, at_ms, step)
        select :exchange, coalesce(max(position) + 1, 0), :at, :step
        from exchange_steps where exchange_id = :exchange";
    let mut stmt = tx.prepare_cached(SQL)?;
    stmt.execute(named_params! { ":exchange": exchange, ":at": step.at, ":step": step.step })?;
    Ok(())
}

/// The steps of an exchange, in order.
pub fn steps(conn: &Connection, exchange: i64) -> Result<Vec<StepRow>, StorageError> {
    const SQL: &str = "
        select at_ms, step from exchange_steps where exchange_id = :exchange order by position";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":exchange": exchange }, |row| {
        Ok(StepRow { at: row.get("at_ms")?, step: row.get("step")? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes a raw file of an exchange.
pub fn add_file(tx: &Transaction<'_>, exchange: i64, file: &FileRow) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into exchange_files (exchange_id, position, name, stored, bytes)
        select :exchange, coalesce(max(position) + 1, 0), :name, :stored, :bytes
        from exchange_files where exchange_id = :exchange";
    let bytes = i64::try_from(file.bytes).unwrap_or(i64::MAX);
    let mut stmt = tx.prepare_cached(SQL)?;
    stmt.execute(named_params! {
        ":exchange": exchange, ":name": file.name, ":stored": file.stored, ":bytes": bytes,
    })?;
    Ok(())
}

/// The raw files of an exchange, in order.
pub fn files(conn: &Connection, exchange: i64) -> Result<Vec<FileRow>, StorageError> {
    const SQL: &str = "
        select name, stored, bytes from exchange_files
        where exchange_id = :exchange order by position";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":exchange": exchange }, |row| {
        let bytes: i64 = row.get("bytes")?;
        Ok(FileRow {
            name: row.get("name")?,
            stored: row.get("stored")?,
            bytes: bytes.unsigned_abs(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Forgets raw files that are no longer kept, by their names in `exchange/raw`.
pub fn forget_files(tx: &Transaction<'_>, stored: &[String]) -> Result<(), StorageError> {
    let mut stmt = tx.prepare_cached("delete from exchange_files where stored = :stored")?;
    for name in stored {
        stmt.execute(named_params! { ":stored": name })?;
    }
    Ok(())
}

/// The latest exchanges, newest first.
pub fn list(conn: &Connection, limit: u32) -> Result<Vec<ExchangeRow>, StorageError> {
    let sql = format!("select {COLUMNS} from exchanges order by id desc limit :limit");
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map(named_params! { ":limit": limit }, ExchangeRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One exchange.
pub fn find(conn: &Connection, id: i64) -> Result<Option<ExchangeRow>, StorageError> {
    let sql = format!("select {COLUMNS} from exchanges where id = :id");
    let mut stmt = conn.prepare_cached(&sql)?;
    Ok(stmt.query_row(named_params! { ":id": id }, ExchangeRow::from_row).optional()?)
}

/// The exchanges of the request with this id, in order.
pub fn of_request(conn: &Connection, request_id: &str) -> Result<Vec<i64>, StorageError> {
    const SQL: &str = "select id from exchanges where request_id = :request order by id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":request": request_id }, |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What was left out of an exchange.
pub fn problems(conn: &Connection, exchange: i64) -> Result<Vec<ProblemRow>, StorageError> {
    const SQL: &str = "
        select record, sku, reason from exchange_problems
        where exchange_id = :exchange order by position";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":exchange": exchange }, |row| {
        Ok(ProblemRow {
            record: row.get("record")?,
            sku: row.get("sku")?,
            reason: row.get("reason")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A hiding that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldHiding {
    /// Its number.
    pub id: i64,
    /// The exchange that asks for it.
    pub exchange: Option<i64>,
    /// When it was asked for.
    pub at: Timestamp,
    /// How many products it would hide.
    pub products: u32,
    /// How many were on sale then.
    pub of_total: u32,
    /// The name of the file that a person brought; `None`: 1C asks for it.
    pub file: Option<String>,
}

/// Holds a hiding for a person; earlier ones that still wait are dropped: the last exchange knows
/// best.
pub fn hold_hiding(
    tx: &Transaction<'_>,
    exchange: i64,
    now: Timestamp,
    of_total: u32,
    products: &[ProductId],
) -> Result<i64, StorageError> {
    const SQL: &str = "
        insert into held_hidings (exchange_id, at_ms, of_total) values (:exchange, :now, :total)";
    const PRODUCT: &str =
        "insert into held_hiding_products (hiding_id, product_id) values (:id, :product)";
    tx.execute("update held_hidings set state = 'dropped' where state = 'waiting'", [])?;
    tx.execute(SQL, named_params! { ":exchange": exchange, ":now": now, ":total": of_total })?;
    let id = tx.last_insert_rowid();
    let mut stmt = tx.prepare_cached(PRODUCT)?;
    for product in products {
        stmt.execute(named_params! { ":id": id, ":product": product })?;
    }
    Ok(id)
}

/// The hiding that waits for a person, if there is one.
pub fn waiting_hiding(conn: &Connection) -> Result<Option<HeldHiding>, StorageError> {
    const SQL: &str = "
        select h.id, h.exchange_id, h.at_ms, h.of_total,
            (select count(*) from held_hiding_products p where p.hiding_id = h.id) as products,
            case when e.way = 'import' then e.address end as file
        from held_hidings h left join exchanges e on e.id = h.exchange_id where h.state = 'waiting' order by h.id desc limit 1";
    let mut stmt = conn.prepare_cached(SQL)?;
    let found = stmt.query_row([], |row| {
        Ok(HeldHiding {
            id: row.get("id")?,
            exchange: row.get("exchange_id")?,
            at: row.get("at_ms")?,
            products: row.get("products")?,
            of_total: row.get("of_total")?,
            file: row.get("file")?,
        })
    });
    Ok(found.optional()?)
}

/// The products of a hiding.
pub fn hiding_products(conn: &Connection, id: i64) -> Result<Vec<ProductId>, StorageError> {
    const SQL: &str = "
        select product_id from held_hiding_products where hiding_id = :id order by product_id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":id": id }, |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Closes a hiding that waits; whether it did.
pub fn close_hiding(tx: &Transaction<'_>, id: i64, done: bool) -> Result<bool, StorageError> {
    const SQL: &str = "
        update held_hidings set state = :state where id = :id and state = 'waiting'";
    let state = if done { "done" } else { "dropped" };
    Ok(tx.execute(SQL, named_params! { ":id": id, ":state": state })? == 1)
}

/// Takes a product out of the hidings that wait: it has been mentioned since.
pub fn forget_hiding(tx: &Transaction<'_>, product: ProductId) -> Result<(), StorageError> {
    const SQL: &str = "
        delete from held_hiding_products where product_id = :product and hiding_id in (
            select id from held_hidings where state = 'waiting')";
    tx.prepare_cached(SQL)?.execute(named_params! { ":product": product })?;
    Ok(())
}

/// How many full exchanges in a row have not mentioned each product, and the last of them.
pub fn absences(conn: &Connection) -> Result<HashMap<ProductId, (u32, String)>, StorageError> {
    const SQL: &str = "select product_id, exchanges, session from absences";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Counts a full exchange that has not mentioned the product.
pub fn note_absence(
    tx: &Transaction<'_>,
    product: ProductId,
    exchanges: u32,
    session: &str,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into absences (product_id, exchanges, session)
        values (:product, :exchanges, :session)
        on conflict do update set exchanges = excluded.exchanges, session = excluded.session";
    let mut stmt = tx.prepare_cached(SQL)?;
    stmt.execute(
        named_params! { ":product": product, ":exchanges": exchanges, ":session": session },
    )?;
    Ok(())
}

/// The product has been mentioned.
pub fn forget_absence(tx: &Transaction<'_>, product: ProductId) -> Result<(), StorageError> {
    const SQL: &str = "delete from absences where product_id = :product";
    tx.prepare_cached(SQL)?.execute(named_params! { ":product": product })?;
    Ok(())
}
