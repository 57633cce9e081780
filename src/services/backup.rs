//! Copies of the database: made while others write, verified before they are announced, made on a
//! schedule, kept by count; and the way back.
//!
//! A file in the folder of copies with a good name has been read to its end after it was written.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::live::Change;
use super::{Base, jobs};
use crate::config::{Backup, Config};
use crate::domain::{OrderNumber, Timestamp, Zone};
use crate::storage::backup::{self, Contents};
use crate::storage::db::Create;
use crate::storage::{Db, StorageError};

/// A copy that was missed while the program was off is made when the last one is older.
const MISSED_AFTER: Duration = Duration::from_hours(25);
/// A failed copy is tried again after so long; the first of all is made so long after the start.
const PATIENCE: Duration = Duration::from_hours(1);
/// How long one waits for another copy, made by another process, to be done.
const OTHERS_WITHIN: Duration = Duration::from_mins(1);
/// How often it looks whether that is done.
const LOOK: Duration = Duration::from_millis(100);
/// How often the schedule looks at the clock.
const TICK: Duration = Duration::from_secs(30);

/// Copies of the database. Clones share it.
#[derive(Clone)]
pub struct Backups {
    base: Base,
    turn: Arc<tokio::sync::Mutex<()>>,
    state: Arc<Mutex<State>>,
}

struct State {
    started_at: Timestamp,
    failed: Option<(Timestamp, String)>,
    tried_at: Option<Timestamp>,
}

/// Why a copy was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The schedule.
    Scheduled,
    /// A person asked for it.
    Manual,
    /// Something is about to be changed: an update, a move.
    Before,
}

impl Reason {
    /// The word in the file's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "auto",
            Self::Manual => "manual",
            Self::Before => "before",
        }
    }

    /// «по расписанию», «вручную», «перед изменением».
    pub const fn label(self) -> &'static str {
        match self {
            Self::Scheduled => "по расписанию",
            Self::Manual => "вручную",
            Self::Before => "перед изменением",
        }
    }
}

/// A copy in the folder of copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// When it was begun, to the second.
    pub made_at: Timestamp,
    /// Why.
    pub reason: Reason,
}

/// Where copies stand, for pages and health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupStatus {
    /// The newest verified copy in the folder, but for those dated in the future.
    pub last: Option<BackupFile>,
    /// How old it is.
    pub age: Option<Duration>,
    /// When and why the last try failed; `None` after a success.
    pub failed: Option<(Timestamp, String)>,
    /// When the next one is due; `None`: the schedule is off.
    pub next_at: Option<Timestamp>,
}

/// What became of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the copy holds.
    pub contents: Contents,
    /// Where the former database is, if there was one.
    pub aside: Option<PathBuf>,
    /// New orders get numbers after this one.
    pub last_number: OrderNumber,
    /// What is to be told besides, in Russian.
    pub warnings: Vec<String>,
}

/// Why there is no copy, or no way back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Another one is being made.
    #[error("копия уже делается")]
    Running,
    /// There is a file of that name.
    #[error("файл {} уже есть", .0.display())]
    Exists(PathBuf),
    /// A folder was named where a copy is read.
    #[error("{} — папка, а не файл копии", .0.display())]
    Folder(PathBuf),
    /// The copy, or the database, is of no use.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io { path, source }
}

/// The folder of copies.
pub fn folder(config: &Config) -> PathBuf {
    config.backup.dir.clone().unwrap_or_else(|| config.data_dir.join("backups"))
}

impl Backups {
    /// Copies of this database.
    pub fn new(base: Base) -> Self {
        let state = State { started_at: base.clock.now(), failed: None, tried_at: None };
        Self { base, turn: Arc::default(), state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a copy, and in our own folder removes those beyond the count that is kept.
    ///
    /// `to` is a folder, or a file that is not there yet; `None`: our own folder. The copy is
    /// verified and safe on the disk when this returns.
    ///
    /// # Errors
    ///
    /// [`BackupError`]; no file with a good name is left.
    pub async fn make(
        &self,
        reason: Reason,
        to: Option<PathBuf>,
    ) -> Result<(BackupFile, Contents), BackupError> {
        let _turn = self.turn.try_lock().map_err(|_| BackupError::Running)?;
        let now = self.base.clock.now();
        self.state().tried_at = Some(now);
        let source = self.base.db.path().to_owned();
        let own = folder(&self.base.config);
        let keep = self.base.config.backup.keep;
        let made = blocking(move || {
            let place = Place::find(&own, to.as_deref(), OTHERS_WITHIN)?;
            let made = make(&source, &place, reason, now)?;
            if place.turn.is_some() {
                prune(&own, keep, now);
            }
            Ok(made)
        })
        .await;
        match &made {
            Ok((file, contents)) => {
                self.state().failed = None;
                let name = file.path.file_name().unwrap_or_default().to_string_lossy();
                info!(
                    orders = contents.orders,
                    bytes = file.size,
                    "копия {name} сделана и проверена"
                );
            }
            Err(error) => {
                error!("копия не сделана: {error}");
                self.state().failed = Some((now, error.to_string()));
            }
        }
        made
    }

    /// The copies in our own folder, newest first.
    pub async fn list(&self) -> Result<Vec<BackupFile>, BackupError> {
        let own = folder(&self.base.config);
        blocking(move || list(&own)).await
    }

    /// Reads a copy to its end once more; `None`: the newest in our own folder.
    pub async fn verify(&self, file: Option<PathBuf>) -> Result<(PathBuf, Contents), BackupError> {
        let own = folder(&self.base.config);
        blocking(move || {
            let newest = || list(&own).ok()?.into_iter().next().map(|file| file.path);
            let path = file.or_else(newest).ok_or(StorageError::Absent(own.clone()))?;
            if path.is_dir() {
                return Err(BackupError::Folder(path));
            }
            let contents = backup::inspect(&path)?;
            Ok((path, contents))
        })
        .await
    }

    /// Where copies stand.
    pub async fn status(&self) -> Result<BackupStatus, BackupError> {
        let (now, settings) = (self.base.clock.now(), &self.base.config.backup);
        let last = self.list().await?.into_iter().find(|file| file.made_at <= now);
        let next_at = next_slot(settings, &self.base.zone, now);
        let age = last.as_ref().map(|file| now.since(file.made_at));
        Ok(BackupStatus { last, age, failed: self.state().failed.clone(), next_at })
    }

    /// Makes a copy if one is due by the clock; whether it was.
    pub async fn tick(&self) -> bool {
        let (now, settings) = (self.base.clock.now(), &self.base.config.backup);
        let Some(slot) = last_slot(settings, &self.base.zone, now) else { return false };
        let (started_at, failed, tried_at) = {
            let mut state = self.state();
            // The clock was put back.
            state.started_at = state.started_at.min(now);
            (state.started_at, state.failed.is_some(), state.tried_at)
        };
        let newest = match self.list().await {
            // One from the future was made by a wrong clock: it would hold up all to come.
            Ok(files) => files.into_iter().map(|file| file.made_at).filter(|at| *at <= now).max(),
            Err(error) => {
                warn!("папка копий не читается: {error}");
                None
            }
        };
        let resting = failed && tried_at.is_some_and(|at| now.since(at) < PATIENCE && at <= now);
        let due = match newest {
            Some(made) => (made < slot && slot >= started_at) || now.since(made) > MISSED_AFTER,
            None => slot >= started_at || now.since(started_at) >= PATIENCE,
        };
        if !due || resting {
            return false;
        }
        if let Err(error) = jobs::begin(&self.base, jobs::BACKUP).await {
            warn!("начало копирования не записано: {error}");
        }
        let outcome = match self.make(Reason::Scheduled, None).await {
            Ok((file, _)) => {
                Ok(file.path.file_name().unwrap_or_default().to_string_lossy().into_owned())
            }
            Err(error) => Err(error.to_string()),
        };
        let next = next_slot(settings, &self.base.zone, self.base.clock.now());
        if let Err(error) = jobs::end(&self.base, jobs::BACKUP, outcome, next).await {
            warn!("итог копирования не записан: {error}");
        }
        true
    }

    /// Makes copies on schedule and keeps the last order number beside the database, until told to
    /// stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut changes = self.base.live.listen();
        self.keep_number().await;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(TICK) => {
                    self.tick().await;
                }
                change = changes.recv() => match change {
                    Ok(Change::Order(_) | Change::Elsewhere) | Err(RecvError::Lagged(_)) => {
                        self.keep_number().await;
                    }
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }

    /// Writes the last order number into the `last-number` file, should it have grown.
    pub async fn keep_number(&self) {
        let data = self.base.config.data_dir.clone();
        let kept = self.base.db.read(move |conn| {
            let last = backup::last_number(conn)?;
            let written = keep_number(&data, last);
            written.map_err(|source| StorageError::Io { path: number_file(&data), source })
        });
        if let Err(error) = kept.await {
            warn!("последний номер не записан: {error}");
        }
    }
}

/// Puts a copy in the place of the database in the data folder. The caller holds the folder: nobody
/// has the database open.
///
/// A kill at any moment leaves either the former database or the new one, whole. The former one is
/// kept aside; order numbers go on from the largest known; messages that waited are held back.
///
/// # Errors
///
/// [`BackupError`]; the former database is in its place, unless only the update of the new one's
/// schema failed.
pub fn restore(data: &Path, copy: &Path, now: Timestamp) -> Result<Restored, BackupError> {
    restore_by_steps(data, copy, now, &mut |_| Ok(()))
}

/// [`restore`] that says which step it has reached: a test stops it there, as a kill would.
fn restore_by_steps(
    data: &Path,
    copy: &Path,
    now: Timestamp,
    reached: &mut dyn FnMut(Step) -> Result<(), BackupError>,
) -> Result<Restored, BackupError> {
    let live = data.join("partner-m.db");
    let mut contents = backup::inspect(copy)?;
    let mut warnings = Vec::new();
    let mut last = contents.last_number.max(read_number(data));
    if live.exists() {
        match backup::settle(&live).and_then(|()| Db::look(&live, backup::last_number)) {
            Ok(number) => last = last.max(number),
            Err(StorageError::Interrupted) => return Err(StorageError::Interrupted.into()),
            Err(error) => {
                warnings.push(format!("прежняя база не читается, её номера не учтены: {error}"));
            }
        }
    }
    // Not a copy of bytes: what is committed may stand in a log beside the file.
    let fresh = data.join("partner-m.db.restoring");
    remove(&fresh)?;
    Db::look(copy, |conn| backup::copy_into(conn, &fresh))?;
    let prepared = backup::prepare(&fresh, last, now)
        .and_then(|()| backup::inspect(&fresh))
        .map_err(BackupError::from)
        .and_then(|_| sync(&fresh));
    if let Err(error) = prepared {
        remove(&fresh)?;
        return Err(error);
    }
    reached(Step::Prepared)?;
    let aside = live.exists().then(|| set_aside(data, &live, now)).transpose()?;
    keep_number(data, last).map_err(io_error(&number_file(data)))?;
    reached(Step::SetAside)?;
    // The log is empty; one that stayed beside a new file would be played into it.
    for suffix in ["-wal", "-shm"] {
        remove(&data.join(format!("partner-m.db{suffix}")))?;
    }
    sync(data)?;
    reached(Step::LogGone)?;
    // The one step that counts: before it the former database is whole, after it the new one is.
    std::fs::rename(&fresh, &live).map_err(io_error(&live))?;
    sync(data)?;
    reached(Step::Swapped)?;
    // Brings an old copy's schema up to date.
    drop(Db::open(&live, Create::No)?);
    contents.last_number = last;
    Ok(Restored { contents, aside, last_number: last, warnings })
}

/// Where a restore may be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Prepared,
    SetAside,
    LogGone,
    Swapped,
}

/// Keeps the former database under another name, still in its place: the same file twice where the
/// disk can, else a copy.
fn set_aside(data: &Path, live: &Path, now: Timestamp) -> Result<PathBuf, BackupError> {
    let folder = data.join("aside");
    private_folder(&folder)?;
    let name = format!("partner-m-{}", stamp(now));
    let numbered = |n: u32| match n {
        0 => format!("{name}.db"),
        n => format!("{name}-{n}.db"),
    };
    let aside = (0..1_000).map(|n| folder.join(numbered(n))).find(|path| !path.exists());
    let aside = aside.ok_or_else(|| BackupError::Exists(folder.join(numbered(0))))?;
    if std::fs::hard_link(live, &aside).is_err() {
        std::fs::copy(live, &aside).map_err(io_error(&aside))?;
    }
    // A damaged database may have a log that could not be moved into it.
    for suffix in ["-wal", "-shm"] {
        let log = data.join(format!("partner-m.db{suffix}"));
        if std::fs::metadata(&log).is_ok_and(|meta| meta.len() > 0) {
            let mut kept = aside.clone().into_os_string();
            kept.push(suffix);
            std::fs::copy(&log, &kept).map_err(io_error(&log))?;
        }
    }
    sync(&aside)?;
    sync(&folder)?;
    Ok(aside)
}

/// Copies the database aside before something changes it, such as an update of its schema. Not for
/// async code.
///
/// # Errors
///
/// [`BackupError`]; then nothing should be changed.
pub fn copy_before(config: &Config, now: Timestamp) -> Result<BackupFile, BackupError> {
    let source = config.data_dir.join("partner-m.db");
    let place = Place::find(&folder(config), None, OTHERS_WITHIN)?;
    Ok(make(&source, &place, Reason::Before, now)?.0)
}

/// Where a copy is to be put.
enum Target {
    Folder(PathBuf),
    File(PathBuf),
}

/// A place for a copy. In our own folder one process makes a copy at a time: what another has in
/// work there looks like what a killed one left.
struct Place {
    target: Target,
    /// Held for as long as the copy is made, in our own folder.
    turn: Option<File>,
}

impl Place {
    /// Waits for others so long.
    fn find(own: &Path, to: Option<&Path>, within: Duration) -> Result<Self, BackupError> {
        let target = match to {
            None => {
                private_folder(own)?;
                Target::Folder(own.to_owned())
            }
            Some(file) if !file.is_dir() => Target::File(file.to_owned()),
            Some(folder) => Target::Folder(folder.to_owned()),
        };
        let folder = match &target {
            Target::Folder(folder) => folder,
            Target::File(file) => file.parent().unwrap_or(file),
        };
        let ours = same(folder, own);
        let turn = ours.then(|| turn(own, within)).transpose()?;
        if turn.is_some() {
            sweep(own);
        }
        Ok(Self { target, turn })
    }
}

fn same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// The only turn there is among processes; a killed one gives it up.
fn turn(own: &Path, within: Duration) -> Result<File, BackupError> {
    let path = own.join(".lock");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(io_error(&path))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < within => std::thread::sleep(LOOK),
            Err(TryLockError::WouldBlock) => return Err(BackupError::Running),
            Err(TryLockError::Error(source)) => return Err(io_error(&path)(source)),
        }
    }
}

fn make(
    source: &Path,
    place: &Place,
    reason: Reason,
    now: Timestamp,
) -> Result<(BackupFile, Contents), BackupError> {
    let path = match &place.target {
        Target::File(file) => file.to_owned(),
        Target::Folder(folder) => free_name(folder, reason, now)?,
    };
    if path.exists() {
        return Err(BackupError::Exists(path));
    }
    let unfinished = unfinished(&path);
    remove(&unfinished)?;
    let written = Db::look(source, |conn| backup::copy_into(conn, &unfinished))
        .and_then(|()| backup::inspect(&unfinished))
        .map_err(BackupError::from)
        .and_then(|contents| {
            sync(&unfinished)?;
            let path = match &place.target {
                Target::File(file) => publish(&unfinished, file).map(|()| file.clone())?,
                Target::Folder(folder) => publish_in(&unfinished, folder, reason, now)?,
            };
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                sync(folder)?;
            }
            Ok((path, contents))
        });
    match written {
        Ok((path, contents)) => {
            let size = std::fs::metadata(&path).map_err(io_error(&path))?.len();
            let made_at = Timestamp::from_millis(now.millis() / 1_000 * 1_000);
            Ok((BackupFile { path, size, made_at, reason }, contents))
        }
        Err(error) => {
            let _ = std::fs::remove_file(&unfinished);
            Err(error)
        }
    }
}

/// A name that no other copy in work has, be it of this process or of another.
fn unfinished(path: &Path) -> PathBuf {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let mut name = path.to_owned().into_os_string();
    name.push(format!(".{}-{number}.tmp", std::process::id()));
    PathBuf::from(name)
}

/// Gives a finished copy its name, unless there is such a file by now.
fn publish(unfinished: &Path, path: &Path) -> Result<(), BackupError> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, unfinished, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::EXIST) => Err(BackupError::Exists(path.to_owned())),
        // Not every file system can.
        Err(_) => std::fs::rename(unfinished, path).map_err(io_error(path)),
    }
}

/// Gives it the first free name in a folder where others may put theirs at the same time.
fn publish_in(
    unfinished: &Path,
    folder: &Path,
    reason: Reason,
    now: Timestamp,
) -> Result<PathBuf, BackupError> {
    loop {
        let path = free_name(folder, reason, now)?;
        match publish(unfinished, &path) {
            Err(BackupError::Exists(_)) => {}
            published => return published.map(|()| path),
        }
    }
}

/// `partner-m-20261126T020000Z-auto.db`, or with a number when there is one already.
fn free_name(folder: &Path, reason: Reason, now: Timestamp) -> Result<PathBuf, BackupError> {
    let name = format!("partner-m-{}-{}", stamp(now), reason.as_str());
    let numbered = |n: u32| match n {
        0 => folder.join(format!("{name}.db")),
        n => folder.join(format!("{name}-{n}.db")),
    };
    let free = (0..100).map(numbered).find(|path| !path.exists());
    free.ok_or_else(|| BackupError::Exists(numbered(0)))
}

/// A moment in a file's name, in UTC: `20261126T020000Z`.
fn stamp(at: Timestamp) -> String {
    Zone::utc().civil(at).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// The moment and the reason in a file's name.
fn parse_name(name: &str) -> Option<(Timestamp, Reason)> {
    let rest = name.strip_prefix("partner-m-")?.strip_suffix(".db")?;
    let (stamp, rest) = rest.split_once('-')?;
    let reason = rest.split('-').next()?;
    let reason = [Reason::Scheduled, Reason::Manual, Reason::Before]
        .into_iter()
        .find(|known| known.as_str() == reason)?;
    let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", stamp).ok()?;
    Some((Zone::utc().moment(civil)?, reason))
}

fn list(folder: &Path) -> Result<Vec<BackupFile>, BackupError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error(folder)(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io_error(folder))?;
        let name = entry.file_name();
        let Some((made_at, reason)) = name.to_str().and_then(parse_name) else { continue };
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_file() {
            files.push(BackupFile { path: entry.path(), size: meta.len(), made_at, reason });
        }
    }
    files.sort_by(|a, b| (b.made_at, &b.path).cmp(&(a.made_at, &a.path)));
    Ok(files)
}

/// Removes the oldest copies of each reason beyond the count. The newest of all, verified a moment
/// ago, is never among them: those that a wrong clock dated in the future go first.
fn prune(folder: &Path, keep: usize, now: Timestamp) {
    let Ok(mut files) = list(folder) else { return };
    files.sort_by_key(|file| file.made_at > now);
    for reason in [Reason::Scheduled, Reason::Manual, Reason::Before] {
        let of_reason = files.iter().filter(|file| file.reason == reason);
        for file in of_reason.skip(keep.max(1)) {
            if let Err(error) = std::fs::remove_file(&file.path) {
                warn!("старая копия не удалена: {error}");
            }
        }
    }
}

/// Removes what a process that was killed left half-made. Only for who has the turn.
fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let copy = name.strip_suffix(".tmp").and_then(|name| name.split_once(".db"));
        if copy.is_some_and(|(name, _)| parse_name(&format!("{name}.db")).is_some()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The latest moment of the schedule that is not after `now`.
fn last_slot(settings: &Backup, zone: &Zone, now: Timestamp) -> Option<Timestamp> {
    let today = slot(settings, zone, now)?;
    if today <= now {
        Some(today)
    } else {
        slot(settings, zone, now.minus(Duration::from_hours(24)))
    }
}

/// The earliest moment of the schedule after `now`.
fn next_slot(settings: &Backup, zone: &Zone, now: Timestamp) -> Option<Timestamp> {
    let today = slot(settings, zone, now)?;
    if today > now { Some(today) } else { slot(settings, zone, now.plus(Duration::from_hours(24))) }
}

/// The schedule's moment on the company's day that `at` is in.
fn slot(settings: &Backup, zone: &Zone, at: Timestamp) -> Option<Timestamp> {
    let (hour, minute) = settings.at?;
    let (hour, minute) = (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?);
    zone.moment(zone.civil(at).date().at(hour, minute, 0, 0))
}

fn number_file(data: &Path) -> PathBuf {
    data.join("last-number")
}

/// The number in the `last-number` file; zero when there is none to be read.
fn read_number(data: &Path) -> OrderNumber {
    let text = std::fs::read_to_string(number_file(data)).unwrap_or_default();
    OrderNumber(text.trim().parse().unwrap_or(0))
}

/// Replaces the file as a whole, unless its number is as large already.
fn keep_number(data: &Path, last: OrderNumber) -> io::Result<()> {
    if read_number(data) >= last {
        return Ok(());
    }
    let unfinished = data.join("last-number.tmp");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    writeln!(file, "{last}")?;
    file.sync_all()?;
    std::fs::rename(&unfinished, number_file(data))?;
    File::open(data)?.sync_all()
}

fn private_folder(folder: &Path) -> Result<(), BackupError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io_error(folder))
}

/// A file or folder, safe on the disk.
fn sync(path: &Path) -> Result<(), BackupError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(io_error(path))
}

fn remove(path: &Path) -> Result<(), BackupError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(path)(error)),
        _ => Ok(()),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(StorageError::Interrupted.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_when_and_why() {
        let at = Timestamp::from_millis(1_795_532_400_000);
        let folder = Path::new("/b");
        let path = free_name(folder, Reason::Manual, at).expect("free");
        assert_eq!(path, Path::new("/b/partner-m-20261124T150000Z-manual.db"));
        assert_eq!(parse_name("partner-m-20261124T150000Z-manual.db"), Some((at, Reason::Manual)));
        assert_eq!(
            parse_name("partner-m-20261124T150000Z-auto-2.db"),
            Some((at, Reason::Scheduled))
        );
        for other in [
            "partner-m.db",
            "partner-m-20261124T150000Z-auto.db.tmp",
            "x.db",
            "partner-m-1-auto.db",
        ] {
            assert_eq!(parse_name(other), None, "{other}");
        }
    }

    #[test]
    fn copies_made_at_once_do_not_touch_each_other() {
        let dir = tempfile::tempdir().expect("a folder");
        let (live, own) = (dir.path().join("partner-m.db"), dir.path().join("backups"));
        drop(Db::open(&live, Create::Yes).expect("opens"));
        let elsewhere = dir.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).expect("made");
        let now = Timestamp::from_millis(1_795_532_400_000);
        for to in [None, Some(elsewhere.as_path())] {
            let made: Vec<PathBuf> = std::thread::scope(|scope| {
                let one = || {
                    let place = Place::find(&own, to, OTHERS_WITHIN).expect("a place");
                    make(&live, &place, Reason::Manual, now).expect("made").0.path
                };
                let begun: Vec<_> = (0..6).map(|_| scope.spawn(one)).collect();
                begun.into_iter().map(|thread| thread.join().expect("no panic")).collect()
            });
            let folder = to.unwrap_or(&own);
            let mut names: Vec<_> = made.iter().collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), 6, "{names:?}");
            for path in names {
                backup::inspect(path).expect("sound");
            }
            let left = std::fs::read_dir(folder).expect("a folder").flatten();
            let left = left.filter(|entry| entry.file_name().to_string_lossy().ends_with(".tmp"));
            assert_eq!(left.count(), 0);
        }
    }

    #[test]
    fn a_copy_waits_for_another_only_so_long_and_only_in_our_own_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        let own = dir.path().join("backups");
        let held = Place::find(&own, None, Duration::ZERO).expect("a place");
        let in_work = own.join("partner-m-20261124T150000Z-manual.db.1-0.tmp");
        std::fs::write(&in_work, "half").expect("written");
        for to in [None, Some(own.as_path()), Some(&*own.join("x.db"))] {
            let refused = Place::find(&own, to, Duration::from_millis(150)).err();
            assert!(matches!(refused, Some(BackupError::Running)), "{to:?}");
        }
        Place::find(&own, Some(dir.path()), Duration::ZERO).expect("not in our folder");
        assert!(in_work.exists());
        drop(held);
        let old = own.join("partner-m-20261124T150000Z-auto.db.tmp");
        std::fs::write(&old, "half").expect("written");
        Place::find(&own, None, Duration::ZERO).expect("free again");
        assert!(!in_work.exists() && !old.exists(), "what was left is swept");
    }

    fn set(db: &Db, value: &str) {
        let set = db.write_blocking(|tx| {
            const SQL: &str = "
                insert or replace into settings (key, value, updated_at_ms) values ('x', ?1, 0)";
            tx.execute(SQL, [value])?;
            Ok::<_, StorageError>(())
        });
        set.expect("set");
    }

    fn get(path: &Path) -> String {
        Db::look(path, |conn| {
            let sql = "select value from settings where key = 'x'";
            Ok(conn.query_row(sql, [], |row| row.get(0))?)
        })
        .expect("whole")
    }

    #[test]
    fn a_restore_killed_at_any_step_leaves_the_old_or_the_new_whole() {
        let now = Timestamp::from_millis(1_795_532_400_000);
        let killed = || BackupError::Storage(StorageError::Interrupted);
        for at in [Step::Prepared, Step::SetAside, Step::LogGone, Step::Swapped] {
            let dir = tempfile::tempdir().expect("a folder");
            let live = dir.path().join("partner-m.db");
            let copy = dir.path().join("copy.db");
            let db = Db::open(&live, Create::Yes).expect("opens");
            set(&db, "then");
            db.maintain(|conn| backup::copy_into(conn, &copy)).expect("copied");
            set(&db, "now");
            // A process that was killed leaves its log behind: one that never closes the file.
            let log = std::fs::read(dir.path().join("partner-m.db-wal")).expect("a log");
            let file = std::fs::read(&live).expect("a file");
            drop(db);
            std::fs::write(&live, file).expect("written");
            std::fs::write(dir.path().join("partner-m.db-wal"), &log).expect("written");
            assert!(!log.is_empty());

            let mut reached = |step| if step == at { Err(killed()) } else { Ok(()) };
            restore_by_steps(dir.path(), &copy, now, &mut reached).expect_err("killed");
            let expected = if at == Step::Swapped { "then" } else { "now" };
            assert_eq!(get(&live), expected, "killed at {at:?}");
            backup::inspect(&live).expect("sound");

            let restored = restore(dir.path(), &copy, now).expect("the second try");
            assert_eq!(get(&live), "then");
            assert_eq!(get(&restored.aside.expect("set aside")), expected);
        }
    }

    #[test]
    fn the_schedule_is_in_the_companys_zone() {
        let settings = Backup { at: Some((2, 0)), keep: 14, dir: None };
        let zone = Zone::named("Europe/Moscow").expect("a zone");
        let now = Timestamp::from_millis(1_795_532_400_000); // 24.11.2026, 18:00 in Moscow
        let shown = |at: Option<Timestamp>| at.map(|at| zone.rfc3339(at));
        assert_eq!(
            shown(last_slot(&settings, &zone, now)).as_deref(),
            Some("2026-11-24T02:00:00+03:00")
        );
        assert_eq!(
            shown(next_slot(&settings, &zone, now)).as_deref(),
            Some("2026-11-25T02:00:00+03:00")
        );
        let off = Backup { at: None, ..settings };
        assert_eq!(next_slot(&off, &zone, now), None);
    }
}
