//! What a text says, for a buyer with their words and history; nothing is kept.

use super::unread::keep_unknown;
use super::{OrderError, Ordering, Party};
use crate::domain::{LineState, ProductId};
use crate::recognition::{self, Buyer, Decision, Recognition, RemarkKind};
use crate::services::meter;
use crate::storage::drafts::NewDraftLine;
use crate::storage::{StorageError, words};

/// Words that ask and name no goods.
const ASKING: &[&str] = &[
    "когда",
    "будет",
    "будут",
    "есть",
    "ли",
    "имеется",
    "в",
    "наличии",
    "наличие",
    "сколько",
    "стоит",
    "стоят",
    "почем",
    "какая",
    "какой",
    "какие",
    "цена",
    "цены",
    "ценой",
    "на",
    "по",
    "чем",
    "у",
    "вас",
    "подскажите",
    "скажите",
    "пожалуйста",
    "можно",
    "ожидается",
    "ожидаете",
    "поступит",
    "поступят",
    "придет",
    "придут",
    "приход",
    "поступление",
    "остаток",
    "остатки",
    "сейчас",
    "а",
    "и",
    "еще",
    "появится",
    "появятся",
    "привезут",
    "складе",
    "склад",
    "узнать",
    "добрый",
    "день",
    "здравствуйте",
    "срок",
    "сроки",
    "ждать",
    "ожидать",
    "не",
    "во",
    "сегодня",
];

impl Ordering {
    /// What the text says, without keeping anything. Where a model goes first, it has been asked.
    pub(super) async fn recognize(
        &self,
        party: &Party,
        text: &str,
    ) -> Result<Recognition, OrderError> {
        let (buyer, index) = self.buyer_and_index(party).await?;
        let (read_index, words) = (index.clone(), text.to_owned());
        let read = move || {
            let started = std::time::Instant::now();
            let found = keep_unknown(&words, read_index.recognize(&words, &buyer));
            meter::recognized(&found, started.elapsed());
            (found, buyer)
        };
        let (found, buyer) =
            tokio::task::spawn_blocking(read).await.map_err(|_| StorageError::Interrupted)?;
        let Some(models) = self.models.as_ref().filter(|models| models.goes_first()) else {
            return Ok(found);
        };
        let aided = models.aid(&index, text, &found, &buyer, party.organization).await;
        Ok(aided.map_or(found, |aided| aided.recognition))
    }

    pub(super) async fn buyer_and_index(
        &self,
        party: &Party,
    ) -> Result<(Buyer, std::sync::Arc<recognition::Index>), OrderError> {
        let index = self.catalog.index().await?;
        let Some(organization) = party.organization else {
            return Ok((Buyer::default(), index));
        };
        let buyer = self.base.db.read(move |conn| words::buyer(conn, organization)).await?;
        Ok((buyer, index))
    }

    /// Whether the text orders or asks anything.
    pub async fn orders_or_asks(&self, party: &Party, text: &str) -> Result<bool, OrderError> {
        if text.trim().is_empty() {
            return Ok(false);
        }
        let found = self.read(party, text).await?;
        let asks = found.remarks.iter().any(|remark| remark.kind == RemarkKind::Question);
        Ok(asks || !found.lines.is_empty())
    }

    /// The questions in a text.
    pub async fn questions_in(&self, party: &Party, text: &str) -> Result<Vec<String>, OrderError> {
        let found = self.read(party, text).await?;
        let asked = remarks(text, &found).into_iter();
        Ok(asked.filter(|(kind, _)| *kind == RemarkKind::Question).map(|(_, text)| text).collect())
    }

    /// The products that a question may be about, best first; none when it names none.
    pub async fn meant_by_question(
        &self,
        party: &Party,
        question: &str,
    ) -> Result<Vec<ProductId>, OrderError> {
        let goods: Vec<&str> = question
            .split_whitespace()
            .filter(|word| {
                let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
                !word.is_empty() && !ASKING.contains(&word.replace('ё', "е").as_str())
            })
            .map(|word| word.trim_end_matches(['?', '!', '.', ',']))
            .collect();
        if goods.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.read(party, &goods.join(" ")).await?;
        let Some(line) = found.lines.first() else { return Ok(Vec::new()) };
        Ok(match (line.decision, line.product) {
            (Decision::Matched, Some(product)) => vec![product],
            (Decision::Matched | Decision::Ambiguous, _) => {
                line.candidates.iter().map(|candidate| candidate.product).collect()
            }
            (Decision::Unmatched, _) => Vec::new(),
        })
    }

    async fn read(&self, party: &Party, text: &str) -> Result<Recognition, OrderError> {
        let (buyer, index) = self.buyer_and_index(party).await?;
        let words = text.to_owned();
        let read = move || index.recognize(&words, &buyer);
        Ok(tokio::task::spawn_blocking(read).await.map_err(|_| StorageError::Interrupted)?)
    }

    /// Whether the text says how many of something.
    pub async fn says_quantity(&self, party: &Party, text: &str) -> Result<bool, OrderError> {
        let found = self.read(party, text).await?;
        Ok(found.lines.iter().any(|line| line.quantity.is_some()))
    }
}

/// The parts of a text that order nothing.
pub(super) fn remarks(text: &str, found: &Recognition) -> Vec<(RemarkKind, String)> {
    let words = |span: &std::ops::Range<usize>| text.get(span.clone()).unwrap_or_default();
    found.remarks.iter().map(|remark| (remark.kind, words(&remark.span).to_owned())).collect()
}

/// The lines of a text.
pub(super) fn new_lines(text: &str, found: &Recognition) -> Vec<NewDraftLine> {
    found.lines.iter().map(|line| new_line(text, line)).collect()
}

pub(super) fn new_line(text: &str, line: &recognition::Line) -> NewDraftLine {
    let candidates: Vec<ProductId> = line.candidates.iter().map(|c| c.product).collect();
    let state = match (line.decision, line.product, line.quantity) {
        (Decision::Matched, Some(_), Some(_)) => LineState::Ok,
        (Decision::Matched | Decision::Ambiguous, _, _) => LineState::Ask,
        (Decision::Unmatched, _, _) => LineState::None,
    };
    NewDraftLine {
        raw: text.get(line.span.clone()).unwrap_or_default().trim().to_owned(),
        phrase: line.phrase.clone(),
        state: Some(state),
        product: line.product,
        quantity: line.quantity,
        unit: line.unit.as_ref().map(|unit| unit.as_str().to_owned()).unwrap_or_default(),
        candidates,
        question: line.question.as_ref().and_then(|q| serde_json::to_string(q).ok()),
        trace: serde_json::to_string(&line.trace).ok(),
        price: None,
    }
}
