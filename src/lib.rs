//! An order desk for a wholesaler: one process, one `SQLite` file.
//!
//! Three doors in (Telegram, the browser, 1C), one way down. A room uses the rooms below it and
//! none above or beside; `tests/it/layering.rs` holds us to it.
//!
//! ```text
//! cli ──────────── parses arguments, builds App, starts and stops the tasks
//! app ──────────── the services, built once; the data folder and its lock
//! telegram, web ── doors: translate a wire into a call, and the answer back into the wire
//! chat ─────────── the conversation: Event in, Screen out; knows no wire. web also calls services
//! services ─────── use cases: who may do what, in which transaction, and what follows from it
//! recognition ──── the heart: order text → lines → candidates → ✅ ❓ ❌, with the trace of why
//! storage, clients ── SQLite / the services we call over HTTP
//! formats ──────── bytes ⇄ domain types: 1C files, CSV, what people type. Pure functions
//! config, logging, tasks ── what the whole process stands on: settings, logs, background work
//! domain ───────── words of the trade: Money, Phone, OrderStatus. No I/O, no async
//! ```
//!
//! Where to begin: [`web`]'s router, [`services`], [`storage`], then `cargo run -- demo`.

pub mod app;
pub mod chat;
pub mod cli;
pub mod clients;
pub mod config;
pub mod domain;
pub mod formats;
pub mod logging;
pub mod recognition;
pub mod services;
pub mod storage;
pub mod tasks;
pub mod telegram;
pub mod web;
