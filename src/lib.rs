//! stub
pub mod chat;
pub mod config;
pub mod domain;
pub mod formats;
pub mod recognition;
pub mod services;
pub mod storage;
pub mod tasks;
pub mod web;
