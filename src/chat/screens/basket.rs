//! The two cards of a draft: the list, and the desk with one question or the summary.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::chat::{Action, Button, Screen};
use crate::config::ShowStock;
use crate::domain::{Delivery, LineState, Price, Quantity, Timestamp, Zone, ru, time};
use crate::formats::html::Html;
use crate::services::ordering::{DraftLine, DraftView, Need};
use crate::storage::offers::Offer;
use crate::storage::organizations::AddressRow;

/// Lines of card 1 on a page.
pub const LINES_A_PAGE: usize = 12;

/// Options of card 2 on a page.
const OPTIONS_A_PAGE: usize = 6;

/// Options above which the attribute that parts them is asked first.
const MANY_OPTIONS: usize = 8;

/// The longest label of an option, in characters.
const OPTION_LABEL: usize = 40;

/// What the cards need to know besides the draft.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The present moment.
    pub now: Timestamp,
    /// The company's zone.
    pub zone: Zone,
    /// How stock is shown.
    pub show_stock: ShowStock,
}

impl Scene {
    fn today(&self) -> Date {
        self.zone.civil(self.now).date()
    }
}

/// How many pages card 1 has.
pub fn pages(view: &DraftView) -> usize {
    view.lines.len().div_ceil(LINES_A_PAGE).max(1)
}

/// Card 1: the list.
pub fn list(view: &DraftView, page: usize, scene: &Scene) -> Screen {
    let page = page.min(pages(view) - 1);
    let title = match (view.draft.edits.is_some(), view.organization_name.as_str()) {
        (true, _) => "Изменение заявки".to_owned(),
        (false, "") => "Черновик заявки".to_owned(),
        (false, name) => format!("Черновик заявки · {name}"),
    };
    let mut html = Html::new().bold(title).line().push(summary(view)).line();
    for line in view.lines.iter().skip(page * LINES_A_PAGE).take(LINES_A_PAGE) {
        html = html.line().append(&list_line(line, view.sees_prices, scene));
    }
    html = html.line();
    if pages(view) > 1 {
        html = html.line().push(format!("Страница {} из {}", page + 1, pages(view)));
    }
    if view.sees_prices && view.count(LineState::Ok) > 0 {
        html = html.line().push(format!("Сумма по прайсу: {}", view.total())).push(without(view));
    }
    let at = scene.zone.date_time(scene.now, scene.now);
    let date = scene.zone.date(scene.now, scene.now);
    let prices = if view.sees_prices { "Цены и остатки" } else { "Остатки" };
    Screen::new(html.line().push(format!("{prices} на {date}, {at}")))
}

/// «7 позиций: ✅ 5 · ❓ 1 · ❌ 1»
fn summary(view: &DraftView) -> String {
    let states =
        [LineState::Ok, LineState::Ask, LineState::None, LineState::Manager, LineState::Gone];
    let counts = states.into_iter().filter_map(|state| {
        let count = view.count(state);
        (count > 0).then(|| format!("{}\u{a0}{count}", state.mark()))
    });
    let counts = counts.collect::<Vec<_>>().join(" · ");
    format!("{}: {counts}", ru::positions(view.lines.len()))
}

/// « без ❓ ❌»
fn without(view: &DraftView) -> String {
    let states = [LineState::Ask, LineState::None, LineState::Manager, LineState::Gone];
    let marks: Vec<_> =
        states.into_iter().filter(|s| view.count(*s) > 0).map(LineState::mark).collect();
    if marks.is_empty() { String::new() } else { format!(" без {}", marks.join(" ")) }
}

fn list_line(line: &DraftLine, sees_prices: bool, scene: &Scene) -> Html {
    let row = &line.row;
    let raw = ru::ellipsis(row.raw.trim(), 80);
    let name = match &line.offer {
        Some(offer) => ru::ellipsis(&offer.title, 120),
        None => raw.clone(),
    };
    let mut html = Html::text(format!("{} {}. {name}", row.state.mark(), row.position));
    // Without a product the buyer's words stand in its place, the quantity among them.
    if line.offer.is_some()
        && let Some(amount) = line.amount()
    {
        html = html.push(format!(" — {amount}"));
    }
    if let Some(offer) = &line.offer {
        if sees_prices {
            let foreign = line.unit() != offer.unit.as_str();
            html = html.push(match offer.price {
                // «2 рул · 18,60 ₽/м»: the price is of the base unit.
                Some(price) if foreign => format!(" · {price}/{}", offer.unit),
                Some(price) => format!(" · {price}"),
                None => " · цену подтвердит менеджер".to_owned(),
            });
        }
        if let Some(mark) = stock_mark(offer, line.base, scene.show_stock) {
            html = html.push(format!(" · {mark}"));
        }
    }
    let hint = match line.need() {
        Need::Product => Some(options_hint(line)),
        Need::Words => Some("не нашёл в каталоге".to_owned()),
        Need::Quantity => Some("сколько?".to_owned()),
        Need::Multiple(multiple) => Some(format!("кратно {multiple}")),
        Need::Replacement => Some("снят с продажи".to_owned()),
        Need::Nothing if row.state == LineState::Manager => Some("подберёт менеджер".to_owned()),
        Need::Nothing => None,
    };
    if line.offer.is_some() && !same_words(&raw, &name) {
        html = html.line().push(format!("     «{raw}»"));
    }
    match hint {
        Some(hint) => html.line().push("     ").italic(hint),
        None => html,
    }
}

fn options_hint(line: &DraftLine) -> String {
    let asked = line
        .question
        .as_ref()
        .map(|question| question.options.iter().map(|option| option.products.len()).sum::<usize>());
    let count = asked.unwrap_or(0).max(line.options.len());
    format!("{}, уточним", ru::count(count as u64, ["вариант", "варианта", "вариантов"]))
}

fn same_words(a: &str, b: &str) -> bool {
    let words =
        |text: &str| text.to_lowercase().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    words(a) == words(b)
}

/// «нет на складе», «мало: 300 из 4 000»; `None` when there is enough or stock is not shown.
fn stock_mark(offer: &Offer, wanted: Option<Quantity>, show: ShowStock) -> Option<String> {
    let short = wanted.is_some_and(|wanted| offer.available < wanted);
    match show {
        ShowStock::Off => None,
        _ if !offer.available.is_positive() => Some("нет на складе".to_owned()),
        ShowStock::Exact if short => {
            let wanted = wanted.unwrap_or_default();
            Some(format!("мало: {} из {wanted}", offer.available))
        }
        ShowStock::Level if short => Some("мало".to_owned()),
        ShowStock::Exact | ShowStock::Level => None,
    }
}

/// Card 2, the summary. `note` stands above it: what has just happened.
pub fn review(view: &DraftView, page: usize, note: Option<&str>, undo: bool) -> Screen {
    let (draft, version) = (view.draft.id, view.draft.revision);
    let unresolved = view.unresolved().count();
    let status = match unresolved {
        0 if view.count(LineState::Manager) > 0 => {
            "Остальное распознано, можно отправлять.".to_owned()
        }
        0 => "Всё распознано, можно отправлять.".to_owned(),
        n => format!("Нужно уточнить {}.", ru::positions_accusative(n)),
    };
    let html = match note {
        Some(note) => Html::text(note).line().push(status),
        None => Html::text(status),
    };
    let mut screen = Screen::new(html);
    if undo {
        let action = Action::DraftUndoAdd { draft, version };
        screen = screen.row([Button::new("Отменить добавление", action)]);
    }
    if unresolved > 0 {
        let label = format!("Уточнить {}", ru::positions_accusative(unresolved));
        screen = screen.row([Button::new(label, Action::DraftClarify { draft, version })]);
    }
    screen = screen.row([
        Button::new("Оформить", Action::Checkout { draft }),
        Button::new("Позиции", Action::DraftLines { draft, page: as_arg(page) }),
    ]);
    screen = screen.row([Button::new("Всё менеджеру", Action::DraftHandover { draft })]);
    let mut last = pager(page, pages(view), |page| Action::DraftPage { draft, page });
    last.push(Button::new("Очистить", Action::DraftClear { draft, version }));
    screen.row(last)
}

fn as_arg(page: usize) -> i64 {
    i64::try_from(page).unwrap_or(0)
}

/// «‹ 2/5 ›»; nothing for one page.
fn pager(page: usize, pages: usize, action: impl Fn(i64) -> Action) -> Vec<Button> {
    if pages < 2 {
        return Vec::new();
    }
    let back = (page + pages - 1) % pages;
    let next = (page + 1) % pages;
    vec![
        Button::new("‹", action(as_arg(back))),
        Button::new(format!("{}/{pages} ›", page + 1), action(as_arg(next))),
    ]
}

/// Card 2 for one line: the question that the line needs answered.
pub fn clarify(view: &DraftView, line: &DraftLine, page: usize, scene: &Scene) -> Screen {
    match line.need() {
        Need::Quantity => quantity(view, line),
        Need::Multiple(multiple) => multiple_of(view, line, multiple),
        Need::Product if asks_attribute(line) => attribute(view, line),
        Need::Product => options(view, line, page, scene),
        Need::Words | Need::Replacement => nothing_found(view, line, scene),
        Need::Nothing => self::line(view, line, scene),
    }
}

fn heading(view: &DraftView, line: &DraftLine) -> Html {
    let raw = ru::ellipsis(line.row.raw.trim(), 120);
    let head = format!("Позиция {} из {}: ", line.row.position, view.lines.len());
    let html = Html::text(head).bold(format!("«{raw}»"));
    match (line.amount(), line.row.raw.contains(char::is_numeric)) {
        (Some(amount), false) => html.push(format!(" — {amount}")),
        _ => html,
    }
}

fn asks_attribute(line: &DraftLine) -> bool {
    line.question.as_ref().is_some_and(|question| {
        let products: usize = question.options.iter().map(|option| option.products.len()).sum();
        products > MANY_OPTIONS && question.options.len() > 1
    })
}

fn attribute(view: &DraftView, line: &DraftLine) -> Screen {
    let (id, version) = (line.row.id, view.draft.revision);
    let Some(question) = &line.question else { return Screen::text("") };
    let ask = match question.attribute.as_str() {
        "" => "Что из этого?".to_owned(),
        attribute => which(attribute),
    };
    let mut screen = Screen::new(heading(view, line).line().push(ask));
    let buttons: Vec<Button> = question
        .options
        .iter()
        .take(12)
        .enumerate()
        .map(|(index, option)| {
            let label = format!("{} · {}", ru::ellipsis(&option.label, 12), option.products.len());
            Button::new(label, Action::LineNarrow { line: id, version, option: as_arg(index) })
        })
        .collect();
    for pair in buttons.chunks(2) {
        screen = screen.row(pair.to_vec());
    }
    footer(screen, view, line)
}

/// «Какой цвет?», «Какая плотность?», «Какое покрытие?»
fn which(attribute: &str) -> String {
    let word = match attribute.split(' ').next().unwrap_or_default() {
        w if w.ends_with('а') || w.ends_with('я') || w.ends_with("сть") => "Какая",
        w if w.ends_with('о') || w.ends_with('е') => "Какое",
        w if w.ends_with('ы') || w.ends_with('и') => "Какие",
        _ => "Какой",
    };
    format!("{word} {attribute}?")
}

fn options(view: &DraftView, line: &DraftLine, page: usize, scene: &Scene) -> Screen {
    let pages = line.options.len().div_ceil(OPTIONS_A_PAGE).max(1);
    let page = page.min(pages - 1);
    let screen = Screen::new(heading(view, line).line().push("Какая из них?"));
    let screen = option_rows(screen, view, line, page, scene);
    let id = line.row.id;
    let screen = screen.row(pager(page, pages, |page| Action::LineOptions { line: id, page }));
    footer(screen, view, line)
}

fn option_rows(
    mut screen: Screen,
    view: &DraftView,
    line: &DraftLine,
    page: usize,
    scene: &Scene,
) -> Screen {
    let shown: Vec<&Offer> =
        line.options.iter().skip(page * OPTIONS_A_PAGE).take(OPTIONS_A_PAGE).collect();
    let labels = option_labels(&shown, view.sees_prices, scene.show_stock);
    screen.html = full_names(screen.html, &shown, &labels);
    for (offer, label) in shown.into_iter().zip(labels) {
        let action =
            Action::LinePick { line: line.row.id, version: view.draft.revision, product: offer.id };
        screen = screen.row([Button::new(label, action)]);
    }
    screen
}

/// Labels of at most forty characters that still tell the options apart: words that all of them
/// begin with are left out first, then the end is cut.
pub fn option_labels(offers: &[&Offer], prices: bool, show: ShowStock) -> Vec<String> {
    let tail = |offer: &Offer| {
        let price = offer.price.filter(|_| prices).map(|price| format!(" · {}", short(price)));
        let gone = show != ShowStock::Off && !offer.available.is_positive();
        format!("{}{}", price.unwrap_or_default(), if gone { " · нет" } else { "" })
    };
    let fits = |text: &str| text.chars().count() <= OPTION_LABEL;
    let whole: Vec<String> =
        offers.iter().map(|offer| format!("{}{}", offer.title, tail(offer))).collect();
    if whole.iter().all(|label| fits(label)) {
        return whole;
    }
    let common = common_words(offers);
    offers
        .iter()
        .map(|offer| {
            let words: Vec<&str> = offer.title.split_whitespace().skip(common).collect();
            let title = match common {
                0 => offer.title.clone(),
                _ => format!("…{}", words.join(" ")),
            };
            let tail = tail(offer);
            let room = OPTION_LABEL.saturating_sub(tail.chars().count());
            format!("{}{tail}", ru::ellipsis(&title, room))
        })
        .collect()
}

/// The whole names of the options below the text, where the buttons have no room for them.
pub fn full_names(html: Html, offers: &[&Offer], labels: &[String]) -> Html {
    if !labels.iter().any(|label| label.contains('…')) {
        return html;
    }
    offers
        .iter()
        .fold(html, |html, offer| html.line().push("• ").push(ru::ellipsis(&offer.title, 120)))
}

/// The price without needless kopecks: «1 450 ₽».
fn short(price: Price) -> String {
    price.to_string().replace(",00\u{a0}", "\u{a0}")
}

fn common_words(offers: &[&Offer]) -> usize {
    let Some(first) = offers.first().filter(|_| offers.len() > 1) else { return 0 };
    let shared = |index: usize, word: &str| {
        offers.iter().all(|offer| {
            let mut words = offer.title.split_whitespace();
            words.nth(index) == Some(word) && words.next().is_some()
        })
    };
    first.title.split_whitespace().enumerate().take_while(|(i, word)| shared(*i, word)).count()
}

fn footer(screen: Screen, view: &DraftView, line: &DraftLine) -> Screen {
    let (id, version) = (line.row.id, view.draft.revision);
    screen
        .row([
            Button::new("Нет в списке", Action::LineRewrite { line: id }),
            Button::new("Менеджеру", Action::LineManager { line: id, version }),
        ])
        .row([
            Button::new("Пропустить", Action::LineSkip { line: id }),
            Button::new("К заявке", Action::DraftReview { draft: view.draft.id }),
        ])
}

fn nothing_found(view: &DraftView, line: &DraftLine, scene: &Scene) -> Screen {
    let (id, version) = (line.row.id, view.draft.revision);
    let said = match (line.need(), line.options.is_empty()) {
        (Need::Replacement, true) => "Этот товар снят с продажи.",
        (Need::Replacement, false) => "Этот товар снят с продажи. Похожие:",
        (_, true) => "Не нашёл в каталоге.",
        (_, false) => "Не нашёл в каталоге. Ближайшие:",
    };
    let mut screen = Screen::new(heading(view, line).line().push(said));
    let nearest: Vec<&Offer> = line.options.iter().take(3).collect();
    let labels = option_labels(&nearest, view.sees_prices, scene.show_stock);
    screen.html = full_names(screen.html, &nearest, &labels);
    for (offer, label) in nearest.into_iter().zip(labels) {
        let action = Action::LinePick { line: id, version, product: offer.id };
        screen = screen.row([Button::new(label, action)]);
    }
    screen
        .row([
            Button::new("Написать иначе", Action::LineRewrite { line: id }),
            Button::new("Менеджеру", Action::LineManager { line: id, version }),
        ])
        .row([
            Button::new("Убрать", Action::LineRemove { line: id, version }),
            Button::new("Пропустить", Action::LineSkip { line: id }),
        ])
}

fn quantity(view: &DraftView, line: &DraftLine) -> Screen {
    let (id, version) = (line.row.id, view.draft.revision);
    let name = line.offer.as_ref().map(|offer| offer.title.clone()).unwrap_or_default();
    let html = heading(view, line).line().push(name).line().push("Сколько? Напишите число.");
    let mut screen = Screen::new(html);
    if let Some(offer) = &line.offer {
        let mut buttons: Vec<Button> = offer
            .packs
            .iter()
            .take(2)
            .map(|(unit, coefficient)| {
                let label =
                    format!("1\u{a0}{unit} ({})", coefficient.with_unit(offer.unit.as_str()));
                let quantity = coefficient.thousandths();
                Button::new(label, Action::LineSet { line: id, version, quantity })
            })
            .collect();
        if buttons.is_empty() {
            buttons = [1, 10, 100]
                .into_iter()
                .map(|n| {
                    let quantity = Quantity::whole(n);
                    let label = quantity.with_unit(offer.unit.as_str());
                    let quantity = quantity.thousandths();
                    Button::new(label, Action::LineSet { line: id, version, quantity })
                })
                .collect();
        }
        screen = screen.row(buttons);
    }
    screen
        .row([
            Button::new("Убрать", Action::LineRemove { line: id, version }),
            Button::new("Менеджеру", Action::LineManager { line: id, version }),
        ])
        .row([
            Button::new("Пропустить", Action::LineSkip { line: id }),
            Button::new("К заявке", Action::DraftReview { draft: view.draft.id }),
        ])
}

fn multiple_of(view: &DraftView, line: &DraftLine, multiple: Quantity) -> Screen {
    let (id, version) = (line.row.id, view.draft.revision);
    let base = line.base.or(line.row.quantity).unwrap_or_default();
    let step = multiple.thousandths().max(1);
    let down = base.thousandths().div_euclid(step) * step;
    let up = down + step;
    let button = |thousandths: i64| {
        let label = Quantity::from_thousandths(thousandths).to_string();
        Button::new(label, Action::LineSet { line: id, version, quantity: thousandths })
    };
    let suggestion = Quantity::from_thousandths(up);
    let name = line.offer.as_ref().map(|offer| offer.title.clone()).unwrap_or_default();
    let html = Html::text(format!("{}. {name}", line.row.position))
        .line()
        .push(format!("Продаётся по {multiple}. Сделать {suggestion}?"));
    let mut numbers = vec![button(up)];
    if down > 0 {
        numbers.push(button(down));
    }
    Screen::new(html)
        .row(numbers)
        .row([Button::new("Оставить, решит менеджер", Action::LineKeep { line: id, version })])
        .row([Button::new("К заявке", Action::DraftReview { draft: view.draft.id })])
}

/// Card 2: buttons for the lines of the page of card 1.
pub fn lines(view: &DraftView, page: usize) -> Screen {
    let draft = view.draft.id;
    let page = page.min(pages(view) - 1);
    let mut screen = Screen::text("Какую позицию открыть?");
    let buttons: Vec<Button> = view
        .lines
        .iter()
        .skip(page * LINES_A_PAGE)
        .take(LINES_A_PAGE)
        .map(|line| {
            let label = format!("{}\u{a0}{}", line.row.position, line.row.state.mark());
            Button::new(label, Action::LineShow { line: line.row.id })
        })
        .collect();
    for row in buttons.chunks(6) {
        screen = screen.row(row.to_vec());
    }
    screen
        .row(pager(page, pages(view), |page| Action::DraftLines { draft, page }))
        .row([Button::new("К заявке", Action::DraftReview { draft })])
}

/// Card 2: one line with its product and quantity.
pub fn line(view: &DraftView, line: &DraftLine, scene: &Scene) -> Screen {
    let (id, version) = (line.row.id, view.draft.revision);
    let Some(offer) = &line.offer else { return open_line(view, line) };
    let article =
        if offer.sku.is_empty() { String::new() } else { format!(", арт. {}", offer.sku) };
    let mut facts: Vec<String> = line.amount().into_iter().collect();
    if let Some((unit, coefficient)) = offer.packs.first() {
        facts.push(format!("{unit} — {}", coefficient.with_unit(offer.unit.as_str())));
    }
    match scene.show_stock {
        ShowStock::Exact => facts.push(format!("на складе {}", offer.available)),
        ShowStock::Level if offer.available.is_positive() => {
            facts.push("есть на складе".to_owned());
        }
        ShowStock::Level => facts.push("нет на складе".to_owned()),
        ShowStock::Off => {}
    }
    if view.sees_prices {
        facts.extend(offer.price.map(|price| price.to_string()));
    }
    let html = Html::text(format!("{}. ", line.row.position))
        .bold(&offer.title)
        .push(article)
        .line()
        .push(facts.join(" · "))
        .line()
        .italic(format!("«{}»", ru::ellipsis(line.row.raw.trim(), 200)));
    let pack = offer.packs.first().map_or(Quantity::whole(10), |(_, coefficient)| *coefficient);
    let tenth = Quantity::from_thousandths((pack.thousandths() / 10).max(1_000) / 1_000 * 1_000);
    let step = |quantity: Quantity, sign: i64| {
        let by = quantity.thousandths() * sign;
        let label = format!("{}{quantity}", if sign < 0 { "−" } else { "+" });
        Button::new(label, Action::LineStep { line: id, version, by })
    };
    Screen::new(html)
        .row([step(pack, -1), step(tenth, -1), step(tenth, 1), step(pack, 1)])
        .row([Button::new("Ввести число", Action::LineQuantity { line: id })])
        .row([
            Button::new("Заменить товар", Action::LineReplace { line: id }),
            Button::new("Убрать", Action::LineRemove { line: id, version }),
        ])
        .row([Button::new("Готово", Action::DraftReview { draft: view.draft.id })])
}

fn open_line(view: &DraftView, line: &DraftLine) -> Screen {
    let (id, version) = (line.row.id, view.draft.revision);
    Screen::new(heading(view, line).line().push("Подберёт менеджер."))
        .row([
            Button::new("Написать иначе", Action::LineRewrite { line: id }),
            Button::new("Убрать", Action::LineRemove { line: id, version }),
        ])
        .row([Button::new("К заявке", Action::DraftReview { draft: view.draft.id })])
}

/// Card 2: all of it to a manager?
pub fn handover(view: &DraftView) -> Screen {
    let (draft, version) = (view.draft.id, view.draft.revision);
    Screen::text("Передать список как есть? Менеджер разберёт и пришлёт вам на проверку.").row([
        Button::new("Передать", Action::DraftHandoverYes { draft, version }),
        Button::new("Назад", Action::DraftReview { draft }),
    ])
}

/// Card 2: checkout. `sends`: whether the person sends, or asks an owner.
pub fn checkout(view: &DraftView, note: Option<&str>, sends: bool, scene: &Scene) -> Screen {
    let (draft, version) = (view.draft.id, view.draft.revision);
    let sum = if view.sees_prices && view.count(LineState::Ok) > 0 {
        format!(", {}", view.total())
    } else {
        String::new()
    };
    let mut html = Html::new();
    if let Some(note) = note {
        html = html.push(note).line().line();
    }
    html = html
        .bold(format!("Оформление: {}{sum}", ru::positions(view.lines.len())))
        .line()
        .push(format!("Доставка: {}", view.draft.delivery.label(scene.today())));
    if view.draft.delivery != Delivery::Pickup {
        html = html.line().push(format!("Адрес: {}", or_dash(&view.draft.address)));
    }
    html = html.line().push(format!("Комментарий: {}", or_dash(&view.draft.comment)));
    let open = view.lines.iter().filter(|line| line.row.state != LineState::Ok).count();
    if open > 0 {
        html = html.line().push(format!("{} подберёт менеджер.", ru::positions_accusative(open)));
    }
    if !sends {
        html = html.line().push("Заявка уйдёт на согласование владельцу организации.");
    }
    let send = match (sends, view.draft.edits) {
        (true, Some(_)) => "Сохранить",
        (true, None) => "Отправить",
        (false, _) => "На согласование",
    };
    Screen::new(html)
        .row([Button::new(send, Action::CheckoutSend { draft, version })])
        .row([
            Button::new("Дата", Action::CheckoutDates { draft }),
            Button::new("Адрес", Action::CheckoutAddresses { draft }),
            Button::new("Комментарий", Action::CheckoutComment { draft }),
        ])
        .row([Button::new("Назад", Action::DraftReview { draft })])
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
    let mut screen = Screen::text("Когда доставить? Можно написать: «в пятницу».").row([
        day(0, "Сегодня".to_owned()),
        day(1, "Завтра".to_owned()),
        day(2, "Послезавтра".to_owned()),
    ]);
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

/// What stands in the place of the cards of an emptied draft.
pub fn cleared(view: &DraftView) -> Screen {
    let draft = view.draft.id;
    Screen::text("Заявка очищена.").row([Button::new("Вернуть", Action::DraftRestore { draft })])
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

    #[test]
    fn the_question_agrees_with_its_noun() {
        assert_eq!(which("цвет"), "Какой цвет?");
        assert_eq!(which("плотность"), "Какая плотность?");
        assert_eq!(which("покрытие"), "Какое покрытие?");
        assert_eq!(which("ширина"), "Какая ширина?");
    }
}
