//! Saved views of the list: their tabs, the controls that keep and change them.

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::address::{ListQuery, VIEWS};
use super::list;
use crate::domain::{NameError, OrderStatus, PersonId, ViewId, ViewName, ru};
use crate::services::views::{VIEWS_MOST, ViewError};
use crate::storage::saved_views::ViewRow;
use crate::web::Desk;
use crate::web::error::WebError;
use crate::web::layout::csrf;
use crate::web::markup::{Icon, small_icon};
use crate::web::session::{ManagerSession, Visitor};

/// Statuses that tabs count.
const OPEN: &[OrderStatus] = &[
    OrderStatus::Approval,
    OrderStatus::New,
    OrderStatus::NeedsClient,
    OrderStatus::Accepted,
    OrderStatus::Picking,
    OrderStatus::Ready,
];

/// A tab of the list.
pub struct Tab {
    href: String,
    word: String,
    /// How many orders it shows; `None`: it is not counted.
    count: Option<u32>,
    current: bool,
    /// Whose it is; `None`: it is built in.
    kept: Option<Kept>,
}

/// Whose a saved view is.
struct Kept {
    /// Whether every manager sees it.
    shared: bool,
    /// The colleague who made it; `None`: the one who looks.
    by: Option<String>,
}

impl Kept {
    fn words(&self) -> String {
        match &self.by {
            Some(name) => format!("общий вид, владелец: {name}"),
            None if self.shared => "общий вид".to_owned(),
            None => "только ваш вид".to_owned(),
        }
    }
}

/// The tabs: the built-in views, then the saved ones, as they were given.
pub async fn tabs(
    desk: &Desk,
    me: PersonId,
    query: &ListQuery,
    views: &[ViewRow],
) -> Result<Vec<Tab>, WebError> {
    let counts = desk.ordering.counts(OPEN).await?;
    let saved = query.saved().is_some();
    let mut tabs = Vec::new();
    for view in &VIEWS {
        let mut plain = ListQuery::default();
        plain.set("view", view.code);
        let count = if view.mine || view.today {
            Some(desk.ordering.orders(plain.filter(desk, me), 0, 0).await?.total)
        } else if view.statuses.is_empty() {
            None
        } else {
            let of = counts.iter().filter(|(status, _)| view.statuses.contains(status));
            Some(of.map(|(_, count)| count).sum())
        };
        // From a saved view one comes to the built-in one as it is; filters set by hand go along.
        let href = if saved {
            plain.with(|_| {})
        } else {
            query.with(|q| {
                q.set("view", view.code);
                q.set("status", "");
                q.set("columns", "");
            })
        };
        let current = !saved && view.code == query.view().code;
        tabs.push(Tab { href, word: view.word.to_owned(), count, current, kept: None });
    }
    let lists: Vec<_> = views.iter().map(|view| ListQuery::parse(&view.query)).collect();
    let counted = lists.iter().filter(|list| is_counted(list));
    let filters = counted.map(|list| list.filter(desk, me)).collect();
    let mut counts = desk.ordering.count_each(filters).await?.into_iter();
    for (view, list) in views.iter().zip(&lists) {
        tabs.push(Tab {
            href: list.with(|q| q.set("saved", &view.id.to_string())),
            word: view.name.clone(),
            count: if is_counted(list) { counts.next() } else { None },
            current: query.saved() == Some(view.id),
            kept: Some(Kept {
                shared: view.shared,
                by: (view.owner != me).then(|| view.owner_name.clone()),
            }),
        });
    }
    Ok(tabs)
}

/// Whether a tab says how many orders there are: of open ones that are found without a search,
/// since the tabs are counted with every page.
fn is_counted(list: &ListQuery) -> bool {
    let statuses = list.statuses();
    let of_view = list.view().statuses;
    let narrowed = if statuses.is_empty() { of_view } else { &statuses };
    let open = |statuses: &[OrderStatus]| {
        !statuses.is_empty() && statuses.iter().all(|status| OPEN.contains(status))
    };
    (open(of_view) || open(narrowed)) && list.get("q").is_empty() && list.get("product").is_empty()
}

impl Tab {
    /// The tab's link.
    pub fn render(&self) -> Markup {
        let shared = self.kept.as_ref().filter(|kept| kept.shared);
        html! {
            a href=(self.href) class=[self.kept.as_ref().map(|_| "kept")] title=[self.kept.as_ref().map(Kept::words)]
                aria-current=[self.current.then_some("page")] {
                @if shared.is_some() { (small_icon(Icon::Clients)) }
                (self.word)
                @if let Some(kept) = shared { span.sr { ", " (kept.words()) } }
                @if let Some(count) = self.count { span.count { (ru::thousands(u64::from(count))) } }
            }
        }
    }
}

/// What was wrong with a form of the controls, and what was typed into it.
pub struct Wrong {
    /// `save`, `rename`, `overwrite`.
    act: String,
    name: String,
    shared: bool,
    why: String,
}

/// The controls beside the chips: keep the list as a view, change the view that is open.
pub struct Controls<'a> {
    pub visitor: &'a Visitor,
    pub query: &'a ListQuery,
    /// The view that is open.
    pub open: Option<&'a ViewRow>,
    pub me: PersonId,
    /// Whether the one who looks is an administrator.
    pub admin: bool,
    pub wrong: Option<&'a Wrong>,
}

impl Controls<'_> {
    fn mine(&self) -> Option<&ViewRow> {
        self.open.filter(|view| view.owner == self.me)
    }

    /// Whether the list is another one than the view keeps.
    fn is_changed(&self) -> bool {
        let kept = |view: &ViewRow| ListQuery::parse(&view.query).state();
        self.open.is_some_and(|view| kept(view) != self.query.state())
    }

    /// Whether there is anything to keep: a built-in view as it is has its tab already.
    fn is_worth_keeping(&self) -> bool {
        let query = self.query;
        let own = query.is_filtered() || query.has_own_columns() || !query.get("sort").is_empty();
        self.wrong("save").is_some() || if self.open.is_some() { self.is_changed() } else { own }
    }

    /// Whether there is anything to show.
    pub fn are_needed(&self) -> bool {
        self.open.is_some() || self.is_worth_keeping()
    }

    fn wrong(&self, act: &str) -> Option<&Wrong> {
        self.wrong.filter(|wrong| wrong.act == act)
    }

    /// What was just done, in words.
    pub fn done(&self) -> Option<&'static str> {
        match self.query.get("done") {
            "remove" => Some("Вид удалён. Фильтры остались: их можно сохранить снова."),
            // The address may have been sent on: what its sender did is no news to a colleague.
            _ if self.mine().is_none() => None,
            "save" => Some("Вид сохранён. Ссылку на эту страницу можно послать коллеге."),
            "overwrite" | "rename" => Some("Вид изменён."),
            _ => None,
        }
    }

    /// The buttons; they are there where [`Self::are_needed`] says so.
    pub fn render(&self) -> Markup {
        let changed = self.is_changed();
        html! {
            div.view-actions {
                @if let Some(view) = self.mine().filter(|_| changed) {
                    form method="post" action=(self.query.with(|_| {})) {
                        (self.hidden(Some(view.id)))
                        button.button.small type="submit" name="act" value="overwrite" aria-describedby=[self.wrong("overwrite").map(|_| "view-wrong")] { "Сохранить изменения" }
                    }
                }
                @if let Some(wrong) = self.wrong("overwrite") { span.error-text #view-wrong role="alert" { (wrong.why) } }
                @if let Some(view) = self.open.filter(|_| changed) {
                    a.button.small.quiet href=(as_kept(view)) { "Вернуть как было" }
                }
                @if self.is_worth_keeping() {
                    details.menu data-menu open[self.wrong("save").is_some()] {
                        summary.button.small { (small_icon(Icon::Plus)) @if self.mine().is_some() { "Сохранить как новый" } @else { "Сохранить вид" } }
                        (self.form("save", None))
                    }
                }
                @if let Some(view) = self.open { (self.of_open(view)) }
            }
        }
    }

    /// What can be done with the view that is open, by whom it may be done.
    fn of_open(&self, view: &ViewRow) -> Markup {
        let mine = self.mine().is_some();
        html! {
            @if mine || self.admin {
                details.menu data-menu open[self.wrong("rename").is_some()] {
                    summary.button.small { (small_icon(Icon::Edit)) "Вид «" (view.name) "»" }
                    div.popover.view-box {
                        @if mine { (self.form("rename", Some(view))) hr; }
                        @else { p.hint { "Общий вид, владелец: " (view.owner_name) "." } }
                        form method="post" action=(self.query.with(|_| {})) {
                            (self.hidden(Some(view.id)))
                            button.button.quiet.danger type="submit" name="act" value="remove"
                                data-confirm=(format!("Удалить вид «{}»{}?", view.name, if view.shared { " у всех менеджеров" } else { "" })) { "Удалить вид" }
                        }
                    }
                }
            } @else {
                span.hint { "Общий вид, владелец: " (view.owner_name) }
            }
        }
    }

    /// The name of a view and who sees it.
    fn form(&self, act: &str, view: Option<&ViewRow>) -> Markup {
        let wrong = self.wrong(act);
        let name = wrong.map_or_else(|| view.map_or("", |view| &view.name), |wrong| &wrong.name);
        let shared =
            wrong.map_or_else(|| view.is_some_and(|view| view.shared), |wrong| wrong.shared);
        let (field, problem) = (format!("view-{act}"), format!("view-{act}-wrong"));
        html! {
            form.view-form.popover[view.is_none()].view-box[view.is_none()] method="post" action=(self.query.with(|_| {})) {
                (self.hidden(view.map(|view| view.id)))
                div.field {
                    label for=(field) { "Название" }
                    input id=(field) type="text" name="name" value=(name) required maxlength=(ViewName::MOST_CHARS) autocomplete="off"
                        autofocus[wrong.is_some()] aria-invalid=[wrong.map(|_| "true")] aria-describedby=[wrong.map(|_| problem.as_str())];
                    @if let Some(wrong) = wrong { p.error-text id=(problem) role="alert" { (wrong.why) } }
                }
                fieldset.choices {
                    legend { "Кому виден" }
                    label.check { input type="radio" name="shared" value="0" checked[!shared]; "Только мне" }
                    label.check { input type="radio" name="shared" value="1" checked[shared]; "Всем менеджерам" }
                }
                button.button.primary type="submit" name="act" value=(act) { @if view.is_some() { "Сохранить" } @else { "Сохранить вид" } }
            }
        }
    }

    /// The list that the form is about: the address alone does not come through a sign-in.
    fn hidden(&self, id: Option<ViewId>) -> Markup {
        html! {
            (csrf(self.visitor))
            input type="hidden" name="list" value=(self.query.with(|_| {}).split_once('?').map_or("", |(_, query)| query));
            @if let Some(id) = id { input type="hidden" name="id" value=(id); }
        }
    }
}

/// The address of a view as it is kept.
fn as_kept(view: &ViewRow) -> String {
    ListQuery::parse(&view.query).with(|q| q.set("saved", &view.id.to_string()))
}

/// A form of the controls.
#[derive(Debug, Deserialize)]
pub struct ViewForm {
    /// `save`, `rename`, `overwrite`, `remove`.
    act: String,
    /// The query of the list that the form stood on.
    #[serde(default)]
    list: String,
    /// The view.
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: String,
    /// `1`: every manager sees it.
    #[serde(default)]
    shared: String,
}

/// `POST /admin/orders`: keeps the list as a view, or changes one; the list again.
pub async fn keep_view(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Form(form): Form<ViewForm>,
) -> Result<Response, WebError> {
    let query = ListQuery::parse(&form.list);
    let (views, by) = (desk.views(), me.account_actor());
    let (name, shared) = (form.name.as_str(), form.shared == "1");
    let id = form.id.parse::<ViewId>().ok();
    let outcome = match (form.act.as_str(), id) {
        ("save", _) => views.save(by, name, query.state(), shared).await.map(Some),
        ("rename", Some(id)) => views.rename(by, id, name, shared).await.map(|()| Some(id)),
        ("overwrite", Some(id)) => views.overwrite(by, id, query.state()).await.map(|()| Some(id)),
        ("remove", Some(id)) => views.remove(by, me.staff.role, id).await.map(|()| None),
        _ => return Err(WebError::Invalid("Действие не понято.".to_owned())),
    };
    match outcome {
        Ok(open) => {
            let href = query.with(|q| {
                q.set("saved", &open.map(|id| id.to_string()).unwrap_or_default());
                q.set("done", &form.act);
            });
            Ok(Redirect::to(&href).into_response())
        }
        Err(error) => {
            let why = explained(error)?;
            let mut query = query;
            if let Some(id) = id {
                // The form stands at the view that is open.
                query.set("saved", &id.to_string());
            }
            let wrong = Wrong { act: form.act, name: form.name, shared, why };
            let page = list::draw(&desk, &visitor, &me, query, Some(&wrong)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// What is wrong and what to do, for the form; what no form can mend is an error of the page.
fn explained(error: ViewError) -> Result<String, WebError> {
    Ok(match error {
        ViewError::Name(NameError::Wordless) => {
            "Напишите название: в нём нужна хотя бы одна буква или цифра.".to_owned()
        }
        ViewError::Name(NameError::TooLong(chars)) => format!(
            "В названии {}, а помещается {}. Сократите его.",
            ru::count(chars as u64, ["знак", "знака", "знаков"]),
            ViewName::MOST_CHARS
        ),
        ViewError::Taken(name) => {
            format!("Вид «{name}» у вас уже есть. Выберите другое название.")
        }
        ViewError::Full => format!(
            "У вас уже {}, больше нельзя. Удалите ненужный и сохраните снова.",
            ru::count(u64::from(VIEWS_MOST), ["вид", "вида", "видов"])
        ),
        ViewError::TooLong => {
            "Отбор слишком длинный, такой не сохранить. Сократите слова в поиске.".to_owned()
        }
        ViewError::NotFound => return Err(WebError::NotFound),
        ViewError::NotYours => return Err(WebError::Forbidden("менять виды коллег")),
        ViewError::Storage(error) => return Err(error.into()),
    })
}
