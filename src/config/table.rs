//! Every setting once: its key, its names in the environment, its default, unit and check.
//!
//! The reader, `partner-m.toml.example`, `partner-m check` and the documentation go by this table.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::{ChatMode, Config, LlmMode, LogFormat, Registration, SendFrom, ShowStock};
use crate::domain::{Phone, Secret, WorkingHours, Zone};

/// A longer name of the company would push everything else off a phone's screen.
const NAME_MAX: usize = 100;

/// A setting.
pub struct Setting {
    /// Its place in the settings file: `server.listen`.
    pub key: &'static str,
    /// Its names in the environment and in `.env`, the first being the one to write.
    pub env: &'static [&'static str],
    /// How the settings file writes its value.
    pub shape: Shape,
    /// The default as the settings file would write it; empty: there is none.
    pub default: &'static str,
    /// A value to show where there is no default.
    pub example: &'static str,
    /// What the number counts: «секунд».
    pub unit: &'static str,
    /// What it does, in Russian, a sentence or more.
    pub about: &'static str,
    /// Whether the panel may change it, at once and without a restart.
    pub in_panel: bool,
    /// Checks the value and puts it in place. A list comes in parts, anything else in one; a
    /// setting of the panel without a default is unset by none.
    pub(super) apply: fn(&mut Config, &[String]) -> Result<(), String>,
    /// What is asked besides of a value that somebody types in the panel.
    pub(super) typed: fn(&[String]) -> Result<(), String>,
}

/// How the settings file writes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// A string that is never shown.
    Secret,
    /// A number.
    Number,
    /// `true` or `false`.
    Flag,
    /// An array of strings or numbers; commas in the environment.
    List,
    /// A list of phones: in the environment one that cannot be read is left out with a notice.
    Phones,
    /// A phone: in the environment one that cannot be read counts as unset, with a notice.
    Phone,
}

impl Setting {
    /// The setting with this key.
    pub fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// Whether the value is never shown.
    pub fn is_secret(&self) -> bool {
        self.shape == Shape::Secret
    }
}

const NONE: Setting = Setting {
    key: "",
    env: &[],
    shape: Shape::Text,
    default: "",
    example: "\"\"",
    unit: "",
    about: "",
    in_panel: false,
    apply: |_, _| Ok(()),
    typed: |_| Ok(()),
};

/// All settings, in the order of the settings file.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "data_dir",
        env: &["PARTNER_M_DATA"],
        default: "\"./data\"",
        about: "Папка данных: база partner-m.db, резервные копии, файлы обмена. Под systemd вместо \
                этого значения берётся $STATE_DIRECTORY.",
        apply: |c, v| set(&mut c.data_dir, PathBuf::from(one(v))),
        ..NONE
    },
    Setting {
        key: "server.listen",
        env: &["PARTNER_M_LISTEN"],
        default: "\"127.0.0.1:8000\"",
        about: "Адрес и порт панели, чата в браузере и обмена с 1С.",
        apply: |c, v| set(&mut c.server.listen, address(v)?),
        ..NONE
    },
    Setting {
        key: "server.public_url",
        env: &["PARTNER_M_PUBLIC_URL"],
        example: "\"https://zakaz.example.ru\"",
        about: "Адрес, по которому панель видна людям: для ссылок в боте. С https куки становятся \
                Secure.",
        apply: |c, v| set(&mut c.server.public_url, Some(url(v)?)),
        ..NONE
    },
    Setting {
        key: "server.trusted_proxies",
        shape: Shape::List,
        default: "[]",
        about: "Адреса прокси, чьему X-Forwarded-For можно верить.",
        apply: |c, v| set(&mut c.server.trusted_proxies, list(v, "IP-адрес, например 10.0.0.2")?),
        ..NONE
    },
    Setting {
        key: "server.chat",
        env: &["PARTNER_M_CHAT"],
        default: "\"auto\"",
        about: "Чат в браузере: auto (на этой машине, пока бот не подключён и нет администратора), \
                on (для сотрудников, вошедших в панель), off.",
        apply: |c, v| {
            let modes = [("auto", ChatMode::Auto), ("on", ChatMode::On), ("off", ChatMode::Off)];
            set(&mut c.server.chat, choice(v, &modes)?)
        },
        ..NONE
    },
    Setting {
        key: "metrics.token",
        env: &["METRICS_TOKEN"],
        shape: Shape::Secret,
        about: "Токен, открывающий /metrics и подробности /health.",
        apply: |c, v| set(&mut c.metrics_token, Some(Secret::new(one(v)))),
        ..NONE
    },
    Setting {
        key: "company.name",
        env: &["COMPANY_NAME"],
        default: "\"Партнёр-М\"",
        about: "Название компании, как его видят покупатели.",
        in_panel: true,
        apply: |c, v| {
            let name = one(v);
            if name.chars().count() > NAME_MAX {
                return Err(format!(
                    "название длиннее {NAME_MAX} знаков: оно стоит в шапке и в сообщениях бота"
                ));
            }
            set(&mut c.company.name, name.to_owned())
        },
        ..NONE
    },
    Setting {
        key: "company.phone",
        env: &["COMPANY_PHONE"],
        shape: Shape::Phone,
        example: "\"+7 921 123-45-67\"",
        about: "Телефон, который бот называет покупателям.",
        in_panel: true,
        apply: |c, v| {
            set(&mut c.company.phone, v.first().map(|text| phone(text.trim())).transpose()?)
        },
        ..NONE
    },
    Setting {
        key: "company.hours",
        env: &["COMPANY_HOURS"],
        default: "\"пн–пт 09:00–18:00\"",
        about: "Часы работы.",
        in_panel: true,
        // A start is not held up by words that nobody but people read.
        apply: |c, v| set(&mut c.company.hours, one(v).to_owned()),
        typed: |v| match WorkingHours::read(one(v)) {
            Some(_) => Ok(()),
            None => Err("часы не поняты; пишите так: «пн–пт 09:00–18:00», «пн–пт 09:00–18:00, \
                         сб 10:00–15:00» или «круглосуточно»"
                .to_owned()),
        },
        ..NONE
    },
    Setting {
        key: "company.timezone",
        env: &["COMPANY_TIMEZONE"],
        default: "\"Europe/Moscow\"",
        about: "Часовой пояс расписаний и всего, что показано людям: имя из базы IANA.",
        apply: |c, v| {
            let name = one(v);
            if Zone::named(name).is_none() {
                return Err("нет такого часового пояса, нужно имя вида «Europe/Moscow»".to_owned());
            }
            set(&mut c.company.timezone, name.to_owned())
        },
        ..NONE
    },
    Setting {
        key: "company.sla",
        env: &["COMPANY_SLA"],
        example: "\"30 минут\"",
        about: "Срок из «обычно отвечаем за …»; без него бот срок не называет.",
        in_panel: true,
        apply: |c, v| set(&mut c.company.sla, v.first().map(|text| text.trim().to_owned())),
        ..NONE
    },
    Setting {
        key: "company.policy_url",
        env: &["COMPANY_POLICY_URL"],
        example: "\"https://example.ru/privacy\"",
        about: "Адрес политики обработки персональных данных.",
        in_panel: true,
        apply: |c, v| {
            let given = if v.is_empty() { None } else { Some(url(v)?) };
            set(&mut c.company.policy_url, given)
        },
        ..NONE
    },
    Setting {
        key: "telegram.bot_token",
        env: &["BOT_TOKEN"],
        shape: Shape::Secret,
        about: "Токен бота от @BotFather. Без него работает всё, кроме Telegram.",
        apply: |c, v| set(&mut c.telegram.bot_token, Some(Secret::new(one(v)))),
        ..NONE
    },
    Setting {
        key: "telegram.api_url",
        env: &["TELEGRAM_API_URL"],
        example: "\"http://127.0.0.1:8081\"",
        about: "Свой сервер Bot API вместо api.telegram.org.",
        apply: |c, v| set(&mut c.telegram.api_url, Some(url(v)?)),
        ..NONE
    },
    Setting {
        key: "telegram.proxy",
        env: &["TELEGRAM_PROXY"],
        shape: Shape::Secret,
        example: "\"socks5://127.0.0.1:1080\"",
        about: "Прокси для Telegram: socks5:// или http://, можно с именем и паролем.",
        apply: |c, v| {
            let schemes = ["socks5://", "socks5h://", "http://", "https://"];
            set(&mut c.telegram.proxy, Some(with_scheme(one(v), &schemes)?))
        },
        ..NONE
    },
    Setting {
        key: "telegram.managers_chat",
        env: &["MANAGER_CHAT_ID"],
        shape: Shape::Number,
        example: "-1001234567890",
        about: "Номер чата менеджеров; у групп он отрицательный.",
        apply: |c, v| set(&mut c.telegram.managers_chat, Some(number(v)?)),
        ..NONE
    },
    Setting {
        key: "access.admin_phones",
        env: &["ADMIN_PHONE"],
        shape: Shape::Phones,
        default: "[]",
        about: "Телефоны администраторов: роль получает тот, кто подтвердит такой номер.",
        apply: |c, v| set(&mut c.access.admin_phones, phones(v)?),
        ..NONE
    },
    Setting {
        key: "access.manager_phones",
        env: &["MANAGER_PHONE"],
        shape: Shape::Phones,
        default: "[]",
        about: "Телефоны менеджеров.",
        apply: |c, v| set(&mut c.access.manager_phones, phones(v)?),
        ..NONE
    },
    Setting {
        key: "access.admin_telegram_ids",
        env: &["ADMIN_TG_ID", "ADMIN_USER_IDS"],
        shape: Shape::List,
        default: "[]",
        about: "Числовые номера Telegram администраторов.",
        apply: |c, v| set(&mut c.access.admin_telegram_ids, list(v, "число, например 123456789")?),
        ..NONE
    },
    Setting {
        key: "access.registration",
        env: &["PARTNER_M_REGISTRATION"],
        default: "\"open\"",
        about: "Кто может зарегистрироваться: open (любой), approval (после одобрения менеджером), \
                invite (по приглашению или известный 1С).",
        in_panel: true,
        apply: |c, v| {
            let modes = [
                ("open", Registration::Open),
                ("approval", Registration::Approval),
                ("invite", Registration::Invite),
            ];
            set(&mut c.access.registration, choice(v, &modes)?)
        },
        ..NONE
    },
    Setting {
        key: "access.confirm_sign_in",
        env: &["PARTNER_M_CONFIRM_SIGN_IN"],
        shape: Shape::Flag,
        default: "false",
        about: "Вход в панель по паролю подтверждается кодом, который бот пришлёт сотруднику в \
                Telegram. Кто не привязал Telegram, по паролю не войдёт.",
        apply: |c, v| set(&mut c.access.confirm_sign_in, flag(v)?),
        ..NONE
    },
    Setting {
        key: "orders.show_stock",
        env: &["PARTNER_M_SHOW_STOCK"],
        default: "\"level\"",
        about: "Остаток для покупателя: exact (число), level (есть, мало, нет), off (не показывать).",
        in_panel: true,
        apply: |c, v| {
            let modes =
                [("exact", ShowStock::Exact), ("level", ShowStock::Level), ("off", ShowStock::Off)];
            set(&mut c.show_stock, choice(v, &modes)?)
        },
        ..NONE
    },
    Setting {
        key: "recognition.llm",
        env: &["LLM_MODE"],
        default: "\"auto\"",
        about: "Когда спрашивать языковую модель: off (никогда), auto (о строках, в которых свой \
                разбор не уверен), first (сначала модель, свой разбор при её отказе).",
        in_panel: true,
        apply: |c, v| {
            let modes = [("off", LlmMode::Off), ("auto", LlmMode::Auto), ("first", LlmMode::First)];
            set(&mut c.recognition.llm, choice(v, &modes)?)
        },
        ..NONE
    },
    Setting {
        key: "recognition.llm_daily_requests",
        env: &["LLM_DAILY_REQUESTS"],
        shape: Shape::Number,
        default: "1000",
        unit: "запросов в сутки",
        about: "Сколько раз в сутки можно обратиться к моделям, ко всем вместе.",
        in_panel: true,
        apply: |c, v| set(&mut c.recognition.llm_daily_requests, number(v)?),
        ..NONE
    },
    Setting {
        key: "llm.gigachat.auth_key",
        env: &["GIGACHAT_BASIC_AUTH_KEY"],
        shape: Shape::Secret,
        about: "Ключ авторизации GigaChat; без него GigaChat выключен.",
        apply: |c, v| set(&mut c.llm.gigachat.auth_key, Some(Secret::new(one(v)))),
        ..NONE
    },
    Setting {
        key: "llm.gigachat.oauth_url",
        env: &["GIGACHAT_OAUTH_URL"],
        default: "\"https://ngw.devices.sberbank.ru:9443/api/v2/oauth\"",
        about: "Где GigaChat выдаёт токены.",
        apply: |c, v| set(&mut c.llm.gigachat.oauth_url, url(v)?),
        ..NONE
    },
    Setting {
        key: "llm.gigachat.scope",
        env: &["GIGACHAT_SCOPE"],
        default: "\"GIGACHAT_API_PERS\"",
        about: "Область доступа: GIGACHAT_API_PERS, GIGACHAT_API_B2B или GIGACHAT_API_CORP.",
        apply: |c, v| set(&mut c.llm.gigachat.scope, one(v).to_owned()),
        ..NONE
    },
    Setting {
        key: "llm.gigachat.api_base_url",
        env: &["GIGACHAT_API_BASE_URL"],
        default: "\"https://gigachat.devices.sberbank.ru/api/v1\"",
        about: "Адрес API GigaChat.",
        apply: |c, v| set(&mut c.llm.gigachat.api_base_url, url(v)?),
        ..NONE
    },
    Setting {
        key: "llm.gigachat.model",
        env: &["GIGACHAT_MODEL"],
        default: "\"GigaChat\"",
        about: "Модель GigaChat.",
        apply: |c, v| set(&mut c.llm.gigachat.model, one(v).to_owned()),
        ..NONE
    },
    Setting {
        key: "llm.gigachat.timeout_seconds",
        env: &["GIGACHAT_TIMEOUT_SECONDS"],
        shape: Shape::Number,
        default: "20",
        unit: "секунд",
        about: "Сколько ждать ответа GigaChat. Обе модели вместе ждут не дольше 30 секунд.",
        apply: |c, v| set(&mut c.llm.gigachat.timeout, seconds(v)?),
        ..NONE
    },
    Setting {
        key: "llm.gigachat.token_cache_prefix",
        env: &["GIGACHAT_TOKEN_CACHE_PREFIX"],
        default: "\"gigachat:token\"",
        about: "Начало ключа, под которым токен лежит в памяти.",
        apply: |c, v| set(&mut c.llm.gigachat.token_cache_prefix, one(v).to_owned()),
        ..NONE
    },
    Setting {
        key: "llm.gigachat.ca_bundle",
        env: &["GIGACHAT_CA_BUNDLE"],
        example: "\"/etc/partner-m/russian_trusted_root_ca.pem\"",
        about: "Файл PEM с корневым сертификатом Минцифры. Без него берётся SSL_CERT_FILE. Файл без \
                сертификатов останавливает запуск.",
        apply: |c, v| set(&mut c.llm.gigachat.ca_bundle, Some(PathBuf::from(one(v)))),
        ..NONE
    },
    Setting {
        key: "llm.openai.api_key",
        env: &["OPENAI_API_KEY"],
        shape: Shape::Secret,
        about: "Ключ OpenAI или совместимого сервера.",
        apply: |c, v| set(&mut c.llm.openai.api_key, Some(Secret::new(one(v)))),
        ..NONE
    },
    Setting {
        key: "llm.openai.model",
        env: &["OPENAI_MODEL"],
        default: "\"gpt-4o-mini\"",
        about: "Модель.",
        apply: |c, v| set(&mut c.llm.openai.model, one(v).to_owned()),
        ..NONE
    },
    Setting {
        key: "llm.openai.base_url",
        env: &["OPENAI_BASE_URL"],
        example: "\"http://127.0.0.1:11434/v1\"",
        about: "Адрес совместимого сервера (Ollama, vLLM, llama.cpp); без него OpenAI. Ключ или \
                адрес включают эту модель. http без шифрования — только в своей сети.",
        apply: |c, v| set(&mut c.llm.openai.base_url, Some(url(v)?)),
        ..NONE
    },
    Setting {
        key: "llm.openai.timeout_seconds",
        env: &["OPENAI_TIMEOUT_SECONDS"],
        shape: Shape::Number,
        default: "20",
        unit: "секунд",
        about: "Сколько ждать ответа.",
        apply: |c, v| set(&mut c.llm.openai.timeout, seconds(v)?),
        ..NONE
    },
    Setting {
        key: "llm.openai.ca_bundle",
        env: &["OPENAI_CA_BUNDLE"],
        example: "\"/etc/partner-m/own-ca.pem\"",
        about: "Файл PEM с корневым сертификатом своего сервера.",
        apply: |c, v| set(&mut c.llm.openai.ca_bundle, Some(PathBuf::from(one(v)))),
        ..NONE
    },
    Setting {
        key: "llm.openai.headers",
        env: &["OPENAI_HEADERS"],
        shape: Shape::List,
        default: "[]",
        about: "Дополнительные заголовки вида «Имя: значение»; YandexGPT ждёт «OpenAI-Project: \
                каталог». Ключ пишут не сюда, а в api_key.",
        apply: |c, v| set(&mut c.llm.openai.headers, headers(v)?),
        ..NONE
    },
    Setting {
        key: "onec.listen",
        env: &["ONE_C_LISTEN"],
        example: "\"192.168.0.10:8081\"",
        about: "Второй адрес, без https, на котором есть только пути 1С: для 1С в той же сети, не \
                умеющей https (УТ 10.3).",
        apply: |c, v| set(&mut c.onec.listen, Some(address(v)?)),
        ..NONE
    },
    Setting {
        key: "onec.webhook_token",
        env: &["ONE_C_WEBHOOK_TOKEN"],
        shape: Shape::Secret,
        about: "Токен JSON-вызовов из 1С, от 24 символов.",
        apply: |c, v| set(&mut c.onec.webhook_token, Some(Secret::new(one(v)))),
        ..NONE
    },
    Setting {
        key: "onec.open",
        env: &["ONE_C_OPEN"],
        shape: Shape::Flag,
        default: "false",
        about: "true: без токена принимать JSON-вызовы 1С от кого угодно, как прежняя программа. \
                Только в закрытой сети.",
        apply: |c, v| set(&mut c.onec.open, flag(v)?),
        ..NONE
    },
    Setting {
        key: "onec.send_from",
        env: &["ONE_C_SEND_FROM"],
        default: "\"accepted\"",
        about: "С какого статуса заказ предлагается 1С: accepted (принят менеджером) или new (сразу).",
        apply: |c, v| {
            let modes = [("accepted", SendFrom::Accepted), ("new", SendFrom::New)];
            set(&mut c.onec.send_from, choice(v, &modes)?)
        },
        ..NONE
    },
    Setting {
        key: "onec.pull.enabled",
        env: &["ONE_C_ENABLED"],
        shape: Shape::Flag,
        default: "false",
        about: "Забирать каталог из 1С по расписанию.",
        apply: |c, v| set(&mut c.onec.pull.enabled, flag(v)?),
        ..NONE
    },
    Setting {
        key: "onec.pull.base_url",
        env: &["ONE_C_BASE_URL"],
        example: "\"http://192.168.0.5/ut/hs/partner-m\"",
        about: "Адрес HTTP-сервиса 1С; к нему добавляется /catalog.",
        apply: |c, v| set(&mut c.onec.pull.base_url, Some(url(v)?)),
        ..NONE
    },
    Setting {
        key: "onec.pull.username",
        env: &["ONE_C_USERNAME"],
        about: "Пользователь 1С.",
        apply: |c, v| set(&mut c.onec.pull.username, Some(one(v).to_owned())),
        ..NONE
    },
    Setting {
        key: "onec.pull.password",
        env: &["ONE_C_PASSWORD"],
        shape: Shape::Secret,
        about: "Его пароль.",
        apply: |c, v| set(&mut c.onec.pull.password, Some(Secret::new(one(v)))),
        ..NONE
    },
    Setting {
        key: "onec.pull.interval_minutes",
        env: &["ONE_C_SYNC_INTERVAL_MINUTES"],
        shape: Shape::Number,
        default: "10",
        unit: "минут",
        about: "Как часто забирать.",
        apply: |c, v| {
            let minutes: u64 = number(v)?;
            between(minutes, 1, 10_080)?;
            set(&mut c.onec.pull.interval, Duration::from_mins(minutes))
        },
        ..NONE
    },
    Setting {
        key: "onec.exchange.username",
        env: &["ONE_C_EXCHANGE_USERNAME"],
        about: "Имя, под которым 1С входит для обмена с сайтом (CommerceML).",
        apply: |c, v| set(&mut c.onec.exchange.username, Some(one(v).to_owned())),
        ..NONE
    },
    Setting {
        key: "onec.exchange.password",
        env: &["ONE_C_EXCHANGE_PASSWORD"],
        shape: Shape::Secret,
        about: "Пароль обмена с сайтом; без него обмен выключен.",
        apply: |c, v| set(&mut c.onec.exchange.password, Some(Secret::new(one(v)))),
        ..NONE
    },
    Setting {
        key: "onec.exchange.price_type",
        env: &["ONE_C_EXCHANGE_PRICE_TYPE"],
        example: "\"Оптовая\"",
        about: "Вид цен, который считается основным.",
        apply: |c, v| set(&mut c.onec.exchange.price_type, Some(one(v).to_owned())),
        ..NONE
    },
    Setting {
        key: "onec.exchange.warehouse",
        env: &["ONE_C_EXCHANGE_WAREHOUSE"],
        example: "\"Основной склад\"",
        about: "Склад, остаток которого показывать; без него все склады вместе.",
        apply: |c, v| set(&mut c.onec.exchange.warehouse, Some(one(v).to_owned())),
        ..NONE
    },
    Setting {
        key: "backup.at",
        env: &["BACKUP_AT"],
        default: "\"02:00\"",
        about: "Время ежедневной резервной копии в поясе компании; off выключает.",
        in_panel: true,
        apply: |c, v| set(&mut c.backup.at, time_of_day(one(v))?),
        ..NONE
    },
    Setting {
        key: "backup.keep",
        env: &["BACKUP_KEEP"],
        shape: Shape::Number,
        default: "14",
        unit: "копий",
        about: "Сколько копий хранить.",
        in_panel: true,
        apply: |c, v| {
            let keep: usize = number(v)?;
            between(keep, 1, 10_000)?;
            set(&mut c.backup.keep, keep)
        },
        ..NONE
    },
    Setting {
        key: "backup.dir",
        env: &["BACKUP_DIR"],
        example: "\"/srv/backups/partner-m\"",
        about: "Папка резервных копий; без неё backups в папке данных.",
        apply: |c, v| set(&mut c.backup.dir, Some(PathBuf::from(one(v)))),
        ..NONE
    },
    Setting {
        key: "log.level",
        env: &["RUST_LOG"],
        default: "\"info\"",
        about: "Подробность журнала: error, warn, info, debug, trace или фильтр по модулям.",
        apply: |c, v| {
            let level = one(v);
            if level.parse::<tracing_subscriber::EnvFilter>().is_err() {
                return Err("нужно error, warn, info, debug, trace или фильтр вида \
                            «info,partner_m=debug»"
                    .to_owned());
            }
            set(&mut c.log.level, level.to_owned())
        },
        ..NONE
    },
    Setting {
        key: "log.format",
        env: &["LOG_FORMAT"],
        default: "\"text\"",
        about: "Вид журнала: text (для людей) или json (строка JSON на запись).",
        apply: |c, v| {
            let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
            set(&mut c.log.format, choice(v, &formats)?)
        },
        ..NONE
    },
];

#[expect(clippy::unnecessary_wraps, reason = "the last step of every check")]
fn set<T>(place: &mut T, value: T) -> Result<(), String> {
    *place = value;
    Ok(())
}

fn one(values: &[String]) -> &str {
    values.first().map_or("", |value| value.trim())
}

fn number<T: std::str::FromStr>(values: &[String]) -> Result<T, String> {
    one(values).parse().map_err(|_| "нужно целое число".to_owned())
}

fn between<T: Copy + PartialOrd + std::fmt::Display>(
    value: T,
    low: T,
    high: T,
) -> Result<(), String> {
    if value < low || value > high {
        return Err(format!("нужно число от {low} до {high}"));
    }
    Ok(())
}

fn seconds(values: &[String]) -> Result<Duration, String> {
    let seconds: f64 = one(values).parse().map_err(|_| "нужно число секунд".to_owned())?;
    if !(0.1..=600.0).contains(&seconds) {
        return Err("нужно число секунд от 0,1 до 600".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn flag(values: &[String]) -> Result<bool, String> {
    match one(values).to_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "on" | "t" | "да" => Ok(true),
        "false" | "0" | "no" | "n" | "off" | "f" | "нет" => Ok(false),
        _ => Err("нужно true или false".to_owned()),
    }
}

fn choice<T: Copy>(values: &[String], choices: &[(&str, T)]) -> Result<T, String> {
    let given = one(values).to_lowercase();
    let found = choices.iter().find(|(name, _)| *name == given);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        format!("нужно одно из: {}", names.join(", "))
    })
}

fn list<T: std::str::FromStr>(values: &[String], what: &str) -> Result<Vec<T>, String> {
    let parse = |value: &String| {
        value.trim().parse().map_err(|_| format!("«{}» не подходит: нужно {what}", value.trim()))
    };
    values.iter().map(parse).collect()
}

/// «Name: value» each; the key has its own place, where it is never shown.
fn headers(values: &[String]) -> Result<Vec<(String, String)>, String> {
    let read = |text: &String| {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        let (name, value) = (name.trim(), value.trim());
        if name.eq_ignore_ascii_case("authorization") {
            return Err("ключ пишут в llm.openai.api_key".to_owned());
        }
        let sound = reqwest::header::HeaderName::try_from(name).is_ok()
            && reqwest::header::HeaderValue::try_from(value).is_ok();
        if !sound || value.is_empty() {
            return Err(format!("«{}» не подходит: нужно «Имя: значение»", text.trim()));
        }
        Ok((name.to_owned(), value.to_owned()))
    };
    values.iter().map(read).collect()
}

fn phone(text: &str) -> Result<Phone, String> {
    text.parse().map_err(|error: crate::domain::ParsePhoneError| error.to_string())
}

fn phones(values: &[String]) -> Result<Vec<Phone>, String> {
    values.iter().map(|value| phone(value)).collect()
}

fn address(values: &[String]) -> Result<SocketAddr, String> {
    let text = one(values);
    let local = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let text = local.as_deref().unwrap_or(text);
    text.parse().map_err(|_| match text.parse::<IpAddr>() {
        Ok(_) => format!("нужен ещё порт, например «{text}:8000»"),
        Err(_) => "нужен адрес с портом, например «127.0.0.1:8000»".to_owned(),
    })
}

/// An http(s) address without the trailing slash.
fn url(values: &[String]) -> Result<String, String> {
    with_scheme(one(values), &["http://", "https://"])
}

fn with_scheme(text: &str, schemes: &[&str]) -> Result<String, String> {
    let known = schemes.iter().any(|scheme| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    match reqwest::Url::parse(text) {
        Ok(url) if known && url.has_host() => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err(format!("нужен адрес, который начинается с {}", schemes.join(" или "))),
    }
}

fn time_of_day(text: &str) -> Result<Option<(u8, u8)>, String> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let time = text.split_once(':').and_then(|(hour, minute)| {
        let (hour, minute) = (hour.parse::<u8>().ok()?, minute.parse::<u8>().ok()?);
        (hour < 24 && minute < 60).then_some((hour, minute))
    });
    time.map(Some).ok_or_else(|| "нужно время вида «02:00» или off".to_owned())
}
