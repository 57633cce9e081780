//! The web door in this process: requests go straight into its router.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode, header};
use partner_m::config::{Config, Loaded};
use partner_m::domain::{Clock, Zone};
use partner_m::services::Base;
use partner_m::services::accounts::Accounts;
use partner_m::services::backup::Backups;
use partner_m::services::bot_status::BotStatus;
use partner_m::services::browser_chat::BrowserChat;
use partner_m::services::catalog::Catalog;
use partner_m::services::conversations::Conversations;
use partner_m::services::exchange::Exchange;
use partner_m::services::health::Health;
use partner_m::services::live::Live;
use partner_m::services::models::Models;
use partner_m::services::operations::Operations;
use partner_m::services::ordering::Ordering;
use partner_m::services::pull::Pull;
use partner_m::storage::db::Create;
use partner_m::storage::{Db, StorageError};
use partner_m::tasks::Tasks;
use partner_m::web::{self, Demo, Desk, Persona};
use tower::ServiceExt as _;

use super::desk::START;

pub const PASSWORD: &str = "пароль для теста";

/// The panel over a temporary database.
pub struct Panel {
    pub desk: Desk,
    router: axum::Router,
    _folder: Option<tempfile::TempDir>,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Panel {
    /// The demo's panel with an order: № 1042, new.
    pub async fn start() -> Self {
        Self::start_with(Config::default()).await
    }

    /// [`Panel::start`] with other settings.
    pub async fn start_with(config: Config) -> Self {
        let mut panel = Self::with(config).await;
        panel.desk.accounts.demo_people(PASSWORD).await.unwrap();
        panel
            .desk
            .base
            .db
            .write_blocking(|tx| Ok::<_, StorageError>(tx.execute_batch(SEED)?))
            .unwrap();
        panel.desk.catalog.refresh().await.unwrap();
        let personas = [
            ("guest", None, false),
            ("anna", Some("+79000000001"), false),
            ("maria", Some("+79000000002"), true),
        ];
        let personas = personas.map(|(key, phone, staff)| Persona {
            key: key.to_owned(),
            label: key.to_owned(),
            name: key.to_owned(),
            phone: phone.map(|phone| phone.parse().unwrap()),
            staff,
        });
        panel.desk.demo = Some(Arc::new(Demo {
            personas: personas.to_vec(),
            reset: Box::new(|| Box::pin(async { Ok(()) })),
        }));
        panel.router = web::router(panel.desk.clone());
        panel
    }

    /// An empty database with these settings.
    pub async fn with(mut config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        config.data_dir = folder.path().to_owned();
        let db = Db::open(&folder.path().join("partner-m.db"), Create::Yes).unwrap();
        let base = Base {
            db,
            clock: Clock::manual(START),
            zone: Zone::named("Europe/Moscow").unwrap(),
            config: config.into(),
            live: Live::default(),
        };
        Self { _folder: Some(folder), ..Self::over(base).await }
    }

    /// The panel beside what else works on this base.
    pub async fn over(base: Base) -> Self {
        let catalog = Catalog::new(base.clone());
        catalog.refresh().await.unwrap();
        let (tasks, bot) = (Tasks::new(), BotStatus::default());
        let models = Some(Models::from_settings(base.clone()));
        let backups = Backups::new(base.clone());
        let health = Health::new(
            base.clone(),
            bot.clone(),
            catalog.clone(),
            models.clone(),
            None,
            backups.clone(),
            tasks.clone(),
        );
        let operations =
            Operations::new(&base, health, backups, Loaded::defaults((*base.config).clone()));
        let desk = Desk {
            tasks,
            operations,
            accounts: Accounts::new(base.clone()),
            ordering: Ordering::new(base.clone(), catalog.clone()),
            catalog: catalog.clone(),
            conversations: Conversations::new(base.clone()),
            models,
            bot,
            exchange: Exchange::new(base.clone()),
            pull: Pull::new(base.clone(), Exchange::new(base.clone())).ok(),
            chat: BrowserChat::new(base.clone()),
            demo: None,
            base,
        };
        Self { router: web::router(desk.clone()), desk, _folder: None }
    }

    /// Sends a request from this very machine.
    pub async fn send(&self, method: &str, path: &str, headers: HeaderMap, form: &str) -> Answer {
        self.send_bytes(method, path, headers, form.as_bytes().to_vec()).await
    }

    async fn send_bytes(
        &self,
        method: &str,
        path: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Answer {
        let mut request =
            Request::builder().method(method).uri(path).body(Body::from(body)).unwrap();
        if !headers.contains_key(header::HOST) {
            request.headers_mut().insert(header::HOST, "localhost:8000".parse().unwrap());
        }
        if method == "POST" {
            let kind = "application/x-www-form-urlencoded".parse().unwrap();
            request.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        request.headers_mut().extend(headers);
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4_000))));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let stream =
            parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let body = if stream {
            String::new()
        } else {
            String::from_utf8_lossy(&to_bytes(body, 10_000_000).await.unwrap()).into_owned()
        };
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Signs the administrator in; the headers of their requests.
    pub async fn sign_in(&self) -> HeaderMap {
        self.sign_in_as("%2B79000000003").await
    }

    /// Signs someone in by their phone, percent-encoded.
    pub async fn sign_in_as(&self, phone: &str) -> HeaderMap {
        self.sign_in_with(phone, PASSWORD).await
    }

    /// [`Panel::sign_in_as`] with a password of one's own.
    pub async fn sign_in_with(&self, phone: &str, password: &str) -> HeaderMap {
        let page = self.send("GET", "/admin/login", HeaderMap::new(), "").await;
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookie(&page.headers));
        let token = field(&page.body, "csrf");
        let password: String = percent(password);
        let fields = format!("csrf={token}&phone={phone}&password={password}&next=");
        let answer = self.send("POST", "/admin/login", headers, &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookie(&answer.headers));
        headers
    }

    /// The form token of a session.
    pub async fn token(&self, headers: &HeaderMap) -> String {
        field(&self.send("GET", "/admin", headers.clone(), "").await.body, "csrf")
    }

    /// Sends a form with a file, its token first.
    pub async fn upload(
        &self,
        path: &str,
        headers: &HeaderMap,
        fields: &[(&str, &str)],
        file: Option<(&str, &[u8])>,
    ) -> Answer {
        let token = self.token(headers).await;
        self.upload_with(&token, path, headers, fields, file).await
    }

    /// [`Panel::upload`] of a form that was opened with this token.
    pub async fn upload_with(
        &self,
        token: &str,
        path: &str,
        headers: &HeaderMap,
        fields: &[(&str, &str)],
        file: Option<(&str, &[u8])>,
    ) -> Answer {
        let mut body = Vec::new();
        let part =
            |name: &str| format!("--border\r\nContent-Disposition: form-data; name=\"{name}\"");
        for (name, value) in [("csrf", token)].iter().chain(fields) {
            body.extend_from_slice(format!("{}\r\n\r\n{value}\r\n", part(name)).as_bytes());
        }
        if let Some((name, bytes)) = file {
            let head =
                format!("{}; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n", part("file"));
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--border--\r\n");
        let mut headers = headers.clone();
        let kind = "multipart/form-data; boundary=border";
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        self.send_bytes("POST", path, headers, body).await
    }

    /// One number from the database.
    pub fn count(&self, sql: &str) -> i64 {
        self.desk
            .base
            .db
            .read_blocking(|conn| Ok::<_, StorageError>(conn.query_row(sql, [], |row| row.get(0))?))
            .unwrap()
    }

    /// One text from the database.
    pub fn text(&self, sql: &str) -> String {
        self.desk
            .base
            .db
            .read_blocking(|conn| Ok::<_, StorageError>(conn.query_row(sql, [], |row| row.get(0))?))
            .unwrap()
    }

    /// The value of a page's hidden field, percent-encoded for a form.
    pub fn field(body: &str, name: &str) -> String {
        let value = field(body, name);
        if value.is_ascii() { value } else { percent(&value) }
    }

    /// What the database holds, but for who was seen when.
    pub fn fingerprint(&self) -> Vec<i64> {
        const TABLES: [&str; 8] = [
            "orders",
            "order_lines",
            "order_events",
            "web_messages",
            "inbox",
            "outbox",
            "sessions",
            "login_failures",
        ];
        self.desk
            .base
            .db
            .read_blocking(|conn| {
                let mut counts = Vec::new();
                for table in TABLES {
                    counts.push(conn.query_row(
                        &format!("select count(*) from {table}"),
                        [],
                        |row| row.get(0),
                    )?);
                }
                counts.push(
                    conn.query_row("select sum(revision) from orders", [], |row| row.get(0))?,
                );
                Ok::<_, StorageError>(counts)
            })
            .unwrap()
    }
}

fn cookie(headers: &HeaderMap) -> axum::http::HeaderValue {
    let text = headers[header::SET_COOKIE].to_str().unwrap();
    text.split(';').next().unwrap().parse().unwrap()
}

/// The value of a hidden field.
fn field(body: &str, name: &str) -> String {
    let (_, after) = body.split_once(&format!("name=\"{name}\" value=\"")).expect("a hidden field");
    after.split('"').next().unwrap().to_owned()
}

const SEED: &str = "
    update catalog_version set version = version + 1;
    insert into products (id, external_id, sku, title, unit, updated_at_ms) values
        (1, 'a1', '00-1234', 'Саморез 4×25 жёлтый', 'шт', 1);
    insert into orders (id, number, uuid, organization_id, author_id, status, source, created_at_ms, updated_at_ms)
        values (1, 1042, 'u1', 1, 1, 'new', 'bot', 1795518000000, 1795518000000);
    insert into order_lines (id, order_id, position, raw, phrase, state, product_id, title)
        values (1, 1, 1, 'саморез', 'саморез', 'manager', null, '');
    insert into order_events (order_id, at_ms, channel, person_id, kind, text)
        values (1, 1795518000000, 'bot', 1, 'created', 'Заявка отправлена');";

/// Every byte percent-encoded, for a form.
pub fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |coded, byte| coded + &format!("%{byte:02X}"))
}
