//! Words of the trade: identities, money, quantities, phones, statuses, time.
//!
//! No I/O, no async, nothing of a wire or of the database.
#![warn(missing_docs)]

pub mod catalog;
mod chat;
mod hours;
mod ids;
mod money;
mod name;
mod order;
mod person;
mod phone;
mod quantity;
pub mod ru;
mod secret;
mod text_enum;
pub mod time;
mod unit;

pub use chat::ChatKey;
pub use hours::WorkingHours;
pub use ids::{
    CategoryId, DraftId, DraftLineId, InboxId, OrderId, OrderLineId, OrderNumber, OrganizationId,
    OutboxId, PersonId, ProductId, ProposalId, TemplateId, ThreadId, ViewId,
};
pub use money::{Money, Price, is_roubles};
pub use name::{Name, NameError, TemplateName, ViewName};
pub use order::{Channel, Chooser, Delivery, LineState, OrderStatus};
pub use person::{MemberState, OrgKind, OrgRole, Role};
pub use phone::{ParsePhoneError, Phone};
pub use quantity::Quantity;
pub use secret::Secret;
pub use text_enum::UnknownCode;
pub use time::{Clock, Timestamp, Zone};
pub use unit::Unit;
