//! What came in from a wire.

use serde::{Deserialize, Serialize};

use crate::domain::{ChatKey, Timestamp};

/// Something that a person did in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The wire's id of it, unique for ever: `tg:812`, `web:{uuid}`. A repeat is a no-op.
    pub key: String,
    /// Where it happened.
    pub chat: ChatKey,
    /// Who did it; the same as `chat` in private.
    pub from: ChatKey,
    /// The wire's name of the person: «Анна Иванова».
    pub from_name: String,
    /// When, by the wire.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// The codes of the buttons under the message that is replied to: they tell what it is of even
    /// when its id is not known, be it not stored yet or that of a copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quoted: Vec<String>,
}

/// What a person did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventKind {
    /// Wrote.
    Text {
        /// The words.
        text: String,
        /// The wire's id of the message.
        message_id: i64,
        /// The message it replies to.
        reply_to: Option<i64>,
    },
    /// Changed what was written.
    Edited {
        /// The new words.
        text: String,
        /// The wire's id of the message.
        message_id: i64,
    },
    /// Pressed a button.
    Pressed {
        /// The button's code, as it came: it may be anything.
        data: String,
        /// The wire's id of the tap, to be answered once.
        callback_id: String,
        /// The message that the button is under.
        message_id: Option<i64>,
    },
    /// Shared a contact.
    Contact {
        /// The number as it came.
        phone: String,
        /// The contact's name.
        name: String,
        /// Whether the wire vouches that it is the sender's own: the ids are equal, it is not
        /// forwarded, the chat is private.
        own: bool,
        /// The wire's id of the message.
        message_id: i64,
    },
    /// Sent a file.
    File {
        /// The file.
        file: FileRef,
        /// The words beside it.
        caption: String,
        /// The wire's id of the message.
        message_id: i64,
        /// The message that it replies to.
        #[serde(default)]
        reply_to: Option<i64>,
    },
    /// Sent what has no text to read.
    Media {
        /// What.
        media: MediaKind,
        /// The words beside it.
        caption: String,
        /// The wire's id of the message.
        message_id: i64,
        /// The message that it replies to.
        #[serde(default)]
        reply_to: Option<i64>,
    },
    /// Blocked the bot, or let it in again.
    Blocked {
        /// Which.
        blocked: bool,
    },
}

/// A file on a wire, to be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRef {
    /// The wire's id of the file.
    pub id: String,
    /// Its name; a label, never a path.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
}

/// What has no text to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A photo.
    Photo,
    /// A voice message or other sound.
    Voice,
    /// A video.
    Video,
    /// A sticker, a poll, a place.
    Other,
}
