//! What a source of the catalogue says: a batch of categories and products, from JSON, CSV or
//! CommerceML alike.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::{Price, Quantity, Unit};

/// A field of a record: what it does to the stored value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
    /// By the source's id; one that is not known is made at the path, where there is one.
    External {
        /// The id.
        id: String,
        /// The path from the root; may be empty.
        path: Vec<String>,
    },
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
    /// Ids of the price types that these are all the prices of: a price of one of them that is not
    /// here is gone.
    pub whole_types: Arc<[String]>,
    /// Deleted at the source.
    pub deleted: Field<bool>,
    /// Not to be shown.
    pub hidden: Field<bool>,
    /// What buyers call it: our own field, known to our own files only.
    pub search_words: Field<String>,
    /// Which of several files of one batch it is from: records with one key go over each other
    /// where they are from different files, and stand for each other in one.
    pub part: u16,
    /// Whether an unknown product is made even without a title, hidden until one comes: an offer
    /// may arrive before its item.
    pub placeholder: bool,
    /// What to call it while it has no title: an offer repeats the bare name of its item.
    pub name_hint: String,
    /// Packs beside those stored; a pack of the same unit gives way.
    pub more_packs: Vec<(Unit, Quantity)>,
}

impl ProductRecord {
    /// About how many bytes the record takes in memory.
    pub fn weight(&self) -> usize {
        let text = |field: &Field<String>| field.set().map_or(0, |text| text.len() + 16);
        let many = self.prices.len() * 160
            + self.name_hint.len()
            + self.more_packs.len() * 64
            + self.stocks.set().map_or(0, |list| list.len() * 96)
            + self.packs.set().map_or(0, |list| list.len() * 64);
        let path: &[String] = match &self.category {
            Field::Set(CategoryRef::Path(path) | CategoryRef::External { path, .. }) => path,
            _ => &[],
        };
        let path = 40 + path.iter().map(|part| part.len() + 40).sum::<usize>();
        size_of::<Self>()
            + self.external_id.len()
            + [&self.sku, &self.title, &self.description, &self.barcode, &self.search_words]
                .map(text)
                .iter()
                .sum::<usize>()
            + many
            + path
    }

    /// What a report calls the record: its article, else its id, else its title.
    pub fn name(&self) -> &str {
        let sku = self.sku.set().map_or("", String::as_str);
        let title = self.title.set().map_or("", String::as_str);
        [sku, &self.external_id, title].into_iter().find(|n| !n.is_empty()).unwrap_or("")
    }
}

/// A price in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRecord {
    /// The price type's id at the source; may be empty.
    pub type_external_id: String,
    /// The price type's name; may be empty. Both empty: the default type.
    pub type_name: String,
    /// The unit that the price is named for and the base units in it, where that is a pack.
    pub pack: Option<(Unit, Quantity)>,
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
    /// Its id at the source, where it could be read.
    pub external_id: String,
    /// Its article or key, where it could be read.
    pub sku: String,
    /// Why, in Russian: the field and the value.
    pub reason: String,
}

/// A record as a source hands it over.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "nearly every record is a product")]
pub enum Record {
    /// One that could be read.
    Product(ProductRecord),
    /// One that could not.
    Skipped(SkippedRecord),
}

/// What a source says of itself, known once it has been read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each says a thing of its own")]
pub struct CatalogHead {
    /// Whether what is not mentioned is to be hidden.
    pub full: bool,
    /// Whether the source calls its list of goods complete without meaning it for sure: what two
    /// such exchanges in a row do not mention is to be hidden.
    pub full_catalog: bool,
    /// Whether an id may name an item and its characteristic: `item#characteristic`.
    pub variants: bool,
    /// Whether a record is a row of a table, by its number from 0.
    pub tabular: bool,
    /// The name of the price type of [`ProductRecord::price`]; empty: the default one.
    pub price_type: String,
    /// Categories, parents in any order.
    pub categories: Vec<CategoryRecord>,
    /// Price types: id, name and currency.
    pub price_types: Vec<PriceTypeRecord>,
    /// Warehouses: id and name.
    pub warehouses: Vec<(String, String)>,
    /// What is wrong with the source as a whole, in Russian.
    pub warnings: Vec<String>,
}

impl CatalogHead {
    /// Adds what a further file of the same batch says of itself.
    pub fn extend(&mut self, other: Self) {
        self.full |= other.full;
        self.full_catalog |= other.full_catalog;
        self.variants |= other.variants;
        self.tabular |= other.tabular;
        if self.price_type.is_empty() {
            self.price_type = other.price_type;
        }
        self.categories.extend(other.categories);
        self.price_types.extend(other.price_types);
        self.warehouses.extend(other.warehouses);
        self.warnings.extend(other.warnings);
    }
}

/// A price type in a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceTypeRecord {
    /// Its id at the source.
    pub external_id: String,
    /// Its name.
    pub name: String,
    /// Its currency as the source writes it; empty: roubles.
    pub currency: String,
}

/// Something that says what the catalogue is: a push, a pull, a file. It is read twice, first to
/// see what it is about and whether it can be read at all, then to be applied; so that its size
/// does not matter.
pub trait CatalogSource {
    /// Why it cannot be read.
    type Error;

    /// Reads it from its start, handing over each record in order until `each` breaks off.
    fn read(
        &mut self,
        each: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<CatalogHead, Self::Error>;
}

/// A source in memory.
#[derive(Debug, Clone, Default)]
pub struct CatalogBatch {
    /// What it says of itself.
    pub head: CatalogHead,
    /// Products.
    pub products: Vec<ProductRecord>,
    /// Records that could not be read.
    pub skipped: Vec<SkippedRecord>,
}

impl CatalogSource for CatalogBatch {
    type Error = std::convert::Infallible;

    fn read(
        &mut self,
        each: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<CatalogHead, Self::Error> {
        let products = self.products.iter().cloned().map(Record::Product);
        let skipped = self.skipped.iter().cloned().map(Record::Skipped);
        let _ = products.chain(skipped).try_for_each(each);
        Ok(self.head.clone())
    }
}

/// A product with all that a source may say of it, as an export has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductCard {
    /// The source's id; may be empty.
    pub external_id: String,
    /// The article; may be empty.
    pub sku: String,
    /// The title.
    pub title: String,
    /// The category's path from the root; empty: in none.
    pub category: Vec<String>,
    /// The category's id at the source, where it has one.
    pub category_external_id: Option<String>,
    /// The base unit.
    pub unit: Unit,
    /// Packs with the base units in each.
    pub packs: Vec<(Unit, Quantity)>,
    /// Sold by so many base units.
    pub multiple: Option<Quantity>,
    /// The price of the default type.
    pub price: Option<Price>,
    /// Prices by the name of their type, the default one too.
    pub prices: Vec<(String, Price)>,
    /// Free stock.
    pub stock: Quantity,
    /// Stock by the name of the warehouse.
    pub stocks: Vec<(String, Quantity)>,
    /// The description.
    pub description: String,
    /// The barcode.
    pub barcode: String,
    /// What buyers call it.
    pub search_words: String,
    /// Deleted at the source.
    pub deleted: bool,
    /// Not to be shown.
    pub hidden: bool,
}

impl ProductCard {
    /// The key: the id, else the article, else the title.
    pub fn key(&self) -> &str {
        [&self.external_id, &self.sku, &self.title]
            .into_iter()
            .find(|k| !k.is_empty())
            .map_or("", |k| k)
    }
}
