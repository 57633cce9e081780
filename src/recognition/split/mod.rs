//! A message → pieces that may each be a line: by lines, sentences, commas and quantities; with
//! what was taken back taken out.

mod clock;
mod corrections;
mod layout;
mod lists;
mod runon;
mod sentences;
mod tables;

use super::index::Index;
use super::lexer::{Lexeme, lex};
use super::normalize::Chars;
use super::numerals;
use super::speech::{self, Talk};
use clock::without_clock;
use corrections::corrected;
pub(crate) use layout::characters;
use lists::{inline_list, list_numbers};
pub(crate) use runon::opens;
use sentences::{crosses, sentences};
use tables::{beside_one_another, fields, heading, row_of_table};

/// A run of lexemes that may be a line.
#[derive(Debug, Clone, Default)]
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
    /// «столько же».
    pub(crate) same_quantity: bool,
    /// What else it is, if it names no goods.
    pub(crate) talk: Talk,
}

/// Splits a message into pieces.
pub(crate) fn pieces(index: &Index, chars: &Chars) -> Vec<Piece> {
    let knows = |value: i64| {
        index
            .value_rows
            .get(&value)
            .is_some_and(|row| !index.by_value.row(*row as usize).is_empty())
    };
    let lexemes = numerals::replace(lex(chars), knows);
    let lexemes = without_clock(lexemes);
    let mut lines: Vec<Vec<Lexeme>> = vec![Vec::new()];
    for lexeme in lexemes {
        if lexeme.is('\n') {
            lines.push(Vec::new());
        } else if let Some(line) = lines.last_mut() {
            line.push(lexeme);
        }
    }
    let lines: Vec<Vec<Lexeme>> = lines.into_iter().flat_map(inline_list).collect();
    let numbered = list_numbers(&lines);
    let mut out: Vec<Piece> = Vec::new();
    let mut column: Option<usize> = None;
    for (mut line, number) in lines.into_iter().zip(numbered) {
        line.drain(..number);
        let cells = fields(&line);
        let table = cells.is_some();
        if let Some(cells) = cells {
            let sum =
                cells.iter().flatten().find(|l| l.is_word()).is_some_and(|l| {
                    matches!(l.text.as_str(), "итого" | "всего" | "сумма" | "итог")
                });
            let found = heading(&cells);
            if let Some(found) = found {
                column = found;
            }
            if sum || found.is_some() {
                out.extend(piece(&line).map(|p| Piece { total: true, new_line: true, ..p }));
                continue;
            }
            let mut rows = beside_one_another(index, cells);
            let last = rows.pop().unwrap_or_default();
            for row in rows {
                let row = corrected(row_of_table(index, row, None));
                let first = out.len();
                sentences(index, row, true, &mut out);
                if let Some(piece) = out.get_mut(first) {
                    piece.new_line = true;
                    piece.continues = false;
                }
            }
            line = row_of_table(index, last, column);
        }
        let first = out.len();
        let mut line = corrected(line);
        crosses(&mut line);
        sentences(index, line, table, &mut out);
        if let Some(piece) = out.get_mut(first) {
            piece.new_line = true;
            piece.continues = false;
        }
    }
    out
}

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
        cancels: texts.windows(2).any(|w| w[0] == "не" && speech::is_refusal(w[1]))
            || texts.iter().any(|t| speech::is_cancel(t)),
        same_quantity: pair("столько", "же"),
        absent: texts.last() == Some(&"нет") && texts.len() > 1,
        total: texts.first().is_some_and(|t| matches!(*t, "итого" | "всего" | "сумма" | "итог")),
        question: speech::asks(&texts),
        talk: speech::talk(&texts),
        lexemes: lexemes.to_vec(),
        ..Piece::default()
    })
}
