//! Domain types as `SQLite` values.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use crate::domain::{
    CategoryId, Channel, ChatKey, Chooser, DraftId, DraftLineId, InboxId, LineState, MemberState,
    Money, OrderId, OrderLineId, OrderNumber, OrderStatus, OrgKind, OrgRole, OrganizationId,
    OutboxId, PersonId, Phone, ProductId, ProposalId, Quantity, Role, TemplateId, ThreadId,
    Timestamp, Unit, ViewId,
};

macro_rules! as_integer {
    ($($name:ident: $get:expr, $make:expr;)+) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from($get(*self)))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map($make)
            }
        }
    )+};
}

macro_rules! as_text {
    ($($name:ident)+) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_str()))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str()?.parse().map_err(|error| FromSqlError::Other(Box::new(error)))
            }
        }
    )+};
}

macro_rules! ids {
    ($($name:ident)+) => { as_integer! { $($name: |id: $name| id.0, $name;)+ } };
}

ids! {
    CategoryId DraftId DraftLineId InboxId OrderId OrderLineId OrderNumber OrganizationId OutboxId
    PersonId ProductId ProposalId TemplateId ThreadId ViewId
}

as_integer! {
    Money: Money::kopecks, Money::from_kopecks;
    Quantity: Quantity::thousandths, Quantity::from_thousandths;
    Timestamp: Timestamp::millis, Timestamp::from_millis;
}

as_text! { Channel Chooser LineState MemberState OrderStatus OrgKind OrgRole Phone Role }

impl ToSql for Unit {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_str()))
    }
}

impl FromSql for Unit {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str().map(Self::new)
    }
}

impl ToSql for ChatKey {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.to_string()))
    }
}

impl FromSql for ChatKey {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}
