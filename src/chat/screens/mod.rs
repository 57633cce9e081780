//! One file per screen: facts in, [`Screen`](super::Screen) out.

pub mod basket;
pub mod menu;
pub mod order;
pub mod staff;
