//! «4т.шт», «пять рулонов», «2 кор по 500», «х10» → how many, and of which unit.
//!
//! A line may be read in several ways: the last number may be a size or a quantity. This module
//! lists the readings; the catalogue chooses (see `interpret`).

use std::sync::OnceLock;

use super::lexer::{Lexeme, lex};
use super::normalize::{Chars, FxMap, distance, letter_set, stem};
use super::numerals;
use super::vocabulary::cyrillic;
use crate::domain::{Quantity, Unit};

/// A way to read a line: which lexemes are the quantity.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading {
    /// The lexemes that say the quantity.
    pub(crate) spoken_for: Vec<usize>,
    /// How many.
    pub(crate) quantity: Option<Quantity>,
    /// Of which unit.
    pub(crate) unit: Option<Said>,
    /// How natural the reading is before the catalogue is asked.
    pub(crate) prior: f32,
    /// A spoken number of which only the last word is the quantity («сорок два комплекта»): the
    /// lexeme and what is left of its value.
    pub(crate) left: Option<(usize, i64)>,
    /// The word that the goods are counted by, which is no unit: «80 панелей».
    pub(crate) counted_by: Option<usize>,
    /// «по 5», «каждого»: of every item named before.
    pub(crate) each: bool,
    /// Whether the unit is glued to the number, as sizes are written: «500г».
    pub(crate) glued: bool,
}

/// A unit as it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// Its word or usual abbreviation.
    Unit(Unit),
    /// Its first letter, «3р», «5л»: the product's own unit tells which.
    Letter(String),
}

/// A tonne, or a thousand, by its letter.
const TONNE: &str = "т";

impl Said {
    /// Whether it is this unit, a product's own.
    pub(crate) fn is(&self, own: &Unit) -> bool {
        self.resolve(Some(own)) == *own
    }

    /// The unit, given the product's own.
    pub(crate) fn resolve(&self, own: Option<&Unit>) -> Unit {
        match self {
            Self::Unit(unit) => match own {
                // «5 л» of plywood are sheets.
                Some(own) if unit.as_str() == "л" && own.as_str() == "лист" => own.clone(),
                _ => unit.clone(),
            },
            Self::Letter(letter) => match own {
                Some(own) if own.as_str().starts_with(letter.as_str()) => own.clone(),
                _ => Unit::new(match letter.as_str() {
                    "р" => "рул",
                    "к" => "кор",
                    "б" => "бан",
                    "у" => "уп",
                    "п" => "пар",
                    "ш" => "шт",
                    other => other,
                }),
            },
        }
    }

    /// Whether this is the «т» that is a tonne of what is sold by weight, and nothing of other goods.
    pub(crate) fn is_tonne(&self) -> bool {
        matches!(self, Self::Letter(letter) if letter == TONNE)
    }

    /// Whether the unit counts things and does not measure them.
    pub(crate) fn counts(&self) -> bool {
        match self {
            Self::Unit(unit) => counts(unit),
            Self::Letter(letter) => letter != TONNE,
        }
    }

    /// The letter, if no more is said.
    pub(crate) fn letter(&self) -> Option<&str> {
        match self {
            Self::Unit(_) => None,
            Self::Letter(letter) => Some(letter),
        }
    }

    /// The unit's short form, if it is said in full.
    pub(crate) fn short(&self) -> Option<&str> {
        match self {
            Self::Unit(unit) => Some(unit.as_str()),
            Self::Letter(_) => None,
        }
    }
}

/// Whether a unit counts things and does not measure them.
pub(crate) fn counts(unit: &Unit) -> bool {
    !matches!(unit.as_str(), "м" | "кг" | "г" | "л" | "м2" | "м3" | "т")
}

/// The unit that begins at a lexeme and how many lexemes it takes.
pub(crate) fn unit_at(lexemes: &[Lexeme], at: usize) -> Option<(Said, usize)> {
    let word = |i: usize| lexemes.get(i).filter(|l| l.is_word());
    let first = word(at)?;
    // «50 рул.33м»: how long a roll is.
    let on = lexemes.get(at + 1).is_some_and(|l| l.is_number() && !l.spaced);
    if first.dotted && on && first.text.chars().count() > 1 {
        return None;
    }
    // «С катушкой 230»: a part of the thing.
    let with = at.checked_sub(1).and_then(word);
    if with.is_some_and(|l| matches!(l.text.as_str(), "с" | "со"))
        && ["ой", "ей", "ом", "ем", "ами"].iter().any(|end| first.text.ends_with(end))
    {
        return None;
    }
    let text = if first.text.is_ascii() && first.text.len() > 1 {
        cyrillic(&first.text)
    } else {
        first.text.clone()
    };
    // «пог. м», «кв.м», «т шт», «к-т»
    if let Some(second) = word(at + 1)
        && !(first.spaced && second.spaced && !first.dotted && text.chars().count() < 2)
        && let Some(unit) = known_unit(&format!("{} {}", text, second.text))
    {
        return Some((Said::Unit(Unit::new(unit)), 2));
    }
    if let Some(found) = length_or_area(&text, word(at + 1)) {
        return Some(found);
    }
    if let (Some(dash), Some(second)) = (lexemes.get(at + 1), word(at + 2))
        && dash.is('-')
        && !dash.spaced
        && !second.spaced
        && let Some(unit) = known_unit(&format!("{}-{}", text, second.text))
    {
        return Some((Said::Unit(Unit::new(unit)), 3));
    }
    if matches!(text.as_str(), "м" | "кв") {
        let square = lexemes.get(at + 1).filter(|l| l.is_number() && !l.spaced);
        match square.map(|l| l.text.as_str()) {
            Some("2") => return Some((Said::Unit(Unit::new("м2")), 2)),
            Some("3") => return Some((Said::Unit(Unit::new("м3")), 2)),
            _ => {}
        }
    }
    // «DIN 933 М8х40»: the letter is the next number's.
    let led = first.spaced && lexemes.get(at + 1).is_some_and(|l| l.is_number() && !l.spaced);
    if led && !first.dotted && text.chars().count() == 1 {
        return None;
    }
    if let Some(unit) = known_unit(&text).or_else(|| known_unit(&first.text)) {
        return Some((Said::Unit(Unit::new(unit)), 1));
    }
    // «Короб 600х400 т 24»: a mark and its number.
    let marks = lexemes[at + 1..].iter().find(|l| !l.is('-')).is_some_and(Lexeme::is_number);
    if text == TONNE && marks {
        return None;
    }
    if matches!(text.as_str(), "р" | "к" | "б" | "у" | "п" | "ш" | TONNE) {
        return Some((Said::Letter(text), 1));
    }
    let short = declined_unit(&text)?;
    Some((Said::Unit(Unit::new(short)), 1))
}

/// «пог. метров», «метров погонных», «м кв»: a metre with what it is, in either order.
fn length_or_area(text: &str, second: Option<&Lexeme>) -> Option<(Said, usize)> {
    let unit = |word: &str| match word {
        _ if word == "пог" || word.starts_with("погон") => Some("м"),
        _ if word == "кв" || word.starts_with("квадратн") => Some("м2"),
        _ if word == "куб" || word.starts_with("кубич") => Some("м3"),
        _ => None,
    };
    let metre = |word: &str| word == "м" || word.starts_with("метр");
    let second = second?;
    let unit = unit(text)
        .filter(|_| metre(&second.text))
        .or_else(|| unit(&second.text).filter(|_| metre(text)))?;
    Some((Said::Unit(Unit::new(unit)), 2))
}

/// The units' spellings, hashed.
struct UnitTable {
    exact: FxMap<&'static str, &'static str>,
    stems: FxMap<String, &'static str>,
    long: Vec<(Vec<char>, u64, &'static str)>,
}

fn unit_table() -> &'static UnitTable {
    static TABLE: OnceLock<UnitTable> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table =
            UnitTable { exact: FxMap::default(), stems: FxMap::default(), long: Vec::new() };
        for (form, short) in Unit::spellings() {
            table.exact.entry(form).or_insert(short);
            let chars: Vec<char> = form.chars().collect();
            if chars.len() >= 4 && !form.contains(' ') {
                table.stems.entry(stem(form)).or_insert(short);
            }
            if chars.len() >= 5 {
                table.long.push((chars, letter_set(form), short));
            }
        }
        table
    })
}

/// The short form of a unit by one of its spellings.
pub(crate) fn known_unit(text: &str) -> Option<&'static str> {
    unit_table().exact.get(text).copied()
}

/// The unit that goods are sold by in the stead of one that they are not, and how many of it that is:
/// «км», «центнер».
pub(crate) fn lesser_unit(text: &str) -> Option<(i64, &'static str)> {
    match text {
        "км" => Some((1000, "м")),
        _ if text.starts_with("километр") => Some((1000, "м")),
        _ if text.starts_with("центнер") => Some((100, "кг")),
        _ => None,
    }
}

/// The unit meant by a case form that its spellings lack («рулону»), or by a slip («рулонн»).
fn declined_unit(text: &str) -> Option<&'static str> {
    let table = unit_table();
    let chars: Vec<char> = text.chars().collect();
    if chars.len() < 4 {
        return None;
    }
    let key = stem(text);
    let noun = text.strip_prefix(key.as_str()).is_some_and(|ending| {
        matches!(
            ending,
            "" | "у"
                | "ом"
                | "е"
                | "ам"
                | "ами"
                | "ах"
                | "ой"
                | "и"
                | "ы"
                | "а"
                | "ов"
                | "ю"
                | "ей"
        )
    });
    if noun && let Some(short) = table.stems.get(&key) {
        return Some(short);
    }

    if chars.len() < 5 {
        // «Рулн», «мешк»: a letter of a longer form was left out.
        let dropped = |form: &[char]| {
            form.len() == 5
                && form[..2] == chars[..2]
                && form.last() == chars.last()
                && (2..5).any(|at| [&form[..at], &form[at + 1..]].concat() == chars)
        };
        return table.long.iter().find(|(form, ..)| dropped(form)).map(|(_, _, short)| *short);
    }
    let letters = letter_set(text);
    table
        .long
        .iter()
        .filter(|(form, set, _)| form[0] == chars[0] && (set ^ letters).count_ones() <= 3)
        .find(|(form, _, _)| distance(&chars, form, 2).is_some())
        .map(|(_, _, short)| *short)
}

/// A quantity by itself: «250», «3 кор», «пару», «4т.шт», «полтора метра», «х10».
pub fn parse_quantity(text: &str) -> Option<(Quantity, Option<Unit>)> {
    let lexemes = numerals::replace(&lex(&Chars::new(text)), |_| false);
    let readings = readings(&lexemes, &|_| false);
    let best = readings
        .into_iter()
        .filter(|r| r.quantity.is_some_and(Quantity::is_positive))
        .max_by_key(|r| r.spoken_for.len())?;
    let rest = (0..lexemes.len()).filter(|i| !best.spoken_for.contains(i));
    let idle = |l: &Lexeme| {
        !l.is_word() && !l.is_number()
            || matches!(l.text.as_str(), "по" | "давайте" | "всего" | "и" | "нужно" | "надо")
    };
    if !rest.into_iter().all(|i| idle(&lexemes[i])) {
        return None;
    }
    let unit = best.unit.map(|said| said.resolve(None));
    best.quantity.map(|q| (q, unit))
}

/// Every way to read a line's quantity, among them that there is none.
/// `telling` knows words after which a lone number is hardly a number of the product: colours.
pub(crate) fn readings(lexemes: &[Lexeme], telling: &dyn Fn(&Lexeme) -> bool) -> Vec<Reading> {
    let mut out = vec![Reading::default()];
    // «…красный два, всё, спасибо»: thanks come after the end.
    let talk = |l: &Lexeme| {
        (super::speech::is_filler(&l.text) || super::speech::is_greeting(&l.text))
            && known_unit(&l.text).is_none()
            && !is_lone_unit(&l.text)
    };
    let told = |l: &Lexeme| l.is_number() || l.is_word() && !talk(l);
    // «… один в заказ поставьте»
    let little = |l: &Lexeme| matches!(l.text.as_str(), "в" | "на" | "к" | "за" | "для" | "и");
    let last = (0..lexemes.len()).rev().find(|i| told(&lexemes[*i]) && !little(&lexemes[*i]));
    let Some(last) = last else { return out };
    let first =
        (0..lexemes.len()).find(|i| told(&lexemes[*i]) && !is_request(lexemes, *i)).unwrap_or(0);
    for i in 0..lexemes.len() {
        if lexemes[i].is_number() {
            number_readings(lexemes, i, (first, last), telling, &mut out);
        } else if lexemes[i].is_word() {
            lone_unit(lexemes, i, last, &mut out);
        }
    }
    let numbers: Vec<usize> = (0..lexemes.len()).filter(|i| lexemes[*i].is_number()).collect();
    prefer_said(&mut out, last, &numbers);
    // «Верона 12, 44 по 5 м»: five metres of each, and no forty-four of the fifth.
    let shared = |r: &&Reading| r.each && r.unit.as_ref().and_then(Said::short) == Some("м");
    let each: Vec<usize> =
        out.iter().filter(shared).flat_map(|r| r.spoken_for.iter().copied()).collect();
    let bare = |r: &&mut Reading| r.quantity.is_some() && r.unit.is_none();
    for way in out.iter_mut().filter(bare) {
        if !each.is_empty() && !way.spoken_for.iter().any(|at| each.contains(at)) {
            way.prior -= 4.0;
        }
    }
    out
}

/// «Отложите», «для нас»: what is asked for comes after it.
fn is_request(lexemes: &[Lexeme], at: usize) -> bool {
    let text = |at: usize| lexemes.get(at).map_or("", |l| l.text.as_str());
    let us = |word: &str| matches!(word, "нас" | "меня");
    super::speech::is_verb(text(at))
        || matches!(text(at), "для" | "на") && us(text(at + 1))
        || us(text(at))
}

/// «авт. 1Р 40А 6 шт», «по 4 шт две упаковки»: where the end says so many of a unit in full, a letter
/// before it is hardly a unit, and so many «по» are in a pack.
fn prefer_said(ways: &mut [Reading], last: usize, numbers: &[usize]) {
    let full = |r: &Reading| r.unit.as_ref().and_then(Said::short).map(str::to_owned);
    let ends = |r: &Reading| r.spoken_for.contains(&last) && !r.each;
    let said = ways.iter().filter(|r| ends(r)).find_map(full);
    let Some(said) = said else { return };
    let container = !matches!(said.as_str(), "шт" | "м" | "кг" | "л" | "м2" | "м3" | "т" | "г");
    for way in ways.iter_mut().filter(|r| r.quantity.is_some() && !r.spoken_for.contains(&last)) {
        let letter = matches!(way.unit, Some(Said::Letter(_)));
        let packed = way.each && container && full(way).as_deref() == Some("шт");
        let lone = !way.spoken_for.iter().any(|at| numbers.contains(at));
        if lone {
            // «Контактор катушка 230В 3 шт» is no one coil.
            way.prior -= 1.5;
        } else if letter {
            // «3п 16А, 7 шт» is no three pairs, whatever is found so.
            way.prior -= 4.0;
        } else if packed {
            way.prior -= 1.5;
        }
    }
}

/// A number of so many digits is a requisite, a telephone or an article.
const LONGEST: usize = 8;

/// The readings in which this number is the quantity.
#[expect(clippy::too_many_lines, reason = "one reading a paragraph, in the order they are tried")]
fn number_readings(
    lexemes: &[Lexeme],
    i: usize,
    (first, last): (usize, usize),
    telling: &dyn Fn(&Lexeme) -> bool,
    out: &mut Vec<Reading>,
) {
    let number = &lexemes[i];
    // «ИНН 1655123456»: nobody orders so many.
    if number.named || number.text.len() >= LONGEST {
        return;
    }
    // «КМИ-11810 катушка 230»: a mark, not so many of a mark.
    let tied_on = |at: usize| !lexemes[at].spaced;
    if i > 1
        && number.text.len() > 3
        && tied_on(i)
        && tied_on(i - 1)
        && lexemes[i - 1].is('-')
        && lexemes[i - 2].is_word()
    {
        return;
    }
    let quantity = Some(Quantity::from_thousandths(number.value));
    let mut spoken_for = vec![i];
    // «х10»
    let mut prior = 0.0;
    let cross = i > 0 && lexemes[i - 1].is('x');
    let prefix = cross && (i < 2 || !lexemes[i - 2].is_number());
    if prefix && i == first && i < last && lexemes[i + 1..].iter().any(Lexeme::is_number) {
        // «м6х20 100, х30 100»: a size goes on.
        return;
    }
    let (tens, ones) = (number.value / 10_000 * 10_000, number.value % 10_000);
    if cross
        && !prefix
        && number.spoken
        && number.value > 20_000
        && tens > 0
        && ones > 0
        && ones % 1000 == 0
        && let Some((unit, taken)) = unit_at(lexemes, i + 1)
    {
        // «тысяча десять на сорок два комплекта»
        out.push(Reading {
            spoken_for: (i + 1..=i + taken).collect(),
            quantity: Some(Quantity::from_thousandths(ones)),
            prior: if unit.counts() { 0.8 } else { 0.1 },
            unit: Some(unit),
            left: Some((i, tens)),
            ..Reading::default()
        });
    }
    if cross && !prefix && number.spoken && i == last && tens > 0 && ones > 0 && ones % 1000 == 0 {
        // «сто девяносто на девяносто одну»
        out.push(Reading {
            quantity: Some(Quantity::from_thousandths(ones)),
            prior: 0.1,
            left: Some((i, tens)),
            ..Reading::default()
        });
    }
    if cross && !prefix {
        // «2х100шт»: so many packs of so many.
        if i >= 2
            && !number.spoken
            && lexemes[i - 2].is_number()
            && (i < 3 || !lexemes[i - 3].is('x'))
            && let Some((unit, taken)) = unit_at(lexemes, i + 1)
            && unit.short() == Some("шт")
        {
            let product = lexemes[i - 2].value / 1000 * number.value;
            out.push(Reading {
                spoken_for: (i - 2..=i + taken).collect(),
                quantity: Some(Quantity::from_thousandths(product)),
                unit: Some(unit),
                prior: 0.3,
                ..Reading::default()
            });
        }
        // «тройник 20 х15»
        if lexemes[i - 1].spaced && !number.spaced {
            let unit = unit_at(lexemes, i + 1);
            let taken = unit.as_ref().map_or(0, |u| u.1);
            if i + taken >= last {
                out.push(Reading {
                    spoken_for: (i - 1..=i + taken).collect(),
                    quantity,
                    unit: unit.map(|u| u.0),
                    prior: 0.3,
                    ..Reading::default()
                });
            }
        }
        return;
    }
    if prefix {
        spoken_for.push(i - 1);
        prior = 0.8;
    }
    let glued = i > 0 && !number.spaced && lexemes[i - 1].is_word() && !lexemes[i - 1].dotted;
    // «г/м2» has no two of anything.
    let power = glued && super::terms::Measure::read(&lexemes[i - 1].text, true).is_some();
    // «11б27п1» is one mark.
    let mark = glued && i > 1 && !lexemes[i - 1].spaced && lexemes[i - 2].is_number();
    let counted = unit_at(lexemes, i + 1).filter(|u| u.0.counts());
    let taken = counted.as_ref().map_or(0, |u| u.1);
    if glued && i + taken >= last && !power && !mark {
        // «чер10», «белая2рул»
        let word = &lexemes[i - 1].text;
        let code = word.is_ascii() || number.value >= 1_000_000;
        let long = word.chars().count() > if counted.is_some() { 2 } else { 1 };
        // «P120» is no hundred and twenty of anything.
        if long || !code && counted.is_none() {
            let prior = if code { -0.7 } else { 0.0 };
            let spoken_for = (i..=i + taken).collect();
            let unit = counted.map(|u| u.0);
            out.push(Reading { spoken_for, quantity, unit, prior, ..Reading::default() });
        }
    }
    let tied = glued
        || i > 0 && !number.spaced && lexemes[i - 1].is('/')
        || lexemes.get(i + 1).is_some_and(|l| l.is('x') || (l.is('/') && !l.spaced));
    // «тип 80», «цвет 174», «h=80»: a number that has its name is no quantity.
    let named = |k: usize| {
        lexemes[k].is_word()
            && !lexemes[k].text.starts_with("шт")
            && super::terms::marker(&lexemes[k].text, false).is_some()
            // «того же цвета 200», «чёрного цвета 50», «перчатки L 3 уп»
            && !(k > 0
                && (lexemes[k - 1].text == "же"
                    || lexemes[k].text.starts_with("цвет")
                        && super::line::is_adjective(&lexemes[k - 1].text)))
            && !(lexemes[k].text.is_ascii()
                && lexemes[k].text.len() == 1
                && lexemes[i].spaced
                && unit_at(lexemes, i + 1).is_some_and(|u| u.0.counts()))
    };
    let named = |k: usize| named(k) && !super::terms::names_number_before(lexemes, k, i);
    let follows_slash = i > 0
        && (lexemes[i - 1].is('/')
            || lexemes[i - 1].is('№')
            || named(i - 1)
            || i > 1
                && lexemes[i - 1].is('=')
                && !lexemes[i - 1].spaced
                && lexemes[i - 2].is_word());
    if tied || follows_slash {
        return;
    }
    let each = i > 0
        && (matches!(lexemes[i - 1].text.as_str(), "по" | "po")
            || lexemes[i - 1].text.starts_with("кажд"));
    // «50-60 шт» is at least fifty.
    let range = lexemes.get(i + 1).is_some_and(|l| l.is('-') && !l.spaced)
        && lexemes.get(i + 2).is_some_and(|l| {
            l.is_number() && !l.spaced && l.value > number.value && !l.text.starts_with('0')
        });
    let after = if range { i + 3 } else { i + 1 };
    if range {
        spoken_for.extend([i + 1, i + 2]);
    }
    if i >= 2
        && lexemes[i - 1].is('-')
        && !lexemes[i - 1].spaced
        && !number.spaced
        && lexemes[i - 2].is_number()
    {
        // «174-2», «101-5шт»: the number and how many of it.
        let unit = unit_at(lexemes, i + 1);
        let taken = unit.as_ref().map_or(0, |u| u.1);
        if i + taken >= last {
            out.push(Reading {
                spoken_for: (i - 1..=i + taken).collect(),
                quantity,
                prior: if unit.is_some() { 0.9 } else { 0.35 },
                unit: unit.map(|u| u.0),
                ..Reading::default()
            });
        }
        return;
    }
    if let Some((unit, taken)) = unit_at(lexemes, after) {
        // «120 г/м2»
        if lexemes.get(after + taken).is_some_and(|l| l.is('/') && !l.spaced) {
            return;
        }
        spoken_for.extend(after..after + taken);
        let mut end = after + taken;
        let counts = unit.counts();
        // «2 кор по 500 шт»
        let measured = unit_at(lexemes, end + 2).is_some_and(|(unit, _)| !unit.counts());
        let by = lexemes.get(end).is_some_and(|l| l.text == "по")
            && lexemes.get(end + 1).is_some_and(Lexeme::is_number)
            && !each;
        if by && !counts {
            // «Масло 1л, 4л по 5 шт»: five of four litres.
            return;
        }
        if by && counts && measured && unit.short().is_some() {
            // «две бухты по 5 м»: of what is cut from a coil, five metres are no size.
            let taken = unit_at(lexemes, end + 2).map_or(0, |u| u.1);
            let mut all = spoken_for.clone();
            all.extend(end..end + 2 + taken);
            let unit = Some(unit.clone());
            out.push(Reading { spoken_for: all, quantity, unit, prior: 0.7, ..Reading::default() });
        }
        if by && !measured {
            spoken_for.extend([end, end + 1]);
            end += 2;
            if let Some((_, more)) = unit_at(lexemes, end) {
                spoken_for.extend(end..end + more);
                end += more;
            }
        }
        if each {
            spoken_for.push(i - 1);
            end = past_each(lexemes, end, &mut spoken_for);
        }
        let edge = end > last || i == first;
        let dash = i > 0 && lexemes[i - 1].is('-');
        prior += if counts { 1.0 } else { 0.15 };
        // «периотек 300 рулон»: one roll, for three hundred would be «рулонов».
        let one = taken == 1 && is_lone_unit(&lexemes[after].text) && number.value != 1000;
        if one && number.value / 1000 % 10 != 1 {
            // «50 упаковку» cannot be said of fifty at all.
            prior -= if lexemes[after].text.ends_with('у') || number.spoken { 0.7 } else { 0.4 };
        }
        prior += if edge { 0.1 } else { 0.0 };
        prior += if dash { 0.3 } else { 0.0 };
        prior += if each { 0.5 } else { 0.0 };
        // «5 шт саморез 4х25 (200шт)»: two hundred in a pack.
        if i > 0 && lexemes[i - 1].is('(') && lexemes.get(end).is_some_and(|l| l.is(')')) {
            prior -= 0.5;
        }
        if matches!(unit, Said::Letter(_)) {
            prior -= 0.35;
        }
        if end <= last && !edge {
            prior -= 0.15;
        }
        out.push(Reading {
            spoken_for,
            quantity,
            unit: Some(unit.clone()),
            prior,
            each,
            glued: !lexemes[after].spaced && !number.spoken,
            ..Reading::default()
        });
        // «сорок два комплекта» after «тысяча десять на», «четыреста двенадцать штук» of 400 ml
        for (left, quantity) in parted(number) {
            out.push(Reading {
                spoken_for: (after..after + taken).collect(),
                quantity: Some(quantity),
                unit: Some(unit.clone()),
                prior: prior - 0.2,
                left: Some((i, left)),
                each,
                ..Reading::default()
            });
        }
        return;
    }
    // «штук 40», «рулонов 5»
    if i > 0
        && let Some((unit, 1)) = unit_at(lexemes, i - 1)
        && (unit.counts()
            || matches!(
                lexemes[i - 1].text.as_str(),
                "метров"
                    | "метра"
                    | "килограмм"
                    | "килограмма"
                    | "килограммов"
                    | "литров"
                    | "литра"
            ))
        && (lexemes[i - 1].text.chars().count() > 3
            || i == last && number.spoken && !(i > 1 && lexemes[i - 2].is_number()))
        && number.spaced
    {
        let mut taken = spoken_for.clone();
        taken.push(i - 1);
        out.push(Reading {
            spoken_for: taken,
            quantity,
            unit: Some(unit),
            prior: if i == last { 0.85 } else { 0.3 },
            ..Reading::default()
        });
    }
    let dash = i > 0
        && (lexemes[i - 1].is('-') && lexemes[i - 1].spaced
            || lexemes[i - 1].is('=')
            || lexemes[i - 1].is(':')
            || lexemes[i - 1].is('\t'));
    let bracket = i > 0 && lexemes[i - 1].is('(') && lexemes.get(i + 1).is_some_and(|l| l.is(')'));
    let measured = lexemes.get(i + 1).is_some_and(|l| {
        l.is('%')
            || l.is('"')
            || l.is('°')
            || l.is_word() && super::terms::Measure::read(&l.text, !l.spaced).is_some()
    });
    if measured && !prefix {
        return;
    }
    // «12 - 3» is three of twelve.
    let told_after = lexemes.get(i + 1).is_some_and(|l| l.is('-') && l.spaced)
        && lexemes.get(i + 2).is_some_and(Lexeme::is_number)
        && i + 2 == last;
    if told_after {
        return;
    }
    // «Сайдинг банан 80 панелей»: the goods are counted by another name.
    if i > first && i + 1 == last && may_count(&lexemes[last]) {
        let spoken_for = vec![i, last];
        let counted_by = Some(last);
        out.push(Reading { spoken_for, quantity, prior: 0.1, counted_by, ..Reading::default() });
    }
    let mut end = i + 1;
    if each {
        spoken_for.push(i - 1);
        end = past_each(lexemes, end, &mut spoken_for);
    }
    let at_end = end > last;
    if each || prefix || at_end || i == first || bracket || (dash && lexemes[i - 1].is('\t')) {
        prior += if each {
            0.9
        } else if prefix {
            0.0
        } else if dash && at_end && lexemes[i - 1].is('-') && i > 1 && lexemes[i - 2].is_word() {
            // «Ножи - 5» is no «Набор № 5» with a knife.
            1.4
        } else if bracket || dash && at_end {
            0.7
        } else if at_end {
            0.3
        } else {
            0.2
        };
        if number.spoken && at_end {
            prior += 0.2;
        }
        // «Шестигранник на 4»: of which size, unless nothing has it.
        let of_size = i > first && lexemes[i - 1].text == "на" && !number.spoken;
        if of_size && at_end {
            prior -= 0.6;
        }
        if i == first && !at_end && is_counted(number, &lexemes[i + 1]) {
            prior += 0.5;
        }
        if at_end && i > 0 && telling(&lexemes[i - 1]) {
            prior += 0.5;
        }
        out.push(Reading {
            spoken_for: spoken_for.clone(),
            quantity,
            unit: None,
            prior,
            each,
            ..Reading::default()
        });
        // «щётки семьсот две»
        for (left, quantity) in parted(number).filter(|_| at_end && !each) {
            out.push(Reading {
                quantity: Some(quantity),
                prior: prior - 0.2,
                left: Some((i, left)),
                ..Reading::default()
            });
        }
    }
}

/// Whether a word after a number may be what the goods are counted by: «панелей», «ампул», «меша».
pub(crate) fn may_count(lexeme: &Lexeme) -> bool {
    const LEAST: usize = 4;
    lexeme.is_word()
        && lexeme.spaced
        && !lexeme.dotted
        && lexeme.text.chars().count() >= LEAST
        && lexeme.text.chars().all(super::normalize::is_cyrillic)
        && !super::line::is_adjective(&lexeme.text)
        && !super::speech::is_filler(&lexeme.text)
}

/// «Шесть ножек»: whether the word after a number may be the thing that it counts.
pub(crate) fn is_counted(number: &Lexeme, thing: &Lexeme) -> bool {
    const GENITIVE: &[&str] = &["ов", "ев", "ей", "ек", "ок"];
    number.value >= 2000
        && number.value % 1000 == 0
        && thing.is_word()
        && thing.spaced
        && GENITIVE.iter().any(|ending| thing.text.ends_with(ending))
}

/// A number in words as one of the goods and a quantity after it: «семьсот две» is two of 700.
fn parted(number: &Lexeme) -> impl Iterator<Item = (i64, Quantity)> {
    let whole = number.spoken && !number.named && number.value % 1000 == 0;
    let splits = [10_000, 100_000].map(|by| (number.value / by * by, number.value % by));
    let teens = |quantity: i64| (10_000..20_000).contains(&quantity);
    splits
        .into_iter()
        .enumerate()
        .filter(move |(at, (left, quantity))| {
            whole && *left > 10_000 && *quantity > 0 && (*at == 0 || teens(*quantity))
        })
        .map(|(_, (left, quantity))| (left, Quantity::from_thousandths(quantity)))
}

/// «каждого», «каждой», «штуке» after «по 2».
fn past_each(lexemes: &[Lexeme], mut end: usize, spoken_for: &mut Vec<usize>) -> usize {
    while lexemes.get(end).is_some_and(|l| l.text.starts_with("кажд") || l.text.starts_with("всех"))
    {
        spoken_for.push(end);
        end += 1;
    }
    end
}

/// Whether the word names one container: «рулон», «коробку».
pub(crate) fn is_lone_unit(word: &str) -> bool {
    const ONE: &[&str] = &[
        "рулон",
        "рулончик",
        "упаковка",
        "упаковку",
        "упаковочку",
        "упаковочка",
        "пачечка",
        "коробочка",
        "пачка",
        "пачку",
        "коробка",
        "коробку",
        "короб",
        "ящик",
        "мешок",
        "канистра",
        "канистру",
        "банка",
        "банку",
        "баллон",
        "ведро",
        "бухта",
        "бухту",
        "комплект",
        "лист",
        "листик",
        "моток",
        "катушка",
        "катушку",
        "бобина",
        "бобину",
        "флакон",
        "тюбик",
        "пара",
        "комплектик",
        "rulon",
        "штучку",
        "штуку",
        "бутылку",
        "бутылочку",
        "пачечку",
        "коробочку",
    ];
    ONE.contains(&word)
}

/// Whether the word is a container cut short, as it ends a line: «альфа 10 ник уп».
fn is_cut_unit(word: &str) -> bool {
    matches!(word, "уп" | "рул" | "кор")
}

/// «войлок рулон», «скотч коробку»: a container without a number is one.
fn lone_unit(lexemes: &[Lexeme], i: usize, last: usize, out: &mut Vec<Reading>) {
    // «по рулону», «по пачке»: one of each.
    if i > 0
        && lexemes[i - 1].text == "по"
        && !(i > 1 && (lexemes[i - 2].is_number() || unit_at(lexemes, i - 2).is_some()))
        && let Some((unit, taken)) =
            unit_at(lexemes, i).filter(|u| u.0.counts() && u.0.short().is_some())
    {
        out.push(Reading {
            spoken_for: (i - 1..i + taken).collect(),
            quantity: Some(Quantity::whole(1)),
            unit: Some(unit),
            prior: if i + taken > last { 1.2 } else { 0.3 },
            each: true,
            ..Reading::default()
        });
        if lexemes[i].text == "паре" {
            // «по паре» is two of each, but of what is sold in pairs.
            out.push(Reading {
                spoken_for: vec![i - 1, i],
                quantity: Some(Quantity::whole(2)),
                prior: if i + taken > last { 1.25 } else { 0.35 },
                each: true,
                ..Reading::default()
            });
        }
        return;
    }
    let cut = i == last && i > 0 && lexemes[i - 1].is_word() && is_cut_unit(&lexemes[i].text);
    if !cut && !is_lone_unit(&lexemes[i].text) {
        return;
    }
    let begins = lexemes[..i].iter().all(|l| !l.is_number() && !l.is_word());
    if lexemes[i].text == "пара" && begins && lexemes.get(i + 1).is_some_and(Lexeme::is_word) {
        // «пара кувалд» is two of them, «пара перчаток» one: the product's own unit tells.
        out.push(Reading {
            spoken_for: vec![i],
            quantity: Some(Quantity::whole(2)),
            prior: 0.15,
            ..Reading::default()
        });
    }
    let numbered = i > 0 && lexemes[i - 1].is_number() && !lexemes[i - 1].named;
    let Some((unit, taken)) = unit_at(lexemes, i) else { return };
    let edge = i + taken > last;
    let accusative = lexemes[i].text.ends_with('у');
    if numbered && edge {
        // «клей 10 литров банку» has its number elsewhere; «5 рулон» is rather five.
        let value = lexemes[i - 1].value / 1000;
        if value == 1 || lexemes[i - 1].spoken && value % 10 == 1 {
            return;
        }
        out.push(Reading {
            spoken_for: (i..i + taken).collect(),
            quantity: Some(Quantity::whole(1)),
            unit: Some(unit),
            prior: if accusative || lexemes[i - 1].spoken { 0.6 } else { 0.35 },
            ..Reading::default()
        });
        return;
    }
    out.push(Reading {
        spoken_for: (i..i + taken).collect(),
        quantity: Some(Quantity::whole(1)),
        unit: Some(unit),
        prior: if accusative {
            0.45
        } else if edge {
            0.4
        } else {
            0.1
        },
        ..Reading::default()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_by_itself_is_read() {
        let cases: &[(&str, i64, Option<&str>)] = &[
            ("250", 250_000, None),
            ("3 кор", 3_000, Some("кор")),
            ("пару", 2_000, None),
            ("4т.шт", 4_000_000, Some("шт")),
            ("полтора метра", 1_500, Some("м")),
            ("х10", 10_000, None),
            ("пять рулонов", 5_000, Some("рул")),
            ("0,5 тыс", 500_000, None),
            ("2 кор по 500", 2_000, Some("кор")),
            ("десяток", 10_000, None),
            ("- 3", 3_000, None),
            ("1 000 шт", 1_000_000, Some("шт")),
            ("12,5 м", 12_500, Some("м")),
        ];
        for (text, thousandths, unit) in cases {
            let (quantity, said) = parse_quantity(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(quantity.thousandths(), *thousandths, "{text}");
            assert_eq!(said.as_ref().map(Unit::as_str), *unit, "{text}");
        }
        assert_eq!(parse_quantity("саморез 4х25"), None);
        assert_eq!(parse_quantity("вторую"), None);
        assert_eq!(parse_quantity(""), None);
    }
}
