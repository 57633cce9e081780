//! What is wrong with the program itself, told to administrators: at most once an hour for each
//! cause, and once more when it is right again.

use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Base;
use super::backup::Backups;
use super::live::Change;
use super::notifications::{self, Message, Notice, Outgoing};
use super::pull::Pull;
use crate::formats::html::Html;
use crate::storage::StorageError;
use crate::storage::alerts::{self, AlertRow};

/// How often things are looked at.
const EVERY: Duration = Duration::from_mins(1);
/// One message about a cause in this time.
const REST: Duration = Duration::from_hours(1);

/// Free and total bytes of the disk that a folder is on.
pub type Space = fn(&Path) -> std::io::Result<(u64, u64)>;

/// The alerts. Clones share them.
#[derive(Clone)]
pub struct Alerts {
    base: Base,
    backups: Backups,
    pull: Option<Pull>,
    space: Space,
}

/// One thing that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `exchange`, `backup` or `disk`.
    pub cause: &'static str,
    /// What is said when it is right: «Обмен с 1С».
    pub name: &'static str,
    /// What is wrong and what to do; `None`: nothing.
    pub trouble: Option<String>,
}

impl Alerts {
    /// Over these services.
    pub fn new(base: Base, backups: Backups, pull: Option<Pull>, space: Space) -> Self {
        Self { base, backups, pull, space }
    }

    /// How everything is now.
    pub async fn findings(&self) -> Vec<Finding> {
        vec![self.exchange(), self.backup().await, self.disk()]
    }

    fn exchange(&self) -> Finding {
        let status = self.pull.as_ref().map(Pull::status);
        let trouble = status.and_then(|status| {
            let since = status.silent_since?;
            let at = self.base.zone.date_time(since, self.base.clock.now());
            let why = status.failed_at.map(|(_, why)| format!(": {why}")).unwrap_or_default();
            Some(format!("1С молчит с\u{a0}{at}{why}. Проверьте, что 1С запущена и доступна."))
        });
        Finding { cause: "exchange", name: "Обмен с 1С", trouble }
    }

    async fn backup(&self) -> Finding {
        let trouble = match self.backups.status().await {
            Ok(status) => status.failed.map(|(at, why)| {
                let at = self.base.zone.date_time(at, self.base.clock.now());
                format!("Резервная копия не сделана ({at}): {why}. Проверьте папку копий.")
            }),
            Err(error) => Some(format!("Папка резервных копий не читается: {error}.")),
        };
        Finding { cause: "backup", name: "Резервное копирование", trouble }
    }

    fn disk(&self) -> Finding {
        let trouble = match (self.space)(&self.base.config.data_dir) {
            Ok((free, total)) if free < total / 10 => {
                let share = free.saturating_mul(100) / total.max(1);
                Some(format!("На диске свободно {share}\u{a0}%. Освободите место."))
            }
            // A disk that cannot be asked is not a full one.
            _ => None,
        };
        Finding { cause: "disk", name: "Место на диске", trouble }
    }

    /// Looks at everything once and queues what is news.
    pub async fn tick(&self) -> Result<(), StorageError> {
        let found = self.findings().await;
        let (now, config) = (self.base.clock.now(), self.base.config.clone());
        let queued = self
            .base
            .db
            .write(move |tx| {
                let mut queued = false;
                for finding in found {
                    let known = alerts::find(tx, finding.cause)?;
                    let standing = known.as_ref().filter(|row| !row.over);
                    let rested = known.as_ref().is_none_or(|row| now.since(row.told_at) >= REST);
                    let text = match (&finding.trouble, standing) {
                        (Some(trouble), _) => rested.then(|| trouble.clone()),
                        (None, Some(_)) => Some(format!("{}: восстановлено.", finding.name)),
                        (None, None) => continue,
                    };
                    let Some(text) = text else {
                        if let Some(row) = known.filter(|row| row.over) {
                            // Wrong again within the hour: it is told when the hour is over.
                            let row = AlertRow { over: false, ..row };
                            alerts::put(tx, finding.cause, &row)?;
                        }
                        continue;
                    };
                    let told_at = match (&finding.trouble, &known) {
                        (None, Some(row)) => row.told_at,
                        _ => now,
                    };
                    let since = standing.map_or(now, |row| row.since);
                    let row = AlertRow { since, told_at, over: finding.trouble.is_none() };
                    alerts::put(tx, finding.cause, &row)?;
                    let message = Message { html: Html::text(text), ..Message::default() };
                    let outgoing = Outgoing::Notice(Notice::Text(message));
                    queued |= notifications::enqueue_to_admins(tx, &config, &outgoing, now, None)?;
                }
                Ok::<_, StorageError>(queued)
            })
            .await?;
        if queued {
            self.base.live.tell(Change::Outbox);
        }
        Ok(())
    }

    /// Looks at everything each minute, until stopped.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
            if let Err(error) = self.tick().await {
                warn!("оповещения: {error}");
            }
        }
    }
}
