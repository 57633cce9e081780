//! Titles of whole catalogues with a quantity in every way that people say one.

use super::*;
use crate::domain::Quantity;

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
    ("{} // 5 шт", 5),
    ("{}, ед. изм.: шт, кол-во: 5", 5),
    ("Позиция: {} | Кол-во: 5 | Ед.: шт", 5),
    ("не могли бы вы отложить {} 5 шт?", 5),
    ("я бы взял {} 5 шт", 5),
    ("выпишите на нас {} 5 шт", 5),
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
                        if line.quantity.map(Quantity::thousandths) == Some(quantity * 1000) {
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

/// Three items, `{0}` to `{2}`, with three, twelve and seven of them, in one message.
const LISTS: &[&str] = &[
    "{0} 3 шт\n{1} 12 шт\n{2} 7 шт",
    "{0} - 3\n{1} - 12\n{2} - 7",
    "{0} 3 шт, {1} 12 шт, {2} 7 шт",
    "{0} 3 шт; {1} 12 шт; {2} 7 шт",
    "{0} 3 шт, {1} 12 шт и {2} 7 шт",
    "{0} 3 шт + {1} 12 шт + {2} 7 шт",
    "{0} 3 шт / {1} 12 шт / {2} 7 шт",
    "{0} 3 шт {1} 12 шт {2} 7 шт",
    "3 шт {0} 12 шт {1} 7 шт {2}",
    "{0} три штуки {1} двенадцать штук {2} семь штук",
    "3 {0}\n12 {1}\n7 {2}",
    "1. {0} - 3 шт\n2. {1} - 12 шт\n3. {2} - 7 шт",
    "1) {0} 3 шт 2) {1} 12 шт 3) {2} 7 шт",
    "{0} 3 шт. {1} 12 шт. {2} 7 шт.",
    "Добрый день! Нужно:\n{0} 3 шт\n{1} 12 шт\n{2} 7 шт\nСпасибо, с уважением Иван",
    "здравствуйте, прошу выставить счет на {0} 3 шт, {1} 12 шт, {2} 7 шт. доставка на завтра",
    "Наименование\tКол-во\tЕд.\n{0}\t3\tшт\n{1}\t12\tшт\n{2}\t7\tшт",
    "№\tНаименование\tЕд\tКол-во\tЦена\n1\t{0}\tшт\t3\t150\n2\t{1}\tшт\t12\t20\n3\t{2}\tшт\t7\t99",
    "| {0} | 3 | шт |\n| {1} | 12 | шт |\n| {2} | 7 | шт |",
    "Товар\tКол-во\tСклад\n{0}\t3\tОсновной\n{1}\t12\tОсновной\n{2}\t7\tОсновной",
    "НОМЕНКЛАТУРА\tЦЕНА\tЗАКАЗ\n{0}\t45,5\t3\n{1}\t45,5\t12\n{2}\t45,5\t7",
    "1\t{0}\t3\tшт\t120,00\t360,00\n2\t{1}\t12\tшт\t120,00\t1440,00\n3\t{2}\t7\tшт\t120,00\t840,00",
    "Товар: {0}; кол-во: 3\nТовар: {1}; кол-во: 12\nТовар: {2}; кол-во: 7",
    "Наименование: {0}\nКоличество: 3 шт\n\nНаименование: {1}\nКоличество: 12 шт\n\nНаименование: {2}\nКоличество: 7 шт",
    "{0}\n3 шт\n\n{1}\n12 шт\n\n{2}\n7 шт",
    "✅ {0} — 3 шт\n✅ {1} — 12 шт\n✅ {2} — 7 шт",
    "{0} 3 шт\n{1} 12 шт\n{2} 7 шт\nИтого: 22 шт",
    "{0} 3 шт по цене 40 р.\n{1} 12 шт по цене 40 р.\n{2} 7 шт по цене 40 р.",
    "{0} 3 шт х 40р\n{1} 12 шт х 40р\n{2} 7 шт х 40р",
    "{0} - 3 шт (125,50 р.)\n{1} - 12 шт (40 р.)\n{2} - 7 шт (9 р.)",
];

#[test]
fn a_list_is_read_however_it_is_written() {
    for catalog in ["household_food_catalog.json", "plumbing_electrics_catalog.json"] {
        let (index, _) = trade(&fixture(catalog));
        let plain =
            |e: &&Entry| !e.title.contains([',', ';', '+', '|']) && !e.title.contains("НЕ ИСП");
        let entries: Vec<&Entry> = index.entries.iter().filter(plain).collect();
        for list in LISTS {
            let (mut all, mut right, mut wrong) = (0, 0, Vec::new());
            for at in (0..entries.len()).step_by(31) {
                let three = [0, 1, 2].map(|n| entries[(at + n * 211) % entries.len()]);
                let mut text = (*list).to_owned();
                for (n, entry) in three.iter().enumerate() {
                    text = text.replace(&format!("{{{n}}}"), &entry.title.to_lowercase());
                }
                let told = |title: &str| -> String {
                    title.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
                };
                let due = [3, 12, 7].map(|n| Some(n * 1000));
                let found = index.recognize(&text, &Buyer::default());
                all += 3;
                for line in found.lines.iter().filter(|l| l.decision == Decision::Matched) {
                    let title =
                        line.product.and_then(|id| index.entry(id)).map_or("", |e| &e.title);
                    let place = three.iter().position(|e| told(&e.title) == told(title));
                    let quantity = line.quantity.map(Quantity::thousandths);
                    if place.is_some_and(|place| due[place] == quantity) {
                        right += 1;
                    } else {
                        wrong.push(format!("{text}: {title} {quantity:?}"));
                    }
                }
            }
            assert!(right * 100 >= all * 93, "{list}: {right} of {all}, {wrong:#?}");
            assert!(wrong.len() * 40 <= all, "{list}: {} of {all}, {wrong:#?}", wrong.len());
        }
    }
}

#[test]
fn a_heading_over_a_list_is_no_line() {
    let told = |title: &str| -> String {
        title.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let (mut all, mut right, mut wrong) = (0, 0, Vec::new());
    for catalog in ["household_food_catalog.json", "plumbing_electrics_catalog.json"] {
        let (index, _) = trade(&fixture(catalog));
        let plain = |e: &&Entry| {
            !e.title.contains([',', ';', '+', '|', '.']) && !e.title.contains("НЕ ИСП")
        };
        let entries: Vec<&Entry> = index.entries.iter().filter(plain).collect();
        let pairs = entries.windows(2).filter(|pair| pair[0].category == pair[1].category);
        for (pair, heading) in pairs.step_by(5).zip(["{}", "{}:", "*{}*", "1. {}"].iter().cycle()) {
            let leaf = pair[0].category.rsplit('/').next().unwrap_or_default();
            let titles = [0, 1].map(|n| pair[n].title.to_lowercase());
            let text =
                format!("{}\n{} 5 шт\n{} 3 шт", heading.replace("{}", leaf), titles[0], titles[1]);
            let lines = index.recognize(&text, &Buyer::default()).lines;
            let found: Vec<String> =
                lines.iter().filter_map(|l| Some(told(&index.entry(l.product?)?.title))).collect();
            all += 1;
            if lines.len() == 2 && found == [told(&titles[0]), told(&titles[1])] {
                right += 1;
            } else {
                wrong.push(text);
            }
        }
    }
    assert!(right * 100 >= all * 95, "{right} of {all}: {wrong:#?}");
}
