//! Words that mean other words: the common ones, and those of an organization.

use super::lexer::{Lexeme, lex};
use super::normalize::{Chars, FxMap, distance, sound, stem};
use super::types::{Synonym, SynonymTarget};

/// Synonyms by their first word.
#[derive(Debug, Default)]
pub(crate) struct Lexicon {
    by_first: FxMap<String, Vec<Meaning>>,
}

/// One synonym, ready to be compared.
#[derive(Debug)]
pub(crate) struct Meaning {
    /// Keys of its words.
    pub(crate) keys: Vec<String>,
    /// What it means.
    pub(crate) target: SynonymTarget,
}

/// What a word is compared by: its stem; of a number its digits.
pub(crate) fn key(lexeme: &Lexeme) -> String {
    if lexeme.is_word() { stem(&lexeme.text.replace('/', "")) } else { lexeme.text.clone() }
}

impl Lexicon {
    /// Reads synonyms.
    pub(crate) fn new(synonyms: &[Synonym]) -> Self {
        let mut lexicon = Self::default();
        for synonym in synonyms {
            let lexemes = lex(&Chars::new(&synonym.words));
            let said: Vec<&Lexeme> =
                lexemes.iter().filter(|l| l.is_word() || l.is_number()).collect();
            let keys: Vec<String> = said.iter().map(|l| key(l)).collect();
            // «Пластиковый хомут» is a «хомут пластиковый».
            let turned = match said.as_slice() {
                [one, two] if one.is_word() && two.is_word() => {
                    Some(vec![keys[1].clone(), keys[0].clone()])
                }
                _ => None,
            };
            for keys in [Some(keys), turned].into_iter().flatten() {
                let Some(first) = keys.first().cloned() else { continue };
                let meaning = Meaning { keys, target: synonym.target.clone() };
                lexicon.by_first.entry(first).or_default().push(meaning);
            }
        }
        lexicon
    }

    /// Synonyms that these lexemes begin with, with how many lexemes each takes; longest first.
    pub(crate) fn at<'a>(&'a self, lexemes: &[&Lexeme]) -> Vec<(usize, &'a SynonymTarget)> {
        let Some(first) = lexemes.first() else { return Vec::new() };
        if first.dotted {
            return self.cut(lexemes);
        }
        let Some(list) = self.by_first.get(&key(first)).or_else(|| {
            first
                .text
                .is_ascii()
                .then(|| self.by_first.get(&stem(&super::vocabulary::cyrillic(&first.text))))
                .flatten()
        }) else {
            return Vec::new();
        };
        let mut out: Vec<(usize, &SynonymTarget)> = list
            .iter()
            .filter(|m| {
                m.keys.len() <= lexemes.len()
                    && m.keys
                        .iter()
                        .zip(lexemes)
                        .skip(1)
                        .all(|(k, l)| *k == key(l) || sound(k) == sound(&key(l)))
            })
            .map(|m| (m.keys.len(), &m.target))
            .collect();
        out.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
        out
    }

    /// Synonyms of several words that these lexemes begin with, cut with full stops: «распр. кор.» is
    /// «распределительная коробка».
    fn cut<'a>(&'a self, lexemes: &[&Lexeme]) -> Vec<(usize, &'a SynonymTarget)> {
        const LEAST: usize = 3;
        let begins = |k: &String, l: &Lexeme| {
            let said = key(l);
            *k == said || l.dotted && said.chars().count() >= LEAST && k.starts_with(&said)
        };
        let first = key(lexemes[0]);
        let lists = self.by_first.iter().filter(|(k, _)| k.starts_with(&first));
        let fits = |m: &&Meaning| {
            m.keys.len() <= lexemes.len()
                && (m.keys.len() > 1 || m.keys[0] == first)
                && m.keys.iter().zip(lexemes).all(|(k, l)| begins(k, l))
        };
        let mut out: Vec<(usize, &SynonymTarget)> = lists
            .flat_map(|(_, list)| list)
            .filter(fits)
            .map(|m| (m.keys.len(), &m.target))
            .collect();
        out.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
        out
    }

    /// The first word of a synonym of which this may be a slip.
    pub(crate) fn near(&self, word: &str) -> Option<&str> {
        let text: Vec<char> = stem(word).chars().collect();
        if text.len() < 6 {
            return None;
        }
        let keys = self.by_first.keys().filter(|key| key.chars().next() == text.first().copied());
        let near = keys.filter_map(|key| {
            let other: Vec<char> = key.chars().collect();
            let cost = distance(&text, &other, 2).filter(|_| other.len() >= 5)?;
            Some((cost, key.as_str()))
        });
        near.min().map(|(_, key)| key)
    }

    /// Whether the word by itself is one of the language: no slip of another.
    pub(crate) fn has(&self, word: &str) -> bool {
        let meanings = self.by_first.get(&stem(word)).into_iter().flatten();
        meanings.into_iter().any(|meaning| meaning.keys.len() == 1)
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_first.is_empty()
    }
}
