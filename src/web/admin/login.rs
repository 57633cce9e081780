//! Signing in and out, and the theme.

use axum::Form;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Multipart, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::ru;
use crate::services::accounts::{Confirm, SignInError};
use crate::web::Desk;
use crate::web::error::{WebError, encode};
use crate::web::layout::{alone, csrf, theme_button};
use crate::web::session::{CookieNames, Theme, Visitor, safe_next};

/// Where to go after signing in.
#[derive(Debug, Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

/// The sign-in form.
#[derive(Debug, Deserialize)]
pub struct SignInForm {
    #[serde(default)]
    phone: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
    /// The fields of a form that was sent after its session had ended.
    #[serde(default)]
    carried: String,
    /// Goes with the code: from the page that asks for it.
    #[serde(default)]
    challenge: String,
    /// The code from Telegram.
    #[serde(default)]
    code: String,
    /// The field of the file that was in it; empty: there was none.
    #[serde(default)]
    upload: String,
}

/// The fields of a form that was sent after its session had ended, as they travel through the
/// sign-in.
#[derive(Debug, Clone, Default)]
pub struct Carried {
    /// Percent-encoded.
    fields: String,
    /// The field of the file that was in the form; empty: there was none.
    upload: String,
}

impl Carried {
    /// Of a form without files.
    pub fn of_form(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let fields = text.split('&').filter(|pair| !pair.starts_with("csrf="));
        Self { fields: fields.collect::<Vec<_>>().join("&"), upload: String::new() }
    }

    /// Of a form with a file. What cannot be read is left out.
    pub async fn of_upload(parts: &Parts, body: Bytes) -> Self {
        let mut carried = Self { upload: "file".to_owned(), ..Self::default() };
        let mut request = Request::new(Body::from(body));
        *request.headers_mut() = parts.headers.clone();
        let Ok(mut form) = Multipart::from_request(request, &()).await else { return carried };
        let mut fields = Vec::new();
        while let Ok(Some(field)) = form.next_field().await {
            let name = field.name().unwrap_or_default().to_owned();
            if field.file_name().is_some() {
                carried.upload = name;
            } else if let Ok(value) = field.text().await
                && name != "csrf"
            {
                fields.push(format!("{}={}", encode(&name), encode(&value)));
            }
        }
        carried.fields = fields.join("&");
        carried
    }

    /// The fields of a form that takes them further.
    fn inputs(&self) -> Markup {
        html! {
            @if !self.fields.is_empty() {
                input type="hidden" name="carried" value=(self.fields);
                input type="hidden" name="upload" value=(self.upload);
            }
        }
    }
}

impl SignInForm {
    fn carried(&self) -> Carried {
        Carried { fields: self.carried.clone(), upload: self.upload.clone() }
    }
}

/// `GET /admin/login`
pub async fn page(visitor: Visitor, Query(query): Query<Next>) -> Response {
    if visitor.session.is_some() {
        return Redirect::to(safe_next(&query.next)).into_response();
    }
    form(&visitor, &Draft { next: &query.next, ..Draft::default() }).into_response()
}

/// What the sign-in page shows.
#[derive(Default)]
struct Draft<'a> {
    phone: &'a str,
    next: &'a str,
    carried: Carried,
    error: Option<String>,
}

fn form(visitor: &Visitor, draft: &Draft<'_>) -> Markup {
    alone(
        visitor,
        "Вход",
        &html! {
            form.panel method="post" action="/admin/login" {
                h1 { "Вход в панель" }
                @if !draft.carried.fields.is_empty() {
                    p.notice data-tone="warn" { "Сеанс закончился. Войдите снова: введённое сохранено." }
                }
                @if let Some(error) = &draft.error {
                    p.notice data-tone="danger" role="alert" #problem { (error) }
                }
                @if visitor.overheard {
                    p.notice data-tone="warn" { "Страница открыта без https: пароль увидит любой в этой сети." }
                }
                (csrf(visitor))
                input type="hidden" name="next" value=(draft.next);
                (draft.carried.inputs())
                div.field {
                    label for="phone" { "Телефон" }
                    input #phone type="tel" name="phone" value=(draft.phone) autocomplete="username"
                        inputmode="tel" required autofocus placeholder="+7 900 000-00-00"
                        aria-describedby=[draft.error.as_ref().map(|_| "problem")];
                }
                div.field {
                    label for="password" { "Пароль" }
                    input #password type="password" name="password" autocomplete="current-password"
                        required aria-describedby=[draft.error.as_ref().map(|_| "problem")];
                }
                button.button.primary type="submit" { "Войти" }
            }
            div.foot {
                span { "Для сотрудников " (visitor.company) }
                (theme_button(visitor))
            }
        },
    )
}

/// The sign-in page that keeps the fields of a form whose session has ended.
pub fn carried(visitor: &Visitor, path: &str, carried: &Carried) -> Markup {
    form(visitor, &Draft { next: path, carried: carried.clone(), ..Draft::default() })
}

/// `POST /admin/login`
pub async fn sign_in(
    State(desk): State<Desk>,
    visitor: Visitor,
    jar: CookieJar,
    headers: HeaderMap,
    Form(given): Form<SignInForm>,
) -> Result<Response, WebError> {
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let signed_in = if given.challenge.is_empty() {
        let (phone, password) = (given.phone.trim(), &given.password);
        desk.accounts.sign_in_panel(phone, password, &visitor.address, agent).await
    } else {
        let (challenge, code) = (&given.challenge, &given.code);
        desk.accounts.sign_in_by_code(challenge, code, &visitor.address, agent).await
    };
    let refused = |error: String| {
        let draft = Draft {
            phone: given.phone.trim(),
            next: &given.next,
            carried: given.carried(),
            error: Some(error),
        };
        (StatusCode::UNPROCESSABLE_ENTITY, form(&visitor, &draft)).into_response()
    };
    let token = match signed_in {
        Ok(signed_in) => signed_in.token.expose().to_owned(),
        Err(SignInError::TooMany { retry_after }) => {
            let minutes = retry_after.as_secs().div_ceil(60).max(1);
            let why = ru::thousands(minutes);
            let why = format!("Слишком много попыток. Попробуйте через {why}\u{a0}мин.");
            let mut response = refused(why);
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            let seconds = HeaderValue::from(retry_after.as_secs().max(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
            return Ok(response);
        }
        Err(SignInError::Other(error)) => return Err(error.into()),
        Err(SignInError::Confirm(Confirm::Sent(challenge))) => {
            return Ok(code_form(&visitor, &given, challenge.expose(), None).into_response());
        }
        Err(SignInError::Confirm(Confirm::NoTelegram)) => {
            return Ok(refused(
                "Вход подтверждается кодом в Telegram, а у этой учётной записи его нет. Откройте \
                 бота, поделитесь своим номером и войдите снова."
                    .to_owned(),
            ));
        }
        Err(SignInError::Wrong) if !given.challenge.is_empty() => {
            let problem = Some("Код не подошёл или устарел.");
            let page = code_form(&visitor, &given, &given.challenge, problem);
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
        Err(SignInError::Wrong | SignInError::ContactNeeded) => {
            return Ok(refused("Неверный телефон или пароль.".to_owned()));
        }
    };
    let names = CookieNames::of(&desk);
    let secret = names.make(names.session, token.clone());
    let jar = jar.add(secret);
    if given.carried.is_empty() {
        return Ok((jar, Redirect::to(safe_next(&given.next))).into_response());
    }
    let carried = given.carried();
    let page = resume(&desk, &visitor, &token, safe_next(&given.next), &carried).await?;
    Ok((jar, page).into_response())
}

/// Asks for the code that the bot has sent.
fn code_form(
    visitor: &Visitor,
    given: &SignInForm,
    challenge: &str,
    problem: Option<&str>,
) -> Markup {
    alone(
        visitor,
        "Код из Telegram",
        &html! {
            form.panel method="post" action="/admin/login" {
                h1 { "Код из Telegram" }
                p { "Бот прислал вам код в Telegram. Он работает 5\u{a0}минут." }
                @if let Some(problem) = problem {
                    p.notice data-tone="danger" role="alert" #problem { (problem) }
                }
                (csrf(visitor))
                input type="hidden" name="challenge" value=(challenge);
                input type="hidden" name="next" value=(given.next);
                (given.carried().inputs())
                div.field {
                    label for="code" { "Код" }
                    input #code type="text" name="code" inputmode="numeric" required autofocus
                        autocomplete="one-time-code" maxlength="12"
                        aria-describedby=[problem.map(|_| "problem")];
                }
                button.button.primary type="submit" { "Войти" }
                a.button href="/admin/login" { "Начать заново" }
            }
        },
    )
}

/// Shows the carried form again, now signed in: one tap sends it.
async fn resume(
    desk: &Desk,
    visitor: &Visitor,
    token: &str,
    path: &str,
    carried: &Carried,
) -> Result<Markup, WebError> {
    let staff = desk.accounts.session(token).await?;
    let staff = staff.ok_or_else(|| WebError::internal("a session that has just begun is over"))?;
    let visitor = visitor.clone().signed_in(staff, token);
    let fields = decode(&carried.fields);
    let upload = !carried.upload.is_empty();
    Ok(alone(
        &visitor,
        "Продолжить",
        &html! {
            form.panel method="post" action=(path) enctype=[upload.then_some("multipart/form-data")] {
                h1 { "Вы вошли" }
                p { "То, что вы отправляли, сохранено. Отправить сейчас?" }
                (csrf(&visitor))
                @for (name, value) in &fields {
                    @if value.contains('\n') || value.chars().count() > 60 {
                        div.field {
                            label for=(format!("carried-{name}")) { "Текст" }
                            textarea id=(format!("carried-{name}")) name=(name) rows="5" { (value) }
                        }
                    } @else {
                        input type="hidden" name=(name) value=(value);
                    }
                }
                @if upload {
                    div.field {
                        label for="carried-file" { "Файл выберите снова, если он был" }
                        input #carried-file type="file" name=(carried.upload);
                    }
                }
                button.button.primary type="submit" { "Отправить" }
                a.button href="/admin" { "Не отправлять" }
            }
        },
    ))
}

/// Reads the fields of a form.
fn decode(fields: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            match byte {
                b'+' => bytes.push(b' '),
                b'%' => {
                    let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
                    let (high, low) = (digit(rest.next()), digit(rest.next()));
                    if let (Some(high), Some(low)) = (high, low) {
                        bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                    }
                }
                other => bytes.push(other),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let pairs = fields.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

/// `GET /admin/enter/{token}`: a link from the bot. Looking uses nothing up: messengers fetch links
/// by themselves.
pub async fn enter_page(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(token): Path<String>,
    Query(goal): Query<Goal>,
) -> Result<Response, WebError> {
    if visitor.session.is_some() {
        return Ok(Redirect::to(&goal.page()).into_response());
    }
    Ok(match desk.accounts.look_at_panel_link(&token).await? {
        Some(name) => entrance(&visitor, &token, goal, &name).into_response(),
        None => (StatusCode::GONE, worn_out(&visitor)).into_response(),
    })
}

/// What the link was for.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Goal {
    /// The order to open; without one the panel's first page.
    order: Option<i64>,
}

impl Goal {
    fn page(self) -> String {
        self.order.map_or_else(|| "/admin".to_owned(), |number| format!("/admin/orders/{number}"))
    }
}

fn entrance(visitor: &Visitor, token: &str, goal: Goal, name: &str) -> Markup {
    let query = goal.order.map(|number| format!("?order={number}")).unwrap_or_default();
    alone(
        visitor,
        "Вход",
        &html! {
            form.panel method="post" action=(format!("/admin/enter/{token}{query}")) {
                h1 { "Вход в панель" }
                p { "Войти как " strong { (name) } "?" }
                (csrf(visitor))
                button.button.primary type="submit" autofocus { "Войти" }
                p.hint { "Ссылка из бота работает минуту и один раз." }
            }
        },
    )
}

fn worn_out(visitor: &Visitor) -> Markup {
    alone(
        visitor,
        "Ссылка больше не действует",
        &html! {
            div.panel {
                h1 { "Ссылка больше не действует" }
                p { "Она работает минуту и один раз. Нажмите «Открыть в панели» в боте ещё раз или войдите по паролю." }
                div.buttons { a.button href="/admin/login" { "Войти по паролю" } }
            }
        },
    )
}

/// `POST /admin/enter/{token}`
pub async fn enter(
    State(desk): State<Desk>,
    visitor: Visitor,
    jar: CookieJar,
    headers: HeaderMap,
    Path(token): Path<String>,
    Query(goal): Query<Goal>,
) -> Result<Response, WebError> {
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    match desk.accounts.sign_in_by_link(&token, &visitor.address, agent).await {
        Ok(signed_in) => {
            let names = CookieNames::of(&desk);
            let jar = jar.add(names.make(names.session, signed_in.token.expose().to_owned()));
            Ok((jar, Redirect::to(&goal.page())).into_response())
        }
        Err(SignInError::Other(error)) => Err(error.into()),
        Err(_) => Ok((StatusCode::GONE, worn_out(&visitor)).into_response()),
    }
}

/// `POST /admin/logout`
pub async fn sign_out(
    State(desk): State<Desk>,
    visitor: Visitor,
    jar: CookieJar,
) -> Result<(CookieJar, Redirect), WebError> {
    if let Some(token) = &visitor.token {
        desk.accounts.sign_out(token).await?;
    }
    let names = CookieNames::of(&desk);
    let gone = names.make(names.session, String::new());
    Ok((jar.remove(gone), Redirect::to("/admin/login")))
}

/// The theme's form.
#[derive(Debug, Deserialize)]
pub struct ThemeForm {
    theme: String,
}

/// `POST /theme`
pub async fn set_theme(
    State(desk): State<Desk>,
    jar: CookieJar,
    headers: HeaderMap,
    Form(form): Form<ThemeForm>,
) -> (CookieJar, Redirect) {
    let cookie = Cookie::build(("theme", Theme::named(&form.theme).as_str()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(CookieNames::of(&desk).secure)
        .permanent();
    // Back to where the button was: only the path is taken from the header.
    let came_from = headers.get(header::REFERER).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let path = came_from.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
    (jar.add(cookie), Redirect::to(safe_next(&path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_form_are_read_as_they_were_typed() {
        let typed = "text=%D1%85%D0%BB%D0%B5%D0%B1+5%0A%2B1&empty=";
        let read = decode(typed);
        assert_eq!(read[0], ("text".to_owned(), "хлеб 5\n+1".to_owned()));
        assert_eq!(read[1].1, "");
    }
}
