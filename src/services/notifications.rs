//! What goes out to people: queued in the caller's transaction, delivered by the courier.
//!
//! A service says *what happened* ([`Notice`]); the chat room says it in words when it is sent
//! ([`Composer`]); a door carries it over its wire ([`Messenger`]).

mod manner;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use rusqlite::Transaction;
use serde::{Deserialize, Serialize};

use crate::config::Config;
pub use manner::{Group, Quiet, Wishes};
pub(super) use manner::{Manner, manner};

use crate::domain::{ChatKey, OrderId, PersonId, ProposalId, Role, ThreadId, Timestamp};
use crate::formats::html::Html;
use crate::storage::{StorageError, outbox, persons, recipients};

/// A boxed future, so that doors can be kept behind `dyn`.
pub type Sending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One thing to do in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Outgoing {
    /// Shows a message.
    Show {
        /// The card it is; `None`: a message that is never touched again.
        slot: Option<String>,
        /// Where a card that is already on the screen goes.
        place: Place,
        /// The message.
        message: Message,
    },
    /// Takes a card off the screen and forgets it.
    Remove {
        /// The card.
        slot: String,
    },
    /// Shows again what a message of another chat holds: a photo, a voice message, a file.
    Copy {
        /// That chat.
        from: ChatKey,
        /// The wire's id of the message.
        message_id: i64,
    },
    /// Sends a file that is kept here.
    File {
        /// The key that it is kept under.
        from: ChatKey,
        /// The file.
        file: i64,
    },
    /// Sends a small file that was made here.
    Document {
        /// Its name.
        name: String,
        /// What is in it.
        content: String,
        /// The words beside it.
        caption: String,
    },
    /// Deletes one message, such as one with a password in it.
    RemoveMessage {
        /// The wire's id of the message.
        message_id: i64,
    },
    /// Answers a tap.
    Answer {
        /// The wire's id of the tap.
        callback_id: String,
        /// A toast of at most 200 characters.
        text: Option<String>,
        /// Whether the toast is to be closed by hand.
        alert: bool,
    },
    /// «печатает…»
    Typing,
    /// Says in words what happened, as it stands when it is sent.
    Notice(Notice),
    /// Sets the chat's list of commands.
    Commands {
        /// Commands without the slash, with what they do.
        commands: Vec<(String, String)>,
    },
}

/// Where a card that is already on the screen goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// It is edited where it stands; sent anew when it cannot be.
    InPlace,
    /// It moves to the bottom: sent anew, then the old one is deleted.
    Below,
}

/// A message as a wire shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Message {
    /// The text.
    pub html: Html,
    /// Rows of inline buttons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Vec<InlineButton>>,
    /// A new reply keyboard; `None`: the present one stays. Never together with buttons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyboard: Option<ReplyKeyboard>,
    /// Without sound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
}

/// A button under a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InlineButton {
    /// What it says.
    pub label: String,
    /// What it does.
    pub target: ButtonTarget,
}

/// What a button under a message does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ButtonTarget {
    /// Sends this back: an action's code, at most 64 bytes of ASCII.
    Press(String),
    /// Opens an address.
    Link(String),
    /// Copies a text.
    Copy(String),
}

/// The keyboard in place of the phone's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReplyKeyboard {
    /// Rows of keys; none: the keyboard goes away.
    pub rows: Vec<Vec<ReplyKey>>,
    /// What the empty input says.
    pub placeholder: String,
}

/// A key that sends its own label, or the person's contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyKey {
    /// What it says and sends.
    pub label: String,
    /// Shares the person's own contact instead.
    #[serde(default)]
    pub contact: bool,
}

/// What happened, to be told when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// An order's status changed: told to its people. Says the status as it is by then.
    OrderStatus {
        /// The order.
        order: OrderId,
        /// The entry of its timeline with what staff changed in it: told in the same message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told: Option<i64>,
    },
    /// The card of an order, for staff: sent, or edited to what it is now.
    StaffOrder {
        /// The order.
        order: OrderId,
    },
    /// The permanent card of an order in its buyer's chat is edited to what it is now.
    BuyerOrder {
        /// The order.
        order: OrderId,
    },
    /// A manager wrote about an order.
    OrderMessage {
        /// The order.
        order: OrderId,
        /// The event of its timeline.
        event: i64,
    },
    /// A viewer asks the owners to send an order.
    ApprovalAsked {
        /// The order.
        order: OrderId,
    },
    /// Someone signed in to the person's account from another chat.
    NewSignIn {
        /// The person.
        person: PersonId,
        /// The new chat.
        chat: ChatKey,
    },
    /// A stranger asks to join an organization: told to its owners or to staff.
    JoinAsked {
        /// Who asks.
        person: PersonId,
        /// Where to.
        organization: crate::domain::OrganizationId,
    },
    /// A person was let into an organization or kept out: told to the person. Says what is so by
    /// then.
    JoinDecided {
        /// Who asked.
        person: PersonId,
        /// Where to.
        organization: crate::domain::OrganizationId,
    },
    /// An organization has a new member: told to its owners.
    MemberJoined {
        /// Who.
        person: PersonId,
        /// Where.
        organization: crate::domain::OrganizationId,
    },
    /// A guest asks for access: told to staff.
    AccessAsked {
        /// The request.
        request: i64,
    },
    /// A guest's request for access was decided: told to the guest.
    AccessDecided {
        /// The request.
        request: i64,
    },
    /// The card of a client's question is edited to what it is now: answered, settled.
    ThreadCard {
        /// The thread.
        thread: crate::domain::ThreadId,
        /// The message that the card shows.
        message: i64,
    },
    /// A message in a thread of questions: told to the other side.
    ThreadMessage {
        /// The thread.
        thread: crate::domain::ThreadId,
        /// The message.
        message: i64,
    },
    /// A manager wrote an order for the client.
    PlacedForClient {
        /// The order.
        order: OrderId,
    },
    /// A manager proposes another product for a line: told to the order's author.
    Proposal {
        /// The proposal.
        proposal: ProposalId,
    },
    /// Nobody has taken an order for long: told to the shift, then to administrators.
    OrderWaits {
        /// The order.
        order: OrderId,
    },
    /// A question is not answered for long: told to the shift, then to administrators.
    ThreadWaits {
        /// The thread.
        thread: ThreadId,
    },
    /// What the day begins with, for staff.
    MorningSummary,
    /// What came in a person's quiet hours.
    Digest {
        /// Whose.
        person: PersonId,
        /// The moment that it was put off to.
        due: Timestamp,
    },
    /// The person's role of staff was given or taken away: the keyboard and the commands change.
    RoleChanged,
    /// A person asks to have their data deleted: told to administrators.
    DeletionAsked {
        /// Who.
        person: PersonId,
    },
    /// A product that the person waits for is in stock again.
    BackInStock {
        /// The product.
        product: crate::domain::ProductId,
    },
    /// A text that is ready, with buttons that need nothing.
    Text(Message),
}

/// Turns what happened into what is shown, with the facts as they are when it is sent.
pub trait Composer: Send + Sync {
    /// What to show in `chat`; empty when there is nothing to tell any more.
    fn compose<'a>(
        &'a self,
        chat: &'a ChatKey,
        notice: &'a Notice,
    ) -> Sending<'a, Result<Vec<Outgoing>, String>>;
}

/// A wire's way out.
pub trait Messenger: Send + Sync {
    /// Does one thing in a chat. `message_id` is the message that holds the card, where there is
    /// one. [`Outgoing::Notice`] never comes here.
    fn deliver<'a>(
        &'a self,
        chat: &'a ChatKey,
        outgoing: &'a Outgoing,
        message_id: Option<i64>,
    ) -> Sending<'a, Result<Delivered, DeliveryError>>;
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// The message that now holds the card, where there is one.
    pub message_id: Option<i64>,
}

/// Why nothing was delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The wire asks to wait.
    #[error("просят подождать {} с", .0.as_secs())]
    Wait(Duration),
    /// The person has blocked the bot or is gone: nothing more is sent there.
    #[error("получатель недоступен: {0}")]
    Unreachable(String),
    /// The group has a new id.
    #[error("чат переехал в {0}")]
    Moved(ChatKey),
    /// The message to edit is gone or too old.
    #[error("сообщения, которое надо изменить, больше нет")]
    MessageGone,
    /// The wire refuses this one for good.
    #[error("отказано: {0}")]
    Refused(String),
    /// Try again later.
    #[error("сейчас не выходит: {0}")]
    Temporary(String),
}

/// Queues one thing to do in a chat once `due` has come; whether it was queued: of several with
/// one `dedup_key` only the first ever is. A tap is answered once whatever the key.
///
/// After the commit the caller tells [`Change::Outbox`](super::live::Change::Outbox).
pub fn enqueue(
    tx: &Transaction<'_>,
    chat: &ChatKey,
    outgoing: &Outgoing,
    due: Timestamp,
    dedup_key: Option<&str>,
) -> Result<bool, StorageError> {
    let payload = serde_json::to_string(outgoing)
        .map_err(|error| StorageError::Corrupt(format!("outbox.payload: {error}")))?;
    let answer = match outgoing {
        Outgoing::Answer { callback_id, .. } => Some(format!("answer:{chat}:{callback_id}")),
        _ => None,
    };
    outbox::insert(tx, chat, &payload, due, answer.as_deref().or(dedup_key))
}

/// Queues one thing for a person, in every linked chat that can be reached; whether anything was
/// queued. Each chat has the `dedup_key` for itself.
pub fn enqueue_to_person(
    tx: &Transaction<'_>,
    person: PersonId,
    outgoing: &Outgoing,
    due: Timestamp,
    dedup_key: Option<&str>,
) -> Result<bool, StorageError> {
    let chats = recipients::list_chats(tx, person)?;
    enqueue_to_all(tx, &chats, outgoing, due, dedup_key)
}

/// Queues one thing for staff: in the managers' chat, and for everyone on shift, or for all
/// managers and administrators when nobody is. Whether anything was queued.
pub fn enqueue_to_staff(
    tx: &Transaction<'_>,
    config: &Config,
    outgoing: &Outgoing,
    due: Timestamp,
    dedup_key: Option<&str>,
) -> Result<bool, StorageError> {
    let staff = persons::list_staff(tx, &config.access)?;
    let staff = staff.into_iter().filter(|(_, role)| role.is_staff());
    let mut staff: Vec<_> = staff.map(|(person, _)| (person.id, person.on_shift)).collect();
    staff.sort_unstable();
    let nobody_on_shift = !staff.iter().any(|(_, on_shift)| *on_shift);

    let mut chats = Vec::new();
    if let Some(id) = config.telegram.managers_chat {
        chats.push(recipients::present_address(tx, &ChatKey::Telegram(id))?);
    }
    for (person, on_shift) in staff {
        if on_shift || nobody_on_shift {
            chats.extend(recipients::list_chats(tx, person)?);
        }
    }
    enqueue_to_all(tx, &chats, outgoing, due, dedup_key)
}

/// Queues one thing for every administrator, on shift or not. Whether anything was queued.
pub fn enqueue_to_admins(
    tx: &Transaction<'_>,
    config: &Config,
    outgoing: &Outgoing,
    due: Timestamp,
    dedup_key: Option<&str>,
) -> Result<bool, StorageError> {
    let mut chats = Vec::new();
    for (person, role) in persons::list_staff(tx, &config.access)? {
        if role == Role::Admin {
            chats.extend(recipients::list_chats(tx, person.id)?);
        }
    }
    enqueue_to_all(tx, &chats, outgoing, due, dedup_key)
}

fn enqueue_to_all(
    tx: &Transaction<'_>,
    chats: &[ChatKey],
    outgoing: &Outgoing,
    due: Timestamp,
    dedup_key: Option<&str>,
) -> Result<bool, StorageError> {
    let mut any = false;
    for chat in chats {
        let key = dedup_key.map(|key| format!("{key}@{chat}"));
        any |= enqueue(tx, chat, outgoing, due, key.as_deref())?;
    }
    Ok(any)
}
