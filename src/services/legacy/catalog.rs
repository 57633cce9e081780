//! Categories and products. What is here already is fresher than any dump and stays as it is.

use std::collections::{HashMap, HashSet};

use super::{Tally, Work};
use crate::domain::catalog::{CatalogBatch, CategoryRef, Field, ProductRecord};
use crate::domain::{CategoryId, ProductId};
use crate::formats::text::{Decimal, onec_id};
use crate::services::exchange::{self, Origin, Way};
use crate::services::legacy::dump::Product;
use crate::storage::categories::{self, CategoryRow};
use crate::storage::legacy::{self as ids, Kind};
use crate::storage::{StorageError, products};

/// What former products have become, with their former titles and articles.
pub(super) struct Products<'a> {
    by_old: HashMap<i64, ProductId>,
    rows: HashMap<i64, &'a Product>,
}

impl Products<'_> {
    pub fn get(&self, old: Option<i64>) -> Option<ProductId> {
        self.by_old.get(&old?).copied()
    }

    /// The title and the article that the product had in the dump.
    pub fn named(&self, old: Option<i64>) -> Option<(&str, &str)> {
        let row = self.rows.get(&old?)?;
        Some((&row.title, &row.sku))
    }
}

impl<'a> Work<'a> {
    pub(super) fn catalog(&mut self) -> Result<Products<'a>, StorageError> {
        let dump = self.dump;
        let paths = self.categories()?;
        let mut found = Products {
            by_old: HashMap::new(),
            rows: dump.products.iter().map(|row| (row.id, row)).collect(),
        };
        let mut tally = Tally { found: dump.found("products"), ..Tally::default() };
        tally.skipped = dump.unread("products");
        let (mut batch, mut fresh) = (CatalogBatch::default(), Vec::new());
        for row in &dump.products {
            if let Some(id) = ids::find(self.tx, Kind::Product, row.id)? {
                found.by_old.insert(row.id, ProductId(id));
                tally.already += 1;
                continue;
            }
            if row.title.is_empty() && row.sku.is_empty() {
                tally.skipped += 1;
                self.report.problem(row.line, "products", format!("id {}: нет названия", row.id));
                continue;
            }
            if let Some(id) = self.known_product(row)? {
                ids::set(self.tx, Kind::Product, row.id, id.0)?;
                found.by_old.insert(row.id, id);
                tally.joined += 1;
                continue;
            }
            let record = self.record(row, batch.products.len(), &paths);
            batch.products.push(record);
            fresh.push(row);
        }
        if !fresh.is_empty() {
            self.apply(batch)?;
        }
        for row in fresh {
            match self.known_product(row)? {
                Some(id) => {
                    // Two rows with one title and no article are one product.
                    let twin = ids::is_taken(self.tx, Kind::Product, id.0)?;
                    ids::set(self.tx, Kind::Product, row.id, id.0)?;
                    found.by_old.insert(row.id, id);
                    if twin { tally.joined += 1 } else { tally.moved += 1 }
                }
                None => {
                    tally.skipped += 1;
                    let why = format!("id {}: товар не сохранён", row.id);
                    self.report.problem(row.line, "products", why);
                }
            }
        }
        self.report.products = tally;
        Ok(found)
    }

    fn known_product(&self, row: &Product) -> Result<Option<ProductId>, StorageError> {
        let key = products::find_by_key(self.tx, &onec_id(&row.external_id), &row.sku)?;
        if key.is_some() || !row.sku.is_empty() {
            return Ok(key);
        }
        products::find_by_title(self.tx, &row.title)
    }

    fn record(
        &mut self,
        row: &Product,
        index: usize,
        paths: &HashMap<i64, Vec<String>>,
    ) -> ProductRecord {
        let set = |text: &str| match text {
            "" => Field::Keep,
            text => Field::Set(text.to_owned()),
        };
        let mut number = |column: &str, text: &str| match Decimal::parse(text) {
            Ok(number) => Some(number),
            Err(_) if text.is_empty() => None,
            Err(error) => {
                let why = format!("id {}: колонка {column}: {error}; оставлено пустым", row.id);
                self.report.problem(row.line, "products", why);
                None
            }
        };
        let stock = number("stock_qty", &row.stock).and_then(|number| number.quantity().ok());
        // A price of zero is the former program's way to say that there is none.
        let price = number("price", &row.price).and_then(|number| number.price().ok());
        let price = price.filter(|price| price.amount.kopecks() > 0);
        let path = row.category.and_then(|id| paths.get(&id)).cloned();
        ProductRecord {
            index,
            external_id: onec_id(&row.external_id),
            sku: set(&row.sku),
            title: set(if row.title.is_empty() { &row.sku } else { &row.title }),
            category: path.map_or(Field::Keep, |path| Field::Set(CategoryRef::Path(path))),
            description: set(&row.description),
            stock: stock.map_or(Field::Keep, Field::Set),
            price: price.map_or(Field::Keep, Field::Set),
            ..ProductRecord::default()
        }
    }

    fn apply(&mut self, batch: CatalogBatch) -> Result<(), StorageError> {
        let origin = Origin::new(Way::Import);
        let report = exchange::apply_within(self.tx, self.base, batch, &origin)?;
        for problem in report.problems {
            let why = format!("{}: {}", problem.sku, problem.reason);
            self.report.problem(0, "products", why);
        }
        Ok(())
    }

    /// Makes the categories that are missing; the path of each.
    fn categories(&mut self) -> Result<HashMap<i64, Vec<String>>, StorageError> {
        let dump = self.dump;
        let mut tally = Tally { found: dump.found("categories"), ..Tally::default() };
        tally.skipped = dump.unread("categories");
        let mut places: HashMap<(Option<CategoryId>, String), CategoryId> = HashMap::new();
        for row in categories::list(self.tx)? {
            places.entry((row.parent, row.title)).or_insert(row.id);
        }
        let by_old: HashMap<i64, &super::dump::Category> =
            dump.categories.iter().map(|row| (row.id, row)).collect();
        let (mut paths, mut seen) = (HashMap::new(), HashSet::new());
        for row in &dump.categories {
            let mut chain = vec![row];
            let mut round = HashSet::from([row.id]);
            while let Some(parent) = chain.last().and_then(|row| row.parent) {
                let Some(above) = by_old.get(&parent) else { break };
                if !round.insert(parent) {
                    let why = format!("«{}»: папка вложена сама в себя", row.title);
                    self.report.problem(row.line, "categories", why);
                    break;
                }
                chain.push(above);
            }
            let (mut parent, mut path) = (None, Vec::new());
            for row in chain.iter().rev() {
                let title = if row.title.is_empty() {
                    "Без названия".to_owned()
                } else {
                    row.title.clone()
                };
                let place = (parent, title.clone());
                let id = if let Some(id) = places.get(&place) {
                    if seen.insert(row.id) {
                        tally.already += 1;
                    }
                    *id
                } else {
                    let new = CategoryRow {
                        id: CategoryId(0),
                        external_id: None,
                        parent,
                        title: title.clone(),
                        order_index: row.order_index,
                    };
                    let id = categories::insert(self.tx, &new)?;
                    places.insert(place, id);
                    if seen.insert(row.id) {
                        tally.moved += 1;
                    }
                    id
                };
                parent = Some(id);
                path.push(title);
            }
            paths.insert(row.id, path);
        }
        self.report.categories = tally;
        Ok(paths)
    }
}
