//! Who stands behind a chat.

use rusqlite::Connection;

use super::{AccountError, Accounts, Member};
use crate::config::Access;
use crate::domain::{
    ChatKey, MemberState, OrgKind, OrgRole, OrganizationId, PersonId, Phone, Role,
};
use crate::storage::StorageError;
use crate::storage::members::{self, MembershipRow};
use crate::storage::organizations;
use crate::storage::persons::{self, PersonRow};

/// Who stands behind a chat, with the rights of this very moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The chat.
    pub chat: ChatKey,
    /// Whose it is; `None`: a guest's.
    pub person: Option<Person>,
    /// For which organization the person acts: the chosen one, or the only one. It may still wait
    /// to be let in: see [`Membership::is_active`].
    pub organization: Option<Membership>,
    /// All organizations that the person is in or waits for, active ones first.
    pub organizations: Vec<Membership>,
}

/// A person with an account.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The row.
    pub id: PersonId,
    /// The full name.
    pub name: String,
    /// The number, for showing: it may be unproven.
    pub phone: Option<Phone>,
    /// Whether the number is proven.
    pub verified: bool,
    /// For documents; may be empty.
    pub email: String,
    /// What the person may do in the program, computed.
    pub role: Role,
    /// May do nothing.
    pub blocked: bool,
    /// Gets new orders.
    pub on_shift: bool,
    /// Whether a password is set.
    pub has_password: bool,
}

/// What the account card tells beside [`Who`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountDetails {
    /// The manager in charge of the organization.
    pub manager: Option<String>,
    /// The name of its price type.
    pub price_type: Option<String>,
    /// When it takes deliveries.
    pub hours: String,
    /// Where, the last used first.
    pub addresses: Vec<String>,
}

/// A person's place in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Where.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// A legal entity or a private person.
    pub kind: OrgKind,
    /// As what.
    pub role: OrgRole,
    /// How it stands.
    pub state: MemberState,
    /// Whether staff or 1C vouch for the organization.
    pub verified: bool,
    /// The organization may do nothing.
    pub blocked: bool,
}

impl Membership {
    /// Whether the membership is in force.
    pub fn is_active(&self) -> bool {
        self.state == MemberState::Active
    }

    /// The name as people read it: «Частное лицо» for an organization of one.
    pub fn label(&self) -> &str {
        match self.kind {
            OrgKind::Company => &self.name,
            OrgKind::Person => "Частное лицо",
        }
    }
}

impl From<MembershipRow> for Membership {
    fn from(row: MembershipRow) -> Self {
        Self {
            organization: row.organization,
            name: row.name,
            kind: row.kind,
            role: row.role,
            state: row.state,
            verified: row.verified,
            blocked: row.blocked,
        }
    }
}

impl Who {
    /// Whether nobody has signed in here.
    pub fn is_guest(&self) -> bool {
        self.person.is_none()
    }

    /// The person's id.
    pub fn person_id(&self) -> Option<PersonId> {
        self.person.as_ref().map(|person| person.id)
    }

    /// What the person may do in the program; a guest is a client.
    pub fn role(&self) -> Role {
        self.person.as_ref().map_or(Role::Client, |person| person.role)
    }

    /// Whether the person works for the company.
    pub fn is_staff(&self) -> bool {
        self.role().is_staff()
    }

    /// Whether the person administers.
    pub fn is_admin(&self) -> bool {
        self.role() == Role::Admin
    }

    /// Whether the account is closed.
    pub fn is_blocked(&self) -> bool {
        self.person.as_ref().is_some_and(|person| person.blocked)
    }

    /// The organization that the person acts for, when that is in force.
    pub fn acting_for(&self) -> Option<&Membership> {
        let membership = self.organization.as_ref()?;
        (!self.is_blocked() && !membership.blocked && membership.is_active()).then_some(membership)
    }

    /// Whether orders go straight to the company. A viewer's go to an owner first: see
    /// [`Who::needs_approval`].
    pub fn may_send(&self) -> bool {
        self.acting_for().is_some_and(|membership| membership.role >= OrgRole::Buyer)
    }

    /// Whether orders go to an owner for approval.
    pub fn needs_approval(&self) -> bool {
        self.acting_for().is_some_and(|membership| membership.role == OrgRole::Viewer)
    }

    /// Whether the person manages the people of the organization.
    pub fn is_owner(&self) -> bool {
        self.acting_for().is_some_and(|membership| membership.role == OrgRole::Owner)
    }

    /// Whether prices and history may be shown: the number is proven and the organization known.
    pub fn sees_prices(&self) -> bool {
        let proven = self.person.as_ref().is_some_and(|person| person.verified);
        proven && self.acting_for().is_some_and(|membership| membership.verified)
    }
}

impl Accounts {
    /// Who stands behind a chat.
    pub async fn who(&self, chat: &ChatKey) -> Result<Who, AccountError> {
        let chat = chat.clone();
        let config = self.base.config.clone();
        self.base.db.read(move |conn| Ok(who(conn, &config.access, chat)?)).await
    }

    /// What the account card tells of the organization that the person acts for.
    pub async fn details(&self, who: &Who) -> Result<AccountDetails, AccountError> {
        let Some(membership) = who.acting_for() else { return Ok(AccountDetails::default()) };
        let id = membership.organization;
        self.base
            .db
            .read(move |conn| {
                let row = organizations::find(conn, id)?.ok_or(AccountError::NotFound)?;
                let manager =
                    row.manager.map(|manager| persons::find(conn, manager)).transpose()?;
                let addresses = organizations::addresses(conn, id, 20)?;
                Ok(AccountDetails {
                    manager: manager.flatten().map(|manager| manager.name),
                    price_type: organizations::price_type_name(conn, id)?,
                    hours: row.hours,
                    addresses: addresses.into_iter().map(|row| row.address).collect(),
                })
            })
            .await
    }

    /// Changes what people may change about themselves: the name.
    pub async fn set_name(&self, person: PersonId, name: &str) -> Result<(), AccountError> {
        let name = name.to_owned();
        self.base.db.write(move |tx| Ok(persons::set_name(tx, person, &name)?)).await
    }

    /// The address for documents; may be empty.
    pub async fn set_email(&self, person: PersonId, email: &str) -> Result<(), AccountError> {
        let email = email.to_owned();
        self.base.db.write(move |tx| Ok(persons::set_email(tx, person, &email)?)).await
    }

    /// When the organization takes deliveries. Only its owner may say so.
    ///
    /// # Errors
    ///
    /// [`AccountError::NotAllowed`].
    pub async fn set_hours(&self, who: &Who, hours: &str) -> Result<(), AccountError> {
        let membership = who.acting_for().filter(|_| who.is_owner());
        let id = membership.ok_or(AccountError::NotAllowed)?.organization;
        let hours = hours.to_owned();
        self.base.db.write(move |tx| Ok(organizations::set_hours(tx, id, &hours)?)).await
    }

    /// One membership with the member, also one that has ended.
    pub async fn membership(
        &self,
        organization: OrganizationId,
        person: PersonId,
    ) -> Result<(Membership, Member), AccountError> {
        self.base
            .db
            .read(move |conn| {
                let (role, state) =
                    members::find(conn, organization, person)?.ok_or(AccountError::NotFound)?;
                let row = organizations::find(conn, organization)?.ok_or(AccountError::NotFound)?;
                let person = persons::find(conn, person)?.ok_or(AccountError::NotFound)?;
                let membership = Membership {
                    organization,
                    name: row.name,
                    kind: row.kind,
                    role,
                    state,
                    verified: row.verified,
                    blocked: row.blocked,
                };
                let member = Member {
                    person: person.id,
                    phone: person.shown_phone().cloned(),
                    phone_verified: person.phone_verified,
                    name: person.name,
                    role,
                    state,
                };
                Ok((membership, member))
            })
            .await
    }

    /// One person, with the role of this very moment.
    pub async fn person(&self, id: PersonId) -> Result<Person, AccountError> {
        let config = self.base.config.clone();
        self.base
            .db
            .read(move |conn| {
                let row = persons::find(conn, id)?.ok_or(AccountError::NotFound)?;
                Ok(person(conn, &config.access, row)?)
            })
            .await
    }
}

/// Who stands behind a chat, within a caller's read or transaction.
pub(super) fn who(conn: &Connection, access: &Access, chat: ChatKey) -> Result<Who, StorageError> {
    let Some(row) = persons::find_by_chat(conn, &chat)? else {
        return Ok(Who { chat, person: None, organization: None, organizations: Vec::new() });
    };
    let current = row.current_organization;
    let organizations: Vec<Membership> =
        members::of_person(conn, row.id)?.into_iter().map(Membership::from).collect();
    let organization = current_of(&organizations, current).cloned();
    let person = Some(person(conn, access, row)?);
    Ok(Who { chat, person, organization, organizations })
}

/// The chosen organization, or the only active one, or the only one that is waited for.
fn current_of(all: &[Membership], chosen: Option<OrganizationId>) -> Option<&Membership> {
    let chosen = all.iter().find(|m| Some(m.organization) == chosen);
    let mut active = all.iter().filter(|m| m.is_active());
    let only_active = match (active.next(), active.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    };
    chosen.filter(|m| m.is_active()).or(only_active).or(match all {
        [only] => Some(only),
        _ => None,
    })
}

pub(super) fn person(
    conn: &Connection,
    access: &Access,
    row: PersonRow,
) -> Result<Person, StorageError> {
    let role = persons::role(conn, access, &row)?;
    let phone = row.shown_phone().cloned();
    Ok(Person {
        id: row.id,
        name: row.name,
        phone,
        verified: row.phone_verified,
        email: row.email,
        role,
        blocked: row.blocked,
        on_shift: row.on_shift,
        has_password: row.password_hash.is_some(),
    })
}
