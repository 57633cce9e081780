//! Copies of the whole database.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, named_params};

use super::{Db, StorageError, migrations};
use crate::domain::{OrderNumber, Timestamp};

/// Writes a consistent, compact copy of the database into a new file of mode 0600. Others may read
/// and write meanwhile; the copy is not yet synced to the disk.
///
/// `vacuum into` rather than a copy of the file: what is committed may still be in the log.
/// Source: [`vacuum into`](https://www.sqlite.org/lang_vacuum.html#vacuuminto).
///
/// # Errors
///
/// [`StorageError::Io`] when the file is there already or cannot be made.
pub fn copy_into(conn: &Connection, path: &Path) -> Result<(), StorageError> {
    // SQLite would make it readable by all; an empty file of ours it accepts.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|source| StorageError::Io { path: path.to_owned(), source })?;
    let written = conn
        .prepare("vacuum into :path")
        .and_then(|mut stmt| stmt.execute(named_params! { ":path": path.to_string_lossy() }));
    if let Err(error) = written {
        let _ = std::fs::remove_file(path);
        return Err(error.into());
    }
    Ok(())
}

/// Brings the open database to what a copy holds. Other connections of this process and others see
/// it as one more commit.
pub fn restore_into(conn: &mut Connection, path: &Path) -> Result<(), StorageError> {
    #[expect(clippy::disallowed_methods, reason = "a copy is only read: the pragmas would write")]
    let copy = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let restoring = Backup::new(&copy, conn)?;
    restoring.run_to_completion(i32::MAX, Duration::from_millis(20), None)?;
    Ok(())
}

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// The version of its schema.
    pub schema: i64,
    /// Orders in it.
    pub orders: i64,
    /// Products in it.
    pub products: i64,
    /// People in it.
    pub people: i64,
    /// The largest order number that it knows to be given.
    pub last_number: OrderNumber,
}

/// Reads a file to its end: that it is ours, sound, and what it holds.
///
/// # Errors
///
/// [`StorageError::Absent`], [`StorageError::Foreign`], [`StorageError::Newer`],
/// [`StorageError::Damaged`].
pub fn inspect(path: &Path) -> Result<Contents, StorageError> {
    const SQL: &str = "
        select (select count(*) from orders) as orders,
            (select count(*) from products) as products,
            (select count(*) from persons) as people";
    Db::look(path, |conn| {
        let found: String = conn.query_row("pragma integrity_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            return Err(StorageError::Damaged(found));
        }
        let dangling = conn.prepare("pragma foreign_key_check")?.exists([])?;
        if dangling {
            return Err(StorageError::Damaged("ссылки ведут в никуда".to_owned()));
        }
        let last_number = last_number(conn)?;
        let schema = migrations::current(conn)?;
        Ok(conn.query_row(SQL, [], |row| {
            Ok(Contents {
                schema,
                orders: row.get("orders")?,
                products: row.get("products")?,
                people: row.get("people")?,
                last_number,
            })
        })?)
    })
}

/// The largest order number given so far.
pub fn last_number(conn: &Connection) -> Result<OrderNumber, StorageError> {
    const SQL: &str = "
        select max(coalesce((select value from counters where name = 'order_number'), 0),
            coalesce((select max(number) from orders), 0)) as number";
    Ok(conn.query_row(SQL, [], |row| row.get("number"))?)
}

/// Makes a copy fit to take the place of the database: numbers go on after `last`, messages that
/// waited then are not sent without a question, and no run is marked.
///
/// The copy stays a single file without a log.
pub fn prepare(path: &Path, last: OrderNumber, now: Timestamp) -> Result<(), StorageError> {
    const NUMBERS: &str = "
        update counters set value = max(value, :last) where name = 'order_number'";
    const MESSAGES: &str = "
        update outbox set state = 'failed', closed_at_ms = :now,
            error = 'восстановлено из копии: могло уйти раньше'
        where state = 'queued'";
    #[expect(clippy::disallowed_methods, reason = "the pragmas of Db would leave a log beside it")]
    let mut conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.pragma_update(None, "journal_mode", "delete")?;
    let tx = conn.transaction()?;
    tx.execute(NUMBERS, named_params! { ":last": last })?;
    tx.execute(MESSAGES, named_params! { ":now": now })?;
    super::upkeep::clear_running(&tx)?;
    tx.commit()?;
    Ok(())
}

/// Moves everything committed into the main file and leaves the log empty, so that the file alone
/// is the database. Nobody else may have it open.
///
/// # Errors
///
/// [`StorageError::Damaged`] and the like; [`StorageError::Interrupted`] when someone has it open.
pub fn settle(path: &Path) -> Result<(), StorageError> {
    #[expect(clippy::disallowed_methods, reason = "the schema is not to be touched")]
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    let busy: i64 = conn.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0))?;
    if busy == 0 { Ok(()) } else { Err(StorageError::Interrupted) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::db::Create;

    fn set(db: &Db, value: &str) {
        db.write_blocking(|tx| {
            const SQL: &str = "
                insert or replace into settings (key, value, updated_at_ms) values ('x', ?1, 0)";
            tx.execute(SQL, [value])?;
            Ok::<_, StorageError>(())
        })
        .expect("set");
    }

    fn get(db: &Db) -> String {
        db.read_blocking(|conn| {
            let value =
                conn.query_row("select value from settings where key = 'x'", [], |row| row.get(0));
            value.map_err(StorageError::from)
        })
        .expect("get")
    }

    #[test]
    fn what_was_copied_comes_back_under_open_connections() {
        let dir = tempfile::tempdir().expect("a folder");
        let db = Db::open(&dir.path().join("partner-m.db"), Create::Yes).expect("opens");
        set(&db, "before");
        let copy = dir.path().join("copy.db");
        db.maintain(|conn| copy_into(conn, &copy)).expect("copied");
        let mode = std::os::unix::fs::MetadataExt::mode(&copy.metadata().expect("there"));
        assert_eq!(mode & 0o777, 0o600);
        set(&db, "after");
        assert_eq!(get(&db), "after");
        db.maintain(|conn| restore_into(conn, &copy)).expect("restored");
        assert_eq!(get(&db), "before");
        set(&db, "later");
        assert_eq!(get(&db), "later");
        let mode: String = db
            .maintain(|conn| Ok(conn.pragma_query_value(None, "journal_mode", |row| row.get(0))?))
            .expect("a mode");
        assert_eq!(mode, "wal");
    }
}
