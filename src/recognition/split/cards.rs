//! Goods described attribute by attribute: «Товар: кедер ⏎ диаметр: 8 ⏎ количество: 50 м»,
//! «Плита: ЛДСП / толщина 16 / 8 листов».

use super::super::index::Index;
use super::super::lexer::{Kind, Lexeme};
use super::super::quantity::unit_at;
use super::super::terms::{Measure, marker};
use super::opens;
use super::runon::is_head;
use super::tables::{Column, column, spaced};

/// An attribute with its name: «ширина: 80 мм».
struct Field {
    name: Vec<Lexeme>,
    value: Vec<Lexeme>,
    column: Column,
}

/// Lines of which each says one attribute, joined into lines of goods.
pub(super) struct Cards;

impl Cards {
    /// The lines of a text, with the lines of one card made one, and whether they were.
    ///
    /// What a card leaves out between its values looks like the gaps of a table.
    pub(super) fn joined(
        index: &Index,
        lines: impl Iterator<Item = Vec<Lexeme>>,
    ) -> impl Iterator<Item = (Vec<Lexeme>, bool)> {
        let mut out: Vec<(Vec<Lexeme>, bool)> = Vec::new();
        let mut card: Vec<(Vec<Lexeme>, Field)> = Vec::new();
        for line in lines {
            if let Some(fields) = inline(&line) {
                close(&mut card, &mut out);
                card = fields;
                close(&mut card, &mut out);
                continue;
            }
            match field(&line, !card.is_empty()) {
                Some(field) => {
                    let again = card.first().is_some_and(|(_, first)| {
                        first.name.iter().map(|l| &l.text).eq(field.name.iter().map(|l| &l.text))
                    });
                    if again {
                        close(&mut card, &mut out);
                    }
                    // «Кран шаровой ⏎ производитель: СТМ ⏎ кол-во: 4 шт»
                    if card.is_empty()
                        && !names_itself(&field)
                        && let Some((goods, _)) = out.pop_if(|(line, _)| is_goods(index, line))
                    {
                        let (name, value) = (Vec::new(), goods.clone());
                        card.push((goods, Field { name, value, column: Column::Name }));
                    }
                    card.push((line, field));
                }
                None => {
                    close(&mut card, &mut out);
                    out.push((line, false));
                }
            }
        }
        close(&mut card, &mut out);
        out.into_iter()
    }
}

/// A card in one line: «Наименование: скоба 80/10; упаковка: 10000 шт; кол-во: 5 уп».
fn inline(line: &[Lexeme]) -> Option<Vec<(Vec<Lexeme>, Field)>> {
    let mut segments: Vec<Vec<Lexeme>> = Vec::new();
    let line = &stopped(line);
    for segment in line.split(|l| l.is(';') || l.is(',')).filter(|s| !s.is_empty()) {
        match segments.last_mut() {
            Some(last) if !segment.iter().any(|l| l.is(':')) => {
                // «Цвет: белый, глянец», but «Товар: скоба 5, саморез 7» has items.
                if segment.iter().any(Lexeme::is_number) {
                    return None;
                }
                last.extend_from_slice(segment);
            }
            _ => segments.push(segment.to_vec()),
        }
    }
    // «…; кол-во: 6 листов» has been made a dash by now.
    let dashed =
        segments.last().and_then(|s| s.windows(2).rposition(|w| w[0].is('-') && w[1].is_number()));
    let counted = dashed.and_then(|at| Some(segments.last_mut()?.split_off(at)));
    let (first, rest) = segments.split_first()?;
    let named = field(first, true);
    let begins = named.as_ref().is_some_and(names_itself);
    let goods = named.unwrap_or_else(|| Field {
        name: Vec::new(),
        value: first.clone(),
        column: Column::Name,
    });
    let mut card = vec![(first.clone(), goods)];
    for segment in rest {
        card.push((segment.clone(), field(segment, false)?));
    }
    if let Some(mut value) = counted {
        value.remove(0);
        let column = Column::Quantity(None);
        card.push((value.clone(), Field { name: Vec::new(), value, column }));
    }
    let counts = card.iter().filter(|(_, f)| matches!(f.column, Column::Quantity(_))).count();
    let described = card[1..].iter().any(|(_, f)| matches!(f.column, Column::Name));
    (counts == 1 && (begins || described && card.len() > 2)).then_some(card)
}

/// «Молния. Тип: 5. Цвет: чёрный»: a full stop before the name of an attribute is a semicolon.
fn stopped(line: &[Lexeme]) -> Vec<Lexeme> {
    let names = |at: usize| {
        line.get(at).is_some_and(|l| l.is_word() && l.upper)
            && line[at + 1..].iter().take(2).any(|l| l.is(':'))
    };
    let mut out = Vec::with_capacity(line.len());
    for (at, lexeme) in line.iter().enumerate() {
        let stop = Lexeme { kind: Kind::Mark(';'), dotted: false, ..lexeme.clone() };
        match (lexeme.is('.'), names(at + 1)) {
            (true, true) => out.push(stop),
            (false, true) if lexeme.dotted => {
                out.extend([Lexeme { dotted: false, ..lexeme.clone() }, stop]);
            }
            _ => out.push(lexeme.clone()),
        }
    }
    out
}

/// Ends a card: one line of several attributes, or the lines as they were.
fn close(card: &mut Vec<(Vec<Lexeme>, Field)>, out: &mut Vec<(Vec<Lexeme>, bool)>) {
    let lines = std::mem::take(card);
    let named = lines.iter().any(|(_, f)| matches!(f.column, Column::Name | Column::Code));
    let counted = lines.iter().any(|(_, f)| matches!(f.column, Column::Quantity(_)));
    let headed = lines.first().is_some_and(|(_, f)| f.name.is_empty());
    if lines.len() < 2 || !named || headed && !counted {
        out.extend(lines.into_iter().map(|(line, _)| (line, false)));
        return;
    }
    let mut said: Vec<Vec<Lexeme>> = Vec::new();
    let mut quantity: Vec<Vec<Lexeme>> = Vec::new();
    for (_, mut field) in lines {
        // «Цвет: белый.» in a line of its own ends nothing.
        while field.value.pop_if(|l| l.is('.')).is_some() {}
        if let Some(last) = field.value.last_mut() {
            last.dotted = false;
        }
        match field.column {
            Column::Name | Column::Code => said.push(attribute(&field)),
            Column::Quantity(_) => quantity.insert(0, field.value),
            Column::Unit => quantity.push(field.value),
            Column::Pack | Column::Idle => {}
        }
    }
    let mut line = spaced(said);
    if let Some(first) = quantity.iter().flatten().next() {
        line.push(Lexeme {
            kind: Kind::Mark('-'),
            text: String::new(),
            spaced: true,
            ..first.clone()
        });
    }
    line.extend(spaced(quantity));
    out.push((line, true));
}

/// Whether a field names the goods and not what they are like.
fn names_itself(field: &Field) -> bool {
    const NAMES: &[&str] = &["наимен", "товар", "номенклат", "позиц", "назван", "артикул", "код"];
    let first = field.name.first().map_or("", |l| l.text.as_str());
    NAMES.iter().any(|name| first.starts_with(name))
}

/// Whether a line is nothing but a name of goods.
fn is_goods(index: &Index, line: &[Lexeme]) -> bool {
    line.len() <= 6
        && line.iter().all(|l| l.is_word() || l.is('-'))
        && line.iter().any(|l| opens(index, l))
}

/// An attribute as one says it: «ширина 80 мм», «прозрачный».
fn attribute(field: &Field) -> Vec<Lexeme> {
    let marks = field.name.iter().any(|l| marker(&l.text, false).is_some());
    if marks && field.value.first().is_some_and(Lexeme::is_number) {
        return spaced(vec![field.name.clone(), field.value.clone()]);
    }
    field.value.clone()
}

/// A line that is an attribute with its name; `within` a card any short name may be one.
fn field(line: &[Lexeme], within: bool) -> Option<Field> {
    let colon = line.iter().take(5).position(|l| l.is(':'))?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let (column, sure) = column(name);
    let words = !name.is_empty() && name.iter().all(|l| l.is_word() || l.is('-'));
    let told = value.iter().any(|l| l.is_word() || l.is_number());
    ((sure || within && name.len() <= 3) && words && told).then(|| Field {
        name: name.to_vec(),
        value: value.to_vec(),
        column,
    })
}

/// A line with every sentence of goods and their attributes made one item.
pub(super) fn carded(index: &Index, line: Vec<Lexeme>) -> Vec<Lexeme> {
    let begins = |at: usize| {
        let (before, first) = (&line[at - 1], &line[at]);
        let ended = before.is('.') || before.dotted;
        ended && first.is_word() && first.upper && first.spaced && opens(index, first)
    };
    let mut bounds = vec![0];
    bounds.extend((1..line.len()).filter(|at| begins(*at)));
    if bounds.len() == 1 {
        return item(index, line);
    }
    bounds.push(line.len());
    let mut out = Vec::with_capacity(line.len());
    for sentence in bounds.windows(2).map(|pair| &line[pair[0]..pair[1]]) {
        let stop = sentence.iter().rposition(|l| !l.is('.')).map_or(0, |at| at + 1);
        out.extend(item(index, sentence[..stop].to_vec()));
        out.extend_from_slice(&sentence[stop..]);
    }
    out
}

/// A line of goods and their attributes between commas, with one quantity, as one item.
///
/// «Винт: стандарт 912, резьба М8, длина 50, 120 шт» has the names of its attributes; commas between
/// items have none.
fn item(index: &Index, line: Vec<Lexeme>) -> Vec<Lexeme> {
    let parts = |l: &Lexeme| l.is(',') || l.is(';') || l.is(':') || l.is('/') && l.spaced;
    let segments: Vec<&[Lexeme]> = line.split(parts).filter(|s| !s.is_empty()).collect();
    let [goods, attributes @ ..] = segments.as_slice() else { return line };
    let counted = |s: &[Lexeme]| {
        (0..s.len())
            .any(|at| s[at].is_number() && unit_at(s, at + 1).is_some_and(|(u, _)| u.counts()))
    };
    let named = |s: &[Lexeme]| {
        // «ф-ра» has no diameter.
        let clipped = |l: &Lexeme| l.is('-') && !l.spaced;
        // «Угол» of «угол 110 град» has been left out by now.
        let angle = s.len() > 1 && s[0].is_number() && s[1].text.starts_with("град");
        angle
            || s.len() > 1
                && s[0].is_word()
                && !clipped(&s[1])
                && (marker(&s[0].text, false).is_some()
                    || s[1].is('=')
                    || matches!(column(&s[..1]), (Column::Name, true)))
    };
    // «Цвет № 24 4»: what an attribute says is its own, a number after it counts the goods.
    let ends_bare = |s: &[Lexeme]| {
        let numbers = s.iter().filter(|l| l.is_number()).count();
        s.last().is_some_and(|l| l.is_number() && l.spaced && !l.named && l.value % 1000 == 0)
            && (numbers > usize::from(named(s)) || s.iter().rev().nth(1).is_some_and(|l| l.is(')')))
    };
    let counts = |s: &&[Lexeme]| counted(s) || ends_bare(s);
    let names_goods =
        |s: &[Lexeme]| s.iter().any(|l| l.is_word() && (opens(index, l) || is_head(index, l)));
    // «…, номер 02: 9 м»
    let only_amount = |s: &[Lexeme]| {
        s.len() > 1
            && s[0].is_number()
            && unit_at(s, 1).is_some_and(|(u, n)| u.short().is_some() && n + 1 == s.len())
    };
    // «…, замок 5 шт» is an item of its own.
    let begins_goods = |s: &[Lexeme]| {
        !named(s) && s.iter().find(|l| l.is_word()).is_some_and(|l| is_head(index, l))
    };
    // «Цвет 101, 105 10 шт» goes on with another.
    let another = |s: &[Lexeme]| s.len() > 1 && s[0].is_number() && s[1].is_number();
    let one = names_goods(goods)
        && !counted(goods)
        && attributes.iter().any(|s| named(s))
        && attributes.split_last().is_some_and(|(last, others)| {
            (counts(last) || only_amount(last)) && !others.iter().any(counts)
        })
        && !attributes.iter().any(|s| another(s))
        && (attributes.len() >= 2 && attributes.iter().any(|s| counted(s) || only_amount(s))
            || !attributes.iter().any(|s| begins_goods(s)) && !ends_bare(goods));
    if !one {
        return line;
    }
    let plain = |s: &[Lexeme]| s.iter().all(|l| l.is_word() || l.is('(') || l.is(')'));
    let mut out: Vec<Vec<Lexeme>> = vec![goods.to_vec()];
    for segment in attributes {
        // «толщина 16» is a number of its own kind; «декор вяз» is an elm.
        let number = segment.iter().position(Lexeme::is_number);
        let marked = marker(&segment[0].text, false);
        let named = named(segment);
        match number.filter(|_| named) {
            Some(at) if at == 0 || at == 1 && marked.is_some() => out.push(segment.to_vec()),
            // «Высота ножки 14 мм»
            Some(at) if marked.is_some_and(|m| m != b'#') && plain(&segment[1..at]) => {
                out.push([&segment[..1], &segment[at..]].concat());
            }
            _ => out.push(segment[usize::from(named)..].to_vec()),
        }
    }
    // «110 град.» ends no sentence here.
    for last in out.iter_mut().filter_map(|segment| segment.last_mut()) {
        last.dotted &= Measure::read(&last.text, true).is_none();
    }
    spaced(out)
}
