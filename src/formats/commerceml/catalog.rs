//! Goods, offers, prices and stock.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::markup::{Piece, attribute};
use super::reader::{CommerceMlError, Node, Parser, Tree};
use crate::domain::catalog::{
    CatalogHead, CatalogSource, CategoryRecord, CategoryRef, Field, PriceRecord, PriceTypeRecord,
    ProductRecord, Record, SkippedRecord, StockRecord,
};
use crate::domain::{Quantity, Unit, is_roubles};
use crate::formats::onec_json::Reopen;
use crate::formats::text::{Decimal, excerpt, many_lines, onec_id, yes_no};

/// An item that is bigger is left out: bytes.
const MAX_ITEM: usize = 8 * 1024 * 1024;
/// A tree of groups or a list of price types that is bigger is refused: bytes.
const MAX_LIST: usize = 64 * 1024 * 1024;
/// A file with more records is refused: each takes a little memory, however small it is.
const MAX_RECORDS: usize = 2_000_000;
/// Warnings about the whole that are kept.
const MAX_WARNINGS: usize = 1_000;

/// The catalogue of a CommerceML file.
pub struct CommerceMl<B>(pub B);

impl<B: Reopen> CatalogSource for CommerceMl<B> {
    type Error = CommerceMlError;

    fn read(
        &mut self,
        each: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<CatalogHead, CommerceMlError> {
        let head = CatalogHead { variants: true, ..CatalogHead::default() };
        // Requisites name nothing that we keep.
        let parser = Parser::new(self.0.reopen()?).without("ЗначенияРеквизитов");
        let (priced, currencies) = (HashSet::new(), HashMap::new());
        let listed = Arc::default();
        Walk { parser, head, index: 0, priced, currencies, whole: false, listed }.document(each)
    }
}

/// A pass over a file.
struct Walk<R> {
    parser: Parser<R>,
    head: CatalogHead,
    index: usize,
    /// Price types whose currency has been seen.
    priced: HashSet<String>,
    /// The currency of each price type that names one.
    currencies: HashMap<String, String>,
    /// Whether the package that is being read says that it holds more than changes.
    whole: bool,
    /// The price types of the last list of them.
    listed: Arc<[String]>,
}

impl<R: Read> Walk<R> {
    fn document(
        mut self,
        each: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<CatalogHead, CommerceMlError> {
        if !self.parser.root()? {
            self.parser.finish()?;
            return Ok(self.head);
        }
        let mut path: Vec<&'static str> = Vec::new();
        let mut tree = Tree::default();
        loop {
            match self.parser.piece()? {
                Piece::Eof => return Err(self.parser.cut()),
                Piece::Nothing => {}
                Piece::Text(text) => {
                    if let ["Каталог", "СодержитТолькоИзменения"] = path.as_slice()
                    {
                        self.head.full_catalog |= yes_no(&text) == Some(false);
                    }
                }
                Piece::End => {
                    if path.pop().is_none() {
                        self.parser.finish()?;
                        return Ok(self.head);
                    }
                }
                Piece::Start(tag) => {
                    let (name, empty) = (tag.name, tag.empty);
                    let parent = path.last().copied().unwrap_or("");
                    if let Some(bytes) = whole(parent, name) {
                        tree.begin(tag, bytes);
                        let node = self.parser.element(&mut tree)?;
                        if self.take(node, each)?.is_break() {
                            return Ok(self.head);
                        }
                        continue;
                    }
                    let changes = attribute(tag.attributes, "СодержитТолькоИзменения");
                    let full = changes.and_then(|value| yes_no(&value)) == Some(false);
                    match name {
                        "Каталог" => self.head.full_catalog |= full,
                        "ПакетПредложений" => self.whole = full,
                        "ИзмененияПакетаПредложений" => {
                            self.whole = false;
                        }
                        _ => {}
                    }
                    if empty {
                        continue;
                    }
                    // Lines of an order are no goods.
                    if matches!(name, "" | "Документ" | "Контейнер" | "Документы")
                    {
                        self.parser.skip(path.len() + 1)?;
                        continue;
                    }
                    path.push(name);
                    self.parser.check_depth(path.len())?;
                }
            }
        }
    }

    fn take(
        &mut self,
        node: Node<'_>,
        each: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, CommerceMlError> {
        match node.name() {
            "Товар" | "Предложение" => {
                if self.index == MAX_RECORDS {
                    return Err(self.parser.error(format!("записей больше {MAX_RECORDS}")));
                }
                let read = product(node, self.index);
                self.index += 1;
                if read.is_ok() {
                    self.note_currencies(node);
                }
                return Ok(match read {
                    Ok(mut record) => {
                        // An offer without prices is silent of them: they have a file of their own.
                        // Of types that are not listed 1C was told to send none: what is known of
                        // them came in another exchange.
                        if self.whole && record.placeholder && !record.prices.is_empty() {
                            record.whole_types = self.listed.clone();
                        }
                        self.drop_foreign_prices(node, &mut record);
                        each(Record::Product(record))
                    }
                    Err(skipped) => each(Record::Skipped(skipped)),
                });
            }
            _ if node.cut() => {
                let why = format!("список «{}» слишком велик", node.name());
                return Err(self.parser.error(why));
            }
            "Группы" => groups(node, None, &mut self.head),
            "ТипыЦен" => {
                let id = |one: Node<'_>| onec_id(&one.text_of("Ид").unwrap_or_default());
                self.listed =
                    node.children("ТипЦены").map(id).filter(|id| !id.is_empty()).collect();
                for one in node.children("ТипЦены") {
                    let id = one.text_of("Ид").unwrap_or_default();
                    // One that names no currency learns it from the first price.
                    if let Some(currency) = one.text_of("Валюта") {
                        self.currencies.insert(onec_id(&id), currency.into_owned());
                        self.priced.insert(id.clone().into_owned());
                    }
                    self.head.price_types.push(PriceTypeRecord {
                        external_id: onec_id(&id),
                        name: one.text_of("Наименование").unwrap_or_default().into_owned(),
                        currency: one.text_of("Валюта").unwrap_or_default().into_owned(),
                    });
                }
            }
            "Склады" => {
                self.head.warehouses.extend(node.children("Склад").filter_map(|one| {
                    let id = onec_id(&one.text_of("Ид")?);
                    Some((id, one.text_of("Наименование").unwrap_or_default().into_owned()))
                }));
            }
            _ => {}
        }
        Ok(ControlFlow::Continue(()))
    }

    /// A price may be in another currency than its type: it is not a price of that type.
    fn drop_foreign_prices(&mut self, node: Node<'_>, record: &mut ProductRecord) {
        for price in node.child("Цены").into_iter().flat_map(|list| list.children("Цена")) {
            let Some(currency) = price.text_of("Валюта") else { continue };
            let id = onec_id(&price.text_of("ИдТипаЦены").unwrap_or_default());
            let Some(of_type) = self.currencies.get(&id) else { continue };
            if same_currency(of_type, &currency) {
                continue;
            }
            record.prices.retain(|price| price.type_external_id != id);
            record.whole_types = Arc::default();
            if self.head.warnings.len() < MAX_WARNINGS {
                let name = record.name();
                self.head.warnings.push(format!(
                    "{name}: цена в валюте «{}», а тип цен в «{}»: не взята",
                    excerpt(&currency),
                    excerpt(of_type)
                ));
            }
        }
    }

    /// A price names its currency too: a file of prices alone has no list of types.
    fn note_currencies(&mut self, node: Node<'_>) {
        for price in node.child("Цены").into_iter().flat_map(|list| list.children("Цена")) {
            let Some(id) = price.child("ИдТипаЦены").map(Node::line) else { continue };
            if self.priced.contains(&*id) || self.priced.len() > MAX_WARNINGS {
                continue;
            }
            let (external_id, currency) = (onec_id(&id), price.text_of("Валюта"));
            self.priced.insert(id.into_owned());
            let currency = currency.unwrap_or_default().into_owned();
            if !currency.is_empty() {
                self.currencies.insert(external_id.clone(), currency.clone());
            }
            self.head.price_types.push(PriceTypeRecord {
                external_id,
                name: String::new(),
                currency,
            });
        }
    }
}

/// Whether two words mean one currency; the rouble has several.
fn same_currency(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim()) || is_roubles(one) && is_roubles(other)
}

/// Which elements are read whole, and how big they may be.
fn whole(parent: &str, name: &str) -> Option<usize> {
    match (parent, name) {
        ("Товары", "Товар") | ("Предложения", "Предложение") => {
            Some(MAX_ITEM)
        }
        ("Классификатор", "Группы" | "Склады" | "ТипыЦен")
        | ("ПакетПредложений" | "ИзмененияПакетаПредложений", "Склады" | "ТипыЦен") => {
            Some(MAX_LIST)
        }
        _ => None,
    }
}

fn groups(node: Node<'_>, parent: Option<&str>, head: &mut CatalogHead) {
    for group in node.children("Группа") {
        let id = onec_id(&group.text_of("Ид").unwrap_or_default());
        let title = group.text_of("Наименование").unwrap_or_default().into_owned();
        if id.is_empty() && title.is_empty() {
            if head.warnings.len() < MAX_WARNINGS {
                head.warnings.push("группа без ид и названия пропущена".to_owned());
            }
            continue;
        }
        head.categories.push(CategoryRecord {
            external_id: id.clone(),
            title,
            parent_external_id: parent.map(str::to_owned),
            order_index: None,
        });
        for inner in group.children("Группы") {
            let id = Some(&id).filter(|id| !id.is_empty()).map(String::as_str);
            groups(inner, id, head);
        }
    }
}

fn set(text: Option<Cow<'_, str>>) -> Field<String> {
    text.map_or(Field::Keep, |text| Field::Set(text.into_owned()))
}

fn product(node: Node<'_>, index: usize) -> Result<ProductRecord, SkippedRecord> {
    let offer = node.name() == "Предложение";
    let id = identity(node);
    let sku = node.text_of("Артикул");
    let fail = |reason: String| SkippedRecord {
        index,
        external_id: id.clone(),
        sku: sku.as_ref().map_or_else(|| id.clone(), |sku| sku.clone().into_owned()),
        reason,
    };
    if id.is_empty() {
        return Err(fail("нет элемента «Ид»".to_owned()));
    }
    if node.cut() {
        return Err(fail(format!("запись больше {} МБ", MAX_ITEM / 1024 / 1024)));
    }
    let (prices, packs) = prices(node).map_err(&fail)?;
    let (stock, stocks) = stock(node).map_err(&fail)?;
    let title = title(node, offer, &id);
    Ok(ProductRecord {
        index,
        sku: set(sku),
        // Beside a title a hint says nothing.
        name_hint: match node.text_of("Наименование") {
            Some(name) if offer && title == Field::Keep => name.into_owned(),
            _ => String::new(),
        },
        title,
        category: match node.child("Группы").and_then(|g| g.text_of("Ид")).map(|g| onec_id(&g))
        {
            Some(group) if !group.is_empty() => {
                Field::Set(CategoryRef::External { id: group, path: Vec::new() })
            }
            _ => Field::Keep,
        },
        unit: unit(node.child("БазоваяЕдиница")),
        description: match node.child("Описание").map(|d| many_lines(&d.text())) {
            Some(text) if !text.is_empty() => Field::Set(text),
            _ => Field::Keep,
        },
        barcode: set(node.text_of("Штрихкод")),
        stock,
        stocks,
        prices,
        more_packs: packs,
        deleted: deleted(node, offer, &id),
        placeholder: offer,
        external_id: id,
        ..ProductRecord::default()
    })
}

/// `guid` or `guid#guid`. The empty reference is no characteristic.
fn identity(node: Node<'_>) -> String {
    let id = node.text_of("Ид").unwrap_or_default();
    let (item, inner) = match id.split_once('#') {
        Some((item, variant)) => (item, Some(Cow::Borrowed(variant))),
        None => (&*id, None),
    };
    let item = onec_id(item);
    let variant = inner.or_else(|| node.text_of("ИдХарактеристики")).map(|id| onec_id(&id));
    match variant.filter(|variant| !variant.is_empty() && !item.is_empty()) {
        Some(variant) => format!("{item}#{variant}"),
        None => item,
    }
}

/// The name with the characteristic's values. An offer of 10.3 repeats the bare name of its item: it
/// names nothing new, and is kept as a hint.
fn title(node: Node<'_>, offer: bool, id: &str) -> Field<String> {
    let Some(name) = node.text_of("Наименование") else { return Field::Keep };
    if !id.contains('#') {
        return Field::Set(name.into_owned());
    }
    let values: Vec<Cow<'_, str>> = node
        .child("ХарактеристикиТовара")
        .into_iter()
        .flat_map(|list| list.children("ХарактеристикаТовара"))
        .filter_map(|one| one.text_of("Значение"))
        .collect();
    // 11 writes them into the name itself.
    let told = offer && name.ends_with(')') && values.iter().all(|value| name.contains(&**value));
    match (values.is_empty(), told) {
        (false, false) => Field::Set(format!("{name} ({})", values.join(", "))),
        (true, _) if offer => Field::Keep,
        _ => Field::Set(name.into_owned()),
    }
}

/// The short name; else what the OKEI code says; else the full name.
fn unit(node: Option<Node<'_>>) -> Field<Unit> {
    let Some(node) = node else { return Field::Keep };
    let text = node.line();
    let code = text.bytes().all(|b| b.is_ascii_digit());
    if !text.is_empty() && !code {
        return Field::Set(Unit::new(&text));
    }
    if let Some(short) = node.attribute("НаименованиеКраткое") {
        return Field::Set(Unit::new(&short));
    }
    let code = if code && !text.is_empty() { Some(text) } else { node.attribute("Код") };
    if let Some(unit) = code.and_then(|code| Unit::from_okei(&code)) {
        return Field::Set(unit);
    }
    node.attribute("НаименованиеПолное").map_or(Field::Keep, |name| Field::Set(Unit::new(&name)))
}

fn deleted(node: Node<'_>, offer: bool, id: &str) -> Field<bool> {
    let status = node.text_of("Статус").or_else(|| node.attribute("Статус"));
    let marked = node.text_of("ПометкаУдаления").and_then(|text| yes_no(&text));
    match (status.as_deref(), marked) {
        (Some("Удален" | "Удалён" | "удален" | "удалён"), _) | (_, Some(true)) => {
            Field::Set(true)
        }
        // An item that comes without the mark has been restored; an offer of 10.3 never has it.
        (_, Some(false)) => Field::Set(false),
        _ if offer && !(id.contains('#') && describes(node)) => Field::Keep,
        _ => Field::Set(false),
    }
}

/// Whether an offer is the place where 11 describes a characteristic: there is no item of it, so
/// the mark stands here or nowhere. 10.3 writes none of these into offers (observed in both).
fn describes(node: Node<'_>) -> bool {
    let conversion = node.child("БазоваяЕдиница").and_then(|unit| unit.child("Пересчет"));
    let of_11 = conversion.is_some()
        || ["ХарактеристикиТовара", "Склад", "Склады"].iter().any(|n| node.child(n).is_some());
    of_11 && node.child("Наименование").is_some()
}

type Packs = Vec<(Unit, Quantity)>;

/// Prices by type, and the packs that they and the base unit's conversion name.
fn prices(node: Node<'_>) -> Result<(Vec<PriceRecord>, Packs), String> {
    let (mut prices, mut packs) = (Vec::new(), Vec::new());
    let conversions = node.child("БазоваяЕдиница").into_iter();
    for one in conversions.flat_map(|unit| unit.children("Пересчет")) {
        let coefficient = coefficient(one)?;
        packs.extend(pack(one, coefficient));
    }
    for price in node.child("Цены").into_iter().flat_map(|list| list.children("Цена")) {
        let type_id = onec_id(&price.text_of("ИдТипаЦены").unwrap_or_default());
        let Some(amount) = price.text_of("ЦенаЗаЕдиницу") else {
            // An empty element: there is no such price any more.
            if price.child("ЦенаЗаЕдиницу").is_some() {
                prices.push(PriceRecord {
                    type_external_id: type_id,
                    type_name: String::new(),
                    pack: None,
                    price: None,
                });
            }
            continue;
        };
        let coefficient = coefficient(price)?;
        let stored = Decimal::parse(&amount)
            .and_then(|amount| amount.price_for(coefficient))
            .map_err(|error| format!("ЦенаЗаЕдиницу = «{}»: {error}", excerpt(&amount)))?;
        prices.push(PriceRecord {
            type_external_id: type_id,
            type_name: String::new(),
            pack: pack(price, coefficient),
            price: Some(stored),
        });
    }
    Ok((prices, packs))
}

/// The pack of so many base units that `Единица` names; one of one unit is none.
fn pack(node: Node<'_>, coefficient: Quantity) -> Option<(Unit, Quantity)> {
    let unit = node.text_of("Единица").filter(|_| coefficient != Quantity::whole(1))?;
    Some((Unit::from_okei(&unit).unwrap_or_else(|| Unit::new(&unit)), coefficient))
}

/// `Коэффициент`: base units in one; absent and 0 mean 1.
fn coefficient(node: Node<'_>) -> Result<Quantity, String> {
    let Some(text) = node.text_of("Коэффициент").filter(|text| text != "1") else {
        return Ok(Quantity::whole(1));
    };
    let read = Decimal::parse(&text)
        .and_then(Decimal::quantity)
        .map_err(|error| format!("Коэффициент = «{}»: {error}", excerpt(&text)))?;
    if read < Quantity::ZERO {
        return Err(format!("Коэффициент = «{}»: отрицательное число", excerpt(&text)));
    }
    if read == Quantity::ZERO && text.contains(|c: char| ('1'..='9').contains(&c)) {
        return Err(format!("Коэффициент = «{}»: меньше 0,001", excerpt(&text)));
    }
    Ok(if read == Quantity::ZERO { Quantity::whole(1) } else { read })
}

/// `Количество`; `Склад` with attributes, as 11 writes it; `Остатки` of 2.08 and later.
fn stock(node: Node<'_>) -> Result<(Field<Quantity>, Field<Vec<StockRecord>>), String> {
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
    let outer = node.elements().filter(|one| matches!(one.name(), "Склад" | "Склады"));
    for one in outer.flat_map(|one| std::iter::once(one).chain(one.children("Склад"))) {
        if let (Some(id), Some(quantity)) =
            (one.attribute("ИдСклада"), one.attribute("КоличествоНаСкладе"))
        {
            add(&id, &quantity)?;
        } else if let (Some(id), Some(quantity)) = (one.text_of("Ид"), one.text_of("Количество"))
        {
            add(&id, &quantity)?;
        }
    }
    let mut bare_total = Quantity::ZERO;
    for rest in node.child("Остатки").into_iter().flat_map(|list| list.children("Остаток"))
    {
        let mut named = false;
        let mut nameless = None;
        for one in rest.children("Склад") {
            match (one.text_of("Ид"), one.text_of("Количество")) {
                (Some(id), Some(quantity)) => {
                    add(&id, &quantity)?;
                    named = true;
                }
                (None, Some(quantity)) => nameless = Some(quantity),
                (_, None) => {}
            }
        }
        let bare = Some(rest.line()).filter(|text| !text.is_empty());
        if let Some(text) = rest.text_of("Количество").or(nameless).or(bare)
            && !named
        {
            // Several warehouses without their names are one stock.
            bare_total = bare_total.checked_add(read(&text)?).unwrap_or(bare_total);
            total = Field::Set(bare_total);
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

    /// One offer with these elements beside its id and name.
    fn offer(inside: &str) -> CatalogBatch {
        let xml = format!(
            "<КоммерческаяИнформация><ПакетПредложений><ТипыЦен><ТипЦены><Ид>t</Ид>\
             <Наименование>Опт</Наименование><Валюта>руб</Валюта></ТипЦены></ТипыЦен><Предложения>\
             <Предложение><Ид>a#b</Ид><Наименование>Кромка (белая)</Наименование>{inside}</Предложение>\
             </Предложения></ПакетПредложений></КоммерческаяИнформация>"
        );
        read(&xml).expect("reads")
    }

    #[test]
    fn a_price_in_another_currency_than_its_type_is_not_taken() {
        let price = |inside: &str| {
            offer(&format!("<Цены><Цена><ИдТипаЦены>t</ИдТипаЦены>{inside}</Цена></Цены>"))
        };
        let dollars = price("<ЦенаЗаЕдиницу>10</ЦенаЗаЕдиницу><Валюта>USD</Валюта>");
        assert_eq!(dollars.products[0].prices, []);
        assert!(dollars.head.warnings[0].contains("в валюте «USD»"), "{:?}", dollars.head.warnings);
        let roubles = price("<ЦенаЗаЕдиницу>10</ЦенаЗаЕдиницу><Валюта>RUB</Валюта>");
        assert!(roubles.products[0].prices[0].price.is_some() && roubles.head.warnings.is_empty());
        let none = price("<ЦенаЗаЕдиницу/>");
        assert_eq!(none.products[0].prices[0].price, None);
        let tiny = price("<ЦенаЗаЕдиницу>10</ЦенаЗаЕдиницу><Коэффициент>0.0001</Коэффициент>");
        assert!(tiny.skipped[0].reason.contains("меньше 0,001"), "{:?}", tiny.skipped);
    }

    #[test]
    fn an_offer_names_its_characteristic_or_gives_a_hint() {
        let bare = offer("");
        assert_eq!(bare.products[0].title, Field::Keep);
        assert_eq!(bare.products[0].name_hint, "Кромка (белая)");
        let with = |value: &str| {
            offer(&format!(
                "<ХарактеристикиТовара><ХарактеристикаТовара><Значение>{value}</Значение>\
                 </ХарактеристикаТовара></ХарактеристикиТовара>"
            ))
        };
        let title = |batch: CatalogBatch| batch.products[0].title.clone();
        assert_eq!(title(with("19")), Field::Set("Кромка (белая) (19)".to_owned()));
        assert_eq!(title(with("белая")), Field::Set("Кромка (белая)".to_owned()));
    }

    #[test]
    fn stock_is_read_however_warehouses_are_written() {
        let of = |inside: &str| {
            let record = offer(inside).products.remove(0);
            (record.stock, record.stocks.set().map(Vec::len))
        };
        let named = "<Склады><Склад><Ид>w</Ид><Количество>5</Количество></Склад></Склады>";
        assert_eq!(of(named), (Field::Keep, Some(1)));
        let nameless = "<Остатки><Остаток><Склад><Количество>5</Количество></Склад></Остаток>\
                        <Остаток><Количество>4</Количество></Остаток></Остатки>";
        assert_eq!(of(nameless), (Field::Set(Quantity::whole(9)), None));
    }

    #[test]
    fn attributes_are_read_of_what_is_empty_and_texts_around_what_is_inside() {
        let goods = |list: &str| {
            read(&format!(
                "<c:КоммерческаяИнформация xmlns:c=\"&x\"><Каталог c:СодержитТолькоИзменения='false'>\
                 <Товары>{list}</Товары></Каталог></c:КоммерческаяИнформация>"
            ))
        };
        let batch = goods(
            "<Товар Статус='Удален'/><c:Товар Статус=' Удален '><Ид>a</Ид><Пометка/><БазоваяЕдиница \
             Код=\"796 \" НаименованиеКраткое=\"\"/></c:Товар><Товар><Ид>b</Ид><БазоваяЕдиница> \
             <Пересчет><Единица>рул</Единица><Коэффициент>50</Коэффициент></Пересчет>\n м<!-- --> \
             </БазоваяЕдиница></Товар>",
        );
        let batch = batch.expect("reads");
        assert!(batch.head.full_catalog);
        assert_eq!(batch.skipped[0].reason, "нет элемента «Ид»");
        let of = |index: usize| {
            let record: &crate::domain::catalog::ProductRecord = &batch.products[index];
            (record.external_id.as_str(), record.unit.set().map(Unit::as_str), record.deleted)
        };
        assert_eq!(of(0), ("a", Some("шт"), Field::Set(true)));
        assert_eq!(of(1), ("b", Some("м"), Field::Set(false)));
        assert_eq!(batch.products[1].more_packs.len(), 1);
        assert!(goods("<Товар Код='&x;'><Ид>a</Ид></Товар>").is_err(), "one that we read");
    }

    #[test]
    fn of_an_item_that_is_too_big_its_beginning_is_known() {
        let big = "<Ид>x</Ид>".repeat(MAX_ITEM / 60);
        let batch = read(&format!(
            "<КоммерческаяИнформация><Каталог><Товары><Товар><Ид>a</Ид><Артикул>А1</Артикул>\
             <Остатки>{big}</Остатки></Товар><Товар><Ид>b</Ид></Товар></Товары></Каталог>\
             </КоммерческаяИнформация>"
        ));
        let batch = batch.expect("reads");
        let SkippedRecord { external_id, sku, reason, .. } = &batch.skipped[0];
        assert_eq!((&**external_id, &**sku, &**reason), ("a", "А1", "запись больше 8 МБ"));
        assert_eq!(batch.products[0].external_id, "b");
    }

    #[test]
    fn lines_of_an_order_are_no_goods_and_a_strange_entity_costs_a_letter() {
        let xml = "<КоммерческаяИнформация><Каталог><Товары><Товар><Ид>a</Ид>\
                   <Наименование>Клей&nbsp;88 &#55357;</Наименование></Товар></Товары></Каталог>\
                   <Документ><Товары><Товар><Ид>a</Ид><Количество>999</Количество></Товар></Товары>\
                   </Документ></КоммерческаяИнформация>";
        let batch = read(xml).expect("reads");
        assert_eq!((batch.products.len(), batch.skipped.len()), (1, 0));
        assert_eq!(batch.products[0].stock, Field::Keep);
        assert_eq!(batch.products[0].title, Field::Set("Клей\u{a0}88 \u{fffd}".to_owned()));
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

    #[test]
    fn a_file_cut_at_any_byte_is_refused() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/commerceml/");
        for path in [
            "split-3.1/rests___8d9d4d75-1c28-11eb-8f16-00155d0a4e11.xml",
            "ut11-2.07/offers0_1-changes.xml",
        ] {
            let bytes = std::fs::read(format!("{folder}{path}")).expect("a fixture");
            let whole = text::decode(&bytes);
            let end = whole.trim_end().len();
            assert!(read(&whole).is_ok());
            for (cut, _) in whole.char_indices().filter(|(cut, _)| *cut < end) {
                assert!(read(&whole[..cut]).is_err(), "{path}: {cut}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(<|>|/|&|Товар|Товары|Каталог|Ид|Цена| |\"|=|[а-я]){0,40}") {
            let xml = format!("<КоммерческаяИнформация>{text}</КоммерческаяИнформация>");
            let _ = read(&xml);
            let _ = super::super::content(xml.as_bytes());
            let _ = super::super::read_documents(xml.as_bytes());
        }

        #[test]
        fn a_damaged_export_does_not_make_it_panic(at in 0_usize..10_000, with in "\\PC{0,3}", gone in 0_usize..40) {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/commerceml/");
            let bytes = std::fs::read(format!("{folder}ut103/offers.xml")).expect("a fixture");
            let mut text = text::decode(&bytes);
            let floor = |text: &str, at: usize| (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
            let (from, to) = (floor(&text, at), floor(&text, at + gone));
            text.replace_range(from..to, &with);
            let _ = read(&text);
        }
    }
}
