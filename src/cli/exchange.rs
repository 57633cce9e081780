//! `partner-m exchange`: the panel's «Обмен с 1С» from the command line, by the same services.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::terminal::{Terminal, table};
use super::{Exit, Failure, Global, Outcome, open_existing, runtime, settings};
use crate::app::App;
use crate::domain::{Timestamp, ru};
use crate::services::accounts::Actor;
use crate::services::exchange::ExchangeError;
use crate::services::exchange::explain::{ExplainError, Explanation, explain};
use crate::services::exchange::files::FileError;
use crate::services::exchange::journal::{Details, Ending, ReplayError, kind_label, way_label};
use crate::services::pull::{PullError, Pulled};
use crate::services::standing::{Standing, State};
use crate::storage::exchange_journal::JournalFilter;
use crate::storage::exchange_log::ExchangeRow;

/// Problems named one by one.
const NAMED: usize = 20;

/// What to do with the exchange.
#[derive(Debug, Subcommand)]
pub enum ExchangeCommand {
    /// Показать, как идёт обмен: последний, следующий, очередь заказов
    #[command(before_help = "Примеры:
  partner-m exchange status
  partner-m exchange status --json
  partner-m exchange status --data /var/lib/partner-m")]
    Status,
    /// Забрать каталог из 1С сейчас
    #[command(before_help = "Примеры:
  partner-m exchange pull
  partner-m exchange pull --json
  partner-m exchange pull -v")]
    Pull,
    /// Показать журнал обменов или один обмен с его замечаниями
    #[command(before_help = "Примеры:
  partner-m exchange log
  partner-m exchange log --outcome failed --limit 100
  partner-m exchange log 42")]
    Log {
        /// Номер обмена (без него весь журнал)
        #[arg(value_name = "НОМЕР")]
        id: Option<i64>,
        /// Сколько последних показать (по умолчанию 20)
        #[arg(long, value_name = "ЧИСЛО", default_value = "20")]
        limit: u32,
        /// Только с таким итогом: ok, partly, failed
        #[arg(long, value_name = "ИТОГ", value_parser = ["ok", "partly", "failed"])]
        outcome: Option<String>,
        /// Только такие: catalog, orders, statuses, purchases, members, balances
        #[arg(long, value_name = "ЧТО", value_parser = ["catalog", "orders", "statuses", "purchases", "members", "balances"])]
        kind: Option<String>,
    },
    /// Применить файлы обмена ещё раз, пока они хранятся
    #[command(before_help = "Примеры:
  partner-m exchange replay 42
  partner-m exchange replay 42 --json
  partner-m exchange log --outcome failed    найти номер")]
    Replay {
        /// Номер обмена
        #[arg(value_name = "НОМЕР")]
        id: i64,
    },
    /// Объяснить файл: что это, сколько чего и что не так; ничего не сохраняется, база не нужна
    #[command(before_help = "Примеры:
  partner-m exchange validate import.xml
  partner-m exchange validate catalog.json
  partner-m exchange validate прайс.xlsx --json")]
    Validate {
        /// Файл: JSON, CommerceML (.xml или .zip), .csv или .xlsx
        #[arg(value_name = "ФАЙЛ")]
        file: PathBuf,
    },
}

/// Does it.
pub fn run(global: &Global, command: ExchangeCommand, terminal: &Terminal) -> Outcome {
    match command {
        ExchangeCommand::Status => status(global, terminal),
        ExchangeCommand::Pull => pull(global, terminal),
        ExchangeCommand::Log { id: Some(id), .. } => show(global, id, terminal),
        ExchangeCommand::Log { id: None, limit, outcome, kind } => {
            let filter = JournalFilter {
                outcome: outcome.unwrap_or_default(),
                kind: kind.unwrap_or_default(),
                ..JournalFilter::default()
            };
            log(global, filter, limit, terminal)
        }
        ExchangeCommand::Replay { id } => replay(global, id, terminal),
        ExchangeCommand::Validate { file } => validate(global, file, terminal),
    }
}

fn status(global: &Global, terminal: &Terminal) -> Outcome {
    let (app, _) = open_existing(global)?;
    let standing = runtime()?.block_on(Standing::look(&app.base, None))?;
    let (base, now) = (&app.base, app.base.clock.now());
    let time = |at: Timestamp| base.zone.rfc3339(at);
    let data = json!({
        "state": standing.state.as_str(),
        "sentence": standing.sentence(&base.zone, now),
        "last": standing.last.as_ref().map(|row| brief(&app, row)),
        "last_good_at": standing.last_good.as_ref().map(|row| time(row.at)),
        "next_at": standing.next_at.map(time),
        "ways": {
            "pull": standing.ways.pull, "standard": standing.ways.standard,
            "push": standing.ways.push, "open": standing.ways.open,
        },
        "queue": { "orders": standing.queued, "waiting": standing.waiting },
        "held_hiding": standing.held.as_ref().map(|held| json!({
            "id": held.id, "products": held.products, "of_total": held.of_total,
        })),
    });
    terminal.data(&data, || {
        let on = |on: bool| if on { "включён" } else { "выключен" }.to_owned();
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        let onec = &base.config.onec;
        let token = onec.webhook_token.as_ref();
        let mut rows = vec![
            row("обмен с сайтом", on(standing.ways.standard)),
            row(
                "JSON из 1С",
                token.map_or("токен не задан".to_owned(), |t| {
                    format!("токен {}", t.masked())
                }),
            ),
            row("забор каталога", on(standing.ways.pull)),
            row("ждут 1С", ru::count(u64::from(standing.queued), ["заказ", "заказа", "заказов"])),
        ];
        if standing.waiting > 0 {
            rows.push(row("  не готовы", standing.waiting.to_string()));
        }
        if let Some(held) = &standing.held {
            let count = ru::count(u64::from(held.products), ["товара", "товаров", "товаров"]);
            rows.push(row("ждёт решения", format!("скрытие {count}, в панели")));
        }
        let mut text = format!("{}\n\n{}", standing.sentence(&base.zone, now), table(&rows));
        if standing.ways.open {
            text.push_str("\nвнимание: onec.open принимает JSON-вызовы от кого угодно\n");
        }
        text
    });
    Ok(if standing.state == State::Fails { Exit::Failed } else { Exit::Done })
}

fn pull(global: &Global, terminal: &Terminal) -> Outcome {
    let (app, _) = open_existing(global)?;
    let refused = |error: PullError| -> Failure { error.into() };
    let pull = app.pull.clone().ok_or(PullError::NotConfigured).map_err(refused)?;
    terminal.say("забираю каталог из 1С…");
    let pulled = runtime()?.block_on(pull.pull_by_hand(Actor::cli())).map_err(refused)?;
    let Pulled::Applied(report) = pulled else {
        terminal.data(&json!({ "changed": false }), || "В 1С ничего не изменилось\n".to_owned());
        return Ok(Exit::Done);
    };
    let data = json!({
        "changed": report.created + report.changed + report.hidden > 0,
        "exchange": report.exchange, "received": report.received, "created": report.created,
        "updated": report.changed, "unchanged": report.unchanged, "skipped": report.skipped,
        "hidden": report.hidden, "held": report.held, "warnings": report.warnings,
    });
    terminal.data(&data, || super::catalog::import_text(&report, false));
    Ok(if report.skipped > 0 { Exit::Partly } else { Exit::Done })
}

/// An exchange for machines.
fn brief(app: &App, row: &ExchangeRow) -> Value {
    json!({
        "id": row.id, "at": app.base.zone.rfc3339(row.at), "duration_ms": row.duration_ms,
        "direction": if row.kind == "orders" { "out" } else { "in" },
        "kind": row.kind, "way": row.way, "outcome": Ending::of(row).as_str(),
        "address": row.address, "sender": row.sender, "request_id": row.request_id,
        "received": row.received, "created": row.created, "changed": row.changed,
        "unchanged": row.unchanged, "skipped": row.skipped, "hidden": row.hidden,
        "held": row.held, "error": row.error,
    })
}

fn log(global: &Global, filter: JournalFilter, limit: u32, terminal: &Terminal) -> Outcome {
    let (app, _) = open_existing(global)?;
    let page = runtime()?.block_on(app.exchange.journal_page(filter, 0, limit))?;
    let data: Vec<_> = page.rows.iter().map(|row| brief(&app, row)).collect();
    terminal.data(&data, || {
        if page.rows.is_empty() {
            return "Обменов нет\n".to_owned();
        }
        let heads = ["№", "время", "что", "как", "создано", "изменено", "пропущено", "итог"];
        let mut rows = vec![heads.map(str::to_owned).to_vec()];
        let now = app.base.clock.now();
        rows.extend(page.rows.iter().map(|row| {
            let count = |count: u32| ru::thousands(u64::from(count));
            let ending = Ending::of(row).label();
            let ending = if row.error.is_empty() {
                ending.to_owned()
            } else {
                format!("{ending}: {}", ru::ellipsis(&row.error, 60))
            };
            vec![
                row.id.to_string(),
                app.base.zone.date_time(row.at, now),
                kind_label(&row.kind).to_owned(),
                way_label(&row.way).to_owned(),
                count(row.created),
                count(row.changed),
                count(row.skipped),
                ending,
            ]
        }));
        table(&rows)
    });
    Ok(Exit::Done)
}

fn absent(id: i64) -> Failure {
    Failure::new(
        Exit::NotFound,
        format!("обмена №\u{a0}{id} нет"),
        "номера показывает partner-m exchange log",
    )
}

fn show(global: &Global, id: i64, terminal: &Terminal) -> Outcome {
    let (app, _) = open_existing(global)?;
    let session = runtime()?.block_on(app.exchange.details(id))?.ok_or_else(|| absent(id))?;
    let mut data = brief(&app, &session.row);
    data["steps"] = session
        .steps
        .iter()
        .map(|step| json!({ "at": app.base.zone.rfc3339(step.at), "step": step.step }))
        .collect();
    data["problems"] = session
        .problems
        .iter()
        .map(|p| json!({ "record": p.record, "sku": p.sku, "reason": p.reason }))
        .collect();
    data["files"] = session
        .files
        .iter()
        .map(|f| json!({ "name": f.name, "bytes": f.bytes, "kept": f.path.is_some() }))
        .collect();
    data["can_replay"] = session.can_replay().into();
    terminal.data(&data, || details(&app, &session));
    Ok(Exit::Done)
}

fn details(app: &App, session: &Details) -> String {
    let (row, now) = (&session.row, app.base.clock.now());
    let count = |count: u32| ru::thousands(u64::from(count));
    let mut text = format!(
        "Обмен №\u{a0}{}: {}, {}, {}, {}\n",
        row.id,
        kind_label(&row.kind).to_lowercase(),
        way_label(&row.way),
        app.base.zone.date_time(row.at, now),
        Ending::of(row).label()
    );
    let _ = writeln!(
        text,
        "Создано {} · Изменено {} · Без изменений {} · Пропущено {}",
        count(row.created),
        count(row.changed),
        count(row.unchanged),
        count(row.skipped)
    );
    if !row.error.is_empty() {
        let _ = writeln!(text, "ошибка: {}", row.error);
    }
    for step in &session.steps {
        let _ = writeln!(text, "  {}  {}", app.base.zone.time(step.at), step.step);
    }
    for problem in session.problems.iter().take(NAMED) {
        let _ = match problem.record {
            None => writeln!(text, "внимание: {}", problem.reason),
            Some(record) => {
                let name = if problem.sku.is_empty() { "без имени" } else { &problem.sku };
                writeln!(text, "  запись {} ({name}): {}", record + 1, problem.reason)
            }
        };
    }
    if session.problems.len() > NAMED {
        let _ = writeln!(text, "  … и ещё {}", session.problems.len() - NAMED);
    }
    for file in &session.files {
        let kept = if file.path.is_some() { "" } else { ", удалён" };
        let _ = writeln!(
            text,
            "файл: {} ({}{kept})",
            file.name,
            crate::services::health::bytes(file.bytes)
        );
    }
    text
}

fn replay(global: &Global, id: i64, terminal: &Terminal) -> Outcome {
    let (app, _) = open_existing(global)?;
    let replayed = runtime()?.block_on(app.exchange.replay(id, Actor::cli()));
    let replayed = replayed.map_err(|error| match error {
        ReplayError::NotFound => absent(id),
        ReplayError::Gone => {
            Failure::new(Exit::NotFound, error.to_string(), "запустите обмен в 1С заново")
        }
        ReplayError::Storage(error) => error.into(),
        ReplayError::Busy => Failure::new(Exit::Failed, error.to_string(), ""),
        error => Failure::new(Exit::Failed, error.to_string(), "запустите обмен в 1С заново"),
    })?;
    let data = json!({
        "exchanges": replayed.exchanges, "received": replayed.received,
        "created": replayed.created, "changed": replayed.changed, "skipped": replayed.skipped,
    });
    terminal.data(&data, || {
        let numbers: Vec<_> = replayed.exchanges.iter().map(ToString::to_string).collect();
        format!(
            "Повторён обмен №\u{a0}{id}: создано {}, изменено {}, пропущено {}. В журнале №\u{a0}{}\n",
            replayed.created,
            replayed.changed,
            replayed.skipped,
            numbers.join(", ")
        )
    });
    Ok(if replayed.skipped > 0 { Exit::Partly } else { Exit::Done })
}

fn validate(global: &Global, file: PathBuf, terminal: &Terminal) -> Outcome {
    let config = settings(global, Vec::new())?.config;
    let said = runtime()?.block_on(explain(file, &config))?;
    let counts: serde_json::Map<_, _> =
        said.counts.iter().map(|(key, _, count)| ((*key).to_owned(), json!(count))).collect();
    let data = json!({
        "kind": said.kind.as_str(), "version": said.version, "encoding": said.encoding,
        "counts": counts, "warnings": said.warnings, "skipped": said.skipped,
        "problems": said.problems.iter().map(|problem| json!({
            "index": problem.index, "sku": problem.sku, "reason": problem.reason,
        })).collect::<Vec<_>>(),
    });
    terminal.data(&data, || explanation(&said));
    Ok(if said.skipped > 0 { Exit::Partly } else { Exit::Done })
}

fn explanation(said: &Explanation) -> String {
    let version =
        if said.version.is_empty() { String::new() } else { format!(" {}", said.version) };
    let mut text = format!("{}{version}, {}\n", said.kind.label(), said.encoding);
    let counts: Vec<_> = said
        .counts
        .iter()
        .filter(|(.., count)| *count > 0)
        .map(|(_, word, count)| vec![(*word).to_owned(), ru::thousands(*count as u64)])
        .collect();
    text.push_str(&table(&counts));
    for warning in &said.warnings {
        let _ = writeln!(text, "внимание: {warning}");
    }
    if said.skipped == 0 {
        text.push_str("Замечаний к записям нет\n");
        return text;
    }
    let _ = writeln!(text, "Будет пропущено: {}", ru::thousands(said.skipped as u64));
    for problem in said.problems.iter().take(NAMED) {
        let name = if problem.sku.is_empty() { "без имени" } else { &problem.sku };
        let _ = writeln!(text, "  запись {} ({name}): {}", problem.index + 1, problem.reason);
    }
    if said.skipped > NAMED {
        let _ = writeln!(text, "  … и ещё {}", ru::thousands((said.skipped - NAMED) as u64));
    }
    text
}

impl From<PullError> for Failure {
    fn from(error: PullError) -> Self {
        let (exit, hint) = match &error {
            PullError::NotConfigured => {
                (Exit::Settings, "укажите onec.pull.base_url, логин и пароль")
            }
            PullError::Running => (Exit::Failed, "дождитесь его конца: partner-m exchange status"),
            PullError::Remote(_) => (Exit::Remote, "проверьте адрес и публикацию сервиса в 1С"),
            PullError::Apply(ExchangeError::Busy) => (Exit::Failed, "повторите через минуту"),
            PullError::Apply(_) => (Exit::Failed, "исправьте выгрузку в 1С; ничего не записано"),
            PullError::Storage(_) => (Exit::Failed, "проверьте базу: partner-m check"),
        };
        Self::new(exit, error.to_string(), hint).because(error)
    }
}

impl From<ExplainError> for Failure {
    fn from(error: ExplainError) -> Self {
        let (exit, message, hint) = match &error {
            ExplainError::File(FileError::Io { path, why }) => {
                let absent = why.kind() == std::io::ErrorKind::NotFound;
                let exit = if absent { Exit::NotFound } else { Exit::Failed };
                let reason = crate::config::io_reason(why);
                (exit, format!("{}: {reason}", path.display()), "проверьте имя файла")
            }
            ExplainError::File(_) => (
                Exit::Failed,
                format!("файл обмена не читается: {error}"),
                "исправьте файл и повторите",
            ),
            ExplainError::Storage(_) | ExplainError::Busy => {
                (Exit::Failed, error.to_string(), "проверьте место во временной папке (TMPDIR)")
            }
        };
        Self::new(exit, message, hint).because(error)
    }
}
