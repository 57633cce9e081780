//! A line's words and numbers → what it wants of the product.

use std::rc::Rc;

use super::super::lexer::Lexeme;
use super::super::normalize::stem;
use super::super::speech;
use super::super::terms::{Measure, Number, Size, Term, Word, terms};
use super::super::vocabulary::Meanings;
use super::{Need, Seeker, Stretch, Want, Way};

impl Seeker<'_> {
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
                // How many are in a pack tells only packs apart.
                Term::Size(size)
                    if size.numbers.len() == 1 && size.numbers[0].measure == Measure::Piece =>
                {
                    (Some(pack_want(size)), 1)
                }
                Term::Size(size) => (Some(self.size_want(size)), 1),
                Term::Word(word) => self.word_want(word, next),
            };
            wants.extend(want);
            at += used;
        }
        wants
    }

    pub(super) fn size_want(&self, size: &Size) -> Want {
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
        let mut add = |need: Need, quality: f32| {
            ways.push(Way { needs: vec![need], quality, adjacent: false, free: false });
        };
        if let Some(code) = joined_code(size)
            && self.products_with(code, Stretch::No) > 0
        {
            known = true;
            add(Need::Size(Size { numbers: vec![code], ..size.clone() }), 0.97);
        }
        // «пакет фасовочный 30х40 500»: five hundred in a pack.
        if let [number] = size.numbers.as_slice()
            && number.measure == Measure::None
            && number.marker == 0
            && number.value >= 100_000
            && number.value % 50_000 == 0
        {
            add(Need::Pack { value: number.value, must: true }, 1.0);
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
            chained: false,
        }
    }

    pub(super) fn word_want(&mut self, word: &Word, next: Option<&Term>) -> (Option<Want>, usize) {
        let talk = speech::is_filler(&word.text)
            || speech::is_cancel(&word.text)
            || speech::is_correction(&word.text);
        if talk && !word.code && !word.dotted {
            return (None, 1);
        }
        if crate::recognition::interpret::names_junk(&word.text) {
            let want = Want {
                ways: Vec::new(),
                text: word.text.clone(),
                key: stem(&word.text),
                numeric: false,
                without: word.without,
                known: true,
                guessed: false,
                inherited: false,
                chained: false,
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
        if (!known || !sought.meanings.sure)
            && crate::recognition::quantity::known_unit(&word.text).is_some()
        {
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
        ways.extend(self.counted(word));
        if !known && let Some(letters) = super::super::normalize::spelt_out(&word.text) {
            // «вэпэпэ» is «впп» is «воздушно-пузырчатая плёнка».
            ways.extend(self.initials(&Word { text: letters, ..word.clone() }));
        }
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
            chained: false,
        };
        (Some(want), 1)
    }

    /// «т.кор», «св серый», «темно серый» → the compound adjective.
    pub(super) fn compound(&mut self, first: &Word, second: &Word) -> Option<Want> {
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
            chained: false,
        })
    }

    /// «син тепон», «эс тэ» → one word.
    pub(super) fn halves(&mut self, first: &Word, second: &Word) -> Option<Want> {
        let vocabulary = &self.index.vocabulary;
        let plain = |w: &Word| !w.dotted && !w.without && !vocabulary.has(&w.text);
        if !(plain(first) && plain(second)) || first.code {
            return None;
        }
        let joined = format!("{}{}", first.text, second.text);
        let letters = |w: &Word| {
            w.text.chars().count() <= 3
                && crate::recognition::normalize::spelt_out(&w.text)
                    .is_some_and(|l| l.chars().count() == 1)
        };
        let text = if letters(first) && letters(second) {
            let both = [first, second]
                .map(|w| crate::recognition::normalize::spelt_out(&w.text).unwrap_or_default());
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
            chained: false,
        })
    }

    /// «ж/ц», «жц» → words that begin so; «п/ш» → a word that begins and goes on so.
    pub(super) fn initials(&mut self, word: &Word) -> Vec<Way> {
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
                || !letters.iter().all(|c| crate::recognition::normalize::is_cyrillic(*c))
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
        // «ц/выт» is «центральная вытяжка», «п/накл» rather «полунакладная».
        let long = parts.len() == 2 && parts[1].chars().count() >= 3;
        let quality = if long { 0.95 } else { 0.97 };
        ways.push(Way { needs, quality, adjacent: parts.len() == 2, free: false });
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

    /// «двухслойный» → 2 and «слойный», as titles may write «2-сл.».
    fn counted(&mut self, word: &Word) -> Option<Way> {
        let text = super::super::vocabulary::cyrillic(&word.text);
        let (count, rest) = super::super::adjectives::counted(&text)?;
        let number = Number { value: count * 1000, ..Number::default() };
        if self.products_with(number, Stretch::No) == 0 {
            return None;
        }
        let rest = Word { text: rest.to_owned(), dotted: word.dotted, ..Word::default() };
        let sought = self.sought(&rest);
        if !sought.meanings.sure {
            return None;
        }
        let size = Size { numbers: vec![number], ..Size::default() };
        Some(Way {
            needs: vec![Need::Word(sought), Need::Size(size)],
            quality: 0.97,
            adjacent: false,
            free: false,
        })
    }

    /// «болтмебельный» → two words of the catalogue.
    pub(super) fn glued(&mut self, word: &Word) -> Option<Way> {
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

    /// Terms as one want that is satisfied by all of them.
    pub(super) fn literal(&mut self, found: &[Term]) -> (Want, usize) {
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
            chained: false,
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
}

/// «1000шт» beside another quantity: the pack of a thousand.
fn pack_want(size: &Size) -> Want {
    let text = format!("{} шт", shown(size));
    Want {
        ways: vec![Way {
            needs: vec![Need::Pack { value: size.numbers[0].value, must: false }],
            quality: 1.0,
            adjacent: false,
            free: false,
        }],
        key: text.clone(),
        text,
        numeric: true,
        without: false,
        known: true,
        guessed: false,
        inherited: false,
        chained: false,
    }
}

/// «25-36» for the mark 2536.
fn joined_code(size: &Size) -> Option<Number> {
    let [first, second] = size.numbers.as_slice() else { return None };
    let plain = |n: &Number| {
        n.measure == Measure::None && (10_000..100_000).contains(&n.value) && n.value % 1000 == 0
    };
    (plain(first) && plain(second)).then(|| Number {
        value: first.value * 100 + second.value,
        measure: Measure::None,
        marker: super::super::terms::CODE,
    })
}

/// A nominal bore for a pipe thread and back: «Ду15» is «1/2"».
///
/// Source: ГОСТ 6357-81 and ГОСТ 28338-89.
pub(super) fn pipe_thread(size: &Size) -> Option<Size> {
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

/// A number in thousandths as people write it: «1.5».
pub(crate) fn decimal(thousandths: i64) -> String {
    crate::domain::Quantity::from_thousandths(thousandths).decimal()
}

/// A size as people write it: «4×25».
pub(crate) fn shown(size: &Size) -> String {
    let numbers = size
        .numbers
        .iter()
        .map(|n| crate::domain::Quantity::from_thousandths(n.value).decimal().replace('.', ","));
    numbers.collect::<Vec<_>>().join(if size.slash { "/" } else { "×" })
}
