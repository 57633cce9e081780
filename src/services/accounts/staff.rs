//! People of the company: accounts, roles, passwords, blocking. Each change ends the sessions of
//! whom it concerns and is written into the journal.

use rusqlite::{Connection, Transaction};

use super::{AccountError, Accounts, Actor, note_person};
use crate::config::Access;
use crate::domain::{ChatKey, MemberState, OrgKind, OrgRole, PersonId, Phone, Role, Timestamp};
use crate::services::notifications::{self, Notice, Outgoing};
use crate::storage::persons::PersonRow;
use crate::storage::{StorageError, chats, links, members, organizations, persons, sessions};

/// An account for someone of the company.
#[derive(Debug, Clone)]
pub struct NewStaff {
    /// The number: whoever makes the account vouches for it.
    pub phone: Phone,
    /// The full name.
    pub name: String,
    /// [`Role::Manager`] or [`Role::Admin`].
    pub role: Role,
    /// The password.
    pub password: String,
}

/// Someone of the company, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct StaffMember {
    /// The row.
    pub id: PersonId,
    /// The full name.
    pub name: String,
    /// The number.
    pub phone: Option<Phone>,
    /// What they may do, computed; [`Role::Client`] while blocked.
    pub role: Role,
    /// Whether the role comes from the settings and cannot be taken here.
    pub from_settings: bool,
    /// May do nothing.
    pub blocked: bool,
    /// Gets new orders.
    pub on_shift: bool,
    /// Whether a password is set.
    pub has_password: bool,
    /// Chats linked to the account.
    pub chats: usize,
    /// When they last did something.
    pub seen_at: Option<Timestamp>,
}

impl Accounts {
    /// Makes an account for someone of the company, or gives a client's account of this number the
    /// name, the role and the password.
    ///
    /// # Errors
    ///
    /// [`AccountError::Password`]; [`AccountError::NoName`]; [`AccountError::NotAllowed`] for
    /// [`Role::Client`]; [`AccountError::StaffExists`] and [`AccountError::Blocked`]: such an
    /// account is changed by what is meant for it.
    pub async fn create_staff(
        &self,
        by: &Actor,
        mut new: NewStaff,
    ) -> Result<PersonId, AccountError> {
        if !new.role.is_staff() {
            return Err(AccountError::NotAllowed);
        }
        new.name = new.name.trim().to_owned();
        if new.name.is_empty() {
            return Err(AccountError::NoName);
        }
        self.check_password(&new.password, &[&new.name, new.phone.as_str()])?;
        let hash = self.hasher.hash(&new.password).await?;
        let (by, now) = (by.clone(), self.base.clock.now());
        let config = self.base.config.clone();
        let id = self
            .base
            .db
            .write(move |tx| {
                let id = match persons::find_by_phone(tx, &new.phone)? {
                    Some(row) => {
                        may_become_staff(tx, &config.access, &row)?;
                        // Who typed this number before has proven nothing.
                        if !row.phone_verified {
                            chats::unlink_all(tx, row.id, None)?;
                            persons::set_phone(tx, row.id, Some(&new.phone), true)?;
                        }
                        persons::set_name(tx, row.id, &new.name)?;
                        persons::set_granted_role(tx, row.id, Some(new.role))?;
                        persons::set_password_hash(tx, row.id, Some(&hash))?;
                        end_sessions(tx, row.id)?;
                        row.id
                    }
                    None => persons::insert(
                        tx,
                        &persons::NewPerson {
                            name: &new.name,
                            phone: Some(&new.phone),
                            phone_verified: true,
                            password_hash: Some(&hash),
                            granted_role: Some(new.role),
                            ..Default::default()
                        },
                        now,
                    )?,
                };
                let role = Some(new.role.as_str());
                note_person(tx, &by, now, "person.role", id, (None, role))?;
                Ok::<_, AccountError>(id)
            })
            .await?;
        self.forget();
        Ok(id)
    }

    /// Everyone of the company, by name; blocked ones too.
    pub async fn staff(&self) -> Result<Vec<StaffMember>, AccountError> {
        let config = self.base.config.clone();
        self.base
            .db
            .read(move |conn| {
                let mut staff = Vec::new();
                for (row, role) in persons::list_staff(conn, &config.access)? {
                    let granted = row.granted_role.unwrap_or(Role::Client);
                    staff.push(StaffMember {
                        id: row.id,
                        role,
                        from_settings: role > granted,
                        blocked: row.blocked,
                        on_shift: row.on_shift,
                        has_password: row.password_hash.is_some(),
                        chats: chats::list(conn, row.id)?.len(),
                        seen_at: row.seen_at,
                        phone: row.shown_phone().cloned(),
                        name: row.name,
                    });
                }
                Ok(staff)
            })
            .await
    }

    /// Whether an administrator exists; the people of the demo do not count.
    pub async fn has_admin(&self) -> Result<bool, AccountError> {
        let config = self.base.config.clone();
        self.base.db.read(move |conn| Ok(has_admin(conn, &config.access, None)?)).await
    }

    /// Sets a password; every session of the person ends.
    ///
    /// # Errors
    ///
    /// [`AccountError::Password`], [`AccountError::NotFound`].
    pub async fn set_password(
        &self,
        by: &Actor,
        person: PersonId,
        password: &str,
    ) -> Result<(), AccountError> {
        self.check_password(password, &[])?;
        let hash = self.hasher.hash(password).await?;
        self.change(by, person, move |tx, row, by, now| {
            persons::set_password_hash(tx, row.id, Some(&hash))?;
            note_person(tx, by, now, "person.password", row.id, (None, None))?;
            Ok(())
        })
        .await
    }

    /// Changes one's own password, the present one being given; every session of the person ends.
    ///
    /// # Errors
    ///
    /// [`AccountError::WrongPassword`], counted like a failed sign-in; [`AccountError::TooMany`];
    /// [`AccountError::Password`].
    pub async fn change_password(
        &self,
        by: &Actor,
        person: PersonId,
        present: &str,
        new: &str,
    ) -> Result<(), AccountError> {
        self.check_present_password(person, present).await?;
        self.set_password(by, person, new).await
    }

    /// Checks that a person knows their present password.
    ///
    /// # Errors
    ///
    /// [`AccountError::WrongPassword`], counted like a failed sign-in; [`AccountError::TooMany`].
    pub async fn check_present_password(
        &self,
        person: PersonId,
        present: &str,
    ) -> Result<(), AccountError> {
        let subject = format!("person:{person}");
        let tries = self.begin_try(vec![(subject, super::TRIES_PER_ACCOUNT)]).await?;
        let hash = self
            .base
            .db
            .read(move |conn| {
                let row = persons::find(conn, person)?.ok_or(AccountError::NotFound)?;
                Ok::<_, AccountError>(row.password_hash)
            })
            .await?;
        if self.hasher.verify(present, hash).await? == super::passwords::Verdict::Wrong {
            return Err(AccountError::WrongPassword);
        }
        self.take_back(tries).await
    }

    /// Gives a role, or takes it away with [`Role::Client`]. A role from the settings stays.
    ///
    /// # Errors
    ///
    /// [`AccountError::LastAdmin`], [`AccountError::NotFound`].
    pub async fn set_role(
        &self,
        by: &Actor,
        person: PersonId,
        role: Role,
    ) -> Result<(), AccountError> {
        let config = self.base.config.clone();
        self.change(by, person, move |tx, row, by, now| {
            let before = row.granted_role.unwrap_or(Role::Client);
            let was_admin = persons::role(tx, &config.access, row)? == Role::Admin;
            persons::set_granted_role(tx, row.id, Some(role).filter(|role| role.is_staff()))?;
            keep_an_admin(tx, &config.access, row, was_admin)?;
            let change = (Some(before.as_str()), Some(role.as_str()));
            note_person(tx, by, now, "person.role", row.id, change)?;
            let notice = Outgoing::Notice(Notice::RoleChanged);
            notifications::enqueue_to_person(tx, row.id, &notice, now, None)?;
            Ok(())
        })
        .await?;
        self.tell_outbox();
        Ok(())
    }

    /// Closes an account or opens it again; closing ends its sessions and links.
    ///
    /// # Errors
    ///
    /// [`AccountError::LastAdmin`], [`AccountError::NotFound`].
    pub async fn set_blocked(
        &self,
        by: &Actor,
        person: PersonId,
        blocked: bool,
    ) -> Result<(), AccountError> {
        let config = self.base.config.clone();
        self.change(by, person, move |tx, row, by, now| {
            let was_admin = persons::role(tx, &config.access, row)? == Role::Admin;
            persons::set_blocked(tx, row.id, blocked)?;
            if blocked {
                links::kill_invites(tx, row.id, None)?;
            }
            keep_an_admin(tx, &config.access, row, was_admin)?;
            let word = |blocked: bool| Some(if blocked { "blocked" } else { "open" });
            let change = (word(row.blocked), word(blocked));
            note_person(tx, by, now, "person.blocked", row.id, change)?;
            Ok(())
        })
        .await
    }

    /// Takes a person's password away and ends every session and link of theirs: they come back by
    /// a contact.
    ///
    /// # Errors
    ///
    /// [`AccountError::NotFound`].
    pub async fn reset_access(&self, by: &Actor, person: PersonId) -> Result<(), AccountError> {
        let (by, now) = (by.clone(), self.base.clock.now());
        self.base
            .db
            .write(move |tx| {
                persons::find(tx, person)?.ok_or(AccountError::NotFound)?;
                persons::set_password_hash(tx, person, None)?;
                persons::bump_security_stamp(tx, person)?;
                sessions::delete_all(tx, person, None)?;
                note_person(tx, &by, now, "person.reset", person, (None, None))?;
                Ok::<_, AccountError>(())
            })
            .await?;
        self.forget();
        Ok(())
    }

    /// Puts a person on shift or takes off. No right changes, so sessions go on.
    pub async fn set_on_shift(&self, person: PersonId, on_shift: bool) -> Result<(), AccountError> {
        self.base.db.write(move |tx| Ok(persons::set_on_shift(tx, person, on_shift)?)).await
    }

    /// Changes something about a person's rights: all their sessions and links into the panel end.
    pub(super) async fn change(
        &self,
        by: &Actor,
        person: PersonId,
        work: impl FnOnce(
            &Transaction<'_>,
            &persons::PersonRow,
            &Actor,
            Timestamp,
        ) -> Result<(), AccountError>
        + Send
        + 'static,
    ) -> Result<(), AccountError> {
        let (by, now) = (by.clone(), self.base.clock.now());
        self.base
            .db
            .write(move |tx| {
                let row = persons::find(tx, person)?.ok_or(AccountError::NotFound)?;
                work(tx, &row, &by, now)?;
                end_sessions(tx, person)?;
                Ok::<_, AccountError>(())
            })
            .await?;
        self.forget();
        Ok(())
    }

    /// The three people of the demo: Анна, owner of ООО «Диван-М», in `web:anna`; Мария, manager,
    /// in `web:maria`; an administrator. The last two open the panel with `password`. Called again,
    /// it only sets the password.
    pub async fn demo_people(&self, password: &str) -> Result<(), AccountError> {
        let hash = self.hasher.hash(password).await?;
        let now = self.base.clock.now();
        self.base.db.write(move |tx| demo_people(tx, &hash, now)).await?;
        self.forget();
        Ok(())
    }
}

fn demo_people(tx: &Transaction<'_>, hash: &str, now: Timestamp) -> Result<(), AccountError> {
    const PEOPLE: [(&str, &str, Option<Role>, Option<&str>); 3] = [
        ("+79000000001", "Анна Иванова", None, Some("anna")),
        ("+79000000002", "Мария", Some(Role::Manager), Some("maria")),
        ("+79000000003", "Администратор", Some(Role::Admin), None),
    ];
    for (phone, name, role, persona) in PEOPLE {
        let Ok(phone) = phone.parse::<Phone>() else { continue };
        if let Some(row) = persons::find_by_phone(tx, &phone)? {
            persons::set_password_hash(tx, row.id, Some(hash))?;
            end_sessions(tx, row.id)?;
            continue;
        }
        let id = persons::insert(
            tx,
            &persons::NewPerson {
                name,
                phone: Some(&phone),
                phone_verified: true,
                password_hash: Some(hash),
                granted_role: role,
                demo: true,
                ..Default::default()
            },
            now,
        )?;
        if let Some(persona) = persona {
            chats::link(tx, &ChatKey::Web(persona.to_owned()), id, name, now)?;
        }
        if role.is_none() {
            let organization = organizations::insert(
                tx,
                &organizations::NewOrganization {
                    kind: OrgKind::Company,
                    name: "ООО «Диван-М»",
                    inn: None,
                    external_id: None,
                    verified: true,
                    hours: "09:00–18:00",
                },
                now,
            )?;
            let (role, state) = (OrgRole::Owner, MemberState::Active);
            members::set(tx, organization, id, role, state, now)?;
            organizations::use_address(tx, organization, "г. Энгельс, ул. Полтавская, 12", now)?;
        }
    }
    Ok(())
}

/// Ends every session of the person and every link into the panel.
pub(super) fn end_sessions(tx: &Transaction<'_>, person: PersonId) -> Result<(), StorageError> {
    persons::bump_security_stamp(tx, person)?;
    sessions::delete_all(tx, person, None)?;
    links::kill_panel(tx, person)
}

/// Whether an administrator exists beside `except`.
fn has_admin(
    conn: &Connection,
    access: &Access,
    except: Option<PersonId>,
) -> Result<bool, StorageError> {
    let staff = persons::list_staff(conn, access)?;
    Ok(staff
        .iter()
        .any(|(person, role)| *role == Role::Admin && !person.demo && Some(person.id) != except))
}

/// Refuses a change after which a company that had an administrator has none.
fn keep_an_admin(
    tx: &Transaction<'_>,
    access: &Access,
    before: &persons::PersonRow,
    was_admin: bool,
) -> Result<(), AccountError> {
    if !was_admin || before.demo {
        return Ok(());
    }
    let after = persons::find(tx, before.id)?.ok_or(AccountError::NotFound)?;
    let still = persons::role(tx, access, &after)? == Role::Admin;
    if still || has_admin(tx, access, Some(before.id))? {
        Ok(())
    } else {
        Err(AccountError::LastAdmin)
    }
}

/// Whether an account that is there may be made one of staff.
fn may_become_staff(
    tx: &rusqlite::Transaction<'_>,
    access: &Access,
    row: &PersonRow,
) -> Result<(), AccountError> {
    let open = PersonRow { blocked: false, ..row.clone() };
    let role = persons::role(tx, access, &open)?;
    if role.is_staff() {
        let (name, blocked) = (row.name.clone(), row.blocked);
        return Err(AccountError::StaffExists { name, role, blocked });
    }
    if row.blocked { Err(AccountError::Blocked) } else { Ok(()) }
}
