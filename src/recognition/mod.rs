//! The heart: order text → lines → candidates → ✅ ❓ ❌, with the trace of why.
//!
//! Pure: services hand it products, history and words; it opens no database and knows no wire.
#![warn(missing_docs)]

mod stub;
pub use stub::*;
mod types;

pub use types::{
    Buyer, Candidate, Decision, Entry, Line, Pack, Purchase, Question, QuestionOption, Recognition,
    Remark, RemarkKind, Stage, Synonym, SynonymTarget, Trace,
};
