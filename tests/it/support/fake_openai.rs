//! OpenAI's chat completions, with the manners of compatible servers on request.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::routing::post;
use partner_m::config;
use partner_m::domain::Secret;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::server::{Leaf, Scripted, Server, json as reply};

pub const KEY: &str = "sk-MARK-456";

/// The fake: scripted replies first, then `answer` for ever.
pub struct FakeOpenAi {
    server: Server,
    scheme: &'static str,
    state: Arc<Mutex<FakeState>>,
}

#[derive(Default)]
pub struct FakeState {
    /// The content of the usual answer.
    pub answer: String,
    /// What it answers first.
    pub script: VecDeque<Scripted>,
    /// Parameters that the model refuses.
    pub refuses: Vec<&'static str>,
    /// Bodies of the questions.
    pub questions: Vec<Value>,
    /// `OpenAI-Project` of the last question.
    pub project: Option<String>,
    /// Answers wait until this is notified.
    pub gate: Option<Arc<Notify>>,
}

type Shared = Arc<Mutex<FakeState>>;

fn lock(state: &Shared) -> MutexGuard<'_, FakeState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeOpenAi {
    pub async fn start() -> Self {
        let (state, router) = build();
        Self { server: Server::http(router).await, scheme: "http", state }
    }

    pub async fn start_tls(leaf: Leaf) -> Self {
        let (state, router) = build();
        Self { server: Server::tls(router, leaf).await, scheme: "https", state }
    }

    pub fn state(&self) -> MutexGuard<'_, FakeState> {
        lock(&self.state)
    }

    /// Settings that lead here.
    pub fn settings(&self) -> config::OpenAi {
        config::OpenAi {
            api_key: Some(Secret::new(KEY)),
            base_url: Some(format!("{}://{}/v1", self.scheme, self.server.address)),
            ..config::Config::default().llm.openai
        }
    }
}

fn build() -> (Shared, Router) {
    let state = Arc::new(Mutex::new(FakeState { answer: "[]".into(), ..Default::default() }));
    let router = Router::new().route("/v1/chat/completions", post(chat)).with_state(state.clone());
    (state, router)
}

async fn chat(State(state): State<Shared>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let scripted = lock(&state).script.pop_front();
    let question: Value = match serde_json::from_slice(&body) {
        Ok(question) => question,
        Err(_) => return refuse(400, "malformed", "invalid_request_error"),
    };
    lock(&state).questions.push(question.clone());
    let project = headers.get("openai-project").and_then(|value| value.to_str().ok());
    lock(&state).project = project.map(str::to_owned);
    let gate = lock(&state).gate.clone();
    if let Some(gate) = gate {
        gate.notified().await;
    }
    if let Some(scripted) = scripted {
        return scripted.respond().await;
    }
    let fake = lock(&state);
    let key = headers.get("authorization").and_then(|value| value.to_str().ok());
    if key != Some(&format!("Bearer {KEY}")) {
        return refuse(401, "Incorrect API key provided: sk-MARK", "invalid_api_key");
    }
    for name in &fake.refuses {
        if !question[*name].is_null() {
            let message = format!("Unsupported parameter: '{name}'");
            return refuse(400, &message, "unsupported_parameter");
        }
    }
    if question["response_format"]["type"] == "json_schema" {
        let schema = &question["response_format"]["json_schema"];
        let item = &schema["schema"]["properties"]["items"]["items"];
        let strict = schema["strict"] == true
            && schema["schema"]["additionalProperties"] == false
            && item["additionalProperties"] == false
            && item["required"].as_array().map(Vec::len)
                == item["properties"].as_object().map(serde_json::Map::len);
        if !strict {
            return refuse(400, "Invalid schema for response_format", "invalid_request_error");
        }
    }
    let answer = json!({
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_768_996_171,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{
            "index": 0,
            "finish_reason": "stop",
            "message": { "role": "assistant", "content": fake.answer, "refusal": null },
        }],
        "usage": { "prompt_tokens": 180, "completion_tokens": 60, "total_tokens": 240 },
    });
    reply(200, answer.to_string())
}

fn refuse(status: u16, message: &str, code: &str) -> Response<Body> {
    let error = json!({ "message": message, "type": "invalid_request_error", "code": code });
    reply(status, json!({ "error": error }).to_string())
}
