//! The second step of signing in to the panel, where `access.confirm_sign_in` asks for it: a code
//! that the bot sends to the person's own Telegram.

use std::time::Duration;

use rusqlite::Transaction;

use super::panel::address_subject;
use super::{
    AccountError, Accounts, Actor, SignInError, SignedIn, TRIES_PER_ACCOUNT, TRIES_PER_ADDRESS,
    tokens,
};
use crate::domain::{ChatKey, PersonId, Secret, Timestamp};
use crate::formats::html::Html;
use crate::services::notifications::{self, Message, Notice, Outgoing};
use crate::storage::links::{self, LinkKind, LinkRow};
use crate::storage::{StorageError, persons, recipients, throttle};

/// How long a code works.
const CODE: Duration = Duration::from_mins(5);
/// Codes are this many: each has six digits.
const CODES: u32 = 1_000_000;

/// Why the right password did not open the panel yet.
#[derive(Debug)]
pub enum Confirm {
    /// A code has gone to the person's Telegram; this secret goes back beside it.
    Sent(Secret),
    /// The person has no Telegram that the bot could write to.
    NoTelegram,
}

/// What is known of a code: nothing without the secret that the browser holds.
fn key(challenge: &str, code: &str) -> [u8; 32] {
    tokens::hash(&format!("{challenge}:{code}"))
}

/// Six digits that nobody can foresee.
fn new_code() -> Result<String, AccountError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|_| AccountError::NoRandomness)?;
    Ok(format!("{:06}", u64::from_be_bytes(bytes) % u64::from(CODES)))
}

/// Makes a code and queues it for each Telegram of the person; the code before works no more.
pub(super) fn send(
    tx: &Transaction<'_>,
    person: PersonId,
    now: Timestamp,
) -> Result<Confirm, SignInError> {
    let chats = recipients::list_chats(tx, person).map_err(AccountError::from)?;
    let chats: Vec<_> =
        chats.into_iter().filter(|chat| matches!(chat, ChatKey::Telegram(_))).collect();
    if chats.is_empty() {
        return Ok(Confirm::NoTelegram);
    }
    let (challenge, code) = (tokens::new_token()?, new_code()?);
    let queue = || {
        links::kill_panel(tx, person)?;
        let link = LinkRow {
            person: Some(person),
            organization: None,
            role: None,
            created_by: Some(person),
            expires_at: now.plus(CODE),
        };
        links::insert(tx, &key(&challenge, &code), LinkKind::SignIn, &link)?;
        let html = Html::text("Код для входа в панель: ")
            .code(&code)
            .push("\nРаботает 5\u{a0}минут. Входите не вы? Смените пароль: его кто-то знает.");
        let message = Message { html, ..Message::default() };
        let outgoing = Outgoing::Notice(Notice::Text(message));
        for chat in &chats {
            notifications::enqueue(tx, chat, &outgoing, now, None)?;
        }
        Ok::<_, StorageError>(())
    };
    queue().map_err(AccountError::from)?;
    Ok(Confirm::Sent(Secret::new(challenge)))
}

impl Accounts {
    /// Opens the session that a password asked for, by the code that was sent.
    ///
    /// # Errors
    ///
    /// [`SignInError::Wrong`] for a wrong, used or old code; [`SignInError::TooMany`] after five
    /// wrong ones.
    pub async fn sign_in_by_code(
        &self,
        challenge: &str,
        code: &str,
        address: &str,
        user_agent: &str,
    ) -> Result<SignedIn, SignInError> {
        let asked = format!("code:{}", tokens::hex(&tokens::hash(challenge)));
        let subjects =
            vec![(address_subject(address), TRIES_PER_ADDRESS), (asked, TRIES_PER_ACCOUNT)];
        let tries = self.begin_try(subjects).await?;
        let digits: String = code.chars().filter(char::is_ascii_digit).collect();
        let (hash, now) = (key(challenge, &digits), self.base.clock.now());
        let config = self.base.config.clone();
        let person = self
            .base
            .db
            .write(move |tx| {
                let link = links::consume(tx, &hash, LinkKind::SignIn, now)?;
                let Some(id) = link.and_then(|link| link.person) else { return Ok(None) };
                let Some(row) = persons::find(tx, id)? else { return Ok(None) };
                for id in tries {
                    throttle::forget(tx, id)?;
                }
                if let Some(phone) = &row.phone {
                    throttle::clear(tx, &format!("phone:{}", phone.as_str()))?;
                }
                let staff = persons::role(tx, &config.access, &row)?.is_staff();
                Ok::<_, AccountError>(staff.then_some(id))
            })
            .await?
            .ok_or(SignInError::Wrong)?;
        let user_agent: String = user_agent.chars().take(300).collect();
        let actor = Actor::panel(person, address);
        self.open_session(actor, person, user_agent, |_| Ok(())).await
    }
}
