//! Files in the browser chat: given and taken.

use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::enter;
use super::said::{accept, done, event_key};
use crate::chat::event::{EventKind, FileRef};
use crate::services::files::{Files, MAX_BYTES};
use crate::storage::files::FileRow;
use crate::web::Desk;
use crate::web::error::WebError;
use crate::web::layout::csrf;
use crate::web::markup::{Icon, icon};
use crate::web::session::Visitor;

/// The longest words beside a file, in characters.
const CAPTION: usize = 1_024;

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
    let broken = || WebError::Invalid("Файл пришёл не целиком, отправьте его ещё раз.".to_owned());
    let request = Request::from_parts(parts, body);
    let mut form = Multipart::from_request(request, &desk).await.map_err(|_| broken())?;
    let (mut name, mut content) = (String::new(), Vec::new());
    let (mut caption, mut given_key) = (String::new(), String::new());
    while let Some(field) = form.next_field().await.map_err(|_| broken())? {
        match field.name().unwrap_or_default() {
            "file" => {
                field.file_name().unwrap_or_default().clone_into(&mut name);
                content = field.bytes().await.map_err(|_| broken())?.to_vec();
            }
            "caption" => caption = field.text().await.map_err(|_| broken())?,
            "key" => given_key = field.text().await.map_err(|_| broken())?,
            _ => {}
        }
    }
    if name.is_empty() {
        return Err(WebError::Invalid("Выберите файл.".to_owned()));
    }
    let size = content.len() as u64;
    if size > MAX_BYTES {
        return Err(WebError::Invalid("Файл больше 20\u{a0}МБ.".to_owned()));
    }
    let caption: String = caption.trim().chars().take(CAPTION).collect();
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
    let files = Files::new(desk.base.clone());
    let staff = desk.accounts.who(&persona.chat()).await?.is_staff();
    let mut found = files.find(&persona.chat(), id).await?;
    if found.is_none() && staff {
        for other in desk.personas() {
            if found.is_none() {
                found = files.find(&other.chat(), id).await?;
            }
        }
    }
    let file = found.ok_or(WebError::NotFound)?;
    Ok(download(&file).into_response())
}

/// A kept file as a download.
pub fn download(file: &FileRow) -> impl IntoResponse {
    let name: String = file.name.chars().filter(|c| !c.is_control() && *c != '"').collect();
    // A name in Russian goes as RFC 5987 says; the browser never opens it as a page.
    let encoded =
        name.bytes().fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02X}"));
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{encoded}")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, file.content.clone())
}
