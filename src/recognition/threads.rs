//! Pipe threads as people write them: which side a thread is on, «В/Н», «ВР-НР», «вн.-нар.», «г/ш»,
//! and inches with a fraction, «1 1/4», «1.1/4».
//!
//! Source: ГОСТ 6357-81, pipe threads; their sides are words of the language, cut in every way.

use super::lexer::{Kind, Lexeme};

/// A thread inside.
const INSIDE: &str = "вр";
/// A thread outside.
const OUTSIDE: &str = "нр";

/// Whether a word is of a thread's side as [`joined`] writes it.
pub(crate) fn is_side(word: &str) -> bool {
    matches!(word, "вр" | "нр" | "вр/вр" | "вр/нр" | "нр/нр")
}

/// Whether a word is a thread's side, however it is cut.
pub(crate) fn names_side(word: &str) -> bool {
    side(word).is_some()
}

/// The side that a word says when another such word, or a thread, is beside it.
fn side(word: &str) -> Option<&'static str> {
    match word {
        "в" | "вр" | "вн" | "внутр" | "г" | "гайка" | "мама" => Some(INSIDE),
        "н" | "нр" | "нар" | "наруж" | "наружн" | "ш" | "штуцер" | "папа" => {
            Some(OUTSIDE)
        }
        _ => None,
    }
}

/// The side that a word says beside a thread or before «резьба».
fn lone_side(word: &str) -> Option<&'static str> {
    if matches!(word, "вр" | "вн") || word.starts_with("внутр") {
        Some(INSIDE)
    } else if matches!(word, "нр" | "нар") || word.starts_with("наруж") {
        Some(OUTSIDE)
    } else {
        None
    }
}

/// Two sides as one word, in one order.
fn pair(one: &str, two: &str) -> &'static str {
    match (one == INSIDE, two == INSIDE) {
        (true, true) => "вр/вр",
        (false, false) => "нр/нр",
        _ => "вр/нр",
    }
}

/// Lexemes with every notation of a thread's side, and of inches with a fraction, made one.
pub(crate) fn joined(lexemes: Vec<Lexeme>) -> Vec<Lexeme> {
    let tells = |l: &Lexeme| l.is_word() && (l.text.contains('/') || sided(&l.text).is_some());
    let fraction = |at: usize| lexemes[at].is('/') && at > 0 && lexemes[at - 1].is_number();
    if !lexemes.iter().any(tells) && !(0..lexemes.len()).any(fraction) {
        return lexemes;
    }
    let mut out: Vec<Lexeme> = Vec::with_capacity(lexemes.len());
    let mut at = 0;
    while at < lexemes.len() {
        let lexeme = &lexemes[at];
        if lexeme.is_word()
            && let Some((text, taken)) = sides(&lexemes, at)
        {
            out.push(Lexeme {
                text: text.to_owned(),
                end: lexemes[at + taken - 1].end,
                dotted: false,
                upper: false,
                ..lexeme.clone()
            });
            at += taken;
        } else if lexeme.is_number()
            && let Some((number, taken)) = inches(&lexemes, at)
        {
            let end = number.end;
            out.push(number);
            at += taken;
            if !lexemes.get(at).is_some_and(|l| l.is('"')) {
                let inch = Kind::Mark('"');
                out.push(Lexeme { kind: inch, start: end, end, spaced: false, ..lexeme.clone() });
            }
        } else {
            out.push(lexeme.clone());
            at += 1;
        }
    }
    out
}

/// The side of any notation.
fn sided(word: &str) -> Option<&'static str> {
    side(word).or_else(|| lone_side(word))
}

/// The side or the sides that begin here, and how many lexemes say them.
fn sides(lexemes: &[Lexeme], at: usize) -> Option<(&'static str, usize)> {
    let lexeme = &lexemes[at];
    if let Some((one, two)) = lexeme.text.split_once('/') {
        return Some((pair(side(one)?, side(two)?), 1));
    }
    // «Внутренняя/наружная»
    if let Some([slash, other]) = lexemes.get(at + 1..at + 3)
        && slash.is('/')
        && !slash.spaced
        && !other.spaced
        && let Some((one, two)) = lone_side(&lexeme.text).zip(lone_side(&other.text))
    {
        return Some((pair(one, two), 3));
    }
    let threaded = at > 0 && is_thread(lexemes, at - 1);
    match lexeme.text.as_str() {
        "вв" if threaded => return Some((pair(INSIDE, INSIDE), 1)),
        "нн" if threaded => return Some((pair(OUTSIDE, OUTSIDE), 1)),
        _ => {}
    }
    let one = sided(&lexeme.text)?;
    let word = |at: usize| lexemes.get(at).filter(|l| l.is_word());
    let tight = |at: usize| lexemes.get(at).is_some_and(|l| !l.spaced);
    let joint = lexemes.get(at + 1).is_some_and(|l| l.is('/') || l.is('-'));
    if joint
        && tight(at + 1)
        && tight(at + 2)
        && let Some(two) = word(at + 2).and_then(|l| side(&l.text))
        && side(&lexeme.text).is_some()
        && !lexemes.get(at + 3).is_some_and(|l| l.is_number() && !l.spaced)
    {
        return Some((pair(one, two), 3));
    }
    // «гайка штуцер»
    let full = |text: &str| matches!(text, "гайка" | "штуцер" | "мама" | "папа");
    if full(&lexeme.text)
        && let Some(two) = word(at + 1).filter(|l| full(&l.text)).and_then(|l| side(&l.text))
    {
        return Some((pair(one, two), 2));
    }
    // «1/2 г г»: letters said one by one.
    let letter = |l: &Lexeme| matches!(l.text.as_str(), "в" | "н" | "г" | "ш") && !l.dotted;
    if letter(lexeme)
        && at > 0
        && is_thread(lexemes, at - 1)
        && let Some(two) = word(at + 1).filter(|l| letter(l)).and_then(|l| side(&l.text))
    {
        return Some((pair(one, two), 2));
    }
    let thread = |l: &Lexeme| l.text == "р" || l.text == "рез" || l.text.starts_with("резьб");
    if let Some(side) = lone_side(&lexeme.text)
        && word(at + 1).is_some_and(thread)
    {
        return Some((side, 2));
    }
    let after = at > 0 && is_thread(lexemes, at - 1);
    if let Some(side) = lone_side(&lexeme.text).filter(|_| after) {
        return Some((side, 1));
    }
    // «Муфта В PPR 20-3/4», «25х3/4 (Н)», «3/4 н»
    let letter = matches!(lexeme.text.as_str(), "в" | "н");
    let bracketed =
        at > 0 && lexemes[at - 1].is('(') && lexemes.get(at + 1).is_some_and(|l| l.is(')'));
    let after = after || bracketed && at > 1 && is_thread(lexemes, at - 2);
    // «3/4 в наличии», «3/4 в 2 коробки», «3/4 н 5 шт»: «н» is no preposition.
    let ends = word(at + 1).is_none()
        && (lexeme.text == "н" || !lexemes.get(at + 1).is_some_and(Lexeme::is_number));
    let alone = lexeme.text == "н" && lexeme.spaced && at > 0 && lexemes[at - 1].is_word();
    let alone = alone && lexemes.get(at + 1).is_some_and(|l| l.spaced);
    let stands = lexeme.upper && at > 0 && lexemes[at - 1].is_word() && lexeme.spaced;
    let capital = lexeme.upper && (bracketed || stands && !lexemes[at - 1].dotted);
    (letter
        && !lexeme.dotted
        && (after && (ends || lexeme.upper) || (capital || alone) && on_line(lexemes, at)))
    .then_some((one, 1))
}

/// Whether a pipe thread ends here: «3/4», «1"», or an inch or two by themselves.
fn is_thread(lexemes: &[Lexeme], at: usize) -> bool {
    let lexeme = &lexemes[at];
    let whole = lexeme.is_number() && matches!(lexeme.value, 1000 | 2000);
    lexeme.is('"') || lexeme.text.starts_with("дюйм") || is_fraction(lexemes, at) || whole
}

/// Whether the lower number of a fraction of an inch is here.
fn is_fraction(lexemes: &[Lexeme], at: usize) -> bool {
    at >= 2
        && lexemes[at - 1].is('/')
        && !lexemes[at - 1].spaced
        && !lexemes[at].spaced
        && lexemes[at - 2].is_number()
        && part(lexemes[at - 2].value, lexemes[at].value).is_some()
}

/// Whether there is a thread on the line.
fn on_line(lexemes: &[Lexeme], at: usize) -> bool {
    let from = lexemes[..at].iter().rposition(|l| l.is('\n')).map_or(0, |n| n + 1);
    let to = lexemes[at..].iter().position(|l| l.is('\n')).map_or(lexemes.len(), |n| at + n);
    (from..to).any(|at| lexemes[at].is('"') || is_fraction(lexemes, at))
}

/// A fraction of an inch in thousandths.
fn part(upper: i64, lower: i64) -> Option<i64> {
    let whole = upper % 1000 == 0 && lower % 1000 == 0;
    let (upper, lower) = (upper / 1000, lower / 1000);
    (whole && matches!(lower, 2 | 4 | 8) && upper < lower && upper % 2 == 1)
        .then(|| upper * 1000 / lower)
}

/// «3/4», «1 1/4», «1.1/4»: inches as one number, and how many lexemes say it.
fn inches(lexemes: &[Lexeme], at: usize) -> Option<(Lexeme, usize)> {
    let first = &lexemes[at];
    let value = |at: usize| lexemes.get(at).filter(|l| l.is_number()).map(|l| l.value);
    let slash = |at: usize| lexemes.get(at).is_some_and(|l| l.is('/'));
    // «1/50/1000» and «2/4» are no inches.
    let fraction = |at: usize| {
        let tight = slash(at + 1) && lexemes[at + 1..].iter().take(2).all(|l| !l.spaced);
        let alone = !slash(at + 3) && (at == 0 || !slash(at - 1));
        part(value(at)?, value(at + 2)?).filter(|_| tight && alone)
    };
    let whole = |value: i64| (1000..=6000).contains(&value) && value % 1000 == 0;
    let (value, last) = if let Some(part) = fraction(at) {
        (part, at + 2)
    } else if let Some((one, two)) = first.text.split_once('.') {
        let (one, upper) = (one.parse::<i64>().ok()? * 1000, two.parse::<i64>().ok()? * 1000);
        let tight = slash(at + 1) && lexemes[at + 1..].iter().take(2).all(|l| !l.spaced);
        (one + part(upper, value(at + 2)?).filter(|_| whole(one) && tight)?, at + 2)
    } else {
        // «1 1/2 крана» at the beginning is one of half an inch.
        // «16х2 3/4» is a pipe and its thread, «75х2 1/2» and «40х1 1/4» are not.
        let pipe = |l: &Lexeme| l.is_number() && (10_000..40_000).contains(&l.value);
        let walled = first.value >= 2000 && at > 1;
        let crossed = walled && lexemes[at - 1].is('x') && pipe(&lexemes[at - 2]);
        let inner = at > 0 && !lexemes[at - 1].is('\n') && !crossed && whole(first.value);
        (first.value + fraction(at + 1).filter(|_| inner)?, at + 3)
    };
    let text = super::rank::decimal(value);
    Some((Lexeme { value, text, end: lexemes[last].end, ..first.clone() }, last + 1 - at))
}

/// Inches as they are written: «1 1/4» for 1250 thousandths.
pub(crate) fn written(thousandths: i64) -> Option<String> {
    let (whole, part) = (thousandths / 1000, thousandths % 1000);
    let lower = [2, 4, 8].into_iter().find(|lower| part > 0 && part * lower % 1000 == 0)?;
    let fraction = format!("{}/{lower}", part * lower / 1000);
    Some(if whole == 0 { fraction } else { format!("{whole} {fraction}") })
}

#[cfg(test)]
mod tests {
    use super::super::lexer::lex;
    use super::super::normalize::Chars;

    fn shown(text: &str) -> String {
        let shown = lex(&Chars::new(text)).into_iter().map(|l| match l.kind {
            super::Kind::Mark(c) => c.to_string(),
            _ => l.text,
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn sides_of_threads_are_one_in_every_notation() {
        for text in ["В/Н", "в-н", "ВР/НР", "вн.-нар.", "вн-нар", "г/ш", "гайка-штуцер", "Н/В"]
        {
            assert_eq!(shown(&format!("Кран 1/2\" {text} рычаг")), "кран 0.5 \" вр/нр рычаг");
        }
        assert_eq!(shown("подводка гайка гайка 60"), "подводка вр/вр 60");
        assert_eq!(shown("подводка 1/2 г ш 60"), "подводка 0.5 \" вр/нр 60");
        for text in ["Н", "(Н)", "(н)", "НР", "нар.р.", "нар.", "наружная"] {
            assert_eq!(
                shown(&format!("Муфта 20х3/4 {text}")).replace(['(', ')', ' '], ""),
                "муфта20x0.75\"нр"
            );
        }
        assert_eq!(shown("Муфта В PPR 20-3/4"), "муфта вр ppr 20 - 0.75 \"");
        assert_eq!(shown("муфта н 20х3/4 5 шт"), "муфта нр 20 x 0.75 \" 5 шт");
        assert_eq!(shown("муфта 20х3/4 н 5 шт"), "муфта 20 x 0.75 \" нр 5 шт");
        assert_eq!(shown("муфта 3/4 в 2 коробки"), "муфта 0.75 \" в 2 коробки");
        assert_eq!(shown("Отвод 110 внутр. канализ."), "отвод 110 внутр канализ");
        assert_eq!(shown("В коробке 3/4 в наличии"), "в коробке 0.75 \" в наличии");
    }

    #[test]
    fn inches_with_a_fraction_are_one_number() {
        assert_eq!(shown("Муфта 40х1 1/4"), "муфта 40 x 1.25 \"");
        assert_eq!(shown("Муфта 40*1.1/4\""), "муфта 40 x 1.25 \"");
        assert_eq!(shown("Муфта 1½"), "муфта 1.5 \"");
        assert_eq!(super::written(1250).as_deref(), Some("1 1/4"));
        assert_eq!(super::written(375).as_deref(), Some("3/8"));
        assert_eq!(shown("скоба 80/6 (1/50/1000)"), "скоба 80 / 6 ( 1 / 50 / 1000 )");
        assert_eq!(shown("1 1/2 крана"), "1 0.5 \" крана");
    }
}
