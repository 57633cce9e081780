//! Titles of whole catalogues with a quantity in every way that people say one.

use super::*;

/// What is said of the goods, `{}`, and how many that is.
const WAYS: &[(&str, i64)] = &[
    ("{} 5 шт", 5),
    ("{} 5шт", 5),
    ("{} - 5", 5),
    ("{} – 5 шт.", 5),
    ("{}: 5 шт", 5),
    ("{} = 5", 5),
    ("{} (5 шт)", 5),
    ("{} x5", 5),
    ("{} х 5", 5),
    ("{} *5", 5),
    ("{} 5", 5),
    ("5 шт {}", 5),
    ("5 штук - {}", 5),
    ("{} пять штук", 5),
    ("пять штук {}", 5),
    ("{} штук пять", 5),
    ("{} шт. 5", 5),
    ("{} кол-во 5", 5),
    ("{} количество: 5 шт", 5),
    ("{} в количестве 5 шт", 5),
    ("{} / 5 шт", 5),
    ("{} 5 (пять) штук", 5),
    ("{} 7 шт (семь)", 7),
    ("{}, 5 шт", 5),
    ("надо {}, 7 шт.", 7),
    ("есть {}? нужно 7 шт", 7),
    ("добрый день! нужен {} - 7 шт, спасибо", 7),
    ("дайте {} 5 штучек", 5),
    ("{} по 5", 5),
    ("{} ещё 5", 5),
    ("{} пару", 2),
    ("пару {}", 2),
    ("{} десяток", 10),
    ("{} полтора десятка", 15),
    ("{} двадцать пять штук", 25),
    ("{} сто штук", 100),
    ("{} тысячу штук", 1000),
    ("{} 1 000 шт", 1000),
    ("{} 2 тыс шт", 2000),
    ("{} одну упаковку", 1),
    ("{} 3 пачки", 3),
    ("{} 50 пог. м", 50),
    ("{} 50 метров погонных", 50),
    ("{}\t5\tшт", 5),
    ("{} | 5 | шт", 5),
    ("{};5;шт", 5),
    ("{}...5 шт", 5),
    ("1. {} - 5 шт", 5),
    ("• {} 5 шт", 5),
    ("{}\n5 шт", 5),
];

#[test]
fn a_quantity_is_read_however_it_is_said() {
    for catalog in ["household_food_catalog.json", "plumbing_electrics_catalog.json"] {
        let (index, _) = trade(&fixture(catalog));
        for (way, quantity) in WAYS {
            let (mut all, mut right, mut wrong) = (0, 0, Vec::new());
            for entry in index.entries.iter().step_by(23).filter(|e| !e.title.contains("НЕ ИСП"))
            {
                let text = way.replace("{}", &entry.title.to_lowercase());
                all += 1;
                match index.recognize(&text, &Buyer::default()).lines.as_slice() {
                    [line] if line.decision == Decision::Matched => {
                        if line.quantity.map(|q| q.thousandths()) == Some(quantity * 1000) {
                            right += 1;
                        } else {
                            wrong.push(format!("{text}: {:?}", line.quantity));
                        }
                    }
                    _ => {}
                }
            }
            assert!(right * 100 >= all * 93, "{way}: {right} of {all}");
            assert!(wrong.len() * 50 <= all, "{way}: {wrong:?}");
        }
    }
}
