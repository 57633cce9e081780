//! News for pages that are open: server-sent events.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Desk;
use super::session::ManagerSession;
use crate::services::live::Change;

/// Where a stream's events go; closed when the page is.
pub type Listener = mpsc::Sender<Result<Event, Infallible>>;

/// What a page is sent.
pub type Stream =
    Sse<axum::response::sse::KeepAliveStream<ReceiverStream<Result<Event, Infallible>>>>;

/// A stream that `work` writes to until the page closes or the program stops.
pub fn stream<F, Fut>(desk: &Desk, name: &'static str, work: F) -> Stream
where
    F: FnOnce(Listener) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(16);
    let closed = sender.clone();
    let stop = desk.tasks.stop_token();
    let work = work(sender);
    desk.tasks.spawn_once(name, async move {
        tokio::select! {
            () = work => {}
            () = closed.closed() => {}
            () = stop.cancelled() => {}
        }
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(20));
    Sse::new(ReceiverStream::new(receiver)).keep_alive(alive)
}

/// The `Last-Event-ID` that a browser sends when it comes back.
pub fn last_event_id(headers: &HeaderMap) -> Option<i64> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}

/// `GET /admin/events`: what has changed, for the panel's open pages. An event tells only *that*;
/// the page rereads itself. Ids are moments, so a page that comes back after a loss rereads too.
pub async fn events(State(desk): State<Desk>, _: ManagerSession, headers: HeaderMap) -> Stream {
    let desk = desk.clone();
    let returned = last_event_id(&headers).is_some();
    let here = desk.clone();
    stream(&here, "panel events", move |listener| async move {
        let mut news = desk.base.live.listen();
        let send = |kind: &'static str, data: serde_json::Value| {
            let id = desk.base.clock.now().millis().to_string();
            let event = Event::default().event(kind).id(id).data(data.to_string());
            let listener = listener.clone();
            async move { listener.send(Ok(event)).await.is_ok() }
        };
        let hello = if returned { "stale" } else { "hello" };
        if !send(hello, json!({})).await {
            return;
        }
        loop {
            let sent = match news.recv().await {
                Ok(Change::Order(id)) => send("order", json!({ "id": id })).await,
                Ok(Change::Thread(id)) => send("thread", json!({ "id": id })).await,
                Ok(Change::Catalog) => send("catalog", json!({})).await,
                Ok(Change::Exchange) => send("exchange", json!({})).await,
                Ok(Change::Elsewhere) | Err(RecvError::Lagged(_)) => send("stale", json!({})).await,
                Ok(Change::WebChat(_) | Change::Outbox | Change::Inbox) => true,
                Err(RecvError::Closed) => false,
            };
            if !sent {
                return;
            }
        }
    })
}
