//! What the page of an order does. A form that was drawn over an older order is never applied over
//! a newer one: it comes back with what has changed, and its sender decides.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::amount;
use super::page::{FOUND, to_add, to_pick};
use crate::domain::{
    Delivery, Money, OrderLineId, OrderStatus, PersonId, Price, ProductId, Unit, time,
};
use crate::formats::text::Decimal;
use crate::services::ordering::{Edit, OrderError, OrderView};
use crate::web::Desk;
use crate::web::admin::{around, lookup};
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, csrf, page as framed, status_badge};
use crate::web::session::{ManagerSession, Visitor};

/// A price of a billion roubles is a slip of the hand.
const DEAREST: Money = Money::from_kopecks(100_000_000_000);

/// The fields of a form, as they came.
type Fields = Vec<(String, String)>;

fn get<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
}

fn number<T: std::str::FromStr>(fields: &Fields, name: &str) -> Result<T, WebError> {
    get(fields, name)
        .parse()
        .map_err(|_| WebError::Invalid("Форма не понята, обновите страницу.".to_owned()))
}

/// `POST /admin/orders/{number}/status`: the page again, or the badge alone for a script that
/// asks for a fragment.
pub async fn set_status(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Path(order): Path<String>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Result<Response, WebError> {
    let view = lookup(&desk, &order).await?;
    let id = view.order.id;
    let status: OrderStatus = number(&fields, "status")?;
    let version = get(&fields, "version").parse().ok();
    let taken = matches!(view.order.status, OrderStatus::New | OrderStatus::Accepted);
    let moved = if status == OrderStatus::Accepted && taken {
        desk.ordering.accept(me.actor(), id, version).await
    } else {
        let reason = get(&fields, "reason");
        desk.ordering.set_status(me.actor(), id, version, status, reason).await
    };
    let path = format!("/admin/orders/{}/status", view.order.number);
    let order = match moved {
        Ok(order) => order,
        Err(OrderError::Stale) => {
            return conflict(&desk, &visitor, &me, &view, &path, &fields).await;
        }
        Err(error) => return Err(error.into()),
    };
    if headers.contains_key("hx-request") {
        return Ok(status_badge(order.status).into_response());
    }
    // Back to where the button was: the list on a phone has one too.
    let from_list = headers
        .get(header::REFERER)
        .and_then(|v| v.to_str().ok())
        .and_then(|url| url.split_once("/admin/orders"))
        .map(|(_, rest)| rest.to_owned())
        .filter(|rest| !rest.starts_with('/'));
    let back = from_list.map_or_else(
        || format!("/admin/orders/{}", view.order.number),
        |rest| format!("/admin/orders{rest}"),
    );
    Ok(Redirect::to(&back).into_response())
}

/// A message or a note.
#[derive(Debug, Deserialize)]
pub struct MessageForm {
    kind: String,
    text: String,
}

/// `POST /admin/orders/{number}/messages`
pub async fn write(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(number): Path<String>,
    Form(form): Form<MessageForm>,
) -> Result<Redirect, WebError> {
    let order = lookup(&desk, &number).await?.order;
    if form.text.trim().is_empty() {
        return Err(WebError::Invalid("Напишите текст.".to_owned()));
    }
    if form.kind == "note" {
        desk.ordering.note(me.actor(), order.id, &form.text).await?;
    } else {
        desk.ordering.write_to_client(me.actor(), order.id, &form.text, None).await?;
    }
    Ok(Redirect::to(&format!("/admin/orders/{}#composer", order.number)))
}

/// `POST /admin/orders/{number}/lines/{line}`: a manager's choice for a line, or a proposal of it.
pub async fn pick(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Path((order, line)): Path<(String, i64)>,
    Form(fields): Form<Fields>,
) -> Result<Response, WebError> {
    let view = lookup(&desk, &order).await?;
    let line = OrderLineId(line);
    if !view.lines.iter().any(|l| l.id == line) {
        return Err(WebError::NotFound);
    }
    let version = number(&fields, "version")?;
    let id = view.order.id;
    let done = if get(&fields, "propose").is_empty() {
        let product = ProductId(number(&fields, "product")?);
        let remember = get(&fields, "remember") == "1";
        let edit = Edit::Replace { line, product, remember };
        desk.ordering.edit(me.actor(), id, version, edit).await
    } else {
        let product = ProductId(number(&fields, "propose")?);
        desk.ordering.propose(me.actor(), line, version, product).await
    };
    let path = format!("/admin/orders/{}/lines/{line}", view.order.number);
    settled(&desk, &visitor, &me, &view, &path, &fields, done).await
}

/// `POST /admin/orders/{number}/edit`
pub async fn act(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Path(order): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, WebError> {
    let view = lookup(&desk, &order).await?;
    let (id, version) = (view.order.id, number(&fields, "version")?);
    let ordering = &desk.ordering;
    let done = match get(&fields, "act") {
        "send" => ordering.send_changes(me.actor(), id, version).await,
        "manager" => {
            let manager = get(&fields, "manager").parse().ok().map(PersonId);
            ordering.assign(me.actor(), id, Some(version), manager).await
        }
        _ => {
            let edit = asked(&fields, &view)?;
            countable(&desk, &view, get(&fields, "quantity"), &edit).await?;
            ordering.edit(me.actor(), id, version, edit).await
        }
    };
    let path = format!("/admin/orders/{}/edit", view.order.number);
    settled(&desk, &visitor, &me, &view, &path, &fields, done).await
}

/// The change that a form asks for.
fn asked(fields: &Fields, view: &OrderView) -> Result<Edit, WebError> {
    let line = || number(fields, "line").map(OrderLineId);
    let amount = || amount::read(get(fields, "quantity"));
    Ok(match get(fields, "act") {
        "quantity" => {
            let (quantity, said) = amount()?;
            let chosen = Some(get(fields, "unit")).filter(|unit| !unit.is_empty());
            let unit = said.or_else(|| chosen.map(Unit::new));
            Edit::Quantity { line: line()?, quantity, unit }
        }
        "price" => Edit::Price { line: line()?, price: price(get(fields, "price"))? },
        "split" => {
            let (line, (quantity, said)) = (line()?, amount()?);
            let row = view.lines.iter().find(|row| row.id == line).ok_or(WebError::NotFound)?;
            amount::must_leave_some(row, quantity, said.as_ref())?;
            Edit::Split { line, quantity }
        }
        "remove" => Edit::Remove { line: line()? },
        "add" => {
            let (quantity, unit) = amount()?;
            Edit::Add { product: ProductId(number(fields, "product")?), quantity, unit }
        }
        "delivery" => {
            let delivery = match get(fields, "delivery") {
                "pickup" => Delivery::Pickup,
                "date" => Delivery::On(
                    get(fields, "date")
                        .parse()
                        .map_err(|_| WebError::Invalid("Выберите день доставки.".to_owned()))?,
                ),
                _ => Delivery::Any,
            };
            Edit::Delivery { delivery, address: get(fields, "address").to_owned() }
        }
        _ => return Err(WebError::Invalid("Действие не понято.".to_owned())),
    })
}

/// Refuses a part of what the line's product is counted in.
async fn countable(
    desk: &Desk,
    view: &OrderView,
    typed: &str,
    edit: &Edit,
) -> Result<(), WebError> {
    let (quantity, unit, product) = match edit {
        Edit::Add { product, quantity, unit } => (quantity, unit.clone(), Some(*product)),
        Edit::Quantity { line, quantity, .. } | Edit::Split { line, quantity } => {
            let row = view.lines.iter().find(|row| row.id == *line).ok_or(WebError::NotFound)?;
            let said = if let Edit::Quantity { unit, .. } = edit { unit.clone() } else { None };
            let present = Some(&row.unit).filter(|unit| !unit.is_empty());
            (quantity, said.or_else(|| present.map(|unit| Unit::new(unit))), row.product)
        }
        _ => return Ok(()),
    };
    let offer = match product {
        Some(product) => desk.ordering.offer(product).await?,
        None => None,
    };
    let unit = unit.as_ref().map_or("", Unit::as_str);
    amount::must_be_whole(typed, *quantity, unit, offer.as_ref())
}

/// A price of one base unit, as people type it: «1 250,50», «0,85 ₽».
fn price(typed: &str) -> Result<Price, WebError> {
    let number = typed.trim_end_matches(|c: char| c.is_alphabetic() || matches!(c, '₽' | '.'));
    let price = Decimal::parse(number).and_then(Decimal::price).ok();
    price.filter(|price| price.amount > Money::ZERO && price.amount < DEAREST).ok_or_else(|| {
        WebError::Invalid(format!("«{typed}» — не цена. Напишите рубли: «250», «1 250,50»."))
    })
}

async fn settled(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    view: &OrderView,
    path: &str,
    fields: &Fields,
    done: Result<OrderView, OrderError>,
) -> Result<Response, WebError> {
    match done {
        Ok(view) => {
            Ok(Redirect::to(&format!("/admin/orders/{}", view.order.number)).into_response())
        }
        Err(OrderError::Stale) => conflict(desk, visitor, me, view, path, fields).await,
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/orders/{number}/undo`
pub async fn undo(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(number): Path<String>,
) -> Result<Redirect, WebError> {
    let view = lookup(&desk, &number).await?;
    desk.ordering.undo(me.actor(), view.order.id).await?;
    Ok(Redirect::to(&format!("/admin/orders/{}", view.order.number)))
}

/// The order has changed since the form was drawn: what has, and the form again over the new one.
async fn conflict(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    view: &OrderView,
    path: &str,
    fields: &Fields,
) -> Result<Response, WebError> {
    let order = &view.order;
    let now = desk.base.clock.now();
    let seen: i64 = get(fields, "seen").parse().unwrap_or(0);
    let news: Vec<_> = view.events.iter().filter(|event| event.id > seen).collect();
    let last = news.last().or(view.events.last().as_ref()).copied();
    let who = last.map_or("программа", |event| {
        if event.person_name.is_empty() { "программа" } else { &event.person_name }
    });
    let ago = last.map_or_else(String::new, |event| time::ago_in_sentence(now.since(event.at)));
    let back = format!("/admin/orders/{}", order.number);
    let content = html! {
        section.card.narrow #conflict aria-labelledby="conflict-title" {
            header { h1 #conflict-title { "Заказ изменён " (ago) ": " (who) } }
            div.body.form {
                p { "Ваше изменение не сохранено и не потеряно." }
                details.why {
                    summary { "Показать отличия" }
                    ul.plain-list {
                        @for event in &news { li { (event.text) span.sub { (event.person_name) " · " (desk.base.zone.date_time(event.at, now)) } } }
                        @if news.is_empty() { li { "Порядок или служебные сведения, состав тот же." } }
                    }
                }
                form.buttons method="post" action=(path) {
                    (csrf(visitor))
                    @for (name, value) in fields {
                        @if !matches!(name.as_str(), "csrf" | "version" | "seen") { input type="hidden" name=(name) value=(value); }
                    }
                    input type="hidden" name="version" value=(order.revision);
                    input type="hidden" name="seen" value=(view.events.last().map_or(0, |event| event.id));
                    a.button.primary href=(back) { "Взять чужой вариант" }
                    button.button type="submit" { "Сохранить мой" }
                }
            }
        }
    };
    let around = around(desk, me).await?;
    let page = Page {
        title: "Заказ изменён", section: Some(Section::Orders), class: "", content
    };
    Ok((StatusCode::CONFLICT, framed(visitor, &around, &page)).into_response())
}

/// What a search for a line is asked with.
#[derive(Debug, Deserialize)]
pub struct FindQuery {
    #[serde(default)]
    find: String,
}

/// `GET /admin/orders/{number}/options/{line}`: products for a line, or for a `new` one, without
/// the page around them.
pub async fn options(
    State(desk): State<Desk>,
    visitor: Visitor,
    _me: ManagerSession,
    Path((order, line)): Path<(String, String)>,
    Query(query): Query<FindQuery>,
) -> Result<Markup, WebError> {
    let view = lookup(&desk, &order).await?;
    let found = if query.find.trim().is_empty() {
        Vec::new()
    } else {
        desk.ordering.search(&query.find, FOUND).await?
    };
    if line == "new" {
        return Ok(to_add(&visitor, &view, &found));
    }
    let id = line.parse().map(OrderLineId).map_err(|_| WebError::NotFound)?;
    let line = view.lines.iter().find(|row| row.id == id).ok_or(WebError::NotFound)?;
    Ok(to_pick(&visitor, &view, line, &found))
}
