//! Sending: a draft becomes an order.

use std::collections::HashMap;

use rusqlite::{Connection, Transaction};

use super::change::note;
use super::draft::{owned, settle};
use super::edit::tell_before;
use super::{Actor, OrderError, Ordering, Party, join, notices, order_of, price_type};
use crate::config::Config;
use crate::domain::{
    Channel, Chooser, DraftId, LineState, MemberState, Money, OrderId, OrderLineId, OrderStatus,
    OrganizationId, PersonId, ProductId, Timestamp,
};
use crate::services::live::Change;
use crate::services::notifications::Notice;
use crate::storage::drafts::{self, DraftLineRow, DraftRow};
use crate::storage::offers::{self, Offer};
use crate::storage::orders::{self, NewOrder, OrderLineRow, OrderRow};
use crate::storage::{StorageError, members, organizations, words};

/// How long the buyer can take a cancellation back.
const UNDO_FOR: std::time::Duration = std::time::Duration::from_mins(10);

/// What came of sending.
#[derive(Debug, Clone)]
pub enum Placed {
    /// The order is there.
    Sent {
        /// The order.
        order: OrderRow,
        /// How many of the buyer's names were learnt.
        learnt: usize,
    },
    /// It had been sent before: this is the order.
    Already(OrderRow),
    /// The order that was being changed is changed.
    Changed(OrderRow),
    /// It looks like this order of the last day: nothing is sent until the buyer says so.
    Duplicate(OrderRow),
    /// Prices have moved since the buyer saw them: nothing is sent. Each line says what.
    PricesMoved(Vec<String>),
}

/// Whether this party may still change the order: one who may not send only before an owner does.
pub(super) fn editable_by(party: &Party, order: &OrderRow) -> bool {
    order.is_open_to_buyer() && (party.may_send || order.status != OrderStatus::New)
}

/// The order that a sent draft became, changed or was added to.
pub(super) fn sent_as(
    conn: &Connection,
    draft: &DraftRow,
) -> Result<Option<OrderRow>, StorageError> {
    match draft.edits.filter(|_| draft.state == "sent") {
        Some(order) => orders::find(conn, order),
        None => orders::find_by_draft(conn, draft.id),
    }
}

impl Ordering {
    /// Sends the party's draft: the order, its lines, its number, what is learnt from the buyer's
    /// choices and the managers' notification commit together, once.
    ///
    /// Sent again, it answers with the order that there is. Unless the buyer is `sure`, what looks
    /// like an order of the last day is not sent.
    ///
    /// # Errors
    ///
    /// [`OrderError::Guest`], [`OrderError::NoOrganization`], [`OrderError::Empty`],
    /// [`OrderError::Gone`], [`OrderError::Stale`].
    pub async fn place(
        &self,
        party: &Party,
        draft: DraftId,
        version: i64,
        sure: bool,
    ) -> Result<Placed, OrderError> {
        let (party, now, config) = (party.clone(), self.now(), self.base.config.clone());
        let placed = self
            .base
            .db
            .write(move |tx| {
                let row = owned(tx, &party, draft)?;
                if let Some(order) = sent_as(tx, &row)? {
                    return Ok(Placed::Already(order));
                }
                if row.state != "open" || row.revision != version {
                    return Err(OrderError::Stale);
                }
                let sender = party.person.ok_or(OrderError::Guest)?;
                let organization = party.organization.ok_or(OrderError::NoOrganization)?;
                let placed_by = party.for_client.then_some(sender);
                let author = match placed_by {
                    Some(_) => first_member(tx, organization)?.unwrap_or(sender),
                    None => sender,
                };
                let lines = drafts::lines(tx, draft)?;
                if lines.is_empty() {
                    return Err(OrderError::Empty);
                }
                let offers = offers_of(tx, &lines, organization)?;
                if let Some(moved) = moved_prices(tx, &party, &row, &lines, &offers, now)? {
                    return Ok(Placed::PricesMoved(moved));
                }
                if !sure
                    && row.edits.is_none()
                    && let Some(order) = join::twin(tx, organization, &lines, &offers, now)?
                {
                    return Ok(Placed::Duplicate(order));
                }
                if let Some(order) = row.edits {
                    return change_order(tx, &config, &party, (&row, order), &lines, &offers, now);
                }
                let status = if party.may_send { OrderStatus::New } else { OrderStatus::Approval };
                let order = NewOrder {
                    uuid: uuid::Uuid::new_v4().to_string(),
                    draft: Some(draft),
                    organization,
                    author,
                    placed_by,
                    status,
                    source: Channel::Bot,
                    delivery: row.delivery,
                    address: row.address.clone(),
                    comment: row.comment.clone(),
                    total: Money::ZERO,
                    at: now,
                };
                let number = orders::next_number(tx)?;
                let id = orders::insert(tx, number, &order)?;
                write_lines(tx, id, 0, &lines, &offers, now)?;
                let learnt = learn(tx, organization, id, &lines, now)?;
                if !row.address.is_empty() {
                    organizations::use_address(tx, organization, &row.address, now)?;
                }
                drafts::set_state(tx, draft, "sent", now)?;
                let how = if placed_by.is_some() {
                    "оформлена за клиента"
                } else {
                    "отправлена"
                };
                let text = format!("Заявка {how}: {}", crate::domain::ru::positions(lines.len()));
                note(tx, &Actor::buyer(&party), id, "created", &text, false, now)?;
                if status == OrderStatus::New {
                    notices::to_staff(tx, &config, Notice::StaffOrder { order: id }, now)?;
                } else {
                    notices::ask_approval(tx, &config, organization, id, now)?;
                }
                if placed_by.is_some() && author != sender {
                    let notice = Notice::PlacedForClient { order: id };
                    notices::to_person(tx, author, notice, now)?;
                }
                let order = orders::find(tx, id)?.ok_or(OrderError::NotFound)?;
                Ok(Placed::Sent { order, learnt })
            })
            .await?;
        if let Placed::Sent { order, .. } | Placed::Changed(order) = &placed {
            self.base.live.tell(Change::Order(order.id));
            self.base.live.tell(Change::Outbox);
        }
        Ok(placed)
    }

    /// An owner sends a viewer's order.
    pub async fn approve(
        &self,
        party: &Party,
        order: OrderId,
        version: i64,
    ) -> Result<OrderRow, OrderError> {
        let (next, text) = (OrderStatus::New, "Заявка согласована и отправлена");
        self.move_by_buyer(party, order, next, (text, ""), move |row, _| {
            let current = row.status == OrderStatus::Approval && row.revision == version;
            if current { Ok(true) } else { Err(OrderError::Stale) }
        })
        .await
    }

    /// An owner returns a viewer's order to its author, who reads the comment (it may be empty),
    /// changes the order and asks again.
    ///
    /// # Errors
    ///
    /// [`OrderError::Stale`] when another owner was first, or the order has changed since `version`.
    pub async fn return_order(
        &self,
        party: &Party,
        order: OrderId,
        version: i64,
        comment: &str,
    ) -> Result<OrderRow, OrderError> {
        let comment = crate::formats::text::one_line(&crate::domain::ru::ellipsis(comment, 500));
        let text = match comment.as_str() {
            "" => "Заявка возвращена".to_owned(),
            comment => format!("Заявка возвращена: {comment}"),
        };
        self.move_by_buyer(party, order, OrderStatus::Draft, (&text, &comment), move |row, _| {
            if row.is_returned() {
                return Ok(false);
            }
            let current = row.status == OrderStatus::Approval && row.revision == version;
            if current { Ok(true) } else { Err(OrderError::Stale) }
        })
        .await
    }

    /// The buyer takes the order back, for this reason; it may be empty.
    ///
    /// # Errors
    ///
    /// [`OrderError::TooLate`] when the order is already being picked.
    pub async fn cancel(
        &self,
        party: &Party,
        order: OrderId,
        version: i64,
        reason: &str,
    ) -> Result<OrderRow, OrderError> {
        let text = match reason {
            "" => "Заявка отменена клиентом".to_owned(),
            reason => format!("Заявка отменена клиентом: {reason}"),
        };
        self.move_by_buyer(party, order, OrderStatus::Cancelled, (&text, ""), move |row, _| {
            if row.status == OrderStatus::Cancelled {
                return Ok(false);
            }
            if !row.is_cancellable_by_buyer() {
                return Err(OrderError::TooLate);
            }
            if row.revision == version { Ok(true) } else { Err(OrderError::Stale) }
        })
        .await
    }

    /// The buyer's cancelled order stands again: for ten minutes, while nobody has taken it. That of
    /// one who may not send waits for an owner again.
    pub async fn restore_order(
        &self,
        party: &Party,
        order: OrderId,
        version: i64,
    ) -> Result<OrderRow, OrderError> {
        let next = if party.may_send { OrderStatus::New } else { OrderStatus::Approval };
        let text = "Отмена заявки снята";
        self.move_by_buyer(party, order, next, (text, ""), move |row, now| {
            if row.status == next {
                return Ok(false);
            }
            let late = now.since(row.updated_at) > UNDO_FOR || row.manager.is_some();
            if row.status != OrderStatus::Cancelled || row.revision != version || late {
                return Err(OrderError::TooLate);
            }
            Ok(true)
        })
        .await
    }

    /// A move of the organization's order: staff are shown it, owners what waits for them, and the
    /// author is told of what another did. `text` is for the timeline, with the reason that the
    /// order itself shows. `check` refuses it, or answers `false` when it has been made before.
    async fn move_by_buyer(
        &self,
        party: &Party,
        order: OrderId,
        next: OrderStatus,
        (text, reason): (&str, &str),
        check: impl FnOnce(&OrderRow, Timestamp) -> Result<bool, OrderError> + Send + 'static,
    ) -> Result<OrderRow, OrderError> {
        let (party, now, config) = (party.clone(), self.now(), self.base.config.clone());
        let (text, reason) = (text.to_owned(), reason.to_owned());
        let order = self
            .base
            .db
            .write(move |tx| {
                let row = order_of(tx, &party, order)?;
                if !check(&row, now)? {
                    return Ok(row);
                }
                orders::set_status(tx, order, next, &reason, now)?;
                let event = note(tx, &Actor::buyer(&party), order, "status", &text, false, now)?;
                let waited = matches!(row.status, OrderStatus::Approval | OrderStatus::Draft);
                if next == OrderStatus::Approval {
                    notices::ask_approval(tx, &config, row.organization, order, now)?;
                } else if !waited || next == OrderStatus::New {
                    notices::to_staff(tx, &config, Notice::StaffOrder { order }, now)?;
                }
                if let Some(manager) = row.manager.filter(|_| next == OrderStatus::Cancelled) {
                    // Off shift or not, who works on it must stop.
                    let stop = Notice::OrderMessage { order, event };
                    notices::to_person(tx, manager, stop, now)?;
                }
                if party.person != Some(row.author) {
                    notices::to_person(
                        tx,
                        row.author,
                        Notice::OrderStatus { order, told: None },
                        now,
                    )?;
                }
                orders::find(tx, order)?.ok_or(OrderError::NotFound)
            })
            .await?;
        self.told(order.id);
        Ok(order)
    }

    /// Forgets the names learnt from an order; how many.
    pub async fn unlearn(&self, party: &Party, order: OrderId) -> Result<usize, OrderError> {
        let party = party.clone();
        self.base
            .db
            .write(move |tx| {
                order_of(tx, &party, order)?;
                Ok(words::unlearn(tx, order)?)
            })
            .await
    }

    pub(super) fn told(&self, order: OrderId) {
        self.base.live.tell(Change::Order(order));
        self.base.live.tell(Change::Outbox);
    }
}

/// Whose an order is that a manager writes: an owner's, or else any member's.
fn first_member(
    tx: &Transaction<'_>,
    organization: OrganizationId,
) -> Result<Option<PersonId>, OrderError> {
    let people = members::of_organization(tx, organization)?;
    let active = people.iter().filter(|member| member.state == MemberState::Active);
    Ok(active.max_by_key(|member| member.role).map(|member| member.person))
}

pub(super) fn offers_of(
    tx: &Connection,
    lines: &[DraftLineRow],
    organization: OrganizationId,
) -> Result<HashMap<ProductId, Offer>, OrderError> {
    let price_type = price_type(tx, Some(organization))?;
    Ok(offers::load(tx, lines.iter().filter_map(|line| line.product), price_type)?)
}

/// What has changed since the buyer saw the draft. The draft then shows the new prices, and its
/// revision grows, so that the buyer decides with open eyes.
fn moved_prices(
    tx: &Transaction<'_>,
    party: &Party,
    draft: &DraftRow,
    lines: &[DraftLineRow],
    offers: &HashMap<ProductId, Offer>,
    now: Timestamp,
) -> Result<Option<Vec<String>>, OrderError> {
    let mut moved = Vec::new();
    let mut gone = 0;
    for line in lines {
        let Some(product) = line.product else { continue };
        let offer = offers.get(&product).filter(|offer| !offer.gone);
        let price = offer.and_then(|offer| offer.price);
        match offer {
            None => gone += 1,
            Some(offer) if price != line.price && party.sees_prices => {
                let say = |price: Option<crate::domain::Price>| {
                    price.map_or_else(|| "без цены".to_owned(), |price| price.to_string())
                };
                let (was, now) = (say(line.price), say(price));
                moved.push(format!("{}. {}: было {was}, стало {now}", line.position, offer.title));
            }
            Some(_) => {}
        }
    }
    if gone == 0 && moved.is_empty() {
        return Ok(None);
    }
    for line in lines {
        let mut line = line.clone();
        settle(tx, party, &mut line)?;
        drafts::update_line(tx, &line)?;
    }
    drafts::touch(tx, draft.id, now)?;
    if gone > 0 {
        moved.push(match gone {
            1 => "1\u{a0}позиция снята с продажи".to_owned(),
            n => format!("{} снято с продажи", crate::domain::ru::positions(n)),
        });
    }
    Ok(Some(moved))
}

/// Writes the draft's lines as the order's. What the buyer left open becomes the manager's; what
/// is no longer sold goes to the manager too, with the buyer's words. `after`: the last position
/// that is there.
pub(super) fn write_lines(
    tx: &Transaction<'_>,
    order: OrderId,
    after: i64,
    lines: &[DraftLineRow],
    offers: &HashMap<ProductId, Offer>,
    now: Timestamp,
) -> Result<(), OrderError> {
    for (line, position) in lines.iter().zip(after + 1..) {
        // A known product stays even if the buyer left the quantity open.
        let offer = line.product.filter(|_| line.state != LineState::Gone);
        let offer = offer.and_then(|id| offers.get(&id));
        let base_quantity =
            offer.zip(line.quantity).and_then(|(offer, q)| offer.base_quantity(q, &line.unit));
        let certain = base_quantity.is_some() && line.state == LineState::Ok;
        let mut candidates = line.candidates.clone();
        if let Some(product) = line.product.filter(|_| offer.is_none())
            && !candidates.contains(&product)
        {
            candidates.insert(0, product);
        }
        orders::insert_line(
            tx,
            order,
            &OrderLineRow {
                id: OrderLineId(0),
                order,
                position,
                raw: line.raw.clone(),
                phrase: line.phrase.clone(),
                state: if certain { LineState::Ok } else { LineState::Manager },
                product: offer.map(|offer| offer.id),
                title: offer.map(|offer| offer.title.clone()).unwrap_or_default(),
                sku: offer.map(|offer| offer.sku.clone()).unwrap_or_default(),
                quantity: line.quantity,
                unit: line.unit.clone(),
                base_quantity,
                base_unit: offer.map(|offer| offer.unit.as_str().to_owned()).unwrap_or_default(),
                price: offer.and_then(|offer| offer.price),
                sum: offer.zip(base_quantity).and_then(|(offer, base)| offer.sum(base)),
                candidates,
                trace: line.trace.clone(),
                chosen_by: line.chosen.then_some(Chooser::Buyer).filter(|_| offer.is_some()),
            },
        )?;
    }
    orders::refresh_total(tx, order, now)?;
    Ok(())
}

/// Learns the buyer's own choices; how many were news.
fn learn(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    order: OrderId,
    lines: &[DraftLineRow],
    now: Timestamp,
) -> Result<usize, OrderError> {
    let mut learnt = 0;
    for line in lines.iter().filter(|line| line.chosen && !line.phrase.is_empty()) {
        if let (LineState::Ok, Some(product)) = (line.state, line.product)
            && words::learn(tx, organization, &line.phrase, product, Some(order), now)?
        {
            learnt += 1;
        }
    }
    Ok(learnt)
}

fn change_order(
    tx: &Transaction<'_>,
    config: &Config,
    party: &Party,
    (draft, order): (&DraftRow, OrderId),
    lines: &[DraftLineRow],
    offers: &HashMap<ProductId, Offer>,
    now: Timestamp,
) -> Result<Placed, OrderError> {
    let row = order_of(tx, party, order)?;
    if !editable_by(party, &row) {
        return Err(OrderError::TooLate);
    }
    tell_before(tx, &row, now)?;
    let before = orders::lines(tx, order)?;
    orders::remove_lines(tx, order)?;
    write_lines(tx, order, 0, lines, offers, now)?;
    orders::set_checkout(tx, order, draft.delivery, &draft.address, &draft.comment)?;
    drafts::set_state(tx, draft.id, "sent", now)?;
    let text = format!(
        "Клиент изменил заявку: было {}, стало {}",
        crate::domain::ru::positions(before.len()),
        crate::domain::ru::positions(lines.len())
    );
    let by = Actor::buyer(party);
    note(tx, &by, order, "line", &text, false, now)?;
    match row.status {
        OrderStatus::New => notices::refresh_staff_cards(tx, order, now)?,
        // What was returned goes the way of a new one.
        OrderStatus::Draft if party.may_send => {
            orders::set_status(tx, order, OrderStatus::New, "", now)?;
            note(tx, &by, order, "status", "Заявка отправлена", false, now)?;
            notices::to_staff(tx, config, Notice::StaffOrder { order }, now)?;
        }
        OrderStatus::Draft => {
            orders::set_status(tx, order, OrderStatus::Approval, "", now)?;
            note(tx, &by, order, "status", "Заявка снова на согласовании", false, now)?;
            notices::ask_approval(tx, config, row.organization, order, now)?;
        }
        // The owners' card shows it as it is now.
        _ => notices::ask_approval(tx, config, row.organization, order, now)?,
    }
    Ok(Placed::Changed(orders::find(tx, order)?.ok_or(OrderError::NotFound)?))
}
