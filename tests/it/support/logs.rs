//! What a test logged, to be searched for what must not be there.
//!
//! One subscriber serves the whole test binary and keeps what a thread logs where that thread asked
//! for it. A subscriber for each test would lose lines: tracing remembers for each place in the
//! code whether anybody listens, for all threads together.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, Once, PoisonError};

use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::{Layer, SubscriberExt};

thread_local! {
    static KEPT: RefCell<Option<Logs>> = const { RefCell::new(None) };
}

/// Everything logged on this thread since [`Logs::keep`], down to `trace`.
#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<Vec<u8>>>);

/// Ends the keeping when it goes.
pub struct Keeping;

impl Drop for Keeping {
    fn drop(&mut self) {
        KEPT.set(None);
    }
}

impl Logs {
    /// Keeps what this thread logs for as long as the guard lives.
    pub fn keep() -> (Self, Keeping) {
        static LISTEN: Once = Once::new();
        LISTEN.call_once(|| {
            let kept = || KEPT.with_borrow(|kept| kept.clone().unwrap_or_default());
            let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(kept);
            let asked = dynamic_filter_fn(|_, _| KEPT.with_borrow(Option::is_some));
            let subscriber = tracing_subscriber::registry().with(lines.with_filter(asked));
            tracing::subscriber::set_global_default(subscriber).expect("the only subscriber");
        });
        let logs = Self::default();
        KEPT.set(Some(logs.clone()));
        (logs, Keeping)
    }

    /// What was logged.
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl io::Write for Logs {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
