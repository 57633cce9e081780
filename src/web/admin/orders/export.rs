//! The list as a file: exactly what the filter lets through, all pages of it.

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::address::ListQuery;
use crate::formats::sheet::{self, Cell};
use crate::web::Desk;
use crate::web::error::WebError;
use crate::web::session::ManagerSession;

/// Orders in one export; more belongs into 1C.
const MAX: u32 = 100_000;

/// Orders read at a time.
const STEP: u32 = 1_000;

const HEADS: [&str; 14] = [
    "№",
    "Создан",
    "Организация",
    "Автор",
    "Телефон",
    "Позиций",
    "Без товара",
    "Сумма",
    "Доставка",
    "Адрес",
    "Статус",
    "Менеджер",
    "Источник",
    "Номер в 1С",
];

/// `GET /admin/orders/export/{format}`
pub async fn export(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(format): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, WebError> {
    let (base, filter) = (&desk.base, ListQuery::of(pairs).filter(&desk, me.staff.person));
    let today = base.zone.civil(base.clock.now()).date();
    let mut rows = vec![HEADS.map(Cell::text).to_vec()];
    let mut offset = 0;
    while offset < MAX {
        let page = desk.ordering.orders(filter.clone(), offset, STEP).await?.orders;
        let last = page.len() < STEP as usize;
        rows.extend(page.iter().map(|order| {
            let phone = order.author_phone.as_ref().map(|p| p.as_str().replace('+', ""));
            vec![
                Cell::Number(order.number.0),
                Cell::text(base.zone.rfc3339(order.created_at)[..16].replace('T', " ")),
                Cell::text(&order.organization_name),
                Cell::text(&order.author_name),
                Cell::text(phone.unwrap_or_default()),
                Cell::Number(i64::from(order.line_count)),
                Cell::Number(i64::from(order.unresolved_count)),
                Cell::Money(order.total),
                Cell::text(order.delivery.label(today)),
                Cell::text(&order.address),
                Cell::text(order.status.staff_label()),
                Cell::text(&order.manager_name),
                Cell::text(order.source.label()),
                Cell::text(order.onec_number.clone().unwrap_or_default()),
            ]
        }));
        if last {
            break;
        }
        offset += STEP;
    }
    file(rows, &format!("orders-{today}"), &format).await
}

/// Rows as a file to download, `csv` or `xlsx`.
pub async fn file(rows: Vec<Vec<Cell>>, name: &str, format: &str) -> Result<Response, WebError> {
    let (bytes, kind) = match format {
        "csv" => (sheet::csv(&rows), "text/csv; charset=utf-8"),
        "xlsx" => {
            let work = move || sheet::xlsx(&rows);
            let book = tokio::task::spawn_blocking(work).await.map_err(WebError::internal)?;
            let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            (book.map_err(WebError::internal)?, kind)
        }
        _ => return Err(WebError::NotFound),
    };
    let name = format!("attachment; filename=\"{name}.{format}\"");
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, bytes).into_response())
}
