//! Use cases: who may do what, in which transaction, and what follows from it.
#![warn(missing_docs)]

pub mod accounts;
pub mod alerts;
pub mod backup;
pub mod bench;
pub mod bot_status;
pub mod browser_chat;
pub mod catalog;
pub mod clients_file;
pub mod conversations;
pub mod courier;
pub mod directory;
pub mod duties;
pub mod exchange;
pub mod files;
pub mod health;
pub mod imports;
pub mod jobs;
pub mod journal;
mod kept;
pub mod legacy;
pub mod live;
pub mod meter;
pub mod metrics;
pub mod models;
pub mod notifications;
pub mod operations;
pub mod ordering;
pub mod outgoing;
pub mod overview;
pub mod pull;
pub mod questions;
pub mod retention;
pub mod settings;
pub mod standing;
pub mod views;

use crate::config::Current;
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
    /// The settings in force.
    pub config: Current,
    /// News of committed changes.
    pub live: live::Live,
}
