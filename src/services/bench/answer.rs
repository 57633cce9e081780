//! What a text was understood to say, as data: what `recognize` prints and labels are held against.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;
use serde::Serialize;

use crate::domain::{ProductId, Quantity};
use crate::recognition::{Buyer, Decision, Index, Line, Recognition, RemarkKind, Trace};
use crate::storage::{StorageError, entries};

/// Answers about texts, for one buyer.
pub struct Answers {
    index: Arc<Index>,
    buyer: Buyer,
    /// The article where it is unique, else the key.
    keys: HashMap<ProductId, String>,
}

/// What was understood, on the wire.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// The ordered lines, in the order of the text.
    pub lines: Vec<AnswerLine>,
    /// The rest.
    pub remarks: Vec<AnswerRemark>,
}

/// One line on the wire.
#[derive(Debug, Clone, Serialize)]
pub struct AnswerLine {
    /// The buyer's words.
    pub raw: String,
    /// What is done with it; of the product alone.
    pub status: Decision,
    /// The product, where matched.
    pub sku: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Products that fit or come near, best first, at most ten.
    pub candidates: Vec<String>,
    /// The probability that `sku`, or else the first candidate, is meant.
    pub confidence: f64,
    /// As written.
    pub qty: Option<serde_json::Number>,
    /// As written, in its short form.
    pub unit: Option<String>,
    /// Why, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
}

/// A remark on the wire.
#[derive(Debug, Clone, Serialize)]
pub struct AnswerRemark {
    /// What it is.
    pub kind: RemarkKind,
    /// Its words.
    pub text: String,
}

impl Answers {
    /// Over this index, in the words of this buyer.
    pub fn new(conn: &Connection, index: Arc<Index>, buyer: Buyer) -> Result<Self, StorageError> {
        Ok(Self { index, buyer, keys: entries::keys(conn)? })
    }

    /// The same for another buyer.
    #[must_use]
    pub fn with_buyer(self, buyer: Buyer) -> Self {
        Self { buyer, ..self }
    }

    /// Understands a text.
    pub fn answer(&self, text: &str, trace: bool) -> Answer {
        let Recognition { lines, remarks } = self.index.recognize(text, &self.buyer);
        let remarks = remarks.into_iter().map(|remark| AnswerRemark {
            kind: remark.kind,
            text: text[remark.span].trim().to_owned(),
        });
        Answer {
            lines: lines.into_iter().map(|line| self.line(text, line, trace)).collect(),
            remarks: remarks.collect(),
        }
    }

    fn line(&self, text: &str, line: Line, trace: bool) -> AnswerLine {
        let key = |product: ProductId| self.keys.get(&product).cloned();
        let title = |product| self.index.entry(product).map(|entry| entry.title.clone());
        AnswerLine {
            raw: text[line.span].trim().to_owned(),
            status: line.decision,
            sku: line.product.and_then(key),
            title: line.product.and_then(title),
            candidates: line.candidates.iter().take(10).filter_map(|c| key(c.product)).collect(),
            confidence: (line.confidence * 1_000.0).round() / 1_000.0,
            qty: line.quantity.and_then(number),
            unit: line.unit.map(|unit| unit.as_str().to_owned()),
            trace: trace.then_some(line.trace),
        }
    }

    /// The title of the product with this key, or the key.
    pub fn title_of_key<'a>(&'a self, key: &'a str) -> &'a str {
        let product = self.keys.iter().find(|(_, known)| *known == key);
        let entry = product.and_then(|(product, _)| self.index.entry(*product));
        entry.map_or(key, |entry| entry.title.as_str())
    }
}

/// A whole quantity as an integer, any other with its decimals.
fn number(quantity: Quantity) -> Option<serde_json::Number> {
    match quantity.thousandths() {
        whole if whole % 1_000 == 0 => Some((whole / 1_000).into()),
        _ => serde_json::Number::from_f64(quantity.decimal().parse().ok()?),
    }
}
