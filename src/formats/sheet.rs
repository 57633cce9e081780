//! Lists for a spreadsheet: CSV that Excel opens by a double click, and .xlsx.

use rust_xlsxwriter::{Format, Workbook, XlsxError};

use crate::domain::Money;

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Words. They are never run as a formula.
    Text(String),
    /// A whole number.
    Number(i64),
    /// An amount.
    Money(Money),
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// What Excel runs as a formula begins with one of these.
/// Source: OWASP, CSV injection <https://owasp.org/www-community/attacks/CSV_Injection>.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The rows as CSV: UTF-8 with a byte-order mark, semicolons, decimal commas, as a Russian Excel
/// reads them. Words that look like a formula get an apostrophe before them.
pub fn csv(rows: &[Vec<Cell>]) -> Vec<u8> {
    let mut bytes = "\u{feff}".as_bytes().to_vec();
    for row in rows {
        let cells: Vec<String> = row.iter().map(csv_cell).collect();
        bytes.extend_from_slice(cells.join(";").as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn csv_cell(cell: &Cell) -> String {
    match cell {
        Cell::Number(number) => number.to_string(),
        Cell::Money(money) => money.decimal().replace('.', ","),
        Cell::Text(text) => {
            let guard = if text.starts_with(FORMULA) { "'" } else { "" };
            let text = format!("{guard}{text}");
            if text.contains([';', '"', '\n', '\r']) {
                return format!("\"{}\"", text.replace('"', "\"\""));
            }
            text
        }
    }
}

/// The rows as .xlsx, the first of them in bold and always in sight.
///
/// # Errors
///
/// [`XlsxError`] when there are more rows than a sheet holds (1 048 576).
pub fn xlsx(rows: &[Vec<Cell>]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let (bold, amount) = (Format::new().set_bold(), Format::new().set_num_format("#,##0.00"));
    for (row, cells) in (0_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            match cell {
                Cell::Text(text) if row == 0 => {
                    sheet.write_string_with_format(row, column, text, &bold)?;
                }
                Cell::Text(text) => {
                    sheet.write_string(row, column, text)?;
                }
                Cell::Number(number) => {
                    sheet.write_number(row, column, float(*number))?;
                }
                Cell::Money(money) => {
                    // The file's own numbers are binary fractions: two digits survive.
                    let roubles = float(money.kopecks()) / 100.0;
                    sheet.write_number_with_format(row, column, roubles, &amount)?;
                }
            }
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.autofit();
    book.save_to_buffer()
}

#[expect(clippy::cast_precision_loss, reason = "the file's numbers are 64-bit floats")]
fn float(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_stays_words_and_quotes_hold() {
        let rows = vec![
            vec![Cell::text("№"), Cell::text("Организация")],
            vec![Cell::Number(1042), Cell::text("=1+1")],
            vec![Cell::Money(Money::from_kopecks(1_245_005)), Cell::text("ООО \"А; Б\"")],
        ];
        let text = String::from_utf8(csv(&rows)).expect("it is UTF-8");
        let expected = "\u{feff}№;Организация\r\n1042;'=1+1\r\n12450,05;\"ООО \"\"А; Б\"\"\"\r\n";
        assert_eq!(text, expected);
        let book = xlsx(&rows).expect("it fits");
        assert!(book.starts_with(b"PK"));
    }
}
