//! Copies of the whole database.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, named_params};

use super::StorageError;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Db;
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
