//! Every route on one page, and the layers around them.

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response_with_state};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get, post};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::request_id::{
    MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_http::trace::TraceLayer;
use tracing::{Span, error, info_span};

use super::admin::{
    audit, backups, catalog, clients, exchange, find, import, login, models, orders, outbox,
    questions, search, sessions, settings, state, synonyms, today,
};
use super::onec::{self, OnecState};
use super::session::{self, FILE_LIMIT};
use super::{Desk, assets, error as pages, health, live, simulator};

/// Every page for people; what 1C calls is merged in where the program is put together.
pub fn router(desk: Desk) -> Router {
    // Panel and chat: for browsers, behind the guard.
    let guarded = work()
        .merge(house())
        .layer(DefaultBodyLimit::max(FILE_LIMIT))
        .layer(from_fn_with_state(desk.clone(), session::guard));

    let layers = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(ShortId))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(from_fn(health::count))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(map_response_with_state(desk.clone(), security_headers));
    let as_pages = ServiceBuilder::new()
        .layer(from_fn_with_state(desk.clone(), pages::pages))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(CompressionLayer::new().gzip(true));

    let onec = OnecState::new(
        desk.base.clone(),
        desk.exchange.clone(),
        desk.accounts.clone(),
        desk.tasks.clone(),
    );
    let at_root = onec.clone();
    Router::new()
        .route("/health", get(health::health))
        .route("/metrics", get(health::metrics_page))
        .route("/favicon.ico", get(assets::favicon))
        .route("/assets/{version}/{name}", get(assets::serve))
        .merge(guarded)
        // A router that is merged brings its own default: this one is under the pages' layers.
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(as_pages)
        // 1C reads answers to the byte: no page, no compression over its routes.
        .merge(onec::router(onec))
        .route("/", any(move |desk, request| root(at_root.clone(), desk, request)))
        .layer(layers)
        .with_state(desk)
}

/// What managers and administrators work with.
fn work() -> Router<Desk> {
    Router::new()
        .route("/admin", get(today::page))
        .route("/admin/orders", get(orders::list).post(orders::keep_view))
        .route("/admin/orders/export/{format}", get(orders::export))
        .route("/admin/orders/bulk", post(orders::bulk))
        .route("/admin/orders/new", get(orders::new).post(orders::create))
        .route("/admin/orders/print", get(orders::print_many))
        .route("/admin/orders/{number}", get(orders::page))
        .route("/admin/orders/{number}/edit", post(orders::act))
        .route("/admin/orders/{number}/options/{line}", get(orders::options))
        .route("/admin/orders/{number}/print", get(orders::print))
        .route("/admin/orders/{number}/undo", post(orders::undo))
        .route("/admin/orders/{number}/status", post(orders::set_status))
        .route("/admin/orders/{number}/messages", post(orders::write))
        .route("/admin/orders/{number}/files", post(orders::send_file))
        .route(
            "/admin/orders/{number}/files/{entry}",
            get(orders::take_file).post(orders::forward_file),
        )
        .route("/admin/orders/{number}/lines/{line}", post(orders::pick))
        .route("/admin/find", get(find::page))
        .route("/admin/catalog", get(catalog::page))
        .route("/admin/catalog/import", get(import::page).post(import::take))
        .route("/admin/catalog/import/sample", get(import::sample))
        .route("/admin/catalog/bulk", post(catalog::bulk))
        .route("/admin/catalog/products/{id}", get(catalog::product).post(catalog::set_own_fields))
        .route("/admin/questions", get(questions::list))
        .route("/admin/questions/replies", get(questions::replies).post(questions::change_replies))
        .route("/admin/questions/{id}", get(questions::one).post(questions::act))
        .route("/admin/questions/{id}/messages", post(questions::write))
        .route("/admin/questions/{id}/read", post(questions::read))
        .route("/admin/questions/{id}/files", post(questions::give_file))
        .route(
            "/admin/questions/{id}/files/{message}",
            get(questions::file).post(questions::send_file),
        )
        .route("/admin/threads", get(|| async { Redirect::permanent("/admin/questions") }))
        .route("/admin/clients", get(clients::list))
        .route("/admin/clients/export/{format}", get(clients::export))
        .route("/admin/clients/import", get(clients::import_page).post(clients::import_take))
        .route("/admin/clients/{id}", get(clients::one).post(clients::act))
        .route("/admin/people", get(clients::people))
        .route("/admin/people/{id}", get(clients::person).post(clients::act_on_person))
        .route("/admin/requests", get(clients::requests).post(clients::decide))
        .route("/admin/search", get(search::page))
        .route("/admin/search/log", get(search::log))
        .route("/admin/search/gaps", get(search::gaps).post(search::not_ours))
        .route("/admin/search/teach", post(search::teach))
        .route("/admin/search/compare", post(models::compare))
        .route("/admin/search/models", get(models::page).post(models::test))
        .route("/admin/search/cases", get(search::cases).post(search::act_on_cases))
        .route("/admin/search/cases/export", get(search::export_cases))
        .route("/admin/search/cases/import", post(search::import_cases))
        .route("/admin/synonyms", get(synonyms::page).post(synonyms::add))
        .route("/admin/synonyms/change", post(synonyms::change))
        .route("/admin/synonyms/export", get(synonyms::export))
        .route("/admin/synonyms/import", post(synonyms::import))
        .route("/admin/synonyms/learnt", get(synonyms::learnt).post(synonyms::decide))
        .route("/admin/exchange", get(exchange::page))
        .route("/admin/exchange/queue", get(exchange::queue::page))
        .route("/admin/exchange/connect", get(exchange::connect::page))
        .route("/admin/exchange/validate", post(exchange::connect::validate))
        .route("/admin/exchange/mapping", get(exchange::mapping::page).post(exchange::mapping::map))
        .route("/admin/exchange/hidings/{id}", post(exchange::decide))
        .route("/admin/exchange/{id}/undo", post(exchange::undo::undo))
        .route("/admin/exchange/orders/{number}", post(exchange::queue::offer_again))
        .route("/admin/exchange/{id}", get(exchange::session::page))
        .route("/admin/exchange/{id}/replay", post(exchange::session::replay))
        .route("/admin/exchange/{id}/files/{index}", get(exchange::session::file))
        .route("/admin/sync/1c", post(exchange::pull))
        // The old program's addresses.
        .route("/admin/debug/search-as", get(|| async { Redirect::permanent("/admin/search") }))
        .route("/admin/search-aliases", get(|| async { Redirect::permanent("/admin/synonyms") }))
}

/// What administrators keep the program with, the way in and the browser chat.
fn house() -> Router<Desk> {
    Router::new()
        // For administrators.
        .route("/admin/audit", get(audit::page))
        .route("/admin/audit/export", post(audit::export))
        .route("/admin/backups", get(backups::page).post(backups::make))
        .route("/admin/backups/{name}/verify", post(backups::verify))
        .route("/admin/backups/{name}/download", post(backups::download))
        .route("/admin/outbox", get(outbox::page).post(outbox::retry_all))
        .route("/admin/outbox/{id}/retry", post(outbox::retry))
        .route("/admin/settings", get(settings::page).post(settings::change))
        .route("/admin/health", get(state::page))
        .route("/admin/login", get(login::page).post(login::sign_in))
        .route("/admin/enter/{token}", get(login::enter_page).post(login::enter))
        .route("/admin/sessions", get(sessions::page).post(sessions::revoke))
        .route("/admin/logout", post(login::sign_out))
        .route("/admin/events", get(live::events))
        .route("/theme", post(login::set_theme))
        .route("/chat", get(simulator::start))
        .route("/chat/reset", post(simulator::reset))
        .route("/chat/{persona}", get(simulator::page))
        .route("/chat/{persona}/events", get(simulator::events::events))
        .route("/chat/{persona}/trace", get(simulator::trace))
        .route("/chat/{persona}/say", post(simulator::said::say))
        .route("/chat/{persona}/press", post(simulator::said::press))
        .route("/chat/{persona}/contact", post(simulator::said::contact))
        .route("/chat/{persona}/file", post(simulator::files::give))
        .route("/chat/{persona}/files/{id}", get(simulator::files::take))
}

/// `/`: to the panel, or to the chat where there is one; a 1C without a path in its settings comes
/// here too.
async fn root(onec: OnecState, State(desk): State<Desk>, request: Request) -> Response<Body> {
    if onec::standard::is_meant(request.uri().query()) {
        return onec::standard::answer(State(onec), request).await;
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let (parts, _) = request.into_parts();
    let chat = simulator::available(&desk, &parts).await.unwrap_or(false);
    Redirect::to(if chat { "/chat" } else { "/admin" }).into_response()
}

/// A short code for a request: people read it out over the phone.
#[derive(Clone, Copy)]
struct ShortId;

impl MakeRequestId for ShortId {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        HeaderValue::from_str(&id[..10]).ok().map(RequestId::new)
    }
}

/// The span of a request: without the query, which may hold a token or a name.
fn span<B>(request: &axum::http::Request<B>) -> Span {
    let id = request.headers().get("x-request-id").and_then(|v| v.to_str().ok()).unwrap_or("");
    let path = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str);
    info_span!("http", method = %request.method(), path, request_id = id)
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
fn panicked(cause: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("(no text)");
    error!("сбой обработчика: {text}");
    axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// What every answer carries.
async fn security_headers<B>(State(desk): State<Desk>, mut response: Response<B>) -> Response<B> {
    const HEADERS: [(HeaderName, &str); 5] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
             connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; \
             object-src 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let url = desk.base.config.server.public_url.as_deref();
    if url.is_some_and(|url| url.starts_with("https://")) {
        let value = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    response
}
