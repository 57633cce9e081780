//! One file per screen: facts in, [`Screen`](super::Screen) out.

pub mod account;
pub mod admin;
pub mod answer;
pub mod basket;
pub mod catalog;
pub mod clients;
pub mod files;
pub mod login;
pub mod menu;
pub mod order;
pub mod proposal;
pub mod questions;
pub mod registration;
pub mod staff;
pub mod template;

use crate::chat::{Action, Button};

/// «‹ 2/5 ›», round and round; nothing for one page. `page` counts from 0.
fn pager(page: usize, pages: usize, action: impl Fn(i64) -> Action) -> Vec<Button> {
    if pages < 2 {
        return Vec::new();
    }
    let to = |page: usize| action(i64::try_from(page % pages).unwrap_or(0));
    vec![
        Button::new("‹", to(page + pages - 1)),
        Button::new(format!("{}/{pages} ›", page + 1), to(page + 1)),
    ]
}
