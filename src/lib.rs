//! stub
pub mod domain;
pub mod recognition;
