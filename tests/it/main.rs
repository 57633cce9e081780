//! Stories: the real thing against strict fakes, on a clock that is moved by hand.
#![expect(clippy::disallowed_methods, reason = "tests stand outside of Tasks")]

mod support;

mod llm_chain;
mod llm_gigachat;
mod llm_openai;
//! Stories: the real program, its real doors, a temporary database.

mod cli_bad_input;
mod cli_commands;
mod layering;
mod orders;
mod program;
mod settings;
mod support;
