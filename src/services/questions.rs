//! Questions: an organization asks by topic, staff answer, both sides are told.
//!
//! A thread belongs to the organization: all its members see it. A message after «Решено» opens it
//! again.

mod replies;

use std::str::FromStr;

use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};

use super::Base;
use super::accounts::Who;
use super::live::Change;
use super::notifications::{self, Notice, Outgoing};
use crate::config::Config;
use crate::domain::{ChatKey, OrderId, PersonId, ThreadId, Timestamp, ru};
use crate::storage::threads::{self, Fate, NewMessage, NewThread, Reader};
use crate::storage::{StorageError, orders, persons};

pub use crate::storage::replies::ReplyRow;
pub use crate::storage::threads::{MessageRow, ThreadFilter, ThreadOrder, ThreadRow};
pub use replies::fill;

/// The longest message, in characters: what Telegram takes.
const LONGEST: usize = 4_000;
/// The longest subject, in characters.
const SUBJECT: usize = 60;
/// Messages that a page or a card asks for at most.
const MESSAGES: u32 = 500;
/// Cards of a thread's last messages that follow what becomes of it.
const CARDS: u32 = 10;
/// Messages older than this are left as they are: a wire that edits them no more would send them
/// anew.
const EDITABLE: std::time::Duration = std::time::Duration::from_hours(47);

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// «Заказ»
    Order,
    /// «Наличие и сроки»
    Stock,
    /// «Цена»
    Price,
    /// «Документы и оплата»
    Documents,
    /// «Доставка»
    Delivery,
    /// «Другое»
    Other,
    /// «Заявка файлом»: a file that a manager is to read.
    File,
}

impl Topic {
    /// Every topic; a person chooses from all but the last.
    pub const ALL: [Self; 7] = [
        Self::Order,
        Self::Stock,
        Self::Price,
        Self::Documents,
        Self::Delivery,
        Self::Other,
        Self::File,
    ];

    /// The code, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Stock => "stock",
            Self::Price => "price",
            Self::Documents => "documents",
            Self::Delivery => "delivery",
            Self::Other => "other",
            Self::File => "file",
        }
    }

    /// As people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Order => "Заказ",
            Self::Stock => "Наличие и сроки",
            Self::Price => "Цена",
            Self::Documents => "Документы и оплата",
            Self::Delivery => "Доставка",
            Self::Other => "Другое",
            Self::File => "Заявка файлом",
        }
    }
}

impl FromStr for Topic {
    type Err = crate::domain::UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|topic| topic.as_str() == text);
        found.ok_or_else(|| crate::domain::UnknownCode { kind: "Topic", code: text.to_owned() })
    }
}

/// The topic of a thread as people read it; of one moved in, its own words.
pub fn topic_label(code: &str) -> &str {
    code.parse::<Topic>().map_or(code, |topic| topic.label())
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// There is no such thread, or it is not theirs to see.
    #[error("нет такого вопроса")]
    NotFound,
    /// Only those who have an account may ask.
    #[error("сначала нужно войти")]
    Guest,
    /// There are no words.
    #[error("сообщение пустое")]
    Empty,
    /// Only staff may do this.
    #[error("недостаточно прав")]
    NotAllowed,
    /// The database refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Who writes or decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writer {
    /// Who.
    pub person: PersonId,
    /// Whether they do so as staff: the caller has checked the role.
    pub staff: bool,
}

impl Writer {
    /// The person of a chat, as staff when they are.
    pub fn of(who: &Who) -> Result<Self, QuestionError> {
        let person = who.person_id().ok_or(QuestionError::Guest)?;
        Ok(Self { person, staff: who.is_staff() })
    }

    /// Someone of the company, in the panel.
    pub fn staff(person: PersonId) -> Self {
        Self { person, staff: true }
    }

    fn reader(self) -> Reader {
        Reader { person: self.person, staff: self.staff }
    }
}

/// A file that came with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The chat where it was sent.
    pub chat: ChatKey,
    /// The wire's id of the message that holds it.
    pub message_id: i64,
    /// The kept file, where the wire has no copy of its own.
    pub file: Option<i64>,
}

impl Attachment {
    /// As it is kept beside a message.
    pub(super) fn write(&self) -> Result<String, StorageError> {
        serde_json::to_string(self).map_err(|error| StorageError::Corrupt(error.to_string()))
    }

    /// As it was kept; what cannot be read any more is none.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// What is written: words, perhaps with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The words.
    pub text: String,
    /// The file.
    pub attachment: Option<Attachment>,
}

impl From<&str> for Said {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), attachment: None }
    }
}

impl From<&String> for Said {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl Said {
    fn checked(self) -> Result<Self, QuestionError> {
        Ok(Self { text: words(&self.text)?, ..self })
    }
}

/// The file that came with a message.
pub fn attachment(message: &MessageRow) -> Option<Attachment> {
    Attachment::read(message.attachment.as_deref()?)
}

/// A thread with its messages, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadView {
    /// The thread.
    pub thread: ThreadRow,
    /// The messages; notes only for staff.
    pub messages: Vec<MessageRow>,
}

/// A page of threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadPage {
    /// The rows.
    pub rows: Vec<ThreadRow>,
    /// How many there are in all.
    pub total: u32,
}

/// What stands beside the names of the panel's views.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ThreadCounts {
    /// Open ones that the person is in charge of.
    pub mine: u32,
    /// Those where a client waits for an answer, but for those put off.
    pub unanswered: u32,
    /// Those that the person has not read.
    pub unread: u32,
    /// Those put off.
    pub snoozed: u32,
    /// All open ones.
    pub open: u32,
    /// Settled ones.
    pub closed: u32,
}

/// Questions and answers. Clones share the base.
#[derive(Clone)]
pub struct Questions {
    base: Base,
}

impl Questions {
    /// Over this base.
    pub fn new(base: Base) -> Self {
        Self { base }
    }

    /// A client asks: a new thread of the organization they act for. The same event asks once.
    ///
    /// # Errors
    ///
    /// [`QuestionError::Guest`], [`QuestionError::Empty`]; [`QuestionError::NotFound`] for an
    /// order of somebody else.
    pub async fn ask(
        &self,
        who: &Who,
        topic: Topic,
        order: Option<OrderId>,
        said: impl Into<Said>,
        event_key: Option<&str>,
    ) -> Result<ThreadId, QuestionError> {
        let author = who.person_id().filter(|_| !who.is_blocked()).ok_or(QuestionError::Guest)?;
        let organization = who.acting_for().map(|membership| membership.organization);
        let said = said.into().checked()?;
        let key = event_key.map(str::to_owned);
        let (now, config) = (self.base.clock.now(), self.base.config.clone());
        let thread = self
            .base
            .db
            .write(move |tx| {
                if let Some((thread, _)) = known(tx, key.as_deref())? {
                    return Ok(thread);
                }
                if let Some(order) = order {
                    let row = orders::find(tx, order)?.ok_or(QuestionError::NotFound)?;
                    if Some(row.organization) != organization {
                        return Err(QuestionError::NotFound);
                    }
                }
                let first = said.text.lines().next().unwrap_or_default();
                let new = NewThread {
                    organization,
                    author,
                    order,
                    topic: topic.as_str(),
                    subject: &ru::ellipsis(first, SUBJECT),
                };
                let thread = threads::insert(tx, &new, now)?;
                let writer = Writer { person: author, staff: false };
                write(tx, &config, writer, thread, &said, key.as_deref(), now)?;
                Ok::<_, QuestionError>(thread)
            })
            .await?;
        self.tell(thread);
        Ok(thread)
    }

    /// Writes into a thread; a settled one is open again. The other side is told: the author and
    /// those who wrote, or the manager in charge, else staff on shift. The same event writes once.
    ///
    /// # Errors
    ///
    /// [`QuestionError::NotFound`] when the thread is absent or not theirs;
    /// [`QuestionError::Empty`].
    pub async fn reply(
        &self,
        by: Writer,
        thread: ThreadId,
        said: impl Into<Said>,
        event_key: Option<&str>,
    ) -> Result<i64, QuestionError> {
        let (said, key) = (said.into().checked()?, event_key.map(str::to_owned));
        let (now, config) = (self.base.clock.now(), self.base.config.clone());
        let message = self
            .base
            .db
            .write(move |tx| {
                if let Some((_, message)) = known(tx, key.as_deref())? {
                    return Ok(message);
                }
                let row = find(tx, by, thread)?;
                let reopened = threads::set_open(tx, thread, true, now)?;
                if by.staff && row.manager.is_none() {
                    threads::set_manager(tx, thread, Some(by.person))?;
                }
                threads::set_snoozed(tx, thread, None)?;
                let message = write(tx, &config, by, thread, &said, key.as_deref(), now)?;
                if reopened || by.staff {
                    refresh_cards(tx, thread, now)?;
                }
                Ok::<_, QuestionError>(message)
            })
            .await?;
        self.tell(thread);
        Ok(message)
    }

    /// A note between staff: nobody is told.
    ///
    /// # Errors
    ///
    /// As for [`Questions::reply`]; [`QuestionError::NotAllowed`] for clients.
    pub async fn note(
        &self,
        by: Writer,
        thread: ThreadId,
        text: &str,
    ) -> Result<i64, QuestionError> {
        let text = words(text)?;
        let id = self
            .change(by, thread, move |tx, _, now| {
                let new = NewMessage {
                    thread,
                    person: by.person,
                    from_staff: true,
                    note: true,
                    text: &text,
                    attachment: None,
                    event_key: None,
                };
                Ok(threads::insert_message(tx, &new, now)?)
            })
            .await?;
        Ok(id)
    }

    /// The question is settled: for its people and for staff.
    ///
    /// # Errors
    ///
    /// [`QuestionError::NotFound`] when the thread is absent or not theirs.
    pub async fn resolve(&self, by: Writer, thread: ThreadId) -> Result<(), QuestionError> {
        let now = self.base.clock.now();
        self.base
            .db
            .write(move |tx| {
                find(tx, by, thread)?;
                if threads::set_open(tx, thread, false, now)? {
                    refresh_cards(tx, thread, now)?;
                }
                threads::mark_read(tx, thread, by.person)?;
                Ok::<_, QuestionError>(())
            })
            .await?;
        self.tell(thread);
        Ok(())
    }

    /// Opens a settled question again, for staff.
    pub async fn reopen(&self, by: Writer, thread: ThreadId) -> Result<(), QuestionError> {
        self.change(by, thread, move |tx, _, now| {
            if threads::set_open(tx, thread, true, now)? {
                refresh_cards(tx, thread, now)?;
            }
            Ok(())
        })
        .await
    }

    /// Puts a manager in charge, or nobody.
    ///
    /// # Errors
    ///
    /// [`QuestionError::NotAllowed`] for clients, and when the manager is none.
    pub async fn assign(
        &self,
        by: Writer,
        thread: ThreadId,
        manager: Option<PersonId>,
    ) -> Result<(), QuestionError> {
        let config = self.base.config.clone();
        self.change(by, thread, move |tx, _, _| {
            if let Some(manager) = manager {
                let row = persons::find(tx, manager)?.ok_or(QuestionError::NotAllowed)?;
                if !persons::role(tx, &config.access, &row)?.is_staff() {
                    return Err(QuestionError::NotAllowed);
                }
            }
            threads::set_manager(tx, thread, manager)?;
            Ok(())
        })
        .await
    }

    /// Puts the thread off until a moment, or no longer. A message of the client brings it back.
    pub async fn snooze(
        &self,
        by: Writer,
        thread: ThreadId,
        until: Option<Timestamp>,
    ) -> Result<(), QuestionError> {
        self.change(by, thread, move |tx, _, _| Ok(threads::set_snoozed(tx, thread, until)?)).await
    }

    async fn change<T: Send + 'static>(
        &self,
        by: Writer,
        thread: ThreadId,
        work: impl FnOnce(&Transaction<'_>, &ThreadRow, Timestamp) -> Result<T, QuestionError>
        + Send
        + 'static,
    ) -> Result<T, QuestionError> {
        if !by.staff {
            return Err(QuestionError::NotAllowed);
        }
        let now = self.base.clock.now();
        let value = self
            .base
            .db
            .write(move |tx| {
                let row = find(tx, by, thread)?;
                work(tx, &row, now)
            })
            .await?;
        self.tell(thread);
        Ok(value)
    }

    /// A thread with its last messages, at most `limit`; nothing counts as read by that.
    ///
    /// # Errors
    ///
    /// [`QuestionError::NotFound`] when the thread is absent or not theirs.
    pub async fn thread(
        &self,
        by: Writer,
        thread: ThreadId,
        limit: u32,
    ) -> Result<ThreadView, QuestionError> {
        self.base
            .db
            .read(move |conn| {
                let row = find(conn, by, thread)?;
                let messages = threads::messages(conn, thread, by.staff, limit.min(MESSAGES))?;
                Ok(ThreadView { thread: row, messages })
            })
            .await
    }

    /// How the messages of a thread fare on their way, for staff.
    pub async fn fates(&self, thread: ThreadId) -> Result<Vec<(i64, Fate)>, QuestionError> {
        Ok(self.base.db.read(move |conn| threads::fates(conn, thread)).await?)
    }

    /// One message, where the reader may see its thread.
    pub async fn message(
        &self,
        thread: ThreadId,
        message: i64,
    ) -> Result<(ThreadRow, MessageRow), QuestionError> {
        self.base
            .db
            .read(move |conn| {
                let row = threads::find_message(conn, message)?
                    .filter(|row| row.thread == thread)
                    .ok_or(QuestionError::NotFound)?;
                let reader = Reader { person: PersonId(0), staff: true };
                let thread = threads::find(conn, reader, thread)?.ok_or(QuestionError::NotFound)?;
                Ok((thread, row))
            })
            .await
    }

    /// What staff first wrote after this message; notes do not count.
    pub async fn answer_to(
        &self,
        message: &MessageRow,
    ) -> Result<Option<MessageRow>, QuestionError> {
        let (thread, id) = (message.thread, message.id);
        let find = move |conn: &Connection| threads::answer_after(conn, thread, id);
        Ok(self.base.db.read(find).await?)
    }

    /// Where the file of a message is.
    ///
    /// # Errors
    ///
    /// [`QuestionError::NotFound`] where the message has none.
    pub async fn file(&self, thread: ThreadId, message: i64) -> Result<Attachment, QuestionError> {
        let (_, row) = self.message(thread, message).await?;
        attachment(&row).ok_or(QuestionError::NotFound)
    }

    /// The thread, while its client waits for an answer.
    pub async fn waiting(&self, thread: ThreadId) -> Result<Option<ThreadRow>, QuestionError> {
        let reader = Reader { person: PersonId(0), staff: true };
        let find = move |conn: &Connection| threads::find(conn, reader, thread);
        let row = self.base.db.read(find).await?;
        Ok(row.filter(|row| row.open && !row.last_from_staff))
    }

    /// Notes that the thread has been read.
    pub async fn mark_read(&self, by: Writer, thread: ThreadId) -> Result<(), QuestionError> {
        self.base
            .db
            .write(move |tx| {
                find(tx, by, thread)?;
                Ok(threads::mark_read(tx, thread, by.person)?)
            })
            .await
    }

    /// A page of threads. A client sees only those of their organizations and their own, whatever
    /// the filter says.
    pub async fn list(
        &self,
        by: Writer,
        filter: ThreadFilter,
        order: ThreadOrder,
        page: (u32, u32),
    ) -> Result<ThreadPage, QuestionError> {
        let (filter, now) = (own_filter(by, filter), self.base.clock.now());
        self.base
            .db
            .read(move |conn| {
                let (rows, total) = threads::list(conn, by.reader(), &filter, order, now, page)?;
                Ok(ThreadPage { rows, total })
            })
            .await
    }

    /// How many threads wait for an answer, but for those put off.
    pub async fn count_unanswered(&self, by: Writer) -> Result<u32, QuestionError> {
        let now = self.base.clock.now();
        let filter = own_filter(
            by,
            ThreadFilter {
                open: Some(true),
                snoozed: Some(false),
                unanswered: true,
                ..ThreadFilter::default()
            },
        );
        let reader = by.reader();
        Ok(self.base.db.read(move |conn| threads::count(conn, reader, &filter, now)).await?)
    }

    /// The counts of the views, as this person sees them.
    pub async fn counts(&self, by: Writer) -> Result<ThreadCounts, QuestionError> {
        let now = self.base.clock.now();
        self.base
            .db
            .read(move |conn| {
                let open = ThreadFilter { open: Some(true), ..ThreadFilter::default() };
                let awake = ThreadFilter { snoozed: Some(false), ..open.clone() };
                let count = |filter: ThreadFilter| {
                    threads::count(conn, by.reader(), &own_filter(by, filter), now)
                };
                Ok(ThreadCounts {
                    mine: count(ThreadFilter { manager: Some(by.person), ..awake.clone() })?,
                    unanswered: count(ThreadFilter { unanswered: true, ..awake.clone() })?,
                    unread: count(ThreadFilter { unread: true, ..awake })?,
                    snoozed: count(ThreadFilter { snoozed: Some(true), ..open.clone() })?,
                    open: count(open)?,
                    closed: count(ThreadFilter { open: Some(false), ..Default::default() })?,
                })
            })
            .await
    }

    fn tell(&self, thread: ThreadId) {
        self.base.live.tell(Change::Thread(thread));
        self.base.live.tell(Change::Outbox);
    }
}

fn own_filter(by: Writer, filter: ThreadFilter) -> ThreadFilter {
    if by.staff {
        return filter;
    }
    ThreadFilter { seen_by_client: Some(by.person), ..filter }
}

/// The thread as the writer may see it.
fn find(conn: &Connection, by: Writer, thread: ThreadId) -> Result<ThreadRow, QuestionError> {
    let found = if by.staff {
        threads::find(conn, by.reader(), thread)?
    } else {
        threads::find_for_client(conn, by.person, thread)?
    };
    found.ok_or(QuestionError::NotFound)
}

fn known(
    conn: &Connection,
    event_key: Option<&str>,
) -> Result<Option<(ThreadId, i64)>, StorageError> {
    event_key.map_or(Ok(None), |key| threads::find_by_event(conn, key))
}

fn words(text: &str) -> Result<String, QuestionError> {
    let text: String = text.trim().chars().take(LONGEST).collect();
    if text.is_empty() { Err(QuestionError::Empty) } else { Ok(text) }
}

/// Redraws the cards that staff have of a client's last messages: each says whether it is answered.
fn refresh_cards(
    tx: &Transaction<'_>,
    thread: ThreadId,
    now: Timestamp,
) -> Result<(), QuestionError> {
    for (chat, message) in threads::cards(tx, thread, now.minus(EDITABLE), CARDS)? {
        let notice = Outgoing::Notice(Notice::ThreadCard { thread, message });
        notifications::enqueue(tx, &chat, &notice, now, None)?;
    }
    Ok(())
}

/// Adds the message and tells the other side.
fn write(
    tx: &Transaction<'_>,
    config: &Config,
    by: Writer,
    thread: ThreadId,
    said: &Said,
    event_key: Option<&str>,
    now: Timestamp,
) -> Result<i64, QuestionError> {
    let attachment = said.attachment.as_ref().map(Attachment::write).transpose()?;
    let new = NewMessage {
        thread,
        person: by.person,
        from_staff: by.staff,
        note: false,
        text: &said.text,
        attachment: attachment.as_deref(),
        event_key,
    };
    let message = threads::insert_message(tx, &new, now)?;
    threads::mark_read(tx, thread, by.person)?;
    let notice = Outgoing::Notice(Notice::ThreadMessage { thread, message });
    if by.staff {
        for person in threads::participants(tx, thread)? {
            if person != by.person {
                notifications::enqueue_to_person(tx, person, &notice, now, None)?;
            }
        }
        return Ok(message);
    }
    let manager = find(tx, Writer::staff(by.person), thread)?.manager;
    let mut told = false;
    if let Some(manager) = manager.map(|id| persons::find(tx, id)).transpose()?.flatten() {
        // Who has left the company reads nothing more.
        if persons::role(tx, &config.access, &manager)?.is_staff() {
            told = notifications::enqueue_to_person(tx, manager.id, &notice, now, None)?;
        }
    }
    if !told {
        notifications::enqueue_to_staff(tx, config, &notice, now, None)?;
    }
    Ok(message)
}
