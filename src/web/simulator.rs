//! The browser chat: a second door to the same conversations, and the window of the demo.
//!
//! Its wire is the table of [`BrowserChat`]: what the program shows is written there by [`Door`],
//! open pages are told over server-sent events. Everything works as plain forms too.

use std::net::SocketAddr;

use axum::Form;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::Event as Told;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;

use super::error::WebError;
use super::layout::{alone, csrf, document, mark, theme_button};
use super::live::{Stream, last_event_id, stream};
use super::markup::{Icon, icon, marked, message, small_icon};
use super::session::Visitor;
use super::{Desk, Persona, privilege};
use crate::chat::event::{Event, EventKind};
use crate::config::ChatMode;
use crate::domain::{ChatKey, Phone, Timestamp};
use crate::services::browser_chat::{BrowserChat, Content, Item, Picture};
use crate::services::live::Change;
use crate::services::notifications::{
    ButtonTarget, Delivered, DeliveryError, InlineButton, Message, Messenger, Outgoing, Place,
    ReplyKeyboard, Sending,
};
use crate::services::ordering::Party;
use crate::storage::StorageError;

/// A message's words, as in Telegram.
/// Source: Bot API, `sendMessage` <https://core.telegram.org/bots/api#sendmessage>.
const TEXT_MAX_CHARS: usize = 4_096;

/// Texts to try, with what they are.
const EXAMPLES: [(&str, &str); 3] = [
    ("Короткий заказ", "скоба 80/10 5 кор, спанбонд 100 белый 1.6 50 м"),
    (
        "Как пишут на деле",
        "Добрый день! На завтра нужно:\nсаморез 4.2х16 сверло -4т.шт\nмолния рулон чёрная 2\nскобы 80/10 5 кор\nпоролон 2540 40мм 10 листов\nнитки в тон 3шт\nспасибо",
    ),
    ("Вопрос", "когда будет поролон 40 мм?"),
];

/// The browser chat as a way out for the courier.
#[derive(Clone)]
pub struct Door {
    chat: BrowserChat,
}

impl Door {
    /// Over these messages.
    pub fn new(chat: BrowserChat) -> Self {
        Self { chat }
    }

    async fn show(
        &self,
        chat: &ChatKey,
        place: Place,
        what: &Message,
        held: Option<i64>,
    ) -> Result<i64, DeliveryError> {
        match (place, held) {
            (Place::InPlace, Some(id)) => {
                let present = self.chat.edit(chat, id, what.clone()).await.map_err(not_now)?;
                if present { Ok(id) } else { Err(DeliveryError::MessageGone) }
            }
            (_, held) => self.chat.show(chat, what.clone(), held).await.map_err(not_now),
        }
    }
}

impl Messenger for Door {
    fn deliver<'a>(
        &'a self,
        chat: &'a ChatKey,
        outgoing: &'a Outgoing,
        message_id: Option<i64>,
    ) -> Sending<'a, Result<Delivered, DeliveryError>> {
        Box::pin(async move {
            let message_id = match outgoing {
                Outgoing::Show { place, message, .. } => {
                    Some(self.show(chat, *place, message, message_id).await?)
                }
                Outgoing::Remove { .. } => {
                    if let Some(id) = message_id {
                        self.chat.remove(chat, id).await.map_err(not_now)?;
                    }
                    None
                }
                Outgoing::RemoveMessage { message_id } => {
                    self.chat.remove(chat, *message_id).await.map_err(not_now)?;
                    None
                }
                Outgoing::Answer { text: Some(text), alert, .. } => {
                    self.chat.toast(chat, text.clone(), *alert).await.map_err(not_now)?;
                    None
                }
                Outgoing::Answer { text: None, .. }
                | Outgoing::Typing
                | Outgoing::Commands { .. }
                | Outgoing::Notice(_) => None,
            };
            Ok(Delivered { message_id })
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is mapped over errors")]
fn not_now(error: StorageError) -> DeliveryError {
    DeliveryError::Temporary(error.to_string())
}

/// Whether the browser chat is open to whoever sent this.
pub async fn available(desk: &Desk, parts: &Parts) -> Result<bool, WebError> {
    if desk.demo.is_some() {
        return Ok(true);
    }
    match desk.base.config.server.chat {
        ChatMode::Off => Ok(false),
        ChatMode::On => Ok(parts.extensions.get::<Visitor>().is_none_or(|v| v.session.is_some())),
        ChatMode::Auto => {
            if desk.base.config.telegram.bot_token.is_some() {
                return Ok(false);
            }
            let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
            let Some(ConnectInfo(peer)) = peer else { return Ok(false) };
            let has_admin = desk.accounts.has_admin().await?;
            Ok(privilege::loopback(*peer, &parts.headers, &desk.base.config, has_admin))
        }
    }
}

/// Whether the panel points at the browser chat.
pub fn linked(desk: &Desk) -> bool {
    desk.demo.is_some() || desk.base.config.server.chat == ChatMode::On
}

/// The person that a path names, where the chat is open to the visitor.
async fn enter(desk: &Desk, parts: &Parts, key: &str) -> Result<Persona, WebError> {
    if !available(desk, parts).await? {
        if desk.base.config.server.chat == ChatMode::On {
            return Err(WebError::SignIn(parts.uri.path().to_owned()));
        }
        return Err(WebError::NotFound);
    }
    desk.personas().into_iter().find(|persona| persona.key == key).ok_or(WebError::NotFound)
}

/// `GET /chat`
pub async fn start(State(desk): State<Desk>, parts: Parts) -> Result<Redirect, WebError> {
    let personas = desk.personas();
    // The one who already buys here shows most.
    let first = personas.iter().filter(|p| !p.staff).max_by_key(|p| p.phone.is_some());
    let first = first.or(personas.first()).map(|p| p.key.clone()).unwrap_or_default();
    enter(&desk, &parts, &first).await?;
    Ok(Redirect::to(&format!("/chat/{first}")))
}

/// What the page of a chat is asked for beside the chat.
#[derive(Debug, Default, Deserialize)]
pub struct PageQuery {
    /// Shows the form for a phone number.
    #[serde(default)]
    contact: Option<String>,
}

/// `GET /chat/{persona}`
pub async fn page(
    State(desk): State<Desk>,
    Path(key): Path<String>,
    Query(query): Query<PageQuery>,
    visitor: Visitor,
    parts: Parts,
) -> Result<Response, WebError> {
    let persona = enter(&desk, &parts, &key).await?;
    let personas = desk.personas();
    // On a wide window the other side stands beside: a client and a manager.
    let other = personas
        .iter()
        .filter(|other| other.staff != persona.staff)
        .max_by_key(|other| other.phone.is_some());
    let (left, right) = match other {
        Some(other) if persona.staff => (other, Some(&persona)),
        other => (&persona, other),
    };
    let now = desk.base.clock.now();
    let mut panes = Vec::new();
    for shown in [Some(left), right].into_iter().flatten() {
        let picture = desk.chat.picture(&shown.chat()).await?;
        let pane = Pane {
            desk: &desk,
            visitor: &visitor,
            persona: shown,
            asked_contact: shown.key == key && query.contact.is_some(),
            now,
        };
        panes.push((shown.key == key, pane.render(&picture)));
    }
    let body = html! {
        body.chat-page data-chat {
            a.skip href="#chats" { "К переписке" }
            (banner(&desk, &visitor))
            (switch(&personas, &key))
            main.chats #chats data-count=(panes.len()) {
                h1.sr { "Чат: " (persona.label) }
                @for (current, pane) in &panes {
                    div.chat-slot data-current=[current.then_some("yes")] { (pane) }
                }
            }
            div.toasts #toasts role="status" aria-live="polite" {}
        }
    };
    let title = format!("Чат: {}", persona.label);
    let page = document(&visitor, &title, &visitor.company, &body);
    Ok(([(axum::http::header::CACHE_CONTROL, "no-store")], page).into_response())
}

fn banner(desk: &Desk, visitor: &Visitor) -> Markup {
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

fn switch(personas: &[Persona], key: &str) -> Markup {
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
struct Pane<'a> {
    desk: &'a Desk,
    visitor: &'a Visitor,
    persona: &'a Persona,
    asked_contact: bool,
    now: Timestamp,
}

impl Pane<'_> {
    fn render(&self, picture: &Picture) -> Markup {
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
                    @if picture.items.is_empty() {
                        form.start method="post" action=(format!("/chat/{key}/say")) data-say data-start {
                            (csrf(self.visitor))
                            button.button.primary type="submit" name="text" value="/start" { "Начать" }
                        }
                    }
                    p.typing hidden data-typing { "печатает…" }
                }
                @if examples { (self.examples(picture.items.is_empty())) }
                @if self.asked_contact { (self.contact_form()) }
                form.say method="post" action=(format!("/chat/{key}/say")) data-say {
                    (csrf(self.visitor))
                    input type="hidden" name="key" value=(uuid::Uuid::new_v4());
                    label.sr for=(format!("say-{key}")) { "Сообщение: " (self.persona.label) }
                    textarea id=(format!("say-{key}")) name="text" rows="1" maxlength=(TEXT_MAX_CHARS)
                        placeholder=(placeholder(picture.keyboard.as_ref(), self.persona.staff)) {}
                    button.button.primary.icon-only type="submit" aria-label="Отправить сообщение" { (icon(Icon::Send)) }
                }
                div.keyboard data-keyboard { (self.keyboard(picture.keyboard.as_ref())) }
            }
        }
    }

    fn item(&self, item: &Item) -> Markup {
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

    fn keyboard(&self, keyboard: Option<&ReplyKeyboard>) -> Markup {
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

fn placeholder(keyboard: Option<&ReplyKeyboard>, staff: bool) -> String {
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

/// What a person wrote.
#[derive(Debug, Deserialize)]
pub struct SayForm {
    text: String,
    #[serde(default)]
    key: String,
}

/// A button that was pressed.
#[derive(Debug, Deserialize)]
pub struct PressForm {
    data: String,
    message: Option<i64>,
    #[serde(default)]
    key: String,
}

/// A number that is shared.
#[derive(Debug, Deserialize)]
pub struct ContactForm {
    #[serde(default)]
    phone: String,
    #[serde(default)]
    key: String,
}

/// `POST /chat/{persona}/say`
pub async fn say(
    State(desk): State<Desk>,
    Path(key): Path<String>,
    headers: HeaderMap,
    parts: Parts,
    Form(form): Form<SayForm>,
) -> Result<Response, WebError> {
    let persona = enter(&desk, &parts, &key).await?;
    let text = form.text.replace("\r\n", "\n");
    let text = text.trim();
    if text.chars().count() > TEXT_MAX_CHARS {
        return Err(WebError::Invalid(
            "Слишком длинное сообщение: до 4\u{a0}096 знаков.".to_owned(),
        ));
    }
    if !text.is_empty() {
        let event_key = event_key(&form.key);
        let message_id = desk.chat.say(&persona.chat(), &event_key, text.to_owned()).await?;
        let kind = EventKind::Text { text: text.to_owned(), message_id, reply_to: None };
        accept(&desk, &persona, event_key, kind).await?;
    }
    Ok(done(&key, &headers))
}

/// `POST /chat/{persona}/press`
pub async fn press(
    State(desk): State<Desk>,
    Path(key): Path<String>,
    headers: HeaderMap,
    parts: Parts,
    Form(form): Form<PressForm>,
) -> Result<Response, WebError> {
    let persona = enter(&desk, &parts, &key).await?;
    let event_key = event_key(&form.key);
    let kind = EventKind::Pressed {
        data: form.data,
        callback_id: event_key.clone(),
        message_id: form.message,
    };
    accept(&desk, &persona, event_key, kind).await?;
    Ok(done(&key, &headers))
}

/// `POST /chat/{persona}/contact`: the demo's people have a number of their own, anyone else is
/// asked for one.
pub async fn contact(
    State(desk): State<Desk>,
    Path(key): Path<String>,
    headers: HeaderMap,
    parts: Parts,
    Form(form): Form<ContactForm>,
) -> Result<Response, WebError> {
    let persona = enter(&desk, &parts, &key).await?;
    let phone = match (&persona.phone, form.phone.trim()) {
        (Some(own), _) => own.to_string(),
        (None, "") => {
            return Ok(Redirect::to(&format!("/chat/{key}?contact=1")).into_response());
        }
        (None, typed) => match typed.parse::<Phone>() {
            Ok(phone) => phone.to_string(),
            Err(_) => {
                return Err(WebError::Invalid(
                    "Номер не читается. Напишите его целиком, например +7\u{a0}900\u{a0}000-00-09."
                        .to_owned(),
                ));
            }
        },
    };
    let event_key = event_key(&form.key);
    let said = format!("📱 {phone}");
    let message_id = desk.chat.say(&persona.chat(), &event_key, said).await?;
    let name = persona.name.clone();
    let kind = EventKind::Contact { phone, name, own: true, message_id };
    accept(&desk, &persona, event_key, kind).await?;
    Ok(done(&key, &headers))
}

/// The event's key: what the page made, so that a form sent twice is one event; else a new one.
fn event_key(given: &str) -> String {
    let id = given.parse().unwrap_or_else(|_| uuid::Uuid::new_v4());
    format!("web:{id}")
}

async fn accept(
    desk: &Desk,
    persona: &Persona,
    key: String,
    kind: EventKind,
) -> Result<(), WebError> {
    let event = Event {
        key,
        chat: persona.chat(),
        from: persona.chat(),
        from_name: persona.name.clone(),
        at: desk.base.clock.now(),
        kind,
    };
    let payload = serde_json::to_string(&event).map_err(WebError::internal)?;
    desk.conversations.accept(event.key, event.chat, payload).await?;
    Ok(())
}

/// Nothing more for a script, which is told over its stream; the page anew for a plain form.
fn done(key: &str, headers: &HeaderMap) -> Response {
    if headers.contains_key("x-csrf-token") {
        return StatusCode::NO_CONTENT.into_response();
    }
    Redirect::to(&format!("/chat/{key}")).into_response()
}

/// `GET /chat/{persona}/trace`: what was understood of the open draft, line by line.
pub async fn trace(
    State(desk): State<Desk>,
    Path(key): Path<String>,
    visitor: Visitor,
    parts: Parts,
) -> Result<Markup, WebError> {
    let persona = enter(&desk, &parts, &key).await?;
    let who = desk.accounts.who(&persona.chat()).await?;
    let party = Party {
        chat: persona.chat(),
        person: who.person_id(),
        organization: who.acting_for().map(|member| member.organization),
        may_send: who.may_send(),
        sees_prices: who.sees_prices(),
        for_client: false,
    };
    let draft = desk.ordering.open_draft(&party).await?;
    let lines = draft.map(|draft| draft.lines).unwrap_or_default();
    Ok(alone(
        &visitor,
        "Что распознано",
        &html! {
            div.panel #drawer {
                h1 { "Что распознано" }
                @if lines.is_empty() {
                    p.muted { "Открытой заявки нет. Напишите список в чат — здесь появится разбор каждой строки." }
                }
                @for line in &lines {
                    section.traced {
                        h2 { (marked(line.row.state.mark())) " " (line.row.position) ". «" (line.row.raw.trim()) "»" }
                        @if let Some(offer) = &line.offer {
                            p { (offer.title) @if let Some(amount) = line.amount() { " — " (amount) } }
                        }
                        (super::trace::draw(line.row.trace.as_deref()))
                    }
                }
                div.buttons data-no-drawer { a.button href=(format!("/chat/{key}")) { "К переписке" } }
            }
        },
    ))
}

/// Since which revision a page wants to know.
#[derive(Debug, Default, Deserialize)]
pub struct Since {
    #[serde(default)]
    since: i64,
}

/// `GET /chat/{persona}/events`
pub async fn events(
    State(desk): State<Desk>,
    Path(key): Path<String>,
    Query(query): Query<Since>,
    visitor: Visitor,
    headers: HeaderMap,
    parts: Parts,
) -> Result<Stream, WebError> {
    let persona = enter(&desk, &parts, &key).await?;
    let mut since = last_event_id(&headers).unwrap_or(query.since);
    let here = desk.clone();
    Ok(stream(&here, "chat events", move |listener| async move {
        let chat = persona.chat();
        let mut news = desk.base.live.listen();
        loop {
            match desk.chat.changes(&chat, since).await {
                Ok(picture) if picture.revision > since => {
                    since = picture.revision;
                    let told = Told::default()
                        .event("changes")
                        .id(since.to_string())
                        .data(told(&desk, &visitor, &persona, &picture).to_string());
                    if listener.send(Ok(told)).await.is_err() {
                        return;
                    }
                }
                Ok(picture) if picture.revision < since => {
                    // The demo began anew.
                    let _ = listener.send(Ok(Told::default().event("reload").data("{}"))).await;
                    return;
                }
                Ok(_) => {}
                Err(error) => tracing::error!("изменения чата не читаются: {error}"),
            }
            loop {
                match news.recv().await {
                    Ok(Change::WebChat(changed)) if changed == chat => break,
                    Ok(Change::Elsewhere) | Err(RecvError::Lagged(_)) => break,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        }
    }))
}

/// What a page needs to change its picture.
fn told(desk: &Desk, visitor: &Visitor, persona: &Persona, picture: &Picture) -> serde_json::Value {
    let now = desk.base.clock.now();
    let pane = Pane { desk, visitor, persona, asked_contact: false, now };
    let items = picture.items.iter().map(|item| match &item.content {
        None => json!({ "id": item.id, "gone": true }),
        Some(Content::Toast { text, alert }) => json!({ "toast": text, "alert": alert }),
        Some(Content::Own { .. }) => {
            json!({ "id": item.id, "own": true, "html": pane.item(item).into_string() })
        }
        Some(Content::Shown { .. }) => {
            json!({ "id": item.id, "html": pane.item(item).into_string() })
        }
    });
    let items: Vec<_> = items.collect();
    let keyboard = picture.keyboard.as_ref().map(|keyboard| {
        json!({
            "html": pane.keyboard(Some(keyboard)).into_string(),
            "placeholder": placeholder(Some(keyboard), persona.staff),
        })
    });
    json!({ "items": items, "keyboard": keyboard })
}

/// `POST /chat/reset`: the demo begins anew.
pub async fn reset(State(desk): State<Desk>, _: Visitor) -> Result<Redirect, WebError> {
    let Some(demo) = &desk.demo else { return Err(WebError::NotFound) };
    (demo.reset)().await.map_err(WebError::Internal)?;
    desk.base.live.tell(Change::Elsewhere);
    Ok(Redirect::to("/chat"))
}
