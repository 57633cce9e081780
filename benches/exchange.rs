//! 100 000 items pushed as JSON and as CommerceML, first and unchanged, beside the bare SQLite upsert
//! with a full-text index of the same rows in the same run; how long reads take meanwhile; and how
//! long small writes wait while a copy of the database is made, alone and during a push.
//!
//! `cargo bench --bench exchange [-- BODY.json]`
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a bench measures, prints and stops at the first failure"
)]

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use partner_m::config::Config;
use partner_m::domain::{Clock, Zone};
use partner_m::formats::commerceml::CommerceMl;
use partner_m::formats::onec_json::CatalogJson;
use partner_m::services::Base;
use partner_m::services::backup::{Backups, Reason};
use partner_m::services::exchange::spool::SpoolWriter;
use partner_m::services::exchange::{ApplyReport, Exchange, Origin, Way};
use partner_m::services::live::Live;
use partner_m::storage::db::Create;
use partner_m::storage::{Db, StorageError};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;

const ITEMS: usize = 100_000;

fn body() -> String {
    let nouns = ["Саморез", "Петля накладная", "Ручка-скоба", "Спанбонд", "Опора мебельная"];
    let colours = ["белый", "чёрный", "хром", "бронза", "никель", "антрацит", "дуб сонома"];
    let mut body = String::with_capacity(ITEMS * 370);
    body.push_str("{\"items\": [");
    // A fixed recipe: the same body in every run.
    let mut seed = 20_240_131_u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for index in 0..ITEMS {
        let noun = nouns[next(5) as usize];
        let title = format!(
            "{noun} {}х{} {} DIN {}",
            next(12) + 3,
            next(70) + 10,
            colours[next(7) as usize],
            next(9000)
        );
        let separator = if index == 0 { "" } else { ", " };
        write!(
            body,
            "{separator}{{\"sku\": \"МФ-{index:06}\", \"title\": \"{title}\", \"category\": \
             \"{noun} линейка {}\", \"stock_qty\": {}, \"price\": {}.{:02}, \"description\": \
             \"{title}. Линейка «для кухни», упаковка {} шт, страна: Россия.\"}}",
            next(30),
            next(5000),
            next(9000) + 1,
            next(100),
            next(500)
        )
        .unwrap();
    }
    body.push_str("]}");
    body
}

fn main() {
    let given = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let body = given.map_or_else(body, |path| std::fs::read_to_string(path).unwrap());
    println!("тело {:.1} МБ", body.len() as f64 / 1e6);
    let folder = tempfile::tempdir().unwrap();
    let bare = bare_upsert(&body, folder.path());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let json = runtime.block_on(pushes(&[&body], folder.path(), Way::Json));
    let (goods, offers) = commerceml(&body);
    println!("CommerceML {:.1} МБ", (goods.len() + offers.len()) as f64 / 1e6);
    let xml = runtime.block_on(pushes(&[&goods, &offers], folder.path(), Way::CommerceMl));
    for (turn, ours, bare) in [
        ("JSON, первая выгрузка", json.0, bare.0),
        ("JSON, без изменений", json.1, bare.1),
        ("CommerceML, первая выгрузка", xml.0, bare.0),
        ("CommerceML, без изменений", xml.1, bare.1),
    ] {
        println!(
            "{turn}: {:.3} с, голый SQLite {:.3} с, отношение {:.2}",
            ours.as_secs_f64(),
            bare.as_secs_f64(),
            ours.as_secs_f64() / bare.as_secs_f64()
        );
    }
    runtime.block_on(pauses(&body));
}

/// The same rows as import.xml and offers.xml of 10.3.
fn commerceml(body: &str) -> (String, String) {
    let body: Body = serde_json::from_str(body).unwrap();
    let groups: BTreeSet<&str> = body.items.iter().map(|item| item.category.as_ref()).collect();
    let group = |name: &str| groups.iter().position(|group| *group == name).unwrap();
    let mut goods = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<КоммерческаяИнформация ВерсияСхемы=\"2.04\">\n\
        \t<Классификатор>\n\t\t<Группы>\n",
    );
    for (index, name) in groups.iter().enumerate() {
        writeln!(
            goods,
            "\t\t\t<Группа><Ид>g{index}</Ид><Наименование>{name}</Наименование></Группа>"
        )
        .unwrap();
    }
    goods.push_str(
        "\t\t</Группы>\n\t</Классификатор>\n\t<Каталог СодержитТолькоИзменения=\"false\">\n\t\t<Товары>\n",
    );
    let mut offers = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<КоммерческаяИнформация ВерсияСхемы=\"2.04\">\n\
        \t<ПакетПредложений>\n\t\t<ТипыЦен><ТипЦены><Ид>t</Ид><Наименование>Оптовая</Наименование>\
        <Валюта>руб</Валюта></ТипЦены></ТипыЦен>\n\t\t<Предложения>\n",
    );
    for (index, item) in body.items.iter().enumerate() {
        let head = format!(
            "\t\t\t\t<Ид>bff15c98-94fd-11ef-8d93-{index:012}</Ид>\n\t\t\t\t<Артикул>{}</Артикул>\n\
            \t\t\t\t<Наименование>{}</Наименование>\n\t\t\t\t<БазоваяЕдиница Код=\"796\" \
            НаименованиеПолное=\"Штука\" МеждународноеСокращение=\"PCE\">шт</БазоваяЕдиница>\n",
            item.sku, item.title
        );
        writeln!(
            goods,
            "\t\t\t<Товар>\n{head}\t\t\t\t<Группы>\n\t\t\t\t\t<Ид>g{}</Ид>\n\t\t\t\t</Группы>\n\
            \t\t\t\t<Описание>{}</Описание>\n\t\t\t\t<ЗначенияРеквизитов>\n\t\t\t\t\t<ЗначениеРеквизита>\n\
            \t\t\t\t\t\t<Наименование>ТипНоменклатуры</Наименование>\n\t\t\t\t\t\t<Значение>Товар</Значение>\n\
            \t\t\t\t\t</ЗначениеРеквизита>\n\t\t\t\t</ЗначенияРеквизитов>\n\t\t\t</Товар>",
            group(&item.category),
            item.description
        )
        .unwrap();
        writeln!(
            offers,
            "\t\t\t<Предложение>\n{head}\t\t\t\t<Цены>\n\t\t\t\t\t<Цена>\n\
            \t\t\t\t\t\t<Представление>{0:.2} руб. за шт</Представление>\n\t\t\t\t\t\t<ИдТипаЦены>t</ИдТипаЦены>\n\
            \t\t\t\t\t\t<ЦенаЗаЕдиницу>{0:.2}</ЦенаЗаЕдиницу>\n\t\t\t\t\t\t<Валюта>руб</Валюта>\n\
            \t\t\t\t\t\t<Единица>шт</Единица>\n\t\t\t\t\t\t<Коэффициент>1</Коэффициент>\n\t\t\t\t\t</Цена>\n\
            \t\t\t\t</Цены>\n\t\t\t\t<Количество>{1}</Количество>\n\t\t\t</Предложение>",
            item.price, item.stock_qty
        )
        .unwrap();
    }
    goods.push_str("\t\t</Товары>\n\t</Каталог>\n</КоммерческаяИнформация>");
    offers.push_str("\t\t</Предложения>\n\t</ПакетПредложений>\n</КоммерческаяИнформация>");
    (goods, offers)
}

/// Our push, spooled and applied file by file, with a reader beside it.
async fn pushes(bodies: &[&str], folder: &Path, way: Way) -> (Duration, Duration) {
    let base = base(folder, &format!("{}.db", way.as_str()));
    let exchange = Exchange::new(base.clone());
    let mut times = Vec::new();
    for turn in ["первая", "без изменений", "без изменений"] {
        let stop = Arc::new(AtomicBool::new(false));
        let reader = {
            let (db, stop) = (base.db.clone(), stop.clone());
            std::thread::spawn(move || {
                let mut waits = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    db.read_blocking(|conn| {
                        let mut stmt = conn.prepare_cached(
                            "select title from products where sku like 'МФ-00%' limit 50",
                        )?;
                        let rows = stmt.query_map([], |row| row.get::<_, String>(0))?;
                        Ok::<_, StorageError>(rows.count())
                    })
                    .unwrap();
                    waits.push(began.elapsed());
                    std::thread::sleep(Duration::from_millis(5));
                }
                waits.sort_unstable();
                waits
            })
        };
        let began = Instant::now();
        let mut report = ApplyReport::default();
        for body in bodies {
            let mut writer = SpoolWriter::create(folder, u64::MAX).unwrap();
            for piece in body.as_bytes().chunks(256 * 1024) {
                writer = writer.write(piece).unwrap();
            }
            let spool = writer.finish().unwrap();
            let origin = Origin::new(way);
            let one = match way {
                Way::CommerceMl => exchange.apply(CommerceMl(spool), origin).await.unwrap(),
                _ => exchange.apply(CatalogJson(spool), origin).await.unwrap(),
            };
            report.created += one.created;
            report.changed += one.changed;
            report.unchanged += one.unchanged;
        }
        let took = began.elapsed();
        stop.store(true, Ordering::Relaxed);
        let waits = reader.join().unwrap();
        println!(
            "{way:?}, {turn}: {:.3} с; создано {}, изменено {}, прежних {}; чтения p99 {:.1} мс, худшее {:.1} мс",
            took.as_secs_f64(),
            report.created,
            report.changed,
            report.unchanged,
            waits[waits.len() * 99 / 100].as_secs_f64() * 1e3,
            waits[waits.len() - 1].as_secs_f64() * 1e3,
        );
        times.push(took);
    }
    (times[0], times[1].min(times[2]))
}

fn base(folder: &Path, file: &str) -> Base {
    let config = Config { data_dir: folder.to_owned(), ..Config::default() };
    Base {
        db: Db::open(&folder.join(file), Create::Yes).unwrap(),
        clock: Clock::system(),
        zone: Zone::utc(),
        config: config.into(),
        live: Live::default(),
    }
}

async fn push(exchange: &Exchange, body: &str, folder: &Path) {
    let writer = SpoolWriter::create(folder, u64::MAX).unwrap().write(body.as_bytes()).unwrap();
    let source = CatalogJson(writer.finish().unwrap());
    exchange.apply(source, Origin::new(Way::Json)).await.unwrap();
}

/// How long small writes wait for their turn and their sync, with each kind of work beside them.
async fn pauses(body: &str) {
    for (name, pushes, copies) in [
        ("ничего", false, false),
        ("копия", false, true),
        ("выгрузка", true, false),
        ("выгрузка и копия", true, true),
    ] {
        let mut worst = Vec::new();
        for _ in 0..3 {
            let folder = tempfile::tempdir().unwrap();
            let base = base(folder.path(), "partner-m.db");
            let exchange = Exchange::new(base.clone());
            push(&exchange, body, folder.path()).await;
            let stop = Arc::new(AtomicBool::new(false));
            let (db, over) = (base.db.clone(), stop.clone());
            let writer = std::thread::spawn(move || {
                let mut longest = Duration::ZERO;
                while !over.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    db.write_blocking(|tx| {
                        tx.execute("insert into audit (at_ms, channel, action, object) values (0, 'cli', 'x', 'x')", [])?;
                        Ok::<_, StorageError>(())
                    })
                    .unwrap();
                    longest = longest.max(began.elapsed());
                    std::thread::sleep(Duration::from_millis(1));
                }
                longest
            });
            // Every price is another one: the push has all to write.
            let changed = body.replace("\"price\": ", "\"price\": 1");
            let pushing = async {
                if pushes {
                    push(&exchange, &changed, folder.path()).await;
                }
            };
            let backups = Backups::new(base.clone());
            let copying = async {
                if copies {
                    backups.make(Reason::Manual, None).await.unwrap();
                }
            };
            tokio::join!(pushing, copying);
            if !pushes && !copies {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            stop.store(true, Ordering::Relaxed);
            worst.push(writer.join().unwrap());
        }
        worst.sort_unstable();
        println!(
            "рядом {name}: запись ждёт не дольше {:.0} мс (лучшее из трёх), {:.0} мс (худшее)",
            worst[0].as_secs_f64() * 1e3,
            worst[2].as_secs_f64() * 1e3
        );
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    items: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    sku: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    title: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    category: std::borrow::Cow<'a, str>,
    stock_qty: i64,
    price: f64,
    #[serde(borrow)]
    description: std::borrow::Cow<'a, str>,
}

/// Parse, upsert what differs, index what was written: the least that SQLite can do.
fn bare_upsert(body: &str, folder: &Path) -> (Duration, Duration) {
    let mut db = Connection::open(folder.join("bare.db")).unwrap();
    db.execute_batch(
        "pragma journal_mode=wal; pragma synchronous=full; pragma foreign_keys=on;
        create table categories(id integer primary key, title text not null unique);
        create table products(id integer primary key, sku text not null unique,
            title text not null, description text not null, stock_qty integer not null,
            price_kopecks integer not null, category_id integer references categories(id));
        create index products_by_category on products(category_id);
        create virtual table products_fts using fts5(title, content='', contentless_delete=1,
            tokenize='unicode61');",
    )
    .unwrap();
    let mut times = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        let body: Body = serde_json::from_str(body).unwrap();
        bare_push(&mut db, &body.items);
        times.push(began.elapsed());
    }
    (times[0], times[1].min(times[2]))
}

fn bare_push(db: &mut Connection, items: &[Item<'_>]) {
    let tx = db.transaction().unwrap();
    {
        let mut categories: HashMap<&str, i64> = HashMap::new();
        let mut category = tx
            .prepare(
                "insert into categories(title) values (?1)
                on conflict(title) do update set title = title returning id",
            )
            .unwrap();
        let mut upsert = tx
            .prepare(
                "insert into products(sku, title, description, stock_qty, price_kopecks, category_id)
                values (?1, ?2, ?3, ?4, ?5, ?6)
                on conflict(sku) do update set title = excluded.title,
                    description = excluded.description, stock_qty = excluded.stock_qty,
                    price_kopecks = excluded.price_kopecks, category_id = excluded.category_id
                where (products.title, products.description, products.stock_qty,
                    products.price_kopecks, products.category_id) is not (excluded.title,
                    excluded.description, excluded.stock_qty, excluded.price_kopecks,
                    excluded.category_id)
                returning id",
            )
            .unwrap();
        let mut index = Vec::new();
        for item in items {
            let category_id = *categories.entry(item.category.as_ref()).or_insert_with(|| {
                category.query_row([item.category.as_ref()], |row| row.get(0)).unwrap()
            });
            let kopecks = (item.price * 100.0).round() as i64;
            let row = params![
                item.sku,
                item.title,
                item.description,
                item.stock_qty,
                kopecks,
                category_id
            ];
            if let Some(id) = upsert.query_row(row, |row| row.get(0)).optional().unwrap() {
                let id: i64 = id;
                index.push((id, item.title.as_ref()));
            }
        }
        let mut insert =
            tx.prepare("insert into products_fts(rowid, title) values (?1, ?2)").unwrap();
        for (id, title) in index {
            insert.execute(params![id, title]).unwrap();
        }
    }
    tx.commit().unwrap();
}
