//! The life of the process: what it does without Telegram, beside other processes, and at its end.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use super::program::{Program, Running, post, run};

const ITEM: &str = r#"{"items":[{"sku":"А1","title":"Саморез 4х25 жёлтый","price":0.9}]}"#;

/// Starts `serve` with a token and this Bot API.
fn with_bot(program: &Program, api: &str) -> Running {
    let mut command = program.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("BOT_TOKEN", "12345:abcdefghijklmnop").env("TELEGRAM_API_URL", api);
    Running::begin(command)
}

#[test]
fn without_a_network_everything_but_telegram_works() {
    let program = Program::new();
    let running = with_bot(&program, "http://127.0.0.1:1");
    assert_eq!(running.get("/health").0, 200);
    assert_eq!(running.get("/admin/login").0, 200);
    assert_eq!(post(running.address, "/integrations/1c/catalog", ITEM).0, 200);
    let begun = Instant::now();
    let (code, rest) = running.stop();
    assert_eq!(code, Some(0), "{rest}");
    assert!(begun.elapsed().as_secs() < 10, "the bot's waiting is cut short");
    assert!(!rest.contains("abcdefghijklmnop"), "{rest}");
}

#[test]
fn a_token_that_telegram_refuses_is_told_and_the_rest_works() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let api = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 4096]);
            let body = r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#;
            let _ = write!(
                stream,
                "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    let program = Program::new();
    let running = with_bot(&program, &api);
    assert_eq!(running.get("/health").0, 200);
    let rest = running.wait_for_log("токен");
    assert!(!rest.contains("abcdefghijklmnop"), "{rest}");
    assert_eq!(running.get("/admin/login").0, 200);
    let (code, _) = running.stop();
    assert_eq!(code, Some(0));
}

#[test]
fn another_process_is_heard_within_a_second() {
    let program = Program::new();
    let running = program.start(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(post(running.address, "/onec/catalog", ITEM).0, 200, "nobody administers yet");
    let mut command = program.command(&[
        "admin",
        "create",
        "--phone",
        "89211234567",
        "--name",
        "Анна",
        "--password-stdin",
    ]);
    let path = program.folder().join("password");
    std::fs::write(&path, "семь раз отмерь").expect("written");
    command.stdin(std::fs::File::open(path).expect("opens"));
    assert_eq!(run(command).code, 0);
    running.wait_for_log("базу данных изменил другой процесс");
    let (status, body) = post(running.address, "/onec/catalog", ITEM);
    assert_eq!(status, 401, "an administrator ends the privilege of loopback: {body}");
    running.stop();
}

#[test]
fn one_signal_waits_for_work_in_hand_and_a_second_one_does_not() {
    let program = Program::new();
    let running = program.start(&["serve", "--listen", "127.0.0.1:0"]);
    let mut stream = TcpStream::connect(running.address).expect("connects");
    let head = "POST /onec/catalog HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).expect("written");
    assert_eq!(running.get("/health").0, 200);
    running.signal("TERM");
    running.wait_for_log("останавливаюсь");
    let begun = Instant::now();
    running.signal("TERM");
    let (code, _) = running.wait();
    assert_eq!(code, Some(130));
    assert!(begun.elapsed().as_secs() < 5);
}

#[test]
fn the_second_port_has_1c_and_nothing_else() {
    let program = Program::new();
    let port = super::program::free_port();
    let mut command = program.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("ONE_C_LISTEN", format!("127.0.0.1:{port}"));
    let running = Running::begin(command);
    let onec = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    assert_eq!(post(onec, "/api/onec/catalog", ITEM).0, 200);
    assert_eq!(super::program::get(onec, "/admin/login").0, 404);
    assert_eq!(super::program::get(onec, "/health").0, 404);
    running.stop();
}

#[test]
fn systemd_hears_ready_watchdog_and_stopping() {
    let program = Program::new();
    let path = program.folder().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(std::time::Duration::from_secs(20))).expect("set");
    let hear = |wanted: &str| {
        let mut buffer = [0; 4096];
        loop {
            let count = socket.recv(&mut buffer).expect("a message in time");
            let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
            if text.contains(wanted) {
                return;
            }
        }
    };
    let mut command = program.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "400000");
    let running = Running::begin(command);
    hear("READY=1");
    hear("WATCHDOG=1");
    running.signal("TERM");
    hear("STOPPING=1");
    let (code, _) = running.wait();
    assert_eq!(code, Some(0));
}
