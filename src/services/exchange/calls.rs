//! The last calls of 1C at each door, taken and refused: who sets an exchange up sees at once that
//! 1C has come, and why it was sent away.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Exchange;
use crate::domain::Timestamp;
use crate::services::live::Change;

/// Open pages hear of the same call again after so long.
const NEWS: Duration = Duration::from_mins(1);

/// Where 1C knocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The standard exchange.
    Standard,
    /// JSON of modules of one's own.
    Json,
}

/// Why a call was sent away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turned {
    /// The password or the login is not ours.
    WrongPassword,
    /// It came without a login and a password.
    NoPassword,
    /// The standard exchange has no password in the settings.
    Off,
    /// The token is not ours.
    WrongToken,
    /// It came without a token.
    NoToken,
    /// There is no token in the settings.
    TokenNotSet,
}

impl Turned {
    /// What has come, in words for the connection page: «запрос …».
    pub const fn text(self) -> &'static str {
        match self {
            Self::WrongPassword => "запрос с неверным именем или паролем",
            Self::NoPassword => "запрос без имени и пароля",
            Self::Off => "запрос, а обмен с сайтом выключен",
            Self::WrongToken => "запрос с неверным токеном",
            Self::NoToken => "запрос без токена",
            Self::TokenNotSet => "запрос, а токен в программе не задан",
        }
    }

    /// The settings to compare with those of 1C.
    pub const fn settings(self) -> &'static str {
        match self {
            Self::WrongPassword | Self::NoPassword | Self::Off => {
                "onec.exchange.username и onec.exchange.password"
            }
            Self::WrongToken | Self::NoToken | Self::TokenNotSet => "onec.webhook_token",
        }
    }
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When.
    pub at: Timestamp,
    /// `catalog checkauth`, `POST orders/status`.
    pub what: String,
    /// From where.
    pub address: String,
    /// The program, by its `User-Agent`.
    pub sender: String,
    /// Why it was sent away; `None`: it was let in.
    pub turned: Option<Turned>,
}

/// The last calls at a door since the program began.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    /// The last that was let in.
    pub taken: Option<Call>,
    /// The last that was sent away since.
    pub turned: Option<Call>,
}

/// The calls at both doors.
#[derive(Debug, Default)]
pub struct Doors {
    standard: Mutex<Calls>,
    json: Mutex<Calls>,
}

impl Doors {
    const fn at(&self, door: Door) -> &Mutex<Calls> {
        match door {
            Door::Standard => &self.standard,
            Door::Json => &self.json,
        }
    }
}

impl Exchange {
    /// The last calls at this door since the program began.
    pub fn calls(&self, door: Door) -> Calls {
        self.doors.at(door).lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes a call.
    pub fn note_call(
        &self,
        door: Door,
        what: &str,
        address: &str,
        sender: &str,
        turned: Option<Turned>,
    ) {
        let at = self.base.clock.now();
        let (what, address, sender) = (what.to_owned(), address.to_owned(), sender.to_owned());
        let call = Call { at, what, address, sender, turned };
        // Open pages wait for the first call; pieces of a file are no news.
        let same = |b: Call| (&b.what, b.turned) == (&call.what, turned) && at.since(b.at) < NEWS;
        let mut calls = self.doors.at(door).lock().unwrap_or_else(PoisonError::into_inner);
        let news = if turned.is_some() {
            !calls.turned.replace(call.clone()).is_some_and(same)
        } else {
            let ended = calls.turned.take().is_some();
            !calls.taken.replace(call.clone()).is_some_and(same) || ended
        };
        drop(calls);
        if news {
            self.base.live.tell(Change::Exchange);
        }
    }
}
