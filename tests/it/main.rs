//! Stories: the real program, its real doors, a temporary database.

mod backups;
mod cli_bad_input;
mod cli_commands;
mod layering;
mod llm_chain;
mod llm_gigachat;
mod llm_models;
mod llm_openai;
mod orders;
mod program;
mod pull;
mod settings;
mod support;
mod telegram_door;
