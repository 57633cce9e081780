//! The browser chat: a second door to the same conversations, and the window of the demo.
//!
//! Its wire is the table of [`BrowserChat`](crate::services::browser_chat::BrowserChat): what the
//! program shows is written there by [`Door`], open pages are told over server-sent events.
//! Everything works as plain forms too.

mod door;
pub mod events;
pub mod files;
mod pane;
pub mod said;

pub use door::Door;

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use self::pane::{Pane, banner, switch};
use super::error::WebError;
use super::layout::{alone, document};
use super::markup::marked;
use super::session::Visitor;
use super::{Desk, Persona, privilege};
use crate::config::ChatMode;
use crate::services::live::Change;
use crate::services::ordering::Party;

/// Whether the browser chat is open to whoever sent this.
pub async fn available(desk: &Desk, parts: &Parts) -> Result<bool, WebError> {
    if desk.demo.is_some() {
        return Ok(true);
    }
    match desk.base.config.server.chat {
        ChatMode::Off => Ok(false),
        ChatMode::On => Ok(parts.extensions.get::<Visitor>().is_none_or(|v| v.session.is_some())),
        ChatMode::Auto => {
            if desk.base.config.telegram.bot_token.is_some() {
                return Ok(false);
            }
            let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
            let Some(ConnectInfo(peer)) = peer else { return Ok(false) };
            let has_admin = desk.accounts.has_admin().await?;
            Ok(privilege::loopback(*peer, &parts.headers, &desk.base.config, has_admin))
        }
    }
}

/// Whether the panel points at the browser chat.
pub fn linked(desk: &Desk) -> bool {
    desk.demo.is_some() || desk.base.config.server.chat == ChatMode::On
}

/// The person that a path names, where the chat is open to the visitor.
async fn enter(desk: &Desk, parts: &Parts, key: &str) -> Result<Persona, WebError> {
    if !available(desk, parts).await? {
        if desk.base.config.server.chat == ChatMode::On {
            return Err(WebError::SignIn(parts.uri.path().to_owned()));
        }
        return Err(WebError::NotFound);
    }
    desk.personas().into_iter().find(|persona| persona.key == key).ok_or(WebError::NotFound)
}

/// `GET /chat`
pub async fn start(State(desk): State<Desk>, parts: Parts) -> Result<Redirect, WebError> {
    let personas = desk.personas();
    // The one who already buys here shows most.
    let first = personas.iter().filter(|p| !p.staff).max_by_key(|p| p.phone.is_some());
    let first = first.or(personas.first()).map(|p| p.key.clone()).unwrap_or_default();
    enter(&desk, &parts, &first).await?;
    Ok(Redirect::to(&format!("/chat/{first}")))
}

/// What the page of a chat is asked for beside the chat.
#[derive(Debug, Default, Deserialize)]
pub struct PageQuery {
    /// Shows the form for a phone number.
    #[serde(default)]
    contact: Option<String>,
}

/// `GET /chat/{persona}`
pub async fn page(
    State(desk): State<Desk>,
    Path(key): Path<String>,
    Query(query): Query<PageQuery>,
    visitor: Visitor,
    parts: Parts,
) -> Result<Response, WebError> {
    let persona = enter(&desk, &parts, &key).await?;
    let personas = desk.personas();
    // On a wide window the other side stands beside: a client and a manager.
    let other = personas
        .iter()
        .filter(|other| other.staff != persona.staff)
        .max_by_key(|other| other.phone.is_some());
    let (left, right) = match other {
        Some(other) if persona.staff => (other, Some(&persona)),
        other => (&persona, other),
    };
    let now = desk.base.clock.now();
    let mut panes = Vec::new();
    for shown in [Some(left), right].into_iter().flatten() {
        let picture = desk.chat.picture(&shown.chat()).await?;
        let pane = Pane {
            desk: &desk,
            visitor: &visitor,
            persona: shown,
            asked_contact: shown.key == key && query.contact.is_some(),
            now,
        };
        panes.push((shown.key == key, pane.render(&picture)));
    }
    let body = html! {
        body.chat-page data-chat {
            a.skip href="#chats" { "К переписке" }
            (banner(&desk, &visitor))
            (switch(&personas, &key))
            main.chats #chats data-count=(panes.len()) {
                h1.sr { "Чат: " (persona.label) }
                @for (current, pane) in &panes {
                    div.chat-slot data-current=[current.then_some("yes")] { (pane) }
                }
            }
            div.toasts #toasts role="status" aria-live="polite" {}
        }
    };
    let title = format!("Чат: {}", persona.label);
    let page = document(&visitor, &title, &visitor.company, &body);
    Ok(([(axum::http::header::CACHE_CONTROL, "no-store")], page).into_response())
}

/// `GET /chat/{persona}/trace`: what was understood of the open draft, line by line.
pub async fn trace(
    State(desk): State<Desk>,
    Path(key): Path<String>,
    visitor: Visitor,
    parts: Parts,
) -> Result<Markup, WebError> {
    let persona = enter(&desk, &parts, &key).await?;
    let who = desk.accounts.who(&persona.chat()).await?;
    let party = Party {
        chat: persona.chat(),
        person: who.person_id(),
        organization: who.acting_for().map(|member| member.organization),
        may_send: who.may_send(),
        sees_prices: who.sees_prices(),
        for_client: false,
    };
    let draft = desk.ordering.open_draft(&party).await?;
    let lines = draft.map(|draft| draft.lines).unwrap_or_default();
    Ok(alone(
        &visitor,
        "Что распознано",
        &html! {
            div.panel #drawer {
                h1 { "Что распознано" }
                @if lines.is_empty() {
                    p.muted { "Открытой заявки нет. Напишите список в чат — здесь появится разбор каждой строки." }
                }
                @for line in &lines {
                    section.traced {
                        h2 { (marked(line.row.state.mark())) " " (line.row.position) ". «" (line.row.raw.trim()) "»" }
                        @if let Some(offer) = &line.offer {
                            p { (offer.title) @if let Some(amount) = line.amount() { " — " (amount) } }
                        }
                        (super::trace::draw(line.row.trace.as_deref()))
                    }
                }
                div.buttons data-no-drawer { a.button href=(format!("/chat/{key}")) { "К переписке" } }
            }
        },
    ))
}

/// `POST /chat/reset`: the demo begins anew.
pub async fn reset(State(desk): State<Desk>, _: Visitor) -> Result<Redirect, WebError> {
    let Some(demo) = &desk.demo else { return Err(WebError::NotFound) };
    (demo.reset)().await.map_err(WebError::Internal)?;
    desk.base.live.tell(Change::Elsewhere);
    Ok(Redirect::to("/chat"))
}
