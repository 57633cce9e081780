//! Turns of speech by which people put right what they said, made one: «5 шт → 7 шт», «5 шт точнее 7»,
//! «(нет, белый)», «имел в виду 80», «не чёрный, белый» say the same as «5 шт, лучше 7».

use super::super::lexer::{Kind, Lexeme};
use super::super::quantity::unit_at;
use super::super::speech;

/// A text with its turns of speech made plain: a comma and a word that announces what is put right.
pub(super) fn plain(lexemes: &[Lexeme]) -> Vec<Lexeme> {
    let mut out: Vec<Lexeme> = Vec::with_capacity(lexemes.len() + 4);
    // Brackets that are left out end here.
    let mut closing: Option<usize> = None;
    let mut at = 0;
    while at < lexemes.len() {
        if closing == Some(at) {
            closing = None;
            leave_out(&mut out, &lexemes[at]);
            at += 1;
            continue;
        }
        if let Some(taken) = angle(lexemes, at) {
            leave_out(&mut out, &lexemes[at + taken - 1]);
            at += taken;
            continue;
        }
        if let Some(such) = such(&lexemes[at]) {
            out.push(word(&lexemes[at], such));
            out.push(word(&lexemes[at], "же"));
            at += 1;
            continue;
        }
        let line = out.iter().rposition(|l| l.is('\n')).map_or(0, |n| n + 1);
        match turn(lexemes, at, &out[line..]) {
            Some(Turn::Announced { word, taken }) => {
                announce(&mut out, &lexemes[at..at + taken], word);
                at += taken;
            }
            Some(Turn::Bracket { end }) => {
                closing = Some(end);
                out.push(mark(&lexemes[at], ','));
                at += 1;
            }
            Some(Turn::Renamed { taken }) => {
                // It takes no place of the text: what begins the line comes right after it.
                let begins = out.get(line).map_or(lexemes[at].start, |first| first.start);
                let before = Lexeme { start: begins, end: begins, ..lexemes[at].clone() };
                out.insert(line, word(&before, "замените"));
                out.push(word(&lexemes[at], "на"));
                at += taken;
            }
            Some(Turn::Refused { comma }) => {
                announce(&mut out, &lexemes[at..=at], "не");
                out.extend_from_slice(&lexemes[at + 1..comma]);
                out.push(lexemes[comma].clone());
                out.push(word(&lexemes[comma], "а"));
                at = comma + 1;
            }
            Some(Turn::Aside { taken }) => {
                leave_out(&mut out, &lexemes[at + taken - 1]);
                at += taken;
            }
            Some(Turn::Said { words, taken }) => {
                out.extend(words);
                at += taken;
            }
            Some(Turn::But) => {
                out.push(lexemes[at].clone());
                out.push(word(&lexemes[at], "а"));
                at += 1;
            }
            None => {
                out.push(lexemes[at].clone());
                at += 1;
            }
        }
    }
    out
}

/// Makes what is left out, to its last lexeme, leave no gap, as between cells.
fn leave_out(out: &mut [Lexeme], last: &Lexeme) {
    if let Some(before) = out.last_mut() {
        before.end = last.end;
    }
}

/// «Угол открывания 110 градусов»: how many words say that the degrees are those of an angle.
fn angle(lexemes: &[Lexeme], at: usize) -> Option<usize> {
    let text = |at: usize| lexemes.get(at).map_or("", |l| l.text.as_str());
    if !matches!(text(at), "угол" | "углом" | "угла") {
        return None;
    }
    let taken = 1 + usize::from(text(at + 1).starts_with("откры"));
    let degrees = text(at + taken + 1).starts_with("гр")
        || lexemes.get(at + taken + 1).is_some_and(|l| l.is('°'));
    let number = lexemes.get(at + taken).is_some_and(Lexeme::is_number);
    (number && degrees).then_some(taken)
}

/// «Такаяже» is «такая же».
fn such(lexeme: &Lexeme) -> Option<&'static str> {
    const SUCH: &[&str] = &["такой", "такая", "такое", "такие", "такую", "таких"];
    let word = lexeme.text.strip_suffix("же")?;
    SUCH.iter().copied().find(|such| *such == word)
}

/// A turn of speech and how many lexemes say it.
enum Turn {
    /// What follows is right instead.
    Announced { word: &'static str, taken: usize },
    /// «(нет, белый)»: what is in brackets is right instead.
    Bracket { end: usize },
    /// «80 → 100» on a line of its own: one stands for the other.
    Renamed { taken: usize },
    /// The comma of «не чёрный, белый».
    But,
    /// «Зачеркните чёрный, серый беру»: one is refused and the other, after the comma, ordered.
    Refused { comma: usize },
    /// «(писала чёрный, неверно)», «резать не надо»: what is no order at all.
    Aside { taken: usize },
    /// «Того и другого», «8 номер»: the same in other words.
    Said { words: Vec<Lexeme>, taken: usize },
}

/// The turn of speech that begins here, if one does. `said`: what the line has said so far.
fn turn(lexemes: &[Lexeme], at: usize, said: &[Lexeme]) -> Option<Turn> {
    let text = |at: usize| lexemes.get(at).filter(|l| l.is_word()).map_or("", |l| l.text.as_str());
    let is = |at: usize, mark: char| lexemes.get(at).is_some_and(|l| l.is(mark));
    let told = |l: &Lexeme| l.is_word() || l.is_number();
    let arrow = if is(at, '→') {
        1
    } else if (is(at, '-') || is(at, '=')) && is(at + 1, '>') && !lexemes[at + 1].spaced {
        2
    } else {
        0
    };
    let end_of_line =
        || lexemes[at..].iter().position(|l| l.is('\n')).map_or(lexemes.len(), |n| at + n);
    if arrow > 0 && said.iter().any(told) {
        let rest = &lexemes[at + arrow..end_of_line().max(at + arrow)];
        let alone = counted(said).is_none() && counted(rest).is_none();
        return Some(if alone {
            Turn::Renamed { taken: arrow }
        } else {
            Turn::Announced { word: "лучше", taken: arrow }
        });
    }
    if let Some(turn) = aside(lexemes, at, end_of_line()) {
        return Some(turn);
    }
    if lexemes[at].is_word() {
        return spoken_turn(lexemes, at, said);
    }
    let named = said.iter().any(Lexeme::is_word);
    match lexemes[at].kind {
        // «Скоба 80 - нет, 100»
        Kind::Mark('-')
            if lexemes[at].spaced
                && (matches!(text(at + 1), "нет" | "ой" | "точнее" | "вернее")
                    || text(at + 1).starts_with("ошиб")
                    || text(at + 1).starts_with("опечат")
                    || text(at + 1).starts_with("перепутал"))
                && counted(said).is_some_and(|end| end == said.len())
                && counted(&lexemes[at..end_of_line()]).is_none() =>
        {
            Some(Turn::Announced { word: "нет", taken: 2 + usize::from(is(at + 2, ',')) })
        }
        Kind::Mark('(') if named && matches!(text(at + 1), "нет" | "ой" | "вернее" | "лучше") =>
        {
            let inside = lexemes[at..].iter().position(|l| l.is(')') || l.is('\n'))?;
            let end = at + inside;
            let whole = is(end, ')') && counted(&lexemes[at..end]).is_none();
            whole.then_some(Turn::Bracket { end })
        }
        // «Не чёрный, белый» on a line of its own
        Kind::Mark(',')
            if said.first().is_some_and(|l| l.text == "не")
                && said.get(1).is_some_and(|l| !speech::is_refusal(&l.text))
                && said.iter().skip(1).all(told)
                && lexemes.get(at + 1).is_some_and(|l| told(l) && l.text != "а") =>
        {
            Some(Turn::But)
        }
        _ => None,
    }
}

/// The turn of speech that a word begins: «имел в виду», «замените на», «ошибся».
fn spoken_turn(lexemes: &[Lexeme], at: usize, said: &[Lexeme]) -> Option<Turn> {
    let text = |at: usize| lexemes.get(at).filter(|l| l.is_word()).map_or("", |l| l.text.as_str());
    let is = |at: usize, mark: char| lexemes.get(at).is_some_and(|l| l.is(mark));
    let told = |l: &Lexeme| l.is_word() || l.is_number();
    let number = |at: usize| lexemes.get(at).is_some_and(Lexeme::is_number);
    let named = said.iter().any(Lexeme::is_word);
    // The word and the comma after it.
    let past = 1 + usize::from(is(at + 1, ','));
    match text(at) {
        "имел" | "имела" | "имею" | "имели" if text(at + 1) == "в" && text(at + 2) == "виду" => {
            Some(Turn::Announced { word: "точнее", taken: 3 })
        }
        // «Скоба 14/10 то есть 140/10» is put right letter for letter.
        "в" if text(at + 1) == "смысле" && named && !text(at + 2).is_empty() => {
            Some(Turn::Announced { word: "точнее", taken: 2 })
        }
        "то" if text(at + 1) == "есть" && named && !text(at + 2).is_empty() => {
            Some(Turn::Announced { word: "точнее", taken: 2 })
        }
        "тоесть" if named && !text(at + 1).is_empty() => {
            Some(Turn::Announced { word: "точнее", taken: 1 })
        }
        // «Нога 710 4 шт замените на 820»
        "замените" | "замени" | "поменяйте" | "поменяй" | "заменить" | "поменять"
            if text(at + 1) == "на" && named && measured(said) =>
        {
            Some(Turn::Announced { word: "лучше", taken: 2 })
        }
        // «Шкант 8х35 2000 шт, простите, 8х40»
        "простите" | "извините" | "виноват" | "виновата" | "сорри"
            if measured(said) && lexemes.get(at + past).is_some_and(told) =>
        {
            Some(Turn::Announced { word: "нет", taken: past })
        }
        // «Колёса 4 шт, пересчитал - восемь»
        "пересчитал" | "пересчитала" | "пересчитали" | "посчитал" | "посчитала"
            if measured(said) =>
        {
            let taken = 1 + usize::from(is(at + 1, ',') || is(at + 1, '-') || is(at + 1, ':'));
            number(at + taken).then_some(Turn::Announced { word: "нет", taken })
        }
        // «Пол-упаковки… ладно, одна»
        "ладно" if measured(said) && number(at + past) => {
            Some(Turn::Announced { word: "нет", taken: past })
        }
        // «4 бал., убавьте до двух»
        bid if text(at + 1) == "до"
            && ["убав", "прибав", "сократ", "уменьш", "увелич"]
                .iter()
                .any(|b| bid.starts_with(b))
            && number(at + 2) =>
        {
            Some(Turn::Announced { word: "нет", taken: 2 })
        }
        // «Было 10, делаем 15 шт», «прошу исправить на 7»
        "стало" | "делаем" | "делайте" | "сделаем" | "исправить" | "изменить" | "измените"
            if said.iter().any(Lexeme::is_number) =>
        {
            let taken = 1 + usize::from(text(at + 1) == "на");
            number(at + taken).then_some(Turn::Announced { word: "нет", taken })
        }
        // «… наружная 4 шт... ошибся, внутренняя»
        "ошибся" | "ошиблась" | "ошибочка"
            if measured(said) && is(at + 1, ',') && lexemes.get(at + 2).is_some_and(told) =>
        {
            Some(Turn::Announced { word: "нет", taken: past })
        }
        // «Войлок чёрный 1 рул, зачеркните чёрный, серый беру»
        "зачеркните" | "зачеркни" | "вычеркните" | "вычеркни" if measured(said) =>
        {
            let word = |at: &usize| lexemes.get(*at).is_some_and(Lexeme::is_word);
            let comma = (at + 2..at + 4).find(|comma| is(*comma, ','))?;
            let refused = (at + 1..comma).all(|at| word(&at));
            let like = super::super::line::is_adjective(text(at + 1));
            (refused && like && word(&(comma + 1))).then_some(Turn::Refused { comma })
        }
        "не" if is(at + 1, ',') && said.last().is_some_and(|l| !told(l)) => {
            Some(Turn::Announced { word: "нет", taken: 2 })
        }
        "точнее" | "вернее" | "лучше"
            if said.last().is_some_and(told)
                && counted(said).is_some_and(|end| end == said.len())
                && number(at + 1) =>
        {
            Some(Turn::Announced { word: "лучше", taken: 1 })
        }
        _ => None,
    }
}

/// What is said beside the order, and what is said in a roundabout way.
fn aside(lexemes: &[Lexeme], at: usize, end: usize) -> Option<Turn> {
    let text = |at: usize| lexemes.get(at).filter(|l| l.is_word()).map_or("", |l| l.text.as_str());
    // «(50-го не надо)» takes back what is in the brackets, not what stands before them.
    if lexemes[at].is('(') {
        let close = at + lexemes[at..end].iter().position(|l| l.is(')'))?;
        let wrong =
            |at: usize| matches!(text(at), "неверно" | "есть") || text(at).starts_with("думал");
        let refused = |at: usize| text(at) == "не" && speech::is_refusal(text(at + 1));
        if (at + 1..close).any(wrong) {
            return Some(Turn::Aside { taken: close + 1 - at });
        }
        return (at + 1..close).any(refused).then_some(Turn::Bracket { end: close });
    }
    // «Стекло 8 мм 1 лист, резать не надо»
    if speech::is_infinitive(text(at)) && text(at + 1) == "не" && speech::is_refusal(text(at + 2))
    {
        return Some(Turn::Aside { taken: 3 });
    }
    if (text(at), text(at + 1), text(at + 2)) == ("того", "и", "другого") {
        let words =
            vec![Lexeme { end: lexemes[at + 2].end, ..word(&lexemes[at], "каждого") }];
        return Some(Turn::Said { words, taken: 3 });
    }
    // «Скоба 140, длина ножки 6 мм»: whose the length is tells nothing.
    let parameter =
        matches!(text(at), "длина" | "высота" | "ширина" | "толщина" | "диаметр" | "глубина");
    let whose = text(at + 1).chars().count() > 3 && text(at + 1).ends_with(['а', 'и', 'ы', 'я']);
    if parameter && whose && lexemes.get(at + 2).is_some_and(Lexeme::is_number) {
        let words = vec![Lexeme { end: lexemes[at + 1].end, ..lexemes[at].clone() }];
        return Some(Turn::Said { words, taken: 2 });
    }
    // «8 номер» is № 8.
    let named = matches!(text(at + 1), "номер" | "номера" | "номером");
    let more = lexemes.get(at + 2).is_some_and(|l| l.is_number() || l.is('№'));
    if lexemes[at].is_number() && named && !more {
        let number = Lexeme { end: lexemes[at + 1].end, named: true, ..lexemes[at].clone() };
        let words = vec![Lexeme { end: number.start, ..word(&lexemes[at], "номер") }, number];
        return Some(Turn::Said { words, taken: 2 });
    }
    None
}

/// Where a quantity with a unit that counts ends in a run, if one is in it.
fn counted(run: &[Lexeme]) -> Option<usize> {
    (0..run.len()).rev().filter(|at| run[*at].is_number()).find_map(|at| {
        let (unit, taken) = unit_at(run, at + 1)?;
        unit.counts().then_some(at + 1 + taken)
    })
}

/// Whether a run says how much of something, in any unit.
fn measured(run: &[Lexeme]) -> bool {
    (0..run.len()).any(|at| run[at].is_number() && unit_at(run, at + 1).is_some())
}

/// Adds a comma and a word that announces what is put right, in the place of what said so.
fn announce(out: &mut Vec<Lexeme>, said: &[Lexeme], text: &str) {
    let (Some(place), Some(last)) = (said.first(), said.last()) else { return };
    while out.last().is_some_and(|l| l.is(',') || l.is('-') || l.text == "ой") {
        out.pop();
    }
    if let Some(before) = out.last().filter(|l| l.is_word() || l.is_number() || l.is(')')) {
        let start = before.end;
        out.push(Lexeme { start, end: place.start.max(start), ..mark(place, ',') });
    }
    out.push(Lexeme { end: last.end, ..word(place, text) });
}

fn mark(place: &Lexeme, mark: char) -> Lexeme {
    Lexeme { kind: Kind::Mark(mark), text: String::new(), dotted: false, ..place.clone() }
}

fn word(place: &Lexeme, text: &str) -> Lexeme {
    let kind = Kind::Word;
    Lexeme {
        kind,
        text: text.to_owned(),
        spaced: true,
        dotted: false,
        upper: false,
        ..place.clone()
    }
}
