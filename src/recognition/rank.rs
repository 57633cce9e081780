//! What a line wants → products that satisfy it.
//!
//! Every word and number of a line is a want. A product either satisfies a want, in its title, its
//! category's path or another name that its category goes by, or contradicts it. Nothing is summed
//! up into a likeness: a product that contradicts one want is not a candidate, however near.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::index::{ASIDE, Index};
use super::lexer::Lexeme;
use super::normalize::stem;
use super::speech;
use super::synonyms::Lexicon;
use super::terms::{Measure, Number, Size, Term, Word, terms};
use super::types::SynonymTarget;
use super::vocabulary::{Meanings, best_of_each};

/// One thing that a line says of its product.
#[derive(Debug, Clone)]
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
    /// Inherited from the line before.
    pub(crate) inherited: bool,
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

/// One requirement.
#[derive(Debug, Clone)]
pub(crate) enum Need {
    /// A word.
    Word(Rc<Sought>),
    /// A number or a size.
    Size(Size),
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
    cache: HashMap<(String, bool, bool), Rc<Sought>>,
    rows: RefCell<Vec<u32>>,
    found: RefCell<Vec<Hit>>,
    fit: Cell<usize>,
}

/// Of products that fit, so many are looked at more closely.
const KEPT: usize = 1_000;

impl<'a> Seeker<'a> {
    /// A seeker with an organization's own synonyms.
    pub(crate) fn new(index: &'a Index, own: &'a Lexicon) -> Self {
        Self {
            index,
            own,
            cache: HashMap::new(),
            rows: RefCell::default(),
            found: RefCell::default(),
            fit: Cell::new(0),
        }
    }

    /// A word's meanings with the categories it names.
    pub(crate) fn sought(&mut self, word: &Word) -> Rc<Sought> {
        let key = (word.text.clone(), word.dotted, false);
        if let Some(found) = self.cache.get(&key) {
            return Rc::clone(found);
        }
        let meanings = self.index.vocabulary.meanings(word);
        let sought = Rc::new(self.place(meanings, word));
        self.cache.insert(key, Rc::clone(&sought));
        sought
    }

    /// The same when the word may be misspelt though the catalogue has it.
    fn near(&mut self, word: &Word) -> Rc<Sought> {
        let key = (word.text.clone(), word.dotted, true);
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
            let vague = *quality < 0.93 && letters < 4;
            if vague && letters < 3 {
                continue;
            }
            for category in index.by_alias.get(id).into_iter().flatten() {
                aliases.push((*category, quality * 0.97));
            }
            if vague {
                continue;
            }
            for category in index.by_path.get(id).into_iter().flatten() {
                paths.push((*category, quality * 0.95));
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

    /// Lexemes → wants. `skip`: those that say the quantity.
    pub(crate) fn wants(&mut self, lexemes: &[Lexeme], skip: &[usize]) -> Vec<Want> {
        let found = terms(lexemes, |i| skip.contains(&i));
        let mut wants: Vec<Want> = Vec::with_capacity(found.len());
        let mut at = 0;
        while at < found.len() {
            if let Some((want, used)) = self.synonym(lexemes, &found, at) {
                wants.push(want);
                at += used;
                continue;
            }
            let next = found.get(at + 1);
            let (want, used) = match &found[at] {
                // How many are in a pack is not what the thing is.
                Term::Size(size)
                    if size.numbers.len() == 1 && size.numbers[0].measure == Measure::Piece =>
                {
                    (None, 1)
                }
                Term::Size(size) => (Some(self.size_want(size)), 1),
                Term::Word(word) => self.word_want(word, next),
            };
            wants.extend(want);
            at += used;
        }
        wants
    }

    fn size_want(&self, size: &Size) -> Want {
        let text = shown(size);
        let known = size.numbers.iter().all(|n| self.products_with(*n, Stretch::Units) > 0);
        let mut ways = vec![Way {
            needs: vec![Need::Size(size.clone())],
            quality: 1.0,
            adjacent: false,
            free: false,
        }];
        let mut known = known;
        if let Some(other) = pipe_thread(size)
            && other.numbers.iter().all(|n| self.products_with(*n, Stretch::No) > 0)
        {
            known = true;
            ways.push(Way {
                needs: vec![Need::Size(other)],
                quality: 0.97,
                adjacent: false,
                free: false,
            });
        }
        Want {
            ways,
            key: text.clone(),
            text,
            numeric: true,
            without: false,
            known,
            guessed: false,
            inherited: false,
        }
    }

    fn word_want(&mut self, word: &Word, next: Option<&Term>) -> (Option<Want>, usize) {
        if speech::is_filler(&word.text) && !word.code && !word.dotted {
            return (None, 1);
        }
        if super::interpret::names_junk(&word.text) {
            let want = Want {
                ways: Vec::new(),
                text: word.text.clone(),
                key: stem(&word.text),
                numeric: false,
                without: word.without,
                known: true,
                guessed: false,
                inherited: false,
            };
            return (Some(want), 1);
        }
        // «т.серый», «темно серый»
        if let Some(Term::Word(second)) = next
            && let Some(want) = self.compound(word, second)
        {
            return (Some(want), 2);
        }
        if let Some(Term::Word(second)) = next
            && let Some(want) = self.halves(word, second)
        {
            return (Some(want), 2);
        }
        let sought = self.sought(word);
        let mut ways = Vec::new();
        let known = !sought.meanings.words.is_empty();
        if (!known || !sought.meanings.sure) && super::quantity::known_unit(&word.text).is_some() {
            return (None, 1);
        }
        let guessed = known && !sought.meanings.sure;
        if known {
            ways.push(Way {
                needs: vec![Need::Word(Rc::clone(&sought))],
                quality: 1.0,
                adjacent: false,
                free: false,
            });
        }
        ways.extend(self.initials(word));
        if !sought.meanings.sure && !word.dotted {
            ways.extend(self.glued(word));
            ways.extend(self.guessed_synonyms(&sought));
        }
        if word.code && word.text.chars().count() == 1 && ways.is_empty() {
            return (None, 1);
        }
        let want = Want {
            known: !ways.is_empty(),
            ways,
            text: word.text.clone(),
            key: stem(&word.text),
            numeric: false,
            without: word.without,
            guessed,
            inherited: false,
        };
        (Some(want), 1)
    }

    /// «т.кор», «св серый», «темно серый» → the compound adjective.
    fn compound(&mut self, first: &Word, second: &Word) -> Option<Want> {
        let short = first.text.chars().count() <= 3;
        let adverb = first.text.ends_with('о') && first.text.chars().count() >= 4
            || matches!(first.text.as_str(), "темный" | "темная" | "светлый" | "светлая");
        if !(short && first.dotted || adverb) || second.without || first.code {
            return None;
        }
        let start = if adverb {
            first.text.trim_end_matches(['о', 'й', 'я', 'ы', 'а'])
        } else {
            &first.text
        };
        let tail = stem(&second.text);
        let vocabulary = &self.index.vocabulary;
        let mut meanings = Meanings::default();
        for id in vocabulary.beginning(start) {
            let known = vocabulary.get(id);
            let Some(at) = known.surface.find('о') else { continue };
            let rest = &known.surface[at + 'о'.len_utf8()..];
            let fits = known
                .surface
                .char_indices()
                .filter(|(_, c)| *c == 'о')
                .any(|(i, _)| known.surface[i + 'о'.len_utf8()..].starts_with(&tail));
            if fits && !rest.is_empty() {
                meanings.words.push((id, 0.94));
            }
        }
        if meanings.words.is_empty() {
            return None;
        }
        meanings.words.sort_unstable_by_key(|w| w.0);
        meanings.sure = true;
        let text = format!("{}{}", first.text, second.text);
        let word = Word { text: text.clone(), ..Word::default() };
        let sought = Rc::new(self.place(meanings, &word));
        Some(Want {
            ways: vec![Way {
                needs: vec![Need::Word(sought)],
                quality: 1.0,
                adjacent: false,
                free: false,
            }],
            key: text.clone(),
            text,
            numeric: false,
            without: false,
            known: true,
            guessed: false,
            inherited: false,
        })
    }

    /// «син тепон», «эс тэ» → one word.
    fn halves(&mut self, first: &Word, second: &Word) -> Option<Want> {
        let vocabulary = &self.index.vocabulary;
        let plain = |w: &Word| !w.dotted && !w.without && !vocabulary.has(&w.text);
        if !(plain(first) && plain(second)) || first.code {
            return None;
        }
        let joined = format!("{}{}", first.text, second.text);
        let letters = |w: &Word| {
            w.text.chars().count() <= 3
                && super::normalize::spelt_out(&w.text).is_some_and(|l| l.chars().count() == 1)
        };
        let text = if letters(first) && letters(second) {
            let both =
                [first, second].map(|w| super::normalize::spelt_out(&w.text).unwrap_or_default());
            let both = both.concat();
            vocabulary.hears(&both).then_some(both)?
        } else if joined.chars().count() >= 6 && vocabulary.has(&joined) {
            joined
        } else {
            return None;
        };
        let word = Word { text: text.clone(), from: first.from, to: second.to, ..Word::default() };
        let sought = self.sought(&word);
        Some(Want {
            ways: vec![Way {
                needs: vec![Need::Word(sought)],
                quality: 1.0,
                adjacent: false,
                free: false,
            }],
            key: stem(&text),
            text,
            numeric: false,
            without: false,
            known: true,
            guessed: false,
            inherited: false,
        })
    }

    /// «ж/ц», «жц» → words that begin so; «п/ш» → a word that begins and goes on so.
    fn initials(&mut self, word: &Word) -> Vec<Way> {
        if word.dotted && !word.text.contains('/') {
            return Vec::new();
        }
        let parts: Vec<String> = if word.text.contains('/') {
            word.text.split('/').map(str::to_owned).collect()
        } else {
            let letters: Vec<char> = word.text.chars().collect();
            let consonants = letters.iter().all(|c| !"аеиоуыэюяaeiouy".contains(*c));
            if !(2..=3).contains(&letters.len())
                || !consonants
                || word.code
                || !letters.iter().all(|c| super::normalize::is_cyrillic(*c))
            {
                return Vec::new();
            }
            letters.iter().map(char::to_string).collect()
        };
        if parts.iter().any(String::is_empty) || parts.len() < 2 {
            return Vec::new();
        }
        let mut ways = Vec::new();
        let mut needs = Vec::new();
        for part in &parts {
            let mut meanings = Meanings::default();
            for id in self.index.vocabulary.beginning(part) {
                meanings.words.push((id, 0.9));
            }
            meanings.words.sort_unstable_by_key(|w| w.0);
            let text = Word { text: word.text.repeat(2), ..Word::default() };
            needs.push(Need::Word(Rc::new(self.place(meanings, &text))));
        }
        if !(parts.len() == 2 && parts[1].chars().count() >= 3) {
            let adjacent = parts.len() == 2;
            ways.push(Way { needs, quality: 0.97, adjacent, free: false });
        }
        if parts.len() == 2 {
            let mut meanings = Meanings::default();
            let tail = stem(&parts[1]);
            for id in self.index.vocabulary.beginning(&parts[0]) {
                let known = self.index.vocabulary.get(id);
                if known.stem.len() > parts[0].len() && known.stem[parts[0].len()..].contains(&tail)
                {
                    meanings.words.push((id, 0.9));
                }
            }
            if !meanings.words.is_empty() {
                meanings.words.sort_unstable_by_key(|w| w.0);
                let text = Word { text: parts.concat(), ..Word::default() };
                ways.push(Way {
                    needs: vec![Need::Word(Rc::new(self.place(meanings, &text)))],
                    quality: 0.97,
                    adjacent: false,
                    free: false,
                });
            }
        }
        ways
    }

    /// «болтмебельный» → two words of the catalogue.
    fn glued(&mut self, word: &Word) -> Option<Way> {
        if word.text.chars().count() < 7 {
            return None;
        }
        for (at, _) in word.text.char_indices().skip(3) {
            let (left, right) = word.text.split_at(at);
            if right.chars().count() < 3 {
                break;
            }
            let vocabulary = &self.index.vocabulary;
            let whole = vocabulary.has(left);
            let begun = left.chars().count() >= 4 && vocabulary.beginning(left).next().is_some();
            if (whole || begun) && right.chars().count() >= 4 && vocabulary.has(right) {
                let needs = [(left, !whole), (right, false)].map(|(part, dotted)| {
                    let part = Word { text: part.to_owned(), dotted, ..Word::default() };
                    Need::Word(self.sought(&part))
                });
                return Some(Way {
                    needs: needs.to_vec(),
                    quality: 0.95,
                    adjacent: false,
                    free: false,
                });
            }
        }
        None
    }

    /// The synonym that begins at a term: its own words or what they mean.
    fn synonym(&mut self, lexemes: &[Lexeme], found: &[Term], at: usize) -> Option<(Want, usize)> {
        let own = self.own;
        let common = &self.index.lexicon;
        if own.is_empty() && common.is_empty() {
            return None;
        }
        let from = found[at].range().start;
        let run: Vec<&Lexeme> =
            lexemes[from..].iter().filter(|l| l.is_word() || l.is_number()).take(4).collect();
        let mut options = own.at(&run);
        options.extend(common.at(&run));
        let mut best: Option<(Want, usize)> = None;
        for (count, target) in options {
            // The synonym must end where a term ends.
            let end = run[count - 1].end;
            let used = found[at..]
                .iter()
                .position(|t| lexemes[t.range().end - 1].end == end)
                .map(|n| n + 1);
            let Some(used) = used else { continue };
            if best.as_ref().is_some_and(|(_, most)| *most > used) {
                continue;
            }
            let way = match target {
                SynonymTarget::Product(id) => match self.index.row(*id) {
                    Some(row) => Way {
                        needs: vec![Need::Product(row)],
                        quality: 1.0,
                        adjacent: false,
                        free: false,
                    },
                    None => continue,
                },
                SynonymTarget::Words(words) => {
                    let chars = super::normalize::Chars::new(words);
                    let mut needs = Vec::new();
                    for term in terms(&super::lexer::lex(&chars), |_| false) {
                        match term {
                            Term::Word(word) => needs.push(Need::Word(self.sought(&word))),
                            Term::Size(size) => needs.push(Need::Size(size)),
                        }
                    }
                    let dead = needs.iter().any(|n| {
                        matches!(n, Need::Word(s) if s.meanings.words.is_empty() || !s.meanings.sure)
                    });
                    if needs.is_empty() || dead {
                        continue;
                    }
                    Way { needs, quality: 0.98, adjacent: false, free: true }
                }
            };
            match &mut best {
                Some((want, most)) if *most == used => want.ways.push(way),
                _ => {
                    let (mut want, _) = self.literal(&found[at..at + used]);
                    want.ways.push(way);
                    want.known = true;
                    want.guessed = false;
                    best = Some((want, used));
                }
            }
        }
        best
    }

    /// What the synonyms of a misspelt word mean: «кажзам» is «кожзам» is «искусственная кожа».
    fn guessed_synonyms(&mut self, sought: &Sought) -> Vec<Way> {
        let index = self.index;
        let mut ways = Vec::new();
        for (word, quality) in sought.meanings.words.iter().take(8) {
            let surface = &index.vocabulary.get(*word).surface;
            let lexemes = super::lexer::lex(&super::normalize::Chars::new(surface));
            let run: Vec<&Lexeme> = lexemes.iter().collect();
            for (count, target) in index.lexicon.at(&run) {
                let SynonymTarget::Words(words) = target else { continue };
                if count != run.len() {
                    continue;
                }
                let chars = super::normalize::Chars::new(words);
                let mut needs = Vec::new();
                for term in terms(&super::lexer::lex(&chars), |_| false) {
                    match term {
                        Term::Word(word) => needs.push(Need::Word(self.sought(&word))),
                        Term::Size(size) => needs.push(Need::Size(size)),
                    }
                }
                let sure = needs.iter().all(|n| !matches!(n, Need::Word(s) if !s.meanings.sure));
                if sure && !needs.is_empty() {
                    ways.push(Way { needs, quality: quality * 0.98, adjacent: false, free: true });
                }
            }
        }
        ways
    }

    /// Terms as one want that is satisfied by all of them.
    fn literal(&mut self, found: &[Term]) -> (Want, usize) {
        let mut needs = Vec::new();
        let mut keys = Vec::new();
        let mut alive = true;
        let mut numeric = true;
        for term in found {
            match term {
                Term::Word(word) => {
                    let sought = self.sought(word);
                    alive &= sought.meanings.sure && !sought.meanings.words.is_empty();
                    needs.push(Need::Word(sought));
                    keys.push(stem(&word.text));
                    numeric = false;
                }
                Term::Size(size) => {
                    keys.push(shown(size));
                    needs.push(Need::Size(size.clone()));
                }
            }
        }
        let ways = if alive {
            vec![Way { needs, quality: 1.0, adjacent: false, free: false }]
        } else {
            Vec::new()
        };
        let want = Want {
            ways,
            text: keys.join(" "),
            key: keys.join(" "),
            numeric,
            without: matches!(found.first(), Some(Term::Word(w)) if w.without),
            known: alive,
            guessed: false,
            inherited: false,
        };
        (want, found.len())
    }

    /// Widens words that the catalogue has to those they may be slips of.
    pub(crate) fn widen(&mut self, wants: &[Want]) -> Vec<Want> {
        wants
            .iter()
            .map(|want| {
                if want.numeric
                    || want.without
                    || want.text.chars().count() < 4
                    || want.text.contains(' ')
                {
                    return want.clone();
                }
                let word = Word { text: want.text.clone(), ..Word::default() };
                let near = self.near(&word);
                if near.meanings.words.is_empty() {
                    return want.clone();
                }
                let mut wide = want.clone();
                wide.ways.push(Way {
                    needs: vec![Need::Word(near)],
                    quality: 0.95,
                    adjacent: false,
                    free: false,
                });
                wide.known = true;
                wide.guessed = true;
                wide
            })
            .collect()
    }

    /// How many products have the number.
    fn products_with(&self, number: Number, stretch: Stretch) -> usize {
        self.values_of(number, stretch)
            .map(|row| {
                let paths = self.index.by_path_value.get(&row).into_iter().flatten();
                let in_paths: u32 =
                    paths.map(|c| self.index.ranges[*c as usize]).map(|(from, to)| to - from).sum();
                self.index.by_value.row(row as usize).len() + in_paths as usize
            })
            .sum()
    }

    fn values_of(&self, number: Number, stretch: Stretch) -> impl Iterator<Item = u32> + '_ {
        let rows = &self.index.value_rows;
        let scaled = scales(number, stretch, false).into_iter().map(move |by| scaled(number, by));
        let keys: Vec<i64> =
            number.keys().chain(scaled.flat_map(|n| n.keys().collect::<Vec<_>>())).collect();
        let mut found: Vec<u32> = keys.into_iter().filter_map(|k| rows.get(&k).copied()).collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter()
    }

    /// Products that satisfy every known want, best first.
    pub(crate) fn hits(&self, wants: &[Want], stretch: Stretch) -> Vec<Hit> {
        self.hits_within(wants, stretch, usize::MAX)
    }

    /// The same, unless more than so many products would have to be looked through.
    pub(crate) fn hits_within(&self, wants: &[Want], stretch: Stretch, most: usize) -> Vec<Hit> {
        let sought: Vec<&Want> = wants.iter().filter(|w| w.known && !w.ways.is_empty()).collect();
        let driver = sought
            .iter()
            .filter(|w| !w.without)
            .min_by_key(|w| w.ways.iter().map(|way| self.reach(way, stretch)).sum::<usize>());
        let Some(driver) = driver else {
            self.fit.set(0);
            return Vec::new();
        };
        if driver.ways.iter().map(|way| self.reach(way, stretch)).sum::<usize>() > most {
            self.fit.set(0);
            return Vec::new();
        }
        // Long lists are kept from question to question: to free them costs more than to fill them.
        let mut rows = self.rows.take();
        rows.clear();
        for way in &driver.ways {
            self.collect(way, stretch, &mut rows);
        }
        rows.sort_unstable();
        rows.dedup();
        let mut found = self.found.take();
        found.clear();
        found.extend(rows.iter().filter_map(|row| {
            self.fit(*row, &sought, stretch).map(|quality| Hit { row: *row, quality })
        }));
        self.rows.replace(rows);
        self.fit.set(found.len());
        found.sort_unstable_by(|a, b| b.quality.total_cmp(&a.quality).then(a.row.cmp(&b.row)));
        let hits = found[..found.len().min(KEPT)].to_vec();
        self.found.replace(found);
        hits
    }

    /// How many products the last question found, of which the best were answered.
    pub(crate) fn fitting(&self) -> usize {
        self.fit.get()
    }

    /// How many products a way may have, at most.
    fn reach(&self, way: &Way, stretch: Stretch) -> usize {
        way.needs.iter().map(|need| self.need_reach(need, stretch)).min().unwrap_or(0)
    }

    fn need_reach(&self, need: &Need, stretch: Stretch) -> usize {
        match need {
            Need::Word(sought) => sought.reach,
            Need::Size(size) => {
                size.numbers.iter().map(|n| self.products_with(*n, stretch)).min().unwrap_or(0)
            }
            Need::Product(_) => 1,
        }
    }

    /// The products among which a way's are.
    fn collect(&self, way: &Way, stretch: Stretch, rows: &mut Vec<u32>) {
        let Some(need) = way.needs.iter().min_by_key(|n| self.need_reach(n, stretch)) else {
            return;
        };
        match need {
            Need::Word(sought) => {
                for (id, _) in &sought.meanings.words {
                    rows.extend_from_slice(self.index.by_word.row(*id as usize));
                }
                for (category, _) in sought.paths.iter().chain(&sought.aliases) {
                    let (from, to) = self.index.ranges[*category as usize];
                    rows.extend(from..to);
                }
            }
            Need::Size(size) => {
                let rarest = size.numbers.iter().min_by_key(|n| self.products_with(**n, stretch));
                for value in rarest.into_iter().flat_map(|n| self.values_of(*n, stretch)) {
                    rows.extend_from_slice(self.index.by_value.row(value as usize));
                    for category in self.index.by_path_value.get(&value).into_iter().flatten() {
                        let (from, to) = self.index.ranges[*category as usize];
                        rows.extend(from..to);
                    }
                }
            }
            Need::Product(row) => rows.push(*row),
        }
    }

    /// How well a product satisfies the wants, or `None` when it contradicts one.
    fn fit(&self, row: u32, wants: &[&Want], stretch: Stretch) -> Option<f32> {
        let mut used = 0_u64;
        let mut lost = 0.0;
        // Sizes of many numbers choose first, so that a lone number does not take one of theirs.
        let mut order: Vec<&&Want> = wants.iter().collect();
        order.sort_by_key(|w| std::cmp::Reverse(numbers_in(w)));
        for want in order {
            lost += 1.0 - self.satisfies(row, want, stretch, &mut used)?;
        }
        Some(1.0 - lost)
    }

    /// The number of wants a product satisfies, for suggestions.
    pub(crate) fn satisfied(&self, row: u32, wants: &[Want]) -> f32 {
        let mut used = 0_u64;
        let quality =
            |w: &Want, used: &mut u64| self.satisfies(row, w, Stretch::No, used).unwrap_or(0.0);
        wants.iter().filter(|w| w.known).map(|w| quality(w, &mut used)).sum()
    }

    fn satisfies(&self, row: u32, want: &Want, stretch: Stretch, used: &mut u64) -> Option<f32> {
        let mut best: Option<(f32, u64)> = None;
        for way in &want.ways {
            let mut taken = *used;
            let mut quality = way.quality;
            for need in &way.needs {
                let found = match need {
                    Need::Word(sought) if want.without => {
                        if sought.without.is_some_and(|w| self.has_word(row, w)) {
                            1.0
                        } else if self.in_title(row, sought) > 0.0 {
                            0.0
                        } else {
                            0.93
                        }
                    }
                    Need::Word(sought) => self.word(row, sought),
                    Need::Size(size) => self.size(row, size, stretch, &mut taken),
                    Need::Product(sought) => f32::from(u8::from(*sought == row)),
                };
                quality *= found;
                if quality == 0.0 {
                    break;
                }
            }
            if quality > 0.0 && way.adjacent && !self.side_by_side(row, &way.needs) {
                quality = 0.0;
            }
            if quality > 0.0 && best.is_none_or(|(q, _)| quality > q) {
                best = Some((quality, if way.free { *used } else { taken }));
            }
        }
        let (quality, taken) = best?;
        *used = taken;
        Some(quality)
    }

    /// Whether the words of the needs follow one another in the title; what the category may leave
    /// unsaid may be missing at the end.
    fn side_by_side(&self, row: u32, needs: &[Need]) -> bool {
        let words = self.index.words.row(row as usize);
        let has = |at: usize, need: &Need| match need {
            Need::Word(sought) => {
                words.get(at).is_some_and(|w| w & ASIDE == 0 && sought.meanings.quality(*w) > 0.0)
            }
            _ => false,
        };
        let category = self.index.category[row as usize];
        let implied = |need: &Need| match need {
            Need::Word(sought) => sought.aliases.binary_search_by_key(&category, |c| c.0).is_ok(),
            _ => false,
        };
        (0..words.len()).any(|from| {
            needs.iter().enumerate().all(|(n, need)| has(from + n, need) || n > 0 && implied(need))
        })
    }

    /// Whether the product is called by the want: its title begins so, or its category goes by it.
    pub(crate) fn is_headed(&self, row: u32, want: &Want) -> bool {
        let category = self.index.category[row as usize];
        let first = self.index.words.row(row as usize).first().filter(|w| **w & ASIDE == 0);
        want.ways.iter().flat_map(|w| &w.needs).any(|need| match need {
            Need::Word(sought) => {
                first.is_some_and(|w| sought.meanings.quality(*w) > 0.0)
                    || sought
                        .meanings
                        .words
                        .iter()
                        .any(|(w, _)| self.index.called.contains_key(&(*w, category)))
                    || self
                        .index
                        .leaves
                        .row(category as usize)
                        .iter()
                        .any(|w| sought.meanings.quality(*w) > 0.0)
            }
            _ => false,
        })
    }

    /// Whether a name that was said goes on in the title with a name that was not: «Bella Lux».
    pub(crate) fn has_longer_name(&self, row: u32, wants: &[Want]) -> bool {
        let words = self.index.words.row(row as usize);
        let said = |word: u32| {
            wants.iter().filter(|w| !w.numeric).flat_map(|w| &w.ways).flat_map(|w| &w.needs).any(
                |need| matches!(need, Need::Word(sought) if sought.meanings.quality(word) > 0.0),
            )
        };
        let breaks = self.index.breaks[row as usize];
        words.windows(2).enumerate().any(|(at, pair)| {
            pair[0] & ASIDE == 0
                && pair[1] & ASIDE == 0
                && at < 32
                && breaks >> at & 1 == 0
                && self.index.vocabulary.get(pair[0]).name
                && self.index.vocabulary.get(pair[1]).name
                && said(pair[0])
                && !said(pair[1])
        })
    }

    fn has_word(&self, row: u32, word: u32) -> bool {
        self.index.words.row(row as usize).iter().any(|w| w & !ASIDE == word)
    }

    /// How well a product has the word: in its title, aside, in its category.
    fn word(&self, row: u32, sought: &Sought) -> f32 {
        let mut best = self.in_title(row, sought);
        let category = self.index.category[row as usize];
        for list in [&sought.paths, &sought.aliases] {
            if let Ok(at) = list.binary_search_by_key(&category, |c| c.0) {
                best = best.max(list[at].1);
            }
        }
        best
    }

    /// How well a product's title, or the words aside, have the word.
    fn in_title(&self, row: u32, sought: &Sought) -> f32 {
        let mut best = 0.0_f32;
        for word in self.index.words.row(row as usize) {
            let quality = sought.meanings.quality(word & !ASIDE);
            let quality = if word & ASIDE == 0 { quality } else { quality * 0.95 };
            best = best.max(quality);
        }
        best
    }

    /// How well a product has the size, taking its numbers.
    fn size(&self, row: u32, size: &Size, stretch: Stretch, used: &mut u64) -> f32 {
        let direct = self.numbers(row, &size.numbers, used);
        if direct > 0.0 || stretch == Stretch::No {
            return direct;
        }
        let first = size.numbers[0];
        for by in scales(first, stretch, size.numbers.len() == 1) {
            let numbers: Vec<Number> = size.numbers.iter().map(|n| scaled(*n, by)).collect();
            let found = self.numbers(row, &numbers, used);
            if found > 0.0 {
                return found * 0.93;
            }
            if numbers.len() == 2 {
                let turned = [numbers[1], numbers[0]];
                let found = self.numbers(row, &turned, used);
                if found > 0.0 {
                    return found * 0.9;
                }
            }
        }
        if size.numbers.len() == 2 {
            return self.numbers(row, &[size.numbers[1], size.numbers[0]], used) * 0.9;
        }
        0.0
    }

    fn numbers(&self, row: u32, wanted: &[Number], used: &mut u64) -> f32 {
        let index = self.index;
        let figures = index.figures.row(row as usize);
        let category = index.category[row as usize];
        let mut taken = *used;
        let mut total = 0.0;
        let mut last: Option<(usize, u8)> = None;
        for number in wanted {
            let mut best: Option<(f32, usize)> = None;
            for (at, figure) in figures.iter().enumerate().take(64) {
                if taken >> at & 1 == 1 || figure.measure == Measure::Piece {
                    continue;
                }
                let mut quality = number.agrees(index.number(*figure));
                if quality == 0.0 {
                    continue;
                }
                if wanted.len() == 1 {
                    if index.constants.contains_key(&(category, figure.value, figure.measure as u8))
                    {
                        quality *= 0.85;
                    }
                } else if let Some((before, group)) = last {
                    quality *= match (at > before, group == figure.group) {
                        (true, true) => 1.0,
                        (false, true) => 0.0,
                        (true, false) => 0.9,
                        (false, false) => 0.8,
                    };
                }
                if best.is_none_or(|(q, _)| quality > q) {
                    best = Some((quality, at));
                }
            }
            let Some((quality, at)) = best.filter(|b| b.0 > 0.0) else {
                if wanted.len() == 1 {
                    // «DIN 603» may be said by the category alone.
                    let paths = index.path_figures.row(category as usize).iter();
                    let best = paths.map(|f| number.agrees(index.number(*f))).fold(0.0, f32::max);
                    return best * 0.95;
                }
                return 0.0;
            };
            taken |= 1 << at;
            total += quality;
            last = Some((at, figures[at].group));
        }
        *used = taken;
        let mut quality = total / f32::from(u8::try_from(wanted.len()).unwrap_or(u8::MAX));
        if wanted.len() > 1
            && let Some((_, group)) = last
            && figures.iter().filter(|f| f.group == group).count() > wanted.len()
        {
            // «1/2» is all of «1/2"» and a part of «3/4"х1/2"».
            quality *= 0.95;
        }
        quality
    }
}

fn numbers_in(want: &Want) -> usize {
    let count = |way: &Way| {
        way.needs
            .iter()
            .map(|n| if let Need::Size(size) = n { size.numbers.len() } else { 0 })
            .sum::<usize>()
    };
    want.ways.iter().map(count).max().unwrap_or(0)
}

/// A nominal bore for a pipe thread and back: «Ду15» is «1/2"».
///
/// Source: ГОСТ 6357-81 and ГОСТ 28338-89.
fn pipe_thread(size: &Size) -> Option<Size> {
    const PAIRS: &[(i64, &[i64])] = &[
        (10, &[3, 8]),
        (15, &[1, 2]),
        (20, &[3, 4]),
        (25, &[1]),
        (32, &[1, 1, 4]),
        (40, &[1, 1, 2]),
        (50, &[2]),
    ];
    let whole: Vec<i64> = size.numbers.iter().map(|n| n.value / 1000).collect();
    if let [number] = size.numbers.as_slice()
        && number.marker == b'd'
    {
        let (_, thread) = PAIRS.iter().find(|(bore, _)| *bore * 1000 == number.value)?;
        let numbers = thread.iter().map(|n| Number { value: n * 1000, ..Number::default() });
        return Some(Size { numbers: numbers.collect(), slash: true, ..size.clone() });
    }
    if size.slash && size.numbers.len() == 2 {
        let (bore, _) = PAIRS.iter().find(|(_, thread)| *thread == whole.as_slice())?;
        let number = Number { value: bore * 1000, marker: b'd', ..Number::default() };
        return Some(Size { numbers: vec![number], slash: false, ..size.clone() });
    }
    None
}

/// By how much a number without a unit may be scaled, in thousandths.
fn scales(number: Number, stretch: Stretch, alone: bool) -> Vec<i64> {
    if stretch == Stretch::No || number.measure != Measure::None {
        return Vec::new();
    }
    if alone && number.value % 1000 == 0 {
        // «150» is no 15 and no 1500; «1,6» may be 1600.
        return Vec::new();
    }
    let mut by = vec![10_000, 1_000_000, 100_000];
    if number.value % 10_000 == 0 {
        by.push(100);
    }
    by
}

fn scaled(number: Number, by: i64) -> Number {
    let value = i128::from(number.value) * i128::from(by) / 1000;
    Number { value: i64::try_from(value).unwrap_or(i64::MAX), ..number }
}

/// A size as people write it: «4×25».
pub(crate) fn shown(size: &Size) -> String {
    let numbers = size
        .numbers
        .iter()
        .map(|n| crate::domain::Quantity::from_thousandths(n.value).decimal().replace('.', ","));
    numbers.collect::<Vec<_>>().join(if size.slash { "/" } else { "×" })
}
