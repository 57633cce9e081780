//! Who is to be told, and in which chats.

use rusqlite::{Connection, Transaction, named_params};

use super::StorageError;
use crate::domain::{ChatKey, PersonId, Timestamp};

/// The chats linked to a person that can be reached.
pub fn list_chats(conn: &Connection, person: PersonId) -> Result<Vec<ChatKey>, StorageError> {
    const SQL: &str = "
        select key from chats where person_id = :person and blocked_at_ms is null order by key";
    let mut stmt = conn.prepare_cached(SQL)?;
    let chats = stmt.query_map(named_params! { ":person": person }, |row| row.get("key"))?;
    Ok(chats.collect::<Result<_, _>>()?)
}

/// Marks a chat as blocked by its person since `now`, or as reachable again (`None`); an unknown
/// chat gets a row only when it is marked.
pub fn set_blocked(
    tx: &Transaction<'_>,
    chat: &ChatKey,
    now: Option<Timestamp>,
) -> Result<(), StorageError> {
    const MARK: &str = "
        insert into chats (key, blocked_at_ms) values (:chat, :now)
        on conflict (key) do update set blocked_at_ms = coalesce(blocked_at_ms, :now)";
    const CLEAR: &str = "
        update chats set blocked_at_ms = null where key = :chat and blocked_at_ms is not null";
    if now.is_some() {
        tx.prepare_cached(MARK)?.execute(named_params! { ":chat": chat, ":now": now })?;
    } else {
        tx.prepare_cached(CLEAR)?.execute(named_params! { ":chat": chat })?;
    }
    Ok(())
}

/// How many chats have blocked the bot.
pub fn count_blocked(conn: &Connection) -> Result<i64, StorageError> {
    const SQL: &str = "select count(*) as chats from chats where blocked_at_ms is not null";
    Ok(conn.prepare_cached(SQL)?.query_row([], |row| row.get("chats"))?)
}

/// Gives a chat its new address, and remembers it for those who know only the old one.
pub fn move_chat(
    tx: &Transaction<'_>,
    from: &ChatKey,
    to: &ChatKey,
    now: Timestamp,
) -> Result<(), StorageError> {
    const CHAT: &str = "update or replace chats set key = :to where key = :from";
    const REMEMBER: &str = "
        insert into settings (key, value, updated_at_ms) values ('moved:' || :from, :to, :now)
        on conflict (key) do update
        set value = excluded.value, updated_at_ms = excluded.updated_at_ms";
    tx.prepare_cached(CHAT)?.execute(named_params! { ":from": from, ":to": to })?;
    let params = named_params! { ":from": from, ":to": to, ":now": now };
    tx.prepare_cached(REMEMBER)?.execute(params)?;
    Ok(())
}

/// Where a chat is now: its new address when it has moved, else itself.
pub fn present_address(conn: &Connection, chat: &ChatKey) -> Result<ChatKey, StorageError> {
    const SQL: &str = "
        with recursive moves (key, hops) as (
            values (:chat, 0)
            union
            select settings.value, hops + 1
            from moves join settings on settings.key = 'moved:' || moves.key
            where hops < 8)
        select key from moves order by hops desc limit 1";
    let mut stmt = conn.prepare_cached(SQL)?;
    Ok(stmt.query_row(named_params! { ":chat": chat }, |row| row.get("key"))?)
}
