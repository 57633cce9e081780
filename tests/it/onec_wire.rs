//! What a 1C does to a connection: keeps it in silence, writes letters into addresses.

use std::time::Duration;

use crate::program::Program;
use crate::support::raw103::{Raw103, windows};
use crate::support::ut103::{LOGIN, PASSWORD, one, server};

fn success() -> (u16, String) {
    (200, "success".to_owned())
}

/// Time that nobody lives through.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
    // Whoever has been woken does what there is to do.
    tokio::time::sleep(Duration::from_millis(200)).await;
}

#[tokio::test]
async fn a_1c_that_writes_documents_for_minutes_finds_its_connection_as_it_was() {
    let server = server().await;
    let mut onec = Raw103::connect(server.address).await;
    onec.enter("sale").await;
    let (status, xml) = onec.get(b"type=sale&mode=query").await;
    assert!(status == 200 && xml.starts_with("<?xml"), "{xml}");
    pass(Duration::from_mins(10)).await;
    assert_eq!(onec.get(b"type=sale&mode=success").await, success());
    // A request that begins and does not go on is no silence between requests.
    onec.send(b"GET /1c_exchange?type=sale").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    pass(Duration::from_secs(31)).await;
    assert!(onec.is_closed().await);
    // Nor is silence without end one.
    let mut gone = Raw103::connect(server.address).await;
    gone.enter("sale").await;
    pass(Duration::from_mins(16)).await;
    assert!(gone.is_closed().await);
}

#[tokio::test]
async fn what_is_no_call_is_refused_in_json() {
    let server = server().await;
    for path in ["/onec/catalog/", "/api/onec/x", "/integrations/1c", "/onec/"] {
        let reply = server.post(path, "[]").await;
        assert_eq!(
            (reply.status, reply.text.as_str()),
            (404, r#"{"detail":"Not found"}"#),
            "{path}"
        );
    }
    let reply = server.get("/onec/catalog").await;
    assert_eq!((reply.status, reply.json()["detail"].as_str()), (405, Some("Method not allowed")));
    assert_eq!(reply.headers["allow"], "POST");
    let orders = server.send(server.client.delete(server.url("/onec/orders"))).await;
    let allowed = orders.headers["allow"].to_str().expect("a text");
    assert!(orders.status == 405 && allowed.contains("GET") && allowed.contains("POST"));
    assert_eq!(server.post("/elsewhere", "[]").await.status, 404);
}

#[tokio::test]
async fn who_has_not_been_let_in_may_not_be_silent() {
    let server = server().await;
    let mut stranger = Raw103::connect(server.address).await;
    stranger.send(b"GET /1c_exchange?type=sale&mode=checkauth HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(stranger.answer().await.0, 401);
    let mut mute = Raw103::connect(server.address).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    pass(Duration::from_secs(31)).await;
    assert!(stranger.is_closed().await && mute.is_closed().await);
}

#[tokio::test]
async fn a_name_is_taken_as_1c_writes_it_letters_blanks_and_all() {
    let server = server().await;
    let mut onec = Raw103::connect(server.address).await;
    onec.enter("catalog").await;
    let names = [
        windows("Каталог товаров № 1.xml"),
        "Каталог — второй #2.xml".as_bytes().to_vec(),
        windows("import_files/Я/a b.jpg"),
    ];
    for (name, title) in names.iter().zip(["Первый", "Второй", "картинка"]) {
        let file = [b"type=catalog&mode=file&filename=", name.as_slice()].concat();
        assert_eq!(onec.post(&file, &one(title)).await, success());
        let import = [b"type=catalog&mode=import&filename=", name.as_slice()].concat();
        assert_eq!(onec.get(&import).await, success());
    }
    assert_eq!(server.rows("select title from products"), ["Второй"]);
    let shown = server.rows("select name from exchange_files order by exchange_id");
    assert_eq!(shown, ["Каталог товаров № 1.xml", "Каталог — второй #2.xml"]);
    let (status, text) = onec.get(&windows("type=catalog&mode=import&filename=Нет.xml")).await;
    assert_eq!(
        (status, text.as_str()),
        (200, "failure\nФайл Нет.xml не найден: передайте его снова")
    );
}

#[tokio::test]
async fn requests_that_come_joined_or_byte_by_byte_are_the_same_requests() {
    let server = server().await;
    let mut onec = Raw103::connect(server.address).await;
    onec.enter("catalog").await;
    // The body holds what looks like a request, and letters in the code page of Windows.
    let title = "GET /я й HTTP/1.1";
    let mut all = Vec::new();
    let body = windows(&String::from_utf8(one(&format!("\r\n\r\n{title}\r\n\r\n"))).expect("text"));
    all.extend(onec.request("POST", &windows("type=catalog&mode=file&filename=Я й.xml"), &body));
    all.extend(onec.request("GET", &windows("type=catalog&mode=import&filename=Я й.xml"), b""));
    onec.send(&all).await;
    assert_eq!(onec.answer().await, success());
    assert_eq!(onec.answer().await, success());
    assert_eq!(server.rows("select title from products"), [title]);
    let version = server.version();
    for byte in &all {
        onec.send(&[*byte]).await;
    }
    assert_eq!(onec.answer().await, success());
    assert_eq!(onec.answer().await, success());
    assert_eq!(server.version(), version, "the same goods once more");
}

#[tokio::test]
async fn a_body_in_chunks_arrives_as_it_was_sent() {
    let server = server().await;
    let mut onec = Raw103::connect(server.address).await;
    onec.enter("catalog").await;
    let body = windows(&String::from_utf8(one("Й Ц\r\nУ К")).expect("text"));
    let head = onec.request("POST", b"type=catalog&mode=file&filename=a.xml", b"");
    let head = String::from_utf8(head).expect("ASCII");
    let mut sent = head.replace("Content-Length: 0", "Transfer-Encoding: chunked").into_bytes();
    for piece in body.chunks(7) {
        sent.extend(format!("{:x}\r\n", piece.len()).bytes());
        sent.extend_from_slice(piece);
        sent.extend(b"\r\n");
    }
    sent.extend(b"0\r\n\r\n");
    onec.send(&sent).await;
    assert_eq!(onec.answer().await, success());
    assert_eq!(onec.get(b"type=catalog&mode=import&filename=a.xml").await, success());
    assert_eq!(server.rows("select title from products"), ["Й Ц У К"]);
}

#[tokio::test]
async fn an_upload_is_there_after_the_program_was_killed() {
    let settings = format!("[onec.exchange]\nusername = \"{LOGIN}\"\npassword = \"{PASSWORD}\"\n");
    let program = Program::new().with("partner-m.toml", &settings);
    let running = program.start(&["serve", "--listen", "127.0.0.1:0"]);
    let mut onec = Raw103::connect(running.address).await;
    onec.enter("catalog").await;
    let file = b"type=catalog&mode=file&filename=import.xml";
    assert_eq!(onec.post(file, &one("Клей")).await, success());
    drop(running);
    let running = program.start(&["serve", "--listen", "127.0.0.1:0"]);
    let mut onec = onec.again(running.address).await;
    assert_eq!(onec.get(b"type=catalog&mode=import&filename=import.xml").await, success());
    let (_, text) = onec.get(b"type=catalog&mode=import&filename=offers.xml").await;
    assert!(text.contains("не найден"), "{text}");
}

#[tokio::test]
async fn nobody_is_answered_in_another_protocol_than_http_1() {
    let server = server().await;
    let mut onec = Raw103::connect(server.address).await;
    let asked = onec.request("GET", b"type=catalog&mode=checkauth", b"");
    let asked = String::from_utf8(asked).expect("ASCII");
    let fields =
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
    let asked = asked.replace("\r\n\r\n", &format!("\r\n{fields}\r\n"));
    onec.send(asked.as_bytes()).await;
    let (status, text) = onec.answer().await;
    assert!(status == 200 && text.starts_with("success\n"), "{status} {text}");
    let mut other = Raw103::connect(server.address).await;
    other.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert!(!other.rest().await.starts_with(b"\0\0"), "no frame comes back");
}
