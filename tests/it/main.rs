//! Stories: the real program, its real doors, a temporary database.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by panicking, stands outside of Tasks, and tells a whole story"
)]

mod account_desk;
mod accounts;
mod backups;
mod browser_chat;
mod buyer_talks;
mod cli_bad_input;
mod cli_catalog;
mod cli_commands;
mod cli_desk;
mod cli_exchange;
mod cli_operator;
mod cli_recognize;
mod crashes;
mod documents;
mod exchange_panel;
mod handled_twice;
mod imports;
mod kill_loop;
mod layering;
mod legacy;
mod llm_chain;
mod llm_gigachat;
mod llm_models;
mod llm_openai;
mod newcomers;
mod nothing_guessed;
mod onec_bad_files;
mod onec_busy;
mod onec_catalog;
mod onec_files;
mod onec_partners;
mod onec_returns;
mod onec_sale;
mod onec_server;
mod onec_standard;
mod onec_uploads;
mod onec_wire;
mod orders;
mod packaging;
mod panel_bench;
mod panel_clients;
mod panel_desk;
mod panel_guard;
mod panel_models;
mod panel_orders;
mod panel_views;
mod program;
mod pull;
mod questions;
mod registration;
mod rights;
mod serve_demo;
mod serve_life;
mod settings;
mod slow_clients;
mod soak;
mod staff_desk;
mod statuses;
mod support;
mod telegram_door;
mod telegram_orders;
mod templates;
mod watching;
mod watching_pages;
