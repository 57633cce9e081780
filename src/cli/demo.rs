//! `partner-m demo`: everything at once on a throw-away folder, for a first look.
//!
//! Reads no settings and no environment (`RUST_LOG` apart), listens on loopback only and calls
//! nobody: not Telegram, not 1C, not a model.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use clap::Args;
use serde_json::json;
use tokio::net::TcpListener;

use super::serve::{self, Doors, Stop};
use super::terminal::Terminal;
use super::{Exit, Failure, Global, Outcome, runtime};
use crate::app::App;
use crate::app::folder::{self, DataLock};
use crate::config::{Config, LlmMode, Loaded};
use crate::formats::onec_json::CatalogJson;
use crate::formats::packed;
use crate::logging;
use crate::services::exchange::{Origin, Way};
use crate::services::live::Change;
use crate::storage::{StorageError, backup, products};
use crate::web::{Demo, Persona};

/// Flags of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Адрес и порт на этой машине (по умолчанию 127.0.0.1:8000, а занят, так любой свободный)
    #[arg(long, value_name = "АДРЕС")]
    listen: Option<SocketAddr>,
}

/// The demo's own catalogue, as `POST` catalog takes it.
static CATALOG: LazyLock<String> =
    LazyLock::new(|| packed::unpack(include_bytes!(concat!(env!("OUT_DIR"), "/catalog.json.gz"))));
/// Marks a folder as made by `demo`.
const MARK: &str = "partner-m.demo";
/// How everything stood when the demo began.
const BEGINNING: &str = "beginning.db";

/// Shows everything until a signal.
pub fn run(global: &Global, args: &DemoArgs, terminal: &Terminal) -> Outcome {
    let started = Instant::now();
    if let Some(listen) = args.listen
        && !listen.ip().is_loopback()
    {
        return Err(Failure::new(
            Exit::Usage,
            format!("демо слушает только на этой машине, а {} виден из сети", listen.ip()),
            "возьмите 127.0.0.1; для настоящей работы есть partner-m serve",
        ));
    }
    let place = Place::take(global.data.as_deref())?;
    let config = config(place.path());
    logging::init(&terminal.log(&config.log));
    let lock = DataLock::take(place.path())?;
    let outcome = runtime()?.block_on(async {
        let stop = Stop::listen()?;
        let listener = listen(args.listen).await?;
        let settings = Loaded::defaults(config.clone());
        let app = serve::open(config)?;
        let password = password()?;
        prepare(&app, &password).await?;
        let demo = Some(Arc::new(demo(&app)));
        let doors = Doors { listener, onec: None, lock, bot: None, settings, demo };
        serve::live(app, doors, stop, |app, address| {
            let ms = started.elapsed().as_millis();
            let chat = format!("http://{address}/chat");
            let panel = format!("http://{address}/admin");
            let data = json!({
                "chat": chat, "panel": panel, "manager_phone": "+79000000002",
                "admin_phone": "+79000000003", "password": password,
                "data_dir": app.base.config.data_dir,
            });
            terminal.data(&data, || {
                let mut text = format!("Партнёр-М {}, демо\n\n", super::VERSION);
                let _ = write!(
                    text,
                    "чат:     {chat}\nпанель:  {panel}\n\n\
                     вход в панель: +7\u{a0}900\u{a0}000-00-02 (Мария, менеджер) или \
                     +7\u{a0}900\u{a0}000-00-03 (администратор)\n\
                     пароль на этот запуск: {password}\n\n"
                );
                text
            });
            terminal.say(&format!("остановить: Ctrl+C\nготово за {ms}\u{a0}мс"));
        })
        .await
    });
    drop(place);
    outcome
}

/// The folder of a demo: kept where `--data` names it, else gone at the end.
enum Place {
    Kept(PathBuf),
    Passing(tempfile::TempDir),
}

impl Place {
    fn take(data: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = data else {
            let made = tempfile::Builder::new().prefix("partner-m-demo-").tempdir();
            return made.map(Self::Passing).map_err(|error| {
                Failure::new(
                    Exit::Failed,
                    format!("временная папка не создаётся: {error}"),
                    "укажите папку: --data ПАПКА",
                )
            });
        };
        let ours = path.join(MARK).exists();
        let occupied = match std::fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_some(),
            Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        };
        if occupied && !ours {
            return Err(Failure::new(
                Exit::Usage,
                format!("в {} уже что-то есть, и сделало это не демо", path.display()),
                "укажите новую или пустую папку, либо запустите демо без --data",
            ));
        }
        folder::prepare(path)?;
        std::fs::write(path.join(MARK), "").map_err(|source| {
            Failure::from(folder::FolderError::Io { path: path.to_owned(), source })
        })?;
        Ok(Self::Kept(path.to_owned()))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Passing(dir) => dir.path(),
        }
    }
}

/// The defaults, closed to the world. Only `RUST_LOG` is heard.
fn config(folder: &Path) -> Config {
    let mut config = Config { data_dir: folder.to_owned(), ..Config::default() };
    config.recognition.llm = LlmMode::Off;
    config.backup.at = None;
    // What is not an error of the demo is no news for who looks at it.
    config.log.level = std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned());
    config
}

async fn listen(asked: Option<SocketAddr>) -> Result<TcpListener, Failure> {
    let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    if let Some(asked) = asked {
        return serve::bind(asked).await;
    }
    match TcpListener::bind(local(8000)).await {
        Ok(listener) => Ok(listener),
        Err(_) => serve::bind(local(0)).await,
    }
}

/// Fills the folder, or only changes the password in one that a demo has filled before.
async fn prepare(app: &App, password: &str) -> Result<(), Failure> {
    app.accounts.demo_people(password).await?;
    let (products, _) = app.base.db.read(products::count).await?;
    if products == 0 {
        let source = CatalogJson(CATALOG.as_bytes());
        app.exchange.apply(source, Origin::new(Way::Import)).await.map_err(|error| {
            Failure::new(Exit::Failed, format!("каталог демо: {error}"), "сообщите об этом нам")
        })?;
    }
    let beginning = app.base.config.data_dir.join(BEGINNING);
    let db = app.base.db.clone();
    let keep = move || {
        let _ = std::fs::remove_file(&beginning);
        db.maintain(|conn| backup::copy_into(conn, &beginning))
    };
    tokio::task::spawn_blocking(keep).await.map_err(|_| StorageError::Interrupted)??;
    Ok(())
}

/// The people of the demo, and the way back to its beginning.
fn demo(app: &App) -> Demo {
    let person = |key: &str, label: &str, name: &str, phone: Option<&str>, staff| Persona {
        key: key.to_owned(),
        label: label.to_owned(),
        name: name.to_owned(),
        phone: phone.and_then(|phone| phone.parse().ok()),
        staff,
    };
    let personas = vec![
        person("anna", "Анна, ООО «Диван-М»", "Анна Иванова", Some("+79000000001"), false),
        person("guest", "Гость", "Гость", None, false),
        person("maria", "Мария, менеджер", "Мария", Some("+79000000002"), true),
    ];
    let app = app.clone();
    let reset = move || -> crate::services::notifications::Sending<'static, Result<(), String>> {
        let app = app.clone();
        Box::pin(async move {
            let beginning = app.base.config.data_dir.join(BEGINNING);
            let db = app.base.db.clone();
            let back = move || db.maintain(|conn| backup::restore_into(conn, &beginning));
            let done = tokio::task::spawn_blocking(back).await;
            done.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
            app.accounts.forget();
            app.base.live.tell(Change::Elsewhere);
            Ok(())
        })
    };
    Demo { personas, reset: Box::new(reset) }
}

/// A password for this run: easy to read and to type, 50 bits.
fn password() -> Result<String, Failure> {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567892";
    let mut bytes = [0_u8; 10];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(Exit::Failed, format!("система не даёт случайных чисел: {error}"), "")
    })?;
    let mut text = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        if index == 5 {
            text.push('-');
        }
        text.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    Ok(text)
}
