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
    let nested = [
        "admin create",
        "admin list",
        "admin passwd",
        "admin role",
        "admin block",
        "backup list",
        "backup verify",
        "catalog import",
        "catalog export",
        "catalog stats",
        "exchange status",
        "exchange pull",
        "exchange log",
        "exchange replay",
        "exchange validate",
        "db check",
        "db migrate",
        "db vacuum",
        "bot check",
        "llm test",
    ];
    let nested = nested.map(str::to_owned);
    for command in commands.into_iter().chain(nested) {
        let arguments: Vec<_> = command.split(' ').chain(["--help"]).collect();
        let said = program.run(&arguments);
        assert_eq!(said.code, 0, "{command}");
        let mut lines = said.out.lines();
        assert!(lines.next().is_some_and(|line| !line.is_empty()), "{command}: {}", said.out);
        assert_eq!(lines.next(), Some(""), "{command}");
        assert_eq!(lines.next(), Some("Примеры:"), "{command}: {}", said.out);
        let examples =
            lines.take_while(|line| !line.is_empty()).filter(|line| line.contains("partner-m"));
        assert_eq!(examples.count(), 3, "{command}: {}", said.out);
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

/// Runs a command with a text on its standard input.
fn feed(program: &Program, arguments: &[&str], text: &str) -> super::program::Said {
    let path = program.folder().join("stdin");
    std::fs::write(&path, text).expect("written");
    let mut command = program.command(arguments);
    command.stdin(std::fs::File::open(path).expect("opens"));
    super::program::run(command)
}

#[test]
fn init_makes_a_folder_that_serve_understands_and_may_be_repeated() {
    let program = Program::new();
    let arguments =
        ["init", "--dir", "desk", "--phone", "89211234567", "--name", "Анна", "--password-stdin"];
    let said = feed(&program, &arguments, "пароль с пробелом \n");
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let desk = program.folder().join("desk");
    let settings = std::fs::read_to_string(desk.join("partner-m.toml")).expect("settings");
    assert!(settings.contains("\ndata_dir = \"/"), "{settings}");
    std::fs::write(desk.join("partner-m.toml"), format!("{settings}\n# моё\n")).expect("written");

    let again = feed(&program, &arguments, "другой пароль");
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    let kept = std::fs::read_to_string(desk.join("partner-m.toml")).expect("settings");
    assert!(kept.ends_with("# моё\n"), "the settings stay");

    let list = program.run(&["admin", "list", "--json", "--config", "desk/partner-m.toml"]);
    let answer: serde_json::Value = serde_json::from_str(&list.out).expect("JSON");
    let staff = answer["data"].as_array().expect("a list");
    assert_eq!(staff.len(), 1, "{}", list.out);
    assert_eq!(staff[0]["phone"], "+79211234567");
    assert_eq!(staff[0]["role"], "admin");

    let mut command = program.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.current_dir(&desk);
    let (code, _) = super::program::Running::begin(command).stop();
    assert_eq!(code, Some(0));
}

#[test]
fn staff_is_made_promoted_blocked_and_the_last_administrator_stays() {
    let program = Program::new();
    let missing = program.run(&["admin", "list"]);
    assert_eq!(missing.code, 5, "{}", missing.err);
    assert!(missing.err.contains("data/partner-m.db"), "{}", missing.err);

    program.run(&["init"]);
    let create = |phone: &str, role: &str, password: &str| {
        let arguments = [
            "admin",
            "create",
            "--phone",
            phone,
            "--name",
            "Мария",
            "--role",
            role,
            "--password-stdin",
        ];
        feed(&program, &arguments, password)
    };
    let short = create("89211234567", "admin", "short");
    assert_eq!(short.code, 1);
    assert!(short.err.contains("короче 8 символов"), "{}", short.err);
    assert_eq!(create("89211234567", "admin", "семь раз отмерь").code, 0);
    assert_eq!(create("89211234568", "manager", "один раз отрежь").code, 0);

    let list = program.run(&["admin", "list"]).out;
    assert!(list.contains("администратор") && list.contains("менеджер"), "{list}");
    assert!(!list.contains("argon2"), "{list}");
    let last = program.run(&["admin", "role", "89211234567", "client"]);
    assert_eq!(last.code, 1, "{}{}", last.out, last.err);
    assert!(last.err.contains("хотя бы один администратор"), "{}", last.err);
    assert_eq!(program.run(&["admin", "role", "+79211234568", "admin"]).code, 0);
    assert_eq!(program.run(&["admin", "block", "89211234567"]).code, 0);
    assert!(program.run(&["admin", "list"]).out.contains("доступ закрыт"));
    assert_eq!(program.run(&["admin", "block", "89211234567", "--off"]).code, 0);
    let unknown = program.run(&["admin", "block", "89990000000"]);
    assert_eq!(unknown.code, 5, "{}", unknown.err);
    let nobody = program.run(&["admin", "passwd", "89211234567"]);
    assert_eq!(nobody.code, 2, "nobody to ask: {}", nobody.err);
    let changed = feed(
        &program,
        &["admin", "passwd", "89211234567", "--password-stdin"],
        "новый длинный пароль",
    );
    assert_eq!(changed.code, 0, "{}", changed.err);
}

#[test]
fn completions_and_the_version_need_no_data() {
    let program = Program::new().with("partner-m.toml", "broken");
    assert!(program.run(&["completions", "bash"]).out.contains("partner-m"));
    let version = program.run(&["version"]).out;
    assert_eq!(version, format!("partner-m {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(program.run(&["--version"]).out, version);
}

#[test]
fn init_says_how_to_start_with_settings_of_another_name() {
    let program = Program::new().with("own.toml", "");
    let said = program.run(&["--config", "own.toml", "init"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let file = program.folder().join("own.toml");
    let expected = format!("дальше: partner-m serve --config {}\n", file.display());
    assert!(said.out.contains(&expected), "{}", said.out);
    let said = program.run(&["init", "--dir", "."]);
    let expected = format!("дальше: cd {} && partner-m serve\n", program.folder().display());
    assert!(said.out.contains(&expected), "{}", said.out);
}
