//! `partner-m check`: every setting with its source, then database, rights, clock and disk.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::terminal::{Terminal, table};
use super::{Exit, Global, Outcome, remote, settings};
use crate::app::{self, folder};
use crate::clients::onec::{OnecClient, OnecLimits};
use crate::config::table::Setting;
use crate::config::{Config, Loaded, Onec, Value};
use crate::domain::Clock;
use crate::domain::ru;
use crate::services::models;
use crate::storage::{Db, StorageError, upkeep};

#[derive(Serialize)]
struct Report {
    version: &'static str,
    settings_file: Option<String>,
    settings: Vec<SettingRow>,
    notices: Vec<String>,
    checks: Vec<Finding>,
}

#[derive(Serialize)]
struct SettingRow {
    key: &'static str,
    value: Option<String>,
    source: &'static str,
    place: String,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    name: &'static str,
    state: State,
    text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    hint: String,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Warning,
    Failed,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "норма",
            Self::Warning => "внимание",
            Self::Failed => "сбой",
        }
    }
}

impl Finding {
    fn new(name: &'static str, state: State, text: impl Into<String>, hint: &str) -> Self {
        Self { name, state, text: text.into(), hint: hint.to_owned() }
    }
}

/// Flags of `check`.
#[derive(Debug, Clone, Copy, Args)]
pub struct CheckArgs {
    /// Спросить и других: Telegram, 1С, модели
    #[arg(long)]
    online: bool,
}

/// Looks at everything and changes nothing.
pub fn run(global: &Global, args: CheckArgs, terminal: &Terminal) -> Outcome {
    let Loaded { config, values, notices, file } = settings(global, Vec::new())?;
    let mut checks = vec![
        settings_file(file.as_deref(), &values),
        data_folder(&config),
        database(&config),
        disk(&config),
        clock(),
    ];
    checks.extend(onec(&config));
    if args.online {
        checks.extend(super::runtime()?.block_on(online(&config)));
    }
    let failed = checks.iter().any(|check| check.state == State::Failed);
    let settings = values
        .into_iter()
        .map(|value| SettingRow {
            key: value.key,
            value: value.shown,
            source: value.source.code(),
            place: value.source.to_string(),
        })
        .collect();
    let report = Report {
        version: super::VERSION,
        settings_file: file.map(|file| file.display().to_string()),
        settings,
        notices,
        checks,
    };
    terminal.data(&report, || human(&report));
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

fn human(report: &Report) -> String {
    let row = |setting: &SettingRow| {
        let value = setting.value.clone().unwrap_or_else(|| "—".to_owned());
        vec![setting.key.to_owned(), value, setting.place.clone()]
    };
    let mut text = table(&report.settings.iter().map(row).collect::<Vec<_>>());
    for notice in &report.notices {
        let _ = write!(text, "\nвнимание: {notice}");
    }
    text.push_str(if report.notices.is_empty() { "\n" } else { "\n\n" });
    let rows = report.checks.iter().map(|check| {
        let text = match check.hint.as_str() {
            "" => check.text.clone(),
            hint => format!("{}; {hint}", check.text),
        };
        vec![check.name.to_owned(), check.state.word().to_owned(), text]
    });
    text.push_str(&table(&rows.collect::<Vec<_>>()));
    text
}

fn settings_file(file: Option<&Path>, values: &[Value]) -> Finding {
    let name = "файл настроек";
    let Some(file) = file else {
        return Finding::new(
            name,
            State::Ok,
            "нет, действуют окружение и значения по умолчанию",
            "",
        );
    };
    let shown = file.display().to_string();
    let mode = std::fs::metadata(file).map_or(0, |meta| meta.permissions().mode());
    let secret = values.iter().any(|value| {
        let from_file = matches!(value.source, crate::config::Source::File { .. });
        from_file && Setting::find(value.key).is_some_and(Setting::is_secret)
    });
    if secret && mode & 0o044 != 0 {
        let hint = format!("в нём есть секреты: chmod 600 {shown}");
        return Finding::new(name, State::Warning, format!("{shown} читают все"), &hint);
    }
    Finding::new(name, State::Ok, shown, "")
}

fn data_folder(config: &Config) -> Finding {
    let name = "папка данных";
    let path = &config.data_dir;
    let shown = path.display().to_string();
    let Ok(meta) = std::fs::metadata(path) else {
        return Finding::new(name, State::Ok, format!("{shown} ещё нет"), "создаст partner-m init");
    };
    if !meta.is_dir() {
        return Finding::new(name, State::Failed, format!("{shown} не папка"), "укажите другую");
    }
    if let Some((owner, _, ours)) = folder::foreign_owner(path)
        && ours != 0
    {
        let text = format!("{shown} принадлежит пользователю {owner}, а запускает {ours}");
        return Finding::new(name, State::Failed, text, "запускайте от её владельца");
    }
    if meta.permissions().mode() & 0o077 != 0 {
        let hint = format!("в ней телефоны и заказы: chmod 700 {shown}");
        return Finding::new(name, State::Warning, format!("{shown} открыта другим"), &hint);
    }
    Finding::new(name, State::Ok, shown, "")
}

fn database(config: &Config) -> Finding {
    let name = "база данных";
    let path = app::database(config);
    let size = std::fs::metadata(&path).map_or(0, |meta| meta.len());
    let looked = Db::look(&path, |conn| {
        upkeep::quick_check(conn)?;
        upkeep::is_marked_running(conn)
    });
    match looked {
        Ok(_) => {
            let text = format!("{}, {}", path.display(), bytes(size));
            Finding::new(name, State::Ok, text, "")
        }
        Err(StorageError::Absent(_)) => {
            let text = format!("{} ещё нет", path.display());
            Finding::new(name, State::Ok, text, "создаст partner-m serve или init")
        }
        Err(error) => {
            let failure = super::Failure::from(error);
            Finding::new(name, State::Failed, failure.message, &failure.hint)
        }
    }
}

fn disk(config: &Config) -> Finding {
    let name = "диск";
    let existing = config.data_dir.ancestors().find(|path| path.exists());
    let existing = existing.unwrap_or(Path::new("."));
    match folder::space(existing) {
        Ok((free, total)) => {
            let text = format!("свободно {} из {}", bytes(free), bytes(total));
            if free < 500 * 1_000_000 || free < total / 10 {
                let hint = "меньше 500 МБ или десятой части: освободите место";
                return Finding::new(name, State::Warning, text, hint);
            }
            Finding::new(name, State::Ok, text, "")
        }
        Err(error) => Finding::new(name, State::Warning, format!("не узнать: {error}"), ""),
    }
}

fn clock() -> Finding {
    // Nothing of ours is older than the program itself.
    const BORN_MS: i64 = 1_795_651_200_000; // 2026-11-26
    let now = Clock::system().now();
    let shown = crate::domain::Zone::utc().rfc3339(now);
    if now.millis() < BORN_MS {
        let hint = "часы отстают: включите NTP (timedatectl set-ntp true)";
        return Finding::new("часы", State::Failed, shown, hint);
    }
    Finding::new("часы", State::Ok, shown, "")
}

/// How 1C and we may meet.
fn onec(config: &Config) -> Vec<Finding> {
    let Onec { webhook_token, open, pull, exchange, listen, .. } = &config.onec;
    let json = match (webhook_token, open) {
        (Some(token), _) => {
            Finding::new("1С: JSON", State::Ok, format!("токен {}", token.masked()), "")
        }
        (None, true) => Finding::new(
            "1С: JSON",
            State::Warning,
            "onec.open: вызовы принимаются от кого угодно",
            "задайте onec.webhook_token",
        ),
        (None, false) => Finding::new(
            "1С: JSON",
            State::Ok,
            "токен не задан: вызовы только с этой машины, пока нет администратора",
            "",
        ),
    };
    let standard = match (&exchange.username, &exchange.password, listen) {
        (None, Some(_), _) => Finding::new(
            "1С: обмен с сайтом",
            State::Warning,
            "пароль задан, а имени нет",
            "задайте onec.exchange.username",
        ),
        (Some(_), Some(_), Some(listen)) => {
            Finding::new("1С: обмен с сайтом", State::Ok, format!("включён, {listen}"), "")
        }
        (Some(_), Some(_), None) => Finding::new("1С: обмен с сайтом", State::Ok, "включён", ""),
        (_, None, _) => Finding::new("1С: обмен с сайтом", State::Ok, "выключен", ""),
    };
    let name = "1С: забор каталога";
    let pulled = match OnecClient::new(pull, OnecLimits::default()) {
        Ok(None) if pull.enabled => Finding::new(
            name,
            State::Warning,
            "включён, а адреса нет",
            "задайте onec.pull.base_url",
        ),
        Ok(None) => Finding::new(name, State::Ok, "не настроен", ""),
        Ok(Some(client)) => {
            let minutes = pull.interval.as_secs() / 60;
            let how = if pull.enabled {
                format!("{}, раз в {minutes}\u{a0}мин", client.address())
            } else {
                format!("{}, по команде", client.address())
            };
            match client.warning() {
                Some(warning) => Finding::new(name, State::Warning, how, warning),
                None => Finding::new(name, State::Ok, how, ""),
            }
        }
        Err(error) => {
            Finding::new(name, State::Failed, error.to_string(), "исправьте onec.pull.base_url")
        }
    };
    vec![json, standard, pulled]
}

/// What others say. Nobody is asked who is not set up.
async fn online(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    match remote::ask_telegram(config).await {
        Ok(Some(facts)) => {
            findings.push(Finding::new("Telegram", State::Ok, facts.describe(), ""));
        }
        Ok(None) => findings.push(Finding::new("Telegram", State::Ok, "нет токена", "")),
        Err(failure) => {
            findings.push(Finding::new("Telegram", State::Failed, failure.message, &failure.hint));
        }
    }
    if let Ok(Some(client)) = OnecClient::new(&config.onec.pull, OnecLimits::default()) {
        findings.push(match client.probe().await {
            Ok(()) => Finding::new("1С", State::Ok, format!("{} отвечает", client.address()), ""),
            Err(error) => Finding::new("1С", State::Failed, error.to_string(), ""),
        });
    }
    match models::probe(config).await {
        Ok(probes) => findings.extend(probes.into_iter().map(|probe| {
            let name = probe.provider.label();
            match probe.outcome {
                Ok(_) => {
                    let ms = probe.took.as_millis();
                    let text = format!("{} ответила за {ms}\u{a0}мс", probe.model);
                    Finding::new(name, State::Ok, text, "")
                }
                // Without a model the local engine works.
                Err(why) => Finding::new(name, State::Warning, why, ""),
            }
        })),
        Err(error) => {
            findings.push(Finding::new("модели", State::Failed, error.to_string(), ""));
        }
    }
    findings
}

/// «12 МБ».
pub fn bytes(count: u64) -> String {
    match count {
        0..1_000_000 => format!("{}\u{a0}КБ", count.div_ceil(1_000)),
        1_000_000..10_000_000_000 => format!("{}\u{a0}МБ", ru::thousands(count / 1_000_000)),
        _ => format!("{}\u{a0}ГБ", ru::thousands(count / 1_000_000_000)),
    }
}
