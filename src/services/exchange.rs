//! What comes from 1C and from files: a catalogue is applied in one transaction, whoever brought
//! it and however big it is. Equal rows are left alone, so a repeated push changes nothing.

mod apply;
pub mod calls;
mod difference;
pub mod explain;
pub mod files;
pub mod journal;
mod known;
pub mod mapping;
pub mod matching;
pub mod partners;
mod places;
pub mod queue;
pub mod raw;
mod sale;
pub mod spool;
pub mod staging;
pub mod standard;
mod state;
pub mod undo;
mod variants;

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{info, warn};

use super::Base;
use super::accounts::Actor;
use super::kept::Kept;
use super::live::Change;
use crate::domain::Timestamp;
use crate::domain::catalog::{
    CatalogBatch, CatalogSource, Field, ProductRecord, Record, SkippedRecord,
};
use crate::storage::exchange_log::{self, ExchangeRow, FileRow, HeldHiding, ProblemRow, StepRow};
use crate::storage::{Db, StorageError, audit, entries, imports, mentions, prices, products};
pub use difference::Difference;
use matching::{Digests, Mention};
pub use places::default_type;

/// Why an exchange came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError<E> {
    /// What came cannot be read; nothing is stored.
    #[error("{0}")]
    Source(E),
    /// Others are at it, and it took too long to wait for them.
    #[error("идёт другой обмен")]
    Busy,
    /// The database refused; nothing is stored.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// How it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// 1C pushed JSON.
    Json,
    /// We pulled JSON.
    Pull,
    /// The standard exchange.
    CommerceMl,
    /// A person brought a file.
    Import,
}

impl Way {
    /// The code in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Pull => "pull",
            Self::CommerceMl => "commerceml",
            Self::Import => "import",
        }
    }
}

/// How many records have been applied, for those who watch.
pub type Progress = Arc<AtomicUsize>;

/// Fields of known products that a batch does not touch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftAlone {
    /// Prices of every type.
    pub prices: bool,
    /// Stock.
    pub stocks: bool,
    /// Titles.
    pub titles: bool,
}

impl LeftAlone {
    /// No field: the batch is laid over the products whole.
    pub const NOTHING: Self = Self { prices: false, stocks: false, titles: false };

    /// What is left of a record for a product that is known.
    fn out_of(self, record: &ProductRecord) -> Cow<'_, ProductRecord> {
        if self == Self::NOTHING {
            return Cow::Borrowed(record);
        }
        let mut left = record.clone();
        if self.prices {
            left.price = Field::Keep;
            left.prices.clear();
            left.whole_types = Arc::default();
        }
        if self.stocks {
            (left.stock, left.stocks) = (Field::Keep, Field::Keep);
        }
        if self.titles {
            left.title = Field::Keep;
            left.name_hint.clear();
        }
        Cow::Owned(left)
    }
}

/// Who brings a batch, and what is to be done with it.
#[derive(Debug, Clone)]
pub struct Origin {
    /// How it came.
    pub way: Way,
    /// The request's id, for the journal; may be empty.
    pub request_id: String,
    /// Where it came from, for the journal; of a file that a person brought its name; may be empty.
    pub address: String,
    /// The program that came, by its `User-Agent`, for the journal; may be empty.
    pub sender: String,
    /// Joins the requests of one standard exchange; otherwise empty.
    pub session: String,
    /// Do it all and take it back: the report says what would happen.
    pub dry_run: bool,
    /// What it does not touch: a person's choice.
    pub left_alone: LeftAlone,
    /// A person may take it back for a day: what was before is noted.
    pub undoable: bool,
    /// A person has typed this number: so many products may be hidden, many as they are.
    pub hides: Option<usize>,
    /// Where to count.
    pub progress: Option<Progress>,
    /// What has happened in the session so far, for the journal.
    pub steps: Vec<StepRow>,
    /// Raw files, for the journal.
    pub files: Vec<FileRow>,
    /// When the session of the standard exchange began: what it mentions is remembered.
    pub began: Option<Timestamp>,
}

impl Origin {
    /// Of this way, with nothing more known.
    pub const fn new(way: Way) -> Self {
        Self {
            way,
            request_id: String::new(),
            address: String::new(),
            sender: String::new(),
            session: String::new(),
            dry_run: false,
            left_alone: LeftAlone::NOTHING,
            undoable: false,
            hides: None,
            progress: None,
            steps: Vec::new(),
            files: Vec::new(),
            began: None,
        }
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Default)]
pub struct ApplyReport {
    /// Records in it.
    pub received: usize,
    /// Records stored: created, changed or already the same.
    pub upserted: usize,
    /// Records that made a product.
    pub created: usize,
    /// Records that changed one.
    pub changed: usize,
    /// Records that found their product as they say.
    pub unchanged: usize,
    /// Records left out.
    pub skipped: usize,
    /// The first thousand of them, with the reason.
    pub problems: Vec<SkippedRecord>,
    /// What changes in the first of the changed products.
    pub differences: Vec<Difference>,
    /// What is wrong with the whole, in Russian.
    pub warnings: Vec<String>,
    /// Products hidden for not being mentioned.
    pub hidden: usize,
    /// Products whose hiding waits for a person.
    pub held: usize,
    /// Whether a record is a row of a table, by its number from 0.
    pub tabular: bool,
    /// Its number in the journal; 0 after a dry run.
    pub exchange: i64,
}

/// At most so many problems of one exchange are kept.
const PROBLEMS_KEPT: usize = 1_000;
/// Of so many changed products it is said what changes.
const DIFFERENCES_KEPT: usize = 50;
/// Records are kept between the two readings up to so many bytes; more are read again.
const KEPT_BYTES: usize = 96 * 1024 * 1024;
/// How long a batch waits for another one.
const PATIENCE: Duration = Duration::from_secs(25);

/// Exchange with 1C. Clones share it.
#[derive(Clone)]
pub struct Exchange {
    base: Base,
    turn: Arc<Semaphore>,
    /// Who may read the stored catalogue ahead of its turn: one, for it takes memory.
    ahead: Arc<Semaphore>,
    standard: Arc<standard::Standard>,
    doors: Arc<calls::Doors>,
    counted: Kept<mapping::Counted>,
}

/// How the transaction ends.
enum End<E> {
    Error(ExchangeError<E>),
    /// Everything went through and is to be taken back.
    DryRun(Box<ApplyReport>),
}

impl<E> From<StorageError> for End<E> {
    fn from(error: StorageError) -> Self {
        Self::Error(error.into())
    }
}

impl Exchange {
    /// On these foundations.
    pub fn new(base: Base) -> Self {
        Self {
            base,
            turn: Arc::new(Semaphore::new(1)),
            ahead: Arc::new(Semaphore::new(1)),
            standard: Arc::default(),
            doors: Arc::default(),
            counted: Kept::new(),
        }
    }

    async fn turn<E>(&self) -> Result<OwnedSemaphorePermit, ExchangeError<E>> {
        let turn = tokio::time::timeout(PATIENCE, self.turn.clone().acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or(ExchangeError::Busy)
    }

    /// Applies a catalogue: all of it, or nothing. Records that cannot be stored are left out and
    /// reported.
    ///
    /// The source is read before the transaction, to see that it can be read to its end and which
    /// products it means; one that is too big to be kept in memory is read again inside. So is what
    /// is stored, when something was written after it had been read beside the source.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Source`], [`ExchangeError::Busy`] after half a minute behind others,
    /// [`ExchangeError::Storage`].
    pub async fn apply<S>(
        &self,
        source: S,
        origin: Origin,
    ) -> Result<ApplyReport, ExchangeError<S::Error>>
    where
        S: CatalogSource + Send + 'static,
        S::Error: std::fmt::Display + Send + 'static,
    {
        let started = self.base.clock.now();
        let digests = Digests::default();
        // What is stored is read beside the source, not after it: the transaction is the shorter.
        let ahead = self.ahead.clone().try_acquire_owned();
        let (db, seed, free) = (self.base.db.clone(), digests.clone(), ahead.is_ok());
        let (scanned, stored) = tokio::join!(
            blocking(move || scan(source, digests)),
            blocking(move || if free { apply::Stored::read(&db, &seed).ok() } else { None }),
        );
        let batch = match scanned? {
            Ok(batch) => apply::Batch { stored: stored?, ..batch },
            Err(error) => {
                self.note_failure("catalog", &origin, started, &error.to_string()).await?;
                return Err(ExchangeError::Source(error));
            }
        };
        let turn = self.turn().await?;
        let base = self.base.clone();
        let kept = origin.clone();
        let written = self
            .base
            .db
            .write(move |tx| {
                let outcome = apply::apply(tx, batch, &base, &origin).map_err(End::Error)?;
                let apply::Outcome { mut report, held, changed, mentioned, ledger } = outcome;
                if origin.dry_run {
                    return Err(End::DryRun(Box::new(report)));
                }
                let now = base.clock.now();
                report.exchange =
                    note(tx, "catalog", &origin, started, now.since(started), &report)?;
                if let Some(ledger) = ledger {
                    imports::insert(tx, report.exchange, report.tabular)?;
                    ledger.write(tx, report.exchange)?;
                }
                if let Some(held) = held {
                    let total = small(held.of_total);
                    exchange_log::hold_hiding(tx, report.exchange, now, total, &held.products)?;
                }
                if origin.began.is_some() {
                    mentions::note(tx, report.exchange, now, mentioned)?;
                }
                if changed {
                    entries::touch(tx, now)?;
                }
                Ok((report, changed))
            })
            .await;
        drop((turn, ahead));
        let db = self.base.db.clone();
        if let Err(error) = blocking(move || db.release_memory()).await.flatten() {
            // What has been stored is stored all the same.
            warn!("память после обмена не возвращена: {error}");
        }
        match written {
            Ok((report, changed)) => {
                self.base.live.tell(Change::Exchange);
                if changed {
                    self.base.live.tell(Change::Catalog);
                }
                let ApplyReport { received, created, changed, skipped, hidden, held, .. } = report;
                info!(
                    exchange.id = report.exchange,
                    request.id = kept.request_id,
                    received,
                    created,
                    changed,
                    skipped,
                    hidden,
                    held,
                    "catalogue applied: {received} received"
                );
                Ok(report)
            }
            Err(End::DryRun(report)) => Ok(*report),
            Err(End::Error(error)) => {
                if !matches!(error, ExchangeError::Busy) {
                    // The journal is in the database that has just refused: trying is enough.
                    let noted =
                        self.note_failure("catalog", &kept, started, &error.to_string()).await;
                    if let Err(StorageError::Sqlite(second)) = noted {
                        warn!("и в журнал обменов не записать: {second}");
                    }
                }
                Err(busy_or(error))
            }
        }
    }

    /// Notes in the journal what could not be read at all.
    async fn note_failure(
        &self,
        kind: &'static str,
        origin: &Origin,
        started: Timestamp,
        error: &str,
    ) -> Result<(), StorageError> {
        if origin.dry_run {
            return Ok(());
        }
        let row = ExchangeRow {
            at: started,
            duration_ms: millis(self.base.clock.now().since(started)),
            way: origin.way.as_str().to_owned(),
            kind: kind.to_owned(),
            request_id: origin.request_id.clone(),
            address: origin.address.clone(),
            sender: origin.sender.clone(),
            session: origin.session.clone(),
            error: crate::domain::ru::ellipsis(error, 500),
            ..ExchangeRow::default()
        };
        let (steps, files) = (origin.steps.clone(), origin.files.clone());
        let write = move |tx: &rusqlite::Transaction<'_>| {
            let id = exchange_log::insert(tx, &row)?;
            note_course(tx, id, &steps, &files)
        };
        self.base.db.write(write).await?;
        self.base.live.tell(Change::Exchange);
        Ok(())
    }

    /// The hiding that waits for a person, if there is one.
    pub async fn held_hiding(&self) -> Result<Option<HeldHiding>, StorageError> {
        self.base.db.read(exchange_log::waiting_hiding).await
    }

    /// A person lets the hiding happen; how many products it hid, `None` when it no longer waits.
    pub async fn release_hiding(&self, id: i64, by: Actor) -> Result<Option<usize>, StorageError> {
        let now = self.base.clock.now();
        let hidden = self
            .base
            .db
            .write(move |tx| {
                let products = exchange_log::hiding_products(tx, id)?;
                let waiting = exchange_log::waiting_hiding(tx)?.filter(|held| held.id == id);
                let exchange = waiting.and_then(|held| held.exchange);
                if !exchange_log::close_hiding(tx, id, true)? {
                    return Ok(None);
                }
                // What follows from an import is taken back with it.
                let import = match exchange {
                    Some(exchange) => imports::find(tx, exchange)?,
                    None => None,
                };
                let mut hidden = 0;
                for product in products {
                    let before = match &import {
                        Some(_) => Some(state::State::load(tx, product)?),
                        None => None,
                    };
                    let done = products::withdraw_absent(tx, product, now)?;
                    hidden += usize::from(done);
                    if let (true, Some(import), Some(before)) = (done, &import, before) {
                        undo::note_later(tx, import.exchange, &before)?;
                    }
                }
                entries::touch(tx, now)?;
                let (object, after) = (format!("hiding:{id}"), hidden.to_string());
                let entry = by.entry("exchange.hide", &object, now);
                audit::record(tx, &audit::Entry { after: Some(&after), ..entry })?;
                Ok::<_, StorageError>(Some(hidden))
            })
            .await?;
        if hidden.is_some() {
            self.base.live.tell(Change::Catalog);
            self.base.live.tell(Change::Exchange);
        }
        Ok(hidden)
    }

    /// A person forbids the hiding; whether it still waited.
    pub async fn drop_hiding(&self, id: i64, by: Actor) -> Result<bool, StorageError> {
        let now = self.base.clock.now();
        let dropped = self
            .base
            .db
            .write(move |tx| {
                let dropped = exchange_log::close_hiding(tx, id, false)?;
                if dropped {
                    let object = format!("hiding:{id}");
                    audit::record(tx, &by.entry("exchange.keep", &object, now))?;
                }
                Ok::<_, StorageError>(dropped)
            })
            .await?;
        self.base.live.tell(Change::Exchange);
        Ok(dropped)
    }

    /// The latest exchanges, newest first.
    pub async fn journal(&self, limit: u32) -> Result<Vec<ExchangeRow>, StorageError> {
        self.base.db.read(move |conn| exchange_log::list(conn, limit)).await
    }

    /// What was left out of an exchange.
    pub async fn problems(&self, exchange: i64) -> Result<Vec<ProblemRow>, StorageError> {
        self.base.db.read(move |conn| exchange_log::problems(conn, exchange)).await
    }
}

/// Marks the price type of clients without one of their own: the one that the settings name, or what
/// stands in for it. The setting may have changed since the last exchange.
pub fn mark_default_type(db: &Db, setting: Option<&str>) -> Result<(), StorageError> {
    let default = |conn: &rusqlite::Connection| {
        let types = prices::types(conn)?;
        Ok::<_, StorageError>(default_type(&types, setting.unwrap_or("")))
    };
    let default = db.read_blocking(default)?;
    db.write_blocking(|tx| prices::set_default(tx, default).map(drop))
}

/// Reads a source once: that it can be read to its end, and which products it means.
fn scan<S: CatalogSource>(mut source: S, digests: Digests) -> Result<apply::Batch<S>, S::Error> {
    let mut mentions = Vec::new();
    let (mut records, mut weight) = (Some(Vec::new()), 0);
    let head = source.read(&mut |record| {
        let (mention, heavy) = match &record {
            Record::Product(product) => (Mention::of(product, &digests), product.weight()),
            Record::Skipped(skipped) => (Mention::of_skipped(skipped, &digests), 200),
        };
        mentions.push(mention);
        weight += heavy;
        if weight > KEPT_BYTES {
            records = None;
        } else if let Some(records) = &mut records {
            records.push(record);
        }
        ControlFlow::Continue(())
    })?;
    Ok(apply::Batch { source, records, head, mentions, digests, stored: None })
}

/// Applies a catalogue as a part of something larger, inside its transaction. The caller tells of
/// the change after the commit.
///
/// # Errors
///
/// Those of the database: a source in memory always reads.
pub(super) fn apply_within(
    tx: &rusqlite::Transaction<'_>,
    base: &Base,
    batch: CatalogBatch,
    origin: &Origin,
) -> Result<ApplyReport, StorageError> {
    let started = base.clock.now();
    let Ok(batch) = scan(batch, Digests::default());
    let outcome = apply::apply(tx, batch, base, origin);
    let mut report = match outcome {
        Ok(outcome) => outcome.report,
        Err(ExchangeError::Storage(error)) => return Err(error),
        Err(ExchangeError::Busy) => return Err(StorageError::Interrupted),
        Err(ExchangeError::Source(never)) => match never {},
    };
    report.exchange = note(tx, "catalog", origin, started, Duration::ZERO, &report)?;
    Ok(report)
}

fn note(
    tx: &rusqlite::Transaction<'_>,
    kind: &str,
    origin: &Origin,
    started: Timestamp,
    duration: Duration,
    report: &ApplyReport,
) -> Result<i64, StorageError> {
    let row = ExchangeRow {
        id: 0,
        at: started,
        duration_ms: millis(duration),
        way: origin.way.as_str().to_owned(),
        kind: kind.to_owned(),
        request_id: origin.request_id.clone(),
        address: origin.address.clone(),
        sender: origin.sender.clone(),
        session: origin.session.clone(),
        received: small(report.received),
        created: small(report.created),
        changed: small(report.changed),
        unchanged: small(report.unchanged),
        skipped: small(report.skipped),
        hidden: small(report.hidden),
        held: small(report.held),
        error: String::new(),
    };
    let id = exchange_log::insert(tx, &row)?;
    note_course(tx, id, &origin.steps, &origin.files)?;
    let problems = report.problems.iter().map(|skipped| ProblemRow {
        record: Some(small(skipped.index)),
        sku: skipped.sku.clone(),
        reason: skipped.reason.clone(),
    });
    let warnings = report.warnings.iter().map(|warning| ProblemRow {
        record: None,
        sku: String::new(),
        reason: warning.clone(),
    });
    for (position, problem) in warnings.take(PROBLEMS_KEPT).chain(problems).enumerate() {
        exchange_log::insert_problem(tx, id, small(position), &problem)?;
    }
    Ok(id)
}

fn note_course(
    tx: &rusqlite::Transaction<'_>,
    exchange: i64,
    steps: &[StepRow],
    files: &[FileRow],
) -> Result<(), StorageError> {
    for step in steps {
        exchange_log::add_step(tx, exchange, step)?;
    }
    for file in files {
        exchange_log::add_file(tx, exchange, file)?;
    }
    Ok(())
}

/// A database that another process holds is one that is busy.
fn busy_or<E>(error: ExchangeError<E>) -> ExchangeError<E> {
    match error {
        ExchangeError::Storage(StorageError::Sqlite(rusqlite::Error::SqliteFailure(e, _)))
            if matches!(
                e.code,
                rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked
            ) =>
        {
            ExchangeError::Busy
        }
        other => other,
    }
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Runs work that reads files or reckons long on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StorageError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => Ok(value),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(StorageError::Interrupted),
    }
}

fn count_one(progress: Option<&Progress>) {
    if let Some(progress) = progress {
        progress.fetch_add(1, Ordering::Relaxed);
    }
}
