//! Stories: the real program, its real doors, a temporary database.

mod cli_bad_input;
mod cli_commands;
mod layering;
mod orders;
mod panel_guard;
mod program;
mod settings;
mod support;
mod telegram_door;
