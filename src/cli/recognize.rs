//! `partner-m recognize`: order text to lines, creating nothing. The same code as the bot's.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use super::terminal::Terminal;
use super::{Exit, Failure, Global, Outcome, open_existing, runtime};
use crate::app::App;
use crate::config::{Config, io_reason};
use crate::domain::{Clock, OrganizationId};
use crate::formats::onec_json::CatalogJson;
use crate::recognition::{Buyer, Decision, Index, RemarkKind};
use crate::services::bench::answer::{Answer, Answers};
use crate::services::exchange::{Origin, Way};
use crate::storage::db::Create;
use crate::storage::{entries, organizations, words};

/// Flags of `recognize`.
#[derive(Debug, Args)]
pub struct RecognizeArgs {
    /// Файл с текстом заказа; «-» или ничего: стандартный ввод
    #[arg(value_name = "ФАЙЛ")]
    file: Option<PathBuf>,
    /// Читать по объекту {"id","text"} на строке и отвечать так же
    #[arg(long)]
    jsonl: bool,
    /// Каталог JSON вместо установленного
    #[arg(long, value_name = "ФАЙЛ")]
    catalog: Option<PathBuf>,
    /// Номер организации, от имени которой распознавать
    #[arg(long, value_name = "НОМЕР")]
    org: Option<i64>,
    /// Показать, почему решено так
    #[arg(long)]
    trace: bool,
}

/// The catalogue of a file in a temporary database, or the installed one.
pub fn open(
    global: &Global,
    catalog: Option<&Path>,
    organization: Option<i64>,
) -> Result<Answers, Failure> {
    if let Some(path) = catalog {
        if organization.is_some() {
            return Err(Failure::new(
                Exit::Usage,
                "--org и --catalog не сочетаются",
                "история клиента есть только в установленной базе: уберите --catalog",
            ));
        }
        return of_file(path);
    }
    let (app, _) = open_existing(global)?;
    let organization = organization.map(OrganizationId);
    let buyer = match organization {
        Some(id) => {
            let known = app.base.db.read_blocking(|conn| organizations::find(conn, id))?;
            if known.is_none() {
                return Err(Failure::new(
                    Exit::NotFound,
                    format!("нет организации № {id}"),
                    "номер виден в адресе её страницы в панели",
                ));
            }
            app.base.db.read_blocking(|conn| words::buyer(conn, id))?
        }
        None => Buyer::default(),
    };
    over(&app, buyer)
}

fn of_file(path: &Path) -> Result<Answers, Failure> {
    let unreadable = |why: String| {
        Failure::new(
            Exit::Failed,
            format!("каталог {} не читается: {why}", path.display()),
            "нужен JSON, какой 1С шлёт в POST catalog",
        )
    };
    let text = std::fs::read(path).map_err(|error| unreadable(io_reason(&error)))?;
    let text = String::from_utf8(text).map_err(|_| unreadable("не UTF-8".to_owned()))?;
    let dir = tempfile::tempdir().map_err(|error| unreadable(io_reason(&error)))?;
    let config = Config { data_dir: dir.path().to_owned(), ..Config::default() };
    let app = App::open(config, Clock::system(), Create::Yes)?;
    let text = Text(text.trim_start_matches('\u{feff}').to_owned());
    let applied = app.exchange.apply(CatalogJson(text), Origin::new(Way::Import));
    let report = runtime()?.block_on(applied).map_err(|error| unreadable(error.to_string()))?;
    for problem in report.problems.iter().take(5) {
        tracing::warn!("запись {} пропущена: {}", problem.index, problem.reason);
    }
    over(&app, Buyer::default())
}

fn over(app: &App, buyer: Buyer) -> Result<Answers, Failure> {
    Ok(app.base.db.read_blocking(|conn| {
        let index = Index::build(entries::load(conn)?, &words::synonyms(conn, None)?);
        Answers::new(conn, Arc::new(index), buyer)
    })?)
}

/// A body in memory.
struct Text(String);

impl crate::formats::onec_json::Reopen for Text {
    type Reader = std::io::Cursor<Vec<u8>>;

    fn reopen(&mut self) -> std::io::Result<Self::Reader> {
        Ok(std::io::Cursor::new(self.0.clone().into_bytes()))
    }
}

/// Does it.
pub fn run(global: &Global, args: &RecognizeArgs, terminal: &Terminal) -> Outcome {
    let input = input(args.file.as_deref())?;
    let answers = open(global, args.catalog.as_deref(), args.org)?;
    if args.jsonl {
        return jsonl(&answers, input, args.trace, terminal);
    }
    let mut text = String::new();
    let mut input = input;
    input.read_to_string(&mut text).map_err(|error| unreadable(&io_reason(&error)))?;
    let answer = answers.answer(&text, args.trace);
    terminal.data(&answer, || human(&answers, &answer));
    Ok(Exit::Done)
}

fn unreadable(why: &str) -> Failure {
    Failure::new(Exit::Failed, format!("текст не читается: {why}"), "нужен текст в UTF-8")
}

fn input(file: Option<&Path>) -> Result<Box<dyn BufRead>, Failure> {
    match file {
        Some(path) if path != Path::new("-") => {
            let file = std::fs::File::open(path).map_err(|error| {
                let exit = match error.kind() {
                    std::io::ErrorKind::NotFound => Exit::NotFound,
                    _ => Exit::Failed,
                };
                let message = format!("{}: {}", path.display(), io_reason(&error));
                Failure::new(exit, message, "проверьте имя файла")
            })?;
            Ok(Box::new(BufReader::new(file)))
        }
        _ => Ok(Box::new(BufReader::new(std::io::stdin()))),
    }
}

#[derive(serde::Deserialize)]
struct Request {
    id: serde_json::Value,
    text: String,
}

#[derive(Serialize)]
struct Response {
    id: serde_json::Value,
    #[serde(flatten)]
    answer: Answer,
}

fn jsonl(answers: &Answers, input: Box<dyn BufRead>, trace: bool, terminal: &Terminal) -> Outcome {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut exit = Exit::Done;
    for (index, line) in input.lines().enumerate() {
        let line = line.map_err(|error| unreadable(&io_reason(&error)))?;
        let line = line.trim_start_matches('\u{feff}');
        if line.trim().is_empty() {
            continue;
        }
        let request: Request = match serde_json::from_str(line) {
            Ok(request) => request,
            Err(error) => {
                terminal.say(&format!("строка {}: не {{\"id\",\"text\"}}: {error}", index + 1));
                exit = Exit::Partly;
                continue;
            }
        };
        let response = Response { id: request.id, answer: answers.answer(&request.text, trace) };
        let written = serde_json::to_writer(&mut out, &response).map_err(std::io::Error::from);
        if written.and_then(|()| out.write_all(b"\n")).is_err() {
            // Whoever read has had enough.
            return Ok(exit);
        }
    }
    let _ = out.flush();
    Ok(exit)
}

fn human(answers: &Answers, answer: &Answer) -> String {
    let mut text = String::new();
    for line in &answer.lines {
        let mark = match line.status {
            Decision::Matched => "✅",
            Decision::Ambiguous => "❓",
            Decision::Unmatched => "❌",
        };
        let title = line.title.as_deref().unwrap_or(match line.status {
            Decision::Ambiguous => "нужно уточнить",
            _ => "не нашёл",
        });
        let _ = write!(text, "{mark} {title}");
        if let Some(sku) = &line.sku {
            let _ = write!(text, " [{sku}]");
        }
        match (&line.qty, &line.unit) {
            (Some(qty), Some(unit)) => {
                let _ = write!(text, " — {qty}\u{a0}{unit}");
            }
            (Some(qty), None) => {
                let _ = write!(text, " — {qty}");
            }
            (None, _) => text.push_str(" — сколько?"),
        }
        let _ = writeln!(text, "\n   «{}»", line.raw.replace('\n', " "));
        if line.status != Decision::Matched {
            for key in line.candidates.iter().take(5) {
                let _ = writeln!(text, "   · {} [{key}]", answers.title_of_key(key));
            }
        }
        if let Some(trace) = &line.trace {
            let _ = writeln!(text, "   почему: {}", trace.why);
            let _ = writeln!(text, "   слова: {}", trace.normalized);
            if !trace.attributes.is_empty() {
                let _ = writeln!(text, "   признаки: {}", trace.attributes.join(", "));
            }
            for stage in &trace.stages {
                let _ = writeln!(
                    text,
                    "   {}: {} → {} ({} мкс)",
                    stage.name, stage.before, stage.after, stage.micros
                );
            }
        }
    }
    for remark in &answer.remarks {
        let kind = match remark.kind {
            RemarkKind::Question => "вопрос",
            RemarkKind::Delivery => "доставка",
            RemarkKind::Greeting => "приветствие",
            RemarkKind::Other => "прочее",
        };
        let _ = writeln!(text, "{kind}: «{}»", remark.text.replace('\n', " "));
    }
    text
}
