//! What staff do: the queue, the card of an order, picking products, writing to the client.

use super::{Core, PANE, Refused, Talk};
use crate::chat::dialogue::Form;
use crate::chat::notices::staff_slot;
use crate::chat::screens::{basket, order, staff};
use crate::chat::worker::ChatError;
use crate::chat::{Action, Button, Screen};
use crate::domain::{Channel, LineState, OrderNumber, OrderStatus};
use crate::recognition::parse_quantity;
use crate::services::ordering::{Actor, OrderError, OrderView};
use crate::storage::orders::{OrderFilter, OrderLineRow};

/// How many products a search shows.
const FOUND: usize = 8;

impl Core {
    fn actor(talk: &Talk<'_>) -> Actor {
        Actor { person: talk.who.person_id(), channel: Channel::Bot }
    }

    /// Free text of staff: an order's number, or something of the catalogue.
    pub(super) async fn look_up(&self, talk: &mut Talk<'_>, text: &str) -> Result<(), ChatError> {
        if let Some(number) = OrderNumber::parse(text) {
            match self.ordering.order_by_number(number).await {
                Ok(view) => {
                    let slot = staff_slot(view.order.id);
                    talk.out.push(self.staff_card(&view, &self.scene()).below(slot));
                    return Ok(());
                }
                Err(OrderError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let offers = self.ordering.search(text, FOUND).await?;
        talk.say(staff::found(text.trim(), &offers));
        Ok(())
    }

    /// Orders that nobody has taken, or all of them.
    pub(super) async fn show_queue(
        &self,
        talk: &mut Talk<'_>,
        page: i64,
        all: bool,
    ) -> Result<(), ChatError> {
        if !talk.who.is_staff() {
            return self.menu(talk).await;
        }
        let screen = self.queue_screen(page, all).await?;
        talk.out.push(screen.below(PANE));
        Ok(())
    }

    async fn queue_screen(&self, page: i64, all: bool) -> Result<Screen, ChatError> {
        let offset = u32::try_from(page).unwrap_or(0).saturating_mul(order::ORDERS_A_PAGE);
        let statuses = if all { Vec::new() } else { vec![OrderStatus::New] };
        let filter = OrderFilter { statuses, ..OrderFilter::default() };
        let found = self.ordering.orders(filter, offset, order::ORDERS_A_PAGE).await?;
        Ok(staff::queue(&found, offset, all, &self.scene()))
    }

    pub(super) async fn press_staff(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), Refused> {
        let actor = Self::actor(talk);
        match action {
            Action::StaffQueue { page } => {
                let screen = self.queue_screen(page, false).await?;
                talk.out.push(screen.in_place(PANE));
            }
            Action::StaffAll { page } => {
                let screen = self.queue_screen(page, true).await?;
                talk.out.push(screen.in_place(PANE));
            }
            Action::StaffCard { order } => {
                talk.state.form = None;
                let view = self.ordering.order(order).await?;
                self.put_card(talk, &view);
            }
            Action::StaffOrder { order } => {
                let view = self.ordering.order(order).await?;
                talk.say(staff::composition(&view));
            }
            Action::StaffAccept { order, .. } => {
                let row = self.ordering.accept(actor, order).await?;
                let view = self.ordering.order(row.id).await?;
                self.put_card(talk, &view);
            }
            Action::StaffReject { order } => {
                let view = self.ordering.order(order).await?;
                talk.out.push(staff::reasons(&view.order).in_place(staff_slot(order)));
            }
            Action::StaffReason { order, reason } => {
                let view = self.ordering.order(order).await?;
                let preview =
                    staff::reject_preview(&view.order, reason).ok_or(OrderError::Stale)?;
                talk.out.push(preview.in_place(staff_slot(order)));
            }
            Action::StaffOwnReason { order } => {
                talk.state.ask(Form::RejectReason { order }, talk.now);
                let screen = Screen::text("Напишите причину: клиент прочитает её слово в слово.")
                    .row([Button::new("Назад", Action::StaffReject { order })]);
                talk.out.push(screen.in_place(staff_slot(order)));
            }
            Action::StaffRejectYes { order, version, reason } => {
                let index = usize::try_from(reason).unwrap_or(usize::MAX);
                let (_, text) = staff::REASONS.get(index).ok_or(OrderError::Stale)?;
                let next = OrderStatus::Rejected;
                self.ordering.set_status(actor, order, Some(version), next, text).await?;
                let view = self.ordering.order(order).await?;
                self.put_card(talk, &view);
            }
            Action::StaffStatus { order, version, status } => {
                self.ordering.set_status(actor, order, Some(version), status, "").await?;
                let view = self.ordering.order(order).await?;
                self.put_card(talk, &view);
            }
            Action::StaffWrite { order } => {
                let view = self.ordering.order(order).await?;
                talk.state.ask(Form::WriteToClient { order }, talk.now);
                let words = format!(
                    "Пишите: сообщение получит {} (заявка №\u{a0}{}).",
                    view.order.author_name, view.order.number
                );
                let cancel = Button::new("Отмена", Action::Cancel);
                talk.out.push(Screen::text(words).row([cancel]).below(PANE));
            }
            Action::StaffResolve { order } => {
                let view = self.ordering.order(order).await?;
                match view.lines.iter().find(|line| line.state != LineState::Ok) {
                    Some(line) => Self::show_resolve(talk, &view, line),
                    None => self.put_card(talk, &view),
                }
            }
            Action::StaffLine { line } => {
                let (view, line) = self.ordering.order_line(line).await?;
                Self::show_resolve(talk, &view, &line);
            }
            Action::StaffPick { line, version, product } => {
                let picked =
                    self.ordering.pick_for_order(actor, line, version, product, None, true).await;
                let view = match picked {
                    Ok(view) => view,
                    Err(OrderError::Stale) => {
                        talk.toast("Карточка обновилась, проверьте");
                        let (view, line) = self.ordering.order_line(line).await?;
                        Self::show_resolve(talk, &view, &line);
                        return Ok(());
                    }
                    Err(error) => return Err(error.into()),
                };
                self.next_or_card(talk, &view);
            }
            _ => self.menu(talk).await?,
        }
        Ok(())
    }

    fn put_card(&self, talk: &mut Talk<'_>, view: &OrderView) {
        let slot = staff_slot(view.order.id);
        talk.out.push(self.staff_card(view, &self.scene()).in_place(slot));
    }

    fn show_resolve(talk: &mut Talk<'_>, view: &OrderView, line: &OrderLineRow) {
        let slot = staff_slot(view.order.id);
        if line.product.is_some() && line.quantity.is_none() {
            talk.state.ask(Form::StaffQuantity { line: line.id }, talk.now);
            talk.out.push(staff::ask_quantity(view, line).in_place(slot));
            return;
        }
        talk.state.ask(Form::PickBySearch { line: line.id }, talk.now);
        talk.out.push(staff::resolve(view, line, None).in_place(slot));
    }

    fn next_or_card(&self, talk: &mut Talk<'_>, view: &OrderView) {
        match view.lines.iter().find(|line| line.state != LineState::Ok) {
            Some(line) => Self::show_resolve(talk, view, line),
            None => {
                talk.state.form = None;
                self.put_card(talk, view);
            }
        }
    }

    /// The answer that a form waited for.
    pub(super) async fn fill(
        &self,
        talk: &mut Talk<'_>,
        form: Form,
        text: &str,
    ) -> Result<(), ChatError> {
        let filled = match form {
            Form::WriteToClient { .. }
            | Form::RejectReason { .. }
            | Form::StaffQuantity { .. }
            | Form::PickBySearch { .. } => {
                if talk.who.is_staff() {
                    self.fill_staff(talk, form, text).await
                } else {
                    Ok(())
                }
            }
            form => self.fill_buyer(talk, form, text).await,
        };
        match filled {
            Ok(()) => Ok(()),
            Err(Refused::Order(error)) => self.explain(talk, error).await,
            Err(Refused::Fault(error)) => Err(error),
        }
    }

    async fn fill_staff(&self, talk: &mut Talk<'_>, form: Form, text: &str) -> Result<(), Refused> {
        let actor = Self::actor(talk);
        match form {
            Form::WriteToClient { order } => {
                self.ordering.write_to_client(actor, order, text).await?;
                let view = self.ordering.order(order).await?;
                let words = format!("Сообщение по заявке №\u{a0}{} отправлено.", view.order.number);
                talk.out.push(Screen::text(words).below(PANE));
            }
            Form::RejectReason { order } => {
                let next = OrderStatus::Rejected;
                self.ordering.set_status(actor, order, None, next, text).await?;
                let view = self.ordering.order(order).await?;
                let slot = staff_slot(order);
                talk.out.push(self.staff_card(&view, &self.scene()).below(slot));
            }
            Form::StaffQuantity { line } => {
                let Some((quantity, unit)) = parse_quantity(text) else {
                    talk.state.ask(Form::StaffQuantity { line }, talk.now);
                    talk.say(Screen::text(
                        "Не понял количество. Напишите, например, «250» или «3 кор».",
                    ));
                    return Ok(());
                };
                let set = self.ordering.set_order_quantity(actor, line, None, quantity, unit);
                let view = set.await?;
                match view.lines.iter().find(|line| line.state != LineState::Ok) {
                    Some(line) => Self::show_resolve(talk, &view, line),
                    None => {
                        let slot = staff_slot(view.order.id);
                        talk.out.push(self.staff_card(&view, &self.scene()).below(slot));
                    }
                }
            }
            Form::PickBySearch { line } => {
                let offers = self.ordering.search(text, FOUND).await?;
                let (view, line) = self.ordering.order_line(line).await?;
                talk.state.ask(Form::PickBySearch { line: line.id }, talk.now);
                let slot = staff_slot(view.order.id);
                talk.out.push(staff::resolve(&view, &line, Some(&offers)).below(slot));
            }
            other => self.fill_buyer(talk, other, text).await?,
        }
        Ok(())
    }

    /// Leaves whatever form there is.
    pub(super) async fn cancel_form(&self, talk: &mut Talk<'_>) -> Result<(), ChatError> {
        let was = talk.state.form.take();
        Self::cancel_account_form(talk);
        if was.is_some() && talk.state.draft.is_some() && !talk.who.is_staff() {
            if let Some(view) = self.ordering.open_draft(&talk.party()).await? {
                let desk = basket::review(&view, talk.state.page, None, false);
                talk.out.push(desk.in_place(super::DESK));
            }
        } else if was.is_some() {
            talk.out
                .push(crate::services::notifications::Outgoing::Remove { slot: PANE.to_owned() });
        }
        Ok(())
    }
}
