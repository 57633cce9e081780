//! Changes of one line of a draft.

use rusqlite::Transaction;

use super::bare::said_pack;
use super::draft::{fresh, hand_over, open, question_of, settle};
use super::{DraftView, OrderError, Ordering, Party};
use crate::domain::{DraftLineId, LineState, ProductId, Quantity, Unit};
use crate::recognition::Decision;
use crate::storage::StorageError;
use crate::storage::drafts::{self, DraftLineRow};

impl Ordering {
    /// Changes the party's draft: `change` works on the line; the version must be that of the
    /// draft.
    async fn change_line(
        &self,
        party: &Party,
        line: DraftLineId,
        version: Option<i64>,
        change: impl FnOnce(&Transaction<'_>, &mut DraftLineRow) -> Result<(), OrderError>
        + Send
        + 'static,
    ) -> Result<DraftView, OrderError> {
        let (party, now) = (party.clone(), self.now());
        self.base
            .db
            .write(move |tx| {
                let mut row = drafts::find_line(tx, line)?.ok_or(OrderError::NotFound)?;
                let draft = open(tx, &party, row.draft, version)?;
                let before = row.product;
                change(tx, &mut row)?;
                if let Some(product) = row.product.filter(|_| row.product != before) {
                    let words = row.raw.clone();
                    said_pack(tx, product, &words, &mut row.quantity, &mut row.unit)?;
                }
                settle(tx, &party, &mut row)?;
                drafts::update_line(tx, &row)?;
                drafts::touch(tx, draft.id, now)?;
                fresh(tx, &party, draft.id)
            })
            .await
    }

    /// Chooses a product for a line.
    pub async fn pick(
        &self,
        party: &Party,
        line: DraftLineId,
        version: i64,
        product: ProductId,
    ) -> Result<DraftView, OrderError> {
        let choose = move |_: &Transaction<'_>, row: &mut DraftLineRow| {
            choose(row, product);
            Ok(())
        };
        self.change_line(party, line, Some(version), choose).await
    }

    /// Puts another product in the place of the line's own. The words still mean the first one:
    /// nothing is learnt.
    pub async fn take_instead(
        &self,
        party: &Party,
        line: DraftLineId,
        version: i64,
        product: ProductId,
    ) -> Result<DraftView, OrderError> {
        let take = move |_: &Transaction<'_>, row: &mut DraftLineRow| {
            row.product = Some(product);
            row.chosen = false;
            row.question = None;
            row.state = LineState::Ask;
            Ok(())
        };
        self.change_line(party, line, Some(version), take).await
    }

    /// Keeps only the candidates with the asked value; one that is left alone is chosen.
    pub async fn narrow(
        &self,
        party: &Party,
        line: DraftLineId,
        version: i64,
        option: usize,
    ) -> Result<DraftView, OrderError> {
        let narrow = move |_: &Transaction<'_>, row: &mut DraftLineRow| {
            let question = question_of(row).ok_or(OrderError::Stale)?;
            let option = question.options.get(option).ok_or(OrderError::Stale)?;
            match option.products.as_slice() {
                [product] => choose(row, *product),
                products => {
                    products.clone_into(&mut row.candidates);
                    row.question = None;
                }
            }
            Ok(())
        };
        self.change_line(party, line, Some(version), narrow).await
    }

    /// Sets how many, and of which unit where one is named.
    pub async fn set_quantity(
        &self,
        party: &Party,
        line: DraftLineId,
        version: Option<i64>,
        quantity: Quantity,
        unit: Option<Unit>,
    ) -> Result<DraftView, OrderError> {
        let set = move |_: &Transaction<'_>, row: &mut DraftLineRow| {
            row.quantity = quantity.is_positive().then_some(quantity);
            row.fixed_quantity = false;
            if let Some(unit) = unit {
                unit.as_str().clone_into(&mut row.unit);
            }
            Ok(())
        };
        self.change_line(party, line, version, set).await
    }

    /// Counts the line in another unit of its product; the number stays.
    pub async fn set_unit(
        &self,
        party: &Party,
        line: DraftLineId,
        version: i64,
        unit: Unit,
    ) -> Result<DraftView, OrderError> {
        let set = move |_: &Transaction<'_>, row: &mut DraftLineRow| {
            unit.as_str().clone_into(&mut row.unit);
            row.fixed_quantity = false;
            Ok(())
        };
        self.change_line(party, line, Some(version), set).await
    }

    /// Leaves a quantity that breaks the multiple to the manager.
    pub async fn keep_quantity(
        &self,
        party: &Party,
        line: DraftLineId,
        version: i64,
    ) -> Result<DraftView, OrderError> {
        let keep = |_: &Transaction<'_>, row: &mut DraftLineRow| {
            row.fixed_quantity = true;
            Ok(())
        };
        self.change_line(party, line, Some(version), keep).await
    }

    /// Gives a line to the manager, with the buyer's words.
    pub async fn give_to_manager(
        &self,
        party: &Party,
        line: DraftLineId,
        version: i64,
    ) -> Result<DraftView, OrderError> {
        let give = |_: &Transaction<'_>, row: &mut DraftLineRow| {
            hand_over(row);
            Ok(())
        };
        self.change_line(party, line, Some(version), give).await
    }

    /// Opens a line for another choice of product.
    pub async fn reopen_line(
        &self,
        party: &Party,
        line: DraftLineId,
    ) -> Result<DraftView, OrderError> {
        let reopen = |_: &Transaction<'_>, row: &mut DraftLineRow| {
            if let Some(product) = row.product.take()
                && !row.candidates.contains(&product)
            {
                row.candidates.insert(0, product);
            }
            row.chosen = false;
            row.state = if row.candidates.is_empty() { LineState::None } else { LineState::Ask };
            Ok(())
        };
        self.change_line(party, line, None, reopen).await
    }

    /// Takes a line out.
    pub async fn remove_line(
        &self,
        party: &Party,
        line: DraftLineId,
        version: i64,
    ) -> Result<DraftView, OrderError> {
        let (party, now) = (party.clone(), self.now());
        self.base
            .db
            .write(move |tx| {
                let row = drafts::find_line(tx, line)?.ok_or(OrderError::NotFound)?;
                let draft = open(tx, &party, row.draft, Some(version))?;
                drafts::remove_lines(tx, draft.id, &[line])?;
                drafts::touch(tx, draft.id, now)?;
                fresh(tx, &party, draft.id)
            })
            .await
    }

    /// Takes free text as the answer to a line's question («вторую», «т5», «чёрную»); `None` when
    /// it does not answer it. The answer that chose the line's product chooses it again; another one
    /// does not answer what is not asked any more.
    pub async fn answer(
        &self,
        party: &Party,
        line: DraftLineId,
        text: &str,
    ) -> Result<Option<DraftView>, OrderError> {
        let id = line;
        let row = self
            .base
            .db
            .read(move |conn| drafts::find_line(conn, id))
            .await?
            .ok_or(OrderError::NotFound)?;
        let own = row.product;
        let fits = move |product: Option<ProductId>| own.is_none() || own == product;
        if let Some(product) = ordinal(text).and_then(|n| row.candidates.get(n)).copied() {
            if !fits(Some(product)) {
                return Ok(None);
            }
            let set = move |_: &Transaction<'_>, row: &mut DraftLineRow| {
                choose(row, product);
                Ok(())
            };
            return self.change_line(party, line, None, set).await.map(Some);
        }
        let question = question_of(&row);
        let mut among: Vec<ProductId> = row.candidates.clone();
        let options = question.iter().flat_map(|q| &q.options).flat_map(|o| &o.products);
        for product in options {
            if !among.contains(product) {
                among.push(*product);
            }
        }
        let (buyer, index) = self.buyer_and_index(party).await?;
        let (phrase, answer) = (row.phrase.clone(), text.to_owned());
        let refined = move || index.refine(&phrase, &answer, &among, &buyer);
        let refined =
            tokio::task::spawn_blocking(refined).await.map_err(|_| StorageError::Interrupted)?;
        let narrowed = move |_: &Transaction<'_>, row: &mut DraftLineRow| {
            if let (Decision::Matched, Some(product)) = (refined.decision, refined.product) {
                choose(row, product);
            } else {
                row.candidates = refined.candidates.iter().map(|c| c.product).collect();
                row.question =
                    refined.question.as_ref().and_then(|q| serde_json::to_string(q).ok());
            }
            if row.quantity.is_none() && refined.quantity.is_some() {
                row.quantity = refined.quantity;
                row.unit = refined.unit.map(|u| u.as_str().to_owned()).unwrap_or_default();
            }
            Ok(())
        };
        if refined.decision == Decision::Unmatched || !fits(refined.product) {
            return Ok(None);
        }
        self.change_line(party, line, None, narrowed).await.map(Some)
    }
}

fn choose(row: &mut DraftLineRow, product: ProductId) {
    row.product = Some(product);
    row.chosen = true;
    row.question = None;
    row.state = LineState::Ask;
}

/// The number that an answer like «вторую» or «2» names, from 0.
fn ordinal(text: &str) -> Option<usize> {
    const WORDS: [&[&str]; 8] = [
        &["1", "перв", "верхн"],
        &["2", "втор"],
        &["3", "трет"],
        &["4", "четверт"],
        &["5", "пят"],
        &["6", "шест"],
        &["7", "седьм"],
        &["8", "восьм"],
    ];
    let text = text.trim().to_lowercase().replace('ё', "е");
    let text = text.trim_end_matches(['.', ')']);
    if text.contains(char::is_whitespace) {
        return None;
    }
    WORDS.iter().position(|forms| {
        let (digit, stems) = (forms[0], &forms[1..]);
        text == digit
            || stems.iter().any(|stem| text.starts_with(stem) && text.chars().count() <= 9)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_are_answers_and_sizes_are_not() {
        assert_eq!(ordinal("Вторую"), Some(1));
        assert_eq!(ordinal("2."), Some(1));
        assert_eq!(ordinal("четвёртый"), Some(3));
        for text in ["т5", "12", "чёрную", "втор чёрная", ""] {
            assert_eq!(ordinal(text), None, "{text}");
        }
    }
}
