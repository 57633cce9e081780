//! `partner-m.toml.example`, written from the table of settings.

use std::fmt::Write as _;

use super::table::{SETTINGS, Setting, Shape};

const HEAD: &str = "\
# Настройки «Партнёр-М». Скопируйте в partner-m.toml и снимите # с того, что меняете: без # здесь
# значения по умолчанию, а где его нет, пример. Важнее этого файла .env, ещё важнее переменные
# окружения, важнее всего флаги. Что откуда взялось, покажет partner-m check.
";

/// The text of the example: every setting with its default, unit and meaning, commented out.
pub fn example() -> String {
    let mut text = HEAD.to_owned();
    let mut section = "";
    for setting in SETTINGS {
        let (here, name) = setting.key.rsplit_once('.').unwrap_or(("", setting.key));
        text.push('\n');
        if here != section {
            let _ = writeln!(text, "[{here}]");
            section = here;
        }
        for line in wrap(&remark(setting), 96) {
            let _ = writeln!(text, "# {line}");
        }
        let value = if setting.default.is_empty() { setting.example } else { setting.default };
        let _ = writeln!(text, "#{name} = {value}");
    }
    text
}

fn remark(setting: &Setting) -> String {
    let mut text = setting.about.to_owned();
    if !setting.unit.is_empty() {
        let _ = write!(text, " Единица: {}.", setting.unit);
    }
    if setting.default.is_empty() && setting.shape != Shape::Secret {
        text.push_str(" По умолчанию не задано.");
    }
    if !setting.env.is_empty() {
        let _ = write!(text, " Переменная: {}.", setting.env.join(", "));
    }
    text
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let length = lines.last().map_or(0, |line| line.chars().count());
        if length > 0 && length + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Inputs};

    #[test]
    fn the_example_file_is_what_the_table_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/partner-m.toml.example");
        if std::env::var_os("UPDATE_EXAMPLE").is_some() {
            std::fs::write(path, example()).expect("the example is written");
        }
        let file = std::fs::read_to_string(path).expect("the example is there");
        assert!(file == example(), "run UPDATE_EXAMPLE=1 cargo test --lib config::example");
    }

    #[test]
    fn every_default_of_the_example_is_the_default() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("partner-m.toml");
        let mut text = String::new();
        for line in example().lines() {
            let name = line.strip_prefix('#').and_then(|rest| rest.split_once(" = "));
            match name {
                Some((name, _)) if !name.starts_with(' ') => text.push_str(&line[1..]),
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        let kept: Vec<_> = SETTINGS.iter().filter(|s| s.default.is_empty()).collect();
        for setting in &kept {
            // What has no default is shown by example: it must be read, and is left out here.
            let name = setting.key.rsplit('.').next().expect("a name");
            let line = format!("{name} = {}\n", setting.example);
            assert!(text.contains(&line), "{line}");
        }
        // Roots of trust are looked at where they are: here they are beside the file.
        let made = rcgen::generate_simple_self_signed(["own.example".to_owned()]).expect("made");
        for name in ["russian_trusted_root_ca.pem", "own-ca.pem"] {
            std::fs::write(dir.path().join(name), made.cert.pem()).expect("written");
        }
        let here = text.replace("/etc/partner-m", &dir.path().display().to_string());
        std::fs::write(&path, here).expect("written");
        let inputs = Inputs { file: Some(path.clone()), ..Inputs::default() };
        Config::load(&inputs).expect("every example is read");

        for setting in kept {
            let name = setting.key.rsplit('.').next().expect("a name");
            text = text.replace(&format!("\n{name} = {}\n", setting.example), "\n");
        }
        std::fs::write(&path, text).expect("written");
        let loaded = Config::load(&inputs).expect("every default is read");
        let expected = Config { data_dir: "./data".into(), ..Config::default() };
        assert_eq!(format!("{:?}", loaded.config), format!("{expected:?}"));
    }
}
