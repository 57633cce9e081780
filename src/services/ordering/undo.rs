//! The last change of an order in the panel can be taken back, for as long as nobody has been told
//! of it.

use std::time::Duration;

use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};

use super::change::note;
use super::staff::OrderView;
use super::{Actor, OrderError, Ordering, notices};
use crate::domain::{Channel, Delivery, OrderId, OrderStatus, PersonId, Timestamp};
use crate::storage::order_edits;
use crate::storage::orders::{self, OrderLineRow, OrderRow};

/// How long a change in the panel waits before the client is told.
pub const ANNOUNCE_AFTER: Duration = Duration::from_secs(10);

/// A change that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undoable {
    /// Whose change it is.
    pub by: Option<PersonId>,
    /// What it was, as the timeline says it.
    pub what: String,
    /// Whether the client is told of changes in the order with it.
    pub tells: bool,
    /// Until when.
    pub until: Timestamp,
}

/// How an order stood before a change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Before {
    status: OrderStatus,
    reason: String,
    manager: Option<PersonId>,
    delivery: Delivery,
    address: String,
    lines: Vec<OrderLineRow>,
    shown: Option<String>,
    /// Entries of the timeline that the client is told of at the end of the wait.
    told: Option<i64>,
    by: Option<PersonId>,
    what: String,
    until: Timestamp,
    /// The order's revision after the change: after another one there is nothing to take back.
    revision: i64,
}

impl Before {
    /// How the order stands.
    pub(super) fn of(conn: &Connection, order: &OrderRow) -> Result<Self, OrderError> {
        Ok(Self {
            status: order.status,
            reason: order.status_reason.clone(),
            manager: order.manager,
            delivery: order.delivery,
            address: order.address.clone(),
            lines: orders::lines(conn, order.id)?,
            shown: order_edits::kept(conn, order.id)?.shown,
            told: None,
            by: None,
            what: String::new(),
            until: order.updated_at,
            revision: 0,
        })
    }

    /// With an entry of the timeline that waits to be told.
    pub(super) fn telling(self, event: Option<i64>) -> Self {
        Self { told: event, ..self }
    }

    /// Lets the change be taken back, where it was made in the panel.
    pub(super) fn offer(
        self,
        tx: &Transaction<'_>,
        actor: &Actor,
        after: &OrderRow,
        what: &str,
        now: Timestamp,
    ) -> Result<(), OrderError> {
        if actor.channel != Channel::Panel {
            return Ok(order_edits::set_undo(tx, after.id, None)?);
        }
        let before = Self {
            by: actor.person,
            what: what.to_owned(),
            until: now.plus(ANNOUNCE_AFTER),
            revision: after.revision,
            ..self
        };
        let text = serde_json::to_string(&before).ok();
        Ok(order_edits::set_undo(tx, after.id, text.as_deref())?)
    }

    fn load(conn: &Connection, order: &OrderRow) -> Result<Option<Self>, OrderError> {
        let undo = order_edits::kept(conn, order.id)?.undo;
        let before: Option<Self> = undo.and_then(|text| serde_json::from_str(&text).ok());
        // What 1C has taken over meanwhile is not taken back behind its back.
        Ok(before.filter(|before| {
            before.revision == order.revision && order.onec_acknowledged_at.is_none()
        }))
    }
}

/// What can be taken back of the order at this moment.
pub(super) fn undoable(
    conn: &Connection,
    order: &OrderRow,
) -> Result<Option<Undoable>, OrderError> {
    let before = Before::load(conn, order)?;
    Ok(before.map(|before| Undoable {
        by: before.by,
        what: before.what,
        tells: before.told.is_some(),
        until: before.until,
    }))
}

impl Ordering {
    /// Takes back the last change of an order, if it is the actor's own and nobody was told of it.
    ///
    /// # Errors
    ///
    /// [`OrderError::TooLate`].
    pub async fn undo(&self, actor: Actor, id: OrderId) -> Result<OrderView, OrderError> {
        let now = self.now();
        self.change_order(id, move |tx, order| {
            let before = Before::load(tx, order)?.ok_or(OrderError::TooLate)?;
            if now >= before.until || before.by != actor.person {
                return Err(OrderError::TooLate);
            }
            notices::withdraw(tx, id)?;
            if let Some(event) = before.told {
                order_edits::not_told(tx, event, "Изменения не отправлены")?;
            }
            order_edits::restore_lines(tx, id, &before.lines)?;
            let (delivery, address) = (before.delivery, &before.address);
            orders::set_checkout(tx, id, delivery, address, &order.comment)?;
            let (status, manager) = (before.status, before.manager);
            order_edits::restore_status(tx, id, status, &before.reason, manager, now)?;
            order_edits::set_shown(tx, id, before.shown.as_deref())?;
            order_edits::set_undo(tx, id, None)?;
            orders::refresh_total(tx, id, now)?;
            let text = format!("Отменено: {}", before.what);
            note(tx, &actor, id, "line", &text, false, now)?;
            notices::refresh_staff_cards(tx, id, now)
        })
        .await
    }
}
