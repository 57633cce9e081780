//! One file per screen: facts in, [`Screen`](super::Screen) out.

pub mod account;
pub mod admin;
pub mod basket;
pub mod clients;
pub mod login;
pub mod menu;
pub mod order;
pub mod proposal;
pub mod questions;
pub mod registration;
pub mod staff;
