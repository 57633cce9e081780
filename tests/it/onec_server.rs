//! A server with 1C's paths on a real port and a temporary database.

use std::net::SocketAddr;

use partner_m::config::Config;
use partner_m::domain::{Clock, Secret, Timestamp, Zone};
use partner_m::services::Base;
use partner_m::services::accounts::Accounts;
use partner_m::services::exchange::Exchange;
use partner_m::services::live::Live;
use partner_m::storage::Db;
use partner_m::storage::db::Create;
use partner_m::tasks::Tasks;
use partner_m::web::onec::{OnecState, plain};

pub const TOKEN: &str = "a-token-of-more-than-24-characters";

pub struct Server {
    pub base: Base,
    pub exchange: Exchange,
    pub tasks: Tasks,
    pub address: SocketAddr,
    pub client: reqwest::Client,
    pub folder: tempfile::TempDir,
}

pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).expect("a JSON answer")
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(set: impl FnOnce(&mut Config)) -> Self {
        Self::tuned(set, |_| {}).await
    }

    pub async fn tuned(set: impl FnOnce(&mut Config), tune: impl FnOnce(&mut OnecState)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
        config.onec.webhook_token = Some(Secret::new(TOKEN));
        set(&mut config);
        let db = Db::open(&folder.path().join("partner-m.db"), Create::Yes).expect("opens");
        let base = Base {
            db,
            clock: Clock::manual(Timestamp::from_millis(1_795_518_300_000)),
            zone: Zone::named("Europe/Moscow").expect("a zone"),
            config: config.into(),
            live: Live::default(),
        };
        Self::serve(base, folder, tune).await
    }

    /// The program started anew over the data of another: nothing but the database is kept.
    pub async fn over(other: &Self) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self::serve(other.base.clone(), folder, |_| {}).await
    }

    async fn serve(
        base: Base,
        folder: tempfile::TempDir,
        tune: impl FnOnce(&mut OnecState),
    ) -> Self {
        let exchange = Exchange::new(base.clone());
        let tasks = Tasks::new();
        let mut state = OnecState::new(
            base.clone(),
            exchange.clone(),
            Accounts::new(base.clone()),
            tasks.clone(),
        );
        tune(&mut state);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = tokio_util::sync::CancellationToken::new();
        let proxies = partner_m::web::Proxies::default();
        tokio::spawn(partner_m::web::serve_router(listener, plain(state), proxies, stop));
        let client = reqwest::Client::new();
        Self { base, exchange, tasks, address, client, folder }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, text: response.text().await.expect("a text") }
    }

    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Reply {
        let request = self.client.post(self.url(path)).header("X-1C-Token", TOKEN).body(body);
        self.send(request).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.client.get(self.url(path)).header("X-1C-Token", TOKEN)).await
    }

    pub async fn push(&self, body: impl Into<reqwest::Body>) -> Reply {
        self.post("/integrations/1c/catalog", body).await
    }

    /// Every row of a query, as text.
    pub fn rows(&self, sql: &str) -> Vec<String> {
        let rows = self.base.db.read_blocking(|conn| {
            let mut stmt = conn.prepare(sql)?;
            let columns = stmt.column_count();
            let mut rows = stmt.query([])?;
            let mut lines = Vec::new();
            while let Some(row) = rows.next()? {
                let cells = (0..columns).map(|index| {
                    Ok(match row.get_ref(index)? {
                        rusqlite::types::ValueRef::Null => "–".to_owned(),
                        rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                        rusqlite::types::ValueRef::Text(text) => {
                            String::from_utf8_lossy(text).into_owned()
                        }
                        other => format!("{other:?}"),
                    })
                });
                lines.push(cells.collect::<Result<Vec<_>, rusqlite::Error>>()?.join(" | "));
            }
            Ok::<_, partner_m::storage::StorageError>(lines)
        });
        rows.expect("a query")
    }

    /// The catalogue in full, to compare before and after.
    pub fn catalogue(&self) -> Vec<String> {
        let mut all = self.rows(
            "select p.external_id, p.sku, p.title, c.title, p.unit, p.description, p.barcode,
                p.multiple_thousandths, p.available_thousandths, p.withdrawn, p.withdrawn_why,
                p.hidden, p.search_words, p.updated_at_ms
             from products p left join categories c on c.id = p.category_id order by p.id",
        );
        all.extend(self.rows("select * from categories order by id"));
        all.extend(self.rows(
            "select r.product_id, t.name, r.amount_kopecks, r.per from prices r
             join price_types t on t.id = r.price_type_id order by 1, 2",
        ));
        all.extend(self.rows("select * from packs order by 1, 2"));
        all.extend(self.rows("select * from stocks order by 1, 2"));
        all
    }

    pub fn version(&self) -> String {
        self.rows("select version from catalog_version").remove(0)
    }
}
