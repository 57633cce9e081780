//! The heart: order text → lines → candidates → ✅ ❓ ❌, with the trace of why.
//!
//! Pure: services hand it products, history and words; it opens no database and knows no wire.
#![warn(missing_docs)]
#![expect(
    clippy::if_same_then_else,
    clippy::items_after_statements,
    clippy::match_same_arms,
    clippy::needless_range_loop,
    clippy::needless_pass_by_value,
    clippy::nonminimal_bool,
    clippy::option_option,
    clippy::struct_excessive_bools,
    clippy::too_many_lines,
    clippy::zero_sized_map_values,
    reason = "rules are written out as they are told: one condition a line, equal answers side by side"
)]

mod decide;
mod index;
mod inherit;
mod interpret;
mod learn;
mod lexer;
mod normalize;
mod numerals;
mod quantity;
mod rank;
mod recognize;
mod speech;
mod split;
mod starter;
mod synonyms;
mod terms;
#[cfg(test)]
mod tests;
mod trace;
mod types;
mod vocabulary;

pub use index::Index;
pub use quantity::parse_quantity;
pub use starter::starter_synonyms;
pub use types::{
    Buyer, Candidate, Decision, Entry, Line, Pack, Purchase, Question, QuestionOption, Recognition,
    Remark, RemarkKind, Stage, Synonym, SynonymTarget, Trace,
};
