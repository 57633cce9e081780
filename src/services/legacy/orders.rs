//! Orders with their numbers and lines.

use std::collections::HashMap;

use super::catalog::Products;
use super::people::{Organizations, People};
use super::{Tally, Work};
use crate::domain::{
    Channel, Delivery, LineState, Money, OrderId, OrderLineId, OrderNumber, OrderStatus,
    OrganizationId, PersonId, Price, Timestamp,
};
use crate::formats::text::Decimal;
use crate::services::legacy::dump::{Line, Order};
use crate::storage::legacy::{self as ids, Kind};
use crate::storage::orders::{self, NewOrder, NewOrderEvent, OrderLineRow};
use crate::storage::{StorageError, members, products};

/// The former status; `Err`: a text that the former panel took for one.
fn status(text: &str) -> Result<OrderStatus, &str> {
    Ok(match text {
        "draft" => OrderStatus::Draft,
        "pending" => OrderStatus::New,
        "confirmed" => OrderStatus::Accepted,
        "shipped" => OrderStatus::Shipped,
        "cancelled" => OrderStatus::Cancelled,
        "done" => OrderStatus::Done,
        other => return Err(other),
    })
}

/// What former orders have become.
pub(super) struct Orders {
    by_old: HashMap<i64, OrderId>,
}

impl Orders {
    pub fn get(&self, old: i64) -> Option<OrderId> {
        self.by_old.get(&old).copied()
    }
}

impl Work<'_> {
    pub(super) fn orders(
        &mut self,
        people: &People,
        organizations: &Organizations,
        products: &Products<'_>,
    ) -> Result<Orders, StorageError> {
        let dump = self.dump;
        let mut found = Orders { by_old: HashMap::new() };
        let mut tally = Tally { found: dump.found("orders"), ..Tally::default() };
        tally.skipped = dump.unread("orders");
        let mut lines = Tally { found: dump.found("order_items"), ..Tally::default() };
        lines.skipped = dump.unread("order_items");
        let mut read_lines = 0;
        for row in &dump.orders {
            let of_order = dump.lines.get(&row.id).map_or(&[][..], Vec::as_slice);
            read_lines += of_order.len();
            if let Some(id) = ids::find(self.tx, Kind::Order, row.id)? {
                found.by_old.insert(row.id, OrderId(id));
                tally.already += 1;
                lines.already += of_order.len();
                continue;
            }
            if orders::find_by_number(self.tx, OrderNumber(row.id))?.is_some() {
                tally.skipped += 1;
                lines.skipped += of_order.len();
                let why = format!("номер {} уже есть у другой заявки; пропущена", row.id);
                self.report.problem(row.line, "orders", why);
                continue;
            }
            let id = self.order(row, people, organizations)?;
            ids::set(self.tx, Kind::Order, row.id, id.0)?;
            found.by_old.insert(row.id, id);
            tally.moved += 1;
            for (position, line) in (1..).zip(of_order) {
                if self.line(id, position, line, products)? {
                    lines.moved += 1;
                } else {
                    lines.skipped += 1;
                }
            }
            self.finish(id, row)?;
        }
        let orphans = dump.lines.values().map(Vec::len).sum::<usize>() - read_lines;
        if orphans > 0 {
            lines.skipped += orphans;
            let why = format!("строк без заявки: {orphans}; пропущены");
            self.report.problem(0, "order_items", why);
        }
        (self.report.orders, self.report.lines) = (tally, lines);
        Ok(found)
    }

    /// Who ordered, and for whom.
    fn parties(
        &self,
        row: &Order,
        people: &People,
        organizations: &Organizations,
    ) -> Result<(OrganizationId, PersonId), StorageError> {
        let (organization, author) = (organizations.get(row.organization), people.get(row.author));
        let author = match (author, organization) {
            (Some(author), _) => author,
            (None, Some(organization)) => match members::owners(self.tx, organization)?.first() {
                Some(owner) => owner.person,
                None => self.nobody()?,
            },
            (None, None) => self.nobody()?,
        };
        let organization = match organization {
            Some(organization) => organization,
            None => self.organization_of(author)?,
        };
        Ok((organization, author))
    }

    fn order(
        &mut self,
        row: &Order,
        people: &People,
        organizations: &Organizations,
    ) -> Result<OrderId, StorageError> {
        let (organization, author) = self.parties(row, people, organizations)?;
        let at = self.moment_of(row);
        let (delivery, comment) = self.delivery(row, at);
        let status = status(&row.status);
        let order = NewOrder {
            uuid: uuid::Uuid::new_v4().to_string(),
            draft: None,
            organization,
            author,
            placed_by: None,
            status: status.unwrap_or(OrderStatus::Done),
            source: Channel::Bot,
            delivery,
            address: String::new(),
            comment,
            total: Money::ZERO,
            at,
        };
        let id = orders::insert(self.tx, OrderNumber(row.id), &order)?;
        let tell = |at: Timestamp, kind: &str, text: &str| {
            let event = NewOrderEvent {
                order: id,
                at,
                channel: Channel::System,
                person: None,
                kind,
                text,
                to_client: false,
            };
            orders::insert_event(self.tx, event).map(drop)
        };
        tell(at, "created", "Заявка перенесена из прежней программы")?;
        if let Err(text) = status {
            let updated_at = row.updated_at.unwrap_or(at);
            tell(updated_at, "status", &format!("Статус в прежней программе: «{text}»"))?;
            let why = format!("№ {}: статус «{text}» неизвестен, вместо него «Выполнена»", row.id);
            self.report.problem(row.line, "orders", why);
        }
        Ok(id)
    }

    fn moment_of(&mut self, row: &Order) -> Timestamp {
        row.created_at.or(row.updated_at).unwrap_or_else(|| {
            let why = format!("№ {}: время не читается, вместо него сегодня", row.id);
            self.report.problem(row.line, "orders", why);
            self.now
        })
    }

    /// The former program took a date or any words for the day.
    fn delivery(&self, row: &Order, at: Timestamp) -> (Delivery, String) {
        let day = row.delivery_day.as_str();
        let date = day.parse::<jiff::civil::Date>();
        let date = date.or_else(|_| jiff::civil::Date::strptime("%d.%m.%Y", day));
        match date {
            Ok(date) => (Delivery::On(date), String::new()),
            Err(_) if row.delivery_today && day.is_empty() => {
                (Delivery::On(self.base.zone.civil(at).date()), String::new())
            }
            Err(_) if day.is_empty() => (Delivery::Any, String::new()),
            Err(_) => (Delivery::Any, format!("Доставка: {day}")),
        }
    }

    /// Stores a line; whether it could be read.
    fn line(
        &mut self,
        order: OrderId,
        position: i64,
        row: &Line,
        known: &Products<'_>,
    ) -> Result<bool, StorageError> {
        let quantity = Decimal::parse(&row.quantity).and_then(Decimal::quantity);
        let Ok(quantity) = quantity else {
            let why = format!("количество «{}» не читается; строка пропущена", row.quantity);
            self.report.problem(row.at, "order_items", why);
            return Ok(false);
        };
        let product = known.get(row.product);
        let (title, sku) = known.named(row.product).unwrap_or(("", ""));
        let unit = match product {
            Some(id) => products::find(self.tx, id)?.map(|product| product.unit),
            None => None,
        };
        let unit = unit.map_or_else(|| "шт".to_owned(), |unit| unit.as_str().to_owned());
        let price = Decimal::parse(&row.price).and_then(Decimal::price).ok();
        let price: Option<Price> = price.filter(|price| price.amount.kopecks() > 0);
        let raw = match (title, row.note.as_str()) {
            (title, "") => title.to_owned(),
            ("", note) => note.to_owned(),
            (title, note) => format!("{title} ({note})"),
        };
        let line = OrderLineRow {
            id: OrderLineId(0),
            order,
            position,
            raw,
            phrase: String::new(),
            state: if product.is_some() { LineState::Ok } else { LineState::None },
            product,
            title: title.to_owned(),
            sku: sku.to_owned(),
            quantity: Some(quantity),
            unit: unit.clone(),
            base_quantity: Some(quantity),
            base_unit: unit,
            price,
            sum: price.and_then(|price| price.for_quantity(quantity)),
            candidates: Vec::new(),
            trace: None,
            chosen_by: None,
        };
        orders::insert_line(self.tx, order, &line)?;
        Ok(true)
    }

    fn finish(&mut self, id: OrderId, row: &Order) -> Result<(), StorageError> {
        let at = row.created_at.unwrap_or(self.now);
        let updated_at = row.updated_at.unwrap_or(at);
        orders::refresh_total(self.tx, id, updated_at)?;
        let day = self.base.zone.civil(at).date();
        let open = row.status == "pending" && self.options.open_since.is_some_and(|d| day >= d);
        self.report.open_orders += usize::from(open);
        ids::mark_order(self.tx, id, updated_at, !open)
    }
}
