//! The demo: a first look that needs nothing and touches nothing.

use super::program::{Program, Running};

/// Starts a demo on any port.
fn demo(program: &Program, more: &[&str]) -> Running {
    let mut command = program.command(&[&["demo", "--listen", "127.0.0.1:0"], more].concat());
    // What a demo must not read.
    command.env("BOT_TOKEN", "12345:must-not-be-read").env("PARTNER_M_DATA", "/nowhere");
    Running::begin(command)
}

#[test]
fn a_demo_serves_its_catalogue_on_loopback_and_leaves_nothing_behind() {
    let program =
        Program::new().with("partner-m.toml", "broken [").with(".env", "PARTNER_M_LISTEN=x");
    let temporary = program.folder().join("tmp");
    std::fs::create_dir(&temporary).expect("made");
    let mut command = program.command(&["demo", "--listen", "127.0.0.1:0", "--json"]);
    command.env("TMPDIR", &temporary).env("BOT_TOKEN", "12345:must-not-be-read");
    let running = Running::begin(command);
    assert!(running.address.ip().is_loopback());
    assert_eq!(running.get("/health").0, 200);
    let (status, page) = running.get("/chat/anna");
    assert_eq!(status, 200, "the chat needs no password");
    assert!(page.contains("Диван-М"), "{page}");
    assert_eq!(running.get("/admin/login").0, 200);
    assert_eq!(std::fs::read_dir(&temporary).expect("a folder").count(), 1);
    let (code, rest) = running.stop();
    assert_eq!(code, Some(0), "{rest}");
    assert_eq!(std::fs::read_dir(&temporary).expect("a folder").count(), 0, "it is gone");
    assert!(!program.data().exists());
}

#[test]
fn a_demo_may_be_kept_but_not_over_other_data() {
    let program = Program::new();
    let (code, _) = demo(&program, &["--data", "kept"]).stop();
    assert_eq!(code, Some(0));
    let (code, _) = demo(&program, &["--data", "kept"]).stop();
    assert_eq!(code, Some(0), "its own folder may be used again");

    std::fs::create_dir(program.folder().join("mine")).expect("made");
    std::fs::write(program.folder().join("mine/letter.txt"), "x").expect("written");
    let said = program.run(&["demo", "--data", "mine"]);
    assert_eq!(said.code, 2, "{}", said.err);
    let said = program.run(&["demo", "--listen", "0.0.0.0:0"]);
    assert_eq!(said.code, 2, "a demo is not for others: {}", said.err);
}

#[test]
fn the_password_changes_with_every_run() {
    let program = Program::new();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let running = demo(&program, &["--data", "kept"]);
        let password = running.out_line("пароль на этот запуск: ");
        assert_eq!(password.len(), 11, "{password}");
        seen.push(password);
        running.stop();
    }
    assert_ne!(seen[0], seen[1]);
}

#[test]
fn the_catalogue_is_fit_to_show() {
    let text = include_str!("../../assets/demo/catalog.json");
    let catalog: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let items = catalog["items"].as_array().expect("items");
    assert!((500..=1_000).contains(&items.len()), "{}", items.len());
    for item in items {
        let path = item["category"].as_str().expect("a category");
        assert!((2..=3).contains(&path.split('/').count()), "{item}");
        assert!(item["price"].as_f64().is_some_and(|price| price > 0.0), "{item}");
        assert!(item["unit"].as_str().is_some_and(|unit| !unit.is_empty()), "{item}");
    }
    let messages = [
        "саморез 4х25 жёлтый 4000 шт",
        "скобы 80/10 5 уп\nткань велес серая 10м\nсаморез 3.5х16 -4т.шт жёлтый",
        "поролон ST2536 40 мм 1х2 - 10 листов, евровинт 7х50 1 уп, газлифт 100 20 шт",
    ];
    let program = Program::new().with("catalog.json", text);
    for message in messages {
        let program_file = program.folder().join("order.txt");
        std::fs::write(&program_file, message).expect("written");
        let said = program.run(&["recognize", "order.txt", "--catalog", "catalog.json", "--json"]);
        let answer: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        let lines = answer["data"]["lines"].as_array().expect("lines");
        assert!(!lines.is_empty());
        assert!(lines.iter().all(|line| line["status"] == "matched"), "{}", said.out);
    }
}
