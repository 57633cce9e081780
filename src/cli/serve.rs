//! `partner-m serve`: bot, HTTP server, 1C and backups in one process.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::terminal::Terminal;
use super::{Exit, Failure, Global, Outcome, VERSION, runtime, settings};
use crate::app::folder::{self, DataLock, FolderError, Reach};
use crate::app::{self, App};
use crate::config::{ChatMode, Config, Loaded};
use crate::domain::Clock;
use crate::logging;
use crate::services::accounts::Accounts;
use crate::services::backup;
use crate::services::exchange::spool;
use crate::services::health::Health;
use crate::services::live::Change;
use crate::services::operations::Operations;
use crate::services::retention::Retention;
use crate::services::{Base, courier};
use crate::storage::db::Create;
use crate::storage::{Db, StorageError, migrations, upkeep};
use crate::web::onec::OnecState;
use crate::{telegram, web};

/// Flags of `serve`.
#[derive(Debug, Default, Args)]
pub struct ServeArgs {
    /// Адрес и порт (по умолчанию 127.0.0.1:8000)
    #[arg(long, value_name = "АДРЕС")]
    listen: Option<String>,
}

/// How long work in hand may take once the program is told to stop.
const PATIENCE: Duration = Duration::from_secs(10);
/// A log larger than this is emptied; a busy one is left for the next minute.
const LARGEST_WAL: u64 = 64 * 1024 * 1024;

/// Runs until a signal.
pub fn run(global: &Global, args: &ServeArgs, terminal: &Terminal) -> Outcome {
    let started = Instant::now();
    let mut flags = Vec::new();
    if let Some(listen) = &args.listen {
        flags.push(("server.listen", "--listen", listen.clone()));
    }
    let loaded = settings(global, flags)?;
    own_with(&loaded.config.data_dir, Reach::Own)?;
    logging::init(&terminal.log(&loaded.config.log));
    for notice in &loaded.notices {
        warn!("{notice}");
    }
    folder::prepare(&loaded.config.data_dir)?;
    // Bodies that a crash left behind.
    let staged = loaded.config.data_dir.join("exchange");
    let lock = DataLock::take(&loaded.config.data_dir)?;
    runtime()?.block_on(async {
        let stop = Stop::listen()?;
        let listener = bind(loaded.config.server.listen).await?;
        let onec = match loaded.config.onec.listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let app = open(loaded.config.clone())?;
        match app.exchange.take_up_uploads().await {
            Ok(0) => {}
            Ok(count) => info!("выгрузок 1С, которые ждут импорта: {count}"),
            Err(error) => warn!("выгрузки, которые ждут импорта, не читаются: {error}"),
        }
        if let Err(error) = spool::sweep(&staged)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            warn!("{}: {error}", staged.display());
        }
        let pull = app.pull.clone().ok_or_else(|| {
            Failure::new(
                Exit::Settings,
                "адрес 1С не читается",
                "исправьте настройку onec.pull.base_url",
            )
        })?;
        app.tasks.spawn("pull", move |stop| pull.clone().run(stop));
        let alerts = app.alerts.clone();
        app.tasks.spawn("alerts", move |stop| alerts.clone().run(stop));
        let bot = bot(&app)?;
        let doors = Doors { listener, onec, lock, bot, settings: loaded, demo: None };
        live(app, doors, stop, |app, address| terminal.say(&greeting(app, address, started))).await
    })
}

/// What is said once everything is up.
fn greeting(app: &App, address: SocketAddr, started: Instant) -> String {
    let config = &app.base.config;
    let folder = config.data_dir.canonicalize().unwrap_or_else(|_| config.data_dir.clone());
    let host =
        if address.ip().is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { address.ip() };
    let address = SocketAddr::new(host, address.port());
    let mut text = format!(
        "Партнёр-М {VERSION}\nпапка данных: {}\nпанель: http://{address}/admin\n",
        folder.display()
    );
    let bot = match (&config.telegram.bot_token, config.server.chat) {
        (Some(_), _) => "бот: подключается к Telegram".to_owned(),
        (None, ChatMode::Auto) => {
            format!("бот: нет токена (telegram.bot_token); чат в браузере: http://{address}/chat")
        }
        (None, _) => "бот: нет токена (telegram.bot_token)".to_owned(),
    };
    let pull = &config.onec.pull;
    let exchange = match (pull.enabled && pull.base_url.is_some(), &config.onec.webhook_token) {
        (true, _) => {
            let minutes = pull.interval.as_secs() / 60;
            format!("1С: забираю каталог раз в {minutes}\u{a0}мин")
        }
        (false, Some(_)) => "1С: жду выгрузку, токен задан".to_owned(),
        (false, None) => "1С: жду выгрузку, токен не задан (onec.webhook_token)".to_owned(),
    };
    let exchange = match (&config.onec.exchange.password, config.onec.listen) {
        (None, _) => exchange,
        (Some(_), None) => format!("{exchange}; обмен с сайтом: http://{address}/1c_exchange"),
        (Some(_), Some(plain)) => format!("{exchange}; обмен с сайтом: http://{plain}/1c_exchange"),
    };
    let ms = started.elapsed().as_millis();
    let _ = write!(text, "{bot}\n{exchange}\nготово за {ms}\u{a0}мс");
    text
}

/// The bot, where there is a token.
fn bot(app: &App) -> Result<Option<teloxide::Bot>, Failure> {
    telegram::bot(&app.base.config.telegram).map_err(|error| {
        Failure::new(
            Exit::Settings,
            error.to_string(),
            "исправьте настройку и проверьте: partner-m check",
        )
    })
}

/// What a running program holds.
pub struct Doors {
    /// The HTTP server's port.
    pub listener: TcpListener,
    /// The data folder.
    pub lock: DataLock,
    /// The second port, for a 1C in the office network.
    pub onec: Option<TcpListener>,
    /// The bot.
    pub bot: Option<teloxide::Bot>,
    /// The settings, with the source of each.
    pub settings: Loaded,
    /// What a demo adds to the pages.
    pub demo: Option<Arc<web::Demo>>,
}

/// Makes sure that the data folder is ours: root becomes its owner, anyone else is refused.
pub fn own(folder: &Path) -> Result<(), Failure> {
    own_with(folder, Reach::Roots)
}

fn own_with(folder: &Path, reach: Reach) -> Result<(), Failure> {
    let Some((owner, group, ours)) = folder::foreign_owner(folder) else { return Ok(()) };
    if ours != 0 {
        return Err(Failure::new(
            Exit::Failed,
            format!(
                "папка данных {} принадлежит пользователю {owner}, а программу запускает {ours}",
                folder.display()
            ),
            "запустите от её владельца (sudo -u) или укажите другую папку: --data ПАПКА",
        ));
    }
    let error = folder::become_user(owner, group, reach);
    Err(Failure::new(
        Exit::Failed,
        format!("не получилось стать пользователем {owner}: {error}"),
        "запустите от владельца папки данных",
    ))
}

/// Binds the port.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let (message, hint) = match error.kind() {
            std::io::ErrorKind::AddrInUse => (
                format!("порт {} занят другой программой", address.port()),
                format!(
                    "укажите другой: --listen {}:{}, или остановите ту программу",
                    address.ip(),
                    address.port().wrapping_add(1)
                ),
            ),
            std::io::ErrorKind::AddrNotAvailable => (
                format!("у этой машины нет адреса {}", address.ip()),
                "исправьте server.listen или --listen".to_owned(),
            ),
            std::io::ErrorKind::PermissionDenied => (
                format!("порт {} открывает только root", address.port()),
                "возьмите порт от 1024, например 8000".to_owned(),
            ),
            _ => (
                format!("не открыть {address}: {error}"),
                "исправьте server.listen или --listen".to_owned(),
            ),
        };
        Failure::new(Exit::Failed, message, hint).because(error)
    })
}

/// Opens the database for a long run.
pub fn open(config: Config) -> Result<App, Failure> {
    let folder = config.data_dir.clone();
    copy_before_migration(&config)?;
    let app = App::open(config, Clock::system(), Create::Yes).map_err(|e| in_folder(e, &folder))?;
    app.begin().map_err(|e| in_folder(e, &folder))?;
    Ok(app)
}

/// Copies the database aside when this program is about to change its schema; where to.
pub fn copy_before_migration(config: &Config) -> Result<Option<PathBuf>, Failure> {
    let path = app::database(config);
    if std::fs::metadata(&path).map_or(0, |meta| meta.len()) == 0 {
        return Ok(None);
    }
    let folder = config.data_dir.clone();
    let current = Db::look(&path, migrations::current).map_err(|e| in_folder(e, &folder))?;
    if current >= migrations::latest() {
        return Ok(None);
    }
    let copy = backup::copy_before(config, Clock::system().now())?;
    info!("перед обновлением схемы база скопирована в {}", copy.path.display());
    Ok(Some(copy.path))
}

/// A read-only folder shows itself in several ways.
pub fn in_folder(error: StorageError, folder: &Path) -> Failure {
    if error.is_read_only() {
        let source = std::io::ErrorKind::ReadOnlyFilesystem.into();
        return FolderError::Io { path: folder.to_owned(), source }.into();
    }
    error.into()
}

/// Runs the tasks and the server until a signal, then stops them in good order.
pub async fn live(
    app: App,
    doors: Doors,
    mut stop: Stop,
    ready: impl FnOnce(&App, SocketAddr),
) -> Outcome {
    let Doors { listener, onec, lock, bot, settings, demo } = doors;
    let address = listener.local_addr().map_err(|error| {
        Failure::new(Exit::Failed, format!("порт закрылся: {error}"), "запустите снова")
    })?;
    let operations = operations(&app, settings);
    start_tasks(&app, bot);
    let stop_token = app.tasks.stop_token();
    let proxies = web::Proxies::of(&app.base.config);
    if let Some(onec) = onec {
        let state = OnecState::new(
            app.base.clone(),
            app.exchange.clone(),
            app.accounts.clone(),
            app.tasks.clone(),
        );
        let (router, stop) = (web::onec::plain(state), stop_token.clone());
        let proxies = proxies.clone();
        app.tasks.spawn_once("onec", async move {
            if let Err(error) = web::serve_router(onec, router, proxies, stop).await {
                error!("onec.listen: {error}");
            }
        });
    }
    let router = web::router(desk(&app, operations, demo));
    let server = web::serve_router(listener, router, proxies, stop_token);
    tokio::pin!(server);

    ready(&app, address);
    let _ = sd_notify::notify(&[NotifyState::Ready, NotifyState::Status("работает")]);

    let mut served = None;
    tokio::select! {
        () = stop.wait() => {}
        result = &mut server => served = Some(result),
    }
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    info!("останавливаюсь: жду начатую работу");
    // A second signal ends the program at once.
    #[expect(clippy::disallowed_methods, reason = "it must outlive the tasks that it cuts short")]
    tokio::spawn(async move {
        stop.wait().await;
        std::process::exit(i32::from(Exit::Interrupted.number()));
    });
    let begun = Instant::now();
    let tasks = app.tasks.stop(PATIENCE);
    let server = async {
        if served.is_none() {
            let _ = tokio::time::timeout(PATIENCE, server).await;
        }
    };
    let (all, ()) = tokio::join!(tasks, server);
    if !all {
        warn!("не все задачи закончились за {}\u{a0}с", PATIENCE.as_secs());
    }
    let ended = tokio::task::spawn_blocking(move || app.end()).await;
    if let Ok(Err(error)) = ended {
        warn!("база данных закрыта не до конца: {error}");
    }
    info!("остановлено за {}\u{a0}мс", begun.elapsed().as_millis());
    drop(lock);
    match served {
        Some(Err(error)) => Err(Failure::new(
            Exit::Failed,
            format!("сервер остановился: {error}"),
            "запустите снова; если повторится, посмотрите журнал",
        )),
        _ => Ok(Exit::Done),
    }
}

/// The running program, for administrators.
fn operations(app: &App, settings: Loaded) -> Operations {
    let health = Health::new(
        app.base.clone(),
        app.bot.clone(),
        app.catalog.clone(),
        app.models.clone(),
        app.pull.clone(),
        app.backups.clone(),
        app.tasks.clone(),
    );
    Operations::new(&app.base, health, app.backups.clone(), settings)
}

/// What the pages stand on.
fn desk(app: &App, operations: Operations, demo: Option<Arc<web::Demo>>) -> web::Desk {
    web::Desk {
        base: app.base.clone(),
        tasks: app.tasks.clone(),
        accounts: app.accounts.clone(),
        exchange: app.exchange.clone(),
        pull: app.pull.clone(),
        ordering: app.ordering.clone(),
        catalog: app.catalog.clone(),
        conversations: app.conversations.clone(),
        models: app.models.clone(),
        bot: app.bot.clone(),
        chat: app.browser_chat.clone(),
        operations,
        demo,
    }
}

fn start_tasks(app: &App, bot: Option<teloxide::Bot>) {
    let tasks = &app.tasks;
    let catalog = app.catalog.clone();
    tasks.spawn("index", move |stop| catalog.clone().run(stop));
    let worker = app.worker.clone();
    tasks.spawn("worker", move |stop| worker.clone().run(stop));
    let browser = web::BrowserDoor::new(app.browser_chat.clone());
    app.courier.register(courier::WEB, Arc::new(browser));
    if let Some(bot) = bot {
        let messenger = telegram::TelegramMessenger::new(bot.clone(), app.chat.files().clone());
        app.chat.files().connect(Arc::new(telegram::TelegramFiles::new(bot.clone())));
        app.courier.register(courier::TELEGRAM, Arc::new(messenger));
        let (base, status) = (app.base.clone(), app.bot.clone());
        tasks.spawn("polling", move |stop| {
            telegram::Polling::new(bot.clone(), base.clone(), status.clone()).run(stop)
        });
    }
    let courier = app.courier.clone();
    tasks.spawn("courier", move |stop| courier.clone().run(stop));

    let (exchange, own) = (app.exchange.clone(), tasks.clone());
    tasks.spawn("exchange", move |stop| exchange.clone().run(own.clone(), stop));

    let duties = app.duties.clone();
    tasks.spawn("duties", move |stop| duties.clone().run(stop));
    let backups = app.backups.clone();
    tasks.spawn("backups", move |stop| backups.clone().run(stop));
    let accounts = app.accounts.clone();
    let base = app.base.clone();
    tasks.spawn("elsewhere", move |stop| {
        watch_other_processes(base.clone(), accounts.clone(), stop)
    });
    let base = app.base.clone();
    tasks.spawn("upkeep", move |stop| upkeep_every_minute(base.clone(), stop));
    let retention = Retention::new(
        app.base.clone(),
        app.accounts.clone(),
        app.conversations.clone(),
        app.exchange.clone(),
    );
    tasks.spawn("retention", move |stop| retention.clone().run(stop));
    if let Some(patience) = sd_notify::watchdog_enabled() {
        let base = app.base.clone();
        tasks.spawn("watchdog", move |stop| feed_watchdog(base.clone(), patience / 2, stop));
    }
}

/// Tells [`Change::Elsewhere`] within a second of another process's commit.
async fn watch_other_processes(base: Base, accounts: Accounts, stop: CancellationToken) {
    let mut last = None;
    loop {
        let db = base.db.clone();
        // The writer's own commits do not count on its own connection.
        let look =
            tokio::task::spawn_blocking(move || db.maintain(|conn| upkeep::data_version(conn)));
        match look.await {
            Ok(Ok(version)) => {
                if last.is_some_and(|last| last != version) {
                    info!("базу данных изменил другой процесс");
                    accounts.forget();
                    base.live.tell(Change::Elsewhere);
                }
                last = Some(version);
            }
            Ok(Err(error)) => warn!("база данных не читается: {error}"),
            Err(_) => return,
        }
        if !pause(Duration::from_millis(500), &stop).await {
            return;
        }
    }
}

/// Keeps the write-ahead log short.
async fn upkeep_every_minute(base: Base, stop: CancellationToken) {
    while pause(Duration::from_mins(1), &stop).await {
        let db = base.db.clone();
        let large = app::wal_size(&base.config) > LARGEST_WAL;
        let work = move || db.maintain(|conn| upkeep::checkpoint(conn, large));
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!("журнал записи базы не сокращён: {error}"),
            Err(_) => return,
        }
    }
}

/// Tells systemd that we live, having just read the database.
async fn feed_watchdog(base: Base, every: Duration, stop: CancellationToken) {
    while pause(every, &stop).await {
        let read = base.db.read(upkeep::is_marked_running).await;
        match read {
            Ok(_) => {
                let _ = sd_notify::notify(&[NotifyState::Watchdog]);
            }
            Err(error) => warn!("база данных не читается: {error}"),
        }
    }
}

/// Waits; `false` once the program is to stop.
async fn pause(time: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(time) => true,
        () = stop.cancelled() => false,
    }
}

/// SIGTERM and SIGINT. SIGHUP is heard and does nothing.
pub struct Stop {
    term: Signal,
    int: Signal,
    hup: Signal,
}

impl Stop {
    /// Listens from now on.
    pub fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Failure::new(Exit::Failed, format!("сигналы недоступны: {error}"), "")
            })
        };
        Ok(Self {
            term: listen(SignalKind::terminate())?,
            int: listen(SignalKind::interrupt())?,
            hup: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal to stop.
    pub async fn wait(&mut self) {
        loop {
            tokio::select! {
                _ = self.term.recv() => return,
                _ = self.int.recv() => return,
                _ = self.hup.recv() => {}
            }
        }
    }
}
