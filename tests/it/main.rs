//! Stories: the real program, its real doors, a temporary database.

mod accounts;
mod cli_bad_input;
mod cli_commands;
mod layering;
mod orders;
mod program;
mod registration;
mod settings;
mod support;
