//! The door of Telegram with a handler that only echoes: the real loop, worker and courier, the
//! real teloxide client, a fake Bot API.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use partner_m::chat::action::Action;
use partner_m::chat::worker::{ChatError, Handler, Handling, Turn, Worker};
use partner_m::chat::{Button, Event, EventKind, Screen};
use partner_m::config::Config;
use partner_m::domain::{ChatKey, Clock, OrderId, Timestamp, Zone};
use partner_m::formats::html::Html;
use partner_m::services::Base;
use partner_m::services::bot_status::{BotState, BotStatus};
use partner_m::services::conversations::Conversations;
use partner_m::services::courier::{Courier, TELEGRAM};
use partner_m::services::files::Files;
use partner_m::services::live::Live;
use partner_m::services::notifications::{
    self, Composer, Message, Notice, Outgoing, Place, ReplyKey, ReplyKeyboard, Sending,
};
use partner_m::storage::db::Create;
use partner_m::storage::{Db, StorageError};
use partner_m::tasks::Tasks;
use partner_m::telegram::polling::Next;
use partner_m::telegram::{Polling, TelegramMessenger, bot};
use serde_json::json;

use crate::support::bot_api::{BotApi, Refusal, TOKEN};
use crate::support::logs::Logs;

const START: Timestamp = Timestamp::from_millis(1_795_680_000_000);
const ANNA: i64 = 7;
const BORIS: i64 = 8;
const MANAGERS: i64 = -100_500;

/// Echoes, and does what a few magic words say.
#[derive(Default)]
struct Echo {
    heard: Mutex<Vec<(ChatKey, String)>>,
}

impl Handler for Echo {
    fn handle<'a>(&'a self, event: &'a Event, state: Option<String>) -> Handling<'a> {
        Box::pin(async move {
            let turns = state.map_or(Ok(0), |state| state.parse::<u32>())? + 1;
            Ok(Turn { state: Some(turns.to_string()), out: self.answer(event, turns)? })
        })
    }
}

impl Echo {
    fn answer(&self, event: &Event, turns: u32) -> Result<Vec<Outgoing>, ChatError> {
        let seen = match &event.kind {
            EventKind::Text { text, .. } => text.clone(),
            EventKind::Pressed { data, .. } => data.clone(),
            other => format!("{other:?}"),
        };
        self.heard.lock().expect("sound").push((event.chat.clone(), seen));
        let say = |text: String| vec![Screen::text(text).send()];
        Ok(match &event.kind {
            EventKind::Text { text, .. } => match text.split_once(' ').unwrap_or((text, "")) {
                ("паника", _) => panic!("as asked"),
                ("ошибка", _) => return Err(ChatError::new("as asked")),
                ("кнопки", _) => {
                    let rows = Screen::text("Кнопки").row([
                        Button::new("Меню", Action::Menu),
                        Button::link("Сайт", "https://example.com/"),
                    ]);
                    vec![rows.send()]
                }
                ("карточка", rest) => vec![Screen::text(rest).in_place("card")],
                ("ниже", rest) => vec![Screen::text(rest).below("card")],
                ("убери", _) => vec![Outgoing::Remove { slot: "card".to_owned() }],
                ("который", _) => say(format!("ход {turns}")),
                _ => say(format!("Эхо: {text}")),
            },
            EventKind::Edited { text, .. } => say(format!("Исправлено: {text}")),
            EventKind::Pressed { data, callback_id, .. } if data.starts_with("menu") => {
                vec![Outgoing::Answer {
                    callback_id: callback_id.clone(),
                    text: Some(format!("Нажато: {data}")),
                    alert: false,
                }]
            }
            EventKind::Pressed { .. } => say("Кнопка устарела".to_owned()),
            EventKind::Contact { phone, own, .. } => {
                say(format!("{} номер {phone}", if *own { "Свой" } else { "Чужой" }))
            }
            EventKind::File { file, caption, .. } => {
                say(format!("Файл {} в {} байт: {caption}", file.name, file.size))
            }
            EventKind::Media { media, caption, .. } => say(format!("{media:?} «{caption}»")),
            EventKind::Blocked { .. } => Vec::new(),
        })
    }

    fn heard_in(&self, chat: i64) -> Vec<String> {
        let heard = self.heard.lock().expect("sound");
        let of_chat = heard.iter().filter(|(key, _)| *key == ChatKey::Telegram(chat));
        of_chat.map(|(_, text)| text.clone()).collect()
    }
}

/// Says an order's notice in two messages.
struct Words;

impl Composer for Words {
    fn compose<'a>(
        &'a self,
        _chat: &'a ChatKey,
        notice: &'a Notice,
    ) -> Sending<'a, Result<Vec<Outgoing>, String>> {
        Box::pin(async move {
            Ok(match notice {
                Notice::OrderStatus { order, .. } => vec![
                    Screen::text(format!("Заявка {order}")).send(),
                    Screen::text("Подробности").send(),
                ],
                Notice::StaffOrder { .. } => panic!("as asked"),
                Notice::Text(message) => vec![Outgoing::Show {
                    slot: None,
                    place: Place::Below,
                    message: message.clone(),
                }],
                _ => Vec::new(),
            })
        })
    }
}

/// The door on a throw-away database.
struct Door {
    bot_api: BotApi,
    base: Base,
    clock: Clock,
    echo: Arc<Echo>,
    status: BotStatus,
    polling: Polling,
    worker: Arc<Worker>,
    courier: Arc<Courier>,
    conversations: Conversations,
    folder: tempfile::TempDir,
}

impl Door {
    async fn open() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        let bot_api = BotApi::start().await;
        let clock = Clock::manual(START);
        bot_api.set_clock(clock.clone());
        bot_api.hold_polls(false);
        let mut config = Config { telegram: bot_api.settings(), ..Config::default() };
        adjust(&mut config);
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self::on(bot_api, clock, config, folder)
    }

    fn on(bot_api: BotApi, clock: Clock, config: Config, folder: tempfile::TempDir) -> Self {
        let db = Db::open(&folder.path().join("partner-m.db"), Create::Yes).expect("opens");
        let bot = bot(&config.telegram).expect("settings").expect("a token");
        let base = Base {
            db,
            clock: clock.clone(),
            zone: Zone::utc(),
            config: config.into(),
            live: Live::default(),
        };
        let echo = Arc::new(Echo::default());
        let status = BotStatus::default();
        let courier = Courier::new(base.clone(), Arc::new(Words));
        let messenger = TelegramMessenger::new(bot.clone(), Files::new(base.clone()));
        courier.register(TELEGRAM, Arc::new(messenger));
        Self {
            polling: Polling::new(bot, base.clone(), status.clone()),
            worker: Worker::new(&base, echo.clone()),
            conversations: Conversations::new(base.clone()),
            bot_api,
            base,
            clock,
            echo,
            status,
            courier,
            folder,
        }
    }

    /// The process ends and another begins on the same data.
    fn restart(self) -> Self {
        let config = (*self.base.config).clone();
        Self::on(self.bot_api, self.clock, config, self.folder)
    }

    /// Hears everything and acknowledges it.
    async fn hear(&mut self) {
        loop {
            assert_eq!(self.polling.poll_once().await, Next::AtOnce, "{:?}", self.status.report());
            if self.bot_api.unacknowledged() == 0 {
                return;
            }
        }
    }

    /// Hears, answers and says everything that may be said now.
    async fn turn(&mut self) {
        self.hear().await;
        self.worker.run_pending().await;
        self.courier.run_due().await;
    }

    /// Lets the time pass in small steps, saying what may be said.
    async fn pass(&self, time: Duration, step: Duration) {
        let mut passed = Duration::ZERO;
        while passed < time {
            self.clock.advance(step);
            passed += step;
            self.courier.run_due().await;
        }
    }

    async fn queue(&self, chat: i64, outgoing: Outgoing) {
        self.conversations.say(ChatKey::Telegram(chat), vec![outgoing]).await.expect("queued");
    }

    /// State and error of the chat's rows in the outbox.
    fn outbox(&self, chat: i64) -> Vec<(String, String)> {
        let read = |conn: &rusqlite::Connection| {
            let mut stmt =
                conn.prepare("select state, error from outbox where chat_key = ?1 order by id")?;
            let rows =
                stmt.query_map([format!("tg:{chat}")], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok::<_, StorageError>(rows.collect::<Result<_, _>>()?)
        };
        self.base.db.read_blocking(read).expect("a read")
    }

    fn is_blocked(&self, chat: i64) -> bool {
        let read = |conn: &rusqlite::Connection| {
            let blocked = conn.query_row(
                "select count(*) from chats where key = ?1 and blocked_at_ms is not null",
                [format!("tg:{chat}")],
                |row| row.get::<_, i64>(0),
            );
            Ok::<_, StorageError>(blocked? == 1)
        };
        self.base.db.read_blocking(read).expect("a read")
    }

    fn sql(&self, sql: &str) {
        let write = |tx: &rusqlite::Transaction<'_>| {
            tx.execute_batch(sql)?;
            Ok::<_, StorageError>(())
        };
        self.base.db.write_blocking(write).expect("a write");
    }

    async fn inbox(&self) -> (i64, i64) {
        self.conversations.count().await.expect("a count")
    }
}

fn say(text: &str) -> Outgoing {
    Screen::text(text).send()
}

// Hearing --------------------------------------------------------------------------------------

#[tokio::test]
async fn what_a_person_writes_is_answered_through_a_long_poll() {
    let door = Door::open().await;
    door.bot_api.hold_polls(true);
    let anna = door.bot_api.user(ANNA, "Анна");
    let tasks = Tasks::new();
    let (worker, courier) = (door.worker.clone(), door.courier.clone());
    tasks.spawn("worker", move |stop| worker.clone().run(stop));
    tasks.spawn("courier", move |stop| courier.clone().run(stop));
    let started = partner_m::telegram::start(&door.base, &tasks, &door.courier, &door.status);
    assert!(started.expect("good settings"), "there is a token");

    anna.says("привет");
    door.bot_api.wait_for(ANNA, |chat| chat.texts() == ["Эхо: привет"]).await;
    anna.says("ещё раз");
    door.bot_api.wait_for(ANNA, |chat| chat.texts().len() == 2).await;

    assert!(tasks.stop(Duration::from_secs(10)).await, "all tasks end in time");
    assert_eq!(door.status.report().state, BotState::Ok);
    assert_eq!(door.status.report().username.as_deref(), Some("partner_m_bot"));
    let polls = door.bot_api.calls_of("getUpdates");
    assert!(polls.len() <= 5, "polls are held, {} came", polls.len());
    for poll in polls {
        assert_eq!(poll.params["timeout"], json!(10));
        let kinds = ["message", "edited_message", "callback_query", "my_chat_member"];
        assert_eq!(poll.params["allowed_updates"], json!(kinds));
    }
    insta::assert_snapshot!(door.bot_api.chat(ANNA).transcript(), @r"
    > привет
    < Эхо: привет
    > ещё раз
    < Эхо: ещё раз
    ");
    door.bot_api.assert_tidy();
}

#[tokio::test]
async fn an_update_is_acknowledged_only_once_it_is_stored() {
    let mut door = Door::open().await;
    door.bot_api.user(ANNA, "Анна").says("привет");
    door.polling.poll_once().await;
    assert_eq!(door.inbox().await.0, 1);
    assert_eq!(door.bot_api.unacknowledged(), 1, "not before the next call");
    door.polling.poll_once().await;
    assert_eq!(door.bot_api.unacknowledged(), 0);
}

#[tokio::test]
async fn an_update_that_cannot_be_stored_waits_at_telegram() {
    let mut door = Door::open().await;
    door.bot_api.user(ANNA, "Анна").says("привет");
    door.sql("create trigger full before insert on inbox begin select raise(abort, 'full'); end");
    for _ in 0..3 {
        assert!(matches!(door.polling.poll_once().await, Next::After(_)));
        assert_eq!(door.bot_api.unacknowledged(), 1);
    }
    door.sql("drop trigger full");
    door.turn().await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["Эхо: привет"]);
}

#[tokio::test]
async fn a_restart_between_storing_and_handling_loses_nothing() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    anna.says("раз");
    door.polling.poll_once().await; // stored, not acknowledged
    let mut door = door.restart();
    anna.says("два");
    door.turn().await;
    assert_eq!(door.echo.heard_in(ANNA), ["раз", "два"]);
    let mut door = door.restart();
    door.turn().await;
    assert_eq!(door.echo.heard_in(ANNA), [""; 0]);
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["Эхо: раз", "Эхо: два"]);
}

#[tokio::test]
async fn an_update_that_comes_twice_is_handled_once() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    door.bot_api.next_update_id(500);
    anna.says("раз");
    door.turn().await;
    door.bot_api.next_update_id(500);
    anna.says("раз");
    door.turn().await;
    assert_eq!(door.echo.heard_in(ANNA), ["раз"]);
}

#[tokio::test]
async fn ids_that_start_anew_skip_nothing() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    door.bot_api.next_update_id(900_000);
    anna.says("раз");
    door.turn().await;
    door.bot_api.next_update_id(17);
    anna.says("два");
    anna.says("три");
    door.turn().await;
    assert_eq!(door.echo.heard_in(ANNA), ["раз", "два", "три"]);
}

#[tokio::test]
async fn a_thousand_updates_over_fifty_chats_are_handled_in_order_each_once() {
    let mut door = Door::open().await;
    let people: Vec<_> = (1..=50).map(|id| door.bot_api.user(id, "Кто-то")).collect();
    for n in 0..20 {
        for person in &people {
            person.says(&n.to_string());
        }
    }
    door.hear().await;
    door.worker.run_pending().await;
    let expected: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    for person in &people {
        assert_eq!(door.echo.heard_in(person.id), expected);
    }
    assert_eq!(door.inbox().await, (0, 0));
    door.pass(Duration::from_mins(2), Duration::from_secs(1)).await;
    for person in &people {
        let echoes: Vec<String> = (0..20).map(|n| format!("Эхо: {n}")).collect();
        assert_eq!(door.bot_api.chat(person.id).texts(), echoes);
    }
    door.bot_api.assert_tidy();
}

#[tokio::test]
async fn poison_updates_are_set_aside_and_the_bot_goes_on() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    anna.says("до");
    door.bot_api.push(json!({ "message": { "chat": { "id": ANNA }, "text": "без полей" } }));
    door.bot_api.push(json!({ "mind_reading": { "thought": "!" } }));
    door.bot_api.push(json!({ "message": "мусор" }));
    anna.says("после");
    door.turn().await;
    assert_eq!(door.echo.heard_in(ANNA), ["до", "после"]);
    assert_eq!(door.inbox().await, (0, 3), "three lie aside for people to look at");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_as_a_whole_does_not_stop_the_bot() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    anna.says("до");
    door.turn().await;
    // One update has no id: teloxide reads nothing of this answer.
    door.bot_api.answer_poll_with(
        r#"{"ok":true,"result":[{"message":{}},{"update_id":1001,"message":{"message_id":5,"date":1,
        "chat":{"id":7,"type":"private","first_name":"Анна"},
        "from":{"id":7,"is_bot":false,"first_name":"Анна"},"text":"вместе"}}]}"#,
    );
    door.polling.poll_once().await;
    // Broken off in the middle, twice: one update is let go.
    door.bot_api.answer_poll_with(r#"{"ok":true,"result":[{"update_id":1002,"mess"#);
    door.bot_api.answer_poll_with(r#"{"ok":true,"result":[{"update_id":1002,"mess"#);
    assert!(matches!(door.polling.poll_once().await, Next::After(_)));
    assert_eq!(door.polling.poll_once().await, Next::AtOnce);
    let polls = door.bot_api.calls_of("getUpdates");
    assert_eq!(polls.last().expect("a poll").params["limit"], json!(1));
    // A proxy's page is no answer of Telegram's at all: nothing is skipped.
    door.bot_api.answer_poll_with("<html>вход в сеть</html>");
    assert!(matches!(door.polling.poll_once().await, Next::After(_)));
    door.bot_api.next_update_id(1_003);
    anna.says("после");
    door.turn().await;
    assert_eq!(door.echo.heard_in(ANNA), ["до", "вместе", "после"]);
}

#[tokio::test]
async fn a_webhook_left_by_another_program_is_taken_away() {
    let mut door = Door::open().await;
    door.bot_api.set_webhook("https://old.example/hook");
    let anna = door.bot_api.user(ANNA, "Анна");
    anna.says("раз");
    door.turn().await;
    assert_eq!(door.bot_api.webhook(), None);
    assert_eq!(door.bot_api.calls_of("deleteWebhook").len(), 1);
    // The other program sets it again while we run.
    door.bot_api.set_webhook("https://old.example/hook");
    anna.says("два");
    assert!(matches!(door.polling.poll_once().await, Next::After(_)));
    door.turn().await;
    assert_eq!(door.echo.heard_in(ANNA), ["раз", "два"]);
    assert_eq!(door.bot_api.calls_of("deleteWebhook").len(), 2);
}

#[tokio::test]
async fn each_trouble_of_the_loop_has_its_state_and_its_pause() {
    let cases = [
        (Refusal::conflict(), BotState::Conflict, Some(10..11)),
        (Refusal::too_many(7), BotState::Offline, Some(7..8)),
        (Refusal::Cut, BotState::Offline, Some(1..3)),
        (Refusal::Page { status: 200, body: "<html>".to_owned() }, BotState::Offline, Some(1..3)),
        (Refusal::error(404, "Not Found"), BotState::Refused, None),
        (Refusal::unauthorized(), BotState::Refused, None),
    ];
    for (refusal, state, pause) in cases {
        let mut door = Door::open().await;
        door.bot_api.user(ANNA, "Анна").says("привет");
        door.bot_api.refuse("getUpdates", 1, refusal.clone());
        let next = door.polling.poll_once().await;
        assert_eq!(door.status.report().state, state, "{refusal:?}");
        match (next, pause) {
            (Next::After(wait), Some(pause)) => {
                assert!(pause.contains(&wait.as_secs()), "{refusal:?} waits {wait:?}");
                door.turn().await;
                assert_eq!(door.status.report().state, BotState::Ok);
                assert_eq!(door.bot_api.chat(ANNA).texts(), ["Эхо: привет"]);
            }
            (Next::Never, None) => {}
            (next, _) => panic!("{refusal:?} came to {next:?}"),
        }
    }
}

#[tokio::test]
async fn a_wrong_token_stops_only_the_polling() {
    let mut door = Door::with(|config| {
        config.telegram.bot_token = Some(partner_m::domain::Secret::new("1:wrong"));
    })
    .await;
    assert_eq!(door.polling.poll_once().await, Next::Never);
    assert_eq!(door.status.report().state, BotState::Refused);
    // What is to be said waits for a right token.
    door.bot_api.user(ANNA, "Анна");
    door.queue(ANNA, say("привет")).await;
    door.courier.run_due().await;
    assert_eq!(door.outbox(ANNA)[0].0, "queued");
}

#[tokio::test]
async fn an_hour_of_outage_is_patient_and_ends_within_one_back_off() {
    let mut door = Door::open().await;
    door.bot_api.user(ANNA, "Анна").says("привет");
    door.bot_api.refuse("getMe", 1_000, Refusal::Cut);
    let (log, listening) = Logs::keep();
    let mut tries = 0;
    let start = door.clock.now();
    while door.clock.now().since(start) < Duration::from_hours(1) {
        let Next::After(wait) = door.polling.poll_once().await else { panic!("it is out") };
        assert!(wait <= Duration::from_secs(75), "waits {wait:?}");
        door.clock.advance(wait);
        tries += 1;
    }
    assert!((50..=70).contains(&tries), "{tries} tries");
    assert_eq!(door.status.report().state, BotState::Offline);
    assert!(door.status.report().since.expect("a moment") <= start.plus(Duration::from_secs(1)));
    door.bot_api.relent();
    door.turn().await;
    assert_eq!(door.status.report().state, BotState::Ok);
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["Эхо: привет"]);
    drop(listening);
    let log = log.text();
    let ours: Vec<&str> = log.lines().filter(|line| line.contains("partner_m")).collect();
    assert_eq!(ours.len(), 2, "out, and back: {ours:#?}");
}

#[tokio::test]
async fn the_token_and_peoples_words_are_in_no_log_and_no_error() {
    // Behind a path teloxide itself would show the token in a network error.
    let mut door = Door::with(|config| {
        let url = config.telegram.api_url.clone().expect("an address");
        config.telegram.api_url = Some(format!("{url}/behind/a/path/"));
    })
    .await;
    let (log, listening) = Logs::keep();
    let anna = door.bot_api.user(ANNA, "Анна-Секретная");
    door.bot_api.answer_poll_with("тайные слова не JSON");
    assert!(matches!(door.polling.poll_once().await, Next::After(_)));
    anna.says("паника тайные слова");
    anna.says("тайные слова");
    anna.shares_contact("+79990001122");
    door.bot_api.push(json!({ "message": { "text": "тайные слова" } }));
    door.turn().await;
    for refusal in [Refusal::Cut, Refusal::error(400, "Bad Request: no"), Refusal::blocked()] {
        door.bot_api.refuse_next(refusal);
        door.queue(ANNA, say("тайные слова")).await;
        door.pass(Duration::from_secs(3), Duration::from_secs(1)).await;
    }
    door.bot_api.refuse("getUpdates", 1, Refusal::Cut);
    assert!(matches!(door.polling.poll_once().await, Next::After(_)));
    drop(listening);
    let mut told = log.text();
    for (_, error) in door.outbox(ANNA) {
        told.push_str(&error);
    }
    assert!(told.contains("отложено насовсем") && told.contains("отклонено"), "{told}");
    for secret in [TOKEN, "AAF0", "тайные", "Секретная", "79990001122"] {
        assert!(!told.contains(secret), "{secret} is in:\n{told}");
    }
}

// What comes in --------------------------------------------------------------------------------

#[tokio::test]
async fn every_kind_of_message_is_understood() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    let first = anna.says("молоко");
    anna.edits(first, "кефир");
    anna.replies(first, "и хлеб");
    anna.sends_file("список.xlsx", 2_048, "вот");
    anna.sends_photo("смотрите");
    anna.sends_voice();
    anna.sends_place();
    door.turn().await;
    door.pass(Duration::from_secs(10), Duration::from_secs(1)).await;
    insta::assert_snapshot!(door.bot_api.chat(ANNA).transcript(), @r"
    > кефир
    > и хлеб
    > (файл список.xlsx)
    > (фото)
    > (голосовое)
    > (место)
    < Эхо: молоко
    < Исправлено: кефир
    < Эхо: и хлеб
    < Файл список.xlsx в 2048 байт: вот
    < Photo «смотрите»
    < Voice «»
    < Other «»
    ");
    door.bot_api.assert_tidy();
}

#[tokio::test]
async fn only_ones_own_contact_in_private_is_vouched_for() {
    let mut door = Door::with(|config| config.telegram.managers_chat = Some(MANAGERS)).await;
    let anna = door.bot_api.user(ANNA, "Анна");
    door.bot_api.group(MANAGERS, "Менеджеры");
    let phone = "+79000000001";
    anna.shares_contact(phone);
    anna.shares_contact_of(Some(BORIS), phone, "Борис");
    anna.shares_contact_of(None, phone, "Никто");
    anna.forwards_contact(phone);
    anna.in_(MANAGERS).shares_contact(phone);
    door.turn().await;
    door.pass(Duration::from_secs(5), Duration::from_secs(1)).await;
    let texts = ["Свой", "Чужой", "Чужой", "Чужой"].map(|whose| format!("{whose} номер {phone}"));
    assert_eq!(door.bot_api.chat(ANNA).texts(), texts);
    assert_eq!(door.bot_api.chat(MANAGERS).texts(), [format!("Чужой номер {phone}")]);
}

#[tokio::test]
async fn in_groups_the_bot_hears_only_the_managers_chat() {
    let mut door = Door::with(|config| config.telegram.managers_chat = Some(MANAGERS)).await;
    let anna = door.bot_api.user(ANNA, "Анна");
    let other = door.bot_api.group(-100_501, "Соседи");
    door.bot_api.group(MANAGERS, "Менеджеры");
    anna.in_(other).says("слышно?");
    anna.in_(MANAGERS).says("слышно?");
    door.turn().await;
    assert_eq!(door.bot_api.chat(other).texts(), [""; 0]);
    assert_eq!(door.bot_api.chat(MANAGERS).texts(), ["Эхо: слышно?"]);
}

#[tokio::test]
async fn a_managers_chat_that_becomes_a_supergroup_stays_the_managers_chat() {
    let mut door = Door::with(|config| config.telegram.managers_chat = Some(-5)).await;
    let anna = door.bot_api.user(ANNA, "Анна");
    door.bot_api.group(-5, "Менеджеры");
    door.bot_api.group(MANAGERS, "Менеджеры");
    // First the courier learns of it, from a refusal.
    door.queue(-5, say("Новая заявка")).await;
    door.bot_api.refuse_chat(-5, 1, Refusal::moved(MANAGERS));
    door.courier.run_due().await;
    assert_eq!(door.bot_api.chat(MANAGERS).texts(), ["Новая заявка"]);
    // After a restart the settings still name the old one, and the bot knows better.
    let mut door_again = door.restart();
    anna.in_(MANAGERS).says("мы тут");
    door_again.turn().await;
    assert_eq!(door_again.bot_api.chat(MANAGERS).texts(), ["Новая заявка", "Эхо: мы тут"]);
    door = door_again;
    let config = door.base.config.clone();
    let queued = door.base.db.write_blocking(|tx| {
        notifications::enqueue_to_staff(tx, &config, &say("Ещё одна"), START, None)
    });
    assert!(queued.expect("queued"));
    door.courier.run_due().await;
    assert_eq!(door.bot_api.chat(MANAGERS).texts().last(), Some(&"Ещё одна"));
}

#[tokio::test]
async fn a_person_who_blocks_the_bot_is_not_written_to_until_they_come_back() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    door.sql(
        "insert into persons (id, name, created_at_ms) values (1, 'Анна', 0);
        insert into chats (key, person_id) values ('tg:7', 1)",
    );
    anna.blocks_bot();
    door.turn().await;
    assert!(door.is_blocked(ANNA));
    let tell = |door: &Door| {
        door.base.db.write_blocking(|tx| {
            let person = partner_m::domain::PersonId(1);
            notifications::enqueue_to_person(tx, person, &say("Новость"), START, None)
        })
    };
    assert!(!tell(&door).expect("a write"), "there is no chat to tell it in");
    anna.unblocks_bot();
    door.turn().await;
    assert!(!door.is_blocked(ANNA));
    assert!(tell(&door).expect("a write"));
    door.courier.run_due().await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["Новость"]);
}

// Turns ----------------------------------------------------------------------------------------

#[tokio::test]
async fn every_tap_is_answered_once_with_or_without_a_toast() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    anna.says("кнопки");
    door.turn().await;
    anna.taps("Меню");
    door.turn().await;
    assert_eq!(door.bot_api.toasts(ANNA), [Some("Нажато: menu.show".to_owned())]);
    let message = door.bot_api.chat(ANNA).last().id;
    anna.taps_data(message, "чепуха");
    anna.taps_data(9_999, "menu.show");
    door.turn().await;
    door.bot_api.assert_tidy();
    assert_eq!(door.bot_api.toasts(ANNA).len(), 3);
}

#[tokio::test]
async fn a_repeated_tap_update_is_a_tap_of_its_own_answered_once() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    anna.says("кнопки");
    door.turn().await;
    anna.taps("Меню");
    anna.repeats_last_update();
    anna.repeats_last_update();
    door.turn().await;
    assert_eq!(door.echo.heard_in(ANNA).len(), 4, "the handler sees each and is idempotent");
    door.bot_api.assert_tidy();
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_dropped_in_silence() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    anna.says("кнопки");
    door.turn().await;
    anna.taps("Меню");
    door.hear().await;
    door.worker.run_pending().await;
    door.clock.advance(Duration::from_mins(1));
    door.courier.run_due().await;
    assert!(door.bot_api.calls_of("answerCallbackQuery").is_empty());
    assert_eq!(door.outbox(ANNA).last(), Some(&("sent".to_owned(), String::new())));
}

#[tokio::test]
async fn the_dialogue_goes_on_after_a_restart() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    anna.says("раз");
    door.turn().await;
    let mut door = door.restart();
    anna.says("который");
    door.turn().await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["Эхо: раз", "ход 2"]);
}

#[tokio::test]
async fn a_panic_costs_one_answer_and_is_tried_three_times() {
    for word in ["паника", "ошибка"] {
        let mut door = Door::open().await;
        let anna = door.bot_api.user(ANNA, "Анна");
        let boris = door.bot_api.user(BORIS, "Борис");
        anna.says(word);
        anna.says("дальше");
        boris.says("а я?");
        door.turn().await;
        assert_eq!(door.echo.heard_in(ANNA), [word, word, word, "дальше"]);
        let texts = ["Не получилось, уже разбираемся. Заявка сохранена. Код\u{a0}1", "Эхо: дальше"];
        assert_eq!(door.bot_api.chat(ANNA).texts(), texts);
        assert_eq!(door.bot_api.chat(BORIS).texts(), ["Эхо: а я?"]);
        assert_eq!(door.inbox().await, (0, 1));
    }
}

#[tokio::test]
async fn an_event_that_ends_the_program_is_given_up_after_three_starts() {
    /// A turn that never ends: the process dies in it.
    struct Deadly;
    impl Handler for Deadly {
        fn handle<'a>(&'a self, _: &'a Event, _: Option<String>) -> Handling<'a> {
            Box::pin(std::future::pending())
        }
    }
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    anna.says("смерть");
    anna.says("дальше");
    door.hear().await;
    for started in 1..=3 {
        let worker = Worker::new(&door.base, Arc::new(Deadly));
        let died = tokio::time::timeout(Duration::from_millis(300), worker.run_pending()).await;
        assert!(died.is_err(), "start {started}");
        assert_eq!(door.inbox().await, (2, 0));
        door = door.restart();
    }
    door.turn().await;
    assert_eq!(door.echo.heard_in(ANNA), ["дальше"]);
    let texts = ["Не получилось, уже разбираемся. Заявка сохранена. Код\u{a0}1", "Эхо: дальше"];
    assert_eq!(door.bot_api.chat(ANNA).texts(), texts);
    assert_eq!(door.inbox().await, (0, 1));
    // The person may have it tried once more.
    let chat = ChatKey::Telegram(ANNA);
    let row = partner_m::domain::InboxId(1);
    assert!(door.conversations.retry(row, &chat).await.expect("revived"));
    door.turn().await;
    assert_eq!(door.echo.heard_in(ANNA), ["дальше", "смерть"]);
}

#[tokio::test(start_paused = true)]
async fn trouble_with_the_database_is_no_fault_of_an_event() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    anna.says("раз");
    door.hear().await;
    let sql = |sql: &'static str| {
        let done =
            door.base.db.write_blocking(move |tx| Ok::<_, StorageError>(tx.execute_batch(sql)?));
        done.expect("done");
    };
    sql(
        "create trigger full before update of state on inbox begin select raise(abort, 'full'); end",
    );
    // Twenty tries in a row.
    let _ = tokio::time::timeout(Duration::from_mins(1), door.worker.run_pending()).await;
    assert!(door.echo.heard_in(ANNA).len() > 3);
    sql("drop trigger full");
    door.worker.run_pending().await;
    assert_eq!(door.inbox().await, (0, 0), "handled, not given up");
}

#[tokio::test]
async fn an_event_that_this_program_cannot_read_is_given_up_at_once() {
    let door = Door::open().await;
    door.bot_api.user(ANNA, "Анна");
    let chat = ChatKey::Telegram(ANNA);
    let stored = door.conversations.accept("tg:1".into(), chat, "{\"kind\":\"new\"}".into()).await;
    assert!(stored.expect("stored").new);
    door.worker.run_pending().await;
    assert_eq!(door.inbox().await, (0, 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_long_shows_that_it_is_heard() {
    struct Slow;
    impl Handler for Slow {
        fn handle<'a>(&'a self, event: &'a Event, _: Option<String>) -> Handling<'a> {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(3)).await;
                let mut turn = Turn::default();
                if let EventKind::Pressed { callback_id, .. } = &event.kind {
                    let callback_id = callback_id.clone();
                    turn.out.push(Outgoing::Answer {
                        callback_id,
                        text: Some("поздно".into()),
                        alert: false,
                    });
                }
                Ok(turn)
            })
        }
    }
    let door = Door::open().await;
    let slow = Worker::new(&door.base, Arc::new(Slow));
    let key = ChatKey::Telegram(ANNA);
    let event = |n: u32, kind: EventKind| {
        let event = Event {
            key: format!("tg:{n}"),
            chat: key.clone(),
            from: key.clone(),
            from_name: String::new(),
            at: START,
            kind,
            quoted: Vec::new(),
        };
        (event.key.clone(), key.clone(), serde_json::to_string(&event).expect("JSON"))
    };
    let text = EventKind::Text { text: "?".into(), message_id: 1, reply_to: None };
    let tap = EventKind::Pressed { data: "x".into(), callback_id: "tap".into(), message_id: None };
    for (id, chat, payload) in [event(1, text), event(2, tap)] {
        door.conversations.accept(id, chat, payload).await.expect("stored");
    }
    slow.run_pending().await;
    let read = |conn: &rusqlite::Connection| {
        let mut stmt = conn.prepare("select payload from outbox order by id")?;
        let rows = stmt.query_map([], |row| row.get::<_, String>(0))?;
        Ok::<_, StorageError>(rows.collect::<Result<Vec<_>, _>>()?)
    };
    let queued = door.base.db.read_blocking(read).expect("a read");
    assert_eq!(
        queued,
        [
            r#"{"op":"typing"}"#,
            r#"{"op":"answer","callback_id":"tap","text":null,"alert":false}"#,
            r#"{"op":"typing"}"#,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_broken_server_is_tried_again_later() {
    // The clock of tokio is paused: teloxide sleeps ten seconds in each answer of this kind.
    let door = Door::open().await;
    door.bot_api.user(ANNA, "Анна");
    door.queue(ANNA, say("привет")).await;
    let gateway = Refusal::Page { status: 502, body: "<html>Bad Gateway</html>".to_owned() };
    door.bot_api.refuse("sendMessage", 1, gateway);
    door.bot_api.refuse("sendMessage", 1, Refusal::error(500, "Internal Server Error"));
    door.courier.run_due().await;
    door.pass(Duration::from_secs(3), Duration::from_secs(1)).await;
    assert_eq!(door.bot_api.calls_of("sendMessage").len(), 3);
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["привет"]);
}

// Cards ----------------------------------------------------------------------------------------

#[tokio::test]
async fn a_card_is_edited_where_it_stands_or_moves_below() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    anna.says("карточка первая");
    door.turn().await;
    anna.says("карточка вторая");
    door.turn().await;
    insta::assert_snapshot!(door.bot_api.chat(ANNA).transcript(), @r"
    > карточка первая
    < вторая
    > карточка вторая
    ");
    door.clock.advance(Duration::from_secs(5));
    anna.says("ниже третья");
    door.turn().await;
    insta::assert_snapshot!(door.bot_api.chat(ANNA).transcript(), @r"
    > карточка первая
    > карточка вторая
    > ниже третья
    < третья
    ");
    door.clock.advance(Duration::from_secs(5));
    anna.says("убери");
    door.turn().await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), [""; 0]);
    door.clock.advance(Duration::from_secs(5));
    anna.says("карточка снова");
    door.turn().await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["снова"]);
    door.bot_api.assert_tidy();
}

#[tokio::test]
async fn an_edit_that_changes_nothing_is_no_error() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    for _ in 0..2 {
        anna.says("карточка та же");
        door.turn().await;
    }
    assert!(door.outbox(ANNA).iter().all(|(state, _)| state == "sent"));
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["та же"]);
}

#[tokio::test]
async fn a_card_that_is_gone_or_too_old_is_sent_anew() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    anna.says("карточка раз");
    door.turn().await;
    door.bot_api.refuse(
        "editMessageText",
        1,
        Refusal::error(400, "Bad Request: message to edit not found"),
    );
    anna.says("карточка два");
    door.turn().await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["раз", "два"]);
    door.clock.advance(Duration::from_hours(49));
    anna.says("карточка три");
    door.turn().await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["раз", "два", "три"]);
}

#[tokio::test]
async fn an_old_card_that_may_not_be_deleted_points_below() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    anna.says("карточка раз");
    door.turn().await;
    door.bot_api.age(ANNA, Duration::from_hours(49));
    anna.says("ниже два");
    door.turn().await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["Заявка продолжается ниже ⬇", "два"]);
    assert!(door.outbox(ANNA).iter().all(|(state, _)| state == "sent"));
    door.clock.advance(Duration::from_secs(5));
    door.bot_api.age(ANNA, Duration::from_hours(49));
    anna.says("убери");
    door.turn().await;
    assert!(door.outbox(ANNA).iter().all(|(state, _)| state == "sent"), "it stays, for good");
}

#[tokio::test]
async fn a_move_below_that_a_crash_interrupts_leaves_one_card() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    anna.says("карточка раз");
    door.turn().await;
    anna.says("ниже два");
    door.bot_api.refuse("deleteMessage", 1, Refusal::Cut);
    door.turn().await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["раз", "два"]);
    let door = door.restart();
    door.courier.run_due().await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["два"]);
}

#[tokio::test]
async fn edits_of_one_card_are_coalesced_to_the_latest_state() {
    let door = Door::open().await;
    door.bot_api.user(ANNA, "Анна");
    for n in 0..10 {
        door.queue(ANNA, Screen::text(format!("счёт {n}")).in_place("card")).await;
        door.queue(ANNA, say(&format!("слово {n}"))).await;
    }
    door.courier.run_due().await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["счёт 9", "слово 0", "слово 1"]);
    door.pass(Duration::from_secs(20), Duration::from_secs(1)).await;
    assert_eq!(door.bot_api.chat(ANNA).texts().len(), 11);
    assert_eq!(door.bot_api.calls_of("editMessageText").len(), 0);
    // A card that moves below in the end is not edited before.
    door.queue(ANNA, Screen::text("перед").in_place("card")).await;
    door.queue(ANNA, Screen::text("после").below("card")).await;
    door.pass(Duration::from_secs(5), Duration::from_secs(1)).await;
    assert_eq!(door.bot_api.calls_of("editMessageText").len(), 0);
    assert_eq!(door.bot_api.chat(ANNA).texts().last(), Some(&"после"));
}

// Saying ---------------------------------------------------------------------------------------

#[tokio::test]
async fn five_hundred_messages_to_a_hundred_chats_keep_every_limit_and_their_order() {
    let door = Door::open().await;
    for n in 0..5 {
        for id in 1..=100 {
            door.bot_api.user(id, "Кто-то");
            door.queue(id, say(&format!("слово {n}"))).await;
        }
    }
    door.courier.run_due().await;
    door.pass(Duration::from_secs(25), Duration::from_millis(200)).await;
    let sent = door.bot_api.calls_of("sendMessage");
    assert_eq!(sent.len(), 500);
    let mut by_chat: HashMap<i64, Vec<i64>> = HashMap::new();
    let mut all = Vec::new();
    for call in &sent {
        all.push(call.at.millis());
        by_chat.entry(call.chat().expect("a chat")).or_default().push(call.at.millis());
    }
    let most = |times: &[i64], span: i64| {
        let within = |from: &i64| times.iter().filter(|t| (0..span).contains(&(*t - from))).count();
        times.iter().map(within).max().unwrap_or(0)
    };
    assert!(most(&all, 1_000) <= 25);
    assert!(all[499] - all[0] <= 21_000, "it takes {} ms", all[499] - all[0]);
    for (chat, times) in by_chat {
        assert!(most(&times, 1_000) <= 3, "chat {chat}: {times:?}");
        let words: Vec<String> = (0..5).map(|n| format!("слово {n}")).collect();
        assert_eq!(door.bot_api.chat(chat).texts(), words);
    }
}

#[tokio::test]
async fn a_group_gets_at_most_twenty_a_minute() {
    let door = Door::open().await;
    door.bot_api.group(MANAGERS, "Менеджеры");
    for n in 0..30 {
        door.queue(MANAGERS, say(&n.to_string())).await;
    }
    door.pass(Duration::from_secs(59), Duration::from_secs(1)).await;
    assert_eq!(door.bot_api.chat(MANAGERS).texts().len(), 20);
    door.pass(Duration::from_mins(1), Duration::from_secs(1)).await;
    assert_eq!(door.bot_api.chat(MANAGERS).texts().len(), 30);
}

#[tokio::test]
async fn a_chat_told_to_wait_waits_and_the_others_go_on() {
    let door = Door::open().await;
    door.bot_api.user(ANNA, "Анна");
    door.bot_api.user(BORIS, "Борис");
    door.queue(ANNA, say("раз")).await;
    door.queue(ANNA, say("два")).await;
    door.bot_api.refuse_chat(ANNA, 1, Refusal::too_many(30));
    door.courier.run_due().await;
    door.queue(BORIS, say("и мне")).await;
    door.pass(Duration::from_secs(29), Duration::from_secs(1)).await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), [""; 0]);
    assert_eq!(door.bot_api.chat(BORIS).texts(), ["и мне"]);
    door.pass(Duration::from_secs(1), Duration::from_secs(1)).await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["раз", "два"]);
}

#[tokio::test]
async fn each_answer_of_telegram_has_its_consequence() {
    enum Then {
        SentAnew,
        Failed(&'static str),
        Unreachable,
        Later(u64),
    }
    use Then::{Failed, Later, SentAnew, Unreachable};
    let bad = |text: &str| Refusal::error(400, &format!("Bad Request: {text}"));
    let cases = [
        (Refusal::too_many(3), Later(3)),
        (Refusal::Cut, Later(1)),
        (Refusal::CutAfter, Later(1)),
        (Refusal::Page { status: 200, body: "<html>".to_owned() }, Later(1)),
        (Refusal::error(429, "Too Many Requests"), Later(1)),
        (Refusal::blocked(), Unreachable),
        (Refusal::error(403, "Forbidden: user is deactivated"), Unreachable),
        (Refusal::error(403, "Forbidden: bot was kicked from the group chat"), Unreachable),
        (
            Refusal::error(403, "Forbidden: bot can't initiate conversation with a user"),
            Unreachable,
        ),
        (bad("chat not found"), Unreachable),
        (bad("PEER_ID_INVALID"), Unreachable),
        (bad("can't parse entities: Unsupported start tag \"x\" at byte offset 1"), SentAnew),
        (bad("BUTTON_DATA_INVALID"), Failed("Bad Request: BUTTON_DATA_INVALID")),
        (bad("something new"), Failed("Bad Request: something new")),
    ];
    for (refusal, then) in cases {
        let door = Door::open().await;
        door.bot_api.user(ANNA, "Анна");
        door.queue(ANNA, say("первое")).await;
        door.queue(ANNA, say("второе")).await;
        door.bot_api.refuse_next(refusal.clone());
        door.courier.run_due().await;
        let rows = door.outbox(ANNA);
        let after = door.bot_api.chat(ANNA);
        match then {
            SentAnew => assert_eq!(after.texts(), ["первое", "второе"], "{refusal:?}"),
            Failed(why) => {
                assert_eq!(rows[0], ("failed".to_owned(), why.to_owned()), "{refusal:?}");
                assert_eq!(after.texts(), ["второе"], "{refusal:?}");
            }
            Unreachable => {
                assert!(rows.iter().all(|(state, _)| state == "failed"), "{refusal:?}: {rows:?}");
                assert!(door.is_blocked(ANNA), "{refusal:?}");
                assert_eq!(door.bot_api.calls_of("sendMessage").len(), 1, "{refusal:?}");
            }
            Later(seconds) => {
                assert!(rows.iter().all(|(state, _)| state == "queued"), "{refusal:?}: {rows:?}");
                door.clock.advance(Duration::from_secs(seconds));
                door.courier.run_due().await;
                let mut texts = after.texts(); // CutAfter: done, and done once more
                texts.extend(["первое", "второе"]);
                assert_eq!(door.bot_api.chat(ANNA).texts(), texts, "{refusal:?}");
            }
        }
        for (_, error) in door.outbox(ANNA) {
            assert!(!error.contains(TOKEN) && !error.contains("127.0.0.1"), "{error}");
        }
    }
}

#[tokio::test]
async fn temporary_trouble_is_tried_again_at_one_two_four_seconds_up_to_five_minutes() {
    let door = Door::open().await;
    door.bot_api.user(ANNA, "Анна");
    door.queue(ANNA, say("привет")).await;
    door.bot_api.refuse("sendMessage", 12, Refusal::Cut);
    door.courier.run_due().await;
    let mut pauses = Vec::new();
    let mut last = door.clock.now();
    while door.bot_api.chat(ANNA).texts().is_empty() {
        let before = door.bot_api.calls().len();
        while door.bot_api.calls().len() == before {
            door.pass(Duration::from_secs(1), Duration::from_secs(1)).await;
        }
        pauses.push(door.clock.now().since(last).as_secs());
        last = door.clock.now();
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    assert_eq!(door.outbox(ANNA), [("sent".to_owned(), String::new())]);
}

#[tokio::test]
async fn a_notice_is_said_in_words_when_it_is_sent_and_not_twice() {
    let door = Door::open().await;
    door.bot_api.user(ANNA, "Анна");
    let notice =
        |order| Outgoing::Notice(Notice::OrderStatus { order: OrderId(order), told: None });
    door.queue(ANNA, notice(1)).await;
    door.queue(ANNA, notice(1)).await;
    door.bot_api.refuse_next(Refusal::Cut);
    door.courier.run_due().await;
    door.clock.advance(Duration::from_secs(1));
    door.courier.run_due().await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["Заявка 1", "Подробности"]);
    // What the composer cannot say is tried and then closed; the rest goes on.
    let broken = Outgoing::Notice(Notice::StaffOrder { order: OrderId(2) });
    door.queue(ANNA, broken).await;
    door.queue(ANNA, say("дальше")).await;
    door.pass(Duration::from_secs(10), Duration::from_secs(1)).await;
    assert_eq!(door.bot_api.chat(ANNA).texts().last(), Some(&"дальше"));
    let failed = ("failed".to_owned(), "внутренняя ошибка".to_owned());
    assert!(door.outbox(ANNA).contains(&failed));
}

#[tokio::test]
async fn what_is_due_later_waits_and_holds_nothing_up() {
    let door = Door::open().await;
    door.bot_api.user(ANNA, "Анна");
    let later = START.plus(Duration::from_secs(10));
    let chat = ChatKey::Telegram(ANNA);
    for _ in 0..2 {
        let queued = door.base.db.write_blocking(|tx| {
            notifications::enqueue(tx, &chat, &say("позже"), later, Some("order:1:accepted"))
        });
        queued.expect("queued");
    }
    door.queue(ANNA, say("сейчас")).await;
    door.courier.run_due().await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["сейчас"]);
    door.clock.advance(Duration::from_secs(10));
    door.courier.run_due().await;
    assert_eq!(door.bot_api.chat(ANNA).texts(), ["сейчас", "позже"]);
}

#[tokio::test]
async fn hostile_and_oversized_messages_stay_within_the_limits() {
    let door = Door::open().await;
    door.bot_api.user(ANNA, "Анна");
    let hostile = "<script>alert(1)</script>\"'&=1+1 &amp; <b>🆕";
    door.queue(ANNA, Screen::new(Html::new().bold(hostile)).send()).await;
    door.queue(ANNA, say(&"🆕&".repeat(3_000))).await;
    let mut many = Screen::text("Кнопки");
    for n in 0..120 {
        many = many.row([Button::new(format!("{n}"), Action::Menu)]);
    }
    many = many.row([Button::link("Не ссылка", "не адрес")]);
    door.queue(ANNA, many.send()).await;
    door.courier.run_due().await;
    let chat = door.bot_api.chat(ANNA);
    assert_eq!(chat.texts()[0], hostile);
    assert!(chat.texts()[1].ends_with('…'));
    assert!(chat.texts()[1].encode_utf16().count() <= 4096);
    assert_eq!(chat.last().buttons.len(), 100);
    door.bot_api.assert_tidy();
}

#[tokio::test]
async fn the_reply_keyboard_asks_for_the_contact_and_goes_away() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    let key = |label: &str, contact| ReplyKey { label: label.to_owned(), contact };
    let keyboard = ReplyKeyboard {
        rows: vec![vec![key("📱 Подтвердить номер", true)], vec![key("Каталог", false)]],
        placeholder: "Товар и количество, можно списком".to_owned(),
    };
    let message = |keyboard| Message {
        html: Html::text("Вот"),
        keyboard: Some(keyboard),
        ..Message::default()
    };
    let show = |message| Outgoing::Show { slot: None, place: Place::Below, message };
    door.queue(ANNA, show(message(keyboard))).await;
    door.queue(ANNA, Outgoing::Commands { commands: vec![("start".into(), "Начать".into())] })
        .await;
    door.courier.run_due().await;
    let sent = &door.bot_api.calls_of("sendMessage")[0].params["reply_markup"];
    assert_eq!(sent["keyboard"][0][0]["request_contact"], json!(true));
    assert_eq!(sent["input_field_placeholder"], json!("Товар и количество, можно списком"));
    assert_eq!(door.bot_api.commands(ANNA), ["start"]);
    anna.taps("Каталог");
    door.turn().await;
    door.queue(ANNA, show(message(ReplyKeyboard::default()))).await;
    door.courier.run_due().await;
    insta::assert_snapshot!(door.bot_api.chat(ANNA).transcript(), @r"
    < Вот
    > Каталог
    < Эхо: Каталог
    < Вот
    ");
}

#[tokio::test]
async fn a_password_message_is_deleted() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    let message_id = anna.says("пароль");
    door.turn().await;
    for _ in 0..2 {
        door.queue(ANNA, Outgoing::RemoveMessage { message_id }).await;
    }
    door.courier.run_due().await;
    assert!(!door.bot_api.chat(ANNA).transcript().contains("> пароль"));
    assert!(door.outbox(ANNA).iter().all(|(state, _)| state == "sent"));
}

#[tokio::test]
async fn staff_are_those_on_shift_or_all_when_nobody_is() {
    let door = Door::with(|config| {
        config.telegram.managers_chat = Some(MANAGERS);
        config.access.manager_phones = vec!["+79000000002".parse().expect("a phone")];
        config.access.admin_telegram_ids = vec![12];
    })
    .await;
    door.sql(
        "insert into persons (id, name, phone, phone_verified, granted_role, blocked, on_shift, created_at_ms)
        values (1, 'клиент', '+79000000001', 1, null, 0, 1, 0),
            (2, 'по номеру', '+79000000002', 1, null, 0, 1, 0),
            (3, 'по панели', '+79000000003', 1, 'admin', 0, 0, 0),
            (4, 'по Telegram', '+79000000004', 1, null, 0, 0, 0),
            (5, 'заблокирован', '+79000000005', 1, 'manager', 1, 1, 0);
        insert into chats (key, person_id, blocked_at_ms) values
            ('tg:9', 1, null), ('tg:10', 2, null), ('tg:11', 3, null), ('tg:12', 4, null),
            ('tg:13', 5, null), ('tg:14', 2, 1)",
    );
    let told = |dedup: &str| {
        let config = door.base.config.clone();
        door.base
            .db
            .write_blocking(|tx| {
                notifications::enqueue_to_staff(tx, &config, &say("Заявка"), START, Some(dedup))?;
                let mut stmt = tx.prepare(
                    "select chat_key from outbox where dedup_key like ?1 || '@%' order by id",
                )?;
                let chats = stmt.query_map([dedup], |row| row.get::<_, String>(0))?;
                Ok::<_, StorageError>(chats.collect::<Result<Vec<_>, _>>()?)
            })
            .expect("a write")
    };
    assert_eq!(told("a"), ["tg:-100500", "tg:10"]);
    assert_eq!(told("a").len(), 2, "once");
    door.sql("update persons set on_shift = 0");
    assert_eq!(told("b"), ["tg:-100500", "tg:10", "tg:11", "tg:12"]);
}

#[tokio::test]
async fn old_rows_are_swept_and_young_ones_still_tell_repeats() {
    let mut door = Door::open().await;
    let anna = door.bot_api.user(ANNA, "Анна");
    anna.says("раз");
    door.turn().await;
    door.clock.advance(Duration::from_hours(24 * 15));
    assert_eq!(door.conversations.sweep().await.expect("swept"), (0, 1));
    door.clock.advance(Duration::from_hours(24 * 16));
    assert_eq!(door.conversations.sweep().await.expect("swept"), (1, 0));
}
