//! `partner-m import-legacy`: what the former program's dump holds becomes ours.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;
use flate2::bufread::MultiGzDecoder;

use super::terminal::{Terminal, table};
use super::{Exit, Failure, Global, Outcome, serve, settings};
use crate::app::folder::{self, DataLock};
use crate::app::{self, App};
use crate::config::{Config, io_reason};
use crate::domain::{Clock, Phone};
use crate::formats::pg_dump::DumpError;
use crate::services::legacy::{self, Dump, LegacyError, Options, Report, StaffRole, Tally};
use crate::storage::db::Create;
use crate::storage::{Db, backup};

/// Flags of `import-legacy`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Дамп прежней программы: обычный `pg_dump`, можно сжатый gzip
    #[arg(value_name = "ДАМП.sql")]
    file: PathBuf,
    /// Показать, что получится, ничего не меняя
    #[arg(long)]
    dry_run: bool,
    /// Сохранить роль сотрудника с этим телефоном; можно повторять
    #[arg(long, value_name = "ТЕЛЕФОН")]
    staff: Vec<Phone>,
    /// Ждущие заявки с этой даты оставить в работе (ГГГГ-ММ-ДД)
    #[arg(long, value_name = "ДАТА", value_parser = date)]
    open_since: Option<jiff::civil::Date>,
}

fn date(text: &str) -> Result<jiff::civil::Date, String> {
    let date = text.parse().or_else(|_| jiff::civil::Date::strptime("%d.%m.%Y", text));
    date.map_err(|_| format!("«{text}» не дата; нужна, например, 2026-11-01"))
}

/// Moves the dump in.
pub fn run(global: &Global, args: &ImportArgs, terminal: &Terminal) -> Outcome {
    let config = settings(global, Vec::new())?.config;
    serve::own(&config.data_dir)?;
    let options = Options { staff: args.staff.clone(), open_since: args.open_since };
    let report = if args.dry_run {
        let dump = read(&args.file)?;
        rehearse(config, &dump, &options)?
    } else {
        folder::prepare(&config.data_dir)?;
        let _lock = DataLock::take(&config.data_dir)?;
        let dump = read(&args.file)?;
        serve::copy_before_migration(&config)?;
        let data = config.data_dir.clone();
        let was_there = app::database(&config).exists();
        let app = App::open(config, Clock::system(), Create::Yes)
            .map_err(|error| serve::in_folder(error, &data))?;
        legacy::import(&app.base, &dump, &options, was_there)?
    };
    terminal.data(&report, || text(&report, args));
    Ok(if report.is_partial() { Exit::Partly } else { Exit::Done })
}

/// Moves the dump into a copy that is thrown away: it works beside `serve` and changes nothing.
fn rehearse(mut config: Config, dump: &Dump, options: &Options) -> Result<Report, Failure> {
    let failed = |error: std::io::Error| {
        let message = format!("нет временной папки: {}", io_reason(&error));
        Failure::new(Exit::Failed, message, "освободите место или задайте TMPDIR")
    };
    let folder = tempfile::tempdir().map_err(failed)?;
    let live = app::database(&config);
    if live.exists() {
        let copy = folder.path().join("partner-m.db");
        Db::look(&live, |conn| backup::copy_into(conn, &copy))?;
    }
    folder.path().clone_into(&mut config.data_dir);
    let app = App::open(config, Clock::system(), Create::Yes)?;
    Ok(legacy::import(&app.base, dump, options, false)?)
}

/// Reads the file, compressed or not.
fn read(path: &Path) -> Result<Dump, Failure> {
    let dump = File::open(path).map_err(DumpError::Io).and_then(|file| {
        let mut file = BufReader::with_capacity(1 << 20, file);
        let packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        Ok((file, packed))
    });
    let dump = dump.map_err(LegacyError::from).and_then(|(file, packed)| {
        if packed {
            legacy::read(BufReader::with_capacity(1 << 20, MultiGzDecoder::new(file)))
        } else {
            legacy::read(file)
        }
    });
    dump.map_err(|error| of_file(error, path))
}

fn of_file(error: LegacyError, path: &Path) -> Failure {
    const AGAIN: &str = "сделайте дамп прежней программы: pg_dump -f дамп.sql ИМЯ_БАЗЫ";
    let (exit, message, hint) = match &error {
        LegacyError::Dump(DumpError::Io(io)) if io.kind() == std::io::ErrorKind::NotFound => {
            (Exit::NotFound, format!("нет файла {}", path.display()), "проверьте путь")
        }
        LegacyError::Dump(DumpError::Io(io))
            if matches!(
                io.kind(),
                std::io::ErrorKind::UnexpectedEof
                    | std::io::ErrorKind::InvalidData
                    | std::io::ErrorKind::InvalidInput
            ) =>
        {
            (Exit::Failed, format!("{}: архив gzip повреждён", path.display()), AGAIN)
        }
        LegacyError::Dump(DumpError::Io(io)) => (
            Exit::Failed,
            format!("{}: {}", path.display(), io_reason(io)),
            "проверьте файл и права на него",
        ),
        LegacyError::Dump(DumpError::Custom) => (
            Exit::Failed,
            format!("{}: {error}", path.display()),
            "переведите его в текст: pg_restore -f дамп.sql ФАЙЛ",
        ),
        LegacyError::Dump(DumpError::Utf16) => (
            Exit::Failed,
            format!("{}: {error}", path.display()),
            "пишите дамп самой программой, а не через «>»: pg_dump -f дамп.sql ИМЯ_БАЗЫ",
        ),
        _ => (Exit::Failed, format!("{}: {error}", path.display()), AGAIN),
    };
    Failure::new(exit, message, hint).because(error)
}

impl From<LegacyError> for Failure {
    fn from(error: LegacyError) -> Self {
        match error {
            LegacyError::Storage(error) => error.into(),
            LegacyError::Backup(error) => error.into(),
            other => Self::new(Exit::Failed, other.to_string(), "проверьте файл дампа"),
        }
    }
}

/// At most so many problems are shown; all of them are in `--json`.
const SHOWN: usize = 50;

fn text(report: &Report, args: &ImportArgs) -> String {
    let mut text = String::new();
    let _ = if args.dry_run {
        writeln!(text, "Проверка: ничего не записано, получилось бы так.\n")
    } else {
        writeln!(text, "Перенесено из {}\n", args.file.display())
    };
    let mut rows = vec![
        ["", "в дампе", "перенесено", "соединено", "уже были", "пропущено"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let kinds: [(&str, Tally); 9] = [
        ("люди", report.people),
        ("организации", report.organizations),
        ("сотрудники организаций", report.members),
        ("разделы каталога", report.categories),
        ("товары", report.products),
        ("заявки", report.orders),
        ("строки заявок", report.lines),
        ("вопросы", report.threads),
        ("сообщения", report.messages),
    ];
    for (name, tally) in kinds {
        let Tally { found, moved, joined, already, skipped } = tally;
        let mut row = vec![name.to_owned()];
        row.extend([found, moved, joined, already, skipped].map(|n| n.to_string()));
        rows.push(row);
    }
    text.push_str(&table(&rows));
    let _ = writeln!(
        text,
        "\nзаявок в работе: {}; остальные в истории. Следующий номер: {}",
        report.open_orders,
        report.last_number + 1
    );
    people(&mut text, "роль сохранена", &report.roles_kept);
    people(&mut text, "роль не сохранена", &report.roles_left);
    if let Some(first) = report.roles_left.first() {
        let _ = writeln!(
            text,
            "прежняя программа давала роль любому, кто назвал номер; чтобы сохранить, до переноса \
             впишите телефон в access.admin_phones или access.manager_phones либо повторите с \
             --staff {}; после переноса роль даст partner-m admin role",
            first.phone
        );
    }
    if report.unverified_organizations > 0 {
        let _ = writeln!(
            text,
            "организаций без подтверждения: {}; цены им откроет менеджер в панели или 1С",
            report.unverified_organizations
        );
    }
    for passed in &report.passed_over {
        let _ = match &passed.column {
            None => writeln!(text, "не берётся: таблица {}, строк {}", passed.table, passed.count),
            Some(column) => writeln!(
                text,
                "не берётся: колонка {}.{column}, значений {}",
                passed.table, passed.count
            ),
        };
    }
    for problem in report.problems.iter().take(SHOWN) {
        let _ = match problem.line {
            0 => writeln!(text, "внимание: {}: {}", problem.table, problem.why),
            line => writeln!(text, "внимание: строка {line}, {}: {}", problem.table, problem.why),
        };
    }
    if report.problems.len() > SHOWN {
        let rest = report.problems.len() - SHOWN;
        let _ = writeln!(text, "… и ещё {rest}; все покажет --json");
    }
    if let Some(copy) = &report.copy {
        let _ = writeln!(text, "копия базы до переноса: {}", copy.display());
    }
    text
}

fn people(text: &mut String, label: &str, staff: &[StaffRole]) {
    for person in staff {
        let _ = writeln!(text, "{label}: {} {} ({})", person.phone, person.name, person.role);
    }
}
