//! A 1C as strict as УТ 10.3: it compares answers to the byte and counts their lines.

use std::path::PathBuf;

use reqwest::Method;

use crate::onec_server::Server;

pub const LOGIN: &str = "exchange";
pub const PASSWORD: &str = "a-password-for-1c";

/// A file of the fixtures.
pub fn fixture(path: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/commerceml");
    std::fs::read(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A catalogue of one product.
pub fn one(name: &str) -> Vec<u8> {
    format!(
        "<КоммерческаяИнформация><Каталог СодержитТолькоИзменения=\"true\"><Товары><Товар>\
         <Ид>a</Ид><Наименование>{name}</Наименование></Товар></Товары></Каталог>\
         </КоммерческаяИнформация>"
    )
    .into_bytes()
}

/// An answer as 1C has it: bytes.
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The text, as a Russian Windows reads it.
    pub fn text(&self) -> String {
        encoding_rs::WINDOWS_1251.decode(&self.bytes).0.into_owned()
    }
}

/// How a client sends what.
#[derive(Clone, Copy)]
pub struct Habits {
    /// The path in its settings.
    pub path: &'static str,
    /// The verb of everything but files.
    pub verb: &'static str,
    /// Whether it sends the cookie back.
    pub cookie: bool,
    /// How big its pieces are; 0: as the server says.
    pub piece: usize,
    /// Whether it sends an empty piece in the end.
    pub empty_piece: bool,
}

pub const UT103: Habits =
    Habits { path: "/1c_exchange", verb: "GET", cookie: true, piece: 0, empty_piece: false };

/// A session of 1C.
pub struct Ut103<'s> {
    server: &'s Server,
    habits: Habits,
    cookie: Option<String>,
    limit: usize,
}

impl<'s> Ut103<'s> {
    pub fn new(server: &'s Server) -> Self {
        Self::with(server, UT103)
    }

    pub fn with(server: &'s Server, habits: Habits) -> Self {
        Self { server, habits, cookie: None, limit: usize::MAX }
    }

    /// The same session at the program started anew.
    pub fn at(self, server: &Server) -> Ut103<'_> {
        Ut103 { server, habits: self.habits, cookie: self.cookie, limit: self.limit }
    }

    pub async fn ask(&self, verb: &str, query: &str, body: Vec<u8>) -> Answer {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        let url = self.server.url(&format!("{}?{query}", self.habits.path));
        let verb = Method::from_bytes(verb.as_bytes()).expect("a verb");
        let mut request = client
            .request(verb, url)
            .basic_auth(LOGIN, Some(PASSWORD))
            .header("User-Agent", "1C+Enterprise/8.2")
            .body(body);
        if let Some(cookie) = &self.cookie {
            request = request.header("Cookie", cookie);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.expect("bytes").to_vec();
        assert!(!bytes.ends_with(b"\n") && !bytes.contains(&b'\r'), "{query}: line ends");
        assert!(!headers.contains_key("content-encoding"), "{query}: packed");
        assert_eq!(headers["content-length"], bytes.len().to_string(), "{query}");
        Answer { status, headers, bytes }
    }

    async fn get(&self, query: &str) -> Answer {
        let answer = self.ask(self.habits.verb, query, Vec::new()).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        answer
    }

    /// `checkauth`: the first line untrimmed, the next two are the cookie.
    pub async fn checkauth(&mut self, kind: &str) {
        let answer = self.get(&format!("type={kind}&mode=checkauth")).await;
        let text = answer.text();
        let lines: Vec<&str> = text.split('\n').collect();
        assert_eq!(lines[0], "success", "{text}");
        assert_eq!(lines[1], "PMSESS");
        assert!(lines[2].len() == 32 && lines[2].bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(lines[3], format!("sessid={}", lines[2]));
        assert!(lines[4].strip_prefix("timestamp=").expect("a moment").parse::<u64>().is_ok());
        assert_eq!(lines.len(), 5);
        self.cookie = self.habits.cookie.then(|| format!("{}={}", lines[1], lines[2]));
    }

    /// `init`: two lines, or «Параметры обмена не получены».
    pub async fn init(&mut self, kind: &str) {
        let text = self.get(&format!("type={kind}&mode=init")).await.text();
        assert_eq!(text, "zip=no\nfile_limit=67108864");
        self.limit = if self.habits.piece == 0 { 67_108_864 } else { self.habits.piece };
    }

    /// `file`, in pieces.
    pub async fn file(&self, kind: &str, name: &str, bytes: &[u8]) -> Answer {
        let query = format!("type={kind}&mode=file&filename={name}");
        let mut last = None;
        for piece in bytes.chunks(self.limit) {
            last = Some(self.ask("POST", &query, piece.to_vec()).await);
        }
        if self.habits.empty_piece || last.is_none() {
            last = Some(self.ask("POST", &query, Vec::new()).await);
        }
        last.expect("a piece")
    }

    pub async fn upload(&self, kind: &str, name: &str, bytes: &[u8]) {
        let answer = self.file(kind, name, bytes).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "success"), "{name}");
    }

    /// `import` until the answer is no longer `progress`; the last answer.
    pub async fn import(&self, name: &str) -> String {
        loop {
            let answer = self.get(&format!("type=catalog&mode=import&filename={name}")).await;
            let text = answer.text();
            if text.split('\n').next() != Some("progress") {
                return text;
            }
        }
    }

    /// `query`: what begins with anything but `<?xml` is «Не удалось прочитать данные».
    pub async fn query(&self) -> String {
        let answer = self.get("type=sale&mode=query").await;
        assert_eq!(&answer.bytes[..5], b"<?xml");
        assert_eq!(answer.headers["content-type"], "application/xml; charset=windows-1251");
        answer.text()
    }

    pub async fn success(&self) {
        assert_eq!(self.get("type=sale&mode=success").await.text(), "success");
    }

    /// A run for goods: all files of a folder, then their import in this order.
    pub async fn goods(&mut self, folder: &str, names: &[&str]) {
        self.server.base.clock.advance(std::time::Duration::from_secs(1));
        self.checkauth("catalog").await;
        self.init("catalog").await;
        for name in names {
            self.upload("catalog", name, &fixture(&format!("{folder}/{name}"))).await;
        }
        for name in names {
            assert_eq!(self.import(name).await, "success", "{folder}/{name}");
        }
    }
}

/// A server that exchanges.
pub async fn server() -> Server {
    server_with(|_| {}).await
}

pub async fn server_with(set: impl FnOnce(&mut partner_m::config::Config)) -> Server {
    Server::with(|config| {
        config.onec.exchange.username = Some(LOGIN.to_owned());
        config.onec.exchange.password = Some(partner_m::domain::Secret::new(PASSWORD));
        set(config);
    })
    .await
}
