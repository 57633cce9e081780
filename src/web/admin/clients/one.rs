//! The page of one client, and what is done with them.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::{client_state, in_words};
use crate::domain::{
    MemberState, OrgKind, OrgRole, OrganizationId, PersonId, Phone, ProductId, ru, time,
};
use crate::services::accounts::Actor;
use crate::services::bench::Verdict;
use crate::services::directory::{Client, ClientSide};
use crate::services::questions::Writer;
use crate::storage::audit::AuditRow;
use crate::storage::directory::{ClientFilter, ClientRow};
use crate::storage::merging::Moved;
use crate::storage::orders::{OrderFilter, OrderRow};
use crate::storage::prices::PriceTypeRow;
use crate::storage::threads::{ThreadFilter, ThreadOrder, ThreadRow};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, Tone, badge, csrf, page as framed, status_badge};
use crate::web::markup::{Icon, icon, small_icon};
use crate::web::session::{ManagerSession, Visitor};

/// Rows of a tab.
const ROWS: u32 = 50;

/// The tabs: code and word.
const TABS: [(&str, &str); 7] = [
    ("", "Обзор"),
    ("people", "Люди"),
    ("orders", "Заказы"),
    ("goods", "Что покупает"),
    ("words", "Названия"),
    ("questions", "Вопросы"),
    ("journal", "Журнал"),
];

/// What of the client is shown.
#[derive(Debug, Default, Deserialize)]
pub struct OneQuery {
    #[serde(default)]
    tab: String,
    /// Words of the client that this one is to be joined to.
    #[serde(default)]
    merge: String,
}

struct Shown<'a> {
    desk: &'a Desk,
    visitor: &'a Visitor,
    admin: bool,
    client: &'a Client,
}

/// `GET /admin/clients/{id}`
pub async fn one(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Path(id): Path<i64>,
    Query(query): Query<OneQuery>,
) -> Result<Markup, WebError> {
    let id = OrganizationId(id);
    let client = desk.directory().client(id).await?.ok_or(WebError::NotFound)?;
    let around = around(&desk, &me).await?;
    let admin = me.must_be_admin("").is_ok();
    let shown = Shown { desk: &desk, visitor: &visitor, admin, client: &client };
    let inside = match query.tab.as_str() {
        "people" => shown.people(),
        "orders" => {
            let filter = OrderFilter { organization: Some(id), ..OrderFilter::default() };
            let page = desk.ordering.orders(filter, 0, ROWS).await?;
            shown.orders(&page.orders, page.total)
        }
        "goods" => shown.goods(),
        "words" => shown.words(),
        "questions" => {
            let filter = ThreadFilter { organization: Some(id), ..ThreadFilter::default() };
            let asker = Writer::staff(me.staff.person);
            let order = ThreadOrder::LastFirst;
            let page = desk.questions().list(asker, filter, order, (0, ROWS)).await?;
            shown.questions(&page.rows)
        }
        "journal" => shown.journal(&desk.directory().journal(id, ROWS).await?),
        _ => {
            let filter = OrderFilter { organization: Some(id), ..OrderFilter::default() };
            let orders = desk.ordering.orders(filter, 0, 5).await?;
            let side = desk.directory().client_side(id).await?;
            let types = desk.directory().price_types().await?;
            let managers = managers(&desk).await?;
            let same = if query.merge.trim().is_empty() {
                None
            } else {
                let filter = ClientFilter { query: query.merge.clone(), ..ClientFilter::default() };
                let found = desk.directory().clients(filter, 0, 8).await?.rows;
                let found: Vec<_> = found.into_iter().filter(|row| row.id != id).collect();
                Some((found, desk.directory().would_move(id).await?))
            };
            html! {
                div.two {
                    div {
                        (shown.orders(&orders.orders, orders.total))
                        (shown.settings(&types, &managers))
                        @if admin && client.row.kind == OrgKind::Company { (shown.merging(&query.merge, same.as_ref())) }
                    }
                    aside aria-label="Сведения" { (shown.facts(&side)) (shown.people()) }
                }
            }
        }
    };
    let root = format!("/admin/clients/{id}");
    let content = html! {
        div.page-head {
            a.back href="/admin/clients" aria-label="К клиентам" { (icon(Icon::Back)) }
            h1 { (client.row.name) }
            (client_state(&client.row))
            (shown.actions())
        }
        nav.tabs aria-label="О клиенте" {
            @for (code, word) in TABS {
                a href=(if code.is_empty() { root.clone() } else { format!("{root}?tab={code}") })
                    aria-current=[(code == query.tab).then_some("page")] { (word) }
            }
        }
        (inside)
    };
    let page =
        Page { title: &client.row.name, section: Some(Section::Clients), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

async fn managers(desk: &Desk) -> Result<Vec<(PersonId, String)>, WebError> {
    let staff = desk.accounts.staff().await?.into_iter();
    let staff = staff.filter(|member| member.role.is_staff());
    Ok(staff.map(|member| (member.id, member.name)).collect())
}

impl Shown<'_> {
    fn action(&self) -> String {
        format!("/admin/clients/{}", self.client.row.id)
    }

    fn actions(&self) -> Markup {
        let row = &self.client.row;
        let act = |act: &str, word: &str, class: &str, question: Option<String>| {
            html! {
                form method="post" action=(self.action()) {
                    (csrf(self.visitor))
                    button class=(class) type="submit" name="act" value=(act) data-confirm=[question] { (word) }
                }
            }
        };
        html! {
            div.buttons {
                a.button href=(format!("/admin/orders/new?organization={}", row.id)) { (small_icon(Icon::Plus)) "Заявка за клиента" }
                a.button href=(format!("/admin/search?organization={}", row.id)) { "Открыть как клиент" }
                @if row.verified {
                    (act("unverify", "Снять подтверждение", "button", None))
                } @else {
                    (act("verify", "Подтвердить", "button primary", None))
                }
                @if self.admin {
                    @if row.blocked {
                        (act("unblock", "Открыть доступ", "button", None))
                    } @else {
                        (act("block", "Закрыть доступ", "button danger", Some(format!("Закрыть доступ для «{}»?", row.name))))
                    }
                }
            }
        }
    }

    fn facts(&self, side: &ClientSide) -> Markup {
        let row = &self.client.row;
        let now = self.desk.base.clock.now();
        html! {
            section.card aria-labelledby="facts-title" {
                header { h2 #facts-title { "Сведения" } }
                div.body {
                    dl.facts {
                        dt { "ИНН" } dd { (row.inn.as_deref().unwrap_or("не указан")) }
                        dt { "Код 1С" } dd { (row.external_id.as_deref().unwrap_or("нет")) }
                        dt { "За 90\u{a0}дней" } dd { (ru::count(u64::from(row.orders), ["заказ", "заказа", "заказов"])) ", " (row.total) }
                        @if let Some(balance) = &side.balance {
                            @if let Some(debt) = balance.debt { dt { "Долг" } dd { (debt) } }
                            @if let Some(overdue) = balance.overdue.filter(|sum| sum.kopecks() > 0) { dt { "Просрочено" } dd { (badge(Tone::Danger, overdue.to_string())) } }
                            @if let Some(limit) = balance.limit { dt { "Лимит" } dd { (limit) } }
                            @if !balance.terms.is_empty() { dt { "Условия" } dd { (balance.terms) } }
                            @if let Some(at) = balance.as_of { dt { "Расчёты на" } dd { (self.desk.base.zone.date_time(at, now)) } }
                        } @else { dt { "Долг" } dd.muted { "из 1С не приходил" } }
                        @for address in &side.addresses { dt { "Адрес" } dd { (address) } }
                    }
                }
            }
        }
    }

    /// Whose prices, whose client, and how to let one more person in.
    fn settings(&self, types: &[PriceTypeRow], managers: &[(PersonId, String)]) -> Markup {
        let row = &self.client.row;
        html! {
            section.card aria-labelledby="settings-title" {
                header { h2 #settings-title { "Условия и доступ" } }
                div.body.form {
                    form.inline-form method="post" action=(self.action()) {
                        (csrf(self.visitor))
                        div.field {
                            label for="manager" { "Менеджер" }
                            select #manager name="value" {
                                option value="" { "не назначен" }
                                @for (id, name) in managers { option value=(id) selected[*name == row.manager_name] { (name) } }
                            }
                        }
                        button.button type="submit" name="act" value="manager" { "Назначить" }
                    }
                    @if types.len() > 1 {
                        form.inline-form method="post" action=(self.action()) {
                            (csrf(self.visitor))
                            div.field {
                                label for="price-type" { "Вид цен" }
                                select #price-type name="value" {
                                    option value="" { "основной" }
                                    @for kind in types { option value=(kind.id) selected[kind.name == row.price_type && !kind.name.is_empty()] { @if kind.name.is_empty() { "без названия" } @else { (kind.name) } } }
                                }
                            }
                            button.button type="submit" name="act" value="price_type" { "Сохранить" }
                        }
                    }
                    @if row.kind == OrgKind::Company {
                        form.inline-form method="post" action=(self.action()) {
                            (csrf(self.visitor))
                            div.field { label for="phone" { "Пригласить по телефону" } input #phone type="tel" name="value" placeholder="+7 900 000-00-00; пусто — ссылка"; }
                            div.field {
                                label for="role" { "Роль" }
                                select #role name="role" { @for role in [OrgRole::Buyer, OrgRole::Owner, OrgRole::Viewer] { option value=(role) { (role.label()) } } }
                            }
                            button.button type="submit" name="act" value="invite" { "Пригласить" }
                        }
                    }
                }
            }
        }
    }

    fn merging(&self, asked: &str, same: Option<&(Vec<ClientRow>, Moved)>) -> Markup {
        let row = &self.client.row;
        html! {
            section.card #merge aria-labelledby="merge-title" {
                header { h2 #merge-title { "Объединить с дублем" } }
                div.body.form {
                    form.other action=(format!("{}#merge", self.action())) role="search" aria-label="Найти второго клиента" {
                        input type="search" name="merge" required value=(asked) placeholder="Название или ИНН второго" aria-label="Название или ИНН второго клиента";
                        button.button.small type="submit" { "Найти" }
                    }
                    @if let Some((found, moved)) = same {
                        @if found.is_empty() { p.muted { "Ничего не найдено, измените слова." } }
                        @else {
                            p {
                                "К выбранному клиенту перейдут: людей " (moved.people) ", заказов " (moved.orders) ", вопросов " (moved.threads) ", выученных названий " (moved.words)
                                ". Карточка «" (row.name) "» исчезнет, отменить это нельзя."
                            }
                            form.stack.tight method="post" action=(self.action()) {
                                (csrf(self.visitor))
                                input type="hidden" name="act" value="merge";
                                @for other in found {
                                    button.button type="submit" name="value" value=(other.id) data-confirm=(format!("Перенести всё из «{}» в «{}»?", row.name, other.name)) {
                                        "В «" (other.name) "»" @if let Some(inn) = &other.inn { ", ИНН " (inn) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn people(&self) -> Markup {
        html! {
            section.card aria-labelledby="members-title" {
                header { h2 #members-title { "Люди" } span.count { (self.client.members.len()) } }
                ul.rows {
                    @for member in &self.client.members {
                        li {
                            div.grow {
                                a href=(format!("/admin/people/{}", member.person)) { @if member.name.is_empty() { "Без имени" } @else { (member.name) } }
                                span.sub { (member.role.label()) @if let Some(phone) = &member.phone { " · " a href=(format!("tel:{phone}")) { (phone) } @if !member.phone_verified { " не подтверждён" } } }
                            }
                            @if member.state == MemberState::Pending { (badge(Tone::Warn, "ждёт решения")) (self.decide(member.person, &member.name)) }
                        }
                    }
                    @if self.client.members.is_empty() { li.muted { "Никого нет" } }
                }
            }
        }
    }

    fn decide(&self, person: PersonId, name: &str) -> Markup {
        html! {
            form.in-row method="post" action=(self.action()) {
                (csrf(self.visitor))
                input type="hidden" name="value" value=(person);
                button.button.small type="submit" name="act" value="admit" aria-label=(format!("Принять: {name}")) { "Принять" }
                button.button.small.quiet type="submit" name="act" value="refuse" aria-label=(format!("Отказать: {name}")) { "Отказать" }
            }
        }
    }

    fn orders(&self, orders: &[OrderRow], total: u32) -> Markup {
        let (zone, now) = (&self.desk.base.zone, self.desk.base.clock.now());
        html! {
            section.card aria-labelledby="orders-title" {
                header {
                    h2 #orders-title { "Заказы" }
                    @if total > 0 { a.count href=(format!("/admin/orders?view=all&organization={}", self.client.row.id)) { "все " (total) } }
                }
                ul.rows {
                    @for order in orders {
                        li {
                            div.grow {
                                a href=(format!("/admin/orders/{}", order.number)) { "№\u{a0}" (order.number) }
                                span.sub { (zone.date_time(order.created_at, now)) " · " (ru::positions(order.line_count as usize)) " · " (order.total) }
                            }
                            (status_badge(order.status))
                        }
                    }
                    @if orders.is_empty() { li.muted { "Заказов пока нет" } }
                }
            }
        }
    }

    fn goods(&self) -> Markup {
        let (zone, now) = (&self.desk.base.zone, self.desk.base.clock.now());
        let bought = &self.client.bought;
        if bought.is_empty() {
            return nothing("Покупок пока нет: они появятся с первым заказом.");
        }
        html! {
            div.table-wrap {
                table.cards-on-phone.simple {
                    caption.sr { "Товары, чаще всего сверху" }
                    thead { tr { th scope="col" { "Товар" } th.num scope="col" { "Заказов" } th.num scope="col" { "Всего" } th.num scope="col" { "Последний" } } }
                    tbody {
                        @for line in bought {
                            tr {
                                td { (line.title) @if !line.sku.is_empty() { span.sub { "арт.\u{a0}" (line.sku) } } }
                                td.num data-label="Куплен" { (ru::count(u64::from(line.times), ["заказ", "заказа", "заказов"])) }
                                td.num data-label="Всего" { (line.quantity.with_unit(&line.unit)) }
                                td.num.muted data-label="Последний заказ" { (zone.date(line.last_at, now)) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn words(&self) -> Markup {
        let (zone, now) = (&self.desk.base.zone, self.desk.base.clock.now());
        let learnt = &self.client.learnt;
        if learnt.is_empty() {
            return nothing(
                "Своих названий у клиента пока нет. Они запоминаются, когда товар выбирают по его словам.",
            );
        }
        html! {
            p.hint.lead { "Выключенное название бот больше так не понимает. Забытое может выучить снова, когда товар опять выберут по этим словам." }
            ul.card.rows.learnt {
                @for line in learnt {
                    li {
                        div.grow {
                            "«" (line.phrase) "» " @if line.refused { (badge(Tone::Neutral, "выключено")) }
                            span.sub { @if line.refused { "не " } (line.title) " · " (zone.date(line.at, now)) }
                        }
                        form.in-row method="post" action=(self.action()) {
                            (csrf(self.visitor))
                            input type="hidden" name="value" value=(format!("{} {}", line.product, line.phrase));
                            @if line.refused {
                                button.button.small type="submit" name="act" value="phrase-on" aria-label=(format!("Включить: «{}»", line.phrase)) { "Включить" }
                            } @else {
                                button.button.small type="submit" name="act" value="phrase-off" aria-label=(format!("Выключить: «{}»", line.phrase)) { "Выключить" }
                            }
                            button.button.small.quiet.danger type="submit" name="act" value="phrase-forget"
                                data-confirm=(format!("Забыть название «{}»?", line.phrase))
                                aria-label=(format!("Забыть: «{}»", line.phrase)) { "Забыть" }
                        }
                    }
                }
            }
        }
    }

    fn questions(&self, threads: &[ThreadRow]) -> Markup {
        let now = self.desk.base.clock.now();
        if threads.is_empty() {
            return nothing("Клиент ничего не спрашивал.");
        }
        html! {
            ul.card.rows {
                @for thread in threads {
                    li {
                        div.grow {
                            a href=(format!("/admin/questions/{}", thread.id)) { (thread.subject) }
                            span.sub { (thread.author_name) " · " (time::ago(now.since(thread.last_at))) }
                        }
                        @if !thread.open { (badge(Tone::Neutral, "закрыт")) } @else if thread.last_from_staff { (badge(Tone::Ok, "с ответом")) } @else { (badge(Tone::Warn, "ждёт ответа")) }
                    }
                }
            }
        }
    }

    fn journal(&self, rows: &[AuditRow]) -> Markup {
        let (zone, now) = (&self.desk.base.zone, self.desk.base.clock.now());
        if rows.is_empty() {
            return nothing("С карточкой клиента ещё ничего не делали.");
        }
        html! {
            ul.card.rows {
                @for row in rows {
                    li {
                        div.grow {
                            (action_words(&row.action))
                            @if let Some(after) = row.after.as_deref().filter(|text| !text.is_empty()) { ": " (after) }
                            span.sub { (row.person_name.as_deref().unwrap_or("Программа")) " · " (row.channel.label()) }
                        }
                        span.count { (zone.date_time(row.at, now)) }
                    }
                }
            }
        }
    }
}

fn nothing(words: &str) -> Markup {
    html! { div.empty { (icon(Icon::Clients)) p { (words) } } }
}

/// An action of the journal in words; one that has none, by its code.
fn action_words(action: &str) -> &str {
    match action {
        "organization.verify" => "Подтверждение",
        "organization.unverify" => "Подтверждение снято",
        "organization.block" => "Доступ закрыт",
        "organization.unblock" => "Доступ открыт",
        "organization.manager" => "Назначен менеджер",
        "organization.price_type" => "Выбран вид цен",
        "organization.merge" => "Присоединён дубль",
        "member.invited" => "Приглашение",
        "phrase.accepted" => "Название включено",
        "phrase.refused" => "Название выключено",
        "phrase.forgotten" => "Название забыто",
        other => crate::services::journal::action_label(other),
    }
}

/// What to do with a client.
#[derive(Debug, Deserialize)]
pub struct ActForm {
    act: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    role: String,
}

/// `POST /admin/clients/{id}`
pub async fn act(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Path(id): Path<i64>,
    Form(form): Form<ActForm>,
) -> Result<Response, WebError> {
    let id = OrganizationId(id);
    desk.directory().client(id).await?.ok_or(WebError::NotFound)?;
    let by = me.account_actor();
    let mut to = format!("/admin/clients/{id}");
    let person = || form.value.parse().map(PersonId).map_err(|_| WebError::NotFound);
    match form.act.as_str() {
        "verify" => desk.directory().set_verified(by, id, true).await?,
        "unverify" => desk.directory().set_verified(by, id, false).await?,
        act @ ("block" | "unblock") => {
            me.must_be_admin("закрывать доступ")?;
            desk.directory().set_blocked(by, id, act == "block").await?;
        }
        "manager" => {
            desk.directory().set_manager(by, id, form.value.parse().ok().map(PersonId)).await?;
        }
        "price_type" => desk.directory().set_price_type(by, id, form.value.parse().ok()).await?,
        "admit" => desk.accounts.admit(&by, id, person()?).await.map_err(in_words)?,
        "refuse" => desk.accounts.refuse(&by, id, person()?).await.map_err(in_words)?,
        act @ ("phrase-on" | "phrase-off" | "phrase-forget") => {
            let verdict = match act {
                "phrase-on" => Verdict::Accept,
                "phrase-off" => Verdict::Refuse,
                _ => Verdict::Forget,
            };
            let (product, phrase) = form.value.split_once(' ').ok_or(WebError::NotFound)?;
            let product = product.parse().map(ProductId).map_err(|_| WebError::NotFound)?;
            let bench = desk.bench();
            if !bench.settle_phrase(by, id, product, phrase.to_owned(), verdict).await? {
                return Err(WebError::NotFound);
            }
            to = format!("/admin/clients/{id}?tab=words");
        }
        "invite" => return invite(&desk, &visitor, &me, by, id, &form).await,
        "merge" => {
            me.must_be_admin("объединять клиентов")?;
            let other = form.value.parse().map(OrganizationId).map_err(|_| WebError::NotFound)?;
            if other == id || desk.directory().client(other).await?.is_none() {
                return Err(WebError::NotFound);
            }
            desk.directory().merge(by, id, other).await?;
            to = format!("/admin/clients/{other}");
        }
        _ => return Err(WebError::Invalid("Действие не понято.".to_owned())),
    }
    Ok(Redirect::to(&to).into_response())
}

/// A phone becomes a member at once; without one the page shows a link for one person.
async fn invite(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    by: Actor,
    id: OrganizationId,
    form: &ActForm,
) -> Result<Response, WebError> {
    let role: OrgRole =
        form.role.parse().map_err(|_| WebError::Invalid("Роль не понята.".to_owned()))?;
    if !form.value.trim().is_empty() {
        let phone: Phone = form.value.parse().map_err(|_| {
            WebError::Invalid(format!("«{}» — не номер телефона.", form.value.trim()))
        })?;
        desk.accounts.invite_phone(&by, id, &phone, role).await.map_err(in_words)?;
        return Ok(Redirect::to(&format!("/admin/clients/{id}?tab=people")).into_response());
    }
    let Some(bot) = desk.bot.report().username else {
        let problem = "Ссылка ведёт в бота, а он не подключён. Укажите телефон.";
        return Err(WebError::Invalid(problem.to_owned()));
    };
    let token = desk.accounts.invite(&by, id, role).await.map_err(in_words)?;
    let link = format!("https://t.me/{bot}?start=inv_{}", token.expose());
    let around = around(desk, me).await?;
    let content = html! {
        div.page-head {
            a.back href=(format!("/admin/clients/{id}")) aria-label="К клиенту" { (icon(Icon::Back)) }
            h1 { "Ссылка для одного человека" }
        }
        section.card.narrow {
            div.body.form {
                p { "Работает 7\u{a0}дней и один раз. Роль: " (role.label()) "." }
                p { code { (link) } }
                div.buttons { button.button.primary type="button" data-copy=(link) { "Скопировать" } }
            }
        }
    };
    let page = Page {
        title: "Приглашение", section: Some(Section::Clients), class: "", content
    };
    Ok(framed(visitor, &around, &page).into_response())
}
