//! Amounts and prices.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::quantity::Quantity;
use super::ru;

/// An amount in kopecks (1 ₽ = 100 kopecks). Never a float.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of this many kopecks.
    pub const fn from_kopecks(kopecks: i64) -> Self {
        Self(kopecks)
    }

    /// The amount in kopecks.
    pub const fn kopecks(self) -> i64 {
        self.0
    }

    /// The sum, or `None` when it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The amount as a decimal with a point and two digits, for wires: `12450.00`.
    pub fn decimal(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let kopecks = self.0.unsigned_abs();
        format!("{sign}{}.{:02}", kopecks / 100, kopecks % 100)
    }
}

/// «12 450,00 ₽», with no-break spaces.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "−" } else { "" };
        let kopecks = self.0.unsigned_abs();
        write!(f, "{sign}{},{:02}\u{a0}₽", ru::thousands(kopecks / 100), kopecks % 100)
    }
}

/// A price: an amount for a number of base units.
///
/// Screws at 0,8125 ₽ are stored as 8 125 kopecks for 10 000 pieces; only a line's sum is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Price {
    /// The amount for `per` base units.
    pub amount: Money,
    /// How many base units the amount is for: 1, 75, 1 000; at least 1.
    pub per: u32,
}

impl Price {
    /// A price of one base unit.
    pub const fn each(amount: Money) -> Self {
        Self { amount, per: 1 }
    }

    /// A price of `per` base units; `None` when `per` is zero or the amount is negative.
    pub fn new(amount: Money, per: u32) -> Option<Self> {
        (per > 0 && amount.kopecks() >= 0).then_some(Self { amount, per })
    }

    /// The sum for `quantity` base units, half a kopeck rounded up.
    ///
    /// `None` when it does not fit in an `i64` of kopecks.
    ///
    /// ```
    /// # use partner_m::domain::{Money, Price, Quantity};
    /// let per_kg = Price::each(Money::from_kopecks(120_50));
    /// let total = per_kg.for_quantity(Quantity::from_thousandths(1_250)); // 1.25 kg
    /// assert_eq!(total, Some(Money::from_kopecks(150_63)));
    /// let screws = Price { amount: Money::from_kopecks(8_125), per: 10_000 };
    /// assert_eq!(screws.for_quantity(Quantity::whole(4_000)), Some(Money::from_kopecks(3_250)));
    /// ```
    pub fn for_quantity(self, quantity: Quantity) -> Option<Money> {
        let product = i128::from(self.amount.kopecks()) * i128::from(quantity.thousandths());
        let divisor = i128::from(self.per) * 1_000;
        let sum = (product * 2 + divisor).div_euclid(divisor * 2);
        i64::try_from(sum).ok().map(Money::from_kopecks)
    }

    /// The price of one base unit as a decimal with a point, exact where the digits are finite and
    /// at most six after the point: `0.8125`.
    pub fn decimal(self) -> String {
        let scaled = i128::from(self.amount.kopecks()) * 10_000;
        let micros = (scaled * 2 + i128::from(self.per)).div_euclid(i128::from(self.per) * 2);
        let mut text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        while text.ends_with('0') && !text.ends_with(".00") {
            let keep = text.len() - text.find('.').unwrap_or(0) > 3;
            if !keep {
                break;
            }
            text.pop();
        }
        text
    }
}

/// The price of one base unit: «0,85 ₽», «0,8125 ₽».
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimal = self.decimal();
        let (whole, fraction) = decimal.split_once('.').unwrap_or((&decimal, "00"));
        let whole = whole.parse().map_or_else(|_| whole.to_owned(), ru::thousands);
        write!(f, "{whole},{fraction}\u{a0}₽")
    }
}

/// Whether a currency, as 1C writes it, is the rouble: a name, a letter code or a numeric one.
///
/// Source: ISO 4217; `810` is the rouble's code before 1998, which 1C's catalogues still carry.
pub fn is_roubles(currency: &str) -> bool {
    let currency = currency.trim().to_lowercase();
    let currency = currency.trim_end_matches('.');
    matches!(currency, "" | "rub" | "rur" | "643" | "810" | "руб" | "рос" | "р" | "₽")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_as_people_read_it() {
        assert_eq!(Money::from_kopecks(1_245_000).to_string(), "12\u{a0}450,00\u{a0}₽");
        assert_eq!(Money::from_kopecks(85).to_string(), "0,85\u{a0}₽");
        assert_eq!(Money::from_kopecks(-5).to_string(), "−0,05\u{a0}₽");
        assert_eq!(Money::from_kopecks(1_245_005).decimal(), "12450.05");
    }

    #[test]
    fn a_price_keeps_its_decimals() {
        let screws = Price { amount: Money::from_kopecks(8_125), per: 10_000 };
        assert_eq!(screws.decimal(), "0.008125");
        assert_eq!(Price::each(Money::from_kopecks(10)).decimal(), "0.10");
        assert_eq!(
            Price { amount: Money::from_kopecks(815), per: 1_000 }.to_string(),
            "0,00815\u{a0}₽"
        );
        assert_eq!(Price::each(Money::from_kopecks(123_450)).to_string(), "1\u{a0}234,50\u{a0}₽");
    }
}
