//! Stories: the real program, its real doors, a temporary database.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "tests stand outside, and fail loudly"
)]

mod cli_bad_input;
mod cli_commands;
mod layering;
mod llm_chain;
mod llm_gigachat;
mod llm_models;
mod llm_openai;
mod onec_catalog;
mod onec_server;
mod orders;
mod program;
mod settings;
mod support;
mod telegram_door;
mod telegram_orders;
