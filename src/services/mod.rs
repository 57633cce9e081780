//! Use cases: who may do what, in which transaction, and what follows from it.
#![warn(missing_docs)]

pub mod accounts;
pub mod backup;
pub mod bench;
pub mod bot_status;
pub mod browser_chat;
pub mod catalog;
pub mod conversations;
pub mod courier;
pub mod directory;
pub mod exchange;
pub mod imports;
pub mod live;
pub mod models;
pub mod notifications;
pub mod ordering;
pub mod overview;
pub mod pull;
pub mod questions;
pub mod standing;

use std::sync::Arc;

use crate::config::Config;
use crate::domain::{Clock, Zone};
use crate::storage::Db;

/// What every service stands on. Clones share it.
#[derive(Clone)]
pub struct Base {
    /// The database.
    pub db: Db,
    /// The one source of time.
    pub clock: Clock,
    /// The company's time zone.
    pub zone: Zone,
    /// The settings.
    pub config: Arc<Config>,
    /// News of committed changes.
    pub live: live::Live,
}
