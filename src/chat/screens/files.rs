//! Tables as orders, and what can only be handed to a manager.

use crate::chat::{Action, Button, Screen};
use crate::domain::ru;
use crate::formats::html::Html;
use crate::formats::order_table::{Layout, Sheet, column_name};

/// Columns to choose from.
const COLUMNS: usize = 7;
/// Lines that are shown as an example.
const EXAMPLES: usize = 3;

/// Is it read rightly?
pub fn guess(file: i64, name: &str, sheets: &[Sheet], sheet: &Sheet, layout: &Layout) -> Screen {
    let lines = layout.lines(&sheet.table);
    let name = ru::ellipsis(name, 60);
    let goods = format!("{} — товар", column_name(layout.goods));
    let quantity = match layout.quantity {
        Some(column) => format!(", {} — количество", column_name(column)),
        None => ", количество — в самих строках".to_owned(),
    };
    let unit = layout.unit.map(|column| format!(", {} — единица", column_name(column)));
    let place =
        if sheets.len() > 1 { format!(" Лист «{}».", sheet.name) } else { String::new() };
    let count = ru::count(lines.len() as u64, ["строка", "строки", "строк"]);
    let columns = format!("{goods}{quantity}{}", unit.unwrap_or_default());
    let mut html = Html::text(format!("Файл «{name}»: {count}.{place} {columns}. Так?"));
    for line in lines.iter().take(EXAMPLES) {
        html = html.line().italic(ru::ellipsis(line, 100));
    }
    let mut others = vec![Button::new("Другие колонки", Action::FileColumns { file })];
    if sheets.len() > 1 {
        others.push(Button::new("Другой лист", Action::FileSheets { file }));
    }
    Screen::new(html).row([Button::new("Да, распознать", Action::FileRead { file })]).row(others)
}

/// Which column has the goods?
pub fn goods(file: i64, sheet: &Sheet, first: usize) -> Screen {
    let screen = Screen::text("В какой колонке товар?");
    columns(screen, sheet, first, |column| Action::FileGoods { file, column })
        .row([Button::new("‹ Назад", Action::FileShow { file })])
}

/// Which column has the quantities?
pub fn quantities(file: i64, sheet: &Sheet, first: usize) -> Screen {
    let screen = Screen::text("В какой колонке количество?");
    columns(screen, sheet, first, |column| Action::FileQuantities { file, column })
        .row([Button::new("В самих строках", Action::FileQuantities { file, column: -1 })])
}

fn columns(
    mut screen: Screen,
    sheet: &Sheet,
    first: usize,
    action: impl Fn(i64) -> Action,
) -> Screen {
    let rows = sheet.table.rows.iter();
    let width = rows.map(Vec::len).max().unwrap_or(0);
    let sample = |column: usize| {
        let cells = sheet.table.rows.iter().skip(first).filter_map(|row| row.get(column));
        cells.map(|cell| cell.trim()).find(|cell| !cell.is_empty()).unwrap_or_default()
    };
    let filled = (0..width).filter(|column| !sample(*column).is_empty()).take(COLUMNS);
    for column in filled {
        let label = format!("{} · {}", column_name(column), sample(column));
        let place = i64::try_from(column).unwrap_or(0);
        screen = screen.row([Button::new(ru::ellipsis(&label, 40), action(place))]);
    }
    screen
}

/// Which sheet?
pub fn sheets(file: i64, all: &[Sheet]) -> Screen {
    let mut screen = Screen::text("На каком листе заявка?");
    for (number, sheet) in (0..).zip(all.iter().take(COLUMNS)) {
        let label = ru::ellipsis(&sheet.name, 40);
        screen = screen.row([Button::new(label, Action::FileSheet { file, sheet: number })]);
    }
    screen
}

/// Why the file is no order, and what to do.
pub fn refused(why: &str) -> Screen {
    Screen::text(format!("{why} Пришлите список текстом или передайте файл менеджеру."))
        .row([Button::new("Менеджеру", Action::MediaHand)])
}

/// What cannot be read is offered to a manager.
pub fn offer() -> Screen {
    Screen::text("Пока читаю только текст и таблицы. Передать менеджеру — он оформит заявку?").row(
        [Button::new("Передать", Action::MediaHand), Button::new("Не надо", Action::MediaDrop)],
    )
}

/// A manager has it.
pub fn handed(thread: crate::domain::ThreadId, hours: &str) -> Screen {
    Screen::text(format!("Передал менеджеру. Отвечаем {hours}."))
        .row([Button::new("Открыть", Action::ThreadShow { thread })])
}
