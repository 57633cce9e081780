//! What a record does to a product: the stored state, the record laid over it, and a quick way to
//! see that nothing would change.

use std::ops::Range;

use rusqlite::Transaction;

use super::matching::Digests;
use crate::domain::catalog::{Field, ProductRecord};
use crate::domain::{CategoryId, Price, ProductId, Quantity, Timestamp, Unit};
use crate::storage::products::{self, ProductRow, Scanned, Withdrawn};
use crate::storage::{StorageError, prices, stocks};

/// The unit of a product that names none.
const BASE_UNIT: &str = "шт";
/// The unit of a pack that only its size is known of.
const PACK_UNIT: &str = "уп";

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
fn withdrawn_after(before: Withdrawn, record: &ProductRecord, untitled: bool) -> Withdrawn {
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
    let mut prices = if later.prices_whole { Vec::new() } else { earlier.prices };
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
        prices_whole: earlier.prices_whole || later.prices_whole,
        deleted: lay(earlier.deleted, &later.deleted),
        hidden: lay(earlier.hidden, &later.hidden),
        search_words: lay(earlier.search_words, &later.search_words),
        part: later.part,
        placeholder: earlier.placeholder || later.placeholder,
        name_hint,
        more_packs,
    }
}

/// All stored products in digests: enough to see that a record changes nothing, at some hundred
/// bytes a product.
#[derive(Debug, Default)]
pub struct Known {
    products: Vec<KnownProduct>,
    prices: Vec<(i64, Price)>,
    packs: Vec<(u64, Quantity)>,
    stocks: Vec<(i64, Quantity)>,
}

#[derive(Debug)]
struct KnownProduct {
    id: ProductId,
    external_id: u64,
    sku: u64,
    title: u64,
    unit: u64,
    description: u64,
    barcode: u64,
    search_words: u64,
    category: Option<CategoryId>,
    multiple: Option<Quantity>,
    available: Quantity,
    withdrawn: Withdrawn,
    hidden: bool,
    prices: Range<u32>,
    packs: Range<u32>,
    stocks: Range<u32>,
}

impl Known {
    /// Adds a product; in the order of ids.
    pub fn add(&mut self, product: &Scanned<'_>, digests: &Digests) {
        self.products.push(KnownProduct {
            id: product.id,
            external_id: digests.content(product.external_id),
            sku: digests.content(product.sku),
            title: digests.content(product.title),
            unit: digests.content(product.unit),
            description: digests.content(product.description),
            barcode: digests.content(product.barcode),
            search_words: digests.content(product.search_words),
            category: product.category,
            multiple: product.multiple,
            available: product.available,
            withdrawn: product.withdrawn,
            hidden: product.hidden,
            prices: 0..0,
            packs: 0..0,
            stocks: 0..0,
        });
    }

    /// Adds what belongs to the products; all of them are known by now.
    pub fn load_belongings(
        &mut self,
        tx: &Transaction<'_>,
        digests: &Digests,
    ) -> Result<(), StorageError> {
        let products = &mut self.products;
        let mut at = Cursor::default();
        let prices = &mut self.prices;
        prices::scan(tx, |id, price_type, price| {
            at.note(products, id, prices.len(), |p| &mut p.prices);
            prices.push((price_type, price));
        })?;
        let mut at = Cursor::default();
        let packs = &mut self.packs;
        products::scan_packs(tx, |id, unit, coefficient| {
            at.note(products, id, packs.len(), |p| &mut p.packs);
            packs.push((digests.content(unit), coefficient));
        })?;
        let mut at = Cursor::default();
        let stocks = &mut self.stocks;
        stocks::scan(tx, |id, warehouse, quantity| {
            at.note(products, id, stocks.len(), |p| &mut p.stocks);
            stocks.push((warehouse, quantity));
        })
    }

    /// The product in this slot as it is stored. Only what the digests do not hold is read.
    pub fn state(&self, tx: &Transaction<'_>, slot: u32) -> Result<Option<State>, StorageError> {
        let Some(known) = self.products.get(slot as usize) else { return Ok(None) };
        let row = products::find(tx, known.id)?;
        let row = row.ok_or(StorageError::RowsAffected { expected: 1, found: 0 })?;
        let mut packs =
            if known.packs.is_empty() { Vec::new() } else { products::packs(tx, known.id)? };
        packs.sort();
        let range = |range: &Range<u32>| range.start as usize..range.end as usize;
        Ok(Some(State {
            row,
            prices: self.prices[range(&known.prices)].to_vec(),
            packs,
            stocks: self.stocks[range(&known.stocks)].to_vec(),
        }))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// The id of the product in this slot.
    pub fn id(&self, slot: u32) -> Option<ProductId> {
        self.products.get(slot as usize).map(|p| p.id)
    }

    /// Slots and ids of the products on sale.
    pub fn on_sale(&self) -> impl Iterator<Item = (usize, ProductId)> {
        let live = |(_, product): &(usize, &KnownProduct)| product.withdrawn == Withdrawn::No;
        self.products.iter().enumerate().filter(live).map(|(slot, product)| (slot, product.id))
    }

    /// Whether the record certainly changes nothing. What it cannot tell it denies; then
    /// [`State::merge`] finds out.
    pub fn is_unchanged(
        &self,
        slot: u32,
        record: &ProductRecord,
        resolved: &Resolved,
        digests: &Digests,
    ) -> bool {
        let Some(known) = self.products.get(slot as usize) else { return false };
        let text = |field: &Field<String>, stored: u64| match field {
            Field::Keep => true,
            Field::Clear => stored == 0,
            Field::Set(text) => digests.content(text) == stored,
        };
        let range = |range: &Range<u32>| range.start as usize..range.end as usize;
        let same_id = record.external_id.is_empty()
            || digests.content(&record.external_id) == known.external_id;
        let title = match &record.title {
            Field::Set(title) => digests.content(title) == known.title,
            Field::Keep | Field::Clear => {
                record.name_hint.is_empty() || digests.content(&record.name_hint) == known.title
            }
        };
        let category = match resolved.category {
            Field::Keep => true,
            Field::Clear => known.category.is_none(),
            Field::Set(id) => known.category == Some(id),
        };
        let unit = match &record.unit {
            Field::Keep => true,
            Field::Clear => known.unit == digests.content(BASE_UNIT),
            Field::Set(unit) => known.unit == digests.content(unit.as_str()),
        };
        let multiple = match record.multiple {
            Field::Keep => true,
            Field::Clear => known.multiple.is_none(),
            Field::Set(multiple) => known.multiple == Some(multiple),
        };
        let hidden = match record.hidden {
            Field::Keep => true,
            Field::Clear => !known.hidden,
            Field::Set(hidden) => known.hidden == hidden,
        };
        let withdrawn =
            known.withdrawn == withdrawn_after(known.withdrawn, record, known.title == 0);
        let stocks = &self.stocks[range(&known.stocks)];
        let stock = match (&resolved.stocks, record.stock) {
            (Field::Set((by_warehouse, total)), _) => {
                stocks == by_warehouse.as_slice() && known.available == *total
            }
            (Field::Keep, Field::Keep) => true,
            (_, stock) => {
                stocks.is_empty() && known.available == stock.set().copied().unwrap_or_default()
            }
        };
        let stored_prices = &self.prices[range(&known.prices)];
        let prices = resolved.prices.iter().all(|(price_type, price)| {
            let stored = stored_prices.iter().find(|(stored, _)| stored == price_type);
            stored.map(|(_, stored)| *stored) == *price
        });
        let stored_packs = &self.packs[range(&known.packs)];
        let has_pack = |(unit, coefficient): (&Unit, &Quantity)| {
            stored_packs.contains(&(digests.content(unit.as_str()), *coefficient))
        };
        let packs = match (&record.packs, &record.pack_size) {
            (Field::Keep, Field::Keep) => true,
            (Field::Keep, Field::Set(size)) => has_pack((&Unit::new(PACK_UNIT), size)),
            (Field::Clear, Field::Keep) => stored_packs.is_empty(),
            (Field::Set(packs), Field::Keep) => {
                packs.len() == stored_packs.len()
                    && packs.iter().all(|(unit, coefficient)| has_pack((unit, coefficient)))
                    && distinct(packs)
            }
            _ => stored_packs.is_empty() && record.packs == Field::Keep,
        };
        let priced = record.prices.iter().filter_map(|p| p.pack.as_ref());
        let mut priced = priced.chain(&record.more_packs);
        // A changed base unit may swallow a pack: that is not told from digests.
        let quiet = matches!(record.unit, Field::Keep) || stored_packs.is_empty() || unit;
        same_id
            && text(&record.sku, known.sku)
            && title
            && category
            && unit
            && text(&record.description, known.description)
            && text(&record.barcode, known.barcode)
            && text(&record.search_words, known.search_words)
            && multiple
            && hidden
            && withdrawn
            && stock
            && prices
            && packs
            && quiet
            && priced.all(|(unit, coefficient)| has_pack((unit, coefficient)))
    }
}

fn distinct(packs: &[(Unit, Quantity)]) -> bool {
    packs.iter().enumerate().all(|(i, (unit, _))| packs[..i].iter().all(|(other, _)| other != unit))
}

/// Walks over the products beside rows that are in their order.
#[derive(Default)]
struct Cursor(usize);

impl Cursor {
    fn note(
        &mut self,
        products: &mut [KnownProduct],
        id: ProductId,
        at: usize,
        range: impl Fn(&mut KnownProduct) -> &mut Range<u32>,
    ) {
        while products.get(self.0).is_some_and(|product| product.id < id) {
            self.0 += 1;
        }
        if let Some(product) = products.get_mut(self.0).filter(|product| product.id == id) {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            let range = range(product);
            if range.end == range.start {
                range.start = at;
            }
            range.end = at + 1;
        }
    }
}

#[cfg(test)]
mod tests {
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
        fn record()(
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
        fn resolved()(
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

    fn known(state: &State, digests: &Digests) -> Known {
        let row = &state.row;
        let mut known = Known::default();
        known.add(
            &Scanned {
                id: row.id,
                external_id: row.external_id.as_deref().unwrap_or(""),
                sku: &row.sku,
                title: &row.title,
                category: row.category,
                unit: row.unit.as_str(),
                description: &row.description,
                barcode: &row.barcode,
                multiple: row.multiple,
                available: row.available,
                withdrawn: row.withdrawn,
                hidden: row.hidden,
                search_words: &row.search_words,
            },
            digests,
        );
        let end = |len: usize| 0..u32::try_from(len).expect("few");
        known.prices.clone_from(&state.prices);
        known.products[0].prices = end(state.prices.len());
        known.packs = state.packs.iter().map(|(u, c)| (digests.content(u.as_str()), *c)).collect();
        known.products[0].packs = end(state.packs.len());
        known.stocks.clone_from(&state.stocks);
        known.products[0].stocks = end(state.stocks.len());
        known
    }

    proptest! {
        #[test]
        fn what_is_called_unchanged_changes_nothing(
            first in record(), first_resolved in resolved(), second in record(), second_resolved in resolved(), same: bool,
        ) {
            let digests = Digests::default();
            let mut state = State::new();
            state.merge(&first, &first_resolved);
            let (second, second_resolved) =
                if same { (first, first_resolved) } else { (second, second_resolved) };
            let quick = known(&state, &digests).is_unchanged(0, &second, &second_resolved, &digests);
            let before = state.clone();
            state.merge(&second, &second_resolved);
            if quick {
                prop_assert_eq!(&state, &before);
            }
            if same {
                prop_assert_eq!(state, before, "a repeated record changes nothing");
            }
        }

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
