//! A text → words, numbers and marks, each with its place. The same for titles and for orders.

use super::normalize::{Chars, one_script};
use super::terms::Measure;
use super::threads;

/// What a lexeme is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Letters; with a slash inside for «ж/ц».
    Word,
    /// Digits, perhaps with decimals.
    Number,
    /// Anything else; `x` between numbers or before one is the multiplication cross.
    Mark(char),
}

/// A word, a number or a mark.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "how a lexeme is written is told apart")]
pub(crate) struct Lexeme {
    /// What it is.
    pub(crate) kind: Kind,
    /// Normalised letters or digits.
    pub(crate) text: String,
    /// A number's value in thousandths.
    pub(crate) value: i64,
    /// Where it begins, in bytes of the original.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
    /// Whether a blank stands before it.
    pub(crate) spaced: bool,
    /// Whether a full stop is glued to it.
    pub(crate) dotted: bool,
    /// Whether it began with a capital.
    pub(crate) upper: bool,
    /// A number said as a name, «сороковка», «восьмой»: never a quantity.
    pub(crate) named: bool,
    /// A number that was written in words.
    pub(crate) spoken: bool,
}

impl Lexeme {
    /// Whether this is the mark.
    pub(crate) fn is(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    /// Whether this is a number.
    pub(crate) fn is_number(&self) -> bool {
        self.kind == Kind::Number
    }

    /// Whether this is a number that was said in words and is no name.
    pub(crate) fn is_said_number(&self) -> bool {
        self.is_number() && self.spoken && !self.named
    }

    /// Whether this is a word.
    pub(crate) fn is_word(&self) -> bool {
        self.kind == Kind::Word
    }
}

/// Splits a normalised text.
pub(crate) fn lex(chars: &Chars) -> Vec<Lexeme> {
    let mut out: Vec<Lexeme> = Vec::with_capacity(chars.ch.len() / 4 + 1);
    let ch = &chars.ch;
    let mut i = 0;
    let mut spaced = true;
    while i < ch.len() {
        let c = ch[i];
        let start = i;
        if c == ' ' {
            spaced = true;
            i += 1;
            continue;
        }
        if c == '\u{301}' {
            i += 1;
            continue;
        }
        let mut lexeme = Lexeme {
            kind: Kind::Mark(c),
            text: String::new(),
            value: 0,
            start: chars.at[i],
            end: chars.at[i + 1],
            spaced,
            dotted: false,
            upper: chars.upper[i],
            named: false,
            spoken: false,
        };
        spaced = false;
        if c.is_ascii_digit() {
            i = number(ch, i, &mut lexeme);
        } else if let Some((a, b)) = vulgar_fraction(c) {
            for (k, n) in [a, b].into_iter().enumerate() {
                if k == 1 {
                    out.push(Lexeme { kind: Kind::Mark('/'), spaced: false, ..lexeme.clone() });
                }
                out.push(Lexeme {
                    kind: Kind::Number,
                    text: n.to_string(),
                    value: i64::from(n) * 1000,
                    spaced: k == 0 && lexeme.spaced,
                    ..lexeme.clone()
                });
            }
            i += 1;
            continue;
        } else if c.is_alphabetic() {
            while i < ch.len() && ch[i].is_alphabetic() || is_silent(ch, i) {
                i += 1;
            }
            let after_number = out.last().is_some_and(Lexeme::is_number);
            let mut letters: String = ch[start..i].iter().filter(|c| c.is_alphabetic()).collect();
            let digit_next = ch.get(i).is_some_and(char::is_ascii_digit);
            let far_digit = ch[i..].iter().find(|c| **c != ' ').is_some_and(char::is_ascii_digit);
            let mut crossed = false;
            let lone_h = letters == "h" && after_number && digit_next && !lexeme.spaced;
            if letters == "х" || letters == "x" || lone_h {
                let lone = lexeme.spaced || !out.last().is_some_and(Lexeme::is_word);
                let parted = lexeme.spaced && ch.get(i) == Some(&' ');
                crossed = (after_number || parted) && far_digit
                    || digit_next && (lone || after_measure(&out) || after_side(&out));
            } else if (after_number || out.last().is_some_and(|l| l.is('"')))
                && digit_next
                && letters.ends_with(['х', 'x'])
            {
                // «48ммх66», «3/4"НРх1/2»: the cross is glued to the unit or the side.
                letters.pop();
                i -= 1;
            }
            lexeme.kind = Kind::Mark('x');
            if !crossed {
                lexeme.kind = Kind::Word;
                let measured = after_number
                    && !matches!(letters.as_str(), "г" | "гр" | "кг" | "g" | "kg")
                    && Measure::read(&letters, !lexeme.spaced).is_some();
                if !measured {
                    i = slashed(ch, i, &mut letters);
                }
                lexeme.text = one_script(&letters);
                // «Столько же.» is no word cut short.
                let whole = lexeme.text == "же";
                if !whole && ch.get(i) == Some(&'.') && ch.get(i + 1).is_none_or(|c| *c != '.') {
                    lexeme.dotted = true;
                    i += 1;
                }
            }
        } else {
            i += 1;
            if c == '*' {
                lexeme.kind = Kind::Mark('x');
            }
            if c == '\n' || c == '\t' {
                spaced = true;
            }
        }
        lexeme.end = chars.at[i];
        if lexeme.dotted {
            lexeme.end = chars.at[i - 1];
        }
        out.push(lexeme);
    }
    threads::joined(out)
}

/// Whether a mark inside a word is none of its letters: an accent, or the apostrophe that stands for
/// «ь» in Latin letters, «mebel'nyj».
fn is_silent(ch: &[char], at: usize) -> bool {
    let latin = |at: usize| ch.get(at).is_some_and(char::is_ascii_alphabetic);
    match ch.get(at) {
        Some('\u{301}') => true,
        Some('\'') => at > 1 && latin(at - 1) && latin(at - 2) && latin(at + 1) && latin(at + 2),
        _ => false,
    }
}

/// Whether the last word is the unit of a number: «48мм» before «х66».
fn after_measure(out: &[Lexeme]) -> bool {
    match out {
        [.., number, unit] => {
            number.is_number() && unit.is_word() && Measure::read(&unit.text, true).is_some()
        }
        _ => false,
    }
}

/// Whether the last word is the side of the thread before it: «3/4"НР» before «х1/2».
fn after_side(out: &[Lexeme]) -> bool {
    match out {
        [.., inch, side] => inch.is('"') && side.is_word() && threads::names_side(&side.text),
        _ => false,
    }
}

/// Reads «ж/ц», «п/накл», «х/б» as one word: short letters around a slash.
fn slashed(ch: &[char], mut i: usize, letters: &mut String) -> usize {
    while ch.get(i) == Some(&'/')
        && ch.get(i + 1).is_some_and(|c| c.is_alphabetic())
        && letters != "шт"
    {
        let end =
            ch[i + 1..].iter().position(|c| !c.is_alphabetic()).map_or(ch.len(), |n| i + 1 + n);
        let (left, right) = (letters.chars().count(), end - i - 1);
        // «д/мусора» is «для мусора».
        let purpose = letters == "д" && right >= 3;
        if purpose
            || left > 2
            || ch.get(end).is_some_and(char::is_ascii_digit)
            || (left == 2 && right > 3)
        {
            break;
        }
        letters.push('/');
        letters.extend(&ch[i + 1..end]);
        i = end;
    }
    i
}

fn vulgar_fraction(c: char) -> Option<(i32, i32)> {
    Some(match c {
        '½' => (1, 2),
        '¼' => (1, 4),
        '¾' => (3, 4),
        '⅜' => (3, 8),
        '⅝' => (5, 8),
        '⅛' => (1, 8),
        _ => return None,
    })
}

/// «3 250,00»: a sum of money, told by its kopecks. Its value and where it ends.
fn money(ch: &[char], mut end: usize, whole: &str) -> Option<(i64, usize)> {
    let digit = |at: usize| ch.get(at).is_some_and(char::is_ascii_digit);
    if whole.len() > 3 {
        return None;
    }
    let mut digits = whole.to_owned();
    while ch.get(end) == Some(&' ') && (1..=3).all(|k| digit(end + k)) && !digit(end + 4) {
        digits.extend(&ch[end + 1..end + 4]);
        end += 4;
    }
    let kopecks = matches!(ch.get(end), Some(',' | '.'))
        && digit(end + 1)
        && digit(end + 2)
        && !digit(end + 3)
        && !matches!(ch.get(end + 3), Some(',' | '.'));
    if digits.len() == whole.len() || !kopecks {
        return None;
    }
    let cents: String = ch[end + 1..end + 3].iter().collect();
    let value = digits.parse::<i64>().ok()?.checked_mul(1000)?;
    Some((value.checked_add(cents.parse::<i64>().ok()? * 10)?, end + 3))
}

/// Reads digits with decimals and with blanks between thousands. «101,105,110» is a list.
fn number(ch: &[char], start: usize, lexeme: &mut Lexeme) -> usize {
    let digits = |from: usize| from + ch[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    let mut end = digits(start);
    let whole: String = ch[start..end].iter().collect();
    let mut value = whole.parse::<i64>().unwrap_or(i64::MAX / 4_000_000).saturating_mul(1000);
    let mut text = whole;
    let begins_list =
        start >= 2 && matches!(ch[start - 1], ',' | '.') && ch[start - 2].is_ascii_digit();
    let mark = ch.get(end).copied();
    if matches!(mark, Some(',' | '.')) && ch.get(end + 1).is_some_and(char::is_ascii_digit) {
        let after = digits(end + 1);
        let goes_on = ch.get(after).is_some_and(|c| Some(*c) == mark)
            && ch.get(after + 1).is_some_and(char::is_ascii_digit);
        let decimals: String = ch[end + 1..after].iter().collect();
        if !goes_on && !begins_list {
            if mark == Some('.') && decimals == "000" && text.len() <= 3 && text != "0" {
                value = value.saturating_mul(1000);
                text.push_str("000");
            } else {
                let mut thousandths = decimals.clone();
                thousandths.truncate(3);
                while thousandths.len() < 3 {
                    thousandths.push('0');
                }
                value = value.saturating_add(thousandths.parse().unwrap_or(0));
                text = format!("{text}.{decimals}");
            }
            end = after;
        }
    } else if let Some((sum, after)) = money(ch, end, &text) {
        value = sum;
        text = (sum / 1000).to_string();
        end = after;
    } else if text.len() <= 3 && mark == Some(' ') && text != "0" {
        // «1 000», «10 000»
        let zeros = ch.get(end + 1..end + 4).is_some_and(|z| z == ['0', '0', '0']);
        if zeros && !ch.get(end + 4).is_some_and(char::is_ascii_digit) {
            value = value.saturating_mul(1000);
            text.push_str("000");
            end += 4;
            // «1 000,00»
            let cents = ch.get(end..end + 3).is_some_and(|c| {
                matches!(c[0], ',' | '.') && c[1..].iter().all(char::is_ascii_digit)
            });
            if cents && !ch.get(end + 3).is_some_and(char::is_ascii_digit) {
                end += 3;
            }
        }
    }
    lexeme.kind = Kind::Number;
    lexeme.value = value.min(i64::MAX / 4_000_000);
    lexeme.text = text;
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::cast_precision_loss, reason = "the numbers of titles are small")]
    fn shown(text: &str) -> String {
        let shown = lex(&Chars::new(text)).into_iter().map(|l| match l.kind {
            Kind::Word => format!("{}{}", l.text, if l.dotted { "." } else { "" }),
            Kind::Number => format!("{}", l.value as f64 / 1000.0),
            Kind::Mark(c) => format!("<{c}>"),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn sizes_codes_and_abbreviations_come_apart() {
        assert_eq!(shown("Саморез 4х25 ж/ц"), "саморез 4 <x> 25 ж/ц");
        assert_eq!(shown("Скотч 48ммх66м"), "скотч 48 мм <x> 66 м");
        assert_eq!(shown("нитки70лл чер10"), "нитки 70 лл чер 10");
        assert_eq!(shown("бел. 1,5м"), "бел. 1.5 м");
        assert_eq!(shown("1.000 шт, 1 000 шт"), "1000 шт <,> 1000 шт");
        assert_eq!(shown("цвета 104,109,212"), "цвета 104 <,> 109 <,> 212");
        assert_eq!(shown("кран ½"), "кран 0.5 <\">");
        assert_eq!(shown("Газлифт 50N х10"), "газлифт 50 n <x> 10");
    }
}
