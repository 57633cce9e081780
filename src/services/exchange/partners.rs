//! What 1C says of organizations: who works there, what they bought, what they owe; and orders on
//! their way there and back.

use std::collections::HashMap;

use rusqlite::Transaction;
use serde::Serialize;
use tracing::warn;

use super::mapping::UNKNOWN_STATUS;
use super::{ApplyReport, Exchange, ExchangeError, Origin, PROBLEMS_KEPT, note};
use crate::domain::catalog::SkippedRecord;
use crate::domain::{
    Channel, Delivery, MemberState, OrderId, OrderNumber, OrderStatus, OrgKind, OrgRole,
    OrganizationId, Phone, ProductId, Quantity, Timestamp, Unit, Zone,
};
use crate::formats::json::{JsonError, Value};
use crate::formats::text::{Decimal, NumberError, excerpt, one_line, onec_id};
use crate::services::live::Change;
use crate::services::notifications::Notice;
use crate::services::ordering::{OrderError, notices};
use crate::storage::orders::NewOrderEvent;
use crate::storage::organizations::{NewOrganization, OrganizationRow};
use crate::storage::persons::NewPerson;
use crate::storage::purchases::Balance;
use crate::storage::{
    StorageError, members, onec_orders, orders, organizations, persons, products, purchases,
};

/// Why such a body came to nothing.
pub type PartnerError = ExchangeError<PartnerBodyError>;

/// Why a body cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PartnerBodyError {
    /// It is not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It is JSON of another shape: the place and what was expected there.
    #[error("{0}: {1}")]
    Shape(&'static str, &'static str),
}

/// What became of a purchase history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PurchasesReport {
    /// The organization.
    pub org_id: i64,
    /// Orders in it.
    pub received_orders: usize,
    /// Items in it.
    pub received_items: usize,
    /// Rows made, changed or forgotten.
    pub updated_rows: usize,
    /// Items left out.
    pub skipped: Vec<SkippedRecord>,
}

/// What became of a list of members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MembersReport {
    /// Organizations in it.
    pub orgs_received: usize,
    /// Members in it.
    pub members_received: usize,
    /// Organizations found or made.
    pub orgs_upserted: usize,
    /// People made.
    pub users_created: usize,
    /// Memberships stored: made, changed or already the same.
    pub members_upserted: usize,
    /// Organizations and members left out.
    pub skipped: Vec<SkippedRecord>,
}

/// Why a list of members was taken back.
#[derive(Debug)]
enum Undone {
    /// It was a dry run: this is what would have become of it.
    Tried(MembersReport),
    Failed(StorageError),
}

impl From<StorageError> for Undone {
    fn from(error: StorageError) -> Self {
        Self::Failed(error)
    }
}

/// What became of a list of balances or statuses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdatesReport {
    /// Records in it.
    pub received: usize,
    /// Records stored: changed or already the same.
    pub updated: usize,
    /// Records left out.
    pub skipped: Vec<SkippedRecord>,
    /// Orders that are others now.
    pub(super) changed: Vec<OrderId>,
}

/// Reads 1C's dates: RFC 3339, `2026-11-23T15:34:52`, `23.11.2026 15:34:52`, `23.11.2026`. A time
/// without a zone is the company's; the empty date of 1C, year 1, is none. `Err`: not a date.
#[expect(clippy::result_unit_err, reason = "the caller names the field")]
pub fn onec_moment(text: &str, zone: &Zone) -> Result<Option<Timestamp>, ()> {
    let text = text.trim();
    if text.is_empty() || text.starts_with("0001-01-01") || text.starts_with("01.01.0001") {
        return Ok(None);
    }
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(Some(Timestamp::from_millis(moment.as_millisecond())));
    }
    let mut civil = text.parse::<jiff::civil::DateTime>().ok();
    for form in ["%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M"] {
        civil = civil.or_else(|| jiff::civil::DateTime::strptime(form, text).ok());
    }
    let midnight = || jiff::civil::Date::strptime("%d.%m.%Y", text).ok().map(|d| d.at(0, 0, 0, 0));
    let civil = civil.or_else(midnight).ok_or(())?;
    zone.moment(civil).map(Some).ok_or(())
}

fn text(value: &Value, names: &[&str]) -> String {
    value.get(names).and_then(Value::text).map(one_line).unwrap_or_default()
}

/// The member with this name; `null` says no more than its absence.
fn given<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.get(&[name]).filter(|member| !member.is_empty())
}

/// How much was bought: what was given back is no purchase.
fn bought(number: Decimal) -> Result<Quantity, NumberError> {
    let quantity = number.quantity()?;
    if quantity < Quantity::ZERO { Err(NumberError::Negative) } else { Ok(quantity) }
}

pub(super) fn skipped(index: usize, name: &str, reason: impl Into<String>) -> SkippedRecord {
    SkippedRecord { index, external_id: String::new(), sku: name.to_owned(), reason: reason.into() }
}

/// The organization: by 1C's id, else by ИНН, else by name. What 1C knows anew is written down.
fn find_organization(
    tx: &Transaction<'_>,
    external_id: &str,
    inn: &str,
    name: &str,
) -> Result<Option<OrganizationId>, StorageError> {
    let mut found: Option<OrganizationRow> = None;
    if !external_id.is_empty() {
        found = organizations::find_by_external_id(tx, external_id)?;
    }
    // One that has another id in 1C is another one, whatever its name.
    let free = |row: &OrganizationRow| external_id.is_empty() || row.external_id.is_none();
    if found.is_none() && !inn.is_empty() {
        found = organizations::find_by_inn(tx, inn)?.filter(free);
    }
    if found.is_none() && !name.is_empty() {
        found = organizations::find_by_name(tx, name)?.filter(free);
    }
    let Some(row) = found else { return Ok(None) };
    if !external_id.is_empty() && row.external_id.is_none() {
        organizations::set_external_id(tx, row.id, Some(external_id))?;
    }
    if !inn.is_empty() && row.inn.is_none() {
        organizations::set_inn(tx, row.id, Some(inn))?;
    }
    if !name.is_empty() && row.name != name && row.external_id.is_some() {
        organizations::set_name(tx, row.id, name)?;
    }
    Ok(Some(row.id))
}

fn upsert_organization(
    tx: &Transaction<'_>,
    external_id: &str,
    inn: &str,
    name: &str,
    now: Timestamp,
) -> Result<Option<OrganizationId>, StorageError> {
    if let Some(id) = find_organization(tx, external_id, inn, name)? {
        return Ok(Some(id));
    }
    let name = [name, inn].into_iter().find(|n| !n.is_empty());
    let Some(name) = name else { return Ok(None) };
    let new = NewOrganization {
        kind: OrgKind::Company,
        name,
        inn: Some(inn).filter(|inn| !inn.is_empty()),
        external_id: Some(external_id).filter(|id| !id.is_empty()),
        verified: true,
        hours: "",
    };
    organizations::insert(tx, &new, now).map(Some)
}

fn find_product(tx: &Transaction<'_>, item: &Value) -> Result<Option<ProductId>, StorageError> {
    let sku = text(item, &["sku", "article"]);
    let external_id = text(item, &["external_id", "id", "guid"]);
    if let Some(id) = products::find_by_key(tx, &onec_id(&external_id), &sku)? {
        return Ok(Some(id));
    }
    // Where an article repeats, `sku` is the key.
    if let Some(id) = products::find_by_key(tx, &onec_id(&sku), "")? {
        return Ok(Some(id));
    }
    let title = text(item, &["title", "name", "title_ru"]);
    if sku.is_empty() && !title.is_empty() { products::find_by_title(tx, &title) } else { Ok(None) }
}

impl Exchange {
    /// Notes in the journal what came, inside the transaction.
    fn noted(
        &self,
        tx: &Transaction<'_>,
        kind: &str,
        origin: &Origin,
        received: usize,
        updated: usize,
        skipped: &[SkippedRecord],
    ) -> Result<(), StorageError> {
        let report = ApplyReport {
            received,
            changed: updated,
            skipped: skipped.len(),
            problems: skipped.iter().take(PROBLEMS_KEPT).cloned().collect(),
            ..ApplyReport::default()
        };
        let now = self.base.clock.now();
        note(tx, kind, origin, now, std::time::Duration::ZERO, &report).map(drop)
    }

    /// Stores what an organization bought: kept by organization, time and product, so that telling
    /// it twice counts once; an undated list replaces the former undated one.
    #[expect(clippy::too_many_lines, reason = "one pass over one body")]
    pub async fn purchases(
        &self,
        body: Value,
        origin: Origin,
    ) -> Result<PurchasesReport, PartnerError> {
        let (orders, items) = (given(&body, "orders"), given(&body, "items"));
        if !matches!(body, Value::Object(_)) || (orders.is_none() && items.is_none()) {
            let shape =
                PartnerBodyError::Shape("body", "ожидается объект с полем orders или items");
            return Err(ExchangeError::Source(shape));
        }
        if text(&body, &["org_external_id", "org_name"]).is_empty() {
            let shape = PartnerBodyError::Shape("org_name", "нужно имя или id организации");
            return Err(ExchangeError::Source(shape));
        }
        let this = self.clone();
        let written = self.base.db.write(move |tx| {
            let now = this.base.clock.now();
            let mut report = PurchasesReport::default();
            let external_id = onec_id(&text(&body, &["org_external_id"]));
            let name = text(&body, &["org_name"]);
            let id = upsert_organization(tx, &external_id, "", &name, now)?;
            let id = match id {
                Some(id) => id,
                // Known by its id alone: the name comes with the members.
                None => organizations::insert(
                    tx,
                    &NewOrganization {
                        kind: OrgKind::Company,
                        name: &external_id,
                        inn: None,
                        external_id: Some(&external_id),
                        verified: true,
                        hours: "",
                    },
                    now,
                )?,
            };
            report.org_id = id.0;
            let mut rows: HashMap<(Option<Timestamp>, ProductId), (Quantity, String)> =
                HashMap::new();
            let dated = given(&body, "orders").map_or(&[][..], Value::elements);
            let mut lists: Vec<(Option<Timestamp>, &[Value])> = Vec::new();
            if let Some(undated) = given(&body, "items") {
                lists.push((None, undated.elements()));
            }
            for order in dated {
                report.received_orders += 1;
                let at = onec_moment(&text(order, &["ordered_at", "date"]), &this.base.zone);
                let items = given(order, "items").map_or(&[][..], Value::elements);
                if let Ok(at) = at {
                    lists.push((at, items));
                    continue;
                }
                for item in items {
                    let name = text(item, &["sku", "title"]);
                    report.skipped.push(skipped(
                        report.received_items,
                        &name,
                        "поле «ordered_at»: не дата",
                    ));
                    report.received_items += 1;
                }
            }
            for (at, items) in &lists {
                for item in *items {
                    let index = report.received_items;
                    report.received_items += 1;
                    let name = text(item, &["sku", "title", "name"]);
                    let quantity = text(item, &["qty", "quantity"]);
                    let quantity = if quantity.is_empty() {
                        Ok(Quantity::whole(1))
                    } else {
                        Decimal::parse(&quantity).and_then(bought)
                    };
                    let quantity = match quantity {
                        Ok(quantity) => quantity,
                        Err(error) => {
                            report.skipped.push(skipped(
                                index,
                                &name,
                                format!("поле «qty»: {error}"),
                            ));
                            continue;
                        }
                    };
                    let Some(product) = find_product(tx, item)? else {
                        report.skipped.push(skipped(index, &name, "такого товара нет в каталоге"));
                        continue;
                    };
                    let unit = text(item, &["unit"]);
                    let unit =
                        if unit.is_empty() { unit } else { Unit::new(&unit).as_str().to_owned() };
                    let row = rows.entry((*at, product)).or_insert((Quantity::ZERO, unit));
                    row.0 = row.0.checked_add(quantity).unwrap_or(row.0);
                }
            }
            if lists.iter().any(|(at, _)| at.is_none()) {
                let keep: Vec<ProductId> =
                    rows.keys().filter(|(at, _)| at.is_none()).map(|(_, id)| *id).collect();
                report.updated_rows += purchases::keep_undated(tx, id, &keep)?;
            }
            for ((at, product), (quantity, unit)) in rows {
                report.updated_rows +=
                    usize::from(purchases::set(tx, id, product, at, quantity, &unit)?);
            }
            let (received, updated) = (report.received_items, report.updated_rows);
            this.noted(tx, "purchases", &origin, received, updated, &report.skipped)?;
            Ok::<_, StorageError>(report)
        });
        let report = written.await?;
        self.base.live.tell(Change::Exchange);
        Ok(report)
    }

    /// Stores organizations and who works there. A phone that 1C knows proves nothing by itself:
    /// its owner still signs in by a contact.
    pub async fn members(
        &self,
        body: Value,
        origin: Origin,
    ) -> Result<MembersReport, PartnerError> {
        let items = body.get(&["items"]).unwrap_or(&body).clone();
        if items.elements().iter().any(|item| item.get(&["org"]).is_none()) {
            let shape = PartnerBodyError::Shape("items", "ожидается список объектов с полем org");
            return Err(ExchangeError::Source(shape));
        }
        let this = self.clone();
        let written = self.base.db.write(move |tx| {
            let now = this.base.clock.now();
            let mut report = MembersReport::default();
            for item in items.elements() {
                let index = report.orgs_received;
                report.orgs_received += 1;
                let members = item.get(&["members"]).filter(|m| !m.is_empty());
                let members = members.map_or(&[][..], Value::elements);
                report.members_received += members.len();
                let Some(org) = item.get(&["org"]) else { continue };
                let external_id = onec_id(&text(org, &["external_id", "id", "guid"]));
                let (name, inn) = (text(org, &["name", "title"]), text(org, &["inn"]));
                let id = upsert_organization(tx, &external_id, &inn, &name, now)?;
                let Some(id) = id else {
                    report.skipped.push(skipped(index, &external_id, "организация без названия"));
                    continue;
                };
                report.orgs_upserted += 1;
                for member in members {
                    match member_of(tx, id, member, now)? {
                        Ok(created) => {
                            report.users_created += usize::from(created);
                            report.members_upserted += 1;
                        }
                        // Neither a phone nor a name goes into journals: the place is enough.
                        Err(reason) => report.skipped.push(skipped(index, &name, reason)),
                    }
                }
            }
            if origin.dry_run {
                return Err(Undone::Tried(report));
            }
            let (received, updated) = (report.members_received, report.members_upserted);
            this.noted(tx, "members", &origin, received, updated, &report.skipped)?;
            Ok(report)
        });
        match written.await {
            Ok(report) => {
                self.base.live.tell(Change::Exchange);
                Ok(report)
            }
            Err(Undone::Tried(report)) => Ok(report),
            Err(Undone::Failed(error)) => Err(error.into()),
        }
    }

    /// Stores what organizations owe.
    pub async fn balances(
        &self,
        body: Value,
        origin: Origin,
    ) -> Result<UpdatesReport, PartnerError> {
        let items = body.get(&["items"]).unwrap_or(&body).clone();
        if items.elements().iter().any(|item| item.get(&["org"]).is_none()) {
            let shape = PartnerBodyError::Shape("items", "ожидается список объектов с полем org");
            return Err(ExchangeError::Source(shape));
        }
        let this = self.clone();
        let written = self.base.db.write(move |tx| {
            let now = this.base.clock.now();
            let mut report = UpdatesReport::default();
            for item in items.elements() {
                let index = report.received;
                report.received += 1;
                let Some(org) = item.get(&["org"]) else { continue };
                let external_id = onec_id(&text(org, &["external_id", "id", "guid"]));
                let (name, inn) = (text(org, &["name"]), text(org, &["inn"]));
                let Some(id) = find_organization(tx, &external_id, &inn, &name)? else {
                    report.skipped.push(skipped(index, &external_id, "организация не найдена"));
                    continue;
                };
                let money = |field: &str| match text(item, &[field]) {
                    empty if empty.is_empty() => Ok(None),
                    amount => Decimal::parse(&amount).and_then(Decimal::money).map(Some).map_err(
                        |error| format!("поле «{field}» = «{}»: {error}", excerpt(&amount)),
                    ),
                };
                let amounts = (money("debt"), money("overdue"), money("limit"));
                let as_of = onec_moment(&text(item, &["as_of"]), &this.base.zone);
                let balance = match (amounts, as_of) {
                    ((Ok(debt), Ok(overdue), Ok(limit)), Ok(as_of)) => {
                        Balance { debt, overdue, limit, terms: text(item, &["terms"]), as_of }
                    }
                    ((Err(why), _, _) | (_, Err(why), _) | (_, _, Err(why)), _) => {
                        report.skipped.push(skipped(index, &external_id, why));
                        continue;
                    }
                    (_, Err(())) => {
                        report.skipped.push(skipped(index, &external_id, "поле «as_of»: не дата"));
                        continue;
                    }
                };
                purchases::set_balance(tx, id, &balance, now)?;
                report.updated += 1;
            }
            this.noted(tx, "balances", &origin, report.received, report.updated, &report.skipped)?;
            Ok::<_, StorageError>(report)
        });
        let report = written.await?;
        self.base.live.tell(Change::Exchange);
        Ok(report)
    }

    /// Orders that 1C has not taken, oldest first, after the cursor; and the next cursor.
    pub async fn orders_out(
        &self,
        after: OrderId,
        limit: u32,
        origin: Origin,
    ) -> Result<(Vec<OrderOut>, Option<OrderId>), StorageError> {
        let (from, zone) = (self.base.config.onec.send_from, self.base.zone.clone());
        let work = move |conn: &rusqlite::Connection| {
            let mut offered = onec_orders::offered(conn, from, after, limit + 1)?;
            let more = offered.len() > limit as usize;
            offered.truncate(limit as usize);
            let next = offered.last().filter(|_| more).map(|order| order.id);
            let given: Vec<OrderId> = offered.iter().map(|order| order.id).collect();
            let mut out = Vec::new();
            for order in offered {
                let Some(row) = orders::find(conn, order.id)? else { continue };
                let lines = orders::lines(conn, order.id)?;
                let mut items = Vec::new();
                for line in lines {
                    let product = match line.product {
                        Some(id) => products::find(conn, id)?,
                        None => None,
                    };
                    items.push(OrderOutLine {
                        line: line.position,
                        external_id: product.and_then(|p| p.external_id),
                        sku: line.sku,
                        title: line.title,
                        qty: line.base_quantity.unwrap_or_default().decimal(),
                        unit: line.base_unit,
                        price: line.price.map(crate::domain::Price::decimal),
                        sum: line.sum.map(crate::domain::Money::decimal),
                        source_text: line.raw,
                    });
                }
                out.push(OrderOut {
                    number: row.number.wire(),
                    uuid: row.uuid,
                    created_at: zone.rfc3339(row.created_at),
                    status: row.status.as_str(),
                    organization: OrderOutOrganization {
                        external_id: order.organization_external_id,
                        name: row.organization_name,
                        inn: order.inn,
                    },
                    customer: OrderOutCustomer {
                        name: row.author_name,
                        phone: row.author_phone.map(|phone| phone.as_str().to_owned()),
                    },
                    delivery: OrderOutDelivery {
                        date: date_of(row.delivery),
                        address: row.address,
                    },
                    comment: row.comment,
                    items,
                    total: row.total.decimal(),
                });
            }
            Ok::<_, StorageError>((out, next, given))
        };
        let (out, next, given) = self.base.db.read(work).await?;
        // 1C gets its answer although nobody can note that it did.
        if let Err(error) = self.note_given(given, origin).await {
            warn!("отданные в 1С заказы не отмечены: {error}");
        }
        Ok((out, next))
    }

    /// Notes that 1C was given these orders: in the journal, and with each of them.
    pub async fn note_given(
        &self,
        orders: Vec<OrderId>,
        origin: Origin,
    ) -> Result<(), StorageError> {
        if orders.is_empty() {
            return Ok(());
        }
        let now = self.base.clock.now();
        let report = ApplyReport { received: orders.len(), ..ApplyReport::default() };
        self.base
            .db
            .write(move |tx| {
                onec_orders::note_offered(tx, &orders, now)?;
                note(tx, "orders", &origin, now, std::time::Duration::ZERO, &report).map(drop)
            })
            .await?;
        self.base.live.tell(Change::Exchange);
        Ok(())
    }

    /// 1C says that it has orders, and how they stand.
    pub async fn statuses(
        &self,
        body: Value,
        origin: Origin,
    ) -> Result<UpdatesReport, PartnerError> {
        let list = body.get(&["orders", "items"]).unwrap_or(&body).clone();
        if list.elements().iter().any(|o| !matches!(o, Value::Object(_))) {
            let shape = PartnerBodyError::Shape("orders", "ожидается список объектов");
            return Err(ExchangeError::Source(shape));
        }
        let this = self.clone();
        let report = self
            .base
            .db
            .write(move |tx| {
                let mut report = UpdatesReport::default();
                for item in list.elements() {
                    let index = report.received;
                    report.received += 1;
                    let (number, uuid) = (text(item, &["number"]), text(item, &["uuid"]));
                    let name = if number.is_empty() { uuid.clone() } else { number.clone() };
                    let found = match OrderNumber::parse(&number) {
                        Some(number) => orders::find_by_number(tx, number)?,
                        None => match onec_orders::find_by_uuid(tx, &uuid)? {
                            Some(id) => orders::find(tx, id)?,
                            None => None,
                        },
                    };
                    let Some(order) = found else {
                        report.skipped.push(skipped(index, &name, "такой заявки нет"));
                        continue;
                    };
                    let told = StatusFromOnec {
                        status: text(item, &["status"]),
                        number: text(item, &["onec_number"]),
                        date: text(item, &["onec_date"]),
                        comment: text(item, &["comment"]),
                    };
                    match told.apply(tx, &order, this.base.clock.now())? {
                        Ok(changed) => {
                            report.updated += 1;
                            if changed {
                                report.changed.push(order.id);
                            }
                        }
                        Err(reason) => report.skipped.push(skipped(index, &name, reason)),
                    }
                }
                let (received, updated) = (report.received, report.updated);
                this.noted(tx, "statuses", &origin, received, updated, &report.skipped)?;
                Ok::<_, StorageError>(report)
            })
            .await?;
        self.tell_orders(&report.changed);
        Ok(report)
    }

    /// Tells those who look on that these orders are others now.
    pub(super) fn tell_orders(&self, changed: &[OrderId]) {
        self.base.live.tell(Change::Exchange);
        for order in changed {
            self.base.live.tell(Change::Order(*order));
        }
        if !changed.is_empty() {
            self.base.live.tell(Change::Outbox);
        }
    }
}

/// What 1C says of one order.
pub(super) struct StatusFromOnec {
    /// Our code, or a word; empty: none.
    pub status: String,
    /// The order's number in 1C; may be empty.
    pub number: String,
    /// Its date there; may be empty.
    pub date: String,
    /// What the buyer is told beside; may be empty.
    pub comment: String,
}

impl StatusFromOnec {
    /// Acknowledges the order and moves its status where one is given; whether anything changed,
    /// or why the status cannot be used.
    fn apply(
        &self,
        tx: &Transaction<'_>,
        order: &orders::OrderRow,
        now: Timestamp,
    ) -> Result<Result<bool, String>, StorageError> {
        let next = if self.status.is_empty() { None } else { status(tx, &self.status)? };
        if next.is_none() && !self.status.is_empty() {
            return Ok(Err(format!("{UNKNOWN_STATUS}{}»", excerpt(&self.status))));
        }
        self.move_to(tx, order, next, now)
    }

    /// Acknowledges the order and moves it to `next`, where that is given.
    pub(super) fn move_to(
        &self,
        tx: &Transaction<'_>,
        order: &orders::OrderRow,
        next: Option<OrderStatus>,
        now: Timestamp,
    ) -> Result<Result<bool, String>, StorageError> {
        if let Some(next) = next
            && next != order.status
            && (!next.settable_by_onec() || order.status == OrderStatus::Approval)
        {
            let from = order.status.staff_label();
            return Ok(Err(format!("статус «{}» из «{from}» 1С не ставит", next.staff_label())));
        }
        let given = |text: &'_ String| Some(text.clone()).filter(|t| !t.is_empty());
        let (number, date) = (given(&self.number), given(&self.date));
        let mut changed =
            onec_orders::acknowledge(tx, order.id, number.as_deref(), date.as_deref(), now)?;
        let event = |kind, text: &str, to_client| NewOrderEventParts {
            kind,
            text: text.to_owned(),
            to_client,
        };
        let mut events = Vec::new();
        if changed && let Some(number) = &number {
            events.push(event("onec", &format!("Номер в 1С: {number}"), false));
        }
        if let Some(next) = next
            && next != order.status
        {
            orders::set_status(tx, order.id, next, &self.comment, now)?;
            // A step back is 1C's own affair, and a step that is done again is no news: the buyer
            // has been told of it already. What was moved in is history.
            let forward = next > order.status
                && !order.history
                && !onec_orders::was_told(tx, order.id, next)?;
            let mut text = format!("{} → {}", order.status.staff_label(), next.staff_label());
            if !self.comment.is_empty() {
                text = format!("{text}: {}", self.comment);
            }
            events.push(event("status", &text, forward));
            if forward {
                let notice = Notice::OrderStatus { order: order.id, told: None };
                notices::to_person(tx, order.author, notice, now).map_err(storage)?;
            }
            changed = true;
        }
        for event in events {
            let row = NewOrderEvent {
                order: order.id,
                at: now,
                channel: Channel::Onec,
                person: None,
                kind: event.kind,
                text: &event.text,
                to_client: event.to_client,
            };
            orders::insert_event(tx, row)?;
        }
        if changed {
            notices::refresh_staff_cards(tx, order.id, now).map_err(storage)?;
        }
        Ok(Ok(changed))
    }
}

/// Queuing a message fails only with the database.
pub(super) fn storage(error: OrderError) -> StorageError {
    match error {
        OrderError::Storage(error) => error,
        other => StorageError::Corrupt(other.to_string()),
    }
}

struct NewOrderEventParts {
    kind: &'static str,
    text: String,
    to_client: bool,
}

/// The status that a word means: our code, our label, or what the company has mapped it to.
pub(super) fn status(
    tx: &Transaction<'_>,
    word: &str,
) -> Result<Option<OrderStatus>, StorageError> {
    if let Some(mapped) = onec_orders::mapped_status(tx, word)? {
        return Ok(mapped.parse().ok());
    }
    let lower = word.to_lowercase();
    let same = |status: &&OrderStatus| {
        status.as_str() == lower
            || status.client_label().to_lowercase() == lower
            || status.staff_label().to_lowercase() == lower
    };
    Ok(OrderStatus::ALL.iter().find(same).copied())
}

fn date_of(delivery: Delivery) -> Option<String> {
    match delivery {
        Delivery::On(date) => Some(date.to_string()),
        _ => None,
    }
}

fn member_of(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    member: &Value,
    now: Timestamp,
) -> Result<Result<bool, String>, StorageError> {
    let Ok(phone) = text(member, &["phone"]).parse::<Phone>() else {
        return Ok(Err("поле «phone»: не номер телефона".to_owned()));
    };
    let role = match text(member, &["role_in_org", "role"]).to_lowercase().as_str() {
        "" | "member" | "buyer" | "снабженец" => OrgRole::Buyer,
        "owner" | "владелец" => OrgRole::Owner,
        "viewer" | "наблюдатель" => OrgRole::Viewer,
        _ => return Ok(Err("поле «role_in_org»: неизвестная роль".to_owned())),
    };
    let state = match text(member, &["status"]).to_lowercase().as_str() {
        "" | "active" => MemberState::Active,
        "pending" => MemberState::Pending,
        "left" | "inactive" | "blocked" | "disabled" => MemberState::Left,
        _ => return Ok(Err("поле «status»: неизвестное состояние".to_owned())),
    };
    let name = text(member, &["fio", "name"]);
    let (person, created) = match persons::find_by_phone(tx, &phone)? {
        Some(person) => {
            if person.name.is_empty() && !name.is_empty() {
                persons::set_name(tx, person.id, &name)?;
            }
            (person.id, false)
        }
        None => {
            let new = NewPerson {
                name: &name,
                phone: Some(&phone),
                phone_verified: false,
                claimed_phone: None,
                email: "",
                password_hash: None,
                granted_role: None,
                demo: false,
            };
            (persons::insert(tx, &new, now)?, true)
        }
    };
    if members::find(tx, organization, person)? != Some((role, state)) {
        members::set(tx, organization, person, role, state, now)?;
    }
    Ok(Ok(created))
}

/// An order on its way to 1C; quantities in base units, amounts as decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are those of the wire")]
pub struct OrderOut {
    pub number: String,
    pub uuid: String,
    pub created_at: String,
    pub status: &'static str,
    pub organization: OrderOutOrganization,
    pub customer: OrderOutCustomer,
    pub delivery: OrderOutDelivery,
    pub comment: String,
    pub items: Vec<OrderOutLine>,
    #[serde(serialize_with = "number")]
    pub total: String,
}

/// Who buys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are those of the wire")]
pub struct OrderOutOrganization {
    pub external_id: Option<String>,
    pub name: String,
    pub inn: Option<String>,
}

/// Who ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are those of the wire")]
pub struct OrderOutCustomer {
    pub name: String,
    pub phone: Option<String>,
}

/// When and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are those of the wire")]
pub struct OrderOutDelivery {
    pub date: Option<String>,
    pub address: String,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are those of the wire")]
pub struct OrderOutLine {
    pub line: i64,
    pub external_id: Option<String>,
    pub sku: String,
    pub title: String,
    #[serde(serialize_with = "number")]
    pub qty: String,
    pub unit: String,
    #[serde(serialize_with = "number_or_null")]
    pub price: Option<String>,
    #[serde(serialize_with = "number_or_null")]
    pub sum: Option<String>,
    pub source_text: String,
}

/// A decimal as a JSON number; amounts of an order are far below the precision of a double.
fn number<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match text.parse::<serde_json::Number>() {
        Ok(number) => number.serialize(serializer),
        Err(_) => serializer.serialize_str(text),
    }
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn number_or_null<S: serde::Serializer>(
    text: &Option<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match text {
        Some(text) => number(text, serializer),
        None => serializer.serialize_none(),
    }
}
