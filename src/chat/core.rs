//! The conversation itself: which screen follows an event.
//!
//! Text is routed in a fixed order, first match wins: a command, a label of the keyboard, the
//! answer that a form waits for, a search where the catalogue is open, the answer to the open
//! line's question, a question, an order, a greeting. Everything a person does is checked anew here and in the services: a button gives no
//! right.

mod account;
mod admin;
mod buyer;
mod catalog;
mod clients;
mod desk;
mod documents;
mod faults;
mod files;
mod proposals;
mod questions;

pub(super) use documents::Document;
pub(super) use proposals::slot as proposal_slot;

use super::dialogue::State;
use super::screens::basket::Scene;
use super::screens::menu::{self, Label};
use super::worker::{ChatError, Handler, Handling, Turn};
use super::{Action, Button, Event, EventKind, Screen};
use crate::domain::{ChatKey, Timestamp, WorkingHours, ru};
use crate::services::Base;
use crate::services::accounts::{Accounts, Who};
use crate::services::alerts::Alerts;
use crate::services::backup::Backups;
use crate::services::bot_status::BotStatus;
use crate::services::files::Files;
use crate::services::models::Models;
use crate::services::notifications::Outgoing;
use crate::services::ordering::{OrderError, Ordering, Party};
use crate::services::pull::Pull;
use crate::services::questions::{Questions, ThreadFilter, ThreadOrder, Writer};
use crate::storage::orders::OrderFilter;
use crate::tasks::Tasks;

/// Card 1: the list of a draft.
pub(super) const LIST: &str = "list";
/// Card 2: the desk, with one question or the summary.
pub(super) const DESK: &str = "desk";
/// The menu card.
const MENU: &str = "menu";
/// The card of a form or of a list of orders.
pub(super) const PANE: &str = "pane";

/// The conversation over its services. Clones share them.
#[derive(Clone)]
pub struct Core {
    pub(super) base: Base,
    pub(super) accounts: Accounts,
    pub(super) ordering: Ordering,
    pub(super) questions: Questions,
    pub(super) bot: BotStatus,
    pub(super) files: Files,
    /// Where answers of models are waited for, after the first card is shown.
    pub(super) tasks: Option<Tasks>,
    /// What administrators start by hand.
    pub(super) tools: Option<Tools>,
}

/// What administrators start by hand, and how the program is doing.
#[derive(Clone)]
pub struct Tools {
    /// The catalogue from 1C; `None` when its settings are of no use.
    pub pull: Option<Pull>,
    /// Copies of the database.
    pub backups: Backups,
    /// Language models; `None` when their settings are of no use.
    pub models: Option<Models>,
    /// What is wrong with the program.
    pub alerts: Alerts,
}

/// One event being answered.
pub(super) struct Talk<'a> {
    /// The event's key, for changes that must happen once.
    pub(super) key: &'a str,
    /// Where it happens.
    pub(super) chat: &'a ChatKey,
    /// Who does it.
    pub(super) who: Who,
    /// Whether nobody else reads along.
    pub(super) private: bool,
    /// The wire's name of the person.
    pub(super) from_name: &'a str,
    /// The present moment.
    pub(super) now: Timestamp,
    /// When the event happened, by the wire.
    pub(super) at: Timestamp,
    /// The wire's id of the message that is answered; 0 for a tap.
    pub(super) message_id: i64,
    /// Where the dialogue stands.
    pub(super) state: State,
    /// What is to be said.
    pub(super) out: Vec<Outgoing>,
    /// The tap that is to be answered.
    callback: Option<&'a str>,
    /// The codes of the buttons under the message that is replied to.
    pub(super) quoted: &'a [String],
}

impl Talk<'_> {
    /// Says a screen as a message of its own.
    pub(super) fn say(&mut self, screen: Screen) {
        self.out.push(screen.send());
    }

    /// Answers the tap with a toast, or says the words when there was no tap.
    pub(super) fn toast(&mut self, text: &str) {
        match self.callback.take() {
            Some(callback) => self.out.insert(0, answer(callback, Some(text), false)),
            None => self.say(Screen::text(text)),
        }
    }

    /// In a group: says that this is for the private chat. Whether it did.
    pub(super) fn only_private(&mut self) -> bool {
        if !self.private {
            self.refuse("Это — в личном чате со мной.");
        }
        !self.private
    }

    /// Answers the tap with a refusal that is to be closed by hand.
    pub(super) fn refuse(&mut self, text: &str) {
        match self.callback.take() {
            Some(callback) => self.out.insert(0, answer(callback, Some(text), true)),
            None => self.say(Screen::text(text)),
        }
    }

    /// Who orders, as ordering knows them: staff may do it for a client.
    pub(super) fn party(&self) -> Party {
        if let Some(lens) = self.state.lens.as_ref().filter(|_| self.who.is_staff()) {
            return Party {
                chat: self.chat.clone(),
                person: self.who.person_id(),
                organization: Some(lens.organization),
                may_send: true,
                sees_prices: true,
                for_client: true,
            };
        }
        Party {
            chat: self.chat.clone(),
            person: self.who.person_id(),
            organization: self.who.acting_for().map(|member| member.organization),
            may_send: self.who.may_send(),
            sees_prices: self.who.sees_prices(),
            for_client: false,
        }
    }

    /// Whether the person sees and answers as staff: not while they look through a client's eyes.
    pub(super) fn as_staff(&self) -> bool {
        self.who.is_staff() && self.state.lens.is_none()
    }
}

/// The wire's id of the message that a person wrote; 0 for anything else.
fn message_id(kind: &EventKind) -> i64 {
    match kind {
        EventKind::Text { message_id, .. }
        | EventKind::Edited { message_id, .. }
        | EventKind::Contact { message_id, .. }
        | EventKind::File { message_id, .. }
        | EventKind::Media { message_id, .. } => *message_id,
        EventKind::Pressed { .. } | EventKind::Blocked { .. } => 0,
    }
}

fn answer(callback: &str, text: Option<&str>, alert: bool) -> Outgoing {
    Outgoing::Answer {
        callback_id: callback.to_owned(),
        text: text.map(|text| crate::domain::ru::ellipsis(text, 200)),
        alert,
    }
}

impl Handler for Core {
    fn handle<'a>(&'a self, event: &'a Event, state: Option<String>) -> Handling<'a> {
        Box::pin(self.turn(event, state))
    }
}

impl Core {
    /// A conversation over these services.
    pub fn new(base: Base, accounts: Accounts, ordering: Ordering) -> Self {
        let questions = Questions::new(base.clone());
        let (files, bot) = (Files::new(base.clone()), BotStatus::default());
        Self { base, accounts, ordering, questions, bot, files, tasks: None, tools: None }
    }

    /// The files that people send: a wire connects its way in here.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// With the bot's name, for links that lead to it.
    #[must_use]
    pub fn with_bot(mut self, bot: BotStatus) -> Self {
        self.bot = bot;
        self
    }

    /// With background work, in which answers of models are waited for.
    #[must_use]
    pub fn with_tasks(mut self, tasks: Tasks) -> Self {
        self.tasks = Some(tasks);
        self
    }

    /// With what administrators start by hand.
    #[must_use]
    pub fn with_tools(mut self, tools: Tools) -> Self {
        self.tools = Some(tools);
        self
    }

    pub(super) fn scene(&self) -> Scene {
        Scene {
            now: self.base.clock.now(),
            zone: self.base.zone.clone(),
            show_stock: self.base.config.show_stock,
            hours: WorkingHours::read(&self.base.config.company.hours),
        }
    }

    async fn turn(&self, event: &Event, state: Option<String>) -> Result<Turn, ChatError> {
        // A state of another version of the program is no state: the dialogue begins anew.
        let state = state.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        let callback = match &event.kind {
            EventKind::Pressed { callback_id, .. } => Some(callback_id.as_str()),
            _ => None,
        };
        let mut talk = Talk {
            key: &event.key,
            chat: &event.chat,
            who: self.accounts.who(&event.from).await?,
            private: event.chat == event.from,
            from_name: &event.from_name,
            now: self.base.clock.now(),
            at: event.at,
            message_id: message_id(&event.kind),
            state,
            out: Vec::new(),
            callback,
            quoted: &event.quoted,
        };
        if talk.who.is_blocked() {
            self.blocked(&mut talk);
        } else {
            self.answer(event, &mut talk).await?;
        }
        if let Some(callback) = talk.callback.take() {
            talk.out.insert(0, answer(callback, None, false));
        }
        if !talk.private && [talk.state.form_since, talk.state.account_since].contains(&talk.now) {
            talk.state.form_by = talk.who.person_id();
        }
        if let Some(lens) = &talk.state.lens {
            talk.out.iter_mut().for_each(|outgoing| clients::put_banner(outgoing, lens));
        }
        let state = serde_json::to_string(&talk.state)?;
        Ok(Turn { state: Some(state), out: talk.out })
    }

    async fn answer(&self, event: &Event, talk: &mut Talk<'_>) -> Result<(), ChatError> {
        match &event.kind {
            EventKind::Text { text, message_id, reply_to } => {
                self.text(talk, text, *message_id, *reply_to).await
            }
            EventKind::Pressed { data, .. } => match Action::decode(data) {
                Some(action) => self.press(talk, action).await,
                None => {
                    talk.toast("Кнопка устарела, показываю свежую карточку");
                    self.menu(talk).await
                }
            },
            EventKind::Contact { phone, name, own, .. } => {
                self.contact(talk, phone, name, *own, &event.from_name).await
            }
            EventKind::File { file, caption, reply_to, .. } => {
                self.file(talk, file, caption, *reply_to).await
            }
            EventKind::Media { media, caption, reply_to, .. } => {
                self.media(talk, *media, caption, *reply_to).await
            }
            EventKind::Edited { text, message_id } => self.corrected(talk, *message_id, text).await,
            EventKind::Blocked { .. } => Ok(()),
        }
    }

    /// Says, once a minute, that there are too many messages. Whether there were.
    fn too_fast(talk: &mut Talk<'_>) -> bool {
        let Some(seconds) = talk.state.too_fast(talk.now).filter(|_| !talk.who.is_staff()) else {
            return false;
        };
        if !talk.state.told_fast {
            talk.state.told_fast = true;
            talk.say(Screen::text(format!("Слишком много сообщений, подождите {seconds}\u{a0}с.")));
        }
        true
    }

    fn blocked(&self, talk: &mut Talk<'_>) {
        let phone = self.base.config.company.phone.as_ref();
        talk.refuse(&phone.map_or_else(
            || "Доступ закрыт.".to_owned(),
            |phone| format!("Доступ закрыт. Позвоните: {phone}."),
        ));
    }

    async fn text(
        &self,
        talk: &mut Talk<'_>,
        text: &str,
        message_id: i64,
        reply_to: Option<i64>,
    ) -> Result<(), ChatError> {
        if Self::too_fast(talk) {
            return Ok(());
        }
        // A password may begin like a command.
        let password = talk.state.active_account_form(talk.now).is_some_and(|form| {
            form.waits_for_password()
                && text.starts_with('/')
                && !["/cancel", "/start", "/help", "/login"].iter().any(|way| text.starts_with(way))
        });
        if password {
            self.account_text(talk, text, message_id).await?;
            return Ok(());
        }
        if let Some(command) = text.trim().strip_prefix('/') {
            return self.command(talk, command).await;
        }
        if let Some(label) = menu::label(text) {
            talk.state.form = None;
            talk.state.account = None;
            return self.label(talk, label).await;
        }
        if let Some(replied) = reply_to
            && self.reply(talk, replied, text).await?
        {
            return Ok(());
        }
        // In a chat of several people a question is answered by the one who was asked, and what
        // they say to each other is not for us.
        if !talk.private && talk.state.form_by != talk.who.person_id() {
            return Ok(());
        }
        if self.account_text(talk, text, message_id).await? {
            return Ok(());
        }
        if let Some(form) = talk.state.active_form(talk.now).cloned() {
            talk.state.form = None;
            return self.fill(talk, form, text).await;
        }
        self.words(talk, text).await
    }

    /// Free text: staff look things up, everyone else orders.
    async fn words(&self, talk: &mut Talk<'_>, text: &str) -> Result<(), ChatError> {
        if !talk.private {
            return Ok(());
        }
        if talk.as_staff() { self.look_up(talk, text).await } else { self.order(talk, text).await }
    }

    async fn command(&self, talk: &mut Talk<'_>, command: &str) -> Result<(), ChatError> {
        let mut words = command.split_whitespace();
        let name = words.next().unwrap_or_default();
        let name = name.split('@').next().unwrap_or_default().to_lowercase();
        let rest = words.clone().collect::<Vec<_>>().join(" ");
        match name.as_str() {
            "start" => self.start(talk, words.next().unwrap_or_default()).await,
            "help" => {
                talk.say(menu::help(&self.base.config.company));
                Ok(())
            }
            "cancel" => {
                self.cancel_form(talk).await?;
                talk.state.lens = None;
                talk.say(Screen::text("Ничего не меняю."));
                self.menu(talk).await
            }
            "new" => self.label(talk, Label::NewOrder).await,
            "orders" => self.label(talk, Label::Orders).await,
            "repeat" => self.label(talk, Label::Repeat).await,
            "account" => self.label(talk, Label::Account).await,
            "questions" => self.label(talk, Label::Questions).await,
            "catalog" => self.label(talk, Label::Catalog).await,
            "queue" => self.label(talk, Label::Queue).await,
            "login" => self.begin_login(talk).await,
            "settings" => self.show_notices(talk).await,
            "clients" => self.find_clients(talk, &rest).await,
            "as" => self.order_as(talk, &rest).await,
            "admin" => self.show_admin(talk).await,
            "org" => self.view_as(talk, &rest).await,
            "sync" | "backup" | "llm_test" => self.start_tool(talk, &name).await,
            _ => self.menu(talk).await,
        }
    }

    async fn label(&self, talk: &mut Talk<'_>, label: Label) -> Result<(), ChatError> {
        match label {
            Label::NewOrder => self.new_order(talk).await,
            Label::AddToOrder => self.add_to_order(talk).await,
            Label::Orders => self.show_orders(talk, 0).await,
            Label::Repeat => self.repeat_last(talk).await,
            Label::Catalog => self.show_catalog(talk).await,
            Label::Account => self.show_account(talk).await,
            Label::Questions => self.show_questions(talk).await,
            Label::Login => self.begin_login(talk).await,
            Label::Register => self.begin_registration(talk).await,
            Label::Recover => {
                Self::begin_recovery(talk);
                Ok(())
            }
            Label::Access => self.begin_access(talk).await,
            Label::Organizations => self.show_organizations(talk).await,
            Label::Balance => self.show_balance(talk).await,
            Label::Invite => self.begin_invitation(talk).await,
            Label::SignOut => self.leave(talk).await,
            Label::Queue => self.show_queue(talk, 0, false).await,
            Label::AllOrders => self.show_queue(talk, 0, true).await,
            Label::Clients => self.find_clients(talk, "").await,
            Label::Find => self.begin_find(talk).await,
            Label::More => self.show_more(talk).await,
            Label::Help => {
                talk.say(menu::help(&self.base.config.company));
                Ok(())
            }
        }
    }

    /// The menu card, with live marks; a guest gets the welcome.
    pub(super) async fn menu(&self, talk: &mut Talk<'_>) -> Result<(), ChatError> {
        if talk.who.is_guest() {
            talk.say(menu::welcome(&self.base.config.company));
            return Ok(());
        }
        let screen = if talk.as_staff() {
            let new = self.ordering.counts(&[crate::domain::OrderStatus::New]).await?;
            let questions = match crate::services::questions::Writer::of(&talk.who) {
                Ok(by) => self.questions.count_unanswered(by).await?,
                Err(_) => 0,
            };
            menu::staff(new.first().map_or(0, |(_, count)| *count), questions)
        } else {
            let party = talk.party();
            let active = match party.organization {
                Some(organization) => {
                    let statuses = crate::domain::OrderStatus::ALL.iter().copied();
                    let filter = OrderFilter {
                        statuses: statuses.filter(|status| !status.is_final()).collect(),
                        organization: Some(organization),
                        ..OrderFilter::default()
                    };
                    self.ordering.orders(filter, 0, 0).await?.total
                }
                None => 0,
            };
            let draft = self.ordering.open_draft(&party).await?;
            let unread = self.unread_questions(talk).await?;
            menu::client(active, unread, draft.is_some_and(|draft| !draft.lines.is_empty()))
        };
        talk.out.push(screen.below(MENU));
        Ok(())
    }

    /// How many open questions have news.
    async fn unread_questions(&self, talk: &Talk<'_>) -> Result<u32, ChatError> {
        let Ok(by) = Writer::of(&talk.who) else { return Ok(0) };
        let organization = talk.who.acting_for().map(|member| member.organization);
        let filter = ThreadFilter { unread: true, organization, ..ThreadFilter::default() };
        Ok(self.questions.list(by, filter, ThreadOrder::LastFirst, (0, 1)).await?.total)
    }

    async fn press(&self, talk: &mut Talk<'_>, action: Action) -> Result<(), ChatError> {
        let pressed = match action.code().split('.').next() {
            Some("menu") => self.press_menu(talk, action).await,
            Some(
                "draft" | "line" | "checkout" | "orders" | "order" | "template" | "approval"
                | "proposal",
            ) if clients::forbids(talk, action) => {
                talk.refuse("Смотрю глазами клиента: от его имени ничего не отправляю.");
                Ok(())
            }
            Some("draft" | "line" | "checkout" | "orders" | "order" | "template" | "approval") => {
                self.press_buyer(talk, action).await
            }
            Some("proposal") => self.press_proposal(talk, action).await,
            Some("catalog" | "product") => self.press_catalog(talk, action).await,
            Some("file" | "media" | "ask") => self.press_file(talk, action).await,
            Some("event") => self.press_fault(talk, action).await,
            Some("staff" | "client") if !talk.who.is_staff() => {
                talk.refuse("Это могут делать только менеджеры.");
                Ok(())
            }
            Some("staff") => self.press_staff(talk, action).await,
            Some("client") => self.press_client(talk, action).await,
            Some("admin") if !talk.who.is_admin() => {
                talk.refuse("Это может делать только администратор.");
                Ok(())
            }
            Some("admin") => self.press_admin(talk, action).await,
            _ => self.press_account(talk, action).await,
        };
        match pressed {
            Err(Refused::Order(error)) => self.explain(talk, error).await,
            Err(Refused::Fault(error)) => Err(error),
            Ok(()) => Ok(()),
        }
    }

    async fn press_menu(&self, talk: &mut Talk<'_>, action: Action) -> Result<(), Refused> {
        match action {
            Action::Help => talk.say(menu::help(&self.base.config.company)),
            Action::Cancel => {
                self.cancel_form(talk).await?;
                talk.toast("Ничего не меняю.");
            }
            _ => self.menu(talk).await?,
        }
        Ok(())
    }

    /// Says why a tap changed nothing, and shows what there is now.
    pub(super) async fn explain(
        &self,
        talk: &mut Talk<'_>,
        error: OrderError,
    ) -> Result<(), ChatError> {
        match error {
            OrderError::NotFound => talk.refuse("Эта заявка вам недоступна."),
            OrderError::Stale => {
                talk.toast("Карточка обновилась, проверьте");
                self.redraw(talk).await?;
            }
            OrderError::Empty => {
                talk.toast("В заявке нет позиций");
                self.new_order(talk).await?;
            }
            OrderError::Guest => {
                talk.say(
                    Screen::text("Подтвердите номер телефона, и я отправлю заявку.")
                        .keyboard(menu::guest_keyboard()),
                );
            }
            // The one that they have named has not let them in yet.
            OrderError::NoOrganization
                if talk.who.is_staff() || !talk.who.organizations.is_empty() =>
            {
                talk.refuse("Отправить можно, когда организация подтвердит ваше участие.");
            }
            OrderError::NoOrganization => {
                let screen = Screen::text("Укажите организацию, чтобы отправить заявку.").row([
                    Button::new("Указать", Action::Workplace),
                    Button::new("Я частное лицо", Action::WorkPrivate),
                ]);
                talk.out.push(screen.below(PANE));
            }
            OrderError::Gone(_) => {
                talk.toast("Есть позиции, снятые с продажи");
                self.redraw(talk).await?;
            }
            OrderError::Transition { from, .. } => {
                talk.refuse(&format!("Заявка уже в статусе «{}»", from.staff_label()));
            }
            OrderError::Taken { manager } => {
                talk.refuse(&format!("Заявка уже в работе: {manager}"));
            }
            OrderError::TooLate => {
                talk.refuse("Уже поздно: заявка в работе. Напишите менеджеру.");
            }
            OrderError::Closed(status) => {
                talk.refuse(&format!("Заявка уже в статусе «{}»", status.staff_label()));
            }
            OrderError::LastLine => {
                talk.refuse("Это последняя позиция. Отмените заявку целиком.");
            }
            OrderError::TooMany(most) => {
                talk.refuse(&format!(
                    "В одной заявке до {}. Отправьте эту, остальное — следующей.",
                    ru::positions_genitive(most)
                ));
            }
            OrderError::DraftOpen => {
                talk.refuse("Сначала отправьте или очистите открытый черновик.");
            }
            OrderError::Template(why) => self.explain_template(talk, why).await?,
            error @ (OrderError::Catalog(_) | OrderError::Storage(_)) => return Err(error.into()),
        }
        Ok(())
    }
}

/// Why a tap did nothing: a refusal to be explained, or a fault of ours.
pub(super) enum Refused {
    Order(OrderError),
    Fault(ChatError),
}

impl From<OrderError> for Refused {
    fn from(error: OrderError) -> Self {
        Self::Order(error)
    }
}

impl From<ChatError> for Refused {
    fn from(error: ChatError) -> Self {
        Self::Fault(error)
    }
}

impl From<crate::storage::StorageError> for Refused {
    fn from(error: crate::storage::StorageError) -> Self {
        Self::Fault(error.into())
    }
}
