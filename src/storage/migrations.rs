//! The schema's history: the files of `migrations/`, oldest first, counted in `user_version`.

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::StorageError;

/// Marks a database as ours: the bytes `PrtM`.
///
/// Source: the pragma `application_id` <https://www.sqlite.org/pragma.html>.
pub const APPLICATION_ID: i32 = 0x5072_744d;

const FILES: &[&str] = &[include_str!("../../migrations/202611260900_create_schema.sql")];

/// The version of the schema that this program needs.
pub fn latest() -> i64 {
    i64::try_from(FILES.len()).unwrap_or(i64::MAX)
}

/// The version of the schema in the database: 0 for an empty one.
pub fn current(conn: &Connection) -> Result<i64, StorageError> {
    Ok(conn.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Brings the schema to [`latest`], each step in a transaction of its own.
///
/// Foreign keys are off meanwhile and checked after: inside a transaction the pragma does nothing.
pub fn apply(conn: &mut Connection) -> Result<(), StorageError> {
    let before = current(conn)?;
    if before == latest() {
        return Ok(());
    }
    conn.pragma_update(None, "foreign_keys", false)?;
    let steps = FILES.iter().map(|sql| M::up(sql).foreign_key_check()).collect();
    let applied = Migrations::new(steps).to_latest(conn).map_err(StorageError::Migration);
    conn.pragma_update(None, "foreign_keys", true)?;
    applied?;
    if before == 0 {
        conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_listed_are_the_files_there_are() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let files = std::fs::read_dir(folder).expect("the folder exists").count();
        assert_eq!(files, FILES.len(), "list the new file in FILES");
    }
}
