//! The browser chat as a wire: what stands on its screen, kept in the database.

use serde::{Deserialize, Serialize};

use super::Base;
use super::live::Change;
use super::notifications::{ButtonTarget, InlineButton, Message, ReplyKeyboard};
use crate::domain::{ChatKey, Timestamp};
use crate::formats::html::Html;
use crate::storage::{StorageError, files, web_messages};

/// Messages that a page shows at first.
const SHOWN: u32 = 60;

/// Changes that are told at once; who is further behind starts anew.
const TOLD: u32 = 200;

/// The browser chat's messages.
#[derive(Clone)]
pub struct BrowserChat {
    base: Base,
}

/// What stands in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// The person's own words.
    Own {
        /// The words.
        text: String,
    },
    /// What the program shows.
    Shown {
        /// The message.
        message: Message,
    },
    /// The answer to a tap: seen for a moment.
    Toast {
        /// The words.
        text: String,
        /// Whether it is closed by hand.
        alert: bool,
    },
}

/// One thing in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The message's id on this wire.
    pub id: i64,
    /// What stands there; `None`: it was taken off the screen.
    pub content: Option<Content>,
    /// When it was written.
    pub at: Timestamp,
}

/// What is on the screen, or what has changed on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Up to which revision.
    pub revision: i64,
    /// The messages, oldest first.
    pub items: Vec<Item>,
    /// The reply keyboard, where these messages set one; of a whole picture, as it now is.
    pub keyboard: Option<ReplyKeyboard>,
}

impl BrowserChat {
    /// Over this base.
    pub fn new(base: Base) -> Self {
        Self { base }
    }

    /// Adds the person's own words; the message's id. The same event adds one message.
    pub async fn say(
        &self,
        chat: &ChatKey,
        event_key: &str,
        text: String,
    ) -> Result<i64, StorageError> {
        let payload = encode(&Content::Own { text })?;
        let (chat, key) = (chat.clone(), event_key.to_owned());
        self.change(chat, move |tx, chat, now| match web_messages::find_by_event(tx, &key)? {
            Some(id) => Ok(id),
            None => web_messages::insert(tx, chat, Some(&key), &payload, now),
        })
        .await
    }

    /// Adds a message of the program below everything, taking `replaced` off the screen; its id.
    pub async fn show(
        &self,
        chat: &ChatKey,
        message: Message,
        replaced: Option<i64>,
    ) -> Result<i64, StorageError> {
        let payload = encode(&Content::Shown { message })?;
        self.change(chat.clone(), move |tx, chat, now| {
            if let Some(id) = replaced {
                web_messages::delete(tx, chat, id, now)?;
            }
            web_messages::insert(tx, chat, None, &payload, now)
        })
        .await
    }

    /// Keeps a small file for the chat and shows where it is taken; the message's id.
    pub async fn document(
        &self,
        chat: &ChatKey,
        name: &str,
        content: &str,
        caption: &str,
    ) -> Result<i64, StorageError> {
        let (name, content, caption) = (name.to_owned(), content.to_owned(), caption.to_owned());
        let persona = match chat {
            ChatKey::Web(persona) => persona.clone(),
            ChatKey::Telegram(id) => id.to_string(),
        };
        self.change(chat.clone(), move |tx, chat, now| {
            let id = files::insert(tx, chat, None, &name, content.as_bytes(), now)?;
            let link = InlineButton {
                label: format!("Скачать {name}"),
                target: ButtonTarget::Link(format!("/chat/{persona}/files/{id}")),
            };
            let message = Message {
                html: Html::text(caption),
                buttons: vec![vec![link]],
                ..Message::default()
            };
            web_messages::insert(tx, chat, None, &encode(&Content::Shown { message })?, now)
        })
        .await
    }

    /// Changes a message where it stands; whether it is still there.
    pub async fn edit(
        &self,
        chat: &ChatKey,
        id: i64,
        message: Message,
    ) -> Result<bool, StorageError> {
        let payload = encode(&Content::Shown { message })?;
        self.change(chat.clone(), move |tx, chat, now| {
            let present = web_messages::find(tx, chat, id)?;
            match present {
                Some(row) if row.payload == payload => Ok(true),
                _ => web_messages::update(tx, chat, id, &payload, now),
            }
        })
        .await
    }

    /// Takes a message off the screen; whether it was there.
    pub async fn remove(&self, chat: &ChatKey, id: i64) -> Result<bool, StorageError> {
        self.change(chat.clone(), move |tx, chat, now| web_messages::delete(tx, chat, id, now))
            .await
    }

    /// Shows words for a moment.
    pub async fn toast(
        &self,
        chat: &ChatKey,
        text: String,
        alert: bool,
    ) -> Result<(), StorageError> {
        let payload = encode(&Content::Toast { text, alert })?;
        self.change(chat.clone(), move |tx, chat, now| {
            web_messages::insert(tx, chat, None, &payload, now).map(|_| ())
        })
        .await
    }

    /// What is on the screen now.
    pub async fn picture(&self, chat: &ChatKey) -> Result<Picture, StorageError> {
        let chat = chat.clone();
        self.base
            .db
            .read(move |conn| {
                let rows = web_messages::last(conn, &chat, SHOWN)?;
                let mut picture = picture(web_messages::revision(conn, &chat)?, rows)?;
                if picture.keyboard.is_none()
                    && let Some(payload) = web_messages::last_with_keyboard(conn, &chat)?
                    && let Content::Shown { message } = decode(&payload)?
                {
                    picture.keyboard = message.keyboard;
                }
                picture.items.retain(|item| !matches!(item.content, Some(Content::Toast { .. })));
                Ok(picture)
            })
            .await
    }

    /// What has changed since a revision; `None`: so much, or the chat itself began anew, that
    /// only the whole picture helps.
    pub async fn changes(
        &self,
        chat: &ChatKey,
        since: i64,
    ) -> Result<Option<Picture>, StorageError> {
        let chat = chat.clone();
        self.base
            .db
            .read(move |conn| {
                let rows = web_messages::changed_since(conn, &chat, since, TOLD + 1)?;
                let revision = web_messages::revision(conn, &chat)?;
                if revision < since || rows.len() > TOLD as usize {
                    return Ok(None);
                }
                picture(revision, rows).map(Some)
            })
            .await
    }

    async fn change<T: Send + 'static>(
        &self,
        chat: ChatKey,
        work: impl FnOnce(&rusqlite::Transaction<'_>, &ChatKey, Timestamp) -> Result<T, StorageError>
        + Send
        + 'static,
    ) -> Result<T, StorageError> {
        let now = self.base.clock.now();
        let told = chat.clone();
        let value = self.base.db.write(move |tx| work(tx, &chat, now)).await?;
        self.base.live.tell(Change::WebChat(told));
        Ok(value)
    }
}

fn picture(revision: i64, rows: Vec<web_messages::WebMessageRow>) -> Result<Picture, StorageError> {
    let mut items = Vec::with_capacity(rows.len());
    let mut keyboard = None;
    for row in rows {
        let content = if row.deleted { None } else { Some(decode(&row.payload)?) };
        if let Some(Content::Shown { message }) = &content
            && message.keyboard.is_some()
        {
            keyboard.clone_from(&message.keyboard);
        }
        items.push(Item { id: row.id, content, at: row.at });
    }
    Ok(Picture { revision, items, keyboard })
}

fn encode(content: &Content) -> Result<String, StorageError> {
    serde_json::to_string(content).map_err(|error| StorageError::Corrupt(error.to_string()))
}

fn decode(payload: &str) -> Result<Content, StorageError> {
    serde_json::from_str(payload)
        .map_err(|error| StorageError::Corrupt(format!("web_messages.payload: {error}")))
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::config::Config;
    use crate::domain::{Clock, Zone};
    use crate::services::live::Live;
    use crate::storage::{Create, Db};

    fn base() -> (tempfile::TempDir, Base) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let db = Db::open(&dir.path().join("partner-m.db"), Create::Yes).expect("opens");
        let base = Base {
            db,
            clock: Clock::manual(Timestamp::from_millis(1_795_532_400_000)),
            zone: Zone::utc(),
            config: Config::default().into(),
            live: Live::default(),
        };
        (dir, base)
    }

    fn message(text: &str) -> Message {
        Message { html: Html::text(text), ..Message::default() }
    }

    #[tokio::test]
    async fn an_open_page_learns_of_every_change_once() {
        let (_dir, base) = base();
        let chat = BrowserChat::new(base);
        let anna = ChatKey::Web("anna".to_owned());
        let own = chat.say(&anna, "web:1", "хлеб 5".to_owned()).await.expect("said");
        let again = chat.say(&anna, "web:1", "хлеб 5".to_owned()).await.expect("said");
        assert_eq!(own, again, "a form sent twice is one message");
        let card = chat.show(&anna, message("Черновик"), None).await.expect("shown");
        let seen = chat.picture(&anna).await.expect("read");
        assert_eq!(seen.items.iter().map(|i| i.id).collect::<Vec<_>>(), [own, card]);

        assert!(chat.edit(&anna, card, message("Черновик, 1 позиция")).await.expect("edited"));
        chat.toast(&anna, "Готово".to_owned(), false).await.expect("told");
        let changes = chat.changes(&anna, seen.revision).await.expect("read").expect("some");
        assert_eq!(changes.items.len(), 2);
        assert_eq!(changes.items[0].id, card);

        let below = chat.show(&anna, message("Черновик ниже"), Some(card)).await.expect("shown");
        let changes = chat.changes(&anna, changes.revision).await.expect("read").expect("some");
        assert_eq!(changes.items[0].content, None, "the old card is gone");
        assert_eq!(changes.items[1].id, below);
        assert!(!chat.edit(&anna, card, message("x")).await.expect("refused"));

        chat.edit(&anna, below, message("Черновик ниже")).await.expect("edited");
        let unchanged = chat.changes(&anna, changes.revision).await.expect("read").expect("some");
        assert_eq!(unchanged.items, []);
        let maria = ChatKey::Web("maria".to_owned());
        assert_eq!(chat.picture(&maria).await.expect("read").items, []);
    }

    #[tokio::test]
    async fn a_page_that_is_far_behind_begins_anew() {
        let (_dir, base) = base();
        let chat = BrowserChat::new(base);
        let anna = ChatKey::Web("anna".to_owned());
        for n in 0..=TOLD {
            chat.say(&anna, &format!("web:{n}"), "хлеб 5".to_owned()).await.expect("said");
        }
        let told = chat.changes(&anna, 1).await.expect("read").expect("some");
        assert_eq!(told.items.len(), TOLD as usize);
        assert_eq!(chat.changes(&anna, 0).await.expect("read"), None, "more than is told at once");
        let ahead = told.revision + 1;
        assert_eq!(chat.changes(&anna, ahead).await.expect("read"), None, "of another database");
    }
}
