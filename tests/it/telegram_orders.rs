//! The main job in Telegram: a stranger signs up and orders, a manager takes it; the real
//! conversation behind the real door.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

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
use partner_m::telegram::{Polling, TelegramMessenger, bot};

use crate::support::bot_api::{BotApi, Person};
use crate::support::desk::{CATALOG, START};

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
        courier.register(TELEGRAM, Arc::new(TelegramMessenger::new(bot.clone())));
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
            .write_blocking(|tx| Ok::<_, StorageError>(tx.execute_batch(CATALOG)?))
            .expect("a catalogue");
        let process = Process::start(&config, &clock, folder.path()).await;
        Self { bot_api, folder, config, clock, process, restless }
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
        self.turn().await;
    }

    async fn taps(&mut self, who: &Person, label: &str) {
        who.taps(label);
        self.turn().await;
    }

    async fn signs_up(&mut self, who: &Person, phone: &str, name: &str) {
        self.says(who, "/start").await;
        who.shares_contact(phone);
        self.turn().await;
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
    desk.signs_up(&anna, "+7 921 000-00-01", "Иванова Анна").await;
    desk.says(&anna, "саморез 4х25 жёлтый 4т.шт\nмолния рулон черная 2 рул").await;
    desk.taps(&anna, "Уточнить 1\u{a0}позицию").await;
    desk.taps(&anna, "Молния рулонная Т5 черная 200 м").await;
    desk.taps(&anna, "Оформить").await;
    // The same tap comes five times.
    anna.taps("Отправить");
    for _ in 0..4 {
        anna.repeats_last_update();
    }
    desk.turn().await;
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
      2 позиции, 6 300,00 ₽
      Доставка: дата не важна
      Менеджер: Смирнова Мария
      [Открыть] [Отменить]
    < Заявка № 1001 принята. Менеджер Смирнова Мария.
      [Открыть]
    ⌨ [Новая заявка] [Заказы]
    ⌨ [Повторить] [Вопросы]
    ⌨ [Аккаунт]
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
