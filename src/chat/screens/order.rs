//! Orders as their buyers see them.

use jiff::civil::Date;

use super::basket::Scene;
use super::pager;
use crate::chat::{Action, Button, Screen};
use crate::config::Company;
use crate::domain::{Delivery, LineState, Money, OrderStatus, ru};
use crate::formats::html::Html;
use crate::services::ordering::{Changes, OrderPage, OrderView, Party};
use crate::storage::orders::{OrderLineRow, OrderRow};

/// Orders of a list on a page.
pub const ORDERS_A_PAGE: u32 = 8;

/// Lines of an order on a page: as many as surely fit into a message.
pub const LINES_A_PAGE: usize = 15;

/// What stands in the place of a sum that the buyer may not see yet.
pub const PRICES_LATER: &str = "цену подтвердит менеджер";

/// O7: the order has just been sent.
pub fn sent(order: &OrderRow, learnt: usize, company: &Company) -> Screen {
    let html = if order.status == OrderStatus::Approval {
        Html::text(format!("Заявка №\u{a0}{} ждёт согласования владельца.", order.number))
    } else {
        let sla = company.sla.as_ref().map(|sla| format!("; обычно за {sla}"));
        Html::text(format!(
            "Заявка №\u{a0}{} отправлена. Отвечаем {}{}.",
            order.number,
            company.hours,
            sla.unwrap_or_default()
        ))
    };
    let html = match learnt {
        0 => html,
        n => {
            let names = ru::count(n as u64, ["ваше название", "ваших названия", "ваших названий"]);
            html.line().push(format!("Запомнил {names}."))
        }
    };
    let mut screen = with_buttons(Screen::new(html), order);
    if learnt > 0 {
        let action = Action::OrderUnlearn { order: order.id };
        screen = screen.row([Button::new("Не запоминать", action)]);
    }
    screen
}

/// The permanent card of an order in its buyer's chat.
pub fn card(order: &OrderRow, scene: &Scene) -> Screen {
    let today = scene.zone.civil(scene.now).date();
    with_buttons(Screen::new(head(order, order.organization_verified, today)), order)
}

fn with_buttons(screen: Screen, order: &OrderRow) -> Screen {
    let (id, version) = (order.id, order.revision);
    let mut row = vec![Button::new("Открыть", Action::OrderShow { order: id })];
    if order.is_open_to_buyer() {
        row.push(Button::new("Изменить", Action::OrderEdit { order: id, version }));
    }
    if order.is_cancellable_by_buyer() {
        row.push(Button::new("Отменить", Action::OrderCancel { order: id }));
    }
    screen.row(row)
}

fn head(order: &OrderRow, sees_prices: bool, today: Date) -> Html {
    let mut html = Html::new()
        .bold(format!("Заявка №\u{a0}{}", order.number))
        .push(format!(" · {}", order.status.client_label()));
    if !order.status_reason.is_empty() {
        html = html.line().push(&order.status_reason);
    }
    let mut facts = vec![ru::positions(order.line_count as usize)];
    if !sees_prices {
        facts.push(PRICES_LATER.to_owned());
    } else if order.total > Money::ZERO {
        facts.push(order.total.to_string());
    }
    html = html.line().push(facts.join(", "));
    html = html.line().push(format!("Доставка: {}", order.delivery.label(today)));
    if !order.address.is_empty() && order.delivery != Delivery::Pickup {
        html = html.push(format!(", {}", order.address));
    }
    if !order.manager_name.is_empty() {
        html = html.line().push(format!("Менеджер: {}", order.manager_name));
    }
    html
}

/// An order with its lines, as the party may see it and what they may do with it.
pub fn whole(view: &OrderView, party: &Party, page: i64, scene: &Scene) -> Screen {
    let sees_prices = party.sees_prices;
    let today = scene.zone.civil(scene.now).date();
    let order = &view.order;
    let mut html = head(order, sees_prices, today);
    if !order.comment.is_empty() {
        html = html.line().push(format!("Комментарий: {}", order.comment));
    }
    html = html.line();
    let pages = view.lines.len().div_ceil(LINES_A_PAGE).max(1);
    let page = usize::try_from(page).unwrap_or(0).min(pages - 1);
    for line in view.lines.iter().skip(page * LINES_A_PAGE).take(LINES_A_PAGE) {
        html = html.line().append(&order_line(line, sees_prices));
    }
    let (id, version) = (order.id, order.revision);
    let mut row = vec![
        Button::new("Вопрос", Action::OrderAsk { order: id }),
        Button::new("Повторить", Action::OrderRepeat { order: id }),
    ];
    if order.is_open_to_buyer() {
        row.push(Button::new("Изменить", Action::OrderEdit { order: id, version }));
    }
    let pages = pager(page, pages, |page| Action::OrderLines { order: id, page });
    let mut screen = Screen::new(html).row(pages).row(row);
    if view.documents().next().is_some() {
        screen = screen.row([Button::new("Документы", Action::OrderDocuments { order: id })]);
    }
    let mut last = Vec::new();
    if order.is_cancellable_by_buyer() {
        last.push(Button::new("Отменить", Action::OrderCancel { order: id }));
    }
    if party.keeps_templates() && view.lines.iter().any(|line| line.product.is_some()) {
        last.push(Button::new("В шаблон", Action::TemplateAsk { order: id }));
    }
    screen = screen.row(last);
    screen.row([Button::new("К заказам", Action::Orders { page: 0 })])
}

/// One line: «✅ 1. Саморез … — 4 000 шт · 0,85 ₽», or the buyer's words.
pub fn order_line(line: &OrderLineRow, sees_prices: bool) -> Html {
    let mark = line.state.mark();
    if line.product.is_none() {
        let raw = ru::ellipsis(line.raw.trim(), 100);
        return Html::text(format!("{mark} {}. «{raw}»", line.position));
    }
    let mut html =
        Html::text(format!("{mark} {}. {}", line.position, ru::ellipsis(&line.title, 100)));
    if let Some(quantity) = line.quantity {
        let unit = if line.unit.is_empty() { &line.base_unit } else { &line.unit };
        html = html.push(format!(" — {}", quantity.with_unit(unit)));
    }
    if let (true, Some(price)) = (sees_prices, line.price) {
        html = html.push(format!(" · {price}"));
        if !line.unit.is_empty() && line.unit != line.base_unit {
            html = html.push(format!("/{}", line.base_unit));
        }
    }
    html
}

/// What to order again.
pub fn repeat(orders: &[OrderRow], usual: bool, scene: &Scene) -> Screen {
    let mut screen = Screen::text("Какую заявку повторить?");
    for order in orders {
        let date = scene.zone.date(order.created_at, scene.now);
        let lines = ru::positions(order.line_count as usize);
        let label = format!("№\u{a0}{} · {date} · {lines}", order.number);
        screen = screen.row([Button::new(label, Action::OrderRepeat { order: order.id })]);
    }
    let usual = usual.then(|| Button::new("Обычная закупка", Action::RepeatUsual));
    let templates = Button::new("Шаблоны", Action::Templates { page: 0 });
    screen.row(usual.into_iter().chain([templates]))
}

/// «3 позиции изменились: 1 нет, 2 подорожали.»
pub fn changes(changes: Changes) -> Option<String> {
    let Changes { gone, absent, dearer, cheaper } = changes;
    let total = gone + absent + dearer + cheaper;
    if total == 0 {
        return None;
    }
    let form = |n: usize, one: &str, many: &str| {
        let word = ru::plural(n as u64, [one, many, many]).to_owned();
        (n > 0).then(|| format!("{n}\u{a0}{word}"))
    };
    let parts = [
        form(gone, "снята с продажи", "сняты с продажи"),
        (absent > 0).then(|| format!("{absent}\u{a0}нет на складе")),
        form(dearer, "подорожала", "подорожали"),
        form(cheaper, "подешевела", "подешевели"),
    ];
    let parts = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let changed = ru::plural(total as u64, ["изменилась", "изменились", "изменились"]);
    Some(format!("{} {changed}: {parts}.", ru::positions(total)))
}

/// The buyer's orders. `mine`: whether only those that the person sent are shown; `None` where all
/// of them are theirs.
pub fn list(page: &OrderPage, offset: u32, mine: Option<bool>, scene: &Scene) -> Screen {
    let other = mine.map(|mine| {
        if mine {
            Button::new("Все", Action::Orders { page: 0 })
        } else {
            Button::new("Мои", Action::OrdersMine { page: 0 })
        }
    });
    if page.total == 0 && mine == Some(true) {
        return Screen::text("Ваших заказов пока нет.").row(other);
    }
    if page.total == 0 {
        return Screen::text("Заказов пока нет. Пришлите список — начнём.").row([
            Button::new("Новая заявка", Action::DraftNew),
            Button::new("Каталог", Action::CatalogRoot { page: 0 }),
        ]);
    }
    let today = scene.zone.civil(scene.now).date();
    let active = page.orders.iter().filter(|order| !order.is_over_for_buyer()).count();
    let title = if active > 0 && offset == 0 {
        "Заказы. Сверху — в работе."
    } else {
        "Заказы"
    };
    let mut screen = Screen::text(title);
    let mut orders: Vec<&OrderRow> = page.orders.iter().collect();
    orders.sort_by_key(|order| order.is_over_for_buyer());
    for order in orders {
        let label = format!(
            "№\u{a0}{} · {} · {}",
            order.number,
            order.status.client_label(),
            when(order, today, scene)
        );
        screen = screen.row([Button::new(label, Action::OrderShow { order: order.id })]);
    }
    let pages = list_pager(page.total, offset, |page| match mine {
        Some(true) => Action::OrdersMine { page },
        _ => Action::Orders { page },
    });
    screen.row(pages.into_iter().chain(other))
}

fn when(order: &OrderRow, today: Date, scene: &Scene) -> String {
    match order.delivery {
        Delivery::On(_) => order.delivery.label(today),
        Delivery::Any | Delivery::Pickup => scene.zone.date(order.created_at, scene.now),
    }
}

/// The pager of a list of so many orders, people or organizations.
pub fn list_pager(total: u32, offset: u32, action: impl Fn(i64) -> Action) -> Vec<Button> {
    let (page, pages) = (offset / ORDERS_A_PAGE, total.div_ceil(ORDERS_A_PAGE));
    pager(page as usize, pages as usize, action)
}

/// Why a buyer takes an order back.
pub const REASONS: [&str; 4] = ["Передумали", "Ошибка в заявке", "Долго ждать", "Другая причина"];

/// Why is it taken back?
pub fn cancel(order: &OrderRow) -> Screen {
    let (id, version) = (order.id, order.revision);
    let number = order.number;
    let mut screen = Screen::text(format!("Отменить заявку №\u{a0}{number}? Выберите причину."));
    let buttons: Vec<Button> = (0..)
        .zip(REASONS)
        .map(|(reason, label)| {
            Button::new(label, Action::OrderCancelYes { order: id, version, reason })
        })
        .collect();
    for pair in buttons.chunks(2) {
        screen = screen.row(pair.to_vec());
    }
    screen.row([Button::new("Оставить", Action::OrderShow { order: id })])
}

/// It is taken back.
pub fn cancelled(order: &OrderRow) -> Screen {
    let screen = Screen::text(format!("Заявка №\u{a0}{} отменена.", order.number));
    if order.manager.is_some() {
        return screen;
    }
    let action = Action::OrderRestore { order: order.id, version: order.revision };
    screen.row([Button::new("Вернуть", action)])
}

/// What the buyer is told of a status, as a new message; `None`: the card is edited in silence.
pub fn news(view: &OrderView, scene: &Scene) -> Option<Screen> {
    let order = &view.order;
    let today = scene.zone.civil(scene.now).date();
    let mut text = match order.status {
        OrderStatus::Accepted => format!("Заявка №\u{a0}{} принята.", order.number),
        OrderStatus::NeedsClient => {
            format!("По заявке №\u{a0}{} ждём вашего ответа.", order.number)
        }
        OrderStatus::Shipped => format!("Заявка №\u{a0}{} отгружена.", order.number),
        OrderStatus::Cancelled => format!("Заявка №\u{a0}{} отменена.", order.number),
        OrderStatus::Rejected => format!("Заявка №\u{a0}{} отклонена.", order.number),
        OrderStatus::Ready if order.delivery == Delivery::Pickup => {
            format!("Заявка №\u{a0}{} готова, можно забирать.", order.number)
        }
        OrderStatus::New => format!("Заявка №\u{a0}{} согласована и отправлена.", order.number),
        OrderStatus::Draft if order.is_returned() => {
            let comment = match order.status_reason.as_str() {
                "" => String::new(),
                comment => format!(": «{comment}»"),
            };
            let text = format!("Заявку №\u{a0}{} вернули{comment}.", order.number);
            let (id, version) = (order.id, order.revision);
            return Some(Screen::text(text).row([
                Button::new("Изменить", Action::OrderEdit { order: id, version }),
                Button::new("Открыть", Action::OrderShow { order: id }),
            ]));
        }
        OrderStatus::Draft
        | OrderStatus::Approval
        | OrderStatus::Picking
        | OrderStatus::Ready
        | OrderStatus::Done => return None,
    };
    if !order.status_reason.is_empty() {
        text = format!("{text} {}", order.status_reason);
    }
    if order.status == OrderStatus::Accepted {
        match order.delivery {
            Delivery::On(_) => text = format!("{text} Доставка {}.", order.delivery.label(today)),
            Delivery::Pickup => text.push_str(" Самовывоз."),
            Delivery::Any => {}
        }
        if !order.manager_name.is_empty() {
            text = format!("{text} Менеджер {}.", order.manager_name);
        }
        let waiting = view.lines.iter().filter(|line| line.state == LineState::Manager).count();
        if waiting > 0 {
            text = format!("{text} {} ещё подбираем.", ru::positions_accusative(waiting));
        }
    }
    Some(Screen::text(text).row([Button::new("Открыть", Action::OrderShow { order: order.id })]))
}

/// What came in the quiet hours.
pub fn digest(news: &[Html]) -> Screen {
    let mut html = Html::new().bold("Пока было тихо");
    for piece in news {
        html = html.line().push("• ").append(piece);
    }
    Screen::new(html).row([Button::new("Заказы", Action::Orders { page: 0 })])
}
