//! stub
pub mod app;
pub mod chat;
pub mod clients;
pub mod cli;
pub mod config;
pub mod domain;
pub mod formats;
pub mod logging;
pub mod recognition;
pub mod services;
pub mod storage;
pub mod tasks;
pub mod web;
pub mod telegram;
