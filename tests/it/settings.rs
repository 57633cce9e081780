//! Where settings come from, what wins, what is refused and what is only told.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use partner_m::config::{Config, Inputs, Loaded, LogFormat, Mistakes, Source, table::SETTINGS};

/// A working folder with a settings file, a `.env` and an environment.
struct Place {
    dir: tempfile::TempDir,
    inputs: Inputs,
}

fn place() -> Place {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let inputs = Inputs { folder: dir.path().to_owned(), ..Inputs::default() };
    Place { dir, inputs }
}

impl Place {
    fn file(self, text: &str) -> Self {
        std::fs::write(self.dir.path().join("partner-m.toml"), text).expect("written");
        self
    }

    fn dotenv(self, text: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.dir.path().join(".env"), text).expect("written");
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.inputs.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn flag(mut self, key: &'static str, name: &'static str, value: &str) -> Self {
        self.inputs.flags.push((key, name, value.to_owned()));
        self
    }

    fn panel(mut self, key: &str, value: &str) -> Self {
        self.inputs.panel.push((key.to_owned(), value.to_owned()));
        self
    }

    fn load(&self) -> Loaded {
        Config::load(&self.inputs).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// The mistakes, with the temporary folder left out.
    fn mistakes(&self) -> Vec<String> {
        let mistakes = Config::load(&self.inputs).expect_err("must be refused").0;
        let folder = format!("{}/", self.dir.path().display());
        mistakes.iter().map(|m| m.replace(&folder, "").replace('\u{a0}', " ")).collect()
    }
}

fn source<'a>(loaded: &'a Loaded, key: &str) -> &'a Source {
    &loaded.values.iter().find(|value| value.key == key).expect("a setting").source
}

#[test]
fn a_flag_beats_the_environment_beats_dotenv_beats_the_file_beats_the_panel() {
    let key = "company.name";
    let mut place = place().panel(key, "Панель");
    assert_eq!(place.load().config.company.name, "Панель");
    place = place.file("[company]\nname = \"Файл\"\n");
    assert_eq!(place.load().config.company.name, "Файл");
    let path = place.dir.path().join("partner-m.toml");
    assert_eq!(source(&place.load(), key), &Source::File { path, line: 2 });
    place = place.dotenv("# старое\nCOMPANY_NAME=Дотенв\n");
    assert_eq!(place.load().config.company.name, "Дотенв");
    let expected = Source::DotEnv { name: "COMPANY_NAME".to_owned(), line: 2 };
    assert_eq!(source(&place.load(), key), &expected);
    place = place.env("COMPANY_NAME", "Окружение");
    assert_eq!(place.load().config.company.name, "Окружение");
    place = place.flag(key, "--name", "Флаг");
    assert_eq!(place.load().config.company.name, "Флаг");
    assert_eq!(source(&place.load(), key), &Source::Flag { name: "--name" });
}

#[test]
fn an_empty_value_is_no_value() {
    let place = place()
        .file("[telegram]\nbot_token = \"\"\n[company]\nname = \"Файл\"\n")
        .dotenv("BOT_TOKEN=\nCOMPANY_NAME=\nADMIN_PHONE=\n")
        .env("COMPANY_NAME", " ");
    let loaded = place.load();
    assert!(loaded.config.telegram.bot_token.is_none());
    assert_eq!(loaded.config.company.name, "Файл");
    assert_eq!(source(&loaded, "telegram.bot_token"), &Source::Default);
}

#[test]
fn the_settings_file_is_the_first_of_four_places() {
    let place = place().file("[company]\nname = \"Здесь\"\n");
    let write = |name: &str, text: &str| {
        let path = place.dir.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let system = write("system.toml", "[company]\nname = \"Система\"\n");
    let named = write("named.toml", "[company]\nname = \"Названный\"\n");
    let flag = write("flag.toml", "[company]\nname = \"Флаг\"\n");
    let name = |inputs: &Inputs| Config::load(inputs).expect("read").config.company.name;

    let mut inputs = Inputs { system_file: Some(system), ..place.inputs.clone() };
    assert_eq!(name(&inputs), "Здесь");
    inputs.environment.insert("PARTNER_M_CONFIG".to_owned(), named.display().to_string());
    assert_eq!(name(&inputs), "Названный");
    inputs.file = Some(flag);
    assert_eq!(name(&inputs), "Флаг");
    inputs.file = None;
    inputs.environment.clear();
    inputs.folder = place.dir.path().join("elsewhere");
    assert_eq!(name(&inputs), "Система");
    inputs.file = Some("absent.toml".into());
    let mistakes = Config::load(&inputs).expect_err("a named file must be there").0;
    assert_eq!(mistakes, ["absent.toml: нет такого файла"]);
}

#[test]
fn every_mistake_is_told_with_file_line_and_key() {
    let place = place()
        .file(
            "data_dir = 5
[server]
lisen = \"127.0.0.1:8000\"
listen = \"8000\"
public_url = \"zakaz.example.ru\"
chat = \"maybe\"
[company]
timezone = \"Moscow\"
phone = \"123\"
[backup]
at = \"25:00\"
keep = 0
[telegramm]
bot_token = \"1:a\"
[access]
admin_telegram_ids = [\"@boss\"]
registration = true
[onec]
pull = true
",
        )
        .env("LLM_DAILY_REQUESTS", "много")
        .env("LOG_FORMAT", "xml");
    insta::assert_snapshot!(place.mistakes().join("\n"), @r#"
    partner-m.toml, строка 1: data_dir: нужно значение в кавычках, например "./data"
    partner-m.toml, строка 3: нет настройки «server.lisen», возможно «server.listen»
    partner-m.toml, строка 4: server.listen: нужен адрес с портом, например «127.0.0.1:8000»
    partner-m.toml, строка 5: server.public_url: нужен адрес, который начинается с http:// или https://
    partner-m.toml, строка 6: server.chat: нужно одно из: auto, on, off
    partner-m.toml, строка 8: company.timezone: нет такого часового пояса, нужно имя вида «Europe/Moscow»
    partner-m.toml, строка 9: company.phone: в номере телефона 3 цифры: нужно 11, например +7 921 123-45-67
    partner-m.toml, строка 11: backup.at: нужно время вида «02:00» или off
    partner-m.toml, строка 12: backup.keep: нужно число от 1 до 10000
    partner-m.toml, строка 13: нет настройки «telegramm», возможно «telegram»
    partner-m.toml, строка 16: access.admin_telegram_ids: «@boss» не подходит: нужно число, например 123456789
    partner-m.toml, строка 17: access.registration: нужно значение в кавычках, например "open"
    partner-m.toml, строка 19: onec.pull: это раздел, нужно «[onec.pull]»
    окружение, LLM_DAILY_REQUESTS: recognition.llm_daily_requests: нужно целое число
    окружение, LOG_FORMAT: log.format: нужно одно из: text, json
    "#);
}

#[test]
fn two_listeners_cannot_have_one_address() {
    for (pages, onec, taken) in [
        ("127.0.0.1:8000", "127.0.0.1:8000", true),
        ("0.0.0.0:8000", "192.168.0.10:8000", true),
        ("192.168.0.10:8000", "[::]:8000", true),
        ("127.0.0.1:8000", "192.168.0.10:8000", false),
        ("0.0.0.0:8000", "[::1]:8000", false),
        ("127.0.0.1:8000", "127.0.0.1:8001", false),
        ("127.0.0.1:0", "127.0.0.1:0", false),
    ] {
        let text = format!("[server]\nlisten = \"{pages}\"\n[onec]\nlisten = \"{onec}\"\n");
        let place = place().file(&text);
        if !taken {
            Config::load(&place.inputs).expect("two addresses");
            continue;
        }
        let expected = format!(
            "partner-m.toml, строка 4: onec.listen: адрес {onec} занят самой программой: \
             server.listen = {pages}"
        );
        assert_eq!(place.mistakes(), [expected]);
    }
}

#[test]
fn a_file_that_is_not_toml_is_told_by_its_line() {
    let place = place().file("[server]\nlisten = 127.0.0.1:8000\n[company\n");
    insta::assert_snapshot!(place.mistakes().join("\n"), @r"
    partner-m.toml, строка 2: это не TOML: invalid float, expected nothing
    partner-m.toml, строка 3: это не TOML: unclosed table, expected `]`
    ");
}

#[test]
fn a_mistake_in_a_secret_does_not_show_it() {
    let place = place().file("[telegram]\nproxy = \"ftp://user:hunter2@proxy\"\n");
    let mistakes = place.mistakes().join("\n");
    assert!(mistakes.contains("telegram.proxy") && !mistakes.contains("hunter2"), "{mistakes}");
}

/// The `.env` that the old program shipped as its example, filled in as people fill it in.
pub const OLD_DOTENV: &str = r#"
# Telegram
BOT_TOKEN=12345:first
BOT_TOKEN="12345:abcdefghijklmnop"
ADMIN_PHONE=+89211112233, 8 (921) 444-55-66
MANAGER_PHONE=+7999999999
ADMIN_TG_ID=42
ADMIN_USER_IDS=[43, 44]
ADMIN_TG_USERNAME=@boss
MANAGER_CHAT_ID=-1001234567890

DATABASE_URL=postgresql+asyncpg://partner:partner@db:5432/partner
REDIS_URL=redis://redis:6379/0
SECRET_KEY=change-me
SOMETHING_ELSE=left alone

ONE_C_ENABLED=True
ONE_C_BASE_URL=http://192.168.0.5/ut/hs/partner/
ONE_C_USERNAME=robot
ONE_C_PASSWORD='p#ss "word"'
ONE_C_SYNC_INTERVAL_MINUTES=30   # минут
ONE_C_WEBHOOK_TOKEN=short

GIGACHAT_TIMEOUT_SECONDS=12.5
SSL_CERT_FILE=/nowhere/cert.pem
OLLAMA_BASE_URL=http://ollama:11434/
OLLAMA_MODEL=qwen2.5:7b
"#;

#[test]
fn hours_that_cannot_be_read_stop_nothing_and_are_named() {
    let noticed = |hours: &str| {
        let loaded = place().dotenv(format!("COMPANY_HOURS={hours}\n")).load();
        assert_eq!(loaded.config.company.hours, hours);
        loaded.notices.iter().any(|notice| notice.starts_with("company.hours"))
    };
    assert!(noticed("по договорённости"));
    assert!(!noticed("пн–пт 09:00–18:00, сб 10:00–15:00"));
}

#[test]
fn the_old_dotenv_works_as_it_is() {
    let loaded = place().dotenv(OLD_DOTENV).load();
    let config = &loaded.config;
    let token = config.telegram.bot_token.as_ref().expect("a token");
    assert!(token.matches("12345:abcdefghijklmnop"), "the last of two equal names wins");
    let phones: Vec<_> =
        config.access.admin_phones.iter().map(partner_m::domain::Phone::as_str).collect();
    assert_eq!(phones, ["+79211112233", "+79214445566"]);
    assert!(config.access.manager_phones.is_empty(), "one that cannot be read counts as unset");
    assert_eq!(config.access.admin_telegram_ids, [42, 43, 44]);
    assert_eq!(config.telegram.managers_chat, Some(-1_001_234_567_890));
    let pull = &config.onec.pull;
    assert!(pull.enabled);
    assert_eq!(pull.base_url.as_deref(), Some("http://192.168.0.5/ut/hs/partner"));
    assert!(pull.password.as_ref().expect("a password").matches("p#ss \"word\""));
    assert_eq!(pull.interval, Duration::from_mins(30));
    assert_eq!(config.llm.gigachat.timeout, Duration::from_millis(12_500));
    assert_eq!(config.llm.openai.base_url.as_deref(), Some("http://ollama:11434/v1"));
    assert_eq!(config.llm.openai.model, "qwen2.5:7b");
    assert!(config.llm.gigachat.ca_bundle.is_none());

    let notices: Vec<_> = loaded.notices.iter().map(|n| n.replace('\u{a0}', " ")).collect();
    insta::assert_snapshot!(notices.join("\n"), @r"
    .env, строка 6, MANAGER_PHONE: в номере телефона 10 цифр: нужно 11, например +7 921 123-45-67. Номер пропущен.
    .env, строка 25, SSL_CERT_FILE: файл /nowhere/cert.pem не читается (нет такого файла), сертификаты берутся без него.
    DATABASE_URL больше не нужна: база данных теперь файл в папке данных.
    REDIS_URL больше не нужна: очереди и состояния теперь в той же базе.
    SECRET_KEY больше не нужна: сеансы панели теперь хранит база.
    ADMIN_TG_USERNAME не даёт прав: имя в Telegram может перейти к другому. Впишите числовой номер в ADMIN_TG_ID или телефон в ADMIN_PHONE.
    onec.webhook_token короче 24 символов: его можно подобрать. Новый: openssl rand -hex 24.
    ");
}

#[test]
fn ollama_gives_way_to_openai() {
    let place = place().dotenv("OLLAMA_BASE_URL=http://ollama:11434/api\nOLLAMA_MODEL=qwen\n");
    assert_eq!(
        place.load().config.llm.openai.base_url.as_deref(),
        Some("http://ollama:11434/api"),
        "a path that is there stays"
    );
    let place = place.env("OPENAI_API_KEY", "sk-1");
    let openai = place.load().config.llm.openai;
    assert_eq!((openai.base_url, openai.model.as_str()), (None, "gpt-4o-mini"));
    let open = self::place().env("OLLAMA_BASE_URL", "http://ollama.example.com:11434");
    let loaded = open.load();
    assert_eq!(loaded.config.llm.openai.base_url, None, "not over the open network");
    assert!(loaded.notices.iter().any(|notice| notice.contains("нужен https")));
}

/// A file with a certificate.
fn roots(place: &Place) -> std::path::PathBuf {
    let made = rcgen::generate_simple_self_signed(["own.example".to_owned()]).expect("made");
    let path = place.dir.path().join("roots.pem");
    std::fs::write(&path, made.cert.pem()).expect("written");
    path
}

#[test]
fn a_certificate_file_that_is_there_counts() {
    let place = place();
    let path = roots(&place);
    let place = place.env("SSL_CERT_FILE", &path.display().to_string());
    assert_eq!(place.load().config.llm.gigachat.ca_bundle.as_deref(), Some(path.as_path()));
    let place = place.env("GIGACHAT_CA_BUNDLE", "/own.pem");
    let bundle = place.load().config.llm.gigachat.ca_bundle;
    assert_eq!(bundle.as_deref(), Some(Path::new("/own.pem")));
}

#[test]
fn a_certificate_file_without_certificates_counts_as_unset() {
    let place = place();
    let (empty, garbage) = (place.dir.path().join("empty.pem"), place.dir.path().join("g.pem"));
    std::fs::write(&empty, "").expect("written");
    std::fs::write(&garbage, "-----BEGIN CERTIFICATE-----\nне сертификат\n").expect("written");
    let folder = place.dir.path().to_owned();
    let mut place = place.env("GIGACHAT_BASIC_AUTH_KEY", "Y2xpZW50OnNlY3JldA==");
    for (path, why) in [
        (empty, "нет ни одного сертификата"),
        (garbage, "нет ни одного сертификата"),
        (folder, "это папка, а не файл"),
    ] {
        place = place.env("SSL_CERT_FILE", &path.display().to_string());
        let loaded = place.load();
        assert!(loaded.config.llm.gigachat.ca_bundle.is_none(), "{}", path.display());
        let notices = loaded.notices.join("\n");
        assert!(notices.contains("SSL_CERT_FILE") && notices.contains(why), "{notices}");
    }
}

#[test]
fn a_model_that_could_not_be_asked_is_a_mistake_of_the_settings() {
    let place = place();
    let garbage = place.dir.path().join("garbage.pem");
    std::fs::write(&garbage, "не сертификат").expect("written");
    let place = place
        .env("GIGACHAT_CA_BUNDLE", &garbage.display().to_string())
        .file("[llm.openai]\nca_bundle = \"/nowhere.pem\"\nbase_url = \"http://example.com/v1\"\n")
        .env("GIGACHAT_API_BASE_URL", "http://example.com/v1");
    let mistakes = |place: &Place| {
        let Mistakes(lines) = Config::load(&place.inputs).expect_err("mistakes");
        lines.iter().map(|l| l.replace('\u{a0}', " ")).collect::<Vec<_>>()
    };
    let found = mistakes(&place);
    assert_eq!(found.len(), 2, "a provider without a key is absent: {found:?}");
    assert!(found[0].contains("строка 2: llm.openai.ca_bundle: файл сертификатов /nowhere.pem"));
    assert!(found[1].contains("строка 3: llm.openai.base_url") && found[1].contains("https"));
    let place = place.file("").env("GIGACHAT_BASIC_AUTH_KEY", "Y2xpZW50OnNlY3JldA==");
    let found = mistakes(&place);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("llm.gigachat.ca_bundle: в файле") && found[0].contains("garbage"));
    assert!(found[1].contains("llm.gigachat.api_base_url"), "{found:?}");
}

#[test]
fn a_client_secret_in_place_of_the_authorization_key_is_noticed() {
    let doubted = |key: &str| {
        let loaded = place().env("GIGACHAT_BASIC_AUTH_KEY", key).load();
        let notices = loaded.notices.join("\n");
        assert!(!notices.contains(key), "a key is never shown");
        notices.contains("llm.gigachat.auth_key не похож")
    };
    assert!(doubted("6f0b1291-c7f3-43c6-bb2e-9f3efb2dc98e"));
    assert!(doubted("bm8gY29sb24gaGVyZQ=="), "base64 of something else");
    assert!(!doubted("Y2xpZW50OnNlY3JldA=="));
    assert!(!doubted("Basic Y2xpZW50OnNlY3JldA=="));
}

#[test]
fn headers_of_a_models_server_are_checked_and_hold_no_key() {
    let config = place().env("OPENAI_HEADERS", "OpenAI-Project: b1g, X-Team: склад 2").load();
    let headers = &config.config.llm.openai.headers;
    assert_eq!(headers[0], ("OpenAI-Project".to_owned(), "b1g".to_owned()));
    assert_eq!(headers[1].0, "X-Team");
    for wrong in ["Authorization: Api-Key x", "нет двоеточия", "Пр: x", "X-Empty:"] {
        let mistakes = place().env("OPENAI_HEADERS", wrong).mistakes();
        assert!(mistakes.join(" ").contains("OPENAI_HEADERS"), "{wrong}: {mistakes:?}");
    }
}

#[test]
fn a_dotenv_from_windows_is_read() {
    let bytes = windows_1251("COMPANY_NAME=Мебельщик\r\n");
    let loaded = place().dotenv(bytes).load();
    assert_eq!(loaded.config.company.name, "Мебельщик");
    assert!(loaded.notices.iter().any(|notice| notice.contains("windows-1251")));
}

fn windows_1251(text: &str) -> Vec<u8> {
    let bytes = text.chars().map(|c| match c {
        'А'..='я' => u8::try_from(u32::from(c) - u32::from('А') + 0xc0).expect("a letter"),
        c => u8::try_from(u32::from(c)).expect("ascii"),
    });
    bytes.collect()
}

#[test]
fn systemd_names_the_data_folder_unless_we_do() {
    let place = place().env("STATE_DIRECTORY", "/var/lib/partner-m:/var/lib/other");
    assert_eq!(place.load().config.data_dir, Path::new("/var/lib/partner-m"));
    let place = place.env("PARTNER_M_DATA", "/srv/data");
    assert_eq!(place.load().config.data_dir, Path::new("/srv/data"));
}

#[test]
fn a_secret_is_shown_by_its_end_only() {
    let loaded = place()
        .env("BOT_TOKEN", "12345:abcdefghijklmnop")
        .env("ONE_C_PASSWORD", "short")
        .env("LOG_FORMAT", "json")
        .load();
    let shown = |key: &str| {
        loaded.values.iter().find(|value| value.key == key).and_then(|value| value.shown.clone())
    };
    assert_eq!(shown("telegram.bot_token").as_deref(), Some("***mnop"));
    assert_eq!(shown("onec.pull.password").as_deref(), Some("***"));
    assert_eq!(loaded.config.log.format, LogFormat::Json);
    assert!(!format!("{loaded:?}").contains("abcdefgh"));
}

#[test]
fn no_two_settings_share_a_key_or_a_variable() {
    let mut seen = BTreeMap::new();
    for setting in SETTINGS {
        for name in setting.env.iter().chain([&setting.key]) {
            let before = seen.insert(*name, setting.key);
            assert!(before.is_none(), "{name} is that of {} and of {before:?}", setting.key);
        }
    }
}
