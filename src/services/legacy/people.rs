//! People and organizations.

use std::collections::{HashMap, HashSet};

use super::{StaffRole, Tally, Work};
use crate::domain::{
    ChatKey, MemberState, OrgKind, OrgRole, OrganizationId, PersonId, Phone, Role,
};
use crate::formats::text::onec_id;
use crate::services::legacy::dump::{Organization, User};
use crate::storage::legacy::{self as ids, Kind};
use crate::storage::organizations::{self, NewOrganization};
use crate::storage::persons::{self, NewPerson, PersonRow};
use crate::storage::{StorageError, chats, members};

/// Who wrote what nobody is named for.
const NOBODY: i64 = -1;

/// What former people have become.
pub(super) struct People {
    by_old: HashMap<i64, PersonId>,
    /// Former managers and administrators, by their former ids: they wrote as staff.
    pub staff: HashSet<i64>,
}

impl People {
    pub fn get(&self, old: Option<i64>) -> Option<PersonId> {
        self.by_old.get(&old?).copied()
    }
}

/// What former organizations have become.
pub(super) struct Organizations {
    by_old: HashMap<i64, OrganizationId>,
}

impl Organizations {
    pub fn get(&self, old: Option<i64>) -> Option<OrganizationId> {
        self.by_old.get(&old?).copied()
    }
}

impl Work<'_> {
    pub(super) fn people(&mut self) -> Result<People, StorageError> {
        let dump = self.dump;
        let mut people = People { by_old: HashMap::new(), staff: HashSet::new() };
        let mut tally = Tally { found: dump.found("users"), ..Tally::default() };
        tally.skipped = dump.unread("users");
        for user in &dump.users {
            if matches!(user.role.as_str(), "manager" | "admin") {
                people.staff.insert(user.id);
            }
            if let Some(id) = ids::find(self.tx, Kind::Person, user.id)? {
                people.by_old.insert(user.id, PersonId(id));
                tally.already += 1;
                continue;
            }
            let phone = self.phone_of(user);
            let known = match &phone {
                Some(phone) => persons::find_by_phone(self.tx, phone)?,
                None => None,
            };
            let id = if let Some(row) = known {
                tally.joined += 1;
                self.join_person(&row, user)?;
                row.id
            } else {
                tally.moved += 1;
                let password = self.password_of(user);
                let new = NewPerson {
                    name: &user.name,
                    phone: phone.as_ref(),
                    email: &user.email,
                    password_hash: password,
                    ..NewPerson::default()
                };
                persons::insert(self.tx, &new, user.created_at.unwrap_or(self.now))?
            };
            ids::set(self.tx, Kind::Person, user.id, id.0)?;
            people.by_old.insert(user.id, id);
            self.link_telegram(user, id)?;
            self.keep_role(user, id, phone.as_ref())?;
        }
        self.report.people = tally;
        for phone in &self.options.staff {
            let kept = &self.report.roles_kept;
            if tally.already == 0 && !kept.iter().any(|kept| kept.phone == phone.as_str()) {
                let why = format!("--staff {}: в дампе нет такого сотрудника", phone.as_str());
                self.report.problem(0, "users", why);
            }
        }
        Ok(people)
    }

    fn phone_of(&mut self, user: &User) -> Option<Phone> {
        match user.phone.parse() {
            Ok(phone) => Some(phone),
            Err(error) => {
                let why = format!("id {}: {error}; человек перенесён без номера", user.id);
                self.report.problem(user.line, "users", why);
                None
            }
        }
    }

    /// The former hash, where it can be checked: see `accounts::passwords`.
    fn password_of<'u>(&mut self, user: &'u User) -> Option<&'u str> {
        let hash = user.password.as_str();
        // `!`: made from 1C, cannot log in yet.
        if matches!(hash, "" | "!") {
            return None;
        }
        if hash.starts_with("$pbkdf2-sha256$") || hash.starts_with("$argon2") {
            return Some(hash);
        }
        let why = format!("id {}: пароль в неизвестном виде, понадобится новый", user.id);
        self.report.problem(user.line, "users", why);
        None
    }

    /// Adds what the dump knows to someone who is here already.
    fn join_person(&mut self, row: &PersonRow, user: &User) -> Result<(), StorageError> {
        if row.name.is_empty() {
            persons::set_name(self.tx, row.id, &user.name)?;
        }
        if row.email.is_empty() {
            persons::set_email(self.tx, row.id, &user.email)?;
        }
        // A password over a number that somebody has proven is not theirs to inherit.
        if row.password_hash.is_none() && !row.phone_verified {
            let password = self.password_of(user);
            persons::set_password_hash(self.tx, row.id, password)?;
        }
        Ok(())
    }

    fn link_telegram(&mut self, user: &User, person: PersonId) -> Result<(), StorageError> {
        let Some(telegram) = user.telegram else { return Ok(()) };
        let chat = ChatKey::Telegram(telegram);
        if chats::find(self.tx, &chat)?.is_some_and(|chat| chat.person.is_some()) {
            return Ok(());
        }
        chats::link(self.tx, &chat, person, "", user.created_at.unwrap_or(self.now))
    }

    /// The former program gave a role to whoever typed the number: only the operator's word counts.
    fn keep_role(
        &mut self,
        user: &User,
        person: PersonId,
        phone: Option<&Phone>,
    ) -> Result<(), StorageError> {
        let role = match user.role.as_str() {
            "admin" => Role::Admin,
            "manager" => Role::Manager,
            _ => return Ok(()),
        };
        let access = &self.base.config.access;
        let named = phone.filter(|phone| self.options.staff.contains(phone));
        let listed = phone.filter(|phone| {
            access.admin_phones.contains(phone) || access.manager_phones.contains(phone)
        });
        let entry = StaffRole {
            phone: phone.map_or_else(|| user.phone.clone(), |phone| phone.as_str().to_owned()),
            name: user.name.clone(),
            role: role.as_str().to_owned(),
        };
        let Some(phone) = named.or(listed) else {
            self.report.roles_left.push(entry);
            return Ok(());
        };
        persons::set_phone(self.tx, person, Some(phone), true)?;
        // A role from the settings is computed, not stored.
        if named.is_some() {
            persons::set_granted_role(self.tx, person, Some(role))?;
        }
        self.report.roles_kept.push(entry);
        Ok(())
    }

    pub(super) fn organizations(&mut self, people: &People) -> Result<Organizations, StorageError> {
        let dump = self.dump;
        let mut organizations = Organizations { by_old: HashMap::new() };
        let mut tally = Tally { found: dump.found("organizations"), ..Tally::default() };
        tally.skipped = dump.unread("organizations");
        // Staff have dealt with whom they have sent goods to.
        let dealt: HashSet<i64> = dump
            .orders
            .iter()
            .filter(|order| matches!(order.status.as_str(), "confirmed" | "shipped" | "done"))
            .filter_map(|order| order.organization)
            .collect();
        let mut fresh = HashSet::new();
        for row in &dump.organizations {
            if let Some(id) = ids::find(self.tx, Kind::Organization, row.id)? {
                organizations.by_old.insert(row.id, OrganizationId(id));
                tally.already += 1;
                continue;
            }
            let external_id = onec_id(&row.external_id);
            let id = if let Some(id) = self.known_organization(row, &external_id)? {
                tally.joined += 1;
                id
            } else {
                tally.moved += 1;
                let verified = !external_id.is_empty() || dealt.contains(&row.id);
                self.report.unverified_organizations += usize::from(!verified);
                let unnamed = format!("Организация {}", row.id);
                let name = if row.name.is_empty() { &unnamed } else { &row.name };
                let new = NewOrganization {
                    kind: OrgKind::Company,
                    name,
                    inn: Some(row.inn.as_str()).filter(|inn| !inn.is_empty()),
                    external_id: Some(external_id.as_str()).filter(|id| !id.is_empty()),
                    verified,
                    hours: "",
                };
                let id = organizations::insert(self.tx, &new, self.now)?;
                fresh.insert(id);
                id
            };
            ids::set(self.tx, Kind::Organization, row.id, id.0)?;
            organizations.by_old.insert(row.id, id);
        }
        self.report.organizations = tally;
        self.members(people, &organizations)?;
        self.places(people, fresh)?;
        Ok(organizations)
    }

    /// One that is here already: by 1C's id, else by the very same name. Two of the dump never
    /// become one.
    fn known_organization(
        &self,
        row: &Organization,
        external_id: &str,
    ) -> Result<Option<OrganizationId>, StorageError> {
        let mut found = None;
        if !external_id.is_empty() {
            found = organizations::find_by_external_id(self.tx, external_id)?;
        }
        if found.is_none() && !row.name.is_empty() {
            found = organizations::find_by_name(self.tx, &row.name)?
                .filter(|found| found.name == row.name)
                .filter(|found| external_id.is_empty() || found.external_id.is_none());
        }
        let Some(found) = found else { return Ok(None) };
        let taken = ids::is_taken(self.tx, Kind::Organization, found.id.0)?;
        Ok(Some(found.id).filter(|_| !taken))
    }

    fn members(
        &mut self,
        people: &People,
        organizations: &Organizations,
    ) -> Result<(), StorageError> {
        let dump = self.dump;
        let mut tally = Tally { found: dump.found("org_members"), ..Tally::default() };
        tally.skipped = dump.unread("org_members");
        for row in &dump.members {
            let organization = organizations.get(Some(row.organization));
            let (Some(organization), Some(person)) = (organization, people.get(Some(row.user)))
            else {
                tally.skipped += 1;
                let why = format!(
                    "нет организации {} или человека {}; строка пропущена",
                    row.organization, row.user
                );
                self.report.problem(row.line, "org_members", why);
                continue;
            };
            if members::find(self.tx, organization, person)?.is_some() {
                tally.already += 1;
                continue;
            }
            let role = match row.role.as_str() {
                "owner" => OrgRole::Owner,
                "member" | "buyer" | "" => OrgRole::Buyer,
                "viewer" => OrgRole::Viewer,
                other => {
                    let why = format!("роль «{other}» неизвестна, вместо неё «наблюдатель»");
                    self.report.problem(row.line, "org_members", why);
                    OrgRole::Viewer
                }
            };
            let state = match row.status.as_str() {
                "active" | "" => MemberState::Active,
                "pending" | "invited" | "requested" => MemberState::Pending,
                _ => MemberState::Left,
            };
            members::set(self.tx, organization, person, role, state, self.now)?;
            tally.moved += 1;
        }
        for row in &dump.organizations {
            let organization = organizations.get(Some(row.id));
            let (Some(organization), Some(owner)) = (organization, people.get(row.owner)) else {
                continue;
            };
            if members::find(self.tx, organization, owner)?.is_none() {
                let (role, state) = (OrgRole::Owner, MemberState::Active);
                members::set(self.tx, organization, owner, role, state, self.now)?;
            }
        }
        self.report.members = tally;
        Ok(())
    }

    /// The former program kept a person's address and hours: they are the organization's.
    fn places(
        &mut self,
        people: &People,
        mut fresh: HashSet<OrganizationId>,
    ) -> Result<(), StorageError> {
        for user in &self.dump.users {
            let Some(person) = people.get(Some(user.id)) else { continue };
            let mut memberships = members::of_person(self.tx, person)?;
            if memberships.is_empty() && !people.staff.contains(&user.id) {
                // Whoever buys has an organization: a private person is one by themself.
                fresh.insert(self.organization_of(person)?);
                memberships = members::of_person(self.tx, person)?;
            }
            let Some(first) = memberships.iter().find(|m| fresh.contains(&m.organization)) else {
                continue;
            };
            if !user.address.is_empty() {
                organizations::use_address(
                    self.tx,
                    first.organization,
                    &user.address,
                    user.created_at.unwrap_or(self.now),
                )?;
            }
            if !user.hours.is_empty() && first.role == OrgRole::Owner {
                organizations::set_hours(self.tx, first.organization, &user.hours)?;
            }
        }
        Ok(())
    }

    /// For whom a person acts: their first organization in force, else one of their own as of a
    /// private person.
    pub(super) fn organization_of(&self, person: PersonId) -> Result<OrganizationId, StorageError> {
        let memberships = members::of_person(self.tx, person)?;
        if let Some(first) = memberships.iter().find(|m| m.state == MemberState::Active) {
            return Ok(first.organization);
        }
        let row = persons::find(self.tx, person)?;
        let (name, phone) = row.map_or((String::new(), None), |row| (row.name, row.phone));
        // 1C merges namesakes: the last digits tell them apart.
        let name = match phone {
            Some(phone) => format!("{name}, …{}", phone.last_four()),
            None => name,
        };
        let new = NewOrganization {
            kind: OrgKind::Person,
            name: &name,
            inn: None,
            external_id: None,
            verified: false,
            hours: "",
        };
        let id = organizations::insert(self.tx, &new, self.now)?;
        let (role, state) = (OrgRole::Owner, MemberState::Active);
        members::set(self.tx, id, person, role, state, self.now)?;
        Ok(id)
    }

    /// The person who stands for all whom the dump does not name.
    pub(super) fn nobody(&self) -> Result<PersonId, StorageError> {
        if let Some(id) = ids::find(self.tx, Kind::Person, NOBODY)? {
            return Ok(PersonId(id));
        }
        let new = NewPerson { name: "Автор неизвестен", ..NewPerson::default() };
        let id = persons::insert(self.tx, &new, self.now)?;
        ids::set(self.tx, Kind::Person, NOBODY, id.0)?;
        Ok(id)
    }
}
