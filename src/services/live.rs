//! News of committed changes, for pages and chats that are open right now.
//!
//! Nothing is kept: who was not listening reads the database.

use tokio::sync::broadcast;

use crate::domain::{ChatKey, OrderId, ThreadId};

/// Something that has been committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An order was made or changed.
    Order(OrderId),
    /// A thread of questions got a message or changed.
    Thread(ThreadId),
    /// The catalogue, its words or its prices changed.
    Catalog,
    /// The journal of exchanges got a row, or what it waits for changed.
    Exchange,
    /// A browser chat has new, changed or deleted messages.
    WebChat(ChatKey),
    /// Rows were queued in the outbox.
    Outbox,
    /// Rows were stored in the inbox.
    Inbox,
    /// Something changed in another process: everything may be stale.
    Elsewhere,
}

/// Where changes are told. Clones share it.
#[derive(Debug, Clone)]
pub struct Live(broadcast::Sender<Change>);

impl Default for Live {
    fn default() -> Self {
        Self(broadcast::channel(256).0)
    }
}

impl Live {
    /// Tells those who listen; call it after the commit.
    pub fn tell(&self, change: Change) {
        // Nobody listening is no error.
        let _ = self.0.send(change);
    }

    /// Listens from now on. A listener that lags is told so and rereads.
    pub fn listen(&self) -> broadcast::Receiver<Change> {
        self.0.subscribe()
    }
}
