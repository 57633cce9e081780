//! A catalogue is brought and taken as a file.

use partner_m::cli::catalog::{
    Form, Import, export, import, import_text, stats_text, write_export,
};
use partner_m::services::catalog::Catalog;
use partner_m::services::exchange::ApplyReport;

use crate::onec_server::Server;

const RICH: &str = r#"{"categories":[
    {"external_id":"1","title":"Крепёж / метизы"},{"external_id":"2","title":"Болты","parent_external_id":"1"},
    {"external_id":"3","title":"Болты","parent_external_id":"1"}],
  "products":[
    {"external_id":"E1","sku":"Б-1","title":"Болт М6 «=» ;\"x\"","category_external_id":"2","price":"0,8125",
     "unit":"шт","description":"две\nстроки; и «кавычки»","barcode":"0460","multiple":"10","stock_qty":5,
     "prices":[{"type":"Опт","price":"850","unit":"тыс. шт","coefficient":1000},{"type":"Рулон","price":"3150","coefficient":75}],
     "packs":[{"unit":"уп","coefficient":50}],"stocks":[{"warehouse":"Центр","qty":3},{"warehouse":"Химки","qty":"-1,5"}],
     "search_words":"болтик"},
    {"external_id":"E2","title":"=2+2","category_external_id":"3","hidden":true},
    {"sku":"+7921","title":"-10 мм","category":"Плёнка/Стрейч","price":0,"stock_qty":"12,5"},
    {"title":"Без всего","deleted":true,"category":"Плёнка"}]}"#;

async fn bring(server: &Server, name: &str, bytes: &[u8], dry_run: bool) -> ApplyReport {
    let file = server.folder.path().join(name);
    std::fs::write(&file, bytes).expect("written");
    let what = Import { file, dry_run, ..Import::default() };
    import(&server.exchange, &what, None).await.expect("imports")
}

#[tokio::test]
async fn an_export_brought_back_changes_nothing_and_makes_the_same_elsewhere() {
    let server = Server::start().await;
    assert_eq!(server.push(RICH).await.json()["upserted"], 4);
    let catalog = Catalog::new(server.base.clone());
    let stored = server.catalogue();
    for (form, name) in [(Form::Json, "catalog.json"), (Form::Csv, "catalog.csv")] {
        let bytes = export(&catalog, form).await.expect("exports");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let report = bring(&server, name, &bytes, false).await;
        assert_eq!((report.unchanged, report.skipped), (4, 0), "{text}\n{:?}", report.problems);
        assert_eq!(server.catalogue(), stored, "{text}");
        assert_eq!(server.version(), "1");
        let other = Server::start().await;
        let report = bring(&other, name, &bytes, false).await;
        assert_eq!((report.created, report.skipped), (4, 0), "{:?}", report.problems);
        let again = export(&Catalog::new(other.base.clone()), form).await.expect("exports");
        // Ids of categories exist only where 1C has sent the categories themselves.
        if form == Form::Json {
            let items = |bytes: &[u8]| {
                let text = String::from_utf8_lossy(bytes).into_owned();
                text.lines()
                    .map(|l| l.split("\"unit\"").last().unwrap_or("").to_owned())
                    .collect::<Vec<_>>()
            };
            assert_eq!(items(&again), items(&bytes));
        }
    }
    let path = server.folder.path().join("out.json");
    write_export(&path, b"{}").expect("written");
    assert_eq!(std::fs::read(&path).expect("read"), b"{}");
}

#[tokio::test]
async fn a_catalogue_moves_with_its_categories_and_the_type_of_its_price() {
    let priced = |config: &mut partner_m::config::Config| {
        config.onec.exchange.price_type = Some("Опт".to_owned());
    };
    let server = Server::with(priced).await;
    let body = r#"{"categories":[{"external_id":"1","title":"Крепёж"},
        {"external_id":"2","title":"Болты","parent_external_id":"1"},
        {"external_id":"3","title":"Болты","parent_external_id":"1"}],
      "products":[{"external_id":"E1","title":"Болт","category_external_id":"2",
        "prices":[{"type":"Опт","price":"10","coefficient":3},{"type":"Розница","price":"5"}]},
        {"external_id":"E2","title":"Болт М8","category_external_id":"3"}],"price_type":"Опт"}"#;
    assert_eq!(server.push(body).await.json()["upserted"], 2);
    let bytes = export(&Catalog::new(server.base.clone()), Form::Json).await.expect("exports");
    let other = Server::with(priced).await;
    let report = bring(&other, "catalog.json", &bytes, false).await;
    assert_eq!((report.created, report.skipped), (2, 0), "{:?}", report.problems);
    for sql in [
        "select p.title, c.title, up.title from products p join categories c on c.id = category_id
         join categories up on up.id = c.parent_id order by p.title",
        "select t.name, amount_kopecks, per from prices join price_types t on t.id = price_type_id
         order by t.name",
        "select count(*) from categories",
        "select external_id from categories where external_id = '3'",
        "select count(*) from price_types",
    ] {
        assert_eq!(other.rows(sql), server.rows(sql), "{sql}");
    }
    let again = export(&Catalog::new(other.base.clone()), Form::Json).await.expect("exports");
    assert_eq!(again, bytes);
}

#[tokio::test]
async fn a_category_of_an_unknown_id_is_made_at_its_path() {
    let server = Server::start().await;
    let tree = || {
        server.rows(
            "select c.title, c.external_id, up.title from categories c
             left join categories up on up.id = c.parent_id order by c.id",
        )
    };
    let body = r#"[{"sku":"1","title":"Проба","category":"А/Б","category_external_id":"б"}]"#;
    server.push(body).await;
    assert_eq!(tree(), ["А | – | –", "Б | б | А"]);
    // What the path leads to takes the id, unless it has another one.
    server.push(r#"[{"sku":"2","title":"a","category":"А","category_external_id":"а"}]"#).await;
    server.push(r#"[{"sku":"3","title":"c","category":"А/Б","category_external_id":"в"}]"#).await;
    assert_eq!(tree(), ["А | а | –", "Б | б | А", "Б | в | А"]);
    assert_eq!(server.push(body).await.json()["upserted"], 1);
    let csv = "Артикул;Название;Категория;category_external_id\n4;d;А/Г;г\n";
    assert_eq!(bring(&server, "a.csv", csv.as_bytes(), false).await.created, 1);
    assert_eq!(tree()[3..], ["Г | г | А"]);
}

#[tokio::test]
async fn a_dry_run_says_what_the_real_one_does_and_stores_nothing() {
    let server = Server::start().await;
    server
        .push(r#"[{"sku":"1","title":"Старый","price":1},{"sku":"2","title":"Прежний","price":2}]"#)
        .await;
    let before = server.catalogue();
    let csv = "Артикул;Название;Цена\n1;Новый;1\n2;Прежний;2\n3;Третий;3\n4;Без цены;договорная\n";
    let dry = bring(&server, "a.csv", csv.as_bytes(), true).await;
    assert_eq!(server.catalogue(), before);
    assert_eq!(server.rows("select count(*) from exchanges"), ["1"]);
    let real = bring(&server, "a.csv", csv.as_bytes(), false).await;
    for report in [&dry, &real] {
        assert_eq!(
            (report.created, report.changed, report.unchanged, report.skipped),
            (1, 1, 1, 1)
        );
    }
    insta::assert_snapshot!(import_text(&dry, true), @r"
    Проверка, ничего не записано. Создать 1 · Изменить 1 · Без изменений 1 · Пропустить 1
      строка 5 (4): «цена» = «договорная»: не число
    ");
    let stats = Catalog::new(server.base.clone()).stats().await.expect("counts");
    assert_eq!((stats.products, stats.on_sale, stats.without_price), (3, 3, 0));
    assert!(stats_text(&stats).contains("Товаров"));
}

#[tokio::test]
async fn a_workbook_a_windows_table_and_json_give_the_same_catalogue() {
    let csv = "Артикул;Название;Категория;Цена;Остаток\n001;Болт М6;Крепёж;1,5;10\n002;Гайка;Крепёж;2;0\n";
    let (cp1251, _, _) = encoding_rs::WINDOWS_1251.encode(csv);
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (row, line) in (0..).zip(csv.lines()) {
        for (column, cell) in (0..).zip(line.split(';')) {
            match cell.replace(',', ".").parse::<f64>() {
                Ok(number) if column > 2 => sheet.write(row, column, number).map(drop),
                _ => sheet.write(row, column, cell).map(drop),
            }
            .expect("written");
        }
    }
    let json = r#"[{"sku":"001","title":"Болт М6","category":"Крепёж","price":1.5,"stock_qty":10},
        {"sku":"002","title":"Гайка","category":"Крепёж","price":2,"stock_qty":0}]"#;
    let files = [
        ("a.csv", csv.as_bytes().to_vec()),
        ("b.csv", cp1251.into_owned()),
        ("c.xlsx", book.save_to_buffer().expect("saved")),
        ("d.json", json.as_bytes().to_vec()),
    ];
    let server = Server::start().await;
    for (name, bytes) in files {
        let report = bring(&server, name, &bytes, false).await;
        assert_eq!((report.upserted, report.skipped), (2, 0), "{name}: {:?}", report.problems);
        assert_eq!(server.version(), "1", "{name}");
    }
}

#[tokio::test]
async fn the_catalogue_is_read_as_a_tree_of_views() {
    let server = Server::start().await;
    server.push(RICH).await;
    let catalog = Catalog::new(server.base.clone());
    let tree = catalog.tree().await.expect("a tree");
    let roots: Vec<_> = tree.roots().map(|c| (c.title.as_str(), c.own, c.total)).collect();
    assert_eq!(roots, [("Крепёж / метизы", 0, 1), ("Плёнка", 0, 1)]);
    let film = tree.roots().nth(1).expect("a root").id;
    let stretch = tree.children(film).next().expect("a child").id;
    let (page, total) = catalog.page(Some(stretch), 0, 10, None).await.expect("a page");
    assert_eq!((total, page[0].title.as_str(), page[0].path.len()), (1, "-10 мм", 2));
    assert_eq!(page[0].price, None, "a price of nothing is none");
    let default = catalog.default_price_type().await.expect("a type").expect("there is one");
    let bolt = server.rows("select id from products where sku = 'Б-1'").remove(0);
    let bolt = catalog.product(bolt.parse().expect("an id"), Some(default)).await.expect("reads");
    let bolt = bolt.expect("exists");
    assert_eq!(bolt.price.expect("a price").decimal(), "0.8125");
    assert_eq!(bolt.path, ["Крепёж / метизы", "Болты"]);
    server.push(r#"[{"sku":"+7921","deleted":true}]"#).await;
    assert_eq!(catalog.tree().await.expect("a tree").roots().nth(1).expect("a root").total, 0);
}

#[tokio::test]
async fn an_export_of_10_3_is_imported_as_files_in_either_order_and_encoding() {
    let fixture = |path: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/commerceml/");
        std::fs::read(format!("{folder}{path}")).expect("a fixture")
    };
    let expected: serde_json::Value =
        serde_json::from_slice(&fixture("expected.json")).expect("JSON");
    let mut catalogues = Vec::new();
    for order in [["import.xml", "offers.xml"], ["offers.xml", "import.xml"]] {
        let server = Server::start().await;
        for name in order {
            let report = bring(&server, name, &fixture(&format!("ut103/{name}")), false).await;
            assert_eq!(report.skipped, 0, "{:?}", report.problems);
        }
        let version = server.version();
        for folder in ["ut103", "ut103-1251"] {
            for name in order {
                bring(&server, name, &fixture(&format!("{folder}/{name}")), false).await;
            }
        }
        assert_eq!(server.version(), version, "the same again changes nothing");
        for product in expected["products"].as_array().expect("products") {
            for variant in product["variants"].as_array().expect("variants") {
                let id = variant["id"].as_str().expect("an id");
                let row = server.rows(&format!(
                    "select sku, unit, available_thousandths, withdrawn from products where external_id = '{id}'"
                ));
                let offered = variant["has_offer_in_103"] == true;
                let stock = variant["qty_total"].as_str().filter(|_| offered);
                let stock = stock.map_or(0.0, |text| text.parse::<f64>().expect("a number") * 1e3);
                let deleted = i32::from(product["deleted"] == true);
                let (article, unit) = (
                    product["article"].as_str().unwrap_or(""),
                    product["unit"].as_str().unwrap_or(""),
                );
                assert_eq!(
                    row[0].replace("тыс. шт", "тыс шт"),
                    format!("{article} | {unit} | {stock} | {deleted}"),
                    "{id}"
                );
                for (name, price) in variant["prices"].as_object().expect("prices") {
                    let stored = server.rows(&format!(
                        "select amount_kopecks, per from prices r join price_types t on t.id = r.price_type_id
                         join products p on p.id = r.product_id
                         where p.external_id = '{id}' and t.name = '{name}'"
                    ));
                    let number = |field: &str| {
                        price[field].as_str().and_then(|t| t.parse::<f64>().ok()).expect("a number")
                    };
                    let expected = format!(
                        "{} | {}",
                        (number("value") * 100.0).round(),
                        number("coefficient")
                    );
                    assert_eq!(stored, [expected], "{id} {name}");
                }
            }
        }
        let mut all = server.rows("select external_id, title, available_thousandths, unit, barcode, withdrawn from products order by 1");
        all.extend(server.rows("select c.external_id, c.title, p.external_id from categories c left join categories p on p.id = c.parent_id order by 1"));
        catalogues.push(all);
    }
    assert_eq!(catalogues[0], catalogues[1]);
}
