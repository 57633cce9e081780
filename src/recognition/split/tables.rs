//! Tables as they are pasted: fields between tabs, bars or semicolons.

use super::super::index::Index;
use super::super::lexer::{Kind, Lexeme};
use super::super::quantity::unit_at;
use super::opens;

/// A row of a table as it was pasted: fields between tabs, bars or semicolons.
pub(super) fn fields(line: &[Lexeme]) -> Option<Vec<Vec<Lexeme>>> {
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

/// Whether a row of a table is its heading, and which column it says is the quantity.
pub(super) fn heading(fields: &[Vec<Lexeme>]) -> Option<Option<usize>> {
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
pub(super) fn row_of_table(
    index: &Index,
    fields: Vec<Vec<Lexeme>>,
    column: Option<usize>,
) -> Vec<Lexeme> {
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
        let tab = Lexeme { kind: Kind::Mark('\t'), text: String::new(), ..head.clone() };
        out.push(tab);
    }
    tail.extend(beside.into_iter().flat_map(|at| fields[at].clone()));
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
