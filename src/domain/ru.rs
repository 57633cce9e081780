//! Russian as it is written: plurals, numbers, initials.

/// The form of a noun for a count: `plural(5, ["позиция", "позиции", "позиций"])`.
///
/// The forms are those for 1, 2 and 5.
pub fn plural(count: u64, forms: [&str; 3]) -> &str {
    match (count % 10, count % 100) {
        (1, rest) if rest != 11 => forms[0],
        (2..=4, rest) if !(12..=14).contains(&rest) => forms[1],
        _ => forms[2],
    }
}

/// «5 позиций»: the number and its noun, joined by a no-break space.
pub fn count(count: u64, forms: [&str; 3]) -> String {
    format!("{}\u{a0}{}", thousands(count), plural(count, forms))
}

/// «7 позиций».
pub fn positions(n: usize) -> String {
    count(n as u64, ["позиция", "позиции", "позиций"])
}

/// «1 позицию», «2 позиции»: whom or what.
pub fn positions_accusative(n: usize) -> String {
    count(n as u64, ["позицию", "позиции", "позиций"])
}

/// «1 позиции», «5 позиций»: of how many.
pub fn positions_genitive(n: usize) -> String {
    count(n as u64, ["позиции", "позиций", "позиций"])
}

/// «12 450»: thousands parted by no-break spaces.
pub fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// The text with a capital letter at its beginning.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The text cut to at most `max` characters, «…» standing for what was cut.
pub fn ellipsis(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(max.saturating_sub(1)).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_follow_the_last_digits() {
        let forms = ["позиция", "позиции", "позиций"];
        let word = |n| plural(n, forms);
        assert_eq!(
            [1, 2, 5, 11, 12, 21, 22, 111, 101].map(word),
            [
                "позиция",
                "позиции",
                "позиций",
                "позиций",
                "позиций",
                "позиция",
                "позиции",
                "позиций",
                "позиция"
            ]
        );
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1\u{a0}234\u{a0}567");
    }

    #[test]
    fn a_long_text_is_cut_with_an_ellipsis() {
        assert_eq!(ellipsis("саморез", 7), "саморез");
        assert_eq!(ellipsis("саморез 4", 9), "саморез 4");
        assert_eq!(ellipsis("саморез жёлтый", 9), "саморез…");
    }
}
