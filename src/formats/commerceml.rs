//! CommerceML 2.04–3.1: what stock 1C configurations write about goods, prices and stock.
//!
//! Read as a stream: of a file of any size one item at a time is in memory. Names are compared
//! without their namespace; unknown elements are passed over; an item that cannot be read is left
//! out and named. Custom entities do not exist: a document type is refused.
//!
//! Source: the schemas published at <https://v8.1c.ru/tekhnologii/obmen-dannymi-i-integratsiya/standarty-i-formaty/standarty-commerceml/>.

use std::io::{BufReader, Read};
use std::ops::ControlFlow;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::onec_json::Reopen;
use super::text::{Decimal, excerpt, many_lines, one_line, onec_id, yes_no};
use crate::domain::catalog::{
    CatalogHead, CatalogSource, CategoryRecord, CategoryRef, Field, PriceRecord, PriceTypeRecord,
    ProductRecord, Record, SkippedRecord, StockRecord,
};
use crate::domain::{Quantity, Unit};

/// Elements inside elements beyond this depth are refused.
const MAX_DEPTH: usize = 64;
/// More attributes of one element are refused.
const MAX_ATTRIBUTES: usize = 64;
/// A longer text is refused.
const MAX_TEXT: usize = 1024 * 1024;

/// Why a file is not CommerceML.
#[derive(Debug, thiserror::Error)]
pub enum CommerceMlError {
    /// It is not XML, breaks off, or tries what XML bombs try.
    #[error("байт {position}: {why}")]
    Xml {
        /// Where, in bytes of its UTF-8 form.
        position: u64,
        /// What is wrong, in Russian.
        why: String,
    },
    /// It is XML of something else.
    #[error("это не CommerceML: нет элемента «КоммерческаяИнформация»")]
    Foreign,
    /// The source could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The catalogue of a CommerceML file.
pub struct CommerceMl<B>(pub B);

impl<B: Reopen> CatalogSource for CommerceMl<B> {
    type Error = CommerceMlError;

    fn read(
        &mut self,
        each: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<CatalogHead, CommerceMlError> {
        let source = BufReader::with_capacity(64 * 1024, self.0.reopen()?);
        let mut parser = Parser { reader: Reader::from_reader(source), buffer: Vec::new() };
        parser.document(each)
    }
}

/// An element that is small enough to be in memory.
#[derive(Debug, Default)]
struct Node {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Node>,
}

impl Node {
    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The child's text on one line; `None` when it is absent or empty.
    fn text_of(&self, name: &str) -> Option<String> {
        let text = one_line(&self.child(name)?.text);
        Some(text).filter(|text| !text.is_empty())
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }
}

struct Parser<R> {
    reader: Reader<BufReader<R>>,
    buffer: Vec<u8>,
}

/// What the stream brought.
enum Piece {
    Start(Node, bool),
    End,
    Text(String),
    Eof,
}

impl<R: Read> Parser<R> {
    fn error(&self, why: impl Into<String>) -> CommerceMlError {
        CommerceMlError::Xml { position: self.reader.buffer_position(), why: why.into() }
    }

    fn piece(&mut self) -> Result<Piece, CommerceMlError> {
        loop {
            self.buffer.clear();
            let event = self.reader.read_event_into(&mut self.buffer);
            let event = match event {
                Ok(event) => event,
                Err(error) => {
                    let why = error.to_string();
                    return Err(CommerceMlError::Xml {
                        position: self.reader.error_position(),
                        why,
                    });
                }
            };
            let position = self.reader.buffer_position();
            let refuse = |why: &str| CommerceMlError::Xml { position, why: why.to_owned() };
            return Ok(match event {
                Event::Start(start) => Piece::Start(node(&start).map_err(refuse)?, false),
                Event::Empty(start) => Piece::Start(node(&start).map_err(refuse)?, true),
                Event::End(_) => Piece::End,
                Event::Text(text) => Piece::Text(text.to_string()),
                Event::CData(text) => Piece::Text(text.to_string()),
                Event::GeneralRef(name) => {
                    Piece::Text(entity(&name).ok_or_else(|| refuse("неизвестная сущность"))?)
                }
                Event::DocType(_) => return Err(refuse("DOCTYPE не принимается")),
                Event::Eof => Piece::Eof,
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => continue,
            });
        }
    }

    /// Reads the rest of an element.
    fn subtree(&mut self, mut root: Node, depth: usize) -> Result<Node, CommerceMlError> {
        if depth > MAX_DEPTH {
            return Err(self.error("слишком глубокая вложенность"));
        }
        loop {
            match self.piece()? {
                Piece::Start(node, true) => root.children.push(node),
                Piece::Start(node, false) => {
                    let child = self.subtree(node, depth + 1)?;
                    root.children.push(child);
                }
                Piece::Text(text) => {
                    root.text.push_str(&text);
                    if root.text.len() > MAX_TEXT {
                        return Err(self.error("слишком длинный текст"));
                    }
                }
                Piece::End => return Ok(root),
                Piece::Eof => return Err(self.error("файл обрывается")),
            }
        }
    }

    fn document(
        &mut self,
        each: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<CatalogHead, CommerceMlError> {
        let mut head = CatalogHead::default();
        let mut path: Vec<String> = Vec::new();
        let mut index = 0;
        let mut seen_root = false;
        loop {
            match self.piece()? {
                Piece::Eof if path.is_empty() && seen_root => return Ok(head),
                Piece::Eof if !seen_root => return Err(CommerceMlError::Foreign),
                Piece::Eof => return Err(self.error("файл обрывается")),
                Piece::Text(_) => {}
                Piece::End => {
                    path.pop();
                }
                Piece::Start(node, empty) => {
                    if !seen_root {
                        if node.name != "КоммерческаяИнформация" {
                            return Err(CommerceMlError::Foreign);
                        }
                        seen_root = true;
                    }
                    let parent = path.last().map_or("", String::as_str);
                    let whole = matches!(
                        (parent, node.name.as_str()),
                        ("Товары", "Товар")
                            | ("Предложения", "Предложение")
                            | (
                                "Классификатор",
                                "Группы" | "Склады" | "ТипыЦен" | "Владелец" | "Свойства"
                            )
                            | (
                                "ПакетПредложений" | "ИзмененияПакетаПредложений",
                                "Склады" | "ТипыЦен" | "Владелец"
                            )
                            | ("Каталог", "Владелец")
                    );
                    if !whole {
                        if !empty {
                            path.push(node.name);
                            if path.len() > MAX_DEPTH {
                                return Err(self.error("слишком глубокая вложенность"));
                            }
                        }
                        continue;
                    }
                    let node = if empty { node } else { self.subtree(node, path.len() + 1)? };
                    match node.name.as_str() {
                        "Товар" | "Предложение" => {
                            let read = product(&node, index);
                            index += 1;
                            let stop = match read {
                                Ok(record) => each(Record::Product(record)),
                                Err(skipped) => each(Record::Skipped(skipped)),
                            };
                            if stop.is_break() {
                                return Ok(head);
                            }
                        }
                        "Группы" => groups(&node, None, &mut head),
                        "ТипыЦен" => {
                            head.price_types.extend(node.children("ТипЦены").map(|t| {
                                PriceTypeRecord {
                                    external_id: onec_id(&t.text_of("Ид").unwrap_or_default()),
                                    name: t.text_of("Наименование").unwrap_or_default(),
                                    currency: t.text_of("Валюта").unwrap_or_default(),
                                }
                            }));
                        }
                        "Склады" => {
                            head.warehouses.extend(node.children("Склад").filter_map(|w| {
                                let id = onec_id(&w.text_of("Ид")?);
                                Some((id, w.text_of("Наименование").unwrap_or_default()))
                            }));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}

/// A start tag; the name without its prefix.
fn node(start: &BytesStart<'_>) -> Result<Node, &'static str> {
    let name = start.local_name().as_ref().to_owned();
    let mut attributes = Vec::new();
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| "атрибут не читается")?;
        if attributes.len() == MAX_ATTRIBUTES {
            return Err("слишком много атрибутов");
        }
        let key = attribute.key.local_name().as_ref().to_owned();
        let value =
            quick_xml::escape::unescape(&attribute.value).map_err(|_| "атрибут не читается")?;
        attributes.push((key, value.into_owned()));
    }
    Ok(Node { name, attributes, ..Node::default() })
}

/// `&amp;` and its four siblings, `&#8381;`, `&#x20BD;`; there are no others.
fn entity(name: &str) -> Option<String> {
    let code = match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        },
        None => {
            let text = match name {
                "amp" => "&",
                "lt" => "<",
                "gt" => ">",
                "quot" => "\"",
                "apos" => "'",
                _ => return None,
            };
            return Some(text.to_owned());
        }
    };
    char::from_u32(code).map(String::from)
}

fn groups(node: &Node, parent: Option<&str>, head: &mut CatalogHead) {
    for group in node.children("Группа") {
        let id = onec_id(&group.text_of("Ид").unwrap_or_default());
        let title = group.text_of("Наименование").unwrap_or_default();
        if id.is_empty() && title.is_empty() {
            head.warnings.push("группа без ид и названия пропущена".to_owned());
            continue;
        }
        head.categories.push(CategoryRecord {
            external_id: id.clone(),
            title,
            parent_external_id: parent.map(str::to_owned),
            order_index: None,
        });
        for inner in group.children("Группы") {
            groups(inner, Some(&id).filter(|id| !id.is_empty()).map(String::as_str), head);
        }
    }
}

fn set(text: Option<String>) -> Field<String> {
    text.map_or(Field::Keep, Field::Set)
}

fn product(node: &Node, index: usize) -> Result<ProductRecord, SkippedRecord> {
    let offer = node.name == "Предложение";
    let mut id = onec_id(&node.text_of("Ид").unwrap_or_default());
    if let Some(variant) = node.text_of("ИдХарактеристики")
        && !id.contains('#')
    {
        id = onec_id(&format!("{id}#{variant}"));
    }
    let sku = node.text_of("Артикул");
    let fail = |reason: String| SkippedRecord {
        index,
        external_id: id.clone(),
        sku: sku.clone().unwrap_or_else(|| id.clone()),
        reason,
    };
    if id.is_empty() {
        return Err(fail("нет элемента «Ид»".to_owned()));
    }
    let (stock, stocks) = stock(node).map_err(&fail)?;
    Ok(ProductRecord {
        index,
        sku: set(sku.clone()),
        title: title(node, offer, &id),
        category: match node.child("Группы").and_then(|g| g.text_of("Ид")).map(|g| onec_id(&g))
        {
            Some(group) if !group.is_empty() => Field::Set(CategoryRef::External(group)),
            _ => Field::Keep,
        },
        unit: unit(node.child("БазоваяЕдиница")),
        description: set(node
            .child("Описание")
            .map(|d| many_lines(&d.text))
            .filter(|t| !t.is_empty())),
        barcode: set(node.text_of("Штрихкод")),
        stock,
        stocks,
        prices: prices(node).map_err(&fail)?,
        deleted: deleted(node, offer),
        placeholder: offer,
        external_id: id.clone(),
        ..ProductRecord::default()
    })
}

/// The name with the characteristic's values. An offer of 10.3 repeats the bare name of its item:
/// it names nothing new.
fn title(node: &Node, offer: bool, id: &str) -> Field<String> {
    let Some(name) = node.text_of("Наименование") else { return Field::Keep };
    let values: Vec<String> = node
        .child("ХарактеристикиТовара")
        .into_iter()
        .flat_map(|list| list.children("ХарактеристикаТовара"))
        .filter_map(|one| one.text_of("Значение"))
        .collect();
    let variant = id.contains('#');
    let complete = name.ends_with(')');
    if variant && !values.is_empty() && !(offer && complete) {
        return Field::Set(format!("{name} ({})", values.join(", ")));
    }
    if offer && variant && !complete { Field::Keep } else { Field::Set(name) }
}

/// The short name, or the OKEI code where it stands instead of one.
fn unit(node: Option<&Node>) -> Field<Unit> {
    let Some(node) = node else { return Field::Keep };
    let text = one_line(&node.text);
    let code = text.bytes().all(|b| b.is_ascii_digit());
    if !text.is_empty() && !code {
        return Field::Set(Unit::new(&text));
    }
    let by_code = Unit::from_okei(if text.is_empty() {
        node.attribute("Код").unwrap_or("")
    } else {
        &text
    });
    by_code.map_or(Field::Keep, Field::Set)
}

fn deleted(node: &Node, offer: bool) -> Field<bool> {
    let status = node.text_of("Статус");
    let status = status.as_deref().or_else(|| node.attribute("Статус"));
    let marked = node.text_of("ПометкаУдаления").and_then(|text| yes_no(&text));
    match (status, marked) {
        (Some("Удален" | "Удалён"), _) | (_, Some(true)) => Field::Set(true),
        // An item that comes without the mark has been restored; an offer says nothing of that.
        (_, Some(false)) => Field::Set(false),
        _ if offer => Field::Keep,
        _ => Field::Set(false),
    }
}

fn prices(node: &Node) -> Result<Vec<PriceRecord>, String> {
    let mut prices = Vec::new();
    for price in node.child("Цены").into_iter().flat_map(|list| list.children("Цена")) {
        let type_id = onec_id(&price.text_of("ИдТипаЦены").unwrap_or_default());
        let Some(amount) = price.text_of("ЦенаЗаЕдиницу") else { continue };
        let coefficient = price.text_of("Коэффициент").unwrap_or_default();
        let coefficient = match coefficient.as_str() {
            "" => Quantity::whole(1),
            text => Decimal::parse(text)
                .and_then(Decimal::quantity)
                .map_err(|error| format!("Коэффициент = «{}»: {error}", excerpt(text)))?,
        };
        let coefficient =
            if coefficient == Quantity::ZERO { Quantity::whole(1) } else { coefficient };
        let stored = Decimal::parse(&amount)
            .and_then(|amount| amount.price_for(coefficient))
            .map_err(|error| format!("ЦенаЗаЕдиницу = «{}»: {error}", excerpt(&amount)))?;
        let unit = price.text_of("Единица").map(|text| Unit::new(&text));
        prices.push(PriceRecord {
            type_external_id: type_id,
            type_name: String::new(),
            pack: unit.filter(|_| coefficient != Quantity::whole(1)).map(|u| (u, coefficient)),
            price: Some(stored),
        });
    }
    Ok(prices)
}

/// `Количество`; `Склад` with attributes, as 11 writes it; `Остатки` of 2.08 and later.
fn stock(node: &Node) -> Result<(Field<Quantity>, Field<Vec<StockRecord>>), String> {
    let read = |text: &str| {
        Decimal::parse(text)
            .and_then(Decimal::quantity)
            .map_err(|error| format!("Количество = «{}»: {error}", excerpt(text)))
    };
    let mut total = match node.text_of("Количество") {
        Some(text) => Field::Set(read(&text)?),
        None => Field::Keep,
    };
    let mut stocks: Vec<StockRecord> = Vec::new();
    let mut add = |warehouse: &str, text: &str| -> Result<(), String> {
        stocks.push(StockRecord {
            warehouse_external_id: onec_id(warehouse),
            warehouse: String::new(),
            quantity: read(text)?,
        });
        Ok(())
    };
    let outer = node.children.iter().filter(|c| matches!(c.name.as_str(), "Склад" | "Склады"));
    for one in outer.flat_map(|c| std::iter::once(c).chain(c.children("Склад"))) {
        if let (Some(id), Some(quantity)) =
            (one.attribute("ИдСклада"), one.attribute("КоличествоНаСкладе"))
        {
            add(id, quantity)?;
        }
    }
    for rest in node.child("Остатки").into_iter().flat_map(|list| list.children("Остаток"))
    {
        let mut named = false;
        for one in rest.children("Склад") {
            if let (Some(id), Some(quantity)) = (one.text_of("Ид"), one.text_of("Количество"))
            {
                add(&id, &quantity)?;
                named = true;
            }
        }
        let bare = one_line(&rest.text);
        if let Some(text) = rest.text_of("Количество").or(Some(bare).filter(|t| !t.is_empty()))
            && !named
        {
            total = Field::Set(read(&text)?);
        }
    }
    let stocks = if stocks.is_empty() { Field::Keep } else { Field::Set(stocks) };
    Ok((total, stocks))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::catalog::CatalogBatch;
    use crate::formats::text;

    fn read(xml: &str) -> Result<CatalogBatch, CommerceMlError> {
        let mut batch = CatalogBatch::default();
        batch.head = CommerceMl(xml.as_bytes()).read(&mut |record| {
            match record {
                Record::Product(product) => batch.products.push(product),
                Record::Skipped(skipped) => batch.skipped.push(skipped),
            }
            ControlFlow::Continue(())
        })?;
        Ok(batch)
    }

    fn fixture(path: &str) -> CatalogBatch {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/commerceml/");
        let bytes = std::fs::read(format!("{folder}{path}")).expect("a fixture");
        read(&text::decode(&bytes)).expect("reads")
    }

    #[test]
    fn an_export_of_10_3_is_read_whole_in_both_encodings() {
        let (import, offers) = (fixture("ut103/import.xml"), fixture("ut103/offers.xml"));
        assert_eq!(import.head.categories.len(), 20);
        assert_eq!((import.skipped.len(), offers.skipped.len()), (0, 0));
        assert_eq!(import.products.len(), 27);
        assert_eq!(
            import.products[0].title,
            Field::Set("Поролон ST 2236 лист 1000х2000 (20)".to_owned())
        );
        assert_eq!(offers.head.price_types.len(), 3);
        assert_eq!(offers.products[0].prices.len(), 3);
        assert_eq!(offers.products[0].stock, Field::Set(Quantity::whole(140)));
        assert_eq!(offers.products[0].title, Field::Keep);
        assert_eq!(fixture("ut103-1251/import.xml").products, import.products);
        assert_eq!(fixture("ut103-1251/offers.xml").products, offers.products);
    }

    #[test]
    fn every_fixture_is_read_without_a_loss() {
        for path in [
            "ut103-changes/import.xml",
            "ut103-changes/offers.xml",
            "ut11-2.07/import0_1.xml",
            "ut11-2.07/import0_2.xml",
            "ut11-2.07/offers0_1.xml",
            "ut11-2.07/offers0_1-changes.xml",
            "split-2.09/import0_1.xml",
            "split-2.09/offers0_1.xml",
            "split-2.09/prices0_1.xml",
            "split-2.09/rests0_1.xml",
            "split-3.1/rests___8d9d4d75-1c28-11eb-8f16-00155d0a4e11.xml",
        ] {
            let batch = fixture(path);
            assert!(!batch.products.is_empty() && batch.skipped.is_empty(), "{path}");
        }
        let rests = fixture("split-2.09/rests0_1.xml");
        assert_eq!(rests.products[0].stocks.set().map(Vec::len), Some(2));
        assert_eq!(rests.products[0].prices, []);
        let changes = fixture("ut11-2.07/offers0_1-changes.xml");
        assert!(changes.products[0].external_id.contains('#'));
        assert_eq!(changes.products[0].stocks.set().map(Vec::len), Some(2));
    }

    #[test]
    fn bombs_strangers_and_cut_files_are_refused() {
        for xml in [
            "",
            "<a/>",
            "<КоммерческаяИнформация>",
            "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><КоммерческаяИнформация/>",
            "<КоммерческаяИнформация><Каталог><Товары><Товар><Ид>&a;</Ид></Товар></Товары></Каталог></КоммерческаяИнформация>",
        ] {
            assert!(read(xml).is_err(), "{xml}");
        }
        let deep = format!("<КоммерческаяИнформация>{}", "<а>".repeat(10_000));
        assert!(read(&deep).is_err());
        let wide = (0..100_000).fold(String::new(), |wide, n| wide + &format!(" a{n}=\"1\""));
        assert!(read(&format!("<КоммерческаяИнформация{wide}/>")).is_err());
        assert!(read("<КоммерческаяИнформация/>").is_ok());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(<|>|/|&|Товар|Товары|Каталог|Ид|Цена| |\"|=|[а-я]){0,40}") {
            let _ = read(&format!("<КоммерческаяИнформация>{text}</КоммерческаяИнформация>"));
        }
    }
}
