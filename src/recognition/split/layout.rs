//! The keyboard layout of a message, put right: «gjhjkjy» is «поролон».

use super::super::index::Index;
use super::super::measure::Measure;
use super::super::normalize::{Chars, is_cyrillic, other_layout};
use super::super::speech;
use super::super::translit;

/// Reads the characters of a message and puts the keyboard layout right.
pub(crate) fn characters(index: &Index, text: &str) -> Chars {
    let mut chars = Chars::new(text);
    chars.forget_shouting();
    let mut from = 0;
    while from < chars.ch.len() {
        let to =
            chars.ch[from..].iter().position(|c| *c == '\n').map_or(chars.ch.len(), |n| from + n);
        right_layout(index, &mut chars, from, to);
        from = to + 1;
    }
    translit::digits_as_letters(index, &mut chars);
    translit::latin_as_cyrillic(index, &mut chars);
    chars
}

/// So many words in a row of a line may have been typed in the other layout.
const RUN: usize = 3;

/// Converts the words of one line that were typed in the other keyboard layout.
pub(super) fn right_layout(index: &Index, chars: &mut Chars, from: usize, to: usize) {
    let mut chunks: Vec<(usize, usize)> = Vec::new();
    let mut start = None;
    for i in from..=to {
        let blank = i == to || matches!(chars.ch[i], ' ' | '\t');
        match (blank, start) {
            (false, None) => start = Some(i),
            (true, Some(s)) => {
                chunks.push((s, i));
                start = None;
            }
            _ => {}
        }
    }
    if wholly_turned(index, chars, &chunks) {
        return;
    }
    // «rktq gdf 1 ru 5 in, очиститель …»: a run of it.
    let cyrillic =
        |chars: &Chars, c: &(usize, usize)| chars.ch[c.0..c.1].iter().any(|c| is_cyrillic(*c));
    let runs: Vec<Vec<(usize, usize)>> = chunks
        .split(|chunk| cyrillic(chars, chunk))
        .filter(|run| run.len() >= RUN)
        .map(|run| {
            run.iter().map(|(a, b)| (*a, *b - usize::from(chars.ch[*b - 1] == ','))).collect()
        })
        .collect();
    for run in runs {
        wholly_turned(index, chars, &run);
    }
    let (mut sure, mut unsure) = (false, false);
    let mut later: Vec<(usize, usize, bool)> = Vec::new();
    for (a, b) in chunks {
        let latin = chars.ch[a..b].iter().any(char::is_ascii_alphabetic);
        let cyrillic = chars.ch[a..b].iter().any(|c| is_cyrillic(*c));
        if latin == cyrillic {
            continue;
        }
        let turned = turned(&chars.ch[a..b], latin);
        let (was, is) = (words(&chars.ch[a..b]), words(&turned));
        let known = |w: &String| w.chars().count() > 1 && familiar(index, w);
        let long = is.iter().any(|w| {
            w.chars().count() >= 4
                && if latin { sure_word(index, w) } else { index.vocabulary.has(w) }
        });
        if !was.is_empty() && !was.iter().any(known) && long {
            chars.ch[a..b].copy_from_slice(&turned);
            sure = true;
        } else if !cyrillic || !was.iter().any(known) {
            unsure |= latin && was.iter().any(|w| w.len() > 2 && known(w));
            later.push((a, b, latin));
        } else {
            unsure |= was.iter().any(|w| w.chars().count() > 2);
        }
    }
    let numbers: Vec<usize> = number_ends(chars, from, to);
    for (a, b, latin) in later {
        let turned = turned(&chars.ch[a..b], latin);
        let (was, is) = (words(&chars.ch[a..b]), words(&turned));
        let exact = |w: &String| index.vocabulary.has(w);
        // «ЦБ065400» is no «W,065400».
        let letters = |words: &[String]| words.iter().map(|w| w.chars().count()).sum::<usize>();
        let digits = chars.ch[a..b].iter().any(char::is_ascii_digit);
        let typed = || chars.ch[a..b].iter().collect::<String>();
        // «Се33» is the «CE33» of a title. Titles are asked last: it looks through them.
        let code = digits
            && was.iter().all(|w| w.chars().count() > 1 && !familiar(index, w))
            && !is.is_empty()
            && letters(&is) == letters(&was)
            && is.iter().all(exact)
            && !index.writes(&typed());
        let small = sure
            && latin
            && !was.iter().any(exact)
            && is.iter().all(|w| familiar(index, w) || w == "х");
        // Where all the long words were of the other layout, so are «c», «24k», «f4».
        // «F» may be meant as it is: a type is a letter in either alphabet.
        let lone = b - a == 1 && chars.upper[a];
        let alike = sure && !unsure && latin && !lone && !was.iter().any(|w| stands(index, w));
        // «Vjkjrj Parmalat 12 in»
        let unit = |w: &String| crate::recognition::quantity::known_unit(w).is_some();
        let counted = sure && latin && is.iter().all(unit) && numbers.contains(&a);
        if code || small || alike || counted {
            chars.ch[a..b].copy_from_slice(&turned);
        }
    }
}

/// Where the words of a line begin that stand after a number.
fn number_ends(chars: &Chars, from: usize, to: usize) -> Vec<usize> {
    let after = |at: &usize| {
        let before = &chars.ch[from..*at];
        chars.ch[*at].is_alphabetic()
            && before.last() == Some(&' ')
            && before.iter().rev().find(|c| **c != ' ').is_some_and(char::is_ascii_digit)
    };
    (from..to).filter(after).collect()
}

/// Turns a line that was typed in the Latin layout from its beginning to its end, if it was.
fn wholly_turned(index: &Index, chars: &mut Chars, chunks: &[(usize, usize)]) -> bool {
    if chunks.iter().any(|(a, b)| chars.ch[*a..*b].iter().any(|c| is_cyrillic(*c))) {
        return false;
    }
    let read: Vec<Vec<char>> =
        chunks.iter().map(|(a, b)| pressed(index, &chars.ch[*a..*b])).collect();
    let telling = |w: &&String| w.chars().count() >= 3;
    // «Keyf 15» is «луна», a Luna of the catalogue; of three letters a word is spelt so there, «epj».
    let of_titles = |w: &&String| {
        if w.chars().count() == 3 {
            return index.vocabulary.spells(w);
        }
        sure_word(index, w) || index.vocabulary.hears(w)
    };
    let is: usize =
        read.iter().map(|t| words(t).iter().filter(telling).filter(of_titles).count()).sum();
    let known = |w: &&String| w.len() > 2 && familiar(index, w);
    let was: usize =
        chunks.iter().map(|(a, b)| words(&chars.ch[*a..*b]).iter().filter(known).count()).sum();
    if is == 0 || is <= was {
        return false;
    }
    for ((a, b), turned) in chunks.iter().zip(read) {
        let (was, is) = (words(&chars.ch[*a..*b]), words(&turned));
        // «IEK» and «120N» are as they were meant, and so is a capital letter, «C16».
        let own = |words: &[String]| {
            let whole = |w: &String| w.chars().count() > 1 && index.vocabulary.has(w);
            words.iter().all(whole)
        };
        let measures = |words: &[String]| {
            let unit = |w: &String| Measure::read(w, true);
            words.iter().all(|w| unit(w).is_some_and(|u| index.measures.contains(&u)))
        };
        // «V12» is «М12» where there is one, and no V12.
        let text = |chunk: &[char]| chunk.iter().collect::<String>();
        let said = || index.writes(&text(&turned)) && !index.writes(&text(&chars.ch[*a..*b]));
        let letter = !was.is_empty() && was.iter().all(|w| w.len() == 1) && chars.upper[*a];
        let lone = letter && !said();
        let meant =
            !was.is_empty() && (own(&was) || measures(&was)) && !own(&is) && !measures(&is) || lone;
        // «1|2@» is «1/2"».
        let marks = chars.ch[*a..*b].iter().any(|c| "[{|@?".contains(*c));
        if (!was.is_empty() || marks) && !meant {
            let turned = with_own_parts(index, &chars.ch[*a..*b], turned);
            chars.ch[*a..*b].copy_from_slice(&turned);
        }
    }
    true
}

/// «Dduyu-LS» is «ВВГнг-LS»: a part that the catalogue has as it was typed is left so.
fn with_own_parts(index: &Index, typed: &[char], mut turned: Vec<char>) -> Vec<char> {
    let mut at = 0;
    for part in typed.split(|c| !c.is_ascii_alphabetic()) {
        let whole = |part: &[char]| {
            part.len() > 1 && index.vocabulary.has(&part.iter().collect::<String>())
        };
        let to = at + part.len();
        let unit =
            crate::recognition::quantity::known_unit(&turned[at..to].iter().collect::<String>());
        if part.len() < typed.len() && whole(part) && unit.is_none() && !whole(&turned[at..to]) {
            turned[at..to].copy_from_slice(part);
        }
        at = to + 1;
    }
    turned
}

/// What the keys of a word were to give, with its marks: the full stop is on another key.
fn pressed(index: &Index, chunk: &[char]) -> Vec<char> {
    let digit =
        |at: Option<usize>| at.and_then(|at| chunk.get(at)).is_some_and(char::is_ascii_digit);
    let key = |(at, c): (usize, &char)| match c {
        '/' if digit(at.checked_sub(1)) && digit(Some(at + 1)) => *c,
        '/' => '.',
        '?' => ',',
        '|' => '/',
        '@' => '"',
        '#' => '№',
        '^' => ':',
        '$' => ';',
        '&' => '?',
        _ => turned(&chunk[at..=at], true)[0],
    };
    let mut read: Vec<char> = chunk.iter().enumerate().map(key).collect();
    for (at, c) in chunk.iter().enumerate().filter(|(_, c)| matches!(c, ',' | '.')) {
        if digit(at.checked_sub(1)) && digit(Some(at + 1)) {
            read[at] = *c;
        }
    }
    // «Gjhjkjy,»: a mark after a word that is whole without its letter.
    if let Some(mark @ (',' | '.' | ';')) = chunk.last()
        && let Some(letter) = read.pop()
    {
        let without = words(&read).pop().is_some_and(|w| sure_word(index, &w));
        read.push(letter);
        let with = words(&read).pop().is_some_and(|w| sure_word(index, &w));
        if without
            && !with
            && let Some(last) = read.last_mut()
        {
            *last = *mark;
        }
    }
    read
}

/// Whether a short Latin word may be meant as it is: a code of the catalogue, or a unit that its
/// titles measure in.
fn stands(index: &Index, word: &str) -> bool {
    word.len() > 3
        || word.len() > 1 && index.vocabulary.has(word)
        || Measure::read(word, true).is_some_and(|unit| index.measures.contains(&unit))
}

/// What the same keys give in the other layout; the comma of «1,6v» is a comma.
fn turned(chars: &[char], to_cyrillic: bool) -> Vec<char> {
    let digit =
        |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
    let turn = |(at, c): (usize, &char)| match c {
        ',' | '.' if digit(at.checked_sub(1)) && digit(Some(at + 1)) => *c,
        _ => other_layout(*c, to_cyrillic),
    };
    chars.iter().enumerate().map(turn).collect()
}

pub(super) fn words(chars: &[char]) -> Vec<String> {
    chars
        .split(|c| !c.is_alphabetic())
        .filter(|w| !w.is_empty())
        .map(|w| w.iter().collect())
        .collect()
}

pub(super) fn sure_word(index: &Index, word: &str) -> bool {
    index.vocabulary.has(word)
        || index.vocabulary.hears(word) && word.is_ascii()
        || speech::is_filler(word)
        || crate::recognition::quantity::known_unit(word).is_some()
}

/// Whether a word is of the catalogue, of talk or a unit.
pub(super) fn familiar(index: &Index, word: &str) -> bool {
    let back = crate::recognition::vocabulary::cyrillic(word);
    speech::is_filler(word)
        || speech::is_filler(&back)
        || crate::recognition::quantity::known_unit(word).is_some()
        || crate::recognition::quantity::known_unit(&back).is_some()
        || crate::recognition::terms::is_little(word)
        || crate::recognition::terms::Measure::read(word, true).is_some()
            && word.chars().count() > 1
        || if word.chars().count() <= 2 {
            index.vocabulary.has(word)
        } else {
            index.vocabulary.hears(word)
        }
}
