//! Which message of a wire holds which card.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StorageError;
use crate::domain::{ChatKey, Timestamp};

/// The message that holds a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotRow {
    /// The wire's id of the message.
    pub message_id: i64,
    /// When the message was sent; edits do not count.
    pub sent_at: Timestamp,
}

/// The message that holds this card, or `None`.
pub fn find(
    conn: &Connection,
    chat: &ChatKey,
    slot: &str,
) -> Result<Option<SlotRow>, StorageError> {
    const SQL: &str = "
        select message_id, sent_at_ms from chat_slots where chat_key = :chat and slot = :slot";
    let mut stmt = conn.prepare_cached(SQL)?;
    let row = stmt.query_row(named_params! { ":chat": chat, ":slot": slot }, |row| {
        Ok(SlotRow { message_id: row.get("message_id")?, sent_at: row.get("sent_at_ms")? })
    });
    Ok(row.optional()?)
}

/// The card that this message holds, or `None`.
pub fn find_slot(
    conn: &Connection,
    chat: &ChatKey,
    message_id: i64,
) -> Result<Option<String>, StorageError> {
    const SQL: &str = "
        select slot from chat_slots where chat_key = :chat and message_id = :message_id";
    let mut stmt = conn.prepare_cached(SQL)?;
    let params = named_params! { ":chat": chat, ":message_id": message_id };
    Ok(stmt.query_row(params, |row| row.get("slot")).optional()?)
}

/// Remembers the message that now holds the card.
pub fn put(
    tx: &Transaction<'_>,
    chat: &ChatKey,
    slot: &str,
    row: SlotRow,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into chat_slots (chat_key, slot, message_id, sent_at_ms)
        values (:chat, :slot, :message_id, :sent_at)
        on conflict (chat_key, slot) do update
        set message_id = excluded.message_id, sent_at_ms = excluded.sent_at_ms";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":chat": chat, ":slot": slot, ":message_id": row.message_id, ":sent_at": row.sent_at,
    })?;
    Ok(())
}

/// Forgets the card.
pub fn remove(tx: &Transaction<'_>, chat: &ChatKey, slot: &str) -> Result<(), StorageError> {
    const SQL: &str = "delete from chat_slots where chat_key = :chat and slot = :slot";
    tx.prepare_cached(SQL)?.execute(named_params! { ":chat": chat, ":slot": slot })?;
    Ok(())
}

/// Forgets all cards of the chat: its messages have other ids now.
pub fn remove_all(tx: &Transaction<'_>, chat: &ChatKey) -> Result<(), StorageError> {
    const SQL: &str = "delete from chat_slots where chat_key = :chat";
    tx.prepare_cached(SQL)?.execute(named_params! { ":chat": chat })?;
    Ok(())
}

/// Chats in which a card is on the screen.
pub fn chats_with(conn: &Connection, slot: &str) -> Result<Vec<ChatKey>, StorageError> {
    const SQL: &str = "select chat_key from chat_slots where slot = :slot order by chat_key";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows = stmt.query_map(named_params! { ":slot": slot }, |row| row.get("chat_key"))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
