//! How many, as staff type it. The field is no order text: what is written is what is meant, so a
//! sign and every decimal count.

use crate::domain::{Quantity, Unit};
use crate::recognition::parse_quantity;
use crate::storage::offers::Offer;
use crate::storage::orders::OrderLineRow;
use crate::web::error::WebError;

/// Decimals of a quantity that are kept.
const DECIMALS: usize = 3;

/// Reads «250», «2,5», «3 кор».
pub fn read(typed: &str) -> Result<(Quantity, Option<Unit>), WebError> {
    let refuse = |why: &str| Err(WebError::Invalid(format!("«{typed}» — {why}")));
    if is_negative(typed) {
        return refuse("меньше нуля. Напишите, сколько нужно; лишнюю позицию можно убрать.");
    }
    if decimals(typed) > DECIMALS {
        return refuse("слишком дробно. После запятой бывает не больше трёх знаков: «2,555».");
    }
    match parse_quantity(&joined(typed)) {
        Some(amount) => Ok(amount),
        None => refuse("не количество. Напишите число: «250», «2,5», «3 кор»."),
    }
}

/// Refuses a part of what is only counted: half a roll, but not half a box of a hundred.
pub fn must_be_whole(
    typed: &str,
    quantity: Quantity,
    unit: &str,
    offer: Option<&Offer>,
) -> Result<(), WebError> {
    let base = offer.and_then(|offer| Some((offer, offer.base_quantity(quantity, unit)?)));
    let counted = match base {
        Some((offer, base)) => {
            // What 1C itself keeps or sells in parts is bought in parts.
            let parts = [Some(offer.available), offer.multiple].into_iter().flatten();
            let in_parts = parts.into_iter().any(|quantity| !quantity.is_whole());
            Some(offer.unit.as_str()).filter(|_| !base.is_whole() && !in_parts)
        }
        None => Some(unit).filter(|_| !quantity.is_whole()),
    };
    match counted.filter(|unit| Unit::new(unit).counts_things()) {
        Some(unit) => Err(WebError::Invalid(format!(
            "«{typed}» — не целое, а {unit} на части не делится. Напишите целое число или выберите другую единицу."
        ))),
        None => Ok(()),
    }
}

/// Refuses to split off what leaves nothing, and so many of another unit than the line's.
pub fn must_leave_some(
    line: &OrderLineRow,
    part: Quantity,
    said: Option<&Unit>,
) -> Result<(), WebError> {
    let refuse = |why: String| Err(WebError::Invalid(why));
    let Some(whole) = line.quantity else {
        return refuse("В позиции нет количества. Укажите его, потом делите.".to_owned());
    };
    let unit = if line.unit.is_empty() { &line.base_unit } else { &line.unit };
    if said.is_some_and(|said| said != &Unit::new(unit)) {
        return refuse(format!("Позиция в «{unit}». Напишите, сколько отделить, в\u{a0}«{unit}»."));
    }
    if part < whole {
        return Ok(());
    }
    let (part, whole) = (part.with_unit(unit), whole.with_unit(unit));
    refuse(format!("Отделить {part} нельзя: в позиции всего {whole}. Напишите меньше."))
}

/// The text with the thousands of its number joined: «1 250 шт» is «1250 шт».
fn joined(typed: &str) -> String {
    let digits = |word: &str| word.chars().take_while(char::is_ascii_digit).count();
    let mut text = String::new();
    let mut in_number = false;
    for word in typed.split_whitespace() {
        if !(text.is_empty() || in_number && digits(word) == 3) {
            text.push(' ');
        }
        in_number = digits(word) == word.len() && word.len() <= 3;
        text.push_str(word);
    }
    text
}

/// Whether a minus stands before the first digit and nothing else does.
fn is_negative(typed: &str) -> bool {
    let rest = typed.trim_start().strip_prefix(['-', '−', '–', '—']);
    rest.is_some_and(|rest| rest.trim_start().starts_with(|c: char| c.is_ascii_digit()))
}

/// How many digits stand after the decimal sign, noughts at the end left out.
fn decimals(typed: &str) -> usize {
    let digit = |c: char| c.is_ascii_digit();
    let longest = typed.split([',', '.']).skip(1).map(|after| {
        let digits = &after[..after.find(|c| !digit(c)).unwrap_or(after.len())];
        digits.trim_end_matches('0').len()
    });
    longest.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(result: Result<impl std::fmt::Debug, WebError>) -> String {
        match result {
            Err(WebError::Invalid(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_amount_is_what_is_written() {
        for (typed, thousandths, unit) in [
            ("250", 250_000, None),
            ("1 250", 1_250_000, None),
            ("4\u{a0}000", 4_000_000, None), // as the field itself shows it
            ("1 250,5 м", 1_250_500, Some("м")),
            ("2,5", 2_500, None),
            ("2.555", 2_555, None),
            ("2,5000", 2_500, None),
            ("3 кор", 3_000, Some("кор")),
            ("1,5 кг.", 1_500, Some("кг")),
            ("10 м.", 10_000, Some("м")),
        ] {
            let (quantity, said) = read(typed).unwrap_or_else(|error| panic!("{typed}: {error:?}"));
            assert_eq!(quantity.thousandths(), thousandths, "{typed}");
            assert_eq!(said.as_ref().map(Unit::as_str), unit, "{typed}");
        }
    }

    #[test]
    fn what_would_be_read_as_another_number_is_refused() {
        for typed in ["-1", "−1", " – 2,5", "-3 кор"] {
            assert!(refusal(read(typed)).contains("меньше нуля"), "{typed}");
        }
        for typed in ["2,55555", "0.0001", "1,2345 м"] {
            assert!(refusal(read(typed)).contains("не больше трёх знаков"), "{typed}");
        }
        for typed in ["", "abc", "0", "1e5", "минус 1"] {
            assert!(refusal(read(typed)).contains("не количество"), "{typed}");
        }
    }

    fn offer(unit: &str, available: i64) -> Offer {
        Offer {
            id: crate::domain::ProductId(1),
            sku: String::new(),
            title: "Молния".to_owned(),
            unit: Unit::new(unit),
            available: Quantity::from_thousandths(available),
            multiple: None,
            packs: vec![(Unit::new("кор"), Quantity::whole(100))],
            price: None,
            gone: false,
        }
    }

    #[test]
    fn a_part_of_what_is_counted_is_refused() {
        let half = Quantity::from_thousandths(2_500);
        let rolls = offer("рул", 6_000);
        assert!(refusal(must_be_whole("2,5", half, "", Some(&rolls))).contains("рул на части"));
        assert!(refusal(must_be_whole("2,5 шт", half, "шт", None)).contains("шт на части"));
        for (unit, offer) in [
            ("кор", Some(offer("шт", 6_000))), // 250 pieces
            ("", Some(offer("м", 6_000))),
            ("", Some(offer("рул", 6_250))), // 1C has a quarter of a roll
            ("кг", None),
            ("вязанка", None), // nobody knows
        ] {
            assert!(must_be_whole("2,5", half, unit, offer.as_ref()).is_ok(), "{unit}");
        }
    }
}
