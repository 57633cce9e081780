//! .ods: read as a stream of cells, for its rows and cells may be said to repeat a million times.

use std::io::{BufReader, Cursor, Read};

use memchr::memmem;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::super::order_table::OrderTableError;
use super::grid::{Grid, Room};
use super::{Table, TableError};

/// Source: ODF 1.3, part 2, 3.3 `mimetype`.
const MIMETYPE: &[u8] = b"application/vnd.oasis.opendocument.spreadsheet";
/// Spaces that one tag stands for.
const MAX_SPACES: usize = 100;

/// The first sheets of a file that has been looked at as an archive, by name.
///
/// # Errors
///
/// [`OrderTableError`].
pub fn sheets(
    bytes: &[u8],
    room: &mut Room,
    at_most: usize,
) -> Result<Vec<(String, Table)>, OrderTableError> {
    let unreadable = |_| OrderTableError::Unreadable;
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    let mut part = |name: &str| -> Result<Vec<u8>, OrderTableError> {
        let mut part = archive.by_name(name).map_err(|_| OrderTableError::Unreadable)?;
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).map_err(|_| OrderTableError::Unreadable)?;
        Ok(bytes)
    };
    if !part("mimetype")?.starts_with(MIMETYPE) {
        return Err(OrderTableError::Unreadable);
    }
    if memmem::find(&part("META-INF/manifest.xml")?, b"encryption-data").is_some() {
        return Err(OrderTableError::Locked);
    }
    let content = archive.by_name("content.xml").map_err(|_| OrderTableError::Unreadable)?;
    let mut reader = Reader::from_reader(BufReader::new(content));
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().check_end_names = false;
    let mut found = Vec::new();
    let mut buffer = Vec::new();
    while found.len() < at_most {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|_| OrderTableError::Unreadable)? {
            Event::Start(tag) if tag.name().as_ref() == "table:table" => {
                let name = attribute(&tag, "table:name").unwrap_or_default();
                let table = sheet(&mut reader, &name, room)?;
                found.push((name, table));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(found)
}

fn sheet<R: std::io::BufRead>(
    reader: &mut Reader<R>,
    name: &str,
    room: &mut Room,
) -> Result<Table, OrderTableError> {
    let mut grid = Grid::new(name, room);
    let (mut row, mut column, mut rows) = (0_u32, 0_u32, 1_u32);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|_| OrderTableError::Unreadable)? {
            Event::Start(tag) => match tag.name().as_ref() {
                "table:table-row" => {
                    (column, rows) = (0, times(&tag, "table:number-rows-repeated"));
                }
                "table:table-cell" | "table:covered-table-cell" => {
                    let columns = times(&tag, "table:number-columns-repeated");
                    let text = cell(reader, &tag)?;
                    if !text.is_empty() {
                        repeat(&mut grid, (row, rows), (column, columns), &text)?;
                    }
                    column = column.saturating_add(columns);
                }
                _ => {}
            },
            Event::End(tag) if tag.name().as_ref() == "table:table-row" => {
                row = row.saturating_add(rows);
            }
            Event::End(tag) if tag.name().as_ref() == "table:table" => return Ok(grid.table()),
            Event::Eof => return Err(OrderTableError::Unreadable),
            _ => {}
        }
    }
}

/// A cell that is written once for many. The first that is too far ends it.
fn repeat(
    grid: &mut Grid<'_>,
    (row, rows): (u32, u32),
    (column, columns): (u32, u32),
    text: &str,
) -> Result<(), TableError> {
    for row in (row..).take(rows as usize) {
        for column in (column..).take(columns as usize) {
            grid.put(row, column, text)?;
        }
    }
    Ok(())
}

/// What is written in the cell that has begun; reads to its end.
fn cell<R: std::io::BufRead>(
    reader: &mut Reader<R>,
    tag: &BytesStart<'_>,
) -> Result<String, OrderTableError> {
    let end = tag.name().as_ref().to_owned();
    let value = match attribute(tag, "office:value-type").as_deref() {
        Some("float" | "percentage" | "currency") => {
            let number = attribute(tag, "office:value");
            number.and_then(|text| text.parse::<f64>().ok()).map(|number| number.to_string())
        }
        Some("boolean") => {
            let truth = attribute(tag, "office:boolean-value");
            truth.map(|text| if text == "true" { "да" } else { "нет" }.to_owned())
        }
        Some("date") => attribute(tag, "office:date-value"),
        Some("time") => attribute(tag, "office:time-value"),
        _ => attribute(tag, "office:string-value"),
    };
    let (mut text, mut paragraphs, mut aside) = (String::new(), 0, 0_u32);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|_| OrderTableError::Unreadable)? {
            Event::Start(tag) => match tag.name().as_ref() {
                // A note on the cell is no part of it.
                "office:annotation" => aside += 1,
                _ if aside > 0 => {}
                "text:p" => {
                    paragraphs += 1;
                    if paragraphs > 1 {
                        text.push('\n');
                    }
                }
                "text:s" => {
                    let spaces = times(&tag, "text:c") as usize;
                    text.extend(std::iter::repeat_n(' ', spaces.min(MAX_SPACES)));
                }
                "text:tab" => text.push('\t'),
                "text:line-break" => text.push('\n'),
                _ => {}
            },
            Event::End(tag) if tag.name().as_ref() == "office:annotation" => {
                aside = aside.saturating_sub(1);
            }
            Event::End(tag) if tag.name().as_ref() == end => break,
            Event::Text(piece) if aside == 0 && paragraphs > 0 => {
                text.push_str(&piece.xml10_content());
            }
            Event::CData(piece) if aside == 0 && paragraphs > 0 => {
                text.push_str(&piece.xml10_content());
            }
            Event::GeneralRef(name) if aside == 0 => text.push_str(&entity(&name)),
            Event::Eof => return Err(OrderTableError::Unreadable),
            _ => {}
        }
    }
    Ok(value.unwrap_or(text))
}

fn entity(name: &str) -> String {
    let written = format!("&{name};");
    quick_xml::escape::unescape(&written).map(std::borrow::Cow::into_owned).unwrap_or_default()
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = tag.attributes();
    let found = attributes.with_checks(false).flatten().find(|a| a.key.as_ref() == name)?;
    Some(quick_xml::escape::unescape(&found.value).ok()?.into_owned())
}

fn times(tag: &BytesStart<'_>, name: &str) -> u32 {
    attribute(tag, name).and_then(|times| times.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::grid::ORDER;
    use super::*;

    fn file(rows: &str) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let content = format!(
            "<office:document-content><office:body><office:spreadsheet>\
             <table:table table:name=\"Заявка\">{rows}</table:table>\
             </office:spreadsheet></office:body></office:document-content>"
        );
        for (name, bytes) in [
            ("mimetype", MIMETYPE),
            ("META-INF/manifest.xml", b"<manifest:manifest/>"),
            ("content.xml", content.as_bytes()),
        ] {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).expect("a file");
            writer.write_all(bytes).expect("written");
        }
        writer.finish().expect("a zip").into_inner()
    }

    fn read(rows: &str) -> Result<Table, OrderTableError> {
        let mut found = sheets(&file(rows), &mut Room::new(ORDER), 20)?;
        Ok(found.remove(0).1)
    }

    #[test]
    fn cells_are_read_with_their_numbers_texts_and_repeats() {
        let table = read(
            "<table:table-row table:number-rows-repeated=\"2\">\
             <table:table-cell table:number-columns-repeated=\"1024\"/></table:table-row>\
             <table:table-row>\
             <table:table-cell table:number-columns-repeated=\"2\" office:value-type=\"string\">\
             <office:annotation><text:p>заметка</text:p></office:annotation>\
             <text:p>Болт<text:s text:c=\"2\"/>М8 &lt;&amp;&gt;</text:p><text:p>цинк</text:p>\
             </table:table-cell>\
             <table:table-cell office:value-type=\"float\" office:value=\"2.50\">\
             <text:p>2,5</text:p></table:table-cell>\
             <table:table-cell office:value-type=\"date\" office:date-value=\"2026-11-24\"/>\
             </table:table-row>\
             <table:table-row table:number-rows-repeated=\"1048573\">\
             <table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>",
        )
        .expect("reads");
        assert_eq!(table.rows.len(), 3);
        let bolt = "Болт  М8 <&>\nцинк";
        assert_eq!(table.rows[2], [bolt, bolt, "2.5", "2026-11-24"]);
    }

    #[test]
    fn a_cell_that_repeats_without_end_is_refused() {
        for repeated in ["table:number-columns-repeated", "text:c"] {
            let cell = format!(
                "<table:table-row table:number-rows-repeated=\"1048576\"><table:table-cell \
                 {repeated}=\"4000000000\"><text:p>x</text:p></table:table-cell></table:table-row>"
            );
            let refused = read(&cell).expect_err("refused");
            assert!(matches!(refused, OrderTableError::TooFar(_)), "{refused}");
        }
    }
}
