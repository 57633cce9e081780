//! Tables that name goods twice: down the side and across the top, a quantity where they meet.
//!
//! ```text
//! Цвет   Стропа 25   Стропа 50
//! чёрная     4           2
//! ```

use super::super::index::Index;
use super::super::lexer::{Kind, Lexeme};
use super::tables::{column, spaced};
use super::{opens, sums_up};

/// A row of a table, cell by cell.
pub(super) type Cells = Vec<Vec<Lexeme>>;

/// A table whose columns are goods or attributes.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    /// The goods that the corner names.
    corner: Vec<Lexeme>,
    /// What each column says of its cells; empty where a column says nothing.
    labels: Cells,
}

impl Grid {
    /// The grid that a row begins, if the row after it is one of numbers under its labels.
    pub(super) fn begun(index: &Index, row: &Cells, next: &Cells) -> Option<Self> {
        let (corner, across) = row.split_first()?;
        let (side, under) = next.split_first()?;
        if !side.iter().any(|l| l.is_word() || l.is_number())
            || side.iter().any(|l| sums_up(&l.text))
        {
            return None;
        }
        let says = |cell: &[Lexeme]| cell.iter().any(|l| l.is_word() || l.is_number());
        let label = |at: usize| {
            says(&across[at])
                && !column(&across[at]).1
                && under.get(at).is_some_and(|c| quantity(c).is_some() || empty(c))
        };
        let labels: Cells = (0..across.len())
            .map(|at| if label(at) { across[at].clone() } else { Vec::new() })
            .collect();
        let said = labels.iter().filter(|l| !l.is_empty()).count();
        let filled =
            under.iter().zip(&labels).filter(|(c, l)| !l.is_empty() && quantity(c).is_some());
        if said < 2 || filled.count() == 0 {
            return None;
        }
        // «Скоба 80/10 ⇥ 20 ⇥ 5» is goods with numbers of their own, no corner with columns.
        let role = corner.is_empty() || column(corner).1;
        let names = |cell: &[Lexeme]| cell.iter().any(|l| l.is_word() && opens(index, l));
        let numeric = labels.iter().any(|l| l.first().is_some_and(Lexeme::is_number));
        if numeric && !role && (!names(corner) || names(side)) {
            return None;
        }
        let corner = if role { Vec::new() } else { corner.clone() };
        Some(Self { corner, labels })
    }

    /// The lines of a row: one for each quantity. `None` where the table has ended.
    pub(super) fn lines(&self, index: &Index, row: &Cells) -> Option<Vec<Vec<Lexeme>>> {
        let (side, cells) = row.split_first()?;
        let fits = cells
            .iter()
            .zip(&self.labels)
            .all(|(cell, label)| label.is_empty() || quantity(cell).is_some() || empty(cell));
        if !fits || side.is_empty() || side.iter().any(|l| sums_up(&l.text)) {
            return None;
        }
        let opens = |cell: &[Lexeme]| cell.iter().any(|l| l.is_word() && opens(index, l));
        let mut out: Vec<Vec<Lexeme>> = Vec::new();
        for (cell, label) in cells.iter().zip(&self.labels) {
            let Some(number) = quantity(cell).filter(|n| !label.is_empty() && n.value > 0) else {
                continue;
            };
            let place = |said: &[Lexeme]| -> Vec<Lexeme> {
                said.iter()
                    .map(|l| Lexeme { start: number.start, end: number.end, ..l.clone() })
                    .collect()
            };
            // The side is read where it stands, for the first of its lines.
            let side = if out.is_empty() { side.clone() } else { place(side) };
            let label = place(label);
            let mut said = vec![place(&self.corner)];
            said.extend(if opens(&label) && !opens(&side) { [label, side] } else { [side, label] });
            let mut line = spaced(said);
            line.push(Lexeme { kind: Kind::Mark('\t'), text: String::new(), ..number.clone() });
            line.extend(cell.iter().cloned());
            out.push(line);
        }
        Some(out)
    }
}

/// The number that a cell is, perhaps with its unit.
fn quantity(cell: &[Lexeme]) -> Option<&Lexeme> {
    let (number, unit) = cell.split_first()?;
    let counted = unit.is_empty()
        || super::super::quantity::unit_at(cell, 1).is_some_and(|(_, n)| n == unit.len());
    (number.is_number() && counted).then_some(number)
}

/// Whether a cell holds nothing: «», «-».
fn empty(cell: &[Lexeme]) -> bool {
    cell.iter().all(|l| !l.is_word() && !l.is_number())
}
