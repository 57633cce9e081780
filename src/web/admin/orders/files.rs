//! Files of an order: those that its client and staff have sent, and one more.

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Redirect, Response};

use crate::services::files::Files;
use crate::services::questions::Attachment;
use crate::web::Desk;
use crate::web::admin::lookup;
use crate::web::error::WebError;
use crate::web::files;
use crate::web::session::ManagerSession;

/// `GET /admin/orders/{number}/files/{entry}`: the file of an entry of the timeline, where this
/// program keeps it.
pub async fn take_file(
    State(desk): State<Desk>,
    _me: ManagerSession,
    Path((number, entry)): Path<(String, i64)>,
) -> Result<Response, WebError> {
    let attachment = attached(&desk, &number, entry).await?;
    let file = Files::new(desk.base.clone()).attached(&attachment).await?;
    Ok(files::download(&file.ok_or(WebError::NotFound)?).into_response())
}

/// `POST /admin/orders/{number}/files/{entry}`: a file that only Telegram keeps, to one's own chat.
pub async fn forward_file(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path((number, entry)): Path<(String, i64)>,
) -> Result<Redirect, WebError> {
    let attachment = attached(&desk, &number, entry).await?;
    files::forward(&desk, &me, &attachment).await?;
    Ok(Redirect::to(&format!("/admin/orders/{number}#documents-title")))
}

/// `POST /admin/orders/{number}/files`: a file for the client, once however often the form comes.
pub async fn send_file(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(number): Path<String>,
    request: Request,
) -> Result<Redirect, WebError> {
    let order = lookup(&desk, &number).await?.order;
    let (said, event_key) = files::said(&desk, request).await?;
    desk.ordering.write_to_client(me.actor(), order.id, said, Some(&event_key)).await?;
    Ok(Redirect::to(&format!("/admin/orders/{}#documents-title", order.number)))
}

async fn attached(desk: &Desk, number: &str, entry: i64) -> Result<Attachment, WebError> {
    let view = lookup(desk, number).await?;
    let entry = view.events.iter().find(|event| event.id == entry);
    let attachment = entry.and_then(|event| event.attachment.as_deref());
    attachment.and_then(Attachment::read).ok_or(WebError::NotFound)
}
