//! Reads what a model wrote, leniently: JSON in a fence, in prose, in an object, cut short,
//! numbers as strings. What it reads is words, never a product.

use serde_json::{Map, Value};

use crate::domain::Quantity;

/// One thing that a model read out of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The number of the line as we sent it, from 1; `None` when the model does not say.
    pub line: Option<usize>,
    /// What is ordered, in the model's words; 1 to 300 characters.
    pub title: String,
    /// How many, above 0 and at most 1 000 000; `None` when the model does not say.
    pub qty: Option<Quantity>,
    /// Of what, as the model writes it.
    pub unit: Option<String>,
    /// The words of the text that it read.
    pub raw: Option<String>,
}

const MAX_ITEMS: usize = 200;
const MAX_CHARS: usize = 300;
const MAX_QTY: Quantity = Quantity::whole(1_000_000);
/// How many brackets in prose are tried as the beginning of JSON.
const MAX_TRIES: usize = 64;
const MAX_DEPTH: usize = 4;

const TITLE: &[&str] =
    &["title", "name", "product", "товар", "название", "наименование", "номенклатура"];
const QTY: &[&str] = &["qty", "quantity", "count", "amount", "количество", "кол-во", "кол"];
const UNIT: &[&str] = &["unit", "uom", "единица", "ед", "ед_изм"];
const RAW: &[&str] = &["raw", "source", "text", "исходник"];
const LINE: &[&str] = &["line", "n", "no", "row", "строка", "№"];

/// The items of an answer; `None` when there is nothing to be read in it. An empty list is an
/// answer: nothing was found.
pub fn read(content: &str) -> Option<Vec<Item>> {
    let content = content.trim_start_matches('\u{feff}').trim();
    parse(content)
        .or_else(|| fenced(content).and_then(parse))
        .or_else(|| in_prose(content))
        .or_else(|| rescued(content))
}

/// The items of a value that was read already, such as the arguments of a function call.
pub fn read_value(value: &Value) -> Option<Vec<Item>> {
    items(value, 0)
}

fn parse(text: &str) -> Option<Vec<Item>> {
    read_value(&serde_json::from_str(text).ok()?)
}

/// What stands between the first fence and the next, or the end.
fn fenced(content: &str) -> Option<&str> {
    let (_, after) = content.split_once("```")?;
    let body = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    Some(body.split_once("```").map_or(body, |(inside, _)| inside).trim())
}

/// The first balanced list, or object with a list, that has items in it. A single item is left to
/// [`rescued`]: it may be the first of a list that was cut short.
fn in_prose(content: &str) -> Option<Vec<Item>> {
    let starts = content.match_indices(['{', '[']).map(|(at, _)| at);
    starts.take(MAX_TRIES).find_map(|at| {
        let value = serde_json::from_str(balanced(&content[at..])?).ok()?;
        let single = matches!(&value, Value::Object(object) if item(object).is_some());
        if single { None } else { read_value(&value).filter(|items| !items.is_empty()) }
    })
}

/// The complete objects of a list that was cut short or is broken in places.
fn rescued(content: &str) -> Option<Vec<Item>> {
    let mut found = Vec::new();
    let mut rest = content;
    while let Some(start) = rest.find('{') {
        rest = &rest[start..];
        // Of nested objects the innermost has the title.
        let object = balanced(rest).and_then(|piece| {
            let value = serde_json::from_str::<Value>(piece).ok()?;
            Some((piece.len(), item(value.as_object()?)?))
        });
        match object {
            Some((length, item)) => {
                found.push(item);
                rest = &rest[length..];
            }
            None => rest = &rest[1..],
        }
        if found.len() == MAX_ITEMS || content.len() - rest.len() > 256 * 1024 {
            break;
        }
    }
    (!found.is_empty()).then_some(found)
}

/// The piece from a bracket to the one that closes it, with strings left alone.
fn balanced(text: &str) -> Option<&str> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return text.get(..=at);
                }
            }
            _ => {}
        }
        if depth > 32 {
            return None;
        }
    }
    None
}

fn items(value: &Value, depth: usize) -> Option<Vec<Item>> {
    if depth > MAX_DEPTH {
        return None;
    }
    match value {
        Value::Array(values) => {
            let found: Vec<_> = values.iter().filter_map(element).take(MAX_ITEMS).collect();
            (values.is_empty() || !found.is_empty()).then_some(found)
        }
        Value::Object(object) => {
            if let Some(item) = item(object) {
                return Some(vec![item]);
            }
            let lists = object.values().filter(|value| value.is_array());
            let others = object.values().filter(|value| value.is_object());
            lists.chain(others).find_map(|value| items(value, depth + 1))
        }
        // JSON in a string: some servers quote the arguments of a call twice.
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            items(&serde_json::from_str(text).ok()?, depth + 1)
        }
        _ => None,
    }
}

fn element(value: &Value) -> Option<Item> {
    match value {
        Value::Object(object) => item(object),
        Value::String(text) => {
            Some(Item { line: None, title: words(text)?, qty: None, unit: None, raw: None })
        }
        _ => None,
    }
}

fn item(object: &Map<String, Value>) -> Option<Item> {
    let get = |names: &[&str]| {
        let named = |key: &str| names.contains(&key.trim().to_lowercase().as_str());
        object.iter().find(|(key, _)| named(key)).map(|(_, value)| value)
    };
    let text = |names: &[&str]| get(names).and_then(Value::as_str).and_then(words);
    let number = |value: &Value| match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    Some(Item {
        line: get(LINE).and_then(number).and_then(|n| n.trim().parse().ok()),
        title: text(TITLE)?,
        qty: get(QTY).and_then(number).and_then(|n| quantity(&n)),
        unit: text(UNIT),
        raw: text(RAW),
    })
}

/// Words on one line, without control characters; `None` when there are none or too many.
fn words(text: &str) -> Option<String> {
    let text = text.replace(char::is_control, " ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty() && text.chars().count() <= MAX_CHARS).then_some(text)
}

/// «2», «2,5», «1 000», «2 шт»: the number at the beginning.
fn quantity(text: &str) -> Option<Quantity> {
    let text = text.trim().replace(['\u{a0}', '\u{202f}', ' '], "").replace(',', ".");
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    if text[end..].starts_with(['e', 'E']) {
        return None;
    }
    let (whole, fraction) = text[..end].split_once('.').unwrap_or((&text[..end], ""));
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    let thousandths: i64 = format!("{whole}{fraction}").parse().ok()?;
    let quantity = Quantity::from_thousandths(thousandths);
    (quantity.is_positive() && quantity <= MAX_QTY && !whole.is_empty()).then_some(quantity)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn titles(content: &str) -> Option<Vec<String>> {
        let show = |item: Item| match (item.qty, item.line) {
            (Some(qty), Some(line)) => format!("{line}: {} = {}", item.title, qty.decimal()),
            (Some(qty), None) => format!("{} = {}", item.title, qty.decimal()),
            (None, _) => item.title,
        };
        Some(read(content)?.into_iter().map(show).collect())
    }

    #[test]
    fn an_answer_is_read_however_it_is_wrapped() {
        let expected = Some(vec!["болт М8 = 2".to_owned(), "гайка = 2.5".to_owned()]);
        for content in [
            r#"[{"title":"болт М8","qty":2},{"title":"гайка","qty":2.5}]"#,
            r#"{"items":[{"title":"болт М8","qty":2},{"title":"гайка","qty":2.5}]}"#,
            r#"{"ok":true,"result":{"order":[{"name":"болт М8","quantity":"2 шт"},{"Title":"гайка","qty":"2,5"}]}}"#,
            "```json\n[{\"title\":\"болт М8\",\"qty\":2.0},{\"title\":\"гайка\",\"qty\":\"2,50\"}]\n```",
            "Вот список [1]:\n[{\"title\":\"болт М8\",\"qty\":2},{\"title\":\"гайка\",\"qty\":2.5}]\nЧто-то ещё?",
            "```\n[{\"title\":\"болт М8\",\"qty\":2},{\"title\":\"гайка\",\"qty\":2.5}]",
            r#"[{"title":"болт М8","qty":2},{"title":"гайка","qty":2.5},{"title":"шай"#,
            r#"{"items":[{"title":"болт М8","qty":2},{"title":"гайка","qty":2.5,},{"title":"гайка","qty":2.5}"#,
            r#""[{\"title\":\"болт М8\",\"qty\":2},{\"title\":\"гайка\",\"qty\":2.5}]""#,
            "\u{feff} [{\"title\":\"болт М8\",\"qty\":2},{\"title\":\"гайка\",\"qty\":2.5}] ",
        ] {
            assert_eq!(titles(content), expected, "{content}");
        }
    }

    #[test]
    fn odd_items_are_dropped_and_odd_numbers_forgotten() {
        let some = |titles: &[&str]| Some(titles.iter().map(|t| (*t).to_owned()).collect());
        assert_eq!(titles("[]"), some(&[]));
        assert_eq!(titles(r#"{"items":[]}"#), some(&[]));
        assert_eq!(titles(r#"["болт", "", 5, null]"#), some(&["болт"]));
        assert_eq!(titles(r#"[{"title":"a","qty":-1}]"#), some(&["a"]));
        assert_eq!(titles(r#"[{"title":"a","qty":1e30}]"#), some(&["a"]));
        assert_eq!(titles(r#"[{"title":"a","qty":1000001}]"#), some(&["a"]));
        assert_eq!(titles(r#"[{"title":"a","qty":"NaN"}]"#), some(&["a"]));
        assert_eq!(titles(r#"[{"title":"a","qty":0}]"#), some(&["a"]));
        assert_eq!(titles(r#"[{"line":"2","title":"a","qty":3}]"#), some(&["2: a = 3"]));
        assert_eq!(titles(r#"[{"title":"a\nb\tc"}]"#), some(&["a b c"]));
        let long = format!(r#"[{{"title":"{}"}},{{"title":"b"}}]"#, "a".repeat(301));
        assert_eq!(titles(&long), some(&["b"]));
        let many = format!("[{}]", vec![r#"{"title":"a"}"#; 10_000].join(","));
        assert_eq!(titles(&many).map(|found| found.len()), Some(MAX_ITEMS));
        for nothing in ["", "не знаю", "<html></html>", "null", "42", "{}", "[1,2]", "[[[[[[[["]
        {
            assert_eq!(titles(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_hostile_answer_takes_no_time() {
        for unit in ["{", "[", "{\"a\":", "\"", "{\"title\":\""] {
            let _ = read(&unit.repeat(256 * 1024 / unit.len()));
        }
    }

    proptest! {
        #[test]
        fn no_answer_panics(content in ".{0,200}", json in "[\\[\\]{}\",:a-zа-я0-9 \\\\]{0,200}") {
            let _ = read(&content);
            let _ = read(&json);
        }

        #[test]
        fn a_cut_answer_keeps_its_whole_items(at in 0_usize..200) {
            let whole = r#"[{"title":"болт","qty":1},{"title":"гайка [2]","qty":2},{"title":"винт","qty":3}]"#;
            let at = whole.floor_char_boundary(at.min(whole.len()));
            let complete = whole[..at].matches('}').count();
            prop_assert_eq!(read(&whole[..at]).map_or(0, |items| items.len()), complete);
        }
    }
}
