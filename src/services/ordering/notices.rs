//! Who is told of an order's changes.

use rusqlite::Transaction;

use super::OrderError;
use crate::config::Config;
use crate::domain::{OrderId, OrganizationId, PersonId, Timestamp};
use crate::services::notifications::{self, Notice, Outgoing};
use crate::storage::{chat_slots, members, outbox};

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

/// The key of what is told of an order later, if it is not taken back until then.
pub(super) fn later(order: OrderId, what: impl std::fmt::Display) -> String {
    format!("later:{order}:{what}")
}

/// Tells a person at a later moment, under a key of [`later`].
pub(super) fn to_person_at(
    tx: &Transaction<'_>,
    person: PersonId,
    notice: Notice,
    due: Timestamp,
    key: &str,
) -> Result<(), OrderError> {
    notifications::enqueue_to_person(tx, person, &Outgoing::Notice(notice), due, Some(key))?;
    Ok(())
}

/// Takes back what was to be told of the order later.
pub(super) fn withdraw(tx: &Transaction<'_>, order: OrderId) -> Result<(), OrderError> {
    outbox::withdraw(tx, &later(order, ""))?;
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

/// Asks the owners of an organization to send a viewer's order; staff, where no owner can be
/// reached.
pub(super) fn ask_approval(
    tx: &Transaction<'_>,
    config: &Config,
    organization: OrganizationId,
    order: OrderId,
    now: Timestamp,
) -> Result<(), OrderError> {
    let asked = Outgoing::Notice(Notice::ApprovalAsked { order });
    let mut reached = false;
    for owner in members::owners(tx, organization)? {
        reached |= notifications::enqueue_to_person(tx, owner.person, &asked, now, None)?;
    }
    if reached {
        return Ok(());
    }
    to_staff(tx, config, Notice::StaffOrder { order }, now)
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
