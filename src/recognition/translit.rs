//! Russian that is written in Latin letters: «samorez 4h25 zheltyj 200 sht», and digits that stand for
//! letters there: «4erny», «zaglu6ka».

use super::index::Index;
use super::measure::Measure;
use super::normalize::{Chars, is_cyrillic};
use super::quantity::known_unit;
use super::speech;
use super::terms::{Word, is_little, marker};
use super::vocabulary::cyrillic;

/// Fewer letters than this are a code or a size, «e4», «6x».
const LEAST: usize = 3;

/// A word with «j» where «y» after a vowel is «й»: «chernyy», «mayka».
fn short_i(latin: &str) -> String {
    let bytes = latin.as_bytes();
    let vowel = |c: Option<&u8>| c.is_some_and(|c| b"aeiouy".contains(c));
    let letter = |(at, c): (usize, char)| {
        let short = c == 'y' && at > 0 && vowel(bytes.get(at - 1)) && !vowel(bytes.get(at + 1));
        if short { 'j' } else { c }
    };
    latin.char_indices().map(letter).collect()
}

/// So many ways to write a word are tried.
const MOST: usize = 16;

/// Replaces «4» by «ч» and «6» by «ш» in words that the catalogue knows so, and writes those words in
/// Cyrillic.
pub(crate) fn digits_as_letters(index: &Index, chars: &mut Chars) {
    if !chars.ch.iter().any(|c| matches!(c, '4' | '6')) {
        return;
    }
    let part = |c: &char| c.is_ascii_alphabetic() || matches!(c, '4' | '6' | '\'' | '`');
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
        from = write(chars, start, length, &word);
    }
}

/// Writes a word in the place of so many letters; where it ends.
fn write(chars: &mut Chars, start: usize, length: usize, word: &str) -> usize {
    let word: Vec<char> = word.chars().collect();
    // Each letter stands where one of those that it was written with stood.
    let places: Vec<usize> = (0..word.len()).map(|n| start + n * length / word.len()).collect();
    let at: Vec<usize> = places.iter().map(|p| chars.at[*p]).collect();
    let upper: Vec<bool> = places.iter().map(|p| chars.upper[*p]).collect();
    let (from, end) = (start + length, start + word.len());
    chars.ch.splice(start..from, word);
    chars.at.splice(start..from, at);
    chars.upper.splice(start..from, upper);
    end
}

/// Writes a text in Cyrillic that has Latin letters only and Russian words in them. Names that the
/// catalogue has in Latin letters stay.
pub(crate) fn latin_as_cyrillic(index: &Index, chars: &mut Chars) {
    if chars.ch.iter().any(|c| is_cyrillic(*c)) {
        return;
    }
    let mut words: Vec<Written> = Vec::new();
    let mut at = 0;
    while at < chars.ch.len() {
        let word = Written::at(&chars.ch, at);
        at += word.latin.len().max(1);
        if !word.latin.is_empty() {
            words.push(word);
        }
    }
    let read: Vec<Option<String>> = words.iter().map(|w| w.russian(index)).collect();
    let sure = |(word, read): (&Written, &Option<String>)| {
        word.latin.len() >= LEAST && !word.marks && read.is_some()
    };
    if !words.iter().zip(&read).any(sure) {
        return;
    }
    for (word, read) in words.into_iter().zip(read).rev() {
        let read = read.or_else(|| {
            let other = !word.marks && !word.keeps(index);
            other.then(|| spellings(&word.latin).swap_remove(0))
        });
        if let Some(read) = read {
            write(chars, word.from, word.latin.len(), &read);
        }
    }
}

/// A word in Latin letters.
#[expect(clippy::struct_excessive_bools, reason = "what stands around a word is told apart")]
struct Written {
    latin: String,
    /// Where it begins.
    from: usize,
    /// Whether it stands after a number.
    measures: bool,
    /// Whether a number is glued to its end: «tm5» may be a mark.
    marks: bool,
    /// Whether it is the letter of a size, «h=40».
    equals: bool,
    /// Whether a number stands after it.
    between: bool,
    /// Whether a word stands after it.
    leads: bool,
}

impl Written {
    /// The word that begins here; empty if there is none.
    fn at(ch: &[char], from: usize) -> Self {
        let letter = |at: usize| ch.get(at).is_some_and(char::is_ascii_alphabetic);
        let part = |at: usize| {
            letter(at)
                || at > from
                    && matches!(ch.get(at), Some('\'' | '`' | '/'))
                    && letter(at - 1)
                    && letter(at + 1)
                || at > from && matches!(ch.get(at), Some('\'' | '`')) && letter(at - 1)
        };
        let to = (from..ch.len()).find(|at| !part(*at)).unwrap_or(ch.len());
        let before = ch[..from].iter().rev().find(|c| **c != ' ');
        let after = ch[to..].iter().find(|c| **c != ' ');
        Self {
            latin: ch[from..to].iter().collect(),
            from,
            measures: before.is_some_and(char::is_ascii_digit),
            marks: ch.get(to).is_some_and(char::is_ascii_digit),
            equals: ch.get(to) == Some(&'='),
            between: after.is_some_and(char::is_ascii_digit),
            leads: after.is_some_and(|c| c.is_alphabetic()),
        }
    }

    /// The unit before a cross, «12mmh25» and «4h25», with the cross; the cross of «7 x 50».
    fn crossed(&self) -> Option<String> {
        if self.measures && self.between && matches!(self.latin.as_str(), "x" | "h") {
            return Some("х".to_owned());
        }
        let unit = self.latin.strip_suffix(['h', 'x']).filter(|_| self.measures && self.marks)?;
        let unit = cyrillic(unit);
        (unit.is_empty() || Measure::read(&unit, true).is_some()).then(|| format!("{unit}х"))
    }

    /// Whether the catalogue has the word in Latin letters, or it is a unit as it stands.
    fn keeps(&self, index: &Index) -> bool {
        if self.equals {
            return true;
        }
        if self.measures && !self.marks {
            let unit = |word: &str| Measure::read(word, true).is_some();
            return unit(&self.latin)
                || index.vocabulary.has(&self.latin) && !unit(&cyrillic(&self.latin));
        }
        index.vocabulary.has(&self.latin)
    }

    /// The Russian word that is written so, if the catalogue, the units or the language have it.
    fn russian(&self, index: &Index) -> Option<String> {
        if let Some(crossed) = self.crossed() {
            return Some(crossed);
        }
        // «Samorez s pressshaiboi»; «perchatki S 10» are of a size.
        if self.latin == "s" && self.leads {
            return Some("с".to_owned());
        }
        if self.keeps(index) {
            return None;
        }
        let spellings = spellings(&self.latin);
        let of_titles = |word: &String| index.vocabulary.has(&word.replace('/', ""));
        let known = |word: &String| {
            of_titles(word)
                || self.marks && marker(word, true).is_some()
                || !self.marks
                    && (known_unit(word).is_some()
                        || self.measures && Measure::read(word, true).is_some()
                        || is_little(word)
                        || self.latin.len() > 1 && speech::is_filler(word))
        };
        let heard = |word: &String| self.latin.len() > 3 && index.vocabulary.hears(word);
        let found = spellings.iter().find(|w| known(w));
        found.or_else(|| spellings.iter().find(|w| heard(w))).cloned()
    }
}

/// A word in Latin letters in Cyrillic ones, by the schemes that people use, the commonest first.
fn spellings(latin: &str) -> Vec<String> {
    /// A letter for which schemes differ, and what is written for it in the first one. What one
    /// gives is none that a later one takes.
    const SCHEMES: &[(&str, &str)] = &[
        ("je", "zhe"),
        ("ji", "zhi"),
        ("h", "kh"),
        ("h", "g"),
        ("x", "kh"),
        ("j", "zh"),
        ("j", "y"),
        ("w", "sh"),
        ("c", "k"),
        ("c", "s"),
        ("ia", "ya"),
        ("iu", "yu"),
        ("sch", "skh"),
    ];
    let latin = short_i(&latin.replace(['\'', '`'], ""));
    let mut out = vec![latin];
    for (from, to) in SCHEMES {
        let more: Vec<String> =
            out.iter().filter(|w| w.contains(from)).map(|w| w.replace(from, to)).collect();
        if out.len() + more.len() <= MOST {
            out.extend(more);
        }
    }
    out.iter().map(|word| cyrillic(word)).collect()
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
