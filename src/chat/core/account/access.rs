//! A guest asks for access; staff decide.

use super::{AccountRefusal, actor, one_line, phone_hint};
use crate::chat::core::{Core, PANE, Talk};
use crate::chat::dialogue::{AccessForm, AccountForm};
use crate::chat::screens::{account, login};
use crate::chat::worker::ChatError;
use crate::chat::{Action, Button, Screen};
use crate::domain::Phone;
use crate::services::accounts::{AccessDecision, AccountError, NewAccessRequest};
use crate::services::notifications::Outgoing;

impl Core {
    pub(in crate::chat::core) async fn begin_access(
        &self,
        talk: &mut Talk<'_>,
    ) -> Result<(), ChatError> {
        if talk.only_private() {
            return Ok(());
        }
        if !talk.who.is_guest() {
            return self.show_account(talk).await;
        }
        let form = AccessForm::default();
        talk.out.push(login::access(&form, None).below(PANE));
        talk.state.ask_account(AccountForm::Access(form), talk.now);
        Ok(())
    }

    pub(super) fn access_back(talk: &mut Talk<'_>, mut form: AccessForm) {
        if form.phone.take().is_none() && form.organization.take().is_none() {
            form.name = None;
        }
        talk.out.push(login::access(&form, None).in_place(PANE));
        talk.state.ask_account(AccountForm::Access(form), talk.now);
    }

    pub(super) async fn fill_access(
        &self,
        talk: &mut Talk<'_>,
        mut form: AccessForm,
        text: &str,
    ) -> Result<(), ChatError> {
        let mut hint = None;
        match one_line(text) {
            None => hint = Some("Напишите словами.".to_owned()),
            Some(line) if form.name.is_none() => form.name = Some(line),
            Some(line) if form.organization.is_none() => form.organization = Some(line),
            Some(line) if form.phone.is_none() => match line.parse::<Phone>() {
                Ok(phone) => form.phone = Some(phone),
                Err(error) => hint = Some(phone_hint(&error)),
            },
            Some(line) => return self.send_access(talk, form, line).await,
        }
        talk.out.push(login::access(&form, hint.as_deref()).below(PANE));
        talk.state.ask_account(AccountForm::Access(form), talk.now);
        Ok(())
    }

    pub(super) async fn send_access(
        &self,
        talk: &mut Talk<'_>,
        form: AccessForm,
        comment: String,
    ) -> Result<(), ChatError> {
        talk.state.account = None;
        let (Some(name), Some(organization), Some(phone)) =
            (form.name, form.organization, form.phone)
        else {
            return self.menu(talk).await;
        };
        let new = NewAccessRequest { name, organization, phone, comment };
        match self.accounts.request_access(talk.chat, new).await {
            Ok(_) => {
                let sla = self.base.config.company.sla.as_deref();
                talk.out.push(login::access_sent(sla).below(PANE));
            }
            Err(AccountError::TooMany { .. }) => {
                let text = "Заявка на доступ уже у менеджера. Ответ придёт сюда.";
                talk.out.push(Screen::text(text).below(PANE));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    pub(super) async fn press_access(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), AccountRefusal> {
        if action == Action::AccessAsk {
            return Ok(self.begin_access(talk).await?);
        }
        if !talk.who.is_staff() {
            talk.refuse("Это могут делать только менеджеры.");
            return Ok(());
        }
        let by = actor(&talk.who)?;
        let decided = match action {
            Action::AccessGrant { request } => (request, AccessDecision::Grant),
            Action::AccessRefuse { request } => (request, AccessDecision::Refuse),
            Action::AccessLinkYes { request, organization } => {
                talk.state.account = None;
                talk.out.push(Outgoing::Remove { slot: PANE.to_owned() });
                (request, AccessDecision::Link(organization))
            }
            Action::AccessLink { request } => {
                self.accounts.access_request(request).await?;
                talk.state.ask_account(AccountForm::LinkRequest { request }, talk.now);
                let question = "Напишите название или ИНН организации.";
                talk.out.push(account::ask(question, None).below(PANE));
                return Ok(());
            }
            _ => return Ok(self.menu(talk).await?),
        };
        self.accounts.decide_access(&by, decided.0, decided.1).await?;
        talk.toast("Готово");
        Ok(())
    }

    /// The organization that staff name for a guest.
    pub(super) async fn fill_link(
        &self,
        talk: &mut Talk<'_>,
        request: i64,
        text: &str,
    ) -> Result<(), ChatError> {
        if !talk.who.is_staff() {
            talk.state.account = None;
            return self.menu(talk).await;
        }
        let screen = match self.accounts.find_by_name_or_inn(text).await? {
            Some(found) => {
                let organization = found.id;
                let inn = found.inn.map(|inn| format!(", ИНН\u{a0}{inn}")).unwrap_or_default();
                Screen::text(format!("{}{inn}. Связать?", found.name)).row([
                    Button::new("Связать", Action::AccessLinkYes { request, organization }),
                    Button::new("Отмена", Action::Cancel),
                ])
            }
            None => account::ask(
                "Напишите название или ИНН организации.",
                Some("Не нашёл такой организации."),
            ),
        };
        talk.out.push(screen.below(PANE));
        Ok(())
    }
}
