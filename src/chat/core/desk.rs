//! What staff do: the queue, the card of an order, picking products, writing to the client.

use jiff::ToSpan;
use jiff::civil::Date;

use super::{Core, PANE, Refused, Talk};
use crate::chat::dialogue::Form;
use crate::chat::notices::staff_slot;
use crate::chat::screens::{basket, order, staff};
use crate::chat::worker::ChatError;
use crate::chat::{Action, Button, Screen};
use crate::domain::{
    Channel, Delivery, LineState, OrderId, OrderLineId, OrderNumber, OrderStatus, Quantity, Unit,
    ru,
};
use crate::recognition::parse_quantity;
use crate::services::ordering::{Actor, Edit, OrderError, OrderView};
use crate::services::overview::Overview;
use crate::storage::offers::Offer;
use crate::storage::orders::{OrderFilter, OrderLineRow};

/// How many products a search shows.
const FOUND: usize = 8;

impl Core {
    pub(super) fn actor(talk: &Talk<'_>) -> Actor {
        Actor { person: talk.who.person_id(), channel: Channel::Bot }
    }

    /// Free text of staff: an order's number, or something of the catalogue.
    pub(super) async fn look_up(&self, talk: &mut Talk<'_>, text: &str) -> Result<(), ChatError> {
        if let Some(number) = OrderNumber::parse(text) {
            match self.ordering.order_by_number(number).await {
                Ok(view) => {
                    let slot = staff_slot(view.order.id);
                    talk.out.push(self.staff_card(&view, &self.scene(), talk.private).below(slot));
                    return Ok(());
                }
                Err(OrderError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // A phone or a taxpayer's number is a client's.
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let letters = text.chars().any(char::is_alphabetic);
        if talk.private && digits >= 10 && !letters && self.offer_clients(talk, text).await? {
            return Ok(());
        }
        let offers = self.ordering.search(text, FOUND).await?;
        if offers.is_empty() && talk.private && self.offer_clients(talk, text).await? {
            return Ok(());
        }
        talk.say(staff::found(text.trim(), &offers));
        Ok(())
    }

    /// «Поиск».
    pub(super) async fn begin_find(&self, talk: &mut Talk<'_>) -> Result<(), ChatError> {
        if !talk.who.is_staff() {
            return self.menu(talk).await;
        }
        talk.say(Screen::text(
            "Напишите номер заказа, название или артикул товара, телефон или ИНН клиента.",
        ));
        Ok(())
    }

    /// «Ещё».
    pub(super) async fn show_more(&self, talk: &mut Talk<'_>) -> Result<(), ChatError> {
        if !talk.who.is_staff() {
            return self.menu(talk).await;
        }
        if talk.only_private() {
            return Ok(());
        }
        let screen = self.more_screen(talk).await?;
        talk.out.push(screen.below(PANE));
        Ok(())
    }

    async fn more_screen(&self, talk: &Talk<'_>) -> Result<Screen, ChatError> {
        let figures =
            Overview::new(self.base.clone(), self.ordering.catalog().clone()).figures().await?;
        let on_shift = talk.who.person.as_ref().is_some_and(|person| person.on_shift);
        Ok(staff::more(&figures, on_shift, talk.who.is_admin()))
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
                talk.out.push(staff::composition(&view, 0).below(PANE));
            }
            Action::StaffLines { order, page } => {
                let view = self.ordering.order(order).await?;
                talk.out.push(staff::composition(&view, page).in_place(PANE));
            }
            Action::StaffAccept { order, .. } => {
                let row = self.ordering.accept(actor, order, None).await?;
                let view = self.ordering.order(row.id).await?;
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
                let (view, row) = self.ordering.order_line(line).await?;
                let edit = Edit::Replace { line, product, remember: !talk.state.forgets };
                let picked = self.ordering.edit(actor, view.order.id, version, edit).await;
                let view = match picked {
                    // It has it already.
                    Err(OrderError::Stale) if row.product == Some(product) => view,
                    Err(OrderError::Stale) => {
                        talk.toast("Карточка обновилась, проверьте");
                        Self::show_resolve(talk, &view, &row);
                        return Ok(());
                    }
                    picked => picked?,
                };
                self.next_or_card(talk, &view);
            }
            action => self.press_more(talk, action).await?,
        }
        Ok(())
    }

    /// A refusal, step by step, and what belongs to no order.
    async fn press_more(&self, talk: &mut Talk<'_>, action: Action) -> Result<(), Refused> {
        match action {
            Action::StaffReject { order } => {
                let view = self.ordering.order(order).await?;
                talk.out.push(staff::reasons(&view.order).in_place(staff_slot(order)));
            }
            Action::StaffReason { order, reason } => {
                let view = self.ordering.order(order).await?;
                let index = usize::try_from(reason).unwrap_or(usize::MAX);
                let (_, text) = staff::REASONS.get(index).ok_or(OrderError::Stale)?;
                let version = view.order.revision;
                let send = Action::StaffRejectYes { order, version, reason };
                let preview = staff::reject_preview(&view.order, text, send);
                talk.out.push(preview.in_place(staff_slot(order)));
            }
            Action::StaffOwnReason { order } => {
                talk.state.ask(Form::RejectReason { order, reason: String::new() }, talk.now);
                let screen = Screen::text("Напишите причину: клиент прочитает её слово в слово.")
                    .row([Button::new("Назад", Action::StaffReject { order })]);
                talk.out.push(screen.in_place(staff_slot(order)));
            }
            Action::StaffRejectYes { order, version, reason } => {
                let index = usize::try_from(reason).unwrap_or(usize::MAX);
                let (_, text) = staff::REASONS.get(index).ok_or(OrderError::Stale)?;
                self.reject(talk, order, version, text).await?;
            }
            Action::StaffRejectOwn { order, version } => {
                let text = match talk.state.form.take() {
                    Some(Form::RejectReason { order: of, reason }) if of == order => reason,
                    _ => String::new(),
                };
                if text.is_empty() {
                    // The form has expired or is another order's.
                    return Err(OrderError::Stale.into());
                }
                self.reject(talk, order, version, &text).await?;
            }
            Action::StaffRemember { line } => {
                talk.state.forgets = !talk.state.forgets;
                let (view, line) = self.ordering.order_line(line).await?;
                let sought = std::mem::take(&mut talk.state.sought);
                let asked = Form::PickBySearch { line: line.id };
                if sought.is_empty() || talk.state.form != Some(asked) {
                    Self::show_resolve(talk, &view, &line);
                } else {
                    let offers = self.ordering.search(&sought, FOUND).await?;
                    let remember = !talk.state.forgets;
                    let screen = staff::resolve(&view, &line, Some(&offers), remember);
                    talk.state.sought = sought;
                    talk.out.push(screen.in_place(staff_slot(view.order.id)));
                }
            }
            Action::StaffMore => {
                let screen = self.more_screen(talk).await?;
                talk.out.push(screen.in_place(PANE));
            }
            Action::StaffShift { on } => {
                let person = talk.who.person_id().ok_or(OrderError::Guest)?;
                self.accounts.set_on_shift(person, on == 1).await.map_err(ChatError::from)?;
                talk.who = self.accounts.who(talk.chat).await.map_err(ChatError::from)?;
                talk.toast(if on == 1 {
                    "Вы на смене: новые заявки придут сюда"
                } else {
                    "Вы не на смене: новые заявки придут коллегам"
                });
                let screen = self.more_screen(talk).await?;
                talk.out.push(screen.in_place(PANE));
            }
            action => self.press_change(talk, action).await?,
        }
        Ok(())
    }

    /// Rejects an order; the client reads why.
    async fn reject(
        &self,
        talk: &mut Talk<'_>,
        order: OrderId,
        version: i64,
        reason: &str,
    ) -> Result<(), Refused> {
        let (actor, next) = (Self::actor(talk), OrderStatus::Rejected);
        self.ordering.set_status(actor, order, Some(version), next, reason).await?;
        let view = self.ordering.order(order).await?;
        self.put_card(talk, &view);
        Ok(())
    }

    /// Changes of an order that is in work: another day, another manager, another product.
    async fn press_change(&self, talk: &mut Talk<'_>, action: Action) -> Result<(), Refused> {
        let actor = Self::actor(talk);
        match action {
            Action::StaffDates { order } => {
                let view = self.ordering.order(order).await?;
                talk.state.ask(Form::StaffDate { order }, talk.now);
                let today = self.base.zone.civil(talk.now).date();
                talk.out.push(staff::dates(&view.order, today).in_place(staff_slot(order)));
            }
            Action::StaffDate { order, version, days } => {
                let today = self.base.zone.civil(talk.now).date();
                let date = today.checked_add(days.days()).map_err(|_| OrderError::Stale)?;
                let view = self.move_delivery(actor, order, Some(version), date).await?;
                talk.state.form = None;
                self.put_card(talk, &view);
            }
            Action::StaffColleagues { order } => {
                let view = self.ordering.order(order).await?;
                let staff = self.accounts.staff().await.map_err(ChatError::from)?;
                let own = talk.who.person_id();
                let others: Vec<_> = staff
                    .into_iter()
                    .filter(|one| one.role.is_staff() && !one.blocked && Some(one.id) != own)
                    .collect();
                let screen = staff::colleagues(&view.order, &others);
                talk.out.push(screen.in_place(staff_slot(order)));
            }
            Action::StaffPass { order, person } => {
                let view = self.ordering.assign(actor, order, None, Some(person)).await?;
                let to = view.order.manager_name.clone();
                talk.toast(&format!("Заявка №\u{a0}{} передана: {to}", view.order.number));
                self.put_card(talk, &view);
            }
            Action::StaffTell { order, version } => {
                let view = self.ordering.send_changes(actor, order, version).await?;
                talk.toast("Изменения отправлены клиенту");
                self.put_card(talk, &view);
            }
            Action::StaffReplace { order } => {
                let view = self.ordering.order(order).await?;
                talk.out.push(staff::replaceable(&view).in_place(staff_slot(order)));
            }
            Action::StaffReplaceLine { line } => {
                let (view, line) = self.ordering.order_line(line).await?;
                talk.state.ask(Form::ProposeBySearch { line: line.id }, talk.now);
                let offers = self.similar(&line).await?;
                let slot = staff_slot(view.order.id);
                talk.out.push(staff::propose(&view, &line, &offers).in_place(slot));
            }
            Action::StaffPropose { line, version, product } => {
                let view = self.ordering.propose(actor, line, version, product).await?;
                talk.state.form = None;
                talk.toast("Предложение отправлено клиенту");
                self.put_card(talk, &view);
            }
            Action::StaffDocument { order } => self.ask_document(talk, order).await?,
            Action::StaffPanel { order } => self.open_panel(talk, order).await?,
            _ => self.menu(talk).await?,
        }
        Ok(())
    }

    /// Moves the delivery to another day and tells the client. Repeated, it tells nobody again.
    async fn move_delivery(
        &self,
        actor: Actor,
        id: OrderId,
        version: Option<i64>,
        date: Date,
    ) -> Result<OrderView, OrderError> {
        let delivery = Delivery::On(date);
        let mut view = self.ordering.order(id).await?;
        if view.order.delivery != delivery {
            let version = version.unwrap_or(view.order.revision);
            let edit = Edit::Delivery { delivery, address: view.order.address };
            view = self.ordering.edit(actor.clone(), id, version, edit).await?;
        }
        if view.unsent.is_empty() {
            return Ok(view);
        }
        self.ordering.send_changes(actor, id, view.order.revision).await
    }

    /// Sets how many of a line, as it stands now. Repeated, it changes nothing.
    async fn set_quantity(
        &self,
        actor: Actor,
        line: OrderLineId,
        quantity: Quantity,
        unit: Option<Unit>,
    ) -> Result<OrderView, OrderError> {
        let (view, row) = self.ordering.order_line(line).await?;
        let same = unit.as_ref().is_none_or(|unit| row.unit == unit.as_str());
        if same && row.quantity == Some(quantity) {
            return Ok(view);
        }
        let edit = Edit::Quantity { line, quantity, unit };
        self.ordering.edit(actor, view.order.id, view.order.revision, edit).await
    }

    /// Products like the line's: by all of its words, or by as many of the first ones as lead to
    /// another product.
    async fn similar(&self, line: &OrderLineRow) -> Result<Vec<Offer>, OrderError> {
        let words = if line.title.is_empty() { &line.raw } else { &line.title };
        let words: Vec<&str> = words.split_whitespace().take(8).collect();
        for count in (1..=words.len()).rev() {
            let offers = self.ordering.search(&words[..count].join(" "), FOUND).await?;
            if offers.iter().any(|offer| Some(offer.id) != line.product) {
                return Ok(offers);
            }
        }
        Ok(Vec::new())
    }

    /// A link that opens the order in the panel once, within a minute.
    async fn open_panel(&self, talk: &mut Talk<'_>, order: OrderId) -> Result<(), Refused> {
        let view = self.ordering.order(order).await?;
        let url = self.base.config.server.public_url.as_deref();
        let (Some(url), Some(person)) = (url, talk.who.person_id()) else {
            talk.refuse("Адрес панели не задан: server.public_url.");
            return Ok(());
        };
        if talk.only_private() {
            return Ok(());
        }
        let token = self.accounts.panel_link(person).await.map_err(ChatError::from)?;
        let screen = staff::panel_link(url, token.expose(), &view.order);
        talk.out.push(screen.below(PANE));
        Ok(())
    }

    fn put_card(&self, talk: &mut Talk<'_>, view: &OrderView) {
        let slot = staff_slot(view.order.id);
        talk.out.push(self.staff_card(view, &self.scene(), talk.private).in_place(slot));
    }

    fn show_resolve(talk: &mut Talk<'_>, view: &OrderView, line: &OrderLineRow) {
        let slot = staff_slot(view.order.id);
        if line.product.is_some() && line.base_quantity.is_none() {
            talk.state.ask(Form::StaffQuantity { line: line.id }, talk.now);
            talk.out.push(staff::ask_quantity(view, line).in_place(slot));
            return;
        }
        talk.state.ask(Form::PickBySearch { line: line.id }, talk.now);
        talk.out.push(staff::resolve(view, line, None, !talk.state.forgets).in_place(slot));
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
            | Form::PickBySearch { .. }
            | Form::ProposeBySearch { .. }
            | Form::StaffDate { .. }
            | Form::Document { .. }
            | Form::FindClient => {
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
                self.ordering.write_to_client(actor, order, text, Some(talk.key)).await?;
                let view = self.ordering.order(order).await?;
                let words = format!("Сообщение по заявке №\u{a0}{} отправлено.", view.order.number);
                talk.out.push(Screen::text(words).below(PANE));
            }
            Form::RejectReason { order, .. } => {
                let view = self.ordering.order(order).await?;
                let reason = ru::ellipsis(text.trim(), 500);
                let send = Action::StaffRejectOwn { order, version: view.order.revision };
                let preview = staff::reject_preview(&view.order, &reason, send);
                talk.state.ask(Form::RejectReason { order, reason }, talk.now);
                talk.out.push(preview.below(staff_slot(order)));
            }
            Form::StaffQuantity { line } => {
                let Some((quantity, unit)) = parse_quantity(text) else {
                    talk.state.ask(Form::StaffQuantity { line }, talk.now);
                    talk.say(Screen::text(
                        "Не понял количество. Напишите, например, «250» или «3 кор».",
                    ));
                    return Ok(());
                };
                let view = self.set_quantity(actor, line, quantity, unit).await?;
                match view.lines.iter().find(|line| line.state != LineState::Ok) {
                    Some(line) => Self::show_resolve(talk, &view, line),
                    None => {
                        let slot = staff_slot(view.order.id);
                        talk.out
                            .push(self.staff_card(&view, &self.scene(), talk.private).below(slot));
                    }
                }
            }
            Form::PickBySearch { line } => {
                let offers = self.ordering.search(text, FOUND).await?;
                let (view, line) = self.ordering.order_line(line).await?;
                talk.state.ask(Form::PickBySearch { line: line.id }, talk.now);
                text.clone_into(&mut talk.state.sought);
                let slot = staff_slot(view.order.id);
                let remember = !talk.state.forgets;
                talk.out.push(staff::resolve(&view, &line, Some(&offers), remember).below(slot));
            }
            Form::ProposeBySearch { line } => {
                let offers = self.ordering.search(text, FOUND).await?;
                let (view, line) = self.ordering.order_line(line).await?;
                talk.state.ask(Form::ProposeBySearch { line: line.id }, talk.now);
                let slot = staff_slot(view.order.id);
                talk.out.push(staff::propose(&view, &line, &offers).below(slot));
            }
            Form::StaffDate { order } => {
                let today = self.base.zone.civil(talk.now).date();
                let Some(date) = basket::read_date(text, today) else {
                    talk.state.ask(Form::StaffDate { order }, talk.now);
                    talk.say(Screen::text(
                        "Не понял дату. Напишите, например, «в пятницу» или «5.12».",
                    ));
                    return Ok(());
                };
                let view = self.move_delivery(actor, order, None, date).await?;
                let slot = staff_slot(order);
                talk.out.push(self.staff_card(&view, &self.scene(), talk.private).below(slot));
            }
            // Words in the place of a file: the file is still waited for.
            Form::Document { order } => self.ask_document(talk, order).await?,
            Form::FindClient => self.find_clients(talk, text).await?,
            other => self.fill_buyer(talk, other, text).await?,
        }
        Ok(())
    }

    /// Leaves whatever form there is.
    pub(super) async fn cancel_form(&self, talk: &mut Talk<'_>) -> Result<(), ChatError> {
        let was = talk.state.form.take();
        Self::cancel_account_form(talk);
        // A template's name is asked for beside the draft, not on its desk.
        let on_desk = talk.state.draft.is_some() && !talk.who.is_staff();
        if was.as_ref().is_some_and(|form| on_desk && !form.is_naming()) {
            if let Some(view) = self.ordering.open_draft(&talk.party()).await? {
                let desk = basket::review(&view, talk.state.page, None, &self.scene());
                talk.out.push(desk.in_place(super::DESK));
            }
        } else if was.is_some() {
            talk.out
                .push(crate::services::notifications::Outgoing::Remove { slot: PANE.to_owned() });
        }
        Ok(())
    }
}
