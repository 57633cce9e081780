//! .xlsx: a zip of XML, so it is looked at as a zip before anything is unpacked for good.

use std::borrow::Cow;
use std::io::{Cursor, Read, Seek};

use calamine::{DataRef, Reader, Xlsx, XlsxError};
use memchr::{memchr_iter, memmem};

use super::grid::{Grid, Limits, Room};
use super::{Table, TableError, check_cell};

const MAX_ENTRIES: usize = 2_000;
/// How many times its packed size a file may unpack to, once that is over a megabyte.
const MAX_RATIO: u64 = 200;
const RATIO_MATTERS: u64 = 1024 * 1024;
/// Tags of the styles, each of which takes hundreds of bytes once read. Excel makes no more than
/// 65 490 kinds of cells.
const MAX_STYLES: u64 = 500_000;

/// The sheet that is wanted, or the first one; those after it are not read.
///
/// # Errors
///
/// [`TableError`].
pub fn find_sheet(
    bytes: Vec<u8>,
    limits: Limits,
    wanted: impl Fn(&Table) -> bool,
) -> Result<Table, TableError> {
    inspect(&bytes, limits)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(refuse)?;
    let mut room = Room::new(limits);
    let mut first = None;
    for name in book.sheet_names() {
        let before = room.clone();
        let table = sheet(&mut book, &name, &mut room)?;
        for (row, cells) in table.rows.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                check_cell(cell, row + 1, column + 1)?;
            }
        }
        if wanted(&table) {
            return Ok(table);
        }
        if first.is_none() {
            first = Some(table);
        } else {
            room = before;
        }
    }
    Ok(first.unwrap_or_default())
}

/// One sheet, read cell by cell; a sheet of charts has none.
///
/// # Errors
///
/// [`TableError`].
pub fn sheet<R: Read + Seek>(
    book: &mut Xlsx<R>,
    name: &str,
    room: &mut Room,
) -> Result<Table, TableError> {
    let mut cells = match book.worksheet_cells_reader(name) {
        Err(XlsxError::NotAWorksheet(_)) => return Ok(Table::default()),
        cells => cells.map_err(refuse)?,
    };
    let mut grid = Grid::new(name, room);
    while let Some(cell) = cells.next_cell().map_err(refuse)? {
        let (row, column) = cell.get_position();
        grid.put(row, column, &text(cell.get_value()))?;
    }
    Ok(grid.table())
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn refuse(error: XlsxError) -> TableError {
    TableError::Workbook(error.to_string())
}

/// Refuses what is no honest workbook. Sizes are counted while unpacking: headers lie.
pub fn inspect(bytes: &[u8], limits: Limits) -> Result<(), TableError> {
    let refuse = |why: &str| TableError::Workbook(why.to_owned());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| TableError::Workbook(error.to_string()))?;
    if archive.len() > MAX_ENTRIES {
        return Err(refuse("слишком много частей"));
    }
    let mut total = 0_u64;
    let mut buffer = vec![0; 64 * 1024];
    for index in 0..archive.len() {
        let mut entry =
            archive.by_index(index).map_err(|error| TableError::Workbook(error.to_string()))?;
        let name = entry.name().map_err(|_| refuse("имя части не читается"))?.to_lowercase();
        if entry.encrypted() || entry.is_symlink() {
            return Err(refuse("части зашифрованы или ссылаются наружу"));
        }
        if name.split(['/', '\\']).any(|part| part == "..") || name.starts_with(['/', '\\']) {
            return Err(refuse("имя части ведёт наружу"));
        }
        if [".zip", ".xlsx", ".xls", ".gz", ".7z", ".rar"].iter().any(|e| name.ends_with(e)) {
            return Err(refuse("архив внутри архива"));
        }
        let packed = entry.compressed_size().max(1);
        let mut unpacked = 0_u64;
        let mut tags = Tags::of(&name, limits);
        loop {
            let count =
                entry.read(&mut buffer).map_err(|error| TableError::Workbook(error.to_string()))?;
            if count == 0 {
                break;
            }
            unpacked += count as u64;
            total += count as u64;
            let bomb = unpacked > RATIO_MATTERS && unpacked / packed > MAX_RATIO;
            if total > limits.unpacked || bomb {
                return Err(refuse("распаковывается во слишком большой файл"));
            }
            if !tags.fit(&buffer[..count]) {
                return Err(refuse("слишком много текстов или стилей"));
            }
        }
    }
    Ok(())
}

/// Counts the tags of the parts that are held in memory as a whole.
struct Tags {
    left: u64,
    most: u64,
    /// The end of the last piece, where a word may have begun.
    end: Vec<u8>,
}

impl Tags {
    /// The attribute by which memory is set aside for the texts before the first of them is read.
    const COUNT: &[u8] = b"uniqueCount";
    /// As much behind that word as its number is looked for in.
    const AFTER: usize = 200;

    fn of(name: &str, limits: Limits) -> Self {
        let most = match name {
            name if name.ends_with("sharedstrings.xml") => limits.texts,
            name if name.ends_with("styles.xml") => MAX_STYLES,
            _ => u64::MAX,
        };
        Self { left: most, most, end: Vec::new() }
    }

    /// Looks at the next piece; whether there are still no more tags than may be.
    fn fit(&mut self, piece: &[u8]) -> bool {
        let counted = memchr_iter(b'<', piece).count() as u64;
        let Some(left) = self.left.checked_sub(counted) else { return false };
        self.left = left;
        if self.most < u64::MAX {
            self.end.extend_from_slice(piece);
            if memmem::find_iter(&self.end, Self::COUNT)
                .any(|at| !Self::honest(&self.end[at..], self.most))
            {
                return false;
            }
            let keep = self.end.len().saturating_sub(Self::COUNT.len() + Self::AFTER);
            self.end.drain(..keep);
        }
        true
    }

    /// Whether the number that follows is not larger than any file can have; what is not all there
    /// yet is looked at again with the next piece.
    fn honest(attribute: &[u8], most: u64) -> bool {
        let after = attribute[Self::COUNT.len()..].iter().take(Self::AFTER);
        let mark = |byte: &u8| byte.is_ascii_whitespace() || b"=\"'".contains(byte);
        let marks = after.clone().take_while(|byte| mark(byte)).count();
        let digits = after.skip(marks).take_while(|byte| byte.is_ascii_digit());
        let number = digits.fold(0_u64, |number, digit| {
            number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        });
        marks < Self::AFTER && number <= most
    }
}

/// What is written in a cell, as people see it.
fn text<'a>(cell: &'a DataRef<'a>) -> Cow<'a, str> {
    match cell {
        DataRef::Empty | DataRef::Error(_) => Cow::Borrowed(""),
        DataRef::SharedString(text) => Cow::Borrowed(text),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            Cow::Borrowed(text)
        }
        DataRef::Int(number) => Cow::Owned(number.to_string()),
        DataRef::Bool(value) => Cow::Borrowed(if *value { "да" } else { "нет" }),
        DataRef::Float(number) => Cow::Owned(number.to_string()),
        DataRef::DateTime(moment) => Cow::Owned(moment.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::grid::{CATALOG, ORDER};
    use super::*;

    fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("a file");
            writer.write_all(bytes).expect("written");
        }
        writer.finish().expect("a zip").into_inner()
    }

    #[test]
    fn a_workbook_is_read_with_its_numbers_as_people_see_them() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (column, heading) in (0..).zip(["Артикул", "Название", "Цена"]) {
            sheet.write(2, column, heading).expect("written");
        }
        sheet.write(3, 0, 4001).expect("written");
        sheet.write(3, 1, "=2+2").expect("written");
        sheet.write(3, 2, 12.5).expect("written");
        let bytes = book.save_to_buffer().expect("saved");
        let table = find_sheet(bytes, CATALOG, |_| true).expect("reads");
        assert_eq!(table.rows[3], ["4001", "=2+2", "12.5"]);
        assert_eq!(table.rows.len(), 4, "rows keep their numbers");
    }

    #[test]
    fn bombs_and_strangers_are_refused() {
        let zeros = vec![0; 8 * 1024 * 1024];
        for bytes in [
            b"not a zip".to_vec(),
            zipped(&[("xl/worksheets/sheet1.xml", &zeros)]),
            zipped(&[("../../x", b"1")]),
            zipped(&[("/etc/passwd", b"1")]),
            zipped(&[("inner.zip", b"1")]),
        ] {
            assert!(matches!(find_sheet(bytes, CATALOG, |_| true), Err(TableError::Workbook(_))));
        }
        let many: Vec<String> = (0..=MAX_ENTRIES).map(|n| n.to_string()).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|n| (n.as_str(), &b""[..])).collect();
        assert!(matches!(
            find_sheet(zipped(&many), CATALOG, |_| true),
            Err(TableError::Workbook(_))
        ));
    }

    #[test]
    fn a_far_cell_is_refused_before_anything_is_made_for_it() {
        let book = |row: u32, column: u16| {
            let mut book = rust_xlsxwriter::Workbook::new();
            let sheet = book.add_worksheet();
            sheet.write(0, 0, "Название").expect("written");
            sheet.write(row, column, "x").expect("written");
            book.save_to_buffer().expect("saved")
        };
        let read = |bytes| find_sheet(bytes, CATALOG, |_| true);
        assert_eq!(
            read(book(1_048_575, 16_383)).expect_err("too far").to_string(),
            "лист «Sheet1», ячейка XFD1048576: читаются только первые 1000000 строк"
        );
        assert_eq!(
            read(book(5, 16_383)).expect_err("too far").to_string(),
            "лист «Sheet1», ячейка XFD6: читаются только первые 1024 столбцов"
        );
        let table = read(book(999_999, 1_023)).expect("reads");
        assert_eq!(table.rows.iter().map(Vec::len).sum::<usize>(), 1_025);
    }

    #[test]
    fn lists_of_texts_and_styles_are_bounded() {
        let with = |name: &str, text: &str| inspect(&zipped(&[(name, text.as_bytes())]), ORDER);
        let spaces = " ".repeat(66_000);
        for text in [
            "<sst uniqueCount=\"20000000000\">".to_owned(),
            "<sst uniqueCount = '99999999999999999999999'>".to_owned(),
            format!("<sst {spaces} uniqueCount=\"0000000020000000000\">"),
            format!("<sst uniqueCount={spaces}\"5\">"),
            format!("<sst>{}", "<si/>".repeat(4_000_001)),
        ] {
            assert!(with("xl/SharedStrings.xml", &text).is_err(), "{text:.60}");
        }
        assert!(with("xl/styles.xml", &"<xf/>".repeat(500_001)).is_err());
        for text in ["<sst uniqueCount=\"3\">", "<sst count=\"3\"><si/>", "uniqueCount"] {
            assert!(with("xl/sharedStrings.xml", text).is_ok(), "{text}");
        }
    }
}
