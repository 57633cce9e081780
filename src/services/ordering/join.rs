//! A draft that meets an order: one that it repeats, or one that it is added to.

use std::collections::HashMap;

use rusqlite::{Connection, Transaction};

use super::change::note;
use super::draft::owned;
use super::edit::tell_before;
use super::place::{editable_by, offers_of, sent_as, write_lines};
use super::{Actor, OrderError, OrderPage, Ordering, Party, notices, order_of};
use crate::domain::{
    DraftId, Money, OrderId, OrderStatus, OrganizationId, ProductId, Quantity, Timestamp, ru,
};
use crate::services::notifications::Notice;
use crate::storage::drafts::{self, DraftLineRow};
use crate::storage::offers::Offer;
use crate::storage::orders::{self, OrderFilter, OrderRow};

/// How long an order is looked at as one that may have been sent twice.
const TWIN_WITHIN: std::time::Duration = std::time::Duration::from_hours(24);
/// How many of the newest orders are compared.
const COMPARED: u32 = 20;
/// Which part of the lines must be equal, in percent.
const EQUAL_PERCENT: usize = 80;
/// The statuses in which something can still be added.
const OPEN: [OrderStatus; 5] = [
    OrderStatus::Approval,
    OrderStatus::New,
    OrderStatus::NeedsClient,
    OrderStatus::Accepted,
    OrderStatus::Picking,
];

/// What came of adding a draft to an order.
#[derive(Debug, Clone)]
pub enum Joined {
    /// The order has the lines.
    Merged(OrderRow),
    /// The order is already in work: its manager is asked.
    Asked(OrderRow),
}

impl Ordering {
    /// The organization's orders that something can still be added to, newest first.
    pub async fn open_orders(
        &self,
        party: &Party,
        offset: u32,
        limit: u32,
    ) -> Result<OrderPage, OrderError> {
        if party.person.is_none() || party.organization.is_none() {
            return Ok(OrderPage { orders: Vec::new(), total: 0, sum: Money::ZERO });
        }
        let filter = OrderFilter {
            organization: party.organization,
            statuses: OPEN.to_vec(),
            ..OrderFilter::default()
        };
        self.orders(filter, offset, limit).await
    }

    /// Adds the draft's lines to an order of the organization; to one in work as a request to its
    /// manager. The draft is done with then. Added again, it answers with the order that has it.
    ///
    /// # Errors
    ///
    /// [`OrderError::TooLate`] when the order is on its way; [`OrderError::Stale`],
    /// [`OrderError::Empty`], [`OrderError::Guest`].
    pub async fn add_to_order(
        &self,
        party: &Party,
        draft: DraftId,
        version: i64,
        order: OrderId,
    ) -> Result<Joined, OrderError> {
        let (party, now, config) = (party.clone(), self.now(), self.base.config.clone());
        let joined = self
            .base
            .db
            .write(move |tx| {
                let row = owned(tx, &party, draft)?;
                let target = order_of(tx, &party, order)?;
                let sent = sent_as(tx, &row)?.is_some_and(|sent| sent.id == order);
                if sent {
                    let own = target.is_open_to_buyer();
                    return Ok(if own { Joined::Merged(target) } else { Joined::Asked(target) });
                }
                if row.state != "open" || row.revision != version || row.edits.is_some() {
                    return Err(OrderError::Stale);
                }
                if !OPEN.contains(&target.status) {
                    return Err(OrderError::TooLate);
                }
                party.person.ok_or(OrderError::Guest)?;
                let lines = drafts::lines(tx, draft)?;
                if lines.is_empty() {
                    return Err(OrderError::Empty);
                }
                let offers = offers_of(tx, &lines, target.organization)?;
                let own = editable_by(&party, &target);
                let by = Actor::buyer(&party);
                let event = |kind, text: &str| note(tx, &by, order, kind, text, false, now);
                drafts::set_edits(tx, draft, order)?;
                drafts::set_state(tx, draft, "sent", now)?;
                if !own {
                    let event = event("message", &request(&lines, &offers))?;
                    let notice = Notice::OrderMessage { order, event };
                    match target.manager {
                        Some(manager) => notices::to_person(tx, manager, notice, now)?,
                        None => notices::to_staff(tx, &config, notice, now)?,
                    }
                    return Ok(Joined::Asked(target));
                }
                tell_before(tx, &target, now)?;
                let present = orders::lines(tx, order)?;
                let last = present.last().map_or(0, |line| line.position);
                write_lines(tx, order, last, &lines, &offers, now)?;
                let added = ru::positions_accusative(lines.len());
                event("line", &format!("Клиент добавил {added}"))?;
                if target.status == OrderStatus::New {
                    notices::refresh_staff_cards(tx, order, now)?;
                }
                Ok(Joined::Merged(orders::find(tx, order)?.ok_or(OrderError::NotFound)?))
            })
            .await?;
        self.told(order);
        Ok(joined)
    }
}

/// The words to the manager of an order in work.
fn request(lines: &[DraftLineRow], offers: &HashMap<ProductId, Offer>) -> String {
    let lines = lines.iter().map(|line| {
        let offer = line.product.and_then(|product| offers.get(&product));
        let Some(offer) = offer else { return format!("• {}", line.raw) };
        let unit = if line.unit.is_empty() { offer.unit.as_str() } else { &line.unit };
        let amount = line.quantity.map(|quantity| format!(" — {}", quantity.with_unit(unit)));
        format!("• {}{}", offer.title, amount.unwrap_or_default())
    });
    let text = format!("Просим добавить:\n{}", lines.collect::<Vec<_>>().join("\n"));
    ru::ellipsis(&text, 3_000)
}

/// A line as it is compared: a product with its quantity, or the buyer's words.
type Key = (Option<ProductId>, Option<Quantity>, String);

/// The organization's order of the last day that most of these lines repeat.
pub(super) fn twin(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    lines: &[DraftLineRow],
    offers: &HashMap<ProductId, Offer>,
    now: Timestamp,
) -> Result<Option<OrderRow>, OrderError> {
    let keys: Vec<Key> = lines
        .iter()
        .map(|line| {
            let offer = line.product.and_then(|product| offers.get(&product));
            let base = offer.zip(line.quantity).and_then(|(o, q)| o.base_quantity(q, &line.unit));
            key(line.product, base.or(line.quantity), &line.raw)
        })
        .collect();
    let filter = OrderFilter { organization: Some(organization), ..OrderFilter::default() };
    for order in orders::list(tx, &filter, 0, COMPARED)? {
        if now.since(order.created_at) > TWIN_WITHIN {
            break;
        }
        let dropped = matches!(order.status, OrderStatus::Cancelled | OrderStatus::Rejected);
        if !dropped && is_twin(tx, &order, &keys)? {
            return Ok(Some(order));
        }
    }
    Ok(None)
}

fn is_twin(conn: &Connection, order: &OrderRow, keys: &[Key]) -> Result<bool, OrderError> {
    let mut left: Vec<Key> = orders::lines(conn, order.id)?
        .iter()
        .map(|line| key(line.product, line.base_quantity.or(line.quantity), &line.raw))
        .collect();
    let all = left.len().max(keys.len());
    let mut equal = 0;
    for key in keys {
        if let Some(place) = left.iter().position(|other| other == key) {
            left.swap_remove(place);
            equal += 1;
        }
    }
    Ok(equal * 100 >= all * EQUAL_PERCENT)
}

fn key(product: Option<ProductId>, quantity: Option<Quantity>, raw: &str) -> Key {
    let words = raw.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    (product, quantity, if product.is_some() { String::new() } else { words })
}
