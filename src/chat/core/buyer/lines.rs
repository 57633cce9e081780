//! What a buyer does to one line.

use super::{next_open, page_of};
use crate::chat::core::{Core, DESK, LIST, Refused, Talk};
use crate::chat::dialogue::Form;
use crate::chat::screens::basket;
use crate::chat::{Action, Button, Screen};
use crate::domain::{DraftLineId, Quantity};
use crate::services::notifications::Outgoing;
use crate::services::ordering::{DraftLine, DraftView, Need, OrderError};

impl Core {
    pub(super) fn show_line(
        &self,
        talk: &mut Talk<'_>,
        view: &DraftView,
        line: &DraftLine,
        page: usize,
    ) {
        talk.state.open_line = Some(line.row.id);
        talk.state.draft = Some(view.draft.id);
        talk.state.place = None;
        talk.out.push(basket::clarify(view, line, page, &self.scene()).in_place(DESK));
    }

    /// The open draft with the line in it.
    pub(super) async fn line_view(
        &self,
        talk: &Talk<'_>,
        line: DraftLineId,
    ) -> Result<DraftView, OrderError> {
        let view = self.ordering.open_draft(&talk.party()).await?.ok_or(OrderError::Stale)?;
        if view.line(line).is_some() { Ok(view) } else { Err(OrderError::Stale) }
    }

    pub(super) async fn press_line(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), Refused> {
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
            Action::LineInstead { line, version, product } => {
                let view = self.ordering.take_instead(&party, line, version, product).await?;
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
                        basket::review(&view, talk.state.page, None, &self.scene())
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
                    talk.state.leave_draft();
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
                    None => basket::review(&view, talk.state.page, None, &self.scene()),
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

    pub(super) async fn press_quantity(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), Refused> {
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
            Action::LineUnits { line } => {
                let view = self.line_view(talk, line).await?;
                if let Some(row) = view.line(line) {
                    talk.out.push(basket::units(&view, row).in_place(DESK));
                }
            }
            Action::LineUnit { line, version, choice } => {
                let view = self.line_view(talk, line).await?;
                let offer = view.line(line).and_then(|row| row.offer.clone());
                let offer = offer.ok_or(OrderError::Stale)?;
                let pack = usize::try_from(choice - 1).ok();
                let unit = match pack {
                    None => Some(offer.unit),
                    Some(place) => offer.packs.get(place).map(|(unit, _)| unit.clone()),
                };
                let unit = unit.ok_or(OrderError::Stale)?;
                let asked = view.line(line).is_some_and(|row| row.need() == Need::Unit);
                let view = self.ordering.set_unit(&party, line, version, unit).await?;
                if asked {
                    self.after_pick(talk, &view, line);
                } else {
                    self.redraw_line(talk, &view, line);
                }
            }
            Action::LineAnalogues { line } => {
                let view = self.line_view(talk, line).await?;
                let row = view.line(line).ok_or(OrderError::Stale)?;
                let offer = row.offer.as_ref().ok_or(OrderError::Stale)?;
                let others = self.ordering.analogues(&party, offer).await?;
                let desk = basket::analogues(&view, row, &others, &self.scene());
                talk.out.push(desk.in_place(DESK));
            }
            _ => self.menu(talk).await?,
        }
        Ok(())
    }

    /// After a choice: what the same line still needs comes before the next line.
    pub(super) fn after_pick(&self, talk: &mut Talk<'_>, view: &DraftView, line: DraftLineId) {
        let open = view.line(line).filter(|row| row.need() != Need::Nothing);
        if let Some(row) = open {
            talk.state.open_line = Some(line);
            let desk = basket::clarify(view, row, 0, &self.scene());
            self.both(talk, view, desk);
            return;
        }
        self.after_change(talk, view, line);
    }

    pub(super) fn redraw_line(&self, talk: &mut Talk<'_>, view: &DraftView, line: DraftLineId) {
        let Some(row) = view.line(line) else { return };
        talk.state.open_line = Some(line);
        let desk = basket::clarify(view, row, 0, &self.scene());
        self.both(talk, view, desk);
    }
}
