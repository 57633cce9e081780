//! Drafts as they are: whose, and what the catalogue says of their lines.

use std::collections::HashMap;

use rusqlite::{Connection, Transaction};

use super::text::add_lines;
use super::{OrderError, Ordering, Party, price_type};
use crate::domain::{
    DraftId, DraftLineId, LineState, Money, OrgKind, OrganizationId, ProductId, Quantity, Timestamp,
};
use crate::recognition::{Purchase, Question};
use crate::storage::drafts::{self, DraftLineRow, DraftRow, NewDraftLine};
use crate::storage::offers::{self, Offer};
use crate::storage::{StorageError, entries, organizations, words};

/// A draft as its screens need it.
#[derive(Debug, Clone)]
pub struct DraftView {
    /// The draft.
    pub draft: DraftRow,
    /// Whose it is; empty for a guest.
    pub organization_name: String,
    /// Whether prices are shown.
    pub sees_prices: bool,
    /// Whether the person sends, or asks an owner.
    pub may_send: bool,
    /// Its lines, in order.
    pub lines: Vec<DraftLine>,
    /// Of when prices and stock are; `None` when no catalogue has been loaded.
    pub loaded_at: Option<Timestamp>,
}

/// A line with what the catalogue says of its product.
#[derive(Debug, Clone)]
pub struct DraftLine {
    /// The line.
    pub row: DraftLineRow,
    /// The product, where one is chosen.
    pub offer: Option<Offer>,
    /// How many base units; `None` when the unit does not lead to one.
    pub base: Option<Quantity>,
    /// The line's sum.
    pub sum: Option<Money>,
    /// Products that may be meant, best first.
    pub options: Vec<Offer>,
    /// The attribute that parts them into groups.
    pub question: Option<Question>,
    /// What the organization bought before of the product and the options.
    pub bought: HashMap<ProductId, Purchase>,
}

/// What a line still needs from the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// Which of the options.
    Product,
    /// Other words: nothing was found.
    Words,
    /// How many.
    Quantity,
    /// Of which unit: the product has none of that name.
    Unit,
    /// To agree to a multiple of this.
    Multiple(Quantity),
    /// Another product: this one is no longer sold.
    Replacement,
}

impl DraftLine {
    /// How many of these lines stand so.
    pub fn count(lines: &[Self], state: LineState) -> usize {
        lines.iter().filter(|line| line.row.state == state).count()
    }

    /// The sum of those of these lines that are certain.
    pub fn total(lines: &[Self]) -> Money {
        let certain = lines.iter().filter(|line| line.row.state == LineState::Ok);
        certain
            .filter_map(|line| line.sum)
            .fold(Money::ZERO, |sum, line| sum.checked_add(line).unwrap_or(sum))
    }

    /// What the line needs.
    pub fn need(&self) -> Need {
        match (self.row.state, &self.offer) {
            (LineState::Gone, _) => Need::Replacement,
            (LineState::None, _) => Need::Words,
            (LineState::Ask, None) => Need::Product,
            (LineState::Ask, Some(_)) if self.row.quantity.is_none() => Need::Quantity,
            (LineState::Ask, Some(_)) if self.base.is_none() => Need::Unit,
            (LineState::Ask, Some(offer)) => offer.multiple.map_or(Need::Quantity, Need::Multiple),
            (LineState::Ok | LineState::Manager, _) => Need::Nothing,
        }
    }

    /// The unit of the line's quantity: its own, or the product's.
    pub fn unit(&self) -> &str {
        match &self.offer {
            Some(offer) if self.row.unit.is_empty() => offer.unit.as_str(),
            _ => &self.row.unit,
        }
    }

    /// «4 000 шт», or `None` without a quantity.
    pub fn amount(&self) -> Option<String> {
        let quantity = self.row.quantity?;
        let unit = self.unit();
        Some(if unit.is_empty() { quantity.to_string() } else { quantity.with_unit(unit) })
    }
}

impl DraftView {
    /// How many lines stand so.
    pub fn count(&self, state: LineState) -> usize {
        DraftLine::count(&self.lines, state)
    }

    /// The sum of the certain lines.
    pub fn total(&self) -> Money {
        DraftLine::total(&self.lines)
    }

    /// The lines that need something, in order.
    pub fn unresolved(&self) -> impl Iterator<Item = &DraftLine> {
        self.lines.iter().filter(|line| line.need() != Need::Nothing)
    }

    /// The line, if it is in the draft.
    pub fn line(&self, id: DraftLineId) -> Option<&DraftLine> {
        self.lines.iter().find(|line| line.row.id == id)
    }
}

impl Ordering {
    /// The party's open draft, or `None`. A guest's draft becomes the person's once the chat has
    /// one.
    pub async fn open_draft(&self, party: &Party) -> Result<Option<DraftView>, OrderError> {
        let (party, now) = (party.clone(), self.now());
        self.base
            .db
            .write(move |tx| {
                let draft = find_or_claim(tx, &party, now)?;
                draft.map(|draft| view(tx, &party, draft)).transpose()
            })
            .await
    }

    /// The products that fit these words best, with the default prices: for staff.
    pub async fn search(&self, words: &str, limit: usize) -> Result<Vec<Offer>, OrderError> {
        let index = self.catalog.index().await?;
        let words = words.to_owned();
        let search = move || index.search(&words, limit);
        let found =
            tokio::task::spawn_blocking(search).await.map_err(|_| StorageError::Interrupted)?;
        let ids: Vec<ProductId> = found.iter().map(|candidate| candidate.product).collect();
        let wanted = ids.clone();
        let load = move |conn: &Connection| offers::load(conn, wanted, None);
        let mut offers = self.base.db.read(load).await?;
        Ok(ids.into_iter().filter_map(|id| offers.remove(&id)).collect())
    }

    /// What the catalogue says of a product, with the default price: for staff.
    pub async fn offer(&self, product: ProductId) -> Result<Option<Offer>, OrderError> {
        let load = move |conn: &Connection| offers::load(conn, [product], None);
        Ok(self.base.db.read(load).await?.remove(&product))
    }

    /// A draft of the party's, open or not.
    pub async fn draft(&self, party: &Party, id: DraftId) -> Result<DraftView, OrderError> {
        let party = party.clone();
        self.base
            .db
            .read(move |conn| {
                let draft = owned(conn, &party, id)?;
                view(conn, &party, draft)
            })
            .await
    }
}

/// The party's open draft; a guest's draft of the same chat becomes the person's.
pub(super) fn find_or_claim(
    tx: &Transaction<'_>,
    party: &Party,
    now: Timestamp,
) -> Result<Option<DraftRow>, OrderError> {
    let guest = drafts::find_open_guest(tx, &party.chat)?;
    let Some(person) = party.person else { return Ok(guest) };
    let own = drafts::find_open(tx, person, party.organization)?;
    // What was written before the person acted for anybody is of that organization now.
    let guest = match guest {
        None if own.is_none() && party.organization.is_some() => {
            drafts::find_open(tx, person, None)?
        }
        guest => guest,
    };
    let Some(guest) = guest else { return Ok(own) };
    let Some(own) = own else {
        drafts::set_owner(tx, guest.id, person, party.organization)?;
        deliver_as_before(tx, &guest, party.organization)?;
        return Ok(drafts::find(tx, guest.id)?);
    };
    // Both there: what the guest wrote joins the person's draft.
    let lines = drafts::lines(tx, guest.id)?;
    let moved: Vec<NewDraftLine> = lines.iter().map(NewDraftLine::from).collect();
    add_lines(tx, party, &own, &moved, &format!("claim:{}", guest.id), now)?;
    drafts::set_state(tx, guest.id, "dropped", now)?;
    Ok(drafts::find(tx, own.id)?)
}

pub(super) fn begin(
    tx: &Transaction<'_>,
    party: &Party,
    now: Timestamp,
) -> Result<DraftRow, OrderError> {
    let organization = party.person.and(party.organization);
    let id = drafts::insert(tx, &party.chat, party.person, organization, None, now)?;
    let draft = drafts::find(tx, id)?.ok_or(OrderError::NotFound)?;
    deliver_as_before(tx, &draft, organization)?;
    drafts::find(tx, id)?.ok_or(OrderError::NotFound)
}

/// The organization's last address is the draft's default.
fn deliver_as_before(
    tx: &Transaction<'_>,
    draft: &DraftRow,
    organization: Option<OrganizationId>,
) -> Result<(), OrderError> {
    let Some(organization) = organization.filter(|_| draft.address.is_empty()) else {
        return Ok(());
    };
    if let Some(last) = organizations::addresses(tx, organization, 1)?.into_iter().next() {
        drafts::set_checkout(tx, draft.id, draft.delivery, &last.address, &draft.comment)?;
    }
    Ok(())
}

/// The draft, if it is the party's.
pub(super) fn owned(conn: &Connection, party: &Party, id: DraftId) -> Result<DraftRow, OrderError> {
    let draft = drafts::find(conn, id)?.ok_or(OrderError::NotFound)?;
    let owned = match draft.person {
        Some(person) => party.person == Some(person) && draft.organization == party.organization,
        None => draft.chat == party.chat,
    };
    if owned { Ok(draft) } else { Err(OrderError::NotFound) }
}

/// The party's draft, still open and at this version.
pub(super) fn open(
    conn: &Connection,
    party: &Party,
    id: DraftId,
    version: Option<i64>,
) -> Result<DraftRow, OrderError> {
    let draft = owned(conn, party, id)?;
    let current = version.is_none_or(|version| version == draft.revision);
    if draft.state == "open" && current { Ok(draft) } else { Err(OrderError::Stale) }
}

pub(super) fn fresh(
    conn: &Connection,
    party: &Party,
    id: DraftId,
) -> Result<DraftView, OrderError> {
    let draft = drafts::find(conn, id)?.ok_or(OrderError::NotFound)?;
    view(conn, party, draft)
}

/// The draft with what the catalogue says of its products.
pub(super) fn view(
    conn: &Connection,
    party: &Party,
    draft: DraftRow,
) -> Result<DraftView, OrderError> {
    let rows = drafts::lines(conn, draft.id)?;
    let lines = with_offers(conn, party, draft.organization, rows)?;
    let organization = draft.organization.map(|id| organizations::find(conn, id)).transpose()?;
    let organization_name = match organization.flatten() {
        Some(row) if row.kind == OrgKind::Person => "Частное лицо".to_owned(),
        Some(row) => row.name,
        None => String::new(),
    };
    let sees_prices = party.sees_prices;
    // Who acts for nobody yet is asked for whom, not sent to an owner.
    let may_send = party.may_send || party.organization.is_none();
    let loaded_at = entries::loaded_at(conn)?;
    Ok(DraftView { draft, organization_name, sees_prices, may_send, lines, loaded_at })
}

/// Lines with what the catalogue says of their products to the organization.
pub(super) fn with_offers(
    conn: &Connection,
    party: &Party,
    organization: Option<OrganizationId>,
    rows: Vec<DraftLineRow>,
) -> Result<Vec<DraftLine>, OrderError> {
    let mut bought = bought(conn, party, organization, &rows)?;
    let meant: Vec<Vec<ProductId>> = rows.iter().map(meant).collect();
    let ids = rows.iter().filter_map(|row| row.product).chain(meant.iter().flatten().copied());
    let offers = offers::load(conn, ids, price_type(conn, organization)?)?;
    let lines = rows.into_iter().zip(meant).map(|(row, meant)| {
        let offer = row.product.and_then(|id| offers.get(&id)).cloned();
        let base = offer.as_ref().zip(row.quantity);
        let base = base.and_then(|(offer, quantity)| offer.base_quantity(quantity, &row.unit));
        let sum = offer.as_ref().zip(base).and_then(|(offer, base)| offer.sum(base));
        let options = meant.iter().filter_map(|id| offers.get(id));
        let options = options.filter(|offer| !offer.gone).cloned().collect();
        let question = question_of(&row).filter(groups);
        let bought = bought.remove(&row.id).unwrap_or_default();
        DraftLine { row, offer, base, sum, options, question, bought }
    });
    Ok(lines.collect())
}

/// What the organization bought before of what the open lines may mean.
fn bought(
    conn: &Connection,
    party: &Party,
    organization: Option<OrganizationId>,
    rows: &[DraftLineRow],
) -> Result<HashMap<DraftLineId, HashMap<ProductId, Purchase>>, StorageError> {
    let Some(organization) = organization.filter(|_| party.sees_prices) else {
        return Ok(HashMap::new());
    };
    let open = rows.iter().filter(|row| row.state == LineState::Ask);
    open.map(|row| {
        let products = meant(row).into_iter().chain(row.product);
        Ok((row.id, words::purchases_of(conn, organization, products)?))
    })
    .collect()
}

/// Products that may be meant, best first. What a question would ask of each one by one is listed
/// with them.
fn meant(row: &DraftLineRow) -> Vec<ProductId> {
    let mut meant = row.candidates.clone();
    let single = question_of(row).filter(|question| !groups(question));
    for product in single.iter().flat_map(|q| &q.options).flat_map(|option| &option.products) {
        if !meant.contains(product) {
            meant.push(*product);
        }
    }
    meant
}

/// Whether an answer to the question leaves several products anywhere: else it asks which product
/// in other words.
fn groups(question: &Question) -> bool {
    question.options.iter().any(|option| option.products.len() > 1)
}

pub(super) fn hand_over(row: &mut DraftLineRow) {
    row.product = None;
    row.chosen = false;
    row.state = LineState::Manager;
}

pub(super) fn question_of(row: &DraftLineRow) -> Option<Question> {
    row.question.as_deref().and_then(|json| serde_json::from_str(json).ok())
}

/// Sets the state that follows from the product, the quantity with its unit and the multiple, and
/// the price that the buyer is shown.
pub(super) fn settle(
    conn: &Connection,
    party: &Party,
    row: &mut DraftLineRow,
) -> Result<(), OrderError> {
    let Some(product) = row.product else {
        row.price = None;
        return Ok(());
    };
    let organization = party.person.and(party.organization);
    let offer = offers::load(conn, [product], price_type(conn, organization)?)?.remove(&product);
    row.price = offer.as_ref().and_then(|offer| offer.price);
    row.state = match (&offer, row.quantity) {
        (None, _) => LineState::Gone,
        (Some(offer), _) if offer.gone => LineState::Gone,
        (Some(_), None) => LineState::Ask,
        (Some(offer), Some(quantity)) => {
            let base = offer.base_quantity(quantity, &row.unit);
            let broken = offer
                .multiple
                .zip(base)
                .is_some_and(|(multiple, base)| base.thousandths() % multiple.thousandths() != 0);
            // «3 кор» of what has no such pack is no quantity yet.
            let unclear = base.is_none() || broken && !row.fixed_quantity;
            if unclear { LineState::Ask } else { LineState::Ok }
        }
    };
    Ok(())
}
