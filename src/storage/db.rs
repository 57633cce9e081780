//! The database file: one writer connection, a pool of readers.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::migrations;

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// `SQLite` refused.
    #[error("база данных: {}", reason(.0))]
    Sqlite(#[from] rusqlite::Error),
    /// No reader was free in time.
    #[error("база данных занята: {0}")]
    Pool(#[from] r2d2::Error),
    /// A migration failed; the schema is as it was before it.
    #[error("обновление схемы базы данных: {0}")]
    Migration(#[source] rusqlite_migration::Error),
    /// The file was written by a newer program.
    #[error("база данных новее программы: её схема {found}, программа знает {known}")]
    Newer {
        /// The schema's version in the file.
        found: i64,
        /// The newest version that the program knows.
        known: i64,
    },
    /// The file is an `SQLite` database of another program.
    #[error("это база данных другой программы")]
    Foreign,
    /// The file is damaged; the text is `SQLite`'s.
    #[error("файл базы данных повреждён: {0}")]
    Damaged(String),
    /// There is no such file.
    #[error("нет базы данных {}", .0.display())]
    Absent(PathBuf),
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A stored value cannot be read; the text names the table and column.
    #[error("в базе данных испорчено значение: {0}")]
    Corrupt(String),
    /// An update that must hit one row hit another number of them.
    #[error("изменено строк: {found} вместо {expected}")]
    RowsAffected {
        /// Rows that were to change.
        expected: usize,
        /// Rows that did.
        found: usize,
    },
    /// The task that ran the query died.
    #[error("запрос к базе данных прерван")]
    Interrupted,
}

impl StorageError {
    /// Whether there is no room left on the disk.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Sqlite(rusqlite::Error::SqliteFailure(e, _))
            if e.code == rusqlite::ErrorCode::DiskFull)
    }

    /// Whether the file or its folder cannot be written.
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::Sqlite(rusqlite::Error::SqliteFailure(e, _))
            if matches!(e.code, rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen))
    }

    /// Whether a unique column already has the value.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Sqlite(rusqlite::Error::SqliteFailure(e, _))
            if e.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
                || e.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY)
    }
}

/// Why `SQLite` refused, in words for the person who keeps the machine where it is the machine's.
fn reason(error: &rusqlite::Error) -> String {
    use rusqlite::ErrorCode;
    let told = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "на диске нет места",
        Some(ErrorCode::ReadOnly) => "файл или диск только для чтения",
        Some(ErrorCode::CannotOpen) => "файл не открывается",
        Some(ErrorCode::PermissionDenied) => "нет прав на файл",
        Some(ErrorCode::SystemIoFailure) => "диск не отвечает как надо",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "файл занят другой программой",
        _ => return error.to_string(),
    };
    format!("{told} ({error})")
}

/// An update that must hit one row has hit `found`.
///
/// # Errors
///
/// [`StorageError::RowsAffected`] when that is not one.
pub(super) fn one_row(found: usize) -> Result<(), StorageError> {
    if found == 1 { Ok(()) } else { Err(StorageError::RowsAffected { expected: 1, found }) }
}

/// Whether a missing file is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Create {
    /// An absent file is made, with the present schema.
    Yes,
    /// An absent file is [`StorageError::Absent`].
    No,
}

/// The database. Clones share it.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    writer: Mutex<Connection>,
    /// Since when a write runs.
    writing_since: Mutex<Option<Instant>>,
    readers: r2d2::Pool<SqliteConnectionManager>,
}

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The writer's pages in memory: the indexes of a big catalogue are written all over while it is
/// applied, and each page that does not fit goes to the log and comes back.
const WRITER_CACHE_KIB: i64 = 16 * 1024;
const READERS: u32 = 4;
const READER_TIMEOUT: Duration = Duration::from_secs(10);

impl Db {
    /// Opens the file, checks that it is ours and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`StorageError::Absent`], [`StorageError::Foreign`], [`StorageError::Newer`],
    /// [`StorageError::Damaged`]; the file is left as it was.
    pub fn open(path: &Path, create: Create) -> Result<Self, StorageError> {
        if create == Create::No && !path.exists() {
            return Err(StorageError::Absent(path.to_owned()));
        }
        // The pragmas change the file: first make sure that it is ours to change.
        if std::fs::metadata(path).is_ok_and(|meta| meta.len() > 0) {
            Self::look(path, |_| Ok(()))?;
        }
        let mut writer = connect(path)?;
        migrations::apply(&mut writer)?;
        writer.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        let manager = SqliteConnectionManager::file(path)
            .with_flags(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .with_init(|conn| {
                configure(conn)?;
                conn.pragma_update(None, "query_only", true)
            });
        let readers = r2d2::Pool::builder()
            .max_size(READERS)
            .min_idle(Some(1))
            .connection_timeout(READER_TIMEOUT)
            .build(manager)?;
        let path = path.to_owned();
        Ok(Self {
            inner: Arc::new(Inner {
                path,
                writer: Mutex::new(writer),
                writing_since: Mutex::default(),
                readers,
            }),
        })
    }

    /// Reads a file without changing it in any way: no schema is applied, nothing is made. Only
    /// what a process that was killed left half-written is taken back first, as any reader must.
    ///
    /// # Errors
    ///
    /// Those of [`Db::open`].
    pub fn look<T>(
        path: &Path,
        work: impl FnOnce(&Connection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        if !path.exists() {
            return Err(StorageError::Absent(path.to_owned()));
        }
        let mut conn = look_at(path)?;
        let mut checked = check_ours(&conn);
        if checked.as_ref().is_err_and(needs_recovery) {
            recover(path)?;
            conn = look_at(path)?;
            checked = check_ours(&conn);
        }
        checked.map_err(damage)?;
        work(&conn).map_err(damage)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Runs a read on a blocking thread. All its queries see one state of the database, as of the
    /// first of them: what is committed meanwhile, it does not see in part.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let db = self.clone();
        hop(move || db.read_blocking(work)).await
    }

    /// Runs a write on a blocking thread, in one `begin immediate` transaction: `Ok` commits,
    /// `Err` rolls back.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let db = self.clone();
        hop(move || db.write_blocking(work)).await
    }

    /// [`Db::read`] on this thread. Not for async code.
    pub fn read_blocking<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<StorageError>,
    {
        let mut conn = self.inner.readers.get().map_err(StorageError::Pool)?;
        // Rolls back when it is dropped: there is nothing to commit.
        let tx = conn.transaction().map_err(StorageError::Sqlite)?;
        work(&tx)
    }

    /// Runs a read on a connection of its own, which then tells whether anything has been written
    /// since. Not for async code.
    pub fn read_and_watch<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<(T, Watch), E>
    where
        E: From<StorageError>,
    {
        let mut conn = connect(&self.inner.path)?;
        let read = || StorageError::Sqlite;
        conn.pragma_update(None, "query_only", true).map_err(read())?;
        let tx = conn.transaction().map_err(read())?;
        let value = work(&tx)?;
        let version = data_version(&tx).map_err(read())?;
        tx.finish().map_err(read())?;
        Ok((value, Watch { conn, version }))
    }

    /// Runs a write on this thread. Not for async code.
    pub fn write_blocking<T, E>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<StorageError>,
    {
        // A panic inside a transaction rolled it back on unwinding: the connection is sound.
        let mut writer = self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = writer
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StorageError::Sqlite)?;
        let _writing = Writing::begin(&self.inner.writing_since);
        let value = work(&tx)?;
        tx.commit().map_err(StorageError::Sqlite)?;
        Ok(value)
    }

    /// Makes sure that the database can be written: a page goes to the disk and no row changes.
    ///
    /// Waits for nobody: where a write runs, here or in another process, that one is the proof, and
    /// the answer says for how long it has been running. Not for async code.
    ///
    /// # Errors
    ///
    /// Why it cannot be written.
    pub fn try_write(&self) -> Result<Writable, StorageError> {
        let mut writer = match self.inner.writer.try_lock() {
            Ok(writer) => writer,
            Err(TryLockError::Poisoned(writer)) => writer.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(Writable::Busy(self.writing_for())),
        };
        writer.busy_timeout(Duration::ZERO)?;
        let written = write_nothing(&mut writer);
        writer.busy_timeout(BUSY_TIMEOUT)?;
        match written {
            Err(rusqlite::Error::SqliteFailure(e, _))
                if e.code == rusqlite::ErrorCode::DatabaseBusy =>
            {
                Ok(Writable::Busy(Duration::ZERO))
            }
            written => Ok(written.map(|()| Writable::Yes)?),
        }
    }

    /// For how long the write that runs now has been running; zero when none does.
    fn writing_for(&self) -> Duration {
        let since = *self.inner.writing_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Gives back the memory of the writer's pages: after a big write they are many, and of no use
    /// to the next small one. Not for async code.
    pub fn release_memory(&self) -> Result<(), StorageError> {
        self.maintain(|conn| Ok(conn.execute_batch("pragma shrink_memory")?))
    }

    /// Runs maintenance on the writer connection, outside a transaction. Not for async code.
    pub fn maintain<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        work(&mut self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Knows what has been read by [`Db::read_and_watch`].
pub struct Watch {
    conn: Connection,
    version: i64,
}

impl Watch {
    /// Whether it still stands: nothing has been committed since, here or by another process.
    pub fn stands(&self) -> Result<bool, StorageError> {
        Ok(data_version(&self.conn)? == self.version)
    }
}

/// Another number after each commit of another connection.
///
/// Source: <https://www.sqlite.org/pragma.html#pragma_data_version>.
fn data_version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "data_version", |row| row.get(0))
}

/// Whether the database can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writable {
    /// It was, a moment ago.
    Yes,
    /// Another write has been running for so long; zero: it is another process's.
    Busy(Duration),
}

/// Marks that a write runs for as long as it lives.
struct Writing<'a>(&'a Mutex<Option<Instant>>);

impl<'a> Writing<'a> {
    fn begin(since: &'a Mutex<Option<Instant>>) -> Self {
        *since.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Self(since)
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Writes the schema's number over itself: the page goes to the disk as with any commit.
fn write_nothing(writer: &mut Connection) -> rusqlite::Result<()> {
    let tx = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    tx.pragma_update(None, "user_version", version)?;
    tx.commit()
}

async fn hop<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StorageError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(StorageError::Interrupted.into()),
    }
}

fn look_at(path: &Path) -> Result<Connection, StorageError> {
    #[expect(clippy::disallowed_methods, reason = "only to look: the pragmas would write")]
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    Ok(conn)
}

/// Whether the file cannot be read before a killed writer's work is taken back or finished.
///
/// Source: <https://www.sqlite.org/rescode.html#readonly_rollback>.
fn needs_recovery(error: &StorageError) -> bool {
    matches!(error, StorageError::Sqlite(rusqlite::Error::SqliteFailure(e, _))
        if e.extended_code == rusqlite::ffi::SQLITE_READONLY_ROLLBACK
            || e.extended_code == rusqlite::ffi::SQLITE_READONLY_RECOVERY)
}

/// Takes back what a killed writer left: a connection that may write does so by reading.
fn recover(path: &Path) -> Result<(), StorageError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "no pragma may touch a file that is not known yet"
    )]
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    let _: i64 = conn
        .query_row("select count(*) from sqlite_schema", [], |row| row.get(0))
        .map_err(|error| damage(error.into()))?;
    Ok(())
}

fn connect(path: &Path) -> Result<Connection, StorageError> {
    #[expect(clippy::disallowed_methods, reason = "the one place that opens the database")]
    let conn = Connection::open(path)?;
    configure(&conn).map_err(|error| damage(error.into()))?;
    Ok(conn)
}

/// The pragmas of every connection. `busy_timeout` goes first: switching to WAL may have to wait.
fn configure(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "journal_mode", "wal")?;
    // An order once confirmed survives a power cut: NORMAL may lose the last commits.
    conn.pragma_update(None, "synchronous", "full")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    conn.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    conn.set_prepared_statement_cache_capacity(128);
    super::functions::register(conn)
}

fn check_ours(conn: &Connection) -> Result<(), StorageError> {
    let found = migrations::current(conn)?;
    let known = migrations::latest();
    let id: i32 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = conn.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
    match (id, tables) {
        (migrations::APPLICATION_ID, _) if found > known => {
            Err(StorageError::Newer { found, known })
        }
        (migrations::APPLICATION_ID, _) | (0, 0) => Ok(()),
        _ => Err(StorageError::Foreign),
    }
}

/// Tells damage apart from other refusals.
fn damage(error: StorageError) -> StorageError {
    match error {
        StorageError::Sqlite(rusqlite::Error::SqliteFailure(e, text))
            if matches!(
                e.code,
                rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt
            ) =>
        {
            StorageError::Damaged(text.unwrap_or_else(|| e.to_string()))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let db = Db::open(&dir.path().join("partner-m.db"), Create::Yes).expect("opens");
        (dir, db)
    }

    fn pragma(conn: &Connection, name: &str) -> String {
        conn.pragma_query_value(None, name, |row| {
            row.get::<_, rusqlite::types::Value>(0).map(|v| format!("{v:?}"))
        })
        .expect("a pragma")
    }

    #[test]
    fn what_was_read_stands_until_somebody_writes() {
        let (dir, db) = open();
        let read = || db.read_and_watch(|_| Ok::<_, StorageError>(())).expect("reads").1;
        let insert = |tx: &Transaction<'_>| {
            let sql =
                "insert into audit (at_ms, channel, action, object) values (0, 'cli', 'x', 'x')";
            Ok::<_, StorageError>(tx.execute(sql, []).map(drop)?)
        };
        let watch = read();
        db.write_blocking(|tx| {
            insert(tx)?;
            assert!(watch.stands()?, "not before the commit");
            Ok::<_, StorageError>(())
        })
        .expect("writes");
        assert!(!watch.stands().expect("looks"));
        let watch = read();
        assert!(watch.stands().expect("looks"));
        // Another process.
        let other = Db::open(&dir.path().join("partner-m.db"), Create::No).expect("opens");
        other.write_blocking(insert).expect("writes");
        assert!(!watch.stands().expect("looks"));
        let written =
            db.read_and_watch(|conn| Ok::<_, StorageError>(conn.execute("delete from audit", [])?));
        assert!(written.is_err(), "a reader does not write");
    }

    #[test]
    fn a_read_sees_one_state_whatever_is_written_meanwhile() {
        let (_dir, db) = open();
        let count = |conn: &Connection| {
            let sql = "select count(*) from audit";
            Ok::<_, StorageError>(conn.query_row(sql, [], |row| row.get::<_, i64>(0))?)
        };
        let write = |tx: &Transaction<'_>| {
            let sql =
                "insert into audit (at_ms, channel, action, object) values (0, 'cli', 'x', 'x')";
            Ok::<_, StorageError>(tx.execute(sql, []).map(drop)?)
        };
        let seen = db.read_blocking(|conn| {
            let before = count(conn)?;
            db.write_blocking(write)?;
            Ok::<_, StorageError>((before, count(conn)?))
        });
        assert_eq!(seen.expect("reads"), (0, 0));
        assert_eq!(db.read_blocking(count).expect("reads"), 1, "the next one sees it");
    }

    #[test]
    fn every_connection_has_the_pragmas() {
        let (_dir, db) = open();
        let check = |conn: &Connection| {
            assert_eq!(pragma(conn, "journal_mode"), "Text(\"wal\")");
            assert_eq!(pragma(conn, "synchronous"), "Integer(2)");
            assert_eq!(pragma(conn, "foreign_keys"), "Integer(1)");
            assert_eq!(pragma(conn, "busy_timeout"), "Integer(5000)");
            Ok::<_, StorageError>(())
        };
        db.write_blocking(|tx| check(tx)).expect("the writer");
        db.read_blocking(check).expect("a reader");
        let written = db.read_blocking(|conn| {
            conn.execute("delete from settings", []).map_err(StorageError::from)
        });
        assert!(written.is_err(), "a reader does not write");
        let version: String = db
            .read_blocking(|conn| {
                let version = conn.query_row("select sqlite_version()", [], |row| row.get(0));
                version.map_err(StorageError::from)
            })
            .expect("a version");
        let parts: Vec<u32> = version.split('.').filter_map(|p| p.parse().ok()).collect();
        assert!(parts >= vec![3, 51, 3], "{version} has the WAL-reset race");
    }

    #[test]
    fn writers_wait_their_turn_and_lose_nothing() {
        let (_dir, db) = open();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        db.write_blocking(|tx| {
                            let value: i64 = tx.query_row(
                                "select value from counters where name = 'order_number'",
                                [],
                                |row| row.get(0),
                            )?;
                            tx.execute("update counters set value = ?1", [value + 1])?;
                            Ok::<_, StorageError>(())
                        })
                        .expect("a write");
                    }
                });
            }
        });
        let value: i64 = db
            .read_blocking(|conn| {
                let value = conn.query_row("select value from counters", [], |row| row.get(0));
                value.map_err(StorageError::from)
            })
            .expect("a read");
        assert_eq!(value, 1_400);
    }

    /// A process killed while it made the file, before the switch to WAL.
    #[test]
    fn what_a_killed_writer_left_half_written_is_taken_back() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (path, killed) = (dir.path().join("a.db"), dir.path().join("b.db"));
        #[expect(clippy::disallowed_methods, reason = "as SQLite opens it before our pragmas")]
        let mut conn = Connection::open(&path).expect("opens");
        conn.pragma_update(None, "application_id", migrations::APPLICATION_ID).expect("set");
        conn.pragma_update(None, "cache_size", 1).expect("set");
        let tx = conn.transaction().expect("begun");
        tx.execute_batch(
            "create table t (x); with recursive n(i) as (select 1 union all select i + 1 from n
            where i < 2000) insert into t select hex(randomblob(100)) from n",
        )
        .expect("written");
        std::fs::copy(&path, &killed).expect("copied");
        std::fs::copy(dir.path().join("a.db-journal"), dir.path().join("b.db-journal"))
            .expect("a hot journal");
        drop(tx);
        assert!(Db::look(&killed, migrations::current).is_ok_and(|found| found == 0));
        Db::open(&killed, Create::Yes).expect("begun again");
    }

    #[test]
    fn a_foreign_a_newer_and_a_damaged_file_are_refused() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let foreign = dir.path().join("foreign.db");
        connect(&foreign).and_then(|c| Ok(c.execute("create table t (x)", [])?)).expect("made");
        assert!(matches!(Db::open(&foreign, Create::Yes), Err(StorageError::Foreign)));

        let newer = dir.path().join("newer.db");
        drop(Db::open(&newer, Create::Yes).expect("opens"));
        connect(&newer).and_then(|c| Ok(c.pragma_update(None, "user_version", 99)?)).expect("set");
        assert!(matches!(
            Db::open(&newer, Create::Yes),
            Err(StorageError::Newer { found: 99, .. })
        ));

        let damaged = dir.path().join("damaged.db");
        std::fs::write(&damaged, [b'x'; 8192]).expect("written");
        assert!(matches!(Db::open(&damaged, Create::Yes), Err(StorageError::Damaged(_))));
        assert!(matches!(
            Db::open(&dir.path().join("absent.db"), Create::No),
            Err(StorageError::Absent(_))
        ));
    }
}
