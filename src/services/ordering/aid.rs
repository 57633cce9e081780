//! Language models beside recognition: what they propose comes to a draft that is already shown.
//!
//! A model turns ❌ into ❓ and adds candidates; it never makes a ✅, and what the buyer has touched
//! meanwhile stays as it is.

use super::draft::{fresh, owned};
use super::reading::new_line;
use super::{DraftView, OrderError, Ordering, Party};
use crate::domain::{DraftId, LineState};
use crate::recognition::{Decision, Recognition};
use crate::storage::drafts;

/// A message that a model may still help with.
#[derive(Debug, Clone)]
pub struct Pending {
    event_key: String,
    text: String,
    found: Recognition,
}

impl Ordering {
    pub(super) fn pending(
        &self,
        event_key: &str,
        text: &str,
        found: Recognition,
    ) -> Option<Pending> {
        let models = self.models.as_ref()?;
        let unsure = found.lines.iter().any(|line| line.decision != Decision::Matched);
        (models.is_on() && !models.goes_first() && unsure).then(|| Pending {
            event_key: event_key.to_owned(),
            text: text.to_owned(),
            found,
        })
    }

    /// Asks the models and puts what they propose into the draft; `None` when nothing came of it.
    /// Takes at most half a minute.
    pub async fn finish(
        &self,
        party: &Party,
        draft: DraftId,
        pending: Pending,
    ) -> Result<Option<DraftView>, OrderError> {
        let Some(models) = &self.models else { return Ok(None) };
        let (buyer, index) = self.buyer_and_index(party).await?;
        let Pending { event_key, text, found } = pending;
        let aided = models.aid(&index, &text, &found, &buyer, party.organization).await;
        let Some(aided) = aided else { return Ok(None) };
        let proposed: Vec<_> = aided
            .changed
            .iter()
            .filter_map(|place| aided.recognition.lines.get(*place))
            .filter(|line| line.decision != Decision::Matched)
            .map(|line| new_line(&text, line))
            .collect();
        let party = party.clone();
        self.base
            .db
            .write(move |tx| {
                let row = owned(tx, &party, draft)?;
                if row.state != "open" {
                    return Ok(None);
                }
                let mut changed = false;
                for mut line in drafts::lines(tx, draft)? {
                    let untouched = line.event_key == event_key
                        && line.product.is_none()
                        && matches!(line.state, LineState::None | LineState::Ask);
                    let proposal = proposed.iter().find(|proposal| proposal.raw == line.raw);
                    let (true, Some(proposal)) = (untouched, proposal) else { continue };
                    line.candidates.clone_from(&proposal.candidates);
                    line.question.clone_from(&proposal.question);
                    line.trace.clone_from(&proposal.trace);
                    if let (LineState::None, Some(state)) = (line.state, proposal.state) {
                        line.state = state;
                    }
                    drafts::update_line(tx, &line)?;
                    changed = true;
                }
                if changed { fresh(tx, &party, draft).map(Some) } else { Ok(None) }
            })
            .await
    }
}
