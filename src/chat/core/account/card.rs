//! The account card and what is behind its buttons.

use super::entry::password_hint;
use super::registration::{new_organization, organization_hint};
use super::{AccountRefusal, actor, commands, email_hint, explain_account, one_line};
use crate::chat::core::{Core, PANE, Talk};
use crate::chat::dialogue::AccountForm;
use crate::chat::screens::{account, login};
use crate::chat::worker::ChatError;
use crate::chat::{Action, Screen};
use crate::services::accounts::{AccountError, NewOrg};
use crate::services::notifications::{Group, Quiet, Wishes};

impl Core {
    pub(in crate::chat::core) async fn show_organizations(
        &self,
        talk: &mut Talk<'_>,
    ) -> Result<(), ChatError> {
        if talk.only_private() {
            return Ok(());
        }
        if talk.who.is_guest() {
            return self.menu(talk).await;
        }
        talk.out.push(account::organizations(&talk.who).below(PANE));
        Ok(())
    }

    pub(in crate::chat::core) async fn show_balance(
        &self,
        talk: &mut Talk<'_>,
    ) -> Result<(), ChatError> {
        if talk.only_private() {
            return Ok(());
        }
        let Some(screen) = self.balance_screen(talk).await? else {
            return self.show_account(talk).await;
        };
        talk.out.push(screen.below(PANE));
        Ok(())
    }

    async fn balance_screen(&self, talk: &Talk<'_>) -> Result<Option<Screen>, ChatError> {
        let own = talk.who.acting_for().map(|membership| membership.organization);
        let lens = talk.state.lens.as_ref().map(|lens| lens.organization);
        let Some(organization) = lens.filter(|_| talk.who.is_staff()).or(own) else {
            return Ok(None);
        };
        // What an organization owes is nothing for who is not known to be of it.
        if lens.is_none() && !talk.who.sees_prices() {
            return Ok(Some(account::hidden_balance()));
        }
        let balance = self.accounts.balance(organization).await?;
        Ok(Some(match balance {
            Some(balance) => account::balance(&balance, &self.base.zone, talk.now),
            None => account::no_balance(),
        }))
    }

    /// «Уведомления» and `/settings`.
    pub(in crate::chat::core) async fn show_notices(
        &self,
        talk: &mut Talk<'_>,
    ) -> Result<(), ChatError> {
        if talk.only_private() {
            return Ok(());
        }
        let Some(person) = talk.who.person_id() else { return self.menu(talk).await };
        let wishes = self.accounts.wishes(person).await?;
        talk.out.push(account::notices(&wishes, talk.who.is_staff()).below(PANE));
        Ok(())
    }

    async fn press_notices(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), AccountRefusal> {
        let person = talk.who.person_id().ok_or(AccountError::NotFound)?;
        let staff = talk.who.is_staff();
        let wishes = match action {
            Action::NoticeGroup { group, on } => {
                let groups = Group::of(staff);
                let group = usize::try_from(group).ok().and_then(|index| groups.get(index));
                let group = *group.ok_or(AccountError::NotFound)?;
                let change = move |wishes: &mut Wishes| {
                    wishes.muted.retain(|muted| *muted != group);
                    if on == 0 {
                        wishes.muted.push(group);
                    }
                };
                self.accounts.change_wishes(person, change).await?
            }
            Action::NoticeQuiet { choice: 2 } => {
                let question = "Когда не беспокоить? Например: 21:00–08:00.";
                Self::ask_in_place(talk, AccountForm::Quiet, question);
                return Ok(());
            }
            Action::NoticeQuiet { choice } => {
                let quiet = if choice == 0 { Quiet::Auto } else { Quiet::Off };
                let change = move |wishes: &mut Wishes| wishes.quiet = quiet;
                self.accounts.change_wishes(person, change).await?
            }
            _ => self.accounts.wishes(person).await?,
        };
        talk.out.push(account::notices(&wishes, staff).in_place(PANE));
        Ok(())
    }

    /// «Выйти».
    pub(in crate::chat::core) async fn leave(&self, talk: &mut Talk<'_>) -> Result<(), ChatError> {
        if talk.only_private() {
            return Ok(());
        }
        if talk.who.is_guest() {
            return self.menu(talk).await;
        }
        self.accounts.sign_out_chat(talk.chat).await?;
        talk.who = self.accounts.who(talk.chat).await?;
        talk.state = crate::chat::dialogue::State::default();
        Self::forget_pane(talk);
        talk.say(account::signed_out());
        talk.out.push(commands(&talk.who));
        Ok(())
    }

    pub(super) async fn press_card(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), AccountRefusal> {
        let person = talk.who.person_id().ok_or(AccountError::NotFound)?;
        match action {
            Action::Account => {
                talk.state.account = None;
                let details = self.accounts.details(&talk.who).await?;
                talk.out.push(account::card(&talk.who, &details).in_place(PANE));
            }
            Action::SignOut => self.leave(talk).await?,
            Action::Organizations => {
                talk.out.push(account::organizations(&talk.who).in_place(PANE));
            }
            Action::SwitchOrganization { organization } => {
                self.accounts.switch_organization(person, organization).await?;
                talk.who = self.accounts.who(talk.chat).await?;
                let details = self.accounts.details(&talk.who).await?;
                talk.out.push(account::card(&talk.who, &details).in_place(PANE));
            }
            Action::Balance => match self.balance_screen(talk).await? {
                Some(screen) => talk.out.push(screen.in_place(PANE)),
                None => self.show_account(talk).await?,
            },
            Action::Notices | Action::NoticeGroup { .. } | Action::NoticeQuiet { .. } => {
                self.press_notices(talk, action).await?;
            }
            Action::DeleteData => talk.out.push(account::delete_data().in_place(PANE)),
            Action::DeleteDataYes => {
                let by = actor(&talk.who)?;
                self.accounts.ask_deletion(&by, person).await?;
                talk.out.push(account::deletion_asked().in_place(PANE));
            }
            Action::Workplace => {
                Self::ask_in_place(talk, AccountForm::Workplace, "Организация: название или ИНН");
            }
            Action::WorkPrivate => self.work_at(talk, NewOrg::Private).await?,
            Action::AccountEdit => talk.out.push(account::edit(&talk.who).in_place(PANE)),
            Action::AccountName => {
                Self::ask_in_place(talk, AccountForm::Name, "Фамилия, имя и отчество");
            }
            Action::AccountEmail => {
                Self::ask_in_place(talk, AccountForm::Email, "Эл. почта для документов");
            }
            Action::AccountHours => {
                Self::ask_in_place(
                    talk,
                    AccountForm::Hours,
                    "Напишите часы работы, например 08:00–17:00",
                );
            }
            Action::Security => self.show_security(talk).await?,
            Action::SecurityUnlink { chat } => {
                let chats = self.accounts.chats(person).await?;
                let index = usize::try_from(chat).unwrap_or(usize::MAX);
                let row = chats.get(index).filter(|row| row.key != *talk.chat);
                let key = row.ok_or(AccountError::NotFound)?.key.clone();
                self.accounts.unlink_chat(person, &key).await?;
                talk.toast("Отключено");
                self.show_security(talk).await?;
            }
            Action::SecurityMine => talk.toast("Хорошо, ничего не меняю."),
            Action::SecurityClose { person } => {
                self.accounts.close_access(talk.chat, person).await?;
                talk.say(Screen::text(
                    "Доступ закрыт: другие Telegram и все сеансы отключены, пароль сброшен. Новый задайте в «Аккаунт» → «Безопасность».",
                ));
            }
            Action::PasswordChange => {
                let has = talk.who.person.as_ref().is_some_and(|person| person.has_password);
                if has {
                    let question = "Напишите текущий пароль. Сообщение с ним я удалю.";
                    Self::ask_in_place(talk, AccountForm::PresentPassword, question);
                } else {
                    Self::begin_recovery(talk);
                }
            }
            _ => self.menu(talk).await?,
        }
        Ok(())
    }

    fn ask_in_place(talk: &mut Talk<'_>, form: AccountForm, question: &str) {
        talk.state.ask_account(form, talk.now);
        talk.out.push(account::ask(question, None).in_place(PANE));
    }

    async fn show_security(&self, talk: &mut Talk<'_>) -> Result<(), AccountRefusal> {
        let person = talk.who.person_id().ok_or(AccountError::NotFound)?;
        let chats = self.accounts.chats(person).await?;
        let screen = account::security(&chats, talk.chat, &self.base.zone, talk.now);
        talk.out.push(screen.in_place(PANE));
        Ok(())
    }

    /// The answer to a question of the account card.
    /// A person who acts for nobody says where they work.
    async fn work_at(
        &self,
        talk: &mut Talk<'_>,
        organization: NewOrg,
    ) -> Result<(), AccountRefusal> {
        talk.who = self.accounts.work_at(&talk.who, organization).await?;
        match talk.who.organization.as_ref().filter(|membership| membership.is_active()) {
            Some(membership) => {
                let words = format!("Готово. Организация: {}.", membership.label());
                talk.say(Screen::text(words));
                // What was written is there, now with somebody to order for.
                self.redraw(talk).await?;
            }
            None => talk.say(Screen::text(
                "Передали запрос. Заявку можно будет отправить, когда организация подтвердит ваше участие.",
            )),
        }
        Ok(())
    }

    pub(super) async fn fill_card(
        &self,
        talk: &mut Talk<'_>,
        form: AccountForm,
        text: &str,
    ) -> Result<(), ChatError> {
        let Some(person) = talk.who.person_id() else {
            talk.state.account = None;
            return self.menu(talk).await;
        };
        let line = one_line(text);
        let hint = match (&form, &line) {
            (AccountForm::PresentPassword, _) => return self.check_present(talk, text).await,
            (AccountForm::NewPassword, _) => return self.set_new_password(talk, text).await,
            (_, None) => Some("Напишите словами."),
            (AccountForm::Email, Some(line)) => email_hint(line),
            (AccountForm::Workplace, Some(line)) => organization_hint(line),
            (AccountForm::Quiet, Some(line)) if line.parse::<Quiet>().is_err() => {
                Some("Не понял часы. Пример: 21:00–08:00")
            }
            (AccountForm::Name, Some(line)) => {
                let letters = line.chars().filter(|c| c.is_alphabetic()).count();
                (letters < 2).then_some("Напишите имя словами, например: Иванова Анна Петровна.")
            }
            _ => None,
        };
        let line = line.unwrap_or_default();
        if let Some(hint) = hint {
            talk.out.push(account::ask("Напишите ещё раз.", Some(hint)).below(PANE));
            return Ok(());
        }
        talk.state.account = None;
        if let (AccountForm::Quiet, Ok(quiet)) = (&form, line.parse::<Quiet>()) {
            let change = move |wishes: &mut Wishes| wishes.quiet = quiet;
            self.accounts.change_wishes(person, change).await?;
            return self.show_notices(talk).await;
        }
        if form == AccountForm::Workplace {
            let organization = match self.accounts.find_by_name_or_inn(&line).await? {
                Some(found) => NewOrg::Existing(found.id),
                None => new_organization(line),
            };
            return match self.work_at(talk, organization).await {
                Ok(()) => Ok(()),
                Err(AccountRefusal::Account(error)) => explain_account(talk, error),
                Err(AccountRefusal::Fault(error)) => Err(error),
            };
        }
        let saved = match form {
            AccountForm::Name => self.accounts.set_name(person, &line).await,
            AccountForm::Email => self.accounts.set_email(person, &line).await,
            AccountForm::Hours => self.accounts.set_hours(&talk.who, &line).await,
            _ => Ok(()),
        };
        if let Err(error) = saved {
            return explain_account(talk, error);
        }
        talk.who = self.accounts.who(talk.chat).await?;
        self.show_account(talk).await
    }

    async fn check_present(&self, talk: &mut Talk<'_>, password: &str) -> Result<(), ChatError> {
        let person =
            talk.who.person_id().ok_or_else(|| ChatError::new("a guest has no password"))?;
        match self.accounts.check_present_password(person, password).await {
            Ok(()) => {
                talk.state.ask_account(AccountForm::NewPassword, talk.now);
                talk.out.push(login::new_password(None).below(PANE));
                Ok(())
            }
            Err(AccountError::WrongPassword) => {
                let question = "Напишите текущий пароль. Сообщение с ним я удалю.";
                let screen = account::ask(question, Some("Пароль не подошёл."));
                talk.out.push(screen.below(PANE));
                Ok(())
            }
            Err(error) => {
                talk.state.account = None;
                Self::forget_pane(talk);
                explain_account(talk, error)
            }
        }
    }

    async fn set_new_password(&self, talk: &mut Talk<'_>, password: &str) -> Result<(), ChatError> {
        if let Some(hint) = password_hint(password) {
            talk.out.push(login::new_password(Some(&hint)).below(PANE));
            return Ok(());
        }
        talk.state.account = None;
        let by = match actor(&talk.who) {
            Ok(by) => by,
            Err(error) => return explain_account(talk, error),
        };
        let person =
            talk.who.person_id().ok_or_else(|| ChatError::new("a guest has no password"))?;
        match self.accounts.set_password(&by, person, password).await {
            Ok(()) => {
                talk.out.push(Screen::text("Пароль изменён.").below(PANE));
                Ok(())
            }
            Err(AccountError::Password(problem)) => {
                talk.state.ask_account(AccountForm::NewPassword, talk.now);
                talk.out.push(login::new_password(Some(&problem.to_string())).below(PANE));
                Ok(())
            }
            Err(error) => explain_account(talk, error),
        }
    }
}
