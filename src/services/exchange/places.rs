//! Categories, price types and warehouses by what sources call them; made when they are new.

use std::collections::{HashMap, HashSet};

use rusqlite::Transaction;

use crate::domain::CategoryId;
use crate::domain::catalog::{CategoryRecord, CategoryRef, PriceTypeRecord};
use crate::domain::is_roubles;
use crate::storage::StorageError;
use crate::storage::categories::{self, CategoryRow};
use crate::storage::prices::{self, PriceTypeRow};
use crate::storage::stocks::{self, WarehouseRow};

const UNTITLED: &str = "Без названия";

/// The tree of categories while a batch is applied.
pub struct Categories {
    rows: HashMap<CategoryId, CategoryRow>,
    by_external_id: HashMap<String, CategoryId>,
    by_place: HashMap<(Option<CategoryId>, String), CategoryId>,
    by_path: HashMap<Vec<String>, CategoryId>,
    /// Whether any was made or changed.
    pub changed: bool,
}

impl Categories {
    /// Reads the tree.
    pub fn load(tx: &Transaction<'_>) -> Result<Self, StorageError> {
        let mut tree = Self {
            rows: HashMap::new(),
            by_external_id: HashMap::new(),
            by_place: HashMap::new(),
            by_path: HashMap::new(),
            changed: false,
        };
        for row in categories::list(tx)? {
            tree.enter(row);
        }
        Ok(tree)
    }

    fn enter(&mut self, row: CategoryRow) {
        if let Some(external_id) = &row.external_id {
            self.by_external_id.insert(external_id.clone(), row.id);
        }
        // Of namesakes the oldest has the place.
        let place = self.by_place.entry((row.parent, row.title.clone())).or_insert(row.id);
        *place = (*place).min(row.id);
        self.rows.insert(row.id, row);
    }

    fn insert(
        &mut self,
        tx: &Transaction<'_>,
        row: CategoryRow,
    ) -> Result<CategoryId, StorageError> {
        let id = categories::insert(tx, &row)?;
        self.enter(CategoryRow { id, ..row });
        self.changed = true;
        Ok(id)
    }

    fn update(&mut self, tx: &Transaction<'_>, row: CategoryRow) -> Result<(), StorageError> {
        let Some(old) = self.rows.get(&row.id) else { return Ok(()) };
        if *old == row {
            return Ok(());
        }
        categories::update(tx, &row)?;
        let place = (old.parent, old.title.clone());
        if self.by_place.get(&place) == Some(&row.id) {
            self.by_place.remove(&place);
        }
        self.by_path.clear();
        self.enter(row);
        self.changed = true;
        Ok(())
    }

    /// Applies the categories of a batch, parents in any order; says what was wrong with them.
    pub fn apply(
        &mut self,
        tx: &Transaction<'_>,
        records: &[CategoryRecord],
    ) -> Result<Vec<String>, StorageError> {
        let mut warnings = Vec::new();
        let mut waiting: Vec<&CategoryRecord> = records.iter().collect();
        // A parent may come after its child: round by round those whose parent has its place.
        while !waiting.is_empty() {
            let ids: HashSet<&str> = waiting.iter().map(|r| r.external_id.as_str()).collect();
            let blocked = |r: &CategoryRecord| {
                r.parent_external_id.as_ref().is_some_and(|id| ids.contains(id.as_str()))
            };
            let (later, ready): (Vec<&CategoryRecord>, Vec<&CategoryRecord>) =
                waiting.iter().copied().partition(|r| blocked(r));
            if ready.is_empty() {
                // The rest go in circles.
                let first = waiting.remove(0);
                warnings.push(circle(&first.title));
                self.place(tx, first, None)?;
                continue;
            }
            for record in ready {
                let parent = match &record.parent_external_id {
                    None => None,
                    Some(id) => Some(self.external(tx, id)?),
                };
                let known = self.by_external_id.get(&record.external_id);
                if known.is_some_and(|id| self.is_inside(parent, *id)) {
                    warnings.push(circle(&record.title));
                    self.place(tx, record, None)?;
                } else {
                    self.place(tx, record, parent)?;
                }
            }
            waiting = later;
        }
        Ok(warnings)
    }

    fn place(
        &mut self,
        tx: &Transaction<'_>,
        record: &CategoryRecord,
        parent: Option<CategoryId>,
    ) -> Result<(), StorageError> {
        let known = self.by_external_id.get(&record.external_id).copied();
        // One that was made from a path becomes the source's own.
        let known = known.or_else(|| {
            let id = self.by_place.get(&(parent, record.title.clone()))?;
            let nameless = self.rows.get(id)?.external_id.is_none();
            (nameless || record.external_id.is_empty()).then_some(*id)
        });
        let old = known.and_then(|id| self.rows.get(&id)).cloned();
        let external_id = Some(record.external_id.clone()).filter(|id| !id.is_empty());
        let title = if record.title.is_empty() { UNTITLED } else { &record.title }.to_owned();
        let Some(mut row) = old else {
            let order_index = record.order_index.unwrap_or(0);
            let id = CategoryId(0);
            self.insert(tx, CategoryRow { id, external_id, parent, title, order_index })?;
            return Ok(());
        };
        if !record.title.is_empty() {
            row.title = title;
        }
        row.external_id = external_id.or(row.external_id);
        row.order_index = record.order_index.unwrap_or(row.order_index);
        row.parent = parent;
        self.update(tx, row)
    }

    fn is_inside(&self, from: Option<CategoryId>, of: CategoryId) -> bool {
        let mut at = from;
        // The tree has no cycles; the bound is for one damaged by hand.
        for _ in 0..=self.rows.len() {
            match at {
                None => return false,
                Some(id) if id == of => return true,
                Some(id) => at = self.rows.get(&id).and_then(|row| row.parent),
            }
        }
        true
    }

    fn external(&mut self, tx: &Transaction<'_>, id: &str) -> Result<CategoryId, StorageError> {
        if let Some(id) = self.by_external_id.get(id) {
            return Ok(*id);
        }
        let row = CategoryRow {
            id: CategoryId(0),
            external_id: Some(id.to_owned()),
            parent: None,
            title: UNTITLED.to_owned(),
            order_index: 0,
        };
        self.insert(tx, row)
    }

    /// A category of an id that is not known yet: what stands at its path without an id of its own,
    /// else a new one there.
    fn external_at(
        &mut self,
        tx: &Transaction<'_>,
        id: &str,
        above: &[String],
        title: &str,
    ) -> Result<CategoryId, StorageError> {
        let parent = self.walk(tx, above)?;
        let external_id = Some(id.to_owned());
        let there = self.by_place.get(&(parent, title.to_owned()));
        let there = there.and_then(|at| self.rows.get(at)).cloned();
        if let Some(row) = there.filter(|row| row.external_id.is_none()) {
            let id = row.id;
            self.update(tx, CategoryRow { external_id, ..row })?;
            return Ok(id);
        }
        let (id, title) = (CategoryId(0), title.to_owned());
        self.insert(tx, CategoryRow { id, external_id, parent, title, order_index: 0 })
    }

    /// The category at the end of a path, made where there is none; `None`: the root.
    fn walk(
        &mut self,
        tx: &Transaction<'_>,
        path: &[String],
    ) -> Result<Option<CategoryId>, StorageError> {
        let mut at = None;
        for title in path {
            at = Some(self.child(tx, at, title)?);
        }
        Ok(at)
    }

    fn child(
        &mut self,
        tx: &Transaction<'_>,
        parent: Option<CategoryId>,
        title: &str,
    ) -> Result<CategoryId, StorageError> {
        if let Some(id) = self.by_place.get(&(parent, title.to_owned())) {
            return Ok(*id);
        }
        let title = title.to_owned();
        self.insert(
            tx,
            CategoryRow { id: CategoryId(0), external_id: None, parent, title, order_index: 0 },
        )
    }

    /// The category that a product names; one that is new is made, and gets its title when the
    /// source sends it.
    pub fn resolve(
        &mut self,
        tx: &Transaction<'_>,
        category: &CategoryRef,
    ) -> Result<CategoryId, StorageError> {
        match category {
            CategoryRef::External { id, path } => match path.split_last() {
                Some((title, above)) if !self.by_external_id.contains_key(id) => {
                    self.external_at(tx, id, above, title)
                }
                _ => self.external(tx, id),
            },
            CategoryRef::Path(path) => {
                if let Some(id) = self.by_path.get(path) {
                    return Ok(*id);
                }
                let at = self.walk(tx, path)?;
                // A path has at least one part; the root stands for one that has none.
                let id = at.unwrap_or(CategoryId(0));
                self.by_path.insert(path.clone(), id);
                Ok(id)
            }
        }
    }
}

fn circle(title: &str) -> String {
    format!("категория «{title}» вложена сама в себя: поставлена в корень")
}

/// Price types while a batch is applied.
pub struct PriceTypes {
    rows: Vec<PriceTypeRow>,
    default: String,
    /// Whether any was made or changed.
    pub changed: bool,
}

impl PriceTypes {
    /// Reads them; `default` is the name or id from the settings, empty when there is none.
    pub fn load(tx: &Transaction<'_>, default: &str) -> Result<Self, StorageError> {
        Ok(Self { rows: prices::types(tx)?, default: default.to_owned(), changed: false })
    }

    /// Applies what a batch says of its price types.
    pub fn apply(
        &mut self,
        tx: &Transaction<'_>,
        records: &[PriceTypeRecord],
    ) -> Result<(), StorageError> {
        for record in records {
            let id = self.resolve(tx, &record.external_id, &record.name)?;
            let free = self.free_name(&record.name, id);
            let Some(row) = self.rows.iter_mut().find(|row| row.id == id) else { continue };
            let mut new = row.clone();
            if !record.name.is_empty() {
                new.name = free;
            }
            // A price names a currency as well; the list of types knows better.
            let listed = !record.name.is_empty() || new.currency_word.is_empty();
            if !record.currency.is_empty() && listed {
                let roubles = is_roubles(&record.currency);
                new.currency = if roubles { "RUB".to_owned() } else { record.currency.clone() };
                new.currency_word.clone_from(&record.currency);
            }
            if new != *row {
                prices::update_type(tx, &new)?;
                *row = new;
                self.changed = true;
            }
        }
        Ok(())
    }

    fn free_name(&self, name: &str, except: i64) -> String {
        let taken = |name: &str| self.rows.iter().any(|r| r.name == name && r.id != except);
        let mut free = name.to_owned();
        let mut number = 2;
        while taken(&free) {
            free = format!("{name} ({number})");
            number += 1;
        }
        free
    }

    /// The price type with this id or name; both empty: the default one.
    pub fn resolve(
        &mut self,
        tx: &Transaction<'_>,
        external_id: &str,
        name: &str,
    ) -> Result<i64, StorageError> {
        if external_id.is_empty() && name.is_empty() && !self.default.is_empty() {
            let default = self.default.clone();
            if let Some(id) = self.find_default() {
                return Ok(id);
            }
            return self.resolve(tx, "", &default);
        }
        if !external_id.is_empty() {
            let known = |row: &&PriceTypeRow| row.external_id.as_deref() == Some(external_id);
            if let Some(row) = self.rows.iter().find(known) {
                return Ok(row.id);
            }
        }
        let same = self.rows.iter().position(|row| {
            row.name == name
                && (external_id.is_empty() || !name.is_empty() && row.external_id.is_none())
        });
        if let Some(index) = same {
            let row = &mut self.rows[index];
            if !external_id.is_empty() {
                row.external_id = Some(external_id.to_owned());
                prices::update_type(tx, row)?;
                self.changed = true;
            }
            return Ok(row.id);
        }
        // A type that only its id is known of is called by it until its name comes.
        let name = if name.is_empty() { external_id } else { name };
        let mut row = PriceTypeRow {
            id: 0,
            external_id: Some(external_id.to_owned()).filter(|id| !id.is_empty()),
            name: self.free_name(name, 0),
            currency: "RUB".to_owned(),
            currency_word: String::new(),
        };
        row.id = prices::insert_type(tx, &row)?;
        let id = row.id;
        self.rows.push(row);
        self.changed = true;
        Ok(id)
    }

    /// Marks the default type; whether that is news.
    pub fn mark_default(&self, tx: &Transaction<'_>) -> Result<bool, StorageError> {
        prices::set_default(tx, self.find_default())
    }

    fn find_default(&self) -> Option<i64> {
        default_type(&self.rows, &self.default)
    }
}

/// The default price type: the one that the settings name by name or id; without a setting the
/// one without a name, or the only one in roubles.
pub fn default_type(types: &[PriceTypeRow], setting: &str) -> Option<i64> {
    if !setting.is_empty() {
        let named = |row: &&PriceTypeRow| {
            row.name == setting || row.external_id.as_deref() == Some(setting)
        };
        return types.iter().find(named).map(|row| row.id);
    }
    let nameless = types.iter().find(|row| row.name.is_empty());
    let mut roubles = types.iter().filter(|row| row.is_roubles());
    let only = roubles.next().filter(|_| roubles.next().is_none());
    nameless.or(only).map(|row| row.id)
}

/// Warehouses while a batch is applied.
pub struct Warehouses {
    rows: Vec<WarehouseRow>,
    counted: String,
}

impl Warehouses {
    /// Reads them; `counted` is the name or id of the one whose stock counts, empty: all do.
    pub fn load(tx: &Transaction<'_>, counted: &str) -> Result<Self, StorageError> {
        Ok(Self { rows: stocks::warehouses(tx)?, counted: counted.to_owned() })
    }

    /// Whether the stock of this warehouse counts.
    pub fn counts(&self, id: i64) -> bool {
        self.counted.is_empty()
            || self.rows.iter().any(|row| {
                row.id == id
                    && (row.name == self.counted
                        || row.external_id.as_deref() == Some(&self.counted))
            })
    }

    /// The warehouse with this id or name; both empty: one without a name.
    pub fn resolve(
        &mut self,
        tx: &Transaction<'_>,
        external_id: &str,
        name: &str,
    ) -> Result<i64, StorageError> {
        if !external_id.is_empty() {
            let known = |row: &WarehouseRow| row.external_id.as_deref() == Some(external_id);
            if let Some(index) = self.rows.iter().position(known) {
                let id = self.rows[index].id;
                let free = self.free_name(name, id);
                let row = &mut self.rows[index];
                if !name.is_empty() && row.name != free {
                    row.name = free;
                    stocks::update_warehouse(tx, row)?;
                }
                return Ok(id);
            }
        }
        let same = self.rows.iter().position(|row| {
            row.name == name
                && (external_id.is_empty() || !name.is_empty() && row.external_id.is_none())
        });
        if let Some(index) = same {
            let row = &mut self.rows[index];
            if !external_id.is_empty() {
                row.external_id = Some(external_id.to_owned());
                stocks::update_warehouse(tx, row)?;
            }
            return Ok(row.id);
        }
        let name = if name.is_empty() { external_id } else { name };
        let mut row = WarehouseRow {
            id: 0,
            external_id: Some(external_id.to_owned()).filter(|id| !id.is_empty()),
            name: self.free_name(name, 0),
        };
        row.id = stocks::insert_warehouse(tx, &row)?;
        let id = row.id;
        self.rows.push(row);
        Ok(id)
    }

    fn free_name(&self, name: &str, except: i64) -> String {
        let taken = |name: &str| self.rows.iter().any(|r| r.name == name && r.id != except);
        let mut free = name.to_owned();
        let mut number = 2;
        while taken(&free) {
            free = format!("{name} ({number})");
            number += 1;
        }
        free
    }
}
