//! `/health` and `/metrics`: what the program tells those who watch it.

use std::net::SocketAddr;
use std::time::Instant;

use axum::Json;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::CookieJar;
use serde_json::{Map, Value, json};

use super::error::WebError;
use super::session::CookieNames;
use super::{Desk, privilege};
use crate::services::health::{Report, VERSION};
use crate::services::{meter, metrics};

/// `GET /health`: 200, or 503 when the database cannot be written. What was looked at is for staff,
/// for who has `metrics.token`, and for loopback privilege.
pub async fn health(State(desk): State<Desk>, request: Request) -> Result<Response, WebError> {
    let (parts, _) = request.into_parts();
    let report = desk.operations.health.report().await;
    let details = by_token(&desk, &parts)
        || privileged(&desk, &parts).await?
        || staff(&desk, &parts.headers).await?;
    let status = if report.writable() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((status, Json(told(&report, details))).into_response())
}

fn told(report: &Report, details: bool) -> Value {
    let status = if report.writable() { "ok" } else { "error" };
    if !details {
        return json!({ "status": status, "version": VERSION });
    }
    let checks: Map<String, Value> =
        report.checks.iter().map(|check| (check.name.to_owned(), json!(check))).collect();
    json!({
        "status": status, "version": VERSION, "uptime_seconds": report.uptime.as_secs(),
        "checks": checks,
    })
}

/// `GET /metrics`: figures for a monitoring system.
pub async fn metrics_page(
    State(desk): State<Desk>,
    request: Request,
) -> Result<Response, WebError> {
    let (parts, _) = request.into_parts();
    if !by_token(&desk, &parts) && !privileged(&desk, &parts).await? {
        let why = "нужен токен: metrics.token в настройках программы, Authorization: Bearer";
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
        let body = Json(json!({ "detail": why }));
        return Ok((StatusCode::UNAUTHORIZED, challenge, body).into_response());
    }
    let page = metrics::page(&desk.base, &desk.operations.health).await?;
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], page).into_response())
}

/// Whether the request carries `metrics.token`, as a bearer or as `?token=`.
fn by_token(desk: &Desk, parts: &Parts) -> bool {
    let Some(token) = &desk.base.config.metrics_token else { return false };
    let bearer = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer ")).map(str::trim);
    let query = parts.uri.query().unwrap_or_default();
    let in_query = query.split('&').find_map(|pair| pair.strip_prefix("token="));
    [bearer, in_query].into_iter().flatten().any(|given| token.matches(given))
}

/// Where there is a token, the token it is.
async fn privileged(desk: &Desk, parts: &Parts) -> Result<bool, WebError> {
    let config = &desk.base.config;
    let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() else {
        return Ok(false);
    };
    let has_admin = desk.accounts.has_admin().await?;
    Ok(config.metrics_token.is_none()
        && privilege::loopback(*peer, &parts.headers, config, has_admin))
}

async fn staff(desk: &Desk, headers: &HeaderMap) -> Result<bool, WebError> {
    let jar = CookieJar::from_headers(headers);
    let Some(cookie) = jar.get(CookieNames::of(desk).session) else { return Ok(false) };
    Ok(desk.accounts.session(cookie.value()).await?.is_some())
}

/// Counts every request by the pattern of its route: what was not routed has none.
pub async fn count(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = match request.method().as_str() {
        known @ ("GET" | "POST" | "HEAD" | "PUT" | "DELETE" | "OPTIONS") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let response = next.run(request).await;
    let route = route.as_deref().unwrap_or("-");
    meter::request(&method, route, response.status().as_u16(), started.elapsed());
    response
}
