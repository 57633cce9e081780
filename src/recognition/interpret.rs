//! A piece of text that names one product → its reading: what is the quantity, what the product.

use super::decide::meant;
use super::index::Index;
use super::inherit::{Heir, inherit};
use super::lexer::Lexeme;
use super::quantity::{Reading, Said, readings};
use super::rank::{Hit, Need, Seeker, Stretch, Want, Way};
use super::speech;
use super::terms::{Measure, Size, Word};

/// A piece, read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    /// The quantity.
    pub(crate) reading: Reading,
    /// What the product must be.
    pub(crate) wants: Vec<Want>,
    /// Products that satisfy every want.
    pub(crate) fit: usize,
    /// Those of them that may be meant, best first.
    pub(crate) meant: Vec<Hit>,
    /// Why others of those that fit are not.
    pub(crate) left_out: Vec<&'static str>,
    /// How good the reading is.
    pub(crate) score: f32,
    /// A product named by its article.
    pub(crate) by_article: bool,
    /// Whether words had to be widened to slips to find anything.
    pub(crate) widened: bool,
    /// Whether numbers had to be read in other units.
    pub(crate) stretched: bool,
}

impl Draft {
    /// The one product that is meant, by its row.
    pub(crate) fn only(&self) -> Option<u32> {
        match self.meant.as_slice() {
            [hit] => Some(hit.row),
            _ => None,
        }
    }

    /// Whether it means one product, and the other draft the same one.
    pub(crate) fn means_the_same(&self, other: &Self) -> bool {
        self.only().is_some() && self.only() == other.only()
    }

    /// Whether exactly one product may be meant.
    pub(crate) fn is_certain(&self) -> bool {
        self.meant.len() == 1 && self.unknown() == 0
    }

    /// How many words the catalogue does not know.
    pub(crate) fn unknown(&self) -> usize {
        self.wants.iter().filter(|w| !w.known).count()
    }

    /// Whether the piece says anything of a product.
    pub(crate) fn says_something(&self) -> bool {
        !self.wants.is_empty()
    }
}

/// Lexemes that are an article, with its products.
pub(crate) struct Cited {
    from: usize,
    to: usize,
    rows: Vec<u32>,
}

impl Cited {
    /// The products.
    pub(crate) fn rows(&self) -> &[u32] {
        &self.rows
    }
}

/// Articles that a piece cites.
pub(crate) fn cited(index: &Index, text: &str, lexemes: &[Lexeme]) -> Vec<Cited> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < lexemes.len() {
        // A run of lexemes without blanks, as an article is written.
        let mut to = i + 1;
        while to < lexemes.len()
            && !lexemes[to].spaced
            && (lexemes[to].is_word()
                || lexemes[to].is_number()
                || "-/.".chars().any(|c| lexemes[to].is(c)))
        {
            to += 1;
        }
        while to > i + 1 && !(lexemes[to - 1].is_word() || lexemes[to - 1].is_number()) {
            to -= 1;
        }
        let found = article(index, text, lexemes, i, to)
            .or_else(|| parted_article(index, text, lexemes, i));
        if let Some((end, rows)) = found {
            out.push(Cited { from: i, to: end, rows });
            i = end;
        } else {
            i = to.max(i + 1);
        }
    }
    out
}

/// Whether the word says that an article follows.
pub(crate) fn names_article(word: &str) -> bool {
    const WORDS: &[&str] = &["арт", "art", "код", "кода", "коду", "кодом", "kod"];
    WORDS.contains(&word) || word.starts_with("артикул") || word.starts_with("номенклатур")
}

/// A number of so many digits is an article, though the catalogue has none such.
const LONG: usize = 8;

/// So many articles of one shape make it the catalogue's.
const ALIKE: u32 = 5;

/// «ЦБ 020065», «00 00045612»: an article of which the hyphen was left out.
fn parted_article(
    index: &Index,
    text: &str,
    lexemes: &[Lexeme],
    at: usize,
) -> Option<(usize, Vec<u32>)> {
    let (first, second) = (&lexemes[at], lexemes.get(at + 1)?);
    let raw = |l: &Lexeme| text.get(l.start..l.end);
    let (one, two) = (raw(first)?, raw(second)?);
    let begins = first.is_word() && one.chars().count() <= 3 || one == "00";
    if !begins || first.spoken || second.spoken || !second.is_number() || two.len() < 5 {
        return None;
    }
    let written =
        ["-", ""].map(|joint| index.articles.whole(&format!("{one}{joint}{two}")).to_vec());
    written.into_iter().find(|rows| !rows.is_empty()).map(|rows| (at + 2, rows))
}

fn article(
    index: &Index,
    text: &str,
    lexemes: &[Lexeme],
    from: usize,
    to: usize,
) -> Option<(usize, Vec<u32>)> {
    if lexemes[from].spoken {
        return None;
    }
    for end in (from + 1..=to).rev() {
        let raw = text.get(lexemes[from].start..lexemes[end - 1].end)?;
        let digits = raw.bytes().filter(u8::is_ascii_digit).count();
        // «YA-J-54»: an article as the catalogue has it, however short.
        if end == to
            && raw.contains('-')
            && raw.contains(|c: char| c.is_ascii_alphabetic())
            && (2..4).contains(&digits)
        {
            let rows = index.articles.whole(raw);
            if let [_] = rows {
                return Some((end, rows.to_vec()));
            }
        }
        if digits < 4 || raw.contains(['х', '*', '×', ',']) {
            continue;
        }
        let rows = index.articles.whole(raw);
        if !rows.is_empty() {
            return Some((end, rows.to_vec()));
        }
        let before = from.checked_sub(1).map_or("", |b| lexemes[b].text.as_str());
        let before = if before.is_empty() {
            from.checked_sub(2).map_or("", |b| lexemes[b].text.as_str())
        } else {
            before
        };
        let named = names_article(before);
        let shape = super::index::article_shape(raw);
        let marked = shape.contains(['-', '/']) && digits >= 5;
        if end == to
            && marked
            && !index.writes(raw)
            && (shape.contains('A') || raw.starts_with('0') && digits > 6 || digits >= 8)
            && index.shapes.iter().any(|(s, _)| {
                *s == shape
                    || shape.contains('A')
                        && s.contains('A')
                        && s.contains(['-', '/'])
                        && s.replace(['-', '/'], "") == shape.replace(['-', '/'], "")
            })
        {
            return Some((end, Vec::new()));
        }
        // «ATN000765» is as others are, and none of them.
        let glued = shape.is_ascii() && shape.contains('A') && digits >= 6;
        if end == to && glued && index.shapes.get(&shape).is_some_and(|count| *count >= ALIKE) {
            return Some((end, Vec::new()));
        }
        if digits >= 5 || (named && digits >= 4) {
            let rows = index.articles.fragment(raw);
            if !rows.is_empty() && rows.len() <= 20 {
                return Some((end, rows.to_vec()));
            }
        }
        // Nothing is so large, and nobody orders so much.
        let phone = digits == 11 && raw.starts_with(['7', '8']) || raw.starts_with('9');
        let requisite = matches!(before, "инн" | "кпп" | "огрн" | "бик" | "рс" | "кс" | "счет");
        if end == to && digits >= LONG && digits == raw.len() && !phone && !requisite {
            return Some((end, Vec::new()));
        }
    }
    None
}

/// What a piece is read in the light of.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what stands around a piece is told apart")]
pub(crate) struct Light<'c> {
    /// What the piece before wanted; empty where nothing may be inherited.
    pub(crate) context: &'c [Want],
    /// The piece only introduces others: it has no quantity.
    pub(crate) header: bool,
    /// A number alone is rather another number than one more.
    pub(crate) instead: bool,
    /// So many lexemes are a title, copied whole.
    pub(crate) titled: usize,
    /// The item before in the list ends with its quantity, and so does this one.
    pub(crate) counted: bool,
    /// The quantity, with its unit, comes after the comma.
    pub(crate) followed: bool,
    /// The lines of the list begin with their quantities.
    pub(crate) led: bool,
    /// Words and numbers are only what they say: no slips, no other units.
    pub(crate) plainly: bool,
}

/// «Труба REHAU 20х2,9 100 м» of a title that ends with «(100м)», where it is sold by the metre: so many
/// are ordered, though all that was said is the title.
fn ends_with_amount(index: &Index, lexemes: &[Lexeme], rows: &[u32]) -> bool {
    let number = lexemes.iter().rposition(Lexeme::is_number);
    let unit = number.and_then(|at| {
        let (unit, taken) = super::quantity::unit_at(lexemes, at + 1)?;
        (at + 1 + taken == lexemes.len() && !unit.counts()).then_some(unit)
    });
    let Some(unit) = unit else { return false };
    let sold = |row: &u32| index.entries[*row as usize].unit.as_ref();
    rows.iter().all(|row| sold(row).is_some_and(|own| unit.is(own)))
}

/// The readings of a piece that what stands around it and the catalogue leave possible.
fn possible(
    seeker: &Seeker<'_>,
    lexemes: &[Lexeme],
    cited: &[Cited],
    light: Light<'_>,
) -> Vec<Reading> {
    let telling = |l: &Lexeme| {
        l.is_word()
            && seeker
                .index
                .vocabulary
                .row(&super::normalize::stem(&l.text))
                .is_some_and(|w| seeker.index.vocabulary.get(w).telling)
    };
    let mut ways = readings(lexemes, &telling);
    let claimed = |i: usize| cited.iter().any(|c| (c.from..c.to).contains(&i));
    ways.retain(|r| !r.spoken_for.iter().any(|i| claimed(*i)));
    // «Два флитгард» are two of a make, «96 хром» is chrome: neither counts anything.
    let known = |at: usize| {
        let word = Word { text: lexemes[at].text.clone(), ..Word::default() };
        let vocabulary = &seeker.index.vocabulary;
        let meanings = vocabulary.meanings(&word);
        meanings.sure || meanings.words.iter().any(|(word, _)| vocabulary.get(*word).name)
    };
    ways.retain(|r| r.counted_by.is_none_or(|at| !known(at)));
    // What stands in the column of the quantity is the quantity.
    if let Some(tab) = lexemes.iter().rposition(|l| l.is('\t'))
        && ways.iter().any(|r| r.spoken_for.iter().any(|i| *i > tab))
    {
        ways.retain(|r| r.spoken_for.iter().any(|i| *i > tab) && r.left.is_none());
    }
    if light.header {
        ways.retain(|r| r.quantity.is_none() || r.each);
    }
    if light.followed {
        // «столешница Дуб 38, 1 шт»
        let counts = |r: &Reading| r.unit.as_ref().is_some_and(Said::counts);
        ways.retain(|r| r.quantity.is_none() || counts(r));
        for way in ways.iter_mut().filter(|r| r.quantity.is_some()) {
            way.prior -= 1.0;
        }
    }
    if light.led {
        for way in ways.iter_mut().filter(|r| !r.spoken_for.contains(&0)) {
            way.prior -= 1.0;
        }
    }
    if light.titled > 0 {
        // The number of the title is no part of «двадцать пять штук».
        ways.retain(|r| r.left.is_none());
    }
    if light.counted {
        quantities_last(lexemes, &mut ways);
    }
    ways
}

/// Reads a piece in every way and keeps the best.
pub(crate) fn read(
    seeker: &mut Seeker<'_>,
    text: &str,
    lexemes: &[Lexeme],
    light: Light<'_>,
) -> (Draft, Heir) {
    let begun = seeker.index.titles.begun(&lexemes[..light.titled]);
    let cited = match begun.filter(|(_, rows)| !ends_with_amount(seeker.index, lexemes, rows)) {
        Some((to, rows)) => vec![Cited { from: 0, to, rows }],
        None => cited(seeker.index, text, lexemes),
    };
    // «00-00029987 × 3»: nothing crosses an article.
    let mut mended: Vec<Lexeme>;
    let mut lexemes = lexemes;
    if let Some(after) = cited
        .iter()
        .map(|c| c.to)
        .find(|to| lexemes.get(*to).is_some_and(|l| l.is('x') && l.spaced))
    {
        mended = lexemes.to_vec();
        mended[after].kind = super::lexer::Kind::Mark('-');
        lexemes = &mended;
    }
    let ways = possible(seeker, lexemes, &cited, light);
    let mut plain: Vec<(Draft, Heir)> = Vec::with_capacity(ways.len());
    for reading in ways {
        let mut draft = wanted(seeker, lexemes, reading, &cited);
        settle(seeker, &mut draft, Stretch::No);
        if !light.context.is_empty() && draft.says_something() && !draft.by_article {
            draft.score -= 0.8;
            if let Some((mut heir, how)) = inherit(seeker, light.context, &draft, light.instead) {
                heir.score += 0.5;
                plain.push((heir, how));
            }
        }
        plain.push((draft, Heir::None));
    }
    if !light.plainly && !plain.iter().any(|d| d.0.is_certain()) {
        for (draft, _) in &mut plain {
            if draft.says_something() && draft.fit == 0 && draft.wants.iter().any(|w| w.numeric) {
                settle(seeker, draft, Stretch::Units);
                draft.stretched = draft.fit > 0;
                draft.score -= 0.2;
            }
        }
    }
    let found = |plain: &[(Draft, Heir)]| plain.iter().any(|d| d.0.fit > 0);
    if !light.plainly && !found(&plain) {
        plain.extend(uncounted(seeker, &plain));
    }
    if !light.plainly && !found(&plain) {
        plain.extend(widened(seeker, &plain));
    }
    if !light.plainly && plain.iter().all(|d| d.0.fit == 0 || d.0.unknown() > 0) {
        plain.extend(slipped(seeker, &plain));
    }
    if !light.plainly && !found(&plain) {
        plain.extend(unstrayed(seeker, &plain));
    }
    if !light.plainly && !found(&plain) {
        plain.extend(crossed(seeker, &plain));
    }
    numbered(seeker, lexemes, &mut plain);
    let (mut draft, heir) = plain
        .into_iter()
        .max_by(|a, b| a.0.score.total_cmp(&b.0.score))
        .unwrap_or((Draft::default(), Heir::None));
    if light.titled == 0 && !light.header && !light.followed {
        counts_itself(seeker, lexemes, &mut draft);
    }
    (draft, heir)
}

/// «Молния тип 5 серая рулон» of a «молния рулонная»: the word is of the thing, and one is meant.
fn counts_itself(seeker: &Seeker<'_>, lexemes: &[Lexeme], draft: &mut Draft) {
    let Some(last) = lexemes.iter().rposition(Lexeme::is_word) else { return };
    let free = draft.reading.quantity.is_none() && draft.only().is_some() && !draft.by_article;
    let ends = lexemes[last + 1..].iter().all(|l| !l.is_number());
    if !free || !ends || !super::quantity::is_lone_unit(&lexemes[last].text) {
        return;
    }
    let own = draft.only().and_then(|row| seeker.index.entries[row as usize].unit.as_ref());
    let Some((unit, _)) = super::quantity::unit_at(lexemes, last) else { return };
    if own.is_some_and(|own| unit.is(own)) {
        draft.reading.quantity = Some(crate::domain::Quantity::whole(1));
        draft.reading.unit = Some(unit);
        draft.reading.spoken_for = vec![last];
    }
}

/// «Боннель 190 120»: two numbers that follow one another are a size, in whatever units its title is.
fn crossed(seeker: &Seeker<'_>, plain: &[(Draft, Heir)]) -> Vec<(Draft, Heir)> {
    let bare = |want: &Want| {
        let number = want.numbers().next().filter(|_| want.numeric && !want.inherited)?;
        (number.marker == 0 && number.measure == Measure::None).then_some(number)
    };
    let own = plain.iter().map(|d| &d.0).filter(|d| !d.widened && !d.by_article);
    let drafts = own.filter_map(|draft| {
        let pair = |at: &usize| bare(&draft.wants[*at]).zip(bare(draft.wants.get(at + 1)?));
        let at = (0..draft.wants.len()).find(|at| pair(at).is_some())?;
        let (one, two) = pair(&at)?;
        let size = Size { numbers: vec![one, two], ..Size::default() };
        let mut wants = draft.wants.clone();
        wants.splice(at..at + 2, [seeker.size_want(&size)]);
        let mut crossed = Draft { wants, ..draft.clone() };
        settle(seeker, &mut crossed, Stretch::Units);
        crossed.stretched = true;
        crossed.score -= 0.3;
        (crossed.fit > 0).then_some((crossed, Heir::None))
    });
    drafts.collect()
}

/// «Степлер 140»: of two readings of one product the one in which its own number is no quantity is
/// meant, unless a unit was said.
fn numbered(seeker: &Seeker<'_>, lexemes: &[Lexeme], plain: &mut [(Draft, Heir)]) {
    let only = |d: &Draft| d.only().filter(|_| d.unknown() == 0);
    let free = plain.iter().any(|(d, _)| d.reading.quantity.is_none() && d.fit > 0);
    let named: Vec<u32> = plain
        .iter()
        .filter(|(d, _)| d.reading.quantity.is_none())
        .filter_map(|(d, _)| only(d))
        .collect();
    // «DIN 933» is one name.
    let tied: Vec<String> = plain
        .iter()
        .filter(|(d, _)| d.reading.quantity.is_none() && d.fit > 0)
        .flat_map(|(d, _)| d.wants.iter().filter(|w| !w.numeric && w.text.contains(' ')))
        .map(|w| w.text.clone())
        .collect();
    let is_tied = |at: &usize| {
        let before =
            at.checked_sub(1).map(|b| format!("{} {}", lexemes[b].text, lexemes[*at].text));
        before.is_some_and(|pair| tied.contains(&pair))
    };
    for (draft, _) in plain.iter_mut() {
        let bare = draft.reading.quantity.filter(|_| draft.reading.unit.is_none());
        // «Растворитель 646»: all of them are called so.
        let called = |said: crate::domain::Quantity| {
            let all = |h: &Hit| seeker.is_numbered(h.row, said.thousandths());
            draft.meant.len() > 1 && draft.meant.iter().all(all)
        };
        if free && bare.is_some_and(called) {
            draft.score -= 1.0;
            continue;
        }
        if bare.is_some() && draft.reading.spoken_for.iter().any(is_tied) {
            draft.score -= 1.0;
            continue;
        }
        let Some(row) = only(draft).filter(|row| named.contains(row)) else { continue };
        let named = |at: &usize| is_tied_to_word(lexemes, *at);
        if bare.is_some_and(|said| seeker.is_numbered(row, said.thousandths()))
            || bare.is_some() && draft.reading.spoken_for.iter().any(named)
        {
            draft.score -= 1.0;
        }
        // «Труба 20х2,9 100 м» of a «… (100м)» that is sold by the metre.
        let own = seeker.index.entries[row as usize].unit.as_ref();
        let measured = draft.reading.unit.as_ref().filter(|said| !said.counts());
        if measured.is_some_and(|said| own.is_some_and(|own| said.is(own))) {
            draft.score += 1.0;
        }
    }
}

/// «DT-832»: whether a number is a word's, over a hyphen.
fn is_tied_to_word(lexemes: &[Lexeme], at: usize) -> bool {
    match &lexemes[..=at] {
        [.., word, hyphen, number] => {
            word.is_word() && hyphen.is('-') && !hyphen.spaced && !number.spaced
        }
        _ => false,
    }
}

/// The wants without what titles leave out: words that say what a number counts, and the standard by
/// which a thing is made, «ГОСТ 30245-2003».
fn bare(wants: &[Want]) -> Vec<Want> {
    let mut out = Vec::with_capacity(wants.len());
    let mut at = 0;
    while at < wants.len() {
        let figures = wants[at + 1..].iter().take(2).take_while(|w| w.numeric).count();
        if matches!(wants[at].text.as_str(), "гост" | "ту" | "сто") && figures > 0 {
            at += 1 + figures;
            continue;
        }
        // «Вентиль 20 хром» is of no twenty.
        if !wants[at].counted || super::decide::is_colour(&wants[at].key) {
            out.push(wants[at].clone());
        }
        at += 1;
    }
    out
}

/// «NYM 5 жил сечение 4» is «NYM 5х4»: titles do not say what they count.
fn uncounted(seeker: &Seeker<'_>, plain: &[(Draft, Heir)]) -> Vec<(Draft, Heir)> {
    let drafts = plain.iter().map(|d| &d.0);
    let loose = drafts.map(|draft| (draft, bare(&draft.wants)));
    let loose = loose.filter(|(draft, wants)| wants.len() < draft.wants.len() && wants.len() > 2);
    let loose = loose.map(|(draft, wants)| {
        let mut loose = Draft { wants, ..draft.clone() };
        settle(seeker, &mut loose, Stretch::No);
        loose.widened = true;
        loose.score -= 0.3;
        loose
    });
    loose.filter(|d| d.fit > 0).map(|d| (d, Heir::None)).collect()
}

/// The drafts with words that the catalogue has read as slips of others as well.
fn widened(seeker: &mut Seeker<'_>, plain: &[(Draft, Heir)]) -> Vec<(Draft, Heir)> {
    let wide = plain.iter().map(|d| &d.0).filter(|d| d.says_something()).map(|draft| {
        let mut wide = draft.clone();
        wide.wants = seeker.widen(&draft.wants);
        settle(seeker, &mut wide, Stretch::Units);
        wide.widened = true;
        wide.score -= 0.1;
        wide
    });
    wide.filter(|d| d.fit > 0).map(|d| (d, Heir::None)).collect()
}

/// The drafts with one word read in the light of the others, see [`Seeker::in_place`].
fn slipped(seeker: &mut Seeker<'_>, plain: &[(Draft, Heir)]) -> Vec<(Draft, Heir)> {
    let own = plain.iter().map(|d| &d.0).filter(|d| !d.widened && !d.by_article);
    let places = own.flat_map(|draft| (0..draft.wants.len()).map(move |at| (draft, at)));
    let slips = places.filter_map(|(draft, at)| {
        let wants = seeker.in_place(&draft.wants, at)?;
        let mut slip = Draft { wants, widened: true, ..draft.clone() };
        settle(seeker, &mut slip, Stretch::No);
        slip.score -= 0.1;
        (slip.fit > 0).then_some((slip, Heir::None))
    });
    slips.collect()
}

/// Beside words that are none of its goods' this much must be said.
const ENOUGH: usize = 3;

/// The drafts without words that are said of other goods only: what a number is of, «цоколь Е40»,
/// «длина ножки 2 см», and one more, a «плёнка стрейч» that is «прозрачная». What no title of a
/// category says tells none of it apart.
fn unstrayed(seeker: &Seeker<'_>, plain: &[(Draft, Heir)]) -> Vec<(Draft, Heir)> {
    let own = plain.iter().map(|d| &d.0).filter(|d| !d.widened && !d.by_article);
    let Some(draft) = own.max_by(|a, b| a.score.total_cmp(&b.score)) else { return Vec::new() };
    let wants = &draft.wants;
    let first = wants.iter().position(|w| !w.numeric);
    let told = wants.iter().filter(|w| !w.is_pack()).count();
    let titled = |key: &str| seeker.index.vocabulary.row(key).is_some();
    let may_stray = |at: usize| {
        let want = &wants[at];
        !want.numeric && !want.without && !want.inherited && Some(at) != first
    };
    let names_number = |at: usize| {
        may_stray(at)
            && wants[at].text.chars().count() > 2
            && !super::line::is_adjective(&wants[at].text)
            && wants.get(at + 1).is_some_and(|next| {
                let parameter = speech::names_parameter(&wants[at].key);
                if next.numeric { !next.is_pack() } else { parameter && !next.without }
            })
    };
    let named: Vec<usize> = (0..wants.len()).filter(|at| names_number(*at)).collect();
    let strays = (0..wants.len()).filter(|at| {
        let want = &wants[*at];
        may_stray(*at)
            && want.known
            && want.text.chars().count() > 3
            // A «рис лиловый» is no other rice, though «лиловый» is «фиолетовый».
            && (goes_without_saying(&want.key)
                || super::decide::is_ordinary(&want.key)
                || !super::decide::is_colour(&want.key) && titled(&want.key))
    });
    let mut sets: Vec<Vec<usize>> = vec![named.clone()];
    for stray in strays {
        sets.push(vec![stray]);
        if !named.is_empty() && !named.contains(&stray) {
            sets.push(named.iter().copied().chain([stray]).collect());
        }
    }
    let rest = sets.into_iter().filter_map(|out| {
        if out.is_empty() || told < out.len() + ENOUGH {
            return None;
        }
        let kept = (0..wants.len()).filter(|at| !out.contains(at)).map(|at| wants[at].clone());
        let mut rest = Draft { wants: kept.collect(), widened: true, ..draft.clone() };
        if rest.unknown() > 0 {
            return None;
        }
        settle(seeker, &mut rest, Stretch::No);
        rest.score -= 0.3;
        let [hit] = rest.meant.as_slice() else { return None };
        let head = rest.wants.iter().find(|w| w.known && seeker.is_headed(hit.row, w))?;
        let its = !seeker.is_more_than_said(hit.row, &rest.wants)
            && !out.iter().any(|at| seeker.is_said_of_kind(hit.row, head, &wants[*at]));
        its.then_some((rest, Heir::None))
    });
    rest.collect()
}

/// Whether a stem says that there is no colour.
fn goes_without_saying(stem: &str) -> bool {
    stem.starts_with("прозрачн") || stem.starts_with("бесцветн")
}

/// «Ручка синяя 20, чёрная 10»: where the items of a list end with their quantities, a number at the
/// end is rather one than an attribute.
fn quantities_last(lexemes: &[Lexeme], ways: &mut [Reading]) {
    let told = |l: &Lexeme| l.is_number() || l.is_word() && !super::speech::is_filler(&l.text);
    let Some(last) = lexemes.iter().rposition(told) else { return };
    let ends = |r: &Reading| {
        r.quantity.is_some_and(|q| q.thousandths() % 1000 == 0)
            && r.spoken_for.contains(&last)
            && (0..last).any(|i| told(&lexemes[i]) && !r.spoken_for.contains(&i))
    };
    if ways.iter().any(ends) {
        for way in ways.iter_mut().filter(|r| !ends(r)) {
            way.prior -= 1.0;
        }
    }
}

/// A piece that is nothing but a quantity with its unit: «3 рулона», «по 2 шт».
pub(crate) fn only_quantity(lexemes: &[Lexeme]) -> Option<Reading> {
    let all = readings(lexemes, &|_| false);
    all.into_iter().filter(|r| r.quantity.is_some()).find(|r| {
        (0..lexemes.len()).filter(|i| !r.spoken_for.contains(i)).all(|i| {
            let lexeme = &lexemes[i];
            !lexeme.is_number()
                && (!lexeme.is_word()
                    || super::speech::is_filler(&lexeme.text)
                    || super::speech::is_correction(&lexeme.text)
                    || super::terms::is_little(&lexeme.text))
        })
    })
}

/// What a reading wants of the product.
fn wanted(seeker: &mut Seeker<'_>, lexemes: &[Lexeme], reading: Reading, cited: &[Cited]) -> Draft {
    let mut skip = reading.spoken_for.clone();
    skip.extend(cited.iter().flat_map(|c| c.from..c.to));
    let mut reading = reading;
    let mut wants = match reading.left {
        Some((at, value)) => {
            let mut patched = lexemes.to_vec();
            patched[at].value = value;
            patched[at].text = (value / 1000).to_string();
            seeker.wants(&patched, &skip)
        }
        None => seeker.wants(lexemes, &skip),
    };
    let packed = |w: &Want| {
        w.ways.iter().flat_map(|w| &w.needs).any(|n| matches!(n, Need::Pack { must: false, .. }))
    };
    if reading.quantity.is_none() && wants.iter().any(packed) {
        // «800 шт» and nothing else is rather how many are wanted.
        reading.prior -= 0.8;
    }
    for article in cited {
        let text: String = spelt(&lexemes[article.from..article.to]);
        let way = |row: &u32| Way::of(vec![Need::Product(*row)], 1.0);
        wants.push(Want::number(text, article.rows.iter().map(way).collect()));
    }
    Draft { reading, wants, by_article: !cited.is_empty(), ..Draft::default() }
}

/// Lexemes as they were written, with one blank for all.
fn spelt(lexemes: &[Lexeme]) -> String {
    let mut text = String::new();
    for lexeme in lexemes {
        if lexeme.spaced && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(if lexeme.is('x') { "×" } else { &lexeme.text });
    }
    text
}

/// Finds the products of a draft and scores it.
pub(crate) fn settle(seeker: &Seeker<'_>, draft: &mut Draft, stretch: Stretch) {
    let index = seeker.index;
    let nowhere = draft.wants.iter().any(|w| w.numeric && !w.known);
    let hits = if nowhere { Vec::new() } else { seeker.hits(&draft.wants, stretch) };
    draft.fit = if nowhere { 0 } else { seeker.fitting() };
    let decided = meant(seeker, &hits, &draft.wants);
    (draft.meant, draft.left_out) = (decided.hits, decided.left_out);
    let unknown = u8::try_from(draft.unknown()).unwrap_or(u8::MAX);
    let known = draft.wants.len() - draft.unknown();
    let words = draft.wants.iter().any(|w| w.known && !w.numeric);
    let mut score = match draft.meant.len() {
        _ if draft.wants.is_empty() => -0.5,
        0 if known == 0 => 0.2,
        0 => 0.4,
        _ if unknown > 0 && !words => 0.3,
        1 => 3.0,
        2..=12 => 2.4,
        _ => 2.1,
    };
    score -= 0.5 * f32::from(unknown.min(4));
    if let Some(best) = draft.meant.first() {
        score -= (1.0 - best.quality) * 1.5;
        // «Миндаль 2 кг 7 шт» is seven of two kilograms: no almonds come in packs of seven.
        if draft.reading.quantity.is_some() && !seeker.is_packed_as_said(best.row, &draft.wants) {
            score -= 2.5;
        }
        let own = index.entries[best.row as usize].unit.as_ref();
        // «Саморезы 4 т» are no four tonnes.
        let weighed = own.is_some_and(|own| matches!(own.as_str(), "т" | "кг" | "г"));
        // «Спанбонд 60 гр» is no sixty grams of what is sold by the roll.
        if draft.reading.unit.as_ref().and_then(Said::short) == Some("г") && !weighed {
            score -= 1.5;
        }
        if draft.reading.unit.as_ref().is_some_and(Said::is_tonne) && !weighed {
            score -= 3.0;
        }
        // «ВН-32 3п 63А 1» is one of three poles, no three packs.
        let letter = draft.reading.unit.as_ref().and_then(Said::letter);
        if draft.reading.glued
            && letter.is_some_and(|l| !own.is_some_and(|own| own.as_str().starts_with(l)))
        {
            score -= 0.8;
        }
        // «Ящик ЯТП 0,25» is no quarter of one, «лампа 15 Вт 6500» no six thousand of them.
        if let (Some(quantity), None) = (draft.reading.quantity, &draft.reading.unit)
            && seeker.says_as_attribute(best.row, quantity.thousandths())
        {
            score -= 1.0;
        }
        if let Some(unit) = &draft.reading.unit
            && own.is_some_and(|o| unit.resolve(own) == *o)
        {
            score += if unit.counts() { 0.1 } else { 0.8 };
        } else if let Some(unit) =
            draft.reading.unit.as_ref().filter(|u| draft.reading.glued || is_filling(u))
            && seeker.is_measured_in(best.row, unit)
        {
            // «Кетчуп 700г» is not seven hundred grams of a bottle of 500.
            score -= 3.5;
        } else if let Some(unit) = draft.reading.unit.as_ref().filter(|u| !u.counts())
            && unit.short() == Some("кг")
            && seeker.is_measured_in(best.row, unit)
        {
            // «Тосол 10 кг 3» is rather three of ten kilograms.
            score -= 1.0;
        }
    }
    // «синтепон двести три рулона»: there is one of two hundred.
    if draft.reading.left.is_some() && draft.fit > 0 {
        score += 0.3;
    }
    score += draft.reading.prior;
    draft.score = score;
}

/// Whether a unit says how much is in a thing, so that nobody counts things in it: «бойлер 80 литров».
pub(crate) fn is_filling(unit: &Said) -> bool {
    matches!(unit.short(), Some("л" | "г"))
}

/// Whether the words ask for defective or retired goods.
pub(crate) fn asks_for_junk(wants: &[Want]) -> bool {
    wants.iter().any(|w| w.text.split(' ').any(names_junk))
}

/// Whether a word asks for defective goods.
pub(crate) fn names_junk(word: &str) -> bool {
    const ASKS: &[&str] = &["уцен", "брак", "некондиц", "дефектн"];
    ASKS.iter().any(|a| word.starts_with(a)) && word != "браком"
}
