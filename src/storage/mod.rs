//! SQLite: one writer, a pool of readers, one module per aggregate.
//!
//! SQL lives here and nowhere else. A read takes `&Connection` and so works inside a transaction
//! too; a write takes `&Transaction`; transactions are opened by `services`.

pub mod categories;
pub mod db;
pub mod drafts;
pub mod exchange_log;
pub mod migrations;
pub mod offers;
pub mod orders;
pub mod prices;
pub mod products;
mod sql_types;
pub mod stocks;
pub mod words;

pub use db::{Db, StorageError};
