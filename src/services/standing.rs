//! How the exchange with 1C is doing, in one sentence: for the panel, the command line and health.

use std::time::Duration;

use super::Base;
use super::pull::PullStatus;
use crate::config::Config;
use crate::domain::{Timestamp, Zone};
use crate::storage::exchange_journal;
use crate::storage::exchange_log::{ExchangeRow, HeldHiding};
use crate::storage::{StorageError, exchange_log, onec_orders};

/// Without an exchange for so long something is amiss, whoever begins it.
const LONGEST_SILENCE: Duration = Duration::from_hours(24);

/// By which ways 1C and we may meet, as the settings say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four ways, each on or off")]
pub struct Ways {
    /// The catalogue is pulled on schedule.
    pub pull: bool,
    /// The standard exchange has its password.
    pub standard: bool,
    /// JSON calls have their token.
    pub push: bool,
    /// JSON calls are taken from anyone.
    pub open: bool,
}

impl Ways {
    /// As the settings say.
    pub fn of(config: &Config) -> Self {
        let onec = &config.onec;
        Self {
            pull: onec.pull.enabled && onec.pull.base_url.is_some(),
            standard: onec.exchange.password.is_some(),
            push: onec.webhook_token.is_some(),
            open: onec.open && onec.webhook_token.is_none(),
        }
    }

    /// Whether there is any.
    pub fn any(self) -> bool {
        self.pull || self.standard || self.push || self.open
    }
}

/// The state of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing is set up, and 1C has never come.
    Off,
    /// It is set up; 1C has not come yet.
    Expected,
    /// A pull runs.
    Running,
    /// The last exchange went through.
    Works,
    /// The last exchange failed.
    Fails,
    /// The last exchange is too long ago.
    Silent,
}

impl State {
    /// A short word for machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Expected => "expected",
            Self::Running => "running",
            Self::Works => "works",
            Self::Fails => "fails",
            Self::Silent => "silent",
        }
    }
}

/// How the exchange with 1C is doing.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The state.
    pub state: State,
    /// By which ways 1C may come.
    pub ways: Ways,
    /// Since when a pull runs.
    pub running_since: Option<Timestamp>,
    /// The last exchange, whatever came of it.
    pub last: Option<ExchangeRow>,
    /// The last one that went through.
    pub last_good: Option<ExchangeRow>,
    /// The last pull, whatever came of it.
    pub last_pull: Option<ExchangeRow>,
    /// When the next pull is due.
    pub next_at: Option<Timestamp>,
    /// The hiding that waits for a person.
    pub held: Option<HeldHiding>,
    /// Orders that 1C does not have yet.
    pub queued: u32,
    /// Orders among them that cannot go for their lines.
    pub waiting: u32,
}

fn judge(running: bool, last: Option<&ExchangeRow>, ways: Ways, now: Timestamp) -> State {
    if running {
        return State::Running;
    }
    let Some(last) = last else {
        return if ways.any() { State::Expected } else { State::Off };
    };
    if !last.error.is_empty() {
        return State::Fails;
    }
    if now.since(last.at) > LONGEST_SILENCE { State::Silent } else { State::Works }
}

impl Standing {
    /// Looks. `pull` is what the running program knows of its schedule; another process knows none.
    pub async fn look(base: &Base, pull: Option<PullStatus>) -> Result<Self, StorageError> {
        let ways = Ways::of(&base.config);
        let (now, interval) = (base.clock.now(), base.config.onec.pull.interval);
        let from = base.config.onec.send_from;
        let standing = base.db.read(move |conn| {
            let last_pull = exchange_journal::latest(conn, "pull", false)?;
            let last = exchange_journal::latest(conn, "", false)?;
            // Where 1C neither comes nor is expected, every order would be on its way for ever.
            let (queued, waiting) = if ways.any() || last.is_some() {
                onec_orders::count_queue(conn, from, ways.standard)?
            } else {
                (0, 0)
            };
            let guess = last_pull.as_ref().map(|row| row.at.plus(interval));
            let next_at = pull.as_ref().and_then(|status| status.next_at).or(guess);
            Ok::<_, StorageError>(Self {
                state: State::Off,
                ways,
                running_since: pull.and_then(|status| status.running_since),
                last,
                last_good: exchange_journal::latest(conn, "", true)?,
                last_pull,
                // What was due long ago is not going to happen: nothing serves.
                next_at: next_at.filter(|at| ways.pull && at.plus(interval) > now),
                held: exchange_log::waiting_hiding(conn)?,
                queued,
                waiting,
            })
        });
        let mut standing = standing.await?;
        let running = standing.running_since.is_some();
        standing.state = judge(running, standing.last.as_ref(), ways, now);
        Ok(standing)
    }

    /// Whether 1C has come or is expected: elsewhere no order is on its way to it, and none is
    /// counted.
    pub fn is_awaited(&self) -> bool {
        self.ways.any() || self.last.is_some()
    }

    /// The state alone, without what waits.
    pub async fn state(base: &Base, pull: Option<PullStatus>) -> Result<State, StorageError> {
        let last = base.db.read(|conn| exchange_journal::latest(conn, "", false)).await?;
        let running = pull.is_some_and(|status| status.running_since.is_some());
        Ok(judge(running, last.as_ref(), Ways::of(&base.config), base.clock.now()))
    }

    /// «Работает. Последний обмен 14:00, следующий 14:10».
    pub fn sentence(&self, zone: &Zone, now: Timestamp) -> String {
        let at = |row: &ExchangeRow| zone.date_time(row.at, now);
        let last_good = self.last_good.as_ref().map(at);
        let next = self.next_at.map(|at| zone.date_time(at, now));
        match self.state {
            State::Off => "Обмен не настроен: 1С ещё ни разу не приходила.".to_owned(),
            State::Expected => match next {
                Some(next) => format!("Настроен. Первый обмен {next}."),
                None => "Настроен. Ждём первого запроса от 1С.".to_owned(),
            },
            State::Running => {
                let since = self.running_since.map(|at| zone.time(at)).unwrap_or_default();
                let last = last_good.map(|last| format!(" Последний обмен {last}."));
                format!("Идёт обмен, начат {since}.{}", last.unwrap_or_default())
            }
            State::Works => {
                let last = last_good.unwrap_or_default();
                let next = next.map(|next| format!(", следующий {next}"));
                format!("Работает. Последний обмен {last}{}", next.unwrap_or_default())
            }
            State::Fails => {
                let error = self.last.as_ref().map(|row| row.error.trim_end_matches('.'));
                let good = last_good.map_or_else(
                    || "удачных ещё не было".to_owned(),
                    |last| format!("последний удачный {last}"),
                );
                let next = next.map(|next| format!(", следующий {next}")).unwrap_or_default();
                format!("Сбой: {}. Обмен: {good}{next}", error.unwrap_or_default())
            }
            State::Silent => {
                let last = self.last.as_ref().map(at).unwrap_or_default();
                let next = next.map(|next| format!(", следующий {next}")).unwrap_or_default();
                format!("Больше суток нет обмена: последний {last}{next}")
            }
        }
    }
}
