//! What could not be handled: tried once more, or given to a manager.

use super::files::refused_to_guest;
use super::{Core, PANE, Refused, Talk};
use crate::chat::dialogue::AccountForm;
use crate::chat::screens::questions;
use crate::chat::worker::ChatError;
use crate::chat::{Action, Event, EventKind};
use crate::domain::InboxId;
use crate::services::conversations::Conversations;
use crate::services::questions::Topic;

impl Core {
    pub(super) async fn press_fault(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), Refused> {
        let conversations = Conversations::new(self.base.clone());
        match action {
            Action::EventRetry { event } => {
                let again = conversations.retry(InboxId(event), talk.chat).await;
                talk.toast(if again.map_err(ChatError::from)? {
                    "Пробую ещё раз"
                } else {
                    "Уже сделано или ещё в работе"
                });
                Ok(())
            }
            Action::EventHand { event } => {
                // A password is nobody's question.
                let form = talk.state.active_account_form(talk.now);
                if form.is_some_and(AccountForm::waits_for_password) {
                    return self.hand_fault(talk, None).await;
                }
                let payload = conversations.payload(InboxId(event), talk.chat).await;
                let said = payload.map_err(ChatError::from)?.and_then(|text| words_of(&text));
                self.hand_fault(talk, said).await
            }
            _ => Ok(self.menu(talk).await?),
        }
    }

    /// The words become a question of the organization; without words it is asked for them.
    async fn hand_fault(&self, talk: &mut Talk<'_>, said: Option<String>) -> Result<(), Refused> {
        if refused_to_guest(talk) {
            return Ok(());
        }
        if talk.who.is_staff() {
            talk.refuse("Назовите код администратору: по нему найдётся причина.");
            return Ok(());
        }
        let Some(text) = said else {
            talk.out.push(questions::ask_topic().below(PANE));
            return Ok(());
        };
        let screen = self.ask_in_words(talk, Topic::Other, &text).await?;
        talk.out.push(screen.below(PANE));
        Ok(())
    }
}

/// What the person wrote in an event, where they wrote something.
fn words_of(payload: &str) -> Option<String> {
    let event: Event = serde_json::from_str(payload).ok()?;
    match event.kind {
        EventKind::Text { text, .. } | EventKind::Edited { text, .. } => Some(text),
        EventKind::File { caption, .. } | EventKind::Media { caption, .. } => Some(caption),
        EventKind::Pressed { .. } | EventKind::Contact { .. } | EventKind::Blocked { .. } => None,
    }
    .filter(|text| !text.trim().is_empty())
}
