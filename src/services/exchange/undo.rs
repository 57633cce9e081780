//! An import that is taken back: products and what they stand in are as they were before it, but
//! for what others have changed since.

mod ledger;
mod parts;
mod places;

use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;

use rusqlite::Transaction;
use tracing::info;

use super::state::State;
use super::{Exchange, ExchangeError, PROBLEMS_KEPT, default_type, small};
use crate::config::Config;
use crate::domain::{ProductId, Timestamp, Zone, ru};
use crate::services::accounts::Actor;
use crate::services::live::Change as Live;
use crate::storage::imports::{self, ImportRow, LeftoverRow};
use crate::storage::products::{self, Withdrawn};
use crate::storage::{StorageError, audit, entries, exchange_log, prices};
use ledger::{Change, corrupt};
pub(super) use ledger::{Ledger, note_later};
use parts::Part;

/// How long an import can be taken back.
pub const KEPT: Duration = Duration::from_hours(24);
/// Its products have ids, and the rest: see `places`.
const PRODUCT: &str = "product";

/// Why an import was not taken back.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// There is no such import.
    #[error("импорта с таким номером нет")]
    NotFound,
    /// It is too long ago.
    #[error("импорт можно отменить только в течение суток")]
    TooLate,
    /// It has been taken back already.
    #[error("импорт уже отменён")]
    Done,
    /// Others are at it.
    #[error("идёт другой обмен, повторите через минуту")]
    Busy,
    /// The database refused; nothing is taken back.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// An import as its page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its row.
    pub row: ImportRow,
    /// Until when it can be taken back; `None`: no longer.
    pub until: Option<Timestamp>,
    /// What was not taken back: the first thousand.
    pub leftovers: Vec<LeftoverRow>,
}

/// What became of an import that was taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// Products that are as they were before.
    pub restored: usize,
    /// Products that it had made, no longer sold.
    pub removed: usize,
    /// What was not taken back, with the reason.
    pub left: Vec<LeftoverRow>,
}

impl Exchange {
    /// The import that this exchange was, or `None`.
    pub async fn import_of(&self, exchange: i64) -> Result<Option<Import>, StorageError> {
        let now = self.base.clock.now();
        let read = move |conn: &rusqlite::Connection| {
            let Some(row) = imports::find(conn, exchange)? else { return Ok(None) };
            let until = row.at.plus(KEPT);
            let until = (row.undone_at.is_none() && until >= now).then_some(until);
            Ok(Some(Import { leftovers: imports::leftovers(conn, exchange)?, row, until }))
        };
        self.base.db.read(read).await
    }

    /// Takes an import back. What others have changed since stays as it is and is named.
    ///
    /// # Errors
    ///
    /// [`UndoError`]: nothing is taken back.
    pub async fn undo_import(&self, exchange: i64, by: Actor) -> Result<Undone, UndoError> {
        let turn = self.turn::<Infallible>().await.map_err(|error| match error {
            ExchangeError::Storage(error) => UndoError::Storage(error),
            _ => UndoError::Busy,
        })?;
        let (now, zone) = (self.base.clock.now(), self.base.zone.clone());
        let config = self.base.config.clone();
        let undone = self
            .base
            .db
            .write(move |tx| {
                let row = imports::find(tx, exchange)?.ok_or(UndoError::NotFound)?;
                if row.undone_at.is_some() {
                    return Err(UndoError::Done);
                }
                if row.at.plus(KEPT) < now {
                    return Err(UndoError::TooLate);
                }
                let undone = take_back(tx, exchange, now, &zone, &config)?;
                close(tx, exchange, &undone, now, &by)?;
                Ok(undone)
            })
            .await?;
        drop(turn);
        self.base.live.tell(Live::Exchange);
        self.base.live.tell(Live::Catalog);
        let Undone { restored, removed, left } = &undone;
        let left = left.len();
        info!(exchange.id = exchange, restored, removed, left, "import {exchange} taken back");
        Ok(undone)
    }

    /// Forgets what old imports have changed: they can no longer be taken back.
    pub async fn sweep_imports(&self) -> Result<usize, StorageError> {
        let before = self.base.clock.now().minus(KEPT);
        self.base.db.write(move |tx| imports::sweep(tx, before)).await
    }
}

fn take_back(
    tx: &Transaction<'_>,
    exchange: i64,
    now: Timestamp,
    zone: &Zone,
    config: &Config,
) -> Result<Undone, StorageError> {
    let mut work = Work { tx, exchange, now, zone, undone: Undone::default() };
    work.products()?;
    work.undone.left.extend(places::take_back(tx, exchange)?);
    let default = config.onec.exchange.price_type.as_deref().unwrap_or("");
    prices::set_default(tx, default_type(&prices::types(tx)?, default))?;
    if let Some(held) = exchange_log::waiting_hiding(tx)?
        && held.exchange == Some(exchange)
    {
        exchange_log::close_hiding(tx, held.id, false)?;
    }
    entries::touch(tx, now)?;
    Ok(work.undone)
}

/// Writes down what was done.
fn close(
    tx: &Transaction<'_>,
    exchange: i64,
    undone: &Undone,
    now: Timestamp,
    by: &Actor,
) -> Result<(), StorageError> {
    let counts = (small(undone.restored), small(undone.removed));
    imports::close(tx, exchange, (now, by.person), counts)?;
    for (position, leftover) in undone.left.iter().take(PROBLEMS_KEPT).enumerate() {
        imports::add_leftover(tx, exchange, small(position), leftover)?;
    }
    let told = format!(
        "возвращено {}, снято с продажи {}, не возвращено {}",
        undone.restored,
        undone.removed,
        undone.left.len()
    );
    let step =
        exchange_log::StepRow { at: now, step: format!("Импорт отменён: {told}") };
    exchange_log::add_step(tx, exchange, &step)?;
    let object = format!("exchange:{exchange}");
    let entry = by.entry("catalog.import_undo", &object, now);
    audit::record(tx, &audit::Entry { after: Some(&told), ..entry })
}

struct Work<'t> {
    tx: &'t Transaction<'t>,
    exchange: i64,
    now: Timestamp,
    zone: &'t Zone,
    undone: Undone,
}

impl Work<'_> {
    fn products(&mut self) -> Result<(), StorageError> {
        let known = places::Known::load(self.tx)?;
        let mut waiting = Vec::new();
        for (id, change) in imports::changes(self.tx, self.exchange, PRODUCT)? {
            match serde_json::from_str(&change).map_err(|_| corrupt())? {
                Change::Made(parts) => self.made(ProductId(id), &parts)?,
                Change::Changed { parts, before, after } => {
                    waiting.push((ProductId(id), parts, (before, after)));
                }
            }
        }
        // A key may be free only when another product has its own again.
        loop {
            let (count, mut later) = (waiting.len(), Vec::new());
            for (id, parts, times) in waiting {
                if !self.changed(id, &parts, times, &known)? {
                    later.push((id, parts, times));
                }
            }
            waiting = later;
            if waiting.is_empty() || waiting.len() == count {
                break;
            }
        }
        for (id, ..) in waiting {
            let state = State::load(self.tx, id)?;
            self.leave(&state, "не возвращён: его артикул или код 1С теперь у другого товара");
        }
        Ok(())
    }

    /// A product that the import has made: it is no longer sold, and nothing of it but its keys is
    /// left for the next file. It is not removed: messages that were sent may name it.
    fn made(&mut self, id: ProductId, parts: &[Part]) -> Result<(), StorageError> {
        let state = State::load(self.tx, id)?;
        if Part::all(&state) != parts {
            let by = self.since(&state)?;
            self.leave(&state, &format!("создан этим импортом, но изменён позже{by}: оставлен"));
            return Ok(());
        }
        let mut bare = State::new();
        bare.row.id = id;
        bare.row.external_id.clone_from(&state.row.external_id);
        bare.row.sku.clone_from(&state.row.sku);
        bare.row.title.clone_from(&state.row.title);
        bare.row.withdrawn = match state.row.withdrawn {
            Withdrawn::No => Withdrawn::Absent,
            other => other,
        };
        bare.save(self.tx, Some(&state), self.now)?;
        self.undone.removed += 1;
        if let Some(number) = products::open_order_with(self.tx, id)? {
            let reason = format!(
                "снят с продажи, но стоит в заявке №\u{a0}{number}: выберите в ней другой товар"
            );
            self.leave(&state, &reason);
        }
        Ok(())
    }

    /// A product that the import has changed; whether its keys are free.
    fn changed(
        &mut self,
        id: ProductId,
        parts: &[(Part, Part)],
        (before, after): (Timestamp, Timestamp),
        known: &places::Known,
    ) -> Result<bool, StorageError> {
        let now = State::load(self.tx, id)?;
        let (mut state, mut left) = (now.clone(), Vec::new());
        for (was, became) in parts {
            let is = was.of(&now);
            if is == *became && known.has(was) {
                was.put(&mut state);
            } else if is != *was {
                left.push(was.word());
            }
        }
        // Whoever has changed it since, the moment of that change stays the last one.
        let untouched = left.is_empty() && now.row.updated_at == after;
        let at = if untouched { before } else { self.now };
        match state.save(self.tx, Some(&now), at) {
            Ok(_) => {}
            Err(error) if is_taken(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
        if left.is_empty() {
            self.undone.restored += 1;
        } else {
            let by = self.since(&now)?;
            let words = left.join(", ");
            self.leave(&now, &format!("изменено позже{by}, оставлено как есть: {words}"));
        }
        Ok(true)
    }

    /// « (обмен № 12, вт 24.11 14:10)»: who has changed the product since.
    fn since(&self, state: &State) -> Result<String, StorageError> {
        let at = state.row.updated_at;
        let time = self.zone.date_time(at, self.now);
        Ok(match imports::exchange_at(self.tx, self.exchange, at)? {
            Some(id) => format!(" (обмен №\u{a0}{id}, {time})"),
            None => format!(" ({time})"),
        })
    }

    fn leave(&mut self, state: &State, reason: &str) {
        let row = &state.row;
        let title = ru::ellipsis(&row.title, 80);
        let name = if row.sku.is_empty() {
            format!("«{title}»")
        } else {
            format!("{} «{title}»", row.sku)
        };
        self.undone.left.push(LeftoverRow { name, reason: reason.to_owned() });
    }
}

/// Whether another row has the key.
fn is_taken(error: &StorageError) -> bool {
    matches!(
        error,
        StorageError::Sqlite(rusqlite::Error::SqliteFailure(error, _))
            if error.code == rusqlite::ErrorCode::ConstraintViolation
    )
}

/// Ids of what an import has changed.
fn ids<T>(rows: &[T], id: impl Fn(&T) -> i64) -> HashSet<i64> {
    rows.iter().map(id).collect()
}
