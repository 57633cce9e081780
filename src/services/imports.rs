//! Catalogue files that people bring to the panel: kept while they look at what would happen,
//! then applied by the very same code, or forgotten.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;

use super::Base;
use super::accounts::Actor;
use super::exchange::files::{CatalogFile, FileError};
use super::exchange::{ApplyReport, Exchange, ExchangeError, LeftAlone, Origin, Way};
use super::journal::Journal;
use crate::formats::tables;

/// How long a file waits for a decision.
const KEPT: Duration = Duration::from_hours(24);

/// Files that people bring. Clones share them.
#[derive(Clone)]
pub struct Imports {
    base: Base,
    exchange: Exchange,
}

/// How a file is to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Columns by field and heading, or number from 1, where they are not found by themselves.
    pub map: Vec<(String, String)>,
    /// What of products that are known already stays as it is.
    pub left_alone: LeftAlone,
    /// Hide what the file does not mention: the person's explicit choice.
    pub full: bool,
}

/// Why a file came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is not there any more.
    #[error("файл уже удалён, выберите его снова")]
    Gone,
    /// It is no catalogue; in words for the person.
    #[error("{0}")]
    Unreadable(String),
    /// Others are at it.
    #[error("идёт другой обмен, повторите через минуту")]
    Busy,
    /// Our fault.
    #[error("{0}")]
    Internal(String),
}

impl From<ExchangeError<FileError>> for ImportError {
    fn from(error: ExchangeError<FileError>) -> Self {
        match error {
            ExchangeError::Source(error) => error.into(),
            ExchangeError::Busy => Self::Busy,
            ExchangeError::Storage(error) => Self::Internal(error.to_string()),
        }
    }
}

impl From<FileError> for ImportError {
    fn from(error: FileError) -> Self {
        match error {
            // A path says nothing to the person and is nobody's business.
            FileError::Io { why, .. } if why.kind() == io::ErrorKind::NotFound => Self::Gone,
            FileError::Io { why, .. } => Self::Internal(why.to_string()),
            other => Self::Unreadable(other.to_string()),
        }
    }
}

impl From<io::Error> for ImportError {
    fn from(error: io::Error) -> Self {
        Self::Internal(error.to_string())
    }
}

impl Imports {
    /// Over this base; files are applied by `exchange`.
    pub fn new(base: Base, exchange: Exchange) -> Self {
        Self { base, exchange }
    }

    fn path(&self, id: Uuid) -> PathBuf {
        self.base.config.data_dir.join("exchange").join(format!("import-{id}"))
    }

    /// Keeps a file; files that nobody decided about for a day are forgotten.
    pub async fn keep(&self, bytes: Vec<u8>) -> Result<Uuid, ImportError> {
        let id = Uuid::new_v4();
        let path = self.path(id);
        let work = move || {
            let folder = path.parent().map(PathBuf::from).unwrap_or_default();
            std::fs::create_dir_all(&folder)?;
            for entry in std::fs::read_dir(&folder)?.flatten() {
                let ours = entry.file_name().to_string_lossy().starts_with("import-");
                let age = entry.metadata().and_then(|m| m.modified()).ok();
                let old = age.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > KEPT);
                if ours && old {
                    let _ = std::fs::remove_file(entry.path());
                }
            }
            std::fs::write(path, bytes)
        };
        blocking(work).await??;
        Ok(id)
    }

    /// What would happen, found out by doing it all and taking it back.
    pub async fn check(&self, id: Uuid, reading: &Reading) -> Result<ApplyReport, ImportError> {
        let file = self.open(id, reading).await?;
        let origin = Origin { dry_run: true, ..origin(reading) };
        Ok(self.exchange.apply(file, origin).await?)
    }

    /// The first rows of a table, to see what is in its columns; none of a file that is no table.
    pub async fn sample(&self, id: Uuid, rows: usize) -> Result<Vec<Vec<String>>, ImportError> {
        let path = self.path(id);
        let read = move || {
            let bytes = std::fs::read(&path)?;
            let table = if bytes.starts_with(b"PK") {
                tables::read_xlsx(bytes)
            } else if matches!(
                bytes.iter().find(|b| !b.is_ascii_whitespace()),
                Some(b'{' | b'[' | b'<')
            ) {
                return Ok(Vec::new());
            } else {
                tables::read_csv(&bytes)
            };
            // What cannot be read as a table has been said by the check already.
            let mut table = table.unwrap_or_default();
            table.rows.truncate(rows);
            Ok::<_, io::Error>(table.rows)
        };
        Ok(blocking(read).await??)
    }

    /// Applies the file and forgets it.
    pub async fn load(
        &self,
        by: Actor,
        id: Uuid,
        reading: &Reading,
    ) -> Result<ApplyReport, ImportError> {
        let file = self.open(id, reading).await?;
        let report = self.exchange.apply(file, origin(reading)).await?;
        // The batch has its own transaction and journal; this says who brought it.
        let journal = Journal::new(self.base.clone());
        let object = format!("exchange:{}", report.exchange);
        let counts = format!(
            "создано {}, изменено {}, пропущено {}",
            report.created, report.changed, report.skipped
        );
        let noted = journal.note(&by, "catalog.import", &object, (None, Some(&counts))).await;
        noted.map_err(|error| ImportError::Internal(error.to_string()))?;
        let path = self.path(id);
        let _ = blocking(move || std::fs::remove_file(path)).await;
        Ok(report)
    }

    async fn open(&self, id: Uuid, reading: &Reading) -> Result<CatalogFile, ImportError> {
        let (path, map, full) = (self.path(id), reading.map.clone(), reading.full);
        let mut file = blocking(move || CatalogFile::open(&path, &map)).await??;
        file.set_full(full);
        Ok(file)
    }
}

fn origin(reading: &Reading) -> Origin {
    Origin { left_alone: reading.left_alone, ..Origin::new(Way::Import) }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ImportError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| ImportError::Internal("the work was cut short".to_owned()))
}
