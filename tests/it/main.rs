//! Stories: the real program, driven as its users drive it.
#![expect(clippy::disallowed_methods, reason = "tests drive the program from outside")]

mod orders;
mod support;
