//! Bytes ⇄ domain types: 1C's files, tables, markup, what people type. Pure functions.

pub mod html;
