//! The `getUpdates` loop: an update is acknowledged only once it is stored.

use std::time::Duration;

use serde_json::Value;
use teloxide::payloads::GetUpdatesSetters;
use teloxide::requests::Requester;
use teloxide::types::{AllowedUpdate, Update, UpdateKind};
use teloxide::{ApiError, Bot, RequestError};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{POLL_SECONDS, describe, inbound};
use crate::chat::EventKind;
use crate::domain::ChatKey;
use crate::services::Base;
use crate::services::bot_status::{BotState, BotStatus};
use crate::services::conversations::{Conversations, Incoming};
use crate::storage::StorageError;

/// What the bot hears. Goes with every call: a filter that another program set stays in force
/// until it is replaced.
const ALLOWED: [AllowedUpdate; 4] = [
    AllowedUpdate::Message,
    AllowedUpdate::EditedMessage,
    AllowedUpdate::CallbackQuery,
    AllowedUpdate::MyChatMember,
];
/// Another program that reads the same bot's messages may stop at any time.
const CONFLICT_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_BACK_OFF: Duration = Duration::from_mins(1);

/// Hears what people write to the bot.
pub struct Polling {
    bot: Bot,
    base: Base,
    conversations: Conversations,
    status: BotStatus,
    /// What the next call confirms: everything below. `None` once it is confirmed: ids may start
    /// anew after a week of silence.
    offset: Option<i32>,
    last_id: Option<u32>,
    connected: bool,
    managers_chat: Option<i64>,
    failures: u32,
    /// The last answer could not be read as a whole: updates are asked for one by one.
    one_by_one: bool,
}

/// When to call again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At once.
    AtOnce,
    /// Later.
    After(Duration),
    /// Not before the program starts anew: the token is wrong.
    Never,
}

enum Trouble {
    Telegram(RequestError),
    Storage(StorageError),
}

impl From<RequestError> for Trouble {
    fn from(error: RequestError) -> Self {
        Self::Telegram(error)
    }
}

impl From<StorageError> for Trouble {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl Polling {
    /// Hears through this bot, and says in `status` how that goes.
    pub fn new(bot: Bot, base: Base, status: BotStatus) -> Self {
        status.set(BotState::Starting, base.clock.now());
        Self {
            bot,
            conversations: Conversations::new(base.clone()),
            managers_chat: base.config.telegram.managers_chat,
            base,
            status,
            offset: None,
            last_id: None,
            connected: false,
            failures: 0,
            one_by_one: false,
        }
    }

    /// Hears until stopped. The call in flight is dropped then: it has confirmed nothing.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let next = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                next = self.poll_once() => next,
            };
            let pause = match next {
                Next::AtOnce => continue,
                Next::After(pause) => pause,
                Next::Never => return stop.cancelled().await,
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Makes one call and stores what it brought. Pauses are the caller's.
    pub async fn poll_once(&mut self) -> Next {
        match self.try_once().await {
            Ok(()) => {
                self.failures = 0;
                if self.status.set(BotState::Ok, self.base.clock.now()) {
                    let name = self.status.report().username.unwrap_or_default();
                    info!("бот @{name} на связи");
                }
                Next::AtOnce
            }
            Err(Trouble::Storage(error)) => {
                // Nothing is acknowledged: Telegram keeps updates for a day.
                self.failures += 1;
                error!("сообщения не сохранить, они ждут у Telegram: {error}");
                Next::After(self.back_off())
            }
            Err(Trouble::Telegram(error)) => self.trouble(&error),
        }
    }

    async fn try_once(&mut self) -> Result<(), Trouble> {
        if !self.connected {
            self.connect().await?;
        }
        let mut request = self.bot.get_updates().timeout(POLL_SECONDS).allowed_updates(ALLOWED);
        request.offset = self.offset;
        request.limit = self.one_by_one.then_some(1);
        let updates = match request.await {
            Ok(updates) => updates.into_iter().map(Heard::from).collect(),
            Err(RequestError::InvalidJson { source, raw }) => {
                let error = RequestError::InvalidJson { source, raw };
                self.salvage(error)?
            }
            Err(error) => return Err(error.into()),
        };
        self.one_by_one = false;
        self.store(updates).await
    }

    /// Says who we are and takes away a webhook that another program left.
    async fn connect(&mut self) -> Result<(), Trouble> {
        let me = self.bot.get_me().await?;
        self.status.set_username(me.user.username.as_deref().unwrap_or_default());
        let webhook = self.bot.get_webhook_info().await?;
        if webhook.url.is_some() {
            warn!("у бота стоял вебхук другой программы: снят");
            self.bot.delete_webhook().await?;
        }
        if let Some(id) = self.base.config.telegram.managers_chat {
            let address = self.conversations.present_address(ChatKey::Telegram(id)).await?;
            self.managers_chat = match address {
                ChatKey::Telegram(id) => Some(id),
                ChatKey::Web(_) => Some(id),
            };
        }
        self.connected = true;
        Ok(())
    }

    async fn store(&mut self, updates: Vec<Heard>) -> Result<(), Trouble> {
        let mut incoming = Vec::new();
        let mut blocked = Vec::new();
        let mut last = None;
        for heard in &updates {
            match heard {
                Heard::Update(update) => {
                    last = Some(update.id.0);
                    if let Some((from, to)) = inbound::migration(update) {
                        self.migrate(from, to).await?;
                    }
                    let Some(mut event) = inbound::event(update, self.managers_chat) else {
                        continue;
                    };
                    if event.at.millis() == 0 {
                        event.at = self.base.clock.now();
                    }
                    if let EventKind::Blocked { blocked: is } = event.kind {
                        blocked.push((event.chat.clone(), is));
                    }
                    let payload = serde_json::to_string(&event).map_err(|error| {
                        StorageError::Corrupt(format!("inbox.payload: {error}"))
                    })?;
                    incoming.push(Incoming {
                        event_key: event.key,
                        chat: event.chat,
                        payload,
                        readable: true,
                    });
                }
                Heard::Unreadable(id, raw) => {
                    last = Some(*id);
                    warn!("сообщение {id} от Telegram не читается и отложено");
                    incoming.push(Incoming {
                        event_key: inbound::key(*id),
                        chat: inbound::chat_of_raw(raw).unwrap_or(ChatKey::Telegram(0)),
                        payload: raw.to_string(),
                        readable: false,
                    });
                }
                Heard::Nameless => {
                    error!("сообщение от Telegram без номера пропущено");
                    // Nothing says which it is, so the next call steps over one id.
                    last = last.or(self.last_id).and_then(|id| id.checked_add(1));
                }
            }
        }
        if !incoming.is_empty() {
            self.conversations.accept_all(incoming).await?;
        }
        for (chat, is) in blocked {
            self.conversations.set_blocked(chat, is).await?;
        }
        // Only now: the next call confirms everything below.
        self.offset = last.and_then(|id| i32::try_from(id).ok()?.checked_add(1));
        self.last_id = last.or(self.last_id);
        Ok(())
    }

    async fn migrate(&mut self, from: ChatKey, to: ChatKey) -> Result<(), Trouble> {
        if self.managers_chat.map(ChatKey::Telegram) != Some(from.clone()) {
            return Ok(());
        }
        if let ChatKey::Telegram(id) = to {
            info!("чат менеджеров стал супергруппой");
            self.managers_chat = Some(id);
        }
        Ok(self.conversations.move_chat(from, to).await?)
    }

    /// Reads an answer that teloxide could not read as a whole, update by update; when that fails
    /// too, the next call asks for one update, and of one that is still unreadable lets go.
    fn salvage(&mut self, error: RequestError) -> Result<Vec<Heard>, RequestError> {
        let RequestError::InvalidJson { raw, .. } = &error else { return Err(error) };
        if let Ok(answer) = serde_json::from_str::<Value>(raw) {
            let Some(Value::Array(updates)) = answer.get("result") else { return Err(error) };
            return Ok(updates.iter().cloned().map(Heard::from).collect());
        }
        if !raw.trim_start().starts_with("{\"ok\":true") {
            // Not Telegram's answer at all: a page of a proxy.
            return Err(error);
        }
        if self.one_by_one && self.last_id.is_some() {
            return Ok(vec![Heard::Nameless]);
        }
        self.one_by_one = true;
        Err(error)
    }

    fn trouble(&mut self, error: &RequestError) -> Next {
        let (state, next) = match error {
            RequestError::Api(ApiError::InvalidToken) => (BotState::Refused, Next::Never),
            RequestError::Api(ApiError::TerminatedByOtherGetUpdates) => {
                (BotState::Conflict, Next::After(CONFLICT_PAUSE))
            }
            RequestError::Api(ApiError::CantGetUpdates) => return self.webhook_again(),
            RequestError::Api(ApiError::Unknown(text)) if text.contains("webhook") => {
                return self.webhook_again();
            }
            RequestError::Api(ApiError::Unknown(text)) if text.starts_with("Conflict") => {
                (BotState::Conflict, Next::After(CONFLICT_PAUSE))
            }
            RequestError::RetryAfter(wait) => {
                self.failures += 1;
                (BotState::Offline, Next::After(wait.duration()))
            }
            _ => {
                self.failures += 1;
                (BotState::Offline, Next::After(self.back_off()))
            }
        };
        if self.status.set(state, self.base.clock.now()) {
            warn!(state = ?state, "Telegram: {}: {}", state.label(), describe(error));
        }
        next
    }

    /// A webhook was set while we were polling.
    fn webhook_again(&mut self) -> Next {
        self.connected = false;
        self.failures += 1;
        Next::After(self.back_off())
    }

    /// 1, 2, 4 … 60 seconds, each up to a quarter longer, so that many do not call at once.
    fn back_off(&self) -> Duration {
        let exponent = self.failures.saturating_sub(1).min(6);
        let wait = Duration::from_secs(1 << exponent).min(LONGEST_BACK_OFF);
        let jitter = getrandom::u32().map_or(0, |n| n % 250);
        wait + wait * jitter / 1_000
    }
}

/// One element of an answer.
enum Heard {
    Update(Box<Update>),
    Unreadable(u32, Value),
    /// It has not even an id.
    Nameless,
}

impl From<Update> for Heard {
    fn from(update: Update) -> Self {
        match update.kind {
            UpdateKind::Error(raw) => Self::Unreadable(update.id.0, raw),
            _ => Self::Update(Box::new(update)),
        }
    }
}

impl From<Value> for Heard {
    fn from(raw: Value) -> Self {
        let id = raw.get("update_id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
        match (id, serde_json::from_str::<Update>(&raw.to_string())) {
            (_, Ok(update)) if !matches!(update.kind, UpdateKind::Error(_)) => {
                Self::Update(Box::new(update))
            }
            (Some(id), _) => Self::Unreadable(id, raw),
            (None, _) => Self::Nameless,
        }
    }
}
