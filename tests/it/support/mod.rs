//! What stories stand on.

pub mod bot_api;
pub mod desk;
pub mod fake_gigachat;
pub mod fake_onec;
pub mod fake_openai;
pub mod logs;
pub mod panel;
pub mod raw103;
pub mod server;
pub mod session;
pub mod ut103;
