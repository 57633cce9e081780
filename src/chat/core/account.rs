//! Who a person is: registration, sign-in, recovery, access, the account.

mod access;
mod card;
mod entry;
mod people;
mod registration;

use super::{Core, PANE, Refused, Talk};
use crate::chat::dialogue::AccountForm;
use crate::chat::screens::{account, admin, login, menu};
use crate::chat::worker::ChatError;
use crate::chat::{Action, Screen};
use crate::domain::{ChatKey, ParsePhoneError, Phone, Role};
use crate::services::accounts::{AccountError, Actor, Who};
use crate::services::notifications::{Notice, Outgoing};

/// The longest answer that a form takes, in characters.
const LONGEST: usize = 200;

impl Core {
    /// The answer to a form about the account, if one is waited for.
    pub(super) async fn account_text(
        &self,
        talk: &mut Talk<'_>,
        text: &str,
        message_id: i64,
    ) -> Result<bool, ChatError> {
        let Some(form) = talk.state.active_account_form(talk.now).cloned() else {
            let typed = talk.who.is_guest()
                && text.trim_start().starts_with(['+', '7', '8'])
                && text.parse::<Phone>().is_ok();
            if typed {
                say_contact_only(talk);
            }
            return Ok(typed);
        };
        if form.waits_for_password() {
            // Whatever comes of it, the password goes first.
            talk.out.push(Outgoing::RemoveMessage { message_id });
        }
        talk.state.account_since = talk.now;
        let text = text.trim_matches(['\r', '\n']);
        self.fill_account(talk, form, text).await?;
        Ok(true)
    }

    async fn fill_account(
        &self,
        talk: &mut Talk<'_>,
        form: AccountForm,
        text: &str,
    ) -> Result<(), ChatError> {
        match form {
            AccountForm::Register(form) => self.fill_registration(talk, *form, text).await,
            AccountForm::Known { phone, confirmed: true } => {
                self.fill_known(talk, &phone, text).await
            }
            AccountForm::Known { .. } | AccountForm::RecoverContact => {
                say_contact_only(talk);
                Ok(())
            }
            AccountForm::LoginPhone => {
                Self::fill_login_phone(talk, text);
                Ok(())
            }
            AccountForm::LoginPassword { phone, contact } => {
                self.fill_login_password(talk, phone, contact, text).await
            }
            AccountForm::RecoverPassword { phone } => self.fill_recovery(talk, &phone, text).await,
            AccountForm::Access(form) => self.fill_access(talk, form, text).await,
            AccountForm::LinkRequest { request } => self.fill_link(talk, request, text).await,
            AccountForm::InvitePhone { organization, role } => {
                self.fill_invite_phone(talk, organization, role, text).await
            }
            form @ (AccountForm::Question { .. }
            | AccountForm::Thread { .. }
            | AccountForm::Doubt { .. }) => self.fill_question(talk, form, text).await,
            form => self.fill_card(talk, form, text).await,
        }
    }

    pub(super) async fn press_account(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), Refused> {
        let area = action.code().split('.').next();
        let anywhere = matches!(area, Some("thread" | "access"))
            || matches!(action, Action::MemberAdmit { .. } | Action::MemberRefuse { .. });
        if !anywhere && talk.only_private() {
            return Ok(());
        }
        let pressed = match area {
            Some("register" | "form" | "login") => self.press_entry(talk, action).await,
            Some("access") => self.press_access(talk, action).await,
            Some("member" | "invite") => self.press_people(talk, action).await,
            Some("account" | "security") => self.press_card(talk, action).await,
            Some("thread") => {
                self.press_question(talk, action).await.map_err(AccountRefusal::Fault)
            }
            _ => self.menu(talk).await.map_err(AccountRefusal::Fault),
        };
        match pressed {
            Ok(()) => Ok(()),
            Err(AccountRefusal::Fault(error)) => Err(Refused::Fault(error)),
            Err(AccountRefusal::Account(error)) => {
                explain_account(talk, error).map_err(Refused::Fault)
            }
        }
    }

    pub(super) async fn show_account(&self, talk: &mut Talk<'_>) -> Result<(), ChatError> {
        if talk.only_private() {
            return Ok(());
        }
        if talk.who.is_guest() {
            return self.menu(talk).await;
        }
        let details = self.accounts.details(&talk.who).await?;
        talk.out.push(account::card(&talk.who, &details).below(PANE));
        Ok(())
    }

    /// Leaves a form about the account.
    pub(super) fn cancel_account_form(talk: &mut Talk<'_>) {
        if talk.state.account.take().is_some() {
            talk.out.push(Outgoing::Remove { slot: PANE.to_owned() });
        }
    }

    /// What happened to an account, in words.
    pub(in crate::chat) async fn account_notice(
        &self,
        chat: &ChatKey,
        notice: &Notice,
    ) -> Result<Vec<Outgoing>, ChatError> {
        let told = self.account_news(chat, notice).await;
        match told {
            // What it was about is gone: there is nothing to tell any more.
            Err(AccountRefusal::Account(AccountError::NotFound)) => Ok(Vec::new()),
            Err(AccountRefusal::Account(error)) => Err(error.into()),
            Err(AccountRefusal::Fault(error)) => Err(error),
            Ok(out) => Ok(out),
        }
    }

    async fn account_news(
        &self,
        chat: &ChatKey,
        notice: &Notice,
    ) -> Result<Vec<Outgoing>, AccountRefusal> {
        let out = match notice {
            Notice::NewSignIn { person, chat: new } => {
                let chats = self.accounts.chats(*person).await?;
                let row = chats.iter().find(|row| row.key == *new);
                let row = row.ok_or(AccountError::NotFound)?;
                let (zone, now) = (&self.base.zone, self.base.clock.now());
                let at = row.linked_at.map(|at| zone.date_time(at, now)).unwrap_or_default();
                account::new_sign_in(*person, account::chat_name(row), &at).send()
            }
            Notice::JoinAsked { person, organization } => {
                let (membership, member) = self.accounts.membership(*organization, *person).await?;
                let phone = member.phone.as_ref().map(ToString::to_string);
                let screen =
                    account::join_asked(&membership, &member.name, phone.as_deref(), *person);
                screen.in_place(format!("join:{organization}:{person}"))
            }
            Notice::JoinDecided { person, organization } => {
                let (membership, _) = self.accounts.membership(*organization, *person).await?;
                account::join_decided(&membership).send()
            }
            Notice::MemberJoined { person, organization } => {
                let (membership, member) = self.accounts.membership(*organization, *person).await?;
                account::joined(&membership, &member).send()
            }
            Notice::AccessAsked { request } => {
                let row = self.accounts.access_request(*request).await?;
                login::access_card(&row).in_place(format!("access:{request}"))
            }
            Notice::AccessDecided { request } => {
                let row = self.accounts.access_request(*request).await?;
                let guest = self.accounts.who(chat).await?.is_guest();
                let phone = self.base.config.company.phone.as_ref().map(ToString::to_string);
                let granted = row.granted.ok_or(AccountError::NotFound)?;
                let mut screen = login::access_decided(granted, phone.as_deref());
                if !guest {
                    screen.keyboard = None;
                }
                screen.send()
            }
            Notice::ThreadCard { thread, message } => {
                return Ok(self.question_card(chat, *thread, *message).await?);
            }
            Notice::ThreadMessage { thread, message } => {
                return Ok(self.question_news(chat, *thread, *message).await?);
            }
            Notice::RoleChanged => {
                let who = self.accounts.who(chat).await?;
                return Ok(vec![account::role_changed(who.role()).send(), commands(&who)]);
            }
            Notice::DeletionAsked { person } => {
                let person = self.accounts.person(*person).await?;
                let phone = person.phone.as_ref().map(ToString::to_string);
                admin::deletion_asked(&person.name, phone.as_deref()).send()
            }
            _ => return Ok(Vec::new()),
        };
        Ok(vec![out])
    }
}

/// Why a tap about the account did nothing.
enum AccountRefusal {
    Account(AccountError),
    Fault(ChatError),
}

impl From<AccountError> for AccountRefusal {
    fn from(error: AccountError) -> Self {
        Self::Account(error)
    }
}

impl From<ChatError> for AccountRefusal {
    fn from(error: ChatError) -> Self {
        Self::Fault(error)
    }
}

/// Says why a tap changed nothing; a fault of ours goes on.
fn explain_account(talk: &mut Talk<'_>, error: AccountError) -> Result<(), ChatError> {
    match error {
        AccountError::NotFound => talk.refuse("Это вам недоступно или уже решено."),
        AccountError::NotAllowed => talk.refuse("Это может сделать только владелец организации."),
        AccountError::LastOwner => {
            talk.refuse("В организации должен остаться владелец. Сначала назначьте другого.");
        }
        AccountError::LinkExpired => talk.refuse("Ссылка больше не действует. Попросите новую."),
        AccountError::TooMany { retry_after } => talk.refuse(&login::too_many(retry_after)),
        AccountError::Busy => talk.refuse("Сейчас слишком много входов. Повторите через минуту."),
        error => return Err(error.into()),
    }
    Ok(())
}

/// A typed number where only a contact will do.
fn say_contact_only(talk: &mut Talk<'_>) {
    talk.say(
        Screen::text("Номер нужно подтвердить кнопкой, вручную не подойдёт.")
            .keyboard(menu::guest_keyboard()),
    );
}

/// On whose behalf the person of the chat acts.
fn actor(who: &Who) -> Result<Actor, AccountError> {
    who.person_id().map(Actor::bot).ok_or(AccountError::NotFound)
}

/// The commands that a chat is offered, without the slash. A list gives no right.
fn commands(who: &Who) -> Outgoing {
    const GUEST: &[(&str, &str)] =
        &[("start", "Начать"), ("help", "Как заказать"), ("login", "Войти по паролю")];
    const CLIENT: &[(&str, &str)] = &[
        ("new", "Новая заявка"),
        ("orders", "Заказы"),
        ("repeat", "Повторить"),
        ("catalog", "Каталог"),
        ("questions", "Вопросы"),
        ("account", "Аккаунт"),
        ("settings", "Уведомления"),
        ("help", "Как заказать"),
        ("cancel", "Ничего не менять"),
    ];
    const STAFF: &[(&str, &str)] =
        &[("queue", "Новые заказы"), ("clients", "Клиенты"), ("as", "Заявка за клиента")];
    const ADMIN: &[(&str, &str)] = &[
        ("admin", "Состояние программы"),
        ("org", "Смотреть как клиент"),
        ("sync", "Забрать каталог из 1С"),
        ("backup", "Резервная копия"),
        ("llm_test", "Проверить модель"),
    ];
    let mut list = Vec::new();
    if who.is_guest() {
        list.extend_from_slice(GUEST);
    } else {
        if who.role() >= Role::Manager {
            list.extend_from_slice(STAFF);
        }
        if who.role() == Role::Admin {
            list.extend_from_slice(ADMIN);
        }
        list.extend_from_slice(CLIENT);
    }
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    Outgoing::Commands { commands: list.iter().map(owned).collect() }
}

/// One line of what a person wrote, not longer than a form takes; `None` when nothing is left.
fn one_line(text: &str) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    (!line.is_empty()).then_some(line)
}

/// Why a text is no number, as a sentence.
fn phone_hint(error: &ParsePhoneError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

/// Why a text is no e-mail address.
fn email_hint(text: &str) -> Option<&'static str> {
    let good = text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty()
            && !host.starts_with('.')
            && host.contains('.')
            && !host.ends_with('.')
            && !text.contains(char::is_whitespace)
            && !host.contains('@')
    });
    (!good).then_some("Не похоже на адрес почты. Пример: zakaz@divan.ru")
}
