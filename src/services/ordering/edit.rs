//! Staff change what is in an order. The client sees a change once it is sent to them: until then
//! their own view of the order is kept beside it.

use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};

use super::change::{current, note};
use super::staff::{OrderView, fill};
use super::undo::Before;
use super::{Actor, OrderError, Ordering, notices};
use crate::domain::{
    Channel, Chooser, Delivery, LineState, Money, OrderId, OrderLineId, PersonId, Price, ProductId,
    Quantity, Timestamp, Unit,
};
use crate::services::notifications::Notice;
use crate::storage::order_edits;
use crate::storage::orders::{self, OrderLineRow, OrderRow};
use crate::storage::{organizations, persons, words};

/// A change of what is in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// So many of a line, and of which unit where one is named.
    Quantity {
        /// The line.
        line: OrderLineId,
        /// How many.
        quantity: Quantity,
        /// Of which unit; `None`: of the present one.
        unit: Option<Unit>,
    },
    /// Another price of a line, or the first one of a product that the catalogue has none of.
    Price {
        /// The line; it has a product.
        line: OrderLineId,
        /// The price, above zero.
        price: Price,
    },
    /// Another product in a line.
    Replace {
        /// The line.
        line: OrderLineId,
        /// The product.
        product: ProductId,
        /// Whether the client's words are learnt to mean it.
        remember: bool,
    },
    /// So many of a line become a line of their own.
    Split {
        /// The line.
        line: OrderLineId,
        /// How many go.
        quantity: Quantity,
    },
    /// A new line.
    Add {
        /// The product.
        product: ProductId,
        /// How many.
        quantity: Quantity,
        /// Of which unit; `None`: of the base one.
        unit: Option<Unit>,
    },
    /// A line goes.
    Remove {
        /// The line.
        line: OrderLineId,
    },
    /// When and where to.
    Delivery {
        /// When.
        delivery: Delivery,
        /// Where to; may be empty.
        address: String,
    },
}

/// How a client saw an order before staff changed it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Shown {
    pub(super) lines: Vec<OrderLineRow>,
    pub(super) delivery: Delivery,
    pub(super) address: String,
    pub(super) total: Money,
}

impl Shown {
    fn of(conn: &Connection, order: &OrderRow) -> Result<Self, OrderError> {
        Ok(Self {
            lines: orders::lines(conn, order.id)?,
            delivery: order.delivery,
            address: order.address.clone(),
            total: order.total,
        })
    }

    /// How the client still sees the order; `None`: as it is.
    pub(super) fn load(conn: &Connection, id: OrderId) -> Result<Option<Self>, OrderError> {
        let shown = order_edits::kept(conn, id)?.shown;
        // What cannot be read any more hides nothing.
        Ok(shown.and_then(|text| serde_json::from_str(&text).ok()))
    }
}

impl Ordering {
    /// Changes what is in an order. The client is told nothing yet: see
    /// [`Ordering::send_changes`].
    ///
    /// # Errors
    ///
    /// [`OrderError::Stale`] when the order has changed since `version`; [`OrderError::Closed`]
    /// when nothing more happens to it; [`OrderError::Empty`] for a quantity that is not positive
    /// or, in a split, leaves nothing.
    pub async fn edit(
        &self,
        actor: Actor,
        id: OrderId,
        version: i64,
        edit: Edit,
    ) -> Result<OrderView, OrderError> {
        let now = self.now();
        self.change_order(id, move |tx, order| {
            current(order, Some(version))?;
            if order.status.is_final() {
                return Err(OrderError::Closed(order.status));
            }
            let before = Before::of(tx, order)?;
            if order_edits::kept(tx, id)?.shown.is_none() {
                let shown = serde_json::to_string(&Shown::of(tx, order)?);
                order_edits::set_shown(tx, id, shown.ok().as_deref())?;
            }
            let (kind, text) = apply(tx, order, edit, now)?;
            orders::refresh_total(tx, id, now)?;
            note(tx, &actor, id, kind, &text, false, now)?;
            let order = orders::find(tx, id)?.ok_or(OrderError::NotFound)?;
            if changes(tx, &order)?.is_empty() {
                // What was changed and changed back is no change.
                order_edits::set_shown(tx, id, None)?;
            }
            before.offer(tx, &actor, &order, &text, now)?;
            notices::refresh_staff_cards(tx, id, now)
        })
        .await
    }

    /// Gives an order to a manager, who is told, or to nobody.
    ///
    /// # Errors
    ///
    /// [`OrderError::Stale`] when the order has changed since `version`;
    /// [`OrderError::NotFound`] when there is no such manager.
    pub async fn assign(
        &self,
        actor: Actor,
        id: OrderId,
        version: Option<i64>,
        manager: Option<PersonId>,
    ) -> Result<OrderView, OrderError> {
        let (now, config) = (self.now(), self.base.config.clone());
        self.change_order(id, move |tx, order| {
            current(order, version)?;
            if order.manager == manager {
                return Ok(());
            }
            let name = match manager {
                Some(person) => {
                    let person = persons::find(tx, person)?.ok_or(OrderError::NotFound)?;
                    if !persons::role(tx, &config.access, &person)?.is_staff() {
                        return Err(OrderError::NotFound);
                    }
                    person.name
                }
                None => "никто".to_owned(),
            };
            let before = Before::of(tx, order)?;
            orders::set_manager(tx, id, manager, now)?;
            let was =
                if order.manager_name.is_empty() { "никто" } else { &order.manager_name };
            let text = format!("В работе: {was} → {name}");
            let event = note(tx, &actor, id, "status", &text, false, now)?;
            if let Some(person) = manager.filter(|person| actor.person != Some(*person)) {
                notices::to_person(tx, person, Notice::OrderMessage { order: id, event }, now)?;
            }
            notices::refresh_staff_cards(tx, id, now)?;
            let after = orders::find(tx, id)?.ok_or(OrderError::NotFound)?;
            before.offer(tx, &actor, &after, &text, now)
        })
        .await
    }

    /// Tells the client what has changed in the order since they last saw it.
    ///
    /// # Errors
    ///
    /// [`OrderError::Stale`] when the order has changed since `version`: what would be told is not
    /// what was looked at. [`OrderError::Empty`] when there is nothing to tell.
    pub async fn send_changes(
        &self,
        actor: Actor,
        id: OrderId,
        version: i64,
    ) -> Result<OrderView, OrderError> {
        let now = self.now();
        self.change_order(id, move |tx, order| {
            current(order, Some(version))?;
            tell_changes(tx, order, &actor, now)?.ok_or(OrderError::Empty)?;
            notices::to_person(tx, order.author, Notice::BuyerOrder { order: id }, now)?;
            notices::refresh_staff_cards(tx, id, now)?;
            Ok(order_edits::set_undo(tx, id, None)?)
        })
        .await
    }
}

/// Makes the change; the kind of its entry in the timeline, and the entry.
fn apply(
    tx: &Transaction<'_>,
    order: &OrderRow,
    edit: Edit,
    now: Timestamp,
) -> Result<(&'static str, String), OrderError> {
    let organization = order.organization;
    Ok(match edit {
        Edit::Quantity { line, quantity, unit } => {
            let mut row = line_of(tx, order, line)?;
            let was = amount(&row);
            set_amount(tx, order, &mut row, quantity, unit)?;
            orders::update_line(tx, &row)?;
            ("line", format!("Позиция {}: {was} → {}", row.position, amount(&row)))
        }
        Edit::Price { line, price } => {
            let mut row = line_of(tx, order, line)?;
            let was = set_price(&mut row, price)?;
            orders::update_line(tx, &row)?;
            ("line", format!("Позиция {}: цена {was} → {price}", row.position))
        }
        Edit::Replace { line, product, remember } => {
            let mut row = line_of(tx, order, line)?;
            let (was, before) = (name(&row), row.product);
            fill(tx, &mut row, organization, product, None)?;
            orders::update_line(tx, &row)?;
            if remember && !row.phrase.is_empty() {
                words::correct(tx, organization, &row.phrase, before, product, now)?;
            }
            ("line", format!("Позиция {}: «{was}» → «{}»", row.position, row.title))
        }
        Edit::Split { line, quantity } => {
            let mut row = line_of(tx, order, line)?;
            let whole = row.quantity.ok_or(OrderError::Empty)?;
            let rest = Quantity::from_thousandths(whole.thousandths() - quantity.thousandths());
            if !quantity.is_positive() || !rest.is_positive() {
                return Err(OrderError::Empty);
            }
            set_amount(tx, order, &mut row, rest, None)?;
            orders::update_line(tx, &row)?;
            let mut part = row.clone();
            part.position = next_position(tx, order.id)?;
            set_amount(tx, order, &mut part, quantity, None)?;
            orders::insert_line(tx, order.id, &part)?;
            let (left, gone) = (amount(&row), amount(&part));
            let (from, to) = (row.position, part.position);
            ("line", format!("Позиция {from} разделена: {left} и позиция {to}: {gone}"))
        }
        Edit::Add { product, quantity, unit } => {
            let mut row = OrderLineRow {
                id: OrderLineId(0),
                order: order.id,
                position: next_position(tx, order.id)?,
                raw: String::new(),
                phrase: String::new(),
                state: LineState::Ok,
                product: None,
                title: String::new(),
                sku: String::new(),
                quantity: None,
                unit: String::new(),
                base_quantity: None,
                base_unit: String::new(),
                price: None,
                sum: None,
                candidates: Vec::new(),
                trace: None,
                chosen_by: Some(Chooser::Manager),
            };
            row.product = Some(product);
            set_amount(tx, order, &mut row, quantity, unit)?;
            orders::insert_line(tx, order.id, &row)?;
            (
                "line",
                format!("Добавлена позиция {}: «{}», {}", row.position, row.title, amount(&row)),
            )
        }
        Edit::Remove { line } => {
            let row = line_of(tx, order, line)?;
            if orders::lines(tx, order.id)?.len() < 2 {
                return Err(OrderError::LastLine);
            }
            order_edits::remove_line(tx, line)?;
            ("line", format!("Убрана позиция {}: «{}», {}", row.position, name(&row), amount(&row)))
        }
        Edit::Delivery { delivery, address } => {
            let address = crate::formats::text::one_line(&address);
            let mut parts = Vec::new();
            if delivery != order.delivery {
                let (was, is) = (day(order.delivery), day(delivery));
                parts.push(format!("Доставка: {was} → {is}"));
            }
            if address != order.address {
                let say =
                    |text: &str| if text.is_empty() { "—".to_owned() } else { text.to_owned() };
                parts.push(format!("Адрес: {} → {}", say(&order.address), say(&address)));
            }
            if parts.is_empty() {
                return Err(OrderError::Empty);
            }
            orders::set_checkout(tx, order.id, delivery, &address, &order.comment)?;
            ("delivery", parts.join("\n"))
        }
    })
}

fn line_of(
    conn: &Connection,
    order: &OrderRow,
    line: OrderLineId,
) -> Result<OrderLineRow, OrderError> {
    let row = orders::find_line(conn, line)?.filter(|row| row.order == order.id);
    row.ok_or(OrderError::NotFound)
}

fn next_position(conn: &Connection, order: OrderId) -> Result<i64, OrderError> {
    Ok(orders::lines(conn, order)?.iter().map(|line| line.position).max().unwrap_or(0) + 1)
}

/// Gives the line a price; what it cost before.
fn set_price(row: &mut OrderLineRow, price: Price) -> Result<String, OrderError> {
    if row.product.is_none() || price.amount <= Money::ZERO || row.price == Some(price) {
        return Err(OrderError::Empty);
    }
    let was = cost(row);
    row.price = Some(price);
    if let Some(base) = row.base_quantity {
        row.sum = Some(price.for_quantity(base).ok_or(OrderError::Empty)?);
    }
    Ok(was)
}

/// Sets how many; the price of a product that has one stays that of the order.
fn set_amount(
    tx: &Transaction<'_>,
    order: &OrderRow,
    row: &mut OrderLineRow,
    quantity: Quantity,
    unit: Option<Unit>,
) -> Result<(), OrderError> {
    if !quantity.is_positive() {
        return Err(OrderError::Empty);
    }
    let foreign = row.is_uncounted();
    row.quantity = Some(quantity);
    match unit {
        Some(unit) => unit.as_str().clone_into(&mut row.unit),
        // A number alone does not keep a unit that the product does not have.
        None if foreign => row.unit.clear(),
        None => {}
    }
    if let Some(product) = row.product {
        let agreed = row.price;
        fill(tx, row, order.organization, product, None)?;
        if agreed.is_some() {
            row.price = agreed;
            row.sum =
                agreed.zip(row.base_quantity).and_then(|(price, base)| price.for_quantity(base));
        }
    }
    Ok(())
}

/// Tells the client what has changed, where anything has. The entry of the timeline.
fn tell_changes(
    tx: &Transaction<'_>,
    order: &OrderRow,
    actor: &Actor,
    now: Timestamp,
) -> Result<Option<i64>, OrderError> {
    let Some(event) = note_changes(tx, order, actor, now)? else { return Ok(None) };
    let key = notices::later(order.id, event);
    let notice = Notice::OrderMessage { order: order.id, event };
    notices::to_person_at(tx, order.author, notice, now, &key)?;
    Ok(Some(event))
}

/// Writes what has changed into the timeline, where anything has; the client is to be told of that
/// entry.
pub(super) fn note_changes(
    tx: &Transaction<'_>,
    order: &OrderRow,
    actor: &Actor,
    now: Timestamp,
) -> Result<Option<i64>, OrderError> {
    let lines = changes(tx, order)?;
    order_edits::set_shown(tx, order.id, None)?;
    if lines.is_empty() {
        return Ok(None);
    }
    let text = format!("Изменения в заявке:\n{}", lines.join("\n"));
    Ok(Some(note(tx, actor, order.id, "message", &text, true, now)?))
}

/// Before a change of the client's own: what staff have changed is told, so that both are seen.
pub(super) fn tell_before(
    tx: &Transaction<'_>,
    order: &OrderRow,
    now: Timestamp,
) -> Result<(), OrderError> {
    let actor = Actor { person: order.manager, channel: Channel::Bot };
    tell_changes(tx, order, &actor, now).map(|_| ())
}

/// What the client has not seen yet of an order, a line each; empty: they see it as it is.
pub(super) fn changes(conn: &Connection, order: &OrderRow) -> Result<Vec<String>, OrderError> {
    let Some(shown) = Shown::load(conn, order.id)? else { return Ok(Vec::new()) };
    let lines = orders::lines(conn, order.id)?;
    let prices = sees_prices(conn, order)?;
    let mut said = Vec::new();
    for was in &shown.lines {
        let Some(is) = lines.iter().find(|line| line.id == was.id) else {
            said.push(format!("– убрана позиция «{}», {}", name(was), amount(was)));
            continue;
        };
        if was.product != is.product {
            said.push(format!("– «{}»: теперь «{}», {}", name(was), name(is), amount(is)));
            continue;
        }
        let mut parts = Vec::new();
        if (was.quantity, &was.unit) != (is.quantity, &is.unit) {
            parts.push(format!("{} → {}", amount(was), amount(is)));
        }
        if prices && was.price != is.price {
            parts.push(format!("цена {} → {}", cost(was), cost(is)));
        }
        if !parts.is_empty() {
            said.push(format!("– «{}»: {}", name(is), parts.join(", ")));
        }
    }
    for is in lines.iter().filter(|is| !shown.lines.iter().any(|was| was.id == is.id)) {
        said.push(format!("– новая позиция «{}», {}", name(is), amount(is)));
    }
    if shown.delivery != order.delivery {
        let (is, was) = (day(order.delivery), day(shown.delivery));
        said.push(format!("– доставка: {is} (было: {was})"));
    }
    if shown.address != order.address && !order.address.is_empty() {
        said.push(format!("– адрес: {}", order.address));
    }
    if !said.is_empty() && shown.total != order.total && prices {
        said.push(format!("Сумма: {}", order.total));
    }
    Ok(said)
}

fn sees_prices(conn: &Connection, order: &OrderRow) -> Result<bool, OrderError> {
    Ok(organizations::find(conn, order.organization)?.is_some_and(|row| row.verified))
}

/// The day without its year.
fn day(delivery: Delivery) -> String {
    delivery.label(if let Delivery::On(date) = delivery { date } else { jiff::civil::Date::ZERO })
}

/// The product's title, or the client's words for it.
fn name(row: &OrderLineRow) -> String {
    if row.title.is_empty() { row.raw.trim().to_owned() } else { row.title.clone() }
}

/// «0,85 ₽», or «—» without a price.
fn cost(row: &OrderLineRow) -> String {
    let price = row.price.filter(|price| price.amount > Money::ZERO);
    price.map_or_else(|| "—".to_owned(), |price| price.to_string())
}

/// «10 м», or «—» without a quantity.
pub(super) fn amount(row: &OrderLineRow) -> String {
    let unit = if row.unit.is_empty() { &row.base_unit } else { &row.unit };
    row.quantity.map_or_else(|| "—".to_owned(), |quantity| quantity.with_unit(unit))
}
