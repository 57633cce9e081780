//! Products as one customer sees them: title, price of the customer's type, stock, packs.

use std::collections::HashMap;

use rusqlite::{Connection, named_params};

use super::StorageError;
use crate::domain::{Money, Price, ProductId, Quantity, Unit};

/// A product with what one customer may pay for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The product.
    pub id: ProductId,
    /// The article; may be empty.
    pub sku: String,
    /// The title.
    pub title: String,
    /// The base unit.
    pub unit: Unit,
    /// Free stock in base units.
    pub available: Quantity,
    /// Sold by so many base units.
    pub multiple: Option<Quantity>,
    /// Packs with their base units, smallest first.
    pub packs: Vec<(Unit, Quantity)>,
    /// The price; `None`: «цену подтвердит менеджер».
    pub price: Option<Price>,
    /// No longer sold.
    pub gone: bool,
}

impl Offer {
    /// So many of `unit` in base units; `None` when the product has no such unit.
    ///
    /// No unit means the base one. A pack may be named by the title alone: of «Молния … (рул.
    /// 200 м)» in metres, 1C sends that a pack holds 200. Where the base unit counts pieces and the
    /// product has no packs, a counting word (рулон, лист, комплект) means a piece.
    pub fn base_quantity(&self, quantity: Quantity, unit: &str) -> Option<Quantity> {
        if unit.is_empty() || unit == self.unit.as_str() {
            return Some(quantity);
        }
        if let Some(coefficient) = self.pack(unit) {
            return quantity.times(coefficient);
        }
        match (unit, self.unit.as_str()) {
            ("тыс шт", "шт") | ("т", "кг") | ("кг", "г") => {
                quantity.times(Quantity::whole(1_000))
            }
            ("кг", "т") | ("г", "кг") => {
                let (whole, rest) =
                    (quantity.thousandths() / 1_000, quantity.thousandths() % 1_000);
                (rest == 0).then(|| Quantity::from_thousandths(whole))
            }
            (unit, base) if counts_pieces(unit) && counts_pieces(base) && self.packs.is_empty() => {
                Some(quantity)
            }
            _ => None,
        }
    }

    /// How many base units a pack of this name holds; `None` when the product has no such pack.
    pub fn pack(&self, unit: &str) -> Option<Quantity> {
        let named = self.packs.iter().find(|(pack, _)| pack.as_str() == unit);
        named.map(|(_, coefficient)| *coefficient).or_else(|| match self.packs.as_slice() {
            [(any, coefficient)] if any.as_str() == "уп" => {
                title_holds(&self.title, unit, *coefficient).then_some(*coefficient)
            }
            _ => None,
        })
    }

    /// The sum for so many base units.
    pub fn sum(&self, base: Quantity) -> Option<Money> {
        self.price.and_then(|price| price.for_quantity(base))
    }
}

/// Whether the title says that the unit holds so many: «(рул. 200 м)».
fn title_holds(title: &str, unit: &str, coefficient: Quantity) -> bool {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    words.windows(2).any(|pair| {
        let number = pair[1].trim_end_matches(char::is_alphabetic);
        number == coefficient.decimal()
            && Unit::known(pair[0]).is_some_and(|named| named.as_str() == unit)
    })
}

/// Whether the unit is a thing by itself, not a measure of some.
pub fn counts_pieces(unit: &str) -> bool {
    !matches!(unit, "м" | "кг" | "г" | "т" | "л" | "м2" | "м3" | "тыс шт")
}

/// The offers for these products by the price type, or by the default one. Products that no longer
/// exist are absent.
pub fn load(
    conn: &Connection,
    ids: impl IntoIterator<Item = ProductId>,
    price_type: Option<i64>,
) -> Result<HashMap<ProductId, Offer>, StorageError> {
    const PRODUCT: &str = "
        select p.sku, p.title, p.unit, p.available_thousandths, p.multiple_thousandths,
            p.withdrawn or p.hidden as gone, r.amount_kopecks, r.per
        from products p
        left join prices r on r.product_id = p.id and r.price_type_id = coalesce(:price_type, (
            select id from price_types
            where is_default or name = '' or (select count(*) from price_types) = 1
            order by is_default desc, name <> '' limit 1))
        where p.id = :id";
    const PACKS: &str = "
        select unit, coefficient_thousandths from packs
        where product_id = :id order by coefficient_thousandths, unit";
    let mut product = conn.prepare_cached(PRODUCT)?;
    let mut packs = conn.prepare_cached(PACKS)?;
    let mut offers = HashMap::new();
    for id in ids {
        if offers.contains_key(&id) {
            continue;
        }
        let mut rows = product.query(named_params! { ":id": id, ":price_type": price_type })?;
        let Some(row) = rows.next()? else { continue };
        let amount: Option<Money> = row.get("amount_kopecks")?;
        let per: Option<u32> = row.get("per")?;
        let price = amount.zip(per).and_then(|(amount, per)| Price::new(amount, per));
        let packs = packs
            .query_map(named_params! { ":id": id }, |row| {
                Ok((row.get("unit")?, row.get("coefficient_thousandths")?))
            })?
            .collect::<Result<_, _>>()?;
        offers.insert(
            id,
            Offer {
                id,
                sku: row.get("sku")?,
                title: row.get("title")?,
                unit: row.get("unit")?,
                available: row.get("available_thousandths")?,
                multiple: row.get("multiple_thousandths")?,
                packs,
                // A price of nothing is no price: «цену подтвердит менеджер».
                price: price.filter(|price| price.amount > Money::ZERO),
                gone: row.get("gone")?,
            },
        );
    }
    Ok(offers)
}
