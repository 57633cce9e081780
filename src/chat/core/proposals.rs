//! Another product in place of a line: the manager proposes, the client answers.

use super::{Core, PANE, Refused, Talk};
use crate::chat::dialogue::Form;
use crate::chat::screens::proposal;
use crate::chat::{Action, Button, Screen};
use crate::domain::ProposalId;

/// The card of a proposal in its client's chat.
pub(in crate::chat) fn slot(id: ProposalId) -> String {
    format!("proposal:{id}")
}

impl Core {
    pub(super) async fn press_proposal(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), Refused> {
        let party = talk.party();
        match action {
            Action::ProposalAgree { proposal: id } | Action::ProposalDecline { proposal: id } => {
                let agreed = matches!(action, Action::ProposalAgree { .. });
                // A viewer's word is not enough: the order's sum changes.
                if !talk.who.may_send() {
                    self.ordering.own_proposal(&party, id).await?;
                    talk.refuse("Заменить товар может снабженец или владелец организации.");
                    return Ok(());
                }
                let answered = self.ordering.answer_proposal(&party, id, agreed).await?;
                talk.out.push(proposal::card(&answered).in_place(slot(id)));
            }
            Action::ProposalDiscuss { proposal: id } => {
                let found = self.ordering.own_proposal(&party, id).await?;
                talk.state.ask(Form::AskAboutOrder { order: found.view.order.id }, talk.now);
                let words =
                    format!("Напишите менеджеру о заявке №\u{a0}{}.", found.view.order.number);
                let cancel = Button::new("Отмена", Action::Cancel);
                talk.out.push(Screen::text(words).row([cancel]).below(PANE));
            }
            _ => self.menu(talk).await?,
        }
        Ok(())
    }
}
