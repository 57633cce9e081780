//! Drafts: orders that are being written.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::StorageError;
use super::db::one_row;
use crate::domain::{
    ChatKey, Delivery, DraftId, DraftLineId, LineState, Money, OrderId, OrganizationId, PersonId,
    Price, ProductId, Quantity, Timestamp,
};

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftRow {
    /// The draft.
    pub id: DraftId,
    /// The chat where it was begun.
    pub chat: ChatKey,
    /// Whose it is; `None`: a guest's.
    pub person: Option<PersonId>,
    /// For which organization.
    pub organization: Option<OrganizationId>,
    /// The manager who writes it for the client.
    pub on_behalf_by: Option<PersonId>,
    /// The order that sending changes, instead of making a new one.
    pub edits: Option<OrderId>,
    /// `open`, `sent` or `dropped`.
    pub state: String,
    /// JSON of how the lines were before the last addition, while it can be taken back.
    pub undo: Option<String>,
    /// The table that lines were read from; may be empty.
    pub file_name: String,
    /// Grows with every change.
    pub revision: i64,
    /// When to deliver.
    pub delivery: Delivery,
    /// Where to; may be empty.
    pub address: String,
    /// The buyer's words to the manager; may be empty.
    pub comment: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A line of a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftLineRow {
    /// The line.
    pub id: DraftLineId,
    /// The draft.
    pub draft: DraftId,
    /// Its number in the list, from 1.
    pub position: i64,
    /// The buyer's own words.
    pub raw: String,
    /// The key under which the choice is learnt.
    pub phrase: String,
    /// How it stands.
    pub state: LineState,
    /// The product.
    pub product: Option<ProductId>,
    /// How many, in `unit`.
    pub quantity: Option<Quantity>,
    /// Of which unit; empty: the product's base unit.
    pub unit: String,
    /// Products that may be meant, best first.
    pub candidates: Vec<ProductId>,
    /// JSON of the attribute that parts the candidates.
    pub question: Option<String>,
    /// JSON of why.
    pub trace: Option<String>,
    /// Whether the buyer picked the product.
    pub chosen: bool,
    /// The price that the buyer was shown.
    pub price: Option<Price>,
    /// Whether the buyer left a broken multiple to the manager.
    pub fixed_quantity: bool,
    /// The event that added it.
    pub event_key: String,
}

/// A line to be added.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewDraftLine {
    /// The buyer's own words.
    pub raw: String,
    /// The key under which the choice is learnt.
    pub phrase: String,
    /// How it stands; `None` means ❌.
    pub state: Option<LineState>,
    /// The product.
    pub product: Option<ProductId>,
    /// How many, in `unit`.
    pub quantity: Option<Quantity>,
    /// Of which unit; empty: the product's base unit.
    pub unit: String,
    /// Products that may be meant, best first.
    pub candidates: Vec<ProductId>,
    /// JSON of the attribute that parts the candidates.
    pub question: Option<String>,
    /// JSON of why.
    pub trace: Option<String>,
    /// The price that the buyer is shown.
    pub price: Option<Price>,
}

impl NewDraftLine {
    /// The line as a draft would hold it in this place, with no price yet.
    #[must_use]
    pub fn unsaved(self, position: i64) -> DraftLineRow {
        DraftLineRow {
            id: DraftLineId(position),
            draft: DraftId(0),
            position,
            raw: self.raw,
            phrase: self.phrase,
            state: self.state.unwrap_or(LineState::None),
            product: self.product,
            quantity: self.quantity,
            unit: self.unit,
            candidates: self.candidates,
            question: self.question,
            trace: self.trace,
            chosen: false,
            price: None,
            fixed_quantity: false,
            event_key: String::new(),
        }
    }
}

impl From<&DraftLineRow> for NewDraftLine {
    /// The same line, to be added elsewhere.
    fn from(row: &DraftLineRow) -> Self {
        Self {
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
}

const DRAFT: &str = "
    select id, chat_key, person_id, organization_id, on_behalf_by, edits_order_id, state, undo,
        file_name, revision, delivery_kind, delivery_date, delivery_address, comment, updated_at_ms
    from drafts";

const LINE: &str = "
    select id, draft_id, position, raw, phrase, state, product_id, quantity_thousandths, unit,
        candidates, question, trace, chosen, price_amount_kopecks, price_per, fixed_quantity,
        event_key
    from draft_lines";

impl DraftRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            chat: row.get("chat_key")?,
            person: row.get("person_id")?,
            organization: row.get("organization_id")?,
            on_behalf_by: row.get("on_behalf_by")?,
            edits: row.get("edits_order_id")?,
            state: row.get("state")?,
            undo: row.get("undo")?,
            file_name: row.get("file_name")?,
            revision: row.get("revision")?,
            delivery: delivery_from(row)?,
            address: row.get("delivery_address")?,
            comment: row.get("comment")?,
            updated_at: row.get("updated_at_ms")?,
        })
    }
}

/// Reads `delivery_kind` and `delivery_date`. A date that cannot be read is no date.
pub(super) fn delivery_from(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let kind: String = row.get("delivery_kind")?;
    let date: Option<String> = row.get("delivery_date")?;
    Ok(match (kind.as_str(), date.and_then(|text| text.parse().ok())) {
        ("pickup", _) => Delivery::Pickup,
        ("date", Some(date)) => Delivery::On(date),
        _ => Delivery::Any,
    })
}

/// `delivery_kind` and `delivery_date`.
pub(super) fn delivery_columns(delivery: Delivery) -> (&'static str, Option<String>) {
    match delivery {
        Delivery::Any => ("any", None),
        Delivery::On(date) => ("date", Some(date.to_string())),
        Delivery::Pickup => ("pickup", None),
    }
}

pub(super) fn price_from(row: &Row<'_>) -> rusqlite::Result<Option<Price>> {
    let amount: Option<Money> = row.get("price_amount_kopecks")?;
    let per: Option<u32> = row.get("price_per")?;
    Ok(amount.zip(per).and_then(|(amount, per)| Price::new(amount, per)))
}

pub(super) fn ids_to_json(ids: &[ProductId]) -> String {
    serde_json::to_string(ids).unwrap_or_else(|_| "[]".to_owned())
}

pub(super) fn ids_from_json(text: &str) -> Vec<ProductId> {
    serde_json::from_str(text).unwrap_or_default()
}

impl DraftLineRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            draft: row.get("draft_id")?,
            position: row.get("position")?,
            raw: row.get("raw")?,
            phrase: row.get("phrase")?,
            state: row.get("state")?,
            product: row.get("product_id")?,
            quantity: row.get("quantity_thousandths")?,
            unit: row.get("unit")?,
            candidates: ids_from_json(&row.get::<_, String>("candidates")?),
            question: row.get("question")?,
            trace: row.get("trace")?,
            chosen: row.get("chosen")?,
            price: price_from(row)?,
            fixed_quantity: row.get("fixed_quantity")?,
            event_key: row.get("event_key")?,
        })
    }
}

/// The draft with this id, or `None`.
pub fn find(conn: &Connection, id: DraftId) -> Result<Option<DraftRow>, StorageError> {
    let mut stmt = conn.prepare_cached(&format!("{DRAFT} where id = :id"))?;
    Ok(stmt.query_row(named_params! { ":id": id }, DraftRow::from_row).optional()?)
}

/// The open draft of a person for an organization, or `None`.
pub fn find_open(
    conn: &Connection,
    person: PersonId,
    organization: Option<OrganizationId>,
) -> Result<Option<DraftRow>, StorageError> {
    let sql = format!(
        "{DRAFT} where state = 'open' and person_id = :person
            and coalesce(organization_id, 0) = coalesce(:organization, 0)"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let params = named_params! { ":person": person, ":organization": organization };
    Ok(stmt.query_row(params, DraftRow::from_row).optional()?)
}

/// The open draft of a chat that has no account yet, or `None`.
pub fn find_open_guest(
    conn: &Connection,
    chat: &ChatKey,
) -> Result<Option<DraftRow>, StorageError> {
    let sql = format!("{DRAFT} where state = 'open' and person_id is null and chat_key = :chat");
    let mut stmt = conn.prepare_cached(&sql)?;
    Ok(stmt.query_row(named_params! { ":chat": chat }, DraftRow::from_row).optional()?)
}

/// Begins an empty draft.
pub fn insert(
    tx: &Transaction<'_>,
    chat: &ChatKey,
    person: Option<PersonId>,
    organization: Option<OrganizationId>,
    on_behalf_by: Option<PersonId>,
    now: Timestamp,
) -> Result<DraftId, StorageError> {
    const SQL: &str = "
        insert into drafts (chat_key, person_id, organization_id, on_behalf_by, created_at_ms,
            updated_at_ms)
        values (:chat, :person, :organization, :by, :now, :now)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":chat": chat, ":person": person, ":organization": organization, ":by": on_behalf_by,
        ":now": now,
    })?;
    Ok(DraftId(tx.last_insert_rowid()))
}

/// Gives a guest's draft to the person that the chat turned out to be.
pub fn set_owner(
    tx: &Transaction<'_>,
    id: DraftId,
    person: PersonId,
    organization: Option<OrganizationId>,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update drafts set person_id = :person, organization_id = :organization,
            revision = revision + 1
        where id = :id";
    let params = named_params! { ":id": id, ":person": person, ":organization": organization };
    one_row(tx.prepare_cached(SQL)?.execute(params)?)
}

/// Keeps how the lines were before an addition; any other change forgets it.
pub fn set_undo(tx: &Transaction<'_>, id: DraftId, undo: &str) -> Result<(), StorageError> {
    const SQL: &str = "update drafts set undo = :undo where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":undo": undo })?)
}

/// Makes the draft one that changes an order when it is sent.
pub fn set_edits(tx: &Transaction<'_>, id: DraftId, order: OrderId) -> Result<(), StorageError> {
    const SQL: &str = "update drafts set edits_order_id = :order where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":order": order })?)
}

/// Moves the draft to `open`, `sent` or `dropped`.
pub fn set_state(
    tx: &Transaction<'_>,
    id: DraftId,
    state: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update drafts set state = :state, revision = revision + 1, updated_at_ms = :now
        where id = :id";
    let params = named_params! { ":id": id, ":state": state, ":now": now };
    one_row(tx.prepare_cached(SQL)?.execute(params)?)
}

/// Notes that something in the draft changed: its buttons drawn before are stale.
pub fn touch(tx: &Transaction<'_>, id: DraftId, now: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "
        update drafts set revision = revision + 1, undo = null, updated_at_ms = :now
        where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":now": now })?)
}

/// Stores what checkout asks.
pub fn set_checkout(
    tx: &Transaction<'_>,
    id: DraftId,
    delivery: Delivery,
    address: &str,
    comment: &str,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update drafts set delivery_kind = :kind, delivery_date = :date,
            delivery_address = :address, comment = :comment
        where id = :id";
    let (kind, date) = delivery_columns(delivery);
    one_row(tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": id, ":kind": kind, ":date": date, ":address": address, ":comment": comment,
    })?)
}

/// Notes that an event has changed the draft; whether it is the first time.
pub fn note_event(
    tx: &Transaction<'_>,
    event_key: &str,
    draft: DraftId,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "
        insert into draft_events (event_key, draft_id, at_ms) values (:key, :draft, :now)
        on conflict do nothing";
    let params = named_params! { ":key": event_key, ":draft": draft, ":now": now };
    Ok(tx.prepare_cached(SQL)?.execute(params)? == 1)
}

/// Keeps what an event put into lines that were there before: JSON.
pub fn set_merged(tx: &Transaction<'_>, event_key: &str, merged: &str) -> Result<(), StorageError> {
    const SQL: &str = "update draft_events set merged = :merged where event_key = :key";
    one_row(
        tx.prepare_cached(SQL)?.execute(named_params! { ":key": event_key, ":merged": merged })?,
    )
}

/// What an event put into lines that were there before; `None` when it has not changed the draft.
pub fn find_merged(
    conn: &Connection,
    event_key: &str,
    draft: DraftId,
) -> Result<Option<String>, StorageError> {
    const SQL: &str = "
        select merged from draft_events where event_key = :key and draft_id = :draft";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":key": event_key, ":draft": draft };
    Ok(stmt.query_row(params, |row| row.get("merged")).optional()?)
}

/// Names the table that lines of the draft were read from.
pub fn set_file_name(tx: &Transaction<'_>, id: DraftId, name: &str) -> Result<(), StorageError> {
    const SQL: &str = "update drafts set file_name = :name where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":name": name })?)
}

/// The draft's lines, in order.
pub fn lines(conn: &Connection, draft: DraftId) -> Result<Vec<DraftLineRow>, StorageError> {
    let mut stmt =
        conn.prepare_cached(&format!("{LINE} where draft_id = :draft order by position, id"))?;
    let rows = stmt.query_map(named_params! { ":draft": draft }, DraftLineRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The line with this id, or `None`.
pub fn find_line(conn: &Connection, id: DraftLineId) -> Result<Option<DraftLineRow>, StorageError> {
    let mut stmt = conn.prepare_cached(&format!("{LINE} where id = :id"))?;
    Ok(stmt.query_row(named_params! { ":id": id }, DraftLineRow::from_row).optional()?)
}

/// Adds a line after the last.
pub fn insert_line(
    tx: &Transaction<'_>,
    draft: DraftId,
    line: &NewDraftLine,
    event_key: &str,
) -> Result<DraftLineId, StorageError> {
    const SQL: &str = "
        insert into draft_lines (draft_id, position, raw, phrase, state, product_id,
            quantity_thousandths, unit, candidates, question, trace, price_amount_kopecks,
            price_per, event_key)
        values (:draft,
            1 + coalesce((select max(position) from draft_lines where draft_id = :draft), 0),
            :raw, :phrase, :state, :product, :quantity, :unit, :candidates, :question, :trace,
            :amount, :per, :event)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":draft": draft,
        ":raw": line.raw,
        ":phrase": line.phrase,
        ":state": line.state.unwrap_or(LineState::None),
        ":product": line.product,
        ":quantity": line.quantity,
        ":unit": line.unit,
        ":candidates": ids_to_json(&line.candidates),
        ":question": line.question,
        ":trace": line.trace,
        ":amount": line.price.map(|price| price.amount),
        ":per": line.price.map(|price| price.per),
        ":event": event_key,
    })?;
    Ok(DraftLineId(tx.last_insert_rowid()))
}

/// Stores everything of a line that can change.
pub fn update_line(tx: &Transaction<'_>, line: &DraftLineRow) -> Result<(), StorageError> {
    const SQL: &str = "
        update draft_lines set raw = :raw, phrase = :phrase, state = :state,
            product_id = :product, quantity_thousandths = :quantity, unit = :unit,
            candidates = :candidates, question = :question, trace = :trace, chosen = :chosen,
            price_amount_kopecks = :amount, price_per = :per, fixed_quantity = :fixed
        where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": line.id,
        ":raw": line.raw,
        ":phrase": line.phrase,
        ":state": line.state,
        ":product": line.product,
        ":quantity": line.quantity,
        ":unit": line.unit,
        ":candidates": ids_to_json(&line.candidates),
        ":question": line.question,
        ":trace": line.trace,
        ":chosen": line.chosen,
        ":amount": line.price.map(|price| price.amount),
        ":per": line.price.map(|price| price.per),
        ":fixed": line.fixed_quantity,
    })?)
}

/// Takes lines out and closes the gaps in the numbering.
pub fn remove_lines(
    tx: &Transaction<'_>,
    draft: DraftId,
    ids: &[DraftLineId],
) -> Result<(), StorageError> {
    const REMOVE: &str = "delete from draft_lines where id = :id and draft_id = :draft";
    const NUMBER: &str = "
        update draft_lines set position = numbered.n
        from (select id, row_number() over (order by position, id) as n
            from draft_lines where draft_id = :draft) as numbered
        where numbered.id = draft_lines.id";
    for id in ids {
        tx.prepare_cached(REMOVE)?.execute(named_params! { ":id": id, ":draft": draft })?;
    }
    tx.prepare_cached(NUMBER)?.execute(named_params! { ":draft": draft })?;
    Ok(())
}
