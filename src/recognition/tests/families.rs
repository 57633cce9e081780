//! Products of whole catalogues that differ in one word or one number: one after another, the second
//! cut down to what it differs in, and one put in the place of the other.

use super::*;

/// What is ordered, `{one}` a title, `{a}` what it differs in, `{b}` what the other has there, `{rest}`
/// the title without it; and how many of the first and of the second that is.
type Way = (&'static str, Option<i64>, Option<i64>);

const ELLIPSES: &[Way] = &[
    ("{one} 5 шт, {b} 3 шт", Some(5), Some(3)),
    ("{one} - 5, {b} - 3", Some(5), Some(3)),
    ("{one} 5 шт\n{b} 3 шт", Some(5), Some(3)),
    ("{one} 5 шт и {b} 3 шт", Some(5), Some(3)),
    ("{one} 5 шт, такой же {b} 3 шт", Some(5), Some(3)),
    ("{one} 5 шт\nто же {b} 3 шт", Some(5), Some(3)),
    ("{one} 5 шт {b} 3 шт", Some(5), Some(3)),
    ("{rest}: {a} 5 шт, {b} 3 шт", Some(5), Some(3)),
    ("{rest}:\n{a} - 5\n{b} - 3", Some(5), Some(3)),
    ("{rest}\n{a} - 5\n{b} - 3", Some(5), Some(3)),
    ("{rest}:\n- {a} - 5 шт\n- {b} - 3 шт", Some(5), Some(3)),
    ("{rest}: {a} - 5; {b} - 3", Some(5), Some(3)),
    ("{rest} ({a} 5 шт, {b} 3 шт)", Some(5), Some(3)),
    ("{rest}: 5 шт {a}, 3 шт {b}", Some(5), Some(3)),
    ("{rest}: {a}, {b} - по 5 шт", Some(5), Some(5)),
    ("{rest} {a} и {b} по 5 каждого", Some(5), Some(5)),
    ("{rest} {a} и {b} по 5 шт", Some(5), Some(5)),
    ("{rest} {a}, {b} по 5", Some(5), Some(5)),
];

const CORRECTIONS: &[Way] = &[
    ("{one} 5 шт, ой нет, 7", Some(7), None),
    ("{one} 5 шт, лучше 7 шт", Some(7), None),
    ("{one} 5 шт. хотя давайте 7", Some(7), None),
    ("{one} 5 шт (точнее 7)", Some(7), None),
    ("{one} не 5 а 7 шт", Some(7), None),
    ("{one} 5 шт, вместо 5 сделайте 7", Some(7), None),
    ("{one} 5 шт → 7 шт", Some(7), None),
    ("{one} 5 шт точнее 7", Some(7), None),
    ("{one} 5 шт, увеличьте до 7", Some(7), None),
    ("{one} 5 шт, не {a} а {b}", None, Some(5)),
    ("{one} 5 шт (не {a}, а {b})", None, Some(5)),
    ("{one} 5 шт, вместо {a} давайте {b}", None, Some(5)),
    ("{one} 5 шт\nзамените {a} на {b}", None, Some(5)),
    ("{one} 5 шт, {b} 3 шт. {b} не надо", Some(5), None),
    ("{one} 5 шт\n{b} 3 шт\nпервую позицию уберите", None, Some(3)),
];

/// What only a word can say: «нет, 20» may be how many.
const REWORDED: &[Way] = &[
    ("{one} 5 шт, вернее {b}", None, Some(5)),
    ("{one} 5 шт, нет, {b}", None, Some(5)),
    ("{one} 5 шт, тьфу, {b}", None, Some(5)),
    ("{one} 5 шт\nточнее {b}", None, Some(5)),
    ("{rest} {a}, точнее {b} 5 шт", None, Some(5)),
    ("{rest} {a} то есть {b} 5 шт", None, Some(5)),
    ("{rest} {a} (нет, {b}) 5 шт", None, Some(5)),
    ("{one} 5 шт - нет, {b}", None, Some(5)),
    ("{one} 5 шт → {b}", None, Some(5)),
    ("{one} 5 шт, имел в виду {b}", None, Some(5)),
    ("{one} 5 шт\nне {a}, {b}", None, Some(5)),
];

/// Two products and what they differ in: the title's words before it, itself, the other's, and the
/// title's words after it.
struct Pair<'a> {
    one: &'a Entry,
    other: &'a Entry,
    words: (String, String, String, String),
}

/// Products, each with the word in which it differs, by their category and the words before and after.
type Families<'a> = HashMap<(&'a str, String, String), Vec<(&'a Entry, String)>>;

/// Every so many pairs of neighbours that differ in one word, or in one number.
fn pairs(index: &Index, numbers: bool) -> Vec<Pair<'_>> {
    let mut families: Families<'_> = HashMap::new();
    let plain = |e: &&Entry| !e.title.contains([',', ';', '+', '|']) && !e.title.contains("НЕ ИСП");
    for entry in index.entries.iter().filter(plain) {
        let title = entry.title.to_lowercase().replace(['(', ')'], "");
        let words: Vec<&str> = title.split_whitespace().collect();
        for at in 1..words.len() {
            let key = (entry.category.as_str(), words[..at].join(" "), words[at + 1..].join(" "));
            families.entry(key).or_default().push((entry, words[at].to_owned()));
        }
    }
    let fits = |word: &str| {
        if numbers {
            word.starts_with(|c: char| c.is_ascii_digit())
        } else {
            word.chars().count() >= 4 && word.chars().all(|c| c.is_alphabetic() || c == '-')
        }
    };
    let mut found: Vec<Pair<'_>> = families
        .into_iter()
        .filter_map(|((_, before, after), members)| {
            let [(one, a), (other, b), ..] = members.as_slice() else { return None };
            let whole = a != b && fits(a) && fits(b) && (before.contains(' ') || !after.is_empty());
            whole.then(|| Pair { one, other, words: (before, a.clone(), b.clone(), after) })
        })
        .collect();
    found.sort_by_key(|pair| (pair.one.id.0, pair.other.id.0));
    found.into_iter().step_by(2).collect()
}

/// Of orders so written, how many come out as they should, and the first that does not.
fn right(index: &Index, pairs: &[Pair<'_>], (way, first, second): &Way) -> (usize, String) {
    let told = |title: &str| -> String {
        title.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let (mut right, mut example) = (0, String::new());
    for Pair { one, other, words: (before, a, b, after) } in pairs {
        let join = |words: &[&str]| -> String {
            words.iter().filter(|w| !w.is_empty()).copied().collect::<Vec<_>>().join(" ")
        };
        let text = way
            .replace("{one}", &join(&[before, a, after]))
            .replace("{rest}", &join(&[before, after]))
            .replace("{a}", a)
            .replace("{b}", b);
        let mut due: Vec<(String, i64)> = Vec::new();
        due.extend(first.map(|n| (told(&one.title), n * 1000)));
        due.extend(second.map(|n| (told(&other.title), n * 1000)));
        let lines = index.recognize(&text, &Buyer::default()).lines;
        let found: Vec<(String, i64)> = lines
            .iter()
            .filter_map(|line| {
                let title = &index.entry(line.product?)?.title;
                Some((told(title), line.quantity?.thousandths()))
            })
            .collect();
        if found == due && lines.len() == due.len() {
            right += 1;
        } else if example.is_empty() {
            example = format!("{text}: {found:?}");
        }
    }
    (right, example)
}

/// Holds every way to so many per cent of the pairs of words and of numbers, in four trades together.
fn hold(ways: &[Way], words: usize, numbers: Option<usize>) {
    const CATALOGS: [&str; 4] = [
        "household_food_catalog.json",
        "plumbing_electrics_catalog.json",
        "stationery_catalog.json",
        "textile_catalog.json",
    ];
    let trades = CATALOGS.map(|catalog| trade(&fixture(catalog)).0);
    let mut short = Vec::new();
    for (kind, least) in [(false, Some(words)), (true, numbers)] {
        let Some(least) = least else { continue };
        for way in ways {
            let (mut all, mut well, mut example) = (0, 0, String::new());
            for index in &trades {
                let pairs = pairs(index, kind);
                let (right, wrong) = right(index, &pairs, way);
                all += pairs.len();
                well += right;
                example = if example.is_empty() { wrong } else { example };
            }
            assert!(all > 60, "{all}");
            if well * 100 < all * least {
                short.push(format!("{}: {well} of {all}, {example}", way.0));
            }
        }
    }
    assert!(short.is_empty(), "{short:#?}");
}

#[test]
fn an_ellipsis_is_of_the_product_before() {
    hold(ELLIPSES, 85, Some(75));
}

#[test]
fn what_is_put_right_takes_the_place_of_what_was_said() {
    hold(CORRECTIONS, 88, Some(85));
}

#[test]
fn a_word_said_better_takes_the_place_of_the_other() {
    hold(REWORDED, 85, None);
}
