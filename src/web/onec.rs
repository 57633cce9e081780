//! What 1C calls: JSON on three paths, `/integrations/1c/…`, `/onec/…`, `/api/onec/…`, and the
//! standard exchange with a site.
//!
//! The router is complete in itself, with its own request ids and answers to panics: it serves
//! beside the pages and alone, on the plain listener for a 1C in the office network.

mod json;
pub mod standard;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use moka::future::Cache;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio_stream::StreamExt;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{Instrument, error, info_span, warn};

use super::privilege;
use super::wire::Course;
use crate::domain::ru;
use crate::formats::json::JsonError;
use crate::formats::onec_json::CatalogJsonError;
use crate::formats::text::one_line;
use crate::services::Base;
use crate::services::accounts::Accounts;
use crate::services::exchange::calls::{Door, Turned};
use crate::services::exchange::partners::PartnerBodyError;
use crate::services::exchange::raw;
use crate::services::exchange::spool::{Spool, SpoolError, SpoolWriter};
use crate::services::exchange::{Exchange, ExchangeError, Origin, Way};
use crate::storage::StorageError;
use crate::storage::exchange_log::FileRow;
use crate::tasks::Tasks;

/// The largest catalogue that is taken, unpacked: 256 MiB.
pub const CATALOG_LIMIT: u64 = 256 * 1024 * 1024;
/// The largest body of any other call: it is read into memory.
pub const BODY_LIMIT: u64 = 32 * 1024 * 1024;
/// How long a client may be silent inside a body.
const SILENCE: Duration = Duration::from_secs(30);
/// A body slower than this on average, after the first minute, is given up: bytes a second.
const SLOWEST: u64 = 1_024;
/// Bodies that are taken at once.
const BODIES: usize = 4;
/// Wrong tokens from one address in a minute, after which it waits.
const WRONG_TOKENS: u32 = 20;
/// Problems named in an answer.
const ERRORS_SHOWN: usize = 100;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the handlers stand on. Clones share it.
#[derive(Clone)]
pub struct OnecState {
    /// The database, the settings.
    pub base: Base,
    /// Where batches go.
    pub exchange: Exchange,
    /// Whether there is an administrator.
    pub accounts: Accounts,
    /// Where imports go on while 1C asks how far they are.
    pub tasks: Tasks,
    /// How long an import is waited for before 1C is told how far it is.
    pub patience: Duration,
    /// Wrong passwords of the last minute by address and login.
    wrong_passwords: Cache<(IpAddr, String), Arc<AtomicU32>>,
    /// Wrong tokens of the last minute by address.
    failures: Cache<IpAddr, Arc<AtomicU32>>,
    bodies: Arc<Semaphore>,
}

impl OnecState {
    /// On these services.
    pub fn new(base: Base, exchange: Exchange, accounts: Accounts, tasks: Tasks) -> Self {
        let minute = Duration::from_mins(1);
        Self {
            base,
            exchange,
            accounts,
            tasks,
            patience: standard::PATIENCE,
            wrong_passwords: Cache::builder().max_capacity(10_000).time_to_live(minute).build(),
            failures: Cache::builder().max_capacity(10_000).time_to_live(minute).build(),
            bodies: Arc::new(Semaphore::new(BODIES)),
        }
    }

    fn spool_folder(&self) -> PathBuf {
        self.base.config.data_dir.join("exchange")
    }
}

/// The routes of 1C's calls, with their own layers, to be merged into a router of pages with the
/// state `S`.
pub fn router<S: Clone + Send + Sync + 'static>(state: OnecState) -> Router<S> {
    routes(state, false)
}

/// The same alone on a listener: `/` is 1C's too.
pub fn plain(state: OnecState) -> Router {
    routes(state, true)
}

fn routes<S: Clone + Send + Sync + 'static>(state: OnecState, alone: bool) -> Router<S> {
    let mut router = json::routes();
    for path in standard::PATHS {
        router = router.route(path, any(standard::answer));
    }
    if alone {
        // Where a 1C has no path in its settings; beside the pages the root asks for us.
        router = router.route("/", any(standard::root));
    }
    router
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(identified))
        .with_state(state)
}

/// Why a call is refused.
#[derive(Debug)]
enum Refusal {
    /// The token is wrong or missing.
    Token,
    /// No token is set, and the caller has no loopback privilege.
    TokenNotSet,
    /// Too many wrong tokens.
    TooMany,
    /// There is no such address.
    NotFound,
    /// The address is asked by another verb.
    Verb,
    /// The body is not JSON: what, line, column.
    Malformed(String, u64, u64),
    /// The body is JSON of an unknown shape: places and reasons.
    Shape(Vec<(String, String)>),
    /// The body is too big.
    TooLarge,
    /// The body did not come in time.
    Slow,
    /// The body broke off.
    Cut,
    /// Others are at it.
    Busy,
    /// There is no room left on the disk.
    Full,
    /// Our fault; the cause is for the log.
    Internal(String),
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        if error.is_full() {
            warn!("вызов из 1С отклонён: {error}");
            return Self::Full;
        }
        if matches!(error, StorageError::Pool(_)) {
            warn!("1С попросили подождать: {error}");
            return Self::Busy;
        }
        Self::Internal(error.to_string())
    }
}

impl<E: Into<Self>> From<ExchangeError<E>> for Refusal {
    fn from(error: ExchangeError<E>) -> Self {
        match error {
            ExchangeError::Source(error) => error.into(),
            ExchangeError::Busy => Self::Busy,
            ExchangeError::Storage(error) => error.into(),
        }
    }
}

impl From<JsonError> for Refusal {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::Syntax { line, column, why } => Self::Malformed(why, line, column),
            JsonError::Io(error) => Self::Internal(error.to_string()),
        }
    }
}

impl From<CatalogJsonError> for Refusal {
    fn from(error: CatalogJsonError) -> Self {
        match error {
            CatalogJsonError::Json(error) => error.into(),
            CatalogJsonError::Shape(errors) => {
                Self::Shape(errors.into_iter().map(|e| (e.field, e.why)).collect())
            }
        }
    }
}

impl From<PartnerBodyError> for Refusal {
    fn from(error: PartnerBodyError) -> Self {
        match error {
            PartnerBodyError::Json(error) => error.into(),
            PartnerBodyError::Shape(field, why) => {
                Self::Shape(vec![(field.to_owned(), why.to_owned())])
            }
        }
    }
}

impl From<SpoolError> for Refusal {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::TooLarge(_) => Self::TooLarge,
            SpoolError::Gzip(why) => {
                Self::Malformed(format!("gzip не распаковывается: {why}"), 1, 1)
            }
            SpoolError::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                warn!("вызов из 1С отклонён: нет места для его тела");
                Self::Full
            }
            SpoolError::Io(error) => Self::Internal(error.to_string()),
        }
    }
}

#[derive(Serialize)]
struct Complaint<'a> {
    #[serde(rename = "detail")]
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ShapeProblem>,
}

#[derive(Serialize)]
struct ShapeProblem {
    field: String,
    reason: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (mut line, mut column, mut errors) = (None, None, Vec::new());
        let (status, detail) = match self {
            Self::Token => (StatusCode::UNAUTHORIZED, "Invalid token".to_owned()),
            Self::TokenNotSet => (
                StatusCode::UNAUTHORIZED,
                "No token is configured: set onec.webhook_token (ONE_C_WEBHOOK_TOKEN), \
                 or onec.open (ONE_C_OPEN) to accept calls from anyone"
                    .to_owned(),
            ),
            Self::TooMany => {
                (StatusCode::TOO_MANY_REQUESTS, "Too many wrong tokens, wait a minute".to_owned())
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found".to_owned()),
            Self::Verb => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed".to_owned()),
            Self::Malformed(why, at_line, at_column) => {
                (line, column) = (Some(at_line), Some(at_column));
                (StatusCode::BAD_REQUEST, format!("Malformed JSON: {why}"))
            }
            Self::Shape(problems) => {
                errors = problems
                    .into_iter()
                    .map(|(field, reason)| ShapeProblem { field, reason })
                    .collect();
                (StatusCode::UNPROCESSABLE_ENTITY, "Invalid payload".to_owned())
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Payload too large".to_owned()),
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "The body came too slowly".to_owned()),
            Self::Cut => (StatusCode::BAD_REQUEST, "The body broke off".to_owned()),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "Busy, try again".to_owned()),
            Self::Full => (
                StatusCode::SERVICE_UNAVAILABLE,
                "No room left on the disk, nothing is stored".to_owned(),
            ),
            Self::Internal(cause) => {
                error!("вызов из 1С не удался: {cause}");
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal error".to_owned())
            }
        };
        let wait = matches!(status, StatusCode::SERVICE_UNAVAILABLE)
            .then_some("15")
            .or_else(|| (status == StatusCode::TOO_MANY_REQUESTS).then_some("60"));
        let body = Json(Complaint { text: &detail, line, column, errors });
        let mut response = (status, body).into_response();
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response
    }
}

/// Gives every call an id, for the answer, the log and the journal; the caller's own is kept.
async fn identified(mut request: Request, next: Next) -> Response {
    let given = request.headers().get(&REQUEST_ID).filter(|id| {
        let usable = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        (1..=64).contains(&id.len()) && id.as_bytes().iter().all(usable)
    });
    let id = given.cloned().unwrap_or_else(|| {
        let id = uuid::Uuid::new_v4().to_string();
        HeaderValue::from_str(&id).unwrap_or_else(|_| HeaderValue::from_static("-"))
    });
    request.headers_mut().insert(REQUEST_ID.clone(), id.clone());
    let text = id.to_str().unwrap_or("-");
    // The path without its query: that may hold the token.
    let span = info_span!("onec", method = %request.method(), path = request.uri().path(), request.id = text);
    let mut response = next.run(request).instrument(span).await;
    response.headers_mut().insert(REQUEST_ID.clone(), id);
    response
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over so")]
fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("(no text)");
    Refusal::Internal(format!("сбой обработчика: {text}")).into_response()
}

/// Who calls, once the call is allowed.
struct Caller {
    request_id: String,
    address: String,
    sender: String,
}

impl Caller {
    fn origin(&self) -> Origin {
        Origin {
            request_id: self.request_id.clone(),
            address: self.address.clone(),
            sender: self.sender.clone(),
            ..Origin::new(Way::Json)
        }
    }
}

/// The program that calls, by its own word.
fn sender(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).map(HeaderValue::as_bytes);
    ru::ellipsis(&one_line(&String::from_utf8_lossy(agent.unwrap_or_default())), 120)
}

/// Who the caller is on the network.
fn caller_address(state: &OnecState, parts: &Parts) -> (SocketAddr, IpAddr) {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(at)| *at);
    let peer = peer.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
    (peer, privilege::client(peer, &parts.headers, &state.base.config))
}

/// Checks the token, or what stands in for one, and notes who has come.
async fn admit(state: &OnecState, parts: &Parts) -> Result<Caller, Refusal> {
    let (peer, address) = caller_address(state, parts);
    let admitted = checked(state, parts, peer, address).await;
    let turned = match &admitted {
        Ok(_) => {
            Course::onec_is_in(&parts.extensions);
            None
        }
        Err(Refusal::TokenNotSet) => Some(Turned::TokenNotSet),
        Err(Refusal::Token) if tokens(&parts.headers, parts.uri.query()).is_empty() => {
            Some(Turned::NoToken)
        }
        Err(Refusal::Token) => Some(Turned::WrongToken),
        Err(_) => return admitted,
    };
    let path = json::PREFIXES.iter().find_map(|prefix| parts.uri.path().strip_prefix(prefix));
    let what = format!("{} {}", parts.method, path.unwrap_or_default().trim_start_matches('/'));
    let (address, sender) = (address.to_string(), sender(&parts.headers));
    state.exchange.note_call(Door::Json, &what, &address, &sender, turned);
    admitted
}

async fn checked(
    state: &OnecState,
    parts: &Parts,
    peer: SocketAddr,
    address: IpAddr,
) -> Result<Caller, Refusal> {
    let config = &state.base.config;
    let id = parts.headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or("");
    let caller = Caller {
        request_id: id.to_owned(),
        address: address.to_string(),
        sender: sender(&parts.headers),
    };
    let Some(token) = &config.onec.webhook_token else {
        if config.onec.open {
            return Ok(caller);
        }
        let has_admin = state.accounts.has_admin().await;
        let has_admin = has_admin.map_err(|error| Refusal::Internal(error.to_string()))?;
        return if privilege::loopback(peer, &parts.headers, config, has_admin) {
            Ok(caller)
        } else {
            Err(Refusal::TokenNotSet)
        };
    };
    let failures = state.failures.get(&network(address)).await;
    if failures.is_some_and(|count| count.load(Ordering::Relaxed) >= WRONG_TOKENS) {
        return Err(Refusal::TooMany);
    }
    // All are compared, so that the time does not tell which form was right.
    let given = tokens(&parts.headers, parts.uri.query());
    if given.iter().fold(false, |matched, text| token.matches(text) | matched) {
        return Ok(caller);
    }
    let failures = state.failures.get_with(network(address), async { Arc::default() }).await;
    if failures.fetch_add(1, Ordering::Relaxed) + 1 == WRONG_TOKENS {
        warn!(%address, "слишком много неверных токенов с {address}");
    }
    Err(Refusal::Token)
}

/// An address as failures are counted: of IPv6 the network, which is one subscriber's.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let bits = v6.to_bits() >> 64 << 64;
            IpAddr::V6(bits.into())
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The tokens of a call, in any of the four forms.
fn tokens(headers: &HeaderMap, query: Option<&str>) -> Vec<String> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
    let mut tokens = Vec::new();
    for value in headers.get_all(header::AUTHORIZATION) {
        let value = text(value);
        if let Some((scheme, token)) = value.split_once(' ')
            && scheme.eq_ignore_ascii_case("bearer")
        {
            tokens.push(token.trim().to_owned());
        }
    }
    for name in ["x-1c-token", "x-token"] {
        tokens.extend(headers.get_all(name).iter().map(text));
    }
    for pair in query.unwrap_or("").split('&') {
        if let Some(value) = pair.strip_prefix("token=") {
            tokens.push(percent_decoded(value).trim().to_owned());
            // A plus is a blank in forms, and itself when nobody encoded it.
            tokens.push(percent_decoded(&value.replace('+', " ")).trim().to_owned());
        }
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()));
        match byte.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    match String::from_utf8(out) {
        Ok(text) => text,
        // 1C of old modules encodes what it writes in the code page of Windows.
        Err(error) => encoding_rs::WINDOWS_1251.decode(error.as_bytes()).0.into_owned(),
    }
}

/// Takes the body to the disk.
async fn spool(
    state: &OnecState,
    headers: &HeaderMap,
    body: Body,
    limit: u64,
) -> Result<Spool, Refusal> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    if length.and_then(|text| text.parse::<u64>().ok()).is_some_and(|length| length > limit) {
        return Err(Refusal::TooLarge);
    }
    let place = tokio::time::timeout(SILENCE, state.bodies.acquire()).await;
    let _place = place.ok().and_then(Result::ok).ok_or(Refusal::Busy)?;
    let folder = state.spool_folder();
    let mut writer = work(move || SpoolWriter::create(&folder, limit)).await??;
    let started = tokio::time::Instant::now();
    let mut taken = 0_u64;
    let mut stream = body.into_data_stream();
    let mut pending: Vec<u8> = Vec::new();
    loop {
        let piece =
            tokio::time::timeout(SILENCE, stream.next()).await.map_err(|_| Refusal::Slow)?;
        let ended = piece.is_none();
        if let Some(piece) = piece {
            let piece = piece.map_err(|_| Refusal::Cut)?;
            taken += piece.len() as u64;
            pending.extend_from_slice(&piece);
            let late = started.elapsed().as_secs().saturating_sub(60);
            if late > 0 && taken / (late + 60) < SLOWEST {
                return Err(Refusal::Slow);
            }
        }
        // A hop to a blocking thread costs more than it writes when pieces are small.
        if pending.len() >= 256 * 1024 || ended {
            let bytes = std::mem::take(&mut pending);
            writer = work(move || writer.write(&bytes)).await??;
        }
        if ended {
            return Ok(work(move || writer.finish()).await??);
        }
    }
}

/// Runs what touches the disk on a thread of its own.
async fn work<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(job).await;
    done.map_err(|error| Refusal::Internal(error.to_string()))
}

/// Keeps a body for a week.
async fn kept(state: &OnecState, spool: Spool, name: &'static str) -> (Spool, Vec<FileRow>) {
    let (config, now) = (state.base.config.clone(), state.base.clock.now());
    let done = tokio::task::spawn_blocking(move || {
        let kept = raw::keep(&config, spool.path(), name, spool.size(), now);
        (spool, kept)
    });
    match done.await {
        Ok((spool, Ok(file))) => (spool, vec![file]),
        Ok((spool, Err(error))) => {
            warn!("исходный файл не сохранён: {error}");
            (spool, Vec::new())
        }
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_any_of_its_forms() {
        let found = |name: &'static str, value: &str, query: Option<&str>| {
            let mut headers = HeaderMap::new();
            if !name.is_empty() {
                headers.insert(name, value.parse().expect("a header"));
            }
            tokens(&headers, query)
        };
        assert_eq!(found("authorization", "Bearer t", None), ["t"]);
        assert_eq!(found("authorization", "bearer  t ", None), ["t"]);
        assert_eq!(found("authorization", "Basic dDp0", None), [""; 0]);
        assert_eq!(found("x-1c-token", " t ", None), ["t"]);
        assert_eq!(found("x-token", "t", None), ["t"]);
        assert_eq!(found("", "", Some("a=1&token=%D1%82%2B&&b")), ["т+", "т+"]);
        assert_eq!(found("", "", Some("token=a+b%")), ["a+b%", "a b%"]);
    }

    #[test]
    fn wrong_tokens_are_counted_by_subscriber() {
        let same = |a: &str, b: &str| {
            network(a.parse().expect("an address")) == network(b.parse().expect("an address"))
        };
        assert!(same("2001:db8::1", "2001:db8::ffff:1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
    }
}
