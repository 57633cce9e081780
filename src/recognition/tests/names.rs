//! Names in Latin letters as people write them down by ear, and the other way round: names that the
//! catalogue has in Cyrillic and an order in Latin letters.

use super::*;

/// A name and its spellings, the commonest first.
fn names() -> Vec<(String, Vec<String>)> {
    let row = |row: &str| {
        let (name, spellings) = row.split_once(';').expect("two columns");
        (name.to_owned(), spellings.split(", ").map(str::to_owned).collect())
    };
    fixture("names.csv").lines().skip(1).map(row).collect()
}

/// Of orders by name, how many are matched with their product and how many with another.
fn ordered(titles: &[String], orders: &[(usize, &str)]) -> (usize, usize) {
    let entry = |(at, name): (usize, &String)| Entry {
        id: ProductId(i64::try_from(at).unwrap_or(0)),
        title: format!("Изделие {name} стандарт"),
        category: "Изделия".to_owned(),
        unit: Some(Unit::new("шт")),
        available: true,
        ..Entry::default()
    };
    let index = Index::build(titles.iter().enumerate().map(entry).collect(), &starter_synonyms());
    let (mut right, mut wrong) = (0, 0);
    for (at, name) in orders {
        let found = index.recognize(&format!("изделие {name} 2 шт"), &Buyer::default());
        for product in found.lines.iter().filter_map(|l| l.product) {
            let own = usize::try_from(product.0) == Ok(*at);
            *if own { &mut right } else { &mut wrong } += 1;
        }
    }
    (right, wrong)
}

#[test]
fn a_latin_name_is_known_by_ear() {
    let names = names();
    let titles: Vec<String> = names.iter().map(|(name, _)| name.clone()).collect();
    let orders: Vec<(usize, &str)> = names
        .iter()
        .enumerate()
        .flat_map(|(at, (_, spellings))| spellings.iter().map(move |s| (at, s.as_str())))
        .collect();
    let (right, wrong) = ordered(&titles, &orders);
    assert_eq!(wrong, 0, "orders that another product was found for");
    assert!(right * 100 >= orders.len() * 96, "{right} of {}", orders.len());
}

#[test]
fn a_name_written_down_by_ear_is_known_in_latin_letters() {
    let names = names();
    let titles: Vec<String> = names.iter().map(|(_, spellings)| spellings[0].clone()).collect();
    let orders: Vec<(usize, &str)> =
        names.iter().enumerate().map(|(at, (name, _))| (at, name.as_str())).collect();
    let (right, wrong) = ordered(&titles, &orders);
    assert_eq!(wrong, 0, "orders that another product was found for");
    assert!(right * 100 >= orders.len() * 95, "{right} of {}", orders.len());
}
