//! The browser chat as a way out for the courier.

use crate::domain::ChatKey;
use crate::services::browser_chat::BrowserChat;
use crate::services::notifications::{
    Delivered, DeliveryError, Message, Messenger, Outgoing, Place, Sending,
};
use crate::storage::StorageError;

/// The browser chat as a way out for the courier.
#[derive(Clone)]
pub struct Door {
    chat: BrowserChat,
}

impl Door {
    /// Over these messages.
    pub fn new(chat: BrowserChat) -> Self {
        Self { chat }
    }

    async fn show(
        &self,
        chat: &ChatKey,
        place: Place,
        what: &Message,
        held: Option<i64>,
    ) -> Result<i64, DeliveryError> {
        match (place, held) {
            (Place::InPlace, Some(id)) => {
                let present = self.chat.edit(chat, id, what.clone()).await.map_err(not_now)?;
                if present { Ok(id) } else { Err(DeliveryError::MessageGone) }
            }
            (_, held) => self.chat.show(chat, what.clone(), held).await.map_err(not_now),
        }
    }
}

impl Messenger for Door {
    fn deliver<'a>(
        &'a self,
        chat: &'a ChatKey,
        outgoing: &'a Outgoing,
        message_id: Option<i64>,
    ) -> Sending<'a, Result<Delivered, DeliveryError>> {
        Box::pin(async move {
            let message_id = match outgoing {
                Outgoing::Show { place, message, .. } => {
                    Some(self.show(chat, *place, message, message_id).await?)
                }
                Outgoing::Remove { .. } => {
                    if let Some(id) = message_id {
                        self.chat.remove(chat, id).await.map_err(not_now)?;
                    }
                    None
                }
                Outgoing::Document { name, content, caption } => {
                    let sent = self.chat.document(chat, name, content, caption).await;
                    Some(sent.map_err(not_now)?)
                }
                Outgoing::RemoveMessage { message_id } => {
                    self.chat.remove(chat, *message_id).await.map_err(not_now)?;
                    None
                }
                Outgoing::Answer { text: Some(text), alert, .. } => {
                    self.chat.toast(chat, text.clone(), *alert).await.map_err(not_now)?;
                    None
                }
                // What Telegram holds is not shown here; the words before it say so.
                Outgoing::Copy { .. }
                | Outgoing::File { .. }
                | Outgoing::Answer { text: None, .. }
                | Outgoing::Typing
                | Outgoing::Commands { .. }
                | Outgoing::Notice(_) => None,
            };
            Ok(Delivered { message_id })
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is mapped over errors")]
fn not_now(error: StorageError) -> DeliveryError {
    DeliveryError::Temporary(error.to_string())
}
