//! What people want to be told of and when, and the news that wait for their morning.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StorageError;
use crate::domain::{PersonId, Timestamp};

/// A person's wishes, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettingsRow {
    /// Codes of the groups that are off, with a comma.
    pub muted: String,
    /// Empty: outside the organization's hours; `off`; or «21:00–08:00».
    pub quiet: String,
}

/// The person's wishes; those of one who has said nothing are the default ones.
pub fn find(conn: &Connection, person: PersonId) -> Result<SettingsRow, StorageError> {
    const SQL: &str = "
        select muted, quiet from notification_settings where person_id = :person";
    let mut stmt = conn.prepare_cached(SQL)?;
    let row = stmt.query_row(named_params! { ":person": person }, |row| {
        Ok(SettingsRow { muted: row.get("muted")?, quiet: row.get("quiet")? })
    });
    Ok(row.optional()?.unwrap_or_default())
}

/// Stores the person's wishes.
pub fn put(
    tx: &Transaction<'_>,
    person: PersonId,
    settings: &SettingsRow,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into notification_settings (person_id, muted, quiet)
        values (:person, :muted, :quiet)
        on conflict (person_id) do update set muted = excluded.muted, quiet = excluded.quiet";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":person": person, ":muted": settings.muted, ":quiet": settings.quiet,
    })?;
    Ok(())
}

/// Keeps a piece of news for the digest of this moment; the same news once.
pub fn hold(
    tx: &Transaction<'_>,
    person: PersonId,
    due: Timestamp,
    notice: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into held_notices (person_id, due_at_ms, notice, at_ms)
        values (:person, :due, :notice, :now)
        on conflict do nothing";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":person": person, ":due": due, ":notice": notice, ":now": now,
    })?;
    Ok(())
}

/// The news of a digest, oldest first.
pub fn held(
    conn: &Connection,
    person: PersonId,
    due: Timestamp,
) -> Result<Vec<String>, StorageError> {
    const SQL: &str = "
        select notice from held_notices where person_id = :person and due_at_ms = :due
        order by at_ms, notice";
    let mut stmt = conn.prepare_cached(SQL)?;
    let rows =
        stmt.query_map(named_params! { ":person": person, ":due": due }, |row| row.get("notice"))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Forgets the news of digests that were due before `before`.
pub fn sweep(tx: &Transaction<'_>, before: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "delete from held_notices where due_at_ms < :before";
    tx.prepare_cached(SQL)?.execute(named_params! { ":before": before })?;
    Ok(())
}
