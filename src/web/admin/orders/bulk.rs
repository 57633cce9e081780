//! Changes of many orders at once, from the list.

use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::address::ListQuery;
use super::{manager_options, reasons};
use crate::domain::{Delivery, OrderId, OrderStatus, PersonId, ru};
use crate::services::ordering::{Bulk, BulkOutcome};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::WebError;
use crate::web::layout::{Page, Pager, Section, csrf, page as framed};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// Orders changed at once.
const BULK_MAX: u32 = 1_000;

/// What is done with the chosen rows. The bar comes up once one is chosen.
pub fn bar(
    visitor: &Visitor,
    query: &ListQuery,
    pager: Pager,
    managers: &[(PersonId, String)],
    admin: bool,
) -> Markup {
    html! {
        form.bulk-bar #bulk method="post" action="/admin/orders/bulk" aria-label="Действия с выбранными" {
            (csrf(visitor))
            input type="hidden" name="back" value=(query.with(|_| {}));
            span.bulk-count data-pick-count { "Выбранные заказы" }
            @if pager.pages() > 1 {
                label.check { input type="checkbox" name="all" value="1" data-pick; "все " (ru::thousands(u64::from(pager.total))) " по фильтру" }
            }
            span.in-row {
                select name="status" aria-label="Новый статус" {
                    option value="" { "Статус" }
                    @for status in statuses() { option value=(status) { (status.staff_label()) } }
                }
                button.button.small type="submit" name="act" value="status" title="Со статусом клиенты узнают и об изменениях, которых им ещё не отправляли" { "Сменить статус" }
            }
            span.in-row {
                select name="manager" aria-label="Кому назначить" { option value="" { "никому" } (manager_options(managers, None)) }
                button.button.small type="submit" name="act" value="manager" { "Назначить" }
            }
            span.in-row {
                input type="date" name="date" aria-label="Дата доставки";
                button.button.small type="submit" name="act" value="date" { "Дата" }
            }
            @if admin {
                button.button.small type="submit" name="act" value="onec" data-confirm="Заказы, которые уже есть в 1С, будут предложены ей ещё раз." { "Выгрузить в\u{a0}1С" }
            }
            button.button.small type="submit" formmethod="get" formaction="/admin/orders/print" formnovalidate { "Листы сборки" }
        }
    }
}

/// What staff may move many orders to: a parting wants a reason for each, and the rest is the
/// client's.
fn statuses() -> impl Iterator<Item = OrderStatus> {
    let by_staff = |status: OrderStatus| {
        let from = OrderStatus::ALL.iter().filter(|from| **from != OrderStatus::Approval);
        reasons(status).is_none() && from.into_iter().any(|from| from.can_become(status))
    };
    OrderStatus::ALL.iter().copied().filter(move |status| by_staff(*status))
}

/// `POST /admin/orders/bulk`: the list again, or what could not be changed and why.
pub async fn bulk(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let get = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let back = get("back").strip_prefix("/admin/orders").unwrap_or_default();
    let query = ListQuery::parse(back.strip_prefix('?').unwrap_or_default());
    let wrong = |text: &str| WebError::Invalid(text.to_owned());
    let change = match get("act") {
        "status" => {
            let next = get("status").parse().ok().filter(|next| statuses().any(|may| may == *next));
            let next = next.ok_or_else(|| wrong("Выберите новый статус заказов."))?;
            Some(Bulk::Status(next, String::new()))
        }
        "manager" => Some(Bulk::Manager(get("manager").parse().ok().map(PersonId))),
        "date" => {
            let date = get("date").parse().map_err(|_| wrong("Выберите дату доставки."))?;
            Some(Bulk::Delivery(Delivery::On(date)))
        }
        "onec" => {
            me.must_be_admin("отправлять заказы в 1С снова")?;
            None
        }
        _ => return Err(wrong("Действие не понято.")),
    };
    let ids: Vec<OrderId> = if get("all") == "1" {
        let filter = query.filter(&desk, me.staff.person);
        let ids = desk.ordering.order_ids(filter, BULK_MAX + 1).await?;
        if ids.len() > BULK_MAX as usize {
            return Err(wrong("За один раз можно изменить до 1 000 заказов. Сузьте фильтр."));
        }
        ids
    } else {
        let chosen = fields.iter().filter(|(name, _)| name == "order");
        chosen.filter_map(|(_, value)| value.parse().ok()).collect()
    };
    if ids.is_empty() {
        return Err(wrong("Не выбран ни один заказ."));
    }
    let outcome = match change {
        Some(change) => desk.ordering.change_many(me.actor(), ids, change).await?,
        None => offer_again(&desk, &me, ids).await?,
    };
    if outcome.skipped.is_empty() {
        let href = query.with(|query| query.set("done", &outcome.updated.to_string()));
        return Ok(Redirect::to(&href).into_response());
    }
    let around = around(&desk, &me).await?;
    let content = outcome_page(&outcome, &query.with(|_| {}));
    let page = Page { title: "Итог", section: Some(Section::Orders), class: "", content };
    Ok(framed(&visitor, &around, &page).into_response())
}

/// Offers the orders to 1C once more, those that it has.
async fn offer_again(
    desk: &Desk,
    me: &ManagerSession,
    ids: Vec<OrderId>,
) -> Result<BulkOutcome, WebError> {
    let mut outcome = BulkOutcome { updated: 0, skipped: Vec::new() };
    for id in ids {
        if desk.exchange.offer_again(id, me.account_actor()).await? {
            outcome.updated += 1;
        } else {
            let number = desk.ordering.order(id).await?.order.number;
            outcome.skipped.push((number, "1С его ещё не получала: он и так в очереди".to_owned()));
        }
    }
    Ok(outcome)
}

fn outcome_page(outcome: &BulkOutcome, back: &str) -> Markup {
    html! {
        div.page-head {
            a.back href=(back) aria-label="К заказам" { (icon(Icon::Back)) }
            h1 { "Обновлено " (outcome.updated) ", пропущено " (outcome.skipped.len()) }
        }
        section.card.narrow aria-labelledby="skipped-title" {
            header { h2 #skipped-title { "Пропущены" } }
            ul.rows {
                @for (number, why) in &outcome.skipped {
                    li { div.grow { a href=(format!("/admin/orders/{number}")) { "№\u{a0}" (number) } span.sub { (why) } } }
                }
            }
        }
        p { a.button href=(back) { "К списку" } }
    }
}
