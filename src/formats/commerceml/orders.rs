//! Orders as УТ 10.3 and 11 read them.
//!
//! 10.3 reads by path, one node after another, and converts values unguarded: one bad date stops
//! its whole exchange. So the form is exact: windows-1251, no mark before `<?xml`, no CDATA, no
//! blanks inside leaves, `yyyy-MM-dd` before `HH:mm:ss`, decimals with a point. Nothing is sent that
//! would create goods, services or properties there (observed in the module of 10.3.18).

use std::fmt::Write as _;

use encoding_rs::WINDOWS_1251;

use crate::domain::{Money, Price, Quantity, Unit};
use crate::formats::text::one_line;

/// An order on its way.
#[derive(Debug, Clone)]
pub struct OrderForOnec {
    /// `PM-1042`: 1C knows it by this for ever.
    pub number: String,
    /// `yyyy-MM-dd`, in the company's zone.
    pub date: String,
    /// `HH:mm:ss`.
    pub time: String,
    /// The currency in the word that 1C used.
    pub currency: String,
    /// The sum of the lines.
    pub total: Money,
    /// The buyer's id: 1C's own, or ours.
    pub client_id: String,
    /// The buyer's name: 1C finds it by this. Never empty.
    pub client: String,
    /// Whether the buyer is a company.
    pub company: bool,
    /// The taxpayer's number.
    pub inn: Option<String>,
    /// Where to, when, who, and the buyer's words.
    pub comment: String,
    /// Lines.
    pub lines: Vec<OrderLineForOnec>,
}

/// A line on its way.
#[derive(Debug, Clone)]
pub struct OrderLineForOnec {
    /// The product's id in 1C, with its characteristic.
    pub external_id: String,
    /// The article.
    pub sku: String,
    /// The name.
    pub title: String,
    /// The base unit.
    pub unit: Unit,
    /// The price of a base unit.
    pub price: Price,
    /// How many base units.
    pub quantity: Quantity,
    /// The sum: what counts in 1C.
    pub sum: Money,
}

/// How a client reads orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Documents one after another, as 10.3 and 11 read them.
    #[default]
    Plain,
    /// Schema 3: each order in a container. The client asks again until none is left.
    Containers,
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"windows-1251\"?>\n";

/// The document in windows-1251; `written`: `yyyy-MM-ddTHH:mm:ss`.
pub fn write_orders(orders: &[OrderForOnec], form: Form, written: &str) -> Vec<u8> {
    let mut xml = String::from(DECLARATION);
    let version = if form == Form::Containers { "3.1" } else { "2.04" };
    let _ = writeln!(
        xml,
        "<КоммерческаяИнформация ВерсияСхемы=\"{version}\" ДатаФормирования=\"{written}\">"
    );
    for order in orders {
        match form {
            Form::Plain => document(&mut xml, order),
            Form::Containers => {
                xml.push_str("\t<Контейнер>\n");
                document(&mut xml, order);
                xml.push_str("\t</Контейнер>\n");
            }
        }
    }
    xml.push_str("</КоммерческаяИнформация>");
    // What windows-1251 has not becomes `&#8381;`.
    WINDOWS_1251.encode(&xml).0.into_owned()
}

/// The statuses that a site has, for 1C to map its own to: code and name.
///
/// Source: what published modules of sites answer to `mode=info`. The first letter of the list's
/// name is a Latin one in many of them, and clients of both spellings exist.
pub fn write_statuses(statuses: &[(&str, &str)]) -> Vec<u8> {
    let mut xml = String::from(DECLARATION);
    xml.push_str("<Справочник>\n");
    for list in ["Статусы", "\u{43}татусы"] {
        let _ = writeln!(xml, "\t<{list}>");
        for (code, name) in statuses {
            xml.push_str("\t\t<Элемент>\n");
            leaf(&mut xml, 3, "Ид", code);
            leaf(&mut xml, 3, "Название", name);
            xml.push_str("\t\t</Элемент>\n");
        }
        let _ = writeln!(xml, "\t</{list}>");
    }
    xml.push_str("\t<ПлатежныеСистемы></ПлатежныеСистемы>\n\t<СлужбыДоставки></СлужбыДоставки>\n");
    xml.push_str("</Справочник>");
    WINDOWS_1251.encode(&xml).0.into_owned()
}

fn document(xml: &mut String, order: &OrderForOnec) {
    xml.push_str("\t<Документ>\n");
    for (name, value) in [
        ("Ид", order.number.as_str()),
        ("Номер", &order.number),
        ("Дата", &order.date),
        ("ХозОперация", "Заказ товара"),
        ("Роль", "Продавец"),
        ("Валюта", &order.currency),
        ("Курс", "1"),
        ("Сумма", &short(&order.total.decimal())),
    ] {
        leaf(xml, 2, name, value);
    }
    xml.push_str("\t\t<Контрагенты>\n\t\t\t<Контрагент>\n");
    leaf(xml, 4, "Ид", &order.client_id);
    leaf(xml, 4, "Наименование", &plain(&order.client));
    let full = if order.company {
        "ОфициальноеНаименование"
    } else {
        "ПолноеНаименование"
    };
    leaf(xml, 4, full, &plain(&order.client));
    if let Some(inn) = &order.inn {
        leaf(xml, 4, "ИНН", inn);
    }
    leaf(xml, 4, "Роль", "Покупатель");
    xml.push_str("\t\t\t</Контрагент>\n\t\t</Контрагенты>\n");
    leaf(xml, 2, "Время", &order.time);
    leaf(xml, 2, "Комментарий", &order.comment);
    xml.push_str("\t\t<Товары>\n");
    for line in &order.lines {
        xml.push_str("\t\t\t<Товар>\n");
        leaf(xml, 4, "Ид", &line.external_id);
        leaf(xml, 4, "Артикул", &plain(&line.sku));
        leaf(xml, 4, "Наименование", &plain(&line.title));
        let code = line.unit.okei().map(|code| format!(" Код=\"{code}\"")).unwrap_or_default();
        let unit = escaped(&plain(line.unit.as_str()));
        let _ = writeln!(xml, "\t\t\t\t<БазоваяЕдиница{code}>{unit}</БазоваяЕдиница>");
        leaf(xml, 4, "ЦенаЗаЕдиницу", &short(&line.price.decimal()));
        leaf(xml, 4, "Количество", &line.quantity.decimal());
        leaf(xml, 4, "Сумма", &short(&line.sum.decimal()));
        requisites(xml, 4, &[("ТипНоменклатуры", "Товар")]);
        xml.push_str("\t\t\t</Товар>\n");
    }
    xml.push_str("\t\t</Товары>\n");
    // These four are known to 10.3: any other name would become a property of its orders for ever.
    let flags = ["Заказ оплачен", "Доставка разрешена", "Отменен", "Финальный статус"];
    requisites(xml, 2, &flags.map(|name| (name, "false")));
    xml.push_str("\t</Документ>\n");
}

fn requisites(xml: &mut String, indent: usize, list: &[(&str, &str)]) {
    let tabs = "\t".repeat(indent);
    let _ = writeln!(xml, "{tabs}<ЗначенияРеквизитов>");
    for (name, value) in list {
        let _ = writeln!(xml, "{tabs}\t<ЗначениеРеквизита>");
        leaf(xml, indent + 2, "Наименование", name);
        leaf(xml, indent + 2, "Значение", value);
        let _ = writeln!(xml, "{tabs}\t</ЗначениеРеквизита>");
    }
    let _ = writeln!(xml, "{tabs}</ЗначенияРеквизитов>");
}

/// An element with text; one without text is left out.
fn leaf(xml: &mut String, indent: usize, name: &str, value: &str) {
    let value = escaped(&one_line(value));
    if !value.is_empty() {
        let _ = writeln!(xml, "{}<{name}>{value}</{name}>", "\t".repeat(indent));
    }
}

fn escaped(text: &str) -> String {
    // What XML 1.0 does not allow even as a reference.
    let text: String = text.chars().filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}')).collect();
    quick_xml::escape::escape(text).into_owned()
}

/// `365.50` as `365.5`, `19370.00` as `19370`.
fn short(decimal: &str) -> String {
    match decimal.split_once('.') {
        Some((whole, fraction)) => match fraction.trim_end_matches('0') {
            "" => whole.to_owned(),
            fraction => format!("{whole}.{fraction}"),
        },
        None => decimal.to_owned(),
    }
}

/// A name in the letters of windows-1251: look-alikes stand in, the rest goes.
fn plain(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '₽' => out.push_str("руб."),
            '²' => out.push('2'),
            '³' => out.push('3'),
            '×' => out.push('х'),
            '−' => out.push('-'),
            '≥' => out.push_str(">="),
            '≤' => out.push_str("<="),
            '½' => out.push_str("1/2"),
            '¼' => out.push_str("1/4"),
            'Ø' | '⌀' | '∅' => out.push('D'),
            '\u{202f}' | '\u{2009}' => out.push(' '),
            _ => {
                let mut utf8 = [0; 4];
                if !WINDOWS_1251.encode(c.encode_utf8(&mut utf8)).2 {
                    out.push(c);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_windows_1251_and_free_text_keeps_its_signs() {
        assert_eq!(plain("Фанера 4×8 м² 10 ₽ 🎉 Ø5"), "Фанера 4х8 м2 10 руб.  D5");
        assert_eq!(short("19370.00"), "19370");
        assert_eq!(short("0.8125"), "0.8125");
        let mut xml = String::new();
        leaf(&mut xml, 0, "Комментарий", " до 10 ₽ & <срочно>\nзавтра ");
        assert_eq!(xml, "<Комментарий>до 10 ₽ &amp; &lt;срочно&gt; завтра</Комментарий>\n");
        let document = write_orders(&[], Form::Plain, "2026-11-23T15:00:00");
        assert!(document.starts_with(b"<?xml"));
    }
}
