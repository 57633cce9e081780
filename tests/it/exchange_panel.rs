//! «Обмен с 1С» in the panel: what a manager sees and an administrator does.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use partner_m::config::Config;
use partner_m::domain::Secret;
use partner_m::formats::onec_json::CatalogJson;
use partner_m::services::exchange::calls::{Door, Turned};
use partner_m::services::exchange::{Origin, Way, raw};
use partner_m::storage::StorageError;

use crate::support::fake_onec::FakeOnec;
use crate::support::panel::Panel;
use crate::support::server::Scripted;

const PULL_PASSWORD: &str = "пароль-MARK";
const PASSWORD: &str = "exchange-password-SECRET-1234";
const TOKEN: &str = "webhook-token-SECRET-56789";

fn set_up(onec: Option<&FakeOnec>) -> Config {
    let mut config = Config::default();
    config.onec.webhook_token = Some(Secret::new(TOKEN));
    config.onec.exchange.username = Some("1c".to_owned());
    config.onec.exchange.password = Some(Secret::new(PASSWORD));
    config.onec.listen = Some(([10, 0, 0, 5], 8081).into());
    config.onec.pull.base_url = onec.map(FakeOnec::base_url);
    config.onec.pull.enabled = onec.is_some();
    config.onec.pull.username = onec.map(|_| "Обмен".to_owned());
    config.onec.pull.password = onec.map(|_| Secret::new(PULL_PASSWORD));
    config
}

fn sql(panel: &Panel, text: &str) {
    let text = text.to_owned();
    let write =
        move |tx: &rusqlite::Transaction<'_>| Ok::<_, StorageError>(tx.execute_batch(&text)?);
    panel.desk.base.db.write_blocking(write).unwrap();
}

async fn read(panel: &Panel, ours: &HeaderMap, path: &str) -> String {
    let answer = panel.send("GET", path, ours.clone(), "").await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    answer.body
}

async fn post(panel: &Panel, ours: &HeaderMap, path: &str, fields: &str) -> (StatusCode, String) {
    let token = panel.token(ours).await;
    let answer = panel.send("POST", path, ours.clone(), &format!("csrf={token}&{fields}")).await;
    let to = answer.headers.get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
    (answer.status, to.unwrap_or(answer.body))
}

fn audited(panel: &Panel, action: &str) -> i64 {
    panel.count(&format!(
        "select count(*) from audit where action = '{action}' and person_id is not null"
    ))
}

#[tokio::test]
async fn before_anything_the_page_says_what_to_do_first() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let page = read(&panel, &ours, "/admin/exchange").await;
    assert!(page.contains("Обмен не настроен: 1С ещё ни разу не приходила."), "{page}");
    assert!(page.contains("Подключить 1С") && !page.contains("Обменяться сейчас"), "{page}");
    let (status, body) = post(&panel, &ours, "/admin/sync/1c", "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(body.contains("Забор каталога не настроен"), "{body}");
    assert!(!read(&panel, &ours, "/admin/catalog").await.contains("Забрать из 1С"));
    assert_eq!(
        panel.send("GET", "/admin/exchange/7", ours, "").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_pull_by_hand_is_journaled_audited_and_leads_to_its_page() {
    let onec = FakeOnec::start().await;
    let panel = Panel::start_with(set_up(Some(&onec))).await;
    let ours = panel.sign_in().await;
    assert!(
        read(&panel, &ours, "/admin/exchange").await.contains("Настроен. Ждём первого запроса")
    );
    let (status, to) = post(&panel, &ours, "/admin/sync/1c", "").await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/admin/exchange/1"));
    let page = read(&panel, &ours, &to).await;
    assert!(page.contains("Обмен №\u{a0}1, каталог") && page.contains("норма"), "{page}");
    assert_eq!(panel.count("select count(*) from products where title = 'Bolt'"), 1);
    assert_eq!(audited(&panel, "exchange.pull"), 1);
    let page = read(&panel, &ours, "/admin/exchange").await;
    assert!(page.contains("Работает. Последний обмен "), "{page}");
    assert!(page.contains(", следующий "), "{page}");
    let catalog = read(&panel, &ours, "/admin/catalog").await;
    assert!(catalog.contains("Забрать из 1С") && catalog.contains("Из 1С: "), "{catalog}");

    onec.state().script.push_back(Scripted::status(500, "<html>"));
    let (status, body) = post(&panel, &ours, "/admin/sync/1c", "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(body.contains("сбой на стороне 1С (ответ 500)"), "{body}");
    let page = read(&panel, &ours, "/admin/exchange").await;
    assert!(page.contains("Сбой: сбой на стороне 1С (ответ 500)"), "{page}");
    assert!(read(&panel, &ours, "/admin").await.contains("Сбой: сбой на стороне 1С"));

    let manager = panel.sign_in_as("%2B79000000002").await;
    assert!(!read(&panel, &manager, "/admin/exchange").await.contains("Обменяться сейчас"));
    assert_eq!(post(&panel, &manager, "/admin/sync/1c", "").await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn two_pulls_by_hand_never_run_at_once() {
    let onec = FakeOnec::start().await;
    let panel = Panel::start_with(set_up(Some(&onec))).await;
    let ours = panel.sign_in().await;
    onec.state().script.push_back(Scripted::Silence);
    let token = panel.token(&ours).await;
    let fields = format!("csrf={token}");
    let pull = panel.desk.pull.clone().unwrap();
    let first = panel.send("POST", "/admin/sync/1c", ours.clone(), &fields);
    let second = async {
        while pull.status().running_since.is_none() {
            tokio::task::yield_now().await;
        }
        let second = panel.send("POST", "/admin/sync/1c", ours.clone(), &fields).await;
        let page = panel.send("GET", "/admin/exchange", ours.clone(), "").await;
        (second, page)
    };
    let (first, (second, page)) = tokio::join!(first, second);
    assert_eq!(second.status, StatusCode::CONFLICT);
    assert!(second.body.contains("Обмен уже идёт"), "{}", second.body);
    assert!(page.body.contains("Идёт обмен, начат"), "{}", page.body);
    // The first one goes on behind the page.
    assert_eq!(first.headers[header::LOCATION], "/admin/exchange");
    panel.desk.tasks.stop(Duration::from_millis(1)).await;
}

#[tokio::test]
async fn the_journal_is_filtered_by_direction_kind_way_and_outcome() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    sql(
        &panel,
        "insert into exchanges (id, at_ms, duration_ms, way, kind, request_id, skipped, error) values
            (1, 1795518000000, 10, 'json', 'catalog', 'req-ok', 0, ''),
            (2, 1795518000000, 10, 'json', 'statuses', 'req-part', 2, ''),
            (3, 1795518000000, 10, 'pull', 'catalog', 'req-bad', 0, '1С молчит'),
            (4, 1795518000000, 10, 'commerceml', 'orders', 'req-out', 0, '');",
    );
    for (query, shown) in [
        ("", vec!["req-ok", "req-part", "req-bad", "req-out"]),
        ("?direction=out", vec!["req-out"]),
        ("?direction=in&kind=catalog", vec!["req-ok", "req-bad"]),
        ("?way=json", vec!["req-ok", "req-part"]),
        ("?outcome=failed", vec!["req-bad"]),
        ("?outcome=partly&way=json", vec!["req-part"]),
        ("?outcome=ok&direction=in", vec!["req-ok"]),
    ] {
        let page = read(&panel, &ours, &format!("/admin/exchange{query}")).await;
        for code in ["req-ok", "req-part", "req-bad", "req-out"] {
            assert_eq!(page.contains(code), shown.contains(&code), "{query} {code}");
        }
    }
    let none = read(&panel, &ours, "/admin/exchange?kind=members").await;
    assert!(none.contains("Ничего не найдено") && none.contains("Сбросить фильтры"));
}

#[tokio::test]
async fn one_exchange_tells_its_steps_and_what_was_left_out_and_is_done_again() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let body = r#"{"items":[{"sku":"Н-1","title":"Нитки","price":10},{"sku":"Н-2","title":"Нитки 2","price":"12р"}]}"#;
    let source = panel.desk.base.config.data_dir.join("body");
    std::fs::write(&source, body).unwrap();
    let (config, now) = (&panel.desk.base.config, panel.desk.base.clock.now());
    let mut origin = Origin::new(Way::Json);
    "192.168.0.7".clone_into(&mut origin.address);
    origin.files = vec![raw::keep(config, &source, "catalog.json", 100, now).unwrap()];
    panel.desk.exchange.apply(CatalogJson(body.as_bytes()), origin).await.unwrap();

    let page = read(&panel, &ours, "/admin/exchange/1").await;
    assert!(page.contains("частично") && page.contains("192.168.0.7"), "{page}");
    assert!(page.contains("«price» = «12р»") && page.contains("Н-2"), "{page}");
    let file = panel.send("GET", "/admin/exchange/1/files/0", ours.clone(), "").await;
    assert_eq!(file.body, body);
    assert_eq!(
        file.headers[header::CONTENT_DISPOSITION],
        "attachment; filename=\"1-catalog.json\""
    );

    sql(&panel, "update products set title = 'испорчено' where sku = 'Н-1'");
    let (status, to) = post(&panel, &ours, "/admin/exchange/1/replay", "").await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/admin/exchange/2"));
    assert_eq!(panel.count("select count(*) from products where title = 'Нитки'"), 1);
    assert!(read(&panel, &ours, "/admin/exchange/2").await.contains("повтор обмена №\u{a0}1"));
    assert_eq!(audited(&panel, "exchange.replay"), 1);

    // The copy itself brought no file, and a file that is gone is said to be gone.
    assert_eq!(
        post(&panel, &ours, "/admin/exchange/2/replay", "").await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    for entry in std::fs::read_dir(raw::folder(config)).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let page = read(&panel, &ours, "/admin/exchange/1").await;
    assert!(page.contains("удалён") && !page.contains("Повторить"), "{page}");
    let file = panel.send("GET", "/admin/exchange/1/files/0", ours.clone(), "").await;
    assert_eq!(file.status, StatusCode::NOT_FOUND);
    let manager = panel.sign_in_as("%2B79000000002").await;
    let refused = panel.send("GET", "/admin/exchange/1/files/0", manager, "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_raw_file_is_never_taken_from_elsewhere() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    sql(
        &panel,
        "insert into exchanges (id, at_ms, duration_ms, way, kind) values (1, 1, 1, 'json', 'catalog');
         insert into exchange_files (exchange_id, position, name, stored, bytes)
            values (1, 0, '../../x', '../../partner-m.db', 1);",
    );
    std::fs::create_dir_all(raw::folder(&panel.desk.base.config)).unwrap();
    let file = panel.send("GET", "/admin/exchange/1/files/0", ours, "").await;
    assert_eq!(file.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_hiding_that_waits_is_let_happen_or_forbidden_once() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let hold = "insert into exchanges (id, at_ms, duration_ms, way, kind, held) values (1, 1, 1, 'json', 'catalog', 1);
        insert into held_hidings (id, exchange_id, at_ms, of_total) values (1, 1, 1795518000000, 4);
        insert into held_hiding_products (hiding_id, product_id) values (1, 1);";
    sql(&panel, hold);
    let page = read(&panel, &ours, "/admin/exchange").await;
    assert!(page.contains("Скрыть 1\u{a0}товар?"), "{page}");
    assert!(read(&panel, &ours, "/admin").await.contains("Скрыть 1\u{a0}товар?"));
    assert_eq!(
        post(&panel, &ours, "/admin/exchange/hidings/1", "act=drop").await.0,
        StatusCode::SEE_OTHER
    );
    assert_eq!(panel.count("select withdrawn from products where id = 1"), 0);
    assert_eq!(audited(&panel, "exchange.keep"), 1);
    assert_eq!(
        post(&panel, &ours, "/admin/exchange/hidings/1", "act=release").await.0,
        StatusCode::CONFLICT
    );
    sql(
        &panel,
        "insert into held_hidings (id, at_ms, of_total) values (2, 1795518000000, 4);
         insert into held_hiding_products (hiding_id, product_id) values (2, 1);",
    );
    let manager = panel.sign_in_as("%2B79000000002").await;
    assert_eq!(
        post(&panel, &manager, "/admin/exchange/hidings/2", "act=release").await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        post(&panel, &ours, "/admin/exchange/hidings/2", "act=release").await.0,
        StatusCode::UNPROCESSABLE_ENTITY,
        "the number is typed"
    );
    assert_eq!(
        post(&panel, &ours, "/admin/exchange/hidings/2", "act=release&number=1").await.0,
        StatusCode::SEE_OTHER
    );
    assert_eq!(panel.count("select withdrawn from products where id = 1"), 1);
    assert_eq!(audited(&panel, "exchange.hide"), 1);
    assert!(!read(&panel, &ours, "/admin/exchange").await.contains("Скрыть 1\u{a0}товар?"));
}

#[tokio::test]
async fn the_queue_names_what_keeps_an_order_and_offers_it_again() {
    let panel = Panel::start_with(set_up(None)).await;
    let ours = panel.sign_in().await;
    assert!(read(&panel, &ours, "/admin/exchange/queue").await.contains("Очередь пуста"));
    let page = read(&panel, &ours, "/admin/orders/1042").await;
    assert!(page.contains("1С получит заказ со статуса «Принята»"), "{page}");

    sql(&panel, "update orders set status = 'accepted' where id = 1");
    let page = read(&panel, &ours, "/admin/exchange/queue").await;
    assert!(page.contains("не выбран товар: позиция 1, «саморез»"), "{page}");
    let page = read(&panel, &ours, "/admin/orders/1042").await;
    assert!(page.contains("1С получит заказ, когда будет готов"), "{page}");
    assert!(read(&panel, &ours, "/admin/orders?view=all").await.contains(">ждёт<"));

    sql(
        &panel,
        "update order_lines set state = 'ok', product_id = 1, title = 'Саморез', base_quantity_thousandths = 5000,
            base_unit = 'шт' where id = 1",
    );
    let page = read(&panel, &ours, "/admin/exchange/queue").await;
    assert!(page.contains("нет цены: позиция 1"), "the standard exchange asks for a price: {page}");
    sql(
        &panel,
        "update order_lines set price_amount_kopecks = 85, price_per = 1, sum_kopecks = 425 where id = 1",
    );
    let page = read(&panel, &ours, "/admin/exchange/queue").await;
    assert!(page.contains("готов") && page.contains("ещё не предлагался"), "{page}");
    let text = r#"{"orders":[{"number":"PM-1042","status":"Потерян"}]}"#;
    let body = partner_m::formats::json::Reader::new(text.as_bytes()).tree().unwrap();
    panel.desk.exchange.statuses(body, Origin::new(Way::Json)).await.unwrap();
    let page = read(&panel, &ours, "/admin/exchange/queue").await;
    assert!(page.contains("неизвестный статус «Потерян»"), "what 1C said of it: {page}");
    sql(&panel, "update products set withdrawn = 1 where id = 1");
    let page = read(&panel, &ours, "/admin/exchange/queue").await;
    assert!(page.contains("товар снят с продажи: позиция 1"), "{page}");
    assert_eq!(panel.desk.exchange.queue_size().await.unwrap(), (1, 1));
    sql(&panel, "update products set withdrawn = 0 where id = 1");
    assert_eq!(panel.desk.exchange.queue_size().await.unwrap(), (1, 0));
    let (orders, _) = panel
        .desk
        .exchange
        .orders_out(partner_m::domain::OrderId(0), 10, Origin::new(Way::Json))
        .await
        .unwrap();
    assert_eq!(orders.len(), 1);
    let page = read(&panel, &ours, "/admin/exchange/queue").await;
    assert!(page.contains("1\u{a0}раз, последний "), "{page}");
    let again = "/admin/exchange/orders/1042";
    let (status, body) = post(&panel, &ours, again, "act=again").await;
    assert_eq!(status, StatusCode::CONFLICT, "it is offered anyway: {body}");

    sql(
        &panel,
        "update orders set onec_acknowledged_at_ms = 1795518000000, onec_number = 'УТ-7' where id = 1",
    );
    let page = read(&panel, &ours, "/admin/orders/1042").await;
    assert!(
        page.contains("✓ получен") && page.contains("УТ-7") && page.contains("Отправить снова"),
        "{page}"
    );
    let page = read(&panel, &ours, "/admin/exchange/queue").await;
    assert!(page.contains("Недавно получены 1С"), "{page}");
    assert_eq!(post(&panel, &ours, again, "act=again").await.0, StatusCode::SEE_OTHER);
    assert_eq!(panel.count("select count(*) from orders where onec_acknowledged_at_ms is null"), 1);
    assert_eq!(audited(&panel, "exchange.offer_again"), 1);
    assert!(
        read(&panel, &ours, "/admin/orders/1042").await.contains("Будет передана в 1С ещё раз")
    );
    let (orders, _) = panel
        .desk
        .exchange
        .orders_out(partner_m::domain::OrderId(0), 10, Origin::new(Way::Json))
        .await
        .unwrap();
    assert_eq!(orders.len(), 1, "1C is offered it once more");
}

#[tokio::test]
async fn an_order_that_cannot_go_is_counted_alike_everywhere_and_named_on_the_first_page() {
    // Nothing of 1C is set up: the demo shows all the same what it would ask for.
    for config in [Config::default(), set_up(None)] {
        let strict = config.onec.exchange.password.is_some();
        let panel = Panel::start_with(config).await;
        let ours = panel.sign_in().await;
        sql(
            &panel,
            "update orders set status = 'accepted' where id = 1;
             update order_lines set state = 'ok', product_id = 1, title = 'Саморез', unit = 'рул' where id = 1",
        );
        let queue = read(&panel, &ours, "/admin/exchange/queue").await;
        assert!(queue.contains("Очередь в 1С<span class=\"count\">1</span>"), "{queue}");
        let journal = read(&panel, &ours, "/admin/exchange").await;
        assert!(
            journal.contains("1\u{a0}заказ</a>") && journal.contains("не готовы: 1"),
            "{journal}"
        );
        let today = read(&panel, &ours, "/admin").await;
        let why = "Не может уйти в 1С: количество не в базовых единицах: позиция 1, «Саморез»";
        assert!(today.contains(why) && today.contains("/admin/orders/1042"), "{today}");
        // Where there is neither 1C nor a demo no order waits for it, on no page.
        if !strict {
            let plain = Panel::over(panel.desk.base.clone()).await;
            let ours = plain.sign_in().await;
            let queue = read(&plain, &ours, "/admin/exchange/queue").await;
            assert!(queue.contains("заказам нечего ждать") && !queue.contains("1042"), "{queue}");
            let journal = read(&plain, &ours, "/admin/exchange").await;
            assert!(journal.contains("0\u{a0}заказов</a>"), "{journal}");
            let today = read(&plain, &ours, "/admin").await;
            assert!(!today.contains("Не может уйти в 1С"), "{today}");
        }
        // What only the standard exchange minds keeps an order where that is on.
        sql(&panel, "update order_lines set base_quantity_thousandths = 5000 where id = 1");
        let waits = u32::from(strict);
        assert_eq!(panel.desk.exchange.queue_size().await.unwrap(), (1, waits));
        let today = read(&panel, &ours, "/admin").await;
        assert_eq!(today.contains("Не может уйти в 1С: нет цены"), strict, "{today}");
    }
}

#[tokio::test]
async fn an_order_cancelled_here_is_told_to_live_on_in_1c() {
    let panel = Panel::start_with(set_up(None)).await;
    let ours = panel.sign_in().await;
    let cancelled = |channel: &str| {
        format!(
            "update orders set status = 'cancelled', onec_acknowledged_at_ms = 1 where id = 1;
             insert into order_events (order_id, at_ms, channel, kind, text)
                values (1, 1795518000000, '{channel}', 'status', 'Новая → Отменена');"
        )
    };
    sql(&panel, &cancelled("onec"));
    assert!(!read(&panel, &ours, "/admin/orders/1042").await.contains("отмените его там"));
    sql(&panel, &cancelled("panel"));
    assert!(read(&panel, &ours, "/admin/orders/1042").await.contains("отмените его там"));
}

#[tokio::test]
async fn a_word_of_1c_that_nobody_understood_is_mapped_and_then_understood() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let push = async |status: &str| {
        let text = format!(r#"{{"orders":[{{"number":"PM-1042","status":"{status}"}}]}}"#);
        let mut reader = partner_m::formats::json::Reader::new(text.as_bytes());
        let body = reader.tree().unwrap();
        panel.desk.exchange.statuses(body, Origin::new(Way::Json)).await.unwrap()
    };
    assert_eq!(push("Выдан водителю").await.skipped.len(), 1);
    let page = read(&panel, &ours, "/admin/exchange/mapping").await;
    assert!(page.contains("«Выдан водителю»") && page.contains("не понято"), "{page}");
    let word =
        "word=%D0%92%D1%8B%D0%B4%D0%B0%D0%BD%20%D0%B2%D0%BE%D0%B4%D0%B8%D1%82%D0%B5%D0%BB%D1%8E";
    let map = "/admin/exchange/mapping";
    let refused = post(&panel, &ours, map, &format!("{word}&act=set&status=rejected")).await;
    assert_eq!(refused.0, StatusCode::UNPROCESSABLE_ENTITY, "1C rejects nothing: {}", refused.1);
    let set = post(&panel, &ours, map, &format!("{word}&act=set&status=shipped")).await;
    assert_eq!(set.0, StatusCode::SEE_OTHER, "{}", set.1);
    let page = read(&panel, &ours, map).await;
    assert!(page.contains("«выдан водителю»") && !page.contains("не понято"), "{page}");
    assert_eq!(push("Выдан водителю").await.skipped.len(), 0);
    assert_eq!(panel.count("select count(*) from orders where status = 'shipped'"), 1);
    assert_eq!(
        post(&panel, &ours, map, &format!("{word}&act=forget")).await.0,
        StatusCode::SEE_OTHER
    );
    assert_eq!(audited(&panel, "exchange.map_status"), 2);
    assert_eq!(push("Выдан водителю").await.skipped.len(), 1);
}

#[tokio::test]
async fn what_the_catalogue_has_is_counted_anew_once_it_changes() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let push = async |body: &'static str| {
        let origin = Origin::new(Way::Json);
        panel.desk.exchange.apply(CatalogJson(body.as_bytes()), origin).await.unwrap();
    };
    let mapping = "/admin/exchange/mapping";
    let page = read(&panel, &ours, mapping).await;
    assert!(page.contains("1С ещё не присылала цен"), "{page}");
    assert!(read(&panel, &ours, "/admin").await.contains("1\u{a0}товар<"));
    push(
        r#"{"items":[{"sku":"Н-1","title":"Нитки","price":10},
            {"sku":"Н-2","title":"Нитки 2","price":12,"unit":"кг"}]}"#,
    )
    .await;
    let page = read(&panel, &ours, mapping).await;
    assert!(page.contains("цены есть у 2\u{a0}товаров") && page.contains("<strong>кг<"), "{page}");
    assert!(read(&panel, &ours, "/admin").await.contains("3\u{a0}товара<"));
    // A price alone is a change as well.
    push(r#"{"items":[{"sku":"00-1234","title":"Саморез 4×25 жёлтый","price":1}]}"#).await;
    assert!(read(&panel, &ours, mapping).await.contains("цены есть у 3\u{a0}товаров"));
    post(&panel, &ours, "/admin/catalog/bulk", "act=hide&product=1").await;
    assert!(read(&panel, &ours, "/admin").await.contains("Каталог</dt><dd>2\u{a0}товара<"));
}

#[tokio::test]
async fn the_connection_page_shows_what_to_copy_and_that_1c_has_come() {
    let panel = Panel::start_with(set_up(None)).await;
    let ours = panel.sign_in().await;
    let page = read(&panel, &ours, "/admin/exchange/connect").await;
    for shown in [
        "10.0.0.5:8081/1c_exchange",
        "HTTPОбменАдресСайта",
        "http://localhost:8000/integrations/1c",
        "http://localhost:8000/api/onec",
        "curl -X POST http://localhost:8000/integrations/1c/catalog",
        "жду первого запроса…",
        "***1234",
        "***6789",
    ] {
        assert!(page.contains(shown), "no {shown}: {page}");
    }
    let call = |door, what, turned| {
        panel.desk.exchange.note_call(door, what, "192.168.0.7", "1C+Enterprise/8.3", turned);
    };
    call(Door::Json, "POST catalog", Some(Turned::WrongToken));
    call(Door::Standard, "catalog checkauth", Some(Turned::WrongPassword));
    let page = read(&panel, &ours, "/admin/exchange/connect").await;
    for shown in
        ["получен запрос с неверным токеном", "POST catalog", "с неверным именем или паролем"]
    {
        assert!(page.contains(shown), "no {shown}: {page}");
    }
    call(Door::Json, "POST catalog", None);
    call(Door::Standard, "catalog checkauth", None);
    let page = read(&panel, &ours, "/admin/exchange/connect").await;
    assert!(!page.contains("неверным"), "{page}");
    assert!(page.contains("✓ получен") && page.contains("catalog checkauth"), "{page}");
    let origin = Origin { sender: "1C+Enterprise/8.2".to_owned(), ..Origin::new(Way::Json) };
    panel.desk.exchange.apply(CatalogJson(&b"[]"[..]), origin).await.unwrap();
    let page = read(&panel, &ours, "/admin/exchange/connect").await;
    assert!(page.contains("1C+Enterprise/8.2") && !page.contains("жду первого запроса…"), "{page}");
}

#[tokio::test]
async fn a_pasted_payload_is_explained_and_nothing_is_stored() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let before = panel.count("select count(*) from products");
    let path = "/admin/exchange/validate";
    let payload =
        r#"{"items":[{"sku":"1","title":"Болт","price":"12р"},{"sku":"2","title":"Гайка"}]}"#;
    let answer = panel.upload(path, &ours, &[("payload", payload)], None).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(answer.body.contains("Каталог, JSON"), "{}", answer.body);
    assert!(answer.body.contains("Будет пропущено: 1"), "{}", answer.body);
    assert!(answer.body.contains("поле «price» = «12р»"), "{}", answer.body);
    let broken = panel.upload(path, &ours, &[("payload", "{\"items\":[")], None).await;
    assert_eq!(broken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(broken.body.contains("role=\"alert\""), "{}", broken.body);
    let xml = std::fs::read("tests/fixtures/commerceml/ut103/import.xml").unwrap();
    let answer = panel.upload(path, &ours, &[("payload", "")], Some(("import.xml", &xml))).await;
    assert!(answer.body.contains("Каталог, CommerceML"), "{}", answer.body);
    assert_eq!(panel.count("select count(*) from products"), before);
    assert_eq!(panel.count("select count(*) from exchanges"), 0);
    let nothing = panel.upload(path, &ours, &[("payload", " ")], None).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn no_page_and_no_log_ever_shows_a_secret() {
    let (logs, _guard) = crate::support::logs::Logs::keep();
    let onec = FakeOnec::start().await;
    let panel = Panel::start_with(set_up(Some(&onec))).await;
    let ours = panel.sign_in().await;
    onec.state().script.push_back(Scripted::status(401, ""));
    post(&panel, &ours, "/admin/sync/1c", "").await;
    let mut seen = logs.text();
    for path in [
        "/admin",
        "/admin/catalog",
        "/admin/orders/1042",
        "/admin/exchange",
        "/admin/exchange/1",
        "/admin/exchange/queue",
        "/admin/exchange/connect",
        "/admin/exchange/mapping",
    ] {
        seen.push_str(&read(&panel, &ours, path).await);
    }
    for secret in [PASSWORD, TOKEN, PULL_PASSWORD, "SECRET"] {
        assert!(!seen.contains(secret), "{secret} is shown");
    }
}

#[tokio::test]
async fn calls_that_are_open_to_anyone_are_warned_of() {
    let mut config = Config::default();
    config.onec.open = true;
    let panel = Panel::start_with(config).await;
    let ours = panel.sign_in().await;
    assert!(read(&panel, &ours, "/admin/exchange").await.contains("принимаются от кого угодно"));
}
