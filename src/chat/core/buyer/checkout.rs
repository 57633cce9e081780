//! Checkout: when, where to, and sending.

use jiff::ToSpan;

use crate::chat::core::{Core, DESK, LIST, PANE, Refused, Talk};
use crate::chat::dialogue::Form;
use crate::chat::notices::buyer_slot;
use crate::chat::screens::{basket, order};
use crate::chat::worker::ChatError;
use crate::chat::{Action, Button, Screen};
use crate::domain::{Delivery, DraftId, OrderId, OrderStatus, ru};
use crate::recognition::parse_quantity;
use crate::services::notifications::Outgoing;
use crate::services::ordering::{OrderError, Placed};
use crate::storage::orders::OrderRow;
use crate::storage::organizations::AddressRow;

impl Core {
    pub(super) async fn press_checkout(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), Refused> {
        let party = talk.party();
        let today = self.base.zone.civil(talk.now).date();
        match action {
            Action::Checkout { draft } => {
                talk.state.form = None;
                self.show_checkout(talk, draft, None).await?;
            }
            Action::CheckoutDates { draft } => {
                let view = self.ordering.draft(&party, draft).await?;
                talk.state.ask(Form::Date { draft }, talk.now);
                talk.out.push(basket::dates(&view, &self.scene()).in_place(DESK));
            }
            Action::CheckoutDate { draft, version, days } => {
                let date = today.checked_add(days.days()).map_err(|_| OrderError::Stale)?;
                self.set_delivery(talk, draft, Some(version), Delivery::On(date)).await?;
            }
            Action::CheckoutPickup { draft, version } => {
                self.set_delivery(talk, draft, Some(version), Delivery::Pickup).await?;
            }
            Action::CheckoutAnyDate { draft, version } => {
                self.set_delivery(talk, draft, Some(version), Delivery::Any).await?;
            }
            Action::CheckoutAddresses { draft } => {
                let view = self.ordering.draft(&party, draft).await?;
                let book = self.address_book(talk).await?;
                talk.state.ask(Form::Address { draft }, talk.now);
                talk.out.push(basket::addresses(&view, &book).in_place(DESK));
            }
            Action::CheckoutAddress { draft, version, address } => {
                let book = self.address_book(talk).await?;
                let found = book.into_iter().find(|row| row.id == address);
                let text = found.ok_or(OrderError::Stale)?.address;
                let set = move |_: &mut Delivery, address: &mut String, _: &mut String| {
                    *address = text;
                };
                self.ordering.set_checkout(&party, draft, Some(version), set).await?;
                talk.state.form = None;
                self.show_checkout(talk, draft, None).await?;
            }
            Action::CheckoutComment { draft } => {
                self.ordering.draft(&party, draft).await?;
                talk.state.ask(Form::Comment { draft }, talk.now);
                let screen = Screen::text("Напишите комментарий для менеджера.")
                    .row([Button::new("Назад", Action::Checkout { draft })]);
                talk.out.push(screen.in_place(DESK));
            }
            Action::CheckoutSend { draft, version } => {
                let placed = self.ordering.place(&party, draft, version, false).await;
                self.after_place(talk, draft, placed).await?;
            }
            Action::CheckoutSendAnyway { draft, version } => {
                let placed = self.ordering.place(&party, draft, version, true).await;
                self.after_place(talk, draft, placed).await?;
            }
            _ => self.menu(talk).await?,
        }
        Ok(())
    }

    pub(super) async fn after_place(
        &self,
        talk: &mut Talk<'_>,
        draft: DraftId,
        placed: Result<Placed, OrderError>,
    ) -> Result<(), Refused> {
        match placed? {
            Placed::Sent { order, .. } if talk.state.lens.is_some() => {
                Self::placed_for_client(talk, &order);
            }
            Placed::Sent { order, learnt } => self.say_sent(talk, &order, learnt),
            Placed::Changed(order) => {
                Self::put_draft_away(talk);
                let screen = order::card(&order, &self.scene());
                talk.toast(&match order.status {
                    OrderStatus::Approval => {
                        format!("Заявка №\u{a0}{} на согласовании у владельца", order.number)
                    }
                    _ => format!("Заявка №\u{a0}{} изменена", order.number),
                });
                talk.out.push(screen.below(buyer_slot(order.id)));
            }
            // Still on the screen: the program died before it could say that it is sent.
            Placed::Already(order) if talk.state.draft == Some(draft) => {
                if talk.state.lens.is_some() {
                    Self::placed_for_client(talk, &order);
                } else {
                    self.say_sent(talk, &order, 0);
                }
            }
            Placed::Already(order) => {
                talk.toast(&format!("Заявка №\u{a0}{} уже отправлена", order.number));
            }
            Placed::Duplicate(order) => {
                let view = self.ordering.draft(&talk.party(), draft).await?;
                let desk = basket::duplicate(&view, &order, &self.scene());
                talk.out.push(desk.in_place(DESK));
            }
            Placed::PricesMoved(moved) => {
                let view = self.ordering.draft(&talk.party(), draft).await?;
                let desk = basket::prices_moved(&view, &moved);
                self.both(talk, &view, desk);
            }
        }
        Ok(())
    }

    /// Says that the draft is an order now.
    fn say_sent(&self, talk: &mut Talk<'_>, order: &OrderRow, learnt: usize) {
        Self::put_draft_away(talk);
        let screen = order::sent(order, learnt, &self.base.config.company);
        talk.out.push(screen.below(buyer_slot(order.id)));
    }

    /// Takes the draft's cards off the screen.
    fn put_draft_away(talk: &mut Talk<'_>) {
        talk.state.leave_draft();
        talk.out.push(Outgoing::Remove { slot: LIST.to_owned() });
        talk.out.push(Outgoing::Remove { slot: DESK.to_owned() });
    }

    pub(super) async fn show_checkout(
        &self,
        talk: &mut Talk<'_>,
        draft: DraftId,
        note: Option<&str>,
    ) -> Result<(), Refused> {
        let party = talk.party();
        let view = self.ordering.draft(&party, draft).await?;
        if view.draft.state != "open" {
            return Err(OrderError::Stale.into());
        }
        if view.lines.is_empty() {
            return Err(OrderError::Empty.into());
        }
        talk.state.open_line = None;
        talk.state.draft = Some(draft);
        let desk = basket::checkout(&view, note, &self.scene());
        talk.out.push(desk.in_place(DESK));
        Ok(())
    }

    pub(super) async fn address_book(&self, talk: &Talk<'_>) -> Result<Vec<AddressRow>, ChatError> {
        match talk.party().organization {
            Some(organization) => Ok(self.accounts.addresses(organization).await?),
            None => Ok(Vec::new()),
        }
    }

    pub(super) async fn set_delivery(
        &self,
        talk: &mut Talk<'_>,
        draft: DraftId,
        version: Option<i64>,
        when: Delivery,
    ) -> Result<(), Refused> {
        let set = move |delivery: &mut Delivery, _: &mut String, _: &mut String| *delivery = when;
        self.ordering.set_checkout(&talk.party(), draft, version, set).await?;
        talk.state.form = None;
        self.show_checkout(talk, draft, None).await
    }

    /// The cards move below what the buyer wrote.
    pub(super) async fn checkout_below(
        &self,
        talk: &mut Talk<'_>,
        draft: DraftId,
    ) -> Result<(), Refused> {
        let view = self.ordering.draft(&talk.party(), draft).await?;
        let scene = self.scene();
        talk.out.push(basket::list(&view, talk.state.page, &scene).below(LIST));
        talk.out.push(basket::checkout(&view, None, &scene).below(DESK));
        Ok(())
    }

    /// The answer that a buyer's form waited for.
    pub(in crate::chat::core) async fn fill_buyer(
        &self,
        talk: &mut Talk<'_>,
        form: Form,
        text: &str,
    ) -> Result<(), Refused> {
        let party = talk.party();
        let text = text.trim().to_owned();
        match form {
            Form::Quantity { line } => {
                let Some((quantity, unit)) = parse_quantity(&text) else {
                    talk.state.form = None;
                    return self.listen(talk, &text).await;
                };
                let view = self.ordering.set_quantity(&party, line, None, quantity, unit).await?;
                self.after_change_below(talk, &view, line);
            }
            Form::ProductQuantity { product } => {
                if !self.fill_product_quantity(talk, product, &text).await? {
                    return self.listen(talk, &text).await;
                }
            }
            Form::Rewrite { line } => {
                let view = self.ordering.rewrite_line(&party, line, talk.key, &text).await?;
                self.after_change_below(talk, &view, line);
            }
            Form::Date { draft } => {
                let today = self.base.zone.civil(talk.now).date();
                let Some(date) = basket::read_date(&text, today) else {
                    talk.state.ask(Form::Date { draft }, talk.now);
                    talk.say(Screen::text(
                        "Не понял дату. Напишите, например, «в пятницу» или «5.12».",
                    ));
                    return Ok(());
                };
                let set = move |delivery: &mut Delivery, _: &mut String, comment: &mut String| {
                    *delivery = Delivery::On(date);
                    // «в пятницу до 12»: what the date does not hold goes to the manager.
                    if text.contains("до ") || text.contains("после ") {
                        let both = format!("{comment}\nДоставка: {text}");
                        both.trim().clone_into(comment);
                    }
                };
                self.ordering.set_checkout(&party, draft, None, set).await?;
                self.checkout_below(talk, draft).await?;
            }
            Form::Address { draft } => {
                let set = move |_: &mut Delivery, address: &mut String, _: &mut String| {
                    *address = ru::ellipsis(&text, 300);
                };
                self.ordering.set_checkout(&party, draft, None, set).await?;
                self.checkout_below(talk, draft).await?;
            }
            Form::Comment { draft } => {
                let set = move |_: &mut Delivery, _: &mut String, comment: &mut String| {
                    *comment = ru::ellipsis(&text, 1_000);
                };
                self.ordering.set_checkout(&party, draft, None, set).await?;
                self.checkout_below(talk, draft).await?;
            }
            Form::AskAboutOrder { order } => self.ask_about_order(talk, order, &text).await?,
            form @ (Form::TemplateName { .. } | Form::TemplateRename { .. }) => {
                self.fill_template(talk, form, &text).await?;
            }
            Form::ReturnComment { order, version } => {
                Self::owners_only(talk)?;
                self.return_order(talk, order, version, &text).await?;
            }
            Form::WriteToClient { .. }
            | Form::RejectReason { .. }
            | Form::StaffQuantity { .. }
            | Form::PickBySearch { .. }
            | Form::ProposeBySearch { .. }
            | Form::StaffDate { .. }
            | Form::Document { .. }
            | Form::FindClient => {}
        }
        Ok(())
    }

    /// The buyer's message about an order goes to its manager.
    pub(super) async fn ask_about_order(
        &self,
        talk: &mut Talk<'_>,
        order: OrderId,
        text: &str,
    ) -> Result<(), Refused> {
        let row = self.ordering.ask_manager(&talk.party(), order, text, talk.key).await?;
        let hours = &self.base.config.company.hours;
        let words = format!("Сообщение о заявке №\u{a0}{} передано. Отвечаем {hours}.", row.number);
        talk.out.push(Screen::text(words).below(PANE));
        Ok(())
    }
}
