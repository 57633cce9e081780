//! The page of one product: what 1C says of it, and what is our own.

use axum::extract::{Path, State};
use maud::{Markup, html};

use crate::domain::ProductId;
use crate::services::directory::ProductSheet;
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, Tone, badge, csrf, page as framed};
use crate::web::markup::{Icon, icon, small_icon};
use crate::web::session::{ManagerSession, Visitor};

/// `GET /admin/catalog/products/{id}`
pub async fn product(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Path(id): Path<i64>,
) -> Result<Markup, WebError> {
    let sheet = desk.directory().product(ProductId(id)).await?.ok_or(WebError::NotFound)?;
    let around = around(&desk, &me).await?;
    let line = &sheet.line;
    let content = html! {
        div.page-head {
            a.back href="/admin/catalog" aria-label="К каталогу" { (icon(Icon::Back)) }
            h1 { (line.title) }
            @if line.withdrawn { (badge(Tone::Neutral, "снят с продажи")) }
            @else if line.hidden { (badge(Tone::Neutral, "скрыт")) }
            @else if line.available.is_positive() { (badge(Tone::Ok, "в продаже")) }
            @else { (badge(Tone::Warn, "нет в наличии")) }
        }
        div.two {
            div { (own(&visitor, &sheet)) (prices(&sheet)) (stocks(&sheet)) }
            aside aria-label="Сведения" { (facts(&desk, &sheet)) }
        }
    };
    let page = Page { title: &line.title, section: Some(Section::Catalog), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

fn lock(sheet: &ProductSheet) -> Markup {
    html! { @if sheet.line.from_onec { span.count { (small_icon(Icon::Lock)) " из 1С" } } }
}

fn own(visitor: &Visitor, sheet: &ProductSheet) -> Markup {
    let line = &sheet.line;
    html! {
        section.card aria-labelledby="own-title" {
            header { h2 #own-title { "Своё: обмен с 1С этого не трогает" } }
            form.body.form method="post" action=(format!("/admin/catalog/products/{}", line.id)) {
                (csrf(visitor))
                input type="hidden" name="back" value=(format!("/admin/catalog/products/{}", line.id));
                div.field {
                    label for="words" { "Слова для поиска: как это называют клиенты" }
                    input #words type="text" name="search_words" value=(line.search_words) maxlength="300";
                }
                label.check { input type="checkbox" name="hidden" value="1" checked[line.hidden]; "Не показывать клиентам" }
                div.buttons { button.button.primary type="submit" { "Сохранить" } }
            }
        }
    }
}

fn prices(sheet: &ProductSheet) -> Markup {
    html! {
        section.card aria-labelledby="prices-title" {
            header { h2 #prices-title { "Цены по видам" } (lock(sheet)) }
            ul.rows {
                @for (kind, price) in &sheet.prices { li { div.grow { @if kind.is_empty() { "Основная" } @else { (kind) } } strong { (price) } } }
                @if sheet.prices.is_empty() { li.muted { "Цены нет: её назовёт менеджер в заказе" } }
            }
        }
    }
}

fn stocks(sheet: &ProductSheet) -> Markup {
    let line = &sheet.line;
    html! {
        section.card aria-labelledby="stocks-title" {
            header { h2 #stocks-title { "Свободный остаток" } (lock(sheet)) }
            ul.rows {
                @for (warehouse, quantity) in &sheet.stocks { li { div.grow { (warehouse) } (quantity.with_unit(line.unit.as_str())) } }
                li { div.grow { strong { "Всего" } } strong { (line.available.with_unit(line.unit.as_str())) } }
            }
        }
    }
}

fn facts(desk: &Desk, sheet: &ProductSheet) -> Markup {
    let (line, now) = (&sheet.line, desk.base.clock.now());
    html! {
        section.card aria-labelledby="facts-title" {
            header { h2 #facts-title { "Сведения" } (lock(sheet)) }
            div.body {
                dl.facts {
                    dt { "Артикул" } dd { @if line.sku.is_empty() { "—" } @else { (line.sku) } }
                    dt { "Категория" } dd { @if line.category.is_empty() { "без категории" } @else { (line.category) } }
                    dt { "Единица" } dd { (line.unit.as_str()) }
                    @if !line.packs.is_empty() { dt { "Упаковки" } dd { (line.packs) } }
                    @if let Some(multiple) = line.multiple { dt { "Кратно" } dd { (multiple.with_unit(line.unit.as_str())) } }
                    dt { "Источник" } dd { @if line.from_onec { "1С" } @else { "файл или панель" } }
                    dt { "Изменён" } dd { (desk.base.zone.date_time(line.updated_at, now)) }
                }
            }
        }
    }
}
