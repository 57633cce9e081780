//! The stored catalogue in digests: what a record does to a product is told without reading it.

use std::ops::Range;

use rusqlite::{Connection, Transaction};

use super::matching::Digests;
use super::state::{BASE_UNIT, PACK_UNIT, Resolved, State, withdrawn_after};
use crate::domain::catalog::{Field, ProductRecord};
use crate::domain::{CategoryId, Price, ProductId, Quantity, Unit};
use crate::storage::products::{self, Scanned, Withdrawn};
use crate::storage::{StorageError, prices, stocks};

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
    /// Of the title without the last thing in brackets, the label of a characteristic; 0: none.
    bare: u64,
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
            bare: product.title.rfind(" (").map_or(0, |at| digests.content(&product.title[..at])),
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
        conn: &Connection,
        digests: &Digests,
    ) -> Result<(), StorageError> {
        let products = &mut self.products;
        let mut at = Cursor::default();
        let prices = &mut self.prices;
        prices::scan(conn, |id, price_type, price| {
            at.note(products, id, prices.len(), |p| &mut p.prices);
            prices.push((price_type, price));
        })?;
        let mut at = Cursor::default();
        let packs = &mut self.packs;
        products::scan_packs(conn, |id, unit, coefficient| {
            at.note(products, id, packs.len(), |p| &mut p.packs);
            packs.push((digests.content(unit), coefficient));
        })?;
        let mut at = Cursor::default();
        let stocks = &mut self.stocks;
        stocks::scan(conn, |id, warehouse, quantity| {
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

    /// What the record certainly does. Where that is not to be told from digests,
    /// [`State::merge`] finds out.
    pub fn news(
        &self,
        slot: u32,
        record: &ProductRecord,
        resolved: &Resolved,
        digests: &Digests,
    ) -> News {
        let Some(known) = self.products.get(slot as usize) else { return News::Unclear };
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
                let hint = digests.content(&record.name_hint);
                hint == 0 || hint == known.title || hint == known.bare
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
        let other = |(price_type, price): &&(i64, Option<Price>)| {
            let stored = stored_prices.iter().find(|(stored, _)| stored == price_type);
            stored.map(|(_, stored)| *stored) != *price
        };
        let prices: Vec<_> = resolved.prices.iter().filter(other).copied().collect();
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
        let same = same_id
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
            && packs
            && quiet
            && priced.all(|(unit, coefficient)| has_pack((unit, coefficient)));
        // By warehouse there is more to write than one figure.
        let one_figure = stocks.is_empty() && resolved.stocks == Field::Keep;
        match (same, stock) {
            (true, true) if prices.is_empty() => News::None,
            (true, true) => News::Figures { available: None, prices },
            (true, false) if one_figure => {
                let available = Some(record.stock.set().copied().unwrap_or_default());
                News::Figures { available, prices }
            }
            _ => News::Unclear,
        }
    }
}

/// What a record does to a known product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Nothing.
    None,
    /// Figures change, as in most exchanges, and nothing else.
    Figures {
        /// The free stock, where it is another one.
        available: Option<Quantity>,
        /// The prices that are other ones; `None`: there is no such price any more.
        prices: Vec<(i64, Option<Price>)>,
    },
    /// More, or nothing: what is stored has to be read.
    Unclear,
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

    use super::super::state::tests::{record, resolved};
    use super::*;
    use crate::domain::Money;

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

    #[test]
    fn figures_alone_are_told_from_digests() {
        let price = |kopecks| Price::each(Money::from_kopecks(kopecks));
        let with = |stock, prices: &[(i64, Option<Price>)]| {
            let title = Field::Set("Клей".to_owned());
            let stock = Field::Set(Quantity::whole(stock));
            let record = ProductRecord { title, stock, ..ProductRecord::default() };
            (record, Resolved { prices: prices.to_vec(), ..Resolved::default() })
        };
        let digests = Digests::default();
        let mut state = State::new();
        let (record, resolved) = with(5, &[(1, Some(price(100))), (2, Some(price(90)))]);
        state.merge(&record, &resolved);
        let known = known(&state, &digests);
        let news = |(record, resolved): (ProductRecord, Resolved)| {
            known.news(0, &record, &resolved, &digests)
        };
        assert_eq!(news((record, resolved)), News::None);
        let figures = |available, prices| News::Figures { available, prices };
        let other = news(with(5, &[(1, Some(price(100))), (2, None)]));
        assert_eq!(other, figures(None, vec![(2, None)]));
        let other = news(with(7, &[(1, Some(price(110)))]));
        let seven = Some(Quantity::whole(7));
        assert_eq!(other, figures(seven, vec![(1, Some(price(110)))]));
        let (record, resolved) = with(7, &[]);
        let record = ProductRecord { title: Field::Set("Клей 88".to_owned()), ..record };
        assert_eq!(news((record, resolved)), News::Unclear);
        // An offer of 10.3 has the bare name of its item.
        let offer = |hint: &str| ProductRecord { name_hint: hint.to_owned(), ..Default::default() };
        for (hint, told) in
            [("Клей (туба)", News::None), ("Клей", News::Unclear), ("Кл", News::Unclear)]
        {
            let mut state = State::new();
            state.row.title = "Клей (туба) (88, 5 л)".to_owned();
            let stored = super::tests::known(&state, &digests);
            let record = offer(hint);
            assert_eq!(stored.news(0, &record, &Resolved::default(), &digests), told, "{hint}");
        }
    }

    proptest! {
        #[test]
        fn what_is_told_from_digests_is_what_happens(
            first in record(), first_resolved in resolved(), second in record(), second_resolved in resolved(), kind in 0..3,
        ) {
            let digests = Digests::default();
            let mut state = State::new();
            state.merge(&first, &first_resolved);
            let same = kind == 0;
            let (second, second_resolved) = match kind {
                0 => (first, first_resolved),
                // The same goods with other figures.
                1 => (
                    ProductRecord { stock: second.stock, ..first },
                    Resolved {
                        prices: second_resolved.prices,
                        stocks: Field::Keep,
                        ..first_resolved
                    },
                ),
                _ => (second, second_resolved),
            };
            let news = known(&state, &digests).news(0, &second, &second_resolved, &digests);
            let before = state.clone();
            state.merge(&second, &second_resolved);
            if same {
                prop_assert_eq!(&state, &before, "a repeated record changes nothing");
            }
            match news {
                News::None => prop_assert_eq!(state, before),
                News::Figures { available, prices } => {
                    let mut figured = before.clone();
                    figured.row.available = available.unwrap_or(before.row.available);
                    figured.prices.retain(|(of, _)| prices.iter().all(|(other, _)| of != other));
                    figured.prices.extend(prices.iter().filter_map(|(of, price)| Some((*of, (*price)?))));
                    figured.prices.sort_unstable_by_key(|(of, _)| *of);
                    prop_assert_ne!(&figured, &before, "there is something to write");
                    prop_assert_eq!(state, figured);
                }
                News::Unclear => {}
            }
        }
    }
}
