//! Who is who: people, how they prove it, and what they may do.
//!
//! A person is known by a proven phone, by a linked chat or by a session of the panel. A role of
//! staff is computed at each check from the settings and from what was granted; a typed phone
//! gives nothing.

mod confirm;
mod entry;
mod membership;
mod notices;
mod panel;
mod passwords;
mod requests;
mod settings;
mod staff;
mod tokens;
mod who;

use std::time::Duration;

use moka::future::Cache;

use super::Base;
use super::live::Change;
use crate::domain::{Channel, PersonId, Role, Timestamp};
use crate::storage::sessions::TokenHash;
use crate::storage::{StorageError, audit, throttle};
use rusqlite::{Connection, Transaction};

pub use confirm::Confirm;
pub use entry::{Contact, NewAccount, NewOrg, SignInError};
pub use membership::{Invitation, Member, inn as read_inn};
pub use panel::{SessionInfo, SignedIn, StaffSession};
pub use passwords::{PasswordProblem, check as check_password};
pub use requests::{AccessDecision, AccessRequest, NewAccessRequest};
pub use staff::{NewStaff, StaffMember};
pub use who::{AccountDetails, Membership, Person, Who};

/// Failures in a quarter of an hour for one account or one chat, after which it must wait.
const TRIES_PER_ACCOUNT: u32 = 5;
/// Failures in a quarter of an hour for one address.
const TRIES_PER_ADDRESS: u32 = 20;
/// How long a failure counts.
const TRY_WINDOW: Duration = Duration::from_mins(15);

/// Accounts, sign-in and rights. Clones share caches.
#[derive(Clone)]
pub struct Accounts {
    base: Base,
    hasher: passwords::Hasher,
    /// Sessions of the panel that were looked up within the last second.
    sessions: Cache<TokenHash, panel::Cached>,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// There is no such person, membership, link or request — or it is not theirs to touch.
    #[error("нет такой записи")]
    NotFound,
    /// The actor's role does not allow it.
    #[error("недостаточно прав")]
    NotAllowed,
    /// The number is another account's.
    #[error("этот номер уже занят")]
    PhoneTaken,
    /// Someone of the company has this number already.
    #[error("сотрудник с этим номером уже есть: {name}, {}{}", role.label(),
        if *blocked { ", доступ закрыт" } else { "" })]
    StaffExists {
        /// Who.
        name: String,
        /// Their role, were the account not blocked.
        role: Role,
        /// Whether it is.
        blocked: bool,
    },
    /// The account of this number is blocked.
    #[error("доступ клиента с этим номером закрыт")]
    Blocked,
    /// An account of staff has no name.
    #[error("нужно имя")]
    NoName,
    /// The password is not good enough.
    #[error(transparent)]
    Password(#[from] PasswordProblem),
    /// The present password was not given right.
    #[error("неверный текущий пароль")]
    WrongPassword,
    /// An organization needs an owner.
    #[error("в организации должен остаться владелец")]
    LastOwner,
    /// Somebody must be able to administer.
    #[error("должен остаться хотя бы один администратор")]
    LastAdmin,
    /// Only those who are invited or known from 1C may register.
    #[error("регистрация только по приглашению")]
    InviteOnly,
    /// The link was used, is too old, or never was.
    #[error("ссылка больше не действует")]
    LinkExpired,
    /// Too many tries; the right moment is this far away.
    #[error("слишком много попыток")]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// More passwords are being checked than is sane.
    #[error("слишком много входов одновременно, повторите через минуту")]
    Busy,
    /// The system gave no random bytes.
    #[error("система не даёт случайных чисел")]
    NoRandomness,
    /// The database refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// On whose behalf something is changed, for the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who; `None`: the program or the operator at the command line.
    pub person: Option<PersonId>,
    /// By which way.
    pub channel: Channel,
    /// The IP address, where there is one.
    pub address: String,
}

impl Actor {
    /// The operator at the command line.
    pub fn cli() -> Self {
        Self { person: None, channel: Channel::Cli, address: String::new() }
    }

    /// The program itself.
    pub fn system() -> Self {
        Self { person: None, channel: Channel::System, address: String::new() }
    }

    /// A person in the bot.
    pub fn bot(person: PersonId) -> Self {
        Self { person: Some(person), channel: Channel::Bot, address: String::new() }
    }

    /// A person in the panel, at this IP address.
    pub fn panel(person: PersonId, address: impl Into<String>) -> Self {
        Self { person: Some(person), channel: Channel::Panel, address: address.into() }
    }

    /// An entry of the journal of changes, without what was and what is.
    pub fn entry<'a>(
        &'a self,
        action: &'a str,
        object: &'a str,
        now: Timestamp,
    ) -> audit::Entry<'a> {
        audit::Entry {
            at: now,
            channel: self.channel,
            person: self.person,
            action,
            object,
            before: None,
            after: None,
            address: &self.address,
        }
    }
}

impl Accounts {
    /// Accounts over this base.
    pub fn new(base: Base) -> Self {
        // Another process may end a session: one second is how long that may go unnoticed.
        let sessions =
            Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(1)).build();
        Self { base, hasher: passwords::Hasher::default(), sessions }
    }

    /// How often a password was hashed or checked: tests compare the work, not the time.
    pub fn hasher_calls(&self) -> u64 {
        self.hasher.calls()
    }

    /// Forgets what is kept in memory: something changed in another process.
    pub fn forget(&self) {
        self.sessions.invalidate_all();
    }

    /// Forgets failures, links and sessions that are over. To be run now and then.
    pub async fn sweep(&self) -> Result<(), AccountError> {
        let now = self.base.clock.now();
        self.base
            .db
            .write(move |tx| {
                throttle::sweep(tx, now.minus(TRY_WINDOW))?;
                crate::storage::links::sweep(tx, now.minus(Duration::from_hours(24 * 30)))?;
                crate::storage::sessions::sweep(
                    tx,
                    now.minus(panel::IDLE),
                    now.minus(panel::ABSOLUTE),
                )?;
                Ok(())
            })
            .await
    }

    /// Words that no password may be: the company's, and these.
    fn check_password(&self, password: &str, own: &[&str]) -> Result<(), PasswordProblem> {
        let mut words = vec![self.base.config.company.name.as_str()];
        words.extend_from_slice(own);
        passwords::check(password, &words)
    }

    /// Counts a try of each subject before it is made, so that parallel ones do not slip through.
    async fn begin_try(
        &self,
        subjects: Vec<(String, u32)>,
    ) -> Result<Vec<throttle::TryId>, AccountError> {
        let now = self.base.clock.now();
        self.base
            .db
            .write(move |tx| {
                if let Some(retry_after) = wait_for(tx, &subjects, now)? {
                    return Err(AccountError::TooMany { retry_after });
                }
                let mut tries = Vec::with_capacity(subjects.len());
                for (subject, _) in &subjects {
                    tries.push(throttle::record(tx, subject, now)?);
                }
                Ok(tries)
            })
            .await
    }
}

/// How long the subjects must wait; `None`: a try is allowed.
fn wait_for(
    conn: &Connection,
    subjects: &[(String, u32)],
    now: Timestamp,
) -> Result<Option<Duration>, StorageError> {
    let mut longest = None;
    for (subject, limit) in subjects {
        if let Some(at) = throttle::nth_last(conn, subject, now.minus(TRY_WINDOW), *limit)? {
            longest = longest.max(Some(at.plus(TRY_WINDOW).since(now)));
        }
    }
    Ok(longest)
}

/// Writes into the journal that `actor` changed something about a person.
fn note_person(
    tx: &Transaction<'_>,
    actor: &Actor,
    now: Timestamp,
    action: &str,
    person: PersonId,
    change: (Option<&str>, Option<&str>),
) -> Result<(), StorageError> {
    note(tx, actor, now, action, &format!("person:{person}"), change)
}

/// Writes into the journal.
fn note(
    tx: &Transaction<'_>,
    actor: &Actor,
    now: Timestamp,
    action: &str,
    object: &str,
    (before, after): (Option<&str>, Option<&str>),
) -> Result<(), StorageError> {
    audit::record(tx, &audit::Entry { before, after, ..actor.entry(action, object, now) })
}

impl Accounts {
    /// Tells that rows were queued.
    fn tell_outbox(&self) {
        self.base.live.tell(Change::Outbox);
    }
}
