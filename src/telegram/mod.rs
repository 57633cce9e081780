//! The door of Telegram: updates become events, what is to be said becomes requests.
//!
//! The loop and the sending are ours, on teloxide's `Bot`: an update is acknowledged only once it
//! is stored, and a message leaves the outbox only once it is sent.

pub mod files;
pub mod inbound;
pub mod outbound;
pub mod polling;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use teloxide::{ApiError, Bot, RequestError};

use crate::config;
use crate::services::Base;
use crate::services::bot_status::BotStatus;
use crate::services::courier::{self, Courier};
use crate::services::files::Files;
use crate::tasks::Tasks;

pub use files::TelegramFiles;
pub use outbound::TelegramMessenger;
pub use polling::Polling;

/// How long Telegram holds a `getUpdates` that has nothing to say, in seconds.
const POLL_SECONDS: u32 = 10;
/// Longer than a poll: a connection that has died silently must not be waited for.
const HTTP_TIMEOUT: Duration = Duration::from_secs(17);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why there can be no bot with these settings. Never has the token in it.
#[derive(Debug, thiserror::Error)]
pub enum BotError {
    /// `telegram.api_url` is not an address.
    #[error("telegram.api_url: это не адрес http(s)")]
    ApiUrl,
    /// `telegram.proxy` is not an address.
    #[error("telegram.proxy: это не адрес socks5:// или http://")]
    Proxy,
    /// The HTTP client cannot be made.
    #[error("HTTP-клиент для Telegram: {0}")]
    Client(#[source] reqwest::Error),
}

/// Opens the door: the courier gets its way out, and a task hears what people write. Whether there
/// is a bot; `status` says from then on how it is doing. Waits for nothing: without a network the
/// bot comes when the network does.
pub fn start(
    base: &Base,
    tasks: &Tasks,
    courier: &Courier,
    status: &BotStatus,
) -> Result<bool, BotError> {
    let Some(bot) = bot(&base.config.telegram)? else { return Ok(false) };
    let messenger = TelegramMessenger::new(bot.clone(), Files::new(base.clone()));
    courier.register(courier::TELEGRAM, Arc::new(messenger));
    let (base, status) = (base.clone(), status.clone());
    tasks.spawn("telegram", move |stop| {
        Polling::new(bot.clone(), base.clone(), status.clone()).run(stop)
    });
    Ok(true)
}

/// The bot of these settings; `None` without a token. Makes no request.
///
/// Do not print it: its `Debug` shows the token.
pub fn bot(settings: &config::Telegram) -> Result<Option<Bot>, BotError> {
    let Some(token) = &settings.bot_token else { return Ok(None) };
    let api_url = settings.api_url.as_deref().map(parse_api_url).transpose()?;
    let mut client = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(HTTP_TIMEOUT)
        .tcp_nodelay(true);
    if let Some(proxy) = &settings.proxy {
        client = client.proxy(reqwest::Proxy::all(proxy).map_err(|_| BotError::Proxy)?);
    } else if api_url.as_ref().is_some_and(is_loopback) {
        client = client.no_proxy();
    }
    let bot = Bot::with_client(token.expose(), client.build().map_err(BotError::Client)?);
    Ok(Some(match api_url {
        Some(url) => bot.set_api_url(url),
        None => bot,
    }))
}

fn parse_api_url(text: &str) -> Result<Url, BotError> {
    let url = Url::parse(text.trim_end_matches('/')).map_err(|_| BotError::ApiUrl)?;
    let http = matches!(url.scheme(), "http" | "https") && url.has_host();
    http.then_some(url).ok_or(BotError::ApiUrl)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What went wrong, in words for the log and the panel: without the address, which has the token
/// in it, and without the answer, which may have people's words.
fn describe(error: &RequestError) -> String {
    match error {
        RequestError::Api(ApiError::Unknown(text)) => text.clone(),
        RequestError::Api(error) => error.to_string(),
        RequestError::MigrateToChatId(_) => "группа переехала".to_owned(),
        RequestError::RetryAfter(wait) => format!("Telegram просит подождать {} с", wait.seconds()),
        RequestError::Network(error) if error.is_timeout() => {
            "Telegram не ответил вовремя".to_owned()
        }
        RequestError::Network(error) if error.is_connect() => "нет связи с Telegram".to_owned(),
        RequestError::Network(_) => "связь с Telegram оборвалась".to_owned(),
        RequestError::InvalidJson { .. } => "ответ Telegram не читается".to_owned(),
        RequestError::Io(error) => format!("ввод-вывод: {}", error.kind()),
    }
}
