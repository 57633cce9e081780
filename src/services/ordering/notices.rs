//! Who is told of an order's changes.

use rusqlite::Transaction;

use super::OrderError;
use crate::config::Config;
use crate::domain::{OrderId, OrganizationId, PersonId, Timestamp};
use crate::services::notifications::{self, Notice, Outgoing};
use crate::storage::{chat_slots, members};

/// Tells a person.
pub(in crate::services) fn to_person(
    tx: &Transaction<'_>,
    person: PersonId,
    notice: Notice,
    now: Timestamp,
) -> Result<(), OrderError> {
    notifications::enqueue_to_person(tx, person, &Outgoing::Notice(notice), now, None)?;
    Ok(())
}

/// Tells the managers' chat and those on shift.
pub(super) fn to_staff(
    tx: &Transaction<'_>,
    config: &Config,
    notice: Notice,
    now: Timestamp,
) -> Result<(), OrderError> {
    notifications::enqueue_to_staff(tx, config, &Outgoing::Notice(notice), now, None)?;
    Ok(())
}

/// Tells the owners of an organization.
pub(super) fn to_owners(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    notice: &Notice,
    now: Timestamp,
) -> Result<(), OrderError> {
    for owner in members::owners(tx, organization)? {
        to_person(tx, owner.person, notice.clone(), now)?;
    }
    Ok(())
}

/// Redraws the cards of an order that staff already have before them.
pub(in crate::services) fn refresh_staff_cards(
    tx: &Transaction<'_>,
    order: OrderId,
    now: Timestamp,
) -> Result<(), OrderError> {
    let notice = Outgoing::Notice(Notice::StaffOrder { order });
    for chat in chat_slots::chats_with(tx, &format!("staff:{order}"))? {
        notifications::enqueue(tx, &chat, &notice, now, None)?;
    }
    Ok(())
}
