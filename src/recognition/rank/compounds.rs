//! Words that are written apart, together or cut down to some of their letters.

use std::rc::Rc;

use super::super::adjectives;
use super::super::lexer::{Lexeme, lex};
use super::super::normalize::{Chars, is_cyrillic, spelt_out, stem};
use super::super::terms::{COUNTED, Number, Size, Term, Word, terms};
use super::super::threads;
use super::super::types::SynonymTarget;
use super::super::vocabulary::{Meanings, best_of_each, cyrillic};
use super::{Need, Seeker, Stretch, Want, Way};

impl Seeker<'_> {
    /// «т.кор», «св серый», «темно серый», «тёмно-серый» → the compound adjective, or its halves as
    /// titles in another language have them, «Dark Grey».
    pub(super) fn compound(
        &mut self,
        lexemes: &[Lexeme],
        found: &[Term],
        at: usize,
    ) -> Option<(Want, usize)> {
        let Term::Word(word) = &found[at] else { return None };
        let hyphen = word.to == word.from + 3 && lexemes[word.from + 1].is('-');
        let (first, second) = if hyphen {
            let half = |at: usize| Word {
                text: lexemes[at].text.clone(),
                dotted: lexemes[at].dotted,
                ..Word::default()
            };
            (half(word.from), half(word.to - 1))
        } else {
            let Some(Term::Word(second)) = found.get(at + 1) else { return None };
            (word.clone(), second.clone())
        };
        if second.without || first.code {
            return None;
        }
        let start = cyrillic(&first.text);
        let length = start.chars().count();
        let adverb = start.ends_with('о') && length >= 4
            || matches!(start.as_str(), "темный" | "темная" | "светлый" | "светлая");
        let short =
            length <= 3 && (first.dotted || length >= 2 && !self.index.vocabulary.has(&first.text));
        if !(short || adverb) {
            return None;
        }
        let start =
            if adverb { start.trim_end_matches(['о', 'й', 'я', 'ы', 'а']) } else { &start };
        let mut meanings = self.compounds(start, &second);
        let apart = self.translated(&first, &second);
        let text = format!("{}{}", first.text, second.text);
        // «Желто-зелёный» and «желто зелёный» may be «ж/з».
        let coloured = adverb
            && super::super::line::is_adjective(&second.text)
            && super::super::decide::is_colour(&first.text);
        let cut = coloured && self.index.vocabulary.is_slashed(&text);
        if meanings.words.is_empty() && (apart.is_empty() || !hyphen) && !cut {
            return None;
        }
        let whole = Word { text: text.clone(), ..Word::default() };
        if hyphen || coloured {
            let sought = self.sought(&whole);
            if sought.meanings.sure || meanings.words.is_empty() {
                meanings.words.extend(sought.meanings.words.iter().copied());
                meanings.sure |= sought.meanings.sure;
                best_of_each(&mut meanings.words);
            }
        }
        let guessed = !meanings.sure && apart.is_empty();
        let mut ways = Vec::new();
        if !meanings.words.is_empty() {
            ways.push(Way::of(vec![Need::Word(Rc::new(self.place(meanings, &whole)))], 1.0));
        }
        ways.extend(apart);
        let want = Want { guessed, key: text.clone(), ..Want::word(&text, ways) };
        Some((want, if hyphen { 1 } else { 2 }))
    }

    /// Compound words of the catalogue that begin so and go on with what the second half may mean.
    fn compounds(&mut self, start: &str, second: &Word) -> Meanings {
        let tail = stem(&second.text);
        let halves = Rc::clone(&self.sought(second));
        let vocabulary = &self.index.vocabulary;
        let mut out = Meanings::default();
        for id in vocabulary.beginning(start) {
            let known = vocabulary.get(id);
            for (joint, _) in known.stem.match_indices('о') {
                let rest = &known.stem[joint + 'о'.len_utf8()..];
                let same = |half: u32| *vocabulary.get(half).stem == *rest;
                if tail.chars().count() > 1 && rest.starts_with(&tail) {
                    out.words.push((id, 0.94));
                    out.sure = true;
                } else if let Some((_, quality)) =
                    halves.meanings.words.iter().find(|(half, _)| same(*half))
                {
                    out.words.push((id, 0.94 * quality));
                    out.sure |= halves.meanings.sure;
                }
            }
        }
        best_of_each(&mut out.words);
        out
    }

    /// Both halves of a compound as the common synonyms have them.
    fn translated(&mut self, first: &Word, second: &Word) -> Vec<Way> {
        let index = self.index;
        let mut other = |word: &Word| -> Vec<Need> {
            let lexemes = lex(&Chars::new(&word.text));
            let run: Vec<&Lexeme> = lexemes.iter().collect();
            let mut needs = Vec::new();
            for (count, target) in index.lexicon.at(&run) {
                let SynonymTarget::Words(words) = target else { continue };
                let found = terms(&lex(&Chars::new(words)), |_| false);
                if let ([Term::Word(word)], true) = (found.as_slice(), count == run.len()) {
                    let sought = self.sought(word);
                    if sought.meanings.sure {
                        needs.push(Need::Word(sought));
                    }
                }
            }
            needs
        };
        let (left, right) = (other(first), other(second));
        let mut ways = Vec::new();
        for one in &left {
            for two in &right {
                let needs = vec![one.clone(), two.clone()];
                ways.push(Way { adjacent: true, ..Way::of(needs, 0.98) });
            }
        }
        ways
    }

    /// «чрн», «плст», «бежв» → words that only lost vowels and their end.
    pub(super) fn skeleton(&mut self, word: &Word) -> Option<Way> {
        let text = cyrillic(&word.text);
        let words = self.index.vocabulary.without_vowels(&text);
        let meanings = Meanings { words, ..Meanings::default() };
        if meanings.words.is_empty() {
            return None;
        }
        let sought = Rc::new(self.place(meanings, word));
        Some(Way::of(vec![Need::Word(sought)], 1.0))
    }

    /// «ввг нг», «вэвэгэ энгэ» → the abbreviation that titles write as one.
    pub(super) fn abbreviation(&mut self, term: &Term, next: Option<&Term>) -> Option<Want> {
        let (Term::Word(first), Some(Term::Word(second))) = (term, next) else { return None };
        if [first, second].iter().any(|w| w.dotted || w.without || w.code) {
            return None;
        }
        let letters = |w: &Word| {
            let short = w.text.chars().count() <= 4 && w.text.chars().all(is_cyrillic);
            let said = spelt_out(&w.text).filter(|_| !self.index.vocabulary.has(&w.text));
            said.or_else(|| short.then(|| w.text.clone()))
        };
        let (one, two) = (letters(first)?, letters(second)?);
        let vowels = |text: &str| text.chars().any(|c| "аеиоуыэюя".contains(c));
        let joined = format!("{one}{two}");
        if vowels(&joined)
            || !(3..=7).contains(&joined.chars().count())
            || !self.index.vocabulary.hears(&joined)
        {
            return None;
        }
        let word =
            Word { text: joined.clone(), from: first.from, to: second.to, ..Word::default() };
        let sought = self.sought(&word);
        Some(Want::word(&joined, vec![Way::of(vec![Need::Word(sought)], 1.0)]))
    }

    /// «р-ка», «тр-к», «к-т» → things whose names begin and end so, and how many terms say it.
    pub(super) fn clipped(
        &mut self,
        lexemes: &[Lexeme],
        word: &Word,
        next: Option<&Term>,
    ) -> Option<(Want, usize)> {
        const LONGEST: usize = 4;
        let hyphen = |at: usize| lexemes.get(at).is_some_and(|l| l.is('-') && !l.spaced);
        let glued = |at: usize| lexemes.get(at).is_some_and(|l| l.is_word() && !l.spaced);
        let (begin, end, used) = match next {
            Some(Term::Word(second)) if second.from == word.to + 1 => (word.from, second.from, 2),
            // «к» is no term by itself, before the hyphen or after it.
            _ if hyphen(word.to) && glued(word.to + 1) => (word.from, word.to + 1, 1),
            _ => (word.from.checked_sub(2)?, word.from, 1),
        };
        if end != begin + 2 || !hyphen(begin + 1) || !glued(end) {
            return None;
        }
        let (begin, end) = (&lexemes[begin].text, &lexemes[end].text);
        let short =
            |t: &str| (1..=LONGEST).contains(&t.chars().count()) && t.chars().all(is_cyrillic);
        let vocabulary = &self.index.vocabulary;
        if !short(begin) || !short(end) || vocabulary.spells(&format!("{begin}{end}")) {
            return None;
        }
        // «к-та» is the «к-т» in another case.
        let ends = [end.as_str(), end.trim_end_matches(['а', 'у', 'ы', 'и', 'е', 'ь'])];
        let told = begin.chars().count() + end.chars().count();
        let is_meant = |id: &u32| {
            let known = vocabulary.get(*id);
            let whole = known.surface.chars().count() > told + 1 && !known.cut;
            let ended = |e: &&str| {
                !e.is_empty() && (known.surface.ends_with(*e) || known.stem.ends_with(*e))
            };
            known.head && !known.name && whole && ends.iter().any(ended)
        };
        let words: Vec<(u32, f32)> =
            vocabulary.beginning(begin).filter(is_meant).map(|id| (id, 0.9)).collect();
        if words.is_empty() {
            return None;
        }
        let text = format!("{begin}-{end}");
        let clipped = Word { text: text.clone(), ..word.clone() };
        let sought = self.place(Meanings { words, sure: true }, &clipped);
        let mut ways = vec![Way::of(vec![Need::Word(Rc::new(sought))], 1.0)];
        // Titles may have it clipped as well.
        let titled = self.index.vocabulary.row(&stem(&text)).is_some();
        let own = if !titled {
            None
        } else if used == 2 {
            let both: Vec<Term> =
                [Term::Word(word.clone())].into_iter().chain(next.cloned()).collect();
            Some(self.literal(&both).0)
        } else {
            self.word_want(word, None).0
        };
        ways.extend(own.into_iter().flat_map(|w| w.ways));
        Some((Want::word(&text, ways), used))
    }

    /// «син тепон», «эс тэ» → one word.
    pub(super) fn halves(&mut self, first: &Word, second: &Word) -> Option<Want> {
        let vocabulary = &self.index.vocabulary;
        let plain = |w: &Word| !w.dotted && !w.without;
        let strange = |w: &Word| !vocabulary.has(&w.text);
        let joined = format!("{}{}", first.text, second.text);
        // «IN HOME» is the «inHome» of titles.
        let latin = |w: &Word| w.text.len() > 1 && w.text.bytes().all(|b| b.is_ascii_lowercase());
        let named = latin(first) && latin(second) && first.to == second.from;
        let apart = named && joined.len() > 4 && vocabulary.has(&joined);
        // «PE-RT» is the «PERT» of titles.
        let long = joined.chars().count() > 4;
        let hyphen = second.from == first.to + 1
            && vocabulary.has(&joined)
            && (strange(second) || long && vocabulary.spells(&joined));
        if !(plain(first) && plain(second) && (strange(first) || hyphen || apart)) || first.code {
            return None;
        }
        // «Водорозетка пресс» is a «пресс-водорозетка».
        let turned = format!("{}{}", second.text, first.text);
        let joined =
            if !vocabulary.has(&joined) && vocabulary.has(&turned) { turned } else { joined };
        // «Полу накладная» is one word though «накладная» is another.
        if !strange(second) && !vocabulary.has(&joined) {
            return None;
        }
        let letters = |w: &Word| {
            w.text.chars().count() <= 3
                && spelt_out(&w.text).is_some_and(|l| l.chars().count() == 1)
        };
        let text = if letters(first) && letters(second) {
            let both = [first, second].map(|w| spelt_out(&w.text).unwrap_or_default());
            let both = both.concat();
            vocabulary.hears(&both).then_some(both)?
        } else if (joined.chars().count() >= 6 || hyphen || apart) && vocabulary.has(&joined) {
            joined
        } else {
            return None;
        };
        let word = Word { text: text.clone(), from: first.from, to: second.to, ..Word::default() };
        let mut ways = vec![Way::of(vec![Need::Word(self.sought(&word))], 1.0)];
        if apart {
            // «Терра Вита» stands as two.
            let needs = [first, second].map(|w| Need::Word(self.sought(w)));
            ways.push(Way { adjacent: true, ..Way::of(needs.to_vec(), 1.0) });
        }
        Some(Want::word(&text, ways))
    }

    /// «ж/ц», «жц» → words that begin so; «п/ш» → a word that begins and goes on so.
    pub(super) fn initials(&mut self, word: &Word) -> Vec<Way> {
        if word.dotted && !word.text.contains('/') || threads::is_side(&word.text) {
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
                || !letters.iter().all(|c| is_cyrillic(*c))
            {
                return Vec::new();
            }
            letters.iter().map(char::to_string).collect()
        };
        if parts.iter().any(String::is_empty) || parts.len() < 2 {
            return Vec::new();
        }
        let mut ways = Vec::new();
        let long = parts.len() == 2 && parts[1].chars().count() >= 3;
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
                let sought = Rc::new(self.place(meanings, &text));
                ways.push(Way::of(vec![Need::Word(sought)], 0.97));
            }
        }
        // «Ц/выт» is «центральная вытяжка», «п/накл» is «полунакладная» and no «петля накладная».
        if ways.is_empty() || !long {
            let begun = |part: &String| {
                let words = self.index.vocabulary.beginning(part).map(|id| (id, 0.9));
                let mut meanings = Meanings { words: words.collect(), ..Meanings::default() };
                meanings.words.sort_unstable_by_key(|w| w.0);
                let text = Word { text: word.text.repeat(2), ..Word::default() };
                Need::Word(Rc::new(self.place(meanings, &text)))
            };
            let needs = parts.iter().map(begun).collect();
            let adjacent = parts.len() == 2;
            ways.push(Way { adjacent, ..Way::of(needs, if long { 0.95 } else { 0.97 }) });
        }
        ways
    }

    /// «двухслойный» → 2 and «слойный», as titles may write «2-сл.»; «двойная» → any two that they
    /// count, «2-м», «2п».
    pub(super) fn counted(&mut self, word: &Word) -> Vec<Way> {
        // «Двунитка» that titles begin with is no «2-х нитка»; «двухклавишный» may be «2-кл.».
        let vocabulary = &self.index.vocabulary;
        let heads = vocabulary.row(&stem(&word.text)).is_some_and(|w| vocabulary.get(w).head);
        if heads && !super::super::line::is_adjective(&word.text) {
            return Vec::new();
        }
        let text = cyrillic(&word.text);
        let size = |number: Number| Need::Size(Size { numbers: vec![number], ..Size::default() });
        if let Some(count) = adjectives::parts(&text) {
            let value = count * 1000;
            let number = Number { value, marker: COUNTED, ..Number::default() };
            let mut ways = Vec::new();
            if self.products_with(number, Stretch::No) > 0 {
                ways.push(Way { free: true, ..Way::of(vec![size(number)], 0.98) });
            }
            let letter = Word { text: "p".to_owned(), after_number: true, ..Word::default() };
            let places = self.sought(&letter);
            if places.meanings.sure {
                let number = Number { value, ..Number::default() };
                ways.push(Way::of(vec![Need::Word(places), size(number)], 0.94));
            }
            return ways;
        }
        let Some((count, rest)) = adjectives::counted(&text) else { return Vec::new() };
        let number = Number { value: count * 1000, ..Number::default() };
        if self.products_with(number, Stretch::No) == 0 {
            return Vec::new();
        }
        let rest = Word { text: rest.to_owned(), dotted: word.dotted, ..Word::default() };
        let sought = self.sought(&rest);
        if !sought.meanings.sure {
            return Vec::new();
        }
        vec![Way::of(vec![Need::Word(sought), size(number)], 0.97)]
    }

    /// «термолента» → «термо» and «лента», as other titles write it apart.
    pub(super) fn parted(&mut self, word: &Word) -> Option<Way> {
        const LEAST: usize = 4;
        let vocabulary = &self.index.vocabulary;
        let tail = stem(&word.text);
        let long = |part: &str| part.chars().count() >= LEAST;
        let (left, right) = word.text.char_indices().find_map(|(at, _)| {
            let (left, right) = word.text.split_at(at);
            let rest = tail.get(at..).filter(|rest| long(rest))?;
            let both = long(left) && vocabulary.spells(left) && vocabulary.row(rest).is_some();
            both.then_some((left, right))
        })?;
        let needs = [left, right].map(|part| {
            let part = Word { text: part.to_owned(), ..Word::default() };
            Need::Word(self.sought(&part))
        });
        Some(Way::of(needs.to_vec(), 0.94))
    }

    /// «болтмебельный» → two words of the catalogue.
    pub(super) fn glued(&mut self, word: &Word) -> Option<Way> {
        // «Подереву»
        let led = ["по", "для", "под", "на"].iter().find_map(|led| {
            let rest = word.text.strip_prefix(led)?;
            (rest.chars().count() >= 5 && self.index.vocabulary.has(rest)).then_some(rest)
        });
        if let Some(rest) = led {
            let rest = Word { text: rest.to_owned(), ..Word::default() };
            return Some(Way::of(vec![Need::Word(self.sought(&rest))], 0.95));
        }
        if word.text.chars().count() < 7 {
            return None;
        }
        for (at, _) in word.text.char_indices().skip(3) {
            let (left, right) = word.text.split_at(at);
            if right.chars().count() < 3 {
                break;
            }
            let vocabulary = &self.index.vocabulary;
            let heard = |part: &str| part.chars().count() >= 4 && vocabulary.hears(part);
            if heard(left) && heard(right) && !vocabulary.has(left) && !vocabulary.has(right) {
                // «Грозбекерт» is «Groz Beckert».
                let needs = [left, right].map(|part| {
                    let part = Word { text: part.to_owned(), ..Word::default() };
                    Need::Word(self.sought(&part))
                });
                let way = Way { adjacent: true, ..Way::of(needs.to_vec(), 0.95) };
                return Some(way);
            }
            let whole = vocabulary.has(left);
            let begun = left.chars().count() >= 4 && vocabulary.beginning(left).next().is_some();
            if (whole || begun) && right.chars().count() >= 4 && vocabulary.has(right) {
                let needs = [(left, !whole), (right, false)].map(|(part, dotted)| {
                    let part = Word { text: part.to_owned(), dotted, ..Word::default() };
                    Need::Word(self.sought(&part))
                });
                return Some(Way::of(needs.to_vec(), 0.95));
            }
        }
        None
    }
}
