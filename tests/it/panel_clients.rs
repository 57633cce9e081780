//! Clients, people, goods and the bench in the panel.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use partner_m::domain::ChatKey;
use partner_m::storage::StorageError;

use crate::support::panel::{Answer, Panel};

async fn panel(sql: &'static str) -> (Panel, HeaderMap) {
    let panel = Panel::start().await;
    panel.desk.base.db.write_blocking(|tx| Ok::<_, StorageError>(tx.execute_batch(sql)?)).unwrap();
    let admin = panel.sign_in().await;
    (panel, admin)
}

async fn post(panel: &Panel, who: &HeaderMap, path: &str, fields: &str) -> Answer {
    let token = panel.token(who).await;
    panel.send("POST", path, who.clone(), &format!("csrf={token}&{fields}")).await
}

#[tokio::test]
async fn a_name_that_a_client_is_known_by_is_switched_off_on_and_forgotten() {
    let (panel, _) = panel("").await;
    let maria = panel.sign_in_as("%2B79000000002").await;
    let (path, tab) = ("/admin/clients/1", "/admin/clients/1?tab=words");
    let look = async || panel.send("GET", tab, maria.clone(), "").await.body;
    let tried = "/admin/search?text=%D1%88%D0%BF%D1%83%D0%BD%D1%8C%D0%BA%D0%B0%2050&organization=1";
    let find = format!("{tried}&at=0&find=%D1%81%D0%B0%D0%BC%D0%BE%D1%80%D0%B5%D0%B7");
    let found = panel.send("GET", &find, maria.clone(), "").await.body;
    let phrase = Panel::field(&found, "phrase");
    let lesson = format!("phrase={phrase}&product=1&scope=client&organization=1&text=x");
    post(&panel, &maria, "/admin/search/teach", &lesson).await;
    let known = async || {
        let answer = panel.send("GET", tried, maria.clone(), "").await.body;
        answer.contains("Саморез 4×25 жёлтый")
    };
    let shown = look().await;
    assert!(shown.contains("Выключить") && known().await, "{shown}");
    let value = Panel::field(&shown, "value");
    let fields = format!("act=phrase-off&value={value}");
    let absent = post(&panel, &maria, "/admin/clients/999", &fields).await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
    let foreign = post(&panel, &maria, path, "act=phrase-off&value=1%20never").await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND, "what was never learnt is not made up");
    let off = post(&panel, &maria, path, &fields).await;
    assert_eq!(off.headers[header::LOCATION], tab, "{}", off.body);
    let shown = look().await;
    assert!(shown.contains("выключено") && shown.contains("Включить"), "{shown}");
    assert!(!known().await, "the bot does not understand it so any more");
    post(&panel, &maria, path, &format!("act=phrase-on&value={value}")).await;
    assert!(known().await);
    post(&panel, &maria, path, &format!("act=phrase-forget&value={value}")).await;
    assert!(look().await.contains("Своих названий у клиента пока нет"));
    let journal = panel.send("GET", "/admin/clients/1?tab=journal", maria.clone(), "").await.body;
    for words in ["Название выключено", "Название включено", "Название забыто"]
    {
        assert!(
            journal.contains(words),
            "no «{words}» in {}",
            journal.split("<main").last().unwrap()
        );
    }
}

const TWIN: &str = "
    insert into organizations (id, kind, name, inn, created_at_ms) values (7, 'company', 'Диван М ООО', '6451000000', 1);
    insert into persons (id, name, phone, created_at_ms) values (70, 'Олег Петров', '+79000000070', 1);
    insert into members (organization_id, person_id, role, state, created_at_ms) values (7, 70, 'owner', 'active', 1);
    insert into orders (id, number, uuid, organization_id, author_id, status, source, created_at_ms, updated_at_ms)
        values (70, 1070, 'u70', 7, 70, 'new', 'bot', 1795518000000, 1795518000000);";

#[tokio::test]
async fn a_client_opens_on_every_tab_and_a_twin_is_joined_with_all_that_is_theirs() {
    let (panel, admin) = panel(TWIN).await;
    for (tab, words) in [
        ("", "Условия и доступ"),
        ("people", "Анна Иванова"),
        ("orders", "1042"),
        ("goods", "Покупок пока нет"),
        ("words", "Своих названий у клиента пока нет"),
        ("questions", "Клиент ничего не спрашивал"),
        ("journal", "ещё ничего не делали"),
    ] {
        let answer =
            panel.send("GET", &format!("/admin/clients/1?tab={tab}"), admin.clone(), "").await;
        assert!(answer.body.contains(words), "{tab}: {}", answer.body);
    }
    let preview = panel.send(
        "GET",
        "/admin/clients/7?merge=%D0%B4%D0%B8%D0%B2%D0%B0%D0%BD",
        admin.clone(),
        "",
    );
    let preview = preview.await.body;
    assert!(preview.contains("людей 1, заказов 1"), "{preview}");
    let maria = panel.sign_in_as("%2B79000000002").await;
    let refused = post(&panel, &maria, "/admin/clients/7", "act=merge&value=1").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "a manager does not join clients");
    assert!(refused.body.contains("объединять клиентов"), "the right is named: {}", refused.body);
    let joined = post(&panel, &admin, "/admin/clients/7", "act=merge&value=1").await;
    assert_eq!(joined.headers[header::LOCATION], "/admin/clients/1");
    assert_eq!(panel.count("select count(*) from organizations where id = 7"), 0);
    assert_eq!(panel.count("select count(*) from orders where organization_id = 1"), 2);
    assert_eq!(
        panel.count("select count(*) from members where organization_id = 1 and person_id = 70"),
        1
    );
    let journal = panel.send("GET", "/admin/clients/1?tab=journal", admin, "").await;
    assert!(journal.body.contains("Присоединён дубль: Диван М ООО"), "{}", journal.body);
}

#[tokio::test]
async fn a_reset_person_signs_in_anew() {
    let (panel, admin) = panel("").await;
    let maria = panel.sign_in_as("%2B79000000002").await;
    let card = panel.send("GET", "/admin/people/2", admin.clone(), "").await;
    assert!(card.body.contains("Сбросить доступ"), "{}", card.body);
    let done = post(&panel, &admin, "/admin/people/2", "act=reset").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let out = panel.send("GET", "/admin", maria, "").await;
    assert_eq!(out.status, StatusCode::SEE_OTHER, "the session is over");
    assert_eq!(
        panel.count("select count(*) from persons where id = 2 and password_hash is null"),
        1
    );
}

#[tokio::test]
async fn clients_by_file_are_tried_and_stored_alike() {
    let (panel, admin) = panel("").await;
    let csv = "Организация;ИНН;ФИО;Телефон\nООО «Ткани»;6450111111;Пётр;8 900 000-00-55\n;;Никто;+7 900 000-00-56\nООО «Ткани»;6450111111;Без номера;нет\n";
    let file = || Some(("клиенты.csv", csv.as_bytes()));
    let figures = |body: &str| {
        let found =
            body.split("<dd>").skip(1).map(|part| part.split('<').next().unwrap().to_owned());
        found.collect::<Vec<_>>()
    };
    let tried = panel.upload("/admin/clients/import", &admin, &[("act", "check")], file()).await;
    assert!(tried.body.contains("пока ничего не записано"), "{}", tried.body);
    assert!(tried.body.contains("строка 3: организация без названия"), "{}", tried.body);
    assert_eq!(panel.count("select count(*) from organizations where inn = '6450111111'"), 0);
    let stored = panel.upload("/admin/clients/import", &admin, &[("act", "load")], file()).await;
    assert_eq!(figures(&tried.body), figures(&stored.body));
    assert_eq!(panel.count("select count(*) from organizations where inn = '6450111111'"), 1);
    let export = panel.send("GET", "/admin/clients/export/csv", admin, "").await;
    assert!(export.body.contains("ООО «Ткани»;6450111111"), "{}", export.body);
}

#[tokio::test]
async fn gaps_are_listed_until_they_are_not_ours() {
    let (panel, admin) = panel(
        "insert into drafts (id, chat_key, person_id, organization_id, state, created_at_ms, updated_at_ms)
            values (1, 'web:anna', 1, 1, 'sent', 1795518000000, 1795518000000);
         insert into draft_lines (draft_id, position, raw, phrase, state) values
            (1, 1, 'лампочка 5', 'лампочка', 'none'), (1, 2, 'лампочка 60вт', 'лампочка', 'manager');",
    )
    .await;
    let page = panel.send("GET", "/admin/search/gaps", admin.clone(), "").await.body;
    assert!(page.contains("«лампочка»") && page.contains("2\u{a0}раза"), "{page}");
    let log = panel.send("GET", "/admin/search/log?state=none", admin.clone(), "").await.body;
    assert!(log.contains("лампочка 5") && !log.contains("60вт"), "{log}");
    let fields = "phrase=%D0%BB%D0%B0%D0%BC%D0%BF%D0%BE%D1%87%D0%BA%D0%B0";
    post(&panel, &admin, "/admin/search/gaps", fields).await;
    let page = panel.send("GET", "/admin/search/gaps", admin.clone(), "").await.body;
    assert!(!page.contains("«лампочка»"), "{page}");
    for (words, means) in [("a", "b"), ("b", "c")] {
        let fields = format!("words={words}&means={means}&organization=");
        let added = post(&panel, &admin, "/admin/synonyms", &fields).await;
        assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.body);
    }
    let circle = post(&panel, &admin, "/admin/synonyms", "words=c&means=a&organization=").await;
    assert_eq!(circle.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(circle.body.contains("в круг"), "{}", circle.body);
}

#[tokio::test]
async fn goods_are_hidden_together_and_shown_with_their_stock() {
    let (panel, admin) = panel(
        "insert into products (id, sku, title, unit, updated_at_ms) values (5, 'x5', 'Клей', 'шт', 1);
         insert into warehouses (id, name) values (1, 'Энгельс'), (2, 'Саратов');
         insert into stocks (product_id, warehouse_id, quantity_thousandths) values (5, 1, 7000), (5, 2, 3000);
         insert into categories (id, title) values (9, 'Химия');",
    )
    .await;
    let card = panel.send("GET", "/admin/catalog/products/5", admin.clone(), "").await.body;
    assert!(card.contains("Энгельс") && card.contains("7\u{a0}шт"), "{card}");
    let hide = post(&panel, &admin, "/admin/catalog/bulk", "act=hide&product=1&product=5").await;
    assert_eq!(hide.status, StatusCode::SEE_OTHER, "{}", hide.body);
    assert_eq!(panel.count("select count(*) from products where hidden = 1"), 2);
    let moved = "act=category&category=9&product=1&product=5";
    let moved = post(&panel, &admin, "/admin/catalog/bulk", moved).await;
    assert_eq!(moved.status, StatusCode::CONFLICT, "1C keeps the category of its own");
    assert!(moved.body.contains("Обновлено 1, пропущено 1"), "{}", moved.body);
    assert_eq!(panel.count("select count(*) from products where category_id = 9"), 1);
}

#[tokio::test]
async fn an_answer_shows_whether_it_has_arrived() {
    let (panel, admin) = panel(
        "insert into threads (id, organization_id, author_id, topic, subject, created_at_ms, updated_at_ms)
            values (1, 1, 1, 'stock', 'Когда будет поролон?', 1795518000000, 1795518000000);
         insert into thread_messages (thread_id, person_id, from_staff, text, at_ms)
            values (1, 1, 0, 'Когда будет поролон?', 1795518000000);",
    )
    .await;
    post(&panel, &admin, "/admin/questions/1/messages", "kind=client&text=x").await;
    let page = panel.send("GET", "/admin/questions/1", admin.clone(), "").await.body;
    assert!(page.contains("отправляется"), "{page}");
    for (state, words) in [("sent", "отправлено 14:00"), ("failed", "не доставлено")]
    {
        panel
            .desk
            .base
            .db
            .write_blocking(|tx| {
                let sql =
                    format!("update outbox set state = '{state}', closed_at_ms = 1795518000000");
                Ok::<_, StorageError>(tx.execute_batch(&sql)?)
            })
            .unwrap();
        let page = panel.send("GET", "/admin/questions/1", admin.clone(), "").await.body;
        assert!(page.contains(words), "{state}: {page}");
    }
    post(&panel, &admin, "/admin/questions/1", "act=assign&manager=2").await;
    assert_eq!(panel.count("select manager_id from threads"), 2);
}

#[tokio::test]
async fn a_person_is_seen_in_whatever_way_they_come() {
    let (panel, admin) = panel("update persons set seen_at_ms = null").await;
    let seen = async |id: u32| {
        let page = panel.send("GET", &format!("/admin/people/{id}"), admin.clone(), "").await.body;
        let (_, after) = page.split_once("Последний визит</dt><dd>").unwrap();
        after.split_once("</dd>").unwrap().0.to_owned()
    };
    assert_eq!(seen(1).await, "не было");
    let chat: ChatKey =
        panel.text("select key from chats where person_id = 1 limit 1").parse().unwrap();
    let write = async |key: &str| {
        let conversations = &panel.desk.conversations;
        conversations.accept(key.to_owned(), chat.clone(), "{}".to_owned()).await.unwrap();
    };
    write("tg:1").await;
    assert_eq!(seen(1).await, "только что");
    panel.desk.base.clock.advance(Duration::from_mins(7));
    assert_eq!(seen(1).await, "7\u{a0}мин назад");
    write("tg:1").await;
    assert_eq!(seen(1).await, "7\u{a0}мин назад", "a repeat is no visit");
    write("tg:2").await;
    assert_eq!(seen(1).await, "только что");
    // The one who looks is here as long as they look.
    assert_eq!(seen(3).await, "только что");
    let list = panel.send("GET", "/admin/people", admin.clone(), "").await.body;
    assert!(list.contains("data-label=\"Последний визит\""), "{list}");
}

#[tokio::test]
async fn a_card_of_a_client_says_what_its_values_are() {
    let (panel, admin) = panel("update organizations set inn = null where id = 1").await;
    let list = panel.send("GET", "/admin/clients", admin.clone(), "").await.body;
    for words in [
        "data-label=\"ИНН\" data-none",
        "data-label=\"Люди\"",
        "data-label=\"Заказы за 90\u{a0}дн\"",
        "data-label=\"На сумму\"",
        "data-label=\"Последний заказ\"",
    ] {
        assert!(list.contains(words), "no «{words}» in {list}");
    }
}
