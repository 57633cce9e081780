//! `[Отменить импорт]`: a day for second thoughts, and what came of it.

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};

use crate::domain::ru;
use crate::services::exchange::undo::{Import, UndoError};
use crate::storage::imports::LeftoverRow;
use crate::web::Desk;
use crate::web::error::WebError;
use crate::web::layout::csrf;
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// The import's button while it can be taken back; then what became of it.
pub fn card(desk: &Desk, visitor: &Visitor, admin: bool, import: &Import) -> Markup {
    let (zone, now) = (&desk.base.zone, desk.base.clock.now());
    html! {
        @if let Some(at) = import.row.undone_at {
            section.card aria-labelledby="undone-title" {
                header { h2 #undone-title { "Импорт отменён" } span.count { (zone.date_time(at, now)) } }
                div.body {
                    dl.facts {
                        dt { "Возвращено" } dd { (products(import.row.restored)) }
                        dt { "Снято с продажи" } dd { (products(import.row.removed)) }
                        @if !import.leftovers.is_empty() { dt { "Не возвращено" } dd { (ru::thousands(import.leftovers.len() as u64)) ", причины ниже" } }
                        @if let Some(by) = &import.row.undone_by { dt { "Кем" } dd { (by) } }
                    }
                }
            }
            (leftovers(&import.leftovers))
        } @else if let Some(until) = import.until {
            section.card aria-labelledby="undo-title" {
                header { h2 #undo-title { "Отмена импорта" } span.count { "до " (zone.date_time(until, now)) } }
                div.body.form {
                    p {
                        "Изменённые товары станут прежними, новые уйдут из продажи. Что после импорта изменили 1С или другой файл, останется — и будет названо."
                    }
                    @if admin {
                        form method="post" action=(format!("/admin/exchange/{}/undo", import.row.exchange)) {
                            (csrf(visitor))
                            button.button type="submit" data-confirm="Отменить импорт? Каталог станет таким, каким был до него." { "Отменить импорт" }
                        }
                    } @else { p.muted { "Отменить может администратор." } }
                }
            }
        } @else {
            p.muted.aside-note { "Импорт загружен больше суток назад: отменить его уже нельзя." }
        }
    }
}

fn products(count: u32) -> String {
    ru::count(u64::from(count), ["товар", "товара", "товаров"])
}

fn leftovers(left: &[LeftoverRow]) -> Markup {
    html! {
        @if !left.is_empty() {
            section.card aria-labelledby="left-title" {
                header { h2 #left-title { "Не возвращено" } span.count { (ru::thousands(left.len() as u64)) } }
                ul.rows {
                    @for row in left {
                        li { (icon(Icon::Alert)) div.grow { (row.name) span.sub { (row.reason) } } }
                    }
                }
            }
        }
    }
}

/// `POST /admin/exchange/{id}/undo`: takes the import back.
pub async fn undo(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(id): Path<i64>,
) -> Result<Redirect, WebError> {
    me.must_be_admin("отменять импорт каталога")?;
    match desk.exchange.undo_import(id, me.account_actor()).await {
        Ok(_) => Ok(Redirect::to(&format!("/admin/exchange/{id}"))),
        Err(UndoError::NotFound) => Err(WebError::NotFound),
        Err(UndoError::Storage(error)) => Err(WebError::internal(error)),
        Err(error) => Err(WebError::Conflict(format!("{}.", ru::capitalized(&error.to_string())))),
    }
}
