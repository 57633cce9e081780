//! What the operator does by hand: copies, the way back, the file, the bot.

use serde_json::Value;

use super::program::{Program, free_port, post};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

const ITEM: &str = r#"{"items":[{"sku":"А1","title":"Саморез 4х25 жёлтый","price":0.9}]}"#;

#[test]
fn a_copy_is_made_beside_a_running_program_and_brings_its_data_back() {
    let program = Program::new();
    let running = program.start(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(post(running.address, "/onec/catalog", ITEM).0, 200);
    let made = program.run(&["backup"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let copy = made.out.trim().to_owned();
    assert!(std::path::Path::new(&program.folder().join(&copy)).is_file(), "{copy}");
    assert!(made.err.contains("товаров 1"), "{}", made.err);

    let held = program.run(&["restore", &copy, "--yes"]);
    assert_eq!(held.code, 7, "the data is in use: {}", held.err);
    let more = r#"{"items":[{"sku":"А2","title":"Поролон","price":1}]}"#;
    assert_eq!(post(running.address, "/onec/catalog", more).0, 200);
    running.stop();

    let unsure = program.run(&["restore", &copy]);
    assert_eq!(unsure.code, 2, "nobody to ask: {}", unsure.err);
    let now = json(&program.run(&["db", "check", "--json"]).out);
    assert_eq!(now["data"]["products"], 2);
    let back = program.run(&["restore", &copy, "--yes", "--json"]);
    assert_eq!(back.code, 0, "{}{}", back.out, back.err);
    let aside = json(&back.out)["data"]["aside"].as_str().expect("kept").to_owned();
    assert!(program.folder().join(aside).is_file());
    let then = json(&program.run(&["db", "check", "--json"]).out);
    assert_eq!(then["data"]["products"], 1);
    let (code, _) = program.start(&["serve", "--listen", "127.0.0.1:0"]).stop();
    assert_eq!(code, Some(0));
}

#[test]
fn copies_are_listed_and_verified() {
    let program = Program::new();
    assert_eq!(program.run(&["backup"]).code, 5, "there is nothing to copy");
    program.run(&["init"]);
    assert!(program.run(&["backup", "list"]).out.contains("нет"));
    let to = program.folder().join("copy.db");
    let made = program.run(&["backup", "--to", &to.display().to_string()]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert_eq!(program.run(&["backup"]).code, 0);
    let list = json(&program.run(&["backup", "list", "--json"]).out);
    assert_eq!(list["data"].as_array().expect("a list").len(), 1, "{list}");
    assert_eq!(program.run(&["backup", "verify"]).code, 0);

    let mut bytes = std::fs::read(&to).expect("read");
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(b'x');
    std::fs::write(&to, bytes).expect("written");
    let bad = program.run(&["backup", "verify", &to.display().to_string()]);
    assert_eq!(bad.code, 1, "{}", bad.out);
    let refused = program.run(&["restore", &to.display().to_string(), "--yes"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("повреждена"), "{}", refused.err);
    let absent = program.run(&["restore", "absent.db", "--yes"]);
    assert_eq!(absent.code, 5, "{}", absent.err);
}

#[test]
fn the_file_is_checked_and_pressed_by_hand() {
    let program = Program::new();
    assert_eq!(program.run(&["db", "check"]).code, 5);
    assert!(!program.data().exists(), "looking makes nothing");
    program.run(&["init"]);
    let migrated = program.run(&["db", "migrate"]);
    assert!(migrated.out.contains("обновлять нечего"), "{}{}", migrated.out, migrated.err);
    assert_eq!(program.run(&["db", "vacuum"]).code, 0);
    let running = program.start(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(program.run(&["db", "check"]).code, 0, "beside a running program");
    assert_eq!(program.run(&["db", "vacuum"]).code, 7);
    running.stop();
}

#[test]
fn the_bot_and_the_models_are_asked_without_a_database() {
    let program = Program::new();
    let none = program.run(&["bot", "check"]);
    assert_eq!(none.code, 3, "{}", none.err);
    let mut command = program.command(&["bot", "check"]);
    command.env("BOT_TOKEN", "12345:abcdefghijklmnop");
    command.env("TELEGRAM_API_URL", format!("http://127.0.0.1:{}", free_port()));
    let away = super::program::run(command);
    assert_eq!(away.code, 6, "{}", away.err);
    assert!(!away.err.contains("abcdefgh"), "{}", away.err);
    let none = program.run(&["llm", "test"]);
    assert_eq!(none.code, 3, "{}", none.err);
    let mut command = program.command(&["llm", "test"]);
    command.env("OPENAI_BASE_URL", format!("http://127.0.0.1:{}/v1", free_port()));
    let away = super::program::run(command);
    assert_eq!(away.code, 6, "{}{}", away.out, away.err);
    let mut command = program.command(&["check", "--online", "--json"]);
    command.env("BOT_TOKEN", "12345:abcdefghijklmnop");
    command.env("TELEGRAM_API_URL", format!("http://127.0.0.1:{}", free_port()));
    let checked = super::program::run(command);
    assert_eq!(checked.code, 1, "{}", checked.out);
    let checks = json(&checked.out)["data"]["checks"].as_array().expect("checks").clone();
    assert!(checks.iter().any(|c| c["name"] == "Telegram" && c["state"] == "failed"));
    assert!(!program.data().exists());
}
