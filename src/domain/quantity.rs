//! How much, and of what unit.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ru;

/// A quantity in thousandths of a unit.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Quantity(i64);

impl Quantity {
    /// None at all.
    pub const ZERO: Self = Self(0);

    /// A quantity of this many thousandths.
    pub const fn from_thousandths(thousandths: i64) -> Self {
        Self(thousandths)
    }

    /// A whole number of units.
    pub const fn whole(units: i64) -> Self {
        Self(units.saturating_mul(1_000))
    }

    /// The quantity in thousandths.
    pub const fn thousandths(self) -> i64 {
        self.0
    }

    /// The sum, or `None` when it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// This many packs of `coefficient` base units each, in base units; `None` on overflow.
    pub fn times(self, coefficient: Self) -> Option<Self> {
        let product = i128::from(self.0) * i128::from(coefficient.0);
        i64::try_from((product + 500).div_euclid(1_000)).ok().map(Self)
    }

    /// Whether it is a whole number of units.
    pub const fn is_whole(self) -> bool {
        self.0 % 1_000 == 0
    }

    /// Whether there is anything.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The quantity as a decimal with a point and no needless zeros, for wires: `12.5`.
    pub fn decimal(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let value = self.0.unsigned_abs();
        let text = format!("{sign}{}.{:03}", value / 1_000, value % 1_000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// «4 000 шт», the number and the unit joined by a no-break space.
    pub fn with_unit(self, unit: &str) -> String {
        format!("{self}\u{a0}{unit}")
    }
}

/// «4 000», «12,5».
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "−" } else { "" };
        let value = self.0.unsigned_abs();
        write!(f, "{sign}{}", ru::thousands(value / 1_000))?;
        match value % 1_000 {
            0 => Ok(()),
            rest => write!(f, ",{}", format!("{rest:03}").trim_end_matches('0')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_written_without_needless_zeros() {
        assert_eq!(Quantity::whole(4_000).to_string(), "4\u{a0}000");
        assert_eq!(Quantity::from_thousandths(12_500).to_string(), "12,5");
        assert_eq!(Quantity::from_thousandths(-50).to_string(), "−0,05");
        assert_eq!(Quantity::whole(100).decimal(), "100");
        assert_eq!(Quantity::from_thousandths(12_050).decimal(), "12.05");
    }

    #[test]
    fn packs_become_base_units() {
        assert_eq!(Quantity::whole(2).times(Quantity::whole(75)), Some(Quantity::whole(150)));
        assert_eq!(Quantity::whole(i64::MAX).times(Quantity::whole(2)), None);
    }
}
