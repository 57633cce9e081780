//! Language models: two clients, a chain of them, and the reader of what they answer.
pub mod mask;
pub mod reading;
