//! Where a chat stands: what the next message means.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{DraftId, DraftLineId, OrderId, OrderLineId, Timestamp};

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
    /// The draft that the two cards show.
    pub draft: Option<DraftId>,
    /// The page of card 1, from 0.
    pub page: usize,
    /// The line whose question is on card 2: a short text answers it.
    pub open_line: Option<DraftLineId>,
    /// Whether card 2 walks from one unresolved line to the next.
    pub walking: bool,
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
    /// A manager's message to the client.
    WriteToClient {
        /// The order.
        order: OrderId,
    },
    /// A manager's own reason to reject.
    RejectReason {
        /// The order.
        order: OrderId,
    },
    /// What a manager looks for, for an order's line.
    PickBySearch {
        /// The line.
        line: OrderLineId,
    },
}

impl State {
    /// The form, if it has not expired.
    pub fn active_form(&self, now: Timestamp) -> Option<&Form> {
        self.form.as_ref().filter(|_| now.since(self.form_since) <= FORM_LIFE)
    }

    /// Waits for an answer from now on.
    pub fn ask(&mut self, form: Form, now: Timestamp) {
        self.form = Some(form);
        self.form_since = now;
    }
}
