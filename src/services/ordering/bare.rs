//! A number without a unit beside the name of a pack: «молния рулон чёрная 2» orders two rolls,
//! never two metres.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::domain::{LineState, ProductId, Quantity, Unit};
use crate::storage::StorageError;
use crate::storage::drafts::NewDraftLine;
use crate::storage::offers::{self, Offer, counts_pieces};

/// What the words say of the unit of a number that stands alone.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// Nothing: the base unit is meant.
    Nothing,
    /// This unit, whether or not the product has it.
    Unit(Unit),
    /// How the product is packed; whether packs are counted is to be asked.
    Packing,
}

/// Gives certain lines whose number stands alone the unit that their words name.
pub(super) fn say_packs(
    conn: &Connection,
    mut lines: Vec<NewDraftLine>,
) -> Result<Vec<NewDraftLine>, StorageError> {
    let bare = |line: &&mut NewDraftLine| {
        line.state == Some(LineState::Ok) && line.unit.is_empty() && line.quantity.is_some()
    };
    let products = lines.iter_mut().filter(bare).filter_map(|line| line.product);
    let products: Vec<ProductId> = products.collect();
    let offers: HashMap<ProductId, Offer> = offers::load(conn, products, None)?;
    for line in lines.iter_mut().filter(bare) {
        if let Some(offer) = line.product.and_then(|id| offers.get(&id)) {
            say_pack(offer, &line.raw, &mut line.quantity, &mut line.unit);
        }
    }
    Ok(lines)
}

/// The same for a line whose product has just been chosen.
pub(super) fn said_pack(
    conn: &Connection,
    product: ProductId,
    words: &str,
    quantity: &mut Option<Quantity>,
    unit: &mut String,
) -> Result<(), StorageError> {
    if let Some(offer) = offers::load(conn, [product], None)?.remove(&product) {
        say_pack(&offer, words, quantity, unit);
    }
    Ok(())
}

/// Puts a number that stands alone into the unit that the words name; what is unclear is left
/// open.
pub(super) fn say_pack(
    offer: &Offer,
    words: &str,
    quantity: &mut Option<Quantity>,
    unit: &mut String,
) {
    let Some(number) = quantity.filter(|_| unit.is_empty()) else { return };
    match said(offer, words, number) {
        Said::Nothing => {}
        Said::Unit(named) => named.as_str().clone_into(unit),
        Said::Packing => *quantity = None,
    }
}

fn said(offer: &Offer, words: &str, number: Quantity) -> Said {
    let base = offer.unit.as_str();
    let words: Vec<&str> =
        words.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    for (place, word) in words.iter().enumerate() {
        let Some(unit) = Unit::known(word).filter(|unit| unit.as_str() != base) else { continue };
        let holds = offer.pack(unit.as_str());
        // A piece is called a packet or a sheet by its very name: only what is measured has to be
        // cut out of something.
        let of_measure = counts_pieces(unit.as_str()) && !counts_pieces(base);
        if unit.as_str().chars().count() < 2 || holds.is_none() && !of_measure {
            continue;
        }
        let Some(holds) = holds else { return Said::Unit(unit) };
        let after = words.get(place + 1).map(|next| next.trim_end_matches(char::is_alphabetic));
        // «(уп.1000) 4000»: the title's own words, and a number that is no number of packs.
        return match after {
            Some(after) if after == holds.decimal() && number >= holds => Said::Nothing,
            Some(after) if after == holds.decimal() => Said::Packing,
            _ => Said::Unit(unit),
        };
    }
    Said::Nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(title: &str, base: &str, packs: &[(&str, i64)]) -> Offer {
        Offer {
            id: ProductId(1),
            sku: String::new(),
            title: title.to_owned(),
            unit: Unit::new(base),
            available: Quantity::ZERO,
            multiple: None,
            packs: packs.iter().map(|(u, n)| (Unit::new(u), Quantity::whole(*n))).collect(),
            price: None,
            gone: false,
        }
    }

    #[test]
    fn the_name_of_a_pack_is_the_unit_of_a_bare_number() {
        let zip = offer("Молния рулонная №5 чёрная (рул. 200 м)", "м", &[("уп", 200)]);
        let roll = Said::Unit(Unit::new("рул"));
        assert_eq!(said(&zip, "молния рулон чёрная 2", Quantity::whole(2)), roll);
        assert_eq!(zip.base_quantity(Quantity::whole(2), "рул"), Some(Quantity::whole(400)));
        // What it has no roll of is asked about.
        let other = offer("Молния спираль Т7 рулон белая", "м", &[("уп", 100)]);
        assert_eq!(said(&other, "молния рулон белая 2", Quantity::whole(2)), roll);
        assert_eq!(other.base_quantity(Quantity::whole(2), "рул"), None);
        assert_eq!(said(&zip, "молния чёрная 2", Quantity::whole(2)), Said::Nothing);
    }

    #[test]
    fn the_words_of_a_title_are_no_unit() {
        let screw = offer("Саморез 4x25 (уп.1000)", "шт", &[("уп", 1_000)]);
        let copied = "Саморез 4x25 (уп.1000)";
        assert_eq!(said(&screw, copied, Quantity::whole(4_000)), Said::Nothing);
        assert_eq!(said(&screw, copied, Quantity::whole(3)), Said::Packing);
        let bag = offer("Пакет майка 30х60", "шт", &[("уп", 100)]);
        assert_eq!(said(&bag, "пакет майка 30х60 500", Quantity::whole(500)), Said::Nothing);
    }
}
