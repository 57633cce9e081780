//! «Заявка за клиента»: staff write down what a client asked for, in the client's own words.

use rusqlite::{Connection, Transaction};

use super::bare::say_packs;
use super::draft::settle;
use super::place::{offers_of, write_lines};
use super::reading::new_lines;
use super::staff::{OrderView, whole};
use super::{Actor, OrderError, Ordering, Party, notices};
use crate::domain::{
    ChatKey, Delivery, LineState, Money, OrderStatus, OrganizationId, PersonId, Timestamp, ru,
};
use crate::services::notifications::Notice;
use crate::storage::drafts::{DraftLineRow, NewDraftLine};
use crate::storage::offers::Offer;
use crate::storage::orders::{self, NewOrder, NewOrderEvent};
use crate::storage::{directory, members, onec_orders, organizations};

/// What a client asked for.
#[derive(Debug, Clone)]
pub struct ForClient {
    /// Made by the form, once: the same key makes one order.
    pub key: String,
    /// Who buys.
    pub organization: OrganizationId,
    /// Who asked; `None`: an owner of the organization, or the one who writes it down.
    pub author: Option<PersonId>,
    /// In their words.
    pub text: String,
    /// When to deliver.
    pub delivery: Delivery,
    /// Where to; may be empty.
    pub address: String,
    /// To the manager and the warehouse; may be empty.
    pub comment: String,
}

/// A line as it would come to be.
#[derive(Debug, Clone)]
pub struct Understood {
    /// The client's words.
    pub raw: String,
    /// How it would stand.
    pub state: LineState,
    /// The product.
    pub offer: Option<Offer>,
    /// «10 м»; `None` without a quantity.
    pub amount: Option<String>,
    /// Its sum.
    pub sum: Option<Money>,
}

impl Ordering {
    /// What the text would come to for this client: their words, history and prices. Nothing is
    /// kept.
    pub async fn understand_for(
        &self,
        organization: OrganizationId,
        text: &str,
    ) -> Result<Vec<Understood>, OrderError> {
        let lines = self.lines_for(organization, text).await?;
        self.base
            .db
            .read(move |conn| {
                let party = party(organization, None);
                let rows = settled(conn, &party, lines)?;
                let offers = offers_of(conn, &rows, organization)?;
                let understood = rows.into_iter().map(|row| {
                    let offer = row.product.and_then(|id| offers.get(&id)).cloned();
                    let base = offer.as_ref().zip(row.quantity);
                    let base = base.and_then(|(offer, q)| offer.base_quantity(q, &row.unit));
                    let sum = offer.as_ref().zip(base).and_then(|(offer, base)| offer.sum(base));
                    let unit = match &offer {
                        Some(offer) if row.unit.is_empty() => offer.unit.as_str(),
                        _ => &row.unit,
                    };
                    Understood {
                        amount: row.quantity.map(|quantity| quantity.with_unit(unit)),
                        raw: row.raw,
                        state: row.state,
                        sum,
                        offer,
                    }
                });
                Ok(understood.collect())
            })
            .await
    }

    /// Makes an order for a client, in the hands of the one who writes it down. The client is told
    /// of it. The same key answers with the order that there is.
    ///
    /// # Errors
    ///
    /// [`OrderError::NotFound`] without such an organization; [`OrderError::Empty`] when the text
    /// orders nothing.
    pub async fn place_for(&self, actor: Actor, given: ForClient) -> Result<OrderView, OrderError> {
        let lines = self.lines_for(given.organization, &given.text).await?;
        if lines.is_empty() {
            return Err(OrderError::Empty);
        }
        let now = self.now();
        let view = self
            .base
            .db
            .write(move |tx| {
                if let Some(id) = onec_orders::find_by_uuid(tx, &given.key)? {
                    let order = orders::find(tx, id)?.ok_or(OrderError::NotFound)?;
                    return whole(tx, order);
                }
                place(tx, &actor, &given, lines, now)
            })
            .await?;
        self.told(view.order.id);
        Ok(view)
    }

    async fn lines_for(
        &self,
        organization: OrganizationId,
        text: &str,
    ) -> Result<Vec<NewDraftLine>, OrderError> {
        let found = self.recognize(&party(organization, None), text).await?;
        Ok(new_lines(text, &found))
    }
}

fn place(
    tx: &Transaction<'_>,
    actor: &Actor,
    given: &ForClient,
    lines: Vec<NewDraftLine>,
    now: Timestamp,
) -> Result<OrderView, OrderError> {
    let organization = given.organization;
    organizations::find(tx, organization)?.ok_or(OrderError::NotFound)?;
    let author = match given.author {
        Some(person) if members::find(tx, organization, person)?.is_some() => Some(person),
        _ => directory::members(tx, organization)?.first().map(|member| member.person),
    };
    let author = author.or(actor.person).ok_or(OrderError::Guest)?;
    let rows = settled(tx, &party(organization, Some(author)), lines)?;
    let offers = offers_of(tx, &rows, organization)?;
    let number = orders::next_number(tx)?;
    let order = NewOrder {
        uuid: given.key.clone(),
        draft: None,
        organization,
        author,
        placed_by: actor.person,
        status: OrderStatus::New,
        source: actor.channel,
        delivery: given.delivery,
        address: given.address.trim().to_owned(),
        comment: given.comment.trim().to_owned(),
        total: Money::ZERO,
        at: now,
    };
    let id = orders::insert(tx, number, &order)?;
    write_lines(tx, id, 0, &rows, &offers, now)?;
    orders::set_manager(tx, id, actor.person, now)?;
    if !order.address.is_empty() {
        organizations::use_address(tx, organization, &order.address, now)?;
    }
    let count = ru::positions(rows.len());
    let created = format!("Заявка оформлена за клиента: {count}");
    let said = NewOrderEvent {
        order: id,
        at: now,
        channel: actor.channel,
        person: actor.person,
        kind: "created",
        text: &created,
        to_client: false,
    };
    orders::insert_event(tx, said)?;
    if actor.person != Some(author) {
        let text = format!("Оформили для вас заявку: {count}. Проверьте, всё ли верно.");
        let event = orders::insert_event(
            tx,
            NewOrderEvent { kind: "message", text: &text, to_client: true, ..said },
        )?;
        notices::to_person(tx, author, Notice::BuyerOrder { order: id }, now)?;
        notices::to_person(tx, author, Notice::OrderMessage { order: id, event }, now)?;
    }
    let order = orders::find(tx, id)?.ok_or(OrderError::NotFound)?;
    whole(tx, order)
}

/// The organization as the one for whom lines are understood and priced.
fn party(organization: OrganizationId, author: Option<PersonId>) -> Party {
    Party {
        chat: ChatKey::Web("panel".to_owned()),
        // Prices are looked up for a person of the organization: who, does not matter.
        person: author.or(Some(PersonId(0))),
        organization: Some(organization),
        may_send: true,
        sees_prices: true,
        for_client: true,
    }
}

/// The lines as a draft would hold them: with today's prices, and without what is not sold.
fn settled(
    conn: &Connection,
    party: &Party,
    lines: Vec<NewDraftLine>,
) -> Result<Vec<DraftLineRow>, OrderError> {
    let mut rows = Vec::with_capacity(lines.len());
    for (index, line) in say_packs(conn, lines)?.into_iter().enumerate() {
        let position = i64::try_from(index).unwrap_or(i64::MAX).saturating_add(1);
        let mut row = line.unsaved(position);
        settle(conn, party, &mut row)?;
        rows.push(row);
    }
    Ok(rows)
}
