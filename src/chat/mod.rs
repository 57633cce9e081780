//! The conversation: an [`Event`] in, [`Screen`]s out. Knows no wire.
#![warn(missing_docs)]

pub mod action;
mod core;
pub mod dialogue;
pub mod event;
mod notices;
pub mod screen;
pub mod screens;
pub mod worker;

pub use self::core::{Core, Tools};
pub use action::Action;
pub use event::{Event, EventKind, FileRef, MediaKind};
pub use screen::{Button, Screen};
