//! Stands in for services that are being written; to be deleted.

use crate::domain::{Channel, OrderId, OrderLineId, OrderNumber, OrderStatus, PersonId, ProductId, Quantity};
use crate::services::Base;
use crate::storage::offers::{self, Offer};
use crate::storage::orders::{self, OrderEventRow, OrderFilter, OrderLineRow, OrderRow};
use crate::storage::StorageError;

#[derive(Clone)]
pub struct Ordering {
    pub base: Base,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub person: Option<PersonId>,
    pub channel: Channel,
}

#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    #[error("нет такой заявки")]
    NotFound,
    #[error("карточка обновилась")]
    Stale,
    #[error("пусто")]
    Empty,
    #[error("из «{}» нельзя перейти в «{}»", from.staff_label(), to.staff_label())]
    Transition { id: OrderId, from: OrderStatus, to: OrderStatus },
    #[error("заявка уже в работе: {manager}")]
    Taken { manager: String },
    #[error(transparent)]
    Storage(#[from] StorageError),
}

#[derive(Debug, Clone)]
pub struct OrderPage {
    pub orders: Vec<OrderRow>,
    pub total: u32,
}

#[derive(Debug, Clone)]
pub struct OrderView {
    pub order: OrderRow,
    pub lines: Vec<OrderLineRow>,
    pub events: Vec<OrderEventRow>,
    pub offers: Vec<Offer>,
}

impl OrderView {
    pub fn offer(&self, product: ProductId) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.id == product)
    }
}

impl Ordering {
    pub async fn orders(&self, filter: OrderFilter, offset: u32, limit: u32) -> Result<OrderPage, OrderError> {
        self.base.db.read(move |conn| {
            let orders = orders::list(conn, &filter, offset, limit)?;
            Ok(OrderPage { orders, total: orders::count(conn, &filter)? })
        }).await
    }

    pub async fn counts(&self) -> Result<Vec<(OrderStatus, u32)>, OrderError> {
        Ok(self.base.db.read(orders::count_by_status).await?)
    }

    pub async fn order_by_number(&self, number: OrderNumber) -> Result<OrderView, OrderError> {
        self.base.db.read(move |conn| {
            let order = orders::find_by_number(conn, number)?.ok_or(OrderError::NotFound)?;
            let lines = orders::lines(conn, order.id)?;
            let events = orders::events(conn, order.id)?;
            let ids = lines.iter().flat_map(|line| line.product.iter().chain(&line.candidates)).copied();
            let offers = offers::load(conn, ids, None)?.into_values().collect();
            Ok(OrderView { order, lines, events, offers })
        }).await
    }

    pub async fn accept(&self, actor: Actor, id: OrderId) -> Result<OrderRow, OrderError> {
        self.set_status(actor, id, None, OrderStatus::Accepted, "").await
    }

    pub async fn set_status(&self, _: Actor, id: OrderId, version: Option<i64>, next: OrderStatus, reason: &str) -> Result<OrderRow, OrderError> {
        let now = self.base.clock.now();
        let reason = reason.to_owned();
        let row = self.base.db.write(move |tx| {
            let order = orders::find(tx, id)?.ok_or(OrderError::NotFound)?;
            if version.is_some_and(|v| v != order.revision) { return Err(OrderError::Stale); }
            orders::set_status(tx, id, next, &reason, now)?;
            orders::find(tx, id)?.ok_or(OrderError::NotFound)
        }).await?;
        self.base.live.tell(crate::services::live::Change::Order(id));
        Ok(row)
    }

    pub async fn write_to_client(&self, _: Actor, _: OrderId, _: &str) -> Result<(), OrderError> { Err(OrderError::NotFound) }
    pub async fn note(&self, _: Actor, _: OrderId, _: &str) -> Result<(), OrderError> { Err(OrderError::NotFound) }
    pub async fn pick_for_order(&self, _: Actor, _: OrderLineId, _: i64, _: ProductId, _: Option<Quantity>, _: bool) -> Result<OrderView, OrderError> { Err(OrderError::NotFound) }
}
