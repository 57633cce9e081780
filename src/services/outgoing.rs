//! «Исходящие» for administrators: what waits, what was given up and may be sent again, who has
//! blocked the bot.

use std::time::Duration;

use super::Base;
use super::accounts::Actor;
use super::journal::entry;
use super::live::Change;
use super::notifications::{Notice, Outgoing};
use crate::domain::OutboxId;
use crate::storage::outgoing::{self, BlockedRow, OutgoingRow, View};
use crate::storage::{StorageError, audit};

/// People who have blocked the bot that are named on one page.
const BLOCKED_NAMED: u32 = 200;
/// «Повторить всё» goes back so far: nobody wants a status of last month.
pub const RETRY_REACH: Duration = Duration::from_hours(24 * 7);

/// What waits to go out, for administrators.
#[derive(Clone)]
pub struct OutgoingDesk {
    base: Base,
}

impl OutgoingDesk {
    /// Over this base.
    pub fn new(base: Base) -> Self {
        Self { base }
    }

    /// A page of rows and how many there are in all.
    pub async fn page(
        &self,
        view: View,
        offset: u32,
        limit: u32,
    ) -> Result<(Vec<OutgoingRow>, u32), StorageError> {
        self.base.db.read(move |conn| outgoing::page(conn, view, offset, limit)).await
    }

    /// Who has blocked the bot, and how many in all.
    pub async fn blocked(&self) -> Result<(Vec<BlockedRow>, u32), StorageError> {
        self.base.db.read(|conn| outgoing::blocked(conn, BLOCKED_NAMED)).await
    }

    /// Queues a row again that was given up; whether it was.
    pub async fn retry(&self, by: Actor, id: OutboxId) -> Result<bool, StorageError> {
        let now = self.base.clock.now();
        let queued = self.base.db.write(move |tx| {
            let Some(chat) = outgoing::retry(tx, id, now)? else { return Ok(false) };
            let (object, chat) = (format!("outbox:{id}"), chat.to_string());
            let change = (None, Some(chat.as_str()));
            audit::record(tx, &entry(&by, now, "outbox.retried", &object, change))?;
            Ok::<_, StorageError>(true)
        });
        let queued = queued.await?;
        self.base.live.tell(Change::Outbox);
        Ok(queued)
    }

    /// Queues again all that were given up within [`RETRY_REACH`], but for those who have blocked
    /// the bot; how many.
    pub async fn retry_all(&self, by: Actor) -> Result<usize, StorageError> {
        let now = self.base.clock.now();
        let queued = self.base.db.write(move |tx| {
            let count = outgoing::retry_all(tx, now.minus(RETRY_REACH), now)?;
            if count > 0 {
                let count = count.to_string();
                let change = (None, Some(count.as_str()));
                audit::record(tx, &entry(&by, now, "outbox.retried", "outbox", change))?;
            }
            Ok::<_, StorageError>(count)
        });
        let queued = queued.await?;
        self.base.live.tell(Change::Outbox);
        Ok(queued)
    }
}

/// What a row says, in a few words and without the text itself, which is the client's.
pub fn subject(payload: &str) -> String {
    let first = serde_json::from_str::<Vec<serde_json::Value>>(payload)
        .ok()
        .and_then(|steps| steps.into_iter().next())
        .or_else(|| serde_json::from_str(payload).ok());
    let outgoing = first.and_then(|value| serde_json::from_value::<Outgoing>(value).ok());
    let words = match outgoing {
        Some(Outgoing::Notice(notice)) => return notice_subject(&notice),
        Some(Outgoing::Show { slot: Some(_), .. }) => "карточка",
        Some(Outgoing::Show { .. }) => "сообщение",
        Some(Outgoing::Remove { .. } | Outgoing::RemoveMessage { .. }) => "удаление сообщения",
        Some(Outgoing::Copy { .. }) => "копия сообщения",
        Some(Outgoing::Document { .. } | Outgoing::File { .. }) => "файл",
        Some(Outgoing::Answer { .. }) => "ответ на нажатие",
        Some(Outgoing::Typing) => "«печатает…»",
        Some(Outgoing::Commands { .. }) => "список команд",
        None => "остаток действия",
    };
    words.to_owned()
}

fn notice_subject(notice: &Notice) -> String {
    let words = match notice {
        Notice::OrderStatus { .. } => "статус заказа",
        Notice::StaffOrder { .. } => "карточка заказа менеджерам",
        Notice::BuyerOrder { .. } => "карточка заказа клиенту",
        Notice::OrderMessage { .. } => "сообщение менеджера о заказе",
        Notice::ApprovalAsked { .. } => "запрос согласования",
        Notice::NewSignIn { .. } => "вход из другого чата",
        Notice::JoinAsked { .. } => "просьба войти в организацию",
        _ => "уведомление",
    };
    words.to_owned()
}
