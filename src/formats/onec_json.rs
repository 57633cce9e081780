//! The catalogue as JSON: what 1C modules push to us, what we pull, and what we export.
//!
//! Four shapes of a body, many names for a field, numbers as 1C writes them. A record that cannot
//! be read is left out and named; a body that cannot be read is refused as a whole.

use std::io::{self, Read};
use std::ops::ControlFlow;

use super::json::{JsonError, Kind, Reader, Value};
use super::text::{
    Decimal, NumberError, excerpt, into_line, into_lines, one_line, onec_id, yes_no,
};
use crate::domain::catalog::{
    CatalogHead, CatalogSource, CategoryRecord, CategoryRef, Field, PriceRecord, ProductCard,
    ProductRecord, Record, SkippedRecord, StockRecord,
};
use crate::domain::{Price, Quantity, Unit};

/// A text of an item that is longer is no title and no article: bytes, as in a cell of a table.
const MAX_TEXT: usize = 32 * 1024;
/// The same for a description.
const MAX_DESCRIPTION: usize = 1024 * 1024;
const TOO_LONG: &str = "слишком длинный текст";

/// Why a body is not a catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogJsonError {
    /// It is not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It is JSON, but of none of the known shapes.
    #[error("не похоже на каталог: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Shape(Vec<ShapeError>),
}

/// What is wrong with the shape of a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct ShapeError {
    /// The place: `body`, `items`.
    pub field: String,
    /// What was expected there, in Russian.
    pub why: String,
}

/// A body that can be read again and again.
pub trait Reopen {
    /// What reads it.
    type Reader: Read;

    /// The body from its start, as UTF-8 without a byte-order mark.
    fn reopen(&mut self) -> io::Result<Self::Reader>;
}

impl<'a> Reopen for &'a [u8] {
    type Reader = &'a [u8];

    fn reopen(&mut self) -> io::Result<&'a [u8]> {
        Ok(self)
    }
}

/// The catalogue of a JSON body.
pub struct CatalogJson<B>(pub B);

impl<B: Reopen> CatalogSource for CatalogJson<B> {
    type Error = CatalogJsonError;

    fn read(
        &mut self,
        each: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<CatalogHead, CatalogJsonError> {
        let reader = Reader::new(self.0.reopen().map_err(JsonError::from)?);
        Decoder::new(reader, each).body()
    }
}

struct Decoder<'e, R> {
    reader: Reader<R>,
    each: &'e mut dyn FnMut(Record) -> ControlFlow<()>,
    stopped: bool,
    key: String,
    text: String,
    index: usize,
    objects: usize,
    head: CatalogHead,
    shape: Vec<ShapeError>,
}

impl<'e, R: Read> Decoder<'e, R> {
    fn new(reader: Reader<R>, each: &'e mut dyn FnMut(Record) -> ControlFlow<()>) -> Self {
        Self {
            reader,
            each,
            stopped: false,
            key: String::with_capacity(64),
            text: String::with_capacity(1024),
            index: 0,
            objects: 0,
            head: CatalogHead::default(),
            shape: Vec::new(),
        }
    }

    fn body(mut self) -> Result<CatalogHead, CatalogJsonError> {
        match self.reader.value(&mut self.text)? {
            Kind::Array => self.items()?,
            Kind::Object => self.object()?,
            other => {
                self.reader.skip(other, &mut self.text)?;
                self.wrong("body", "ожидается список товаров или объект с полем items");
            }
        }
        if !self.stopped {
            self.reader.finish()?;
        }
        if self.index > 0 && self.objects == 0 && self.shape.is_empty() {
            self.wrong("items", "ожидаются объекты");
        }
        if self.shape.is_empty() { Ok(self.head) } else { Err(CatalogJsonError::Shape(self.shape)) }
    }

    fn wrong(&mut self, field: &str, why: &str) {
        self.shape.push(ShapeError { field: field.to_owned(), why: why.to_owned() });
    }

    /// The body's object: lists of items under their names, or an item itself.
    fn object(&mut self) -> Result<(), CatalogJsonError> {
        let mut first = true;
        let mut lists = false;
        let mut wrong_lists = Vec::new();
        let mut item = Item::default();
        let mut key = String::new();
        while !self.stopped && self.reader.next_key(&mut first, &mut key)? {
            match key.as_str() {
                "items" | "catalog" | "products" => {
                    match self.reader.value(&mut self.text)? {
                        Kind::Array => self.items()?,
                        Kind::Object => self.item()?,
                        other => {
                            self.reader.skip(other, &mut self.text)?;
                            wrong_lists.push(key.clone());
                            continue;
                        }
                    }
                    lists = true;
                }
                "categories" => {
                    let tree = self.reader.tree()?;
                    match tree {
                        Value::Array(_) | Value::Object(_) => {
                            lists = true;
                            self.categories(tree.elements());
                        }
                        Value::Null => {}
                        _ => wrong_lists.push(key.clone()),
                    }
                }
                "price_type" => {
                    let kind = self.reader.value(&mut self.text)?;
                    if matches!(kind, Kind::Text | Kind::Number) {
                        self.head.price_type = one_line(&self.text);
                    }
                    self.reader.skip(kind, &mut self.text)?;
                }
                "full" => {
                    let kind = self.reader.value(&mut self.text)?;
                    let said = match kind {
                        Kind::Bool(value) => Some(value),
                        Kind::Null => Some(false),
                        Kind::Text | Kind::Number => yes_no(&self.text),
                        Kind::Object | Kind::Array => None,
                    };
                    self.reader.skip(kind, &mut self.text)?;
                    match said {
                        Some(full) => self.head.full = full,
                        // Hiding is too much to be guessed.
                        None => self.wrong("full", "ожидается true или false"),
                    }
                }
                other => item.field(other, &mut self.reader, &mut self.text)?,
            }
        }
        if lists {
            return Ok(());
        }
        for list in &wrong_lists {
            self.wrong(list, "ожидается список");
        }
        if wrong_lists.is_empty() {
            if item.is_named() {
                self.hand_over(item);
            } else {
                self.wrong("body", "нет ни списка items, catalog или products, ни полей товара");
            }
        }
        Ok(())
    }

    fn items(&mut self) -> Result<(), CatalogJsonError> {
        let mut first = true;
        while !self.stopped && self.reader.next_element(&mut first)? {
            match self.reader.value(&mut self.text)? {
                Kind::Object => self.item()?,
                other => {
                    self.reader.skip(other, &mut self.text)?;
                    let skipped = SkippedRecord {
                        index: self.index,
                        external_id: String::new(),
                        sku: String::new(),
                        reason: "ожидается объект".to_owned(),
                    };
                    self.index += 1;
                    self.stopped = (self.each)(Record::Skipped(skipped)).is_break();
                }
            }
        }
        Ok(())
    }

    fn item(&mut self) -> Result<(), CatalogJsonError> {
        let mut item = Item::default();
        let mut first = true;
        let mut key = std::mem::take(&mut self.key);
        while self.reader.next_key(&mut first, &mut key)? {
            item.field(&key, &mut self.reader, &mut self.text)?;
        }
        self.key = key;
        self.hand_over(item);
        Ok(())
    }

    fn hand_over(&mut self, item: Item) {
        let index = self.index;
        self.index += 1;
        self.objects += 1;
        self.stopped = match item.record(index) {
            Ok(record) => (self.each)(Record::Product(record)),
            Err(skipped) => (self.each)(Record::Skipped(skipped)),
        }
        .is_break();
    }

    fn categories(&mut self, elements: &[Value]) {
        for (index, element) in elements.iter().enumerate() {
            let text = |names: &[&str]| element.get(names).and_then(Value::text).map(str::to_owned);
            let external_id = text(&["external_id", "id", "guid"]).map(|id| onec_id(&id));
            let external_id = external_id.unwrap_or_default();
            let title = text(&["title", "name", "title_ru"]).map(|t| one_line(&t));
            let title = title.unwrap_or_default();
            if external_id.is_empty() && title.is_empty() {
                let warning = format!("categories[{index}]: нет ни external_id, ни title");
                self.head.warnings.push(warning);
                continue;
            }
            if external_id.len().max(title.len()) > MAX_TEXT {
                self.head.warnings.push(format!("categories[{index}]: {TOO_LONG}"));
                continue;
            }
            let parent =
                text(&["parent_external_id", "parent_id", "parent"]).map(|id| onec_id(&id));
            let order_index = text(&["order_index"]).and_then(|n| n.trim().parse().ok());
            self.head.categories.push(CategoryRecord {
                external_id,
                title,
                parent_external_id: parent.filter(|id| !id.is_empty()),
                order_index,
            });
        }
    }
}

/// A value under one of several names: the first name that holds anything wins.
#[derive(Default)]
struct Slot {
    rank: u8,
    value: Field<String>,
}

impl Slot {
    fn put(&mut self, rank: u8, value: Field<String>) {
        let better = match (&self.value, &value) {
            (Field::Keep, _) | (Field::Clear, Field::Set(_)) => true,
            (Field::Set(_), Field::Clear | Field::Keep) | (Field::Clear, Field::Keep) => false,
            (Field::Set(_), Field::Set(_)) | (Field::Clear, Field::Clear) => rank <= self.rank,
        };
        if better {
            *self = Self { rank, value };
        }
    }
}

/// An item while it is read. The first thing that is wrong with it is kept.
#[derive(Default)]
struct Item {
    named: bool,
    external_id: Slot,
    sku: Slot,
    title: Slot,
    category: Field<String>,
    category_external_id: Field<String>,
    stock: Slot,
    price: Field<String>,
    pack_size: Field<String>,
    multiple: Field<String>,
    record: ProductRecord,
    wrong: Option<String>,
}

impl Item {
    /// Whether there is a key or a title.
    fn is_named(&self) -> bool {
        self.named
    }

    fn field<R: Read>(
        &mut self,
        key: &str,
        reader: &mut Reader<R>,
        text: &mut String,
    ) -> Result<(), JsonError> {
        match key {
            "prices" => {
                self.prices(&reader.tree()?);
                return Ok(());
            }
            "stocks" => {
                self.stocks(&reader.tree()?);
                return Ok(());
            }
            "packs" => {
                self.packs(&reader.tree()?);
                return Ok(());
            }
            _ => {}
        }
        let kind = reader.value(text)?;
        if !is_field(key) {
            return reader.skip(kind, text);
        }
        if matches!(key, "deleted" | "hidden") {
            let said = match kind {
                Kind::Null => Some(Field::Clear),
                Kind::Bool(value) => Some(Field::Set(value)),
                Kind::Number | Kind::Text if text.trim().is_empty() => Some(Field::Clear),
                Kind::Number | Kind::Text => yes_no(text).map(Field::Set),
                Kind::Object | Kind::Array => None,
            };
            match said {
                Some(said) if key == "deleted" => self.record.deleted = said,
                Some(said) => self.record.hidden = said,
                None => self.fault(key, text, "ожидается true или false"),
            }
            return reader.skip(kind, text);
        }
        let value = match kind {
            Kind::Null => Field::Clear,
            Kind::Text | Kind::Number if text.trim().is_empty() => Field::Clear,
            Kind::Text | Kind::Number => Field::Set(text.clone()),
            Kind::Bool(_) | Kind::Object | Kind::Array => {
                self.fault(key, "", "ожидается строка или число");
                return reader.skip(kind, text);
            }
        };
        let most = if key == "description" { MAX_DESCRIPTION } else { MAX_TEXT };
        if value.set().is_some_and(|text| text.len() > most) {
            self.fault(key, "", TOO_LONG);
            return Ok(());
        }
        let filled = matches!(value, Field::Set(_));
        match key {
            "external_id" => self.external_id.put(0, value),
            "guid" => self.external_id.put(1, value),
            "id" => self.external_id.put(2, value),
            "sku" => self.sku.put(0, value),
            "article" => self.sku.put(1, value),
            "title" => self.title.put(0, value),
            "name" => self.title.put(1, value),
            "title_ru" => self.title.put(2, value),
            "category" => self.category = value,
            "category_external_id" => self.category_external_id = value,
            "stock_qty" => self.stock.put(0, value),
            "qty" => self.stock.put(1, value),
            "quantity" => self.stock.put(2, value),
            "stock" => self.stock.put(3, value),
            "price" => self.price = value,
            "pack_size" => self.pack_size = value,
            "multiple" => self.multiple = value,
            "unit" => self.record.unit = map(value, |t| Unit::new(&one_line(&t))),
            "barcode" => self.record.barcode = map(value, into_line),
            "search_words" => self.record.search_words = map(value, into_line),
            "description" => self.record.description = map(value, into_lines),
            _ => {}
        }
        self.named |= filled
            && matches!(
                key,
                "external_id" | "guid" | "id" | "sku" | "article" | "title" | "name" | "title_ru"
            );
        Ok(())
    }

    fn fault(&mut self, field: &str, value: &str, why: &str) {
        if self.wrong.is_none() {
            let shown = excerpt(value);
            self.wrong = Some(if shown.is_empty() {
                format!("поле «{field}»: {why}")
            } else {
                format!("поле «{field}» = «{shown}»: {why}")
            });
        }
    }

    fn number<T>(
        &mut self,
        field: &str,
        value: Field<String>,
        read: impl FnOnce(Decimal) -> Result<T, NumberError>,
    ) -> Field<T> {
        match value {
            Field::Keep => Field::Keep,
            Field::Clear => Field::Clear,
            Field::Set(text) => match Decimal::parse(&text).and_then(read) {
                Ok(number) => Field::Set(number),
                Err(error) => {
                    self.fault(field, &text, &error.to_string());
                    Field::Keep
                }
            },
        }
    }

    /// `[{"type","price","unit","coefficient"}]`; an id of the type may stand in `type_external_id`.
    fn prices(&mut self, list: &Value) {
        if list.is_empty() {
            return;
        }
        for element in list.elements() {
            let field = |name: &str| match element.get(&[name]) {
                None => Field::Keep,
                Some(value) if value.is_empty() => Field::Clear,
                Some(value) => value.text().map_or(Field::Keep, |t| Field::Set(t.to_owned())),
            };
            let Some(price) = element.get(&["price"]) else {
                self.fault("prices", "", "ожидается список объектов с полями type и price");
                continue;
            };
            if price.text().is_none() && !price.is_empty() {
                self.fault("prices.price", "", "ожидается число");
                continue;
            }
            if is_long(element, &["type", "type_external_id", "unit"]) {
                self.fault("prices", "", TOO_LONG);
                continue;
            }
            let coefficient =
                self.number("prices.coefficient", field("coefficient"), Decimal::quantity);
            let coefficient = match coefficient {
                Field::Set(quantity) if quantity.is_positive() => quantity,
                Field::Set(quantity) if quantity < Quantity::ZERO => {
                    self.fault("prices.coefficient", "", "отрицательное число");
                    continue;
                }
                _ => Quantity::whole(1),
            };
            let price = self.number("prices.price", field("price"), |d| d.price_for(coefficient));
            let unit = field("unit").set().map(|t| Unit::new(&one_line(t)));
            self.record.prices.push(PriceRecord {
                type_external_id: field("type_external_id")
                    .set()
                    .map_or_else(String::new, |t| onec_id(t)),
                type_name: field("type").set().map_or_else(String::new, |t| one_line(t)),
                pack: unit.filter(|_| coefficient != Quantity::whole(1)).map(|u| (u, coefficient)),
                price: price.set().copied(),
            });
        }
    }

    /// `[{"warehouse","qty"}]`; an id of the warehouse may stand in `warehouse_external_id`.
    fn stocks(&mut self, list: &Value) {
        if list.is_empty() || list.elements().is_empty() {
            self.record.stocks = Field::Clear;
            return;
        }
        let mut stocks = Vec::new();
        for element in list.elements() {
            let text = |names: &[&str]| element.get(names).and_then(Value::text);
            let quantity = match element.get(&["qty", "stock_qty", "quantity", "stock"]) {
                Some(value) if value.is_empty() => Field::Clear,
                Some(Value::Text(t) | Value::Number(t)) => Field::Set(t.clone()),
                _ => {
                    self.fault("stocks", "", "ожидается список объектов с полями warehouse и qty");
                    continue;
                }
            };
            if is_long(element, &["warehouse", "name", "warehouse_external_id"]) {
                self.fault("stocks", "", TOO_LONG);
                continue;
            }
            let quantity = self.number("stocks.qty", quantity, Decimal::quantity);
            stocks.push(StockRecord {
                warehouse_external_id: text(&["warehouse_external_id"])
                    .map_or_else(String::new, onec_id),
                warehouse: text(&["warehouse", "name"]).map_or_else(String::new, one_line),
                quantity: quantity.set().copied().unwrap_or_default(),
            });
        }
        self.record.stocks = Field::Set(stocks);
    }

    /// `[{"unit","coefficient"}]`, as our own export writes them.
    fn packs(&mut self, list: &Value) {
        if list.is_empty() || list.elements().is_empty() {
            self.record.packs = Field::Clear;
            return;
        }
        let mut packs = Vec::new();
        for element in list.elements() {
            let unit = element.get(&["unit"]).and_then(Value::text);
            let coefficient = element.get(&["coefficient"]).and_then(Value::text);
            let (Some(unit), Some(coefficient)) = (unit, coefficient) else {
                self.fault("packs", "", "ожидается список объектов с полями unit и coefficient");
                continue;
            };
            if is_long(element, &["unit"]) {
                self.fault("packs", "", TOO_LONG);
                continue;
            }
            let coefficient = Field::Set(coefficient.to_owned());
            let coefficient =
                self.number("packs.coefficient", coefficient, Decimal::positive_quantity);
            if let Field::Set(coefficient) = coefficient {
                packs.push((Unit::new(&one_line(unit)), coefficient));
            }
        }
        self.record.packs = Field::Set(packs);
    }

    fn record(mut self, index: usize) -> Result<ProductRecord, SkippedRecord> {
        let price = std::mem::take(&mut self.price);
        self.record.price = self.number("price", price, Decimal::price);
        let stock = std::mem::take(&mut self.stock.value);
        self.record.stock = self.number("stock_qty", stock, Decimal::quantity);
        let pack_size = std::mem::take(&mut self.pack_size);
        self.record.pack_size = above_zero(self.number("pack_size", pack_size, pack_quantity));
        let multiple = std::mem::take(&mut self.multiple);
        self.record.multiple = above_zero(self.number("multiple", multiple, pack_quantity));
        let mut record = self.record;
        record.index = index;
        record.external_id = self.external_id.value.set().map(|t| onec_id(t)).unwrap_or_default();
        record.sku = map(self.sku.value, into_line);
        record.title = map(self.title.value, into_line);
        record.category = category(self.category, self.category_external_id);
        match self.wrong {
            None => Ok(record),
            Some(reason) => Err(SkippedRecord {
                index,
                sku: record.name().to_owned(),
                external_id: record.external_id,
                reason,
            }),
        }
    }
}

/// Whether one of these members is longer than a name can be.
fn is_long(element: &Value, names: &[&str]) -> bool {
    names.iter().filter_map(|name| element.get(&[name])?.text()).any(|t| t.len() > MAX_TEXT)
}

/// 1C writes 0 for «no pack» and «no multiple».
fn pack_quantity(decimal: Decimal) -> Result<Quantity, NumberError> {
    let quantity = decimal.quantity()?;
    if quantity < Quantity::ZERO { Err(NumberError::Negative) } else { Ok(quantity) }
}

fn above_zero(field: Field<Quantity>) -> Field<Quantity> {
    match field {
        Field::Set(quantity) if !quantity.is_positive() => Field::Clear,
        other => other,
    }
}

fn is_field(key: &str) -> bool {
    matches!(
        key,
        "external_id"
            | "guid"
            | "id"
            | "sku"
            | "article"
            | "title"
            | "name"
            | "title_ru"
            | "category"
            | "category_external_id"
            | "stock_qty"
            | "qty"
            | "quantity"
            | "stock"
            | "price"
            | "pack_size"
            | "multiple"
            | "unit"
            | "barcode"
            | "search_words"
            | "description"
            | "deleted"
            | "hidden"
    )
}

fn map<T>(field: Field<String>, make: impl FnOnce(String) -> T) -> Field<T> {
    match field {
        Field::Keep => Field::Keep,
        Field::Clear => Field::Clear,
        Field::Set(text) => Field::Set(make(text)),
    }
}

/// An id goes before a path: it cannot be mistaken. The path says where one that is new belongs.
fn category(path: Field<String>, external_id: Field<String>) -> Field<CategoryRef> {
    let id = map(external_id, |t| onec_id(&t));
    if let Field::Set(id) = &id
        && !id.is_empty()
    {
        let path = path.set().map_or_else(Vec::new, |path| category_path(path));
        return Field::Set(CategoryRef::External { id: id.clone(), path });
    }
    match path {
        Field::Set(path) => {
            let path = category_path(&path);
            if path.is_empty() { Field::Clear } else { Field::Set(CategoryRef::Path(path)) }
        }
        Field::Keep if id == Field::Keep => Field::Keep,
        Field::Keep | Field::Clear => Field::Clear,
    }
}

/// «A/B/C» → its parts, blanks around them gone; empty parts do not count.
pub fn category_path(text: &str) -> Vec<String> {
    text.split('/').map(one_line).filter(|part| !part.is_empty()).collect()
}

/// How a price is written so that it is read back as it is stored: the decimal of one base unit
/// where that is exact, else the amount for so many base units.
pub fn written_price(price: Price) -> (String, Option<u32>) {
    let each = price.decimal();
    let exact = Decimal::parse(&each).and_then(Decimal::price) == Ok(price);
    if exact { (each, None) } else { (price.amount.decimal(), Some(price.per)) }
}

/// Writes a catalogue as `{"items":[…]}`, an item a line. Reading it back changes nothing.
/// `price_type`: the name of the type of the items' own price; empty: it has none.
pub fn write_catalog(cards: &[ProductCard], price_type: &str) -> String {
    let mut out = String::from("{\"items\":[");
    for (index, card) in cards.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        write_card(&mut out, card);
    }
    out.push_str("\n]");
    if !price_type.is_empty() {
        out.push_str(",\"price_type\":");
        out.push_str(&quoted(price_type));
    }
    out.push_str("}\n");
    out
}

fn write_card(out: &mut String, card: &ProductCard) {
    let mut members: Vec<(&str, String)> = Vec::new();
    let mut text = |name, value: &str| {
        if !value.is_empty() {
            members.push((name, quoted(value)));
        }
    };
    text("external_id", &card.external_id);
    text("sku", &card.sku);
    text("title", &card.title);
    text("category", &card.category.join("/"));
    text("category_external_id", card.category_external_id.as_deref().unwrap_or(""));
    text("unit", card.unit.as_str());
    text("description", &card.description);
    text("barcode", &card.barcode);
    text("search_words", &card.search_words);
    if let Some(price) = card.price {
        members.push(("price", price.decimal()));
    }
    let list = |items: Vec<String>| format!("[{}]", items.join(","));
    if !card.prices.is_empty() {
        let prices = card.prices.iter().map(|(name, price)| {
            let (amount, per) = written_price(*price);
            let Some(per) = per else {
                return format!("{{\"type\":{},\"price\":{amount}}}", quoted(name));
            };
            let size = Quantity::whole(i64::from(per));
            let pack = card.packs.iter().find(|(_, coefficient)| *coefficient == size);
            let unit = pack.map_or_else(String::new, |(unit, _)| {
                format!("\"unit\":{},", quoted(unit.as_str()))
            });
            format!("{{\"type\":{},\"price\":{amount},{unit}\"coefficient\":{per}}}", quoted(name))
        });
        members.push(("prices", list(prices.collect())));
    }
    members.push(("stock_qty", card.stock.decimal()));
    if !card.stocks.is_empty() {
        let stocks = card.stocks.iter().map(|(warehouse, quantity)| {
            format!("{{\"warehouse\":{},\"qty\":{}}}", quoted(warehouse), quantity.decimal())
        });
        members.push(("stocks", list(stocks.collect())));
    }
    if !card.packs.is_empty() {
        let packs = card.packs.iter().map(|(unit, coefficient)| {
            let unit = quoted(unit.as_str());
            format!("{{\"unit\":{unit},\"coefficient\":{}}}", coefficient.decimal())
        });
        members.push(("packs", list(packs.collect())));
    }
    if let Some(multiple) = card.multiple {
        members.push(("multiple", multiple.decimal()));
    }
    for (name, value) in [("hidden", card.hidden), ("deleted", card.deleted)] {
        if value {
            members.push((name, "true".to_owned()));
        }
    }
    let members: Vec<String> =
        members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    out.push('{');
    out.push_str(&members.join(","));
    out.push('}');
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::catalog::CatalogBatch;

    /// The whole of a body in memory.
    fn read(body: &str) -> Result<CatalogBatch, CatalogJsonError> {
        let mut batch = CatalogBatch::default();
        batch.head = CatalogJson(body.as_bytes()).read(&mut |record| {
            match record {
                Record::Product(product) => batch.products.push(product),
                Record::Skipped(skipped) => batch.skipped.push(skipped),
            }
            ControlFlow::Continue(())
        })?;
        Ok(batch)
    }

    fn one(item: &str) -> ProductRecord {
        let batch = read(&format!("[{item}]")).expect("reads");
        assert_eq!(batch.skipped, [], "{item}");
        batch.products.into_iter().next().expect("one product")
    }

    fn reason(item: &str) -> String {
        let batch = read(&format!("[{item}]")).expect("reads");
        assert_eq!(batch.products, [], "{item}");
        batch.skipped[0].reason.clone()
    }

    #[test]
    fn every_shape_of_a_body_is_read() {
        let item = r#"{"sku":"A","title":"Т"}"#;
        for body in [
            format!("[{item}]"),
            item.to_owned(),
            format!(r#"{{"items":[{item}]}}"#),
            format!(r#"{{"items":{item}}}"#),
            format!(r#"{{"catalog":[{item}]}}"#),
            format!(r#"{{"categories":[],"products":[{item}]}}"#),
            format!(r#"{{"meta":{{"items":[1]}},"products":{item},"full":"Нет"}}"#),
            format!(" [ {item} , ] "),
        ] {
            let batch = read(&body).expect("reads");
            assert_eq!(batch.products.len(), 1, "{body}");
            assert_eq!(batch.products[0].sku, Field::Set("A".to_owned()));
        }
        for body in ["[]", r#"{"items":[]}"#, r#"{"categories":[{"title":"К"}]}"#] {
            assert_eq!(read(body).expect("reads").products, []);
        }
    }

    #[test]
    fn another_shape_is_refused_with_the_place_named() {
        for body in [
            "5",
            "\"x\"",
            "null",
            "{}",
            r#"{"items":5}"#,
            r#"{"data":[]}"#,
            "[1,2]",
            r#"{"full":[],"items":[]}"#,
        ] {
            assert!(matches!(read(body), Err(CatalogJsonError::Shape(_))), "{body}");
        }
        let error = read(r#"{"items":5}"#).expect_err("refused").to_string();
        assert_snapshot!(error, @"не похоже на каталог: items: ожидается список");
        assert!(matches!(read("[{\"sku\":\"A\"}"), Err(CatalogJsonError::Json(_))));
    }

    #[test]
    fn the_names_of_a_field_go_in_order() {
        let record = one(
            r#"{"name":"Имя","title":"","id":7,"external_id":"","article":" А-1 ","qty":"","stock_qty":"1 234,5"}"#,
        );
        assert_eq!(record.title, Field::Set("Имя".to_owned()));
        assert_eq!(record.external_id, "7");
        assert_eq!(record.sku, Field::Set("А-1".to_owned()));
        assert_eq!(record.stock, Field::Set(Quantity::from_thousandths(1_234_500)));
        let record = one(r#"{"title":"Т","name":"И","stock":1,"qty":2,"sku":null}"#);
        assert_eq!(record.title, Field::Set("Т".to_owned()));
        assert_eq!(record.stock, Field::Set(Quantity::whole(2)));
        assert_eq!(record.sku, Field::Clear);
    }

    #[test]
    fn absent_keeps_and_empty_clears() {
        let record = one(r#"{"sku":"A"}"#);
        assert_eq!((record.price, record.stock), (Field::Keep, Field::Keep));
        let record =
            one(r#"{"sku":"A","price":null,"stock_qty":"","description":" ","category":""}"#);
        assert_eq!((record.price, record.stock), (Field::Clear, Field::Clear));
        assert_eq!((record.description, record.category), (Field::Clear, Field::Clear));
    }

    #[test]
    fn a_value_that_cannot_be_read_spoils_its_item_only() {
        assert_snapshot!(reason(r#"{"sku":"A","price":"12р"}"#), @"поле «price» = «12р»: не число");
        assert_snapshot!(reason(r#"{"sku":"A","price":NaN}"#), @"поле «price» = «NaN»: не число");
        assert_snapshot!(reason(r#"{"sku":"A","stock_qty":1e308}"#), @"поле «stock_qty» = «1e308»: слишком большое число");
        assert_snapshot!(reason(r#"{"sku":"A","price":-1}"#), @"поле «price» = «-1»: отрицательное число");
        assert_snapshot!(reason(r#"{"sku":{"a":[1]},"title":"Т"}"#), @"поле «sku»: ожидается строка или число");
        assert_snapshot!(reason(r#"{"sku":"A","hidden":"может быть"}"#), @"поле «hidden» = «может быть»: ожидается true или false");
        assert_snapshot!(reason(r#"{"sku":"A","prices":[{"type":"Опт","price":"x"}]}"#), @"поле «prices.price» = «x»: не число");
        assert_snapshot!(reason(r#"{"sku":"A","price":"0.0000001"}"#), @"поле «price» = «0.0000001»: слишком маленькое число");
        let batch = read(r#"[7,{"sku":"A","price":"x"},{"sku":"B"}]"#).expect("reads");
        assert_eq!(batch.skipped.iter().map(|s| s.index).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(batch.products[0].index, 2);
    }

    #[test]
    fn a_text_of_any_length_is_no_name() {
        let long = "т".repeat(MAX_TEXT / 2 + 1);
        assert_snapshot!(reason(&format!(r#"{{"sku":"A","title":"{long}"}}"#)), @"поле «title»: слишком длинный текст");
        assert_snapshot!(reason(&format!(r#"{{"sku":"A","prices":[{{"type":"{long}","price":1}}]}}"#)), @"поле «prices»: слишком длинный текст");
        assert_snapshot!(reason(&format!(r#"{{"sku":"A","stocks":[{{"warehouse":"{long}","qty":1}}]}}"#)), @"поле «stocks»: слишком длинный текст");
        let described = one(&format!(r#"{{"sku":"A","description":"{long}"}}"#));
        assert!(matches!(described.description, Field::Set(text) if text == long));
        let batch = read(&format!(r#"{{"categories":[{{"title":"{long}"}}],"items":[]}}"#));
        let head = batch.expect("reads").head;
        assert_eq!((head.categories.len(), head.warnings.len()), (0, 1));
    }

    #[test]
    fn categories_prices_and_stocks_are_read() {
        let batch = read(
            r#"{"categories":[{"external_id":"1","title_ru":"Крепёж","parent_external_id":""},
                {"external_id":"2","name":"Саморезы","parent_external_id":"1","order_index":3},{}],
               "products":[{"sku":"A","title":"Т","category":" Крепёж / Саморезы ","prices":[
                 {"type":"Опт","price":"850,5","unit":"тыс. шт","coefficient":1000},
                 {"type":"Розница","price":null}],
                 "stocks":[{"warehouse":"Химки","qty":"5"},{"warehouse":"Центр","qty":-1}]}],
               "price_type":" Опт ","full":1}"#,
        )
        .expect("reads");
        assert!(batch.head.full);
        assert_eq!(batch.head.price_type, "Опт");
        assert_eq!(batch.head.categories.len(), 2);
        assert_eq!(batch.head.categories[1].parent_external_id.as_deref(), Some("1"));
        assert_eq!(batch.head.warnings.len(), 1);
        let product = &batch.products[0];
        let path = vec!["Крепёж".to_owned(), "Саморезы".to_owned()];
        assert_eq!(product.category, Field::Set(CategoryRef::Path(path)));
        assert_eq!(
            product.prices[0].price.map(|p| (p.amount.kopecks(), p.per)),
            Some((85_050, 1_000))
        );
        assert_eq!(product.prices[0].pack, Some((Unit::new("тыс шт"), Quantity::whole(1_000))));
        assert_eq!(product.prices[1].price, None);
        assert_eq!(product.stocks.set().map(Vec::len), Some(2));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in "\\PC{0,80}") {
            let _ = read(&body);
        }

        #[test]
        fn no_item_makes_it_panic(
            key in prop_oneof![Just("price"), Just("prices"), Just("stocks"), Just("packs"), Just("deleted"), Just("category"), Just("id"), Just("multiple")],
            value in prop_oneof!["[0-9 ,.eE-]{1,12}".prop_map(|t| format!("\"{t}\"")), "-?[0-9]{1,40}", Just("[{}]".to_owned()), Just("[[null]]".to_owned()), Just("{\"type\":1,\"price\":2,\"qty\":3,\"unit\":\"м\",\"coefficient\":0}".to_owned())],
        ) {
            let body = format!(r#"[{{"sku":"A","{key}":{value}}}]"#);
            let batch = read(&body);
            prop_assert!(batch.is_err() || batch.is_ok_and(|b| b.products.len() + b.skipped.len() == 1));
        }
    }
}
