//! The starter set of synonyms: the common words of several trades, for a new installation to begin
//! with. It is a file that people edit; nothing in the method depends on it.

use super::types::{Synonym, SynonymTarget};
use crate::formats::packed;

/// `assets/synonyms.csv` as `build.rs` packs it, with the columns `words` and `means`.
const STARTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/synonyms.csv.gz"));

/// The starter set of common synonyms.
pub fn starter_synonyms() -> Vec<Synonym> {
    let starter = packed::unpack(STARTER);
    let rows = starter.lines().skip(1).filter_map(|line| line.split_once(','));
    rows.map(|(words, means)| Synonym {
        words: unquoted(words),
        target: SynonymTarget::Words(unquoted(means)),
    })
    .filter(|s| !s.words.is_empty())
    .collect()
}

/// A CSV field without its quotes.
fn unquoted(field: &str) -> String {
    let field = field.trim();
    let inner = field.strip_prefix('"').and_then(|f| f.strip_suffix('"'));
    inner.map_or_else(|| field.to_owned(), |inner| inner.replace("\"\"", "\""))
}
