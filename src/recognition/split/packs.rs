//! «По 4 в упаковке»: how many are in a pack, which is no quantity.

use super::super::lexer::{Kind, Lexeme};
use super::super::quantity::unit_at;

/// Makes «по 4 в упаковке», «100 шт в коробке» and «50шт/уп» packs of so many pieces.
pub(super) fn packs(lexemes: &[Lexeme]) -> Vec<Lexeme> {
    let mut out: Vec<Lexeme> = Vec::with_capacity(lexemes.len());
    let mut i = 0;
    while i < lexemes.len() {
        let Some(end) = pack(lexemes, i, out.last()) else {
            out.push(lexemes[i].clone());
            i += 1;
            continue;
        };
        if out.last().is_some_and(is_by) {
            out.pop();
        }
        // «100шт/уп, 1000 шт/кор» are packs of one thing.
        if let [.., pack, unit, comma] = out.as_slice()
            && comma.is(',')
            && pack.is_number()
            && pack.named
            && unit.text == "шт"
        {
            out.pop();
        }
        let number = Lexeme { named: true, ..lexemes[i].clone() };
        let pieces = Lexeme {
            kind: Kind::Word,
            text: "шт".into(),
            spaced: false,
            dotted: false,
            ..lexemes[end - 1].clone()
        };
        out.extend([number, pieces]);
        i = end;
    }
    out
}

/// Where a pack that begins at a number ends.
fn pack(lexemes: &[Lexeme], at: usize, before: Option<&Lexeme>) -> Option<usize> {
    let whole = lexemes[at].is_number() && lexemes[at].value % 1000 == 0 && !lexemes[at].named;
    if !whole {
        return None;
    }
    let piece = unit_at(lexemes, at + 1).filter(|(unit, _)| unit.short() == Some("шт"));
    let within = at + 1 + piece.as_ref().map_or(0, |(_, taken)| *taken);
    let told = before.is_some_and(is_by) || piece.is_some();
    // «50шт/уп», «100 шт в коробке»
    let each = |l: &Lexeme| l.text == "в" || piece.is_some() && l.is('/') && !l.spaced;
    if !told || !lexemes.get(within).is_some_and(each) {
        return None;
    }
    let (unit, taken) = unit_at(lexemes, within + 1)?;
    (unit.counts() && unit.short().is_some()).then_some(within + 1 + taken)
}

fn is_by(lexeme: &Lexeme) -> bool {
    matches!(lexeme.text.as_str(), "по" | "po")
}
