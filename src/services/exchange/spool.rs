//! A body on the disk while it is read: what came over a wire may be bigger than memory likes.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use encoding_rs::{Encoding, UTF_8};

use super::staging::NOTE;
use crate::formats::onec_json::Reopen;
use crate::formats::text::{Sniffer, Utf8Reader};

/// A body on the disk. The file goes when this does.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    encoding: &'static Encoding,
    size: u64,
}

impl Spool {
    /// How many bytes it has, unpacked.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes as they came, unpacked.
    pub fn file(&self) -> io::Result<File> {
        File::open(&self.path)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // A file that cannot be removed is swept at the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Reopen for Spool {
    type Reader = Box<dyn Read + Send>;

    fn reopen(&mut self) -> io::Result<Self::Reader> {
        let mut file = self.file()?;
        if self.encoding == UTF_8 {
            let mut mark = [0; 3];
            let count = file.read(&mut mark)?;
            if &mark[..count] != b"\xef\xbb\xbf" {
                file.seek(SeekFrom::Start(0))?;
            }
            return Ok(Box::new(file));
        }
        Ok(Box::new(Utf8Reader::new(BufReader::new(file), self.encoding)))
    }
}

/// Why a body was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// It is bigger than the limit, packed or unpacked.
    #[error("больше {0} байт")]
    TooLarge(u64),
    /// It says that it is gzip, and is not, or breaks off.
    #[error("повреждён gzip: {0}")]
    Gzip(String),
    /// The disk refused.
    #[error("временный файл: {0}")]
    Io(#[from] io::Error),
}

/// Takes a body piece by piece. What begins as gzip does is unpacked.
pub struct SpoolWriter {
    sink: Sink,
    packed: u64,
    limit: u64,
}

enum Sink {
    Plain(Target),
    Gzip(Box<flate2::write::MultiGzDecoder<Target>>),
    /// Nothing has come yet.
    Undecided(Target),
}

/// The file with what is learnt on the way to it.
struct Target {
    file: File,
    spool: Spool,
    sniffer: Sniffer,
    limit: u64,
}

/// Marks the error of a body that unpacks to more than the limit.
#[derive(Debug, thiserror::Error)]
#[error("too large")]
struct Overflow;

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.spool.size += bytes.len() as u64;
        if self.spool.size > self.limit {
            return Err(io::Error::other(Overflow));
        }
        self.sniffer.feed(bytes);
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn is_overflow(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Overflow>)
}

const GZIP: [u8; 2] = [0x1f, 0x8b];

impl SpoolWriter {
    /// A new file in `folder`, which is made when absent, for at most `limit` bytes.
    pub fn create(folder: &Path, limit: u64) -> Result<Self, SpoolError> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(format!("{}.spool", uuid::Uuid::new_v4().simple()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        let spool = Spool { path, encoding: UTF_8, size: 0 };
        let target = Target { file, spool, sniffer: Sniffer::default(), limit };
        Ok(Self { sink: Sink::Undecided(target), packed: 0, limit })
    }

    /// Takes the next piece. The first one must have two bytes for gzip to be recognised.
    pub fn write(mut self, bytes: &[u8]) -> Result<Self, SpoolError> {
        if bytes.is_empty() {
            return Ok(self);
        }
        self.packed += bytes.len() as u64;
        if self.packed > self.limit {
            return Err(SpoolError::TooLarge(self.limit));
        }
        self.sink = match self.sink {
            Sink::Undecided(target) if bytes.starts_with(&GZIP) => {
                Sink::Gzip(Box::new(flate2::write::MultiGzDecoder::new(target)))
            }
            Sink::Undecided(target) => Sink::Plain(target),
            decided => decided,
        };
        match &mut self.sink {
            Sink::Plain(target) | Sink::Undecided(target) => {
                target.write_all(bytes).map_err(|e| self.told(e, false))?;
            }
            Sink::Gzip(decoder) => {
                decoder.write_all(bytes).map_err(|e| self.told(e, true))?;
            }
        }
        Ok(self)
    }

    fn told(&self, error: io::Error, gzip: bool) -> SpoolError {
        let overflow = is_overflow(&error);
        match error.kind() {
            _ if overflow => SpoolError::TooLarge(self.limit),
            io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::WriteZero
                if gzip =>
            {
                SpoolError::Gzip(error.to_string())
            }
            _ => SpoolError::Io(error),
        }
    }

    /// The body is complete.
    pub fn finish(self) -> Result<Spool, SpoolError> {
        let limit = self.limit;
        let target = match self.sink {
            Sink::Plain(target) | Sink::Undecided(target) => target,
            Sink::Gzip(decoder) => decoder.finish().map_err(|error| {
                let overflow = is_overflow(&error);
                if overflow {
                    SpoolError::TooLarge(limit)
                } else {
                    SpoolError::Gzip(error.to_string())
                }
            })?,
        };
        let mut spool = target.spool;
        spool.encoding = target.sniffer.encoding();
        Ok(spool)
    }
}

/// Removes what a process that died left behind, but for uploads that wait with their notes.
pub fn sweep(folder: &Path) -> io::Result<usize> {
    let mut removed = 0;
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        let left = match path.extension().and_then(|extension| extension.to_str()) {
            Some("spool") => !path.with_extension(NOTE).exists(),
            Some("draft") => true,
            _ => false,
        };
        if left {
            std::fs::remove_file(path)?;
            removed += 1;
        }
    }
    Ok(removed)
}
