//! The schema's history: the files of `migrations/`, oldest first, counted in `user_version`.

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};
use tracing::info;

use super::StorageError;

/// Marks a database as ours: the bytes `PrtM`.
///
/// Source: the pragma `application_id` <https://www.sqlite.org/pragma.html>.
pub const APPLICATION_ID: i32 = 0x5072_744d;

const FILES: &[&str] = &[
    include_str!("../../migrations/202611260900_create_schema.sql"),
    include_str!("../../migrations/202611271000_add_line_chooser.sql"),
    include_str!("../../migrations/202611281800_create_imports.sql"),
    include_str!("../../migrations/202611281930_create_templates.sql"),
    include_str!("../../migrations/202611282100_create_saved_views.sql"),
];

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
    apply_files(conn, FILES)
}

fn apply_files(conn: &mut Connection, files: &[&str]) -> Result<(), StorageError> {
    let before = current(conn)?;
    if before == i64::try_from(files.len()).unwrap_or(i64::MAX) {
        return Ok(());
    }
    // First: tables without the mark would be another program's to whoever comes after a crash.
    if before == 0 {
        conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    conn.pragma_update(None, "foreign_keys", false)?;
    let steps = files.iter().map(|sql| M::up(sql).foreign_key_check()).collect();
    let applied = Migrations::new(steps).to_latest(conn).map_err(StorageError::Migration);
    conn.pragma_update(None, "foreign_keys", true)?;
    applied?;
    info!("схема базы данных обновлена: версия {before} → {}", files.len());
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

    #[test]
    fn a_step_that_fails_leaves_the_schema_and_the_data_of_the_step_before() {
        const FIRST: &str = "
            create table a (id integer primary key);
            create table b (a integer references a (id));
            insert into a values (1);
            insert into b values (1)";
        for bad in [
            "create table c (x); delete from b; delete from nothing",
            // It goes through, but leaves a reference into nowhere.
            "create table c (x); delete from a",
        ] {
            let mut conn = Connection::open_in_memory().expect("opens");
            apply_files(&mut conn, &[FIRST]).expect("applied");
            apply_files(&mut conn, &[FIRST, bad]).expect_err("refused");
            assert_eq!(current(&conn).expect("read"), 1);
            let counts: (i64, i64, i64) = conn
                .query_row(
                    "select (select count(*) from a), (select count(*) from b),
                        (select count(*) from sqlite_schema where name = 'c')",
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .expect("read");
            assert_eq!(counts, (1, 1, 0), "{bad}");
            let on: bool =
                conn.pragma_query_value(None, "foreign_keys", |row| row.get(0)).expect("read");
            assert!(on);
        }
    }
}
