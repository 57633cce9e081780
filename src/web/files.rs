//! Files of browsers: given with a form, taken as a download.

use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::header;
use axum::response::IntoResponse;
use maud::{Markup, html};

use super::Desk;
use super::error::WebError;
use super::layout::csrf;
use super::markup::{Icon, icon};
use super::session::{ManagerSession, Visitor};
use crate::domain::ChatKey;
use crate::services::files::{Files, MAX_BYTES, label, panel};
use crate::services::questions::{Attachment, Said};
use crate::storage::files::FileRow;

/// The longest words beside a file, in characters.
const CAPTION: usize = 1_024;

/// A file with what the form says beside it.
#[derive(Debug, Default)]
pub struct Given {
    /// Its name; a label, never a path.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
    /// The words beside it; may be empty.
    pub caption: String,
    /// What tells a form that is sent twice.
    pub key: String,
}

/// The file of a form.
pub async fn read(desk: &Desk, request: Request) -> Result<Given, WebError> {
    let broken = || WebError::Invalid("Файл пришёл не целиком, отправьте его ещё раз.".to_owned());
    let mut form = Multipart::from_request(request, desk).await.map_err(|_| broken())?;
    let mut given = Given::default();
    while let Some(field) = form.next_field().await.map_err(|_| broken())? {
        match field.name().unwrap_or_default() {
            "file" => {
                field.file_name().unwrap_or_default().clone_into(&mut given.name);
                given.content = field.bytes().await.map_err(|_| broken())?.to_vec();
            }
            "caption" => given.caption = field.text().await.map_err(|_| broken())?,
            "key" => given.key = field.text().await.map_err(|_| broken())?,
            _ => {}
        }
    }
    if given.name.is_empty() {
        return Err(WebError::Invalid("Выберите файл.".to_owned()));
    }
    if given.content.len() as u64 > MAX_BYTES {
        return Err(WebError::Invalid("Файл больше 20\u{a0}МБ.".to_owned()));
    }
    given.name = label(&given.name);
    given.caption = given.caption.trim().chars().take(CAPTION).collect();
    Ok(given)
}

/// The form that sends a client a file, in words of its own below it.
pub fn form(visitor: &Visitor, action: &str) -> Markup {
    html! {
        form.body.stack.tight method="post" action=(action) enctype="multipart/form-data" {
            (csrf(visitor))
            input type="hidden" name="key" value=(uuid::Uuid::new_v4());
            div.field {
                label for="document" { "Отправить клиенту файл" }
                input #document type="file" name="file" required aria-describedby="document-hint";
                span.hint #document-hint { "До 20\u{a0}МБ: выберите или перетащите сюда. Придёт клиенту сразу." }
            }
            div.field {
                label for="document-caption" { "Подпись" }
                input #document-caption type="text" name="caption" maxlength="1000" placeholder="Например: оплатить до пятницы";
            }
            div.buttons { button.button type="submit" { (icon(Icon::Upload)) "Отправить файл" } }
        }
    }
}

/// What that form sends, its file kept, and the key of the event: of a form that comes twice it is
/// the same.
pub async fn said(desk: &Desk, request: Request) -> Result<(Said, String), WebError> {
    let Given { name, content, caption, key } = read(desk, request).await?;
    if content.is_empty() {
        return Err(WebError::Invalid(format!("Файл «{name}» пуст, выберите другой.")));
    }
    let key = uuid::Uuid::parse_str(&key).unwrap_or_else(|_| uuid::Uuid::new_v4());
    let event_key = format!("panel:{key}");
    let file_key = format!("{event_key}:file");
    let file = Files::new(desk.base.clone()).keep(&panel(), &file_key, &name, content).await?;
    let text = format!("Файл «{name}»\n{caption}").trim().to_owned();
    let attachment = Some(Attachment { chat: panel(), message_id: 0, file: Some(file) });
    Ok((Said { text, attachment }, event_key))
}

/// The way to the file beside a message: kept here, or in Telegram alone; both at `href`.
pub fn link(visitor: &Visitor, attachment: Option<&Attachment>, href: &str) -> Markup {
    html! {
        @match attachment {
            Some(Attachment { file: Some(_), .. }) => {
                p.with-file { a.button.small href=(href) { (icon(Icon::Download)) "Скачать файл" } }
            },
            Some(Attachment { chat: ChatKey::Telegram(_), .. }) => {
                form.with-file method="post" action=(href) data-swap data-done="Файл придёт вам в Telegram" {
                    (csrf(visitor))
                    button.button.small type="submit" { "Прислать файл мне в Telegram" }
                }
            },
            _ => {},
        }
    }
}

/// Sends a file that only Telegram keeps to one's own chat.
pub async fn forward(
    desk: &Desk,
    me: &ManagerSession,
    attachment: &Attachment,
) -> Result<(), WebError> {
    if !matches!(attachment.chat, ChatKey::Telegram(_)) {
        return Err(WebError::NotFound);
    }
    let files = Files::new(desk.base.clone());
    if files.forward(attachment, me.staff.person).await? {
        return Ok(());
    }
    Err(WebError::Conflict(
        "У вас нет чата с ботом: откройте бота в Telegram и подтвердите номер.".to_owned(),
    ))
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
