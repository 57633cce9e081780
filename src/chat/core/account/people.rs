//! The people of an organization: who is in it, who is let in, who is invited.

use super::{AccountRefusal, actor, explain_account, phone_hint};
use crate::chat::core::{Core, PANE, Talk};
use crate::chat::dialogue::AccountForm;
use crate::chat::screens::account;
use crate::chat::worker::ChatError;
use crate::chat::{Action, Button, Screen};
use crate::domain::{OrgKind, OrgRole, OrganizationId, PersonId, Phone};
use crate::services::accounts::{AccountError, Member, Membership};
use crate::services::notifications::Outgoing;

impl Core {
    /// «Пригласить работника»: as what?
    pub(in crate::chat::core) async fn begin_invitation(
        &self,
        talk: &mut Talk<'_>,
    ) -> Result<(), ChatError> {
        if talk.only_private() {
            return Ok(());
        }
        let company = talk.who.acting_for().filter(|m| m.kind == OrgKind::Company).cloned();
        match company {
            Some(membership) if talk.who.is_owner() => {
                talk.out.push(account::invite(membership.organization).below(PANE));
                Ok(())
            }
            Some(membership) => {
                let text = self.only_owner(membership.organization, talk).await?;
                talk.say(Screen::text(text));
                Ok(())
            }
            None => self.show_account(talk).await,
        }
    }

    /// «Это может сделать владелец организации: …».
    async fn only_owner(
        &self,
        organization: OrganizationId,
        talk: &Talk<'_>,
    ) -> Result<String, ChatError> {
        let people = self.accounts.members(&talk.who, organization).await?;
        let owner = people.into_iter().find(|member| member.role == OrgRole::Owner);
        Ok(match owner {
            Some(owner) => {
                format!("Это может сделать владелец организации: {}.", owner.name)
            }
            None => "Это может сделать владелец организации.".to_owned(),
        })
    }

    /// The membership of the one who asks, in an organization of theirs.
    fn own_membership(
        talk: &Talk<'_>,
        organization: OrganizationId,
    ) -> Result<Membership, AccountError> {
        let mut all = talk.who.organizations.iter();
        let own = all.find(|m| m.organization == organization && m.is_active() && !m.blocked);
        own.cloned().ok_or(AccountError::NotFound)
    }

    async fn member_of(
        &self,
        talk: &Talk<'_>,
        organization: OrganizationId,
        person: PersonId,
    ) -> Result<Member, AccountError> {
        let people = self.accounts.members(&talk.who, organization).await?;
        people.into_iter().find(|member| member.person == person).ok_or(AccountError::NotFound)
    }

    async fn show_members(
        &self,
        talk: &mut Talk<'_>,
        organization: OrganizationId,
    ) -> Result<(), AccountRefusal> {
        let membership = Self::own_membership(talk, organization)?;
        let people = self.accounts.members(&talk.who, organization).await?;
        let owner = membership.role == OrgRole::Owner;
        talk.out.push(account::members(&membership, &people, owner).in_place(PANE));
        Ok(())
    }

    async fn show_member(
        &self,
        talk: &mut Talk<'_>,
        organization: OrganizationId,
        person: PersonId,
    ) -> Result<(), AccountRefusal> {
        let membership = Self::own_membership(talk, organization)?;
        let member = self.member_of(talk, organization, person).await?;
        let owner = membership.role == OrgRole::Owner;
        let own = talk.who.person_id() == Some(person);
        talk.out.push(account::member(organization, &member, owner, own).in_place(PANE));
        Ok(())
    }

    pub(super) async fn press_people(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), AccountRefusal> {
        let by = actor(&talk.who)?;
        match action {
            Action::InvitationAccept => return self.accept_invitation(talk).await,
            Action::MemberAdmit { organization, person } => {
                self.accounts.admit(&by, organization, person).await?;
                talk.toast("Доступ открыт");
            }
            Action::MemberRefuse { organization, person } => {
                self.accounts.refuse(&by, organization, person).await?;
                talk.toast("Отказано");
            }
            Action::Members { organization } => self.show_members(talk, organization).await?,
            Action::MemberShow { organization, person } => {
                self.show_member(talk, organization, person).await?;
            }
            Action::MemberRole { organization, person, role } => {
                self.accounts.set_member_role(&by, organization, person, role).await?;
                talk.who = self.accounts.who(talk.chat).await?;
                self.show_member(talk, organization, person).await?;
            }
            Action::MemberRemove { organization, person } => {
                let member = self.member_of(talk, organization, person).await?;
                let own = talk.who.person_id() == Some(person);
                talk.out.push(account::remove_member(organization, &member, own).in_place(PANE));
            }
            Action::MemberRemoveYes { organization, person } => {
                self.accounts.remove_member(&by, organization, person).await?;
                if talk.who.person_id() == Some(person) {
                    talk.who = self.accounts.who(talk.chat).await?;
                    talk.toast("Вы вышли из организации");
                    self.show_account(talk).await?;
                } else {
                    self.show_members(talk, organization).await?;
                }
            }
            Action::Invite { organization } => {
                self.owner_of(talk, organization)?;
                talk.out.push(account::invite(organization).in_place(PANE));
            }
            Action::InviteAs { organization, role } => {
                self.owner_of(talk, organization)?;
                talk.out.push(account::invite_as(organization, role).in_place(PANE));
            }
            Action::InviteLink { organization, role } => {
                self.owner_of(talk, organization)?;
                let token = self.accounts.invite(&by, organization, role).await?;
                let link = self.invitation_link(token.expose());
                talk.out.push(account::invite_link(organization, &link).in_place(PANE));
            }
            Action::InvitePhone { organization, role } => {
                self.owner_of(talk, organization)?;
                talk.state.ask_account(AccountForm::InvitePhone { organization, role }, talk.now);
                let question =
                    "Напишите номер телефона. Его владелец подтвердит номер — и он в организации.";
                talk.out.push(account::ask(question, None).in_place(PANE));
            }
            _ => self.menu(talk).await?,
        }
        Ok(())
    }

    /// Only the owner of that very organization, whatever the button says.
    #[expect(clippy::unused_self, reason = "reads as the other checks")]
    fn owner_of(&self, talk: &Talk<'_>, organization: OrganizationId) -> Result<(), AccountError> {
        let own = Self::own_membership(talk, organization)?;
        if own.role == OrgRole::Owner { Ok(()) } else { Err(AccountError::NotAllowed) }
    }

    /// Where an invitation leads: the bot, or the command to send it where the bot has no name.
    fn invitation_link(&self, token: &str) -> String {
        match self.bot.report().username {
            Some(name) => format!("https://t.me/{name}?start=inv_{token}"),
            None => format!("/start inv_{token}"),
        }
    }

    async fn accept_invitation(&self, talk: &mut Talk<'_>) -> Result<(), AccountRefusal> {
        let Some(token) = talk.state.invitation.take() else {
            talk.toast("Ссылка больше не действует");
            return Ok(self.menu(talk).await?);
        };
        let (who, invitation) = self.accounts.accept_invitation(talk.chat, &token).await?;
        talk.who = who;
        let text =
            format!("Вы в организации {}, роль — {}.", invitation.name, invitation.role.label());
        talk.out.push(Screen::text(text).in_place(PANE));
        Ok(())
    }

    pub(super) async fn fill_invite_phone(
        &self,
        talk: &mut Talk<'_>,
        organization: OrganizationId,
        role: OrgRole,
        text: &str,
    ) -> Result<(), ChatError> {
        let phone = match text.parse::<Phone>() {
            Ok(phone) => phone,
            Err(error) => {
                let hint = phone_hint(&error);
                let screen = account::ask("Напишите номер телефона.", Some(&hint));
                talk.out.push(screen.below(PANE));
                return Ok(());
            }
        };
        talk.state.account = None;
        let invited = match actor(&talk.who) {
            Ok(by) => self.accounts.invite_phone(&by, organization, &phone, role).await,
            Err(error) => Err(error),
        };
        match invited {
            Ok(_) => {
                let text = format!(
                    "Приглашение готово: {phone}, роль — {}. Достаточно подтвердить этот номер в боте.",
                    role.label()
                );
                let back = Button::new("Сотрудники", Action::Members { organization });
                talk.out.push(Screen::text(text).row([back]).below(PANE));
                Ok(())
            }
            Err(error) => explain_account(talk, error),
        }
    }

    pub(super) fn forget_pane(talk: &mut Talk<'_>) {
        talk.out.push(Outgoing::Remove { slot: PANE.to_owned() });
    }
}
