//! Sign-in to the panel, its sessions and its one-time links.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::confirm;
use super::passwords::Verdict;
use super::{
    AccountError, Accounts, Actor, SignInError, TRIES_PER_ACCOUNT, TRIES_PER_ADDRESS, note_person,
    tokens,
};
use crate::domain::{PersonId, Phone, Role, Secret, Timestamp};
use crate::services::live::Change;
use crate::storage::links::{self, LinkKind, LinkRow};
use crate::storage::sessions::{self, SessionRow, TokenHash};
use crate::storage::{persons, throttle};

/// How long a session lives unused.
pub(super) const IDLE: Duration = Duration::from_hours(12);
/// How long a session lives.
pub(super) const ABSOLUTE: Duration = Duration::from_hours(7 * 24);
/// How long a link into the panel works.
const PANEL_LINK: Duration = Duration::from_mins(1);
/// How exact «the last request» is.
const TOUCH: Duration = Duration::from_mins(1);

/// A session has been opened.
#[derive(Debug)]
pub struct SignedIn {
    /// The cookie's value: 43 characters of base64url.
    pub token: Secret,
    /// Who.
    pub person: PersonId,
}

/// Who makes a request of the panel.
#[derive(Debug, Clone)]
pub struct StaffSession {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// What they may do: [`Role::Manager`] or [`Role::Admin`].
    pub role: Role,
    /// What every form carries.
    pub csrf: Secret,
    /// The session's identity, for the list of sessions.
    pub token_hash: TokenHash,
}

impl StaffSession {
    /// Whether this is the session's form token. Takes the same time whatever is given.
    pub fn csrf_matches(&self, given: &str) -> bool {
        self.csrf.matches(given)
    }

    /// On whose behalf the request changes things.
    pub fn actor(&self, address: impl Into<String>) -> Actor {
        Actor::panel(self.person, address)
    }
}

/// A session, for its owner's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    /// Its identity, as hexadecimal digits: not the token.
    pub id: String,
    /// Sign-in.
    pub created_at: Timestamp,
    /// The last request, to the minute.
    pub seen_at: Timestamp,
    /// The IP address.
    pub address: String,
    /// The browser, in its own words.
    pub user_agent: String,
    /// Whether it is the session that asks.
    pub current: bool,
}

/// What the cache holds of a session.
#[derive(Debug, Clone)]
pub(super) struct Cached {
    row: SessionRow,
    /// The last request in milliseconds: shared with the cache, whose entry is never renewed.
    seen_at: Arc<AtomicI64>,
    name: String,
    role: Role,
}

/// The form token of a session: HMAC-SHA256 under the session's own token.
fn csrf(token: &str) -> Secret {
    Secret::new(tokens::hex(&tokens::hmac(token.as_bytes(), b"csrf")))
}

/// For whom an address is counted: an IPv6 network of 64 bits is one subscriber.
pub(super) fn address_subject(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("address:{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(v4) => format!("address:{v4}"),
        Err(_) => "address:?".to_owned(),
    }
}

impl Accounts {
    /// Opens a session for staff who know the password.
    ///
    /// # Errors
    ///
    /// [`SignInError::Wrong`] for an unknown number, a wrong password, a blocked account and one
    /// without a role alike, after the same work; [`SignInError::TooMany`] after five failures of
    /// the account or twenty of the address in 15 minutes; [`SignInError::Confirm`] where the right
    /// password is not enough.
    pub async fn sign_in_panel(
        &self,
        phone: &str,
        password: &str,
        address: &str,
        user_agent: &str,
    ) -> Result<SignedIn, SignInError> {
        let phone: Option<Phone> = phone.parse().ok();
        let mut subjects = vec![(address_subject(address), TRIES_PER_ADDRESS)];
        if let Some(phone) = &phone {
            subjects.push((format!("phone:{}", phone.as_str()), TRIES_PER_ACCOUNT));
        }
        let tries = self.begin_try(subjects).await?;
        let config = self.base.config.clone();
        let staff = self
            .base
            .db
            .read(move |conn| {
                let found = phone.map(|phone| persons::find_by_phone(conn, &phone)).transpose()?;
                let Some(person) = found.flatten() else { return Ok(None) };
                let role = persons::role(conn, &config.access, &person)?;
                Ok::<_, AccountError>(role.is_staff().then_some(person))
            })
            .await?;
        let hash = staff.as_ref().and_then(|person| person.password_hash.clone());
        let verdict = self.hasher.verify(password, hash).await?;
        let (Some(person), Verdict::Right | Verdict::RightButOld) = (staff, verdict) else {
            return Err(SignInError::Wrong);
        };
        let rehashed = match verdict {
            Verdict::RightButOld => Some(self.hasher.hash(password).await?),
            _ => None,
        };
        let actor = Actor::panel(person.id, address);
        let user_agent: String = user_agent.chars().take(300).collect();
        let (id, stamp) = (person.id, person.security_stamp);
        let checked = move |tx: &rusqlite::Transaction<'_>| {
            // The account may have changed while the password was being checked.
            if persons::find(tx, id)?.is_none_or(|now| now.security_stamp != stamp) {
                return Err(SignInError::Wrong);
            }
            if let Some(hash) = &rehashed {
                persons::set_password_hash(tx, id, Some(hash))?;
            }
            Ok(())
        };
        if self.base.config.access.confirm_sign_in {
            let now = self.base.clock.now();
            // The try counts until the code has come: codes are not asked for without end.
            let sent = self.base.db.write(move |tx| {
                checked(tx)?;
                confirm::send(tx, id, now)
            });
            let sent = sent.await?;
            self.base.live.tell(Change::Outbox);
            return Err(SignInError::Confirm(sent));
        }
        self.open_session(actor, id, user_agent, move |tx| {
            checked(tx)?;
            for id in tries {
                throttle::forget(tx, id)?;
            }
            if let Some(phone) = &person.phone {
                throttle::clear(tx, &format!("phone:{}", phone.as_str()))?;
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn open_session(
        &self,
        actor: Actor,
        person: PersonId,
        user_agent: String,
        also: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<(), SignInError> + Send + 'static,
    ) -> Result<SignedIn, SignInError> {
        let now = self.base.clock.now();
        let token = tokens::new_token()?;
        let hash = tokens::hash(&token);
        self.base
            .db
            .write(move |tx| {
                let found = persons::find(tx, person)?.ok_or(SignInError::Wrong)?;
                let row = SessionRow {
                    token: hash,
                    person,
                    security_stamp: found.security_stamp,
                    created_at: now,
                    seen_at: now,
                    address: actor.address.clone(),
                    user_agent,
                };
                also(tx)?;
                sessions::insert(tx, &row)?;
                persons::set_seen(tx, person, now)?;
                note_person(tx, &actor, now, "person.sign_in", person, (None, None))?;
                Ok::<_, SignInError>(())
            })
            .await?;
        Ok(SignedIn { token: Secret::new(token), person })
    }

    /// Who the token's bearer is; `None`: nobody, or no longer staff, or the session is over.
    pub async fn session(&self, token: &str) -> Result<Option<StaffSession>, AccountError> {
        if token.len() != tokens::TOKEN_LEN {
            return Ok(None);
        }
        let hash = tokens::hash(token);
        let now = self.base.clock.now();
        let (cached, known) = match self.sessions.get(&hash).await {
            Some(cached) => (cached, true),
            None => match self.load_session(hash).await? {
                Some(loaded) => (loaded, false),
                None => return Ok(None),
            },
        };
        let seen_at = Timestamp::from_millis(cached.seen_at.load(Ordering::SeqCst));
        let over = now.since(seen_at) >= IDLE || now.since(cached.row.created_at) >= ABSOLUTE;
        if over {
            self.sign_out(token).await?;
            return Ok(None);
        }
        if now.since(seen_at) >= TOUCH || seen_at > now {
            let person = cached.row.person;
            self.base
                .db
                .write(move |tx| {
                    persons::set_seen(tx, person, now)?;
                    Ok::<_, AccountError>(sessions::touch(tx, &hash, now)?)
                })
                .await?;
            cached.seen_at.store(now.millis(), Ordering::SeqCst);
        }
        // What is in the cache is never put there again: it would never be looked up anew.
        if !known {
            self.sessions.insert(hash, cached.clone()).await;
        }
        Ok(Some(StaffSession {
            person: cached.row.person,
            name: cached.name,
            role: cached.role,
            csrf: csrf(token),
            token_hash: hash,
        }))
    }

    async fn load_session(&self, hash: TokenHash) -> Result<Option<Cached>, AccountError> {
        let config = self.base.config.clone();
        self.base
            .db
            .read(move |conn| {
                let Some(row) = sessions::find(conn, &hash)? else { return Ok(None) };
                let Some(person) = persons::find(conn, row.person)? else { return Ok(None) };
                let role = persons::role(conn, &config.access, &person)?;
                let valid = person.security_stamp == row.security_stamp && role.is_staff();
                let seen_at = Arc::new(AtomicI64::new(row.seen_at.millis()));
                Ok(valid.then_some(Cached { row, seen_at, name: person.name, role }))
            })
            .await
    }

    /// Ends the session.
    pub async fn sign_out(&self, token: &str) -> Result<(), AccountError> {
        let hash = tokens::hash(token);
        self.base.db.write(move |tx| Ok::<_, AccountError>(sessions::delete(tx, &hash)?)).await?;
        self.sessions.invalidate(&hash).await;
        Ok(())
    }

    /// The sessions of the one who asks, the last used first.
    pub async fn sessions(&self, asking: &StaffSession) -> Result<Vec<SessionInfo>, AccountError> {
        let (person, current) = (asking.person, asking.token_hash);
        let now = self.base.clock.now();
        self.base
            .db
            .read(move |conn| {
                let stamp =
                    persons::find(conn, person)?.ok_or(AccountError::NotFound)?.security_stamp;
                let rows = sessions::list(conn, person)?.into_iter().filter(|row| {
                    row.security_stamp == stamp
                        && now.since(row.seen_at) < IDLE
                        && now.since(row.created_at) < ABSOLUTE
                });
                Ok(rows
                    .map(|row| SessionInfo {
                        id: tokens::hex(&row.token),
                        created_at: row.created_at,
                        seen_at: row.seen_at,
                        address: row.address,
                        user_agent: row.user_agent,
                        current: row.token == current,
                    })
                    .collect())
            })
            .await
    }

    /// Ends one of the asker's own sessions, by its [`SessionInfo::id`].
    pub async fn revoke_session(
        &self,
        asking: &StaffSession,
        id: &str,
    ) -> Result<(), AccountError> {
        let (person, id) = (asking.person, id.to_owned());
        self.base
            .db
            .write(move |tx| {
                let own = sessions::list(tx, person)?;
                let row = own.into_iter().find(|row| tokens::hex(&row.token) == id);
                sessions::delete(tx, &row.ok_or(AccountError::NotFound)?.token)?;
                Ok::<_, AccountError>(())
            })
            .await?;
        self.forget();
        Ok(())
    }

    /// A token that opens the panel once within a minute, for a person of staff. A new one kills
    /// the old. The page that it leads to asks for a tap: messengers fetch links by themselves.
    pub async fn panel_link(&self, person: PersonId) -> Result<Secret, AccountError> {
        let token = tokens::new_token()?;
        let hash = tokens::hash(&token);
        let (now, config) = (self.base.clock.now(), self.base.config.clone());
        self.base
            .db
            .write(move |tx| {
                let row = persons::find(tx, person)?.ok_or(AccountError::NotFound)?;
                if !persons::role(tx, &config.access, &row)?.is_staff() {
                    return Err(AccountError::NotAllowed);
                }
                links::kill_panel(tx, person)?;
                let link = LinkRow {
                    person: Some(person),
                    organization: None,
                    role: None,
                    created_by: Some(person),
                    expires_at: now.plus(PANEL_LINK),
                };
                links::insert(tx, &hash, LinkKind::Panel, &link)?;
                Ok(())
            })
            .await?;
        Ok(Secret::new(token))
    }

    /// Whose panel the link opens, while it works. Looking uses nothing up.
    pub async fn look_at_panel_link(&self, token: &str) -> Result<Option<String>, AccountError> {
        let (hash, now) = (tokens::hash(token), self.base.clock.now());
        self.base
            .db
            .read(move |conn| {
                let link = links::find(conn, &hash, LinkKind::Panel, now)?;
                let Some(person) = link.and_then(|link| link.person) else { return Ok(None) };
                Ok(persons::find(conn, person)?.map(|person| person.name))
            })
            .await
    }

    /// Opens a session by a link, which is used up.
    ///
    /// # Errors
    ///
    /// [`SignInError::Wrong`] when the link works no more or its person is staff no more.
    pub async fn sign_in_by_link(
        &self,
        token: &str,
        address: &str,
        user_agent: &str,
    ) -> Result<SignedIn, SignInError> {
        let (hash, now) = (tokens::hash(token), self.base.clock.now());
        let config = self.base.config.clone();
        let person = self
            .base
            .db
            .write(move |tx| {
                let link = links::consume(tx, &hash, LinkKind::Panel, now)?;
                let Some(id) = link.and_then(|link| link.person) else { return Ok(None) };
                let Some(row) = persons::find(tx, id)? else { return Ok(None) };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_subscriber_are_one_subject() {
        assert_eq!(address_subject("203.0.113.5"), "address:203.0.113.5");
        assert_eq!(address_subject("::ffff:203.0.113.5"), "address:203.0.113.5");
        assert_eq!(address_subject("2001:db8:1:2::1"), address_subject("2001:db8:1:2:ffff::9"));
        assert_ne!(address_subject("2001:db8:1:2::1"), address_subject("2001:db8:1:3::1"));
        assert_eq!(address_subject("x"), "address:?");
    }
}
