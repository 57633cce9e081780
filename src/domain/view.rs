//! What people call their saved views.

use super::template::{compared, one_line};

/// The name of a saved view: one line with a letter or a digit, at most [`ViewName::MOST_CHARS`]
/// characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewName(String);

/// Why a text is no name of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ViewNameError {
    /// No letter and no digit.
    #[error("в названии нет ни буквы, ни цифры")]
    Wordless,
    /// So many characters are too many.
    #[error("в названии {0} знаков")]
    TooLong(usize),
}

impl ViewName {
    /// How many characters a name has at most.
    pub const MOST_CHARS: usize = 40;

    /// Reads what a person wrote. Spaces around it are not of the name, those inside count as one.
    ///
    /// ```
    /// # use partner_m::domain::{ViewName, ViewNameError};
    /// let name = ViewName::parse(" Срочные,  Москва\n").unwrap();
    /// assert_eq!(name.as_str(), "Срочные, Москва");
    /// assert_eq!(name.key(), ViewName::parse("срочные, МОСКВА").unwrap().key());
    /// assert_eq!(ViewName::parse(" — "), Err(ViewNameError::Wordless));
    /// assert_eq!(ViewName::parse(&"я".repeat(41)), Err(ViewNameError::TooLong(41)));
    /// ```
    pub fn parse(text: &str) -> Result<Self, ViewNameError> {
        let name = one_line(text);
        if !name.chars().any(char::is_alphanumeric) {
            return Err(ViewNameError::Wordless);
        }
        match name.chars().count() {
            chars if chars > Self::MOST_CHARS => Err(ViewNameError::TooLong(chars)),
            _ => Ok(Self(name)),
        }
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as names are compared: two that differ in case, «ё» or spaces are one.
    pub fn key(&self) -> String {
        compared(&self.0)
    }
}
