//! Clients by file: a table with a row for each person of each organization, read and written.

use crate::domain::catalog::SkippedRecord;
use crate::formats::json::Value;
use crate::formats::sheet::Cell;
use crate::formats::tables::{self, TableError};
use crate::formats::text;
use crate::services::Base;
use crate::services::exchange::partners::{MembersReport, PartnerBodyError};
use crate::services::exchange::{Exchange, ExchangeError, Origin, Way};
use crate::storage::StorageError;
use crate::storage::directory::{self, ClientContact};

/// The columns, as they are written; each is also read under the other names.
const COLUMNS: [(&str, &[&str]); 6] = [
    (
        "Организация",
        &["организация", "название", "наименование", "клиент", "контрагент", "name", "org"],
    ),
    ("ИНН", &["инн", "inn"]),
    ("Код 1С", &["код 1с", "код", "guid", "ид", "external_id"]),
    ("ФИО", &["фио", "имя", "контакт", "контактное лицо", "fio"]),
    ("Телефон", &["телефон", "phone", "тел"]),
    ("Роль", &["роль", "role", "role_in_org"]),
];

/// Headings that only a list of clients has.
const SURE: [&str; 4] = ["организация", "клиент", "контрагент", "org"];

/// Why a file of clients cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientsFileError {
    /// It is no table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// It is of another kind.
    #[error("файл не похож на таблицу: нужен .csv или .xlsx")]
    Foreign,
    /// No row of headings names the organization.
    #[error("нет столбца «Организация»; столбцы: Организация, ИНН, Код 1С, ФИО, Телефон, Роль")]
    NoHeadings,
    /// What is in it was not stored.
    #[error(transparent)]
    Members(#[from] ExchangeError<PartnerBodyError>),
}

/// Clients by file. Clones share the base.
#[derive(Clone)]
pub struct ClientsFile {
    base: Base,
    exchange: Exchange,
}

impl ClientsFile {
    /// Over this base.
    pub fn new(base: Base, exchange: Exchange) -> Self {
        Self { base, exchange }
    }

    /// Stores the organizations and people of a file; rows that cannot be used are left out and
    /// named, from 1, the headings counted. A dry run does it all and takes it back.
    pub async fn import(
        &self,
        bytes: Vec<u8>,
        dry_run: bool,
    ) -> Result<MembersReport, ClientsFileError> {
        let (body, rows) = read(bytes)?;
        let origin = Origin { dry_run, ..Origin::new(Way::Import) };
        let mut report = self.exchange.members(body, origin).await?;
        for record in &mut report.skipped {
            record.index = rows.get(record.index).copied().unwrap_or(record.index);
        }
        Ok(report)
    }

    /// Everyone of every organization, with headings: what [`ClientsFile::import`] reads back.
    pub async fn export(&self) -> Result<Vec<Vec<Cell>>, StorageError> {
        let contacts = self.base.db.read(directory::contacts).await?;
        let head = COLUMNS.iter().map(|(name, _)| Cell::text(*name)).collect();
        Ok(std::iter::once(head).chain(contacts.into_iter().map(row)).collect())
    }
}

fn row(contact: ClientContact) -> Vec<Cell> {
    let role = contact.role.map(|role| role.label().to_owned());
    // The plus would be taken for a formula: the number is read without it all the same.
    let phone = contact.phone.map(|phone| phone.as_str().replace('+', ""));
    let cells =
        [Some(contact.organization), contact.inn, contact.external_id, contact.person, phone, role];
    cells.into_iter().map(|cell| Cell::text(cell.unwrap_or_default())).collect()
}

/// The body as 1C would push it, and the row of the file behind each of its items.
fn read(bytes: Vec<u8>) -> Result<(Value, Vec<usize>), ClientsFileError> {
    let table = if bytes.starts_with(b"PK") {
        tables::read_xlsx(bytes)?
    } else if bytes.contains(&0) {
        return Err(ClientsFileError::Foreign);
    } else {
        tables::read_csv(&bytes)?
    };
    let plain = |cell: &String| text::one_line(tables::unguarded(cell)).to_lowercase();
    let place = |row: &[String], names: &[&str]| {
        row.iter().position(|cell| names.contains(&plain(cell).as_str()))
    };
    // «Наименование» alone heads a price list too.
    let of_clients = |row: &[String]| {
        place(row, &SURE).is_some()
            || (place(row, COLUMNS[0].1).is_some()
                && [1, 3, 4].iter().any(|column| place(row, COLUMNS[*column].1).is_some()))
    };
    let (head, columns) = table
        .rows
        .iter()
        .take(10)
        .enumerate()
        .find(|(_, row)| of_clients(row))
        .map(|(at, row)| (at, COLUMNS.map(|(_, names)| place(row, names))))
        .ok_or(ClientsFileError::NoHeadings)?;
    let mut items = Vec::new();
    let mut rows = Vec::new();
    for (at, row) in table.rows.iter().enumerate().skip(head + 1) {
        let cell = |column: usize| {
            let cell = columns[column].and_then(|place| row.get(place));
            cell.map(|cell| text::one_line(tables::unguarded(cell))).unwrap_or_default()
        };
        let values: Vec<String> = (0..COLUMNS.len()).map(cell).collect();
        if values.iter().all(String::is_empty) {
            continue;
        }
        let [name, inn, external_id, fio, phone, role] = &values[..] else { continue };
        let object = |pairs: &[(&str, &String)]| {
            let pairs =
                pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::Text((*value).clone())));
            Value::Object(pairs.collect())
        };
        let org = object(&[("name", name), ("inn", inn), ("external_id", external_id)]);
        let mut item = vec![("org".to_owned(), org)];
        if !phone.is_empty() || !fio.is_empty() {
            let member = object(&[("fio", fio), ("phone", phone), ("role_in_org", role)]);
            item.push(("members".to_owned(), Value::Array(vec![member])));
        }
        items.push(Value::Object(item));
        rows.push(at + 1);
    }
    Ok((Value::Array(items), rows))
}

/// A row that was left out, for people: «строка 4: …».
pub fn left_out(record: &SkippedRecord) -> String {
    format!("строка {}: {}", record.index, record.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_becomes_what_onec_would_push() {
        let csv = "Контрагент;ИНН;Телефон;ФИО\nООО «Диван»;6450000000;8 900 000-00-01;Анна\n;;;\n";
        let (body, rows) = read(csv.as_bytes().to_vec()).expect("it is read");
        assert_eq!(rows, [2]);
        let item = &body.elements()[0];
        let name = item.get(&["org"]).and_then(|org| org.get(&["name"])).and_then(Value::text);
        assert_eq!(name, Some("ООО «Диван»"));
        assert!(matches!(read(b"a;b\n1;2\n".to_vec()), Err(ClientsFileError::NoHeadings)));
    }
}
