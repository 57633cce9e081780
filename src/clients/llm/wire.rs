//! What the providers' wires have in common: sending, errors in words, the shape of an answer.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

use super::{CallError, Completion, Fault};
use crate::clients::http::{self, Body, Failure};
use crate::domain::Clock;

/// An answer is read up to here.
const MAX_BODY: usize = 256 * 1024;

/// An answer as it came.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) request_id: Option<String>,
    pub(super) body: String,
}

/// Sends and reads; `trust` is said when the certificate leads to no trusted root.
pub(super) async fn send(
    request: RequestBuilder,
    clock: &Clock,
    trust: &str,
) -> Result<Reply, CallError> {
    let response = request.send().await.map_err(|error| network(error, trust))?;
    let status = response.status();
    let headers = response.headers().clone();
    let body = match http::body(response, MAX_BODY).await {
        Ok(Body::Whole(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        Ok(Body::TooLong) => {
            return Err(CallError::new(Fault::Garbled, "ответ длиннее 256\u{a0}КиБ, он отброшен"));
        }
        Err(error) => return Err(network(error, trust)),
    };
    Ok(Reply {
        status,
        retry_after: http::retry_after(&headers, clock.now()),
        request_id: request_id(&headers),
        body,
    })
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-request-id")?.to_str().ok()?;
    Some(id.chars().filter(|c| !c.is_control()).take(64).collect())
}

fn network(error: reqwest::Error, trust: &str) -> CallError {
    let (failure, text) = http::failure(error);
    let why = match failure {
        Failure::UntrustedRoot => trust.to_owned(),
        Failure::Expired => {
            "срок сертификата сервера истёк или ещё не начался: проверьте часы этой машины; если \
             они верны, сертификат должен обновить владелец сервера"
                .to_owned()
        }
        Failure::WrongName => "сертификат сервера выдан на другое имя: проверьте адрес".to_owned(),
        Failure::Tls => format!("защищённое соединение не установлено: {text}"),
        Failure::Name => "имя сервера не найдено: проверьте адрес и DNS".to_owned(),
        Failure::Connect => {
            format!("соединения нет: проверьте адрес, порт и исходящий доступ ({text})")
        }
        Failure::Timeout => "нет ответа за отведённое время".to_owned(),
        Failure::Broken => format!("соединение оборвалось ({text})"),
    };
    CallError::new(Fault::Network, why)
}

/// What the server says of its refusal: `error.message`, `error`, `detail`, `message`, else the
/// beginning of the body. On one line, at most 200 characters, `secret` masked wherever it stands.
pub(super) fn complaint(body: &str, secret: &str) -> String {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    let error = &value["error"];
    let candidates = [&error["message"], error, &value["detail"], &value["message"]];
    let text = candidates.into_iter().find_map(Value::as_str).unwrap_or(body);
    let text = if is_page(text) { "страница HTML" } else { text };
    let text = if secret.len() >= 4 { text.replace(secret, "***") } else { text.to_owned() };
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

/// Whether the body is a page for people.
fn is_page(body: &str) -> bool {
    body.trim_start().starts_with('<')
}

/// The answer of a chat completion, as both protocols shape it.
///
/// Source: <https://platform.openai.com/docs/api-reference/chat/object>,
/// <https://developers.sber.ru/docs/ru/gigachat/api/reference/rest/post-chat>.
pub(super) fn completion(reply: &Reply, model: &str) -> Result<Completion, CallError> {
    let garbled = |why: &str| CallError::new(Fault::Garbled, why);
    if is_page(&reply.body) {
        return Err(garbled("вместо ответа модели пришла страница HTML: проверьте адрес"));
    }
    let value: Value = serde_json::from_str(&reply.body)
        .map_err(|_| garbled("ответ не читается: это не JSON, или он оборван"))?;
    let choice = &value["choices"][0];
    if choice.is_null() {
        return Err(garbled("в ответе нет choices"));
    }
    match choice["finish_reason"].as_str() {
        None | Some("stop" | "function_call" | "tool_calls" | "") => {}
        Some("length") => {
            return Err(CallError::new(Fault::Declined, "ответ модели оборван по длине"));
        }
        Some("blacklist" | "content_filter") => {
            return Err(CallError::new(
                Fault::Declined,
                "модель отказалась отвечать на этот текст",
            ));
        }
        Some(other) => {
            let other: String = other.chars().filter(|c| c.is_alphanumeric()).take(30).collect();
            return Err(CallError::new(Fault::Declined, format!("модель не ответила ({other})")));
        }
    }
    let message = &choice["message"];
    if message["refusal"].as_str().is_some_and(|text| !text.is_empty()) {
        return Err(CallError::new(Fault::Declined, "модель отказалась отвечать на этот текст"));
    }
    let call = [&message["function_call"], &message["tool_calls"][0]["function"]];
    let arguments = call.into_iter().map(|call| &call["arguments"]).find(|value| !value.is_null());
    let content = match (arguments, &message["content"]) {
        (Some(arguments), _) => text_of(arguments),
        (None, content) => text_of(content),
    };
    if content.trim().is_empty() {
        return Err(garbled("ответ модели пуст"));
    }
    Ok(Completion {
        content,
        model: value["model"].as_str().unwrap_or(model).chars().take(100).collect(),
        tokens: value["usage"]["total_tokens"].as_u64(),
        request_id: reply.request_id.clone(),
    })
}

/// A string; the texts of an array of parts; anything else as JSON; nothing of `null`.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(parts) if parts.iter().all(|part| part["text"].is_string()) => {
            parts.iter().filter_map(|part| part["text"].as_str()).collect()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(body: &str) -> Result<String, Fault> {
        let reply = Reply {
            status: StatusCode::OK,
            retry_after: None,
            request_id: None,
            body: body.to_owned(),
        };
        completion(&reply, "m").map(|c| c.content).map_err(|e| e.fault)
    }

    #[test]
    fn an_answer_is_found_in_every_shape() {
        for (body, expected) in [
            (r#"{"choices":[{"message":{"content":"[]"},"finish_reason":"stop"}]}"#, "[]"),
            (r#"{"choices":[{"message":{"content":[{"type":"text","text":"[]"}]}}]}"#, "[]"),
            (
                r#"{"choices":[{"message":{"content":"","function_call":{"name":"o","arguments":{"items":[]}}},"finish_reason":"function_call"}]}"#,
                r#"{"items":[]}"#,
            ),
            (
                r#"{"choices":[{"message":{"content":null,"tool_calls":[{"function":{"arguments":"{\"items\":[]}"}}]},"finish_reason":"tool_calls"}]}"#,
                r#"{"items":[]}"#,
            ),
            ("\n\n\n{\"choices\":[{\"message\":{\"content\":\"[1]\"}}]}", "[1]"),
        ] {
            assert_eq!(content(body), Ok(expected.to_owned()), "{body}");
        }
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        for (body, fault) in [
            ("<html><body>Вход</body></html>", Fault::Garbled),
            ("", Fault::Garbled),
            ("{\"choices\":[{\"mess", Fault::Garbled),
            ("{\"choices\":[]}", Fault::Garbled),
            (
                r#"{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}"#,
                Fault::Garbled,
            ),
            (
                r#"{"choices":[{"message":{"content":"[{"},"finish_reason":"length"}]}"#,
                Fault::Declined,
            ),
            (
                r#"{"choices":[{"message":{"content":"Нет"},"finish_reason":"blacklist"}]}"#,
                Fault::Declined,
            ),
            (
                r#"{"choices":[{"message":{"content":"a","refusal":"no"},"finish_reason":"stop"}]}"#,
                Fault::Declined,
            ),
        ] {
            assert_eq!(content(body), Err(fault), "{body}");
        }
    }

    #[test]
    fn a_complaint_is_short_and_without_the_key() {
        for (body, expected) in [
            (r#"{"error":{"message":"Wrong key sk-1234"}}"#, "Wrong key ***"),
            (r#"{"error":"no\nmodel"}"#, "no model"),
            (r#"{"detail":"x"}"#, "x"),
            (r#"{"status":404,"message":"No such model"}"#, "No such model"),
            ("plain sk-1234 text", "plain *** text"),
            ("<!doctype html>…", "страница HTML"),
        ] {
            assert_eq!(complaint(body, "sk-1234"), expected);
        }
        assert_eq!(complaint(&"a".repeat(10_000), "sk-1234").len(), 200);
    }
}
