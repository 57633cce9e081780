//! What 1C says of orders: `Документ`, in a `Контейнер` or not.

use std::borrow::Cow;
use std::io::Read;

use super::markup::Piece;
use super::reader::{CommerceMlError, Node, Parser, Tree};
use crate::formats::text::{Decimal, onec_id, yes_no};

/// A document that is bigger is cut: bytes.
const MAX_DOCUMENT: usize = 8 * 1024 * 1024;
/// A file with more documents is refused.
const MAX_DOCUMENTS: usize = 100_000;
/// Lines of all documents together that are read: those beyond are not compared with ours.
const MAX_LINES: usize = 300_000;

/// What a file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Goods, offers, prices, stock.
    Catalog,
    /// Orders.
    Documents,
    /// Nothing that we know: an empty root, clients, dictionaries.
    Other,
}

/// What 1C says of one order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the document")]
pub struct OrderDocument {
    /// Our number, as we sent it; 1C keeps it.
    pub number: String,
    /// Its number in 1C; may be empty.
    pub onec_number: String,
    /// Its date in 1C, as written; may be empty.
    pub onec_date: String,
    /// Marked for deletion or cancelled.
    pub cancelled: bool,
    /// Posted («Проведен»).
    pub posted: bool,
    /// Paid in full.
    pub paid: bool,
    /// Shipped in full.
    pub shipped: bool,
    /// The status in the company's own word; may be empty.
    pub status: String,
    /// The sum, in kopecks where it can be read.
    pub total_kopecks: Option<i64>,
    /// The lines as they stand in 1C.
    pub lines: Vec<DocumentLine>,
}

/// A line as it stands in 1C.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentLine {
    /// The product's id in 1C.
    pub external_id: String,
    /// Its name there.
    pub title: String,
    /// How many, in thousandths of the storage unit.
    pub thousandths: i64,
}

/// Looks at the first elements of a file.
pub fn content(source: impl Read) -> Result<Content, CommerceMlError> {
    let mut parser = Parser::new(source);
    if !parser.root()? {
        return Ok(Content::Other);
    }
    loop {
        match parser.piece()? {
            Piece::Start(tag) => match tag.name {
                "Документ" | "Контейнер" | "Документы" => {
                    return Ok(Content::Documents);
                }
                "Классификатор" | "Каталог" | "ПакетПредложений" | "ИзмененияПакетаПредложений" =>
                {
                    return Ok(Content::Catalog);
                }
                _ if tag.empty => {}
                _ => parser.skip(1)?,
            },
            Piece::Text(_) | Piece::Nothing => {}
            Piece::End => return Ok(Content::Other),
            Piece::Eof => return Err(parser.cut()),
        }
    }
}

/// Reads every document of a file, to its end.
pub fn read_documents(source: impl Read) -> Result<Vec<OrderDocument>, CommerceMlError> {
    let mut parser = Parser::new(source);
    let (mut documents, mut lines) = (Vec::new(), 0);
    if !parser.root()? {
        parser.finish()?;
        return Ok(documents);
    }
    let (mut depth, mut tree) = (0, Tree::default());
    loop {
        match parser.piece()? {
            Piece::Start(tag) => match tag.name {
                "Документ" => {
                    tree.begin(tag, MAX_DOCUMENT);
                    let node = parser.element(&mut tree)?;
                    if documents.len() == MAX_DOCUMENTS {
                        return Err(parser.error(format!("документов больше {MAX_DOCUMENTS}")));
                    }
                    // Payments and shipments of other exchanges are no orders.
                    let operation = node.text_of("ХозОперация");
                    if operation
                        .is_some_and(|operation| !operation.to_lowercase().contains("заказ"))
                    {
                        continue;
                    }
                    let mut document = document(node);
                    lines += document.lines.len();
                    if lines > MAX_LINES || node.cut() {
                        document.lines.clear();
                    }
                    documents.push(document);
                }
                "Контейнер" | "Документы" if !tag.empty => depth += 1,
                _ if tag.empty => {}
                _ => parser.skip(depth + 1)?,
            },
            Piece::Text(_) | Piece::Nothing => {}
            Piece::End if depth == 0 => {
                parser.finish()?;
                return Ok(documents);
            }
            Piece::End => depth -= 1,
            Piece::Eof => return Err(parser.cut()),
        }
    }
}

/// 10.3 calls an order paid or shipped when its register has no balance, for one that is not posted
/// too: then the number is `0` and the date is `T` (observed in its export). Only a real number and
/// a real date count.
fn happened(number: Option<&str>, date: Option<&str>) -> bool {
    let numbered = number.is_some_and(|number| number.chars().any(|c| !matches!(c, '0' | ' ')));
    let dated = date.is_some_and(|date| {
        date.len() >= 10
            && date.bytes().take(4).all(|b| b.is_ascii_digit())
            && !date.starts_with("0001")
    });
    numbered && dated
}

fn document(node: Node<'_>) -> OrderDocument {
    let requisites: Vec<(Cow<'_, str>, Cow<'_, str>)> = node
        .child("ЗначенияРеквизитов")
        .into_iter()
        .flat_map(|list| list.children("ЗначениеРеквизита"))
        .filter_map(|one| Some((one.text_of("Наименование")?, one.text_of("Значение")?)))
        .collect();
    let value = |names: &[&str]| {
        let mut named = requisites.iter().filter(|(name, _)| names.contains(&&**name));
        named.next().map(|(_, value)| &**value)
    };
    let flag = |names: &[&str]| value(names).and_then(yes_no) == Some(true);
    let posted = flag(&["Проведен", "Проведён"]);
    let deleted = node.text_of("ПометкаУдаления").and_then(|text| yes_no(&text)) == Some(true);
    let paid = happened(value(&["Номер оплаты по 1С"]), value(&["Дата оплаты по 1С"]));
    let shipped = happened(value(&["Номер отгрузки по 1С"]), value(&["Дата отгрузки по 1С"]));
    let element = |name: &str, requisite: &str| {
        let told = node.text_of(name).or_else(|| value(&[requisite]).map(Cow::Borrowed));
        told.unwrap_or_default().into_owned()
    };
    let number = |text: Option<Cow<'_, str>>| Decimal::parse(&text?).ok();
    let lines = node.child("Товары").into_iter().flat_map(|list| list.children("Товар"));
    OrderDocument {
        number: node.text_of("Номер").unwrap_or_default().into_owned(),
        onec_number: element("Номер1С", "Номер по 1С"),
        // 11 writes the time too, in its own manner: «2026-11-23T9:05:07».
        onec_date: element("Дата1С", "Дата по 1С").split('T').next().unwrap_or("").to_owned(),
        cancelled: deleted || flag(&["ПометкаУдаления", "Отменен", "Отменён"]),
        posted,
        paid: posted && (paid || flag(&["Заказ оплачен", "Оплачен"])),
        shipped: posted && (shipped || flag(&["Отгружен"])),
        // BX3 writes the first with this very slip.
        status: value(&["Статуса заказа ИД", "Статус заказа", "Статус заказа ИД"])
            .unwrap_or_default()
            .to_owned(),
        total_kopecks: number(node.text_of("Сумма"))
            .and_then(|sum| sum.money().ok())
            .map(crate::domain::Money::kopecks),
        lines: lines
            .filter_map(|line| {
                Some(DocumentLine {
                    external_id: onec_id(&line.text_of("Ид")?),
                    title: line.text_of("Наименование").unwrap_or_default().into_owned(),
                    thousandths: number(line.text_of("Количество"))?.quantity().ok()?.thousandths(),
                })
            })
            .collect(),
    }
}
