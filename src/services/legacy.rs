//! Moving in: what the former program's `pg_dump` holds becomes ours, in one transaction, as often
//! as it is told; what has been moved once is left alone.
//!
//! What the former program let anybody claim is not believed: numbers stay unproven and roles of
//! staff are kept only for those whom the settings or the operator name.

mod catalog;
mod dump;
mod orders;
mod people;
mod threads;

use std::io::BufRead;
use std::path::PathBuf;

use rusqlite::Transaction;
use serde::Serialize;

use super::Base;
use super::backup::{self, BackupError};
use super::live::Change;
use crate::domain::{Channel, OrderNumber, Phone, Timestamp};
use crate::formats::pg_dump::DumpError;
use crate::storage::legacy as ids;
use crate::storage::{StorageError, audit, entries};
pub use dump::Dump;

/// What the operator decides.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whose role of staff is kept beside those in the settings.
    pub staff: Vec<Phone>,
    /// Orders that wait since this day, in the company's zone, stay in work; others are history.
    pub open_since: Option<jiff::civil::Date>,
}

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum LegacyError {
    /// The file cannot be read as a dump.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// It is a dump of another program: the tables that it has.
    #[error("это дамп другой программы: {}", tables(.0))]
    Foreign(Vec<String>),
    /// There is no copy of what is about to be changed.
    #[error("копия перед переносом не сделана: {0}")]
    Backup(#[from] BackupError),
    /// The database refused; nothing is stored.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

fn tables(names: &[String]) -> String {
    match names {
        [] => "в нём нет таблиц".to_owned(),
        names => format!("в нём есть таблицы {}", names.join(", ")),
    }
}

/// How many of a kind there were and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// In the dump.
    pub found: usize,
    /// Made anew.
    pub moved: usize,
    /// Found among what is here already, and joined to it.
    pub joined: usize,
    /// Moved by a former run: left as they are.
    pub already: usize,
    /// Left out, each with its reason in [`Report::problems`].
    pub skipped: usize,
}

/// What is worth knowing about one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line of the dump.
    pub line: u64,
    /// The table.
    pub table: &'static str,
    /// What is wrong and what was done, in Russian.
    pub why: String,
}

/// What the dump has and this program does not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    /// The table.
    pub table: String,
    /// The column; `None`: the table as a whole.
    pub column: Option<String>,
    /// Rows of the table, or values of the column.
    pub count: usize,
}

/// Someone who was staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StaffRole {
    /// The number.
    pub phone: String,
    /// The name.
    pub name: String,
    /// `manager` or `admin`.
    pub role: String,
}

/// What became of a dump.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// People.
    pub people: Tally,
    /// Organizations.
    pub organizations: Tally,
    /// People in organizations.
    pub members: Tally,
    /// Categories.
    pub categories: Tally,
    /// Products.
    pub products: Tally,
    /// Orders.
    pub orders: Tally,
    /// Lines of orders.
    pub lines: Tally,
    /// Threads of questions.
    pub threads: Tally,
    /// Messages in them.
    pub messages: Tally,
    /// Orders that stay in work.
    pub open_orders: usize,
    /// New orders get numbers after this one.
    pub last_number: i64,
    /// Whose role of staff was kept.
    pub roles_kept: Vec<StaffRole>,
    /// Whose was not.
    pub roles_left: Vec<StaffRole>,
    /// Organizations that staff have yet to vouch for.
    pub unverified_organizations: usize,
    /// What was passed over.
    pub passed_over: Vec<PassedOver>,
    /// Rows that were left out or changed.
    pub problems: Vec<Problem>,
    /// The copy made before.
    pub copy: Option<PathBuf>,
}

impl Report {
    /// Whether rows were left out.
    pub fn is_partial(&self) -> bool {
        let tallies = [
            self.people,
            self.organizations,
            self.members,
            self.categories,
            self.products,
            self.orders,
            self.lines,
            self.threads,
            self.messages,
        ];
        tallies.iter().any(|tally| tally.skipped > 0)
    }

    fn problem(&mut self, line: u64, table: &'static str, why: impl Into<String>) {
        self.problems.push(Problem { line, table, why: why.into() });
    }
}

/// Reads a dump to its end. Not for async code.
///
/// # Errors
///
/// [`LegacyError::Dump`], [`LegacyError::Foreign`].
pub fn read(source: impl BufRead) -> Result<Dump, LegacyError> {
    Dump::read(source)
}

/// Moves a dump in: all of it, or nothing. Not for async code; nobody else has the data. A database
/// that is not new is copied aside first, unless `copy` says otherwise.
///
/// # Errors
///
/// [`LegacyError::Backup`], [`LegacyError::Storage`]; nothing is changed.
pub fn import(
    base: &Base,
    dump: &Dump,
    options: &Options,
    copy: bool,
) -> Result<Report, LegacyError> {
    let copy =
        if copy { Some(backup::copy_before(&base.config, base.clock.now())?.path) } else { None };
    let mut report = base.db.write_blocking(|tx| {
        let now = base.clock.now();
        let mut work = Work { tx, base, dump, options, now, report: Report::default() };
        work.report.problems.clone_from(&dump.problems);
        work.report.passed_over.clone_from(&dump.passed_over);
        let people = work.people()?;
        let organizations = work.organizations(&people)?;
        let products = work.catalog()?;
        let orders = work.orders(&people, &organizations, &products)?;
        work.threads(&people, &organizations, &orders)?;
        let last = ids::raise_order_number(tx, OrderNumber(dump.last_order))?;
        let mut report = work.report;
        report.last_number = last.0;
        note(tx, &report, now)?;
        Ok::<_, StorageError>(report)
    })?;
    report.copy = copy;
    base.live.tell(Change::Elsewhere);
    Ok(report)
}

/// What the parts of a move share.
struct Work<'a> {
    tx: &'a Transaction<'a>,
    base: &'a Base,
    dump: &'a Dump,
    options: &'a Options,
    now: Timestamp,
    report: Report,
}

/// Writes a move into the journal, unless it changed nothing.
fn note(tx: &Transaction<'_>, report: &Report, now: Timestamp) -> Result<(), StorageError> {
    let moved = report.people.moved
        + report.people.joined
        + report.organizations.moved
        + report.products.moved
        + report.orders.moved
        + report.messages.moved;
    if moved == 0 {
        return Ok(());
    }
    entries::touch(tx, now)?;
    let after = format!(
        "люди {}, организации {}, товары {}, заявки {}, сообщения {}",
        report.people.moved,
        report.organizations.moved,
        report.products.moved,
        report.orders.moved,
        report.messages.moved
    );
    audit::record(
        tx,
        &audit::Entry {
            at: now,
            channel: Channel::Cli,
            person: None,
            address: "",
            action: "legacy.import",
            object: "database",
            before: None,
            after: Some(&after),
        },
    )
}
