//! Catalogue files that people bring to the panel: kept while they look at what would happen,
//! then applied by the very same code, or forgotten.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;

use super::Base;
use super::accounts::Actor;
use super::exchange::files::{CatalogFile, FileError};
use super::exchange::staging::StagingError;
use super::exchange::{ApplyReport, Exchange, ExchangeError, LeftAlone, Origin, Way};
use super::journal::Journal;
use crate::domain::ru;
use crate::formats::tables::{MAX_ROWS, TableError};

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
    /// The number of products that the person has typed to have so many hidden.
    pub hides: Option<usize>,
    /// What the person calls the file.
    pub name: String,
}

/// What is in the columns of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// The row of headings and the first rows of goods; none of a file that is no table.
    pub rows: Vec<Vec<String>>,
    /// The field that each column was understood as, as the contract calls it.
    pub fields: Vec<Option<String>>,
}

/// Why a file came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is not there any more.
    #[error("Файл уже удалён: выберите его снова.")]
    Gone,
    /// It is no catalogue; in words for the person, with what to do.
    #[error("{0}")]
    Unreadable(String),
    /// Others are at it.
    #[error("Идёт другой обмен: повторите через минуту.")]
    Busy,
    /// Our fault.
    #[error("{0}")]
    Internal(String),
}

impl ImportError {
    fn of_exchange(error: ExchangeError<FileError>, name: &str) -> Self {
        match error {
            ExchangeError::Source(error) => Self::of_file(&error, name),
            ExchangeError::Busy => Self::Busy,
            ExchangeError::Storage(error) => Self::Internal(error.to_string()),
        }
    }

    fn of_file(error: &FileError, name: &str) -> Self {
        match error {
            // A path says nothing to the person and is nobody's business.
            FileError::Io { why, .. } if why.kind() == io::ErrorKind::NotFound => Self::Gone,
            FileError::Io { why, .. } => Self::Internal(why.to_string()),
            other => Self::Unreadable(advice(other, name)),
        }
    }
}

/// What is wrong with a file of this name, and what to do about it.
fn advice(error: &FileError, name: &str) -> String {
    let is_workbook = name.to_lowercase().ends_with(".xlsx");
    match error {
        FileError::Table(TableError::NoHeadings) => "Не нашёл строку заголовков: нужен столбец \
            «Название» или «Артикул». Добавьте её первой строкой или укажите столбцы вручную."
            .to_owned(),
        FileError::Table(TableError::NoColumn(column)) => {
            format!("В файле нет столбца «{column}». Укажите другой или оставьте поле пустым.")
        }
        FileError::Table(TableError::TooManyRows) => format!(
            "В файле больше {} строк. Разделите его на части.",
            ru::thousands(MAX_ROWS as u64)
        ),
        // What is no zip is read as CSV, and its first byte that is no text is named.
        FileError::Table(TableError::Cell { .. }) | FileError::Archive(StagingError::Zip(_))
            if is_workbook =>
        {
            "Файл .xlsx повреждён или защищён паролем: откройте его в Excel и сохраните заново, \
             без пароля."
                .to_owned()
        }
        FileError::Table(TableError::Workbook(_)) => {
            "Файл .xlsx повреждён: откройте его в Excel и сохраните заново.".to_owned()
        }
        FileError::Table(TableError::Cell { why, .. }) if why.contains("байт") => {
            "Это не таблица: сохраните каталог как .xlsx или .csv и выберите его снова.".to_owned()
        }
        FileError::Table(error @ TableError::Cell { .. }) => {
            format!("{}. Исправьте её и выберите файл снова.", ru::capitalized(&error.to_string()))
        }
        FileError::Archive(StagingError::Zip(_)) => {
            "Архив не читается: соберите его заново и выберите снова.".to_owned()
        }
        FileError::NoColumns => "Столбцы указывают только для .csv и .xlsx: оставьте эти поля \
            пустыми."
            .to_owned(),
        other => {
            let what = ru::capitalized(&other.to_string());
            format!("{what}. Исправьте файл и выберите его снова.")
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
        if bytes.trim_ascii().is_empty() {
            let advice = "Файл пуст. Проверьте, тот ли это файл: в первой строке должны быть \
                названия столбцов, ниже — товары.";
            return Err(ImportError::Unreadable(advice.to_owned()));
        }
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
        let applied = self.exchange.apply(file, origin).await;
        applied.map_err(|error| ImportError::of_exchange(error, &reading.name))
    }

    /// The columns of a table with its first rows.
    pub async fn sample(
        &self,
        id: Uuid,
        reading: &Reading,
        rows: usize,
    ) -> Result<Sample, ImportError> {
        Ok(match self.open(id, reading).await? {
            CatalogFile::Table(table) => {
                Sample { rows: table.sample(rows), fields: table.fields() }
            }
            _ => Sample::default(),
        })
    }

    /// Applies the file and forgets it.
    pub async fn load(
        &self,
        by: Actor,
        id: Uuid,
        reading: &Reading,
    ) -> Result<ApplyReport, ImportError> {
        let file = self.open(id, reading).await?;
        let report = self.exchange.apply(file, origin(reading)).await;
        let report = report.map_err(|error| ImportError::of_exchange(error, &reading.name))?;
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
        let file = blocking(move || CatalogFile::open(&path, &map)).await?;
        let mut file = file.map_err(|error| ImportError::of_file(&error, &reading.name))?;
        file.set_full(full);
        Ok(file)
    }
}

fn origin(reading: &Reading) -> Origin {
    Origin {
        left_alone: reading.left_alone,
        undoable: true,
        hides: reading.hides,
        address: reading.name.clone(),
        ..Origin::new(Way::Import)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ImportError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| ImportError::Internal("the work was cut short".to_owned()))
}
