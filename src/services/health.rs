//! How the program is doing: one list of checks for `/health`, the panel, the bot's `/admin` and
//! `partner-m check`. Each says «норма», «внимание» or «сбой», and what to do.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::Mutex;

use super::Base;
use super::backup::Backups;
use super::bot_status::{BotState, BotStatus};
use super::catalog::Catalog;
use super::models::Models;
use super::pull::Pull;
use super::standing::{Standing, State};
use crate::clients::llm::ProviderState;
use crate::config::Config;
use crate::domain::{Timestamp, Zone, ru, time};
use crate::storage::db::Writable;
use crate::storage::vitals::{self, Queue};
use crate::storage::{Db, StorageError};
use crate::tasks::Tasks;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A write that runs for longer keeps everybody else from writing.
const LONGEST_WRITE: Duration = Duration::from_mins(5);
/// An answer is good for so long: whoever asks more often gets the same one.
const FRESH: Duration = Duration::from_secs(1);
/// A copy older than this was missed.
const BACKUP_LATE: Duration = Duration::from_hours(26);
/// A message or an event that waits for longer wants attention.
const QUEUE_LATE: Duration = Duration::from_mins(15);
/// Messages that were given up are told for so long.
const FAILURES_TOLD: Duration = Duration::from_hours(24);
/// A clock this far behind what the database has seen was put back.
const CLOCK_BEHIND: Duration = Duration::from_mins(10);
/// Less free room than this and the next copy does not fit.
const DISK_LOW: u64 = 500 * 1_000_000;
/// Less free room than this and the next order may not fit.
const DISK_FULL: u64 = 20 * 1_000_000;
/// A task's panic is told for so long.
const PANICS_TOLD: Duration = Duration::from_hours(1);

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Works, and wants a look.
    Warning,
    /// Does not work.
    Failed,
}

impl Level {
    /// «норма», «внимание», «сбой».
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "норма",
            Self::Warning => "внимание",
            Self::Failed => "сбой",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its code: `database`, `telegram`.
    #[serde(skip)]
    pub name: &'static str,
    /// What people call it: «База данных».
    #[serde(skip)]
    pub label: &'static str,
    /// How serious it is.
    pub state: Level,
    /// What was found, in Russian.
    pub text: String,
    /// What to do; empty: nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

impl Check {
    fn new(name: &'static str, state: Level, text: impl Into<String>, hint: &str) -> Self {
        let label = LABELS.iter().find(|(code, _)| *code == name).map_or(name, |(_, label)| label);
        Self { name, label, state, text: text.into(), hint: hint.to_owned() }
    }

    fn ok(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, Level::Ok, text, "")
    }
}

/// The checks and what people call them.
const LABELS: [(&str, &str); 11] = [
    ("telegram", "Бот"),
    ("database", "База данных"),
    ("exchange", "Обмен с 1С"),
    ("index", "Поиск"),
    ("llm", "Модель"),
    ("outbox", "Исходящие"),
    ("disk", "Диск"),
    ("backup", "Резервная копия"),
    ("clock", "Часы"),
    ("tasks", "Фоновая работа"),
    ("version", "Версия"),
];

/// How everything is at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// When it was looked at.
    pub at: Timestamp,
    /// How long the program has been running.
    pub uptime: Duration,
    /// What was looked at.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether the database can be written: without that nothing works.
    pub fn writable(&self) -> bool {
        self.checks.iter().all(|check| check.name != "database" || check.state != Level::Failed)
    }

    /// The most serious finding's level.
    pub fn level(&self) -> Level {
        self.checks.iter().map(|check| check.state).max().unwrap_or(Level::Ok)
    }
}

/// What is asked for health. Clones share it.
#[derive(Clone)]
pub struct Health {
    base: Base,
    bot: BotStatus,
    catalog: Catalog,
    models: Option<Models>,
    pull: Option<Pull>,
    backups: Backups,
    tasks: Tasks,
    started: Instant,
    last: Arc<Mutex<Option<(Instant, Report)>>>,
}

/// What the database tells.
struct Stored {
    inbox: Queue,
    outbox: Queue,
    failed: u32,
    latest: Option<Timestamp>,
}

impl Health {
    /// Over these services; the program counts as started now.
    pub fn new(
        base: Base,
        bot: BotStatus,
        catalog: Catalog,
        models: Option<Models>,
        pull: Option<Pull>,
        backups: Backups,
        tasks: Tasks,
    ) -> Self {
        let (started, last) = (Instant::now(), Arc::default());
        Self { base, bot, catalog, models, pull, backups, tasks, started, last }
    }

    /// How long the program has been running.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// How everything is. Asked again within a second, the answer is the same.
    pub async fn report(&self) -> Report {
        let mut last = self.last.lock().await;
        if let Some((asked, report)) = &*last
            && asked.elapsed() < FRESH
        {
            return report.clone();
        }
        let report = self.look().await;
        *last = Some((Instant::now(), report.clone()));
        report
    }

    async fn look(&self) -> Report {
        let now = self.base.clock.now();
        let mut checks = vec![self.telegram(now), self.database().await];
        let stored = self.base.db.read(move |conn| stored(conn, now)).await;
        match stored {
            Ok(stored) => {
                checks.push(self.exchange(now).await);
                checks.push(self.index());
                checks.push(self.llm());
                checks.push(outbox(&stored, now));
                checks.push(clock(&self.base.zone, now, stored.latest));
            }
            Err(error) => {
                let text = format!("база данных не читается: {error}");
                checks.push(Check::new("outbox", Level::Failed, text, "проверьте диск и журнал"));
            }
        }
        checks.push(disk(&self.base.config));
        checks.push(self.backup(now).await);
        checks.push(self.background());
        checks.push(version());
        checks.sort_by_key(|check| LABELS.iter().position(|(code, _)| *code == check.name));
        Report { at: now, uptime: self.uptime(), checks }
    }

    fn telegram(&self, now: Timestamp) -> Check {
        let report = self.bot.report();
        let name = report.username.map(|name| format!("@{name}, ")).unwrap_or_default();
        let since = |text: &str| match report.since {
            Some(since) => format!("{name}{text} с {}", self.base.zone.date_time(since, now)),
            None => format!("{name}{text}"),
        };
        match report.state {
            BotState::Off => Check::ok("telegram", "выключен: нет токена"),
            BotState::Starting => Check::ok("telegram", "подключается"),
            BotState::Ok => Check::ok("telegram", since("работает")),
            BotState::Refused => Check::new(
                "telegram",
                Level::Failed,
                since("токен не принят"),
                "возьмите токен у @BotFather, впишите в telegram.bot_token и перезапустите",
            ),
            BotState::Conflict => Check::new(
                "telegram",
                Level::Failed,
                since("сообщения этого бота читает другая программа"),
                "остановите её, бот подключится сам",
            ),
            BotState::Offline => Check::new(
                "telegram",
                Level::Warning,
                since("нет связи с Telegram"),
                "проверьте сеть; если Telegram закрыт, задайте telegram.proxy",
            ),
        }
    }

    async fn database(&self) -> Check {
        let db = self.base.db.clone();
        let tried = tokio::task::spawn_blocking(move || db.try_write()).await;
        let size = database_size(&self.base.db);
        let hint = "проверьте диск и права на папку данных; принятое раньше сохранено";
        match tried.unwrap_or(Err(StorageError::Interrupted)) {
            Ok(Writable::Yes) => Check::ok("database", size),
            Ok(Writable::Busy(busy)) if busy < LONGEST_WRITE => {
                let since = match busy.as_secs() {
                    0 => String::new(),
                    long => format!(", уже {}", ru::count(long, ["секунду", "секунды", "секунд"])),
                };
                Check::ok("database", format!("{size}; идёт запись{since}"))
            }
            Ok(Writable::Busy(busy)) => {
                let text = format!("запись не кончается {}", time::ago(busy));
                Check::new("database", Level::Failed, text, "перезапустите программу")
            }
            Err(error) => {
                tracing::error!("в базу данных не записать: {error}");
                Check::new("database", Level::Failed, "запись не удаётся", hint)
            }
        }
    }

    async fn exchange(&self, now: Timestamp) -> Check {
        let name = "exchange";
        let standing = Standing::look(&self.base, self.pull.as_ref().map(Pull::status)).await;
        let standing = match standing {
            Ok(standing) => standing,
            Err(error) => return Check::new(name, Level::Failed, error.to_string(), ""),
        };
        let text = standing.sentence(&self.base.zone, now);
        if standing.ways.open {
            let hint = "приём открыт любому в сети: задайте onec.webhook_token и уберите onec.open";
            return Check::new(name, Level::Warning, text, hint);
        }
        let silent = self.pull.as_ref().is_some_and(|pull| pull.status().silent_since.is_some());
        match standing.state {
            State::Fails if silent => {
                let hint = "проверьте, что 1С отвечает: partner-m check --online";
                Check::new(name, Level::Failed, text, hint)
            }
            State::Fails | State::Silent => {
                Check::new(name, Level::Warning, text, "посмотрите раздел «Обмен с 1С»")
            }
            _ if standing.held.is_some() => {
                let hint = "скрытие товаров ждёт решения в разделе «Обмен с 1С»";
                Check::new(name, Level::Warning, text, hint)
            }
            _ => Check::ok(name, text),
        }
    }

    fn index(&self) -> Check {
        match self.catalog.indexed() {
            Some(products) => {
                Check::ok("index", ru::count(products as u64, ["товар", "товара", "товаров"]))
            }
            None => Check::ok("index", "строится, заявки подождут"),
        }
    }

    fn llm(&self) -> Check {
        let status = self.models.as_ref().map(Models::status).unwrap_or_default();
        if self.models.as_ref().is_none_or(|models| !models.is_on()) {
            return Check::ok("llm", "выключена: заказы разбирает местный движок");
        }
        let works = |state| matches!(state, ProviderState::Working | ProviderState::Untried);
        let names: Vec<_> = status.iter().map(|s| s.provider.label()).collect();
        if status.iter().any(|status| works(status.state)) {
            return Check::ok("llm", names.join(", "));
        }
        let why = status.iter().find_map(|s| s.failed_at.as_ref()).map_or("", |(_, why)| why);
        let text = format!("{} не отвечает: {why}", names.join(", "));
        Check::new(
            "llm",
            Level::Warning,
            text,
            "заказы разбирает местный движок; partner-m llm test",
        )
    }

    async fn backup(&self, now: Timestamp) -> Check {
        let name = "backup";
        let status = match self.backups.status().await {
            Ok(status) => status,
            Err(error) => {
                let hint = "проверьте папку копий: backup.dir";
                return Check::new(name, Level::Failed, error.to_string(), hint);
            }
        };
        let zone = &self.base.zone;
        if let Some((at, why)) = status.failed {
            let text = format!("{} копия не получилась: {why}", zone.date_time(at, now));
            let hint = "освободите место или исправьте backup.dir, затем «Создать» в панели";
            return Check::new(name, Level::Failed, text, hint);
        }
        let next = status.next_at.map(|at| zone.date_time(at, now));
        match (status.last, status.age, next) {
            (Some(last), Some(age), next) => {
                let text = format!("последняя {}", zone.date_time(last.made_at, now));
                let late = age > BACKUP_LATE && last.made_at <= now;
                match next {
                    Some(_) if late => {
                        let hint = "расписание пропущено: посмотрите журнал";
                        Check::new(name, Level::Warning, text, hint)
                    }
                    None if late => {
                        let hint = "расписание выключено: backup.at";
                        Check::new(name, Level::Warning, text, hint)
                    }
                    _ => Check::ok(name, text),
                }
            }
            (_, _, Some(next)) => Check::ok(name, format!("копий ещё нет, первая {next}")),
            _ => {
                let hint = "сделайте копию или включите backup.at";
                Check::new(name, Level::Warning, "копий нет, расписание выключено", hint)
            }
        }
    }

    fn background(&self) -> Check {
        let panics = self.tasks.panics();
        let fresh: Vec<_> = panics.iter().filter(|(_, at, _)| at.elapsed() < PANICS_TOLD).collect();
        if fresh.is_empty() {
            return Check::ok("tasks", "без сбоев за последний час");
        }
        let names: Vec<_> =
            fresh.iter().map(|(name, _, times)| format!("{name}\u{a0}×\u{a0}{times}")).collect();
        let text = format!("сбои за последний час: {}; всё запущено снова", names.join(", "));
        Check::new("tasks", Level::Warning, text, "сообщите нам: причина в журнале программы")
    }
}

fn stored(conn: &rusqlite::Connection, now: Timestamp) -> Result<Stored, StorageError> {
    Ok(Stored {
        inbox: vitals::inbox(conn)?,
        outbox: vitals::outbox(conn, now)?,
        failed: vitals::failed_since(conn, now.minus(FAILURES_TOLD))?,
        latest: vitals::latest_moment(conn)?,
    })
}

fn outbox(stored: &Stored, now: Timestamp) -> Check {
    let Stored { inbox, outbox, failed, .. } = stored;
    let late = |queue: &Queue| queue.oldest.is_some_and(|oldest| now.since(oldest) > QUEUE_LATE);
    let text = format!(
        "ждут отправки {}, ждут разбора {}, не доставлено за сутки {failed}",
        outbox.waiting, inbox.waiting
    );
    if late(outbox) || late(inbox) {
        let hint = "очередь стоит: проверьте связь с Telegram";
        return Check::new("outbox", Level::Warning, text, hint);
    }
    if *failed > 0 {
        return Check::new("outbox", Level::Warning, text, "посмотрите раздел «Исходящие»");
    }
    Check::ok("outbox", text)
}

/// The clock: not behind the program's own birth, nor behind what the database has seen.
pub fn clock(zone: &Zone, now: Timestamp, latest: Option<Timestamp>) -> Check {
    // Nothing of ours is older than the program itself.
    const BORN_MS: i64 = 1_793_491_200_000; // 2026-11-01
    let said = |at: Timestamp| {
        let civil = zone.civil(at);
        let date = (civil.day(), civil.month(), civil.year());
        format!("{:02}.{:02}.{}, {}", date.0, date.1, date.2, zone.time(at))
    };
    let shown = said(now);
    let hint = "часы отстают: включите NTP (timedatectl set-ntp true)";
    if now.millis() < BORN_MS {
        return Check::new("clock", Level::Failed, shown, hint);
    }
    match latest {
        Some(latest) if latest.since(now) > CLOCK_BEHIND => {
            let text = format!("{shown}, а в базе есть записи {}", said(latest));
            Check::new("clock", Level::Warning, text, hint)
        }
        _ => Check::ok("clock", shown),
    }
}

/// Free room on the disk of the data folder.
pub fn disk(config: &Config) -> Check {
    let existing = config.data_dir.ancestors().find(|path| path.exists());
    match space(existing.unwrap_or(Path::new("."))) {
        Ok((free, total)) => {
            let text = format!("свободно {} из {}", bytes(free), bytes(total));
            if free < DISK_FULL {
                let hint = "места почти нет: освободите, иначе заявки не запишутся";
                return Check::new("disk", Level::Failed, text, hint);
            }
            if free < DISK_LOW || free < total / 10 {
                let hint = "меньше 500\u{a0}МБ или десятой части: освободите место";
                return Check::new("disk", Level::Warning, text, hint);
            }
            Check::ok("disk", text)
        }
        Err(error) => Check::new("disk", Level::Warning, format!("не узнать: {error}"), ""),
    }
}

/// Free and total bytes of the disk that the folder is on.
pub fn space(folder: &Path) -> io::Result<(u64, u64)> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok((stat.f_bavail.saturating_mul(stat.f_frsize), stat.f_blocks.saturating_mul(stat.f_frsize)))
}

fn version() -> Check {
    // Linux says so of a running program whose file is not there any more.
    let replaced = std::fs::read_link("/proc/self/exe")
        .is_ok_and(|path| path.to_string_lossy().ends_with(" (deleted)"));
    if replaced {
        let text = format!("{VERSION}; файл программы заменён, работает прежний");
        return Check::new("version", Level::Warning, text, "перезапустите программу");
    }
    Check::ok("version", VERSION)
}

/// The sizes of the database and of its log, in bytes.
pub fn database_bytes(db: &Db) -> (u64, u64) {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    let mut log = db.path().as_os_str().to_owned();
    log.push("-wal");
    (size(db.path()), size(Path::new(&log)))
}

fn database_size(db: &Db) -> String {
    let (size, log) = database_bytes(db);
    format!("{}, журнал записи {}", bytes(size), bytes(log))
}

/// «12 МБ».
pub fn bytes(count: u64) -> String {
    match count {
        0..1_000_000 => format!("{}\u{a0}КБ", count.div_ceil(1_000)),
        1_000_000..10_000_000_000 => format!("{}\u{a0}МБ", ru::thousands(count / 1_000_000)),
        _ => format!("{}\u{a0}ГБ", ru::thousands(count / 1_000_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_behind_what_was_seen_wants_attention() {
        let zone = Zone::utc();
        let now = Timestamp::from_millis(1_795_700_000_000);
        let level = |latest: Option<Timestamp>| clock(&zone, now, latest).state;
        assert_eq!(level(None), Level::Ok);
        assert_eq!(level(Some(now.plus(Duration::from_mins(9)))), Level::Ok);
        assert_eq!(level(Some(now.plus(Duration::from_mins(11)))), Level::Warning);
        assert_eq!(clock(&zone, Timestamp::from_millis(0), None).state, Level::Failed);
    }
}
