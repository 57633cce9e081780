//! `docs/settings.md`, written from the table of settings.

use std::fmt::Write as _;

use super::table::{SETTINGS, Setting, Shape};

const HEAD: &str = "\
# Настройки

Эта страница получается из таблицы, по которой настройки читает сама программа; правьте не её, а `src/config/table.rs`.

Значение берётся из первого места, где оно есть: флаг командной строки, переменная окружения, файл `.env` в текущей папке, файл настроек, панель, значение по умолчанию. Файл настроек — первый из: `--config ФАЙЛ`, `$PARTNER_M_CONFIG`, `./partner-m.toml`, `/etc/partner-m/partner-m.toml`. Что откуда взялось, покажет `partner-m check`; он же назовёт все ошибки сразу. Неизвестный ключ и негодное значение останавливают запуск с кодом 3.

Файл настроек пишется на TOML: раздел в квадратных скобках, под ним `имя = значение`. Образец со всеми ключами: [partner-m.toml.example](../partner-m.toml.example). В окружении и в `.env` списки пишутся через запятую, пустое значение значит «не задано».

Файл `.env` прежней программы подходит как есть: имена те же, ненужные (`DATABASE_URL`, `REDIS_URL`, `SECRET_KEY`) пропускаются с замечанием. Если ключа и адреса OpenAI нет, вместо них берутся `OLLAMA_BASE_URL` и `OLLAMA_MODEL`.

Секреты (токены, пароли, ключи) не показываются нигде: ни в `check`, ни в журнале, ни в панели. Держите их в файле, который читает только служба: `/etc/partner-m/partner-m.toml` пакет ставит с правами 0640, а `/etc/partner-m/secrets.env` со строками вида `BOT_TOKEN=…` служба прочтёт сама.
";

/// What the sections are called.
const SECTIONS: &[(&str, &str)] = &[
    ("", "Данные"),
    ("server", "Сервер"),
    ("metrics", "Наблюдение"),
    ("company", "Компания"),
    ("telegram", "Telegram"),
    ("access", "Доступ"),
    ("orders", "Заявки"),
    ("recognition", "Распознавание"),
    ("llm.gigachat", "GigaChat"),
    ("llm.openai", "OpenAI и совместимые"),
    ("onec", "1С"),
    ("onec.pull", "1С: забирать каталог"),
    ("onec.exchange", "1С: обмен с сайтом (CommerceML)"),
    ("backup", "Резервные копии"),
    ("log", "Журнал"),
];

fn manual() -> String {
    let mut text = HEAD.to_owned();
    let mut section = None;
    for setting in SETTINGS {
        let here = setting.key.rsplit_once('.').map_or("", |(here, _)| here);
        if section != Some(here) {
            let title = SECTIONS.iter().find(|(name, _)| *name == here).map_or(here, |(_, t)| t);
            let name = if here.is_empty() { String::new() } else { format!(" `[{here}]`") };
            let _ = writeln!(text, "\n## {title}{name}\n");
            text.push_str("| Ключ | Переменная | По умолчанию | Что меняет |\n|---|---|---|---|\n");
            section = Some(here);
        }
        row(&mut text, setting);
    }
    text
}

fn row(text: &mut String, setting: &Setting) {
    let variables: Vec<String> = setting.env.iter().map(|name| format!("`{name}`")).collect();
    let default = match (setting.default, setting.shape) {
        ("", _) => "–".to_owned(),
        (value, _) => format!("`{value}`"),
    };
    let mut about = setting.about.replace('|', "\\|");
    if !setting.unit.is_empty() {
        let _ = write!(about, " Единица: {}.", setting.unit);
    }
    if setting.shape == Shape::Secret {
        about.push_str(" Секрет.");
    } else if setting.default.is_empty() {
        let _ = write!(about, " Например, `{}`.", setting.example);
    }
    let variables = if variables.is_empty() { "–".to_owned() } else { variables.join(", ") };
    let _ = writeln!(text, "| `{}` | {variables} | {default} | {about} |", setting.key);
}

#[test]
fn the_page_of_settings_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/settings.md");
    if std::env::var_os("UPDATE_EXAMPLE").is_some() {
        std::fs::write(path, manual()).expect("the page is written");
    }
    let file = std::fs::read_to_string(path).expect("the page is there");
    assert!(file == manual(), "run UPDATE_EXAMPLE=1 cargo test --lib config::");
}
