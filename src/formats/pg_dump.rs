//! What a plain `pg_dump` holds: tables, rows, where sequences stand. Read as a stream, line by
//! line; nothing of it is executed.
//!
//! Rows come from `COPY … FROM stdin` blocks, or from `INSERT` statements (`--inserts`,
//! `--column-inserts`). Sources: <https://www.postgresql.org/docs/15/app-pgdump.html>, the text
//! format in <https://www.postgresql.org/docs/15/sql-copy.html>.

mod sql;

use std::collections::HashMap;
use std::io::{self, BufRead, Read as _};

use encoding_rs::{Encoding, UTF_8};

/// Lines and statements longer than this are not a dump of an order desk.
const LONGEST: usize = 64 * 1024 * 1024;
/// The last comment of every whole plain dump.
const TRAILER: &[u8] = b"-- PostgreSQL database dump complete";

/// What a dump says, in its order.
#[derive(Debug)]
pub enum Entry<'a> {
    /// A table and its columns. It may be named more than once.
    Table {
        /// Its name without the schema.
        name: &'a str,
        /// Its columns.
        columns: &'a [String],
    },
    /// A row.
    Row(Row<'a>),
    /// A sequence and the last number that it gave.
    Sequence {
        /// Its name without the schema: `orders_id_seq`.
        name: &'a str,
        /// The last number given; 0 before the first.
        last: i64,
    },
}

/// A row of a table.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The table's name without the schema.
    pub table: &'a str,
    /// The names of the columns.
    pub columns: &'a [String],
    /// The values, as many as columns; `None` is `NULL`.
    pub values: &'a [Option<String>],
    /// The line of the dump, from 1.
    pub line: u64,
}

/// Why a file cannot be read as a dump.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The file system refused, or the archive is broken.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// `pg_dump -Fc` and the like.
    #[error("это дамп в собственном формате pg_dump, а нужен обычный текст SQL")]
    Custom,
    /// Windows `PowerShell` writes what a program prints in UTF-16.
    #[error("файл в кодировке UTF-16, а нужен UTF-8")]
    Utf16,
    /// Something else altogether.
    #[error("это не дамп PostgreSQL")]
    NotADump,
    /// The end is missing.
    #[error("дамп обрывается на строке {0}: конца «PostgreSQL database dump complete» нет")]
    Cut(u64),
    /// A place that cannot be read.
    #[error("строка {line}: {why}")]
    Line {
        /// The line, from 1.
        line: u64,
        /// What is wrong, in Russian.
        why: String,
    },
}

/// Reads a dump to its end.
///
/// # Errors
///
/// [`DumpError`]; entries handed over before the error are as good as they were.
pub fn read(source: impl BufRead, each: &mut dyn FnMut(Entry<'_>)) -> Result<(), DumpError> {
    let mut reader = Reader {
        source,
        line: 0,
        encoding: UTF_8,
        columns: HashMap::new(),
        statement: Vec::new(),
        lexer: sql::Boundary::default(),
        begun_at: 0,
        looks_right: false,
        whole: false,
        unended: false,
    };
    reader.run(each)
}

struct Reader<R> {
    source: R,
    line: u64,
    encoding: &'static Encoding,
    /// From `CREATE TABLE`, for `INSERT`s that name no columns.
    columns: HashMap<String, Vec<String>>,
    statement: Vec<u8>,
    lexer: sql::Boundary,
    /// The line that the statement begins on.
    begun_at: u64,
    looks_right: bool,
    whole: bool,
    /// The last line read has no end: the file stops in its middle, or is otherwise whole.
    unended: bool,
}

impl<R: BufRead> Reader<R> {
    fn run(&mut self, each: &mut dyn FnMut(Entry<'_>)) -> Result<(), DumpError> {
        let mut line = Vec::new();
        while self.next_line(&mut line)? {
            if self.line == 1 {
                check_start(&mut line)?;
            }
            if self.statement.is_empty() {
                if line.starts_with(b"--") {
                    self.looks_right |= line.starts_with(b"-- PostgreSQL database dump");
                    self.whole |= line.starts_with(TRAILER);
                    continue;
                }
                // psql's own commands: \connect, \restrict.
                if line.starts_with(b"\\") || line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                self.begun_at = self.line;
                // A text of another kind must not be taken into memory as one statement.
                if !self.looks_right && self.line > 1_000 {
                    return Err(DumpError::NotADump);
                }
            }
            self.statement.extend_from_slice(&line);
            self.statement.push(b'\n');
            if self.statement.len() > LONGEST {
                return Err(self.wrong("слишком длинная команда"));
            }
            if self.lexer.feed(&line) {
                let statement = std::mem::take(&mut self.statement);
                self.lexer = sql::Boundary::default();
                self.execute(&statement, each)?;
            }
        }
        if self.looks_right && self.whole {
            return Ok(());
        }
        Err(if self.looks_right { DumpError::Cut(self.line) } else { DumpError::NotADump })
    }

    /// The next line without its end; `false` at the end of the file.
    fn next_line(&mut self, line: &mut Vec<u8>) -> Result<bool, DumpError> {
        line.clear();
        let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX);
        let count = self.source.by_ref().take(limit).read_until(b'\n', line)?;
        if count == 0 {
            return Ok(false);
        }
        self.line += 1;
        self.unended = line.last() != Some(&b'\n');
        if !self.unended {
            line.pop();
        } else if line.len() >= LONGEST {
            return Err(self.wrong("слишком длинная строка"));
        }
        // A file that has been through Windows; a real carriage return is written as \r.
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(true)
    }

    fn wrong(&self, why: impl Into<String>) -> DumpError {
        DumpError::Line { line: self.line, why: why.into() }
    }

    /// Takes what is of use from a statement; others are passed over.
    fn execute(
        &mut self,
        statement: &[u8],
        each: &mut dyn FnMut(Entry<'_>),
    ) -> Result<(), DumpError> {
        match sql::parse(statement) {
            sql::Statement::Copy { table, columns } => {
                let columns = if columns.is_empty() { self.known(&table)? } else { columns };
                each(Entry::Table { name: &table, columns: &columns });
                self.copy(&table, &columns, each)
            }
            sql::Statement::Insert { table, columns, rows } => {
                let columns = if columns.is_empty() { self.known(&table)? } else { columns };
                for row in rows {
                    let mut values = Vec::with_capacity(row.len());
                    for value in row {
                        values.push(value.map(|bytes| self.decode(&bytes)).transpose()?);
                    }
                    row_of(&table, &columns, &values, self.begun_at, each)?;
                }
                Ok(())
            }
            sql::Statement::CreateTable { table, columns } => {
                each(Entry::Table { name: &table, columns: &columns });
                self.columns.insert(table, columns);
                Ok(())
            }
            sql::Statement::SetValue { sequence, last } => {
                each(Entry::Sequence { name: &sequence, last });
                Ok(())
            }
            sql::Statement::ClientEncoding(name) => {
                self.encoding = encoding_of(&name)
                    .ok_or_else(|| self.wrong(format!("кодировка {name} не читается")))?;
                Ok(())
            }
            sql::Statement::BrokenInsert => {
                let line = self.begun_at;
                Err(DumpError::Line {
                    line, why: "команда INSERT не читается".to_owned()
                })
            }
            sql::Statement::Other => Ok(()),
        }
    }

    fn known(&self, table: &str) -> Result<Vec<String>, DumpError> {
        let known = self.columns.get(table).cloned();
        known.ok_or_else(|| self.wrong(format!("колонки таблицы {table} не названы")))
    }

    /// Reads the rows of a `COPY` up to its `\.`.
    fn copy(
        &mut self,
        table: &str,
        columns: &[String],
        each: &mut dyn FnMut(Entry<'_>),
    ) -> Result<(), DumpError> {
        let mut line = Vec::new();
        let mut values = Vec::with_capacity(columns.len());
        loop {
            if !self.next_line(&mut line)? {
                return Err(DumpError::Cut(self.line));
            }
            if self.unended {
                return Err(DumpError::Cut(self.line));
            }
            if line == b"\\." {
                return Ok(());
            }
            values.clear();
            // A table without columns has empty lines for rows.
            if !(columns.is_empty() && line.is_empty()) {
                for field in line.split(|byte| *byte == b'\t') {
                    values.push(match field {
                        b"\\N" => None,
                        field => Some(self.decode(&unescape(field))?),
                    });
                }
            }
            row_of(table, columns, &values, self.line, each)?;
        }
    }

    fn decode(&self, bytes: &[u8]) -> Result<String, DumpError> {
        let text = self.encoding.decode_without_bom_handling_and_without_replacement(bytes);
        let text = text.ok_or_else(|| self.wrong(format!("это не {}", self.encoding.name())))?;
        Ok(text.into_owned())
    }
}

/// Hands a row over, once its values are as many as the columns.
fn row_of(
    table: &str,
    columns: &[String],
    values: &[Option<String>],
    line: u64,
    each: &mut dyn FnMut(Entry<'_>),
) -> Result<(), DumpError> {
    if values.len() != columns.len() {
        let why =
            format!("таблица {table}: значений {}, а колонок {}", values.len(), columns.len());
        return Err(DumpError::Line { line, why });
    }
    each(Entry::Row(Row { table, columns, values, line }));
    Ok(())
}

/// What the first bytes say of files that are no plain dump.
fn check_start(line: &mut Vec<u8>) -> Result<(), DumpError> {
    if line.starts_with(b"PGDMP") {
        return Err(DumpError::Custom);
    }
    if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") {
        return Err(DumpError::Utf16);
    }
    if line.contains(&0) {
        return Err(DumpError::NotADump);
    }
    if line.starts_with(b"\xef\xbb\xbf") {
        line.drain(..3);
    }
    Ok(())
}

/// The encodings of `PostgreSQL` that such dumps come in.
///
/// Source: <https://www.postgresql.org/docs/15/multibyte.html>.
fn encoding_of(name: &str) -> Option<&'static Encoding> {
    let label = match name.to_ascii_uppercase().as_str() {
        "UTF8" | "UNICODE" | "SQL_ASCII" => "utf-8",
        "WIN1251" | "WIN" => "windows-1251",
        "KOI8R" | "KOI8" => "koi8-r",
        "WIN866" | "ALT" => "ibm866",
        "ISO_8859_5" => "iso-8859-5",
        _ => return None,
    };
    Encoding::for_label(label.as_bytes())
}

/// Takes the escapes of `COPY`'s text format off. An unknown one stands for its character.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let Some(escaped) = rest.next() else {
            bytes.push(b'\\');
            break;
        };
        bytes.push(match escaped {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'0'..=b'7' => {
                let mut code = u32::from(escaped - b'0');
                for _ in 0..2 {
                    let Some(digit) = rest.next_if(|b| (b'0'..=b'7').contains(b)) else { break };
                    code = code * 8 + u32::from(digit - b'0');
                }
                u8::try_from(code & 0xff).unwrap_or(0)
            }
            b'x' => {
                let mut code = None;
                for _ in 0..2 {
                    let Some(digit) = rest.next_if(u8::is_ascii_hexdigit) else { break };
                    let digit = char::from(digit).to_digit(16).unwrap_or(0);
                    code = Some(code.unwrap_or(0) * 16 + digit);
                }
                code.map_or(b'x', |code| u8::try_from(code).unwrap_or(0))
            }
            other => other,
        });
    }
    bytes
}

#[cfg(test)]
mod tests;
