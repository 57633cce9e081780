//! A line's words and numbers → what it wants of the product.

use std::rc::Rc;

use super::super::index::is_aim;
use super::super::lexer::Lexeme;
use super::super::normalize::stem;
use super::super::speech;
use super::super::terms::{
    BARE, BORE, BORED, COUNTED, Measure, Number, Size, Term, Word, packings, terms,
};
use super::super::vocabulary::{Meanings, best_of_each, cyrillic};
use super::{Need, Seeker, Sought, Stretch, Want, Way};

impl Seeker<'_> {
    /// Lexemes → wants. `skip`: those that say the quantity.
    pub(crate) fn wants(&mut self, lexemes: &[Lexeme], skip: &[usize]) -> Vec<Want> {
        let found = terms(lexemes, |i| skip.contains(&i));
        let packs = packings(lexemes);
        let mut wants: Vec<Want> = Vec::with_capacity(found.len());
        let mut at = 0;
        while at < found.len() {
            let (want, used) = self.want_at(lexemes, &found, &packs, at);
            if let Some(mut want) = want {
                let before = found[at].range().start.checked_sub(1).map(|b| &lexemes[b].text);
                self.initial_after(before, &mut want);
                // «Губка для белой доски» names no board.
                let adjective = wants
                    .last()
                    .is_some_and(|w| w.aimed && super::super::line::is_adjective(&w.text));
                want.aimed = adjective || before.is_some_and(|b| is_aim(b));
                wants.push(want);
            }
            at += used;
        }
        // «2 санузла» by themselves are no pair of anything.
        if !wants.iter().any(|w| w.known && !w.numeric && !only_counts(w)) {
            for want in wants.iter_mut().filter(|w| only_counts(w)) {
                want.ways.clear();
                want.known = false;
            }
        }
        let plain = |(at, l): (usize, &Lexeme)| {
            !skip.contains(&at) && l.is_word() && speech::is_plain(&l.text)
        };
        if !wants.is_empty() && lexemes.iter().enumerate().any(plain) {
            let want = Want::word("обычный", Vec::new());
            wants.push(Want { plain: true, known: true, ..want });
        }
        wants
    }

    /// «С зондом» is «с/з» in titles, and what is «с/з» is not «без зонда».
    fn initial_after(&self, before: Option<&String>, want: &mut Want) {
        let vocabulary = &self.index.vocabulary;
        let first: String = want.text.chars().take(1).collect();
        let cut = |letter: &str| {
            let row = vocabulary.row(&format!("{letter}{first}"))?;
            (*vocabulary.get(row).surface == *format!("{letter}/{first}")).then_some(row)
        };
        let after = before.is_some_and(|b| matches!(b.as_str(), "с" | "со"));
        if want.numeric || !(after || want.without) {
            return;
        }
        let with = cut("с").map(|row| (row, 1.0));
        let word = Word { text: want.text.clone(), ..Word::default() };
        if want.without {
            let Some(Need::Word(sought)) = want.ways.first().and_then(|w| w.needs.first()) else {
                return;
            };
            let words: Vec<(u32, f32)> =
                sought.meanings.words.iter().copied().chain(with).collect();
            let without = sought.without.or_else(|| cut("б"));
            if words.len() > sought.meanings.words.len() || without != sought.without {
                let mut meanings = Meanings { words, sure: sought.meanings.sure };
                best_of_each(&mut meanings.words);
                let all = Sought { without, ..self.place(meanings, &word) };
                want.ways = vec![Way::of(vec![Need::Word(Rc::new(all))], 1.0)];
            }
        } else if let Some(with) = with {
            let cut = self.place(Meanings { words: vec![with], sure: true }, &word);
            want.ways.push(Way::of(vec![Need::Word(Rc::new(cut))], 0.95));
            want.known = true;
        }
    }

    /// The want that begins at a term, and how many terms say it.
    fn want_at(
        &mut self,
        lexemes: &[Lexeme],
        found: &[Term],
        packs: &[std::ops::Range<usize>],
        at: usize,
    ) -> (Option<Want>, usize) {
        let packed = |size: &Size| packs.iter().any(|p| p.contains(&size.from));
        let next = found.get(at + 1);
        let pair = self.abbreviation(&found[at], next).or_else(|| self.lettered(&found[at], next));
        if let Some(want) = pair {
            return (Some(want), 2);
        }
        let compound = self.compound(lexemes, found, at);
        let synonym = self.synonym(lexemes, found, at);
        let together = match (compound, synonym) {
            (Some((compound, half)), Some((mut synonym, all))) if all >= half => {
                if all == half {
                    synonym.ways.extend(compound.ways);
                }
                Some((synonym, all))
            }
            (compound, synonym) => compound.or(synonym),
        };
        let single = together.as_ref().is_none_or(|(_, used)| *used == 1);
        if together.is_none()
            && let Term::Word(word) = &found[at]
            && let Some((want, used)) = self.clipped(lexemes, word, next)
        {
            return (Some(want), used);
        }
        let (want, used) = match &found[at] {
            _ if together.is_some() => {
                together.map_or((None, 1), |(want, used)| (Some(want), used))
            }
            // How many are in a pack tells only packs apart.
            Term::Size(size)
                if packed(size)
                    || size.numbers.len() == 1 && size.numbers[0].measure == Measure::Piece =>
            {
                (Some(pack_want(size)), 1)
            }
            Term::Size(size) => (Some(self.size_want(size)), 1),
            Term::Word(word) => self.word_want(word, next),
        };
        let before = at.checked_sub(1).and_then(|at| found.get(at));
        let want = want.map(|mut want| {
            if let (Term::Word(word), Some(Term::Size(size))) = (&found[at], before)
                && single
            {
                want.counted = word.from == size.to
                    && matches!(size.numbers.as_slice(), [n]
                        if n.marker == 0 && n.measure == Measure::None)
                    && !super::super::threads::is_side(&word.text)
                    && !super::super::line::is_adjective(&word.text)
                    && !self.is_telling(&want)
                    && !self.is_head(&want)
                    && !word.code
                    && word.text.chars().count() > 2;
                let initial = self.counted_initial(size, word);
                want.ways.extend(self.counted_noun(lexemes, size, word, &want));
                want.ways.extend(initial);
                want.known |= !want.ways.is_empty();
            }
            want
        });
        (want, used)
    }

    pub(crate) fn size_want(&self, size: &Size) -> Want {
        let text = shown(size);
        let sure = super::postings::sure(size);
        let known = sure.iter().all(|n| self.products_with(*n, Stretch::Units) > 0);
        let mut ways = vec![Way::of(vec![Need::Size(size.clone())], 1.0)];
        let mut known = known;
        if let Some(other) = pipe_thread(size)
            && other.numbers.iter().all(|n| self.products_with(*n, Stretch::No) > 0)
        {
            known = true;
            ways.push(Way::of(vec![Need::Size(other)], 0.97));
        }
        let mut add = |need: Need, quality: f32| {
            ways.push(Way::of(vec![need], quality));
        };
        // «ПуГВ 1х6» is one wire of six.
        if let [one, section] = size.numbers.as_slice()
            && (one.value, one.measure, one.marker) == (1000, Measure::None, 0)
            && !size.slash
        {
            let bare = Number { marker: BARE, ..*section };
            add(Need::Size(Size { numbers: vec![bare], ..size.clone() }), 0.95);
        }
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
        Want { known, ..Want::number(text, ways) }
    }

    /// «C16» → 16 with this letter, or with none where titles leave it out.
    fn lettered(&mut self, term: &Term, next: Option<&Term>) -> Option<Want> {
        let (Term::Word(word), Some(Term::Size(size))) = (term, next) else { return None };
        let [number] = size.numbers.as_slice() else { return None };
        if !number.is_lettered() || word.text.chars().count() != 1 || size.from != word.to {
            return None;
        }
        let sought = self.sought(word);
        let bare = Number { marker: BARE, ..*number };
        let bare = Size { numbers: vec![bare], ..size.clone() };
        let mut ways = vec![Way::of(vec![Need::Size(bare)], 0.88)];
        if sought.meanings.sure {
            ways.insert(0, Way::of(vec![Need::Word(sought), Need::Size(size.clone())], 1.0));
        } else {
            ways.insert(0, Way::of(vec![Need::Size(size.clone())], 1.0));
        }
        let known = self.products_with(*number, Stretch::Units) > 0;
        Some(Want { known, ..Want::number(format!("{}{}", word.text, shown(size)), ways) })
    }

    /// «2 поста», «2-местная» → any two that titles count: «2-м», «двойная».
    fn counted_noun(
        &self,
        lexemes: &[Lexeme],
        size: &Size,
        word: &Word,
        want: &Want,
    ) -> Option<Way> {
        let [number] = size.numbers.as_slice() else { return None };
        let hyphen = word.from == size.to + 1 && lexemes[size.to].is('-');
        let small = (1000..=12_000).contains(&number.value) && number.measure == Measure::None;
        if !small
            || !(word.from == size.to || hyphen)
            || word.without
            || word.dotted && !hyphen && word.text.chars().count() < 3
        {
            return None;
        }
        // «2 белых» are no «двойная».
        if !hyphen && (super::super::line::is_adjective(&word.text) || self.is_telling(want)) {
            return None;
        }
        let number = Number { value: number.value, marker: COUNTED, ..Number::default() };
        if self.products_with(number, Stretch::No) == 0 {
            return None;
        }
        let size = Size { numbers: vec![number], ..Size::default() };
        Some(Way { free: true, ..Way::of(vec![Need::Size(size)], 0.95) })
    }

    /// «2 поста» of a «рамка 2п», «4 полюса» of «4P»: titles may cut what they count to its letter.
    fn counted_initial(&mut self, size: &Size, word: &Word) -> Option<Way> {
        let [number] = size.numbers.as_slice() else { return None };
        let bare = number.marker == 0 && number.measure == Measure::None;
        if word.from != size.to
            || !bare
            || !(1000..=12_000).contains(&number.value)
            || word.code
            || word.text.chars().count() < 4
            // «B» of a title is a curve of breaking or volts, not «выхода».
            || word.text.starts_with('в')
            || super::super::line::is_adjective(&word.text)
        {
            return None;
        }
        let letter: String = word.text.chars().take(1).collect();
        let text = super::super::terms::one_letter(&letter, true).unwrap_or(letter);
        let sought = self.sought(&Word { text, after_number: true, ..Word::default() });
        let needs = vec![Need::Word(sought.clone())];
        sought.meanings.sure.then(|| Way::of(needs, 0.94))
    }

    pub(super) fn word_want(&mut self, word: &Word, next: Option<&Term>) -> (Option<Want>, usize) {
        let talk = speech::is_filler(&word.text)
            || speech::is_cancel(&word.text)
            || speech::is_correction(&word.text)
            || word.text.len() > 2 && speech::is_filler(&cyrillic(&word.text));
        // «Не надо.» ends a sentence; «сил.» is cut.
        let cut = word.dotted && word.text.chars().count() < 4;
        if talk && !word.code && !cut {
            return (None, 1);
        }
        if crate::recognition::interpret::names_junk(&word.text) {
            let want = Want::word(&word.text, Vec::new());
            return (Some(Want { known: true, without: word.without, ..want }), 1);
        }
        // «Ток 25 А», «производитель IEK»
        let parameter =
            next.is_some() && !word.without && speech::names_parameter(&stem(&word.text));
        if parameter && !self.index.vocabulary.has(&word.text) {
            return (None, 1);
        }
        if let Some(Term::Word(second)) = next
            && let Some(want) = self.halves(word, second)
        {
            return (Some(want), 2);
        }
        let sought = self.sought(word);
        let unit = crate::recognition::quantity::known_unit(&word.text);
        // A unit by itself is of the quantity, or of any product.
        let opens = || {
            let row = self.index.vocabulary.row(&stem(&word.text));
            word.from == 0 && row.is_some_and(|row| self.index.vocabulary.get(row).head)
        };
        if unit.is_some() && !sought.meanings.sure
            || matches!(unit, Some("шт" | "уп" | "компл"))
                && !word.code
                && !word.after_number
                && !opens()
        {
            return (None, 1);
        }
        let mut ways = self.ways(word, &sought);
        // «Нигрол» that no title has is no slip of anything.
        if !sought.meanings.sure && self.index.lexicon.has(&word.text) {
            ways.clear();
        }
        // «Штоки длинные 34», «клей маленький 0,75»
        let idle = ways.is_empty() && speech::is_vague(&word.text);
        if idle || speech::is_first_name(&word.text) && !self.names_so(&word.text, &sought) {
            return (None, 1);
        }
        // «Отрежьте» is of no goods, and «подвезите» no «подвес».
        let infinitive = speech::is_infinitive(&word.text);
        if !sought.meanings.sure && (infinitive || speech::is_verb(&word.text)) {
            let heard = sought.meanings.words.iter().map(|w| w.1).fold(0.0_f32, f32::max);
            if ways.is_empty() || heard < if infinitive { 0.85 } else { 0.95 } {
                return (None, 1);
            }
        }
        // «ХДФ 3 мм, лист 2800х2070»
        if let Some(unit) = unit.filter(|u| u.chars().count() > 2) {
            ways.push(Way::of(vec![Need::Sold(unit)], 0.96));
        }
        // «Ботинки 40р»
        let glued = word.code || word.after_number;
        if glued && word.text.chars().count() == 1 && ways.is_empty() {
            return (None, 1);
        }
        let guessed = !sought.meanings.words.is_empty() && !sought.meanings.sure;
        let want = Want { without: word.without, guessed, ..Want::word(&word.text, ways) };
        (Some(want), 1)
    }

    /// Whether the catalogue has a word, or a name that sounds so: a «Марина» may be a cloth.
    fn names_so(&self, word: &str, sought: &Sought) -> bool {
        const HEARD: f32 = 0.95;
        let vocabulary = &self.index.vocabulary;
        let named = |(id, quality): &(u32, f32)| *quality >= HEARD && vocabulary.get(*id).name;
        vocabulary.has(word) || sought.meanings.words.iter().any(named)
    }

    /// Every way to satisfy a word, remembered during one message.
    fn ways(&mut self, word: &Word, sought: &Rc<Sought>) -> Vec<Way> {
        let key = (word.text.clone(), word.dotted, word.code);
        if let Some(found) = self.ways.get(&key) {
            return found.clone();
        }
        let mut ways = Vec::new();
        let known = !sought.meanings.words.is_empty();
        if known {
            ways.push(Way::of(vec![Need::Word(Rc::clone(sought))], 1.0));
            // «Термолента» is a «лента термо» as well.
            ways.extend(self.parted(word));
        }
        // «ПММ» that titles have is no other words' initials; «жц» may be.
        if word.text.chars().count() < 3 || self.index.vocabulary.row(&stem(&word.text)).is_none() {
            ways.extend(self.initials(word));
        }
        ways.extend(self.counted(word));
        if !known && let Some(letters) = super::super::normalize::spelt_out(&word.text) {
            // «вэпэпэ» is «впп» is «воздушно-пузырчатая плёнка».
            ways.extend(self.initials(&Word { text: letters, ..word.clone() }));
        }
        let best = sought.meanings.words.iter().map(|w| w.1).fold(0.0_f32, f32::max);
        if best < 0.95 && !word.dotted {
            ways.extend(self.glued(word));
        }
        if !sought.meanings.sure && !word.dotted {
            ways.extend(self.guessed_synonyms(sought));
        }
        if best < 0.9 {
            ways.extend(self.skeleton(word));
        }
        self.ways.insert(key, ways.clone());
        ways
    }

    /// Terms as one want that is satisfied by all of them.
    pub(super) fn literal(&mut self, found: &[Term]) -> (Want, usize) {
        let mut ways = vec![Way::of(Vec::new(), 1.0)];
        let (mut keys, mut texts) = (Vec::new(), Vec::new());
        let mut numeric = true;
        for term in found {
            let options = match term {
                Term::Word(word) => {
                    let sought = self.sought(word);
                    keys.push(stem(&word.text));
                    texts.push(word.text.clone());
                    numeric = false;
                    let alive = (sought.meanings.sure || found.len() > 1)
                        && !sought.meanings.words.is_empty();
                    if alive && found.len() == 1 && word.text.contains('/') {
                        self.ways(word, &sought)
                    } else {
                        let own = alive.then(|| Way::of(vec![Need::Word(sought)], 1.0));
                        // «Розетка двойная» is a «розетка 2-я» as well.
                        let mut options: Vec<Way> =
                            own.into_iter().chain(self.counted(word)).collect();
                        if found.len() > 1 && !options.is_empty() {
                            options.extend(self.synonyms_of(word));
                        }
                        options
                    }
                }
                Term::Size(size) => {
                    keys.push(shown(size));
                    texts.push(shown(size));
                    vec![Way::of(vec![Need::Size(size.clone())], 1.0)]
                }
            };
            let mut longer = Vec::with_capacity(ways.len() * options.len());
            for (way, option) in ways.iter().flat_map(|w| options.iter().map(move |o| (w, o))) {
                longer.push(Way {
                    needs: way.needs.iter().chain(&option.needs).cloned().collect(),
                    quality: way.quality * option.quality,
                    adjacent: way.adjacent || option.adjacent,
                    free: way.free || option.free,
                });
            }
            ways = longer;
        }
        let want = Want {
            text: texts.join(" "),
            key: keys.join(" "),
            numeric,
            without: matches!(found.first(), Some(Term::Word(w)) if w.without),
            known: !ways.is_empty(),
            ways,
            ..Want::default()
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
                    || super::super::threads::is_side(&want.text)
                    || want.text.contains(' ')
                    || !want.known && self.index.lexicon.has(&want.text)
                {
                    return want.clone();
                }
                let word = Word { text: want.text.clone(), ..Word::default() };
                let near = self.near(&word);
                if near.meanings.words.is_empty() {
                    return want.clone();
                }
                let mut wide = want.clone();
                wide.ways.push(Way::of(vec![Need::Word(near)], 0.95));
                wide.known = true;
                wide.guessed = true;
                wide
            })
            .collect()
    }
}

/// Whether a want is of nothing but how many parts a thing has: «2 поста».
fn only_counts(want: &Want) -> bool {
    let counts = |need: &Need| match need {
        Need::Size(size) => size.numbers.iter().all(|n| n.marker == COUNTED),
        _ => false,
    };
    want.known && !want.numeric && want.ways.iter().all(|way| way.needs.iter().all(counts))
}

/// «1000шт» beside another quantity: the pack of a thousand.
fn pack_want(size: &Size) -> Want {
    let text = format!("{} шт", shown(size));
    Want::number(
        text,
        vec![Way::of(vec![Need::Pack { value: size.numbers[0].value, must: false }], 1.0)],
    )
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
    const PAIRS: &[(i64, i64)] =
        &[(10, 375), (15, 500), (20, 750), (25, 1000), (32, 1250), (40, 1500), (50, 2000)];
    let [number] = size.numbers.as_slice() else { return None };
    let other = if matches!(number.marker, b'd' | BORE) {
        let (_, thread) = PAIRS.iter().find(|(bore, _)| *bore * 1000 == number.value)?;
        Number { value: *thread, measure: Measure::Inch, ..Number::default() }
    } else if number.measure == Measure::Inch {
        let (bore, _) = PAIRS.iter().find(|(_, thread)| *thread == number.value)?;
        Number { value: bore * 1000, marker: BORED, ..Number::default() }
    } else {
        return None;
    };
    Some(Size { numbers: vec![other], ..size.clone() })
}

/// A number in thousandths as people write it: «1.5».
pub(crate) fn decimal(thousandths: i64) -> String {
    crate::domain::Quantity::from_thousandths(thousandths).decimal()
}

/// A size as people write it: «4×25».
pub(crate) fn shown(size: &Size) -> String {
    let inches = |n: &Number| {
        (n.measure == Measure::Inch).then(|| super::super::threads::written(n.value)).flatten()
    };
    let numbers = size
        .numbers
        .iter()
        .map(|n| inches(n).unwrap_or_else(|| decimal(n.value).replace('.', ",")));
    numbers.collect::<Vec<_>>().join(if size.slash { "/" } else { "×" })
}
