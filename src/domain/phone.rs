//! Phone numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A phone number in E.164: `+79210000001`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Phone(String);

/// Why a text is not a phone number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParsePhoneError {
    /// A character that no phone number has.
    #[error("в номере телефона лишний символ «{0}»")]
    Character(char),
    /// Fewer than 10 or more than 15 digits, or a Russian number without its 11.
    #[error(
        "в номере телефона {}: нужно 11, например +7 921 123-45-67",
        super::ru::count(*.0 as u64, ["цифра", "цифры", "цифр"])
    )]
    Length(usize),
}

impl Phone {
    /// The number in E.164.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A contact's number as Telegram gives it: digits of any country, with or without a plus.
    ///
    /// Source: Bot API, `Contact.phone_number` <https://core.telegram.org/bots/api#contact>.
    ///
    /// # Errors
    ///
    /// [`ParsePhoneError`] when there are not 7 to 15 digits.
    pub fn from_contact(text: &str) -> Result<Self, ParsePhoneError> {
        let digits = digits(text)?;
        match digits.len() {
            11 if digits.starts_with('8') && !text.trim_start().starts_with('+') => text.parse(),
            7..=15 => Ok(Self(format!("+{digits}"))),
            n => Err(ParsePhoneError::Length(n)),
        }
    }

    /// The last four digits, by which people tell numbers apart.
    pub fn last_four(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }
}

fn digits(text: &str) -> Result<String, ParsePhoneError> {
    let mut digits = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '0'..='9' => digits.push(c),
            '+' if digits.is_empty() => {}
            ' ' | '\u{a0}' | '\u{202f}' | '(' | ')' | '-' | '‑' | '–' | '.' | '\t' => {}
            other => return Err(ParsePhoneError::Character(other)),
        }
    }
    Ok(digits)
}

/// Reads «8 (921) 123-45-67», «+7 921…», «7921…», «9211234567»; with a plus, other countries too.
///
/// Eleven digits after a plus that begin with 89 are a Russian number written by habit: +79….
impl FromStr for Phone {
    type Err = ParsePhoneError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plus = text.trim_start().starts_with('+');
        let digits = digits(text)?;
        let national = match digits.len() {
            10 if !plus => Some(&digits[..]),
            11 if digits.starts_with('7') => Some(&digits[1..]),
            11 if digits.starts_with('8') && (!plus || digits.starts_with("89")) => {
                Some(&digits[1..])
            }
            _ => None,
        };
        match national {
            Some(national) => Ok(Self(format!("+7{national}"))),
            None if plus && (10..=15).contains(&digits.len()) && !digits.starts_with('7') => {
                Ok(Self(format!("+{digits}")))
            }
            None => Err(ParsePhoneError::Length(digits.len())),
        }
    }
}

impl<'de> Deserialize<'de> for Phone {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// «+7 921 123-45-67» with no-break spaces; other countries as E.164.
impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.strip_prefix("+7") {
            Some(n) if n.len() == 10 => {
                write!(f, "+7\u{a0}{}\u{a0}{}-{}-{}", &n[..3], &n[3..6], &n[6..8], &n[8..])
            }
            _ => f.write_str(&self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn russian_numbers_come_in_many_spellings() {
        for text in [
            "+79211234567",
            "8 (921) 123-45-67",
            "7 921 123 45 67",
            "9211234567",
            "+89211234567",
            "8.921.123.45.67",
        ] {
            assert_eq!(text.parse::<Phone>().map(|p| p.0), Ok("+79211234567".to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in ["", "+7999999999", "12345", "телефон", "+7921123456789012", "8921123456a"]
        {
            assert!(text.parse::<Phone>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_contact_may_come_from_any_country() {
        assert_eq!(
            Phone::from_contact("375291234567").map(|p| p.0),
            Ok("+375291234567".to_owned())
        );
        assert_eq!(Phone::from_contact("79211234567").map(|p| p.0), Ok("+79211234567".to_owned()));
        assert_eq!(Phone::from_contact("89211234567").map(|p| p.0), Ok("+79211234567".to_owned()));
    }

    #[test]
    fn a_number_is_shown_grouped() {
        let phone: Phone = "79211234567".parse().expect("a number");
        assert_eq!(phone.to_string(), "+7\u{a0}921\u{a0}123-45-67");
        assert_eq!(phone.last_four(), "4567");
    }
}
