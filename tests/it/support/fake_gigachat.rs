//! GigaChat's two ends, OAuth and API, as strict as the documents say.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::routing::post;
use partner_m::config;
use partner_m::domain::{Clock, Secret};
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::{Leaf, Scripted, Server, json as reply};

pub const KEY: &str = "Y2xpZW50OnNlY3JldC1NQVJLLTEyMw==";
pub const TOKEN_MARK: &str = "token-MARK";
pub const MODEL: &str = "GigaChat";

/// The fake. What it was asked is kept; what it answers is scripted, one reply a request, then
/// `answer` for ever.
pub struct FakeGigaChat {
    server: Server,
    scheme: &'static str,
    state: Arc<Mutex<FakeState>>,
}

pub struct FakeState {
    clock: Clock,
    /// The content of the usual answer.
    pub answer: String,
    /// What the API answers first.
    pub script: VecDeque<Scripted>,
    /// What the OAuth end answers first.
    pub token_script: VecDeque<Scripted>,
    /// How long a token lives.
    pub token_life: Duration,
    /// Whether tokens come in the older shape, in seconds.
    pub old_shape: bool,
    /// Bodies of the questions.
    pub questions: Vec<Value>,
    /// Tokens given so far.
    pub tokens: usize,
    /// The most requests that were at the API at one time.
    pub crowd: usize,
    present: usize,
    valid: HashSet<String>,
    rquids: HashSet<Uuid>,
}

impl FakeState {
    /// The tokens given so far are good no more.
    pub fn revoke_tokens(&mut self) {
        self.valid.clear();
    }
}

type Shared = Arc<Mutex<FakeState>>;

fn lock(state: &Shared) -> MutexGuard<'_, FakeState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeGigaChat {
    pub async fn start(clock: &Clock) -> Self {
        let (state, router) = build(clock);
        Self { server: Server::http(router).await, scheme: "http", state }
    }

    pub async fn start_tls(clock: &Clock, leaf: Leaf) -> Self {
        let (state, router) = build(clock);
        Self { server: Server::tls(router, leaf).await, scheme: "https", state }
    }

    pub fn state(&self) -> MutexGuard<'_, FakeState> {
        lock(&self.state)
    }

    /// Settings that lead here.
    pub fn settings(&self) -> config::GigaChat {
        let base = format!("{}://{}", self.scheme, self.server.address);
        config::GigaChat {
            auth_key: Some(Secret::new(KEY)),
            oauth_url: format!("{base}/api/v2/oauth"),
            scope: "GIGACHAT_API_B2B".to_owned(),
            api_base_url: format!("{base}/api/v1/"),
            model: MODEL.to_owned(),
            ..config::Config::default().llm.gigachat
        }
    }
}

fn build(clock: &Clock) -> (Shared, Router) {
    let state = Arc::new(Mutex::new(FakeState {
        clock: clock.clone(),
        answer: "[]".to_owned(),
        script: VecDeque::new(),
        token_script: VecDeque::new(),
        token_life: Duration::from_mins(30),
        old_shape: false,
        questions: Vec::new(),
        tokens: 0,
        crowd: 0,
        present: 0,
        valid: HashSet::new(),
        rquids: HashSet::new(),
    }));
    let router = Router::new()
        .route("/api/v2/oauth", post(oauth))
        .route("/api/v1/chat/completions", post(chat))
        .with_state(state.clone());
    (state, router)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn oauth(State(state): State<Shared>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let scripted = lock(&state).token_script.pop_front();
    if let Some(scripted) = scripted {
        return scripted.respond().await;
    }
    let mut fake = lock(&state);
    let refuse = |status: u16, code: i64, message: &str| {
        reply(status, json!({ "code": code, "message": message }).to_string())
    };
    let id = Uuid::parse_str(header(&headers, "rquid")).ok();
    let fresh = id.filter(|id| id.get_version_num() == 4).is_some_and(|id| fake.rquids.insert(id));
    if !fresh {
        return refuse(400, 8, "RqUID is missing, malformed or repeated");
    }
    if header(&headers, "content-type") != "application/x-www-form-urlencoded" {
        return refuse(400, 9, "form expected");
    }
    if header(&headers, "authorization") != format!("Basic {KEY}") {
        return refuse(401, 6, "credentials doesn't match db data");
    }
    if !matches!(&body[..], b"scope=GIGACHAT_API_B2B" | b"scope=GIGACHAT_API_PERS") {
        return refuse(400, 1, "scope data format invalid");
    }
    fake.tokens += 1;
    let token = format!("{TOKEN_MARK}-{}", fake.tokens);
    fake.valid.insert(token.clone());
    let expires = fake.clock.now().plus(fake.token_life).millis();
    if fake.old_shape {
        return reply(200, json!({ "tok": token, "exp": expires / 1_000 }).to_string());
    }
    reply(200, json!({ "access_token": token, "expires_at": expires }).to_string())
}

async fn chat(State(state): State<Shared>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let question: Value = match serde_json::from_slice(&body) {
        Ok(question) => question,
        Err(_) => return refuse(400, "malformed"),
    };
    let scripted = {
        let mut fake = lock(&state);
        fake.questions.push(question.clone());
        fake.present += 1;
        fake.crowd = fake.crowd.max(fake.present);
        fake.script.pop_front()
    };
    tokio::task::yield_now().await; // others may come in
    lock(&state).present -= 1;
    if let Some(scripted) = scripted {
        return scripted.respond().await;
    }
    let fake = lock(&state);
    let token = header(&headers, "authorization").strip_prefix("Bearer ").unwrap_or_default();
    if !fake.valid.contains(token) {
        return refuse(401, "Token has expired");
    }
    let known = ["model", "messages", "temperature", "max_tokens"];
    let fields = question.as_object().map(|fields| fields.keys().map(String::as_str));
    if let Some(odd) = fields.and_then(|mut keys| keys.find(|key| !known.contains(key))) {
        return refuse(422, &format!("Invalid params: {odd}"));
    }
    if question["model"] != MODEL {
        return refuse(404, "No such model");
    }
    let roles: Vec<_> = question["messages"].as_array().into_iter().flatten().collect();
    if roles.len() != 2 || roles[0]["role"] != "system" || roles[1]["role"] != "user" {
        return refuse(422, "Invalid params: system message must be the first");
    }
    let answer = json!({
        "choices": [{
            "message": { "role": "assistant", "content": fake.answer },
            "index": 0,
            "finish_reason": "stop",
        }],
        "created": 1_768_996_171,
        "model": "GigaChat:2.0.28.2",
        "object": "chat.completion",
        "usage": { "prompt_tokens": 210, "completion_tokens": 64, "total_tokens": 274 },
    });
    reply(200, answer.to_string())
}

fn refuse(status: u16, message: &str) -> Response<Body> {
    reply(status, json!({ "status": status, "message": message }).to_string())
}
