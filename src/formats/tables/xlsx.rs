//! .xlsx: a zip of XML, so it is looked at as a zip before anything is unpacked for good.

use std::io::{Cursor, Read};

use calamine::{Data, Reader, Xlsx};

use super::{MAX_ROWS, Table, TableError, check_cell};

const MAX_ENTRIES: usize = 2_000;
const MAX_UNPACKED: u64 = 512 * 1024 * 1024;
/// How many times its packed size a file may unpack to, once that is over a megabyte.
const MAX_RATIO: u64 = 200;
const RATIO_MATTERS: u64 = 1024 * 1024;

/// Every sheet, in order.
pub fn sheets(bytes: Vec<u8>) -> Result<Vec<Table>, TableError> {
    inspect(&bytes)?;
    let refuse = |error: calamine::XlsxError| TableError::Workbook(error.to_string());
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(refuse)?;
    let mut tables = Vec::new();
    for name in book.sheet_names() {
        let range = book.worksheet_range(&name).map_err(refuse)?;
        let (top, left) = range.start().unwrap_or((0, 0));
        if range.height() + top as usize > MAX_ROWS {
            return Err(TableError::TooManyRows);
        }
        // Rows and columns before the first used cell keep their numbers.
        let mut rows = vec![Vec::new(); top as usize];
        for cells in range.rows() {
            let mut row = vec![String::new(); left as usize];
            for cell in cells {
                let text = text(cell);
                check_cell(&text, rows.len() + 1, row.len() + 1)?;
                row.push(text);
            }
            rows.push(row);
        }
        tables.push(Table { rows });
    }
    Ok(tables)
}

/// Refuses what is no honest workbook. Sizes are counted while unpacking: headers lie.
pub fn inspect(bytes: &[u8]) -> Result<(), TableError> {
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
        loop {
            let count =
                entry.read(&mut buffer).map_err(|error| TableError::Workbook(error.to_string()))?;
            if count == 0 {
                break;
            }
            unpacked += count as u64;
            total += count as u64;
            let bomb = unpacked > RATIO_MATTERS && unpacked / packed > MAX_RATIO;
            if total > MAX_UNPACKED || bomb {
                return Err(refuse("распаковывается во слишком большой файл"));
            }
        }
    }
    Ok(())
}

fn text(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(number) => number.to_string(),
        Data::Bool(value) => if *value { "да" } else { "нет" }.to_owned(),
        Data::Float(number) => number.to_string(),
        Data::DateTime(moment) => moment.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

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
        let tables = sheets(bytes).expect("reads");
        assert_eq!(tables[0].rows[3], ["4001", "=2+2", "12.5"]);
        assert_eq!(tables[0].rows.len(), 4, "rows keep their numbers");
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
            assert!(matches!(sheets(bytes), Err(TableError::Workbook(_))));
        }
        let many: Vec<String> = (0..=MAX_ENTRIES).map(|n| n.to_string()).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|n| (n.as_str(), &b""[..])).collect();
        assert!(matches!(sheets(zipped(&many)), Err(TableError::Workbook(_))));
    }
}
