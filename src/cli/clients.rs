//! `partner-m clients`: organizations and their people from the command line.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::terminal::{Terminal, table};
use super::{Exit, Failure, Global, Outcome, open_existing, runtime};
use crate::app::App;
use crate::domain::ru;
use crate::formats::sheet;
use crate::services::clients_file::{ClientsFile, ClientsFileError, left_out};
use crate::services::directory::Directory;
use crate::services::exchange::partners::MembersReport;
use crate::storage::directory::{ClientFilter, ClientRow};

/// What to do with clients.
#[derive(Debug, Subcommand)]
pub enum ClientsCommand {
    /// Показать организации, последние заказавшие сверху
    #[command(before_help = "Примеры:
  partner-m clients list
  partner-m clients list --unverified
  partner-m clients list --find 6450 --json")]
    List(ListArgs),
    /// Загрузить организации и людей из .csv или .xlsx
    #[command(before_help = "Примеры:
  partner-m clients import клиенты.xlsx --dry-run
  partner-m clients import клиенты.csv
  partner-m clients export образец.csv    столбцы, которые понимает загрузка")]
    Import {
        /// Файл: столбцы Организация, ИНН, Код 1С, ФИО, Телефон, Роль
        #[arg(value_name = "ФАЙЛ")]
        file: PathBuf,
        /// Только показать, что изменится
        #[arg(long)]
        dry_run: bool,
    },
    /// Выгрузить организации и людей: .csv или .xlsx, без файла CSV на стандартный вывод
    #[command(before_help = "Примеры:
  partner-m clients export клиенты.csv
  partner-m clients export клиенты.xlsx
  partner-m clients export > клиенты.csv")]
    Export {
        /// Файл (по умолчанию стандартный вывод)
        #[arg(value_name = "ФАЙЛ")]
        file: Option<PathBuf>,
    },
}

/// Flags of `clients list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Название, ИНН, человек или телефон
    #[arg(long, value_name = "СЛОВА", default_value = "")]
    find: String,
    /// Только не подтверждённые
    #[arg(long)]
    unverified: bool,
    /// Сколько показать
    #[arg(long, value_name = "ЧИСЛО", default_value_t = 50)]
    limit: u32,
}

/// Does it.
pub fn run(global: &Global, command: ClientsCommand, terminal: &Terminal) -> Outcome {
    let (app, _) = open_existing(global)?;
    let runtime = runtime()?;
    let files = ClientsFile::new(app.base.clone(), app.exchange.clone());
    match command {
        ClientsCommand::List(args) => {
            let filter = ClientFilter {
                query: args.find,
                unverified: args.unverified,
                ..ClientFilter::default()
            };
            let directory = Directory::new(app.base.clone());
            let found = runtime.block_on(directory.clients(filter, 0, args.limit))?;
            let rows: Vec<_> = found
                .rows
                .iter()
                .map(|row| {
                    json!({
                        "id": row.id, "name": row.name, "inn": row.inn,
                        "external_id": row.external_id, "verified": row.verified,
                        "blocked": row.blocked, "people": row.people, "orders_90_days": row.orders,
                        "total_90_days": row.total.decimal(), "manager": row.manager_name,
                        "last_order_at": row.last_order_at.map(|at| app.base.zone.rfc3339(at)),
                    })
                })
                .collect();
            let data = json!({ "total": found.total, "clients": rows });
            terminal.data(&data, || list_text(&app, &found.rows, found.total));
            Ok(Exit::Done)
        }
        ClientsCommand::Import { file, dry_run } => {
            let bytes = std::fs::read(&file).map_err(|why| unreadable(&file, &why))?;
            let report = runtime.block_on(files.import(bytes, dry_run))?;
            let data = json!({
                "dry_run": dry_run, "organizations": report.orgs_upserted,
                "people_created": report.users_created, "members": report.members_upserted,
                "skipped": report.skipped.len(),
                "errors": report.skipped.iter().map(|record| json!({
                    "row": record.index, "reason": record.reason,
                })).collect::<Vec<_>>(),
            });
            terminal.data(&data, || import_text(&report, dry_run));
            Ok(if report.skipped.is_empty() { Exit::Done } else { Exit::Partly })
        }
        ClientsCommand::Export { file } => {
            let rows = runtime.block_on(files.export())?;
            let Some(file) = file else {
                terminal.data_text(&String::from_utf8_lossy(&sheet::csv(&rows)));
                return Ok(Exit::Done);
            };
            let book = file.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("xlsx"));
            let bytes = if book {
                sheet::xlsx(&rows).map_err(|error| {
                    Failure::new(Exit::Failed, error.to_string(), "сохраните список как .csv")
                })?
            } else {
                sheet::csv(&rows)
            };
            std::fs::write(&file, bytes).map_err(|why| {
                let message = format!("{}: {}", file.display(), crate::config::io_reason(&why));
                Failure::new(Exit::Failed, message, "выберите папку, в которую можно писать")
            })?;
            let data = json!({ "file": file.display().to_string(), "rows": rows.len() - 1 });
            terminal.data(&data, || format!("{}: строк {}\n", file.display(), rows.len() - 1));
            Ok(Exit::Done)
        }
    }
}

fn unreadable(file: &Path, why: &std::io::Error) -> Failure {
    let absent = why.kind() == std::io::ErrorKind::NotFound;
    let message = format!("{}: {}", file.display(), crate::config::io_reason(why));
    Failure::new(
        if absent { Exit::NotFound } else { Exit::Failed },
        message,
        "проверьте имя файла и права на него",
    )
}

impl From<ClientsFileError> for Failure {
    fn from(error: ClientsFileError) -> Self {
        let hint = "исправьте файл и повторите; ничего не записано";
        Self::new(Exit::Failed, error.to_string(), hint).because(error)
    }
}

fn list_text(app: &App, rows: &[ClientRow], total: u32) -> String {
    let now = app.base.clock.now();
    let head = [
        "ID",
        "Организация",
        "ИНН",
        "Люди",
        "Заказы за 90 дн",
        "На сумму",
        "Последний",
        "Состояние",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(|row| {
        let state = match (row.blocked, row.verified) {
            (true, _) => "закрыта",
            (false, true) => "подтверждена",
            (false, false) => "не подтверждена",
        };
        vec![
            row.id.to_string(),
            row.name.clone(),
            row.inn.clone().unwrap_or_default(),
            row.people.to_string(),
            row.orders.to_string(),
            row.total.to_string(),
            row.last_order_at.map(|at| app.base.zone.date(at, now)).unwrap_or_default(),
            state.to_owned(),
        ]
    }));
    let forms = ["организация", "организации", "организаций"];
    format!("{}{}\n", table(&lines), ru::count(u64::from(total), forms))
}

fn import_text(report: &MembersReport, dry_run: bool) -> String {
    let mut text = format!(
        "{}организаций {}, людей {}, из них новых {}, пропущено {}\n",
        if dry_run { "проверка, ничего не записано: " } else { "" },
        report.orgs_upserted,
        report.members_upserted,
        report.users_created,
        report.skipped.len()
    );
    for record in report.skipped.iter().take(20) {
        text.push_str(&left_out(record));
        text.push('\n');
    }
    text
}
