//! What SQL asks of us: letters beyond ASCII, which SQLite's own `lower` and `like` do not know.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

/// Gives the connection `fold(text)`, a text in lower case; `holds(text, part)`, whether a text has
/// a part that is in lower case already, whatever the text's own case; and `any_holds(part, text, …)`,
/// whether one of the texts does.
pub fn register(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    conn.create_scalar_function("fold", 1, flags, |context| {
        Ok(context.get::<String>(0)?.to_lowercase())
    })?;
    conn.create_scalar_function("holds", 2, flags, |context| {
        Ok(match (text(context, 0)?, text(context, 1)?) {
            (Some(text), Some(part)) => holds(text, part),
            _ => false,
        })
    })?;
    conn.create_scalar_function("any_holds", -1, flags, |context| {
        let Some(part) = text(context, 0)? else { return Ok(false) };
        for at in 1..context.len() {
            if text(context, at)?.is_some_and(|text| holds(text, part)) {
                return Ok(true);
            }
        }
        Ok(false)
    })
}

fn text<'c>(context: &'c Context<'_>, at: usize) -> rusqlite::Result<Option<&'c str>> {
    match context.get_raw(at) {
        ValueRef::Null => Ok(None),
        value => Ok(Some(value.as_str()?)),
    }
}

/// Whether the text has the part, which is in lower case. Nothing is copied: a list looks through a
/// hundred thousand names.
fn holds(text: &str, part: &str) -> bool {
    let Some(first) = part.chars().next() else { return true };
    let mut rest = text.chars();
    loop {
        let ahead = rest.clone();
        match rest.next() {
            None => return false,
            Some(c) if lower(c) == first && starts(ahead, part) => return true,
            Some(_) => {}
        }
    }
}

fn starts(mut text: std::str::Chars<'_>, part: &str) -> bool {
    part.chars().all(|c| text.next().is_some_and(|own| lower(own) == c))
}

fn lower(c: char) -> char {
    match c {
        'A'..='Z' => c.to_ascii_lowercase(),
        'а'..='я' | '\0'..='\u{7f}' => c,
        // The small letters follow the capital ones.
        'А'..='Я' => char::from_u32(u32::from(c) + 32).unwrap_or(c),
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_part_is_held_as_it_is_in_lower_case(text in "[A-Za-zА-Яа-яЁё№ 0-9-]{0,20}", part in "[a-zа-яё0-9 ]{0,3}") {
            prop_assert_eq!(holds(&text, &part), text.to_lowercase().contains(&part));
        }
    }

    #[test]
    fn nothing_holds_nothing() {
        let conn = Connection::open_in_memory().unwrap();
        register(&conn).unwrap();
        let said =
            |sql: &str| conn.query_row(sql, [], |row| row.get::<_, Option<bool>>(0)).unwrap();
        assert_eq!(said("select holds(null, 'а')"), Some(false));
        assert_eq!(said("select holds('Ёлка', 'ёл')"), Some(true));
        assert_eq!(said("select any_holds('ёл', null, 'пень', 'Ёлка')"), Some(true));
        assert_eq!(said("select any_holds('ёл', 'пень', null)"), Some(false));
        assert_eq!(said("select any_holds(null, 'пень')"), Some(false));
    }
}
