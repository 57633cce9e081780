//! Files in the browser chat: given and taken.

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::enter;
use super::said::{accept, done, event_key};
use crate::chat::event::{EventKind, FileRef};
use crate::services::files::Files;
use crate::web::Desk;
use crate::web::error::WebError;
use crate::web::files::{self, Given};
use crate::web::layout::csrf;
use crate::web::markup::{Icon, icon};
use crate::web::session::Visitor;

/// The form that gives a file: by its button, or dropped onto the chat.
pub(super) fn form(key: &str, visitor: &Visitor) -> Markup {
    html! {
        form.attach method="post" action=(format!("/chat/{key}/file")) enctype="multipart/form-data" data-attach {
            (csrf(visitor))
            input type="hidden" name="key" value=(uuid::Uuid::new_v4());
            label for=(format!("file-{key}")) title="Прикрепить файл" { (icon(Icon::Upload)) span.word { "Файл" } }
            input id=(format!("file-{key}")) type="file" name="file" required;
            button.button.small type="submit" { "Отправить файл" }
        }
    }
}

/// `POST /chat/{persona}/file`
pub async fn give(
    State(desk): State<Desk>,
    Path(key): Path<String>,
    request: Request,
) -> Result<Response, WebError> {
    let (parts, body) = request.into_parts();
    let persona = enter(&desk, &parts, &key).await?;
    let headers = parts.headers.clone();
    let Given { name, content, caption, key: given_key } =
        files::read(&desk, Request::from_parts(parts, body)).await?;
    let size = content.len() as u64;
    let event_key = event_key(&given_key);
    let chat = persona.chat();
    let file_key = format!("{event_key}:file");
    let file = Files::new(desk.base.clone()).keep(&chat, &file_key, &name, content).await?;
    let said = format!("Файл «{name}»\n{caption}").trim().to_owned();
    let message_id = desk.chat.say(&chat, &event_key, said).await?;
    let file = FileRef { id: file.to_string(), name, size };
    let kind = EventKind::File { file, caption, message_id, reply_to: None };
    accept(&desk, &persona, event_key, kind).await?;
    Ok(done(&key, &headers))
}

/// `GET /chat/{persona}/files/{id}`: a file of this chat; staff also take what clients have sent.
pub async fn take(
    State(desk): State<Desk>,
    Path((key, id)): Path<(String, i64)>,
    parts: axum::http::request::Parts,
) -> Result<Response, WebError> {
    let persona = enter(&desk, &parts, &key).await?;
    let kept = Files::new(desk.base.clone());
    let staff = desk.accounts.who(&persona.chat()).await?.is_staff();
    let mut found = kept.find(&persona.chat(), id).await?;
    if found.is_none() && staff {
        for other in desk.personas() {
            if found.is_none() {
                found = kept.find(&other.chat(), id).await?;
            }
        }
    }
    let file = found.ok_or(WebError::NotFound)?;
    Ok(files::download(&file).into_response())
}
