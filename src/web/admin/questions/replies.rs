//! The list of kept replies.

use axum::Form;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, csrf, page as framed};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// `GET /admin/questions/replies`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
) -> Result<Markup, WebError> {
    let replies = desk.questions().replies().await?;
    let around = around(&desk, &me).await?;
    let content = html! {
        div.page-head {
            a.back href="/admin/questions" aria-label="К вопросам" { (icon(Icon::Back)) }
            h1 { "Готовые ответы" }
        }
        div.narrow.stack.tight {
            section.card {
                form.body.form method="post" action="/admin/questions/replies" {
                    (csrf(&visitor))
                    div.field {
                        label for="text" { "Новый ответ" }
                        textarea #text name="text" rows="3" maxlength="4000" required placeholder="Здравствуйте, {имя}! По заказу № {номер}: " {}
                        span.hint { "{имя} — кто спрашивает, {номер} — заказ или вопрос. В переписке ответ вставляется клавишей / или из меню." }
                    }
                    div.buttons { button.button.primary type="submit" name="act" value="keep" { "Сохранить" } }
                }
            }
            @if replies.is_empty() {
                p.muted { "Готовых ответов пока нет." }
            } @else {
                ul.card.rows {
                    @for reply in &replies {
                        li {
                            div.grow.said { (reply.text) }
                            form method="post" action="/admin/questions/replies" {
                                (csrf(&visitor))
                                input type="hidden" name="id" value=(reply.id);
                                button.button.small.quiet.danger type="submit" name="act" value="remove"
                                    data-confirm="Удалить этот ответ?" aria-label=(format!("Удалить: {}", reply.text)) { "Удалить" }
                            }
                        }
                    }
                }
            }
        }
    };
    let page =
        Page {
            title: "Готовые ответы", section: Some(Section::Questions), class: "", content
        };
    Ok(framed(&visitor, &around, &page))
}

/// A new reply, or one to take away.
#[derive(Debug, Deserialize)]
pub struct ReplyForm {
    act: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    id: i64,
}

/// `POST /admin/questions/replies`
pub async fn change(
    State(desk): State<Desk>,
    _me: ManagerSession,
    Form(form): Form<ReplyForm>,
) -> Result<Redirect, WebError> {
    if form.act == "remove" {
        if !desk.questions().remove_reply(form.id).await? {
            return Err(WebError::NotFound);
        }
    } else {
        desk.questions().keep_reply(&form.text).await?;
    }
    Ok(Redirect::to("/admin/questions/replies"))
}
