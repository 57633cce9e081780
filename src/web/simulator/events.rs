//! An open page is told of what changes in its chat.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::sse::Event as Told;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;

use super::enter;
use super::pane::{Pane, placeholder};
use crate::services::browser_chat::{Content, Picture};
use crate::services::live::Change;
use crate::web::error::WebError;
use crate::web::live::{Stream, last_event_id, stream};
use crate::web::session::Visitor;
use crate::web::{Desk, Persona};

/// Since which revision a page wants to know.
#[derive(Debug, Default, Deserialize)]
pub struct Since {
    #[serde(default)]
    since: i64,
}

/// `GET /chat/{persona}/events`
pub async fn events(
    State(desk): State<Desk>,
    Path(key): Path<String>,
    Query(query): Query<Since>,
    visitor: Visitor,
    headers: HeaderMap,
    parts: Parts,
) -> Result<Stream, WebError> {
    let persona = enter(&desk, &parts, &key).await?;
    let mut since = last_event_id(&headers).unwrap_or(query.since);
    let here = desk.clone();
    Ok(stream(&here, "chat events", move |listener| async move {
        let chat = persona.chat();
        let mut news = desk.base.live.listen();
        loop {
            match desk.chat.changes(&chat, since).await {
                Ok(Some(picture)) if picture.revision > since => {
                    since = picture.revision;
                    let told = Told::default()
                        .event("changes")
                        .id(since.to_string())
                        .data(told(&desk, &visitor, &persona, &picture).to_string());
                    if listener.send(Ok(told)).await.is_err() {
                        return;
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => {
                    let _ = listener.send(Ok(Told::default().event("reload").data("{}"))).await;
                    return;
                }
                Err(error) => tracing::error!("изменения чата не читаются: {error}"),
            }
            loop {
                match news.recv().await {
                    Ok(Change::WebChat(changed)) if changed == chat => break,
                    Ok(Change::Elsewhere) | Err(RecvError::Lagged(_)) => break,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        }
    }))
}

/// What a page needs to change its picture.
fn told(desk: &Desk, visitor: &Visitor, persona: &Persona, picture: &Picture) -> serde_json::Value {
    let now = desk.base.clock.now();
    let pane = Pane { desk, visitor, persona, asked_contact: false, now };
    let items = picture.items.iter().map(|item| match &item.content {
        None => json!({ "id": item.id, "gone": true }),
        Some(Content::Toast { text, alert }) => json!({ "toast": text, "alert": alert }),
        Some(Content::Own { .. }) => {
            json!({ "id": item.id, "own": true, "html": pane.item(item).into_string() })
        }
        Some(Content::Shown { .. }) => {
            json!({ "id": item.id, "html": pane.item(item).into_string() })
        }
    });
    let items: Vec<_> = items.collect();
    let keyboard = picture.keyboard.as_ref().map(|keyboard| {
        json!({
            "html": pane.keyboard(Some(keyboard)).into_string(),
            "placeholder": placeholder(Some(keyboard), persona.staff),
        })
    });
    json!({ "items": items, "keyboard": keyboard })
}
