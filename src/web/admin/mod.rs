//! The panel: one file per screen.

pub mod login;
pub mod orders;
pub mod today;
