//! 1C's HTTP service that gives the catalogue when we ask: `GET {base_url}/catalog`.
//!
//! The body is handed on piece by piece, never kept. Credentials go to the configured address and
//! nowhere else: a redirect within the same origin is followed without them, any other is refused.

use std::time::Duration;

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION,
};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::time::Instant;

use super::http::{self, Failure, HttpOptions, HttpSetupError};
use crate::config;
use crate::domain::Secret;

const MAX_REDIRECTS: usize = 3;
/// How long a mere question may take: 1C builds the whole answer before its first byte.
const PROBE: Duration = Duration::from_mins(1);

/// How much and how long.
#[derive(Debug, Clone, Copy)]
pub struct OnecLimits {
    /// The body, unpacked, in bytes.
    pub bytes: u64,
    /// How long 1C may say nothing: it builds the whole answer before its first byte.
    pub silence: Duration,
    /// From the request to the last byte.
    pub total: Duration,
}

impl Default for OnecLimits {
    fn default() -> Self {
        Self {
            bytes: 256 * 1024 * 1024,
            silence: Duration::from_mins(2),
            total: Duration::from_mins(15),
        }
    }
}

/// What the server said of its answer, to be asked about the next time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Validators {
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// Nothing has changed since the answer with these validators.
    NotModified,
    /// The whole body was handed on.
    Body(Validators),
}

/// Why there is no catalogue, in words that an operator can act on, without secrets.
#[derive(Debug, thiserror::Error)]
pub enum OnecError {
    /// 401 or 403.
    #[error(
        "1С не приняла логин или пароль (ответ {0}): проверьте onec.pull.username и onec.pull.password"
    )]
    Unauthorized(u16),
    /// Another answer that will not change by itself.
    #[error("1С отказала (ответ {0}): проверьте onec.pull.base_url и публикацию HTTP-сервиса")]
    Refused(u16),
    /// The server is in trouble.
    #[error("сбой на стороне 1С (ответ {0})")]
    Server(u16),
    /// It sends us elsewhere, and credentials do not go there.
    #[error(
        "1С переадресует на {0}: туда логин и пароль не отправляются; укажите верный адрес в onec.pull.base_url"
    )]
    Redirected(String),
    /// A page for people.
    #[error("вместо каталога пришла страница HTML: проверьте onec.pull.base_url")]
    Page,
    /// Bigger than the limit.
    #[error("каталог больше {0} байт")]
    TooLarge(u64),
    /// The network; the text says what of it.
    #[error("{0}")]
    Network(String),
    /// Who takes the body refused.
    #[error("{0}")]
    Sink(String),
}

impl OnecError {
    /// Whether asking again soon may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Server(_) | Self::Network(_))
    }
}

/// A client of 1C's HTTP service.
pub struct OnecClient {
    http: Client,
    url: Url,
    authorization: Option<HeaderValue>,
    limits: OnecLimits,
}

impl OnecClient {
    /// The client, or `None` when there is no address.
    ///
    /// # Errors
    ///
    /// [`HttpSetupError`], when the address is of no use.
    pub fn new(
        settings: &config::Pull,
        limits: OnecLimits,
    ) -> Result<Option<Self>, HttpSetupError> {
        let Some(base) = &settings.base_url else { return Ok(None) };
        let mut url = http::join(base, "catalog")?;
        // A login inside the address is a login all the same, and stays out of logs and errors.
        let (inner_name, inner_password) = (url.username().to_owned(), url.password());
        let name = settings.username.clone().filter(|name| !name.is_empty());
        let name = name.or_else(|| (!inner_name.is_empty()).then_some(inner_name));
        let password = settings.password.as_ref().map(|secret| secret.expose().to_owned());
        let password = password.or_else(|| inner_password.map(str::to_owned)).unwrap_or_default();
        let authorization = name.map(|name| basic(&name, &Secret::new(password))).transpose()?;
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let http = http::client(&HttpOptions {
            read_timeout: Some(limits.silence),
            direct: http::is_loopback(&url),
            ..HttpOptions::default()
        })?;
        Ok(Some(Self { http, url, authorization, limits }))
    }

    /// The host and port, for the journal.
    pub fn address(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// What `check` warns about: the login would go in plain text over the open network.
    pub fn warning(&self) -> Option<&'static str> {
        (!http::stays_private(&self.url)).then_some(
            "onec.pull.base_url — http без шифрования: логин и пароль 1С идут по сети открыто",
        )
    }

    /// Asks for the catalogue and hands its body to `take`, piece by piece; the first piece is of
    /// at least two bytes unless the body is shorter.
    ///
    /// # Errors
    ///
    /// [`OnecError`]; what `take` has got by then is not to be used.
    pub async fn catalog(
        &self,
        known: &Validators,
        mut take: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<Fetched, OnecError> {
        let deadline = Instant::now() + self.limits.total;
        let work = async {
            let response = self.request(known).await?;
            if response.status() == StatusCode::NOT_MODIFIED {
                return Ok(Fetched::NotModified);
            }
            accepted(&response)?;
            let validators = validators(response.headers());
            self.hand_on(response, &mut take).await?;
            Ok(Fetched::Body(validators))
        };
        match tokio::time::timeout_at(deadline, work).await {
            Ok(fetched) => fetched,
            Err(_) => Err(OnecError::Network("1С не ответила за отведённое время".to_owned())),
        }
    }

    /// Asks for the catalogue and reads only the beginning of the answer: whether 1C would give it.
    ///
    /// # Errors
    ///
    /// [`OnecError`].
    pub async fn probe(&self) -> Result<(), OnecError> {
        let work = async { accepted(&self.request(&Validators::default()).await?) };
        match tokio::time::timeout(PROBE, work).await {
            Ok(answer) => answer,
            Err(_) => Err(OnecError::Network("1С не ответила за отведённое время".to_owned())),
        }
    }

    /// The first answer that is no redirect within the same origin.
    async fn request(&self, known: &Validators) -> Result<Response, OnecError> {
        let mut url = self.url.clone();
        for step in 0..=MAX_REDIRECTS {
            let mut request = self.http.get(url.clone()).header(ACCEPT, "application/json");
            let credentials = self.authorization.as_ref().filter(|_| step == 0);
            for (name, value) in [
                (AUTHORIZATION, credentials),
                (IF_NONE_MATCH, known.etag.as_ref()),
                (IF_MODIFIED_SINCE, known.last_modified.as_ref()),
            ] {
                if let Some(value) = value {
                    request = request.header(name, value.clone());
                }
            }
            let response = request.send().await.map_err(network)?;
            let moved = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            if !moved {
                return Ok(response);
            }
            let place = response.headers().get(LOCATION).and_then(|place| place.to_str().ok());
            let next = place.and_then(|place| url.join(place).ok());
            match next {
                Some(next) if next.origin() == self.url.origin() => url = next,
                next => return Err(OnecError::Redirected(origin(next.as_ref()))),
            }
        }
        Err(OnecError::Redirected("себя же по кругу".to_owned()))
    }

    async fn hand_on(
        &self,
        mut response: Response,
        take: &mut impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), OnecError> {
        let mut size = 0_u64;
        let mut held: Vec<u8> = Vec::new();
        let mut begun = false;
        while let Some(chunk) = response.chunk().await.map_err(network)? {
            size += chunk.len() as u64;
            if size > self.limits.bytes {
                return Err(OnecError::TooLarge(self.limits.bytes));
            }
            if begun {
                take(&chunk).map_err(OnecError::Sink)?;
                continue;
            }
            held.extend_from_slice(&chunk);
            if held.len() < 2 {
                continue;
            }
            begun = true;
            if is_page(&held) {
                return Err(OnecError::Page);
            }
            take(&held).map_err(OnecError::Sink)?;
        }
        if !begun && !held.is_empty() {
            take(&held).map_err(OnecError::Sink)?;
        }
        Ok(())
    }
}

/// Refuses an answer that has no catalogue in it.
fn accepted(response: &Response) -> Result<(), OnecError> {
    match response.status().as_u16() {
        200 => {}
        code @ (401 | 403) => return Err(OnecError::Unauthorized(code)),
        code @ (429 | 500..) => return Err(OnecError::Server(code)),
        code => return Err(OnecError::Refused(code)),
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.trim_start().starts_with("text/html")) {
        return Err(OnecError::Page);
    }
    Ok(())
}

/// Whether the body begins as a page does.
fn is_page(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    start.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

fn validators(headers: &HeaderMap) -> Validators {
    let get = |name: HeaderName| headers.get(name).cloned();
    Validators { etag: get(ETAG), last_modified: get(LAST_MODIFIED) }
}

/// Where to, without path and query.
fn origin(url: Option<&Url>) -> String {
    url.map_or_else(|| "непонятный адрес".to_owned(), |url| url.origin().ascii_serialization())
}

fn network(error: reqwest::Error) -> OnecError {
    let (failure, text) = http::failure(error);
    OnecError::Network(match failure {
        Failure::UntrustedRoot => "сертификату 1С нет доверия: положите его корневой сертификат \
            (PEM) в файл и укажите файл в SSL_CERT_FILE"
            .to_owned(),
        Failure::Expired => "срок сертификата 1С истёк или ещё не начался".to_owned(),
        Failure::WrongName => "сертификат 1С выдан на другое имя".to_owned(),
        Failure::Tls => format!("защищённое соединение с 1С не установлено: {text}"),
        Failure::Name => "имя сервера 1С не найдено: проверьте onec.pull.base_url".to_owned(),
        Failure::Connect => format!("соединения с 1С нет: проверьте адрес и порт ({text})"),
        Failure::Timeout => "1С молчит дольше отведённого".to_owned(),
        Failure::Broken => format!("соединение с 1С оборвалось ({text})"),
    })
}

/// Basic auth in UTF-8.
///
/// Source: RFC 7617, 2.1 <https://www.rfc-editor.org/rfc/rfc7617#section-2.1>.
fn basic(name: &str, password: &Secret) -> Result<HeaderValue, HttpSetupError> {
    let encoded = base64(format!("{name}:{}", password.expose()).as_bytes());
    let mut value = HeaderValue::from_str(&format!("Basic {encoded}"))
        .map_err(|_| HttpSetupError::Library("логин 1С не читается".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4_u32 {
            let digit = (bits >> (18 - 6 * place)) & 63;
            let known = place <= u32::try_from(group.len()).unwrap_or(3);
            let letter = ALPHABET.get(usize::try_from(digit).unwrap_or(0)).copied();
            text.push(if known { char::from(letter.unwrap_or(b'=')) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
