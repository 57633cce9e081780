//! What stands before every page: cookies, forms that are ours, hosts, headers.

use axum::http::{HeaderMap, StatusCode, header};
use partner_m::config::Config;
use partner_m::storage::StorageError;

use crate::support::panel::{PASSWORD, Panel, percent};

/// Who may open an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Anyone,
    Manager,
    Admin,
}

use Who::{Admin, Anyone, Manager};

/// Every address: how the router writes it, how it is asked for, who may. A route without a row
/// here fails a test.
const ADDRESSES: &[(&str, &str, &str, Who)] = &[
    ("GET", "/", "/", Anyone),
    ("GET", "/health", "/health", Anyone),
    // On this very machine: the people of the demo administer nothing.
    ("GET", "/metrics", "/metrics", Anyone),
    ("GET", "/favicon.ico", "/favicon.ico", Anyone),
    ("GET", "/assets/{version}/{name}", "/assets/x/app.css", Anyone),
    ("GET", "/assets/{version}/{name}", "/assets/x/absent", Anyone),
    ("GET", "", "/nowhere", Anyone),
    ("GET", "", "/admin/nowhere", Anyone),
    ("GET", "/admin", "/admin", Manager),
    ("GET", "/admin/login", "/admin/login", Anyone),
    ("POST", "/admin/login", "/admin/login", Anyone),
    ("POST", "/admin/logout", "/admin/logout", Manager),
    ("GET", "/admin/events", "/admin/events", Manager),
    ("GET", "/admin/find", "/admin/find?q=x", Manager),
    ("GET", "/admin/orders", "/admin/orders", Manager),
    ("POST", "/admin/orders", "/admin/orders", Manager),
    ("GET", "/admin/orders/export/{format}", "/admin/orders/export/csv", Manager),
    ("GET", "/admin/orders/export/{format}", "/admin/orders/export/xlsx", Manager),
    ("GET", "/admin/orders/{number}", "/admin/orders/1042", Manager),
    ("POST", "/admin/orders/{number}/status", "/admin/orders/1042/status", Manager),
    ("POST", "/admin/orders/{number}/messages", "/admin/orders/1042/messages", Manager),
    ("POST", "/admin/orders/{number}/lines/{line}", "/admin/orders/1042/lines/1", Manager),
    ("POST", "/admin/orders/{number}/files", "/admin/orders/1042/files", Manager),
    ("GET", "/admin/orders/{number}/files/{entry}", "/admin/orders/1042/files/1", Manager),
    ("POST", "/admin/orders/{number}/files/{entry}", "/admin/orders/1042/files/1", Manager),
    ("POST", "/admin/orders/bulk", "/admin/orders/bulk", Manager),
    ("GET", "/admin/orders/new", "/admin/orders/new?repeat=1042", Manager),
    ("POST", "/admin/orders/new", "/admin/orders/new", Manager),
    ("GET", "/admin/orders/print", "/admin/orders/print?order=1", Manager),
    ("POST", "/admin/orders/{number}/edit", "/admin/orders/1042/edit", Manager),
    (
        "GET",
        "/admin/orders/{number}/options/{line}",
        "/admin/orders/1042/options/1?find=x",
        Manager,
    ),
    ("GET", "/admin/orders/{number}/print", "/admin/orders/1042/print", Manager),
    ("POST", "/admin/orders/{number}/undo", "/admin/orders/1042/undo", Manager),
    ("GET", "/admin/enter/{token}", "/admin/enter/x", Anyone),
    ("POST", "/admin/enter/{token}", "/admin/enter/x", Anyone),
    ("GET", "/admin/sessions", "/admin/sessions", Manager),
    ("POST", "/admin/sessions", "/admin/sessions", Manager),
    ("GET", "/admin/catalog", "/admin/catalog", Manager),
    ("GET", "/admin/catalog/import", "/admin/catalog/import", Admin),
    ("POST", "/admin/catalog/import", "/admin/catalog/import", Admin),
    ("GET", "/admin/catalog/import/sample", "/admin/catalog/import/sample", Manager),
    ("GET", "/admin/questions", "/admin/questions", Manager),
    ("GET", "/admin/questions/{id}", "/admin/questions/1", Manager),
    ("POST", "/admin/questions/{id}", "/admin/questions/1", Manager),
    ("POST", "/admin/questions/{id}/messages", "/admin/questions/1/messages", Manager),
    ("POST", "/admin/questions/{id}/read", "/admin/questions/1/read", Manager),
    ("GET", "/admin/questions/replies", "/admin/questions/replies", Manager),
    ("POST", "/admin/questions/replies", "/admin/questions/replies", Manager),
    ("POST", "/admin/questions/{id}/files", "/admin/questions/1/files", Manager),
    ("GET", "/admin/questions/{id}/files/{message}", "/admin/questions/1/files/1", Manager),
    ("POST", "/admin/questions/{id}/files/{message}", "/admin/questions/1/files/1", Manager),
    ("GET", "/admin/threads", "/admin/threads", Manager),
    ("POST", "/admin/catalog/products/{id}", "/admin/catalog/products/1", Manager),
    ("GET", "/admin/clients", "/admin/clients", Manager),
    ("GET", "/admin/clients/{id}", "/admin/clients/1", Manager),
    ("POST", "/admin/clients/{id}", "/admin/clients/1", Manager),
    ("GET", "/admin/clients/export/{format}", "/admin/clients/export/csv", Manager),
    ("GET", "/admin/clients/import", "/admin/clients/import", Admin),
    ("POST", "/admin/clients/import", "/admin/clients/import", Admin),
    ("GET", "/admin/people/{id}", "/admin/people/1", Manager),
    ("GET", "/admin/people", "/admin/people", Manager),
    ("POST", "/admin/people/{id}", "/admin/people/1", Admin),
    ("GET", "/admin/requests", "/admin/requests", Manager),
    ("POST", "/admin/requests", "/admin/requests", Manager),
    ("GET", "/admin/search", "/admin/search?text=x", Manager),
    ("GET", "/admin/search/log", "/admin/search/log", Manager),
    ("GET", "/admin/search/gaps", "/admin/search/gaps", Manager),
    ("POST", "/admin/search/gaps", "/admin/search/gaps", Manager),
    ("POST", "/admin/catalog/bulk", "/admin/catalog/bulk", Manager),
    ("GET", "/admin/catalog/products/{id}", "/admin/catalog/products/1", Manager),
    ("POST", "/admin/search/teach", "/admin/search/teach", Manager),
    ("POST", "/admin/search/compare", "/admin/search/compare", Manager),
    ("GET", "/admin/search/models", "/admin/search/models", Manager),
    ("POST", "/admin/search/models", "/admin/search/models", Manager),
    ("GET", "/admin/synonyms", "/admin/synonyms", Manager),
    ("POST", "/admin/synonyms", "/admin/synonyms", Admin),
    ("POST", "/admin/synonyms/change", "/admin/synonyms/change", Admin),
    ("GET", "/admin/synonyms/export", "/admin/synonyms/export", Manager),
    ("POST", "/admin/synonyms/import", "/admin/synonyms/import", Admin),
    ("GET", "/admin/synonyms/learnt", "/admin/synonyms/learnt", Manager),
    ("POST", "/admin/synonyms/learnt", "/admin/synonyms/learnt", Manager),
    ("GET", "/admin/search/cases", "/admin/search/cases", Manager),
    ("POST", "/admin/search/cases", "/admin/search/cases", Manager),
    ("GET", "/admin/search/cases/export", "/admin/search/cases/export", Manager),
    ("POST", "/admin/search/cases/import", "/admin/search/cases/import", Admin),
    ("GET", "/admin/debug/search-as", "/admin/debug/search-as", Manager),
    ("GET", "/admin/search-aliases", "/admin/search-aliases", Manager),
    ("GET", "/admin/audit", "/admin/audit?q=x&who=-&from=2026-11-01", Admin),
    ("POST", "/admin/audit/export", "/admin/audit/export", Admin),
    ("GET", "/admin/backups", "/admin/backups", Admin),
    ("POST", "/admin/backups", "/admin/backups", Admin),
    ("POST", "/admin/backups/{name}/verify", "/admin/backups/x.db/verify", Admin),
    ("POST", "/admin/backups/{name}/download", "/admin/backups/x.db/download", Admin),
    ("GET", "/admin/outbox", "/admin/outbox?view=queued", Admin),
    ("POST", "/admin/outbox", "/admin/outbox", Admin),
    ("POST", "/admin/outbox/{id}/retry", "/admin/outbox/1/retry", Admin),
    ("GET", "/admin/settings", "/admin/settings", Admin),
    ("POST", "/admin/settings", "/admin/settings", Admin),
    ("GET", "/admin/health", "/admin/health", Admin),
    ("GET", "/admin/exchange", "/admin/exchange", Manager),
    ("GET", "/admin/exchange/queue", "/admin/exchange/queue", Manager),
    ("GET", "/admin/exchange/connect", "/admin/exchange/connect", Manager),
    ("POST", "/admin/exchange/validate", "/admin/exchange/validate", Manager),
    ("GET", "/admin/exchange/mapping", "/admin/exchange/mapping", Manager),
    ("POST", "/admin/exchange/mapping", "/admin/exchange/mapping", Admin),
    ("POST", "/admin/exchange/hidings/{id}", "/admin/exchange/hidings/1", Admin),
    ("POST", "/admin/exchange/orders/{number}", "/admin/exchange/orders/1042", Admin),
    ("GET", "/admin/exchange/{id}", "/admin/exchange/1", Manager),
    ("POST", "/admin/exchange/{id}/replay", "/admin/exchange/1/replay", Admin),
    ("POST", "/admin/exchange/{id}/undo", "/admin/exchange/1/undo", Admin),
    ("GET", "/admin/exchange/{id}/files/{index}", "/admin/exchange/1/files/0", Admin),
    ("POST", "/admin/sync/1c", "/admin/sync/1c", Admin),
    ("POST", "/theme", "/theme", Anyone),
    ("GET", "/chat", "/chat", Anyone),
    ("POST", "/chat/reset", "/chat/reset", Anyone),
    ("GET", "/chat/{persona}", "/chat/anna", Anyone),
    ("GET", "/chat/{persona}", "/chat/nobody", Anyone),
    ("GET", "/chat/{persona}/events", "/chat/anna/events", Anyone),
    ("GET", "/chat/{persona}/trace", "/chat/anna/trace", Anyone),
    ("POST", "/chat/{persona}/say", "/chat/anna/say", Anyone),
    ("POST", "/chat/{persona}/press", "/chat/anna/press", Anyone),
    ("POST", "/chat/{persona}/contact", "/chat/anna/contact", Anyone),
    ("POST", "/chat/{persona}/file", "/chat/anna/file", Anyone),
    ("GET", "/chat/{persona}/files/{id}", "/chat/anna/files/1", Anyone),
];

/// Fields that suit every form: an administrator's are taken, whatever comes of them.
const FIELDS: &str = "status=accepted&version=1&kind=note&text=x&data=x&product=1&theme=dark\
    &act=role&role=manager&id=1&words=a&means=b&phrase=a&scope=client&organization=";

#[test]
fn every_route_has_its_row() {
    let source = std::fs::read_to_string("src/web/router.rs").unwrap();
    let plain: String = source.chars().filter(|c| !c.is_whitespace()).collect();
    let mut routes = 0;
    for part in plain.split(".route(\"").skip(1) {
        let (path, rest) = part.split_once('"').unwrap();
        if path.contains("1c") || path.contains("onec") {
            continue;
        }
        let end = rest.find(".route(").unwrap_or(rest.len());
        let handlers = &rest[..end];
        for (word, method) in [("get(", "GET"), ("post(", "POST")] {
            if handlers.contains(&format!(",{word}")) || handlers.contains(&format!(").{word}")) {
                let row = ADDRESSES.iter().any(|(m, p, ..)| *m == method && *p == path);
                assert!(row, "{method} {path} has no row");
                routes += 1;
            }
        }
    }
    assert!(routes > 30, "the router was not read: {routes}");
}

#[tokio::test]
async fn each_role_opens_its_own_addresses_and_no_other() {
    let panel = Panel::start().await;
    let manager = panel.sign_in_as("%2B79000000002").await;
    let admin = panel.sign_in().await;
    let open =
        |status: StatusCode| status != StatusCode::FORBIDDEN && status != StatusCode::UNAUTHORIZED;
    for (method, _, path, who) in ADDRESSES {
        if path.ends_with("/logout") {
            continue;
        }
        for (role, headers) in [(Manager, &manager), (Admin, &admin)] {
            let token = panel.token(headers).await;
            let fields = format!("{FIELDS}&csrf={token}");
            let fields = if *method == "POST" { fields.as_str() } else { "" };
            let answer = panel.send(method, path, headers.clone(), fields).await;
            let may = *who != Admin || role == Admin;
            assert_eq!(open(answer.status), may, "{role:?} {method} {path}: {}", answer.status);
            assert!(!answer.status.is_server_error(), "{role:?} {method} {path}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let panel = Panel::start().await;
    for (method, _, path, _) in ADDRESSES {
        let answer = panel.send(method, path, HeaderMap::new(), "").await;
        let headers = &answer.headers;
        let csp = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(csp.starts_with("default-src 'none'; script-src 'self';"), "{path}: {csp}");
        assert!(!csp.contains("unsafe"), "{path}: {csp}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert_eq!(headers[header::REFERRER_POLICY], "same-origin", "{path}");
        assert_eq!(headers["cross-origin-opener-policy"], "same-origin", "{path}");
        assert!(headers.contains_key("x-request-id"), "{path}");
        if path.starts_with("/admin") {
            assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{path}");
        }
        let html = headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html"));
        let body = if html { answer.body } else { String::new() };
        for forbidden in ["<style", "style=\"", "onclick=", "javascript:", "http://", "https://"] {
            assert!(!body.contains(forbidden), "{path} has {forbidden}");
        }
        assert!(!body.contains("<script>"), "{path} has an inline script");
    }
}

#[tokio::test]
async fn a_form_that_is_not_ours_changes_nothing() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let before = panel.fingerprint();
    let foreign = |origin: &'static str| {
        let mut headers = ours.clone();
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        headers
    };
    let posts = ADDRESSES.iter().filter(|(method, ..)| *method == "POST");
    for (_, _, path, _) in posts {
        let fields = FIELDS;
        let answer = panel.send("POST", path, ours.clone(), fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} without a token");
        let wrong = format!("{fields}&csrf=0123456789abcdef");
        let answer = panel.send("POST", path, ours.clone(), &wrong).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} with a foreign token");
        let token = panel.token(&ours).await;
        let right = format!("{fields}&csrf={token}");
        let answer = panel.send("POST", path, foreign("http://evil.example"), &right).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} from a foreign page");
    }
    assert_eq!(panel.fingerprint(), before);
}

#[tokio::test]
async fn looking_changes_nothing() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let before = panel.fingerprint();
    for (_, _, path, _) in ADDRESSES.iter().filter(|(method, ..)| *method == "GET") {
        panel.send("GET", path, ours.clone(), "").await;
    }
    assert_eq!(panel.fingerprint(), before);
}

#[tokio::test]
async fn nobody_looks_into_the_panel_without_signing_in() {
    let panel = Panel::start().await;
    for (method, _, path, who) in ADDRESSES {
        if *method != "GET" || *who == Anyone {
            continue;
        }
        let answer = panel.send("GET", path, HeaderMap::new(), "").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        let to = answer.headers[header::LOCATION].to_str().unwrap();
        assert!(to.starts_with("/admin/login?next=/admin"), "{path} leads to {to}");
    }
}

#[tokio::test]
async fn a_session_is_new_at_sign_in_and_dies_at_sign_out() {
    let panel = Panel::start().await;
    let page = panel.send("GET", "/admin/login", HeaderMap::new(), "").await;
    let visit = page.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
    for flag in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(visit.contains(flag), "{visit}");
    }
    assert!(!visit.contains("Secure"), "plain http: {visit}");
    let ours = panel.sign_in().await;
    let again = panel.sign_in().await;
    assert_ne!(ours[header::COOKIE], again[header::COOKIE], "each sign-in has its own session");
    assert_eq!(panel.send("GET", "/admin", ours.clone(), "").await.status, StatusCode::OK);
    let fields = format!("csrf={}", panel.token(&ours).await);
    let out = panel.send("POST", "/admin/logout", ours.clone(), &fields).await;
    assert_eq!(out.status, StatusCode::SEE_OTHER);
    let stolen = panel.send("GET", "/admin", ours, "").await;
    assert_eq!(stolen.status, StatusCode::SEE_OTHER, "the old cookie opens nothing");
    assert_eq!(panel.send("GET", "/admin", again, "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_tries_too_many_passwords_is_told_how_long_to_wait() {
    let panel = Panel::start().await;
    let page = panel.send("GET", "/admin/login", HeaderMap::new(), "").await;
    let mut headers = HeaderMap::new();
    let visit = page.headers[header::SET_COOKIE].to_str().unwrap();
    headers.insert(header::COOKIE, visit.split(';').next().unwrap().parse().unwrap());
    let csrf = Panel::field(&page.body, "csrf");
    let fields = format!("csrf={csrf}&phone=%2B79000000003&password=wrong");
    let mut answers = Vec::new();
    for _ in 0..6 {
        answers.push(panel.send("POST", "/admin/login", headers.clone(), &fields).await);
    }
    assert!(answers[..5].iter().all(|answer| answer.status == StatusCode::UNPROCESSABLE_ENTITY));
    let refused = answers.pop().expect("the sixth");
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.body.contains("Слишком много попыток"), "{}", refused.body);
    let seconds = refused.headers[header::RETRY_AFTER].to_str().expect("a number");
    assert!((1..=900).contains(&seconds.parse::<u64>().expect("seconds")), "{seconds}");
}

#[tokio::test]
async fn the_sign_in_page_says_when_others_may_read_along() {
    let proxied = |address: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", address.parse().unwrap());
        headers
    };
    let mut config = Config::default();
    config.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let plain = Panel::start_with(config.clone()).await;
    let from = async |panel: &Panel, headers| {
        let page = panel.send("GET", "/admin/login", headers, "").await;
        page.body.contains("без https")
    };
    assert!(from(&plain, proxied("203.0.113.5")).await, "over the network");
    assert!(!from(&plain, HeaderMap::new()).await, "from this machine");
    config.server.public_url = Some("https://desk.example".to_owned());
    let secure = Panel::start_with(config).await;
    let mut headers = proxied("203.0.113.5");
    headers.insert(header::HOST, "desk.example".parse().unwrap());
    assert!(!from(&secure, headers).await, "over https");
}

#[tokio::test]
async fn a_code_from_telegram_is_asked_for_after_the_password_where_the_settings_say_so() {
    let mut config = Config::default();
    config.access.confirm_sign_in = true;
    let panel = Panel::start_with(config).await;
    let link = "insert into chats (key, person_id, linked_at_ms)
        select 'tg:7', id, 0 from persons where phone = '+79000000003'";
    panel.desk.base.db.write_blocking(|tx| Ok::<_, StorageError>(tx.execute_batch(link)?)).unwrap();
    let page = panel.send("GET", "/admin/login", HeaderMap::new(), "").await;
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, page.headers[header::SET_COOKIE].clone());
    let csrf = Panel::field(&page.body, "csrf");
    let password = percent(PASSWORD);
    let fields = format!("csrf={csrf}&phone=%2B79000000003&password={password}&next=/admin/orders");
    let asked = panel.send("POST", "/admin/login", headers.clone(), &fields).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    assert!(asked.body.contains("one-time-code"), "{}", asked.body);
    assert_eq!(panel.count("select count(*) from sessions"), 0);

    let challenge = Panel::field(&asked.body, "challenge");
    let enter = async |code: &str| {
        let fields = format!("csrf={csrf}&challenge={challenge}&code={code}&next=/admin/orders");
        panel.send("POST", "/admin/login", headers.clone(), &fields).await
    };
    let wrong = enter("1").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("Код не подошёл"), "{}", wrong.body);
    let code = panel.count(
        "select substr(payload, instr(payload, '<code>') + 6, 6) + 0 from outbox
            where chat_key = 'tg:7' and payload like '%Код для входа%'",
    );
    let opened = enter(&format!("{code:06}")).await;
    assert_eq!(opened.status, StatusCode::SEE_OTHER, "{}", opened.body);
    assert_eq!(opened.headers[header::LOCATION], "/admin/orders");
}

#[tokio::test]
async fn what_was_typed_survives_the_end_of_a_session() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let token = panel.token(&ours).await;
    let out = format!("csrf={token}");
    panel.send("POST", "/admin/logout", ours.clone(), &out).await;
    let typed =
        format!("csrf={token}&kind=client&text=%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D0%B7%D1%91%D0%BC");
    let answer = panel.send("POST", "/admin/orders/1042/messages", HeaderMap::new(), &typed).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.body.contains("Сеанс закончился"), "{}", answer.body);
    assert!(answer.body.contains("%D0%BF%D1%80%D0%B8"), "the fields travel on");
    assert!(answer.body.contains("value=\"/admin/orders/1042/messages\""), "{}", answer.body);
}

#[tokio::test]
async fn only_our_own_addresses_are_answered() {
    let panel = Panel::start().await;
    let mut headers = HeaderMap::new();
    for (host, status) in [
        ("evil.example", StatusCode::MISDIRECTED_REQUEST),
        ("localhost.evil.example", StatusCode::MISDIRECTED_REQUEST),
        ("localhost:8000", StatusCode::OK),
        ("127.0.0.1:8000", StatusCode::OK),
        ("[::1]:8000", StatusCode::OK),
        ("192.168.1.5:8000", StatusCode::OK),
    ] {
        headers.insert(header::HOST, host.parse().unwrap());
        let answer = panel.send("GET", "/admin/login", headers.clone(), "").await;
        assert_eq!(answer.status, status, "{host}");
        let health = panel.send("GET", "/health", headers.clone(), "").await;
        assert_eq!(health.status, StatusCode::OK, "{host}");
    }
}

#[tokio::test]
async fn the_browser_chat_is_closed_where_it_has_no_business() {
    let token = partner_m::domain::Secret::new("123:abc");
    let mut with_bot = Config::default();
    with_bot.telegram.bot_token = Some(token);
    let panel = Panel::with(with_bot).await;
    for path in ["/chat", "/chat/guest", "/chat/guest/events", "/chat/guest/trace"] {
        let answer = panel.send("GET", path, HeaderMap::new(), "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let plain = Panel::with(Config::default()).await;
    let answer = plain.send("GET", "/chat/guest", HeaderMap::new(), "").await;
    assert_eq!(answer.status, StatusCode::OK, "on this very machine, before anything is set up");
    let mut proxied = HeaderMap::new();
    proxied.insert("x-forwarded-for", "203.0.113.5".parse().unwrap());
    let answer = plain.send("GET", "/chat/guest", proxied, "").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "through a proxy");
    let answer = plain.send("GET", "/chat/anna", HeaderMap::new(), "").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "the demo's people live in the demo");
}

#[tokio::test]
async fn hostile_words_stay_words() {
    let panel = Panel::start().await;
    let hostile = "<script>alert(1)</script>\"'&=1+1";
    panel
        .desk
        .base
        .db
        .write_blocking(|tx| {
            tx.execute_batch(&format!(
                "update organizations set name = '{0}'; update persons set name = '{0}';
                 update orders set comment = '{0}', delivery_address = '{0}', status_reason = '{0}';
                 update order_lines set raw = '{0}', title = '{0}', sku = '{0}';
                 update products set title = '{0}';
                 insert into order_events (order_id, at_ms, channel, kind, text)
                    values (1, 1, 'bot', 'message', '{0}');",
                hostile.replace('\'', "''")
            ))
            .map_err(StorageError::from)
        })
        .unwrap();
    let ours = panel.sign_in().await;
    for path in [
        "/admin",
        "/admin/orders?view=all",
        "/admin/orders/1042",
        "/admin/clients",
        "/admin/clients/1",
        "/admin/people",
        "/admin/catalog?open=1",
        "/admin/find?q=script",
        "/chat/anna",
    ] {
        let answer = panel.send("GET", path, ours.clone(), "").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(!answer.body.contains("<script>alert"), "{path}");
        if path.starts_with("/admin") {
            assert!(answer.body.contains("&lt;script&gt;alert(1)"), "{path}");
        }
    }
    let query = "/admin/orders?view=all&q=%3Cscript%3Ealert(1)%3C/script%3E&status=%22%3E";
    let answer = panel.send("GET", query, ours, "").await;
    assert!(!answer.body.contains("<script>alert"), "{}", answer.body);
}

#[tokio::test]
async fn a_status_is_moved_once_and_a_late_form_is_told_so() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    let token = panel.token(&ours).await;
    let accept = format!("csrf={token}&status=accepted&version=1");
    let answer = panel.send("POST", "/admin/orders/1042/status", ours.clone(), &accept).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.headers[header::LOCATION], "/admin/orders/1042");
    let again = panel.send("POST", "/admin/orders/1042/status", ours.clone(), &accept).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER, "the same form sent twice is no error");
    let late = format!("csrf={token}&status=rejected&version=1&reason=x");
    let late = panel.send("POST", "/admin/orders/1042/status", ours.clone(), &late).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    let page = panel.send("GET", "/admin/orders/1042", ours.clone(), "").await;
    assert!(page.body.contains("data-status=\"accepted\""), "{}", page.body);
    assert!(page.body.contains("В работе: Администратор"), "{}", page.body);
    let mut fragment = ours;
    fragment.insert("hx-request", "true".parse().unwrap());
    let next = format!("csrf={token}&status=picking");
    let badge = panel.send("POST", "/admin/orders/1042/status", fragment, &next).await;
    insta::assert_snapshot!(badge.body, @r#"<span class="badge" data-status="picking" data-tone="ok">Собирается</span>"#);
}

#[tokio::test]
async fn an_error_shows_a_code_and_no_cause() {
    let panel = Panel::start().await;
    let ours = panel.sign_in().await;
    panel
        .desk
        .base
        .db
        .write_blocking(|tx| {
            tx.execute_batch("drop table order_events").map_err(StorageError::from)
        })
        .unwrap();
    let answer = panel.send("GET", "/admin/orders/1042", ours, "").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    let code = answer.headers["x-request-id"].to_str().unwrap();
    assert!(answer.body.contains(code), "{}", answer.body);
    assert!(
        !answer.body.contains("order_events") && !answer.body.contains("sql"),
        "{}",
        answer.body
    );
}
