//! The journal as people look at it: pages of it, one exchange with its steps and files, and the
//! same files applied once more.

use std::path::{Path, PathBuf};

use super::files::{CatalogFile, FileError};
use super::partners::PartnerBodyError;
use super::{Exchange, ExchangeError, Origin, Way, blocking, raw};
use crate::formats::commerceml::{OrderDocument, read_documents};
use crate::formats::json::{Reader, Value};
use crate::formats::text::decode;
use crate::services::accounts::Actor;
use crate::storage::exchange_journal::{self, JournalFilter};
use crate::storage::exchange_log::{self, ExchangeRow, FileRow, ProblemRow, StepRow};
use crate::storage::{StorageError, audit};

/// What an exchange carried, in words, by the journal's code.
pub fn kind_label(kind: &str) -> &'static str {
    match kind {
        "catalog" => "Каталог",
        "purchases" => "История покупок",
        "members" => "Клиенты",
        "balances" => "Расчёты",
        "orders" => "Заказы",
        "statuses" => "Статусы заказов",
        _ => "Обмен",
    }
}

/// How it came, in words, by the journal's code.
pub fn way_label(way: &str) -> &'static str {
    match way {
        "json" => "JSON из 1С",
        "pull" => "Забор",
        "commerceml" => "Обмен с сайтом",
        _ => "Файл",
    }
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All of it was stored.
    Whole,
    /// Some records were left out.
    Partly,
    /// Nothing was stored.
    Failed,
}

impl Ending {
    /// Of this exchange.
    pub fn of(row: &ExchangeRow) -> Self {
        match (row.error.is_empty(), row.skipped) {
            (false, _) => Self::Failed,
            (true, 0) => Self::Whole,
            (true, _) => Self::Partly,
        }
    }

    /// The word for machines, as [`JournalFilter::outcome`] takes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "ok",
            Self::Partly => "partly",
            Self::Failed => "failed",
        }
    }

    /// In words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Whole => "норма",
            Self::Partly => "частично",
            Self::Failed => "сбой",
        }
    }
}

/// A page of the journal.
#[derive(Debug, Clone, Default)]
pub struct JournalPage {
    /// The exchanges, newest first.
    pub rows: Vec<ExchangeRow>,
    /// How many the filter lets through.
    pub total: u32,
}

/// A raw file of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawFile {
    /// As the sender called it.
    pub name: String,
    /// How big it was.
    pub bytes: u64,
    /// Where it is; `None` once it is gone: they are kept for a week.
    pub path: Option<PathBuf>,
}

/// One exchange with all that is known of it.
#[derive(Debug, Clone)]
pub struct Details {
    /// The exchange.
    pub row: ExchangeRow,
    /// What happened, in order.
    pub steps: Vec<StepRow>,
    /// Its raw files.
    pub files: Vec<RawFile>,
    /// What was left out: warnings of the whole first.
    pub problems: Vec<ProblemRow>,
    /// The other exchanges of the same session of 1C, in order.
    pub others: Vec<ExchangeRow>,
}

impl Details {
    /// Whether its files are still there and mean something to [`Exchange::replay`].
    pub fn can_replay(&self) -> bool {
        !self.files.is_empty()
            && self.files.iter().all(|file| file.path.is_some())
            && match self.row.kind.as_str() {
                "catalog" => true,
                "statuses" => self.row.way != "import",
                "orders" => false,
                _ => self.row.way == "json",
            }
    }
}

/// Why an exchange was not replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// There is no such exchange.
    #[error("обмена с таким номером нет")]
    NotFound,
    /// Its files are gone, or it never had any.
    #[error("исходных файлов этого обмена нет: они хранятся 7\u{a0}дней")]
    Gone,
    /// It is of a kind that is not applied a second time.
    #[error("обмен этого вида не повторяется: в нём нечего применить снова")]
    Kind,
    /// A file cannot be read; in words for the person.
    #[error("{0}")]
    Unreadable(String),
    /// Others are at it.
    #[error("идёт другой обмен, повторите через минуту")]
    Busy,
    /// The database refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<ExchangeError<FileError>> for ReplayError {
    fn from(error: ExchangeError<FileError>) -> Self {
        match error {
            ExchangeError::Source(error) => error.into(),
            ExchangeError::Busy => Self::Busy,
            ExchangeError::Storage(error) => Self::Storage(error),
        }
    }
}

impl From<ExchangeError<PartnerBodyError>> for ReplayError {
    fn from(error: ExchangeError<PartnerBodyError>) -> Self {
        match error {
            ExchangeError::Source(error) => Self::Unreadable(error.to_string()),
            ExchangeError::Busy => Self::Busy,
            ExchangeError::Storage(error) => Self::Storage(error),
        }
    }
}

impl From<FileError> for ReplayError {
    fn from(error: FileError) -> Self {
        match error {
            // A path says nothing to the person.
            FileError::Io { .. } => Self::Gone,
            other => Self::Unreadable(other.to_string()),
        }
    }
}

/// What became of a replay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replayed {
    /// The new exchanges in the journal, in order of the files.
    pub exchanges: Vec<i64>,
    /// Records in the files.
    pub received: usize,
    /// Records that made something.
    pub created: usize,
    /// Records that changed something.
    pub changed: usize,
    /// Records left out.
    pub skipped: usize,
}

impl Exchange {
    /// A page of the journal.
    pub async fn journal_page(
        &self,
        filter: JournalFilter,
        offset: u32,
        limit: u32,
    ) -> Result<JournalPage, StorageError> {
        self.base
            .db
            .read(move |conn| {
                let rows = exchange_journal::page(conn, &filter, offset, limit)?;
                Ok(JournalPage { rows, total: exchange_journal::count(conn, &filter)? })
            })
            .await
    }

    /// One exchange with all that is known of it, or `None`.
    pub async fn details(&self, id: i64) -> Result<Option<Details>, StorageError> {
        let folder = raw::folder(&self.base.config);
        self.base
            .db
            .read(move |conn| {
                let Some(row) = exchange_log::find(conn, id)? else { return Ok(None) };
                let files = exchange_log::files(conn, id)?;
                let mut others = Vec::new();
                if !row.session.is_empty() {
                    others = exchange_journal::of_session(conn, &row.session)?;
                    others.retain(|other| other.id != id);
                }
                Ok(Some(Details {
                    steps: exchange_log::steps(conn, id)?,
                    files: files.into_iter().map(|file| raw_file(&folder, file)).collect(),
                    problems: exchange_log::problems(conn, id)?,
                    others,
                    row,
                }))
            })
            .await
    }

    /// The latest exchange of a way, by the journal's code, whatever came of it.
    pub async fn last_of(&self, way: &'static str) -> Result<Option<ExchangeRow>, StorageError> {
        self.base.db.read(move |conn| exchange_journal::latest(conn, way, false)).await
    }

    /// Applies the files of an exchange once more, by the same code, as exchanges of their own.
    ///
    /// # Errors
    ///
    /// [`ReplayError`]; files before the one that failed are applied.
    pub async fn replay(&self, id: i64, by: Actor) -> Result<Replayed, ReplayError> {
        let session = self.details(id).await?.ok_or(ReplayError::NotFound)?;
        if session.files.is_empty() || session.files.iter().any(|file| file.path.is_none()) {
            return Err(ReplayError::Gone);
        }
        if !session.can_replay() {
            return Err(ReplayError::Kind);
        }
        let now = self.base.clock.now();
        let object = format!("exchange:{id}");
        self.base
            .db
            .write(move |tx| audit::record(tx, &by.entry("exchange.replay", &object, now)))
            .await?;
        let mut replayed = Replayed::default();
        for file in session.files {
            let Some(path) = file.path else { return Err(ReplayError::Gone) };
            let origin = Origin {
                request_id: format!("replay-{id}-{}", uuid::Uuid::new_v4().simple()),
                sender: format!("повтор обмена №\u{a0}{id}"),
                ..Origin::new(way(&session.row.way))
            };
            let request = origin.request_id.clone();
            self.replay_file(path, &session.row.kind, origin, &mut replayed).await?;
            let made = self.base.db.read(move |conn| exchange_log::of_request(conn, &request));
            replayed.exchanges.extend(made.await?);
        }
        Ok(replayed)
    }

    async fn replay_file(
        &self,
        path: PathBuf,
        kind: &str,
        origin: Origin,
        replayed: &mut Replayed,
    ) -> Result<(), ReplayError> {
        if kind == "catalog" {
            let file = blocking(move || CatalogFile::open(&path, &[])).await??;
            let report = self.apply(file, origin).await?;
            replayed.received += report.received;
            replayed.created += report.created;
            replayed.changed += report.changed;
            replayed.skipped += report.skipped;
            return Ok(());
        }
        if kind == "statuses" && origin.way == Way::CommerceMl {
            let documents = blocking(move || read_orders(&path)).await??;
            let report = self.order_documents(documents, origin).await?;
            replayed.received += report.received;
            replayed.changed += report.updated;
            replayed.skipped += report.skipped.len();
            return Ok(());
        }
        let body = blocking(move || read_json(&path)).await??;
        let (received, updated, skipped) = match kind {
            "purchases" => {
                let report = self.purchases(body, origin).await?;
                (report.received_items, report.updated_rows, report.skipped.len())
            }
            "members" => {
                let report = self.members(body, origin).await?;
                (report.members_received, report.members_upserted, report.skipped.len())
            }
            "balances" => {
                let report = self.balances(body, origin).await?;
                (report.received, report.updated, report.skipped.len())
            }
            "statuses" => {
                let report = self.statuses(body, origin).await?;
                (report.received, report.updated, report.skipped.len())
            }
            _ => return Err(ReplayError::Kind),
        };
        replayed.received += received;
        replayed.changed += updated;
        replayed.skipped += skipped;
        Ok(())
    }
}

fn raw_file(folder: &Path, file: FileRow) -> RawFile {
    // A name that leads elsewhere is nobody's file.
    let plain = Path::new(&file.stored).file_name().is_some_and(|name| name == &*file.stored);
    let path = folder.join(&file.stored);
    let path = (plain && path.is_file()).then_some(path);
    RawFile { name: file.name, bytes: file.bytes, path }
}

/// The way that a code of the journal means.
fn way(code: &str) -> Way {
    [Way::Json, Way::Pull, Way::CommerceMl]
        .into_iter()
        .find(|way| way.as_str() == code)
        .unwrap_or(Way::Import)
}

fn read_orders(path: &Path) -> Result<Vec<OrderDocument>, ReplayError> {
    let bytes = std::fs::read(path).map_err(|_| ReplayError::Gone)?;
    let text = decode(&bytes);
    read_documents(text.as_bytes()).map_err(|error| ReplayError::Unreadable(error.to_string()))
}

fn read_json(path: &Path) -> Result<Value, ReplayError> {
    let bytes = std::fs::read(path).map_err(|_| ReplayError::Gone)?;
    let text = decode(&bytes);
    let mut reader = Reader::new(text.as_bytes());
    let value = reader.tree().and_then(|value| reader.finish().map(|()| value));
    value.map_err(|error| ReplayError::Unreadable(error.to_string()))
}
