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
use crate::domain::{Clock, Zone};
use crate::services::health::{self, Check, Level, bytes};
use crate::services::models;
use crate::storage::{Db, StorageError, upkeep, vitals};

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
    state: Level,
    text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    hint: String,
}

impl Finding {
    fn new(name: &'static str, state: Level, text: impl Into<String>, hint: &str) -> Self {
        Self { name, state, text: text.into(), hint: hint.to_owned() }
    }

    /// What the running program would say of itself.
    fn of(check: Check, name: &'static str) -> Self {
        Self { name, state: check.state, text: check.text, hint: check.hint }
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
        Finding::of(health::disk(&config), "диск"),
        clock(&config),
    ];
    checks.extend(onec(&config));
    checks.extend(models::faults(&config).into_iter().map(|(provider, fault)| {
        let hint = "исправьте раздел llm, без него модель выключена";
        Finding::new(provider.label(), Level::Failed, fault.to_string(), hint)
    }));
    if args.online {
        checks.extend(super::runtime()?.block_on(online(&config)));
    }
    let failed = checks.iter().any(|check| check.state == Level::Failed);
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
            Level::Ok,
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
        return Finding::new(name, Level::Warning, format!("{shown} читают все"), &hint);
    }
    Finding::new(name, Level::Ok, shown, "")
}

fn data_folder(config: &Config) -> Finding {
    let name = "папка данных";
    let path = &config.data_dir;
    let shown = path.display().to_string();
    let Ok(meta) = std::fs::metadata(path) else {
        return Finding::new(name, Level::Ok, format!("{shown} ещё нет"), "создаст partner-m init");
    };
    if !meta.is_dir() {
        return Finding::new(name, Level::Failed, format!("{shown} не папка"), "укажите другую");
    }
    if let Some((owner, _, ours)) = folder::foreign_owner(path)
        && ours != 0
    {
        let text = format!("{shown} принадлежит пользователю {owner}, а запускает {ours}");
        return Finding::new(name, Level::Failed, text, "запускайте от её владельца");
    }
    if meta.permissions().mode() & 0o077 != 0 {
        let hint = format!("в ней телефоны и заказы: chmod 700 {shown}");
        return Finding::new(name, Level::Warning, format!("{shown} открыта другим"), &hint);
    }
    Finding::new(name, Level::Ok, shown, "")
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
            Finding::new(name, Level::Ok, text, "")
        }
        Err(StorageError::Absent(_)) => {
            let text = format!("{} ещё нет", path.display());
            Finding::new(name, Level::Ok, text, "создаст partner-m serve или init")
        }
        Err(error) => {
            let failure = super::Failure::from(error);
            Finding::new(name, Level::Failed, failure.message, &failure.hint)
        }
    }
}

/// The clock, held against what the database has seen.
fn clock(config: &Config) -> Finding {
    let latest = Db::look(&app::database(config), vitals::latest_moment).ok().flatten();
    Finding::of(health::clock(&Zone::utc(), Clock::system().now(), latest), "часы")
}

/// How 1C and we may meet.
fn onec(config: &Config) -> Vec<Finding> {
    let Onec { webhook_token, open, pull, exchange, listen, .. } = &config.onec;
    let json = match (webhook_token, open) {
        (Some(token), _) => {
            Finding::new("1С: JSON", Level::Ok, format!("токен {}", token.masked()), "")
        }
        (None, true) => Finding::new(
            "1С: JSON",
            Level::Warning,
            "onec.open: вызовы принимаются от кого угодно",
            "задайте onec.webhook_token",
        ),
        (None, false) => Finding::new(
            "1С: JSON",
            Level::Ok,
            "токен не задан: вызовы только с этой машины, пока нет администратора",
            "",
        ),
    };
    let standard = match (&exchange.username, &exchange.password, listen) {
        (None, Some(_), _) => Finding::new(
            "1С: обмен с сайтом",
            Level::Warning,
            "пароль задан, а имени нет",
            "задайте onec.exchange.username",
        ),
        (Some(_), Some(_), Some(listen)) => {
            Finding::new("1С: обмен с сайтом", Level::Ok, format!("включён, {listen}"), "")
        }
        (Some(_), Some(_), None) => Finding::new("1С: обмен с сайтом", Level::Ok, "включён", ""),
        (_, None, _) => Finding::new("1С: обмен с сайтом", Level::Ok, "выключен", ""),
    };
    let name = "1С: забор каталога";
    let pulled = match OnecClient::new(pull, OnecLimits::default()) {
        Ok(None) if pull.enabled => Finding::new(
            name,
            Level::Warning,
            "включён, а адреса нет",
            "задайте onec.pull.base_url",
        ),
        Ok(None) => Finding::new(name, Level::Ok, "не настроен", ""),
        Ok(Some(client)) => {
            let minutes = pull.interval.as_secs() / 60;
            let how = if pull.enabled {
                format!("{}, раз в {minutes}\u{a0}мин", client.address())
            } else {
                format!("{}, по команде", client.address())
            };
            match client.warning() {
                Some(warning) => Finding::new(name, Level::Warning, how, warning),
                None => Finding::new(name, Level::Ok, how, ""),
            }
        }
        Err(error) => {
            Finding::new(name, Level::Failed, error.to_string(), "исправьте onec.pull.base_url")
        }
    };
    vec![json, standard, pulled]
}

/// What others say. Nobody is asked who is not set up.
async fn online(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    match remote::ask_telegram(config).await {
        Ok(Some(facts)) => {
            findings.push(Finding::new("Telegram", Level::Ok, facts.describe(), ""));
        }
        Ok(None) => findings.push(Finding::new("Telegram", Level::Ok, "нет токена", "")),
        Err(failure) => {
            findings.push(Finding::new("Telegram", Level::Failed, failure.message, &failure.hint));
        }
    }
    if let Ok(Some(client)) = OnecClient::new(&config.onec.pull, OnecLimits::default()) {
        findings.push(match client.probe().await {
            Ok(()) => Finding::new("1С", Level::Ok, format!("{} отвечает", client.address()), ""),
            Err(error) => {
                let hint =
                    "проверьте адрес, имя и пароль в onec.pull и что HTTP-сервис опубликован";
                Finding::new("1С", Level::Failed, error.to_string(), hint)
            }
        });
    }
    findings.extend(models::probe(config).await.into_iter().map(|probe| {
        let name = probe.provider.label();
        match probe.outcome {
            Ok(_) => {
                let ms = probe.took.as_millis();
                let text = format!("{} ответила за {ms}\u{a0}мс", probe.model);
                Finding::new(name, Level::Ok, text, "")
            }
            // Without a model the local engine works.
            Err(why) => Finding::new(name, Level::Warning, why, ""),
        }
    }));
    findings
}
