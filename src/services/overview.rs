//! Figures for the panel's first page.

use std::time::Duration;

use super::Base;
use super::catalog::Catalog;
use crate::domain::Timestamp;
use crate::storage::directory::{self, ClientFilter};
use crate::storage::figures::{self, Turnover};
use crate::storage::{StorageError, exchange_log, outbox, recipients, threads};

const DAY: Duration = Duration::from_hours(24);

/// Words that are named as unknown.
const UNKNOWN: u32 = 5;

/// What the panel's first page counts. Clones share it.
#[derive(Clone)]
pub struct Overview {
    base: Base,
    catalog: Catalog,
}

/// The figures of a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    /// Orders since midnight in the company's zone.
    pub today: Turnover,
    /// Orders of the last seven days.
    pub week: Turnover,
    /// The median time from an order to its first change of status, over the week; `None` when
    /// there was none.
    pub median_wait: Option<Duration>,
    /// Orders in work to be delivered today.
    pub deliveries_today: u32,
    /// Orders in work to be delivered tomorrow.
    pub deliveries_tomorrow: u32,
    /// Phrases of the last 30 days that had no certain product, most frequent first.
    pub unknown: Vec<(String, u32)>,
    /// Products that are sold.
    pub products: u32,
    /// Organizations that nobody has vouched for.
    pub unverified: u32,
    /// Messages that were given up.
    pub undelivered: i64,
    /// The last exchange, where it has left records out, and how many.
    pub rejected: Option<(i64, u32)>,
    /// Whether anything was ever recognised.
    pub recognised: bool,
}

impl Overview {
    /// Over this base and catalogue.
    pub fn new(base: Base, catalog: Catalog) -> Self {
        Self { base, catalog }
    }

    /// The figures as they are now.
    pub async fn figures(&self) -> Result<Figures, StorageError> {
        let now = self.base.clock.now();
        let today = self.base.zone.civil(now).date();
        let midnight =
            self.base.zone.moment(today.at(0, 0, 0, 0)).unwrap_or_else(|| now.minus(DAY));
        let tomorrow = today.tomorrow().unwrap_or(today);
        let products = self.catalog.on_sale().await?;
        self.base
            .db
            .read(move |conn| {
                let week = now.minus(DAY * 7);
                let waits = figures::waits(conn, week)?;
                let strangers = ClientFilter { unverified: true, ..ClientFilter::default() };
                let last = exchange_log::list(conn, 1)?.pop();
                Ok(Figures {
                    today: figures::turnover(conn, midnight)?,
                    week: figures::turnover(conn, week)?,
                    median_wait: median(&waits),
                    deliveries_today: figures::deliveries(conn, &today.to_string())?,
                    deliveries_tomorrow: figures::deliveries(conn, &tomorrow.to_string())?,
                    unknown: figures::unknown_words(conn, now.minus(DAY * 30), UNKNOWN)?,
                    products,
                    unverified: directory::count_clients(conn, &strangers)?,
                    undelivered: outbox::count(conn, now)?.2,
                    rejected: last.filter(|row| row.skipped > 0).map(|row| (row.id, row.skipped)),
                    recognised: !figures::recognised(conn, None, 0, 1)?.is_empty(),
                })
            })
            .await
    }
}

/// How the program is doing, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// Questions that wait for an answer.
    pub questions: u32,
    /// Organizations.
    pub clients: u32,
    /// Products that are sold.
    pub products: u32,
    /// Messages that wait to be sent.
    pub queued: i64,
    /// Messages that were given up.
    pub failed: i64,
    /// Chats whose person has blocked the bot.
    pub blocked_chats: i64,
    /// When the last exchange was, and what went wrong with it; empty: nothing.
    pub last_exchange: Option<(Timestamp, String)>,
    /// The size of the database.
    pub database_bytes: u64,
}

impl Overview {
    /// How the program is doing now.
    pub async fn state(&self) -> Result<State, StorageError> {
        let now = self.base.clock.now();
        let database_bytes = std::fs::metadata(self.base.db.path()).map_or(0, |meta| meta.len());
        let products = self.catalog.on_sale().await?;
        self.base
            .db
            .read(move |conn| {
                let (queued, _, failed) = outbox::count(conn, now)?;
                let waiting = threads::list_waiting(conn, Timestamp::from_millis(0), now)?;
                let last = exchange_log::list(conn, 1)?.pop();
                Ok(State {
                    questions: u32::try_from(waiting.len()).unwrap_or(u32::MAX),
                    clients: directory::count_clients(conn, &ClientFilter::default())?,
                    products,
                    queued,
                    failed,
                    blocked_chats: recipients::count_blocked(conn)?,
                    last_exchange: last.map(|row| (row.at, row.error)),
                    database_bytes,
                })
            })
            .await
    }
}

/// The middle of what is sorted.
fn median(sorted: &[i64]) -> Option<Duration> {
    let middle = sorted.get(sorted.len() / 2)?;
    Some(Timestamp::from_millis(*middle).since(Timestamp::from_millis(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[1, 5, 900]), Some(Duration::from_millis(5)));
    }
}
