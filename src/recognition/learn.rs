//! What titles teach: which full word a cut one stands for, which words tell products apart, and
//! which only name them in other words.
//!
//! Two titles of a category that differ in one word show that the word tells products apart: a
//! colour, a material, a finish. A word that stands in a good part of a category's titles and never
//! told two products apart is another name for the same thing («лента», «тесьма»), and a product of
//! the category may be ordered by it.

use super::decide::{colour_of, names_colour};
use super::index::{Draft, Figure};
use super::normalize::{FxMap, FxSet};
use super::terms::Measure;
use super::vocabulary::Vocabulary;

/// What was learnt.
pub(crate) struct Lessons {
    /// Categories by a word that names their products without telling them apart.
    pub(crate) aliases: FxMap<u32, Vec<u32>>,
    /// Other names that many titles of a category do without.
    pub(crate) optional: FxSet<(u32, u32)>,
    /// Other names by which titles of a category begin.
    pub(crate) called: FxSet<(u32, u32)>,
    /// Values that (nearly) every product of a category has.
    pub(crate) constants: FxSet<(u32, u32, u8)>,
}

/// Reads all titles; replaces cut words by full ones in the drafts.
pub(crate) fn learn(
    vocabulary: &mut Vocabulary,
    drafts: &mut [Draft],
    category: &[u32],
    ranges: &[(u32, u32)],
    junk: &[bool],
) -> Lessons {
    note_names(vocabulary, drafts);
    for (from, to) in ranges {
        complete(vocabulary, &mut drafts[*from as usize..*to as usize]);
    }
    let telling = contrasts(vocabulary, drafts, category, junk);
    let mut titles: Vec<u32> = vec![0; vocabulary.len()];
    for word in drafts.iter().flat_map(|d| &d.words) {
        titles[word.id as usize] += 1;
    }
    for (word, times) in telling {
        // A chance pair or two among hundreds of titles teaches nothing.
        if times >= 2 && times * 12 >= titles[word as usize] {
            vocabulary.set_telling(word);
        }
    }
    let mut parting = Vec::new();
    let mut lessons = aliases(vocabulary, drafts, ranges, junk, &mut parting);
    if !parting.is_empty() {
        for word in parting {
            vocabulary.set_telling(word);
        }
        lessons = aliases(vocabulary, drafts, ranges, junk, &mut Vec::new());
    }
    colour_codes(vocabulary, drafts);
    Lessons { constants: constants(drafts, ranges), ..lessons }
}

/// What the letters of finishes stand for, «BL» black where titles say «BL чёрный»: a title that has
/// the letters alone is of that colour too.
fn colour_codes(vocabulary: &Vocabulary, drafts: &mut [Draft]) {
    const LONGEST: usize = 2;
    const LEAST: u32 = 2;
    let code = |word: u32| {
        let surface = &vocabulary.get(word).surface;
        surface.len() <= LONGEST && surface.bytes().all(|c| c.is_ascii_lowercase())
    };
    let colour = |word: u32| colour_of(&vocabulary.get(word).stem);
    let colours = |draft: &Draft| -> Vec<(u32, &'static str)> {
        draft.words.iter().filter_map(|w| Some((w.id, colour(w.id)?))).collect()
    };
    // By the code: the colours that stand with it, each with a word for it.
    let mut said: FxMap<u32, FxMap<&'static str, (u32, u32)>> = FxMap::default();
    for draft in drafts.iter() {
        let [(word, colour)] = colours(draft)[..] else { continue };
        for letters in draft.words.iter().filter(|w| code(w.id)) {
            let counted = said.entry(letters.id).or_default().entry(colour).or_insert((0, word));
            counted.0 += 1;
        }
    }
    let told = |letters: u32| {
        let said = said.get(&letters)?;
        let all: u32 = said.values().map(|(times, _)| times).sum();
        let (times, word) = said.values().max()?;
        (*times >= LEAST && times * 20 >= all * 19).then_some(*word)
    };
    for draft in drafts.iter_mut().filter(|d| colours(d).is_empty()) {
        let meant = draft.words.iter().filter(|w| code(w.id)).find_map(|w| told(w.id));
        draft.aside.extend(meant);
    }
}

/// Words that are written with a capital inside titles are names.
fn note_names(vocabulary: &mut Vocabulary, drafts: &[Draft]) {
    let mut seen: Vec<(u32, u32)> = vec![(0, 0); vocabulary.len()];
    let mut first: Vec<u32> = vec![0; vocabulary.len()];
    for draft in drafts {
        if let Some(word) = draft.words.first() {
            first[word.id as usize] += 1;
        }
        for word in &draft.words {
            let counts = &mut seen[word.id as usize];
            counts.0 += 1;
            counts.1 += u32::from(word.proper);
            if word.dotted {
                vocabulary.set_cut(word.id);
            }
        }
    }
    for (id, (all, proper)) in seen.into_iter().enumerate() {
        if first[id] > 0 && first[id] * 4 >= all {
            vocabulary.set_head(u32::try_from(id).unwrap_or(u32::MAX));
        }
        // «Нержавеющие» of a path, which no title begins with, is what things are like.
        let adjective = {
            let surface = &vocabulary.get(u32::try_from(id).unwrap_or(0)).surface;
            ["ый", "ий", "ой", "ая", "яя", "ое", "ее", "ые", "ие", "ых", "их"]
                .iter()
                .any(|e| surface.ends_with(e))
        };
        if adjective && first[id] == 0 && all >= 3 {
            vocabulary.unset_head(u32::try_from(id).unwrap_or(u32::MAX));
        }
        if first[id] * 10 >= all * 8 && all > 0 {
            vocabulary.set_leads(u32::try_from(id).unwrap_or(u32::MAX));
        }
        let short = vocabulary.get(u32::try_from(id).unwrap_or(0)).surface.chars().count() < 4;
        if proper > 0 && proper * 2 >= all && !short {
            vocabulary.set_name(u32::try_from(id).unwrap_or(u32::MAX));
        }
    }
}

/// Within a category, replaces a word cut with a full stop by the commonest word it begins.
fn complete(vocabulary: &Vocabulary, drafts: &mut [Draft]) {
    let mut counts: FxMap<u32, u32> = FxMap::default();
    let mut cut: Vec<u32> = Vec::new();
    for word in drafts.iter().flat_map(|d| &d.words) {
        if word.dotted {
            if !cut.contains(&word.id) {
                cut.push(word.id);
            }
        } else {
            *counts.entry(word.id).or_default() += 1;
        }
    }
    let mut full: FxMap<u32, u32> = FxMap::default();
    for id in cut {
        let stem = &vocabulary.get(id).stem;
        // «Р-р XL» is no «розовый», and «бел.» no «бельевая» where others are «белая».
        if stem.chars().count() < 2 || names_colour(stem) {
            continue;
        }
        let fits = counts.iter().filter(|(other, _)| {
            **other != id && vocabulary.get(**other).stem.starts_with(&**stem)
        });
        if let Some((other, _)) = fits.max_by_key(|(other, n)| (**n, **other)) {
            full.insert(id, *other);
        }
    }
    if full.is_empty() {
        return;
    }
    for word in drafts.iter_mut().flat_map(|d| &mut d.words) {
        if let Some(other) = full.get(&word.id) {
            word.id = *other;
        }
    }
}

/// How many times each word was the only difference of two titles of one category.
fn contrasts(
    vocabulary: &Vocabulary,
    drafts: &[Draft],
    category: &[u32],
    junk: &[bool],
) -> FxMap<u32, u32> {
    // A title's features are summed, so that one can be taken out of the sum.
    let mut whole: FxMap<u64, u32> = FxMap::default();
    let mut holes: FxMap<u64, Vec<u32>> = FxMap::default();
    let mut sums: Vec<u64> = Vec::with_capacity(drafts.len());
    for (row, draft) in drafts.iter().enumerate() {
        let mut sum = mix(u64::from(category[row]) | 1 << 40);
        for (at, word) in draft.words.iter().enumerate() {
            if !draft.words[..at].iter().any(|w| w.id == word.id) {
                sum = sum.wrapping_add(mix(u64::from(word.id)));
            }
        }
        for figure in &draft.figures {
            if figure.measure != Measure::Piece {
                sum = sum.wrapping_add(mix(u64::from(figure.value) | 1 << 41));
            }
        }
        sums.push(sum);
        if junk[row] {
            continue;
        }
        *whole.entry(sum).or_default() += 1;
        for word in &draft.words {
            let hole = holes.entry(sum.wrapping_sub(mix(u64::from(word.id)))).or_default();
            if !hole.contains(&word.id) && hole.len() < 64 {
                hole.push(word.id);
            }
        }
    }
    let mut telling: FxMap<u32, u32> = FxMap::default();
    for (hash, words) in &holes {
        let bare = whole.contains_key(hash);
        for word in words {
            // «Мешок мусорный» and «мешки для мусора» are the same in other words.
            let rivals = words.iter().any(|o| o != word && !are_kin(vocabulary, *o, *word));
            if rivals || bare {
                *telling.entry(*word).or_default() += 1;
            }
        }
    }
    telling
}

/// Whether two words are of one root: «мусора» and «мусорный».
fn are_kin(vocabulary: &Vocabulary, one: u32, other: u32) -> bool {
    let (one, other) = (&vocabulary.get(one).stem, &vocabulary.get(other).stem);
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    let common = short.chars().zip(long.chars()).take_while(|(a, b)| a == b).count();
    let (least, most) = (short.chars().count(), long.chars().count());
    common >= 4 && common * 4 >= least * 3 && most - least <= 3
}

fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Categories by the words that name their products without telling them apart.
///
/// A word qualifies when it stands in a good part of the category's titles, never told two of them
/// apart, and keeps the company that the other titles keep: what mostly goes with it goes with them
/// too. «Тесьма киперная» is a «лента киперная»; «шток эксцентрика» is no «полкодержатель».
fn aliases(
    vocabulary: &Vocabulary,
    drafts: &[Draft],
    ranges: &[(u32, u32)],
    junk: &[bool],
    parting: &mut Vec<u32>,
) -> Lessons {
    let mut called: FxSet<(u32, u32)> = FxSet::default();
    let mut optional: FxSet<(u32, u32)> = FxSet::default();
    let mut out: FxMap<u32, Vec<u32>> = FxMap::default();
    for (number, (from, to)) in ranges.iter().enumerate() {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let own: Vec<&Draft> = (*from..*to)
            .filter(|row| !junk[*row as usize])
            .map(|row| &drafts[row as usize])
            .collect();
        let titles: Vec<Vec<u64>> = own.iter().copied().map(features).collect();
        let all = titles.len();
        if all < 3 {
            continue;
        }
        let mut counts: FxMap<u64, u32> = FxMap::default();
        for feature in titles.iter().flatten() {
            *counts.entry(*feature).or_default() += 1;
        }
        let candidates: Vec<u64> = counts
            .iter()
            .filter(|(feature, times)| {
                let Some(word) = word_of(**feature) else { return false };
                let known = vocabulary.get(word);
                // What one title of a category says is said of that product.
                let letter = known.stem.chars().count() == 1;
                // What no title begins with is rather what a part of them is like.
                let share = if known.head { 8 } else { 3 };
                **times as usize * share >= all
                    && **times >= 2
                    && !known.telling
                    && !known.name
                    && !letter
                    && !super::decide::names_colour(&known.stem)
            })
            .map(|(feature, _)| *feature)
            .collect();
        let one_of_a_kind =
            |f: &u64| word_of(*f).is_some_and(|word| is_one_of_a_kind(vocabulary, word, &own));
        let mut company: Vec<u64> = candidates
            .into_iter()
            .filter(|f| keeps_company(vocabulary, *f, &titles, &counts) && !one_of_a_kind(f))
            .collect();
        company.sort_unstable();
        // The worst goes first: once «жёлтый» is known to tell, «цинк» is seen not to.
        while let Some((at, share)) = worst_rival(&titles, &company) {
            let feature = company.remove(at);
            if share > 0.3 && all >= 6 {
                parting.extend(word_of(feature));
            }
        }
        let aliases = company.clone();
        for feature in aliases {
            let Some(word) = word_of(feature) else { continue };
            out.entry(word).or_default().push(number);
            let begins = (*from..*to)
                .any(|row| drafts[row as usize].words.first().is_some_and(|w| w.id == word));
            if begins {
                called.insert((word, number));
            }
            let times = counts.get(&feature).copied().unwrap_or(0);
            if times as usize * 10 < all * 7 && may_be_left_out(feature, &titles, &company) {
                optional.insert((word, number));
            }
        }
    }
    // Words of descriptions that belong to few categories name what is in them.
    let mut aside: FxMap<u32, Vec<(u32, u32)>> = FxMap::default();
    for (number, (from, to)) in ranges.iter().enumerate() {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        for row in *from..*to {
            for word in &drafts[row as usize].aside {
                let at = aside.entry(*word).or_default();
                match at.last_mut() {
                    Some(last) if last.0 == number => last.1 += 1,
                    _ => at.push((number, 1)),
                }
            }
        }
    }
    for (word, categories) in aside {
        let known = vocabulary.get(word);
        if categories.len() <= 3 && !known.telling && !known.name {
            for (number, times) in categories {
                let (from, to) = ranges[number as usize];
                if times >= 2 && times * 20 >= to - from {
                    let at = out.entry(word).or_default();
                    if !at.contains(&number) {
                        at.push(number);
                    }
                }
            }
        }
    }
    Lessons { aliases: out, optional, called, constants: FxSet::default() }
}

/// Whether other titles have other adjectives where some have this one, after the same word: a
/// «лопата штыковая» is one kind beside a «лопата совковая» and a «лопата сапёрная».
fn is_one_of_a_kind(vocabulary: &Vocabulary, word: u32, titles: &[&Draft]) -> bool {
    let adjective = |w: u32| super::line::is_adjective(&vocabulary.get(w).surface);
    let counted = || titles.iter().flat_map(|t| &t.words).any(|w| w.id == word && w.counted);
    if !adjective(word) || counted() {
        return false;
    }
    let follows = |draft: &Draft| draft.words.windows(2).find(|p| p[1].id == word).map(|p| p[0].id);
    let mut before: FxMap<u32, u32> = FxMap::default();
    for noun in titles.iter().filter_map(|t| follows(t)) {
        *before.entry(noun).or_default() += 1;
    }
    let Some((noun, _)) = before.into_iter().max_by_key(|(noun, times)| (*times, *noun)) else {
        return false;
    };
    let next = |t: &Draft, to: u32| t.words.windows(2).find(|p| p[0].id == to).map(|p| p[1].id);
    let (with, without): (Vec<&&Draft>, Vec<&&Draft>) =
        titles.iter().partition(|t| t.words.iter().any(|w| w.id == word));
    let slots: Vec<u32> = without.iter().filter_map(|t| next(t, noun)).collect();
    let colour = |w: u32| names_colour(&vocabulary.get(w).stem);
    let others: Vec<u32> = slots.iter().copied().filter(|w| adjective(*w) && !colour(*w)).collect();
    // «Заглушка внутренняя квадратная» is a «заглушка квадратная»: there it is said as well.
    let added = with.iter().filter_map(|t| next(t, word)).filter(|w| others.contains(w)).count();
    slots.len() >= 2 && others.len() * 2 >= slots.len() && added == 0
}

/// What a title says: its words and its numbers, each once.
fn features(draft: &Draft) -> Vec<u64> {
    let words = draft.words.iter().map(|w| u64::from(w.id));
    let figures = draft.figures.iter().filter(|f| f.measure != Measure::Piece);
    let mut out: Vec<u64> = words.chain(figures.map(|f| u64::from(f.value) | FIGURE)).collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// The bit that tells a number from a word among features.
const FIGURE: u64 = 1 << 40;

fn word_of(feature: u64) -> Option<u32> {
    (feature & FIGURE == 0).then(|| u32::try_from(feature).ok()).flatten()
}

/// Whether what mostly goes with a word goes with the titles that lack it as well.
fn keeps_company(
    vocabulary: &Vocabulary,
    word: u64,
    titles: &[Vec<u64>],
    counts: &FxMap<u64, u32>,
) -> bool {
    let with: Vec<&Vec<u64>> = titles.iter().filter(|t| t.binary_search(&word).is_ok()).collect();
    let without = titles.len() - with.len();
    if without == 0 {
        return true;
    }
    let mut near: FxMap<u64, u32> = FxMap::default();
    for feature in with.iter().flat_map(|t| t.iter()).filter(|f| **f != word) {
        *near.entry(*feature).or_default() += 1;
    }
    let (mut kept, mut lost) = (0, 0);
    for (feature, times) in near {
        let telling = word_of(feature).is_some_and(|w| vocabulary.get(w).telling);
        if times as usize * 2 <= with.len() && with.len() > 1 || telling {
            continue;
        }
        let elsewhere = counts.get(&feature).copied().unwrap_or(0) - times;
        if elsewhere as usize * 10 >= without * 3 {
            kept += 1;
        } else {
            lost += 1;
        }
    }
    kept > 0 && kept >= lost * 3
}

/// Whether titles without a word have nothing in its stead.
fn may_be_left_out(word: u64, titles: &[Vec<u64>], company: &[u64]) -> bool {
    let names = |title: &Vec<u64>| -> Vec<u64> {
        title.iter().copied().filter(|f| company.contains(f) && *f != word).collect()
    };
    let (with, without): (Vec<&Vec<u64>>, Vec<&Vec<u64>>) =
        titles.iter().partition(|t| t.binary_search(&word).is_ok());
    let with: Vec<Vec<u64>> = with.into_iter().take(60).map(&names).collect();
    let without = without.into_iter().take(60).map(names);
    let (mut bare, mut seen) = (0, 0);
    for title in without {
        seen += 1;
        bare += usize::from(with.iter().any(|w| title.iter().all(|f| w.binary_search(f).is_ok())));
    }
    bare * 2 > seen
}

/// The word of which most titles have twins without it, and their share: the same numbers and the
/// same telling words. Such a word parts products, though titles never differ in it alone.
fn worst_rival(titles: &[Vec<u64>], company: &[u64]) -> Option<(usize, f32)> {
    const SAMPLE: usize = 40;
    let hard: Vec<Vec<u64>> = titles
        .iter()
        .map(|t| t.iter().copied().filter(|f| company.binary_search(f).is_err()).collect())
        .collect();
    let within = |part: &[u64], whole: &[u64]| part.iter().all(|f| whole.binary_search(f).is_ok());
    let mut worst: Option<(usize, f32)> = None;
    for (at, word) in company.iter().enumerate() {
        let (with, without): (Vec<usize>, Vec<usize>) =
            (0..titles.len()).partition(|t| titles[*t].binary_search(word).is_ok());
        if without.is_empty() {
            continue;
        }
        let others: Vec<&Vec<u64>> = without
            .iter()
            .step_by(without.len().div_ceil(SAMPLE * 10))
            .map(|t| &hard[*t])
            .collect();
        let (mut twins, mut seen) = (0_u16, 0_u16);
        for title in with.iter().step_by(with.len().div_ceil(SAMPLE)) {
            let own = &hard[*title];
            seen += 1;
            twins += u16::from(others.iter().any(|o| within(own, o) || within(o, own)));
        }
        let share = f32::from(twins) / f32::from(seen.max(1));
        if share > 0.14 && worst.is_none_or(|(_, s)| share > s) {
            worst = Some((at, share));
        }
    }
    worst
}

/// Values that nine in ten products of a category have.
fn constants(drafts: &[Draft], ranges: &[(u32, u32)]) -> FxSet<(u32, u32, u8)> {
    let mut out = FxSet::default();
    for (number, (from, to)) in ranges.iter().enumerate() {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let mut counts: FxMap<(u32, u8), u32> = FxMap::default();
        for draft in &drafts[*from as usize..*to as usize] {
            let mut seen: Vec<(u32, u8)> =
                draft.figures.iter().map(|f: &Figure| (f.value, f.measure as u8)).collect();
            seen.sort_unstable();
            seen.dedup();
            for value in seen {
                *counts.entry(value).or_default() += 1;
            }
        }
        let products = to - from;
        for ((value, measure), times) in counts {
            if products >= 4 && times * 10 >= products * 8 {
                out.insert((number, value, measure));
            }
        }
    }
    out
}
