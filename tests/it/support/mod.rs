//! The other side: fakes that are as strict as the real ones, and scripted.

pub mod fake_gigachat;
pub mod fake_openai;
pub mod logs;
pub mod server;
//! What stories stand on.

pub mod bot_api;
pub mod desk;
