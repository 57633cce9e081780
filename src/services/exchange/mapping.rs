//! What 1C's words mean here: statuses, price types, warehouses, units.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::Connection;

use super::{Exchange, default_type};
use crate::domain::OrderStatus;
use crate::services::accounts::Actor;
use crate::services::live::Change;
use crate::storage::exchange_journal::{self, UnitSeen};
use crate::storage::prices::{self, PriceTypeRow};
use crate::storage::stocks::{self, WarehouseRow};
use crate::storage::{StorageError, audit, onec_orders};

/// Words that 1C sent and nobody understood are remembered for so long.
const UNKNOWN_SHOWN: Duration = Duration::from_hours(30 * 24);
/// How the reason of a status that is not understood begins.
pub(super) const UNKNOWN_STATUS: &str = "неизвестный статус «";
/// The longest word that is mapped, in characters.
const LONGEST_WORD: usize = 100;

/// A price type and what becomes of its prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceTypeUse {
    /// The price type.
    pub row: PriceTypeRow,
    /// Products that have such a price.
    pub products: u32,
    /// Whether it is the default one: what a buyer without a type of their own pays.
    pub default: bool,
}

/// A warehouse and whether its stock counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarehouseUse {
    /// The warehouse.
    pub row: WarehouseRow,
    /// Products that lie there.
    pub products: u32,
    /// Whether its stock counts.
    pub counts: bool,
}

/// What 1C's words mean here.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// Words of 1C with our status; `None`: the stored code is none of ours.
    pub statuses: Vec<(String, Option<OrderStatus>)>,
    /// Words that 1C sent and that mean nothing yet, with how often.
    pub unknown: Vec<(String, u32)>,
    /// Price types.
    pub price_types: Vec<PriceTypeUse>,
    /// Warehouses.
    pub warehouses: Vec<WarehouseUse>,
    /// Units.
    pub units: Vec<UnitSeen>,
}

/// What the catalogue has of each price type, warehouse and unit: a look at every row of it.
pub(super) struct Counted {
    priced: HashMap<i64, u32>,
    stocked: HashMap<i64, u32>,
    units: Vec<UnitSeen>,
}

impl Counted {
    fn count(conn: &Connection) -> Result<Self, StorageError> {
        Ok(Self {
            priced: exchange_journal::priced(conn)?.into_iter().collect(),
            stocked: exchange_journal::stocked(conn)?.into_iter().collect(),
            units: exchange_journal::units(conn)?,
        })
    }
}

/// Why a word was not mapped.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The word is empty or too long.
    #[error("напишите слово из 1С, не длиннее {LONGEST_WORD} знаков")]
    Word,
    /// 1C does not set this status.
    #[error("статус «{}» 1С не ставит", .0.staff_label())]
    Status(OrderStatus),
    /// The database refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Exchange {
    /// What 1C's words mean here.
    pub async fn mapping(&self) -> Result<Mapping, StorageError> {
        let settings = self.base.config.onec.exchange.clone();
        let since = self.base.clock.now().minus(UNKNOWN_SHOWN);
        let counted = self.counted.get(&self.base.db, Counted::count).await?;
        self.base
            .db
            .read(move |conn| {
                let statuses = onec_orders::mapped_statuses(conn)?;
                let known = |word: &str| statuses.iter().any(|(known, _)| *known == word);
                let mut unknown = Vec::new();
                for (reason, times) in exchange_journal::reasons(conn, UNKNOWN_STATUS, since)? {
                    let word = reason.trim_start_matches(UNKNOWN_STATUS).trim_end_matches('»');
                    if !known(&word.trim().to_lowercase()) {
                        unknown.push((word.to_owned(), times));
                    }
                }
                let types = prices::types(conn)?;
                let setting = settings.price_type.as_deref().unwrap_or_default();
                let default = default_type(&types, setting);
                let price_types = types
                    .into_iter()
                    .map(|row| PriceTypeUse {
                        products: counted.priced.get(&row.id).copied().unwrap_or(0),
                        default: default == Some(row.id),
                        row,
                    })
                    .collect();
                let chosen = settings.warehouse.unwrap_or_default();
                let warehouses = stocks::warehouses(conn)?
                    .into_iter()
                    .map(|row| WarehouseUse {
                        products: counted.stocked.get(&row.id).copied().unwrap_or(0),
                        counts: chosen.is_empty()
                            || row.name == chosen
                            || row.external_id.as_deref() == Some(&chosen),
                        row,
                    })
                    .collect();
                let statuses = statuses.into_iter().map(|(word, code)| (word, code.parse().ok()));
                Ok(Mapping {
                    statuses: statuses.collect(),
                    unknown,
                    price_types,
                    warehouses,
                    units: counted.units.clone(),
                })
            })
            .await
    }

    /// Maps a word of 1C to a status; `None` forgets the word.
    ///
    /// # Errors
    ///
    /// [`MappingError`].
    pub async fn map_status(
        &self,
        word: &str,
        status: Option<OrderStatus>,
        by: Actor,
    ) -> Result<(), MappingError> {
        let word = word.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        if word.is_empty() || word.chars().count() > LONGEST_WORD {
            return Err(MappingError::Word);
        }
        if let Some(status) = status
            && !status.settable_by_onec()
        {
            return Err(MappingError::Status(status));
        }
        let now = self.base.clock.now();
        self.base
            .db
            .write(move |tx| {
                let before = onec_orders::map_status(tx, &word, status, now)?;
                let object = format!("onec.status:{word}");
                let entry = audit::Entry {
                    before: before.as_deref(),
                    after: status.map(OrderStatus::as_str),
                    ..by.entry("exchange.map_status", &object, now)
                };
                audit::record(tx, &entry)
            })
            .await?;
        self.base.live.tell(Change::Exchange);
        Ok(())
    }
}
