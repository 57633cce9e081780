//! What a chat must not forget: what came in, where the dialogue stands, what is to be said.
//!
//! Events and states are opaque text here; `chat` knows what they mean.

use std::collections::HashSet;
use std::time::Duration;

use crate::domain::{ChatKey, InboxId, Timestamp};
use crate::storage::inbox::{self, InboxRow};
use crate::storage::{StorageError, chat_slots, dialogues, outbox, persons, recipients};

use super::Base;
use super::live::Change;
use super::notifications::{self, Outgoing};

/// How often an event is tried before it is given up.
pub const ATTEMPTS: u32 = 3;

/// How long handled events are remembered, so that a repeat is known as one. Telegram keeps
/// updates for 24 hours; ids may start anew after a week of silence.
///
/// Source: Bot API, `getUpdates` <https://core.telegram.org/bots/api#getting-updates>.
const INBOX_KEPT: Duration = Duration::from_hours(24 * 30);
const OUTBOX_KEPT: Duration = Duration::from_hours(24 * 14);

/// A person who goes on writing is noted as seen this often.
const LATELY: Duration = Duration::from_mins(1);

/// The inbox and the dialogues. Clones share them.
#[derive(Clone)]
pub struct Conversations {
    base: Base,
}

/// An event to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The wire's id of it, unique for ever.
    pub event_key: String,
    /// Where it happened.
    pub chat: ChatKey,
    /// JSON of the event.
    pub payload: String,
    /// Whether it can be handled; what cannot be read is only kept for people to look at.
    pub readable: bool,
}

/// What came of storing an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Whether it was not known before.
    pub new: bool,
}

/// What came of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// The event stays first in its chat and is tried again.
    Retry,
    /// The event is given up; the chat goes on with the next one.
    Dead,
}

/// A turn that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// With this event; where the dialogue stands.
    Turn(InboxRow, Option<String>),
    /// With none: this event has had its [`ATTEMPTS`], and the last of them never ended. It is to
    /// be given up.
    TooOften(InboxId),
}

impl Conversations {
    /// The conversations kept in the database.
    pub fn new(base: Base) -> Self {
        Self { base }
    }

    /// The card that a message of a chat holds, so that a reply to it is understood.
    pub async fn slot_of(
        &self,
        chat: &ChatKey,
        message_id: i64,
    ) -> Result<Option<String>, StorageError> {
        let chat = chat.clone();
        self.base.db.read(move |conn| chat_slots::find_slot(conn, &chat, message_id)).await
    }

    /// Stores an event under its key; a repeat changes nothing.
    pub async fn accept(
        &self,
        event_key: String,
        chat: ChatKey,
        payload: String,
    ) -> Result<Accepted, StorageError> {
        let incoming = Incoming { event_key, chat, payload, readable: true };
        let new = self.accept_all(vec![incoming]).await?;
        Ok(Accepted { new: new > 0 })
    }

    /// Stores events, all or none; how many of them are new. An event from a chat shows that it
    /// can be reached again, and that its person is there.
    pub async fn accept_all(&self, events: Vec<Incoming>) -> Result<usize, StorageError> {
        let now = self.base.clock.now();
        let new = self.base.db.write(move |tx| {
            let mut new = 0;
            for event in &events {
                let Incoming { event_key, chat, payload, readable } = event;
                let inserted = if *readable {
                    inbox::insert(tx, event_key, chat, payload, now)?
                } else {
                    inbox::insert_dead(tx, event_key, chat, payload, now)?
                };
                if inserted {
                    recipients::set_blocked(tx, chat, None)?;
                    persons::set_seen_in(tx, chat, now, now.minus(LATELY))?;
                    new += 1;
                }
            }
            Ok::<_, StorageError>(new)
        });
        let new = new.await?;
        if new > 0 {
            self.base.live.tell(Change::Inbox);
        }
        Ok(new)
    }

    /// Marks a chat as blocked by its person, or as open again.
    pub async fn set_blocked(&self, chat: ChatKey, blocked: bool) -> Result<(), StorageError> {
        let now = blocked.then(|| self.base.clock.now());
        self.base.db.write(move |tx| recipients::set_blocked(tx, &chat, now)).await
    }

    /// Gives a chat its new address: a group of Telegram that has become a supergroup.
    pub async fn move_chat(&self, from: ChatKey, to: ChatKey) -> Result<(), StorageError> {
        let now = self.base.clock.now();
        self.base.db.write(move |tx| move_chat(tx, &from, &to, now)).await
    }

    /// Where a chat is now.
    pub async fn present_address(&self, chat: ChatKey) -> Result<ChatKey, StorageError> {
        self.base.db.read(move |conn| recipients::present_address(conn, &chat)).await
    }

    /// Chats that have events to handle, the longest waiting first.
    pub async fn pending_chats(&self) -> Result<Vec<ChatKey>, StorageError> {
        self.base.db.read(inbox::list_pending_chats).await
    }

    /// Begins a turn with the chat's oldest event that waits to be handled. That is written down
    /// before anything of the event is looked at: a turn that ends the process counts too.
    ///
    /// `spared` has the events whose last turn ended in trouble with the database: it is theirs
    /// still.
    pub async fn begin(
        &self,
        chat: ChatKey,
        spared: HashSet<InboxId>,
    ) -> Result<Option<Begun>, StorageError> {
        let waiting = chat.clone();
        let waiting = self.base.db.read(move |conn| inbox::find_next(conn, &waiting)).await?;
        if waiting.is_none() {
            return Ok(None);
        }
        let begin = move |tx: &rusqlite::Transaction<'_>| {
            let Some(row) = inbox::find_next(tx, &chat)? else { return Ok(None) };
            if !spared.contains(&row.id) {
                if row.attempts >= ATTEMPTS {
                    return Ok::<_, StorageError>(Some(Begun::TooOften(row.id)));
                }
                inbox::begin(tx, row.id)?;
            }
            let state = dialogues::find(tx, &chat)?;
            Ok(Some(Begun::Turn(row, state)))
        };
        self.base.db.write(begin).await
    }

    /// Where the chat's dialogue stands; `None` when it has not begun.
    pub async fn state(&self, chat: ChatKey) -> Result<Option<String>, StorageError> {
        self.base.db.read(move |conn| dialogues::find(conn, &chat)).await
    }

    /// The event is handled: that, where the dialogue stands now (`None`: nowhere) and what is to
    /// be said become true together. An event that was finished before changes nothing.
    pub async fn finish(
        &self,
        id: InboxId,
        chat: ChatKey,
        state: Option<String>,
        outgoing: Vec<Outgoing>,
    ) -> Result<(), StorageError> {
        let now = self.base.clock.now();
        let queued = self.base.db.write(move |tx| {
            if !inbox::finish(tx, id, now)? {
                return Ok::<_, StorageError>(false);
            }
            // What is taken off the screen at once was a password: it is kept nowhere.
            if outgoing.iter().any(|outgoing| matches!(outgoing, Outgoing::RemoveMessage { .. })) {
                inbox::erase(tx, id)?;
            }
            dialogues::put(tx, &chat, state.as_deref(), now)?;
            for outgoing in &outgoing {
                notifications::enqueue(tx, &chat, outgoing, now, None)?;
            }
            Ok(!outgoing.is_empty())
        });
        if queued.await? {
            self.base.live.tell(Change::Outbox);
        }
        Ok(())
    }

    /// Handling the event failed: it is tried [`ATTEMPTS`] times in all. `apology` is queued once,
    /// however often it fails. So is an event given up that had them before its turn began.
    pub async fn fail(
        &self,
        id: InboxId,
        chat: ChatKey,
        apology: Vec<Outgoing>,
    ) -> Result<Failed, StorageError> {
        self.fail_within(id, chat, apology, ATTEMPTS).await
    }

    /// A given-up event of the chat is handled anew; whether there is one.
    pub async fn retry(&self, id: InboxId, chat: &ChatKey) -> Result<bool, StorageError> {
        let chat = chat.clone();
        let revived = self.base.db.write(move |tx| inbox::revive(tx, id, &chat)).await?;
        if revived {
            self.base.live.tell(Change::Inbox);
        }
        Ok(revived)
    }

    /// What an event of the chat said; `None` where there is no such event or it is forgotten.
    pub async fn payload(
        &self,
        id: InboxId,
        chat: &ChatKey,
    ) -> Result<Option<String>, StorageError> {
        let chat = chat.clone();
        self.base.db.read(move |conn| inbox::payload(conn, id, &chat)).await
    }

    /// The event can never be handled: it is given up at once.
    pub async fn give_up(&self, id: InboxId, chat: ChatKey) -> Result<(), StorageError> {
        self.fail_within(id, chat, Vec::new(), 0).await.map(|_| ())
    }

    async fn fail_within(
        &self,
        id: InboxId,
        chat: ChatKey,
        apology: Vec<Outgoing>,
        limit: u32,
    ) -> Result<Failed, StorageError> {
        let now = self.base.clock.now();
        let failed = self.base.db.write(move |tx| {
            let Some(attempts) = inbox::fail(tx, id, limit, now)? else {
                return Ok::<_, StorageError>(Failed::Dead);
            };
            for (n, outgoing) in apology.iter().enumerate() {
                let key = format!("apology:{id}:{n}");
                notifications::enqueue(tx, &chat, outgoing, now, Some(&key))?;
            }
            Ok(if attempts >= limit { Failed::Dead } else { Failed::Retry })
        });
        let failed = failed.await?;
        self.base.live.tell(Change::Outbox);
        Ok(failed)
    }

    /// Queues something for the chat at once, outside any event.
    pub async fn say(&self, chat: ChatKey, outgoing: Vec<Outgoing>) -> Result<(), StorageError> {
        let now = self.base.clock.now();
        let queued = self.base.db.write(move |tx| {
            outgoing
                .iter()
                .try_for_each(|o| notifications::enqueue(tx, &chat, o, now, None).map(|_| ()))
        });
        queued.await.inspect(|()| self.base.live.tell(Change::Outbox))
    }

    /// How many events wait, and how many were given up.
    pub async fn count(&self) -> Result<(i64, i64), StorageError> {
        self.base.db.read(inbox::count).await
    }

    /// Forgets what has been handled long ago; how many events and sent messages.
    pub async fn sweep(&self) -> Result<(usize, usize), StorageError> {
        let now = self.base.clock.now();
        let sweep = move |tx: &rusqlite::Transaction<'_>| {
            let events = inbox::sweep(tx, now.minus(INBOX_KEPT))?;
            let messages = outbox::sweep(tx, now.minus(OUTBOX_KEPT))?;
            Ok((events, messages))
        };
        self.base.db.write(sweep).await
    }
}

/// Gives a chat its new address everywhere. Its messages have other ids there, so its cards are
/// forgotten.
pub(super) fn move_chat(
    tx: &rusqlite::Transaction<'_>,
    from: &ChatKey,
    to: &ChatKey,
    now: Timestamp,
) -> Result<(), StorageError> {
    chat_slots::remove_all(tx, from)?;
    outbox::move_chat(tx, from, to)?;
    inbox::move_chat(tx, from, to)?;
    dialogues::move_chat(tx, from, to)?;
    recipients::move_chat(tx, from, to, now)
}
