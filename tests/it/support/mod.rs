//! What stories stand on.

pub mod desk;
