//! Orders with their lines and timeline.

mod list;

pub use list::{
    AskingOrder, OrderFilter, OrderSort, count, count_by_status, ids, list, list_asking, page,
    totals,
};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};
use serde::{Deserialize, Serialize};

use super::StorageError;
use super::db::one_row;
use super::drafts::{delivery_columns, delivery_from, ids_from_json, ids_to_json, price_from};
use crate::domain::{
    Channel, Chooser, Delivery, DraftId, LineState, Money, OrderId, OrderLineId, OrderNumber,
    OrderStatus, OrganizationId, PersonId, Phone, Price, ProductId, Quantity, Timestamp,
};

/// An order with the names around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// The order.
    pub id: OrderId,
    /// Its number, as people see it.
    pub number: OrderNumber,
    /// Its id on 1C's wires.
    pub uuid: String,
    /// The draft that it was.
    pub draft: Option<DraftId>,
    /// Who buys.
    pub organization: OrganizationId,
    /// The organization's name.
    pub organization_name: String,
    /// Whether staff have verified the organization: else it is a new client, shown no prices.
    pub organization_verified: bool,
    /// The person who ordered.
    pub author: PersonId,
    /// Their name.
    pub author_name: String,
    /// Their phone.
    pub author_phone: Option<Phone>,
    /// The phone that is told or claimed to be theirs, where none is proven; for showing only.
    pub author_unproven_phone: Option<Phone>,
    /// Whether they have blocked the bot: what is written does not reach them.
    pub author_unreachable: bool,
    /// The manager who has it.
    pub manager: Option<PersonId>,
    /// Their name; empty when nobody has it.
    pub manager_name: String,
    /// When that manager took it.
    pub taken_at: Option<Timestamp>,
    /// Where it stands.
    pub status: OrderStatus,
    /// Why it stands so, where a manager said; may be empty.
    pub status_reason: String,
    /// Grows with every change.
    pub revision: i64,
    /// Through which door it came.
    pub source: Channel,
    /// When to deliver.
    pub delivery: Delivery,
    /// Where to; may be empty.
    pub address: String,
    /// The buyer's words to the manager; may be empty.
    pub comment: String,
    /// The sum of the lines that have a price.
    pub total: Money,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Its number in 1C.
    pub onec_number: Option<String>,
    /// When 1C said that it has the order.
    pub onec_acknowledged_at: Option<Timestamp>,
    /// Moved in from the former program: 1C is never offered it, nobody is told of its statuses.
    pub history: bool,
    /// How many lines.
    pub line_count: u32,
    /// How many lines wait for a manager's choice of product.
    pub unresolved_count: u32,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLineRow {
    /// The line.
    pub id: OrderLineId,
    /// The order.
    pub order: OrderId,
    /// Its number in the order, from 1.
    pub position: i64,
    /// The buyer's own words.
    pub raw: String,
    /// The key under which a manager's choice is learnt.
    pub phrase: String,
    /// How it stands.
    pub state: LineState,
    /// The product.
    pub product: Option<ProductId>,
    /// The product's title when it was ordered; empty without a product.
    pub title: String,
    /// The product's article when it was ordered.
    pub sku: String,
    /// How many, in `unit`.
    pub quantity: Option<Quantity>,
    /// Of which unit; empty: the base unit.
    pub unit: String,
    /// How many base units; `None` when the unit does not lead to one.
    pub base_quantity: Option<Quantity>,
    /// The base unit.
    pub base_unit: String,
    /// The price of the base unit.
    pub price: Option<Price>,
    /// The line's sum.
    pub sum: Option<Money>,
    /// Products that may be meant, best first.
    pub candidates: Vec<ProductId>,
    /// JSON of why.
    pub trace: Option<String>,
    /// Who chose the product; `None`: recognition, or nobody yet.
    #[serde(default)]
    pub chosen_by: Option<Chooser>,
}

/// An entry of an order's timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderEventRow {
    /// The entry.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Through which door.
    pub channel: Channel,
    /// Who; empty: the program itself.
    pub person_name: String,
    /// `created`, `status`, `line`, `message`, `note`, `delivery` or `onec`.
    pub kind: String,
    /// In Russian, as shown.
    pub text: String,
    /// Whether the client was told.
    pub to_client: bool,
    /// JSON: where the file that came with it is.
    pub attachment: Option<String>,
}

/// A new order, all but its number.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Its id on 1C's wires.
    pub uuid: String,
    /// The draft that it was.
    pub draft: Option<DraftId>,
    /// Who buys.
    pub organization: OrganizationId,
    /// The person who ordered.
    pub author: PersonId,
    /// The manager who wrote it for the client.
    pub placed_by: Option<PersonId>,
    /// `new`, or `approval` of a viewer's order.
    pub status: OrderStatus,
    /// Through which door it came.
    pub source: Channel,
    /// When to deliver.
    pub delivery: Delivery,
    /// Where to.
    pub address: String,
    /// The buyer's words to the manager.
    pub comment: String,
    /// The sum of the lines that have a price.
    pub total: Money,
    /// When.
    pub at: Timestamp,
}

const ORDER: &str = "
    select o.id, o.number, o.uuid, o.draft_id, o.organization_id, g.name as organization_name,
        g.verified as organization_verified, o.author_id, a.name as author_name,
        a.phone as author_phone,
        case when a.phone is null or not a.phone_verified then coalesce(a.phone, a.claimed_phone)
            end as author_unproven_phone,
        exists (select 1 from chats c where c.person_id = a.id and c.blocked_at_ms is not null)
            and not exists (select 1 from chats c where c.person_id = a.id and c.blocked_at_ms is null)
            as author_unreachable, o.manager_id,
        coalesce(m.name, '') as manager_name, o.taken_at_ms, o.status, o.status_reason, o.revision, o.source, o.delivery_kind,
        o.delivery_date, o.delivery_address, o.comment, o.total_kopecks, o.created_at_ms,
        o.updated_at_ms, o.onec_number, o.onec_acknowledged_at_ms, o.history,
        (select count(*) from order_lines l where l.order_id = o.id) as line_count,
        (select count(*) from order_lines l where l.order_id = o.id and l.state <> 'ok')
            as unresolved_count
    from orders o
    join organizations g on g.id = o.organization_id
    join persons a on a.id = o.author_id
    left join persons m on m.id = o.manager_id";

const LINE: &str = "
    select id, order_id, position, raw, phrase, state, product_id, title, sku,
        quantity_thousandths, unit, base_quantity_thousandths, base_unit, price_amount_kopecks,
        price_per, sum_kopecks, candidates, trace, chosen_by
    from order_lines";

impl OrderRow {
    /// Whether an owner returned it to the one who prepared it.
    pub fn is_returned(&self) -> bool {
        self.status == OrderStatus::Draft && !self.history
    }

    /// Whether the buyer may still change it: nobody has taken it.
    pub fn is_open_to_buyer(&self) -> bool {
        let open = matches!(self.status, OrderStatus::New | OrderStatus::Approval);
        self.manager.is_none() && (open || self.is_returned())
    }

    /// Whether the buyer may take it back.
    pub fn is_cancellable_by_buyer(&self) -> bool {
        self.status.client_can_cancel() || self.is_returned()
    }

    /// Whether the buyer has nothing to wait for any more.
    pub fn is_over_for_buyer(&self) -> bool {
        self.status.is_final() && !self.is_returned()
    }

    /// The author's number for showing, and whether it is proven to be theirs.
    pub fn shown_phone(&self) -> Option<(&Phone, bool)> {
        let unproven = self.author_unproven_phone.as_ref().map(|phone| (phone, false));
        unproven.or_else(|| self.author_phone.as_ref().map(|phone| (phone, true)))
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            number: row.get("number")?,
            uuid: row.get("uuid")?,
            draft: row.get("draft_id")?,
            organization: row.get("organization_id")?,
            organization_name: row.get("organization_name")?,
            organization_verified: row.get("organization_verified")?,
            author: row.get("author_id")?,
            author_name: row.get("author_name")?,
            author_phone: row.get("author_phone")?,
            author_unproven_phone: row.get("author_unproven_phone")?,
            author_unreachable: row.get("author_unreachable")?,
            manager: row.get("manager_id")?,
            manager_name: row.get("manager_name")?,
            taken_at: row.get("taken_at_ms")?,
            status: row.get("status")?,
            status_reason: row.get("status_reason")?,
            revision: row.get("revision")?,
            source: row.get("source")?,
            delivery: delivery_from(row)?,
            address: row.get("delivery_address")?,
            comment: row.get("comment")?,
            total: row.get("total_kopecks")?,
            created_at: row.get("created_at_ms")?,
            updated_at: row.get("updated_at_ms")?,
            onec_number: row.get("onec_number")?,
            onec_acknowledged_at: row.get("onec_acknowledged_at_ms")?,
            history: row.get("history")?,
            line_count: row.get("line_count")?,
            unresolved_count: row.get("unresolved_count")?,
        })
    }
}

impl OrderLineRow {
    /// Whether it is counted in a unit that its product does not have: its sum is not known, and 1C
    /// is not given it.
    pub fn is_uncounted(&self) -> bool {
        self.product.is_some() && self.quantity.is_some() && self.base_quantity.is_none()
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            order: row.get("order_id")?,
            position: row.get("position")?,
            raw: row.get("raw")?,
            phrase: row.get("phrase")?,
            state: row.get("state")?,
            product: row.get("product_id")?,
            title: row.get("title")?,
            sku: row.get("sku")?,
            quantity: row.get("quantity_thousandths")?,
            unit: row.get("unit")?,
            base_quantity: row.get("base_quantity_thousandths")?,
            base_unit: row.get("base_unit")?,
            price: price_from(row)?,
            sum: row.get("sum_kopecks")?,
            candidates: ids_from_json(&row.get::<_, String>("candidates")?),
            trace: row.get("trace")?,
            chosen_by: row.get("chosen_by")?,
        })
    }
}

/// The order with this id, or `None`.
pub fn find(conn: &Connection, id: OrderId) -> Result<Option<OrderRow>, StorageError> {
    let mut stmt = conn.prepare_cached(&format!("{ORDER} where o.id = :id"))?;
    Ok(stmt.query_row(named_params! { ":id": id }, OrderRow::from_row).optional()?)
}

/// The order with this number, or `None`.
pub fn find_by_number(
    conn: &Connection,
    number: OrderNumber,
) -> Result<Option<OrderRow>, StorageError> {
    let mut stmt = conn.prepare_cached(&format!("{ORDER} where o.number = :number"))?;
    Ok(stmt.query_row(named_params! { ":number": number }, OrderRow::from_row).optional()?)
}

/// The order that a draft became, or `None`.
pub fn find_by_draft(conn: &Connection, draft: DraftId) -> Result<Option<OrderRow>, StorageError> {
    let mut stmt = conn.prepare_cached(&format!("{ORDER} where o.draft_id = :draft"))?;
    Ok(stmt.query_row(named_params! { ":draft": draft }, OrderRow::from_row).optional()?)
}

/// The order's lines, in order.
pub fn lines(conn: &Connection, order: OrderId) -> Result<Vec<OrderLineRow>, StorageError> {
    let mut stmt =
        conn.prepare_cached(&format!("{LINE} where order_id = :order order by position, id"))?;
    let rows = stmt.query_map(named_params! { ":order": order }, OrderLineRow::from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The line with this id, or `None`.
pub fn find_line(conn: &Connection, id: OrderLineId) -> Result<Option<OrderLineRow>, StorageError> {
    let mut stmt = conn.prepare_cached(&format!("{LINE} where id = :id"))?;
    Ok(stmt.query_row(named_params! { ":id": id }, OrderLineRow::from_row).optional()?)
}

/// Orders that nobody has taken, sent since `since`: the longest waiting first.
pub fn list_untaken(
    conn: &Connection,
    since: Timestamp,
) -> Result<Vec<(OrderId, Timestamp)>, StorageError> {
    const SQL: &str = "
        select id, created_at_ms from orders
        where status = 'new' and manager_id is null and history = 0 and created_at_ms >= :since
        order by created_at_ms";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":since": since }, |row| {
        Ok((row.get("id")?, row.get("created_at_ms")?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Orders that were shipped before `before` and not touched since; those that were moved in stay as
/// they came.
pub fn list_shipped(conn: &Connection, before: Timestamp) -> Result<Vec<OrderId>, StorageError> {
    const SQL: &str = "
        select id from orders where status = 'shipped' and history = 0 and updated_at_ms < :before
        order by updated_at_ms limit 500";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":before": before }, |row| row.get("id"))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The order's timeline, oldest first.
pub fn events(conn: &Connection, order: OrderId) -> Result<Vec<OrderEventRow>, StorageError> {
    const SQL: &str = "
        select e.id, e.at_ms, e.channel, coalesce(p.name, '') as person_name, e.kind, e.text,
            e.to_client, e.attachment
        from order_events e left join persons p on p.id = e.person_id
        where e.order_id = :order order by e.id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":order": order }, |row| {
        Ok(OrderEventRow {
            id: row.get("id")?,
            at: row.get("at_ms")?,
            channel: row.get("channel")?,
            person_name: row.get("person_name")?,
            kind: row.get("kind")?,
            text: row.get("text")?,
            to_client: row.get("to_client")?,
            attachment: row.get("attachment")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Takes the next number from the counter: gapless, never reused.
pub fn next_number(tx: &Transaction<'_>) -> Result<OrderNumber, StorageError> {
    const SQL: &str = "
        update counters set value = value + 1 where name = 'order_number' returning value";
    Ok(tx.prepare_cached(SQL)?.query_row([], |row| row.get("value"))?)
}

/// Stores a new order under this number.
pub fn insert(
    tx: &Transaction<'_>,
    number: OrderNumber,
    order: &NewOrder,
) -> Result<OrderId, StorageError> {
    const SQL: &str = "
        insert into orders (number, uuid, draft_id, organization_id, author_id, placed_by, status,
            source, delivery_kind, delivery_date, delivery_address, comment, total_kopecks,
            created_at_ms, updated_at_ms)
        values (:number, :uuid, :draft, :organization, :author, :placed_by, :status, :source,
            :kind, :date, :address, :comment, :total, :at, :at)";
    let (kind, date) = delivery_columns(order.delivery);
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":number": number,
        ":uuid": order.uuid,
        ":draft": order.draft,
        ":organization": order.organization,
        ":author": order.author,
        ":placed_by": order.placed_by,
        ":status": order.status,
        ":source": order.source,
        ":kind": kind,
        ":date": date,
        ":address": order.address,
        ":comment": order.comment,
        ":total": order.total,
        ":at": order.at,
    })?;
    Ok(OrderId(tx.last_insert_rowid()))
}

/// Stores a line of an order; its id and order are those given, not those in the row.
pub fn insert_line(
    tx: &Transaction<'_>,
    order: OrderId,
    line: &OrderLineRow,
) -> Result<OrderLineId, StorageError> {
    const SQL: &str = "
        insert into order_lines (order_id, position, raw, phrase, state, product_id, title, sku,
            quantity_thousandths, unit, base_quantity_thousandths, base_unit,
            price_amount_kopecks, price_per, sum_kopecks, candidates, trace, chosen_by)
        values (:order, :position, :raw, :phrase, :state, :product, :title, :sku, :quantity, :unit,
            :base_quantity, :base_unit, :amount, :per, :sum, :candidates, :trace, :chosen_by)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":order": order,
        ":position": line.position,
        ":raw": line.raw,
        ":phrase": line.phrase,
        ":state": line.state,
        ":product": line.product,
        ":title": line.title,
        ":sku": line.sku,
        ":quantity": line.quantity,
        ":unit": line.unit,
        ":base_quantity": line.base_quantity,
        ":base_unit": line.base_unit,
        ":amount": line.price.map(|price| price.amount),
        ":per": line.price.map(|price| price.per),
        ":sum": line.sum,
        ":candidates": ids_to_json(&line.candidates),
        ":trace": line.trace,
        ":chosen_by": line.chosen_by,
    })?;
    Ok(OrderLineId(tx.last_insert_rowid()))
}

/// Stores the product, quantity, price and state of a line.
pub fn update_line(tx: &Transaction<'_>, line: &OrderLineRow) -> Result<(), StorageError> {
    const SQL: &str = "
        update order_lines set state = :state, product_id = :product, title = :title, sku = :sku,
            quantity_thousandths = :quantity, unit = :unit,
            base_quantity_thousandths = :base_quantity, base_unit = :base_unit,
            price_amount_kopecks = :amount, price_per = :per, sum_kopecks = :sum,
            chosen_by = :chosen_by
        where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": line.id,
        ":state": line.state,
        ":product": line.product,
        ":title": line.title,
        ":sku": line.sku,
        ":quantity": line.quantity,
        ":unit": line.unit,
        ":base_quantity": line.base_quantity,
        ":base_unit": line.base_unit,
        ":amount": line.price.map(|price| price.amount),
        ":per": line.price.map(|price| price.per),
        ":sum": line.sum,
        ":chosen_by": line.chosen_by,
    })?)
}

/// Moves the order to a status; the reason may be empty.
pub fn set_status(
    tx: &Transaction<'_>,
    id: OrderId,
    status: OrderStatus,
    reason: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update orders set status = :status, status_reason = :reason, revision = revision + 1, updated_at_ms = :now
        where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": id, ":status": status, ":reason": reason, ":now": now,
    })?)
}

/// Gives the order to a manager, or to nobody.
pub fn set_manager(
    tx: &Transaction<'_>,
    id: OrderId,
    manager: Option<PersonId>,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update orders set manager_id = :manager, revision = revision + 1, updated_at_ms = :now,
            taken_at_ms = case when :manager is null then null else :now end
        where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": id, ":manager": manager, ":now": now,
    })?)
}

/// Adds the lines' sums up anew and notes the change.
pub fn refresh_total(
    tx: &Transaction<'_>,
    id: OrderId,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update orders set revision = revision + 1, updated_at_ms = :now,
            total_kopecks = (select coalesce(sum(sum_kopecks), 0) from order_lines
                where order_id = :id)
        where id = :id";
    one_row(tx.prepare_cached(SQL)?.execute(named_params! { ":id": id, ":now": now })?)
}

/// Stores what checkout asked.
pub fn set_checkout(
    tx: &Transaction<'_>,
    id: OrderId,
    delivery: Delivery,
    address: &str,
    comment: &str,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update orders set delivery_kind = :kind, delivery_date = :date,
            delivery_address = :address, comment = :comment
        where id = :id";
    let (kind, date) = delivery_columns(delivery);
    one_row(tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": id, ":kind": kind, ":date": date, ":address": address, ":comment": comment,
    })?)
}

/// Takes every line out, to be written anew.
pub fn remove_lines(tx: &Transaction<'_>, id: OrderId) -> Result<(), StorageError> {
    const SQL: &str = "delete from order_lines where order_id = :id";
    tx.prepare_cached(SQL)?.execute(named_params! { ":id": id })?;
    Ok(())
}

/// What happened to an order.
#[derive(Debug, Clone, Copy)]
pub struct NewOrderEvent<'a> {
    /// The order.
    pub order: OrderId,
    /// When.
    pub at: Timestamp,
    /// Through which door.
    pub channel: Channel,
    /// Who; `None`: the program itself.
    pub person: Option<PersonId>,
    /// `created`, `status`, `line`, `message`, `note`, `delivery` or `onec`.
    pub kind: &'a str,
    /// In Russian, as shown.
    pub text: &'a str,
    /// Whether the client is told.
    pub to_client: bool,
}

/// Adds an entry to the timeline; its id.
pub fn insert_event(tx: &Transaction<'_>, event: NewOrderEvent<'_>) -> Result<i64, StorageError> {
    const SQL: &str = "
        insert into order_events (order_id, at_ms, channel, person_id, kind, text, to_client)
        values (:order, :at, :channel, :person, :kind, :text, :to_client)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":order": event.order,
        ":at": event.at,
        ":channel": event.channel,
        ":person": event.person,
        ":kind": event.kind,
        ":text": event.text,
        ":to_client": event.to_client,
    })?;
    Ok(tx.last_insert_rowid())
}

/// Whether the event has left its entry already.
pub fn has_event(conn: &Connection, event_key: Option<&str>) -> Result<bool, StorageError> {
    const SQL: &str = "select exists (select 1 from order_events where event_key = :key)";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":key": event_key }, |row| row.get(0))?)
}

/// Stores which event an entry comes from, and where the file beside it is.
pub fn set_origin(
    tx: &Transaction<'_>,
    entry: i64,
    event_key: Option<&str>,
    attachment: Option<&str>,
) -> Result<(), StorageError> {
    const SQL: &str = "
        update order_events set event_key = :key, attachment = :attachment where id = :entry";
    let params = named_params! { ":entry": entry, ":key": event_key, ":attachment": attachment };
    one_row(tx.prepare_cached(SQL)?.execute(params)?)
}
