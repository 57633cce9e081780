//! Stories: the real program, driven as its users drive it.
#![expect(clippy::disallowed_methods, reason = "tests drive the program from outside")]

mod orders;
mod support;
//! Stories: the real program, its real doors, a temporary database.

mod cli_bad_input;
mod cli_commands;
mod layering;
mod program;
mod settings;
