//! Tables that people bring and take: CSV in any of its dialects, and .xlsx.
//!
//! A table becomes a catalogue by its headings, which may be Russian or English. What we write as
//! CSV comes back as it was.

pub(super) mod grid;
pub(super) mod ods;
pub(super) mod xls;
pub(super) mod xlsx;

use std::convert::Infallible;
use std::ops::ControlFlow;

use super::onec_json::{category_path, written_price};
use super::text::{self, Decimal, NumberError, excerpt, many_lines, one_line, onec_id, yes_no};
use crate::domain::catalog::{
    CatalogHead, CatalogSource, CategoryRef, Field, PriceRecord, ProductCard, ProductRecord,
    Record, SkippedRecord, StockRecord,
};
use crate::domain::{Price, Quantity, Unit};

/// At most so many rows.
pub const MAX_ROWS: usize = 1_000_000;
/// At most so many bytes in a cell.
pub const MAX_CELL: usize = 32 * 1024;
/// In a mapping: the table has no column for the field, whatever was found.
pub const NO_COLUMN: &str = "-";
/// The row of headings is looked for among the first so many.
const HEADING_ROWS: usize = 30;

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A cell is not text.
    #[error("строка {row}, столбец {column}: {why}")]
    Cell {
        /// The row, from 1.
        row: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        why: String,
    },
    /// Too many rows.
    #[error("больше {MAX_ROWS} строк")]
    TooManyRows,
    /// A cell is further than sheets are read, or one too many.
    #[error("лист «{sheet}», ячейка {cell}: {why}")]
    TooFar {
        /// The sheet.
        sheet: String,
        /// The cell as tables name it: «XFD1048576».
        cell: String,
        /// What is wrong.
        why: String,
    },
    /// No row looks like headings.
    #[error("нет строки заголовков: нужен столбец «название» или «артикул»")]
    NoHeadings,
    /// A mapping names a column that is not there.
    #[error("нет столбца «{0}»")]
    NoColumn(String),
    /// A mapping names a field that is not there.
    #[error("нет поля «{0}»")]
    NoField(String),
    /// The workbook is damaged, locked or dangerous.
    #[error("файл .xlsx не читается: {0}")]
    Workbook(String),
}

/// Rows of cells, those of empty cells too. (A CSV line with nothing in it is no row.)
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The rows.
    pub rows: Vec<Vec<String>>,
    /// How many cells every row has, written or not: those after its end are empty. Zero where a
    /// short row says nothing of the columns after it, as in CSV.
    pub width: usize,
}

/// Reads CSV: the encoding and the separator are found out.
pub fn read_csv(bytes: &[u8]) -> Result<Table, TableError> {
    let mut table = read_csv_numbered(bytes)?;
    table.rows.retain(|row| !row.is_empty());
    Ok(table)
}

/// Reads CSV as [`read_csv`] does, but a line with nothing in it is a row without cells: rows have
/// the numbers that a spreadsheet shows.
pub fn read_csv_numbered(bytes: &[u8]) -> Result<Table, TableError> {
    read_csv_within(bytes, &mut |_| true)
}

/// [`read_csv_numbered`] of a file that may take so much memory: `room` is asked about every row.
pub(super) fn read_csv_within(
    bytes: &[u8],
    room: &mut dyn FnMut(&csv::StringRecord) -> bool,
) -> Result<Table, TableError> {
    let content = text::decode(bytes);
    let separator = separator(&content);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(content.as_bytes());
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    let mut next = 0;
    loop {
        let more = reader.read_record(&mut record).map_err(|error| TableError::Cell {
            row: rows.len() + 1,
            column: 1,
            why: error.to_string(),
        })?;
        if !more {
            break;
        }
        // The reader passes over empty lines: they stand between the end of the last record and
        // the first byte of this one.
        let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        let read = content.as_bytes().get(next..end).unwrap_or_default();
        // Of «\r\n» it has taken the first byte with the record.
        let cut = content.as_bytes()[..next].ends_with(b"\r");
        let read = read.strip_prefix(b"\n").filter(|_| cut).unwrap_or(read);
        let blank = read.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let ends = blank.filter(|byte| **byte == b'\n').take(MAX_ROWS);
        rows.extend(ends.map(|_| Vec::new()));
        next = end;
        let row = rows.len() + 1;
        if row > MAX_ROWS || !room(&record) {
            return Err(TableError::TooManyRows);
        }
        let cells: Vec<String> = record.iter().map(str::to_owned).collect();
        for (column, cell) in cells.iter().enumerate() {
            check_cell(cell, row, column + 1)?;
        }
        rows.push(cells);
    }
    Ok(Table { rows, width: 0 })
}

/// Reads the sheet of a workbook that looks like a catalogue, or the first one.
pub fn read_xlsx(bytes: Vec<u8>) -> Result<Table, TableError> {
    xlsx::find_sheet(bytes, grid::CATALOG, |sheet| headings(sheet).is_some())
}

fn check_cell(cell: &str, row: usize, column: usize) -> Result<(), TableError> {
    let why = if cell.len() > MAX_CELL {
        "слишком длинная ячейка"
    } else if cell.contains('\0') {
        "нулевой байт"
    } else {
        return Ok(());
    };
    Err(TableError::Cell { row, column, why: why.to_owned() })
}

/// The separator: of semicolon, tab and comma the one that parts most lines into the same number
/// of cells.
fn separator(content: &str) -> u8 {
    let mut head = content.len().min(64 * 1024);
    while !content.is_char_boundary(head) {
        head -= 1;
    }
    let score = |separator: u8| {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .from_reader(&content.as_bytes()[..head]);
        let counts: Vec<usize> =
            reader.records().take(50).filter_map(Result::ok).map(|r| r.len()).collect();
        let widest = counts.iter().copied().max().unwrap_or(1);
        if widest < 2 {
            return (0, 0);
        }
        let usual = counts
            .iter()
            .map(|n| counts.iter().filter(|m| *m == n && **m > 1).count())
            .max()
            .unwrap_or(0);
        (usual, widest)
    };
    let mut best = (b';', score(b';'));
    for candidate in [b'\t', b','] {
        let score = score(candidate);
        if score > best.1 {
            best = (candidate, score);
        }
    }
    best.0
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    ExternalId,
    Sku,
    Title,
    Category,
    CategoryExternalId,
    Price(String),
    Stock(Option<String>),
    Description,
    Unit,
    Pack,
    Packs,
    Multiple,
    Barcode,
    Deleted,
    Hidden,
    SearchWords,
}

impl Column {
    /// The field's name, as [`column()`] reads it back.
    fn field(&self) -> String {
        match self {
            Self::Price(of) if !of.is_empty() => return format!("price: {of}"),
            Self::Stock(Some(of)) => return format!("stock: {of}"),
            Self::ExternalId => "external_id",
            Self::Sku => "sku",
            Self::Title => "title",
            Self::Category => "category",
            Self::CategoryExternalId => "category_external_id",
            Self::Price(_) => "price",
            Self::Stock(None) => "stock_qty",
            Self::Description => "description",
            Self::Unit => "unit",
            Self::Pack => "pack",
            Self::Packs => "packs",
            Self::Multiple => "multiple",
            Self::Barcode => "barcode",
            Self::Deleted => "deleted",
            Self::Hidden => "hidden",
            Self::SearchWords => "search_words",
        }
        .to_owned()
    }
}

/// The column that a heading or a field's name means.
fn column(heading: &str) -> Option<Column> {
    let heading = one_line(heading.trim_start_matches('\u{feff}'));
    let lower = heading.to_lowercase().replace('ё', "е");
    let lower = lower.trim_end_matches(['.', ':', '*']).trim();
    // «price: Опт», «Цена (Розница)», «stock: Химки».
    if let Some((field, of)) = lower.split_once(':') {
        let of_original = heading.split_once(':').map_or("", |(_, of)| of).trim().to_owned();
        return match field.trim() {
            "price" | "цена" if !of.trim().is_empty() => Some(Column::Price(of_original)),
            "stock" | "остаток" if !of.trim().is_empty() => {
                Some(Column::Stock(Some(of_original)))
            }
            _ => None,
        };
    }
    let plain = lower.split([',', '(']).next().unwrap_or("").trim();
    Some(match plain {
        "external_id" | "id" | "guid" | "ид" | "код 1с" => Column::ExternalId,
        "sku" | "article" | "артикул" | "арт" | "код" | "код товара" => {
            Column::Sku
        }
        "title"
        | "title_ru"
        | "name"
        | "название"
        | "наименование"
        | "номенклатура"
        | "товар"
        | "наименование товара"
        | "название товара" => Column::Title,
        "category" | "категория" | "группа" | "раздел" | "группа товаров" => {
            Column::Category
        }
        "category_external_id" => Column::CategoryExternalId,
        "price" | "цена" | "стоимость" | "цена за единицу" | "цена руб" | "опт" => {
            Column::Price(String::new())
        }
        "stock_qty"
        | "stock"
        | "qty"
        | "quantity"
        | "остаток"
        | "остатки"
        | "количество"
        | "кол-во"
        | "наличие"
        | "свободный остаток" => Column::Stock(None),
        "description" | "описание" | "комментарий" => Column::Description,
        "unit" | "единица" | "ед" | "ед. изм" | "ед изм" | "единица измерения" | "ед.изм" => {
            Column::Unit
        }
        "pack" | "pack_size" | "упаковка" | "в упаковке" | "упак" | "кол-во в упаковке" => {
            Column::Pack
        }
        "packs" | "упаковки" => Column::Packs,
        "multiple" | "кратность" | "кратно" => Column::Multiple,
        "barcode" | "штрихкод" | "штрих-код" => Column::Barcode,
        "deleted" | "удален" | "удалено" => Column::Deleted,
        "hidden" | "скрыт" | "скрыто" => Column::Hidden,
        "search_words" | "synonyms" | "слова поиска" | "синонимы" => {
            Column::SearchWords
        }
        _ => return None,
    })
}

/// The row of headings: its index and what its columns hold.
fn headings(table: &Table) -> Option<(usize, Vec<Option<Column>>)> {
    let rows = table.rows.iter().take(HEADING_ROWS).enumerate();
    let mut best: Option<(usize, usize, Vec<Option<Column>>)> = None;
    for (index, row) in rows {
        let columns = once(row.iter().map(|cell| column(cell)).collect());
        let named = columns
            .iter()
            .flatten()
            .any(|c| matches!(c, Column::Title | Column::Sku | Column::ExternalId));
        let count = columns.iter().flatten().count();
        if named && best.as_ref().is_none_or(|(_, most, _)| count > *most) {
            best = Some((index, count, columns));
        }
    }
    best.map(|(index, _, columns)| (index, columns))
}

/// Of two columns with one meaning the first counts.
fn once(columns: Vec<Option<Column>>) -> Vec<Option<Column>> {
    let mut seen: Vec<Column> = Vec::new();
    columns
        .into_iter()
        .map(|column| {
            let column = column.filter(|c| !seen.contains(c))?;
            seen.push(column.clone());
            Some(column)
        })
        .collect()
}

/// The catalogue of a table.
#[derive(Debug, Clone)]
pub struct CatalogTable {
    table: Table,
    first: usize,
    columns: Vec<Option<Column>>,
    /// Hide what the table does not mention: the person's explicit choice.
    pub full: bool,
}

impl CatalogTable {
    /// Finds the headings; `map` names further columns by field and heading or number from 1, and
    /// goes before what was found; [`NO_COLUMN`]: the table has none for the field.
    ///
    /// # Errors
    ///
    /// [`TableError::NoHeadings`], [`TableError::NoColumn`], [`TableError::NoField`].
    pub fn new(table: Table, map: &[(String, String)]) -> Result<Self, TableError> {
        let found = headings(&table);
        let (row, mut columns) = match (found, map.is_empty()) {
            (Some(found), _) => found,
            (None, true) => return Err(TableError::NoHeadings),
            // With a mapping the first row that is not empty has the headings.
            (None, false) => {
                let filled = |row: &Vec<String>| row.iter().any(|cell| !cell.trim().is_empty());
                let row = table.rows.iter().position(filled).ok_or(TableError::NoHeadings)?;
                (row, vec![None; table.rows[row].len()])
            }
        };
        columns.resize(columns.len().max(table.width), None);
        for (field, heading) in map {
            let column = column(field).ok_or_else(|| TableError::NoField(field.clone()))?;
            let wanted = one_line(heading).to_lowercase();
            let same = |cell: &String| one_line(cell).to_lowercase() == wanted;
            let by_name = table.rows[row].iter().position(same);
            let by_number = || {
                let number = wanted.parse::<usize>().ok()?.checked_sub(1)?;
                (number < columns.len()).then_some(number)
            };
            let index = by_name.or_else(by_number);
            for other in &mut columns {
                if other.as_ref() == Some(&column) {
                    *other = None;
                }
            }
            if index.is_none() && wanted == NO_COLUMN {
                continue;
            }
            let index = index.ok_or_else(|| TableError::NoColumn(heading.clone()))?;
            columns[index] = Some(column);
        }
        let named = |c: &Column| matches!(c, Column::Title | Column::Sku | Column::ExternalId);
        if !columns.iter().flatten().any(named) {
            return Err(TableError::NoHeadings);
        }
        Ok(Self { table, first: row + 1, columns, full: false })
    }

    /// For each column the field that it holds, as the contract calls it; `None`: it is not read.
    pub fn fields(&self) -> Vec<Option<String>> {
        self.columns.iter().map(|column| Some(column.as_ref()?.field())).collect()
    }

    /// The row of headings and up to so many rows with something in them after it.
    pub fn sample(&self, rows: usize) -> Vec<Vec<String>> {
        let head = self.table.rows.iter().skip(self.first - 1).take(1);
        let filled = |row: &&Vec<String>| row.iter().any(|cell| !cell.trim().is_empty());
        let rows = self.table.rows.iter().skip(self.first).filter(filled).take(rows);
        head.chain(rows).cloned().collect()
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of column")]
    fn record(&self, index: usize, row: &[String]) -> Result<ProductRecord, SkippedRecord> {
        let mut record = ProductRecord { index, ..ProductRecord::default() };
        let mut wrong = None;
        let mut stocks = Vec::new();
        let mut category_id = String::new();
        let unwritten = self.table.width.saturating_sub(row.len());
        let cells = row.iter().map(String::as_str).chain(std::iter::repeat_n("", unwritten));
        for (column, cell) in self.columns.iter().zip(cells) {
            let Some(column) = column else { continue };
            let cell = unguarded(cell);
            let text = || {
                let text = one_line(cell);
                if text.is_empty() { Field::Clear } else { Field::Set(text) }
            };
            let mut fault = |field: &str, why: String| {
                wrong.get_or_insert(format!("«{field}» = «{}»: {why}", excerpt(cell)));
            };
            match column {
                Column::ExternalId => record.external_id = onec_id(cell),
                Column::Sku => record.sku = text(),
                Column::Title => record.title = text(),
                Column::Category => record.category = category(cell),
                Column::CategoryExternalId => category_id = onec_id(cell),
                Column::Description => {
                    let text = many_lines(cell);
                    record.description =
                        if text.is_empty() { Field::Clear } else { Field::Set(text) };
                }
                Column::Unit => {
                    record.unit = match text() {
                        Field::Set(text) => Field::Set(Unit::new(&text)),
                        _ => Field::Clear,
                    }
                }
                Column::Barcode => record.barcode = text(),
                Column::SearchWords => record.search_words = text(),
                Column::Price(of) => match price(cell) {
                    Err(error) => fault("цена", error.to_string()),
                    Ok(price) if of.is_empty() => {
                        record.price = price.map_or(Field::Clear, Field::Set);
                    }
                    Ok(price) => record.prices.push(PriceRecord {
                        type_external_id: String::new(),
                        type_name: of.clone(),
                        pack: None,
                        price,
                    }),
                },
                Column::Stock(None) => match quantity(cell) {
                    Err(error) => fault("остаток", error.to_string()),
                    Ok(stock) => record.stock = stock.map_or(Field::Clear, Field::Set),
                },
                Column::Stock(Some(warehouse)) => match quantity(cell) {
                    Err(error) => fault("остаток", error.to_string()),
                    Ok(None) => {}
                    Ok(Some(quantity)) => stocks.push(StockRecord {
                        warehouse_external_id: String::new(),
                        warehouse: warehouse.clone(),
                        quantity,
                    }),
                },
                Column::Pack | Column::Multiple => match quantity(cell) {
                    Ok(Some(quantity)) if quantity < Quantity::ZERO => {
                        fault("упаковка", "отрицательное число".to_owned());
                    }
                    Err(error) => fault("упаковка", error.to_string()),
                    Ok(quantity) => {
                        let field =
                            quantity.filter(|q| q.is_positive()).map_or(Field::Clear, Field::Set);
                        if *column == Column::Pack {
                            record.pack_size = field;
                        } else {
                            record.multiple = field;
                        }
                    }
                },
                Column::Packs => match packs(cell) {
                    Some(packs) if packs.is_empty() => record.packs = Field::Clear,
                    Some(packs) => record.packs = Field::Set(packs),
                    None => fault("упаковки", "ожидается «рул=75; уп=10»".to_owned()),
                },
                Column::Deleted | Column::Hidden => {
                    let said = if cell.trim().is_empty() { Some(false) } else { yes_no(cell) };
                    match said {
                        Some(said) if *column == Column::Deleted => {
                            record.deleted = Field::Set(said);
                        }
                        Some(said) => record.hidden = Field::Set(said),
                        None => fault("скрыт", "ожидается «да» или «нет»".to_owned()),
                    }
                }
            }
        }
        if self.columns.iter().flatten().any(|c| matches!(c, Column::Stock(Some(_)))) {
            record.stocks = if stocks.is_empty() { Field::Clear } else { Field::Set(stocks) };
        }
        if !category_id.is_empty() {
            let path = match record.category {
                Field::Set(CategoryRef::Path(path)) => path,
                _ => Vec::new(),
            };
            record.category = Field::Set(CategoryRef::External { id: category_id, path });
        }
        match wrong {
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

impl CatalogSource for CatalogTable {
    type Error = Infallible;

    /// A record's index is its row in the table, from 0.
    fn read(
        &mut self,
        each: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<CatalogHead, Infallible> {
        for (index, row) in self.table.rows.iter().enumerate().skip(self.first) {
            if row.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let stop = match self.record(index, row) {
                Ok(record) => each(Record::Product(record)),
                Err(skipped) => each(Record::Skipped(skipped)),
            };
            if stop.is_break() {
                break;
            }
        }
        Ok(CatalogHead { full: self.full, tabular: true, ..CatalogHead::default() })
    }
}

fn category(cell: &str) -> Field<CategoryRef> {
    let path = category_path(cell);
    if path.is_empty() { Field::Clear } else { Field::Set(CategoryRef::Path(path)) }
}

fn quantity(cell: &str) -> Result<Option<Quantity>, NumberError> {
    if cell.trim().is_empty() { Ok(None) } else { Decimal::parse(cell)?.quantity().map(Some) }
}

/// «12,50», or «3150 / 75»: the price of 75 base units.
fn price(cell: &str) -> Result<Option<Price>, NumberError> {
    if cell.trim().is_empty() {
        return Ok(None);
    }
    let Some((amount, per)) = cell.split_once('/') else {
        return Decimal::parse(cell)?.price().map(Some);
    };
    let per = Decimal::parse(per)?.positive_quantity()?;
    Decimal::parse(amount)?.price_for(per).map(Some)
}

/// «рул=75; уп=10».
fn packs(cell: &str) -> Option<Vec<(Unit, Quantity)>> {
    let parts = cell.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (unit, size) = part.rsplit_once('=')?;
            let size = Decimal::parse(size).ok()?.positive_quantity().ok()?;
            Some((Unit::new(&one_line(unit)), size))
        })
        .collect()
}

/// Whether a spreadsheet might take the text for a formula, guards aside.
fn is_dangerous(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r', '\0'])
}

/// A text cell as it is written to CSV: an apostrophe before what a spreadsheet might take for a
/// formula.
///
/// Source: OWASP, CSV Injection <https://owasp.org/www-community/attacks/CSV_Injection>.
pub fn guarded(text: &str) -> String {
    if is_dangerous(text) { format!("'{text}") } else { text.to_owned() }
}

/// The text of a cell that [`guarded`] wrote.
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_dangerous(text) => text,
        _ => cell,
    }
}

/// A catalogue as rows with headings, for [`write_csv`]. Reading it back changes nothing.
pub fn catalog_rows(cards: &[ProductCard]) -> Vec<Vec<String>> {
    let names = |of: fn(&ProductCard) -> Vec<&String>| {
        let mut names: Vec<&String> = cards.iter().flat_map(of).collect();
        names.sort();
        names.dedup();
        names
    };
    let types = names(|card| card.prices.iter().map(|(name, _)| name).collect());
    let warehouses = names(|card| card.stocks.iter().map(|(name, _)| name).collect());
    let mut headings: Vec<String> = [
        "external_id",
        "sku",
        "title",
        "category",
        "category_external_id",
        "unit",
        "price",
        "stock_qty",
        "description",
        "barcode",
        "packs",
        "multiple",
        "hidden",
        "deleted",
        "search_words",
    ]
    .map(str::to_owned)
    .into();
    // The type without a name is the column `price`.
    let types: Vec<&String> = types.into_iter().filter(|name| !name.is_empty()).collect();
    headings.extend(types.iter().map(|name| format!("price: {name}")));
    headings.extend(warehouses.iter().map(|name| format!("stock: {name}")));
    let mut rows = vec![headings];
    let written = |price: Option<Price>| {
        price.map_or_else(String::new, |price| match written_price(price) {
            (amount, None) => amount,
            (amount, Some(per)) => format!("{amount} / {per}"),
        })
    };
    for card in cards {
        let pack = |(unit, size): &(Unit, Quantity)| format!("{unit}={}", size.decimal());
        let yes = |value| if value { "да" } else { "" }.to_owned();
        let mut row = vec![
            guarded(&card.external_id),
            guarded(&card.sku),
            guarded(&card.title),
            guarded(&card.category.join("/")),
            guarded(card.category_external_id.as_deref().unwrap_or("")),
            guarded(card.unit.as_str()),
            written(card.price),
            card.stock.decimal(),
            guarded(&card.description),
            guarded(&card.barcode),
            card.packs.iter().map(pack).collect::<Vec<_>>().join("; "),
            card.multiple.map_or_else(String::new, Quantity::decimal),
            yes(card.hidden),
            yes(card.deleted),
            guarded(&card.search_words),
        ];
        row.extend(types.iter().map(|name| {
            written(card.prices.iter().find(|(of, _)| of == *name).map(|(_, price)| *price))
        }));
        row.extend(warehouses.iter().map(|name| {
            let stock = card.stocks.iter().find(|(of, _)| of == *name);
            stock.map_or_else(String::new, |(_, quantity)| quantity.decimal())
        }));
        rows.push(row);
    }
    rows
}

/// Writes rows as CSV: semicolons, CRLF, a byte-order mark, as Excel in Russian reads it.
pub fn write_csv(rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b';')
        .terminator(csv::Terminator::CRLF)
        .flexible(true)
        .from_writer(b"\xef\xbb\xbf".to_vec());
    for row in rows {
        // A Vec takes everything.
        let _ = writer.write_record(row);
    }
    writer.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use insta::assert_debug_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn read(table: Table, map: &[(&str, &str)]) -> (Vec<ProductRecord>, Vec<SkippedRecord>) {
        let map: Vec<_> = map.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let mut source = CatalogTable::new(table, &map).expect("headings");
        let (mut products, mut skipped) = (Vec::new(), Vec::new());
        let Ok(_) = source.read(&mut |record| {
            match record {
                Record::Product(product) => products.push(product),
                Record::Skipped(record) => skipped.push(record),
            }
            ControlFlow::Continue(())
        });
        (products, skipped)
    }

    #[test]
    fn every_dialect_gives_the_same_table() {
        let plain = "Артикул;Наименование;Цена\n1;\"Болт; М6\";\"1 234,50\"\n";
        let expected = read_csv(plain.as_bytes()).expect("reads");
        assert_eq!(expected.rows[1], ["1", "Болт; М6", "1 234,50"]);
        let (cp1251, _, _) = encoding_rs::WINDOWS_1251.encode(plain);
        let comma = "Артикул,Наименование,Цена\n1,Болт; М6,\"1 234,50\"\n";
        let tab = "Артикул\tНаименование\tЦена\r\n1\tБолт; М6\t1 234,50\r\n";
        for bytes in
            [&cp1251[..], format!("\u{feff}{plain}").as_bytes(), comma.as_bytes(), tab.as_bytes()]
        {
            assert_eq!(read_csv(bytes).expect("reads"), expected);
        }
    }

    #[test]
    fn headings_are_found_below_a_preamble_and_mean_fields() {
        let csv = "Прайс-лист от 24.11.2026;;;;\n;;;;\nКод товара;Наименование;Цена, руб.;Остаток;Ед. изм.\n\
                   А-1;Саморез 4×25;0,85;1 000;тыс. шт\nА-2;Болт;договорная;;шт\n;;;;\n";
        let (products, skipped) = read(read_csv(csv.as_bytes()).expect("reads"), &[]);
        assert_eq!(products.len(), 1);
        assert_eq!(products[0].index, 3);
        assert_eq!(products[0].stock, Field::Set(Quantity::whole(1_000)));
        assert_eq!(products[0].unit, Field::Set(Unit::new("тыс шт")));
        assert_debug_snapshot!(skipped[0].reason, @r#""«цена» = «договорная»: не число""#);
    }

    #[test]
    fn rows_have_the_numbers_that_a_spreadsheet_shows() {
        for (csv, numbers) in [
            ("а;б\r\n\r\nв;г\r\n\r\n\r\nд;е", "0 2 5"),
            ("\n\nа;б\nв;\"г\n\nг\"\n\nд;е\n\n", "2 3 5"),
            ("а;б\nв;г\n", "0 1"),
        ] {
            let numbered = read_csv_numbered(csv.as_bytes()).expect("reads").rows;
            let filled = numbered.iter().enumerate().filter(|(_, row)| !row.is_empty());
            let found: Vec<_> = filled.clone().map(|(index, _)| index.to_string()).collect();
            assert_eq!(found.join(" "), numbers, "{csv:?}");
            let plain = read_csv(csv.as_bytes()).expect("reads").rows;
            assert_eq!(plain, filled.map(|(_, row)| row.clone()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_field_is_read_back_as_the_column_it_names_and_may_be_in_none() {
        let csv = "Ид;Код;Товар;Опт;Цена: Розница;Остаток: Химки;Вес\n1;2;3;4;5;6;7\n";
        let table = || read_csv(csv.as_bytes()).expect("reads");
        let found = CatalogTable::new(table(), &[]).expect("a catalogue");
        let fields = found.fields();
        let named: Vec<&str> = fields.iter().map(|f| f.as_deref().unwrap_or("")).collect();
        let wanted = ["external_id", "sku", "title", "price", "price: Розница", "stock: Химки", ""];
        assert_eq!(named, wanted);
        for field in fields.iter().flatten() {
            assert_eq!(column(field).map(|column| column.field()).as_ref(), Some(field));
        }
        let map = [("price".to_owned(), NO_COLUMN.to_owned())];
        let unread = CatalogTable::new(table(), &map).expect("a catalogue");
        assert_eq!(unread.fields()[3], None);
        assert_eq!(found.sample(1), table().rows);
    }

    #[test]
    fn a_mapping_goes_before_the_headings() {
        let csv = "Имя;К;Цена\nБолт;7;1\n";
        let table = || read_csv(csv.as_bytes()).expect("reads");
        assert!(matches!(CatalogTable::new(table(), &[]), Err(TableError::NoHeadings)));
        let (products, _) = read(table(), &[("title", "имя"), ("stock_qty", "2")]);
        assert_eq!(products[0].title, Field::Set("Болт".to_owned()));
        assert_eq!(products[0].stock, Field::Set(Quantity::whole(7)));
        let map = |field: &str, column: &str| {
            CatalogTable::new(table(), &[(field.to_owned(), column.to_owned())]).err()
        };
        assert!(matches!(map("title", "нет такого"), Some(TableError::NoColumn(_))));
        assert!(matches!(map("цвет", "имя"), Some(TableError::NoField(_))));
    }

    #[test]
    fn an_empty_cell_at_the_end_of_a_row_of_a_workbook_is_empty() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (row, cells) in [(0, &["Артикул", "Название", "Цена"][..]), (1, &["1", "Болт"])]
        {
            for (column, cell) in (0..).zip(cells) {
                sheet.write(row, column, *cell).expect("written");
            }
        }
        sheet.write(1, 4, "шт").expect("written");
        sheet.write(2, 0, "2").expect("written");
        let table = read_xlsx(book.save_to_buffer().expect("saved")).expect("reads");
        // A column without a heading has a number all the same.
        let (products, _) = read(table, &[("unit", "5")]);
        assert_eq!(products[0].price, Field::Clear);
        assert_eq!(products[0].unit, Field::Set(Unit::new("шт")));
        assert_eq!(products[1].title, Field::Clear);
        let short = read_csv("Артикул;Название;Цена\n1;Болт\n".as_bytes()).expect("reads");
        assert_eq!(read(short, &[]).0[0].price, Field::Keep);
    }

    #[test]
    fn a_nul_a_long_cell_are_refused_with_their_place() {
        let place = |csv: String| match read_csv(csv.as_bytes()) {
            Err(TableError::Cell { row, column, .. }) => (row, column),
            other => panic!("{other:?}"),
        };
        assert_eq!(place("a;b\n1;\0\n".to_owned()), (2, 2));
        assert_eq!(place(format!("a;b\n{};1\n", "x".repeat(MAX_CELL + 1))), (2, 1));
    }

    #[test]
    fn formulas_are_guarded_and_phones_come_back() {
        for text in
            ["=cmd|' /C calc'!A1", "+79211234567", "-10 мм", "@a", "'=1", "''", "'слово", "обычный"]
        {
            assert_eq!(unguarded(&guarded(text)), text);
            assert!(!guarded(text).starts_with(['=', '+', '-', '@']));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            rows in proptest::collection::vec(proptest::collection::vec("[а-яА-Я=+@\"';,\n\t 0-9-]{0,8}", 3), 1..8),
        ) {
            let guard = |row: &Vec<String>| row.iter().map(|cell| guarded(cell)).collect::<Vec<_>>();
            let mut written = vec![vec!["sku".to_owned(), "title".to_owned(), "unit".to_owned()]; 3];
            written.extend(rows.iter().map(guard));
            let read = read_csv(&write_csv(&written)).expect("reads");
            let back: Vec<Vec<String>> = read.rows[3..].iter()
                .map(|row| row.iter().map(|cell| unguarded(cell).to_owned()).collect()).collect();
            prop_assert_eq!(back, rows);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(table) = read_csv(&bytes) {
                let _ = CatalogTable::new(table, &[("title".to_owned(), "1".to_owned())]);
            }
            let _ = read_xlsx(bytes);
        }
    }
}
