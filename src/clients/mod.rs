//! The services that we call over HTTP: language models and 1C.
//!
//! Every client is built in [`http`]. Nothing here knows the database; who calls decides what an
//! answer means.
#![warn(missing_docs)]

pub mod http;

pub mod llm;
pub mod onec;
