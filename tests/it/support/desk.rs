//! A desk without a wire: the real services and the real conversation on a temporary database,
//! with a clock that is moved by hand. What the chats show is kept as text.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use partner_m::chat::worker::{Handler, Handling, Worker};
use partner_m::chat::{Core, Event, EventKind, FileRef, MediaKind, Tools};
use partner_m::config::Config;
use partner_m::domain::{ChatKey, Clock, Timestamp, Zone};
use partner_m::services::Base;
use partner_m::services::accounts::Accounts;
use partner_m::services::alerts::Alerts;
use partner_m::services::backup::Backups;
use partner_m::services::catalog::Catalog;
use partner_m::services::conversations::Conversations;
use partner_m::services::courier::Courier;
use partner_m::services::duties::Duties;
use partner_m::services::exchange::Exchange;
use partner_m::services::live::Live;
use partner_m::services::models::Models;
use partner_m::services::notifications::{
    ButtonTarget, Delivered, DeliveryError, Message, Messenger, Outgoing, Sending,
};
use partner_m::services::ordering::Ordering;
use partner_m::services::pull::Pull;
use partner_m::storage::db::Create;
use partner_m::storage::{Db, StorageError};
use partner_m::tasks::Tasks;

/// Tuesday 24 November 2026, 14:05 in Moscow.
pub const START: Timestamp = Timestamp::from_millis(1_795_518_300_000);

/// Between two messages of a person: long enough for each to be one by itself, and for twenty of
/// them to be no flood.
const BETWEEN_WORDS: Duration = Duration::from_secs(3);

/// A running desk with Анна, a buyer, and Мария, a manager.
pub struct Desk {
    pub base: Base,
    pub accounts: Accounts,
    pub catalog: Catalog,
    core: Core,
    conversations: Conversations,
    tasks: Tasks,
    worker: Arc<Worker>,
    courier: Arc<Courier>,
    duties: Duties,
    pub ordering: Ordering,
    wire: Arc<Wire>,
    events: Mutex<u64>,
    /// Whether people take their time: a chat gets at most a message a second.
    calm: bool,
    _folder: tempfile::TempDir,
}

/// What one chat shows, and what has been said in it.
#[derive(Default)]
struct Shown {
    messages: BTreeMap<i64, Message>,
    transcript: String,
    /// Refusals that are to be closed by hand.
    alerts: usize,
    own: Vec<(i64, String)>,
}

/// Loses its first answer to everything.
struct Forgetful(Core);

impl Handler for Forgetful {
    fn handle<'a>(&'a self, event: &'a Event, state: Option<String>) -> Handling<'a> {
        Box::pin(async move {
            let _ = self.0.handle(event, state.clone()).await;
            self.0.handle(event, state).await
        })
    }
}

/// A wire that keeps what is shown.
#[derive(Default)]
struct Wire {
    chats: Mutex<BTreeMap<ChatKey, Shown>>,
    last_id: Mutex<i64>,
}

impl Wire {
    fn next_id(&self) -> i64 {
        let mut id = self.last_id.lock().unwrap();
        *id += 1;
        *id
    }
}

/// What no screen may break, whatever is in it: Telegram's limits and ours.
fn check_limits(outgoing: &Outgoing) {
    match outgoing {
        Outgoing::Show { message, .. } => {
            let text = draw(message);
            let units = message.html.utf16_len();
            assert!((1..=4096).contains(&units), "{units} UTF-16 units:\n{text}");
            // Eight rows, and the way on below them.
            assert!(message.buttons.len() <= 9, "{} rows:\n{text}", message.buttons.len());
            assert!(
                message.buttons.is_empty() || message.keyboard.is_none(),
                "buttons beside a keyboard:\n{text}"
            );
            for row in &message.buttons {
                let longest = if row.len() == 1 { 40 } else { 20 };
                for button in row {
                    let length = button.label.chars().count();
                    assert!((1..=longest).contains(&length), "«{}» in:\n{text}", button.label);
                    if let ButtonTarget::Press(data) = &button.target {
                        assert!(data.is_ascii() && (1..=64).contains(&data.len()), "{data}");
                    }
                }
            }
        }
        Outgoing::Answer { text: Some(text), .. } => {
            assert!((1..=200).contains(&text.chars().count()), "a toast: {text}");
        }
        Outgoing::Document { caption, .. } => {
            assert!(caption.encode_utf16().count() <= 1024, "a caption: {caption}");
        }
        _ => {}
    }
}

/// The message as text: its words, then its buttons and keys.
fn draw(message: &Message) -> String {
    let mut text = message.html.plain();
    for row in &message.buttons {
        let row: Vec<String> = row.iter().map(|button| format!("[{}]", button.label)).collect();
        text.push('\n');
        text.push_str(&row.join(" "));
    }
    if let Some(keyboard) = &message.keyboard {
        let keys = keyboard.rows.iter().map(|row| {
            row.iter().map(|key| format!("({})", key.label)).collect::<Vec<_>>().join(" ")
        });
        text.push('\n');
        text.push_str(&keys.collect::<Vec<_>>().join(" "));
    }
    text.replace('\u{a0}', " ")
}

fn quote(mark: &str, text: &str) -> String {
    let indented = text.lines().collect::<Vec<_>>().join("\n  ");
    format!("{mark} {indented}\n")
}

impl Messenger for Wire {
    fn deliver<'a>(
        &'a self,
        chat: &'a ChatKey,
        outgoing: &'a Outgoing,
        message_id: Option<i64>,
    ) -> Sending<'a, Result<Delivered, DeliveryError>> {
        Box::pin(async move {
            let mut chats = self.chats.lock().unwrap();
            let shown = chats.entry(chat.clone()).or_default();
            check_limits(outgoing);
            match outgoing {
                Outgoing::Show { message, .. } => {
                    let edited = message_id.filter(|id| shown.messages.contains_key(id));
                    if message_id.is_some() && edited.is_none() {
                        return Err(DeliveryError::MessageGone);
                    }
                    let id = edited.unwrap_or_else(|| self.next_id());
                    let before = shown.messages.insert(id, message.clone());
                    if before.as_ref() != Some(message) {
                        let mark = if edited.is_some() { "✎" } else { "<" };
                        shown.transcript.push_str(&quote(mark, &draw(message)));
                    }
                    Ok(Delivered { message_id: Some(id) })
                }
                Outgoing::Remove { .. } => {
                    if let Some(id) = message_id {
                        shown.messages.remove(&id);
                    }
                    Ok(Delivered { message_id: None })
                }
                Outgoing::RemoveMessage { message_id } => {
                    shown.messages.remove(message_id);
                    shown.transcript.push_str("× сообщение удалено\n");
                    Ok(Delivered { message_id: None })
                }
                Outgoing::Answer { text: Some(text), alert, .. } => {
                    shown.alerts += usize::from(*alert);
                    shown.transcript.push_str(&quote("☐", &text.replace('\u{a0}', " ")));
                    Ok(Delivered { message_id: None })
                }
                Outgoing::Copy { from, message_id } => {
                    shown
                        .transcript
                        .push_str(&format!("< (копия сообщения {message_id} из {from})\n"));
                    Ok(Delivered { message_id: None })
                }
                Outgoing::Document { name, content, caption } => {
                    let text = format!(
                        "(файл {name}) {caption}\n{}",
                        content.trim_start_matches('\u{feff}')
                    );
                    shown.transcript.push_str(&quote("<", &text.replace('\u{a0}', " ")));
                    Ok(Delivered { message_id: None })
                }
                _ => Ok(Delivered { message_id: None }),
            }
        })
    }
}

/// The chat of a persona: `anna`, `maria`, `guest` in the browser, `tg:17` in Telegram.
pub fn web(persona: &str) -> ChatKey {
    persona.parse().unwrap_or_else(|_| ChatKey::Web(persona.to_owned()))
}

impl Desk {
    /// A desk with the demo's people and a small catalogue.
    pub async fn start() -> Self {
        Self::with(Config::default()).await
    }

    /// The same with other settings.
    pub async fn with(mut config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        folder.path().clone_into(&mut config.data_dir);
        let db = Db::open(&folder.path().join("partner-m.db"), Create::Yes).unwrap();
        let clock = Clock::manual(START);
        let zone = Zone::named("Europe/Moscow").unwrap();
        let base = Base { db, clock, zone, config: config.into(), live: Live::default() };
        let accounts = Accounts::new(base.clone());
        accounts.demo_people("пароль для теста").await.unwrap();
        let loaded = |tx: &rusqlite::Transaction<'_>| {
            tx.execute_batch(CATALOG)?;
            tx.execute("update catalog_version set changed_at_ms = ?1", [START])?;
            Ok::<_, StorageError>(())
        };
        base.db.write_blocking(loaded).unwrap();
        let catalog = Catalog::new(base.clone());
        catalog.refresh().await.unwrap();
        let models = Models::from_settings(base.clone());
        let ordering = Ordering::new(base.clone(), catalog.clone()).with_models(models.clone());
        let tasks = Tasks::new();
        let backups = Backups::new(base.clone());
        let pull = Pull::new(base.clone(), Exchange::new(base.clone())).unwrap();
        let alerts = Alerts::new(base.clone(), backups.clone(), None, |_| Ok((50, 100)));
        let tools = Tools { pull: Some(pull), backups, models: Some(models), alerts };
        let core = Core::new(base.clone(), accounts.clone(), ordering.clone())
            .with_tasks(tasks.clone())
            .with_tools(tools);
        let worker = Worker::new(&base, Arc::new(core.clone()));
        let courier = Courier::new(base.clone(), Arc::new(core.clone()));
        let wire = Arc::new(Wire::default());
        courier.register("web", wire.clone());
        courier.register("tg", wire.clone());
        Self {
            conversations: Conversations::new(base.clone()),
            accounts,
            catalog,
            core,
            tasks,
            worker,
            courier,
            duties: Duties::new(base.clone(), ordering.clone()),
            ordering,
            wire,
            events: Mutex::new(0),
            calm: false,
            base,
            _folder: folder,
        }
    }

    /// The same with a program that dies each time it has changed something and before it has said
    /// so: every event is handled twice from where the dialogue stood, and only the second answer
    /// is said.
    pub async fn forgetful() -> Self {
        let desk = Self::start().await;
        let worker = Worker::new(&desk.base, Arc::new(Forgetful(desk.core.clone())));
        Self { worker, ..desk }
    }

    /// The same with people who take their time between two steps.
    pub async fn calm() -> Self {
        Self { calm: true, ..Self::start().await }
    }

    /// Gives the person with this number of the demo a chat: `boss`, `tg:17`.
    pub fn link(&self, persona: &str, phone: &str) {
        self.sql(&format!(
            "insert into chats (key, person_id, title, linked_at_ms)
             select '{}', id, name, 0 from persons where phone = '{phone}'",
            web(persona)
        ));
    }

    /// Олег, a second manager, in the chat `oleg`.
    pub fn second_manager(&self) {
        self.sql(
            "insert into persons (name, phone, phone_verified, granted_role, created_at_ms)
             values ('Олег', '+79000000004', 1, 'manager', 0)",
        );
        self.link("oleg", "+79000000004");
    }

    /// The administrator of the demo, in the chat `boss`.
    pub fn boss(&self) {
        self.link("boss", "+79000000003");
    }

    /// A person writes, some seconds after the last word.
    pub async fn says(&self, persona: &str, text: &str) {
        self.base.clock.advance(BETWEEN_WORDS);
        self.says_at_once(persona, text).await;
    }

    /// A person's next part of one long message.
    pub async fn says_at_once(&self, persona: &str, text: &str) {
        self.heard(persona, &quote(">", text));
        let message_id = self.wire.next_id();
        {
            let mut chats = self.wire.chats.lock().unwrap();
            let shown = chats.entry(web(persona)).or_default();
            shown.own.push((message_id, text.to_owned()));
        }
        let kind = EventKind::Text { text: text.to_owned(), message_id, reply_to: None };
        self.event(persona, kind).await;
    }

    /// A person corrects what they wrote: the last message that was these words.
    pub async fn edits(&self, persona: &str, from: &str, to: &str) {
        let chat = web(persona);
        let message_id = {
            let chats = self.wire.chats.lock().unwrap();
            let own = chats.get(&chat).and_then(|shown| {
                shown.own.iter().rev().find(|(_, text)| text == from).map(|(id, _)| *id)
            });
            own.unwrap_or_else(|| panic!("«{from}» was not said"))
        };
        self.heard(persona, &quote(">✎", to));
        self.event(persona, EventKind::Edited { text: to.to_owned(), message_id }).await;
    }

    /// A person sends a file.
    pub async fn sends_file(&self, persona: &str, name: &str, content: &[u8], caption: &str) {
        self.base.clock.advance(BETWEEN_WORDS);
        self.heard(persona, &quote(">", format!("(файл {name}) {caption}").trim()));
        let chat = web(persona);
        let key = format!("file:{}", self.wire.next_id());
        let id = self.core.files().keep(&chat, &key, name, content.to_vec()).await.unwrap();
        let file =
            FileRef { id: id.to_string(), name: name.to_owned(), size: content.len() as u64 };
        let (caption, message_id) = (caption.to_owned(), self.wire.next_id());
        self.event(persona, EventKind::File { file, caption, message_id, reply_to: None }).await;
    }

    /// A person sends what has no text.
    pub async fn sends_media(&self, persona: &str, media: MediaKind, caption: &str) {
        self.base.clock.advance(BETWEEN_WORDS);
        self.heard(persona, &quote(">", format!("({media:?}) {caption}").trim()));
        let (caption, message_id) = (caption.to_owned(), self.wire.next_id());
        self.event(persona, EventKind::Media { media, caption, message_id, reply_to: None }).await;
    }

    /// A person replies to a message.
    pub async fn replies(&self, persona: &str, message: i64, text: &str) {
        self.heard(persona, &quote(">", text));
        let message_id = self.wire.next_id();
        let reply_to = Some(message);
        let kind = EventKind::Text { text: text.to_owned(), message_id, reply_to };
        self.event(persona, kind).await;
    }

    /// A person shares a contact; the wire vouches that it is their own, or does not.
    pub async fn shares(&self, persona: &str, phone: &str, own: bool) {
        self.heard(persona, &format!("> 📱 {phone}\n"));
        let message_id = self.wire.next_id();
        let (phone, name) = (phone.to_owned(), persona.to_owned());
        self.event(persona, EventKind::Contact { phone, name, own, message_id }).await;
    }

    /// A person taps the newest button whose label contains these words.
    pub async fn taps(&self, persona: &str, label: &str) {
        let data = self.button(persona, label);
        self.heard(persona, &format!("> [{label}]\n"));
        self.presses(persona, &data).await;
    }

    /// A person taps a button with this data, be it on the screen or not.
    pub async fn presses(&self, persona: &str, data: &str) {
        let callback_id = format!("callback-{}", self.wire.next_id());
        let kind = EventKind::Pressed { data: data.to_owned(), callback_id, message_id: None };
        self.event(persona, kind).await;
    }

    /// The data of the newest button whose label contains these words.
    pub fn button(&self, persona: &str, label: &str) -> String {
        let chats = self.wire.chats.lock().unwrap();
        let shown = chats.get(&web(persona)).expect("nothing has been said in the chat");
        let buttons = shown.messages.values().rev().flat_map(|message| &message.buttons).flatten();
        let found = buttons.into_iter().find_map(|button| match &button.target {
            ButtonTarget::Press(data) if button.label.replace('\u{a0}', " ").contains(label) => {
                Some(data.clone())
            }
            _ => None,
        });
        drop(chats);
        found.unwrap_or_else(|| panic!("no button «{label}» in:\n{}", self.screen(persona)))
    }

    /// Someone writes in a chat of several people.
    pub async fn says_in(&self, chat: &str, from: &ChatKey, text: &str) {
        let message_id = self.wire.next_id();
        let kind = EventKind::Text { text: text.to_owned(), message_id, reply_to: None };
        self.event_from(chat, from, kind).await;
    }

    /// Someone presses a button in a chat of several people.
    pub async fn presses_in(&self, chat: &str, from: &ChatKey, data: &str) {
        let callback_id = format!("callback-{}", self.wire.next_id());
        let kind = EventKind::Pressed { data: data.to_owned(), callback_id, message_id: None };
        self.event_from(chat, from, kind).await;
    }

    async fn event(&self, persona: &str, kind: EventKind) {
        self.event_from(persona, &web(persona), kind).await;
    }

    async fn event_from(&self, persona: &str, from: &ChatKey, kind: EventKind) {
        let key = {
            let mut events = self.events.lock().unwrap();
            *events += 1;
            format!("test:{events}")
        };
        let event = Event {
            key: key.clone(),
            from: from.clone(),
            chat: web(persona),
            from_name: persona.to_owned(),
            at: self.base.clock.now(),
            kind,
            quoted: Vec::new(),
        };
        self.accept(&event).await;
        if self.calm {
            self.wait(Duration::from_secs(5)).await;
        }
    }

    /// An event arrives and everything that follows from it happens.
    pub async fn accept(&self, event: &Event) {
        let payload = serde_json::to_string(event).unwrap();
        self.conversations.accept(event.key.clone(), event.chat.clone(), payload).await.unwrap();
        self.run().await;
    }

    /// Everything that is due happens.
    pub async fn run(&self) {
        self.worker.run_pending().await;
        self.courier.run_due().await;
    }

    /// What is done by the clock happens, and everything that follows.
    pub async fn tick(&self) {
        self.duties.tick().await.unwrap();
        self.run().await;
    }

    /// Models answer, and what follows from it happens.
    pub async fn models_answer(&self) {
        self.tasks.finished().await;
        self.courier.run_due().await;
    }

    /// Time passes, and what is due then happens.
    pub async fn wait(&self, duration: Duration) {
        self.base.clock.advance(duration);
        self.run().await;
    }

    fn heard(&self, persona: &str, text: &str) {
        let mut chats = self.wire.chats.lock().unwrap();
        chats.entry(web(persona)).or_default().transcript.push_str(text);
    }

    /// What was said since this was last asked: `>` the person, `<` a new message, `✎` an edited
    /// one, `☐` a toast.
    pub fn transcript(&self, persona: &str) -> String {
        let mut chats = self.wire.chats.lock().unwrap();
        std::mem::take(&mut chats.entry(web(persona)).or_default().transcript)
    }

    /// How many refusals the chat has got that are to be closed by hand.
    pub fn alerts(&self, persona: &str) -> usize {
        let chats = self.wire.chats.lock().unwrap();
        chats.get(&web(persona)).map_or(0, |shown| shown.alerts)
    }

    /// What the chat shows now.
    pub fn screen(&self, persona: &str) -> String {
        let chats = self.wire.chats.lock().unwrap();
        let Some(shown) = chats.get(&web(persona)) else { return String::new() };
        shown.messages.values().map(draw).collect::<Vec<_>>().join("\n---\n")
    }

    /// How many messages of the desk's own the chat shows.
    pub fn message_count(&self, persona: &str) -> usize {
        let chats = self.wire.chats.lock().unwrap();
        chats.get(&web(persona)).map_or(0, |shown| shown.messages.len())
    }

    /// Runs a statement on the database, as another process would.
    pub fn sql(&self, sql: &str) {
        self.base.db.write_blocking(|tx| Ok::<_, StorageError>(tx.execute_batch(sql)?)).unwrap();
    }

    /// The first column of what a query finds, as text.
    pub fn rows(&self, sql: &str) -> Vec<String> {
        self.base
            .db
            .read_blocking(|conn| {
                let mut stmt = conn.prepare(sql)?;
                let rows = stmt.query_map([], |row| row.get(0))?;
                Ok::<_, StorageError>(rows.collect::<Result<_, _>>()?)
            })
            .unwrap()
    }

    /// One number from the database.
    pub fn number(&self, sql: &str) -> i64 {
        self.base
            .db
            .read_blocking(|conn| Ok::<_, StorageError>(conn.query_row(sql, [], |row| row.get(0))?))
            .unwrap()
    }
}

pub const CATALOG: &str = "
    insert into price_types (id, name) values (1, '');
    insert into categories (id, parent_id, title) values
        (1, null, 'Крепёж'), (2, 1, 'Саморезы'), (3, null, 'Швейные материалы'), (4, 3, 'Молнии'),
        (5, 3, 'Нитки'), (6, null, 'Наполнители'), (7, 6, 'Спанбонд');
    insert into products (id, sku, title, category_id, unit, multiple_thousandths,
        available_thousandths, updated_at_ms) values
        (1, '00-1234', 'Саморез универсальный 4х25 желтый цинк', 2, 'шт', null, 12000000, 0),
        (2, '00-1235', 'Саморез универсальный 4х30 желтый цинк', 2, 'шт', null, 8000000, 0),
        (3, '00-1236', 'Саморез универсальный 4х25 белый цинк', 2, 'шт', null, 0, 0),
        (4, '00-2001', 'Молния рулонная Т5 черная 200 м', 4, 'рул', null, 40000, 0),
        (5, '00-2002', 'Молния рулонная Т7 черная 100 м', 4, 'рул', null, 12000, 0),
        (6, '00-2003', 'Молния рулонная Т5 белая 200 м', 4, 'рул', null, 9000, 0),
        (7, '00-3001', 'Нитки 70ЛЛ 2500 м черные', 5, 'шт', null, 300000, 0),
        (8, '00-3002', 'Нитки 70ЛЛ 2500 м белые', 5, 'шт', null, 300000, 0),
        (9, '00-4001', 'Спанбонд 70 г/м2 белый 1,6 м', 7, 'рул', null, 25000, 0),
        (10, '00-4002', 'Спанбонд 70 г/м2 черный 1,6 м', 7, 'рул', null, 3000, 0),
        (11, '00-1300', 'Евровинт 7х50 цинк', 2, 'шт', 500000, 50000000, 0);
    insert into packs (product_id, unit, coefficient_thousandths) values (1, 'уп', 1000000);
    insert into prices (product_id, price_type_id, amount_kopecks, per) values
        (1, 1, 85, 1), (2, 1, 92, 1), (3, 1, 88, 1), (4, 1, 145000, 1), (5, 1, 199000, 1),
        (6, 1, 145000, 1), (7, 1, 11642, 1), (8, 1, 11642, 1), (9, 1, 312000, 1),
        (10, 1, 315000, 1), (11, 1, 8125, 100);
    update catalog_version set version = version + 1;
";
