//! What administrators see: counts, health, and how work that they started has ended.

use super::basket::Scene;
use crate::chat::{Action, Button, Screen};
use crate::domain::{OrderStatus, ru};
use crate::formats::html::Html;
use crate::services::alerts::Finding;
use crate::services::backup::{BackupError, BackupFile, BackupStatus};
use crate::services::bot_status::BotState;
use crate::services::models::{Probe, ProviderStatus};
use crate::services::overview::State;
use crate::services::pull::{PullError, Pulled};
use crate::storage::backup::Contents;

/// How the program is doing.
pub struct Health<'a> {
    /// Queues, people, the exchange.
    pub state: &'a State,
    /// Orders by status.
    pub counts: &'a [(OrderStatus, u32)],
    /// How the bot is doing.
    pub bot: BotState,
    /// Where copies stand; `None`: nobody knows.
    pub backup: Option<&'a BackupStatus>,
    /// The models that are set up.
    pub models: Vec<ProviderStatus>,
    /// What was looked at.
    pub findings: &'a [Finding],
}

/// `/admin`.
pub fn card(health: &Health<'_>, scene: &Scene) -> Screen {
    let state = health.state;
    let of = |wanted: OrderStatus| {
        health.counts.iter().find(|(status, _)| *status == wanted).map_or(0, |(_, count)| *count)
    };
    let in_work: u32 = health
        .counts
        .iter()
        .filter(|(status, _)| !status.is_final() && *status != OrderStatus::New)
        .map(|(_, count)| count)
        .sum();
    let mut html = Html::new()
        .bold("Администратору")
        .line()
        .push(format!("Заказы: новых {}, в работе {in_work}", of(OrderStatus::New)))
        .line()
        .push(format!(
            "Вопросы без ответа: {} · клиенты: {} · товары: {}",
            state.questions, state.clients, state.products
        ))
        .line();
    let bot = match health.bot {
        BotState::Ok => "норма".to_owned(),
        other => other.label().to_owned(),
    };
    html = html.line().push(format!("Бот: {bot}"));
    html = html.line().push(format!("База: норма, {}", megabytes(state.database_bytes)));
    html = html.line().push(exchange(state, scene));
    html = html.line().push(model(&health.models));
    html = html.line().push(outbox(state));
    html = html.line().push(backup(health.backup, scene));
    for finding in health.findings {
        if let Some(trouble) = &finding.trouble {
            html = html.line().push(format!("⛔ {}: {trouble}", finding.name));
        }
    }
    html = html.line().push(format!("Версия {}", env!("CARGO_PKG_VERSION")));
    Screen::new(html)
        .row([
            Button::new("Обмен", Action::AdminSync),
            Button::new("Копия", Action::AdminBackup),
            Button::new("Модель", Action::AdminModel),
        ])
        .row([Button::new("Обновить", Action::Admin)])
}

fn exchange(state: &State, scene: &Scene) -> String {
    match &state.last_exchange {
        None => "Обмен с 1С: ещё не было".to_owned(),
        Some((at, error)) if error.is_empty() => {
            format!("Обмен с 1С: норма, последний {}", scene.zone.date_time(*at, scene.now))
        }
        Some((at, error)) => {
            format!("Обмен с 1С: сбой {}: {error}", scene.zone.date_time(*at, scene.now))
        }
    }
}

fn model(models: &[ProviderStatus]) -> String {
    if models.is_empty() {
        return "Модель: выключена".to_owned();
    }
    let names: Vec<&str> = models.iter().map(|provider| provider.provider.label()).collect();
    format!("Модель: {}", names.join(", "))
}

fn outbox(state: &State) -> String {
    let (queued, failed, blocked) = (state.queued, state.failed, state.blocked_chats);
    let mut text = format!("Исходящие: в очереди {queued}");
    if failed > 0 {
        text = format!("{text}, не доставлено {failed}");
    }
    if blocked > 0 {
        let chats = ru::count(blocked.unsigned_abs(), ["чат", "чата", "чатов"]);
        text = format!("{text}; бот заблокирован: {chats}");
    }
    text
}

fn backup(status: Option<&BackupStatus>, scene: &Scene) -> String {
    let last = status.and_then(|status| status.last.as_ref());
    match last {
        None => "Копия: ещё не делалась".to_owned(),
        Some(file) => format!(
            "Копия: {}, {}",
            scene.zone.date_time(file.made_at, scene.now),
            megabytes(file.size)
        ),
    }
}

fn megabytes(bytes: u64) -> String {
    let tenths = bytes / 100_000;
    format!("{},{}\u{a0}МБ", tenths / 10, tenths % 10)
}

/// How a pull ended.
pub fn pulled(result: Result<Pulled, PullError>) -> Screen {
    Screen::text(match result {
        Ok(Pulled::Unchanged) => "В 1С ничего не изменилось.".to_owned(),
        Ok(Pulled::Applied(report)) => {
            let mut text = format!(
                "Каталог обновлён: новых {}, изменено {}, без изменений {}",
                report.created, report.changed, report.unchanged
            );
            if report.skipped > 0 {
                text = format!("{text}, пропущено {}", report.skipped);
            }
            format!("{text}.")
        }
        Err(error) => format!("Не получилось: {error}."),
    })
}

/// How a copy ended.
pub fn copied(result: Result<(BackupFile, Contents), BackupError>) -> Screen {
    Screen::text(match result {
        Ok((file, contents)) => {
            let name = file.path.file_name().unwrap_or_default().to_string_lossy();
            let orders = ru::count(contents.orders.unsigned_abs(), ["заказ", "заказа", "заказов"]);
            format!("Копия {name} сделана и проверена: {}, {orders}.", megabytes(file.size))
        }
        Err(error) => format!("Копия не сделана: {error}."),
    })
}

/// What the models answered.
pub fn probed(probes: &[Probe]) -> Screen {
    let mut html = Html::new();
    for (index, probe) in probes.iter().enumerate() {
        if index > 0 {
            html = html.line();
        }
        let name = probe.provider.label();
        html = html.push(match &probe.outcome {
            Ok(_) => {
                format!("{name}, {}: отвечает за {}\u{a0}мс.", probe.model, probe.took.as_millis())
            }
            Err(why) => format!("{name}, {}: не отвечает. {why}", probe.model),
        });
    }
    Screen::new(html)
}

/// A person asks to have their data deleted.
pub fn deletion_asked(name: &str, phone: Option<&str>) -> Screen {
    let phone = phone.map(|phone| format!(", {phone}")).unwrap_or_default();
    Screen::text(format!(
        "{name}{phone} просит удалить свои данные. Свяжитесь с человеком и закройте доступ в панели, раздел «Клиенты» → «Люди»."
    ))
}
