//! What goes and comes back: characteristics, prices.

use std::time::Duration;

use crate::support::ut103::{Ut103, one, server};

/// A file of offers: `full`, and what each has beside its id.
fn offers(full: bool, list: &[(&str, &str)]) -> Vec<u8> {
    priced(full, &[], list)
}

/// The same with its list of price types.
fn priced(full: bool, types: &[&str], list: &[(&str, &str)]) -> Vec<u8> {
    let types: String = types
        .iter()
        .map(|of| format!("<ТипЦены><Ид>{of}</Ид><Наименование>{of}</Наименование></ТипЦены>"))
        .collect();
    let list: String = list
        .iter()
        .map(|(id, inside)| format!("<Предложение{inside}<Ид>{id}</Ид></Предложение>"))
        .collect();
    let changes = !full;
    format!(
        "<КоммерческаяИнформация><ПакетПредложений СодержитТолькоИзменения=\"{changes}\">\
         <ТипыЦен>{types}</ТипыЦен><Предложения>{list}</Предложения></ПакетПредложений>\
         </КоммерческаяИнформация>"
    )
    .into_bytes()
}

#[tokio::test]
async fn a_characteristic_that_was_deleted_or_missing_is_there_again_when_it_comes_back() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    onec.upload("catalog", "import.xml", &one("Кромка")).await;
    assert_eq!(onec.import("import.xml").await, "success");
    // 11 describes a characteristic in its offer alone, by properties or by a name.
    let by_property = "<Наименование>Кромка (белая)</Наименование><ХарактеристикиТовара>\
        <ХарактеристикаТовара><Значение>белая</Значение></ХарактеристикаТовара>\
        </ХарактеристикиТовара><Количество>5</Количество>";
    let by_name = "<Наименование>Кромка (алая)</Наименование><БазоваяЕдиница Код=\"006 \">\
        <Пересчет><Единица>006</Единица><Коэффициент>1</Коэффициент></Пересчет></БазоваяЕдиница>";
    let of_10_3 = "<Наименование>Кромка</Наименование><Количество>7</Количество>";
    let shown = || server.rows("select title from products where not withdrawn order by title");
    let bring = async |list: &[(&str, &str)]| {
        onec.upload("catalog", "offers.xml", &offers(false, list)).await;
        assert_eq!(onec.import("offers.xml").await, "success");
        shown()
    };
    let live = |inside: &str| format!(">{inside}");
    let dead = |inside: &str| format!(" Статус=\"Удален\">{inside}");
    let both = ["Кромка (алая)", "Кромка (белая)"];
    let now = bring(&[("a#b", &live(by_property)), ("a#c", &live(by_name))]).await;
    assert_eq!(now, both);
    let now = bring(&[("a#b", &dead(by_property)), ("a#c", &dead(by_name))]).await;
    assert_eq!(now, [""; 0]);
    // Stock alone, or an offer of 10.3, where the mark stands in the item, says nothing of it.
    let now = bring(&[("a#b", "><Количество>1</Количество>"), ("a#c", &live(of_10_3))]).await;
    assert_eq!(now, [""; 0]);
    let now = bring(&[("a#b", &live(by_property)), ("a#c", &live(by_name))]).await;
    assert_eq!(now, both);
    // With its item it goes and comes.
    let item = |status: &str| {
        String::from_utf8(one("Кромка"))
            .expect("text")
            .replace("</Товар>", &format!("{status}</Товар>"))
    };
    for (status, left) in [("<Статус>Удален</Статус>", &[][..]), ("", &both[..])]
    {
        onec.upload("catalog", "import.xml", item(status).as_bytes()).await;
        assert_eq!(onec.import("import.xml").await, "success");
        assert_eq!(shown(), left, "{status}");
    }
    // What vanished is back with its first mention.
    server.base.clock.advance(Duration::from_mins(5));
    let since = server.base.clock.now().millis() / 1_000;
    onec.upload("catalog", "other.xml", &offers(false, &[("z", &live(of_10_3))])).await;
    assert_eq!(onec.import("other.xml").await, "success");
    let query = format!("type=catalog&mode=deactivate&timestamp={since}");
    assert_eq!(onec.ask("GET", &query, Vec::new()).await.text(), "success");
    assert_eq!(shown(), ["Кромка"], "what the other file brought");
    let now = bring(&[("a#c", "><Количество>1</Количество>")]).await;
    assert_eq!(now, ["Кромка", "Кромка (алая)"]);
}

/// The inside of an offer: these prices by type.
fn prices(list: &[(&str, u32)]) -> String {
    let list: String = list
        .iter()
        .map(|(of, price)| {
            format!(
                "<Цена><ИдТипаЦены>{of}</ИдТипаЦены><ЦенаЗаЕдиницу>{price}</ЦенаЗаЕдиницу></Цена>"
            )
        })
        .collect();
    format!("><Наименование>Клей</Наименование><Цены>{list}</Цены>")
}

#[tokio::test]
async fn a_price_that_a_full_exchange_does_not_list_any_more_is_gone_and_changes_take_none_away() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    // A type without an id is not 1C's: a price list of a person.
    let own = r#"[{"external_id":"a","title":"Клей","prices":[{"type":"Своя","price":"3"}]}]"#;
    assert_eq!(server.push(own).await.status, 200);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    let stored = || {
        server.rows(
            "select coalesce(t.external_id, t.name), r.amount_kopecks from prices r
             join price_types t on t.id = r.price_type_id order by 1",
        )
    };
    let own = "Своя | 300";
    for (full, inside, now) in [
        (true, prices(&[("opt", 10), ("vip", 9)]), vec!["opt | 1000", "vip | 900", own]),
        (false, prices(&[("opt", 11)]), vec!["opt | 1100", "vip | 900", own]),
        (true, "><Количество>5</Количество>".to_owned(), vec!["opt | 1100", "vip | 900", own]),
        (true, "><Цены/>".to_owned(), vec!["opt | 1100", "vip | 900", own]),
        (true, prices(&[("opt", 11)]), vec!["opt | 1100", own]),
        (true, prices(&[("vip", 8)]), vec!["vip | 800", own]),
    ] {
        let file = priced(full, &["opt", "vip"], &[("a", &inside)]);
        onec.upload("catalog", "offers.xml", &file).await;
        assert_eq!(onec.import("offers.xml").await, "success");
        assert_eq!(stored(), now, "{full} {inside}");
    }
    let version = server.version();
    let file = priced(true, &["opt", "vip"], &[("a", &prices(&[("vip", 8)]))]);
    onec.upload("catalog", "offers.xml", &file).await;
    assert_eq!(onec.import("offers.xml").await, "success");
    assert_eq!(server.version(), version, "nothing has changed");
}

#[tokio::test]
async fn full_exchanges_of_different_price_types_leave_each_others_prices() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    let stored = || {
        server.rows(
            "select p.external_id, t.external_id, r.amount_kopecks from prices r
             join price_types t on t.id = r.price_type_id
             join products p on p.id = r.product_id order by 1, 2",
        )
    };
    // Two settings of the exchange in one 1C: each is told to send price types of its own.
    for (types, list, now) in [
        (&["opt"][..], [("a", 10), ("b", 20)], ["a | opt | 1000", "b | opt | 2000"].as_slice()),
        (
            &["retail", "vip"],
            [("a", 15), ("b", 25)],
            &["a | opt | 1000", "a | retail | 1500", "b | opt | 2000", "b | retail | 2500"],
        ),
        (
            &["opt"],
            [("a", 11), ("b", 20)],
            &["a | opt | 1100", "a | retail | 1500", "b | opt | 2000", "b | retail | 2500"],
        ),
        // Of a type that is listed what is not there is gone.
        (
            &["vip", "retail"],
            [("a", 9), ("b", 19)],
            &["a | opt | 1100", "a | vip | 900", "b | opt | 2000", "b | vip | 1900"],
        ),
        // A file that lists no types does not say which of them it has whole.
        (
            &[],
            [("a", 8), ("b", 18)],
            &["a | opt | 800", "a | vip | 900", "b | opt | 1800", "b | vip | 1900"],
        ),
    ] {
        let of = types.first().unwrap_or(&"opt");
        let offer = |(id, price): (&'static str, u32)| (id, prices(&[(of, price)]));
        let list = list.map(offer);
        let list: Vec<(&str, &str)> = list.iter().map(|(id, inside)| (*id, &**inside)).collect();
        onec.upload("catalog", "offers.xml", &priced(true, types, &list)).await;
        assert_eq!(onec.import("offers.xml").await, "success");
        assert_eq!(stored(), now, "{types:?}");
    }
}
