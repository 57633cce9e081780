//! `partner-m backup` and `partner-m restore`: copies of the database and the way back.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::terminal::{Terminal, table};
use super::{Exit, Failure, Global, Outcome, open_existing, runtime, serve, settings};
use crate::app::folder::{self, DataLock};
use crate::config::io_reason;
use crate::domain::{Clock, Zone, time};
use crate::services::backup::{self, BackupError, Backups, Reason};
use crate::services::health::bytes;
use crate::storage::StorageError;
use crate::storage::backup::Contents;

/// Flags of `backup`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BackupArgs {
    /// Куда положить копию: папка или файл (по умолчанию backups в папке данных)
    #[arg(long, value_name = "ПУТЬ")]
    to: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<BackupCommand>,
}

/// What to do with copies.
#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Показать копии, новые сверху
    #[command(before_help = "Примеры:
  partner-m backup list
  partner-m backup list --json
  partner-m backup list --data /var/lib/partner-m")]
    List,
    /// Прочитать копию до конца и сказать, что в ней
    #[command(before_help = "Примеры:
  partner-m backup verify
  partner-m backup verify partner-m-20261126T020000Z-auto.db
  partner-m backup verify --json")]
    Verify {
        /// Файл копии (по умолчанию самая новая)
        #[arg(value_name = "ФАЙЛ")]
        file: Option<PathBuf>,
    },
}

/// Flags of `restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Файл копии
    #[arg(value_name = "ФАЙЛ")]
    file: PathBuf,
}

#[derive(Serialize)]
struct Row {
    path: PathBuf,
    bytes: u64,
    made_at: String,
    reason: &'static str,
}

/// Makes, lists or verifies.
pub fn run(global: &Global, args: BackupArgs, terminal: &Terminal) -> Outcome {
    let (app, _) = open_existing(global)?;
    let backups = Backups::new(app.base.clone());
    let runtime = runtime()?;
    match args.command {
        None => {
            let (file, contents) = runtime.block_on(backups.make(Reason::Manual, args.to))?;
            let data = json!({ "path": file.path, "bytes": file.size, "orders": contents.orders });
            // The path alone: a script takes it as it is.
            terminal.data(&data, || format!("{}\n", file.path.display()));
            terminal.say(&format!("копия проверена: {}", describe(contents, file.size)));
        }
        Some(BackupCommand::List) => {
            let now = app.base.clock.now();
            let files = runtime.block_on(backups.list())?;
            let rows: Vec<_> = files
                .iter()
                .map(|file| Row {
                    path: file.path.clone(),
                    bytes: file.size,
                    made_at: app.base.zone.rfc3339(file.made_at),
                    reason: file.reason.as_str(),
                })
                .collect();
            terminal.data(&rows, || {
                if files.is_empty() {
                    let own = backup::folder(&app.base.config);
                    return format!("копий в {} нет; сделать: partner-m backup\n", own.display());
                }
                let lines = files.iter().map(|file| {
                    vec![
                        file.path.display().to_string(),
                        bytes(file.size),
                        app.base.zone.date_time(file.made_at, now),
                        time::ago(now.since(file.made_at)),
                        file.reason.label().to_owned(),
                    ]
                });
                table(&lines.collect::<Vec<_>>())
            });
        }
        Some(BackupCommand::Verify { file }) => {
            let (path, contents) = runtime.block_on(backups.verify(file))?;
            let size = std::fs::metadata(&path).map_or(0, |meta| meta.len());
            let data = json!({
                "path": path, "bytes": size, "orders": contents.orders,
                "products": contents.products, "people": contents.people,
                "last_number": contents.last_number.0, "schema": contents.schema,
            });
            terminal.data(&data, || {
                format!("{}: цела, {}\n", path.display(), describe(contents, size))
            });
        }
    }
    Ok(Exit::Done)
}

fn describe(contents: Contents, size: u64) -> String {
    format!(
        "{}, заявок {}, товаров {}, людей {}",
        bytes(size),
        contents.orders,
        contents.products,
        contents.people
    )
}

/// Puts a copy in the place of the database.
pub fn restore(global: &Global, args: &RestoreArgs, terminal: &Terminal) -> Outcome {
    let loaded = settings(global, Vec::new())?;
    let data = loaded.config.data_dir;
    // Before anything is made in a folder that may have been mistyped.
    if args.file.is_dir() {
        return Err(BackupError::Folder(args.file.clone()).into());
    }
    if !args.file.exists() {
        return Err(of_copy(StorageError::Absent(args.file.clone()), &args.file));
    }
    serve::own(&data)?;
    let contents =
        crate::storage::backup::inspect(&args.file).map_err(|e| of_copy(e, &args.file))?;
    folder::prepare(&data)?;
    let _lock = DataLock::take(&data)?;
    let size = std::fs::metadata(&args.file).map_or(0, |meta| meta.len());
    terminal.confirm(
        &format!(
            "База в {} будет заменена копией {} ({}). Прежняя останется рядом, в aside.",
            data.display(),
            args.file.display(),
            describe(contents, size)
        ),
        "восстановить",
    )?;
    let now = Clock::system().now();
    let restored = backup::restore(&data, &args.file, now)?;
    for warning in &restored.warnings {
        terminal.say(&format!("внимание: {warning}"));
    }
    let report = json!({
        "data_dir": data, "aside": restored.aside, "last_number": restored.last_number.0,
        "orders": restored.contents.orders, "warnings": restored.warnings,
        "restored_at": Zone::utc().rfc3339(now),
    });
    terminal.data(&report, || {
        let mut text = format!("восстановлено: {}\n", describe(restored.contents, size));
        if let Some(aside) = &restored.aside {
            let _ = writeln!(text, "прежняя база: {}", aside.display());
        }
        let _ = writeln!(
            text,
            "номера заявок продолжатся после № {}; сообщения, которые ждали отправки, отложены",
            restored.last_number
        );
        text
    });
    Ok(Exit::Done)
}

/// A refusal that is about the copy, not about the database in use.
fn of_copy(error: StorageError, file: &Path) -> Failure {
    let shown = file.display();
    let (exit, message, hint) = match &error {
        StorageError::Absent(_) => {
            (Exit::NotFound, format!("нет файла {shown}"), "посмотрите partner-m backup list")
        }
        StorageError::Foreign => (
            Exit::Failed,
            format!("{shown}: это база другой программы, а не копия Партнёр-М"),
            "посмотрите partner-m backup list",
        ),
        StorageError::Newer { .. } => (
            Exit::Failed,
            format!("{shown}: {error}"),
            "поставьте программу не старее той, что сделала копию",
        ),
        StorageError::Damaged(_) => (
            Exit::Failed,
            format!("копия {shown} повреждена: {error}"),
            "возьмите другую: partner-m backup list",
        ),
        _ => (Exit::Failed, format!("{shown}: {error}"), "проверьте файл: partner-m backup verify"),
    };
    Failure::new(exit, message, hint).because(error)
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Storage(error) => error.into(),
            BackupError::Io { ref path, ref source } => {
                let message = format!("{}: {}", path.display(), io_reason(source));
                let hint = "нужна папка с правом записи и местом: --to ПУТЬ или backup.dir";
                Self::new(Exit::Failed, message, hint).because(error)
            }
            BackupError::Exists(ref path) => {
                let message = format!("файл {} уже есть", path.display());
                Self::new(Exit::Failed, message, "назовите другой: --to ПУТЬ").because(error)
            }
            BackupError::Folder(_) => Self::new(
                Exit::Failed,
                error.to_string(),
                "назовите файл из неё: partner-m backup list",
            ),
            BackupError::Running => {
                Self::new(Exit::Failed, error.to_string(), "подождите, пока закончится первая")
            }
        }
    }
}
