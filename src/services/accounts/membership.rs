//! People of organizations: letting in, roles, invitations, leaving.

use std::time::Duration;

use rusqlite::{Connection, Transaction};

use super::entry::{NewOrg, Newcomer, join_new};
use super::{AccountError, Accounts, Actor, Who, note, notices, tokens, who};
use crate::config::Registration;
use crate::domain::{MemberState, OrgKind, OrgRole, OrganizationId, PersonId, Phone, Secret};
use crate::services::notifications::{self, Notice, Outgoing};
use crate::storage::links::{self, LinkKind, LinkRow};
use crate::storage::members::{self, MemberRow};
use crate::storage::organizations::{self, OrganizationRow};
use crate::storage::persons;

/// How long an invitation works.
const INVITATION: Duration = Duration::from_hours(7 * 24);

/// Someone in an organization.
pub type Member = MemberRow;

/// What an invitation offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Where.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// As what.
    pub role: OrgRole,
    /// Who invites.
    pub by: String,
}

impl Accounts {
    /// The company with this taxpayer's number or name, to be offered to a newcomer.
    pub async fn find_by_name_or_inn(
        &self,
        text: &str,
    ) -> Result<Option<OrganizationRow>, AccountError> {
        let text = text.trim().to_owned();
        self.base
            .db
            .read(move |conn| {
                if let Some(inn) = inn(&text) {
                    return Ok(organizations::find_by_inn(conn, &inn)?);
                }
                Ok(organizations::find_by_name(conn, &text)?)
            })
            .await
    }

    /// The people of an organization, those who wait first. For its own people and for staff.
    pub async fn members(
        &self,
        asking: &Who,
        organization: OrganizationId,
    ) -> Result<Vec<Member>, AccountError> {
        let inside = asking
            .organizations
            .iter()
            .any(|m| m.organization == organization && m.is_active() && !m.blocked);
        if asking.is_blocked() || !(inside || asking.is_staff()) {
            return Err(AccountError::NotFound);
        }
        self.base.db.read(move |conn| Ok(members::of_organization(conn, organization)?)).await
    }

    /// Lets a person in who waits.
    ///
    /// # Errors
    ///
    /// [`AccountError::NotFound`] when nobody waits there, or when the actor is neither an owner
    /// there nor staff.
    pub async fn admit(
        &self,
        by: &Actor,
        organization: OrganizationId,
        person: PersonId,
    ) -> Result<(), AccountError> {
        self.decide(by, organization, person, MemberState::Active).await
    }

    /// Keeps a person out who waits. Errors are those of [`Accounts::admit`].
    pub async fn refuse(
        &self,
        by: &Actor,
        organization: OrganizationId,
        person: PersonId,
    ) -> Result<(), AccountError> {
        self.decide(by, organization, person, MemberState::Left).await
    }

    async fn decide(
        &self,
        by: &Actor,
        organization: OrganizationId,
        person: PersonId,
        state: MemberState,
    ) -> Result<(), AccountError> {
        let (by, now, config) = (by.clone(), self.base.clock.now(), self.base.config.clone());
        self.base
            .db
            .write(move |tx| {
                may_manage(tx, &config.access, &by, organization)?;
                let (role, before) = members::find(tx, organization, person)?
                    .filter(|(_, state)| *state == MemberState::Pending)
                    .ok_or(AccountError::NotFound)?;
                members::set(tx, organization, person, role, state, now)?;
                let object = format!("member:{organization}:{person}");
                let change = (Some(before.as_str()), Some(state.as_str()));
                note(tx, &by, now, "member.state", &object, change)?;
                let decided = Outgoing::Notice(Notice::JoinDecided { person, organization });
                notifications::enqueue_to_person(tx, person, &decided, now, None)?;
                notices::join_settled(tx, person, organization, now)?;
                Ok::<_, AccountError>(())
            })
            .await?;
        self.tell_outbox();
        Ok(())
    }

    /// Changes what a member may do.
    ///
    /// # Errors
    ///
    /// [`AccountError::LastOwner`]; [`AccountError::NotFound`] as for [`Accounts::admit`].
    pub async fn set_member_role(
        &self,
        by: &Actor,
        organization: OrganizationId,
        person: PersonId,
        role: OrgRole,
    ) -> Result<(), AccountError> {
        let (by, now, config) = (by.clone(), self.base.clock.now(), self.base.config.clone());
        self.base
            .db
            .write(move |tx| {
                may_manage(tx, &config.access, &by, organization)?;
                let (before, state) = members::find(tx, organization, person)?
                    .filter(|(_, state)| *state != MemberState::Left)
                    .ok_or(AccountError::NotFound)?;
                members::set(tx, organization, person, role, state, now)?;
                keep_an_owner(tx, organization, before)?;
                let object = format!("member:{organization}:{person}");
                let change = (Some(before.as_str()), Some(role.as_str()));
                note(tx, &by, now, "member.role", &object, change)?;
                Ok(())
            })
            .await
    }

    /// Takes a member out; oneself too.
    ///
    /// # Errors
    ///
    /// [`AccountError::LastOwner`]; [`AccountError::NotFound`] as for [`Accounts::admit`].
    pub async fn remove_member(
        &self,
        by: &Actor,
        organization: OrganizationId,
        person: PersonId,
    ) -> Result<(), AccountError> {
        let (by, now, config) = (by.clone(), self.base.clock.now(), self.base.config.clone());
        self.base
            .db
            .write(move |tx| {
                if by.person != Some(person) {
                    may_manage(tx, &config.access, &by, organization)?;
                }
                let (role, before) = members::find(tx, organization, person)?
                    .filter(|(_, state)| *state != MemberState::Left)
                    .ok_or(AccountError::NotFound)?;
                members::set(tx, organization, person, role, MemberState::Left, now)?;
                keep_an_owner(tx, organization, role)?;
                links::kill_invites(tx, person, Some(organization))?;
                let object = format!("member:{organization}:{person}");
                let change = (Some(before.as_str()), Some(MemberState::Left.as_str()));
                note(tx, &by, now, "member.state", &object, change)?;
                Ok(())
            })
            .await
    }

    /// Puts a person who acts for nobody into an organization; one who is in some already, or
    /// waits for it, stays as they are.
    ///
    /// # Errors
    ///
    /// [`AccountError::InviteOnly`]; [`AccountError::NotFound`] when the organization is gone.
    pub async fn work_at(&self, who: &Who, organization: NewOrg) -> Result<Who, AccountError> {
        if self.base.config.access.registration == Registration::Invite {
            return Err(AccountError::InviteOnly);
        }
        let person = who.person.clone().ok_or(AccountError::NotFound)?;
        let (now, config, chat) =
            (self.base.clock.now(), self.base.config.clone(), who.chat.clone());
        let who = self
            .base
            .db
            .write(move |tx| {
                let present = who::who(tx, &config.access, chat.clone())?;
                if !present.organizations.is_empty() {
                    return Ok(present);
                }
                let newcomer = Newcomer {
                    id: person.id,
                    name: &person.name,
                    phone: person.phone.as_ref(),
                    address: "",
                    hours: "",
                };
                join_new(tx, &config, &newcomer, &organization, now)?;
                Ok::<_, AccountError>(who::who(tx, &config.access, chat)?)
            })
            .await?;
        self.tell_outbox();
        Ok(who)
    }

    /// Chooses for which organization the person acts.
    ///
    /// # Errors
    ///
    /// [`AccountError::NotFound`] when the person is not active there.
    pub async fn switch_organization(
        &self,
        person: PersonId,
        organization: OrganizationId,
    ) -> Result<(), AccountError> {
        self.base
            .db
            .write(move |tx| {
                members::find(tx, organization, person)?
                    .filter(|(_, state)| *state == MemberState::Active)
                    .ok_or(AccountError::NotFound)?;
                Ok(persons::set_current_organization(tx, person, Some(organization))?)
            })
            .await
    }

    /// A token that lets one person into an organization within 7 days. Only its owners and staff
    /// may ask for one, and a private person has none to give.
    ///
    /// # Errors
    ///
    /// [`AccountError::NotFound`] when the actor may not.
    pub async fn invite(
        &self,
        by: &Actor,
        organization: OrganizationId,
        role: OrgRole,
    ) -> Result<Secret, AccountError> {
        let token = tokens::new_token()?;
        let hash = tokens::hash(&token);
        let (by, now, config) = (by.clone(), self.base.clock.now(), self.base.config.clone());
        self.base
            .db
            .write(move |tx| {
                may_invite(tx, &config.access, &by, organization)?;
                let link = LinkRow {
                    person: None,
                    organization: Some(organization),
                    role: Some(role),
                    created_by: by.person,
                    expires_at: now.plus(INVITATION),
                };
                links::insert(tx, &hash, LinkKind::Invite, &link)?;
                let object = format!("organization:{organization}");
                note(tx, &by, now, "member.invited", &object, (None, Some(role.as_str())))?;
                Ok::<_, AccountError>(())
            })
            .await?;
        Ok(Secret::new(token))
    }

    /// Invites a number: whoever proves it is a member at once. A person who has an account gets
    /// one organization more to choose from.
    ///
    /// # Errors
    ///
    /// [`AccountError::NotFound`] when the actor may not.
    pub async fn invite_phone(
        &self,
        by: &Actor,
        organization: OrganizationId,
        phone: &Phone,
        role: OrgRole,
    ) -> Result<PersonId, AccountError> {
        let (by, phone) = (by.clone(), phone.clone());
        let (now, config) = (self.base.clock.now(), self.base.config.clone());
        self.base
            .db
            .write(move |tx| {
                may_invite(tx, &config.access, &by, organization)?;
                let person = match persons::find_by_phone(tx, &phone)? {
                    Some(person) => person.id,
                    None => persons::insert(
                        tx,
                        &persons::NewPerson { phone: Some(&phone), ..Default::default() },
                        now,
                    )?,
                };
                let present = members::find(tx, organization, person)?;
                if present.is_none_or(|(_, state)| state != MemberState::Active) {
                    members::set(tx, organization, person, role, MemberState::Active, now)?;
                }
                let object = format!("member:{organization}:{person}");
                note(tx, &by, now, "member.invited", &object, (None, Some(role.as_str())))?;
                Ok(person)
            })
            .await
    }

    /// What an invitation offers, while it works. Looking uses nothing up.
    ///
    /// # Errors
    ///
    /// [`AccountError::LinkExpired`].
    pub async fn look_at_invitation(&self, token: &str) -> Result<Invitation, AccountError> {
        let (hash, now) = (tokens::hash(token), self.base.clock.now());
        self.base
            .db
            .read(move |conn| {
                let link = links::find(conn, &hash, LinkKind::Invite, now)?
                    .ok_or(AccountError::LinkExpired)?;
                invitation(conn, &link)
            })
            .await
    }

    /// The owner to ask for a new invitation when this one works no more.
    pub async fn invitation_author(&self, token: &str) -> Result<Option<String>, AccountError> {
        let hash = tokens::hash(token);
        self.base
            .db
            .read(move |conn| {
                let Some(author) = links::author(conn, &hash)? else { return Ok(None) };
                Ok(persons::find(conn, author)?.map(|person| person.name))
            })
            .await
    }

    /// Uses an invitation up: the chat's person is in the organization, and acts for it.
    ///
    /// # Errors
    ///
    /// [`AccountError::LinkExpired`]; [`AccountError::NotAllowed`] for a guest or a closed account:
    /// the link is not used up.
    pub async fn accept_invitation(
        &self,
        chat: &crate::domain::ChatKey,
        token: &str,
    ) -> Result<(Who, Invitation), AccountError> {
        let (chat, hash, now) = (chat.clone(), tokens::hash(token), self.base.clock.now());
        let config = self.base.config.clone();
        let accepted = self
            .base
            .db
            .write(move |tx| {
                let person = persons::find_by_chat(tx, &chat)?
                    .filter(|person| !person.blocked)
                    .ok_or(AccountError::NotAllowed)?
                    .id;
                let link = links::consume(tx, &hash, LinkKind::Invite, now)?
                    .ok_or(AccountError::LinkExpired)?;
                let invitation = invitation(tx, &link)?;
                let organization = invitation.organization;
                let before = members::find(tx, organization, person)?;
                let active = before.filter(|(_, state)| *state == MemberState::Active);
                // An invitation raises nobody who is in already, and lowers nobody either.
                let role = active.map_or(invitation.role, |(role, _)| role);
                members::set(tx, organization, person, role, MemberState::Active, now)?;
                persons::set_current_organization(tx, person, Some(organization))?;
                let object = format!("member:{organization}:{person}");
                let actor = Actor::bot(person);
                note(tx, &actor, now, "member.joined", &object, (None, Some(role.as_str())))?;
                if active.is_none() {
                    notices::joined(tx, person, organization, now)?;
                }
                Ok::<_, AccountError>((who::who(tx, &config.access, chat)?, invitation))
            })
            .await?;
        self.tell_outbox();
        Ok(accepted)
    }

    /// The addresses of the organization, the last used first.
    pub async fn addresses(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<organizations::AddressRow>, AccountError> {
        self.base.db.read(move |conn| Ok(organizations::addresses(conn, organization, 20)?)).await
    }
}

/// A taxpayer's number: 10 digits of a legal entity or 12 of a person, written anyhow; `None` when
/// the text is none.
pub fn inn(text: &str) -> Option<String> {
    let text = text.trim();
    let bare = text.strip_prefix("ИНН").or_else(|| text.strip_prefix("инн")).unwrap_or(text);
    let digits: String = bare.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    (plain && matches!(digits.len(), 10 | 12)).then_some(digits)
}

fn invitation(conn: &Connection, link: &LinkRow) -> Result<Invitation, AccountError> {
    let organization = link.organization.ok_or(AccountError::LinkExpired)?;
    let found =
        organizations::find(conn, organization)?.filter(|organization| !organization.blocked);
    let by = link.created_by.map(|person| persons::find(conn, person)).transpose()?.flatten();
    Ok(Invitation {
        organization,
        name: found.ok_or(AccountError::LinkExpired)?.name,
        role: link.role.unwrap_or(OrgRole::Viewer),
        by: by.map(|person| person.name).unwrap_or_default(),
    })
}

/// Whether the actor manages the people of an organization: its owner, staff, or the operator.
fn may_manage(
    tx: &Transaction<'_>,
    access: &crate::config::Access,
    by: &Actor,
    organization: OrganizationId,
) -> Result<(), AccountError> {
    let Some(id) = by.person else { return Ok(()) };
    let actor = persons::find(tx, id)?.filter(|person| !person.blocked);
    let actor = actor.ok_or(AccountError::NotFound)?;
    let place = members::find(tx, organization, id)?;
    let owner = place == Some((OrgRole::Owner, MemberState::Active));
    if owner || persons::role(tx, access, &actor)?.is_staff() {
        return Ok(());
    }
    Err(AccountError::NotFound)
}

fn may_invite(
    tx: &Transaction<'_>,
    access: &crate::config::Access,
    by: &Actor,
    organization: OrganizationId,
) -> Result<(), AccountError> {
    may_manage(tx, access, by, organization)?;
    let found = organizations::find(tx, organization)?;
    let found = found.filter(|found| found.kind == OrgKind::Company && !found.blocked);
    found.map(|_| ()).ok_or(AccountError::NotFound)
}

/// Refuses a change that leaves an organization without an owner.
fn keep_an_owner(
    tx: &Transaction<'_>,
    organization: OrganizationId,
    before: OrgRole,
) -> Result<(), AccountError> {
    if before == OrgRole::Owner && members::owners(tx, organization)?.is_empty() {
        return Err(AccountError::LastOwner);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taxpayers_number_is_told_from_a_name() {
        assert_eq!(inn("6449 012345"), Some("6449012345".to_owned()));
        assert_eq!(inn("ИНН: 644901234567"), Some("644901234567".to_owned()));
        for text in ["ООО «Диван-М»", "12345", "644901234", "6449012345а", ""] {
            assert_eq!(inn(text), None, "{text}");
        }
    }
}
