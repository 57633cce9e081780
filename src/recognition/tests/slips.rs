//! Titles of whole catalogues written as people write them: with slips, in Latin letters, without
//! vowels, and with what the catalogue does not have. Nothing of it may order another product.

use super::*;

const CATALOGS: [&str; 2] = ["household_food_catalog.json", "plumbing_electrics_catalog.json"];

/// How a title was read that somebody wrote so.
#[derive(Debug, Default)]
struct Outcome {
    all: usize,
    right: usize,
    /// Another product than that of the title, or any where the catalogue has none.
    wrong: usize,
    /// The first of these, for the message of a test.
    example: String,
}

/// Writes every seventh title of the catalogues so and orders seven. `none`: the catalogue has no such.
fn written(none: bool, write: impl Fn(&str) -> Option<String>) -> Outcome {
    ordered(none, |title| Some(format!("{} - 7 шт", write(title)?)))
}

/// Orders every seventh title of the catalogues in these words.
fn ordered(none: bool, write: impl Fn(&str) -> Option<String>) -> Outcome {
    let told = |title: &str| -> String {
        title.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let mut outcome = Outcome::default();
    for catalog in CATALOGS {
        let (index, _) = trade(&fixture(catalog));
        for entry in index.entries.iter().step_by(7) {
            let Some(text) = write(&entry.title.to_lowercase()) else { continue };
            let found = index.recognize(&text, &Buyer::default());
            outcome.all += 1;
            let products = found.lines.iter().filter_map(|l| index.entry(l.product?));
            for product in products {
                if !none && told(&product.title) == told(&entry.title) {
                    outcome.right += 1;
                } else {
                    outcome.wrong += 1;
                    if outcome.example.is_empty() {
                        outcome.example = format!("{text} is read as {}", product.title);
                    }
                }
            }
        }
    }
    outcome
}

/// The text with its longest Cyrillic word written anew.
fn with_word(title: &str, write: impl Fn(&[char]) -> String) -> Option<String> {
    let words =
        title.split(' ').filter(|w| w.chars().all(crate::recognition::normalize::is_cyrillic));
    let longest = words.max_by_key(|w| w.chars().count()).filter(|w| w.chars().count() >= 6)?;
    let letters: Vec<char> = longest.chars().collect();
    Some(title.replacen(longest, &write(&letters), 1))
}

#[test]
fn a_slip_of_the_finger_orders_nothing_else() {
    let swapped = written(false, |title| {
        with_word(title, |letters| {
            let mut letters = letters.to_vec();
            let middle = letters.len() / 2;
            letters.swap(middle, middle - 1);
            letters.iter().collect()
        })
    });
    assert!(swapped.wrong * 100 <= swapped.all, "{swapped:?}");
    assert!(swapped.right * 100 >= swapped.all * 60, "{swapped:?}");
    let dropped = written(false, |title| {
        with_word(title, |letters| {
            let left = letters.iter().enumerate().filter(|(at, _)| *at != letters.len() / 2);
            left.map(|(_, letter)| letter).collect()
        })
    });
    assert!(dropped.wrong * 100 <= dropped.all, "{dropped:?}");
    assert!(dropped.right * 100 >= dropped.all * 60, "{dropped:?}");
}

#[test]
fn a_word_without_its_vowels_orders_nothing_else() {
    let bare = written(false, |title| {
        with_word(title, |letters| {
            let first = letters.iter().take(1);
            let rest = letters.iter().skip(1).filter(|c| !"аеёиоуыэюяьъй".contains(**c));
            first.chain(rest).take(5).collect()
        })
    });
    assert!(bare.wrong * 50 <= bare.all, "{bare:?}");
    assert!(bare.right * 100 >= bare.all * 55, "{bare:?}");
}

#[test]
fn russian_in_latin_letters_is_read_in_every_scheme() {
    const LETTERS: &str = "абвгдежзийклмнопрстуфхцчшщъыьэюя";
    let schemes = [
        "a b v g d e zh z i y k l m n o p r s t u f h ts ch sh sch  y  e yu ya",
        "a b v g d e j z i j k l m n o p r s t u f x c ch sh shch  i ' e ju ja",
        "a b v g d e zh z i j k l m n o p r s t u f kh c ch sh shh  y ' e yu ya",
    ];
    for scheme in schemes {
        let latin: Vec<&str> = scheme.split(' ').collect();
        let letter = |c: char| match LETTERS.chars().position(|l| l == c) {
            Some(at) => latin[at].to_owned(),
            None if c == 'ё' => "e".to_owned(),
            None => c.to_string(),
        };
        let outcome =
            ordered(false, |title| Some(format!("{title} - 7 шт").chars().map(letter).collect()));
        assert!(outcome.wrong * 300 <= outcome.all, "{outcome:?}");
        assert!(outcome.right * 100 >= outcome.all * 93, "{outcome:?}");
    }
}

#[test]
fn the_other_keyboard_layout_is_put_right() {
    const MEANT: &str = "йцукенгшщзхъфывапролджэячсмитьбюё.,/\"№:;";
    const TYPED: &str = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`/?|@#^$";
    let key = |c: char| match MEANT.chars().position(|m| m == c) {
        Some(at) => TYPED.chars().nth(at).unwrap_or(c),
        None => c,
    };
    let outcome = ordered(false, |title| {
        // Who writes of Latin names too sees which layout is on.
        let cyrillic = !title.contains(|c: char| c.is_ascii_alphabetic());
        cyrillic.then(|| format!("{title} - 7 шт").chars().map(key).collect())
    });
    assert!(outcome.wrong * 300 <= outcome.all, "{outcome:?}");
    assert!(outcome.right * 100 >= outcome.all * 90, "{outcome:?}");
}

/// One in sixteen still orders the title that stands before the unheard-of word.
#[test]
fn what_no_product_is_like_orders_nothing() {
    for unheard in ["лиловый", "рифлёный", "огнеупорная", "двускатные"]
    {
        let outcome = written(true, |title| Some(format!("{title} {unheard}")));
        assert!(outcome.wrong * 14 <= outcome.all, "{unheard}: {outcome:?}");
    }
}

/// One in twenty-seven still takes a measure that no product has for the quantity.
#[test]
fn a_size_that_no_product_has_orders_nothing() {
    let outcome = written(true, |title| {
        let digits = |c: char| c.is_ascii_digit();
        let from = title.find(digits)?;
        let length = title[from..].find(|c| !digits(c)).unwrap_or(title.len() - from);
        Some(format!("{}7919{}", &title[..from], &title[from + length..]))
    });
    assert!(outcome.wrong * 25 <= outcome.all, "{outcome:?}");
}

/// One in sixteen still orders its like.
#[test]
fn a_title_that_was_taken_out_orders_nothing() {
    let told = |title: &str| -> String {
        title.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let mut outcome = Outcome::default();
    for catalog in CATALOGS {
        let (whole, _) = trade(&fixture(catalog));
        let gone = |at: usize| at % 5 == 3;
        let left = |(at, entry): (usize, &Entry)| (!gone(at)).then(|| entry.clone());
        let index = Index::build(
            whole.entries.iter().enumerate().filter_map(left).collect(),
            &starter_synonyms(),
        );
        let there: Vec<String> = index.entries.iter().map(|e| told(&e.title)).collect();
        for (_, entry) in whole.entries.iter().enumerate().filter(|(at, _)| gone(*at)) {
            if there.contains(&told(&entry.title)) {
                continue;
            }
            let text = format!("{} - 7 шт", entry.title.to_lowercase());
            let found = index.recognize(&text, &Buyer::default());
            outcome.all += 1;
            for product in found.lines.iter().filter_map(|l| index.entry(l.product?)) {
                outcome.wrong += 1;
                if outcome.example.is_empty() {
                    outcome.example = format!("{text} is read as {}", product.title);
                }
            }
        }
    }
    assert!(outcome.wrong * 14 <= outcome.all, "{outcome:?}");
}
