//! «Эталоны»: texts with the lines that they are known to mean, run over after every lesson.

use std::collections::HashMap;

use axum::Form;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::tabs;
use crate::domain::ru;
use crate::services::bench::score::Fault;
use crate::services::bench::{CasesImported, Run};
use crate::storage::golden::CaseRow;
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::admin::synonyms::uploaded;
use crate::web::error::{WebError, encode};
use crate::web::layout::{Page, Section, Tone, badge, csrf, page as framed};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// Faults and texts on the page; a file has them all.
const SHOWN: usize = 200;

/// Lines of a file that were left out and are named on the page.
const NAMED: usize = 100;

/// `GET /admin/search/cases`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
) -> Result<Markup, WebError> {
    draw(&desk, &visitor, &me, &html! {}).await
}

async fn draw(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    notice: &Markup,
) -> Result<Markup, WebError> {
    let cases = desk.bench().cases().await?;
    let run = desk.bench().last_run().await?;
    let around = around(desk, me).await?;
    let content = html! {
        div.page-head {
            h1 { "Эталоны" }
            @if !cases.is_empty() {
                div.buttons {
                    a.button.quiet href="/admin/search/cases/export" { (icon(Icon::Download)) "Выгрузить .jsonl" }
                    form method="post" action="/admin/search/cases" {
                        (csrf(visitor))
                        button.button.primary type="submit" name="act" value="run" { "Прогнать все" }
                    }
                }
            }
        }
        (tabs("/admin/search/cases"))
        (notice)
        @if cases.is_empty() {
            div.empty {
                (icon(Icon::Check))
                p { "Эталонов пока нет. Разберите текст клиента, убедитесь, что всё узнано верно, и сохраните его как эталон: прогон покажет, если что-то испортится." }
                a.button href="/admin/search" { "Разобрать текст" }
            }
        } @else {
            @if let Some(run) = &run { (outcome(desk, run, &cases)) }
            (list(visitor, run.as_ref(), &cases))
        }
        @if me.must_be_admin("").is_ok() { (file_form(visitor)) }
    };
    let page = Page { title: "Эталоны", section: Some(Section::Search), class: "", content };
    Ok(framed(visitor, &around, &page))
}

/// The form under a text that was tried: keeps it as it is understood now.
pub fn keep_form(visitor: &Visitor, text: &str) -> Markup {
    html! {
        div.card {
            form.body.inline-form method="post" action="/admin/search/cases" {
                (csrf(visitor))
                input type="hidden" name="text" value=(text);
                div.field.grow {
                    label for="case-name" { "Название эталона" }
                    input #case-name type="text" name="name" required maxlength="100" placeholder="например, «саморезы списком»" aria-describedby="case-hint";
                }
                button.button type="submit" name="act" value="keep" { "Сохранить как эталон" }
            }
            p.body.hint #case-hint { "Запомнится нынешний разбор без учёта клиента. Прогон сравнит с ним будущий." }
        }
    }
}

fn outcome(desk: &Desk, run: &Run, cases: &[CaseRow]) -> Markup {
    let report = &run.report;
    let fresh = run.fresh();
    let known = report.faults.iter().filter(|fault| !fresh.contains(fault));
    let texts: HashMap<&str, &str> =
        cases.iter().map(|case| (case.name.as_str(), case.text.as_str())).collect();
    let share = |value: f64| format!("{value:.3}").replace('.', ",");
    html! {
        section.card aria-labelledby="run-title" {
            header {
                h2 #run-title { "Последний прогон" }
                @if report.faults.is_empty() { (badge(Tone::Ok, "всё верно")) }
                @if !fresh.is_empty() { (badge(Tone::Danger, format!("новых ошибок {}", fresh.len()))) }
                @if run.mended() > 0 { (badge(Tone::Ok, format!("исправлено {}", run.mended()))) }
                span.count { (desk.base.zone.date_time(run.at, desk.base.clock.now())) }
            }
            dl.figures.four {
                div { dt { "Эталонов" } dd { (report.messages) } }
                div { dt { "Строк" } dd { (report.lines) } }
                div {
                    dt { "F по строкам" }
                    dd { (share(report.order_line_f)) @if let Some(before) = &run.before { small.muted { " было " (share(before.order_line_f)) } } }
                }
                div {
                    dt { "Уверенно неверно" }
                    dd { (report.confident_wrong) @if let Some(before) = &run.before { small.muted { " было " (before.confident_wrong) } } }
                }
            }
            @if !report.faults.is_empty() {
                ul.rows {
                    @for fault in fresh.iter().take(SHOWN) { (self::fault(&texts, fault, true)) }
                    @for fault in known.take(SHOWN.saturating_sub(fresh.len())) { (self::fault(&texts, fault, false)) }
                    @if report.faults.len() > SHOWN { li.muted { "и ещё " (report.faults.len() - SHOWN) } }
                }
            }
        }
    }
}

fn fault(texts: &HashMap<&str, &str>, fault: &Fault, new: bool) -> Markup {
    let text = texts.get(fault.id.as_str());
    html! {
        li {
            div.grow {
                "«" (ru::ellipsis(fault.raw.trim(), 120)) "»"
                span.sub { (fault.what) " · " (fault.id) }
            }
            @if new { (badge(Tone::Danger, "новая")) }
            @if let Some(text) = text {
                a.button.small href=(format!("/admin/search?text={}", encode(text))) aria-label=(format!("Разобрать: {}", fault.id)) { "Разобрать" }
            }
        }
    }
}

fn list(visitor: &Visitor, run: Option<&Run>, cases: &[CaseRow]) -> Markup {
    let wrong = |name: &str| {
        run.map(|run| run.report.faults.iter().filter(|fault| fault.id == name).count())
    };
    html! {
        section.card aria-labelledby="cases-title" {
            header { h2 #cases-title { "Тексты" } span.count { (ru::count(cases.len() as u64, ["эталон", "эталона", "эталонов"])) } }
            ul.rows {
                @for case in cases.iter().take(SHOWN) {
                    li {
                        div.grow {
                            a.quiet href=(format!("/admin/search?text={}", encode(&case.text))) { strong { (case.name) } }
                            span.sub.clip { (ru::ellipsis(&case.text.replace('\n', " · "), 160)) }
                        }
                        @match wrong(&case.name) {
                            None => {},
                            Some(0) => (badge(Tone::Ok, "верно")),
                            Some(n) => (badge(Tone::Danger, ru::count(n as u64, ["ошибка", "ошибки", "ошибок"]))),
                        }
                        form method="post" action="/admin/search/cases" {
                            (csrf(visitor))
                            input type="hidden" name="id" value=(case.id);
                            button.button.small.quiet.danger type="submit" name="act" value="remove"
                                data-confirm=(format!("Удалить эталон «{}»?", case.name)) aria-label=(format!("Удалить: {}", case.name)) { "Удалить" }
                        }
                    }
                }
                @if cases.len() > SHOWN { li.muted { "и ещё " (cases.len() - SHOWN) ", все — в файле выгрузки" } }
            }
        }
    }
}

fn file_form(visitor: &Visitor) -> Markup {
    html! {
        details.card.add {
            summary { (icon(Icon::Upload)) "Загрузить из файла" }
            form.body.inline-form method="post" action="/admin/search/cases/import" enctype="multipart/form-data" {
                (csrf(visitor))
                div.field.grow {
                    label for="file" { "Файл .jsonl" }
                    input #file type="file" name="file" required accept=".jsonl,.json,.txt";
                    span.hint { "По объекту JSON на строке: id, text и lines с raw, sku, qty. Такой же файл читает команда eval." }
                }
                button.button.primary type="submit" { "Загрузить" }
            }
        }
    }
}

/// What to do.
#[derive(Debug, Deserialize)]
pub struct ActForm {
    act: String,
    #[serde(default)]
    id: i64,
    #[serde(default)]
    name: String,
    #[serde(default)]
    text: String,
}

/// `POST /admin/search/cases`: keeps a text, takes one away, or runs them all.
pub async fn act(
    State(desk): State<Desk>,
    me: ManagerSession,
    Form(form): Form<ActForm>,
) -> Result<Redirect, WebError> {
    let by = me.account_actor();
    match form.act.as_str() {
        "keep" => desk.bench().keep_case(by, &form.name, &form.text).await?,
        "run" => desk.bench().run_cases().await?,
        "remove" => {
            if !desk.bench().remove_case(by, form.id).await? {
                return Err(WebError::NotFound);
            }
        }
        _ => return Err(WebError::Invalid("Действие не понято.".to_owned())),
    }
    Ok(Redirect::to("/admin/search/cases"))
}

/// `GET /admin/search/cases/export`
pub async fn export(State(desk): State<Desk>, _me: ManagerSession) -> Result<Response, WebError> {
    let file = desk.bench().export_cases().await?;
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"cases.jsonl\""),
    ];
    Ok((headers, file).into_response())
}

/// `POST /admin/search/cases/import`
pub async fn import(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    request: Request,
) -> Result<Markup, WebError> {
    me.must_be_admin("загружать эталоны")?;
    let file = uploaded(&desk, request).await?;
    let done = desk.bench().import_cases(me.account_actor(), file).await?;
    draw(&desk, &visitor, &me, &loaded(&done)).await
}

fn loaded(done: &CasesImported) -> Markup {
    html! {
        section.card.narrow role="status" aria-labelledby="loaded-title" {
            header { h2 #loaded-title { "Загружено" } }
            dl.figures.three {
                div { dt { "Добавлено" } dd { (done.added) } }
                div { dt { "Заменено" } dd { (done.replaced) } }
                div { dt { "Пропущено" } dd { (done.refused.len()) } }
            }
            @if !done.refused.is_empty() {
                ul.rows {
                    @for (line, why) in done.refused.iter().take(NAMED) { li { "Строка " (line) ": " (why) } }
                    @if done.refused.len() > NAMED { li.muted { "и ещё " (done.refused.len() - NAMED) } }
                }
            }
        }
    }
}
