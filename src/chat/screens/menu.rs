//! The menu, the welcome, help, and the reply keyboards.

use crate::chat::{Action, Button, Screen};
use crate::config::Company;
use crate::domain::Role;
use crate::formats::html::Html;
use crate::services::notifications::{ReplyKey, ReplyKeyboard};

/// Labels of the reply keyboard, also those that the former program had: each leads somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// «Новая заявка»
    NewOrder,
    /// «Заказы»
    Orders,
    /// «Повторить»
    Repeat,
    /// «Аккаунт»
    Account,
    /// «Войти по паролю»
    Login,
    /// «Регистрация»
    Register,
    /// «Восстановить данные»
    Recover,
    /// «Запросить доступ»
    Access,
    /// «Вопросы»
    Questions,
    /// «Сменить организацию»
    Organizations,
    /// «Баланс»
    Balance,
    /// «Пригласить работника»
    Invite,
    /// «Выйти»
    SignOut,
    /// «Новые»
    Queue,
    /// «Все заказы»
    AllOrders,
    /// «Клиенты»
    Clients,
    /// «Поиск»
    Find,
    /// «Ещё»
    More,
    /// «Помощь»
    Help,
}

const LABELS: &[(&str, Label)] = &[
    ("новая заявка", Label::NewOrder),
    ("создать новую заявку", Label::NewOrder),
    ("отправить заявку", Label::NewOrder),
    ("добавить в заказ", Label::NewOrder),
    ("заказы", Label::Orders),
    ("мои заказы", Label::Orders),
    ("повторить", Label::Repeat),
    ("аккаунт", Label::Account),
    ("войти по паролю", Label::Login),
    ("вход", Label::Login),
    ("регистрация", Label::Register),
    ("подтвердить номер", Label::Register),
    ("восстановить данные", Label::Recover),
    ("запросить доступ", Label::Access),
    ("вопросы", Label::Questions),
    ("мои вопросы", Label::Questions),
    ("сменить организацию", Label::Organizations),
    ("баланс", Label::Balance),
    ("пригласить работника", Label::Invite),
    ("выйти", Label::SignOut),
    ("новые", Label::Queue),
    ("все заказы", Label::AllOrders),
    ("клиенты", Label::Clients),
    ("поиск", Label::Find),
    ("еще", Label::More),
    ("помощь", Label::Help),
];

/// The label that a text is, whatever its case, emoji and spaces.
pub fn label(text: &str) -> Option<Label> {
    let kept: String = text
        .chars()
        .filter(|c| c.is_alphanumeric() || c.is_whitespace())
        .collect::<String>()
        .to_lowercase()
        .replace('ё', "е");
    let words = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    LABELS.iter().find(|(label, _)| *label == words).map(|(_, label)| *label)
}

fn keyboard(rows: &[&[&str]], placeholder: &str) -> ReplyKeyboard {
    let key = |label: &&str| ReplyKey { label: (*label).to_owned(), contact: false };
    ReplyKeyboard {
        rows: rows.iter().map(|row| row.iter().map(key).collect()).collect(),
        placeholder: placeholder.to_owned(),
    }
}

/// The reply keyboard of a role.
pub fn role_keyboard(role: Role) -> ReplyKeyboard {
    if role.is_staff() {
        let rows: &[&[&str]] = &[&["Новые", "Все заказы", "Вопросы"], &["Клиенты", "Поиск", "Ещё"]];
        return keyboard(rows, "Номер заказа, товар или клиент");
    }
    let rows: &[&[&str]] = &[&["Новая заявка", "Заказы"], &["Повторить", "Вопросы"], &["Аккаунт"]];
    keyboard(rows, "Товар и количество, можно списком")
}

/// The reply keyboard of a guest.
pub fn guest_keyboard() -> ReplyKeyboard {
    let mut keyboard =
        keyboard(&[&["📱 Подтвердить номер"], &["Войти по паролю", "Запросить доступ"]], "");
    keyboard.rows[0][0].contact = true;
    keyboard
}

/// S1: who we are and what is needed.
pub fn welcome(company: &Company) -> Screen {
    let mut html = Html::text(format!("Здравствуйте! Это заказы «{}».", company.name))
        .line()
        .push("Напишите список как обычно — распознаю по каталогу, уточню непонятное и передам менеджеру.")
        .line()
        .line()
        .push("Чтобы видеть свои цены и отправлять заявки, подтвердите номер телефона.");
    if let Some(policy) = &company.policy_url {
        html = html.line().push(format!(
            "Отправляя номер, вы соглашаетесь на обработку персональных данных: {policy}"
        ));
    }
    Screen::new(html).keyboard(guest_keyboard())
}

/// The menu card of a client, with live marks.
pub fn client(active_orders: u32, has_draft: bool) -> Screen {
    let orders = match active_orders {
        0 => "Заказы".to_owned(),
        n => format!("Заказы · {n}\u{a0}в работе"),
    };
    let draft = if has_draft { "Черновик заявки" } else { "Новая заявка" };
    Screen::text("Пришлите список товаров в любом виде или выберите:")
        .row([
            Button::new(draft, Action::DraftNew),
            Button::new(orders, Action::Orders { page: 0 }),
        ])
        .row([Button::new("Аккаунт", Action::Account), Button::new("Помощь", Action::Help)])
}

/// The menu card of staff.
pub fn staff(new_orders: u32, questions: u32) -> Screen {
    let counted = |label: &str, count: u32| match count {
        0 => label.to_owned(),
        n => format!("{label} · {n}"),
    };
    Screen::text("Номер заказа откроет заказ, название — найдёт товар.")
        .row([
            Button::new(counted("Новые", new_orders), Action::StaffQueue { page: 0 }),
            Button::new("Все заказы", Action::StaffAll { page: 0 }),
            Button::new(counted("Вопросы", questions), Action::Threads),
        ])
        .row([
            Button::new("Клиенты", Action::Clients { page: 0 }),
            Button::new("Ещё", Action::StaffMore),
            Button::new("Помощь", Action::Help),
        ])
}

/// How to write an order.
pub fn help(company: &Company) -> Screen {
    let mut html = Html::new()
        .bold("Как заказать")
        .line()
        .push("Напишите товары и количество как вам удобно — списком или одной строкой:")
        .line()
        .code("саморез 4х25 ж/ц 4 тыс, спанбонд 70 белый 2 рул")
        .line()
        .code("нитки 40 чёрные 10, белые 5")
        .line()
        .code("молния Т5 чёрная — 2 рулона")
        .line()
        .line()
        .push("✅ товар найден · ❓ нужно уточнить · ❌ не нашёл · 👤 подберёт менеджер · ⛔ снят с продажи")
        .line()
        .line()
        .push(format!("Работаем {}.", company.hours));
    if let Some(phone) = &company.phone {
        html = html.push(format!(" Телефон: {phone}."));
    }
    Screen::new(html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_known_whatever_its_dress() {
        assert_eq!(label("  🛒 НОВАЯ  заявка "), Some(Label::NewOrder));
        assert_eq!(label("Создать новую заявку"), Some(Label::NewOrder));
        assert_eq!(label("нитки чёрные 10"), None);
    }
}
