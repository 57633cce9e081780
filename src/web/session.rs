//! Who is looking: cookies, the proof that a form is ours, the hosts we answer to.
//!
//! One middleware, [`guard`], stands before every page of the panel and of the browser chat. It
//! leaves a [`Visitor`] for the handlers and refuses what may not pass.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use maud::Markup;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Desk;
use super::admin::login;
use super::assets::hex;
use super::error::WebError;
use crate::domain::{Channel, Role};
use crate::services::accounts::{self, StaffSession};
use crate::services::ordering::Actor;

/// A form's fields together; a file has its own limit.
const FORM_LIMIT: usize = 2 * 1024 * 1024;

/// A form has to arrive within this time.
const FORM_WITHIN: Duration = Duration::from_mins(1);

/// A form with a file, over a slow line.
const FILE_WITHIN: Duration = Duration::from_mins(10);

/// A form with a file in it: 20 MB, as in Telegram, and its wrapping.
pub const FILE_LIMIT: usize = 21 * 1024 * 1024;

/// The panel's signed-in person.
#[derive(Debug, Clone)]
pub struct ManagerSession {
    /// Who, and what they may do; at least a manager.
    pub staff: StaffSession,
    /// The IP address, for the journal.
    pub address: String,
}

impl ManagerSession {
    /// The person as the one who changes an order.
    pub fn actor(&self) -> Actor {
        Actor { person: Some(self.staff.person), channel: Channel::Panel }
    }

    /// The person as the one who changes people, organizations, the catalogue's own fields.
    pub fn account_actor(&self) -> accounts::Actor {
        self.staff.actor(self.address.clone())
    }

    /// Refuses who is no administrator; `right` is what they would need.
    pub fn must_be_admin(&self, right: &'static str) -> Result<(), WebError> {
        if self.staff.role == Role::Admin { Ok(()) } else { Err(WebError::Forbidden(right)) }
    }
}

/// A person's wish about light and dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The cookie's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme with this name; the system's for any other.
    pub fn named(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The value of the page's attribute, where the person has fixed one.
    pub fn fixed(self) -> Option<&'static str> {
        (self != Self::System).then(|| self.as_str())
    }

    /// What the button leads to.
    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }
}

/// Whoever sent this request.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Light or dark.
    pub theme: Theme,
    /// What a form must carry to be ours.
    pub csrf: String,
    /// The company, for the titles of pages.
    pub company: String,
    /// The panel's session, where there is one.
    pub session: Option<ManagerSession>,
    /// The session's token, to end it.
    pub token: Option<String>,
    /// The peer's address as the program believes it.
    pub address: String,
    /// Whether what is typed travels a network without https.
    pub overheard: bool,
}

impl Visitor {
    /// What the headers alone tell: enough to draw a page that says no.
    pub fn of_headers(desk: &Desk, headers: &HeaderMap) -> Self {
        let jar = CookieJar::from_headers(headers);
        Self {
            theme: jar.get("theme").map(|c| Theme::named(c.value())).unwrap_or_default(),
            csrf: String::new(),
            company: desk.base.config.company.name.clone(),
            session: None,
            token: None,
            address: String::new(),
            overheard: false,
        }
    }

    /// The visitor with this session.
    #[must_use]
    pub fn signed_in(mut self, staff: StaffSession, token: &str) -> Self {
        staff.csrf.expose().clone_into(&mut self.csrf);
        self.session = Some(ManagerSession { staff, address: self.address.clone() });
        self.token = Some(token.to_owned());
        self
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, WebError> {
        let visitor = parts.extensions.get::<Self>().cloned();
        visitor.ok_or_else(|| WebError::internal("a page outside the guard"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ManagerSession {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, WebError> {
        let visitor = Visitor::from_request_parts(parts, state).await?;
        let here = parts.uri.path_and_query().map_or("/admin", |p| p.as_str()).to_owned();
        visitor.session.ok_or(WebError::SignIn(here))
    }
}

/// The names of our cookies: with the `__Host-` prefix where pages come over https.
///
/// Source: RFC 6265bis, cookie name prefixes
/// <https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-__host-prefix>.
#[derive(Debug, Clone, Copy)]
pub struct CookieNames {
    /// The panel's session.
    pub session: &'static str,
    /// A visit before sign-in, for the proof of the sign-in form.
    pub visit: &'static str,
    /// Whether cookies travel over https only.
    pub secure: bool,
}

impl CookieNames {
    /// As the settings say.
    pub fn of(desk: &Desk) -> Self {
        let url = desk.base.config.server.public_url.as_deref();
        if url.is_some_and(|url| url.starts_with("https://")) {
            return Self { session: "__Host-session", visit: "__Host-visit", secure: true };
        }
        Self { session: "session", visit: "visit", secure: false }
    }

    /// A cookie of ours; it lives as long as the browser does.
    pub fn make(self, name: &'static str, value: String) -> Cookie<'static> {
        Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .build()
    }
}

/// The token of a form: HMAC-SHA256 of a fixed word under the cookie's secret.
fn csrf_of(secret: &str) -> String {
    const BLOCK: usize = 64;
    let key = Sha256::digest(secret.as_bytes());
    let pad = |byte: u8| {
        let mut block = [byte; BLOCK];
        for (slot, key) in block.iter_mut().zip(key.iter()) {
            *slot ^= key;
        }
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(b"form").finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    hex(&outer[..16])
}

/// 256 random bits, in hex.
fn random_token() -> Result<String, WebError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(WebError::internal)?;
    Ok(hex(&bytes))
}

/// Stands before every page that a browser opens.
pub async fn guard(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let private = request.uri().path().starts_with("/admin");
    let mut response = match admit(&desk, request).await {
        Ok(Admitted::Through(request, cookie)) => {
            let visitor = request.extensions().get::<Visitor>().cloned();
            let mut response = next.run(*request).await;
            if let Some(visitor) = visitor {
                // For the page of a refusal.
                response.extensions_mut().insert(visitor);
            }
            if let Some(cookie) = cookie.and_then(|c| HeaderValue::from_str(&c.to_string()).ok()) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Ok(Admitted::Stopped(status, page)) => (status, page).into_response(),
        Err(error) => error.into_response(),
    };
    if private {
        let value = HeaderValue::from_static("no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, value);
    }
    response
}

enum Admitted {
    /// Goes on, with a cookie to set.
    Through(Box<Request>, Option<Cookie<'static>>),
    /// Is answered with this page.
    Stopped(StatusCode, Markup),
}

async fn admit(desk: &Desk, request: Request) -> Result<Admitted, WebError> {
    let (mut parts, body) = request.into_parts();
    if !host_is_ours(desk, &parts.headers) {
        return Err(WebError::WrongHost);
    }
    let names = CookieNames::of(desk);
    let jar = CookieJar::from_headers(&parts.headers);
    let mut visitor = Visitor::of_headers(desk, &parts.headers);
    let peer = desk.peer(&parts);
    visitor.address = peer.to_string();
    visitor.overheard = !names.secure && !peer.is_loopback();
    if let Some(cookie) = jar.get(names.session)
        && let Some(staff) = desk.accounts.session(cookie.value()).await?
    {
        visitor = visitor.signed_in(staff, cookie.value());
    }
    let mut set = None;
    if visitor.session.is_none() {
        if let Some(visit) = jar.get(names.visit) {
            visitor.csrf = csrf_of(visit.value());
        } else {
            let token = random_token()?;
            visitor.csrf = csrf_of(&token);
            set = Some(names.make(names.visit, token));
        }
    }
    let path = parts.uri.path();
    let panel =
        path.starts_with("/admin") && path != "/admin/login" && !path.starts_with("/admin/enter/");
    if parts.method == Method::GET || parts.method == Method::HEAD {
        if panel && visitor.session.is_none() {
            let here = parts.uri.path_and_query().map_or("/admin", |p| p.as_str());
            return Err(WebError::SignIn(here.to_owned()));
        }
        parts.extensions.insert(visitor);
        return Ok(Admitted::Through(Box::new(Request::from_parts(parts, body)), set));
    }
    if !same_origin(&parts.headers) {
        return Err(WebError::NotOurs);
    }
    let bytes = read_form(&parts, body).await?;
    if panel && visitor.session.is_none() {
        // Nothing typed is lost: the form's fields travel through the sign-in. A file does not: it
        // is chosen again.
        let carried = if is_multipart(&parts.headers) {
            login::Carried::of_upload(&parts, bytes).await
        } else {
            login::Carried::of_form(&bytes)
        };
        let page = login::carried(&visitor, path, &carried);
        return Ok(Admitted::Stopped(StatusCode::UNAUTHORIZED, page));
    }
    let given = given_token(&parts.headers, &bytes);
    let ours = given.is_some_and(|given| given.as_bytes().ct_eq(visitor.csrf.as_bytes()).into());
    if !ours {
        return Err(WebError::NotOurs);
    }
    parts.extensions.insert(visitor);
    let request = Request::from_parts(parts, Body::from(bytes));
    Ok(Admitted::Through(Box::new(request), set))
}

async fn read_form(parts: &Parts, body: Body) -> Result<Bytes, WebError> {
    let limit = if is_multipart(&parts.headers) { FILE_LIMIT } else { FORM_LIMIT };
    let patience = if limit == FILE_LIMIT { FILE_WITHIN } else { FORM_WITHIN };
    let read = tokio::time::timeout(patience, to_bytes(body, limit)).await;
    let read = read.map_err(|_| WebError::TooSlow)?;
    read.map_err(|_| WebError::Invalid("Слишком много данных: до 20 МБ в файле.".to_owned()))
}

fn is_multipart(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("multipart/form-data"))
}

/// The token in the header or among the fields.
fn given_token(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    if let Some(value) = headers.get("x-csrf-token") {
        return value.to_str().ok().map(str::to_owned);
    }
    if is_multipart(headers) {
        // Our forms put the field first, before any file.
        let head = String::from_utf8_lossy(&body[..body.len().min(1_024)]).into_owned();
        let (_, after) = head.split_once("name=\"csrf\"\r\n\r\n")?;
        return after.split_once("\r\n").map(|(value, _)| value.to_owned());
    }
    let text = std::str::from_utf8(body).ok()?;
    text.split('&').find_map(|pair| pair.strip_prefix("csrf=")).map(str::to_owned)
}

/// Whether the browser says that the request was made by a page of ours.
///
/// Source: Fetch Metadata <https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header>.
fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match (text("origin"), text("host")) {
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(host))
        }
        // Neither header: not a browser of this decade; the token decides.
        _ => true,
    }
}

/// Whether the request was sent to an address of ours. A name that is not ours may have been made
/// to point here by someone else's page; a bare IP address cannot have been.
fn host_is_ours(desk: &Desk, headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|v| v.to_str().ok()) else {
        return false;
    };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(name, _)| name),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    if name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok() {
        return true;
    }
    let public = desk.base.config.server.public_url.as_deref().unwrap_or_default();
    let public = public.split_once("://").map_or("", |(_, rest)| rest);
    let public = public.split('/').next().unwrap_or_default();
    let public = public.rsplit_once(':').map_or(public, |(name, _)| name);
    !public.is_empty() && public.eq_ignore_ascii_case(name)
}

/// Where to go after signing in: a path of the panel or the chat, else the panel's first page.
pub fn safe_next(next: &str) -> &str {
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let under = |root: &str| {
        path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let known = under("/admin") || under("/chat");
    let plain = !path.contains(['\\', '%']) && !path.contains("..") && !path.contains("//");
    if known && plain && !next.contains(char::is_control) { next } else { "/admin" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_ours_is_gone_to_after_sign_in() {
        for next in ["/admin", "/admin/orders?q=%D0%B0&status=new", "/admin/orders/1042", "/chat"] {
            assert_eq!(safe_next(next), next);
        }
        for next in [
            "",
            "//evil",
            "/\\evil",
            "https:evil",
            "https://evil",
            "/%09/evil",
            "/admin/../..//evil",
            "/administrator",
            "/admin\n",
            "/admin/%2e%2e/x",
        ] {
            assert_eq!(safe_next(next), "/admin", "{next:?}");
        }
    }

    #[test]
    fn a_form_from_elsewhere_is_told_apart() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| {
                (header::HeaderName::from_static(name), HeaderValue::from_static(value))
            });
            pairs.collect::<HeaderMap>()
        };
        assert!(same_origin(&headers(&[("sec-fetch-site", "same-origin")])));
        assert!(!same_origin(&headers(&[("sec-fetch-site", "cross-site")])));
        assert!(!same_origin(&headers(&[("sec-fetch-site", "same-site")])));
        assert!(same_origin(&headers(&[
            ("origin", "http://localhost:8000"),
            ("host", "localhost:8000")
        ])));
        assert!(!same_origin(&headers(&[
            ("origin", "http://evil.example"),
            ("host", "localhost:8000")
        ])));
        assert!(!same_origin(&headers(&[("origin", "null"), ("host", "localhost:8000")])));
    }

    #[test]
    fn the_token_is_found_in_every_kind_of_form() {
        let mut headers = HeaderMap::new();
        assert_eq!(given_token(&headers, b"text=1&csrf=abc"), Some("abc".to_owned()));
        assert_eq!(given_token(&headers, b"text=csrf"), None);
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("multipart/form-data; boundary=x"),
        );
        let body = b"--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc\r\n--x\r\n";
        assert_eq!(given_token(&headers, body), Some("abc".to_owned()));
        headers.insert("x-csrf-token", HeaderValue::from_static("def"));
        assert_eq!(given_token(&headers, b""), Some("def".to_owned()));
        assert_ne!(csrf_of("one"), csrf_of("two"));
    }
}
