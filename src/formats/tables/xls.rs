//! .xls: a file system in a file, and in it records of cells, read one after the other.
//!
//! Numbers and texts only: what a formula is and how a cell looks is passed over.
//!
//! Sources: [MS-CFB] and [MS-XLS] <https://learn.microsoft.com/en-us/openspecs/office_file_formats/>.

use encoding_rs::{Encoding, WINDOWS_1251};

use super::super::order_table::OrderTableError;
use super::Table;
use super::grid::{Grid, Room};

/// Sectors with these numbers and above are no sectors ([MS-CFB] 2.1).
const NO_SECTOR: u32 = 0xFFFF_FFFA;
/// A stream smaller than this lies among the small ones.
const SMALL: usize = 4_096;

/// The first sheets, by name.
///
/// # Errors
///
/// [`OrderTableError`].
pub fn sheets(
    bytes: &[u8],
    room: &mut Room,
    at_most: usize,
) -> Result<Vec<(String, Table)>, OrderTableError> {
    let container = Container::open(bytes).ok_or(OrderTableError::Unreadable)?;
    if container.find("EncryptedPackage").is_some() {
        return Err(OrderTableError::Locked);
    }
    let entry = container.find("Workbook").or_else(|| container.find("Book"));
    let stream = entry.and_then(|entry| container.stream(entry));
    let stream = stream.ok_or(OrderTableError::Unreadable)?;
    let book = Book::open(&stream, room)?;
    let mut found = Vec::new();
    for (name, at) in book.sheets.iter().take(at_most) {
        let records = stream.get(*at..).ok_or(OrderTableError::Unreadable)?;
        found.push((name.clone(), book.sheet(name, records, room)?));
    }
    Ok(found)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn f64_at(bytes: &[u8], at: usize) -> Option<f64> {
    Some(f64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The file system.
struct Container<'a> {
    bytes: &'a [u8],
    sector: usize,
    next: Vec<u32>,
    entries: Vec<Entry>,
    small: Vec<u8>,
    small_next: Vec<u32>,
}

struct Entry {
    name: String,
    first: u32,
    size: usize,
}

impl<'a> Container<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let sector = match u16_at(bytes, 30)? {
            9 => 512,
            12 => 4_096,
            _ => return None,
        };
        let mut opened = Self {
            bytes,
            sector,
            next: Vec::new(),
            entries: Vec::new(),
            small: Vec::new(),
            small_next: Vec::new(),
        };
        // The numbers of the sectors that say which sector follows which: 109 in the head, more in
        // a chain.
        let mut numbers: Vec<u32> = words(bytes.get(76..512)?).collect();
        let mut more = u32_at(bytes, 68)?;
        for _ in 0..bytes.len() / sector {
            if more >= NO_SECTOR {
                break;
            }
            numbers.extend(words(opened.sector(more)?));
            more = numbers.pop()?;
        }
        for number in numbers.into_iter().filter(|number| *number < NO_SECTOR) {
            let sector = words(opened.sector(number)?);
            // A sector named twice is no more than the file can have.
            if opened.next.len() > bytes.len() / 4 {
                return None;
            }
            opened.next.extend(sector);
        }
        let folder = opened.chain(u32_at(bytes, 48)?, usize::MAX)?;
        opened.entries =
            folder.chunks_exact(128).filter_map(|bytes| entry(bytes, sector)).collect();
        let root = opened.entries.first()?;
        if u32_at(bytes, 64)? > 0 {
            opened.small = opened.chain(root.first, root.size)?;
            let next = opened.chain(u32_at(bytes, 60)?, usize::MAX)?;
            opened.small_next = words(&next).collect();
        }
        Some(opened)
    }

    /// A sector; the last of a file may be cut short.
    fn sector(&self, number: u32) -> Option<&'a [u8]> {
        let start = (number as usize).checked_add(1)?.checked_mul(self.sector)?;
        let end = (start + self.sector).min(self.bytes.len());
        self.bytes.get(start..end).filter(|bytes| !bytes.is_empty())
    }

    fn chain(&self, first: u32, size: usize) -> Option<Vec<u8>> {
        follow(first, size, self.sector, self.bytes.len(), &self.next, |n| self.sector(n))
    }

    fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    fn stream(&self, entry: &Entry) -> Option<Vec<u8>> {
        if entry.size >= SMALL {
            return self.chain(entry.first, entry.size);
        }
        let piece = |number: u32| {
            let start = number as usize * 64;
            self.small.get(start..(start + 64).min(self.small.len()))
        };
        follow(entry.first, entry.size, 64, self.small.len(), &self.small_next, piece)
    }
}

/// What lies in a chain of pieces; a chain cannot be longer than all there is.
fn follow<'a>(
    first: u32,
    size: usize,
    piece: usize,
    all: usize,
    next: &[u32],
    get: impl Fn(u32) -> Option<&'a [u8]>,
) -> Option<Vec<u8>> {
    let mut found = Vec::new();
    let mut number = first;
    for _ in 0..=all / piece {
        if number >= NO_SECTOR || found.len() >= size {
            break;
        }
        let bytes = get(number)?;
        found.extend_from_slice(&bytes[..bytes.len().min(size - found.len())]);
        number = next.get(number as usize).copied().unwrap_or(NO_SECTOR);
    }
    Some(found)
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word))
}

fn entry(bytes: &[u8], sector: usize) -> Option<Entry> {
    let name = bytes[..64].as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
    let name: Vec<u16> = name.take_while(|unit| *unit != 0).collect();
    // The upper half of the size is rubbish in files of small sectors.
    let upper = if sector == 512 { 0 } else { u32_at(bytes, 124)? };
    let size = u64::from(upper) << 32 | u64::from(u32_at(bytes, 120)?);
    Some(Entry {
        name: String::from_utf16_lossy(&name),
        first: u32_at(bytes, 116)?,
        size: usize::try_from(size).ok()?,
    })
}

/// A record and what continues it.
struct Record<'a> {
    kind: u16,
    pieces: Vec<&'a [u8]>,
}

impl<'a> Record<'a> {
    fn data(&self) -> &'a [u8] {
        self.pieces[0]
    }
}

struct Records<'a>(&'a [u8]);

impl<'a> Records<'a> {
    const CONTINUE: u16 = 0x003C;

    fn one(&mut self) -> Option<(u16, &'a [u8])> {
        let (kind, size) = (u16_at(self.0, 0)?, u16_at(self.0, 2)?);
        let data = self.0.get(4..4 + usize::from(size))?;
        self.0 = &self.0[4 + data.len()..];
        Some((kind, data))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let (kind, data) = self.one()?;
        let mut pieces = vec![data];
        while u16_at(self.0, 0) == Some(Self::CONTINUE) {
            pieces.push(self.one()?.1);
        }
        Some(Record { kind, pieces })
    }
}

/// Reads a text that may go on in the next piece.
struct Texts<'a> {
    pieces: std::vec::IntoIter<&'a [u8]>,
    rest: &'a [u8],
}

impl<'a> Texts<'a> {
    fn new(record: Record<'a>, skip: usize) -> Option<Self> {
        let mut pieces = record.pieces.into_iter();
        let rest = pieces.next()?.get(skip..)?;
        Some(Self { pieces, rest })
    }

    /// Whether there is more.
    fn more(&mut self) -> bool {
        while self.rest.is_empty() {
            let Some(next) = self.pieces.next() else { return false };
            self.rest = next;
        }
        true
    }

    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(size)?;
        self.rest = rest;
        Some(taken)
    }

    fn skip(&mut self, mut size: usize) -> Option<()> {
        while size > 0 {
            if !self.more() {
                return None;
            }
            let now = size.min(self.rest.len());
            self.take(now)?;
            size -= now;
        }
        Some(())
    }

    /// `XLUnicodeRichExtendedString` and its simpler kinds ([MS-XLS] 2.5.293), after the length.
    fn unicode(&mut self, length: usize) -> Option<String> {
        let flags = *self.take(1)?.first()?;
        let runs = if flags & 8 == 0 { 0 } else { usize::from(u16_at(self.take(2)?, 0)?) };
        let extra = if flags & 4 == 0 { 0 } else { u32_at(self.take(4)?, 0)? as usize };
        let (mut wide, mut left) = (flags & 1 == 1, length);
        let mut units = Vec::new();
        while left > 0 {
            if self.rest.is_empty() {
                // What goes on in the next piece may be written in the other width.
                self.more().then_some(())?;
                wide = self.take(1)?.first()? & 1 == 1;
            }
            let width = if wide { 2 } else { 1 };
            let now = left.min(self.rest.len() / width);
            if now == 0 && !self.rest.is_empty() {
                return None;
            }
            let bytes = self.take(now * width)?;
            if wide {
                let pairs = bytes.as_chunks::<2>().0.iter();
                units.extend(pairs.map(|unit| u16::from_le_bytes(*unit)));
            } else {
                units.extend(bytes.iter().map(|byte| u16::from(*byte)));
            }
            left -= now;
        }
        self.skip(runs * 4)?;
        self.skip(extra)?;
        Some(String::from_utf16_lossy(&units))
    }
}

/// What the sheets share.
struct Book {
    /// Texts are in Unicode: Excel 97 and later.
    unicode: bool,
    encoding: &'static Encoding,
    texts: Vec<String>,
    sheets: Vec<(String, usize)>,
}

const BOF: u16 = 0x0809;
const EOF: u16 = 0x000A;

impl Book {
    fn open(stream: &[u8], room: &mut Room) -> Result<Self, OrderTableError> {
        let mut book =
            Self { unicode: true, encoding: WINDOWS_1251, texts: Vec::new(), sheets: Vec::new() };
        for record in Records(stream) {
            let data = record.data();
            match record.kind {
                BOF => book.unicode = u16_at(data, 0) != Some(0x0500),
                // FilePass
                0x002F => return Err(OrderTableError::Locked),
                // CodePage
                0x0042 => book.encoding = encoding(u16_at(data, 0).unwrap_or(0)),
                // BoundSheet8; a sheet of macros or of charts has no goods.
                0x0085 if data.get(5) == Some(&0) => {
                    let sheet = book.bound(record).ok_or(OrderTableError::Unreadable)?;
                    book.sheets.push(sheet);
                }
                // SST
                0x00FC => {
                    let mut texts = Texts::new(record, 8).ok_or(OrderTableError::Unreadable)?;
                    while texts.more() {
                        let length = texts.take(2).and_then(|bytes| u16_at(bytes, 0));
                        let text = length.and_then(|length| texts.unicode(length.into()));
                        let text = text.ok_or(OrderTableError::Unreadable)?;
                        if !room.take_row(std::iter::once(text.as_str())) {
                            return Err(OrderTableError::TooLong);
                        }
                        book.texts.push(text);
                    }
                }
                EOF => break,
                _ => {}
            }
        }
        Ok(book)
    }

    fn bound(&self, record: Record<'_>) -> Option<(String, usize)> {
        let at = u32_at(record.data(), 0)? as usize;
        let length = usize::from(*record.data().get(6)?);
        let name = self.text(Texts::new(record, 7)?, length)?;
        Some((name.replace('\0', ""), at))
    }

    fn text(&self, mut texts: Texts<'_>, length: usize) -> Option<String> {
        if self.unicode {
            return texts.unicode(length);
        }
        Some(self.encoding.decode_without_bom_handling(texts.take(length)?).0.into_owned())
    }

    /// A text with its length before it, `skip` bytes into the record.
    fn long_text(&self, record: Record<'_>, skip: usize) -> Option<String> {
        let length = u16_at(record.data(), skip)?;
        self.text(Texts::new(record, skip + 2)?, length.into())
    }

    fn sheet(&self, name: &str, records: &[u8], room: &mut Room) -> Result<Table, OrderTableError> {
        let mut grid = Grid::new(name, room);
        // A chart within the sheet has cells of its own.
        let mut depth = 0_u32;
        let mut formula = (0, 0);
        for record in Records(records) {
            match record.kind {
                BOF => depth += 1,
                EOF if depth <= 1 => return Ok(grid.table()),
                EOF => depth -= 1,
                _ if depth <= 1 => {
                    let mut put =
                        |row: u16, column: u32, text: &str| grid.put(row.into(), column, text);
                    let read = self.cells(record, &mut formula, &mut put);
                    read.ok_or(OrderTableError::Unreadable)??;
                }
                _ => {}
            }
        }
        // It is cut short: the rows that are not there would be missed by nobody.
        Err(OrderTableError::Unreadable)
    }

    /// Gives out the cells of a record; `None` where it is damaged.
    fn cells<E>(
        &self,
        record: Record<'_>,
        formula: &mut (u16, u32),
        put: &mut dyn FnMut(u16, u32, &str) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        let data = record.data();
        let (row, column) = (u16_at(data, 0), u16_at(data, 2).map(u32::from));
        let text = match record.kind {
            // Number, RK
            0x0203 => f64_at(data, 6)?.to_string(),
            0x027E => rk(u32_at(data, 6)?).to_string(),
            // MulRk
            0x00BD => {
                let cells = data.get(4..data.len().checked_sub(2)?)?.as_chunks::<6>().0;
                for (column, cell) in (column?..).zip(cells) {
                    if let Err(error) = put(row?, column, &rk(u32_at(cell, 2)?).to_string()) {
                        return Some(Err(error));
                    }
                }
                return Some(Ok(()));
            }
            // LabelSst
            0x00FD => {
                let text = self.texts.get(u32_at(data, 6)? as usize);
                return Some(put(row?, column?, text.map_or("", String::as_str)));
            }
            // Label, RString
            0x0204 | 0x00D6 => self.long_text(record, 6)?,
            // BoolErr
            0x0205 => truth(*data.get(6)?, *data.get(7)? == 0).to_owned(),
            // Formula; a text comes in the next record.
            0x0006 => {
                *formula = (row?, column?);
                match (data.get(6)?, data.get(8)?, u16_at(data, 12)?) {
                    (1, value, 0xFFFF) => truth(*value, true).to_owned(),
                    (_, _, 0xFFFF) => String::new(),
                    _ => f64_at(data, 6)?.to_string(),
                }
            }
            // String
            0x0207 => {
                let text = self.long_text(record, 0)?;
                return Some(put(formula.0, formula.1, &text));
            }
            _ => return Some(Ok(())),
        };
        Some(put(row?, column?, &text))
    }
}

fn truth(value: u8, is_truth: bool) -> &'static str {
    match (value, is_truth) {
        (_, false) => "",
        (0, true) => "нет",
        (_, true) => "да",
    }
}

/// A number in four bytes ([MS-XLS] 2.5.217).
fn rk(number: u32) -> f64 {
    let value = if number & 2 == 0 {
        f64::from_bits(u64::from(number & !3) << 32)
    } else {
        f64::from(number.cast_signed() >> 2)
    };
    if number & 1 == 0 { value } else { value / 100.0 }
}

/// The encoding of a code page; ours where it is not known.
fn encoding(page: u16) -> &'static Encoding {
    let label = match page {
        866 => "ibm866".to_owned(),
        10_007 => "x-mac-cyrillic".to_owned(),
        page => format!("windows-{page}"),
    };
    Encoding::for_label(label.as_bytes()).unwrap_or(WINDOWS_1251)
}

#[cfg(test)]
mod tests {
    use super::super::grid::ORDER;
    use super::*;

    fn record(kind: u16, data: &[u8]) -> Vec<u8> {
        let size = u16::try_from(data.len()).expect("short");
        [&kind.to_le_bytes()[..], &size.to_le_bytes(), data].concat()
    }

    /// A file with this stream, in sectors of 4 096 bytes: the table of sectors, the folder, the
    /// stream.
    fn file(mut stream: Vec<u8>) -> Vec<u8> {
        stream.resize(stream.len().max(SMALL), 0);
        let sectors = u32::try_from(stream.len().div_ceil(4_096)).expect("few");
        let mut head = vec![0; 4_096];
        head[..8].copy_from_slice(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]);
        head[26] = 4;
        head[30] = 12;
        head[32] = 6;
        head[48..52].copy_from_slice(&1_u32.to_le_bytes());
        head[68..72].copy_from_slice(&0xFFFF_FFFE_u32.to_le_bytes());
        head[76..512].fill(0xFF);
        head[76..80].copy_from_slice(&0_u32.to_le_bytes());
        let mut next = vec![0xFFFF_FFFD_u32, 0xFFFF_FFFE];
        next.extend((0..sectors).map(|n| if n + 1 < sectors { n + 3 } else { 0xFFFF_FFFE }));
        next.resize(1_024, 0xFFFF_FFFF);
        let mut folder = vec![0; 4_096];
        for (at, name, first, size) in [(0, "Root Entry", 0, 0), (128, "Workbook", 2, stream.len())]
        {
            for (unit, place) in name.encode_utf16().zip(folder[at..at + 64].as_chunks_mut::<2>().0)
            {
                *place = unit.to_le_bytes();
            }
            folder[at + 116..at + 120].copy_from_slice(&u32::to_le_bytes(first));
            folder[at + 120..at + 128].copy_from_slice(&(size as u64).to_le_bytes());
        }
        let next: Vec<u8> = next.into_iter().flat_map(u32::to_le_bytes).collect();
        [head, next, folder, stream].concat()
    }

    /// A workbook of one sheet with these records, and this list of texts.
    fn book(texts: &[u8], cells: &[Vec<u8>]) -> Vec<u8> {
        let bof = record(BOF, &[0, 6, 5, 0]);
        let name = [&[6, 1][..], &utf16("Заявка")].concat();
        let mut globals = [bof.clone(), texts.to_vec()].concat();
        let at = globals.len() + 4 + 6 + name.len() + 4;
        let at = u32::try_from(at).expect("small").to_le_bytes();
        globals.extend(record(0x0085, &[&at[..], &[0, 0], &name].concat()));
        globals.extend(record(EOF, &[]));
        let sheet = [bof, cells.concat(), record(EOF, &[])].concat();
        file([globals, sheet].concat())
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn at(row: u16, column: u16) -> Vec<u8> {
        [row.to_le_bytes(), column.to_le_bytes(), [0, 0]].concat()
    }

    fn read(file: &[u8]) -> Result<Vec<(String, Table)>, OrderTableError> {
        sheets(file, &mut Room::new(ORDER), 20)
    }

    #[test]
    fn every_kind_of_cell_is_read() {
        // The second text goes on in the next record, there with a byte for a letter.
        let texts = [
            record(
                0x00FC,
                &[&[0; 8][..], &[4, 0, 1], &utf16("Болт"), &[7, 0, 1], &utf16("Гв")].concat(),
            ),
            record(0x003C, &[&[0][..], b"M8 10"].concat()),
        ]
        .concat();
        let number = |value: f64| value.to_le_bytes();
        let cells = [
            record(0x0200, &[0xFF; 14]),
            record(0x00FD, &[at(0, 0), vec![0, 0, 0, 0]].concat()),
            record(0x00FD, &[at(1, 0), vec![1, 0, 0, 0]].concat()),
            record(0x0203, &[&at(0, 1)[..], &number(2.5)].concat()),
            record(0x027E, &[&at(1, 1)[..], &(4_000_u32 << 2 | 2).to_le_bytes()].concat()),
            record(
                0x00BD,
                &[&[2, 0, 0, 0][..], &[0, 0, 0x06, 0, 0, 0], &[0, 0, 0xCB, 0, 0, 0], &[1, 0]]
                    .concat(),
            ),
            record(0x0006, &[&at(3, 0)[..], &[0, 0, 0, 0, 0, 0, 0xFF, 0xFF], &[0; 8]].concat()),
            record(0x0207, &[&[3, 0, 1][..], &utf16("рул")].concat()),
            record(0x0205, &[at(3, 1), vec![1, 0]].concat()),
        ];
        let found = read(&book(&texts, &cells)).expect("reads");
        let (name, table) = &found[0];
        assert_eq!(name, "Заявка");
        assert_eq!(table.rows, [["Болт", "2.5"], ["ГвM8 10", "4000"], ["1", "0.5"], ["рул", "да"]]);
    }

    #[test]
    fn what_is_far_cut_short_or_repeated_is_refused() {
        let far = [record(0x0203, &[at(65_535, 65_535), vec![0; 8]].concat())];
        let refused = read(&book(&[], &far)).expect_err("too far");
        assert_eq!(
            refused.to_string(),
            "Слишком большая таблица: лист «Заявка», ячейка CRXP65536: читаются только первые 256 столбцов. \
             Удалите лишнее и пришлите снова."
        );
        // One long text in many cells.
        let text = [&[0; 8][..], &[0x10, 0x27, 0], &[b'x'; 0x2710 - 11]].concat();
        let texts = [
            record(0x00FC, &text[..8_000]),
            record(0x003C, &[&[0], &text[8_000..], &[b'x'; 11][..]].concat()),
        ];
        let cells: Vec<_> = (0..10_000)
            .map(|row| record(0x00FD, &[at(row, 0), vec![0, 0, 0, 0]].concat()))
            .collect();
        let refused = read(&book(&texts.concat(), &cells)).expect_err("too much");
        assert!(refused.to_string().contains("больше 64 МБ"), "{refused}");
        let whole = book(&[], &[record(0x0203, &[at(0, 0), vec![0; 8]].concat())]);
        assert!(read(&whole).is_ok());
        let end = whole.windows(4).rposition(|bytes| bytes == record(EOF, &[])).expect("an end");
        let mut cut = whole.clone();
        cut[end] = 0;
        assert_eq!(read(&cut), Err(OrderTableError::Unreadable));
        // A folder that follows itself.
        let mut ring = whole;
        ring[4_096 + 4..4_096 + 8].copy_from_slice(&1_u32.to_le_bytes());
        assert!(read(&ring).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(stream: Vec<u8>, at: usize, byte: u8) {
            let _ = read(&file(stream.clone()));
            let mut whole = book(&record(0x00FC, &stream), &[record(0x0204, &stream)]);
            let place = at % whole.len();
            whole[place] = byte;
            let _ = read(&whole);
        }
    }
}
