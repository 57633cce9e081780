//! How fast messages are read and how long the index takes to build.
//!
//! `cargo bench --bench recognition`. The catalogue is made up here: sizes, colours and finishes of
//! a few dozen families, so that every word is shared by many products, as in a real one.

use std::hint::black_box;

use divan::Bencher;
use partner_m::domain::{ProductId, Unit};
use partner_m::recognition::{Buyer, Entry, Index, starter_synonyms};

fn main() {
    divan::main();
}

const FAMILIES: &[(&str, &str, &str)] = &[
    ("Крепёж/Саморезы/Универсальные", "Саморез универс.", "шт"),
    ("Крепёж/Болты/DIN 933", "Болт DIN 933", "шт"),
    ("Крепёж/Винты/DIN 912", "Винт DIN 912", "шт"),
    ("Крепёж/Гвозди/Строительные", "Гвозди строительные", "кг"),
    ("Сантехника/Трубы/PPR", "Труба PPR", "м"),
    ("Сантехника/Фитинги/Муфты", "Муфта комбинированная", "шт"),
    ("Электрика/Кабель/ВВГнг", "Кабель ВВГнг(А)-LS", "м"),
    ("Электрика/Провод/ПВС", "Провод ПВС", "м"),
    ("Плитные/Кромка/ПВХ", "Кромка ПВХ", "м"),
    ("Плитные/ЛДСП/ЛДСП", "ЛДСП", "лист"),
    ("Швейные/Ленты/Стропа", "Стропа", "рул"),
    ("Швейные/Ленты/Киперная", "Лента киперная", "рул"),
    ("Наполнители/Поролон/ST", "Поролон ST2236", "лист"),
    ("Фурнитура/Ручки/Скоба", "Ручка-скоба RS", "шт"),
    ("Фурнитура/Опоры/Мебельные", "Опора мебельная", "шт"),
];
const COLOURS: &[&str] = &[
    "белый",
    "чёрный",
    "серый",
    "бежевый",
    "коричневый",
    "красный",
    "синий",
    "зелёный",
    "венге",
    "дуб сонома",
    "орех",
    "хром",
    "цинк",
    "желт.цинк",
    "никель",
    "графит",
    "бордовый",
];

fn catalog(products: usize) -> Vec<Entry> {
    let mut out = Vec::with_capacity(products);
    let mut size = 0_usize;
    while out.len() < products {
        size += 1;
        for (category, family, unit) in FAMILIES {
            for colour in COLOURS {
                if out.len() == products {
                    break;
                }
                let (a, b) = (size % 40 + 1, size % 97 * 5 + 10);
                let series = size / 40;
                let title = if series == 0 {
                    format!("{family} {a}х{b} {colour}")
                } else {
                    format!("{family} {a}х{b} {colour} серия {series}")
                };
                out.push(Entry {
                    id: ProductId(i64::try_from(out.len()).unwrap_or(0) + 1),
                    article: format!("00-{:08}", out.len() * 7),
                    title,
                    category: (*category).to_owned(),
                    unit: Some(Unit::new(unit)),
                    available: out.len() % 3 != 0,
                    ..Entry::default()
                });
            }
        }
    }
    out
}

const LINE: &str = "саморез 4х25 желт 1000 шт";
const TYPO: &str = "самарез 4х25 жолтый 1000 шт";
const ABSENT: &str = "шуруповёрт макита 18 вольт 1 шт";

/// Twenty lines of every kind.
fn message() -> String {
    let lines = [
        LINE,
        TYPO,
        ABSENT,
        "болт дин 933 8х50 цинк 200",
        "кабель ввгнг 3х25 100 м",
        "кромка 2х20 венге 50м",
        "поролон 2236 5х35 4 листа",
        "стропа 25 чёрная, белая по 2 рул",
        "ручка скоба 12х70 хром 10",
        "опора 10х60 чёрная десяток",
    ];
    [lines, lines].concat().join("\n")
}

#[divan::bench(args = [10_000, 100_000], sample_count = 5, sample_size = 1)]
fn build(bencher: Bencher<'_, '_>, products: usize) {
    let synonyms = starter_synonyms();
    bencher
        .with_inputs(|| catalog(products))
        .bench_values(|entries| Index::build(black_box(entries), &synonyms));
}

#[divan::bench(args = [LINE, TYPO, ABSENT])]
fn line(bencher: Bencher<'_, '_>, text: &str) {
    let index = Index::build(catalog(100_000), &starter_synonyms());
    bencher.bench_local(|| index.recognize(black_box(text), &Buyer::default()));
}

#[divan::bench]
fn twenty_lines(bencher: Bencher<'_, '_>) {
    let index = Index::build(catalog(100_000), &starter_synonyms());
    let text = message();
    bencher.bench_local(|| index.recognize(black_box(&text), &Buyer::default()));
}

#[divan::bench]
fn search(bencher: Bencher<'_, '_>) {
    let index = Index::build(catalog(100_000), &starter_synonyms());
    bencher.bench_local(|| index.search(black_box("кромка пвх вен"), 20));
}
