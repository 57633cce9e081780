//! What administrators see and start by hand. Long work goes on in the background and says how it
//! ended.

use super::{Core, PANE, Refused, Talk, Tools};
use crate::chat::screens::admin;
use crate::chat::worker::ChatError;
use crate::chat::{Action, Screen};
use crate::domain::ChatKey;
use crate::services::backup::Reason;
use crate::services::conversations::Conversations;
use crate::services::overview::Overview;

/// Something that is started by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Sync,
    Backup,
    Model,
}

impl Core {
    /// `/admin`.
    pub(super) async fn show_admin(&self, talk: &mut Talk<'_>) -> Result<(), ChatError> {
        if !talk.who.is_admin() || talk.only_private() {
            return if talk.private { self.menu(talk).await } else { Ok(()) };
        }
        let screen = self.admin_screen().await?;
        talk.out.push(screen.below(PANE));
        Ok(())
    }

    async fn admin_screen(&self) -> Result<Screen, ChatError> {
        let state =
            Overview::new(self.base.clone(), self.ordering.catalog().clone()).state().await?;
        let counts = self.ordering.counts(crate::domain::OrderStatus::ALL).await?;
        let findings = match &self.tools {
            Some(tools) => tools.alerts.findings().await,
            None => Vec::new(),
        };
        let backup = match &self.tools {
            Some(tools) => tools.backups.status().await.ok(),
            None => None,
        };
        let models = self.tools.as_ref().and_then(|tools| tools.models.as_ref());
        let health = admin::Health {
            state: &state,
            counts: &counts,
            bot: self.bot.report().state,
            backup: backup.as_ref(),
            models: models.map(crate::services::models::Models::status).unwrap_or_default(),
            findings: &findings,
        };
        Ok(admin::card(&health, &self.scene()))
    }

    pub(super) async fn press_admin(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), Refused> {
        if talk.only_private() {
            return Ok(());
        }
        match action {
            Action::Admin => talk.out.push(self.admin_screen().await?.in_place(PANE)),
            Action::AdminView { organization } => {
                self.take_lens(talk, organization, false).await?;
            }
            Action::AdminSync => self.begin_work(talk, Tool::Sync).await?,
            Action::AdminBackup => self.begin_work(talk, Tool::Backup).await?,
            Action::AdminModel => self.begin_work(talk, Tool::Model).await?,
            _ => self.menu(talk).await?,
        }
        Ok(())
    }

    /// `/sync`, `/backup`, `/llm_test`.
    pub(super) async fn start_tool(
        &self,
        talk: &mut Talk<'_>,
        name: &str,
    ) -> Result<(), ChatError> {
        if !talk.who.is_admin() {
            return self.menu(talk).await;
        }
        if talk.only_private() {
            return Ok(());
        }
        let tool = match name {
            "sync" => Tool::Sync,
            "backup" => Tool::Backup,
            _ => Tool::Model,
        };
        self.begin_work(talk, tool).await
    }

    async fn begin_work(&self, talk: &mut Talk<'_>, tool: Tool) -> Result<(), ChatError> {
        let Some(tools) = self.tools.clone() else {
            talk.say(Screen::text("Здесь это недоступно."));
            return Ok(());
        };
        talk.say(Screen::text(match tool {
            Tool::Sync => "Забираю каталог из 1С…",
            Tool::Backup => "Делаю резервную копию…",
            Tool::Model => "Спрашиваю модель…",
        }));
        let (core, chat) = (self.clone(), talk.chat.clone());
        let work = async move { core.work(tools, tool, chat).await };
        match &self.tasks {
            Some(tasks) => tasks.spawn_once("tool", work),
            None => work.await,
        }
        Ok(())
    }

    /// Does the work and says in the chat what came of it.
    async fn work(&self, tools: Tools, tool: Tool, chat: ChatKey) {
        let screen = match tool {
            Tool::Sync => match &tools.pull {
                Some(pull) => admin::pulled(pull.pull().await),
                None => Screen::text("Обмен не настроен: проверьте onec.pull.base_url."),
            },
            Tool::Backup => admin::copied(tools.backups.make(Reason::Manual, None).await),
            Tool::Model => match &tools.models {
                Some(models) if models.is_on() => admin::probed(&models.probe().await),
                _ => Screen::text("Модель выключена: распознаёт только свой движок."),
            },
        };
        let said = Conversations::new(self.base.clone()).say(chat, vec![screen.send()]).await;
        if let Err(error) = said {
            tracing::warn!("об итоге не сказано: {error}");
        }
    }
}
