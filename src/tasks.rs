//! Named background tasks: a panic stays inside its task and is logged, a task that ends too early
//! is started again with back-off, and all are waited for at shutdown.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, warn};

/// The background tasks of a process. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
    panics: Arc<Mutex<BTreeMap<&'static str, (Instant, u64)>>>,
}

const FIRST_BACK_OFF: Duration = Duration::from_millis(200);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);

impl Tasks {
    /// No tasks yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The token that is cancelled when the process is to stop.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Runs what `make` makes until it ends by itself after [`Tasks::stop`]; one that ends or
    /// panics before is made again, later each time.
    pub fn spawn<F, Fut>(&self, name: &'static str, make: F)
    where
        F: Fn(CancellationToken) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        let tasks = self.clone();
        self.track(async move {
            let mut back_off = FIRST_BACK_OFF;
            loop {
                let started = tokio::time::Instant::now();
                let panicked = catch(make(stop.clone())).await;
                if stop.is_cancelled() {
                    return;
                }
                if let Some(text) = panicked {
                    tasks.note_panic(name);
                    error!(task = name, "сбой задачи {name}: {text}");
                } else {
                    warn!(task = name, "задача {name} кончилась раньше времени");
                }
                if started.elapsed() > LONGEST_BACK_OFF {
                    back_off = FIRST_BACK_OFF;
                }
                tokio::select! {
                    () = tokio::time::sleep(back_off) => {}
                    () = stop.cancelled() => return,
                }
                back_off = (back_off * 2).min(LONGEST_BACK_OFF);
            }
        });
    }

    /// Runs one piece of work to its end; a panic is logged and goes no further.
    pub fn spawn_once<Fut>(&self, name: &'static str, work: Fut)
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        let tasks = self.clone();
        self.track(async move {
            if let Some(text) = catch(work).await {
                tasks.note_panic(name);
                error!(task = name, "сбой задачи {name}: {text}");
            }
        });
    }

    fn track(&self, work: impl Future<Output = ()> + Send + 'static) {
        #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
        self.tracker.spawn(work);
    }

    fn note_panic(&self, name: &'static str) {
        let mut panics = self.panics.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, times) = panics.entry(name).or_insert((Instant::now(), 0));
        (*last, *times) = (Instant::now(), *times + 1);
    }

    /// Tasks that have panicked: the name, when last, how often.
    pub fn panics(&self) -> Vec<(&'static str, Instant, u64)> {
        let panics = self.panics.lock().unwrap_or_else(PoisonError::into_inner);
        panics.iter().map(|(name, (last, times))| (*name, *last, *times)).collect()
    }

    /// Waits for the work that was begun with [`Tasks::spawn_once`]; for tests, in which nothing
    /// else runs.
    pub async fn finished(&self) {
        self.tracker.close();
        self.tracker.wait().await;
        self.tracker.reopen();
    }

    /// Tells every task to stop and waits for them, at most `patience`; whether all ended in time.
    pub async fn stop(&self, patience: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(patience, self.tracker.wait()).await.is_ok()
    }
}

/// Runs the work; the panic's text when it panicked.
pub async fn catch(work: impl Future<Output = ()>) -> Option<String> {
    let mut work = std::pin::pin!(work);
    let caught = std::future::poll_fn(move |cx| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(poll) => poll.map(|()| None),
            Err(panic) => std::task::Poll::Ready(Some(panic)),
        }
    })
    .await?;
    let text = caught.downcast_ref::<String>().cloned();
    let text = text.or_else(|| caught.downcast_ref::<&str>().map(|s| (*s).to_owned()));
    Some(text.unwrap_or_else(|| "(no text)".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_started_again() {
        let tasks = Tasks::new();
        let runs = Arc::new(AtomicU32::new(0));
        let seen = runs.clone();
        tasks.spawn("test", move |stop| {
            let run = seen.fetch_add(1, Ordering::SeqCst);
            async move {
                assert!(run >= 2, "the first two runs panic");
                stop.cancelled().await;
            }
        });
        tokio::time::sleep(Duration::from_secs(5)).await;
        let panics: Vec<_> = tasks.panics().into_iter().map(|(name, _, n)| (name, n)).collect();
        assert_eq!(panics, [("test", 2)]);
        assert!(tasks.stop(Duration::from_secs(1)).await);
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }
}
