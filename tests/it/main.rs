//! Stories: the real thing against strict fakes, on a clock that is moved by hand.
#![expect(clippy::disallowed_methods, reason = "tests stand outside of Tasks")]

mod support;

mod telegram_door;
