//! The address of the list of orders: everything that it shows.

use axum::extract::Query;
use axum::http::Uri;

use super::columns::{self, Column};
use crate::domain::{Channel, Money, OrderStatus, OrganizationId, PersonId, ViewId};
use crate::storage::orders::{OrderFilter, OrderSort};
use crate::web::Desk;
use crate::web::error::encode;

/// The address of a list: everything that it shows. Statuses and columns may be named several
/// times, every other key once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    pairs: Vec<(String, String)>,
}

/// Keys of an address, in the order in which it is written.
const KEYS: [&str; 20] = [
    "view",
    "q",
    "status",
    "organization",
    "manager",
    "source",
    "onec",
    "unresolved",
    "created_from",
    "created_to",
    "delivery_from",
    "delivery_to",
    "sum_from",
    "sum_to",
    "product",
    "sort",
    "columns",
    "saved",
    "done",
    "page",
];

/// Keys that say where one is and what was just done, beside what the list shows.
const PASSING: [&str; 3] = ["saved", "done", "page"];

/// Keys that let orders through or not, beside the view.
const FILTERS: [&str; 13] = [
    "q",
    "status",
    "organization",
    "manager",
    "source",
    "onec",
    "unresolved",
    "created_from",
    "created_to",
    "delivery_from",
    "delivery_to",
    "sum_from",
    "sum_to",
];

/// A tab of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    pub code: &'static str,
    pub word: &'static str,
    pub statuses: &'static [OrderStatus],
    pub mine: bool,
    pub today: bool,
}

const IN_WORK: &[OrderStatus] = &[OrderStatus::Accepted, OrderStatus::Picking, OrderStatus::Ready];

pub const VIEWS: [View; 7] = [
    View {
        code: "new", word: "Новые", statuses: &[OrderStatus::New], mine: false, today: false
    },
    View {
        code: "mine",
        word: "Мои",
        statuses: &[
            OrderStatus::NeedsClient,
            OrderStatus::Accepted,
            OrderStatus::Picking,
            OrderStatus::Ready,
        ],
        mine: true,
        today: false,
    },
    View {
        code: "waiting",
        word: "Ждут клиента",
        statuses: &[OrderStatus::NeedsClient],
        mine: false,
        today: false,
    },
    View { code: "picking", word: "В работе", statuses: IN_WORK, mine: false, today: false },
    View {
        code: "ship", word: "Сегодня к отгрузке", statuses: IN_WORK, mine: false, today: true
    },
    View {
        code: "approval",
        word: "На согласовании",
        statuses: &[OrderStatus::Approval],
        mine: false,
        today: false,
    },
    View { code: "all", word: "Все", statuses: &[], mine: false, today: false },
];

/// Sortings: the code, and what a second click leads to.
const SORTS: [(&str, OrderSort); 6] = [
    ("", OrderSort::Newest),
    ("oldest", OrderSort::Oldest),
    ("dearest", OrderSort::Dearest),
    ("cheapest", OrderSort::Cheapest),
    ("delivery", OrderSort::Delivery),
    ("organization", OrderSort::Organization),
];

impl ListQuery {
    /// From an address's pairs; those that mean nothing here are dropped.
    pub fn of(pairs: Vec<(String, String)>) -> Self {
        let known = |(key, value): &(String, String)| {
            KEYS.contains(&key.as_str()) && !value.trim().is_empty()
        };
        let mut query = Self { pairs: pairs.into_iter().filter(known).collect() };
        let columns = columns::chosen(query.all("columns"));
        query.set_all("columns", columns.unwrap_or_default());
        query
    }

    /// From an address's query; what cannot be read is dropped.
    pub fn parse(query: &str) -> Self {
        let uri = Uri::builder().path_and_query(format!("/?{query}")).build().ok();
        let pairs = uri.and_then(|uri| Query::try_from_uri(&uri).ok());
        Self::of(pairs.map(|Query(pairs)| pairs).unwrap_or_default())
    }

    pub fn get(&self, key: &str) -> &str {
        let found = self.pairs.iter().find(|(known, _)| known == key);
        found.map_or("", |(_, value)| value.trim())
    }

    pub fn set(&mut self, key: &str, value: &str) {
        self.pairs.retain(|(known, _)| known != key);
        if !value.is_empty() {
            self.pairs.push((key.to_owned(), value.to_owned()));
        }
    }

    /// Every value of a key that may be named several times.
    pub fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |(known, _)| known == key).map(|(_, value)| value.trim())
    }

    fn set_all<'a>(&mut self, key: &str, values: impl IntoIterator<Item = &'a str>) {
        self.pairs.retain(|(known, _)| known != key);
        self.pairs.extend(values.into_iter().map(|value| (key.to_owned(), value.to_owned())));
    }

    /// What the list shows, key by key.
    pub fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        let shown = self.pairs.iter().filter(|(key, _)| !PASSING.contains(&key.as_str()));
        shown.map(|(key, value)| (key.as_str(), value.trim()))
    }

    pub fn view(&self) -> View {
        let found = VIEWS.iter().find(|view| view.code == self.get("view"));
        // A search looks everywhere.
        *found.unwrap_or(&VIEWS[VIEWS.len() - 1])
    }

    pub fn statuses(&self) -> Vec<OrderStatus> {
        self.all("status").filter_map(|value| value.parse().ok()).collect()
    }

    /// The columns beside «№», in the order of the table.
    pub fn columns(&self) -> Vec<Column> {
        Column::ALL.into_iter().filter(|column| self.has_column(*column)).collect()
    }

    /// Whether the list has other columns than usual.
    pub fn has_own_columns(&self) -> bool {
        !self.get("columns").is_empty()
    }

    fn has_column(&self, column: Column) -> bool {
        !self.has_own_columns() || self.all("columns").any(|code| code == column.code())
    }

    /// The saved view that is open.
    pub fn saved(&self) -> Option<ViewId> {
        self.get("saved").parse().ok()
    }

    /// What a saved view keeps of the list, always written alike: filters, sorting and columns.
    pub fn state(&self) -> String {
        let mut kept = self.clone();
        kept.pairs.retain(|(key, _)| !PASSING.contains(&key.as_str()));
        kept.set("view", self.view().code);
        let statuses = self.statuses();
        let statuses = OrderStatus::ALL.iter().filter(|status| statuses.contains(status));
        kept.set_all("status", statuses.map(|status| status.as_str()));
        kept.query()
    }

    pub fn page(&self) -> u32 {
        self.get("page").parse().unwrap_or(1).max(1)
    }

    /// What the address lets through.
    pub fn filter(&self, desk: &Desk, me: PersonId) -> OrderFilter {
        let view = self.view();
        let mut statuses = self.statuses();
        statuses.retain(|status| view.statuses.is_empty() || view.statuses.contains(status));
        if statuses.is_empty() {
            statuses = view.statuses.to_vec();
        }
        let zone = &desk.base.zone;
        let day = |key: &str| self.get(key).parse::<jiff::civil::Date>().ok();
        let midnight =
            |date: jiff::civil::Date| zone.moment(date.to_datetime(jiff::civil::Time::midnight()));
        let today = zone.civil(desk.base.clock.now()).date();
        let manager = self.get("manager");
        OrderFilter {
            statuses,
            organization: self.get("organization").parse().ok().map(OrganizationId),
            manager: view.mine.then_some(me).or_else(|| manager.parse().ok().map(PersonId)),
            unassigned: manager == "none" && !view.mine,
            query: self.get("q").to_owned(),
            unresolved: self.get("unresolved") == "1",
            source: self.get("source").parse::<Channel>().ok(),
            created_from: day("created_from").and_then(midnight),
            created_before: day("created_to").and_then(|d| d.tomorrow().ok()).and_then(midnight),
            delivery_from: day("delivery_from"),
            delivery_to: if view.today { Some(today) } else { day("delivery_to") },
            total_from: roubles(self.get("sum_from")),
            total_to: roubles(self.get("sum_to")),
            acknowledged: match self.get("onec") {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            product: self.get("product").to_owned(),
            products: None,
            sort: SORTS
                .iter()
                .find(|(code, _)| *code == self.get("sort"))
                .map_or(OrderSort::Newest, |(_, sort)| *sort),
            author: None,
        }
    }

    /// The query of this list, without the question mark.
    fn query(&self) -> String {
        let mut parts = Vec::new();
        for key in KEYS {
            let values = self.all(key).filter(|value| (key, *value) != ("page", "1"));
            parts.extend(values.map(|value| format!("{key}={}", encode(value))));
        }
        parts.join("&")
    }

    /// The address of this list.
    fn href(&self) -> String {
        let query = self.query();
        if query.is_empty() { "/admin/orders".to_owned() } else { format!("/admin/orders?{query}") }
    }

    pub fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut other = self.clone();
        other.set("page", "");
        other.set("done", "");
        change(&mut other);
        other.href()
    }

    pub fn without(&self, keys: &[&str]) -> String {
        self.with(|query| {
            for key in keys {
                query.set(key, "");
            }
        })
    }

    pub fn export(&self, format: &str) -> String {
        let list = self.without(&["saved", "columns"]);
        let query = list.split_once('?').map_or("", |(_, query)| query);
        format!("/admin/orders/export/{format}?{query}")
    }

    pub fn is_filtered(&self) -> bool {
        FILTERS.iter().chain(&["product"]).any(|key| !self.get(key).is_empty())
    }

    pub fn unfiltered(&self) -> String {
        let mut keys = FILTERS.to_vec();
        keys.push("product");
        self.without(&keys)
    }
}

/// A sum as people type it: «10 000», «1 250,50».
fn roubles(text: &str) -> Option<Money> {
    crate::formats::text::Decimal::parse(text).ok()?.money().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> ListQuery {
        ListQuery::of(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn the_address_holds_the_whole_list() {
        let list = query(&[
            ("view", "all"),
            ("q", "диван & ко"),
            ("status", "accepted"),
            ("status", "new"),
            ("unresolved", "1"),
            ("page", "3"),
            ("evil", "x"),
        ]);
        assert_eq!(
            list.href(),
            "/admin/orders?view=all&q=%D0%B4%D0%B8%D0%B2%D0%B0%D0%BD%20%26%20%D0%BA%D0%BE&status=accepted&status=new&unresolved=1&page=3"
        );
        assert_eq!(list.statuses(), [OrderStatus::Accepted, OrderStatus::New]);
        assert_eq!(list.unfiltered(), "/admin/orders?view=all");
        assert_eq!(ListQuery::default().href(), "/admin/orders");
        assert!(!query(&[("view", "mine"), ("sort", "oldest")]).is_filtered());
    }

    #[test]
    fn columns_are_those_that_there_are() {
        let columns = |codes: &[&str]| {
            let pairs: Vec<_> = codes.iter().map(|code| ("columns", *code)).collect();
            let list = query(&pairs);
            (list.href(), list.columns())
        };
        let (usual, all) = (columns(&[]).0, Column::ALL.to_vec());
        assert_eq!(columns(&["evil"]), (usual.clone(), all.clone()));
        let (order, two) =
            (["sum", "evil", "number", "created", "sum"], [Column::Created, Column::Sum]);
        let address = "/admin/orders?columns=created&columns=sum".to_owned();
        assert_eq!(columns(&order), (address, two.to_vec()));
        assert_eq!(columns(&["number"]), ("/admin/orders?columns=number".to_owned(), vec![]));
        assert_eq!(columns(&Column::ALL.map(Column::code)), (usual, all));
    }

    #[test]
    fn a_view_keeps_what_the_list_shows_however_it_is_written() {
        let list = ListQuery::parse("status=picking&status=evil&status=new&page=3&saved=5&done=1");
        assert_eq!(list.state(), "view=all&status=new&status=picking");
        let list = ListQuery::parse("columns=sum&sort=oldest&view=mine&q=%D1%91%20%26");
        assert_eq!(list.state(), "view=mine&q=%D1%91%20%26&sort=oldest&columns=sum");
        assert_eq!(ListQuery::parse(&list.state()).state(), list.state());
        assert_eq!(ListQuery::parse("\u{0}%%").state(), "view=all");
    }

    #[test]
    fn sums_are_read_as_people_type_them() {
        assert_eq!(roubles("10 000"), Some(Money::from_kopecks(1_000_000)));
        assert_eq!(roubles("1250,50"), Some(Money::from_kopecks(125_050)));
        assert_eq!(roubles("много"), None);
    }
}
