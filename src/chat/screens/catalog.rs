//! The catalogue: categories with their counts, what was found, and one product.

use super::basket::labels;
use super::pager;
use crate::chat::{Action, Button, Screen};
use crate::config::ShowStock;
use crate::domain::{CategoryId, Quantity, ru};
use crate::formats::html::Html;
use crate::services::catalog::{Category, ProductView};

/// Rows of a list on a page.
pub const ROWS_A_PAGE: usize = 8;
/// The longest label of a category, in characters.
const LABEL: usize = 40;
/// The longest part of a description, in characters.
const DESCRIPTION: usize = 600;

/// What a page of the catalogue shows.
#[derive(Debug)]
pub struct Shelf<'a> {
    /// Titles from the root to here; empty at the root.
    pub path: Vec<String>,
    /// Here; `None`: the root.
    pub category: Option<CategoryId>,
    /// What the button back leads to; `None` at the root.
    pub up: Option<Action>,
    /// The categories of this page.
    pub categories: Vec<&'a Category>,
    /// The products of this page.
    pub products: Vec<ProductView>,
    /// This page, from 0, of so many.
    pub page: usize,
    /// How many pages there are.
    pub pages: usize,
}

/// How products are shown to the one who looks.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Whether prices are shown.
    pub prices: bool,
    /// How stock is shown.
    pub stock: ShowStock,
}

/// A page of the tree: categories first, then products.
pub fn shelf(shelf: &Shelf<'_>, look: Look) -> Screen {
    let mut html = Html::new().bold(crumbs(&shelf.path));
    if shelf.categories.is_empty() && shelf.products.is_empty() {
        html = html.line().push("Здесь пока пусто.");
    } else {
        html = html.line().push("Откройте раздел или напишите, что ищете.");
    }
    let mut screen = with_names(Screen::new(html), &shelf.products, look);
    for category in &shelf.categories {
        let count = format!(" · {}", ru::thousands(u64::from(category.total)));
        let title = ru::ellipsis(&category.title, LABEL - count.chars().count());
        let action = Action::CatalogShow { category: category.id, page: 0 };
        screen = screen.row([Button::new(format!("{title}{count}"), action)]);
    }
    screen = product_rows(screen, &shelf.products, look);
    let turn = |page| match shelf.category {
        Some(category) => Action::CatalogShow { category, page },
        None => Action::CatalogRoot { page },
    };
    let mut last = pager(shelf.page, shelf.pages, turn);
    last.extend(shelf.up.map(|up| Button::new("‹ Назад", up)));
    screen.row(last)
}

/// «Каталог › Крепёж › Саморезы»
fn crumbs(path: &[String]) -> String {
    std::iter::once("Каталог")
        .chain(path.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join(" › ")
}

/// A row for each product.
pub(super) fn product_rows(mut screen: Screen, products: &[ProductView], look: Look) -> Screen {
    for (product, label) in products.iter().zip(product_labels(products, look)) {
        let action = Action::ProductShow { product: product.id, quantity: 0 };
        screen = screen.row([Button::new(label, action)]);
    }
    screen
}

fn product_labels(products: &[ProductView], look: Look) -> Vec<String> {
    let tail = |product: &ProductView| {
        let price = product.price.filter(|_| look.prices);
        let price = price.map(|price| format!(" · {}", short(price))).unwrap_or_default();
        let gone = look.stock != ShowStock::Off && !product.available.is_positive();
        format!("{price}{}", if gone { " · нет" } else { "" })
    };
    let titles: Vec<&str> = products.iter().map(|product| product.title.as_str()).collect();
    labels(&titles, &products.iter().map(tail).collect::<Vec<_>>())
}

/// The price without needless kopecks: «1 450 ₽».
fn short(price: crate::domain::Price) -> String {
    price.to_string().replace(",00\u{a0}", "\u{a0}")
}

/// The whole names of the products where the buttons have no room for them.
fn with_names(mut screen: Screen, products: &[ProductView], look: Look) -> Screen {
    if product_labels(products, look).iter().any(|label| label.contains('…')) {
        for product in products {
            let name = ru::ellipsis(&product.title, 160);
            screen.html = std::mem::take(&mut screen.html).line().push("• ").push(name);
        }
    }
    screen
}

/// Nothing has come from 1C or a file yet.
pub fn empty() -> Screen {
    Screen::text("Каталог ещё не загружен. Напишите список, менеджер подберёт.")
}

/// What was found for words. `inside`: the title of the category that was looked through.
pub fn found(
    words: &str,
    inside: Option<&str>,
    products: &[ProductView],
    (page, pages): (usize, usize),
    look: Look,
) -> Screen {
    let words = ru::ellipsis(words.trim(), 80);
    let head = match (inside, products.is_empty()) {
        (Some(title), false) => format!("Ищу в разделе «{title}»: «{words}»"),
        (Some(title), true) => format!("В разделе «{title}» нет такого: «{words}»"),
        (None, false) => format!("Нашёл по запросу «{words}»"),
        (None, true) => format!("Не нашёл: «{words}». Напишите иначе или спросите менеджера."),
    };
    let mut screen = product_rows(with_names(Screen::text(head), products, look), products, look);
    screen = screen.row(pager(page, pages, |page| Action::CatalogFound { page }));
    let mut last = Vec::new();
    if inside.is_some() {
        last.push(Button::new("Искать везде", Action::CatalogEverywhere));
    } else if products.is_empty() {
        last.push(Button::new("Менеджеру", Action::AskManager));
    }
    last.push(Button::new("‹ Назад", Action::CatalogBack));
    screen.row(last)
}

/// How a product stands in the order that is being written.
#[derive(Debug, Clone, Copy)]
pub struct InDraft {
    /// The draft's version, 0 without one.
    pub version: i64,
    /// Lines of the draft.
    pub lines: usize,
    /// How many base units of the product are in it.
    pub quantity: Quantity,
}

/// One product. `quantity`: how many are about to be put into the order.
pub fn product(view: &ProductView, quantity: Quantity, draft: InDraft, look: Look) -> Screen {
    let unit = view.unit.as_str();
    let mut html = Html::new().bold(&view.title);
    if !view.sku.is_empty() {
        html = html.line().push(format!("Артикул {}", view.sku));
    }
    let mut facts = Vec::new();
    if look.prices {
        facts.push(match view.price {
            Some(price) => format!("{price} за\u{a0}{unit}"),
            None => "цену подтвердит менеджер".to_owned(),
        });
    }
    for (pack, coefficient) in view.packs.iter().take(2) {
        facts.push(format!("{pack} — {}", coefficient.with_unit(unit)));
    }
    if let Some(multiple) = view.multiple {
        facts.push(format!("продаётся по {}", multiple.with_unit(unit)));
    }
    let available = view.available.is_positive();
    match look.stock {
        ShowStock::Exact if available => {
            facts.push(format!("на складе {}", view.available.with_unit(unit)));
        }
        ShowStock::Level if available => facts.push("есть на складе".to_owned()),
        ShowStock::Exact | ShowStock::Level => facts.push("нет на складе".to_owned()),
        ShowStock::Off => {}
    }
    html = html.line().push(facts.join(" · "));
    if !view.description.trim().is_empty() {
        html = html.line().line().push(ru::ellipsis(view.description.trim(), DESCRIPTION));
    }
    if draft.quantity.is_positive() {
        let inside = draft.quantity.with_unit(unit);
        html = html.line().line().push(format!("Уже в заявке: {inside}"));
    }
    let product = view.id;
    if view.gone {
        html = html.line().push("⛔ Снят с продажи.");
        return Screen::new(html)
            .row([Button::new("Аналоги", Action::ProductAnalogues { product })])
            .row([Button::new("‹ Назад", Action::CatalogBack)]);
    }
    let by = step(view).thousandths();
    let to = |quantity: i64| Action::ProductShow { product, quantity: quantity.max(by) };
    let now = quantity.thousandths();
    let mut screen = Screen::new(html)
        .row([
            Button::new("−", to(now - by)),
            Button::new(quantity.with_unit(unit), Action::ProductQuantity { product }),
            Button::new("+", to(now.saturating_add(by))),
        ])
        .row([Button::new(
            "В заявку",
            Action::ProductAdd { product, quantity: now, version: draft.version },
        )]);
    screen = screen.row([Button::new("Аналоги", Action::ProductAnalogues { product })]);
    if !available && look.stock != ShowStock::Off {
        screen =
            screen.row([Button::new("Сообщить о поступлении", Action::ProductWatch { product })]);
    }
    let mut last = vec![Button::new("‹ Назад", Action::CatalogBack)];
    if draft.lines > 0 {
        last.push(Button::new(format!("К заявке · {}", draft.lines), Action::DraftNew));
    }
    screen.row(last)
}

/// By how many base units the buttons go: what it is sold by, else a pack, else one.
pub fn step(view: &ProductView) -> Quantity {
    let pack = view.packs.first().map(|(_, coefficient)| *coefficient);
    let step = view.multiple.or(pack).unwrap_or(Quantity::whole(1));
    if step.is_positive() { step } else { Quantity::whole(1) }
}

/// How many are written.
pub fn ask_quantity(view: &ProductView) -> Screen {
    let back = Action::ProductShow { product: view.id, quantity: 0 };
    Screen::new(Html::new().bold(&view.title).line().push("Сколько? Напишите «250» или «3 кор»."))
        .row([Button::new("‹ Назад", back)])
}

/// Products like another one.
pub fn analogues(view: &ProductView, others: &[ProductView], look: Look) -> Screen {
    let head = if others.is_empty() {
        format!("Похожих на «{}» не нашёл.", view.title)
    } else {
        format!("Похожие на «{}»:", view.title)
    };
    let screen = product_rows(with_names(Screen::text(head), others, look), others, look);
    let back = Action::ProductShow { product: view.id, quantity: 0 };
    screen.row([Button::new("‹ Назад", back)])
}

/// A product that the person waits for is in stock again.
pub fn back_in_stock(view: &ProductView, look: Look) -> Screen {
    let amount = match look.stock {
        ShowStock::Exact => format!(", {}", view.available.with_unit(view.unit.as_str())),
        ShowStock::Level | ShowStock::Off => String::new(),
    };
    Screen::new(Html::text("Снова на складе: ").bold(&view.title).push(format!("{amount}.")))
        .row([Button::new("Открыть", Action::ProductShow { product: view.id, quantity: 0 })])
}
