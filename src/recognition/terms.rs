//! Lexemes → terms: words, and numbers with their unit, their letter («М8», «h=80», «№ 174») and
//! their neighbours («4×25»). The same for titles and for orders.

use super::lexer::Lexeme;
pub(crate) use super::measure::{
    BARE, BORE, BORED, CODE, COUNT, COUNTED, HELD, Measure, Number, PACK, code,
};
use super::normalize::{WordSet, among, as_latin_twin, latin_twin, sound};

/// A part of a title or of an order line that says one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Term {
    /// A word.
    Word(Word),
    /// One number or several with crosses between.
    Size(Size),
}

/// A word of a term.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "how a word stands in its text")]
pub(crate) struct Word {
    /// Normalised letters.
    pub(crate) text: String,
    /// Whether it was cut with a full stop.
    pub(crate) dotted: bool,
    /// Whether «без» or «не» stands before it.
    pub(crate) without: bool,
    /// Whether a number is glued to it: «RS133», «16А».
    pub(crate) code: bool,
    /// Whether it is glued to a number before it: «1сл».
    pub(crate) after_number: bool,
    /// Its lexemes.
    pub(crate) from: usize,
    /// One past its last lexeme.
    pub(crate) to: usize,
}

/// Numbers that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Size {
    /// At least one.
    pub(crate) numbers: Vec<Number>,
    /// Whether a slash and not a cross stands between.
    pub(crate) slash: bool,
    /// Its lexemes.
    pub(crate) from: usize,
    /// One past its last lexeme.
    pub(crate) to: usize,
}

impl Term {
    /// The range of lexemes.
    pub(crate) fn range(&self) -> std::ops::Range<usize> {
        match self {
            Self::Word(w) => w.from..w.to,
            Self::Size(s) => s.from..s.to,
        }
    }
}

/// The marker that a word before a number is, or `None`. `glued`: no blank between.
pub(crate) fn marker(word: &str, glued: bool) -> Option<u8> {
    Some(match word {
        "h" | "н" if glued => b'h',
        "h" | "выс" | "высота" | "высотой" | "высоты" => b'h',
        "d" | "ф" | "дм" | "диа" | "диам" | "диаметр" | "диаметром" | "д" => {
            b'd'
        }
        "dn" | "ду" => BORE,
        "м" | "m" if glued => b'm',
        "т" | "t" if glued => b'#',
        "l" if glued => b'l',
        "дл" | "длина" | "длиной" | "межосевое" | "межцентровое" | "м/ц" | "м/о" | "расстояние" => {
            b'l'
        }
        "ш" | "шир" | "ширина" | "шириной" => b'w',
        "s" if glued => b's',
        "толщ" | "толщина" | "толщиной" => b's',
        "пл" | "плотн" | "плотность" | "плотностью" => b'p',
        "ral" | "рал" | "тип" | "типа" | "серия" | "серии" | "цв" | "цвет" | "цвета" | "цвету"
        | "арт" | "артикул" | "номер" | "номера" | "тон" | "ном" | "col" => {
            b'#'
        }
        "n" if glued => return None,
        _ => return None,
    })
}

/// Whether the word is what was named before, after a preposition: «к ней», «для них».
pub(crate) fn is_it(word: &str) -> bool {
    matches!(word, "ней" | "нее" | "нему" | "него" | "ним" | "ними" | "них")
}

/// Words that name a parameter, and little words.
const LITTLE: &[&str] = &[
    "и",
    "в",
    "во",
    "на",
    "с",
    "со",
    "к",
    "ко",
    "по",
    "из",
    "для",
    "под",
    "от",
    "до",
    "за",
    "или",
    "а",
    "о",
    "об",
    "у",
    "при",
    "тип",
    "типа",
    "цв",
    "цвет",
    "цвета",
    "цветом",
    "цветов",
    "арт",
    "артикул",
    "артикула",
    "артикулу",
    "код",
    "кода",
    "коду",
    "номер",
    "номера",
    "ном",
    "размер",
    "размером",
    "формат",
    "формата",
    "разм",
    "шир",
    "ширина",
    "шириной",
    "толщ",
    "толщина",
    "толщиной",
    "толщ",
    "выс",
    "высота",
    "высотой",
    "дл",
    "длина",
    "длиной",
    "диам",
    "диаметр",
    "диаметром",
    "плотн",
    "плотность",
    "плотностью",
    "вес",
    "весом",
    "объем",
    "объемом",
    "сорт",
    "класс",
    "марка",
    "ш",
    "усилие",
    "усилием",
    "сила",
    "силой",
    "мощность",
    "мощностью",
    "напряжение",
    "давление",
    "емкость",
    "емкостью",
    "жесткость",
    "глубина",
    "глубиной",
    "сечение",
    "сечением",
    "характеристика",
    "характеристикой",
    "хар",
    "номинал",
    "номиналом",
    "фасовка",
    "литраж",
    "шаг",
    "шагом",
    "жирность",
    "жирностью",
    "жирн",
    "вариант",
    "варианта",
    "исполнение",
    "расцветка",
    "расцветки",
    "оттенок",
    "тон",
    "тара",
    "намотка",
    "межосевое",
    "межцентровое",
    "расстояние",
    "длиною",
    "шириною",
    "высотою",
];

/// Whether a word names a parameter and says nothing without its value, or is a little word.
pub(crate) fn is_little(word: &str) -> bool {
    static SET: WordSet = WordSet::new();
    among(&SET, LITTLE, word) || is_it(word)
}

/// Joins lexemes into terms. `skip` tells which lexemes are spoken for already.
#[expect(clippy::too_many_lines, reason = "one rule a paragraph, in the order they are tried")]
pub(crate) fn terms(lexemes: &[Lexeme], skip: impl Fn(usize) -> bool) -> Vec<Term> {
    let mut out = Vec::with_capacity(lexemes.len());
    let free = |i: usize| i < lexemes.len() && !skip(i);
    let mut pending: Option<(u8, usize)> = None;
    let mut without: Option<usize> = None;
    let mut i = 0;
    while i < lexemes.len() {
        if skip(i) {
            pending = None;
            i += 1;
            continue;
        }
        let lexeme = &lexemes[i];
        if lexeme.is_number() {
            let (mut size, next) = size(lexemes, i, &free);
            if let Some((mark, from)) = pending.take() {
                size.numbers[0].marker = mark;
                size.from = from;
            } else if let Some(letters) = letters_before(lexemes, i).filter(|at| free(*at)) {
                size.numbers[0].marker = code(&lexemes[letters].text);
            }
            if counts_parts(lexemes, i, next, &size) {
                size.numbers[0].marker = COUNT;
            }
            let packed = |k: usize| {
                lexemes.get(k).is_some_and(|l| {
                    matches!(
                        l.text.as_str(),
                        "рул"
                            | "рулон"
                            | "рулона"
                            | "бухта"
                            | "бухты"
                            | "бух"
                            | "уп"
                            | "упак"
                            | "кор"
                            | "намотка"
                    )
                })
            };
            let long = matches!(size.numbers[0].measure, Measure::Metre | Measure::None);
            let slash = lexemes.get(next).is_some_and(|l| l.is('/') && !l.spaced);
            // «ПВС 3х1,5 (100м)»: how much is in a coil.
            let bracketed = i > 0
                && lexemes[i - 1].is('(')
                && lexemes.get(next).is_some_and(|l| l.is(')'))
                && size.numbers[0].measure == Measure::Metre;
            if long
                && size.numbers.len() == 1
                && size.numbers[0].marker == 0
                && size.numbers[0].value >= 10_000
                && (i > 0 && packed(i - 1) || slash && packed(next + 1) || bracketed)
            {
                size.numbers[0].marker = PACK;
            }
            out.push(Term::Size(size));
            i = next;
            continue;
        }
        if lexeme.is('№') || lexeme.is('#') {
            pending = Some((b'#', i));
            i += 1;
            continue;
        }
        if !lexeme.is_word() {
            if !(lexeme.is('=') || lexeme.is('-') || lexeme.is(':')) {
                pending = None;
            }
            i += 1;
            continue;
        }
        if pending.is_some_and(|(_, at)| lexemes[at].is_word()) {
            pending = None;
        }
        if matches!(lexeme.text.as_str(), "без" | "бес") {
            without = Some(i);
            i += 1;
            continue;
        }
        let next_number = next_number(lexemes, i, &free);
        let glued = next_number.is_some_and(|n| n == i + 1 && !lexemes[n].spaced && !lexeme.dotted);
        if let Some(next) = next_number {
            // «Т-5», «т.5», «h=80» are as good as glued.
            // So is «L = 270».
            let tight = (i + 1..=next).all(|k| !lexemes[k].spaced) || lexemes[i + 1].is('=');
            // «10 номер 6 м»: the ten is the number.
            if names_number_before(lexemes, i, next) {
                i += 1;
                continue;
            }
            // «молния т 7»
            let typed = matches!(lexeme.text.as_str(), "т" | "t")
                && !lexeme.dotted
                && i > 0
                && lexemes[i - 1].is_word();
            if typed {
                pending = Some((b'#', i));
                i += 1;
                continue;
            }
            // «того же цвета 200» says nothing of a colour number, and the letter of «1ф 5(60)А» is
            // of the one.
            let of_last = i > 0
                && lexemes[i - 1].is_number()
                && !lexeme.spaced
                && lexemes[next].spaced
                && lexeme.text.chars().count() == 1;
            // «Чёрного цвета 50 м»: the colour is said.
            let told = i > 0
                && lexeme.text.starts_with("цвет")
                && super::line::is_adjective(&lexemes[i - 1].text);
            let same = of_last || told || i > 0 && lexemes[i - 1].text == "же";
            if let Some(mark) = marker(&lexeme.text, tight).filter(|_| !same) {
                // «Р6М5» is a code, not a thread.
                let inside = i > 0 && !lexeme.spaced && lexemes[i - 1].is_number() && mark == b'm';
                pending = Some((if inside { CODE } else { mark }, i));
                i += 1;
                continue;
            }
        }
        // «Перв. сорт» is the «1 сорт».
        let sort = lexemes.get(i + 1).is_some_and(|l| l.text.starts_with("сорт"));
        if let Some(value) = ordinal(lexeme).filter(|_| sort) {
            let number = Number { value, ..Number::default() };
            out.push(Term::Size(Size { numbers: vec![number], slash: false, from: i, to: i + 1 }));
            i += 1;
            continue;
        }
        // «klei dlya porolona», «cv 13»
        let latin = lexeme.text.is_ascii()
            && (lexeme.text.len() > 2 || lexeme.text == "cv")
            && is_little(&super::vocabulary::cyrillic(&lexeme.text));
        // «д/бумаг» is «для бумаг».
        if lexeme.text == "д" && lexemes.get(i + 1).is_some_and(|l| l.is('/') && !l.spaced) {
            i += 2;
            continue;
        }
        // «х-ка С»
        if matches!(lexeme.text.as_str(), "х" | "хар")
            && lexemes.get(i + 1).is_some_and(|l| l.is('-') && !l.spaced)
            && lexemes.get(i + 2).is_some_and(|l| l.text == "ка" && !l.spaced)
        {
            i += 3;
            continue;
        }
        let marked = is_mark(lexemes, i);
        // «Св08Г2С»: a letter of a code is no little word.
        let coded = !lexeme.spaced
            && i > 1
            && lexemes[i - 1].is_number()
            && !lexemes[i - 1].spaced
            && lexemes[i - 2].is_word();
        if (is_little(&lexeme.text) || latin) && !glued && !marked && !coded {
            // «без рулона, а Monako» is not without it.
            if lexeme.text == "а" {
                without = None;
            }
            i += 1;
            continue;
        }
        let after_number = i > 0 && !lexeme.spaced && lexemes[i - 1].is_number();
        // «3х нитка», «3-х»
        if after_number && matches!(lexeme.text.as_str(), "х" | "x") {
            i += 1;
            continue;
        }
        let letter = if marked || after_number || glued {
            one_letter(&lexeme.text, after_number)
        } else {
            None
        };
        let mut word = Word {
            text: letter.unwrap_or_else(|| lexeme.text.clone()),
            dotted: lexeme.dotted,
            without: without.is_some(),
            code: glued && !is_whole_word(&lexeme.text)
                || marked
                || next_number.is_some_and(|next| letters_before(lexemes, next) == Some(i)),
            after_number,
            from: without.take().unwrap_or(i),
            to: i + 1,
        };
        let hyphen = free(i + 1) && lexemes[i + 1].is('-') && !lexemes[i + 1].spaced;
        if hyphen && free(i + 2) && lexemes[i + 2].is_word() && !lexemes[i + 2].spaced {
            // «тёмно-серый» is one colour; «ручка-скоба» is two words.
            if word.text.ends_with('о') && word.text.chars().count() >= 4 {
                word.text.push_str(&lexemes[i + 2].text);
                word.dotted = lexemes[i + 2].dotted;
                word.to = i + 3;
            }
        }
        // «т.серый», «т.-серый», «св-серый»
        if let Some(shade) = shade(lexeme, lexemes.get(i + 1))
            && let Some((at, colour)) = (i + 1..lexemes.len().min(i + 3))
                .find(|at| lexemes[*at].is_word())
                .map(|at| (at, &lexemes[at]))
            && free(at)
            && super::decide::names_colour(&super::normalize::stem(&colour.text))
        {
            word.text = format!("{shade}{}", colour.text);
            word.dotted = colour.dotted;
            word.code = false;
            word.to = at + 1;
        }
        i = word.to;
        out.push(Term::Word(word));
    }
    out
}

/// The number that a cut ordinal says, in thousandths.
fn ordinal(lexeme: &Lexeme) -> Option<i64> {
    if !lexeme.dotted {
        return None;
    }
    match lexeme.text.as_str() {
        "перв" => Some(1000),
        "втор" => Some(2000),
        "трет" => Some(3000),
        _ => None,
    }
}

/// The shade that a cut word before a colour says: «т.», «св-».
fn shade(lexeme: &Lexeme, next: Option<&Lexeme>) -> Option<&'static str> {
    let hyphen = next.is_some_and(|l| l.is('-') && !l.spaced);
    if !(lexeme.dotted || hyphen) {
        return None;
    }
    match lexeme.text.as_str() {
        "т" | "тем" | "темн" => Some("темно"),
        "св" | "свет" | "светл" => Some("светло"),
        _ => None,
    }
}

/// Whether a letter, however small, is what the word before it names: «класс а», «тип в 2 шт».
fn is_named_letter(lexemes: &[Lexeme], at: usize) -> bool {
    const NAMES: &[&str] =
        &["класс", "кл", "тип", "типа", "групп", "категори", "кат", "марк", "характеристик"];
    let named = |l: &Lexeme| {
        let word = l.text.as_str();
        NAMES.iter().any(|name| word == *name || name.chars().count() > 3 && word.starts_with(name))
    };
    let lexeme = &lexemes[at];
    let letter = lexeme.is_word() && lexeme.spaced && lexeme.text.chars().count() == 1;
    // «Тип с резьбой»
    let preposition = matches!(lexeme.text.as_str(), "в" | "с" | "к" | "о" | "у" | "и");
    let goes_on = lexemes.get(at + 1).is_some_and(Lexeme::is_word);
    letter && at > 0 && named(&lexemes[at - 1]) && !(preposition && goes_on)
}

/// Whether a letter by itself is a mark, «16А С», and not a little word.
fn is_mark(lexemes: &[Lexeme], at: usize) -> bool {
    let lexeme = &lexemes[at];
    if is_named_letter(lexemes, at) {
        return true;
    }
    let alone =
        lexeme.is_word() && lexeme.upper && lexeme.text.chars().count() == 1 && lexeme.text != "и";
    let after = lexemes.get(at + 1);
    // «Дюбель тип "К"»
    let quoted = at > 0 && lexemes[at - 1].is('"') && after.is_some_and(|l| l.is('"'));
    alone && quoted
        || alone
            && at > 0
            && lexeme.spaced
            && !lexeme.dotted
            && !lexemes[at - 1].dotted
            && !lexemes[at - 1].is('.')
            && after.is_none_or(|l| {
                l.spaced && (l.is_number() || l.is_word() && l.upper) || !l.is_word()
            })
}

/// Brackets that say how many are in packs and boxes, «(1/50/1000)», «(25шт/500)»: lexemes within.
pub(crate) fn packings(lexemes: &[Lexeme]) -> Vec<std::ops::Range<usize>> {
    let mut out = Vec::new();
    for (open, _) in lexemes.iter().enumerate().filter(|(_, l)| l.is('(')) {
        let Some(inside) = lexemes[open + 1..].iter().position(|l| l.is(')')) else { break };
        let within = open + 1..open + 1 + inside;
        let run = &lexemes[within.clone()];
        let counted = |l: &Lexeme| matches!(l.text.as_str(), "шт" | "уп" | "кор" | "пач" | "бл");
        let told = |l: &Lexeme| l.is_number() || l.is('/') || l.is_word() && counted(l);
        let numbers: Vec<i64> = run.iter().filter(|l| l.is_number()).map(|l| l.value).collect();
        let holds = |pair: &[i64]| pair[0] > 0 && pair[1] > pair[0] && pair[1] % pair[0] == 0;
        if run.iter().any(|l| l.is('/'))
            && run.iter().all(told)
            && numbers.len() > 1
            && numbers.iter().all(|n| n % 1000 == 0)
            && numbers.windows(2).all(holds)
            && numbers.last().is_some_and(|n| *n >= 10_000)
        {
            out.push(within);
        }
    }
    out
}

/// A single letter as Latin: the one that it looks like, or that it sounds like after a number, where
/// «1П», «1Р» and «1P» are the same.
pub(crate) fn one_letter(text: &str, after_number: bool) -> Option<String> {
    if text.chars().count() != 1 {
        return None;
    }
    if after_number && text == "п" {
        return Some("p".to_owned());
    }
    as_latin_twin(text)
}

/// «2-местная», «2-я», «3-х», «1P», «3ф»: a number that counts parts.
fn counts_parts(lexemes: &[Lexeme], at: usize, next: usize, size: &Size) -> bool {
    let small = (1000..=12_000).contains(&size.numbers[0].value);
    let tied = |at: usize| lexemes.get(at).is_some_and(|l| !l.spaced);
    // «8P8C» is a name.
    let code = tied(next + 1) && lexemes[next + 1].is_number();
    size.numbers.len() == 1
        && size.numbers[0].measure == Measure::None
        && size.numbers[0].marker == 0
        && small
        && (at == 0 || lexemes[at].spaced)
        && tied(next)
        && (lexemes[next].is('-') && tied(next + 1) && lexemes[next + 1].is_word()
            || lexemes[next].is_word() && lexemes[next].text.chars().count() == 1 && !code)
}

/// The letters of a code before its number: «EL2240», «ЩРН-36».
fn letters_before(lexemes: &[Lexeme], number: usize) -> Option<usize> {
    let tight = |at: usize| !lexemes[at].spaced;
    let before = number.checked_sub(1).filter(|_| tight(number))?;
    let hyphen = lexemes[before].is('-') && tight(before);
    let at = if hyphen { before.checked_sub(1)? } else { before };
    let letters = &lexemes[at];
    let after_number = at > 0 && tight(at) && lexemes[at - 1].is_number();
    let fits = letters.is_word()
        && !letters.dotted
        && !is_whole_word(&letters.text)
        // «бел-10» is ten white ones.
        && (!hyphen || !after_number && letters.text.chars().count() > 1);
    fits.then_some(at)
}

/// Whether letters before a number are a word that lost its blank, «скобы80», and not a code.
fn is_whole_word(text: &str) -> bool {
    text.chars().count() >= 4 && !text.is_ascii()
}

/// Whether a word names the number before it and not the one after: «10 номер 6 м», «сто первый
/// цвет десять штук».
pub(crate) fn names_number_before(lexemes: &[Lexeme], at: usize, next: usize) -> bool {
    let word = lexemes[at].text.as_str();
    let Some(before) = at.checked_sub(1).map(|b| &lexemes[b]).filter(|b| b.is_number()) else {
        return false;
    };
    let counted = super::quantity::unit_at(lexemes, next + 1).is_some_and(|u| u.0.counts());
    match word {
        "цвет" | "тон" | "тип" => before.named || counted,
        // «Фломастеры 18 цв 7 шт», «сто двадцать высота двадцать штук»
        "цв" | "высота" | "ширина" | "длина" | "толщина" | "диаметр" => {
            counted
        }
        _ => word.starts_with("номер"),
    }
}

/// The number that follows a word, over one «=», «-», «.» or «№».
fn next_number(lexemes: &[Lexeme], i: usize, free: &impl Fn(usize) -> bool) -> Option<usize> {
    for (next, lexeme) in lexemes.iter().enumerate().skip(i + 1).take(2) {
        if !free(next) {
            return None;
        }
        if lexeme.is_number() {
            return Some(next);
        }
        if !(lexeme.is('=') || (lexeme.is('-') && !lexeme.spaced) || lexeme.is('№')) {
            return None;
        }
    }
    None
}

/// Reads numbers joined by crosses, slashes, «+» or a range's dash, each with its unit.
fn size(lexemes: &[Lexeme], start: usize, free: &impl Fn(usize) -> bool) -> (Size, usize) {
    let mut size = Size { from: start, ..Size::default() };
    let mut i = start;
    loop {
        let mut number = Number { value: lexemes[i].value, ..Number::default() };
        i += 1;
        if free(i) {
            let next = &lexemes[i];
            let glued = !next.spaced;
            if next.is('%') {
                number.measure = Measure::Percent;
                i += 1;
            } else if next.is('"') && glued {
                number.measure = Measure::Inch;
                i += 1;
            } else if next.is('°') {
                number.measure = Measure::Gram;
                i += 1;
            } else if next.is_word()
                && let Some(measure) = Measure::read(&next.text, glued)
            {
                let code = free(i + 1)
                    && lexemes[i + 1].is_number()
                    && !lexemes[i + 1].spaced
                    && !matches!(next.text.as_str(), "г/м" | "гр/м" | "кг/м")
                    && !(measure == Measure::Mm && lexemes[i + 1].text == "2");
                if !code {
                    number.measure = measure;
                    if next.text == "v" && holds(number.value) {
                        number.measure = Measure::None;
                    }
                    i += 1;
                    let slash = free(i) && lexemes[i].is('/') && !lexemes[i].spaced;
                    if measure == Measure::Piece && slash && free(i + 1) && lexemes[i + 1].is_word()
                    {
                        // «1000 шт/уп»
                        i += 2;
                    }
                    let square = free(i) && !lexemes[i].spaced && lexemes[i].text == "2";
                    if measure == Measure::Mm && square {
                        // «3х2,5 мм2» is the section of a wire; nobody says the unit.
                        number.measure = Measure::None;
                        i += 1;
                    }
                    if measure == Measure::Metre && !lexemes[i - 1].spaced {
                        i = past_area(lexemes, i, &mut number, free);
                    }
                    if matches!(measure, Measure::Density | Measure::Gram | Measure::Kilo) {
                        i = past_density(lexemes, i, &mut number, free);
                    }
                }
            }
        }
        size.numbers.push(number);
        let joint = i;
        if !free(i) || !free(i + 1) {
            break;
        }
        let mark = &lexemes[i];
        let tight = !mark.spaced && !lexemes[i + 1].spaced;
        let cross = mark.is('x');
        let slash = (mark.is('/') || mark.is('+') || mark.is('\\'))
            && tight
            && (size.slash || size.numbers.len() < 2);
        let inches = number.measure == Measure::Inch
            && lexemes.get(i + 2).is_some_and(|l| l.is('"') && !l.spaced);
        let range = mark.is('-')
            && tight
            && (number.measure == Measure::None || inches)
            && !lexemes[start].spoken;
        let joins = cross || slash || range;
        if !joins || cross && size.slash {
            i = joint;
            break;
        }
        i += 1;
        // «1/2"хМ10»
        if lexemes[i].is_word()
            && free(i + 1)
            && lexemes[i + 1].is_number()
            && !lexemes[i + 1].spaced
            && marker(&lexemes[i].text, true).is_some()
        {
            i += 1;
        }
        if !lexemes[i].is_number() {
            i = joint;
            break;
        }
        size.slash = slash;
    }
    size.to = i;
    // «190*140 см», «1,2х2,0 м»: the unit is of all.
    let small = size.numbers.iter().all(|n| n.value < 10_000);
    if let [first @ .., last] = size.numbers.as_mut_slice()
        && (last.measure == Measure::Mm
            // «1185х585х3 см» is three centimetres thick and no twelve metres long.
            || last.measure == Measure::Cm && first.iter().all(|n| n.value < 1_000_000)
            || last.measure == Measure::Metre && small)
        && first.iter().all(|n| n.measure == Measure::None)
    {
        for number in first {
            number.measure = last.measure;
        }
    }
    (size, i)
}

/// Whether a «V» after a number is rather a volume, as of water heaters «IF 50 V»: no such voltage is
/// in use.
fn holds(thousandths: i64) -> bool {
    matches!(thousandths / 1000, 30 | 50 | 80 | 100 | 120 | 150 | 200 | 300)
}

/// «м2» after a number is an area, not metres.
fn past_area(
    lexemes: &[Lexeme],
    i: usize,
    number: &mut Number,
    free: &impl Fn(usize) -> bool,
) -> usize {
    if free(i) && !lexemes[i].spaced && matches!(lexemes[i].text.as_str(), "2" | "3") {
        number.measure = Measure::Area;
        return i + 1;
    }
    i
}

/// The rest of «г/м2», «г/кв.м», «кг/м3», «кг на куб».
fn past_density(
    lexemes: &[Lexeme],
    mut i: usize,
    number: &mut Number,
    free: &impl Fn(usize) -> bool,
) -> usize {
    if number.measure != Measure::Density {
        let joint = free(i) && (lexemes[i].is('/') || lexemes[i].text == "на");
        let per = |l: &Lexeme| {
            matches!(l.text.as_str(), "м" | "m" | "кв" | "куб" | "метр")
                || l.text.starts_with("квадрат")
                || l.text.starts_with("кубич")
                || l.text.starts_with("кубометр")
        };
        if !joint || !free(i + 1) || !lexemes[i + 1].is_word() || !per(&lexemes[i + 1]) {
            return i;
        }
        i += 2;
        number.measure = Measure::Density;
    }
    let power = free(i) && matches!(lexemes[i].text.as_str(), "2" | "3") && !lexemes[i].spaced;
    let metre = |l: &Lexeme| matches!(l.text.as_str(), "м" | "метр");
    i + usize::from(power || free(i) && metre(&lexemes[i]))
}

/// Spellings under which a word of an order may stand in a title, when letters mislead: the Latin
/// word that the letters look like («РВ» is «PB»).
pub(crate) fn twin(word: &str) -> Option<String> {
    if word.is_ascii() || word.chars().count() > 4 {
        return None;
    }
    as_latin_twin(word).filter(|latin| sound(latin) != sound(word))
}

/// The Cyrillic word that Latin letters of a code look like: «PA» is «РА».
pub(crate) fn cyrillic_twin(word: &str) -> Option<String> {
    let twin = |c: char| ('а'..='я').find(|other| latin_twin(*other) == Some(c));
    let short = word.is_ascii() && word.len() <= 4;
    short.then(|| word.chars().map(twin).collect()).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::lexer::lex;
    use super::super::normalize::Chars;
    use super::*;

    #[expect(clippy::cast_precision_loss, reason = "the numbers of titles are small")]
    fn shown(text: &str) -> String {
        let terms = terms(&lex(&Chars::new(text)), |_| false);
        let shown = terms.into_iter().map(|t| match t {
            Term::Word(w) => format!("{}{}", if w.without { "-" } else { "" }, w.text),
            Term::Size(s) => {
                let numbers = s.numbers.iter().map(|n| {
                    let mark = match n.marker {
                        0 => String::new(),
                        mark if mark.is_ascii() => char::from(mark).to_string(),
                        // One of the letters that stand before it.
                        _ => char::from(CODE).to_string(),
                    };
                    let measure = if n.measure == Measure::None {
                        String::new()
                    } else {
                        format!("{:?}", n.measure)
                    };
                    format!("{mark}{}{measure}", n.value as f64 / 1000.0)
                });
                numbers.collect::<Vec<_>>().join("×")
            }
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn titles_are_read_with_units_and_letters() {
        assert_eq!(
            shown("Молния рул. Т-5 спир. чёрная (190) 200м"),
            "молния рул #5 спир черная 190 200Metre"
        );
        assert_eq!(shown("Болт DIN933 М8*100 цинк"), "болт din c933 m8×100 цинк");
        assert_eq!(shown("Опора h=80 хром"), "опора h80 хром");
        assert_eq!(shown("Спанбонд 90 г/м² белый, 1,6м"), "спанбонд 90Density белый 1.6Metre");
        assert_eq!(shown("плотность 70 г/кв.м 2"), "p70Density 2");
        assert_eq!(shown("ппу 80 кг на куб, 10 см"), "ппу 80Density 10Cm");
        assert_eq!(shown("200 грамм на квадратный метр"), "200Density");
        assert_eq!(shown("Скотч 48ммх66м"), "скотч 48Mm×66Metre");
        assert_eq!(shown("Кант темно-серый"), "кант темносерый");
        assert_eq!(shown("Каркас без лат"), "каркас -лат");
        assert_eq!(shown("Труба Ду15 1/2\""), "труба D15 0.5Inch");
        assert_eq!(shown("Скоба 80/8 (10000 шт/уп)"), "скоба 80×8 10000Piece");
    }
}
