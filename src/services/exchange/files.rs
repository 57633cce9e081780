//! Catalogue files that people bring: .json, .csv, .xlsx, CommerceML and archives of it. What is
//! inside decides, not the name.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use encoding_rs::Encoding;

use super::staging::{Name, Staged, StagedText, StagingError, is_workbook, unpack};
use crate::domain::catalog::{CatalogHead, CatalogSource, Record};
use crate::formats::commerceml::{self, CommerceMl, CommerceMlError, Content};
use crate::formats::onec_json::{CatalogJson, CatalogJsonError, Reopen};
use crate::formats::tables::{CatalogTable, TableError, read_csv_numbered, read_xlsx};
use crate::formats::text::{Sniffer, Utf8Reader};

/// A table bigger than this is not read into memory.
const TABLE_LIMIT: u64 = 512 * 1024 * 1024;

/// Why a file is no catalogue.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file system refused.
    #[error("{}: {why}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// A table that cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// JSON that cannot be read.
    #[error(transparent)]
    Json(#[from] CatalogJsonError),
    /// CommerceML that cannot be read.
    #[error(transparent)]
    CommerceMl(#[from] CommerceMlError),
    /// A file inside an archive that cannot be read.
    #[error("{name}: {error}")]
    Inside {
        /// The file.
        name: String,
        /// Why.
        error: CommerceMlError,
    },
    /// An archive that cannot be read.
    #[error(transparent)]
    Archive(#[from] StagingError),
    /// An archive without goods.
    #[error("в архиве нет ни одного файла CommerceML с товарами")]
    NoGoods,
    /// Too big for a table.
    #[error("файл больше {} МБ", TABLE_LIMIT / 1024 / 1024)]
    TooLarge,
    /// A mapping of columns beside a file that has none.
    #[error("--map нужен только для .csv и .xlsx")]
    NoColumns,
}

/// A catalogue file.
pub enum CatalogFile {
    /// JSON of `POST` catalog.
    Json(CatalogJson<PlainFile>),
    /// CommerceML: goods or offers.
    CommerceMl(CommerceMl<PlainFile>),
    /// Several files of CommerceML in a zip archive.
    Archive(Archive),
    /// A table with headings.
    Table(CatalogTable),
}

/// Files of CommerceML that build on each other: goods, offers, prices, stock.
pub struct Archive {
    parts: Vec<(String, CommerceMl<StagedText>)>,
    /// What of it is not read, in Russian.
    warnings: Vec<String>,
    /// The files go when this does.
    _files: Vec<(Name, Staged)>,
    _folder: tempfile::TempDir,
}

impl Archive {
    fn open(path: &Path) -> Result<Self, FileError> {
        let folder =
            tempfile::tempdir().map_err(|why| FileError::Io { path: std::env::temp_dir(), why })?;
        let files = unpack(path, folder.path())?;
        let (mut parts, mut warnings) = (Vec::new(), Vec::new());
        for (name, staged) in files.iter().filter(|(name, _)| name.extension() == "xml") {
            let inside = |error| FileError::Inside { name: name.shown.clone(), error };
            let mut text = staged.source().map_err(|error| inside(error.into()))?;
            let start = text.reopen().map_err(|error| inside(error.into()))?;
            match commerceml::content(start).map_err(inside)? {
                Content::Catalog => parts.push((name.shown.clone(), CommerceMl(text))),
                Content::Documents => {
                    warnings.push(format!("{}: документы из архива не читаются", name.shown));
                }
                Content::Other => warnings.push(format!("{}: товаров нет", name.shown)),
            }
        }
        if parts.is_empty() {
            return Err(FileError::NoGoods);
        }
        Ok(Self { parts, warnings, _files: files, _folder: folder })
    }

    fn read(
        &mut self,
        each: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<CatalogHead, FileError> {
        let mut head = CatalogHead { warnings: self.warnings.clone(), ..CatalogHead::default() };
        let (mut before, mut part) = (0, 0);
        for (name, xml) in &mut self.parts {
            let (mut count, mut flow) = (0, ControlFlow::Continue(()));
            let read = xml.read(&mut |mut record| {
                count += 1;
                match &mut record {
                    Record::Product(product) => {
                        product.index += before;
                        product.part = part;
                    }
                    Record::Skipped(skipped) => {
                        skipped.index += before;
                        skipped.reason = format!("{name}: {}", skipped.reason);
                    }
                }
                flow = each(record);
                flow
            });
            head.extend(read.map_err(|error| FileError::Inside { name: name.clone(), error })?);
            if flow.is_break() {
                break;
            }
            before += count;
            part = part.saturating_add(1);
        }
        Ok(head)
    }
}

/// A file on the disk that stays there.
pub struct PlainFile {
    path: PathBuf,
    encoding: &'static Encoding,
}

impl Reopen for PlainFile {
    type Reader = Utf8Reader<BufReader<File>>;

    fn reopen(&mut self) -> io::Result<Self::Reader> {
        Ok(Utf8Reader::new(BufReader::new(File::open(&self.path)?), self.encoding))
    }
}

impl CatalogFile {
    /// Looks into the file; `map` names columns of a table by field and heading.
    ///
    /// Reads much or all of the file: not for async code.
    pub fn open(path: &Path, map: &[(String, String)]) -> Result<Self, FileError> {
        let refused = |why| FileError::Io { path: path.to_owned(), why };
        let mut file = File::open(path).map_err(refused)?;
        let mut head = [0; 4096];
        let count = read_up_to(&mut file, &mut head).map_err(refused)?;
        let head = &head[..count];
        let first = first_byte(head);
        if !matches!(first, Some(b'{' | b'[' | b'<')) {
            let zip = head.starts_with(b"PK\x03\x04");
            if zip && !is_workbook(path).map_err(refused)? {
                return if map.is_empty() {
                    Archive::open(path).map(Self::Archive)
                } else {
                    Err(FileError::NoColumns)
                };
            }
            let size = file.metadata().map_err(refused)?.len();
            if size > TABLE_LIMIT {
                return Err(FileError::TooLarge);
            }
            let bytes = std::fs::read(path).map_err(refused)?;
            let table = if zip { read_xlsx(bytes)? } else { read_csv_numbered(&bytes)? };
            return Ok(Self::Table(CatalogTable::new(table, map)?));
        }
        if !map.is_empty() {
            return Err(FileError::NoColumns);
        }
        let mut sniffer = Sniffer::default();
        sniffer.feed(head);
        let mut piece = vec![0; 64 * 1024];
        loop {
            let count = file.read(&mut piece).map_err(refused)?;
            if count == 0 {
                break;
            }
            sniffer.feed(&piece[..count]);
        }
        let path = path.to_owned();
        Ok(if first == Some(b'<') {
            let encoding = commerceml::encoding_or(head, &sniffer);
            Self::CommerceMl(CommerceMl(PlainFile { path, encoding }))
        } else {
            Self::Json(CatalogJson(PlainFile { path, encoding: sniffer.encoding() }))
        })
    }

    /// Hides what the file does not mention: the person's explicit choice. JSON says it itself.
    pub fn set_full(&mut self, full: bool) {
        if let Self::Table(table) = self {
            table.full = full;
        }
    }
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < buffer.len() {
        match file.read(&mut buffer[count..])? {
            0 => break,
            more => count += more,
        }
    }
    Ok(count)
}

/// The first byte that is neither a byte-order mark nor a blank.
fn first_byte(head: &[u8]) -> Option<u8> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    // In UTF-16 every second byte is zero.
    let head = head.strip_prefix(b"\xff\xfe").or(head.strip_prefix(b"\xfe\xff")).unwrap_or(head);
    head.iter().copied().find(|b| !b.is_ascii_whitespace() && *b != 0)
}

impl CatalogSource for CatalogFile {
    type Error = FileError;

    fn read(
        &mut self,
        each: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<CatalogHead, FileError> {
        match self {
            Self::Json(json) => Ok(json.read(each)?),
            Self::CommerceMl(xml) => Ok(xml.read(each)?),
            Self::Archive(archive) => archive.read(each),
            Self::Table(table) => {
                let Ok(head) = table.read(each);
                Ok(head)
            }
        }
    }
}
