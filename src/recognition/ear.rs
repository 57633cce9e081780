//! How a name in Latin letters may be read aloud: «Turtle Wax» is written down as «тартл вакс»,
//! «Michelin» as «мишлен», «Stihl» as «штиль».
//!
//! Letters of a name are laid against the sounds of what was written (see [`sound`]), each group of
//! letters by one of its readings in English, German or French. A reading costs nothing where
//! Russian usually has it so, and more the rarer it is.
//!
//! [`sound`]: super::normalize::sound

use std::sync::LazyLock;

/// Where in a word a reading is heard.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Any,
    /// At the beginning.
    First,
    /// At the end.
    Last,
    /// Before «e», «i» and «y».
    Soft,
    /// Before a vowel.
    Open,
}

use Place::{Any, First, Last, Open, Soft};

/// Letters, where they stand, and how they are heard, each with its cost.
type Reading = (&'static str, Place, &'static [(&'static str, u8)]);

/// Readings of letters in English, German and French, as Russian writes them down.
const READINGS: &[Reading] = &[
    ("a", Any, &[("a", 0), ("e", 1), ("ei", 1), ("o", 2)]),
    ("ai", Any, &[("ei", 0), ("e", 1)]),
    ("ay", Any, &[("ei", 0), ("e", 1)]),
    ("au", Any, &[("o", 1), ("av", 1)]),
    ("aw", Any, &[("o", 0)]),
    ("ae", Any, &[("e", 0)]),
    ("b", Any, &[("b", 0), ("p", 2)]),
    ("c", Any, &[("k", 0)]),
    ("c", Soft, &[("c", 0), ("s", 0), ("q", 1)]),
    ("ch", Any, &[("q", 0), ("h", 0), ("k", 0), ("w", 1)]),
    ("ck", Any, &[("k", 0)]),
    ("cz", Any, &[("q", 0)]),
    ("d", Any, &[("d", 0)]),
    ("d", Last, &[("t", 1), ("", 2)]),
    ("dge", Any, &[("j", 0), ("dj", 0)]),
    ("e", Any, &[("e", 0), ("i", 1), ("o", 2)]),
    ("e", Last, &[("", 0)]),
    ("e", Any, &[("", 2)]),
    ("es", Last, &[("s", 0), ("z", 0)]),
    ("ea", Any, &[("i", 0), ("e", 1), ("ei", 1)]),
    ("ee", Any, &[("i", 0)]),
    ("ei", Any, &[("ai", 0), ("i", 1)]),
    ("eu", Any, &[("oi", 0), ("e", 1)]),
    ("ew", Any, &[("u", 0), ("iu", 0)]),
    ("ey", Any, &[("i", 0), ("ei", 0)]),
    ("f", Any, &[("f", 0)]),
    ("g", Any, &[("g", 0)]),
    ("g", Soft, &[("j", 0), ("dj", 0)]),
    ("ge", Last, &[("j", 0)]),
    ("gh", Any, &[("g", 0), ("", 0)]),
    ("gu", Open, &[("g", 0)]),
    ("h", Any, &[("h", 0), ("", 1), ("g", 1)]),
    ("i", Any, &[("i", 0), ("ai", 1)]),
    ("i", Any, &[("e", 2)]),
    ("ie", Any, &[("i", 0), ("ai", 1)]),
    ("igh", Any, &[("ai", 0)]),
    ("in", Last, &[("en", 1)]),
    ("ir", Any, &[("er", 1)]),
    ("j", Any, &[("j", 0), ("i", 0), ("dj", 0)]),
    ("ju", Any, &[("u", 1)]),
    ("k", Any, &[("k", 0)]),
    ("kn", First, &[("n", 0)]),
    ("l", Any, &[("l", 0)]),
    ("m", Any, &[("m", 0)]),
    ("n", Any, &[("n", 0)]),
    ("ng", Last, &[("n", 1)]),
    ("o", Any, &[("o", 0), ("ou", 1), ("a", 1), ("u", 2)]),
    ("oa", Any, &[("o", 0), ("ou", 0)]),
    ("oe", Any, &[("e", 0), ("o", 1)]),
    ("oo", Any, &[("u", 0), ("o", 1)]),
    ("ou", Any, &[("u", 0), ("au", 0), ("a", 1), ("o", 1)]),
    ("ow", Any, &[("ou", 0), ("au", 0), ("o", 0)]),
    ("p", Any, &[("p", 0)]),
    ("ph", Any, &[("f", 0)]),
    ("pf", Any, &[("f", 1)]),
    ("q", Any, &[("k", 0)]),
    ("qu", Any, &[("kv", 0)]),
    ("r", Any, &[("r", 0)]),
    ("s", Any, &[("s", 0), ("z", 0)]),
    ("s", First, &[("w", 1)]),
    ("s", Last, &[("", 2)]),
    ("sc", Soft, &[("s", 0)]),
    ("sh", Any, &[("w", 0)]),
    ("sch", Any, &[("w", 0), ("sk", 1)]),
    ("t", Any, &[("t", 0)]),
    ("t", Last, &[("", 2)]),
    ("th", Any, &[("t", 0), ("s", 1), ("z", 1)]),
    ("tion", Any, &[("wn", 0), ("won", 0), ("wen", 0), ("cion", 0)]),
    ("tch", Any, &[("q", 0)]),
    ("ts", Any, &[("c", 0)]),
    ("tz", Any, &[("c", 0)]),
    ("u", Any, &[("u", 0), ("a", 1)]),
    ("ue", Last, &[("u", 0)]),
    ("ui", Any, &[("u", 1), ("i", 1)]),
    ("ur", Any, &[("er", 0)]),
    ("v", Any, &[("v", 0), ("f", 1)]),
    ("w", Any, &[("v", 0), ("u", 0)]),
    ("wh", Any, &[("v", 0), ("u", 0), ("h", 1)]),
    ("wr", First, &[("r", 0)]),
    ("x", Any, &[("ks", 0), ("z", 2)]),
    ("x", First, &[("s", 1), ("ks", 0)]),
    ("y", Any, &[("i", 0), ("ai", 1)]),
    ("y", Open, &[("", 0)]),
    ("z", Any, &[("z", 0), ("c", 0), ("s", 1)]),
];

/// The readings by the first letter.
static BY_LETTER: LazyLock<[Vec<&Reading>; 26]> = LazyLock::new(|| {
    let begin = |letter: u8| READINGS.iter().filter(|r| r.0.as_bytes()[0] == letter).collect();
    std::array::from_fn(|at| begin(b'a' + u8::try_from(at).unwrap_or(0)))
});

/// Longer names and words are not compared.
const LONGEST: usize = 24;

/// What may be added to the cheapest readings of a word of so many sounds.
fn limit(sounds: usize) -> u8 {
    match sounds {
        0..=2 => 0,
        3 => 1,
        4..=5 => 2,
        6..=8 => 3,
        _ => 4,
    }
}

/// The letters with which a name, in small Latin letters, may begin to sound, one bit each.
pub(crate) fn first_sounds(name: &str) -> u32 {
    let name = name.as_bytes();
    let mut sounds = 0;
    for (letters, place, heard) in readings_at(name, 0) {
        if is_there(name, 0, letters, *place) {
            for (heard, _) in *heard {
                sounds |= heard.bytes().next().map_or(u32::MAX, bit);
            }
        }
    }
    sounds
}

/// The bit of a sound in [`first_sounds`].
pub(crate) fn bit(sound: u8) -> u32 {
    1 << (sound.wrapping_sub(b'a') & 31)
}

/// What it costs to hear a name, in small Latin letters, as these sounds; `None` where it cannot be
/// heard so.
pub(crate) fn cost(name: &str, sounds: &str) -> Option<u8> {
    let (name, sounds) = (name.as_bytes(), sounds.as_bytes());
    if name.len() > LONGEST || sounds.len() > LONGEST || sounds.is_empty() {
        return None;
    }
    let limit = limit(sounds.len());
    let mut best = [[u8::MAX; LONGEST + 1]; LONGEST + 1];
    best[0][0] = 0;
    for at in 0..name.len() {
        // A doubled consonant is one.
        let again = at > 0 && name[at] == name[at - 1] && !b"aeiou".contains(&name[at]);
        let mut alive = false;
        for heard in 0..=sounds.len() {
            let so_far = best[at][heard];
            if so_far > limit {
                continue;
            }
            alive = true;
            if again {
                best[at + 1][heard] = best[at + 1][heard].min(so_far);
            }
            for (letters, place, ways) in readings_at(name, at) {
                if !is_there(name, at, letters, *place) {
                    continue;
                }
                for (way, cost) in *ways {
                    if let Some(to) = follow(sounds, heard, way.as_bytes()) {
                        let entry = &mut best[at + letters.len()][to];
                        *entry = (*entry).min(so_far + cost);
                    }
                }
            }
        }
        if !alive && !best[at + 1..].iter().any(|row| row.iter().any(|c| *c <= limit)) {
            return None;
        }
    }
    let cost = best[name.len()][sounds.len()];
    (cost <= limit).then_some(cost)
}

fn readings_at(name: &[u8], at: usize) -> impl Iterator<Item = &'static Reading> {
    let letter = name.get(at).filter(|c| c.is_ascii_lowercase());
    letter.into_iter().flat_map(|c| BY_LETTER[usize::from(c - b'a')].iter().copied())
}

fn is_there(name: &[u8], at: usize, letters: &str, place: Place) -> bool {
    let end = at + letters.len();
    let next = name.get(end);
    name[at..].starts_with(letters.as_bytes())
        && match place {
            Any => true,
            First => at == 0,
            Last => end == name.len(),
            Soft => next.is_some_and(|c| b"eiy".contains(c)),
            Open => next.is_some_and(|c| b"aeiouy".contains(c)),
        }
}

/// Where the sounds go on after these; sounds alike that meet are one.
fn follow(sounds: &[u8], from: usize, way: &[u8]) -> Option<usize> {
    if sounds[from..].starts_with(way) {
        return Some(from + way.len());
    }
    let (first, rest) = way.split_first()?;
    let met = from > 0 && sounds[from - 1] == *first;
    (met && sounds[from..].starts_with(rest)).then_some(from + rest.len())
}

#[cfg(test)]
mod tests {
    use super::super::normalize::sound;
    use super::*;

    #[test]
    fn names_are_heard_as_they_are_read_in_their_languages() {
        for (name, heard) in [
            ("turtle", "тартл"),
            ("wax", "вакс"),
            ("stihl", "штиль"),
            ("vaillant", "вайлант"),
            ("bridgestone", "бриджстоун"),
            ("night", "найт"),
        ] {
            assert!(cost(name, &sound(heard)).is_some(), "{name} {heard}");
            assert!(first_sounds(name) & bit(sound(heard).as_bytes()[0]) != 0, "{name} {heard}");
        }
    }

    #[test]
    fn other_names_are_not_heard() {
        for (name, heard) in
            [("bosch", "бокс"), ("makita", "макет"), ("grohe", "гроза"), ("tide", "тед")]
        {
            assert_eq!(cost(name, &sound(heard)), None, "{name} {heard}");
        }
    }

    #[test]
    fn the_usual_reading_costs_less_than_a_rare_one() {
        assert_eq!(cost("black", "blak"), Some(0));
        assert_eq!(cost("black", "blek"), Some(1));
        assert_eq!(cost("stanley", "stenli"), Some(1));
    }

    proptest::proptest! {
        #[test]
        fn no_name_and_no_sounds_panic(name in ".{0,30}", sounds in ".{0,30}") {
            let _ = (first_sounds(&name), cost(&name, &sounds), cost(&name, &sound(&sounds)));
        }
    }
}
