//! A message → pieces that may each be a line: by lines, sentences, commas and quantities; with
//! what was taken back taken out.

use super::index::Index;
use super::lexer::{Lexeme, lex};
use super::normalize::{Chars, is_cyrillic, other_layout};
use super::numerals;
use super::quantity::unit_at;
use super::speech::{self, Talk};
use super::types::SynonymTarget;

/// A run of lexemes that may be a line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Piece {
    /// Its lexemes, without what was taken back.
    pub(crate) lexemes: Vec<Lexeme>,
    /// Where it begins in the text.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
    /// Whether it is asked, not ordered.
    pub(crate) question: bool,
    /// Whether a colon ends it: what follows belongs to it.
    pub(crate) header: bool,
    /// Whether it goes on the sentence of the piece before.
    pub(crate) continues: bool,
    /// Whether it begins a line of the text.
    pub(crate) new_line: bool,
    /// Whether it puts right what was said before: «нет, давайте 7».
    pub(crate) corrects: bool,
    /// Whether it takes something back: «белые не надо».
    pub(crate) cancels: bool,
    /// «№ 1 нет»: said not to be there.
    pub(crate) absent: bool,
    /// «Итого».
    pub(crate) total: bool,
    /// «столько же».
    pub(crate) same_quantity: bool,
    /// What else it is, if it names no goods.
    pub(crate) talk: Talk,
}

/// Reads the characters of a message and puts the keyboard layout right.
pub(crate) fn characters(index: &Index, text: &str) -> Chars {
    let mut chars = Chars::new(text);
    let mut from = 0;
    while from < chars.ch.len() {
        let to =
            chars.ch[from..].iter().position(|c| *c == '\n').map_or(chars.ch.len(), |n| from + n);
        right_layout(index, &mut chars, from, to);
        from = to + 1;
    }
    chars
}

/// Converts the words of one line that were typed in the other keyboard layout.
fn right_layout(index: &Index, chars: &mut Chars, from: usize, to: usize) {
    let mut chunks: Vec<(usize, usize)> = Vec::new();
    let mut start = None;
    for i in from..=to {
        let blank = i == to || matches!(chars.ch[i], ' ' | '\t');
        match (blank, start) {
            (false, None) => start = Some(i),
            (true, Some(s)) => {
                chunks.push((s, i));
                start = None;
            }
            _ => {}
        }
    }
    let mut sure = false;
    let mut later: Vec<(usize, usize, bool)> = Vec::new();
    for (a, b) in chunks {
        let latin = chars.ch[a..b].iter().any(char::is_ascii_alphabetic);
        let cyrillic = chars.ch[a..b].iter().any(|c| is_cyrillic(*c));
        if latin == cyrillic {
            continue;
        }
        let turned: Vec<char> = chars.ch[a..b].iter().map(|c| other_layout(*c, latin)).collect();
        let (was, is) = (words(&chars.ch[a..b]), words(&turned));
        let known = |w: &String| w.chars().count() > 1 && familiar(index, w);
        let long = is.iter().any(|w| {
            w.chars().count() >= 4
                && if latin { sure_word(index, w) } else { index.vocabulary.has(w) }
        });
        if !was.is_empty() && !was.iter().any(known) && long {
            chars.ch[a..b].copy_from_slice(&turned);
            sure = true;
        } else if !cyrillic || !was.iter().any(known) {
            later.push((a, b, latin));
        }
    }
    for (a, b, latin) in later {
        let turned: Vec<char> = chars.ch[a..b].iter().map(|c| other_layout(*c, latin)).collect();
        let (was, is) = (words(&chars.ch[a..b]), words(&turned));
        let exact = |w: &String| index.vocabulary.has(w);
        let digits = chars.ch[a..b].iter().any(char::is_ascii_digit);
        let code = digits
            && was.iter().all(|w| w.chars().count() > 1 && !familiar(index, w))
            && !is.is_empty()
            && is.iter().all(exact);
        let small = sure
            && latin
            && !was.iter().any(exact)
            && is.iter().all(|w| familiar(index, w) || w == "х");
        if code || small {
            chars.ch[a..b].copy_from_slice(&turned);
        }
    }
}

fn words(chars: &[char]) -> Vec<String> {
    chars
        .split(|c| !c.is_alphabetic())
        .filter(|w| !w.is_empty())
        .map(|w| w.iter().collect())
        .collect()
}

fn sure_word(index: &Index, word: &str) -> bool {
    index.vocabulary.has(word)
        || index.vocabulary.hears(word) && word.is_ascii()
        || speech::is_filler(word)
        || super::quantity::known_unit(word).is_some()
}

/// Whether a word is of the catalogue, of talk or a unit.
fn familiar(index: &Index, word: &str) -> bool {
    let back = super::vocabulary::cyrillic(word);
    speech::is_filler(word)
        || speech::is_filler(&back)
        || super::quantity::known_unit(word).is_some()
        || super::quantity::known_unit(&back).is_some()
        || super::terms::is_little(word)
        || super::terms::Measure::read(word, true).is_some() && word.chars().count() > 1
        || if word.chars().count() <= 2 {
            index.vocabulary.has(word)
        } else {
            index.vocabulary.hears(word)
        }
}

/// Splits a message into pieces.
pub(crate) fn pieces(index: &Index, chars: &Chars) -> Vec<Piece> {
    let knows = |value: i64| {
        index
            .value_rows
            .get(&value)
            .is_some_and(|row| !index.by_value.row(*row as usize).is_empty())
    };
    let lexemes = numerals::replace(lex(chars), knows);
    let lexemes = without_clock(lexemes);
    let mut lines: Vec<Vec<Lexeme>> = vec![Vec::new()];
    for lexeme in lexemes {
        if lexeme.is('\n') {
            lines.push(Vec::new());
        } else if let Some(line) = lines.last_mut() {
            line.push(lexeme);
        }
    }
    let lines: Vec<Vec<Lexeme>> = lines.into_iter().flat_map(inline_list).collect();
    let numbered = list_numbers(&lines);
    let mut out: Vec<Piece> = Vec::new();
    let mut column: Option<usize> = None;
    for (mut line, number) in lines.into_iter().zip(numbered) {
        line.drain(..number);
        let cells = fields(&line);
        let table = cells.is_some();
        if let Some(cells) = cells {
            let sum =
                cells.iter().flatten().find(|l| l.is_word()).is_some_and(|l| {
                    matches!(l.text.as_str(), "итого" | "всего" | "сумма" | "итог")
                });
            let found = heading(&cells);
            if let Some(found) = found {
                column = found;
            }
            if sum || found.is_some() {
                out.extend(piece(&line).map(|p| Piece { total: true, new_line: true, ..p }));
                continue;
            }
            let mut rows = beside_one_another(index, cells);
            let last = rows.pop().unwrap_or_default();
            for row in rows {
                let row = corrected(row_of_table(index, row, None));
                let first = out.len();
                sentences(index, row, true, &mut out);
                if let Some(piece) = out.get_mut(first) {
                    piece.new_line = true;
                    piece.continues = false;
                }
            }
            line = row_of_table(index, last, column);
        }
        let first = out.len();
        let mut line = corrected(line);
        crosses(&mut line);
        sentences(index, line, table, &mut out);
        if let Some(piece) = out.get_mut(first) {
            piece.new_line = true;
            piece.continues = false;
        }
    }
    out
}

/// Where a telephone number that begins at a lexeme ends: «8 (903) 555-12-40».
fn telephone(lexemes: &[Lexeme], start: usize) -> Option<usize> {
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

/// Makes times, dates and telephone numbers words of talk.
fn without_clock(lexemes: Vec<Lexeme>) -> Vec<Lexeme> {
    let mut out: Vec<Lexeme> = Vec::with_capacity(lexemes.len());
    let mut i = 0;
    while i < lexemes.len() {
        let number = |k: usize| lexemes.get(k).filter(|l| l.is_number() && !l.spoken);
        let tight = |k: usize, mark: char| lexemes.get(k).is_some_and(|l| l.is(mark) && !l.spaced);
        let word = |k: usize| lexemes.get(k).map_or("", |l| l.text.as_str());
        let mut end = telephone(&lexemes, i);
        if end.is_some() {
            // Nothing else begins so.
        } else if lexemes[i].is_number()
            && matches!(word(i + 1), "раз" | "раза" | "позиция" | "позиции" | "позиций")
        {
            end = Some(i + 2);
        } else if let Some(first) = number(i) {
            let two = |k: usize| number(k).is_some_and(|l| !l.spaced && l.text.len() == 2);
            if first.text.len() <= 2 && tight(i + 1, ':') && two(i + 2) {
                end = Some(i + 3);
            } else if first.text.len() >= 10 && !first.text.contains('.') {
                end = Some(i + 1);
            } else if first.text.len() == 1
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
            ) {
                end = Some(i + 2);
            }
        }
        match end {
            Some(end) => {
                let mut lexeme = lexemes[i].clone();
                lexeme.kind = super::lexer::Kind::Word;
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

/// «1) … 2) … 3) …» in one line → lines.
fn inline_list(line: Vec<Lexeme>) -> Vec<Vec<Lexeme>> {
    let numbers = |n: i64, at: usize| {
        let number =
            line.get(at).is_some_and(|l| l.is_number() && !l.spoken && l.value == n * 1000);
        let mark = line.get(at + 1).is_some_and(|l| (l.is(')') || l.is('.')) && !l.spaced);
        number
            && mark
            && line.get(at + 2).is_some_and(|l| l.spaced && (l.is_word() || l.is_number()))
    };
    if !numbers(1, 0) {
        return vec![line];
    }
    let mut starts = vec![0];
    for at in 2..line.len() {
        let next = i64::try_from(starts.len() + 1).unwrap_or(i64::MAX);
        if line[at].spaced && numbers(next, at) {
            starts.push(at);
        }
    }
    if starts.len() < 2 {
        return vec![line];
    }
    starts.push(line.len());
    starts.windows(2).map(|w| line[w[0] + 2..w[1]].to_vec()).collect()
}

/// How many lexemes at the beginning of each line are its number in a list.
fn list_numbers(lines: &[Vec<Lexeme>]) -> Vec<usize> {
    let number = |line: &[Lexeme]| -> Option<(i64, usize)> {
        let skip = line.iter().take_while(|l| l.is('•') || l.is('-') || l.is('*')).count();
        let line = &line[skip..];
        let first = line.first().filter(|l| l.is_number() && l.value % 1000 == 0 && !l.spoken)?;
        let next = line.get(1)?;
        let list = (next.is('.') || next.is(')')) && line.len() > 2
            || next.is('-') && next.spaced && line.get(2).is_some_and(Lexeme::is_word);
        list.then_some((first.value / 1000, skip + 2))
    };
    let found: Vec<Option<(i64, usize)>> = lines.iter().map(|l| number(l)).collect();
    let listed = found.iter().flatten().count();
    let mut expected = 1;
    let mut in_order = 0;
    for (n, _) in found.iter().flatten() {
        if *n == expected {
            in_order += 1;
            expected += 1;
        }
    }
    found
        .into_iter()
        .map(|f| {
            f.filter(|_| in_order * 2 > listed && (listed > 1 || in_order == 1)).map_or(0, |f| f.1)
        })
        .collect()
}

/// A row of a table as it was pasted: fields between tabs, bars or semicolons.
fn fields(line: &[Lexeme]) -> Option<Vec<Vec<Lexeme>>> {
    let mark = ['\t', '|', ';'].into_iter().find(|m| {
        let count = line.iter().filter(|l| l.is(*m)).count();
        count >= if *m == '\t' { 1 } else { 2 }
    })?;
    let mut fields: Vec<Vec<Lexeme>> = vec![Vec::new()];
    let quoted = line.iter().filter(|l| l.is('"')).count();
    for lexeme in line {
        if lexeme.is('"') && quoted >= 2 && quoted.is_multiple_of(2) {
            continue;
        }
        if lexeme.is(mark) {
            fields.push(Vec::new());
        } else if let Some(field) = fields.last_mut() {
            field.push(lexeme.clone());
        }
    }
    // «Скоба 80/6 5 уп; синтепон 2 рул; …» is a list; a table has cells of numbers or units.
    let cell = |f: &Vec<Lexeme>| {
        f.len() == 1 && f[0].is_number()
            || !f.is_empty() && unit_at(f, 0).is_some_and(|(_, n)| n == f.len())
    };
    let counted = |f: &Vec<Lexeme>| {
        f.len() > 1 && f[0].is_number() && unit_at(f, 1).is_some_and(|(_, n)| n + 1 == f.len())
    };
    let table = fields.iter().any(|f| cell(f) || counted(f)) || heading(&fields).is_some();
    (mark == '\t' || table).then_some(fields)
}

/// Two lists side by side: «Скоба 80/6 ⇥ 5 ⇥ Скоба 80/8 ⇥ 3» → two rows.
fn beside_one_another(index: &Index, fields: Vec<Vec<Lexeme>>) -> Vec<Vec<Vec<Lexeme>>> {
    let counted = |f: &Vec<Lexeme>| {
        f.first().is_some_and(|l| l.is_number() && l.text.len() <= 5)
            && (f.len() == 1 || unit_at(f, 1).is_some_and(|(_, n)| n + 1 == f.len()))
    };
    let named = |f: &Vec<Lexeme>| f.first().is_some_and(|l| l.is_word() && opens(index, l));
    // A cell that says how many of what: «Скоба 80/6 5 уп».
    let whole = |f: &Vec<Lexeme>| {
        named(f)
            && (1..f.len()).any(|at| {
                f[at].is_number() && unit_at(f, at + 1).is_some_and(|(_, n)| at + 1 + n == f.len())
            })
    };
    if fields.iter().filter(|f| whole(f)).count() >= 2 {
        return fields.into_iter().map(|f| vec![f]).collect();
    }
    let mut rows: Vec<Vec<Vec<Lexeme>>> = vec![Vec::new()];
    for (at, field) in fields.iter().enumerate() {
        let before = rows.last().is_some_and(|r| {
            r.iter().position(named).is_some_and(|name| r[name..].iter().any(counted))
        });
        if named(field) && before && fields[at + 1..].iter().any(counted) {
            rows.push(Vec::new());
        }
        if let Some(row) = rows.last_mut() {
            row.push(field.clone());
        }
    }
    rows
}

/// Whether a row of a table is its heading, and which column it says is the quantity.
fn heading(fields: &[Vec<Lexeme>]) -> Option<Option<usize>> {
    const WORDS: &[&str] = &[
        "наимен",
        "товар",
        "номенклат",
        "артикул",
        "код",
        "кол",
        "ед",
        "цена",
        "сумм",
        "п/п",
        "позиц",
        "заказ",
        "примеч",
        "цвет",
        "характерист",
        "размер",
        "опис",
        "итого",
        "марка",
        "бренд",
    ];
    let titled = |f: &Vec<Lexeme>| {
        f.iter().find(|l| l.is_word()).is_some_and(|l| WORDS.iter().any(|w| l.text.starts_with(w)))
    };
    if fields.iter().flatten().any(Lexeme::is_number)
        || fields.iter().filter(|f| titled(f)).count() < 2
    {
        return None;
    }
    Some(fields.iter().position(|f| {
        f.iter()
            .find(|l| l.is_word())
            .is_some_and(|l| l.text.starts_with("кол") || l.text.starts_with("заказ"))
    }))
}

/// A row of a table: the quantity is put last, prices and sums are left out.
fn row_of_table(index: &Index, fields: Vec<Vec<Lexeme>>, column: Option<usize>) -> Vec<Lexeme> {
    let article = |f: &[Lexeme]| {
        f[0].text.len() >= 5 && !index.articles.whole(&f[0].text).is_empty()
            || f[0].text.starts_with('0') && f[0].text.len() > 3
    };
    let numeric = |f: &[Lexeme]| f.len() == 1 && f[0].is_number() && !article(f);
    let unit = |f: &[Lexeme]| !f.is_empty() && unit_at(f, 0).is_some_and(|(_, n)| n == f.len());
    let both = |f: &[Lexeme]| {
        f.len() > 1 && f[0].is_number() && unit_at(f, 1).is_some_and(|(_, n)| n + 1 == f.len())
    };
    let money = |f: &[Lexeme]| f[0].text.rsplit_once('.').is_some_and(|(_, d)| d.len() == 2);
    let text = |f: &[Lexeme]| !f.is_empty() && !numeric(f) && !unit(f) && !both(f);
    // «№ 1» before the name is the row's number.
    let fields: Vec<Vec<Lexeme>> = match fields.split_first() {
        Some((number, rest))
            if number.len() == 2
                && number[0].is('№')
                && number[1].is_number()
                && rest.iter().any(|f| text(f)) =>
        {
            rest.to_vec()
        }
        _ => fields,
    };
    let Some(first) = fields.iter().position(|f| text(f)) else { return spaced(fields) };
    let last = fields.iter().rposition(|f| text(f)).unwrap_or(first);
    let tail: Vec<usize> = (last + 1..fields.len()).filter(|at| numeric(&fields[*at])).collect();
    let value = |at: usize| i128::from(fields[at][0].value);
    // So many, at so much, make so much.
    let product = tail.windows(3).find(|w| {
        let (made, sum) = (value(w[0]) * value(w[1]) / 1000, value(w[2]));
        (made - sum).abs() * 50 <= sum.max(1)
    });
    let beside_unit =
        |at: &usize| unit(&fields[at - 1]) || fields.get(at + 1).is_some_and(|f| unit(f));
    let quantity = column
        .filter(|c| fields.get(*c).is_some_and(|f| numeric(f) || both(f)))
        .or_else(|| (last + 1..fields.len()).find(|at| both(&fields[*at])))
        .or_else(|| tail.iter().copied().find(|at| beside_unit(at)))
        .or_else(|| {
            // A note may follow: «6 ⇥ рул ⇥ срочно».
            (first + 1..fields.len()).find(|at| numeric(&fields[*at]) && beside_unit(at))
        })
        .or_else(|| product.map(|w| w[0]))
        .or_else(|| tail.iter().copied().rev().find(|at| !money(&fields[*at])))
        .or_else(|| tail.first().copied())
        .or_else(|| (0..first).find(|at| both(&fields[*at])))
        .or_else(|| {
            (0..first)
                .rev()
                .find(|at| numeric(&fields[*at]) && (*at > 0 || beside_unit(&1.max(*at))))
        });
    let Some(quantity) = quantity else { return spaced(fields) };
    let beside = [quantity + 1, quantity.wrapping_sub(1)]
        .into_iter()
        .find(|at| fields.get(*at).is_some_and(|f| unit(f)));
    let mut kept: Vec<Vec<Lexeme>> = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        let said = at == quantity || Some(at) == beside;
        // A small number before the name is the row's; money goes after the quantity.
        let row = at < first && numeric(field) && field[0].value < 1_000_000;
        let other = column.is_some() && numeric(field);
        let after =
            at > last && (at > quantity || other) && (numeric(field) || unit(field) || both(field));
        if !said && !row && !after {
            kept.push(field.clone());
        }
    }
    let mut out = spaced(kept);
    let mut tail = fields[quantity].clone();
    if let Some(head) = tail.first() {
        let tab =
            Lexeme { kind: super::lexer::Kind::Mark('\t'), text: String::new(), ..head.clone() };
        out.push(tab);
    }
    tail.extend(beside.into_iter().flat_map(|at| fields[at].clone()));
    out.extend(spaced(vec![tail]));
    out
}

/// Fields in a row, with a blank between.
fn spaced(fields: Vec<Vec<Lexeme>>) -> Vec<Lexeme> {
    let mut out = Vec::new();
    for mut field in fields {
        if let Some(first) = field.first_mut() {
            first.spaced = true;
        }
        out.extend(field);
    }
    out
}

/// «4 на 25» → a size.
fn crosses(line: &mut [Lexeme]) {
    for i in 1..line.len().saturating_sub(1) {
        let between = line[i].text == "на"
            || line[i].text == "na"
            || line[i].text == "х"
            || line[i].text == "x";
        let measured = i >= 2
            && line[i - 2].is_number()
            && line[i - 1].is_word()
            && super::terms::Measure::read(&line[i - 1].text, true).is_some_and(|m| {
                matches!(m, super::terms::Measure::Mm | super::terms::Measure::Cm)
            });
        if line[i].is_word()
            && between
            && (line[i - 1].is_number() || measured)
            && line[i + 1].is_number()
        {
            line[i].kind = super::lexer::Kind::Mark('x');
        }
    }
}

/// Takes out of a line what its words take back: «не 7х70», «вместо 250», «тьфу».
fn corrected(line: Vec<Lexeme>) -> Vec<Lexeme> {
    let mut dead = vec![false; line.len()];
    let mut mended: Vec<usize> = Vec::new();
    let word = |i: usize| line.get(i).filter(|l| l.is_word()).map(|l| l.text.as_str());
    let boundary = |l: &Lexeme| {
        l.is(',')
            || l.is(';')
            || l.is('!')
            || l.is('?')
            || l.is('(')
            || l.is(')')
            || l.is('.')
            || l.is('\t')
            || (l.is('-') && l.spaced)
    };
    let mut i = 0;
    while i < line.len() {
        match word(i) {
            Some("не") if word(i + 1).is_some_and(speech::is_refusal) => i += 1,
            Some("не") => {
                let end =
                    (i + 1..line.len()).find(|k| boundary(&line[*k]) || word(*k) == Some("а"));
                let end = end.unwrap_or(line.len());
                // «не белый, а бежевый»
                let after =
                    if line.get(end).is_some_and(|l| l.is(',')) && word(end + 1) == Some("а") {
                        end + 1
                    } else {
                        end
                    };
                let replaced = word(after) == Some("а");
                let bracket = i > 0 && line[i - 1].is('(');
                let comma = i == 0 || boundary(&line[i - 1]) || line[i - 1].dotted;
                if replaced {
                    for d in &mut dead[i..=after] {
                        *d = true;
                    }
                    if comma && i > 0 {
                        mended.push(after);
                    }
                    i = after;
                } else if bracket || comma {
                    // A quantity after what is refused belongs to the line.
                    let stop = quantity_in(&line, i + 1, end).unwrap_or(end);
                    for d in &mut dead[i..stop] {
                        *d = true;
                    }
                    i = stop.max(i + 1) - 1;
                } else if word(i + 1).is_some() {
                    // «обычные не нерж 2уп»
                    dead[i] = true;
                    dead[i + 1] = true;
                    i += 1;
                }
            }
            Some("вместо" | "заместо") => {
                dead[i] = true;
                let mut k = i + 1;
                // One thing: a number with its unit, or words.
                if line.get(k).is_some_and(Lexeme::is_number) {
                    dead[k] = true;
                    k += 1;
                    while k < line.len()
                        && (line[k].is('x')
                            || line[k].is('/')
                            || (line[k].is_number()
                                && (line[k - 1].is('x') || line[k - 1].is('/'))))
                    {
                        dead[k] = true;
                        k += 1;
                    }
                    if let Some((_, n)) = unit_at(&line, k) {
                        for d in &mut dead[k..(k + n).min(line.len())] {
                            *d = true;
                        }
                    }
                } else if word(k).is_some_and(|w| {
                    matches!(w, "него" | "нее" | "них" | "этого" | "этой" | "этих")
                }) {
                    dead[k] = true;
                } else {
                    if line.get(k).is_some_and(|l| l.is_word() && !speech::is_filler(&l.text)) {
                        dead[k] = true;
                        k += 1;
                    }
                    if line.get(k).is_some_and(Lexeme::is_number)
                        && unit_at(&line, k + 1).is_none()
                        && line.get(k + 1).is_some()
                    {
                        dead[k] = true;
                    }
                }
            }
            Some("было") if line.get(i + 1).is_some_and(Lexeme::is_number) => {
                dead[i] = true;
                dead[i + 1] = true;
                if let Some((_, n)) = unit_at(&line, i + 2) {
                    for d in &mut dead[i + 2..(i + 2 + n).min(line.len())] {
                        *d = true;
                    }
                }
            }
            Some("тьфу" | "тоесть" | "точнее" | "вернее") => {
                take_back(&line, i, i + 1, &mut dead);
            }
            Some("то") if word(i + 1) == Some("есть") => {
                take_back(&line, i, i + 2, &mut dead);
            }
            Some("в") if word(i + 1) == Some("смысле") => {
                take_back(&line, i, i + 2, &mut dead);
            }
            _ if line[i].is('.') && line.get(i + 1).is_some_and(|l| l.is('.'))
                || line[i].is('…') =>
            {
                // «чёр... белая»: a word cut short is taken back.
                let next = (i..line.len()).find(|k| !line[*k].is('.') && !line[*k].is('…'));
                let cut = i > 0 && line[i - 1].is_word() && unit_at(&line, i - 1).is_none();
                if cut
                    && next.is_some_and(|n| {
                        line[n].is_word() && !matches!(line[n].text.as_str(), "нет" | "хотя" | "ой")
                    })
                {
                    dead[i - 1] = true;
                    for d in &mut dead[i..next.unwrap_or(i)] {
                        *d = true;
                    }
                }
            }
            _ => {}
        }
        i += 1;
    }
    let mut line = line;
    for at in mended {
        // «5 уп, не 5 а 7»: what follows puts right what was said.
        line[at].text = "лучше".into();
        dead[at] = false;
    }
    line.into_iter().zip(dead).filter(|(_, d)| !d).map(|(l, _)| l).collect()
}

/// Where a quantity with a unit begins in a range.
fn quantity_in(line: &[Lexeme], from: usize, to: usize) -> Option<usize> {
    (from + 1..to)
        .find(|k| line[*k].is_number() && unit_at(line, *k + 1).is_some_and(|(u, _)| u.counts()))
}

/// «скобы 14/10 тоесть 140/10»: what stands before gives way to what follows.
fn take_back(line: &[Lexeme], at: usize, after: usize, dead: &mut [bool]) {
    for d in &mut dead[at..after.min(line.len())] {
        *d = true;
    }
    let Some(next) = line.get(after) else { return };
    let mut k = at;
    while k > 0 && (line[k - 1].is('.') || line[k - 1].is(',') || line[k - 1].is('-')) {
        dead[k - 1] = true;
        k -= 1;
    }
    if next.is_number() {
        while k > 0 && (line[k - 1].is_number() || line[k - 1].is('x') || line[k - 1].is('/')) {
            dead[k - 1] = true;
            k -= 1;
        }
    } else {
        while k > 0 && !line[k - 1].is(',') && !line[k - 1].is(';') {
            dead[k - 1] = true;
            k -= 1;
        }
    }
}

/// Splits a line into sentences and these at commas and conjunctions.
fn sentences(index: &Index, line: Vec<Lexeme>, table: bool, out: &mut Vec<Piece>) {
    let mut current: Vec<Lexeme> = Vec::new();
    let mut begins = true;
    if table {
        // A row of a table is one line, whatever stands in its cells.
        let lexemes: Vec<Lexeme> = line.into_iter().filter(|l| !l.is(',') && !l.is(';')).collect();
        let part = trimmed(&lexemes);
        out.extend(piece(part));
        return;
    }
    let mut depth = 0_usize;
    let mut begun_at = out.len();
    let count = line.len();
    for i in 0..count {
        let lexeme = &line[i];
        let next = line.get(i + 1);
        if lexeme.is('(') {
            let close = line[i..].iter().position(|l| l.is(')')).map(|n| i + n);
            // «нитки 70лл (белые 5, чёрные 5)» goes on the list.
            let list = close.is_some_and(|close| {
                let inside = &line[i..close];
                inside.iter().any(|l| l.is(','))
                    && inside.iter().filter(|l| l.is_number()).count() >= 2
            });
            if list {
                flush(index, &mut current, begins, true, out);
                begins = false;
                continue;
            }
            depth += usize::from(close.is_some());
        }
        let smile = lexeme.is(')') && depth == 0 && next.is_none_or(|n| n.spaced);
        if lexeme.is(')') {
            depth = depth.saturating_sub(1);
        }
        let ends = depth == 0
            && (lexeme.is('!')
                || lexeme.is('?')
                || lexeme.is(';')
                || lexeme.is('…')
                || smile
                || lexeme.is('•')
                || lexeme.is('.') && next.is_none_or(|n| n.spaced || n.is('.')));
        if ends {
            let question = lexeme.is('?');
            flush(index, &mut current, begins, false, out);
            if question {
                for piece in &mut out[begun_at..] {
                    piece.question = true;
                }
            }
            begins = true;
            begun_at = out.len();
            continue;
        }
        if depth == 0 && lexeme.is(':') && !current.is_empty() && quantity_follows(&line, i + 1) {
            current.push(Lexeme {
                kind: super::lexer::Kind::Mark('-'),
                spaced: true,
                ..lexeme.clone()
            });
            continue;
        }
        if depth == 0
            && lexeme.is(':')
            && !(i > 0 && line[i - 1].is_number() && next.is_some_and(Lexeme::is_number))
            && !table
        {
            flush(index, &mut current, begins, true, out);
            begins = true;
            begun_at = out.len();
            continue;
        }
        // «1000 шт нет 2000 шт», «точнее чёрный»
        let mends = depth == 0
            && lexeme.is_word()
            && current.iter().any(Lexeme::is_number)
            && matches!(
                lexeme.text.as_str(),
                "нет" | "ой" | "точнее" | "вернее" | "хотя" | "лучше"
            )
            && next.is_some_and(|n| n.is_number() || n.is_word());
        if mends {
            flush(index, &mut current, begins, false, out);
            begins = false;
        }
        // «белый/чёрный по 5»
        let either = depth == 0
            && lexeme.is('/')
            && i > 0
            && [line.get(i - 1), next].iter().all(|l| {
                l.is_some_and(|l| {
                    l.is_word() && l.text.chars().count() >= 3 && index.vocabulary.hears(&l.text)
                })
            });
        // «4х25/4х30 по 1000»
        let sizes = depth == 0
            && lexeme.is('/')
            && i >= 2
            && line[i - 2].is('x')
            && next.is_some_and(Lexeme::is_number)
            && line.get(i + 2).is_some_and(|l| l.is('x'));
        let comma = lexeme.is(',') && depth == 0
            || either
            || sizes
            || lexeme.is('+') && lexeme.spaced && depth == 0
            || lexeme.is_word()
                && depth == 0
                && !current.is_empty()
                && !lexeme.dotted
                && speech::is_conjunction(&lexeme.text)
                && (lexeme.text != "плюс" || current.iter().any(Lexeme::is_number));
        if comma {
            flush(index, &mut current, begins, false, out);
            begins = false;
            continue;
        }
        let stop = lexeme.dotted
            && next.is_some_and(|n| n.spaced && n.is_word())
            && depth == 0
            && (lexeme.text.chars().count() >= 4
                && (speech::is_filler(&lexeme.text) || speech::is_delivery(&lexeme.text))
                || lexeme.text.chars().count() >= 4
                    && super::normalize::stem(&lexeme.text) != lexeme.text
                    && index.vocabulary.is_whole(&lexeme.text)
                || i > 0 && line[i - 1].is_number() && unit_at(&line, i).is_some());
        current.push(lexeme.clone());
        if stop {
            flush(index, &mut current, begins, false, out);
            begins = true;
            begun_at = out.len();
        }
    }
    flush(index, &mut current, begins, false, out);
}

/// Whether a quantity and nothing else stands between here and the next comma.
fn quantity_follows(line: &[Lexeme], from: usize) -> bool {
    let to =
        line[from..].iter().position(|l| l.is(',') || l.is(';')).map_or(line.len(), |n| from + n);
    let rest = &line[from..to];
    match rest.first() {
        Some(first) if first.is_number() && !first.named => {
            rest.len() == 1 || unit_at(rest, 1).is_some_and(|(_, n)| n + 1 == rest.len())
        }
        _ => false,
    }
}

/// Makes pieces of a run: cut where a quantity ends and another item begins.
fn flush(
    index: &Index,
    current: &mut Vec<Lexeme>,
    begins: bool,
    header: bool,
    out: &mut Vec<Piece>,
) {
    let lexemes = std::mem::take(current);
    if !lexemes.iter().any(|l| l.is_word() || l.is_number()) {
        return;
    }
    let cuts = cuts(index, &lexemes);
    let mut from = 0;
    let ends = cuts.iter().copied().chain([lexemes.len()]).collect::<Vec<_>>();
    for (n, end) in ends.into_iter().enumerate() {
        let part = trimmed(&lexemes[from..end]);
        from = end;
        if let Some(mut piece) = piece(part) {
            piece.continues = !begins || n > 0;
            piece.header = header && from == lexemes.len();
            out.push(piece);
        }
    }
}

/// A run without marks at its ends.
fn trimmed(lexemes: &[Lexeme]) -> &[Lexeme] {
    let idle = |l: &Lexeme| {
        !l.is_word() && !l.is_number() && !l.is('x') && !l.is('№') && !l.is('(') && !l.is('-')
    };
    let from = lexemes.iter().position(|l| !idle(l)).unwrap_or(lexemes.len());
    let to = lexemes
        .iter()
        .rposition(|l| l.is_word() || l.is_number() || l.is(')') || l.is('%') || l.is('"'))
        .map_or(from, |n| n + 1);
    &lexemes[from.min(to)..to]
}

pub(crate) fn piece(lexemes: &[Lexeme]) -> Option<Piece> {
    let told = || lexemes.iter().filter(|l| l.is_word() || l.is_number());
    let start = told().map(|l| l.start).min()?;
    let end = told().map(|l| l.end).max()?;
    let texts: Vec<&str> =
        lexemes.iter().filter(|l| l.is_word()).map(|l| l.text.as_str()).collect();
    let pair = |a: &str, b: &str| texts.windows(2).any(|w| w[0] == a && w[1] == b);
    Some(Piece {
        start,
        end: end.max(lexemes.last().filter(|l| l.is('%') || l.is('"')).map_or(0, |l| l.end)),
        corrects: texts.iter().any(|t| speech::is_correction(t)),
        cancels: texts.windows(2).any(|w| w[0] == "не" && speech::is_refusal(w[1]))
            || texts.iter().any(|t| speech::is_cancel(t)),
        same_quantity: pair("столько", "же"),
        absent: texts.last() == Some(&"нет") && texts.len() > 1,
        total: texts.first().is_some_and(|t| matches!(*t, "итого" | "всего" | "сумма" | "итог")),
        question: speech::asks(&texts),
        talk: speech::talk(&texts),
        lexemes: lexemes.to_vec(),
        ..Piece::default()
    })
}

/// Where a run of lexemes must be cut: after a quantity that another item follows.
fn cuts(index: &Index, lexemes: &[Lexeme]) -> Vec<usize> {
    let mut out = Vec::new();
    let mut from = 0;
    let mut i = 0;
    while i < lexemes.len() {
        let lexeme = &lexemes[i];
        if lexeme.is_word()
            && super::quantity::is_lone_unit(&lexeme.text)
            && i > 0
            && !(lexemes[i - 1].is_number() && !lexemes[i - 1].named)
            && !(unit_at(lexemes, i - 1).is_some()
                && index
                    .vocabulary
                    .row(&super::normalize::stem(&lexeme.text))
                    .is_some_and(|r| index.vocabulary.get(r).head))
            && lexemes.get(i + 1).is_some_and(|l| l.is_word() && opens(index, l))
            && lexemes[from..i].iter().any(|l| l.is_word() && opens(index, l))
            && lexemes[i + 1..].iter().any(Lexeme::is_number)
        {
            out.push(i + 1);
            from = i + 1;
            i += 1;
            continue;
        }
        if !lexeme.is_number() || lexeme.named {
            i += 1;
            continue;
        }
        let sized = i > 0
            && (lexemes[i - 1].is('x') || lexemes[i - 1].is('/') || lexemes[i - 1].is('№'))
            || lexemes.get(i + 1).is_some_and(|l| l.is('x') || l.is('/'))
            || i > 0 && !lexeme.spaced && (lexemes[i - 1].is_word() || lexemes[i - 1].is('-'));
        let unit =
            unit_at(lexemes, i + 1).filter(|u| matches!(u.0, super::quantity::Said::Unit(_)));
        let measured = unit.is_none()
            && lexemes.get(i + 1).is_some_and(|l| {
                l.is('%')
                    || l.is_word() && super::terms::Measure::read(&l.text, !l.spaced).is_some()
            });
        let mut end = i + 1 + unit.as_ref().map_or(0, |u| u.1);
        if unit.is_some()
            && lexemes.get(end).is_some_and(|l| l.text == "по")
            && lexemes.get(end + 1).is_some_and(Lexeme::is_number)
        {
            end += 2;
            if let Some((_, n)) = unit_at(lexemes, end) {
                end += n;
            }
        }
        let rest = &lexemes[end.min(lexemes.len())..];
        let before = &lexemes[from..i];
        let heads = |run: &[Lexeme]| run.iter().any(|l| l.is_word() && opens(index, l));
        let says = |run: &[Lexeme]| {
            run.iter().any(|l| {
                l.is_word()
                    && !speech::is_filler(&l.text)
                    && !speech::is_delivery(&l.text)
                    && !super::terms::is_little(&l.text)
                    && super::quantity::known_unit(&l.text).is_none()
                    && (l.dotted || index.vocabulary.hears(&l.text) || opens(index, l))
            })
        };
        let next_word = rest.iter().find(|l| {
            l.is_word() && !speech::is_filler(&l.text) && !super::terms::is_little(&l.text)
        });
        let counts = unit.as_ref().is_some_and(|u| u.0.counts());
        let opens_next = next_word.is_some_and(|l| opens(index, l));
        let numbered = rest.iter().any(Lexeme::is_number);
        let unit_later =
            (0..rest.len()).any(|k| rest[k].is_number() && unit_at(rest, k + 1).is_some());
        let cut = if counts {
            says(before)
                && says(rest)
                && rest.first().is_some_and(Lexeme::is_word)
                && (unit_later || opens_next && numbered)
        } else if unit.is_some() {
            says(before) && !sized && opens_next && numbered
        } else {
            heads(before)
                && !sized
                && !measured
                && opens_next
                && numbered
                && rest.first().is_some_and(|l| l.is_word() && l.spaced && opens(index, l))
                && before.iter().any(Lexeme::is_number)
        };
        if cut {
            out.push(end);
            from = end;
        }
        i = end;
    }
    out
}

/// Whether a word opens an item: titles or categories begin with it.
pub(crate) fn opens(index: &Index, lexeme: &Lexeme) -> bool {
    let unit = super::quantity::unit_at(std::slice::from_ref(lexeme), 0);
    if unit.is_some_and(|(u, _)| u.short().is_some())
        || lexeme.text.chars().count() < 2 && !lexeme.dotted
    {
        return false;
    }
    let word = super::terms::Word {
        text: lexeme.text.clone(),
        dotted: lexeme.dotted,
        ..Default::default()
    };
    let meanings = index.vocabulary.meanings(&word);
    let best = meanings.words.iter().map(|w| w.1).fold(0.0_f32, f32::max);
    let synonym = index.lexicon.at(&[lexeme]).iter().any(|(n, target)| {
        let SynonymTarget::Words(words) = target else { return *n == 1 };
        *n == 1
            && words.split_whitespace().any(|w| {
                let row = index.vocabulary.row(&super::normalize::stem(&w.to_lowercase()));
                row.is_some_and(|r| {
                    let known = index.vocabulary.get(r);
                    known.head && !known.telling
                })
            })
    });
    synonym
        || meanings.words.iter().any(|(id, q)| {
            let known = index.vocabulary.get(*id);
            let long = known.surface.chars().count() >= 3;
            *q >= best - 0.03 && *q >= 0.8 && long && (known.head && !known.telling || known.name)
        })
}
