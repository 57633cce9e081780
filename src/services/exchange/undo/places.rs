//! Categories, price types and warehouses that an import has made or changed.

use std::collections::HashSet;

use rusqlite::Transaction;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::parts::Part;
use super::{corrupt, ids, is_taken};
use crate::storage::StorageError;
use crate::storage::categories::{self, CategoryRow};
use crate::storage::imports::{self, LeftoverRow};
use crate::storage::prices::{self, PriceTypeRow};
use crate::storage::stocks::{self, WarehouseRow};

/// What products stand in.
trait Place: Clone + PartialEq + Serialize + DeserializeOwned {
    /// The kind's code.
    const KIND: &'static str;
    fn id(&self) -> i64;
    /// «раздел «Крепёж»».
    fn name(&self) -> String;
    fn list(tx: &Transaction<'_>) -> Result<Vec<Self>, StorageError>;
    fn update(&self, tx: &Transaction<'_>) -> Result<(), StorageError>;
    /// Removes it if nothing stands in it; whether it did.
    fn remove(&self, tx: &Transaction<'_>) -> Result<bool, StorageError>;
    /// Whether it may be put back among these.
    fn fits(&self, _among: &[Self]) -> bool {
        true
    }
}

impl Place for CategoryRow {
    const KIND: &'static str = "category";

    fn id(&self) -> i64 {
        self.id.0
    }

    fn name(&self) -> String {
        format!("раздел «{}»", self.title)
    }

    fn list(tx: &Transaction<'_>) -> Result<Vec<Self>, StorageError> {
        categories::list(tx)
    }

    fn update(&self, tx: &Transaction<'_>) -> Result<(), StorageError> {
        categories::update(tx, self)
    }

    fn remove(&self, tx: &Transaction<'_>) -> Result<bool, StorageError> {
        categories::remove_empty(tx, self.id)
    }

    /// It never comes to stand in itself.
    fn fits(&self, among: &[Self]) -> bool {
        let mut at = self.parent;
        for _ in 0..=among.len() {
            match at {
                None => return true,
                Some(id) if id == self.id => return false,
                Some(id) => match among.iter().find(|row| row.id == id) {
                    Some(row) => at = row.parent,
                    None => return false,
                },
            }
        }
        false
    }
}

impl Place for PriceTypeRow {
    const KIND: &'static str = "price_type";

    fn id(&self) -> i64 {
        self.id
    }

    fn name(&self) -> String {
        format!("вид цен «{}»", self.name)
    }

    fn list(tx: &Transaction<'_>) -> Result<Vec<Self>, StorageError> {
        prices::types(tx)
    }

    fn update(&self, tx: &Transaction<'_>) -> Result<(), StorageError> {
        prices::update_type(tx, self)
    }

    fn remove(&self, tx: &Transaction<'_>) -> Result<bool, StorageError> {
        prices::remove_unused_type(tx, self.id)
    }
}

impl Place for WarehouseRow {
    const KIND: &'static str = "warehouse";

    fn id(&self) -> i64 {
        self.id
    }

    fn name(&self) -> String {
        format!("склад «{}»", self.name)
    }

    fn list(tx: &Transaction<'_>) -> Result<Vec<Self>, StorageError> {
        stocks::warehouses(tx)
    }

    fn update(&self, tx: &Transaction<'_>) -> Result<(), StorageError> {
        stocks::update_warehouse(tx, self)
    }

    fn remove(&self, tx: &Transaction<'_>) -> Result<bool, StorageError> {
        stocks::remove_empty_warehouse(tx, self.id)
    }
}

/// What an import has done to a place, as it is stored.
#[derive(Serialize, Deserialize)]
struct Change<P> {
    /// `None`: it has made it.
    before: Option<P>,
    after: P,
}

/// All places before an import.
pub struct Before {
    categories: Vec<CategoryRow>,
    price_types: Vec<PriceTypeRow>,
    warehouses: Vec<WarehouseRow>,
}

impl Before {
    /// Reads them.
    pub fn load(tx: &Transaction<'_>) -> Result<Self, StorageError> {
        Ok(Self {
            categories: Place::list(tx)?,
            price_types: Place::list(tx)?,
            warehouses: Place::list(tx)?,
        })
    }

    /// Writes down what has become of them.
    pub fn write(self, tx: &Transaction<'_>, exchange: i64) -> Result<(), StorageError> {
        write(tx, exchange, &self.categories)?;
        write(tx, exchange, &self.price_types)?;
        write(tx, exchange, &self.warehouses)
    }
}

fn write<P: Place>(tx: &Transaction<'_>, exchange: i64, before: &[P]) -> Result<(), StorageError> {
    for after in P::list(tx)? {
        let was = before.iter().find(|row| row.id() == after.id());
        if was == Some(&after) {
            continue;
        }
        let id = after.id();
        let change = Change { before: was.cloned(), after };
        let text = serde_json::to_string(&change).map_err(|_| corrupt())?;
        imports::set_change(tx, exchange, P::KIND, id, &text)?;
    }
    Ok(())
}

/// The places that there are: what has been removed since cannot be stood in again.
pub struct Known {
    categories: HashSet<i64>,
    price_types: HashSet<i64>,
    warehouses: HashSet<i64>,
}

impl Known {
    /// Reads them.
    pub fn load(tx: &Transaction<'_>) -> Result<Self, StorageError> {
        let Before { categories, price_types, warehouses } = Before::load(tx)?;
        Ok(Self {
            categories: ids(&categories, Place::id),
            price_types: ids(&price_types, Place::id),
            warehouses: ids(&warehouses, Place::id),
        })
    }

    /// Whether all that the part names is there.
    pub fn has(&self, part: &Part) -> bool {
        match part {
            Part::Category(Some(id)) => self.categories.contains(&id.0),
            Part::Price(id, Some(_)) => self.price_types.contains(id),
            Part::Stock(_, stocks) => stocks.iter().all(|(id, _)| self.warehouses.contains(id)),
            _ => true,
        }
    }
}

/// Takes back what the import has done to places, the products being back already; what was left.
pub fn take_back(tx: &Transaction<'_>, exchange: i64) -> Result<Vec<LeftoverRow>, StorageError> {
    let mut left = restore::<CategoryRow>(tx, exchange)?;
    left.extend(restore::<PriceTypeRow>(tx, exchange)?);
    left.extend(restore::<WarehouseRow>(tx, exchange)?);
    Ok(left)
}

fn restore<P: Place>(
    tx: &Transaction<'_>,
    exchange: i64,
) -> Result<Vec<LeftoverRow>, StorageError> {
    let (mut left, mut made) = (Vec::new(), Vec::new());
    let mut leave = |place: &P, reason: &str| {
        left.push(LeftoverRow { name: place.name(), reason: reason.to_owned() });
    };
    for (id, change) in imports::changes(tx, exchange, P::KIND)? {
        let change: Change<P> = serde_json::from_str(&change).map_err(|_| corrupt())?;
        let all = P::list(tx)?;
        let Some(now) = all.iter().find(|row| row.id() == id) else { continue };
        let Some(before) = change.before else {
            made.push((now.clone(), *now == change.after));
            continue;
        };
        if *now == before {
            continue;
        }
        if *now != change.after {
            leave(now, "изменено позже, оставлено как есть");
        } else if !before.fits(&all) {
            leave(now, "не возвращено: разделы с тех пор переставлены");
        } else if let Err(error) = before.update(tx) {
            if !is_taken(&error) {
                return Err(error);
            }
            leave(now, "не возвращено: прежнее имя или код теперь у другого");
        }
    }
    // A place inside another goes first.
    loop {
        let (count, mut later) = (made.len(), Vec::new());
        for (place, same) in made {
            if !same || !place.remove(tx)? {
                later.push((place, same));
            }
        }
        made = later;
        if made.len() == count {
            break;
        }
    }
    for (place, _) in &made {
        leave(place, "создано этим импортом, но уже используется: оставлено");
    }
    Ok(left)
}
