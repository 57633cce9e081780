//! The parts of a product: each changes, and comes back, by itself.

use serde::{Deserialize, Serialize};

use super::super::state::State;
use crate::domain::{CategoryId, Price, Quantity, Unit};
use crate::storage::products::Withdrawn;

/// A part of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// The source's id.
    ExternalId(Option<String>),
    /// The article.
    Sku(String),
    /// The title.
    Title(String),
    /// The category.
    Category(Option<CategoryId>),
    /// The base unit, and the packs that are told in it.
    Units(Unit, Vec<(Unit, Quantity)>),
    /// The description.
    Description(String),
    /// The barcode.
    Barcode(String),
    /// By how many it is sold.
    Multiple(Option<Quantity>),
    /// Free stock: the total, and by warehouse.
    Stock(Quantity, Vec<(i64, Quantity)>),
    /// The price of a type; `None`: it has none.
    Price(i64, Option<Price>),
    /// Whether it is sold.
    Withdrawn(Withdrawn),
    /// Whether it is not to be shown.
    Hidden(bool),
    /// What buyers call it.
    SearchWords(String),
}

impl Part {
    /// All parts of a product, prices that it has not aside.
    pub fn all(state: &State) -> Vec<Self> {
        let row = &state.row;
        let mut parts = vec![
            Self::ExternalId(row.external_id.clone()),
            Self::Sku(row.sku.clone()),
            Self::Title(row.title.clone()),
            Self::Category(row.category),
            Self::Units(row.unit.clone(), state.packs.clone()),
            Self::Description(row.description.clone()),
            Self::Barcode(row.barcode.clone()),
            Self::Multiple(row.multiple),
            Self::Stock(row.available, state.stocks.clone()),
            Self::Withdrawn(row.withdrawn),
            Self::Hidden(row.hidden),
            Self::SearchWords(row.search_words.clone()),
        ];
        parts.extend(state.prices.iter().map(|(id, price)| Self::Price(*id, Some(*price))));
        parts
    }

    /// The parts that differ: as they were, and as they are.
    pub fn between(old: &State, new: &State) -> Vec<(Self, Self)> {
        let gone = |(id, _): &&(i64, Price)| new.prices.iter().all(|(other, _)| other != id);
        let mut slots = Self::all(new);
        slots.extend(old.prices.iter().filter(gone).map(|(id, _)| Self::Price(*id, None)));
        let pairs = slots.into_iter().map(|is| (is.of(old), is));
        pairs.filter(|(was, is)| was != is).collect()
    }

    /// The same part of this product.
    pub fn of(&self, state: &State) -> Self {
        let row = &state.row;
        match self {
            Self::ExternalId(_) => Self::ExternalId(row.external_id.clone()),
            Self::Sku(_) => Self::Sku(row.sku.clone()),
            Self::Title(_) => Self::Title(row.title.clone()),
            Self::Category(_) => Self::Category(row.category),
            Self::Units(..) => Self::Units(row.unit.clone(), state.packs.clone()),
            Self::Description(_) => Self::Description(row.description.clone()),
            Self::Barcode(_) => Self::Barcode(row.barcode.clone()),
            Self::Multiple(_) => Self::Multiple(row.multiple),
            Self::Stock(..) => Self::Stock(row.available, state.stocks.clone()),
            Self::Price(id, _) => {
                let found = state.prices.iter().find(|(other, _)| other == id);
                Self::Price(*id, found.map(|(_, price)| *price))
            }
            Self::Withdrawn(_) => Self::Withdrawn(row.withdrawn),
            Self::Hidden(_) => Self::Hidden(row.hidden),
            Self::SearchWords(_) => Self::SearchWords(row.search_words.clone()),
        }
    }

    /// Puts the part into the product.
    pub fn put(&self, state: &mut State) {
        let row = &mut state.row;
        match self {
            Self::ExternalId(id) => row.external_id.clone_from(id),
            Self::Sku(sku) => row.sku.clone_from(sku),
            Self::Title(title) => row.title.clone_from(title),
            Self::Category(category) => row.category = *category,
            Self::Units(unit, packs) => {
                row.unit.clone_from(unit);
                state.packs.clone_from(packs);
            }
            Self::Description(text) => row.description.clone_from(text),
            Self::Barcode(text) => row.barcode.clone_from(text),
            Self::Multiple(multiple) => row.multiple = *multiple,
            Self::Stock(available, stocks) => {
                row.available = *available;
                state.stocks.clone_from(stocks);
            }
            Self::Price(id, price) => {
                state.prices.retain(|(other, _)| other != id);
                state.prices.extend(price.map(|price| (*id, price)));
                state.prices.sort_unstable_by_key(|(id, _)| *id);
            }
            Self::Withdrawn(withdrawn) => row.withdrawn = *withdrawn,
            Self::Hidden(hidden) => row.hidden = *hidden,
            Self::SearchWords(words) => row.search_words.clone_from(words),
        }
    }

    /// What people call it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::ExternalId(_) => "код 1С",
            Self::Sku(_) => "артикул",
            Self::Title(_) => "название",
            Self::Category(_) => "раздел",
            Self::Units(..) => "единица и упаковки",
            Self::Description(_) => "описание",
            Self::Barcode(_) => "штрихкод",
            Self::Multiple(_) => "кратность",
            Self::Stock(..) => "остаток",
            Self::Price(..) => "цена",
            Self::Withdrawn(_) => "снятие с продажи",
            Self::Hidden(_) => "скрытие",
            Self::SearchWords(_) => "слова поиска",
        }
    }

    /// Whether both are the same part, whatever they hold.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Price(id, _), Self::Price(other, _)) => id == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::state::tests::{record, resolved};
    use super::*;

    proptest! {
        #[test]
        fn parts_that_differ_put_back_make_the_product_as_it_was(
            first in record(), place in resolved(), second in record(), other in resolved(),
        ) {
            let mut old = State::new();
            old.merge(&first, &place);
            let mut new = old.clone();
            new.merge(&second, &other);
            let parts = Part::between(&old, &new);
            let text = serde_json::to_string(&parts).expect("writes");
            let read: Vec<(Part, Part)> = serde_json::from_str(&text).expect("reads");
            prop_assert_eq!(&read, &parts);
            for (was, is) in &read {
                prop_assert!(was.is_like(is));
                prop_assert_eq!(&is.of(&new), is);
                was.put(&mut new);
            }
            prop_assert_eq!(new, old);
        }
    }
}
