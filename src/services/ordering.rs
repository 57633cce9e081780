//! Text → draft → order → status.
//!
//! A draft belongs to a [`Party`]: a person for an organization, or a chat whose person is not
//! known yet. Every change of a draft or an order is one transaction, with the notices that follow
//! from it; a change that is repeated changes nothing.

mod again;
mod aid;
mod bare;
mod change;
mod draft;
mod edit;
mod join;
mod lines;
pub(super) mod notices;
mod on_behalf;
mod place;
mod proposals;
mod reading;
mod staff;
mod templates;
mod text;
mod undo;
mod unread;
mod whole;

pub use again::{Changes, Repeated};
pub use aid::Pending;
pub use draft::{DraftLine, DraftView, Need};
pub use edit::Edit;
pub use join::Joined;
pub use on_behalf::{ForClient, Understood};
pub use place::Placed;
pub use proposals::ProposalView;
pub use staff::{Bulk, BulkOutcome, OrderPage, OrderView};
pub use templates::{
    Named, SavedTemplate, TEMPLATES_MOST, TemplateError, TemplatePage, TemplateView,
};
pub use text::Added;
pub use undo::{ANNOUNCE_AFTER, Undoable};
pub(super) use unread::keep_unknown;

use rusqlite::Connection;

use super::Base;
use super::catalog::{Catalog, CatalogError};
use super::models::Models;
use crate::domain::{Channel, ChatKey, OrderId, OrderStatus, OrganizationId, PersonId, Timestamp};
use crate::storage::{StorageError, orders, organizations};

/// Orders and the drafts they grow from.
#[derive(Clone)]
pub struct Ordering {
    base: Base,
    catalog: Catalog,
    models: Option<Models>,
}

/// Who writes a draft: what ordering needs to know of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The chat where it happens.
    pub chat: ChatKey,
    /// The person; `None`: a guest.
    pub person: Option<PersonId>,
    /// For whom they order.
    pub organization: Option<OrganizationId>,
    /// Whether sending makes an order at once, or asks an owner first.
    pub may_send: bool,
    /// Whether prices are shown: not to guests nor to unverified organizations.
    pub sees_prices: bool,
    /// Whether the person is a manager who writes for the organization: the order is its people's.
    pub for_client: bool,
}

impl Party {
    /// Whether the party may save, rename and delete templates: who sends orders, in their own
    /// name.
    pub fn keeps_templates(&self) -> bool {
        let known = self.person.is_some() && self.organization.is_some();
        known && self.may_send && !self.for_client
    }
}

/// Who changes an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person; `None`: 1C or the program itself.
    pub person: Option<PersonId>,
    /// Through which door.
    pub channel: Channel,
}

impl Actor {
    /// The one who buys, in the bot.
    fn buyer(party: &Party) -> Self {
        Self { person: party.person, channel: Channel::Bot }
    }
}

/// Why a draft or an order was not changed.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// There is none, or it is someone else's: the two answer alike.
    #[error("нет такой заявки")]
    NotFound,
    /// The button was drawn for an older version.
    #[error("карточка обновилась")]
    Stale,
    /// The draft has no lines.
    #[error("в заявке нет позиций")]
    Empty,
    /// Nobody knows yet who sends the order.
    #[error("отправитель неизвестен")]
    Guest,
    /// The person is in no organization.
    #[error("не указана организация")]
    NoOrganization,
    /// Products of the draft are no longer sold; they are to be replaced or removed.
    #[error("позиций снято с продажи: {0}")]
    Gone(usize),
    /// The status does not follow from the present one.
    #[error("из «{}» нельзя перейти в «{}»", from.staff_label(), to.staff_label())]
    Transition {
        /// The order.
        id: OrderId,
        /// The present status.
        from: OrderStatus,
        /// The one asked for.
        to: OrderStatus,
    },
    /// Another manager has it.
    #[error("заявка уже в работе: {manager}")]
    Taken {
        /// Their name.
        manager: String,
    },
    /// Nothing more happens to an order that stands so.
    #[error("заявка «{}», её уже не изменить", .0.staff_label())]
    Closed(OrderStatus),
    /// An order without lines is no order.
    #[error("последнюю позицию не убрать")]
    LastLine,
    /// It is too late for this.
    #[error("время вышло")]
    TooLate,
    /// The draft would get more lines than one may have.
    #[error("в заявке больше {0} позиций")]
    TooMany(usize),
    /// Another draft is open and would be lost.
    #[error("открыт другой черновик")]
    DraftOpen,
    /// A template was not shown or changed.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The catalogue or its index failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<rusqlite::Error> for OrderError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl Ordering {
    /// Orders over this database and catalogue.
    pub fn new(base: Base, catalog: Catalog) -> Self {
        Self { base, catalog, models: None }
    }

    /// The same with language models to help where recognition is not sure.
    #[must_use]
    pub fn with_models(self, models: Models) -> Self {
        Self { models: Some(models), ..self }
    }

    /// The catalogue that orders are made from.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The price type of those for whom the party orders, or `None` for the default one.
    pub async fn price_type_of(&self, party: &Party) -> Result<Option<i64>, OrderError> {
        let organization = party.organization;
        Ok(self.base.db.read(move |conn| price_type(conn, organization)).await?)
    }

    fn now(&self) -> Timestamp {
        self.base.clock.now()
    }
}

/// The price type of an organization, or `None` for the default one.
fn price_type(
    conn: &Connection,
    organization: Option<OrganizationId>,
) -> Result<Option<i64>, StorageError> {
    let Some(organization) = organization else { return Ok(None) };
    Ok(organizations::find(conn, organization)?.and_then(|row| row.price_type_id))
}

/// The order, if it is of the party's organization.
fn order_of(conn: &Connection, party: &Party, id: OrderId) -> Result<orders::OrderRow, OrderError> {
    let order = orders::find(conn, id)?.ok_or(OrderError::NotFound)?;
    let owned = party.person.is_some() && party.organization == Some(order.organization);
    if owned { Ok(order) } else { Err(OrderError::NotFound) }
}
