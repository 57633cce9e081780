//! «Заявка за клиента»: pasted text or a file, understood as the bot would, shown, then sent.

use axum::extract::{FromRequest as _, Multipart, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::domain::{Delivery, LineState, Money, OrganizationId, PersonId, ru};
use crate::formats::order_table::{self, Layout, MAX_LINES, OrderTableError};
use crate::formats::text;
use crate::services::ordering::{ForClient, OrderError, Understood};
use crate::storage::directory::{ClientFilter, MemberLine};
use crate::web::Desk;
use crate::web::admin::{around, lookup};
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, Tone, badge, csrf, page as framed};
use crate::web::markup::{Icon, icon, marked};
use crate::web::session::{ManagerSession, Visitor};

/// Organizations to choose from at once.
const CLIENTS: u32 = 200;

/// Characters of a text.
const TEXT_MAX: usize = 60_000;

/// What the form holds.
#[derive(Debug, Clone, Default)]
struct Given {
    organization: String,
    author: String,
    text: String,
    delivery: String,
    date: String,
    address: String,
    comment: String,
    key: String,
    act: String,
}

impl Given {
    fn set(&mut self, name: &str, value: String) {
        let slot = match name {
            "organization" => &mut self.organization,
            "author" => &mut self.author,
            "text" => &mut self.text,
            "delivery" => &mut self.delivery,
            "date" => &mut self.date,
            "address" => &mut self.address,
            "comment" => &mut self.comment,
            "key" => &mut self.key,
            "act" => &mut self.act,
            _ => return,
        };
        *slot = value;
    }

    fn organization(&self) -> Option<OrganizationId> {
        self.organization.parse().ok().map(OrganizationId)
    }

    fn delivery(&self) -> Result<Delivery, &'static str> {
        Ok(match self.delivery.as_str() {
            "pickup" => Delivery::Pickup,
            "date" => Delivery::On(self.date.parse().map_err(|_| "Выберите день доставки.")?),
            _ => Delivery::Any,
        })
    }
}

/// `GET /admin/orders/new`: empty, for an `organization`, or to `repeat` an order.
pub async fn new(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Markup, WebError> {
    let mut given = Given::default();
    for (name, value) in pairs {
        if name == "repeat" {
            let view = lookup(&desk, &value).await?;
            given.organization = view.order.organization.to_string();
            given.author = view.order.author.to_string();
            given.address.clone_from(&view.order.address);
            let lines = view.lines.iter().map(|line| {
                let what = if line.title.is_empty() { line.raw.trim() } else { &line.title };
                let unit = if line.unit.is_empty() { &line.base_unit } else { &line.unit };
                let amount = line.quantity.map(|q| format!(" — {q} {unit}")).unwrap_or_default();
                format!("{what}{amount}")
            });
            given.text = lines.collect::<Vec<_>>().join("\n");
        } else if name != "act" {
            given.set(&name, value);
        }
    }
    draw(&desk, &visitor, &me, given, None, None).await
}

/// `POST /admin/orders/new`: shows what was understood, or makes the order.
pub async fn create(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    request: Request,
) -> Result<Response, WebError> {
    let form = Multipart::from_request(request, &desk).await;
    let form =
        form.map_err(|_| WebError::Invalid("Форма не понята, обновите страницу.".to_owned()))?;
    let given = match read(form).await? {
        Ok(given) => given,
        Err((given, problem)) => return refused(&desk, &visitor, &me, given, &problem).await,
    };
    let Some(organization) = given.organization() else {
        return refused(&desk, &visitor, &me, given, "Выберите клиента.").await;
    };
    if given.text.trim().is_empty() {
        let problem = "Вставьте список или выберите файл.";
        return refused(&desk, &visitor, &me, given, problem).await;
    }
    if given.text.chars().count() > TEXT_MAX {
        let problem = "Список слишком длинный. Разделите его на части.";
        return refused(&desk, &visitor, &me, given, problem).await;
    }
    let delivery = match given.delivery() {
        Ok(delivery) => delivery,
        Err(problem) => return refused(&desk, &visitor, &me, given, problem).await,
    };
    if given.act != "create" {
        let lines = desk.ordering.understand_for(organization, &given.text).await?;
        let page = draw(&desk, &visitor, &me, given, Some(&lines), None).await?;
        return Ok(page.into_response());
    }
    let key = uuid::Uuid::parse_str(&given.key).unwrap_or_else(|_| uuid::Uuid::new_v4());
    let order = ForClient {
        key: key.to_string(),
        organization,
        author: given.author.parse().ok().map(PersonId),
        text: given.text.clone(),
        delivery,
        address: text::one_line(&given.address),
        comment: given.comment.clone(),
    };
    match desk.ordering.place_for(me.actor(), order).await {
        Ok(view) => {
            Ok(Redirect::to(&format!("/admin/orders/{}", view.order.number)).into_response())
        }
        Err(OrderError::Empty) => {
            let problem = "В тексте нет ни одной позиции.";
            refused(&desk, &visitor, &me, given, problem).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn refused(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    given: Given,
    problem: &str,
) -> Result<Response, WebError> {
    let page = draw(desk, visitor, me, given, None, Some(problem)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// The fields; a file's rows come after the text that was typed.
async fn read(mut form: Multipart) -> Result<Result<Given, (Given, String)>, WebError> {
    let broken = |_| WebError::Invalid("Файл пришёл не целиком, отправьте его ещё раз.".to_owned());
    let mut given = Given::default();
    let mut file = None;
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            let name = field.file_name().unwrap_or_default().to_owned();
            let bytes = field.bytes().await.map_err(broken)?;
            file = (!bytes.is_empty()).then_some((name, bytes));
            continue;
        }
        let value = field.text().await.map_err(broken)?;
        given.set(&name, value);
    }
    if let Some((name, bytes)) = file {
        let work = move || lines_of(&name, bytes.to_vec());
        match tokio::task::spawn_blocking(work).await.map_err(WebError::internal)? {
            Ok(lines) if given.text.trim().is_empty() => given.text = lines,
            Ok(lines) => given.text = format!("{}\n{lines}", given.text.trim_end()),
            Err(problem) => return Ok(Err((given, problem))),
        }
    }
    Ok(Ok(given))
}

/// A file's lines, found in it as the bot finds them.
fn lines_of(name: &str, bytes: Vec<u8>) -> Result<String, String> {
    let hint = "Вставьте список текстом или сохраните файл как .xlsx, .csv или .txt.";
    let sheets = order_table::read(name, bytes).map_err(|error| format!("{error} {hint}"))?;
    let lines = sheets.first().map(|sheet| Layout::guess(&sheet.table).lines(&sheet.table));
    match lines.unwrap_or_default() {
        lines if lines.is_empty() => Err(format!("{} {hint}", OrderTableError::Empty)),
        lines if lines.len() > MAX_LINES => Err(OrderTableError::TooLong.to_string()),
        lines => Ok(lines.join("\n")),
    }
}

async fn draw(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    mut given: Given,
    lines: Option<&[Understood]>,
    problem: Option<&str>,
) -> Result<Markup, WebError> {
    if uuid::Uuid::parse_str(&given.key).is_err() {
        given.key = uuid::Uuid::new_v4().to_string();
    }
    let mut clients = desk.directory().clients(ClientFilter::default(), 0, CLIENTS).await?.rows;
    let chosen = match given.organization() {
        Some(id) => desk.directory().client(id).await?,
        None => None,
    };
    if let Some(client) = &chosen
        && !clients.iter().any(|row| row.id == client.row.id)
    {
        clients.insert(0, client.row.clone());
    }
    let members: &[MemberLine] = chosen.as_ref().map_or(&[], |client| &client.members);
    let addresses = match given.organization() {
        Some(id) => desk.directory().client_side(id).await?.addresses,
        None => Vec::new(),
    };
    let around = around(desk, me).await?;
    let content = html! {
        div.page-head {
            a.back href="/admin/orders" aria-label="К заказам" { (icon(Icon::Back)) }
            h1 { "Заявка за клиента" }
        }
        @if let Some(problem) = problem { p.notice data-tone="danger" role="alert" { (problem) } }
        form.two.new-order method="post" action="/admin/orders/new" enctype="multipart/form-data" {
            (csrf(visitor))
            input type="hidden" name="key" value=(given.key);
            div {
                section.card {
                    div.body.form {
                        div.field {
                            label for="organization" { "Клиент" }
                            select #organization name="organization" required {
                                option value="" { "Выберите клиента" }
                                @for client in &clients {
                                    option value=(client.id) selected[given.organization == client.id.to_string()] {
                                        (client.name) @if let Some(inn) = &client.inn { ", ИНН " (inn) }
                                    }
                                }
                            }
                            span.hint { "Учтутся его слова, история и цены." }
                        }
                        div.field {
                            label for="text" { "Что заказывает" }
                            textarea #text name="text" rows="10" maxlength=(TEXT_MAX) placeholder="Вставьте список так, как его прислал клиент" { (given.text) }
                        }
                        div.field {
                            label for="file" { "Или файл: .xlsx, .xls, .ods, .csv, .txt" }
                            input #file type="file" name="file" accept=".xlsx,.xls,.ods,.csv,.txt";
                        }
                        div.buttons {
                            button.(if lines.is_none() { "button primary" } else { "button" }) type="submit" name="act" value="check" { "Распознать" }
                        }
                    }
                }
                @if let Some(lines) = lines { (understood(lines)) }
            }
            aside aria-label="Доставка и автор" {
                (delivery(&given, members, &addresses))
                @if lines.is_some_and(|lines| !lines.is_empty()) {
                    div.stack {
                        button.button.primary type="submit" name="act" value="create" { "Создать заявку" }
                        p.hint { "Клиент получит сообщение, заявка останется у вас в работе." }
                    }
                }
            }
        }
    };
    let page =
        Page {
            title: "Заявка за клиента", section: Some(Section::Orders), class: "", content
        };
    Ok(framed(visitor, &around, &page))
}

/// Who orders, when and where to.
fn delivery(given: &Given, members: &[MemberLine], addresses: &[String]) -> Markup {
    html! {
        section.card aria-labelledby="how-title" {
            header { h2 #how-title { "Доставка" } }
            div.body.form {
                @if !members.is_empty() {
                    div.field {
                        label for="author" { "От кого" }
                        select #author name="author" {
                            @for member in members { option value=(member.person) selected[given.author == member.person.to_string()] { (member.name) } }
                        }
                    }
                }
                div.field {
                    label for="delivery" { "Когда" }
                    select #delivery name="delivery" {
                        @for (code, word) in [("any", "дата не важна"), ("date", "в указанный день"), ("pickup", "самовывоз")] {
                            option value=(code) selected[given.delivery == code] { (word) }
                        }
                    }
                }
                div.field { label for="date" { "День" } input #date type="date" name="date" value=(given.date); }
                div.field {
                    label for="address" { "Адрес" }
                    input #address type="text" name="address" value=(given.address) maxlength="300" list="known-addresses";
                    datalist #known-addresses { @for address in addresses { option value=(address) {} } }
                }
                div.field { label for="comment" { "Комментарий" } textarea #comment name="comment" rows="2" maxlength="1000" { (given.comment) } }
            }
        }
    }
}

fn understood(lines: &[Understood]) -> Markup {
    let of = |state| lines.iter().filter(|line| line.state == state).count();
    let open = lines.len() - of(LineState::Ok);
    let total = lines.iter().filter(|line| line.state == LineState::Ok).filter_map(|line| line.sum);
    let total = total.fold(Money::ZERO, |sum, line| sum.checked_add(line).unwrap_or(sum));
    html! {
        section.card aria-labelledby="lines-title" {
            header {
                h2 #lines-title { "Распознано: " (ru::positions(lines.len())) }
                @if open > 0 { (badge(Tone::Warn, format!("подобрать: {open}"))) }
                span.count { (total) }
            }
            @if lines.is_empty() {
                div.body { p { "Позиций в тексте не нашлось. Проверьте, что это список товаров." } }
            } @else {
                table.lines.cards-on-phone {
                    caption.sr { "Позиции" }
                    thead { tr { th scope="col" { "Слова клиента и товар" } th.num scope="col" { "Количество" } th.num scope="col" { "Сумма" } } }
                    tbody {
                        @for line in lines {
                            tr data-open[line.state != LineState::Ok] {
                                td.p1 {
                                    @match (&line.offer, line.state) {
                                        (Some(offer), LineState::Ok) => { (offer.title) },
                                        (Some(offer), _) => { (marked(line.state.mark())) " " (offer.title) },
                                        (None, _) => { strong { (marked(line.state.mark())) " «" (line.raw) "»" } },
                                    }
                                    @if line.offer.is_some() { span.words { q { (line.raw) } } }
                                    @else { span.words { "подберёте на странице заказа" } }
                                }
                                td.num.p2 { (line.amount.as_deref().unwrap_or("—")) }
                                td.num.p3 { @if let Some(sum) = line.sum { (sum) } @else { span.muted { "—" } } }
                            }
                        }
                    }
                }
            }
        }
    }
}
