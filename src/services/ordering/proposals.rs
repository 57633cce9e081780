//! What a manager proposes and the client decides: another product in a line.

use super::change::{current, note};
use super::edit::tell_before;
use super::staff::{fill, whole};
use super::{Actor, OrderError, OrderView, Ordering, Party, notices, order_of};
use crate::domain::{OrderLineId, ProductId, ProposalId};
use crate::services::notifications::Notice;
use crate::storage::orders::{self, OrderLineRow};
use crate::storage::proposals::{self, ProposalRow};

/// A proposal with what it is about.
#[derive(Debug, Clone)]
pub struct ProposalView {
    /// The proposal.
    pub proposal: ProposalRow,
    /// The order.
    pub view: OrderView,
    /// The line as it is now.
    pub line: OrderLineRow,
}

impl Ordering {
    /// Proposes another product for a line; the client is asked.
    ///
    /// # Errors
    ///
    /// [`OrderError::Stale`] when the order has changed since `version`.
    pub async fn propose(
        &self,
        actor: Actor,
        line: OrderLineId,
        version: i64,
        product: ProductId,
    ) -> Result<OrderView, OrderError> {
        let now = self.now();
        let (view, _) = self.order_line(line).await?;
        self.change_order(view.order.id, move |tx, order| {
            current(order, Some(version))?;
            let row = orders::find_line(tx, line)?.ok_or(OrderError::NotFound)?;
            let mut other = row.clone();
            fill(tx, &mut other, order.organization, product, None)?;
            let id = proposals::insert(tx, order.id, line, product, actor.person, now)?;
            let was = if row.title.is_empty() { &row.raw } else { &row.title };
            let text =
                format!("Позиция {}: предложена замена «{was}» → «{}»", row.position, other.title);
            note(tx, &actor, order.id, "line", &text, true, now)?;
            let told = Notice::Proposal { proposal: id };
            notices::to_person(tx, order.author, told, now)
        })
        .await
    }

    /// A proposal, for the client whose order it is about.
    pub async fn own_proposal(
        &self,
        party: &Party,
        id: ProposalId,
    ) -> Result<ProposalView, OrderError> {
        let found = self.proposal(id).await?;
        let owned =
            party.person.is_some() && party.organization == Some(found.view.order.organization);
        if owned { Ok(found) } else { Err(OrderError::NotFound) }
    }

    /// A proposal with what it is about.
    pub async fn proposal(&self, id: ProposalId) -> Result<ProposalView, OrderError> {
        self.base
            .db
            .read(move |conn| {
                let proposal = proposals::find(conn, id)?.ok_or(OrderError::NotFound)?;
                let line = orders::find_line(conn, proposal.line)?.ok_or(OrderError::NotFound)?;
                let order = orders::find(conn, proposal.order)?.ok_or(OrderError::NotFound)?;
                let mut view = whole(conn, order)?;
                if view.offer(proposal.product).is_none() {
                    let price_type = super::price_type(conn, Some(view.order.organization))?;
                    let mut more =
                        crate::storage::offers::load(conn, [proposal.product], price_type)?;
                    view.offers.extend(more.remove(&proposal.product));
                }
                Ok(ProposalView { proposal, view, line })
            })
            .await
    }

    /// The client agrees to a proposal, or does not: the first answer counts, and the manager is
    /// told of it.
    ///
    /// # Errors
    ///
    /// [`OrderError::NotFound`] for an order of somebody else; [`OrderError::TooLate`] once the
    /// goods are on their way.
    pub async fn answer_proposal(
        &self,
        party: &Party,
        id: ProposalId,
        agreed: bool,
    ) -> Result<ProposalView, OrderError> {
        let (of, now, config) = (party.clone(), self.now(), self.base.config.clone());
        let order = self
            .base
            .db
            .write(move |tx| {
                let proposal = proposals::find(tx, id)?.ok_or(OrderError::NotFound)?;
                let order = order_of(tx, &of, proposal.order)?;
                if order.status.is_final() || order.status == crate::domain::OrderStatus::Shipped {
                    return Err(OrderError::TooLate);
                }
                if !proposals::answer(tx, id, agreed, now)? {
                    return Ok(order.id);
                }
                tell_before(tx, &order, now)?;
                let mut line = orders::find_line(tx, proposal.line)?.ok_or(OrderError::NotFound)?;
                let position = line.position;
                if agreed {
                    fill(tx, &mut line, order.organization, proposal.product, None)?;
                    orders::update_line(tx, &line)?;
                    orders::refresh_total(tx, order.id, now)?;
                }
                let text = if agreed {
                    format!("Позиция {position}: замена согласована — {}", line.title)
                } else {
                    format!("Позиция {position}: от замены отказались")
                };
                let actor = Actor { person: of.person, channel: crate::domain::Channel::Bot };
                // A refusal waits for a manager's word, an agreement is a change of the line.
                let kind = if agreed { "line" } else { "message" };
                let event = note(tx, &actor, order.id, kind, &text, false, now)?;
                let told = Notice::OrderMessage { order: order.id, event };
                match order.manager.or(proposal.proposed_by) {
                    Some(manager) => notices::to_person(tx, manager, told, now)?,
                    None => notices::to_staff(tx, &config, told, now)?,
                }
                notices::refresh_staff_cards(tx, order.id, now)?;
                Ok::<_, OrderError>(order.id)
            })
            .await?;
        self.told(order);
        self.own_proposal(party, id).await
    }
}
