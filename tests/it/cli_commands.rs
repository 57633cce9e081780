//! Commands as people and scripts call them.

use super::program::Program;

#[test]
fn a_typo_is_answered_with_what_was_meant() {
    let said = Program::new().run(&["chek"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.starts_with("ошибка: нет команды «chek», возможно «check»"), "{}", said.err);
}

#[test]
fn help_has_one_purpose_line_and_three_examples_first() {
    let program = Program::new();
    let help = program.run(&["--help"]).out;
    let mut commands = Vec::new();
    let listed = help.split("Команды:\n").nth(1).expect("commands");
    for line in listed.lines().take_while(|line| !line.is_empty()) {
        commands.push(line.split_whitespace().next().expect("a name").to_owned());
    }
    assert!(commands.contains(&"serve".to_owned()), "{commands:?}");
    for command in commands {
        let said = program.run(&[&command, "--help"]);
        assert_eq!(said.code, 0, "{command}");
        let mut lines = said.out.lines();
        assert!(lines.next().is_some_and(|line| !line.is_empty()), "{command}: {}", said.out);
        assert_eq!(lines.next(), Some(""), "{command}");
        assert_eq!(lines.next(), Some("Примеры:"), "{command}: {}", said.out);
        let examples = lines.take_while(|line| line.starts_with("  partner-m")).count();
        assert_eq!(examples, 3, "{command}: {}", said.out);
        for english in ["Usage", "Options", "Commands", "Print help", "[default", "[possible"] {
            assert!(!said.out.contains(english), "{command}: {}", said.out);
        }
    }
}

#[test]
fn check_tells_every_setting_with_its_source_and_no_secret() {
    let program = Program::new().with(".env", "BOT_TOKEN=12345:abcdefghijklmnop\nDATABASE_URL=x\n");
    let said = program.run(&["check", "--json"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let answer: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(answer["ok"], true);
    let settings = answer["data"]["settings"].as_array().expect("settings");
    let token = settings.iter().find(|s| s["key"] == "telegram.bot_token").expect("the token");
    assert_eq!(token["value"], "***mnop");
    assert_eq!(token["source"], "dotenv");
    assert!(!said.out.contains("abcdefgh"));
    let human = program.run(&["check"]);
    assert!(human.out.contains(".env, строка\u{a0}1, BOT_TOKEN"), "{}", human.out);
    assert!(human.out.contains("DATABASE_URL больше не нужна"), "{}", human.out);
    assert!(!human.out.contains("abcdefgh"));
    assert!(!program.data().exists(), "looking makes nothing");
}

#[test]
fn completions_and_the_version_need_no_data() {
    let program = Program::new().with("partner-m.toml", "broken");
    assert!(program.run(&["completions", "bash"]).out.contains("partner-m"));
    let version = program.run(&["version"]).out;
    assert_eq!(version, format!("partner-m {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(program.run(&["--version"]).out, version);
}
