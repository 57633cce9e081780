//! What a buyer says and hears, conversation by conversation; each is kept as text to be read
//! aloud.

use std::time::Duration;

use partner_m::chat::MediaKind;

use crate::support::desk::Desk;
use crate::support::panel::{PASSWORD, Panel};

/// Keeps what was said as a transcript of this name.
macro_rules! keep {
    ($name:literal, $talk:expr) => {
        insta::with_settings!(
            { snapshot_path => "transcripts", prepend_module_to_snapshot => false, omit_expression => true },
            { insta::assert_snapshot!(concat!("buyer_", $name), $talk); }
        );
    };
}

#[tokio::test]
async fn the_catalogue_is_walked_and_a_product_goes_into_the_order() {
    let desk = Desk::start().await;
    desk.says("anna", "Каталог").await;
    desk.taps("anna", "Крепёж").await;
    desk.taps("anna", "Саморезы").await;
    desk.taps("anna", "4х25 желтый").await;
    desk.taps("anna", "+").await;
    desk.says("anna", "3 уп").await;
    desk.taps("anna", "В заявку").await;
    // The same tap twice: the second was drawn for a draft that is no more.
    desk.presses("anna", "product.add:1:n9c:0").await;
    desk.taps("anna", "‹ Назад").await;
    desk.taps("anna", "Евровинт").await;
    desk.taps("anna", "В заявку").await;
    desk.taps("anna", "К заявке").await;
    keep!("catalog", desk.transcript("anna"));
    assert_eq!(desk.number("select count(*) from draft_lines"), 2);
}

#[tokio::test]
async fn words_search_in_the_open_category_and_orders_are_orders_anywhere() {
    let desk = Desk::start().await;
    desk.says("anna", "/catalog").await;
    desk.taps("anna", "Крепёж").await;
    desk.says("anna", "молния черная").await;
    desk.taps("anna", "Искать везде").await;
    desk.taps("anna", "Т7 черная").await;
    desk.taps("anna", "‹ Назад").await;
    desk.says("anna", "саморез 4х25 жёлтый 500 шт").await;
    keep!("catalog_search", desk.transcript("anna"));
}

#[tokio::test]
async fn a_long_category_has_pages_and_the_way_back_leads_to_the_same_one() {
    let desk = Desk::start().await;
    desk.sql(
        "insert into categories (id, parent_id, title) values (20, null, 'Фурнитура для мягкой мебели и матрасов');
        insert into products (id, sku, title, category_id, unit, available_thousandths, updated_at_ms)
            select 100 + value, 'F-' || value, 'Пуговица обивочная № ' || value, 20, 'шт', 1000, 0
            from json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]');",
    );
    desk.says("anna", "Каталог").await;
    desk.taps("anna", "Фурнитура").await;
    desk.taps("anna", "1/3 ›").await;
    let page = desk.screen("anna");
    desk.taps("anna", "Пуговица").await;
    desk.taps("anna", "‹ Назад").await;
    assert_eq!(desk.screen("anna"), page);
    keep!("catalog_pages", desk.transcript("anna"));
}

#[tokio::test]
async fn a_guest_sees_goods_without_prices() {
    let desk = Desk::start().await;
    desk.says("guest", "/start p_1").await;
    desk.taps("guest", "В заявку").await;
    desk.taps("guest", "К заявке").await;
    desk.says("guest", "/start p_999").await;
    let talk = desk.transcript("guest");
    assert!(!talk.contains('₽'), "{talk}");
    keep!("guest", talk);
}

#[tokio::test]
async fn an_empty_catalogue_says_so() {
    let desk = Desk::start().await;
    desk.sql("update products set hidden = 1; update catalog_version set version = version + 1;");
    desk.says("anna", "открыть каталог").await;
    keep!("catalog_empty", desk.transcript("anna"));
}

#[tokio::test]
async fn who_waits_for_a_product_is_told_once_that_it_has_come() {
    let desk = Desk::start().await;
    desk.says("anna", "саморез 4х25 белый 1000").await;
    desk.taps("anna", "Позиции").await;
    desk.taps("anna", "1 ✅").await;
    desk.taps("anna", "Аналоги").await;
    desk.taps("anna", "Назад").await;
    desk.taps("anna", "Сообщить о поступлении").await;
    desk.sql("update products set available_thousandths = 5000000 where id = 3;");
    assert_eq!(desk.catalog.announce_arrivals().await.unwrap(), 1);
    assert_eq!(desk.catalog.announce_arrivals().await.unwrap(), 0);
    desk.run().await;
    desk.taps("anna", "Открыть").await;
    keep!("back_in_stock", desk.transcript("anna"));
}

const CSV: &str = "№;Наименование;Кол-во;Ед.\r\n1;саморез 4х25 жёлтый;4 000;шт\r\n2;молния рулон Т5 черная;2;рул\r\n3;ткань велес;10;м\r\nИтого;;;\r\n";

#[tokio::test]
async fn a_table_is_an_order_and_its_layout_is_remembered() {
    let desk = Desk::start().await;
    let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(CSV);
    desk.sends_file("anna", "заявка.csv", &bytes, "").await;
    desk.taps("anna", "Да, распознать").await;
    desk.taps("anna", "Скачать").await;
    desk.taps("anna", "Очистить").await;
    desk.sends_file("anna", "заявка на среду.csv", &bytes, "на среду, пожалуйста").await;
    keep!("file_csv", desk.transcript("anna"));
    assert_eq!(desk.number("select count(*) from draft_lines l join drafts d on d.id = l.draft_id where d.state = 'open'"), 3);
}

/// A workbook of these sheets.
pub fn workbook(sheets: &[(&str, &[&[&str]])]) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    for (name, rows) in sheets {
        let sheet = book.add_worksheet().set_name(*name).unwrap();
        for (at, row) in (0..).zip(rows.iter()) {
            for (column, cell) in (0..).zip(row.iter()) {
                match cell.parse::<f64>() {
                    Ok(number) => sheet.write(at, column, number).unwrap(),
                    Err(_) => sheet.write(at, column, *cell).unwrap(),
                };
            }
        }
    }
    book.save_to_buffer().unwrap()
}

#[tokio::test]
async fn workbooks_of_office_suites_are_read() {
    // Written by LibreOffice Calc 7.4: a title above, a total below, an old and an open format.
    let books: [(&str, &[u8]); 2] = [
        ("заявка.xls", include_bytes!("../fixtures/tables/order.xls")),
        ("заявка.ods", include_bytes!("../fixtures/tables/order.ods")),
    ];
    for (name, book) in books {
        let desk = Desk::start().await;
        desk.sends_file("anna", name, book, "").await;
        let asked = desk.screen("anna");
        assert!(asked.contains(&format!("Файл «{name}»: 3 строки")), "{asked}");
        desk.taps("anna", "Да, распознать").await;
        let read = desk.rows(
            "select raw || ' = ' || coalesce(quantity_thousandths, 0) || ' ' || unit
             from draft_lines order by position",
        );
        assert_eq!(
            read,
            [
                "саморез 4х25 жёлтый — 4000 шт = 4000000 шт",
                "молния рулон Т5 черная — 2 рул = 2000 рул",
                "ткань велес — 10,5 м = 10500 м",
            ],
            "{name}"
        );
    }
}

#[tokio::test]
async fn another_sheet_and_other_columns_can_be_named() {
    let desk = Desk::start().await;
    let book = workbook(&[
        ("Реквизиты", &[&["ООО «Диван-М»", "6449000000"], &["Директор", "Иванова"]]),
        ("Лист2", &[&["саморез 4х25 желтый", "5", "4000"], &["нитки 70ЛЛ черные", "7", "10"]]),
    ]);
    desk.sends_file("anna", "закупка.xlsx", &book, "").await;
    desk.taps("anna", "Другой лист").await;
    desk.taps("anna", "Лист2").await;
    desk.taps("anna", "Другие колонки").await;
    desk.taps("anna", "A · саморез").await;
    desk.taps("anna", "C · 4000").await;
    desk.taps("anna", "Да, распознать").await;
    keep!("file_columns", desk.transcript("anna"));
}

#[tokio::test]
async fn a_file_that_is_no_order_is_refused_with_the_reason_and_can_be_handed_over() {
    let desk = Desk::start().await;
    desk.says("maria", "/start").await;
    desk.transcript("maria");
    let long = "саморез;1\r\n".repeat(1_001);
    let locked = [&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1][..], &[0; 600]].concat();
    desk.sends_file("anna", "пусто.csv", b" ; \r\n", "").await;
    desk.sends_file("anna", "битый.xlsx", b"PK\x03\x04 not a workbook", "").await;
    desk.sends_file("anna", "закрытый.xlsx", &locked, "").await;
    desk.sends_file("anna", "длинный.csv", long.as_bytes(), "").await;
    desk.sends_file("anna", "картинка.xls", &[0, 1, 2, 3], "").await;
    desk.taps("anna", "Менеджеру").await;
    // The same button again: there is nothing to hand over any more.
    desk.presses("anna", "media.hand").await;
    keep!("file_refused", desk.transcript("anna"));
    keep!("file_refused_manager", desk.transcript("maria"));
    assert_eq!(desk.number("select count(*) from threads where topic = 'file'"), 1);
}

#[tokio::test]
async fn what_cannot_be_read_goes_to_a_manager_and_its_words_are_read() {
    let desk = Desk::start().await;
    for (chat, person) in [("tg:7", 1), ("tg:8", 2)] {
        desk.sql(&format!(
            "insert into chats (key, person_id, linked_at_ms) values ('{chat}', {person}, 0);"
        ));
    }
    desk.sends_media("tg:7", MediaKind::Photo, "нитки 70ЛЛ черные 10").await;
    desk.taps("tg:7", "Передать").await;
    desk.wait(Duration::from_secs(5)).await;
    desk.sends_media("tg:7", MediaKind::Voice, "").await;
    desk.taps("tg:7", "Не надо").await;
    desk.wait(Duration::from_secs(5)).await;
    desk.sends_media("tg:7", MediaKind::Other, "").await;
    keep!("photo", desk.transcript("tg:7"));
    keep!("photo_manager", desk.transcript("tg:8"));
}

#[tokio::test]
async fn a_question_is_answered_from_what_is_known() {
    let desk = Desk::start().await;
    desk.says("maria", "/start").await;
    desk.says("anna", "есть ли саморез 4х25 белый цинк?").await;
    desk.taps("anna", "Сообщить").await;
    desk.says("anna", "сколько стоит молния рулонная черная?").await;
    desk.says("anna", "Добрый день! Нитки 70ЛЛ черные 10 шт. И когда будет спанбонд 70 черный?")
        .await;
    desk.says("anna", "Почему не привезли вчера заказ?").await;
    desk.taps("anna", "Спросить менеджера").await;
    keep!("questions", desk.transcript("anna"));
}

#[tokio::test]
async fn the_parts_of_a_long_message_are_one_list() {
    let desk = Desk::start().await;
    desk.says("anna", "саморез 4х25 желтый 4000\nнитки 70ЛЛ черные 10").await;
    desk.says_at_once("anna", "молния рулон Т5 черная 2 рул\nткань велес 10 м").await;
    desk.wait(Duration::from_secs(1)).await;
    desk.says_at_once("anna", "саморез 4х25 желтый 500").await;
    keep!("parts", desk.transcript("anna"));
    assert_eq!(desk.number("select count(*) from draft_lines"), 4);
    assert_eq!(
        desk.number("select quantity_thousandths from draft_lines where position = 1"),
        4_500_000
    );
}

#[tokio::test]
async fn a_corrected_message_changes_its_own_lines_only() {
    let desk = Desk::start().await;
    desk.says("anna", "нитки 70ЛЛ белые 5").await;
    desk.says("anna", "саморез 4х25 желтый 4000\nткань велес 10 м").await;
    desk.transcript("anna");
    desk.edits(
        "anna",
        "саморез 4х25 желтый 4000\nткань велес 10 м",
        "саморез 4х30 желтый 3000\nмолния рулон Т5 белая 1\nнитки 70ЛЛ белые 7",
    )
    .await;
    // Nothing new in it: nothing is said.
    desk.edits(
        "anna",
        "саморез 4х25 желтый 4000\nткань велес 10 м",
        "саморез 4х30 желтый 3000\nмолния рулон Т5 белая 1\nнитки 70ЛЛ белые 7",
    )
    .await;
    // An earlier message can be corrected too.
    desk.edits("anna", "нитки 70ЛЛ белые 5", "нитки 70ЛЛ белые 6").await;
    keep!("edited", desk.transcript("anna"));
}

#[tokio::test]
async fn merged_lines_can_be_parted_again() {
    let desk = Desk::start().await;
    desk.says("anna", "саморез 4х25 желтый 4000").await;
    desk.says("anna", "саморез 4х25 желтый 500, нитки 70ЛЛ черные 10").await;
    desk.taps("anna", "Разделить").await;
    keep!("split", desk.transcript("anna"));
    assert_eq!(desk.number("select count(*) from draft_lines"), 3);
}

#[tokio::test]
async fn an_order_that_looks_sent_already_is_asked_about() {
    let desk = Desk::start().await;
    let list = "саморез 4х25 желтый 4000\nнитки 70ЛЛ черные 10\nмолния рулон Т5 черная 2 рул";
    desk.says("anna", list).await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Отправить").await;
    desk.transcript("anna");
    desk.wait(Duration::from_mins(20)).await;
    desk.says("anna", list).await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Отправить").await;
    assert_eq!(desk.number("select count(*) from orders"), 1);
    desk.taps("anna", "Отправить ещё одну").await;
    keep!("duplicate", desk.transcript("anna"));
    assert_eq!(desk.number("select count(*) from orders"), 2);
    // A day later it is an order like any other.
    desk.wait(Duration::from_hours(25)).await;
    desk.says("anna", list).await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Отправить").await;
    assert_eq!(desk.number("select count(*) from orders"), 3);
}

#[tokio::test]
async fn more_goods_join_an_order_that_is_there() {
    let desk = Desk::start().await;
    desk.says("maria", "/start").await;
    desk.says("anna", "саморез 4х25 желтый 4000").await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Отправить").await;
    desk.transcript("anna");
    desk.says("anna", "нитки 70ЛЛ черные 10, ткань велес 3 м").await;
    desk.taps("anna", "Добавить в заказ").await;
    let yes = desk.button("anna", "№ 1001");
    desk.taps("anna", "№ 1001").await;
    assert_eq!(desk.number("select count(*) from order_lines"), 3);
    desk.presses("anna", &yes).await;
    assert_eq!(desk.number("select count(*) from order_lines"), 3);
    desk.taps("maria", "Принять").await;
    desk.transcript("maria");
    desk.says("anna", "молния рулон Т5 белая 1 рул").await;
    desk.taps("anna", "Добавить в заказ").await;
    desk.taps("anna", "№ 1001").await;
    keep!("join", desk.transcript("anna"));
    keep!("join_manager", desk.transcript("maria"));
    assert_eq!(desk.number("select count(*) from order_lines"), 3);
}

#[tokio::test]
async fn an_order_is_repeated_with_what_has_changed() {
    let desk = Desk::start().await;
    for _ in 0..3 {
        desk.says("anna", "саморез 4х25 желтый 4000\nнитки 70ЛЛ белые 10\nмолния рулон Т5 белая 2")
            .await;
        desk.taps("anna", "Оформить").await;
        desk.taps("anna", "Отправить").await;
        desk.wait(Duration::from_hours(48)).await;
    }
    desk.transcript("anna");
    desk.sql(
        "update prices set amount_kopecks = 99 where product_id = 1;
        update products set available_thousandths = 0 where id = 8;
        update products set withdrawn = 1, withdrawn_why = 'absent' where id = 6;",
    );
    desk.says("anna", "Повторить").await;
    desk.taps("anna", "№ 1003").await;
    desk.taps("anna", "Уточнить").await;
    desk.taps("anna", "Т5 черная").await;
    desk.taps("anna", "Очистить").await;
    desk.says("anna", "/repeat").await;
    desk.taps("anna", "Обычная закупка").await;
    keep!("repeat", desk.transcript("anna"));
}

#[tokio::test]
async fn a_line_is_counted_in_packs_and_by_steps() {
    let desk = Desk::start().await;
    desk.says("anna", "саморез 4х25 желтый 2").await;
    desk.taps("anna", "Позиции").await;
    desk.taps("anna", "1 ✅").await;
    desk.taps("anna", "шт ▾").await;
    desk.taps("anna", "уп (1 000 шт)").await;
    desk.says("anna", "3500 шт").await;
    desk.taps("anna", "Позиции").await;
    desk.taps("anna", "1 ✅").await;
    desk.taps("anna", "−1 000").await;
    desk.taps("anna", "Готово").await;
    desk.says("anna", "евровинт 7х50 700").await;
    desk.taps("anna", "Уточнить").await;
    desk.taps("anna", "Оставить, решит менеджер").await;
    keep!("quantities", desk.transcript("anna"));
}

#[tokio::test]
async fn what_is_taken_back_can_be_given_back() {
    let desk = Desk::start().await;
    desk.says("anna", "нитки 70ЛЛ черные 10").await;
    desk.taps("anna", "Очистить").await;
    desk.taps("anna", "Вернуть").await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Комментарий").await;
    desk.says("anna", "/cancel").await;
    desk.taps("anna", "Черновик заявки").await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Отправить").await;
    desk.taps("anna", "Отменить").await;
    desk.taps("anna", "Долго ждать").await;
    desk.taps("anna", "Вернуть").await;
    keep!("taken_back", desk.transcript("anna"));
    assert_eq!(desk.number("select count(*) from orders where status = 'new'"), 1);
}

#[tokio::test]
async fn talk_is_met_with_the_menu_and_a_flood_with_patience() {
    let desk = Desk::start().await;
    desk.says("anna", "Здравствуйте!").await;
    desk.says("anna", "ок").await;
    desk.says("anna", "спасибо 🙏").await;
    keep!("small_talk", desk.transcript("anna"));
    desk.wait(Duration::from_mins(2)).await;
    for _ in 0..20 {
        desk.says_at_once("anna", "ау").await;
    }
    desk.transcript("anna");
    desk.says_at_once("anna", "нитки 70ЛЛ черные 10").await;
    desk.says_at_once("anna", "нитки 70ЛЛ черные 10").await;
    desk.wait(Duration::from_secs(61)).await;
    desk.says("anna", "нитки 70ЛЛ черные 10").await;
    keep!("too_fast", desk.transcript("anna"));
    assert_eq!(desk.number("select count(*) from draft_lines"), 1);
}

#[tokio::test]
async fn a_price_that_moves_is_marked_and_shown_before_sending() {
    let desk = Desk::start().await;
    desk.says("anna", "саморез 4х25 желтый 4000").await;
    desk.transcript("anna");
    desk.sql("update prices set amount_kopecks = 91 where product_id = 1;");
    desk.taps("anna", "Позиции").await;
    desk.taps("anna", "К заявке").await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Отправить").await;
    desk.taps("anna", "Отправить с новыми").await;
    keep!("price_moved", desk.transcript("anna"));
}

#[tokio::test]
async fn a_draft_does_not_grow_for_ever() {
    let desk = Desk::start().await;
    let part = |from: u32| {
        let lines = (from..from + 160).map(|n| format!("ткань {n} - 5 м"));
        lines.collect::<Vec<_>>().join("\n")
    };
    desk.says("anna", &part(1_000)).await;
    desk.transcript("anna");
    desk.says("anna", &part(2_000)).await;
    let said = desk.transcript("anna");
    assert!(said.contains("В одной заявке до 300 позиций"), "{said}");
    assert_eq!(desk.number("select count(*) from draft_lines"), 160);
    // Neither by a correction nor by a next part of the same message.
    desk.edits("anna", &part(1_000), &format!("{}\n{}", part(1_000), part(3_000))).await;
    assert!(desk.transcript("anna").contains("В одной заявке до 300 позиций"));
    desk.says("anna", "ткань 999 - 5 м").await;
    desk.says_at_once("anna", &part(4_000)).await;
    assert!(desk.transcript("anna").contains("В одной заявке до 300 позиций"));
    assert_eq!(desk.number("select count(*) from draft_lines"), 161);
}

#[tokio::test]
async fn old_labels_lead_somewhere_useful() {
    let desk = Desk::start().await;
    for label in
        ["🛒 Создать новую заявку", "Отправить заявку", "Добавить в заказ", "Мои вопросы", "/menu"]
    {
        desk.says("anna", label).await;
    }
    desk.taps("anna", "Помощь").await;
    desk.taps("anna", "Пример файла").await;
    keep!("labels", desk.transcript("anna"));
}

/// What a draft is made of, apart from the words.
fn lines(desk: &Desk, persona: &str) -> Vec<String> {
    desk.rows(&format!(
        "select l.position || ' ' || l.state || ' ' || coalesce(l.product_id, '-') || ' '
            || coalesce(l.quantity_thousandths, '-') || ' ' || l.unit
        from draft_lines l join drafts d on d.id = l.draft_id
        where d.state = 'open' and d.chat_key = 'web:{persona}' order by l.position"
    ))
}

#[tokio::test]
async fn a_list_gives_the_same_lines_however_it_comes() {
    let desk = Desk::start().await;
    desk.sql(
        "insert into products (id, sku, title, category_id, unit, available_thousandths, updated_at_ms)
            with recursive n (i) as (select 1 union all select i + 1 from n where i < 84)
            select 1000 + i, 'B-' || i, 'Болт мебельный М' || (4 + i % 6 * 2) || 'х' || (10 + i) || case i % 2 when 0 then ' цинк' else ' черный' end,
                2, 'шт', 100000, 0 from n;
        update catalog_version set version = version + 1;",
    );
    desk.catalog.refresh().await.unwrap();
    let goods = desk.rows("select title from products where id > 1000 order by id");
    let amounts: Vec<String> = (1..=84).map(|n| (n * 5).to_string()).collect();
    let pasted: Vec<String> =
        goods.iter().zip(&amounts).map(|(name, n)| format!("{name} - {n} шт")).collect();
    desk.says("anna", &pasted.join("\n")).await;
    let expected = lines(&desk, "anna");
    assert_eq!(expected.len(), 84);
    let certain = expected.iter().filter(|line| line.contains(" ok ")).count();
    assert!(certain >= 80, "{certain} certain of {expected:#?}");
    desk.taps("anna", "Очистить").await;

    let cells: Vec<[&str; 3]> =
        goods.iter().zip(&amounts).map(|(name, n)| [name.as_str(), n.as_str(), "шт"]).collect();
    let mut rows: Vec<&[&str]> = vec![&["Товар", "Количество", "Ед."]];
    rows.extend(cells.iter().map(<[&str; 3]>::as_slice));
    desk.sends_file("anna", "заявка.xlsx", &workbook(&[("Лист1", &rows)]), "").await;
    desk.taps("anna", "Да, распознать").await;
    assert_eq!(lines(&desk, "anna"), expected, ".xlsx");
    desk.taps("anna", "Очистить").await;

    let csv: Vec<String> = rows.iter().map(|row| row.join(";")).collect();
    let csv = csv.join("\r\n");
    let (bytes, _, lost) = encoding_rs::WINDOWS_1251.encode(&csv);
    assert!(!lost);
    desk.sends_file("anna", "заявка.csv", &bytes, "").await;
    assert_eq!(lines(&desk, "anna"), expected, ".csv in windows-1251");
    desk.taps("anna", "Очистить").await;

    desk.sends_file("anna", "заявка.txt", pasted.join("\n").as_bytes(), "").await;
    assert_eq!(lines(&desk, "anna"), expected, ".txt");
    desk.taps("anna", "Очистить").await;

    desk.says("anna", &pasted[..30].join("\n")).await;
    desk.says_at_once("anna", &pasted[30..60].join("\n")).await;
    desk.says_at_once("anna", &pasted[60..].join("\n")).await;
    assert_eq!(lines(&desk, "anna"), expected, "three messages");

    // The same in the panel, written down for her: what she would be asked, its manager is.
    let panel = Panel::over(desk.base.clone()).await;
    desk.accounts.demo_people(PASSWORD).await.unwrap();
    let maria = panel.sign_in_as("%2B79000000002").await;
    let open = |line: &String| line.replace(" ask ", " manager ");
    let expected: Vec<String> = expected.iter().map(open).collect();
    let text = pasted.join("\n");
    let fields = [("organization", "1"), ("text", &text), ("act", "create")];
    let made = panel.upload("/admin/orders/new", &maria, &fields, None).await;
    assert_eq!(made.status, 303, "{}", made.body);
    assert_eq!(order_lines(&desk), expected, "the panel");
    let fields = [("organization", "1"), ("act", "create")];
    let file = Some(("заявка.csv", &bytes[..]));
    let made = panel.upload("/admin/orders/new", &maria, &fields, file).await;
    assert_eq!(made.status, 303, "{}", made.body);
    assert_eq!(order_lines(&desk), expected, "a file in the panel");
}

/// What the last order is made of, apart from the words.
fn order_lines(desk: &Desk) -> Vec<String> {
    desk.rows(
        "select position || ' ' || state || ' ' || coalesce(product_id, '-') || ' '
            || coalesce(quantity_thousandths, '-') || ' ' || unit
        from order_lines where order_id = (select max(id) from orders) order by position",
    )
}
