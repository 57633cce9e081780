//! Use cases: who may do what, in which transaction, and what follows from it.
#![warn(missing_docs)]

pub mod live;
pub mod notifications;
