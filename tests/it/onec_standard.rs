//! The standard exchange: goods, as УТ 10.3, 11 and the module of schema 3.1 send them.

use std::time::Duration;

use partner_m::services::exchange::calls::{Door, Turned};
use serde_json::Value;

use crate::onec_server::Server;
use crate::onec_uploads::waiting;
use crate::support::ut103::{Habits, LOGIN, PASSWORD, UT103, Ut103, fixture, server, server_with};

pub fn expected() -> Value {
    serde_json::from_slice(&fixture("expected.json")).expect("JSON")
}

/// What a folder says and what it does not.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "what a set of files says, each by itself")]
pub struct Says {
    /// Titles are «Имя (20 мм)»; else «Имя (20)».
    labels: bool,
    warehouses: bool,
    barcodes: bool,
    /// Prices name the unit and its coefficient.
    coefficients: bool,
    /// Items without a price have stock.
    stock_without_price: bool,
    /// Only these items are in it: the beginnings of their ids.
    items: &'static [&'static str],
}

pub const UT103_SAYS: Says = Says {
    labels: false,
    warehouses: false,
    barcodes: true,
    coefficients: true,
    stock_without_price: false,
    items: &[],
};
const UT11_SAYS: Says = Says { labels: true, warehouses: true, barcodes: false, ..UT103_SAYS };
const SPLIT_SAYS: Says = Says { barcodes: true, stock_without_price: true, ..UT11_SAYS };
const SPLIT31_SAYS: Says = Says {
    labels: true,
    warehouses: false,
    barcodes: true,
    coefficients: false,
    stock_without_price: true,
    items: &["ecb08fd2", "abf4277d", "277a4c6a", "4a9b8965"],
};

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or("")
}

/// A decimal in thousandths.
fn thousandths(text: &str) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction:0<3}");
    digits.parse().unwrap_or_else(|_| panic!("{text}"))
}

/// Compares the catalogue with what `products` of expected.json say.
pub fn assert_holds(server: &Server, products: &Value, says: Says) {
    let mut count = 0;
    for product in products.as_array().expect("products") {
        let item = text(product, "id");
        let variants = product["variants"].as_array().expect("variants");
        if !says.items.is_empty() && !says.items.iter().any(|begin| item.starts_with(begin)) {
            continue;
        }
        for variant in variants {
            count += 1;
            let id = text(variant, "id");
            let values: Vec<&str> = variant["attrs"]
                .as_object()
                .into_iter()
                .flat_map(|attrs| attrs.values().filter_map(Value::as_str))
                .collect();
            let label = match variant["ut11_title"].as_str() {
                Some(label) if says.labels => format!(" ({label})"),
                _ if says.labels || values.is_empty() => String::new(),
                _ => format!(" ({})", values.join(", ")),
            };
            let prices = variant["prices"].as_object().expect("prices");
            let stocked = says.stock_without_price || !prices.is_empty();
            let stock = if stocked { thousandths(text(variant, "qty_total")) } else { 0 };
            let unit = match text(product, "unit") {
                "упак" => "уп",
                "тыс. шт" => "тыс шт",
                unit => unit,
            };
            let barcode =
                if says.barcodes { text(variant, "barcode").to_owned() } else { String::new() };
            let barcode_column = if says.barcodes { "p.barcode" } else { "''" };
            let group = product["group_path"].as_array().and_then(|path| path.last());
            let row = server.rows(&format!(
                "select p.title, p.sku, p.unit, coalesce(c.title, ''), {barcode_column},
                    p.available_thousandths, p.withdrawn_why
                 from products p left join categories c on c.id = p.category_id
                 where p.external_id = '{id}'"
            ));
            let deleted = if product["deleted"] == true { "deleted" } else { "" };
            assert_eq!(
                row,
                [format!(
                    "{}{label} | {} | {unit} | {} | {barcode} | {stock} | {deleted}",
                    text(product, "name"),
                    text(product, "article"),
                    group.and_then(Value::as_str).unwrap_or(""),
                )],
                "{id}"
            );
            let mut wanted: Vec<String> = prices
                .iter()
                .map(|(name, price)| {
                    let value = thousandths(text(price, "value")) / 10;
                    let per: i64 = if says.coefficients {
                        text(price, "coefficient").parse().expect("a number")
                    } else {
                        1
                    };
                    // A price of nothing is kept as the source says it.
                    format!("{name} | {value} | {per}")
                })
                .collect();
            wanted.sort();
            let mut stored = server.rows(&format!(
                "select t.name, r.amount_kopecks, r.per from prices r
                 join price_types t on t.id = r.price_type_id
                 join products p on p.id = r.product_id where p.external_id = '{id}'"
            ));
            stored.sort();
            if says.items.is_empty() {
                assert_eq!(stored, wanted, "{id}");
            } else {
                // Names of types stand in the other half of this set.
                assert_eq!(stored.len(), wanted.len(), "{id}");
            }
            if says.warehouses && stocked {
                let stored = server.rows(&format!(
                    "select w.external_id, s.quantity_thousandths from stocks s
                     join warehouses w on w.id = s.warehouse_id
                     join products p on p.id = s.product_id where p.external_id = '{id}'
                     order by w.external_id desc"
                ));
                let by_name = &variant["qty_by_warehouse"];
                let wanted = [
                    ("63988719-2b21-11e4-86f3-00155d0a4e11", "Основной склад"),
                    ("336eed66-25a7-11ec-8582-00155d0a4e11", "Склад Химки"),
                ];
                let wanted =
                    wanted.map(|(id, name)| format!("{id} | {}", thousandths(text(by_name, name))));
                assert_eq!(stored, wanted, "{id}");
            }
        }
        if variants.iter().all(|variant| text(variant, "id").contains('#')) {
            let sold = server
                .rows(&format!("select withdrawn_why from products where external_id = '{item}'"));
            assert!(sold.is_empty() || sold == ["variants"], "{item} is not sold itself: {sold:?}");
        }
    }
    let sold = server.rows("select count(*) from products where withdrawn_why in ('', 'deleted')");
    assert_eq!(sold, [count.to_string()]);
}

fn assert_groups(server: &Server) {
    let mut wanted: Vec<String> = expected()["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .map(|group| {
            let parent = group["parent"].as_str().unwrap_or("–");
            format!("{} | {} | {parent}", text(group, "id"), text(group, "name"))
        })
        .collect();
    wanted.sort();
    let mut stored = server.rows(
        "select c.external_id, c.title, p.external_id from categories c
         left join categories p on p.id = c.parent_id",
    );
    stored.sort();
    assert_eq!(stored, wanted);
}

/// The catalogue without what depends on the order of things: ids and moments.
fn essence(server: &Server) -> Vec<String> {
    let mut all = server.rows(
        "select p.external_id, p.sku, p.title, c.external_id, p.unit, p.description, p.barcode,
            p.available_thousandths, p.withdrawn_why, p.hidden from products p
         left join categories c on c.id = p.category_id order by p.external_id",
    );
    all.extend(server.rows(
        "select p.external_id, t.external_id, t.name, t.currency_word, r.amount_kopecks, r.per
         from prices r join price_types t on t.id = r.price_type_id
         join products p on p.id = r.product_id order by 1, 2",
    ));
    all.extend(server.rows(
        "select p.external_id, k.unit, k.coefficient_thousandths from packs k
         join products p on p.id = k.product_id order by 1, 2",
    ));
    all.extend(server.rows(
        "select p.external_id, w.external_id, s.quantity_thousandths from stocks s
         join warehouses w on w.id = s.warehouse_id
         join products p on p.id = s.product_id order by 1, 2",
    ));
    all.extend(server.rows(
        "select c.external_id, c.title, p.external_id from categories c
         left join categories p on p.id = c.parent_id order by 1",
    ));
    all
}

const GOODS: [&str; 2] = ["import.xml", "offers.xml"];

#[tokio::test]
async fn an_export_of_10_3_becomes_the_catalogue_that_it_is_and_changes_nothing_again() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    for name in GOODS {
        onec.upload("catalog", name, &fixture(&format!("ut103/{name}"))).await;
    }
    let picture = "import_files/27/277a4c6a-ea63-11e5-8c84-00155d0a4e11.png";
    onec.upload("catalog", picture, &fixture(&format!("ut103/{picture}"))).await;
    for name in GOODS {
        assert_eq!(onec.import(name).await, "success");
        assert_eq!(onec.import(name).await, "success", "asked again, it is done already");
    }
    assert_holds(&server, &expected()["products"], UT103_SAYS);
    assert_groups(&server);
    let packs = server.rows(
        "select p.sku, k.unit, k.coefficient_thousandths from packs k
         join products p on p.id = k.product_id order by p.sku",
    );
    assert_eq!(
        packs,
        [
            "BG5-NI | уп | 100000",
            "SNT150 | рул | 75000",
            "SR3516 | тыс шт | 1000000",
            "SR4275 | тыс шт | 1000000"
        ]
    );
    assert_eq!(
        server.rows("select distinct currency, currency_word from price_types"),
        ["RUB | руб"]
    );
    let (stored, version) = (server.catalogue(), server.version());
    for folder in ["ut103", "ut103-1251", "ut103"] {
        Ut103::new(&server).goods(folder, &GOODS).await;
        assert_eq!(server.catalogue(), stored, "{folder}");
        assert_eq!(server.version(), version, "{folder}");
    }
    let changes = server.rows(
        "select sum(created + changed + skipped + hidden + held) from exchanges where id > 2",
    );
    assert_eq!(changes, ["0"]);
}

#[tokio::test]
async fn the_journal_has_steps_raw_files_and_who_came() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    onec.goods("ut103", &GOODS).await;
    let rows = server.rows(
        "select way, kind, sender, received, created, changed, error, session <> '' from exchanges",
    );
    assert_eq!(
        rows,
        [
            "commerceml | catalog | 1C+Enterprise/8.2 | 27 | 27 | 0 |  | 1",
            "commerceml | catalog | 1C+Enterprise/8.2 | 26 | 0 | 26 |  | 1"
        ]
    );
    assert_eq!(server.rows("select count(distinct session) from exchanges"), ["1"]);
    let steps = server.rows("select step from exchange_steps order by exchange_id, position");
    insta::assert_snapshot!(steps.join("\n").replace('\u{a0}', "_"), @"
    1С вошла
    начало обмена
    получен import.xml, 64_638_байт
    получен offers.xml, 48_135_байт
    импорт import.xml
    импорт offers.xml
    ");
    let files = server.rows("select name, stored, bytes from exchange_files order by exchange_id");
    assert_eq!(files.len(), 2);
    for (line, name) in files.iter().zip(GOODS) {
        let mut parts = line.split(" | ");
        assert_eq!(parts.next(), Some(name));
        let stored = parts.next().expect("a name");
        let raw = server.folder.path().join("exchange/raw").join(stored);
        assert_eq!(std::fs::read(raw).expect("kept"), fixture(&format!("ut103/{name}")));
    }
    server.base.clock.advance(Duration::from_hours(24 * 8));
    assert_eq!(server.exchange.sweep_raw().await.expect("swept"), 2);
    assert_eq!(server.rows("select count(*) from exchange_files"), ["0"]);
    let last = server.exchange.calls(Door::Standard).taken.expect("somebody came");
    assert_eq!((last.what.as_str(), last.sender.as_str()), ("catalog import", "1C+Enterprise/8.2"));
}

#[tokio::test]
async fn order_pieces_cookies_verbs_and_addresses_make_no_difference() {
    let server = server().await;
    Ut103::new(&server).goods("ut103", &GOODS).await;
    let stored = essence(&server);
    let small = Habits { piece: 16 * 1024, ..UT103 };
    let everything = [
        (small, GOODS),
        (Habits { empty_piece: true, ..small }, GOODS),
        (UT103, ["offers.xml", "import.xml"]),
        (Habits { cookie: false, path: "/1c_exchange/", ..UT103 }, GOODS),
        (Habits { verb: "POST", path: "/1c_exchange.php", ..small }, GOODS),
        (Habits { path: "/bitrix/admin/1c_exchange.php", ..UT103 }, ["offers.xml", "import.xml"]),
        (Habits { cookie: false, path: "/", ..small }, GOODS),
    ];
    for (habits, names) in everything {
        let other = self::server().await;
        Ut103::with(&other, habits).goods("ut103-1251", &names).await;
        assert_eq!(essence(&other), stored, "{} {names:?}", habits.path);
    }
}

#[tokio::test]
async fn changes_change_what_they_list() {
    let server = server().await;
    Ut103::new(&server).goods("ut103", &GOODS).await;
    Ut103::new(&server).goods("ut103-changes", &GOODS).await;
    assert_holds(&server, &expected()["after_changes"], UT103_SAYS);
    assert_eq!(server.rows("select sum(hidden + held) from exchanges"), ["0"]);
    // The nightly full export is as it was: what it deleted comes back, nothing is hidden at once.
    Ut103::new(&server).goods("ut103", &GOODS).await;
    assert_eq!(server.rows("select count(*) from absences"), ["2"], "a variant and an item");
    let why = || {
        server.rows(
            "select sku, withdrawn_why from products where external_id like 'cc2d7091%'
             or external_id like '%#c8d3945b%' order by sku",
        )
    };
    assert_eq!(why(), ["SR3525 | ", "ST2236 | "]);
    Ut103::new(&server).goods("ut103-changes", &GOODS).await;
    assert_eq!(server.rows("select count(*) from absences"), ["0"], "a mention counts anew");
    for hidden in ["", "absent"] {
        Ut103::new(&server).goods("ut103", &GOODS).await;
        assert_eq!(why(), [format!("SR3525 | {hidden}"), format!("ST2236 | {hidden}")]);
    }
    Ut103::new(&server).goods("ut103-changes", &GOODS).await;
    assert_eq!(why(), ["SR3525 | ", "ST2236 | "]);
}

const UT11: [&str; 3] = ["import0_1.xml", "import0_2.xml", "offers0_1.xml"];

#[tokio::test]
async fn portions_of_11_hide_nothing_of_each_other() {
    let server = server().await;
    for _ in 0..3 {
        for name in UT11 {
            Ut103::new(&server).goods("ut11-2.07", &[name]).await;
        }
        assert_holds(&server, &expected()["products"], UT11_SAYS);
        assert_groups(&server);
    }
    let (stored, version) = (server.catalogue(), server.version());
    for name in UT11 {
        Ut103::new(&server).goods("ut11-2.07", &[name]).await;
    }
    assert_eq!((server.catalogue(), server.version()), (stored, version));
    Ut103::new(&server).goods("ut11-2.07", &["offers0_1-changes.xml"]).await;
    let changed = server.rows(
        "select external_id, available_thousandths from products
         where external_id like 'ecb08fd2%#%' or external_id = '277a4c6a-ea63-11e5-8c84-00155d0a4e11'
         order by external_id",
    );
    let after = expected()["after_changes"].clone();
    for product in after.as_array().expect("products") {
        for variant in product["variants"].as_array().expect("variants") {
            let (id, stock) = (text(variant, "id"), thousandths(text(variant, "qty_total")));
            if changed.iter().any(|row| row.starts_with(id)) {
                assert!(changed.contains(&format!("{id} | {stock}")), "{id}");
            }
        }
    }
    assert_eq!(server.rows("select distinct currency_word from price_types"), ["RUB"]);
}

#[tokio::test]
async fn a_split_set_may_come_in_any_order() {
    let names = ["import0_1.xml", "offers0_1.xml", "prices0_1.xml", "rests0_1.xml"];
    let mut first = None;
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
        let server = server().await;
        let order: Vec<&str> = order.iter().map(|index| names[*index]).collect();
        for name in &order {
            Ut103::new(&server).goods("split-2.09", &[name]).await;
        }
        assert_holds(&server, &expected()["products"], SPLIT_SAYS);
        assert_groups(&server);
        let stored = essence(&server);
        assert_eq!(first.get_or_insert_with(|| stored.clone()), &stored, "{order:?}");
        let version = server.version();
        Ut103::new(&server).goods("split-2.09", &order).await;
        assert_eq!((essence(&server), server.version()), (stored.clone(), version), "{order:?}");
        Ut103::new(&server).goods("split-2.09", &["rests0_1.xml"]).await;
        assert_eq!(essence(&server), stored, "rests alone clear no prices");
    }
}

#[tokio::test]
async fn a_set_of_schema_3_1_may_come_in_any_order() {
    let names = [
        "import___3ad69289-da78-11e8-8399-00155d0a4e11.xml",
        "import___4e8dfdd0-ff56-11e8-8362-00155d0a4e11.xml",
        "offers___b1eb7a1f-4baf-11e4-83a5-00155d0a4e11.xml",
        "prices___e5593a8b-fc79-11ec-8d3f-00155d0a4e11.xml",
        "rests___8d9d4d75-1c28-11eb-8f16-00155d0a4e11.xml",
    ];
    let mut first = None;
    for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [3, 1, 4, 0, 2]] {
        let server = server().await;
        for index in order {
            Ut103::new(&server).goods("split-3.1", &[names[index]]).await;
        }
        assert_holds(&server, &expected()["products"], SPLIT31_SAYS);
        let stored = essence(&server);
        assert_eq!(first.get_or_insert_with(|| stored.clone()), &stored, "{order:?}");
    }
}

#[tokio::test]
async fn the_default_price_type_and_the_warehouse_are_those_of_the_settings() {
    let server = server_with(|config| {
        config.onec.exchange.price_type = Some("Оптовая".to_owned());
        config.onec.exchange.warehouse = Some("Склад Химки".to_owned());
    })
    .await;
    let names = ["import0_1.xml", "offers0_1.xml", "prices0_1.xml", "rests0_1.xml"];
    Ut103::new(&server).goods("split-2.09", &names).await;
    let row = server.rows(
        "select id, available_thousandths from products where external_id like 'ecb08fd2%#f23990f7%'",
    );
    let (id, available) = row[0].split_once(" | ").expect("a row");
    assert_eq!(available, "50000");
    let id = partner_m::domain::ProductId(id.parse().expect("an id"));
    let load =
        move |conn: &rusqlite::Connection| partner_m::storage::offers::load(conn, [id], None);
    let offers = server.base.db.read_blocking(load).expect("an offer");
    assert_eq!(offers[&id].price.expect("a price").decimal(), "365.50");
}

#[tokio::test]
async fn without_a_default_type_nobody_is_shown_the_price_of_another() {
    let server = server().await;
    Ut103::new(&server).goods("ut103", &GOODS).await;
    let load = |conn: &rusqlite::Connection| {
        let ids = (1..30).map(partner_m::domain::ProductId);
        partner_m::storage::offers::load(conn, ids, None)
    };
    let offers = server.base.db.read_blocking(load).expect("offers");
    assert!(offers.len() == 27 && offers.values().all(|offer| offer.price.is_none()));
}

#[tokio::test]
async fn answers_are_exact_to_the_byte() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    for verb in ["GET", "POST"] {
        let text = onec.ask(verb, "&&type=catalog&mode=init&version=3.1", Vec::new()).await.text();
        let lines: Vec<&str> = text.split('\n').collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(
            (lines[0], lines[1], lines[3]),
            ("zip=no", "file_limit=67108864", "version=2.09")
        );
        assert!(lines[2].starts_with("sessid="));
        for (query, answer) in [
            ("type=catalog&mode=complete", "success"),
            ("type=sale&mode=success", "success"),
            (
                "type=catalog&mode=import&filename=no.xml",
                "failure\nФайл no.xml не найден: передайте его снова",
            ),
            ("type=catalog&mode=import", "failure\nне указано имя файла"),
            ("type=catalog&mode=dance", "failure\nНеизвестный режим обмена"),
            ("type=reference&mode=init", "failure\nНеизвестный режим обмена"),
            ("", "failure\nНеизвестный режим обмена"),
        ] {
            let reply = onec.ask(verb, query, Vec::new()).await;
            assert_eq!((reply.status, reply.text().as_str()), (200, answer), "{verb} {query}");
            assert_eq!(reply.headers["content-type"], "text/plain; charset=windows-1251");
            assert_eq!(reply.headers["cache-control"], "no-store");
        }
    }
}

#[tokio::test]
async fn the_plain_listener_redirects_packs_and_lets_in_nobody() {
    let server = server().await;
    let url = server.url("/1c_exchange?type=catalog&mode=checkauth");
    let ask = || server.client.get(&url).header("Accept-Encoding", "gzip");
    let reply = server.send(ask()).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.headers["www-authenticate"], "Basic realm=\"1c\"");
    assert!(reply.text.starts_with("failure\n"));
    let reply = server.send(ask().basic_auth(LOGIN, Some(PASSWORD))).await;
    assert_eq!(reply.status, 200);
    assert!(!reply.headers.contains_key("content-encoding"));
    let cookie = format!("PMSESS={}", reply.text.split('\n').nth(2).expect("a cookie"));
    let init = server.url("/1c_exchange?type=catalog&mode=init");
    let with_cookie = server.client.get(&init).header("Cookie", &cookie);
    assert_eq!(server.send(with_cookie).await.status, 200, "the cookie is enough");
    let sessid = format!("{init}&sessid={}", &cookie["PMSESS=".len()..]);
    assert_eq!(server.send(server.client.get(sessid)).await.status, 200);
    let wrong = server.client.get(&init).header("Cookie", &cookie).basic_auth(LOGIN, Some("x"));
    assert_eq!(server.send(wrong).await.status, 401, "a wrong password is wrong");
    for key in [LOGIN, "127.0.0.1", "0123456789abcdef0123456789abcdef"] {
        let forged = server.client.get(&init).header("Cookie", format!("PMSESS={key}"));
        assert_eq!(server.send(forged).await.status, 401, "{key}");
    }
    for path in ["/", "/?type=catalog", "/admin", "/health"] {
        assert_eq!(server.send(server.client.get(server.url(path))).await.status, 404, "{path}");
    }
    let off = Server::start().await;
    let ask = off.client.get(off.url("/1c_exchange?type=catalog&mode=checkauth"));
    let reply = off.send(ask.basic_auth("", Some(""))).await;
    assert!(reply.status == 200 && reply.text.starts_with("failure\n"), "off without a password");
}

#[tokio::test]
async fn wrong_passwords_are_throttled_by_login_and_address() {
    let server = server().await;
    let url = server.url("/1c_exchange?type=catalog&mode=checkauth");
    let ask =
        |login: &str, password: &str| server.client.get(&url).basic_auth(login, Some(password));
    for _ in 0..20 {
        assert_eq!(server.send(ask("guess", "wrong")).await.status, 401);
    }
    let turned = server.exchange.calls(Door::Standard).turned.expect("the last one");
    assert_eq!(turned.turned, Some(Turned::WrongPassword));
    // A right one is not taken either, and 10.3 shows its person why.
    let response = ask("guess", PASSWORD).send().await.expect("an answer");
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (200, &"60".parse().unwrap())
    );
    let text = response.bytes().await.expect("a text");
    let text = encoding_rs::WINDOWS_1251.decode(&text).0.into_owned();
    assert_eq!(text, "failure\nСлишком много неверных паролей, повторите через минуту");
    assert_eq!(server.send(ask(LOGIN, PASSWORD)).await.status, 200, "the job goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_takes_long_says_how_far_it_is_and_succeeds_after_the_commit() {
    let server = Server::tuned(
        |config| {
            config.onec.exchange.password = Some(partner_m::domain::Secret::new(PASSWORD));
        },
        |state| state.patience = Duration::ZERO,
    )
    .await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    onec.upload("catalog", "import.xml", &fixture("ut103/import.xml")).await;
    // Another writer is at it: the import cannot commit before it lets go.
    let (begun, wait) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let db = server.base.db.clone();
    let busy = std::thread::spawn(move || {
        db.write_blocking(|_| {
            begun.0.send(()).expect("heard");
            wait.1.recv().expect("told");
            Ok::<_, partner_m::storage::StorageError>(())
        })
    });
    begun.1.recv().expect("begun");
    let query = "type=catalog&mode=import&filename=import.xml";
    for _ in 0..3 {
        let text = onec.ask("GET", query, Vec::new()).await.text();
        assert!(text.starts_with("progress\nОбработано записей: "), "{text}");
    }
    assert_eq!(server.rows("select count(*) from products"), ["0"]);
    assert_eq!(waiting(&server).len(), 1, "a program that dies now takes it up again");
    wait.0.send(()).expect("heard");
    busy.join().expect("ends").expect("commits");
    server.tasks.finished().await;
    assert_eq!(onec.ask("GET", query, Vec::new()).await.text(), "success");
    assert_eq!(server.rows("select count(*) from products"), ["27"]);
    assert_eq!(waiting(&server).len(), 0);
}

#[tokio::test]
async fn what_deactivate_names_is_hidden_within_reason() {
    let server = server().await;
    Ut103::new(&server).goods("ut103", &GOODS).await;
    server.base.clock.advance(Duration::from_mins(5));
    let since = server.base.clock.now().millis() / 1_000;
    let mut onec = Ut103::new(&server);
    onec.goods("ut103-changes", &GOODS).await;
    let query = format!("type=catalog&mode=deactivate&timestamp={since}");
    assert_eq!(onec.ask("GET", &query, Vec::new()).await.text(), "success");
    let absent = "select count(*) from products where withdrawn_why = 'absent'";
    assert_eq!(server.rows(absent), ["20"], "all but the changes and what is deleted");
    onec.goods("ut103", &GOODS).await;
    assert_eq!(server.rows(absent), ["0"], "a mention brings it back");
    // From so long ago it is not known what was mentioned.
    let query = "type=catalog&mode=deactivate&timestamp=1000000000";
    assert_eq!(onec.ask("GET", query, Vec::new()).await.text(), "success");
    assert_eq!(server.rows(absent), ["0"]);
    // What was mentioned is known to a program that was started anew in between.
    server.base.clock.advance(Duration::from_mins(5));
    let since = server.base.clock.now().millis() / 1_000;
    onec.goods("ut103-changes", &GOODS).await;
    let started_anew = Server::over(&server).await;
    let query = format!("type=catalog&mode=deactivate&timestamp={since}");
    let onec = Ut103::new(&started_anew);
    assert_eq!(onec.ask("GET", &query, Vec::new()).await.text(), "success");
    assert_eq!(server.rows(absent), ["20"]);
    let mut onec = Ut103::new(&server);
    onec.goods("ut103", &GOODS).await;
    // Without a single mention the hiding waits for a person.
    server.base.clock.advance(Duration::from_mins(5));
    let since = server.base.clock.now().millis() / 1_000;
    let query = format!("type=catalog&mode=deactivate&timestamp={since}");
    assert_eq!(onec.ask("GET", &query, Vec::new()).await.text(), "success");
    assert_eq!(server.rows(absent), ["0"]);
    let held = server.exchange.held_hiding().await.expect("reads").expect("waits");
    assert_eq!((held.products, held.of_total), (28, 28));
}

#[tokio::test]
async fn what_holds_nothing_for_us_leaves_a_trace() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    let clients = "<КоммерческаяИнформация><Контрагенты/></КоммерческаяИнформация>";
    onec.upload("catalog", "contragents.xml", clients.as_bytes()).await;
    assert_eq!(onec.import("contragents.xml").await, "success");
    let said = server.rows("select reason from exchange_problems");
    assert!(said[0].contains("contragents.xml: ни товаров, ни заказов"), "{said:?}");
    assert_eq!(server.rows("select name from exchange_files"), ["contragents.xml"]);
    // A certificate beside the pictures is taken and forgotten.
    onec.upload("catalog", "import_files/27/passport.pdf", b"%PDF").await;
    server.base.clock.advance(Duration::from_mins(11));
    assert_eq!(server.exchange.import_forgotten(&server.tasks).await.expect("looks"), 0);
}

#[tokio::test]
async fn a_renamed_characteristic_follows_its_offer_and_a_bare_name_takes_no_label_away() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    let item = |title: &str| {
        format!(
            "<КоммерческаяИнформация><Каталог СодержитТолькоИзменения=\"true\"><Товары><Товар>\
             <Ид>a#b</Ид><Наименование>{title}</Наименование><ХарактеристикиТовара>\
             <ХарактеристикаТовара><Наименование>Толщина</Наименование><Значение>19</Значение>\
             </ХарактеристикаТовара></ХарактеристикиТовара></Товар></Товары></Каталог>\
             </КоммерческаяИнформация>"
        )
    };
    let offer = |title: &str| {
        format!(
            "<КоммерческаяИнформация><ПакетПредложений СодержитТолькоИзменения=\"true\">\
             <Предложения><Предложение><Ид>a#b</Ид><Наименование>{title}</Наименование>\
             </Предложение></Предложения></ПакетПредложений></КоммерческаяИнформация>"
        )
    };
    onec.checkauth("catalog").await;
    for (import, offers, shown) in [
        (Some("Кромка (белая)"), "Кромка (белая)", "Кромка (белая) (19)"),
        (None, "Кромка (белая)", "Кромка (белая) (19)"),
        (None, "Лента, алая", "Лента, алая"),
    ] {
        onec.init("catalog").await;
        if let Some(title) = import {
            onec.upload("catalog", "import.xml", item(title).as_bytes()).await;
            assert_eq!(onec.import("import.xml").await, "success");
        }
        onec.upload("catalog", "offers.xml", offer(offers).as_bytes()).await;
        assert_eq!(onec.import("offers.xml").await, "success");
        assert_eq!(server.rows("select title from products"), [shown]);
    }
}
