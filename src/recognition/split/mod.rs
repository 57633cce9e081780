//! A message → pieces that may each be a line: by lines, sentences, commas and quantities; with
//! what was taken back taken out.

mod amounts;
mod cards;
mod clock;
mod corrections;
mod grids;
mod layout;
mod lists;
mod packs;
mod runon;
mod sentences;
mod substitutions;
mod tables;
mod turns;

use super::index::Index;
use super::lexer::{Kind, Lexeme, lex};
use super::normalize::Chars;
use super::numerals;
use super::speech::{self, Talk};
use amounts::amounts;
use cards::{Cards, carded};
use clock::without_clock;
use corrections::corrected;
use grids::{Cells, Grid};
pub(crate) use layout::characters;
use lists::{inline_list, introduced, list_numbers, shared, titled};
use packs::packs;
pub(crate) use runon::opens;
use sentences::{crosses, sentences};
use substitutions::substituted;
use tables::{Heading, beside_one_another, fields, heading, row_of_table, tabbed};

/// A run of lexemes that may be a line.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what a piece does besides naming goods")]
pub(crate) struct Piece {
    /// Its lexemes, without what was taken back.
    pub(crate) lexemes: Vec<Lexeme>,
    /// Where it begins in the text.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
    /// Whether it is asked, not ordered.
    pub(crate) question: bool,
    /// Whether a colon ends it: what follows belongs to it.
    pub(crate) header: bool,
    /// Whether it goes on the sentence of the piece before.
    pub(crate) continues: bool,
    /// Whether it was cut from the piece before where nothing stood.
    pub(crate) cut: bool,
    /// Whether «и» or a slash parted it from the piece before.
    pub(crate) parted: bool,
    /// Whether it begins a line of the text.
    pub(crate) new_line: bool,
    /// Whether it puts right what was said before: «нет, давайте 7».
    pub(crate) corrects: bool,
    /// Whether it takes something back: «белые не надо».
    pub(crate) cancels: bool,
    /// «№ 1 нет»: said not to be there.
    pub(crate) absent: bool,
    /// «Итого».
    pub(crate) total: bool,
    /// How many of its lexemes are a title of the catalogue, copied whole.
    pub(crate) titled: usize,
    /// Whether it is a row of a table.
    pub(crate) row: bool,
    /// Whether it is a heading over the rows of a table.
    pub(crate) section: bool,
    /// Whether it begins with its quantity, as every line of the list does.
    pub(crate) led: bool,
    /// «столько же».
    pub(crate) same_quantity: bool,
    /// «тоже»: as many as of the goods before, if no number is said.
    pub(crate) too: bool,
    /// What else it is, if it names no goods.
    pub(crate) talk: Talk,
}

/// Splits a message into pieces.
pub(crate) fn pieces(index: &Index, chars: &Chars) -> Vec<Piece> {
    let knows = |value| index.knows_number(value);
    let lexemes = substituted(turns::plain(&numerals::replace(&lex(chars), knows)));
    let lexemes = packs(&without_clock(&amounts(&slashed(index, &lexemes))));
    let mut lines: Vec<Vec<Lexeme>> = vec![Vec::new()];
    for lexeme in lexemes {
        if lexeme.is('\n') {
            lines.push(Vec::new());
        } else if let Some(line) = lines.last_mut() {
            line.push(lexeme);
        }
    }
    let lines: Vec<Vec<Lexeme>> = titled(index, shared(introduced(lines)))
        .into_iter()
        .map(tabbed)
        .flat_map(inline_list)
        .collect();
    let numbered = list_numbers(&lines);
    let mut out: Vec<Piece> = Vec::new();
    let mut above: Option<Heading> = None;
    let mut grid: Option<Grid> = None;
    let lines = numbered.into_iter().zip(lines).map(|(number, mut line)| {
        line.drain(..number);
        line
    });
    let rows: Vec<(Vec<Lexeme>, Option<Cells>)> = Cards::joined(index, lines)
        .map(|(line, card)| {
            let cells = if card { None } else { fields(index, &line) };
            // «Скоба 80/6 5 | синтепон 2» is a list.
            let mut line = line;
            let item = |cell: &[Lexeme]| {
                let named = |l: &Lexeme| l.is_word() && opens(index, l);
                cell.iter().any(named) && cell.iter().any(Lexeme::is_number)
            };
            if cells.is_none() && line.split(|l| l.is('|')).all(item) {
                for bar in line.iter_mut().filter(|l| l.is('|')) {
                    bar.kind = Kind::Mark(';');
                }
            }
            (line, cells)
        })
        .collect();
    for (at, (line, cells)) in rows.iter().enumerate() {
        let Some(cells) = cells.clone() else {
            grid = None;
            let first = out.len();
            let line = copied_titles(index, line.clone(), &mut out);
            let mut line = carded(index, corrected(index, line));
            crosses(&mut line);
            sentences(index, line, false, &mut out);
            begins_line(&mut out, first);
            continue;
        };
        let next = rows.get(at + 1).and_then(|(_, cells)| cells.as_ref());
        if above.is_none()
            && let Some(found) = next.and_then(|n| Grid::begun(index, &cells, n))
        {
            grid = Some(found);
            let first = out.len();
            out.extend(piece(line).map(|p| Piece { total: true, ..p }));
            begins_line(&mut out, first);
        } else if let Some(made) = grid.as_ref().and_then(|g| g.lines(index, &cells)) {
            for mut line in made {
                let first = out.len();
                crosses(&mut line);
                sentences(index, line, true, &mut out);
                begins_line(&mut out, first);
                out[first..].iter_mut().for_each(|piece| piece.row = true);
            }
        } else {
            grid = None;
            table_row(index, line, cells, &mut above, &mut out);
        }
    }
    mark_led(&mut out);
    out
}

/// «2 велюр Delta 17 ⏎ 20 рогожка Dublin»: where every line of a list begins with a number, and not
/// every one ends so, these are the quantities.
fn mark_led(pieces: &mut [Piece]) {
    let begins = |p: &Piece| {
        let goods = p
            .lexemes
            .get(1)
            .is_some_and(|l| l.is_word() && l.spaced && !speech::is_filler(&l.text));
        goods && p.lexemes[0].is_number() && !p.lexemes[0].named && p.lexemes[0].value % 1000 == 0
    };
    let ends = |p: &Piece| p.lexemes.last().is_some_and(|l| l.is_number() && l.spaced);
    let lines = || pieces.iter().filter(|p| p.new_line && p.talk == Talk::None);
    let list = lines().count() > 1 && lines().all(begins) && !lines().all(ends);
    for piece in pieces.iter_mut().filter(|p| list && p.new_line && begins(p)) {
        piece.led = true;
    }
}

/// Makes pieces of the titles that a line begins with, each with nothing but a quantity after it, and
/// leaves the rest of the line.
fn copied_titles(index: &Index, mut line: Vec<Lexeme>, out: &mut Vec<Piece>) -> Vec<Lexeme> {
    let idle = |l: &Lexeme| l.is(',') || l.is_word() && speech::is_filler(&l.text);
    let lead = line.iter().take_while(|l| idle(l)).count();
    if lead > 0 && index.titles.begun(&line[lead..]).is_some() {
        // «Надо саморез 4х25 (200 шт), 7 шт»
        line.drain(..lead);
    }
    while let Some((taken, _)) = index.titles.begun(&line) {
        let rest = &line[taken..];
        let ends = |l: &Lexeme| l.is(',') || l.is(';') || l.is('.') && l.spaced;
        // A bracket that the title ends with is the title's.
        let open = rest.iter().take_while(|l| l.is(')') || l.is('"') || l.is('!')).count();
        let to = rest[open..].iter().position(ends).map_or(rest.len(), |n| open + n);
        let after = &rest[open..to];
        let told = after.iter().any(|l| l.is_word() || l.is_number());
        if told && super::interpret::only_quantity(after).is_none() {
            break;
        }
        let whole = &line[..taken + to];
        let Some(mut copied) = piece(whole) else { break };
        copied.titled = taken;
        copied.continues = !out.is_empty();
        copied.talk = Talk::None;
        copied.question = false;
        (copied.corrects, copied.cancels, copied.absent, copied.total) = Default::default();
        out.push(copied);
        let next = (taken + to + 1).min(line.len());
        line.drain(..next);
    }
    line
}

/// Reads one row of a table: its heading, a title over it, its sum or its goods.
fn table_row(
    index: &Index,
    line: &[Lexeme],
    cells: Vec<Vec<Lexeme>>,
    above: &mut Option<Heading>,
    out: &mut Vec<Piece>,
) {
    let first = out.len();
    let sum = cells.iter().flatten().find(|l| l.is_word()).is_some_and(|l| sums_up(&l.text));
    let found = heading(index, &cells);
    if sum || found.is_some() {
        out.extend(piece(line).map(|p| Piece { total: true, ..p }));
        if let Some(found) = found {
            if let Some(goods) = &found.goods {
                out.truncate(first);
                out.extend(piece(goods).map(|p| Piece { header: true, section: true, ..p }));
            }
            *above = Some(found);
        }
        begins_line(out, first);
        return;
    }
    // «Поролон» and nothing else in the row is a title over the rows that follow.
    let mut filled = cells.iter().filter(|f| !f.is_empty());
    if let (Some(only), None, true) = (filled.next(), filled.next(), cells.len() > 2)
        && !only.iter().any(Lexeme::is_number)
    {
        out.extend(piece(only).map(|p| Piece { header: true, section: true, ..p }));
        begins_line(out, first);
        return;
    }
    let mut rows = if above.is_some() { vec![cells] } else { beside_one_another(index, cells) };
    let last = rows.pop().unwrap_or_default();
    for row in rows {
        let first = out.len();
        let row = corrected(index, row_of_table(index, row, None));
        sentences(index, row, true, out);
        begins_line(out, first);
    }
    let first = out.len();
    let mut row = corrected(index, row_of_table(index, last, above.as_ref()));
    crosses(&mut row);
    sentences(index, row, true, out);
    begins_line(out, first);
    for piece in &mut out[first..] {
        piece.row = above.is_some();
    }
}

/// Marks the first piece of a line of the text.
fn begins_line(out: &mut [Piece], first: usize) {
    if let Some(piece) = out.get_mut(first) {
        piece.new_line = true;
        piece.continues = false;
    }
}

/// Whether a line that begins with the word sums up: «Итого».
fn sums_up(word: &str) -> bool {
    matches!(word, "итого" | "всего" | "сумма" | "итог")
}

/// «Б/дов.» is «без дов.», «с/подсв» «с подсв», where titles have no such word.
fn slashed(index: &Index, lexemes: &[Lexeme]) -> Vec<Lexeme> {
    let mut out: Vec<Lexeme> = Vec::with_capacity(lexemes.len());
    for lexeme in lexemes {
        let parts = lexeme.text.split_once('/').filter(|(_, rest)| {
            rest.chars().count() >= 2 && !index.vocabulary.has(&lexeme.text.replace('/', ""))
        });
        let little = parts.and_then(|(one, rest)| match one {
            "б" if rest.chars().count() >= 3 => Some(("без", rest)),
            "д" if lexeme.dotted => Some(("для", rest)),
            "с" if rest.chars().count() >= 3 => Some(("с", rest)),
            _ => None,
        });
        match little {
            Some((little, rest)) => {
                let at = lexeme.start;
                out.push(Lexeme { text: little.into(), end: at, dotted: false, ..lexeme.clone() });
                out.push(Lexeme { text: rest.into(), start: at, dotted: true, ..lexeme.clone() });
            }
            None => out.push(lexeme.clone()),
        }
    }
    out
}

/// How many words thank at the end of what is counted: «… М10 50 спасибо, ждём».
fn thanks(lexemes: &[Lexeme]) -> usize {
    let thanks = |l: &&Lexeme| l.is_word() && speech::thanks(&l.text);
    let count = lexemes.iter().rev().take_while(thanks).count();
    if lexemes.iter().any(Lexeme::is_number) { count } else { 0 }
}

/// A run of lexemes as a piece; `None` if it has neither words nor numbers.
pub(crate) fn piece(lexemes: &[Lexeme]) -> Option<Piece> {
    let told = || lexemes.iter().filter(|l| l.is_word() || l.is_number());
    let start = told().map(|l| l.start).min()?;
    let end = told().map(|l| l.end).max()?;
    let texts: Vec<&str> =
        lexemes.iter().filter(|l| l.is_word()).map(|l| l.text.as_str()).collect();
    let pair = |a: &str, b: &str| texts.windows(2).any(|w| w[0] == a && w[1] == b);
    Some(Piece {
        start,
        end: end.max(lexemes.last().filter(|l| l.is('%') || l.is('"')).map_or(0, |l| l.end)),
        corrects: texts.iter().any(|t| speech::is_correction(t)),
        // «Больше ничего не надо» takes nothing back.
        cancels: texts.windows(2).any(|w| w[0] == "не" && speech::is_refusal(w[1]))
            && !texts.contains(&"ничего")
            || texts.iter().any(|t| speech::is_cancel(t)),
        same_quantity: pair("столько", "же") || pair("те", "же"),
        too: texts.contains(&"тоже"),
        absent: texts.last() == Some(&"нет") && texts.len() > 1,
        total: texts.first().is_some_and(|t| sums_up(t)),
        question: speech::asks(&texts),
        talk: speech::talk(&texts[..texts.len() - thanks(lexemes)]),
        lexemes: lexemes.to_vec(),
        ..Piece::default()
    })
}
