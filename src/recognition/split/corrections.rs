//! What a line takes back, taken out of it: «не 7х70», «вместо 250», «тьфу».

use super::super::index::Index;
use super::super::lexer::{Kind, Lexeme};
use super::super::quantity::{Said, unit_at};
use super::super::speech;
use super::super::terms::is_little;
use super::opens;

/// Takes out of a line what its words take back: «не 7х70», «вместо 250», «тьфу».
#[expect(clippy::too_many_lines, reason = "one turn of speech a paragraph")]
pub(super) fn corrected(index: &Index, line: Vec<Lexeme>) -> Vec<Lexeme> {
    let mut line = line;
    let mut dead = vec![false; line.len()];
    let mut mended: Vec<usize> = Vec::new();
    let boundary = |l: &Lexeme| {
        l.is(',')
            || l.is(';')
            || l.is('!')
            || l.is('?')
            || l.is('(')
            || l.is(')')
            || l.is('.')
            || l.is('\t')
            || (l.is('-') && l.spaced)
    };
    let mut i = 0;
    while i < line.len() {
        match word(&line, i) {
            Some("не") if word(&line, i + 1).is_some_and(speech::is_refusal) => i += 1,
            Some("не") if word(&line, i + 1).is_some_and(speech::asks_politely) => {
                dead[i] = true;
                dead[i + 1] = true;
                i += 1;
            }
            Some("не") => {
                let end = (i + 1..line.len())
                    .find(|k| boundary(&line[*k]) || word(&line, *k) == Some("а"));
                let end = end.unwrap_or(line.len());
                // «не белый, а бежевый»
                let after = if line.get(end).is_some_and(|l| l.is(','))
                    && word(&line, end + 1) == Some("а")
                {
                    end + 1
                } else {
                    end
                };
                let replaced = word(&line, after) == Some("а");
                let bracket = i > 0 && line[i - 1].is('(');
                let comma = i == 0 || boundary(&line[i - 1]) || line[i - 1].dotted;
                if replaced {
                    for d in &mut dead[i..=after] {
                        *d = true;
                    }
                    if comma && i > 0 {
                        mended.push(after);
                    }
                    i = after;
                } else if bracket || comma {
                    // A quantity after what is refused belongs to the line.
                    let named = word(&line, i + 1).is_some();
                    let measured = || (i + 2..end).find(|k| named && is_measured(&line, *k));
                    let stop = quantity_in(&line, i + 1, end).or_else(measured).unwrap_or(end);
                    for d in &mut dead[i..stop] {
                        *d = true;
                    }
                    i = stop.max(i + 1) - 1;
                } else if word(&line, i + 1).is_some() {
                    // «обычные не нерж 2уп»
                    dead[i] = true;
                    dead[i + 1] = true;
                    i += 1;
                }
            }
            Some("вместо" | "заместо") if let Some(verb) = put_instead(&line, i) => {
                // «вместо зеркала 4 мм поставьте стекло»
                for d in &mut dead[i..=verb] {
                    *d = true;
                }
                i = verb;
            }
            Some("вместо" | "заместо") => {
                dead[i] = true;
                let mut k = i + 1;
                // One thing: a number with its unit, or words.
                if line.get(k).is_some_and(Lexeme::is_number) {
                    dead[k] = true;
                    k += 1;
                    while k < line.len()
                        && (line[k].is('x')
                            || line[k].is('/')
                            || (line[k].is_number()
                                && (line[k - 1].is('x') || line[k - 1].is('/'))))
                    {
                        dead[k] = true;
                        k += 1;
                    }
                    let measured = line.get(k).is_some_and(|l| {
                        l.is_word()
                            && !l.spaced
                            && super::super::terms::Measure::read(&l.text, true).is_some()
                    });
                    let taken = unit_at(&line, k).map_or(usize::from(measured), |(_, n)| n);
                    for d in &mut dead[k..(k + taken).min(line.len())] {
                        *d = true;
                    }
                } else if word(&line, k).is_some_and(|w| {
                    matches!(w, "него" | "нее" | "них" | "этого" | "этой" | "этих")
                }) {
                    dead[k] = true;
                } else {
                    if line.get(k).is_some_and(|l| l.is_word() && !speech::is_filler(&l.text)) {
                        dead[k] = true;
                        k += 1;
                    }
                    if line.get(k).is_some_and(Lexeme::is_number)
                        && unit_at(&line, k + 1).is_none()
                        && line.get(k + 1).is_some()
                    {
                        dead[k] = true;
                    }
                }
            }
            Some("было") if line.get(i + 1).is_some_and(Lexeme::is_number) => {
                dead[i] = true;
                dead[i + 1] = true;
                if let Some((_, n)) = unit_at(&line, i + 2) {
                    for d in &mut dead[i + 2..(i + 2 + n).min(line.len())] {
                        *d = true;
                    }
                }
            }
            // «2 листа, 3 листа точнее»: the piece itself puts right.
            Some("точнее" | "вернее") if line.get(i + 1).is_none_or(boundary) => {}
            // «…100, тьфу, м8х50»: after a comma it is a piece that puts right.
            Some("тьфу" | "тоесть" | "точнее" | "вернее") if puts_right(index, &line, i) =>
            {
                if i > 0 {
                    line[i - 1].kind = Kind::Mark(',');
                }
                mended.push(i);
            }
            Some("тьфу" | "тоесть" | "точнее" | "вернее") => {
                take_back(&line, i, i + 1, &mut dead);
            }
            Some("то") if word(&line, i + 1) == Some("есть") => {
                take_back(&line, i, i + 2, &mut dead);
            }
            // «поправка: 24»
            Some(said)
                if speech::is_correction(said) && line.get(i + 1).is_some_and(|l| l.is(':')) =>
            {
                dead[i + 1] = true;
            }
            Some("в") if word(&line, i + 1) == Some("смысле") => {
                take_back(&line, i, i + 2, &mut dead);
            }
            _ if line[i].is('.') && line.get(i + 1).is_some_and(|l| l.is('.'))
                || line[i].is('…') =>
            {
                // «чёр... белая»: a word cut short is taken back.
                let next = (i..line.len()).find(|k| !line[*k].is('.') && !line[*k].is('…'));
                let cut = i > 0 && line[i - 1].is_word() && unit_at(&line, i - 1).is_none();
                // «двадцать... тридцать упаковок»
                let again = i > 0 && line[i - 1].is_number();
                if again && next.is_some_and(|n| line[n].is_number() && line[n].spaced) {
                    dead[i - 1] = true;
                }
                // «18 первого... не, обычной»
                let no = next.is_some_and(|n| {
                    line[n].text == "не" && line.get(n + 1).is_some_and(|l| l.is(','))
                });
                if no && i > 0 && (cut || line[i - 1].named) {
                    dead[i - 1] = true;
                    for d in &mut dead[i..=next.unwrap_or(i) + 1] {
                        *d = true;
                    }
                    i = next.unwrap_or(i) + 2;
                    continue;
                }
                if cut
                    && next.is_some_and(|n| {
                        line[n].is_word() && !matches!(line[n].text.as_str(), "нет" | "хотя" | "ой")
                    })
                {
                    dead[i - 1] = true;
                    for d in &mut dead[i..next.unwrap_or(i)] {
                        *d = true;
                    }
                }
            }
            _ => {}
        }
        i += 1;
    }
    for at in mended {
        // «5 уп, не 5 а 7»: what follows puts right what was said.
        line[at].text = "лучше".into();
        dead[at] = false;
    }
    line.into_iter().zip(dead).filter(|(_, d)| !d).map(|(l, _)| l).collect()
}

/// «Лента 25 белая 5 шт, точнее чёрная», «… 5 шт (точнее 7)»: whether what follows puts the item
/// before right, rather than takes the words before back.
fn puts_right(index: &Index, line: &[Lexeme], at: usize) -> bool {
    let Some(mark) = at.checked_sub(1) else { return true };
    let apart = ",(.…".chars().any(|c| line[mark].is(c)) || line[mark].is('-') && line[mark].spaced;
    // «2 шт... тьфу, одна»
    let dots = line[..mark].iter().rev().take_while(|l| l.is('.')).count();
    let item = &line[..mark - dots];
    let last = item.iter().rposition(Lexeme::is_number);
    let counted = last.is_some_and(|n| {
        let unit = unit_at(item, n + 1);
        let counts = unit.as_ref().is_none_or(|(unit, _)| unit.counts());
        n > 0 && counts && n + 1 + unit.map_or(0, |(_, taken)| taken) == item.len()
    });
    let likens =
        line.get(at + 1).is_some_and(|l| l.is_word() && !is_little(&l.text) && !opens(index, l));
    apart && item.iter().any(Lexeme::is_word) && (counted || likens)
}

/// The word at a place.
fn word(line: &[Lexeme], at: usize) -> Option<&str> {
    line.get(at).filter(|l| l.is_word()).map(|l| l.text.as_str())
}

/// Where, after «вместо», what comes instead is asked for: «вместо зеркала 4 мм поставьте стекло».
fn put_instead(line: &[Lexeme], from: usize) -> Option<usize> {
    let clause = line[from..].iter().position(|l| ",;!?".chars().any(|c| l.is(c)));
    let to = clause.map_or(line.len(), |n| from + n);
    word(line, from + 1)?;
    let verb = (from + 2..to).find(|at| word(line, *at).is_some_and(speech::asks_for))?;
    (verb + 1 < to).then_some(verb)
}

/// Where a quantity with a unit begins in a range.
pub(super) fn quantity_in(line: &[Lexeme], from: usize, to: usize) -> Option<usize> {
    (from + 1..to)
        .find(|k| line[*k].is_number() && unit_at(line, *k + 1).is_some_and(|(u, _)| u.counts()))
}

/// Whether a number with any unit stands here by itself: «не плюс 8 м».
fn is_measured(line: &[Lexeme], at: usize) -> bool {
    line[at].is_number() && line[at].spaced && unit_at(line, at + 1).is_some()
}

/// «скобы 14/10 тоесть 140/10»: what stands before gives way to what follows.
pub(super) fn take_back(line: &[Lexeme], at: usize, after: usize, dead: &mut [bool]) {
    for d in &mut dead[at..after.min(line.len())] {
        *d = true;
    }
    let Some(next) = line.get(after) else { return };
    let mut k = at;
    while k > 0 && (line[k - 1].is('.') || line[k - 1].is(',') || line[k - 1].is('-')) {
        dead[k - 1] = true;
        k -= 1;
    }
    let told = if next.text == "по" { after + 1 } else { after };
    if line.get(told).is_some_and(Lexeme::is_number) {
        // «1900х1200 3 шт, то есть 2000х1200»: the number that is written alike.
        let alike = shape(line, told);
        let old = (0..k)
            .rev()
            .take_while(|n| !line[*n].is(',') && !line[*n].is(';'))
            .find(|n| line[*n].is_number() && begins_number(line, *n) && shape(line, *n) == alike);
        let (from, to) = match old {
            Some(old) => (old, old + alike.0 + alike.1.as_ref().map_or(0, |u| u.1)),
            None => (k - line[..k].iter().rev().take_while(|l| in_number(l)).count(), k),
        };
        for d in &mut dead[from..to.min(k)] {
            *d = true;
        }
        if told > after && from > 0 && line[from - 1].text == "по" {
            dead[from - 1] = true;
        }
    } else {
        while k > 0 && !line[k - 1].is(',') && !line[k - 1].is(';') {
            dead[k - 1] = true;
            k -= 1;
        }
    }
}

/// Whether a lexeme is a part of a number or a size.
fn in_number(lexeme: &Lexeme) -> bool {
    lexeme.is_number() || lexeme.is('x') || lexeme.is('/')
}

/// Whether a number or a size begins at a place.
fn begins_number(line: &[Lexeme], at: usize) -> bool {
    !at.checked_sub(1).is_some_and(|before| line[before].is('x') || line[before].is('/'))
}

/// How a number is written: how many lexemes it takes, and its unit with how many that takes.
fn shape(line: &[Lexeme], at: usize) -> (usize, Option<(Said, usize)>) {
    let crossed = |n: usize| line.get(n).is_some_and(|l| l.is('x') || l.is('/'));
    let mut taken = 1;
    while crossed(at + taken) && line.get(at + taken + 1).is_some_and(Lexeme::is_number) {
        taken += 2;
    }
    (taken, unit_at(line, at + taken))
}
