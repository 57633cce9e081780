//! A catalogue file in the panel: how it is understood, what is left out, and how it is taken back.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use partner_m::formats::onec_json::CatalogJson;
use partner_m::services::accounts::Actor;
use partner_m::services::exchange::undo::UndoError;
use partner_m::services::exchange::{Origin, Way};
use partner_m::storage::StorageError;

use crate::support::panel::{Answer, Panel};

const IMPORT: &str = "/admin/catalog/import";

/// What 1C has pushed before: three products, one of them by warehouses.
const BEFORE: &str = r#"{"items":[
    {"external_id":"a1","sku":"00-1234","title":"Саморез 4×25 жёлтый","price":"0,85","stock_qty":12000,
     "category":"Крепёж","unit":"шт","description":"Оцинкованный"},
    {"external_id":"b2","sku":"00-2201","title":"Молния Т5","price":"14,50","category":"Молнии",
     "stocks":[{"warehouse":"Химки","qty":5},{"warehouse":"Тула","qty":7}],"unit":"м","pack_size":200},
    {"external_id":"c3","sku":"00-5110","title":"Скоба 80/10","price":480,"stock_qty":31}]}"#;

async fn push(panel: &Panel, body: &'static str) -> i64 {
    let source = CatalogJson(body.as_bytes());
    panel.desk.exchange.apply(source, Origin::new(Way::Json)).await.unwrap().exchange
}

/// Checks a file; the page and the file's id.
async fn check(panel: &Panel, ours: &HeaderMap, name: &str, file: &str) -> (String, String) {
    let page = panel.upload(IMPORT, ours, &[], Some((name, file.as_bytes()))).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let id = Panel::field(&page.body, "id");
    (page.body, id)
}

/// Loads a file; the page and the number of its exchange.
async fn load(panel: &Panel, ours: &HeaderMap, name: &str, file: &str) -> (String, i64) {
    let (_, id) = check(panel, ours, name, file).await;
    let fields = [("id", id.as_str()), ("act", "load"), ("name", name)];
    let page = panel.upload(IMPORT, ours, &fields, None).await;
    assert!(page.body.contains("Каталог загружен"), "{}", page.body);
    (page.body, panel.count("select max(id) from exchanges"))
}

async fn undo(panel: &Panel, ours: &HeaderMap, exchange: i64) -> Answer {
    let token = panel.token(ours).await;
    let path = format!("/admin/exchange/{exchange}/undo");
    panel.send("POST", &path, ours.clone(), &format!("csrf={token}")).await
}

async fn page(panel: &Panel, ours: &HeaderMap, exchange: i64) -> String {
    let path = format!("/admin/exchange/{exchange}");
    panel.send("GET", &path, ours.clone(), "").await.body
}

/// The catalogue, row by row: what is no longer sold aside.
fn catalogue(panel: &Panel) -> String {
    const QUERIES: [&str; 7] = [
        "select json_array(id, external_id, sku, title, category_id, unit, description, barcode,
            multiple_thousandths, available_thousandths, withdrawn, withdrawn_why, hidden,
            search_words, updated_at_ms)
            from products where withdrawn_why <> 'absent' order by id",
        "select json_array(product_id, unit, coefficient_thousandths) from packs order by 1",
        "select json_array(product_id, price_type_id, amount_kopecks, per) from prices order by 1",
        "select json_array(product_id, warehouse_id, quantity_thousandths) from stocks order by 1",
        "select json_array(id, external_id, parent_id, title, order_index) from categories order by id",
        "select json_array(id, external_id, name, currency, is_default) from price_types order by id",
        "select json_array(id, external_id, name) from warehouses order by id",
    ];
    let read = |conn: &rusqlite::Connection| {
        let mut text = String::new();
        for query in QUERIES {
            let mut stmt = conn.prepare(query)?;
            for row in stmt.query_map([], |row| row.get::<_, String>(0))? {
                text.push_str(&row?);
                text.push('\n');
            }
        }
        Ok::<_, StorageError>(text)
    };
    panel.desk.base.db.read_blocking(read).unwrap()
}

fn wait(panel: &Panel, hours: u64) {
    panel.desk.base.clock.advance(Duration::from_hours(hours));
}

#[tokio::test]
async fn an_import_taken_back_leaves_the_catalogue_exactly_as_it_was() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    push(&panel, BEFORE).await;
    wait(&panel, 1);
    let before = catalogue(&panel);
    let file = "Артикул;Название;Категория;Цена;Цена: Розница;Остаток;Остаток: Тула;Единица;В упаковке;Кратность\n\
        00-1234;Саморез;Метизы/Саморезы;0,99;1,20;;7;кг;100;50\n\
        00-2201;Молния;Молнии;;3;;1;м;;\n\
        00-9;Кант;Новое;3;4;;2;м;10;\n";
    let (done, exchange) = load(&panel, &ours, "прайс.csv", file).await;
    assert!(
        done.contains("Отменить импорт") && done.contains(&format!("/{exchange}/undo")),
        "{done}"
    );
    assert_ne!(catalogue(&panel), before);
    assert_eq!(panel.count("select count(*) from categories where title = 'Саморезы'"), 1);

    wait(&panel, 2);
    let answer = undo(&panel, &ours, exchange).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(answer.headers[header::LOCATION], format!("/admin/exchange/{exchange}"));
    pretty(&before, &catalogue(&panel));
    // What it had made is not sold, and keeps nothing but its keys for the next file.
    assert_eq!(panel.count("select withdrawn from products where sku = '00-9'"), 1);
    let own = "select count(*) from prices where product_id = (select id from products where sku = '00-9')";
    assert_eq!(panel.count(own), 0);
    let told = page(&panel, &ours, exchange).await;
    assert!(told.contains("Импорт отменён") && !told.contains("Не возвращено</h2>"), "{told}");
    assert!(told.contains("возвращено 2, снято с продажи 1, не возвращено 0"), "{told}");
    assert!(!told.contains("Отменить импорт"), "{told}");
    let audited =
        "select count(*) from audit where action = 'catalog.import_undo' and person_id is not null";
    assert_eq!(panel.count(audited), 1);
    assert_eq!(panel.count("select count(*) from import_changes"), 0);

    assert_eq!(undo(&panel, &ours, exchange).await.status, StatusCode::CONFLICT, "once");
    // The same file again does what it did.
    let (_, again) = load(&panel, &ours, "прайс.csv", file).await;
    assert_eq!(panel.count("select withdrawn from products where sku = '00-9'"), 0);
    assert_eq!(undo(&panel, &ours, again).await.status, StatusCode::SEE_OTHER);
    pretty(&before, &catalogue(&panel));
}

fn pretty(before: &str, after: &str) {
    assert!(before == after, "before:\n{before}\nafter:\n{after}");
}

#[tokio::test]
async fn what_others_have_changed_since_an_import_stays_and_is_named() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    push(&panel, BEFORE).await;
    let file = "Артикул;Название;Категория;Цена;Остаток\n00-1234;Саморез;Метизы;0,99;7\n\
        00-5110;Скоба;;500;1\n00-7;Кант;;3;4\n00-8;Лента;;3;4\n";
    let (_, exchange) = load(&panel, &ours, "прайс.csv", file).await;
    // 1C brings other stock of one product and takes up one that the file has made.
    wait(&panel, 1);
    let later = push(
        &panel,
        r#"{"items":[{"external_id":"a1","stock_qty":9000},{"external_id":"k7","sku":"00-7","stock_qty":40}]}"#,
    )
    .await;
    wait(&panel, 1);
    assert_eq!(undo(&panel, &ours, exchange).await.status, StatusCode::SEE_OTHER);
    let row = |sku: &str| {
        panel.text(&format!(
            "select p.title || ' ' || (p.available_thousandths / 1000) || ' ' || coalesce(r.amount_kopecks, 0)
                || ' ' || p.withdrawn
             from products p left join prices r on r.product_id = p.id where p.sku = '{sku}'"
        ))
    };
    assert_eq!(row("00-1234"), "Саморез 4×25 жёлтый 9000 85 0", "all but the stock of 1C");
    assert_eq!(row("00-5110"), "Скоба 80/10 31 48000 0");
    assert_eq!(row("00-7"), "Кант 40 300 0", "1C sells it");
    assert_eq!(row("00-8"), "Лента 0 0 1");
    let told = page(&panel, &ours, exchange).await;
    for words in [
        "возвращено 1, снято с продажи 1, не возвращено 2",
        "00-1234 «Саморез»",
        "оставлено как есть: остаток",
        "00-7 «Кант»",
        "создан этим импортом, но изменён позже",
        &format!("обмен №\u{a0}{later}"),
    ] {
        assert!(told.contains(words), "no «{words}» in {told}");
    }
}

#[tokio::test]
async fn two_imports_are_taken_back_in_any_order() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    push(&panel, BEFORE).await;
    let before = catalogue(&panel);
    let first = "Артикул;Название;Категория;Цена\n00-1234;Первый;Раз;1\n";
    let second = "Артикул;Название;Категория;Цена\n00-1234;Второй;Два;2\n00-77;Нить;Раз;5\n";
    let (_, first) = load(&panel, &ours, "1.csv", first).await;
    let (_, second) = load(&panel, &ours, "2.csv", second).await;
    assert_eq!(undo(&panel, &ours, first).await.status, StatusCode::SEE_OTHER);
    let title = || panel.text("select title from products where sku = '00-1234'");
    assert_eq!(title(), "Второй", "the later file knows better");
    let told = page(&panel, &ours, first).await;
    assert!(told.contains("раздел «Раз»") && told.contains("уже используется"), "{told}");
    assert_eq!(undo(&panel, &ours, second).await.status, StatusCode::SEE_OTHER);
    // Back to what the second file had found; the first one's title is the first one's.
    assert_eq!(title(), "Первый");
    assert_ne!(catalogue(&panel), before);

    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    push(&panel, BEFORE).await;
    let before = catalogue(&panel);
    let (_, first) = load(&panel, &ours, "1.csv", "Артикул;Название\n00-1234;Первый\n").await;
    let (_, second) = load(&panel, &ours, "2.csv", "Артикул;Название\n00-1234;Второй\n").await;
    undo(&panel, &ours, second).await;
    undo(&panel, &ours, first).await;
    pretty(&before, &catalogue(&panel));
}

#[tokio::test]
async fn an_import_can_be_taken_back_for_a_day_by_an_administrator() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let (_, exchange) = load(&panel, &ours, "а.csv", "Артикул;Название\n00-1234;Иное\n").await;
    let manager = panel.sign_in_as("%2B79000000002").await;
    assert_eq!(undo(&panel, &manager, exchange).await.status, StatusCode::FORBIDDEN);
    let json = push(&panel, BEFORE).await;
    assert_eq!(undo(&panel, &ours, json).await.status, StatusCode::NOT_FOUND, "1C's own");
    wait(&panel, 25);
    let ours = panel.sign_in().await;
    let answer = undo(&panel, &ours, exchange).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.body.contains("только в течение суток"), "{}", answer.body);
    let told = page(&panel, &ours, exchange).await;
    assert!(!told.contains("/undo") && told.contains("отменить его уже нельзя"), "{told}");
    assert_eq!(panel.desk.exchange.sweep_imports().await.unwrap(), 1);
    let late = panel.desk.exchange.undo_import(exchange, Actor::cli()).await;
    assert!(matches!(late, Err(UndoError::TooLate)));
}

#[tokio::test]
async fn items_and_their_characteristics_are_taken_back_together() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let file = |items: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><КоммерческаяИнформация ВерсияСхемы=\"2.04\">\
             <Классификатор><Ид>к</Ид><Группы><Группа><Ид>г</Ид><Наименование>{}</Наименование></Группа></Группы></Классификатор>\
             <Каталог СодержитТолькоИзменения=\"true\"><Товары>{items}</Товары></Каталог></КоммерческаяИнформация>",
            if items.contains("белая") { "Кромки" } else { "Прочее" }
        )
    };
    let item = |id: &str, name: &str, more: &str| {
        format!(
            "<Товар><Ид>{id}</Ид><Наименование>{name}</Наименование><Группы><Ид>г</Ид></Группы>{more}</Товар>"
        )
    };
    let first = file(&(item("1", "Кромка", "") + &item("1#2", "Кромка (белая)", "")));
    load(&panel, &ours, "a.xml", &first).await;
    let before = catalogue(&panel);
    wait(&panel, 1);
    let gone = "<Статус>Удален</Статус>";
    let second = file(&(item("1", "Кромка ПВХ", gone) + &item("5#6", "Нить (чёрная)", "")));
    let (_, exchange) = load(&panel, &ours, "b.xml", &second).await;
    assert_ne!(catalogue(&panel), before);
    assert_eq!(undo(&panel, &ours, exchange).await.status, StatusCode::SEE_OTHER);
    pretty(&before, &catalogue(&panel));
}

/// The demo's product and forty more.
fn forty(panel: &Panel) {
    let write = |tx: &rusqlite::Transaction<'_>| {
        for n in 0..40 {
            let sql = "insert into products (sku, title, updated_at_ms) values (?1, ?2, 1)";
            tx.execute(sql, [format!("40-{n}"), format!("Товар {n}")])?;
        }
        Ok::<_, StorageError>(())
    };
    panel.desk.base.db.write_blocking(write).unwrap();
}

#[tokio::test]
async fn much_is_hidden_after_a_file_only_by_its_number_typed() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    forty(&panel);
    let before = catalogue(&panel);
    let file = "Артикул;Название\n00-1234;Саморез 4×25 жёлтый\n00-5;Кант\n";
    let upload = async |fields: &[(&str, &str)]| {
        let page = panel.upload(IMPORT, &ours, fields, None).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        page.body
    };
    let (_, id) = check(&panel, &ours, "прайс.csv", file).await;
    let own = [("id", id.as_str()), ("name", "прайс.csv"), ("full", "1")];
    let with = |more: &[(&'static str, &'static str)]| [&own[..], more].concat();
    let asked = upload(&with(&[("act", "check")])).await;
    assert!(asked.contains("Чтобы скрыть, введите число 40"), "{asked}");
    assert_eq!(Panel::field(&asked, "held"), "40");
    let wrong = upload(&with(&[("act", "load"), ("held", "40"), ("number", "4")])).await;
    assert!(wrong.contains("Введено «4», а скрыть нужно 40"), "{wrong}");
    assert_eq!(catalogue(&panel), before, "nothing is loaded");
    let done = upload(&with(&[("act", "load"), ("held", "40"), ("number", "40")])).await;
    assert!(done.contains("Скрыто как отсутствующие в файле: 40"), "{done}");
    assert_eq!(panel.count("select count(*) from products where withdrawn = 0"), 2);
    assert_eq!(undo(&panel, &ours, 1).await.status, StatusCode::SEE_OTHER);
    pretty(&before, &catalogue(&panel));
}

#[tokio::test]
async fn a_hiding_that_was_left_open_speaks_of_its_file_and_is_taken_back_with_it() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    forty(&panel);
    let before = catalogue(&panel);
    let file = "Артикул;Название\n00-1234;Саморез 4×25 жёлтый\n";
    let bring = async || {
        let (_, id) = check(&panel, &ours, "прайс.csv", file).await;
        let fields = [("id", id.as_str()), ("name", "прайс.csv"), ("full", "1"), ("act", "load")];
        let page = panel.upload(IMPORT, &ours, &fields, None).await.body;
        (page, panel.count("select max(id) from held_hidings"))
    };
    let decide = async |id: i64, fields: &str| {
        let token = panel.token(&ours).await;
        let path = format!("/admin/exchange/hidings/{id}");
        panel.send("POST", &path, ours.clone(), &format!("csrf={token}&{fields}")).await
    };
    let (done, hiding) = bring().await;
    let action = format!("action=\"/admin/exchange/hidings/{hiding}\"");
    assert!(done.contains(&action), "the decision is on the page: {done}");
    for path in ["/admin/exchange", "/admin"] {
        let told = panel.send("GET", path, ours.clone(), "").await.body;
        assert!(told.contains("Скрыть 40\u{a0}товаров?"), "{told}");
        assert!(told.contains("В файле «прайс.csv»") && !told.contains("олный обмен"), "{told}");
    }
    let refused = decide(hiding, "act=release&number=39").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("введите число 40"), "{}", refused.body);
    assert_eq!(decide(hiding, "act=release&number=40").await.status, StatusCode::SEE_OTHER);
    assert_eq!(panel.count("select count(*) from products where withdrawn = 0"), 1);
    assert_eq!(undo(&panel, &ours, 1).await.status, StatusCode::SEE_OTHER);
    pretty(&before, &catalogue(&panel));

    // Nothing is decided of an import that is no more.
    let (_, hiding) = bring().await;
    assert_eq!(undo(&panel, &ours, 2).await.status, StatusCode::SEE_OTHER);
    assert_eq!(decide(hiding, "act=release&number=40").await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn rows_left_out_are_named_by_the_numbers_that_a_spreadsheet_shows() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let file = "Артикул;Название;Цена\r\n00-5;Кант;1\r\n\r\n00-5;Кант белый;2\r\n;;7\r\n";
    let (checked, _) = check(&panel, &ours, "прайс.csv", file).await;
    assert!(checked.contains("<th scope=\"col\">Строка</th>"), "{checked}");
    for words in [
        "<td class=\"muted\">2</td>",
        "повтор: этот товар есть ниже, действует строка\u{a0}4",
        "<td class=\"muted\">5</td>",
        "нет ни кода 1С, ни артикула, ни названия",
    ] {
        assert!(checked.contains(words), "no «{words}» in {checked}");
    }
    assert!(!checked.contains("external_id") && !checked.contains("индекс"), "{checked}");
    let (_, exchange) = load(&panel, &ours, "прайс.csv", file).await;
    let told = page(&panel, &ours, exchange).await;
    assert!(told.contains("строка\u{a0}2") && told.contains("Имя файла"), "{told}");
    assert!(told.contains("прайс.csv") && !told.contains("запись"), "{told}");
}

#[tokio::test]
async fn a_file_that_is_no_catalogue_is_told_what_is_wrong_and_what_to_do() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().write(0, 0, "Название").unwrap();
    let book = book.save_to_buffer().unwrap();
    let cases: [(&str, &[u8], &str); 8] = [
        ("", b"", "Выберите файл: .csv, .xlsx или .json."),
        ("пусто.csv", b"", "Файл пуст. Проверьте, тот ли это файл"),
        ("пусто.csv", b" \r\n\r\n", "Файл пуст. Проверьте, тот ли это файл"),
        ("прайс.xlsx", b"\x00\x01\x02", "Файл .xlsx повреждён"),
        ("прайс.xlsx", &book[..book.len() / 2], "откройте его в Excel и сохраните заново"),
        (
            "фото.csv",
            b"\x89PNG\r\n\x1a\n\x00\x00",
            "Это не таблица: сохраните каталог как .xlsx или .csv",
        ),
        ("прайс.csv", "Цена;Вес\n1;2\n".as_bytes(), "Не нашёл строку заголовков"),
        ("прайс.json", b"{\"items\":[", "Исправьте файл и выберите его снова."),
    ];
    for (name, bytes, words) in cases {
        let answer = panel.upload(IMPORT, &ours, &[], Some((name, bytes))).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {words}");
        assert!(answer.body.contains(words), "{name}: no «{words}» in {}", answer.body);
        assert!(!answer.body.contains("нулевой байт"), "{name}");
    }
}

#[tokio::test]
async fn the_check_shows_how_each_column_was_understood() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let file = "Прайс от 24.11;;;\n\nТовар;Код товара;Опт;Вес\nКант;00-5;3,50;12\nЛента;00-6;4;\n";
    let (checked, id) = check(&panel, &ours, "прайс.csv", file).await;
    let select = |page: &str, field: &str| {
        let (_, rest) = page.split_once(&format!("id=\"map-{field}\"")).unwrap();
        let rest = rest.split("</select>").next().unwrap();
        let chosen = rest.split("<option").find(|option| option.contains(" selected")).unwrap();
        chosen.split_once('>').unwrap().1.split('<').next().unwrap().to_owned()
    };
    assert_eq!(select(&checked, "title"), "1. Товар");
    assert_eq!(select(&checked, "sku"), "2. Код товара");
    assert_eq!(select(&checked, "price"), "3. Опт");
    assert_eq!(select(&checked, "unit"), "нет в файле");
    for words in ["→ Название", "→ Артикул", "→ Цена", "не загружается", "3,50"]
    {
        assert!(checked.contains(words), "no «{words}» in {checked}");
    }
    assert!(!checked.contains("найти самой программе"), "{checked}");
    // The form sent as it stands reads the file as it was read; a column may be left unread.
    let as_shown = [
        ("id", id.as_str()),
        ("act", "check"),
        ("column-title", "1"),
        ("column-sku", "2"),
        ("column-price", "3"),
        ("column-unit", "-"),
        ("column-stock_qty", "-"),
    ];
    let again = panel.upload(IMPORT, &ours, &as_shown, None).await.body;
    assert_eq!(select(&again, "price"), "3. Опт");
    let mut unread = as_shown;
    unread[4] = ("column-price", "-");
    let again = panel.upload(IMPORT, &ours, &unread, None).await.body;
    assert_eq!(select(&again, "price"), "нет в файле");
    assert_eq!(select(&again, "title"), "1. Товар");
}
