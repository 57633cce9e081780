//! What a person does in the browser chat: writes, presses, shares a number.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::enter;
use crate::chat::event::{Event, EventKind};
use crate::domain::Phone;
use crate::web::error::WebError;
use crate::web::{Desk, Persona};

/// A message's words, as in Telegram.
/// Source: Bot API, `sendMessage` <https://core.telegram.org/bots/api#sendmessage>.
pub(super) const TEXT_MAX_CHARS: usize = 4_096;

#[derive(Debug, Deserialize)]
pub struct SayForm {
    text: String,
    #[serde(default)]
    key: String,
}

/// A button that was pressed.
#[derive(Debug, Deserialize)]
pub struct PressForm {
    data: String,
    message: Option<i64>,
    #[serde(default)]
    key: String,
}

/// A number that is shared.
#[derive(Debug, Deserialize)]
pub struct ContactForm {
    #[serde(default)]
    phone: String,
    #[serde(default)]
    key: String,
}

/// `POST /chat/{persona}/say`
pub async fn say(
    State(desk): State<Desk>,
    Path(key): Path<String>,
    headers: HeaderMap,
    parts: Parts,
    Form(form): Form<SayForm>,
) -> Result<Response, WebError> {
    let persona = enter(&desk, &parts, &key).await?;
    let text = form.text.replace("\r\n", "\n");
    let text = text.trim();
    if text.chars().count() > TEXT_MAX_CHARS {
        return Err(WebError::Invalid(
            "Слишком длинное сообщение: до 4\u{a0}096 знаков.".to_owned(),
        ));
    }
    if !text.is_empty() {
        let event_key = event_key(&form.key);
        let message_id = desk.chat.say(&persona.chat(), &event_key, text.to_owned()).await?;
        let kind = EventKind::Text { text: text.to_owned(), message_id, reply_to: None };
        accept(&desk, &persona, event_key, kind).await?;
    }
    Ok(done(&key, &headers))
}

/// `POST /chat/{persona}/press`
pub async fn press(
    State(desk): State<Desk>,
    Path(key): Path<String>,
    headers: HeaderMap,
    parts: Parts,
    Form(form): Form<PressForm>,
) -> Result<Response, WebError> {
    let persona = enter(&desk, &parts, &key).await?;
    let event_key = event_key(&form.key);
    let kind = EventKind::Pressed {
        data: form.data,
        callback_id: event_key.clone(),
        message_id: form.message,
    };
    accept(&desk, &persona, event_key, kind).await?;
    Ok(done(&key, &headers))
}

/// `POST /chat/{persona}/contact`: the demo's people have a number of their own, anyone else is
/// asked for one.
pub async fn contact(
    State(desk): State<Desk>,
    Path(key): Path<String>,
    headers: HeaderMap,
    parts: Parts,
    Form(form): Form<ContactForm>,
) -> Result<Response, WebError> {
    let persona = enter(&desk, &parts, &key).await?;
    let phone = match (&persona.phone, form.phone.trim()) {
        (Some(own), _) => own.to_string(),
        (None, "") => {
            return Ok(Redirect::to(&format!("/chat/{key}?contact=1")).into_response());
        }
        (None, typed) => match typed.parse::<Phone>() {
            Ok(phone) => phone.to_string(),
            Err(_) => {
                return Err(WebError::Invalid(
                    "Номер не читается. Напишите его целиком, например +7\u{a0}900\u{a0}000-00-09."
                        .to_owned(),
                ));
            }
        },
    };
    let event_key = event_key(&form.key);
    let said = format!("📱 {phone}");
    let message_id = desk.chat.say(&persona.chat(), &event_key, said).await?;
    let name = persona.name.clone();
    let kind = EventKind::Contact { phone, name, own: true, message_id };
    accept(&desk, &persona, event_key, kind).await?;
    Ok(done(&key, &headers))
}

/// The event's key: what the page made, so that a form sent twice is one event; else a new one.
pub(super) fn event_key(given: &str) -> String {
    let id = given.parse().unwrap_or_else(|_| uuid::Uuid::new_v4());
    format!("web:{id}")
}

pub(super) async fn accept(
    desk: &Desk,
    persona: &Persona,
    key: String,
    kind: EventKind,
) -> Result<(), WebError> {
    let event = Event {
        key,
        chat: persona.chat(),
        from: persona.chat(),
        from_name: persona.name.clone(),
        at: desk.base.clock.now(),
        kind,
        quoted: Vec::new(),
    };
    let payload = serde_json::to_string(&event).map_err(WebError::internal)?;
    desk.conversations.accept(event.key, event.chat, payload).await?;
    Ok(())
}

/// Nothing more for a script, which is told over its stream; the page anew for a plain form.
pub(super) fn done(key: &str, headers: &HeaderMap) -> Response {
    if headers.contains_key("x-csrf-token") {
        return StatusCode::NO_CONTENT.into_response();
    }
    Redirect::to(&format!("/chat/{key}")).into_response()
}
