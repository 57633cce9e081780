//! Puts the settings together from where they come: flags, environment, `.env`, file, panel.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use toml::de::{DeTable, DeValue};

use super::Config;
use super::dotenv::DotEnv;
use super::table::{SETTINGS, Setting, Shape};
use super::trust::{self, RootsError};
use crate::domain::{Secret, WorkingHours};

/// Where settings are looked for.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Values given on the command line: a setting's key, the flag, the value.
    pub flags: Vec<(&'static str, &'static str, String)>,
    /// `--config`: a settings file that must be there.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// The working folder, where `.env` and `partner-m.toml` are looked for.
    pub folder: PathBuf,
    /// The last place where a settings file is looked for: `/etc/partner-m/partner-m.toml`.
    pub system_file: Option<PathBuf>,
    /// Values set in the panel: a setting's key and the value as the environment would write it.
    pub panel: Vec<(String, String)>,
}

impl Inputs {
    /// The process's environment and working folder.
    pub fn of_process() -> Self {
        Self {
            environment: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            folder: PathBuf::from("."),
            system_file: Some(PathBuf::from("/etc/partner-m/partner-m.toml")),
            ..Self::default()
        }
    }
}

/// The settings and what is to be told about them.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Each setting's value and source, in the order of the table.
    pub values: Vec<Value>,
    /// What the operator should know, in Russian, one sentence each.
    pub notices: Vec<String>,
    /// The settings file that was read.
    pub file: Option<PathBuf>,
}

/// One setting as it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Its key.
    pub key: &'static str,
    /// The value as people write it; a secret is masked; `None`: unset.
    pub shown: Option<String>,
    /// Where it came from.
    pub source: Source,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nowhere: the default.
    Default,
    /// The panel.
    Panel,
    /// The settings file.
    File {
        /// Which.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// `.env`.
    DotEnv {
        /// The variable.
        name: String,
        /// The line, from 1.
        line: usize,
    },
    /// The environment.
    Environment {
        /// The variable.
        name: String,
    },
    /// The command line.
    Flag {
        /// The flag.
        name: &'static str,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("по умолчанию"),
            Self::Panel => f.write_str("панель"),
            Self::File { path, line } => write!(f, "{}, строка\u{a0}{line}", path.display()),
            Self::DotEnv { name, line } => write!(f, ".env, строка\u{a0}{line}, {name}"),
            Self::Environment { name } => write!(f, "окружение, {name}"),
            Self::Flag { name } => write!(f, "флаг {name}"),
        }
    }
}

impl Source {
    /// A short word for machines: `default`, `panel`, `file`, `dotenv`, `environment`, `flag`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Panel => "panel",
            Self::File { .. } => "file",
            Self::DotEnv { .. } => "dotenv",
            Self::Environment { .. } => "environment",
            Self::Flag { .. } => "flag",
        }
    }
}

/// What is wrong with the settings: every mistake, not the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Mistakes(
    /// A sentence each: the place, the key, what is wrong and what fits. No secret is quoted.
    pub Vec<String>,
);

/// A value found somewhere.
struct Found {
    parts: Vec<String>,
    source: Source,
}

/// What the settings file says.
#[derive(Default)]
struct File {
    path: Option<PathBuf>,
    values: BTreeMap<&'static str, Found>,
    mistakes: Vec<Mistake>,
}

/// A mistake with its line in the settings file; those of other places come last.
type Mistake = (usize, String);

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// [`Mistakes`] when a value does not fit, a key of the file is unknown or a file cannot be
    /// read.
    pub fn load(inputs: &Inputs) -> Result<Loaded, Mistakes> {
        Ok(Self::load_own(inputs)?.with_panel(&inputs.panel))
    }

    fn load_own(inputs: &Inputs) -> Result<Loaded, Mistakes> {
        let mut notices = Vec::new();
        let dotenv = read_dotenv(inputs, &mut notices);
        let mut file = match find_file(inputs) {
            Some(path) => read_file(&path),
            None => File::default(),
        };
        let mut mistakes = std::mem::take(&mut file.mistakes);
        let mut config = Self::default();
        if let Some(state) = inputs.environment.get("STATE_DIRECTORY") {
            // systemd gives several with colons between; ours is the first.
            if let Some(first) = state.split(':').find(|folder| !folder.is_empty()) {
                config.data_dir = PathBuf::from(first);
            }
        }
        let mut values = Vec::with_capacity(SETTINGS.len());
        for setting in SETTINGS {
            let in_file = file.values.remove(setting.key);
            // The file's value is checked even where something else wins over it.
            if let Some(found) = &in_file
                && let Err(why) = (setting.apply)(&mut config, &found.parts)
            {
                mistakes.push(mistake(setting, found, &why));
            }
            let found = from_flags(setting, inputs)
                .or_else(|| from_environment(setting, inputs, &dotenv, &mut notices))
                .or(in_file);
            let Some(found) = found else {
                values.push(Value { key: setting.key, shown: None, source: Source::Default });
                continue;
            };
            let from_file = matches!(found.source, Source::File { .. });
            if !from_file && let Err(why) = (setting.apply)(&mut config, &found.parts) {
                mistakes.push(mistake(setting, &found, &why));
            }
            let shown = if setting.is_secret() {
                Secret::new(found.parts.concat()).masked()
            } else {
                found.parts.join(", ")
            };
            values.push(Value { key: setting.key, shown: Some(shown), source: found.source });
        }
        let variables = Variables { inputs, dotenv: &dotenv };
        apply_old_names(&mut config, &mut values, &variables, &mut notices);
        mistakes.extend(model_mistakes(&config, &values));
        advise(&config, &variables, &mut notices);
        mistakes.extend(taken_address(&config, &values));
        if !mistakes.is_empty() {
            mistakes.sort_by_key(|(line, _)| *line);
            return Err(Mistakes(mistakes.into_iter().map(|(_, text)| text).collect()));
        }
        for value in &mut values {
            if value.shown.is_none() {
                value.shown = default_shown(value.key, &config);
            }
        }
        Ok(Loaded { config, values, notices, file: file.path })
    }
}

impl Loaded {
    /// Settings that nobody has set.
    pub fn defaults(config: Config) -> Self {
        let value = |setting: &Setting| Value {
            key: setting.key,
            shown: default_shown(setting.key, &config),
            source: Source::Default,
        };
        let values = SETTINGS.iter().map(value).collect();
        Self { config, values, notices: Vec::new(), file: None }
    }

    /// Puts what is kept in the database below everything else; a value that does not fit any more
    /// is left out with a notice.
    #[must_use]
    pub fn with_panel(mut self, kept: &[(String, String)]) -> Self {
        for (key, value) in kept {
            let weaker = self.value(key).is_some_and(|value| value.source == Source::Default);
            if weaker && let Err(why) = self.set_in_panel(key, Some(value)) {
                self.notices.push(format!("{key} из панели не подходит и не действует: {why}"));
            }
        }
        self
    }

    /// Takes a value from the panel; `None`: back to the default. What the file, the environment
    /// or a flag has set stays theirs.
    ///
    /// # Errors
    ///
    /// Why not, in Russian; nothing has changed then.
    pub fn set_in_panel(&mut self, key: &str, value: Option<&str>) -> Result<(), String> {
        let setting = Setting::find(key).filter(|setting| setting.in_panel);
        let setting = setting.ok_or("эту настройку панель не меняет")?;
        let place = self.values.iter_mut().find(|value| value.key == setting.key);
        let place = place.ok_or("такой настройки нет")?;
        if !matches!(place.source, Source::Default | Source::Panel) {
            return Err(format!("значение задано раньше панели: {}", place.source));
        }
        let given = value.and_then(|value| parts(setting, value));
        let default = || parts(setting, setting.default.trim_matches('"')).unwrap_or_default();
        let used = given.clone().unwrap_or_else(default);
        // On a copy: a value that does not fit must leave nothing behind.
        let mut config = self.config.clone();
        (setting.apply)(&mut config, &used)?;
        (setting.typed)(&used)?;
        let source = if given.is_some() { Source::Panel } else { Source::Default };
        *place =
            Value { shown: (!used.is_empty()).then(|| used.join(", ")), source, ..place.clone() };
        self.config = config;
        Ok(())
    }

    /// A setting as it is in force.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.values.iter().find(|value| value.key == key)
    }
}

fn mistake(setting: &Setting, found: &Found, why: &str) -> Mistake {
    mistake_in(&found.source, setting.key, why)
}

fn mistake_in(source: &Source, key: &str, why: &str) -> Mistake {
    let line = match source {
        Source::File { line, .. } => *line,
        _ => usize::MAX,
    };
    (line, format!("{source}: {key}: {why}"))
}

/// Two listeners cannot have one address; one for every address takes the port of all.
fn taken_address(config: &Config, values: &[Value]) -> Option<Mistake> {
    let (pages, onec) = (config.server.listen, config.onec.listen?);
    let covers = |all: SocketAddr, one: SocketAddr| {
        all.ip().is_unspecified() && (all.is_ipv6() || one.is_ipv4())
    };
    let same = pages.ip() == onec.ip() || covers(pages, onec) || covers(onec, pages);
    if pages.port() != onec.port() || pages.port() == 0 || !same {
        return None;
    }
    let source = &values.iter().find(|value| value.key == "onec.listen")?.source;
    let why = format!("адрес {onec} занят самой программой: server.listen = {pages}");
    Some(mistake_in(source, "onec.listen", &why))
}

fn default_shown(key: &str, config: &Config) -> Option<String> {
    if key == "data_dir" {
        return Some(config.data_dir.display().to_string());
    }
    let default = Setting::find(key)?.default;
    (!default.is_empty() && default != "[]").then(|| default.trim_matches('"').to_owned())
}

/// The environment before `.env`; an empty value counts as none.
struct Variables<'a> {
    inputs: &'a Inputs,
    dotenv: &'a DotEnv,
}

impl Variables<'_> {
    fn get(&self, name: &str) -> Option<(String, Source)> {
        let environment =
            self.inputs.environment.get(name).filter(|value| !value.trim().is_empty());
        if let Some(value) = environment {
            return Some((value.clone(), Source::Environment { name: name.to_owned() }));
        }
        let entry = self.dotenv.entries.get(name).filter(|entry| !entry.value.trim().is_empty())?;
        let source = Source::DotEnv { name: name.to_owned(), line: entry.line };
        Some((entry.value.clone(), source))
    }
}

fn from_flags(setting: &Setting, inputs: &Inputs) -> Option<Found> {
    let (_, name, value) = inputs.flags.iter().find(|(key, _, _)| *key == setting.key)?;
    Some(Found { parts: vec![value.clone()], source: Source::Flag { name } })
}

fn from_environment(
    setting: &Setting,
    inputs: &Inputs,
    dotenv: &DotEnv,
    notices: &mut Vec<String>,
) -> Option<Found> {
    let variables = Variables { inputs, dotenv };
    let mut found: Option<Found> = None;
    for (value, source) in setting.env.iter().filter_map(|name| variables.get(name)) {
        let Some(mut parts) = parts(setting, &value) else { continue };
        if matches!(setting.shape, Shape::Phone | Shape::Phones) {
            parts.retain(|part| {
                let read = part.parse::<crate::domain::Phone>();
                if let Err(why) = &read {
                    notices.push(format!("{source}: {why}. Номер пропущен."));
                }
                read.is_ok()
            });
        }
        match &mut found {
            // Two names of one list add up.
            Some(found) if is_list(setting) => found.parts.extend(parts),
            Some(_) => {}
            None if parts.is_empty() => {}
            None => found = Some(Found { parts, source }),
        }
    }
    found
}

fn is_list(setting: &Setting) -> bool {
    matches!(setting.shape, Shape::List | Shape::Phones)
}

/// The parts of a value as the environment writes it; `None` when there are none.
fn parts(setting: &Setting, value: &str) -> Option<Vec<String>> {
    let value = value.trim();
    if !is_list(setting) {
        return (!value.is_empty()).then(|| vec![value.to_owned()]);
    }
    // The old program took [1,2] as well.
    let value = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(value);
    let parts: Vec<_> = value
        .split([',', ';'])
        .map(|part| part.trim().trim_matches(['"', '\'']).trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect();
    (!parts.is_empty()).then_some(parts)
}

/// The settings file: one that is named must be there, the others may be absent.
fn find_file(inputs: &Inputs) -> Option<PathBuf> {
    if let Some(path) = &inputs.file {
        return Some(path.clone());
    }
    let named = inputs.environment.get("PARTNER_M_CONFIG").filter(|path| !path.is_empty());
    if let Some(path) = named {
        return Some(PathBuf::from(path));
    }
    let here = inputs.folder.join("partner-m.toml");
    let here = here.strip_prefix(".").map(Path::to_owned).unwrap_or(here);
    [Some(here), inputs.system_file.clone()]
        .into_iter()
        .flatten()
        // What exists and cannot be read must be told, not passed over.
        .find(|path| !matches!(path.try_exists(), Ok(false)))
}

fn read_file(path: &Path) -> File {
    let mut file = File { path: Some(path.to_owned()), ..File::default() };
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes),
        Err(error) => {
            file.mistakes.push((0, format!("{}: {}", path.display(), io_reason(&error))));
            return file;
        }
    };
    let Ok(text) = text else {
        file.mistakes.push((0, format!("{}: файл не в кодировке UTF-8", path.display())));
        return file;
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let line = line_of(text, error.span().map_or(0, |span| span.start));
        let source = Source::File { path: path.to_owned(), line };
        file.mistakes.push((line, format!("{source}: это не TOML: {}", error.message())));
    }
    if file.mistakes.is_empty() {
        walk(&mut file, path, text, "", table.get_ref());
    }
    file
}

/// Why a file cannot be read or written, in Russian.
pub fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "нет такого файла".to_owned(),
        io::ErrorKind::PermissionDenied => "нет прав".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "диск только для чтения".to_owned(),
        io::ErrorKind::StorageFull => "на диске нет места".to_owned(),
        io::ErrorKind::IsADirectory => "это папка, а не файл".to_owned(),
        io::ErrorKind::NotADirectory => "на пути файл вместо папки".to_owned(),
        _ => error.to_string(),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

fn walk(file: &mut File, path: &Path, text: &str, prefix: &str, table: &DeTable<'_>) {
    for (name, value) in table {
        let key = match prefix {
            "" => name.get_ref().to_string(),
            prefix => format!("{prefix}.{}", name.get_ref()),
        };
        let line = line_of(text, name.span().start);
        let source = Source::File { path: path.to_owned(), line };
        let inside = format!("{key}.");
        let is_section = SETTINGS.iter().any(|setting| setting.key.starts_with(&inside));
        match (Setting::find(&key), value.get_ref()) {
            (None, DeValue::Table(table)) if is_section => walk(file, path, text, &key, table),
            (None, _) if is_section => {
                file.mistakes.push((line, format!("{source}: {key}: это раздел, нужно «[{key}]»")));
            }
            (None, _) => {
                let hint = suggest(&key).map(|known| format!(", возможно «{known}»"));
                let hint = hint.unwrap_or_default();
                file.mistakes.push((line, format!("{source}: нет настройки «{key}»{hint}")));
            }
            (Some(setting), value) => match file_parts(setting, value) {
                Ok(parts) if parts.iter().all(|part| part.trim().is_empty()) => {
                    // An empty string, like an empty variable, sets nothing.
                }
                Ok(parts) => {
                    file.values.insert(setting.key, Found { parts, source });
                }
                Err(why) => file.mistakes.push((line, format!("{source}: {key}: {why}"))),
            },
        }
    }
}

fn file_parts(setting: &Setting, value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let wrong = |needed: &str| Err(format!("нужно {needed}, например {}", sample(setting)));
    match (setting.shape, value) {
        (Shape::Text | Shape::Secret | Shape::Phone, DeValue::String(text)) => {
            Ok(vec![text.to_string()])
        }
        (Shape::Text | Shape::Secret | Shape::Phone, _) => wrong("значение в кавычках"),
        (Shape::Number, DeValue::Integer(n)) if n.radix() == 10 => Ok(vec![n.as_str().to_owned()]),
        (Shape::Number, DeValue::Float(n)) => Ok(vec![n.as_str().to_owned()]),
        (Shape::Number, _) => wrong("число без кавычек"),
        (Shape::Flag, DeValue::Boolean(flag)) => Ok(vec![flag.to_string()]),
        (Shape::Flag, _) => wrong("true или false без кавычек"),
        (Shape::List | Shape::Phones, DeValue::String(text)) => {
            Ok(parts(setting, text).unwrap_or_default())
        }
        (Shape::List | Shape::Phones, DeValue::Array(array)) => array
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                DeValue::Integer(n) if n.radix() == 10 => Ok(n.as_str().to_owned()),
                _ => Err("в списке нужны строки или числа".to_owned()),
            })
            .collect(),
        (Shape::List | Shape::Phones, _) => Err("нужен список в квадратных скобках".to_owned()),
    }
}

fn sample(setting: &Setting) -> &'static str {
    if setting.default.is_empty() { setting.example } else { setting.default }
}

/// The known key that this one was probably meant to be.
fn suggest(key: &str) -> Option<&'static str> {
    let last = key.rsplit('.').next().unwrap_or(key);
    let sections = SETTINGS.iter().filter_map(|setting| Some(setting.key.rsplit_once('.')?.0));
    let near = SETTINGS
        .iter()
        .map(|setting| setting.key)
        .chain(sections)
        .map(|known| (strsim::damerau_levenshtein(known, key), known))
        .min()
        .filter(|(distance, _)| *distance <= 3 && distance * 2 <= last.chars().count())
        .map(|(_, known)| known);
    let ends_alike = || {
        let mut known = SETTINGS.iter().map(|setting| setting.key);
        known.find(|known| known.rsplit('.').next() == Some(last))
    };
    near.or_else(ends_alike)
}

fn read_dotenv(inputs: &Inputs, notices: &mut Vec<String>) -> DotEnv {
    let path = inputs.folder.join(".env");
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return DotEnv::default(),
        Err(error) => {
            notices.push(format!(".env не читается ({}) и пропущен.", io_reason(&error)));
            return DotEnv::default();
        }
    };
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        notices.push(".env не в UTF-8, читаю как windows-1251.".to_owned());
        encoding_rs::WINDOWS_1251.decode_without_bom_handling(error.as_bytes()).0.into_owned()
    });
    let parsed = DotEnv::parse(&text, &inputs.environment);
    for line in &parsed.unreadable {
        notices.push(format!(".env, строка\u{a0}{line}: нет «ИМЯ=значение», строка пропущена."));
    }
    parsed
}

/// What names of the old program mean for settings that have other names.
fn apply_old_names(
    config: &mut Config,
    values: &mut [Value],
    variables: &Variables<'_>,
    notices: &mut Vec<String>,
) {
    let mut note = |key: &str, shown: String, source: Source| {
        if let Some(value) = values.iter_mut().find(|value| value.key == key) {
            value.shown = Some(shown);
            value.source = source;
        }
    };
    let openai = &mut config.llm.openai;
    if openai.api_key.is_none()
        && openai.base_url.is_none()
        && let Some((address, source)) = variables.get("OLLAMA_BASE_URL")
    {
        match reqwest::Url::parse(address.trim()) {
            Ok(url) if url.has_host() && trust::stays_private(&url) && is_web(&url) => {
                let bare = address.trim().trim_end_matches('/');
                let base = if url.path().trim_matches('/').is_empty() {
                    format!("{bare}/v1")
                } else {
                    bare.to_owned()
                };
                openai.base_url = Some(base.clone());
                note("llm.openai.base_url", base, source);
                if let Some((model, source)) = variables.get("OLLAMA_MODEL") {
                    model.trim().clone_into(&mut openai.model);
                    note("llm.openai.model", openai.model.clone(), source);
                }
            }
            Ok(url) if url.has_host() && is_web(&url) => notices.push(format!(
                "{source}: http без шифрования в открытую сеть, пропущен: нужен https."
            )),
            _ => notices.push(format!("{source}: это не адрес вида http://…, пропущен.")),
        }
    }
    if let Some((path, source)) = variables.get("SSL_CERT_FILE") {
        match trust::check_roots(Path::new(&path)) {
            Ok(()) if config.llm.gigachat.ca_bundle.is_none() => {
                config.llm.gigachat.ca_bundle = Some(PathBuf::from(&path));
                note("llm.gigachat.ca_bundle", path, source);
            }
            Ok(()) => {}
            Err(RootsError::Unreadable { source: error, .. }) => notices.push(format!(
                "{source}: файл {path} не читается ({}), сертификаты берутся без него.",
                io_reason(&error)
            )),
            Err(RootsError::NoCertificate(_)) => notices.push(format!(
                "{source}: в файле {path} нет ни одного сертификата, они берутся без него."
            )),
        }
    }
}

/// What would leave a model that is set up without its client. One that is not is no mistake,
/// whatever else is said of it.
fn model_mistakes(config: &Config, values: &[Value]) -> Vec<Mistake> {
    let mut found: Vec<(&str, String)> = Vec::new();
    let mut roots = |key, path: Option<&PathBuf>| {
        if let Some(Err(why)) = path.map(|path| trust::check_roots(path)) {
            found.push((key, why.to_string()));
        }
    };
    let (gigachat, openai) = (&config.llm.gigachat, &config.llm.openai);
    let (with_key, with_server) =
        (gigachat.auth_key.is_some(), openai.api_key.is_some() || openai.base_url.is_some());
    if with_key {
        roots("llm.gigachat.ca_bundle", gigachat.ca_bundle.as_ref());
    }
    if with_server {
        roots("llm.openai.ca_bundle", openai.ca_bundle.as_ref());
    }
    let mut address = |key, address: &str| {
        if !is_private(address) {
            let why = "http без шифрования в открытую сеть: нужен https";
            found.push((key, format!("адрес «{address}» — {why}")));
        }
    };
    if with_key {
        address("llm.gigachat.oauth_url", &gigachat.oauth_url);
        address("llm.gigachat.api_base_url", &gigachat.api_base_url);
    }
    if let Some(base) = &openai.base_url {
        address("llm.openai.base_url", base);
    }
    let placed = |(key, why): (&str, String)| {
        let value = values.iter().find(|value| value.key == key)?;
        let line = match value.source {
            Source::File { line, .. } => line,
            _ => usize::MAX,
        };
        Some((line, format!("{}: {key}: {why}", value.source)))
    };
    found.into_iter().filter_map(placed).collect()
}

fn is_web(url: &reqwest::Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// Whether what a model is asked at this address stays private.
fn is_private(address: &str) -> bool {
    reqwest::Url::parse(address.trim()).is_ok_and(|url| trust::stays_private(&url))
}

/// Whether it is what GigaChat's cabinet gives: base64 of `client_id:client_secret`, maybe with the
/// word that stands before it in a header.
fn is_authorization_key(text: &str) -> bool {
    let key = text.trim();
    let key = key.strip_prefix("Basic ").unwrap_or(key).trim();
    let decoded = base64::engine::general_purpose::STANDARD.decode(key).ok();
    let pair = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    pair.as_deref()
        .and_then(|pair| pair.split_once(':'))
        .is_some_and(|(id, secret)| !id.is_empty() && !secret.is_empty())
}

/// What the operator should know.
fn advise(config: &Config, variables: &Variables<'_>, notices: &mut Vec<String>) {
    if WorkingHours::read(&config.company.hours).is_none() {
        notices.push(format!(
            "company.hours: часы «{}» не поняты, рабочим считается любое время. Пишите так: \
             «пн–пт 09:00–18:00».",
            config.company.hours
        ));
    }
    for (name, why) in [
        ("DATABASE_URL", "база данных теперь файл в папке данных"),
        ("REDIS_URL", "очереди и состояния теперь в той же базе"),
        ("SECRET_KEY", "сеансы панели теперь хранит база"),
    ] {
        if variables.get(name).is_some() {
            notices.push(format!("{name} больше не нужна: {why}."));
        }
    }
    if variables.get("ADMIN_TG_USERNAME").is_some() {
        notices.push(
            "ADMIN_TG_USERNAME не даёт прав: имя в Telegram может перейти к другому. Впишите \
             числовой номер в ADMIN_TG_ID или телефон в ADMIN_PHONE."
                .to_owned(),
        );
    }
    let token = config.onec.webhook_token.as_ref();
    if token.is_some_and(|token| token.expose().chars().count() < 24) {
        notices.push(
            "onec.webhook_token короче 24 символов: его можно подобрать. Новый: openssl rand -hex 24."
                .to_owned(),
        );
    }
    if let Some(key) = &config.llm.gigachat.auth_key
        && !is_authorization_key(key.expose())
    {
        notices.push(
            "llm.gigachat.auth_key не похож на ключ авторизации: нужен ключ целиком из личного \
             кабинета, а не Client Secret."
                .to_owned(),
        );
    }
    if config.onec.open && token.is_none() {
        notices.push(
            "onec.open = true: JSON-вызовы 1С принимаются от кого угодно. Задайте \
             onec.webhook_token."
                .to_owned(),
        );
    }
    if config.onec.pull.enabled && config.onec.pull.base_url.is_none() {
        notices.push(
            "onec.pull.enabled = true, но onec.pull.base_url не задан: забирать каталог неоткуда."
                .to_owned(),
        );
    }
    let exchange = &config.onec.exchange;
    if exchange.password.is_some() && exchange.username.is_none() {
        notices.push(
            "onec.exchange.password задан без onec.exchange.username: обмен с сайтом выключен."
                .to_owned(),
        );
    }
    let https = config.server.public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
    if !config.server.listen.ip().is_loopback() && !https {
        notices.push(format!(
            "server.listen = {}: панель видна из сети без https, пароли идут открыто. Поставьте \
             впереди nginx или Caddy и задайте server.public_url.",
            config.server.listen
        ));
    }
}
