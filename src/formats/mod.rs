//! Bytes ⇄ domain types: 1C's files, tables, markup, what people type. Pure functions.

pub mod commerceml;
pub mod html;
pub mod json;
pub mod onec_json;
pub mod order_table;
pub mod packed;
pub mod pg_dump;
pub mod sheet;
pub mod tables;
pub mod text;
