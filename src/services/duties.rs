//! What the program does by the clock: reminders of orders and questions that wait, the morning's
//! summary, orders that end by themselves.
//!
//! Nothing is kept in memory: what was told stands in the outbox under its key, so that a restart
//! repeats nothing.

use std::time::Duration;

use rusqlite::Transaction;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::live::Change;
use super::notifications::{self, Notice, Outgoing};
use super::ordering::{Actor, OrderError, Ordering};
use super::{Base, jobs};
use crate::domain::{Channel, OrderStatus, Timestamp, WorkingHours};
use crate::storage::figures::{self, Turnover};
use crate::storage::{StorageError, notification_settings, orders, threads};

/// How often it is noted that all is well.
const NOTED_EVERY: Duration = Duration::from_hours(1);
/// How often the clock is looked at.
const EVERY: Duration = Duration::from_secs(30);
/// Working time after which the shift is reminded of an order, and then administrators are told.
const ORDER_WAITS: [Duration; 2] = [Duration::from_mins(15), Duration::from_hours(1)];
/// The same for a question.
const QUESTION_WAITS: [Duration; 2] = [Duration::from_mins(30), Duration::from_hours(2)];
/// The outbox remembers keys for two weeks: what has waited longer is not reminded of again.
const MEMORY: Duration = Duration::from_hours(24 * 13);
/// An order that was shipped so long ago is done.
const DONE_AFTER: Duration = Duration::from_hours(24 * 14);
/// The hour of the summary, and the one after which it is too late for it.
const MORNING: std::ops::Range<i8> = 9..12;

/// The duties. Clones share them.
#[derive(Clone)]
pub struct Duties {
    base: Base,
    ordering: Ordering,
}

/// What a working day begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Morning {
    /// Orders that nobody has taken.
    pub new: u32,
    /// Those of them that have waited for more than an hour of work.
    pub overdue: u32,
    /// Questions that wait for an answer.
    pub questions: u32,
    /// Orders to be delivered today.
    pub deliveries: u32,
    /// The orders of the day before.
    pub yesterday: Turnover,
}

impl Duties {
    /// Over this base.
    pub fn new(base: Base, ordering: Ordering) -> Self {
        Self { base, ordering }
    }

    /// The company's hours; of those that cannot be read, every hour is a working one.
    fn hours(&self) -> Option<WorkingHours> {
        let hours = &self.base.config.company.hours;
        WorkingHours::read(hours).or_else(|| WorkingHours::read("круглосуточно"))
    }

    /// Does what is due at this moment of the clock.
    pub async fn tick(&self) -> Result<(), StorageError> {
        let now = self.base.clock.now();
        let (config, zone) = (self.base.config.clone(), self.base.zone.clone());
        let Some(hours) = self.hours() else { return Ok(()) };
        let queued = self
            .base
            .db
            .write(move |tx| {
                let mut queued = false;
                let since = now.minus(MEMORY);
                for (order, at) in orders::list_untaken(tx, since)? {
                    let waited = hours.worked(&zone, at, now);
                    let notice = Notice::OrderWaits { order };
                    let key = format!("order:{order}");
                    queued |= remind(tx, &config, &notice, &key, waited, ORDER_WAITS, now)?;
                }
                for (thread, at) in threads::list_waiting(tx, since, now)? {
                    let waited = hours.worked(&zone, at, now);
                    let notice = Notice::ThreadWaits { thread };
                    let key = format!("thread:{thread}:{}", at.millis());
                    queued |= remind(tx, &config, &notice, &key, waited, QUESTION_WAITS, now)?;
                }
                let civil = zone.civil(now);
                if MORNING.contains(&civil.hour()) && hours.works_on(civil.date()) {
                    let summary = Outgoing::Notice(Notice::MorningSummary);
                    let key = format!("morning:{}", civil.date());
                    queued |=
                        notifications::enqueue_to_staff(tx, &config, &summary, now, Some(&key))?;
                }
                notification_settings::sweep(tx, now.minus(Duration::from_hours(72)))?;
                Ok::<_, StorageError>(queued)
            })
            .await?;
        if queued {
            self.base.live.tell(Change::Outbox);
        }
        self.end_shipped(now).await
    }

    /// Orders shipped two weeks ago are done.
    async fn end_shipped(&self, now: Timestamp) -> Result<(), StorageError> {
        let before = now.minus(DONE_AFTER);
        let ended = self.base.db.read(move |conn| orders::list_shipped(conn, before)).await?;
        for order in ended {
            let actor = Actor { person: None, channel: Channel::System };
            let why = "";
            match self.ordering.set_status(actor, order, None, OrderStatus::Done, why).await {
                Ok(_) => info!(order.id = %order, "заказ {order} выполнен: отгружен давно"),
                Err(OrderError::Storage(error)) => return Err(error),
                Err(error) => warn!(order.id = %order, "заказ {order} не завершить: {error}"),
            }
        }
        Ok(())
    }

    /// What the day begins with.
    pub async fn morning(&self) -> Result<Morning, StorageError> {
        let now = self.base.clock.now();
        let zone = self.base.zone.clone();
        let hours = self.hours();
        let today = zone.civil(now).date();
        let midnight = zone.moment(today.at(0, 0, 0, 0)).unwrap_or(now);
        let day_before = midnight.minus(Duration::from_hours(24));
        self.base
            .db
            .read(move |conn| {
                let waiting = orders::list_untaken(conn, Timestamp::from_millis(0))?;
                let overdue = waiting.iter().filter(|(_, at)| {
                    hours.is_some_and(|hours| hours.worked(&zone, *at, now) >= ORDER_WAITS[1])
                });
                let all = figures::turnover(conn, day_before)?;
                let today_only = figures::turnover(conn, midnight)?;
                let yesterday = Turnover {
                    orders: all.orders.saturating_sub(today_only.orders),
                    total: crate::domain::Money::from_kopecks(
                        all.total.kopecks() - today_only.total.kopecks(),
                    ),
                    ..Turnover::default()
                };
                let questions = threads::list_waiting(conn, Timestamp::from_millis(0), now)?;
                Ok(Morning {
                    new: u32::try_from(waiting.len()).unwrap_or(u32::MAX),
                    overdue: u32::try_from(overdue.count()).unwrap_or(u32::MAX),
                    questions: u32::try_from(questions.len()).unwrap_or(u32::MAX),
                    deliveries: figures::deliveries(conn, &today.to_string())?,
                    yesterday,
                })
            })
            .await
    }

    /// Notes how a turn went, a good one once an hour: a write for each would be for nothing.
    async fn note(&self, done: Result<(), StorageError>) {
        let due = jobs::wait(&self.base, jobs::REMINDERS, NOTED_EVERY).await;
        if done.is_ok() && due.is_ok_and(|left| !left.is_zero()) {
            return;
        }
        let outcome = done.map(|()| "проверено".to_owned()).map_err(|error| error.to_string());
        let noted = match jobs::begin(&self.base, jobs::REMINDERS).await {
            Ok(()) => jobs::end(&self.base, jobs::REMINDERS, outcome, None).await,
            Err(error) => Err(error),
        };
        if let Err(error) = noted {
            warn!("итог напоминаний не записан: {error}");
        }
    }

    /// Does what is due, until stopped.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let done = self.tick().await;
            if let Err(error) = &done {
                warn!("напоминания: {error}");
            }
            self.note(done).await;
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

/// Queues the reminder that is due: the shift's first, then the administrators'. Each once.
fn remind(
    tx: &Transaction<'_>,
    config: &crate::config::Config,
    notice: &Notice,
    key: &str,
    waited: Duration,
    [shift, admins]: [Duration; 2],
    now: Timestamp,
) -> Result<bool, StorageError> {
    let outgoing = Outgoing::Notice(notice.clone());
    let mut queued = false;
    if waited >= shift {
        let key = format!("waits:{key}");
        queued |= notifications::enqueue_to_staff(tx, config, &outgoing, now, Some(&key))?;
    }
    if waited >= admins {
        let key = format!("waits_long:{key}");
        queued |= notifications::enqueue_to_admins(tx, config, &outgoing, now, Some(&key))?;
    }
    Ok(queued)
}
