//! Numbered lists: «1) … 2) …», «п.1 …», «№ 1: …», «а) …», «а. …», in lines of their own or in one.

use super::super::index::Index;
use super::super::lexer::{Kind, Lexeme};
use super::super::quantity::unit_at;
use super::opens;

/// The number of an item and how many lexemes say it.
struct Numbered {
    number: i64,
    taken: usize,
    /// Whether only its place tells it from a quantity: «1 Скоба 80/6 5 уп».
    bare: bool,
}

/// The number of an item that begins at a lexeme.
fn numbered(line: &[Lexeme], from: usize) -> Option<Numbered> {
    const LETTERS: &str = "абвгдежзиклмнопрстуфхцчшщ";
    const LATIN: &str = "abcdefghijklmnopqrstuvwxyz";
    let at = |i: usize| line.get(i);
    let mut i = from;
    while at(i).is_some_and(|l| l.is('•') || l.is('-') || l.is('x') && i == from) {
        i += 1;
    }
    let open = at(i).is_some_and(|l| l.is('(') || l.is('['));
    i += usize::from(open);
    let named = at(i).is_some_and(|l| {
        l.is('№')
            || l.is('#')
            || l.is_word()
                && matches!(
                    l.text.as_str(),
                    "п" | "пп"
                        | "п/п"
                        | "поз"
                        | "пункт"
                        | "позиция"
                        | "номер"
                        | "no"
                        | "п-т"
                )
    });
    if named {
        i += 1;
        while at(i).is_some_and(|l| l.is('.') || l.is('№')) {
            i += 1;
        }
    }
    let first = at(i)?;
    let letter = |set: &str| {
        let mut letters = first.text.chars();
        let one = letters.next().filter(|_| letters.next().is_none())?;
        set.chars().position(|l| l == one).and_then(|n| i64::try_from(n + 1).ok())
    };
    let number = if first.is_number() && first.value % 1000 == 0 && !first.spoken {
        first.value / 1000
    } else if first.is_word()
        && !named
        && (first.dotted || at(i + 1).is_some_and(|l| l.is(')') && !l.spaced))
    {
        letter(LETTERS).or_else(|| letter(LATIN))?
    } else {
        return None;
    };
    i += 1;
    let next = at(i)?;
    let goods = |k: usize| at(k).is_some_and(|l| l.is_word() || l.is_number() || l.is('"'));
    let closing = first.dotted
        || ".):]".chars().any(|c| next.is(c)) && !next.spaced
        || next.is(')') && !named
        || next.is('/') && !next.spaced && at(i + 1).is_some_and(|l| l.spaced);
    let dash = next.is('-') && at(i + 1).is_some_and(|l| l.is_word() && (l.spaced || next.spaced));
    if closing || dash && (next.spaced || named) {
        i += usize::from(!first.dotted);
        while at(i).is_some_and(|l| ".):-".chars().any(|c| l.is(c))) {
            i += 1;
        }
    } else if !named || open {
        let bare = first.is_number() && next.is_word() && next.spaced && !open;
        return bare.then_some(Numbered { number, taken: i - from, bare: true });
    }
    // «1.5 м» is no item, «1. 5 м» is.
    let apart = at(i).is_some_and(|l| l.spaced || l.is_word());
    (goods(i) && apart).then_some(Numbered { number, taken: i - from, bare: false })
}

/// «1) … 2) … 3) …» in one line → lines.
pub(super) fn inline_list(line: Vec<Lexeme>) -> Vec<Vec<Lexeme>> {
    let marked = |at: usize, number: usize, bare: bool| {
        // «1 пуговица 5 уп 2 молния 3 шт 3 …»: a bare number comes after a quantity.
        let apart = at == 0 || at > 1 && unit_at(&line, at - 1).is_some_and(|(_, n)| n == 1);
        (line[at].spaced || at == 0)
            && numbered(&line, at).is_some_and(|n| {
                (!n.bare || bare && apart)
                    && usize::try_from(n.number) == Ok(number)
                    && !line[at].is('-')
            })
    };
    let found = |bare: bool| {
        let mut starts: Vec<usize> = Vec::new();
        for at in 0..line.len() {
            // «1) б. меб. М8» goes on with no second item.
            let alike = starts
                .first()
                .is_none_or(|first: &usize| line[*first].is_word() == line[at].is_word());
            if alike && marked(at, starts.len() + 1, bare) {
                starts.push(at);
            }
        }
        starts
    };
    let mut starts = found(false);
    if starts.len() < 2 {
        starts = found(true);
        if starts.len() < 3 || starts[0] != 0 {
            return vec![line];
        }
    }
    let head = starts[0];
    starts.push(line.len());
    let mut out = Vec::new();
    if head > 0 {
        out.push(line[..head].to_vec());
    }
    for pair in starts.windows(2) {
        let item = &line[pair[0]..pair[1]];
        let taken = numbered(item, 0).map_or(0, |n| n.taken);
        out.push(item[taken..].to_vec());
    }
    out
}

/// The lines, with a title apart from the first of its items: «ЛДСП 16: венге 4 л ⏎ графит 6».
pub(super) fn titled(index: &Index, lines: Vec<Vec<Lexeme>>) -> Vec<Vec<Lexeme>> {
    let colon = |line: &[Lexeme]| line.iter().position(|l| l.is(':'));
    let place = |line: &[Lexeme], next: &[Lexeme]| {
        let place = colon(line).filter(|at| (1..=6).contains(at))?;
        let (title, item) = (&line[..place], &line[place + 1..]);
        let names = title.iter().any(|l| l.is_word() && opens(index, l));
        let unit = |at: usize| unit_at(item, at).map_or(0, |(_, taken)| taken);
        let counted = item.iter().rposition(Lexeme::is_number);
        let ends = counted.is_some_and(|at| at > 0 && at + 1 + unit(at + 1) == item.len());
        let parted = item.iter().any(|l| l.is(',') || l.is(';') || l.is(':'));
        let whole = item.first().is_some_and(Lexeme::is_word) && unit(0) == 0 && !parted;
        let more = next.first().is_some_and(Lexeme::is_word) && colon(next).is_none();
        (names && ends && whole && more).then_some(place + 1)
    };
    let mut out = Vec::with_capacity(lines.len());
    let mut lines = lines.into_iter().peekable();
    while let Some(mut line) = lines.next() {
        let next = lines.peek().map_or(&[][..], Vec::as_slice);
        if let Some(place) = place(&line, next) {
            let item = line.split_off(place);
            out.extend([line, item]);
        } else {
            out.push(line);
        }
    }
    out
}

/// The lines, with numbers in lines of their own on the line that they go on where the last of them says how
/// many of each: «Холкон 100 ⏎ 150 ⏎ 400 по 1 рул».
pub(super) fn shared(lines: Vec<Vec<Lexeme>>) -> Vec<Vec<Lexeme>> {
    let bare = |line: &[Lexeme]| matches!(line, [number] if number.is_number());
    let shares = |line: &[Lexeme]| {
        line.first().is_some_and(Lexeme::is_number)
            && line.windows(2).any(|pair| pair[0].text == "по" && pair[1].is_number())
    };
    let mut out: Vec<Vec<Lexeme>> = Vec::with_capacity(lines.len());
    for line in lines {
        let before = out.iter().rev().take_while(|l| bare(l)).count();
        if before == 0 || before == out.len() || !shares(&line) {
            out.push(line);
            continue;
        }
        let numbers = out.split_off(out.len() - before);
        if let Some(goods) = out.last_mut() {
            for more in numbers.into_iter().chain([line]) {
                let comma = more.first().map(|first| Lexeme {
                    kind: Kind::Mark(','),
                    text: String::new(),
                    ..first.clone()
                });
                goods.extend(comma.into_iter().chain(more));
            }
        }
    }
    out
}

/// The lines, with what introduces a numbered list apart from its first item: «Прошу: 1. скоба ⏎ 2. …».
pub(super) fn introduced(lines: Vec<Vec<Lexeme>>) -> Vec<Vec<Lexeme>> {
    let is = |line: &[Lexeme], at: usize, number: i64| {
        at < line.len()
            && numbered(line, at).is_some_and(|n| n.number == number && !n.bare)
            && line[at].is_number()
    };
    let mut out: Vec<Vec<Lexeme>> = Vec::with_capacity(lines.len());
    for line in lines {
        let place = out.last().and_then(|before: &Vec<Lexeme>| {
            let ends = |l: &Lexeme| [':', '.', '!'].iter().any(|mark| l.is(*mark));
            let place = (1..before.len()).find(|at| ends(&before[at - 1]) && is(before, *at, 1));
            place.filter(|_| is(&line, 0, 2))
        });
        if let (Some(place), Some(before)) = (place, out.last_mut()) {
            let first = before.split_off(place);
            out.push(first);
        }
        out.push(line);
    }
    out
}

/// How many lexemes at the beginning of each line are its number in a list.
pub(super) fn list_numbers(lines: &[Vec<Lexeme>]) -> Vec<usize> {
    let found: Vec<Option<Numbered>> = lines.iter().map(|l| numbered(l, 0)).collect();
    let in_order = |bare: bool| {
        let mut expected = 1;
        for item in found.iter().flatten().filter(|n| bare || !n.bare) {
            if item.number == expected {
                expected += 1;
            }
        }
        expected - 1
    };
    let listed = found.iter().flatten().filter(|n| !n.bare).count();
    let marked = usize::try_from(in_order(false)).unwrap_or(0);
    // Bare numbers are those of a list only if every line has one, in order, and a quantity too.
    let filled = lines.iter().filter(|l| l.iter().any(Lexeme::is_word)).count();
    let all = found.iter().flatten().count();
    let counted = lines
        .iter()
        .zip(&found)
        .filter(|(_, n)| n.is_some())
        .all(|(l, n)| l[n.as_ref().map_or(0, |n| n.taken)..].iter().any(Lexeme::is_number));
    let bare = all >= 3
        && all + 1 >= filled
        && counted
        && usize::try_from(in_order(true)).unwrap_or(0) == all;
    let is_list = marked * 2 > listed && (listed > 1 || marked == 1);
    found
        .into_iter()
        .map(|item| item.filter(|n| bare || is_list && !n.bare).map_or(0, |n| n.taken))
        .collect()
}
