//! Numbered lists: «1) … 2) …» in lines of their own or in one.

use super::super::lexer::Lexeme;

/// «1) … 2) … 3) …» in one line → lines.
pub(super) fn inline_list(line: Vec<Lexeme>) -> Vec<Vec<Lexeme>> {
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
pub(super) fn list_numbers(lines: &[Vec<Lexeme>]) -> Vec<usize> {
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
