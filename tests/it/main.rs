//! Stories: the real thing against strict fakes, on a clock that is moved by hand.
#![expect(clippy::disallowed_methods, reason = "tests stand outside of Tasks")]

mod support;

mod telegram_door;
//! Stories: the real program, driven as its users drive it.
#![expect(clippy::disallowed_methods, reason = "tests drive the program from outside")]

mod orders;
//! Stories: the real program, its real doors, a temporary database.

mod cli_bad_input;
mod cli_commands;
mod layering;
mod program;
mod settings;
