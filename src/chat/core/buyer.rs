//! What a buyer does: the draft on two cards, checkout, and their orders.

use jiff::ToSpan;

use super::{Core, DESK, LIST, PANE, Refused, Talk};
use crate::chat::dialogue::{Form, State};
use crate::chat::notices::buyer_slot;
use crate::chat::screens::{basket, menu, order};
use crate::chat::worker::ChatError;
use crate::chat::{Action, Button, Screen};
use crate::domain::{Delivery, DraftId, DraftLineId, OrderId, Quantity, ru};
use crate::recognition::{RemarkKind, parse_quantity};
use crate::services::conversations::Conversations;
use crate::services::notifications::Outgoing;
use crate::services::ordering::{
    Added, DraftLine, DraftView, Need, OrderError, Party, Pending, Placed,
};
use crate::storage::organizations::AddressRow;

/// The longest message that is read as an order, in characters.
const LONGEST_MESSAGE: usize = 4_096;

impl Core {
    /// Free text of a buyer: the answer to an open question, an order, a question or a greeting.
    pub(super) async fn order(&self, talk: &mut Talk<'_>, text: &str) -> Result<(), ChatError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        if text.chars().count() > LONGEST_MESSAGE {
            talk.say(Screen::text("Сообщение слишком длинное. Пришлите список частями."));
            return Ok(());
        }
        match self.try_order(talk, text).await {
            Ok(()) => Ok(()),
            Err(Refused::Order(error)) => self.explain(talk, error).await,
            Err(Refused::Fault(error)) => Err(error),
        }
    }

    async fn try_order(&self, talk: &mut Talk<'_>, text: &str) -> Result<(), Refused> {
        if let Some(line) = talk.state.open_line
            && self.answer_line(talk, line, text).await?
        {
            return Ok(());
        }
        let party = talk.party();
        let added = match self.ordering.add_text(&party, talk.key, text).await {
            Ok(added) => added,
            Err(OrderError::Empty) => return Ok(self.nothing_ordered(talk, text).await?),
            Err(error) => return Err(error.into()),
        };
        if added.added == 0 {
            return Ok(self.nothing_ordered(talk, text).await?);
        }
        talk.state.open_line = None;
        talk.state.walking = false;
        talk.state.page = basket::pages(&added.view) - 1;
        if !added.extended {
            talk.state.page = 0;
        }
        let note = added_note(&added);
        self.both_below(talk, &added.view, note.as_deref(), added.extended);
        if let (Some(pending), Some(tasks)) = (added.pending.clone(), &self.tasks) {
            let aid = self.clone().finish(party.clone(), added.view.draft.id, pending);
            tasks.spawn_once("model", aid);
        }
        if party.person.is_none() {
            let found = added.view.lines.len() - added.view.unresolved().count();
            let words = format!(
                "Нашёл {found} из {}. Подтвердите номер, и я отправлю заявку.",
                ru::positions_genitive(added.view.lines.len())
            );
            talk.say(Screen::text(words).keyboard(menu::guest_keyboard()));
        }
        if added.remarks.iter().any(|(kind, _)| *kind == RemarkKind::Question) {
            talk.say(self.question_hint());
        }
        Ok(())
    }

    /// Waits for a model and shows what it added: the list, and the summary if that is what card 2
    /// shows.
    async fn finish(self, party: Party, draft: DraftId, pending: Pending) {
        let view = match self.ordering.finish(&party, draft, pending).await {
            Ok(Some(view)) => view,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!("предложение модели не сохранено: {error}");
                return;
            }
        };
        let conversations = Conversations::new(self.base.clone());
        let state = conversations.state(party.chat.clone()).await.ok().flatten();
        let state: State =
            state.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        let mut out = vec![basket::list(&view, state.page, &self.scene()).in_place(LIST)];
        if state.open_line.is_none() && state.form.is_none() {
            out.push(basket::review(&view, state.page, None, false).in_place(DESK));
        }
        if let Err(error) = conversations.say(party.chat, out).await {
            tracing::warn!("предложение модели не показано: {error}");
        }
    }

    /// Nothing in the message was an order.
    async fn nothing_ordered(&self, talk: &mut Talk<'_>, text: &str) -> Result<(), ChatError> {
        if text.contains('?') {
            talk.say(self.question_hint());
            return Ok(());
        }
        if text.chars().any(char::is_numeric) {
            talk.say(Screen::text("Не нашёл этих товаров. Напишите артикул или размер."));
            return Ok(());
        }
        self.menu(talk).await
    }

    fn question_hint(&self) -> Screen {
        let mut words = format!("На вопросы отвечает менеджер, {}", self.base.config.company.hours);
        if let Some(phone) = &self.base.config.company.phone {
            words = format!("{words}, {phone}");
        }
        Screen::text(format!("{words}. Вопрос можно написать и в комментарии к заявке."))
    }

    /// Takes the text as the answer to the open line's question; whether it was one.
    async fn answer_line(
        &self,
        talk: &mut Talk<'_>,
        line: DraftLineId,
        text: &str,
    ) -> Result<bool, Refused> {
        let party = talk.party();
        let Some(view) = self.ordering.open_draft(&party).await? else { return Ok(false) };
        let Some(row) = view.line(line) else { return Ok(false) };
        if row.offer.is_some()
            && let Some((quantity, unit)) = parse_quantity(text)
        {
            let view = self.ordering.set_quantity(&party, line, None, quantity, unit).await?;
            self.after_change_below(talk, &view, line);
            return Ok(true);
        }
        // A list of other goods is no answer.
        let short = text.split_whitespace().count() <= 4 && !text.contains(['\n', ',', ';']);
        if row.need() != Need::Product || !short {
            return Ok(false);
        }
        match self.ordering.answer(&party, line, text).await? {
            Some(view) => {
                self.after_change_below(talk, &view, line);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Both cards anew, below everything.
    fn both_below(&self, talk: &mut Talk<'_>, view: &DraftView, note: Option<&str>, undo: bool) {
        let scene = self.scene();
        talk.state.draft = Some(view.draft.id);
        talk.out.push(basket::list(view, talk.state.page, &scene).below(LIST));
        talk.out.push(basket::review(view, talk.state.page, note, undo).below(DESK));
    }

    /// Both cards where they stand: the list, and the desk with this screen.
    fn both(&self, talk: &mut Talk<'_>, view: &DraftView, desk: Screen) {
        talk.out.push(basket::list(view, talk.state.page, &self.scene()).in_place(LIST));
        talk.out.push(desk.in_place(DESK));
    }

    /// What card 2 shows after a line has changed: the next question of the walk, or the summary.
    fn next_desk(&self, talk: &mut Talk<'_>, view: &DraftView, line: DraftLineId) -> Screen {
        let scene = self.scene();
        talk.state.open_line = None;
        // A line that still needs something is asked on: its quantity after its product.
        if let Some(row) = view.line(line)
            && talk.state.walking
            && !matches!(row.need(), Need::Nothing)
        {
            talk.state.open_line = Some(line);
            return basket::clarify(view, row, 0, &scene);
        }
        let next = talk.state.walking.then(|| next_open(view, line)).flatten();
        if let Some(next) = next {
            talk.state.open_line = Some(next.row.id);
            return basket::clarify(view, next, 0, &scene);
        }
        talk.state.walking = false;
        basket::review(view, talk.state.page, None, false)
    }

    fn after_change(&self, talk: &mut Talk<'_>, view: &DraftView, line: DraftLineId) {
        let desk = self.next_desk(talk, view, line);
        self.both(talk, view, desk);
    }

    fn after_change_below(&self, talk: &mut Talk<'_>, view: &DraftView, line: DraftLineId) {
        let desk = self.next_desk(talk, view, line);
        let list = basket::list(view, talk.state.page, &self.scene());
        talk.out.push(list.below(LIST));
        talk.out.push(desk.below(DESK));
    }

    /// Redraws the cards of the open draft, if there is one.
    pub(super) async fn redraw(&self, talk: &mut Talk<'_>) -> Result<(), ChatError> {
        let Some(view) = self.ordering.open_draft(&talk.party()).await? else {
            return self.menu(talk).await;
        };
        talk.state.open_line = None;
        talk.state.walking = false;
        let desk = basket::review(&view, talk.state.page, None, false);
        self.both(talk, &view, desk);
        Ok(())
    }

    /// «Новая заявка»: the open draft, or how to write one.
    pub(super) async fn new_order(&self, talk: &mut Talk<'_>) -> Result<(), ChatError> {
        let view = self.ordering.open_draft(&talk.party()).await?;
        match view.filter(|view| !view.lines.is_empty()) {
            Some(view) => self.both_below(talk, &view, None, false),
            None => talk.say(Screen::text(
                "Пришлите список: товар и количество, как вам удобно. Например: «саморез 4х25 жёлтый 4 тыс, спанбонд 70 белый 2 рул».",
            )),
        }
        Ok(())
    }

    pub(super) async fn press_buyer(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), Refused> {
        match action.code().split('.').next() {
            Some("draft") => self.press_draft(talk, action).await,
            Some("line") => self.press_line(talk, action).await,
            Some("checkout") => self.press_checkout(talk, action).await,
            _ => self.press_order(talk, action).await,
        }
    }

    async fn press_draft(&self, talk: &mut Talk<'_>, action: Action) -> Result<(), Refused> {
        let party = talk.party();
        match action {
            Action::DraftNew => self.new_order(talk).await?,
            Action::DraftReview { draft } => {
                let view = self.ordering.draft(&party, draft).await?;
                talk.state.open_line = None;
                talk.state.walking = false;
                talk.state.form = None;
                let desk = basket::review(&view, talk.state.page, None, false);
                talk.out.push(desk.in_place(DESK));
            }
            Action::DraftClarify { draft, .. } => {
                let view = self.ordering.draft(&party, draft).await?;
                let Some(line) = view.unresolved().next() else {
                    let desk = basket::review(&view, talk.state.page, None, false);
                    self.both(talk, &view, desk);
                    return Ok(());
                };
                talk.state.walking = true;
                self.show_line(talk, &view, line, 0);
            }
            Action::DraftPage { draft, page } => {
                let view = self.ordering.draft(&party, draft).await?;
                talk.state.page = page_of(page).min(basket::pages(&view) - 1);
                let desk = basket::review(&view, talk.state.page, None, false);
                self.both(talk, &view, desk);
            }
            Action::DraftLines { draft, page } => {
                let view = self.ordering.draft(&party, draft).await?;
                talk.state.page = page_of(page).min(basket::pages(&view) - 1);
                let desk = basket::lines(&view, talk.state.page);
                self.both(talk, &view, desk);
            }
            Action::DraftHandover { draft } => {
                let view = self.ordering.draft(&party, draft).await?;
                talk.out.push(basket::handover(&view).in_place(DESK));
            }
            Action::DraftHandoverYes { draft, version } => {
                let view = self.ordering.give_all_to_manager(&party, draft, version).await?;
                let desk = basket::checkout(&view, None, party.may_send, &self.scene());
                self.both(talk, &view, desk);
            }
            Action::DraftClear { draft, version } => {
                let view = self.ordering.draft(&party, draft).await?;
                self.ordering.clear(&party, draft, version).await?;
                talk.state.draft = None;
                talk.out.push(Outgoing::Remove { slot: LIST.to_owned() });
                talk.out.push(basket::cleared(&view).in_place(DESK));
            }
            Action::DraftRestore { draft } => {
                let view = self.ordering.restore_draft(&party, draft).await?;
                self.both_below(talk, &view, None, false);
            }
            Action::DraftUndoAdd { draft, version } => {
                let view = self.ordering.undo_add(&party, draft, version).await?;
                talk.state.page = talk.state.page.min(basket::pages(&view) - 1);
                let desk = basket::review(&view, talk.state.page, None, false);
                self.both(talk, &view, desk);
            }
            _ => self.menu(talk).await?,
        }
        Ok(())
    }

    fn show_line(&self, talk: &mut Talk<'_>, view: &DraftView, line: &DraftLine, page: usize) {
        talk.state.open_line = Some(line.row.id);
        talk.state.draft = Some(view.draft.id);
        talk.out.push(basket::clarify(view, line, page, &self.scene()).in_place(DESK));
    }

    /// The open draft with the line in it.
    async fn line_view(&self, talk: &Talk<'_>, line: DraftLineId) -> Result<DraftView, OrderError> {
        let view = self.ordering.open_draft(&talk.party()).await?.ok_or(OrderError::Stale)?;
        if view.line(line).is_some() { Ok(view) } else { Err(OrderError::Stale) }
    }

    async fn press_line(&self, talk: &mut Talk<'_>, action: Action) -> Result<(), Refused> {
        let party = talk.party();
        match action {
            Action::LineShow { line } => {
                let view = self.line_view(talk, line).await?;
                talk.state.walking = false;
                if let Some(row) = view.line(line) {
                    self.show_line(talk, &view, row, 0);
                }
            }
            Action::LineOptions { line, page } => {
                let view = self.line_view(talk, line).await?;
                if let Some(row) = view.line(line) {
                    self.show_line(talk, &view, row, page_of(page));
                }
            }
            Action::LinePick { line, version, product } => {
                let view = self.ordering.pick(&party, line, version, product).await?;
                self.after_pick(talk, &view, line);
            }
            Action::LineNarrow { line, version, option } => {
                let option = usize::try_from(option).map_err(|_| OrderError::Stale)?;
                let view = self.ordering.narrow(&party, line, version, option).await?;
                self.after_pick(talk, &view, line);
            }
            Action::LineRewrite { line } => {
                let view = self.line_view(talk, line).await?;
                talk.state.ask(Form::Rewrite { line }, talk.now);
                let words = "Напишите иначе: артикул, размер, цвет.";
                let back = Action::DraftReview { draft: view.draft.id };
                talk.out.push(Screen::text(words).row([Button::new("Назад", back)]).in_place(DESK));
            }
            Action::LineManager { line, version } => {
                let view = self.ordering.give_to_manager(&party, line, version).await?;
                self.after_change(talk, &view, line);
            }
            Action::LineSkip { line } => {
                let view = self.line_view(talk, line).await?;
                let desk = match talk.state.walking.then(|| next_open(&view, line)).flatten() {
                    Some(next) => {
                        talk.state.open_line = Some(next.row.id);
                        basket::clarify(&view, next, 0, &self.scene())
                    }
                    None => {
                        talk.state.open_line = None;
                        basket::review(&view, talk.state.page, None, false)
                    }
                };
                talk.out.push(desk.in_place(DESK));
            }
            Action::LineRemove { line, version } => {
                let before = self.line_view(talk, line).await?;
                let next = next_open(&before, line).map(|next| next.row.id);
                let view = self.ordering.remove_line(&party, line, version).await?;
                if view.lines.is_empty() {
                    self.ordering.clear(&party, view.draft.id, view.draft.revision).await?;
                    talk.state = State::default();
                    talk.out.push(Outgoing::Remove { slot: LIST.to_owned() });
                    let words = "В заявке больше нет позиций. Пришлите новый список.";
                    talk.out.push(Screen::text(words).in_place(DESK));
                    return Ok(());
                }
                talk.state.page = talk.state.page.min(basket::pages(&view) - 1);
                let desk = match next.filter(|_| talk.state.walking).and_then(|id| view.line(id)) {
                    Some(next) => {
                        talk.state.open_line = Some(next.row.id);
                        basket::clarify(&view, next, 0, &self.scene())
                    }
                    None => basket::review(&view, talk.state.page, None, false),
                };
                self.both(talk, &view, desk);
            }
            Action::LineReplace { line } => {
                let view = self.ordering.reopen_line(&party, line).await?;
                talk.state.walking = false;
                if let Some(row) = view.line(line) {
                    talk.state.open_line = Some(line);
                    let desk = basket::clarify(&view, row, 0, &self.scene());
                    self.both(talk, &view, desk);
                }
            }
            action => self.press_quantity(talk, action).await?,
        }
        Ok(())
    }

    async fn press_quantity(&self, talk: &mut Talk<'_>, action: Action) -> Result<(), Refused> {
        let party = talk.party();
        match action {
            Action::LineStep { line, version, by } => {
                let view = self.line_view(talk, line).await?;
                let row = view.line(line).ok_or(OrderError::Stale)?;
                let now = row.row.quantity.unwrap_or_default().thousandths();
                let sum = Quantity::from_thousandths(now.saturating_add(by).max(0));
                if !sum.is_positive() {
                    talk.toast("Меньше нуля не бывает. Позицию можно убрать.");
                    return Ok(());
                }
                let version = Some(version);
                let view = self.ordering.set_quantity(&party, line, version, sum, None).await?;
                self.redraw_line(talk, &view, line);
            }
            Action::LineSet { line, version, quantity } => {
                let quantity = Quantity::from_thousandths(quantity);
                // The offered numbers are in base units.
                let view = self.line_view(talk, line).await?;
                let base = view.line(line).and_then(|row| row.offer.as_ref());
                let unit = base.map(|offer| offer.unit.clone());
                let version = Some(version);
                let view =
                    self.ordering.set_quantity(&party, line, version, quantity, unit).await?;
                self.after_pick(talk, &view, line);
            }
            Action::LineKeep { line, version } => {
                let view = self.ordering.keep_quantity(&party, line, version).await?;
                self.after_change(talk, &view, line);
            }
            Action::LineQuantity { line } => {
                let view = self.line_view(talk, line).await?;
                talk.state.ask(Form::Quantity { line }, talk.now);
                talk.state.open_line = Some(line);
                let back = Action::LineShow { line };
                let screen = Screen::text("Напишите количество: «250» или «3 кор».")
                    .row([Button::new("Назад", back)]);
                talk.state.draft = Some(view.draft.id);
                talk.out.push(screen.in_place(DESK));
            }
            _ => self.menu(talk).await?,
        }
        Ok(())
    }

    /// After a choice: what the same line still needs comes before the next line.
    fn after_pick(&self, talk: &mut Talk<'_>, view: &DraftView, line: DraftLineId) {
        let open = view.line(line).filter(|row| row.need() != Need::Nothing);
        if let Some(row) = open {
            talk.state.open_line = Some(line);
            let desk = basket::clarify(view, row, 0, &self.scene());
            self.both(talk, view, desk);
            return;
        }
        self.after_change(talk, view, line);
    }

    fn redraw_line(&self, talk: &mut Talk<'_>, view: &DraftView, line: DraftLineId) {
        let Some(row) = view.line(line) else { return };
        talk.state.open_line = Some(line);
        let desk = basket::clarify(view, row, 0, &self.scene());
        self.both(talk, view, desk);
    }

    async fn press_checkout(&self, talk: &mut Talk<'_>, action: Action) -> Result<(), Refused> {
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
                let placed = self.ordering.place(&party, draft, version).await;
                self.after_place(talk, draft, placed).await?;
            }
            _ => self.menu(talk).await?,
        }
        Ok(())
    }

    async fn after_place(
        &self,
        talk: &mut Talk<'_>,
        draft: DraftId,
        placed: Result<Placed, OrderError>,
    ) -> Result<(), Refused> {
        match placed? {
            Placed::Sent { order, .. } if talk.state.lens.is_some() => {
                Self::placed_for_client(talk, &order);
            }
            Placed::Sent { order, learnt } => {
                talk.state = State::default();
                talk.out.push(Outgoing::Remove { slot: LIST.to_owned() });
                talk.out.push(Outgoing::Remove { slot: DESK.to_owned() });
                let screen = order::sent(&order, learnt, &self.base.config.company);
                talk.out.push(screen.below(buyer_slot(order.id)));
            }
            Placed::Changed(order) => {
                talk.state = State::default();
                talk.out.push(Outgoing::Remove { slot: LIST.to_owned() });
                talk.out.push(Outgoing::Remove { slot: DESK.to_owned() });
                let screen = order::card(&order, &self.scene());
                talk.toast(&format!("Заявка №\u{a0}{} изменена", order.number));
                talk.out.push(screen.below(buyer_slot(order.id)));
            }
            Placed::Already(order) => {
                talk.toast(&format!("Заявка №\u{a0}{} уже отправлена", order.number));
            }
            Placed::PricesMoved(moved) => {
                let view = self.ordering.draft(&talk.party(), draft).await?;
                let desk = basket::prices_moved(&view, &moved);
                self.both(talk, &view, desk);
            }
        }
        Ok(())
    }

    async fn show_checkout(
        &self,
        talk: &mut Talk<'_>,
        draft: DraftId,
        note: Option<&str>,
    ) -> Result<(), Refused> {
        let party = talk.party();
        let mut view = self.ordering.draft(&party, draft).await?;
        if view.draft.state != "open" {
            return Err(OrderError::Stale.into());
        }
        if view.lines.is_empty() {
            return Err(OrderError::Empty.into());
        }
        // The last address is the default.
        if view.draft.address.is_empty()
            && let Some(last) = self.address_book(talk).await?.into_iter().next()
        {
            let set = move |_: &mut Delivery, address: &mut String, _: &mut String| {
                *address = last.address;
            };
            view = self.ordering.set_checkout(&party, draft, None, set).await?;
        }
        talk.state.open_line = None;
        talk.state.draft = Some(draft);
        let sends = party.may_send || party.person.is_none();
        let desk = basket::checkout(&view, note, sends, &self.scene());
        talk.out.push(desk.in_place(DESK));
        Ok(())
    }

    async fn address_book(&self, talk: &Talk<'_>) -> Result<Vec<AddressRow>, ChatError> {
        match talk.party().organization {
            Some(organization) => Ok(self.accounts.addresses(organization).await?),
            None => Ok(Vec::new()),
        }
    }

    async fn set_delivery(
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

    async fn press_order(&self, talk: &mut Talk<'_>, action: Action) -> Result<(), Refused> {
        let party = talk.party();
        match action {
            Action::Orders { page } => self.show_orders_page(talk, page, true).await?,
            Action::OrderShow { order } => {
                let view = self.ordering.own_order(&party, order).await?;
                let screen = order::whole(&view, party.sees_prices, &self.scene());
                talk.out.push(screen.below(PANE));
            }
            Action::OrderCancel { order } => {
                let view = self.ordering.own_order(&party, order).await?;
                talk.out.push(order::cancel(&view.order).below(PANE));
            }
            Action::OrderCancelYes { order, version } => {
                let row = self.ordering.cancel(&party, order, version).await?;
                talk.out.push(order::cancelled(&row).in_place(PANE));
                talk.out.push(order::card(&row, &self.scene()).in_place(buyer_slot(order)));
            }
            Action::OrderRestore { order, version } => {
                let row = self.ordering.restore_order(&party, order, version).await?;
                let words = format!("Заявка №\u{a0}{} снова в силе.", row.number);
                talk.out.push(Screen::text(words).in_place(PANE));
                talk.out.push(order::card(&row, &self.scene()).in_place(buyer_slot(order)));
            }
            Action::OrderUnlearn { order } => {
                self.ordering.unlearn(&party, order).await?;
                talk.toast("Не запоминаю.");
                let view = self.ordering.own_order(&party, order).await?;
                talk.out.push(order::card(&view.order, &self.scene()).in_place(buyer_slot(order)));
            }
            Action::OrderRepeat { order } => {
                let view = self.ordering.repeat(&party, talk.key, order).await?;
                talk.state.page = 0;
                self.both_below(talk, &view, Some("Повторяю с ценами на сегодня."), false);
            }
            Action::OrderEdit { order, .. } => {
                let view = self.ordering.edit_order(&party, talk.key, order).await?;
                talk.state.page = 0;
                let note = "Меняйте позиции и нажмите «Оформить»: номер останется.";
                self.both_below(talk, &view, Some(note), false);
            }
            Action::OrderAsk { order } => {
                let view = self.ordering.own_order(&party, order).await?;
                talk.state.ask(Form::AskAboutOrder { order }, talk.now);
                let words = format!("Напишите менеджеру о заявке №\u{a0}{}.", view.order.number);
                let cancel = Button::new("Отмена", Action::Cancel);
                talk.out.push(Screen::text(words).row([cancel]).below(PANE));
            }
            Action::ApprovalSend { order, version } => {
                Self::owners_only(talk)?;
                let row = self.ordering.approve(&party, order, version).await?;
                let words = format!("Заявка №\u{a0}{} согласована и отправлена.", row.number);
                talk.out.push(Screen::text(words).in_place(format!("approval:{order}")));
            }
            Action::ApprovalReturn { order, version } => {
                Self::owners_only(talk)?;
                let row = self.ordering.cancel(&party, order, version).await?;
                let words = format!("Заявка №\u{a0}{} возвращена.", row.number);
                talk.out.push(Screen::text(words).in_place(format!("approval:{order}")));
            }
            _ => self.menu(talk).await?,
        }
        Ok(())
    }

    fn owners_only(talk: &Talk<'_>) -> Result<(), OrderError> {
        if talk.who.is_owner() { Ok(()) } else { Err(OrderError::NotFound) }
    }

    pub(super) async fn show_orders(
        &self,
        talk: &mut Talk<'_>,
        page: i64,
    ) -> Result<(), ChatError> {
        self.show_orders_page(talk, page, false).await
    }

    async fn show_orders_page(
        &self,
        talk: &mut Talk<'_>,
        page: i64,
        in_place: bool,
    ) -> Result<(), ChatError> {
        let offset = u32::try_from(page).unwrap_or(0).saturating_mul(order::ORDERS_A_PAGE);
        let orders = self.ordering.own_orders(&talk.party(), offset, order::ORDERS_A_PAGE).await?;
        let screen = order::list(&orders, offset, &self.scene());
        talk.out.push(if in_place { screen.in_place(PANE) } else { screen.below(PANE) });
        Ok(())
    }

    /// «Повторить»: the last orders to choose from.
    pub(super) async fn repeat_last(&self, talk: &mut Talk<'_>) -> Result<(), ChatError> {
        let page = self.ordering.own_orders(&talk.party(), 0, 5).await?;
        if page.total == 0 {
            return self.show_orders(talk, 0).await;
        }
        let scene = self.scene();
        let mut screen = Screen::text("Какую заявку повторить?");
        for order in &page.orders {
            let date = scene.zone.date(order.created_at, scene.now);
            let lines = ru::positions(order.line_count as usize);
            let label = format!("№\u{a0}{} · {date} · {lines}", order.number);
            screen = screen.row([Button::new(label, Action::OrderRepeat { order: order.id })]);
        }
        talk.out.push(screen.below(PANE));
        Ok(())
    }

    /// The buyer's message about an order goes to its manager.
    pub(super) async fn ask_about_order(
        &self,
        talk: &mut Talk<'_>,
        order: OrderId,
        text: &str,
    ) -> Result<(), Refused> {
        let row = self.ordering.ask_manager(&talk.party(), order, text).await?;
        let hours = &self.base.config.company.hours;
        let words = format!("Сообщение о заявке №\u{a0}{} передано. Отвечаем {hours}.", row.number);
        talk.out.push(Screen::text(words).below(PANE));
        Ok(())
    }

    /// The answer that a buyer's form waited for.
    pub(super) async fn fill_buyer(
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
                    return self.try_order(talk, &text).await;
                };
                let view = self.ordering.set_quantity(&party, line, None, quantity, unit).await?;
                self.after_change_below(talk, &view, line);
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
            Form::WriteToClient { .. }
            | Form::RejectReason { .. }
            | Form::StaffQuantity { .. }
            | Form::PickBySearch { .. }
            | Form::ProposeBySearch { .. }
            | Form::StaffDate { .. }
            | Form::FindClient => {}
        }
        Ok(())
    }

    /// The cards move below what the buyer wrote.
    async fn checkout_below(&self, talk: &mut Talk<'_>, draft: DraftId) -> Result<(), Refused> {
        let view = self.ordering.draft(&talk.party(), draft).await?;
        let scene = self.scene();
        talk.out.push(basket::list(&view, talk.state.page, &scene).below(LIST));
        let sends = talk.party().may_send || talk.who.person.is_none();
        talk.out.push(basket::checkout(&view, None, sends, &scene).below(DESK));
        Ok(())
    }
}

fn page_of(page: i64) -> usize {
    usize::try_from(page).unwrap_or(0)
}

/// The next line after this one that needs something.
fn next_open(view: &DraftView, after: DraftLineId) -> Option<&DraftLine> {
    let position = view.line(after).map_or(0, |line| line.row.position);
    view.unresolved().find(|line| line.row.position > position)
}

/// What has just happened, above the summary.
fn added_note(added: &Added) -> Option<String> {
    let mut notes = Vec::new();
    if added.extended {
        let fresh = added.added - added.merged.len();
        if fresh > 0 {
            notes.push(format!("Добавил {}.", ru::positions_accusative(fresh)));
        }
    }
    for (position, what) in &added.merged {
        notes.push(format!("Сложил с позицией {position}: {what}."));
    }
    (!notes.is_empty()).then(|| notes.join(" "))
}
