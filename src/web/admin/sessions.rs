//! «Сессии»: where one is signed in, and the way out of there.

use axum::Form;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::time;
use crate::services::accounts::{AccountError, SessionInfo};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::WebError;
use crate::web::layout::{Page, Tone, badge, csrf, page as framed};
use crate::web::session::{ManagerSession, Visitor};

/// `GET /admin/sessions`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
) -> Result<Markup, WebError> {
    let sessions = desk.accounts.sessions(&me.staff).await?;
    let others = sessions.iter().filter(|session| !session.current).count();
    let around = around(&desk, &me).await?;
    let content = html! {
        div.page-head {
            h1 { "Сессии" }
            @if others > 1 {
                form.buttons method="post" action="/admin/sessions" {
                    (csrf(&visitor))
                    button.button.danger type="submit" name="id" value="others" data-confirm="Завершить все сессии, кроме этой?" { "Завершить остальные" }
                }
            }
        }
        ul.card.rows.narrow {
            @for session in &sessions { (row(&desk, &visitor, session)) }
        }
        p.hint { "Сессия заканчивается сама после 12\u{a0}часов без дела. Незнакомая — завершите её и смените пароль." }
    };
    let page = Page { title: "Сессии", section: None, class: "", content };
    Ok(framed(&visitor, &around, &page))
}

fn row(desk: &Desk, visitor: &Visitor, session: &SessionInfo) -> Markup {
    let now = desk.base.clock.now();
    let browser = browser(&session.user_agent);
    html! {
        li {
            div.grow {
                strong { (browser) }
                span.sub {
                    "адрес " (session.address) " · вход " (desk.base.zone.date_time(session.created_at, now))
                    " · последний запрос " (time::ago_in_sentence(now.since(session.seen_at)))
                }
            }
            @if session.current {
                (badge(Tone::Ok, "эта"))
            } @else {
                form method="post" action="/admin/sessions" {
                    (csrf(visitor))
                    button.button.small type="submit" name="id" value=(session.id) aria-label=(format!("Завершить: {browser}, {}", session.address)) { "Завершить" }
                }
            }
        }
    }
}

/// «Chrome, Windows» from what a browser says of itself; its own words where they tell nothing.
fn browser(agent: &str) -> String {
    // Each later one also names those before it.
    let known = [
        ("YaBrowser", "Яндекс Браузер"),
        ("Edg", "Edge"),
        ("OPR", "Opera"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let of = |list: &[(&str, &'static str)]| {
        list.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name)
    };
    match (of(&known), of(&systems)) {
        (Some(browser), Some(system)) => format!("{browser}, {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) if agent.is_empty() => "Браузер не назвался".to_owned(),
        (None, None) => crate::domain::ru::ellipsis(agent, 60),
    }
}

/// Which session ends.
#[derive(Debug, Deserialize)]
pub struct RevokeForm {
    /// Its id, or `others`.
    id: String,
}

/// `POST /admin/sessions`
pub async fn revoke(
    State(desk): State<Desk>,
    me: ManagerSession,
    Form(form): Form<RevokeForm>,
) -> Result<Redirect, WebError> {
    let ids = if form.id == "others" {
        let sessions = desk.accounts.sessions(&me.staff).await?.into_iter();
        sessions.filter(|session| !session.current).map(|session| session.id).collect()
    } else {
        vec![form.id]
    };
    for id in ids {
        match desk.accounts.revoke_session(&me.staff, &id).await {
            // It is over already.
            Ok(()) | Err(AccountError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Redirect::to("/admin/sessions"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_named_in_two_words() {
        let chrome = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/143.0 Safari/537.36";
        assert_eq!(browser(chrome), "Chrome, Windows");
        let iphone =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1";
        assert_eq!(browser(iphone), "Safari, iPhone");
        assert_eq!(browser(""), "Браузер не назвался");
        assert_eq!(browser("curl/8"), "curl/8");
    }
}
