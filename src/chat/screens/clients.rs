//! Clients, as staff see them in the chat.

use super::basket::Scene;
use super::order::list_pager;
use crate::chat::dialogue::Lens;
use crate::chat::{Action, Button, Screen};
use crate::domain::{MemberState, Money, OrgKind, OrganizationId, Phone, ru};
use crate::formats::html::Html;
use crate::services::directory::Client;
use crate::services::ordering::OrderPage;
use crate::storage::directory::ClientRow;
use crate::storage::orders::OrderRow;
use crate::storage::purchases::Balance;

/// What is looked for: a number as it is stored, other words as they are.
pub fn query(words: &str) -> String {
    let digits = words.chars().filter(char::is_ascii_digit).count();
    match words.parse::<Phone>() {
        Ok(phone) if digits >= 11 => phone.as_str().to_owned(),
        _ => words.trim().to_owned(),
    }
}

/// The client's name for staff.
pub fn name(row: &ClientRow) -> String {
    match row.kind {
        OrgKind::Company => row.name.clone(),
        OrgKind::Person => format!("{} (частное лицо)", row.name),
    }
}

/// Clients to choose from.
pub fn list(
    words: &str,
    rows: &[ClientRow],
    total: u32,
    offset: u32,
    choose: impl Fn(OrganizationId) -> Action,
) -> Screen {
    let words = ru::ellipsis(words.trim(), 60);
    let text = match (words.is_empty(), rows.is_empty()) {
        (true, true) => "Клиентов пока нет.".to_owned(),
        (true, false) => "Напишите название, имя, телефон или ИНН. Последние клиенты:".to_owned(),
        (false, true) => format!("«{words}»: такого клиента не нашёл. Напишите иначе."),
        (false, false) => format!("«{words}»: {}", found(total)),
    };
    let mut screen = Screen::text(text);
    for row in rows {
        let label = match &row.inn {
            Some(inn) => format!("{} · ИНН\u{a0}{inn}", ru::ellipsis(&name(row), 22)),
            None => ru::ellipsis(&name(row), 40),
        };
        screen = screen.row([Button::new(label, choose(row.id))]);
    }
    if words.is_empty() {
        screen = screen.row(list_pager(total, offset, |page| Action::Clients { page }));
    }
    screen
}

fn found(total: u32) -> String {
    ru::count(u64::from(total), ["клиент", "клиента", "клиентов"])
}

/// One client.
pub fn card(client: &Client, balance: Option<&Balance>, admin: bool, scene: &Scene) -> Screen {
    let row = &client.row;
    let mut html = Html::new().bold(name(row));
    if row.blocked {
        html = html.push(" · закрыта");
    } else if !row.verified {
        html = html.push(" · новый клиент, цен не видит");
    }
    if let Some(inn) = &row.inn {
        html = html.line().push(format!("ИНН\u{a0}{inn}"));
    }
    for (label, value) in [("Цены", &row.price_type), ("Менеджер", &row.manager_name)] {
        if !value.is_empty() {
            html = html.line().push(format!("{label}: {value}"));
        }
    }
    for member in client.members.iter().take(10) {
        let mut line = format!("• {}, {}", member.name, member.role.label());
        if let Some(phone) = &member.phone {
            let mark = if member.phone_verified { "" } else { " (не подтверждён)" };
            line = format!("{line}, {phone}{mark}");
        }
        if member.state == MemberState::Pending {
            line.push_str(", ждёт подтверждения");
        }
        if member.chat_blocked {
            line.push_str(", бот заблокирован");
        }
        html = html.line().push(line);
    }
    let orders = ru::count(u64::from(row.orders), ["заказ", "заказа", "заказов"]);
    let mut facts = format!("За 90\u{a0}дней: {orders}");
    if row.total > Money::ZERO {
        facts = format!("{facts}, {}", row.total);
    }
    if let Some(at) = row.last_order_at {
        facts = format!("{facts}. Последний {}", scene.zone.date(at, scene.now));
    }
    html = html.line().push(format!("{facts}."));
    if let Some(debt) = balance.and_then(|balance| balance.debt) {
        html = html.line().push(format!("Долг: {debt}"));
        if let Some(overdue) = balance.and_then(|b| b.overdue).filter(|sum| *sum > Money::ZERO) {
            html = html.push(format!(", просрочено {overdue}"));
        }
    }
    let organization = row.id;
    let mut screen = Screen::new(html).row([
        Button::new("Заявка за клиента", Action::ClientOrder { organization }),
        Button::new("Заказы", Action::ClientOrders { organization, page: 0 }),
    ]);
    let mut more = Vec::new();
    if !row.verified {
        more.push(Button::new("Проверена", Action::ClientVerify { organization }));
    }
    if admin {
        more.push(Button::new("Смотреть как", Action::AdminView { organization }));
    }
    screen = screen.row(more);
    screen.row([Button::new("К клиентам", Action::Clients { page: 0 })])
}

/// A client's orders.
pub fn orders(row: &ClientRow, page: &OrderPage, offset: u32, scene: &Scene) -> Screen {
    let organization = row.id;
    let back = Button::new("К клиенту", Action::ClientShow { organization });
    if page.total == 0 {
        return Screen::text(format!("{}: заказов пока нет.", name(row))).row([back]);
    }
    let mut screen = Screen::text(format!("Заказы · {}", name(row)));
    for order in &page.orders {
        let date = scene.zone.date(order.created_at, scene.now);
        let label = format!("№\u{a0}{} · {} · {date}", order.number, order.status.staff_label());
        screen = screen.row([Button::new(label, Action::StaffCard { order: order.id })]);
    }
    let turn = |page| Action::ClientOrders { organization, page };
    screen.row(list_pager(page.total, offset, turn)).row([back])
}

/// The text of an order for a client is waited for.
pub fn ask_for_text() -> Screen {
    Screen::text("Вставьте список клиента: распознаю с его названиями и ценами.")
}

/// Through whose eyes a card is seen.
pub fn banner(lens: &Lens) -> Html {
    if lens.orders {
        Html::new().bold(format!("Заявка за {}", lens.name))
    } else {
        Html::new().bold(format!("Смотрю как {}", lens.name))
    }
}

/// The order for a client is sent.
pub fn placed(order: &OrderRow) -> Screen {
    let text = format!(
        "Заявка №\u{a0}{} за {} отправлена. Клиент получит сообщение.",
        order.number, order.organization_name
    );
    Screen::text(text).row([
        Button::new("Открыть", Action::StaffCard { order: order.id }),
        Button::new("Ещё одну", Action::ClientOrder { organization: order.organization }),
    ])
}

/// A manager wrote an order for the client, as the client reads it.
pub fn placed_for_you(order: &OrderRow) -> Screen {
    let mut text = format!(
        "Для вас оформлена заявка №\u{a0}{}: {}",
        order.number,
        ru::positions(order.line_count as usize)
    );
    if order.total > Money::ZERO {
        text = format!("{text}, {}", order.total);
    }
    Screen::text(format!("{text}."))
        .row([Button::new("Открыть", Action::OrderShow { order: order.id })])
}
