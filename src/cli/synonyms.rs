//! `partner-m synonyms`: the words of clients and what they mean, as the panel keeps them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::terminal::{Terminal, table};
use super::{Exit, Failure, Global, Outcome, open_existing, runtime};
use crate::app::App;
use crate::config::io_reason;
use crate::services::bench::{Bench, BenchError};
use crate::storage::synonyms::{SynonymFilter, SynonymRow};

/// What to do with the synonyms.
#[derive(Debug, Subcommand)]
pub enum SynonymsCommand {
    /// Показать синонимы; последние сверху
    #[command(before_help = "Примеры:
  partner-m synonyms list
  partner-m synonyms list липучка
  partner-m synonyms list --json")]
    List {
        /// Показать только те, где есть этот текст
        #[arg(value_name = "ТЕКСТ")]
        query: Option<String>,
    },
    /// Загрузить синонимы из .csv со столбцами words и means (или article, client)
    #[command(before_help = "Примеры:
  partner-m synonyms import слова.csv
  partner-m synonyms import слова.csv --data /var/lib/partner-m
  cat слова.csv | partner-m synonyms import -")]
    Import {
        /// Файл; «-»: стандартный ввод
        #[arg(value_name = "ФАЙЛ")]
        file: PathBuf,
    },
    /// Выгрузить синонимы в .csv, без файла на стандартный вывод
    #[command(before_help = "Примеры:
  partner-m synonyms export слова.csv
  partner-m synonyms export > слова.csv
  partner-m synonyms export слова.csv --data /var/lib/partner-m")]
    Export {
        /// Файл (по умолчанию стандартный вывод)
        #[arg(value_name = "ФАЙЛ")]
        file: Option<PathBuf>,
    },
}

/// Does it.
pub(super) fn run(global: &Global, command: SynonymsCommand, terminal: &Terminal) -> Outcome {
    match command {
        SynonymsCommand::List { query } => list(global, query.unwrap_or_default(), terminal),
        SynonymsCommand::Import { file } => import(global, &file, terminal),
        SynonymsCommand::Export { file } => export(global, file, terminal),
    }
}

fn bench(app: &App) -> Bench {
    Bench::new(app.base.clone(), app.catalog.clone())
}

fn list(global: &Global, query: String, terminal: &Terminal) -> Outcome {
    let (app, _) = open_existing(global)?;
    let filter = SynonymFilter { query, ..SynonymFilter::default() };
    let found = runtime()?.block_on(bench(&app).synonyms(filter, 0, u32::MAX))?;
    let rows: Vec<_> = found.rows.iter().map(wire).collect();
    terminal.data(&json!({ "total": found.total, "synonyms": rows }), || {
        let head = ["слова", "значат", "для кого", "откуда", "работает"].map(str::to_owned);
        let mut lines = vec![head.to_vec()];
        lines.extend(found.rows.iter().map(line));
        if found.rows.is_empty() {
            "Синонимов нет.\n".to_owned()
        } else {
            table(&lines)
        }
    });
    Ok(Exit::Done)
}

fn wire(row: &SynonymRow) -> serde_json::Value {
    json!({
        "id": row.id,
        "words": row.words,
        "means": if row.product.is_some() { None } else { Some(&row.means) },
        "product": row.product.map(|_| &row.product_title),
        "organization_id": row.organization.map(|id| id.0),
        "origin": row.origin,
        "enabled": row.enabled,
    })
}

fn line(row: &SynonymRow) -> Vec<String> {
    let means = if row.product.is_some() { &row.product_title } else { &row.means };
    let whose =
        if row.organization.is_some() { row.organization_name.as_str() } else { "всем" };
    let origin = match row.origin.as_str() {
        "starter" => "начальный набор",
        "manual" => "вручную",
        "learnt" => "обучение",
        _ => "1С",
    };
    let enabled = if row.enabled { "да" } else { "нет" };
    vec![row.words.clone(), means.clone(), whose.into(), origin.into(), enabled.into()]
}

fn import(global: &Global, file: &Path, terminal: &Terminal) -> Outcome {
    let (app, _) = open_existing(global)?;
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    let bytes = bytes.map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("файл {} не читается: {}", file.display(), io_reason(&error)),
            "проверьте имя и права",
        )
    })?;
    let done = runtime()?.block_on(bench(&app).import_synonyms(bytes)).map_err(refused)?;
    let rows: Vec<_> = done
        .refused
        .iter()
        .map(|(line, reason)| json!({ "line": line, "reason": reason }))
        .collect();
    for (line, reason) in &done.refused {
        terminal.say(&format!("строка {line}: {reason}"));
    }
    let data = json!({ "added": done.added, "known": done.known, "refused": rows });
    terminal.data(&data, || {
        format!(
            "Добавлено: {}, были и раньше: {}, не приняты: {}\n",
            done.added,
            done.known,
            done.refused.len()
        )
    });
    Ok(if done.refused.is_empty() { Exit::Done } else { Exit::Partly })
}

fn export(global: &Global, file: Option<PathBuf>, terminal: &Terminal) -> Outcome {
    let (app, _) = open_existing(global)?;
    let bytes = runtime()?.block_on(bench(&app).export_synonyms(SynonymFilter::default()))?;
    match file {
        Some(path) => {
            std::fs::write(&path, &bytes).map_err(|error| {
                Failure::new(
                    Exit::Failed,
                    format!("файл {} не записан: {}", path.display(), io_reason(&error)),
                    "проверьте место и права",
                )
            })?;
            let data = json!({ "path": path, "bytes": bytes.len() });
            terminal.data(&data, || format!("{}\n", path.display()));
        }
        None => terminal.data_text(&String::from_utf8_lossy(&bytes)),
    }
    Ok(Exit::Done)
}

fn refused(error: BenchError) -> Failure {
    match error {
        BenchError::Invalid(why) => {
            Failure::new(Exit::Failed, why, "пример: partner-m synonyms export покажет вид файла")
        }
        BenchError::Storage(error) => error.into(),
        error @ BenchError::Catalog(_) => {
            Failure::new(Exit::Failed, error.to_string(), "проверьте базу: partner-m db check")
        }
    }
}
