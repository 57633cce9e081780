//! `partner-m bot check`, `partner-m llm test`, and what `check --online` asks of others.

use std::fmt::Write as _;

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;
use teloxide::prelude::Requester;
use teloxide::{ApiError, RequestError};

use super::terminal::Terminal;
use super::{Exit, Failure, Global, Outcome, runtime, settings};
use crate::config::Config;
use crate::services::models;
use crate::telegram;

/// What to do with the bot.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum BotCommand {
    /// Спросить Telegram, чей это токен и не мешает ли что-нибудь боту
    #[command(before_help = "Примеры:
  partner-m bot check
  partner-m bot check --json
  BOT_TOKEN=… partner-m bot check")]
    Check,
}

/// What to do with models.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum LlmCommand {
    /// Спросить каждую настроенную модель о пробной строке
    #[command(before_help = "Примеры:
  partner-m llm test
  partner-m llm test --json
  OPENAI_BASE_URL=http://127.0.0.1:11434/v1 partner-m llm test")]
    Test,
}

/// The bot as Telegram sees it.
#[derive(Debug, Serialize)]
pub struct BotFacts {
    username: String,
    name: String,
    webhook: bool,
    pending_updates: u32,
}

impl BotFacts {
    /// «@name (Имя)», and what is in the way.
    pub fn describe(&self) -> String {
        let mut text = format!("@{} ({})", self.username, self.name);
        if self.webhook {
            text.push_str("; стоит вебхук другой программы, serve его снимет");
        }
        if self.pending_updates > 0 {
            let _ = write!(text, "; ждёт сообщений: {}", self.pending_updates);
        }
        text
    }
}

/// Asks Telegram about the bot; `None` without a token.
pub async fn ask_telegram(config: &Config) -> Result<Option<BotFacts>, Failure> {
    let bot = telegram::bot(&config.telegram).map_err(|error| {
        Failure::new(Exit::Settings, error.to_string(), "исправьте настройку telegram.*")
    })?;
    let Some(bot) = bot else { return Ok(None) };
    let me = bot.get_me().await.map_err(|error| refused(&error))?;
    let webhook = bot.get_webhook_info().await.map_err(|error| refused(&error))?;
    Ok(Some(BotFacts {
        username: me.user.username.clone().unwrap_or_default(),
        name: me.user.first_name.clone(),
        webhook: webhook.url.is_some(),
        pending_updates: webhook.pending_update_count,
    }))
}

/// Never shows the error itself: its address has the token.
fn refused(error: &RequestError) -> Failure {
    match error {
        RequestError::Api(ApiError::InvalidToken) => Failure::new(
            Exit::Settings,
            "Telegram не принимает токен",
            "возьмите токен у @BotFather и впишите в telegram.bot_token",
        ),
        RequestError::Network(_) | RequestError::Io(_) => Failure::new(
            Exit::Remote,
            "до Telegram не достучаться",
            "проверьте сеть; если Telegram закрыт, задайте telegram.proxy",
        ),
        _ => Failure::new(Exit::Remote, "Telegram ответил неожиданно", "повторите через минуту"),
    }
}

/// `bot check`.
pub fn bot(global: &Global, command: BotCommand, terminal: &Terminal) -> Outcome {
    let BotCommand::Check = command;
    let config = settings(global, Vec::new())?.config;
    let facts = runtime()?.block_on(ask_telegram(&config))?.ok_or_else(|| {
        Failure::new(
            Exit::Settings,
            "токен бота не задан",
            "возьмите его у @BotFather и впишите в telegram.bot_token или BOT_TOKEN",
        )
    })?;
    terminal.data(&facts, || format!("{}\n", facts.describe()));
    Ok(Exit::Done)
}

/// `llm test`.
pub fn llm(global: &Global, command: LlmCommand, terminal: &Terminal) -> Outcome {
    let LlmCommand::Test = command;
    let config = settings(global, Vec::new())?.config;
    if let Some((provider, fault)) = models::faults(&config).into_iter().next() {
        let why = format!("{provider}: {fault}");
        return Err(Failure::new(Exit::Settings, why, "исправьте настройку llm.*"));
    }
    let probes = runtime()?.block_on(models::probe(&config));
    if probes.is_empty() {
        return Err(Failure::new(
            Exit::Settings,
            "ни одна модель не настроена",
            "задайте llm.gigachat.auth_key, llm.openai.api_key или llm.openai.base_url",
        ));
    }
    let rows: Vec<_> = probes
        .iter()
        .map(|probe| {
            json!({
                "provider": probe.provider.as_str(), "model": probe.model,
                "milliseconds": u64::try_from(probe.took.as_millis()).unwrap_or(u64::MAX),
                "tokens": probe.tokens, "ok": probe.outcome.is_ok(),
                "read": probe.outcome.as_ref().ok(), "error": probe.outcome.as_ref().err(),
            })
        })
        .collect();
    terminal.data(&rows, || {
        let mut text = String::new();
        for probe in &probes {
            let name = probe.provider.label();
            let (model, ms) = (&probe.model, probe.took.as_millis());
            let outcome = match &probe.outcome {
                Ok(lines) => format!("ответила за {ms}\u{a0}мс: {}", lines.join("; ")),
                Err(why) => format!("не ответила: {why}"),
            };
            let _ = writeln!(text, "{name}, {model}: {outcome}");
        }
        text
    });
    let all = probes.iter().all(|probe| probe.outcome.is_ok());
    Ok(if all { Exit::Done } else { Exit::Remote })
}
