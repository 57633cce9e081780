//! What goes wrong at this door, and how it looks: a page with a code, never a cause.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use tracing::error;

use super::Desk;
use super::layout;
use super::markup::{Icon, icon};
use super::session::Visitor;

/// Why a request has no answer of its own.
#[derive(Debug)]
pub enum WebError {
    /// There is no such page, order or person; a foreign one looks the same.
    NotFound,
    /// The person may not do this; the text names the right, as in «вести заказы».
    Forbidden(&'static str),
    /// The form did not come from our page, or the page is too old.
    NotOurs,
    /// Nobody is signed in; where to go afterwards.
    SignIn(String),
    /// What was sent cannot be used; the text says why and what to do.
    Invalid(String),
    /// Someone else was faster; the text says what happened.
    Conflict(String),
    /// The address is not one of ours.
    WrongHost,
    /// The form did not arrive in time.
    TooSlow,
    /// Our fault; the cause is for the log.
    Internal(String),
}

impl WebError {
    /// Our fault, with its cause.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal(format!("{cause:#}"))
    }
}

impl From<crate::storage::StorageError> for WebError {
    fn from(error: crate::storage::StorageError) -> Self {
        Self::internal(error)
    }
}

impl From<crate::services::accounts::AccountError> for WebError {
    fn from(error: crate::services::accounts::AccountError) -> Self {
        Self::internal(error)
    }
}

/// What an error page says; [`pages`] draws it around the visitor's theme.
#[derive(Debug, Clone)]
struct Problem {
    title: String,
    text: String,
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let (status, title, text) = match self {
            Self::SignIn(next) => {
                return Redirect::to(&format!("/admin/login?next={}", encode(&next)))
                    .into_response();
            }
            Self::NotFound => {
                return StatusCode::NOT_FOUND.into_response();
            }
            Self::Forbidden(right) => (
                StatusCode::FORBIDDEN,
                "Нет прав".to_owned(),
                format!("Чтобы открыть это, нужно право «{right}». Его даёт администратор."),
            ),
            Self::NotOurs => (
                StatusCode::FORBIDDEN,
                "Страница устарела".to_owned(),
                "Форма не подтверждена, ничего не изменено. Вернитесь, обновите страницу и повторите.".to_owned(),
            ),
            Self::Invalid(text) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "Так не получится".to_owned(), text)
            }
            Self::Conflict(text) => (StatusCode::CONFLICT, "Уже изменилось".to_owned(), text),
            Self::WrongHost => (
                StatusCode::MISDIRECTED_REQUEST,
                "Чужой адрес".to_owned(),
                "Откройте программу по её собственному адресу (server.public_url в настройках).".to_owned(),
            ),
            Self::TooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                "Данные не дошли".to_owned(),
                "Соединение слишком медленное. Ничего не изменено, повторите.".to_owned(),
            ),
            Self::Internal(cause) => {
                error!(cause, "страница не открылась: {cause}");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(Problem { title, text });
        response
    }
}

/// Draws a page for every refusal that has none: ours, the router's 404 and 405, the limit's 413,
/// a panic's 500.
pub async fn pages(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let visitor = Visitor::of_headers(&desk, request.headers());
    let code = request.headers().get("x-request-id").and_then(|v| v.to_str().ok());
    let code = code.unwrap_or_default().to_owned();
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let status = response.status();
    let drawn = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.to_str().is_ok_and(|kind| kind.starts_with("text/html") || kind.contains("json"))
    });
    if !(status.is_client_error() || status.is_server_error()) || drawn {
        return response;
    }
    let problem = response.extensions_mut().remove::<Problem>().unwrap_or_else(|| default(status));
    let in_panel = path.starts_with("/admin");
    let page = layout::alone(
        &visitor,
        &problem.title,
        &html! {
            div.panel {
                h1 { (problem.title) }
                p { (problem.text) }
                @if status.is_server_error() {
                    p.muted { "Код " code { (code) } " — по нему причина найдётся в журнале." }
                }
                @if in_panel && status == StatusCode::NOT_FOUND {
                    form.find action="/admin/orders" role="search" {
                        div.field {
                            label for="q" { "Найти заказ" }
                            input #q type="search" name="q" placeholder="Номер, организация, телефон";
                        }
                    }
                }
                div.buttons {
                    @if status.is_server_error() {
                        a.button.primary href=(path) { "Повторить" }
                    }
                    @if in_panel {
                        a.button href="/admin" { (icon(Icon::Today)) "Сегодня" }
                    } @else {
                        a.button href="/" { "На главную" }
                    }
                }
            }
        },
    );
    let mut page = (status, page).into_response();
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            page.headers_mut().append(name, value.clone());
        }
    }
    page.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page
}

fn default(status: StatusCode) -> Problem {
    let (title, text) = match status {
        StatusCode::NOT_FOUND => ("Такой страницы нет", "Адрес изменился или набран с ошибкой."),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("Так этот адрес не открыть", "Здесь принимаются только формы.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            ("Слишком много данных", "Разделите файл или текст на части и повторите.")
        }
        status if status.is_server_error() => {
            ("Не получилось", "Уже разбираемся. То, что вы меняли, не сохранено.")
        }
        _ => ("Запрос не понят", "Вернитесь, обновите страницу и повторите."),
    };
    Problem { title: title.to_owned(), text: text.to_owned() }
}

/// Percent-encodes a value of a query.
pub fn encode(value: &str) -> String {
    use std::fmt::Write as _;
    value.bytes().fold(String::with_capacity(value.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}
