//! Answers to questions in free text: what is known at once, and the way to a manager.

use super::catalog::{Look, product_rows};
use crate::chat::{Action, Button, Screen};
use crate::config::{Company, ShowStock};
use crate::formats::html::Html;
use crate::services::catalog::ProductView;

/// Products that are offered.
const SHOWN: usize = 6;

/// Whether there is some, and at what price.
pub fn stock(product: &ProductView, look: Look) -> Screen {
    let available = product.available.is_positive();
    let mut facts = Vec::new();
    match look.stock {
        ShowStock::Exact if available => {
            let amount = product.available.with_unit(product.unit.as_str());
            facts.push(format!("на складе {amount}"));
        }
        ShowStock::Level if available => facts.push("есть на складе".to_owned()),
        ShowStock::Exact | ShowStock::Level => facts.push("сейчас нет на складе".to_owned()),
        ShowStock::Off => {}
    }
    if look.prices {
        let price = product.price.map(|price| format!("{price} за\u{a0}{}", product.unit));
        facts.push(price.unwrap_or_else(|| "цену подтвердит менеджер".to_owned()));
    }
    if facts.is_empty() {
        facts.push("наличие подскажет менеджер".to_owned());
    }
    let html = Html::new().bold(&product.title).push(format!(": {}.", facts.join(", ")));
    let id = product.id;
    let show = Action::ProductShow { product: id, quantity: 0 };
    let mut screen = Screen::new(html).row([Button::new("В заявку", show)]);
    if !available && look.stock != ShowStock::Off {
        screen = screen
            .row([Button::new("Сообщить о поступлении", Action::ProductWatch { product: id })]);
    }
    screen.row([Button::new("Спросить менеджера", Action::AskManager)])
}

/// Several may be meant.
pub fn which(products: &[ProductView], look: Look) -> Screen {
    let shown = &products[..products.len().min(SHOWN)];
    product_rows(Screen::text("О каком товаре вопрос?"), shown, look)
        .row([Button::new("Спросить менеджера", Action::AskManager)])
}

/// Only a manager knows.
pub fn unknown(company: &Company, guest: bool) -> Screen {
    if guest {
        let phone = company.phone.as_ref().map(|phone| format!(", {phone}")).unwrap_or_default();
        return Screen::text(format!("На вопросы отвечает менеджер: {}{phone}.", company.hours));
    }
    Screen::text("На это ответит менеджер. Передать вопрос?")
        .row([Button::new("Спросить менеджера", Action::AskManager)])
        .row([Button::new("Не надо", Action::AskNo)])
}

/// Nothing in the text is in the catalogue.
pub fn nothing_found() -> Screen {
    Screen::text(
        "Не нашёл этих товаров. Напишите артикул или размер, либо передайте список менеджеру.",
    )
    .row([
        Button::new("Менеджеру", Action::AskManager),
        Button::new("Каталог", Action::CatalogRoot { page: 0 }),
    ])
}
