//! The one place where markup is made of text that is not escaped here, and the icons.

use maud::{Markup, PreEscaped, html};

use super::assets;
use crate::formats::html::Html;

/// The marks of states, with our pictures of them: not every machine has a font with these signs.
const MARKS: [(char, &str); 7] = [
    ('✅', "mark-ok.svg"),
    ('❓', "mark-ask.svg"),
    ('❌', "mark-none.svg"),
    ('👤', "mark-manager.svg"),
    ('⛔', "mark-gone.svg"),
    ('🆕', "mark-new.svg"),
    ('📱', "mark-phone.svg"),
];

/// The text of a message. [`Html`] escapes what is put into it.
pub fn message(html: &Html) -> Markup {
    PreEscaped(with_marks(html.as_str().to_owned()))
}

/// Plain text, its marks drawn.
pub fn marked(text: &str) -> Markup {
    PreEscaped(with_marks(html! { (text) }.into_string()))
}

fn with_marks(mut escaped: String) -> String {
    for (sign, file) in MARKS {
        if escaped.contains(sign) {
            let url = assets::url(file);
            let picture = format!("<img class=\"sign\" src=\"{url}\" alt=\"{sign}\">");
            escaped = escaped.replace(sign, &picture);
        }
    }
    escaped
}

/// `<!doctype html>`
pub fn doctype() -> Markup {
    PreEscaped("<!doctype html>".to_owned())
}

/// Small pictures, drawn with strokes on a 24 × 24 ground. All are decoration: words stand beside
/// them, or in the label of what holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// «Сегодня»
    Today,
    /// «Заказы»
    Orders,
    /// «Вопросы»
    Questions,
    /// «Каталог»
    Catalog,
    /// «Клиенты»
    Clients,
    /// «Поиск»
    Search,
    /// «Синонимы»
    Synonyms,
    /// «Обмен с 1С»
    Exchange,
    /// «Ещё»
    More,
    /// «Тема»
    Theme,
    /// A way back.
    Back,
    /// A way on.
    Forward,
    /// Done, accepted.
    Check,
    /// Something is off.
    Alert,
    /// A message to the client.
    Send,
    /// A note between staff.
    Note,
    /// A change of a line.
    Edit,
    /// A delivery.
    Truck,
    /// A person.
    Person,
    /// A trace of recognition.
    Trace,
    /// Close.
    Cross,
    /// Add.
    Plus,
    /// Out.
    Exit,
    /// Down: a file to take.
    Download,
    /// Up: a file to give.
    Upload,
    /// A word from 1C.
    Lock,
    /// A folder of the catalogue.
    Folder,
    /// «Колонки»
    Columns,
    /// «Журнал»
    Journal,
    /// «Резервные копии»
    Backup,
    /// «Настройки»
    Settings,
    /// «Состояние»
    State,
}

/// The picture, 18 px.
pub fn icon(icon: Icon) -> Markup {
    draw(icon, "icon")
}

/// The picture, 14 px.
pub fn small_icon(icon: Icon) -> Markup {
    draw(icon, "icon small")
}

fn draw(icon: Icon, class: &str) -> Markup {
    html! {
        svg class=(class) viewBox="0 0 24 24" aria-hidden="true" { path d=(path(icon)) {} }
    }
}

fn path(icon: Icon) -> &'static str {
    match icon {
        Icon::Today => "M4 11.5 12 5l8 6.5M6 10v9h12v-9M10 19v-5h4v5",
        Icon::Orders => "M8 4h8v3H8zM8 5.5H5.5v15h13v-15H16M8.5 11h7M8.5 14.5h7M8.5 18h4",
        Icon::Questions => "M4 5h16v11.5H11L6.5 20v-3.5H4zM8 9.5h8M8 12.5h5",
        Icon::Catalog => {
            "M12 3.5 20 8v8.5l-8 4-8-4V8zM4.2 8.2 12 12.3l7.8-4.1M12 12.3v8M8 5.9l8 4.3"
        }
        Icon::Clients => {
            "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.4-3.6 3-5.5 6.5-5.5s6.1 1.9 6.5 5.5M15.5 4.5a3.5 3.5 0 0 1 0 6.2M17.5 14.8c2.2.6 3.6 2.3 4 5.2"
        }
        Icon::Search => "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.3 15.3 20.5 20.5",
        Icon::Synonyms => "M4 8h13M13.5 4.5 17 8l-3.5 3.5M20 16H7M10.5 12.5 7 16l3.5 3.5",
        Icon::Exchange => {
            "M4.5 10a8 8 0 0 1 14-3l1.5 2M20 4.5V9h-4.5M19.5 14a8 8 0 0 1-14 3L4 15M4 19.5V15h4.5"
        }
        Icon::More => {
            "M5 12a.6.6 0 1 0 1.2 0 .6.6 0 1 0-1.2 0M11.4 12a.6.6 0 1 0 1.2 0 .6.6 0 1 0-1.2 0M17.8 12a.6.6 0 1 0 1.2 0 .6.6 0 1 0-1.2 0"
        }
        Icon::Theme => "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 3.5v17M15 5v14M18 7.5v9",
        Icon::Back => "M14.5 6 8.5 12l6 6",
        Icon::Forward => "m9.5 6 6 6-6 6",
        Icon::Check => "m5 12.5 4.5 4.5L19 7.5",
        Icon::Alert => "M12 4 21 19.5H3zM12 10v4.5M12 17h.01",
        Icon::Send => "M4 12 20 4.5 15.5 20l-4-6.5zM11.5 13.5 20 4.5",
        Icon::Note => "M5 4h14v11l-5 5H5zM14 20v-5h5M8.5 8.5h7M8.5 12h4",
        Icon::Edit => {
            "M4.5 19.5 5.5 15 15.8 4.7a1.5 1.5 0 0 1 2.1 0l1.4 1.4a1.5 1.5 0 0 1 0 2.1L9 18.5z"
        }
        Icon::Truck => {
            "M2.5 6h11.5v10.5H2.5zM14 9.5h4.5l3 3.5v3.5H14M7 19a1.8 1.8 0 1 0 0-3.6A1.8 1.8 0 0 0 7 19zM17.5 19a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z"
        }
        Icon::Person => "M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c.5-4 3.5-6 7.5-6s7 2 7.5 6",
        Icon::Trace => "M4 6h16M4 12h9M4 18h6M16 15.5l2.2 2.2L22 13.5",
        Icon::Cross => "M6 6l12 12M18 6 6 18",
        Icon::Plus => "M12 5v14M5 12h14",
        Icon::Exit => "M14 4.5H5v15h9M10 12h10.5M17 8.5l3.5 3.5-3.5 3.5",
        Icon::Download => "M12 4v11M7.5 10.5 12 15l4.5-4.5M4.5 19.5h15",
        Icon::Upload => "M12 15V4M7.5 8.5 12 4l4.5 4.5M4.5 19.5h15",
        Icon::Lock => "M6 10.5h12v9.5H6zM8.5 10.5V7.5a3.5 3.5 0 0 1 7 0v3",
        Icon::Journal => "M6 3.5h12v17H6zM3.5 7.5H8M3.5 12H8M3.5 16.5H8M11 8.5h4M11 12h4",
        Icon::Backup => {
            "M12 9.5c4.4 0 8-1.3 8-3s-3.6-3-8-3-8 1.3-8 3 3.6 3 8 3zM4 6.5V12c0 1.7 3.6 3 8 3s8-1.3 8-3V6.5M4 12v5.5c0 1.7 3.6 3 8 3s8-1.3 8-3V12"
        }
        Icon::Settings => {
            "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4zM9 19.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z"
        }
        Icon::State => "M2.5 12.5H7l2.5-7 5 13 2.5-6h4.5",
        Icon::Folder => "M3.5 5.5h6l2 2.5h9v11h-17z",
        Icon::Columns => "M4 5h16v14H4zM9.5 5v14M14.5 5v14",
    }
}
