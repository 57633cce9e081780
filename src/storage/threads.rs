//! Threads of questions: an organization asks, staff answer.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params, params_from_iter};

use super::StorageError;
use crate::domain::{
    ChatKey, MemberState, OrderId, OrderNumber, OrganizationId, PersonId, ThreadId, Timestamp,
};

/// A thread with what a list shows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadRow {
    /// The row.
    pub id: ThreadId,
    /// Whose; `None`: a person's without an organization.
    pub organization: Option<OrganizationId>,
    /// Its name; empty without one.
    pub organization_name: String,
    /// Who asked first.
    pub author: Option<PersonId>,
    /// Their name.
    pub author_name: String,
    /// The order that it is about.
    pub order: Option<OrderId>,
    /// Its number.
    pub order_number: Option<OrderNumber>,
    /// The code of the topic.
    pub topic: String,
    /// The beginning of the question.
    pub subject: String,
    /// Whether it is not settled.
    pub open: bool,
    /// The manager in charge.
    pub manager: Option<PersonId>,
    /// Their name.
    pub manager_name: Option<String>,
    /// Until when staff do not want to see it.
    pub snoozed_until: Option<Timestamp>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When something last happened to it.
    pub updated_at: Timestamp,
    /// The last message that is no note.
    pub last_text: String,
    /// Whether staff wrote it.
    pub last_from_staff: bool,
    /// When it was written: how long the client waits for an answer.
    pub last_at: Timestamp,
    /// Whether the one who looks has not read all of the other side.
    pub unread: bool,
}

/// A message of a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// The row; grows with time.
    pub id: i64,
    /// The thread.
    pub thread: ThreadId,
    /// Who wrote it.
    pub person: Option<PersonId>,
    /// Their name.
    pub person_name: String,
    /// Whether they wrote as staff.
    pub from_staff: bool,
    /// Between staff, never sent.
    pub note: bool,
    /// The words.
    pub text: String,
    /// JSON of where the file that came with it is.
    pub attachment: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A new thread.
#[derive(Debug, Clone)]
pub struct NewThread<'a> {
    /// Whose.
    pub organization: Option<OrganizationId>,
    /// Who asks.
    pub author: PersonId,
    /// The order that it is about.
    pub order: Option<OrderId>,
    /// The code of the topic.
    pub topic: &'a str,
    /// The beginning of the question.
    pub subject: &'a str,
}

/// A new message.
#[derive(Debug, Clone)]
pub struct NewMessage<'a> {
    /// The thread.
    pub thread: ThreadId,
    /// Who writes.
    pub person: PersonId,
    /// Whether they write as staff.
    pub from_staff: bool,
    /// Between staff, never sent.
    pub note: bool,
    /// The words.
    pub text: &'a str,
    /// JSON of where the file that came with it is.
    pub attachment: Option<&'a str>,
    /// The event that brought it: a repeat adds nothing.
    pub event_key: Option<&'a str>,
}

/// Which threads a list shows. All that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThreadFilter {
    /// Settled ones, or those that are not.
    pub open: Option<bool>,
    /// The client waits for an answer.
    pub unanswered: bool,
    /// Not read by the one who looks.
    pub unread: bool,
    /// Put off, or not put off.
    pub snoozed: Option<bool>,
    /// The manager in charge.
    pub manager: Option<PersonId>,
    /// Whose.
    pub organization: Option<OrganizationId>,
    /// The code of the topic.
    pub topic: Option<String>,
    /// Words of the subject, of an organization or of a message.
    pub words: Option<String>,
    /// Only threads that this person may see as a client: of their organizations and their own.
    pub seen_by_client: Option<PersonId>,
}

/// Whether the one who looks has not read all of the other side; `?1` is whether they are staff.
const UNREAD: &str = "
    exists (select 1 from thread_messages u
        where u.thread_id = t.id and u.note = 0 and u.from_staff <> ?1
            and u.id > coalesce((select d.message_id from thread_reads d
                where d.thread_id = t.id and d.person_id = ?2), 0))";

/// The last message that is no note.
const LAST: &str = "
    left join thread_messages l on l.id = (select max(x.id) from thread_messages x
        where x.thread_id = t.id and x.note = 0)";

const SELECT: &str = "
    select t.id, t.organization_id, coalesce(o.name, '') as organization_name, t.author_id,
        coalesce(a.name, '') as author_name, t.order_id, r.number as order_number, t.topic,
        t.subject, t.state = 'open' as open, t.manager_id, m.name as manager_name,
        t.snoozed_until_ms, t.created_at_ms, t.updated_at_ms, coalesce(l.text, '') as last_text,
        coalesce(l.from_staff, 0) as last_from_staff, coalesce(l.at_ms, t.created_at_ms) as last_at";

const FROM: &str = "
    from threads t
    left join organizations o on o.id = t.organization_id
    left join persons a on a.id = t.author_id
    left join persons m on m.id = t.manager_id
    left join orders r on r.id = t.order_id";

impl ThreadRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            organization: row.get("organization_id")?,
            organization_name: row.get("organization_name")?,
            author: row.get("author_id")?,
            author_name: row.get("author_name")?,
            order: row.get("order_id")?,
            order_number: row.get("order_number")?,
            topic: row.get("topic")?,
            subject: row.get("subject")?,
            open: row.get("open")?,
            manager: row.get("manager_id")?,
            manager_name: row.get("manager_name")?,
            snoozed_until: row.get("snoozed_until_ms")?,
            created_at: row.get("created_at_ms")?,
            updated_at: row.get("updated_at_ms")?,
            last_text: row.get("last_text")?,
            last_from_staff: row.get("last_from_staff")?,
            last_at: row.get("last_at")?,
            unread: row.get("unread")?,
        })
    }
}

/// Who looks: it decides what is unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// Who.
    pub person: PersonId,
    /// Whether they look as staff.
    pub staff: bool,
}

/// The thread with this number.
pub fn find(
    conn: &Connection,
    reader: Reader,
    id: ThreadId,
) -> Result<Option<ThreadRow>, StorageError> {
    let sql = format!("{SELECT}, {UNREAD} as unread {FROM} {LAST} where t.id = ?3");
    let mut stmt = conn.prepare_cached(&sql)?;
    let params = (reader.staff, reader.person, id);
    Ok(stmt.query_row(params, ThreadRow::from_row).optional()?)
}

/// The thread, where this person may see it as a client: it is their own, or of an organization
/// that they are active in. Absent and foreign answer alike.
pub fn find_for_client(
    conn: &Connection,
    person: PersonId,
    id: ThreadId,
) -> Result<Option<ThreadRow>, StorageError> {
    let sql = format!(
        "{SELECT}, {UNREAD} as unread {FROM} {LAST} where t.id = ?3 and {}",
        client_sees("?2")
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    Ok(stmt.query_row((false, person, id), ThreadRow::from_row).optional()?)
}

/// The condition under which a person sees a thread as a client.
fn client_sees(person: &str) -> String {
    format!(
        "((t.organization_id is null and t.author_id = {person}) or exists (
            select 1 from members e where e.organization_id = t.organization_id
                and e.person_id = {person} and e.state = '{}'))",
        MemberState::Active.as_str()
    )
}

/// How a list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadOrder {
    /// Open ones first, then the last changed.
    LastFirst,
    /// The longest waiting first.
    WaitingFirst,
}

/// A page of threads, and how many there are in all.
pub fn list(
    conn: &Connection,
    reader: Reader,
    filter: &ThreadFilter,
    order: ThreadOrder,
    now: Timestamp,
    (offset, limit): (u32, u32),
) -> Result<(Vec<ThreadRow>, u32), StorageError> {
    let (condition, params) = conditions(reader, filter, now);
    let by = match order {
        // Where all are open or all are settled there is nothing to part.
        ThreadOrder::LastFirst if filter.open.is_some() => "t.updated_at_ms desc, t.id desc",
        ThreadOrder::LastFirst => "t.state = 'open' desc, t.updated_at_ms desc, t.id desc",
        ThreadOrder::WaitingFirst => "coalesce(l.at_ms, t.created_at_ms), t.id",
    };
    // Which threads they are first, what is told of them for these alone.
    let sql = format!(
        "{SELECT}, {UNREAD} as unread from (select t.id as at {} where {condition}
            order by {by} limit {limit} offset {offset}) page
        cross join {} {LAST} order by {by}",
        looked_at(filter, order),
        FROM.trim_start().replacen("from threads t", "threads t on t.id = page.at", 1)
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map(params_from_iter(&params), ThreadRow::from_row)?;
    let rows = rows.collect::<Result<_, _>>()?;
    Ok((rows, count(conn, reader, filter, now)?))
}

/// The tables that a condition and an order speak of.
fn looked_at(filter: &ThreadFilter, order: ThreadOrder) -> String {
    let mut from = "from threads t".to_owned();
    if filter.words.is_some() {
        from.push_str(" left join organizations o on o.id = t.organization_id");
    }
    if filter.unanswered || order == ThreadOrder::WaitingFirst {
        from.push_str(LAST);
    }
    from
}

/// How many threads there are.
pub fn count(
    conn: &Connection,
    reader: Reader,
    filter: &ThreadFilter,
    now: Timestamp,
) -> Result<u32, StorageError> {
    let (condition, params) = conditions(reader, filter, now);
    let from = looked_at(filter, ThreadOrder::LastFirst);
    let mut stmt = conn.prepare_cached(&format!("select count(*) {from} where {condition}"))?;
    Ok(stmt.query_row(params_from_iter(&params), |row| row.get(0))?)
}

/// The words of a condition, and its parameters; the first two are the reader's.
fn conditions(reader: Reader, filter: &ThreadFilter, now: Timestamp) -> (String, Vec<Value>) {
    let mut params = vec![Value::from(i64::from(reader.staff)), Value::from(reader.person.0)];
    // Both are named whatever else is asked: a statement must have all that is bound.
    let mut all = vec!["?1 is not null and ?2 is not null".to_owned()];
    let mut bind = |value: Value| {
        params.push(value);
        format!("?{}", params.len())
    };
    if let Some(open) = filter.open {
        all.push(format!("t.state = '{}'", if open { "open" } else { "resolved" }));
    }
    if filter.unanswered {
        all.push("t.state = 'open' and coalesce(l.from_staff, 0) = 0".to_owned());
    }
    if filter.unread {
        all.push(UNREAD.to_owned());
    }
    if let Some(snoozed) = filter.snoozed {
        let now = bind(Value::from(now.millis()));
        let condition = format!("coalesce(t.snoozed_until_ms, 0) > {now}");
        all.push(if snoozed { condition } else { format!("not {condition}") });
    }
    if let Some(manager) = filter.manager {
        all.push(format!("t.manager_id = {}", bind(Value::from(manager.0))));
    }
    if let Some(organization) = filter.organization {
        all.push(format!("t.organization_id = {}", bind(Value::from(organization.0))));
    }
    if let Some(topic) = &filter.topic {
        all.push(format!("t.topic = {}", bind(Value::from(topic.clone()))));
    }
    if let Some(words) = &filter.words {
        let escaped = words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let words = bind(Value::from(format!("%{escaped}%")));
        all.push(format!(
            "(t.subject like {words} escape '\\' or o.name like {words} escape '\\'
                or exists (select 1 from thread_messages w
                    where w.thread_id = t.id and w.text like {words} escape '\\'))"
        ));
    }
    if let Some(person) = filter.seen_by_client {
        let person = bind(Value::from(person.0));
        all.push(client_sees(&person));
    }
    (all.join(" and "), params)
}

const MESSAGE: &str = "
    select m.id, m.thread_id, m.person_id, coalesce(p.name, '') as person_name, m.from_staff,
        m.note, m.text, m.attachment, m.at_ms
    from thread_messages m left join persons p on p.id = m.person_id";

/// The last `limit` messages of a thread, oldest first; notes only for staff.
pub fn messages(
    conn: &Connection,
    thread: ThreadId,
    notes: bool,
    limit: u32,
) -> Result<Vec<MessageRow>, StorageError> {
    let sql = format!(
        "{MESSAGE} where m.thread_id = :thread and (m.note = 0 or :notes)
        order by m.id desc limit :limit"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let params = named_params! { ":thread": thread, ":notes": notes, ":limit": limit };
    let rows = stmt.query_map(params, message_from_row)?;
    let mut rows: Vec<MessageRow> = rows.collect::<Result<_, _>>()?;
    rows.reverse();
    Ok(rows)
}

/// One message.
pub fn find_message(conn: &Connection, id: i64) -> Result<Option<MessageRow>, StorageError> {
    let mut stmt = conn.prepare_cached(&format!("{MESSAGE} where m.id = :id"))?;
    Ok(stmt.query_row(named_params! { ":id": id }, message_from_row).optional()?)
}

/// What staff first wrote after a message; notes do not count.
pub fn answer_after(
    conn: &Connection,
    thread: ThreadId,
    message: i64,
) -> Result<Option<MessageRow>, StorageError> {
    let sql = format!(
        "{MESSAGE}
        where m.thread_id = :thread and m.id > :message and m.from_staff and not m.note
        order by m.id limit 1"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let params = named_params! { ":thread": thread, ":message": message };
    Ok(stmt.query_row(params, message_from_row).optional()?)
}

/// The chats that hold a card of one of the thread's last messages of clients, sent since a moment,
/// with the message.
pub fn cards(
    conn: &Connection,
    thread: ThreadId,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<(ChatKey, i64)>, StorageError> {
    const SQL: &str = "
        select s.chat_key, m.id
        from thread_messages m
        join chat_slots s on s.slot = 'thread:' || m.thread_id || ':' || m.id
        where m.thread_id = :thread and not m.from_staff and not m.note and s.sent_at_ms >= :since
        order by m.id desc, s.chat_key limit :limit";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":thread": thread, ":since": since, ":limit": limit };
    let rows = stmt.query_map(params, |row| Ok((row.get("chat_key")?, row.get("id")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn message_from_row(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    Ok(MessageRow {
        id: row.get("id")?,
        thread: row.get("thread_id")?,
        person: row.get("person_id")?,
        person_name: row.get("person_name")?,
        from_staff: row.get("from_staff")?,
        note: row.get("note")?,
        text: row.get("text")?,
        attachment: row.get("attachment")?,
        at: row.get("at_ms")?,
    })
}

/// The message that an event brought.
pub fn find_by_event(
    conn: &Connection,
    event_key: &str,
) -> Result<Option<(ThreadId, i64)>, StorageError> {
    const SQL: &str = "select thread_id, id from thread_messages where event_key = :key";
    let mut stmt = conn.prepare_cached(SQL)?;
    let found = stmt.query_row(named_params! { ":key": event_key }, |row| {
        Ok((row.get("thread_id")?, row.get("id")?))
    });
    Ok(found.optional()?)
}

/// Who has written in the thread as a client, and its author.
pub fn participants(conn: &Connection, thread: ThreadId) -> Result<Vec<PersonId>, StorageError> {
    const SQL: &str = "
        select author_id as person from threads where id = :thread and author_id is not null
        union
        select person_id from thread_messages
        where thread_id = :thread and from_staff = 0 and person_id is not null";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":thread": thread }, |row| row.get("person"))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Begins a thread.
pub fn insert(
    tx: &Transaction<'_>,
    new: &NewThread<'_>,
    now: Timestamp,
) -> Result<ThreadId, StorageError> {
    const SQL: &str = "
        insert into threads (organization_id, author_id, order_id, topic, subject, created_at_ms,
            updated_at_ms)
        values (:organization, :author, :order, :topic, :subject, :now, :now)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":organization": new.organization, ":author": new.author, ":order": new.order,
        ":topic": new.topic, ":subject": new.subject, ":now": now,
    })?;
    Ok(ThreadId(tx.last_insert_rowid()))
}

/// Adds a message; its id. The thread counts as changed, unless the message is a note.
pub fn insert_message(
    tx: &Transaction<'_>,
    new: &NewMessage<'_>,
    now: Timestamp,
) -> Result<i64, StorageError> {
    const SQL: &str = "
        insert into thread_messages (thread_id, person_id, from_staff, note, text, attachment,
            event_key, at_ms)
        values (:thread, :person, :staff, :note, :text, :attachment, :key, :now)";
    const TOUCH: &str = "update threads set updated_at_ms = :now where id = :thread";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":thread": new.thread, ":person": new.person, ":staff": new.from_staff,
        ":note": new.note, ":text": new.text,
        ":attachment": new.attachment, ":key": new.event_key, ":now": now,
    })?;
    let id = tx.last_insert_rowid();
    if !new.note {
        tx.prepare_cached(TOUCH)?.execute(named_params! { ":now": now, ":thread": new.thread })?;
    }
    Ok(id)
}

/// Settles the thread or opens it again; whether that changed it.
pub fn set_open(
    tx: &Transaction<'_>,
    thread: ThreadId,
    open: bool,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        update threads set state = :state, updated_at_ms = :now
        where id = :thread and state <> :state";
    let state = if open { "open" } else { "resolved" };
    let found = tx
        .prepare_cached(SQL)?
        .execute(named_params! { ":state": state, ":now": now, ":thread": thread })?;
    Ok(found == 1)
}

/// Puts a manager in charge.
pub fn set_manager(
    tx: &Transaction<'_>,
    thread: ThreadId,
    manager: Option<PersonId>,
) -> Result<(), StorageError> {
    const SQL: &str = "update threads set manager_id = :manager where id = :thread";
    tx.prepare_cached(SQL)?.execute(named_params! { ":manager": manager, ":thread": thread })?;
    Ok(())
}

/// Puts the thread off until a moment, or no longer.
pub fn set_snoozed(
    tx: &Transaction<'_>,
    thread: ThreadId,
    until: Option<Timestamp>,
) -> Result<(), StorageError> {
    const SQL: &str = "update threads set snoozed_until_ms = :until where id = :thread";
    tx.prepare_cached(SQL)?.execute(named_params! { ":until": until, ":thread": thread })?;
    Ok(())
}

/// Notes that a person has read the thread up to its last message.
pub fn mark_read(
    tx: &Transaction<'_>,
    thread: ThreadId,
    person: PersonId,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into thread_reads (thread_id, person_id, message_id)
        select :thread, :person, max(id) from thread_messages where thread_id = :thread
        having max(id) is not null
        on conflict (thread_id, person_id) do update set message_id = excluded.message_id";
    tx.prepare_cached(SQL)?.execute(named_params! { ":thread": thread, ":person": person })?;
    Ok(())
}

/// Open questions, not put off, where a client has waited for an answer since some moment after
/// `since`: the longest waiting first. The moment is that of the first message not answered.
pub fn list_waiting(
    conn: &Connection,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<(ThreadId, Timestamp)>, StorageError> {
    const SQL: &str = "
        select t.id, min(m.at_ms) as waits_since_ms
        from threads t join thread_messages m on m.thread_id = t.id
        where t.state = 'open' and coalesce(t.snoozed_until_ms, 0) <= :now
            and m.note = 0 and m.from_staff = 0
            and m.id > coalesce((select max(a.id) from thread_messages a
                where a.thread_id = t.id and a.note = 0 and a.from_staff = 1), 0)
        group by t.id having waits_since_ms >= :since order by waits_since_ms";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":since": since, ":now": now }, |row| {
        Ok((row.get("id")?, row.get("waits_since_ms")?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How a message of staff fares on its way to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It waits to be sent.
    Waiting,
    /// It was sent then.
    Sent(Timestamp),
    /// Nobody could be reached.
    Failed,
}

/// How the messages of a thread fare, by message; of several chats the best.
pub fn fates(conn: &Connection, thread: ThreadId) -> Result<Vec<(i64, Fate)>, StorageError> {
    const SQL: &str = "
        select json_extract(payload, '$.message') as message, max(state = 'queued') as waiting, max(closed_at_ms) filter (where state = 'sent') as at_ms
        from outbox
        where json_extract(payload, '$.notice') = 'thread_message'
            and json_extract(payload, '$.thread') = :thread
        group by message";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":thread": thread }, |row| {
        let at: Option<Timestamp> = row.get("at_ms")?;
        let fate = match (at, row.get("waiting")?) {
            (Some(at), _) => Fate::Sent(at),
            (None, true) => Fate::Waiting,
            (None, false) => Fate::Failed,
        };
        Ok((row.get("message")?, fate))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
