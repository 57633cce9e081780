//! The flags of `partner-m catalog`, its progress and its exit codes.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{CatalogCommandError, Form, Import};
use crate::app::{App, folder};
use crate::cli::terminal::Terminal;
use crate::cli::{Exit, Failure, Global, Outcome, open_existing, runtime, serve, settings};
use crate::domain::{Clock, ru};
use crate::services::exchange::files::FileError;
use crate::services::exchange::{ApplyReport, ExchangeError, Progress};
use crate::storage::db::Create;

/// What to do with the catalogue.
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Загрузить каталог из .csv, .xlsx, .json или CommerceML (.xml, .zip)
    #[command(before_help = "Примеры:
  partner-m catalog import прайс.xlsx --dry-run
  partner-m catalog import прайс.csv --map title=Наименование --map price='Цена опт'
  partner-m catalog import catalog.json")]
    Import(ImportArgs),
    /// Выгрузить каталог: .csv или .json, без файла JSON на стандартный вывод
    #[command(before_help = "Примеры:
  partner-m catalog export каталог.csv
  partner-m catalog export каталог.json
  partner-m catalog export > каталог.json")]
    Export {
        /// Файл (по умолчанию стандартный вывод)
        #[arg(value_name = "ФАЙЛ")]
        file: Option<PathBuf>,
    },
    /// Показать, сколько в каталоге чего
    #[command(before_help = "Примеры:
  partner-m catalog stats
  partner-m catalog stats --json
  partner-m catalog stats --data /var/lib/partner-m")]
    Stats,
}

/// Flags of `catalog import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Файл каталога
    #[arg(value_name = "ФАЙЛ")]
    file: PathBuf,
    /// Только показать, что изменится
    #[arg(long)]
    dry_run: bool,
    /// Столбец таблицы для поля: title=Наименование
    #[arg(long, value_name = "ПОЛЕ=СТОЛБЕЦ", value_parser = super::map_argument)]
    map: Vec<(String, String)>,
    /// Скрыть товары, которых в файле нет
    #[arg(long)]
    full: bool,
}

/// Does it.
pub(in crate::cli) fn run(
    global: &Global,
    command: CatalogCommand,
    terminal: &Terminal,
) -> Outcome {
    match command {
        CatalogCommand::Import(args) => import(global, args, terminal),
        CatalogCommand::Export { file } => {
            let (app, _) = open_existing(global)?;
            let form = Form::of(file.as_deref());
            let bytes = runtime()?.block_on(super::export(&app.catalog, form))?;
            match file {
                Some(path) => {
                    super::write_export(&path, &bytes)?;
                    let data = json!({ "path": path, "bytes": bytes.len() });
                    terminal.data(&data, || format!("{}\n", path.display()));
                }
                None => terminal.data_text(&String::from_utf8_lossy(&bytes)),
            }
            Ok(Exit::Done)
        }
        CatalogCommand::Stats => {
            let (app, _) = open_existing(global)?;
            let stats =
                runtime()?.block_on(app.catalog.stats()).map_err(CatalogCommandError::from)?;
            let data = json!({
                "products": stats.products, "on_sale": stats.on_sale, "hidden": stats.hidden,
                "withdrawn": stats.withdrawn, "without_price": stats.without_price,
                "in_stock": stats.in_stock, "without_category": stats.without_category,
                "categories": stats.categories, "price_types": stats.price_types,
                "warehouses": stats.warehouses,
            });
            terminal.data(&data, || super::stats_text(&stats));
            Ok(Exit::Done)
        }
    }
}

fn import(global: &Global, args: ImportArgs, terminal: &Terminal) -> Outcome {
    let config = settings(global, Vec::new())?.config;
    // A file that is not there must not leave an empty database behind.
    if let Err(why) = std::fs::metadata(&args.file) {
        return Err(CatalogCommandError::File(FileError::Io { path: args.file, why }).into());
    }
    let data = config.data_dir.clone();
    folder::prepare(&data)?;
    serve::own(&data)?;
    let app = App::open(config, Clock::system(), Create::Yes)
        .map_err(|error| serve::in_folder(error, &data))?;
    let import = Import { file: args.file, dry_run: args.dry_run, map: args.map, full: args.full };
    let (report, interrupted) = runtime()?.block_on(watched(&app, &import, terminal))?;
    let data = json!({
        "dry_run": import.dry_run, "received": report.received, "upserted": report.upserted,
        "created": report.created, "changed": report.changed, "unchanged": report.unchanged,
        "skipped": report.skipped, "hidden": report.hidden, "held": report.held,
        "warnings": report.warnings,
        "errors": report.problems.iter().map(|problem| json!({
            "index": problem.index, "sku": problem.sku, "reason": problem.reason,
        })).collect::<Vec<_>>(),
    });
    terminal.data(&data, || super::import_text(&report, import.dry_run));
    Ok(match (interrupted, report.skipped) {
        (true, _) => Exit::Interrupted,
        (false, 0) => Exit::Done,
        (false, _) => Exit::Partly,
    })
}

/// Imports with its progress shown; whether it was interrupted. The transaction in hand is
/// finished all the same, unless asked twice.
async fn watched(
    app: &App,
    import: &Import,
    terminal: &Terminal,
) -> Result<(ApplyReport, bool), Failure> {
    let progress = Progress::default();
    let work = super::import(&app.exchange, import, Some(progress.clone()));
    tokio::pin!(work);
    let started = Instant::now();
    let mut tick = tokio::time::interval(terminal.progress_every());
    let mut interrupted = false;
    loop {
        tokio::select! {
            done = &mut work => {
                terminal.progress_done();
                return Ok((done?, interrupted));
            }
            _ = tick.tick() => {
                let (count, took) = (progress.load(Ordering::Relaxed), started.elapsed());
                if took > Duration::from_millis(500) && count > 0 {
                    let pace = count as u128 * 1_000 / took.as_millis().max(1);
                    let pace = ru::thousands(u64::try_from(pace).unwrap_or(u64::MAX));
                    let count = ru::thousands(count as u64);
                    terminal.progress(&format!("Импорт  {count}  {pace}/с"));
                }
            }
            _ = tokio::signal::ctrl_c() => {
                if interrupted {
                    return Err(Failure::new(Exit::Interrupted, "прервано", "ничего не записано"));
                }
                interrupted = true;
                terminal.say("заканчиваю начатое; ещё раз Ctrl+C — бросить");
            }
        }
    }
}

impl From<CatalogCommandError> for Failure {
    fn from(error: CatalogCommandError) -> Self {
        let absent = |why: &std::io::Error| why.kind() == std::io::ErrorKind::NotFound;
        let file = |path: &Path, why: &std::io::Error| {
            format!("{}: {}", path.display(), crate::config::io_reason(why))
        };
        let (exit, message, hint) = match &error {
            CatalogCommandError::File(FileError::Io { path, why })
            | CatalogCommandError::Exchange(ExchangeError::Source(FileError::Io { path, why }))
                if absent(why) =>
            {
                (Exit::NotFound, file(path, why), "проверьте имя файла")
            }
            CatalogCommandError::File(_)
            | CatalogCommandError::Exchange(ExchangeError::Source(_)) => {
                (Exit::Failed, error.to_string(), "исправьте файл и повторите; ничего не записано")
            }
            CatalogCommandError::Exchange(ExchangeError::Busy) => {
                (Exit::Failed, error.to_string(), "повторите, когда он закончится")
            }
            CatalogCommandError::Write { path, why } => {
                (Exit::Failed, file(path, why), "выберите папку, в которую можно писать")
            }
            CatalogCommandError::Exchange(ExchangeError::Storage(_))
            | CatalogCommandError::Catalog(_) => {
                (Exit::Failed, error.to_string(), "проверьте базу: partner-m check")
            }
        };
        Self::new(exit, message, hint).because(error)
    }
}
