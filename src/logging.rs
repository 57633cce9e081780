//! Logs: to stderr, for people or as JSON Lines; control characters never get through.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{Log, LogFormat};

/// Starts logging; a second call changes nothing.
pub fn init(log: &Log) {
    let mut filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    // What it has to say of the schema we say ourselves, in Russian.
    if let Ok(quiet) = "rusqlite_migration=warn".parse() {
        filter = filter.add_directive(quiet);
    }
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    // Another logger may be there already, in tests.
    let _ = match log.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Writes whole records; a line break inside a record is shown, not made, so that a value from
/// outside cannot forge a record.
#[derive(Clone, Copy)]
struct Stderr;

impl MakeWriter<'_> for Stderr {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}

impl Write for Stderr {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        io::stderr().lock().write_all(&clean(record))?;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The record with its control characters written out, the last line break and colours apart.
fn clean(record: &[u8]) -> Vec<u8> {
    let (body, end) = match record {
        [body @ .., b'\n'] => (body, &b"\n"[..]),
        body => (body, &b""[..]),
    };
    let mut text = Vec::with_capacity(record.len());
    for &byte in body {
        match byte {
            b'\n' => text.extend_from_slice(b"\\n"),
            b'\r' => text.extend_from_slice(b"\\r"),
            // Escape starts a colour of ours: the subscriber writes out those of values.
            b'\t' | 0x1b | 0x20.. => text.push(byte),
            _ => text.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    text.extend_from_slice(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_forge_a_record() {
        let record = "INFO product x\n2026-11-26 ERROR fake\u{7}\n";
        let text = String::from_utf8(clean(record.as_bytes())).expect("text");
        assert_eq!(text, "INFO product x\\n2026-11-26 ERROR fake\\x07\n");
    }
}
