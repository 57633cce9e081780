//! Drafts: from text to lines, and every change of a line.

use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};

use super::{OrderError, Ordering, Party, Pending, price_type};
use crate::domain::{
    Delivery, DraftId, DraftLineId, LineState, Money, OrderId, OrgKind, ProductId, Quantity,
    Timestamp, Unit,
};
use crate::recognition::{self, Buyer, Decision, Question, Recognition, RemarkKind};
use crate::services::meter;
use crate::storage::drafts::{self, DraftLineRow, DraftRow, NewDraftLine};
use crate::storage::offers::{self, Offer};
use crate::storage::{StorageError, orders, organizations, words};

/// How long an emptied draft can be brought back.
const RESTORE_FOR: std::time::Duration = std::time::Duration::from_mins(10);

/// A draft as its screens need it.
#[derive(Debug, Clone)]
pub struct DraftView {
    /// The draft.
    pub draft: DraftRow,
    /// Whose it is; empty for a guest.
    pub organization_name: String,
    /// Whether prices are shown.
    pub sees_prices: bool,
    /// Its lines, in order.
    pub lines: Vec<DraftLine>,
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
    /// The attribute that parts them.
    pub question: Option<Question>,
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
    /// To agree to a multiple of this.
    Multiple(Quantity),
    /// Another product: this one is no longer sold.
    Replacement,
}

/// What a message did to a draft.
#[derive(Debug, Clone)]
pub struct Added {
    /// The draft as it is now.
    pub view: DraftView,
    /// How many lines came.
    pub added: usize,
    /// What was merged into lines that were there: position, and what came to what.
    pub merged: Vec<(i64, String)>,
    /// The parts of the message that order nothing.
    pub remarks: Vec<(RemarkKind, String)>,
    /// Whether the draft had lines before.
    pub extended: bool,
    /// What a model may still add: [`Ordering::finish`] waits for it.
    pub pending: Option<Pending>,
}

/// How the lines were before an addition: their quantities and words.
#[derive(Debug, Serialize, Deserialize)]
struct Undo {
    kept: Vec<(DraftLineId, Option<Quantity>, String)>,
}

impl Undo {
    fn of(lines: &[DraftLineRow]) -> String {
        let kept = lines.iter().map(|line| (line.id, line.quantity, line.raw.clone())).collect();
        serde_json::to_string(&Self { kept }).unwrap_or_default()
    }
}

impl DraftLine {
    /// What the line needs.
    pub fn need(&self) -> Need {
        match (self.row.state, &self.offer) {
            (LineState::Gone, _) => Need::Replacement,
            (LineState::None, _) => Need::Words,
            (LineState::Ask, None) => Need::Product,
            (LineState::Ask, Some(_)) if self.row.quantity.is_none() => Need::Quantity,
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
        self.lines.iter().filter(|line| line.row.state == state).count()
    }

    /// The sum of the certain lines.
    pub fn total(&self) -> Money {
        let certain = self.lines.iter().filter(|line| line.row.state == LineState::Ok);
        certain
            .filter_map(|line| line.sum)
            .fold(Money::ZERO, |sum, line| sum.checked_add(line).unwrap_or(sum))
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

    /// Recognises the text and adds its lines to the party's draft, once for each event.
    pub async fn add_text(
        &self,
        party: &Party,
        event_key: &str,
        text: &str,
    ) -> Result<Added, OrderError> {
        let found = self.recognize(party, text).await?;
        let lines = new_lines(text, &found);
        let remarks = found.remarks.iter().map(|remark| {
            (remark.kind, text.get(remark.span.clone()).unwrap_or_default().to_owned())
        });
        let remarks = remarks.collect();
        let pending = self.pending(event_key, text, found);
        let (party, event_key, now) = (party.clone(), event_key.to_owned(), self.now());
        let added = self
            .base
            .db
            .write(move |tx| {
                let draft = match find_or_claim(tx, &party, now)? {
                    Some(draft) => draft,
                    None if lines.is_empty() => return Ok(None),
                    None => begin(tx, &party, now)?,
                };
                let before = drafts::lines(tx, draft.id)?;
                let first_time = drafts::note_event(tx, &event_key, draft.id, now)?;
                let mut merged = Vec::new();
                if first_time && !lines.is_empty() {
                    let undo = Undo::of(&before);
                    merged = add_lines(tx, &party, &draft, &lines, &event_key, now)?;
                    drafts::set_undo(tx, draft.id, &undo)?;
                }
                let draft = drafts::find(tx, draft.id)?.ok_or(OrderError::NotFound)?;
                Ok::<_, OrderError>(Some(Added {
                    view: view(tx, &party, draft)?,
                    added: lines.len(),
                    merged,
                    remarks: Vec::new(),
                    extended: !before.is_empty(),
                    pending: None,
                }))
            })
            .await?;
        added.map(|added| Added { remarks, pending, ..added }).ok_or(OrderError::Empty)
    }

    /// What the text says, without keeping anything. Where a model goes first, it has been asked.
    async fn recognize(&self, party: &Party, text: &str) -> Result<Recognition, OrderError> {
        let (buyer, index) = self.buyer_and_index(party).await?;
        let (read_index, words) = (index.clone(), text.to_owned());
        let read = move || {
            let started = std::time::Instant::now();
            let found = read_index.recognize(&words, &buyer);
            meter::recognized(&found, started.elapsed());
            (found, buyer)
        };
        let (found, buyer) =
            tokio::task::spawn_blocking(read).await.map_err(|_| StorageError::Interrupted)?;
        let Some(models) = self.models.as_ref().filter(|models| models.goes_first()) else {
            return Ok(found);
        };
        let aided = models.aid(&index, text, &found, &buyer, party.organization).await;
        Ok(aided.map_or(found, |aided| aided.recognition))
    }

    pub(super) async fn buyer_and_index(
        &self,
        party: &Party,
    ) -> Result<(Buyer, std::sync::Arc<recognition::Index>), OrderError> {
        let index = self.catalog.index().await?;
        let Some(organization) = party.organization else {
            return Ok((Buyer::default(), index));
        };
        let buyer = self.base.db.read(move |conn| words::buyer(conn, organization)).await?;
        Ok((buyer, index))
    }

    /// Changes the party's draft: `change` works on the line; the version must be that of the
    /// draft.
    async fn change_line(
        &self,
        party: &Party,
        line: DraftLineId,
        version: Option<i64>,
        change: impl FnOnce(&Transaction<'_>, &mut DraftLineRow) -> Result<(), OrderError>
        + Send
        + 'static,
    ) -> Result<DraftView, OrderError> {
        let (party, now) = (party.clone(), self.now());
        self.base
            .db
            .write(move |tx| {
                let mut row = drafts::find_line(tx, line)?.ok_or(OrderError::NotFound)?;
                let draft = open(tx, &party, row.draft, version)?;
                change(tx, &mut row)?;
                settle(tx, &party, &mut row)?;
                drafts::update_line(tx, &row)?;
                drafts::touch(tx, draft.id, now)?;
                fresh(tx, &party, draft.id)
            })
            .await
    }

    /// Chooses a product for a line.
    pub async fn pick(
        &self,
        party: &Party,
        line: DraftLineId,
        version: i64,
        product: ProductId,
    ) -> Result<DraftView, OrderError> {
        let choose = move |_: &Transaction<'_>, row: &mut DraftLineRow| {
            choose(row, product);
            Ok(())
        };
        self.change_line(party, line, Some(version), choose).await
    }

    /// Keeps only the candidates with the asked value; one that is left alone is chosen.
    pub async fn narrow(
        &self,
        party: &Party,
        line: DraftLineId,
        version: i64,
        option: usize,
    ) -> Result<DraftView, OrderError> {
        let narrow = move |_: &Transaction<'_>, row: &mut DraftLineRow| {
            let question = question_of(row).ok_or(OrderError::Stale)?;
            let option = question.options.get(option).ok_or(OrderError::Stale)?;
            match option.products.as_slice() {
                [product] => choose(row, *product),
                products => {
                    products.clone_into(&mut row.candidates);
                    row.question = None;
                }
            }
            Ok(())
        };
        self.change_line(party, line, Some(version), narrow).await
    }

    /// Sets how many, and of which unit where one is named.
    pub async fn set_quantity(
        &self,
        party: &Party,
        line: DraftLineId,
        version: Option<i64>,
        quantity: Quantity,
        unit: Option<Unit>,
    ) -> Result<DraftView, OrderError> {
        let set = move |_: &Transaction<'_>, row: &mut DraftLineRow| {
            row.quantity = quantity.is_positive().then_some(quantity);
            row.fixed_quantity = false;
            if let Some(unit) = unit {
                unit.as_str().clone_into(&mut row.unit);
            }
            Ok(())
        };
        self.change_line(party, line, version, set).await
    }

    /// Leaves a quantity that breaks the multiple to the manager.
    pub async fn keep_quantity(
        &self,
        party: &Party,
        line: DraftLineId,
        version: i64,
    ) -> Result<DraftView, OrderError> {
        let keep = |_: &Transaction<'_>, row: &mut DraftLineRow| {
            row.fixed_quantity = true;
            Ok(())
        };
        self.change_line(party, line, Some(version), keep).await
    }

    /// Gives a line to the manager, with the buyer's words.
    pub async fn give_to_manager(
        &self,
        party: &Party,
        line: DraftLineId,
        version: i64,
    ) -> Result<DraftView, OrderError> {
        let give = |_: &Transaction<'_>, row: &mut DraftLineRow| {
            hand_over(row);
            Ok(())
        };
        self.change_line(party, line, Some(version), give).await
    }

    /// Opens a line for another choice of product.
    pub async fn reopen_line(
        &self,
        party: &Party,
        line: DraftLineId,
    ) -> Result<DraftView, OrderError> {
        let reopen = |_: &Transaction<'_>, row: &mut DraftLineRow| {
            if let Some(product) = row.product.take()
                && !row.candidates.contains(&product)
            {
                row.candidates.insert(0, product);
            }
            row.chosen = false;
            row.state = if row.candidates.is_empty() { LineState::None } else { LineState::Ask };
            Ok(())
        };
        self.change_line(party, line, None, reopen).await
    }

    /// Gives every line to the manager.
    pub async fn give_all_to_manager(
        &self,
        party: &Party,
        draft: DraftId,
        version: i64,
    ) -> Result<DraftView, OrderError> {
        let (party, now) = (party.clone(), self.now());
        self.base
            .db
            .write(move |tx| {
                open(tx, &party, draft, Some(version))?;
                for mut row in drafts::lines(tx, draft)? {
                    hand_over(&mut row);
                    drafts::update_line(tx, &row)?;
                }
                drafts::touch(tx, draft, now)?;
                fresh(tx, &party, draft)
            })
            .await
    }

    /// Takes a line out.
    pub async fn remove_line(
        &self,
        party: &Party,
        line: DraftLineId,
        version: i64,
    ) -> Result<DraftView, OrderError> {
        let (party, now) = (party.clone(), self.now());
        self.base
            .db
            .write(move |tx| {
                let row = drafts::find_line(tx, line)?.ok_or(OrderError::NotFound)?;
                let draft = open(tx, &party, row.draft, Some(version))?;
                drafts::remove_lines(tx, draft.id, &[line])?;
                drafts::touch(tx, draft.id, now)?;
                fresh(tx, &party, draft.id)
            })
            .await
    }

    /// Takes back what the last message added: new lines go, merged quantities shrink again.
    pub async fn undo_add(
        &self,
        party: &Party,
        draft: DraftId,
        version: i64,
    ) -> Result<DraftView, OrderError> {
        let (party, now) = (party.clone(), self.now());
        self.base
            .db
            .write(move |tx| {
                let row = open(tx, &party, draft, Some(version))?;
                let undo = row.undo.and_then(|json| serde_json::from_str::<Undo>(&json).ok());
                let Undo { kept } = undo.ok_or(OrderError::Stale)?;
                let mut added = Vec::new();
                for mut line in drafts::lines(tx, draft)? {
                    let Some((_, quantity, raw)) = kept.iter().find(|(id, ..)| *id == line.id)
                    else {
                        added.push(line.id);
                        continue;
                    };
                    line.quantity = *quantity;
                    raw.clone_into(&mut line.raw);
                    settle(tx, &party, &mut line)?;
                    drafts::update_line(tx, &line)?;
                }
                drafts::remove_lines(tx, draft, &added)?;
                drafts::touch(tx, draft, now)?;
                fresh(tx, &party, draft)
            })
            .await
    }

    /// Puts other words in a line's place; further goods in the text become lines of their own.
    pub async fn rewrite_line(
        &self,
        party: &Party,
        line: DraftLineId,
        event_key: &str,
        text: &str,
    ) -> Result<DraftView, OrderError> {
        let mut lines = new_lines(text, &self.recognize(party, text).await?);
        let (party, event_key, now) = (party.clone(), event_key.to_owned(), self.now());
        let text = text.to_owned();
        self.base
            .db
            .write(move |tx| {
                let mut row = drafts::find_line(tx, line)?.ok_or(OrderError::NotFound)?;
                let draft = open(tx, &party, row.draft, None)?;
                if !drafts::note_event(tx, &event_key, draft.id, now)? {
                    return fresh(tx, &party, draft.id);
                }
                let first =
                    if lines.is_empty() { NewDraftLine::default() } else { lines.remove(0) };
                row.raw = if first.raw.is_empty() { text } else { first.raw };
                row.phrase = first.phrase;
                row.state = first.state.unwrap_or(LineState::None);
                row.product = first.product;
                row.candidates = first.candidates;
                row.question = first.question;
                row.trace = first.trace;
                row.chosen = false;
                if first.quantity.is_some() {
                    row.quantity = first.quantity;
                    row.unit = first.unit;
                }
                settle(tx, &party, &mut row)?;
                drafts::update_line(tx, &row)?;
                add_lines(tx, &party, &draft, &lines, &event_key, now)?;
                fresh(tx, &party, draft.id)
            })
            .await
    }

    /// Takes free text as the answer to a line's question («вторую», «т5», «чёрную»); `None` when
    /// it does not answer it.
    pub async fn answer(
        &self,
        party: &Party,
        line: DraftLineId,
        text: &str,
    ) -> Result<Option<DraftView>, OrderError> {
        let id = line;
        let row = self
            .base
            .db
            .read(move |conn| drafts::find_line(conn, id))
            .await?
            .ok_or(OrderError::NotFound)?;
        if let Some(product) = ordinal(text).and_then(|n| row.candidates.get(n)).copied() {
            let set = move |_: &Transaction<'_>, row: &mut DraftLineRow| {
                choose(row, product);
                Ok(())
            };
            return self.change_line(party, line, None, set).await.map(Some);
        }
        let question = question_of(&row);
        let mut among: Vec<ProductId> = row.candidates.clone();
        let options = question.iter().flat_map(|q| &q.options).flat_map(|o| &o.products);
        for product in options {
            if !among.contains(product) {
                among.push(*product);
            }
        }
        let (buyer, index) = self.buyer_and_index(party).await?;
        let (phrase, answer) = (row.phrase.clone(), text.to_owned());
        let refined = move || index.refine(&phrase, &answer, &among, &buyer);
        let refined =
            tokio::task::spawn_blocking(refined).await.map_err(|_| StorageError::Interrupted)?;
        let narrowed = move |_: &Transaction<'_>, row: &mut DraftLineRow| {
            if let (Decision::Matched, Some(product)) = (refined.decision, refined.product) {
                choose(row, product);
            } else {
                row.candidates = refined.candidates.iter().map(|c| c.product).collect();
                row.question =
                    refined.question.as_ref().and_then(|q| serde_json::to_string(q).ok());
            }
            if row.quantity.is_none() && refined.quantity.is_some() {
                row.quantity = refined.quantity;
                row.unit = refined.unit.map(|u| u.as_str().to_owned()).unwrap_or_default();
            }
            Ok(())
        };
        match refined.decision {
            Decision::Unmatched => Ok(None),
            Decision::Matched | Decision::Ambiguous => {
                self.change_line(party, line, None, narrowed).await.map(Some)
            }
        }
    }

    /// Drops the draft; it can be brought back for ten minutes.
    pub async fn clear(
        &self,
        party: &Party,
        draft: DraftId,
        version: i64,
    ) -> Result<(), OrderError> {
        let (party, now) = (party.clone(), self.now());
        self.base
            .db
            .write(move |tx| {
                open(tx, &party, draft, Some(version))?;
                Ok(drafts::set_state(tx, draft, "dropped", now)?)
            })
            .await
    }

    /// Brings a dropped draft back, unless another one has been begun.
    pub async fn restore_draft(
        &self,
        party: &Party,
        draft: DraftId,
    ) -> Result<DraftView, OrderError> {
        let (party, now) = (party.clone(), self.now());
        self.base
            .db
            .write(move |tx| {
                let row = owned(tx, &party, draft)?;
                if row.state != "dropped" || now.since(row.updated_at) > RESTORE_FOR {
                    return Err(OrderError::TooLate);
                }
                if find_or_claim(tx, &party, now)?.is_some() {
                    return Err(OrderError::DraftOpen);
                }
                drafts::set_state(tx, draft, "open", now)?;
                fresh(tx, &party, draft)
            })
            .await
    }

    /// Stores what checkout asked: `change` edits the date, the address and the comment.
    pub async fn set_checkout(
        &self,
        party: &Party,
        draft: DraftId,
        version: Option<i64>,
        change: impl FnOnce(&mut Delivery, &mut String, &mut String) + Send + 'static,
    ) -> Result<DraftView, OrderError> {
        let (party, now) = (party.clone(), self.now());
        self.base
            .db
            .write(move |tx| {
                let mut row = open(tx, &party, draft, version)?;
                change(&mut row.delivery, &mut row.address, &mut row.comment);
                drafts::set_checkout(tx, draft, row.delivery, &row.address, &row.comment)?;
                drafts::touch(tx, draft, now)?;
                fresh(tx, &party, draft)
            })
            .await
    }

    /// Copies an order's lines into the party's draft, with the prices and the stock of today.
    pub async fn repeat(
        &self,
        party: &Party,
        event_key: &str,
        order: OrderId,
    ) -> Result<DraftView, OrderError> {
        let (party, event_key, now) = (party.clone(), event_key.to_owned(), self.now());
        self.base
            .db
            .write(move |tx| {
                super::order_of(tx, &party, order)?;
                let draft = match find_or_claim(tx, &party, now)? {
                    Some(draft) => draft,
                    None => begin(tx, &party, now)?,
                };
                if drafts::note_event(tx, &event_key, draft.id, now)? {
                    copy_lines(tx, &party, &draft, order, &event_key, now)?;
                }
                fresh(tx, &party, draft.id)
            })
            .await
    }

    /// Opens an order that nobody has taken as a draft: sending it changes the order.
    pub async fn edit_order(
        &self,
        party: &Party,
        event_key: &str,
        order: OrderId,
    ) -> Result<DraftView, OrderError> {
        let (party, event_key, now) = (party.clone(), event_key.to_owned(), self.now());
        self.base
            .db
            .write(move |tx| {
                let row = super::order_of(tx, &party, order)?;
                if !super::place::editable(&row) {
                    return Err(OrderError::TooLate);
                }
                if let Some(draft) = find_or_claim(tx, &party, now)? {
                    if draft.edits == Some(order) {
                        return view(tx, &party, draft);
                    }
                    return Err(OrderError::DraftOpen);
                }
                let draft = begin(tx, &party, now)?;
                drafts::set_edits(tx, draft.id, order)?;
                let (delivery, address) = (row.delivery, &row.address);
                drafts::set_checkout(tx, draft.id, delivery, address, &row.comment)?;
                drafts::note_event(tx, &event_key, draft.id, now)?;
                copy_lines(tx, &party, &draft, order, &event_key, now)?;
                fresh(tx, &party, draft.id)
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
    let Some(guest) = guest else { return Ok(own) };
    let Some(own) = own else {
        drafts::set_owner(tx, guest.id, person, party.organization)?;
        return Ok(drafts::find(tx, guest.id)?);
    };
    // Both there: what the guest wrote joins the person's draft.
    let lines = drafts::lines(tx, guest.id)?;
    let moved: Vec<NewDraftLine> = lines.iter().map(as_new).collect();
    add_lines(tx, party, &own, &moved, &format!("claim:{}", guest.id), now)?;
    drafts::set_state(tx, guest.id, "dropped", now)?;
    Ok(drafts::find(tx, own.id)?)
}

fn begin(tx: &Transaction<'_>, party: &Party, now: Timestamp) -> Result<DraftRow, OrderError> {
    let organization = party.person.and(party.organization);
    let id = drafts::insert(tx, &party.chat, party.person, organization, None, now)?;
    drafts::find(tx, id)?.ok_or(OrderError::NotFound)
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
fn open(
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
    let ids = rows.iter().flat_map(|row| row.product.iter().chain(&row.candidates)).copied();
    let offers = offers::load(conn, ids, price_type(conn, draft.organization)?)?;
    let lines = rows.into_iter().map(|row| {
        let offer = row.product.and_then(|id| offers.get(&id)).cloned();
        let base = offer.as_ref().zip(row.quantity);
        let base = base.and_then(|(offer, quantity)| offer.base_quantity(quantity, &row.unit));
        let sum = offer.as_ref().zip(base).and_then(|(offer, base)| offer.sum(base));
        let candidates = row.candidates.iter().filter_map(|id| offers.get(id));
        let options = candidates.filter(|offer| !offer.gone).cloned().collect();
        let question = question_of(&row);
        DraftLine { row, offer, base, sum, options, question }
    });
    let lines = lines.collect();
    let organization = draft.organization.map(|id| organizations::find(conn, id)).transpose()?;
    let organization_name = match organization.flatten() {
        Some(row) if row.kind == OrgKind::Person => "Частное лицо".to_owned(),
        Some(row) => row.name,
        None => String::new(),
    };
    Ok(DraftView { draft, organization_name, sees_prices: party.sees_prices, lines })
}

/// Adds lines; those of a product that is there already are merged into it. Answers what was
/// merged: the position, and what came to what.
fn add_lines(
    tx: &Transaction<'_>,
    party: &Party,
    draft: &DraftRow,
    lines: &[NewDraftLine],
    event_key: &str,
    now: Timestamp,
) -> Result<Vec<(i64, String)>, OrderError> {
    let mut merged = Vec::new();
    for line in lines {
        if let Some((position, what)) = merge(tx, party, draft, line)? {
            merged.push((position, what));
            continue;
        }
        let id = drafts::insert_line(tx, draft.id, line, event_key)?;
        let mut row = drafts::find_line(tx, id)?.ok_or(OrderError::NotFound)?;
        settle(tx, party, &mut row)?;
        drafts::update_line(tx, &row)?;
    }
    drafts::touch(tx, draft.id, now)?;
    Ok(merged)
}

/// Puts the line's quantity into the certain line of the same product, where there is one: its
/// position, and what came to what.
fn merge(
    tx: &Transaction<'_>,
    party: &Party,
    draft: &DraftRow,
    line: &NewDraftLine,
) -> Result<Option<(i64, String)>, OrderError> {
    let (Some(LineState::Ok), Some(product), Some(more)) =
        (line.state, line.product, line.quantity)
    else {
        return Ok(None);
    };
    let price_type = price_type(tx, party.organization)?;
    let Some(offer) = offers::load(tx, [product], price_type)?.remove(&product) else {
        return Ok(None);
    };
    let base = offer.unit.as_str();
    let unit_of = |unit: &str| if unit.is_empty() { base.to_owned() } else { unit.to_owned() };
    let present = drafts::lines(tx, draft.id)?;
    let twin = present.into_iter().find(|row| {
        row.state == LineState::Ok
            && row.product == line.product
            && unit_of(&row.unit) == unit_of(&line.unit)
    });
    let Some(mut row) = twin else { return Ok(None) };
    let before = row.quantity.unwrap_or_default();
    let Some(sum) = before.checked_add(more) else { return Ok(None) };
    row.quantity = Some(sum);
    row.raw = format!("{}; {}", row.raw, line.raw);
    settle(tx, party, &mut row)?;
    drafts::update_line(tx, &row)?;
    let what = format!("{before} + {}", more.with_unit(&unit_of(&line.unit)));
    Ok(Some((row.position, what)))
}

fn copy_lines(
    tx: &Transaction<'_>,
    party: &Party,
    draft: &DraftRow,
    order: OrderId,
    event_key: &str,
    now: Timestamp,
) -> Result<(), OrderError> {
    let lines: Vec<NewDraftLine> = orders::lines(tx, order)?
        .into_iter()
        .map(|line| NewDraftLine {
            raw: line.raw,
            phrase: line.phrase,
            state: Some(match (line.product, line.candidates.is_empty()) {
                (Some(_), _) => LineState::Ok,
                (None, false) => LineState::Ask,
                (None, true) => LineState::None,
            }),
            product: line.product,
            quantity: line.quantity,
            unit: line.unit,
            candidates: line.candidates,
            question: None,
            trace: line.trace,
            price: None,
        })
        .collect();
    add_lines(tx, party, draft, &lines, event_key, now)?;
    Ok(())
}

fn as_new(row: &DraftLineRow) -> NewDraftLine {
    NewDraftLine {
        raw: row.raw.clone(),
        phrase: row.phrase.clone(),
        state: Some(row.state),
        product: row.product,
        quantity: row.quantity,
        unit: row.unit.clone(),
        candidates: row.candidates.clone(),
        question: row.question.clone(),
        trace: row.trace.clone(),
        price: row.price,
    }
}

fn new_lines(text: &str, found: &Recognition) -> Vec<NewDraftLine> {
    found.lines.iter().map(|line| new_line(text, line)).collect()
}

pub(super) fn new_line(text: &str, line: &recognition::Line) -> NewDraftLine {
    let candidates: Vec<ProductId> = line.candidates.iter().map(|c| c.product).collect();
    let state = match (line.decision, line.product, line.quantity) {
        (Decision::Matched, Some(_), Some(_)) => LineState::Ok,
        (Decision::Matched | Decision::Ambiguous, _, _) => LineState::Ask,
        (Decision::Unmatched, _, _) => LineState::None,
    };
    NewDraftLine {
        raw: text.get(line.span.clone()).unwrap_or_default().trim().to_owned(),
        phrase: line.phrase.clone(),
        state: Some(state),
        product: line.product,
        quantity: line.quantity,
        unit: line.unit.as_ref().map(|unit| unit.as_str().to_owned()).unwrap_or_default(),
        candidates,
        question: line.question.as_ref().and_then(|q| serde_json::to_string(q).ok()),
        trace: serde_json::to_string(&line.trace).ok(),
        price: None,
    }
}

fn choose(row: &mut DraftLineRow, product: ProductId) {
    row.product = Some(product);
    row.chosen = true;
    row.question = None;
    row.state = LineState::Ask;
}

fn hand_over(row: &mut DraftLineRow) {
    row.product = None;
    row.chosen = false;
    row.state = LineState::Manager;
}

fn question_of(row: &DraftLineRow) -> Option<Question> {
    row.question.as_deref().and_then(|json| serde_json::from_str(json).ok())
}

/// Sets the state that follows from the product, the quantity and the multiple, and the price that
/// the buyer is shown.
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
            if broken && !row.fixed_quantity { LineState::Ask } else { LineState::Ok }
        }
    };
    Ok(())
}

/// The number that an answer like «вторую» or «2» names, from 0.
fn ordinal(text: &str) -> Option<usize> {
    const WORDS: [&[&str]; 8] = [
        &["1", "перв", "верхн"],
        &["2", "втор"],
        &["3", "трет"],
        &["4", "четверт"],
        &["5", "пят"],
        &["6", "шест"],
        &["7", "седьм"],
        &["8", "восьм"],
    ];
    let text = text.trim().to_lowercase().replace('ё', "е");
    let text = text.trim_end_matches(['.', ')']);
    if text.contains(char::is_whitespace) {
        return None;
    }
    WORDS.iter().position(|forms| {
        let (digit, stems) = (forms[0], &forms[1..]);
        text == digit
            || stems.iter().any(|stem| text.starts_with(stem) && text.chars().count() <= 9)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_are_answers_and_sizes_are_not() {
        assert_eq!(ordinal("Вторую"), Some(1));
        assert_eq!(ordinal("2."), Some(1));
        assert_eq!(ordinal("четвёртый"), Some(3));
        for text in ["т5", "12", "чёрную", "втор чёрная", ""] {
            assert_eq!(ordinal(text), None, "{text}");
        }
    }
}
