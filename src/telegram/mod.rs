//! The door of Telegram: updates in, messages out.
