//! Templates: orders kept under a name, to be ordered again.

use super::basket::{LINES_A_PAGE, Scene, Sheet};
use super::{order, pager};
use crate::chat::{Action, Button, Screen};
use crate::domain::{NameError, OrderId, TemplateId, TemplateName, ru};
use crate::formats::html::Html;
use crate::services::ordering::{Party, SavedTemplate, TEMPLATES_MOST, TemplatePage, TemplateView};
use crate::storage::orders::OrderRow;
use crate::storage::templates::TemplateRow;

/// Templates of the list on a page.
pub const TEMPLATES_A_PAGE: u32 = 7;
/// The longest label of a button, in characters.
const LONGEST_LABEL: usize = 40;

/// The name that is proposed for an order: «№ 1042 от 24.11».
pub fn proposed(order: &OrderRow, scene: &Scene) -> String {
    format!("№\u{a0}{} от {}", order.number, scene.zone.date(order.created_at, scene.now))
}

/// What to call it?
pub fn ask(order: &OrderRow, scene: &Scene) -> Screen {
    let id = order.id;
    Screen::text("Как назвать шаблон? Напишите название или возьмите это.")
        .row([Button::new(proposed(order, scene), Action::TemplateSave { order: id })])
        .row([Button::new("Назад", Action::OrderLines { order: id, page: 0 })])
}

/// Why the words are no name, and that another one is waited for.
pub fn no_name(why: NameError, back: Action) -> Screen {
    let text = match why {
        NameError::Wordless => {
            "В названии нужна хотя бы одна буква или цифра. Напишите, например, «Пятница»."
                .to_owned()
        }
        NameError::TooLong(chars) => {
            let signs = ru::count(chars as u64, ["знак", "знака", "знаков"]);
            let most = TemplateName::MOST_CHARS;
            format!("В названии {signs}, поместится {most}. Напишите короче.")
        }
    };
    Screen::text(text).row([Button::new("Назад", back)])
}

/// The order is a template now.
pub fn saved(saved: &SavedTemplate) -> Screen {
    let SavedTemplate { template, left_out } = saved;
    let lines = ru::positions(template.line_count as usize);
    let mut text = format!("Шаблон «{}» сохранён: {lines}.", template.name);
    if *left_out > 0 {
        let without = ru::positions(*left_out);
        text = format!("{text} Без товара и потому не в шаблоне: {without}.");
    }
    Screen::text(format!("{text} Найдёте его в «Повторить»."))
        .row([Button::new("Открыть", show_first(template.id)), to_list()])
}

/// Another template has the name: is it to be replaced?
pub fn taken(template: &TemplateRow, order: OrderId) -> Screen {
    let lines = ru::positions(template.line_count as usize);
    let text = format!(
        "Шаблон «{}» уже есть, в нём {lines}. Замените его или напишите другое название.",
        template.name
    );
    let (id, version) = (template.id, template.revision);
    Screen::text(text).row([
        Button::new("Заменить", Action::TemplateReplace { template: id, version, order }),
        Button::new("Назад", Action::OrderLines { order, page: 0 }),
    ])
}

/// There are as many as there may be.
pub fn full() -> Screen {
    let text = format!(
        "Шаблонов уже {TEMPLATES_MOST}, больше не поместится. Удалите ненужный или сохраните под названием того, который пора заменить."
    );
    Screen::text(text).row([to_list()])
}

/// The organization's templates, to choose from.
pub fn list(page: &TemplatePage, offset: u32) -> Screen {
    let back = Button::new("Назад", Action::RepeatList);
    if page.total == 0 {
        let text = "Шаблонов пока нет. Откройте заказ и нажмите «В шаблон» — он будет здесь.";
        return Screen::text(text).row([Button::new("Заказы", Action::Orders { page: 0 }), back]);
    }
    let mut screen = Screen::text("Шаблоны. Какой открыть?");
    for template in &page.templates {
        let lines = format!(" · {}", ru::positions(template.line_count as usize));
        let room = LONGEST_LABEL.saturating_sub(lines.chars().count());
        let label = format!("{}{lines}", ru::ellipsis(&template.name, room));
        screen = screen.row([Button::new(label, show_first(template.id))]);
    }
    let (at, pages) = (offset / TEMPLATES_A_PAGE, page.total.div_ceil(TEMPLATES_A_PAGE));
    let mut last = pager(at as usize, pages as usize, |page| Action::Templates { page });
    last.push(back);
    screen.row(last)
}

/// A template as of today.
pub fn show(view: &TemplateView, party: &Party, page: i64, scene: &Scene) -> Screen {
    let template = view.template.id;
    let pages = view.lines.len().div_ceil(LINES_A_PAGE).max(1);
    let page = usize::try_from(page).unwrap_or(0).min(pages - 1);
    let mut html = Html::new().bold(format!("Шаблон «{}»", view.template.name));
    if let Some(changes) = order::changes(view.changes) {
        html = html.line().push(changes);
    }
    let sheet = Sheet {
        lines: &view.lines,
        page,
        sees_prices: party.sees_prices,
        has_buyer: true,
        loaded_at: view.loaded_at,
    };
    let mut first = vec![Button::new("В заявку", Action::TemplateUse { template })];
    let mut last = vec![Button::new("Назад", Action::Templates { page: 0 })];
    if party.keeps_templates() {
        first.push(Button::new("Переименовать", Action::TemplateRename { template }));
        last.insert(0, Button::new("Удалить", Action::TemplateDelete { template }));
    }
    Screen::new(sheet.write(html, scene))
        .row(pager(page, pages, |page| Action::TemplateShow { template, page }))
        .row(first)
        .row(last)
}

/// What else to call it?
pub fn rename(template: &TemplateRow) -> Screen {
    Screen::text(format!("Как теперь назвать шаблон «{}»?", template.name))
        .row([Button::new("Назад", show_first(template.id))])
}

/// Another template has that name.
pub fn name_taken(other: &TemplateRow, template: TemplateId) -> Screen {
    Screen::text(format!("Шаблон «{}» уже есть. Напишите другое название.", other.name))
        .row([Button::new("Назад", show_first(template))])
}

/// Asks before a template goes.
pub fn delete(template: &TemplateRow) -> Screen {
    let (id, version) = (template.id, template.revision);
    let text = format!("Удалить шаблон «{}»? Заказы останутся.", template.name);
    Screen::text(text).row([
        Button::new("Удалить", Action::TemplateDeleteYes { template: id, version }),
        Button::new("Назад", show_first(id)),
    ])
}

fn show_first(template: TemplateId) -> Action {
    Action::TemplateShow { template, page: 0 }
}

fn to_list() -> Button {
    Button::new("Шаблоны", Action::Templates { page: 0 })
}
