//! What people say around their orders: greetings, addresses, requisites, questions, thanks.

use super::*;

/// Lines that a text is read as: those of the goods, which of them the buyer asked for or not.
fn lines(index: &Index, text: &str, goods: Option<&Entry>) -> (usize, usize) {
    let told = |title: &str| -> String {
        title.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let lines = index.recognize(text, &Buyer::default()).lines;
    let own = |line: &&Line| {
        let title = line.product.and_then(|id| index.entry(id)).map(|e| told(&e.title));
        goods.is_some_and(|e| title == Some(told(&e.title)))
    };
    let found = lines.iter().filter(own).count().min(1);
    (found, lines.len() - found)
}

#[test]
fn talk_orders_nothing_and_hides_nothing() {
    let talk = fixture("talk.txt");
    let talk: Vec<&str> = talk.lines().filter(|l| !l.trim().is_empty()).collect();
    assert!(talk.len() > 200);
    for catalog in ["household_food_catalog.json", "plumbing_electrics_catalog.json"] {
        let (index, _) = trade(&fixture(catalog));
        let plain = |e: &&Entry| {
            !e.title.contains([',', ';', '+', '|', '.'])
                && !index.junk[index.row(e.id).unwrap_or(0) as usize]
        };
        let goods: Vec<&Entry> = index.entries.iter().filter(plain).collect();
        let (mut found, mut extra, mut alone) = (0, Vec::new(), Vec::new());
        for (at, said) in talk.iter().enumerate() {
            let entry = goods[at * 7 % goods.len()];
            let title = entry.title.to_lowercase();
            for text in [format!("{said}\n{title} 7 шт"), format!("{title} 7 шт\n{said}")] {
                let (right, wrong) = lines(&index, &text, Some(entry));
                found += right;
                if wrong > 0 {
                    extra.push(text);
                }
            }
            if lines(&index, said, None).1 > 0 {
                alone.push(*said);
            }
        }
        assert!(found * 100 >= talk.len() * 2 * 99, "{catalog}: {found}");
        assert!(extra.len() * 100 <= talk.len() * 2 * 4, "{catalog}: {extra:#?}");
        assert!(alone.len() * 100 <= talk.len() * 8, "{catalog}: {alone:#?}");
    }
}
