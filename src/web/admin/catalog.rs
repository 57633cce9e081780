//! «Каталог»: the tree on the left, products on the right.

mod product;

pub use product::product;

use std::collections::HashSet;

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::{CategoryId, ProductId, ru};
use crate::services::directory::Listed;
use crate::storage::directory::{CategoryRow, ProductChange, ProductFilter, ProductLine};
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::admin::exchange::pull_button;
use crate::web::error::{WebError, encode};
use crate::web::layout::{Page, Pager, Section, Tone, badge, csrf, page as framed};
use crate::web::markup::{Icon, icon, small_icon};
use crate::web::session::{ManagerSession, Visitor};

/// Products on a page.
const PAGE: u32 = 50;

/// The address of the list.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct CatalogQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    category: String,
    /// `sold`, `out`, `priceless`, `hidden`; empty: all.
    #[serde(default)]
    state: String,
    #[serde(default)]
    page: String,
    /// The product whose own fields are open.
    #[serde(default)]
    open: String,
}

impl CatalogQuery {
    fn href(&self) -> String {
        let parts = [
            ("q", self.q.trim()),
            ("category", &self.category),
            ("state", &self.state),
            ("page", if self.page == "1" { "" } else { &self.page }),
            ("open", &self.open),
        ];
        let parts = parts.iter().filter(|(_, value)| !value.is_empty());
        let parts: Vec<String> = parts.map(|(k, v)| format!("{k}={}", encode(v))).collect();
        if parts.is_empty() {
            return "/admin/catalog".to_owned();
        }
        format!("/admin/catalog?{}", parts.join("&"))
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut other = Self { page: String::new(), open: String::new(), ..self.clone() };
        change(&mut other);
        other.href()
    }
}

/// `GET /admin/catalog`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(query): Query<CatalogQuery>,
) -> Result<Markup, WebError> {
    let category = query.category.parse().ok().map(CategoryId);
    let words = query.q.trim();
    let named = if words.is_empty() { None } else { Some(desk.catalog.named(words).await?) };
    // What has no price is a list of its own: once narrowed to it, no state is left to ask for.
    let (among, state) = if query.state == "priceless" {
        let priceless = desk.catalog.priceless().await?;
        let named: Option<HashSet<ProductId>> = named.map(HashSet::from_iter);
        let fits = |id: &ProductId| named.as_ref().is_none_or(|named| named.contains(id));
        (Some(priceless.iter().copied().filter(fits).collect()), String::new())
    } else {
        (named, query.state.clone())
    };
    let mut pager = Pager { page: query.page.parse().unwrap_or(1).max(1), size: PAGE, total: 0 };
    let found = match among {
        // They are in order already: only those of the page are read.
        Some(ids) if category.is_none() && state.is_empty() => {
            let page = ids.iter().copied().skip(pager.offset() as usize).take(PAGE as usize);
            let among = Some(page.collect());
            let filter = ProductFilter { among, ..ProductFilter::default() };
            let found = desk.directory().products(filter, 0, PAGE).await?;
            Listed { total: u32::try_from(ids.len()).unwrap_or(u32::MAX), ..found }
        }
        among => {
            let filter = ProductFilter { among, category, state, ..ProductFilter::default() };
            desk.directory().products(filter, pager.offset(), PAGE).await?
        }
    };
    pager.total = found.total;
    let tree = desk.directory().categories().await?;
    let around = around(&desk, &me).await?;
    let empty = tree.is_empty() && found.total == 0 && query.q.is_empty() && query.state.is_empty();
    let content = html! {
        div.page-head {
            h1 { "Каталог" }
            @if me.must_be_admin("").is_ok() && !empty {
                div.buttons { (fetch(&desk, &visitor).await?) a.button href="/admin/catalog/import" { (icon(Icon::Upload)) "Загрузить файл" } }
            }
        }
        @if empty {
            div.empty {
                (icon(Icon::Catalog))
                p { "Каталог пуст. Выгрузите его из 1С или загрузите файлом." }
                @if me.must_be_admin("").is_ok() {
                    div.buttons {
                        a.button.primary href="/admin/catalog/import" { "Загрузить файл" }
                        (fetch(&desk, &visitor).await?)
                        a.button href="/admin/exchange/connect" { "Настроить обмен с 1С" }
                    }
                }
            }
        } @else {
            div.shelf {
                nav.card.tree aria-label="Категории" {
                    header { h2 { "Категории" } }
                    (branch(&query, &tree, category))
                }
                div #list {
                    (filters(&query, category, &tree))
                    @if found.rows.is_empty() {
                        div.empty { (icon(Icon::Search)) p { "Ничего не найдено" } a.button href="/admin/catalog" { "Сбросить фильтры" } }
                    } @else {
                        (table(&desk, &visitor, &query, &found.rows))
                        (pager.render(["товар", "товара", "товаров"], |page| query.with(|q| q.page = page.to_string())))
                        (bulk_bar(&visitor, &query, &tree))
                    }
                }
            }
        }
    };
    let page =
        Page { title: "Каталог", section: Some(Section::Catalog), class: "", content };
    Ok(framed(&visitor, &around, &page))
}

/// `[Забрать из 1С]` with the time of the last one, where that is set up.
async fn fetch(desk: &Desk, visitor: &Visitor) -> Result<Markup, WebError> {
    let Some(pull) = desk.pull.as_ref().filter(|pull| pull.is_set_up()) else {
        return Ok(html! {});
    };
    let last = desk.exchange.last_of("pull").await?;
    let now = desk.base.clock.now();
    Ok(html! {
        span.hint #fetched data-live {
            @match last {
                None => "Из 1С ещё не забирали",
                Some(row) if row.error.is_empty() => { "Из 1С: " (desk.base.zone.date_time(row.at, now)) },
                Some(row) => { "Из 1С в " (desk.base.zone.date_time(row.at, now)) " не получилось" },
            }
        }
        (pull_button(visitor, "Забрать из 1С", pull.status().running_since.is_some(), false))
    })
}

fn filters(query: &CatalogQuery, category: Option<CategoryId>, tree: &[CategoryRow]) -> Markup {
    let named = category.and_then(|id| tree.iter().find(|row| row.id == id));
    html! {
        form.filters action="/admin/catalog" role="search" aria-label="Отбор товаров" data-filters {
            @if let Some(category) = category { input type="hidden" name="category" value=(category); }
            div.grow {
                (icon(Icon::Search))
                input type="search" name="q" value=(query.q) aria-label="Название, артикул или слова" placeholder="Название, артикул или слова";
            }
            select name="state" aria-label="Состояние" {
                @for (code, word) in [("", "Все товары"), ("sold", "В продаже"), ("out", "Нет в наличии"), ("priceless", "Без цены"), ("hidden", "Скрытые")] {
                    option value=(code) selected[query.state == code] { (word) }
                }
            }
            button.button type="submit" { "Найти" }
            @if let Some(row) = named {
                a.chip href=(query.with(|q| q.category.clear())) { (row.title) (small_icon(Icon::Cross)) span.sr { "убрать фильтр" } }
            }
        }
    }
}

/// The tree, open on the way to the chosen category.
fn branch(query: &CatalogQuery, tree: &[CategoryRow], chosen: Option<CategoryId>) -> Markup {
    let mut open = Vec::new();
    let mut at = chosen;
    // A loop in foreign data must not hang the page.
    while let Some(id) = at.filter(|id| !open.contains(id)) {
        open.push(id);
        at = tree.iter().find(|row| row.id == id).and_then(|row| row.parent);
    }
    html! { ul.branch { (siblings(query, tree, None, &open, chosen, 0)) } }
}

fn siblings(
    query: &CatalogQuery,
    tree: &[CategoryRow],
    parent: Option<CategoryId>,
    open: &[CategoryId],
    chosen: Option<CategoryId>,
    depth: usize,
) -> Markup {
    html! {
        @for row in tree.iter().filter(|row| row.parent == parent) {
            @let inside = tree.iter().any(|child| child.parent == Some(row.id));
            li {
                a href=(query.with(|q| q.category = row.id.to_string())) aria-current=[(chosen == Some(row.id)).then_some("true")] {
                    @if inside { (small_icon(if open.contains(&row.id) { Icon::Folder } else { Icon::Forward })) } @else { span.leaf {} }
                    span.word { (row.title) }
                    span.count { (ru::thousands(u64::from(total(tree, row, 0)))) }
                }
                @if inside && open.contains(&row.id) && depth < 12 {
                    ul { (siblings(query, tree, Some(row.id), open, chosen, depth + 1)) }
                }
            }
        }
    }
}

/// Products in a category and below it.
fn total(tree: &[CategoryRow], row: &CategoryRow, depth: usize) -> u32 {
    if depth > 12 {
        return row.products;
    }
    let below = tree.iter().filter(|child| child.parent == Some(row.id));
    row.products + below.map(|child| total(tree, child, depth + 1)).sum::<u32>()
}

fn table(desk: &Desk, visitor: &Visitor, query: &CatalogQuery, rows: &[ProductLine]) -> Markup {
    html! {
        div.table-wrap {
            table.cards-on-phone.simple.goods {
                caption.sr { "Товары" }
                thead {
                    tr {
                        th.pick scope="col" { label.tick { input type="checkbox" data-pick-all; span.sr { "Выбрать всю страницу" } } }
                        th scope="col" { "Артикул" }
                        th scope="col" { "Название" }
                        th.num scope="col" { "Цена" }
                        th.num scope="col" { "Остаток" }
                        th.roomy scope="col" { "Упаковки" }
                        th scope="col" { "Состояние" }
                    }
                }
                tbody { @for row in rows { (self::row(desk, visitor, query, row)) } }
            }
        }
    }
}

fn row(desk: &Desk, visitor: &Visitor, query: &CatalogQuery, row: &ProductLine) -> Markup {
    let open = query.open == row.id.to_string();
    let href = CatalogQuery {
        open: if open { String::new() } else { row.id.to_string() },
        ..query.clone()
    };
    let now = desk.base.clock.now();
    html! {
        tr id=(format!("product-{}", row.id)) data-row {
            td.pick { label.tick { input type="checkbox" name="product" value=(row.id) form="bulk" data-pick; span.sr { "Выбрать: " (row.title) } } }
            td.muted.nowrap.g-sku { @if row.sku.is_empty() { "—" } @else { (row.sku) } }
            td.g-title {
                a.quiet href=(format!("{}#product-{}", href.href(), row.id)) aria-expanded=(open) { (row.title) }
                @if !row.search_words.is_empty() { span.sub { "слова: " (row.search_words) } }
            }
            td.num.g-price { @if let Some(price) = row.price { (price) } @else { span.muted { "нет цены" } } }
            td.num.g-stock { (row.available.with_unit(row.unit.as_str())) }
            td.roomy { @if row.packs.is_empty() { span.muted { "—" } } @else { (row.packs) } }
            td.g-state {
                @if row.withdrawn { (badge(Tone::Neutral, "снят с продажи")) }
                @else if row.hidden { (badge(Tone::Neutral, "скрыт")) }
                @else if row.available.is_positive() { (badge(Tone::Ok, "в продаже")) }
                @else { (badge(Tone::Warn, "нет в наличии")) }
            }
        }
        @if open {
            tr.opened {
                td colspan="7" {
                    dl.facts {
                        @if !row.category.is_empty() { dt { "Категория" } dd { (row.category) } }
                        @if let Some(multiple) = row.multiple { dt { "Кратно" } dd { (multiple.with_unit(row.unit.as_str())) } }
                        dt { "Источник" }
                        dd { @if row.from_onec { (small_icon(Icon::Lock)) " из 1С: название, цена и остаток правятся там" } @else { "файл или панель" } }
                        dt { "Подробно" } dd { a href=(format!("/admin/catalog/products/{}", row.id)) { "остатки по складам, цены по видам" } }
                        dt { "Изменён" } dd { (desk.base.zone.date_time(row.updated_at, now)) }
                    }
                    form.inline-form method="post" action=(format!("/admin/catalog/products/{}", row.id)) {
                        (csrf(visitor))
                        input type="hidden" name="back" value=(query.href());
                        div.field.grow {
                            label for=(format!("words-{}", row.id)) { "Слова для поиска: как это называют клиенты" }
                            input id=(format!("words-{}", row.id)) type="text" name="search_words" value=(row.search_words) maxlength="300";
                        }
                        label.check { input type="checkbox" name="hidden" value="1" checked[row.hidden]; "Не показывать клиентам" }
                        button.button.primary type="submit" { "Сохранить" }
                    }
                }
            }
        }
    }
}

/// What is done with the chosen products.
fn bulk_bar(visitor: &Visitor, query: &CatalogQuery, tree: &[CategoryRow]) -> Markup {
    html! {
        form.bulk-bar #bulk method="post" action="/admin/catalog/bulk" aria-label="Действия с выбранными" {
            (csrf(visitor))
            input type="hidden" name="back" value=(query.href());
            span.bulk-count data-pick-count { "Выбранные товары" }
            button.button.small type="submit" name="act" value="hide" { "Скрыть от клиентов" }
            button.button.small type="submit" name="act" value="show" { "Показать" }
            @if !tree.is_empty() {
                span.in-row {
                    select name="category" aria-label="В какую категорию" { @for row in tree { option value=(row.id) { (row.title) } } }
                    button.button.small type="submit" name="act" value="category" { "Перенести" }
                }
            }
        }
    }
}

/// `POST /admin/catalog/bulk`: hides, shows, or moves the chosen products. Those of 1C keep the
/// category that 1C gives.
pub async fn bulk(
    State(desk): State<Desk>,
    me: ManagerSession,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Redirect, WebError> {
    let get = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let chosen = fields.iter().filter(|(name, _)| name == "product");
    let chosen: Vec<_> = chosen.filter_map(|(_, id)| id.parse().ok().map(ProductId)).collect();
    if chosen.is_empty() {
        return Err(WebError::Invalid("Не выбран ни один товар.".to_owned()));
    }
    let count = chosen.len();
    let change = match get("act") {
        "hide" => ProductChange::Hidden(true),
        "show" => ProductChange::Hidden(false),
        "category" => ProductChange::Category(CategoryId(
            get("category")
                .parse()
                .map_err(|_| WebError::Invalid("Выберите категорию.".to_owned()))?,
        )),
        _ => return Err(WebError::Invalid("Действие не понято.".to_owned())),
    };
    let changed = desk.directory().change_products(me.account_actor(), chosen, change).await?;
    if changed < count {
        return Err(WebError::Conflict(format!(
            "Обновлено {changed}, пропущено {}: категорию этих товаров ведёт 1С, меняйте её там.",
            count - changed
        )));
    }
    Ok(Redirect::to(crate::web::session::safe_next(get("back"))))
}

/// A product's own fields.
#[derive(Debug, Deserialize)]
pub struct OwnFields {
    #[serde(default)]
    search_words: String,
    #[serde(default)]
    hidden: String,
    #[serde(default)]
    back: String,
}

/// `POST /admin/catalog/products/{id}`
pub async fn set_own_fields(
    State(desk): State<Desk>,
    me: ManagerSession,
    Path(id): Path<i64>,
    Form(form): Form<OwnFields>,
) -> Result<Redirect, WebError> {
    let words: String = form.search_words.chars().take(300).collect();
    let hidden = form.hidden == "1";
    let by = me.account_actor();
    if !desk.directory().set_own_fields(by, ProductId(id), words, hidden).await? {
        return Err(WebError::NotFound);
    }
    let back = crate::web::session::safe_next(&form.back);
    Ok(Redirect::to(&format!("{back}#product-{id}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_of_categories_does_not_hang_the_tree() {
        let row = |id, parent| CategoryRow {
            id: CategoryId(id),
            parent: Some(CategoryId(parent)),
            title: "x".to_owned(),
            products: 1,
        };
        let tree = [row(1, 2), row(2, 1)];
        let drawn = branch(&CatalogQuery::default(), &tree, Some(CategoryId(1))).into_string();
        assert_eq!(drawn, "<ul class=\"branch\"></ul>");
        assert!(total(&tree, &tree[0], 0) > 0);
    }
}
