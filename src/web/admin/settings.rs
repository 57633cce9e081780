//! «Настройки»: every setting with its value, its source and what it changes; a few are changed
//! here, at once, the others where the page says.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::state::RIGHT;
use crate::config::table::{Setting, Shape};
use crate::config::{Source, Value};
use crate::services::settings::SettingError;
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::{WebError, encode};
use crate::web::layout::{Page, Section, Tone, badge, csrf, page as framed};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// The groups and the beginnings of the keys in them.
const GROUPS: [(&str, &[&str]); 8] = [
    ("Компания", &["company."]),
    ("Бот", &["telegram."]),
    ("Цены и остатки", &["orders."]),
    ("Распознавание", &["recognition.", "llm."]),
    ("Обмен с 1С", &["onec."]),
    ("Доступ", &["access."]),
    ("Хранение", &["data_dir", "backup."]),
    ("Сервер и журнал программы", &["server.", "metrics.", "log."]),
];

/// Settings that are chosen from a few values.
const CHOICES: [(&str, &[(&str, &str)]); 3] = [
    (
        "access.registration",
        &[("open", "любой"), ("approval", "после одобрения"), ("invite", "по приглашению")],
    ),
    (
        "orders.show_stock",
        &[("exact", "число"), ("level", "есть, мало, нет"), ("off", "не показывать")],
    ),
    (
        "recognition.llm",
        &[("off", "никогда"), ("auto", "в сомнениях"), ("first", "сначала модель")],
    ),
];

/// The address of the page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SettingsQuery {
    /// The key of what was just changed.
    saved: String,
}

/// A change.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SettingForm {
    key: String,
    /// Empty: back to the default.
    value: String,
}

/// `GET /admin/settings`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(query): Query<SettingsQuery>,
) -> Result<Markup, WebError> {
    me.must_be_admin(RIGHT)?;
    show(&desk, &visitor, &me, &query.saved, None).await
}

/// `POST /admin/settings`
pub async fn change(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Form(form): Form<SettingForm>,
) -> Result<Response, WebError> {
    me.must_be_admin(RIGHT)?;
    let by = me.account_actor();
    match desk.operations.settings.change(by, &form.key, &form.value).await {
        Ok(_) => {
            let key = encode(&form.key);
            Ok(Redirect::to(&format!("/admin/settings?saved={key}#{key}")).into_response())
        }
        Err(SettingError::Refused(why)) => {
            let page = show(&desk, &visitor, &me, "", Some((&form, &why))).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(SettingError::Storage(error)) => Err(error.into()),
    }
}

async fn show(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    saved: &str,
    refused: Option<(&SettingForm, &str)>,
) -> Result<Markup, WebError> {
    let settings = &desk.operations.settings;
    let list = settings.list();
    let around = around(desk, me).await?;
    let file = settings.file();
    let place = file.map_or_else(|| "partner-m.toml".to_owned(), |file| file.display().to_string());
    let content = html! {
        div.page-head { h1 { "Настройки" } }
        p.lead {
            "Сильнее всего флаг запуска, затем окружение, .env, файл настроек, панель и значение по умолчанию. "
            "То, что меняется здесь, действует сразу; остальное меняют в файле " code { (place) } " и перезапускают программу."
        }
        @if list.iter().any(|(setting, _)| setting.key == saved) {
            p.notice data-tone="ok" role="status" { (icon(Icon::Check)) span { "Сохранено: " code { (saved) } ". Уже действует." } }
        }
        @if let Some((form, why)) = refused {
            p.notice data-tone="danger" role="alert" { (icon(Icon::Alert)) span { code { (form.key) } ": " (why) ". Ничего не изменено." } }
        }
        @for notice in settings.notices() { p.notice data-tone="warn" { (icon(Icon::Alert)) span { (notice) } } }
        @for (at, (group, prefixes)) in GROUPS.iter().enumerate() {
            @let id = format!("group-{at}");
            section.card aria-labelledby=(id) {
                header { h2 id=(id) { (group) } }
                ul.rows.settings {
                    @for (setting, value) in list.iter().filter(|(setting, _)| prefixes.iter().any(|prefix| setting.key.starts_with(prefix))) {
                        (row(visitor, setting, value, refused))
                    }
                }
            }
        }
    };
    let page =
        Page { title: "Настройки", section: Some(Section::Settings), class: "", content };
    Ok(framed(visitor, &around, &page))
}

fn row(
    visitor: &Visitor,
    setting: &Setting,
    value: &Value,
    refused: Option<(&SettingForm, &str)>,
) -> Markup {
    let ours = setting.in_panel && matches!(value.source, Source::Default | Source::Panel);
    let refused = refused.filter(|(form, _)| form.key == setting.key);
    html! {
        li id=(setting.key) {
            div.grow {
                code { (setting.key) }
                span.sub { (setting.about) }
                span.sub {
                    @if !matches!(setting.default, "" | "[]") && !setting.is_secret() { "По умолчанию: " (setting.default.trim_matches('"')) ". " }
                    "Источник: " (value.source) "."
                    @if !setting.in_panel { " " (badge(Tone::Neutral, "нужен перезапуск")) }
                    @if setting.in_panel && !ours { " Панель его не меняет: то, что задано там, сильнее." }
                }
            }
            @if ours { (form(visitor, setting, value, refused)) }
            @else { div.setting-value { (shown(setting, value)) } }
        }
    }
}

fn shown(setting: &Setting, value: &Value) -> Markup {
    html! {
        @match &value.shown {
            Some(text) => { strong { (text) } @if !setting.unit.is_empty() { " " (setting.unit) } },
            None => span.muted { "не задано" },
        }
    }
}

fn form(
    visitor: &Visitor,
    setting: &Setting,
    value: &Value,
    refused: Option<(&SettingForm, &str)>,
) -> Markup {
    let present = value.shown.clone().unwrap_or_default();
    let given = refused.map_or(present.as_str(), |(form, _)| form.value.as_str());
    let choices = CHOICES.iter().find(|(key, _)| *key == setting.key).map(|(_, choices)| choices);
    let number = if setting.shape == Shape::Number { "numeric" } else { "text" };
    let problem = format!("{}-problem", setting.key);
    html! {
        div.setting-value {
            form.in-row method="post" action="/admin/settings" {
                (csrf(visitor))
                input type="hidden" name="key" value=(setting.key);
                @if let Some(choices) = choices {
                    select name="value" aria-label=(setting.about) {
                        @for (code, word) in *choices { option value=(code) selected[*code == given] { (word) } }
                    }
                } @else {
                    input type="text" name="value" value=(given) inputmode=(number) maxlength="500" aria-label=(setting.about)
                        aria-invalid=[refused.map(|_| "true")] aria-describedby=[refused.map(|_| problem.as_str())];
                }
                @if !setting.unit.is_empty() { span.muted { (setting.unit) } }
                button.button.small type="submit" { "Сохранить" span.sr { " " (setting.key) } }
            }
            @if let Some((_, why)) = refused { p.error-text id=(problem) { (why) } }
            @if value.source == Source::Panel {
                form.in-row method="post" action="/admin/settings" {
                    (csrf(visitor))
                    input type="hidden" name="key" value=(setting.key);
                    input type="hidden" name="value" value="";
                    button.button.small.quiet type="submit" { "Вернуть по умолчанию" span.sr { " " (setting.key) } }
                }
            }
        }
    }
}
