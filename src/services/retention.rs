//! What is over is forgotten: sessions and links, handled events, sent messages, old browser chats,
//! raw files of exchanges, what old imports have changed. The journal of changes and the orders are
//! kept for ever.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::accounts::Accounts;
use super::conversations::Conversations;
use super::exchange::Exchange;
use super::{Base, jobs};
use crate::storage::web_messages;

/// How often.
const EVERY: Duration = Duration::from_hours(1);
/// How often the schedule looks at the clock.
const TICK: Duration = Duration::from_mins(1);
/// Messages of browser chats are kept for so long.
const WEB_MESSAGES_KEPT: Duration = Duration::from_hours(24 * 90);

/// Forgets what is over.
#[derive(Clone)]
pub struct Retention {
    base: Base,
    accounts: Accounts,
    conversations: Conversations,
    exchange: Exchange,
}

impl Retention {
    /// Over these services.
    pub fn new(
        base: Base,
        accounts: Accounts,
        conversations: Conversations,
        exchange: Exchange,
    ) -> Self {
        Self { base, accounts, conversations, exchange }
    }

    /// Runs if it is due by the clock; whether it was.
    pub async fn tick(&self) -> bool {
        match jobs::wait(&self.base, jobs::RETENTION, EVERY).await {
            Ok(Duration::ZERO) => {}
            Ok(_) => return false,
            Err(error) => {
                warn!("уборка отложена: {error}");
                return false;
            }
        }
        if let Err(error) = jobs::begin(&self.base, jobs::RETENTION).await {
            warn!("уборка отложена: {error}");
            return false;
        }
        let outcome = self.sweep().await;
        match &outcome {
            Ok(what) => info!("уборка: {what}"),
            Err(why) => error!("уборка не удалась: {why}"),
        }
        let next = Some(self.base.clock.now().plus(EVERY));
        if let Err(error) = jobs::end(&self.base, jobs::RETENTION, outcome, next).await {
            warn!("итог уборки не записан: {error}");
        }
        true
    }

    async fn sweep(&self) -> Result<String, String> {
        let told = |error: &dyn std::fmt::Display| error.to_string();
        self.accounts.sweep().await.map_err(|e| told(&e))?;
        let (events, messages) = self.conversations.sweep().await.map_err(|e| told(&e))?;
        let before = self.base.clock.now().minus(WEB_MESSAGES_KEPT);
        let swept = self.base.db.write(move |tx| web_messages::sweep(tx, before)).await;
        let chats = swept.map_err(|e: crate::storage::StorageError| told(&e))?;
        let files = self.exchange.sweep_raw().await.map_err(|e| told(&e))?;
        self.exchange.sweep_imports().await.map_err(|e| told(&e))?;
        if events + messages + chats + files == 0 {
            return Ok("убирать нечего".to_owned());
        }
        Ok(format!(
            "событий {events}, сообщений {messages}, из чата в браузере {chats}, файлов обмена {files}"
        ))
    }

    /// Runs on schedule until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            self.tick().await;
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}
