//! Card 2 on the way to an order: the date, the address, the comment, and what stops the sending.

use jiff::ToSpan;
use jiff::civil::Date;

use super::line::OPTION_LABEL;
use super::{JOIN_A_PAGE, Scene, pager};
use crate::chat::screens::order::PRICES_LATER;
use crate::chat::{Action, Button, Screen};
use crate::domain::{Delivery, LineState, ru, time};
use crate::formats::html::Html;
use crate::services::ordering::{DraftView, Joined, OrderPage};
use crate::storage::orders::OrderRow;
use crate::storage::organizations::AddressRow;

/// Card 2: checkout.
pub fn checkout(view: &DraftView, note: Option<&str>, scene: &Scene) -> Screen {
    let draft = view.draft.id;
    let sum = match view.count(LineState::Ok) {
        0 => String::new(),
        _ if view.sees_prices => format!(", {}", view.total()),
        _ => format!(", {PRICES_LATER}"),
    };
    let mut html = Html::new();
    if let Some(note) = note {
        html = html.push(note).line().line();
    }
    html = html
        .bold(format!("Оформление: {}{sum}", ru::positions(view.lines.len())))
        .append(&delivery(view, scene))
        .line()
        .push(format!("Комментарий: {}", or_dash(&view.draft.comment)));
    let open = view.lines.iter().filter(|line| line.row.state != LineState::Ok).count();
    if open > 0 {
        html = html.line().push(format!("{} подберёт менеджер.", ru::positions_accusative(open)));
    }
    if !view.may_send {
        html = html.line().push("Заявка уйдёт на согласование владельцу организации.");
    }
    Screen::new(html)
        .row([send(view)])
        .row([
            Button::new("Дата", Action::CheckoutDates { draft }),
            Button::new("Адрес", Action::CheckoutAddresses { draft }),
            Button::new("Комментарий", Action::CheckoutComment { draft }),
        ])
        .row([Button::new("Назад", Action::DraftReview { draft })])
}

/// When and where to, each on a line of its own.
pub(super) fn delivery(view: &DraftView, scene: &Scene) -> Html {
    let html = Html::new().line();
    let html = html.push(format!("Доставка: {}", view.draft.delivery.label(scene.today())));
    match view.draft.delivery {
        Delivery::Pickup => html,
        _ => html.line().push(format!("Адрес: {}", or_dash(&view.draft.address))),
    }
}

/// «Отправить», in the words that fit the draft and the person.
pub(super) fn send(view: &DraftView) -> Button {
    let (draft, version) = (view.draft.id, view.draft.revision);
    let label = match (view.may_send, view.draft.edits) {
        (true, Some(_)) => "Сохранить",
        (true, None) => "Отправить",
        (false, _) => "На согласование",
    };
    Button::new(label, Action::CheckoutSend { draft, version })
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "—" } else { text }
}

/// Card 2: days to choose from.
pub fn dates(view: &DraftView, scene: &Scene) -> Screen {
    let (draft, version) = (view.draft.id, view.draft.revision);
    let today = scene.today();
    let day = |days: i64, label: String| {
        Button::new(label, Action::CheckoutDate { draft, version, days })
    };
    let mut working: Vec<Button> = Vec::new();
    let mut days = 3;
    while working.len() < 9 {
        let date = today.saturating_add(days.days());
        if date.weekday().to_monday_zero_offset() < 5 {
            working.push(day(days, time::weekday_date(date, today)));
        }
        days += 1;
    }
    let today_too = scene.delivers_today().then(|| day(0, "Сегодня".to_owned()));
    let soon = [day(1, "Завтра".to_owned()), day(2, "Послезавтра".to_owned())];
    let mut screen = Screen::text("Когда доставить? Можно написать: «в пятницу».")
        .row(today_too.into_iter().chain(soon));
    for row in working.chunks(3) {
        screen = screen.row(row.to_vec());
    }
    screen
        .row([
            Button::new("Самовывоз", Action::CheckoutPickup { draft, version }),
            Button::new("Не важно", Action::CheckoutAnyDate { draft, version }),
        ])
        .row([Button::new("Назад", Action::Checkout { draft })])
}

/// Card 2: addresses of the book.
pub fn addresses(view: &DraftView, book: &[AddressRow]) -> Screen {
    let (draft, version) = (view.draft.id, view.draft.revision);
    let mut screen = Screen::text(if book.is_empty() {
        "Адресов пока нет. Напишите адрес доставки."
    } else {
        "Куда доставить? Выберите или напишите новый адрес."
    });
    for row in book.iter().take(6) {
        let action = Action::CheckoutAddress { draft, version, address: row.id };
        screen = screen.row([Button::new(ru::ellipsis(&row.address, OPTION_LABEL), action)]);
    }
    screen.row([Button::new("Назад", Action::Checkout { draft })])
}

/// Card 2: prices have moved.
pub fn prices_moved(view: &DraftView, moved: &[String]) -> Screen {
    let (draft, version) = (view.draft.id, view.draft.revision);
    let mut html = Html::text("Пока вы собирали, изменилось:");
    for line in moved.iter().take(12) {
        html = html.line().push(line);
    }
    Screen::new(html).row([
        Button::new("Отправить с новыми", Action::CheckoutSend { draft, version }),
        Button::new("Назад", Action::DraftReview { draft }),
    ])
}

/// Reads a day: «завтра», «в пятницу», «24.11», «24 ноября»; `None` when it is none or has passed.
pub fn read_date(text: &str, today: Date) -> Option<Date> {
    const WEEKDAYS: [&str; 7] = ["понед", "вторн", "сред", "четв", "пятн", "субб", "воскр"];
    const MONTHS: [&str; 12] =
        ["янв", "фев", "мар", "апр", "ма", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"];
    let text = text.to_lowercase().replace('ё', "е");
    if text.contains("послезавтра") {
        return today.checked_add(2.days()).ok();
    }
    if text.contains("завтра") {
        return today.checked_add(1.days()).ok();
    }
    if text.contains("сегодня") {
        return Some(today);
    }
    if let Some(index) = WEEKDAYS.iter().position(|day| text.contains(day)) {
        let from = i64::from(today.weekday().to_monday_zero_offset());
        let ahead = (i64::try_from(index).ok()? - from).rem_euclid(7);
        let ahead = if ahead == 0 { 7 } else { ahead };
        return today.checked_add(ahead.days()).ok();
    }
    let numbers: Vec<i16> =
        text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect();
    let named = MONTHS.iter().position(|month| {
        text.split(|c: char| !c.is_alphabetic()).any(|word| word.starts_with(month))
    });
    let (day, month) = match (numbers.as_slice(), named) {
        ([day, ..], Some(month)) => (*day, i16::try_from(month).ok()? + 1),
        ([day, month, ..], None) => (*day, *month),
        _ => return None,
    };
    let (day, month) = (i8::try_from(day).ok()?, i8::try_from(month).ok()?);
    let date = Date::new(today.year(), month, day).ok()?;
    if date >= today { Some(date) } else { Date::new(today.year() + 1, month, day).ok() }
}

/// Card 2: it looks like an order that is there.
pub fn duplicate(view: &DraftView, order: &OrderRow, scene: &Scene) -> Screen {
    let (draft, version) = (view.draft.id, view.draft.revision);
    let at = scene.zone.date_time(order.created_at, scene.now);
    let number = order.number;
    let who = if order.author_name.is_empty() {
        String::new()
    } else {
        format!("{}, ", order.author_name)
    };
    let mut screen = Screen::text(format!("Похоже на заявку №\u{a0}{number} ({who}{at})."));
    if order.status.client_can_cancel() {
        let action = Action::DraftJoinYes { draft, version, order: order.id };
        screen = screen.row([Button::new(format!("Добавить к №\u{a0}{number}"), action)]);
    }
    screen
        .row([Button::new("Отправить ещё одну", Action::CheckoutSendAnyway { draft, version })])
        .row([Button::new("Назад", Action::Checkout { draft })])
}

/// Card 2: orders that the draft can be added to.
pub fn join(view: &DraftView, orders: &OrderPage, page: i64, scene: &Scene) -> Screen {
    let (draft, version) = (view.draft.id, view.draft.revision);
    let mut screen = Screen::text(if orders.total == 0 {
        "Открытых заказов нет. Эту заявку можно отправить отдельно."
    } else {
        "К какому заказу добавить?"
    });
    for order in &orders.orders {
        let label = format!(
            "№\u{a0}{} · {} · {} · {}\u{a0}поз.",
            order.number,
            order.status.client_label(),
            scene.zone.date(order.created_at, scene.now),
            order.line_count
        );
        let action = Action::DraftJoinYes { draft, version, order: order.id };
        screen = screen.row([Button::new(ru::ellipsis(&label, OPTION_LABEL), action)]);
    }
    let pages = usize::try_from(orders.total).unwrap_or(0).div_ceil(JOIN_A_PAGE);
    let page = usize::try_from(page).unwrap_or(0);
    let mut last = pager(page, pages, |page| Action::DraftJoin { draft, page });
    last.push(Button::new("Назад", Action::DraftReview { draft }));
    screen.row(last)
}

/// What came of adding a draft to an order.
pub fn joined(joined: &Joined) -> String {
    match joined {
        Joined::Merged(order) => format!("Добавил в заявку №\u{a0}{}.", order.number),
        Joined::Asked(order) => {
            format!("Заявка №\u{a0}{} уже в работе. Передал менеджеру, что добавить.", order.number)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_people_name_them() {
        let today = Date::constant(2026, 11, 26); // a Thursday
        let read = |text: &str| read_date(text, today).map(|date| date.to_string());
        assert_eq!(read("завтра до обеда").as_deref(), Some("2026-11-27"));
        assert_eq!(read("в пятницу до 12").as_deref(), Some("2026-11-27"));
        assert_eq!(read("в четверг").as_deref(), Some("2026-12-03"));
        assert_eq!(read("1.12").as_deref(), Some("2026-12-01"));
        assert_eq!(read("5 мая").as_deref(), Some("2027-05-05"));
        assert_eq!(read("послезавтра").as_deref(), Some("2026-11-28"));
        assert_eq!(read("как получится"), None);
        assert_eq!(read("45.13"), None);
    }
}
