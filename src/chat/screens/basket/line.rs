//! Card 2 for one line: the question that it needs answered, or the line itself.

use super::{Scene, as_arg, pager};
use crate::chat::{Action, Button, Screen};
use crate::config::ShowStock;
use crate::domain::{Price, Quantity, ru};
use crate::formats::html::Html;
use crate::recognition::QuestionOption;
use crate::services::ordering::{DraftLine, DraftView, Need};
use crate::storage::offers::Offer;

/// Options of card 2 on a page.
const OPTIONS_A_PAGE: usize = 5;
/// Options above which the attribute that parts them is asked first.
const MANY_OPTIONS: usize = 8;
/// The longest label of an option, in characters.
pub(super) const OPTION_LABEL: usize = 40;
/// The longest label of two in a row, in characters.
const PAIR_LABEL: usize = 18;
/// The mark of what was bought before.
const BOUGHT: &str = "↻\u{a0}";

/// Card 2 for one line: the question that the line needs answered.
pub fn clarify(view: &DraftView, line: &DraftLine, page: usize, scene: &Scene) -> Screen {
    match line.need() {
        Need::Quantity => quantity(view, line),
        Need::Unit => units(view, line),
        Need::Multiple(multiple) => multiple_of(view, line, multiple),
        Need::Product if asks_attribute(line) => attribute(view, line, page),
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

fn attribute(view: &DraftView, line: &DraftLine, page: usize) -> Screen {
    let (id, version) = (line.row.id, view.draft.revision);
    let Some(question) = &line.question else { return Screen::text("") };
    let ask = match question.attribute.as_str() {
        "" => "Что из этого?".to_owned(),
        attribute => which(attribute),
    };
    let mut screen = Screen::new(heading(view, line).line().push(ask));
    let tail = |option: &QuestionOption| format!(" · {}", option.products.len());
    let short = |option: &QuestionOption| {
        format!("{}{}", option.label, tail(option)).chars().count() <= PAIR_LABEL
    };
    // Two in a row where all of them are short, else one with its whole name.
    let in_a_row = if question.options.iter().all(short) { 2 } else { 1 };
    let a_page = OPTIONS_A_PAGE * in_a_row;
    let pages = question.options.len().div_ceil(a_page).max(1);
    let page = page.min(pages - 1);
    let shown: Vec<(usize, &QuestionOption)> =
        question.options.iter().enumerate().skip(page * a_page).take(a_page).collect();
    let names: Vec<&str> = shown.iter().map(|(_, option)| option.label.as_str()).collect();
    let tails: Vec<String> = shown.iter().map(|(_, option)| tail(option)).collect();
    let labels = labels(&names, &tails);
    screen.html = bullets(screen.html, &names, &labels);
    let buttons = shown.iter().zip(labels).map(|((index, _), label)| {
        Button::new(label, Action::LineNarrow { line: id, version, option: as_arg(*index) })
    });
    for row in buttons.collect::<Vec<Button>>().chunks(in_a_row) {
        screen = screen.row(row.to_vec());
    }
    let screen = screen.row(pager(page, pages, |page| Action::LineOptions { line: id, page }));
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
    // What was bought before comes first; the rest stays in the order of fitness.
    let mut all: Vec<&Offer> = line.options.iter().collect();
    all.sort_by_key(|offer| !line.bought.contains_key(&offer.id));
    let shown: Vec<&Offer> =
        all.into_iter().skip(page * OPTIONS_A_PAGE).take(OPTIONS_A_PAGE).collect();
    let labels = option_labels(&shown, view.sees_prices, scene.show_stock);
    screen.html = full_names(screen.html, &shown, &labels);
    for (offer, label) in shown.into_iter().zip(labels) {
        let action =
            Action::LinePick { line: line.row.id, version: view.draft.revision, product: offer.id };
        let mark = if line.bought.contains_key(&offer.id) { BOUGHT } else { "" };
        let label = ru::ellipsis(&format!("{mark}{label}"), OPTION_LABEL);
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
    let titles: Vec<&str> = offers.iter().map(|offer| offer.title.as_str()).collect();
    labels(&titles, &offers.iter().map(|offer| tail(offer)).collect::<Vec<_>>())
}

/// Titles with their tails in at most forty characters that still tell them apart.
pub(in crate::chat::screens) fn labels(titles: &[&str], tails: &[String]) -> Vec<String> {
    let fits = |text: &String| text.chars().count() <= OPTION_LABEL;
    let pairs = || titles.iter().zip(tails);
    let whole: Vec<String> = pairs().map(|(title, tail)| format!("{title}{tail}")).collect();
    if whole.iter().all(fits) {
        return whole;
    }
    let common = common_words(titles);
    pairs()
        .map(|(title, tail)| {
            let words: Vec<&str> = title.split_whitespace().skip(common).collect();
            let title = match common {
                0 => (*title).to_owned(),
                _ => format!("…{}", words.join(" ")),
            };
            let room = OPTION_LABEL.saturating_sub(tail.chars().count());
            format!("{}{tail}", squeezed(&title, room))
        })
        .collect()
}

/// The title in so many characters: its first word and as many of its last as there is room for,
/// since a title's end tells it from the others.
fn squeezed(title: &str, room: usize) -> String {
    if title.chars().count() <= room {
        return title.to_owned();
    }
    let words: Vec<&str> = title.split_whitespace().collect();
    let Some((first, rest)) = words.split_first() else { return String::new() };
    let head = if first.ends_with('…') { (*first).to_owned() } else { format!("{first} …") };
    let last = (1..rest.len()).map(|from| rest[from..].join(" "));
    let mut fitting = last.map(|end| format!("{head}{end}"));
    let found = fitting.find(|label| label.chars().count() <= room);
    found.unwrap_or_else(|| ru::ellipsis(title, room))
}

/// The whole names of the options below the text, where the buttons have no room for them.
pub fn full_names(html: Html, offers: &[&Offer], labels: &[String]) -> Html {
    let names: Vec<&str> = offers.iter().map(|offer| offer.title.as_str()).collect();
    bullets(html, &names, labels)
}

fn bullets(html: Html, names: &[&str], labels: &[String]) -> Html {
    if !labels.iter().any(|label| label.contains('…')) {
        return html;
    }
    names.iter().fold(html, |html, name| html.line().push("• ").push(ru::ellipsis(name, 120)))
}

/// The price without needless kopecks: «1 450 ₽».
fn short(price: Price) -> String {
    price.to_string().replace(",00\u{a0}", "\u{a0}")
}

fn common_words(titles: &[&str]) -> usize {
    let Some(first) = titles.first().filter(|_| titles.len() > 1) else { return 0 };
    let shared = |index: usize, word: &str| {
        titles.iter().all(|title| {
            let mut words = title.split_whitespace();
            words.nth(index) == Some(word) && words.next().is_some()
        })
    };
    first.split_whitespace().enumerate().take_while(|(i, word)| shared(*i, word)).count()
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
        let last = line.bought.get(&offer.id).map(|bought| bought.last_quantity);
        if let Some(last) = last.filter(|last| last.is_positive()) {
            let label = format!("Как в прошлый раз: {}", last.with_unit(offer.unit.as_str()));
            let quantity = last.thousandths();
            screen =
                screen.row([Button::new(label, Action::LineSet { line: id, version, quantity })]);
        }
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
    ways_out(screen, view, line)
}

/// The ways out of a question about how many.
fn ways_out(screen: Screen, view: &DraftView, line: &DraftLine) -> Screen {
    let (id, version) = (line.row.id, view.draft.revision);
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
    // What is counted in packs already goes by one and by ten of them.
    let pack = offer.packs.first().filter(|_| line.unit() == offer.unit.as_str());
    let pack = pack.map_or(Quantity::whole(10), |(_, coefficient)| *coefficient);
    let tenth = Quantity::from_thousandths((pack.thousandths() / 10).max(1_000) / 1_000 * 1_000);
    let step = |quantity: Quantity, sign: i64| {
        let by = quantity.thousandths() * sign;
        let label = format!("{}{quantity}", if sign < 0 { "−" } else { "+" });
        Button::new(label, Action::LineStep { line: id, version, by })
    };
    let mut counting = vec![Button::new("Ввести число", Action::LineQuantity { line: id })];
    if !offer.packs.is_empty() {
        let label = format!("{} ▾", ru::ellipsis(line.unit(), 12));
        counting.push(Button::new(label, Action::LineUnits { line: id }));
    }
    let screen = Screen::new(html);
    let screen = if scene.show_stock != ShowStock::Off && !offer.available.is_positive() {
        screen
            .row([
                Button::new("Аналоги", Action::LineAnalogues { line: id }),
                Button::new("Оставить под заказ", Action::DraftReview { draft: view.draft.id }),
            ])
            .row([Button::new(
                "Сообщить о поступлении",
                Action::ProductWatch { product: offer.id },
            )])
    } else {
        screen
    };
    screen
        .row([step(pack, -1), step(tenth, -1), step(tenth, 1), step(pack, 1)])
        .row(counting)
        .row([
            Button::new("Заменить товар", Action::LineReplace { line: id }),
            Button::new("Убрать", Action::LineRemove { line: id, version }),
        ])
        .row([Button::new("Готово", Action::DraftReview { draft: view.draft.id })])
}

/// Card 2: of which unit is the line's quantity? Asked where its own is none of the product's.
pub fn units(view: &DraftView, line: &DraftLine) -> Screen {
    let (id, version) = (line.row.id, view.draft.revision);
    let Some(offer) = &line.offer else { return open_line(view, line) };
    let base = offer.unit.as_str();
    let asked = line.need() == Need::Unit;
    let mut html = heading(view, line);
    if asked {
        let unit = line.unit();
        html = html.line().push(&offer.title).line().push(format!("В «{unit}» его не считают. "));
    } else {
        html = html.line();
    }
    let mut screen = Screen::new(html.push("В чём считать?"))
        .row([Button::new(base, Action::LineUnit { line: id, version, choice: 0 })]);
    for (choice, (unit, coefficient)) in (1..).zip(offer.packs.iter().take(5)) {
        let label = format!("{unit} ({})", coefficient.with_unit(base));
        screen = screen.row([Button::new(label, Action::LineUnit { line: id, version, choice })]);
    }
    if asked {
        return ways_out(screen, view, line);
    }
    screen.row([Button::new("Назад", Action::LineShow { line: id })])
}

/// Card 2: others in the place of the line's product.
pub fn analogues(view: &DraftView, line: &DraftLine, others: &[Offer], scene: &Scene) -> Screen {
    let (id, version) = (line.row.id, view.draft.revision);
    let said =
        if others.is_empty() { "Похожих не нашёл." } else { "Похожие:" };
    let shown: Vec<&Offer> = others.iter().take(OPTIONS_A_PAGE).collect();
    let labels = option_labels(&shown, view.sees_prices, scene.show_stock);
    let html = full_names(heading(view, line).line().push(said), &shown, &labels);
    let mut screen = Screen::new(html);
    for (offer, label) in shown.into_iter().zip(labels) {
        let action = Action::LineInstead { line: id, version, product: offer.id };
        screen = screen.row([Button::new(label, action)]);
    }
    screen.row([Button::new("Назад", Action::LineShow { line: id })])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_title_keeps_its_beginning_and_its_end() {
        let title = "Саморез универсальный 4х25 желтый цинк";
        assert_eq!(squeezed(title, 31), "Саморез …4х25 желтый цинк");
        assert_eq!(squeezed(title, 40), title);
        assert_eq!(squeezed("Сверхдлинноеслово", 6), "Сверх…");
    }

    #[test]
    fn the_question_agrees_with_its_noun() {
        assert_eq!(which("цвет"), "Какой цвет?");
        assert_eq!(which("плотность"), "Какая плотность?");
        assert_eq!(which("покрытие"), "Какое покрытие?");
        assert_eq!(which("ширина"), "Какая ширина?");
    }
}
