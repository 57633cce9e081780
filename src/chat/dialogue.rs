//! Where a chat stands: what the next message means.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{
    CategoryId, DraftId, DraftLineId, OrderId, OrderLineId, OrgRole, OrganizationId, PersonId,
    Phone, ProductId, TemplateId, ThreadId, Timestamp,
};
use crate::formats::order_table::Layout;

/// How long a form waits for its answer.
pub const FORM_LIFE: Duration = Duration::from_mins(15);

/// The state of a dialogue. It lives in the database, so a restart is invisible.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The answer that is waited for.
    pub form: Option<Form>,
    /// Since when.
    pub form_since: Timestamp,
    /// Who is to answer, in a chat of several people.
    pub form_by: Option<PersonId>,
    /// The draft that the two cards show.
    pub draft: Option<DraftId>,
    /// The page of card 1, from 0.
    pub page: usize,
    /// The line whose question is on card 2: a short text answers it.
    pub open_line: Option<DraftLineId>,
    /// Whether card 2 walks from one unresolved line to the next.
    pub walking: bool,
    /// The form of registration, sign-in or the account that is being filled in.
    pub account: Option<AccountForm>,
    /// Since when.
    pub account_since: Timestamp,
    /// The invitation that was followed: its token, until it is used or another is followed.
    pub invitation: Option<String>,
    /// Where in the catalogue the chat stands: a short text searches there.
    pub place: Option<Place>,
    /// Since when.
    pub place_since: Timestamp,
    /// What was written last and may be handed to a manager.
    pub question: Option<String>,
    /// The table that is being asked about.
    pub table: Option<TableForm>,
    /// What may be handed to a manager though it cannot be read.
    pub handed: Option<Handed>,
    /// The last messages that became lines, oldest first: they may be corrected or continued.
    pub heard: Vec<Heard>,
    /// When the last messages came, oldest first.
    pub recent: Vec<Timestamp>,
    /// Whether the person has been told that they are too fast.
    pub told_fast: bool,
    /// For whom staff order or look; `None`: they are themselves.
    pub lens: Option<Lens>,
    /// Whether the client's words are not remembered for what a manager picks.
    pub forgets: bool,
    /// What a manager looked for last, for an order's line.
    pub sought: String,
}

/// An organization through whose eyes staff see the bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lens {
    /// The organization.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// Whether an order is written for it; otherwise it is only looked at.
    pub orders: bool,
}

/// A place in the catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// The category; `None`: the root.
    pub category: Option<CategoryId>,
    /// The page, from 0.
    pub page: i64,
    /// The words that were searched for.
    pub search: Option<String>,
    /// The product that is open.
    pub product: Option<ProductId>,
}

/// A table that came as an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableForm {
    /// The kept file.
    pub file: i64,
    /// The sheet, from 0.
    pub sheet: usize,
    /// Where its goods and quantities are.
    pub layout: Layout,
}

/// What may be handed to a manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// The message that holds it.
    pub message_id: i64,
    /// What it is: «Фото», «Файл «заявка.pdf»».
    pub what: String,
    /// The words beside it.
    pub caption: String,
    /// The kept file, where the wire has no copy of its own.
    pub file: Option<i64>,
}

/// A message that became lines of the open draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The event that brought its first part.
    pub key: String,
    /// When its last part came, by the wire.
    pub at: Timestamp,
    /// Its parts: the wire's ids of the messages, and their words.
    pub parts: Vec<(i64, String)>,
}

impl Heard {
    /// All of its words.
    pub fn text(&self) -> String {
        self.parts.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n")
    }
}

/// A form about who the person is, or a question of theirs. No password is ever kept in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum AccountForm {
    /// Registration, step by step.
    Register(Box<Registration>),
    /// Someone whom 1C or an invitation names: is it them?
    Known {
        /// The number that the chat's contact proved.
        phone: Phone,
        /// Whether they have said so: the password is waited for.
        confirmed: bool,
    },
    /// Sign-in: the number is waited for.
    LoginPhone,
    /// Sign-in: the password is waited for.
    LoginPassword {
        /// The number, as written.
        phone: String,
        /// Whether the chat's contact proved it.
        contact: bool,
    },
    /// Recovery: the contact is waited for.
    RecoverContact,
    /// Recovery: the new password is waited for.
    RecoverPassword {
        /// The number that the chat's contact proved.
        phone: Phone,
    },
    /// A request for access, step by step.
    Access(AccessForm),
    /// Staff: the organization that a guest belongs to is waited for.
    LinkRequest {
        /// The request.
        request: i64,
    },
    /// A new password: the present one is waited for.
    PresentPassword,
    /// A new password is waited for; the present one was right.
    NewPassword,
    /// Where a person works who acts for nobody: a name or a taxpayer's number.
    Workplace,
    /// A new name is waited for.
    Name,
    /// A new address for documents is waited for.
    Email,
    /// New working hours are waited for.
    Hours,
    /// Quiet hours are waited for.
    Quiet,
    /// The words of a question are waited for.
    Question {
        /// The number of the topic.
        topic: usize,
    },
    /// What is written goes to a thread.
    Thread {
        /// The thread.
        thread: ThreadId,
    },
    /// A list was written in a thread: is it an order or an answer?
    Doubt {
        /// The thread.
        thread: ThreadId,
        /// The list.
        text: String,
    },
    /// The number to invite is waited for.
    InvitePhone {
        /// Where to.
        organization: OrganizationId,
        /// As what.
        role: OrgRole,
    },
}

impl AccountForm {
    /// Whether the next text is a password: it is deleted at once and never taken for an order.
    pub fn waits_for_password(&self) -> bool {
        match self {
            Self::Register(form) => form.step() == RegistrationStep::Password,
            Self::Known { confirmed, .. } => *confirmed,
            Self::LoginPassword { .. }
            | Self::RecoverPassword { .. }
            | Self::PresentPassword
            | Self::NewPassword => true,
            _ => false,
        }
    }
}

/// A registration being filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The number: proven by the chat's contact in Telegram, claimed elsewhere.
    pub phone: Phone,
    /// The full name.
    pub name: String,
    /// Where the person works.
    pub organization: Option<OrgAnswer>,
    /// A known organization that may be meant: the person is asked.
    pub candidate: Option<Candidate>,
    /// Where goods go.
    pub address: String,
    /// When they are taken.
    pub hours: String,
    /// Whether the hours are to be written.
    pub own_hours: bool,
    /// For documents.
    pub email: String,
    /// How many steps are done.
    pub done: usize,
}

/// Where a person who registers works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "org", rename_all = "snake_case")]
pub enum OrgAnswer {
    /// A new organization.
    New {
        /// Its name.
        name: String,
        /// Its taxpayer's number.
        inn: Option<String>,
    },
    /// A known one.
    Existing(Candidate),
    /// Where the followed invitation leads.
    Invited {
        /// The invitation's token.
        token: String,
    },
    /// Nowhere.
    Private,
}

/// A known organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The row.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its taxpayer's number.
    pub inn: Option<String>,
    /// What the person wrote.
    pub written: String,
}

/// A step of the registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationStep {
    /// The name.
    Name,
    /// The organization.
    Organization,
    /// The address.
    Address,
    /// The working hours.
    Hours,
    /// The address for documents.
    Email,
    /// The password.
    Password,
}

impl Registration {
    /// A registration of this number, to be filled in; with an invitation the organization is
    /// known.
    pub fn new(phone: Phone, invitation: Option<String>) -> Self {
        Self {
            phone,
            name: String::new(),
            organization: invitation.map(|token| OrgAnswer::Invited { token }),
            candidate: None,
            address: String::new(),
            hours: String::new(),
            own_hours: false,
            email: String::new(),
            done: 0,
        }
    }

    /// The steps: who joins a known organization is not asked about it.
    pub fn steps(&self) -> &'static [RegistrationStep] {
        use RegistrationStep::{Address, Email, Hours, Name, Organization, Password};
        match self.organization {
            Some(OrgAnswer::Invited { .. }) => &[Name, Email, Password],
            Some(OrgAnswer::Existing(_)) => &[Name, Organization, Email, Password],
            _ => &[Name, Organization, Address, Hours, Email, Password],
        }
    }

    /// The step that waits for its answer.
    pub fn step(&self) -> RegistrationStep {
        let steps = self.steps();
        steps[self.done.min(steps.len() - 1)]
    }
}

/// A request for access being filled in: the first field that is `None` is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccessForm {
    /// The name.
    pub name: Option<String>,
    /// The organization.
    pub organization: Option<String>,
    /// The number.
    pub phone: Option<Phone>,
}

/// The answer that is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum Form {
    /// How many.
    Quantity {
        /// The line.
        line: DraftLineId,
    },
    /// Other words for a line.
    Rewrite {
        /// The line.
        line: DraftLineId,
    },
    /// A day, in words.
    Date {
        /// The draft.
        draft: DraftId,
    },
    /// A new address.
    Address {
        /// The draft.
        draft: DraftId,
    },
    /// How many of a product of the catalogue.
    ProductQuantity {
        /// The product.
        product: ProductId,
    },
    /// A comment for the manager.
    Comment {
        /// The draft.
        draft: DraftId,
    },
    /// The buyer's message about an order.
    AskAboutOrder {
        /// The order.
        order: OrderId,
    },
    /// What to call the template that an order becomes.
    TemplateName {
        /// The order.
        order: OrderId,
    },
    /// What else to call a template.
    TemplateRename {
        /// The template.
        template: TemplateId,
    },
    /// A manager's message to the client.
    WriteToClient {
        /// The order.
        order: OrderId,
    },
    /// A manager's own reason to reject.
    RejectReason {
        /// The order.
        order: OrderId,
        /// What has been written: it is shown before it is sent.
        #[serde(default)]
        reason: String,
    },
    /// An owner's comment on the order that is returned to its author.
    ReturnComment {
        /// The order.
        order: OrderId,
        /// The order's version that the owner looked at.
        version: i64,
    },
    /// How many of an order's line, from a manager.
    StaffQuantity {
        /// The line.
        line: OrderLineId,
    },
    /// What a manager looks for, for an order's line.
    PickBySearch {
        /// The line.
        line: OrderLineId,
    },
    /// What a manager looks for, to propose it for an order's line.
    ProposeBySearch {
        /// The line.
        line: OrderLineId,
    },
    /// Another day of delivery, from a manager.
    StaffDate {
        /// The order.
        order: OrderId,
    },
    /// A file for the client, from a manager.
    Document {
        /// The order.
        order: OrderId,
    },
    /// A client that staff look for.
    FindClient,
}

impl Form {
    /// Whether the answer is a template's name.
    pub fn is_naming(&self) -> bool {
        matches!(self, Self::TemplateName { .. } | Self::TemplateRename { .. })
    }
}

/// Messages that are remembered as they were written.
const HEARD: usize = 8;
/// A part of one long message comes within this time of the part before.
const PART_WITHIN: Duration = Duration::from_millis(1_500);
/// More messages than this in a minute are too many.
const MESSAGES_A_MINUTE: usize = 20;

impl State {
    /// The order is sent or dropped: nothing of it is waited for any more.
    pub fn leave_draft(&mut self) {
        let Self { invitation, recent, told_fast, lens, .. } = std::mem::take(self);
        *self = Self { invitation, recent, told_fast, lens, ..Self::default() };
    }

    /// Counts a message; for how many seconds there were too many, or `None`.
    pub fn too_fast(&mut self, now: Timestamp) -> Option<u64> {
        let minute = Duration::from_mins(1);
        self.recent.retain(|at| now.since(*at) < minute);
        if self.recent.len() < MESSAGES_A_MINUTE {
            self.recent.push(now);
            self.told_fast = false;
            return None;
        }
        let waited = self.recent.first().map(|oldest| now.since(*oldest)).unwrap_or_default();
        Some(minute.saturating_sub(waited).as_secs().max(1))
    }

    /// Where in the catalogue the chat stands, if it was there a moment ago.
    pub fn active_place(&self, now: Timestamp) -> Option<&Place> {
        self.place.as_ref().filter(|_| now.since(self.place_since) <= FORM_LIFE)
    }

    /// The chat stands here in the catalogue from now on.
    pub fn stand(&mut self, place: Place, now: Timestamp) {
        self.place = Some(place);
        self.place_since = now;
    }

    /// The message that one written at `at` continues.
    pub fn continued(&self, at: Timestamp) -> Option<&Heard> {
        self.heard.last().filter(|heard| at.since(heard.at) <= PART_WITHIN)
    }

    /// Remembers a message that became lines.
    pub fn hear(&mut self, heard: Heard) {
        self.heard.retain(|other| other.key != heard.key);
        self.heard.push(heard);
        let surplus = self.heard.len().saturating_sub(HEARD);
        self.heard.drain(..surplus);
    }

    /// The form, if it has not expired.
    pub fn active_form(&self, now: Timestamp) -> Option<&Form> {
        self.form.as_ref().filter(|_| now.since(self.form_since) <= FORM_LIFE)
    }

    /// The account's form, if it has not expired. One that waits for a password does not: the
    /// password must not be taken for an order.
    pub fn active_account_form(&self, now: Timestamp) -> Option<&AccountForm> {
        let fresh = now.since(self.account_since) <= FORM_LIFE;
        self.account.as_ref().filter(|form| fresh || form.waits_for_password())
    }

    /// Waits for an answer about the account from now on.
    pub fn ask_account(&mut self, form: AccountForm, now: Timestamp) {
        self.form = None;
        self.account = Some(form);
        self.account_since = now;
    }

    /// A template's name is not waited for any more.
    pub fn leave_naming(&mut self) {
        self.form.take_if(|form| form.is_naming());
    }

    /// Waits for an answer from now on.
    pub fn ask(&mut self, form: Form, now: Timestamp) {
        self.form = Some(form);
        self.form_since = now;
    }
}
