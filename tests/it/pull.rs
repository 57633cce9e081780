//! The catalogue pulled from 1C.

use std::sync::Arc;
use std::time::Duration;

use partner_m::clients::onec::{OnecError, OnecLimits};
use partner_m::config::{self, Config};
use partner_m::domain::{Clock, Secret, Timestamp, Zone};
use partner_m::services::Base;
use partner_m::services::exchange::{ApplyReport, Exchange};
use partner_m::services::live::{Change, Live};
use partner_m::services::pull::{Pull, PullError, Pulled};
use partner_m::storage::db::Create;
use partner_m::storage::{Db, StorageError};
use partner_m::tasks::Tasks;

use crate::support::fake_onec::{AUTH, FakeOnec};
use crate::support::logs::Logs;
use crate::support::server::Scripted;

struct Stand {
    clock: Clock,
    onec: FakeOnec,
    base: Base,
    pull: Pull,
    _folder: tempfile::TempDir,
}

impl Stand {
    async fn new() -> Self {
        Self::with(OnecLimits::default(), |_| {}).await
    }

    async fn with(limits: OnecLimits, change: impl FnOnce(&mut config::Pull)) -> Self {
        let onec = FakeOnec::start().await;
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
        config.onec.pull = config::Pull {
            enabled: true,
            base_url: Some(onec.base_url()),
            username: Some("Обмен".to_owned()),
            password: Some(Secret::new("пароль-MARK")),
            interval: Duration::from_mins(10),
        };
        change(&mut config.onec.pull);
        let clock = Clock::manual(Timestamp::from_millis(1_795_532_400_000));
        let base = Base {
            db: Db::open(&folder.path().join("partner-m.db"), Create::Yes).expect("opens"),
            clock: clock.clone(),
            zone: Zone::utc(),
            config: Arc::new(config),
            live: Live::default(),
        };
        let exchange = Exchange::new(base.clone());
        let pull = Pull::with_limits(base.clone(), exchange, limits).expect("a pull");
        Self { clock, onec, base, pull, _folder: folder }
    }

    async fn applied(&self) -> ApplyReport {
        match self.pull.pull().await.expect("a pull") {
            Pulled::Applied(report) => *report,
            Pulled::Unchanged => panic!("nothing was applied"),
        }
    }

    async fn failed(&self) -> PullError {
        self.pull.pull().await.expect_err("no catalogue")
    }

    /// Titles in the database.
    async fn titles(&self) -> Vec<String> {
        let read = self.base.db.read(|conn| {
            let mut stmt = conn.prepare("select title from products order by title")?;
            let titles = stmt.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok::<Vec<String>, StorageError>(titles)
        });
        read.await.expect("read")
    }

    /// Errors in the journal, the newest first.
    async fn journal(&self) -> Vec<String> {
        let exchange = Exchange::new(self.base.clone());
        let rows = exchange.journal(20).await.expect("read");
        rows.into_iter().map(|row| format!("{} {}", row.way, row.error)).collect()
    }
}

#[tokio::test]
async fn a_catalogue_is_pulled_with_basic_auth_and_stored() {
    let stand = Stand::new().await;
    let report = stand.applied().await;
    assert_eq!((report.received, report.created), (1, 1));
    assert_eq!(stand.titles().await, ["Bolt"]);
    assert_eq!(stand.journal().await, ["pull "]);
    assert_eq!(stand.onec.state().requests[0]["authorization"], AUTH);
    let again = stand.applied().await;
    assert_eq!((again.created, again.unchanged), (0, 1));
    let left = std::fs::read_dir(stand.base.config.data_dir.join("exchange")).expect("a folder");
    let mut left: Vec<_> = left.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    left.sort();
    assert_eq!(left, ["pull.lock", "raw"], "the spool is gone");
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let stand = Stand::new().await;
    stand.onec.state().etag = "\"v1\"".to_owned();
    stand.applied().await;
    assert!(matches!(stand.pull.pull().await, Ok(Pulled::Unchanged)));
    assert_eq!(stand.onec.state().not_modified, 1);
    stand.onec.state().etag = "\"v2\"".to_owned();
    stand.applied().await;
}

#[tokio::test]
async fn a_catalogue_that_was_not_stored_is_asked_for_again() {
    let stand = Stand::new().await;
    stand.onec.state().etag = "\"v1\"".to_owned();
    let good = std::mem::replace(&mut stand.onec.state().catalog, b"{\"items\":[{".to_vec());
    assert!(matches!(stand.failed().await, PullError::Apply(_)));
    stand.onec.state().catalog = good;
    stand.applied().await;
    assert_eq!(stand.onec.state().not_modified, 0);
}

#[tokio::test]
async fn credentials_never_follow_a_redirect() {
    let stand = Stand::new().await;
    let other = FakeOnec::start().await;
    for status in [301, 302, 307, 308] {
        let place = format!("{}/open/catalog?token=SECRET", other.origin());
        let moved = Scripted::status(status, "").with_header("location", &place);
        stand.onec.state().script.push_back(moved);
        let error = stand.failed().await.to_string();
        assert!(error.contains(&other.origin()) && !error.contains("SECRET"), "{error}");
    }
    assert_eq!(other.state().requests.len(), 0, "nothing arrives at another port");

    let moved = Scripted::status(302, "").with_header("location", "/open/catalog");
    stand.onec.state().script.push_back(moved);
    stand.applied().await;
    let last = stand.onec.state().requests.last().cloned().expect("followed");
    assert!(!last.contains_key("authorization"), "nor at the same one");

    let round = || Scripted::status(302, "").with_header("location", "catalog");
    stand.onec.state().script.extend([round(), round(), round(), round(), round()]);
    assert!(matches!(stand.failed().await, PullError::Remote(OnecError::Redirected(_))));
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_words_and_stores_nothing() {
    let (logs, _guard) = Logs::keep();
    let limits = OnecLimits { silence: Duration::from_millis(200), ..OnecLimits::default() };
    let stand = Stand::with(limits, |_| {}).await;
    for (scripted, expected) in [
        (Scripted::status(401, ""), "1С не приняла логин или пароль (ответ 401)"),
        (Scripted::status(404, "<html>"), "1С отказала (ответ 404)"),
        (Scripted::status(500, "<html>"), "сбой на стороне 1С (ответ 500)"),
        (Scripted::Body("text/html; charset=utf-8", "Вход".to_owned()), "пришла страница HTML"),
        (
            Scripted::Body("application/json", "\u{feff}\r\n<!DOCTYPE html>".to_owned()),
            "пришла страница HTML",
        ),
        (Scripted::Cut, "соединение с 1С оборвалось"),
        (Scripted::Silence, "1С молчит дольше отведённого"),
    ] {
        stand.onec.state().script.push_back(scripted);
        let error = stand.failed().await.to_string();
        assert!(error.contains(expected), "{error}");
        assert!(stand.journal().await[0].contains(expected));
    }
    assert!(stand.titles().await.is_empty());
    let logged = format!("{}{}", logs.text(), stand.journal().await.join("\n"));
    assert!(!logged.contains("пароль-MARK") && !logged.contains(AUTH), "{logged}");
}

#[tokio::test]
async fn an_endless_body_ends_at_the_limit() {
    let limits = OnecLimits { bytes: 4 * 1024 * 1024, ..OnecLimits::default() };
    let stand = Stand::with(limits, |_| {}).await;
    stand.onec.state().script.push_back(Scripted::Endless);
    assert!(matches!(stand.failed().await, PullError::Remote(OnecError::TooLarge(_))));
}

#[tokio::test]
async fn a_wrongly_declared_encoding_is_recognised() {
    let stand = Stand::new().await;
    let text = r#"[{"sku":"A-1","title":"Саморез жёлтый оцинкованный"}]"#;
    let (cp1251, _, _) = encoding_rs::WINDOWS_1251.encode(text);
    stand.onec.state().catalog = cp1251.into_owned();
    stand.onec.state().content_type = "application/json; charset=utf-8";
    stand.applied().await;
    assert_eq!(stand.titles().await, ["Саморез жёлтый оцинкованный"]);
}

#[tokio::test]
async fn a_fault_is_tried_again_sooner_and_a_refusal_at_the_next_interval() {
    let stand = Stand::new().await;
    let minutes = |n| Duration::from_mins(n);
    for expected in [1, 2, 4, 8, 10, 10] {
        stand.onec.state().script.push_back(Scripted::status(503, ""));
        assert_eq!(stand.pull.turn().await, minutes(expected));
    }
    assert_eq!(stand.pull.turn().await, minutes(10), "a success");
    stand.onec.state().script.push_back(Scripted::status(503, ""));
    assert_eq!(stand.pull.turn().await, minutes(1), "the count starts anew");
    stand.pull.turn().await;
    stand.onec.state().script.push_back(Scripted::status(401, ""));
    assert_eq!(stand.pull.turn().await, minutes(10));
    let status = stand.pull.status();
    assert_eq!(status.next_at, Some(stand.clock.now().plus(minutes(10))));
    assert_eq!(status.failures, 1);
}

#[tokio::test]
async fn silence_of_more_than_two_intervals_is_told_until_a_success() {
    let stand = Stand::new().await;
    stand.applied().await;
    let since = stand.clock.now();
    for (after, told) in [(10, false), (20, false), (21, true), (40, true)] {
        stand.clock.advance(since.plus(Duration::from_mins(after)).since(stand.clock.now()));
        stand.onec.state().script.push_back(Scripted::status(500, ""));
        stand.failed().await;
        assert_eq!(stand.pull.status().silent_since, told.then_some(since), "{after} min");
    }
    stand.applied().await;
    assert_eq!(stand.pull.status().silent_since, None);
}

#[tokio::test]
async fn two_pulls_never_run_at_once() {
    let limits = OnecLimits { total: Duration::from_millis(400), ..OnecLimits::default() };
    let stand = Stand::with(limits, |_| {}).await;
    stand.onec.state().script.push_back(Scripted::Silence);
    let first = stand.pull.pull();
    let second = async {
        while stand.pull.status().running_since.is_none() {
            tokio::task::yield_now().await;
        }
        // Another process has other locks in memory and the same one on the disk.
        let other = Pull::new(stand.base.clone(), Exchange::new(stand.base.clone()));
        let other = other.expect("a pull").pull().await;
        (stand.pull.pull().await, other)
    };
    let (first, (second, other)) = tokio::join!(first, second);
    assert!(matches!(second, Err(PullError::Running)));
    assert!(matches!(other, Err(PullError::Running)));
    assert!(matches!(first, Err(PullError::Remote(OnecError::Network(_)))), "{first:?}");
    assert_eq!(stand.pull.status().running_since, None);
    stand.applied().await;
}

#[tokio::test]
async fn the_schedule_pulls_at_once_and_stops_when_told() {
    let stand = Stand::new().await;
    let mut changes = stand.base.live.listen();
    let tasks = Tasks::new();
    let pull = stand.pull.clone();
    tasks.spawn("pull", move |stop| pull.clone().run(stop));
    while changes.recv().await.expect("a change") != Change::Catalog {}
    assert!(tasks.stop(Duration::from_secs(5)).await);
    assert_eq!(stand.titles().await, ["Bolt"]);
}

#[tokio::test]
async fn without_an_address_there_is_no_pull_and_without_the_switch_no_schedule() {
    let stand = Stand::with(OnecLimits::default(), |pull| pull.base_url = None).await;
    assert!(matches!(stand.failed().await, PullError::NotConfigured));
    let stand = Stand::with(OnecLimits::default(), |pull| pull.enabled = false).await;
    assert!(!stand.pull.status().scheduled);
    stand.applied().await;
}
