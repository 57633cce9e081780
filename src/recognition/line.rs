//! A piece that was read → the line as it is answered.

use super::decide::question;
use super::desk::Pending;
use super::index::Index;
use super::interpret::Draft;
use super::rank::{Seeker, Want};
use super::trace::Grounds;
use super::types::{Buyer, Candidate, Decision, Line, Stage};

/// At most so many candidates go with a line.
const CANDIDATES: usize = 10;

/// Suggestions for what the catalogue lacks are sought among at most so many products of a want.
const LOOKED: usize = 2_000;

/// A line as it is answered. `offered`: it answers a question, so that something of what was offered
/// is meant.
#[expect(clippy::too_many_lines, reason = "one line of an answer, field by field")]
pub(crate) fn line(seeker: &Seeker<'_>, buyer: &Buyer, pending: Pending, offered: bool) -> Line {
    let index = seeker.index;
    let Pending { mut draft, start, end, quantity, unit, micros, .. } = pending;
    let phrase = phrase(&draft.wants);
    let mut stages = vec![Stage {
        name: "каталог".into(),
        query: phrase.clone(),
        before: index.len(),
        after: draft.fit,
        micros,
    }];
    // What the organization refused for these words is not offered for them again.
    let before = draft.meant.len();
    draft.meant.retain(|h| {
        let id = index.entries[h.row as usize].id;
        !buyer.rejected.contains(&(phrase.clone(), id))
    });
    if draft.meant.len() != before {
        stages.push(Stage {
            name: "отказы клиента".into(),
            query: phrase.clone(),
            before,
            after: draft.meant.len(),
            micros: 0,
        });
    }
    let learnt = buyer.learnt.get(&phrase).and_then(|id| index.row(*id)).filter(|row| {
        !index.junk[*row as usize]
            && !buyer.rejected.contains(&(phrase.clone(), index.entries[*row as usize].id))
    });
    let before = draft.meant.len();
    if let Some(row) = learnt {
        draft.meant = vec![super::rank::Hit { row, quality: 1.0 }];
        stages.push(Stage {
            name: "история клиента".into(),
            query: phrase.clone(),
            before,
            after: 1,
            micros: 0,
        });
    } else if !draft.left_out.is_empty() {
        stages.push(Stage {
            name: "уточнение".into(),
            query: format!("отпали: {}", draft.left_out.join("; ")),
            before: draft.fit,
            after: before,
            micros: 0,
        });
    }
    let unknown = if trusted(seeker, &draft) { 0 } else { draft.unknown() };
    // «индикаторка» is of the root of «индикатор», and of nothing else that was said.
    let faint = matches!(draft.wants.as_slice(), [one] if !one.numeric)
        && draft.meant.first().is_some_and(|hit| hit.quality < 0.87);
    let doubtful = !offered
        && matches!(draft.meant.as_slice(), [hit]
            if super::decide::is_another(seeker, hit.row, &draft.wants))
        || !offered
            && !draft.meant.is_empty()
            && draft
                .meant
                .iter()
                .all(|hit| super::decide::is_called_otherwise(seeker, hit.row, &draft.wants));
    // «Гидроаккумулятор 500л» is no five hundred litres of a flange for one.
    let filled = unit.as_ref().is_some_and(|said| {
        super::interpret::is_filling(said)
            && matches!(draft.meant.as_slice(), [hit] if !seeker.holds(hit.row, said))
    });
    let decision = if learnt.is_some() {
        Decision::Matched
    } else if draft.meant.is_empty() || unknown > 0 || faint || doubtful || filled {
        Decision::Unmatched
    } else if draft.meant.len() == 1 {
        Decision::Matched
    } else {
        Decision::Ambiguous
    };
    let bought =
        |row: u32| buyer.purchases.get(&index.entries[row as usize].id).map_or(0, |p| p.times);
    draft.meant.sort_by(|a, b| {
        bought(b.row)
            .cmp(&bought(a.row))
            .then(b.quality.total_cmp(&a.quality))
            .then(
                index.entries[b.row as usize]
                    .available
                    .cmp(&index.entries[a.row as usize].available),
            )
            .then(a.row.cmp(&b.row))
    });
    let rows: Vec<u32> = draft.meant.iter().map(|h| h.row).collect();
    let asked = if decision == Decision::Ambiguous { question(index, &rows) } else { None };
    let mut candidates: Vec<Candidate> =
        draft.meant.iter().take(CANDIDATES).map(|h| candidate(index, h.row, h.quality)).collect();
    if decision == Decision::Unmatched && candidates.is_empty() {
        candidates = nearest(seeker, &draft.wants, buyer, &phrase);
    }
    let guessed = draft.widened || draft.wants.iter().any(|w| w.guessed);
    let confidence = confidence(&draft, decision, guessed, learnt.is_some());
    let grounds = Grounds {
        decision,
        wants: &draft.wants,
        fit: draft.fit,
        meant: rows.len(),
        question: asked.as_ref(),
        learnt: learnt.is_some(),
        by_article: draft.by_article,
        guessed,
        stretched: draft.stretched,
    };
    let trace = grounds.trace(stages);
    let product = if decision == Decision::Matched { rows.first().copied() } else { None };
    let own = rows.first().and_then(|r| index.entries[*r as usize].unit.as_ref());
    Line {
        span: start..end,
        phrase,
        quantity: quantity.filter(|q| q.is_positive()),
        unit: unit.map(|said| said.resolve(own)),
        decision,
        product: product.map(|r| index.entries[r as usize].id),
        candidates,
        confidence,
        question: asked,
        trace,
    }
}

/// What fits as well as this was said, and not a piece of it.
const SAID: f32 = 0.945;

/// Whether one word that the catalogue does not know may be passed over: so much else is said that
/// only one product has all of it, and the word says nothing that would tell it from others.
fn trusted(seeker: &Seeker<'_>, draft: &Draft) -> bool {
    let first = draft.wants.iter().position(|w| !w.numeric && !w.inherited);
    let unknown = draft.wants.iter().position(|w| !w.known);
    let numbers = draft.wants.iter().filter(|w| w.numeric).count();
    let words = draft.wants.iter().filter(|w| w.known && !w.numeric && !w.guessed).count();
    let (Some(at), [hit]) = (unknown, draft.meant.as_slice()) else { return false };
    let want = &draft.wants[at];
    let last = draft.wants[at..].iter().skip(1).all(|w| w.numeric);
    draft.unknown() == 1
        && !draft.widened
        && words >= 1
        && numbers + words >= 2
        // «Плинтус 18 серый» is no grey zip of 18.
        && (unknown != first
            || words >= 2 && numbers + words >= 3
            || draft.wants.iter().any(|w| {
                w.known && seeker.is_thing(w) && seeker.quality(hit.row, w) >= SAID
            }))
        && !want.numeric
        && !want.text.is_ascii()
        // The last word is mostly a colour or a finish.
        && !(last && is_adjective(&want.text))
        && !super::decide::is_colour(&super::normalize::stem(&want.text))
        // «Сок Добрый» is no «Сок Rich»: what the title says besides may stand in the word's stead.
        && !seeker.is_told_apart_unsaid(hit.row, &draft.wants, unknown != first || !acts(&want.text))
}

/// Whether a word ends as verbs do: «остаётся», «добавим».
fn acts(word: &str) -> bool {
    const ENDINGS: &[&str] = &["ся", "сь", "ем", "им", "ть", "ите", "йте", "ьте", "ют", "ут", "ет"];
    ENDINGS.iter().any(|e| word.ends_with(e))
}

/// Whether a word ends as adjectives do: it says what the thing is like.
pub(crate) fn is_adjective(word: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "ый", "ий", "ой", "ая", "яя", "ое", "ее", "ые", "ие", "ых", "их", "ую", "юю", "ого", "его",
        "ым", "им",
    ];
    word.chars().count() > 4 && ENDINGS.iter().any(|e| word.ends_with(e))
}

pub(crate) fn candidate(index: &Index, row: u32, quality: f32) -> Candidate {
    Candidate { product: index.entries[row as usize].id, score: f64::from(quality.clamp(0.0, 1.0)) }
}

/// The key under which the organization's choice for these words is learnt.
pub(crate) fn phrase(wants: &[Want]) -> String {
    let mut inherited: Vec<&Want> = wants.iter().filter(|w| w.inherited).collect();
    inherited.extend(wants.iter().filter(|w| !w.inherited));
    let keys =
        inherited.iter().map(|w| if w.without { format!("без {}", w.key) } else { w.key.clone() });
    keys.collect::<Vec<_>>().join(" ")
}

pub(crate) fn confidence(draft: &Draft, decision: Decision, guessed: bool, learnt: bool) -> f64 {
    let best = draft.meant.first().map_or(0.0, |h| f64::from(h.quality));
    match decision {
        Decision::Matched if learnt => 0.98,
        Decision::Matched => {
            let mut sure = 0.97 - (1.0 - best).clamp(0.0, 0.3) * 0.4;
            if draft.unknown() > 0 {
                sure -= 0.08;
            }
            if guessed {
                sure -= 0.02;
            }
            if draft.stretched {
                sure -= 0.03;
            }
            sure.clamp(0.5, 0.99)
        }
        Decision::Ambiguous => {
            let n = u32::try_from(draft.meant.len().max(2)).unwrap_or(u32::MAX);
            (0.9 / f64::from(n)).min(0.45)
        }
        Decision::Unmatched => {
            if draft.meant.is_empty() {
                0.03
            } else {
                0.15
            }
        }
    }
}

/// Products that satisfy the most of what was said, where none satisfies all.
pub(crate) fn nearest(
    seeker: &Seeker<'_>,
    wants: &[Want],
    buyer: &Buyer,
    phrase: &str,
) -> Vec<Candidate> {
    let index = seeker.index;
    let all = f32::from(u8::try_from(wants.len()).unwrap_or(u8::MAX)).max(1.0);
    let mut scored: Vec<(f32, u32)> = seeker
        .near_by(wants, LOOKED)
        .into_iter()
        .filter(|r| !index.junk[*r as usize])
        .filter(|r| !buyer.rejected.contains(&(phrase.to_owned(), index.entries[*r as usize].id)))
        .map(|r| (seeker.satisfied(r, wants) / all, r))
        .collect();
    // Of equals, those that say the least that was not asked for.
    let length = |row: u32| index.words.row(row as usize).len();
    scored.sort_by(|a, b| {
        b.0.total_cmp(&a.0).then(length(a.1).cmp(&length(b.1))).then(a.1.cmp(&b.1))
    });
    scored.into_iter().take(CANDIDATES).map(|(s, r)| candidate(index, r, s * 0.9)).collect()
}
