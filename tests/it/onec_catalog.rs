//! 1C pushes its catalogue as JSON.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use insta::assert_snapshot;
use partner_m::services::accounts::Actor;
use partner_m::services::exchange::calls::{Door, Turned};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::onec_server::{Server, TOKEN};

const ITEM: &str = r#"{"sku":"А-1","title":"Саморез 4×25","category":"Крепёж/Саморезы","stock_qty":5,"price":1.5}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("packs");
    encoder.finish().expect("packs")
}

#[tokio::test]
async fn every_shape_is_taken_on_every_path_and_changes_nothing_the_second_time() {
    let server = Server::start().await;
    let bodies = [
        ("/integrations/1c/catalog", format!("[{ITEM}]")),
        ("/onec/catalog", format!(r#"{{"items":[{ITEM}]}}"#)),
        ("/api/onec/catalog", format!(r#"{{"catalog":[{ITEM}]}}"#)),
        ("/onec/catalog", format!(r#"{{"categories":[],"products":[{ITEM}]}}"#)),
        ("/onec/catalog", format!(r#"{{"items":{ITEM}}}"#)),
        ("/onec/catalog", ITEM.to_owned()),
    ];
    let mut stored = Vec::new();
    for (path, body) in bodies {
        let reply = server.post(path, body.clone()).await;
        assert_eq!(reply.status, 200, "{body}: {}", reply.text);
        assert_eq!(reply.text, r#"{"ok":true,"received":1,"upserted":1,"skipped":0}"#, "{body}");
        assert!(!reply.headers["x-request-id"].is_empty());
        assert_eq!(reply.headers["content-type"], "application/json");
        if stored.is_empty() {
            stored = server.catalogue();
        }
        assert_eq!(server.catalogue(), stored, "{body}");
        assert_eq!(server.version(), "1");
    }
    assert_snapshot!(stored.join("\n"), @r"
    – | А-1 | Саморез 4×25 | Саморезы | шт |  |  | – | 5000 | 0 |  | 0 |  | 1795518300000
    1 | – | – | Крепёж | 0
    2 | – | 1 | Саморезы | 0
    1 |  | 150 | 1
    ");
}

#[tokio::test]
async fn the_token_comes_in_four_forms_and_is_asked_for() {
    let server = Server::start().await;
    let post =
        |query: &str| server.client.post(server.url(&format!("/onec/catalog{query}"))).body("[]");
    for request in [
        post("").bearer_auth(TOKEN),
        post("").header("X-1C-Token", TOKEN),
        post("").header("X-Token", format!("{TOKEN} ")),
        post(&format!("?token={TOKEN}")),
        post(&format!("?token={TOKEN}")).bearer_auth("another one"),
    ] {
        assert_eq!(server.send(request).await.status, 200);
    }
    for request in [post(""), post("?token="), post("").bearer_auth("wrong"), post("?token=%2")] {
        let reply = server.send(request).await;
        assert_eq!((reply.status, reply.text.as_str()), (401, r#"{"detail":"Invalid token"}"#));
        assert!(reply.headers.contains_key("x-request-id"));
    }
    // Who sets it up is told why it does not work.
    let trouble = || server.exchange.calls(Door::Json).turned;
    let call = trouble().expect("the last one was sent away");
    assert_eq!((call.what.as_str(), call.turned), ("POST catalog", Some(Turned::WrongToken)));
    server.send(post("")).await;
    assert_eq!(trouble().and_then(|call| call.turned), Some(Turned::NoToken));
    server.send(server.client.get(server.url("/onec/orders")).bearer_auth(TOKEN)).await;
    assert_eq!(trouble(), None, "and one that was let in ends it");
}

#[tokio::test]
async fn wrong_tokens_are_throttled() {
    let server = Server::start().await;
    let wrong = || server.client.post(server.url("/onec/catalog")).bearer_auth("wrong").body("[]");
    for _ in 0..20 {
        assert_eq!(server.send(wrong()).await.status, 401);
    }
    let reply = server.send(wrong()).await;
    assert_eq!((reply.status, reply.headers["retry-after"].to_str().unwrap()), (429, "60"));
}

#[tokio::test]
async fn without_a_token_only_this_machine_is_let_in_and_only_before_an_administrator() {
    let server = Server::with(|config| config.onec.webhook_token = None).await;
    let post = || server.client.post(server.url("/onec/catalog")).body("[]");
    assert_eq!(server.send(post()).await.status, 200);
    for header in ["X-Forwarded-For", "Forwarded", "Via"] {
        let reply = server.send(post().header(header, "127.0.0.1")).await;
        assert_eq!(reply.status, 401, "{header}");
        assert!(reply.text.contains("onec.webhook_token") && reply.text.contains("onec.open"));
    }
    let open = Server::with(|config| {
        config.onec.webhook_token = None;
        config.onec.open = true;
    })
    .await;
    let request = open.client.post(open.url("/onec/catalog")).header("Via", "x").body("[]");
    assert_eq!(open.send(request).await.status, 200);
    let public = Server::with(|config| {
        config.onec.webhook_token = None;
        config.server.public_url = Some("https://desk.example".to_owned());
    })
    .await;
    assert_eq!(public.push("[]").await.status, 401);
}

#[tokio::test]
async fn encodings_and_carelessness_are_forgiven() {
    let server = Server::start().await;
    let expected = {
        server.push(format!("[{ITEM}]")).await;
        server.catalogue()
    };
    let text = format!("[{ITEM}]").replace('×', "х");
    let (cp1251, _, lossy) = encoding_rs::WINDOWS_1251.encode(&text);
    assert!(!lossy);
    let other = Server::start().await;
    other.push(cp1251.into_owned()).await;
    assert_eq!(
        other.catalogue().join("\n").replace("4х25", "4×25"),
        expected.join("\n"),
        "windows-1251 is recognised"
    );
    let body = format!("\u{feff}  [{ITEM}\n,\n]\n");
    for body in [body.clone().into_bytes(), gzip(body.as_bytes())] {
        let reply = server.push(body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    let request = server.client.post(server.url("/onec/catalog"));
    let request = request.header("X-Token", TOKEN).header("Content-Encoding", "gzip");
    assert_eq!(server.send(request.body(gzip(ITEM.as_bytes()))).await.status, 200);
    assert_eq!(server.catalogue(), expected);
    let raw = "[{\"sku\":\"Б\",\"title\":\"Болт\u{1}\tМ6\",\"description\":\"две\nстроки\",}]";
    assert_eq!(server.push(raw).await.text, r#"{"ok":true,"received":1,"upserted":1,"skipped":0}"#);
    assert_eq!(
        server.rows("select title, description from products where sku = 'Б'"),
        ["Болт М6 | две\nстроки"]
    );
}

#[tokio::test]
async fn numbers_of_1c_are_exact() {
    let server = Server::start().await;
    let body = "[
        {\"sku\":\"1\",\"title\":\"a\",\"price\":\"1 234,50\",\"stock_qty\":\"12\u{a0}000,5\"},
        {\"sku\":\"2\",\"title\":\"b\",\"price\":0.8125,\"stock_qty\":\"-3\"},
        {\"sku\":\"3\",\"title\":\"c\",\"price\":\"1\u{202f}234.567891\",\"stock_qty\":1e2},
        {\"sku\":\"4\",\"title\":\"d\",\"price\":\"\",\"stock_qty\":null},
        {\"sku\":\"5\",\"title\":\"e\",\"price\":0}]";
    assert_eq!(server.push(body).await.status, 200);
    let rows = server.rows(
        "select sku, available_thousandths, amount_kopecks, per from products
         left join prices on product_id = id order by sku",
    );
    assert_snapshot!(rows.join("\n"), @r"
    1 | 12000500 | 123450 | 1
    2 | -3000 | 8125 | 100
    3 | 100000 | 1234567891 | 10000
    4 | 0 | – | –
    5 | 0 | 0 | 1
    ");
}

#[tokio::test]
async fn absent_keeps_null_clears_and_a_title_stays() {
    let server = Server::start().await;
    server
        .push(
            r#"[{"sku":"A","title":"Т","price":5,"stock_qty":7,"description":"О","unit":"м",
            "barcode":"46","multiple":10,"pack_size":50,"category":"К","hidden":true}]"#,
        )
        .await;
    let before = server.catalogue();
    server.push(r#"[{"sku":"A"}]"#).await;
    assert_eq!(server.catalogue(), before);
    server
        .push(
            r#"[{"sku":"A","title":null,"price":null,"stock_qty":"","description":"","unit":null,
            "barcode":"","multiple":"","pack_size":null,"category":null,"hidden":null}]"#,
        )
        .await;
    assert_snapshot!(server.catalogue().join("\n"), @r"
    – | A | Т | – | шт |  |  | – | 0 | 0 |  | 0 |  | 1795518300000
    1 | – | – | К | 0
    ");
}

#[tokio::test]
async fn what_cannot_be_stored_is_named_and_the_rest_is_stored() {
    let server = Server::start().await;
    let reply = server
        .push(
            r#"{"items":[
            {"sku":"A","title":"Первый","price":"12р"},
            {"sku":"B","title":"Второй","price":1},
            {"sku":"C"},
            {},
            {"sku":"D","title":"Дубль 1"},
            "строка",
            {"external_id":"D","sku":"D","title":"Другой ключ"},
            {"sku":"D","title":"Дубль 2","stock_qty":1}]}"#,
        )
        .await;
    assert_eq!(reply.status, 200);
    assert_snapshot!(reply.text, @r#"{"ok":true,"received":8,"upserted":3,"skipped":5,"errors":[{"index":0,"sku":"A","reason":"поле «price» = «12р»: не число"},{"index":2,"sku":"C","reason":"нет названия, а товар ещё не известен"},{"index":3,"sku":"","reason":"нет ни external_id, ни артикула, ни названия"},{"index":4,"sku":"D","reason":"повтор: действует последняя запись с этим ключом, её индекс 7"},{"index":5,"sku":"","reason":"ожидается объект"}]}"#);
    let all_bad = server.push(r#"[{"sku":"A","price":"x"}]"#).await;
    assert_eq!(all_bad.status, 200);
    assert_eq!(all_bad.json()["upserted"], 0);
    let many: Vec<String> = (0..150).map(|_| "{}".to_owned()).collect();
    let reply = server.push(format!("[{}]", many.join(","))).await.json();
    assert_eq!(reply["skipped"], 150);
    assert_eq!(reply["errors"].as_array().map(Vec::len), Some(100));
}

#[tokio::test]
async fn a_body_that_cannot_be_read_stores_nothing_and_is_told_where() {
    let server = Server::start().await;
    let reply = server.push(format!("[{ITEM},\n {{\"sku\": oops}}]")).await;
    assert_eq!(reply.status, 400);
    assert_snapshot!(reply.text, @r#"{"detail":"Malformed JSON: «oops» — не значение JSON","line":2,"column":14}"#);
    for body in ["", "[", "{\"items\":[{\"sku\":\"C:\\dir\"}]}", "[] []"] {
        let reply = server.push(body).await;
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.json()["line"].is_u64() && reply.json()["column"].is_u64());
    }
    let mut cut = gzip(format!("[{ITEM}]").as_bytes());
    cut.truncate(cut.len() - 12);
    assert_eq!(server.push(cut).await.status, 400);
    for body in ["5", "{}", "{\"items\":7}", "{\"data\":[]}"] {
        let reply = server.push(body).await;
        assert_eq!(reply.status, 422, "{body}");
        assert_eq!(reply.json()["detail"], "Invalid payload");
        assert!(reply.json()["errors"].as_array().is_some_and(|e| !e.is_empty()));
    }
    assert_eq!(server.rows("select count(*) from products"), ["0"]);
    assert_eq!(server.rows("select count(*) from exchanges where error <> ''"), ["9"]);
}

#[tokio::test]
async fn a_body_cut_anywhere_stores_nothing() {
    let server = Server::start().await;
    let items: Vec<String> = (0..60)
        .map(|n| {
            format!(r#"{{"sku":"А-{n}","title":"Товар № {n}","price":"{n},5","category":"К{n}"}}"#)
        })
        .collect();
    let body = format!(r#"{{"items":[{}],"price_type":"Опт"}}"#, items.join(","));
    for percent in 0..100 {
        let cut = &body.as_bytes()[..body.len() * percent / 100];
        let reply = server.push(cut.to_vec()).await;
        assert_eq!(reply.status, 400, "{percent} %: {}", reply.text);
    }
    assert_eq!(server.catalogue(), [""; 0]);
    assert_eq!(server.push(body).await.json()["upserted"], 60);
    assert_eq!(server.rows("select count(*) from products"), ["60"]);
    let left = std::fs::read_dir(server.folder.path().join("exchange")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["raw"], "no spooled body stays behind");
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_a_body_stores_nothing() {
    let server = Server::start().await;
    for sent in [0, 10, 60] {
        let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let head = format!(
            "POST /onec/catalog HTTP/1.1\r\nHost: x\r\nX-Token: {TOKEN}\r\nContent-Length: 5000\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&ITEM.as_bytes()[..sent]).await.unwrap();
        stream.shutdown().await.unwrap();
    }
    assert_eq!(server.push("[]").await.status, 200);
    assert_eq!(server.rows("select count(*) from products"), ["0"]);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_packed_or_not() {
    let server = Server::start().await;
    let request = server.client.post(server.url("/onec/catalog")).header("X-Token", TOKEN);
    let bomb = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let zeros = vec![b' '; 1024 * 1024];
        for _ in 0..257 {
            encoder.write_all(&zeros).unwrap();
        }
        encoder.finish().unwrap()
    };
    assert!(bomb.len() < 1024 * 1024);
    let reply = server.send(request.body(bomb)).await;
    assert_eq!((reply.status, reply.text.as_str()), (413, r#"{"detail":"Payload too large"}"#));
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /onec/catalog HTTP/1.1\r\nHost: x\r\nX-Token: {TOKEN}\r\nContent-Length: 268435457\r\n\r\n["
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn keys_are_the_id_then_the_article_then_the_title() {
    let server = Server::start().await;
    let push = async |body: &str| {
        let reply = server.push(body.to_owned()).await;
        assert_eq!(reply.status, 200);
        reply.json()
    };
    let keys = || server.rows("select external_id, sku, title from products order by id");
    push(r#"[{"sku":"S1","title":"По артикулу"},{"title":"По названию"}]"#).await;
    push(r#"[{"title":"По названию","price":3}]"#).await;
    assert_eq!(keys(), ["– | S1 | По артикулу", "– |  | По названию"]);
    push(r#"[{"external_id":"E1","sku":"S1","title":"Принят"}]"#).await;
    assert_eq!(keys()[0], "E1 | S1 | Принят");
    push(r#"[{"external_id":"E2","sku":"S1","title":"Тёзка"}]"#).await;
    assert_eq!(keys().len(), 3, "an article may repeat beside an id");
    let reply = push(r#"[{"sku":"S1","price":1}]"#).await;
    assert_eq!(reply["skipped"], 1);
    let reason = reply["errors"][0]["reason"].as_str().unwrap();
    assert_eq!(reason, "артикул «S1» есть у нескольких товаров: нужен external_id");
    push(r#"[{"external_id":"E2","sku":null},{"sku":"S1","price":1}]"#).await;
    assert_eq!(keys()[2], "E2 |  | Тёзка");
    let long = "Ж".repeat(200);
    push(&format!(r#"[{{"sku":"{long}","title":"Длинный"}}]"#)).await;
    assert_eq!(keys()[3], format!("– | {long} | Длинный"));
    assert_eq!(
        push("[{\"external_id\":\"BFF15C98-94FD-11EF-8D93-00155D0A4E11 \",\"title\":\"Г\"}]").await
            ["upserted"],
        1
    );
    push("[{\"id\":\"bff15c98-94fd-11ef-8d93-00155d0a4e11\",\"title\":\"Гвоздь\"}]").await;
    assert_eq!(keys()[4], "bff15c98-94fd-11ef-8d93-00155d0a4e11 |  | Гвоздь");
}

#[tokio::test]
async fn categories_nest_by_id_and_by_path_and_never_double() {
    let server = Server::start().await;
    let tree = || {
        server.rows(
            "select c.external_id, c.title, p.title from categories c
             left join categories p on p.id = c.parent_id order by c.id",
        )
    };
    server.push(r#"[{"sku":"1","title":"a","category":"Крепёж/Болты"}]"#).await;
    server
        .push(
            r#"{"categories":[
            {"external_id":"2","title":"Болты","parent_external_id":"1"},
            {"external_id":"1","title_ru":"Крепёж","order_index":5},
            {"external_id":"3","name":"Круг","parent_external_id":"4"},
            {"external_id":"4","name":"Круг 2","parent_external_id":"3"}],
            "products":[{"sku":"2","title":"b","category_external_id":"2"},
            {"sku":"3","title":"c","category_external_id":"9"}]}"#,
        )
        .await;
    assert_snapshot!(tree().join("\n"), @r"
    1 | Крепёж | –
    2 | Болты | Крепёж
    3 | Круг | –
    4 | Круг 2 | Круг
    9 | Без названия | –
    ");
    server.push(r#"{"categories":[{"external_id":"9","title":"Наконец"}]}"#).await;
    assert_eq!(tree()[4], "9 | Наконец | –");
    let version = server.version();
    server.push(r#"[{"sku":"1","category":"Крепёж / Болты"}]"#).await;
    assert_eq!(server.version(), version);
}

#[tokio::test]
async fn price_types_packs_and_warehouses_are_kept() {
    let server = Server::with(|config| {
        config.onec.exchange.price_type = Some("Розница".to_owned());
        config.onec.exchange.warehouse = Some("Центр".to_owned());
    })
    .await;
    let body = r#"{"price_type":"Опт","items":[{"sku":"A","title":"Т","unit":"шт","price":2,
        "prices":[{"type":"Розница","price":"3150","unit":"рул","coefficient":75},{"type":"VIP","price":1}],
        "stocks":[{"warehouse":"Центр","qty":5},{"warehouse":"Химки","qty":7}]}]}"#;
    server.push(body).await;
    let stored = server.catalogue();
    server.push(body).await;
    assert_eq!(server.version(), "1", "nothing changes the second time");
    assert_snapshot!(stored.join("\n"), @r"
    – | A | Т | – | шт |  |  | – | 5000 | 0 |  | 0 |  | 1795518300000
    1 | VIP | 100 | 1
    1 | Опт | 200 | 1
    1 | Розница | 315000 | 75
    1 | рул | 75000
    1 | 1 | 5000
    1 | 2 | 7000
    ");
    server
        .push(r#"[{"sku":"A","price":4,"stock_qty":9,"prices":[{"type":"VIP","price":null}]}]"#)
        .await;
    assert_snapshot!(server.catalogue().join("\n"), @r"
    – | A | Т | – | шт |  |  | – | 9000 | 0 |  | 0 |  | 1795518300000
    1 | Опт | 200 | 1
    1 | Розница | 400 | 1
    1 | рул | 75000
    ");
}

#[tokio::test]
async fn a_full_push_hides_what_it_does_not_mention_within_reason() {
    let server = Server::start().await;
    let items = |range: std::ops::Range<u32>| {
        let items = range.map(|n| format!(r#"{{"sku":"{n}","title":"Т{n}"}}"#));
        items.collect::<Vec<_>>().join(",")
    };
    let on_sale = || server.rows("select count(*) from products where not withdrawn").remove(0);
    server.push(format!("[{}]", items(0..300))).await;
    server.push(format!("[{}]", items(0..200))).await;
    assert_eq!(on_sale(), "300", "without full nothing is hidden");
    server.push(format!(r#"{{"full":true,"items":[{}]}}"#, items(20..300))).await;
    assert_eq!(on_sale(), "280", "twenty are few");
    server.push(r#"[{"sku":"7","price":1}]"#).await;
    assert_eq!(on_sale(), "281", "a mention brings it back");
    let reply = server
        .push(format!(r#"{{"full":true,"items":[{},{{"sku":"299","price":"x"}}]}}"#, items(0..250)))
        .await;
    assert_eq!(reply.json()["upserted"], 250);
    assert_eq!(on_sale(), "300", "fifty of three hundred wait for a person");
    let held = server.exchange.held_hiding().await.unwrap().expect("waits");
    assert_eq!((held.products, held.of_total), (49, 281), "what was skipped is mentioned");
    server.push(r#"[{"sku":"298"}]"#).await;
    assert_eq!(server.exchange.release_hiding(held.id, Actor::cli()).await.unwrap(), Some(48));
    assert_eq!(on_sale(), "252");
    assert_eq!(server.exchange.release_hiding(held.id, Actor::cli()).await.unwrap(), None);
    server.push(r#"{"full":true,"items":[]}"#).await;
    assert_eq!(on_sale(), "252", "an empty push hides nothing by itself");
    let held = server.exchange.held_hiding().await.unwrap().expect("waits");
    assert_eq!(held.products, 252);
    assert!(server.exchange.drop_hiding(held.id, Actor::cli()).await.unwrap());
    assert_eq!(on_sale(), "252");
}

#[tokio::test]
async fn what_was_deleted_comes_back_only_when_told_so() {
    let server = Server::start().await;
    let state = || server.rows("select withdrawn, withdrawn_why from products").remove(0);
    server.push(r#"[{"sku":"A","title":"Т","deleted":"Да"}]"#).await;
    assert_eq!(state(), "1 | deleted");
    server.push(r#"[{"sku":"A","title":"Т","price":1}]"#).await;
    assert_eq!(state(), "1 | deleted");
    server.push(r#"[{"sku":"A","deleted":false}]"#).await;
    assert_eq!(state(), "0 | ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pushes_at_once_take_turns_and_double_nothing() {
    let server = Server::start().await;
    let body = |price: u32| {
        let items = (0..200).map(|n| {
            format!(r#"{{"sku":"{n}","title":"Т{n}","category":"А/Б{}","price":{price}}}"#, n % 7)
        });
        format!("[{}]", items.collect::<Vec<_>>().join(","))
    };
    let pushes: Vec<_> = (1..=6)
        .map(|price| {
            let request = server.client.post(server.url("/onec/catalog"));
            let request = request.header("X-Token", TOKEN).body(body(price));
            tokio::spawn(async move { request.send().await.expect("an answer").text().await })
        })
        .collect();
    for push in pushes {
        let text = push.await.unwrap().unwrap();
        assert_eq!(text, r#"{"ok":true,"received":200,"upserted":200,"skipped":0}"#);
    }
    assert_eq!(server.rows("select count(*), count(distinct sku) from products"), ["200 | 200"]);
    assert_eq!(server.rows("select count(*) from categories"), ["8"]);
    assert_eq!(
        server.rows("select count(distinct amount_kopecks) from prices"),
        ["1"],
        "one push won"
    );
}

#[tokio::test]
async fn a_request_id_is_kept_when_it_is_sane() {
    let server = Server::start().await;
    let post = |id: &str| {
        let request = server.client.post(server.url("/onec/catalog")).header("X-Token", TOKEN);
        request.header("X-Request-Id", id).body("[]")
    };
    assert_eq!(server.send(post("abc-1.2_3")).await.headers["x-request-id"], "abc-1.2_3");
    for id in ["a b", &"x".repeat(65)] {
        assert_ne!(server.send(post(id)).await.headers["x-request-id"], id);
    }
    assert_eq!(server.rows("select request_id from exchanges where id = 1"), ["abc-1.2_3"]);
}
