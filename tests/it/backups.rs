//! Copies of the database and the way back.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use partner_m::config::{Backup, Config};
use partner_m::domain::{Clock, OrderId, OrderNumber, Timestamp, Zone};
use partner_m::services::Base;
use partner_m::services::backup::{self, BackupError, Backups, Reason};
use partner_m::services::live::{Change, Live};
use partner_m::storage::db::Create;
use partner_m::storage::{Db, StorageError};
use partner_m::tasks::Tasks;

/// 24 November 2026, 18:00 in Moscow.
const START: Timestamp = Timestamp::from_millis(1_795_532_400_000);

struct Stand {
    folder: tempfile::TempDir,
    clock: Clock,
    base: Base,
    backups: Backups,
}

fn open(folder: &Path, clock: &Clock, settings: Backup) -> Base {
    let config = Config { data_dir: folder.to_owned(), backup: settings, ..Config::default() };
    Base {
        db: Db::open(&folder.join("partner-m.db"), Create::Yes).expect("opens"),
        clock: clock.clone(),
        zone: Zone::named("Europe/Moscow").expect("a zone"),
        config: config.into(),
        live: Live::default(),
    }
}

impl Stand {
    fn new() -> Self {
        Self::with(Config::default().backup)
    }

    fn with(settings: Backup) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::manual(START);
        let base = open(folder.path(), &clock, settings);
        let backups = Backups::new(base.clone());
        Self { folder, clock, base, backups }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn names(&self) -> Vec<String> {
        let files = self.backups.list().await.expect("a list");
        let name = |path: PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into();
        files.into_iter().map(|file| name(file.path)).collect()
    }

    /// Moves the order counter on, as orders do.
    fn give_numbers(&self, up_to: i64) {
        let given = self.base.db.write_blocking(|tx| {
            tx.execute("update counters set value = ?1 where name = 'order_number'", [up_to])?;
            Ok::<_, StorageError>(())
        });
        given.expect("given");
    }
}

fn value(path: &Path, sql: &str) -> String {
    let read = Db::look(path, |conn| {
        let value: rusqlite::types::Value = conn.query_row(sql, [], |row| row.get(0))?;
        Ok(match value {
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Integer(number) => number.to_string(),
            other => format!("{other:?}"),
        })
    });
    read.expect("read")
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("there").permissions().mode() & 0o777
}

#[tokio::test]
async fn a_copy_is_private_verified_and_named_by_its_moment() {
    let stand = Stand::new();
    let (file, contents) = stand.backups.make(Reason::Manual, None).await.expect("a copy");
    assert_eq!(stand.names().await, ["partner-m-20261124T150000Z-manual.db"]);
    assert_eq!((mode(&file.path), mode(&stand.path("backups"))), (0o600, 0o700));
    assert_eq!((file.made_at, contents.last_number), (START, OrderNumber(1_000)));
    stand.backups.make(Reason::Manual, None).await.expect("another in the same second");
    assert_eq!(stand.names().await.len(), 2);
    let (path, again) = stand.backups.verify(None).await.expect("sound");
    assert_eq!(again, contents);
    assert!(path.ends_with("partner-m-20261124T150000Z-manual.db"), "{path:?}");
}

#[tokio::test]
async fn a_copy_goes_where_it_is_told_and_never_over_a_file() {
    let stand = Stand::new();
    let elsewhere = stand.path("elsewhere");
    std::fs::create_dir(&elsewhere).expect("made");
    let (file, _) =
        stand.backups.make(Reason::Manual, Some(elsewhere.clone())).await.expect("made");
    assert_eq!(file.path.parent(), Some(elsewhere.as_path()));
    let named = elsewhere.join("monday.db");
    stand.backups.make(Reason::Manual, Some(named.clone())).await.expect("made");
    let again = stand.backups.make(Reason::Manual, Some(named)).await;
    assert!(matches!(again, Err(BackupError::Exists(_))));
    let nowhere = stand.path("no/such/folder.db");
    stand.backups.make(Reason::Manual, Some(nowhere)).await.expect_err("no folder");
    assert!(stand.names().await.is_empty());
    assert!(stand.backups.status().await.expect("read").failed.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_in_a_storm_of_writes_holds_everything_confirmed_before_it() {
    let stand = Stand::new();
    let (stop, confirmed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
    let (db, over, done) = (stand.base.db.clone(), stop.clone(), confirmed.clone());
    let storm = std::thread::spawn(move || {
        while !over.load(Ordering::SeqCst) {
            let next = done.load(Ordering::SeqCst) + 1;
            let written = db.write_blocking(|tx| {
                let sql = "insert into audit (at_ms, channel, action, object) values (?1, 'cli', 'x', 'x')";
                tx.execute(sql, [next])?;
                Ok::<_, StorageError>(())
            });
            written.expect("a write is not held up");
            done.store(next, Ordering::SeqCst);
        }
    });
    while confirmed.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        let before = confirmed.load(Ordering::SeqCst);
        let (file, _) = stand.backups.make(Reason::Manual, None).await.expect("a copy");
        let held: i64 = value(&file.path, "select count(*) from audit").parse().expect("a number");
        assert!(held >= before, "{held} of {before}");
        assert_eq!(
            value(&file.path, "select coalesce(max(at_ms), 0) from audit"),
            held.to_string(),
            "no gap"
        );
    }
    stop.store(true, Ordering::SeqCst);
    storm.join().expect("the storm ends");
}

#[tokio::test]
async fn half_made_copies_are_neither_listed_nor_kept() {
    let stand = Stand::new();
    std::fs::create_dir(stand.path("backups")).expect("made");
    let half = stand.path("backups/partner-m-20261101T020000Z-auto.db.tmp");
    std::fs::write(&half, "half").expect("written");
    std::fs::write(stand.path("backups/notes.txt"), "mine").expect("written");
    assert!(stand.names().await.is_empty());
    stand.backups.make(Reason::Manual, None).await.expect("a copy");
    assert!(!half.exists() && stand.path("backups/notes.txt").exists());
}

#[tokio::test]
async fn copies_are_made_daily_and_kept_by_count() {
    let stand = Stand::with(Backup { keep: 5, ..Config::default().backup });
    stand.backups.make(Reason::Manual, None).await.expect("by hand");
    let mut made = 0;
    for _ in 0..20 * 24 * 4 {
        stand.clock.advance(Duration::from_mins(15));
        made += i32::from(stand.backups.tick().await);
    }
    assert_eq!(made, 20);
    let names = stand.names().await;
    // 02:00 in Moscow is 23:00 of the day before in UTC.
    assert_eq!(names[0], "partner-m-20261213T230000Z-auto.db");
    assert_eq!(names.iter().filter(|name| name.contains("-auto")).count(), 5);
    assert_eq!(names.last().expect("one"), "partner-m-20261124T150000Z-manual.db");
    let status = stand.backups.status().await.expect("read");
    assert_eq!(status.age, Some(Duration::from_hours(16)));
    let next = stand.clock.now().plus(Duration::from_hours(8));
    assert_eq!(status.next_at, Some(next));
}

#[tokio::test]
async fn a_copy_missed_while_off_is_made_after_the_start() {
    let stand = Stand::new();
    stand.backups.make(Reason::Scheduled, None).await.expect("a copy");
    let restarted = || Backups::new(stand.base.clone());
    // Down over 02:00 and up at 17:00: not a day old, the next night will do.
    stand.clock.advance(Duration::from_hours(23));
    assert!(!restarted().tick().await);
    // Down for two days.
    stand.clock.advance(Duration::from_hours(25));
    let backups = restarted();
    assert!(backups.tick().await);
    assert!(!backups.tick().await);
}

#[tokio::test]
async fn copies_that_a_wrong_clock_dated_in_the_future_hold_up_nothing() {
    let stand = Stand::with(Backup { keep: 3, ..Config::default().backup });
    stand.backups.make(Reason::Scheduled, None).await.expect("a copy");
    for year in 2035..2040 {
        let name = format!("partner-m-{year}0101T000000Z-auto.db");
        std::fs::copy(
            stand.path(&format!("backups/{}", stand.names().await.last().expect("one"))),
            stand.path(&format!("backups/{name}")),
        )
        .expect("copied");
    }
    let mut made = 0;
    for _ in 0..4 * 24 {
        stand.clock.advance(Duration::from_hours(1));
        made += i32::from(stand.backups.tick().await);
    }
    assert_eq!(made, 4, "one each night");
    let names = stand.names().await;
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.iter().all(|name| name.starts_with("partner-m-202611")), "{names:?}");
}

#[tokio::test]
async fn a_new_desk_has_its_first_copy_within_the_hour() {
    let stand = Stand::new();
    assert!(!stand.backups.tick().await);
    stand.clock.advance(Duration::from_hours(1));
    assert!(stand.backups.tick().await);
}

#[tokio::test]
async fn a_failed_copy_is_told_and_tried_again_in_an_hour() {
    let stand = Stand::new();
    std::fs::write(stand.path("backups"), "a file in the way").expect("written");
    stand.clock.advance(Duration::from_hours(8));
    assert!(stand.backups.tick().await, "02:00");
    assert!(stand.backups.status().await.is_err());
    stand.clock.advance(Duration::from_mins(59));
    assert!(!stand.backups.tick().await);
    std::fs::remove_file(stand.path("backups")).expect("removed");
    stand.clock.advance(Duration::from_mins(1));
    assert!(stand.backups.tick().await);
    assert_eq!(stand.backups.status().await.expect("read").failed, None);
}

#[tokio::test]
async fn off_is_off() {
    let stand = Stand::with(Backup { at: None, ..Config::default().backup });
    stand.clock.advance(Duration::from_hours(100));
    assert!(!stand.backups.tick().await);
    assert_eq!(stand.backups.status().await.expect("read").next_at, None);
}

#[tokio::test]
async fn a_restore_brings_the_copy_back_and_loses_no_number() {
    let stand = Stand::new();
    let queue = |text: &'static str| {
        stand.base.db.write_blocking(move |tx| {
            let sql = "insert into outbox (chat_key, payload, due_at_ms, created_at_ms) values (?1, '{}', 0, 0)";
            tx.execute(sql, [text])?;
            Ok::<_, StorageError>(())
        })
    };
    stand.give_numbers(1_010);
    queue("tg:1").expect("queued");
    let (copy, _) = stand.backups.make(Reason::Manual, None).await.expect("a copy");
    stand.give_numbers(1_042);
    queue("tg:2").expect("queued");
    let Stand { folder, clock, base, backups } = stand;
    drop((base, backups));

    let restored = backup::restore(folder.path(), &copy.path, clock.now()).expect("restored");
    assert_eq!(restored.last_number, OrderNumber(1_042), "the database set aside knew more");
    assert!(restored.warnings.is_empty());
    let live = folder.path().join("partner-m.db");
    assert_eq!(value(&live, "select value from counters where name = 'order_number'"), "1042");
    assert_eq!(
        value(&live, "select group_concat(chat_key || ' ' || state) from outbox"),
        "tg:1 failed"
    );
    let aside = restored.aside.expect("set aside");
    assert_eq!(value(&aside, "select count(*) from outbox where state = 'queued'"), "2");
    assert_eq!(mode(&live), 0o600);
    assert!(!folder.path().join("partner-m.db.restoring").exists());
    assert_eq!(std::fs::read_to_string(folder.path().join("last-number")).expect("kept"), "1042\n");
}

#[tokio::test]
async fn a_lost_database_goes_on_from_the_number_beside_it() {
    let stand = Stand::new();
    let (copy, _) = stand.backups.make(Reason::Manual, None).await.expect("a copy");
    stand.give_numbers(1_099);
    stand.backups.keep_number().await;
    let Stand { folder, clock, base, backups } = stand;
    drop((base, backups));
    let live = folder.path().join("partner-m.db");
    // Damaged beyond reading, with a log beside it.
    std::fs::write(&live, vec![b'x'; 16 * 1024]).expect("damaged");
    std::fs::write(folder.path().join("partner-m.db-wal"), b"junk").expect("damaged");

    let restored = backup::restore(folder.path(), &copy.path, clock.now()).expect("restored");
    assert_eq!(restored.last_number, OrderNumber(1_099));
    assert_eq!(restored.warnings.len(), 1);
    assert!(restored.aside.expect("set aside").exists());
    assert_eq!(value(&live, "select value from counters where name = 'order_number'"), "1099");

    std::fs::remove_file(&live).expect("lost altogether");
    let restored = backup::restore(folder.path(), &copy.path, clock.now()).expect("restored");
    assert_eq!((restored.last_number, restored.aside), (OrderNumber(1_099), None));
}

#[tokio::test]
async fn what_is_no_copy_of_ours_is_refused_and_changes_nothing() {
    let stand = Stand::new();
    stand.give_numbers(1_005);
    let (copy, _) = stand.backups.make(Reason::Manual, None).await.expect("a copy");
    let Stand { folder, clock, base, backups } = stand;
    drop((base, backups));
    let live = folder.path().join("partner-m.db");
    let whole = std::fs::read(&copy.path).expect("read");
    let damaged = folder.path().join("damaged.db");
    let mut torn = whole.clone();
    for byte in torn.iter_mut().skip(8 * 4096).take(3 * 4096) {
        *byte = 0x5a;
    }
    std::fs::write(&damaged, &torn).expect("written");
    let cut = folder.path().join("cut.db");
    std::fs::write(&cut, &whole[..whole.len() / 2]).expect("written");
    let text = folder.path().join("text.db");
    std::fs::write(&text, "не база").expect("written");
    for file in [damaged, cut, text, folder.path().join("absent.db")] {
        let refused = backup::restore(folder.path(), &file, clock.now());
        assert!(refused.is_err(), "{}", file.display());
    }
    assert_eq!(value(&live, "select value from counters where name = 'order_number'"), "1005");
    assert!(!folder.path().join("aside").exists());
}

#[tokio::test]
async fn the_last_number_is_kept_beside_the_database_as_orders_come() {
    let stand = Stand::new();
    let tasks = Tasks::new();
    let backups = stand.backups.clone();
    tasks.spawn("backup", move |stop| backups.clone().run(stop));
    let kept = || std::fs::read_to_string(stand.path("last-number")).unwrap_or_default();
    while kept() != "1000\n" {
        tokio::task::yield_now().await;
    }
    stand.give_numbers(1_001);
    stand.base.live.tell(Change::Order(OrderId(1)));
    while kept() != "1001\n" {
        tokio::task::yield_now().await;
    }
    assert!(tasks.stop(Duration::from_secs(5)).await);
}

#[test]
fn processes_that_copy_at_once_wait_for_each_other() {
    let program = super::program::Program::new();
    assert_eq!(program.run(&["init"]).code, 0);
    let begin = |_| {
        let mut command = program.command(&["backup"]);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command.spawn().expect("begins")
    };
    let running: Vec<_> = (0..6).map(begin).collect();
    let mut paths = Vec::new();
    for child in running {
        let said = child.wait_with_output().expect("ends");
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        paths.push(String::from_utf8(said.stdout).expect("text").trim().to_owned());
    }
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 6, "each has a copy of its own");
    for path in paths {
        assert_eq!(program.run(&["backup", "verify", &path]).code, 0, "{path}");
    }
}

#[test]
fn a_folder_is_no_copy_and_a_mistyped_data_folder_is_left_alone() {
    let program = super::program::Program::new();
    assert_eq!(program.run(&["init"]).code, 0);
    for arguments in [&["backup", "verify", "data"][..], &["restore", "data", "--yes"]] {
        let said = program.run(arguments);
        assert_eq!(said.code, 1, "{}", said.err);
        assert!(said.err.contains("data — папка, а не файл копии"), "{}", said.err);
    }
    let said = program.run(&["--data", "dtaa", "restore", "absent.db", "--yes"]);
    assert_eq!(said.code, 5, "{}", said.err);
    std::fs::write(program.folder().join("rubbish.db"), "x".repeat(9_000)).expect("written");
    assert_eq!(program.run(&["--data", "dtaa", "restore", "rubbish.db", "--yes"]).code, 1);
    assert!(!program.folder().join("dtaa").exists(), "nothing was made");
}
