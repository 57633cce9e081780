//! The standard exchange of 1C with a site, as УТ 10.3 speaks it: one address, `type` and `mode` in
//! the query, plain text back.
//!
//! 10.3 is the oldest and the strictest: it compares untrimmed lines and counts them, so answers are
//! exact to the byte: LF, none at the end, windows-1251, HTTP 200 even for «failure» (an 8.2 client
//! loses the body of other codes). Observed in the modules of 10.3.18 and 11.5.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use encoding_rs::WINDOWS_1251;
use tokio_stream::StreamExt;
use tracing::{info, warn};

use super::{
    Course, OnecState, SILENCE, SLOWEST, caller_address, network, percent_decoded, sender,
};
use crate::domain::{OrderStatus, Timestamp, ru};
use crate::formats::commerceml::{Form, write_statuses};
use crate::services::exchange::calls::{Door, Turned};
use crate::services::exchange::staging::{FILE_LIMIT, Name, StagingError};
use crate::services::exchange::standard::{Imported, Session};
use crate::storage::StorageError;

/// The addresses; `/` is one more where the query names type and mode.
pub const PATHS: [&str; 4] =
    ["/1c_exchange", "/1c_exchange/", "/1c_exchange.php", "/bitrix/admin/1c_exchange.php"];
/// How long an import is waited for: 1C asks again at once, so an answer in haste makes it spin.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// The kind of a document.
const XML: &str = "application/xml; charset=windows-1251";
/// The name of the cookie.
const COOKIE: &str = "PMSESS";
/// Pieces that we ask 1C to send: bytes. A client that sends more is not refused.
const PIECE: u64 = 64 * 1024 * 1024;
/// The version of the protocol: some clients read the last four characters of the line as a number.
const VERSION: &str = "2.09";
/// Wrong passwords for one login from one address in a minute, after which it waits.
const WRONG_PASSWORDS: u32 = 20;

/// What a request asks for.
#[derive(Debug, Default)]
struct Ask {
    kind: String,
    mode: String,
    filename: String,
    session: String,
    timestamp: Option<i64>,
    /// The version of the exchange that the client names; empty: it names none.
    version: String,
}

impl Ask {
    /// Reads the query: in any order, with empty pairs and strange ones between.
    fn read(query: Option<&str>) -> Self {
        let mut ask = Self::default();
        for pair in query.unwrap_or("").split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decoded(value);
            match key {
                "type" => ask.kind = value.trim().to_lowercase(),
                "mode" => ask.mode = value.trim().to_lowercase(),
                "filename" => ask.filename = value,
                "sessid" => value.trim().clone_into(&mut ask.session),
                "timestamp" => ask.timestamp = value.trim().parse().ok(),
                "version" => value.trim().clone_into(&mut ask.version),
                _ => {}
            }
        }
        ask
    }

    /// Clients of schema 3 want each order in a container.
    fn form(&self) -> Form {
        let major = self.version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        if major.is_some_and(|major| major >= 3) { Form::Containers } else { Form::Plain }
    }
}

/// Whether a query is one of the standard exchange.
pub fn is_meant(query: Option<&str>) -> bool {
    let ask = Ask::read(query);
    !ask.kind.is_empty() && !ask.mode.is_empty()
}

/// `/` on the plain listener.
pub async fn root(state: State<OnecState>, request: Request) -> Response {
    if is_meant(request.uri().query()) {
        return answer(state, request).await;
    }
    StatusCode::NOT_FOUND.into_response()
}

/// Answers a request of the standard exchange, by any verb: vendors' clients get everything but
/// files, others post everything.
pub async fn answer(State(state): State<OnecState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let ask = Ask::read(parts.uri.query());
    let (_, address) = caller_address(&state, &parts);
    let what = format!("{} {}", ru::ellipsis(&ask.kind, 20), ru::ellipsis(&ask.mode, 20));
    let note = |turned| {
        let (address, sender) = (address.to_string(), sender(&parts.headers));
        state.exchange.note_call(Door::Standard, &what, &address, &sender, turned);
    };
    let guest = match admit(&state, &parts, &ask, address, &note).await {
        Ok(guest) => guest,
        Err(response) => return response,
    };
    note(None);
    Course::onec_is_in(&parts.extensions);
    match (ask.kind.as_str(), ask.mode.as_str()) {
        (_, "checkauth") => checkauth(&state, &guest, &ask),
        ("catalog" | "sale", "init") => init(&state, &guest, &ask),
        ("catalog" | "sale", "file") => file(&state, &guest, &ask, &parts.headers, body).await,
        ("catalog" | "sale", "import") => import(&state, &guest, &ask).await,
        ("sale", "query") => query(&state, &guest, &ask).await,
        ("sale", "info") => {
            let settable = OrderStatus::ALL.iter().filter(|status| status.settable_by_onec());
            let statuses: Vec<_> = settable.map(|s| (s.as_str(), s.staff_label())).collect();
            reply(write_statuses(&statuses), XML)
        }
        ("sale", "success") => {
            let session = guest.session(&state, &ask);
            done(state.exchange.confirm(&session).await)
        }
        ("catalog", "deactivate") => deactivate(&state, &guest, &ask).await,
        (_, "complete" | "deactivate") => {
            guest.session(&state, &ask).step(state.base.clock.now(), "обмен завершён");
            text("success")
        }
        (kind, mode) => {
            info!(kind, mode, "1С просит неизвестный режим обмена");
            failure("Неизвестный режим обмена")
        }
    }
}

/// Who has been let in.
struct Guest {
    login: String,
    address: String,
    sender: String,
    /// Of the cookie or the query.
    known: Option<Arc<Session>>,
}

impl Guest {
    /// Clients without a cookie are told apart by who they are and what they exchange.
    fn owner(&self, ask: &Ask) -> String {
        format!("{}\n{}\n{}", self.address, self.login, ask.kind)
    }

    /// The session of this request: 1C need not begin one.
    fn session(&self, state: &OnecState, ask: &Ask) -> Arc<Session> {
        let owner = self.owner(ask);
        let known = self.known.clone().or_else(|| state.exchange.session(&owner));
        known.unwrap_or_else(|| state.exchange.begin_session(&owner, &self.address, &self.sender))
    }
}

/// Lets in who has the password, or the cookie of one who had it.
async fn admit(
    state: &OnecState,
    parts: &Parts,
    ask: &Ask,
    address: IpAddr,
    note: &(dyn Fn(Option<Turned>) + Sync),
) -> Result<Guest, Response> {
    let settings = &state.base.config.onec.exchange;
    let Some(password) = &settings.password else {
        note(Some(Turned::Off));
        return Err(failure("Обмен выключен: в Партнёр-М не задан onec.exchange.password"));
    };
    let cookies = parts.headers.get_all(header::COOKIE).iter();
    let pairs = cookies.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(';'));
    let mut ids = pairs.filter_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='));
    let known = ids
        .find_map(|id| cookie_session(state, id))
        .or_else(|| cookie_session(state, &ask.session));
    let guest = |login: String| Guest {
        login,
        address: address.to_string(),
        sender: sender(&parts.headers),
        known: known.clone(),
    };
    let Some((login, given)) = credentials(&parts.headers) else {
        if known.is_some() {
            return Ok(guest(String::new()));
        }
        note(Some(Turned::NoPassword));
        return Err(unauthorized());
    };
    let key = (network(address), ru::ellipsis(&login, 60));
    let wrong = state.wrong_passwords.get(&key).await;
    if wrong.is_some_and(|count| count.load(Ordering::Relaxed) >= WRONG_PASSWORDS) {
        // Not 429: an 8.2 client loses the text of other codes, and a person has to read it.
        let mut response = failure("Слишком много неверных паролей, повторите через минуту");
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        return Err(response);
    }
    // Both are compared, so that the time does not tell which one was right.
    let named = settings.username.as_ref();
    let named = named.is_none_or(|name| crate::domain::Secret::new(name).matches(&login));
    if password.matches(&given) & named {
        return Ok(guest(login));
    }
    note(Some(Turned::WrongPassword));
    let wrong = state.wrong_passwords.get_with(key, async { Arc::default() }).await;
    if wrong.fetch_add(1, Ordering::Relaxed) + 1 == WRONG_PASSWORDS {
        warn!(%address, "слишком много неверных паролей обмена с {address}");
    }
    Err(unauthorized())
}

/// Only a cookie that we gave counts: the other keys of sessions are not for wires.
fn cookie_session(state: &OnecState, id: &str) -> Option<Arc<Session>> {
    let ours = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    if ours { state.exchange.session(id) } else { None }
}

/// Login and password of Basic; which charset they are in nobody says.
fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).ok()?;
    let pair = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => WINDOWS_1251.decode(error.as_bytes()).0.into_owned(),
    };
    let (login, password) = pair.split_once(':')?;
    Some((login.to_owned(), password.to_owned()))
}

/// A text in windows-1251: a 10.3 reads answers in the code page of its machine.
fn text(text: impl AsRef<str>) -> Response {
    let body = WINDOWS_1251.encode(text.as_ref()).0.into_owned();
    reply(body, "text/plain; charset=windows-1251")
}

fn reply(body: Vec<u8>, kind: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, Body::from(body)).into_response()
}

/// What a person reads in 1C's log: one line.
fn failure(why: &str) -> Response {
    text(format!("failure\n{}", ru::ellipsis(&crate::formats::text::one_line(why), 200)))
}

fn unauthorized() -> Response {
    let mut response = failure("Неверное имя пользователя или пароль");
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let challenge = HeaderValue::from_static("Basic realm=\"1c\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

fn internal(error: &StorageError) -> Response {
    warn!("обмен с сайтом не удался: {error}");
    failure("Внутренняя ошибка, повторите обмен; подробности в журнале Партнёр-М")
}

fn done(result: Result<(), StorageError>) -> Response {
    result.map_or_else(|error| internal(&error), |()| text("success"))
}

/// `success`, the cookie's name and value, and two lines for clients that know them.
fn checkauth(state: &OnecState, guest: &Guest, ask: &Ask) -> Response {
    let (exchange, now) = (&state.exchange, state.base.clock.now());
    let session = exchange.begin_session(&guest.owner(ask), &guest.address, &guest.sender);
    session.step(now, "1С вошла");
    let (id, seconds) = (&session.id, now.millis() / 1_000);
    text(format!("success\n{COOKIE}\n{id}\nsessid={id}\ntimestamp={seconds}"))
}

/// Two lines exactly: 10.3 counts them. Two more for a client that named a version.
fn init(state: &OnecState, guest: &Guest, ask: &Ask) -> Response {
    let session = guest.session(state, ask);
    state.exchange.init(&session, ask.form());
    session.step(state.base.clock.now(), "начало обмена");
    let mut lines = format!("zip=no\nfile_limit={PIECE}");
    if !ask.version.is_empty() {
        lines = format!("{lines}\nsessid={}\nversion={VERSION}", session.id);
    }
    text(lines)
}

/// The next piece of a file, raw in the body.
async fn file(
    state: &OnecState,
    guest: &Guest,
    ask: &Ask,
    headers: &HeaderMap,
    body: Body,
) -> Response {
    let session = guest.session(state, ask);
    let name = match Name::read(&ask.filename) {
        Ok(name) => name,
        Err(why) => return failure(why),
    };
    let length = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    if length.and_then(|text| text.parse::<u64>().ok()).is_some_and(|bytes| bytes > FILE_LIMIT) {
        return refused(&StagingError::TooLarge);
    }
    if let Err(response) = take(state, &session, &name, body).await {
        return response;
    }
    if ask.kind == "sale" {
        let read = state.exchange.orders_uploaded(&session, &name, &state.tasks, state.patience);
        if let Err(why) = read.await {
            return failure(&why);
        }
    }
    text("success")
}

/// Takes the body to the disk, however big it is.
async fn take(
    state: &OnecState,
    session: &Session,
    name: &Name,
    body: Body,
) -> Result<(), Response> {
    let place = tokio::time::timeout(SILENCE, state.bodies.acquire()).await;
    let Some(_place) = place.ok().and_then(Result::ok) else {
        return Err(failure("Идёт приём других файлов, повторите через минуту"));
    };
    let mut upload = if name.picture {
        None
    } else {
        let opened = state.exchange.open_file(session, name).await;
        Some(opened.map_err(|error| refused(&error))?)
    };
    let started = tokio::time::Instant::now();
    let (mut taken, mut pending) = (0_u64, Vec::new());
    let mut stream = body.into_data_stream();
    loop {
        let slow = |_| failure("Файл передаётся слишком медленно");
        let piece = tokio::time::timeout(SILENCE, stream.next()).await.map_err(slow)?;
        let ended = piece.is_none();
        if let Some(piece) = piece {
            let piece = piece.map_err(|_| failure("Передача файла прервалась"))?;
            taken += piece.len() as u64;
            if taken > FILE_LIMIT {
                return Err(refused(&StagingError::TooLarge));
            }
            let late = started.elapsed().as_secs().saturating_sub(60);
            if late > 0 && taken / (late + 60) < SLOWEST {
                return Err(failure("Файл передаётся слишком медленно"));
            }
            if upload.is_some() {
                pending.extend_from_slice(&piece);
            }
        }
        if let Some(upload) = &mut upload
            && (pending.len() >= 512 * 1024 || (ended && !pending.is_empty()))
        {
            let bytes = std::mem::take(&mut pending);
            upload.write(bytes).await.map_err(|error| refused(&error))?;
        }
        if ended {
            break;
        }
    }
    let now = state.base.clock.now();
    match upload {
        None => state.exchange.picture(session),
        Some(upload) => {
            let bytes = upload.finish().await;
            session
                .step(now, format!("получен {}, {}\u{a0}байт", name.shown, ru::thousands(bytes)));
        }
    }
    Ok(())
}

fn refused(error: &StagingError) -> Response {
    match error {
        StagingError::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            failure("На диске Партнёр-М кончилось место")
        }
        StagingError::Io(error) => {
            warn!("файл обмена с сайтом не принят: {error}");
            failure("Файл не записан, подробности в журнале Партнёр-М")
        }
        other => {
            let mut response = failure(&other.to_string());
            *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            response
        }
    }
}

/// `progress` while it goes on, `success` only after the commit.
async fn import(state: &OnecState, guest: &Guest, ask: &Ask) -> Response {
    let session = guest.session(state, ask);
    let name = match Name::read(&ask.filename) {
        Ok(name) => name,
        Err(why) => return failure(why),
    };
    let imported = state.exchange.import(&session, &name, &state.tasks, state.patience).await;
    match imported {
        Ok(Imported::Done) => text("success"),
        Ok(Imported::GoesOn(count)) => text(format!("progress\nОбработано записей: {count}")),
        Ok(Imported::Failed(why)) => failure(&why),
        Err(error) => internal(&error),
    }
}

async fn query(state: &OnecState, guest: &Guest, ask: &Ask) -> Response {
    let session = guest.session(state, ask);
    match state.exchange.query(&session).await {
        Ok(xml) => reply(xml, XML),
        Err(error) => internal(&error),
    }
}

/// Hides what was not touched since the moment that we gave in `checkauth`.
async fn deactivate(state: &OnecState, guest: &Guest, ask: &Ask) -> Response {
    let session = guest.session(state, ask);
    let Some(seconds) = ask.timestamp else {
        return failure("Не указан timestamp: скрывать нечего");
    };
    let since = Timestamp::from_millis(seconds.saturating_mul(1_000));
    done(state.exchange.deactivate(&session, since).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_in_any_order_with_anything_between() {
        let ask = Ask::read(Some(
            "&&sessid=ab&version=3.1&cmlVersion=2&mode=File&type=catalog&filename=import_files/27/%D0%B0.jpg",
        ));
        assert_eq!((ask.kind.as_str(), ask.mode.as_str()), ("catalog", "file"));
        assert_eq!((ask.filename.as_str(), ask.session.as_str()), ("import_files/27/а.jpg", "ab"));
        assert_eq!((ask.version.as_str(), ask.form()), ("3.1", Form::Containers));
        assert!(!is_meant(Some("type=catalog")) && !is_meant(None));
    }

    #[test]
    fn credentials_are_read_in_either_charset() {
        let read = |bytes: &[u8]| {
            let mut headers = HeaderMap::new();
            let text = base64::engine::general_purpose::STANDARD.encode(bytes);
            headers.insert("authorization", format!("Basic {text}").parse().expect("a header"));
            credentials(&headers)
        };
        let pair = Some(("обмен".to_owned(), "п:1".to_owned()));
        assert_eq!(read("обмен:п:1".as_bytes()), pair);
        assert_eq!(read(&WINDOWS_1251.encode("обмен:п:1").0), pair);
        assert_eq!(read(b"nobody"), None);
    }
}
