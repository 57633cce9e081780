//! What stories stand on.

pub mod bot_api;
pub mod desk;
pub mod panel;
