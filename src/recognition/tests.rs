//! Golden cases, among them what buyers of the trade are known to write, and properties that hold
//! for every text.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::domain::{ProductId, Unit};

mod amounts;
mod families;
mod kinds;
mod names;
mod slips;
mod strangers;
mod talk;
mod turns;
mod ways;

/// Titles as a wholesaler of furniture parts has them: category, title, base unit.
const GOODS: &[(&str, &str, &str)] = &[
    ("Наполнители/Поролон/Жёсткий EL", "ПОРОЛОН EL2240 2000х1000х40", "лист"),
    ("Наполнители/Поролон/Жёсткий EL", "Поролон EL2240 2000*1000*20", "лист"),
    ("Наполнители/Поролон/Жёсткий EL", "Поролон EL 2842 2000x1200x50", "лист"),
    ("Наполнители/Поролон/Отходы", "Поролон EL2240 40мм (2000х1000) БРАК уценка", "кг"),
    ("Нетканые/Спанбонд/Мебельный", "Спанбонд 70 белый, ш.1,6м 200м/рул", "рул"),
    ("Нетканые/Спанбонд/Мебельный", "Спанбонд 70 г/м2 черный, шир. 1,6 м (рул 200м)", "рул"),
    ("Нетканые/Спанбонд/Мебельный", "Спанбонд 60 г/м² белый ш.1,6м рул. 200 м", "рул"),
    ("Нетканые/Спанбонд/Мебельный", "Спанбонд 60 г/м² чёрный ш.1,6м (рул 200м)", "рул"),
    ("Нетканые/Синтепон/Синтепон", "Синтепон 300г ш.1,5м рул 20м", "рул"),
    ("Нетканые/Синтепон/Синтепон", "Синтепон 120г ш.1,5м рул 40м", "рул"),
    ("Крепёж/Саморезы/Универсальные", "Саморез универс. 4*25 желт.цинк (1000 шт/уп)", "шт"),
    ("Крепёж/Саморезы/Универсальные", "Саморез универс. 4х25 белый цинк (1000 шт)", "шт"),
    ("Крепёж/Саморезы/Универсальные", "Саморез универсальный 4х16 желтый цинк (1000 шт)", "шт"),
    ("Крепёж/Саморезы/Универсальные", "Саморез универс. 4х16 белый цинк (1000 шт)", "шт"),
    ("Крепёж/Мебельный крепёж/Конфирматы", "Конфирмат 7х50 желт.цинк 500шт", "шт"),
    ("Крепёж/Мебельный крепёж/Конфирматы", "Конфирмат 7х50 НЕ ИСПОЛЬЗОВАТЬ", "шт"),
    ("Крепёж/Мебельный крепёж/Конфирматы", "Евровинт (конфирмат) 7х70 цинк (500 шт/уп)", "шт"),
    ("Крепёж/Скобы/Тип 80", "Скобы тип 80/6 (10000 шт)", "уп"),
    ("Крепёж/Скобы/Тип 80", "СКОБА тип 80/8 (10000 шт/уп)", "уп"),
    ("Крепёж/Скобы/Тип 80", "Скоба 80/8 BeA нерж. (10000 шт/уп)", "уп"),
    ("Швейные/Молнии/Рулонная спираль", "Молния рулонная тип 7 спир. серая цв.174 200м", "рул"),
    ("Швейные/Молнии/Рулонная спираль", "молния рул. Т-7 спир. бежевая (105) 200м", "рул"),
    ("Швейные/Молнии/Рулонная спираль", "Молния рул. Т-5 спир. чёрная (190) 200м", "рул"),
    ("Швейные/Молнии/Рулонная спираль", "Молния рул. Т-5 спир. белая (101) 200м", "рул"),
    ("Швейные/Нитки/70ЛЛ", "Нитки 70 ЛЛ 2500м №101 белый", "шт"),
    ("Швейные/Нитки/70ЛЛ", "Нитки 70ЛЛ 2500м цв.190 чёрный", "шт"),
    ("Швейные/Нитки/70ЛЛ", "Нить 70 LL 2500м цв. 105 бежевый", "шт"),
    ("Фурнитура/Механизмы/Дельфин", "Механизм дельфин 1010х40 (компл)", "компл"),
    ("Фурнитура/Механизмы/Дельфин", "Механизм «Дельфин» 1210х40 комплект", "компл"),
    ("Фурнитура/Опоры/Опоры мебельные", "Опора мебельная H=40мм чёрный", "шт"),
    ("Фурнитура/Опоры/Опоры мебельные", "Опора мебельная h=80 чёрный", "шт"),
    ("Ткани/Мебельные ткани/Велюр", "Велюр Monako 24 Milk", "м"),
    ("Ткани/Мебельные ткани/Велюр", "Велюр Monako 31 Dark Beige", "м"),
    ("Ткани/Искусственная кожа/Экокожа", "Экокожа мебельн. Орегон арт.105 (коричневая)", "м"),
    ("Ткани/Искусственная кожа/Экокожа", "Экокожа мебельн. Орегон арт.110 (красная)", "м"),
    ("Упаковка/Скотч/Упаковочный", "Скотч 48ммx66м прозрачный", "шт"),
    ("Упаковка/Скотч/Упаковочный", "скотч 48ммх66м белый", "шт"),
    ("Сантехника/Краны/Шаровые", "Кран шаровой 1/2\" г/г рычаг", "шт"),
    ("Сантехника/Краны/Шаровые", "Кран шаровой 3/4\" г/г рычаг", "шт"),
];

fn entries() -> Vec<Entry> {
    let entry = |(at, (category, title, unit)): (usize, &(&str, &str, &str))| Entry {
        id: ProductId(i64::try_from(at).unwrap_or(0) + 1),
        article: format!("00-000{:05}", 23_500 + at * 3),
        title: (*title).to_owned(),
        category: (*category).to_owned(),
        unit: Some(Unit::new(unit)),
        available: true,
        ..Entry::default()
    };
    GOODS.iter().enumerate().map(entry).collect()
}

fn index() -> Index {
    Index::build(entries(), &starter_synonyms())
}

/// «✅ title — 5 шт | ❓ 2 | ❌», one piece a line.
fn shown(index: &Index, text: &str, buyer: &Buyer) -> String {
    let lines = index.recognize(text, buyer).lines;
    let line = |line: &Line| {
        let what = match (line.decision, line.product) {
            (Decision::Matched, Some(id)) => {
                let title = index.entry(id).map_or("?", |e| e.title.as_str());
                format!("✅ {title}")
            }
            (Decision::Ambiguous, _) => format!("❓ {}", line.candidates.len()),
            _ => "❌".to_owned(),
        };
        let quantity =
            line.quantity.map_or_else(|| "?".to_owned(), crate::domain::Quantity::decimal);
        let unit = line.unit.as_ref().map_or("", Unit::as_str);
        format!("{what} — {quantity} {unit}").trim().to_owned()
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn golden(cases: &[(&str, &str)]) {
    let index = index();
    for (text, expected) in cases {
        assert_eq!(shown(&index, text, &Buyer::default()), *expected, "{text}");
    }
}

#[test]
fn messages_come_apart_into_lines() {
    golden(&[
        (
            "Молния рулонная тип 7 серая, беж по 5 шт",
            "✅ Молния рулонная тип 7 спир. серая цв.174 200м — 5 шт\n\
             ✅ молния рул. Т-7 спир. бежевая (105) 200м — 5 шт",
        ),
        (
            "нитки белые 10, чёрные 5",
            "✅ Нитки 70 ЛЛ 2500м №101 белый — 10\n✅ Нитки 70ЛЛ 2500м цв.190 чёрный — 5",
        ),
        (
            "спанбонд 70 черный 2 рул, такой же только белый 1 рул",
            "✅ Спанбонд 70 г/м2 черный, шир. 1,6 м (рул 200м) — 2 рул\n\
             ✅ Спанбонд 70 белый, ш.1,6м 200м/рул — 1 рул",
        ),
        (
            "1. Скоба 80/6 - 5 уп\n2. Синтепон 300 - 1 рул",
            "✅ Скобы тип 80/6 (10000 шт) — 5 уп\n✅ Синтепон 300г ш.1,5м рул 20м — 1 рул",
        ),
        (
            "Конфирмат 7х50\t500\tшт\t1,85\t925\nИтого\t\t\t\t925",
            "✅ Конфирмат 7х50 желт.цинк 500шт — 500 шт",
        ),
        (
            "велюр монако 24 и 31 по 2 каждого",
            "✅ Велюр Monako 24 Milk — 2\n✅ Велюр Monako 31 Dark Beige — 2",
        ),
        (
            "мне нужно спанбонд семьдесят белый два рулона и синтепон триста один рулон спасибо",
            "✅ Спанбонд 70 белый, ш.1,6м 200м/рул — 2 рул\n✅ Синтепон 300г ш.1,5м рул 20м — 1 рул",
        ),
        ("Кол-во\tНаименование\n10\tСкотч прозрачный 66м", "✅ Скотч 48ммx66м прозрачный — 10"),
    ]);
}

#[test]
fn dictation_is_read_as_people_speak() {
    golden(&[
        ("синтепон триста три рулона", "✅ Синтепон 300г ш.1,5м рул 20м — 3 рул"),
        (
            "саморез четыре на двадцать пять жёлтый тысяча штук нитки семьдесят лл чёрные пять",
            "✅ Саморез универс. 4*25 желт.цинк (1000 шт/уп) — 1000 шт\n✅ Нитки 70ЛЛ 2500м цв.190 чёрный — 5",
        ),
        (
            "молния рулонная тэ семь бежевая два рулона",
            "✅ молния рул. Т-7 спир. бежевая (105) 200м — 2 рул",
        ),
        ("четверть рулона синтепона 300", "✅ Синтепон 300г ш.1,5м рул 20м — 0.25 рул"),
        ("пара дельфинов 1010х40", "✅ Механизм дельфин 1010х40 (компл) — 2"),
        ("nado porolon EL2240 40mm 5 listov", "✅ ПОРОЛОН EL2240 2000х1000х40 — 5 лист"),
    ]);
}

#[test]
fn what_a_pack_holds_is_not_ordered() {
    golden(&[
        ("конфирмат 7х50 по 500 шт в упаковке, 3 уп", "✅ Конфирмат 7х50 желт.цинк 500шт — 3 уп"),
        ("конфирмат 7х50 500 шт в коробке 3 коробки", "✅ Конфирмат 7х50 желт.цинк 500шт — 3 кор"),
    ]);
}

#[test]
fn what_is_taken_back_is_not_ordered() {
    golden(&[
        ("Скоба 80/6 5 уп, хотя нет, 3", "✅ Скобы тип 80/6 (10000 шт) — 3 уп"),
        ("Скоба 80/6 5 уп. ой, вместо 5 давайте 7", "✅ Скобы тип 80/6 (10000 шт) — 7 уп"),
        ("нитки 70лл не белые а бежевые 4 шт", "✅ Нить 70 LL 2500м цв. 105 бежевый — 4 шт"),
        ("конфирмат 7х50, не 7х70! 500 шт", "✅ Конфирмат 7х50 желт.цинк 500шт — 500 шт"),
        ("нитки 70лл чёрные 10 шт, белые не надо", "✅ Нитки 70ЛЛ 2500м цв.190 чёрный — 10 шт"),
        ("Скоба 80/6 5 уп, вместо 5 давайте 7", "✅ Скобы тип 80/6 (10000 шт) — 7 уп"),
        ("нитки 70лл 101 10 шт, ой не 101 а 105", "✅ Нить 70 LL 2500м цв. 105 бежевый — 10 шт"),
        ("скоба 80/6 двадцать... тридцать упаковок", "✅ Скобы тип 80/6 (10000 шт) — 30 уп"),
        ("скоба 80/6 20 уп, поправка 25 уп", "✅ Скобы тип 80/6 (10000 шт) — 25 уп"),
        ("скоба 80/6 20 уп, поправка: 25", "✅ Скобы тип 80/6 (10000 шт) — 25 уп"),
        (
            "вместо скобы 80/8 поставьте спанбонд 70 белый 2 рул",
            "✅ Спанбонд 70 белый, ш.1,6м 200м/рул — 2 рул",
        ),
        (
            "механизм дельфин 1010х40 3 шт, то есть 1210х40",
            "✅ Механизм «Дельфин» 1210х40 комплект — 3 шт",
        ),
    ]);
}

#[test]
fn a_line_may_be_changed_further_down() {
    let staples = "скоба 80/6 5 уп\nсинтепон 300 1 рул\n";
    let changed = |said: &str, staple: &str, wadding: &str| {
        let staple = format!("✅ Скобы тип 80/6 (10000 шт) — {staple} уп");
        let wadding = format!("✅ Синтепон 300г ш.1,5м рул 20м — {wadding} рул");
        let found = shown(&index(), &format!("{staples}{said}"), &Buyer::default());
        assert_eq!(found, format!("{staple}\n{wadding}"), "{said}");
    };
    changed("скоб сделайте 7", "7", "1");
    changed("скобы добавьте до 8", "8", "1");
    changed("скобу удвойте", "10", "1");
    changed("к первой ещё 2", "7", "1");
    changed("в позицию 2 добавьте ещё 3 рул", "5", "4");
    golden(&[
        (
            "скоба 80/6 5 уп, синтепон 300 1 рул, скоба 80/8 2 уп. второй пункт вычеркните, последнее отменяем",
            "✅ Скобы тип 80/6 (10000 шт) — 5 уп",
        ),
        (
            "скоба 80/6 5 уп. и добавьте синтепон 300 1 рул",
            "✅ Скобы тип 80/6 (10000 шт) — 5 уп\n✅ Синтепон 300г ш.1,5м рул 20м — 1 рул",
        ),
    ]);
}

#[test]
fn goods_may_be_described_attribute_by_attribute() {
    golden(&[
        (
            "Товар: скоба\nтип: 80\nдлина: 6\nколичество: 5 уп\n\
             Товар: молния рулонная тип 7\nцвет: серая\nколичество: 2 рул",
            "✅ Скобы тип 80/6 (10000 шт) — 5 уп\n\
             ✅ Молния рулонная тип 7 спир. серая цв.174 200м — 2 рул",
        ),
        (
            "Спанбонд: плотность 70, белый, ширина 1,6 м, 2 рул",
            "✅ Спанбонд 70 белый, ш.1,6м 200м/рул — 2 рул",
        ),
    ]);
}

#[test]
fn tables_may_have_goods_across() {
    golden(&[
        (
            "Цвет\tНитки 70ЛЛ\tСпанбонд 60\nбелый\t5\t2\nчёрный\t10\t-",
            "✅ Нитки 70 ЛЛ 2500м №101 белый — 5\n✅ Спанбонд 60 г/м² белый ш.1,6м рул. 200 м — 2\n\
             ✅ Нитки 70ЛЛ 2500м цв.190 чёрный — 10",
        ),
        (
            "\tбелый\tжёлтый\nСаморез 4х25\t100\t200\nСаморез 4х16\t300\t",
            "✅ Саморез универс. 4х25 белый цинк (1000 шт) — 100\n\
             ✅ Саморез универс. 4*25 желт.цинк (1000 шт/уп) — 200\n\
             ✅ Саморез универс. 4х16 белый цинк (1000 шт) — 300",
        ),
        (
            "Код;Товар;Кол;Ед\n1;Скоба 80/6;5;уп\n2;Синтепон 300;1;рул",
            "✅ Скобы тип 80/6 (10000 шт) — 5 уп\n✅ Синтепон 300г ш.1,5м рул 20м — 1 рул",
        ),
    ]);
}

#[test]
fn quantities_are_told_from_sizes() {
    golden(&[
        ("саморез 4х25 жц 200", "✅ Саморез универс. 4*25 желт.цинк (1000 шт/уп) — 200"),
        ("саморез 4х25 -4т.шт жёлтый", "✅ Саморез универс. 4*25 желт.цинк (1000 шт/уп) — 4000 шт"),
        ("спанбонд 70 белый пять рулонов", "✅ Спанбонд 70 белый, ш.1,6м 200м/рул — 5 рул"),
        ("велюр Monako 24 полтора метра", "✅ Велюр Monako 24 Milk — 1.5 м"),
        ("скоба 80/6 пару упаковок", "✅ Скобы тип 80/6 (10000 шт) — 2 уп"),
        ("опора h80 чёрная десяток", "✅ Опора мебельная h=80 чёрный — 10"),
        ("конфирмат 7х50 0,5 тыс", "✅ Конфирмат 7х50 желт.цинк 500шт — 500"),
        ("конфирмат 7х50 2 кор по 500", "✅ Конфирмат 7х50 желт.цинк 500шт — 2 кор"),
        ("скоба 80/6 х10", "✅ Скобы тип 80/6 (10000 шт) — 10"),
        ("скоба 80/6 - 3", "✅ Скобы тип 80/6 (10000 шт) — 3"),
        ("скоба 80 6 10", "✅ Скобы тип 80/6 (10000 шт) — 10"),
        ("спанбонд 70 белый", "✅ Спанбонд 70 белый, ш.1,6м 200м/рул — ?"),
        ("нитки 70лл 101", "✅ Нитки 70 ЛЛ 2500м №101 белый — ?"),
    ]);
}

#[test]
fn tables_are_read_by_their_columns() {
    golden(&[
        (
            "№\tНаименование\tЕд.\tКол-во\tЦена\tСумма\n\
             1\tСкоба 80/6\tуп\t5\t150,00\t750,00\n\
             2\tСинтепон 300\tрул\t2\t1 250,50\t2 501,00",
            "✅ Скобы тип 80/6 (10000 шт) — 5 уп\n✅ Синтепон 300г ш.1,5м рул 20м — 2 рул",
        ),
        (
            "Скоба 80/6;5\nСинтепон 300;2",
            "✅ Скобы тип 80/6 (10000 шт) — 5\n✅ Синтепон 300г ш.1,5м рул 20м — 2",
        ),
        (
            "\"Скоба 80/6\",\"уп\",\"5\"\n\"Синтепон 300\",\"рул\",\"2\"",
            "✅ Скобы тип 80/6 (10000 шт) — 5 уп\n✅ Синтепон 300г ш.1,5м рул 20м — 2 рул",
        ),
        (
            "Скоба 80/6     уп     5\nСинтепон 300     рул     2",
            "✅ Скобы тип 80/6 (10000 шт) — 5 уп\n✅ Синтепон 300г ш.1,5м рул 20м — 2 рул",
        ),
        (
            "Скобы\tдлина\tуп\n80\t6\t5\n80\t8\t2",
            "✅ Скобы тип 80/6 (10000 шт) — 5 уп\n✅ СКОБА тип 80/8 (10000 шт/уп) — 2 уп",
        ),
        (
            "Нитки 70ЛЛ\tцвет\tшт\n\t101\t5\n\t190\t10",
            "✅ Нитки 70 ЛЛ 2500м №101 белый — 5 шт\n✅ Нитки 70ЛЛ 2500м цв.190 чёрный — 10 шт",
        ),
        (
            "Опора мебельная\th=80\tчёрный\t40\nОпора мебельная\th=40\tчёрный\t16",
            "✅ Опора мебельная h=80 чёрный — 40\n✅ Опора мебельная H=40мм чёрный — 16",
        ),
    ]);
}

#[test]
fn lists_may_be_numbered_in_any_notation() {
    let expected = "✅ Скобы тип 80/6 (10000 шт) — 5 уп\n✅ Синтепон 300г ш.1,5м рул 20м — 1 рул";
    golden(&[
        ("п.1 Скоба 80/6 5 уп\nп.2 Синтепон 300 1 рул", expected),
        ("№1 Скоба 80/6 5 уп\n№2 Синтепон 300 1 рул", expected),
        ("1/ Скоба 80/6 5 уп\n2/ Синтепон 300 1 рул", expected),
        ("(1) Скоба 80/6 5 уп\n(2) Синтепон 300 1 рул", expected),
        ("а) Скоба 80/6 5 уп\nб) Синтепон 300 1 рул", expected),
        ("Нужно: 1) Скоба 80/6 5 уп 2) Синтепон 300 1 рул", expected),
    ]);
}

#[test]
fn an_ellipsis_is_of_the_thing_before_or_of_nothing() {
    golden(&[
        ("нитки 70лл 101 белые 5, чёрные 3", "✅ Нитки 70 ЛЛ 2500м №101 белый — 5\n❌ — 3"),
        ("скоба 80/6 5 уп\nбелые по 10", "✅ Скобы тип 80/6 (10000 шт) — 5 уп\n❌ — 10"),
        ("нитки 70лл розовые 5, белые по 10", "❌ — 5\n✅ Нитки 70 ЛЛ 2500м №101 белый — 10"),
        (
            "По экокоже Орегон: 105 коричневая 6 м; 110 — 11,5",
            "✅ Экокожа мебельн. Орегон арт.105 (коричневая) — 6 м\n\
             ✅ Экокожа мебельн. Орегон арт.110 (красная) — 11.5",
        ),
        (
            "нитки 70лл по 6 шт каждого: 101, 190, а 105 — 10",
            "✅ Нитки 70 ЛЛ 2500м №101 белый — 6 шт\n✅ Нитки 70ЛЛ 2500м цв.190 чёрный — 6 шт\n\
             ✅ Нить 70 LL 2500м цв. 105 бежевый — 10",
        ),
        (
            "скоба 80/6 5 уп, ноутбук 2, синтепон 300 1 рул",
            "✅ Скобы тип 80/6 (10000 шт) — 5 уп\n❌ — 2\n✅ Синтепон 300г ш.1,5м рул 20м — 1 рул",
        ),
        (
            "опора h80 чёрная 10 шт, h40 - 12",
            "✅ Опора мебельная h=80 чёрный — 10 шт\n✅ Опора мебельная H=40мм чёрный — 12",
        ),
        (
            "скоба 80/6 5, 80/8 - 12",
            "✅ Скобы тип 80/6 (10000 шт) — 5\n✅ СКОБА тип 80/8 (10000 шт/уп) — 12",
        ),
        (
            "опора h=40/80 чёрная по 4",
            "✅ Опора мебельная H=40мм чёрный — 4\n✅ Опора мебельная h=80 чёрный — 4",
        ),
    ]);
}

#[test]
fn prices_dates_and_cars_order_nothing() {
    golden(&[
        ("скоба 80/6 20 упаковок по 150 руб", "✅ Скобы тип 80/6 (10000 шт) — 20 уп"),
        ("конфирмат 7х50 1000шт по 0,85", "✅ Конфирмат 7х50 желт.цинк 500шт — 1000 шт"),
        (
            "Скоба 80/6 5 уп. Оплата 20 числа, пропуск на газель А123ВС 77",
            "✅ Скобы тип 80/6 (10000 шт) — 5 уп",
        ),
        (
            "принимай, Лёх. скоба 80/6 5 уп. Мы на Лесной 14, вторую неделю ждём",
            "✅ Скобы тип 80/6 (10000 шт) — 5 уп",
        ),
        (
            "Здравствуйте, это Ирина из Мебель-Плюс! Скоба 80/6 5 уп",
            "✅ Скобы тип 80/6 (10000 шт) — 5 уп",
        ),
        (
            "Добрый день, Светлана! Мы у вас брали 20 рулонов чего-то, теперь скоба 80/6 5 уп",
            "✅ Скобы тип 80/6 (10000 шт) — 5 уп",
        ),
    ]);
}

#[test]
fn words_are_known_however_they_are_written() {
    golden(&[
        ("gjhjkjy EL2240 40 4 kbcnf", "✅ ПОРОЛОН EL2240 2000х1000х40 — 4 лист"),
        ("porolon EL2240 40mm 5 listov", "✅ ПОРОЛОН EL2240 2000х1000х40 — 5 лист"),
        ("нитки70лл чер10", "✅ Нитки 70ЛЛ 2500м цв.190 чёрный — 10"),
        ("самор 4х25 ж/ц 2000", "✅ Саморез универс. 4*25 желт.цинк (1000 шт/уп) — 2000"),
        ("спандбонд 70 бел. 3 рул", "✅ Спанбонд 70 белый, ш.1,6м 200м/рул — 3 рул"),
        ("велюр Монако 24 5 м", "✅ Велюр Monako 24 Milk — 5 м"),
        ("Oregon 105 3 м", "✅ Экокожа мебельн. Орегон арт.105 (коричневая) — 3 м"),
        ("эль двадцать два сорок сороковку два листа", "✅ ПОРОЛОН EL2240 2000х1000х40 — 2 лист"),
    ]);
}

#[test]
fn attributes_may_be_written_in_any_way_and_may_not_contradict() {
    golden(&[
        ("опора 40 мм чёрная 2 шт", "✅ Опора мебельная H=40мм чёрный — 2 шт"),
        ("опора h40 чёрная 2 шт", "✅ Опора мебельная H=40мм чёрный — 2 шт"),
        ("опора 4 см чёрная 2 шт", "✅ Опора мебельная H=40мм чёрный — 2 шт"),
        ("дельфин 1010 на 40 2 компл", "✅ Механизм дельфин 1010х40 (компл) — 2 компл"),
        ("дельфин 1010*40 2 компл", "✅ Механизм дельфин 1010х40 (компл) — 2 компл"),
        ("кран шаровой ½ 3 шт", "✅ Кран шаровой 1/2\" г/г рычаг — 3 шт"),
        ("кран шаровой Ду15 3 шт", "✅ Кран шаровой 1/2\" г/г рычаг — 3 шт"),
        ("кран шаровой 1/2 3 шт", "✅ Кран шаровой 1/2\" г/г рычаг — 3 шт"),
        ("опора 60 мм чёрная 2 шт", "❌ — 2 шт"),
        ("спанбонд 70 розовый 1 рул", "❌ — 1 рул"),
        ("поролон EL9999 40 1 лист", "❌ — 1 лист"),
        ("ноутбук 1 шт", "❌ — 1 шт"),
        ("00-00099999 1 шт", "❌ — 1 шт"),
    ]);
}

#[test]
fn the_ordinary_product_is_meant_unless_another_is_named() {
    golden(&[
        ("скоба 80/8 2 уп", "✅ СКОБА тип 80/8 (10000 шт/уп) — 2 уп"),
        ("скоба 80/8 нерж 2 уп", "✅ Скоба 80/8 BeA нерж. (10000 шт/уп) — 2 уп"),
        ("конфирмат 7х50 10 шт", "✅ Конфирмат 7х50 желт.цинк 500шт — 10 шт"),
        ("EL2240 40 уценка 5 кг", "✅ Поролон EL2240 40мм (2000х1000) БРАК уценка — 5 кг"),
        ("саморез 4х25 1000 шт", "❓ 2 — 1000 шт"),
        ("00-00023500 3 листа", "✅ ПОРОЛОН EL2240 2000х1000х40 — 3 лист"),
        ("арт. 23500 3 листа", "✅ ПОРОЛОН EL2240 2000х1000х40 — 3 лист"),
        ("код 1С 00-00023500 3 листа", "✅ ПОРОЛОН EL2240 2000х1000х40 — 3 лист"),
        ("00-00023500 × 3", "✅ ПОРОЛОН EL2240 2000х1000х40 — 3"),
    ]);
}

#[test]
fn talk_is_not_ordered() {
    let index = index();
    let text = "Добрый день! Скоба 80/6 4 уп и вопрос: когда будет велюр Монако 24? Доставка завтра к 17:00.";
    let found = index.recognize(text, &Buyer::default());
    assert_eq!(found.lines.len(), 1);
    let kinds: Vec<RemarkKind> = found.remarks.iter().map(|r| r.kind).collect();
    for kind in [RemarkKind::Greeting, RemarkKind::Question, RemarkKind::Delivery] {
        assert!(kinds.contains(&kind), "{kind:?} in {:?}", found.remarks);
    }
}

#[test]
fn a_question_parts_the_candidates() {
    let index = index();
    let line = &index.recognize("саморез 4х25 1000 шт", &Buyer::default()).lines[0];
    let question = line.question.as_ref().map(|q| (q.attribute.as_str(), q.options.len()));
    assert_eq!(question, Some(("цвет", 2)));
    let among: Vec<ProductId> = line.candidates.iter().map(|c| c.product).collect();
    let refined = index.refine(&line.phrase, "жёлтый", &among, &Buyer::default());
    assert_eq!(refined.decision, Decision::Matched);
    assert_eq!(refined.phrase, line.phrase);
    let refused = index.refine(&line.phrase, "розовый", &among, &Buyer::default());
    assert_eq!(refused.decision, Decision::Ambiguous);
    // By itself a number names nothing; in an answer it is one of what was offered.
    assert_eq!(shown(&index, "70", &Buyer::default()).matches('✅').count(), 0);
    let line = &index.recognize("спанбонд белый 2 рул", &Buyer::default()).lines[0];
    let among: Vec<ProductId> = line.candidates.iter().map(|c| c.product).collect();
    let refined = index.refine(&line.phrase, "70", &among, &Buyer::default());
    assert_eq!(refined.decision, Decision::Matched);
}

#[test]
fn a_second_order_in_the_same_words_asks_nothing() {
    let index = index();
    let mut buyer = Buyer::default();
    let line = &index.recognize("саморез 4х25 1000 шт", &buyer).lines[0];
    assert_eq!(line.decision, Decision::Ambiguous);
    let chosen = line.candidates[1].product;
    buyer.learnt.insert(line.phrase.clone(), chosen);
    let again = &index.recognize("Саморез  4*25 - 500", &buyer).lines[0];
    assert_eq!((again.decision, again.product), (Decision::Matched, Some(chosen)));
    // What was refused is not offered again, learnt or not.
    buyer.rejected.insert((line.phrase.clone(), chosen));
    let refused = &index.recognize("саморез 4х25 500", &buyer).lines[0];
    assert!(refused.candidates.iter().all(|c| c.product != chosen));
}

#[test]
fn an_organization_has_its_own_words_and_its_purchases_come_first() {
    let index = index();
    let white =
        index.search("саморез 4х25 белый", 1).first().map(|c| c.product).unwrap_or_default();
    let mut buyer = Buyer {
        synonyms: vec![Synonym {
            words: "семечки".into(),
            target: SynonymTarget::Words("саморез 4х25".into()),
        }],
        ..Buyer::default()
    };
    buyer
        .purchases
        .insert(white, Purchase { times: 3, last_quantity: crate::domain::Quantity::whole(100) });
    let line = &index.recognize("семечки 100 шт", &buyer).lines[0];
    assert_eq!(line.decision, Decision::Ambiguous);
    assert_eq!(line.candidates[0].product, white);
    buyer.synonyms[0].target = SynonymTarget::Product(white);
    let line = &index.recognize("семечки 100 шт", &buyer).lines[0];
    assert_eq!((line.decision, line.product), (Decision::Matched, Some(white)));
}

#[test]
fn the_catalogue_is_searched_as_one_types() {
    let index = index();
    let titles = |query: &str| -> Vec<String> {
        let found = index.search(query, 5);
        found.iter().filter_map(|c| index.entry(c.product)).map(|e| e.title.clone()).collect()
    };
    assert!(titles("спанб 70 бел")[0].starts_with("Спанбонд 70 белый"));
    assert!(titles("монак")[0].contains("Monako"));
    assert!(titles("23500")[0].starts_with("ПОРОЛОН EL2240"));
    assert!(index.search("", 5).is_empty());
    assert_eq!(Index::build(Vec::new(), &[]).search("молния", 5), Vec::new());
}

#[test]
fn every_decision_explains_itself() {
    let index = index();
    for text in ["скоба 80/8 2 уп", "саморез 4х25 10", "ноутбук 1 шт"] {
        let line = &index.recognize(text, &Buyer::default()).lines[0];
        assert!(!line.trace.why.is_empty() && !line.trace.stages.is_empty(), "{text}");
    }
}

/// Trades that the code does not know, each with labelled orders: so many hundredths of the lines must
/// be right, and no more may be confidently wrong. The halves that were never read were only ever
/// scored; most trades were written by somebody who had not seen the engine. See
/// docs/recognition.md.
const TRADES: &[Trade] = &[
    Trade { name: "plumbing_electrics", read: Some((98, 1)), unread: None },
    Trade { name: "household_food", read: Some((94, 1)), unread: None },
    Trade { name: "stationery", read: Some((93, 1)), unread: None },
    Trade { name: "building", read: Some((94, 1)), unread: None },
    Trade { name: "electrics", read: Some((92, 1)), unread: None },
    Trade { name: "plumbing", read: Some((91, 1)), unread: None },
    Trade { name: "packaging", read: Some((90, 1)), unread: None },
    Trade { name: "tools", read: Some((91, 2)), unread: None },
    Trade { name: "textile", read: Some((89, 1)), unread: None },
    Trade { name: "auto", read: Some((81, 3)), unread: None },
    Trade { name: "garden", read: Some((83, 2)), unread: None },
    Trade { name: "medical", read: Some((86, 2)), unread: None },
    Trade { name: "steel", read: Some((83, 2)), unread: None },
    Trade { name: "paints", read: Some((91, 2)), unread: None },
    Trade { name: "electrical_goods", read: Some((86, 2)), unread: None },
    Trade { name: "heating", read: Some((90, 2)), unread: None },
    Trade { name: "food", read: Some((91, 1)), unread: None },
    Trade { name: "furniture", read: Some((93, 1)), unread: Some((94, 1)) },
    Trade { name: "sanitary", read: Some((88, 2)), unread: None },
    Trade { name: "wiring", read: Some((86, 1)), unread: None },
    Trade { name: "doors", read: Some((85, 1)), unread: Some((86, 2)) },
    Trade { name: "engineering", read: None, unread: Some((84, 1)) },
    Trade { name: "utilities", read: Some((89, 2)), unread: None },
    Trade { name: "fasteners", read: Some((91, 2)), unread: None },
    Trade { name: "cafe", read: Some((92, 1)), unread: None },
    Trade { name: "lighting", read: Some((84, 4)), unread: Some((86, 3)) },
    Trade { name: "pipes", read: Some((83, 3)), unread: Some((82, 4)) },
];

/// A trade: the least that is right and the most that is confidently wrong, in hundredths.
struct Trade {
    name: &'static str,
    /// Of what was read for causes of error.
    read: Option<(usize, usize)>,
    /// Of what was only ever scored.
    unread: Option<(usize, usize)>,
}

#[test]
fn trades_that_the_code_does_not_know_are_read_as_well() {
    for trade in TRADES {
        let catalog = fixture(&format!("{}_catalog.json", trade.name));
        for (half, bounds) in [("orders", trade.read), ("unread", trade.unread)] {
            let Some((least, most)) = bounds else { continue };
            let name = format!("{}_{half}", trade.name);
            let (right, all, wrong) = score(&catalog, &fixture(&format!("{name}.jsonl")));
            assert!(right * 100 >= all * least, "{name}: {right} of {all} lines are right");
            assert!(wrong * 100 <= all * most, "{name}: {wrong} of {all} are confidently wrong");
        }
    }
}

/// A file of tests/fixtures/recognition.
fn fixture(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/recognition");
    std::fs::read_to_string(format!("{folder}/{name}")).unwrap_or_default()
}

/// Titles with commas, brackets and packs, copied whole: each is one line of its own product.
#[test]
fn titles_of_a_whole_catalogue_are_their_products() {
    let (index, _) = trade(&fixture("household_food_catalog.json"));
    let told = |title: &str| -> String {
        title.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let (mut right, mut all) = (0, 0);
    for entry in &index.entries {
        let text = format!("{} - 7", entry.title);
        let found = index.recognize(&text, &Buyer::default());
        all += 1;
        if let [line] = found.lines.as_slice()
            && line.quantity == Some(crate::domain::Quantity::whole(7))
            && let Some(product) = line.product.and_then(|id| index.entry(id))
        {
            right += usize::from(told(&product.title) == told(&entry.title));
        }
    }
    assert!(right * 100 >= all * 98, "{right} of {all} titles are their own products");
}

/// The index of a catalogue's file, and what its products are called there.
fn trade(catalog: &str) -> (Index, HashMap<ProductId, String>) {
    let catalog: serde_json::Value = serde_json::from_str(catalog).unwrap_or_default();
    let text = |v: &serde_json::Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
    let mut skus: HashMap<ProductId, String> = HashMap::new();
    let mut entries = Vec::new();
    for item in catalog["items"].as_array().into_iter().flatten() {
        let id = ProductId(i64::try_from(entries.len()).unwrap_or(0) + 1);
        skus.insert(id, text(item, "sku"));
        entries.push(Entry {
            id,
            article: text(item, "sku"),
            title: text(item, "title"),
            category: text(item, "category"),
            unit: Some(Unit::new(&text(item, "unit"))),
            available: item["stock_qty"].as_f64().unwrap_or(0.0) > 0.0,
            ..Entry::default()
        });
    }
    (Index::build(entries, &starter_synonyms()), skus)
}

/// (lines read right, labelled lines, lines confidently wrong)
fn score(catalog: &str, orders: &str) -> (usize, usize, usize) {
    let text = |v: &serde_json::Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
    let (index, skus) = trade(catalog);
    let (mut right, mut all, mut wrong) = (0, 0, 0);
    for order in orders.lines() {
        let order: serde_json::Value = serde_json::from_str(order).unwrap_or_default();
        let message = text(&order, "text");
        let found = index.recognize(&message, &Buyer::default());
        let mut from = 0;
        for truth in order["lines"].as_array().into_iter().flatten() {
            let raw = text(truth, "raw");
            let start = message[from..].find(&raw).map_or(from, |at| from + at);
            let end = start + raw.len();
            from = end;
            all += 1;
            let line = found
                .lines
                .iter()
                .max_by_key(|l| l.span.end.min(end).saturating_sub(l.span.start.max(start)));
            let Some(line) = line.filter(|l| l.span.start < end && start < l.span.end) else {
                continue;
            };
            let sku = line.product.and_then(|p| skus.get(&p).cloned());
            let good: Vec<String> = truth["acceptable"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|s| s.as_str().map(str::to_owned))
                .chain(truth["sku"].as_str().map(str::to_owned))
                .collect();
            let top: Vec<&String> =
                line.candidates.iter().take(5).filter_map(|c| skus.get(&c.product)).collect();
            let offered = top.iter().any(|s| good.contains(s));
            let asks = truth["ambiguous"].as_bool().unwrap_or(false);
            let ok = match line.decision {
                Decision::Matched => !asks && sku.as_ref().is_some_and(|s| good.contains(s)),
                Decision::Ambiguous => {
                    (asks || truth["ask_ok"].as_bool().unwrap_or(false)) && offered
                }
                Decision::Unmatched => good.is_empty(),
            };
            right += usize::from(ok);
            wrong += usize::from(
                line.decision == Decision::Matched && sku.is_none_or(|s| !good.contains(&s)),
            );
        }
    }
    (right, all, wrong)
}

fn orderish() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("саморез"),
        Just("4х25"),
        Just("жц"),
        Just("нитки"),
        Just("70лл"),
        Just("белые"),
        Just("10"),
        Just("шт"),
        Just(","),
        Just("\n"),
        Just("\t"),
        Just("не"),
        Just("а"),
        Just("по"),
        Just("вместо"),
        Just("и"),
        Just("ноль"),
        Just("сорок"),
        Just("два"),
        Just("рулона"),
        Just("х10"),
        Just("1/2"),
        Just("½"),
        Just("("),
        Just(")"),
        Just("?"),
        Just("№"),
        Just("-"),
        Just("00-00023500"),
        Just("gjhjkjy"),
        Just("тьфу"),
        Just("…"),
        Just("без"),
        Just("каждого"),
        Just("такой"),
        Just("же"),
        Just("нет"),
        Just(":"),
        Just("тип"),
        Just("7"),
        Just("Monako"),
    ];
    proptest::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
}

/// What stands between words, and what they are about.
const BETWEEN: [&str; 28] = [
    "->",
    "=>",
    "→",
    "(",
    ")",
    ",",
    ", ",
    ".",
    ". ",
    ":",
    " - ",
    "-",
    "\n",
    "\t",
    "|",
    "?",
    "/",
    "«",
    "»",
    "5",
    " 7 шт",
    "80/10",
    "2 рул",
    "саморез",
    "бел",
    "№",
    "х",
    "…",
];

/// Every word that the code compares with, as its sources have them.
fn words_of_the_code() -> &'static [String] {
    fn collect(folder: &std::path::Path, words: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("tests") {
                collect(&path, words);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let quoted = text.split('"').skip(1).step_by(2);
                let word = |w: &&str| {
                    (1..=20).contains(&w.chars().count()) && w.chars().all(char::is_alphabetic)
                };
                words.extend(quoted.filter(word).map(str::to_owned));
            }
        }
    }
    static WORDS: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    WORDS.get_or_init(|| {
        let mut words = Vec::new();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/recognition");
        collect(std::path::Path::new(folder), &mut words);
        words.sort();
        words.dedup();
        words
    })
}

#[test]
fn no_word_of_the_code_panics_wherever_it_stands() {
    assert!(words_of_the_code().len() > 1000, "{}", words_of_the_code().len());
    for word in words_of_the_code() {
        for around in
            ["{}", "тесьма {}", "{} 5", "5 {}", "саморез {} 4х25", "{} {}", "два {}.", "({}"]
        {
            let text = around.replace("{}", word);
            check_spans(&text, &shared().recognize(&text, &Buyer::default()));
            let _ = (parse_quantity(&text), shared().search(&text, 5));
        }
    }
}

fn check_spans(text: &str, found: &Recognition) {
    let mut last = 0;
    for line in &found.lines {
        assert!(text.get(line.span.clone()).is_some(), "{:?} in {text:?}", line.span);
        assert!(line.span.start >= last, "{:?} in {text:?}", line.span);
        assert!((0.0..=1.0).contains(&line.confidence));
        assert_eq!(line.product.is_some(), line.decision == Decision::Matched);
        assert!(line.candidates.len() <= 10);
        last = line.span.start;
    }
    for remark in &found.remarks {
        assert!(text.get(remark.span.clone()).is_some(), "{:?} in {text:?}", remark.span);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_and_spans_are_slices_in_order(text in "\\PC{0,80}") {
        let found = shared().recognize(&text, &Buyer::default());
        check_spans(&text, &found);
        let _ = parse_quantity(&text);
        let _ = shared().search(&text, 5);
    }

    #[test]
    fn near_orders_do_not_panic_either(text in orderish()) {
        let found = shared().recognize(&text, &Buyer::default());
        check_spans(&text, &found);
        let _ = parse_quantity(&text);
        let _ = shared().refine("", &text, &[ProductId(1), ProductId(2)], &Buyer::default());
    }

    #[test]
    fn words_of_the_code_do_not_panic_in_any_order(
        words in proptest::collection::vec(proptest::sample::select(words_of_the_code()), 0..12),
        between in proptest::collection::vec(proptest::sample::select(&BETWEEN[..]), 0..12),
    ) {
        let text = words.join(" ");
        check_spans(&text, &shared().recognize(&text, &Buyer::default()));
        let between = between.iter().copied().chain(std::iter::repeat(" "));
        let text: String =
            words.iter().zip(between).flat_map(|(word, between)| [between, word.as_str()]).collect();
        check_spans(&text, &shared().recognize(&text, &Buyer::default()));
    }

    #[test]
    fn blanks_and_case_change_nothing(text in orderish()) {
        let one = shown(shared(), &text, &Buyer::default());
        let wide = text.replace(' ', "  ");
        prop_assert_eq!(&one, &shown(shared(), &wide, &Buyer::default()));
        let loud = text.to_uppercase();
        prop_assert_eq!(&one, &shown(shared(), &loud, &Buyer::default()));
    }

    #[test]
    fn a_title_typed_whole_is_its_product(at in 0..GOODS.len(), quantity in 1..500_u32) {
        let title = GOODS[at].1;
        let text = format!("{title} - {quantity} {}", GOODS[at].2);
        let found = shared().recognize(&text, &Buyer::default());
        let junk = title.contains("НЕ ИСПОЛЬЗОВАТЬ");
        if !junk {
            prop_assert_eq!(found.lines.len(), 1, "{}", text);
            let id = found.lines[0].product.map(|p| p.0);
            prop_assert_eq!(id, Some(i64::try_from(at).unwrap_or(0) + 1), "{}", text);
        }
    }
}

/// One index for all properties.
fn shared() -> &'static Index {
    static INDEX: std::sync::OnceLock<Index> = std::sync::OnceLock::new();
    INDEX.get_or_init(index)
}
