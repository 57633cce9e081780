//! Ordering again: an earlier order, a template, or what the organization usually buys.

use std::collections::HashMap;

use rusqlite::Connection;

use super::draft::{begin, find_or_claim, fresh};
use super::text::add_lines;
use super::{DraftView, OrderError, Ordering, Party, order_of, price_type};
use crate::domain::{LineState, OrderId, Price, ProductId, Quantity};
use crate::storage::drafts::{self, NewDraftLine};
use crate::storage::offers::{self, Offer};
use crate::storage::orders::OrderLineRow;
use crate::storage::{StorageError, orders, words};

/// How often something is bought before it is usual.
const USUAL: u32 = 3;
/// How many products a usual purchase has at most.
const USUAL_LINES: u32 = 100;
/// How many products are offered in the place of one that is gone.
const ANALOGUES: usize = 6;

/// A draft filled from the past.
#[derive(Debug, Clone)]
pub struct Repeated {
    /// The draft.
    pub view: DraftView,
    /// What is not as it was.
    pub changes: Changes,
}

/// How many lines are not as they were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// No longer sold.
    pub gone: usize,
    /// Out of stock.
    pub absent: usize,
    /// At a higher price.
    pub dearer: usize,
    /// At a lower price.
    pub cheaper: usize,
}

/// A line of the past.
#[derive(Debug, Clone)]
pub(super) struct Past {
    /// As it goes into a draft while its product is sold.
    pub(super) line: NewDraftLine,
    /// The words that stand in the place of a product that is gone, the quantity among them.
    pub(super) words: String,
    /// The price of the base unit then.
    pub(super) price: Option<Price>,
    /// Whether its product has been taken out of the catalogue altogether.
    pub(super) lost: bool,
}

impl From<&OrderLineRow> for Past {
    fn from(line: &OrderLineRow) -> Self {
        Self { line: again(line), words: line.raw.clone(), price: line.price, lost: false }
    }
}

impl Past {
    /// The line of a product that is gone: a question which of these others is to come.
    fn replaced_by(&self, others: &[ProductId]) -> NewDraftLine {
        NewDraftLine {
            raw: self.words.clone(),
            state: Some(if others.is_empty() { LineState::None } else { LineState::Ask }),
            product: None,
            // The words mean the product that is gone: what is chosen now is not learnt.
            phrase: String::new(),
            candidates: others.to_vec(),
            ..self.line.clone()
        }
    }
}

impl Ordering {
    /// Copies an order's lines into the party's draft, with the prices and the stock of today. In
    /// the place of a product that is gone others are offered.
    pub async fn repeat(
        &self,
        party: &Party,
        event_key: &str,
        order: OrderId,
    ) -> Result<Repeated, OrderError> {
        let asker = party.clone();
        let read = move |conn: &Connection| {
            order_of(conn, &asker, order)?;
            Ok::<_, OrderError>(orders::lines(conn, order)?.iter().map(Past::from).collect())
        };
        let past = self.base.db.read(read).await?;
        self.fill_again(party, event_key, past).await
    }

    /// Adds lines of the past to the party's draft as they are today.
    pub(super) async fn fill_again(
        &self,
        party: &Party,
        event_key: &str,
        past: Vec<Past>,
    ) -> Result<Repeated, OrderError> {
        let lines = self.as_of_today(&past).await?;
        let (party, event_key, now) = (party.clone(), event_key.to_owned(), self.now());
        self.base
            .db
            .write(move |tx| {
                let draft = match find_or_claim(tx, &party, now)? {
                    Some(draft) => draft,
                    None => begin(tx, &party, now)?,
                };
                if drafts::note_event(tx, &event_key, draft.id, now)? {
                    add_lines(tx, &party, &draft, &lines, &event_key, now)?;
                }
                let changes = changes(tx, &party, &past)?;
                Ok(Repeated { view: fresh(tx, &party, draft.id)?, changes })
            })
            .await
    }

    /// Lines of the past as they can be ordered today: in the place of a product that is gone
    /// others are offered.
    pub(super) async fn as_of_today(&self, past: &[Past]) -> Result<Vec<NewDraftLine>, OrderError> {
        let ids: Vec<ProductId> = past.iter().filter_map(|past| past.line.product).collect();
        let sold = self.base.db.read(move |conn| offers::load(conn, ids, None)).await?;
        let mut others = HashMap::new();
        for product in past.iter().filter_map(|past| past.line.product) {
            if sold.get(&product).is_none_or(|offer| offer.gone) && !others.contains_key(&product) {
                others.insert(product, self.catalog.like(product, ANALOGUES).await?);
            }
        }
        let lines = past.iter().map(|past| {
            let others = past.line.product.and_then(|product| others.get(&product));
            others.map_or_else(|| past.line.clone(), |others| past.replaced_by(others))
        });
        Ok(lines.collect())
    }

    /// Others of the same kind that are sold, those in stock first.
    pub async fn analogues(&self, party: &Party, offer: &Offer) -> Result<Vec<Offer>, OrderError> {
        let found = self.catalog.like(offer.id, ANALOGUES).await?;
        let (organization, ids) = (party.organization, found.clone());
        let load =
            move |conn: &Connection| offers::load(conn, ids, price_type(conn, organization)?);
        let mut loaded = self.base.db.read(load).await?;
        let others = found.into_iter().filter_map(|id| loaded.remove(&id)).collect();
        Ok(others)
    }

    /// Whether the organization buys anything usually.
    pub async fn has_usual(&self, party: &Party) -> Result<bool, OrderError> {
        let Some(organization) = party.organization else { return Ok(false) };
        let read = move |conn: &Connection| words::usual_purchases(conn, organization, USUAL, 1);
        Ok(!self.base.db.read(read).await?.is_empty())
    }

    /// Adds what the organization usually buys, each in its usual quantity, to the party's draft.
    pub async fn repeat_usual(
        &self,
        party: &Party,
        event_key: &str,
    ) -> Result<DraftView, OrderError> {
        let (party, event_key, now) = (party.clone(), event_key.to_owned(), self.now());
        self.base
            .db
            .write(move |tx| {
                party.person.ok_or(OrderError::Guest)?;
                let organization = party.organization.ok_or(OrderError::NoOrganization)?;
                let usual = words::usual_purchases(tx, organization, USUAL, USUAL_LINES)?;
                let ids: Vec<ProductId> = usual.iter().map(|(product, _)| *product).collect();
                let offers = offers::load(tx, ids, price_type(tx, party.organization)?)?;
                let lines = usual.iter().filter_map(|(product, quantity)| {
                    let offer = offers.get(product).filter(|offer| !offer.gone)?;
                    Some(known(&offer.title, *product, *quantity))
                });
                let lines: Vec<NewDraftLine> = lines.collect();
                if lines.is_empty() {
                    return Err(OrderError::Empty);
                }
                let draft = match find_or_claim(tx, &party, now)? {
                    Some(draft) => draft,
                    None => begin(tx, &party, now)?,
                };
                if drafts::note_event(tx, &event_key, draft.id, now)? {
                    add_lines(tx, &party, &draft, &lines, &event_key, now)?;
                }
                fresh(tx, &party, draft.id)
            })
            .await
    }
}

/// The lines of an order, to be ordered again.
pub(super) fn lines_of(
    conn: &Connection,
    order: OrderId,
) -> Result<Vec<NewDraftLine>, StorageError> {
    Ok(orders::lines(conn, order)?.iter().map(again).collect())
}

/// A line of a product that is known by itself.
fn known(title: &str, product: ProductId, quantity: Quantity) -> NewDraftLine {
    NewDraftLine {
        raw: title.to_owned(),
        state: Some(LineState::Ok),
        product: Some(product),
        quantity: Some(quantity),
        ..NewDraftLine::default()
    }
}

fn again(line: &OrderLineRow) -> NewDraftLine {
    NewDraftLine {
        raw: line.raw.clone(),
        phrase: line.phrase.clone(),
        state: Some(match (line.product, line.candidates.is_empty()) {
            (Some(_), _) => LineState::Ok,
            (None, false) => LineState::Ask,
            (None, true) => LineState::None,
        }),
        product: line.product,
        quantity: line.quantity,
        // A number without a unit was of the base one: the words do not say otherwise any more.
        unit: if line.unit.is_empty() { line.base_unit.clone() } else { line.unit.clone() },
        candidates: line.candidates.clone(),
        question: None,
        trace: line.trace.clone(),
        price: None,
    }
}

/// What is not as it was.
pub(super) fn changes(
    conn: &Connection,
    party: &Party,
    before: &[Past],
) -> Result<Changes, OrderError> {
    let price_type = price_type(conn, party.organization)?;
    let offers =
        offers::load(conn, before.iter().filter_map(|past| past.line.product), price_type)?;
    let mut changes = Changes::default();
    for past in before {
        let Some(product) = past.line.product else {
            changes.gone += usize::from(past.lost);
            continue;
        };
        let Some(offer) = offers.get(&product).filter(|offer| !offer.gone) else {
            changes.gone += 1;
            continue;
        };
        let one = |price: Price| price.for_quantity(Quantity::whole(1_000_000));
        let (was, now) = (past.price.and_then(one), offer.price.and_then(one));
        if !offer.available.is_positive() {
            changes.absent += 1;
        } else if let (true, Some((was, now))) = (party.sees_prices, was.zip(now)) {
            changes.dearer += usize::from(now > was);
            changes.cheaper += usize::from(now < was);
        }
    }
    Ok(changes)
}
