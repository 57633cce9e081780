//! Times, dates and telephone numbers: numbers that order nothing.

use super::super::lexer::{Kind, Lexeme};
use super::super::quantity::unit_at;
use super::super::speech::is_delivery;

/// Where a telephone number that begins at a lexeme ends: «8 (903) 555-12-40».
pub(super) fn telephone(lexemes: &[Lexeme], start: usize) -> Option<usize> {
    if !matches!(lexemes[start].text.as_str(), "7" | "8") || lexemes[start].spoken {
        return None;
    }
    let (mut digits, mut numbers) = (0, 0);
    for (at, lexeme) in lexemes.iter().enumerate().skip(start) {
        if lexeme.is_number() {
            digits += lexeme.text.len();
            numbers += 1;
        } else if !"()-".chars().any(|c| lexeme.is(c)) {
            return None;
        }
        if digits >= 11 {
            return (digits == 11 && numbers >= 3).then_some(at + 1);
        }
    }
    None
}

/// Where a car's number that begins at a lexeme ends: «А123ВС», «Р345КО 33».
fn number_plate(lexemes: &[Lexeme], start: usize) -> Option<usize> {
    let letters = |k: usize, count: usize| {
        lexemes.get(k).is_some_and(|l| {
            l.is_word()
                && !l.dotted
                && l.text.chars().count() == count
                && l.text.chars().all(|c| "авекмнорстухabekmhopctyx".contains(c))
        })
    };
    let tight = |k: usize| lexemes.get(k).is_some_and(|l| !l.spaced);
    let digits = lexemes.get(start + 1).is_some_and(|l| l.is_number() && l.text.len() == 3);
    let plate = letters(start, 1) && digits && letters(start + 2, 2);
    if !plate || !tight(start + 1) || !tight(start + 2) {
        return None;
    }
    let region = lexemes
        .get(start + 3)
        .is_some_and(|l| l.is_number() && matches!(l.text.len(), 2 | 3) && !l.text.contains('.'));
    Some(start + 3 + usize::from(region))
}

/// A price or a sum that begins at a lexeme: how many lexemes before it go with it, and where it ends.
fn price(lexemes: &[Lexeme], start: usize) -> Option<(usize, usize)> {
    let word = |k: usize| lexemes.get(k).filter(|l| l.is_word()).map_or("", |l| l.text.as_str());
    let mark = |k: Option<usize>, mark: char| {
        k.is_some_and(|k| lexemes.get(k).is_some_and(|l| l.is(mark)))
    };
    let number = lexemes.get(start).filter(|l| l.is_number() && !l.named)?;
    let before = start.checked_sub(1);
    let named = before.is_some_and(|b| matches!(word(b), "цена" | "цене" | "ценой" | "стоимость"));
    let by = named || before.is_some_and(|b| matches!(word(b), "по" | "за"));
    let counted = before.is_some_and(|b| is_counted(&lexemes[..b]));
    let bracket = mark(before, '(');
    let money = matches!(word(start + 1), "руб" | "рублей" | "рубля" | "рубль" | "коп" | "копеек")
        || mark(Some(start + 1), '₽');
    // «(3500р)», «12 шт по 40 р»: a letter is money where nobody counts rolls so.
    let times = mark(before, 'x') && counted;
    let large = number.value >= 500_000 || number.value % 1000 != 0;
    let letter = matches!(word(start + 1), "р" | "r")
        && (named || times || (bracket || by) && (large || counted));
    // «12 шт х 45 = 540»
    let sum = times && mark(Some(start + 1), '=');
    let said = usize::from(money || letter);
    if said == 0 && !named && !sum {
        return None;
    }
    let mut end = start + 1 + said;
    if said > 0 && mark(Some(end), '/') && !word(end + 1).is_empty() {
        end += 2;
    }
    if times && mark(Some(end), '=') && lexemes.get(end + 1).is_some_and(Lexeme::is_number) {
        end += 2;
        end += usize::from(matches!(word(end), "р" | "r") || word(end).starts_with("руб"));
    }
    let from = match before {
        Some(b) if named => 1 + usize::from(b > 0 && word(b - 1) == "по"),
        _ => usize::from(by || times || sum),
    };
    Some((from, end))
}

/// Whether these end with a quantity and its unit: «12 шт» before «(40 р.)».
fn is_counted(lexemes: &[Lexeme]) -> bool {
    let last = lexemes.iter().rposition(Lexeme::is_number);
    last.is_some_and(|at| {
        unit_at(lexemes, at + 1).is_some_and(|(_, taken)| at + 1 + taken == lexemes.len())
    })
}

/// Whether a number before the word is no number of goods: «два раза», «три позиции», «неделю».
fn counts_time(word: &str) -> bool {
    matches!(
        word,
        "раз"
            | "раза"
            | "позиция"
            | "позиции"
            | "позиций"
            | "неделя"
            | "неделю"
            | "недели"
            | "недель"
            | "дня"
            | "дней"
            | "месяц"
            | "месяца"
            | "месяцев"
    )
}

/// «В 14-00», «с 12 до 13»: where hours that begin at a number end.
fn hours(lexemes: &[Lexeme], at: usize) -> Option<usize> {
    let word = |k: usize| lexemes.get(k).map_or("", |l| l.text.as_str());
    let hour = |k: usize| {
        let number = lexemes.get(k).filter(|l| l.is_number() && l.spaced)?;
        (number.value <= 24_000 && number.value % 1000 == 0).then_some(())
    };
    hour(at)?;
    let before = at.checked_sub(1).map_or("", word);
    let minutes = lexemes.get(at + 1).is_some_and(|l| l.is('-') && !l.spaced)
        && matches!(word(at + 2), "00" | "15" | "30" | "45")
        && !lexemes[at + 2].spaced;
    if minutes && matches!(before, "в" | "к" | "до" | "с" | "после" | "около") {
        return Some(at + 3);
    }
    let range = before == "с" && word(at + 1) == "до";
    let ends = |k: usize| lexemes.get(k).is_none_or(|l| !l.is_word() && !l.is_number());
    (range && hour(at + 2).is_some() && ends(at + 3)).then_some(at + 3)
}

/// «Заказ № 1278», «магазин №5», «НДС 20%»: a number of no goods.
fn is_numbered(lexemes: &[Lexeme], at: usize) -> bool {
    let mark = |k: Option<usize>, mark: char| {
        k.is_some_and(|k| lexemes.get(k).is_some_and(|l| l.is(mark)))
    };
    let word = |k: Option<usize>| {
        k.and_then(|k| lexemes.get(k)).filter(|l| l.is_word()).map_or("", |l| l.text.as_str())
    };
    if word(at.checked_sub(1)) == "ндс" && mark(Some(at + 1), '%') {
        return true;
    }
    let named = word(at.checked_sub(2));
    let papers = ["заказ", "заявк"].iter().any(|stem| named.starts_with(stem));
    mark(at.checked_sub(1), '№') && (papers || is_delivery(named))
}

/// «Отгрузка 18.03», «доставить до 05.12»: a day and a month.
fn is_date(lexemes: &[Lexeme], at: usize) -> bool {
    let Some((day, month)) = lexemes[at].text.split_once('.') else { return false };
    let within = |part: &str, last: u8| {
        part.len() == 2 && part.parse::<u8>().is_ok_and(|n| (1..=last).contains(&n))
    };
    let word = |k: Option<usize>| k.and_then(|k| lexemes.get(k)).map_or("", |l| l.text.as_str());
    let before = word(at.checked_sub(1));
    let little = matches!(before, "на" | "до" | "от" | "к" | "с");
    let said = if little { word(at.checked_sub(2)) } else { before };
    within(day, 31) && within(month, 12) && is_delivery(said) && unit_at(lexemes, at + 1).is_none()
}

/// Makes times, dates and telephone numbers words of talk.
pub(super) fn without_clock(lexemes: &[Lexeme]) -> Vec<Lexeme> {
    let mut out: Vec<Lexeme> = Vec::with_capacity(lexemes.len());
    let mut i = 0;
    while i < lexemes.len() {
        let number = |k: usize| lexemes.get(k).filter(|l| l.is_number() && !l.spoken);
        let tight = |k: usize, mark: char| lexemes.get(k).is_some_and(|l| l.is(mark) && !l.spaced);
        let word = |k: usize| lexemes.get(k).map_or("", |l| l.text.as_str());
        let mut end = telephone(lexemes, i);
        let price = price(lexemes, i);
        if let Some((from, to)) = price {
            // «по 150 руб» says nothing of the goods.
            out.truncate(out.len() - from);
            i = to;
            continue;
        }
        // «код 1С 18900»
        let before = out.last().map_or("", |l| l.text.as_str());
        if lexemes[i].text == "1"
            && matches!(before, "код" | "кода" | "коды" | "артикул" | "из" | "по")
            && lexemes.get(i + 1).is_some_and(|l| matches!(l.text.as_str(), "с" | "c") && !l.spaced)
        {
            i += 2;
            continue;
        }
        if end.is_some() {
            // Nothing else begins so.
        } else if let Some(plate) = number_plate(lexemes, i) {
            end = Some(plate);
        } else if lexemes[i].is_number() && counts_time(word(i + 1)) {
            end = Some(i + 2);
        } else if let Some(first) = number(i) {
            let two = |k: usize| number(k).is_some_and(|l| !l.spaced && l.text.len() == 2);
            if first.text.len() <= 2 && tight(i + 1, ':') && two(i + 2) {
                end = Some(i + 3);
            } else if let Some(to) = hours(lexemes, i) {
                end = Some(to);
            } else if is_numbered(lexemes, i)
                || is_date(lexemes, i)
                || first.text.len() >= 10 && !first.text.contains('.')
            {
                end = Some(i + 1);
            } else if matches!(first.text.as_str(), "7" | "8")
                && (i == 0 || first.spaced || number(i - 1).is_none() && !tight(i - 1, '-'))
                && tight(i + 1, '-')
                && number(i + 2).is_some_and(|l| l.text.len() == 3)
                && tight(i + 3, '-')
            {
                let mut k = i + 3;
                while (tight(k, '-')) && number(k + 1).is_some() {
                    k += 2;
                }
                end = Some(k);
            } else if matches!(
                word(i + 1),
                "утра"
                    | "вечера"
                    | "часов"
                    | "часа"
                    | "ноября"
                    | "декабря"
                    | "января"
                    | "февраля"
                    | "марта"
                    | "апреля"
                    | "мая"
                    | "июня"
                    | "июля"
                    | "августа"
                    | "сентября"
                    | "октября"
                    | "число"
                    | "числа"
                    | "числу"
                    | "минут"
                    | "минуты"
            ) {
                end = Some(i + 2);
            }
        }
        match end {
            Some(end) => {
                let mut lexeme = lexemes[i].clone();
                lexeme.kind = Kind::Word;
                lexeme.text = "часов".into();
                lexeme.end = lexemes[end - 1].end;
                out.push(lexeme);
                i = end;
            }
            None => {
                out.push(lexemes[i].clone());
                i += 1;
            }
        }
    }
    out
}
