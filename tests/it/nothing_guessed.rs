//! What a buyer writes is neither lost nor guessed: rows that name nothing of ours, units that a
//! product does not have, questions whose answers look alike.

use axum::http::StatusCode;
use partner_m::storage::StorageError;

use crate::support::desk::Desk;
use crate::support::panel::{Panel, percent};

/// Zips in metres that come in rolls: 1C sends the roll as a pack without its name.
const ZIPS: &str = "
    insert into products (id, sku, title, unit, available_thousandths, updated_at_ms) values
        (20, '01-5', 'Молния витая №5 чёрная (рул. 200 м)', 'м', 4000000, 0),
        (21, '01-7', 'Молния витая №7 рулон чёрная', 'м', 4000000, 0);
    insert into packs (product_id, unit, coefficient_thousandths) values
        (20, 'уп', 200000), (21, 'уп', 100000);
    insert into prices (product_id, price_type_id, amount_kopecks, per) values
        (20, 1, 820, 1), (21, 1, 990, 1);
    update catalog_version set version = version + 1;";

async fn desk(more: &str) -> Desk {
    let desk = Desk::start().await;
    desk.sql(more);
    desk.catalog.refresh().await.unwrap();
    desk
}

fn lines(desk: &Desk) -> Vec<String> {
    desk.rows(
        "select state || ' ' || raw || ' = ' || coalesce(quantity_thousandths / 1000, '') || ' ' || unit
         from draft_lines order by position",
    )
}

#[tokio::test]
async fn unknown_goods_of_several_rows_stay_in_the_order() {
    let desk = Desk::start().await;
    let text = "Добрый день!\nкабель ввг 3х2.5 100 м\nкабель ввг 3х4 50 м\nсаморез 4х25 желтый 4000\nнечто невнятное\nдоставка завтра до обеда\nспасибо";
    desk.says("anna", text).await;
    let shown = desk.screen("anna");
    assert!(shown.contains("4 позиции: ✅ 1 · ❌ 3"), "{shown}");
    assert!(shown.contains("❌ 2. кабель ввг 3х4 50 м"), "{shown}");
    assert!(shown.contains("❌ 4. нечто невнятное"), "{shown}");
    assert!(shown.contains("Нужно уточнить 3 позиции."), "{shown}");
}

#[tokio::test]
async fn the_bench_says_of_unknown_goods_what_the_bot_does() {
    let panel = Panel::start().await;
    let maria = panel.sign_in_as("%2B79000000002").await;
    let text = "саморез 4х25 жёлтый 4000 шт\nкабель ввг 3х2.5 100 м\nкабель ввг 3х4 50 м\nспасибо";
    let path = format!("/admin/search?text={}", percent(text));
    let answer = panel.send("GET", &path, maria, "").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("не нашлось 2"), "{}", answer.body);
    assert!(!answer.body.contains("прочее"), "{}", answer.body);
    assert!(answer.body.contains("приветствие: «спасибо»"), "{}", answer.body);
}

#[tokio::test]
async fn a_unit_that_the_product_does_not_have_is_asked_about() {
    let desk = Desk::start().await;
    desk.says("anna", "саморез 4х25 желтый 3 кор, нитки 70ЛЛ черные 5").await;
    let shown = desk.screen("anna");
    assert!(shown.contains("2 позиции: ✅ 1 · ❓ 1"), "{shown}");
    assert!(shown.contains("в чём считать?"), "{shown}");
    assert!(shown.contains("без ❓"), "{shown}");
    desk.taps("anna", "Уточнить").await;
    let asked = desk.screen("anna");
    assert!(asked.contains("В «кор» его не считают. В чём считать?"), "{asked}");
    desk.taps("anna", "уп (1 000 шт)").await;
    assert_eq!(lines(&desk)[0], "ok саморез 4х25 желтый 3 кор = 3 уп");
    // Typed to an open line it is asked about at once, and the name of a unit is an answer.
    desk.taps("anna", "Позиции").await;
    desk.taps("anna", "1 ✅").await;
    desk.says("anna", "7 рул").await;
    assert!(desk.screen("anna").contains("В «рул» его не считают."), "{}", desk.screen("anna"));
    desk.says("anna", "шт").await;
    assert_eq!(lines(&desk)[0], "ok саморез 4х25 желтый 3 кор = 7 шт");
}

#[tokio::test]
async fn tonnes_of_what_is_sold_by_the_kilogram_are_no_question() {
    let desk = desk(
        "insert into products (id, sku, title, unit, available_thousandths, updated_at_ms)
            values (20, '02-1', 'Клей Ультра столярный', 'кг', 9000000, 0);
        update catalog_version set version = version + 1;",
    )
    .await;
    desk.says("anna", "клей ультра столярный 2 тонны").await;
    let shown = desk.screen("anna");
    assert!(shown.contains("1 позиция: ✅ 1"), "{shown}");
    desk.taps("anna", "Отправить").await;
    assert_eq!(desk.number("select base_quantity_thousandths from order_lines"), 2_000_000);
}

#[tokio::test]
async fn a_line_in_a_foreign_unit_is_seen_by_staff_and_put_right() {
    let desk = Desk::start().await;
    desk.says("maria", "/start").await;
    desk.says("anna", "саморез 4х25 желтый 3 кор").await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Отправить").await;
    let card = desk.screen("maria");
    assert!(card.contains("3 кор") && card.contains("в чём считать?"), "{card}");
    desk.taps("maria", "Подобрать 1").await;
    let asked = desk.screen("maria");
    assert!(asked.contains("Напишите число с единицей: шт, уп (1 000 шт)."), "{asked}");
    desk.says("maria", "3 уп").await;
    let line = "select state || ' ' || base_quantity_thousandths from order_lines";
    assert_eq!(desk.rows(line), ["ok 3000000"]);
}

#[tokio::test]
async fn an_order_shows_a_line_in_a_foreign_unit() {
    let panel = Panel::start().await;
    let maria = panel.sign_in_as("%2B79000000002").await;
    let foreign = "
        insert into order_lines (id, order_id, position, raw, phrase, state, product_id, title, sku, quantity_thousandths, unit, base_unit)
        values (2, 1, 2, 'саморез 3 кор', '', 'ok', 1, 'Саморез 4×25 жёлтый', '00-1234', 3000, 'кор', 'шт');";
    let write = |tx: &rusqlite::Transaction<'_>| Ok::<_, StorageError>(tx.execute_batch(foreign)?);
    panel.desk.base.db.write_blocking(write).unwrap();
    let page = panel.send("GET", "/admin/orders/1042", maria, "").await.body;
    assert!(page.contains("такой единицы у товара нет"), "{page}");
    assert!(page.contains("не та единица: 1"), "{page}");
}

#[tokio::test]
async fn a_bare_number_beside_the_name_of_a_pack_counts_packs() {
    let desk = desk(ZIPS).await;
    desk.says("maria", "/start").await;
    desk.says("anna", "молния витая рулон чёрная 2").await;
    desk.taps("anna", "Всё менеджеру").await;
    desk.taps("anna", "Передать").await;
    desk.taps("anna", "Отправить").await;
    desk.taps("maria", "Подобрать 1").await;
    desk.taps("maria", "№5").await;
    let line = "select state || ' ' || unit || ' ' || coalesce(base_quantity_thousandths, '')
        from order_lines order by id desc limit 1";
    assert_eq!(desk.rows(line), ["ok рул 400000"]);
    assert!(desk.screen("maria").contains("2 рул"), "{}", desk.screen("maria"));
}

#[tokio::test]
async fn a_pack_that_the_product_does_not_have_is_asked_about() {
    let desk = desk(ZIPS).await;
    desk.says("anna", "молния витая рулон чёрная 2").await;
    desk.taps("anna", "Уточнить").await;
    desk.taps("anna", "№7").await;
    let asked = desk.screen("anna");
    assert!(asked.contains("В «рул» его не считают. В чём считать?"), "{asked}");
    desk.taps("anna", "уп (100 м)").await;
    assert_eq!(lines(&desk), ["ok молния витая рулон чёрная 2 = 2 уп"]);
    // What is certain at once is counted so too.
    desk.taps("anna", "Очистить").await;
    desk.says("anna", "молния витая рулон №5 чёрная 2").await;
    let sum = desk.screen("anna");
    assert!(sum.contains("2 рул") && sum.contains("3 280,00 ₽"), "{sum}");
}

#[tokio::test]
async fn groups_of_one_are_listed_with_their_whole_names() {
    let woods = "берёза бук вяз граб дуб ель ива кедр клён липа осина сосна";
    let products: Vec<String> = (100..)
        .zip(woods.split(' '))
        .map(|(id, wood)| {
            let name = format!("Мешочек бархатный подарочный синий для шкатулки {wood}");
            format!("({id}, 'М-{id}', '{name}', 'шт', 1000, 0)")
        })
        .collect();
    let desk = desk(&format!(
        "insert into products (id, sku, title, unit, available_thousandths, updated_at_ms)
            values {}; update catalog_version set version = version + 1;",
        products.join(", ")
    ))
    .await;
    desk.says("anna", "мешочек бархатный 5 шт").await;
    desk.taps("anna", "Уточнить").await;
    let asked = desk.screen("anna");
    assert!(asked.contains("Какая из них?") && asked.contains("1/3 ›"), "{asked}");
    assert!(!asked.contains("· 1]"), "{asked}");
    let labels = asked.lines().filter(|line| line.starts_with("[…"));
    let labels: std::collections::BTreeSet<&str> = labels.collect();
    assert_eq!(labels.len(), 5, "{asked}");
}
