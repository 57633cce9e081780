//! `partner-m catalog import|export|stats`: the work and the words. Flags are read elsewhere.

pub mod command;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::domain::ru;
use crate::formats::{onec_json, tables};
use crate::services::catalog::{Catalog, CatalogError};
use crate::services::exchange::files::{CatalogFile, FileError};
use crate::services::exchange::{ApplyReport, Exchange, ExchangeError, Origin, Progress, Way};
use crate::storage::products::Stats;

/// What `catalog import` is told.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// The file: .csv, .xlsx, .json, CommerceML or an archive of it; what is inside decides.
    pub file: PathBuf,
    /// Do everything and take it back.
    pub dry_run: bool,
    /// Columns of a table: field and heading, or number from 1.
    pub map: Vec<(String, String)>,
    /// Hide what the file does not mention.
    pub full: bool,
}

/// Why nothing was imported or exported.
#[derive(Debug, thiserror::Error)]
pub enum CatalogCommandError {
    /// The file cannot be read; nothing was stored.
    #[error(transparent)]
    File(#[from] FileError),
    /// The exchange refused; nothing was stored.
    #[error(transparent)]
    Exchange(#[from] ExchangeError<FileError>),
    /// The catalogue cannot be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The export cannot be written.
    #[error("{}: {why}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
}

/// Reads one `--map FIELD=COLUMN`.
pub fn map_argument(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((field, column)) if !field.trim().is_empty() && !column.trim().is_empty() => {
            Ok((field.trim().to_owned(), column.trim().to_owned()))
        }
        _ => Err(format!("ожидается ПОЛЕ=СТОЛБЕЦ, например title=Наименование, а не «{text}»")),
    }
}

/// Imports a file. Records that were left out are in the report: then the exit code is 4.
pub async fn import(
    exchange: &Exchange,
    import: &Import,
    progress: Option<Progress>,
) -> Result<ApplyReport, CatalogCommandError> {
    let (path, map) = (import.file.clone(), import.map.clone());
    let opened = tokio::task::spawn_blocking(move || CatalogFile::open(&path, &map)).await;
    let mut file = opened.map_err(|error| FileError::Io {
        path: import.file.clone(),
        why: std::io::Error::other(error),
    })??;
    file.set_full(import.full);
    let name = import.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let origin = Origin {
        dry_run: import.dry_run,
        progress,
        undoable: true,
        address: name,
        ..Origin::new(Way::Import)
    };
    Ok(exchange.apply(file, origin).await?)
}

/// The report in words.
pub fn import_text(report: &ApplyReport, dry_run: bool) -> String {
    let count = |n: usize| ru::thousands(n as u64);
    let mut text = if dry_run {
        format!(
            "Проверка, ничего не записано. Создать {} · Изменить {} · Без изменений {} · Пропустить {}\n",
            count(report.created),
            count(report.changed),
            count(report.unchanged),
            count(report.skipped)
        )
    } else {
        format!(
            "Создано {} · Изменено {} · Без изменений {} · Пропущено {}\n",
            count(report.created),
            count(report.changed),
            count(report.unchanged),
            count(report.skipped)
        )
    };
    let mut line = |one: String| {
        text.push_str(&one);
        text.push('\n');
    };
    if report.hidden > 0 {
        line(format!("Скрыто как отсутствующие в файле: {}", count(report.hidden)));
    }
    if report.held > 0 {
        line(format!(
            "Скрытие {} ждёт решения в панели: это слишком большая часть каталога",
            ru::count(report.held as u64, ["товара", "товаров", "товаров"])
        ));
    }
    for warning in &report.warnings {
        line(format!("внимание: {warning}"));
    }
    for problem in report.problems.iter().take(20) {
        let name = if problem.sku.is_empty() { "без имени" } else { &problem.sku };
        let what = if report.tabular { "строка" } else { "запись" };
        line(format!("  {what} {} ({name}): {}", problem.index + 1, problem.reason));
    }
    if report.skipped > 20 {
        line(format!("  … и ещё {}", count(report.skipped - 20)));
    }
    text
}

/// The export's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `{"items":[…]}` of `POST` catalog.
    Json,
    /// A table for Excel.
    Csv,
}

impl Form {
    /// By the file's extension: `.csv` is a table, anything else JSON.
    pub fn of(path: Option<&Path>) -> Self {
        let csv = path.and_then(Path::extension).is_some_and(|e| e.eq_ignore_ascii_case("csv"));
        if csv { Self::Csv } else { Self::Json }
    }
}

/// The catalogue as bytes, ordered by key; importing them back changes nothing.
pub async fn export(catalog: &Catalog, form: Form) -> Result<Vec<u8>, CatalogCommandError> {
    let cards = catalog.export().await?;
    Ok(match form {
        Form::Json => {
            onec_json::write_catalog(&cards, &catalog.default_type_name().await?).into_bytes()
        }
        Form::Csv => tables::write_csv(&tables::catalog_rows(&cards)),
    })
}

/// Puts an export in its place: all of it or nothing.
pub fn write_export(path: &Path, bytes: &[u8]) -> Result<(), CatalogCommandError> {
    let refused = |why| CatalogCommandError::Write { path: path.to_owned(), why };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let beside = path.with_file_name(name);
    let mut file = std::fs::File::create(&beside).map_err(refused)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(refused)?;
    std::fs::rename(&beside, path).map_err(refused)
}

/// `catalog stats` in words.
pub fn stats_text(stats: &Stats) -> String {
    let rows = [
        ("Товаров", stats.products),
        ("  в продаже", stats.on_sale),
        ("    с остатком", stats.in_stock),
        ("    без цены", stats.without_price),
        ("    без категории", stats.without_category),
        ("  скрыто", stats.hidden),
        ("  снято с продажи", stats.withdrawn),
        ("Категорий", stats.categories),
        ("Видов цен", stats.price_types),
        ("Складов", stats.warehouses),
    ];
    let lines =
        rows.map(|(name, count)| format!("{name:<20}{:>12}\n", ru::thousands(u64::from(count))));
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_a_field_and_a_column() {
        assert_eq!(map_argument("title = Имя товара"), Ok(("title".into(), "Имя товара".into())));
        assert!(map_argument("title").is_err() && map_argument("=x").is_err());
    }

    #[test]
    fn the_extension_tells_the_form() {
        assert_eq!(Form::of(Some(Path::new("a.CSV"))), Form::Csv);
        assert_eq!(Form::of(Some(Path::new("a.json"))), Form::Json);
        assert_eq!(Form::of(None), Form::Json);
    }
}
