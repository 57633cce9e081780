//! What a record does to a product: the stored state, and the record laid over it.

use rusqlite::Transaction;

use crate::domain::catalog::{Field, ProductRecord};
use crate::domain::{CategoryId, Price, ProductId, Quantity, Timestamp, Unit};
use crate::storage::products::{self, ProductRow, Withdrawn};
use crate::storage::{StorageError, prices, stocks};

/// The unit of a product that names none.
pub const BASE_UNIT: &str = "шт";
/// The unit of a pack that only its size is known of.
pub const PACK_UNIT: &str = "уп";

/// A record whose category, price types and warehouses have been found.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// The category.
    pub category: Field<CategoryId>,
    /// Prices by type, each type once; `None`: the product has none of it.
    pub prices: Vec<(i64, Option<Price>)>,
    /// Stock by warehouse, and the total of those that count.
    pub stocks: Field<(Vec<(i64, Quantity)>, Quantity)>,
}

/// A product with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Its row.
    pub row: ProductRow,
    /// Prices by type, in the order of types.
    pub prices: Vec<(i64, Price)>,
    /// Packs, in the order of units.
    pub packs: Vec<(Unit, Quantity)>,
    /// Stock by warehouse, in the order of warehouses.
    pub stocks: Vec<(i64, Quantity)>,
}

impl State {
    /// A product that is not stored yet.
    pub fn new() -> Self {
        Self {
            row: ProductRow {
                id: ProductId(0),
                external_id: None,
                sku: String::new(),
                title: String::new(),
                category: None,
                unit: Unit::new(BASE_UNIT),
                description: String::new(),
                barcode: String::new(),
                multiple: None,
                available: Quantity::ZERO,
                withdrawn: Withdrawn::No,
                hidden: false,
                search_words: String::new(),
                updated_at: Timestamp::from_millis(0),
            },
            prices: Vec::new(),
            packs: Vec::new(),
            stocks: Vec::new(),
        }
    }

    /// Reads the product.
    pub fn load(tx: &Transaction<'_>, id: ProductId) -> Result<Self, StorageError> {
        let row = products::find(tx, id)?;
        let row = row.ok_or(StorageError::RowsAffected { expected: 1, found: 0 })?;
        let mut packs = products::packs(tx, id)?;
        packs.sort();
        Ok(Self {
            row,
            prices: prices::of_product(tx, id)?,
            packs,
            stocks: stocks::of_product(tx, id)?,
        })
    }

    /// Lays the record over the product.
    pub fn merge(&mut self, record: &ProductRecord, resolved: &Resolved) {
        let row = &mut self.row;
        if !record.external_id.is_empty() {
            row.external_id = Some(record.external_id.clone());
        }
        lay_text(&mut row.sku, &record.sku);
        if let Field::Set(title) = &record.title {
            row.title.clone_from(title);
        } else if !record.name_hint.is_empty() && !goes_by(&row.title, &record.name_hint) {
            row.title.clone_from(&record.name_hint);
        }
        match resolved.category {
            Field::Keep => {}
            Field::Clear => row.category = None,
            Field::Set(id) => row.category = Some(id),
        }
        match &record.unit {
            Field::Keep => {}
            Field::Clear => row.unit = Unit::new(BASE_UNIT),
            Field::Set(unit) => row.unit = unit.clone(),
        }
        lay_text(&mut row.description, &record.description);
        lay_text(&mut row.barcode, &record.barcode);
        lay_text(&mut row.search_words, &record.search_words);
        match record.multiple {
            Field::Keep => {}
            Field::Clear => row.multiple = None,
            Field::Set(multiple) => row.multiple = Some(multiple),
        }
        match record.hidden {
            Field::Keep => {}
            Field::Clear => row.hidden = false,
            Field::Set(hidden) => row.hidden = hidden,
        }
        row.withdrawn = withdrawn_after(row.withdrawn, record, row.title.is_empty());
        match (&resolved.stocks, record.stock) {
            (Field::Set((by_warehouse, total)), _) => {
                self.stocks.clone_from(by_warehouse);
                row.available = *total;
            }
            (Field::Keep, Field::Keep) => {}
            (_, stock) => {
                self.stocks.clear();
                row.available = stock.set().copied().unwrap_or_default();
            }
        }
        for (price_type, price) in &resolved.prices {
            self.prices.retain(|(stored, _)| stored != price_type);
            if let Some(price) = price {
                self.prices.push((*price_type, *price));
            }
        }
        self.prices.sort_unstable_by_key(|(price_type, _)| *price_type);
        self.merge_packs(record);
    }

    fn merge_packs(&mut self, record: &ProductRecord) {
        match &record.packs {
            Field::Keep => {}
            Field::Clear => self.packs.clear(),
            Field::Set(packs) => self.packs.clone_from(packs),
        }
        if record.pack_size == Field::Clear && record.packs == Field::Keep {
            self.packs.retain(|(unit, _)| unit.as_str() != PACK_UNIT);
        }
        let sized = record.pack_size.set().map(|size| (Unit::new(PACK_UNIT), *size));
        let priced = record.prices.iter().filter_map(|price| price.pack.clone());
        let priced = record.more_packs.iter().cloned().chain(priced);
        // A pack of one base unit, or named like the base unit, is no pack.
        for (unit, coefficient) in priced.chain(sized) {
            self.packs.retain(|(stored, _)| *stored != unit);
            self.packs.push((unit, coefficient));
        }
        self.packs.retain(|(unit, coefficient)| {
            *unit != self.row.unit && *coefficient != Quantity::whole(1)
        });
        self.packs.sort();
        self.packs.dedup_by(|later, earlier| later.0 == earlier.0);
    }

    /// Stores what differs from `old`; the product's id.
    pub fn save(
        &mut self,
        tx: &Transaction<'_>,
        old: Option<&Self>,
        now: Timestamp,
    ) -> Result<ProductId, StorageError> {
        self.row.updated_at = now;
        let none = Self::new();
        let id = if let Some(old) = old {
            // The moment of a change is kept even when only a price changed.
            products::update(tx, &old.row, &self.row)?;
            old.row.id
        } else {
            products::insert(tx, &self.row)?
        };
        self.row.id = id;
        let old = old.unwrap_or(&none);
        for (price_type, _) in &old.prices {
            if !self.prices.iter().any(|(kept, _)| kept == price_type) {
                prices::remove(tx, id, *price_type)?;
            }
        }
        for (price_type, price) in &self.prices {
            if !old.prices.contains(&(*price_type, *price)) {
                prices::set(tx, id, *price_type, *price)?;
            }
        }
        for (unit, _) in &old.packs {
            if !self.packs.iter().any(|(kept, _)| kept == unit) {
                products::remove_pack(tx, id, unit)?;
            }
        }
        for pack in &self.packs {
            if !old.packs.contains(pack) {
                products::set_pack(tx, id, &pack.0, pack.1)?;
            }
        }
        for (warehouse, _) in &old.stocks {
            if !self.stocks.iter().any(|(kept, _)| kept == warehouse) {
                stocks::remove(tx, id, *warehouse)?;
            }
        }
        for stock in &self.stocks {
            if !old.stocks.contains(stock) {
                stocks::set(tx, id, stock.0, stock.1)?;
            }
        }
        Ok(id)
    }
}

/// Whether a title is the name that an offer gives, with or without the values of its characteristic:
/// «Кромка (белая)» goes by «Кромка».
fn goes_by(title: &str, name: &str) -> bool {
    title.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
}

fn lay_text(stored: &mut String, field: &Field<String>) {
    match field {
        Field::Keep => {}
        Field::Clear => stored.clear(),
        Field::Set(text) => stored.clone_from(text),
    }
}

/// A mention brings back what was missing from a full exchange, and a title fills a placeholder;
/// what was deleted at the source comes back when the source says that it is not.
pub fn withdrawn_after(before: Withdrawn, record: &ProductRecord, untitled: bool) -> Withdrawn {
    match (record.deleted, before) {
        (Field::Set(true), _) | (Field::Keep, Withdrawn::Deleted) => Withdrawn::Deleted,
        // These two follow from other products: when the batch is through.
        (_, Withdrawn::Variants | Withdrawn::Item) => before,
        _ if untitled => Withdrawn::Placeholder,
        _ => Withdrawn::No,
    }
}

/// One record over another that means the same product: what the later does not mention stays.
pub fn overlay(earlier: ProductRecord, later: &ProductRecord) -> ProductRecord {
    fn lay<T: Clone>(earlier: Field<T>, later: &Field<T>) -> Field<T> {
        if matches!(later, Field::Keep) { earlier } else { later.clone() }
    }
    let external_id =
        if later.external_id.is_empty() { earlier.external_id } else { later.external_id.clone() };
    let mut prices = earlier.prices;
    prices.retain(|price| !later.whole_types.contains(&price.type_external_id));
    if let Field::Set(_) | Field::Clear = later.price {
        // The later price is of the batch's type: only the earlier one of that type gives way.
        prices.retain(|p| !(p.type_external_id.is_empty() && p.type_name.is_empty()));
    }
    prices.extend(later.prices.iter().cloned());
    let mut more_packs = earlier.more_packs;
    more_packs.extend(later.more_packs.iter().cloned());
    let name_hint =
        if later.name_hint.is_empty() { earlier.name_hint } else { later.name_hint.clone() };
    ProductRecord {
        index: later.index,
        external_id,
        sku: lay(earlier.sku, &later.sku),
        title: if let Field::Set(_) = later.title { later.title.clone() } else { earlier.title },
        category: lay(earlier.category, &later.category),
        unit: lay(earlier.unit, &later.unit),
        description: lay(earlier.description, &later.description),
        barcode: lay(earlier.barcode, &later.barcode),
        multiple: lay(earlier.multiple, &later.multiple),
        pack_size: lay(earlier.pack_size, &later.pack_size),
        packs: lay(earlier.packs, &later.packs),
        stock: lay(earlier.stock, &later.stock),
        stocks: lay(earlier.stocks, &later.stocks),
        price: lay(earlier.price, &later.price),
        prices,
        whole_types: match (earlier.whole_types.is_empty(), later.whole_types.is_empty()) {
            (_, true) => earlier.whole_types,
            (true, false) => later.whole_types.clone(),
            (false, false) => {
                earlier.whole_types.iter().chain(later.whole_types.iter()).cloned().collect()
            }
        },
        deleted: lay(earlier.deleted, &later.deleted),
        hidden: lay(earlier.hidden, &later.hidden),
        search_words: lay(earlier.search_words, &later.search_words),
        part: later.part,
        placeholder: earlier.placeholder || later.placeholder,
        name_hint,
        more_packs,
    }
}

#[cfg(test)]
pub mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Money;
    use crate::domain::catalog::PriceRecord;

    fn field<T: Clone + std::fmt::Debug + 'static>(
        values: Vec<T>,
    ) -> impl Strategy<Value = Field<T>> {
        prop_oneof![
            2 => Just(Field::Keep),
            1 => Just(Field::Clear),
            3 => proptest::sample::select(values).prop_map(Field::Set),
        ]
    }

    fn texts() -> Vec<String> {
        vec!["а".to_owned(), "б".to_owned()]
    }

    fn quantities() -> Vec<Quantity> {
        vec![Quantity::whole(1), Quantity::whole(2), Quantity::whole(75)]
    }

    fn unit_lists() -> Vec<Vec<(Unit, Quantity)>> {
        let pack = |unit, size| (Unit::new(unit), Quantity::whole(size));
        vec![
            vec![],
            vec![pack("уп", 75)],
            vec![pack("рул", 2), pack("шт", 2)],
            vec![pack("рул", 1)],
            vec![pack("м", 2), pack("уп", 2)],
        ]
    }

    prop_compose! {
        pub fn record()(
            title in field(texts()), sku in field(texts()), description in field(texts()),
            unit in field(vec![Unit::new("шт"), Unit::new("м")]),
            multiple in field(quantities()), pack_size in field(quantities()),
            packs in field(unit_lists()), stock in field(quantities()),
            deleted in field(vec![true, false]), hidden in field(vec![true, false]),
            pack in proptest::option::of(proptest::sample::select(vec![("рул", 75_i64), ("уп", 2), ("шт", 2)])),
        ) -> ProductRecord {
            let pack = pack.map(|(unit, size)| (Unit::new(unit), Quantity::whole(size)));
            ProductRecord {
                title, sku, description, unit, multiple, pack_size, packs, stock, deleted, hidden,
                prices: pack.map(|pack| PriceRecord {
                    type_external_id: String::new(), type_name: "Опт".to_owned(),
                    pack: Some(pack), price: None,
                }).into_iter().collect(),
                ..ProductRecord::default()
            }
        }
    }

    prop_compose! {
        pub fn resolved()(
            category in field(vec![CategoryId(1), CategoryId(2)]),
            kopecks in proptest::collection::vec(proptest::option::of(1_i64..3), 0..3),
            stocks in field(vec![vec![(1, Quantity::whole(1))], vec![(1, Quantity::whole(2)), (2, Quantity::ZERO)]]),
        ) -> Resolved {
            let price = |k: i64| Price::each(Money::from_kopecks(k));
            Resolved {
                category,
                prices: (1..).zip(kopecks.into_iter().map(|k| k.map(price))).collect(),
                stocks: match stocks {
                    Field::Set(list) => Field::Set((list, Quantity::whole(2))),
                    Field::Clear => Field::Clear,
                    Field::Keep => Field::Keep,
                },
            }
        }
    }

    proptest! {
        #[test]
        fn two_records_laid_over_each_other_do_what_they_do_in_turn(first in record(), second in record()) {
            let (mut in_turn, mut at_once) = (State::new(), State::new());
            in_turn.merge(&first, &Resolved::default());
            in_turn.merge(&second, &Resolved::default());
            at_once.merge(&overlay(first, &second), &Resolved::default());
            prop_assert_eq!(in_turn.row, at_once.row);
        }
    }
}
