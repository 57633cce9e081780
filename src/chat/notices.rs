//! Says in words what happened, with the facts as they are when it is sent.

use super::core::{Document, proposal_slot};
use super::screens::basket::Scene;
use super::screens::{clients, order, proposal, staff};
use super::{Action, Button, Core, Screen};
use crate::domain::{ChatKey, OrderId, PersonId, Timestamp};
use crate::formats::html::Html;
use crate::services::duties::Duties;
use crate::services::notifications::{Composer, Notice, Outgoing, Place, Sending};
use crate::services::ordering::{OrderError, OrderView};
use crate::storage::orders::OrderEventRow;

impl Composer for Core {
    fn compose<'a>(
        &'a self,
        chat: &'a ChatKey,
        notice: &'a Notice,
    ) -> Sending<'a, Result<Vec<Outgoing>, String>> {
        Box::pin(async move { self.say(chat, notice).await.map_err(|error| error.to_string()) })
    }
}

/// The card of an order in its buyer's chat.
pub(super) fn buyer_slot(order: OrderId) -> String {
    format!("order:{order}")
}

/// The question whether to send a viewer's order, in a chat of an owner.
pub(super) fn approval_slot(order: OrderId) -> String {
    format!("approval:{order}")
}

/// The card of an order in a chat of staff.
pub(super) fn staff_slot(order: OrderId) -> String {
    format!("staff:{order}")
}

impl Core {
    async fn say(
        &self,
        chat: &ChatKey,
        notice: &Notice,
    ) -> Result<Vec<Outgoing>, super::worker::ChatError> {
        let scene = self.scene();
        Ok(match notice {
            Notice::OrderStatus { order, told } => match self.find(*order).await? {
                Some(view) => status_news(&view, *told, &scene),
                None => Vec::new(),
            },
            Notice::BuyerOrder { order } => match self.find(*order).await? {
                Some(view) => vec![order::card(&view.order, &scene).in_place(buyer_slot(*order))],
                None => Vec::new(),
            },
            Notice::StaffOrder { order } => match self.find(*order).await? {
                Some(view) => vec![
                    self.staff_card(&view, &scene, is_private(chat)).in_place(staff_slot(*order)),
                ],
                None => Vec::new(),
            },
            Notice::OrderMessage { order, event } => {
                let Some(view) = self.find(*order).await? else { return Ok(Vec::new()) };
                let Some(entry) = view.events.iter().find(|entry| entry.id == *event) else {
                    return Ok(Vec::new());
                };
                match self.document(chat, entry).await? {
                    Some(Document::Copy(copy)) => vec![message(&view, entry, None), copy],
                    Some(Document::Link(link)) => vec![message(&view, entry, Some(link))],
                    None => vec![message(&view, entry, None)],
                }
            }
            Notice::ApprovalAsked { order } => match self.find(*order).await? {
                Some(view) => {
                    let today = scene.zone.civil(scene.now).date();
                    vec![staff::approval(&view, today).in_place(approval_slot(*order))]
                }
                None => Vec::new(),
            },
            Notice::BackInStock { product } => self.back_in_stock(chat, *product).await?,
            Notice::Text(message) => {
                vec![Outgoing::Show { slot: None, place: Place::Below, message: message.clone() }]
            }
            Notice::PlacedForClient { order } => match self.find(*order).await? {
                Some(view) => vec![clients::placed_for_you(&view.order).send()],
                None => Vec::new(),
            },
            Notice::Proposal { proposal } => match self.ordering.proposal(*proposal).await {
                Ok(found) => vec![proposal::card(&found).in_place(proposal_slot(*proposal))],
                Err(OrderError::NotFound) => Vec::new(),
                Err(error) => return Err(error.into()),
            },
            Notice::OrderWaits { order } => match self.find(*order).await? {
                // Taken meanwhile: there is nothing to remind of.
                Some(view) if view.order.manager.is_none() && !view.order.status.is_final() => {
                    vec![staff::order_waits(&view.order, &scene).send()]
                }
                _ => Vec::new(),
            },
            Notice::ThreadWaits { thread } => self.question_waits(*thread).await?,
            Notice::MorningSummary => {
                let duties = Duties::new(self.base.clone(), self.ordering.clone());
                let today = scene.zone.civil(scene.now).date();
                vec![staff::morning(&duties.morning().await?, today).send()]
            }
            Notice::Digest { person, due } => self.digest(chat, *person, *due).await?,
            Notice::NewSignIn { .. }
            | Notice::RoleChanged
            | Notice::DeletionAsked { .. }
            | Notice::JoinAsked { .. }
            | Notice::JoinDecided { .. }
            | Notice::MemberJoined { .. }
            | Notice::AccessAsked { .. }
            | Notice::AccessDecided { .. }
            | Notice::ThreadCard { .. }
            | Notice::ThreadMessage { .. } => self.account_notice(chat, notice).await?,
        })
    }

    async fn find(&self, order: OrderId) -> Result<Option<OrderView>, OrderError> {
        match self.ordering.order(order).await {
            Ok(view) => Ok(Some(view)),
            Err(OrderError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The card of an order for staff.
    pub(super) fn staff_card(&self, view: &OrderView, scene: &Scene, private: bool) -> Screen {
        staff::card(view, self.base.config.server.public_url.as_deref(), private, scene)
    }

    /// What came in the quiet hours, as one message; what needs an answer keeps its own buttons.
    async fn digest(
        &self,
        chat: &ChatKey,
        person: PersonId,
        due: Timestamp,
    ) -> Result<Vec<Outgoing>, super::worker::ChatError> {
        let mut out = Vec::new();
        let mut lines = Vec::new();
        for notice in self.accounts.held_notices(person, due).await? {
            for told in Box::pin(self.say(chat, &notice)).await? {
                match told {
                    Outgoing::Show { slot: None, message, .. } => lines.push(message.html),
                    other => out.push(other),
                }
            }
        }
        if !lines.is_empty() {
            out.push(order::digest(&lines).send());
        }
        Ok(out)
    }
}

/// Whether a chat is one person's: groups of Telegram have ids below zero.
fn is_private(chat: &ChatKey) -> bool {
    !matches!(chat, ChatKey::Telegram(id) if *id < 0)
}

/// A new message where the buyer should look, and the permanent card as it is now. What staff
/// changed in the order (`told`, an entry of its timeline) is in the same message.
fn status_news(view: &OrderView, told: Option<i64>, scene: &Scene) -> Vec<Outgoing> {
    let card = order::card(&view.order, scene).in_place(buyer_slot(view.order.id));
    let changes = told.and_then(|id| view.events.iter().find(|entry| entry.id == id));
    let news = match (order::news(view, scene), changes) {
        (Some(mut news), Some(entry)) => {
            news.html = news.html.line().push(&entry.text);
            Some(news.send())
        }
        (Some(news), None) => Some(news.send()),
        // The status is no news by itself.
        (None, changes) => changes.map(|entry| message(view, entry, None)),
    };
    std::iter::once(card).chain(news).collect()
}

/// A message of an order's timeline, for the other side; `link` leads to the file beside it.
fn message(view: &OrderView, event: &OrderEventRow, link: Option<Button>) -> Outgoing {
    let order = &view.order;
    let screen = if event.to_client {
        let html = Html::new()
            .bold(format!("Заявка №\u{a0}{} · {}", order.number, event.person_name))
            .line()
            .push(&event.text);
        Screen::new(html).row([
            Button::new("Ответить", Action::OrderAsk { order: order.id }),
            Button::new("Открыть", Action::OrderShow { order: order.id }),
        ])
    } else {
        let html = Html::new()
            .bold(format!(
                "№\u{a0}{} · {} · {}",
                order.number, order.organization_name, event.person_name
            ))
            .line()
            .push(&event.text);
        Screen::new(html).row([
            Button::new("Ответить", Action::StaffWrite { order: order.id }),
            Button::new("Заказ", Action::StaffCard { order: order.id }),
        ])
    };
    // A reply to the message goes to its order.
    screen.row(link).in_place(format!("talk:{}:{}", order.id, event.id))
}
