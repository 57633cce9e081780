//! What recognition is given and what it answers.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::domain::{ProductId, Quantity, Unit};

/// A product as recognition sees it.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// The product.
    pub id: ProductId,
    /// The article, as the buyer may write it; may be empty or repeat.
    pub article: String,
    /// The title from the catalogue.
    pub title: String,
    /// The category's path, «Крепёж/Саморезы/Универсальные»; may be empty.
    pub category: String,
    /// The base unit of storage.
    pub unit: Option<Unit>,
    /// Packs, each of so many base units.
    pub packs: Vec<Pack>,
    /// The barcode; may be empty.
    pub barcode: String,
    /// Whether there is stock.
    pub available: bool,
    /// The buyers' words for the product from the company's own field; may be empty.
    pub search_words: String,
    /// The description; words of it that a category shares are learnt as names of its products.
    pub description: String,
}

/// A pack: a unit that holds so many base units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// The pack's unit.
    pub unit: Unit,
    /// Base units in one.
    pub coefficient: Quantity,
}

/// Words that mean other words, or a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synonym {
    /// What people write.
    pub words: String,
    /// What it means.
    pub target: SynonymTarget,
}

/// What a synonym means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SynonymTarget {
    /// The same as these words.
    Words(String),
    /// This product.
    Product(ProductId),
}

/// What is known of the one who writes: the organization's history and its words.
#[derive(Debug, Clone, Default)]
pub struct Buyer {
    /// What the organization bought before.
    pub purchases: HashMap<ProductId, Purchase>,
    /// Phrases that the organization confirmed, by [`Line::phrase`].
    pub learnt: HashMap<String, ProductId>,
    /// Products that the organization refused for a phrase: never offered for it again.
    pub rejected: HashSet<(String, ProductId)>,
    /// The organization's own synonyms; they go before the common ones.
    pub synonyms: Vec<Synonym>,
}

/// A product's history with an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purchase {
    /// In how many orders.
    pub times: u32,
    /// The last quantity, in base units.
    pub last_quantity: Quantity,
}

/// What a message was understood to say.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Recognition {
    /// The ordered lines, in the order of the text.
    pub lines: Vec<Line>,
    /// What is not an order: greetings, questions, delivery wishes.
    pub remarks: Vec<Remark>,
}

/// One ordered line.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Where its words stand in the text, in bytes. Spans are in the order of the text.
    pub span: Range<usize>,
    /// The words that name the product, normalised, with what an ellipsis inherits: the key under
    /// which the organization's choice is learnt.
    pub phrase: String,
    /// How many, in `unit`; `None` when the text does not say.
    pub quantity: Option<Quantity>,
    /// Of which unit; `None` when the text does not say.
    pub unit: Option<Unit>,
    /// ✅, ❓ or ❌. Speaks of the product alone.
    pub decision: Decision,
    /// The product, where matched.
    pub product: Option<ProductId>,
    /// Products that fit, or the nearest ones, best first, at most ten.
    pub candidates: Vec<Candidate>,
    /// The probability that the product, or else the first candidate, is what is meant: 0 to 1.
    pub confidence: f64,
    /// Where ambiguous: the attribute that splits what fits best.
    pub question: Option<Question>,
    /// Why.
    pub trace: Trace,
}

/// What is done with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The product is certain.
    Matched,
    /// Several fit: the buyer is asked.
    Ambiguous,
    /// The catalogue has no such thing.
    Unmatched,
}

/// A product that may be meant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Candidate {
    /// The product.
    pub product: ProductId,
    /// How well it fits, 0 to 1; comparable within one line.
    pub score: f64,
}

/// The question that parts the candidates best: «Какой цвет?».
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The attribute in the nominative, «цвет», or empty when only the titles differ.
    pub attribute: String,
    /// Its values with the products that have them, most products first.
    pub options: Vec<QuestionOption>,
}

/// One value of the asked attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionOption {
    /// The value as the catalogue writes it.
    pub label: String,
    /// Every fitting product that has it (not only those among the ten candidates).
    pub products: Vec<ProductId>,
}

/// A part of the message that orders nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// What it is.
    pub kind: RemarkKind,
    /// Where it stands in the text, in bytes.
    pub span: Range<usize>,
}

/// Kinds of remarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemarkKind {
    /// «Когда будет поролон?»
    Question,
    /// «Привезите завтра до обеда.»
    Delivery,
    /// «Добрый день!»
    Greeting,
    /// Anything else.
    Other,
}

/// Why a line was decided so: a sentence for people and the stages behind it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Trace {
    /// «❓: два товара с равным баллом, отличаются цветом».
    pub why: String,
    /// The words after normalisation.
    pub normalized: String,
    /// What was read of the words: «размер 4×25», «цвет чёрный».
    pub attributes: Vec<String>,
    /// What happened, in order.
    pub stages: Vec<Stage>,
}

/// One step of a decision.
#[derive(Debug, Clone, Serialize)]
pub struct Stage {
    /// «синонимы», «история клиента», «каталог», «уточнение», «модель».
    pub name: String,
    /// What was asked of it.
    pub query: String,
    /// Candidates before.
    pub before: usize,
    /// Candidates after.
    pub after: usize,
    /// Microseconds taken.
    pub micros: u64,
}
