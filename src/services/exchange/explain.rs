//! What a file of 1C says, told without storing anything: what it is, how much of what is in it,
//! and what is wrong with it, by place.
//!
//! A catalogue goes through the very code that applies it, over an empty database that is thrown
//! away: no installed one is needed.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::files::{CatalogFile, FileError};
use super::partners::onec_moment;
use super::{Exchange, ExchangeError, Origin, PROBLEMS_KEPT, Way, blocking};
use crate::config::Config;
use crate::domain::catalog::{CatalogHead, CatalogSource, Field, Record, SkippedRecord};
use crate::domain::{Clock, OrderNumber, OrderStatus, Phone, Zone};
use crate::formats::commerceml::{Content, OrderDocument, content, read_documents};
use crate::formats::json::{Reader, Value};
use crate::formats::onec_json::CatalogJsonError;
use crate::formats::text::{Decimal, Sniffer, Utf8Reader, excerpt};
use crate::services::Base;
use crate::services::live::Live;
use crate::storage::db::Create;
use crate::storage::{Db, StorageError};

/// So much of the beginning tells what a file is.
const HEAD: usize = 64 * 1024;

/// What a file turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A catalogue as JSON.
    CatalogJson,
    /// A catalogue as CommerceML: goods or offers.
    CatalogXml,
    /// A catalogue as a table: .csv or .xlsx.
    CatalogTable,
    /// Orders with their statuses, as CommerceML.
    Documents,
    /// Purchase history as JSON.
    Purchases,
    /// Organizations and their people as JSON.
    Members,
    /// What organizations owe, as JSON.
    Balances,
    /// Statuses of orders as JSON.
    Statuses,
}

impl FileKind {
    /// A short word for machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CatalogJson => "catalog_json",
            Self::CatalogXml => "catalog_commerceml",
            Self::CatalogTable => "catalog_table",
            Self::Documents => "documents_commerceml",
            Self::Purchases => "purchases",
            Self::Members => "members",
            Self::Balances => "balances",
            Self::Statuses => "statuses",
        }
    }

    /// What it is, in words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::CatalogJson => "Каталог, JSON",
            Self::CatalogXml => "Каталог, CommerceML",
            Self::CatalogTable => "Каталог, таблица",
            Self::Documents => "Заказы из 1С, CommerceML",
            Self::Purchases => "История покупок, JSON",
            Self::Members => "Организации и сотрудники, JSON",
            Self::Balances => "Расчёты, JSON",
            Self::Statuses => "Статусы заказов, JSON",
        }
    }
}

/// What a file says.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// What it is.
    pub kind: FileKind,
    /// The version that CommerceML names; empty: none.
    pub version: String,
    /// How its text is encoded.
    pub encoding: &'static str,
    /// How much of what: a word for machines, a word for people, the number.
    pub counts: Vec<(&'static str, &'static str, usize)>,
    /// What is wrong with the whole.
    pub warnings: Vec<String>,
    /// Records that would be left out, the first thousand.
    pub problems: Vec<SkippedRecord>,
    /// How many would be left out.
    pub skipped: usize,
}

/// Why a file says nothing.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The temporary folder or database refused.
    #[error("временная база: {0}")]
    Storage(#[from] StorageError),
    /// It is read by too many at once.
    #[error("идёт другая проверка")]
    Busy,
}

impl From<ExchangeError<FileError>> for ExplainError {
    fn from(error: ExchangeError<FileError>) -> Self {
        match error {
            ExchangeError::Source(error) => Self::File(error),
            ExchangeError::Busy => Self::Busy,
            ExchangeError::Storage(error) => Self::Storage(error),
        }
    }
}

/// Explains the file at `path`, as the program with these settings would understand it.
///
/// # Errors
///
/// [`ExplainError`].
pub async fn explain(path: PathBuf, config: &Config) -> Result<Explanation, ExplainError> {
    let zone = Zone::named(&config.company.timezone).unwrap_or_else(Zone::utc);
    let (here, civil) = (path.clone(), zone.clone());
    let looked = blocking(move || look(&here, &civil)).await??;
    match looked {
        Looked::Orders(explanation) => Ok(explanation),
        Looked::Catalog { head, encoding } => catalogue(path, &head, encoding, config, zone).await,
    }
}

/// Explains what somebody pasted or brought: like [`explain`], through a file that goes at once.
///
/// # Errors
///
/// [`ExplainError`].
pub async fn explain_bytes(bytes: Vec<u8>, config: &Config) -> Result<Explanation, ExplainError> {
    let written = blocking(move || {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), bytes)?;
        Ok::<_, io::Error>(file)
    });
    let file = written.await?.map_err(|why| FileError::Io { path: std::env::temp_dir(), why })?;
    explain(file.path().to_owned(), config).await
}

enum Looked {
    Orders(Explanation),
    Catalog { head: String, encoding: &'static str },
}

fn refused(path: &Path) -> impl Fn(io::Error) -> FileError + '_ {
    |why| FileError::Io { path: path.to_owned(), why }
}

/// The beginning of the file, and whether it is JSON of something else than goods.
fn look(path: &Path, zone: &Zone) -> Result<Looked, FileError> {
    let refused = refused(path);
    let mut file = BufReader::new(File::open(path).map_err(&refused)?);
    let mut sniffer = Sniffer::default();
    let mut piece = vec![0; HEAD];
    loop {
        let count = file.read(&mut piece).map_err(&refused)?;
        if count == 0 {
            break;
        }
        sniffer.feed(&piece[..count]);
    }
    let encoding = sniffer.encoding();
    let text =
        || -> io::Result<_> { Ok(Utf8Reader::new(BufReader::new(File::open(path)?), encoding)) };
    let mut start = Vec::new();
    text().and_then(|t| t.take(HEAD as u64).read_to_end(&mut start)).map_err(&refused)?;
    let head = String::from_utf8_lossy(&start).trim_start_matches('\u{feff}').trim().to_owned();
    let of_partners = ["\"org\"", "\"org_name\"", "\"org_external_id\"", "\"orders\""];
    if head.starts_with(['{', '[']) && of_partners.iter().any(|key| head.contains(key)) {
        let mut reader = Reader::new(text().map_err(&refused)?);
        let body = reader.tree().and_then(|body| reader.finish().map(|()| body));
        let body = body.map_err(|error| FileError::Json(CatalogJsonError::Json(error)))?;
        if let Some(mut explanation) = partners(&body, zone) {
            explanation.encoding = encoding.name();
            return Ok(Looked::Orders(explanation));
        }
    }
    if head.starts_with('<') && matches!(content(text().map_err(&refused)?), Ok(Content::Documents))
    {
        let read = read_documents(text().map_err(&refused)?).map_err(FileError::CommerceMl)?;
        let mut explanation = documents(&read);
        (explanation.encoding, explanation.version) = (encoding.name(), version(&head));
        return Ok(Looked::Orders(explanation));
    }
    Ok(Looked::Catalog { head, encoding: encoding.name() })
}

/// What 1C's documents say of orders.
fn documents(read: &[OrderDocument]) -> Explanation {
    let zone = Zone::utc();
    let mut look = Look::new(&zone);
    for (index, document) in read.iter().enumerate() {
        if OrderNumber::parse(&document.number).is_none() {
            let reason = format!("поле «Номер» = «{}»: не номер заявки", excerpt(&document.number));
            look.wrong(index, &document.number, reason);
        }
    }
    let count = |is: fn(&OrderDocument) -> bool| read.iter().filter(|d| is(d)).count();
    Explanation {
        kind: FileKind::Documents,
        version: String::new(),
        encoding: "",
        counts: vec![
            ("documents", "Документов", read.len()),
            ("posted", "Проведено", count(|d| d.posted)),
            ("shipped", "Отгружено", count(|d| d.shipped)),
            ("paid", "Оплачено", count(|d| d.paid)),
            ("cancelled", "Отменено", count(|d| d.cancelled)),
        ],
        warnings: Vec::new(),
        problems: look.problems,
        skipped: look.skipped,
    }
}

/// The version of the schema that a CommerceML file names.
fn version(head: &str) -> String {
    let rest = head.split_once("ВерсияСхемы=").map(|(_, rest)| rest.trim_start_matches('"'));
    let version = rest.and_then(|rest| rest.split('"').next()).unwrap_or_default();
    version.chars().take(20).collect()
}

/// What is counted while a catalogue is read.
#[derive(Debug, Clone, Default)]
struct Counts {
    products: usize,
    deleted: usize,
    priced: usize,
    stocked: usize,
    head: CatalogHead,
}

/// A source that counts what it hands on.
struct Counting {
    file: CatalogFile,
    counts: Arc<Mutex<Counts>>,
}

impl CatalogSource for Counting {
    type Error = FileError;

    fn read(
        &mut self,
        each: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<CatalogHead, FileError> {
        let mut counts = Counts::default();
        let head = self.file.read(&mut |record| {
            if let Record::Product(product) = &record {
                counts.products += 1;
                counts.deleted += usize::from(product.deleted == Field::Set(true));
                let priced = product.price.set().is_some()
                    || product.prices.iter().any(|price| price.price.is_some());
                counts.priced += usize::from(priced);
                let stocked = product.stock.set().is_some() || product.stocks.set().is_some();
                counts.stocked += usize::from(stocked);
            }
            each(record)
        })?;
        counts.head = head.clone();
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
        Ok(head)
    }
}

async fn catalogue(
    path: PathBuf,
    head: &str,
    encoding: &'static str,
    config: &Config,
    zone: Zone,
) -> Result<Explanation, ExplainError> {
    let file = blocking(move || CatalogFile::open(&path, &[])).await??;
    let kind = match &file {
        CatalogFile::Json(_) => FileKind::CatalogJson,
        CatalogFile::CommerceMl(_) | CatalogFile::Archive(_) => FileKind::CatalogXml,
        CatalogFile::Table(_) => FileKind::CatalogTable,
    };
    let counts = Arc::new(Mutex::new(Counts::default()));
    let source = Counting { file, counts: counts.clone() };
    let folder = tempfile::tempdir()
        .map_err(|source| StorageError::Io { path: std::env::temp_dir(), source })?;
    let mut config = config.clone();
    folder.path().clone_into(&mut config.data_dir);
    let base = Base {
        db: Db::open(&folder.path().join("explain.db"), Create::Yes)?,
        clock: Clock::system(),
        zone,
        config: config.into(),
        live: Live::default(),
    };
    let origin = Origin { dry_run: true, ..Origin::new(Way::Import) };
    let report = Exchange::new(base).apply(source, origin).await?;
    let Counts { products, deleted, priced, stocked, head: said } =
        counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut warnings = report.warnings;
    let counted = vec![
        ("products", "Товаров", products),
        ("categories", "Категорий", said.categories.len()),
        ("price_types", "Видов цен", said.price_types.len()),
        ("warehouses", "Складов", said.warehouses.len()),
        ("with_price", "С ценой", priced),
        ("with_stock", "С остатком", stocked),
        ("deleted", "Помечено удалёнными", deleted),
    ];
    if said.full {
        warnings.push("выгрузка полная: товары, которых в ней нет, будут скрыты".to_owned());
    }
    if report.received == 0 && said.categories.is_empty() {
        warnings.push("в файле нет ни одного товара".to_owned());
    }
    Ok(Explanation {
        kind,
        version: version(head),
        encoding,
        counts: counted,
        warnings,
        problems: report.problems,
        skipped: report.skipped,
    })
}

/// What JSON of organizations and orders says; `None`: it is of something else.
fn partners(body: &Value, zone: &Zone) -> Option<Explanation> {
    let mut look = Look::new(zone);
    let has = |value: &Value, names: &[&str]| value.get(names).is_some();
    let items = body.get(&["items"]).unwrap_or(body).elements();
    let orders = body.get(&["orders"]).map_or(&[][..], Value::elements);
    let (kind, counts) = if has(body, &["org_name", "org_external_id"]) {
        (FileKind::Purchases, look.purchases(body, orders))
    } else if items.first().is_some_and(|item| has(item, &["org"]) && has(item, &["members"])) {
        (FileKind::Members, look.members(items))
    } else if items.first().is_some_and(|item| has(item, &["org"])) {
        (FileKind::Balances, look.balances(items))
    } else if orders.first().is_some_and(|order| has(order, &["number", "uuid"])) {
        (FileKind::Statuses, look.statuses(orders))
    } else {
        return None;
    };
    Some(Explanation {
        kind,
        version: String::new(),
        encoding: "",
        counts,
        warnings: look.warnings,
        skipped: look.skipped,
        problems: look.problems,
    })
}

/// Looks for what is wrong.
struct Look<'a> {
    zone: &'a Zone,
    warnings: Vec<String>,
    problems: Vec<SkippedRecord>,
    skipped: usize,
}

type Counted = Vec<(&'static str, &'static str, usize)>;

impl<'a> Look<'a> {
    fn new(zone: &'a Zone) -> Self {
        Self { zone, warnings: Vec::new(), problems: Vec::new(), skipped: 0 }
    }

    fn wrong(&mut self, index: usize, name: &str, reason: String) {
        self.skipped += 1;
        if self.problems.len() < PROBLEMS_KEPT {
            let (external_id, sku) = (String::new(), excerpt(name));
            self.problems.push(SkippedRecord { index, external_id, sku, reason });
        }
    }

    fn text<'v>(value: &'v Value, names: &[&str]) -> &'v str {
        value.get(names).and_then(Value::text).unwrap_or_default().trim()
    }

    /// What is wrong with a number, a date: nothing, where there is none.
    fn number(value: &Value, field: &str) -> Option<String> {
        let text = Self::text(value, &[field]);
        let error = Decimal::parse(text).err().filter(|_| !text.is_empty())?;
        Some(format!("поле «{field}» = «{}»: {error}", excerpt(text)))
    }

    fn date(&self, value: &Value, field: &str) -> Option<String> {
        let text = Self::text(value, &[field]);
        let wrong = onec_moment(text, self.zone).is_err();
        wrong.then(|| format!("поле «{field}» = «{}»: не дата", excerpt(text)))
    }

    fn purchases(&mut self, body: &Value, orders: &[Value]) -> Counted {
        let mut items = 0;
        let undated = body.get(&["items"]).map_or(&[][..], Value::elements);
        let lists = orders.iter().map(|order| {
            let list = order.get(&["items"]).map_or(&[][..], Value::elements);
            (self.date(order, "ordered_at"), list)
        });
        let lists: Vec<_> = lists.chain([(None, undated)]).collect();
        for (date, list) in lists {
            for item in list {
                let name = Self::text(item, &["sku", "title", "name", "external_id"]);
                let wrong = date.clone().or_else(|| Self::number(item, "qty"));
                let nameless =
                    || name.is_empty().then(|| "нет ни артикула, ни названия".to_owned());
                if let Some(reason) = wrong.or_else(nameless) {
                    self.wrong(items, name, reason);
                }
                items += 1;
            }
        }
        vec![("orders", "Заказов", orders.len()), ("items", "Строк", items)]
    }

    fn members(&mut self, items: &[Value]) -> Counted {
        let mut people = 0;
        for (index, item) in items.iter().enumerate() {
            let org = item.get(&["org"]);
            let name = org.map_or("", |org| Self::text(org, &["name", "title", "external_id"]));
            if name.is_empty() {
                self.wrong(index, "", "организация без названия".to_owned());
            }
            for member in item.get(&["members"]).map_or(&[][..], Value::elements) {
                people += 1;
                if Self::text(member, &["phone"]).parse::<Phone>().is_err() {
                    self.wrong(index, name, "поле «phone»: не номер телефона".to_owned());
                }
            }
        }
        vec![("organizations", "Организаций", items.len()), ("members", "Сотрудников", people)]
    }

    fn balances(&mut self, items: &[Value]) -> Counted {
        for (index, item) in items.iter().enumerate() {
            let org = item.get(&["org"]);
            let name = org.map_or("", |org| Self::text(org, &["name", "external_id", "inn"]));
            let amounts = ["debt", "overdue", "limit"];
            let wrong = amounts.iter().find_map(|field| Self::number(item, field));
            if let Some(reason) = wrong.or_else(|| self.date(item, "as_of")) {
                self.wrong(index, name, reason);
            }
        }
        vec![("organizations", "Организаций", items.len())]
    }

    fn statuses(&mut self, orders: &[Value]) -> Counted {
        let mut words: Vec<&str> = Vec::new();
        for (index, order) in orders.iter().enumerate() {
            let number = Self::text(order, &["number"]);
            if OrderNumber::parse(number).is_none() && Self::text(order, &["uuid"]).is_empty() {
                let reason = format!("поле «number» = «{}»: не номер заявки", excerpt(number));
                self.wrong(index, number, reason);
            }
            let word = Self::text(order, &["status"]);
            let ours = OrderStatus::ALL.iter().any(|status| {
                let lower = word.to_lowercase();
                status.as_str() == lower
                    || status.client_label().to_lowercase() == lower
                    || status.staff_label().to_lowercase() == lower
            });
            if !word.is_empty() && !ours && !words.contains(&word) {
                words.push(word);
            }
        }
        for word in words {
            self.warnings.push(format!(
                "статус «{}» понятен, только если сопоставлен в панели: Обмен с 1С, Соответствия",
                excerpt(word)
            ));
        }
        vec![("orders", "Заказов", orders.len())]
    }
}
