//! What is done with a whole draft: emptied, filled from the catalogue or an order, checked out.

use super::draft::{begin, find_or_claim, fresh, hand_over, open, owned, view};
use super::text::add_lines;
use super::{DraftView, OrderError, Ordering, Party, again, price_type};
use crate::domain::{Delivery, DraftId, LineState, OrderId, ProductId, Quantity};
use crate::storage::drafts::{self, NewDraftLine};
use crate::storage::offers;

/// How long an emptied draft can be brought back.
const RESTORE_FOR: std::time::Duration = std::time::Duration::from_mins(10);

impl Ordering {
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

    /// Adds so many base units of a product of the catalogue to the party's draft.
    ///
    /// `version` is that of the draft that the buyer saw, 0 where there was none: a tap that comes
    /// twice adds once.
    ///
    /// # Errors
    ///
    /// [`OrderError::Stale`]; [`OrderError::NotFound`] when the product is not sold.
    pub async fn add_product(
        &self,
        party: &Party,
        event_key: &str,
        product: ProductId,
        quantity: Quantity,
        version: i64,
    ) -> Result<DraftView, OrderError> {
        let (party, event_key, now) = (party.clone(), event_key.to_owned(), self.now());
        self.base
            .db
            .write(move |tx| {
                let present = find_or_claim(tx, &party, now)?;
                if present.as_ref().map_or(0, |draft| draft.revision) != version {
                    return Err(OrderError::Stale);
                }
                let price_type = price_type(tx, party.organization)?;
                let offer = offers::load(tx, [product], price_type)?.remove(&product);
                let offer = offer.filter(|offer| !offer.gone).ok_or(OrderError::NotFound)?;
                let draft = match present {
                    Some(draft) => draft,
                    None => begin(tx, &party, now)?,
                };
                if drafts::note_event(tx, &event_key, draft.id, now)? {
                    let line = NewDraftLine {
                        raw: offer.title.clone(),
                        state: Some(LineState::Ok),
                        product: Some(product),
                        quantity: Some(quantity),
                        ..NewDraftLine::default()
                    };
                    add_lines(tx, &party, &draft, &[line], &event_key, now)?;
                }
                fresh(tx, &party, draft.id)
            })
            .await
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

    /// Stores what checkout asked: `change` edits the date, the address and the comment. What is
    /// already so may be asked for by an old button.
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
                let mut row = open(tx, &party, draft, None)?;
                let before = (row.delivery, row.address.clone(), row.comment.clone());
                change(&mut row.delivery, &mut row.address, &mut row.comment);
                if before == (row.delivery, row.address.clone(), row.comment.clone()) {
                    return fresh(tx, &party, draft);
                }
                if version.is_some_and(|version| version != row.revision) {
                    return Err(OrderError::Stale);
                }
                drafts::set_checkout(tx, draft, row.delivery, &row.address, &row.comment)?;
                drafts::touch(tx, draft, now)?;
                fresh(tx, &party, draft)
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
                if !super::place::editable_by(&party, &row) {
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
                let lines = again::lines_of(tx, order)?;
                add_lines(tx, &party, &draft, &lines, &event_key, now)?;
                fresh(tx, &party, draft.id)
            })
            .await
    }
}
