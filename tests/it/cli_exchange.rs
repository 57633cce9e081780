//! `partner-m exchange` as people and scripts call it.

use std::io::{Read, Write};

use serde_json::Value;

use super::program::{Program, free_port, post};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/commerceml/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_file_is_explained_without_a_database() {
    let program = Program::new()
        .with("good.json", r#"{"items":[{"sku":"1","title":"Болт","price":"1,50"}],"full":true}"#)
        .with(
            "bad.json",
            r#"[{"sku":"1","title":"Болт","price":"12р"},{"sku":"1","title":"Болт"}]"#,
        )
        .with("cut.json", r#"{"items":[{"sku":"1""#)
        .with("orders.json", r#"{"orders":[{"number":"PM-1","status":"в пути"},{"number":"x"}]}"#)
        .with("members.json", r#"{"items":[{"org":{"name":"ООО"},"members":[{"phone":"нет"}]}]}"#)
        .with("price.csv", "Артикул;Название;Цена\n1;Болт;1,5\n");
    let good = program.run(&["exchange", "validate", "good.json"]);
    assert_eq!(good.code, 0, "{}{}", good.out, good.err);
    assert!(good.out.starts_with("Каталог, JSON, UTF-8\n"), "{}", good.out);
    assert!(good.out.contains("выгрузка полная"), "{}", good.out);
    let bad = json(&program.run(&["exchange", "validate", "bad.json", "--json"]).out);
    assert_eq!(bad["data"]["skipped"], 1, "{bad}");
    assert!(bad["data"]["problems"][0]["reason"].as_str().unwrap().contains("«12р»"), "{bad}");
    assert_eq!(program.run(&["exchange", "validate", "bad.json"]).code, 4);
    let cut = program.run(&["exchange", "validate", "cut.json"]);
    assert_eq!(cut.code, 1);
    assert!(
        cut.err.contains("файл обмена не читается") && cut.err.contains("строка 1"),
        "{}",
        cut.err
    );
    let orders = program.run(&["exchange", "validate", "orders.json"]);
    assert_eq!(orders.code, 4, "{}", orders.out);
    assert!(
        orders.out.contains("Статусы заказов, JSON") && orders.out.contains("«в пути»"),
        "{}",
        orders.out
    );
    let members = program.run(&["exchange", "validate", "members.json"]);
    assert!(
        members.out.contains("Организации и сотрудники")
            && members.out.contains("не номер телефона"),
        "{}",
        members.out
    );
    assert_eq!(program.run(&["exchange", "validate", "absent.xml"]).code, 5);
    let table = json(&program.run(&["exchange", "validate", "price.csv", "--json"]).out);
    assert_eq!(
        (&table["data"]["kind"], &table["data"]["counts"]["products"]),
        (&"catalog_table".into(), &1.into())
    );

    let goods =
        json(&program.run(&["exchange", "validate", &fixture("ut103/import.xml"), "--json"]).out);
    assert_eq!(goods["data"]["kind"], "catalog_commerceml", "{goods}");
    assert!(goods["data"]["version"].as_str().unwrap().starts_with("2.0"), "{goods}");
    let old = json(
        &program.run(&["exchange", "validate", &fixture("ut103-1251/import.xml"), "--json"]).out,
    );
    assert_eq!(old["data"]["encoding"], "windows-1251");
    assert_eq!(old["data"]["counts"], goods["data"]["counts"]);
    let sale = fixture("sale/1cbitrix-73885265-2346-11e6-85ec-00155d0a4e11.xml");
    let sale = json(&program.run(&["exchange", "validate", &sale, "--json"]).out);
    assert_eq!(sale["data"]["kind"], "documents_commerceml", "{sale}");
    assert!(sale["data"]["counts"]["documents"].as_u64().unwrap() > 1, "{sale}");
    assert!(!program.data().exists(), "looking makes nothing");
}

#[test]
fn the_state_and_the_journal_are_told_beside_a_running_program() {
    let program = Program::new();
    assert_eq!(program.run(&["exchange", "status"]).code, 5, "there is no database");
    let running = program.start(&["serve", "--listen", "127.0.0.1:0"]);
    let status = program.run(&["exchange", "status"]);
    assert_eq!(status.code, 0, "{}", status.err);
    assert!(status.out.contains("Обмен не настроен"), "{}", status.out);
    assert!(program.run(&["exchange", "log"]).out.contains("Обменов нет"));
    let body =
        r#"[{"sku":"А1","title":"Саморез","price":1},{"sku":"А2","title":"Нитки","price":"12р"}]"#;
    assert_eq!(post(running.address, "/onec/catalog", body).0, 200);
    let status = json(&program.run(&["exchange", "status", "--json"]).out);
    assert_eq!(status["data"]["state"], "works", "{status}");
    assert_eq!(status["data"]["last"]["outcome"], "partly", "{status}");
    let log = program.run(&["exchange", "log"]);
    assert!(log.out.contains("Каталог") && log.out.contains("частично"), "{}", log.out);
    let none = json(&program.run(&["exchange", "log", "--outcome", "failed", "--json"]).out);
    assert_eq!(none["data"], Value::Array(Vec::new()));
    let one = program.run(&["exchange", "log", "1"]);
    assert!(one.out.contains("поле «price» = «12р»"), "{}", one.out);
    assert_eq!(program.run(&["exchange", "log", "77"]).code, 5);

    let again = program.run(&["exchange", "replay", "1", "--json"]);
    assert_eq!(again.code, 4, "the bad record is still bad: {}{}", again.out, again.err);
    assert_eq!(json(&again.out)["data"]["exchanges"], serde_json::json!([2]));
    let gone = program.run(&["exchange", "replay", "2"]);
    assert_eq!(gone.code, 5, "{}", gone.err);
    assert!(gone.err.contains("исходных файлов этого обмена нет"), "{}", gone.err);
    assert_eq!(program.run(&["exchange", "replay", "9"]).code, 5);
    running.stop();
}

/// Answers one request with a catalogue, after checking nothing.
fn one_catalogue(listener: std::net::TcpListener) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let (mut asked, mut piece) = (String::new(), [0; 4096]);
        while !asked.contains("\r\n\r\n") {
            let count = stream.read(&mut piece).expect("read");
            asked.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
        let body = r#"{"items":[{"sku":"1","title":"Bolt"}]}"#;
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).expect("written");
        asked
    })
}

#[test]
fn the_catalogue_is_pulled_by_hand_and_its_exit_code_says_why_not() {
    let program = Program::new();
    program.run(&["init"]);
    let none = program.run(&["exchange", "pull"]);
    assert_eq!(none.code, 3, "{}", none.err);
    assert!(none.err.contains("onec.pull.base_url"), "{}", none.err);
    let pull = |port: u16| {
        let mut command = program.command(&["exchange", "pull"]);
        command.env("ONE_C_BASE_URL", format!("http://127.0.0.1:{port}/hs"));
        command.env("ONE_C_USERNAME", "obmen");
        command.env("ONE_C_PASSWORD", "parol-SECRET");
        super::program::run(command)
    };
    let away = pull(free_port());
    assert_eq!(away.code, 6, "{}", away.err);
    assert!(!away.err.contains("SECRET"), "{}", away.err);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let onec = one_catalogue(listener);
    let pulled = pull(port);
    assert_eq!(pulled.code, 0, "{}{}", pulled.out, pulled.err);
    assert!(pulled.out.contains("Создано 1"), "{}", pulled.out);
    assert!(onec.join().expect("answered").contains("authorization: Basic "));
    let log = program.run(&["exchange", "log"]).out;
    assert!(log.contains("Забор") && log.contains("сбой"), "{log}");
}

#[test]
fn check_tells_how_1c_is_set_up_and_warns_of_open_doors() {
    let program = Program::new();
    let checks = |environment: &[(&str, &str)]| {
        let mut command = program.command(&["check", "--json"]);
        command.envs(environment.iter().copied());
        let said = super::program::run(command);
        assert!(!said.out.contains("SECRET"), "{}", said.out);
        json(&said.out)["data"]["checks"].as_array().expect("checks").clone()
    };
    let of = |checks: &[Value], name: &str| {
        checks.iter().find(|check| check["name"] == name).cloned().expect("a check")
    };
    let plain = checks(&[]);
    assert_eq!(of(&plain, "1С: JSON")["state"], "ok");
    assert_eq!(of(&plain, "1С: обмен с сайтом")["text"], "выключен");
    let open = checks(&[("ONE_C_OPEN", "true"), ("ONE_C_ENABLED", "true")]);
    assert_eq!(of(&open, "1С: JSON")["state"], "warning");
    assert_eq!(of(&open, "1С: забор каталога")["state"], "warning");
    let full = checks(&[
        ("ONE_C_WEBHOOK_TOKEN", "a-token-SECRET-of-24-chars-abcd"),
        ("ONE_C_EXCHANGE_USERNAME", "1c"),
        ("ONE_C_EXCHANGE_PASSWORD", "a-password-SECRET-wxyz"),
        ("ONE_C_BASE_URL", "http://192.168.0.5/hs"),
        ("ONE_C_ENABLED", "true"),
    ]);
    assert_eq!(of(&full, "1С: JSON")["text"], "токен ***abcd");
    assert_eq!(of(&full, "1С: обмен с сайтом")["text"], "включён");
    assert!(of(&full, "1С: забор каталога")["text"].as_str().unwrap().contains("192.168.0.5"));
}
