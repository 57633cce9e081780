//! The conversation: an [`Event`] in, [`Screen`]s out. Knows no wire.
#![warn(missing_docs)]

pub mod action;
pub mod event;
pub mod screen;
pub mod worker;

pub use action::Action;
pub use event::{Event, EventKind, FileRef, MediaKind};
pub use screen::{Button, Screen};
