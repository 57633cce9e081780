//! The other side: fakes that are as strict as the real ones, and scripted.

pub mod bot_api;
//! What stories stand on.

pub mod desk;
