//! How a chat looks: its messages, buttons and keyboard, and the frame of the page.

use maud::{Markup, html};

use super::files;
use super::said::TEXT_MAX_CHARS;
use crate::domain::Timestamp;
use crate::services::browser_chat::{Content, Item, Picture};
use crate::services::notifications::{ButtonTarget, InlineButton, ReplyKeyboard};
use crate::web::layout::{csrf, mark, theme_button};
use crate::web::markup::{Icon, icon, marked, message, small_icon};
use crate::web::session::Visitor;
use crate::web::{Desk, Persona};

/// Texts to try, with what they are.
const EXAMPLES: [(&str, &str); 3] = [
    ("Короткий заказ", "скоба 80/10 5 кор, спанбонд 100 белый 1.6 50 м"),
    (
        "Как пишут на деле",
        "Добрый день! На завтра нужно:\nсаморез 4.2х16 сверло -4т.шт\nмолния рулон чёрная 2\nскобы 80/10 5 кор\nпоролон 2540 40мм 10 листов\nнитки в тон 3шт\nспасибо",
    ),
    ("Вопрос", "когда будет поролон 40 мм?"),
];

pub(super) fn banner(desk: &Desk, visitor: &Visitor) -> Markup {
    let demo = desk.demo.is_some();
    html! {
        header.chat-top {
            a.brand href="/chat" aria-label=(format!("{}: чат", visitor.company)) { (mark()) span.word { (visitor.company) } }
            @if desk.base.config.telegram.bot_token.is_none() {
                p.state {
                    span.dot.warn {}
                    @if demo { "Демо: Telegram не подключён." } @else { "Telegram не подключён." }
                }
                details.menu data-menu {
                    summary.button.small { "Как подключить бота" }
                    div.popover.steps-box {
                        ol {
                            li { "В Telegram откройте " b { "@BotFather" } ", команда " code { "/newbot" } ", и получите токен." }
                            li { "Впишите его в " code { "partner-m.toml" } " (раздел " code { "[telegram]" } ", ключ " code { "bot_token" } ") или в переменную " code { "BOT_TOKEN" } "." }
                            li { "Запустите " code { "partner-m serve" } ". Бот сам появится в сети." }
                        }
                    }
                }
            }
            @if demo {
                form method="post" action="/chat/reset" data-confirm="Начать демо заново? Заявки и переписка этого запуска исчезнут." {
                    (csrf(visitor))
                    button.button.small type="submit" { "Сбросить демо" }
                }
            }
            span.gap {}
            a.button.small href="/admin" { "Панель" }
            (theme_button(visitor))
        }
    }
}

pub(super) fn switch(personas: &[Persona], key: &str) -> Markup {
    html! {
        @if personas.len() > 1 {
            nav.tabs.people aria-label="Кто пишет" {
                @for persona in personas {
                    a href=(format!("/chat/{}", persona.key))
                        aria-current=[(persona.key == key).then_some("page")] { (persona.label) }
                }
            }
        }
    }
}

/// One chat on the page.
pub(super) struct Pane<'a> {
    pub(super) desk: &'a Desk,
    pub(super) visitor: &'a Visitor,
    pub(super) persona: &'a Persona,
    /// Whether the form for a phone number is open.
    pub(super) asked_contact: bool,
    pub(super) now: Timestamp,
}

impl Pane<'_> {
    pub(super) fn render(&self, picture: &Picture) -> Markup {
        let key = &self.persona.key;
        let side = if self.persona.staff { "Менеджер" } else { "Клиент" };
        let examples = !self.persona.staff;
        html! {
            section.chat aria-labelledby=(format!("who-{key}")) data-persona=(key)
                data-revision=(picture.revision) {
                header {
                    span.avatar aria-hidden="true" { (self.persona.label.chars().next().unwrap_or('?')) }
                    h2.clip id=(format!("who-{key}")) { span.sr { (side) ": " } (self.persona.label) }
                    span.count { (side) }
                    @if !self.persona.staff {
                        a.button.quiet.small href=(format!("/chat/{key}/trace")) data-drawer { (icon(Icon::Trace)) "Что распознано" }
                    }
                }
                div.log role="log" aria-live="polite" tabindex="0"
                    aria-label=(format!("Переписка: {}", self.persona.label)) data-log {
                    @for item in &picture.items { (self.item(item)) }
                    @if !has_begun(picture) {
                        form.start method="post" action=(format!("/chat/{key}/say")) data-say data-start {
                            (csrf(self.visitor))
                            button.button.primary type="submit" name="text" value="/start" { "Начать" }
                        }
                    }
                    p.typing hidden data-typing { "печатает…" }
                }
                @if examples { (self.examples(picture.items.is_empty())) }
                @if self.asked_contact { (self.contact_form()) }
                div.entry {
                    (files::form(key, self.visitor))
                    form.say method="post" action=(format!("/chat/{key}/say")) data-say {
                        (csrf(self.visitor))
                        input type="hidden" name="key" value=(uuid::Uuid::new_v4());
                        label.sr for=(format!("say-{key}")) { "Сообщение: " (self.persona.label) }
                        textarea id=(format!("say-{key}")) name="text" rows="1" maxlength=(TEXT_MAX_CHARS)
                            placeholder=(placeholder(picture.keyboard.as_ref(), self.persona.staff)) {}
                        button.button.primary.icon-only type="submit" aria-label="Отправить сообщение" { (icon(Icon::Send)) }
                    }
                }
                div.keyboard data-keyboard { (self.keyboard(picture.keyboard.as_ref())) }
            }
        }
    }

    pub(super) fn item(&self, item: &Item) -> Markup {
        let id = format!("{}-{}", self.persona.key, item.id);
        let time = self.desk.base.zone.date_time(item.at, self.now);
        match &item.content {
            Some(Content::Own { text }) => html! {
                div.msg.own id=(id) data-id=(item.id) {
                    div.bubble { span.sr { "Вы: " } p.text { (marked(text)) } time { (time) } }
                }
            },
            Some(Content::Shown { message: shown }) => html! {
                div.msg.in id=(id) data-id=(item.id) {
                    div.bubble { p.text { (message(&shown.html)) } time { (time) } }
                    @if !shown.buttons.is_empty() {
                        form.inline method="post" action=(format!("/chat/{}/press", self.persona.key)) data-press {
                            (csrf(self.visitor))
                            input type="hidden" name="message" value=(item.id);
                            @for row in &shown.buttons {
                                div.row { @for button in row { (inline_button(button)) } }
                            }
                        }
                    }
                }
            },
            Some(Content::Toast { .. }) | None => html! {},
        }
    }

    fn examples(&self, open: bool) -> Markup {
        html! {
            details.examples open[open] data-examples {
                summary { "Примеры" }
                div.list {
                    @for (name, text) in EXAMPLES {
                        form method="post" action=(format!("/chat/{}/say", self.persona.key)) data-say {
                            (csrf(self.visitor))
                            input type="hidden" name="text" value=(text);
                            button type="submit" { b { (name) } span { (text) } }
                        }
                    }
                }
            }
        }
    }

    fn contact_form(&self) -> Markup {
        let key = &self.persona.key;
        html! {
            form.contact method="post" action=(format!("/chat/{key}/contact")) data-contact {
                (csrf(self.visitor))
                div.field {
                    label for=(format!("phone-{key}")) { "Номер телефона" }
                    input id=(format!("phone-{key}")) type="tel" name="phone" required autofocus
                        placeholder="+7 900 000-00-09" inputmode="tel";
                    span.hint { "В Telegram номер подставляется сам и подтверждён; здесь его нужно ввести." }
                }
                div.buttons {
                    button.button.primary type="submit" { "Отправить номер" }
                    a.button href=(format!("/chat/{key}")) { "Отмена" }
                }
            }
        }
    }

    pub(super) fn keyboard(&self, keyboard: Option<&ReplyKeyboard>) -> Markup {
        let rows = keyboard.map(|k| k.rows.as_slice()).unwrap_or_default();
        let key = &self.persona.key;
        html! {
            @for row in rows {
                div.row {
                    @for button in row {
                        @if button.contact {
                            form method="post" action=(format!("/chat/{key}/contact")) data-contact {
                                (csrf(self.visitor))
                                button.key type="submit" { (marked(&button.label)) }
                            }
                        } @else {
                            form method="post" action=(format!("/chat/{key}/say")) data-say {
                                (csrf(self.visitor))
                                button.key type="submit" name="text" value=(button.label) { (marked(&button.label)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Whether the person has begun: has written something, or was given keys. What comes to them
/// unasked, such as the card of an order, begins nothing.
fn has_begun(picture: &Picture) -> bool {
    let own = |item: &Item| matches!(item.content, Some(Content::Own { .. }));
    picture.keyboard.is_some() || picture.items.iter().any(own)
}

pub(super) fn placeholder(keyboard: Option<&ReplyKeyboard>, staff: bool) -> String {
    let given = keyboard.map(|k| k.placeholder.as_str()).unwrap_or_default();
    match (given, staff) {
        ("", true) => "Сообщение".to_owned(),
        ("", false) => "Товар и количество, можно списком".to_owned(),
        (given, _) => given.to_owned(),
    }
}

fn inline_button(button: &InlineButton) -> Markup {
    match &button.target {
        ButtonTarget::Press(data) => html! {
            button type="submit" name="data" value=(data) { span { (marked(&button.label)) } }
        },
        ButtonTarget::Link(url) if url.starts_with("https://") || url.starts_with('/') => html! {
            a href=(url) { (button.label) (small_icon(Icon::Forward)) }
        },
        ButtonTarget::Link(url) => html! { span.dead title=(url) { (button.label) } },
        ButtonTarget::Copy(text) => html! {
            button type="button" data-copy=(text) { (button.label) }
        },
    }
}
