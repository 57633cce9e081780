//! The welcome, a contact, sign-in and recovery.

use super::{AccountRefusal, commands, explain_account, phone_hint};
use crate::chat::core::{Core, PANE, Talk};
use crate::chat::dialogue::AccountForm;
use crate::chat::screens::{login, menu, registration};
use crate::chat::worker::ChatError;
use crate::chat::{Action, Screen};
use crate::domain::Phone;
use crate::services::accounts::{AccountError, Contact, SignInError, check_password};
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

    /// Someone who has an account is in again.
    pub(super) async fn welcome_back(
        &self,
        talk: &mut Talk<'_>,
        was_guest: bool,
    ) -> Result<(), ChatError> {
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
    pub(super) async fn signed_in(
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
        if was_guest && !talk.who.is_staff() && self.listed(talk).await? {
            return self.new_order(talk).await;
        }
        Ok(())
    }

    /// Whether there is a list already that waits to be sent.
    pub(super) async fn listed(&self, talk: &Talk<'_>) -> Result<bool, ChatError> {
        let draft = self.ordering.open_draft(&talk.party()).await?;
        Ok(draft.is_some_and(|draft| !draft.lines.is_empty()))
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
}

/// Checks a password before anything else is asked.
pub(super) fn password_hint(password: &str) -> Option<String> {
    check_password(password, &[]).err().map(|problem| problem.to_string())
}
