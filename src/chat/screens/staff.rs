//! The manager's side in the chat: the queue and the card of an order.

use jiff::civil::Date;

use super::basket::{Scene, full_names, option_labels};
use super::order::{order_line, pager};
use crate::chat::{Action, Button, Screen};
use crate::config::ShowStock;
use crate::domain::{LineState, Money, OrderStatus, ru, time};
use crate::formats::html::Html;
use crate::services::ordering::{OrderPage, OrderView};
use crate::storage::offers::Offer;
use crate::storage::orders::{OrderLineRow, OrderRow};

/// Lines that a new order's card shows.
const LINES_SHOWN: usize = 12;

/// Reasons to reject, as the manager's buttons and as the client reads them.
pub const REASONS: [(&str, &str); 4] = [
    ("Нет товара", "К сожалению, этих товаров сейчас нет."),
    ("Дубль", "Такая заявка у нас уже есть."),
    ("Задолженность", "Сначала нужно погасить задолженность."),
    ("Не обслуживаем", "Мы не сможем выполнить эту заявку."),
];

/// The card of an order for staff, with the buttons that its status allows.
pub fn card(view: &OrderView, panel: Option<&str>, scene: &Scene) -> Screen {
    let order = &view.order;
    let today = scene.zone.civil(scene.now).date();
    let mark = if order.status == OrderStatus::New { "🆕 " } else { "" };
    let mut html = Html::text(mark).bold(format!("№\u{a0}{}", order.number)).push(format!(
        " · {} · {}",
        order.organization_name,
        order.delivery.label(today)
    ));
    html = html.line().append(&standing(order, scene));
    html = html.line().push(&order.author_name);
    if let Some(phone) = &order.author_phone {
        html = html.push(format!(", {phone}"));
    }
    html = html.line().push(summary(view));
    if !order.address.is_empty() {
        html = html.line().push(format!("Адрес: {}", order.address));
    }
    if !order.comment.is_empty() {
        html = html.line().push(format!("Комментарий: {}", order.comment));
    }
    html = html.line();
    for line in view.lines.iter().take(LINES_SHOWN) {
        html = html.line().append(&staff_line(view, line));
    }
    if view.lines.len() > LINES_SHOWN {
        let more = ru::positions(view.lines.len() - LINES_SHOWN);
        html = html.line().push(format!("…и ещё {more}"));
    }
    buttons(Screen::new(html), view, panel)
}

/// «Новая · 14:05», «В работе: Мария · Принята»
fn standing(order: &OrderRow, scene: &Scene) -> Html {
    let at = scene.zone.date_time(order.created_at, scene.now);
    let html = match (order.status, order.manager_name.as_str()) {
        (status, "") => Html::text(format!("{} · {at}", status.staff_label())),
        (status, name) if status.is_final() => {
            Html::text(format!("{} · {name}", status.staff_label()))
        }
        (status, name) => Html::text(format!("{} · В работе: {name}", status.staff_label())),
    };
    if order.status_reason.is_empty() { html } else { html.line().push(&order.status_reason) }
}

/// «7 позиций, 12 450,00 ₽: ✅ 5 · 👤 2»
fn summary(view: &OrderView) -> String {
    let mut text = ru::positions(view.lines.len());
    if view.order.total > Money::ZERO {
        text = format!("{text}, {}", view.order.total);
    }
    let open = view.unresolved();
    let mut counts = Vec::new();
    if view.lines.len() > open {
        counts.push(format!("✅\u{a0}{}", view.lines.len() - open));
    }
    if open > 0 {
        counts.push(format!("👤\u{a0}{open}"));
    }
    format!("{text}: {}", counts.join(" · "))
}

fn staff_line(view: &OrderView, line: &OrderLineRow) -> Html {
    let html = order_line(line, true);
    match line.product.and_then(|id| view.offer(id)) {
        Some(offer) => html.push(format!(" · ост. {}", offer.available)),
        None => html,
    }
}

fn buttons(screen: Screen, view: &OrderView, panel: Option<&str>) -> Screen {
    let order = &view.order;
    let (id, version) = (order.id, order.revision);
    let mut screen = screen;
    let open = view.unresolved();
    let unclaimed = matches!(order.status, OrderStatus::New | OrderStatus::NeedsClient);
    if unclaimed {
        let label = match open {
            0 => "Принять",
            1 => "Принять без неё",
            _ => "Принять без них",
        };
        let mut row = Vec::new();
        if open > 0 {
            row.push(Button::new(format!("Подобрать {open}"), Action::StaffResolve { order: id }));
        }
        row.push(Button::new(label, Action::StaffAccept { order: id, version }));
        screen = screen.row(row).row([
            Button::new("Отклонить", Action::StaffReject { order: id }),
            Button::new("Написать", Action::StaffWrite { order: id }),
        ]);
    } else if !order.status.is_final() {
        if open > 0 {
            let action = Action::StaffResolve { order: id };
            screen = screen.row([Button::new(format!("Подобрать {open}"), action)]);
        }
        let next: Vec<Button> = order
            .status
            .next()
            .iter()
            .map(|status| {
                let action = Action::StaffStatus { order: id, version, status: *status };
                Button::new(status.verb(), action)
            })
            .collect();
        for pair in next.chunks(3) {
            screen = screen.row(pair.to_vec());
        }
        screen = screen.row([Button::new("Написать", Action::StaffWrite { order: id })]);
    }
    let mut last = vec![Button::new("Состав", Action::StaffOrder { order: id })];
    if let Some(url) = panel {
        let url = format!("{url}/admin/orders/{}", order.number);
        last.push(Button::link("Открыть в панели", url));
    }
    screen.row(last)
}

/// All lines of an order, with the buyer's own words.
pub fn composition(view: &OrderView) -> Screen {
    let order = &view.order;
    let mut html = Html::new().bold(format!("№\u{a0}{}, состав", order.number));
    for line in view.lines.iter().take(40) {
        html = html.line().append(&staff_line(view, line));
        if line.product.is_some() {
            let raw = ru::ellipsis(line.raw.trim(), 60);
            html = html.line().push("     ").italic(format!("«{raw}»"));
        }
    }
    if view.lines.len() > 40 {
        html = html.line().push(format!("…и ещё {}", ru::positions(view.lines.len() - 40)));
    }
    Screen::new(html)
}

/// The queue: orders that nobody has taken, or all.
pub fn queue(page: &OrderPage, offset: u32, all: bool, scene: &Scene) -> Screen {
    if page.total == 0 {
        return Screen::text(if all {
            "Заказов пока нет."
        } else {
            "Новых заявок нет."
        });
    }
    let mut screen =
        Screen::text(if all { "Все заказы" } else { "Новые заявки" });
    for order in &page.orders {
        let waits = if order.status == OrderStatus::New {
            time::ago(scene.now.since(order.created_at))
        } else {
            order.status.staff_label().to_owned()
        };
        let label = format!(
            "№\u{a0}{} · {} · {waits}",
            order.number,
            ru::ellipsis(&order.organization_name, 18)
        );
        screen = screen.row([Button::new(label, Action::StaffCard { order: order.id })]);
    }
    screen.row(pager(page.total, offset, |page| {
        if all { Action::StaffAll { page } } else { Action::StaffQueue { page } }
    }))
}

/// Why not?
pub fn reasons(order: &OrderRow) -> Screen {
    let id = order.id;
    let mut screen = Screen::text(format!("Почему отклоняем заявку №\u{a0}{}?", order.number));
    for (index, (label, _)) in (0..).zip(REASONS) {
        screen = screen.row([Button::new(label, Action::StaffReason { order: id, reason: index })]);
    }
    screen
        .row([Button::new("Своя причина", Action::StaffOwnReason { order: id })])
        .row([Button::new("Назад", Action::StaffCard { order: id })])
}

/// What the client will read.
pub fn reject_preview(order: &OrderRow, reason: i64) -> Option<Screen> {
    let (_, text) = REASONS.get(usize::try_from(reason).ok()?)?;
    let (id, version) = (order.id, order.revision);
    let html = Html::text("Клиент прочитает:")
        .line()
        .italic(format!("Заявка №\u{a0}{} отклонена. {text}", order.number));
    Some(Screen::new(html).row([
        Button::new("Отправить", Action::StaffRejectYes { order: id, version, reason }),
        Button::new("Назад", Action::StaffReject { order: id }),
    ]))
}

/// Products for an unresolved line.
pub fn resolve(view: &OrderView, line: &OrderLineRow, found: Option<&[Offer]>) -> Screen {
    let (id, version) = (line.id, view.order.revision);
    let raw = ru::ellipsis(line.raw.trim(), 200);
    let mut html = Html::text(format!("№\u{a0}{}, позиция {}: ", view.order.number, line.position))
        .bold(format!("«{raw}»"));
    let candidates: Vec<&Offer> = match found {
        Some(found) => found.iter().collect(),
        None => line.candidates.iter().filter_map(|id| view.offer(*id)).collect(),
    };
    html = html.line().push(match (candidates.is_empty(), found.is_some()) {
        (true, true) => "Ничего не нашлось. Напишите иначе.",
        (true, false) => "Напишите, что искать в каталоге.",
        (false, _) => "Выберите товар или напишите, что искать. Слова клиента запомню.",
    });
    let shown: Vec<&Offer> = candidates.into_iter().take(8).collect();
    let labels = option_labels(&shown, true, ShowStock::Exact);
    let mut screen = Screen::new(full_names(html, &shown, &labels));
    for (offer, label) in shown.into_iter().zip(labels) {
        let action = Action::StaffPick { line: id, version, product: offer.id };
        screen = screen.row([Button::new(label, action)]);
    }
    let next = view
        .lines
        .iter()
        .find(|other| other.position > line.position && other.state != LineState::Ok);
    let mut last = Vec::new();
    if let Some(next) = next {
        last.push(Button::new("Следующая", Action::StaffLine { line: next.id }));
    }
    last.push(Button::new("К заказу", Action::StaffCard { order: view.order.id }));
    screen.row(last)
}

/// How many of a line whose product is known?
pub fn ask_quantity(view: &OrderView, line: &OrderLineRow) -> Screen {
    let html = Html::text(format!("№\u{a0}{}, позиция {}: ", view.order.number, line.position))
        .bold(&line.title)
        .line()
        .italic(format!("«{}»", ru::ellipsis(line.raw.trim(), 200)))
        .line()
        .push("Сколько? Напишите число, можно с единицей.");
    Screen::new(html).row([Button::new("К заказу", Action::StaffCard { order: view.order.id })])
}

/// What a manager's search found.
pub fn found(query: &str, offers: &[Offer]) -> Screen {
    if offers.is_empty() {
        return Screen::text(format!(
            "По запросу «{}» ничего не нашлось.",
            ru::ellipsis(query, 60)
        ));
    }
    let mut html = Html::text(format!("По запросу «{}»:", ru::ellipsis(query, 60)));
    for offer in offers {
        let price = offer.price.map_or_else(|| "без цены".to_owned(), |price| price.to_string());
        let sku = if offer.sku.is_empty() { String::new() } else { format!("{} · ", offer.sku) };
        html = html.line().push(format!(
            "{sku}{} · {price} · ост. {}",
            ru::ellipsis(&offer.title, 90),
            offer.available
        ));
    }
    Screen::new(html)
}

/// A viewer's order for its owners.
pub fn approval(view: &OrderView, today: Date) -> Screen {
    let order = &view.order;
    let (id, version) = (order.id, order.revision);
    let mut html = Html::text(format!(
        "{} просит согласовать заявку №\u{a0}{}: {}",
        order.author_name,
        order.number,
        ru::positions(view.lines.len())
    ));
    if order.total > Money::ZERO {
        html = html.push(format!(", {}", order.total));
    }
    html = html.push(format!(". Доставка: {}.", order.delivery.label(today)));
    if order.status != OrderStatus::Approval {
        return Screen::new(html.line().push(order.status.client_label()));
    }
    Screen::new(html).row([
        Button::new("Отправить", Action::ApprovalSend { order: id, version }),
        Button::new("Состав", Action::OrderShow { order: id }),
        Button::new("Вернуть", Action::ApprovalReturn { order: id, version }),
    ])
}
