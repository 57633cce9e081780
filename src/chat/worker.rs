//! Stored events → [`Handler`] → what is to be said: different chats side by side, one chat
//! strictly in order.
//!
//! One event is one turn: a panic or an error costs one answer, the person is told, and the event
//! is tried [`ATTEMPTS`](crate::services::conversations::ATTEMPTS) times in all, those that ended
//! with the process among them. A turn gets one event today; messages of one person that arrive within a moment of each other could be given to
//! it together, since they wait side by side in the inbox.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{Action, Button, Event, EventKind, Screen};
use crate::domain::{ChatKey, InboxId};
use crate::services::Base;
use crate::services::conversations::{Begun, Conversations, Failed};
use crate::services::live::{Change, Live};
use crate::services::notifications::Outgoing;
use crate::storage::StorageError;
use crate::storage::inbox::InboxRow;
use crate::tasks;

/// What knows how to answer.
pub trait Handler: Send + Sync {
    /// Answers one event. `state` is where the dialogue stands: what the last [`Turn`] of this
    /// chat left, or `None` when there was none.
    ///
    /// It may be called again with an event that it has answered before, when the process died in
    /// between: [`Event::key`] is what makes its own changes happen once.
    fn handle<'a>(&'a self, event: &'a Event, state: Option<String>) -> Handling<'a>;
}

/// An answer in the making.
pub type Handling<'a> = Pin<Box<dyn Future<Output = Result<Turn, ChatError>> + Send + 'a>>;

/// An answer. Both parts become true together with the event being handled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turn {
    /// Where the dialogue stands now; `None` forgets it.
    pub state: Option<String>,
    /// What to do in the chat of the event, in order. A tap that gets no [`Outgoing::Answer`] here
    /// is answered without a toast.
    pub out: Vec<Outgoing>,
}

/// A fault of ours: logged, and told to the person as a code. Made from any error with `?`.
pub struct ChatError(Box<dyn std::error::Error + Send + Sync>);

impl ChatError {
    /// A fault in words for the log.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for ChatError {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Display for ChatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for ChatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Chats answered at one time.
const SIDE_BY_SIDE: usize = 16;
/// Events of one chat answered before others get the place.
const IN_A_ROW: usize = 20;
/// A tap must be answered within a second; a person sees «печатает…» after one.
const SLOW: Duration = Duration::from_millis(700);
/// How long a chat waits before an event that failed is tried again, and after trouble with the
/// database.
const RETRY_AFTER: Duration = Duration::from_secs(2);
const SWEEP_EVERY: Duration = Duration::from_hours(24);

/// Answers what is in the inbox.
pub struct Worker {
    conversations: Conversations,
    live: Live,
    handler: Arc<dyn Handler>,
    /// Events whose turn ended in trouble with the database: the next try is not counted.
    spared: Mutex<HashSet<InboxId>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Stopped,
    Idle,
}

impl Worker {
    /// A worker that answers with `handler`.
    pub fn new(base: &Base, handler: Arc<dyn Handler>) -> Arc<Self> {
        let conversations = Conversations::new(base.clone());
        Arc::new(Self { conversations, live: base.live.clone(), handler, spared: Mutex::default() })
    }

    /// Answers events as they come, until stopped; events in hand are answered first.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        self.pump(Until::Stopped, &stop).await;
    }

    /// Answers everything that waits, without pauses between tries, and returns. For tests and
    /// tools; not beside [`Worker::run`].
    pub async fn run_pending(self: &Arc<Self>) {
        self.clone().pump(Until::Idle, &CancellationToken::new()).await;
    }

    async fn pump(self: Arc<Self>, until: Until, stop: &CancellationToken) {
        let mut news = self.live.listen();
        let mut running: JoinSet<ChatKey> = JoinSet::new();
        let mut busy: HashSet<ChatKey> = HashSet::new();
        let mut sweep_at = Instant::now();
        while !stop.is_cancelled() {
            if until == Until::Stopped && sweep_at <= Instant::now() {
                sweep_at = Instant::now() + SWEEP_EVERY;
                self.sweep().await;
            }
            let trouble = match self.conversations.pending_chats().await {
                Ok(chats) => {
                    let free = SIDE_BY_SIDE.saturating_sub(busy.len());
                    let waiting: Vec<_> =
                        chats.into_iter().filter(|chat| !busy.contains(chat)).take(free).collect();
                    for chat in waiting {
                        busy.insert(chat.clone());
                        running.spawn(self.clone().answer_chat(chat, until, stop.clone()));
                    }
                    false
                }
                Err(error) => {
                    error!("входящие не читаются: {error}");
                    true
                }
            };
            if until == Until::Idle && busy.is_empty() {
                return;
            }
            let pause = if trouble { RETRY_AFTER } else { SWEEP_EVERY };
            tokio::select! {
                Some(ended) = running.join_next() => {
                    match ended {
                        Ok(chat) => { busy.remove(&chat); }
                        // Cannot happen: panics are caught inside. Forgetting who is busy is safe
                        // only once nobody is.
                        Err(_) => {
                            running.abort_all();
                            while running.join_next().await.is_some() {}
                            busy.clear();
                        }
                    }
                }
                () = news_of_inbox(&mut news), if until == Until::Stopped => {}
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Answers the chat's events in order; returns the chat.
    async fn answer_chat(
        self: Arc<Self>,
        chat: ChatKey,
        until: Until,
        stop: CancellationToken,
    ) -> ChatKey {
        for _ in 0..IN_A_ROW {
            if stop.is_cancelled() {
                break;
            }
            let pause = match self.answer_next(&chat).await {
                Ok(Some(Answered::Well)) => continue,
                Ok(Some(Answered::Failed)) => until == Until::Stopped,
                Ok(None) => break,
                Err(error) => {
                    // Nothing is lost: the event stays in the inbox.
                    error!("событие не завершить: {error}");
                    true
                }
            };
            if pause {
                tokio::select! {
                    () = tokio::time::sleep(RETRY_AFTER) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
        chat
    }

    async fn answer_next(&self, chat: &ChatKey) -> Result<Option<Answered>, StorageError> {
        let spared = self.spared().clone();
        let (InboxRow { id, payload, .. }, state) = match self
            .conversations
            .begin(chat.clone(), spared)
            .await?
        {
            None => return Ok(None),
            Some(Begun::Turn(row, state)) => (row, state),
            Some(Begun::TooOften(id)) => {
                // What it says is not even looked at: it may be that which ends the program.
                error!(event.id = %id, "событие {id} трижды не дало ответить и отложено насовсем");
                self.conversations.fail(id, chat.clone(), vec![sorry(id).send()]).await?;
                return Ok(Some(Answered::Failed));
            }
        };
        let answered = self.answer(id, chat, &payload, state).await;
        // Only trouble with the database comes as an error, and that is no fault of the event.
        if answered.is_err() {
            self.spared().insert(id);
        } else {
            self.spared().remove(&id);
        }
        answered.map(Some)
    }

    async fn answer(
        &self,
        id: InboxId,
        chat: &ChatKey,
        payload: &str,
        state: Option<String>,
    ) -> Result<Answered, StorageError> {
        let event: Event = match serde_json::from_str(payload) {
            Ok(event) => event,
            Err(error) => {
                error!(event.id = %id, "событие {id} не читается и отложено насовсем: {error}");
                self.conversations.give_up(id, chat.clone()).await?;
                return Ok(Answered::Failed);
            }
        };
        match self.turn(&event, state).await {
            Ok(mut turn) => {
                answer_tap(&event, &mut turn.out);
                self.conversations.finish(id, chat.clone(), turn.state, turn.out).await?;
                Ok(Answered::Well)
            }
            Err(fault) => {
                let failed = self.conversations.fail(id, chat.clone(), apology(&event, id)).await?;
                let then = match failed {
                    Failed::Retry => "будет повторено",
                    Failed::Dead => "отложено насовсем",
                };
                error!(event.id = %id, "событие {id} не обработано и {then}: {fault}");
                Ok(Answered::Failed)
            }
        }
    }

    fn spared(&self) -> MutexGuard<'_, HashSet<InboxId>> {
        self.spared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One turn; a panic is an error, and what takes long shows that it is heard.
    async fn turn(&self, event: &Event, state: Option<String>) -> Result<Turn, ChatError> {
        let mut turn = None;
        let handling = tasks::catch(async {
            turn = Some(self.handler.handle(event, state).await);
        });
        let panicked = {
            let mut handling = std::pin::pin!(handling);
            tokio::select! {
                biased;
                panicked = &mut handling => panicked,
                () = tokio::time::sleep(SLOW) => {
                    let heard = heard(event);
                    if let Err(error) = self.conversations.say(event.chat.clone(), heard).await {
                        warn!("о долгом ответе не предупредить: {error}");
                    }
                    handling.await
                }
            }
        };
        match (turn, panicked) {
            (Some(turn), None) => turn,
            // A panic's text may hold what the person wrote: the panic hook decides on it.
            _ => Err(ChatError::new("the handler panicked")),
        }
    }

    async fn sweep(&self) {
        match self.conversations.sweep().await {
            Ok((0, 0)) => {}
            Ok((events, messages)) => {
                info!("убрано событий {events}, отправленных сообщений {messages}");
            }
            Err(error) => warn!("входящие не убрать: {error}"),
        }
    }
}

#[derive(Clone, Copy)]
enum Answered {
    Well,
    Failed,
}

async fn news_of_inbox(news: &mut tokio::sync::broadcast::Receiver<Change>) {
    loop {
        match news.recv().await {
            Ok(Change::Inbox | Change::Elsewhere) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// A tap is answered exactly once: with the turn's own answer, or without a toast.
fn answer_tap(event: &Event, out: &mut Vec<Outgoing>) {
    let EventKind::Pressed { callback_id: tap, .. } = &event.kind else { return };
    let answers =
        |o: &Outgoing| matches!(o, Outgoing::Answer { callback_id, .. } if callback_id == tap);
    if !out.iter().any(answers) {
        out.insert(0, bare_answer(tap));
    }
}

fn bare_answer(callback_id: &str) -> Outgoing {
    Outgoing::Answer { callback_id: callback_id.to_owned(), text: None, alert: false }
}

/// What a person sees while the answer takes long.
fn heard(event: &Event) -> Vec<Outgoing> {
    match &event.kind {
        EventKind::Pressed { callback_id, .. } => {
            vec![bare_answer(callback_id), Outgoing::Typing]
        }
        EventKind::Blocked { .. } => Vec::new(),
        _ => vec![Outgoing::Typing],
    }
}

/// What a person sees when the answer failed.
fn apology(event: &Event, id: InboxId) -> Vec<Outgoing> {
    let show = sorry(id).send();
    match &event.kind {
        EventKind::Pressed { callback_id, .. } => vec![bare_answer(callback_id), show],
        EventKind::Blocked { .. } => Vec::new(),
        _ => vec![show],
    }
}

fn sorry(id: InboxId) -> Screen {
    let text = format!("Не получилось, уже разбираемся. Заявка сохранена. Код\u{a0}{id}");
    Screen::text(text).row([
        Button::new("Повторить", Action::EventRetry { event: id.0 }),
        Button::new("Менеджеру", Action::EventHand { event: id.0 }),
    ])
}
