//! What products are found by in lists, kept in memory.

use memchr::memmem::Finder;
use rusqlite::Connection;

use crate::domain::ProductId;
use crate::storage::{StorageError, directory};

/// The texts of all products, one after another in one piece of memory: it is gone through at once,
/// not product by product.
#[derive(Default)]
pub(super) struct Texts {
    products: Vec<ProductId>,
    /// Where each product's text ends, in bytes.
    ends: Vec<usize>,
    text: String,
}

impl Texts {
    /// Of all products, by title.
    pub(super) fn load(conn: &Connection) -> Result<Self, StorageError> {
        let mut texts = Self::default();
        directory::scan_texts(conn, |product, text| texts.push(product, text))?;
        Ok(texts)
    }

    fn push(&mut self, product: ProductId, text: &str) {
        self.products.push(product);
        self.text.push_str(text);
        // A word has no line break in it, so that none is found across two texts.
        self.text.push('\n');
        self.ends.push(self.text.len());
    }

    /// The products whose text has all of these words, which are in lower case, in the order of
    /// the texts.
    pub(super) fn with(&self, words: &[String]) -> Vec<ProductId> {
        // The longest word is the rarest, most often: the others are looked for where it stands.
        let Some(longest) = words.iter().max_by_key(|word| word.len()) else {
            return self.products.clone();
        };
        let rest: Vec<_> = words.iter().filter(|word| *word != longest).map(Finder::new).collect();
        let finder = Finder::new(longest);
        let bytes = self.text.as_bytes();
        let (mut found, mut from, mut row) = (Vec::new(), 0, 0);
        while let Some(at) = finder.find(&bytes[from..]) {
            let at = from + at;
            row += self.ends[row..].partition_point(|end| *end <= at);
            let begin = if row == 0 { 0 } else { self.ends[row - 1] };
            let text = &bytes[begin..self.ends[row]];
            if rest.iter().all(|word| word.find(text).is_some()) {
                found.push(self.products[row]);
            }
            from = self.ends[row];
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn those_are_found_whose_text_has_every_word(
            texts in prop::collection::vec("[аб1 \n]{0,8}", 0..12),
            words in prop::collection::vec("[аб1]{1,3}", 0..4),
        ) {
            let numbered = texts.into_iter().zip(1..).map(|(text, id)| (ProductId(id), text));
            let numbered: Vec<_> = numbered.collect();
            let has = |text: &str| words.iter().all(|word| text.contains(word.as_str()));
            let expected: Vec<_> =
                numbered.iter().filter(|(_, text)| has(text)).map(|(id, _)| *id).collect();
            let mut kept = Texts::default();
            for (id, text) in &numbered {
                kept.push(*id, text);
            }
            prop_assert_eq!(kept.with(&words), expected);
        }
    }
}
