//! «Подключение»: what to write into 1C, whether it has come, and a look at what it would send.

use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::{Tab, ending, head};
use crate::config::Config;
use crate::domain::ru;
use crate::services::exchange::calls::{Call, Calls, Door};
use crate::services::exchange::explain::{self, ExplainError, Explanation};
use crate::services::exchange::journal::kind_label;
use crate::services::standing::Ways;
use crate::storage::exchange_log::ExchangeRow;
use crate::web::Desk;
use crate::web::admin::around;
use crate::web::error::WebError;
use crate::web::layout::{Page, Section, Tone, badge, csrf, page as framed};
use crate::web::markup::{Icon, icon};
use crate::web::session::{ManagerSession, Visitor};

/// Problems of a checked file that are named.
const NAMED: usize = 100;

/// The JSON calls of 1C, with what they are for.
const CALLS: [(&str, &str, &str); 6] = [
    ("POST", "catalog", "каталог, цены и остатки"),
    ("POST", "orders", "история покупок"),
    ("POST", "orgs/members", "организации и сотрудники"),
    ("POST", "orgs/balances", "расчёты"),
    ("GET", "orders", "забрать заказы"),
    ("POST", "orders/status", "подтвердить заказ, прислать статус"),
];

/// Under which addresses 1C reaches us.
struct Addresses {
    /// The base of JSON calls.
    json: String,
    /// What goes into the field of the standard exchange: without a scheme.
    standard: String,
    /// Whether the latter is reached over https only, which УТ 10.3 does not know.
    https_only: bool,
}

impl Addresses {
    /// As the settings say, and where they do not as the panel itself was reached.
    fn of(config: &Config, headers: &HeaderMap) -> Self {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.map_or_else(|| config.server.listen.to_string(), str::to_owned);
        let public = config.server.public_url.clone();
        let json = public.clone().unwrap_or_else(|| format!("http://{host}"));
        let without_port = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name.to_owned(),
            _ => host.clone(),
        };
        let https = public.as_deref().is_some_and(|url| url.starts_with("https://"));
        let (place, https_only) = match config.onec.listen {
            Some(at) if at.ip().is_unspecified() => {
                (format!("{without_port}:{}", at.port()), false)
            }
            Some(at) => (at.to_string(), false),
            None => {
                let public = public.as_deref().and_then(|url| url.split_once("://"));
                (public.map_or(host, |(_, rest)| rest.to_owned()), https)
            }
        };
        Self { json, standard: format!("{place}/1c_exchange"), https_only }
    }
}

/// `GET /admin/exchange/connect`
pub async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    headers: HeaderMap,
) -> Result<Markup, WebError> {
    draw(&desk, &visitor, &me, &headers, None).await
}

/// What was given to be checked, and what came of it.
struct Checked {
    text: String,
    outcome: Result<Explanation, String>,
}

/// `POST /admin/exchange/validate`: explains what was pasted or chosen; stores nothing.
pub async fn validate(
    State(desk): State<Desk>,
    visitor: Visitor,
    me: ManagerSession,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, WebError> {
    let broken = || WebError::Invalid("Вставьте выгрузку или выберите файл.".to_owned());
    let form = Multipart::from_request(request, &desk).await;
    let mut form = form.map_err(|_| broken())?;
    let (mut text, mut bytes) = (String::new(), Vec::new());
    while let Some(field) = form.next_field().await.map_err(|_| broken())? {
        match field.name() {
            Some("payload") => text = field.text().await.map_err(|_| broken())?,
            Some("file") => bytes = field.bytes().await.map_err(|_| broken())?.to_vec(),
            _ => {}
        }
    }
    if bytes.is_empty() {
        bytes = text.clone().into_bytes();
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(broken());
    }
    let outcome = match explain::explain_bytes(bytes, &desk.base.config).await {
        Ok(explanation) => Ok(explanation),
        Err(ExplainError::Storage(error)) => return Err(WebError::internal(error)),
        Err(error) => Err(error.to_string()),
    };
    let status = if outcome.is_ok() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let checked = Checked { text, outcome };
    let page = draw(&desk, &visitor, &me, &headers, Some(&checked)).await?;
    Ok((status, page).into_response())
}

async fn draw(
    desk: &Desk,
    visitor: &Visitor,
    me: &ManagerSession,
    headers: &HeaderMap,
    checked: Option<&Checked>,
) -> Result<Markup, WebError> {
    let addresses = Addresses::of(&desk.base.config, headers);
    let ways = Ways::of(&desk.base.config);
    let standard = desk.exchange.last_of("commerceml").await?;
    let json = desk.exchange.last_of("json").await?;
    let around = around(desk, me).await?;
    let content = html! {
        (head(desk, visitor, me, Tab::Connect).await?)
        div.two.connect {
            div {
                (waiting(desk, ways, standard.as_ref(), json.as_ref()))
                (standard_card(&desk.base.config, &addresses))
                (json_card(&desk.base.config, ways, &addresses))
                (pull_card(desk))
            }
            aside aria-label="Проверка выгрузки" { (check_card(visitor, checked)) }
        }
    };
    let page =
        Page {
            title: "Подключение 1С", section: Some(Section::Exchange), class: "", content
        };
    Ok(framed(visitor, &around, &page))
}

/// «жду первого запроса… ✓ получен»
fn waiting(
    desk: &Desk,
    ways: Ways,
    standard: Option<&ExchangeRow>,
    json: Option<&ExchangeRow>,
) -> Markup {
    let now = desk.base.clock.now();
    // A sign-in alone makes no line in the journal, and is already good news.
    let line = |word: &str, on: bool, last: Option<&ExchangeRow>, calls: &Calls| {
        let (come, trouble) = (last.is_some() || calls.taken.is_some(), calls.turned.as_ref());
        html! {
            li {
                span.state-mark data-done[come] {
                    (icon(if come { Icon::Check } else { Icon::Forward }))
                }
                div.grow {
                    strong { (word) }
                    @if let Some(call) = trouble { (turned(desk, call)) }
                    @if let Some(call) = &calls.taken {
                        span.sub { "запрос получен в " (told(desk, call)) }
                    }
                    @match last {
                        None if come => {},
                        Some(row) => span.sub {
                            "обмен в " (desk.base.zone.date_time(row.at, now)) ": " (kind_label(&row.kind).to_lowercase())
                            @if !row.address.is_empty() { ", с адреса " (row.address) }
                            @if !row.sender.is_empty() { ", " (ru::ellipsis(&row.sender, 40)) }
                        },
                        None if trouble.is_some() => {},
                        None if on => span.sub { "жду первого запроса… Запустите обмен в 1С, страница обновится сама." },
                        None => span.sub { "выключен, запросы не принимаются" },
                    }
                }
                @match last {
                    _ if trouble.is_some() => (badge(Tone::Warn, "отказано")),
                    Some(row) => a.quiet href=(format!("/admin/exchange/{}", row.id)) { (ending(row)) span.sr { " обмен № " (row.id) } },
                    None if come => (badge(Tone::Ok, "✓ получен")),
                    None if on => (badge(Tone::Info, "ждём")),
                    None => (badge(Tone::Neutral, "выключен")),
                }
            }
        }
    };
    let calls = |door| desk.exchange.calls(door);
    html! {
        section.card #waiting data-live aria-labelledby="waiting-title" aria-live="polite" {
            header { h2 #waiting-title { "Первый запрос от 1С" } }
            ul.rows {
                (line("Обмен с сайтом (CommerceML)", ways.standard, standard, &calls(Door::Standard)))
                // This very machine may call without a token before there is an administrator.
                (line("JSON из своей обработки", ways.push || ways.open, json, &calls(Door::Json)))
            }
        }
    }
}

/// A call in words: when, what, who.
fn told(desk: &Desk, call: &Call) -> String {
    let at = desk.base.zone.date_time(call.at, desk.base.clock.now());
    let mut told = format!("{at}: {}, с адреса {}", call.what, call.address);
    if !call.sender.is_empty() {
        told = format!("{told}, {}", ru::ellipsis(&call.sender, 40));
    }
    told
}

/// 1C has come and was sent away: why, and what to compare.
fn turned(desk: &Desk, call: &Call) -> Markup {
    let Some(why) = call.turned else { return html! {} };
    html! {
        span.sub.wrong {
            "получен " (why.text()) " в " (told(desk, call)) ". Сверьте с тем, что задано в 1С: "
            code { (why.settings()) }
        }
    }
}

/// A setting of 1C with a button that copies it.
fn copied(label: &str, field: &str, value: &str) -> Markup {
    html! {
        div {
            dt { (label) @if !field.is_empty() { span.sub { (field) } } }
            dd {
                code { (value) }
                button.button.small.quiet type="button" data-copy=(value) { "Скопировать" span.sr { ": " (label) } }
            }
        }
    }
}

/// A setting of 1C that is chosen there.
fn chosen(label: &str, field: &str, value: &str, why: &str) -> Markup {
    html! {
        div {
            dt { (label) span.sub { (field) } }
            dd { strong { (value) } @if !why.is_empty() { span.sub { (why) } } }
        }
    }
}

fn standard_card(config: &Config, addresses: &Addresses) -> Markup {
    let exchange = &config.onec.exchange;
    let on = exchange.password.is_some();
    html! {
        section.card aria-labelledby="standard-title" {
            header {
                h2 #standard-title { "Обмен с сайтом: УТ 10.3, УТ 11, КА, ERP, УНФ" }
                (badge(if on { Tone::Ok } else { Tone::Neutral }, if on { "включён" } else { "выключен" }))
            }
            div.body.form {
                @if !on {
                    p.notice data-tone="info" {
                        (icon(Icon::Alert))
                        span { "Чтобы включить, задайте " code { "onec.exchange.username" } " и " code { "onec.exchange.password" } " (латиницей, без двоеточия) и перезапустите программу." }
                    }
                }
                @if addresses.https_only {
                    p.notice data-tone="warn" {
                        (icon(Icon::Alert))
                        span { "УТ 10.3 не умеет https. Для неё задайте " code { "onec.listen" } " — второй адрес в сети офиса, на котором есть только обмен." }
                    }
                }
                p.muted { "В 1С: «Сервис → Обмен данными → Настройки обмена с WEB-сайтом», новая настройка. Одна настройка на каждые 10–15\u{a0}минут с изменениями и вторая, полная, на ночь." }
                dl.copy-list {
                    (copied("Адрес сайта", "HTTPОбменАдресСайта", &addresses.standard))
                    @match &exchange.username {
                        Some(name) => (copied("Имя пользователя", "HTTPОбменИмяПользователя", name)),
                        None => (chosen("Имя пользователя", "HTTPОбменИмяПользователя", "не задано", "onec.exchange.username")),
                    }
                    (chosen("Пароль", "HTTPОбменПароль", &exchange.password.as_ref().map_or_else(|| "не задан".to_owned(), crate::domain::Secret::masked), "onec.exchange.password, целиком виден только в файле настроек"))
                    (chosen("Выгружать на сайт", "ВыгружатьНаСайт", "да", "иначе 1С складывает файлы в папку"))
                    (chosen("Обмен товарами", "ОбменТоварами", "да", ""))
                    (chosen("Обмен заказами", "ОбменЗаказами", "да", ""))
                    (chosen("Только изменения", "ВыгружатьТолькоИзменения", "да в частой настройке, нет в ночной", "ночная возвращает остатки после резервов"))
                    (chosen("Картинки", "ВыгружатьКартинки", "по желанию", ""))
                    (chosen("Организация, подразделение, ответственный", "Организация", "заполнить", "без организации заказы не запишутся"))
                    (chosen("Группы для новых", "ГруппаДляНовыхКонтрагентов, ГруппаДляНовойНоменклатуры", "заполнить", "новых товаров отсюда быть не должно"))
                    (chosen("Поиск контрагентов", "СпособИдентификацииКонтрагентов", "по ИНН", ""))
                    (chosen("Проводить документы", "ПроводитьДокументы", "нет", "ошибка проведения срывает весь обмен"))
                    (chosen("Отбор", "", "по группам, не по остатку", "товар, ушедший из отбора, пропадает молча"))
                }
            }
        }
    }
}

fn json_card(config: &Config, ways: Ways, addresses: &Addresses) -> Markup {
    let base = &addresses.json;
    let token = &config.onec.webhook_token;
    let sample = format!(
        "curl -X POST {base}/integrations/1c/catalog \\\n  -H \"X-1C-Token: ВАШ_ТОКЕН\" \\\n  -d '{{\"items\":[{{\"external_id\":\"1\",\"sku\":\"00-1234\",\"title\":\"Саморез 4×25\",\"price\":\"0,85\",\"stock_qty\":12000}}]}}'"
    );
    html! {
        section.card aria-labelledby="json-title" {
            header {
                h2 #json-title { "JSON из своей обработки" }
                @if token.is_some() { (badge(Tone::Ok, "токен задан")) }
                @else if ways.open { (badge(Tone::Danger, "открыт для всех")) }
                @else { (badge(Tone::Neutral, "токен не задан")) }
            }
            div.body.form {
                dl.copy-list {
                    (copied("Адрес", "", &format!("{base}/integrations/1c")))
                    (copied("То же самое", "", &format!("{base}/onec")))
                    (copied("И ещё раз", "", &format!("{base}/api/onec")))
                    div {
                        dt { "Токен" span.sub { "onec.webhook_token" } }
                        dd {
                            @match token {
                                Some(token) => { code { (token.masked()) } span.sub { "целиком виден только в файле настроек или окружении" } },
                                None => { strong { "не задан" } span.sub { "без него вызовы принимаются только с этой машины и только пока нет администратора" } },
                            }
                        }
                    }
                    div {
                        dt { "Как передать" span.sub { "любой из способов" } }
                        dd.lines-of-code { code { "X-1C-Token: …" } code { "X-Token: …" } code { "Authorization: Bearer …" } code { "?token=…" } }
                    }
                }
                div.table-wrap.framed {
                    table.plain {
                        caption.sr { "Вызовы" }
                        thead { tr { th scope="col" { "Вызов" } th scope="col" { "Что это" } } }
                        tbody { @for (method, call, what) in CALLS { tr { td.nowrap { code { (method) " /" (call) } } td { (what) } } } }
                    }
                }
                div {
                    p.label { "Пробный запрос" }
                    pre.sample tabindex="0" { code { (sample) } }
                    div.buttons { button.button.small type="button" data-copy=(sample) { "Скопировать запрос" } }
                }
            }
        }
    }
}

fn pull_card(desk: &Desk) -> Markup {
    let settings = &desk.base.config.onec.pull;
    let pull = desk.pull.as_ref();
    let address = pull.and_then(crate::services::pull::Pull::address);
    let warning = pull.and_then(crate::services::pull::Pull::warning);
    html! {
        section.card aria-labelledby="pull-title" {
            header {
                h2 #pull-title { "Забор каталога из HTTP-сервиса 1С" }
                @match (&address, settings.enabled) {
                    (Some(_), true) => (badge(Tone::Ok, "по расписанию")),
                    (Some(_), false) => (badge(Tone::Neutral, "по кнопке")),
                    (None, _) => (badge(Tone::Neutral, "не настроен")),
                }
            }
            div.body.form {
                @if let Some(warning) = warning { p.notice data-tone="warn" { (icon(Icon::Alert)) span { (warning) } } }
                @match address {
                    Some(address) => dl.copy-list {
                        div { dt { "Откуда" span.sub { "onec.pull.base_url" } } dd { code { (address) } } }
                        div { dt { "Логин" span.sub { "onec.pull.username" } } dd { @match &settings.username { Some(name) => code { (name) }, None => strong { "не задан" } } } }
                        div { dt { "Пароль" span.sub { "onec.pull.password" } } dd { @match &settings.password { Some(password) => code { (password.masked()) }, None => strong { "не задан" } } } }
                        div { dt { "Как часто" span.sub { "onec.pull.interval_minutes" } } dd { strong { (settings.interval.as_secs() / 60) "\u{a0}мин" } @if !settings.enabled { span.sub { "расписание выключено: onec.pull.enabled" } } } }
                    },
                    None => p.muted { "Программа сама забирает каталог у 1С, если задать " code { "onec.pull.base_url" } ", логин, пароль и " code { "onec.pull.enabled" } ". УТ 10.3 такого сервиса не публикует: для неё — обмен с сайтом." },
                }
            }
        }
    }
}

fn check_card(visitor: &Visitor, checked: Option<&Checked>) -> Markup {
    html! {
        section.card #check aria-labelledby="check-title" {
            header { h2 #check-title { "Проверить выгрузку" } }
            div.body.form {
                @if let Some(checked) = checked { (result(&checked.outcome)) }
                form.stack method="post" action="/admin/exchange/validate#check" enctype="multipart/form-data" {
                    (csrf(visitor))
                    div.field {
                        label for="payload" { "Текст выгрузки" }
                        textarea #payload.code name="payload" rows="7" spellcheck="false" placeholder="{\"items\":[…]} или <?xml …>" { @if let Some(checked) = checked { (checked.text) } }
                    }
                    div.field {
                        label for="file" { "или файл" }
                        input #file type="file" name="file" accept=".json,.xml,.zip,.csv,.xlsx,.txt" aria-describedby="file-hint";
                        span.hint #file-hint { "JSON, CommerceML (.xml, .zip), .csv или .xlsx, до 20\u{a0}МБ. Ничего не сохраняется." }
                    }
                    button.button type="submit" { "Проверить" }
                }
            }
        }
    }
}

fn result(outcome: &Result<Explanation, String>) -> Markup {
    html! {
        @match outcome {
            Err(why) => p.notice data-tone="danger" role="alert" { (icon(Icon::Alert)) span { (why) } },
            Ok(said) => {
                div role="status" {
                    p.notice data-tone=(if said.skipped == 0 { "ok" } else { "warn" }) {
                        (icon(if said.skipped == 0 { Icon::Check } else { Icon::Alert }))
                        span {
                            strong { (said.kind.label()) }
                            @if !said.version.is_empty() { " " (said.version) }
                            ", " (said.encoding) ". "
                            @if said.skipped == 0 { "Замечаний к записям нет." } @else { "Будет пропущено: " (ru::thousands(said.skipped as u64)) "." }
                        }
                    }
                    dl.facts.counted {
                        @for (_, word, count) in said.counts.iter().filter(|(.., count)| *count > 0) { dt { (word) } dd { (ru::thousands(*count as u64)) } }
                    }
                    @for warning in &said.warnings { p.wrong { (warning) } }
                    @if !said.problems.is_empty() {
                        ul.rows.flat {
                            @for problem in said.problems.iter().take(NAMED) {
                                li { div.grow { "Запись " (problem.index + 1) @if !problem.sku.is_empty() { ", " strong { (problem.sku) } } span.sub { (problem.reason) } } }
                            }
                        }
                        @if said.skipped > NAMED { p.muted { "Показаны первые " (NAMED) "." } }
                    }
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        headers
    }

    #[test]
    fn addresses_are_those_1c_can_reach() {
        let mut config = Config::default();
        let plain = Addresses::of(&config, &headers("192.168.0.10:8000"));
        assert_eq!(plain.json, "http://192.168.0.10:8000");
        assert_eq!(plain.standard, "192.168.0.10:8000/1c_exchange");
        config.server.public_url = Some("https://desk.example".to_owned());
        let public = Addresses::of(&config, &headers("desk.example"));
        assert_eq!((public.json.as_str(), public.https_only), ("https://desk.example", true));
        assert_eq!(public.standard, "desk.example/1c_exchange");
        config.onec.listen = Some(([0, 0, 0, 0], 8081).into());
        let second = Addresses::of(&config, &headers("192.168.0.10:8000"));
        assert_eq!(second.standard, "192.168.0.10:8081/1c_exchange");
        assert!(!second.https_only);
        config.onec.listen = Some(([10, 0, 0, 5], 8081).into());
        assert_eq!(Addresses::of(&config, &headers("x")).standard, "10.0.0.5:8081/1c_exchange");
    }
}
