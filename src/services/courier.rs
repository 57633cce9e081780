//! Delivers the outbox: what is due goes out, in order within a chat, at the pace that the wires
//! allow, and is marked in a transaction of its own afterwards. Delivery is at least once.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::Base;
use super::conversations::move_chat;
use super::live::Change;
use super::notifications::{
    self, Composer, Delivered, DeliveryError, Manner, Message, Messenger, Notice, Outgoing, Place,
};
use crate::domain::{ChatKey, OrderId, OutboxId, Timestamp};
use crate::formats::html::Html;
use crate::storage::chat_slots::{self, SlotRow};
use crate::storage::outbox::{self, OutboxRow};
use crate::storage::{StorageError, notification_settings, recipients};
use crate::tasks;

mod pace;

use pace::{Hold, Pace};

/// The wire of [`ChatKey::Telegram`].
pub const TELEGRAM: &str = "tg";
/// The wire of [`ChatKey::Web`].
pub const WEB: &str = "web";

/// Chats served at one time.
const SIDE_BY_SIDE: usize = 16;
/// Rows of a chat looked at together: answers among them go first, edits of one card become one.
const WINDOW: u32 = 200;
/// A bot may delete its message for 48 hours; an older card is sent anew.
///
/// Source: Bot API, `deleteMessage` <https://core.telegram.org/bots/api#deletemessage>.
const CARD_LIVES: Duration = Duration::from_hours(48);
/// A tap that was not answered by then is not waiting for an answer any more.
const ANSWER_LIVES: Duration = Duration::from_secs(15);
/// Telegram shows «печатает…» for five seconds.
const TYPING_LIVES: Duration = Duration::from_secs(5);
/// Temporary trouble is put up with for a day.
const ROW_LIVES: Duration = Duration::from_hours(24);
/// Faults of our own in making or sending one row before it is closed.
const FAULTS: u32 = 3;
const LONGEST_BACK_OFF: Duration = Duration::from_mins(5);
/// How long the courier sleeps at most: a net under lost news.
const LONGEST_NAP: Duration = Duration::from_mins(1);
/// Changes of one order within this time are told together.
const MERGE_FOR: Duration = Duration::from_mins(1);
const MOVED_BELOW: &str = "Заявка продолжается ниже ⬇";

/// Delivers the outbox.
pub struct Courier {
    base: Base,
    composer: Arc<dyn Composer>,
    wires: Mutex<HashMap<&'static str, Arc<dyn Messenger>>>,
    pace: Mutex<Pace>,
    /// When a chat was last told of an order's status: the next ones may follow too soon.
    told: Mutex<HashMap<(ChatKey, OrderId), Timestamp>>,
}

/// What is left to do of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Step {
    Do(Outgoing),
    /// Takes a card's former message off the screen, once the new one is there.
    Retire {
        retire: i64,
    },
}

/// A row with its payload read.
struct Parcel {
    row: OutboxRow,
    steps: Vec<Step>,
}

/// Why a step is not done.
enum Trouble {
    Wire(DeliveryError),
    /// A fault of ours.
    Fault(String),
    Storage(StorageError),
}

impl From<DeliveryError> for Trouble {
    fn from(error: DeliveryError) -> Self {
        Self::Wire(error)
    }
}

impl From<StorageError> for Trouble {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// What serving a chat came to.
enum Served {
    /// Nothing is due.
    Done,
    /// Something is due and has to wait.
    Wait(Duration),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Stopped,
    Idle,
}

impl Courier {
    /// A courier that says [`Notice`]s in the composer's words. It has no wire yet.
    pub fn new(base: Base, composer: Arc<dyn Composer>) -> Arc<Self> {
        let (wires, pace, told) = (Mutex::default(), Mutex::default(), Mutex::default());
        Arc::new(Self { base, composer, wires, pace, told })
    }

    /// Gives the courier a wire's way out: [`TELEGRAM`] or [`WEB`]. What is queued for a wire that
    /// it does not have stays queued.
    pub fn register(&self, wire: &'static str, messenger: Arc<dyn Messenger>) {
        let mut wires = self.wires.lock().unwrap_or_else(PoisonError::into_inner);
        wires.insert(wire, messenger);
    }

    /// Delivers what falls due, until stopped; what is due then still goes out.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        self.clone().pump(Until::Stopped, &stop).await;
        self.pump(Until::Idle, &CancellationToken::new()).await;
    }

    /// Delivers everything that may go out at this moment of the clock, and returns. For tests and
    /// tools; not beside [`Courier::run`].
    pub async fn run_due(self: &Arc<Self>) {
        self.clone().pump(Until::Idle, &CancellationToken::new()).await;
    }

    /// Rows that wait, rows that have waited for a day, and rows that failed for good.
    pub async fn count(&self) -> Result<(i64, i64, i64), StorageError> {
        let late = self.base.clock.now().minus(ROW_LIVES);
        self.base.db.read(move |conn| outbox::count(conn, late)).await
    }

    async fn pump(self: Arc<Self>, until: Until, stop: &CancellationToken) {
        let mut news = self.base.live.listen();
        let mut running: JoinSet<(ChatKey, Served)> = JoinSet::new();
        let mut busy: HashSet<ChatKey> = HashSet::new();
        let mut waiting: HashMap<ChatKey, Instant> = HashMap::new();
        while !stop.is_cancelled() {
            let now = Instant::now();
            waiting.retain(|_, ready_at| until == Until::Idle || *ready_at > now);
            let nap = match self.due().await {
                Ok((chats, nap)) => {
                    let free = SIDE_BY_SIDE.saturating_sub(busy.len());
                    let ready: Vec<_> = chats
                        .into_iter()
                        .filter(|chat| !busy.contains(chat) && !waiting.contains_key(chat))
                        .filter(|chat| self.messenger(chat).is_some())
                        .take(free)
                        .collect();
                    for chat in ready {
                        busy.insert(chat.clone());
                        let courier = self.clone();
                        running.spawn(async move {
                            let served = courier.serve(&chat).await;
                            (chat, served)
                        });
                    }
                    nap
                }
                Err(error) => {
                    error!("исходящие не читаются: {error}");
                    Duration::from_secs(2)
                }
            };
            if until == Until::Idle && busy.is_empty() {
                return;
            }
            let nap_ends = waiting.values().min().copied().unwrap_or(now + nap).min(now + nap);
            tokio::select! {
                Some(ended) = running.join_next() => {
                    if let Ok((chat, served)) = ended {
                        busy.remove(&chat);
                        if let Served::Wait(wait) = served {
                            waiting.insert(chat, Instant::now() + wait);
                        }
                    } else {
                        // Cannot happen: panics are caught inside.
                        running.abort_all();
                        while running.join_next().await.is_some() {}
                        busy.clear();
                    }
                }
                () = news_of_outbox(&mut news), if until == Until::Stopped => waiting.clear(),
                () = tokio::time::sleep_until(nap_ends) => {}
                () = stop.cancelled() => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Chats with something due, and how long until the next row falls due.
    async fn due(&self) -> Result<(Vec<ChatKey>, Duration), StorageError> {
        let now = self.base.clock.now();
        let read = move |conn: &rusqlite::Connection| {
            let chats = outbox::list_due_chats(conn, now)?;
            let next = outbox::find_next_due(conn, now)?;
            Ok::<_, StorageError>((chats, next))
        };
        let (chats, next) = self.base.db.read(read).await?;
        let nap = next.map_or(LONGEST_NAP, |due| due.since(now)).min(LONGEST_NAP);
        Ok((chats, nap))
    }

    fn messenger(&self, chat: &ChatKey) -> Option<Arc<dyn Messenger>> {
        let wires = self.wires.lock().unwrap_or_else(PoisonError::into_inner);
        wires.get(wire(chat)).cloned()
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers what is due in one chat.
    async fn serve(&self, chat: &ChatKey) -> Served {
        let Some(messenger) = self.messenger(chat) else { return Served::Done };
        loop {
            match self.serve_next(chat, messenger.as_ref()).await {
                Ok(Some(Served::Done)) => return Served::Done,
                Ok(Some(Served::Wait(wait))) => return Served::Wait(wait),
                Ok(None) => {}
                Err(error) => {
                    // Nothing is lost; what was just sent may be sent again.
                    error!("исходящие не отмечены: {error}");
                    return Served::Wait(Duration::from_secs(2));
                }
            }
        }
    }

    /// Does one step of the chat's first row; `None`: there may be more to do at once.
    async fn serve_next(
        &self,
        chat: &ChatKey,
        messenger: &dyn Messenger,
    ) -> Result<Option<Served>, StorageError> {
        let now = self.base.clock.now();
        let of_chat = chat.clone();
        let rows =
            self.base.db.read(move |conn| outbox::list_due(conn, &of_chat, now, WINDOW)).await?;
        let mut parcels = Vec::with_capacity(rows.len());
        for row in rows {
            match read_steps(&row.payload) {
                Ok(steps) => parcels.push(Parcel { row, steps }),
                Err(error) => {
                    error!(outbox.id = %row.id, "исходящее {} не читается: {error}", row.id);
                    self.close(row.id, Some("запись испорчена")).await?;
                }
            }
        }
        let hold = self.pace().hold(chat, now);
        let answer =
            parcels.iter().position(|p| matches!(p.steps[..], [Step::Do(Outgoing::Answer { .. })]));
        if let Some(at) = answer.filter(|_| !matches!(hold, Some(Hold { network: true, .. }))) {
            let parcel = parcels.swap_remove(at);
            return self.answer(chat, messenger, parcel).await.map(|()| None);
        }
        if let Some(hold) = hold {
            return Ok(Some(Served::Wait(hold.left)));
        }
        if parcels.is_empty() {
            return Ok(Some(Served::Done));
        }
        if self.coalesce(&mut parcels).await? {
            return Ok(None);
        }
        let Parcel { row, steps } = parcels.swap_remove(0);
        self.send(messenger, row, steps).await
    }

    async fn answer(
        &self,
        chat: &ChatKey,
        messenger: &dyn Messenger,
        parcel: Parcel,
    ) -> Result<(), StorageError> {
        let Parcel { row, steps } = parcel;
        let now = self.base.clock.now();
        if now.since(row.due_at) > ANSWER_LIVES {
            return self.close(row.id, None).await;
        }
        let [Step::Do(outgoing)] = &steps[..] else { return Ok(()) };
        match deliver(messenger, chat, outgoing, None).await {
            Err(Trouble::Wire(DeliveryError::Temporary(why))) => {
                self.put_off(&row, &why, true).await
            }
            Err(Trouble::Wire(DeliveryError::Refused(why)) | Trouble::Fault(why)) => {
                warn!(outbox.id = %row.id, "нажатие осталось без ответа: {why}");
                self.close(row.id, None).await
            }
            // A tap waits for seconds: whatever else stands in the way, it is too late.
            Ok(_) | Err(Trouble::Wire(_)) => self.close(row.id, None).await,
            Err(Trouble::Storage(error)) => Err(error),
        }
    }

    /// Makes one of several edits of a card, and of several notices that would say the same;
    /// whether there was anything of the kind.
    async fn coalesce(&self, parcels: &mut [Parcel]) -> Result<bool, StorageError> {
        let Some((first, later)) = parcels.split_first_mut() else { return Ok(false) };
        let mut superseded = Vec::new();
        let mut merged = false;
        match &mut first.steps[..] {
            [Step::Do(Outgoing::Show { slot: Some(slot), message, .. })]
                if message.keyboard.is_none() =>
            {
                for parcel in later {
                    match &parcel.steps[..] {
                        [Step::Do(Outgoing::Show { slot: Some(other), place, message: newer })]
                            if other == slot && newer.keyboard.is_none() =>
                        {
                            if *place == Place::Below {
                                superseded = vec![first.row.id];
                                merged = false;
                                break;
                            }
                            *message = newer.clone();
                            merged = true;
                            superseded.push(parcel.row.id);
                        }
                        [Step::Do(Outgoing::Remove { slot: other })] if other == slot => break,
                        _ => {}
                    }
                }
            }
            [Step::Do(Outgoing::Notice(notice))] if !matches!(notice, Notice::Text(_)) => {
                let same = later.iter().filter(|parcel| {
                    matches!(&parcel.steps[..], [Step::Do(Outgoing::Notice(n))] if n == notice)
                });
                superseded = same.map(|parcel| parcel.row.id).collect();
            }
            _ => {}
        }
        if superseded.is_empty() {
            return Ok(false);
        }
        let (id, payload) = (first.row.id, merged.then(|| write_steps(&first.steps)).transpose()?);
        let now = self.base.clock.now();
        let write = move |tx: &rusqlite::Transaction<'_>| {
            if let Some(payload) = payload {
                outbox::set_payload(tx, id, &payload)?;
            }
            superseded.iter().try_for_each(|id| outbox::close_sent(tx, *id, now))
        };
        self.base.db.write(write).await.map(|()| true)
    }

    async fn send(
        &self,
        messenger: &dyn Messenger,
        row: OutboxRow,
        mut steps: Vec<Step>,
    ) -> Result<Option<Served>, StorageError> {
        let now = self.base.clock.now();
        let wait = steps.first().and_then(|s| self.pace().wait(&row.chat, s.weight(), now));
        if let Some(wait) = wait {
            return Ok(Some(Served::Wait(wait)));
        }
        let mut status_of = None;
        if let [Step::Do(Outgoing::Notice(notice)), ..] = &steps[..] {
            let Some(silent) = self.told_now(&row, notice, now).await? else { return Ok(None) };
            if let Notice::OrderStatus { order, .. } = notice {
                status_of = Some(*order);
            }
            match self.compose(&row.chat, notice).await {
                Ok(mut composed) => {
                    if silent {
                        composed.iter_mut().for_each(make_silent);
                    }
                    steps.splice(..1, composed.into_iter().map(Step::Do));
                }
                Err(why) => return self.fault(&row, &steps, &why).await.map(|()| None),
            }
        }
        let Some(step) = steps.first() else {
            return self.close(row.id, None).await.map(|()| None);
        };
        let wait = self.pace().take(&row.chat, step.weight(), now);
        if let Some(wait) = wait {
            return Ok(Some(Served::Wait(wait)));
        }
        match self.step(messenger, &row, step).await {
            Ok(done) => {
                if let Some(order) = status_of {
                    self.note_told(&row.chat, order, now);
                }
                self.advance(&row, steps, done).await.map(|()| None)
            }
            Err(Trouble::Storage(error)) => Err(error),
            Err(Trouble::Fault(why)) => self.fault(&row, &steps, &why).await.map(|()| None),
            Err(Trouble::Wire(error)) => self.wire_trouble(&row, steps, error).await,
        }
    }

    /// Whether the news may be told at once, and if so, whether without sound. `None`: they wait,
    /// or are not wanted, and what follows from that is queued.
    async fn told_now(
        &self,
        row: &OutboxRow,
        notice: &Notice,
        now: Timestamp,
    ) -> Result<Option<bool>, StorageError> {
        let (chat, asked) = (row.chat.clone(), notice.clone());
        let (config, zone) = (self.base.config.clone(), self.base.zone.clone());
        let read = move |conn: &rusqlite::Connection| {
            notifications::manner(conn, &config, &zone, &chat, &asked, now)
        };
        let too_soon = match notice {
            Notice::OrderStatus { order, .. } => self.merges_at(&row.chat, *order, now),
            _ => None,
        };
        let (id, chat, notice) = (row.id, row.chat.clone(), notice.clone());
        match self.base.db.read(read).await? {
            Manner::Unwanted(instead) => {
                let write = move |tx: &rusqlite::Transaction<'_>| {
                    queue_notice(tx, &chat, instead, now)?;
                    outbox::close_sent(tx, id, now)
                };
                self.base.db.write(write).await.map(|()| None)
            }
            Manner::Hold { person, due, meanwhile } => {
                let text = serde_json::to_string(&notice)
                    .map_err(|error| StorageError::Corrupt(format!("held_notices: {error}")))?;
                let write = move |tx: &rusqlite::Transaction<'_>| {
                    notification_settings::hold(tx, person, due, &text, now)?;
                    let digest = Outgoing::Notice(Notice::Digest { person, due });
                    let key = format!("digest:{person}:{}@{chat}", due.millis());
                    notifications::enqueue(tx, &chat, &digest, due, Some(&key))?;
                    queue_notice(tx, &chat, meanwhile, now)?;
                    outbox::close_sent(tx, id, now)
                };
                self.base.db.write(write).await.map(|()| None)
            }
            Manner::Aloud | Manner::Silent if too_soon.is_some() => {
                let write = move |tx: &rusqlite::Transaction<'_>| {
                    let card = match notice {
                        Notice::OrderStatus { order, .. } => Some(Notice::BuyerOrder { order }),
                        _ => None,
                    };
                    queue_notice(tx, &chat, card, now)?;
                    outbox::set_due(tx, id, too_soon.unwrap_or(now))
                };
                self.base.db.write(write).await.map(|()| None)
            }
            Manner::Aloud => Ok(Some(false)),
            Manner::Silent => Ok(Some(true)),
        }
    }

    /// When the chat may be told of the order again; `None`: now.
    fn merges_at(&self, chat: &ChatKey, order: OrderId, now: Timestamp) -> Option<Timestamp> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let at = told.get(&(chat.clone(), order))?.plus(MERGE_FOR);
        (at > now).then_some(at)
    }

    fn note_told(&self, chat: &ChatKey, order: OrderId, now: Timestamp) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, at| now.since(*at) < MERGE_FOR);
        told.insert((chat.clone(), order), now);
    }

    /// Does one step; what it leaves behind.
    async fn step(
        &self,
        messenger: &dyn Messenger,
        row: &OutboxRow,
        step: &Step,
    ) -> Result<Done, Trouble> {
        let chat = &row.chat;
        let now = self.base.clock.now();
        match step {
            Step::Retire { retire } => {
                let remove = Outgoing::RemoveMessage { message_id: *retire };
                match deliver(messenger, chat, &remove, None).await {
                    Err(Trouble::Wire(DeliveryError::Refused(_))) => {
                        let message =
                            Message { html: Html::text(MOVED_BELOW), ..Message::default() };
                        let stub = Outgoing::Show { slot: None, place: Place::InPlace, message };
                        optional(deliver(messenger, chat, &stub, Some(*retire)).await)?;
                    }
                    other => optional(other)?,
                }
                Ok(Done::Nothing)
            }
            Step::Do(outgoing @ Outgoing::Show { slot: Some(slot), place, .. }) => {
                let known = self.slot(chat, slot).await?;
                if let (Place::InPlace, Some(card)) = (place, known)
                    && now.since(card.sent_at) < CARD_LIVES
                {
                    match deliver(messenger, chat, outgoing, Some(card.message_id)).await {
                        Err(Trouble::Wire(DeliveryError::MessageGone)) => {}
                        other => return other.map(|_| Done::Nothing),
                    }
                }
                let sent = deliver(messenger, chat, outgoing, None).await?;
                let former = known.filter(|_| *place == Place::Below).map(|card| card.message_id);
                Ok(Done::Sent { slot: slot.clone(), message_id: sent.message_id, former })
            }
            Step::Do(outgoing @ Outgoing::Remove { slot }) => {
                if let Some(card) = self.slot(chat, slot).await? {
                    match deliver(messenger, chat, outgoing, Some(card.message_id)).await {
                        Err(Trouble::Wire(DeliveryError::Refused(why))) => {
                            warn!(outbox.id = %row.id, "карточка не убрана: {why}");
                        }
                        other => optional(other)?,
                    }
                }
                Ok(Done::Removed { slot: slot.clone() })
            }
            Step::Do(Outgoing::Typing) => {
                if now.since(row.due_at) <= TYPING_LIVES {
                    // Nobody misses it: an error of it says nothing either.
                    let _ = deliver(messenger, chat, &Outgoing::Typing, None).await;
                }
                Ok(Done::Nothing)
            }
            Step::Do(Outgoing::Notice(_)) => {
                Err(Trouble::Fault("a notice was composed into a notice".to_owned()))
            }
            Step::Do(outgoing @ Outgoing::RemoveMessage { .. }) => {
                optional(deliver(messenger, chat, outgoing, None).await)?;
                Ok(Done::Nothing)
            }
            Step::Do(outgoing) => {
                deliver(messenger, chat, outgoing, None).await?;
                Ok(Done::Nothing)
            }
        }
    }

    async fn slot(&self, chat: &ChatKey, slot: &str) -> Result<Option<SlotRow>, StorageError> {
        let (chat, slot) = (chat.clone(), slot.to_owned());
        self.base.db.read(move |conn| chat_slots::find(conn, &chat, &slot)).await
    }

    async fn compose(&self, chat: &ChatKey, notice: &Notice) -> Result<Vec<Outgoing>, String> {
        let composed = caught(async { self.composer.compose(chat, notice).await }).await;
        composed.unwrap_or_else(|| Err("the composer panicked".to_owned()))
    }

    /// Marks the first step as done.
    async fn advance(
        &self,
        row: &OutboxRow,
        mut steps: Vec<Step>,
        done: Done,
    ) -> Result<(), StorageError> {
        let now = self.base.clock.now();
        steps.remove(0);
        if let Done::Sent { former: Some(former), .. } = done {
            steps.insert(0, Step::Retire { retire: former });
        }
        let rest = if steps.is_empty() { None } else { Some(write_steps(&steps)?) };
        let (id, chat) = (row.id, row.chat.clone());
        let write = move |tx: &rusqlite::Transaction<'_>| {
            match done {
                Done::Sent { slot, message_id: Some(message_id), .. } => {
                    let row = SlotRow { message_id, sent_at: now };
                    chat_slots::put(tx, &chat, &slot, row)?;
                }
                Done::Removed { slot } => chat_slots::remove(tx, &chat, &slot)?,
                Done::Sent { .. } | Done::Nothing => {}
            }
            match rest {
                Some(payload) => outbox::set_payload(tx, id, &payload),
                None => outbox::close_sent(tx, id, now),
            }
        };
        self.base.db.write(write).await
    }

    async fn wire_trouble(
        &self,
        row: &OutboxRow,
        steps: Vec<Step>,
        error: DeliveryError,
    ) -> Result<Option<Served>, StorageError> {
        let now = self.base.clock.now();
        match error {
            DeliveryError::Wait(wait) => {
                self.pace().put_off(&row.chat, wait, false, now);
                Ok(Some(Served::Wait(wait)))
            }
            DeliveryError::Unreachable(why) => {
                info!(chat = wire(&row.chat), "получатель недоступен: {why}");
                let chat = row.chat.clone();
                let write = move |tx: &rusqlite::Transaction<'_>| {
                    recipients::set_blocked(tx, &chat, Some(now))?;
                    outbox::close_chat(tx, &chat, &why, now)
                };
                self.base.db.write(write).await.map(|_| Some(Served::Done))
            }
            DeliveryError::Moved(to) => {
                info!("у группы новый адрес");
                let from = row.chat.clone();
                let write = move |tx: &rusqlite::Transaction<'_>| move_chat(tx, &from, &to, now);
                self.base.db.write(write).await.map(|()| Some(Served::Done))
            }
            DeliveryError::MessageGone => {
                self.refused(row, steps, "сообщения больше нет").await.map(|()| None)
            }
            DeliveryError::Refused(why) => self.refused(row, steps, &why).await.map(|()| None),
            DeliveryError::Temporary(why) => {
                let old = now.since(row.due_at) > ROW_LIVES;
                if old && row.attempts >= 10 {
                    return self.refused(row, steps, &why).await.map(|()| None);
                }
                self.put_off(row, &why, true).await.map(|()| None)
            }
        }
    }

    /// The first step will never be done: the rest goes on without it.
    async fn refused(
        &self,
        row: &OutboxRow,
        mut steps: Vec<Step>,
        why: &str,
    ) -> Result<(), StorageError> {
        warn!(outbox.id = %row.id, "исходящее {} отклонено: {why}", row.id);
        steps.remove(0);
        if steps.is_empty() {
            return self.close(row.id, Some(why)).await;
        }
        let (id, payload) = (row.id, write_steps(&steps)?);
        self.base.db.write(move |tx| outbox::set_payload(tx, id, &payload)).await
    }

    async fn fault(&self, row: &OutboxRow, steps: &[Step], why: &str) -> Result<(), StorageError> {
        error!(outbox.id = %row.id, "исходящее {} не отправить: {why}", row.id);
        if row.attempts + 1 >= FAULTS {
            return self.refused(row, steps.to_vec(), "внутренняя ошибка").await;
        }
        self.put_off(row, "внутренняя ошибка", false).await
    }

    /// The chat waits 1, 2, 4 … seconds before the row is tried again.
    async fn put_off(&self, row: &OutboxRow, why: &str, network: bool) -> Result<(), StorageError> {
        let now = self.base.clock.now();
        let wait = Duration::from_secs(1 << row.attempts.min(16)).min(LONGEST_BACK_OFF);
        self.pace().put_off(&row.chat, wait, network, now);
        let (id, why) = (row.id, why.to_owned());
        self.base.db.write(move |tx| outbox::count_attempt(tx, id, &why)).await
    }

    async fn close(&self, id: OutboxId, error: Option<&str>) -> Result<(), StorageError> {
        let now = self.base.clock.now();
        let error = error.map(str::to_owned);
        let write = move |tx: &rusqlite::Transaction<'_>| match error {
            Some(error) => outbox::close_failed(tx, id, &error, now),
            None => outbox::close_sent(tx, id, now),
        };
        self.base.db.write(write).await
    }
}

/// What a step left behind.
enum Done {
    Nothing,
    /// A card is in a new message; `former` is the one to take off the screen.
    Sent {
        slot: String,
        message_id: Option<i64>,
        former: Option<i64>,
    },
    Removed {
        slot: String,
    },
}

impl Step {
    fn weight(&self) -> pace::Weight {
        match self {
            Self::Do(Outgoing::Show { .. } | Outgoing::File { .. } | Outgoing::Notice(_)) => {
                pace::Weight::Message
            }
            Self::Do(_) | Self::Retire { .. } => pace::Weight::Request,
        }
    }
}

/// Queues a notice for a chat, where there is one.
fn queue_notice(
    tx: &rusqlite::Transaction<'_>,
    chat: &ChatKey,
    notice: Option<Notice>,
    now: Timestamp,
) -> Result<(), StorageError> {
    if let Some(notice) = notice {
        notifications::enqueue(tx, chat, &Outgoing::Notice(notice), now, None)?;
    }
    Ok(())
}

fn make_silent(outgoing: &mut Outgoing) {
    if let Outgoing::Show { message, .. } = outgoing {
        message.silent = true;
    }
}

fn wire(chat: &ChatKey) -> &'static str {
    match chat {
        ChatKey::Telegram(_) => TELEGRAM,
        ChatKey::Web(_) => WEB,
    }
}

fn read_steps(payload: &str) -> Result<Vec<Step>, serde_json::Error> {
    if payload.starts_with('[') {
        return serde_json::from_str(payload);
    }
    Ok(vec![Step::Do(serde_json::from_str(payload)?)])
}

fn write_steps(steps: &[Step]) -> Result<String, StorageError> {
    serde_json::to_string(steps)
        .map_err(|error| StorageError::Corrupt(format!("outbox.payload: {error}")))
}

async fn deliver(
    messenger: &dyn Messenger,
    chat: &ChatKey,
    outgoing: &Outgoing,
    message_id: Option<i64>,
) -> Result<Delivered, Trouble> {
    let delivered = caught(async { messenger.deliver(chat, outgoing, message_id).await }).await;
    let Some(delivered) = delivered else {
        return Err(Trouble::Fault("the messenger panicked".to_owned()));
    };
    Ok(delivered?)
}

/// What is gone already needs no taking away, and what may not be taken away stays.
fn optional(delivered: Result<Delivered, Trouble>) -> Result<(), Trouble> {
    match delivered {
        Ok(_) | Err(Trouble::Wire(DeliveryError::MessageGone | DeliveryError::Refused(_))) => {
            Ok(())
        }
        Err(other) => Err(other),
    }
}

/// The work's value; `None` when it panicked.
async fn caught<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut value = None;
    let panicked = tasks::catch(async { value = Some(work.await) }).await;
    value.filter(|_| panicked.is_none())
}

async fn news_of_outbox(news: &mut tokio::sync::broadcast::Receiver<Change>) {
    loop {
        match news.recv().await {
            Ok(Change::Outbox | Change::Elsewhere) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
