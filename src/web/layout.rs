//! The frame of the panel's pages, and the parts that several pages are made of.

use maud::{Markup, Render, html};

use super::assets;
use super::markup::{Icon, doctype, icon};
use super::session::{Theme, Visitor};
use crate::domain::OrderStatus;
use crate::domain::Role;

/// A section of the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// `/admin`
    Today,
    /// `/admin/orders`
    Orders,
    /// `/admin/questions`
    Questions,
    /// `/admin/catalog`
    Catalog,
    /// `/admin/clients`
    Clients,
    /// `/admin/search`
    Search,
    /// `/admin/synonyms`
    Synonyms,
    /// `/admin/exchange`
    Exchange,
    /// `/admin/audit`
    Journal,
    /// `/admin/backups`
    Backups,
    /// `/admin/settings`
    Settings,
    /// `/admin/health`, and what waits to be sent
    State,
}

struct Entry {
    section: Section,
    href: &'static str,
    word: &'static str,
    icon: Icon,
    /// Who sees it.
    role: Role,
    /// Which counter stands beside it.
    counter: Option<&'static str>,
    /// Whether it has a place in the bar at the bottom of a phone.
    on_phone: bool,
}

/// The sections, in the order of the sidebar.
const ENTRIES: &[Entry] = &[
    Entry {
        section: Section::Today,
        href: "/admin",
        word: "Сегодня",
        icon: Icon::Today,
        role: Role::Manager,
        counter: None,
        on_phone: true,
    },
    Entry {
        section: Section::Orders,
        href: "/admin/orders",
        word: "Заказы",
        icon: Icon::Orders,
        role: Role::Manager,
        counter: Some("orders"),
        on_phone: true,
    },
    Entry {
        section: Section::Questions,
        href: "/admin/questions",
        word: "Вопросы",
        icon: Icon::Questions,
        role: Role::Manager,
        counter: Some("questions"),
        on_phone: true,
    },
    Entry {
        section: Section::Catalog,
        href: "/admin/catalog",
        word: "Каталог",
        icon: Icon::Catalog,
        role: Role::Manager,
        counter: None,
        on_phone: false,
    },
    Entry {
        section: Section::Clients,
        href: "/admin/clients",
        word: "Клиенты",
        icon: Icon::Clients,
        role: Role::Manager,
        counter: None,
        on_phone: false,
    },
    Entry {
        section: Section::Search,
        href: "/admin/search",
        word: "Поиск",
        icon: Icon::Search,
        role: Role::Manager,
        counter: None,
        on_phone: true,
    },
    Entry {
        section: Section::Synonyms,
        href: "/admin/synonyms",
        word: "Синонимы",
        icon: Icon::Synonyms,
        role: Role::Manager,
        counter: None,
        on_phone: false,
    },
    Entry {
        section: Section::Exchange,
        href: "/admin/exchange",
        word: "Обмен с 1С",
        icon: Icon::Exchange,
        role: Role::Manager,
        counter: None,
        on_phone: false,
    },
    Entry {
        section: Section::Journal,
        href: "/admin/audit",
        word: "Журнал",
        icon: Icon::Journal,
        role: Role::Admin,
        counter: None,
        on_phone: false,
    },
    Entry {
        section: Section::Backups,
        href: "/admin/backups",
        word: "Резервные копии",
        icon: Icon::Backup,
        role: Role::Admin,
        counter: None,
        on_phone: false,
    },
    Entry {
        section: Section::Settings,
        href: "/admin/settings",
        word: "Настройки",
        icon: Icon::Settings,
        role: Role::Admin,
        counter: None,
        on_phone: false,
    },
    Entry {
        section: Section::State,
        href: "/admin/health",
        word: "Состояние",
        icon: Icon::State,
        role: Role::Admin,
        counter: None,
        on_phone: false,
    },
];

/// What the frame shows around a page.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The company's name.
    pub company: String,
    /// The signed-in person's name.
    pub name: String,
    /// The signed-in person's role.
    pub role: Option<Role>,
    /// New orders that nobody has taken.
    pub new_orders: u32,
    /// Threads that wait for an answer.
    pub open_questions: u32,
    /// Words about what runs beside the panel: the bot, the exchange.
    pub signals: Vec<Signal>,
    /// The address of the browser chat, where there is one.
    pub chat: bool,
}

/// How something that runs beside the panel is.
#[derive(Debug, Clone)]
pub struct Signal {
    /// «Бот», «1С».
    pub name: &'static str,
    /// «работает».
    pub state: &'static str,
    /// How serious it is.
    pub tone: Tone,
}

/// How serious something is; never said by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Ok,
    /// Wants attention.
    Warn,
    /// Broken, refused.
    Danger,
    /// New.
    Info,
    /// Nothing special.
    Neutral,
}

impl Tone {
    /// The value of `data-tone` and the class of a dot.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Danger => "danger",
            Self::Info => "info",
            Self::Neutral => "neutral",
        }
    }
}

/// A page of the panel.
#[derive(Debug)]
pub struct Page<'a> {
    /// The title, without the company.
    pub title: &'a str,
    /// The section that is lit.
    pub section: Option<Section>,
    /// A class of the body.
    pub class: &'a str,
    /// The content.
    pub content: Markup,
}

/// A whole page of the panel.
pub fn page(visitor: &Visitor, around: &Surroundings, page: &Page<'_>) -> Markup {
    let Page { title, section, class, content } = page;
    let title = if around.new_orders > 0 {
        format!("({}) {title}", around.new_orders)
    } else {
        (*title).to_owned()
    };
    document(
        visitor,
        &title,
        &around.company,
        &html! {
            body class=(format!("frame {class}")) data-panel {
                a.skip href="#main" { "К содержанию" }
                (sidebar(around, *section))
                (topbar(visitor, around))
                main.main #main tabindex="-1" {
                    div.lost-slot #lost role="status" {}
                    div.sheet { (content) }
                }
                (tabbar(around, *section))
                (keys_dialog())
                div.toasts #toasts role="status" aria-live="polite" {}
            }
        },
    )
}

/// A page that stands alone: sign-in, an error.
pub fn alone(visitor: &Visitor, title: &str, content: &Markup) -> Markup {
    document(
        visitor,
        title,
        &visitor.company,
        &html! {
            body.alone {
                main.box #main {
                    a.brand href="/" { (mark()) (visitor.company) }
                    (content)
                }
                div.toasts #toasts role="status" aria-live="polite" {}
            }
        },
    )
}

/// The head of every page.
pub fn document(visitor: &Visitor, title: &str, company: &str, body: &Markup) -> Markup {
    html! {
        (doctype())
        html lang="ru" data-theme=[visitor.theme.fixed()] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
                meta name="color-scheme" content="light dark";
                meta name="csrf" content=(visitor.csrf);
                title { (title) " · " (company) }
                link rel="icon" href=(assets::url("mark.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(assets::url("app.css"));
                script src=(assets::url("app.js")) defer {}
            }
            (body)
        }
    }
}

/// The product's mark.
pub fn mark() -> Markup {
    html! { img.mark src=(assets::url("mark.svg")) alt="" width="24" height="24"; }
}

fn shown(around: &Surroundings) -> impl Iterator<Item = &'static Entry> {
    let role = around.role.unwrap_or(Role::Client);
    ENTRIES.iter().filter(move |entry| role >= entry.role)
}

fn counter(around: &Surroundings, entry: &Entry) -> Markup {
    let (count, words) = match entry.counter {
        Some("orders") => (around.new_orders, "новых"),
        Some("questions") => (around.open_questions, "без ответа"),
        _ => return html! {},
    };
    let name = entry.counter.unwrap_or_default();
    html! {
        span.count.fresh data-counter=(name) hidden[count == 0] {
            span data-value { (count) } span.sr { " " (words) }
        }
    }
}

fn sidebar(around: &Surroundings, section: Option<Section>) -> Markup {
    html! {
        aside.side {
            a.brand href="/admin" aria-label=(format!("{}: на главную", around.company)) {
                (mark()) span.word.clip { (around.company) }
            }
            nav aria-label="Разделы" {
                ul.menu-list {
                    @for entry in shown(around) {
                        li.apart[entry.section == Section::Journal] {
                            a.nav href=(entry.href) title=(entry.word)
                                aria-current=[(section == Some(entry.section)).then_some("page")] {
                                (icon(entry.icon))
                                span.word { (entry.word) }
                                (counter(around, entry))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn topbar(visitor: &Visitor, around: &Surroundings) -> Markup {
    let initials: String = around
        .name
        .split_whitespace()
        .filter_map(|word| word.chars().next())
        .take(2)
        .flat_map(char::to_uppercase)
        .collect();
    html! {
        header.top {
            form.find action="/admin/find" role="search" {
                (icon(Icon::Search))
                input #find type="search" name="q" placeholder="Номер, организация, телефон, товар"
                    aria-label="Найти во всей панели" autocomplete="off";
                kbd aria-hidden="true" { "/" }
            }
            span.gap {}
            @for signal in &around.signals {
                span.signal {
                    span class=(format!("dot {}", signal.tone.as_str())) {}
                    span { (signal.name) }
                    span.word { (signal.state) }
                }
            }
            (theme_button(visitor))
            details.menu data-menu {
                summary aria-label=(format!("Профиль: {}", around.name)) {
                    span.avatar aria-hidden="true" { (initials) }
                }
                div.popover {
                    div.who {
                        strong { (around.name) }
                        div.muted { (around.role.map_or("", Role::label)) }
                    }
                    hr;
                    @if around.chat {
                        a.item href="/chat" { (icon(Icon::Questions)) "Чат в браузере" }
                    }
                    a.item href="/admin/sessions" { (icon(Icon::Lock)) "Сессии" }
                    button.item type="button" data-keys { (icon(Icon::More)) "Клавиши" }
                    form method="post" action="/admin/logout" {
                        (csrf(visitor))
                        button.item type="submit" { (icon(Icon::Exit)) "Выйти" }
                    }
                }
            }
        }
    }
}

/// What the keys do.
const KEYS: [(&[&str], &str); 13] = [
    (&["/"], "найти во всей панели; или Ctrl+K"),
    (&["j", "k"], "следующая и предыдущая строка"),
    (&["Enter"], "открыть строку"),
    (&["x"], "выбрать строку"),
    (&["a"], "принять заказ"),
    (&["s"], "другие действия с заказом"),
    (&["r"], "ответить"),
    (&["e"], "вопрос решён"),
    (&["g", "o"], "перейти к заказам"),
    (&["g", "q"], "к вопросам"),
    (&["g", "c"], "в каталог"),
    (&["g", "k"], "к клиентам"),
    (&["Ctrl", "Enter"], "отправить форму"),
];

fn keys_dialog() -> Markup {
    html! {
        dialog #keys aria-labelledby="keys-title" {
            h2 #keys-title { "Клавиши" }
            dl.keys {
                @for (keys, what) in KEYS { dt { @for key in keys { kbd { (key) } " " } } dd { (what) } }
            }
            form.buttons method="dialog" {
                button.button { "Закрыть" }
                button.button.quiet type="button" data-keys-off { "Выключить клавиши" }
            }
        }
    }
}

/// «Тема»: the system's, light, dark, in turn.
pub fn theme_button(visitor: &Visitor) -> Markup {
    let next = visitor.theme.next();
    html! {
        form.theme method="post" action="/theme" data-theme-form {
            (csrf(visitor))
            input type="hidden" name="theme" value=(next.as_str());
            button.button.quiet.icon-only type="submit"
                aria-label=(format!("Тема: {}", visitor.theme.label()))
                title=(format!("Тема: {}. Нажмите, чтобы сменить", visitor.theme.label())) {
                (icon(Icon::Theme))
            }
        }
    }
}

fn tabbar(around: &Surroundings, section: Option<Section>) -> Markup {
    html! {
        nav.tabbar aria-label="Разделы внизу" {
            @for entry in shown(around).filter(|entry| entry.on_phone) {
                a href=(entry.href) aria-current=[(section == Some(entry.section)).then_some("page")] {
                    (icon(entry.icon))
                    (entry.word)
                    (counter(around, entry))
                }
            }
            details.menu data-menu {
                summary { (icon(Icon::More)) "Ещё" }
                div.popover {
                    @for entry in shown(around).filter(|entry| !entry.on_phone) {
                        a.item href=(entry.href) { (icon(entry.icon)) (entry.word) }
                    }
                    @if around.chat {
                        a.item href="/chat" { (icon(Icon::Questions)) "Чат в браузере" }
                    }
                    button.item type="button" data-theme-cycle { (icon(Icon::Theme)) "Тема" }
                }
            }
        }
    }
}

/// The hidden field that proves a form is ours.
pub fn csrf(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="csrf" value=(visitor.csrf); }
}

/// A word on a ground.
pub fn badge(tone: Tone, word: impl Render) -> Markup {
    html! { span.badge data-tone=(tone.as_str()) { (word) } }
}

/// An order's status, as staff read it.
pub fn status_badge(status: OrderStatus) -> Markup {
    html! {
        span.badge data-status=(status.as_str()) data-tone=(status_tone(status).as_str()) {
            (status.staff_label())
        }
    }
}

/// How a status strikes the eye: what waits for us is lit, what is over is grey.
pub fn status_tone(status: OrderStatus) -> Tone {
    match status {
        OrderStatus::New => Tone::Info,
        OrderStatus::NeedsClient | OrderStatus::Approval => Tone::Warn,
        OrderStatus::Accepted | OrderStatus::Picking | OrderStatus::Ready => Tone::Ok,
        OrderStatus::Draft | OrderStatus::Shipped | OrderStatus::Done | OrderStatus::Cancelled => {
            Tone::Neutral
        }
        OrderStatus::Rejected => Tone::Danger,
    }
}

/// A page of a list, in words and with the ways to its neighbours.
#[derive(Debug, Clone, Copy)]
pub struct Pager {
    /// From 1.
    pub page: u32,
    /// Rows on a page.
    pub size: u32,
    /// Rows in all.
    pub total: u32,
}

impl Pager {
    /// The rows that come before this page.
    pub fn offset(self) -> u32 {
        self.page.saturating_sub(1).saturating_mul(self.size)
    }

    /// The number of pages, at least one.
    pub fn pages(self) -> u32 {
        self.total.div_ceil(self.size.max(1)).max(1)
    }

    /// The line under a list; `href` makes the address of a page.
    pub fn render(self, forms: [&str; 3], href: impl Fn(u32) -> String) -> Markup {
        use crate::domain::ru;
        let first = self.offset() + 1;
        let last = (self.offset() + self.size).min(self.total);
        // «631 товар», but «из 631 товара».
        let of = self.pages() > 1;
        let forms = if of { [forms[1], forms[2], forms[2]] } else { forms };
        let total = ru::count(u64::from(self.total), forms);
        html! {
            div.pager {
                span {
                    @if of {
                        (ru::thousands(u64::from(first))) "–" (ru::thousands(u64::from(last))) " из " (total)
                    } @else { (total) }
                }
                @if self.pages() > 1 {
                    nav aria-label="Страницы" {
                        @if self.page > 1 {
                            a.button.small rel="prev" href=(href(self.page - 1)) aria-label="Предыдущая страница" { (icon(Icon::Back)) }
                        }
                        span.here { (self.page) " / " (self.pages()) }
                        @if self.page < self.pages() {
                            a.button.small rel="next" href=(href(self.page + 1)) aria-label="Следующая страница" { (icon(Icon::Forward)) }
                        }
                    }
                }
            }
        }
    }
}

impl Theme {
    /// «как в системе», «светлая», «тёмная».
    pub fn label(self) -> &'static str {
        match self {
            Self::System => "как в системе",
            Self::Light => "светлая",
            Self::Dark => "тёмная",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_list_agrees_with_the_words_around_it() {
        let said = |total| {
            let pager = Pager { page: 1, size: 50, total };
            let shown = pager.render(["товар", "товара", "товаров"], |_| String::new()).0;
            let (_, words) = shown.split_once("<span>").expect("words");
            words.split_once("</span>").expect("words").0.replace('\u{a0}', " ")
        };
        assert_eq!(said(21), "21 товар");
        assert_eq!(said(42), "42 товара");
        assert_eq!(said(631), "1–50 из 631 товара");
        assert_eq!(said(632), "1–50 из 632 товаров");
        assert_eq!(said(1_011), "1–50 из 1 011 товаров");
    }
}
