//! The manager's side in the chat: the queue and the card of an order.

use jiff::civil::Date;

use super::basket::{Scene, full_names, option_labels};
use super::order::{LINES_A_PAGE, list_pager, order_line};
use super::pager;
use crate::chat::{Action, Button, Screen};
use crate::config::ShowStock;
use crate::domain::{LineState, Money, OrderStatus, ru, time};
use crate::formats::html::Html;
use crate::services::accounts::StaffMember;
use crate::services::duties::Morning;
use crate::services::ordering::{OrderPage, OrderView};
use crate::services::overview::Figures;
use crate::storage::figures::Turnover;
use crate::storage::offers::Offer;
use crate::storage::orders::{OrderLineRow, OrderRow};

/// Lines that a new order's card shows.
const LINES_SHOWN: usize = 12;

/// Changes that the client has not been told of, on a card.
const UNTOLD_SHOWN: usize = 6;

/// Reasons to reject, as the manager's buttons and as the client reads them.
pub const REASONS: [(&str, &str); 4] = [
    ("Нет товара", "К сожалению, этих товаров сейчас нет."),
    ("Дубль", "Такая заявка у нас уже есть."),
    ("Задолженность", "Сначала нужно погасить задолженность."),
    ("Не обслуживаем", "Мы не сможем выполнить эту заявку."),
];

/// The card of an order for staff, with the buttons that its status allows.
///
/// `panel` is the panel's address, where there is one; `private` tells whether nobody else reads
/// along: only then the way into the panel signs in.
pub fn card(view: &OrderView, panel: Option<&str>, private: bool, scene: &Scene) -> Screen {
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
    if let Some((phone, proven)) = order.shown_phone() {
        let mark = if proven { "" } else { " (не подтверждён)" };
        html = html.push(format!(", {phone}{mark}"));
    }
    if !order.organization_verified {
        html = html.push(" · новый клиент");
    }
    if order.author_unreachable {
        html = html.push(" · бот заблокирован, сообщения не дойдут");
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
    if untold(view) {
        html = html.line().line().push("Клиент ещё не знает:");
        for change in view.unsent.iter().take(UNTOLD_SHOWN) {
            html = html.line().push(ru::ellipsis(change, 160));
        }
        if view.unsent.len() > UNTOLD_SHOWN {
            html = html.line().push(format!("…и ещё {}", view.unsent.len() - UNTOLD_SHOWN));
        }
    }
    buttons(Screen::new(html), view, panel, private)
}

/// Whether the client is to be told of changes apart from the news of a status: with «Принять»
/// they are told of everything that was picked.
fn untold(view: &OrderView) -> bool {
    let status = view.order.status;
    let taken = !matches!(status, OrderStatus::New | OrderStatus::NeedsClient);
    taken && !status.is_final() && !view.unsent.is_empty()
}

/// «Новая · 14:05», «В работе: Мария, 14:07»
fn standing(order: &OrderRow, scene: &Scene) -> Html {
    let at = scene.zone.date_time(order.created_at, scene.now);
    let html = match (order.status, order.manager_name.as_str()) {
        (status, "") => Html::text(format!("{} · {at}", status.staff_label())),
        (status, name) if status.is_final() => {
            Html::text(format!("{} · {name}", status.staff_label()))
        }
        (status, name) => {
            let taken = order.taken_at.map(|at| scene.zone.date_time(at, scene.now));
            let since = taken.map(|at| format!(", {at}")).unwrap_or_default();
            let stage = match status {
                OrderStatus::New | OrderStatus::Accepted => String::new(),
                status => format!("{} · ", status.staff_label()),
            };
            Html::text(format!("{stage}В работе: {name}{since}"))
        }
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
    let html = if line.is_uncounted() { html.push(" · в чём считать?") } else { html };
    match line.product.and_then(|id| view.offer(id)) {
        Some(offer) => html.push(format!(" · ост. {}", offer.available)),
        None => html,
    }
}

fn buttons(screen: Screen, view: &OrderView, panel: Option<&str>, private: bool) -> Screen {
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
        if untold(view) {
            let action = Action::StaffTell { order: id, version };
            screen = screen.row([Button::new("Отправить изменения", action)]);
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
        screen = screen.row([
            Button::new("Написать", Action::StaffWrite { order: id }),
            Button::new("Дата", Action::StaffDates { order: id }),
            Button::new("Документ", Action::StaffDocument { order: id }),
        ]);
        screen = screen.row([
            Button::new("Предложить замену", Action::StaffReplace { order: id }),
            Button::new("Передать коллеге", Action::StaffColleagues { order: id }),
        ]);
    }
    let mut last = vec![Button::new("Состав", Action::StaffOrder { order: id })];
    match panel {
        // A link that signs in must not be read by others.
        Some(_) if private => {
            last.push(Button::new("Открыть в панели", Action::StaffPanel { order: id }));
        }
        Some(url) => {
            let url = format!("{url}/admin/orders/{}", order.number);
            last.push(Button::link("Открыть в панели", url));
        }
        None => {}
    }
    screen.row(last)
}

/// All lines of an order, with the buyer's own words.
pub fn composition(view: &OrderView, page: i64) -> Screen {
    let order = &view.order;
    let mut html = Html::new().bold(format!("№\u{a0}{}, состав", order.number));
    let pages = view.lines.len().div_ceil(LINES_A_PAGE).max(1);
    let page = usize::try_from(page).unwrap_or(0).min(pages - 1);
    for line in view.lines.iter().skip(page * LINES_A_PAGE).take(LINES_A_PAGE) {
        html = html.line().append(&staff_line(view, line));
        if line.product.is_some() {
            let raw = ru::ellipsis(line.raw.trim(), 60);
            html = html.line().push("     ").italic(format!("«{raw}»"));
        }
    }
    let id = order.id;
    Screen::new(html).row(pager(page, pages, |page| Action::StaffLines { order: id, page }))
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
    screen.row(list_pager(page.total, offset, |page| {
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

/// What the client will read; `send` is what the button does.
pub fn reject_preview(order: &OrderRow, text: &str, send: Action) -> Screen {
    let html = Html::text("Клиент прочитает:")
        .line()
        .italic(format!("Заявка №\u{a0}{} отклонена. {text}", order.number));
    Screen::new(html).row([
        Button::new("Отправить", send),
        Button::new("Назад", Action::StaffReject { order: order.id }),
    ])
}

/// Products for an unresolved line. `remember`: the client's words are learnt for the choice.
pub fn resolve(
    view: &OrderView,
    line: &OrderLineRow,
    found: Option<&[Offer]>,
    remember: bool,
) -> Screen {
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
        (false, _) => "Выберите товар или напишите, что искать.",
    });
    let shown: Vec<&Offer> = candidates.into_iter().take(8).collect();
    let labels = option_labels(&shown, true, ShowStock::Exact);
    let mut screen = Screen::new(full_names(html, &shown, &labels));
    for (offer, label) in shown.into_iter().zip(labels) {
        let action = Action::StaffPick { line: id, version, product: offer.id };
        screen = screen.row([Button::new(label, action)]);
    }
    if !line.phrase.is_empty() {
        let mark = if remember { "☑" } else { "☐" };
        let label = format!("{mark} Запомнить для {}", view.order.organization_name);
        let toggle = Action::StaffRemember { line: id };
        screen = screen.row([Button::new(ru::ellipsis(&label, 40), toggle)]);
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
        .push(how_many(view, line));
    Screen::new(html).row([Button::new("К заказу", Action::StaffCard { order: view.order.id })])
}

/// «Сколько?», or in which of the product's units where the client's is none of them.
fn how_many(view: &OrderView, line: &OrderLineRow) -> String {
    let offer = line.product.and_then(|product| view.offer(product));
    let (true, Some(offer)) = (line.is_uncounted(), offer) else {
        return "Сколько? Напишите число, можно с единицей.".to_owned();
    };
    let base = offer.unit.as_str();
    let packs = offer.packs.iter().map(|(pack, of)| format!("{pack} ({})", of.with_unit(base)));
    let units: Vec<String> = std::iter::once(base.to_owned()).chain(packs).collect();
    format!(
        "В «{}» этот товар не считают. Напишите число с единицей: {}.",
        line.unit,
        units.join(", ")
    )
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
    if order.total > Money::ZERO && order.organization_verified {
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

/// What is to be put right in a viewer's order?
pub fn return_comment(order: &OrderRow, version: i64) -> Screen {
    let id = order.id;
    Screen::text(format!(
        "Что поправить в заявке №\u{a0}{}? Напишите, {} прочитает.",
        order.number, order.author_name
    ))
    .row([Button::new("Вернуть без слов", Action::ApprovalReturnYes { order: id, version })])
    .row([Button::new("Назад", Action::ApprovalShow { order: id })])
}

/// Days to move the delivery to: the next ten working days.
pub fn dates(order: &OrderRow, today: Date) -> Screen {
    let (id, version) = (order.id, order.revision);
    let mut screen = Screen::text(format!(
        "№\u{a0}{}, доставка: {}. На какой день перенести? Можно написать: «в пятницу».",
        order.number,
        order.delivery.label(today)
    ));
    let mut days: Vec<Button> = Vec::new();
    for ahead in 0..16_i64 {
        let Ok(date) = today.checked_add(jiff::Span::new().days(ahead)) else { break };
        if date.weekday().to_monday_zero_offset() < 5 && days.len() < 9 {
            let label = time::weekday_date(date, today);
            days.push(Button::new(label, Action::StaffDate { order: id, version, days: ahead }));
        }
    }
    for row in days.chunks(3) {
        screen = screen.row(row.to_vec());
    }
    screen.row([Button::new("К заказу", Action::StaffCard { order: id })])
}

/// Whom to give the order to.
pub fn colleagues(order: &OrderRow, others: &[StaffMember]) -> Screen {
    let id = order.id;
    let text = if others.is_empty() {
        "Передать некому: других сотрудников пока нет.".to_owned()
    } else {
        format!("Кому передать заявку №\u{a0}{}?", order.number)
    };
    let mut screen = Screen::text(text);
    for other in others.iter().take(7) {
        let shift = if other.on_shift { "" } else { " · не на смене" };
        let label = ru::ellipsis(&format!("{}{shift}", other.name), 40);
        screen =
            screen.row([Button::new(label, Action::StaffPass { order: id, person: other.id })]);
    }
    screen.row([Button::new("К заказу", Action::StaffCard { order: id })])
}

/// For which line to propose another product?
pub fn replaceable(view: &OrderView) -> Screen {
    let order = &view.order;
    let mut screen =
        Screen::text(format!("№\u{a0}{}: для какой позиции предложить замену?", order.number));
    for line in view.lines.iter().take(20) {
        let words = if line.title.is_empty() { line.raw.trim() } else { &line.title };
        let label = ru::ellipsis(&format!("{}. {words}", line.position), 40);
        screen = screen.row([Button::new(label, Action::StaffReplaceLine { line: line.id })]);
    }
    screen.row([Button::new("К заказу", Action::StaffCard { order: order.id })])
}

/// What to propose for a line?
pub fn propose(view: &OrderView, line: &OrderLineRow, offers: &[Offer]) -> Screen {
    let (id, version) = (line.id, view.order.revision);
    let words = if line.title.is_empty() { line.raw.trim() } else { &line.title };
    let html =
        Html::text(format!("№\u{a0}{}, позиция {}: вместо ", view.order.number, line.position))
            .bold(format!("«{}»", ru::ellipsis(words, 200)));
    let shown: Vec<&Offer> =
        offers.iter().filter(|offer| Some(offer.id) != line.product).take(7).collect();
    let html = html.line().push(if shown.is_empty() {
        "Ничего не нашлось. Напишите, что искать в каталоге."
    } else {
        "Выберите, что предложить, или напишите, что искать. Клиент ответит кнопкой."
    });
    let labels = option_labels(&shown, true, ShowStock::Exact);
    let mut screen = Screen::new(full_names(html, &shown, &labels));
    for (offer, label) in shown.into_iter().zip(labels) {
        let action = Action::StaffPropose { line: id, version, product: offer.id };
        screen = screen.row([Button::new(label, action)]);
    }
    screen.row([Button::new("К заказу", Action::StaffCard { order: view.order.id })])
}

/// The way into the panel: once, within a minute.
pub fn panel_link(url: &str, token: &str, order: &OrderRow) -> Screen {
    let url = format!("{url}/admin/enter/{token}?order={}", order.number);
    Screen::text("Ссылка в панель работает минуту и один раз.")
        .row([Button::link(format!("Открыть №\u{a0}{}", order.number), url)])
}

/// «Ещё»: the shift, figures, settings.
pub fn more(figures: &Figures, on_shift: bool, admin: bool) -> Screen {
    let sum = |turnover: &Turnover| {
        let orders = ru::count(u64::from(turnover.orders), ["заказ", "заказа", "заказов"]);
        if turnover.total > Money::ZERO { format!("{orders}, {}", turnover.total) } else { orders }
    };
    let mut html = Html::text(format!("Сегодня: {}", sum(&figures.today)))
        .line()
        .push(format!("За 7\u{a0}дней: {}", sum(&figures.week)));
    let lines = u64::from(figures.week.lines);
    let by_itself = lines.saturating_sub(u64::from(figures.week.by_hand));
    if let Some(known) = (by_itself * 100).checked_div(lines) {
        html = html.line().push(format!("Распознано без менеджера: {known}\u{a0}%"));
    }
    if let Some(wait) = figures.median_wait {
        html = html.line().push(format!("Обычно берём в работу за: {}", time::ago(wait)));
    }
    html = html.line().push(format!(
        "Доставки: сегодня {}, завтра {}",
        figures.deliveries_today, figures.deliveries_tomorrow
    ));
    let shift = if on_shift { "На смене ✓" } else { "Не на смене" };
    let mut screen = Screen::new(html).row([
        Button::new(shift, Action::StaffShift { on: i64::from(!on_shift) }),
        Button::new("Уведомления", Action::Notices),
    ]);
    let mut last =
        vec![Button::new("Аккаунт", Action::Account), Button::new("Помощь", Action::Help)];
    if admin {
        last.push(Button::new("Администратору", Action::Admin));
    }
    screen = screen.row(last);
    screen
}

/// An order that nobody has taken for long.
pub fn order_waits(order: &OrderRow, scene: &Scene) -> Screen {
    let waits = time::ago(scene.now.since(order.created_at));
    Screen::text(format!(
        "Заявка №\u{a0}{} · {} ждёт уже {waits}. Её никто не взял.",
        order.number, order.organization_name
    ))
    .row([
        Button::new("Принять", Action::StaffAccept { order: order.id, version: order.revision }),
        Button::new("Открыть", Action::StaffCard { order: order.id }),
    ])
}

/// What the day begins with.
pub fn morning(morning: &Morning, today: Date) -> Screen {
    let mut html = Html::new().bold(format!("Доброе утро, {}", time::weekday_date(today, today)));
    let new = match (morning.new, morning.overdue) {
        (0, _) => "Новых заявок нет".to_owned(),
        (new, 0) => format!("Новые заявки: {new}"),
        (new, overdue) => format!("Новые заявки: {new}, из них ждут больше часа: {overdue}"),
    };
    html = html.line().push(new);
    html = html.line().push(match morning.questions {
        0 => "Все вопросы отвечены".to_owned(),
        questions => format!("Вопросы без ответа: {questions}"),
    });
    html = html.line().push(match morning.deliveries {
        0 => "Доставок сегодня нет".to_owned(),
        deliveries => format!("Доставки сегодня: {deliveries}"),
    });
    if morning.yesterday.orders > 0 {
        let orders = ru::count(u64::from(morning.yesterday.orders), ["заказ", "заказа", "заказов"]);
        html = html.line().push(format!("Вчера: {orders}, {}", morning.yesterday.total));
    }
    Screen::new(html).row([
        Button::new("Новые", Action::StaffQueue { page: 0 }),
        Button::new("Вопросы", Action::Threads),
    ])
}
