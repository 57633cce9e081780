//! Registration, step by step, and of those whom 1C or an invitation names.

use super::{email_hint, explain_account, one_line};
use crate::chat::core::{Core, PANE, Talk};
use crate::chat::dialogue::{AccountForm, Candidate, OrgAnswer, Registration, RegistrationStep};
use crate::chat::screens::{menu, registration};
use crate::chat::worker::ChatError;
use crate::chat::{Action, Button, Screen};
use crate::domain::Phone;
use crate::services::accounts::{AccountError, NewAccount, NewOrg, Who, read_inn};

impl Core {
    pub(super) async fn begin_form(
        &self,
        talk: &mut Talk<'_>,
        phone: Phone,
    ) -> Result<(), ChatError> {
        use crate::config::Registration as Mode;
        let invitation = match talk.state.invitation.clone() {
            Some(token) if self.accounts.look_at_invitation(&token).await.is_ok() => Some(token),
            _ => None,
        };
        if self.base.config.access.registration == Mode::Invite && invitation.is_none() {
            talk.say(
                Screen::text(
                    "Здесь заказывают по приглашению. Попросите ссылку у владельца организации или запросите доступ.",
                )
                .row([Button::new("Запросить доступ", Action::AccessAsk)]),
            );
            return Ok(());
        }
        let form = Registration::new(phone, invitation);
        talk.out.push(registration::step(&form, None).below(PANE));
        talk.state.ask_account(AccountForm::Register(Box::new(form)), talk.now);
        Ok(())
    }

    pub(super) fn press_registration(talk: &mut Talk<'_>, mut form: Registration, action: Action) {
        let step = form.step();
        match (step, action) {
            (_, Action::FormBack) => {
                if form.own_hours && step == RegistrationStep::Hours {
                    form.own_hours = false;
                } else if form.candidate.take().is_none() {
                    form.done = form.done.saturating_sub(1);
                    if form.step() == RegistrationStep::Organization {
                        form.organization = None;
                    }
                }
            }
            (_, Action::FormSkip) if registration::may_skip(step) => {
                match step {
                    RegistrationStep::Address => form.address.clear(),
                    RegistrationStep::Hours => form.hours.clear(),
                    _ => form.email.clear(),
                }
                form.own_hours = false;
                form.done += 1;
            }
            (RegistrationStep::Organization, Action::RegisterPrivate) => {
                form.organization = Some(OrgAnswer::Private);
                form.candidate = None;
                form.done += 1;
            }
            (RegistrationStep::Organization, Action::RegisterOrganization { organization }) => {
                // Only what was offered may be chosen.
                match form.candidate.take() {
                    Some(candidate) if candidate.id == organization => {
                        form.organization = Some(OrgAnswer::Existing(candidate));
                        form.done += 1;
                    }
                    other => form.candidate = other,
                }
            }
            (RegistrationStep::Organization, Action::RegisterNewOrganization) => {
                if let Some(candidate) = form.candidate.take() {
                    // An organization with the same number is the same organization.
                    if candidate.inn.as_deref() != read_inn(&candidate.written).as_deref()
                        || candidate.inn.is_none()
                    {
                        let name = candidate.written;
                        form.organization = Some(OrgAnswer::New { name, inn: None });
                        form.done += 1;
                    }
                }
            }
            (RegistrationStep::Hours, Action::RegisterHours { choice }) => {
                let choice = usize::try_from(choice).unwrap_or(usize::MAX);
                match registration::HOURS.get(choice) {
                    Some(hours) => {
                        (*hours).clone_into(&mut form.hours);
                        form.done += 1;
                    }
                    None => form.own_hours = true,
                }
            }
            _ => {
                talk.toast("Карточка обновилась, проверьте");
            }
        }
        talk.out.push(registration::step(&form, None).in_place(PANE));
        talk.state.ask_account(AccountForm::Register(Box::new(form)), talk.now);
    }

    pub(super) async fn fill_registration(
        &self,
        talk: &mut Talk<'_>,
        mut form: Registration,
        text: &str,
    ) -> Result<(), ChatError> {
        if form.step() == RegistrationStep::Password {
            return self.register(talk, form, text).await;
        }
        let hint = self.fill_step(&mut form, text).await?;
        talk.out.push(registration::step(&form, hint).below(PANE));
        talk.state.ask_account(AccountForm::Register(Box::new(form)), talk.now);
        Ok(())
    }

    /// Takes the answer to a step; `Some`: why it does not do.
    async fn fill_step(
        &self,
        form: &mut Registration,
        text: &str,
    ) -> Result<Option<&'static str>, ChatError> {
        let Some(line) = one_line(text) else {
            return Ok(Some("Напишите словами."));
        };
        match form.step() {
            RegistrationStep::Name => {
                if line.chars().filter(|c| c.is_alphabetic()).count() < 2 {
                    return Ok(Some("Напишите имя словами, например: Иванова Анна Петровна."));
                }
                form.name = line;
            }
            RegistrationStep::Organization => {
                if let Some(hint) = organization_hint(&line) {
                    return Ok(Some(hint));
                }
                if let Some(found) = self.accounts.find_by_name_or_inn(&line).await? {
                    form.candidate = Some(Candidate {
                        id: found.id,
                        name: found.name,
                        inn: found.inn,
                        written: line,
                    });
                    return Ok(None);
                }
                form.candidate = None;
                if let NewOrg::New { name, inn } = new_organization(line) {
                    form.organization = Some(OrgAnswer::New { name, inn });
                }
            }
            RegistrationStep::Address => form.address = line,
            RegistrationStep::Hours => {
                form.hours = line;
                form.own_hours = false;
            }
            RegistrationStep::Email => {
                if let Some(hint) = email_hint(&line) {
                    return Ok(Some(hint));
                }
                form.email = line;
            }
            RegistrationStep::Password => return Ok(None),
        }
        form.done += 1;
        Ok(None)
    }

    async fn register(
        &self,
        talk: &mut Talk<'_>,
        form: Registration,
        password: &str,
    ) -> Result<(), ChatError> {
        let organization = match form.organization.clone() {
            Some(OrgAnswer::New { name, inn }) => NewOrg::New { name, inn },
            Some(OrgAnswer::Existing(candidate)) => NewOrg::Existing(candidate.id),
            Some(OrgAnswer::Invited { token }) => NewOrg::Invited { token },
            Some(OrgAnswer::Private) | None => NewOrg::Private,
        };
        let new = NewAccount {
            chat: talk.chat.clone(),
            chat_title: talk.from_name.to_owned(),
            phone: form.phone.clone(),
            name: form.name.clone(),
            organization,
            address: form.address.clone(),
            hours: form.hours.clone(),
            email: form.email.clone(),
            password: password.to_owned(),
        };
        let again = |talk: &mut Talk<'_>, form: Registration, hint: &str| {
            talk.out.push(registration::step(&form, Some(hint)).below(PANE));
            talk.state.ask_account(AccountForm::Register(Box::new(form)), talk.now);
        };
        match self.accounts.register(new).await {
            Ok(who) => {
                talk.who = who;
                if matches!(form.organization, Some(OrgAnswer::Invited { .. })) {
                    talk.state.invitation = None;
                }
                let listed = self.listed(talk).await?;
                let screen = registration::done(&form.name, form.organization.as_ref(), listed);
                self.signed_in(talk, screen, true).await
            }
            Err(AccountError::Password(problem)) => {
                again(talk, form, &problem.to_string());
                Ok(())
            }
            Err(AccountError::Busy) => {
                again(talk, form, "Сейчас много входов. Отправьте пароль ещё раз.");
                Ok(())
            }
            Err(AccountError::LinkExpired) => {
                talk.state.invitation = None;
                let mut form = form;
                form.organization = None;
                form.done = 1;
                again(talk, form, "Приглашение больше не действует. Укажите организацию.");
                Ok(())
            }
            // The event came twice, or the number was registered from another chat meanwhile.
            Err(AccountError::PhoneTaken) if !talk.who.is_guest() => {
                self.welcome_back(talk, true).await
            }
            Err(AccountError::PhoneTaken) => {
                talk.state.account = None;
                talk.say(
                    Screen::text(
                        "Этот номер уже зарегистрирован. Подтвердите его ещё раз — и вы войдёте.",
                    )
                    .keyboard(menu::guest_keyboard()),
                );
                Ok(())
            }
            Err(error) => {
                talk.state.account = None;
                explain_account(talk, error)
            }
        }
    }

    pub(super) async fn fill_known(
        &self,
        talk: &mut Talk<'_>,
        phone: &Phone,
        password: &str,
    ) -> Result<(), ChatError> {
        match self.accounts.confirm_known(talk.chat, phone, password, talk.from_name).await {
            Ok(who) => self.enter_new(talk, who).await,
            Err(AccountError::Password(problem)) => {
                let hint = problem.to_string();
                talk.out.push(registration::known_password(Some(&hint)).below(PANE));
                Ok(())
            }
            Err(AccountError::NotFound) if !talk.who.is_guest() => {
                self.welcome_back(talk, true).await
            }
            Err(error) => {
                talk.state.account = None;
                explain_account(talk, error)
            }
        }
    }

    async fn enter_new(&self, talk: &mut Talk<'_>, who: Who) -> Result<(), ChatError> {
        talk.who = who;
        let name = talk.who.person.as_ref().map(|person| person.name.clone()).unwrap_or_default();
        let listed = self.listed(talk).await?;
        self.signed_in(talk, registration::done(&name, None, listed), true).await
    }
}

/// Why this is neither an organization's name nor its taxpayer's number; `None`: it may be.
pub(super) fn organization_hint(line: &str) -> Option<&'static str> {
    if line.chars().filter(|c| c.is_alphanumeric()).count() < 2 {
        return Some("Напишите название или ИНН из 10 или 12 цифр.");
    }
    let digits = line.chars().all(|c| c.is_ascii_digit() || c.is_whitespace());
    (digits && read_inn(line).is_none()).then_some("В ИНН 10 или 12 цифр.")
}

/// An organization that nobody knows yet, by its name or its taxpayer's number.
pub(super) fn new_organization(line: String) -> NewOrg {
    let inn = read_inn(&line);
    let name = inn.as_ref().map(|inn| format!("ИНН {inn}")).unwrap_or(line);
    NewOrg::New { name, inn }
}
