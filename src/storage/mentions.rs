//! What the standard exchange has mentioned lately: a later request of 1C may ask to hide the rest,
//! and the program may have been started anew in between.
//!
//! A file mentions up to all products, so each has one row: ids in ascending order, each as its
//! distance from the one before in LEB128, seven bits a byte. A hundred thousand take 100 KB.

use std::collections::HashSet;
use std::time::Duration;

use rusqlite::{Connection, Transaction, named_params};

use super::StorageError;
use crate::domain::{ProductId, Timestamp};

/// How long they are kept: longer than any session.
pub const KEPT: Duration = Duration::from_hours(48);

/// Notes what an exchange has mentioned, and forgets what is too old.
pub fn note(
    tx: &Transaction<'_>,
    exchange: i64,
    now: Timestamp,
    mut products: Vec<ProductId>,
) -> Result<(), StorageError> {
    const SQL: &str = "
        insert into mentions (exchange_id, at_ms, products) values (:exchange, :now, :products)";
    tx.prepare_cached("delete from mentions where at_ms < :before")?
        .execute(named_params! { ":before": now.minus(KEPT) })?;
    products.sort_unstable();
    let mut packed = Vec::with_capacity(products.len());
    let mut before = 0;
    for ProductId(id) in products {
        pack(id.abs_diff(before), &mut packed);
        before = id;
    }
    tx.prepare_cached(SQL)?
        .execute(named_params! { ":exchange": exchange, ":now": now, ":products": packed })?;
    Ok(())
}

/// Everything that was mentioned at this moment or later.
pub fn since(conn: &Connection, from: Timestamp) -> Result<HashSet<ProductId>, StorageError> {
    let mut stmt = conn.prepare_cached("select products from mentions where at_ms >= :from")?;
    let mut rows = stmt.query(named_params! { ":from": from })?;
    let mut found = HashSet::new();
    while let Some(row) = rows.next()? {
        let packed = row.get_ref("products")?.as_blob().map_err(rusqlite::Error::from)?;
        found.extend(unpack(packed).map(ProductId));
    }
    Ok(found)
}

fn pack(mut number: u64, out: &mut Vec<u8>) {
    while number > 0x7f {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

fn unpack(packed: &[u8]) -> impl Iterator<Item = i64> + '_ {
    let mut bytes = packed.iter();
    let mut id = 0_i64;
    std::iter::from_fn(move || {
        let (mut distance, mut shift) = (0_i64, 0_u32);
        for byte in bytes.by_ref() {
            distance |= i64::from(byte & 0x7f).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                id = id.checked_add(distance)?;
                return Some(id);
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(ids in proptest::collection::btree_set(0..i64::MAX, 0..50)) {
            let (mut packed, mut before) = (Vec::new(), 0);
            for id in &ids {
                pack(id.abs_diff(before), &mut packed);
                before = *id;
            }
            prop_assert!(unpack(&packed).eq(ids.iter().copied()));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = unpack(&bytes).count();
        }
    }
}
