//! Bad CommerceML: bombs, cut files, bad records, archives.

use std::io::Write;

use partner_m::services::accounts::Actor;
use partner_m::services::exchange::explain::explain_bytes;
use partner_m::services::exchange::files::CatalogFile;
use partner_m::services::exchange::{Origin, Way};

use crate::onec_server::Server;
use crate::support::ut103::{Ut103, fixture, server};

async fn bring(server: &Server, name: &str, bytes: &[u8]) -> String {
    let mut onec = Ut103::new(server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    onec.upload("catalog", name, bytes).await;
    onec.import(name).await
}

fn catalogue(items: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><КоммерческаяИнформация ВерсияСхемы=\"2.04\">\
         <Каталог СодержитТолькоИзменения=\"true\"><Товары>{items}</Товары></Каталог>\
         </КоммерческаяИнформация>"
    )
    .into_bytes()
}

#[tokio::test]
async fn a_broken_file_stores_nothing_and_the_next_good_one_works() {
    let server = server().await;
    let good = fixture("ut103/offers.xml");
    let deep = format!("<КоммерческаяИнформация>{}", "<Каталог>".repeat(10_000));
    let long = format!("<КоммерческаяИнформация><Каталог><!--{}", " ".repeat(17 << 20));
    let bomb =
        "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><КоммерческаяИнформация>&b;";
    let outside =
        "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><КоммерческаяИнформация/>";
    let entity = String::from_utf8(catalogue("<Товар><Ид>&a;</Ид></Товар>")).expect("UTF-8");
    let crossed = "<КоммерческаяИнформация><Каталог></Товары></КоммерческаяИнформация>";
    for (bytes, why) in [
        (&b""[..], "обрывается"),
        (b"hello", "не CommerceML"),
        (b"<a/>", "не CommerceML"),
        (b"PK\x03\x04 no archive", "архив"),
        (&good[..good.len() / 2], "обрывается"),
        (&good[..good.len() - 3], "обрывается"),
        (deep.as_bytes(), "вложенность"),
        (long.as_bytes(), "слишком длинный"),
        (bomb.as_bytes(), "DOCTYPE"),
        (outside.as_bytes(), "DOCTYPE"),
        (entity.as_bytes(), "сущность"),
        (crossed.as_bytes(), "закрыт"),
    ] {
        let answer = bring(&server, "import.xml", bytes).await;
        assert!(answer.starts_with("failure\n") && answer.contains(why), "{why}: {answer}");
        assert_eq!(answer.split('\n').count(), 2, "{answer}");
        assert!(answer.chars().count() < 220);
    }
    assert_eq!(server.catalogue(), [""; 0]);
    assert_eq!(server.rows("select count(*) from exchanges where error <> ''"), ["12"]);
    assert_eq!(bring(&server, "import.xml", &fixture("ut103/import.xml")).await, "success");
}

#[tokio::test]
async fn what_follows_the_end_of_a_document_makes_it_broken_unless_it_is_nothing() {
    let server = server().await;
    let good = catalogue("<Товар><Ид>1</Ид><Наименование>Клей\n</Наименование></Товар>");
    let with = |tail: &str| [&good, tail.as_bytes()].concat();
    for (tail, line) in [
        ("junk", 2),
        ("\r\n\r\n  junk\r\n", 4),
        ("</КоммерческаяИнформация>", 2),
        ("\n<Каталог/>", 3),
        ("\n<!-- so -->\n<", 4),
        ("&amp;", 2),
        ("\n<КоммерческаяИнформация/>", 3),
    ] {
        let answer = bring(&server, "import.xml", &with(tail)).await;
        let why = format!("failure\nimport.xml: лишнее после конца документа, строка {line}");
        assert_eq!(answer, why, "{tail:?}");
    }
    assert_eq!(server.catalogue(), [""; 0]);
    for tail in ["\r\n", "\n \t\n", "\0\0\0\0", "\u{1a}", "<!-- so --><?so so?>\n", "\u{feff}"] {
        assert_eq!(bring(&server, "import.xml", &with(tail)).await, "success", "{tail:?}");
    }
    assert_eq!(server.rows("select title from products"), ["Клей"]);
    // Orders are refused at once: no `import` follows in 10.3.
    let mut onec = Ut103::new(&server);
    onec.checkauth("sale").await;
    let orders =
        [&fixture("sale/1cbitrix-73885265-2346-11e6-85ec-00155d0a4e11.xml")[..], b"\njunk"]
            .concat();
    let answer = onec.file("sale", "1cbitrix-1.xml", &orders).await.text();
    assert!(answer.contains("лишнее после конца документа, строка"), "{answer}");
}

#[tokio::test]
async fn a_file_cut_anywhere_stores_nothing() {
    let server = server().await;
    let whole = fixture("ut103/offers.xml");
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    for percent in (0..100).step_by(7) {
        onec.init("catalog").await;
        onec.upload("catalog", "offers.xml", &whole[..whole.len() * percent / 100]).await;
        let answer = onec.import("offers.xml").await;
        assert!(answer.starts_with("failure\n"), "{percent} %: {answer}");
    }
    assert_eq!(server.rows("select count(*) from products"), ["0"]);
    assert_eq!(server.rows("select count(*) from price_types"), ["0"]);
    assert_eq!(bring(&server, "offers.xml", &whole).await, "success");
}

#[tokio::test]
async fn one_bad_record_is_left_out_and_named() {
    let server = server().await;
    let price = |text: &str| {
        format!(
            "<Цены><Цена><ИдТипаЦены>t</ИдТипаЦены><ЦенаЗаЕдиницу>{text}</ЦенаЗаЕдиницу></Цена></Цены>"
        )
    };
    let huge = "ш".repeat(3 << 20);
    let items = [
        format!("<Товар><Ид>1</Ид><Наименование>Слова</Наименование>{}</Товар>", price("договорная")),
        "<Товар><Наименование>Без ид</Наименование></Товар>".to_owned(),
        format!("<Товар><Ид>3</Ид><Наименование>Велик</Наименование><Описание>{huge}</Описание><Описание>{huge}</Описание></Товар>"),
        "<Товар><Ид>4</Ид><Наименование>Первый</Наименование></Товар>".to_owned(),
        "<Товар><Ид>4</Ид><Наименование>Второй\u{1}\u{b}</Наименование></Товар>".to_owned(),
        format!("<Товар><Ид>5</Ид><Наименование>Хороший</Наименование>{}</Товар>", price("1\u{a0}234,5")),
        "<Товар><Ид>6</Ид></Товар>".to_owned(),
        "<Товар><Ид>7#00000000-0000-0000-0000-000000000000</Ид><Наименование>Голый</Наименование></Товар>".to_owned(),
    ];
    assert_eq!(bring(&server, "import.xml", &catalogue(&items.concat())).await, "success");
    assert_eq!(
        server.rows("select external_id, title from products order by external_id"),
        ["4 | Второй", "5 | Хороший", "7 | Голый"]
    );
    let problems = server.rows("select record, sku, reason from exchange_problems order by record");
    insta::assert_snapshot!(problems.join("\n"), @"
    0 | 1 | ЦенаЗаЕдиницу = «договорная»: не число
    1 |  | нет элемента «Ид»
    2 | 3 | запись больше 8 МБ
    3 | 4 | повтор: этот товар есть ниже, действует запись 5
    6 | 6 | нет названия, а товар ещё не известен
    ");
}

#[tokio::test]
async fn ten_thousand_bad_records_are_counted_and_a_thousand_named() {
    let server = server().await;
    let bad = "<Товар><Ид>1</Ид><Цены><Цена><ЦенаЗаЕдиницу>х</ЦенаЗаЕдиницу></Цена></Цены></Товар>";
    let items = bad.repeat(10_000) + "<Товар><Ид>2</Ид><Наименование>Цел</Наименование></Товар>";
    assert_eq!(bring(&server, "import.xml", &catalogue(&items)).await, "success");
    assert_eq!(
        server.rows("select received, created, skipped from exchanges"),
        ["10001 | 1 | 10000"]
    );
    assert_eq!(server.rows("select count(*) from exchange_problems"), ["1000"]);
}

#[tokio::test]
async fn groups_that_go_in_circles_stand_in_the_root() {
    let server = server().await;
    let group = |id: &str, inner: &str| {
        format!(
            "<Группа><Ид>{id}</Ид><Наименование>{id}</Наименование><Группы>{inner}</Группы></Группа>"
        )
    };
    let circle = group("a", &group("b", &group("a", "")));
    let xml = format!(
        "<КоммерческаяИнформация><Классификатор><Группы>{circle}</Группы></Классификатор></КоммерческаяИнформация>"
    );
    assert_eq!(bring(&server, "import.xml", xml.as_bytes()).await, "success");
    let warned = server.rows("select count(*) from exchange_problems where record is null");
    assert_ne!(warned, ["0"]);
    assert_eq!(server.rows("select count(*) from categories"), ["2"]);
}

#[tokio::test]
async fn encodings_are_told_by_the_text_whatever_the_declaration_says() {
    let server = server().await;
    let text =
        String::from_utf8(catalogue("<Товар><Ид>1</Ид><Наименование>Болт</Наименование></Товар>"))
            .expect("UTF-8");
    let (cp1251, _, _) = encoding_rs::WINDOWS_1251.encode(&text);
    let declared = text.replace("UTF-8", "windows-1251");
    let marked = format!("\u{feff}{declared}");
    let utf16: Vec<u8> =
        format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut broken = text.clone().into_bytes();
    let at = broken.len() - 60;
    broken.insert(at, 0xff);
    for bytes in [&cp1251[..], declared.as_bytes(), marked.as_bytes(), &utf16, text.as_bytes()] {
        assert_eq!(bring(&server, "import.xml", bytes).await, "success");
        assert_eq!(server.rows("select title from products"), ["Болт"]);
    }
    assert_eq!(server.version(), "1");
}

#[tokio::test]
async fn the_same_goods_written_in_other_manners_are_the_same() {
    let server = server().await;
    let plain = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
        <КоммерческаяИнформация ВерсияСхемы=\"2.04\"><Каталог СодержитТолькоИзменения=\"true\"><Товары>\
        <Товар Статус=\"Новый\"><Ид>1</Ид><Артикул>А-1</Артикул><Наименование>Болт &quot; &lt; М6</Наименование>\
        <БазоваяЕдиница Код=\"796\" НаименованиеПолное=\"Штука\">шт</БазоваяЕдиница><Описание>а\nб</Описание>\
        </Товар></Товары></Каталог></КоммерческаяИнформация>";
    let doctype =
        "<!DOCTYPE КоммерческаяИнформация SYSTEM \"CommerceML.dtd\"><КоммерческаяИнформация ";
    let inside =
        "<Товар Статус=\"Новый\"><!-- к --><?x y?><Новое><Ид>2</Ид></Новое><Картинка/><Группы/>";
    let prefixed = plain
        .replace("</", "\u{1}")
        .replace("<?", "\u{2}")
        .replace('<', "<cml:")
        .replace('\u{1}', "</cml:")
        .replace('\u{2}', "<?")
        .replace(" ВерсияСхемы", " xmlns:cml=\"urn:1C.ru:commerceml_2\" ВерсияСхемы");
    for (manner, xml) in [
        ("plain", plain.to_owned()),
        ("a document type", plain.replace("<КоммерческаяИнформация ", doctype)),
        ("a namespace", plain.replace(" Версия", " xmlns=\"urn:1C.ru:commerceml_3\" Версия")),
        ("prefixes", prefixed),
        ("lines", plain.replace("><", ">\r\n\t\t<").replace("а\nб", "а\r\nб")),
        ("strange elements", plain.replace("<Товар Статус=\"Новый\">", inside)),
        ("sections", plain.replace("Болт &quot; &lt; М6", "<![CDATA[Болт \" < М6]]>")),
        ("references", plain.replace("Болт", "&#1041;&#x43E;лт")),
        (
            "other attributes first",
            plain.replace("Код=\"796\"", "МеждународноеСокращение='PCE' Код = '796'"),
        ),
        ("blanks inside", plain.replace("<Ид>1</Ид>", "<Ид>\n 1 \n</Ид>")),
        (
            "not a mark of deletion",
            plain.replace("<Ид>", "<ПометкаУдаления>false</ПометкаУдаления><Ид>"),
        ),
    ] {
        assert_eq!(bring(&server, "import.xml", xml.as_bytes()).await, "success", "{manner}");
        let rows = server.rows("select external_id, sku, title, unit, description from products");
        assert_eq!(rows, ["1 | А-1 | Болт \" < М6 | шт | а\nб"], "{manner}");
    }
    assert_eq!(server.version(), "1", "one and the same");
    assert_eq!(server.rows("select sum(skipped) from exchanges"), ["0"]);
}

#[tokio::test]
async fn names_that_climb_are_refused() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    for name in ["../../etc/passwd", "..%2F..%2Fx.xml", "a\\..\\x.xml", "import_files/../x.png"] {
        let answer = onec.file("catalog", name, b"x").await;
        assert_eq!(answer.text(), "failure\nнедопустимое имя файла", "{name}");
    }
    let bytes = fixture("ut103/import.xml");
    onec.upload("catalog", "/tmp/v8_1/IMPORT.XML", &bytes).await;
    assert_eq!(onec.import("import.xml").await, "success");
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).expect("begun");
        writer.write_all(bytes).expect("written");
    }
    writer.finish().expect("ends").into_inner()
}

#[tokio::test]
async fn an_archive_is_read_by_its_name_or_by_those_inside() {
    let (import, offers) = (fixture("ut103/import.xml"), fixture("ut103/offers.xml"));
    let zip = archive(&[
        ("offers.xml", &offers),
        ("webdata/import.xml", &import),
        ("../../climbs.xml", b"x"),
        ("import_files/27/a.png", b"x"),
    ]);
    let by_name = server().await;
    assert_eq!(bring(&by_name, "v8_1_1.zip", &zip).await, "success");
    let inside = server().await;
    let mut onec = Ut103::new(&inside);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    onec.upload("catalog", "v8_1_1.zip", &zip).await;
    assert_eq!(onec.import("import.xml").await, "success");
    assert_eq!(onec.import("offers.xml").await, "success");
    assert!(onec.import("climbs.xml").await.starts_with("failure\n"));
    let prices = "select count(*) from prices";
    assert_eq!(by_name.rows(prices), inside.rows(prices));
    assert_eq!(by_name.rows("select count(*) from products"), ["27"]);
}

#[tokio::test]
async fn an_archive_is_brought_checked_and_done_again_as_its_files_would_be() {
    let names = ["import0_1.xml", "offers0_1.xml", "prices0_1.xml", "rests0_1.xml"];
    let files = names.map(|name| (name, fixture(&format!("split-2.09/{name}"))));
    let listed = |server: &Server| {
        let mut all = server.rows(
            "select p.external_id, p.title, p.available_thousandths, p.withdrawn_why, r.amount_kopecks
             from products p left join prices r on r.product_id = p.id order by 1, 5",
        );
        all.extend(server.rows("select count(*) from stocks"));
        all
    };
    let one_by_one = server().await;
    for (name, bytes) in &files {
        assert_eq!(bring(&one_by_one, name, bytes).await, "success");
    }
    let zip = archive(&[3, 1, 0, 2].map(|index: usize| (files[index].0, &files[index].1[..])));
    let brought = server().await;
    let path = brought.folder.path().join("1c.zip");
    std::fs::write(&path, &zip).expect("written");
    let file = CatalogFile::open(&path, &[]).expect("an archive");
    let report = brought.exchange.apply(file, Origin::new(Way::Import)).await.expect("applied");
    assert_eq!((report.skipped, report.warnings), (0, vec![]));
    assert_eq!(listed(&brought), listed(&one_by_one));
    let said = explain_bytes(zip, &brought.base.config).await.expect("explained");
    assert_eq!((said.kind.label(), said.skipped), ("Каталог, CommerceML", 0));
    // One of its files is broken: the journal keeps the archive, and done again it says the same.
    let cut = &files[1].1[..files[1].1.len() / 2];
    let answer =
        bring(&brought, "v8.zip", &archive(&[(names[0], &files[0].1), (names[1], cut)])).await;
    assert!(answer.starts_with("failure\noffers0_1.xml: "), "{answer}");
    let id = brought.rows("select max(exchange_id) from exchange_files where name = 'v8.zip'");
    let id = id[0].parse().expect("kept");
    let again = brought.exchange.replay(id, Actor::cli()).await.expect_err("cut as before");
    assert!(again.to_string().starts_with("offers0_1.xml: "), "{again}");
}

#[tokio::test]
async fn an_archive_that_unpacks_without_end_is_refused() {
    let server = server().await;
    let zip = archive(&[("import.xml", &vec![b' '; 40 << 20])]);
    assert!(zip.len() < 100_000);
    let answer = bring(&server, "import.zip", &zip).await;
    assert!(answer.starts_with("failure\n") && answer.contains("распаковывается"), "{answer}");
    assert_eq!(server.catalogue(), [""; 0]);
}

#[tokio::test]
async fn goods_and_offers_in_one_file_go_together() {
    let server = server().await;
    let xml = "<КоммерческаяИнформация><Каталог><Товары>\
        <Товар><Ид>1</Ид><Артикул>А</Артикул><Наименование>Болт</Наименование></Товар>\
        <Товар><Ид>2</Ид><Наименование>Винт</Наименование></Товар></Товары></Каталог>\
        <ПакетПредложений><ТипыЦен><ТипЦены><Ид>t</Ид><Наименование>Опт</Наименование><Валюта>руб</Валюта>\
        </ТипЦены></ТипыЦен><Предложения><Предложение><Ид>1</Ид><Количество>5</Количество><Цены><Цена>\
        <ИдТипаЦены>t</ИдТипаЦены><ЦенаЗаЕдиницу>7,5</ЦенаЗаЕдиницу></Цена></Цены></Предложение>\
        <Предложение><Ид>3</Ид><Количество>1</Количество></Предложение>\
        </Предложения></ПакетПредложений></КоммерческаяИнформация>";
    for _ in 0..2 {
        assert_eq!(bring(&server, "1c.xml", xml.as_bytes()).await, "success");
    }
    let rows = server.rows(
        "select p.external_id, p.title, p.sku, p.available_thousandths, r.amount_kopecks, p.withdrawn_why
         from products p left join prices r on r.product_id = p.id order by 1",
    );
    assert_eq!(
        rows,
        [
            "1 | Болт | А | 5000 | 750 | ",
            "2 | Винт |  | 0 | – | ",
            "3 |  |  | 1000 | – | placeholder"
        ]
    );
    assert_eq!(server.version(), "1");
    assert_eq!(server.rows("select skipped from exchanges"), ["0", "0"]);
}

#[tokio::test]
async fn a_characteristic_has_from_its_item_what_it_does_not_say() {
    let server = server().await;
    let item = |extra: &str, name: &str, group: &str| {
        catalogue(&format!(
            "<Товар><Ид>i</Ид><Артикул>{name}</Артикул><Наименование>Лента</Наименование>\
             <БазоваяЕдиница Код=\"006\">м</БазоваяЕдиница><Группы><Ид>{group}</Ид></Группы>{extra}</Товар>"
        ))
    };
    let offers = "<КоммерческаяИнформация><ПакетПредложений><Предложения>\
        <Предложение><Ид>i#1</Ид><Наименование>Лента (белая)</Наименование></Предложение>\
        <Предложение><Ид>i#2</Ид></Предложение></Предложения></ПакетПредложений></КоммерческаяИнформация>";
    let rows = || {
        server.rows(
            "select p.external_id, p.title, p.sku, p.unit, c.external_id, p.withdrawn_why
             from products p left join categories c on c.id = p.category_id order by 1",
        )
    };
    assert_eq!(bring(&server, "import.xml", &item("", "Л-1", "g1")).await, "success");
    assert_eq!(rows(), ["i | Лента | Л-1 | м | g1 | "]);
    assert_eq!(bring(&server, "offers.xml", offers.as_bytes()).await, "success");
    let wanted = |sku: &str, group: &str, item: &str, variants: &str| {
        [
            format!("i | Лента | {sku} | м | {group} | {item}"),
            format!("i#1 | Лента (белая) | {sku} | м | {group} | {variants}"),
            format!("i#2 | Лента | {sku} | м | {group} | {variants}"),
        ]
    };
    assert_eq!(rows(), wanted("Л-1", "g1", "variants", ""));
    assert_eq!(bring(&server, "import.xml", &item("", "Л-2", "g2")).await, "success");
    assert_eq!(rows(), wanted("Л-2", "g2", "variants", ""));
    let deleted = item("<Статус>Удален</Статус>", "Л-2", "g2");
    assert_eq!(bring(&server, "import.xml", &deleted).await, "success");
    assert_eq!(rows(), wanted("Л-2", "g2", "deleted", "item"));
    assert_eq!(bring(&server, "import.xml", &item("", "Л-2", "g2")).await, "success");
    assert_eq!(rows(), wanted("Л-2", "g2", "variants", ""));
    let own = "<КоммерческаяИнформация><ПакетПредложений><Предложения><Предложение><Ид>i</Ид>\
        <Количество>3</Количество></Предложение></Предложения></ПакетПредложений></КоммерческаяИнформация>";
    assert_eq!(bring(&server, "offers.xml", own.as_bytes()).await, "success");
    assert_eq!(rows(), wanted("Л-2", "g2", "", ""), "with an offer of its own it is sold");
}
