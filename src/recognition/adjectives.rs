//! Adjectives that count or measure: «двухслойный», «стометровая».

/// «двухслойный» → 2 and «слойный»: an adjective that counts.
pub(crate) fn counted(word: &str) -> Option<(i64, &str)> {
    const ROOTS: &[(&str, i64)] = &[
        ("одно", 1),
        ("двух", 2),
        ("дву", 2),
        ("трех", 3),
        ("четырех", 4),
        ("пяти", 5),
        ("шести", 6),
        ("семи", 7),
        ("восьми", 8),
        ("десяти", 10),
        ("двенадцати", 12),
    ];
    ROOTS.iter().find_map(|(root, count)| {
        let rest = word.strip_prefix(root)?;
        (rest.chars().count() >= 3).then_some((*count, rest))
    })
}

/// «двойная» → 2: an adjective that says how many parts a thing has.
pub(crate) fn parts(word: &str) -> Option<i64> {
    const ROOTS: &[(&str, i64)] = &[
        ("одинарн", 1),
        ("одиночн", 1),
        ("двойн", 2),
        ("тройн", 3),
        ("четверн", 4),
        ("пятерн", 5),
    ];
    let found = ROOTS.iter().find(|(root, _)| word.starts_with(root))?;
    (word.chars().count() <= found.0.chars().count() + 3).then_some(found.1)
}

/// «стометровая» → 100 and «м», in thousandths.
pub(super) fn measured(word: &str) -> Option<(i64, &'static str)> {
    const UNITS: &[(&str, &str)] = &[
        ("миллилитров", "мл"),
        ("миллиметров", "мм"),
        ("сантиметров", "см"),
        ("метров", "м"),
        ("килограммов", "кг"),
        ("граммов", "г"),
        ("литров", "л"),
        ("ваттн", "вт"),
        ("амперн", "а"),
    ];
    const ROOTS: &[(&str, i64)] = &[
        ("", 1),
        ("одно", 1),
        ("двух", 2),
        ("трех", 3),
        ("четырех", 4),
        ("пяти", 5),
        ("шести", 6),
        ("семи", 7),
        ("восьми", 8),
        ("девяти", 9),
        ("десяти", 10),
        ("двенадцати", 12),
        ("пятнадцати", 15),
        ("шестнадцати", 16),
        ("двадцати", 20),
        ("двадцатипяти", 25),
        ("тридцатипяти", 35),
        ("семидесяти", 70),
        ("девяноста", 90),
        ("тридцати", 30),
        ("сорока", 40),
        ("пятидесяти", 50),
        ("шестидесяти", 60),
        ("восьмидесяти", 80),
        ("сто", 100),
        ("стопятидесяти", 150),
        ("двухсот", 200),
        ("трехсот", 300),
        ("пятисот", 500),
    ];
    UNITS.iter().find_map(|(root, unit)| {
        let (number, ending) = word.split_once(root)?;
        let adjective = matches!(
            ending,
            "ый" | "ая" | "ое" | "ые" | "ой" | "ого" | "ую" | "ых" | "ка" | "ку" | "ки"
        );
        let value = match number {
            "пол" | "полу" => 500,
            "полутора" | "полтора" => 1500,
            // «метровая» is of a metre; «ваттная» is said of no single watt.
            "" if !matches!(*unit, "м" | "мм" | "л" | "кг") => return None,
            _ => ROOTS.iter().find(|(r, _)| *r == number)?.1 * 1000,
        };
        adjective.then_some((value, *unit))
    })
}
