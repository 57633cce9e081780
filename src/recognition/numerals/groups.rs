//! Number words that follow one another, grouped in other ways: «двадцать пять сорок метров» is 2540
//! metres or forty metres of 25, «один шесть три рулона» is three rolls of 1,6.

use super::super::lexer::{Lexeme, lex};
use super::super::normalize::Chars;
use super::super::quantity::unit_at;
use super::{Form, Piece, cardinal, may_be_counted, said, word_piece};

/// At most so many ways are told.
const MOST: usize = 16;

/// Runs of more number words than these are no sizes and quantities.
const LONGEST: usize = 9;

/// A number of a grouping, in thousandths, and the number words that it is made of.
#[derive(Debug, Clone, Copy)]
struct Group {
    value: i64,
    from: usize,
    to: usize,
}

/// A way to group a run, and how unnatural it is.
#[derive(Debug, Clone, Default)]
struct Grouping {
    groups: Vec<Group>,
    cost: u8,
}

/// The words of a run.
struct Run<'k> {
    words: Vec<Lexeme>,
    /// Whether a measure follows, so that the last number may have a fraction that no title has.
    measured: bool,
    knows: &'k dyn Fn(i64) -> bool,
}

/// Other ways to group the spoken numbers of a piece, the most natural first, with how unnatural
/// each is. `knows` tells which values the catalogue has.
pub(crate) fn regrouped(
    text: &str,
    lexemes: &[Lexeme],
    knows: &dyn Fn(i64) -> bool,
) -> Vec<(Vec<Lexeme>, u8)> {
    let mut ways: Vec<(Vec<Lexeme>, u8)> = vec![(Vec::with_capacity(lexemes.len()), 0)];
    let mut at = 0;
    while at < lexemes.len() {
        let end = run_end(lexemes, at);
        let said = &lexemes[at..end.max(at + 1)];
        let measured = unit_at(lexemes, end).is_some_and(|(unit, _)| !unit.counts());
        let words = words_of(text, said).filter(|w| (2..=LONGEST).contains(&w.len()));
        if let Some(words) = words {
            let run = Run { words, measured, knows };
            let groupings = run.groupings(said);
            ways = ways
                .iter()
                .flat_map(|way| groupings.iter().map(move |grouping| (way, grouping)))
                .map(|((way, cost), grouping)| {
                    let numbers = grouping.groups.iter().map(|g| run.number(g));
                    (way.iter().cloned().chain(numbers).collect(), cost + grouping.cost)
                })
                .collect();
            ways.sort_by_key(|(_, cost)| *cost);
            ways.truncate(MOST);
        } else {
            for (way, _) in &mut ways {
                way.extend_from_slice(said);
            }
        }
        at += said.len();
    }
    let values = |run: &[Lexeme]| run.iter().map(|l| (l.kind, l.value)).collect::<Vec<_>>();
    let own = values(lexemes);
    ways.retain(|(way, _)| values(way) != own);
    ways
}

/// Where a run of numbers that were said in words ends; «и» may stand between two of them.
fn run_end(lexemes: &[Lexeme], start: usize) -> usize {
    let said = |at: usize| lexemes.get(at).is_some_and(Lexeme::is_said_number);
    let mut end = start;
    while said(end) || end > start && said(end - 1) && is_and(lexemes, end) && said(end + 1) {
        end += 1;
    }
    end
}

fn is_and(lexemes: &[Lexeme], at: usize) -> bool {
    lexemes.get(at).is_some_and(|l| l.text == "и")
}

/// The words that a run was said in, each with its place in the text; nothing if some are no number
/// words, «4 тыс».
fn words_of(text: &str, run: &[Lexeme]) -> Option<Vec<Lexeme>> {
    let (first, last) = (run.first()?, run.last()?);
    if !first.spoken {
        return None;
    }
    let mut words = lex(&Chars::new(text.get(first.start..last.end)?));
    for word in &mut words {
        (word.start, word.end) = (word.start + first.start, word.end + first.start);
    }
    words.first_mut()?.spaced = first.spaced;
    let number = |at: usize| {
        is_and(&words, at) || !matches!(word_piece(&words[at]), None | Some(Piece::Named(_)))
    };
    (0..words.len()).all(number).then_some(words)
}

impl Run<'_> {
    fn piece(&self, at: usize) -> Option<Piece> {
        self.words.get(at).and_then(word_piece)
    }

    /// All ways to group the words, the most natural first. As they were grouped before is natural.
    fn groupings(&self, before: &[Lexeme]) -> Vec<Grouping> {
        let mut open = vec![Grouping::default()];
        let mut done: Vec<Grouping> = Vec::new();
        while let Some(grouping) = open.pop() {
            let from = grouping.groups.last().map_or(0, |g| g.to);
            if from == self.words.len() {
                done.push(grouping);
                continue;
            }
            for (value, to, cost) in self.numbers(from) {
                let mut longer = grouping.clone();
                longer.groups.push(Group { value, from, to });
                longer.cost += cost;
                open.push(longer);
            }
        }
        let own: Vec<i64> = before.iter().filter(|l| l.is_number()).map(|l| l.value).collect();
        for grouping in &mut done {
            if grouping.groups.iter().map(|g| g.value).eq(own.iter().copied()) {
                grouping.cost = 0;
            }
        }
        done.sort_by_key(|g| g.cost);
        done.truncate(MOST);
        done
    }

    /// The numbers that begin at a word: value, where each ends and what it costs.
    fn numbers(&self, from: usize) -> Vec<(i64, usize, u8)> {
        let mut out = Vec::new();
        match self.piece(from) {
            Some(Piece::Cardinal(_) | Piece::Thousand(Form::One)) => {}
            // «полсотни», «полтора», «полторы тысячи»
            Some(Piece::Collective(n)) => return vec![(n * 1000, from + 1, 0)],
            Some(Piece::Fraction(part)) => {
                return match self.piece(from + 1) {
                    Some(Piece::Thousand(_)) => vec![(part * 1000, from + 2, 0)],
                    _ => vec![(part, from + 1, 0)],
                };
            }
            // «тысяч» by itself is none.
            _ => return out,
        }
        let (_, longest, _) = cardinal(&|at| self.piece(at), from);
        for to in from + 1..=longest {
            let (whole, end, _) = cardinal(&|at| self.piece(at).filter(|_| at < to), from);
            if end != to {
                continue;
            }
            let cost = u8::from(to < longest);
            out.push((whole * 1000, to, cost));
            if let Some(Piece::Collective(n)) = self.piece(to)
                && may_be_counted(&self.words[to].text)
            {
                out.push((whole * n * 1000, to + 1, cost));
            }
            for (value, end) in self.fractions(whole, to) {
                if (self.knows)(value) || self.measured && end == self.words.len() {
                    out.push((value, end, 1));
                }
            }
            // «двадцать пять тридцать шесть» is a mark.
            let (second, end, _) = cardinal(&|at| self.piece(at), to);
            let code = (whole * 100 + second) * 1000;
            if (10..100).contains(&whole) && (10..100).contains(&second) && (self.knows)(code) {
                out.push((code, end, 1));
            }
        }
        out
    }

    /// What a whole number and the words after it are as a decimal fraction, and where it ends:
    /// «один и шесть», «один шесть», «два семьдесят пять», «один ноль пять».
    fn fractions(&self, whole: i64, at: usize) -> Vec<(i64, usize)> {
        let at = if is_and(&self.words, at) { at + 1 } else { at };
        let digit = |at: usize| match self.piece(at) {
            Some(Piece::Cardinal(n @ 1..=9)) => Some(n),
            _ => None,
        };
        let mut out = Vec::new();
        if whole >= 1000 {
            return out;
        }
        if let Some(tenths) = digit(at) {
            out.push((whole * 1000 + tenths * 100, at + 1));
        }
        if self.piece(at) == Some(Piece::Cardinal(0))
            && let Some(hundredths) = digit(at + 1)
        {
            out.push((whole * 1000 + hundredths * 10, at + 2));
        }
        if let Some(Piece::Cardinal(10..=90)) = self.piece(at) {
            let (hundredths, end, _) = cardinal(&|at| self.piece(at), at);
            if (10..100).contains(&hundredths) {
                out.push((whole * 1000 + hundredths * 10, end));
            }
        }
        out
    }

    /// A group as a number of the piece.
    fn number(&self, group: &Group) -> Lexeme {
        Lexeme { end: self.words[group.to - 1].end, ..said(&self.words[group.from], group.value) }
    }
}

/// A piece with letters tied to the numbers beside them, one at a time: «болт м 8», «газлифт 150 n».
pub(crate) fn tied(lexemes: &[Lexeme]) -> Vec<Vec<Lexeme>> {
    let letter = |at: usize| {
        lexemes
            .get(at)
            .is_some_and(|l| l.is_word() && l.spaced && !l.dotted && l.text.chars().count() == 1)
    };
    let number = |at: usize| lexemes.get(at).is_some_and(|l| l.is_number() && l.spaced);
    let tie = |at: usize| {
        let mut tied = lexemes.to_vec();
        tied[at].spaced = false;
        tied
    };
    let mut out = Vec::new();
    for at in (0..lexemes.len()).filter(|at| letter(*at)).take(MOST / 2) {
        if number(at + 1) {
            out.push(tie(at + 1));
        }
        if at > 0 && lexemes[at - 1].is_number() {
            out.push(tie(at));
        }
    }
    out
}
