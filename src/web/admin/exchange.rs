//! «Обмен с 1С»: how it is doing, the journal, and what an administrator does about it.

pub mod connect;
pub mod mapping;
pub mod queue;
pub mod session;
pub mod undo;

use std::time::Duration;

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::ru;
use crate::services::exchange::journal::{Ending, kind_label, way_label};
use crate::services::pull::{PullError, Pulled};
use crate::services::standing::{self, Standing};
use crate::storage::exchange_journal::JournalFilter;
use crate::storage::exchange_log::{ExchangeRow, HeldHiding};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::{WebError, encode};
use crate::web::layout::{Page, Pager, Section, Signal, Tone, badge, csrf, page as framed};
use crate::web::markup::{Icon, icon, small_icon};
use crate::web::session::{ManagerSession, Visitor};

/// Exchanges on a page of the journal.
const PAGE: u32 = 50;
/// A pull that ends within this time is answered with its outcome.
const QUICK: Duration = Duration::from_secs(3);

/// A number as people type it.
pub const NUMBER: &str = r"[0-9\s]+";

const RECORDS: [&str; 3] = ["товар", "товара", "товаров"];

/// The address of the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct JournalQuery {
    #[serde(default)]
    direction: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    way: String,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    page: String,
}

impl JournalQuery {
    fn filter(&self) -> JournalFilter {
        JournalFilter {
            direction: self.direction.clone(),
            kind: self.kind.clone(),
            way: self.way.clone(),
            outcome: self.outcome.clone(),
        }
    }

    fn is_filtered(&self) -> bool {
        self.filter() != JournalFilter::default()
    }

    fn href(&self, page: u32) -> String {
        let page = if page > 1 { page.to_string() } else { String::new() };
        let parts = [
            ("direction", &self.direction),
            ("kind", &self.kind),
            ("way", &self.way),
            ("outcome", &self.outcome),
            ("page", &page),
        ];
        let parts = parts.iter().filter(|(_, value)| !value.is_empty());
        let parts: Vec<String> = parts.map(|(k, v)| format!("{k}={}", encode(v))).collect();
        if parts.is_empty() {
            return "/admin/exchange".to_owned();
        }
        format!("/admin/exchange?{}", parts.join("&"))
    }
}

/// A tab of the section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tab {
    Journal,
    Queue,
    Connect,
    Mapping,
}

const TABS: [(Tab, &str, &str); 4] = [
    (Tab::Journal, "/admin/exchange", "Журнал"),
    (Tab::Queue, "/admin/exchange/queue", "Очередь в 1С"),
    (Tab::Connect, "/admin/exchange/connect", "Подключение"),
    (Tab::Mapping, "/admin/exchange/mapping", "Соответствия"),
];

/// How the exchange is doing now. A demo has no 1C and shows all the same what it would be given.
pub async fn standing(desk: &Desk) -> Result<Standing, WebError> {
    let pull = desk.pull.as_ref().map(crate::services::pull::Pull::status);
    let mut standing = Standing::look(&desk.base, pull).await?;
    if desk.demo.is_some() && !standing.is_awaited() {
        (standing.queued, standing.waiting) = desk.exchange.queue_size().await?;
    }
    Ok(standing)
}

fn tone(state: standing::State) -> Tone {
    match state {
        standing::State::Off => Tone::Neutral,
        standing::State::Expected | standing::State::Running => Tone::Info,
        standing::State::Works => Tone::Ok,
        standing::State::Silent => Tone::Warn,
        standing::State::Fails => Tone::Danger,
    }
}

/// The word in the frame of every page.
pub async fn signal(desk: &Desk) -> Result<Signal, WebError> {
    let pull = desk.pull.as_ref().map(crate::services::pull::Pull::status);
    let state = Standing::state(&desk.base, pull).await?;
    let word = match state {
        standing::State::Off => "не настроен",
        standing::State::Expected => "ждём",
        standing::State::Running => "идёт обмен",
        standing::State::Works => "работает",
        standing::State::Silent => "молчит",
        standing::State::Fails => "сбой",
    };
    Ok(Signal { name: "1С", state: word, tone: tone(state) })
}

/// The head of every page of the section: the sentence, the button, the tabs.
async fn head(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    tab: Tab,
) -> Result<Markup, WebError> {
    let standing = standing(desk).await?;
    let now = desk.base.clock.now();
    let sentence = standing.sentence(&desk.base.zone, now);
    let admin = me.must_be_admin("").is_ok();
    let can_pull = desk.pull.as_ref().is_some_and(crate::services::pull::Pull::is_set_up);
    Ok(html! {
        div.page-head { h1 { "Обмен с 1С" } }
        div #standing data-live {
            section.card.standing aria-label="Состояние обмена" data-state=(standing.state.as_str()) {
                div.body {
                    p.sentence role="status" {
                        span class=(format!("dot {}", tone(standing.state).as_str())) {}
                        span { (sentence) }
                    }
                    @if admin && can_pull { (pull_button(visitor, "Обменяться сейчас", standing.running_since.is_some(), true)) }
                }
                @if tab == Tab::Journal { (facts(desk, &standing)) }
            }
            @if standing.ways.open {
                p.notice data-tone="danger" {
                    (icon(Icon::Alert))
                    span { "JSON-вызовы 1С принимаются от кого угодно: onec.open включён, а токена нет. Задайте onec.webhook_token." }
                }
            }
            @if tab == Tab::Journal && let Some(held) = &standing.held { (hiding(desk, visitor, admin, held)) }
        }
        nav.tabs #tabs data-live aria-label="Обмен" {
            @for (other, href, word) in TABS {
                a href=(href) aria-current=[(other == tab).then_some("page")] {
                    (word)
                    @if other == Tab::Queue && standing.queued > 0 { span.count { (standing.queued) } }
                }
            }
        }
    })
}

/// The form that pulls now.
pub fn pull_button(visitor: &Visitor, word: &str, running: bool, primary: bool) -> Markup {
    let class = if primary { "button primary" } else { "button" };
    html! {
        form method="post" action="/admin/sync/1c" data-swap data-done="Обмен начат" {
            (csrf(visitor))
            button class=(class) type="submit" disabled[running] { (icon(Icon::Exchange)) @if running { "Идёт обмен" } @else { (word) } }
        }
    }
}

fn facts(desk: &Desk, standing: &Standing) -> Markup {
    let onec = &desk.base.config.onec;
    let pull = desk.pull.as_ref().and_then(crate::services::pull::Pull::address);
    html! {
        dl.figures.four.words {
            div {
                dt { "Обмен с сайтом" }
                dd { @if standing.ways.standard { "включён" } @else { "выключен" } }
            }
            div {
                dt { "JSON из 1С" }
                dd {
                    @if let Some(token) = &onec.webhook_token { "токен " (token.masked()) }
                    @else if standing.ways.open { "без токена, для всех" }
                    @else { "токен не задан" }
                }
            }
            div {
                dt { "Забор каталога" }
                dd {
                    @if let Some(address) = pull {
                        @if onec.pull.enabled { "раз в " (onec.pull.interval.as_secs() / 60) "\u{a0}мин" } @else { "по кнопке" }
                        span.sub { (address) }
                    } @else { "не настроен" }
                }
            }
            div {
                dt { "Ждут 1С" }
                dd {
                    a.quiet href="/admin/exchange/queue" { (ru::count(u64::from(standing.queued), ["заказ", "заказа", "заказов"])) }
                    @if standing.waiting > 0 { span.sub { "не готовы: " (standing.waiting) } }
                }
            }
        }
    }
}

/// «Скрыть 812 товаров?»
pub fn hiding(desk: &Desk, visitor: &Visitor, admin: bool, held: &HeldHiding) -> Markup {
    let count = ru::count(u64::from(held.products), RECORDS);
    let at = desk.base.zone.date_time(held.at, desk.base.clock.now());
    let exchange = |words: &str| {
        html! {
            @match held.exchange {
                Some(id) => { a href=(format!("/admin/exchange/{id}")) { (words) " №\u{a0}" (id) } },
                None => (words),
            }
        }
    };
    html! {
        section.notice.decision data-tone="warn" aria-labelledby="hiding-title" {
            (icon(Icon::Alert))
            div.grow {
                h2 #hiding-title { "Скрыть " (count) "?" }
                p {
                    @match held.file.as_deref() {
                        Some("") => { "В файле (" (exchange("импорт")) ", " (at) ") нет " },
                        Some(name) => { "В файле «" (ru::ellipsis(name, 60)) "» (" (exchange("импорт")) ", " (at) ") нет " },
                        None => { (exchange("Полный обмен")) " в " (at) " не упомянул " },
                    }
                    (ru::thousands(u64::from(held.products))) " из " (ru::thousands(u64::from(held.of_total)))
                    " товаров каталога. Это больше десятой части, поэтому без вас ничего не скрыто."
                }
            }
            @if admin {
                form.buttons method="post" action=(format!("/admin/exchange/hidings/{}", held.id)) {
                    (csrf(visitor))
                    label.typed {
                        "Чтобы скрыть, введите число " (held.products)
                        input type="text" name="number" inputmode="numeric" autocomplete="off" required pattern=(NUMBER) title=(format!("Число {}", held.products));
                    }
                    button.button type="submit" name="act" value="release" { "Скрыть" }
                    button.button type="submit" name="act" value="drop" formnovalidate { "Оставить" }
                }
            }
        }
    }
}

/// How an exchange ended, as a badge.
fn ending(row: &ExchangeRow) -> Markup {
    let ending = Ending::of(row);
    let tone = match ending {
        Ending::Whole => Tone::Ok,
        Ending::Partly => Tone::Warn,
        Ending::Failed => Tone::Danger,
    };
    badge(tone, ending.label())
}

/// «320 мс», «1,4 с», «2 мин».
fn duration(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{ms}\u{a0}мс"),
        1_000..60_000 => format!("{},{}\u{a0}с", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{}\u{a0}мин", ms / 60_000),
    }
}

/// A count that is not worth a look when it is zero.
fn figure(count: u32) -> Markup {
    html! { @if count == 0 { span.muted { "0" } } @else { (ru::thousands(u64::from(count))) } }
}

/// `GET /admin/exchange`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(query): Query<JournalQuery>,
) -> Result<Markup, WebError> {
    let mut pager = Pager { page: query.page.parse().unwrap_or(1).max(1), size: PAGE, total: 0 };
    let found = desk.exchange.journal_page(query.filter(), pager.offset(), PAGE).await?;
    pager.total = found.total;
    let around = around(&desk, &me).await?;
    let content = html! {
        (head(&desk, &visitor, &me, Tab::Journal).await?)
        (filters(&query))
        div #list data-live {
            @if found.rows.is_empty() {
                @if query.is_filtered() {
                    div.empty { (icon(Icon::Search)) p { "Ничего не найдено" } a.button href="/admin/exchange" { "Сбросить фильтры" } }
                } @else {
                    div.empty {
                        (icon(Icon::Exchange))
                        p { "Обменов ещё не было. Настройте 1С — каждый обмен появится здесь со всеми шагами и замечаниями." }
                        a.button href="/admin/exchange/connect" { "Подключить 1С" }
                    }
                }
            } @else {
                (table(&desk, &found.rows))
                (pager.render(["обмен", "обмена", "обменов"], |page| query.href(page)))
            }
        }
    };
    let page =
        Page { title: "Обмен с 1С", section: Some(Section::Exchange), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

fn filters(query: &JournalQuery) -> Markup {
    let select = |name: &str, label: &str, chosen: &str, options: &[(&str, &str)]| {
        html! {
            select name=(name) aria-label=(label) {
                @for (code, word) in options { option value=(code) selected[*code == chosen] { (word) } }
            }
        }
    };
    let kinds = ["catalog", "orders", "statuses", "purchases", "members", "balances"];
    let kinds: Vec<_> =
        [("", "Всё")].into_iter().chain(kinds.map(|k| (k, kind_label(k)))).collect();
    let ways = ["commerceml", "json", "pull", "import"];
    let ways: Vec<_> =
        [("", "Любым способом")].into_iter().chain(ways.map(|w| (w, way_label(w)))).collect();
    html! {
        form.filters action="/admin/exchange" role="search" aria-label="Отбор обменов" data-filters {
            (select("direction", "Направление", &query.direction, &[("", "В обе стороны"), ("in", "Из 1С"), ("out", "В 1С")]))
            (select("kind", "Что передано", &query.kind, &kinds))
            (select("way", "Способ", &query.way, &ways))
            (select("outcome", "Итог", &query.outcome, &[("", "Любой итог"), ("ok", "Норма"), ("partly", "Частично"), ("failed", "Сбой")]))
            button.button type="submit" { "Показать" }
            @if query.is_filtered() { a.button.quiet href="/admin/exchange" { "Сбросить фильтры" } }
        }
    }
}

fn table(desk: &Desk, rows: &[ExchangeRow]) -> Markup {
    html! {
        div.table-wrap {
            table.cards-on-phone.journal {
                caption.sr { "Журнал обменов, новые сверху" }
                thead {
                    tr {
                        th scope="col" { "Время" }
                        th scope="col" { "Что" }
                        th scope="col" { "Откуда" }
                        th.num scope="col" { "Создано" }
                        th.num scope="col" { "Изменено" }
                        th.num scope="col" { "Пропущено" }
                        th scope="col" { "Итог" }
                        th.num.roomy scope="col" { "Длилось" }
                        th.roomy scope="col" { "Код запроса" }
                    }
                }
                tbody { @for row in rows { (line(desk, row)) } }
            }
        }
    }
}

fn line(desk: &Desk, row: &ExchangeRow) -> Markup {
    let base = &desk.base;
    let now = base.clock.now();
    let out = row.kind == "orders";
    html! {
        tr.link id=(format!("exchange-{}", row.id)) {
            td.j-time.nowrap {
                a.main-link href=(format!("/admin/exchange/{}", row.id)) title=(base.zone.rfc3339(row.at)) { (base.zone.date_time(row.at, now)) }
            }
            td.j-what {
                span.way title=(if out { "в 1С" } else { "из 1С" }) { (small_icon(if out { Icon::Upload } else { Icon::Download })) span.sr { (if out { "в 1С" } else { "из 1С" }) } }
                (kind_label(&row.kind))
                @if !row.error.is_empty() { span.sub.wrong { (ru::ellipsis(&row.error, 90)) } }
            }
            td.j-way { (way_label(&row.way)) @if !row.address.is_empty() { span.sub { (row.address) } } }
            td.num.j-made { span.only-phone.muted { "создано " } (figure(row.created)) }
            td.num.j-changed { span.only-phone.muted { "изменено " } (figure(row.changed)) }
            td.num.j-skipped { span.only-phone.muted { "пропущено " } (figure(row.skipped)) }
            td.j-end { (ending(row)) }
            td.num.roomy.muted.j-none { (duration(row.duration_ms)) }
            td.roomy.muted.j-none { @if row.request_id.is_empty() { "—" } @else { code { (ru::ellipsis(&row.request_id, 13)) } } }
        }
    }
}

/// `POST /admin/sync/1c`: pulls the catalogue now, unless a pull runs already.
pub async fn pull(State(desk): State<Desk>, me: ManagerSession) -> Result<Redirect, WebError> {
    me.must_be_admin("обмениваться с 1С")?;
    let Some(pull) = desk.pull.clone().filter(crate::services::pull::Pull::is_set_up) else {
        return Err(refused(&PullError::NotConfigured));
    };
    if pull.status().running_since.is_some() {
        return Err(refused(&PullError::Running));
    }
    let by = me.account_actor();
    let (told, outcome) = tokio::sync::oneshot::channel();
    // It goes on when the page is closed: 1C may take its time.
    desk.tasks.spawn_once("pull by hand", async move {
        let _ = told.send(pull.pull_by_hand(by).await);
    });
    match tokio::time::timeout(QUICK, outcome).await {
        Ok(Ok(Ok(Pulled::Applied(report)))) => {
            Ok(Redirect::to(&format!("/admin/exchange/{}", report.exchange)))
        }
        Ok(Ok(Err(error))) => Err(refused(&error)),
        // Nothing new, or still at it: the first page tells.
        _ => Ok(Redirect::to("/admin/exchange")),
    }
}

fn refused(error: &PullError) -> WebError {
    match error {
        PullError::NotConfigured => WebError::Invalid(
            "Забор каталога не настроен. Укажите в настройках onec.pull.base_url, логин и пароль."
                .to_owned(),
        ),
        PullError::Running => WebError::Conflict(
            "Обмен уже идёт. Дождитесь его конца: итог появится в журнале.".to_owned(),
        ),
        PullError::Storage(error) => WebError::internal(error),
        error => WebError::Invalid(format!("Обмен не удался: {error}.")),
    }
}

/// What is decided about a hiding.
#[derive(Debug, Deserialize)]
pub struct DecideForm {
    act: String,
    /// How many products are to be hidden, typed by the person.
    #[serde(default)]
    number: String,
}

/// `POST /admin/exchange/hidings/{id}`: lets the hiding happen, or forbids it.
pub async fn decide(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(id): Path<i64>,
    Form(form): Form<DecideForm>,
) -> Result<Redirect, WebError> {
    me.must_be_admin("скрывать товары")?;
    let by = me.account_actor();
    let decided = || {
        WebError::Conflict("Это скрытие уже решено: другим человеком или новым обменом.".to_owned())
    };
    if form.act == "release" {
        let held = desk.exchange.held_hiding().await?.filter(|held| held.id == id);
        let count = held.ok_or_else(decided)?.products;
        if typed(&form.number) != Some(count as usize) {
            return Err(WebError::Invalid(format!(
                "Ничего не скрыто: чтобы скрыть {}, введите число {count}.",
                ru::count(u64::from(count), RECORDS)
            )));
        }
    }
    let waited = match form.act.as_str() {
        "release" => desk.exchange.release_hiding(id, by).await?.is_some(),
        "drop" => desk.exchange.drop_hiding(id, by).await?,
        _ => return Err(WebError::Invalid("Действие не понято.".to_owned())),
    };
    if !waited {
        return Err(decided());
    }
    Ok(Redirect::to("/admin/exchange"))
}

/// A number as a person types it, in groups of three or not; `None`: it is none.
pub fn typed(text: &str) -> Option<usize> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    digits.parse().ok()
}
