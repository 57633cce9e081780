//! The real server on a temporary database with a day's work in it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use partner_m::chat::Core;
use partner_m::chat::worker::Worker;
use partner_m::config::{Config, Loaded};
use partner_m::domain::{Clock, Secret, Timestamp, Zone};
use partner_m::services::Base;
use partner_m::services::accounts::Accounts;
use partner_m::services::backup::Backups;
use partner_m::services::bot_status::BotStatus;
use partner_m::services::browser_chat::BrowserChat;
use partner_m::services::catalog::Catalog;
use partner_m::services::conversations::Conversations;
use partner_m::services::courier::Courier;
use partner_m::services::exchange::Exchange;
use partner_m::services::health::Health;
use partner_m::services::live::Live;
use partner_m::services::models::Models;
use partner_m::services::operations::Operations;
use partner_m::services::ordering::Ordering;
use partner_m::services::pull::Pull;
use partner_m::storage::db::Create;
use partner_m::storage::{Db, StorageError};
use partner_m::tasks::Tasks;
use partner_m::web::{self, BrowserDoor, Demo, Desk, Persona};

/// The password of the panel's people.
pub const PASSWORD: &str = "пароль для теста";

/// 24.11.2026, 14:05 in Moscow.
pub const NOW: i64 = 1_795_518_300_000;

pub struct House {
    pub address: SocketAddr,
    tasks: Tasks,
    _dir: tempfile::TempDir,
}

impl House {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let db = Db::open(&dir.path().join("partner-m.db"), Create::Yes).expect("opens");
        let mut config = Config { data_dir: dir.path().to_owned(), ..Config::default() };
        config.onec.webhook_token = Some(Secret::new("a-token-of-the-house-1a2b"));
        config.onec.listen = Some(([0, 0, 0, 0], 8081).into());
        config.onec.exchange.username = Some("1c".to_owned());
        config.onec.exchange.password = Some(Secret::new("a-password-of-the-house-3c4d"));
        config.onec.pull.enabled = true;
        config.onec.pull.base_url = Some("http://192.168.0.5/ut/hs/partner-m".to_owned());
        config.onec.pull.username = Some("Обмен".to_owned());
        config.onec.pull.password = Some(Secret::new("a-password-of-1c-5e6f"));
        let raw = dir.path().join("exchange").join("raw");
        std::fs::create_dir_all(&raw).expect("a folder");
        std::fs::write(raw.join("5-import.xml"), "<?xml version=\"1.0\"?>").expect("written");
        let base = Base {
            db,
            clock: Clock::manual(Timestamp::from_millis(NOW)),
            zone: Zone::named("Europe/Moscow").expect("bundled"),
            config: config.into(),
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
        let accounts = Accounts::new(base.clone());
        accounts.demo_people(PASSWORD).await.expect("the demo's people");
        seed(&base).await;
        let catalog = Catalog::new(base.clone());
        catalog.refresh().await.expect("an index");
        let ordering = Ordering::new(base.clone(), catalog.clone());
        let core = Core::new(base.clone(), accounts.clone(), ordering.clone());
        let chat = BrowserChat::new(base.clone());
        let courier = Courier::new(base.clone(), Arc::new(core.clone()));
        courier.register("web", Arc::new(BrowserDoor::new(chat.clone())));
        let worker = Worker::new(&base, Arc::new(core));
        tasks.spawn("worker", move |stop| worker.clone().run(stop));
        tasks.spawn("courier", move |stop| courier.clone().run(stop));
        let models = Some(Models::from_settings(base.clone()));
        let bot = BotStatus::default();
        let backups = Backups::new(base.clone());
        let health = Health::new(
            base.clone(),
            bot.clone(),
            catalog.clone(),
            models.clone(),
            None,
            backups.clone(),
            tasks.clone(),
        );
        let operations =
            Operations::new(&base, health, backups, Loaded::defaults((*base.config).clone()));
        let desk = Desk {
            conversations: Conversations::new(base.clone()),
            models,
            operations,
            bot,
            exchange: Exchange::new(base.clone()),
            pull: Pull::new(base.clone(), Exchange::new(base.clone())).ok(),
            catalog: catalog.clone(),
            base,
            tasks: tasks.clone(),
            accounts,
            ordering,
            chat,
            demo: Some(Arc::new(Demo {
                personas: vec![
                    persona("guest", "Гость", "Гость", None, false),
                    persona(
                        "anna",
                        "Анна, ООО «Диван-М»",
                        "Анна Иванова",
                        Some("+79000000001"),
                        false,
                    ),
                    persona(
                        "maria",
                        "Мария, менеджер",
                        "Мария Соколова",
                        Some("+79000000002"),
                        true,
                    ),
                ],
                reset: Box::new(|| Box::pin(async { Ok(()) })),
            })),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tasks.spawn_once("web", async move {
            web::serve(listener, desk).await.expect("serves");
        });
        Self { address, tasks, _dir: dir }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn stop(self) {
        assert!(self.tasks.stop(Duration::from_secs(10)).await, "the server ends in time");
    }
}

async fn seed(base: &Base) {
    let sql = include_str!("seed.sql").replace(":now", &NOW.to_string());
    base.db
        .write(move |tx| tx.execute_batch(&sql).map_err(StorageError::from))
        .await
        .expect("the seed fits the schema");
}
