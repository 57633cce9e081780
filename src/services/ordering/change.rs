//! What the changes of an order share: the version that was seen, the entry in the timeline, the
//! order as it is afterwards.

use rusqlite::Transaction;

use super::staff::{OrderView, whole};
use super::{Actor, OrderError, Ordering};
use crate::domain::{OrderId, Timestamp};
use crate::storage::StorageError;
use crate::storage::orders::{self, NewOrderEvent, OrderRow};

impl Ordering {
    /// Changes an order in one transaction and answers with the order as it is then.
    pub(super) async fn change_order(
        &self,
        id: OrderId,
        change: impl FnOnce(&Transaction<'_>, &OrderRow) -> Result<(), OrderError> + Send + 'static,
    ) -> Result<OrderView, OrderError> {
        let view = self
            .base
            .db
            .write(move |tx| {
                let order = orders::find(tx, id)?.ok_or(OrderError::NotFound)?;
                change(tx, &order)?;
                let order = orders::find(tx, id)?.ok_or(OrderError::NotFound)?;
                whole(tx, order)
            })
            .await?;
        self.told(id);
        Ok(view)
    }
}

/// Refuses a change of an order that is not as the one who changes it saw it.
pub(super) fn current(order: &OrderRow, version: Option<i64>) -> Result<(), OrderError> {
    let current = version.is_none_or(|version| version == order.revision);
    if current { Ok(()) } else { Err(OrderError::Stale) }
}

/// Writes an entry of the timeline; its number.
pub(super) fn note(
    tx: &Transaction<'_>,
    actor: &Actor,
    order: OrderId,
    kind: &str,
    text: &str,
    to_client: bool,
    now: Timestamp,
) -> Result<i64, StorageError> {
    orders::insert_event(
        tx,
        NewOrderEvent {
            order,
            at: now,
            channel: actor.channel,
            person: actor.person,
            kind,
            text,
            to_client,
        },
    )
}
