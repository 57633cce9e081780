//! The command line: arguments, one file per command, the exit code.
//!
//! A command returns an `Outcome`; data goes to stdout, everything else to stderr.

mod admin;
mod backup;
pub mod catalog;
mod check;
mod clients;
mod db;
mod demo;
mod eval;
mod exchange;
mod import_legacy;
mod init;
mod memory;
mod order;
mod recognize;
mod remote;
mod serve;
mod synonyms;
mod terminal;
mod usage;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::app::App;
use crate::app::folder::FolderError;
use crate::config::{Config, Inputs, Loaded, Mistakes};
use crate::domain::Clock;
use crate::storage::StorageError;
use crate::storage::db::Create;
use terminal::Terminal;

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "partner-m",
    about = "Заказы для оптовика: свободный текст из Telegram и браузера → заказы и обмен с 1С.",
    before_help = "Примеры:
  partner-m demo                 попробовать, ничего не настраивая
  partner-m init --dir ./data    создать папку данных и первого администратора
  partner-m serve                запустить бота, панель и обмен с 1С",
    subcommand_value_name = "КОМАНДА",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Общие параметры")]
#[expect(clippy::struct_excessive_bools, reason = "flags are flags")]
struct Global {
    /// Файл настроек (по умолчанию ./partner-m.toml, затем /etc/partner-m/partner-m.toml)
    #[arg(long, global = true, value_name = "ФАЙЛ")]
    config: Option<PathBuf>,
    /// Папка данных (по умолчанию ./data)
    #[arg(long, global = true, value_name = "ПАПКА")]
    data: Option<PathBuf>,
    /// Вывод одним документом JSON
    #[arg(long, global = true)]
    json: bool,
    /// Молчать обо всём, кроме ошибок
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Рассказывать подробнее
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Цвет: auto, always, never (по умолчанию auto)
    #[arg(long, global = true, value_name = "КОГДА", default_value = "auto")]
    color: ColorChoice,
    /// Отвечать «да» на вопросы
    #[arg(long, global = true)]
    yes: bool,
    /// Ничего не спрашивать
    #[arg(long, global = true)]
    no_input: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Запустить бота, панель, обмен с 1С и резервные копии (команда по умолчанию)
    #[command(before_help = "Примеры:
  partner-m serve
  partner-m serve --listen 0.0.0.0:8000
  partner-m --config /etc/partner-m/partner-m.toml serve")]
    Serve(serve::ServeArgs),
    /// Показать всё сразу: каталог, чат и панель на временных данных, ничего не настраивая
    #[command(before_help = "Примеры:
  partner-m demo
  partner-m demo --listen 127.0.0.1:8080
  partner-m demo --data ./demo    оставить данные после остановки")]
    Demo(demo::DemoArgs),
    /// Создать папку данных, файл настроек и первого администратора
    #[command(before_help = "Примеры:
  partner-m init
  partner-m init --dir /srv/partner-m
  partner-m init --phone 89211234567 --name Анна --password-stdin < пароль.txt")]
    Init(init::InitArgs),
    /// Показать настройки с их источниками и проверить базу, права, часы и диск
    #[command(before_help = "Примеры:
  partner-m check
  partner-m check --online
  partner-m check --json --data /var/lib/partner-m")]
    Check(check::CheckArgs),
    /// Учётные записи сотрудников: завести, показать, пароль, роль, доступ
    #[command(
        subcommand,
        before_help = "Примеры:
  partner-m admin create --phone 89211234567 --name Анна
  partner-m admin list
  partner-m admin passwd 89211234567"
    )]
    Admin(admin::AdminCommand),
    /// Каталог: загрузить из файла, выгрузить, посчитать
    #[command(
        subcommand,
        before_help = "Примеры:
  partner-m catalog import прайс.xlsx --dry-run
  partner-m catalog export каталог.json
  partner-m catalog stats"
    )]
    Catalog(catalog::command::CatalogCommand),
    /// Заказы: показать, сменить статус
    #[command(
        subcommand,
        before_help = "Примеры:
  partner-m order list --status new
  partner-m order show 1042
  partner-m order status 1042 accepted"
    )]
    Order(order::OrderCommand),
    /// Клиенты: показать, загрузить, выгрузить
    #[command(
        subcommand,
        before_help = "Примеры:
  partner-m clients list
  partner-m clients import клиенты.xlsx --dry-run
  partner-m clients export клиенты.csv"
    )]
    Clients(clients::ClientsCommand),
    /// Обмен с 1С: как идёт, забрать каталог, журнал, повтор, проверка файла
    #[command(
        subcommand,
        before_help = "Примеры:
  partner-m exchange status
  partner-m exchange pull
  partner-m exchange validate import.xml"
    )]
    Exchange(exchange::ExchangeCommand),
    /// Распознать текст заказа по каталогу, ничего не создавая
    #[command(before_help = "Примеры:
  echo 'саморез 4х25 жёлтый 4000' | partner-m recognize
  partner-m recognize заказ.txt --org 12 --trace
  partner-m recognize --jsonl --catalog catalog.json < orders.jsonl")]
    Recognize(recognize::RecognizeArgs),
    /// Прогнать размеченные заказы и показать, сколько строк распознано верно
    #[command(before_help = "Примеры:
  partner-m eval заказы.jsonl
  partner-m eval заказы.jsonl --catalog catalog.json --json > прежний.json
  partner-m eval заказы.jsonl --baseline прежний.json --fail-under 0.9")]
    Eval(eval::EvalArgs),
    /// Синонимы: что значат слова клиентов; показать, загрузить, выгрузить
    #[command(
        subcommand,
        before_help = "Примеры:
  partner-m synonyms list
  partner-m synonyms import слова.csv
  partner-m synonyms export слова.csv"
    )]
    Synonyms(synonyms::SynonymsCommand),
    /// Сделать копию базы, не останавливая работу; показать и проверить копии
    #[command(before_help = "Примеры:
  partner-m backup
  partner-m backup --to /mnt/disk
  partner-m backup list")]
    Backup(backup::BackupArgs),
    /// Вернуть базу из копии; прежняя останется рядом
    #[command(before_help = "Примеры:
  partner-m restore backups/partner-m-20261126T020000Z-auto.db
  partner-m restore копия.db --yes
  partner-m restore копия.db --data /var/lib/partner-m")]
    Restore(backup::RestoreArgs),
    /// Перенести данные прежней программы из её `pg_dump`
    #[command(before_help = "Примеры:
  partner-m import-legacy дамп.sql --dry-run
  partner-m import-legacy дамп.sql --staff 89211234567
  partner-m import-legacy дамп.sql.gz --open-since 2026-11-01")]
    ImportLegacy(import_legacy::ImportArgs),
    /// Файл базы: проверить, обновить схему, сжать
    #[command(
        subcommand,
        before_help = "Примеры:
  partner-m db check
  partner-m db migrate
  partner-m db vacuum"
    )]
    Db(db::DbCommand),
    /// Бот: проверить токен и связь с Telegram
    #[command(
        subcommand,
        before_help = "Примеры:
  partner-m bot check
  partner-m bot check --json
  BOT_TOKEN=… partner-m bot check"
    )]
    Bot(remote::BotCommand),
    /// Языковые модели: проверить ключи и ответ
    #[command(
        subcommand,
        before_help = "Примеры:
  partner-m llm test
  partner-m llm test --json
  OPENAI_BASE_URL=http://127.0.0.1:11434/v1 partner-m llm test"
    )]
    Llm(remote::LlmCommand),
    /// Напечатать дополнение команд для оболочки: bash, zsh, fish, elvish, powershell
    #[command(before_help = "Примеры:
  partner-m completions bash > /etc/bash_completion.d/partner-m
  partner-m completions zsh > ~/.zfunc/_partner-m
  partner-m completions fish > ~/.config/fish/completions/partner-m.fish")]
    Completions {
        /// Оболочка
        #[arg(value_name = "ОБОЛОЧКА")]
        shell: clap_complete::Shell,
    },
    /// Показать версию
    #[command(before_help = "Примеры:
  partner-m version
  partner-m version --json
  partner-m --version")]
    Version,
}

/// How a command ended, as the exit code says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// It did not work.
    Failed,
    /// The command was written wrong.
    Usage,
    /// The settings are wrong.
    Settings,
    /// Done in part: some rows were refused.
    Partly,
    /// What was named is not there.
    NotFound,
    /// The other side is out of reach.
    Remote,
    /// Another process holds the data.
    Held,
    /// Stopped by a signal.
    Interrupted,
}

impl Exit {
    /// The exit code.
    pub fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Settings => 3,
            Self::Partly => 4,
            Self::NotFound => 5,
            Self::Remote => 6,
            Self::Held => 7,
            Self::Interrupted => 130,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Settings => "settings",
            Self::Partly => "partly",
            Self::NotFound => "not_found",
            Self::Remote => "remote",
            Self::Held => "held",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Why a command stopped, in two lines: what is wrong and what to do.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
    hint: String,
    cause: Option<anyhow::Error>,
}

/// How a command ended.
type Outcome = Result<Exit, Failure>;

impl Failure {
    fn new(exit: Exit, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: hint.into(), cause: None }
    }

    /// Keeps what `-v` shows.
    fn because(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl From<Mistakes> for Failure {
    fn from(mistakes: Mistakes) -> Self {
        let message = match &mistakes.0[..] {
            [one] => one.clone(),
            all => format!("в настройках ошибок: {}\n  {}", all.len(), all.join("\n  ")),
        };
        Self::new(
            Exit::Settings,
            message,
            "исправьте и проверьте: partner-m check; все настройки описаны в \
             partner-m.toml.example",
        )
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        let (exit, hint) = match &error {
            FolderError::Held { .. } => {
                (Exit::Held, "остановите тот процесс или укажите другую папку: --data ПАПКА")
            }
            FolderError::Network { .. } => (
                Exit::Failed,
                "SQLite не работает по сети надёжно; укажите папку на диске этой машины: --data \
                 ПАПКА",
            ),
            FolderError::Io { source, .. }
                if source.kind() == std::io::ErrorKind::ReadOnlyFilesystem =>
            {
                (
                    Exit::Failed,
                    "так смонтирован диск, часто после его ошибки: посмотрите dmesg, проверьте \
                     диск и смонтируйте заново",
                )
            }
            FolderError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                (Exit::Failed, "освободите место на диске и запустите снова")
            }
            FolderError::Io { .. } => (
                Exit::Failed,
                "дайте права на папку тому, кто запускает программу, или укажите другую: --data \
                 ПАПКА",
            ),
        };
        Self::new(exit, error.to_string(), hint).because(error)
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        let hint = match &error {
            StorageError::Newer { .. } => {
                "поставьте программу новее или верните базу из копии: partner-m restore ФАЙЛ"
            }
            StorageError::Foreign => "укажите папку данных Партнёр-М: --data ПАПКА",
            StorageError::Damaged(_) => {
                "файл не тронут; верните последнюю хорошую копию: partner-m backup list, затем \
                 partner-m restore ФАЙЛ"
            }
            StorageError::Absent(_) => {
                "укажите папку данных: --data ПАПКА; новую создаст partner-m init"
            }
            error if error.is_full() => "освободите место на диске и запустите снова",
            _ => "проверьте права и место на диске: partner-m check",
        };
        let exit =
            if matches!(error, StorageError::Absent(_)) { Exit::NotFound } else { Exit::Failed };
        Self::new(exit, error.to_string(), hint).because(error)
    }
}

/// Reads the command line, does what it says and tells the exit code.
pub fn run() -> ExitCode {
    crate::app::folder::close_to_others();
    let arguments: Vec<_> = std::env::args_os().collect();
    let cli = match usage::parse(&arguments) {
        Ok(cli) => cli,
        Err(usage::Stop::Shown(text)) => {
            Terminal::plain(&arguments).data_text(&text);
            return ExitCode::SUCCESS;
        }
        Err(usage::Stop::Wrong(failure)) => {
            return Terminal::plain(&arguments).end(Err(failure));
        }
    };
    let terminal = Terminal::new(&cli.global);
    let outcome = dispatch(cli, &terminal);
    terminal.end(outcome)
}

fn dispatch(cli: Cli, terminal: &Terminal) -> Outcome {
    let global = cli.global;
    let command = cli.command.unwrap_or_else(|| Command::Serve(serve::ServeArgs::default()));
    if matches!(command, Command::Serve(_) | Command::Demo(_)) {
        memory::settle();
    }
    match command {
        Command::Serve(args) => serve::run(&global, &args, terminal),
        Command::Demo(args) => demo::run(&global, &args, terminal),
        Command::Init(args) => init::run(&global, &args, terminal),
        Command::Admin(command) => admin::run(&global, command, terminal),
        Command::Catalog(command) => catalog::command::run(&global, command, terminal),
        Command::Order(command) => order::run(&global, command, terminal),
        Command::Clients(command) => clients::run(&global, command, terminal),
        Command::Exchange(command) => exchange::run(&global, command, terminal),
        Command::Recognize(args) => recognize::run(&global, &args, terminal),
        Command::Eval(args) => eval::run(&global, &args, terminal),
        Command::Synonyms(command) => synonyms::run(&global, command, terminal),
        Command::Check(args) => check::run(&global, args, terminal),
        Command::Backup(args) => backup::run(&global, args, terminal),
        Command::Restore(args) => backup::restore(&global, &args, terminal),
        Command::ImportLegacy(args) => import_legacy::run(&global, &args, terminal),
        Command::Db(command) => db::run(&global, command, terminal),
        Command::Bot(command) => remote::bot(&global, command, terminal),
        Command::Llm(command) => remote::llm(&global, command, terminal),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut usage::command(), "partner-m", &mut script);
            terminal.data_text(&String::from_utf8_lossy(&script));
            Ok(Exit::Done)
        }
        Command::Version => {
            let facts = BTreeMap::from([("version", VERSION)]);
            terminal.data(&facts, || format!("partner-m {VERSION}\n"));
            Ok(Exit::Done)
        }
    }
}

/// The program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The runtime of commands that wait.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Failure::new(Exit::Failed, format!("не запускается: {error}"), "проверьте лимиты процессов")
    })
}

/// The services over a database that is there, for commands that work beside `serve`.
fn open_existing(global: &Global) -> Result<(App, Loaded), Failure> {
    let loaded = settings(global, Vec::new())?;
    serve::own(&loaded.config.data_dir)?;
    let app = App::open(loaded.config.clone(), Clock::system(), Create::No)?;
    Ok((app, loaded))
}

/// A setting given by a flag: its key, the flag, the value.
type Flag = (&'static str, &'static str, String);

/// The settings with the flags of the command line, and with what the panel has kept.
fn settings(global: &Global, flags: Vec<Flag>) -> Result<Loaded, Mistakes> {
    let mut inputs = Inputs { flags, ..Inputs::of_process() };
    inputs.file.clone_from(&global.config);
    if let Some(data) = &global.data {
        inputs.flags.push(("data_dir", "--data", data.display().to_string()));
    }
    let loaded = Config::load(&inputs)?;
    let kept = crate::services::settings::kept(&crate::app::database(&loaded.config));
    Ok(loaded.with_panel(&kept))
}
