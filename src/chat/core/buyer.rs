//! What a buyer does: the draft on two cards, checkout, and their orders.

mod checkout;
mod lines;
mod listen;
mod orders;
mod templates;

use super::{Core, DESK, LIST, Refused, Talk};
use crate::chat::notices::buyer_slot;
use crate::chat::screens::{basket, order};
use crate::chat::worker::ChatError;
use crate::chat::{Action, Screen};
use crate::domain::DraftLineId;
use crate::services::notifications::Outgoing;
use crate::services::ordering::{DraftLine, DraftView, Joined, Need};

impl Core {
    /// Both cards anew, below everything.
    fn both_below(&self, talk: &mut Talk<'_>, view: &DraftView, note: Option<&str>, undo: bool) {
        self.both_with(talk, view, &basket::News { note, undo, split: false });
    }

    fn both_with(&self, talk: &mut Talk<'_>, view: &DraftView, news: &basket::News<'_>) {
        talk.state.draft = Some(view.draft.id);
        talk.state.place = None;
        talk.out.push(basket::list(view, talk.state.page, &self.scene()).below(LIST));
        talk.out.push(basket::review_with(view, talk.state.page, news, &self.scene()).below(DESK));
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
        // A line that still needs something is asked on: its quantity after its product, and at
        // once where the answer has been of a unit that the product does not have.
        if let Some(row) = view.line(line)
            && (talk.state.walking && row.need() != Need::Nothing || row.need() == Need::Unit)
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
        basket::review(view, talk.state.page, None, &self.scene())
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
        let desk = basket::review(&view, talk.state.page, None, &self.scene());
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

    /// «Добавить в заказ»: to which one? Without a draft: what is to be added?
    pub(super) async fn add_to_order(&self, talk: &mut Talk<'_>) -> Result<(), ChatError> {
        let view = self.ordering.open_draft(&talk.party()).await?;
        let Some(view) = view.filter(|view| !view.lines.is_empty()) else {
            talk.say(Screen::text(
                "Напишите, что добавить, а потом выберите заказ кнопкой «Добавить в заказ».",
            ));
            return Ok(());
        };
        let a_page = u32::try_from(basket::JOIN_A_PAGE).unwrap_or(u32::MAX);
        let orders = self.ordering.open_orders(&talk.party(), 0, a_page).await?;
        talk.state.draft = Some(view.draft.id);
        talk.out.push(basket::list(&view, talk.state.page, &self.scene()).below(LIST));
        talk.out.push(basket::join(&view, &orders, 0, &self.scene()).below(DESK));
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
            // Whoever looks at orders or templates again gives no name any more.
            Some("template") => {
                talk.state.leave_naming();
                self.press_template(talk, action).await
            }
            _ => {
                talk.state.leave_naming();
                self.press_order(talk, action).await
            }
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
                let desk = basket::review(&view, talk.state.page, None, &self.scene());
                talk.out.push(desk.in_place(DESK));
            }
            Action::DraftClarify { draft, .. } => {
                let view = self.ordering.draft(&party, draft).await?;
                let Some(line) = view.unresolved().next() else {
                    let desk = basket::review(&view, talk.state.page, None, &self.scene());
                    self.both(talk, &view, desk);
                    return Ok(());
                };
                talk.state.walking = true;
                self.show_line(talk, &view, line, 0);
            }
            Action::DraftPage { draft, page } => {
                let view = self.ordering.draft(&party, draft).await?;
                talk.state.page = page_of(page).min(basket::pages(&view) - 1);
                let desk = basket::review(&view, talk.state.page, None, &self.scene());
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
                let desk = basket::checkout(&view, None, &self.scene());
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
                let desk = basket::review(&view, talk.state.page, None, &self.scene());
                self.both(talk, &view, desk);
            }
            Action::DraftSplit { draft, version } => {
                let view = self.ordering.split_merged(&party, draft, version).await?;
                let desk = basket::review(&view, talk.state.page, None, &self.scene());
                self.both(talk, &view, desk);
            }
            Action::DraftJoin { draft, page } => {
                let view = self.ordering.draft(&party, draft).await?;
                let a_page = u32::try_from(basket::JOIN_A_PAGE).unwrap_or(u32::MAX);
                let offset = u32::try_from(page).unwrap_or(0).saturating_mul(a_page);
                let orders = self.ordering.open_orders(&party, offset, a_page).await?;
                let desk = basket::join(&view, &orders, page, &self.scene());
                talk.out.push(desk.in_place(DESK));
            }
            Action::DraftJoinYes { draft, version, order } => {
                let joined = self.ordering.add_to_order(&party, draft, version, order).await?;
                talk.state.leave_draft();
                talk.out.push(Outgoing::Remove { slot: LIST.to_owned() });
                talk.out.push(Screen::text(basket::joined(&joined)).in_place(DESK));
                if let Joined::Merged(order) = &joined {
                    let card = order::card(order, &self.scene());
                    talk.out.push(card.below(buyer_slot(order.id)));
                }
            }
            Action::DraftUnread { draft } => self.unread_lines(talk, draft).await?,
            _ => self.menu(talk).await?,
        }
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
