//! A line → sentences, and these → pieces at commas and conjunctions.

use super::super::index::Index;
use super::super::lexer::{Kind, Lexeme};
use super::super::quantity::unit_at;
use super::super::speech;
use super::super::terms::is_little;
use super::runon::{cuts, opens};
use super::{Piece, piece};

/// «4 на 25» → a size.
pub(super) fn crosses(line: &mut [Lexeme]) {
    for i in 1..line.len().saturating_sub(1) {
        let between = line[i].text == "на"
            || line[i].text == "na"
            || line[i].text == "kh"
            || line[i].text == "х"
            || line[i].text == "x";
        let measured = i >= 2
            && line[i - 2].is_number()
            && line[i - 1].is_word()
            && crate::recognition::terms::Measure::read(&line[i - 1].text, true).is_some_and(|m| {
                matches!(
                    m,
                    crate::recognition::terms::Measure::Mm | crate::recognition::terms::Measure::Cm
                )
            });
        // «Растяжение на сорок процентов»
        let percent = line.get(i + 2).is_some_and(|l| l.is('%') || l.text.starts_with("процент"));
        if line[i].is_word()
            && between
            && !percent
            && (line[i - 1].is_number() || measured)
            && line[i + 1].is_number()
        {
            line[i].kind = Kind::Mark('x');
        }
    }
}

/// Splits a line into sentences and these at commas and conjunctions.
#[expect(clippy::too_many_lines, reason = "one mark a paragraph, in the order they are tried")]
pub(super) fn sentences(index: &Index, line: Vec<Lexeme>, table: bool, out: &mut Vec<Piece>) {
    let mut current: Vec<Lexeme> = Vec::new();
    let mut begins = true;
    if table {
        // A row of a table is one line, whatever stands in its cells.
        let lexemes: Vec<Lexeme> = line.into_iter().filter(|l| !l.is(',') && !l.is(';')).collect();
        let part = trimmed(&lexemes);
        out.extend(piece(part));
        return;
    }
    let line = whole_items(index, line);
    let mut depth = 0_usize;
    // The piece that comes next was parted at «и» or a slash.
    let mut parted = false;
    let mut begun_at = out.len();
    let count = line.len();
    for i in 0..count {
        let lexeme = &line[i];
        let next = line.get(i + 1);
        if lexeme.is('(') {
            let close = line[i..].iter().position(|l| l.is(')')).map(|n| i + n);
            // «нитки 70лл (белые 5, чёрные 5)» goes on the list.
            let list = close.is_some_and(|close| {
                let inside = &line[i..close];
                inside.iter().any(|l| l.is(','))
                    && inside.iter().filter(|l| l.is_number()).count() >= 2
            });
            if list {
                flush(index, &mut current, begins, true, out);
                begins = false;
                continue;
            }
            depth += usize::from(close.is_some());
        }
        let smile = lexeme.is(')') && depth == 0 && next.is_none_or(|n| n.spaced);
        if lexeme.is(')') {
            depth = depth.saturating_sub(1);
        }
        let ends = depth == 0
            && (lexeme.is('!')
                || lexeme.is('?')
                || lexeme.is(';')
                || lexeme.is('…')
                || smile
                || lexeme.is('•')
                || lexeme.is('/') && ends_item(index, &current, lexeme, next)
                || lexeme.is('.') && next.is_none_or(|n| n.spaced || n.is('.')));
        if ends {
            let question = lexeme.is('?');
            flush(index, &mut current, begins, false, out);
            if question {
                for piece in &mut out[begun_at..] {
                    piece.question = true;
                }
            }
            begins = true;
            begun_at = out.len();
            continue;
        }
        if depth == 0 && lexeme.is(':') && !current.is_empty() && quantity_follows(&line, i + 1) {
            current.push(Lexeme { kind: Kind::Mark('-'), spaced: true, ..lexeme.clone() });
            continue;
        }
        // «тип: 3, цвет: серый»
        if depth == 0 && lexeme.is(':') && i > 0 && names_parameter(&line[i - 1]) {
            continue;
        }
        if depth == 0
            && lexeme.is(':')
            && !(i > 0 && line[i - 1].is_number() && next.is_some_and(Lexeme::is_number))
            && !table
        {
            flush(index, &mut current, begins, true, out);
            begins = true;
            begun_at = out.len();
            continue;
        }
        // «…и плюс халат»
        if current.is_empty() && lexeme.text == "плюс" && next.is_some_and(Lexeme::is_word) {
            continue;
        }
        // «1000 шт нет 2000 шт», «точнее чёрный»
        let mends = depth == 0
            && lexeme.is_word()
            && current.iter().any(Lexeme::is_number)
            && matches!(
                lexeme.text.as_str(),
                "нет"
                    | "ой"
                    | "точнее"
                    | "вернее"
                    | "хотя"
                    | "лучше"
                    | "поправка"
                    | "поправочка"
                    | "упс"
                    | "ошибка"
                    | "исправление"
                    | "пардон"
                    | "стоп"
                    | "исправьте"
                    | "исправь"
                    | "поменяйте"
                    | "ошибся"
                    | "ошиблась"
                    | "перепутал"
                    | "перепутала"
            )
            && next.is_some_and(|n| n.is_number() || n.is_word());
        if mends || depth == 0 && takes_back_another(&line, i, &current) {
            flush(index, &mut current, begins, false, out);
            begins = false;
        }
        // «белый/чёрный по 5»
        let either = depth == 0
            && lexeme.is('/')
            && i > 0
            && [line.get(i - 1), next].iter().all(|l| {
                l.is_some_and(|l| {
                    l.is_word() && l.text.chars().count() >= 3 && index.vocabulary.hears(&l.text)
                })
            });
        // «4х25/4х30 по 1000»
        let sizes = depth == 0
            && lexeme.is('/')
            && i >= 2
            && line[i - 2].is('x')
            && next.is_some_and(Lexeme::is_number)
            && line.get(i + 2).is_some_and(|l| l.is('x'));
        let listed = depth == 0
            && lexeme.is('/')
            && (is_slash_list(&line, i) || is_list_of_measures(&line, i));
        // «Таких же чёрных, но 60»
        let alike = next.is_some_and(|n| matches!(n.text.as_str(), "но" | "только"))
            && current.iter().any(|l| l.text == "же")
            && !current.iter().any(Lexeme::is_number);
        let comma = lexeme.is(',') && depth == 0 && !alike
            || listed
            || either
            || sizes
            || lexeme.is('+') && lexeme.spaced && next.is_none_or(|n| n.spaced) && depth == 0
            || lexeme.is_word()
                && depth == 0
                && !current.is_empty()
                && !lexeme.dotted
                && (lexeme.spaced || !line[i - 1].is('-'))
                && speech::is_conjunction(&lexeme.text)
                && (lexeme.text != "плюс" || current.iter().any(Lexeme::is_number));
        if comma {
            let from = out.len();
            flush(index, &mut current, begins, false, out);
            begins = false;
            if let Some(first) = out.get_mut(from) {
                first.parted = std::mem::take(&mut parted);
            }
            // «Сверло по кирпичу и бетону» may be one thing.
            parted = either || lexeme.text == "и";
            continue;
        }
        let stop = lexeme.dotted
            && next.is_some_and(|n| n.spaced && (n.is_word() || n.spoken && n.named))
            && depth == 0
            && (lexeme.text.chars().count() >= 4
                && (speech::is_filler(&lexeme.text)
                    || speech::is_verb(&lexeme.text)
                    || speech::is_cancel(&lexeme.text)
                    || speech::is_delivery(&lexeme.text))
                || lexeme.text.chars().count() >= 4
                    && crate::recognition::normalize::stem(&lexeme.text) != lexeme.text
                    && index.vocabulary.is_whole(&lexeme.text)
                    // «мелам.» of «меламиновая»
                    && index.vocabulary.beginning(&lexeme.text).next().is_none()
                || next.is_some_and(|n| {
                    speech::is_greeting(&n.text)
                        || speech::is_delivery(&n.text) && !index.vocabulary.has(&n.text)
                        || speech::is_filler(&n.text) && n.text.chars().count() > 2
                        || speech::is_verb(&n.text) && n.upper
                })
                // «110х110х45гр. рыжий» goes on.
                || i > 0
                    && line[i - 1].is_number()
                    && (lexeme.spaced || i < 2 || !line[i - 2].is('x'))
                    && unit_at(&line, i).is_some_and(|(unit, taken)| {
                        // «Шина 12 гр. DIN» is of twelve groups.
                        let grams = unit.short() == Some("г");
                        taken == 1 && (!grams || next.is_some_and(|n| opens(index, n)))
                    })
                || is_told(index, &current, lexeme)
                || next.is_some_and(|n| n.upper) && crate::recognition::quantity::is_lone_unit(&lexeme.text)
                || next.is_some_and(|n| opens(index, n))
                    && (i > 0 && is_measure(&line[i - 1], lexeme)
                        || is_address(index, &current, lexeme)));
        current.push(lexeme.clone());
        if stop {
            flush(index, &mut current, begins, false, out);
            begins = true;
            begun_at = out.len();
        }
    }
    let from = out.len();
    flush(index, &mut current, begins, false, out);
    if let Some(first) = out.get_mut(from) {
        first.parted = parted;
    }
}

/// «Высота 15 см, цвет венге, 16 шт; высота 11 см, орех, 8 шт»: where semicolons part items that
/// each end with their only quantity, commas part the attributes of one.
fn whole_items(index: &Index, line: Vec<Lexeme>) -> Vec<Lexeme> {
    let end = |part: &[Lexeme]| {
        let counted = |at: &usize| {
            part[*at].is_number() && unit_at(part, at + 1).is_some_and(|(unit, _)| unit.counts())
        };
        let mut found = (0..part.len()).filter(counted);
        let (Some(at), None) = (found.next(), found.next()) else { return false };
        let each = at > 0 && part[at - 1].text == "по";
        let taken = unit_at(part, at + 1).map_or(0, |(_, taken)| taken);
        let goods = part.split(|l| l.is(',')).filter(|p| p.iter().any(|l| opens(index, l)));
        !each && at + 1 + taken == part.len() && goods.count() < 2
    };
    let parts: Vec<&[Lexeme]> = line.split(|l| l.is(';')).collect();
    if parts.len() < 2 || !parts.into_iter().all(end) {
        return line;
    }
    line.into_iter().filter(|l| !l.is(',')).collect()
}

/// «…3 шт а контргайки вычеркни»: whether a clause begins that takes other goods back.
fn takes_back_another(line: &[Lexeme], at: usize, current: &[Lexeme]) -> bool {
    let ends = |l: &&Lexeme| !",.;!?".chars().any(|c| l.is(c));
    let mut clause = line[at + 1..].iter().take_while(ends);
    line[at].text == "а"
        && current.iter().any(Lexeme::is_number)
        && clause.any(|l| l.is_word() && speech::is_cancel(&l.text))
}

/// Whether a word names a parameter, «цвет», whose value follows.
fn names_parameter(lexeme: &Lexeme) -> bool {
    lexeme.is_word() && lexeme.text.chars().count() > 2 && is_little(&lexeme.text)
}

/// «Саморез 4х25 200 шт / скоба 80/6 5 уп»: whether a slash stands between two items.
fn ends_item(index: &Index, before: &[Lexeme], slash: &Lexeme, next: Option<&Lexeme>) -> bool {
    let opens_next = || next.is_some_and(|n| opens(index, n));
    let counted = |at: usize| {
        before[at].is_number()
            && unit_at(before, at + 1).is_some_and(|(unit, taken)| {
                // «… 30 п.м. / оксфорд»
                (unit.counts() || opens_next()) && at + 1 + taken == before.len()
            })
    };
    slash.spaced
        && next.is_some_and(|n| n.spaced && n.is_word() && index.vocabulary.hears(&n.text))
        && (0..before.len()).any(counted)
}

/// Whether a number and its unit of measure end a sentence: «рулон изолона 8 мм. Картон 3 мм есть?»
fn is_measure(number: &Lexeme, unit: &Lexeme) -> bool {
    number.is_number() && crate::recognition::terms::Measure::read(&unit.text, true).is_some()
}

/// Whether a word with a full stop calls somebody, «принимай, Лёх. Уголок…»: it is said before any
/// goods and no word of the catalogue begins so.
fn is_address(index: &Index, before: &[Lexeme], lexeme: &Lexeme) -> bool {
    let word = crate::recognition::terms::Word {
        text: lexeme.text.clone(),
        dotted: true,
        ..Default::default()
    };
    let idle = |l: &Lexeme| !l.is_number() && (!l.is_word() || speech::is_filler(&l.text));
    lexeme.text.chars().count() >= 3
        && before.iter().all(idle)
        && index.vocabulary.meanings(&word).words.is_empty()
}

/// Whether a word with a full stop ends what somebody tells: «бригада собирает гардероб. Труба…». None
/// of it is of the catalogue, and some of it is talk.
fn is_told(index: &Index, before: &[Lexeme], lexeme: &Lexeme) -> bool {
    let word = crate::recognition::terms::Word {
        text: lexeme.text.clone(),
        dotted: true,
        ..Default::default()
    };
    let talk = |l: &Lexeme| {
        speech::is_filler(&l.text) || speech::is_delivery(&l.text) || speech::is_finite(&l.text)
    };
    let words = || before.iter().filter(|l| l.is_word());
    lexeme.text.chars().count() >= 4
        && !before.iter().any(Lexeme::is_number)
        && words().any(talk)
        && words().all(|l| talk(l) || is_little(&l.text) || !index.vocabulary.hears(&l.text))
        && index.vocabulary.meanings(&word).words.is_empty()
}

/// «h=80/100/150 хром по 4»: numbers between slashes that are items, for a quantity of each follows.
fn is_slash_list(line: &[Lexeme], at: usize) -> bool {
    let slash = |k: usize| line.get(k).is_some_and(|l| l.is('/') && !l.spaced);
    let number = |k: usize| line.get(k).is_some_and(|l| l.is_number() && !l.spaced);
    let mut from = at;
    while from >= 2 && slash(from - 2) && number(from - 1) {
        from -= 2;
    }
    let mut to = at;
    while slash(to + 2) && number(to + 1) {
        to += 2;
    }
    let count = (to - from) / 2 + 2;
    let first = from.checked_sub(1).filter(|f| line[*f].is_number());
    let Some(first) = first.filter(|_| number(to + 1)) else { return false };
    let marked = first > 0 && (line[first - 1].is('=') || line[first - 1].is('x'));
    let each = line[to + 1..].windows(2).any(|w| w[0].text == "по" && w[1].is_number());
    each && (count >= 3 || marked) && !line[from..=to + 1].iter().any(|l| l.is('x'))
}

/// «Шпатель 80мм/350мм по 5 шт»: whether a slash stands between two measures that are items.
fn is_list_of_measures(line: &[Lexeme], at: usize) -> bool {
    let unit = |k: usize| line.get(k).filter(|l| l.is_word()).map(|l| l.text.as_str());
    let number = |k: usize| line.get(k).is_some_and(Lexeme::is_number);
    let each = line[at..].windows(2).any(|w| w[0].text == "по" && w[1].is_number());
    each && at >= 2
        && number(at - 2)
        && number(at + 1)
        && unit(at - 1).is_some()
        && unit(at - 1) == unit(at + 2)
}

/// Whether a quantity and nothing else stands between here and the next comma or the end of the
/// sentence.
pub(super) fn quantity_follows(line: &[Lexeme], from: usize) -> bool {
    let ends = |l: &Lexeme| [',', ';', '.', '!', '?'].iter().any(|mark| l.is(*mark));
    let to = line[from..].iter().position(ends).map_or(line.len(), |n| from + n);
    let rest = &line[from..to];
    // «нитки по 6 каждого: 120, 137» goes on with a list.
    let list = line.get(to + 1).is_some_and(Lexeme::is_number)
        && line.get(to + 2).is_none_or(|l| l.is(',') || l.is(';'));
    if list {
        return false;
    }
    match rest.first() {
        Some(first) if first.is_number() && !first.named => {
            rest.len() == 1 || unit_at(rest, 1).is_some_and(|(_, n)| n + 1 == rest.len())
        }
        _ => false,
    }
}

/// Makes pieces of a run: cut where a quantity ends and another item begins.
pub(super) fn flush(
    index: &Index,
    current: &mut Vec<Lexeme>,
    begins: bool,
    header: bool,
    out: &mut Vec<Piece>,
) {
    let lexemes = std::mem::take(current);
    if !lexemes.iter().any(|l| l.is_word() || l.is_number()) {
        return;
    }
    let cuts = cuts(index, &lexemes);
    let mut from = 0;
    let ends = cuts.iter().copied().chain([lexemes.len()]).collect::<Vec<_>>();
    for (n, end) in ends.into_iter().enumerate() {
        let part = trimmed(&lexemes[from..end]);
        from = end;
        if let Some(mut piece) = piece(part) {
            piece.continues = !begins || n > 0;
            piece.cut = n > 0;
            piece.header = header && from == lexemes.len();
            out.push(piece);
        }
    }
}

/// A run without marks at its ends.
pub(super) fn trimmed(lexemes: &[Lexeme]) -> &[Lexeme] {
    let idle = |l: &Lexeme| {
        !l.is_word() && !l.is_number() && !l.is('x') && !l.is('№') && !l.is('(') && !l.is('-')
    };
    let from = lexemes.iter().position(|l| !idle(l)).unwrap_or(lexemes.len());
    let to = lexemes
        .iter()
        .rposition(|l| l.is_word() || l.is_number() || l.is(')') || l.is('%') || l.is('"'))
        .map_or(from, |n| n + 1);
    &lexemes[from.min(to)..to]
}
