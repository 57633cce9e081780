//! «Запросить доступ»: a guest tells who they are, staff decide.

use std::time::Duration;

use rusqlite::Transaction;

use super::{AccountError, Accounts, Actor, note, notices};
use crate::domain::{ChatKey, MemberState, OrgKind, OrgRole, OrganizationId, Phone, Timestamp};
use crate::services::notifications::{self, Notice, Outgoing};
use crate::storage::{StorageError, members, organizations, persons, requests};

/// Requests of one chat that may wait at a time: more would only drown the others.
const PER_CHAT: u32 = 3;

/// A request for access.
pub type AccessRequest = requests::RequestRow;

/// What a guest tells of themself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccessRequest {
    /// The name.
    pub name: String,
    /// The organization, in words.
    pub organization: String,
    /// The number: typed, so it proves nothing.
    pub phone: Phone,
    /// What else.
    pub comment: String,
}

/// What staff decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessDecision {
    /// The organization is as the guest says: a known one by this name, or a new one.
    Grant,
    /// The guest belongs to this organization.
    Link(OrganizationId),
    /// No.
    Refuse,
}

impl Accounts {
    /// Stores a request and tells staff.
    ///
    /// # Errors
    ///
    /// [`AccountError::TooMany`] when several of this chat wait already.
    pub async fn request_access(
        &self,
        chat: &ChatKey,
        new: NewAccessRequest,
    ) -> Result<i64, AccountError> {
        let (chat, now, config) = (chat.clone(), self.base.clock.now(), self.base.config.clone());
        let id = self
            .base
            .db
            .write(move |tx| {
                if requests::count_pending(tx, &chat)? >= PER_CHAT {
                    return Err(AccountError::TooMany { retry_after: Duration::from_hours(24) });
                }
                let row = requests::RequestRow {
                    id: 0,
                    chat,
                    name: new.name,
                    organization: new.organization,
                    phone: new.phone.as_str().to_owned(),
                    comment: new.comment,
                    granted: None,
                    created_at: now,
                };
                let id = requests::insert(tx, &row)?;
                let notice = Outgoing::Notice(Notice::AccessAsked { request: id });
                notifications::enqueue_to_staff(tx, &config, &notice, now, None)?;
                Ok(id)
            })
            .await?;
        self.tell_outbox();
        Ok(id)
    }

    /// The requests that wait, the oldest first.
    pub async fn access_requests(&self) -> Result<Vec<AccessRequest>, AccountError> {
        self.base.db.read(|conn| Ok(requests::list_pending(conn)?)).await
    }

    /// One request.
    pub async fn access_request(&self, id: i64) -> Result<AccessRequest, AccountError> {
        self.base.db.read(move |conn| requests::find(conn, id)?.ok_or(AccountError::NotFound)).await
    }

    /// Decides a request: of two at once the first counts. Who is granted access still proves the
    /// number with their own contact; until then nobody has an account.
    ///
    /// # Errors
    ///
    /// [`AccountError::NotFound`] when it does not wait; [`AccountError::NotAllowed`] when the
    /// actor is not staff.
    pub async fn decide_access(
        &self,
        by: &Actor,
        id: i64,
        decision: AccessDecision,
    ) -> Result<(), AccountError> {
        let (by, now, config) = (by.clone(), self.base.clock.now(), self.base.config.clone());
        self.base
            .db
            .write(move |tx| {
                if let Some(person) = by.person {
                    let actor = persons::find(tx, person)?.ok_or(AccountError::NotAllowed)?;
                    if !persons::role(tx, &config.access, &actor)?.is_staff() {
                        return Err(AccountError::NotAllowed);
                    }
                }
                let granted = decision != AccessDecision::Refuse;
                let request = requests::find(tx, id)?.ok_or(AccountError::NotFound)?;
                if !requests::decide(tx, id, granted, by.person, now)? {
                    return Err(AccountError::NotFound);
                }
                if granted {
                    grant(tx, &request, decision, now)?;
                }
                let decided = Outgoing::Notice(Notice::AccessDecided { request: id });
                notifications::enqueue(tx, &request.chat, &decided, now, None)?;
                notices::access_settled(tx, id, now)?;
                let outcome = if granted { "granted" } else { "refused" };
                let object = format!("access_request:{id}");
                note(tx, &by, now, "access.decided", &object, (None, Some(outcome)))?;
                Ok(())
            })
            .await?;
        self.tell_outbox();
        Ok(())
    }
}

/// Makes the number known as someone of the organization.
fn grant(
    tx: &Transaction<'_>,
    request: &AccessRequest,
    decision: AccessDecision,
    now: Timestamp,
) -> Result<(), AccountError> {
    let phone: Phone = request
        .phone
        .parse()
        .map_err(|_| StorageError::Corrupt("access_requests.phone".to_owned()))?;
    let known = match decision {
        AccessDecision::Link(id) => {
            Some(organizations::find(tx, id)?.ok_or(AccountError::NotFound)?)
        }
        _ => organizations::find_by_name(tx, &request.organization)?,
    };
    let (organization, role) = if let Some(known) = known {
        (known.id, OrgRole::Buyer)
    } else {
        let new = organizations::NewOrganization {
            kind: OrgKind::Company,
            name: &request.organization,
            inn: None,
            external_id: None,
            verified: true,
            hours: "",
        };
        (organizations::insert(tx, &new, now)?, OrgRole::Owner)
    };
    let person = if let Some(person) = persons::find_by_phone(tx, &phone)? {
        person.id
    } else {
        let new =
            persons::NewPerson { name: &request.name, phone: Some(&phone), ..Default::default() };
        persons::insert(tx, &new, now)?
    };
    let present = members::find(tx, organization, person)?;
    if present.is_none_or(|(_, state)| state != MemberState::Active) {
        members::set(tx, organization, person, role, MemberState::Active, now)?;
    }
    Ok(())
}
