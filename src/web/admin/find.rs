//! The search at the top: orders, organizations, people, products and the panel's own pages.

mod places;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::{OrderNumber, Role};
use crate::storage::directory::{ClientFilter, ProductFilter};
use crate::storage::orders::OrderFilter;
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::{WebError, encode};
use crate::web::layout::{Page, page as framed, status_badge};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// Rows of each kind.
const EACH: u32 = 8;

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
pub struct FindQuery {
    #[serde(default)]
    q: String,
}

/// `GET /admin/find`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(query): Query<FindQuery>,
) -> Result<Response, WebError> {
    let q = query.q.trim().to_owned();
    if let Some(number) = OrderNumber::parse(&q)
        && desk.ordering.order_by_number(number).await.is_ok()
    {
        return Ok(Redirect::to(&format!("/admin/orders/{number}")).into_response());
    }
    let around = around(&desk, &me).await?;
    let content = if q.is_empty() { empty() } else { found(&desk, &around, &q).await? };
    let page = Page { title: "Найти", section: None, class: "", content };
    Ok(framed(&visitor, &around, &page).into_response())
}

fn empty() -> Markup {
    html! {
        div.page-head { h1 { "Найти" } }
        div.empty { (icon(Icon::Search)) p { "Номер заказа, организация, ИНН, телефон, артикул, товар, раздел или действие: «импорт», «резервная копия»." } }
    }
}

async fn found(
    desk: &Desk,
    around: &crate::web::layout::Surroundings,
    q: &str,
) -> Result<Markup, WebError> {
    let query = q.to_owned();
    let directory = desk.directory();
    let orders = OrderFilter { query: query.clone(), ..OrderFilter::default() };
    let clients = ClientFilter { query: query.clone(), ..ClientFilter::default() };
    let products = async {
        let mut named = desk.catalog.named(q).await?;
        let total = u32::try_from(named.len()).unwrap_or(u32::MAX);
        named.truncate(EACH as usize);
        let among = ProductFilter { among: Some(named), ..ProductFilter::default() };
        Ok((directory.products(among, 0, EACH).await?, total))
    };
    let (orders, clients, people, (products, products_total)) = tokio::try_join!(
        async { Ok::<_, WebError>(desk.ordering.orders(orders, 0, EACH).await?) },
        async { Ok(directory.clients(clients, 0, EACH).await?) },
        async { Ok(directory.people(query, 0, EACH).await?) },
        products,
    )?;
    let pages = places::find(q, around.role.unwrap_or(Role::Client));
    let nothing =
        orders.total + clients.total + people.total + products_total == 0 && pages.is_empty();
    let coded = encode(q);
    Ok(html! {
        div.page-head { h1 { "Найти: «" (q) "»" } }
        @if nothing {
            div.empty { (icon(Icon::Search)) p { "Ничего не найдено" } a.button href=(format!("/admin/search?text={coded}")) { "Распознать как заказ" } }
        }
        div.found {
            @if !pages.is_empty() {
                (group("Разделы и действия", u32::try_from(pages.len()).unwrap_or(u32::MAX), None, &html! {
                    @for place in &pages { li { div.grow { a href=(place.href) { (place.title) } } } }
                }))
            }
            @if orders.total > 0 {
                (group("Заказы", orders.total, Some(format!("/admin/orders?view=all&q={coded}")), &html! {
                    @for order in &orders.orders {
                        li {
                            div.grow { a href=(format!("/admin/orders/{}", order.number)) { "№\u{a0}" (order.number) } span.sub { (order.organization_name) " · " (order.total) } }
                            (status_badge(order.status))
                        }
                    }
                }))
            }
            @if clients.total > 0 {
                (group("Организации", clients.total, Some(format!("/admin/clients?q={coded}")), &html! {
                    @for row in &clients.rows {
                        li { div.grow { a href=(format!("/admin/clients/{}", row.id)) { (row.name) } @if let Some(inn) = &row.inn { span.sub { "ИНН " (inn) } } } }
                    }
                }))
            }
            @if people.total > 0 {
                (group("Люди", people.total, Some(format!("/admin/people?q={coded}")), &html! {
                    @for row in &people.rows {
                        li { div.grow { a href=(format!("/admin/people?q={}", encode(&row.name))) { (row.name) } span.sub { @if let Some(phone) = &row.phone { (phone) } } } }
                    }
                }))
            }
            @if products_total > 0 {
                (group("Товары", products_total, Some(format!("/admin/catalog?q={coded}")), &html! {
                    @for row in &products.rows {
                        li { div.grow { a href=(format!("/admin/catalog?q={}&open={}", encode(&row.title), row.id)) { (row.title) } span.sub { @if !row.sku.is_empty() { "арт.\u{a0}" (row.sku) " · " } (row.available.with_unit(row.unit.as_str())) } } }
                    }
                }))
            }
        }
    })
}

fn group(title: &str, total: u32, all: Option<String>, rows: &Markup) -> Markup {
    html! {
        section.card {
            header { h2 { (title) } @if let Some(href) = all { a.count href=(href) { "все " (total) } } @else { span.count { (total) } } }
            ul.rows { (rows) }
        }
    }
}
