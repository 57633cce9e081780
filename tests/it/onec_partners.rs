//! 1C tells of organizations, and takes orders.

use insta::assert_snapshot;

use crate::onec_server::Server;

#[tokio::test]
async fn a_purchase_history_counts_once_and_an_undated_list_replaces_the_former() {
    let server = Server::start().await;
    server.push(r#"[{"sku":"1","title":"Болт"},{"sku":"2","title":"Гайка"},{"external_id":"E3","title":"Шайба"}]"#).await;
    let rows = || {
        server.rows(
            "select p.title, ordered_at_ms, quantity_thousandths, u.unit from purchases u
             join products p on p.id = u.product_id order by ordered_at_ms, p.id",
        )
    };
    let body = r#"{"org_external_id":"O1","org_name":"ООО «Диван»","orders":[
        {"ordered_at":"2026-11-20T10:00:00","items":[{"sku":"1","qty":"1 000","unit":"штук"},{"sku":"1","qty":5},{"sku":"E3","qty":2},{"sku":"нет","qty":1}]},
        {"ordered_at":"21.11.2026","items":[{"title":"Гайка","qty":"x"},{"title":"Гайка","qty":3}]}]}"#;
    let reply = server.post("/onec/orders", body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_snapshot!(reply.text, @r#"{"ok":true,"org_id":1,"received_orders":2,"received_items":6,"updated_rows":3,"skipped":2,"errors":[{"index":3,"sku":"нет","reason":"такого товара нет в каталоге"},{"index":4,"sku":"Гайка","reason":"поле «qty»: не число"}]}"#);
    let stored = rows();
    assert_snapshot!(stored.join("\n"), @r"
    Болт | 1795158000000 | 1005000 | шт
    Шайба | 1795158000000 | 2000 | 
    Гайка | 1795208400000 | 3000 | 
    ");
    assert_eq!(server.post("/onec/orders", body).await.json()["updated_rows"], 0);
    assert_eq!(rows(), stored);
    let undated =
        |sku: &str| format!(r#"{{"org_name":"Диван","items":[{{"sku":"{sku}","qty":1}}]}}"#);
    assert_eq!(
        server.post("/onec/orders", undated("1")).await.json()["org_id"],
        1,
        "known by name"
    );
    assert_eq!(server.post("/onec/orders", undated("2")).await.json()["updated_rows"], 2);
    assert_eq!(rows()[0], "Гайка | – | 1000 | ");
    // `null` says nothing of a list, an empty one says that there is nothing in it.
    let silent = r#"{"org_name":"Диван","items":null,"orders":[]}"#;
    assert_eq!(server.post("/onec/orders", silent).await.json()["updated_rows"], 0);
    assert_eq!(rows()[0], "Гайка | – | 1000 | ");
    let back = r#"{"org_name":"Диван","items":[{"sku":"2","qty":1},{"sku":"1","qty":"-3"}]}"#;
    let reply = server.post("/onec/orders", back).await;
    assert_snapshot!(reply.text, @r#"{"ok":true,"org_id":1,"received_orders":0,"received_items":2,"updated_rows":0,"skipped":1,"errors":[{"index":1,"sku":"1","reason":"поле «qty»: отрицательное число"}]}"#);
    let empty = r#"{"org_name":"Диван","items":[]}"#;
    assert_eq!(server.post("/onec/orders", empty).await.json()["updated_rows"], 1);
    for body in [
        "[]",
        "{}",
        r#"{"items":[]}"#,
        r#"{"org_name":"А"}"#,
        r#"{"org_name":"А","orders":null,"items":null}"#,
    ] {
        assert_eq!(server.post("/onec/orders", body).await.status, 422, "{body}");
    }
    assert_eq!(server.rows("select count(*) from organizations"), ["1"]);
}

#[tokio::test]
async fn members_and_balances_are_kept_and_change_nothing_the_second_time() {
    let server = Server::start().await;
    let body = r#"{"items":[{"org":{"external_id":"O1","name":"ООО «Диван»","inn":"7800000000"},
        "members":[{"phone":"8 (921) 000-00-01","fio":"Анна","role_in_org":"member","status":"active"},
        {"phone":"кто это","fio":"Без номера"},{"phone":"+79210000002","fio":"Олег","role_in_org":"owner"}]},
        {"org":{"external_id":"","name":""},"members":[]}]}"#;
    let reply = server.post("/api/onec/orgs/members", body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_snapshot!(reply.text, @r#"{"ok":true,"orgs_received":2,"members_received":3,"orgs_upserted":1,"users_created":2,"members_upserted":2,"skipped":2,"errors":[{"index":0,"sku":"ООО «Диван»","reason":"поле «phone»: не номер телефона"},{"index":1,"sku":"","reason":"организация без названия"}]}"#);
    let people = || {
        server.rows("select name, phone, phone_verified, role, state from persons join members on person_id = id order by id")
    };
    assert_eq!(
        people(),
        ["Анна | +79210000001 | 0 | buyer | active", "Олег | +79210000002 | 0 | owner | active"]
    );
    assert_eq!(server.post("/onec/orgs/members", body).await.json()["users_created"], 0);
    assert_eq!(people().len(), 2);
    let one = r#"{"org":{"external_id":"O1"},"members":{"phone":"89210000001","status":"left"}}"#;
    assert_eq!(server.post("/onec/orgs/members", one).await.json()["members_upserted"], 1);
    assert!(people()[0].ends_with("buyer | left"));
    let body = r#"{"items":[{"org":{"inn":"7800000000"},"debt":"1 234,50","overdue":0,"limit":"","terms":"14 дней","as_of":"2026-11-24T00:00:00"},
        {"org":{"name":"Неизвестная"},"debt":1},{"org":{"external_id":"O1"},"debt":"много"}]}"#;
    let reply = server.post("/onec/orgs/balances", body).await;
    assert_snapshot!(reply.text, @r#"{"ok":true,"received":3,"updated":1,"skipped":2,"errors":[{"index":1,"sku":"","reason":"организация не найдена"},{"index":2,"sku":"O1","reason":"поле «debt» = «много»: не число"}]}"#);
    assert_eq!(
        server.rows("select debt_kopecks, overdue_kopecks, limit_kopecks, terms from balances"),
        ["123450 | 0 | – | 14 дней"]
    );
}

/// An accepted order of two lines, and one with a line that nobody has resolved.
async fn with_orders() -> Server {
    let server = Server::start().await;
    server
        .push(r#"[{"external_id":"E1","sku":"1","title":"Болт"},{"sku":"2","title":"Гайка"}]"#)
        .await;
    let sql = "
        insert into persons (id, name, phone, created_at_ms) values (1, 'Анна', '+79210000001', 0);
        insert into organizations (id, kind, name, inn, external_id, created_at_ms)
            values (1, 'company', 'ООО «Диван»', '7800000000', 'O1', 0);
        insert into orders (id, number, uuid, organization_id, author_id, status, source, delivery_kind,
            delivery_date, delivery_address, comment, total_kopecks, created_at_ms, updated_at_ms) values
            (1, 1042, 'u-1', 1, 1, 'accepted', 'bot', 'date', '2026-11-25', 'СПб', 'до обеда', 340000, 1795518300000, 0),
            (2, 1043, 'u-2', 1, 1, 'accepted', 'bot', 'any', null, '', '', 0, 1795518300000, 0),
            (3, 1044, 'u-3', 1, 1, 'new', 'bot', 'any', null, '', '', 0, 1795518300000, 0),
            (4, 1045, 'u-4', 1, 1, 'shipped', 'bot', 'any', null, '', '', 0, 1795518300000, 0);
        insert into order_lines (order_id, position, raw, state, product_id, title, sku, quantity_thousandths,
            unit, base_quantity_thousandths, base_unit, price_amount_kopecks, price_per, sum_kopecks) values
            (1, 1, 'болт 4 тыс', 'ok', 1, 'Болт', '1', 4000, 'тыс шт', 4000000, 'шт', 85, 1, 340000),
            (1, 2, 'гайка', 'ok', 2, 'Гайка', '2', 5000, 'шт', 5000, 'шт', null, null, null),
            (2, 1, 'что-то', 'manager', null, '', '', null, '', null, '', null, null, null);";
    let write = |tx: &rusqlite::Transaction<'_>| {
        Ok::<_, partner_m::storage::StorageError>(tx.execute_batch(sql)?)
    };
    server.base.db.write_blocking(write).expect("orders");
    server
}

#[tokio::test]
async fn orders_are_offered_until_1c_acknowledges_them() {
    let server = with_orders().await;
    let reply = server.get("/onec/orders?limit=1").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_snapshot!(reply.text, @r#"{"orders":[{"number":"PM-1042","uuid":"u-1","created_at":"2026-11-24T14:05:00+03:00","status":"accepted","organization":{"external_id":"O1","name":"ООО «Диван»","inn":"7800000000"},"customer":{"name":"Анна","phone":"+79210000001"},"delivery":{"date":"2026-11-25","address":"СПб"},"comment":"до обеда","items":[{"line":1,"external_id":"E1","sku":"1","title":"Болт","qty":4000,"unit":"шт","price":0.85,"sum":3400.0,"source_text":"болт 4 тыс"},{"line":2,"external_id":null,"sku":"2","title":"Гайка","qty":5,"unit":"шт","price":null,"sum":null,"source_text":"гайка"}],"total":3400.0}],"next":"1"}"#);
    let numbers = async |path: &str| {
        let json = server.get(path).await.json();
        let orders = json["orders"].as_array().expect("a list").iter();
        (
            orders.map(|o| o["number"].as_str().unwrap_or("").to_owned()).collect::<Vec<_>>(),
            json["next"].clone(),
        )
    };
    assert_eq!(
        numbers("/onec/orders?after=1").await,
        (vec!["PM-1045".to_owned()], serde_json::Value::Null)
    );
    assert_eq!(numbers("/onec/orders").await.0, ["PM-1042", "PM-1045"]);
    assert_eq!(
        server.rows("select distinct way, address from exchanges where kind = 'orders'"),
        ["json | 127.0.0.1"]
    );
    assert_eq!(server.get("/onec/orders?after=x").await.status, 422);
    let body = r#"{"orders":[{"number":"PM-1042","onec_number":"УТ000001871","onec_date":"2026-11-24"},
        {"uuid":"u-4"},{"number":"№ 9999"},{"number":"1043","status":"непонятно"}]}"#;
    let reply = server.post("/onec/orders/status", body).await;
    assert_snapshot!(reply.text, @r#"{"ok":true,"received":4,"updated":2,"skipped":2,"errors":[{"index":2,"sku":"№ 9999","reason":"такой заявки нет"},{"index":3,"sku":"1043","reason":"неизвестный статус «непонятно»"}]}"#);
    assert_eq!(numbers("/onec/orders").await.0, [""; 0]);
    let none = server.client.get(server.url("/onec/orders"));
    assert_eq!(server.send(none).await.status, 401);
}

#[tokio::test]
async fn a_status_from_1c_skips_steps_and_a_step_back_is_told_to_nobody() {
    let server = with_orders().await;
    let told =
        || server.rows("select count(*) from outbox where payload like '%order_status%'").remove(0);
    let state = || server.rows("select status, onec_number from orders where id = 1").remove(0);
    let sql = "insert into chats (key, person_id) values ('web:anna', 1)";
    let write = |tx: &rusqlite::Transaction<'_>| {
        Ok::<_, partner_m::storage::StorageError>(tx.execute_batch(sql)?)
    };
    server.base.db.write_blocking(write).expect("a chat");
    let set = async |status: &str| {
        let body =
            format!(r#"{{"orders":{{"number":"1042","status":"{status}","onec_number":"7"}}}}"#);
        server.post("/onec/orders/status", body).await.json()["updated"].as_u64()
    };
    assert_eq!(set("Отгружена").await, Some(1));
    assert_eq!((state().as_str(), told().as_str()), ("shipped | 7", "1"));
    assert_eq!(set("shipped").await, Some(1));
    assert_eq!(told(), "1", "the same state is told once");
    assert_eq!(set("picking").await, Some(1));
    assert_eq!((state().as_str(), told().as_str()), ("picking | 7", "1"));
    assert_eq!(set("rejected").await, Some(0), "1C does not reject");
    let events = server.rows("select kind, text, to_client from order_events order by id");
    assert_snapshot!(events.join("\n"), @r"
    onec | Номер в 1С: 7 | 0
    status | Принята → Отгружена | 1
    status | Отгружена → Собирается | 0
    ");
}
