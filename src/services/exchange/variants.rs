//! Items and their characteristics: each `guid#guid` is a product of its own that has from its item
//! what it does not say itself; an item that has characteristics and no offer of its own is not
//! sold.

use std::collections::{BTreeSet, HashSet};

use rusqlite::Transaction;

use crate::domain::{Money, ProductId, Quantity, Timestamp, Unit};
use crate::storage::products::{self, ProductRow, Withdrawn};
use crate::storage::{StorageError, prices};

/// The unit of a product that names none.
const BASE_UNIT: &str = "шт";

/// What has happened to an item.
#[derive(Clone, Copy)]
enum Item<'a> {
    /// Nothing: its characteristics are new.
    Stands,
    /// It has been made.
    Made,
    /// It has been changed from this.
    Changed(&'a ProductRow),
}

/// Keeps items and characteristics together while a batch is applied.
#[derive(Debug, Default)]
pub struct Variants {
    /// Whether there is any characteristic.
    any: bool,
    /// Characteristics that the batch has made.
    new: HashSet<ProductId>,
    /// Items that are to be looked at when the batch is through.
    items: BTreeSet<String>,
    /// How many products have followed others.
    pub followed: usize,
    /// How the rows of those were before, where somebody wants to know.
    pub kept: Option<Vec<ProductRow>>,
}

impl Variants {
    /// Before a batch.
    pub fn load(tx: &Transaction<'_>) -> Result<Self, StorageError> {
        Ok(Self { any: products::has_variants(tx)?, ..Self::default() })
    }

    /// Whether there is any characteristic.
    pub fn any(&self) -> bool {
        self.any
    }

    /// A product has been made, or changed from `old`.
    pub fn stored(
        &mut self,
        tx: &Transaction<'_>,
        row: &ProductRow,
        old: Option<&ProductRow>,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let Some(external_id) = &row.external_id else { return Ok(()) };
        let Some((item, _)) = external_id.split_once('#') else {
            let news = old.map_or(Item::Made, Item::Changed);
            return if self.any { self.settle(tx, external_id, news, now) } else { Ok(()) };
        };
        self.any = true;
        if old.is_none() {
            self.new.insert(row.id);
        }
        if old.is_none_or(|old| old.withdrawn != row.withdrawn) {
            self.items.insert(item.to_owned());
        }
        Ok(())
    }

    /// The batch is through.
    pub fn finish(&mut self, tx: &Transaction<'_>, now: Timestamp) -> Result<(), StorageError> {
        for item in std::mem::take(&mut self.items) {
            self.settle(tx, &item, Item::Stands, now)?;
        }
        Ok(())
    }

    /// Passes on what the item says, and settles whether it is sold itself.
    fn settle(
        &mut self,
        tx: &Transaction<'_>,
        name: &str,
        news: Item<'_>,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let variants = products::variants_of(tx, name)?;
        if variants.is_empty() {
            return Ok(());
        }
        let Some(item) = products::find_by_external_id(tx, name)? else { return Ok(()) };
        let Some(item) = products::find(tx, item)? else { return Ok(()) };
        for id in variants {
            let Some(old) = products::find(tx, id)? else { continue };
            let mut row = old.clone();
            match news {
                Item::Changed(before) => inherit(&mut row, &item, Some(before)),
                Item::Made => inherit(&mut row, &item, None),
                Item::Stands if self.new.contains(&id) => inherit(&mut row, &item, None),
                Item::Stands => {}
            }
            row.withdrawn = match (item.withdrawn, row.withdrawn) {
                (Withdrawn::Deleted, Withdrawn::No) => Withdrawn::Item,
                (Withdrawn::Deleted, other) => other,
                (_, Withdrawn::Item) => Withdrawn::No,
                (_, other) => other,
            };
            self.update(tx, &old, row, now)?;
        }
        let priced = |(_, price): &(i64, crate::domain::Price)| price.amount > Money::ZERO;
        let offered =
            item.available != Quantity::ZERO || prices::of_product(tx, item.id)?.iter().any(priced);
        let withdrawn = match (item.withdrawn, offered) {
            (Withdrawn::No, false) => Withdrawn::Variants,
            (Withdrawn::Variants, true) => Withdrawn::No,
            (other, _) => other,
        };
        let row = ProductRow { withdrawn, ..item.clone() };
        self.update(tx, &item, row, now)
    }

    fn update(
        &mut self,
        tx: &Transaction<'_>,
        old: &ProductRow,
        mut row: ProductRow,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        if row != *old {
            row.updated_at = now;
            products::update(tx, old, &row)?;
            self.followed += 1;
            if let Some(kept) = &mut self.kept {
                kept.push(old.clone());
            }
        }
        Ok(())
    }
}

/// Gives the characteristic what it has not, or had from its item before.
fn inherit(row: &mut ProductRow, item: &ProductRow, before: Option<&ProductRow>) {
    if row.category.is_none() || before.is_some_and(|was| was.category == row.category) {
        row.category = item.category;
    }
    if row.unit == Unit::new(BASE_UNIT) || before.is_some_and(|was| was.unit == row.unit) {
        row.unit.clone_from(&item.unit);
    }
    let text = |own: &mut String, of_item: &String, was: Option<&String>| {
        if own.is_empty() || was == Some(&*own) {
            own.clone_from(of_item);
        }
    };
    text(&mut row.sku, &item.sku, before.map(|was| &was.sku));
    text(&mut row.description, &item.description, before.map(|was| &was.description));
    if row.title.is_empty() {
        row.title.clone_from(&item.title);
        if row.withdrawn == Withdrawn::Placeholder && !row.title.is_empty() {
            row.withdrawn = Withdrawn::No;
        }
    }
}
