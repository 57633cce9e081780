//! What people call the things that they keep: templates of orders, saved views.

/// What an organization calls a template of orders.
pub type TemplateName = Name<60>;

/// What a manager calls a saved view.
pub type ViewName = Name<40>;

/// A name: one line with a letter or a digit, at most `MOST` characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name<const MOST: usize>(String);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No letter and no digit.
    #[error("в названии нет ни буквы, ни цифры")]
    Wordless,
    /// So many characters are too many.
    #[error("в названии {0} знаков")]
    TooLong(usize),
}

impl<const MOST: usize> Name<MOST> {
    /// How many characters a name has at most.
    pub const MOST_CHARS: usize = MOST;

    /// Reads what a person wrote. Spaces around it are not of the name, those inside count as one.
    ///
    /// ```
    /// # use partner_m::domain::{NameError, TemplateName, ViewName};
    /// let name = TemplateName::parse(" Пятница,  цех 2\n").unwrap();
    /// assert_eq!(name.as_str(), "Пятница, цех 2");
    /// assert_eq!(name.key(), TemplateName::parse("пятница, ЦЕХ 2").unwrap().key());
    /// assert_eq!(TemplateName::parse(" — "), Err(NameError::Wordless));
    ///
    /// let name = ViewName::parse(" Срочные,  Москва\n").unwrap();
    /// assert_eq!(name.as_str(), "Срочные, Москва");
    /// assert_eq!(name.key(), ViewName::parse("срочные, МОСКВА").unwrap().key());
    /// assert_eq!(ViewName::parse(" — "), Err(NameError::Wordless));
    /// assert_eq!(ViewName::parse(&"я".repeat(41)), Err(NameError::TooLong(41)));
    /// ```
    pub fn parse(text: &str) -> Result<Self, NameError> {
        // An unbreakable space inside stays: «№ 1042».
        let breaks = |c: char| c.is_whitespace() && c != '\u{a0}';
        let words = text.split(breaks).map(|word| word.trim_matches('\u{a0}'));
        let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let name: String = name.chars().filter(|c| !c.is_control()).collect();
        if !name.chars().any(char::is_alphanumeric) {
            return Err(NameError::Wordless);
        }
        match name.chars().count() {
            chars if chars > MOST => Err(NameError::TooLong(chars)),
            _ => Ok(Self(name)),
        }
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as names are compared: two that differ in case, «ё» or spaces are one.
    pub fn key(&self) -> String {
        let words: Vec<&str> = self.0.split_whitespace().collect();
        words.join(" ").to_lowercase().replace('ё', "е")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_words_and_fits() {
        let name = |text: &str| TemplateName::parse(text).map(|name| name.as_str().to_owned());
        assert_eq!(name("№\u{a0}1042 от 24.11"), Ok("№\u{a0}1042 от 24.11".to_owned()));
        assert_eq!(name(&"я".repeat(60)), Ok("я".repeat(60)));
        assert_eq!(name(&"я".repeat(61)), Err(NameError::TooLong(61)));
        for text in ["", " \n", "\u{a0}", "…", "🙂", "\u{7}"] {
            assert_eq!(name(text), Err(NameError::Wordless), "{text:?}");
        }
    }

    #[test]
    fn names_are_compared_by_their_words() {
        let key = |text: &str| TemplateName::parse(text).map(|name| name.key());
        assert_eq!(key("№\u{a0}1042 Жёлтые"), key("№  1042 желтые"));
        assert_ne!(key("Цех 1"), key("Цех 2"));
    }
}
