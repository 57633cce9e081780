//! Files that staff send to an order: an invoice, a drawing, a photo of the goods.

use super::{Core, PANE, Refused, Talk, files};
use crate::chat::dialogue::{Form, Handed};
use crate::chat::worker::ChatError;
use crate::chat::{Action, Button, Screen};
use crate::domain::{ChatKey, OrderId};
use crate::services::notifications::Outgoing;
use crate::services::ordering::OrderError;
use crate::services::questions::Attachment;
use crate::storage::orders::OrderEventRow;

/// Files of an order that are shown at once, the newest ones.
const SHOWN: usize = 10;

/// How a file comes to a chat.
pub(in crate::chat) enum Document {
    /// As a message of its own.
    Copy(Outgoing),
    /// By a button beside the words.
    Link(Button),
}

impl Core {
    /// «Документ»: the next file of the manager goes to the order.
    pub(super) async fn ask_document(
        &self,
        talk: &mut Talk<'_>,
        order: OrderId,
    ) -> Result<(), Refused> {
        let view = self.ordering.order(order).await?;
        talk.state.ask(Form::Document { order }, talk.now);
        let words = format!(
            "Пришлите файл или фото: получит {} (заявка №\u{a0}{}).",
            view.order.author_name, view.order.number
        );
        let cancel = Button::new("Отмена", Action::Cancel);
        talk.out.push(Screen::text(words).row([cancel]).below(PANE));
        Ok(())
    }

    /// A file about an order: from staff it goes to the client, from the client to the manager.
    pub(super) async fn to_order(
        &self,
        talk: &mut Talk<'_>,
        handed: &Handed,
        order: OrderId,
    ) -> Result<(), ChatError> {
        let said = files::said(talk, handed);
        let sent = if talk.as_staff() {
            let actor = Self::actor(talk);
            let sent = self.ordering.write_to_client(actor, order, said, Some(talk.key)).await;
            match sent {
                Ok(()) => self.ordering.order(order).await.map(|view| view.order.number),
                Err(error) => Err(error),
            }
        } else {
            let asked = self.ordering.ask_manager(&talk.party(), order, said, talk.key).await;
            asked.map(|order| order.number)
        };
        match sent {
            Ok(number) => {
                talk.state.form = None;
                let words = format!("{} — отправлено, заявка №\u{a0}{number}.", handed.what);
                talk.out.push(Screen::text(words).below(PANE));
                Ok(())
            }
            Err(error) => self.explain(talk, error).await,
        }
    }

    /// «Документы»: the files of an order, once more.
    pub(super) async fn show_documents(
        &self,
        talk: &mut Talk<'_>,
        order: OrderId,
    ) -> Result<(), Refused> {
        let view = self.ordering.own_order(&talk.party(), order).await?;
        let entries: Vec<_> = view.documents().collect();
        let mut shown = 0;
        for entry in &entries[entries.len().saturating_sub(SHOWN)..] {
            let document = match self.document(talk.chat, entry).await? {
                Some(Document::Copy(copy)) => copy,
                Some(Document::Link(link)) => Screen::text(&entry.text).row([link]).send(),
                None => continue,
            };
            talk.out.push(document);
            shown += 1;
        }
        if shown == 0 {
            return Err(OrderError::Stale.into());
        }
        Ok(())
    }

    /// The file of an entry of a timeline, for this chat; `None` where the wires have no way from
    /// one to the other.
    pub(in crate::chat) async fn document(
        &self,
        chat: &ChatKey,
        entry: &OrderEventRow,
    ) -> Result<Option<Document>, ChatError> {
        let attachment = entry.attachment.as_deref().and_then(Attachment::read);
        let Some(Attachment { chat: from, message_id, file }) = attachment else { return Ok(None) };
        Ok(match (chat, from, file) {
            (ChatKey::Telegram(_), from @ ChatKey::Telegram(_), _) => {
                Some(Document::Copy(Outgoing::Copy { from, message_id }))
            }
            (ChatKey::Telegram(_), from, Some(file)) => {
                Some(Document::Copy(Outgoing::File { from, file }))
            }
            (ChatKey::Web(persona), from, Some(file)) => {
                let key = format!("document:{}:{chat}", entry.id);
                let shared = self.files.share(&from, file, chat, &key).await?;
                shared.map(|id| {
                    let url = format!("/chat/{persona}/files/{id}");
                    Document::Link(Button::link("Скачать", url))
                })
            }
            _ => None,
        })
    }
}
