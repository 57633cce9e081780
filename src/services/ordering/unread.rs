//! What recognition took for talk though it orders something: nothing of a list is left out in
//! silence.

use std::ops::Range;

use crate::recognition::{Decision, Line, Recognition, Remark, RemarkKind, Trace, parse_quantity};

/// Digits of a telephone number, at least.
const PHONE_DIGITS: usize = 10;
/// The most words of a row that names goods and no number.
const NAME_WORDS: usize = 4;

/// How words begin that speak of the order and not of goods.
const OF_THE_ORDER: &[&str] = &[
    "замен",
    "заказ",
    "заявк",
    "остальн",
    "ответ",
    "прайс",
    "прилага",
    "прикреп",
    "прошл",
    "реквизит",
    "связи",
    "следующ",
    "спис",
    "счет",
    "фото",
    "обычн",
    "отдел",
    "спасиб",
];
/// Words that connect, agree and point; no name of goods has them.
const OF_TALK: &[&str] = &[
    "ага",
    "больше",
    "было",
    "вам",
    "вас",
    "весь",
    "вот",
    "все",
    "вы",
    "да",
    "до",
    "еще",
    "если",
    "жду",
    "ждем",
    "едем",
    "едет",
    "еду",
    "извините",
    "или",
    "как",
    "когда",
    "ладно",
    "мне",
    "мной",
    "мы",
    "надо",
    "нам",
    "нас",
    "не",
    "нет",
    "ничего",
    "но",
    "ну",
    "нужен",
    "нужна",
    "нужно",
    "нужны",
    "он",
    "они",
    "ошибся",
    "ошиблись",
    "пока",
    "потом",
    "уже",
    "срочно",
    "так",
    "то",
    "тогда",
    "угу",
    "что",
    "чтобы",
    "это",
    "этот",
    "эти",
    "я",
];

/// Makes lines, not found, of the rows of a list that order something and are no line yet: what
/// counts goods, and what stands among the lines and names some. Greetings, wishes of delivery and
/// questions stay remarks, and so does all of a text without any line.
pub(in crate::services) fn keep_unknown(text: &str, found: Recognition) -> Recognition {
    let Recognition { mut lines, remarks: before } = found;
    if lines.is_empty() {
        return Recognition { lines, remarks: before };
    }
    let mut remarks = Vec::new();
    for remark in before {
        if remark.kind != RemarkKind::Other {
            remarks.push(remark);
            continue;
        }
        let known = lines.len();
        let mut rest = Vec::new();
        for row in split(text, remark.span.clone(), |c, _| c == '\n') {
            let (ordered, left) = read_row(text, row, &lines);
            lines.extend(ordered.into_iter().map(unknown));
            rest.extend(left);
        }
        if lines.len() == known {
            remarks.push(remark);
        } else {
            remarks.extend(rest.into_iter().map(|span| Remark { kind: RemarkKind::Other, span }));
        }
    }
    lines.sort_by_key(|line| line.span.start);
    Recognition { lines, remarks }
}

/// What of a row orders something, and the rest.
fn read_row(
    text: &str,
    row: Range<usize>,
    lines: &[Line],
) -> (Vec<Range<usize>>, Option<Range<usize>>) {
    if row.is_empty() || opens_talk(&text[row.clone()]) {
        return (Vec::new(), Some(row).filter(|row| !row.is_empty()));
    }
    let mut ordered = Vec::new();
    let mut from = row.start;
    for part in split(text, row.clone(), parts_goods) {
        // «кабель ввг, 3х4, 50 м»: what has no quantity yet goes on to where one is.
        if ends_in_amount(&text[part.clone()]) && counts_something(&text[from..part.end]) {
            ordered.push(from..part.end);
            from = text[part.end..row.end]
                .find(|c: char| !c.is_whitespace() && !matches!(c, ',' | ';'))
                .map_or(row.end, |at| part.end + at);
        }
    }
    let left = from..row.end;
    let words = &text[left.clone()];
    if ordered.is_empty()
        && is_whole_row(text, &row)
        && (counts_something(words) || names_goods(words) && follows_line(text, &row, lines))
    {
        return (vec![left], None);
    }
    (ordered, Some(left).filter(|left| !left.is_empty()))
}

/// A line of words that the catalogue has nothing for.
fn unknown(span: Range<usize>) -> Line {
    Line {
        span,
        phrase: String::new(),
        quantity: None,
        unit: None,
        decision: Decision::Unmatched,
        product: None,
        candidates: Vec::new(),
        confidence: 0.0,
        question: None,
        trace: Trace {
            why: "❌: ни одно из слов не называет товар каталога".to_owned(),
            ..Trace::default()
        },
    }
}

/// The parts of a span between the characters that part it, without the blanks around them.
fn split(
    text: &str,
    span: Range<usize>,
    parts: impl Fn(char, Option<char>) -> bool,
) -> Vec<Range<usize>> {
    let words = &text[span.clone()];
    let mut found = Vec::new();
    let mut from = 0;
    let mut add = |part: Range<usize>| {
        let trimmed = words[part.clone()].trim();
        let start = part.start + (words[part].find(trimmed).unwrap_or(0));
        found.push(span.start + start..span.start + start + trimmed.len());
    };
    for (at, c) in words.char_indices() {
        if parts(c, words[at + c.len_utf8()..].chars().next()) {
            add(from..at);
            from = at + c.len_utf8();
        }
    }
    add(from..words.len());
    found
}

/// «;» and a comma that is no decimal one.
fn parts_goods(c: char, next: Option<char>) -> bool {
    c == ';' || c == ',' && !next.is_some_and(|next| next.is_ascii_digit())
}

/// Whether nothing but a mark or a number of the list stands beside it in its row.
fn is_whole_row(text: &str, row: &Range<usize>) -> bool {
    let before = text[..row.start].rsplit('\n').next().unwrap_or_default();
    let after = text[row.end..].split('\n').next().unwrap_or_default();
    !before.chars().chain(after.chars()).any(char::is_alphabetic)
}

/// Whether the row above is a line.
fn follows_line(text: &str, row: &Range<usize>, lines: &[Line]) -> bool {
    let Some(end) = text[..row.start].rfind('\n') else { return false };
    let start = text[..end].rfind('\n').map_or(0, |at| at + 1);
    lines.iter().any(|line| line.span.start < end && start < line.span.end)
}

/// Words and a number that is no telephone's.
fn counts_something(words: &str) -> bool {
    let number = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '(' | ')' | '+');
    let is_phone = |run: &str| {
        let digits: String = run.chars().filter(char::is_ascii_digit).collect();
        digits.len() >= PHONE_DIGITS
            && (run.trim_start().starts_with(['+', '(']) || digits.starts_with(['7', '8', '9']))
    };
    let long = |run: &str| run.len() >= PHONE_DIGITS;
    words.contains(|c: char| c.is_ascii_digit())
        && words.chars().filter(|c| c.is_alphabetic()).count() >= 3
        && !words.split(|c: char| !number(c)).any(is_phone)
        && !words.split(|c: char| !c.is_ascii_digit()).any(long)
}

/// «… 50 м»: a number with its unit at the end.
fn ends_in_amount(part: &str) -> bool {
    let words: Vec<&str> = part.split_whitespace().collect();
    (1..=words.len().min(3)).any(|count| {
        let end = words[words.len() - count..].join(" ");
        let counted = end.starts_with(|c: char| c.is_ascii_digit());
        counted && parse_quantity(&end).is_some_and(|(_, unit)| unit.is_some())
    })
}

/// A row of an order that is none of its lines: «Итого 2 295», «заявка от школы № 14».
fn opens_talk(words: &str) -> bool {
    let words = plain(words);
    match words.first().map(String::as_str) {
        Some("итого" | "всего" | "сумма") => true,
        Some("заказ" | "заявка") => {
            let of = words.get(1).map_or("", String::as_str);
            matches!(of, "от" | "на" | "для" | "к" | "по" | "номер" | "№")
        }
        _ => false,
    }
}

/// A few words that may be goods: none is of talk, bids anybody anything or is a name alone.
fn names_goods(row: &str) -> bool {
    let as_goods = |c: char| c.is_alphabetic() || matches!(c, ' ' | '-' | '"' | '«' | '»' | '/');
    let named = row.split_whitespace().all(|word| word.starts_with(char::is_uppercase));
    let words = plain(row);
    (2..=NAME_WORDS).contains(&words.len())
        && !named
        && row.chars().all(as_goods)
        && !words.iter().any(|word| {
            OF_TALK.contains(&word.as_str())
                || OF_THE_ORDER.iter().any(|stem| word.starts_with(stem))
                || ["ите", "йте", "ьте"].iter().any(|end| word.ends_with(end))
        })
}

/// The words in lower case, without ё and the marks around them.
fn plain(text: &str) -> Vec<String> {
    let lower = text.to_lowercase().replace('ё', "е");
    let words = lower.split_whitespace();
    let trimmed = words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '№'));
    trimmed.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of the lines, after recognition has found a line in the rows that hold «скоб».
    fn lines(text: &str) -> Vec<&str> {
        let mut found = Recognition::default();
        let mut from = 0;
        let mut talk: Option<Range<usize>> = None;
        for row in text.split_inclusive('\n') {
            let span = from..from + row.trim_end().len();
            from += row.len();
            if row.contains("скоб") {
                found.remarks.extend(talk.take().map(other));
                found.lines.push(unknown(span));
            } else {
                talk = Some(talk.map_or(span.start, |talk| talk.start)..span.end);
            }
        }
        found.remarks.extend(talk.map(other));
        let kept = keep_unknown(text, found);
        let spans = kept.lines.iter().map(|line| line.span.clone());
        assert!(spans.clone().is_sorted_by_key(|span| span.start), "{text}");
        spans.map(|span| &text[span]).collect()
    }

    fn other(span: Range<usize>) -> Remark {
        Remark { kind: RemarkKind::Other, span }
    }

    #[test]
    fn each_row_that_orders_something_unknown_is_a_line() {
        for text in [
            "кабель ввг 3х2.5 100 м\nкабель ввг 3х4 50 м\nскоба 80/10 6 кор",
            "скоба 80/10 6 кор\nкабель ввг 3х2.5 1000 м\nноутбук игровой\nпринтер лазерный",
            "скоба 5\nартикул 00-00011266 2 шт\nкабель 3х4 50",
        ] {
            assert_eq!(lines(text), text.lines().collect::<Vec<_>>(), "{text}");
        }
        assert_eq!(
            lines("скоба 5\n1) кабель, 3х2,5, 100 м; кабель ввг 3х4 50 м, спасибо"),
            ["скоба 5", "1) кабель, 3х2,5, 100 м", "кабель ввг 3х4 50 м"]
        );
    }

    #[test]
    fn talk_is_no_line() {
        for talk in [
            "Итого 2295",
            "заявка от школы №14",
            "8 917 123-45-67 Сергей",
            "Контакт Сергей +7 (917) 123 45 67",
            "ИНН 1655123456",
            "Ольга Петровна",
            "Это всё",
            "как в прошлый раз",
            "вот список",
            "Подтвердите наличие",
            "Товар;Кол-во",
        ] {
            assert_eq!(
                lines(&format!("скоба 5\n{talk}\nскобы 6")),
                ["скоба 5", "скобы 6"],
                "{talk}"
            );
        }
        // A text without lines is answered as a whole.
        assert_eq!(lines("кабель ввг 3х4 50 м"), Vec::<&str>::new());
        // What stands apart is a signature rather than goods.
        assert_eq!(lines("скоба 5\n\nвелес снабжение"), ["скоба 5"]);
    }
}
