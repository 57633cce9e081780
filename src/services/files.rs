//! Files that people send: fetched from their wire, kept while they may be asked for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Base;
use super::live::Change;
use super::notifications::{self, Outgoing, Sending};
use super::questions::Attachment;
use crate::domain::{ChatKey, OrganizationId, PersonId, ru};
use crate::formats::order_table::Layout;
use crate::storage::files::{self, FileRow};
use crate::storage::{StorageError, organizations, recipients};

/// The largest file that is fetched, in bytes.
/// Source: Bot API, `getFile` <https://core.telegram.org/bots/api#getfile>.
pub const MAX_BYTES: u64 = 20 * 1024 * 1024;
/// How long files are kept; those of an order stay with it.
const KEPT: Duration = Duration::from_hours(24 * 30);

/// The key of files that staff send from the panel: no person's chat has it.
pub fn panel() -> ChatKey {
    ChatKey::Web("panel".to_owned())
}

/// A file's name as people read it: a label, never a path.
pub fn label(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    if name.trim().is_empty() {
        "без имени".to_owned()
    } else {
        ru::ellipsis(name.trim(), 200)
    }
}

/// Why a file was not fetched. Never has a token in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Larger than [`MAX_BYTES`].
    #[error("файл больше 20\u{a0}МБ")]
    TooLarge,
    /// The wire has it no more.
    #[error("файла больше нет: {0}")]
    Gone(String),
    /// Try again later.
    #[error("сейчас не выходит: {0}")]
    Temporary(String),
}

/// A wire that files come over.
pub trait FileSource: Send + Sync {
    /// The bytes of the file with this id, at most [`MAX_BYTES`] of them.
    fn fetch<'a>(&'a self, id: &'a str) -> Sending<'a, Result<Vec<u8>, FetchError>>;
}

/// Files. Clones share them.
#[derive(Clone)]
pub struct Files {
    base: Base,
    telegram: Arc<Mutex<Option<Arc<dyn FileSource>>>>,
}

impl Files {
    /// Over this base; files of Telegram can be fetched once [`Files::connect`] was called.
    pub fn new(base: Base) -> Self {
        Self { base, telegram: Arc::default() }
    }

    /// Gives files of Telegram their way in.
    pub fn connect(&self, telegram: Arc<dyn FileSource>) {
        *self.telegram.lock().unwrap_or_else(PoisonError::into_inner) = Some(telegram);
    }

    /// The bytes of a file that was sent in a chat.
    pub async fn fetch(&self, chat: &ChatKey, id: &str) -> Result<Vec<u8>, FetchError> {
        match chat {
            ChatKey::Web(_) => {
                let gone = || FetchError::Gone("no such file".to_owned());
                let id = id.parse::<i64>().map_err(|_| gone())?;
                let found = self.find(chat, id).await;
                let found = found.map_err(|error| FetchError::Temporary(error.to_string()))?;
                Ok(found.ok_or_else(gone)?.content)
            }
            ChatKey::Telegram(_) => {
                let source = self.telegram.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let source =
                    source.ok_or_else(|| FetchError::Temporary("no Telegram".to_owned()))?;
                source.fetch(id).await
            }
        }
    }

    /// Keeps a file of a chat; its id. The same event keeps one.
    pub async fn keep(
        &self,
        chat: &ChatKey,
        event_key: &str,
        name: &str,
        content: Vec<u8>,
    ) -> Result<i64, StorageError> {
        let (chat, key, name) = (chat.clone(), event_key.to_owned(), name.to_owned());
        let now = self.base.clock.now();
        let keep = move |tx: &rusqlite::Transaction<'_>| {
            files::sweep(tx, now.minus(KEPT))?;
            files::insert(tx, &chat, Some(&key), &name, &content, now)
        };
        self.base.db.write(keep).await
    }

    /// A file of this chat, or `None`.
    pub async fn find(&self, chat: &ChatKey, id: i64) -> Result<Option<FileRow>, StorageError> {
        let chat = chat.clone();
        let found = self.base.db.read(move |conn| files::find(conn, id)).await?;
        Ok(found.filter(|file| file.chat == chat))
    }

    /// The file beside a message, where this program keeps it.
    pub async fn attached(&self, attachment: &Attachment) -> Result<Option<FileRow>, StorageError> {
        match attachment.file {
            Some(id) => self.find(&attachment.chat, id).await,
            None => Ok(None),
        }
    }

    /// Sends the file beside a message, which only Telegram keeps, to the chats of a person there;
    /// whether it is kept there and they have such a chat.
    pub async fn forward(
        &self,
        attachment: &Attachment,
        to: PersonId,
    ) -> Result<bool, StorageError> {
        if !matches!(attachment.chat, ChatKey::Telegram(_)) {
            return Ok(false);
        }
        let now = self.base.clock.now();
        let (from, message_id) = (attachment.chat.clone(), attachment.message_id);
        let copy = Outgoing::Copy { from, message_id };
        let send = move |tx: &rusqlite::Transaction<'_>| {
            let mut sent = false;
            for chat in recipients::list_chats(tx, to)? {
                if matches!(chat, ChatKey::Telegram(_)) {
                    sent |= notifications::enqueue(tx, &chat, &copy, now, None)?;
                }
            }
            Ok::<_, StorageError>(sent)
        };
        let sent = self.base.db.write(send).await?;
        self.base.live.tell(Change::Outbox);
        Ok(sent)
    }

    /// Keeps a file of one chat for another too; its id there, or `None` when it is gone. The same
    /// event keeps one.
    pub async fn share(
        &self,
        from: &ChatKey,
        id: i64,
        to: &ChatKey,
        event_key: &str,
    ) -> Result<Option<i64>, StorageError> {
        match self.find(from, id).await? {
            Some(file) => self.keep(to, event_key, &file.name, file.content).await.map(Some),
            None => Ok(None),
        }
    }

    /// Where the organization's tables hold goods and quantities, as it said last.
    pub async fn layout(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<Layout>, StorageError> {
        let read =
            move |conn: &rusqlite::Connection| organizations::file_layout(conn, organization);
        let stored = self.base.db.read(read).await?;
        Ok(stored.and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// Remembers where the organization's tables hold goods and quantities.
    pub async fn remember_layout(
        &self,
        organization: OrganizationId,
        layout: &Layout,
    ) -> Result<(), StorageError> {
        let json = serde_json::to_string(layout)
            .map_err(|error| StorageError::Corrupt(error.to_string()))?;
        let write = move |tx: &rusqlite::Transaction<'_>| {
            organizations::set_file_layout(tx, organization, &json)
        };
        self.base.db.write(write).await
    }
}
