//! GigaChat over its own protocol: an access token first, then the question.
//!
//! Source: <https://developers.sber.ru/docs/ru/gigachat/api/reference/rest/gigachat-api>.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;
use moka::ops::compute::Op;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tracing::debug;
use uuid::Uuid;

use super::wire::{self, Reply};
use super::{CallError, Calling, Completion, Fault, Prompt, Provider, ProviderKind, prompt};
use crate::clients::http::{self, HttpOptions, HttpSetupError};
use crate::config;
use crate::domain::{Clock, Secret, Timestamp};

/// A token is renewed this long before it expires.
const MARGIN: Duration = Duration::from_mins(1);
/// A token lives 30 minutes; one whose expiry makes no sense by our clock is kept this long.
const FALLBACK_LIFE: Duration = Duration::from_mins(25);
const LONGEST_LIFE: Duration = Duration::from_hours(2);
/// How long a request waits for its turn before it is left to the next provider.
const PERMIT_WAIT: Duration = Duration::from_secs(3);
/// The address that replaces the former one.
const CURRENT_BASE: &str = "https://api.giga.chat/v1";
const FORMER_HOST: &str = "gigachat.devices.sberbank.ru";

const TRUST: &str = "сертификату сервера нет доверия: его выдал НУЦ Минцифры, корня которого нет в \
    системе. Скачайте с https://www.gosuslugi.ru/crt корневой сертификат «Russian Trusted Root CA» \
    и выпускающий «Russian Trusted Sub CA» (PEM), сложите оба в один файл, например \
    /etc/partner-m/russian-trusted-ca.pem, сверьте SHA-256 корня \
    (D2:6D:2D:02:31:B7:C3:9F:92:CC:73:85:12:BA:54:10:35:19:E4:40:5D:68:B5:BD:70:3E:97:88:CA:8E:CF:31) \
    и укажите файл в llm.gigachat.ca_bundle (GIGACHAT_CA_BUNDLE) или в SSL_CERT_FILE";

/// A client of GigaChat.
pub struct GigaChatClient {
    http: Client,
    clock: Clock,
    auth_key: Secret,
    oauth_url: Url,
    chat_url: Url,
    scope: String,
    model: String,
    /// Whether the answer's shape is enforced.
    structured: AtomicBool,
    /// Groups our requests, so that the service keeps the unchanged beginning of the prompt.
    session: String,
    token_key: String,
    tokens: Cache<String, Arc<Token>>,
    permits: Semaphore,
}

struct Token {
    header: HeaderValue,
    text: Secret,
    /// By our clock; the cache drops it by the monotonic one as well.
    good_until: Timestamp,
    life: Duration,
}

struct TokenLife;

impl Expiry<String, Arc<Token>> for TokenLife {
    fn expire_after_create(&self, _: &String, token: &Arc<Token>, _: Instant) -> Option<Duration> {
        Some(token.life)
    }
}

/// What the OAuth end answers. Expiry is in milliseconds; an older shape has seconds.
#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(alias = "tok")]
    access_token: String,
    #[serde(alias = "exp")]
    expires_at: Option<i64>,
}

impl GigaChatClient {
    /// The client, or `None` when there is no key.
    ///
    /// # Errors
    ///
    /// [`HttpSetupError`], when an address or the file with roots is of no use.
    pub fn new(settings: &config::GigaChat, clock: Clock) -> Result<Option<Self>, HttpSetupError> {
        let Some(auth_key) = &settings.auth_key else { return Ok(None) };
        let oauth_url = private(http::join(&settings.oauth_url, "")?)?;
        let chat_url = private(http::join(&settings.api_base_url, "chat/completions")?)?;
        let direct = http::is_loopback(&chat_url) && http::is_loopback(&oauth_url);
        let http = http::client(&HttpOptions {
            timeout: Some(settings.timeout),
            ca_bundle: settings.ca_bundle.clone(),
            direct,
            ..HttpOptions::default()
        })?;
        let key = auth_key.expose().trim();
        let key = key.strip_prefix("Basic ").unwrap_or(key).trim();
        let whose = Sha256::digest(format!("{key}\n{}", settings.scope));
        let whose = whose.iter().take(6).fold(String::new(), |id, byte| format!("{id}{byte:02x}"));
        // A person has one request at a time, a company ten by default.
        let permits = if settings.scope.ends_with("_PERS") { 1 } else { 4 };
        Ok(Some(Self {
            http,
            clock,
            auth_key: Secret::new(key),
            structured: AtomicBool::new(
                chat_url.host_str() == Some("api.giga.chat")
                    || settings.model.starts_with("GigaChat-3"),
            ),
            oauth_url,
            chat_url,
            scope: settings.scope.clone(),
            model: settings.model.clone(),
            session: Uuid::new_v4().to_string(),
            token_key: format!("{}:{whose}", settings.token_cache_prefix),
            tokens: Cache::builder().max_capacity(16).expire_after(TokenLife).build(),
            permits: Semaphore::new(permits),
        }))
    }

    /// The token: from the cache while it is good, else a new one; many who wait share it.
    async fn token(&self) -> Result<Arc<Token>, CallError> {
        if let Some(token) = self.tokens.get(&self.token_key).await {
            if self.clock.now() < token.good_until {
                return Ok(token);
            }
            self.forget(&token).await;
        }
        let fresh = self.tokens.try_get_with(self.token_key.clone(), self.request_token()).await;
        fresh.map_err(|error: Arc<CallError>| (*error).clone())
    }

    /// Drops this very token; one that has replaced it meanwhile stays.
    async fn forget(&self, token: &Arc<Token>) {
        let entry = self.tokens.entry_by_ref(&self.token_key);
        entry
            .and_compute_with(|present| {
                let same = present.is_some_and(|entry| Arc::ptr_eq(entry.value(), token));
                std::future::ready(if same { Op::Remove } else { Op::Nop })
            })
            .await;
    }

    async fn request_token(&self) -> Result<Arc<Token>, CallError> {
        let request = self
            .http
            .post(self.oauth_url.clone())
            .header(AUTHORIZATION, sensitive(&format!("Basic {}", self.auth_key.expose()))?)
            .header("RqUID", Uuid::new_v4().to_string())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("scope={}", self.scope));
        let reply = wire::send(request, &self.clock, TRUST).await?;
        if !reply.status.is_success() {
            return Err(self.refused_token(&reply));
        }
        let answer: TokenAnswer = serde_json::from_str(&reply.body).map_err(|_| {
            CallError::new(Fault::Garbled, "сервер токенов ответил не токеном: проверьте oauth_url")
        })?;
        let now = self.clock.now();
        let life = life(answer.expires_at, now);
        debug!(provider = "gigachat", seconds = life.as_secs(), "получен токен доступа");
        Ok(Arc::new(Token {
            header: sensitive(&format!("Bearer {}", answer.access_token))?,
            text: Secret::new(answer.access_token),
            good_until: now.plus(life),
            life,
        }))
    }

    fn refused_token(&self, reply: &Reply) -> CallError {
        let code = serde_json::from_str::<Value>(&reply.body).unwrap_or_default()["code"].as_i64();
        let status = reply.status.as_u16();
        let why = match (status, code) {
            (_, Some(4)) => {
                "ключ не читается: скопируйте ключ авторизации целиком, без слова Basic"
            }
            (_, Some(6)) => "ключ не принят: он неверен или выпущен заново",
            (_, Some(1 | 5 | 7)) => {
                let scope = &self.scope;
                return CallError::new(
                    Fault::Refused,
                    format!("ключ не подходит к scope {scope}: проверьте llm.gigachat.scope"),
                );
            }
            (400, _) => "запрос токена не принят",
            (401 | 403, _) => "ключ не принят",
            (402, _) => "на счёте GigaChat закончились средства",
            _ => return faulty(reply, self.auth_key.expose(), "сервер токенов"),
        };
        CallError::new(Fault::Refused, format!("{why} (ответ {status})"))
    }

    async fn ask(&self, prompt: &Prompt) -> Result<Completion, CallError> {
        let mut renewed = false;
        loop {
            let structured = self.structured.load(Ordering::Relaxed);
            let token = self.token().await?;
            let reply = self.post(&token, &self.body(prompt, structured)).await?;
            match reply.status.as_u16() {
                200 => return wire::completion(&reply, &self.model),
                401 | 403 if !renewed => {
                    renewed = true;
                    self.forget(&token).await;
                }
                // Not every contract knows the parameter.
                400 | 403 | 422 if structured => self.structured.store(false, Ordering::Relaxed),
                _ => return Err(self.refused(&reply, &token)),
            }
        }
    }

    fn body(&self, prompt: &Prompt, structured: bool) -> Value {
        let system = if structured { prompt.system_for_object() } else { prompt.system.clone() };
        let mut body = json!({
            "model": self.model,
            "temperature": 0.1,
            "max_tokens": 1_500,
            "messages": [
                { "role": "system", "content": system },
                { "role": "user", "content": prompt.user },
            ],
        });
        if structured {
            // Flat, unlike OpenAI's.
            body["response_format"] =
                json!({ "type": "json_schema", "schema": prompt::schema(), "strict": true });
        }
        body
    }

    async fn post(&self, token: &Token, body: &Value) -> Result<Reply, CallError> {
        let permit = tokio::time::timeout(PERMIT_WAIT, self.permits.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            return Err(CallError::new(Fault::Busy(None), "занято другими запросами"));
        };
        let request = self
            .http
            .post(self.chat_url.clone())
            .header(AUTHORIZATION, token.header.clone())
            .header(ACCEPT, "application/json")
            .header("X-Request-ID", Uuid::new_v4().to_string())
            .header("X-Session-ID", &self.session)
            .json(body);
        wire::send(request, &self.clock, TRUST).await
    }

    fn refused(&self, reply: &Reply, token: &Token) -> CallError {
        let status = reply.status.as_u16();
        let why = match status {
            401 | 403 => format!("доступ запрещён и с новым токеном (ответ {status})"),
            402 => "закончились токены GigaChat (ответ 402)".to_owned(),
            404 | 410 => {
                format!("нет модели {} или адреса (ответ {status}){}", self.model, self.hint())
            }
            _ => return faulty(reply, token.text.expose(), "GigaChat"),
        };
        CallError::new(Fault::Refused, why)
    }

    /// What to try when the former address answers no more.
    fn hint(&self) -> String {
        if self.chat_url.host_str() == Some(FORMER_HOST) {
            format!(
                ": прежний адрес API могли отключить, попробуйте llm.gigachat.api_base_url = {CURRENT_BASE}"
            )
        } else {
            String::new()
        }
    }
}

impl Provider for GigaChatClient {
    fn kind(&self) -> ProviderKind {
        ProviderKind::GigaChat
    }

    fn model(&self) -> &str {
        &self.model
    }

    fn complete<'a>(&'a self, prompt: &'a Prompt) -> Calling<'a, Result<Completion, CallError>> {
        Box::pin(async move {
            let mut answer = self.ask(prompt).await;
            if let Err(error) = &mut answer
                && error.fault == Fault::Network
                && error.why != TRUST
            {
                error.why.push_str(&self.hint());
            }
            answer
        })
    }
}

/// How long a token is kept: until its expiry less a margin. A clock that is wrong makes nonsense
/// of the expiry: then a little less than the usual life.
fn life(expires_at: Option<i64>, now: Timestamp) -> Duration {
    let Some(at) = expires_at else { return FALLBACK_LIFE };
    let millis = if at < 100_000_000_000 { at.saturating_mul(1_000) } else { at };
    let left = Timestamp::from_millis(millis).since(now);
    if left.is_zero() || left > LONGEST_LIFE {
        return FALLBACK_LIFE;
    }
    left.saturating_sub(MARGIN)
}

/// A refusal that has no words of its own.
pub(super) fn faulty(reply: &Reply, secret: &str, who: &str) -> CallError {
    let status = reply.status.as_u16();
    let says = wire::complaint(&reply.body, secret);
    let fault = match status {
        429 => Fault::Busy(reply.retry_after),
        500.. => Fault::Server(reply.retry_after),
        300..400 => Fault::Refused,
        _ => Fault::Declined,
    };
    let why = match status {
        429 => format!("{who}: слишком много запросов (ответ 429)"),
        300..400 => format!("{who} переадресует (ответ {status}): проверьте адрес"),
        _ => format!("{who}: ответ {status}: {says}"),
    };
    CallError::new(fault, why)
}

/// A header that logs do not show.
pub(super) fn sensitive(text: &str) -> Result<HeaderValue, CallError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| CallError::new(Fault::Refused, "в ключе есть недопустимые символы"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The address, unless what is sent there could be read on the way.
pub(super) fn private(url: Url) -> Result<Url, HttpSetupError> {
    if http::stays_private(&url) { Ok(url) } else { Err(HttpSetupError::Plain(url.to_string())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_kept_until_its_expiry_less_a_minute() {
        let now = Timestamp::from_millis(1_768_996_171_000);
        let kept = |at: i64| life(Some(at), now).as_secs();
        assert_eq!(kept(1_768_997_971_000), 29 * 60, "milliseconds");
        assert_eq!(kept(1_768_997_971), 29 * 60, "seconds");
        assert_eq!(kept(1_768_996_201_000), 0, "a token of 30 s serves one request");
        assert_eq!(kept(1_768_990_000_000), 25 * 60, "past: our clock is ahead");
        assert_eq!(kept(1_769_999_999_000), 25 * 60, "far: our clock is behind");
        assert_eq!(life(None, now), FALLBACK_LIFE);
    }
}
