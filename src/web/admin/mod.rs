//! The panel: one file per screen.

pub mod audit;
pub mod backups;
pub mod catalog;
pub mod clients;
pub mod exchange;
pub mod find;
pub mod import;
pub mod login;
pub mod models;
pub mod orders;
pub mod outbox;
pub mod questions;
pub mod search;
pub mod sessions;
pub mod settings;
pub mod state;
pub mod synonyms;
pub mod today;

use super::error::WebError;
use super::layout::{Signal, Surroundings};
use super::session::ManagerSession;
use super::{Desk, simulator};
use crate::domain::{OrderNumber, OrderStatus};
use crate::services::bot_status::BotState;
use crate::services::ordering::OrderView;
use crate::services::questions::Writer;

/// What the frame shows around a page.
async fn around(desk: &Desk, me: &ManagerSession) -> Result<Surroundings, WebError> {
    let counts = desk.ordering.counts(&[OrderStatus::New]).await?;
    Ok(Surroundings {
        company: desk.base.config.company.name.clone(),
        name: me.staff.name.clone(),
        role: Some(me.staff.role),
        new_orders: counts.first().map_or(0, |(_, count)| *count),
        open_questions: desk.questions().count_unanswered(Writer::staff(me.staff.person)).await?,
        signals: vec![bot_signal(desk), exchange::signal(desk).await?],
        chat: simulator::linked(desk),
    })
}

fn bot_signal(desk: &Desk) -> Signal {
    let state = desk.bot.report().state;
    let words = match state {
        BotState::Off => "выключен",
        BotState::Starting => "подключается",
        BotState::Ok => "работает",
        BotState::Refused => "токен не принят",
        BotState::Conflict => "занят другой программой",
        BotState::Offline => "нет связи",
    };
    Signal { name: "Бот", state: words, tone: today::bot_tone(state) }
}

/// The order that an address names.
async fn lookup(desk: &Desk, number: &str) -> Result<OrderView, WebError> {
    let number = OrderNumber::parse(number).ok_or(WebError::NotFound)?;
    Ok(desk.ordering.order_by_number(number).await?)
}
