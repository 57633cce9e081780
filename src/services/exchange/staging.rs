//! Files of the standard exchange on their way in: they come in pieces, under names that nobody is
//! to trust.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};

use crate::formats::commerceml;
use crate::formats::onec_json::Reopen;
use crate::formats::text::{Sniffer, Utf8Reader};

/// A file bigger than this is not taken: bytes.
pub const FILE_LIMIT: u64 = 4 * 1024 * 1024 * 1024;
/// An archive may unpack to so many times its size, and …
const RATIO: u64 = 200;
/// … to this in any case: bytes.
const SMALL: u64 = 16 * 1024 * 1024;
/// The ending of a note's name.
pub const NOTE: &str = "upload";
/// An archive with more entries is refused.
const ENTRIES: usize = 100_000;

/// A name in `filename`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// The whole path in lower case: one name in two folders means two files.
    pub key: String,
    /// As the sender calls it, for the journal.
    pub shown: String,
    /// A picture: taken and not kept, nothing shows it.
    pub picture: bool,
}

impl Name {
    /// Reads a name. 1C on Windows writes `\\`, servers on Linux an absolute path; `..` is nobody's
    /// honest name.
    ///
    /// # Errors
    ///
    /// Why it is refused, in Russian.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let path = text.trim().replace('\\', "/");
        if path.chars().any(char::is_control) {
            return Err("недопустимое имя файла");
        }
        let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
        if parts.clone().any(|part| part == "..") {
            return Err("недопустимое имя файла");
        }
        // A description or a certificate beside the pictures.
        let attached = parts.clone().any(|part| part.eq_ignore_ascii_case("import_files"));
        let Some(last) = parts.clone().next_back() else {
            return Err("не указано имя файла");
        };
        let shown = crate::domain::ru::ellipsis(last, 120);
        let key = parts.collect::<Vec<_>>().join("/").to_lowercase();
        let mut name = Self { key, shown, picture: false };
        name.picture = matches!(
            name.extension(),
            "jpg" | "jpeg" | "png" | "gif" | "bmp" | "webp" | "svg" | "tif" | "tiff" | "ico"
        ) || attached && !matches!(name.extension(), "xml" | "zip");
        Ok(name)
    }

    /// The path's last part. A server on Linux puts a temporary folder before it, and another one
    /// the next time.
    pub fn last(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }

    /// Goods before offers before prices before stock, portions in their order.
    pub fn rank(&self) -> (usize, &str) {
        let order = ["import", "goods", "offers", "prices", "rests"];
        let place = order.iter().position(|begin| self.last().starts_with(begin));
        (place.unwrap_or(order.len()), &self.key)
    }

    /// `xml`, `zip`; empty: it has none.
    pub fn extension(&self) -> &str {
        self.last().rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

/// A file on the disk. It goes when this does, unless it has a note.
#[derive(Debug)]
pub struct Staged {
    path: PathBuf,
    size: u64,
    noted: AtomicBool,
}

/// What stands beside a file that nobody has asked to import yet: a program that is started anew
/// takes it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The cookie of its session.
    pub session: String,
    /// When the session began, in milliseconds UTC.
    pub began_ms: i64,
    /// Where it came from.
    pub address: String,
    /// The program that sent it.
    pub sender: String,
    /// Its name.
    pub name: Name,
    /// When its last piece came, in milliseconds UTC.
    pub at_ms: i64,
    /// How many bytes of whole pieces it has.
    pub size: u64,
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !*self.noted.get_mut() {
            // One that cannot be removed is swept at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum StagingError {
    /// Too big.
    #[error("файл больше {} МБ", FILE_LIMIT / 1024 / 1024)]
    TooLarge,
    /// The archive is damaged, or a bomb.
    #[error("архив: {0}")]
    Zip(String),
    /// The disk refused.
    #[error("временный файл: {0}")]
    Io(#[from] io::Error),
}

impl Staged {
    /// An empty file in `folder`, which is made when absent.
    pub fn create(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        // The sweep at the start knows it by its ending.
        let path = folder.join(format!("{}.spool", uuid::Uuid::new_v4().simple()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path)?;
        Ok(Self { path, size: 0, noted: AtomicBool::new(false) })
    }

    /// Lets the file outlive the program.
    pub fn note(&self, note: &Note) -> io::Result<()> {
        let target = self.path.with_extension(NOTE);
        let draft = self.path.with_extension("draft");
        std::fs::write(&draft, serde_json::to_vec(note)?)?;
        std::fs::rename(draft, target)?;
        self.noted.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The file goes with this again.
    pub fn forget_note(&self) {
        if self.noted.swap(false, Ordering::Relaxed) {
            let _ = std::fs::remove_file(self.path.with_extension(NOTE));
        }
    }

    /// The files in `folder` that have a note, as they were when it was written. A note that says
    /// nothing goes with its file.
    pub fn noted(folder: &Path) -> io::Result<Vec<(Note, Self)>> {
        let mut found = Vec::new();
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != NOTE) {
                continue;
            }
            let note = serde_json::from_slice::<Note>(&std::fs::read(&path)?);
            let path = path.with_extension("spool");
            let mut staged = Self { path, size: 0, noted: AtomicBool::new(true) };
            // The piece that was on its way when the program died is taken back.
            match note {
                Ok(note)
                    if std::fs::metadata(&staged.path).is_ok_and(|m| m.len() >= note.size)
                        && staged.truncate(note.size).is_ok() =>
                {
                    found.push((note, staged));
                }
                _ => staged.forget_note(),
            }
        }
        Ok(found)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes have come.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds bytes at the end.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StagingError> {
        let size = self.size + bytes.len() as u64;
        if size > FILE_LIMIT {
            return Err(StagingError::TooLarge);
        }
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        file.write_all(bytes)?;
        self.size = size;
        Ok(())
    }

    /// Takes back what came after the first `size` bytes: a piece broke off, and may come again.
    pub fn truncate(&mut self, size: u64) -> io::Result<()> {
        OpenOptions::new().write(true).open(&self.path)?.set_len(size)?;
        self.size = size;
        Ok(())
    }

    /// Whether it is a zip archive.
    pub fn is_zip(&self) -> io::Result<bool> {
        let mut head = [0; 4];
        let count = File::open(&self.path)?.read(&mut head)?;
        Ok(head[..count].starts_with(b"PK\x03\x04"))
    }

    /// Whether it is a zip archive that has come to its end, where the list of its files is.
    pub fn is_whole_archive(&self) -> io::Result<bool> {
        Ok(zip::ZipArchive::new(BufReader::new(File::open(&self.path)?)).is_ok())
    }

    /// The text in it.
    pub fn source(&self) -> io::Result<StagedText> {
        let mut file = File::open(&self.path)?;
        let mut head = Vec::new();
        (&mut file).take(64 * 1024).read_to_end(&mut head)?;
        let encoding = match commerceml::encoding(&head) {
            Some(encoding) => encoding,
            None => {
                file.seek(SeekFrom::Start(0))?;
                let mut sniffer = Sniffer::default();
                let mut piece = vec![0; 64 * 1024];
                loop {
                    match file.read(&mut piece)? {
                        0 => break,
                        count => sniffer.feed(&piece[..count]),
                    }
                }
                sniffer.encoding()
            }
        };
        Ok(StagedText { path: self.path.clone(), encoding })
    }

    /// The files inside an archive: see [`unpack`].
    pub fn unpack(&self, folder: &Path) -> Result<Vec<(Name, Self)>, StagingError> {
        unpack(&self.path, folder)
    }
}

/// Whether a zip archive is a workbook of Excel and no set of files.
pub fn is_workbook(path: &Path) -> io::Result<bool> {
    let archive = zip::ZipArchive::new(BufReader::new(File::open(path)?));
    Ok(archive.is_ok_and(|archive| archive.index_for_name("[Content_Types].xml").is_some()))
}

/// The files inside an archive, pictures left out: goods before offers before prices before stock,
/// portions in their order.
pub fn unpack(archive: &Path, folder: &Path) -> Result<Vec<(Name, Staged)>, StagingError> {
    let refuse = |error: zip::result::ZipError| StagingError::Zip(error.to_string());
    let file = File::open(archive)?;
    let size = file.metadata()?.len();
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(refuse)?;
    if archive.len() > ENTRIES {
        return Err(StagingError::Zip("слишком много файлов".to_owned()));
    }
    let mut left = size.saturating_mul(RATIO).clamp(SMALL, FILE_LIMIT);
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(refuse)?;
        if !entry.is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        // What a Mac adds of its own.
        if name.starts_with("__MACOSX/")
            || name.rsplit('/').next().is_some_and(|n| n.starts_with("._"))
        {
            continue;
        }
        let Ok(name) = Name::read(&name) else { continue };
        if name.picture {
            continue;
        }
        let mut staged = Staged::create(folder)?;
        let mut file = OpenOptions::new().append(true).open(&staged.path)?;
        // What the entry says of its size proves nothing.
        let taken = io::copy(&mut (&mut entry).take(left + 1), &mut file)
            .map_err(|error| StagingError::Zip(error.to_string()))?;
        if taken > left {
            let why = format!("распаковывается больше чем в {RATIO} раз");
            return Err(StagingError::Zip(why));
        }
        left -= taken;
        staged.size = taken;
        files.push((name, staged));
    }
    files.sort_by(|(a, _), (b, _)| a.rank().cmp(&b.rank()));
    Ok(files)
}

/// The text of a staged file.
#[derive(Debug, Clone)]
pub struct StagedText {
    path: PathBuf,
    encoding: &'static Encoding,
}

impl Reopen for StagedText {
    type Reader = Utf8Reader<File>;

    fn reopen(&mut self) -> io::Result<Self::Reader> {
        Ok(Utf8Reader::new(File::open(&self.path)?, self.encoding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_paths_in_lower_case_and_traversal_is_refused() {
        let key = |text| Name::read(text).map(|name| name.key);
        assert_eq!(key("import.xml"), Ok("import.xml".to_owned()));
        assert_eq!(key("/tmp/v8_1/IMPORT.XML"), Ok("tmp/v8_1/import.xml".to_owned()));
        assert_eq!(key("C:\\temp\\offers.xml"), Ok("c:/temp/offers.xml".to_owned()));
        let name = Name::read("v8.1\\Offers0_1").expect("a name");
        assert_eq!((name.last(), name.rank().0, name.extension()), ("offers0_1", 2, ""));
        assert!(Name::read("import_files\\27\\a.JPG").is_ok_and(|name| name.picture));
        for text in ["../../etc/passwd", "a\\..\\b.xml", "import_files/../x.png", "a\0b"] {
            assert_eq!(key(text), Err("недопустимое имя файла"), "{text:?}");
        }
        assert_eq!(key(" / "), Err("не указано имя файла"));
    }
}
