//! Stories: the real program, its real doors, a temporary database.
#![expect(clippy::disallowed_methods, reason = "tests drive the program from outside")]

mod cli_bad_input;
mod cli_commands;
mod layering;
mod orders;
mod program;
mod settings;
mod support;
