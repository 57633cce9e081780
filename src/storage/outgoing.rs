//! The outbox as administrators see it: what waits, what failed, who cannot be reached.

use rusqlite::{Connection, Row, Transaction, named_params};

use super::StorageError;
use crate::domain::{ChatKey, OutboxId, PersonId, Timestamp};

/// Which rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// Given up.
    #[default]
    Failed,
    /// Waiting.
    Queued,
}

impl View {
    fn state(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Queued => "queued",
        }
    }
}

/// A row of the outbox, with whom it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingRow {
    /// The row.
    pub id: OutboxId,
    /// Where it goes.
    pub chat: ChatKey,
    /// The person of that chat, with their name.
    pub person: Option<(PersonId, String)>,
    /// Whether they have blocked the bot.
    pub blocked: bool,
    /// JSON of what to do, opaque here.
    pub payload: String,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it is due.
    pub due_at: Timestamp,
    /// How often sending it has failed.
    pub attempts: u32,
    /// Why, the last time.
    pub error: String,
    /// When it was given up.
    pub closed_at: Option<Timestamp>,
}

impl OutgoingRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let person: Option<PersonId> = row.get("person_id")?;
        let name: Option<String> = row.get("name")?;
        Ok(Self {
            id: row.get("id")?,
            chat: row.get("chat_key")?,
            person: person.zip(name),
            blocked: row.get("blocked")?,
            payload: row.get("payload")?,
            created_at: row.get("created_at_ms")?,
            due_at: row.get("due_at_ms")?,
            attempts: row.get("attempts")?,
            error: row.get("error")?,
            closed_at: row.get("closed_at_ms")?,
        })
    }
}

/// A page of rows: the given up newest first, the waiting oldest first; and how many in all.
pub fn page(
    conn: &Connection,
    view: View,
    offset: u32,
    limit: u32,
) -> Result<(Vec<OutgoingRow>, u32), StorageError> {
    const COUNT: &str = "select count(*) as total from outbox where state = :state";
    let total = conn
        .prepare_cached(COUNT)?
        .query_row(named_params! { ":state": view.state() }, |row| row.get("total"))?;
    let order = match view {
        View::Failed => "o.closed_at_ms desc, o.id desc",
        View::Queued => "o.due_at_ms, o.id",
    };
    let sql = format!(
        "select o.id, o.chat_key, o.payload, o.created_at_ms, o.due_at_ms, o.attempts, o.error,
            o.closed_at_ms, p.id as person_id, p.name, c.blocked_at_ms is not null as blocked
        from outbox o
            left join chats c on c.key = o.chat_key left join persons p on p.id = c.person_id
        where o.state = :state order by {order} limit :limit offset :offset"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let params = named_params! { ":state": view.state(), ":limit": limit, ":offset": offset };
    let rows = stmt.query_map(params, OutgoingRow::from_row)?;
    Ok((rows.collect::<Result<_, _>>()?, total))
}

/// Queues a row again that was given up; the chat it goes to. `None`: it was not given up.
pub fn retry(
    tx: &Transaction<'_>,
    id: OutboxId,
    now: Timestamp,
) -> Result<Option<ChatKey>, StorageError> {
    const SQL: &str = "
        update outbox set state = 'queued', attempts = 0, error = '', closed_at_ms = null,
            due_at_ms = :now
        where id = :id and state = 'failed' returning chat_key";
    use rusqlite::OptionalExtension as _;
    let mut stmt = tx.prepare_cached(SQL)?;
    let params = named_params! { ":id": id, ":now": now };
    Ok(stmt.query_row(params, |row| row.get("chat_key")).optional()?)
}

/// Queues all rows again that were given up since `since`, but for those to people who have blocked
/// the bot; how many.
pub fn retry_all(
    tx: &Transaction<'_>,
    since: Timestamp,
    now: Timestamp,
) -> Result<usize, StorageError> {
    const SQL: &str = "
        update outbox set state = 'queued', attempts = 0, error = '', closed_at_ms = null,
            due_at_ms = :now
        where state = 'failed' and closed_at_ms >= :since and not exists (
            select 1 from chats c where c.key = outbox.chat_key and c.blocked_at_ms is not null)";
    let params = named_params! { ":since": since, ":now": now };
    Ok(tx.prepare_cached(SQL)?.execute(params)?)
}

/// A chat whose person has blocked the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedRow {
    /// The chat.
    pub chat: ChatKey,
    /// The person, with their name.
    pub person: Option<(PersonId, String)>,
    /// What the wire calls them.
    pub title: String,
    /// Since when.
    pub since: Timestamp,
}

/// Chats whose people have blocked the bot, the last first, at most `limit`; and how many in all.
pub fn blocked(conn: &Connection, limit: u32) -> Result<(Vec<BlockedRow>, u32), StorageError> {
    const COUNT: &str = "select count(*) as total from chats where blocked_at_ms is not null";
    const SQL: &str = "
        select c.key, c.title, c.blocked_at_ms, p.id as person_id, p.name
        from chats c left join persons p on p.id = c.person_id
        where c.blocked_at_ms is not null order by c.blocked_at_ms desc, c.key limit :limit";
    let total = conn.prepare_cached(COUNT)?.query_row([], |row| row.get("total"))?;
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":limit": limit }, |row| {
        let person: Option<PersonId> = row.get("person_id")?;
        let name: Option<String> = row.get("name")?;
        Ok(BlockedRow {
            chat: row.get("key")?,
            person: person.zip(name),
            title: row.get("title")?,
            since: row.get("blocked_at_ms")?,
        })
    })?;
    Ok((rows.collect::<Result<_, _>>()?, total))
}
