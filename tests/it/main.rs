//! Stories: the real program, driven as its users drive it.
#![expect(clippy::disallowed_methods, reason = "tests drive the program from outside")]

mod cli_bad_input;
mod cli_commands;
mod layering;
mod onec_catalog;
mod onec_files;
mod onec_server;
mod orders;
mod program;
mod settings;
mod support;
