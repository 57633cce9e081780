//! Settings: what the program can be told, and the defaults.
//!
//! [`table::SETTINGS`] names every setting once; [`Config::load`] reads them from flags, the
//! environment, `.env`, the settings file and the panel, in this order of weight.

mod current;
pub mod dotenv;
mod example;
mod load;
#[cfg(test)]
mod manual;
pub mod table;
pub mod trust;

pub use current::Current;
pub use example::example;
pub use load::{Inputs, Loaded, Mistakes, Source, Value, io_reason};

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::{Phone, Secret};

/// Every setting. Built by [`Config::load`] from the file, the environment and flags.
#[derive(Debug, Clone)]
pub struct Config {
    /// Holds `partner-m.db`, `backups/`, `exchange/`.
    pub data_dir: PathBuf,
    /// The HTTP server.
    pub server: Server,
    /// `metrics.token`: opens `/metrics` and the details of `/health`.
    pub metrics_token: Option<Secret>,
    /// The company as people see it.
    pub company: Company,
    /// The bot.
    pub telegram: Telegram,
    /// Who may what.
    pub access: Access,
    /// `orders.show_stock`.
    pub show_stock: ShowStock,
    /// Recognition and the models.
    pub recognition: RecognitionSettings,
    /// The language models.
    pub llm: Llm,
    /// Exchange with 1C.
    pub onec: Onec,
    /// Scheduled backups.
    pub backup: Backup,
    /// Logs.
    pub log: Log,
}

/// `server.*`
#[derive(Debug, Clone)]
pub struct Server {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// The address under which people reach it, without a trailing slash; `https` turns Secure
    /// cookies on.
    pub public_url: Option<String>,
    /// Whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpAddr>,
    /// The browser chat.
    pub chat: ChatMode,
}

/// `server.chat`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatMode {
    /// With loopback privilege and no bot token.
    Auto,
    /// For staff logged in to the panel.
    On,
    /// Never.
    Off,
}

/// `company.*`
#[derive(Debug, Clone)]
pub struct Company {
    /// The name.
    pub name: String,
    /// The phone that people are told to call.
    pub phone: Option<Phone>,
    /// Working hours, in words.
    pub hours: String,
    /// The IANA name of the zone of schedules and of what people read.
    pub timezone: String,
    /// «обычно отвечаем за …»
    pub sla: Option<String>,
    /// The privacy policy.
    pub policy_url: Option<String>,
}

/// `telegram.*`
#[derive(Debug, Clone, Default)]
pub struct Telegram {
    /// The bot's token.
    pub bot_token: Option<Secret>,
    /// A Bot API server of one's own.
    pub api_url: Option<String>,
    /// `socks5://` or `http://`.
    pub proxy: Option<String>,
    /// The managers' chat.
    pub managers_chat: Option<i64>,
}

/// `access.*`
#[derive(Debug, Clone)]
pub struct Access {
    /// Verified phones of administrators.
    pub admin_phones: Vec<Phone>,
    /// Verified phones of managers.
    pub manager_phones: Vec<Phone>,
    /// Telegram ids of administrators.
    pub admin_telegram_ids: Vec<i64>,
    /// Who may register.
    pub registration: Registration,
    /// Whether signing in to the panel by password takes a code from Telegram too.
    pub confirm_sign_in: bool,
}

/// `access.registration`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Anyone.
    Open,
    /// Anyone, once a manager approves.
    Approval,
    /// Who has an invitation or is known from 1C.
    Invite,
}

/// `orders.show_stock`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShowStock {
    /// The number.
    Exact,
    /// «есть / мало / нет».
    Level,
    /// Nothing.
    Off,
}

/// `recognition.*`
#[derive(Debug, Clone, Copy)]
pub struct RecognitionSettings {
    /// When a model is asked.
    pub llm: LlmMode,
    /// Requests a day, all providers together.
    pub llm_daily_requests: u32,
}

/// `recognition.llm`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LlmMode {
    /// Never.
    Off,
    /// About lines that the local engine is not sure of.
    Auto,
    /// First of all, the local engine if it fails.
    First,
}

/// `llm.*`
#[derive(Debug, Clone)]
pub struct Llm {
    /// GigaChat.
    pub gigachat: GigaChat,
    /// OpenAI or a compatible server.
    pub openai: OpenAi,
}

/// `llm.gigachat.*`
#[derive(Debug, Clone)]
pub struct GigaChat {
    /// The Basic authorization key; the provider is off without it.
    pub auth_key: Option<Secret>,
    /// Where tokens are given.
    pub oauth_url: String,
    /// The scope.
    pub scope: String,
    /// The API.
    pub api_base_url: String,
    /// The model.
    pub model: String,
    /// How long to wait.
    pub timeout: Duration,
    /// The prefix of the token's key in the cache.
    pub token_cache_prefix: String,
    /// A PEM file with further roots.
    pub ca_bundle: Option<PathBuf>,
}

/// `llm.openai.*`
#[derive(Debug, Clone)]
pub struct OpenAi {
    /// The key.
    pub api_key: Option<Secret>,
    /// The model.
    pub model: String,
    /// The server; `None`: OpenAI's, and then a key is needed.
    pub base_url: Option<String>,
    /// How long to wait.
    pub timeout: Duration,
    /// A file with further roots of trust, PEM or DER.
    pub ca_bundle: Option<PathBuf>,
    /// Further headers of every request, by name and value: `YandexGPT` wants `OpenAI-Project`.
    pub headers: Vec<(String, String)>,
}

/// `onec.*`
#[derive(Debug, Clone)]
pub struct Onec {
    /// A second, plain listener with 1C's paths only.
    pub listen: Option<SocketAddr>,
    /// The token of 1C's JSON calls.
    pub webhook_token: Option<Secret>,
    /// Accept JSON calls from anyone when there is no token.
    pub open: bool,
    /// The pull.
    pub pull: Pull,
    /// The standard exchange.
    pub exchange: StandardExchange,
    /// From which status an order is offered to 1C.
    pub send_from: SendFrom,
}

/// `onec.pull.*`
#[derive(Debug, Clone)]
pub struct Pull {
    /// Whether to pull.
    pub enabled: bool,
    /// The address; `/catalog` is added.
    pub base_url: Option<String>,
    /// Basic auth.
    pub username: Option<String>,
    /// Basic auth.
    pub password: Option<Secret>,
    /// How often.
    pub interval: Duration,
}

/// `onec.exchange.*`
#[derive(Debug, Clone, Default)]
pub struct StandardExchange {
    /// Basic auth.
    pub username: Option<String>,
    /// Basic auth; the exchange is off without it.
    pub password: Option<Secret>,
    /// The default price type.
    pub price_type: Option<String>,
    /// The warehouse whose stock counts; `None`: all.
    pub warehouse: Option<String>,
}

/// `onec.send_from`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendFrom {
    /// As soon as it is sent.
    New,
    /// Once a manager has taken it.
    Accepted,
}

/// `backup.*`
#[derive(Debug, Clone)]
pub struct Backup {
    /// Hour and minute in the company's zone; `None`: off.
    pub at: Option<(u8, u8)>,
    /// How many to keep.
    pub keep: usize,
    /// Where; `None`: `data_dir/backups`.
    pub dir: Option<PathBuf>,
}

/// `log.*`
#[derive(Debug, Clone)]
pub struct Log {
    /// A filter of `tracing_subscriber::EnvFilter`.
    pub level: String,
    /// For people or for machines.
    pub format: LogFormat,
}

/// `log.format`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// JSON Lines.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("data"),
            server: Server {
                listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000),
                public_url: None,
                trusted_proxies: Vec::new(),
                chat: ChatMode::Auto,
            },
            metrics_token: None,
            company: Company {
                name: "Партнёр-М".to_owned(),
                phone: None,
                hours: "пн–пт 09:00–18:00".to_owned(),
                timezone: "Europe/Moscow".to_owned(),
                sla: None,
                policy_url: None,
            },
            telegram: Telegram::default(),
            access: Access {
                admin_phones: Vec::new(),
                manager_phones: Vec::new(),
                admin_telegram_ids: Vec::new(),
                registration: Registration::Open,
                confirm_sign_in: false,
            },
            show_stock: ShowStock::Level,
            recognition: RecognitionSettings { llm: LlmMode::Auto, llm_daily_requests: 1_000 },
            llm: Llm {
                gigachat: GigaChat {
                    auth_key: None,
                    oauth_url: "https://ngw.devices.sberbank.ru:9443/api/v2/oauth".to_owned(),
                    scope: "GIGACHAT_API_PERS".to_owned(),
                    api_base_url: "https://gigachat.devices.sberbank.ru/api/v1".to_owned(),
                    model: "GigaChat".to_owned(),
                    timeout: Duration::from_secs(20),
                    token_cache_prefix: "gigachat:token".to_owned(),
                    ca_bundle: None,
                },
                openai: OpenAi {
                    api_key: None,
                    model: "gpt-4o-mini".to_owned(),
                    base_url: None,
                    timeout: Duration::from_secs(20),
                    ca_bundle: None,
                    headers: Vec::new(),
                },
            },
            onec: Onec {
                listen: None,
                webhook_token: None,
                open: false,
                pull: Pull {
                    enabled: false,
                    base_url: None,
                    username: None,
                    password: None,
                    interval: Duration::from_mins(10),
                },
                exchange: StandardExchange::default(),
                send_from: SendFrom::Accepted,
            },
            backup: Backup { at: Some((2, 0)), keep: 14, dir: None },
            log: Log { level: "info".to_owned(), format: LogFormat::Text },
        }
    }
}
