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
    /// No unit means the base one. Where the base unit counts pieces and the product has no pack
    /// of that name, a counting word (рулон, лист, комплект) means a piece.
    pub fn base_quantity(&self, quantity: Quantity, unit: &str) -> Option<Quantity> {
        if unit.is_empty() || unit == self.unit.as_str() {
            return Some(quantity);
        }
        if let Some((_, coefficient)) = self.packs.iter().find(|(pack, _)| pack.as_str() == unit) {
            return quantity.times(*coefficient);
        }
        match (unit, self.unit.as_str()) {
            ("тыс шт", "шт") => quantity.times(Quantity::whole(1_000)),
            (unit, base) if counts_pieces(unit) && counts_pieces(base) && self.packs.is_empty() => {
                Some(quantity)
            }
            _ => None,
        }
    }

    /// The sum for so many base units.
    pub fn sum(&self, base: Quantity) -> Option<Money> {
        self.price.and_then(|price| price.for_quantity(base))
    }
}

fn counts_pieces(unit: &str) -> bool {
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
