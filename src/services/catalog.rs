//! The catalogue as it is read: products as one customer sees them, and the index that recognition
//! searches.
//!
//! The index is built beside the one in use and swapped in; nobody waits for it but the first.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::Base;
use super::live::Change;
use crate::recognition::Index;
use crate::storage::{StorageError, entries, words};

/// The catalogue. Clones share it.
#[derive(Clone)]
pub struct Catalog {
    base: Base,
    index: Arc<watch::Sender<Option<Built>>>,
}

#[derive(Clone)]
struct Built {
    version: i64,
    index: Arc<Index>,
}

/// Why the catalogue could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The program is stopping before the first index was built.
    #[error("каталог ещё не прочитан")]
    Stopping,
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Catalog {
    /// A catalogue over this database. [`Catalog::run`] keeps its index fresh.
    pub fn new(base: Base) -> Self {
        Self { base, index: Arc::new(watch::Sender::new(None)) }
    }

    /// The index in use; the first who ask wait for it to be built.
    pub async fn index(&self) -> Result<Arc<Index>, CatalogError> {
        let mut listener = self.index.subscribe();
        let built = listener.wait_for(Option::is_some).await.map_err(|_| CatalogError::Stopping)?;
        built.as_ref().map(|built| built.index.clone()).ok_or(CatalogError::Stopping)
    }

    /// Whether the first index has been built.
    pub fn is_ready(&self) -> bool {
        self.index.borrow().is_some()
    }

    /// Builds a new index if what recognition sees has changed since the last; whether it has.
    pub async fn refresh(&self) -> Result<bool, CatalogError> {
        let version = self.base.db.read(entries::version).await?;
        if self.index.borrow().as_ref().is_some_and(|built| built.version == version) {
            return Ok(false);
        }
        let db = self.base.db.clone();
        let build = move || {
            let started = Instant::now();
            let (version, products, synonyms) = db.read_blocking(|conn| {
                let version = entries::version(conn)?;
                Ok::<_, StorageError>((version, entries::load(conn)?, words::synonyms(conn, None)?))
            })?;
            let count = products.len();
            let index = Arc::new(Index::build(products, &synonyms));
            let millis = started.elapsed().as_millis();
            info!(products = count, "search index of {count} products built in {millis} ms");
            Ok::<_, StorageError>(Built { version, index })
        };
        let built =
            tokio::task::spawn_blocking(build).await.map_err(|_| StorageError::Interrupted)??;
        self.index.send_replace(Some(built));
        Ok(true)
    }

    /// Keeps the index fresh until the program stops.
    pub async fn run(self, stop: CancellationToken) {
        let mut changes = self.base.live.listen();
        loop {
            if let Err(error) = self.refresh().await {
                tracing::error!("search index: {error}");
            }
            loop {
                let change = tokio::select! {
                    change = changes.recv() => change,
                    () = stop.cancelled() => return,
                };
                match change {
                    Ok(Change::Catalog | Change::Elsewhere) | Err(RecvError::Lagged(_)) => break,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        }
    }
}
