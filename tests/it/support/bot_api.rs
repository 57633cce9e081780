//! A Bot API of our own: Telegram as the bot sees it, without Telegram.
//!
//! It stands behind `Bot::set_api_url`, takes any letter case of method names and every body that
//! teloxide sends, keeps chats as they now stand, and is at least as strict as the real one: what
//! breaks a limit is refused *and* remembered as a violation, and every tap must be answered once.
//!
//! ```ignore
//! let bot_api = BotApi::start().await;          // point `telegram.api_url` at `bot_api.url()`
//! let anna = bot_api.user(7, "Анна");
//! anna.says("/start");                          // queues an update
//! anna.shares_contact("+79000000001");          // her own; `shares_contact_of` is another's
//! anna.taps("Оформить");                        // the newest button with that label
//! println!("{}", bot_api.chat(7).transcript()); // `>` the person, `<` the bot
//! bot_api.refuse_next(Refusal::too_many(3));    // the next call that is no poll
//! bot_api.assert_tidy();                        // no violations, every tap answered once
//! ```
#![allow(dead_code, clippy::allow_attributes, reason = "not every story uses everything")]

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use partner_m::config;
use partner_m::domain::{Clock, Secret, Timestamp};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

/// The token that the fake knows. It looks like a real one, so that a leak can be searched for.
pub const TOKEN: &str = "123456789:AAF0-fake_token_for_the_tests_0123456";
/// The bot's name there.
pub const USERNAME: &str = "partner_m_bot";
const BOT_ID: i64 = 123_456_789;
const DELETABLE: Duration = Duration::from_hours(48);

/// The fake. Ends with the test.
pub struct BotApi {
    shared: Arc<Shared>,
    url: String,
    serving: tokio::task::JoinHandle<()>,
}

struct Shared {
    state: Mutex<Fake>,
    /// Told of every change.
    changed: Notify,
}

struct Fake {
    clock: Clock,
    hold_polls: bool,
    poll: u64,
    webhook: Option<String>,
    queue: VecDeque<Queued>,
    answers: VecDeque<String>,
    next_update: i64,
    next_message: i64,
    next_tap: u64,
    chats: BTreeMap<i64, Chat>,
    taps: HashMap<String, Tap>,
    refusals: Vec<Script>,
    calls: Vec<Call>,
    violations: Vec<String>,
    commands: HashMap<i64, Vec<String>>,
    /// What files hold, by their path.
    files: HashMap<String, Vec<u8>>,
}

struct Queued {
    update: Value,
    delivered: bool,
}

struct Tap {
    chat: i64,
    answers: u32,
    toast: Option<String>,
}

struct Script {
    method: Option<String>,
    chat: Option<i64>,
    times: u32,
    refusal: Refusal,
}

/// One request that came.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method, as in the documents: `sendMessage`.
    pub method: String,
    /// Its parameters.
    pub params: Value,
    /// When, by the clock given with [`BotApi::set_clock`].
    pub at: Timestamp,
    /// Whether it was done.
    pub ok: bool,
}

impl Call {
    /// The chat that it concerns.
    pub fn chat(&self) -> Option<i64> {
        number(&self.params["chat_id"])
    }
}

/// A chat as it now stands.
#[derive(Debug, Clone, Default)]
pub struct Chat {
    /// `private`, `group`, `supergroup`.
    pub kind: String,
    /// The title or the person's name.
    pub title: String,
    /// What is on the screen, oldest first.
    pub messages: Vec<Posted>,
    /// The reply keyboard: rows of labels.
    pub keyboard: Vec<Vec<String>>,
    blocked: bool,
    typing: u32,
}

/// A message on the screen.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Its id.
    pub id: i64,
    /// The author's name; `None`: the bot.
    pub from: Option<String>,
    /// The text as it is read.
    pub text: String,
    /// The text as it was sent.
    pub html: String,
    /// Rows of inline buttons: label and what it does.
    pub buttons: Vec<Vec<(String, Value)>>,
    /// When it was sent.
    pub at: Timestamp,
    /// How often it was edited.
    pub edits: u32,
}

/// What the fake answers instead of doing what it is asked.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// This status and description, with further parameters.
    Answer { status: u16, description: String, parameters: Value },
    /// A page that is not the Bot API's.
    Page { status: u16, body: String },
    /// The connection is cut and nothing is done.
    Cut,
    /// What was asked is done, then the connection is cut.
    CutAfter,
}

impl Refusal {
    /// An error of the Bot API.
    pub fn error(status: u16, description: &str) -> Self {
        let description = description.to_owned();
        Self::Answer { status, description, parameters: Value::Null }
    }

    /// 429 with `retry_after` in seconds.
    pub fn too_many(seconds: u32) -> Self {
        Self::Answer {
            status: 429,
            description: format!("Too Many Requests: retry after {seconds}"),
            parameters: json!({ "retry_after": seconds }),
        }
    }

    /// 403: the person has blocked the bot.
    pub fn blocked() -> Self {
        Self::error(403, "Forbidden: bot was blocked by the user")
    }

    /// 400: the group is a supergroup now.
    pub fn moved(to: i64) -> Self {
        Self::Answer {
            status: 400,
            description: "Bad Request: group chat was upgraded to a supergroup chat".to_owned(),
            parameters: json!({ "migrate_to_chat_id": to }),
        }
    }

    /// 409: another program reads the same bot's updates.
    pub fn conflict() -> Self {
        Self::error(
            409,
            "Conflict: terminated by other getUpdates request; make sure that only one bot \
             instance is running",
        )
    }

    /// 401: no such token.
    pub fn unauthorized() -> Self {
        Self::error(401, "Unauthorized")
    }
}

impl BotApi {
    /// The largest order number that a chat was told is sent; it grows with each order. 0: none yet.
    pub fn last_order_number(&self, chat: i64) -> i64 {
        let shown = self.chat(chat);
        let texts = shown.texts().into_iter().map(|text| text.replace('\u{a0}', " "));
        let numbers = texts.filter_map(|text| {
            let (_, after) = text.split_once("Заявка № ")?;
            after.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
        });
        numbers.max().unwrap_or(0)
    }

    /// Starts on a port of its own.
    pub async fn start() -> Self {
        let shared = Arc::new(Shared { state: Mutex::new(Fake::new()), changed: Notify::new() });
        let router = Router::new().fallback(handle).with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("serves");
        });
        Self { shared, url, serving }
    }

    /// For `telegram.api_url`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Settings with its token and address.
    pub fn settings(&self) -> config::Telegram {
        config::Telegram {
            bot_token: Some(Secret::new(TOKEN)),
            api_url: Some(self.url.clone()),
            ..config::Telegram::default()
        }
    }

    /// Moments are taken from this clock from now on.
    pub fn set_clock(&self, clock: Clock) {
        self.lock().clock = clock;
    }

    /// Whether a poll with nothing to bring is held, as the real one does (so it begins), or
    /// answered at once, for stories that poll by hand.
    pub fn hold_polls(&self, hold: bool) {
        self.lock().hold_polls = hold;
    }

    /// Another program's webhook is set.
    pub fn set_webhook(&self, url: &str) {
        self.lock().webhook = Some(url.to_owned());
    }

    /// The webhook that is set.
    pub fn webhook(&self) -> Option<String> {
        self.lock().webhook.clone()
    }

    /// The next update gets this id, and those after it the following ones.
    pub fn next_update_id(&self, id: i64) {
        self.lock().next_update = id;
    }

    /// Someone who uses Telegram. The private chat with them begins to exist.
    pub fn user(&self, id: i64, name: &str) -> Person {
        self.lock().open(id, "private", name);
        Person { shared: self.shared.clone(), id, name: name.to_owned(), chat: id }
    }

    /// A group that the bot is in; its id is negative. People write there through [`Person::in_`].
    pub fn group(&self, id: i64, title: &str) -> i64 {
        self.lock().open(id, "supergroup", title);
        id
    }

    /// The chat as it now stands.
    pub fn chat(&self, id: i64) -> Chat {
        self.lock().chats.get(&id).cloned().unwrap_or_default()
    }

    /// Makes all messages of the chat this much older.
    pub fn age(&self, chat: i64, by: Duration) {
        let mut fake = self.lock();
        let chat = fake.chats.get_mut(&chat).expect("a chat");
        chat.messages.iter_mut().for_each(|m| m.at = m.at.minus(by));
    }

    /// The toasts and bare answers that taps in the chat got, in no order.
    pub fn toasts(&self, chat: i64) -> Vec<Option<String>> {
        let fake = self.lock();
        let taps = fake.taps.values().filter(|tap| tap.chat == chat && tap.answers > 0);
        taps.map(|tap| tap.toast.clone()).collect()
    }

    /// How often «печатает…» was shown in the chat.
    pub fn typing(&self, chat: i64) -> u32 {
        self.chat(chat).typing
    }

    /// The commands set for the chat.
    pub fn commands(&self, chat: i64) -> Vec<String> {
        self.lock().commands.get(&chat).cloned().unwrap_or_default()
    }

    /// Every call that came, polls too.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Calls of one method.
    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.method == method).collect()
    }

    /// Updates that the bot has not acknowledged yet.
    pub fn unacknowledged(&self) -> usize {
        self.lock().queue.len()
    }

    /// The next call that is no poll is refused.
    pub fn refuse_next(&self, refusal: Refusal) {
        self.script(None, None, 1, refusal);
    }

    /// Calls of this method are refused, so many times.
    pub fn refuse(&self, method: &str, times: u32, refusal: Refusal) {
        self.script(Some(method), None, times, refusal);
    }

    /// Calls that concern this chat are refused, so many times.
    pub fn refuse_chat(&self, chat: i64, times: u32, refusal: Refusal) {
        self.script(None, Some(chat), times, refusal);
    }

    /// Nothing is refused any more.
    pub fn relent(&self) {
        self.lock().refusals.clear();
    }

    fn script(&self, method: Option<&str>, chat: Option<i64>, times: u32, refusal: Refusal) {
        let method = method.map(str::to_owned);
        self.lock().refusals.push(Script { method, chat, times, refusal });
    }

    /// Queues an update as it is; it gets an `update_id` if it has none.
    pub fn push(&self, update: Value) {
        self.lock().push(update);
        self.shared.changed.notify_waiters();
    }

    /// The next poll is answered with exactly this text.
    pub fn answer_poll_with(&self, text: &str) {
        self.lock().answers.push_back(text.to_owned());
        self.shared.changed.notify_waiters();
    }

    /// Limits that were broken.
    pub fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    /// Fails when a limit was broken or a tap was not answered exactly once.
    pub fn assert_tidy(&self) {
        let fake = self.lock();
        assert!(fake.violations.is_empty(), "limits were broken: {:#?}", fake.violations);
        for (id, tap) in &fake.taps {
            assert_eq!(tap.answers, 1, "tap {id} in chat {} got {} answers", tap.chat, tap.answers);
        }
    }

    /// Waits until something is true of the chat; only for stories with the real loops.
    pub async fn wait_for(&self, chat: i64, what: impl Fn(&Chat) -> bool) -> Chat {
        loop {
            let mut changed = std::pin::pin!(self.shared.changed.notified());
            changed.as_mut().enable();
            let now = self.chat(chat);
            if what(&now) {
                return now;
            }
            let patience = Duration::from_secs(30);
            let told = tokio::time::timeout(patience, changed).await;
            assert!(
                told.is_ok(),
                "it never came to be; the chat:\n{}",
                self.chat(chat).transcript()
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, Fake> {
        self.shared.state.lock().expect("the fake is sound")
    }
}

impl Drop for BotApi {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Chat {
    /// The chat as a person sees it: `>` the person, `<` the bot, `[…]` buttons, `⌨` the reply
    /// keyboard.
    pub fn transcript(&self) -> String {
        let mut text = String::new();
        for message in &self.messages {
            let mark = if message.from.is_some() { '>' } else { '<' };
            let _ = write!(text, "{mark} ");
            if let Some(name) = message.from.as_ref().filter(|_| self.kind != "private") {
                let _ = write!(text, "{name}: ");
            }
            text.push_str(&message.text.replace('\n', "\n  ").replace("\n  \n", "\n\n"));
            text.push('\n');
            for row in &message.buttons {
                let row: Vec<String> = row.iter().map(|(label, _)| format!("[{label}]")).collect();
                let _ = writeln!(text, "  {}", row.join(" "));
            }
        }
        for row in &self.keyboard {
            let row: Vec<String> = row.iter().map(|label| format!("[{label}]")).collect();
            let _ = writeln!(text, "⌨ {}", row.join(" "));
        }
        text
    }

    /// The bot's messages on the screen.
    pub fn of_bot(&self) -> Vec<&Posted> {
        self.messages.iter().filter(|m| m.from.is_none()).collect()
    }

    /// The texts of the bot's messages on the screen.
    pub fn texts(&self) -> Vec<&str> {
        self.of_bot().into_iter().map(|m| m.text.as_str()).collect()
    }

    /// The bot's last message.
    pub fn last(&self) -> &Posted {
        let last = self.messages.iter().rfind(|m| m.from.is_none());
        last.unwrap_or_else(|| panic!("the bot has said nothing:\n{}", self.transcript()))
    }
}

/// Someone who uses Telegram.
#[derive(Clone)]
pub struct Person {
    shared: Arc<Shared>,
    /// The numeric id.
    pub id: i64,
    /// The first name.
    pub name: String,
    chat: i64,
}

impl Person {
    /// The same person in a group.
    pub fn in_(&self, group: i64) -> Self {
        Self { chat: group, ..self.clone() }
    }

    /// Writes; the message's id.
    pub fn says(&self, text: &str) -> i64 {
        self.posts(text, json!({ "text": text }))
    }

    /// Replies to a message.
    pub fn replies(&self, to: i64, text: &str) -> i64 {
        let replied = self.lock().message_json(self.chat, to);
        self.posts(text, json!({ "text": text, "reply_to_message": replied }))
    }

    /// Changes a message of theirs.
    pub fn edits(&self, message: i64, text: &str) {
        let mut fake = self.lock();
        let now = fake.clock.now();
        let chat = fake.chats.get_mut(&self.chat).expect("a chat");
        let posted = chat.messages.iter_mut().find(|m| m.id == message).expect("a message");
        text.clone_into(&mut posted.text);
        let (mut base, _) = self.message(&fake, message, now);
        base["text"] = json!(text);
        base["edit_date"] = json!(now.millis() / 1_000);
        fake.push(json!({ "edited_message": base }));
        drop(fake);
        self.shared.changed.notify_waiters();
    }

    /// Shares their own number with the keyboard's button.
    pub fn shares_contact(&self, phone: &str) -> i64 {
        self.shares_contact_of(Some(self.id), phone, &self.name)
    }

    /// Shares a contact card of someone; `None`: the card has no id of Telegram.
    pub fn shares_contact_of(&self, id: Option<i64>, phone: &str, name: &str) -> i64 {
        self.posts(&format!("(контакт {phone})"), json!({ "contact": contact(id, phone, name) }))
    }

    /// Forwards their own contact card: it proves nothing.
    pub fn forwards_contact(&self, phone: &str) -> i64 {
        let origin = json!({ "type": "hidden_user", "sender_user_name": "кто-то", "date": 1 });
        let body = json!({ "contact": contact(Some(self.id), phone, &self.name), "forward_origin": origin });
        self.posts(&format!("(переслан контакт {phone})"), body)
    }

    /// Sends a file.
    pub fn sends_file(&self, name: &str, size: u64, caption: &str) -> i64 {
        let file = json!({ "file_id": format!("file-{name}"), "file_unique_id": name,
            "file_name": name, "file_size": size });
        self.posts(&format!("(файл {name})"), json!({ "document": file, "caption": caption }))
    }

    /// Replies to a message with a file.
    pub fn replies_with_file(&self, to: i64, name: &str) -> i64 {
        let replied = self.lock().message_json(self.chat, to);
        let file = json!({ "file_id": format!("file-{name}"), "file_unique_id": name,
            "file_name": name, "file_size": 10 });
        let body = json!({ "document": file, "reply_to_message": replied });
        self.posts(&format!("(файл {name})"), body)
    }

    /// Sends a file that holds this: it can be downloaded.
    pub fn sends_bytes(&self, name: &str, content: &[u8], caption: &str) -> i64 {
        let path = format!("documents/{name}");
        self.lock().files.insert(path, content.to_vec());
        self.sends_file(name, content.len() as u64, caption)
    }

    /// Sends a photo.
    pub fn sends_photo(&self, caption: &str) -> i64 {
        let photo = json!([{ "file_id": "p", "file_unique_id": "p", "width": 1, "height": 1,
            "file_size": 1 }]);
        self.posts("(фото)", json!({ "photo": photo, "caption": caption }))
    }

    /// Sends a voice message.
    pub fn sends_voice(&self) -> i64 {
        let voice = json!({ "file_id": "v", "file_unique_id": "v", "duration": 1, "file_size": 1,
            "mime_type": "audio/ogg" });
        self.posts("(голосовое)", json!({ "voice": voice }))
    }

    /// Sends a place.
    pub fn sends_place(&self) -> i64 {
        self.posts("(место)", json!({ "location": { "latitude": 59.9, "longitude": 30.3 } }))
    }

    /// Presses the newest button with this label, or sends the reply key with it.
    ///
    /// # Panics
    ///
    /// When there is no such button; the chat is shown.
    pub fn taps(&self, label: &str) {
        let fake = self.lock();
        let chat = fake.chats.get(&self.chat).expect("a chat");
        let found = chat.messages.iter().rev().find_map(|m| {
            let button = m.buttons.iter().flatten().find(|(l, _)| l == label)?;
            Some((m.id, button.1.clone()))
        });
        let key = chat.keyboard.iter().flatten().any(|l| l == label);
        let shown = chat.transcript();
        drop(fake);
        match found {
            Some((message, button)) => {
                let data = button["callback_data"].as_str();
                let data = data.unwrap_or_else(|| panic!("[{label}] is no callback: {button}"));
                self.taps_data(message, data);
            }
            None if key => {
                self.says(label);
            }
            None => panic!("there is no [{label}]:\n{shown}"),
        }
    }

    /// Presses a button with this data under this message, be it there or not.
    pub fn taps_data(&self, message: i64, data: &str) {
        let mut fake = self.lock();
        fake.next_tap += 1;
        let id = format!("tap{}", fake.next_tap);
        fake.taps.insert(id.clone(), Tap { chat: self.chat, answers: 0, toast: None });
        let mut shown = fake.message_json(self.chat, message);
        if shown.is_null() {
            // An inaccessible message has the date 0.
            shown = json!({ "message_id": message, "date": 0, "chat": fake.chat_json(self.chat) });
        }
        let tap = json!({ "id": id, "from": self.user(), "message": shown,
            "chat_instance": "1", "data": data });
        fake.push(json!({ "callback_query": tap }));
        drop(fake);
        self.shared.changed.notify_waiters();
    }

    /// Blocks the bot: sends are refused from now on.
    pub fn blocks_bot(&self) {
        self.membership(true);
    }

    /// Lets the bot in again.
    pub fn unblocks_bot(&self) {
        self.membership(false);
    }

    fn membership(&self, blocked: bool) {
        let mut fake = self.lock();
        fake.chats.get_mut(&self.chat).expect("a chat").blocked = blocked;
        let member = |status: &str| {
            let user = json!({ "id": BOT_ID, "is_bot": true, "first_name": "bot" });
            match status {
                "kicked" => json!({ "status": status, "user": user, "until_date": 0 }),
                _ => json!({ "status": status, "user": user }),
            }
        };
        let (old, new) = if blocked { ("member", "kicked") } else { ("kicked", "member") };
        let change = json!({ "chat": fake.chat_json(self.chat), "from": self.user(),
            "date": fake.clock.now().millis() / 1_000,
            "old_chat_member": member(old), "new_chat_member": member(new) });
        fake.push(json!({ "my_chat_member": change }));
        drop(fake);
        self.shared.changed.notify_waiters();
    }

    /// The last update comes once more under another id, as after a reconnect.
    pub fn repeats_last_update(&self) {
        let mut fake = self.lock();
        let mut update = fake.queue.back().expect("an update").update.clone();
        update.as_object_mut().expect("an object").remove("update_id");
        fake.push(update);
        drop(fake);
        self.shared.changed.notify_waiters();
    }

    fn posts(&self, shown: &str, content: Value) -> i64 {
        let mut fake = self.lock();
        fake.next_message += 1;
        let id = fake.next_message;
        let now = fake.clock.now();
        let (mut message, posted) = self.message(&fake, id, now);
        fake.chats.get_mut(&self.chat).expect("a chat").messages.push(Posted {
            text: shown.to_owned(),
            html: shown.to_owned(),
            ..posted
        });
        if let (Some(message), Value::Object(content)) = (message.as_object_mut(), content) {
            message.extend(content);
        }
        fake.push(json!({ "message": message }));
        drop(fake);
        self.shared.changed.notify_waiters();
        id
    }

    fn message(&self, fake: &Fake, id: i64, at: Timestamp) -> (Value, Posted) {
        let message = json!({ "message_id": id, "date": at.millis() / 1_000,
            "chat": fake.chat_json(self.chat), "from": self.user() });
        let posted = Posted {
            id,
            from: Some(self.name.clone()),
            text: String::new(),
            html: String::new(),
            buttons: Vec::new(),
            at,
            edits: 0,
        };
        (message, posted)
    }

    fn user(&self) -> Value {
        json!({ "id": self.id, "is_bot": false, "first_name": self.name })
    }

    fn lock(&self) -> MutexGuard<'_, Fake> {
        self.shared.state.lock().expect("the fake is sound")
    }
}

fn contact(id: Option<i64>, phone: &str, name: &str) -> Value {
    let mut contact = json!({ "phone_number": phone, "first_name": name });
    if let Some(id) = id {
        contact["user_id"] = json!(id);
    }
    contact
}

/// What a method comes to: its result, or status, description and parameters.
type Done = Result<Value, (u16, String, Value)>;

fn bad(description: &str) -> (u16, String, Value) {
    (400, format!("Bad Request: {description}"), Value::Null)
}

impl Fake {
    fn new() -> Self {
        Self {
            clock: Clock::system(),
            hold_polls: true,
            poll: 0,
            webhook: None,
            queue: VecDeque::new(),
            answers: VecDeque::new(),
            next_update: 1_000,
            next_message: 0,
            next_tap: 0,
            chats: BTreeMap::new(),
            taps: HashMap::new(),
            refusals: Vec::new(),
            calls: Vec::new(),
            violations: Vec::new(),
            commands: HashMap::new(),
            files: HashMap::new(),
        }
    }

    fn open(&mut self, id: i64, kind: &str, title: &str) {
        let chat = self.chats.entry(id).or_default();
        kind.clone_into(&mut chat.kind);
        title.clone_into(&mut chat.title);
    }

    fn push(&mut self, mut update: Value) {
        if let Some(update) = update.as_object_mut()
            && !update.contains_key("update_id")
        {
            update.insert("update_id".to_owned(), json!(self.next_update));
            self.next_update += 1;
        }
        self.queue.push_back(Queued { update, delivered: false });
    }

    fn refusal(&mut self, method: &str, params: &Value) -> Option<Refusal> {
        let chat = number(&params["chat_id"]);
        let polls = ["getUpdates", "getMe", "getWebhookInfo", "deleteWebhook"].contains(&method);
        let at = self.refusals.iter().position(|script| match (&script.method, script.chat) {
            (Some(wanted), _) => wanted == method,
            (None, Some(wanted)) => chat == Some(wanted),
            (None, None) => !polls,
        })?;
        let script = &mut self.refusals[at];
        let refusal = script.refusal.clone();
        script.times -= 1;
        if script.times == 0 {
            self.refusals.remove(at);
        }
        Some(refusal)
    }

    fn chat_json(&self, id: i64) -> Value {
        let chat = &self.chats[&id];
        if chat.kind == "private" {
            return json!({ "id": id, "type": "private", "first_name": chat.title });
        }
        json!({ "id": id, "type": chat.kind, "title": chat.title })
    }

    fn message_json(&self, chat: i64, id: i64) -> Value {
        let found = self.chats.get(&chat).and_then(|c| c.messages.iter().find(|m| m.id == id));
        let Some(message) = found else { return Value::Null };
        let from = match &message.from {
            None => json!({ "id": BOT_ID, "is_bot": true, "first_name": "Партнёр-М",
                "username": USERNAME }),
            Some(name) => json!({ "id": chat, "is_bot": false, "first_name": name }),
        };
        let rows = message.buttons.iter();
        let rows: Vec<Vec<&Value>> =
            rows.map(|row| row.iter().map(|(_, button)| button).collect()).collect();
        let mut json = json!({ "message_id": id, "date": message.at.millis() / 1_000,
            "chat": self.chat_json(chat), "from": from, "text": message.text });
        if !rows.is_empty() {
            json["reply_markup"] = json!({ "inline_keyboard": rows });
        }
        json
    }

    fn violation(&mut self, what: String) {
        self.violations.push(what);
    }

    fn writable(&mut self, params: &Value) -> Result<i64, (u16, String, Value)> {
        let id = number(&params["chat_id"]).ok_or_else(|| bad("chat_id is empty"))?;
        match self.chats.get(&id) {
            None => Err(bad("chat not found")),
            Some(chat) if chat.blocked => {
                Err((403, "Forbidden: bot was blocked by the user".to_owned(), Value::Null))
            }
            Some(_) => Ok(id),
        }
    }

    fn text(&mut self, params: &Value) -> Result<(String, String), (u16, String, Value)> {
        let sent = params["text"].as_str().unwrap_or_default().to_owned();
        let plain = if params["parse_mode"].as_str().is_some_and(|m| m.eq_ignore_ascii_case("html"))
        {
            match parse_html(&sent) {
                Ok(plain) => plain,
                Err(why) => {
                    self.violation(format!("bad HTML: {why}: {sent}"));
                    return Err(bad(&format!("can't parse entities: {why}")));
                }
            }
        } else {
            sent.clone()
        };
        if plain.trim().is_empty() {
            self.violation("an empty text".to_owned());
            return Err(bad("message text is empty"));
        }
        let units = plain.encode_utf16().count();
        if units > 4096 {
            self.violation(format!("a text of {units} units"));
            return Err(bad("message is too long"));
        }
        Ok((plain, sent))
    }

    #[expect(clippy::type_complexity, reason = "rows of labels and what they do")]
    fn buttons(
        &mut self,
        markup: &Value,
    ) -> Result<Vec<Vec<(String, Value)>>, (u16, String, Value)> {
        let none = Vec::new();
        let rows = markup["inline_keyboard"].as_array().unwrap_or(&none);
        let mut buttons = Vec::new();
        for row in rows {
            let mut shown = Vec::new();
            for button in row.as_array().unwrap_or(&none) {
                let label = button["text"].as_str().unwrap_or_default().to_owned();
                if label.trim().is_empty() {
                    self.violation("a button without a label".to_owned());
                    return Err(bad("can't parse inline keyboard button: text is empty"));
                }
                if let Some(data) = button["callback_data"].as_str()
                    && !(1..=64).contains(&data.len())
                {
                    self.violation(format!("callback data of {} bytes: {data}", data.len()));
                    return Err(bad("BUTTON_DATA_INVALID"));
                }
                shown.push((label, button.clone()));
            }
            buttons.push(shown);
        }
        let count = buttons.iter().map(Vec::len).sum::<usize>();
        if count > 100 {
            self.violation(format!("{count} buttons"));
            return Err(bad("reply markup is too long"));
        }
        Ok(buttons)
    }

    fn call(&mut self, method: &str, params: &Value) -> Done {
        match method {
            "getMe" => Ok(json!({ "id": BOT_ID, "is_bot": true, "first_name": "Партнёр-М",
                "username": USERNAME, "can_join_groups": true,
                "can_read_all_group_messages": false, "supports_inline_queries": false,
                "has_main_web_app": false })),
            "getWebhookInfo" => Ok(json!({ "url": self.webhook.clone().unwrap_or_default(),
                "has_custom_certificate": false, "pending_update_count": self.queue.len() })),
            "deleteWebhook" => {
                self.webhook = None;
                Ok(json!(true))
            }
            "sendMessage" => self.send_message(params),
            "editMessageText" => self.edit_message(params, true),
            "editMessageReplyMarkup" => self.edit_message(params, false),
            "deleteMessage" => self.delete_message(params),
            "answerCallbackQuery" => self.answer_tap(params),
            "sendChatAction" => {
                let id = self.writable(params)?;
                self.chats.get_mut(&id).expect("a chat").typing += 1;
                Ok(json!(true))
            }
            "getFile" => {
                let id = params["file_id"].as_str().unwrap_or_default().to_owned();
                let path = format!("documents/{}", id.trim_start_matches("file-"));
                let Some(content) = self.files.get(&path) else {
                    return Err(bad("wrong file_id or the file is temporarily unavailable"));
                };
                Ok(json!({ "file_id": id, "file_unique_id": id, "file_size": content.len(),
                    "file_path": path }))
            }
            "copyMessage" => {
                let id = self.writable(params)?;
                let from = number(&params["from_chat_id"]).unwrap_or_default();
                let message = number(&params["message_id"]).unwrap_or_default();
                let held = self.chats.get(&from).and_then(|chat| {
                    chat.messages.iter().find(|m| m.id == message).map(|m| m.text.clone())
                });
                let text = held.ok_or_else(|| bad("message to copy not found"))?;
                Ok(json!({ "message_id": self.post(id, &text) }))
            }
            "sendDocument" => {
                let id = self.writable(params)?;
                let caption = params["caption"].as_str().unwrap_or_default();
                if caption.encode_utf16().count() > 1024 {
                    self.violation("a long caption".to_owned());
                }
                let message = self.post(id, &format!("(файл) {caption}"));
                Ok(self.message_json(id, message))
            }
            "setMyCommands" => {
                let scope = parsed(&params["scope"]);
                let chat = number(&scope["chat_id"]).unwrap_or(0);
                let commands = parsed(&params["commands"]);
                let names = commands.as_array().into_iter().flatten();
                let names = names.filter_map(|c| c["command"].as_str().map(str::to_owned));
                self.commands.insert(chat, names.collect());
                Ok(json!(true))
            }
            _ => Err((404, "Not Found".to_owned(), Value::Null)),
        }
    }

    /// A message of the bot that is no text.
    fn post(&mut self, chat: i64, text: &str) -> i64 {
        self.next_message += 1;
        let (id, at) = (self.next_message, self.clock.now());
        let posted = Posted {
            id,
            from: None,
            text: text.to_owned(),
            html: text.to_owned(),
            buttons: Vec::new(),
            at,
            edits: 0,
        };
        self.chats.get_mut(&chat).expect("a chat").messages.push(posted);
        id
    }

    fn send_message(&mut self, params: &Value) -> Done {
        let id = self.writable(params)?;
        let (text, html) = self.text(params)?;
        let markup = parsed(&params["reply_markup"]);
        let buttons = self.buttons(&markup)?;
        self.next_message += 1;
        let message = self.next_message;
        let at = self.clock.now();
        let chat = self.chats.get_mut(&id).expect("a chat");
        if let Some(rows) = markup["keyboard"].as_array() {
            let labels = |row: &Value| {
                let keys = row.as_array().into_iter().flatten();
                keys.filter_map(|k| k["text"].as_str().map(str::to_owned)).collect()
            };
            chat.keyboard = rows.iter().map(labels).collect();
        }
        if markup["remove_keyboard"] == json!(true) {
            chat.keyboard.clear();
        }
        let posted = Posted { id: message, from: None, text, html, buttons, at, edits: 0 };
        chat.messages.push(posted);
        Ok(self.message_json(id, message))
    }

    fn edit_message(&mut self, params: &Value, with_text: bool) -> Done {
        let id = self.writable(params)?;
        let message = number(&params["message_id"]).unwrap_or(0);
        let new_text = if with_text { Some(self.text(params)?) } else { None };
        let buttons = self.buttons(&parsed(&params["reply_markup"]))?;
        let chat = self.chats.get_mut(&id).expect("a chat");
        let Some(posted) = chat.messages.iter_mut().find(|m| m.id == message) else {
            return Err(bad("message to edit not found"));
        };
        if posted.from.is_some() {
            return Err(bad("message can't be edited"));
        }
        let same_text = new_text.as_ref().is_none_or(|(_, html)| *html == posted.html);
        if same_text && posted.buttons == buttons {
            return Err(bad(
                "message is not modified: specified new message content and reply markup are \
                 exactly the same as a current content and reply markup of the message",
            ));
        }
        if let Some((text, html)) = new_text {
            posted.text = text;
            posted.html = html;
        }
        posted.buttons = buttons;
        posted.edits += 1;
        Ok(self.message_json(id, message))
    }

    fn delete_message(&mut self, params: &Value) -> Done {
        let id = self.writable(params)?;
        let message = number(&params["message_id"]).unwrap_or(0);
        let now = self.clock.now();
        let chat = self.chats.get_mut(&id).expect("a chat");
        let Some(at) = chat.messages.iter().position(|m| m.id == message) else {
            return Err(bad("message to delete not found"));
        };
        if now.since(chat.messages[at].at) > DELETABLE {
            return Err(bad("message can't be deleted for everyone"));
        }
        chat.messages.remove(at);
        Ok(json!(true))
    }

    fn answer_tap(&mut self, params: &Value) -> Done {
        let id = params["callback_query_id"].as_str().unwrap_or_default().to_owned();
        let toast = params["text"].as_str().map(str::to_owned);
        if toast.as_ref().is_some_and(|t| t.chars().count() > 200) {
            self.violation("a toast of over 200 characters".to_owned());
            return Err(bad("MESSAGE_TOO_LONG"));
        }
        let Some(tap) = self.taps.get_mut(&id) else {
            return Err(bad(
                "query is too old and response timeout expired or query ID is invalid",
            ));
        };
        tap.answers += 1;
        tap.toast = toast;
        Ok(json!(true))
    }
}

const METHODS: &[&str] = &[
    "getMe",
    "getUpdates",
    "getWebhookInfo",
    "deleteWebhook",
    "sendMessage",
    "editMessageText",
    "editMessageReplyMarkup",
    "deleteMessage",
    "answerCallbackQuery",
    "sendChatAction",
    "setMyCommands",
    "getFile",
    "copyMessage",
    "sendDocument",
];

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    if let Some(path) = path.split_once(&format!("/file/bot{TOKEN}/")).map(|(_, path)| path) {
        let fake = shared.state.lock().expect("the fake is sound");
        let held = percent(path).and_then(|path| fake.files.get(&path).cloned());
        return held
            .map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response);
    }
    // The last two: it may stand behind a path.
    let (rest, method) = path.rsplit_once('/').unwrap_or_default();
    let bot = rest.rsplit('/').next().unwrap_or_default();
    let known = METHODS.iter().find(|m| m.eq_ignore_ascii_case(method));
    let method = known.map_or_else(|| method.to_owned(), |m| (*m).to_owned());
    let mut params = form(&query);
    params.extend(body(request).await);
    let params = Value::Object(params);
    if bot != format!("bot{TOKEN}") {
        return answer(Err((401, "Unauthorized".to_owned(), Value::Null)));
    }
    let refusal = {
        let mut fake = shared.state.lock().expect("the fake is sound");
        fake.refusal(&method, &params)
    };
    let done = match &refusal {
        None | Some(Refusal::CutAfter) if method == "getUpdates" => poll(&shared, &params).await,
        None | Some(Refusal::CutAfter) => {
            let mut fake = shared.state.lock().expect("the fake is sound");
            fake.call(&method, &params).map(Answer::Result)
        }
        Some(Refusal::Answer { status, description, parameters }) => {
            Err((*status, description.clone(), parameters.clone()))
        }
        Some(_) => Err((0, String::new(), Value::Null)),
    };
    {
        let mut fake = shared.state.lock().expect("the fake is sound");
        let at = fake.clock.now();
        fake.calls.push(Call { method, params, at, ok: done.is_ok() && refusal.is_none() });
    }
    shared.changed.notify_waiters();
    match refusal {
        Some(Refusal::Cut | Refusal::CutAfter) => cut(),
        Some(Refusal::Page { status, body }) => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, [(header::CONTENT_TYPE, "text/html")], body).into_response()
        }
        _ => match done {
            Ok(Answer::Text(text)) => text.into_response(),
            Ok(Answer::Result(result)) => answer(Ok(result)),
            Err(refused) => answer(Err(refused)),
        },
    }
}

enum Answer {
    Result(Value),
    Text(String),
}

async fn poll(shared: &Shared, params: &Value) -> Result<Answer, (u16, String, Value)> {
    let offset = number(&params["offset"]);
    let limit = number(&params["limit"]).and_then(|n| usize::try_from(n).ok()).unwrap_or(100);
    let seconds = number(&params["timeout"]).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(seconds);
    let mine = {
        let mut fake = shared.state.lock().expect("the fake is sound");
        if fake.webhook.is_some() {
            let why = "Conflict: can't use getUpdates method while webhook is active; use \
                deleteWebhook to delete the webhook first";
            return Err((409, why.to_owned(), Value::Null));
        }
        if params["allowed_updates"].is_null() {
            fake.violation("getUpdates without allowed_updates".to_owned());
        }
        fake.poll += 1;
        shared.changed.notify_waiters();
        if let Some(offset) = offset {
            // Only what was delivered can be confirmed: ids may start anew below it.
            let confirmed = |q: &Queued| {
                q.delivered && number(&q.update["update_id"]).is_none_or(|id| id < offset)
            };
            while fake.queue.front().is_some_and(confirmed) {
                fake.queue.pop_front();
            }
        }
        fake.poll
    };
    loop {
        let mut changed = std::pin::pin!(shared.changed.notified());
        changed.as_mut().enable();
        {
            let mut fake = shared.state.lock().expect("the fake is sound");
            if fake.poll != mine {
                let Refusal::Answer { status, description, .. } = Refusal::conflict() else {
                    unreachable!()
                };
                return Err((status, description, Value::Null));
            }
            if let Some(text) = fake.answers.pop_front() {
                return Ok(Answer::Text(text));
            }
            let hold = fake.hold_polls;
            let updates: Vec<Value> = fake
                .queue
                .iter_mut()
                .take(limit)
                .map(|queued| {
                    queued.delivered = true;
                    queued.update.clone()
                })
                .collect();
            if !updates.is_empty() || !hold || tokio::time::Instant::now() >= deadline {
                return Ok(Answer::Result(Value::Array(updates)));
            }
        }
        let _ = tokio::time::timeout_at(deadline, changed).await;
    }
}

fn answer(done: Done) -> Response {
    let (status, body) = match done {
        Ok(result) => (200, json!({ "ok": true, "result": result })),
        Err((status, description, parameters)) => {
            let mut body = json!({ "ok": false, "error_code": status, "description": description });
            if !parameters.is_null() {
                body["parameters"] = parameters;
            }
            (status, body)
        }
    };
    let status = StatusCode::from_u16(status).expect("a status");
    (status, axum::Json(body)).into_response()
}

/// Headers, and then the connection breaks.
fn cut() -> Response {
    let broken = std::io::Error::other("cut");
    let body = tokio_stream::iter([Ok(Bytes::from_static(b"{\"ok\":")), Err(broken)]);
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(body)).into_response()
}

async fn body(request: Request) -> Map<String, Value> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let kind = kind.unwrap_or_default().to_owned();
    if kind.starts_with("multipart/") {
        let mut multipart = Multipart::from_request(request, &()).await.expect("a form");
        let mut fields = Map::new();
        while let Some(field) = multipart.next_field().await.expect("a field") {
            let name = field.name().unwrap_or_default().to_owned();
            if let Some(file_name) = field.file_name() {
                fields.insert("file_name".to_owned(), Value::String(file_name.to_owned()));
            }
            let value = String::from_utf8_lossy(&field.bytes().await.expect("bytes")).into_owned();
            fields.insert(name, Value::String(value));
        }
        return fields;
    }
    let bytes = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") {
        return form(&String::from_utf8_lossy(&bytes));
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// The path without its percents.
fn percent(path: &str) -> Option<String> {
    form(&format!("p={}", path.replace('+', "%2B"))).get("p")?.as_str().map(str::to_owned)
}

fn form(text: &str) -> Map<String, Value> {
    let url = reqwest::Url::parse(&format!("http://x/?{text}")).expect("a query");
    url.query_pairs().map(|(k, v)| (k.into_owned(), Value::String(v.into_owned()))).collect()
}

/// A number, be it written as one or as a text of a form.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// An object, be it one or the text of one in a form.
fn parsed(value: &Value) -> Value {
    let text = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    text.unwrap_or_else(|| value.clone())
}

/// The text without its marks, or what the server would not read.
///
/// Source: Bot API, HTML style <https://core.telegram.org/bots/api#html-style>.
fn parse_html(html: &str) -> Result<String, String> {
    const TAGS: &[&str] =
        &["b", "strong", "i", "em", "u", "s", "code", "pre", "a", "blockquote", "tg-spoiler"];
    let mut plain = String::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('&') {
            let end = rest.find(';').filter(|end| *end <= 8).ok_or("a bare &")?;
            plain.push(match &rest[..=end] {
                "&lt;" => '<',
                "&gt;" => '>',
                "&amp;" => '&',
                "&quot;" => '"',
                other => return Err(format!("unknown entity {other}")),
            });
            rest = &rest[end + 1..];
            continue;
        }
        let end = rest.find('>').ok_or("unclosed start tag")?;
        let tag = &rest[1..end];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("unexpected end tag {name}"));
            }
        } else {
            let name = tag.split(' ').next().unwrap_or_default();
            if !TAGS.contains(&name) {
                return Err(format!("unsupported start tag \"{name}\""));
            }
            open.push(name.to_owned());
        }
        rest = &rest[end + 1..];
    }
    if let Some(name) = open.pop() {
        return Err(format!("can't find end tag corresponding to start tag {name}"));
    }
    plain.push_str(rest);
    Ok(plain)
}
