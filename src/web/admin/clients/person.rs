//! The page of one person: how to reach them, what they may do.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::{in_words, person_state};
use crate::domain::{PersonId, Role, ru, time};
use crate::storage::directory::{PersonLine, PersonMembership};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, csrf, page as framed};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// The role that was granted to a person; those from the settings are not seen here.
pub fn role(person: &PersonLine) -> Role {
    person.granted_role.as_deref().and_then(|role| role.parse().ok()).unwrap_or(Role::Client)
}

/// `GET /admin/people/{id}`
pub async fn person(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Path(id): Path<i64>,
) -> Result<Markup, WebError> {
    let found = desk.directory().person(PersonId(id)).await?.ok_or(WebError::NotFound)?;
    let (person, memberships) = found;
    let around = around(&desk, &me).await?;
    let name = if person.name.is_empty() { "Без имени" } else { &person.name };
    let may = me.must_be_admin("").is_ok() && person.id != me.staff.person;
    let content = html! {
        div.page-head {
            a.back href="/admin/people" aria-label="К людям" { (icon(Icon::Back)) }
            h1 { (name) }
            (person_state(&person))
        }
        div.two {
            div {
                (organizations(&memberships))
                @if may { (access(&visitor, &person, name)) }
            }
            aside aria-label="Сведения" { (facts(&desk, &person)) }
        }
    };
    let page = Page { title: name, section: Some(Section::Clients), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

fn facts(desk: &Desk, person: &PersonLine) -> Markup {
    let now = desk.base.clock.now();
    html! {
        section.card aria-labelledby="facts-title" {
            header { h2 #facts-title { "Сведения" } }
            div.body {
                dl.facts {
                    dt { "Телефон" }
                    dd {
                        @if let Some(phone) = &person.phone {
                            a href=(format!("tel:{phone}")) { (phone) }
                            @if person.phone_verified { " ✓ подтверждён" } @else { " не подтверждён" }
                        } @else { "не указан" }
                    }
                    dt { "Роль" } dd { (role(person).label()) }
                    dt { "Чаты" }
                    dd {
                        @if person.chats == 0 { "нет: человек ещё не заходил в бота" }
                        @else { (ru::count(u64::from(person.chats), ["чат", "чата", "чатов"])) @if person.chat_blocked { ", бот заблокирован: сообщения не доходят" } }
                    }
                    dt { "Последний визит" }
                    dd { @if let Some(at) = person.seen_at { (time::ago_in_sentence(now.since(at))) } @else { "не было" } }
                }
            }
        }
    }
}

fn organizations(memberships: &[PersonMembership]) -> Markup {
    html! {
        section.card aria-labelledby="organizations-title" {
            header { h2 #organizations-title { "Организации" } span.count { (memberships.len()) } }
            ul.rows {
                @for membership in memberships {
                    li { div.grow { a href=(format!("/admin/clients/{}", membership.organization)) { (membership.name) } span.sub { (membership.role.label()) } } }
                }
                @if memberships.is_empty() { li.muted { "Ни в одной" } }
            }
        }
    }
}

fn access(visitor: &Visitor, person: &PersonLine, name: &str) -> Markup {
    let action = format!("/admin/people/{}", person.id);
    let present = role(person);
    let (block, word) = if person.blocked {
        ("unblock", "Открыть доступ")
    } else {
        ("block", "Закрыть доступ")
    };
    html! {
        section.card aria-labelledby="access-title" {
            header { h2 #access-title { "Доступ" } }
            div.body.form {
                form.inline-form method="post" action=(action) {
                    (csrf(visitor))
                    div.field {
                        label for="role" { "Роль" }
                        select #role name="role" { @for code in [Role::Client, Role::Manager, Role::Admin] { option value=(code) selected[code == present] { (code.label()) } } }
                    }
                    button.button type="submit" name="act" value="role" { "Сохранить" }
                }
                p.hint { "Роли из файла настроек здесь не видны и не снимаются." }
                form.buttons method="post" action=(action) {
                    (csrf(visitor))
                    button.button type="submit" name="act" value="reset" data-confirm=(format!("Сбросить пароль и все входы: {name}?")) { "Сбросить доступ" }
                    button.button.danger type="submit" name="act" value=(block) data-confirm=(format!("{word}: {name}?")) { (word) }
                }
                p.hint { "Сброс убирает пароль и завершает все сессии. Человек снова войдёт, подтвердив номер в боте." }
            }
        }
    }
}

/// What to do with a person.
#[derive(Debug, Deserialize)]
pub struct PersonForm {
    act: String,
    #[serde(default)]
    role: String,
}

/// `POST /admin/people/{id}`
pub async fn act_on_person(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(id): Path<i64>,
    Form(form): Form<PersonForm>,
) -> Result<Redirect, WebError> {
    me.must_be_admin("роли и доступ людей")?;
    let (by, person) = (me.account_actor(), PersonId(id));
    let done = match form.act.as_str() {
        "role" => match form.role.parse() {
            Ok(role) => desk.accounts.set_role(&by, person, role).await,
            Err(_) => return Err(WebError::Invalid("Роль не понята.".to_owned())),
        },
        "reset" => desk.accounts.reset_access(&by, person).await,
        "block" => desk.accounts.set_blocked(&by, person, true).await,
        "unblock" => desk.accounts.set_blocked(&by, person, false).await,
        _ => return Err(WebError::Invalid("Действие не понято.".to_owned())),
    };
    done.map_err(in_words)?;
    Ok(Redirect::to(&format!("/admin/people/{id}")))
}
