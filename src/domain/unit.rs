//! Units of measure.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A unit of measure in its short form: «шт», «м», «рул»; what is not known stays as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unit(String);

/// Short form, OKEI code («Общероссийский классификатор единиц измерения», where it has the unit),
/// and the spellings that people and 1C use. Without dots, ё as е, lower case.
const UNITS: &[(&str, Option<&str>, &[&str])] = &[
    (
        "шт",
        Some("796"),
        &[
            "шт",
            "штук",
            "штука",
            "штуки",
            "штуку",
            "штучек",
            "штучки",
            "шт-к",
            "штк",
            "единиц",
            "единица",
            "единицы",
            "экз",
            "экземпляр",
            "экземпляра",
            "экземпляров",
            "pcs",
            "pc",
            "sht",
            "ед",
        ],
    ),
    (
        "м",
        Some("006"),
        &[
            "м",
            "метр",
            "метра",
            "метров",
            "метры",
            "метрах",
            "пм",
            "мп",
            "п/м",
            "м/п",
            "м п",
            "п м",
            "пог м",
            "погм",
            "мпог",
            "пог метр",
            "погонный метр",
            "погонных метров",
            "погонного метра",
            "m",
            "metr",
            "metrov",
        ],
    ),
    (
        "рул",
        Some("736"),
        &[
            "рул",
            "рулон",
            "рулона",
            "рулонов",
            "рулоны",
            "рулончик",
            "рулончика",
            "рулончиков",
            "рула",
            "рулы",
            "рол",
            "rul",
            "rulon",
        ],
    ),
    (
        "уп",
        Some("778"),
        &[
            "уп",
            "упак",
            "упаковка",
            "упаковки",
            "упаковок",
            "упаковку",
            "упаковочка",
            "упаковочки",
            "упаковочек",
            "пачка",
            "пачки",
            "пачек",
            "пачку",
            "пачечка",
            "пачечки",
            "пачечек",
            "пач",
            "up",
            "упк",
            "pack",
            "packs",
        ],
    ),
    (
        "кор",
        Some("8751"),
        &[
            "кор",
            "короб",
            "короба",
            "коробов",
            "коробка",
            "коробки",
            "коробок",
            "коробку",
            "коробочка",
            "коробочки",
            "коробочек",
            "ящик",
            "ящика",
            "ящиков",
            "ящ",
            "kor",
            "box",
            "boxes",
        ],
    ),
    (
        "компл",
        Some("839"),
        &[
            "компл",
            "кмп",
            "кмпл",
            "комплект",
            "комплекта",
            "комплектов",
            "комплекты",
            "комп",
            "к-т",
            "к-та",
            "к-тов",
            "кт",
            "набор",
            "набора",
            "наборов",
            "наб",
            "kompl",
        ],
    ),
    ("кг", Some("166"), &["кг", "килограмм", "килограмма", "килограммов", "кило", "kg"]),
    ("г", Some("163"), &["г", "гр", "грамм", "грамма", "граммов"]),
    ("т", Some("168"), &["тн", "тонна", "тонны", "тонн", "тонну"]),
    ("л", Some("112"), &["л", "литр", "литра", "литров", "литры"]),
    (
        "лист",
        Some("625"),
        &["лист", "листа", "листов", "листы", "листочек", "list", "listov", "sheet", "sheets"],
    ),
    ("пар", Some("715"), &["пар", "пара", "пары", "пару", "par", "pair", "pairs"]),
    (
        "м2",
        Some("055"),
        &[
            "м2",
            "кв м",
            "квм",
            "м²",
            "квадрат",
            "квадрата",
            "квадратов",
            "квадратных метров",
            "квадратных метра",
            "квадратный метр",
            "квадратного метра",
        ],
    ),
    ("м3", Some("113"), &["м3", "куб м", "кубм", "м³", "куб", "куба", "кубов"]),
    ("бух", None, &["бух", "бухта", "бухты", "бухт", "бухту"]),
    ("кан", None, &["кан", "канистра", "канистры", "канистр", "канистру"]),
    ("бал", None, &["бал", "балл", "баллон", "баллона", "баллонов"]),
    ("бан", None, &["бан", "банка", "банки", "банок", "банку"]),
    ("ведро", None, &["ведро", "ведра", "ведер", "вед"]),
    ("мешок", None, &["мешок", "мешка", "мешков", "меш"]),
    ("моток", None, &["моток", "мотка", "мотков", "мот"]),
    (
        "боб",
        Some("616"),
        &["боб", "бобина", "бобины", "бобин", "бобину", "бобинка", "бобинки", "бобинок"],
    ),
    ("кат", None, &["кат", "катушка", "катушки", "катушек", "катушку"]),
    ("тюк", None, &["тюк", "тюка", "тюков"]),
    (
        "бут",
        Some("868"),
        &["бут", "бутылка", "бутылки", "бутылок", "бутылку", "бутылочка", "бутылочки", "бутылочек"],
    ),
    ("блистер", None, &["блистер", "блистера", "блистеров", "блистеры"]),
    ("блок", None, &["блок", "блока", "блоков", "бл"]),
    ("хлыст", None, &["хлыст", "хлыста", "хлыстов", "хлысты", "хлыстик", "хлыстика"]),
    ("связка", None, &["связка", "связки", "связок", "связку"]),
    ("пакет", None, &["пакет", "пакета", "пакетов"]),
    ("кассета", None, &["кассета", "кассеты", "кассет", "кассету"]),
    ("флак", None, &["флак", "флакон", "флакона", "флаконов", "фл"]),
    ("туб", None, &["туб", "туба", "тубы", "туб", "тубу", "тюбик", "тюбика", "тюбиков"]),
    ("поддон", None, &["поддон", "поддона", "поддонов", "паллет", "паллета", "паллеты", "палета"]),
    ("тыс шт", Some("798"), &["тыс шт", "тысшт", "тшт", "т шт"]),
];

impl Unit {
    /// The unit meant by a spelling; an unknown one is kept, trimmed and in lower case.
    pub fn new(text: &str) -> Self {
        Self::known(text).unwrap_or_else(|| Self(spelling(text)))
    }

    /// The unit meant by a spelling, or `None` when it is not one of the trade's.
    pub fn known(text: &str) -> Option<Self> {
        let find = |form: &str| UNITS.iter().find(|(_, _, forms)| forms.contains(&form));
        // Most are written as they are kept: a catalogue has one in every row.
        let found = find(text).or_else(|| find(&spelling(text)));
        found.map(|(short, _, _)| Self((*short).to_owned()))
    }

    /// The unit with this OKEI code, as 1C names units: `796` is «шт».
    ///
    /// Source: ОК 015-94 (МК 002-97).
    pub fn from_okei(code: &str) -> Option<Self> {
        let code = code.trim();
        let padded = format!("{code:0>3}");
        // 018 is a running metre: the same as a metre, said of what is long.
        let padded = if padded == "018" { "006".to_owned() } else { padded };
        let found = UNITS.iter().find(|(_, okei, _)| okei.is_some_and(|o| o == padded));
        found.map(|(short, _, _)| Self((*short).to_owned()))
    }

    /// The OKEI code, where the classifier has the unit.
    pub fn okei(&self) -> Option<&'static str> {
        UNITS.iter().find(|(short, _, _)| *short == self.0).and_then(|(_, okei, _)| *okei)
    }

    /// The short form: «шт».
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is known to count things: «шт», «рул», «кор». A part of a thing is no thing;
    /// what is measured («м», «кг») or counted in thousands has parts.
    pub fn counts_things(&self) -> bool {
        let measured =
            matches!(self.as_str(), "м" | "кг" | "г" | "т" | "л" | "м2" | "м3" | "тыс шт");
        !measured && UNITS.iter().any(|(short, _, _)| *short == self.0)
    }

    /// Every spelling that is known, with the short form it means.
    pub fn spellings() -> impl Iterator<Item = (&'static str, &'static str)> {
        UNITS.iter().flat_map(|(short, _, forms)| forms.iter().map(move |form| (*form, *short)))
    }
}

/// Lower case, without ё and dots, single spaces.
fn spelling(text: &str) -> String {
    let lower = text.to_lowercase().replace('ё', "е").replace('.', " ");
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_lead_to_the_short_form() {
        for (text, short) in [
            ("Штук", "шт"),
            ("пог. м", "м"),
            ("м.п.", "м"),
            ("кв.м", "м2"),
            ("к-т", "компл"),
            ("Вязанка", "вязанка"),
        ] {
            assert_eq!(Unit::new(text).as_str(), short);
        }
        assert_eq!(Unit::known("вязанка"), None);
    }

    #[test]
    fn things_are_counted_and_the_rest_is_measured_or_unknown() {
        for (unit, counts) in [("штук", true), ("рул", true), ("компл", true), ("пог. м", false)]
        {
            assert_eq!(Unit::new(unit).counts_things(), counts, "{unit}");
        }
        for unit in ["кг", "м2", "тыс шт", "вязанка"] {
            assert!(!Unit::new(unit).counts_things(), "{unit}");
        }
    }

    #[test]
    fn okei_codes_are_read_with_blanks_and_without_zeros() {
        assert_eq!(Unit::from_okei(" 796 "), Some(Unit::new("шт")));
        assert_eq!(Unit::from_okei("6"), Some(Unit::new("м")));
        assert_eq!(Unit::new("рул").okei(), Some("736"));
    }
}
