//! Items that follow one another without a mark: cut where a quantity ends and a word that opens
//! titles begins.

use super::super::index::Index;
use super::super::lexer::Lexeme;
use super::super::quantity::{Said, is_counted, unit_at};
use super::super::speech;
use super::super::terms::Word;
use super::super::types::SynonymTarget;

/// Where a run of lexemes must be cut.
pub(super) fn cuts(index: &Index, lexemes: &[Lexeme]) -> Vec<usize> {
    before_quantities(index, lexemes).unwrap_or_else(|| after_quantities(index, lexemes))
}

/// Where a quantity ends that another item follows.
fn after_quantities(index: &Index, lexemes: &[Lexeme]) -> Vec<usize> {
    let mut out = Vec::new();
    let mut from = 0;
    let mut i = 0;
    while i < lexemes.len() {
        let lexeme = &lexemes[i];
        if ends_with_lone_unit(index, lexemes, from, i) {
            out.push(i + 1);
            from = i + 1;
            i += 1;
            continue;
        }
        if !lexeme.is_number() || lexeme.named {
            i += 1;
            continue;
        }
        // «Спанбонд 70 x5 скоба 80/6 x3»
        let times = i > 1 && lexemes[i - 1].is('x') && !lexemes[i - 2].is_number();
        let sized = !times && is_part_of_size(lexemes, i);
        let unit = unit_at(lexemes, i + 1)
            .filter(|u| matches!(u.0, crate::recognition::quantity::Said::Unit(_)));
        let measured = unit.is_none()
            && lexemes.get(i + 1).is_some_and(|l| {
                l.is('%')
                    || l.is_word()
                        && crate::recognition::terms::Measure::read(&l.text, !l.spaced).is_some()
            });
        // «(25шт)» is in a pack.
        if is_in_brackets(lexemes, i) {
            i += 1;
            continue;
        }
        let mut end = quantity_end(lexemes, i, unit.as_ref().map_or(0, |u| u.1));
        let mut rest = &lexemes[end.min(lexemes.len())..];
        let before = &lexemes[from..i];
        // «Сто ампул раундап…»: counted by a noun that is no unit.
        let noun = unit.is_none() && rest.first().is_some_and(|l| is_strange_noun(index, l));
        if noun {
            end += 1;
            rest = &rest[1..];
        }
        let heads = |run: &[Lexeme]| run.iter().any(|l| l.is_word() && opens(index, l));
        let says = |run: &[Lexeme]| run.iter().any(|l| names_something(index, l));
        let next_word = rest.iter().find(|l| {
            l.is_word()
                && !speech::is_filler(&l.text)
                && !crate::recognition::terms::is_little(&l.text)
        });
        let counts = unit.as_ref().is_some_and(|u| u.0.counts());
        // «Профиль ПН 50х40 3м Кн. 20»: a name cut to two letters opens nothing.
        let initials = |l: &Lexeme| l.dotted && l.upper && l.text.chars().count() < 3;
        let opens_next = next_word.is_some_and(|l| !initials(l) && opens(index, l));
        let numbered = rest.iter().any(Lexeme::is_number);
        let later =
            (0..rest.len()).filter(|k| rest[*k].is_number()).find_map(|k| unit_at(rest, k + 1));
        // «тетрадь 48 листов клетка 20 шт»: no other item begins, and units differ.
        let again = later.is_some_and(|l| unit.as_ref().is_some_and(|u| u.0 == l.0));
        // «Интерлок голубой пять кило бифлекс три кило»: an item that the catalogue lacks.
        let spoken = lexeme.spoken && next_word.is_some_and(|l| is_strange_noun(index, l));
        let unit_later = again
            && (spoken || opens_next || next_word.is_some_and(|l| l.dotted || describes(index, l)));
        // «датчик 12 м IEK», «аккумулятор 6СТ 77 Varta»: a maker's name goes on with the item.
        let goes_on = next_word.is_some_and(|l| is_name_of(index, before, l));
        // «… шестьдесят метров потом восемьдесят на восемьдесят 24 метра»: the same in another size.
        let resized = matches!(rest.iter().skip_while(|l| l.is_word() && speech::is_filler(&l.text))
            .take(3).collect::<Vec<_>>().as_slice(), [one, cross, two]
            if one.is_number() && cross.is('x') && two.is_number());
        let cut = if resized && again && says(before) && !sized {
            true
        } else if counts {
            says(before)
                && says(rest)
                && rest.first().is_some_and(Lexeme::is_word)
                && (unit_later || opens_next && numbered)
        } else if unit.is_some() {
            // «… 5м marsel 30 шоколад 11м»: as the item before was.
            let named = again
                && rest.first().is_some_and(Lexeme::is_word)
                && rest.get(1).is_some_and(Lexeme::is_number);
            let goes_on = goes_on && !named || next_word.is_some_and(|l| l.text.contains('/'));
            let sold = unit.as_ref().is_some_and(|u| is_sold_by(index, before, &u.0));
            let opens_next = opens_next || again && spoken;
            says(before) && !sized && opens_next && !goes_on && numbered && sold
        } else {
            heads(before)
                && !sized
                && !measured
                && opens_next
                && !goes_on
                && numbered
                && rest.first().is_some_and(|l| l.is_word() && l.spaced && opens(index, l))
                && (noun || times || before.iter().any(Lexeme::is_number))
        };
        if cut {
            out.push(end);
            from = end;
        }
        i = end;
    }
    out
}

/// Whether a number is a part of a size or a code: «4х25», «80/6», «RS133».
fn is_part_of_size(lexemes: &[Lexeme], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| &lexemes[before]);
    before.is_some_and(|l| l.is('x') || l.is('/') || l.is('№'))
        || lexemes.get(at + 1).is_some_and(|l| l.is('x') || l.is('/'))
        || !lexemes[at].spaced && before.is_some_and(|l| l.is_word() || l.is('-'))
}

/// Where a quantity ends whose unit takes so many lexemes, «5 уп», «2 кор по 500 шт».
fn quantity_end(lexemes: &[Lexeme], at: usize, unit: usize) -> usize {
    let end = at + 1 + unit;
    let by = unit > 0
        && lexemes.get(end).is_some_and(|l| l.text == "по")
        && lexemes.get(end + 1).is_some_and(Lexeme::is_number);
    if !by {
        return end;
    }
    end + 2 + unit_at(lexemes, end + 2).map_or(0, |(_, taken)| taken)
}

/// «Спанбонд рулон нитки 5 шт»: a unit with no number beside it ends an item when a thing was
/// named before it and another begins after it, with a number of its own.
fn ends_with_lone_unit(index: &Index, lexemes: &[Lexeme], from: usize, at: usize) -> bool {
    let lexeme = &lexemes[at];
    lexeme.is_word()
        && crate::recognition::quantity::is_lone_unit(&lexeme.text)
        && at > 0
        && (lexemes[at - 1].named || !lexemes[at - 1].is_number())
        && (unit_at(lexemes, at - 1).is_none() || !is_head(index, lexeme))
        && lexemes.get(at + 1).is_some_and(|l| l.is_word() && opens(index, l))
        && lexemes[from..at].iter().any(|l| l.is_word() && opens(index, l))
        && lexemes[at + 1..].iter().any(Lexeme::is_number)
}

/// Whether a word tells something of goods: it is no talk, no unit, and the catalogue hears it.
fn names_something(index: &Index, lexeme: &Lexeme) -> bool {
    lexeme.is_word()
        && !speech::is_filler(&lexeme.text)
        && !speech::is_delivery(&lexeme.text)
        && !crate::recognition::terms::is_little(&lexeme.text)
        && crate::recognition::quantity::known_unit(&lexeme.text).is_none()
        && (lexeme.dotted || index.vocabulary.hears(&lexeme.text) || opens(index, lexeme))
}

/// «Две пачки скоб три рулона спанбонда», «шесть ножек PK-09 восемь молдингов MB-13»: where
/// quantities stand before their goods from the beginning to the end, each begins an item.
fn before_quantities(index: &Index, lexemes: &[Lexeme]) -> Option<Vec<usize>> {
    let counted = |at: usize| -> Option<usize> {
        let number = &lexemes[at];
        let free = number.is_number()
            && !number.named
            && (number.spaced || at == 0)
            && !is_in_brackets(lexemes, at)
            && at.checked_sub(1).is_none_or(|b| !"x/№-".chars().any(|c| lexemes[b].is(c)));
        let thing = |l: &Lexeme| is_counted(number, l) && opens(index, l);
        if free && lexemes.get(at + 1).is_some_and(thing) {
            return Some(at + 1);
        }
        let (unit, taken) = unit_at(lexemes, at + 1).filter(|_| free)?;
        let end = at + 1 + taken;
        // «50 пар/уп»
        let packed = lexemes.get(end).is_some_and(|l| l.is('/') && !l.spaced);
        (unit.counts() && unit.short().is_some() && !packed).then_some(end)
    };
    let idle = |l: &Lexeme| !l.is_number() && (!l.is_word() || speech::is_filler(&l.text));
    // «Едем за товаром, нужно шесть ножек…»
    let asked = lexemes.iter().position(|l| matches!(l.text.as_str(), "нужно" | "надо"));
    let told = asked.filter(|at| !lexemes[..*at].iter().any(|l| l.is_number() || opens(index, l)));
    let begun = told.map_or(0, |at| at + 1);
    let first = begun + lexemes[begun..].iter().position(|l| !idle(l))?;
    counted(first)?;
    let names = |l: &Lexeme| {
        l.is_word()
            && l.text.chars().count() >= 3
            && !speech::is_filler(&l.text)
            && !speech::is_delivery(&l.text)
            && (index.vocabulary.hears(&l.text) || opens(index, l))
    };
    let starts: Vec<(usize, usize)> =
        (first..lexemes.len()).filter_map(|at| Some((at, counted(at)?))).collect();
    let mut cuts = Vec::new();
    for (n, (at, from)) in starts.iter().enumerate() {
        let to = starts.get(n + 1).map_or(lexemes.len(), |next| next.0);
        if lexemes[*from..to].iter().any(names) {
            cuts.push(*at);
        } else if to == lexemes.len() && lexemes[at + 1].spaced {
            // The last quantity has no goods after it: they stand before theirs.
            return None;
        }
    }
    (cuts.len() > 1 && cuts[0] == first).then(|| cuts.split_off(1))
}

/// Whether a lexeme stands in brackets.
fn is_in_brackets(lexemes: &[Lexeme], at: usize) -> bool {
    let open = lexemes[..at].iter().rposition(|l| l.is('(') || l.is(')'));
    open.is_some_and(|open| lexemes[open].is('(')) && lexemes[at..].iter().any(|l| l.is(')'))
}

/// Whether a word says what a thing is like: «белые».
fn describes(index: &Index, lexeme: &Lexeme) -> bool {
    let key = crate::recognition::normalize::stem(&lexeme.text);
    crate::recognition::line::is_adjective(&lexeme.text)
        || crate::recognition::decide::names_colour(&key)
        || index.vocabulary.row(&key).is_some_and(|r| index.vocabulary.get(r).telling)
}

/// Whether anything that these words may name is sold by the unit: «мыло 450мл» is a bottle, «клей 5
/// кг» may be five kilograms. Of what is sold in rolls metres are cut.
fn is_sold_by(index: &Index, run: &[Lexeme], unit: &Said) -> bool {
    const LOOKED: usize = 300;
    let Some(short) = unit.short().filter(|u| !matches!(*u, "м" | "м2" | "м3")) else {
        return true;
    };
    run.iter().filter(|l| l.is_word() && opens(index, l)).any(|lexeme| {
        let word = Word { text: lexeme.text.clone(), dotted: lexeme.dotted, ..Word::default() };
        let meanings = index.vocabulary.meanings(&word);
        let rows = meanings.words.iter().flat_map(|(w, _)| index.by_word.row(*w as usize));
        rows.take(LOOKED).any(|row| {
            let own = index.entries[*row as usize].unit.as_ref();
            own.is_some_and(|own| own.as_str() == short)
        })
    })
}

/// Whether a word is a name that mostly stands inside titles, a maker's, and of what was named before:
/// titles have both.
fn is_name_of(index: &Index, before: &[Lexeme], lexeme: &Lexeme) -> bool {
    let row = |l: &Lexeme| index.vocabulary.row(&crate::recognition::normalize::stem(&l.text));
    let Some(name) = row(lexeme).filter(|name| {
        let known = index.vocabulary.get(*name);
        known.name && !known.leads
    }) else {
        return false;
    };
    let titles = index.by_word.row(name as usize);
    let mut heads = before.iter().filter(|l| l.is_word()).filter_map(row).peekable();
    // A thing that the catalogue calls otherwise may be of any maker.
    heads.peek().is_none()
        || heads.any(|head| {
            index.by_word.row(head as usize).iter().any(|t| titles.binary_search(t).is_ok())
        })
}

/// Whether a word is a noun that the catalogue does not have: what goods are counted by, «сто ампул»,
/// or goods that it lacks.
fn is_strange_noun(index: &Index, lexeme: &Lexeme) -> bool {
    crate::recognition::quantity::may_count(lexeme) && !index.vocabulary.hears(&lexeme.text)
}

/// Whether titles or categories begin with exactly this word.
pub(super) fn is_head(index: &Index, lexeme: &Lexeme) -> bool {
    let row = index.vocabulary.row(&crate::recognition::normalize::stem(&lexeme.text));
    row.is_some_and(|r| index.vocabulary.get(r).head)
}

/// Whether a word opens an item: titles or categories begin with it.
pub(crate) fn opens(index: &Index, lexeme: &Lexeme) -> bool {
    let unit = crate::recognition::quantity::unit_at(std::slice::from_ref(lexeme), 0);
    if unit.is_some_and(|(u, _)| u.short().is_some())
        || lexeme.text.chars().count() < 2 && !lexeme.dotted
    {
        return false;
    }
    // A colour is what a thing is like, however the catalogue begins its titles.
    let spelt = crate::recognition::vocabulary::cyrillic(&lexeme.text);
    if crate::recognition::decide::names_colour(&crate::recognition::normalize::stem(&spelt))
        || crate::recognition::terms::is_little(&lexeme.text)
    {
        return false;
    }
    let word = crate::recognition::terms::Word {
        text: lexeme.text.clone(),
        dotted: lexeme.dotted,
        ..Default::default()
    };
    let meanings = index.vocabulary.meanings(&word);
    let best = meanings.words.iter().map(|w| w.1).fold(0.0_f32, f32::max);
    let synonym = index.lexicon.at(&[lexeme]).iter().any(|(n, target)| {
        let SynonymTarget::Words(words) = target else { return *n == 1 };
        *n == 1
            && words.split_whitespace().any(|w| {
                let row =
                    index.vocabulary.row(&crate::recognition::normalize::stem(&w.to_lowercase()));
                row.is_some_and(|r| {
                    let known = index.vocabulary.get(r);
                    known.head && !known.telling
                })
            })
    });
    synonym
        || meanings.words.iter().any(|(id, q)| {
            let known = index.vocabulary.get(*id);
            let long = known.surface.chars().count() >= 3;
            *q >= best - 0.03
                && *q >= 0.8
                && long
                && (known.head && (!known.telling || known.leads) || known.name)
        })
}
