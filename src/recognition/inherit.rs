//! «Нитки белые 10, чёрные 5»: what a piece leaves unsaid is taken from the one before.

use super::interpret::{Draft, settle};
use super::rank::{Hit, Need, Seeker, Stretch, Want, Way};
use super::terms::{Measure, Number, Size};

/// How a piece goes with the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heir {
    /// It stands alone.
    None,
    /// It says more of the same: nothing that was said is contradicted.
    Adds,
    /// It says something else instead: «чёрные» after «белые».
    Replaces,
}

/// The piece with what it inherits, if products fit it so.
///
/// As much as possible is inherited: what must give way is sought from the least, one want or one
/// number of a size, last said first, like for like.
pub(crate) fn inherit(
    seeker: &Seeker<'_>,
    context: &[Want],
    draft: &Draft,
    instead: bool,
) -> Option<(Draft, Heir)> {
    let (context, instead_of_special) = inheritable(seeker, context, draft);
    if context.is_empty() || draft.wants.iter().any(|w| !w.known && !w.numeric) {
        return None;
    }
    // What is said again is not inherited: nothing may take its place.
    // «С20 12 шт, С32 6 шт», «10 Вт 5 шт, 15 Вт 3»: nothing has two of them.
    let other = |c: &Want| draft.wants.iter().any(|w| is_other_of(w, c));
    let again = |c: &Want| draft.wants.iter().any(|w| w.key == c.key) || other(c);
    let replaces = instead_of_special || context.iter().any(|c| other(c));
    let adds = if replaces { Heir::Replaces } else { Heir::Adds };
    let kept: Vec<&Want> = context.into_iter().filter(|c| !again(c)).collect();
    let lone = kept.iter().rev().find(|w| w.numeric).is_some_and(|w| count(w) == 1);
    let parts = parts(&kept);
    // «резинка белая 20, 25»: a number after a number is another.
    // «Поролон EL 2540 2х1 м, 8 см» says more of it.
    let another = instead
        && !draft.wants.iter().any(is_length)
        && matches!(draft.wants.as_slice(), [want] if want.numeric
            && kept.iter().any(|c| c.numeric && count(c) == count(want) && is_of_kind(want, c)));
    let fresh = said_anew(draft);
    let fresh: Vec<&Want> = fresh.iter().collect();
    let added =
        if another { None } else { attempt(seeker, draft, &parts, &fresh, &[], Stretch::No) };
    // «Шпатель фасадный 5, малярный 3»: the category's name makes the first no «малярный».
    let rolled = |found: &Draft| is_rolled(seeker, &kept, &fresh, found);
    let (added, mut rolls) = match added {
        Some(found) if rolled(&found) => (None, Some((found, adds))),
        added => (added, None),
    };
    let literal =
        |found: &Draft| found.meant.iter().all(|h| seeker.is_literal(h.row, &draft.wants));
    if let Some(found) = added.as_ref().filter(|found| literal(found)) {
        return Some((found.clone(), adds));
    }
    let count = parts.len().min(9);
    let again = draft.wants.iter().any(|w| seeker.is_head(w));
    let found = parts.iter().position(|p| seeker.is_head(p));
    let head = found.unwrap_or(if again { usize::MAX } else { 0 });
    let numbers = draft.wants.iter().filter(|w| w.numeric).count();
    let words = draft.wants.len() - numbers;
    let said: usize = fresh.iter().filter(|w| w.numeric).map(|w| self::count(w)).sum();
    let most = 3_usize.min(count);
    let steps = (1..=most)
        .map(|size| (size, Stretch::No))
        .chain((1..=most).map(|size| (size, Stretch::Units)));
    for (size, stretch) in steps {
        // «Блоки боннель ⏎ 200х90 - 6» of a title's 2000×900
        if (size, stretch) == (1, Stretch::Units)
            && added.is_none()
            && !another
            && let Some(found) = attempt(seeker, draft, &parts, &fresh, &[], stretch)
            && literal(&found)
        {
            return Some((found, adds));
        }
        let mut best: Option<(f32, Draft)> = None;
        for gone in combinations(count, size) {
            // What gives way is of the kind of what comes.
            let gone_numbers = gone.iter().filter(|g| parts[**g].numeric).count();
            let gone_words = size - gone_numbers;
            // «Чёрные» are said in the stead of «белые», and of no «биг-пак».
            if gone_words > words {
                continue;
            }
            if gone.contains(&head) && count > 1 && !parts[head].numeric {
                continue;
            }
            // «80 г/м²» is said in no A3's stead.
            let replaced = |g: &usize| {
                let part = &parts[*g];
                !part.numeric || fresh.iter().any(|w| w.numeric && is_of_kind(w, part))
            };
            if !gone.iter().all(replaced) {
                continue;
            }
            let like = f32::from(u8::from(gone_numbers == 0 || numbers > 0))
                + f32::from(u8::from(gone_words == 0 || words > 0));
            if like < 2.0 {
                continue;
            }
            // «Саморез 4,8х29 3005, зелёные 6005» is of no other size, while the strength that was said
            // of the plain steel may be left out of the stainless.
            let own = |found: &Draft| {
                let all = |h: &Hit| seeker.has_only_said_numbers(h.row, &found.wants);
                gone_numbers <= said || found.meant.iter().all(all)
            };
            if let Some(found) = attempt(seeker, draft, &parts, &fresh, &gone, stretch).filter(own)
            {
                if gone_numbers == 0 && rolled(&found) {
                    rolls.get_or_insert((found, Heir::Replaces));
                    continue;
                }
                let late: usize = gone.iter().sum();
                let late = f32::from(u8::try_from(late).unwrap_or(u8::MAX)) * 0.01;
                let score = found.score + late;
                if best.as_ref().is_none_or(|(s, _)| score > *s) {
                    best = Some((score, found));
                }
            }
        }
        if let Some((_, found)) = best.filter(|(_, found)| added.is_none() || literal(found)) {
            return Some((found, Heir::Replaces));
        }
    }
    match added.map(|found| (found, adds)).or(rolls) {
        Some(found) => Some(found),
        None => together(seeker, draft, &parts, &fresh, head, lone),
    }
}

/// What of the piece before may be inherited, and whether a plain thing is said instead of a special
/// one: «80/12 `BeA` нерж 2 уп, 80/12 обычная» is of no steel and no maker.
fn inheritable<'c>(
    seeker: &Seeker<'_>,
    context: &'c [Want],
    draft: &Draft,
) -> (Vec<&'c Want>, bool) {
    let plain = draft.wants.iter().any(|w| w.plain);
    let special =
        |w: &Want| super::decide::is_special(&w.key) || seeker.is_named(w) && !seeker.is_head(w);
    let kept = context.iter().filter(|w| w.known && !w.plain && !(plain && special(w))).collect();
    (kept, plain && context.iter().any(special))
}

/// What a piece says itself.
fn said_anew(draft: &Draft) -> Vec<Want> {
    let mut fresh = draft.wants.clone();
    if let [want] = fresh.as_mut_slice() {
        // A number alone is no pack of the thing before.
        let packs = |w: &Way| w.needs.iter().all(|n| matches!(n, Need::Pack { must: true, .. }));
        want.ways.retain(|w| !packs(w));
    }
    fresh
}

/// «Лента 50 белая 2 рул, 25 чёрная» is of twenty-five millimetres: whether all that was found has one of
/// the bare numbers only as the length of its roll.
fn is_rolled(seeker: &Seeker<'_>, kept: &[&Want], fresh: &[&Want], found: &Draft) -> bool {
    let bare = |n: &Number| n.measure == Measure::None;
    let all = |n: Number| found.meant.iter().all(|h| seeker.is_length_of_roll(h.row, n));
    let mut numbers = fresh.iter().chain(kept).flat_map(|w| w.numbers()).filter(bare);
    fresh.iter().any(|w| w.numeric)
        && kept.iter().any(|c| c.numeric && count(c) == 1)
        && !found.meant.is_empty()
        && numbers.any(all)
}

/// What gives way together: a colour with its number, or all that the piece before said itself.
///
/// «110 красная 6 м; 119 — 11,5»: the red went with the hundred and ten. `lone`: the last number
/// that was said is no part of a size.
fn together(
    seeker: &Seeker<'_>,
    draft: &Draft,
    parts: &[Want],
    fresh: &[&Want],
    head: usize,
    lone: bool,
) -> Option<(Draft, Heir)> {
    let coloured =
        |p: &Want| if p.numeric { seeker.is_colour_number(p) } else { seeker.is_telling(p) };
    let all = |keep: &dyn Fn(usize) -> bool| (0..parts.len()).filter(|i| !keep(*i)).collect();
    let colours: Vec<usize> = all(&|i| i == head || !coloured(&parts[i]));
    let own: Vec<usize> = all(&|i| i == head || parts[i].chained);
    let chained = parts.iter().any(|p| p.chained);
    let tried =
        [(!colours.is_empty()).then_some(colours), (chained && !own.is_empty()).then_some(own)];
    for gone in tried.into_iter().flatten() {
        if let Some(found) = attempt(seeker, draft, parts, fresh, &gone, Stretch::No) {
            return Some((found, Heir::Replaces));
        }
    }
    // «Болт М8х50 8.8 100 шт, такой же нерж»: the strength goes with the plain steel.
    let numbers: Vec<usize> = (0..parts.len()).filter(|i| parts[*i].numeric).collect();
    let (Some(last), true) = (numbers.last(), numbers.len() > 1) else { return None };
    let alike = fresh.iter().all(|w| !w.numeric && !seeker.is_head(w));
    if *last == head || !alike || !lone {
        return None;
    }
    attempt(seeker, draft, parts, fresh, &[*last], Stretch::No)
        .filter(Draft::is_certain)
        .map(|found| (found, Heir::Replaces))
}

/// What an unlike piece would want if it were of the thing before: so that a line that is not found
/// is still a line of that thing, and so are those that follow it.
pub(crate) fn of_the_same(seeker: &Seeker<'_>, context: &[Want], draft: &Draft) -> Vec<Want> {
    let context: Vec<&Want> = context.iter().filter(|w| w.known).collect();
    let parts = parts(&context);
    let head = parts.iter().position(|p| seeker.is_head(p)).unwrap_or(0);
    // «Саморез 4,8х29 3005, зелёные 6005» are of the same size: one number is said in no size's stead.
    let lone = draft.wants.iter().all(|w| count(w) < 2);
    let sizes: Vec<&Want> = context.iter().copied().filter(|w| lone && count(w) > 1).collect();
    let of_size = |part: &Want| {
        let said = |size: &&Want| part.numbers().any(|n| has_number(size, n));
        sizes.iter().any(said)
    };
    let mut out: Vec<Want> = parts
        .into_iter()
        .enumerate()
        .filter(|(at, part)| {
            // What is said anew takes the place of what is like it.
            *at == head
                || part.chained
                || of_size(part)
                || !(part.numeric && draft.wants.iter().any(|w| w.numeric)
                    || seeker.is_telling(part) && draft.wants.iter().any(|w| seeker.is_telling(w)))
        })
        .map(|(_, part)| part)
        .collect();
    let keys: Vec<String> = out.iter().map(|w| w.key.clone()).collect();
    out.extend(draft.wants.iter().filter(|w| !keys.contains(&w.key)).cloned());
    out
}

/// Whether two single numbers are values of an attribute of which a thing has one: of the same letter
/// or in the same measure of what is electric.
fn is_other_of(want: &Want, part: &Want) -> bool {
    let (Some(new), Some(old)) = (want.numbers().next(), part.numbers().next()) else {
        return false;
    };
    let electric = matches!(
        new.measure,
        Measure::Watt | Measure::Kelvin | Measure::Volt | Measure::Ampere | Measure::Milliampere
    );
    want.numeric
        && part.numeric
        && new.value != old.value
        && (new.is_lettered() && new.marker == old.marker || electric && new.measure == old.measure)
}

/// Whether a size has this number.
fn has_number(want: &Want, number: Number) -> bool {
    let needs = want.ways.iter().flat_map(|w| &w.needs);
    needs.into_iter().any(|need| matches!(need, Need::Size(size) if size.numbers.contains(&number)))
}

/// How many numbers a size has.
fn count(want: &Want) -> usize {
    let needs = want.ways.iter().flat_map(|w| &w.needs);
    let sizes = needs.filter_map(|n| if let Need::Size(size) = n { Some(size) } else { None });
    sizes.map(|size| size.numbers.len()).max().unwrap_or(0)
}

/// Whether a want is a length in its unit.
fn is_length(want: &Want) -> bool {
    let length = super::terms::Measure::Mm;
    want.ways.iter().flat_map(|w| &w.needs).any(|need| match need {
        Need::Size(size) => matches!(size.numbers.as_slice(), [n] if n.measure.is_like(length)),
        _ => false,
    })
}

/// Whether a number may be said instead of another: «толщина 6 см» is no other «25», and one of
/// «38мм×40м» is another «48мм», one another «50м».
fn is_of_kind(want: &Want, part: &Want) -> bool {
    let numbers = |w: &Want| {
        w.ways.iter().flat_map(|w| &w.needs).find_map(|need| match need {
            Need::Size(size) => Some(size.numbers.clone()),
            _ => None,
        })
    };
    let (Some(new), Some(old)) = (numbers(want), numbers(part)) else { return true };
    let Some(old) = old.first().copied() else { return true };
    let measured = super::terms::Measure::None;
    new.iter().any(|new| {
        let marked = new.marker == 0 || new.marker == b'#' || new.marker == old.marker;
        // «обложка А4, 180 мкм»: a measure is no other A4; a kilogram is another «500 г», while a metre
        // is how long the thing is, and millimetres how wide.
        let length = super::terms::Measure::Mm;
        let alike = new.measure.is_like(old.measure) && !new.measure.is_like(length);
        let sized = new.measure == old.measure
            || alike
            || new.measure == measured
            || old.measure == measured && old.marker == 0;
        marked && sized
    })
}

/// Wants one by one, sizes number by number.
fn parts(context: &[&Want]) -> Vec<Want> {
    let mut out = Vec::new();
    for want in context.iter().filter(|w| !w.is_pack()) {
        if let [Way { needs, .. }] = want.ways.as_slice()
            && let [Need::Size(size)] = needs.as_slice()
            && size.numbers.len() > 1
        {
            for number in &size.numbers {
                let one = Size { numbers: vec![*number], ..size.clone() };
                let key = super::rank::shown(&one);
                out.push(Want {
                    ways: vec![Way::of(vec![Need::Size(one)], 1.0)],
                    key: key.clone(),
                    text: key,
                    inherited: true,
                    chained: want.inherited,
                    ..(*want).clone()
                });
            }
        } else {
            out.push(Want { inherited: true, chained: want.inherited, ..(*want).clone() });
        }
    }
    out
}

fn attempt(
    seeker: &Seeker<'_>,
    draft: &Draft,
    parts: &[Want],
    fresh: &[&Want],
    gone: &[usize],
    stretch: Stretch,
) -> Option<Draft> {
    let mut wants: Vec<Want> = parts
        .iter()
        .enumerate()
        .filter(|(i, _)| !gone.contains(i))
        .map(|(_, w)| w.clone())
        .collect();
    wants.extend(fresh.iter().map(|w| (*w).clone()));
    let mut found = Draft { wants, reading: draft.reading.clone(), ..Draft::default() };
    settle(seeker, &mut found, stretch);
    found.stretched = stretch == Stretch::Units;
    (found.fit > 0 && !found.meant.is_empty()).then_some(found)
}

/// Every choice of `size` of the first `count`, in order.
fn combinations(count: usize, size: usize) -> Vec<Vec<usize>> {
    let mut out = Vec::new();
    let mut pick: Vec<usize> = (0..size).collect();
    if size > count {
        return out;
    }
    loop {
        out.push(pick.clone());
        let Some(at) = (0..size).rev().find(|i| pick[*i] < count - size + i) else { break };
        pick[at] += 1;
        for i in at + 1..size {
            pick[i] = pick[i - 1] + 1;
        }
    }
    out
}
