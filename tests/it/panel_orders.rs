//! Orders in the panel: changed, told, taken back, changed many at once, written for a client.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use partner_m::config::Config;
use partner_m::domain::{ChatKey, Money, OrderId, OrganizationId, PersonId, Price, Secret};
use partner_m::services::ordering::Party;
use partner_m::storage::StorageError;

use crate::support::panel::{Answer, Panel, percent};

/// A panel with № 1042: a screw line that is certain and one that a manager is to pick.
async fn panel() -> (Panel, HeaderMap) {
    panel_with(Config::default()).await
}

async fn panel_with(config: Config) -> (Panel, HeaderMap) {
    let panel = Panel::start_with(config).await;
    panel.desk.base.db.write_blocking(|tx| Ok::<_, StorageError>(tx.execute_batch(MORE)?)).unwrap();
    panel.desk.catalog.refresh().await.unwrap();
    let maria = panel.sign_in_as("%2B79000000002").await;
    (panel, maria)
}

const MORE: &str = "
    update catalog_version set version = version + 1;
    update products set available_thousandths = 12000000 where id = 1;
    insert into products (id, external_id, sku, title, unit, available_thousandths, updated_at_ms) values
        (2, 'a2', '00-2201', 'Молния рул. Т5 чёрная 200 м', 'рул', 6000, 1),
        (3, 'a3', '00-2207', 'Молния рул. Т7 чёрная 100 м', 'рул', 6000, 1);
    insert or ignore into price_types (id, name) values (1, '');
    insert into prices (product_id, price_type_id, amount_kopecks, per) values (1, 1, 85, 1), (2, 1, 145000, 1), (3, 1, 199000, 1);
    insert into order_lines (id, order_id, position, raw, phrase, state, product_id, title, sku, quantity_thousandths, base_quantity_thousandths, base_unit, price_amount_kopecks, price_per, sum_kopecks)
        values (2, 1, 2, 'саморез 4х25 жёлтый 4000', 'саморез 4×25 желтый', 'ok', 1, 'Саморез 4×25 жёлтый', '00-1234', 4000000, 4000000, 'шт', 85, 1, 340000);
    update orders set total_kopecks = 340000 where id = 1;
    insert into balances (organization_id, debt_kopecks, overdue_kopecks, limit_kopecks, terms, updated_at_ms) values (1, 1234500, 50000, 10000000, 'отсрочка 14 дней', 1);";

async fn post(panel: &Panel, who: &HeaderMap, path: &str, fields: &str) -> Answer {
    let token = panel.token(who).await;
    panel.send("POST", path, who.clone(), &format!("csrf={token}&{fields}")).await
}

async fn page(panel: &Panel, who: &HeaderMap, path: &str) -> String {
    let answer = panel.send("GET", path, who.clone(), "").await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    answer.body
}

/// Fields that a form of the page carries now.
fn token(panel: &Panel) -> String {
    let version = panel.count("select revision from orders where id = 1");
    let seen = panel.count("select max(id) from order_events");
    format!("version={version}&seen={seen}")
}

fn told(panel: &Panel) -> i64 {
    panel.count(
        "select count(*) from outbox o join chats c on c.key = o.chat_key
         where c.person_id = 1 and o.state = 'queued'",
    )
}

#[tokio::test]
async fn the_client_learns_of_changes_when_they_are_sent() {
    let (panel, maria) = panel().await;
    let edit = "/admin/orders/1042/edit";
    let before = told(&panel);
    for fields in [
        "act=quantity&line=2&quantity=3000&unit=%D1%88%D1%82",
        "act=split&line=2&quantity=1000",
        "act=add&product=2&quantity=2",
        "act=delivery&delivery=date&date=2026-11-25&address=%D0%A1%D0%BA%D0%BB%D0%B0%D0%B4",
    ] {
        let answer = post(&panel, &maria, edit, &format!("{}&{fields}", token(&panel))).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{fields}: {}", answer.body);
    }
    assert_eq!(told(&panel), before, "nobody has been told yet");
    let shown = page(&panel, &maria, "/admin/orders/1042").await;
    for words in [
        "Клиент ещё не знает об изменениях",
        "– «Саморез 4×25 жёлтый»: 4\u{a0}000\u{a0}шт → 2\u{a0}000\u{a0}шт",
        "– новая позиция «Саморез 4×25 жёлтый», 1\u{a0}000\u{a0}шт",
        "– новая позиция «Молния рул. Т5 чёрная 200 м», 2\u{a0}рул",
        "– доставка: ср\u{a0}25.11",
        "12\u{a0}345,00\u{a0}₽",
        "отсрочка 14 дней",
    ] {
        assert!(shown.contains(words), "no «{words}» in {shown}");
    }
    let theirs = panel.desk.ordering.own_order(&anna(), OrderId(1)).await.unwrap();
    assert_eq!(theirs.lines.len(), 2, "the client still sees what they sent");
    let sent = post(&panel, &maria, edit, &format!("{}&act=send", token(&panel))).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    assert!(told(&panel) > before, "the client is told");
    let again = post(&panel, &maria, edit, &format!("{}&act=send", token(&panel))).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "there is nothing more to tell");
    let theirs = panel.desk.ordering.own_order(&anna(), OrderId(1)).await.unwrap();
    assert_eq!(theirs.lines.len(), 4);
    assert_eq!(panel.count("select total_kopecks from orders where id = 1"), 3_000 * 85 + 290_000);
}

/// What the standard exchange gives 1C now.
async fn offered(panel: &Panel) -> String {
    let mut onec = HeaderMap::new();
    let basic = "Basic MWM6ZXhjaGFuZ2UtcGFzc3dvcmQtMQ=="; // 1c:exchange-password-1
    onec.insert(header::AUTHORIZATION, basic.parse().unwrap());
    let auth = "/1c_exchange?type=sale&mode=checkauth";
    let session = panel.send("GET", auth, onec.clone(), "").await.body;
    let cookie = session.lines().skip(1).take(2).collect::<Vec<_>>().join("=");
    onec.insert(header::COOKIE, cookie.parse().unwrap());
    panel.send("GET", "/1c_exchange?type=sale&mode=query", onec, "").await.body
}

#[tokio::test]
async fn a_price_that_the_catalogue_lacks_is_given_by_a_manager_and_lets_the_order_go_to_1c() {
    let mut config = Config::default();
    config.onec.exchange.username = Some("1c".to_owned());
    config.onec.exchange.password = Some(Secret::new("exchange-password-1"));
    let (panel, maria) = panel_with(config).await;
    let edit = "/admin/orders/1042/edit";
    let priceless = |tx: &rusqlite::Transaction<'_>| {
        tx.execute("delete from prices where product_id = 2", [])?;
        Ok::<_, StorageError>(())
    };
    panel.desk.base.db.write_blocking(priceless).unwrap();
    let early = format!("{}&act=price&line=1&price=5", token(&panel));
    let early = post(&panel, &maria, edit, &early).await;
    assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY, "no product has no price");
    let pick = format!("{}&product=2", token(&panel));
    post(&panel, &maria, "/admin/orders/1042/lines/1", &pick).await;
    let count = format!("{}&act=quantity&line=1&quantity=3", token(&panel));
    post(&panel, &maria, edit, &count).await;
    let accept = format!("{}&status=accepted", token(&panel));
    post(&panel, &maria, "/admin/orders/1042/status", &accept).await;
    let shown = page(&panel, &maria, "/admin/orders/1042").await;
    for words in ["без цены: 1", "указать цену", "нет цены: позиция 1"]
    {
        assert!(shown.contains(words), "no «{words}» in {shown}");
    }
    assert!(!offered(&panel).await.contains("PM-1042"));

    for wrong in ["", "0", "-5", "дорого", "1000000000"] {
        let fields = format!("{}&act=price&line=1&price={}", token(&panel), percent(wrong));
        let refused = post(&panel, &maria, edit, &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    let told_before = told(&panel);
    let old = token(&panel);
    let give = format!("{old}&act=price&line=1&price={}", percent("1 250,55 ₽"));
    let given = post(&panel, &maria, edit, &give).await;
    assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.body);
    let late = format!("{old}&act=price&line=1&price=9");
    assert_eq!(post(&panel, &maria, edit, &late).await.status, StatusCode::CONFLICT);
    let finer = format!("{}&act=price&line=2&price=0,8125", token(&panel));
    post(&panel, &maria, edit, &finer).await;
    let sums = "select group_concat(sum_kopecks, ' ') from
        (select sum_kopecks from order_lines where order_id = 1 order by position)";
    assert_eq!(panel.text(sums), "375165 325000");
    assert_eq!(panel.count("select total_kopecks from orders where id = 1"), 375_165 + 325_000);
    let shown = page(&panel, &maria, "/admin/orders/1042").await;
    for words in [
        "Позиция 1: цена — → 1\u{a0}250,55\u{a0}₽",
        "Позиция 2: цена 0,85\u{a0}₽ → 0,8125\u{a0}₽",
        "– «Саморез 4×25 жёлтый»: цена 0,85\u{a0}₽ → 0,8125\u{a0}₽",
        "Сумма: 7\u{a0}001,65\u{a0}₽",
    ] {
        assert!(shown.contains(words), "no «{words}» in {shown}");
    }
    assert!(!shown.contains("нет цены"), "{shown}");
    assert_eq!(told(&panel), told_before, "the client is told when it is sent");
    let theirs = panel.desk.ordering.own_order(&anna(), OrderId(1)).await.unwrap();
    assert_eq!(theirs.lines[1].price, Some(Price::each(Money::from_kopecks(85))));
    let offered = offered(&panel).await;
    assert!(offered.contains("PM-1042") && offered.contains("3751.65"), "{offered}");
    post(&panel, &maria, edit, &format!("{}&act=send", token(&panel))).await;
    assert!(told(&panel) > told_before);

    // Who sees no prices is told of none: then there is nothing to tell.
    let unverified = |tx: &rusqlite::Transaction<'_>| {
        tx.execute("update organizations set verified = 0", [])?;
        Ok::<_, StorageError>(())
    };
    panel.desk.base.db.write_blocking(unverified).unwrap();
    let again = format!("{}&act=price&line=1&price=1300", token(&panel));
    post(&panel, &maria, edit, &again).await;
    assert_eq!(panel.count("select price_amount_kopecks from order_lines where id = 1"), 130_000);
    let shown = page(&panel, &maria, "/admin/orders/1042").await;
    assert!(!shown.contains("Клиент ещё не знает"), "{shown}");
}

#[tokio::test]
async fn what_a_client_wrote_about_an_order_wants_attention_until_it_is_answered() {
    let (panel, maria) = panel().await;
    let asks = async |text: &str, key: &str| {
        panel.desk.ordering.ask_manager(&anna(), OrderId(1), text, key).await.unwrap();
    };
    let attention = async || {
        let today = page(&panel, &maria, "/admin").await;
        let (_, after) = today.split_once("id=\"attention\"").unwrap();
        after.split("</section>").next().unwrap().to_owned()
    };
    assert!(!attention().await.contains("Сообщение клиента"));
    let long = format!("Когда привезёте? {}", "Очень ждём. ".repeat(30));
    asks(&long, "first").await;
    panel.desk.base.clock.advance(Duration::from_mins(50));
    asks("И ещё вопрос", "second").await;
    let shown = attention().await;
    for words in [
        "Сообщение клиента, всего 2: «Когда привезёте?",
        "Ждёт ответа 50\u{a0}мин",
        "href=\"/admin/orders/1042#composer\"",
    ] {
        assert!(shown.contains(words), "no «{words}» in {shown}");
    }
    assert!(!shown.contains("И ещё вопрос") && shown.len() < 3_000, "{shown}");
    let messages = "/admin/orders/1042/messages";
    post(&panel, &maria, messages, "kind=client&text=%D0%97%D0%B0%D0%B2%D1%82%D1%80%D0%B0").await;
    assert!(!attention().await.contains("Сообщение клиента"));
    asks("А во сколько?", "third").await;
    assert!(attention().await.contains("Сообщение клиента: «А во сколько?»"));
    post(&panel, &maria, messages, "kind=note&text=call").await;
    assert!(!attention().await.contains("Сообщение клиента"), "they were called");
}

#[tokio::test]
async fn a_file_of_an_order_is_sent_once_listed_and_taken_safely() {
    let (panel, maria) = panel().await;
    let path = "/admin/orders/1042/files";
    let form = [("key", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"), ("caption", "<b>до пятницы</b>")];
    let html = &b"<script>alert(1)</script>"[..];
    for _ in 0..3 {
        let sent = panel.upload(path, &maria, &form, Some(("../сч\u{451}т<17>.html", html))).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
        assert_eq!(sent.headers[header::LOCATION], "/admin/orders/1042#documents-title");
    }
    assert_eq!(panel.count("select count(*) from files"), 1, "the same form three times");
    assert_eq!(told(&panel), 1, "the client is told at once");
    let shown = page(&panel, &maria, "/admin/orders/1042").await;
    assert!(shown.contains("Файл «счёт&lt;17&gt;.html»"), "{shown}");
    assert!(shown.contains("&lt;b&gt;до пятницы"), "{shown}");
    let entry = panel.count("select id from order_events where attachment is not null");
    let one = format!("{path}/{entry}");
    assert!(shown.contains(&format!("href=\"{one}\"")), "{shown}");
    let taken = panel.send("GET", &one, maria.clone(), "").await;
    assert_eq!((taken.status, taken.body.as_bytes()), (StatusCode::OK, html));
    assert_eq!(taken.headers[header::CONTENT_TYPE], "application/octet-stream");
    assert_eq!(taken.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let disposition = taken.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    let coded = percent("счёт<17>.html");
    assert_eq!(disposition, format!("attachment; filename*=UTF-8''{coded}"));
    for absent in ["/admin/orders/1042/files/1", "/admin/orders/1042/files/999"] {
        let answer = panel.send("GET", absent, maria.clone(), "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{absent}");
    }
    let anonymous = panel.send("GET", &one, HeaderMap::new(), "").await;
    assert_eq!(anonymous.status, StatusCode::SEE_OTHER, "to the sign-in");
    for refused in [None, Some(("пусто.pdf", &b""[..]))] {
        let answer = panel.upload(path, &maria, &[], refused).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
    }
    let large = vec![b'x'; 20 * 1024 * 1024 + 1];
    let answer = panel.upload(path, &maria, &[], Some(("большой.pdf", &large))).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("больше 20\u{a0}МБ"), "{}", answer.body);
    assert_eq!(panel.count("select count(*) from files"), 1);

    // What only Telegram keeps comes to one's own chat there, where one has such a chat.
    let theirs = |tx: &rusqlite::Transaction<'_>| {
        Ok::<_, StorageError>(tx.execute_batch(
            "insert into order_events (id, order_id, at_ms, channel, person_id, kind, text, attachment)
             values (900, 1, 1795518000001, 'bot', 1, 'message', 'Фото', '{\"chat\":\"tg:7\",\"message_id\":5,\"file\":null}')",
        )?)
    };
    panel.desk.base.db.write_blocking(theirs).unwrap();
    let shown = page(&panel, &maria, "/admin/orders/1042").await;
    assert!(shown.contains("Прислать файл мне в Telegram"), "{shown}");
    let mine = format!("{path}/900");
    assert_eq!(post(&panel, &maria, &mine, "").await.status, StatusCode::CONFLICT, "no chat");
    let chat = |tx: &rusqlite::Transaction<'_>| {
        let sql = "insert into chats (key, person_id) values ('tg:8', 2)";
        Ok::<_, StorageError>(tx.execute_batch(sql)?)
    };
    panel.desk.base.db.write_blocking(chat).unwrap();
    assert_eq!(post(&panel, &maria, &mine, "").await.status, StatusCode::SEE_OTHER);
    let copies = "select count(*) from outbox where chat_key = 'tg:8' and payload like '%copy%'";
    assert_eq!(panel.count(copies), 1);
}

fn anna() -> Party {
    Party {
        chat: ChatKey::Web("anna".to_owned()),
        person: Some(PersonId(1)),
        organization: Some(OrganizationId(1)),
        may_send: true,
        sees_prices: true,
        for_client: false,
    }
}

#[tokio::test]
async fn what_was_changed_and_changed_back_is_no_change() {
    let (panel, maria) = panel().await;
    for quantity in ["7", "4000"] {
        let fields = format!("{}&act=quantity&line=2&quantity={quantity}", token(&panel));
        post(&panel, &maria, "/admin/orders/1042/edit", &fields).await;
    }
    let shown = page(&panel, &maria, "/admin/orders/1042").await;
    assert!(!shown.contains("Клиент ещё не знает"), "{shown}");
    let wrong = format!("{}&act=quantity&line=2&quantity=x", token(&panel));
    let refused = post(&panel, &maria, "/admin/orders/1042/edit", &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let foreign = format!("{}&act=quantity&line=999&quantity=1", token(&panel));
    let refused = post(&panel, &maria, "/admin/orders/1042/edit", &foreign).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_status_is_told_after_ten_seconds_and_can_be_taken_back_until_then() {
    let (panel, maria) = panel().await;
    let queued = "select count(*) from outbox where dedup_key like 'later:%' and state = 'queued'";
    let accept = format!("{}&status=accepted", token(&panel));
    post(&panel, &maria, "/admin/orders/1042/status", &accept).await;
    assert!(panel.count(queued) > 0);
    let wait = "select min(due_at_ms) from outbox where dedup_key like 'later:%'";
    assert_eq!(panel.count(wait) - panel.desk.base.clock.now().millis(), 10_000);
    let shown = page(&panel, &maria, "/admin/orders/1042").await;
    assert!(shown.contains("Сохранено: Новая → Принята"), "{shown}");
    let admin = panel.sign_in().await;
    let foreign = post(&panel, &admin, "/admin/orders/1042/undo", "").await;
    assert_eq!(foreign.status, StatusCode::CONFLICT, "another one's change");
    post(&panel, &maria, "/admin/orders/1042/undo", "").await;
    assert_eq!(panel.count(queued), 0, "nobody hears of it");
    assert_eq!(panel.count("select count(*) from orders where status = 'new'"), 1);
    assert_eq!(panel.count("select count(*) from orders where manager_id is null"), 1);

    let accept = format!("{}&status=accepted", token(&panel));
    post(&panel, &maria, "/admin/orders/1042/status", &accept).await;
    panel.desk.base.clock.advance(Duration::from_secs(10));
    let late = post(&panel, &maria, "/admin/orders/1042/undo", "").await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert_eq!(panel.count("select count(*) from orders where status = 'accepted'"), 1);
}

#[tokio::test]
async fn an_edit_is_taken_back_to_the_very_lines() {
    let (panel, maria) = panel().await;
    let lines = "select count(*) * 1000000 + sum(id) * 1000 + sum(position) from order_lines";
    let before = (panel.count(lines), panel.count("select total_kopecks from orders"));
    let remove = format!("{}&act=remove&line=1", token(&panel));
    post(&panel, &maria, "/admin/orders/1042/edit", &remove).await;
    assert_ne!(panel.count(lines), before.0);
    post(&panel, &maria, "/admin/orders/1042/undo", "").await;
    assert_eq!((panel.count(lines), panel.count("select total_kopecks from orders")), before);
    assert_eq!(panel.count("select count(*) from orders where shown is not null"), 0);
}

#[tokio::test]
async fn a_form_over_an_older_order_comes_back_and_overwrites_nothing() {
    let (panel, maria) = panel().await;
    let admin = panel.sign_in().await;
    let old = token(&panel);
    let theirs = format!("{old}&act=quantity&line=2&quantity=500");
    post(&panel, &admin, "/admin/orders/1042/edit", &theirs).await;
    let mine = format!("{old}&act=quantity&line=2&quantity=700");
    let answer = post(&panel, &maria, "/admin/orders/1042/edit", &mine).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    for words in [
        "Заказ изменён только что: Администратор",
        "Показать отличия",
        "Позиция 2: 4\u{a0}000\u{a0}шт → 500\u{a0}шт",
        "Взять чужой вариант",
        "Сохранить мой",
        "name=\"quantity\" value=\"700\"",
    ] {
        assert!(answer.body.contains(words), "no «{words}» in {}", answer.body);
    }
    let quantity = "select quantity_thousandths from order_lines where id = 2";
    assert_eq!(panel.count(quantity), 500_000, "theirs stands");
    let version = Panel::field(&answer.body, "version");
    let insisted = format!("version={version}&act=quantity&line=2&quantity=700");
    post(&panel, &maria, "/admin/orders/1042/edit", &insisted).await;
    assert_eq!(panel.count(quantity), 700_000, "mine, once I have seen theirs");
}

#[tokio::test]
async fn an_order_is_taken_once_and_as_it_was_seen() {
    let (panel, maria) = panel().await;
    let admin = panel.sign_in().await;
    let seen = token(&panel);
    let theirs = format!("{seen}&act=quantity&line=2&quantity=500");
    post(&panel, &maria, "/admin/orders/1042/edit", &theirs).await;
    let stale = format!("{seen}&status=accepted");
    let answer = post(&panel, &admin, "/admin/orders/1042/status", &stale).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
    let accepted = "select count(*) from orders where status = 'accepted'";
    assert_eq!(panel.count(accepted), 0, "not what they had seen");

    let accept = format!("{}&status=accepted", token(&panel));
    post(&panel, &admin, "/admin/orders/1042/status", &accept).await;
    assert_eq!(panel.count(accepted), 1);
    let second = format!("{}&status=accepted", token(&panel));
    let answer = post(&panel, &maria, "/admin/orders/1042/status", &second).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.body.contains("Заявка уже в работе"), "{}", answer.body);
}

#[tokio::test]
async fn a_product_is_found_chosen_remembered_or_offered() {
    let (panel, maria) = panel().await;
    let find = format!("/admin/orders/1042/options/1?find={}", percent("молния"));
    let options = page(&panel, &maria, &find).await;
    assert!(options.contains("Молния рул. Т5") && !options.contains("<html"), "{options}");
    let told_before = told(&panel);
    let offer = format!("{}&propose=2", token(&panel));
    post(&panel, &maria, "/admin/orders/1042/lines/1", &offer).await;
    assert!(told(&panel) > told_before, "the client is asked");
    assert_eq!(panel.count("select count(*) from proposals where product_id = 2"), 1);
    assert_eq!(panel.count("select count(*) from order_lines where product_id = 2"), 0);
    let pick = format!("{}&product=2&remember=1", token(&panel));
    post(&panel, &maria, "/admin/orders/1042/lines/1", &pick).await;
    assert_eq!(panel.count("select count(*) from order_lines where product_id = 2"), 1);
    assert_eq!(panel.count("select count(*) from learnt_phrases where phrase = 'саморез'"), 1);
    let sheet = page(&panel, &maria, "/admin/orders/1042/print").await;
    assert!(sheet.contains("Лист сборки") && sheet.contains("00-2201"), "{sheet}");
}

#[tokio::test]
async fn what_a_manager_puts_right_is_not_offered_for_these_words_again() {
    let (panel, maria) = panel().await;
    let words = percent("саморез 4х25 жёлтый 4000");
    let tried = format!("/admin/search?text={words}&organization=1");
    assert!(page(&panel, &maria, &tried).await.contains("Саморез 4×25 жёлтый"));
    let pick = format!("{}&product=3&remember=1", token(&panel));
    post(&panel, &maria, "/admin/orders/1042/lines/2", &pick).await;
    assert_eq!(panel.count("select product_id from order_lines where id = 2"), 3);
    let answer = page(&panel, &maria, &tried).await;
    assert!(answer.contains("Молния рул. Т7 чёрная 100 м"), "{answer}");
    assert!(!answer.contains("Саморез 4×25 жёлтый"), "{answer}");
    // Nobody else's words have changed.
    let other = page(&panel, &maria, &format!("/admin/search?text={words}&organization=")).await;
    assert!(other.contains("Саморез 4×25 жёлтый"), "{other}");
}

#[tokio::test]
async fn many_orders_change_at_once_and_each_answers_for_itself() {
    let (panel, maria) = panel().await;
    panel
        .desk
        .base
        .db
        .write_blocking(|tx| {
            Ok::<_, StorageError>(tx.execute_batch(
                "insert into orders (id, number, uuid, organization_id, author_id, status, source, total_kopecks, created_at_ms, updated_at_ms) values
                    (2, 1041, 'u2', 1, 1, 'shipped', 'panel', 500000, 1795518000001, 1795518000001),
                    (3, 1040, 'u3', 1, 1, 'accepted', 'onec', 9900, 1795518000002, 1795518000002);",
            )?)
        })
        .unwrap();
    let bulk = "/admin/orders/bulk";
    let answer = post(&panel, &maria, bulk, "act=status&status=accepted&order=1&order=2").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("Обновлено 1, пропущено 1"), "{}", answer.body);
    assert!(answer.body.contains("№\u{a0}1041") && answer.body.contains("уже «Отгружена»"));
    let skipping = post(&panel, &maria, bulk, "act=status&status=done&order=1&order=3").await;
    assert!(skipping.body.contains("Обновлено 0, пропущено 2"), "{}", skipping.body);
    assert!(skipping.body.contains("сейчас «Принята», дальше можно: «Собирается», «Готова»"));
    for status in ["", "draft", "approval", "new", "cancelled", "rejected"] {
        let fields = format!("act=status&status={status}&order=1&order=3");
        let refused = post(&panel, &maria, bulk, &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{status}: {}", refused.body);
    }
    let list = page(&panel, &maria, "/admin/orders?view=all").await;
    let (_, choices) = list.split_once("aria-label=\"Новый статус\">").unwrap();
    let (choices, _) = choices.split_once("</select>").unwrap();
    let first = "<option value=\"\">Статус</option><option value=\"needs_client\">";
    assert!(choices.starts_with(first) && !choices.contains("Черновик"), "{choices}");
    let all = "act=manager&manager=2&all=1&back=%2Fadmin%2Forders%3Fview%3Dall%26sum_from%3D1000";
    let answer = post(&panel, &maria, bulk, all).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let to = answer.headers[header::LOCATION].to_str().unwrap();
    assert_eq!(to, "/admin/orders?view=all&sum_from=1000&done=2");
    assert_eq!(panel.count("select count(*) from orders where manager_id = 2"), 2);
    let again = post(&panel, &maria, bulk, "act=onec&order=1").await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    let boss = panel.sign_in_as("+79000000003").await;
    let taken = "update orders set onec_acknowledged_at_ms = 1 where id = 1";
    let write = |tx: &rusqlite::Transaction<'_>| Ok::<_, StorageError>(tx.execute_batch(taken)?);
    panel.desk.base.db.write_blocking(write).unwrap();
    let again = post(&panel, &boss, bulk, "act=onec&order=1&order=2").await;
    assert!(again.body.contains("Обновлено 1, пропущено 1"), "{}", again.body);
    assert!(again.body.contains("он и так в очереди"));
    assert_eq!(panel.count("select count(*) from orders where onec_acknowledged_at_ms is null"), 3);
    let none = post(&panel, &maria, bulk, "act=status&status=accepted").await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);

    let listed = |query: &'static str| {
        let (panel, maria) = (&panel, &maria);
        async move {
            let csv = page(panel, maria, &format!("/admin/orders/export/csv?{query}")).await;
            let numbers = csv.lines().skip(1).filter_map(|row| row.split(';').next());
            numbers.map(str::to_owned).collect::<Vec<_>>().join(" ")
        }
    };
    assert_eq!(listed("view=all").await, "1040 1041 1042");
    assert_eq!(listed("view=all&sort=dearest").await, "1041 1042 1040");
    assert_eq!(listed("status=shipped&status=accepted&sum_from=100").await, "1041 1042");
    assert_eq!(listed("source=onec").await, "1040");
    assert_eq!(listed("manager=none").await, "1040");
    assert_eq!(listed("unresolved=1").await, "1042");
    assert_eq!(listed("product=00-1234").await, "1042");
    assert_eq!(listed("onec=yes").await, "");
    assert_eq!(listed("created_from=2026-11-24&created_to=2026-11-24").await, "1040 1041 1042");
    assert_eq!(listed("created_from=2026-11-25").await, "");
    let list = page(&panel, &maria, "/admin/orders?view=all&sum_from=1000").await;
    assert!(list.contains("Всего по фильтру: 2\u{a0}заказа"), "{list}");
    assert!(list.contains("8\u{a0}400,00\u{a0}₽"), "{list}");
}

#[tokio::test]
async fn a_quantity_that_is_not_what_was_meant_is_refused_with_its_reason() {
    let (panel, maria) = panel().await;
    let edit = "/admin/orders/1042/edit";
    for (fields, why) in [
        ("act=quantity&line=2&quantity=-1", "меньше нуля"),
        ("act=quantity&line=2&quantity=%E2%88%921", "меньше нуля"),
        ("act=quantity&line=2&quantity=2,55555", "не больше трёх знаков"),
        ("act=quantity&line=2&quantity=2,5&unit=%D1%88%D1%82", "шт на части не делится"),
        ("act=quantity&line=2&quantity=abc", "не количество"),
        ("act=quantity&line=2&quantity=0", "не количество"),
        ("act=add&product=2&quantity=1,5", "рул на части не делится"),
        ("act=add&product=2&quantity=-3", "меньше нуля"),
        ("act=split&line=2&quantity=0,5", "шт на части не делится"),
        ("act=split&line=2&quantity=4000", "в позиции всего 4\u{a0}000\u{a0}шт"),
        ("act=split&line=2&quantity=5000", "Отделить 5\u{a0}000\u{a0}шт нельзя"),
        ("act=split&line=2&quantity=2+%D0%BA%D0%BE%D1%80", "Позиция в «шт»"),
    ] {
        let answer = post(&panel, &maria, edit, &format!("{}&{fields}", token(&panel))).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields}");
        assert!(answer.body.contains(why), "{fields}: no «{why}» in {}", answer.body);
    }
    assert_eq!(
        panel.count("select sum(quantity_thousandths) from order_lines where id = 2"),
        4_000_000
    );
    assert_eq!(panel.count("select count(*) from order_lines where order_id = 1"), 2);
}

#[tokio::test]
async fn a_status_says_that_changes_go_along_with_it() {
    let (panel, maria) = panel().await;
    post(
        &panel,
        &maria,
        "/admin/orders/1042/status",
        &format!("{}&status=accepted", token(&panel)),
    )
    .await;
    let order = "/admin/orders/1042";
    let along = "Вместе с новым статусом клиенту уйдут и";
    let shown = page(&panel, &maria, order).await;
    assert!(!shown.contains(along), "nothing has changed: {shown}");
    let fewer = format!("{}&act=quantity&line=2&quantity=3000", token(&panel));
    post(&panel, &maria, "/admin/orders/1042/edit", &fewer).await;
    let shown = page(&panel, &maria, order).await;
    assert!(shown.contains(along), "{shown}");
    assert!(shown.contains("Статус: Собирается. С ним клиенту уйдут изменения заказа"), "{shown}");
    assert!(!shown.contains("Статус: Отменена. С ним"), "a parting tells no changes: {shown}");
    post(&panel, &maria, "/admin/orders/1042/status", &format!("{}&status=picking", token(&panel)))
        .await;
    let shown = page(&panel, &maria, order).await;
    assert!(shown.contains("Изменения заказа уйдут клиенту вместе со статусом"), "{shown}");
    assert!(!shown.contains(along), "they are on their way: {shown}");
}

#[tokio::test]
async fn the_total_says_how_many_lines_it_is_without() {
    let (panel, maria) = panel().await;
    let shown = page(&panel, &maria, "/admin/orders/1042").await;
    assert!(
        shown.contains("Итого<span class=\"muted\">, кроме 1\u{a0}позиции без суммы"),
        "{shown}"
    );
    let (_, choice) = shown.split_once("<tr class=\"choosing\" data-open>").unwrap();
    assert!(choice.starts_with("<td class=\"p0\"></td><td colspan=\"5\">"), "{choice}");
    let pick = format!("{}&product=2", token(&panel));
    post(&panel, &maria, "/admin/orders/1042/lines/1", &pick).await;
    let count = format!("{}&act=quantity&line=1&quantity=3", token(&panel));
    post(&panel, &maria, "/admin/orders/1042/edit", &count).await;
    let shown = page(&panel, &maria, "/admin/orders/1042").await;
    assert!(shown.contains("<td colspan=\"4\">Итого</td>"), "{shown}");
}

#[tokio::test]
async fn what_a_person_chose_was_not_recognised_by_itself() {
    let (panel, maria) = panel().await;
    let more = "
        insert into order_lines (order_id, position, raw, state, product_id, title, quantity_thousandths, base_quantity_thousandths, base_unit)
            select 1, n, 'саморез', 'ok', 1, 'Саморез 4×25 жёлтый', 1000, 1000, 'шт'
            from (select 3 as n union select 4 union select 5)";
    let write = |tx: &rusqlite::Transaction<'_>| Ok::<_, StorageError>(tx.execute_batch(more)?);
    panel.desk.base.db.write_blocking(write).unwrap();
    let shares = async || {
        let today = page(&panel, &maria, "/admin").await;
        let (_, after) = today.split_once("Распознано само</dt><dd>").unwrap();
        after.split_once("</dd>").unwrap().0.to_owned()
    };
    assert_eq!(shares().await, "80\u{a0}%");
    let pick = format!("{}&product=2", token(&panel));
    post(&panel, &maria, "/admin/orders/1042/lines/1", &pick).await;
    let count = format!("{}&act=quantity&line=1&quantity=3", token(&panel));
    post(&panel, &maria, "/admin/orders/1042/edit", &count).await;
    assert_eq!(panel.count("select count(*) from order_lines where state <> 'ok'"), 0);
    assert_eq!(shares().await, "80\u{a0}%");
    let put_right = format!("{}&product=3", token(&panel));
    post(&panel, &maria, "/admin/orders/1042/lines/2", &put_right).await;
    assert_eq!(shares().await, "60\u{a0}%");
    let add = format!("{}&act=add&product=2&quantity=1", token(&panel));
    post(&panel, &maria, "/admin/orders/1042/edit", &add).await;
    assert_eq!(shares().await, "60\u{a0}%", "nobody has written the words of this one");
}

#[tokio::test]
async fn an_order_for_a_client_is_shown_first_and_made_once() {
    let (panel, maria) = panel().await;
    let new = page(&panel, &maria, "/admin/orders/new?organization=1").await;
    let key = Panel::field(&new, "key");
    let text = "саморез 4х25 жёлтый 4000\nмолния чёрная 2";
    let form = [("organization", "1"), ("key", key.as_str()), ("text", text), ("act", "check")];
    let checked = panel.upload("/admin/orders/new", &maria, &form, None).await;
    assert!(checked.body.contains("Распознано: 2\u{a0}позиции"), "{}", checked.body);
    assert_eq!(panel.count("select count(*) from orders"), 1, "nothing is made yet");
    let form = [("organization", "1"), ("key", key.as_str()), ("text", text), ("act", "create")];
    for _ in 0..5 {
        let made = panel.upload("/admin/orders/new", &maria, &form, None).await;
        assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    }
    assert_eq!(panel.count("select count(*) from orders"), 2, "five times the same form");
    assert_eq!(panel.count("select count(*) from orders where placed_by = 2 and author_id = 1"), 1);
    assert!(told(&panel) > 0, "the client is told");
    let csv = "Товар;Кол-во\nсаморез 4х25 жёлтый;500\n".as_bytes();
    let form = [("organization", "1"), ("act", "check")];
    let file = Some(("заявка.csv", csv));
    let checked = panel.upload("/admin/orders/new", &maria, &form, file).await;
    assert!(checked.body.contains("Распознано: 1\u{a0}позиция"), "{}", checked.body);
    let picture = Some(("x.png", &b"\x89PNG\r\n\x1a\n\0"[..]));
    let refused = panel.upload("/admin/orders/new", &maria, &form, picture).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_link_from_the_bot_opens_the_panel_once_and_after_a_tap() {
    let (panel, maria) = panel().await;
    let link = panel.desk.accounts.panel_link(PersonId(2)).await.unwrap();
    let path = format!("/admin/enter/{}", link.expose());
    let look = panel.send("GET", &path, HeaderMap::new(), "").await;
    assert_eq!(look.status, StatusCode::OK);
    let visit = look.headers[header::SET_COOKIE].to_str().unwrap();
    let mut visitor = HeaderMap::new();
    visitor.insert(header::COOKIE, visit.split(';').next().unwrap().parse().unwrap());
    let fields = format!("csrf={}", Panel::field(&look.body, "csrf"));
    let entered = panel.send("POST", &path, visitor.clone(), &fields).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
    assert!(entered.headers[header::SET_COOKIE].to_str().unwrap().starts_with("session="));
    let again = panel.send("POST", &path, visitor, &fields).await;
    assert_eq!(again.status, StatusCode::GONE);

    let sessions = page(&panel, &maria, "/admin/sessions").await;
    assert!(sessions.contains("Завершить"), "{sessions}");
    post(&panel, &maria, "/admin/sessions", "id=others").await;
    assert_eq!(panel.count("select count(*) from sessions where person_id = 2"), 1);
}
