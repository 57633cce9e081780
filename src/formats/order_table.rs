//! Tables that come as orders: which sheet, which columns, and the lines as a message would say
//! them.

use std::io::Cursor;

use calamine::{Reader, Xlsx};
use serde::{Deserialize, Serialize};

use super::tables::grid::{ORDER, Room};
use super::tables::{self, Table, TableError, ods, xls, xlsx};
use super::text::{self, Decimal, one_line};

/// At most so many lines in an order.
pub const MAX_LINES: usize = 1_000;
/// Rows that are looked at for headings and columns.
const LOOKED_AT: usize = 60;
/// Sheets that are read.
const MAX_SHEETS: usize = 20;

/// Why a table cannot be read as an order; each is a sentence for the buyer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderTableError {
    /// Nothing is written in it.
    #[error("В файле нет строк.")]
    Empty,
    /// It asks for a password.
    #[error("Файл защищён паролем.")]
    Locked,
    /// More lines than an order takes.
    #[error("В файле больше 1\u{a0}000 строк.")]
    TooLong,
    /// A cell is further than orders are read, or the table is too large.
    #[error("Слишком большая таблица: {0}. Удалите лишнее и пришлите снова.")]
    TooFar(String),
    /// It is damaged or something else than its name says.
    #[error("Файл не читается: повреждён или другого формата.")]
    Unreadable,
}

/// A sheet of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Its name; empty where the format has none.
    pub name: String,
    /// Its rows.
    pub table: Table,
}

/// Where a table holds what is ordered. Columns and rows count from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The row of headings, as they are written; empty where there are none.
    pub headings: Vec<String>,
    /// The first row of goods.
    pub first: usize,
    /// The column of the goods.
    pub goods: usize,
    /// The column of the quantities.
    pub quantity: Option<usize>,
    /// The column of the units.
    pub unit: Option<usize>,
}

/// Whether a file of this name is read as an order.
pub fn is_table(name: &str) -> bool {
    let name = name.to_lowercase();
    [".xlsx", ".xls", ".ods", ".csv", ".txt"].iter().any(|end| name.ends_with(end))
}

/// Reads every sheet that has something written on it.
///
/// What the bytes are decides, not the name: accounting programs name anything «.xls».
///
/// # Errors
///
/// [`OrderTableError`].
#[expect(clippy::needless_pass_by_value, reason = "nobody has a use for the file after it")]
pub fn read(name: &str, bytes: Vec<u8>) -> Result<Vec<Sheet>, OrderTableError> {
    let sheets = match bytes.get(..4) {
        Some(b"PK\x03\x04") => zipped(&bytes)?,
        Some([0xD0, 0xCF, 0x11, 0xE0]) => old_workbook(name, &bytes)?,
        _ => vec![Sheet { name: String::new(), table: written(name, &bytes)? }],
    };
    let filled =
        |sheet: &Sheet| sheet.table.rows.iter().flatten().any(|cell| !cell.trim().is_empty());
    let sheets: Vec<Sheet> = sheets.into_iter().filter(filled).take(MAX_SHEETS).collect();
    if sheets.is_empty() { Err(OrderTableError::Empty) } else { Ok(sheets) }
}

/// Lines as they are written, or the cells of CSV.
fn written(name: &str, bytes: &[u8]) -> Result<Table, OrderTableError> {
    // A text has no control characters but those that part it; UTF-16 is told by its mark.
    let wide = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
    let mut room = Room::new(ORDER);
    if !wide && bytes.iter().any(|byte| *byte < 0x09) {
        return Err(OrderTableError::Unreadable);
    }
    if name.to_lowercase().ends_with(".txt") {
        let content = text::decode(bytes);
        let mut rows = Vec::new();
        for line in content.lines().map(|line| line.trim_start_matches('\u{feff}')) {
            if !room.take_row(std::iter::once(line)) {
                return Err(OrderTableError::TooLong);
            }
            rows.push(vec![line.to_owned()]);
        }
        return Ok(Table { rows, width: 0 });
    }
    let mut table = tables::read_csv_within(bytes, &mut |row| room.take_row(row.iter()))?;
    table.rows.retain(|row| !row.is_empty());
    Ok(table)
}

impl From<TableError> for OrderTableError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::TooManyRows => Self::TooLong,
            far @ TableError::TooFar { .. } => Self::TooFar(far.to_string()),
            _ => Self::Unreadable,
        }
    }
}

fn zipped(bytes: &[u8]) -> Result<Vec<Sheet>, OrderTableError> {
    xlsx::inspect(bytes, ORDER)?;
    let mut room = Room::new(ORDER);
    let found = match Xlsx::new(Cursor::new(bytes)) {
        Ok(mut book) => {
            let names = book.sheet_names().into_iter().take(MAX_SHEETS);
            let read = |name: String| {
                let table = xlsx::sheet(&mut book, &name, &mut room)?;
                Ok((name, table))
            };
            names.map(read).collect::<Result<Vec<_>, TableError>>()?
        }
        Err(calamine::XlsxError::Password) => return Err(OrderTableError::Locked),
        Err(_) => ods::sheets(bytes, &mut room, MAX_SHEETS)?,
    };
    Ok(found.into_iter().map(|(name, table)| Sheet { name, table }).collect())
}

/// .xls; a locked .xlsx is wrapped in the same container.
fn old_workbook(name: &str, bytes: &[u8]) -> Result<Vec<Sheet>, OrderTableError> {
    let named = |(name, table)| Sheet { name, table };
    match xls::sheets(bytes, &mut Room::new(ORDER), MAX_SHEETS) {
        Ok(found) => Ok(found.into_iter().map(named).collect()),
        Err(OrderTableError::Unreadable) if name.to_lowercase().ends_with(".xlsx") => {
            Err(OrderTableError::Locked)
        }
        Err(error) => Err(error),
    }
}

/// What a heading says that its column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    Goods,
    Quantity,
    Unit,
    Other,
}

fn heading(cell: &str) -> Option<Means> {
    let cell = one_line(cell).to_lowercase().replace('ё', "е");
    let is = |words: &[&str]| words.iter().any(|word| cell.starts_with(word));
    if cell.is_empty() || cell.chars().count() > 40 {
        return None;
    }
    if is(&[
        "товар",
        "наимен",
        "номенкл",
        "назван",
        "позици",
        "продук",
        "материал",
        "name",
        "title",
    ]) {
        return Some(Means::Goods);
    }
    if is(&["кол-во", "количест", "кол.", "кол", "к-во", "заказ", "qty", "quantity"])
    {
        return Some(Means::Quantity);
    }
    if is(&["ед.", "ед ", "ед", "единиц", "unit"]) && cell.chars().count() <= 20 {
        return Some(Means::Unit);
    }
    is(&["№", "n", "п/п", "артикул", "код", "цена", "сумма", "итого", "стоимость", "ндс", "примеч"])
        .then_some(Means::Other)
}

fn number(cell: &str) -> Option<i64> {
    let quantity = Decimal::parse(cell).ok()?.quantity().ok()?;
    Some(quantity.thousandths())
}

/// The cell, or nothing where the row is shorter.
fn at(row: &[String], column: usize) -> &str {
    row.get(column).map_or("", |cell| cell.trim())
}

impl Layout {
    /// Where the goods and quantities of a table seem to be.
    pub fn guess(table: &Table) -> Self {
        let rows = &table.rows;
        let named = rows.iter().take(LOOKED_AT).position(|row| {
            let means: Vec<Means> = row.iter().filter_map(|cell| heading(cell)).collect();
            means.contains(&Means::Goods) && means.len() > 1
                || means.contains(&Means::Goods)
                    && row.iter().filter(|c| !c.is_empty()).count() == 1
        });
        let Some(row) = named else { return Self::by_content(table) };
        let of = |meaning: Means| {
            let is = |cell: &String| heading(cell) == Some(meaning);
            rows[row].iter().position(is)
        };
        Self {
            headings: rows[row].iter().map(|cell| one_line(cell)).collect(),
            first: row + 1,
            goods: of(Means::Goods).unwrap_or(0),
            quantity: of(Means::Quantity),
            unit: of(Means::Unit),
        }
    }

    fn by_content(table: &Table) -> Self {
        let rows: Vec<&Vec<String>> = table.rows.iter().take(LOOKED_AT).collect();
        let width = rows.iter().map(|row| row.len()).max().unwrap_or(0);
        let letters = |column: usize| -> usize {
            let cells = rows.iter().map(|row| at(row, column));
            cells.map(|cell| cell.chars().filter(|c| c.is_alphabetic()).count()).sum()
        };
        let goods = (0..width).max_by_key(|column| (letters(*column), width - column)).unwrap_or(0);
        let filled = rows.iter().filter(|row| !at(row, goods).is_empty()).count();
        // Numbers beside most goods; one after the other they only count the rows.
        let numbers = |column: usize| {
            let found: Vec<i64> =
                rows.iter().filter_map(|row| number(at(row, column))).filter(|n| *n > 0).collect();
            let counts = found.len() > 1 && found.windows(2).all(|two| two[1] - two[0] == 1_000);
            found.len() * 2 >= filled.max(1) && !(counts && column < goods)
        };
        let quantity = (goods + 1..width).find(|column| numbers(*column));
        let quantity = quantity.or_else(|| (0..goods).rev().find(|column| numbers(*column)));
        let unit = quantity.and_then(|quantity| {
            let beside = [quantity + 1, quantity.wrapping_sub(1)];
            beside.into_iter().find(|column| {
                let known = |row: &&Vec<String>| {
                    crate::domain::Unit::known(at(row, *column).trim_end_matches('.')).is_some()
                };
                *column != goods
                    && rows.iter().filter(|row| known(row)).count() * 2 >= filled.max(1)
            })
        });
        Self { headings: Vec::new(), first: 0, goods, quantity, unit }
    }

    /// Whether the table has the shape that this layout was made for.
    pub fn fits(&self, table: &Table) -> bool {
        let Some(row) = self.first.checked_sub(1).and_then(|row| table.rows.get(row)) else {
            return false;
        };
        // How far a row goes after its last cell says nothing.
        let end = |row: &[String]| row.iter().rposition(|cell| !cell.trim().is_empty());
        let ends = (end(row), end(&self.headings));
        let (Some(last), Some(same)) = ends else { return false };
        last == same
            && row[..=last].iter().map(|cell| one_line(cell)).eq(self.headings[..=last].to_vec())
    }

    /// With the goods in this column.
    #[must_use]
    pub fn with_goods(self, column: usize) -> Self {
        let other = |of: Option<usize>| of.filter(|other| *other != column);
        Self { goods: column, quantity: other(self.quantity), unit: other(self.unit), ..self }
    }

    /// With the quantities in this column, or in the words of the goods.
    #[must_use]
    pub fn with_quantity(self, column: Option<usize>) -> Self {
        let unit = self.unit.filter(|unit| column.is_some() && Some(*unit) != column);
        Self { quantity: column, unit, ..self }
    }

    /// The lines of the order, each as a message would say it.
    pub fn lines(&self, table: &Table) -> Vec<String> {
        let rows = table.rows.iter().skip(self.first);
        rows.filter_map(|row| self.line(row)).collect()
    }

    fn line(&self, row: &[String]) -> Option<String> {
        let goods = one_line(at(row, self.goods));
        let lower = goods.to_lowercase();
        let total = ["итого", "всего", "total"].iter().any(|word| lower.starts_with(word));
        if total || !goods.chars().any(char::is_alphanumeric) {
            return None;
        }
        let Some(column) = self.quantity else { return Some(goods) };
        let quantity = one_line(at(row, column));
        if quantity.is_empty() {
            return Some(goods);
        }
        let read = Decimal::parse(&quantity).ok().and_then(|number| number.quantity().ok());
        // Written without spaces: «4 000» must not fall apart into a size and a quantity.
        let quantity = read.map_or(quantity, |quantity| quantity.decimal().replace('.', ","));
        let unit = self.unit.map(|column| one_line(at(row, column))).unwrap_or_default();
        let line = format!("{goods} — {quantity} {unit}");
        Some(line.trim_end().to_owned())
    }
}

/// «A», «B»… «Z», «AA»: the column as tables name it.
pub fn column_name(column: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(column % 26).unwrap_or(0));
    match column / 26 {
        0 => letter.to_string(),
        before => format!("{}{letter}", column_name(before - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[&[&str]]) -> Table {
        let cells = |row: &&[&str]| row.iter().map(|cell| (*cell).to_owned()).collect();
        Table { rows: rows.iter().map(cells).collect(), width: 0 }
    }

    #[test]
    fn columns_are_found_by_their_headings() {
        let table = table(&[
            &["Заявка от 24.11"],
            &["№", "Наименование товара", "Ед.", "Кол-во", "Цена"],
            &["1", "Саморез 4х25", "шт", "4 000", "0,85"],
            &["2", "Спанбонд 70", "рул", "2,5", "3120"],
            &["", "Итого:", "", "", "7000"],
        ]);
        let layout = Layout::guess(&table);
        assert_eq!((layout.goods, layout.quantity, layout.unit), (1, Some(3), Some(2)));
        assert_eq!(layout.lines(&table), ["Саморез 4х25 — 4000 шт", "Спанбонд 70 — 2,5 рул"]);
        assert!(layout.fits(&table));
    }

    #[test]
    fn columns_are_found_by_what_is_in_them() {
        let table = table(&[
            &["1", "Саморез 4х25", "4000"],
            &["2", "Спанбонд 70", "2"],
            &["3", "Нитки 70ЛЛ", "15"],
        ]);
        let layout = Layout::guess(&table);
        assert_eq!((layout.goods, layout.quantity), (1, Some(2)));
        assert_eq!(layout.lines(&table)[0], "Саморез 4х25 — 4000");
        assert!(!layout.fits(&table), "without headings the buyer is asked every time");
    }

    #[test]
    fn what_is_no_table_is_refused_with_the_reason() {
        let read = |name: &str, bytes: &[u8]| read(name, bytes.to_vec()).map(|sheets| sheets.len());
        assert_eq!(read("a.csv", b""), Err(OrderTableError::Empty));
        assert_eq!(read("a.csv", b" ; ;\n"), Err(OrderTableError::Empty));
        assert_eq!(read("a.xlsx", b"PK\x03\x04 rubbish"), Err(OrderTableError::Unreadable));
        assert_eq!(read("a.xls", &[0, 1, 2, 3, 4]), Err(OrderTableError::Unreadable));
        let locked = [&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1][..], &[0; 600]].concat();
        assert_eq!(read("a.xlsx", &locked), Err(OrderTableError::Locked));
        assert_eq!(read("1c.xls", "Товар;Кол-во\nСаморез;5".as_bytes()), Ok(1));
    }

    #[test]
    fn one_far_cell_is_refused_by_its_name_and_wide_rows_cost_their_cells() {
        let book = |cells: &[(u32, u16)]| {
            let mut book = rust_xlsxwriter::Workbook::new();
            let sheet = book.add_worksheet();
            for (row, column) in cells {
                sheet.write(*row, *column, "Болт").expect("written");
            }
            book.save_to_buffer().expect("saved")
        };
        assert_eq!(
            read("a.xlsx", book(&[(0, 0), (1_048_575, 16_383)])).expect_err("too far").to_string(),
            "Слишком большая таблица: лист «Sheet1», ячейка XFD1048576: читаются только первые 100000 строк. \
             Удалите лишнее и пришлите снова."
        );
        let wide: Vec<(u32, u16)> = (0..3_000).map(|row| (row, 16_383)).collect();
        assert!(matches!(read("a.xlsx", book(&wide)), Err(OrderTableError::TooFar(_))));
        let sheets = read("a.xlsx", book(&[(0, 0), (90_000, 255)])).expect("reads");
        let cells: usize = sheets[0].table.rows.iter().map(Vec::len).sum();
        assert_eq!((sheets[0].table.rows.len(), cells), (90_001, 257));
    }

    #[test]
    fn lines_without_end_are_refused() {
        let lines = vec![b'\n'; 4 * 1024 * 1024];
        assert_eq!(read("a.txt", lines), Err(OrderTableError::TooLong));
        let cells = vec![b';'; 4 * 1024 * 1024];
        assert_eq!(read("a.csv", cells), Err(OrderTableError::TooLong));
    }

    #[test]
    fn a_layout_fits_whatever_follows_the_last_heading() {
        let table = table(&[&["Товар", "Кол-во"], &["Болт", "5"]]);
        let mut layout = Layout::guess(&table);
        layout.headings.push(String::new());
        assert!(layout.fits(&table));
        layout.headings.push("Цена".to_owned());
        assert!(!layout.fits(&table));
    }

    #[test]
    fn columns_have_the_names_of_tables() {
        assert_eq!([0, 25, 26, 52].map(column_name), ["A", "Z", "AA", "BA"]);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, xls: bool) {
            let magic: &[u8] = if xls { &[0xD0, 0xCF, 0x11, 0xE0] } else { b"PK\x03\x04" };
            let _ = read("a.xlsx", [magic, &bytes].concat());
            if let Ok(sheets) = read("a.csv", bytes) {
                let layout = Layout::guess(&sheets[0].table);
                let _ = layout.lines(&sheets[0].table);
            }
        }
    }
}
