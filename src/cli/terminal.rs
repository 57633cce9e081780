//! What a command says: data on stdout, the rest on stderr.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use crate::config::Log;

use super::{ColorChoice, Exit, Failure, Global, Outcome};

/// Where a command speaks.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "flags are flags")]
pub struct Terminal {
    /// One JSON document instead of text.
    pub json: bool,
    quiet: bool,
    verbose: bool,
    color: bool,
    asks: bool,
    /// Whether questions are answered «да».
    pub yes: bool,
}

impl Terminal {
    /// As the flags say.
    pub fn new(global: &Global) -> Self {
        let color = match global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
            }
        };
        Self {
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
            color,
            asks: !global.no_input,
            yes: global.yes,
        }
    }

    /// Before the flags are known.
    pub fn plain(arguments: &[OsString]) -> Self {
        let json = arguments.iter().any(|argument| argument == "--json");
        Self { json, quiet: false, verbose: false, color: false, asks: false, yes: false }
    }

    /// The command's data: one JSON document, or text made by `human`.
    pub fn data<T: Serialize>(&self, data: &T, human: impl FnOnce() -> String) {
        if self.json {
            self.data_text(&format!("{}\n", json!({ "ok": true, "data": data })));
        } else {
            self.data_text(&human());
        }
    }

    /// Text for stdout as it is.
    #[expect(clippy::unused_self, reason = "the one way out")]
    pub fn data_text(&self, text: &str) {
        // A reader that has closed the pipe has had enough.
        let _ = io::stdout().lock().write_all(text.as_bytes());
        let _ = io::stdout().flush();
    }

    /// Whether there is somebody to ask.
    pub fn may_ask(&self) -> bool {
        self.asks && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks at the terminal; the answer without spaces around.
    #[expect(clippy::unused_self, reason = "the one way to ask")]
    pub fn ask(&self, question: &str) -> String {
        let _ = write!(io::stderr(), "{question}");
        let _ = io::stderr().flush();
        let mut answer = String::new();
        let _ = io::stdin().read_line(&mut answer);
        answer.trim().to_owned()
    }

    /// Says what is about to go and asks to type `word`; without a terminal `--yes` is needed.
    pub fn confirm(&self, what: &str, word: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !self.may_ask() {
            return Err(Failure::new(
                Exit::Usage,
                format!("нужно согласие: {what}"),
                "повторите с --yes",
            ));
        }
        self.say(what);
        if self.ask(&format!("Наберите «{word}»: ")) == word {
            return Ok(());
        }
        Err(Failure::new(Exit::Failed, "отменено", "ничего не изменено"))
    }

    /// How often progress is worth telling: often on a terminal, rarely in a log.
    #[expect(clippy::unused_self, reason = "beside the other words of progress")]
    pub fn progress_every(&self) -> Duration {
        if io::stderr().is_terminal() { Duration::from_millis(200) } else { Duration::from_secs(5) }
    }

    /// Tells how far the work is: over the same line on a terminal.
    pub fn progress(&self, text: &str) {
        if io::stderr().is_terminal() && !self.quiet {
            let _ = write!(io::stderr(), "\r{text}\u{1b}[K");
        } else {
            self.say(text);
        }
    }

    /// Takes the progress off the screen.
    pub fn progress_done(&self) {
        if io::stderr().is_terminal() && !self.quiet {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }

    /// A line about what is going on, for people.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// How to log: `-v` tells more, `-q` only warnings.
    pub fn log(&self, log: &Log) -> Log {
        let level = match (self.verbose, self.quiet) {
            (true, _) => "info,partner_m=debug".to_owned(),
            (_, true) => "warn".to_owned(),
            _ => log.level.clone(),
        };
        Log { level, format: log.format }
    }

    /// Ends the program.
    pub fn end(&self, outcome: Outcome) -> ExitCode {
        match outcome {
            Ok(exit) => ExitCode::from(exit.number()),
            Err(failure) => {
                self.tell(&failure);
                ExitCode::from(failure.exit.number())
            }
        }
    }

    fn tell(&self, failure: &Failure) {
        let Failure { exit, message, hint, cause } = failure;
        if self.json {
            let error = json!({ "code": exit.code(), "message": message, "hint": hint });
            self.data_text(&format!("{}\n", json!({ "ok": false, "error": error })));
            return;
        }
        let (red, reset) = if self.color { ("\u{1b}[31m", "\u{1b}[0m") } else { ("", "") };
        let mut text = format!("{red}ошибка:{reset} {message}\n");
        if !hint.is_empty() {
            let _ = writeln!(text, "что делать: {hint}");
        }
        if let Some(cause) = cause
            && self.verbose
        {
            let _ = writeln!(text, "причина: {cause:?}");
        }
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

/// Rows under each other, columns aligned, two spaces between.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
