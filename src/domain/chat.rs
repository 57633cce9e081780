//! The address of a chat on some wire.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownCode;

/// A chat: `tg:{chat_id}` in Telegram, `web:{persona}` in the browser.
///
/// Telegram's ids are 64-bit and negative for groups.
/// Source: Bot API, `Chat.id` <https://core.telegram.org/bots/api#chat>.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ChatKey {
    /// A chat in Telegram.
    Telegram(i64),
    /// A chat in the browser, by the persona's name: `guest`, `anna`.
    Web(String),
}

impl fmt::Display for ChatKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Telegram(id) => write!(f, "tg:{id}"),
            Self::Web(persona) => write!(f, "web:{persona}"),
        }
    }
}

impl FromStr for ChatKey {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownCode { kind: "ChatKey", code: text.to_owned() };
        match text.split_once(':') {
            Some(("tg", id)) => id.parse().map(Self::Telegram).map_err(|_| unknown()),
            Some(("web", persona)) if !persona.is_empty() => Ok(Self::Web(persona.to_owned())),
            _ => Err(unknown()),
        }
    }
}

impl TryFrom<String> for ChatKey {
    type Error = UnknownCode;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ChatKey> for String {
    fn from(key: ChatKey) -> Self {
        key.to_string()
    }
}
