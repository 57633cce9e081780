//! `partner-m eval`: labelled messages against what the program understands, as one number.
//!
//! A line is right when its product and quantity are right, when the right thing is asked, or when
//! what the catalogue lacks is left alone. The number is the F-measure over lines; beside it stand
//! the lines that would go out wrong.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;

use super::terminal::{Terminal, table};
use super::{Exit, Failure, Global, Outcome, recognize};
use crate::config::io_reason;
use crate::services::bench::score::{Case, Fault, Report, Tally};

/// Flags of `eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Размеченные сообщения, по объекту JSON на строке
    #[arg(value_name = "ФАЙЛ", required = true)]
    files: Vec<PathBuf>,
    /// Каталог JSON вместо установленного
    #[arg(long, value_name = "ФАЙЛ")]
    catalog: Option<PathBuf>,
    /// Прежний результат (вывод eval --json), с которым сравнить
    #[arg(long, value_name = "ФАЙЛ")]
    baseline: Option<PathBuf>,
    /// Закончить с кодом 1, если F меньше этого числа
    #[arg(long, value_name = "ЧИСЛО")]
    fail_under: Option<f64>,
}

/// Does it.
pub fn run(global: &Global, args: &EvalArgs, terminal: &Terminal) -> Outcome {
    let mut cases = Vec::new();
    for file in &args.files {
        cases.extend(read_cases(file)?);
    }
    let baseline = args.baseline.as_deref().map(read_baseline).transpose()?;
    let answers = recognize::open(global, args.catalog.as_deref(), None)?;
    let mut tally = Tally::default();
    for case in &cases {
        tally.add(case, &answers.answer(&case.text, false));
    }
    let report = tally.report(cases.len());
    terminal.data(&report, || human(&report, baseline.as_ref()));
    let enough = args.fail_under.is_none_or(|least| report.order_line_f >= least);
    Ok(if enough { Exit::Done } else { Exit::Failed })
}

fn read_cases(file: &Path) -> Result<Vec<Case>, Failure> {
    let text = read(file)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|error| {
                Failure::new(
                    Exit::Failed,
                    format!("{}, строка {}: {error}", file.display(), index + 1),
                    "нужны объекты {\"id\",\"text\",\"lines\":[{\"raw\",\"sku\",\"qty\",\"unit\"}]}",
                )
            })
        })
        .collect()
}

fn read_baseline(file: &Path) -> Result<Report, Failure> {
    #[derive(Deserialize)]
    struct Document {
        data: Report,
    }
    let document: Document = serde_json::from_str(&read(file)?).map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("{}: это не вывод eval --json: {error}", file.display()),
            "сохраните его так: partner-m eval … --json > прежний.json",
        )
    })?;
    Ok(document.data)
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        let exit = match error.kind() {
            std::io::ErrorKind::NotFound => Exit::NotFound,
            _ => Exit::Failed,
        };
        Failure::new(
            exit,
            format!("{}: {}", file.display(), io_reason(&error)),
            "проверьте имя файла",
        )
    })
}

fn human(report: &Report, baseline: Option<&Report>) -> String {
    let share = |value: f64| format!("{value:.3}").replace('.', ",");
    let row = |name: &str, now: f64, before: Option<f64>| {
        let mut cells = vec![name.to_owned(), share(now)];
        if let Some(before) = before {
            let sign = if now >= before { "+" } else { "−" };
            cells.push(format!("было {}, {sign}{}", share(before), share((now - before).abs())));
        }
        cells
    };
    let mut text = format!(
        "сообщений {}, строк в разметке {}, распознано {}\n\n",
        report.messages, report.lines, report.predicted
    );
    text.push_str(&table(&[
        row("F по строкам", report.order_line_f, baseline.map(|b| b.order_line_f)),
        row("точность", report.precision, baseline.map(|b| b.precision)),
        row("полнота", report.recall, baseline.map(|b| b.recall)),
        row(
            "уверенно неверно, доля строк",
            report.confident_wrong_of_lines,
            baseline.map(|b| b.confident_wrong_of_lines),
        ),
    ]));
    if let Some(baseline) = baseline {
        let fresh = |fault: &&Fault| !baseline.faults.contains(fault);
        let fresh: Vec<_> = report.faults.iter().filter(fresh).collect();
        let _ = writeln!(text, "\nновых ошибок {}", fresh.len());
        list(&mut text, fresh.into_iter());
    } else {
        let _ = writeln!(text, "\nошибок {}", report.faults.len());
        list(&mut text, report.faults.iter());
    }
    text
}

fn list<'a>(text: &mut String, faults: impl Iterator<Item = &'a Fault>) {
    for fault in faults.take(30) {
        let _ = writeln!(
            text,
            "  {} {}: «{}»",
            fault.id,
            fault.what,
            crate::domain::ru::ellipsis(&fault.raw.replace('\n', " "), 70)
        );
    }
}
