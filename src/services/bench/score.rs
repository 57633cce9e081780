//! Labels against what was understood: one number over many messages, and what is wrong with each.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::answer::{Answer, AnswerLine};
use crate::recognition::Decision;

/// A labelled message.
#[derive(Debug, Clone, Deserialize)]
pub struct Case {
    /// Its name.
    pub id: serde_json::Value,
    /// The message.
    pub text: String,
    /// What it orders.
    pub lines: Vec<Label>,
}

impl Case {
    /// Its name as people read it.
    pub fn name(&self) -> String {
        match &self.id {
            serde_json::Value::String(id) => id.clone(),
            other => other.to_string(),
        }
    }
}

/// What one line is known to mean.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Label {
    /// Its words.
    pub raw: String,
    /// The product; `None`: asked about, or not in the catalogue.
    #[serde(default)]
    pub sku: Option<String>,
    /// Products that are as good.
    #[serde(default)]
    pub acceptable: Vec<String>,
    /// How many.
    #[serde(default)]
    pub qty: Option<f64>,
    /// Other readings of the quantity, each with its unit.
    #[serde(default)]
    pub qty_alt: Vec<(f64, Option<String>)>,
    /// Must be asked about.
    #[serde(default)]
    pub ambiguous: bool,
    /// May be asked about.
    #[serde(default)]
    pub ask_ok: bool,
    /// A question, no order: must not get into one.
    #[serde(default)]
    pub optional: bool,
}

/// A line that is not right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The message.
    pub id: String,
    /// The words.
    pub raw: String,
    /// What is wrong, in Russian.
    pub what: String,
}

const CONFIDENT: &str = "уверенно неверно";

/// The sum over messages.
#[derive(Debug, Default)]
pub struct Tally {
    /// Labelled lines.
    pub lines: usize,
    /// Understood lines that count.
    pub predicted: usize,
    /// Lines that are right.
    pub right: usize,
    /// Lines that would go out wrong.
    pub confident_wrong: usize,
    /// What is not right.
    pub faults: Vec<Fault>,
}

/// The result over many messages, as `eval --json` prints it and `--baseline` reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Messages.
    pub messages: usize,
    /// Labelled lines.
    pub lines: usize,
    /// Understood lines that count.
    pub predicted: usize,
    /// The harmonic mean of precision and recall.
    pub order_line_f: f64,
    /// Right lines among those understood.
    pub precision: f64,
    /// Right lines among those labelled.
    pub recall: f64,
    /// Lines that would go out wrong.
    pub confident_wrong: usize,
    /// Their share of the labelled lines.
    pub confident_wrong_of_lines: f64,
    /// What is not right.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

#[expect(clippy::cast_precision_loss, reason = "counts of lines")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Tally {
    /// Right lines among those understood.
    pub fn precision(&self) -> f64 {
        ratio(self.right, self.predicted)
    }

    /// Right lines among those labelled.
    pub fn recall(&self) -> f64 {
        ratio(self.right, self.lines)
    }

    /// The harmonic mean of both.
    pub fn f(&self) -> f64 {
        let (p, r) = (self.precision(), self.recall());
        if p + r == 0.0 { 0.0 } else { 2.0 * p * r / (p + r) }
    }

    /// Lines that would go out wrong, among those labelled.
    pub fn confident_wrong_of_lines(&self) -> f64 {
        ratio(self.confident_wrong, self.lines)
    }

    /// The result over so many messages.
    pub fn report(self, messages: usize) -> Report {
        Report {
            messages,
            lines: self.lines,
            predicted: self.predicted,
            order_line_f: self.f(),
            precision: self.precision(),
            recall: self.recall(),
            confident_wrong: self.confident_wrong,
            confident_wrong_of_lines: self.confident_wrong_of_lines(),
            faults: self.faults,
        }
    }

    /// Counts a message.
    pub fn add(&mut self, case: &Case, answer: &Answer) {
        let pairs = align(case, answer);
        let id = case.name();
        let mut fault = |raw: &str, what: &str| {
            self.faults.push(Fault { id: id.clone(), raw: raw.to_owned(), what: what.to_owned() });
        };
        for (index, label) in case.lines.iter().enumerate() {
            let pair = pairs.iter().find(|(truth, _)| *truth == index);
            let line = pair.map(|(_, predicted)| &answer.lines[*predicted]);
            if label.optional {
                if line.is_some_and(|line| line.status == Decision::Matched) {
                    self.predicted += 1;
                    self.confident_wrong += 1;
                    fault(&label.raw, "вопрос попал в заказ");
                }
                continue;
            }
            self.lines += 1;
            self.predicted += usize::from(line.is_some());
            match judge(label, line) {
                Ok(()) => self.right += 1,
                Err(what) => {
                    self.confident_wrong += usize::from(what == CONFIDENT);
                    fault(&label.raw, what);
                }
            }
        }
        for (index, line) in answer.lines.iter().enumerate() {
            if pairs.iter().any(|(_, predicted)| *predicted == index) {
                continue;
            }
            self.predicted += 1;
            let ordered = line.status == Decision::Matched;
            self.confident_wrong += usize::from(ordered);
            fault(
                &line.raw,
                if ordered {
                    "лишняя строка (в заказ!)"
                } else {
                    "лишняя строка"
                },
            );
        }
    }
}

fn judge(label: &Label, line: Option<&AnswerLine>) -> Result<(), &'static str> {
    let Some(line) = line else { return Err("пропущена") };
    let good: HashSet<&str> =
        label.sku.iter().chain(&label.acceptable).map(String::as_str).collect();
    let sku = line.sku.as_deref();
    let top: Vec<&str> =
        sku.into_iter().chain(line.candidates.iter().map(String::as_str)).collect();
    let mut seen = HashSet::new();
    let mut top = top.into_iter().filter(|key| seen.insert(*key)).take(5);
    let chosen_well = sku.is_some_and(|sku| good.contains(sku));
    match (label.ambiguous, &label.sku, line.status) {
        (true, _, Decision::Ambiguous) => {
            if top.any(|key| good.contains(key)) {
                Ok(())
            } else {
                Err("спросил не о том")
            }
        }
        (true, _, Decision::Matched) if chosen_well => Err("угадал вместо вопроса"),
        (_, _, Decision::Matched) if label.sku.is_none() || !chosen_well => Err(CONFIDENT),
        (false, None, Decision::Unmatched) => Ok(()),
        (false, None, _) => Err("предложил лишнее"),
        (false, Some(_), Decision::Matched) => {
            if quantity_fits(label, line) {
                Ok(())
            } else {
                Err("количество")
            }
        }
        (false, Some(wanted), Decision::Ambiguous) => {
            let top: Vec<&str> = top.collect();
            if label.ask_ok && top.contains(&wanted.as_str()) {
                Ok(())
            } else if top.iter().any(|key| good.contains(key)) {
                Err("лишний вопрос")
            } else {
                Err("спросил не о том")
            }
        }
        (_, _, _) => Err("не нашёл"),
    }
}

fn quantity_fits(label: &Label, line: &AnswerLine) -> bool {
    let given = line.qty.as_ref().and_then(serde_json::Number::as_f64);
    let Some(wanted) = label.qty else {
        return given.is_none_or(|q| q.abs() < 1e-6 || (q - 1.0).abs() < 1e-6);
    };
    let Some(given) = given else { return false };
    let others = label.qty_alt.iter().map(|(quantity, _)| *quantity);
    std::iter::once(wanted).chain(others).any(|wanted| (wanted - given).abs() < 1e-6)
}

/// Which label is which understood line: the best pairing that keeps the order.
fn align(case: &Case, answer: &Answer) -> Vec<(usize, usize)> {
    let text = plain(&case.text);
    let truth = places(&text, case.lines.iter().map(|label| label.raw.as_str()));
    let found = places(&text, answer.lines.iter().map(|line| line.raw.as_str()));
    let (n, k) = (truth.len(), found.len());
    let like = |i: usize, j: usize| match (&truth[i], &found[j]) {
        (Some(a), Some(b)) => overlap(a, b),
        _ => shared_words(&case.lines[i].raw, &answer.lines[j].raw),
    };
    let mut best = vec![vec![0.0_f64; k + 1]; n + 1];
    for i in (0..n).rev() {
        for j in (0..k).rev() {
            let here = like(i, j);
            let take = if here >= LEAST { here + best[i + 1][j + 1] } else { -1.0 };
            best[i][j] = best[i + 1][j].max(best[i][j + 1]).max(take);
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < n && j < k {
        let here = like(i, j);
        if here >= LEAST && (best[i][j] - here - best[i + 1][j + 1]).abs() < 1e-9 {
            pairs.push((i, j));
            i += 1;
            j += 1;
        } else if (best[i][j] - best[i + 1][j]).abs() < 1e-9 {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// Less alike than this is not the same line.
const LEAST: f64 = 0.15;

fn plain(text: &str) -> String {
    let lower = text.to_lowercase().replace('ё', "е");
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where each piece stands in the text: looked for onwards first, then anywhere.
fn places<'a>(
    text: &str,
    pieces: impl Iterator<Item = &'a str>,
) -> Vec<Option<std::ops::Range<usize>>> {
    let mut from = 0;
    let mut find = |piece: &str| {
        let piece = plain(piece);
        if piece.is_empty() {
            return None;
        }
        let onwards = text.get(from..).and_then(|rest| rest.find(&piece)).map(|at| at + from);
        let at = onwards.or_else(|| text.find(&piece))?;
        from = at + piece.len();
        Some(at..from)
    };
    pieces.map(&mut find).collect()
}

fn overlap(a: &std::ops::Range<usize>, b: &std::ops::Range<usize>) -> f64 {
    let shared = a.end.min(b.end).saturating_sub(a.start.max(b.start));
    if shared == 0 {
        return 0.0;
    }
    let union = a.len() + b.len() - shared;
    0.5 * ratio(shared, a.len().min(b.len())) + 0.5 * ratio(shared, union)
}

fn shared_words(a: &str, b: &str) -> f64 {
    let (a, b) = (plain(a), plain(b));
    let words = |text: &str| -> HashSet<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let (a, b) = (words(&a), words(&b));
    0.54 * ratio(a.intersection(&b).count(), a.len().min(b.len()).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(raw: &str, status: Decision, sku: Option<&str>, qty: Option<i64>) -> AnswerLine {
        AnswerLine {
            raw: raw.to_owned(),
            status,
            sku: sku.map(str::to_owned),
            title: None,
            candidates: vec!["A".to_owned(), "B".to_owned()],
            confidence: 1.0,
            qty: qty.map(serde_json::Number::from),
            unit: None,
            trace: None,
        }
    }

    fn score(labels: &str, lines: Vec<AnswerLine>) -> (Tally, Vec<String>) {
        let case: Case = serde_json::from_str(labels).expect("labels");
        let mut tally = Tally::default();
        tally.add(&case, &Answer { lines, remarks: Vec::new() });
        let what = tally.faults.iter().map(|fault| fault.what.clone()).collect();
        (tally, what)
    }

    const CASE: &str = r#"{"id":1,"text":"болт 5, гайка 6, шайба 7, винт","lines":[
        {"raw":"болт 5","sku":"A","qty":5},
        {"raw":"гайка 6","sku":null,"ambiguous":true,"acceptable":["B"],"qty":6},
        {"raw":"шайба 7","sku":null,"qty":7}]}"#;

    #[test]
    fn right_lines_of_every_kind_count() {
        let (tally, faults) = score(
            CASE,
            vec![
                line("болт 5", Decision::Matched, Some("A"), Some(5)),
                line("гайка 6", Decision::Ambiguous, None, Some(6)),
                line("шайба 7", Decision::Unmatched, None, Some(7)),
            ],
        );
        assert_eq!(faults, Vec::<String>::new());
        assert!((tally.f() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_would_go_out_wrong_is_counted_apart() {
        let (tally, faults) = score(
            CASE,
            vec![
                line("болт 5", Decision::Matched, Some("A"), Some(50)),
                line("гайка 6", Decision::Matched, Some("B"), Some(6)),
                line("шайба 7", Decision::Matched, Some("A"), Some(7)),
                line("винт", Decision::Matched, Some("A"), None),
            ],
        );
        let expected =
            ["количество", "угадал вместо вопроса", CONFIDENT, "лишняя строка (в заказ!)"];
        assert_eq!(faults, expected);
        assert_eq!(
            (tally.right, tally.lines, tally.predicted, tally.confident_wrong),
            (0, 3, 4, 2)
        );
    }
}
