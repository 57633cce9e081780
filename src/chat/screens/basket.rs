//! The two cards of a draft: the list, and the desk with one question or the summary.

mod checkout;
mod line;

pub use checkout::{addresses, checkout, dates, duplicate, join, joined, prices_moved, read_date};
pub(super) use line::labels;
pub use line::{analogues, clarify, full_names, line, option_labels, units};

use jiff::civil::Date;

use super::pager;
use crate::chat::{Action, Button, Screen};
use crate::config::ShowStock;
use crate::domain::{LineState, Quantity, Timestamp, WorkingHours, Zone, ru};
use crate::formats::html::Html;
use crate::services::ordering::{DraftLine, DraftView, Need};
use crate::storage::offers::Offer;

/// Prices and stock older than this are not taken for today's.
const STALE_AFTER: std::time::Duration = std::time::Duration::from_hours(24);

/// Lines of card 1 on a page.
pub const LINES_A_PAGE: usize = 12;

/// Orders that a draft can be added to, on a page.
pub const JOIN_A_PAGE: usize = 5;

/// What the cards need to know besides the draft.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The present moment.
    pub now: Timestamp,
    /// The company's zone.
    pub zone: Zone,
    /// How stock is shown.
    pub show_stock: ShowStock,
    /// The company's hours; `None`: nobody knows them.
    pub hours: Option<WorkingHours>,
}

impl Scene {
    fn today(&self) -> Date {
        self.zone.civil(self.now).date()
    }

    /// Whether something can still be delivered today: not once the company has closed.
    fn delivers_today(&self) -> bool {
        self.hours.is_none_or(|hours| hours.closes_after(&self.zone, self.now))
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
    let mut html = Html::new().bold(title);
    if !view.draft.file_name.is_empty() {
        html = html.push(format!(" · файл «{}»", ru::ellipsis(&view.draft.file_name, 60)));
    }
    let sheet = Sheet {
        lines: &view.lines,
        page,
        sees_prices: view.sees_prices,
        has_buyer: !view.organization_name.is_empty(),
        loaded_at: view.loaded_at,
    };
    Screen::new(sheet.write(html, scene))
}

/// Lines with the catalogue's word on them, as a list shows them.
pub(super) struct Sheet<'a> {
    /// All of the lines.
    pub(super) lines: &'a [DraftLine],
    /// The page that is shown.
    pub(super) page: usize,
    /// Whether prices are shown.
    pub(super) sees_prices: bool,
    /// Whether it is known who buys.
    pub(super) has_buyer: bool,
    /// Of when prices and stock are.
    pub(super) loaded_at: Option<Timestamp>,
}

impl Sheet<'_> {
    /// Below a title: how the lines stand, a page of them, and what they come to.
    pub(super) fn write(&self, html: Html, scene: &Scene) -> Html {
        let mut html = html.line().push(self.summary()).line();
        for line in self.lines.iter().skip(self.page * LINES_A_PAGE).take(LINES_A_PAGE) {
            html = html.line().append(&list_line(line, self.sees_prices, scene));
        }
        html = html.line();
        let pages = self.lines.len().div_ceil(LINES_A_PAGE);
        if pages > 1 {
            html = html.line().push(format!("Страница {} из {pages}", self.page + 1));
        }
        let certain = self.count(LineState::Ok) > 0;
        if self.sees_prices && certain {
            let total = DraftLine::total(self.lines);
            html = html.line().push(format!("Сумма по прайсу: {total}")).push(self.without());
        } else if certain && self.has_buyer {
            html = html.line().push(format!("Сумма: {}", super::order::PRICES_LATER));
        }
        match self.freshness(scene) {
            Some(words) => html.line().push(words),
            None => html,
        }
    }

    fn count(&self, state: LineState) -> usize {
        DraftLine::count(self.lines, state)
    }

    /// «Цены и остатки на 24.11, 14:05»; past a day, that they will be made sure of.
    fn freshness(&self, scene: &Scene) -> Option<String> {
        let at = self.loaded_at?;
        let date = scene.zone.date(at, scene.now);
        if scene.now.since(at) > STALE_AFTER {
            return Some(format!("Остатки на {date} — уточним при приёмке"));
        }
        let time = scene.zone.time(at);
        let prices = if self.sees_prices { "Цены и остатки" } else { "Остатки" };
        Some(format!("{prices} на {date}, {time}"))
    }

    /// «7 позиций: ✅ 5 · ❓ 1 · ❌ 1»
    fn summary(&self) -> String {
        let states =
            [LineState::Ok, LineState::Ask, LineState::None, LineState::Manager, LineState::Gone];
        let counts = states.into_iter().filter_map(|state| {
            let count = self.count(state);
            (count > 0).then(|| format!("{}\u{a0}{count}", state.mark()))
        });
        let counts = counts.collect::<Vec<_>>().join(" · ");
        format!("{}: {counts}", ru::positions(self.lines.len()))
    }

    /// « без ❓ ❌»
    fn without(&self) -> String {
        let states = [LineState::Ask, LineState::None, LineState::Manager, LineState::Gone];
        let marks: Vec<_> =
            states.into_iter().filter(|s| self.count(*s) > 0).map(LineState::mark).collect();
        if marks.is_empty() { String::new() } else { format!(" без {}", marks.join(" ")) }
    }
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
            if let Some(before) = row.price.filter(|before| offer.price != Some(*before)) {
                html = html.push(format!(" · цена изменилась: было {before}"));
            }
        }
        if let Some(mark) = stock_mark(offer, line.base, scene.show_stock) {
            html = html.push(format!(" · {mark}"));
        }
    }
    let hint = match line.need() {
        Need::Product => Some(options_hint(line)),
        Need::Words => Some("не нашёл в каталоге".to_owned()),
        Need::Quantity => Some("сколько?".to_owned()),
        Need::Unit => Some("в чём считать?".to_owned()),
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
pub fn review(view: &DraftView, page: usize, note: Option<&str>, scene: &Scene) -> Screen {
    review_with(view, page, &News { note, ..News::default() }, scene)
}

/// What has just happened to a draft.
#[derive(Debug, Clone, Copy, Default)]
pub struct News<'a> {
    /// In words.
    pub note: Option<&'a str>,
    /// Whether it can be taken back.
    pub undo: bool,
    /// Whether something was put into lines that were there.
    pub split: bool,
}

/// Card 2, the summary, with what has just happened. Where nothing is open, the order can be sent
/// right here, as it was delivered last.
pub fn review_with(view: &DraftView, page: usize, news: &News<'_>, scene: &Scene) -> Screen {
    let (draft, version) = (view.draft.id, view.draft.revision);
    let unresolved = view.unresolved().count();
    let status = match unresolved {
        0 if view.count(LineState::Manager) > 0 => {
            "Остальное распознано, можно отправлять.".to_owned()
        }
        // Who has no account yet sends nothing: the way to one is shown beside.
        0 if view.organization_name.is_empty() => "Всё распознано.".to_owned(),
        0 => "Всё распознано, можно отправлять.".to_owned(),
        n => format!("Нужно уточнить {}.", ru::positions_accusative(n)),
    };
    let mut html = match news.note {
        Some(note) => Html::text(note).line().push(status),
        None => Html::text(status),
    };
    let ready = unresolved == 0 && !view.organization_name.is_empty();
    if ready {
        html = html.append(&checkout::delivery(view, scene));
    }
    let mut screen = Screen::new(html);
    if news.undo {
        let action = Action::DraftUndoAdd { draft, version };
        screen = screen.row([Button::new("Отменить добавление", action)]);
    }
    if news.split {
        let action = Action::DraftSplit { draft, version };
        screen = screen.row([Button::new("Разделить", action)]);
    }
    if unresolved > 0 {
        let label = format!("Уточнить {}", ru::positions_accusative(unresolved));
        screen = screen.row([Button::new(label, Action::DraftClarify { draft, version })]);
    }
    if ready {
        screen = screen.row([checkout::send(view)]);
    }
    screen = screen.row([
        Button::new("Оформить", Action::Checkout { draft }),
        Button::new("Позиции", Action::DraftLines { draft, page: as_arg(page) }),
    ]);
    let mut others = Vec::new();
    if view.draft.edits.is_none() && !view.organization_name.is_empty() {
        others.push(Button::new("Добавить в заказ", Action::DraftJoin { draft, page: 0 }));
    }
    others.push(Button::new("Всё менеджеру", Action::DraftHandover { draft }));
    screen = screen.row(others);
    if unresolved > 0 && !view.draft.file_name.is_empty() {
        let action = Action::DraftUnread { draft };
        screen = screen.row([Button::new("Скачать нераспознанные", action)]);
    }
    let mut last = pager(page, pages(view), |page| Action::DraftPage { draft, page });
    last.push(Button::new("Очистить", Action::DraftClear { draft, version }));
    screen.row(last)
}

fn as_arg(page: usize) -> i64 {
    i64::try_from(page).unwrap_or(0)
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

/// Card 2: all of it to a manager?
pub fn handover(view: &DraftView) -> Screen {
    let (draft, version) = (view.draft.id, view.draft.revision);
    Screen::text("Передать список как есть? Менеджер разберёт и пришлёт вам на проверку.").row([
        Button::new("Передать", Action::DraftHandoverYes { draft, version }),
        Button::new("Назад", Action::DraftReview { draft }),
    ])
}

/// What stands in the place of the cards of an emptied draft.
pub fn cleared(view: &DraftView) -> Screen {
    let draft = view.draft.id;
    Screen::text("Заявка очищена.").row([Button::new("Вернуть", Action::DraftRestore { draft })])
}
