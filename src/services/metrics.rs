//! `/metrics`: figures for a monitoring system, in Prometheus' text format. No person, phone, name
//! or text is in them.
//!
//! Source: [exposition formats](https://prometheus.io/docs/instrumenting/exposition_formats/).

use std::fmt::{Display, Write as _};

use super::Base;
use super::health::{self, Health, Level, VERSION};
use super::meter::{self, BUCKETS, Histogram};
use crate::domain::Timestamp;
use crate::storage::StorageError;
use crate::storage::jobs::JobRow;
use crate::storage::vitals::{self, ExchangeSums, Queue};

/// The page under construction.
struct Exposition(String);

impl Exposition {
    /// Begins a family of samples.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP partner_m_{name} {help}\n# TYPE partner_m_{name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.0, "partner_m_{name}");
        for (at, (label, value)) in labels.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{label}=\"{value}\"", if at == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    /// A family of one sample.
    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    fn histogram(&mut self, name: &str, labels: &[(&str, &str)], times: &Histogram) {
        let mut below = 0;
        for (bound, count) in BUCKETS.iter().zip(times.buckets) {
            below += count;
            let bound = bound.to_string();
            let labels = [labels, &[("le", bound.as_str())]].concat();
            self.sample(&format!("{name}_bucket"), &labels, below);
        }
        let all = [labels, &[("le", "+Inf")]].concat();
        self.sample(&format!("{name}_bucket"), &all, times.count);
        self.sample(&format!("{name}_sum"), labels, times.seconds);
        self.sample(&format!("{name}_count"), labels, times.count);
    }
}

struct Stored {
    orders: Vec<(String, u32)>,
    inbox: Queue,
    outbox: Queue,
    exchanges: Vec<ExchangeSums>,
    jobs: Vec<JobRow>,
}

/// The page.
///
/// # Errors
///
/// [`StorageError`] when the database cannot be read.
pub async fn page(base: &Base, health: &Health) -> Result<String, StorageError> {
    let now = base.clock.now();
    let stored = base.db.read(move |conn| {
        Ok::<_, StorageError>(Stored {
            orders: vitals::orders(conn)?,
            inbox: vitals::inbox(conn)?,
            outbox: vitals::outbox(conn, now)?,
            exchanges: vitals::exchanges(conn)?,
            jobs: crate::storage::jobs::list(conn)?,
        })
    });
    let stored = stored.await?;
    let report = health.report().await;
    let mut page = Exposition(String::with_capacity(8_192));
    page.family("info", "gauge", "The program that runs.");
    page.sample("info", &[("version", VERSION)], 1);
    page.single("uptime_seconds", "gauge", "Since the start.", health.uptime().as_secs());
    page.family("check", "gauge", "Health: 0 normal, 1 wants attention, 2 failed.");
    for check in &report.checks {
        let level = match check.state {
            Level::Ok => 0,
            Level::Warning => 1,
            Level::Failed => 2,
        };
        page.sample("check", &[("check", check.name)], level);
    }
    let (size, log) = health::database_bytes(&base.db);
    page.single("database_bytes", "gauge", "Size of the database file.", size);
    page.single("database_wal_bytes", "gauge", "Size of its write-ahead log.", log);
    if let Some(bytes) = resident_bytes() {
        page.single("resident_memory_bytes", "gauge", "Memory of the process.", bytes);
    }
    work(&mut page, &stored, now);
    counted(&mut page);
    Ok(page.0)
}

/// What the database tells.
fn work(page: &mut Exposition, stored: &Stored, now: Timestamp) {
    page.family("orders", "gauge", "Orders by status.");
    for (status, count) in &stored.orders {
        page.sample("orders", &[("status", status)], count);
    }
    let queues = [("inbox", stored.inbox), ("outbox", stored.outbox)];
    page.family("queue_waiting", "gauge", "Rows that wait.");
    for (name, queue) in queues {
        page.sample("queue_waiting", &[("queue", name)], queue.waiting);
    }
    page.family("queue_oldest_seconds", "gauge", "How long the oldest of them has been waiting.");
    for (name, queue) in queues {
        let age = queue.oldest.map_or(0, |oldest| now.since(oldest).as_secs());
        page.sample("queue_oldest_seconds", &[("queue", name)], age);
    }
    page.family("queue_given_up", "gauge", "Rows that were given up and are still kept.");
    for (name, queue) in queues {
        page.sample("queue_given_up", &[("queue", name)], queue.given_up);
    }
    let sums = |page: &mut Exposition, name: &str, help: &str, of: fn(&ExchangeSums) -> i64| {
        page.family(name, "counter", help);
        for sums in &stored.exchanges {
            page.sample(name, &[("way", &sums.way), ("kind", &sums.kind)], of(sums));
        }
    };
    sums(page, "exchanges_total", "Exchanges with 1C.", |s| s.runs.into());
    sums(page, "exchange_failures_total", "Exchanges that failed.", |s| s.failed.into());
    sums(page, "exchange_rows_total", "Records received.", |s| s.received);
    sums(page, "exchange_rows_skipped_total", "Records left out.", |s| s.skipped);
    page.family("exchange_success_timestamp_seconds", "gauge", "The last one that went through.");
    for sums in &stored.exchanges {
        if let Some(at) = sums.succeeded_at {
            let labels = [("way", sums.way.as_str()), ("kind", sums.kind.as_str())];
            page.sample("exchange_success_timestamp_seconds", &labels, at.millis() / 1_000);
        }
    }
    page.family("job_success_timestamp_seconds", "gauge", "The last run that went well.");
    for job in &stored.jobs {
        if let Some(at) = job.succeeded_at {
            let labels = [("job", job.name.as_str())];
            page.sample("job_success_timestamp_seconds", &labels, at.millis() / 1_000);
        }
    }
    page.family("job_failures", "gauge", "Runs in a row that did not go well.");
    for job in &stored.jobs {
        page.sample("job_failures", &[("job", &job.name)], job.failures);
    }
}

/// What this process has counted.
fn counted(page: &mut Exposition) {
    let counts = meter::snapshot();
    page.family("http_requests_total", "counter", "Requests by route and status.");
    for ((method, route, status), count) in &counts.requests {
        let status = status.to_string();
        let labels = [("method", method.as_str()), ("route", route), ("status", &status)];
        page.sample("http_requests_total", &labels, count);
    }
    page.family("http_request_seconds", "histogram", "How long requests took.");
    for ((method, route), times) in &counts.request_times {
        let labels = [("method", method.as_str()), ("route", route.as_str())];
        page.histogram("http_request_seconds", &labels, times);
    }
    page.family("recognized_lines_total", "counter", "Lines of order texts by decision.");
    for (decision, count) in &counts.lines {
        page.sample("recognized_lines_total", &[("decision", decision)], count);
    }
    page.family("recognition_seconds", "histogram", "How long texts took to recognise.");
    page.histogram("recognition_seconds", &[], &counts.texts);
    page.family("model_seconds", "histogram", "Questions to language models.");
    for ((provider, answered), times) in &counts.models {
        let outcome = if *answered { "answered" } else { "failed" };
        let labels = [("provider", *provider), ("outcome", outcome)];
        page.histogram("model_seconds", &labels, times);
    }
}

/// Resident memory of this process; `None` where the system does not tell.
///
/// Source: proc(5), `/proc/pid/status`.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_buckets_add_up() {
        let mut page = Exposition(String::new());
        page.sample("x", &[("a", "q\"\\\n"), ("b", "1")], 5);
        assert_eq!(page.0, "partner_m_x{a=\"q\\\"\\\\\\n\",b=\"1\"} 5\n");
        let mut page = Exposition(String::new());
        let times = Histogram { buckets: [1, 2, 0, 0, 0, 0, 0, 0, 3], count: 7, seconds: 1.5 };
        page.histogram("t", &[("r", "/")], &times);
        let lines: Vec<_> = page.0.lines().collect();
        assert_eq!(lines[0], "partner_m_t_bucket{r=\"/\",le=\"0.001\"} 1");
        assert_eq!(lines[1], "partner_m_t_bucket{r=\"/\",le=\"0.005\"} 3");
        assert_eq!(lines[8], "partner_m_t_bucket{r=\"/\",le=\"30\"} 6");
        assert_eq!(lines[9], "partner_m_t_bucket{r=\"/\",le=\"+Inf\"} 7");
        assert_eq!(lines[10..], ["partner_m_t_sum{r=\"/\"} 1.5", "partner_m_t_count{r=\"/\"} 7"]);
    }
}
