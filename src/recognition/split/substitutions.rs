//! What is said to be something else after all: «…, не белый, а бежевый», «вместо 4х25 давайте 4х30»,
//! «замените 80 на 100». What was said before gives way in its place.

use super::super::lexer::Lexeme;
use super::super::normalize::stem;
use super::super::quantity::unit_at;
use super::super::speech;

/// What is refused is no longer than so many lexemes.
const LONGEST: usize = 12;

/// Puts what is said instead in the place of what it replaces.
pub(super) fn substituted(lexemes: Vec<Lexeme>) -> Vec<Lexeme> {
    let mut lexemes = lexemes;
    let mut at = 0;
    while at < lexemes.len() {
        let Some(change) = Change::at(&lexemes, at) else {
            at += 1;
            continue;
        };
        let place = (lexemes[change.place].clone(), lexemes[change.place + change.taken - 1].end);
        let mut said: Vec<Lexeme> = lexemes[change.said.clone()].to_vec();
        // «5 шт, не 5, а 7 шт»: the unit is there.
        let rest = &lexemes[change.place + change.taken..];
        for tail in (1..said.len()).rev() {
            let from = said.len() - tail;
            if rest.len() >= tail && (0..tail).all(|n| is_same(&rest[n], &said[from + n])) {
                said.truncate(from);
                break;
            }
        }
        for (n, lexeme) in said.iter_mut().enumerate() {
            lexeme.start = place.0.start;
            lexeme.end = place.1;
            lexeme.spaced |= n == 0 && place.0.spaced;
        }
        let from = change.from;
        lexemes.drain(from..change.to);
        lexemes.splice(change.place..change.place + change.taken, said);
        at = change.place + 1;
    }
    lexemes
}

/// A substitution that is announced.
struct Change {
    /// Where it is announced and where that ends.
    from: usize,
    to: usize,
    /// What is said instead.
    said: std::ops::Range<usize>,
    /// Where what it replaces stands, and how much that is.
    place: usize,
    taken: usize,
}

impl Change {
    /// The substitution that is announced here, if what it replaces was said before.
    fn at(lexemes: &[Lexeme], at: usize) -> Option<Self> {
        const ANNOUNCED: &[&str] = &[
            "не",
            "вместо",
            "заместо",
            "замените",
            "замени",
            "заменить",
            "поменяйте",
            "поменяй",
            "исправьте",
            "исправь",
        ];
        let word =
            |at: usize| lexemes.get(at).filter(|l| l.is_word()).map_or("", |l| l.text.as_str());
        let mark = |at: usize, mark: char| lexemes.get(at).is_some_and(|l| l.is(mark));
        if !ANNOUNCED.contains(&word(at)) {
            return None;
        }
        let refused = at + 1;
        let ends = |at: usize| {
            lexemes.get(at).is_none_or(|l| {
                ",;!?()\n\t".chars().any(|c| l.is(c)) || l.is('.') || l.is('-') && l.spaced
            })
        };
        let bracket = at.checked_sub(1).filter(|b| mark(*b, '('));
        let from = bracket.unwrap_or(at);
        let comma = |at: usize| at + usize::from(mark(at, ','));
        // The longest that was said before is what is refused.
        let (length, place) = (1..=LONGEST)
            .rev()
            .filter(|n| refused + n < lexemes.len() && (refused..refused + n).all(|k| !ends(k)))
            .find_map(|n| Some((n, find(&lexemes[..from], &lexemes[refused..refused + n])?)))?;
        let after = refused + length;
        let begin = match word(at) {
            "не" => {
                let but = comma(after);
                // «…стоп не 7х70, 7х50»
                let announced = at > 0 && speech::is_correction(word(at - 1));
                let number = |at: usize| lexemes.get(at).is_some_and(Lexeme::is_number);
                let other = announced && but > after && number(but) && number(refused);
                (word(but) == "а").then_some(but + 1).or(other.then_some(but))?
            }
            "вместо" | "заместо" => {
                let verb = comma(after);
                verb + usize::from(speech::asks_for(word(verb)))
            }
            _ => (word(after) == "на").then_some(after + 1)?,
        };
        let idle = |at: usize| speech::is_filler(word(at)) && !word(at).is_empty();
        let stops = |at: usize| ends(at) || word(at) == "и";
        let mut end = (begin..lexemes.len()).find(|k| stops(*k)).unwrap_or(lexemes.len());
        let to = end + usize::from(bracket.is_some() && mark(end, ')'));
        while end > begin && idle(end - 1) {
            end -= 1;
        }
        // «Стоп, вместо синтепона 300 давайте холкон 250 1 рул» is an item of its own.
        let counted = (begin..end).any(|at| {
            lexemes[at].is_number() && unit_at(lexemes, at + 1).is_some_and(|u| u.0.counts())
        });
        let again = said_again(lexemes, from, place);
        if counted && again.is_none() && lexemes[place..from].iter().any(|l| l.is('\n')) {
            return None;
        }
        let kind = |at: usize| lexemes[at].is_number();
        let alike = begin < end && end - begin <= LONGEST && kind(begin) == kind(refused);
        // A comma before it goes with it.
        let from = from - usize::from(from > 0 && bracket.is_none() && mark(from - 1, ','));
        let from = again.unwrap_or(from);
        alike.then_some(Self { from, to, said: begin..end, place, taken: length })
    }
}

/// Where a line begins that up to `from` only says again what the line of `place` says: «Верона 07 20 м ⏎
/// верона 07 не 20, а 25».
fn said_again(lexemes: &[Lexeme], from: usize, place: usize) -> Option<usize> {
    let breaks = |l: &Lexeme| l.is('\n');
    let begins = lexemes[..from].iter().rposition(breaks).filter(|at| *at > place)?;
    let first = lexemes[..place].iter().rposition(breaks).map_or(0, |at| at + 1);
    let last = place + lexemes[place..].iter().position(breaks)?;
    let again = |l: &Lexeme| lexemes[first..last].iter().any(|before| is_same(before, l));
    let own = &lexemes[begins + 1..from];
    (!own.is_empty() && own.iter().all(again)).then_some(begins)
}

/// Where the last run of lexemes stands that says the same.
fn find(before: &[Lexeme], run: &[Lexeme]) -> Option<usize> {
    let told = run.iter().any(|l| l.is_number() || l.is_word() && !speech::is_filler(&l.text));
    let same = |at: &usize| run.iter().enumerate().all(|(n, l)| is_same(&before[at + n], l));
    // «1. саморез»: the number of a line is no number of its goods.
    let listed = |at: usize| {
        at.checked_sub(1).is_none_or(|b| before[b].is('\n'))
            && before.get(at + 1).is_some_and(|l| l.is('.') || l.is(')'))
    };
    // A number by itself is none of a size, «4» of «4х25».
    let sized = |at: usize| {
        let crossed = |l: &Lexeme| l.is('x') || l.is('/') && !l.spaced;
        at > 0 && crossed(&before[at - 1]) || before.get(at + run.len()).is_some_and(crossed)
    };
    if !told || before.len() < run.len() {
        return None;
    }
    (0..=before.len() - run.len()).rev().find(|at| same(at) && !listed(*at) && !sized(*at))
}

/// Whether two lexemes say the same.
fn is_same(one: &Lexeme, other: &Lexeme) -> bool {
    one.kind == other.kind
        && if one.is_number() {
            one.value == other.value
        } else {
            one.text == other.text || stem(&one.text) == stem(&other.text)
        }
}
