//! The queue out: orders on their way to 1C, and what keeps them.

use std::time::Duration;

use super::Exchange;
use crate::config::SendFrom;
use crate::domain::{Channel, OrderId, OrderStatus, Timestamp, ru};
use crate::services::accounts::Actor;
use crate::services::live::Change;
use crate::storage::onec_orders::{self, DoubtfulLine, Obstacle, QueuedOrder};
use crate::storage::orders::{self, NewOrderEvent, OrderRow};
use crate::storage::{StorageError, audit, exchange_journal};

/// What 1C said of an order is shown for so long.
const REFUSAL_SHOWN: Duration = Duration::from_hours(7 * 24);
/// Lines named one by one in a reason.
const LINES_NAMED: usize = 3;

/// An order of the queue with what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The order.
    pub order: QueuedOrder,
    /// Why it cannot go, in Russian; empty: it can.
    pub reasons: Vec<String>,
    /// What 1C last said of it that could not be used, and when.
    pub refusal: Option<(Timestamp, String)>,
}

/// A page of the queue.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    /// The orders, oldest first.
    pub orders: Vec<Queued>,
    /// How many 1C does not have yet.
    pub total: u32,
    /// How many of them cannot go for their lines.
    pub waiting: u32,
    /// The last ones that 1C has, the latest first.
    pub taken: Vec<QueuedOrder>,
}

/// Where an order stands on its way to 1C.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnTheWay {
    /// It never goes there: a draft, an order of the old program, one that was cancelled before.
    Never,
    /// It is not far enough: 1C gets it from this status on.
    NotYet(OrderStatus),
    /// It is in the queue; why it cannot go, in Russian (empty: it can), how often it was given.
    Queued {
        /// Why it cannot go; empty: it can.
        reasons: Vec<String>,
        /// How often 1C was given it.
        offers: u32,
        /// When last.
        offered_at: Option<Timestamp>,
    },
    /// 1C has it.
    Taken {
        /// Since when.
        at: Timestamp,
        /// Whether it is paid in full, as 1C says.
        paid: bool,
    },
}

impl Exchange {
    /// The standard exchange asks more of a line than JSON does.
    fn is_strict(&self) -> bool {
        self.base.config.onec.exchange.password.is_some()
    }

    /// A page of the queue out.
    pub async fn queue(&self, offset: u32, limit: u32) -> Result<Queue, StorageError> {
        let (from, strict) = (self.base.config.onec.send_from, self.is_strict());
        let since = self.base.clock.now().minus(REFUSAL_SHOWN);
        self.base
            .db
            .read(move |conn| {
                let (total, waiting) = onec_orders::count_queue(conn, from, strict)?;
                let mut found = Vec::new();
                for order in onec_orders::queue(conn, from, offset, limit)? {
                    let doubts = onec_orders::doubts(conn, order.id)?;
                    let row = orders::find(conn, order.id)?;
                    let uuid = row.map(|row| row.uuid).unwrap_or_default();
                    let refusal =
                        exchange_journal::refusal_of_order(conn, order.number, &uuid, since)?;
                    found.push(Queued { order, reasons: reasons(&doubts, strict), refusal });
                }
                let taken = onec_orders::taken(conn, 10)?;
                Ok(Queue { orders: found, total, waiting, taken })
            })
            .await
    }

    /// How many orders wait for 1C, and how many of them cannot go for their lines.
    pub async fn queue_size(&self) -> Result<(u32, u32), StorageError> {
        let (from, strict) = (self.base.config.onec.send_from, self.is_strict());
        self.base.db.read(move |conn| onec_orders::count_queue(conn, from, strict)).await
    }

    /// The first orders that cannot go to 1C, oldest first, each with what keeps it, in Russian.
    pub async fn stuck(&self, limit: u32) -> Result<Vec<(QueuedOrder, Vec<String>)>, StorageError> {
        let (from, strict) = (self.base.config.onec.send_from, self.is_strict());
        let read = move |conn: &rusqlite::Connection| {
            let orders = onec_orders::stuck(conn, from, strict, limit)?.into_iter();
            let with = |order: QueuedOrder| {
                let doubts = onec_orders::doubts(conn, order.id)?;
                Ok((order, reasons(&doubts, strict)))
            };
            orders.map(with).collect()
        };
        self.base.db.read(read).await
    }

    /// Where an order stands on its way to 1C.
    pub async fn on_the_way(&self, order: &OrderRow) -> Result<OnTheWay, StorageError> {
        if let Some(at) = order.onec_acknowledged_at {
            let id = order.id;
            let said = self.base.db.read(move |conn| onec_orders::document_state(conn, id));
            let (_, paid) = said.await?;
            return Ok(OnTheWay::Taken { at, paid });
        }
        let from = match self.base.config.onec.send_from {
            SendFrom::New => OrderStatus::New,
            SendFrom::Accepted => OrderStatus::Accepted,
        };
        let waits = match order.status {
            OrderStatus::Approval => true,
            OrderStatus::New | OrderStatus::NeedsClient => from == OrderStatus::Accepted,
            _ => false,
        };
        if order.history || matches!(order.status, OrderStatus::Cancelled | OrderStatus::Rejected) {
            return Ok(OnTheWay::Never);
        }
        if waits {
            return Ok(OnTheWay::NotYet(from));
        }
        let (id, strict) = (order.id, self.is_strict());
        self.base
            .db
            .read(move |conn| {
                let reasons = reasons(&onec_orders::doubts(conn, id)?, strict);
                let (offers, offered_at) = onec_orders::offers(conn, id)?;
                Ok(OnTheWay::Queued { reasons, offers, offered_at })
            })
            .await
    }

    /// Offers an order to 1C once more, although 1C has said that it has it; whether it had.
    pub async fn offer_again(&self, id: OrderId, by: Actor) -> Result<bool, StorageError> {
        let now = self.base.clock.now();
        let offered = self
            .base
            .db
            .write(move |tx| {
                if !onec_orders::offer_again(tx, id, now)? {
                    return Ok(false);
                }
                let event = NewOrderEvent {
                    order: id,
                    at: now,
                    channel: by.channel,
                    person: by.person,
                    kind: "onec",
                    text: "Будет передана в 1С ещё раз",
                    to_client: false,
                };
                orders::insert_event(tx, event)?;
                let object = format!("order:{id}");
                audit::record(tx, &by.entry("exchange.offer_again", &object, now))?;
                Ok::<_, StorageError>(true)
            })
            .await?;
        if offered {
            self.standard.forget(&[id]);
            self.base.live.tell(Change::Order(id));
            self.base.live.tell(Change::Exchange);
        }
        Ok(offered)
    }
}

/// Whether the order was cancelled or refused here after 1C had taken it: there it lives on.
pub fn lives_on_in_onec(order: &OrderRow, last_status_by: Option<Channel>) -> bool {
    order.onec_acknowledged_at.is_some()
        && matches!(order.status, OrderStatus::Cancelled | OrderStatus::Rejected)
        && last_status_by.is_some_and(|channel| channel != Channel::Onec)
}

/// The obstacles in words, each with its lines. What only the standard exchange minds is left out
/// where it is off.
fn reasons(doubts: &[DoubtfulLine], strict: bool) -> Vec<String> {
    let order = [
        (Obstacle::NoProduct, "не выбран товар"),
        (Obstacle::Withdrawn, "товар снят с продажи"),
        (Obstacle::NoQuantity, "количество не в базовых единицах"),
        (Obstacle::NoOnecId, "у товара нет кода 1С"),
        (Obstacle::NoPrice, "нет цены"),
    ];
    let mut reasons = Vec::new();
    for (obstacle, words) in order {
        if !strict && matches!(obstacle, Obstacle::NoOnecId | Obstacle::NoPrice) {
            continue;
        }
        let lines: Vec<_> = doubts.iter().filter(|line| line.obstacle == obstacle).collect();
        let Some(first) = lines.first() else { continue };
        reasons.push(if lines.len() == 1 {
            format!("{words}: позиция {}, «{}»", first.position, ru::ellipsis(&first.words, 40))
        } else {
            let named = lines.iter().take(LINES_NAMED).map(|line| line.position.to_string());
            let mut list = named.collect::<Vec<_>>().join(", ");
            if lines.len() > LINES_NAMED {
                list = format!("{list} и ещё {}", lines.len() - LINES_NAMED);
            }
            format!("{words}: позиции {list}")
        });
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_name_the_lines_and_mind_the_way() {
        let line = |position, obstacle| DoubtfulLine {
            position,
            words: "нитки в тон".to_owned(),
            obstacle,
        };
        let one = [line(2, Obstacle::NoProduct), line(3, Obstacle::NoPrice)];
        assert_eq!(reasons(&one, false), ["не выбран товар: позиция 2, «нитки в тон»"]);
        assert_eq!(reasons(&one, true).len(), 2);
        let many: Vec<_> = (1..=5).map(|n| line(n, Obstacle::Withdrawn)).collect();
        assert_eq!(reasons(&many, false), ["товар снят с продажи: позиции 1, 2, 3 и ещё 2"]);
    }
}
