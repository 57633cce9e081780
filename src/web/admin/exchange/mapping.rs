//! «Соответствия»: what 1C's statuses, price types, warehouses and units mean here.

use axum::Form;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::{Tab, head};
use crate::domain::{OrderStatus, Quantity, ru};
use crate::services::exchange::mapping::{Mapping, MappingError};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, Tone, badge, csrf, page as framed, status_badge};
use crate::web::session::{ManagerSession, Visitor};

/// `GET /admin/exchange/mapping`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
) -> Result<Markup, WebError> {
    let mapping = desk.exchange.mapping().await?;
    let around = around(&desk, &me).await?;
    let admin = me.must_be_admin("").is_ok();
    let content = html! {
        (head(&desk, &visitor, &me, Tab::Mapping).await?)
        div.halves {
            (statuses(&visitor, admin, &mapping))
            div {
                (price_types(&mapping))
                (warehouses(&mapping))
            }
        }
        (units(&mapping))
    };
    let page =
        Page {
            title: "Соответствия с 1С", section: Some(Section::Exchange), class: "", content
        };
    Ok(framed(&visitor, &around, &page))
}

fn choices(name: &str) -> Markup {
    html! {
        select name="status" aria-label=(name) {
            @for status in OrderStatus::ALL.iter().filter(|status| status.settable_by_onec()) {
                option value=(status) { (status.staff_label()) }
            }
        }
    }
}

fn statuses(visitor: &Visitor, admin: bool, mapping: &Mapping) -> Markup {
    html! {
        section.card #statuses data-live aria-labelledby="statuses-title" {
            header { h2 #statuses-title { "Статусы заказов" } span.count { (mapping.statuses.len()) } }
            p.body.muted { "Наши слова и коды понятны и так. Здесь — слова вашей 1С." }
            ul.rows {
                @for (word, times) in &mapping.unknown {
                    li {
                        div.grow { "«" (word) "»" span.sub { "приходило " (ru::count(u64::from(*times), ["раз", "раза", "раз"])) ", не понято" } }
                        @if admin {
                            form.in-row method="post" action="/admin/exchange/mapping" {
                                (csrf(visitor))
                                input type="hidden" name="word" value=(word);
                                (choices(&format!("Статус для «{word}»")))
                                button.button.small type="submit" name="act" value="set" { "Сопоставить" }
                            }
                        } @else { (badge(Tone::Warn, "не понято")) }
                    }
                }
                @for (word, status) in &mapping.statuses {
                    li {
                        div.grow { "«" (word) "»" }
                        @match status {
                            Some(status) => (status_badge(*status)),
                            None => (badge(Tone::Danger, "нет такого статуса")),
                        }
                        @if admin {
                            form method="post" action="/admin/exchange/mapping" {
                                (csrf(visitor))
                                input type="hidden" name="word" value=(word);
                                button.button.small.quiet type="submit" name="act" value="forget" { "Убрать" span.sr { " «" (word) "»" } }
                            }
                        }
                    }
                }
                @if mapping.statuses.is_empty() && mapping.unknown.is_empty() {
                    li.muted { "Ни одного слова не сопоставлено" }
                }
            }
            @if admin {
                form.body.inline-form method="post" action="/admin/exchange/mapping" {
                    (csrf(visitor))
                    div.field {
                        label for="word" { "Слово из 1С" }
                        input #word type="text" name="word" required maxlength="100" placeholder="Отгружен частично";
                    }
                    div.field { span.label aria-hidden="true" { "Наш статус" } (choices("Наш статус")) }
                    button.button type="submit" name="act" value="set" { "Добавить" }
                }
            }
        }
    }
}

fn price_types(mapping: &Mapping) -> Markup {
    html! {
        section.card aria-labelledby="prices-title" {
            header { h2 #prices-title { "Виды цен" } span.count { (mapping.price_types.len()) } }
            ul.rows {
                @for item in &mapping.price_types {
                    li {
                        div.grow {
                            @if item.row.name.is_empty() { "Без названия" } @else { (item.row.name) }
                            span.sub { "цены есть у " (ru::count(u64::from(item.products), ["товара", "товаров", "товаров"])) }
                        }
                        @if !item.row.is_roubles() { (badge(Tone::Warn, format!("в валюте {}, не используется", item.row.currency))) }
                        @else if item.default { (badge(Tone::Ok, "основной")) }
                        @else { (badge(Tone::Neutral, "по договору клиента")) }
                    }
                }
                @if mapping.price_types.is_empty() { li.muted { "1С ещё не присылала цен" } }
            }
            @if !mapping.price_types.is_empty() {
                p.body.hint {
                    "Основной вид цен задаёт настройка " code { "onec.exchange.price_type" } ": название или код вида из 1С."
                    @if !mapping.price_types.iter().any(|item| item.default) { " Сейчас основного нет: клиенты без своего вида цен видят «цену подтвердит менеджер»." }
                }
            }
        }
    }
}

fn warehouses(mapping: &Mapping) -> Markup {
    html! {
        section.card aria-labelledby="warehouses-title" {
            header { h2 #warehouses-title { "Склады" } span.count { (mapping.warehouses.len()) } }
            ul.rows {
                @for item in &mapping.warehouses {
                    li {
                        div.grow {
                            @if item.row.name.is_empty() { "Без названия" } @else { (item.row.name) }
                            span.sub { "в наличии " (ru::count(u64::from(item.products), super::RECORDS)) }
                        }
                        @if item.counts { (badge(Tone::Ok, "учитывается")) } @else { (badge(Tone::Neutral, "не учитывается")) }
                    }
                }
                @if mapping.warehouses.is_empty() { li.muted { "1С присылает общий остаток, без складов" } }
            }
            @if mapping.warehouses.len() > 1 {
                p.body.hint { "Чтобы считать остаток одного склада, укажите его в настройке " code { "onec.exchange.warehouse" } "." }
            }
        }
    }
}

fn units(mapping: &Mapping) -> Markup {
    let coefficient = |(least, greatest): (i64, i64), unit: &str| {
        let (least, greatest) =
            (Quantity::from_thousandths(least), Quantity::from_thousandths(greatest));
        let (least, greatest) = (least.with_unit(""), greatest.with_unit(""));
        let (least, greatest) = (least.trim().to_owned(), greatest.trim().to_owned());
        if least == greatest {
            format!("1\u{a0}{unit} = {least}")
        } else {
            format!("1\u{a0}{unit} = от {least} до {greatest}")
        }
    };
    html! {
        section.card.units aria-labelledby="units-title" {
            header { h2 #units-title { "Единицы" } span.count { (mapping.units.len()) } }
            @if mapping.units.is_empty() { p.body.muted { "Каталог пуст" } } @else {
                div.table-wrap {
                    table.cards-on-phone.simple {
                        caption.sr { "Единицы товаров, частые сверху" }
                        thead { tr { th scope="col" { "Единица" } th.num scope="col" { "Базовая у товаров" } th.num scope="col" { "Упаковка у товаров" } th scope="col" { "В базовых единицах" } } }
                        tbody {
                            @for unit in &mapping.units {
                                tr {
                                    td { strong { (unit.unit) } }
                                    td.num { span.only-phone.muted { "базовая у " } (super::figure(unit.base)) }
                                    td.num { span.only-phone.muted { "упаковка у " } (super::figure(unit.packs)) }
                                    td { @if unit.packs > 0 { (coefficient(unit.coefficients, &unit.unit)) } @else { span.muted { "—" } } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A word of 1C and what becomes of it.
#[derive(Debug, Deserialize)]
pub struct MapForm {
    act: String,
    #[serde(default)]
    word: String,
    #[serde(default)]
    status: String,
}

/// `POST /admin/exchange/mapping`: maps a word of 1C to a status, or forgets it.
pub async fn map(
    State(desk): State<Desk>,
    me: ManagerSession,
    Form(form): Form<MapForm>,
) -> Result<Redirect, WebError> {
    me.must_be_admin("сопоставлять статусы 1С")?;
    let status = match form.act.as_str() {
        "set" => {
            let status = form.status.parse::<OrderStatus>();
            Some(status.map_err(|_| WebError::Invalid("Выберите статус.".to_owned()))?)
        }
        "forget" => None,
        _ => return Err(WebError::Invalid("Действие не понято.".to_owned())),
    };
    match desk.exchange.map_status(&form.word, status, me.account_actor()).await {
        Ok(()) => Ok(Redirect::to("/admin/exchange/mapping")),
        Err(MappingError::Storage(error)) => Err(WebError::internal(error)),
        Err(error) => Err(WebError::Invalid(format!("{error}."))),
    }
}
