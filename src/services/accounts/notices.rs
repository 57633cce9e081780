//! Who is told of what happens to accounts.

use rusqlite::Transaction;

use crate::config::Config;
use crate::domain::{ChatKey, OrganizationId, PersonId, Timestamp};
use crate::services::notifications::{self, Notice, Outgoing};
use crate::storage::{StorageError, chat_slots, members, recipients};

/// The chats that the person had before learn of a new one.
pub(super) fn new_sign_in(
    tx: &Transaction<'_>,
    person: PersonId,
    chat: &ChatKey,
    now: Timestamp,
) -> Result<(), StorageError> {
    let notice = Outgoing::Notice(Notice::NewSignIn { person, chat: chat.clone() });
    for former in recipients::list_chats(tx, person)? {
        if former != *chat {
            notifications::enqueue(tx, &former, &notice, now, None)?;
        }
    }
    Ok(())
}

/// Owners learn that someone asks to be let in; staff do when no owner can be reached.
pub(super) fn join_asked(
    tx: &Transaction<'_>,
    config: &Config,
    person: PersonId,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<(), StorageError> {
    let notice = Outgoing::Notice(Notice::JoinAsked { person, organization });
    let told = to_owners(tx, organization, person, &notice, now)?;
    if !told {
        notifications::enqueue_to_staff(tx, config, &notice, now, None)?;
    }
    Ok(())
}

/// The cards of a request that were shown say what came of it.
pub(super) fn join_settled(
    tx: &Transaction<'_>,
    person: PersonId,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<(), StorageError> {
    let notice = Notice::JoinAsked { person, organization };
    refresh(tx, &format!("join:{organization}:{person}"), notice, now)
}

/// The cards of a request for access that were shown say what came of it.
pub(super) fn access_settled(
    tx: &Transaction<'_>,
    request: i64,
    now: Timestamp,
) -> Result<(), StorageError> {
    refresh(tx, &format!("access:{request}"), Notice::AccessAsked { request }, now)
}

/// Composes a card anew wherever it stands.
fn refresh(
    tx: &Transaction<'_>,
    slot: &str,
    notice: Notice,
    now: Timestamp,
) -> Result<(), StorageError> {
    let notice = Outgoing::Notice(notice);
    for chat in chat_slots::chats_with(tx, slot)? {
        notifications::enqueue(tx, &chat, &notice, now, None)?;
    }
    Ok(())
}

/// Owners learn of a new member.
pub(super) fn joined(
    tx: &Transaction<'_>,
    person: PersonId,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<(), StorageError> {
    let notice = Outgoing::Notice(Notice::MemberJoined { person, organization });
    to_owners(tx, organization, person, &notice, now)?;
    Ok(())
}

fn to_owners(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    except: PersonId,
    notice: &Outgoing,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let mut told = false;
    for owner in members::owners(tx, organization)? {
        if owner.person != except {
            told |= notifications::enqueue_to_person(tx, owner.person, notice, now, None)?;
        }
    }
    Ok(told)
}
