//! Row identities. Each table has its own type, so that an order's id cannot be passed for a
//! product's.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map($name)
            }
        }
    )*};
}

ids! {
    /// A person: someone with an account, be it a client, a manager or an administrator.
    PersonId
    /// An organization that buys («контрагент»).
    OrganizationId
    /// A category of the catalogue.
    CategoryId
    /// A sellable product; a characteristic of 1C is a product of its own.
    ProductId
    /// A draft order.
    DraftId
    /// A line of a draft, unique over all drafts.
    DraftLineId
    /// An order, by its row; people know it by its [`OrderNumber`].
    OrderId
    /// A line of an order.
    OrderLineId
    /// The number of an order as people see it: «№ 1042».
    OrderNumber
    /// Another product that a manager proposes for a line.
    ProposalId
    /// A template of orders.
    TemplateId
    /// A saved view: a list of orders kept under a name.
    ViewId
    /// A thread of questions.
    ThreadId
    /// A stored event of the inbox.
    InboxId
    /// A queued message of the outbox.
    OutboxId
}

impl OrderNumber {
    /// The number as 1C's wires carry it: `PM-1042`.
    pub fn wire(self) -> String {
        format!("PM-{}", self.0)
    }

    /// Reads «1042», «№ 1042» and «PM-1042»; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text
            .strip_prefix("PM-")
            .or_else(|| text.strip_prefix("pm-"))
            .or_else(|| text.strip_prefix('№'))
            .unwrap_or(text)
            .trim_start_matches([' ', '\u{a0}']);
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok().map(Self)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_number_is_read_in_every_form_people_and_1c_use() {
        for text in ["1042", "№ 1042", "№\u{a0}1042", "PM-1042", " 1042 "] {
            assert_eq!(OrderNumber::parse(text), Some(OrderNumber(1042)), "{text}");
        }
        for text in ["", "PM-", "-5", "12а", "PM-№1"] {
            assert_eq!(OrderNumber::parse(text), None, "{text}");
        }
        assert_eq!(OrderNumber(7).wire(), "PM-7");
    }
}
