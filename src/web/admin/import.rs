//! The import of a catalogue file: choose, look at what would happen, load.

use axum::extract::{FromRequest, Multipart, Request, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use uuid::Uuid;

use crate::domain::ru;
use crate::formats::sheet::Cell;
use crate::formats::tables::NO_COLUMN;
use crate::services::exchange::undo::Import;
use crate::services::exchange::{ApplyReport, LeftAlone};
use crate::services::imports::{ImportError, Reading, Sample};
use crate::storage::exchange_log::HeldHiding;
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::admin::exchange::{self, NUMBER, typed, undo};
use crate::web::admin::orders::file;
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, csrf, page as framed};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// Problems that are named on the page.
const NAMED: usize = 100;

/// Rows of the file that are shown, its headings apart.
const SAMPLE: usize = 5;

/// Columns that a person may point at, with what they are.
const FIELDS: [(&str, &str); 9] = [
    ("sku", "Артикул"),
    ("title", "Название"),
    ("price", "Цена"),
    ("stock_qty", "Остаток"),
    ("category", "Категория"),
    ("unit", "Единица"),
    ("pack", "В упаковке"),
    ("multiple", "Кратность"),
    ("description", "Описание"),
];

/// Columns that are found by themselves alone.
const FOUND: [(&str, &str); 7] = [
    ("external_id", "Код 1С"),
    ("category_external_id", "Код категории в 1С"),
    ("barcode", "Штрихкод"),
    ("packs", "Упаковки"),
    ("deleted", "Удалён"),
    ("hidden", "Скрыт"),
    ("search_words", "Слова поиска"),
];

/// What is brought up to date in known products: how the form calls it, and in words.
const UPDATED: [(&str, &str); 3] = [
    ("prices", "Обновлять цены"),
    ("stocks", "Обновлять остатки"),
    ("titles", "Обновлять названия"),
];

/// What the form says.
#[derive(Default)]
struct Given {
    bytes: Vec<u8>,
    id: Option<Uuid>,
    act: String,
    reading: Reading,
    /// Whether the form asks what to update, and what it was told.
    choices: Option<Vec<String>>,
    /// The choices that the last check was made with.
    checked: Option<String>,
    /// How many products the last check would hide only by a person, and what that person typed.
    held: Option<usize>,
    number: String,
}

impl Given {
    fn settle(&mut self) {
        if let Some(updated) = &self.choices {
            let left = |name: &str| !updated.iter().any(|chosen| chosen == name);
            self.reading.left_alone = LeftAlone {
                prices: left("prices"),
                stocks: left("stocks"),
                titles: left("titles"),
            };
        }
        if self.reading.hides.is_none() {
            self.reading.hides = typed(&self.number).filter(|number| Some(*number) == self.held);
        }
    }

    /// Another number was typed than the one asked for.
    fn is_mistyped(&self) -> bool {
        !self.number.trim().is_empty() && self.reading.hides.is_none()
    }

    /// What is to be loaded is not what was looked at.
    fn is_unseen(&self) -> bool {
        self.checked.as_ref().is_some_and(|checked| *checked != choices(&self.reading))
    }
}

fn updates(reading: &Reading, what: &str) -> bool {
    let LeftAlone { prices, stocks, titles } = reading.left_alone;
    !match what {
        "prices" => prices,
        "stocks" => stocks,
        _ => titles,
    }
}

/// The choices of a reading as one word.
fn choices(reading: &Reading) -> String {
    let chosen = UPDATED.iter().filter(|(name, _)| updates(reading, name));
    let full = reading.full.then_some("full");
    chosen.map(|(name, _)| *name).chain(full).collect::<Vec<_>>().join("-")
}

/// The choices are others than those that were looked at.
const UNSEEN: &str = "Выбор изменился, ничего ещё не загружено. Вот что получится теперь.";

/// Where the person is.
enum Step<'a> {
    Choose {
        problem: Option<&'a str>,
    },
    /// `amiss`: why nothing has been loaded although it was asked for.
    Check {
        id: Uuid,
        report: &'a ApplyReport,
        sample: &'a Sample,
        amiss: Option<&'a str>,
    },
    Done {
        report: &'a ApplyReport,
        import: Option<Import>,
        held: Option<HeldHiding>,
    },
}

/// `GET /admin/catalog/import`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
) -> Result<Markup, WebError> {
    me.must_be_admin("загружать каталог")?;
    draw(&desk, &visitor, &me, &Reading::default(), &Step::Choose { problem: None }).await
}

/// `POST /admin/catalog/import`: a file is checked; a checked one is loaded.
pub async fn take(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    request: Request,
) -> Result<Response, WebError> {
    me.must_be_admin("загружать каталог")?;
    let form = Multipart::from_request(request, &desk).await;
    let form =
        form.map_err(|_| WebError::Invalid("Выберите файл и отправьте форму снова.".to_owned()))?;
    let mut given = read(form).await?;
    let imports = desk.imports();
    if let (Some(id), "errors") = (given.id, given.act.as_str()) {
        let report = imports.check(id, &given.reading).await;
        let report = report.map_err(|error| WebError::Invalid(error.to_string()))?;
        return file(left_out(&report), "errors", "csv").await;
    }
    let outcome = match (given.id, given.act.as_str()) {
        (Some(id), "load") if !given.is_unseen() && !given.is_mistyped() => {
            imports.load(me.account_actor(), id, &given.reading).await.map(|r| (None, r))
        }
        (Some(id), _) => imports.check(id, &given.reading).await.map(|r| (Some(id), r)),
        (None, _) if given.bytes.is_empty() && given.reading.name.is_empty() => {
            Err(ImportError::Unreadable("Выберите файл: .csv, .xlsx или .json.".to_owned()))
        }
        (None, _) => match imports.keep(std::mem::take(&mut given.bytes)).await {
            Ok(id) => imports.check(id, &given.reading).await.map(|r| (Some(id), r)),
            Err(error) => Err(error),
        },
    };
    let (visitor, me) = (&visitor, &me);
    match outcome {
        Ok((Some(id), report)) => Ok(checked(&desk, visitor, me, &given, (id, &report)).await?),
        Ok((None, report)) => {
            let import = desk.exchange.import_of(report.exchange).await?;
            let held = desk.exchange.held_hiding().await?;
            let held = held.filter(|held| held.exchange == Some(report.exchange));
            let step = Step::Done { report: &report, import, held };
            Ok(draw(&desk, visitor, me, &given.reading, &step).await?.into_response())
        }
        Err(ImportError::Internal(cause)) => Err(WebError::internal(cause)),
        Err(error) => {
            let problem = error.to_string();
            let step = Step::Choose { problem: Some(&problem) };
            let page = draw(&desk, visitor, me, &given.reading, &step).await?;
            Ok((axum::http::StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// What would happen, and why it has not when it was asked for.
async fn checked(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    given: &Given,
    (id, report): (Uuid, &ApplyReport),
) -> Result<Response, WebError> {
    let sample = desk.imports().sample(id, &given.reading, SAMPLE).await.unwrap_or_default();
    let mistyped = format!(
        "Введено «{}», а скрыть нужно {}. Исправьте число или оставьте поле пустым: ничего ещё не загружено.",
        ru::ellipsis(&given.number, 20),
        report.held
    );
    let amiss = match given.act.as_str() {
        "load" if given.is_unseen() => Some(UNSEEN),
        "load" => Some(mistyped.as_str()),
        _ => None,
    };
    let step = Step::Check { id, report, sample: &sample, amiss };
    Ok(draw(desk, visitor, me, &given.reading, &step).await?.into_response())
}

/// `GET /admin/catalog/import/sample`: a table to fill in.
pub async fn sample(_me: ManagerSession) -> Result<Response, WebError> {
    let rows = [
        "Артикул;Название;Категория;Цена;Остаток;Единица;В упаковке;Кратность;Описание",
        "00-1234;Саморез 4×25 жёлтый;Крепёж/Саморезы;0,85;12000;шт;1000;500;",
        "00-2201;Молния рулонная Т5 чёрная;Фурнитура/Молнии;14,50;600;м;200;;",
    ];
    let rows = rows.iter().map(|row| row.split(';').map(Cell::text).collect()).collect();
    file(rows, "catalog-sample", "csv").await
}

async fn read(mut form: Multipart) -> Result<Given, WebError> {
    let broken = |_| WebError::Invalid("Файл пришёл не целиком, отправьте его ещё раз.".to_owned());
    let mut given = Given::default();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            given.reading.name = field.file_name().unwrap_or_default().to_owned();
            given.bytes = field.bytes().await.map_err(broken)?.to_vec();
            continue;
        }
        let value = field.text().await.map_err(broken)?;
        match name.as_str() {
            "id" => given.id = value.parse().ok(),
            "act" => given.act = value,
            "name" => given.reading.name = value,
            "held" => given.held = value.parse().ok(),
            "number" => given.number = value,
            "hides" => given.reading.hides = value.parse().ok(),
            "full" => given.reading.full = value == "1",
            "choices" => given.choices = Some(given.choices.take().unwrap_or_default()),
            "update" => given.choices.get_or_insert_default().push(value),
            "checked" => given.checked = Some(value),
            name => {
                if let Some(column) = name.strip_prefix("column-")
                    && !value.trim().is_empty()
                {
                    given.reading.map.push((column.to_owned(), value.trim().to_owned()));
                }
            }
        }
    }
    given.settle();
    Ok(given)
}

async fn draw(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    reading: &Reading,
    step: &Step<'_>,
) -> Result<Markup, WebError> {
    let around = around(desk, me).await?;
    let at = match step {
        Step::Choose { .. } => 0,
        Step::Check { .. } => 1,
        Step::Done { .. } => 2,
    };
    let content = html! {
        div.page-head {
            a.back href="/admin/catalog" aria-label="К каталогу" { (icon(Icon::Back)) }
            h1 { "Загрузка каталога" }
        }
        ol.wizard aria-label="Шаги" {
            @for (index, word) in ["Файл", "Проверка", "Итог"].iter().enumerate() {
                li aria-current=[(index == at).then_some("step")] { span.step-number { (index + 1) } (word) }
            }
        }
        @match step {
            Step::Choose { problem } => (choose(visitor, reading, *problem)),
            Step::Check { id, report, sample, amiss } => {
                (check(visitor, reading, *id, report, (!sample.rows.is_empty(), *amiss)))
                (differences(report))
                (columns(visitor, reading, *id, sample))
                (problems(report))
            },
            Step::Done { report, import, held } => {
                (done(report))
                @if let Some(held) = held { (exchange::hiding(desk, visitor, true, held)) }
                @if let Some(import) = import { (undo::card(desk, visitor, true, import)) }
                (problems(report))
            },
        }
    };
    let page =
        Page {
            title: "Загрузка каталога", section: Some(Section::Catalog), class: "", content
        };
    Ok(framed(visitor, &around, &page))
}

fn choose(visitor: &Visitor, reading: &Reading, problem: Option<&str>) -> Markup {
    let mapped = |field: &str| {
        let found = reading.map.iter().find(|(name, _)| name == field);
        found.map_or("", |(_, column)| column.as_str()).trim_start_matches(NO_COLUMN)
    };
    html! {
        form.card.narrow method="post" action="/admin/catalog/import" enctype="multipart/form-data" {
            (csrf(visitor))
            div.body.form {
                @if let Some(problem) = problem {
                    p.notice data-tone="danger" role="alert" #problem { (icon(Icon::Alert)) span { (problem) } }
                }
                div.field {
                    label for="file" { "Файл каталога" }
                    input #file type="file" name="file" required accept=".csv,.xlsx,.json,.txt" aria-describedby="file-hint";
                    span.hint #file-hint { "До 20\u{a0}МБ: .csv (UTF-8 или Windows-1251), .xlsx или .json. В первой строке таблицы — названия столбцов. Сначала будет проверка, каталог не изменится. " a href="/admin/catalog/import/sample" { "Скачать образец" } }
                }
                details open[problem.is_some() || !reading.map.is_empty()] {
                    summary { "Указать столбцы вручную" }
                    div.columns {
                        @for (field, word) in FIELDS {
                            div.field {
                                label for=(format!("column-{field}")) { (word) }
                                input id=(format!("column-{field}")) type="text" name=(format!("column-{field}")) value=(mapped(field)) placeholder="название или номер столбца";
                            }
                        }
                    }
                }
                label.check { input type="checkbox" name="full" value="1" checked[reading.full]; "Скрыть товары, которых нет в файле" }
                div.buttons { button.button.primary type="submit" name="act" value="check" { (icon(Icon::Upload)) "Проверить" } }
            }
        }
    }
}

fn figures(report: &ApplyReport, words: [&str; 4]) -> Markup {
    let figures = [
        (words[0], report.created),
        (words[1], report.changed),
        (words[2], report.unchanged),
        (words[3], report.skipped),
    ];
    html! {
        dl.figures.four {
            @for (word, count) in figures { div { dt { (word) } dd { (ru::thousands(count as u64)) } } }
        }
        @if report.hidden > 0 {
            p.notice data-tone="warn" { (if report.exchange == 0 { "Скрыть как отсутствующие в файле: " } else { "Скрыто как отсутствующие в файле: " }) (ru::thousands(report.hidden as u64)) }
        }
        @for warning in &report.warnings { p.notice data-tone="warn" { (warning) } }
    }
}

/// What changes in products that are known.
fn differences(report: &ApplyReport) -> Markup {
    html! {
        @if !report.differences.is_empty() {
            section.card aria-labelledby="differences-title" {
                header { h2 #differences-title { "Что меняется" } span.count { (ru::count(report.changed as u64, ["товар", "товара", "товаров"])) } }
                div.table-wrap.scrolled tabindex="0" role="region" aria-label="Таблица изменений" {
                    table {
                        caption.sr { "Изменяемые товары и поля" }
                        thead { tr { th scope="col" { "Артикул" } th scope="col" { "Товар" } th scope="col" { "Изменения" } } }
                        tbody {
                            @for changed in &report.differences {
                                tr {
                                    td.muted { @if changed.sku.is_empty() { "—" } @else { (changed.sku) } }
                                    td { (changed.title) }
                                    td { @for (index, field) in changed.fields.iter().enumerate() { @if index > 0 { br; } (field) } }
                                }
                            }
                        }
                    }
                }
                @if report.changed > report.differences.len() { p.body.muted { "Показаны первые " (report.differences.len()) "." } }
            }
        }
    }
}

fn problems(report: &ApplyReport) -> Markup {
    html! {
        @if !report.problems.is_empty() {
            section.card aria-labelledby="problems-title" {
                header { h2 #problems-title { "Пропущенные строки" } span.count { (report.skipped) } }
                div.table-wrap {
                    table {
                        caption.sr { "Пропущенные строки с причинами" }
                        thead { tr { th scope="col" { (counted(report)) } th scope="col" { "Артикул" } th scope="col" { "Причина" } } }
                        tbody {
                            @for problem in report.problems.iter().take(NAMED) {
                                tr { td.muted { (problem.index + 1) } td { @if problem.sku.is_empty() { "—" } @else { (problem.sku) } } td { (problem.reason) } }
                            }
                        }
                    }
                }
                @if report.skipped > NAMED { p.body.muted { "Показаны первые " (NAMED) "." } }
            }
        }
    }
}

/// What the left out are counted in.
fn counted(report: &ApplyReport) -> &'static str {
    if report.tabular { "Строка" } else { "Запись" }
}

/// Hiding much of the catalogue takes more than a tick.
fn hides(reading: &Reading, report: &ApplyReport) -> Markup {
    let count = ru::count(report.held as u64, ["товара", "товаров", "товаров"]);
    html! {
        @if report.held > 0 {
            div.field {
                label for="number" { "Чтобы скрыть, введите число " (report.held) }
                input #number type="text" name="number" inputmode="numeric" autocomplete="off" pattern=(NUMBER) aria-describedby="number-hint";
                span.hint #number-hint { "В файле нет " (count) " каталога: это больше десятой части. Если оставить поле пустым, загрузится всё остальное, а скрытие подождёт вашего решения." }
                input type="hidden" name="held" value=(report.held);
            }
        } @else if let Some(number) = reading.hides { input type="hidden" name="hides" value=(number); }
    }
}

fn check(
    visitor: &Visitor,
    reading: &Reading,
    id: Uuid,
    report: &ApplyReport,
    (table, amiss): (bool, Option<&str>),
) -> Markup {
    let name = &reading.name;
    html! {
        section.card.narrow aria-labelledby="check-title" {
            header { h2 #check-title { "Что изменится" } @if !name.is_empty() { span.count { (ru::ellipsis(name, 40)) } } }
            @if let Some(amiss) = amiss { p.notice data-tone="warn" role="alert" { (icon(Icon::Alert)) span { (amiss) } } }
            (figures(report, ["Создать", "Изменить", "Без изменений", "Пропустить"]))
            form.body.form method="post" action="/admin/catalog/import" enctype="multipart/form-data" {
                (csrf(visitor))
                input type="hidden" name="id" value=(id);
                input type="hidden" name="name" value=(name);
                input type="hidden" name="choices" value="1";
                input type="hidden" name="checked" value=(choices(reading));
                @for (field, column) in &reading.map { input type="hidden" name=(format!("column-{field}")) value=(column); }
                fieldset.choices {
                    legend { "Что менять у товаров, которые уже есть" }
                    @for (what, words) in UPDATED {
                        label.check { input type="checkbox" name="update" value=(what) checked[updates(reading, what)]; (words) }
                    }
                    @if table {
                        label.check { input type="checkbox" name="full" value="1" checked[reading.full]; "Скрыть отсутствующие в файле" }
                    } @else { input type="hidden" name="full" value=(u8::from(reading.full)); }
                }
                (hides(reading, report))
                div.buttons {
                    button.button.primary type="submit" name="act" value="load" { "Загрузить" }
                    button.button type="submit" name="act" value="check" { "Пересчитать" }
                    @if report.skipped > 0 { button.button type="submit" name="act" value="errors" { (icon(Icon::Download)) "Скачать ошибки .csv" } }
                    a.button.quiet href="/admin/catalog/import" { "Другой файл" }
                }
            }
        }
    }
}

/// The rows left out, for a spreadsheet.
fn left_out(report: &ApplyReport) -> Vec<Vec<Cell>> {
    let head = [counted(report), "Артикул", "Причина"].map(Cell::text).to_vec();
    let rows = report.problems.iter().map(|problem| {
        let index = i64::try_from(problem.index + 1).unwrap_or(i64::MAX);
        vec![Cell::Number(index), Cell::text(&problem.sku), Cell::text(&problem.reason)]
    });
    std::iter::once(head).chain(rows).collect()
}

/// What a column holds, in words.
fn understood(field: &str) -> String {
    let of = |kind: &str, word: &str| Some(format!("{word}: {}", field.strip_prefix(kind)?));
    let named = FIELDS.iter().chain(&FOUND).find(|(code, _)| *code == field);
    let named = named.map(|(_, word)| (*word).to_owned());
    named
        .or_else(|| of("price: ", "Цена"))
        .or_else(|| of("stock: ", "Остаток"))
        .unwrap_or_else(|| field.to_owned())
}

/// Which column is what: each with what stands in it, to be corrected and checked again.
fn columns(visitor: &Visitor, reading: &Reading, id: Uuid, sample: &Sample) -> Markup {
    let Some((heads, rows)) = sample.rows.split_first() else { return html! {} };
    let place = |field: &str| sample.fields.iter().position(|f| f.as_deref() == Some(field));
    html! {
        section.card aria-labelledby="columns-title" {
            header { h2 #columns-title { "Столбцы файла" } }
            div.table-wrap.scrolled tabindex="0" role="region" aria-label="Первые строки файла" {
                table.plain {
                    caption.sr { "Первые строки файла и что в каком столбце" }
                    thead {
                        tr {
                            @for (index, head) in heads.iter().enumerate() {
                                th scope="col" {
                                    (ru::ellipsis(head, 40))
                                    @match sample.fields.get(index).and_then(Option::as_deref) {
                                        Some(field) => { span.sub { "→ " (understood(field)) } },
                                        None => span.sub { "не загружается" },
                                    }
                                }
                            }
                        }
                    }
                    tbody { @for row in rows { tr { @for cell in row { td { (ru::ellipsis(cell, 40)) } } } } }
                }
            }
            form.body.form method="post" action="/admin/catalog/import" enctype="multipart/form-data" {
                (csrf(visitor))
                input type="hidden" name="id" value=(id);
                input type="hidden" name="name" value=(reading.name);
                input type="hidden" name="full" value=(u8::from(reading.full));
                input type="hidden" name="choices" value="1";
                @for (what, _) in UPDATED.iter().filter(|(what, _)| updates(reading, what)) { input type="hidden" name="update" value=(what); }
                div.columns {
                    @for (field, word) in FIELDS {
                        @let found = place(field);
                        div.field {
                            label for=(format!("map-{field}")) { (word) }
                            select id=(format!("map-{field}")) name=(format!("column-{field}")) {
                                option value=(NO_COLUMN) selected[found.is_none()] { "нет в файле" }
                                @for (index, head) in heads.iter().enumerate() {
                                    option value=(index + 1) selected[found == Some(index)] {
                                        (index + 1) ". " (ru::ellipsis(head, 40))
                                    }
                                }
                            }
                        }
                    }
                }
                div.buttons { button.button type="submit" name="act" value="check" { "Проверить снова" } }
            }
        }
    }
}

fn done(report: &ApplyReport) -> Markup {
    html! {
        section.card.narrow aria-labelledby="done-title" {
            header { h2 #done-title { "Каталог загружен" } span.count { "обмен №\u{a0}" (report.exchange) } }
            (figures(report, ["Создано", "Изменено", "Без изменений", "Пропущено"]))
            div.body.buttons {
                a.button.primary href="/admin/catalog" { "К каталогу" }
                a.button href="/admin/catalog/import" { "Ещё файл" }
            }
        }
    }
}
