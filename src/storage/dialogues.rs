//! Where each chat stands. The state is opaque text here.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StorageError;
use crate::domain::{ChatKey, Timestamp};

/// The chat's state, or `None` when there is none.
pub fn find(conn: &Connection, chat: &ChatKey) -> Result<Option<String>, StorageError> {
    const SQL: &str = "select state from dialogues where chat_key = :chat";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":chat": chat }, |row| row.get("state")).optional()?)
}

/// Sets the chat's state; `None` forgets it.
pub fn put(
    tx: &Transaction<'_>,
    chat: &ChatKey,
    state: Option<&str>,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SET: &str = "
        insert into dialogues (chat_key, state, updated_at_ms) values (:chat, :state, :now)
        on conflict (chat_key) do update
        set state = excluded.state, updated_at_ms = excluded.updated_at_ms";
    const FORGET: &str = "delete from dialogues where chat_key = :chat";
    if let Some(state) = state {
        let params = named_params! { ":chat": chat, ":state": state, ":now": now };
        tx.prepare_cached(SET)?.execute(params)?;
    } else {
        tx.prepare_cached(FORGET)?.execute(named_params! { ":chat": chat })?;
    }
    Ok(())
}

/// Gives a chat's state its new address.
pub fn move_chat(tx: &Transaction<'_>, from: &ChatKey, to: &ChatKey) -> Result<(), StorageError> {
    const SQL: &str = "update or replace dialogues set chat_key = :to where chat_key = :from";
    tx.prepare_cached(SQL)?.execute(named_params! { ":from": from, ":to": to })?;
    Ok(())
}
