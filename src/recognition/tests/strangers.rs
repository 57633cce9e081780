//! Goods of one trade ordered at another: nothing of it may order what is there.

use super::*;
use crate::recognition::normalize::stem;

const TRADES: [&str; 4] = [
    "household_food_catalog.json",
    "plumbing_electrics_catalog.json",
    "stationery_catalog.json",
    "building_catalog.json",
];

/// What a line of these goods came to.
#[derive(Debug, Default)]
struct Outcome {
    all: usize,
    matched: usize,
    asked: usize,
    /// The first that was matched, for the message of a test.
    example: String,
}

/// Orders, at every trade, goods of the others whose first word it does not have, `said` so.
fn strangers(said: impl Fn(&str) -> Option<String>) -> Outcome {
    const STEP: usize = 11;
    let indexes: Vec<Index> = TRADES.iter().map(|name| trade(&fixture(name)).0).collect();
    let mut outcome = Outcome::default();
    for (at, index) in indexes.iter().enumerate() {
        let words = |title: &str| -> Vec<String> {
            title.to_lowercase().split(|c: char| !c.is_alphabetic()).map(stem).collect()
        };
        let known: std::collections::HashSet<String> =
            index.entries.iter().flat_map(|e| words(&e.title)).collect();
        let mut seen = std::collections::HashSet::new();
        let others = indexes.iter().enumerate().filter(|(other, _)| *other != at);
        for entry in others.flat_map(|(_, other)| other.entries.iter().step_by(STEP)) {
            let title = entry.title.to_lowercase();
            let head = words(&title).into_iter().next().unwrap_or_default();
            let Some(text) = said(&title) else { continue };
            if head.chars().count() < 3 || known.contains(&head) || !seen.insert(text.clone()) {
                continue;
            }
            let lines = index.recognize(&format!("{text} - 5 шт"), &Buyer::default()).lines;
            outcome.all += 1;
            let is = |decision| lines.iter().any(|l| l.decision == decision);
            if is(Decision::Matched) {
                outcome.matched += 1;
                if outcome.example.is_empty() {
                    outcome.example = format!("{text} at {}", TRADES[at]);
                }
            } else if is(Decision::Ambiguous) {
                outcome.asked += 1;
            }
        }
    }
    outcome
}

/// What is matched all the same is mostly the same thing under another name: «шуруп», «самоклейка».
#[test]
fn titles_of_another_trade_order_nothing() {
    let outcome = strangers(|title| Some(title.to_owned()));
    assert!(outcome.all > 400, "{outcome:?}");
    assert!(outcome.matched * 150 <= outcome.all, "{outcome:?}");
    assert!(outcome.asked * 120 <= outcome.all, "{outcome:?}");
}

#[test]
fn names_of_another_trades_goods_order_nothing() {
    let outcome = strangers(|title| {
        let word = title.split(' ').next()?;
        (word.chars().count() > 3 && word.chars().all(char::is_alphabetic)).then(|| word.to_owned())
    });
    assert!(outcome.all > 100, "{outcome:?}");
    assert!(outcome.matched * 80 <= outcome.all, "{outcome:?}");
    assert!(outcome.asked * 15 <= outcome.all, "{outcome:?}");
}
