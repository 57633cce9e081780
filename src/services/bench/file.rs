//! Synonyms as a file of comma-separated values, for a spreadsheet, for another installation and
//! for the command line: `words,means,article,client`, the first two being enough.

use std::collections::HashMap;

use super::{Bench, BenchError};
use crate::domain::{OrganizationId, ProductId};
use crate::storage::synonyms::{self, Means, SynonymFilter, SynonymRow};
use crate::storage::{StorageError, entries, organizations};

/// More rows are nobody's own words.
const ROWS_MAX: u32 = 200_000;

/// What came of reading a file of synonyms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SynonymsImported {
    /// Rows that were new.
    pub added: u32,
    /// Rows that were there already; they are switched on.
    pub known: u32,
    /// Rows that say nothing usable: the line of the file and why, in Russian.
    pub refused: Vec<(u64, String)>,
}

/// A row of the file that can be kept.
struct Kept {
    organization: Option<OrganizationId>,
    words: String,
    means: Meaning,
}

enum Meaning {
    Words(String),
    Product(ProductId),
}

impl Bench {
    /// The synonyms that the filter lets through, as a file; the newest first.
    pub async fn export_synonyms(&self, filter: SynonymFilter) -> Result<Vec<u8>, StorageError> {
        let (rows, keys) = self
            .base
            .db
            .read(move |conn| {
                let rows = synonyms::list(conn, &filter, 0, ROWS_MAX)?;
                Ok::<_, StorageError>((rows, entries::keys(conn)?))
            })
            .await?;
        Ok(written(&rows, &keys))
    }

    /// Adds the synonyms of a file. Bad rows are refused one by one; the others are kept together.
    ///
    /// # Errors
    ///
    /// [`BenchError::Invalid`] when the file is no table with the columns `words` and `means`.
    pub async fn import_synonyms(&self, file: Vec<u8>) -> Result<SynonymsImported, BenchError> {
        let text = String::from_utf8(file)
            .map_err(|_| BenchError::Invalid("Файл не в UTF-8: сохраните его как CSV UTF-8."))?;
        let now = self.base.clock.now();
        let outcome = self
            .base
            .db
            .write(move |tx| {
                let keys = entries::keys(tx)?;
                let products: HashMap<&str, ProductId> =
                    keys.iter().map(|(product, key)| (key.as_str(), *product)).collect();
                let exists = |id: OrganizationId| Ok(organizations::find(tx, id)?.is_some());
                let (kept, refused) = match read(&text, &products, &exists)? {
                    Ok(found) => found,
                    Err(why) => return Ok(Err(why)),
                };
                let before = synonyms::count(tx, &SynonymFilter::default())?;
                for row in &kept {
                    let means = match &row.means {
                        Meaning::Words(words) => Means::Words(words),
                        Meaning::Product(product) => Means::Product(*product),
                    };
                    synonyms::put(tx, row.organization, &row.words, means, "manual", now)?;
                }
                entries::touch(tx, now)?;
                let added = synonyms::count(tx, &SynonymFilter::default())?.saturating_sub(before);
                let all = u32::try_from(kept.len()).unwrap_or(u32::MAX);
                let known = all.saturating_sub(added);
                Ok::<_, StorageError>(Ok(SynonymsImported { added, known, refused }))
            })
            .await?
            .map_err(BenchError::Invalid)?;
        self.changed().await?;
        Ok(outcome)
    }
}

/// The file of these rows.
fn written(rows: &[SynonymRow], keys: &HashMap<ProductId, String>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // A buffer in memory takes everything.
    let _ = writer.write_record(["words", "means", "article", "client"]);
    for row in rows.iter().filter(|row| row.enabled) {
        let article = row.product.and_then(|p| keys.get(&p)).map_or("", String::as_str);
        let client = row.organization.map(|id| id.0.to_string()).unwrap_or_default();
        let _ = writer.write_record([&row.words, &row.means, article, &client]);
    }
    writer.into_inner().unwrap_or_default()
}

type Rows = (Vec<Kept>, Vec<(u64, String)>);

/// The rows of a file, or why it is no such file.
fn read(
    text: &str,
    products: &HashMap<&str, ProductId>,
    exists: &dyn Fn(OrganizationId) -> Result<bool, StorageError>,
) -> Result<Result<Rows, &'static str>, StorageError> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let delimiter = if first.contains(';') && !first.contains(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let columns = reader.headers().cloned().unwrap_or_default();
    let column = |name: &str| columns.iter().position(|c| c.eq_ignore_ascii_case(name));
    let (Some(words), Some(means)) = (column("words"), column("means")) else {
        return Ok(Err("В первой строке файла нужны столбцы words и means."));
    };
    let (article, client) = (column("article"), column("client"));
    let mut kept = Vec::new();
    let mut refused = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                refused.push((line, "строка не читается как CSV".to_owned()));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default();
        match one(cell(Some(words)), cell(Some(means)), cell(article), cell(client), products) {
            Ok(row) => match row.organization {
                Some(id) if !exists(id)? => refused.push((line, format!("нет клиента № {}", id.0))),
                _ => kept.push(row),
            },
            Err(why) => refused.push((line, why)),
        }
    }
    Ok(Ok((kept, refused)))
}

/// One row, or why it cannot be kept.
fn one(
    words: &str,
    means: &str,
    article: &str,
    client: &str,
    products: &HashMap<&str, ProductId>,
) -> Result<Kept, String> {
    let tidy = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    // A brand keeps its capitals: what is given out must be known when it comes back.
    let (words, means) = (tidy(words).to_lowercase(), tidy(means));
    if words.is_empty() {
        return Err("нет слов клиента".to_owned());
    }
    let means = match (means.is_empty(), article) {
        (true, "") => return Err("не сказано, что слова значат".to_owned()),
        (true, article) => match products.get(article) {
            Some(product) => Meaning::Product(*product),
            None => return Err(format!("нет товара с артикулом «{article}»")),
        },
        (false, _) if means == words => return Err("слова значат сами себя".to_owned()),
        (false, _) => Meaning::Words(means),
    };
    let organization = match client {
        "" => None,
        number => match number.parse() {
            Ok(id) => Some(OrganizationId(id)),
            Err(_) => return Err(format!("номер клиента не читается: «{number}»")),
        },
    };
    Ok(Kept { organization, words, means })
}
