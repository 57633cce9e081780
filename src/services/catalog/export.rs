//! The catalogue as an export has it.

use std::collections::HashMap;

use rusqlite::Connection;

use super::default_price_type;
use super::tree::Tree;
use crate::domain::catalog::ProductCard;
use crate::domain::{CategoryId, ProductId, Unit};
use crate::storage::products::Withdrawn;
use crate::storage::{StorageError, categories, prices, products, stocks};

/// Every product that can be exported, in the order of keys.
pub fn cards(conn: &Connection, setting: &str) -> Result<Vec<ProductCard>, StorageError> {
    let tree = Tree::load(conn)?;
    let places = places(conn, &tree)?;
    let default = default_price_type(conn, setting)?;
    let types: HashMap<i64, String> =
        prices::types(conn)?.into_iter().map(|row| (row.id, row.name)).collect();
    let warehouses: HashMap<i64, String> =
        stocks::warehouses(conn)?.into_iter().map(|row| (row.id, row.name)).collect();
    let mut cards = Vec::new();
    let mut index: HashMap<ProductId, usize> = HashMap::new();
    products::scan(conn, |product| {
        if matches!(product.withdrawn, Withdrawn::Absent | Withdrawn::Placeholder) {
            return;
        }
        let (category, category_external_id) =
            product.category.and_then(|id| places.get(&id)).cloned().unwrap_or_default();
        index.insert(product.id, cards.len());
        cards.push(ProductCard {
            external_id: product.external_id.to_owned(),
            sku: product.sku.to_owned(),
            title: product.title.to_owned(),
            category,
            category_external_id,
            unit: Unit::new(product.unit),
            packs: Vec::new(),
            multiple: product.multiple,
            price: None,
            prices: Vec::new(),
            stock: product.available,
            stocks: Vec::new(),
            description: product.description.to_owned(),
            barcode: product.barcode.to_owned(),
            search_words: product.search_words.to_owned(),
            deleted: product.withdrawn == Withdrawn::Deleted,
            hidden: product.hidden,
        });
    })?;
    prices::scan(conn, |product, price_type, price| {
        let Some(card) = index.get(&product).map(|at| &mut cards[*at]) else { return };
        if Some(price_type) == default {
            card.price = Some(price);
        }
        if let Some(name) = types.get(&price_type) {
            card.prices.push((name.clone(), price));
        }
    })?;
    products::scan_packs(conn, |product, unit, size| {
        if let Some(at) = index.get(&product) {
            cards[*at].packs.push((Unit::new(unit), size));
        }
    })?;
    stocks::scan(conn, |product, warehouse, quantity| {
        let Some(card) = index.get(&product).map(|at| &mut cards[*at]) else { return };
        if let Some(name) = warehouses.get(&warehouse) {
            card.stocks.push((name.clone(), quantity));
        }
    })?;
    cards.sort_by(|a, b| a.key().cmp(b.key()));
    Ok(cards)
}

/// A category's path, and its id: of namesakes in one place, and where a title has a slash in it,
/// the path does not tell which is meant.
type Place = (Vec<String>, Option<String>);

fn places(conn: &Connection, tree: &Tree) -> Result<HashMap<CategoryId, Place>, StorageError> {
    let rows = categories::list(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, (tree.path(row.id), row.external_id))).collect())
}
