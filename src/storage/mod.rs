//! SQLite: one writer, a pool of readers, one module per aggregate.
//!
//! SQL lives here and nowhere else. A read takes `&Connection` and so works inside a transaction
//! too; a write takes `&Transaction`; transactions are opened by `services`.

pub mod alerts;
pub mod audit;
pub mod backup;
pub mod categories;
pub mod chat_slots;
pub mod chats;
pub mod db;
pub mod dialogues;
pub mod directory;
pub mod drafts;
pub mod entries;
pub mod exchange_journal;
pub mod exchange_log;
pub mod figures;
pub mod files;
mod functions;
pub mod golden;
pub mod imports;
pub mod inbox;
pub mod jobs;
pub mod legacy;
pub mod links;
pub mod llm_budget;
pub mod members;
pub mod mentions;
pub mod merging;
pub mod migrations;
pub mod notification_settings;
pub mod offers;
pub mod onec_orders;
pub mod order_edits;
pub mod orders;
pub mod organizations;
pub mod outbox;
pub mod outgoing;
pub mod panel_settings;
pub mod persons;
pub mod prices;
pub mod products;
pub mod proposals;
pub mod purchases;
pub mod recipients;
pub mod replies;
pub mod requests;
pub mod saved_views;
pub mod sessions;
mod sql_types;
pub mod stocks;
pub mod synonyms;
pub mod templates;
pub mod threads;
pub mod throttle;
pub mod upkeep;
pub mod vitals;
pub mod watches;
pub mod web_messages;
pub mod words;

pub use db::{Create, Db, StorageError};
