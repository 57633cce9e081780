//! OpenAI and servers that speak its protocol: Ollama, vLLM, `DeepSeek`, `YandexGPT`.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat/create>.

use std::sync::{Mutex, PoisonError};

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Url};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::gigachat::{faulty, private, sensitive};
use super::wire::{self, Reply};
use super::{CallError, Calling, Completion, Fault, Prompt, Provider, ProviderKind, prompt};
use crate::clients::http::{self, HttpOptions, HttpSetupError};
use crate::config;
use crate::domain::Clock;

const DEFAULT_BASE: &str = "https://api.openai.com/v1";
const MAX_CONCURRENT: usize = 4;
/// Each refusal teaches one thing, and there are four to learn.
const MAX_LESSONS: usize = 4;

const TRUST: &str = "сертификату сервера нет доверия: положите его корневой сертификат (PEM) в файл \
    и укажите файл в llm.openai.ca_bundle";

/// A client of OpenAI or a compatible server.
pub struct OpenAiClient {
    http: Client,
    clock: Clock,
    authorization: Option<HeaderValue>,
    headers: HeaderMap,
    secret: String,
    chat_url: Url,
    model: String,
    permits: Semaphore,
    manners: Mutex<Manners>,
}

/// What the server was found to accept; kept for the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Manners {
    format: Format,
    temperature: bool,
    /// Reasoning models take `max_completion_tokens` instead.
    max_tokens: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    JsonSchema,
    JsonObject,
    Plain,
}

impl OpenAiClient {
    /// The client, or `None` when there is neither a key nor a base address.
    ///
    /// # Errors
    ///
    /// [`HttpSetupError`], when the address or the file with roots is of no use.
    pub fn new(settings: &config::OpenAi, clock: Clock) -> Result<Option<Self>, HttpSetupError> {
        if settings.api_key.is_none() && settings.base_url.is_none() {
            return Ok(None);
        }
        let base = settings.base_url.as_deref().unwrap_or(DEFAULT_BASE);
        let chat_url = private(http::join(base, "chat/completions")?)?;
        let http = http::client(&HttpOptions {
            timeout: Some(settings.timeout),
            ca_bundle: settings.ca_bundle.clone(),
            direct: http::is_loopback(&chat_url),
            ..HttpOptions::default()
        })?;
        let secret = settings.api_key.as_ref().map_or("", |key| key.expose().trim()).to_owned();
        let authorization = (!secret.is_empty())
            .then(|| sensitive(&format!("Bearer {secret}")))
            .transpose()
            .map_err(|error| HttpSetupError::Library(error.why))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            let unreadable = || HttpSetupError::Library(format!("заголовок «{name}» не читается"));
            let name = HeaderName::try_from(name).map_err(|_| unreadable())?;
            headers.insert(name, HeaderValue::try_from(value).map_err(|_| unreadable())?);
        }
        // DeepSeek knows JSON without a schema only.
        let simple = chat_url.host_str().is_some_and(|host| host.ends_with("deepseek.com"));
        let format = if simple { Format::JsonObject } else { Format::JsonSchema };
        Ok(Some(Self {
            http,
            clock,
            authorization,
            headers,
            secret,
            chat_url,
            model: settings.model.clone(),
            permits: Semaphore::new(MAX_CONCURRENT),
            manners: Mutex::new(Manners { format, temperature: true, max_tokens: true }),
        }))
    }

    fn manners(&self) -> Manners {
        *self.manners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, prompt: &Prompt) -> Result<Completion, CallError> {
        let mut lessons = 0;
        loop {
            let manners = self.manners();
            let reply = self.post(&self.body(prompt, manners)).await?;
            if reply.status.is_success() {
                return wire::completion(&reply, &self.model);
            }
            match lesson(&reply, manners).filter(|_| lessons < MAX_LESSONS) {
                Some(learnt) => {
                    *self.manners.lock().unwrap_or_else(PoisonError::into_inner) = learnt;
                    lessons += 1;
                }
                None => return Err(self.refused(&reply)),
            }
        }
    }

    fn body(&self, prompt: &Prompt, manners: Manners) -> Value {
        let system = match manners.format {
            Format::Plain => prompt.system.clone(),
            Format::JsonSchema | Format::JsonObject => prompt.system_for_object(),
        };
        let mut body = json!({
            "model": self.model,
            "messages": [
                { "role": "system", "content": system },
                { "role": "user", "content": prompt.user },
            ],
        });
        if manners.temperature {
            body["temperature"] = json!(0);
        }
        let limit = if manners.max_tokens { "max_tokens" } else { "max_completion_tokens" };
        body[limit] = json!(if manners.max_tokens { 1_500 } else { 6_000 });
        match manners.format {
            Format::JsonSchema => {
                body["response_format"] = json!({
                    "type": "json_schema",
                    "json_schema": { "name": "order", "strict": true, "schema": prompt::schema() },
                });
            }
            Format::JsonObject => body["response_format"] = json!({ "type": "json_object" }),
            Format::Plain => {}
        }
        body
    }

    async fn post(&self, body: &Value) -> Result<Reply, CallError> {
        let permit = self.permits.acquire().await;
        let Ok(_permit) = permit else {
            return Err(CallError::new(Fault::Busy(None), "занято другими запросами"));
        };
        let mut request = self.http.post(self.chat_url.clone()).header(ACCEPT, "application/json");
        request = request.headers(self.headers.clone());
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        wire::send(request.json(body), &self.clock, TRUST).await
    }

    /// A refusal in words. The server's own message may hold a part of the key: for the refusals
    /// of a key only the code is told.
    fn refused(&self, reply: &Reply) -> CallError {
        let status = reply.status.as_u16();
        let value: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        let code = value["error"]["code"].as_str().or_else(|| value["error"]["type"].as_str());
        let code: String = code.unwrap_or_default().chars().take(60).collect();
        let why = match (status, code.as_str()) {
            (401, _) => format!("ключ не принят (ответ 401 {code}): проверьте OPENAI_API_KEY"),
            (403, "unsupported_country_region_territory") => {
                "сервер не обслуживает эту страну (ответ 403): укажите llm.openai.base_url другого \
                 сервера или прокси HTTPS_PROXY"
                    .to_owned()
            }
            (403, _) => format!("доступ запрещён (ответ 403 {code})"),
            (402, _) | (429, "insufficient_quota") => {
                format!("на счёте нет средств (ответ {status} {code})")
            }
            (404, _) => format!("нет модели {} или адреса (ответ 404 {code})", self.model),
            _ => return faulty(reply, &self.secret, "OpenAI"),
        };
        CallError::new(Fault::Refused, why.replace(" )", ")"))
    }
}

/// What a refusal teaches; `None` when it is about something else.
fn lesson(reply: &Reply, now: Manners) -> Option<Manners> {
    if !matches!(reply.status.as_u16(), 400 | 404 | 422) {
        return None;
    }
    let body = reply.body.to_lowercase();
    let mut learnt = now;
    if body.contains("max_tokens") && now.max_tokens {
        learnt.max_tokens = false;
    } else if body.contains("temperature") && now.temperature {
        learnt.temperature = false;
    } else if ["response_format", "json_schema", "json_object"].iter().any(|w| body.contains(w)) {
        learnt.format = match now.format {
            Format::JsonSchema => Format::JsonObject,
            Format::JsonObject | Format::Plain => Format::Plain,
        };
    }
    (learnt != now).then_some(learnt)
}

impl Provider for OpenAiClient {
    fn kind(&self) -> ProviderKind {
        ProviderKind::OpenAi
    }

    fn model(&self) -> &str {
        &self.model
    }

    fn complete<'a>(&'a self, prompt: &'a Prompt) -> Calling<'a, Result<Completion, CallError>> {
        Box::pin(self.ask(prompt))
    }
}
