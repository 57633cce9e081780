//! The former program's tables, as its dump has them.

use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;

use super::{LegacyError, PassedOver, Problem};
use crate::domain::{Timestamp, Zone};
use crate::formats::pg_dump::{self, Entry, Row};
use crate::formats::text::{many_lines, one_line};

/// All that is of use in a dump, in memory: tables refer to each other in any order.
#[derive(Debug, Default)]
pub struct Dump {
    pub(super) users: Vec<User>,
    pub(super) organizations: Vec<Organization>,
    pub(super) members: Vec<Member>,
    pub(super) categories: Vec<Category>,
    pub(super) products: Vec<Product>,
    pub(super) orders: Vec<Order>,
    /// By order.
    pub(super) lines: HashMap<i64, Vec<Line>>,
    pub(super) threads: Vec<Thread>,
    /// By thread.
    pub(super) messages: BTreeMap<i64, Vec<Message>>,
    /// The largest order number ever given.
    pub(super) last_order: i64,
    /// How many rows a table has, those that cannot be read too.
    pub(super) found: HashMap<&'static str, usize>,
    pub(super) problems: Vec<Problem>,
    pub(super) passed_over: Vec<PassedOver>,
}

#[derive(Debug)]
pub(super) struct User {
    pub line: u64,
    pub id: i64,
    pub telegram: Option<i64>,
    pub name: String,
    pub phone: String,
    pub email: String,
    pub password: String,
    pub address: String,
    pub hours: String,
    pub role: String,
    pub created_at: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) struct Organization {
    pub id: i64,
    pub name: String,
    pub inn: String,
    pub external_id: String,
    pub owner: Option<i64>,
}

#[derive(Debug)]
pub(super) struct Member {
    pub line: u64,
    pub organization: i64,
    pub user: i64,
    pub role: String,
    pub status: String,
}

#[derive(Debug)]
pub(super) struct Category {
    pub line: u64,
    pub id: i64,
    pub parent: Option<i64>,
    pub title: String,
    pub order_index: i64,
}

#[derive(Debug)]
pub(super) struct Product {
    pub line: u64,
    pub id: i64,
    pub external_id: String,
    pub sku: String,
    pub title: String,
    pub description: String,
    pub stock: String,
    pub price: String,
    pub category: Option<i64>,
}

#[derive(Debug)]
pub(super) struct Order {
    pub line: u64,
    pub id: i64,
    pub organization: Option<i64>,
    pub author: Option<i64>,
    pub status: String,
    pub delivery_day: String,
    pub delivery_today: bool,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) struct Line {
    pub at: u64,
    pub id: i64,
    pub product: Option<i64>,
    pub quantity: String,
    pub price: String,
    pub note: String,
}

#[derive(Debug)]
pub(super) struct Thread {
    pub id: i64,
    pub organization: Option<i64>,
    pub title: String,
    pub created_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) struct Message {
    pub id: i64,
    pub author: Option<i64>,
    pub author_name: String,
    pub text: String,
    pub at: Option<Timestamp>,
}

/// The tables that are read, with the columns that are.
const KNOWN: &[(&str, &[&str])] = &[
    (
        "users",
        &[
            "id",
            "tg_id",
            "fio",
            "phone",
            "email",
            "password_hash",
            "address",
            "work_time",
            "is_24h",
            "role",
            "created_at",
        ],
    ),
    ("organizations", &["id", "name", "inn", "external_id", "owner_user_id"]),
    ("org_members", &["id", "org_id", "user_id", "role_in_org", "status"]),
    ("categories", &["id", "parent_id", "title_ru", "order_index"]),
    (
        "products",
        &[
            "id",
            "external_id",
            "sku",
            "title_ru",
            "description",
            "stock_qty",
            "price",
            "category_id",
        ],
    ),
    (
        "orders",
        &[
            "id",
            "org_id",
            "created_by_user_id",
            "status",
            "delivery_day",
            "delivery_today",
            "created_at",
            "updated_at",
        ],
    ),
    ("order_items", &["id", "order_id", "product_id", "qty", "price_at_time", "note"]),
    ("threads", &["id", "org_id", "title", "created_at", "closed_at"]),
    (
        "messages",
        &["id", "thread_id", "author_user_id", "author_name_snapshot", "text", "created_at"],
    ),
];

/// What only the former program's tables have: by them its dump is known.
const OWN: &[(&str, &[&str])] = &[
    ("users", &["fio", "phone", "role"]),
    ("organizations", &["name"]),
    ("products", &["title_ru"]),
    ("orders", &["org_id", "status"]),
];

impl Dump {
    /// Reads a dump to its end.
    pub(super) fn read(source: impl BufRead) -> Result<Self, LegacyError> {
        let mut dump = Self::default();
        let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut counts: BTreeMap<(String, Option<String>), usize> = BTreeMap::new();
        pg_dump::read(source, &mut |entry| match entry {
            Entry::Table { name, columns } => {
                seen.entry(name.to_owned()).or_insert_with(|| columns.to_vec());
            }
            Entry::Sequence { name: "orders_id_seq", last } => {
                dump.last_order = dump.last_order.max(last);
            }
            Entry::Sequence { .. } => {}
            Entry::Row(row) => {
                let known = KNOWN.iter().find(|(table, _)| *table == row.table);
                let Some((table, columns)) = known else {
                    *counts.entry((row.table.to_owned(), None)).or_default() += 1;
                    return;
                };
                *dump.found.entry(table).or_default() += 1;
                for (column, value) in row.columns.iter().zip(row.values) {
                    if value.is_some() && !columns.contains(&column.as_str()) {
                        let key = ((*table).to_owned(), Some(column.clone()));
                        *counts.entry(key).or_default() += 1;
                    }
                }
                if let Err(why) = dump.take(table, &Cells(row)) {
                    dump.problems.push(Problem { line: row.line, table, why });
                }
            }
        })?;
        let ours = OWN.iter().all(|(table, columns)| {
            let has = seen.get(*table);
            has.is_some_and(|has| columns.iter().all(|column| has.iter().any(|h| h == column)))
        });
        if !ours {
            return Err(LegacyError::Foreign(seen.into_keys().collect()));
        }
        dump.passed_over = counts
            .into_iter()
            .map(|((table, column), count)| PassedOver { table, column, count })
            .collect();
        dump.in_order();
        Ok(dump)
    }

    /// How many rows a table has.
    pub(super) fn found(&self, table: &str) -> usize {
        self.found.get(table).copied().unwrap_or(0)
    }

    /// How many rows of a table could not be read.
    pub(super) fn unread(&self, table: &str) -> usize {
        self.problems.iter().filter(|problem| problem.table == table).count()
    }

    /// Rows lie in a dump as they lay in the table: in any order once they have been changed.
    fn in_order(&mut self) {
        self.users.sort_by_key(|row| row.id);
        self.organizations.sort_by_key(|row| row.id);
        self.categories.sort_by_key(|row| row.id);
        self.products.sort_by_key(|row| row.id);
        self.orders.sort_by_key(|row| row.id);
        self.threads.sort_by_key(|row| row.id);
        self.lines.values_mut().for_each(|lines| lines.sort_by_key(|row| row.id));
        self.messages.values_mut().for_each(|messages| messages.sort_by_key(|row| row.id));
    }

    fn take(&mut self, table: &str, cells: &Cells<'_>) -> Result<(), String> {
        let line = cells.0.line;
        match table {
            "users" => self.users.push(User {
                line,
                id: cells.id("id")?,
                telegram: cells.number("tg_id")?,
                name: cells.line("fio"),
                phone: cells.line("phone"),
                email: cells.line("email"),
                password: cells.line("password_hash"),
                address: cells.line("address"),
                hours: if cells.yes("is_24h") {
                    "круглосуточно".to_owned()
                } else {
                    cells.line("work_time")
                },
                role: cells.line("role"),
                created_at: cells.moment("created_at"),
            }),
            "organizations" => self.organizations.push(Organization {
                id: cells.id("id")?,
                name: cells.line("name"),
                inn: cells.line("inn"),
                external_id: cells.line("external_id"),
                owner: cells.number("owner_user_id")?,
            }),
            "org_members" => self.members.push(Member {
                line,
                organization: cells.id("org_id")?,
                user: cells.id("user_id")?,
                role: cells.line("role_in_org"),
                status: cells.line("status"),
            }),
            "categories" => self.categories.push(Category {
                line,
                id: cells.id("id")?,
                parent: cells.number("parent_id")?,
                title: cells.line("title_ru"),
                order_index: cells.number("order_index")?.unwrap_or(0),
            }),
            "products" => self.products.push(Product {
                line,
                id: cells.id("id")?,
                external_id: cells.line("external_id"),
                sku: cells.line("sku"),
                title: cells.line("title_ru"),
                description: cells.lines("description"),
                stock: cells.line("stock_qty"),
                price: cells.line("price"),
                category: cells.number("category_id")?,
            }),
            "orders" => {
                let id = cells.id("id")?;
                self.last_order = self.last_order.max(id);
                self.orders.push(Order {
                    line,
                    id,
                    organization: cells.number("org_id")?,
                    author: cells.number("created_by_user_id")?,
                    status: cells.line("status"),
                    delivery_day: cells.line("delivery_day"),
                    delivery_today: cells.yes("delivery_today"),
                    created_at: cells.moment("created_at"),
                    updated_at: cells.moment("updated_at"),
                });
            }
            "order_items" => {
                let row = Line {
                    at: line,
                    id: cells.id("id")?,
                    product: cells.number("product_id")?,
                    quantity: cells.line("qty"),
                    price: cells.line("price_at_time"),
                    note: cells.line("note"),
                };
                self.lines.entry(cells.id("order_id")?).or_default().push(row);
            }
            "threads" => self.threads.push(Thread {
                id: cells.id("id")?,
                organization: cells.number("org_id")?,
                title: cells.line("title"),
                created_at: cells.moment("created_at"),
                closed_at: cells.moment("closed_at"),
            }),
            "messages" => {
                let row = Message {
                    id: cells.id("id")?,
                    author: cells.number("author_user_id")?,
                    author_name: cells.line("author_name_snapshot"),
                    text: cells.lines("text"),
                    at: cells.moment("created_at"),
                };
                self.messages.entry(cells.id("thread_id")?).or_default().push(row);
            }
            _ => {}
        }
        Ok(())
    }
}

/// A row by the names of its columns; one that is absent is `NULL`.
struct Cells<'a>(Row<'a>);

impl Cells<'_> {
    fn text(&self, column: &str) -> Option<&str> {
        let at = self.0.columns.iter().position(|name| name == column)?;
        self.0.values.get(at)?.as_deref()
    }

    /// A name on one line; `NULL` is the empty one.
    fn line(&self, column: &str) -> String {
        self.text(column).map(one_line).unwrap_or_default()
    }

    fn lines(&self, column: &str) -> String {
        self.text(column).map(many_lines).unwrap_or_default()
    }

    fn number(&self, column: &str) -> Result<Option<i64>, String> {
        let Some(text) = self.text(column) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| format!("в колонке {column} не число"))
    }

    fn id(&self, column: &str) -> Result<i64, String> {
        self.number(column)?.ok_or_else(|| format!("колонка {column} пуста"))
    }

    fn yes(&self, column: &str) -> bool {
        matches!(self.text(column), Some("t" | "true" | "TRUE" | "1"))
    }

    /// A moment: UTC, unless the dump names a zone.
    fn moment(&self, column: &str) -> Option<Timestamp> {
        let text = self.text(column)?.trim();
        if let Ok(moment) = text.parse::<jiff::Timestamp>() {
            return Some(Timestamp::from_millis(moment.as_millisecond()));
        }
        Zone::utc().moment(text.parse::<jiff::civil::DateTime>().ok()?)
    }
}
