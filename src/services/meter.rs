//! What this process has done since it started, counted for `/metrics`. No name, text or number of
//! a person comes here: labels are ours and few.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clients::llm::ProviderKind;
use crate::recognition::{Decision, Recognition};

/// Upper bounds of the buckets of a histogram, in seconds.
pub const BUCKETS: [f64; 9] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.3, 1.0, 5.0, 30.0];

/// How long something took, in buckets.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Histogram {
    /// How many fell at or below each bound of [`BUCKETS`] and above the one before.
    pub buckets: [u64; BUCKETS.len()],
    /// How many in all.
    pub count: u64,
    /// The sum of all, in seconds.
    pub seconds: f64,
}

impl Histogram {
    fn add(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        if let Some(at) = BUCKETS.iter().position(|bound| seconds <= *bound) {
            self.buckets[at] += 1;
        }
        self.count += 1;
        self.seconds += seconds;
    }
}

/// A request's method, the pattern of its route and its answer's status.
pub type Request = (String, String, u16);

/// Everything that is counted.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// HTTP requests.
    pub requests: BTreeMap<Request, u64>,
    /// How long requests took, by method and route.
    pub request_times: BTreeMap<(String, String), Histogram>,
    /// Recognised lines by decision: `matched`, `ambiguous`, `unmatched`.
    pub lines: BTreeMap<&'static str, u64>,
    /// How long texts took to recognise.
    pub texts: Histogram,
    /// Questions to language models by provider and whether it answered.
    pub models: BTreeMap<(&'static str, bool), Histogram>,
}

static COUNTS: Mutex<Counts> = Mutex::new(Counts {
    requests: BTreeMap::new(),
    request_times: BTreeMap::new(),
    lines: BTreeMap::new(),
    texts: Histogram { buckets: [0; BUCKETS.len()], count: 0, seconds: 0.0 },
    models: BTreeMap::new(),
});

fn counts() -> MutexGuard<'static, Counts> {
    COUNTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts an HTTP request; `route` is the router's pattern, never the path that came.
pub fn request(method: &str, route: &str, status: u16, took: Duration) {
    let mut counts = counts();
    let (method, route) = (method.to_owned(), route.to_owned());
    counts.request_times.entry((method.clone(), route.clone())).or_default().add(took);
    *counts.requests.entry((method, route, status)).or_default() += 1;
}

/// Counts a text that was recognised.
pub fn recognized(found: &Recognition, took: Duration) {
    let mut counts = counts();
    for line in &found.lines {
        let decision = match line.decision {
            Decision::Matched => "matched",
            Decision::Ambiguous => "ambiguous",
            Decision::Unmatched => "unmatched",
        };
        *counts.lines.entry(decision).or_default() += 1;
    }
    counts.texts.add(took);
}

/// Counts a question to a language model.
pub fn asked(provider: ProviderKind, answered: bool, took: Duration) {
    counts().models.entry((provider.as_str(), answered)).or_default().add(took);
}

/// Everything that has been counted so far.
pub fn snapshot() -> Counts {
    counts().clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_one_bucket_or_beyond_all() {
        let mut times = Histogram::default();
        for millis in [1, 2, 60_000] {
            times.add(Duration::from_millis(millis));
        }
        assert_eq!(times.buckets, [1, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(times.count, 3);
        assert!((times.seconds - 60.003).abs() < 1e-9);
    }
}
