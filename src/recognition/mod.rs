//! The heart: order text → lines → candidates → ✅ ❓ ❌, with the trace of why.
//!
//! Pure: services hand it products, history and words; it opens no database and knows no wire.
#![warn(missing_docs)]

mod adjectives;
mod decide;
mod desk;
mod ear;
mod index;
mod inherit;
mod interpret;
mod learn;
mod lexer;
mod line;
mod measure;
mod normalize;
mod numerals;
mod quantity;
mod rank;
mod search;
mod speech;
mod split;
mod starter;
mod synonyms;
mod terms;
#[cfg(test)]
mod tests;
mod threads;
mod titles;
mod trace;
mod translit;
mod types;
mod vocabulary;

pub use index::Index;
pub(crate) use normalize::other_layout;
pub use quantity::parse_quantity;
pub use starter::starter_synonyms;
pub use types::{
    Buyer, Candidate, Decision, Entry, Line, Pack, Purchase, Question, QuestionOption, Recognition,
    Remark, RemarkKind, Stage, Synonym, SynonymTarget, Trace,
};
