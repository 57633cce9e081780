//! What an import changes, noted while it is applied.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::Transaction;
use serde::{Deserialize, Serialize};

use super::super::state::State;
use super::parts::Part;
use super::{PRODUCT, places};
use crate::domain::{ProductId, Timestamp};
use crate::storage::products::ProductRow;
use crate::storage::{StorageError, imports};

/// What an import has done to a product, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// It has made the product, with these parts.
    Made(Vec<Part>),
    /// It has changed these parts: as they were, and as they became.
    Changed {
        /// The parts.
        parts: Vec<(Part, Part)>,
        /// When the product had changed last before.
        before: Timestamp,
        /// When the import changed it.
        after: Timestamp,
    },
}

/// What was before an import, while it is applied.
pub struct Ledger {
    /// Products that it touches; `None`: it has made them.
    products: HashMap<ProductId, Option<State>>,
    places: places::Before,
}

impl Ledger {
    /// Before the import.
    pub fn begin(tx: &Transaction<'_>) -> Result<Self, StorageError> {
        Ok(Self { products: HashMap::new(), places: places::Before::load(tx)? })
    }

    /// The import makes a product.
    pub fn makes(&mut self, id: ProductId) {
        self.products.entry(id).or_insert(None);
    }

    /// The import changes a product that was so.
    pub fn changes(&mut self, old: &State) {
        self.products.entry(old.row.id).or_insert_with(|| Some(old.clone()));
    }

    /// The import has changed the row of a product that was so, and nothing else of it.
    pub fn has_changed(
        &mut self,
        tx: &Transaction<'_>,
        old: ProductRow,
    ) -> Result<(), StorageError> {
        if let Entry::Vacant(place) = self.products.entry(old.id) {
            let state = State::load(tx, old.id)?;
            place.insert(Some(State { row: old, ..state }));
        }
        Ok(())
    }

    /// The import is going to change this product.
    pub fn will_change(&mut self, tx: &Transaction<'_>, id: ProductId) -> Result<(), StorageError> {
        if let Entry::Vacant(place) = self.products.entry(id) {
            place.insert(Some(State::load(tx, id)?));
        }
        Ok(())
    }

    /// The import is through: writes down what has become of all that.
    pub fn write(self, tx: &Transaction<'_>, exchange: i64) -> Result<(), StorageError> {
        for (id, before) in self.products {
            let is = State::load(tx, id)?;
            let change = match before {
                None => Change::Made(Part::all(&is)),
                Some(was) => match Part::between(&was, &is) {
                    parts if parts.is_empty() => continue,
                    parts => {
                        let (before, after) = (was.row.updated_at, is.row.updated_at);
                        Change::Changed { parts, before, after }
                    }
                },
            };
            set(tx, exchange, id, &change)?;
        }
        self.places.write(tx, exchange)
    }
}

/// What an import leads to later, when a person decides: the product was so before.
pub fn note_later(tx: &Transaction<'_>, exchange: i64, was: &State) -> Result<(), StorageError> {
    let is = State::load(tx, was.row.id)?;
    let mut parts = Part::between(was, &is);
    let (mut before, after) = (was.row.updated_at, is.row.updated_at);
    if let Some(change) = imports::change(tx, exchange, PRODUCT, was.row.id.0)? {
        match serde_json::from_str(&change).map_err(|_| corrupt())? {
            Change::Made(_) => return set(tx, exchange, was.row.id, &Change::Made(Part::all(&is))),
            Change::Changed { parts: earlier, before: first, .. } => {
                before = first;
                for (part, became) in earlier {
                    match parts.iter_mut().find(|(_, is)| is.is_like(&became)) {
                        Some(pair) => pair.0 = part,
                        None => parts.push((part, became)),
                    }
                }
            }
        }
    }
    set(tx, exchange, was.row.id, &Change::Changed { parts, before, after })
}

fn set(
    tx: &Transaction<'_>,
    exchange: i64,
    id: ProductId,
    change: &Change,
) -> Result<(), StorageError> {
    let text = serde_json::to_string(change).map_err(|_| corrupt())?;
    imports::set_change(tx, exchange, PRODUCT, id.0, &text)
}

/// A change that nobody could have written so.
pub fn corrupt() -> StorageError {
    StorageError::Corrupt("import_changes.change".to_owned())
}
