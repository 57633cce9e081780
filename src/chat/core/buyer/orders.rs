//! A buyer's orders: seen, repeated, changed, taken back.

use crate::chat::core::{Core, PANE, Refused, Talk};
use crate::chat::dialogue::Form;
use crate::chat::notices::{approval_slot, buyer_slot};
use crate::chat::screens::{order, staff};
use crate::chat::worker::ChatError;
use crate::chat::{Action, Button, Screen};
use crate::domain::{OrderId, OrderStatus, OrgKind};
use crate::services::ordering::{OrderError, Repeated};

/// Orders that «Повторить» offers.
const REPEATED: u32 = 5;

impl Core {
    pub(super) async fn press_order(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), Refused> {
        let party = talk.party();
        match action {
            Action::Orders { page } => {
                let screen = self.orders_screen(talk, page, false).await?;
                talk.out.push(screen.in_place(PANE));
            }
            Action::OrdersMine { page } => {
                let screen = self.orders_screen(talk, page, true).await?;
                talk.out.push(screen.in_place(PANE));
            }
            Action::OrderShow { order } => {
                let view = self.ordering.own_order(&party, order).await?;
                let screen = order::whole(&view, &party, 0, &self.scene());
                talk.out.push(screen.below(PANE));
            }
            Action::OrderLines { order, page } => {
                let view = self.ordering.own_order(&party, order).await?;
                let screen = order::whole(&view, &party, page, &self.scene());
                talk.out.push(screen.in_place(PANE));
            }
            Action::OrderDocuments { order } => self.show_documents(talk, order).await?,
            Action::OrderCancel { order } => {
                let view = self.ordering.own_order(&party, order).await?;
                talk.out.push(order::cancel(&view.order).below(PANE));
            }
            Action::OrderCancelYes { order, version, reason } => {
                let reason = usize::try_from(reason).ok().and_then(|n| order::REASONS.get(n));
                let reason = reason.ok_or(OrderError::Stale)?.to_lowercase();
                let row = self.ordering.cancel(&party, order, version, &reason).await?;
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
            Action::RepeatList => self.repeat_last(talk).await?,
            Action::OrderRepeat { order } => {
                let again = self.ordering.repeat(&party, talk.key, order).await?;
                self.show_repeated(talk, &again);
            }
            Action::RepeatUsual => {
                let view = self.ordering.repeat_usual(&party, talk.key).await?;
                talk.state.page = 0;
                let note = "Обычная закупка с ценами на сегодня.";
                self.both_below(talk, &view, Some(note), false);
            }
            Action::Templates { page } => {
                let screen = self.templates_screen(talk, page).await?;
                talk.out.push(screen.in_place(PANE));
            }
            Action::OrderEdit { order, .. } => {
                let view = self.ordering.edit_order(&party, talk.key, order).await?;
                talk.state.page = 0;
                let note = "Поменяйте позиции и сохраните: номер останется.";
                self.both_below(talk, &view, Some(note), false);
            }
            Action::OrderAsk { order } => {
                let view = self.ordering.own_order(&party, order).await?;
                talk.state.ask(Form::AskAboutOrder { order }, talk.now);
                let words = format!("Напишите менеджеру о заявке №\u{a0}{}.", view.order.number);
                let cancel = Button::new("Отмена", Action::Cancel);
                talk.out.push(Screen::text(words).row([cancel]).below(PANE));
            }
            action => self.press_approval(talk, action).await?,
        }
        Ok(())
    }

    /// Both cards with what came from the past, and what is not as it was.
    pub(super) fn show_repeated(&self, talk: &mut Talk<'_>, again: &Repeated) {
        talk.state.page = 0;
        let note = order::changes(again.changes);
        let note = note.as_deref().unwrap_or("Повторяю с ценами на сегодня.");
        self.both_below(talk, &again.view, Some(note), false);
    }

    /// An owner decides about a viewer's order.
    async fn press_approval(&self, talk: &mut Talk<'_>, action: Action) -> Result<(), Refused> {
        let party = talk.party();
        match action {
            Action::ApprovalSend { order, version } => {
                Self::owners_only(talk)?;
                let row = self.ordering.approve(&party, order, version).await?;
                let words = format!("Заявка №\u{a0}{} согласована и отправлена.", row.number);
                talk.out.push(Screen::text(words).in_place(approval_slot(order)));
            }
            Action::ApprovalShow { order } => {
                Self::owners_only(talk)?;
                talk.state.form = None;
                let view = self.ordering.own_order(&party, order).await?;
                let today = self.base.zone.civil(talk.now).date();
                talk.out.push(staff::approval(&view, today).in_place(approval_slot(order)));
            }
            Action::ApprovalReturn { order, version } => {
                Self::owners_only(talk)?;
                let view = self.ordering.own_order(&party, order).await?;
                if view.order.status != OrderStatus::Approval {
                    return Err(OrderError::Stale.into());
                }
                talk.state.ask(Form::ReturnComment { order, version }, talk.now);
                let screen = staff::return_comment(&view.order, version);
                talk.out.push(screen.in_place(approval_slot(order)));
            }
            Action::ApprovalReturnYes { order, version } => {
                Self::owners_only(talk)?;
                talk.state.form = None;
                self.return_order(talk, order, version, "").await?;
            }
            _ => self.menu(talk).await?,
        }
        Ok(())
    }

    pub(super) async fn return_order(
        &self,
        talk: &mut Talk<'_>,
        order: OrderId,
        version: i64,
        comment: &str,
    ) -> Result<(), Refused> {
        let row = self.ordering.return_order(&talk.party(), order, version, comment).await?;
        let words = format!("Заявка №\u{a0}{} возвращена, {} узнает.", row.number, row.author_name);
        talk.out.push(Screen::text(words).in_place(approval_slot(order)));
        Ok(())
    }

    pub(super) fn owners_only(talk: &Talk<'_>) -> Result<(), OrderError> {
        if talk.who.is_owner() { Ok(()) } else { Err(OrderError::NotFound) }
    }

    pub(in crate::chat::core) async fn show_orders(
        &self,
        talk: &mut Talk<'_>,
        page: i64,
    ) -> Result<(), ChatError> {
        let screen = self.orders_screen(talk, page, false).await?;
        talk.out.push(screen.below(PANE));
        Ok(())
    }

    async fn orders_screen(
        &self,
        talk: &Talk<'_>,
        page: i64,
        mine: bool,
    ) -> Result<Screen, ChatError> {
        let party = talk.party();
        let offset = u32::try_from(page).unwrap_or(0).saturating_mul(order::ORDERS_A_PAGE);
        let orders = self.ordering.own_orders(&party, mine, offset, order::ORDERS_A_PAGE).await?;
        // A private person's orders are all their own.
        let shared = talk.who.acting_for().is_some_and(|member| member.kind != OrgKind::Person);
        let mine = shared.then_some(mine);
        Ok(order::list(&orders, offset, mine, &self.scene()))
    }

    /// «Повторить»: the last orders to choose from.
    pub(in crate::chat::core) async fn repeat_last(
        &self,
        talk: &mut Talk<'_>,
    ) -> Result<(), ChatError> {
        let party = talk.party();
        let page = self.ordering.own_orders(&party, false, 0, REPEATED).await?;
        let usual = self.ordering.has_usual(&party).await?;
        let templates = self.ordering.templates(&party, 0, 0).await?.total;
        if page.total == 0 && !usual && templates == 0 {
            return self.show_orders(talk, 0).await;
        }
        let screen = order::repeat(&page.orders, usual, &self.scene());
        talk.out.push(screen.below(PANE));
        Ok(())
    }
}
