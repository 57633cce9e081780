//! `App`: the services, built once, cloned into the doors.

pub mod folder;

use std::path::PathBuf;
use std::sync::Arc;

use crate::chat::worker::Worker;
use crate::chat::{Core, Tools};
use crate::config::Config;
use crate::domain::{Clock, Zone};
use crate::services::Base;
use crate::services::accounts::Accounts;
use crate::services::alerts::Alerts;
use crate::services::backup::Backups;
use crate::services::bot_status::BotStatus;
use crate::services::browser_chat::BrowserChat;
use crate::services::catalog::{self, Catalog};
use crate::services::conversations::Conversations;
use crate::services::courier::Courier;
use crate::services::duties::Duties;
use crate::services::exchange::{self, Exchange};
use crate::services::health;
use crate::services::live::Live;
use crate::services::models::Models;
use crate::services::ordering::Ordering;
use crate::services::pull::Pull;
use crate::services::questions::Questions;
use crate::storage::db::Create;
use crate::storage::{Db, StorageError, upkeep};
use crate::tasks::Tasks;

/// What every door and command works with. Clones share it.
#[derive(Clone)]
pub struct App {
    /// The database, the clock, the settings.
    pub base: Base,
    /// Background tasks, and the token that tells them to stop.
    pub tasks: Tasks,
    /// People, organizations, sign-in.
    pub accounts: Accounts,
    /// Products as customers see them, and the index of recognition.
    pub catalog: Catalog,
    /// Exchange with 1C.
    pub exchange: Exchange,
    /// The catalogue pulled from 1C; `None` when its settings are of no use.
    pub pull: Option<Pull>,
    /// Drafts and orders.
    pub ordering: Ordering,
    /// Language models; `None` when their settings are of no use.
    pub models: Option<Models>,
    /// Copies of the database.
    pub backups: Backups,
    /// What is wrong with the program, for administrators.
    pub alerts: Alerts,
    /// Reminders and what else is done by the clock.
    pub duties: Duties,
    /// Questions of customers and the answers.
    pub questions: Questions,
    /// The inbox and where dialogues stand.
    pub conversations: Conversations,
    /// The browser chat's messages.
    pub browser_chat: BrowserChat,
    /// How the bot is doing.
    pub bot: BotStatus,
    /// The conversation.
    pub chat: Core,
    /// Answers what is in the inbox.
    pub worker: Arc<Worker>,
    /// Delivers the outbox. It has no wire until a door registers one.
    pub courier: Arc<Courier>,
}

impl App {
    /// Opens the database in the data folder and builds the services on it. No task is started.
    ///
    /// # Errors
    ///
    /// Those of [`Db::open`].
    pub fn open(config: Config, clock: Clock, create: Create) -> Result<Self, StorageError> {
        let path = database(&config);
        let db = Db::open(&path, create)?;
        catalog::seed_starter_synonyms(&db, clock.now())?;
        exchange::mark_default_type(&db, config.onec.exchange.price_type.as_deref())?;
        // The settings' check has made sure that there is such a zone.
        let zone = Zone::named(&config.company.timezone).unwrap_or_else(Zone::utc);
        let base = Base { db, clock, zone, config: config.into(), live: Live::default() };
        Ok(Self::over(base))
    }

    /// The services over this base.
    pub fn over(base: Base) -> Self {
        let accounts = Accounts::new(base.clone());
        let catalog = Catalog::new(base.clone());
        let models = Some(Models::from_settings(base.clone()));
        let mut ordering = Ordering::new(base.clone(), catalog.clone());
        if let Some(models) = models.clone() {
            ordering = ordering.with_models(models);
        }
        let exchange = Exchange::new(base.clone());
        let pull = Pull::new(base.clone(), exchange.clone())
            .inspect_err(|error| tracing::error!("onec.pull.base_url: {error}"))
            .ok();
        let (tasks, bot) = (Tasks::new(), BotStatus::default());
        let backups = Backups::new(base.clone());
        let alerts = Alerts::new(base.clone(), backups.clone(), pull.clone(), health::space);
        let tools = Tools {
            pull: pull.clone(),
            backups: backups.clone(),
            models: models.clone(),
            alerts: alerts.clone(),
        };
        let chat = Core::new(base.clone(), accounts.clone(), ordering.clone())
            .with_bot(bot.clone())
            .with_tasks(tasks.clone())
            .with_tools(tools);
        Self {
            tasks,
            models,
            exchange,
            pull,
            backups,
            alerts,
            duties: Duties::new(base.clone(), ordering.clone()),
            conversations: Conversations::new(base.clone()),
            browser_chat: BrowserChat::new(base.clone()),
            bot,
            questions: Questions::new(base.clone()),
            worker: Worker::new(&base, Arc::new(chat.clone())),
            courier: Courier::new(base.clone(), Arc::new(chat.clone())),
            accounts,
            catalog,
            ordering,
            chat,
            base,
        }
    }

    /// Marks that this process runs on the file; checks the file first if the last one did not
    /// stop in good order.
    ///
    /// # Errors
    ///
    /// [`StorageError::Damaged`] when the check finds damage.
    pub fn begin(&self) -> Result<(), StorageError> {
        let unclean = self.base.db.read_blocking(upkeep::is_marked_running)?;
        if unclean {
            tracing::warn!("прошлый раз программа остановилась не сама: проверяю базу данных");
            self.base.db.read_blocking(upkeep::quick_check)?;
        }
        let now = self.base.clock.now();
        self.base.db.write_blocking(|tx| upkeep::mark_running(tx, now, std::process::id()))
    }

    /// Ends the run in good order: the log goes into the file, the mark goes away.
    pub fn end(&self) -> Result<(), StorageError> {
        self.base.db.write_blocking(upkeep::clear_running)?;
        self.base.db.maintain(|conn| upkeep::checkpoint(conn, true))
    }
}

/// Where the database is.
pub fn database(config: &Config) -> PathBuf {
    config.data_dir.join("partner-m.db")
}

/// The size of the write-ahead log in bytes; 0 when there is none.
pub fn wal_size(config: &Config) -> u64 {
    std::fs::metadata(config.data_dir.join("partner-m.db-wal")).map_or(0, |meta| meta.len())
}
