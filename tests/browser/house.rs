//! The real server on a temporary database with a day's work in it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use partner_m::config::Config;
use partner_m::domain::{ChatKey, Clock, PersonId, Role, Timestamp, Zone};
use partner_m::formats::html::Html;
use partner_m::services::Base;
use partner_m::services::browser_chat::BrowserChat;
use partner_m::services::live::Live;
use partner_m::services::notifications::{
    ButtonTarget, InlineButton, Message, ReplyKey, ReplyKeyboard, Sending,
};
use partner_m::storage::db::Create;
use partner_m::storage::{Db, StorageError};
use partner_m::tasks::Tasks;
use partner_m::web::{self, Accept, Accounts, Demo, Desk, ManagerSession, Persona, SignInError, WebError};

/// 24.11.2026, 14:05 in Moscow.
pub const NOW: i64 = 1_795_518_300_000;

pub struct House {
    pub address: SocketAddr,
    pub desk: Desk,
    tasks: Tasks,
    _dir: tempfile::TempDir,
}

struct People;

impl Accounts for People {
    fn sign_in_panel<'a>(&'a self, phone: &'a str, password: &'a str, _: &'a str, _: &'a str) -> Sending<'a, Result<String, SignInError>> {
        Box::pin(async move {
            if phone.contains("9000000002") && password == "password" {
                Ok("a-session-token".to_owned())
            } else {
                Err(SignInError::Wrong)
            }
        })
    }

    fn panel_session<'a>(&'a self, token: &'a str) -> Sending<'a, Result<Option<ManagerSession>, WebError>> {
        Box::pin(async move {
            Ok((token == "a-session-token").then(|| ManagerSession {
                person: PersonId(2),
                name: "Мария Соколова".to_owned(),
                role: Role::Admin,
            }))
        })
    }

    fn sign_out_panel<'a>(&'a self, _: &'a str) -> Sending<'a, Result<(), WebError>> {
        Box::pin(async { Ok(()) })
    }

    fn has_admin(&self) -> Sending<'_, Result<bool, WebError>> {
        Box::pin(async { Ok(false) })
    }
}

struct Deaf;

impl Accept for Deaf {
    fn accept(&self, _: partner_m::chat::Event) -> Sending<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

impl House {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let db = Db::open(&dir.path().join("partner-m.db"), Create::Yes).expect("opens");
        let base = Base {
            db,
            clock: Clock::manual(Timestamp::from_millis(NOW)),
            zone: Zone::named("Europe/Moscow").expect("bundled"),
            config: Arc::new(Config::default()),
            live: Live::default(),
        };
        let persona = |key: &str, label: &str, name: &str, phone: Option<&str>, staff| Persona {
            key: key.to_owned(),
            label: label.to_owned(),
            name: name.to_owned(),
            phone: phone.map(|p| p.parse().expect("a phone")),
            staff,
        };
        let tasks = Tasks::new();
        let desk = Desk {
            base: base.clone(),
            tasks: tasks.clone(),
            accounts: Arc::new(People),
            conversations: Arc::new(Deaf),
            ordering: web::placeholder::Ordering { base: base.clone() },
            chat: BrowserChat::new(base),
            demo: Some(Arc::new(Demo {
                personas: vec![
                    persona("guest", "Гость", "Гость", None, false),
                    persona("anna", "Анна, ООО «Диван-М»", "Анна Иванова", Some("+79000000001"), false),
                    persona("maria", "Мария, менеджер", "Мария Соколова", Some("+79000000002"), true),
                ],
                reset: Box::new(|| Box::pin(async { Ok(()) })),
            })),
        };
        seed(&desk).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let served = desk.clone();
        tasks.spawn_once("web", async move {
            web::serve(listener, served).await.expect("serves");
        });
        Self { address, desk, tasks, _dir: dir }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn stop(self) {
        assert!(self.tasks.stop(Duration::from_secs(10)).await, "the server ends in time");
    }
}

async fn seed(desk: &Desk) {
    let sql = include_str!("seed.sql").replace(":now", &NOW.to_string());
    desk.base
        .db
        .write(move |tx| tx.execute_batch(&sql).map_err(StorageError::from))
        .await
        .expect("the seed fits the schema");
    let anna = ChatKey::Web("anna".to_owned());
    let maria = ChatKey::Web("maria".to_owned());
    let press = |label: &str, data: &str| InlineButton { label: label.to_owned(), target: ButtonTarget::Press(data.to_owned()) };
    let keys = |rows: &[&[&str]]| ReplyKeyboard {
        rows: rows.iter().map(|row| row.iter().map(|label| ReplyKey { label: (*label).to_owned(), contact: false }).collect()).collect(),
        placeholder: "Товар и количество, можно списком".to_owned(),
    };
    let hello = Message {
        html: Html::text("С возвращением, Анна! ООО «Диван-М»"),
        keyboard: Some(keys(&[&["Новая заявка", "Заказы"], &["Повторить", "Каталог"], &["Вопросы", "Аккаунт"]])),
        ..Message::default()
    };
    let chat = &desk.chat;
    chat.show(&anna, hello, None).await.expect("shown");
    chat.say(&anna, "web:1", "саморез 4х25 -4т.шт жёлтый\nмолния рулон чёрная 2\nткань велес 10м".to_owned()).await.expect("said");
    let draft = Html::new().bold("Черновик заявки · ООО «Диван-М»").line().push("3 позиции: ✅ 1 · ❓ 1 · ❌ 1").line().line()
        .push("✅ 1. Саморез 4×25 жёлтый — 4\u{a0}000\u{a0}шт · 0,85\u{a0}₽").line()
        .push("     «саморез 4х25 -4т.шт жёлтый»").line()
        .push("❓ 2. молния рулон чёрная — 2\u{a0}рул").line()
        .push("     8 вариантов, уточним").line()
        .push("❌ 3. ткань велес — 10\u{a0}м").line()
        .push("     не нашёл в каталоге").line().line()
        .push("Сумма по прайсу: 3\u{a0}400,00\u{a0}₽ без ❓ ❌").line()
        .italic("Цены и остатки на 24.11, 14:05");
    chat.show(&anna, Message { html: draft, ..Message::default() }, None).await.expect("shown");
    let desk_card = Message {
        html: Html::text("Позиция 2 из 3: «молния рулон чёрная» — 2\u{a0}рул\nКакая из них?"),
        buttons: vec![
            vec![press("Молния рул. Т5 чёрная 200 м · 1\u{a0}450 ₽", "line.pick:1:1:1")],
            vec![press("Молния рул. Т7 чёрная 100 м · 1\u{a0}990 ₽", "line.pick:1:1:2")],
            vec![press("‹ 1/2 ›", "line.options:1:1")],
            vec![press("Нет в списке", "line.rewrite:1"), press("Менеджеру", "line.manager:1:1"), press("Пропустить", "line.skip:1")],
        ],
        ..Message::default()
    };
    chat.show(&anna, desk_card, None).await.expect("shown");
    let card = Message {
        html: Html::new().bold("🆕 №\u{a0}1042 · ООО «Диван-М» · вт\u{a0}24.11").line()
            .push("Анна Иванова, +7 900 000-00-01").line()
            .push("7 позиций, 12\u{a0}450,00\u{a0}₽: ✅ 5 · 👤 2").line()
            .push("✅ 1. Саморез 4×25 жёлтый — 4\u{a0}000\u{a0}шт · ост. 12\u{a0}000").line()
            .push("👤 2. «ткань велес серая» — 10\u{a0}м").line()
            .push("Комментарий: позвонить до 12"),
        buttons: vec![
            vec![press("Принять", "staff.accept:1:1"), press("Отклонить", "staff.reject:1")],
            vec![press("Подобрать 2", "staff.resolve:1"), press("Написать", "staff.write:1")],
        ],
        ..Message::default()
    };
    chat.show(&maria, Message { html: Html::text("Вы на смене. Новые заявки придут сюда."), keyboard: Some(keys(&[&["Новые", "Все заказы", "Вопросы"], &["Клиенты", "Поиск", "Ещё"]])), ..Message::default() }, None).await.expect("shown");
    chat.show(&maria, card, None).await.expect("shown");
}
