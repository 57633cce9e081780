//! Stories: the real program, its real doors, a temporary database.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by panicking, stands outside of Tasks, and tells a whole story"
)]

mod accounts;
mod backups;
mod cli_bad_input;
mod cli_catalog;
mod cli_commands;
mod cli_exchange;
mod cli_operator;
mod cli_recognize;
mod exchange_panel;
mod layering;
mod llm_chain;
mod llm_gigachat;
mod llm_models;
mod llm_openai;
mod onec_bad_files;
mod onec_busy;
mod onec_catalog;
mod onec_files;
mod onec_partners;
mod onec_sale;
mod onec_server;
mod onec_standard;
mod orders;
mod panel_desk;
mod panel_guard;
mod panel_models;
mod program;
mod pull;
mod questions;
mod registration;
mod serve_demo;
mod serve_life;
mod settings;
mod support;
mod telegram_door;
mod telegram_orders;
