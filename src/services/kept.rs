//! What takes longer to find out than a page may take, kept until the catalogue changes.

use std::sync::Arc;

use moka::future::Cache;
use rusqlite::Connection;

use crate::storage::{Db, StorageError, entries};

/// Something read from the catalogue, as it was at the catalogue's last change. Clones share it.
pub(super) struct Kept<T>(Cache<i64, Arc<T>>);

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + Sync + 'static> Kept<T> {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self(Cache::builder().max_capacity(1).build())
    }

    /// The kept one, or what `read` finds, where the catalogue has changed since.
    pub(super) async fn get(
        &self,
        db: &Db,
        read: impl FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<Arc<T>, StorageError> {
        let version = db.read(entries::version).await?;
        if let Some(kept) = self.0.get(&version).await {
            return Ok(kept);
        }
        let found = Arc::new(db.read(read).await?);
        self.0.insert(version, found.clone()).await;
        Ok(found)
    }
}
