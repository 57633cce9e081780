//! «Сегодня»: what wants attention, and today's figures.

use axum::extract::State;
use maud::{Markup, html};

use super::state::tone;
use crate::domain::{OrderStatus, Role, ru, time};
use crate::services::bot_status::BotState;
use crate::services::health::{Level, Report};
use crate::services::ordering::OrderPage;
use crate::services::overview::Figures;
use crate::services::standing;
use crate::storage::figures::Turnover;
use crate::storage::onec_orders::QueuedOrder;
use crate::storage::orders::{AskingOrder, OrderFilter, OrderRow};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, Tone, page as framed, status_badge};
use crate::web::markup::{Icon, icon, marked};
use crate::web::session::{ManagerSession, Visitor};

/// Orders named one by one; the rest is a link.
const NAMED: u32 = 8;

/// So much of a message is shown, in characters.
const BEGINNING: usize = 120;

/// Orders that want attention.
struct Orders {
    untaken: OrderPage,
    unresolved: OrderPage,
    asking: Vec<AskingOrder>,
    /// How many wait for their client.
    waiting: u32,
    /// Whether there has been no order yet.
    empty: bool,
}

impl Orders {
    async fn look(desk: &Desk) -> Result<Self, WebError> {
        let of = |statuses: &[OrderStatus], unresolved: bool, limit: u32| {
            let statuses = statuses.to_vec();
            let filter = OrderFilter { statuses, unresolved, ..OrderFilter::default() };
            desk.ordering.orders(filter, 0, limit)
        };
        let active = [OrderStatus::Accepted, OrderStatus::Picking, OrderStatus::Ready];
        let (untaken, unresolved, asking, waiting, some) = tokio::try_join!(
            of(&[OrderStatus::New], false, NAMED),
            of(&active, true, NAMED),
            desk.ordering.asking(),
            of(&[OrderStatus::NeedsClient], false, 0),
            desk.ordering.order_ids(OrderFilter::default(), 1),
        )?;
        let (waiting, empty) = (waiting.total, some.is_empty());
        Ok(Self { untaken, unresolved, asking, waiting, empty })
    }
}

/// Orders that cannot go to 1C.
struct Stuck {
    /// The first of them with what keeps them.
    orders: Vec<(QueuedOrder, Vec<String>)>,
    /// How many more.
    rest: u32,
}

impl Stuck {
    async fn look(desk: &Desk, exchange: &standing::Standing) -> Result<Self, WebError> {
        if exchange.waiting == 0 {
            return Ok(Self { orders: Vec::new(), rest: 0 });
        }
        let orders = desk.exchange.stuck(NAMED).await?;
        let named = u32::try_from(orders.len()).unwrap_or(u32::MAX);
        Ok(Self { orders, rest: exchange.waiting.saturating_sub(named) })
    }
}

/// `GET /admin`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
) -> Result<Markup, WebError> {
    let overview = desk.overview();
    // Readers do not wait for one another.
    let (orders, figures, report, around, exchange) = tokio::try_join!(
        Orders::look(&desk),
        async { Ok(overview.figures().await?) },
        async { Ok(desk.operations.health.report().await) },
        around(&desk, &me),
        super::exchange::standing(&desk),
    )?;
    let stuck = Stuck::look(&desk, &exchange).await?;
    let Orders { untaken, unresolved, asking, waiting, empty } = orders;
    let requests = desk.accounts.access_requests().await?.len();
    let admin = me.staff.role == Role::Admin;
    let staff = desk.accounts.staff().await?;
    let managers = staff.iter().any(|member| member.role == Role::Manager && !member.blocked);
    let asked = u32::try_from(asking.len()).unwrap_or(u32::MAX);
    let wanted = untaken.total + unresolved.total + waiting + asked + around.open_questions;
    let content = html! {
        div.page-head { h1 { "Сегодня" } }
        @if empty { (first_steps(&desk, &figures, managers, admin)) }
        div.today {
            section.card #attention data-live aria-labelledby="attention-title" {
                header {
                    h2 #attention-title { "Требует внимания" }
                    @if wanted > 0 { span.count { (wanted) } }
                }
                ul.rows {
                    @for order in &untaken.orders { (row(&desk, order, "Новая заявка")) }
                    @if untaken.total > NAMED {
                        li { a href="/admin/orders?view=new" { "Ещё новых: " (untaken.total - NAMED) } }
                    }
                    @for order in asking.iter().take(NAMED as usize) { (asks(&desk, order)) }
                    @if asked > NAMED {
                        li { div.grow.muted { "Ещё сообщений без ответа: " (asked - NAMED) } }
                    }
                    @for order in &unresolved.orders { (row(&desk, order, "Позиции без товара")) }
                    @if waiting > 0 {
                        li {
                            div.grow {
                                a.quiet href="/admin/orders?view=waiting" { "Ждут ответа клиента: " (waiting) }
                            }
                        }
                    }
                    @if around.open_questions > 0 {
                        li { div.grow { a.quiet href="/admin/questions" { "Вопросы без ответа: " (around.open_questions) } } }
                    }
                    @if let Some(held) = &exchange.held {
                        li {
                            div.grow {
                                a.quiet href="/admin/exchange" {
                                    "Скрыть " (ru::count(u64::from(held.products), ["товар", "товара", "товаров"])) "? "
                                    @match held.file.as_deref() {
                                        None => "Полный обмен с 1С их не упомянул",
                                        Some("") => "В загруженном файле их нет",
                                        Some(name) => { "В файле «" (ru::ellipsis(name, 60)) "» их нет" },
                                    }
                                }
                            }
                        }
                    }
                    @if matches!(exchange.state, standing::State::Fails | standing::State::Silent) {
                        li { div.grow { a.quiet href="/admin/exchange" { (exchange.sentence(&desk.base.zone, desk.base.clock.now())) } } }
                    }
                    @for (order, reasons) in &stuck.orders { (keeps(order, reasons)) }
                    @if stuck.rest > 0 {
                        li { div.grow { a.quiet href="/admin/exchange/queue" { "Ещё не могут уйти в 1С: " (ru::count(u64::from(stuck.rest), ["заказ", "заказа", "заказов"])) } } }
                    }
                    @if requests > 0 {
                        li { div.grow { a.quiet href="/admin/requests" { "Запросы доступа: " (requests) } } }
                    }
                    @if let Some((id, records)) = figures.rejected {
                        li { div.grow { a.quiet href=(format!("/admin/exchange/{id}")) { "Последний обмен пропустил " (ru::count(u64::from(records), ["запись", "записи", "записей"])) } } }
                    }
                    @if figures.unverified > 0 {
                        li { div.grow { a.quiet href="/admin/clients?view=unverified" { "Клиенты без подтверждения: " (figures.unverified) } } }
                    }
                    @if admin && figures.undelivered > 0 {
                        li { div.grow { a.quiet href="/admin/outbox?view=failed" { "Не доставлено сообщений: " (figures.undelivered) } } }
                    }
                    @let exchange_wants = exchange.held.is_some()
                        || matches!(exchange.state, standing::State::Fails | standing::State::Silent)
                        || !stuck.orders.is_empty()
                        || figures.rejected.is_some();
                    @let people_want = requests > 0 || figures.unverified > 0 || (admin && figures.undelivered > 0);
                    @if wanted == 0 && !people_want && !exchange_wants {
                        li { div.grow.muted { "Всё разобрано." @if empty { " Первая заявка появится здесь сама." } } }
                    }
                }
            }
            div {
                (figures_card(&figures))
                (state_card(&report, &figures, admin))
                @if !figures.unknown.is_empty() { (unknown_card(&figures)) }
            }
        }
    };
    let page = Page { title: "Сегодня", section: Some(Section::Today), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

fn figures_card(figures: &Figures) -> Markup {
    let share = |turnover: &Turnover| {
        let known = turnover.lines.saturating_sub(turnover.chosen);
        (u64::from(known) * 100 + u64::from(turnover.lines) / 2)
            .checked_div(u64::from(turnover.lines))
    };
    html! {
        section.card #figures data-live aria-labelledby="figures-title" {
            header { h2 #figures-title { "Цифры" } span.count { "сегодня и за 7\u{a0}дней" } }
            dl.figures {
                div { dt { "Заявок" } dd { (figures.today.orders) small.muted { " / " (figures.week.orders) } } }
                div { dt { "На сумму за 7\u{a0}дней" } dd.sum { (figures.week.total) } }
                div { dt { "Распознано само" } dd { @if let Some(share) = share(&figures.week) { (share) "\u{a0}%" } @else { "—" } } }
                div { dt { "Ждут принятия, медиана" } dd { @if let Some(wait) = figures.median_wait { (time::ago(wait)) } @else { "—" } } }
                div { dt { "Доставок сегодня" } dd { (figures.deliveries_today) } }
                div { dt { "Доставок завтра" } dd { (figures.deliveries_tomorrow) } }
            }
        }
    }
}

/// The health strip: every check by its dot, and in words what is not as it should be.
fn state_card(report: &Report, figures: &Figures, admin: bool) -> Markup {
    html! {
        section.card #state data-live aria-labelledby="state-title" {
            header { h2 #state-title { "Состояние" } @if admin { a.count href="/admin/health" { "Подробнее" } } }
            div.body {
                dl.facts {
                    @for check in &report.checks {
                        dt { (check.label) }
                        dd {
                            span class=(format!("dot {}", tone(check.state).as_str())) {} " "
                            @if check.state == Level::Ok { span.sr { (check.state.word()) ": " } } @else { strong { (check.state.word()) } ": " }
                            (check.text)
                            @if !check.hint.is_empty() { span.sub { (check.hint) } }
                        }
                    }
                    dt { "Каталог" }
                    dd { @if figures.products == 0 { "пуст" } @else { (ru::count(u64::from(figures.products), ["товар", "товара", "товаров"])) } }
                }
            }
        }
    }
}

fn unknown_card(figures: &Figures) -> Markup {
    html! {
        section.card aria-labelledby="unknown-title" {
            header { h2 #unknown-title { "Чаще всего не узнаём" } }
            ul.rows {
                @for (phrase, times) in &figures.unknown {
                    li { span.grow { "«" (phrase) "»" } span.count { (ru::count(u64::from(*times), ["раз", "раза", "раз"])) } }
                }
            }
        }
    }
}

/// What to do first, while there are no orders.
fn first_steps(desk: &Desk, figures: &Figures, managers: bool, admin: bool) -> Markup {
    let bot = desk.bot.report().state == BotState::Ok;
    let exchange = desk.base.config.onec.webhook_token.is_some()
        || desk.base.config.onec.exchange.password.is_some()
        || desk.base.config.onec.pull.enabled;
    let steps = [
        (
            bot,
            "Подключите бота",
            "Токен из @BotFather — в telegram.bot_token или BOT_TOKEN",
            "/admin/settings",
        ),
        (
            figures.products > 0,
            "Загрузите каталог",
            "Файлом, выгрузкой из 1С или командой partner-m catalog import ФАЙЛ",
            "/admin/catalog/import",
        ),
        (
            managers,
            "Добавьте менеджера",
            "Кому придут заявки: роль — на карточке человека",
            "/admin/people",
        ),
        (
            exchange,
            "Настройте обмен",
            "Токен или пароль обмена — в разделе [onec] настроек",
            "/admin/exchange/connect",
        ),
        (
            figures.recognised,
            "Проверьте распознавание",
            "Вставьте заявку, какие пишут клиенты, и посмотрите разбор",
            "/admin/search",
        ),
    ];
    html! {
        section.card.first aria-labelledby="first-title" {
            header { h2 #first-title { "Первые шаги" } }
            ol.steps {
                @for (done, what, how, href) in steps {
                    li {
                        span.state-mark data-done[done] { @if done { (icon(Icon::Check)) } @else { (icon(Icon::Forward)) } }
                        div.grow { @if admin { a.quiet href=(href) { strong { (what) } } } @else { strong { (what) } } span.sub.muted { " " (how) } }
                        span.count { (if done { "готово" } else { "не сделано" }) }
                    }
                }
            }
        }
    }
}

/// How serious the bot's state is.
pub fn bot_tone(state: BotState) -> Tone {
    match state {
        BotState::Ok => Tone::Ok,
        BotState::Off | BotState::Starting => Tone::Neutral,
        BotState::Offline => Tone::Warn,
        BotState::Refused | BotState::Conflict => Tone::Danger,
    }
}

/// A client has written about an order.
fn asks(desk: &Desk, order: &AskingOrder) -> Markup {
    let waits = desk.base.clock.now().since(order.at);
    let href = format!("/admin/orders/{}#composer", order.number);
    html! {
        li {
            div.grow {
                a.quiet href=(href) {
                    strong { "№\u{a0}" (order.number) } " · " (order.organization_name)
                }
                span.sub { "Сообщение клиента" @if order.messages > 1 { ", всего " (order.messages) } ": «" (ru::ellipsis(&order.text.replace('\n', " "), BEGINNING)) "»" }
                span.sub { "Ждёт ответа " (time::ago(waits)) @if !order.manager_name.is_empty() { " · " (order.manager_name) } }
            }
            a.button.small href=(href) { "Ответить" span.sr { " по заказу № " (order.number) } (icon(Icon::Forward)) }
        }
    }
}

/// An order that cannot go to 1C.
fn keeps(order: &QueuedOrder, reasons: &[String]) -> Markup {
    let href = format!("/admin/orders/{}", order.number);
    html! {
        li {
            div.grow {
                a.quiet href=(href) {
                    strong { "№\u{a0}" (order.number) } " · " (order.organization_name)
                }
                span.sub { "Не может уйти в 1С: " (reasons.join("; ")) }
            }
            (status_badge(order.status))
            a.button.small href=(href) { "Исправить" span.sr { " № " (order.number) } (icon(Icon::Forward)) }
        }
    }
}

fn row(desk: &Desk, order: &OrderRow, what: &str) -> Markup {
    let waits = desk.base.clock.now().since(order.created_at);
    html! {
        li {
            div.grow {
                a.quiet href=(format!("/admin/orders/{}", order.number)) {
                    strong { "№\u{a0}" (order.number) } " · " (order.organization_name)
                }
                span.sub {
                    (what) " · " (ru::positions(order.line_count as usize))
                    @if order.unresolved_count > 0 { " · " (marked("👤")) "\u{a0}" (order.unresolved_count) }
                    " · " (order.total) " · " (time::ago(waits))
                }
            }
            (status_badge(order.status))
            a.button.small href=(format!("/admin/orders/{}", order.number)) { "Открыть" span.sr { " № " (order.number) } (icon(Icon::Forward)) }
        }
    }
}
