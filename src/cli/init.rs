//! `partner-m init`: a data folder, a settings file, the first administrator.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::admin::{self, PasswordSource};
use super::terminal::Terminal;
use super::{Exit, Failure, Global, Outcome, runtime, serve, settings};
use crate::app::{App, folder};
use crate::config;
use crate::domain::{Clock, Phone, Role};
use crate::storage::db::Create;

/// Flags of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Папка, в которой будут partner-m.toml и data (по умолчанию текущая)
    #[arg(long, value_name = "ПАПКА")]
    dir: Option<PathBuf>,
    /// Телефон первого администратора
    #[arg(long, value_name = "ТЕЛЕФОН")]
    phone: Option<Phone>,
    /// Его имя
    #[arg(long, value_name = "ИМЯ")]
    name: Option<String>,
    #[command(flatten)]
    password: PasswordSource,
}

/// Makes what is not there yet and leaves what is.
pub fn run(global: &Global, args: &InitArgs, terminal: &Terminal) -> Outcome {
    let named = global.config.is_some();
    let mut global = global.clone();
    let mut file = None;
    if let Some(dir) = &args.dir {
        folder::prepare(dir)?;
        let dir = dir.canonicalize().unwrap_or_else(|_| dir.clone());
        let path = dir.join("partner-m.toml");
        write_settings(&path, &dir.join("data"))?;
        global.config = Some(path.clone());
        file = Some(path);
    }
    let mut loaded = settings(&global, Vec::new())?;
    if loaded.file.is_none() {
        let here = std::env::current_dir().unwrap_or_default();
        let path = here.join("partner-m.toml");
        let data = here.join(&loaded.config.data_dir);
        write_settings(&path, &data)?;
        global.config = Some(path.clone());
        loaded = settings(&global, Vec::new())?;
        file = Some(path);
    }
    let file = file.or(loaded.file).unwrap_or_default();
    let data = loaded.config.data_dir.clone();
    folder::prepare(&data)?;
    serve::own(&data)?;
    let app = App::open(loaded.config, Clock::system(), Create::Yes)
        .map_err(|error| serve::in_folder(error, &data))?;
    let runtime = runtime()?;
    let had = runtime.block_on(app.accounts.has_admin())?;
    let made = if had { false } else { first_admin(&app, &runtime, args, terminal)? };

    let report = json!({
        "settings_file": file, "data_dir": data, "admin_created": made, "has_admin": had || made,
    });
    terminal.data(&report, || {
        let mut text = format!("настройки: {}\nпапка данных: {}\n", file.display(), data.display());
        if !had && !made {
            text.push_str(
                "администратора ещё нет: partner-m admin create --phone ТЕЛЕФОН --name ИМЯ\n",
            );
        }
        let _ = writeln!(text, "дальше: {}", next(&file, named));
        text
    });
    Ok(Exit::Done)
}

/// The command that starts the program with these settings, wherever it is typed: they are found
/// in the folder unless they were `named` or have a name of their own.
fn next(file: &Path, named: bool) -> String {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    match file.parent() {
        Some(folder) if !named && file.ends_with("partner-m.toml") => {
            format!("cd {} && partner-m serve", folder.display())
        }
        _ => format!("partner-m serve --config {}", file.display()),
    }
}

/// Writes the commented settings with the data folder named; a file that is there stays.
fn write_settings(path: &Path, data: &Path) -> Result<(), Failure> {
    let text = config::example().replacen(
        "#data_dir = \"./data\"",
        &format!("data_dir = {}", toml::Value::from(data.display().to_string())),
        1,
    );
    let failed = |error: std::io::Error| {
        let message = format!("{}: {}", path.display(), config::io_reason(&error));
        Failure::new(Exit::Failed, message, "выберите папку, в которую можно писать: --dir ПАПКА")
    };
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Makes the first administrator from the flags, or asks at a terminal; whether one was made.
fn first_admin(
    app: &App,
    runtime: &tokio::runtime::Runtime,
    args: &InitArgs,
    terminal: &Terminal,
) -> Result<bool, Failure> {
    let (phone, name) = match (&args.phone, &args.name) {
        (Some(phone), name) => {
            (phone.clone(), name.clone().unwrap_or_else(|| "Администратор".to_owned()))
        }
        (None, _) if terminal.may_ask() => {
            let given = terminal.ask("Телефон первого администратора (пусто: позже): ");
            if given.is_empty() {
                return Ok(false);
            }
            let phone = given.parse().map_err(|error: crate::domain::ParsePhoneError| {
                Failure::new(Exit::Failed, error.to_string(), "запустите partner-m init снова")
            })?;
            let name = args.name.clone().unwrap_or_else(|| terminal.ask("Имя: "));
            (phone, name)
        }
        (None, _) => return Ok(false),
    };
    let password = admin::password(args.password, terminal)?;
    admin::create(app, runtime, phone, name, Role::Admin, password)?;
    Ok(true)
}
