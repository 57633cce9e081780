//! Who is who: roles of people and their place in an organization.

use serde::{Deserialize, Serialize};

use super::text_enum::text_enum;

text_enum! {
    /// What a person may do in the program as a whole.
    Role {
        /// Buys.
        Client = "client",
        /// Handles orders and questions.
        Manager = "manager",
        /// Everything.
        Admin = "admin",
    }
}

impl Role {
    /// Whether the person works for the company.
    pub fn is_staff(self) -> bool {
        self >= Self::Manager
    }

    /// «клиент», «менеджер», «администратор».
    pub fn label(self) -> &'static str {
        match self {
            Self::Client => "клиент",
            Self::Manager => "менеджер",
            Self::Admin => "администратор",
        }
    }
}

text_enum! {
    /// What a person may do for an organization.
    OrgRole {
        /// Prepares orders; sending goes to an owner for approval.
        Viewer = "viewer",
        /// Sends orders.
        Buyer = "buyer",
        /// Sends orders and manages the organization's people.
        Owner = "owner",
    }
}

impl OrgRole {
    /// «владелец», «снабженец», «наблюдатель».
    pub fn label(self) -> &'static str {
        match self {
            Self::Owner => "владелец",
            Self::Buyer => "снабженец",
            Self::Viewer => "наблюдатель",
        }
    }
}

text_enum! {
    /// How a membership stands.
    MemberState {
        /// Waits for an owner or a manager to let the person in.
        Pending = "pending",
        /// In force.
        Active = "active",
        /// Ended.
        Left = "left",
    }
}

text_enum! {
    /// A legal entity or a private person, who is an organization of one.
    OrgKind {
        /// A legal entity or an entrepreneur.
        Company = "company",
        /// «Частное лицо».
        Person = "person",
    }
}
