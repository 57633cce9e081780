//! How a quantity is introduced, «кол-во 5», «в количестве 5 шт», «/ 5 шт», «х 5», one that is said
//! twice, «5 (пять) штук», and one in a unit that nothing is sold by, «0,2 км».

use super::super::lexer::{Kind, Lexeme};
use super::super::quantity::{lesser_unit, unit_at};

/// Makes what introduces a quantity a dash, and leaves out what only says it again.
pub(super) fn amounts(lexemes: &[Lexeme]) -> Vec<Lexeme> {
    let mut out: Vec<Lexeme> = Vec::with_capacity(lexemes.len());
    let mut at = 0;
    while at < lexemes.len() {
        if let Some(end) = again(lexemes, at, &out).or_else(|| unit_named(lexemes, at)) {
            at = end;
        } else if let Some(end) = introduced(lexemes, at, &out) {
            let last = &lexemes[end - 1];
            // «Товар: саморез; кол-во: 5»
            while out.last().is_some_and(|l| l.is(';') || l.is('|') || l.is(',')) {
                out.pop();
            }
            let dash = Kind::Mark('-');
            out.push(Lexeme {
                kind: dash,
                text: String::new(),
                end: last.end,
                dotted: false,
                ..lexemes[at].clone()
            });
            at = end;
        } else if is_symbol(lexemes, at) || names_attribute(lexemes, at) {
            at += 2;
        } else if is_section(lexemes, at) {
            if let Some(number) = out.last_mut() {
                number.named = true;
                number.end = lexemes[at].end;
            }
            at += 1;
        } else if let Some(one) = one_measure(lexemes, at) {
            out.extend([one, lexemes[at].clone()]);
            at += 1;
        } else if let Some(many) = in_lesser_units(lexemes, at) {
            out.extend(many);
            at += 2;
        } else {
            out.push(lexemes[at].clone());
            at += 1;
        }
    }
    out
}

/// «ПВС на 2,5 квадрата 100 метров»: whether a word says that the number before it is the section of a
/// wire, for how much of it comes after.
fn is_section(lexemes: &[Lexeme], at: usize) -> bool {
    let section = lexemes[at].is_word() && lexemes[at].text.starts_with("квадрат");
    let number = at > 1
        && lexemes[at - 1].is_number()
        && (lexemes[at - 2].is('x') || matches!(lexemes[at - 2].text.as_str(), "на" | "по"));
    let part = |l: &&Lexeme| !l.is('\n') && !l.is(',') && !l.is(';');
    let rest = &lexemes[at + 1..];
    let rest = &rest[..rest.iter().take_while(part).count()];
    let counted = |at: usize| rest[at].is_number() && unit_at(rest, at + 1).is_some();
    section && number && (0..rest.len()).any(counted)
}

/// «Степень защиты IP20», «номинальный ток 16 А»: whether two words only name the attribute that
/// follows.
fn names_attribute(lexemes: &[Lexeme], at: usize) -> bool {
    const NAMES: &[(&str, &str)] = &[
        ("степень", "защит"),
        ("цветовая", "температур"),
        ("световой", "поток"),
        ("номинальный", "ток"),
        ("ном", "ток"),
        ("рабочее", "давлен"),
    ];
    let [one, two, value, ..] = &lexemes[at..] else { return false };
    NAMES.iter().any(|(first, second)| one.text == *first && two.text.starts_with(second))
        && (value.is_number() || value.is_word() || value.is(':') || value.is('-'))
}

/// «V=120 л», «t=50 мкм»: whether a letter and a sign only say what the number with its unit is of.
fn is_symbol(lexemes: &[Lexeme], at: usize) -> bool {
    let [letter, sign, number, unit, ..] = &lexemes[at..] else { return false };
    letter.is_word()
        && letter.spaced
        && letter.text.chars().count() == 1
        && super::super::terms::marker(&letter.text, true).is_none()
        && sign.is('=')
        && number.is_number()
        && unit.is_word()
        && super::super::terms::Measure::read(&unit.text, !unit.spaced).is_some()
}

/// «Желатин кг 2 шт» comes by one kilogram: the one that nobody says.
fn one_measure(lexemes: &[Lexeme], at: usize) -> Option<Lexeme> {
    let measure = &lexemes[at];
    let said = matches!(measure.text.as_str(), "кг" | "кило" | "килограмм" | "литр");
    let goods = at.checked_sub(1).map(|before| &lexemes[before])?;
    let named = goods.is_word() && !super::super::terms::is_little(&goods.text);
    let counted = lexemes.get(at + 1).is_some_and(Lexeme::is_number)
        && unit_at(lexemes, at + 2).is_some_and(|(unit, _)| unit.counts());
    (said && named && counted).then(|| Lexeme {
        kind: Kind::Number,
        text: "1".to_owned(),
        value: 1000,
        end: measure.start,
        dotted: false,
        ..measure.clone()
    })
}

/// «0,2 км» is two hundred metres, «полцентнера» fifty kilograms.
fn in_lesser_units(lexemes: &[Lexeme], at: usize) -> Option<[Lexeme; 2]> {
    let [number, unit] = lexemes.get(at..at + 2)? else { return None };
    if !number.is_number() || !unit.is_word() {
        return None;
    }
    let quintal = unit.text == "ц" && unit.spaced;
    let (by, lesser) = lesser_unit(if quintal { "центнер" } else { &unit.text })?;
    let value = number.value.checked_mul(by)?;
    let text = crate::domain::Quantity::from_thousandths(value).decimal();
    let many = Lexeme { text, value, ..number.clone() };
    Some([many, Lexeme { text: lesser.to_owned(), dotted: false, ..unit.clone() }])
}

/// Where a unit ends that is named by itself, «ед. изм.: шт»: the catalogue knows it.
fn unit_named(lexemes: &[Lexeme], at: usize) -> Option<usize> {
    let text = |at: usize| lexemes.get(at).filter(|l| l.is_word()).map_or("", |l| l.text.as_str());
    let mark = |at: usize| lexemes.get(at).is_some_and(|l| l.is(':') || l.is('.') || l.is('-'));
    let mut end = match (text(at), text(at + 1)) {
        ("ед" | "единица", "изм" | "измерения") => at + 2,
        ("ед", _) if mark(at + 1) => at + 1,
        _ => return None,
    };
    let named = end;
    while mark(end) {
        end += 1;
    }
    let (_, taken) = unit_at(lexemes, end).filter(|_| end > named || lexemes[named - 1].dotted)?;
    Some(end + taken)
}

/// Where a bracket ends that says the number before it in words: «5 (пять) штук», «5 шт (пять)».
fn again(lexemes: &[Lexeme], at: usize, before: &[Lexeme]) -> Option<usize> {
    let [open, number, close] = lexemes.get(at..at + 3)? else { return None };
    let said = match before {
        [.., number] if number.is_number() => number,
        [.., number, unit] if number.is_number() && unit.is_word() => number,
        _ => return None,
    };
    let bracketed = open.is('(') && close.is(')') && number.is_number() && number.spoken;
    (bracketed && !said.spoken && said.value == number.value).then_some(at + 3)
}

/// Where what introduces a quantity after goods ends.
fn introduced(lexemes: &[Lexeme], at: usize, before: &[Lexeme]) -> Option<usize> {
    let goods = before.last().is_some_and(|l| !l.is('\n') && !l.is('\t'));
    if !goods {
        return None;
    }
    let text = |at: usize| lexemes.get(at).map_or("", |l| l.text.as_str());
    let number = |at: usize| lexemes.get(at).is_some_and(Lexeme::is_number);
    let mark = |at: usize, mark: char| lexemes.get(at).is_some_and(|l| l.is(mark));
    let named = match text(at) {
        "в" if text(at + 1).starts_with("количеств") => Some(at + 2),
        "кол" | "к" if mark(at + 1, '-') && matches!(text(at + 2), "во" | "ве") => {
            Some(at + 3)
        }
        // «Кол. 12 компл.»
        "кол" if lexemes[at].dotted => Some(at + 1),
        // «Площадь 3,5 м2» of glass
        "количество" | "колво" | "метраж" | "площадь" | "площадью" => {
            Some(at + 1)
        }
        _ => None,
    };
    if let Some(end) = named {
        let end = end + usize::from(mark(end, ':') || mark(end, '-') || mark(end, '='));
        return number(end).then_some(end);
    }
    let spaced = lexemes[at].spaced && lexemes.get(at + 1).is_some_and(|l| l.spaced);
    let counted = || {
        unit_at(lexemes, at + 2).is_some_and(|(unit, _)| unit.counts() && unit.short().is_some())
    };
    // «Саморез // 5 шт»
    if mark(at, '/') && mark(at + 1, '/') && number(at + 2) {
        return Some(at + 2);
    }
    // «Саморез / 5 шт»
    if mark(at, '/') && spaced && number(at + 1) && counted() {
        return Some(at + 1);
    }
    None
}
