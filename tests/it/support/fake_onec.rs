//! 1C's HTTP service with the catalogue.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, header};
use axum::routing::get;

use super::server::{Scripted, Server, json};

/// «Обмен:пароль-MARK», as a client must send it.
pub const AUTH: &str = "Basic 0J7QsdC80LXQvTrQv9Cw0YDQvtC70YwtTUFSSw==";

/// The fake: scripted replies first, then the catalogue with its tag for ever.
pub struct FakeOnec {
    server: Server,
    state: Arc<Mutex<FakeState>>,
}

#[derive(Default)]
pub struct FakeState {
    /// The body.
    pub catalog: Vec<u8>,
    /// Its type.
    pub content_type: &'static str,
    /// Its tag; empty: none.
    pub etag: String,
    /// What it answers first.
    pub script: VecDeque<Scripted>,
    /// Headers of the requests.
    pub requests: Vec<HeaderMap>,
    /// How many were answered with 304.
    pub not_modified: usize,
}

type Shared = Arc<Mutex<FakeState>>;

fn lock(state: &Shared) -> MutexGuard<'_, FakeState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeOnec {
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(FakeState {
            catalog: br#"{"items":[{"sku":"A-1","title":"Bolt","price":"10,50"}]}"#.to_vec(),
            content_type: "application/json",
            ..FakeState::default()
        }));
        let router = Router::new()
            .route("/ut/hs/partnerm/catalog", get(catalog))
            .route("/open/catalog", get(open))
            .with_state(state.clone());
        Self { server: Server::http(router).await, state }
    }

    pub fn state(&self) -> MutexGuard<'_, FakeState> {
        lock(&self.state)
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.server.address)
    }

    pub fn base_url(&self) -> String {
        format!("{}/ut/hs/partnerm/", self.origin())
    }
}

async fn catalog(State(state): State<Shared>, headers: HeaderMap) -> Response<Body> {
    let scripted = {
        let mut fake = lock(&state);
        fake.requests.push(headers.clone());
        fake.script.pop_front()
    };
    if let Some(scripted) = scripted {
        return scripted.respond().await;
    }
    if headers.get("authorization").and_then(|value| value.to_str().ok()) != Some(AUTH) {
        return json(401, "");
    }
    let mut fake = lock(&state);
    let asked = headers.get("if-none-match").and_then(|value| value.to_str().ok());
    if !fake.etag.is_empty() && asked == Some(&fake.etag) {
        fake.not_modified += 1;
        return json(304, "");
    }
    let mut response = Response::builder().header(header::CONTENT_TYPE, fake.content_type);
    if !fake.etag.is_empty() {
        response = response.header(header::ETAG, fake.etag.as_str());
    }
    response.body(Body::from(fake.catalog.clone())).expect("a response")
}

/// The same without a login, for redirects.
async fn open(State(state): State<Shared>, headers: HeaderMap) -> Response<Body> {
    let mut fake = lock(&state);
    fake.requests.push(headers);
    json(200, fake.catalog.clone())
}
