//! `partner-m db`: the database file by hand.

use clap::Subcommand;
use serde_json::json;

use super::terminal::Terminal;
use super::{Exit, Global, Outcome, serve, settings};
use crate::app;
use crate::app::folder::DataLock;
use crate::services::health::bytes;
use crate::storage::db::Create;
use crate::storage::{Db, backup, migrations, upkeep};

/// What to do with the file.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum DbCommand {
    /// Проверить файл базы целиком: строение и связи
    #[command(before_help = "Примеры:
  partner-m db check
  partner-m db check --json
  partner-m db check --data /var/lib/partner-m")]
    Check,
    /// Обновить схему базы до той, что нужна этой программе
    #[command(before_help = "Примеры:
  partner-m db migrate
  partner-m db migrate --json
  partner-m db migrate --data /var/lib/partner-m")]
    Migrate,
    /// Сжать файл базы; программа при этом должна быть остановлена
    #[command(before_help = "Примеры:
  partner-m db vacuum
  partner-m db vacuum --json
  partner-m db vacuum --data /var/lib/partner-m")]
    Vacuum,
}

/// Does it.
pub fn run(global: &Global, command: DbCommand, terminal: &Terminal) -> Outcome {
    let config = settings(global, Vec::new())?.config;
    serve::own(&config.data_dir)?;
    let path = app::database(&config);
    let size = || std::fs::metadata(&path).map_or(0, |meta| meta.len());
    match command {
        DbCommand::Check => {
            let contents = backup::inspect(&path)?;
            let data = json!({
                "path": path, "bytes": size(), "schema": contents.schema,
                "orders": contents.orders, "products": contents.products,
                "people": contents.people,
            });
            terminal.data(&data, || {
                format!(
                    "{}: цела, {}, схема {}\nзаявок {}, товаров {}, людей {}\n",
                    path.display(),
                    bytes(size()),
                    contents.schema,
                    contents.orders,
                    contents.products,
                    contents.people
                )
            });
        }
        DbCommand::Migrate => {
            let before = Db::look(&path, migrations::current)?;
            let aside = serve::copy_before_migration(&config)?;
            drop(Db::open(&path, Create::No)?);
            let after = migrations::latest();
            let data = json!({ "before": before, "after": after, "copy": aside });
            terminal.data(&data, || {
                if before == after {
                    format!("схема {after}, обновлять нечего\n")
                } else {
                    format!("схема {before} → {after}\n")
                }
            });
        }
        DbCommand::Vacuum => {
            // `Absent` before the lock, so that looking makes no file.
            Db::look(&path, |_| Ok(()))?;
            let _lock = DataLock::take(&config.data_dir)?;
            let before = size();
            let db = Db::open(&path, Create::No)?;
            db.maintain(|conn| upkeep::vacuum(conn))?;
            drop(db);
            let data = json!({ "before_bytes": before, "after_bytes": size() });
            terminal.data(&data, || format!("было {}, стало {}\n", bytes(before), bytes(size())));
        }
    }
    Ok(Exit::Done)
}
