//! S1–S5: the welcome, a contact, registration, sign-in, recovery, a request for access.

use super::{AccountRefusal, actor, commands, email_hint, explain_account, one_line, phone_hint};
use crate::chat::core::{Core, PANE, Talk};
use crate::chat::dialogue::{
    AccessForm, AccountForm, Candidate, OrgAnswer, Registration, RegistrationStep,
};
use crate::chat::screens::{account, login, menu, registration};
use crate::chat::worker::ChatError;
use crate::chat::{Action, Button, Screen};
use crate::domain::Phone;
use crate::services::accounts::{
    AccessDecision, AccountError, Contact, NewAccessRequest, NewAccount, NewOrg, SignInError, Who,
    check_password, read_inn,
};
use crate::services::notifications::Outgoing;
use crate::services::ordering::OrderError;

impl Core {
    /// `/start`, perhaps with what a link carried.
    pub(in crate::chat::core) async fn start(
        &self,
        talk: &mut Talk<'_>,
        payload: &str,
    ) -> Result<(), ChatError> {
        if talk.only_private() {
            return Ok(());
        }
        talk.state.form = None;
        talk.state.account = None;
        if let Some(token) = payload.strip_prefix("inv_") {
            return self.follow_invitation(talk, token).await;
        }
        let numbered =
            |prefix: &str| payload.strip_prefix(prefix).and_then(|id| id.parse::<i64>().ok());
        if let Some(order) = numbered("o_").filter(|_| !talk.who.is_guest()) {
            let order = crate::domain::OrderId(order);
            let own = self.ordering.own_order(&talk.party(), order).await;
            if !talk.who.is_staff() && matches!(own, Err(OrderError::NotFound)) {
                talk.say(Screen::text("Этот заказ вам недоступен."));
                return self.menu(talk).await;
            }
            let action = if talk.who.is_staff() {
                Action::StaffCard { order }
            } else {
                Action::OrderShow { order }
            };
            return Box::pin(self.press(talk, action)).await;
        }
        if let Some(thread) = numbered("q_").filter(|_| !talk.who.is_guest()) {
            return self.show_thread(talk, crate::domain::ThreadId(thread)).await;
        }
        if let Some(product) = numbered("p_") {
            return self.show_product(talk, crate::domain::ProductId(product)).await;
        }
        if talk.who.is_guest() {
            talk.say(menu::welcome(&self.base.config.company));
            talk.out.push(commands(&talk.who));
            return Ok(());
        }
        let name = talk.who.person.as_ref().map(|person| person.name.clone()).unwrap_or_default();
        let hello = format!("Здравствуйте, {}!", registration::given_name(&name));
        talk.say(Screen::text(hello).keyboard(menu::role_keyboard(talk.who.role())));
        talk.out.push(commands(&talk.who));
        self.menu(talk).await
    }

    async fn follow_invitation(&self, talk: &mut Talk<'_>, token: &str) -> Result<(), ChatError> {
        match self.accounts.look_at_invitation(token).await {
            Ok(invitation) => {
                talk.state.invitation = Some(token.to_owned());
                if talk.who.is_guest() {
                    let screen = registration::invitation(&invitation, true);
                    talk.say(screen.keyboard(menu::guest_keyboard()));
                } else {
                    talk.out.push(registration::invitation(&invitation, false).below(PANE));
                }
                Ok(())
            }
            Err(AccountError::LinkExpired) => {
                let author = self.accounts.invitation_author(token).await?;
                let author = author.filter(|name| !name.is_empty());
                let ask = author.map(|name| format!(" Попросите новую у владельца: {name}."));
                let ask = ask.unwrap_or_else(|| " Попросите новую.".to_owned());
                talk.say(Screen::text(format!("Ссылка больше не действует.{ask}")));
                self.menu(talk).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// «Регистрация», and a typed label of the contact's button.
    pub(in crate::chat::core) async fn begin_registration(
        &self,
        talk: &mut Talk<'_>,
    ) -> Result<(), ChatError> {
        if talk.only_private() {
            return Ok(());
        }
        if !talk.who.is_guest() {
            return self.show_account(talk).await;
        }
        talk.say(
            Screen::text("Нажмите «📱 Подтвердить номер» — Telegram пришлёт ваш.")
                .keyboard(menu::guest_keyboard()),
        );
        Ok(())
    }

    pub(in crate::chat::core) async fn begin_login(
        &self,
        talk: &mut Talk<'_>,
    ) -> Result<(), ChatError> {
        if talk.only_private() {
            return Ok(());
        }
        if !talk.who.is_guest() {
            return self.show_account(talk).await;
        }
        talk.state.ask_account(AccountForm::LoginPhone, talk.now);
        talk.out.push(login::phone(None).below(PANE));
        Ok(())
    }

    pub(in crate::chat::core) fn begin_recovery(talk: &mut Talk<'_>) {
        if talk.only_private() {
            return;
        }
        talk.state.ask_account(AccountForm::RecoverContact, talk.now);
        talk.out.push(Outgoing::Remove { slot: PANE.to_owned() });
        talk.say(login::recover_contact());
    }

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

    /// A shared contact.
    pub(in crate::chat::core) async fn contact(
        &self,
        talk: &mut Talk<'_>,
        phone: &str,
        _name: &str,
        own: bool,
        from_name: &str,
    ) -> Result<(), ChatError> {
        if talk.only_private() {
            return Ok(());
        }
        if !own {
            talk.say(
                Screen::text(
                    "Это чужой контакт. Нажмите «📱 Подтвердить номер» — Telegram пришлёт ваш.",
                )
                .keyboard(menu::guest_keyboard()),
            );
            return Ok(());
        }
        let phone = match Phone::from_contact(phone) {
            Ok(phone) => phone,
            Err(error) => {
                talk.say(Screen::text(phone_hint(&error)));
                return Ok(());
            }
        };
        let form = talk.state.active_account_form(talk.now).cloned();
        if form == Some(AccountForm::RecoverContact) {
            return self.recover(talk, phone).await;
        }
        let contact = self.accounts.link_contact(talk.chat, &phone, from_name).await?;
        talk.state.form = None;
        match contact {
            Contact::SignedIn(who) => {
                talk.state.account = None;
                let was_guest = talk.who.is_guest();
                talk.who = *who;
                self.welcome_back(talk, was_guest).await
            }
            Contact::Known { name, organization } => {
                let form = AccountForm::Known { phone, confirmed: false };
                talk.state.ask_account(form, talk.now);
                talk.out.push(registration::known(&name, organization.as_deref()).below(PANE));
                Ok(())
            }
            Contact::Unknown => self.begin_form(talk, phone).await,
            Contact::PasswordNeeded => {
                let phone = phone.as_str().to_owned();
                let form = AccountForm::LoginPassword { phone, contact: true };
                talk.state.ask_account(form, talk.now);
                talk.out.push(login::staff_password().below(PANE));
                Ok(())
            }
            Contact::OtherNumber => {
                talk.say(Screen::text(
                    "Это другой номер: у вашего аккаунта подтверждён не он. Сменить номер поможет менеджер, а войти в другой аккаунт можно после «Выйти».",
                ));
                Ok(())
            }
            Contact::Blocked => {
                self.blocked(talk);
                Ok(())
            }
        }
    }

    async fn begin_form(&self, talk: &mut Talk<'_>, phone: Phone) -> Result<(), ChatError> {
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

    /// Someone who has an account is in again.
    async fn welcome_back(&self, talk: &mut Talk<'_>, was_guest: bool) -> Result<(), ChatError> {
        let name = talk.who.person.as_ref().map(|person| person.name.clone()).unwrap_or_default();
        let name = registration::given_name(&name);
        let text = match &talk.who.organization {
            Some(membership) => format!("С возвращением, {name}! {}", membership.label()),
            None => format!("С возвращением, {name}!"),
        };
        self.signed_in(talk, Screen::text(text), was_guest).await
    }

    /// The chat is signed in: the keyboard and the commands are the person's, a followed
    /// invitation is offered, and what a guest wrote goes on.
    async fn signed_in(
        &self,
        talk: &mut Talk<'_>,
        screen: Screen,
        was_guest: bool,
    ) -> Result<(), ChatError> {
        talk.state.account = None;
        talk.state.form = None;
        talk.out.push(Outgoing::Remove { slot: PANE.to_owned() });
        talk.say(screen.keyboard(menu::role_keyboard(talk.who.role())));
        talk.out.push(commands(&talk.who));
        if let Some(token) = talk.state.invitation.clone() {
            match self.accounts.look_at_invitation(&token).await {
                Ok(invitation) => {
                    talk.out.push(registration::invitation(&invitation, false).below(PANE));
                }
                Err(AccountError::LinkExpired) => talk.state.invitation = None,
                Err(error) => return Err(error.into()),
            }
        }
        if was_guest && !talk.who.is_staff() {
            let draft = self.ordering.open_draft(&talk.party()).await?;
            if draft.is_some_and(|draft| !draft.lines.is_empty()) {
                return self.new_order(talk).await;
            }
        }
        Ok(())
    }

    pub(super) async fn press_entry(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), AccountRefusal> {
        match action {
            Action::LoginStart => {
                if talk.who.is_guest() {
                    talk.state.ask_account(AccountForm::LoginPhone, talk.now);
                    talk.out.push(login::phone(None).in_place(PANE));
                } else {
                    self.show_account(talk).await?;
                }
                return Ok(());
            }
            Action::Recover => {
                Self::begin_recovery(talk);
                return Ok(());
            }
            Action::RegisterStart => return Ok(self.begin_registration(talk).await?),
            _ => {}
        }
        let form = talk.state.active_account_form(talk.now).cloned();
        talk.state.account_since = talk.now;
        match (form, action) {
            (Some(AccountForm::Known { phone, .. }), Action::RegisterYes) => {
                let form = AccountForm::Known { phone, confirmed: true };
                talk.state.ask_account(form, talk.now);
                talk.out.push(registration::known_password(None).in_place(PANE));
            }
            (Some(AccountForm::Known { phone, .. }), Action::RegisterNo) => {
                self.accounts.deny_known(talk.chat, &phone).await?;
                self.begin_form(talk, phone).await?;
            }
            (Some(AccountForm::Register(form)), action) => {
                Self::press_registration(talk, *form, action);
            }
            (Some(AccountForm::Access(form)), Action::FormBack) => {
                Self::access_back(talk, form);
            }
            (Some(AccountForm::Access(form)), Action::FormSkip) => {
                if form.phone.is_some() {
                    self.send_access(talk, form, String::new()).await?;
                }
            }
            _ => {
                talk.toast("Кнопка устарела, показываю свежую карточку");
                self.menu(talk).await?;
            }
        }
        Ok(())
    }

    fn press_registration(talk: &mut Talk<'_>, mut form: Registration, action: Action) {
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
                if line.chars().filter(|c| c.is_alphanumeric()).count() < 2 {
                    return Ok(Some("Напишите название или ИНН из 10 или 12 цифр."));
                }
                let digits = line.chars().all(|c| c.is_ascii_digit() || c.is_whitespace());
                let inn = read_inn(&line);
                if digits && inn.is_none() {
                    return Ok(Some("В ИНН 10 или 12 цифр."));
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
                let name = match &inn {
                    Some(inn) => format!("ИНН {inn}"),
                    None => line,
                };
                form.organization = Some(OrgAnswer::New { name, inn });
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
                let screen = registration::done(&form.name, form.organization.as_ref());
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
        self.signed_in(talk, registration::done(&name, None), true).await
    }

    pub(super) fn fill_login_phone(talk: &mut Talk<'_>, text: &str) {
        match text.parse::<Phone>() {
            Ok(phone) => {
                let phone = phone.as_str().to_owned();
                let form = AccountForm::LoginPassword { phone, contact: false };
                talk.state.ask_account(form, talk.now);
                talk.out.push(login::password(None).below(PANE));
            }
            Err(error) => {
                talk.out.push(login::phone(Some(&phone_hint(&error))).below(PANE));
            }
        }
    }

    pub(super) async fn fill_login_password(
        &self,
        talk: &mut Talk<'_>,
        phone: String,
        contact: bool,
        password: &str,
    ) -> Result<(), ChatError> {
        let entered = self
            .accounts
            .sign_in_by_password(talk.chat, &phone, password, talk.from_name, contact)
            .await;
        match entered {
            Ok(who) => {
                talk.who = who;
                let name = talk.who.person.as_ref().map_or("", |person| person.name.as_str());
                let name = registration::given_name(name);
                let screen = Screen::text(format!("Вход выполнен. Здравствуйте, {name}!"));
                self.signed_in(talk, screen, true).await
            }
            Err(SignInError::Wrong) => {
                talk.out.push(login::password(Some(login::WRONG)).below(PANE));
                Ok(())
            }
            Err(SignInError::TooMany { retry_after }) => {
                talk.state.account = None;
                talk.out.push(Outgoing::Remove { slot: PANE.to_owned() });
                talk.say(
                    Screen::text(login::too_many(retry_after)).keyboard(menu::guest_keyboard()),
                );
                Ok(())
            }
            // Codes are asked for by the panel alone.
            Err(SignInError::ContactNeeded | SignInError::Confirm(_)) => {
                talk.state.account = None;
                talk.out.push(Outgoing::Remove { slot: PANE.to_owned() });
                talk.say(login::contact_needed());
                Ok(())
            }
            Err(SignInError::Other(error)) => Err(error.into()),
        }
    }

    /// The contact of someone who wants a new password.
    async fn recover(&self, talk: &mut Talk<'_>, phone: Phone) -> Result<(), ChatError> {
        match self.accounts.may_reset_password(talk.chat, &phone).await {
            Ok(()) => {
                talk.state.ask_account(AccountForm::RecoverPassword { phone }, talk.now);
                talk.out.push(login::new_password(None).below(PANE));
            }
            Err(AccountError::NotFound) => {
                // There is nothing to recover: the contact does what it always does.
                talk.state.account = None;
                let phone = phone.as_str().to_owned();
                return Box::pin(self.contact(talk, &phone, "", true, talk.from_name)).await;
            }
            Err(AccountError::NotAllowed) => {
                talk.state.account = None;
                talk.say(Screen::text("Пароль этого аккаунта меняет администратор."));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    pub(super) async fn fill_recovery(
        &self,
        talk: &mut Talk<'_>,
        phone: &Phone,
        password: &str,
    ) -> Result<(), ChatError> {
        match self.accounts.reset_password(talk.chat, phone, password, talk.from_name).await {
            Ok(who) => {
                let was_guest = talk.who.is_guest();
                talk.who = who;
                self.signed_in(talk, Screen::text("Пароль изменён. Вы вошли."), was_guest).await
            }
            Err(AccountError::Password(problem)) => {
                let hint = problem.to_string();
                talk.out.push(login::new_password(Some(&hint)).below(PANE));
                Ok(())
            }
            Err(error) => {
                talk.state.account = None;
                explain_account(talk, error)
            }
        }
    }

    fn access_back(talk: &mut Talk<'_>, mut form: AccessForm) {
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

    async fn send_access(
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

/// Checks a password before anything else is asked.
pub(super) fn password_hint(password: &str) -> Option<String> {
    check_password(password, &[]).err().map(|problem| problem.to_string())
}
