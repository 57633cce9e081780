//! Digits that stand for letters where Russian is written in Latin ones: «4erny», «zaglu6ka».

use super::index::Index;
use super::normalize::Chars;
use super::terms::Word;
use super::vocabulary::cyrillic;

/// Fewer letters than this are a code or a size, «e4», «6x».
const LEAST: usize = 3;

/// Replaces «4» by «ч» and «6» by «ш» in words that the catalogue knows so, and writes those words in
/// Cyrillic.
pub(crate) fn digits_as_letters(index: &Index, chars: &mut Chars) {
    if !chars.ch.iter().any(|c| matches!(c, '4' | '6')) {
        return;
    }
    let part = |c: &char| c.is_ascii_alphabetic() || matches!(c, '4' | '6' | '\'');
    let mut from = 0;
    while let Some(start) = chars.ch[from..].iter().position(part).map(|n| from + n) {
        let length = chars.ch[start..].iter().take_while(|c| part(c)).count();
        from = start + length;
        let before = start.checked_sub(1).map(|at| chars.ch[at]);
        let whole = |c: Option<char>| c.is_none_or(|c| !(c.is_alphanumeric() || ",.".contains(c)));
        if !whole(before) || chars.ch.get(from).is_some_and(|c| c.is_alphanumeric()) {
            continue;
        }
        let Some(word) = read(index, &chars.ch[start..from]) else { continue };
        let word: Vec<char> = word.chars().collect();
        // Each letter stands where one of those that it was written with stood.
        let places: Vec<usize> = (0..word.len()).map(|n| start + n * length / word.len()).collect();
        let at: Vec<usize> = places.iter().map(|p| chars.at[*p]).collect();
        let upper: Vec<bool> = places.iter().map(|p| chars.upper[*p]).collect();
        let end = start + word.len();
        chars.ch.splice(start..from, word);
        chars.at.splice(start..from, at);
        chars.upper.splice(start..from, upper);
        from = end;
    }
}

/// The word in Cyrillic, if its digits are letters.
fn read(index: &Index, written: &[char]) -> Option<String> {
    let digits = written.iter().filter(|c| c.is_ascii_digit()).count();
    let letters = written.iter().filter(|c| c.is_ascii_alphabetic()).count();
    // A digit at the end is the number of a code, «ral4».
    let inside = written.last().is_some_and(|c| !c.is_ascii_digit());
    if digits == 0 || letters < LEAST || !inside {
        return None;
    }
    let latin: String = written
        .iter()
        .map(|c| match c {
            '4' => "ch".to_owned(),
            '6' => "sh".to_owned(),
            '\'' => String::new(),
            c => c.to_string(),
        })
        .collect();
    let text = cyrillic(&latin);
    let word = Word { text: text.clone(), ..Word::default() };
    let known = index.vocabulary.meanings(&word);
    (known.sure || letters >= 5 && !known.words.is_empty()).then_some(text)
}
