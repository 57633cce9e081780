//! What a line wants → products that satisfy it.
//!
//! Every word and number of a line is a want. A product either satisfies a want, in its title, its
//! category's path or another name that its category goes by, or contradicts it. Nothing is summed
//! up into a likeness: a product that contradicts one want is not a candidate, however near.

mod compounds;
mod fit;
mod postings;
mod slips;
mod synonyms;
mod wants;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::index::Index;
use super::normalize::stem;
use super::synonyms::Lexicon;
use super::terms::{Number, Size, Word};
use super::vocabulary::{Meanings, best_of_each};
pub(crate) use wants::{decimal, shown};

/// One thing that a line says of its product.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what is known of a want is told apart")]
pub(crate) struct Want {
    /// Ways to satisfy it.
    pub(crate) ways: Vec<Way>,
    /// The words as normalised.
    pub(crate) text: String,
    /// The stem, for the phrase.
    pub(crate) key: String,
    /// A number or a size.
    pub(crate) numeric: bool,
    /// «без …», «не …».
    pub(crate) without: bool,
    /// Whether the catalogue knows the word at all.
    pub(crate) known: bool,
    /// Whether the word had to be guessed from a slip.
    pub(crate) guessed: bool,
    /// Whether it only says what the number before counts: «5 жил».
    pub(crate) counted: bool,
    /// Said after «для», «к» or «с»: what the thing is for, or what goes with it.
    pub(crate) aimed: bool,
    /// «Обычный»: nothing but what was said.
    pub(crate) plain: bool,
    /// Inherited from the line before.
    pub(crate) inherited: bool,
    /// Inherited by the line before in its turn.
    pub(crate) chained: bool,
}

impl Want {
    /// A want of a word that may be satisfied in these ways; none: the catalogue does not know it.
    pub(crate) fn word(text: &str, ways: Vec<Way>) -> Self {
        let known = !ways.is_empty();
        Self { ways, text: text.to_owned(), key: stem(text), known, ..Self::default() }
    }

    /// Whether it is of nothing but how many are in a pack.
    pub(crate) fn is_pack(&self) -> bool {
        let mut needs = self.ways.iter().flat_map(|w| &w.needs);
        self.known && needs.all(|n| matches!(n, Need::Pack { .. }))
    }

    /// Whether it is of a mark of letters and at least three digits: «К828».
    pub(crate) fn is_mark(&self) -> bool {
        const LEAST: i64 = 100_000;
        self.numbers().any(|n| (n.is_code() || n.is_lettered()) && n.value >= LEAST)
    }

    /// The numbers that it may be of, each by itself and no part of a size.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = Number> {
        self.ways.iter().flat_map(|w| &w.needs).filter_map(|need| match need {
            Need::Size(size) => match size.numbers.as_slice() {
                [number] => Some(*number),
                _ => None,
            },
            _ => None,
        })
    }

    /// A want of a number, a size or an article, written so.
    pub(crate) fn number(text: String, ways: Vec<Way>) -> Self {
        let known = !ways.is_empty();
        Self { ways, key: text.clone(), text, numeric: true, known, ..Self::default() }
    }
}

/// Requirements that together satisfy a want.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) needs: Vec<Need>,
    pub(crate) quality: f32,
    /// Whether the words must stand side by side in the title.
    pub(crate) adjacent: bool,
    /// Whether its numbers may be said once more: «трёхполюсный 3P».
    pub(crate) free: bool,
}

impl Way {
    /// A way of these needs, wherever in the title.
    pub(crate) fn of(needs: Vec<Need>, quality: f32) -> Self {
        Self { needs, quality, adjacent: false, free: false }
    }
}

/// One requirement.
#[derive(Debug, Clone)]
pub(crate) enum Need {
    /// A word.
    Word(Rc<Sought>),
    /// A number or a size.
    Size(Size),
    /// So many in a pack, in thousandths. `must`: a product without it does not fit; else it only
    /// fits worse than one with it.
    Pack { value: i64, must: bool },
    /// A product that is sold by this unit: «лист» of ХДФ.
    Sold(&'static str),
    /// This very product.
    Product(u32),
}

/// A word as it is sought: in titles and in categories.
#[derive(Debug, Default)]
pub(crate) struct Sought {
    pub(crate) meanings: Meanings,
    /// Categories whose path has the word, by number.
    paths: Vec<(u32, f32)>,
    /// Categories that go by the word.
    aliases: Vec<(u32, f32)>,
    /// The stem under which titles have «без» it.
    without: Option<u32>,
    /// Products to be looked through, at most.
    pub(crate) reach: usize,
}

/// A product that satisfies every want.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) row: u32,
    /// How well, 0 to 1.
    pub(crate) quality: f32,
}

/// How far numbers may be stretched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stretch {
    /// Units must agree.
    No,
    /// A number without a unit may be in other units: «160х200» is «1600х2000», «1,6» is «1600 мм».
    Units,
}

/// Looks words up, remembering what was found during one message.
pub(crate) struct Seeker<'a> {
    pub(crate) index: &'a Index,
    own: &'a Lexicon,
    cache: HashMap<(String, bool, bool, Hearing), Rc<Sought>>,
    ways: HashMap<(String, bool, bool), Vec<Way>>,
    rows: RefCell<Vec<u32>>,
    found: RefCell<Vec<Hit>>,
    fit: Cell<usize>,
}

/// Of products that fit, so many are looked at more closely.
const KEPT: usize = 1_000;

/// How freely a word is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Hearing {
    /// As it is written, or a slip of what the catalogue has if it has no such word.
    Any,
    /// As a slip of what the catalogue has, too.
    Near,
    /// As it is written.
    Meant,
}

impl<'a> Seeker<'a> {
    /// A seeker with an organization's own synonyms.
    pub(crate) fn new(index: &'a Index, own: &'a Lexicon) -> Self {
        Self {
            index,
            own,
            cache: HashMap::new(),
            ways: HashMap::new(),
            rows: RefCell::default(),
            found: RefCell::default(),
            fit: Cell::new(0),
        }
    }

    /// A word's meanings with the categories it names.
    pub(crate) fn sought(&mut self, word: &Word) -> Rc<Sought> {
        let key = (word.text.clone(), word.dotted, word.code, Hearing::Any);
        if let Some(found) = self.cache.get(&key) {
            return Rc::clone(found);
        }
        let meanings = Meanings::clone(&self.index.vocabulary.meanings(word));
        let sought = Rc::new(self.place(meanings, word));
        self.cache.insert(key, Rc::clone(&sought));
        sought
    }

    /// The same as a synonym writes it: «силикон» is no «силиконовая рамка».
    pub(crate) fn meant(&mut self, word: &Word) -> Rc<Sought> {
        const LEAST: f32 = 0.9;
        let key = (word.text.clone(), word.dotted, word.code, Hearing::Meant);
        if let Some(found) = self.cache.get(&key) {
            return Rc::clone(found);
        }
        let mut meanings = Meanings::clone(&self.index.vocabulary.meanings(word));
        meanings.words.retain(|w| w.1 >= LEAST);
        let sought = Rc::new(self.place(meanings, word));
        self.cache.insert(key, Rc::clone(&sought));
        sought
    }

    /// The same when the word may be misspelt though the catalogue has it.
    fn near(&mut self, word: &Word) -> Rc<Sought> {
        let key = (word.text.clone(), word.dotted, word.code, Hearing::Near);
        if let Some(found) = self.cache.get(&key) {
            return Rc::clone(found);
        }
        let mut meanings = self.index.vocabulary.near(&word.text);
        meanings.words.extend(self.sought(word).meanings.words.iter().copied());
        best_of_each(&mut meanings.words);
        let sought = Rc::new(self.place(meanings, word));
        self.cache.insert(key, Rc::clone(&sought));
        sought
    }

    fn place(&self, meanings: Meanings, word: &Word) -> Sought {
        let index = self.index;
        let mut paths: Vec<(u32, f32)> = Vec::new();
        let mut aliases: Vec<(u32, f32)> = Vec::new();
        let mut reach = 0;
        for (id, quality) in &meanings.words {
            reach += index.by_word.row(*id as usize).len();
            // Two letters begin the name of every second category.
            let letters = word.text.chars().count();
            let vague = *quality < 0.93 && letters < if word.dotted { 3 } else { 4 };
            if vague && letters < 3 {
                continue;
            }
            // «Пл.» of «пластиковый» makes nothing «плоскогубцы».
            let cut = index.vocabulary.get(*id).surface.chars().count() < 3 && letters > 4;
            let named = index.by_alias.get(id).filter(|_| !cut);
            for category in named.into_iter().flatten() {
                aliases.push((*category, quality * 0.97));
            }
            if vague {
                continue;
            }
            for category in index.by_path.get(id).into_iter().flatten() {
                paths.push((*category, quality * 0.955));
            }
        }
        best_of_each(&mut paths);
        best_of_each(&mut aliases);
        for (category, _) in paths.iter().chain(&aliases) {
            let (from, to) = index.ranges[*category as usize];
            reach += (to - from) as usize;
        }
        let without = index.vocabulary.row(&format!("-{}", stem(&word.text)));
        Sought { meanings, paths, aliases, without, reach }
    }
}
