//! Orders of the standard exchange: our orders as documents, and what 1C's documents say of them.

use std::collections::HashMap;

use rusqlite::{Connection, Transaction};

use super::mapping::UNKNOWN_STATUS;
use super::partners::{StatusFromOnec, UpdatesReport, skipped, status, storage};
use super::{ApplyReport, Exchange, Origin, PROBLEMS_KEPT, note};
use crate::domain::{
    Channel, Delivery, Money, OrderId, OrderNumber, OrderStatus, OrgKind, Quantity, Timestamp, Unit,
};
use crate::formats::commerceml::{
    DocumentLine, Form, OrderDocument, OrderForOnec, OrderLineForOnec, write_orders,
};
use crate::formats::text::excerpt;
use crate::services::ordering::notices;
use crate::storage::orders::{NewOrderEvent, OrderLineRow, OrderRow};
use crate::storage::{StorageError, onec_orders, orders, organizations, prices, products};

/// Orders in one document: 1C takes them all or none.
const BATCH: u32 = 50;
/// An order handed out so many times in vain goes alone, after those that have not.
const IN_VAIN: u32 = 3;
/// Differences of lines that the timeline names.
const LINES_NAMED: usize = 5;

impl Exchange {
    /// The orders that 1C has not taken, as the document that it reads; and which they are. Those
    /// that the session was `given` already are left out.
    ///
    /// A batch is one transaction in 1C: an order that it cannot take would keep back the others
    /// for ever. So what was handed out three times in vain goes alone, and later than the rest.
    pub(super) async fn orders_document(
        &self,
        form: Form,
        given: &[OrderId],
        origin: &(dyn Fn() -> Origin + Sync),
    ) -> Result<(Vec<u8>, Vec<OrderId>), StorageError> {
        let from = self.base.config.onec.send_from;
        let waiting = self
            .base
            .db
            .read(move |conn| onec_orders::offered_by_documents(conn, from, 10 * BATCH))
            .await?;
        let ids: Vec<OrderId> = waiting.iter().map(|order| order.id).collect();
        let batch = self.standard.choose(&ids, given);
        let zone = self.base.zone.clone();
        let now = self.base.clock.now();
        let (batch, orders): (Vec<OrderId>, Vec<OrderForOnec>) = self
            .base
            .db
            .read(move |conn| {
                let mut out = Vec::new();
                for order in waiting.into_iter().filter(|order| batch.contains(&order.id)) {
                    let written = document(conn, &order, &zone)?;
                    out.extend(written.map(|written| (order.id, written)));
                }
                Ok::<_, StorageError>(out)
            })
            .await?
            .into_iter()
            .unzip();
        let written = self.base.zone.civil(now).strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let xml = write_orders(&orders, form, &written);
        if !batch.is_empty() {
            let report = ApplyReport { received: batch.len(), ..ApplyReport::default() };
            let (origin, given) = (origin(), batch.clone());
            let write = move |tx: &Transaction<'_>| {
                onec_orders::note_offered(tx, &given, now)?;
                note(tx, "orders", &origin, now, std::time::Duration::ZERO, &report).map(drop)
            };
            self.base.db.write(write).await?;
        }
        Ok((xml, batch))
    }

    /// 1C has taken these orders.
    pub(super) async fn taken(
        &self,
        taken: Vec<OrderId>,
        origin: Origin,
    ) -> Result<(), StorageError> {
        if taken.is_empty() {
            return Ok(());
        }
        let now = self.base.clock.now();
        self.standard.forget(&taken);
        let changed = self
            .base
            .db
            .write(move |tx| {
                let mut changed = Vec::new();
                for id in taken {
                    if onec_orders::acknowledge(tx, id, None, None, now)? {
                        event(tx, id, "Заявка в 1С", now)?;
                        notices::refresh_staff_cards(tx, id, now).map_err(storage)?;
                        changed.push(id);
                    }
                }
                let report = ApplyReport {
                    received: changed.len(),
                    changed: changed.len(),
                    ..ApplyReport::default()
                };
                note(tx, "orders", &origin, now, std::time::Duration::ZERO, &report)?;
                Ok::<_, StorageError>(changed)
            })
            .await?;
        self.tell_orders(&changed);
        Ok(())
    }

    /// Stores what 1C's documents say: each acknowledges its order; a state that has changed since
    /// the last time moves the order.
    pub async fn order_documents(
        &self,
        documents: Vec<OrderDocument>,
        origin: Origin,
    ) -> Result<UpdatesReport, StorageError> {
        let now = self.base.clock.now();
        let report = self
            .base
            .db
            .write(move |tx| {
                let mut report =
                    UpdatesReport { received: documents.len(), ..UpdatesReport::default() };
                let winners = winners(&documents);
                let mut unknown = Vec::new();
                for (index, document) in documents.iter().enumerate() {
                    let number = &document.number;
                    if winners.get(number.as_str()) != Some(&index) {
                        let reason = "в 1С два документа с этим номером: действует проведённый";
                        report.skipped.push(skipped(index, number, reason));
                        continue;
                    }
                    // «00000001042» is another program's number.
                    let own = !number.trim_start().starts_with('0');
                    let found = match OrderNumber::parse(number).filter(|_| own) {
                        Some(number) => orders::find_by_number(tx, number)?,
                        None => None,
                    };
                    let Some(order) = found else {
                        report.skipped.push(skipped(index, number, "такой заявки нет"));
                        continue;
                    };
                    let word = &document.status;
                    if !word.is_empty() && status(tx, word)?.is_none() {
                        let reason = format!("{UNKNOWN_STATUS}{}»", excerpt(word));
                        unknown.push(skipped(index, number, reason));
                    }
                    match apply(tx, &order, document, now)? {
                        Ok(changed) => {
                            report.updated += 1;
                            if changed {
                                report.changed.push(order.id);
                            }
                        }
                        Err(reason) => report.skipped.push(skipped(index, number, reason)),
                    }
                }
                let noted = ApplyReport {
                    received: report.received,
                    changed: report.changed.len(),
                    unchanged: report.updated - report.changed.len(),
                    skipped: report.skipped.len(),
                    // A word that nobody understands keeps nothing back: it waits to be mapped.
                    problems: report
                        .skipped
                        .iter()
                        .chain(&unknown)
                        .take(PROBLEMS_KEPT)
                        .cloned()
                        .collect(),
                    ..ApplyReport::default()
                };
                note(tx, "statuses", &origin, now, std::time::Duration::ZERO, &noted)?;
                Ok::<_, StorageError>(report)
            })
            .await?;
        self.standard.forget(&report.changed);
        self.tell_orders(&report.changed);
        Ok(report)
    }
}

/// For each number the document that counts: a copy made in 1C carries our number too. The posted
/// one, then the one with the earliest number there.
fn winners(documents: &[OrderDocument]) -> HashMap<&str, usize> {
    let mut winners: HashMap<&str, usize> = HashMap::new();
    for (index, document) in documents.iter().enumerate() {
        let best = winners.entry(&document.number).or_insert(index);
        let other = &documents[*best];
        let key = |d: &OrderDocument| (!d.posted, d.onec_number.clone());
        if key(document) < key(other) {
            *best = index;
        }
    }
    winners
}

/// What one document does to its order; whether anything changed.
fn apply(
    tx: &Transaction<'_>,
    order: &OrderRow,
    document: &OrderDocument,
    now: Timestamp,
) -> Result<Result<bool, String>, StorageError> {
    let (before, was_paid) = onec_orders::document_state(tx, order.id)?;
    let state = match document {
        OrderDocument { cancelled: true, .. } => "cancelled",
        OrderDocument { shipped: true, .. } => "shipped",
        OrderDocument { posted: true, .. } => "confirmed",
        _ => "received",
    };
    let mapped = if document.status.is_empty() { None } else { status(tx, &document.status)? };
    let next = match mapped {
        _ if state == "cancelled" => Some(OrderStatus::Cancelled).filter(|_| before != state),
        // A word that the company has mapped says more than «posted»; but it only leads on.
        Some(mapped) if mapped > order.status && mapped.settable_by_onec() => Some(mapped),
        _ => step(order.status, &before, state),
    };
    let told = StatusFromOnec {
        status: String::new(),
        number: document.onec_number.clone(),
        date: document.onec_date.clone(),
        comment: String::new(),
    };
    let mut changed = match told.move_to(tx, order, next.filter(|n| *n != order.status), now)? {
        Ok(changed) => changed,
        Err(reason) => return Ok(Err(reason)),
    };
    if before != state || was_paid != document.paid {
        onec_orders::set_document_state(tx, order.id, state, document.paid)?;
        if document.paid && !was_paid {
            event(tx, order.id, "Оплата: по данным 1С заявка оплачена", now)?;
        } else if was_paid && !document.paid {
            event(tx, order.id, "Оплата: по данным 1С заявка больше не оплачена", now)?;
        }
        changed = true;
    }
    if let Some(text) = difference(tx, order, document)?
        && !onec_orders::has_event(tx, order.id, &text)?
    {
        event(tx, order.id, &text, now)?;
        changed = true;
    }
    if changed {
        notices::refresh_staff_cards(tx, order.id, now).map_err(storage)?;
    }
    Ok(Ok(changed))
}

/// Where a document that says `state`, and said `before` the last time, moves an order.
fn step(status: OrderStatus, before: &str, state: &str) -> Option<OrderStatus> {
    if before == state {
        return None;
    }
    match state {
        "shipped" => Some(OrderStatus::Shipped).filter(|_| status != OrderStatus::Done),
        // Taken back in 1C: the shipment is not posted any more, the mark of deletion is gone.
        _ if before == "shipped" && status == OrderStatus::Shipped => Some(OrderStatus::Accepted),
        _ if before == "cancelled" && status == OrderStatus::Cancelled => {
            Some(OrderStatus::Accepted)
        }
        // What is further on already stays there.
        "confirmed" => Some(OrderStatus::Accepted)
            .filter(|_| matches!(status, OrderStatus::New | OrderStatus::NeedsClient)),
        _ => None,
    }
}

fn event(
    tx: &Transaction<'_>,
    order: OrderId,
    text: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    let row = NewOrderEvent {
        order,
        at: now,
        channel: Channel::Onec,
        person: None,
        kind: "onec",
        text,
        to_client: false,
    };
    orders::insert_event(tx, row).map(drop)
}

/// How the document differs from our order, in words for the timeline.
fn difference(
    conn: &Connection,
    order: &OrderRow,
    document: &OrderDocument,
) -> Result<Option<String>, StorageError> {
    if document.lines.is_empty() || document.cancelled {
        return Ok(None);
    }
    let mut ours: Vec<(String, String, Quantity)> = Vec::new();
    for line in orders::lines(conn, order.id)? {
        let OrderLineRow { product: Some(product), base_quantity: Some(quantity), .. } = line
        else {
            continue;
        };
        let external_id = products::find(conn, product)?.and_then(|row| row.external_id);
        add(&mut ours, external_id.unwrap_or_default(), line.title, quantity);
    }
    let mut theirs: Vec<(String, String, Quantity)> = Vec::new();
    for DocumentLine { external_id, title, thousandths } in &document.lines {
        let quantity = Quantity::from_thousandths(*thousandths);
        add(&mut theirs, external_id.clone(), title.clone(), quantity);
    }
    let mut parts = Vec::new();
    for (id, title, quantity) in &ours {
        match theirs.iter().find(|(other, _, _)| other == id) {
            None => parts.push(format!("нет «{title}»")),
            Some((_, _, now)) if now != quantity => {
                parts.push(format!("«{title}» {quantity} → {now}"));
            }
            Some(_) => {}
        }
    }
    for (id, title, quantity) in &theirs {
        if !ours.iter().any(|(other, _, _)| other == id) {
            parts.push(format!("добавлено «{title}» {quantity}"));
        }
    }
    let total = document.total_kopecks.map(Money::from_kopecks);
    if let Some(total) = total.filter(|total| *total != order.total) {
        parts.push(format!("сумма {} → {total}", order.total));
    }
    if parts.is_empty() {
        return Ok(None);
    }
    let more = parts.len().saturating_sub(LINES_NAMED + 1);
    if more > 0 {
        parts.truncate(LINES_NAMED);
        parts.push(format!("и ещё {}", more + 1));
    }
    Ok(Some(format!("Заказ изменён в 1С: {}", parts.join("; "))))
}

/// Lines of one product are one.
fn add(lines: &mut Vec<(String, String, Quantity)>, id: String, title: String, quantity: Quantity) {
    match lines.iter_mut().find(|(other, _, _)| *other == id) {
        Some((_, _, sum)) => *sum = sum.checked_add(quantity).unwrap_or(*sum),
        None => lines.push((id, title, quantity)),
    }
}

/// The order as 1C reads it; `None`: it is no longer there.
fn document(
    conn: &Connection,
    offered: &onec_orders::OfferedOrder,
    zone: &crate::domain::Zone,
) -> Result<Option<OrderForOnec>, StorageError> {
    let Some(order) = orders::find(conn, offered.id)? else { return Ok(None) };
    let Some(client) = organizations::find(conn, order.organization)? else { return Ok(None) };
    let mut lines = Vec::new();
    let mut total = Money::ZERO;
    for line in orders::lines(conn, offered.id)? {
        let (Some(product), Some(quantity), Some(price), Some(sum)) =
            (line.product, line.base_quantity, line.price, line.sum)
        else {
            return Ok(None);
        };
        let Some(product) = products::find(conn, product)? else { return Ok(None) };
        let Some(external_id) = product.external_id else { return Ok(None) };
        total = total.checked_add(sum).unwrap_or(total);
        lines.push(OrderLineForOnec {
            external_id,
            sku: line.sku,
            title: line.title,
            unit: Unit::new(&line.base_unit),
            price,
            quantity,
            sum,
        });
    }
    let created = zone.civil(order.created_at);
    let mut comment: Vec<String> = Vec::new();
    match order.delivery {
        Delivery::On(date) => comment.push(format!("Доставка {}", date.strftime("%d.%m.%Y"))),
        Delivery::Pickup => comment.push("Самовывоз".to_owned()),
        Delivery::Any => {}
    }
    if order.delivery != Delivery::Pickup && !order.address.is_empty() {
        comment.push(order.address);
    }
    comment.push(order.comment);
    let phone = order.author_phone.map(|phone| phone.as_str().to_owned());
    comment
        .push([Some(order.author_name), phone].into_iter().flatten().collect::<Vec<_>>().join(" "));
    comment.retain(|part| !part.trim().is_empty());
    Ok(Some(OrderForOnec {
        number: order.number.wire(),
        date: created.strftime("%Y-%m-%d").to_string(),
        time: created.strftime("%H:%M:%S").to_string(),
        currency: currency(conn, client.price_type_id)?,
        total,
        client_id: client.external_id.unwrap_or_else(|| format!("pm-org-{}", order.organization.0)),
        client: client.name,
        company: client.kind == OrgKind::Company,
        inn: client.inn,
        comment: comment.join(". "),
        lines,
    }))
}

/// The rouble in the word that 1C used for the price type, else for any: 10.3 looks it up by name.
fn currency(conn: &Connection, price_type: Option<i64>) -> Result<String, StorageError> {
    let types = prices::types(conn)?;
    let said = |row: &&prices::PriceTypeRow| row.is_roubles() && !row.currency_word.is_empty();
    let own = types.iter().filter(|row| Some(row.id) == price_type).find(said);
    let any = own.or_else(|| types.iter().find(said));
    Ok(any.map_or_else(|| "руб".to_owned(), |row| row.currency_word.clone()))
}

/// How often each order has been handed out and not taken.
#[derive(Debug, Default)]
pub struct Handed(HashMap<OrderId, u32>);

impl Handed {
    /// Of these waiting orders the next batch, without those that were `given` before; counts it
    /// as handed out.
    pub fn choose(&mut self, waiting: &[OrderId], given: &[OrderId]) -> Vec<OrderId> {
        self.0.retain(|id, _| waiting.contains(id));
        let times = |id: &OrderId| self.0.get(id).copied().unwrap_or(0);
        let left = waiting.iter().filter(|id| !given.contains(id));
        let fresh = left.clone().filter(|id| times(id) < IN_VAIN).take(BATCH as usize);
        let mut batch: Vec<OrderId> = fresh.copied().collect();
        if batch.is_empty() {
            let next = left.min_by_key(|id| (times(id), id.0));
            batch.extend(next);
        }
        for id in &batch {
            *self.0.entry(*id).or_insert(0) += 1;
        }
        batch
    }

    /// 1C has them.
    pub fn forget(&mut self, taken: &[OrderId]) {
        for id in taken {
            self.0.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_1c_cannot_take_keeps_back_no_other_one() {
        let ids = |list: &[i64]| list.iter().copied().map(OrderId).collect::<Vec<_>>();
        let mut handed = Handed::default();
        for _ in 0..3 {
            assert_eq!(handed.choose(&ids(&[1, 2]), &[]), ids(&[1, 2]));
        }
        assert_eq!(handed.choose(&ids(&[1, 2]), &[]), ids(&[1]), "one by one from now on");
        assert_eq!(handed.choose(&ids(&[1, 2]), &[]), ids(&[2]));
        handed.forget(&ids(&[2]));
        assert_eq!(handed.choose(&ids(&[1]), &[]), ids(&[1]));
        assert_eq!(handed.choose(&ids(&[1, 3]), &[]), ids(&[3]), "a new one goes before it");
        assert_eq!(handed.choose(&ids(&[1, 3]), &ids(&[3])), ids(&[1]));
        assert_eq!(handed.choose(&ids(&[1, 3]), &ids(&[1, 3])), ids(&[]));
    }

    #[test]
    fn a_document_moves_an_order_only_when_it_says_something_new() {
        use OrderStatus::{Accepted, Cancelled, Done, New, Picking, Shipped};
        for (status, before, state, next) in [
            (New, "", "confirmed", Some(Accepted)),
            (New, "", "received", None),
            (Picking, "", "confirmed", None),
            (Picking, "confirmed", "confirmed", None),
            (New, "", "shipped", Some(Shipped)),
            (Done, "confirmed", "shipped", None),
            (Shipped, "shipped", "shipped", None),
            (Shipped, "shipped", "confirmed", Some(Accepted)),
            (Done, "shipped", "confirmed", None),
            (Cancelled, "cancelled", "confirmed", Some(Accepted)),
            (Cancelled, "", "confirmed", None),
        ] {
            assert_eq!(step(status, before, state), next, "{status:?} {before} {state}");
        }
    }
}
