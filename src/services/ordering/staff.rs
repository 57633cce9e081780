//! Orders from the company's side, and as their buyers list them.

use std::time::Duration;

use rusqlite::{Connection, Transaction};

use super::change::note;
use super::edit::{self, Shown};
use super::undo::{self, ANNOUNCE_AFTER, Before, Undoable};
use super::{Actor, OrderError, Ordering, Party, bare, notices, order_of, price_type};
use crate::domain::{
    Channel, Chooser, Delivery, LineState, Money, OrderId, OrderLineId, OrderNumber, OrderStatus,
    OrganizationId, PersonId, ProductId, Quantity, Timestamp,
};
use crate::services::notifications::Notice;
use crate::services::questions::{Attachment, Said};
use crate::storage::offers::{self, Offer};
use crate::storage::orders::{
    self, AskingOrder, OrderEventRow, OrderFilter, OrderLineRow, OrderRow,
};

/// A message that has waited for longer is no news any more; it stays in its order.
const NEWS: Duration = Duration::from_hours(24 * 30);

/// A page of a list.
#[derive(Debug, Clone)]
pub struct OrderPage {
    /// The orders, newest first.
    pub orders: Vec<OrderRow>,
    /// How many the filter lets through in all.
    pub total: u32,
    /// What they come to.
    pub sum: Money,
}

/// A change of many orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bulk {
    /// To this status; why, where the client is told.
    Status(OrderStatus, String),
    /// To this manager, or to nobody.
    Manager(Option<PersonId>),
    /// To be delivered then.
    Delivery(Delivery),
}

/// What became of a change of many orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BulkOutcome {
    /// How many are changed, or stood so already.
    pub updated: u32,
    /// Those that could not be changed, and why.
    pub skipped: Vec<(OrderNumber, String)>,
}

/// An order with all that belongs to it.
#[derive(Debug, Clone)]
pub struct OrderView {
    /// The order.
    pub order: OrderRow,
    /// Its lines, in order.
    pub lines: Vec<OrderLineRow>,
    /// Its timeline, oldest first.
    pub events: Vec<OrderEventRow>,
    /// What the catalogue says now of its lines' products and of the candidates.
    pub offers: Vec<Offer>,
    /// What the client has not been told yet, a line each.
    pub unsent: Vec<String>,
    /// The last change, where it can still be taken back.
    pub undo: Option<Undoable>,
}

impl OrderView {
    /// What the catalogue says now of a product.
    pub fn offer(&self, product: ProductId) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.id == product)
    }

    /// The entries of the timeline that brought the client a file, oldest first.
    pub fn documents(&self) -> impl Iterator<Item = &OrderEventRow> {
        self.events.iter().filter(|entry| entry.to_client && entry.attachment.is_some())
    }

    /// How many lines wait for a manager.
    pub fn unresolved(&self) -> usize {
        self.lines.iter().filter(|line| line.state != LineState::Ok).count()
    }
}

impl Ordering {
    /// A page of the orders that the filter lets through, newest first.
    pub async fn orders(
        &self,
        filter: OrderFilter,
        offset: u32,
        limit: u32,
    ) -> Result<OrderPage, OrderError> {
        let filter = self.with_products(filter).await?;
        self.base
            .db
            .read(move |conn| {
                let (orders, total, sum) = orders::page(conn, &filter, offset, limit)?;
                Ok(OrderPage { orders, total, sum })
            })
            .await
    }

    /// How many orders stand at each of these statuses; statuses without orders are absent.
    pub async fn counts(
        &self,
        statuses: &[OrderStatus],
    ) -> Result<Vec<(OrderStatus, u32)>, OrderError> {
        let statuses = statuses.to_vec();
        Ok(self.base.db.read(move |conn| orders::count_by_status(conn, &statuses)).await?)
    }

    /// How many orders each of these filters lets through. They name no product by words: those
    /// are looked for by [`Ordering::orders`], one list at a time.
    pub async fn count_each(&self, filters: Vec<OrderFilter>) -> Result<Vec<u32>, OrderError> {
        let read = move |conn: &Connection| {
            let counts = filters.iter().map(|filter| orders::count(conn, filter));
            Ok::<_, OrderError>(counts.collect::<Result<_, _>>()?)
        };
        self.base.db.read(read).await
    }

    /// Orders about which their clients have written in the last month and got no answer, the
    /// longest waiting first.
    pub async fn asking(&self) -> Result<Vec<AskingOrder>, OrderError> {
        let since = self.now().minus(NEWS);
        Ok(self.base.db.read(move |conn| orders::list_asking(conn, since)).await?)
    }

    /// An order with its lines and timeline, for staff.
    pub async fn order(&self, id: OrderId) -> Result<OrderView, OrderError> {
        self.base
            .db
            .read(move |conn| {
                let order = orders::find(conn, id)?.ok_or(OrderError::NotFound)?;
                whole(conn, order)
            })
            .await
    }

    /// The order with this number, for staff.
    pub async fn order_by_number(&self, number: OrderNumber) -> Result<OrderView, OrderError> {
        self.base
            .db
            .read(move |conn| {
                let order = orders::find_by_number(conn, number)?.ok_or(OrderError::NotFound)?;
                whole(conn, order)
            })
            .await
    }

    /// A page of the orders of the party's organization, newest first; with `mine` only of those
    /// that the person sent.
    pub async fn own_orders(
        &self,
        party: &Party,
        mine: bool,
        offset: u32,
        limit: u32,
    ) -> Result<OrderPage, OrderError> {
        if party.person.is_none() || party.organization.is_none() {
            return Ok(OrderPage { orders: Vec::new(), total: 0, sum: Money::ZERO });
        }
        let filter = OrderFilter {
            organization: party.organization,
            author: party.person.filter(|_| mine),
            ..OrderFilter::default()
        };
        self.orders(filter, offset, limit).await
    }

    /// An order of the party's organization, as they have been told of it.
    pub async fn own_order(&self, party: &Party, id: OrderId) -> Result<OrderView, OrderError> {
        let party = party.clone();
        self.base.db.read(move |conn| seen_by_buyer(conn, &party, id)).await
    }

    /// A manager takes the order. Taken twice by the same manager, it is taken once. `version` guards
    /// against a change that was made meanwhile.
    ///
    /// # Errors
    ///
    /// [`OrderError::Taken`] with the other manager's name; [`OrderError::Stale`].
    pub async fn accept(
        &self,
        actor: Actor,
        id: OrderId,
        version: Option<i64>,
    ) -> Result<OrderRow, OrderError> {
        let now = self.now();
        let order = self
            .base
            .db
            .write(move |tx| {
                let order = orders::find(tx, id)?.ok_or(OrderError::NotFound)?;
                if let Some(manager) = order.manager
                    && order.status == OrderStatus::Accepted
                {
                    if actor.person == Some(manager) {
                        return Ok(order);
                    }
                    return Err(OrderError::Taken { manager: order.manager_name });
                }
                if version.is_some_and(|version| version != order.revision) {
                    return Err(OrderError::Stale);
                }
                move_to(tx, &order, &actor, OrderStatus::Accepted, "", now)?;
                orders::find(tx, id)?.ok_or(OrderError::NotFound)
            })
            .await?;
        self.told(id);
        Ok(order)
    }

    /// Moves an order to `next` and queues what its people are told: both, or neither.
    ///
    /// `reason` is added to what the client reads; it may be empty. `version` guards against a
    /// change that was made meanwhile.
    ///
    /// # Errors
    ///
    /// [`OrderError::NotFound`]; [`OrderError::Stale`]; [`OrderError::Transition`] when `next` does
    /// not follow the status.
    pub async fn set_status(
        &self,
        actor: Actor,
        id: OrderId,
        version: Option<i64>,
        next: OrderStatus,
        reason: &str,
    ) -> Result<OrderRow, OrderError> {
        let (now, reason) = (self.now(), reason.trim().to_owned());
        let order = self
            .base
            .db
            .write(move |tx| {
                let order = orders::find(tx, id)?.ok_or(OrderError::NotFound)?;
                if order.status == next {
                    return Ok(order);
                }
                if version.is_some_and(|version| version != order.revision) {
                    return Err(OrderError::Stale);
                }
                move_to(tx, &order, &actor, next, &reason, now)?;
                orders::find(tx, id)?.ok_or(OrderError::NotFound)
            })
            .await?;
        self.told(id);
        Ok(order)
    }

    /// Changes many orders, each by itself: one that cannot be changed does not hold the others up.
    pub async fn change_many(
        &self,
        actor: Actor,
        ids: Vec<OrderId>,
        change: Bulk,
    ) -> Result<BulkOutcome, OrderError> {
        let mut outcome = BulkOutcome::default();
        for id in ids {
            let order = self.base.db.read(move |conn| orders::find(conn, id)).await?;
            let Some(order) = order else { continue };
            let by = actor.clone();
            let changed = match change.clone() {
                Bulk::Status(next, reason) => {
                    self.set_status(by, id, None, next, &reason).await.map(|_| ())
                }
                Bulk::Manager(manager) => self.assign(by, id, None, manager).await.map(|_| ()),
                Bulk::Delivery(delivery) => {
                    let address = order.address.clone();
                    let edit = edit::Edit::Delivery { delivery, address };
                    match self.edit(by, id, order.revision, edit).await {
                        // It stands so already.
                        Ok(_) | Err(OrderError::Empty) => Ok(()),
                        Err(error) => Err(error),
                    }
                }
            };
            match changed {
                Ok(()) => outcome.updated += 1,
                Err(error @ (OrderError::Storage(_) | OrderError::Catalog(_))) => {
                    return Err(error);
                }
                Err(error) => {
                    let why = match error {
                        OrderError::Transition { from, to, .. } => not_from(from, to),
                        OrderError::Closed(from) if from != OrderStatus::Draft => {
                            format!("уже «{}»", from.staff_label())
                        }
                        OrderError::Closed(from) => not_from(from, from),
                        other => other.to_string(),
                    };
                    outcome.skipped.push((order.number, why));
                }
            }
        }
        Ok(outcome)
    }

    /// The orders that the filter lets through, at most `limit`.
    pub async fn order_ids(
        &self,
        filter: OrderFilter,
        limit: u32,
    ) -> Result<Vec<OrderId>, OrderError> {
        let filter = self.with_products(filter).await?;
        Ok(self.base.db.read(move |conn| orders::ids(conn, &filter, limit)).await?)
    }

    /// The filter with the products that its words mean.
    async fn with_products(&self, filter: OrderFilter) -> Result<OrderFilter, OrderError> {
        if filter.product.trim().is_empty() {
            return Ok(filter);
        }
        let products = Some(self.catalog.named(&filter.product).await?);
        Ok(OrderFilter { products, ..filter })
    }

    /// Writes to the order's people, perhaps with a file; the message stands in the timeline. The
    /// same event writes once.
    pub async fn write_to_client(
        &self,
        actor: Actor,
        id: OrderId,
        said: impl Into<Said>,
        event_key: Option<&str>,
    ) -> Result<(), OrderError> {
        self.add_message(actor, id, said.into(), event_key, true).await
    }

    /// Leaves a note between staff in the timeline.
    pub async fn note(&self, actor: Actor, id: OrderId, text: &str) -> Result<(), OrderError> {
        self.add_message(actor, id, text.into(), None, false).await
    }

    async fn add_message(
        &self,
        actor: Actor,
        id: OrderId,
        said: Said,
        event_key: Option<&str>,
        to_client: bool,
    ) -> Result<(), OrderError> {
        let (now, text) = (self.now(), said.text.trim().to_owned());
        if text.is_empty() {
            return Err(OrderError::Empty);
        }
        let attachment = said.attachment.as_ref().map(Attachment::write).transpose()?;
        let event_key = event_key.map(str::to_owned);
        self.base
            .db
            .write(move |tx| {
                let order = orders::find(tx, id)?.ok_or(OrderError::NotFound)?;
                if orders::has_event(tx, event_key.as_deref())? {
                    return Ok(());
                }
                let event = note(
                    tx,
                    &actor,
                    id,
                    if to_client { "message" } else { "note" },
                    &text,
                    to_client,
                    now,
                )?;
                orders::set_origin(tx, event, event_key.as_deref(), attachment.as_deref())?;
                if to_client {
                    let notice = Notice::OrderMessage { order: id, event };
                    notices::to_person(tx, order.author, notice, now)?;
                }
                Ok::<_, OrderError>(())
            })
            .await?;
        self.told(id);
        Ok(())
    }

    /// The buyer writes to the manager about an order. The same event writes once.
    pub async fn ask_manager(
        &self,
        party: &Party,
        id: OrderId,
        said: impl Into<Said>,
        event_key: &str,
    ) -> Result<OrderRow, OrderError> {
        let (party, now, said) = (party.clone(), self.now(), said.into());
        let text = said.text.trim().to_owned();
        let attachment = said.attachment.as_ref().map(Attachment::write).transpose()?;
        let event_key = event_key.to_owned();
        let config = self.base.config.clone();
        let order = self
            .base
            .db
            .write(move |tx| {
                let order = order_of(tx, &party, id)?;
                if orders::has_event(tx, Some(&event_key))? {
                    return Ok(order);
                }
                let event = note(tx, &Actor::buyer(&party), id, "message", &text, false, now)?;
                orders::set_origin(tx, event, Some(&event_key), attachment.as_deref())?;
                let notice = Notice::OrderMessage { order: id, event };
                match order.manager {
                    Some(manager) => notices::to_person(tx, manager, notice, now)?,
                    None => notices::to_staff(tx, &config, notice, now)?,
                }
                Ok::<_, OrderError>(order)
            })
            .await?;
        self.told(id);
        Ok(order)
    }

    /// The line with its order, for staff.
    pub async fn order_line(
        &self,
        id: OrderLineId,
    ) -> Result<(OrderView, OrderLineRow), OrderError> {
        self.base
            .db
            .read(move |conn| {
                let line = orders::find_line(conn, id)?.ok_or(OrderError::NotFound)?;
                let order = orders::find(conn, line.order)?.ok_or(OrderError::NotFound)?;
                Ok((whole(conn, order)?, line))
            })
            .await
    }
}

/// Why an order that stands at `from` cannot be moved to `to`.
fn not_from(from: OrderStatus, to: OrderStatus) -> String {
    let label = from.staff_label();
    if to.leads_to(from) {
        return format!("уже «{label}»");
    }
    if matches!(from, OrderStatus::Draft | OrderStatus::Approval) {
        return format!("ещё у клиента: «{label}»");
    }
    let allowed: Vec<_> = from.next().iter().map(|s| format!("«{}»", s.staff_label())).collect();
    match allowed.len() {
        0 => format!("сейчас «{label}», этот статус последний"),
        _ => format!("сейчас «{label}», дальше можно: {}", allowed.join(", ")),
    }
}

/// Moves the order, writes the timeline and queues what follows.
pub(super) fn move_to(
    tx: &Transaction<'_>,
    order: &OrderRow,
    actor: &Actor,
    next: OrderStatus,
    reason: &str,
    now: Timestamp,
) -> Result<(), OrderError> {
    let (id, from) = (order.id, order.status);
    let allowed = match actor.channel {
        Channel::Onec => {
            let before = matches!(from, OrderStatus::Draft | OrderStatus::Approval);
            next.settable_by_onec() && !before
        }
        _ => from.can_become(next),
    };
    if !allowed {
        return Err(OrderError::Transition { id, from, to: next });
    }
    let before = Before::of(tx, order)?;
    orders::set_status(tx, id, next, reason, now)?;
    if order.manager.is_none() && actor.person.is_some() && next != OrderStatus::Cancelled {
        orders::set_manager(tx, id, actor.person, now)?;
    }
    let mut text = format!("{} → {}", from.staff_label(), next.staff_label());
    if !reason.is_empty() {
        text = format!("{text}: {reason}");
    }
    note(tx, actor, id, "status", &text, !order.history, now)?;
    // A slip in the panel is taken back before anybody hears of it.
    let due = if actor.channel == Channel::Panel { now.plus(ANNOUNCE_AFTER) } else { now };
    notices::withdraw(tx, id)?;
    let after = orders::find(tx, id)?.ok_or(OrderError::NotFound)?;
    let mut told = None;
    if !matches!(next, OrderStatus::Cancelled | OrderStatus::Rejected) {
        // With the news of the status comes what was changed in the order.
        told = edit::note_changes(tx, &after, actor, now)?;
    }
    if !order.history {
        let key = notices::later(id, format_args!("status:{}", order.revision));
        let notice = Notice::OrderStatus { order: id, told };
        notices::to_person_at(tx, order.author, notice, due, &key)?;
    }
    before.telling(told).offer(tx, actor, &after, &text, now)?;
    notices::refresh_staff_cards(tx, id, now)?;
    Ok(())
}

/// Puts the product into the line, with today's price of the organization. A quantity in a unit
/// that the product does not have stays the manager's.
pub(super) fn fill(
    tx: &Transaction<'_>,
    row: &mut OrderLineRow,
    organization: OrganizationId,
    product: ProductId,
    quantity: Option<Quantity>,
) -> Result<(), OrderError> {
    let price_type = price_type(tx, Some(organization))?;
    let offer =
        offers::load(tx, [product], price_type)?.remove(&product).ok_or(OrderError::NotFound)?;
    if let Some(quantity) = quantity {
        row.quantity = Some(quantity);
        row.unit = String::new();
    }
    if row.product != Some(product) {
        bare::say_pack(&offer, &row.raw, &mut row.quantity, &mut row.unit);
    }
    let base = row.quantity.and_then(|q| offer.base_quantity(q, &row.unit));
    row.state = if base.is_some() { LineState::Ok } else { LineState::Manager };
    if row.product != Some(product) {
        row.chosen_by = Some(Chooser::Manager);
    }
    row.product = Some(product);
    row.title.clone_from(&offer.title);
    row.sku.clone_from(&offer.sku);
    row.base_quantity = base;
    offer.unit.as_str().clone_into(&mut row.base_unit);
    row.price = offer.price;
    row.sum = base.and_then(|base| offer.sum(base));
    Ok(())
}

/// The order, if it is of the party's organization, as they have been told of it.
pub(super) fn seen_by_buyer(
    conn: &rusqlite::Connection,
    party: &Party,
    id: OrderId,
) -> Result<OrderView, OrderError> {
    let order = order_of(conn, party, id)?;
    let mut view = whole(conn, order)?;
    if let Some(shown) = Shown::load(conn, id)? {
        view.lines = shown.lines;
        view.order.delivery = shown.delivery;
        view.order.address = shown.address;
        view.order.total = shown.total;
    }
    Ok(view)
}

pub(super) fn whole(conn: &rusqlite::Connection, order: OrderRow) -> Result<OrderView, OrderError> {
    let lines = orders::lines(conn, order.id)?;
    let events = orders::events(conn, order.id)?;
    let ids = lines.iter().flat_map(|line| line.product.iter().chain(&line.candidates)).copied();
    let price_type = price_type(conn, Some(order.organization))?;
    let offers = offers::load(conn, ids, price_type)?.into_values().collect();
    let unsent = edit::changes(conn, &order)?;
    let undo = undo::undoable(conn, &order)?;
    Ok(OrderView { order, lines, events, offers, unsent, undo })
}
