//! Ways in for a chat: a contact, a registration, a password.

use std::time::Duration;

use rusqlite::{Connection, Transaction};

use super::passwords::Verdict;
use super::staff::end_sessions;
use super::{
    AccountError, Accounts, Actor, TRIES_PER_ACCOUNT, Who, note_person, notices, tokens, who,
};
use crate::config::{Access, Config, Registration};
use crate::domain::{
    Channel, ChatKey, MemberState, OrgKind, OrgRole, OrganizationId, PersonId, Phone, Role,
    Timestamp,
};
use crate::storage::links::{self, LinkKind};
use crate::storage::persons::{self, PersonRow};
use crate::storage::{StorageError, chats, members, organizations, throttle};

/// Why nobody was let in. What differs inside looks alike outside.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// An unknown number, a wrong password, a closed account: nobody learns which.
    #[error("неверный телефон или пароль")]
    Wrong,
    /// Too many failures.
    #[error("слишком много попыток")]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The password is right, but staff on a new chat prove their number too.
    #[error("сотрудник подтверждает ещё и номер")]
    ContactNeeded,
    /// The password is right, but the settings want the panel's door confirmed in Telegram too.
    #[error("вход подтверждается кодом из Telegram")]
    Confirm(super::Confirm),
    /// Something else.
    #[error(transparent)]
    Other(AccountError),
}

impl From<AccountError> for SignInError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::TooMany { retry_after } => Self::TooMany { retry_after },
            AccountError::Busy => Self::TooMany { retry_after: Duration::from_mins(1) },
            other => Self::Other(other),
        }
    }
}

impl From<StorageError> for SignInError {
    fn from(error: StorageError) -> Self {
        Self::Other(error.into())
    }
}

/// What a shared contact led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact {
    /// The chat is signed in.
    SignedIn(Box<Who>),
    /// The number is known from 1C or an invitation, but nobody has used it yet: to be confirmed
    /// with [`Accounts::confirm_known`].
    Known {
        /// Whose number it is said to be; may be empty.
        name: String,
        /// Where they are said to work.
        organization: Option<String>,
    },
    /// Nobody is known by this number.
    Unknown,
    /// Staff on a new chat: the password is needed too, see [`Accounts::sign_in_by_password`].
    PasswordNeeded,
    /// The chat's account has another proven number, and nobody is known by this one: nothing is
    /// changed, or whoever learns a password would take the account over.
    OtherNumber,
    /// The account is closed.
    Blocked,
}

/// A registration, filled in.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The chat that will be signed in.
    pub chat: ChatKey,
    /// The wire's name of the person.
    pub chat_title: String,
    /// The number: proven by the chat's own contact in Telegram, elsewhere only claimed.
    pub phone: Phone,
    /// The full name.
    pub name: String,
    /// Where the person works.
    pub organization: NewOrg,
    /// Where goods go; may be empty.
    pub address: String,
    /// When they are taken; may be empty.
    pub hours: String,
    /// For documents; may be empty.
    pub email: String,
    /// The password.
    pub password: String,
}

/// Where a new person works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewOrg {
    /// An organization that is not known yet.
    New {
        /// Its name.
        name: String,
        /// Its taxpayer's number.
        inn: Option<String>,
    },
    /// A known one: its owner or a manager lets the person in.
    Existing(OrganizationId),
    /// Where an invitation leads; it is used up. The person is in at once.
    Invited {
        /// The invitation's token.
        token: String,
    },
    /// Nowhere: a private person.
    Private,
}

/// Only Telegram vouches for a contact; in the browser anybody can type any number.
fn vouched(chat: &ChatKey) -> bool {
    matches!(chat, ChatKey::Telegram(_))
}

impl Accounts {
    /// A person shared their own contact: the door has checked that it is their own.
    ///
    /// In Telegram this proves the number. In the browser it proves nothing and leads to no
    /// account: a guest gets [`Contact::Unknown`].
    pub async fn link_contact(
        &self,
        chat: &ChatKey,
        phone: &Phone,
        chat_title: &str,
    ) -> Result<Contact, AccountError> {
        if !vouched(chat) {
            let who = self.who(chat).await?;
            return Ok(match who.person {
                Some(_) => Contact::SignedIn(Box::new(who)),
                None => Contact::Unknown,
            });
        }
        let (chat, phone, title) = (chat.clone(), phone.clone(), chat_title.to_owned());
        let (now, config) = (self.base.clock.now(), self.base.config.clone());
        let contact = self
            .base
            .db
            .write(move |tx| {
                let linked = persons::find_by_chat(tx, &chat)?;
                let Some(person) = persons::find_by_phone(tx, &phone)? else {
                    let Some(person) = linked.filter(|person| !person.blocked) else {
                        return Ok(Contact::Unknown);
                    };
                    if person.phone_verified {
                        return Ok(Contact::OtherNumber);
                    }
                    persons::set_phone(tx, person.id, Some(&phone), true)?;
                    let actor = Actor::bot(person.id);
                    note_person(tx, &actor, now, "person.phone", person.id, (None, None))?;
                    return Ok(Contact::SignedIn(Box::new(who::who(tx, &config.access, chat)?)));
                };
                if person.blocked {
                    return Ok(Contact::Blocked);
                }
                let own = linked.is_some_and(|linked| linked.id == person.id);
                if !own && !person.phone_verified {
                    return known(tx, &person);
                }
                if !own && is_staff_with_proof(tx, &config.access, &person)? {
                    return Ok(Contact::PasswordNeeded);
                }
                if !person.phone_verified {
                    persons::set_phone(tx, person.id, Some(&phone), true)?;
                }
                enter(tx, &chat, &person, &title, now)?;
                Ok::<_, AccountError>(Contact::SignedIn(Box::new(who::who(
                    tx,
                    &config.access,
                    chat,
                )?)))
            })
            .await?;
        self.tell_outbox();
        Ok(contact)
    }

    /// The person whom 1C or an invitation named confirms that it is them, and sets a password.
    ///
    /// Whatever an account of this number had before it was proven is not inherited: neither its
    /// password nor its chats. Who has no name yet gets the chat's.
    ///
    /// # Errors
    ///
    /// [`AccountError::NotFound`] when nobody is known by the number or it is proven already;
    /// [`AccountError::NotAllowed`] where contacts prove nothing; [`AccountError::Password`].
    pub async fn confirm_known(
        &self,
        chat: &ChatKey,
        phone: &Phone,
        password: &str,
        chat_title: &str,
    ) -> Result<Who, AccountError> {
        if !vouched(chat) {
            return Err(AccountError::NotAllowed);
        }
        self.check_password(password, &[phone.as_str()])?;
        let hash = self.hasher.hash(password).await?;
        let (chat, phone, title) = (chat.clone(), phone.clone(), chat_title.to_owned());
        let name = title.clone();
        let (now, config) = (self.base.clock.now(), self.base.config.clone());
        self.base
            .db
            .write(move |tx| {
                let person = persons::find_by_phone(tx, &phone)?;
                let person = person
                    .filter(|person| !person.phone_verified && !person.blocked)
                    .ok_or(AccountError::NotFound)?;
                disown(tx, person.id)?;
                persons::set_phone(tx, person.id, Some(&phone), true)?;
                persons::set_password_hash(tx, person.id, Some(&hash))?;
                if person.name.is_empty() {
                    persons::set_name(tx, person.id, &name)?;
                }
                chats::link(tx, &chat, person.id, &title, now)?;
                let actor = Actor::bot(person.id);
                note_person(tx, &actor, now, "person.confirmed", person.id, (None, None))?;
                for membership in members::of_person(tx, person.id)? {
                    notices::joined(tx, person.id, membership.organization, now)?;
                }
                Ok(who::who(tx, &config.access, chat)?)
            })
            .await
    }

    /// «Нет, это не я»: the number is given to nobody again, and registration goes on as for a
    /// stranger. Whom 1C meant keeps their name and orders.
    pub async fn deny_known(&self, chat: &ChatKey, phone: &Phone) -> Result<(), AccountError> {
        if !vouched(chat) {
            return Err(AccountError::NotAllowed);
        }
        let (phone, now) = (phone.clone(), self.base.clock.now());
        self.base
            .db
            .write(move |tx| {
                let person = persons::find_by_phone(tx, &phone)?;
                let Some(person) = person.filter(|person| !person.phone_verified) else {
                    return Ok(());
                };
                disown(tx, person.id)?;
                persons::set_phone(tx, person.id, None, false)?;
                let actor = Actor::system();
                note_person(tx, &actor, now, "person.phone", person.id, (None, None))?;
                Ok(())
            })
            .await
    }

    /// Makes an account, its organization and its membership, and signs the chat in: all or
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`AccountError::PhoneTaken`] when an account has been made meanwhile;
    /// [`AccountError::InviteOnly`]; [`AccountError::Password`]; [`AccountError::NotFound`] when
    /// the chosen organization is gone.
    pub async fn register(&self, new: NewAccount) -> Result<Who, AccountError> {
        let mode = self.base.config.access.registration;
        let invited = matches!(new.organization, NewOrg::Invited { .. });
        if mode == Registration::Invite && !invited {
            return Err(AccountError::InviteOnly);
        }
        self.check_password(&new.password, &[&new.name, new.phone.as_str()])?;
        let hash = self.hasher.hash(&new.password).await?;
        let (now, config) = (self.base.clock.now(), self.base.config.clone());
        let who = self
            .base
            .db
            .write(move |tx| {
                let proven = vouched(&new.chat);
                if proven && persons::find_by_phone(tx, &new.phone)?.is_some() {
                    return Err(AccountError::PhoneTaken);
                }
                let person = persons::insert(
                    tx,
                    &persons::NewPerson {
                        name: &new.name,
                        phone: proven.then_some(&new.phone),
                        phone_verified: proven,
                        claimed_phone: (!proven).then_some(&new.phone),
                        email: &new.email,
                        password_hash: Some(&hash),
                        ..Default::default()
                    },
                    now,
                )?;
                let newcomer = Newcomer {
                    id: person,
                    name: &new.name,
                    phone: Some(&new.phone),
                    address: &new.address,
                    hours: &new.hours,
                };
                join_new(tx, &config, &newcomer, &new.organization, now)?;
                chats::link(tx, &new.chat, person, &new.chat_title, now)?;
                let actor = Actor::bot(person);
                note_person(tx, &actor, now, "person.registered", person, (None, None))?;
                Ok(who::who(tx, &config.access, new.chat)?)
            })
            .await?;
        self.tell_outbox();
        Ok(who)
    }

    /// Signs a chat in by phone and password. `contact` tells whether the chat has just proven
    /// this very number with its own contact.
    ///
    /// # Errors
    ///
    /// [`SignInError::Wrong`] for every failure alike, after the same work;
    /// [`SignInError::TooMany`] after five failures of the account or of the chat in 15 minutes;
    /// [`SignInError::ContactNeeded`] for staff on a new chat without a contact.
    pub async fn sign_in_by_password(
        &self,
        chat: &ChatKey,
        phone: &str,
        password: &str,
        chat_title: &str,
        contact: bool,
    ) -> Result<Who, SignInError> {
        let phone: Option<Phone> = phone.parse().ok();
        let mut subjects = vec![(format!("chat:{chat}"), TRIES_PER_ACCOUNT)];
        if let Some(phone) = &phone {
            subjects.push((format!("phone:{}", phone.as_str()), TRIES_PER_ACCOUNT));
        }
        let tries = self.begin_try(subjects).await?;
        let person = self
            .base
            .db
            .read(move |conn| {
                let found = phone.map(|phone| persons::find_by_phone(conn, &phone)).transpose()?;
                Ok::<_, AccountError>(found.flatten().filter(|person| !person.blocked))
            })
            .await?;
        let hash = person.as_ref().and_then(|person| person.password_hash.clone());
        let verdict = self.hasher.verify(password, hash).await?;
        let (Some(person), Verdict::Right | Verdict::RightButOld) = (person, verdict) else {
            return Err(SignInError::Wrong);
        };
        let rehashed = match verdict {
            Verdict::RightButOld => Some(self.hasher.hash(password).await?),
            _ => None,
        };
        let contact = contact && vouched(chat);
        let (chat, title) = (chat.clone(), chat_title.to_owned());
        let (now, config) = (self.base.clock.now(), self.base.config.clone());
        let who = self
            .base
            .db
            .write(move |tx| {
                let fresh = persons::find(tx, person.id)?.ok_or(SignInError::Wrong)?;
                if fresh.security_stamp != person.security_stamp || fresh.blocked {
                    return Err(SignInError::Wrong);
                }
                for id in tries {
                    throttle::forget(tx, id)?;
                }
                let own = persons::find_by_chat(tx, &chat)?.is_some_and(|own| own.id == fresh.id);
                let staff = persons::role(tx, &config.access, &fresh)?.is_staff();
                if staff && !own && !contact {
                    return Err(SignInError::ContactNeeded);
                }
                if let Some(hash) = &rehashed {
                    persons::set_password_hash(tx, fresh.id, Some(hash))?;
                }
                throttle::clear(tx, &format!("chat:{chat}"))?;
                if let Some(phone) = &fresh.phone {
                    throttle::clear(tx, &format!("phone:{}", phone.as_str()))?;
                }
                enter(tx, &chat, &fresh, &title, now)?;
                Ok(who::who(tx, &config.access, chat)?)
            })
            .await?;
        self.tell_outbox();
        Ok(who)
    }

    /// Signs a chat out.
    pub async fn sign_out_chat(&self, chat: &ChatKey) -> Result<(), AccountError> {
        let (chat, now) = (chat.clone(), self.base.clock.now());
        self.base
            .db
            .write(move |tx| {
                if let Some(person) = persons::find_by_chat(tx, &chat)? {
                    chats::unlink(tx, &chat)?;
                    let actor = Actor::bot(person.id);
                    note_person(tx, &actor, now, "person.sign_out", person.id, (None, None))?;
                }
                Ok(())
            })
            .await
    }

    /// Whether [`Accounts::reset_password`] would be allowed. Errors are its own.
    pub async fn may_reset_password(
        &self,
        chat: &ChatKey,
        phone: &Phone,
    ) -> Result<(), AccountError> {
        if !vouched(chat) {
            return Err(AccountError::NotAllowed);
        }
        let (chat, phone, config) = (chat.clone(), phone.clone(), self.base.config.clone());
        self.base
            .db
            .read(move |conn| resettable(conn, &config.access, &chat, &phone).map(|_| ()))
            .await
    }

    /// Sets a new password for whoever has just proven the number with the chat's own contact, and
    /// signs the chat in; every session of the person ends.
    ///
    /// # Errors
    ///
    /// [`AccountError::NotFound`] when the number has no proven account;
    /// [`AccountError::NotAllowed`] for staff on a chat that is not theirs yet, and where contacts
    /// prove nothing; [`AccountError::Password`].
    pub async fn reset_password(
        &self,
        chat: &ChatKey,
        phone: &Phone,
        password: &str,
        chat_title: &str,
    ) -> Result<Who, AccountError> {
        if !vouched(chat) {
            return Err(AccountError::NotAllowed);
        }
        self.check_password(password, &[phone.as_str()])?;
        let hash = self.hasher.hash(password).await?;
        let (chat, phone, title) = (chat.clone(), phone.clone(), chat_title.to_owned());
        let (now, config) = (self.base.clock.now(), self.base.config.clone());
        let who = self
            .base
            .db
            .write(move |tx| {
                let person = resettable(tx, &config.access, &chat, &phone)?;
                persons::set_password_hash(tx, person.id, Some(&hash))?;
                end_sessions(tx, person.id)?;
                let actor = Actor::bot(person.id);
                note_person(tx, &actor, now, "person.password", person.id, (None, None))?;
                enter(tx, &chat, &person, &title, now)?;
                Ok::<_, AccountError>(who::who(tx, &config.access, chat)?)
            })
            .await?;
        self.forget();
        self.tell_outbox();
        Ok(who)
    }

    /// «Не я — закрыть доступ»: every other chat and every session of the person ends, and the
    /// password is taken away. `chat` is the one that asks, and must be the person's.
    ///
    /// # Errors
    ///
    /// [`AccountError::NotFound`] when the chat is not the person's.
    pub async fn close_access(&self, chat: &ChatKey, person: PersonId) -> Result<(), AccountError> {
        let (chat, now) = (chat.clone(), self.base.clock.now());
        self.base
            .db
            .write(move |tx| {
                let own = persons::find_by_chat(tx, &chat)?.is_some_and(|own| own.id == person);
                if !own {
                    return Err(AccountError::NotFound);
                }
                chats::unlink_all(tx, person, Some(&chat))?;
                persons::set_password_hash(tx, person, None)?;
                end_sessions(tx, person)?;
                let actor = Actor::bot(person);
                note_person(tx, &actor, now, "person.access_closed", person, (None, None))?;
                Ok(())
            })
            .await?;
        self.forget();
        Ok(())
    }

    /// Signs another of the person's chats out.
    ///
    /// # Errors
    ///
    /// [`AccountError::NotFound`] when that chat is not theirs.
    pub async fn unlink_chat(&self, person: PersonId, other: &ChatKey) -> Result<(), AccountError> {
        let (other, now) = (other.clone(), self.base.clock.now());
        self.base
            .db
            .write(move |tx| {
                let own = persons::find_by_chat(tx, &other)?.is_some_and(|own| own.id == person);
                if !own {
                    return Err(AccountError::NotFound);
                }
                chats::unlink(tx, &other)?;
                let actor = Actor::bot(person);
                note_person(tx, &actor, now, "person.sign_out", person, (None, None))?;
                Ok(())
            })
            .await
    }

    /// The person's chats, oldest link first.
    pub async fn chats(&self, person: PersonId) -> Result<Vec<chats::ChatRow>, AccountError> {
        self.base.db.read(move |conn| Ok(chats::list(conn, person)?)).await
    }

    /// Takes tries back that did not fail.
    pub(super) async fn take_back(&self, tries: Vec<throttle::TryId>) -> Result<(), AccountError> {
        self.base
            .db
            .write(move |tx| {
                for id in tries {
                    throttle::forget(tx, id)?;
                }
                Ok(())
            })
            .await
    }
}

/// The person whose password the bearer of a proven number may set anew.
fn resettable(
    conn: &Connection,
    access: &Access,
    chat: &ChatKey,
    phone: &Phone,
) -> Result<PersonRow, AccountError> {
    let person = persons::find_by_phone(conn, phone)?
        .filter(|person| person.phone_verified && !person.blocked)
        .ok_or(AccountError::NotFound)?;
    let own = persons::find_by_chat(conn, chat)?.is_some_and(|own| own.id == person.id);
    if !own && persons::role(conn, access, &person)?.is_staff() {
        return Err(AccountError::NotAllowed);
    }
    Ok(person)
}

/// Someone whom 1C, an invitation or the old program names.
fn known(tx: &Transaction<'_>, person: &PersonRow) -> Result<Contact, AccountError> {
    let organization = members::of_person(tx, person.id)?.into_iter().next();
    Ok(Contact::Known {
        name: person.name.clone(),
        organization: organization.map(|membership| membership.name),
    })
}

/// Whether a new chat needs the password besides the contact.
fn is_staff_with_proof(
    tx: &Transaction<'_>,
    access: &Access,
    person: &PersonRow,
) -> Result<bool, StorageError> {
    Ok(persons::role(tx, access, person)? > Role::Client)
}

/// Links the chat; the chats linked before are told of it.
fn enter(
    tx: &Transaction<'_>,
    chat: &ChatKey,
    person: &PersonRow,
    title: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    let before = chats::list(tx, person.id)?;
    let new = !before.iter().any(|row| row.key == *chat);
    chats::link(tx, chat, person.id, title, now)?;
    persons::set_seen(tx, person.id, now)?;
    if new {
        notices::new_sign_in(tx, person.id, chat, now)?;
        let actor =
            Actor { person: Some(person.id), channel: Channel::Bot, address: String::new() };
        let key = chat.to_string();
        note_person(tx, &actor, now, "person.sign_in", person.id, (None, Some(&key)))?;
    }
    Ok(())
}

/// Takes away what an account got before its number was proven.
fn disown(tx: &Transaction<'_>, person: PersonId) -> Result<(), StorageError> {
    chats::unlink_all(tx, person, None)?;
    persons::set_password_hash(tx, person, None)?;
    end_sessions(tx, person)
}

/// Who comes into an organization.
pub(super) struct Newcomer<'a> {
    pub(super) id: PersonId,
    pub(super) name: &'a str,
    pub(super) phone: Option<&'a Phone>,
    /// Where a new organization takes goods; may be empty.
    pub(super) address: &'a str,
    /// When; may be empty.
    pub(super) hours: &'a str,
}

/// Puts a person into the organization that they named.
pub(super) fn join_new(
    tx: &Transaction<'_>,
    config: &Config,
    new: &Newcomer<'_>,
    organization: &NewOrg,
    now: Timestamp,
) -> Result<(), AccountError> {
    let person = new.id;
    if let NewOrg::Invited { token } = organization {
        let link = links::consume(tx, &tokens::hash(token), LinkKind::Invite, now)?;
        let link = link.ok_or(AccountError::LinkExpired)?;
        let organization = link.organization.ok_or(AccountError::LinkExpired)?;
        let role = link.role.unwrap_or(OrgRole::Viewer);
        members::set(tx, organization, person, role, MemberState::Active, now)?;
        notices::joined(tx, person, organization, now)?;
        return Ok(());
    }
    let known = match organization {
        NewOrg::Existing(id) => {
            Some(organizations::find(tx, *id)?.ok_or(AccountError::NotFound)?.id)
        }
        NewOrg::New { inn: Some(inn), .. } => {
            organizations::find_by_inn(tx, inn)?.map(|organization| organization.id)
        }
        _ => None,
    };
    if let Some(organization) = known {
        // Its owner or a manager lets the person in; until then nothing of it is theirs to see.
        let (role, state) = (OrgRole::Buyer, MemberState::Pending);
        members::set(tx, organization, person, role, state, now)?;
        notices::join_asked(tx, config, person, organization, now)?;
        return Ok(());
    }
    let private;
    let (kind, name, inn) = if let NewOrg::New { name, inn } = organization {
        (OrgKind::Company, name.as_str(), inn.as_deref())
    } else {
        // 1C merges namesakes: the last digits tell them apart.
        let digits = new.phone.map(|phone| format!(", …{}", phone.last_four()));
        private = format!("{}{}", new.name, digits.unwrap_or_default());
        (OrgKind::Person, private.as_str(), None)
    };
    let organization = organizations::insert(
        tx,
        &organizations::NewOrganization {
            kind,
            name,
            inn,
            external_id: None,
            verified: false,
            hours: new.hours,
        },
        now,
    )?;
    let state = match config.access.registration {
        Registration::Open => MemberState::Active,
        _ => MemberState::Pending,
    };
    members::set(tx, organization, person, OrgRole::Owner, state, now)?;
    if state == MemberState::Pending {
        notices::join_asked(tx, config, person, organization, now)?;
    }
    if !new.address.is_empty() {
        organizations::use_address(tx, organization, new.address, now)?;
    }
    Ok(())
}
