//! How the bot is doing, for the panel and `/health`. The door of Telegram says it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::Timestamp;

/// How the bot is doing. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct BotStatus(Arc<Mutex<BotReport>>);

/// How the bot is doing at some moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BotReport {
    /// In one word.
    pub state: BotState,
    /// `@name` without the sign, once Telegram has told it.
    pub username: Option<String>,
    /// Since when it is so; `None` before the first attempt.
    pub since: Option<Timestamp>,
    /// The last time that Telegram answered.
    pub heard_at: Option<Timestamp>,
}

/// How the bot is doing, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BotState {
    /// There is no token.
    #[default]
    Off,
    /// The first answer has not come yet.
    Starting,
    /// It hears.
    Ok,
    /// Telegram does not know the token: nothing more is tried until the next start.
    Refused,
    /// Another program reads the same bot's messages.
    Conflict,
    /// Telegram cannot be reached; it is tried again.
    Offline,
}

impl BotState {
    /// What people read: a state and what to do about it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Off => "выключен: нет токена",
            Self::Starting => "подключается",
            Self::Ok => "работает",
            Self::Refused => {
                "Telegram не принимает токен: проверьте telegram.bot_token и перезапустите"
            }
            Self::Conflict => {
                "сообщения этого бота читает другая программа: остановите её, бот подключится сам"
            }
            Self::Offline => "нет связи с Telegram, пробует снова",
        }
    }
}

impl BotStatus {
    /// How it is now.
    pub fn report(&self) -> BotReport {
        self.lock().clone()
    }

    /// Says how it is since `now`; whether that is news.
    pub fn set(&self, state: BotState, now: Timestamp) -> bool {
        let mut report = self.lock();
        if state == BotState::Ok {
            report.heard_at = Some(now);
        }
        if report.state == state && report.since.is_some() {
            return false;
        }
        report.state = state;
        report.since = Some(now);
        true
    }

    /// Says the bot's name.
    pub fn set_username(&self, username: &str) {
        self.lock().username = Some(username.to_owned());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BotReport> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
