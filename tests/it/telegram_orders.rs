//! The main job in Telegram: a stranger signs up and orders, a manager takes it; the real
//! conversation behind the real door.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use partner_m::chat::Core;
use partner_m::chat::worker::Worker;
use partner_m::config::Config;
use partner_m::domain::{Clock, Zone};
use partner_m::services::Base;
use partner_m::services::accounts::Accounts;
use partner_m::services::bot_status::BotStatus;
use partner_m::services::catalog::Catalog;
use partner_m::services::courier::{Courier, TELEGRAM};
use partner_m::services::live::Live;
use partner_m::services::ordering::Ordering;
use partner_m::storage::db::Create;
use partner_m::storage::{Db, StorageError};
use partner_m::telegram::polling::Next;
use partner_m::telegram::{Polling, TelegramFiles, TelegramMessenger, bot};

use crate::support::bot_api::{BotApi, Person};
use crate::support::desk::{CATALOG, START};
use crate::support::panel::Panel;

const ANNA: i64 = 7;
const MARIA: i64 = 8;
const MARIAS_PHONE: &str = "+79000000002";

/// A whole desk behind the door of Telegram.
struct TelegramDesk {
    bot_api: BotApi,
    folder: tempfile::TempDir,
    config: Config,
    clock: Clock,
    process: Process,
    /// The process ends and begins anew between any two steps of its work.
    restless: bool,
    /// What people have done: written, tapped, shared.
    actions: u32,
}

/// What lives in memory only.
struct Process {
    base: Base,
    polling: Polling,
    worker: Arc<Worker>,
    courier: Arc<Courier>,
}

impl Process {
    async fn start(config: &Config, clock: &Clock, folder: &Path) -> Self {
        let db = Db::open(&folder.join("partner-m.db"), Create::Yes).expect("opens");
        let zone = Zone::named("Europe/Moscow").expect("the zone is bundled");
        let config = config.clone().into();
        let base = Base { db, clock: clock.clone(), zone, config, live: Live::default() };
        let catalog = Catalog::new(base.clone());
        catalog.refresh().await.expect("an index");
        let bot = bot(&base.config.telegram).expect("settings").expect("a token");
        let ordering = Ordering::new(base.clone(), catalog);
        let core = Core::new(base.clone(), Accounts::new(base.clone()), ordering);
        let courier = Courier::new(base.clone(), Arc::new(core.clone()));
        let messenger = TelegramMessenger::new(bot.clone(), core.files().clone());
        courier.register(TELEGRAM, Arc::new(messenger));
        core.files().connect(Arc::new(TelegramFiles::new(bot.clone())));
        let polling = Polling::new(bot, base.clone(), BotStatus::default());
        Self { polling, worker: Worker::new(&base, Arc::new(core)), courier, base }
    }
}

impl TelegramDesk {
    async fn start(restless: bool) -> Self {
        let bot_api = BotApi::start().await;
        let clock = Clock::manual(START);
        bot_api.set_clock(clock.clone());
        bot_api.hold_polls(false);
        let mut config = Config { telegram: bot_api.settings(), ..Config::default() };
        config.access.manager_phones = vec![MARIAS_PHONE.parse().expect("a phone")];
        let folder = tempfile::tempdir().expect("a temporary folder");
        Db::open(&folder.path().join("partner-m.db"), Create::Yes)
            .expect("opens")
            .write_blocking(|tx| {
                tx.execute_batch(CATALOG)?;
                tx.execute("update catalog_version set changed_at_ms = ?1", [START])?;
                Ok::<_, StorageError>(())
            })
            .expect("a catalogue");
        let process = Process::start(&config, &clock, folder.path()).await;
        Self { bot_api, folder, config, clock, process, restless, actions: 0 }
    }

    async fn between_steps(&mut self) {
        if self.restless {
            self.process = Process::start(&self.config, &self.clock, self.folder.path()).await;
        }
    }

    /// Everything that follows from what people have done happens; some seconds pass, so that no
    /// limit is in the way.
    async fn turn(&mut self) {
        assert_eq!(self.process.polling.poll_once().await, Next::AtOnce);
        self.between_steps().await; // stored, not acknowledged: heard once more
        while self.bot_api.unacknowledged() > 0 {
            assert_eq!(self.process.polling.poll_once().await, Next::AtOnce);
        }
        self.between_steps().await; // acknowledged, not answered
        self.process.worker.run_pending().await;
        self.between_steps().await; // answered, not said
        for _ in 0..12 {
            self.process.courier.run_due().await;
            self.clock.advance(Duration::from_secs(1));
        }
        self.between_steps().await;
    }

    async fn says(&mut self, who: &Person, text: &str) {
        who.says(text);
        self.acted().await;
    }

    async fn taps(&mut self, who: &Person, label: &str) {
        who.taps(label);
        self.acted().await;
    }

    async fn shares(&mut self, who: &Person, phone: &str) {
        who.shares_contact(phone);
        self.acted().await;
    }

    async fn acted(&mut self) {
        self.actions += 1;
        self.turn().await;
    }

    async fn signs_up(&mut self, who: &Person, phone: &str, name: &str) {
        self.says(who, "/start").await;
        self.shares(who, phone).await;
        self.says(who, name).await;
        self.taps(who, "Я частное лицо").await;
        for _ in 0..3 {
            self.taps(who, "Пропустить").await;
        }
        self.says(who, "длинный пароль 1").await;
    }

    fn shows(&self, chat: i64) -> String {
        self.bot_api.chat(chat).transcript().replace('\u{a0}', " ")
    }
}

/// The main job from the first word to the manager's «Принять»; what both chats show then.
async fn main_job(desk: &mut TelegramDesk) -> (String, String) {
    let anna = desk.bot_api.user(ANNA, "Анна");
    let maria = desk.bot_api.user(MARIA, "Мария");
    desk.signs_up(&maria, MARIAS_PHONE, "Смирнова Мария").await;
    desk.actions = 0;
    desk.signs_up(&anna, "+7 921 000-00-01", "Иванова Анна").await;
    desk.says(&anna, "саморез 4х25 жёлтый 4т.шт\nмолния рулон черная 2 рул").await;
    desk.taps(&anna, "Уточнить 1\u{a0}позицию").await;
    desk.taps(&anna, "Молния рулонная Т5 черная 200 м").await;
    // The same tap comes five times.
    anna.taps("Отправить");
    for _ in 0..4 {
        anna.repeats_last_update();
    }
    desk.acted().await;
    assert!(desk.actions <= 12, "{} actions", desk.actions);
    let own = desk.bot_api.chat(ANNA).texts().len();
    assert!(own <= 3, "the bot holds {own} messages:\n{}", desk.shows(ANNA));
    desk.taps(&maria, "Принять").await;
    desk.bot_api.assert_tidy();
    (desk.shows(ANNA), desk.shows(MARIA))
}

fn number(desk: &TelegramDesk, sql: &str) -> i64 {
    let read = |conn: &rusqlite::Connection| {
        Ok::<_, StorageError>(conn.query_row(sql, [], |row| row.get(0))?)
    };
    desk.process.base.db.read_blocking(read).expect("a number")
}

#[tokio::test]
async fn a_stranger_signs_up_and_orders_and_a_manager_takes_it() {
    let mut desk = TelegramDesk::start(false).await;
    let (anna, maria) = main_job(&mut desk).await;
    assert_eq!(number(&desk, "select count(*) from orders"), 1);
    assert_eq!(number(&desk, "select count(*) from outbox where state <> 'sent'"), 0);
    insta::assert_snapshot!(anna, @"
    > /start
    < Здравствуйте! Это заказы «Партнёр-М».
      Напишите список как обычно — распознаю по каталогу, уточню непонятное и передам менеджеру.

      Чтобы видеть свои цены и отправлять заявки, подтвердите номер телефона.
    > (контакт +7 921 000-00-01)
    > Иванова Анна
    < Готово, Анна. Пришлите первый список или откройте каталог.
    > саморез 4х25 жёлтый 4т.шт
      молния рулон черная 2 рул
    < Заявка № 1001 · Принята
      2 позиции, цену подтвердит менеджер
      Доставка: дата не важна
      Менеджер: Смирнова Мария
      [Открыть] [Отменить]
    < Заявка № 1001 принята. Менеджер Смирнова Мария.
      [Открыть]
    ⌨ [Новая заявка] [Заказы]
    ⌨ [Повторить] [Каталог]
    ⌨ [Вопросы] [Аккаунт]
    ");
    assert!(maria.contains("В работе: Смирнова Мария, "), "{maria}");
}

#[tokio::test]
async fn a_process_that_ends_between_any_two_steps_loses_and_doubles_nothing() {
    let mut calm = TelegramDesk::start(false).await;
    let mut restless = TelegramDesk::start(true).await;
    assert_eq!(main_job(&mut restless).await, main_job(&mut calm).await);
    let sent = |desk: &TelegramDesk| desk.bot_api.calls_of("sendMessage").len();
    assert_eq!(sent(&restless), sent(&calm));
    assert_eq!(number(&restless, "select count(*) from orders"), 1);
}

/// A client whom 1C knows: the number is a member's of an organization already.
const KNOWN: &str = "
    insert into organizations (id, kind, name, verified, created_at_ms)
        values (50, 'company', 'ООО «Диван-М»', 1, 0);
    insert into persons (id, name, phone, phone_verified, created_at_ms)
        values (50, 'Иванова Анна', '+79210000001', 0, 0);
    insert into members (organization_id, person_id, role, state, created_at_ms)
        values (50, 50, 'owner', 'active', 0);";

#[tokio::test]
async fn a_client_of_1c_orders_in_six_actions() {
    let mut desk = TelegramDesk::start(false).await;
    let known = |tx: &rusqlite::Transaction<'_>| Ok::<_, StorageError>(tx.execute_batch(KNOWN)?);
    desk.process.base.db.write_blocking(known).expect("known");
    let anna = desk.bot_api.user(ANNA, "Анна");
    desk.says(&anna, "/start").await;
    desk.shares(&anna, "+7 921 000-00-01").await;
    desk.taps(&anna, "Да").await;
    desk.says(&anna, "длинный пароль 1").await;
    desk.says(&anna, "саморез 4х25 жёлтый 4т.шт").await;
    desk.taps(&anna, "Отправить").await;
    assert!(desk.shows(ANNA).contains("Заявка № 1001 отправлена"), "{}", desk.shows(ANNA));
    assert!(desk.actions <= 6, "{} actions", desk.actions);
    let own = desk.bot_api.chat(ANNA).texts().len();
    assert!(own <= 3, "the bot holds {own} messages:\n{}", desk.shows(ANNA));
    desk.bot_api.assert_tidy();
}

/// A table becomes an order, and more goods join it; what both chats show then.
async fn table_and_addition(desk: &mut TelegramDesk) -> (String, String) {
    let anna = desk.bot_api.user(ANNA, "Анна");
    let maria = desk.bot_api.user(MARIA, "Мария");
    desk.signs_up(&maria, MARIAS_PHONE, "Смирнова Мария").await;
    desk.signs_up(&anna, "+7 921 000-00-01", "Иванова Анна").await;
    let csv = "Товар;Кол-во\r\nсаморез 4х25 желтый;4000\r\nткань велес;10\r\n";
    anna.sends_bytes("заявка.csv", csv.as_bytes(), "");
    desk.turn().await;
    desk.taps(&anna, "Да, распознать").await;
    desk.taps(&anna, "Оформить").await;
    desk.taps(&anna, "Отправить").await;
    desk.says(&anna, "молния рулон Т5 черная 2 рул").await;
    desk.taps(&anna, "Добавить в заказ").await;
    desk.taps(&anna, "№\u{a0}1001 · Отправлена · 24.11 · 2\u{a0}поз.").await;
    desk.taps(&maria, "Принять без неё").await;
    desk.says(&anna, "саморез 4х25 желтый 500").await;
    desk.taps(&anna, "Добавить в заказ").await;
    desk.taps(&anna, "№\u{a0}1001 · Принята · 24.11 · 3\u{a0}поз.").await;
    desk.bot_api.assert_tidy();
    (desk.shows(ANNA), desk.shows(MARIA))
}

#[tokio::test]
async fn a_table_and_an_addition_survive_a_process_that_ends_between_any_two_steps() {
    let mut calm = TelegramDesk::start(false).await;
    let mut restless = TelegramDesk::start(true).await;
    let shown = table_and_addition(&mut calm).await;
    assert_eq!(table_and_addition(&mut restless).await, shown);
    assert!(shown.1.contains("Просим добавить"), "{}", shown.1);
    for desk in [&calm, &restless] {
        assert_eq!(number(desk, "select count(*) from orders"), 1);
        assert_eq!(number(desk, "select count(*) from order_lines"), 3);
        let asked = "select count(*) from order_events where text like 'Просим добавить%'";
        assert_eq!(number(desk, asked), 1);
        assert_eq!(number(desk, "select count(*) from files"), 1);
    }
}

#[tokio::test]
async fn a_file_that_replies_to_an_order_reaches_its_client_and_stays_with_it() {
    let mut desk = TelegramDesk::start(false).await;
    let anna = desk.bot_api.user(ANNA, "Анна");
    let maria = desk.bot_api.user(MARIA, "Мария");
    desk.signs_up(&maria, MARIAS_PHONE, "Смирнова Мария").await;
    desk.signs_up(&anna, "+7 921 000-00-01", "Иванова Анна").await;
    desk.says(&anna, "саморез 4х25 жёлтый 4т.шт").await;
    desk.taps(&anna, "Отправить").await;
    desk.taps(&maria, "Принять").await;
    let chat = desk.bot_api.chat(MARIA);
    let card = chat.of_bot().into_iter().find(|posted| posted.text.contains("№\u{a0}1001"));
    let file = maria.replies_with_file(card.expect("a card").id, "счёт.pdf");
    desk.acted().await;
    let copied = desk.bot_api.calls_of("copyMessage");
    assert_eq!(copied.len(), 1, "{}", desk.shows(ANNA));
    assert_eq!(copied[0].params["message_id"].to_string().trim_matches('"'), file.to_string());
    desk.taps(&anna, "Открыть").await;
    desk.taps(&anna, "Документы").await;
    assert_eq!(desk.bot_api.calls_of("copyMessage").len(), 2, "{}", desk.shows(ANNA));
    // A file beside no order is nobody's, and the manager is told how to send it.
    maria.sends_file("прайс.pdf", 10, "");
    desk.acted().await;
    assert_eq!(number(&desk, "select count(*) from order_events where attachment is not null"), 1);
    assert!(desk.shows(MARIA).contains("Чтобы файл получил клиент"), "{}", desk.shows(MARIA));
    // The client's goes to the manager, and is no document of the client's own order.
    let chat = desk.bot_api.chat(ANNA);
    let card = chat.of_bot().into_iter().find(|posted| posted.text.contains("№\u{a0}1001"));
    anna.replies_with_file(card.expect("a card").id, "реквизиты.pdf");
    desk.acted().await;
    assert_eq!(desk.bot_api.calls_of("copyMessage").len(), 3, "{}", desk.shows(MARIA));
    assert!(desk.shows(MARIA).contains("Файл «реквизиты.pdf»"), "{}", desk.shows(MARIA));
    desk.bot_api.assert_tidy();
}

#[tokio::test]
async fn a_reply_finds_its_conversation_though_the_message_is_not_known() {
    let mut desk = TelegramDesk::start(false).await;
    let anna = desk.bot_api.user(ANNA, "Анна");
    let maria = desk.bot_api.user(MARIA, "Мария");
    desk.signs_up(&maria, MARIAS_PHONE, "Смирнова Мария").await;
    desk.signs_up(&anna, "+7 921 000-00-01", "Иванова Анна").await;
    desk.says(&anna, "Вопросы").await;
    desk.taps(&anna, "Задать вопрос").await;
    desk.taps(&anna, "Другое").await;
    desk.says(&anna, "Когда откроетесь?").await;
    let message = desk.bot_api.chat(MARIA).last().id;
    // The program died between sending it and storing its id: what a copy of it would get is
    // stored, this one is not.
    let forget = |tx: &rusqlite::Transaction<'_>| {
        Ok::<_, StorageError>(tx.execute("delete from chat_slots where slot like 'thread:%'", [])?)
    };
    desk.process.base.db.write_blocking(forget).expect("forgotten");
    maria.replies(message, "В девять");
    desk.acted().await;
    assert!(desk.shows(ANNA).contains("В девять"), "{}", desk.shows(ANNA));
    maria.replies_with_file(message, "график.pdf");
    desk.acted().await;
    assert_eq!(number(&desk, "select count(*) from thread_messages where thread_id = 1"), 3);
    assert_eq!(desk.bot_api.calls_of("copyMessage").len(), 1, "{}", desk.shows(ANNA));
    desk.bot_api.assert_tidy();
}

#[tokio::test]
async fn a_file_from_the_panel_comes_to_the_client_in_telegram_and_can_be_had_again() {
    let mut desk = TelegramDesk::start(false).await;
    main_job(&mut desk).await;
    let anna = desk.bot_api.user(ANNA, "Анна");
    let panel = Panel::over(desk.process.base.clone()).await;
    let maria = panel.sign_in_with("%2B79000000002", "длинный пароль 1").await;
    let key = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    let form = [("key", key), ("caption", "Оплатить до пятницы")];
    let path = "/admin/orders/1001/files";
    for _ in 0..3 {
        let file = Some(("счёт 17.pdf", &b"%PDF-1.4 bytes"[..]));
        let sent = panel.upload(path, &maria, &form, file).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    }
    desk.turn().await;
    let sent = desk.bot_api.calls_of("sendDocument");
    assert_eq!(sent.len(), 1, "{}", desk.shows(ANNA));
    assert_eq!(sent[0].params["file_name"], "счёт 17.pdf");
    assert!(sent[0].params.to_string().contains("%PDF-1.4 bytes"), "{:?}", sent[0]);
    let shown = desk.shows(ANNA);
    assert!(shown.contains("Файл «счёт 17.pdf»\n  Оплатить до пятницы"), "{shown}");
    // Into a question too.
    desk.says(&anna, "/questions").await;
    desk.taps(&anna, "Задать вопрос").await;
    desk.taps(&anna, "Документы и оплата").await;
    desk.says(&anna, "Пришлите счёт, пожалуйста").await;
    let (name, path) = ("акт.pdf", "/admin/questions/1/files");
    for _ in 0..2 {
        let file = Some((name, &b"%PDF-1.4 act"[..]));
        let sent =
            panel.upload(path, &maria, &[("key", "3f2504e0-4f89-41d3-9a0c-0305e82c3302")], file);
        let sent = sent.await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    }
    desk.turn().await;
    let sent = desk.bot_api.calls_of("sendDocument");
    assert_eq!(sent.len(), 2, "{}", desk.shows(ANNA));
    assert_eq!(sent[1].params["file_name"], name);
    let page = panel.send("GET", "/admin/questions/1", maria.clone(), "").await.body;
    assert!(page.contains("Файл «акт.pdf»") && page.contains("Скачать файл"), "{page}");
    let absent =
        panel.upload("/admin/questions/9/files", &maria, &[], Some((name, &b"x"[..]))).await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
    // The file stays with its order when others are forgotten.
    desk.clock.advance(Duration::from_hours(24 * 40));
    anna.sends_bytes("список.csv", "саморез 4х25 желтый;4000".as_bytes(), "");
    desk.turn().await;
    desk.says(&anna, "/orders").await;
    desk.taps(&anna, "№\u{a0}1001 · Принята · 24.11.2026").await;
    desk.taps(&anna, "Документы").await;
    assert_eq!(desk.bot_api.calls_of("sendDocument").len(), 3, "{}", desk.shows(ANNA));
    desk.bot_api.assert_tidy();
}

#[tokio::test]
async fn files_and_photos_come_through_the_bot_api() {
    let mut desk = TelegramDesk::start(false).await;
    let anna = desk.bot_api.user(ANNA, "Анна");
    let maria = desk.bot_api.user(MARIA, "Мария");
    desk.signs_up(&maria, MARIAS_PHONE, "Смирнова Мария").await;
    desk.signs_up(&anna, "+7 921 000-00-01", "Иванова Анна").await;
    let csv = "Товар;Кол-во\r\nсаморез 4х25 желтый;4000\r\nткань велес;10\r\n";
    let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(csv);
    anna.sends_bytes("заявка 1.csv", &bytes, "");
    desk.turn().await;
    desk.taps(&anna, "Да, распознать").await;
    desk.taps(&anna, "Скачать нераспознанные").await;
    assert_eq!(number(&desk, "select count(*) from draft_lines"), 2);
    anna.sends_bytes("битый.xlsx", b"PK\x03\x04 rubbish", "");
    desk.turn().await;
    desk.taps(&anna, "Менеджеру").await;
    anna.sends_photo("нитки 70ЛЛ черные 10");
    desk.turn().await;
    desk.taps(&anna, "Передать").await;
    // A file that the server has lost, and one that is too large to ask for.
    anna.sends_file("пропал.csv", 10, "");
    desk.turn().await;
    anna.sends_file("большой.csv", 21 * 1024 * 1024, "");
    desk.turn().await;
    anna.sends_place();
    desk.turn().await;
    desk.bot_api.assert_tidy();
    assert_eq!(number(&desk, "select count(*) from threads where topic = 'file'"), 2);
    let maria = desk.shows(MARIA);
    assert!(maria.contains("(фото)") && maria.contains("(файл битый.xlsx)"), "{maria}");
    insta::with_settings!(
        { snapshot_path => "transcripts", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("buyer_telegram_files", desk.shows(ANNA)); }
    );
}

#[tokio::test]
async fn what_is_not_ones_own_is_refused_and_tells_nothing() {
    let mut desk = TelegramDesk::start(false).await;
    let anna = desk.bot_api.user(ANNA, "Анна");
    let stranger = desk.bot_api.user(9, "Пётр");
    desk.signs_up(&anna, "+7 921 000-00-01", "Иванова Анна").await;
    desk.says(&anna, "саморез 4х25 жёлтый 4000").await;
    desk.taps(&anna, "Оформить").await;
    desk.taps(&anna, "Отправить").await;
    desk.says(&stranger, "/start").await;
    stranger.shares_contact_of(Some(ANNA), "+7 921 000-00-01", "Анна");
    desk.turn().await;
    desk.says(&stranger, MARIAS_PHONE).await;
    desk.signs_up(&stranger, "+7 921 000-00-09", "Чужой Пётр").await;
    let start = desk.bot_api.chat(9).transcript().len();
    let order = "select id from orders limit 1";
    let (order, line) = (number(&desk, order), number(&desk, "select max(id) from draft_lines"));
    desk.says(&stranger, &format!("/start o_{order}")).await;
    let message = desk.bot_api.chat(9).last().id;
    for data in [
        format!("order.show:{order}"),
        format!("order.cancel_yes:{order}:1:0"),
        format!("order.repeat:{order}"),
        format!("draft.join_yes:1:1:{order}"),
        format!("line.remove:{line}:1"),
        "draft.review:1".to_owned(),
        "draft.unread:1".to_owned(),
        "draft.split:1:1".to_owned(),
        "file.read:1".to_owned(),
        "checkout.send_anyway:1:1".to_owned(),
        format!("staff.accept:{order}:1"),
    ] {
        stranger.taps_data(message, &data);
        desk.turn().await;
    }
    let told = desk.bot_api.chat(9).transcript()[start..].to_owned();
    for secret in ["1001", "Саморез", "Иванова", "3 400", "4 000"] {
        assert!(!told.contains(secret), "«{secret}» in:\n{told}");
    }
    assert_eq!(number(&desk, "select count(*) from orders where status = 'new'"), 1);
    desk.bot_api.assert_tidy();
}
