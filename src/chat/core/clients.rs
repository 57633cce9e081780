//! Clients as staff see them, and orders that a manager writes for one.

use super::{Core, PANE, Refused, Talk};
use crate::chat::dialogue::{Form, Lens, State};
use crate::chat::screens::{clients, order};
use crate::chat::worker::ChatError;
use crate::chat::{Action, Button};
use crate::domain::OrganizationId;
use crate::services::accounts::Actor;
use crate::services::directory::{Client, Directory};
use crate::services::notifications::Outgoing;
use crate::services::ordering::OrderError;
use crate::storage::directory::{ClientFilter, ClientRow};
use crate::storage::orders::{OrderFilter, OrderRow};

/// What a picked client is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    /// To be looked at.
    Card,
    /// To order for.
    Order,
    /// To see the bot as they do.
    View,
}

impl Core {
    pub(super) fn directory(&self) -> Directory {
        Directory::new(self.base.clone())
    }

    /// «Клиенты» and `/clients`: those that were looked for, or the last ones.
    pub(super) async fn find_clients(
        &self,
        talk: &mut Talk<'_>,
        words: &str,
    ) -> Result<(), ChatError> {
        self.choose_client(talk, words, For::Card).await
    }

    /// `/as`: an order for a client.
    pub(super) async fn order_as(&self, talk: &mut Talk<'_>, words: &str) -> Result<(), ChatError> {
        self.choose_client(talk, words, For::Order).await
    }

    /// `/org`: the bot as a client sees it.
    pub(super) async fn view_as(&self, talk: &mut Talk<'_>, words: &str) -> Result<(), ChatError> {
        if !talk.who.is_admin() {
            return self.menu(talk).await;
        }
        self.choose_client(talk, words, For::View).await
    }

    async fn choose_client(
        &self,
        talk: &mut Talk<'_>,
        words: &str,
        what_for: For,
    ) -> Result<(), ChatError> {
        if !talk.who.is_staff() {
            return self.menu(talk).await;
        }
        if talk.only_private() {
            return Ok(());
        }
        let (rows, total) = self.clients_page(words, 0).await?;
        if let (false, [only]) = (words.is_empty(), rows.as_slice()) {
            return match what_for {
                For::Card => self.show_client(talk, only.id, false).await,
                For::Order => self.take_lens(talk, only.id, true).await,
                For::View => self.take_lens(talk, only.id, false).await,
            };
        }
        talk.state.lens = None;
        talk.state.ask(Form::FindClient, talk.now);
        let screen = clients::list(words, &rows, total, 0, |organization| match what_for {
            For::Card => Action::ClientShow { organization },
            For::Order => Action::ClientOrder { organization },
            For::View => Action::AdminView { organization },
        });
        talk.out.push(screen.below(PANE));
        Ok(())
    }

    async fn clients_page(
        &self,
        words: &str,
        offset: u32,
    ) -> Result<(Vec<ClientRow>, u32), ChatError> {
        let filter = ClientFilter { query: clients::query(words), ..ClientFilter::default() };
        let page = self.directory().clients(filter, offset, order::ORDERS_A_PAGE).await?;
        Ok((page.rows, page.total))
    }

    /// Clients that fit what staff typed; whether there were any.
    pub(super) async fn offer_clients(
        &self,
        talk: &mut Talk<'_>,
        words: &str,
    ) -> Result<bool, ChatError> {
        let (rows, total) = self.clients_page(words, 0).await?;
        match rows.as_slice() {
            [] => return Ok(false),
            [only] => {
                self.show_client(talk, only.id, false).await?;
                return Ok(true);
            }
            _ => {}
        }
        let show = |organization| Action::ClientShow { organization };
        talk.out.push(clients::list(words, &rows, total, 0, show).below(PANE));
        Ok(true)
    }

    async fn client(&self, id: OrganizationId) -> Result<Client, Refused> {
        let found = self.directory().client(id).await?;
        found.ok_or(Refused::Order(OrderError::NotFound))
    }

    async fn show_client(
        &self,
        talk: &mut Talk<'_>,
        id: OrganizationId,
        in_place: bool,
    ) -> Result<(), ChatError> {
        let Some(client) = self.directory().client(id).await? else {
            talk.refuse("Такого клиента нет.");
            return Ok(());
        };
        let balance = self.accounts.balance(id).await?;
        let admin = talk.who.is_admin();
        let screen = clients::card(&client, balance.as_ref(), admin, &self.scene());
        talk.out.push(if in_place { screen.in_place(PANE) } else { screen.below(PANE) });
        Ok(())
    }

    pub(super) async fn press_client(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), Refused> {
        if talk.only_private() {
            return Ok(());
        }
        match action {
            Action::Clients { page } => {
                let offset = u32::try_from(page).unwrap_or(0).saturating_mul(order::ORDERS_A_PAGE);
                let (rows, total) = self.clients_page("", offset).await?;
                let show = |organization| Action::ClientShow { organization };
                talk.state.ask(Form::FindClient, talk.now);
                talk.out.push(clients::list("", &rows, total, offset, show).in_place(PANE));
            }
            Action::ClientShow { organization } => {
                talk.state.form = None;
                self.show_client(talk, organization, true).await?;
            }
            Action::ClientOrders { organization, page } => {
                let client = self.client(organization).await?;
                let offset = u32::try_from(page).unwrap_or(0).saturating_mul(order::ORDERS_A_PAGE);
                let filter =
                    OrderFilter { organization: Some(organization), ..OrderFilter::default() };
                let found = self.ordering.orders(filter, offset, order::ORDERS_A_PAGE).await?;
                let screen = clients::orders(&client.row, &found, offset, &self.scene());
                talk.out.push(screen.in_place(PANE));
            }
            Action::ClientOrder { organization } => {
                self.take_lens(talk, organization, true).await?;
            }
            Action::ClientVerify { organization } => {
                let person = talk.who.person_id().ok_or(OrderError::Guest)?;
                self.client(organization).await?;
                self.directory().set_verified(Actor::bot(person), organization, true).await?;
                talk.toast("Организация проверена: клиент видит свои цены");
                self.show_client(talk, organization, true).await?;
            }
            Action::LensReset => {
                let lens = talk.state.lens.take();
                Self::leave_lens(talk);
                talk.toast(match lens {
                    Some(_) => "Вы снова работаете от себя",
                    None => "Вы и так работаете от себя",
                });
                self.menu(talk).await?;
            }
            _ => self.menu(talk).await?,
        }
        Ok(())
    }

    /// From now on the chat is a client's: to order for them, or only to look.
    pub(super) async fn take_lens(
        &self,
        talk: &mut Talk<'_>,
        organization: OrganizationId,
        orders: bool,
    ) -> Result<(), ChatError> {
        let Some(client) = self.directory().client(organization).await? else {
            talk.refuse("Такого клиента нет.");
            return Ok(());
        };
        if client.row.blocked && orders {
            talk.refuse("Организация закрыта: заявку за неё не оформить.");
            return Ok(());
        }
        Self::leave_lens(talk);
        let name = clients::name(&client.row);
        talk.state.lens = Some(Lens { organization, name, orders });
        if orders {
            let open = self.ordering.open_draft(&talk.party()).await?;
            if open.is_some_and(|draft| !draft.lines.is_empty()) {
                return self.new_order(talk).await;
            }
            talk.out.push(clients::ask_for_text().below(PANE));
            return Ok(());
        }
        self.menu(talk).await
    }

    /// The cards of a client's draft go away with the client.
    fn leave_lens(talk: &mut Talk<'_>) {
        talk.state = State { lens: None, ..State::default() };
        for slot in [super::LIST, super::DESK] {
            talk.out.push(Outgoing::Remove { slot: slot.to_owned() });
        }
    }

    /// The order that a manager wrote for a client is sent.
    pub(super) fn placed_for_client(talk: &mut Talk<'_>, order: &OrderRow) {
        Self::leave_lens(talk);
        talk.out.push(clients::placed(order).below(PANE));
    }
}

/// Whether what a client does is not for staff who look through the client's eyes. An order that
/// is written for the client may be sent; nothing else is done in the client's name.
pub(super) fn forbids(talk: &Talk<'_>, action: Action) -> bool {
    let Some(lens) = &talk.state.lens else { return false };
    match action {
        Action::CheckoutSend { .. } | Action::DraftJoinYes { .. } => !lens.orders,
        Action::Orders { .. }
        | Action::OrdersMine { .. }
        | Action::OrderShow { .. }
        | Action::OrderDocuments { .. }
        | Action::OrderRepeat { .. }
        | Action::TemplateShow { .. }
        | Action::TemplateUse { .. } => false,
        other => matches!(
            other.code().split('.').next(),
            Some("order" | "template" | "approval" | "proposal" | "ask" | "media")
        ),
    }
}

/// Says on a card through whose eyes it is seen, with the way back.
pub(super) fn put_banner(outgoing: &mut Outgoing, lens: &Lens) {
    let Outgoing::Show { slot, message, .. } = outgoing else { return };
    if message.keyboard.is_some() || slot.as_deref().is_some_and(|slot| slot.starts_with("staff:"))
    {
        return;
    }
    message.html = clients::banner(lens).line().append(&message.html);
    if slot.as_deref() != Some(super::LIST) {
        message.buttons.push(vec![Button::new("Сброс", Action::LensReset).inline()]);
    }
}
