//! The web door: the panel, the browser chat, health, and what 1C calls.
//!
//! A handler extracts, calls one service method, renders. Every route is on one page, [`router()`].

mod admin;
mod assets;
mod error;
mod files;
mod health;
mod layout;
mod live;
mod markup;
pub mod onec;
mod privilege;
mod router;
mod server;
mod session;
mod simulator;
mod trace;
mod wire;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use tokio::net::TcpListener;

use crate::domain::{ChatKey, Phone};
use crate::services::Base;
use crate::services::accounts::Accounts;
use crate::services::bench::Bench;
use crate::services::bot_status::BotStatus;
use crate::services::browser_chat::BrowserChat;
use crate::services::catalog::Catalog;
use crate::services::clients_file::ClientsFile;
use crate::services::conversations::Conversations;
use crate::services::directory::Directory;
use crate::services::exchange::Exchange;
use crate::services::imports::Imports;
use crate::services::models::Models;
use crate::services::notifications::Sending;
use crate::services::operations::Operations;
use crate::services::ordering::Ordering;
use crate::services::overview::Overview;
use crate::services::pull::Pull;
use crate::services::questions::Questions;
use crate::services::views::Views;
use crate::tasks::Tasks;

pub use error::WebError;
pub use router::router;
pub use server::{Proxies, serve_router};
pub use session::ManagerSession;
pub use simulator::Door as BrowserDoor;

/// What the pages stand on. Clones share it.
#[derive(Clone)]
pub struct Desk {
    /// Database, clock, settings, news.
    pub base: Base,
    /// Background work of open pages.
    pub tasks: Tasks,
    /// People, their sessions, who may what.
    pub accounts: Accounts,
    /// Batches for the catalogue.
    pub exchange: Exchange,
    /// The catalogue pulled from 1C, where that can be set up.
    pub pull: Option<Pull>,
    /// Orders.
    pub ordering: Ordering,
    /// The catalogue's index.
    pub catalog: Catalog,
    /// Where the browser chat's events go.
    pub conversations: Conversations,
    /// Language models; `None` when their settings are of no use.
    pub models: Option<Models>,
    /// How the bot is doing.
    pub bot: BotStatus,
    /// The browser chat's messages.
    pub chat: BrowserChat,
    /// The running program itself, for administrators.
    pub operations: Operations,
    /// The demo, where this is one.
    pub demo: Option<Arc<Demo>>,
}

/// What `demo` adds: more people in the browser chat, and a fresh start.
pub struct Demo {
    /// The people, clients first.
    pub personas: Vec<Persona>,
    /// Brings everything back to how the demo began.
    pub reset: Box<dyn Fn() -> Sending<'static, Result<(), String>> + Send + Sync>,
}

/// A person of the browser chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persona {
    /// The chat's name: `guest`, `anna`.
    pub key: String,
    /// «Анна, ООО «Диван-М»».
    pub label: String,
    /// The name on the wire: «Анна Иванова».
    pub name: String,
    /// The phone that the contact button shares; `None`: asked on the spot.
    pub phone: Option<Phone>,
    /// Whether the person works for the company: the other side of a wide window.
    pub staff: bool,
}

impl Persona {
    /// The chat of this person.
    pub fn chat(&self) -> ChatKey {
        ChatKey::Web(self.key.clone())
    }
}

impl Desk {
    /// Figures of the first page.
    fn overview(&self) -> Overview {
        Overview::new(self.base.clone(), self.catalog.clone())
    }

    /// Clients, people and products as they are listed.
    fn directory(&self) -> Directory {
        Directory::new(self.base.clone())
    }

    /// Questions of clients.
    fn questions(&self) -> Questions {
        Questions::new(self.base.clone())
    }

    /// Catalogue files that people bring.
    fn imports(&self) -> Imports {
        Imports::new(self.base.clone(), self.exchange.clone())
    }

    /// Clients by file.
    fn clients_file(&self) -> ClientsFile {
        ClientsFile::new(self.base.clone(), self.exchange.clone())
    }

    /// The recognition bench.
    fn bench(&self) -> Bench {
        Bench::new(self.base.clone(), self.catalog.clone())
    }

    /// Lists of orders that managers keep.
    fn views(&self) -> Views {
        Views::new(self.base.clone())
    }

    /// The people of the browser chat.
    pub fn personas(&self) -> Vec<Persona> {
        self.demo.as_ref().map_or_else(
            || {
                vec![Persona {
                    key: "guest".to_owned(),
                    label: "Гость".to_owned(),
                    name: "Гость".to_owned(),
                    phone: None,
                    staff: false,
                }]
            },
            |demo| demo.personas.clone(),
        )
    }

    /// Who sent the request: the peer, or whom a trusted proxy names.
    fn peer(&self, parts: &Parts) -> IpAddr {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(at)| at.ip());
        if !self.base.config.server.trusted_proxies.contains(&peer) {
            return peer;
        }
        let named = parts.headers.get("x-forwarded-for").and_then(|v| v.to_str().ok());
        // The last one is what our own proxy saw; those before it anyone can write.
        named.and_then(|list| list.rsplit(',').next()?.trim().parse().ok()).unwrap_or(peer)
    }
}

/// Serves pages until the tasks are told to stop.
pub async fn serve(listener: TcpListener, desk: Desk) -> io::Result<()> {
    let (proxies, stop) = (Proxies::of(&desk.base.config), desk.tasks.stop_token());
    serve_router(listener, router(desk), proxies, stop).await
}
