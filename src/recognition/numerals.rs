//! Numbers said in words: «двадцать пять», «полтора», «сороковка», «8ка», «пару», «полтыщи».

mod groups;

use super::adjectives::measured;
use super::lexer::{Kind, Lexeme};
use super::normalize::{distance, is_cyrillic, named_letter};
use super::terms::Measure;
use super::vocabulary::cyrillic;

pub(crate) use groups::{regrouped, tied};

/// A word of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// 0…9, 10…90 and 11…19, 100…900: the value.
    Cardinal(i64),
    /// «тысяча» with the form that agrees with it.
    Thousand(Form),
    /// «полтора»: thousandths.
    Fraction(i64),
    /// «десяток», «дюжина», «сотня»: a number that is only a quantity.
    Collective(i64),
    /// «сороковка», «восьмой»: only an attribute.
    Named(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    One,
    Few,
    Many,
}

#[expect(clippy::match_same_arms, reason = "words in the order of their values")]
fn piece(word: &str) -> Option<Piece> {
    use Piece::{Cardinal, Collective, Fraction, Thousand};
    Some(match word {
        "ноль" | "нуль" => Cardinal(0),
        "один" | "одна" | "одни" | "одно" | "одну" | "одного" | "одной" | "одному" => {
            Cardinal(1)
        }
        "два" | "две" | "двух" => Cardinal(2),
        "три" | "трех" => Cardinal(3),
        "четыре" | "четырех" => Cardinal(4),
        "пять" | "пяти" => Cardinal(5),
        "шесть" | "шести" => Cardinal(6),
        "семь" | "семи" => Cardinal(7),
        "восемь" | "восьми" => Cardinal(8),
        "девять" | "девяти" => Cardinal(9),
        "десять" | "десяти" => Cardinal(10),
        "одиннадцать" | "одинадцать" => Cardinal(11),
        "двенадцать" => Cardinal(12),
        "тринадцать" => Cardinal(13),
        "четырнадцать" => Cardinal(14),
        "пятнадцать" => Cardinal(15),
        "шестнадцать" => Cardinal(16),
        "семнадцать" => Cardinal(17),
        "восемнадцать" => Cardinal(18),
        "девятнадцать" => Cardinal(19),
        "двадцать" | "двадцати" => Cardinal(20),
        "тридцать" | "тридцати" => Cardinal(30),
        "сорок" | "сорока" => Cardinal(40),
        "пятьдесят" | "пятидесяти" | "писят" | "пиисят" => {
            Cardinal(50)
        }
        "шестьдесят" | "шестидесяти" | "шисят" => Cardinal(60),
        "семьдесят" | "семидесяти" => Cardinal(70),
        "восемьдесят" | "восьмидесяти" => Cardinal(80),
        "девяносто" => Cardinal(90),
        "сто" | "ста" => Cardinal(100),
        "двести" => Cardinal(200),
        "триста" => Cardinal(300),
        "четыреста" => Cardinal(400),
        "пятьсот" => Cardinal(500),
        "шестьсот" => Cardinal(600),
        "семьсот" => Cardinal(700),
        "восемьсот" => Cardinal(800),
        "девятьсот" => Cardinal(900),
        "тысяча" | "тысячу" | "тыща" | "тыщу" => Thousand(Form::One),
        "тысячи" | "тыщи" => Thousand(Form::Few),
        "тысяч" | "тыщ" | "тыс" => Thousand(Form::Many),
        "четверть" | "четвертинку" => Fraction(250),
        "полтора" | "полторы" => Fraction(1500),
        "пол" | "половина" | "половину" | "половинку" => Fraction(500),
        "десяток" | "десятка" | "десятков" | "десяточек" => {
            Collective(10)
        }
        "дюжина" | "дюжину" | "дюжины" | "дюжин" => Collective(12),
        "сотня" | "сотню" | "сотни" | "сотен" => Collective(100),
        "полсотни" => Collective(50),
        "полтыщи" | "полтысячи" => Collective(500),
        "пяток" => Collective(5),
        "полдюжины" => Collective(6),
        "полдесятка" => Collective(5),
        "червонец" => Collective(10),
        "полсотенки" => Collective(50),
        "сотенка" | "сотенку" | "сотку" | "соточку" | "стольник" => {
            Collective(100)
        }
        "тысчонка" | "тысчонку" | "тыщонка" | "тыщонку" | "тысячка" | "тысячку" => {
            Collective(1000)
        }
        "пару" | "парочку" | "парочка" | "парочки" | "пара" => {
            Collective(2)
        }
        "двое" => Collective(2),
        "трое" => Collective(3),
        "четверо" => Collective(4),
        "пятнаха" | "пятнаху" | "пятнахи" => Piece::Named(15),
        "полтинник" | "полтос" | "полтиник" => Piece::Named(50),
        _ => return named(word).map(Piece::Named),
    })
}

/// A number said in words, in thousandths, in the place of a lexeme.
fn said(place: &Lexeme, value: i64) -> Lexeme {
    Lexeme {
        kind: Kind::Number,
        text: super::rank::decimal(value),
        value,
        spoken: true,
        dotted: false,
        ..place.clone()
    }
}

/// What a lexeme is of a number, in either alphabet: «dva rulona».
fn word_piece(lexeme: &Lexeme) -> Option<Piece> {
    if lexeme.text.chars().all(is_cyrillic) {
        piece(&lexeme.text).or_else(|| misspelt(&lexeme.text))
    } else {
        piece(&cyrillic(&lexeme.text)).filter(|_| lexeme.text.len() > 2)
    }
}

/// «Двадать», «пятдесят»: a number word with a slip.
fn misspelt(word: &str) -> Option<Piece> {
    const WORDS: &[&str] = &[
        "четыре",
        "восемь",
        "девять",
        "десять",
        "одиннадцать",
        "двенадцать",
        "тринадцать",
        "четырнадцать",
        "пятнадцать",
        "шестнадцать",
        "семнадцать",
        "восемнадцать",
        "девятнадцать",
        "двадцать",
        "тридцать",
        "пятьдесят",
        "шестьдесят",
        "семьдесят",
        "восемьдесят",
        "девяносто",
        "двести",
        "триста",
        "четыреста",
        "пятьсот",
        "шестьсот",
        "семьсот",
        "восемьсот",
        "девятьсот",
        "тысяча",
        "тысячу",
    ];
    const SHORTEST: usize = 5;
    let letters: Vec<char> = word.chars().collect();
    if letters.len() < SHORTEST {
        return None;
    }
    let alike = |other: &&&str| {
        other.starts_with(letters[0]) && (other.len() / 2).abs_diff(letters.len()) <= 1
    };
    let near = WORDS.iter().filter(alike).filter_map(|other| {
        let cost = distance(&letters, &other.chars().collect::<Vec<char>>(), 2)?;
        Some((cost, *other))
    });
    near.min().and_then(|(_, other)| piece(other))
}

/// How nouns begin that name a number: «сороковка», «двадцаточка».
const NOUNS: &[(&str, i64)] = &[
    ("единич", 1),
    ("дву", 2),
    ("двуш", 2),
    ("треш", 3),
    ("трешеч", 3),
    ("пятиш", 5),
    ("двой", 2),
    ("двоеч", 2),
    ("трой", 3),
    ("троеч", 3),
    ("четвер", 4),
    ("пятер", 5),
    ("пятероч", 5),
    ("шестер", 6),
    ("шестероч", 6),
    ("семер", 7),
    ("восьмер", 8),
    ("восьмероч", 8),
    ("девят", 9),
    ("десят", 10),
    ("двенадцат", 12),
    ("одиннадцат", 11),
    ("тринадцат", 13),
    ("четырнадцат", 14),
    ("двенаш", 12),
    ("пятнаш", 15),
    ("пятнадцат", 15),
    ("шестнаш", 16),
    ("восемнаш", 18),
    ("двадцаш", 20),
    ("тридцаш", 30),
    ("шестнадцат", 16),
    ("двадцат", 20),
    ("двадцаточ", 20),
    ("десяточ", 10),
    ("тридцаточ", 30),
    ("сороковоч", 40),
    ("восемнадцат", 18),
    ("двадцатипят", 25),
    ("тридцатидву", 32),
    ("тридцат", 30),
    ("сороков", 40),
    ("пятидесят", 50),
    ("полтин", 50),
    ("шестидесят", 60),
    ("семидесят", 70),
    ("восьмидесят", 80),
    ("девяност", 90),
    ("сот", 100),
    ("соточ", 100),
    ("двухсот", 200),
    ("трехсот", 300),
    ("пятисот", 500),
];

/// «сороковка», «восьмёрку», «двоечка», «восьмой», «девятнадцатая», «пятисотые».
fn named(word: &str) -> Option<i64> {
    const ORDINALS: &[(&str, i64)] = &[
        ("перв", 1),
        ("втор", 2),
        ("трет", 3),
        ("четверт", 4),
        ("пят", 5),
        ("шест", 6),
        ("седьм", 7),
        ("восьм", 8),
        ("девят", 9),
        ("десят", 10),
        ("одиннадцат", 11),
        ("двенадцат", 12),
        ("тринадцат", 13),
        ("четырнадцат", 14),
        ("пятнадцат", 15),
        ("шестнадцат", 16),
        ("семнадцат", 17),
        ("восемнадцат", 18),
        ("девятнадцат", 19),
        ("двадцат", 20),
        ("тридцат", 30),
        ("сороков", 40),
        ("пятидесят", 50),
        ("шестидесят", 60),
        ("семидесят", 70),
        ("восьмидесят", 80),
        ("девяност", 90),
        ("сот", 100),
        ("двухсот", 200),
        ("трехсот", 300),
        ("четырехсот", 400),
        ("пятисот", 500),
        ("шестисот", 600),
        ("семисот", 700),
        ("восьмисот", 800),
        ("девятисот", 900),
        ("тысячн", 1000),
    ];
    const NOUN_ENDINGS: &[&str] = &["ка", "ку", "ки", "кой", "ок"];
    const ADJECTIVE_ENDINGS: &[&str] = &[
        "ый", "ой", "ий", "ая", "ое", "ые", "ого", "ому", "ую", "ым", "ых", "ья", "ье", "ьи",
        "ьего", "ью",
    ];
    let by = |roots: &[(&str, i64)], endings: &[&str]| {
        endings.iter().find_map(|ending| {
            let root = word.strip_suffix(ending)?;
            roots.iter().find(|(r, _)| *r == root).map(|(_, n)| *n)
        })
    };
    // «восьмисотка»
    let hundreds = ORDINALS.iter().filter(|(_, n)| n % 100 == 0).copied().collect::<Vec<_>>();
    by(NOUNS, NOUN_ENDINGS)
        .or_else(|| by(ORDINALS, ADJECTIVE_ENDINGS))
        .or_else(|| by(&hundreds, NOUN_ENDINGS))
        .or_else(|| compound(word))
}

/// «Стодвадцатка», «двадцатипятый», «семидесятипятка»: a number whose greater part begins the word.
fn compound(word: &str) -> Option<i64> {
    const GREATER: &[(&str, i64)] = &[
        ("двадцати", 20),
        ("тридцати", 30),
        ("сорока", 40),
        ("пятидесяти", 50),
        ("шестидесяти", 60),
        ("семидесяти", 70),
        ("восьмидесяти", 80),
        ("девяносто", 90),
        ("сто", 100),
        ("двухсот", 200),
        ("трехсот", 300),
        ("четырехсот", 400),
        ("пятисот", 500),
    ];
    const LESSER: &[(&str, i64)] = &[("двуш", 2), ("пят", 5), ("шест", 6), ("восьм", 8)];
    let (rest, greater) =
        GREATER.iter().find_map(|(begun, n)| Some((word.strip_prefix(begun)?, *n)))?;
    let noun = rest.strip_suffix("ка").or_else(|| rest.strip_suffix("ку"));
    let lesser = noun.and_then(|root| LESSER.iter().find(|(r, _)| *r == root)).map(|(_, n)| *n);
    let lesser = lesser.or_else(|| named(rest))?;
    let step = if greater >= 100 { 100 } else { 10 };
    (lesser < step).then_some(greater + lesser)
}

/// Replaces number words by numbers. `knows` tells which values the catalogue has, for codes said
/// in pairs: «двадцать два сорок» is 2240 where there is a 2240.
#[expect(clippy::too_many_lines, reason = "one way to say a number a paragraph")]
pub(crate) fn replace(lexemes: &[Lexeme], knows: impl Fn(i64) -> bool) -> Vec<Lexeme> {
    let mut out: Vec<Lexeme> = Vec::with_capacity(lexemes.len());
    let mut i = 0;
    while i < lexemes.len() {
        // «ещё одно: …»
        if lexemes[i].text == "одно"
            && out.last().is_some_and(|l| matches!(l.text.as_str(), "еще" | "вот"))
            && lexemes.get(i + 1).is_none_or(|l| super::quantity::known_unit(&l.text).is_none())
        {
            i += 1;
            continue;
        }
        if let Some((letters, next)) = size_letters(lexemes, i) {
            let end = lexemes[next - 1].end;
            out.push(Lexeme { text: letters.into(), end, ..lexemes[i].clone() });
            i = next;
            continue;
        }
        // «10 дюжин», «5 десятков», «3 сотни»
        if lexemes[i].is_word()
            && let Some(last) = out.last_mut().filter(|n| n.is_number() && !n.spoken)
            && let Some(Piece::Collective(count)) = piece(&lexemes[i].text)
            && (may_be_counted(&lexemes[i].text) || lexemes[i].text == "дюжин")
        {
            last.value = last.value.saturating_mul(count);
            last.text = super::rank::decimal(last.value);
            last.end = lexemes[i].end;
            last.spoken = true;
            i += 1;
            continue;
        }
        let inches = inches_at(lexemes, i).is_some();
        if let Some((number, next)) = number_at(lexemes, i).filter(|_| !inches) {
            let (number, next) = with_tenths(lexemes, (number, next), &out, &knows);
            let stop = lexemes[next - 1].dotted.then(|| Lexeme {
                kind: Kind::Mark('.'),
                text: String::new(),
                start: number.end,
                end: number.end + 1,
                spaced: false,
                ..lexemes[next - 1].clone()
            });
            push(&mut out, number, &knows);
            out.extend(stop);
            i = next;
            continue;
        }
        if let Some((word, next)) = spelt_letters(lexemes, i) {
            let end = lexemes[next - 1].end;
            out.push(Lexeme { text: word, end, ..lexemes[i].clone() });
            i = next;
            continue;
        }
        let lexeme = &lexemes[i];
        // «тэ двадцать два» is Т22, and so is «т двадцать два» where no number is before it.
        let alone = matches!(lexeme.text.as_str(), "м" | "т")
            && !lexeme.dotted
            && out.last().is_some_and(Lexeme::is_word);
        let alone = lexeme.text.chars().next().filter(|_| alone);
        let letter = letter(&lexeme.text).or(alone);
        if let Some(letter) = letter
            && let Some((number, next)) = number_at(lexemes, i + 1)
        {
            out.push(Lexeme { text: letter.into(), ..lexeme.clone() });
            out.push(Lexeme { named: true, spaced: false, ..number });
            i = next;
            continue;
        }
        if let Some((thousandths, next)) = inches_at(lexemes, i) {
            let end = lexemes[next - 1].end;
            out.push(Lexeme { end, named: true, ..said(lexeme, thousandths) });
            out.push(Lexeme {
                kind: Kind::Mark('"'),
                text: String::new(),
                start: end,
                end,
                spaced: false,
                dotted: false,
                ..lexeme.clone()
            });
            i = next;
            continue;
        }
        // «стометровая», «двухлитровый»
        if lexeme.is_word()
            && let Some((value, unit)) = measured(&lexeme.text)
        {
            out.push(Lexeme { named: true, ..said(lexeme, value) });
            out.push(Lexeme { text: unit.into(), spaced: false, ..lexeme.clone() });
            i += 1;
            continue;
        }
        // «сироп литр шесть бутылок»: a litre is one litre.
        if lexeme.is_word()
            && matches!(lexeme.text.as_str(), "литр" | "килограмм" | "килограммовый" | "кило")
            && (!out.last().is_some_and(Lexeme::is_number) || is_sized(&out))
            && (!lexemes.get(i + 1).is_some_and(Lexeme::is_number)
                || i + 2 == lexemes.len()
                || super::quantity::unit_at(lexemes, i + 2).is_some_and(|u| u.0.counts()))
            && !matches!(out.last().map(|l| l.text.as_str()), Some("по" | "за" | "на"))
        {
            let unit = if lexeme.text == "литр" { "л" } else { "кг" };
            out.push(said(lexeme, 1000));
            out.push(Lexeme { text: unit.into(), spaced: false, ..lexeme.clone() });
            i += 1;
            continue;
        }
        // «два на метр» is 2×1.
        if lexeme.text == "метр"
            && matches!(out.last().map(|l| l.text.as_str()), Some("на"))
            && out.iter().rev().nth(1).is_some_and(|l| l.is_number() && l.spoken)
        {
            out.push(said(lexeme, 1000));
            i += 1;
            continue;
        }
        // «метр шестьдесят» is 1,6 м.
        if lexeme.text == "метр"
            && !out.last().is_some_and(Lexeme::is_number)
            && let Some((tens, next)) = number_at(lexemes, i + 1)
            && (10_000..100_000).contains(&tens.value)
            && !super::quantity::unit_at(lexemes, next).is_some_and(|(unit, _)| unit.counts())
            && !tens.named
        {
            let value = 1000 + tens.value / 100;
            out.push(Lexeme {
                text: super::rank::decimal(value),
                value,
                start: lexeme.start,
                named: true,
                spaced: lexeme.spaced,
                ..tens
            });
            out.push(Lexeme { text: "м".into(), spaced: false, ..lexeme.clone() });
            i = next;
            continue;
        }
        // «полкоробки», «пол-литра», «полцентнера»
        if lexeme.is_word()
            && let Some(rest) = lexeme.text.strip_prefix("пол")
        {
            let (unit, taken) =
                if rest.is_empty() && lexemes.get(i + 1).is_some_and(|d| d.is('-') && !d.spaced) {
                    (lexemes.get(i + 2).map_or("", |l| l.text.as_str()), 3)
                } else {
                    (rest, 1)
                };
            let known = super::quantity::known_unit(unit).is_some()
                || super::quantity::lesser_unit(unit).is_some();
            if unit.chars().count() >= 4 && known {
                let end = lexemes[i + taken - 1].end;
                out.push(said(lexeme, 500));
                out.push(Lexeme { text: unit.to_owned(), spaced: false, end, ..lexeme.clone() });
                i += taken;
                continue;
            }
        }
        // «2 с половиной»
        if lexeme.text == "с"
            && out.last().is_some_and(Lexeme::is_number)
            && lexemes.get(i + 1).is_some_and(|l| l.text.starts_with("половин"))
            && let Some(last) = out.last_mut()
        {
            last.value += 500;
            last.end = lexemes[i + 1].end;
            i += 2;
            continue;
        }
        // «8ка», «300й», «20-ка»
        if lexeme.is_word()
            && is_suffix(&lexeme.text)
            && out.last().is_some_and(|n| n.is_number() && !n.spoken)
            && !lexeme.spaced
            && let Some(last) = out.last_mut()
        {
            last.named = true;
            last.end = lexeme.end;
            i += 1;
            continue;
        }
        if lexeme.is('-')
            && !lexeme.spaced
            && out.last().is_some_and(|n| n.is_number() && !n.spoken)
            && lexemes.get(i + 1).is_some_and(|w| {
                w.is_word() && !w.spaced && (is_suffix(&w.text) || many_of(lexemes, i + 1))
            })
            && let Some(last) = out.last_mut()
        {
            last.named = true;
            last.end = lexemes[i + 1].end;
            i += 2;
            continue;
        }
        // «ДСП-шка»
        if lexeme.is('-')
            && !lexeme.spaced
            && out.last().is_some_and(|w| w.is_word() && !w.dotted)
            && lexemes.get(i + 1).is_some_and(|w| {
                !w.spaced && matches!(w.text.as_str(), "шка" | "шки" | "шку" | "шек" | "шкой")
            })
            && let Some(last) = out.last_mut()
        {
            last.end = lexemes[i + 1].end;
            i += 2;
            continue;
        }
        // «5-литровый», «10-килограммовых»
        if lexeme.is('-')
            && !lexeme.spaced
            && let Some(word) = lexemes.get(i + 1).filter(|w| w.is_word() && !w.spaced)
            && let Some((1000, unit)) = measured(&word.text)
            && let Some(last) = out.last_mut().filter(|n| n.is_number() && !n.spoken)
        {
            last.named = true;
            out.push(Lexeme { text: unit.into(), spaced: false, ..word.clone() });
            i += 2;
            continue;
        }
        // «4 тыс», «4т.шт», «2 тысячи»
        if lexeme.is_word()
            && let Some(last) = out.last_mut()
            && last.is_number()
            && !last.spoken
        {
            // «30 тыщи две»: the thousands are of the two.
            let thousands = matches!(piece(&lexeme.text), Some(Piece::Thousand(form))
                if form != Form::Few || matches!(last.value / 1000 % 10, 2..=4));
            let pieces =
                lexeme.text == "т" && lexemes.get(i + 1).is_some_and(|w| w.text.starts_with("шт"));
            // «2т» at the end is two thousand: tonnes are written out.
            // «190*30*48т» has so many teeth.
            let sized = i > 1 && lexemes[i - 2].is('x');
            let lone = lexeme.text == "т"
                && !sized
                && !lexeme.spaced
                && last.value <= 100_000
                && lexemes.get(i + 1).is_none_or(|l| !l.is_word() && !l.is_number());
            let thousands = thousands || lone;
            let short = matches!(lexeme.text.as_str(), "тшт" | "т/шт" | "tys");
            if thousands || pieces || short {
                last.value = last.value.saturating_mul(1000);
                last.text = format!("{}000", last.text);
                last.end = lexeme.end;
                last.named = false;
                last.spoken = true;
                i += 1;
                if short && lexeme.text != "tys" {
                    out.push(Lexeme { text: "шт".into(), ..lexeme.clone() });
                }
                continue;
            }
        }
        out.push(lexeme.clone());
        i += 1;
    }
    out
}

/// «Четыре восемь на четыреста», «три на два пять белый»: a number of a size and its tenths, where
/// the catalogue has such a one.
fn with_tenths(
    lexemes: &[Lexeme],
    (number, next): (Lexeme, usize),
    before: &[Lexeme],
    knows: &impl Fn(i64) -> bool,
) -> (Lexeme, usize) {
    let plain = |n: &Lexeme| !n.named && n.value % 1000 == 0;
    let crossed = before.last().is_some_and(|l| l.text == "на" || l.is('x'));
    let most = if crossed { 100_000 } else { 10_000 };
    if !plain(&number) || !(1000..most).contains(&number.value) {
        return (number, next);
    }
    let Some((tenths, end)) = number_at(lexemes, next) else { return (number, next) };
    let value = number.value + tenths.value / 10;
    let text = lexemes.get(end).map_or("", |l| l.text.as_str());
    let goes_on = matches!(text, "на" | "мм") || crossed && end < lexemes.len();
    if plain(&tenths)
        && (1000..10_000).contains(&tenths.value)
        && goes_on
        && super::quantity::known_unit(text).is_none_or(|_| text == "мм")
        && knows(value)
    {
        let text = super::rank::decimal(value);
        return (Lexeme { value, text, end: tenths.end, ..number }, end);
    }
    (number, next)
}

/// Inches said as fractions, «три четверти», «одна вторая», «дюйм с четвертью», «полдюйма»: how many
/// thousandths of an inch, and where it ends.
fn inches_at(lexemes: &[Lexeme], at: usize) -> Option<(i64, usize)> {
    let text = |at: usize| lexemes.get(at).filter(|l| l.is_word()).map_or("", |l| l.text.as_str());
    let inch = |at: usize| usize::from(text(at).starts_with("дюйм"));
    let parts = |word: &str| match word {
        "вторая" | "вторую" | "вторых" => Some(2),
        "четверть" | "четверти" | "четвертая" | "четвертую" | "четвертых" => {
            Some(4)
        }
        "восьмая" | "восьмую" | "восьмых" => Some(8),
        _ => None,
    };
    let fraction = |at: usize| {
        let count = match text(at) {
            "одна" | "одну" => 1,
            "три" => 3,
            "пять" => 5,
            "семь" => 7,
            _ => return None,
        };
        let parts = parts(text(at + 1)).filter(|parts| *parts > count)?;
        Some((count * 1000 / parts, at + 2))
    };
    let after_whole = |at: usize| match (text(at), text(at + 1)) {
        ("с", "четвертью") => Some((250, at + 2)),
        ("с", "половиной") => Some((500, at + 2)),
        ("и", _) | ("с", "тремя") => fraction(at + 1),
        _ => fraction(at),
    };
    if inch(at) == 1
        && text(at).chars().count() <= 5
        && !at.checked_sub(1).is_some_and(|b| lexemes[b].is_number())
    {
        let (more, next) = after_whole(at + 1).unwrap_or((0, at + 1));
        return Some((1000 + more, next));
    }
    if text(at) == "полдюйма" {
        return Some((500, at + 1));
    }
    if text(at) == "пол" && inch(at + 1) == 1 {
        return Some((500, at + 2));
    }
    let (thousandths, next) = fraction(at)?;
    Some((thousandths, next + inch(next)))
}

/// Whether the last number is a part of a size: «3,5х35».
fn is_sized(lexemes: &[Lexeme]) -> bool {
    matches!(lexemes, [.., cross, number] if number.is_number() && cross.is('x'))
}

/// The letters of a size that are said after «размер», «эс», «икс эль», and where they end.
fn size_letters(lexemes: &[Lexeme], at: usize) -> Option<(&'static str, usize)> {
    let text = |at: usize| lexemes.get(at).map_or("", |l| l.text.as_str());
    if at == 0 || !text(at - 1).starts_with("размер") {
        return None;
    }
    Some(match (text(at), text(at + 1)) {
        ("икс" | "экс", "эс") => ("xs", at + 2),
        ("икс" | "экс", "эль" | "эл") => ("xl", at + 2),
        ("эс", _) => ("s", at + 1),
        ("эм", _) => ("m", at + 1),
        ("эль" | "эл", _) => ("l", at + 1),
        _ => return None,
    })
}

/// Several letters that are said one by one before a number, «эс тэ двадцать два», as one word, and
/// where they end.
fn spelt_letters(lexemes: &[Lexeme], at: usize) -> Option<(String, usize)> {
    let named = |l: &Lexeme| named_letter(&l.text).or_else(|| letter(&l.text));
    let letters: String = lexemes[at..].iter().map_while(named).collect();
    let count = letters.chars().count();
    (count > 1 && number_at(lexemes, at + count).is_some()).then_some((letters, at + count))
}

/// The letter that a word names where a number follows: «эм восемь», «эфка пятьдесят».
fn letter(word: &str) -> Option<char> {
    Some(match word.strip_suffix("ка").unwrap_or(word) {
        "бэ" => 'б',
        "вэ" => 'в',
        "гэ" => 'г',
        "дэ" => 'д',
        "пэ" => 'п',
        "тэ" => 'т',
        "цэ" => 'ц',
        "эм" => 'м',
        "эн" => 'n',
        "эр" => 'р',
        "эс" => 'с',
        "эф" => 'ф',
        _ => return None,
    })
}

/// «1200-х пару»: of the twelve hundreds. «На 4-х кольцах» tells what there are four of.
fn many_of(lexemes: &[Lexeme], at: usize) -> bool {
    matches!(lexemes[at].text.as_str(), "х" | "ых" | "x")
        && lexemes.get(at + 1).is_none_or(|next| {
            !next.is_word()
                || next.text == "и"
                || word_piece(next).is_some()
                || super::quantity::known_unit(&next.text).is_some()
        })
}

fn is_suffix(word: &str) -> bool {
    matches!(
        word,
        "ка" | "ку"
            | "ки"
            | "кой"
            | "й"
            | "ый"
            | "ой"
            | "я"
            | "ая"
            | "ная"
            | "ной"
            | "ный"
            | "ные"
            | "ную"
            | "ых"
            | "ю"
            | "ую"
            | "ые"
            | "е"
            | "го"
            | "ого"
    )
}

fn push(out: &mut Vec<Lexeme>, number: Lexeme, knows: &impl Fn(i64) -> bool) {
    let tens = |l: &Lexeme| l.spoken && !l.named && (10_000..100_000).contains(&l.value);
    if tens(&number) && out.len() >= 2 && out[out.len() - 2].is_word() {
        let last = out.len() - 1;
        let joined = out[last].value * 100 + number.value;
        if tens(&out[last]) && knows(joined) {
            out[last].value = joined;
            out[last].text = (joined / 1000).to_string();
            out[last].end = number.end;
            return;
        }
    }
    out.push(number);
}

/// The number in words that begins at a lexeme, and where it ends.
fn number_at(lexemes: &[Lexeme], start: usize) -> Option<(Lexeme, usize)> {
    let word = |i: usize| -> Option<Piece> {
        let lexeme = lexemes.get(i)?;
        if !lexeme.is_word() || (i > start && lexemes[i - 1].dotted) {
            return None;
        }
        word_piece(lexeme)
    };
    let floor = |l: &Lexeme| l.text.starts_with("тепл") || l.text.starts_with("наливн");
    let half = &lexemes.get(start)?;
    if half.text == "пол"
        && (half.dotted
            || start > 0 && floor(&lexemes[start - 1])
            || !lexemes.get(start + 1).is_some_and(Lexeme::is_word))
    {
        return None;
    }
    let first = word(start)?;
    // «Шина ноль на 8»: a zero by itself is a name.
    let goes_on =
        word(start + 1).is_some() || lexemes.get(start + 1).is_some_and(|l| l.text == "и");
    if first == Piece::Cardinal(0) && !goes_on {
        return None;
    }
    let make = |value: i64, end: usize, named: bool| Lexeme {
        end: lexemes[end - 1].end,
        named,
        ..said(&lexemes[start], value)
    };
    let (total, next, mut named) = match first {
        Piece::Named(n) => return Some((make(n * 1000, start + 1, true), start + 1)),
        // «Клей десятка»; «два десятка» are counted.
        Piece::Collective(10) if lexemes[start].text == "десятка" => {
            return Some((make(10_000, start + 1, true), start + 1));
        }
        Piece::Collective(n) => {
            // «пару сотен», «пара тысяч»
            let (times, next) = match word(start + 1) {
                Some(Piece::Collective(m)) if m >= 10 => (m, start + 2),
                Some(Piece::Thousand(_)) => (1000, start + 2),
                _ => (1, start + 1),
            };
            // «20 пар», «перчатки пара»: a unit.
            let pair = matches!(lexemes[start].text.as_str(), "пара");
            if pair
                && times == 1
                && lexemes
                    .get(start + 1)
                    .is_none_or(|l| super::quantity::known_unit(&l.text).is_none())
            {
                return None;
            }
            return Some((make(n * times * 1000, next, false), next));
        }
        Piece::Fraction(thousandths) => {
            return Some(match word(start + 1) {
                // «полтора десятка», «пол тысячи»
                Some(Piece::Collective(n)) => (make(thousandths * n, start + 2, false), start + 2),
                Some(Piece::Thousand(_)) => (make(thousandths * 1000, start + 2, false), start + 2),
                _ => (make(thousandths, start + 1, false), start + 1),
            });
        }
        Piece::Thousand(form @ (Form::Few | Form::Many)) => {
            // «тыщи две», «тысяч пять», but «30 тысяч»
            let before = start.checked_sub(1).map(|b| &lexemes[b]).filter(|l| l.is_number());
            let own =
                before.is_some_and(|n| form == Form::Many || matches!(n.value / 1000 % 10, 2..=4));
            return match word(start + 1) {
                Some(Piece::Cardinal(n @ 2..=99)) if !own => {
                    Some((make(n * 1_000_000, start + 2, false), start + 2))
                }
                _ => None,
            };
        }
        _ => cardinal(&word, start),
    };
    let mut next = next;
    let mut value = total * 1000;
    let text = |i: usize| lexemes.get(i).map(|l| l.text.as_str());
    if let Some(Piece::Collective(n)) = word(next)
        && total > 0
        && may_be_counted(&lexemes[next].text)
    {
        // «три десятка», «пять сотен»
        return Some((make(total * n * 1000, next + 1, false), next + 1));
    }
    if text(next) == Some("с") && text(next + 1).is_some_and(|t| t.starts_with("половин")) {
        value += 500;
        next += 2;
    } else if total == 0
        && let Some(told) = after_zero(lexemes, &word, start, next)
    {
        (value, next, named) = told;
    } else if (1..10).contains(&total)
        && text(next) == Some("и")
        && let Some(Piece::Cardinal(n @ 1..=9)) = word(next + 1)
        && !matches!(word(next + 2), Some(Piece::Thousand(_)))
        && text(next + 2).is_none_or(|t| super::quantity::known_unit(t).is_none())
    {
        value += n * 100;
        next += 2;
    }
    Some((make(value, next, named), next))
}

/// Whether a collective is in a form in which it is counted, «три сотни», and none by itself: «на сто
/// двадцать сотню».
fn may_be_counted(word: &str) -> bool {
    matches!(word, "десятка" | "десятков" | "дюжины" | "сотни" | "сотен")
}

/// What a zero that was said begins: its value in thousandths, where it ends, and whether it is a
/// name.
fn after_zero(
    lexemes: &[Lexeme],
    word: &impl Fn(usize) -> Option<Piece>,
    start: usize,
    next: usize,
) -> Option<(i64, usize, bool)> {
    let text = |i: usize| lexemes.get(i).map(|l| l.text.as_str());
    // «ноль и пять»
    if text(next) == Some("и")
        && let Some(Piece::Cardinal(n @ 1..=9)) = word(next + 1)
    {
        return Some((n * 100, next + 2, false));
    }
    match past_zeros(word, next)? {
        (Piece::Cardinal(10..=90), after) => match cardinal(word, after) {
            // «ноль семьдесят пять»
            (hundredths @ 10..=99, end, false) => Some((hundredths * 10, end, false)),
            // «ноль двадцать четвёртый» is a model.
            (model @ 10..=99, end, true) => Some((model * 1000, end, true)),
            _ => None,
        },
        (Piece::Cardinal(n @ 1..=9), after) => {
            // «ноль четыре на девятнадцать» is a size; «ноль три» is a number of a model.
            let before = start.checked_sub(1).and_then(text);
            let goes_on = before.is_some_and(|t| Measure::read(t, false).is_some());
            let size = goes_on || matches!(text(after + 1), Some("на" | "мм"));
            Some((if size { n * 100 } else { n * 1000 }, after + 1, false))
        }
        _ => None,
    }
}

/// «ноль ноль пять»: the number after more zeros, and where it stands.
fn past_zeros(word: &impl Fn(usize) -> Option<Piece>, mut at: usize) -> Option<(Piece, usize)> {
    while word(at) == Some(Piece::Cardinal(0)) {
        at += 1;
    }
    word(at).map(|piece| (piece, at))
}

/// Reads «тысяча двести двадцать пять»; the last word may be an ordinal: «двадцать третий».
fn cardinal(word: &dyn Fn(usize) -> Option<Piece>, start: usize) -> (i64, usize, bool) {
    let mut total = 0_i64;
    let mut part = 0_i64;
    let mut least = i64::MAX; // the magnitude that the next word must be below
    let mut i = start;
    let mut thousands = false;
    while let Some(found) = word(i) {
        match found {
            Piece::Cardinal(n) => {
                let size = if n >= 100 {
                    100
                } else if n >= 20 {
                    20
                } else {
                    1
                };
                if n == 0 && i > start || size >= least || (least == 20 && n >= 10) {
                    break;
                }
                part += n;
                least = if (10..20).contains(&n) { 1 } else { size };
                if n == 0 {
                    i += 1;
                    break;
                }
            }
            Piece::Thousand(form) => {
                let agrees = match (part % 100, part % 10) {
                    (0, 0) if part == 0 => form == Form::One,
                    (11..=19, _) => form == Form::Many,
                    (_, 1) => form == Form::One,
                    (_, 2..=4) => form == Form::Few,
                    _ => form == Form::Many,
                };
                if thousands || !agrees {
                    break;
                }
                total = part.max(1) * 1000;
                part = 0;
                least = i64::MAX;
                thousands = true;
            }
            Piece::Named(n) => {
                // «двадцать третий», «восемьдесят восьмой»
                if i > start && (n < 10 && least > 1 || n < 100 && least == 100) && least < 1000 {
                    return (total + part + n, i + 1, true);
                }
                break;
            }
            Piece::Fraction(_) | Piece::Collective(_) => break,
        }
        i += 1;
    }
    (total + part, i.max(start + 1), false)
}

#[cfg(test)]
mod tests {
    use super::super::lexer::lex;
    use super::super::normalize::Chars;
    use super::*;

    #[expect(clippy::cast_precision_loss, reason = "the numbers of titles are small")]
    fn shown(text: &str) -> String {
        let shown = replace(&lex(&Chars::new(text)), |v| [2_240_000, 4_800, 2_500].contains(&v))
            .into_iter()
            .map(|l| match l.kind {
                Kind::Word => l.text,
                Kind::Number => {
                    format!("{}{}", l.value as f64 / 1000.0, if l.named { "!" } else { "" })
                }
                Kind::Mark(c) => c.to_string(),
            });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn numbers_in_words_are_read_as_people_group_them() {
        for (text, expected) in [
            ("скоба восемьдесят на шесть десять упаковок", "скоба 80 на 6 10 упаковок"),
            ("эль двадцать два сорок сороковку", "эль 2240 40!"),
            ("тысяча десять на сорок два комплекта", "1010 на 42 комплекта"),
            ("семь на пятьдесят тысяча", "7 на 50 1000"),
            ("две тысячи штук", "2000 штук"),
            ("два с половиной метра", "2.5 метра"),
            ("полтора десятка", "15"),
            ("ноль четыре на девятнадцать", "0.4 на 19"),
            ("еврокнижка ноль три", "еврокнижка 3"),
            ("клей ноль семьдесят пять шесть банок", "клей 0.75 6 банок"),
            ("три метра ноль шесть пятьдесят штук", "3 метра 0.6 50 штук"),
            ("тэ двадцать два пятьдесят штук", "т 22! 50 штук"),
            ("восемьдесят восьмой десять литров", "88! 10 литров"),
            ("четыреста пятьдесят двадцать комплектов", "450 20 комплектов"),
            ("фанера 8ка 300й", "фанера 8! 300!"),
            ("4т.шт", "4000 шт"),
            ("0,5 тыс", "500"),
            ("двп два и пять десять листов", "двп 2.5 10 листов"),
            ("девятнадцатая пятисотые", "19! 500!"),
            ("болт м шесть на шестьдесят", "болт м 6! на 60"),
            ("короб бурый т двадцать четыре три штуки", "короб бурый т 24! 3 штуки"),
            ("труба 5 м два рулона", "труба 5 м 2 рулона"),
            ("лампа ноль и пять литра", "лампа 0.5 литра"),
            ("хомут четыре восемь на четыреста", "хомут 4.8 на 400"),
            ("кабель три на два пять белый", "кабель 3 на 2.5 белый"),
            ("кабель три на два пять метров", "кабель 3 на 2 5 метров"),
            ("кабель три на два шесть белый", "кабель 3 на 2 6 белый"),
            ("кран три четверти пять штук", "кран 0.75! \" 5 штук"),
            ("муфта одна вторая", "муфта 0.5! \""),
            ("кран полдюйма два", "кран 0.5! \" 2"),
            ("кран дюйм с четвертью", "кран 1.25! \""),
            ("кран дюйм три штуки", "кран 1! \" 3 штуки"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
