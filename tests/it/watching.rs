//! How the program is watched: health, metrics, what it does by itself, its logs.

use std::sync::mpsc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use partner_m::config::Config;
use partner_m::domain::Secret;
use partner_m::services::conversations::Conversations;
use partner_m::services::jobs;
use partner_m::services::retention::Retention;
use partner_m::storage::StorageError;
use serde_json::Value;

use super::program::{Program, Running};
use super::support::panel::Panel;

const TOKEN: &str = "f2c1b7a09d8e4c5aa6b3";

fn with_token() -> Config {
    Config { metrics_token: Some(Secret::new(TOKEN)), ..Config::default() }
}

async fn health(panel: &Panel, headers: HeaderMap, path: &str) -> (StatusCode, Value) {
    let answer = panel.send("GET", path, headers, "").await;
    (answer.status, serde_json::from_str(&answer.body).expect("JSON"))
}

fn bearer(token: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    headers
}

fn proxied() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-forwarded-for", "203.0.113.5".parse().unwrap());
    headers
}

#[tokio::test]
async fn details_of_health_are_for_those_who_may_see_them() {
    let panel = Panel::start_with(with_token()).await;
    for headers in [HeaderMap::new(), proxied(), bearer("wrong")] {
        let (status, body) = health(&panel, headers, "/health").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(body["status"], "ok");
        assert_eq!(body.as_object().unwrap().len(), 2, "nothing but status and version: {body}");
    }
    let staff = panel.sign_in_as("%2B79000000002").await;
    let by_query = format!("/health?token={TOKEN}");
    for (headers, path) in
        [(bearer(TOKEN), "/health"), (proxied(), by_query.as_str()), (staff, "/health")]
    {
        let (_, body) = health(&panel, headers, path).await;
        assert!(body["uptime_seconds"].is_u64(), "{body}");
        for check in
            ["database", "telegram", "exchange", "llm", "disk", "backup", "outbox", "index"]
        {
            assert!(body["checks"][check]["state"].is_string(), "{check}: {body}");
        }
    }
    // Without a token and without an administrator this very machine may look; a proxy may not.
    let plain = Panel::with(Config::default()).await;
    assert!(health(&plain, HeaderMap::new(), "/health").await.1["checks"].is_object());
    assert!(health(&plain, proxied(), "/health").await.1["checks"].is_null());
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_told_and_comes_back_by_itself() {
    let panel = Panel::with(Config::default()).await;
    let db = panel.desk.base.db.clone();
    let only_read = |on: bool| {
        db.maintain(|conn| Ok(conn.pragma_update(None, "query_only", on)?)).unwrap();
    };
    only_read(true);
    let (status, body) = health(&panel, HeaderMap::new(), "/health").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["status"], "error");
    assert_eq!(body["checks"]["database"]["state"], "failed");
    assert_ne!(body["checks"]["database"]["hint"], "");
    only_read(false);
    // An answer is good for a second.
    loop {
        let (status, _) = health(&panel, HeaderMap::new(), "/health").await;
        if status == StatusCode::OK {
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn health_does_not_wait_for_a_long_write() {
    let panel = Panel::with(Config::default()).await;
    let db = panel.desk.base.db.clone();
    let (begun, has_begun) = mpsc::channel();
    let (end, ends) = mpsc::channel::<()>();
    let writing = std::thread::spawn(move || {
        db.write_blocking(|_| {
            begun.send(()).unwrap();
            ends.recv().unwrap();
            Ok::<_, StorageError>(())
        })
    });
    has_begun.recv().unwrap();
    let asked = std::time::Instant::now();
    let (status, body) = health(&panel, HeaderMap::new(), "/health").await;
    assert!(asked.elapsed() < Duration::from_millis(900), "{:?}", asked.elapsed());
    assert_eq!(status, StatusCode::OK, "the write is still running");
    let text = body["checks"]["database"]["text"].as_str().unwrap();
    assert!(text.contains("идёт запись"), "{text}");
    end.send(()).unwrap();
    writing.join().unwrap().unwrap();
}

#[tokio::test]
async fn metrics_count_routes_and_name_nobody() {
    let panel = Panel::start_with(with_token()).await;
    let staff = panel.sign_in().await;
    panel.send("GET", "/admin/orders/1042", staff.clone(), "").await;
    for headers in [HeaderMap::new(), staff, proxied()] {
        let answer = panel.send("GET", "/metrics", headers, "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(!answer.body.contains("partner_m_"), "{}", answer.body);
    }
    let page = panel.send("GET", "/metrics", bearer(TOKEN), "").await;
    assert_eq!(page.status, StatusCode::OK);
    for line in [
        "partner_m_orders{status=\"new\"} 1",
        "partner_m_queue_waiting{queue=\"outbox\"} 0",
        "partner_m_check{check=\"database\"} 0",
        "# TYPE partner_m_http_request_seconds histogram",
        "# TYPE partner_m_recognized_lines_total counter",
    ] {
        assert!(page.body.contains(line), "{line}: {}", page.body);
    }
    let route = "partner_m_http_requests_total{method=\"GET\",route=\"/admin/orders/{number}\",status=\"200\"} ";
    assert!(page.body.contains(route), "{}", page.body);
    for private in ["Анна", "Мария", "Диван", "+7900", "orders/1042", TOKEN] {
        assert!(!page.body.contains(private), "{private}: {}", page.body);
    }
    for line in page.body.lines().filter(|line| !line.starts_with('#')) {
        let value = line.rsplit(' ').next().unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

#[tokio::test]
async fn what_is_over_is_forgotten_once_an_hour_whatever_the_clock_does() {
    let panel = Panel::start().await;
    let base = panel.desk.base.clone();
    panel.sign_in().await;
    let month = 30 * 24 * 3_600_000_i64;
    let old = base.clock.now().millis() - 4 * month;
    base.db
        .write_blocking(|tx| {
            tx.execute(
                "insert into web_messages (chat_key, revision, payload, at_ms)
                 values ('web:guest', 1, '{}', ?1)",
                [old],
            )?;
            Ok::<_, StorageError>(())
        })
        .unwrap();
    let raw = base.config.data_dir.join("exchange/raw");
    std::fs::create_dir_all(&raw).unwrap();
    let now = base.clock.now().millis();
    let (fresh, stale) = (format!("{now:014}-a"), format!("{:014}-b", now - 8 * 86_400_000));
    std::fs::write(raw.join(&fresh), "x").unwrap();
    std::fs::write(raw.join(&stale), "x").unwrap();

    let conversations = Conversations::new(base.clone());
    let retention = Retention::new(
        base.clone(),
        panel.desk.accounts.clone(),
        conversations,
        panel.desk.exchange.clone(),
    );
    assert!(retention.tick().await, "never run before");
    assert_eq!(panel.count("select count(*) from web_messages"), 0);
    assert!(raw.join(&fresh).exists() && !raw.join(&stale).exists());
    assert_eq!(panel.count("select count(*) from sessions"), 1, "a session in use stays");
    let job = jobs::list(&base).await.unwrap().remove(0);
    assert_eq!((job.name.as_str(), job.ok, job.failures), ("retention", Some(true), 0));
    assert!(job.result.contains("чата в браузере 1"), "{}", job.result);

    assert!(!retention.tick().await, "not twice an hour, nor after a restart");
    base.clock.advance(Duration::from_mins(61));
    assert!(retention.tick().await);
    // The clock is put back by a day: the job does not wait for a day, and does not run wild.
    base.db
        .write_blocking(|tx| {
            tx.execute(
                "update jobs set started_at_ms = started_at_ms + 86400000, next_at_ms = next_at_ms + 86400000",
                [],
            )?;
            Ok::<_, StorageError>(())
        })
        .unwrap();
    assert!(retention.tick().await);
    assert!(!retention.tick().await);
    base.clock.advance(Duration::from_hours(24 * 8));
    assert!(retention.tick().await);
    assert_eq!(panel.count("select count(*) from sessions"), 0, "a week is the longest session");
}

#[test]
fn logs_as_json_have_request_ids_and_nobody_in_them() {
    let program = Program::new();
    let mut command = program.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("LOG_FORMAT", "json").env("RUST_LOG", "info,tower_http=debug");
    command.env("METRICS_TOKEN", TOKEN);
    let running = Running::begin(command);
    let catalog = r#"{"items":[{"sku":"Тайный-1","title":"Саморез секретный"}]}"#;
    let posted = super::program::post(
        running.address,
        "/onec/catalog?token=queryMARKqueryMARKqueryMARK",
        catalog,
    );
    assert_eq!(posted.0, 200, "{}", posted.1);
    let members = r#"{"items":[{"org":{"external_id":"o1","name":"ООО Тайна"},
        "members":[{"phone":"+79211234567","fio":"Анна Тайнова"}]}]}"#;
    assert_eq!(super::program::post(running.address, "/onec/orgs/members", members).0, 200);
    assert_eq!(running.get(&format!("/metrics?token={TOKEN}")).0, 200);
    assert_eq!(running.get("/admin/orders?q=%D0%A2%D0%B0%D0%B9%D0%BD%D0%B0").0, 303);
    let (code, log) = running.stop();
    assert_eq!(code, Some(0), "{log}");
    let mut requests = 0;
    for line in log.lines().filter(|line| line.starts_with('{')) {
        let record: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(record["timestamp"].is_string() && record["level"].is_string(), "{line}");
        if record["span"]["name"] == "http" {
            assert!(
                record["span"]["request_id"].as_str().is_some_and(|id| id.len() >= 10),
                "{line}"
            );
            requests += 1;
        }
    }
    assert!(requests >= 4, "{log}");
    for private in
        ["9211234567", "Тайнов", "ООО Тайна", "секретный", "queryMARK", TOKEN, "%D0%A2%D0%B0"]
    {
        assert!(!log.contains(private), "{private}: {log}");
    }
}
