//! A word that no title has so, read in the light of all else that was said: among the few products
//! that satisfy the rest a distorted word may be known that could be anything in the whole catalogue.

use std::rc::Rc;

use super::super::lexer::lex;
use super::super::normalize::{Chars, distance, stem};
use super::super::terms::Word;
use super::super::vocabulary::Meanings;
use super::fit::numbers_in;
use super::{Need, Seeker, Stretch, Want, Way};

/// Among more products a word is not looked for.
const FEW: usize = 100;

impl Seeker<'_> {
    /// The wants with the one at this place read as a word of the products that satisfy the others;
    /// `None` if these are too many, or none has a word like it.
    pub(crate) fn in_place(&mut self, wants: &[Want], at: usize) -> Option<Vec<Want>> {
        let word = &wants[at];
        if !self.is_strange(word) {
            return None;
        }
        let rest: Vec<Want> =
            wants.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, w)| w.clone()).collect();
        // «Скоа 71/12»: a size of several numbers says as much as a word.
        let tells = |w: &Want| !w.numeric || numbers_in(w) > 1;
        if rest.iter().any(|w| !w.known) || !rest.iter().any(tells) {
            return None;
        }
        let hits = self.hits(&rest, Stretch::No);
        if hits.is_empty() || self.fitting() > FEW {
            return None;
        }
        let chars: Vec<char> = word.text.chars().collect();
        let mut alike: Vec<(u32, f32)> = Vec::new();
        for hit in &hits {
            for (id, quality) in self.alike(hit.row, &chars) {
                if !rest.iter().any(|want| says(want, id)) {
                    alike.push((id, quality));
                }
            }
        }
        let best = alike.iter().map(|(_, quality)| *quality).fold(0.0_f32, f32::max);
        alike.retain(|(_, quality)| *quality >= best);
        if alike.is_empty() {
            return None;
        }
        super::best_of_each(&mut alike);
        let meanings = Meanings { words: alike, sure: false };
        let sought = self.place(meanings, &Word { text: word.text.clone(), ..Word::default() });
        let mut read = wants.to_vec();
        read[at].ways = vec![Way::of(vec![Need::Word(Rc::new(sought))], 1.0)];
        read[at].known = true;
        read[at].guessed = true;
        Some(read)
    }

    /// Whether the catalogue has no such word, so that it may be a slip.
    fn is_strange(&self, want: &Want) -> bool {
        !want.numeric
            && !want.without
            && !want.inherited
            && want.text.chars().count() >= 3
            && !want.text.contains(' ')
            && !self.is_spelt_so(&want.text)
            && !self.index.lexicon.has(&want.text)
    }

    /// Whether the catalogue has the word, and not only one cut short that it begins with.
    fn is_spelt_so(&self, text: &str) -> bool {
        let vocabulary = &self.index.vocabulary;
        vocabulary.row(&stem(text)).is_some_and(|row| {
            let known = vocabulary.get(row);
            let cut = known.cut && known.surface.chars().count() + 2 <= text.chars().count();
            !cut
        })
    }

    /// The words of a title that these letters may stand for.
    fn alike(&self, row: u32, letters: &[char]) -> Vec<(u32, f32)> {
        let title = lex(&Chars::new(&self.index.entries[row as usize].title));
        let words = title.iter().filter(|l| l.is_word());
        words
            .filter_map(|word| {
                let own: Vec<char> = word.text.chars().collect();
                let key = stem(&word.text);
                let quality = likeness(letters, &own)
                    .or_else(|| likeness(letters, &key.chars().collect::<Vec<_>>()))?;
                Some((self.index.vocabulary.row(&key)?, quality))
            })
            .collect()
    }
}

/// Whether a want is of this word itself, not by another name for it.
fn says(want: &Want, id: u32) -> bool {
    let own = want.ways.iter().filter(|way| !way.free).flat_map(|way| &way.needs);
    own.into_iter().any(|need| matches!(need, Need::Word(s) if s.meanings.quality(id) > 0.9))
}

/// How surely the letters stand for a word: a slip of a letter or two, or letters left out.
fn likeness(letters: &[char], word: &[char]) -> Option<f32> {
    let limit = match letters.len() {
        ..=3 => 1,
        4..=5 => 2,
        6..=8 => 3,
        _ => 4,
    };
    if word.len() >= 3
        && let Some(cost) = distance(letters, word, limit)
    {
        return Some(0.97 - 0.01 * f32::from(u8::try_from(cost).unwrap_or(u8::MAX)));
    }
    let mut rest = word.iter();
    let short = letters.len() < word.len() && letters[0] == word[0];
    (short && letters.iter().all(|c| rest.any(|r| r == c))).then_some(0.94)
}
