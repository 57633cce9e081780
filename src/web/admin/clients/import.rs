//! Clients by file: tried first, then stored, through the same code.

use axum::extract::{FromRequest as _, Multipart, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::services::clients_file::{ClientsFileError, left_out};
use crate::services::exchange::partners::MembersReport;
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::admin::orders::file;
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, csrf, page as framed};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// Rows left out that are named on the page.
const NAMED: usize = 100;

/// `GET /admin/clients/export/{format}`
pub async fn export(
    State(desk): State<Desk>,
    _me: ManagerSession,
    Path(format): Path<String>,
) -> Result<Response, WebError> {
    let rows = desk.clients_file().export().await?;
    file(rows, "clients", &format).await
}

/// `GET /admin/clients/import`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
) -> Result<Markup, WebError> {
    me.must_be_admin("загружать клиентов")?;
    draw(&desk, &visitor, &me, &html! {}).await
}

/// `POST /admin/clients/import`
pub async fn take(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    request: Request,
) -> Result<Response, WebError> {
    me.must_be_admin("загружать клиентов")?;
    let broken = |_| WebError::Invalid("Файл пришёл не целиком, отправьте его ещё раз.".to_owned());
    let form = Multipart::from_request(request, &desk).await;
    let mut form =
        form.map_err(|_| WebError::Invalid("Выберите файл и отправьте форму снова.".to_owned()))?;
    let (mut bytes, mut load) = (Vec::new(), false);
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name().unwrap_or_default() {
            "file" => bytes = field.bytes().await.map_err(broken)?.to_vec(),
            "act" => load = field.text().await.map_err(broken)? == "load",
            _ => {}
        }
    }
    let refused =
        |problem: String| html! { p.notice data-tone="danger" role="alert" { (problem) } };
    if bytes.is_empty() {
        let problem = refused("Выберите файл: .csv или .xlsx.".to_owned());
        let page = draw(&desk, &visitor, &me, &problem).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let page = match desk.clients_file().import(bytes, !load).await {
        Ok(report) => draw(&desk, &visitor, &me, &outcome(&report, load)).await?,
        Err(ClientsFileError::Members(error)) => return Err(WebError::internal(error)),
        Err(error) => {
            let page = draw(&desk, &visitor, &me, &refused(error.to_string())).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    Ok(page.into_response())
}

fn outcome(report: &MembersReport, loaded: bool) -> Markup {
    let figures = [
        ("Организаций", report.orgs_upserted),
        ("Людей", report.members_upserted),
        ("Из них новых", report.users_created),
        ("Пропущено", report.skipped.len()),
    ];
    html! {
        section.card aria-labelledby="report-title" {
            header { h2 #report-title { @if loaded { "Загружено" } @else { "Проверка: пока ничего не записано" } } }
            dl.figures.four { @for (word, figure) in figures { div { dt { (word) } dd { (figure) } } } }
            @if !report.skipped.is_empty() {
                ul.rows {
                    @for record in report.skipped.iter().take(NAMED) { li { (left_out(record)) } }
                    @if report.skipped.len() > NAMED { li.muted { "и ещё " (report.skipped.len() - NAMED) } }
                }
            }
        }
    }
}

async fn draw(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    report: &Markup,
) -> Result<Markup, WebError> {
    let around = around(desk, me).await?;
    let content = html! {
        div.page-head {
            a.back href="/admin/clients" aria-label="К клиентам" { (icon(Icon::Back)) }
            h1 { "Загрузка клиентов" }
        }
        div.narrow.stack.tight {
            (report)
            section.card {
                form.body.form method="post" action="/admin/clients/import" enctype="multipart/form-data" {
                    (csrf(visitor))
                    div.field {
                        label for="file" { "Файл .csv или .xlsx" }
                        input #file type="file" name="file" required accept=".csv,.xlsx";
                        span.hint { "Столбцы: Организация, ИНН, Код 1С, ФИО, Телефон, Роль. Строка на человека; организация без людей — одна строка. " a href="/admin/clients/export/csv" { "Скачать нынешний список как образец" } }
                    }
                    div.buttons {
                        button.button.primary type="submit" name="act" value="check" { "Проверить" }
                        button.button type="submit" name="act" value="load" { "Загрузить" }
                    }
                }
            }
        }
    };
    let page =
        Page {
            title: "Загрузка клиентов", section: Some(Section::Clients), class: "", content
        };
    Ok(framed(visitor, &around, &page))
}
