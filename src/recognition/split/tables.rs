//! Tables as they are pasted: fields between tabs, bars or semicolons.

use super::super::index::Index;
use super::super::lexer::{Kind, Lexeme};
use super::super::quantity::unit_at;
use super::opens;

/// A row of a table as it was pasted: fields between tabs, bars or semicolons.
pub(super) fn fields(index: &Index, line: &[Lexeme]) -> Option<Vec<Vec<Lexeme>>> {
    let quoted = |at: Option<&Lexeme>| at.is_some_and(|l| l.is('"'));
    let parts = |at: usize, mark: char| {
        let next = line.get(at + 1);
        line[at].is(mark)
            && match mark {
                '/' => line[at].spaced && next.is_some_and(|l| l.spaced),
                // «"Скоба 80/10","уп","20"»
                ',' => quoted(at.checked_sub(1).map(|b| &line[b])) && quoted(next),
                _ => true,
            }
    };
    // «Скоба 80/10;20»: one mark before a bare quantity is enough.
    let ends = |mark: char| {
        let last = line.iter().rposition(|l| l.is(mark)).map_or(line.len(), |at| at + 1);
        let cell = &line[last..];
        cell.first().is_some_and(Lexeme::is_number)
            && (cell.len() == 1 || unit_at(cell, 1).is_some_and(|(_, n)| n + 1 == cell.len()))
    };
    let mark = ['\t', '|', ';', '/', ','].into_iter().find(|m| {
        let count = (0..line.len()).filter(|at| parts(*at, *m)).count();
        let least = if matches!(m, '\t' | ',') || *m != '/' && ends(*m) { 1 } else { 2 };
        count >= least
    })?;
    let mut fields: Vec<Vec<Lexeme>> = vec![Vec::new()];
    let quoted = line.iter().filter(|l| l.is('"')).count();
    for (at, lexeme) in line.iter().enumerate() {
        if lexeme.is('"') && quoted >= 2 && quoted.is_multiple_of(2) {
            continue;
        }
        if parts(at, mark) {
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
    // «Холкон 100; 150; 400 по 1 рул» is a list of numbers that share what ends it.
    let shares = |f: &Vec<Lexeme>| {
        f.windows(2).any(|pair| pair[0].text == "по" && pair[1].is_number())
            && f.first().is_some_and(Lexeme::is_number)
    };
    let shared = mark == ';' && fields.last().is_some_and(shares);
    let table = !shared && fields.iter().any(|f| cell(f) || counted(f))
        || heading(index, &fields).is_some();
    (mark == '\t' || table).then_some(fields)
}

/// Two lists side by side: «Скоба 80/6 ⇥ 5 ⇥ Скоба 80/8 ⇥ 3» → two rows.
pub(super) fn beside_one_another(index: &Index, fields: Vec<Vec<Lexeme>>) -> Vec<Vec<Vec<Lexeme>>> {
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

/// What a column of a table holds, as its heading says.
#[derive(Debug, Clone)]
pub(super) enum Column {
    /// The name of the goods or a part of it: a size, a colour.
    Name,
    /// The article, or no more than the row's number: «Код».
    Code,
    /// How many; of which unit, where the heading is one: «Рулонов».
    Quantity(Option<Lexeme>),
    /// The unit.
    Unit,
    /// How many are in a pack: «шт в рулоне».
    Pack,
    /// Row numbers, prices, sums, notes.
    Idle,
}

/// A heading of a table.
#[derive(Debug, Clone, Default)]
pub(super) struct Heading {
    /// Its columns.
    pub(super) columns: Vec<Column>,
    /// The cell that names the goods of all rows: «Скобы» over 80, 92, 97.
    pub(super) goods: Option<Vec<Lexeme>>,
}

impl Heading {
    fn at(&self, column: usize) -> Option<&Column> {
        self.columns.get(column)
    }
}

/// The columns of a table, if a row is its heading.
pub(super) fn heading(index: &Index, fields: &[Vec<Lexeme>]) -> Option<Heading> {
    // A heading has no numbers of its own, yet may name goods that have: «Нитки 70ЛЛ».
    let counts = |f: &Vec<Lexeme>| f.first().is_some_and(Lexeme::is_number);
    if fields.iter().any(counts) || fields.iter().flatten().count() < 2 {
        return None;
    }
    let mut titled = 0;
    let mut goods = None;
    let mut columns = Vec::with_capacity(fields.len());
    for field in fields {
        let (column, sure) = column(field);
        titled += usize::from(sure && !field.is_empty());
        if !sure && goods.is_none() && field.iter().any(|l| l.is_word() && opens(index, l)) {
            goods = Some(field.clone());
        }
        columns.push(column);
    }
    let filled = fields.iter().filter(|f| !f.is_empty()).count();
    let numbered = fields.iter().flatten().any(Lexeme::is_number);
    let sure = titled >= 2 && !numbered
        || goods.is_some() && titled + 1 >= filled && titled >= 1 && filled >= 2;
    sure.then_some(Heading { columns, goods })
}

/// How headings over names and what the goods are like begin.
const NAMES: &[&str] = &[
    "наимен",
    "товар",
    "номенклат",
    "позиц",
    "назван",
    "цвет",
    "размер",
    "опис",
    "марка",
    "бренд",
    "характерист",
    "толщин",
    "ширин",
    "длин",
    "высот",
    "диаметр",
    "тип",
    "объем",
    "литраж",
    "плотн",
    "вид",
    "модел",
    "матер",
    "фасовк",
    "производ",
    "формат",
    "сорт",
    "стандарт",
    "резьб",
    "декор",
    "покрыт",
    "исполнен",
    "сечен",
    "мощност",
    "креплен",
    "коллекц",
    "отделк",
    "name",
];

/// How headings over articles begin.
const CODES: &[&str] = &["артикул", "код", "sku"];

/// How headings begin over what says nothing of the goods.
const IDLE: &[&str] = &[
    "цена",
    "цен",
    "сумм",
    "стоим",
    "итого",
    "примеч",
    "коммент",
    "комент",
    "остат",
    "налич",
    "скид",
    "ндс",
    "всего",
    "руб",
    "срок",
    "price",
    "пп",
    "п/п",
    "дата",
    "склад",
    "поставщ",
    "получат",
    "контраг",
    "заказч",
    "клиент",
    "менедж",
    "ответств",
    "объект",
    "отдел",
    "адрес",
    "статус",
    "состоян",
    "фото",
    "картин",
    "ссылк",
    "штрих",
    "гтд",
    "стран",
    "гаранти",
    "замен",
];

/// How headings over quantities begin.
const COUNTS: &[&str] =
    &["колич", "кол-", "колво", "метраж", "заказ", "нужн", "надо", "потребн", "qty", "требует"];

/// What the heading of a column says, and whether it is surely one.
pub(super) fn column(field: &[Lexeme]) -> (Column, bool) {
    let words: Vec<&Lexeme> = field.iter().filter(|l| l.is_word()).collect();
    let Some(first) = words.first() else {
        return (Column::Idle, field.iter().any(|l| l.is('№')));
    };
    let begins = |list: &[&str], word: &str| list.iter().any(|w| word.starts_with(w));
    let packed = words.iter().skip(1).any(|l| matches!(l.text.as_str(), "в" | "на"));
    if field.first().is_some_and(|l| l.is('№')) || matches!(first.text.as_str(), "no" | "поз")
    {
        return (Column::Idle, true);
    }
    let within = first.text == "в" && unit_at(field, 1).is_some_and(|(unit, _)| unit.counts());
    if unit_at(field, 0).is_some() && packed || within {
        return (Column::Pack, true);
    }
    // «Надо болт М6 40 шт; надо гайка М6 20 шт» is no heading.
    let numbered = field.iter().any(Lexeme::is_number);
    if !numbered && (first.text == "кол" || begins(COUNTS, &first.text)) {
        let unit = words
            .iter()
            .skip(1)
            .find(|l| unit_at(std::slice::from_ref(*l), 0).is_some() && l.text.chars().count() > 1);
        return (Column::Quantity(unit.map(|u| (*u).clone())), true);
    }
    if first.text.starts_with("ед") || first.text == "еи" || first.text.starts_with("изм") {
        return (Column::Unit, true);
    }
    if begins(CODES, &first.text) {
        return (Column::Code, true);
    }
    if first.text == "вес" || begins(NAMES, &first.text) {
        return (Column::Name, true);
    }
    if unit_at(field, 0).is_some_and(|(_, n)| n == field.len()) {
        return (Column::Quantity(Some((*first).clone())), true);
    }
    if begins(IDLE, &first.text) {
        return (Column::Idle, true);
    }
    (Column::Name, false)
}

/// A row of a table: the quantity is put last, prices and sums are left out.
pub(super) fn row_of_table(
    index: &Index,
    fields: Vec<Vec<Lexeme>>,
    heading: Option<&Heading>,
) -> Vec<Lexeme> {
    if let Some(row) = heading.and_then(|h| row_under(index, h, &fields)) {
        return row;
    }
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
    // «Кофе ⇥ 250г ⇥ 60» is sixty of 250 g.
    let later = |at: usize| tail.iter().any(|later| *later > at);
    let counted = |at: usize| {
        both(&fields[at])
            && (!later(at) || unit_at(&fields[at], 1).is_some_and(|(unit, _)| unit.counts()))
    };
    let quantity = (last + 1..fields.len())
        .find(|at| counted(*at))
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
        let after = at > last && at > quantity && (numeric(field) || unit(field) || both(field));
        if !said && !row && !after {
            kept.push(field.clone());
        }
    }
    let mut tail = fields[quantity].clone();
    tail.extend(beside.into_iter().flat_map(|at| fields[at].clone()));
    with_quantity(kept, tail)
}

/// A row as the heading of its table tells to read it.
fn row_under(index: &Index, heading: &Heading, fields: &[Vec<Lexeme>]) -> Option<Vec<Lexeme>> {
    let quantity = (0..fields.len()).find(|at| {
        matches!(heading.at(*at), Some(Column::Quantity(_)))
            && fields[*at].first().is_some_and(Lexeme::is_number)
    })?;
    let unit = (0..fields.len())
        .find(|at| matches!(heading.at(*at), Some(Column::Unit)))
        .map(|at| fields[at].clone())
        .or_else(|| match heading.at(quantity) {
            Some(Column::Quantity(Some(unit))) if fields[quantity].len() == 1 => {
                let place = fields[quantity].first()?;
                Some(vec![Lexeme { start: place.start, end: place.end, ..unit.clone() }])
            }
            _ => None,
        });
    let mut kept: Vec<Vec<Lexeme>> = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        match heading.at(at) {
            Some(Column::Name) => kept.push(field.clone()),
            // «1», «2», «3» under «Код» are the rows' numbers.
            Some(Column::Code) => match field.as_slice() {
                [number]
                    if number.is_number()
                        && index.articles.whole(&number.text).is_empty()
                        && number.text.len() <= 3 => {}
                _ => kept.push(field.clone()),
            },
            Some(Column::Pack) if field.first().is_some_and(Lexeme::is_number) => {
                let mut pack = field.clone();
                pack.truncate(1);
                let piece = Lexeme { kind: Kind::Word, text: "шт".into(), ..pack[0].clone() };
                pack.push(piece);
                kept.push(pack);
            }
            _ => {}
        }
    }
    if !kept.iter().flatten().any(|l| l.is_word() || l.is_number()) {
        return None;
    }
    let mut tail = fields[quantity].clone();
    tail.extend(unit.into_iter().flatten());
    Some(with_quantity(kept, tail))
}

/// A row of a table: its name, a tab, its quantity.
fn with_quantity(kept: Vec<Vec<Lexeme>>, tail: Vec<Lexeme>) -> Vec<Lexeme> {
    let mut out = spaced(kept);
    if let Some(head) = tail.first() {
        out.push(Lexeme { kind: Kind::Mark('\t'), text: String::new(), ..head.clone() });
    }
    out.extend(spaced(vec![tail]));
    out
}

/// Fields in a row, with a blank between.
pub(super) fn spaced(fields: Vec<Vec<Lexeme>>) -> Vec<Lexeme> {
    let mut out = Vec::new();
    for mut field in fields {
        if let Some(first) = field.first_mut() {
            first.spaced = true;
        }
        out.extend(field);
    }
    out
}

/// Columns that are only blanks apart: gaps much wider than the others become tabs.
pub(super) fn tabbed(line: Vec<Lexeme>) -> Vec<Lexeme> {
    let gap = |at: usize| {
        let end = line[at - 1].end + usize::from(line[at - 1].dotted);
        if line[at].spaced { line[at].start.saturating_sub(end) } else { 0 }
    };
    if line.iter().any(|l| l.is('\t')) {
        return line;
    }
    let least = (1..line.len()).map(gap).filter(|g| *g > 0).min().unwrap_or(0);
    let wide: Vec<usize> =
        (1..line.len()).filter(|at| least > 0 && gap(*at) >= least * 3).collect();
    if wide.len() < 2 && !(wide.len() == 1 && wide.iter().all(|at| line[*at].is_number())) {
        return line;
    }
    let mut out = Vec::with_capacity(line.len() + wide.len());
    for (at, lexeme) in line.into_iter().enumerate() {
        if wide.contains(&at) {
            out.push(Lexeme { kind: Kind::Mark('\t'), text: String::new(), ..lexeme.clone() });
        }
        out.push(lexeme);
    }
    out
}
