//! «Вопросы»: the list, the thread, what is around it.

mod replies;

pub use replies::{change as change_replies, page as replies};

use axum::Form;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::{OrganizationId, PersonId, ThreadId, Timestamp, ru, time};
use crate::services::files::Files;
use crate::services::questions::{
    QuestionError, ReplyRow, ThreadCounts, ThreadPage, ThreadView, Topic, Writer, attachment, fill,
    topic_label,
};
use crate::storage::threads::{Fate, MessageRow, ThreadFilter, ThreadOrder, ThreadRow};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::{WebError, encode};
use crate::web::files;
use crate::web::layout::{Page, Pager, Section, Tone, badge, csrf, page as framed};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// Threads in the list.
const PAGE: u32 = 50;

/// Messages of a thread.
const MESSAGES: u32 = 200;

/// A client who has waited so long is amber.
const LONG: u64 = 30 * 60;

/// And so long, red.
const TOO_LONG: u64 = 2 * 3_600;

/// The address of the list.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ListQuery {
    /// `unanswered`, `mine`, `unread`, `snoozed`, `all`, `closed`.
    #[serde(default)]
    view: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    topic: String,
    /// A manager's id.
    #[serde(default)]
    manager: String,
    /// An organization's id.
    #[serde(default)]
    organization: String,
    #[serde(default)]
    page: String,
    /// A kept reply to begin the answer with.
    #[serde(default)]
    reply: String,
}

impl ListQuery {
    fn view(&self) -> &str {
        if self.view.is_empty() { "unanswered" } else { &self.view }
    }

    fn filter(&self, me: &ManagerSession) -> ThreadFilter {
        let open = ThreadFilter { open: Some(true), ..ThreadFilter::default() };
        let awake = ThreadFilter { snoozed: Some(false), ..open.clone() };
        let filter = match self.view() {
            "mine" => ThreadFilter { manager: Some(me.staff.person), ..awake },
            "unread" => ThreadFilter { unread: true, ..awake },
            "snoozed" => ThreadFilter { snoozed: Some(true), ..open },
            "all" => open,
            "closed" => ThreadFilter { open: Some(false), ..ThreadFilter::default() },
            _ => ThreadFilter { unanswered: true, ..awake },
        };
        let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let manager = self.manager.parse().ok().map(PersonId);
        ThreadFilter {
            words: some(&self.q),
            topic: some(&self.topic),
            manager: filter.manager.or(manager),
            organization: self.organization.parse().ok().map(OrganizationId),
            ..filter
        }
    }

    fn query(&self) -> String {
        let parts = [
            ("view", self.view.as_str()),
            ("q", self.q.trim()),
            ("topic", &self.topic),
            ("manager", &self.manager),
            ("organization", &self.organization),
            ("page", &self.page),
        ];
        let parts = parts.iter().filter(|(_, value)| !value.is_empty());
        let parts: Vec<String> = parts.map(|(k, v)| format!("{k}={}", encode(v))).collect();
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut other = Self { page: String::new(), ..self.clone() };
        change(&mut other);
        format!("/admin/questions{}", other.query())
    }
}

fn writer(me: &ManagerSession) -> Writer {
    Writer::staff(me.staff.person)
}

/// `GET /admin/questions`
pub async fn list(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(query): Query<ListQuery>,
) -> Result<Markup, WebError> {
    draw(&desk, &visitor, &me, &query, None).await
}

/// `GET /admin/questions/{id}`
pub async fn one(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Path(id): Path<i64>,
    Query(query): Query<ListQuery>,
) -> Result<Markup, WebError> {
    let thread = desk.questions().thread(writer(&me), ThreadId(id), MESSAGES).await?;
    draw(&desk, &visitor, &me, &query, Some(thread)).await
}

async fn draw(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    query: &ListQuery,
    open: Option<ThreadView>,
) -> Result<Markup, WebError> {
    let mut pager = Pager { page: query.page.parse().unwrap_or(1).max(1), size: PAGE, total: 0 };
    let order = if matches!(query.view(), "unanswered") {
        ThreadOrder::WaitingFirst
    } else {
        ThreadOrder::LastFirst
    };
    let page = (pager.offset(), PAGE);
    let found = desk.questions().list(writer(me), query.filter(me), order, page).await?;
    pager.total = found.total;
    let counts = desk.questions().counts(writer(me)).await?;
    let managers = desk.accounts.staff().await?.into_iter().filter(|m| m.role.is_staff());
    let managers: Vec<_> = managers.map(|member| (member.id, member.name)).collect();
    let fates = match &open {
        Some(view) => desk.questions().fates(view.thread.id).await?,
        None => Vec::new(),
    };
    let replies = if open.is_some() { desk.questions().replies().await? } else { Vec::new() };
    let around = around(desk, me).await?;
    let shown =
        Shown { desk, visitor, me, query, managers: &managers, fates: &fates, replies: &replies };
    let class = if open.is_some() { "thread-open" } else { "" };
    let content = html! {
        div.page-head { h1 { "Вопросы" } }
        (shown.tabs(counts))
        div.panes {
            div.pane-list { (shown.list(&found, pager, open.as_ref().map(|view| view.thread.id))) }
            @match &open {
                Some(view) => { (shown.thread(view)) (shown.context(&view.thread)) },
                None => div.pane-thread.empty.not-phone {
                    (icon(Icon::Questions))
                    p { "Выберите вопрос слева: здесь откроется переписка." }
                },
            }
        }
    };
    let title = open.as_ref().map_or("Вопросы", |view| &view.thread.subject);
    let page = Page { title, section: Some(Section::Questions), class, content };
    Ok(framed(visitor, &around, &page))
}

struct Shown<'a> {
    desk: &'a Desk,
    visitor: &'a Visitor,
    me: &'a ManagerSession,
    query: &'a ListQuery,
    managers: &'a [(PersonId, String)],
    fates: &'a [(i64, Fate)],
    replies: &'a [ReplyRow],
}

impl Shown<'_> {
    fn now(&self) -> Timestamp {
        self.desk.base.clock.now()
    }

    fn tabs(&self, counts: ThreadCounts) -> Markup {
        let tabs = [
            ("unanswered", "Без ответа", counts.unanswered),
            ("mine", "Мои", counts.mine),
            ("unread", "Непрочитанные", counts.unread),
            ("snoozed", "Отложенные", counts.snoozed),
            ("all", "Все", counts.open),
            ("closed", "Закрытые", counts.closed),
        ];
        html! {
            nav.tabs #tabs data-live aria-label="Виды вопросов" {
                @for (code, word, count) in tabs {
                    a href=(self.query.with(|q| code.clone_into(&mut q.view)))
                        aria-current=[(code == self.query.view()).then_some("page")] {
                        (word) span.count { (count) }
                    }
                }
            }
        }
    }

    fn list(&self, found: &ThreadPage, pager: Pager, open: Option<ThreadId>) -> Markup {
        let query = self.query;
        html! {
            form.filters action="/admin/questions" role="search" aria-label="Отбор вопросов" data-filters {
                input type="hidden" name="view" value=(query.view());
                div.grow { (icon(Icon::Search)) input type="search" name="q" value=(query.q) aria-label="Слова или организация" placeholder="Слова или организация"; }
                select name="topic" aria-label="Тема" {
                    option value="" { "Все темы" }
                    @for topic in Topic::ALL { option value=(topic.as_str()) selected[query.topic == topic.as_str()] { (topic.label()) } }
                }
                @if query.view() != "mine" {
                    select name="manager" aria-label="Кто отвечает" {
                        option value="" { "Все менеджеры" }
                        @for (id, name) in self.managers { option value=(id) selected[query.manager == id.to_string()] { (name) } }
                    }
                }
                @if !query.organization.is_empty() { input type="hidden" name="organization" value=(query.organization); }
                button.button.sr type="submit" { "Найти" }
            }
            div.fresh-bar data-fresh hidden data-forms="новый вопрос|новых вопроса|новых вопросов" {
                button.button type="button" { span data-fresh-words {} " — показать" }
            }
            div #list data-rows data-first=[(pager.page == 1).then_some("yes")] {
                @if found.rows.is_empty() {
                    div.empty {
                        (icon(Icon::Check))
                        @if query.q.is_empty() && query.topic.is_empty() {
                            p { @if query.view() == "unanswered" { "Все вопросы с ответом." } @else { "Здесь пусто." } }
                        } @else {
                            p { "Ничего не найдено" }
                            a.button href=(query.with(|q| { q.q.clear(); q.topic.clear(); q.manager.clear(); q.organization.clear(); })) { "Сбросить фильтры" }
                        }
                    }
                } @else {
                    ul.card.rows.threads { @for row in &found.rows { (self.row(row, open == Some(row.id))) } }
                    (pager.render(["вопрос", "вопроса", "вопросов"], |page| query.with(|q| q.page = page.to_string())))
                }
            }
        }
    }

    fn row(&self, row: &ThreadRow, open: bool) -> Markup {
        let waits = row.open && !row.last_from_staff;
        let seconds = self.now().since(row.last_at).as_secs();
        let tone = match seconds {
            TOO_LONG.. => Tone::Danger,
            LONG.. => Tone::Warn,
            _ => Tone::Neutral,
        };
        html! {
            li id=(format!("thread-{}", row.id)) data-row aria-current=[open.then_some("true")] {
                a.quiet.main-link href=(format!("/admin/questions/{}{}", row.id, self.query.query())) {
                    span.first-line {
                        @if row.unread { span.dot.info {} span.sr { "не прочитан: " } }
                        strong.clip { (who(row)) }
                        span.count { (time::ago(self.now().since(row.last_at))) }
                    }
                    span.clip.block { (row.subject) }
                    span.sub.clip { @if row.last_from_staff { "Вы: " } (row.last_text) }
                }
                span.badges {
                    (badge(Tone::Neutral, topic_label(&row.topic)))
                    @if waits && seconds >= LONG { (badge(tone, format!("ждёт {}", time::ago(self.now().since(row.last_at))))) }
                }
            }
        }
    }

    fn thread(&self, view: &ThreadView) -> Markup {
        let row = &view.thread;
        let action = format!("/admin/questions/{}", row.id);
        html! {
            section.card.pane-thread aria-labelledby="thread-title" data-read=[row.unread.then(|| format!("{action}/read"))] {
                header {
                    a.back.only-phone href=(format!("/admin/questions{}", self.query.query())) aria-label="К вопросам" { (icon(Icon::Back)) }
                    h2.clip #thread-title { (row.subject) }
                    @if !row.open { (badge(Tone::Neutral, "закрыт")) }
                }
                ol.talk #talk data-live aria-live="polite" {
                    @for message in &view.messages { (self.message(message)) }
                }
                form.composer method="post" action=(format!("{action}/messages{}", self.query.query())) data-swap="clear" data-done="Отправлено" {
                    (csrf(self.visitor))
                    fieldset.kinds {
                        legend.sr { "Кому" }
                        label { input type="radio" name="kind" value="client" checked; "Клиенту" }
                        label { input type="radio" name="kind" value="note"; "Заметка" }
                    }
                    label.sr for="composer" { "Текст" }
                    textarea #composer name="text" rows="3" maxlength="4000" required data-key="reply" placeholder="Ответ клиенту или заметка для своих" { (self.begun(row)) }
                    div.foot {
                        (self.kept(row))
                        span.hint.not-phone { kbd { "/" } " — готовый ответ, " kbd { "Ctrl" } " " kbd { "Enter" } " — отправить" }
                        button.button.primary type="submit" { "Ответить" }
                    }
                }
                details.to-send { summary { "Отправить файл" } (files::form(self.visitor, &format!("{action}/files"))) }
            }
        }
    }

    /// What the answer begins with: the kept reply that the address names.
    fn begun(&self, row: &ThreadRow) -> String {
        let chosen = self.query.reply.parse::<i64>().ok();
        let chosen = self.replies.iter().find(|reply| Some(reply.id) == chosen);
        chosen.map(|reply| fill(&reply.text, row)).unwrap_or_default()
    }

    /// The kept replies, each put in at the cursor.
    fn kept(&self, row: &ThreadRow) -> Markup {
        html! {
            details.menu data-menu data-replies {
                summary.button.small { "Готовые ответы" }
                div.popover.to-left.replies {
                    @for reply in self.replies {
                        @let words = fill(&reply.text, row);
                        a.item href=(format!("/admin/questions/{}?reply={}#composer", row.id, reply.id)) data-insert=(words) { (ru::ellipsis(&words.replace('\n', " "), 90)) }
                    }
                    a.item.muted href="/admin/questions/replies" { @if self.replies.is_empty() { "Добавить готовые ответы" } @else { "Изменить список" } }
                }
            }
        }
    }

    fn message(&self, message: &MessageRow) -> Markup {
        let side = if message.note {
            "note"
        } else if message.from_staff {
            "ours"
        } else {
            "theirs"
        };
        html! {
            li data-side=(side) {
                p.said { (message.text) }
                (files::link(self.visitor, attachment(message).as_ref(), &format!("/admin/questions/{}/files/{}", message.thread, message.id)))
                p.who {
                    (message.person_name) @if message.note { " · заметка" }
                    " · " time datetime=(self.desk.base.zone.rfc3339(message.at)) { (self.desk.base.zone.date_time(message.at, self.now())) }
                    @if side == "ours" { (self.fate(message.id)) }
                }
            }
        }
    }

    /// Whether a message of ours has reached the client.
    fn fate(&self, message: i64) -> Markup {
        let fate = self.fates.iter().find(|(id, _)| *id == message).map(|(_, fate)| *fate);
        html! {
            @match fate {
                Some(Fate::Sent(at)) => { " · отправлено " (self.desk.base.zone.time(at)) },
                Some(Fate::Waiting) => { " · отправляется" },
                Some(Fate::Failed) => { " · " span.short { "не доставлено: клиент заблокировал бота" } },
                None => {},
            }
        }
    }

    fn context(&self, row: &ThreadRow) -> Markup {
        let act = |act: &str, word: &str, class: &str| {
            html! {
                form method="post" action=(format!("/admin/questions/{}", row.id)) {
                    (csrf(self.visitor))
                    button class=(class) type="submit" name="act" value=(act) data-key=[(act == "resolve").then_some("resolve")] { (word) }
                }
            }
        };
        let mine = row.manager == Some(self.me.staff.person);
        html! {
            aside.pane-context aria-label="О вопросе" {
                section.card aria-labelledby="about-title" {
                    header { h2 #about-title { "О вопросе" } }
                    div.body {
                        dl.facts {
                            dt { "Клиент" }
                            dd { @if let Some(id) = row.organization { a href=(format!("/admin/clients/{id}")) { (row.organization_name) } } @else { (row.author_name) } }
                            dt { "Автор" } dd { (row.author_name) }
                            dt { "Тема" } dd { (topic_label(&row.topic)) }
                            @if let Some(number) = row.order_number { dt { "Заказ" } dd { a href=(format!("/admin/orders/{number}")) { "№\u{a0}" (number) } } }
                            dt { "Задан" } dd { (self.desk.base.zone.date_time(row.created_at, self.now())) }
                            dt { "Отвечает" } dd { @if let Some(name) = &row.manager_name { (name) } @else { "никто" } }
                            @if let Some(until) = row.snoozed_until { dt { "Отложен" } dd { @if until.since(self.now()).as_secs() > 30 * 86_400 { "до ответа клиента" } @else { "до " (self.desk.base.zone.date_time(until, self.now())) } } }
                        }
                    }
                }
                div.stack {
                    form.in-row.start method="post" action=(format!("/admin/questions/{}", row.id)) {
                        (csrf(self.visitor))
                        select name="manager" aria-label="Кто отвечает клиенту" {
                            option value="" { "никто" }
                            @for (id, name) in self.managers { option value=(id) selected[row.manager == Some(*id)] { (name) } }
                        }
                        button.button.small type="submit" name="act" value="assign" { "Назначить" }
                    }
                    @if row.open { (act("resolve", "Решено", "button")) } @else { (act("reopen", "Открыть снова", "button")) }
                    @if mine { (act("release", "Снять с себя", "button quiet")) } @else { (act("take", "Взять себе", "button quiet")) }
                    @if row.open {
                        @if row.snoozed_until.is_some() { (act("wake", "Не откладывать", "button quiet")) } @else {
                            (act("snooze", "Отложить до завтра 09:00", "button quiet"))
                            (act("snooze-reply", "Отложить до ответа", "button quiet"))
                        }
                    }
                }
            }
        }
    }
}

fn who(row: &ThreadRow) -> &str {
    if row.organization_name.is_empty() { &row.author_name } else { &row.organization_name }
}

/// An answer or a note.
#[derive(Debug, Deserialize)]
pub struct MessageForm {
    kind: String,
    text: String,
}

/// `POST /admin/questions/{id}/messages`
pub async fn write(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(id): Path<i64>,
    Query(query): Query<ListQuery>,
    Form(form): Form<MessageForm>,
) -> Result<Redirect, WebError> {
    let (by, thread) = (writer(&me), ThreadId(id));
    if form.kind == "note" {
        desk.questions().note(by, thread, &form.text).await?;
    } else {
        desk.questions().reply(by, thread, &form.text, None).await?;
    }
    Ok(Redirect::to(&format!("/admin/questions/{id}{}", query.query())))
}

/// `POST /admin/questions/{id}/read`: the page has been seen.
pub async fn read(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(id): Path<i64>,
) -> Result<Redirect, WebError> {
    desk.questions().mark_read(writer(&me), ThreadId(id)).await?;
    Ok(Redirect::to(&format!("/admin/questions/{id}")))
}

/// `GET /admin/questions/{id}/files/{message}`: the file of a message, where this program keeps it.
pub async fn file(
    State(desk): State<Desk>,
    _me: ManagerSession,
    Path((id, message)): Path<(i64, i64)>,
) -> Result<Response, WebError> {
    let attachment = desk.questions().file(ThreadId(id), message).await?;
    let file = Files::new(desk.base.clone()).attached(&attachment).await?;
    Ok(files::download(&file.ok_or(WebError::NotFound)?).into_response())
}

/// `POST /admin/questions/{id}/files`: a file for the client, once however often the form comes.
pub async fn give_file(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(id): Path<i64>,
    request: Request,
) -> Result<Redirect, WebError> {
    let thread = ThreadId(id);
    desk.questions().thread(writer(&me), thread, 1).await?;
    let (said, event_key) = files::said(&desk, request).await?;
    desk.questions().reply(writer(&me), thread, said, Some(&event_key)).await?;
    Ok(Redirect::to(&format!("/admin/questions/{id}#composer")))
}

/// `POST /admin/questions/{id}/files/{message}`: a file that only Telegram keeps, to one's own chat.
pub async fn send_file(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path((id, message)): Path<(i64, i64)>,
) -> Result<Redirect, WebError> {
    let attachment = desk.questions().file(ThreadId(id), message).await?;
    files::forward(&desk, &me, &attachment).await?;
    Ok(Redirect::to(&format!("/admin/questions/{id}")))
}

/// What to do with a thread.
#[derive(Debug, Deserialize)]
pub struct ActForm {
    act: String,
    #[serde(default)]
    manager: String,
}

/// `POST /admin/questions/{id}`
pub async fn act(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(id): Path<i64>,
    Form(form): Form<ActForm>,
) -> Result<Redirect, WebError> {
    let (by, thread) = (writer(&me), ThreadId(id));
    match form.act.as_str() {
        "resolve" => desk.questions().resolve(by, thread).await?,
        "reopen" => desk.questions().reopen(by, thread).await?,
        "take" => desk.questions().assign(by, thread, Some(me.staff.person)).await?,
        "assign" => {
            let manager = form.manager.parse().ok().map(PersonId);
            desk.questions().assign(by, thread, manager).await?;
        }
        "release" => desk.questions().assign(by, thread, None).await?,
        "wake" => desk.questions().snooze(by, thread, None).await?,
        "snooze" => desk.questions().snooze(by, thread, Some(tomorrow_morning(&desk))).await?,
        // A client's message wakes it: until then a year is as good as for ever.
        "snooze-reply" => {
            let until = desk.base.clock.now().plus(std::time::Duration::from_hours(24 * 365));
            desk.questions().snooze(by, thread, Some(until)).await?;
        }
        _ => return Err(WebError::Invalid("Действие не понято.".to_owned())),
    }
    Ok(Redirect::to(&format!("/admin/questions/{id}")))
}

/// 09:00 of the next day in the company's zone.
fn tomorrow_morning(desk: &Desk) -> Timestamp {
    let now = desk.base.clock.now();
    let today = desk.base.zone.civil(now).date();
    let morning = today.tomorrow().unwrap_or(today).at(9, 0, 0, 0);
    desk.base.zone.moment(morning).unwrap_or_else(|| now.plus(std::time::Duration::from_hours(18)))
}

impl From<QuestionError> for WebError {
    fn from(error: QuestionError) -> Self {
        match error {
            QuestionError::NotFound => Self::NotFound,
            QuestionError::Empty => Self::Invalid("Напишите текст.".to_owned()),
            QuestionError::NotAllowed => Self::Forbidden("отвечать клиентам"),
            other => Self::internal(other),
        }
    }
}
