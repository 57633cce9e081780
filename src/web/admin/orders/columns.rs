//! The columns of the list: which there are, which are shown.

use maud::{Markup, html};

use super::address::ListQuery;
use crate::web::markup::{Icon, icon};

/// A column of the list. «№» is no choice: it leads to the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Created,
    Organization,
    Lines,
    Sum,
    Delivery,
    Status,
    Manager,
    Onec,
}

/// What an address says that wants no column beside «№».
const NUMBER: &str = "number";

impl Column {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 8] = [
        Self::Created,
        Self::Organization,
        Self::Lines,
        Self::Sum,
        Self::Delivery,
        Self::Status,
        Self::Manager,
        Self::Onec,
    ];

    /// How an address names it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Organization => "organization",
            Self::Lines => "lines",
            Self::Sum => "sum",
            Self::Delivery => "delivery",
            Self::Status => "status",
            Self::Manager => "manager",
            Self::Onec => "onec",
        }
    }

    /// Its head.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "Создан",
            Self::Organization => "Организация",
            Self::Lines => "Позиции",
            Self::Sum => "Сумма",
            Self::Delivery => "Доставка",
            Self::Status => "Статус",
            Self::Manager => "Менеджер",
            Self::Onec => "1С",
        }
    }
}

/// How an address writes the columns that it was given: in the order of the table, those that do
/// not exist dropped; `None` where the usual ones are meant.
pub fn chosen<'a>(given: impl Iterator<Item = &'a str>) -> Option<Vec<&'static str>> {
    let given: Vec<_> = given.collect();
    let columns = Column::ALL.map(Column::code).into_iter();
    let columns: Vec<_> = columns.filter(|code| given.contains(code)).collect();
    if columns.len() == Column::ALL.len() {
        return None;
    }
    if columns.is_empty() {
        return given.contains(&NUMBER).then(|| vec![NUMBER]);
    }
    Some(columns)
}

/// «Колонки»: what the table shows beside «№».
pub fn chooser(query: &ListQuery) -> Markup {
    let shown = query.columns();
    html! {
        details.menu data-menu {
            summary.button.quiet { (icon(Icon::Columns)) span.word { "Колонки" } @if query.has_own_columns() { span.count { (shown.len() + 1) } } }
            form.popover.choices.columns-box action="/admin/orders" aria-label="Колонки списка" {
                @for (key, value) in query.shown().filter(|(key, _)| *key != "columns") {
                    input type="hidden" name=(key) value=(value);
                }
                @if let Some(saved) = query.saved() { input type="hidden" name="saved" value=(saved); }
                input type="hidden" name="columns" value=(NUMBER);
                label.item { input type="checkbox" checked disabled; "№" }
                @for column in Column::ALL {
                    label.item {
                        input type="checkbox" name="columns" value=(column.code()) checked[shown.contains(&column)];
                        (column.word())
                    }
                }
                div.buttons {
                    button.button.primary type="submit" { "Показать" }
                    @if query.has_own_columns() { a.button.quiet href=(query.without(&["columns"])) { "Как обычно" } }
                }
            }
        }
    }
}
