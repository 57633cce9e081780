//! What a record changes in a product, in words: shown before a file is loaded.

use super::state::State;
use crate::domain::ru;
use crate::storage::products::Withdrawn;

/// A changed product with what changes in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its article; may be empty.
    pub sku: String,
    /// Its title, as it was.
    pub title: String,
    /// «цена: 0,80 ₽ → 0,85 ₽», one for each field.
    pub fields: Vec<String>,
}

impl Difference {
    /// What lies between the two states of a product.
    pub fn between(old: &State, new: &State) -> Self {
        let mut fields = Vec::new();
        let mut note = |field: &str, was: String, is: String| {
            let say = |text: String| if text.is_empty() { "—".to_owned() } else { text };
            if was != is {
                fields.push(format!("{field}: {} → {}", say(was), say(is)));
            }
        };
        let quoted = |text: &str| {
            if text.is_empty() { String::new() } else { format!("«{}»", ru::ellipsis(text, 60)) }
        };
        let (was, is) = (&old.row, &new.row);
        note("название", quoted(&was.title), quoted(&is.title));
        note("артикул", was.sku.clone(), is.sku.clone());
        note("единица", was.unit.to_string(), is.unit.to_string());
        let mut types: Vec<i64> = old.prices.iter().chain(&new.prices).map(|(id, _)| *id).collect();
        types.sort_unstable();
        types.dedup();
        for id in types {
            let of = |state: &State| {
                let found = state.prices.iter().find(|(known, _)| *known == id);
                found.map(|(_, price)| price.to_string()).unwrap_or_default()
            };
            note("цена", of(old), of(new));
        }
        note(
            "остаток",
            was.available.with_unit(was.unit.as_str()),
            is.available.with_unit(is.unit.as_str()),
        );
        let multiple = |of: &State| of.row.multiple.map(|q| q.to_string()).unwrap_or_default();
        note("кратность", multiple(old), multiple(new));
        note("описание", quoted(&was.description), quoted(&is.description));
        note("штрихкод", was.barcode.clone(), is.barcode.clone());
        note("слова поиска", quoted(&was.search_words), quoted(&is.search_words));
        let sold = |of: &State| {
            let sold = of.row.withdrawn == Withdrawn::No && !of.row.hidden;
            if sold { "в продаже" } else { "скрыт" }.to_owned()
        };
        note("состояние", sold(old), sold(new));
        for (field, differs) in [
            ("раздел", was.category != is.category),
            ("упаковки", old.packs != new.packs),
            ("код 1С", was.external_id != is.external_id),
        ] {
            if differs {
                fields.push(field.to_owned());
            }
        }
        if fields.is_empty() {
            // The total is the same, only the warehouses are others.
            fields.push("остатки по складам".to_owned());
        }
        Self { sku: was.sku.clone(), title: was.title.clone(), fields }
    }
}
