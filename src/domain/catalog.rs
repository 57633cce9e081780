//! What a source of the catalogue says: a batch of categories and products, from JSON, CSV or
//! CommerceML alike.

use super::{Money, Price, Quantity, Unit};

/// A field of a record: what it does to the stored value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Field<T> {
    /// Not mentioned: the stored value stays.
    #[default]
    Keep,
    /// `null` or an empty string: the stored value goes.
    Clear,
    /// The new value.
    Set(T),
}

impl<T> Field<T> {
    /// The new value, where there is one.
    pub fn set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

/// A category as its source names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CategoryRef {
    /// By the source's id.
    External(String),
    /// By its path from the root: «Крепёж», «Саморезы». Made when absent.
    Path(Vec<String>),
}

/// A category in a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CategoryRecord {
    /// The source's id; empty: the category is known by its title among its siblings.
    pub external_id: String,
    /// Its name.
    pub title: String,
    /// The parent's id at the source; `None`: a root.
    pub parent_external_id: Option<String>,
    /// Its place among its siblings.
    pub order_index: Option<i64>,
}

/// A product in a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProductRecord {
    /// Which record of the source this is, from 0: for reports.
    pub index: usize,
    /// The source's id (1C: `guid` or `guid#guid`); empty when it gives none.
    pub external_id: String,
    /// The article.
    pub sku: Field<String>,
    /// The title. A title is never cleared.
    pub title: Field<String>,
    /// The category.
    pub category: Field<CategoryRef>,
    /// The base unit.
    pub unit: Field<Unit>,
    /// Free text about the product.
    pub description: Field<String>,
    /// The barcode.
    pub barcode: Field<String>,
    /// Sold by so many base units.
    pub multiple: Field<Quantity>,
    /// Base units in a pack.
    pub pack_size: Field<Quantity>,
    /// Packs with their unit and coefficient; replaces those stored.
    pub packs: Field<Vec<(Unit, Quantity)>>,
    /// Free stock over all warehouses.
    pub stock: Field<Quantity>,
    /// Stock by warehouse; replaces that stored and makes the total.
    pub stocks: Field<Vec<StockRecord>>,
    /// The price of the batch's price type.
    pub price: Field<Price>,
    /// Prices by type; a type that is not mentioned stays.
    pub prices: Vec<PriceRecord>,
    /// Deleted at the source.
    pub deleted: Field<bool>,
    /// Not to be shown.
    pub hidden: Field<bool>,
}

/// A price in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRecord {
    /// The price type's id at the source; may be empty.
    pub type_external_id: String,
    /// The price type's name; may be empty.
    pub type_name: String,
    /// The price; `None`: the product has none of this type.
    pub price: Option<Price>,
}

/// Stock in one warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRecord {
    /// The warehouse's id at the source; may be empty.
    pub warehouse_external_id: String,
    /// The warehouse's name; may be empty.
    pub warehouse: String,
    /// Free stock there.
    pub quantity: Quantity,
}

/// A record that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedRecord {
    /// Which record of the source, from 0.
    pub index: usize,
    /// Its article or key, where it could be read.
    pub sku: String,
    /// Why, in Russian: the field and the value.
    pub reason: String,
}

/// What one push, pull, file or import says.
#[derive(Debug, Clone, Default)]
pub struct CatalogBatch {
    /// Whether what is not mentioned is to be hidden.
    pub full: bool,
    /// The name of the price type of [`ProductRecord::price`]; empty: the default one.
    pub price_type: String,
    /// Categories, parents in any order.
    pub categories: Vec<CategoryRecord>,
    /// Products.
    pub products: Vec<ProductRecord>,
    /// Records that could not be read.
    pub skipped: Vec<SkippedRecord>,
}

impl CatalogBatch {
    /// How many product records the source had.
    pub fn received(&self) -> usize {
        self.products.len() + self.skipped.len()
    }
}

/// The price written as `text` digits with more than two decimals, kept exact: 0,8125 becomes
/// 8 125 kopecks for 100 units.
///
/// `mantissa` × 10^-`decimals` roubles; `None` when it cannot be kept in 10 000 units.
pub fn exact_price(mantissa: i64, decimals: u32) -> Option<Price> {
    if decimals <= 2 {
        let kopecks = mantissa.checked_mul(10_i64.pow(2 - decimals))?;
        return Price::new(Money::from_kopecks(kopecks), 1);
    }
    let per = 10_u32.checked_pow(decimals - 2)?;
    (per <= 10_000).then(|| Price::new(Money::from_kopecks(mantissa), per)).flatten()
}
