//! The browser chat as its page drives it: forms over HTTP, changes over server-sent events, the
//! real program behind.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::header;
use serde_json::Value;

use super::program::{Program, Running};

/// A demo that can be killed and started again over the same data.
struct Demo {
    program: Program,
    running: Running,
    port: String,
}

impl Demo {
    fn start() -> Self {
        let program = Program::new();
        let port = super::program::free_port().to_string();
        let running = Self::run(&program, &port);
        Self { program, running, port }
    }

    fn run(program: &Program, port: &str) -> Running {
        let listen = format!("127.0.0.1:{port}");
        program.start(&["demo", "--data", "kept", "--listen", &listen])
    }

    /// The process dies at once and comes back.
    fn crash(self) -> Self {
        self.running.signal("KILL");
        self.running.wait();
        let running = Self::run(&self.program, &self.port);
        Self { running, ..self }
    }

    /// How many orders there are.
    fn orders(&self) -> usize {
        let said = self.program.run(&["order", "list", "--data", "kept", "--json"]);
        assert_eq!(said.code, 0, "{}", said.err);
        let answer: Value = serde_json::from_str(&said.out).expect("JSON");
        answer["data"]["orders"].as_array().map_or(0, Vec::len)
    }

    /// The page of a person, open.
    async fn page(&self, persona: &str) -> Page {
        Page::open(format!("http://{}", self.running.address), persona).await
    }
}

/// What stands on a page.
#[derive(Default)]
struct Shown {
    messages: BTreeMap<i64, String>,
    keyboard: String,
    toasts: Vec<String>,
}

/// An open page of the chat.
struct Page {
    http: reqwest::Client,
    origin: String,
    persona: String,
    cookie: String,
    csrf: String,
    shown: Arc<Mutex<Shown>>,
    stream: tokio::task::JoinHandle<()>,
}

impl Drop for Page {
    fn drop(&mut self) {
        self.stream.abort();
    }
}

impl Page {
    async fn open(origin: String, persona: &str) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        let page = http.get(format!("{origin}/chat/{persona}")).send().await.expect("answers");
        assert_eq!(page.status(), 200);
        let cookie = page.headers()[header::SET_COOKIE].to_str().expect("text");
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let html = page.text().await.expect("text");
        let (_, csrf) = html.split_once("name=\"csrf\" value=\"").expect("a token");
        let csrf = csrf.split('"').next().unwrap_or_default().to_owned();
        let shown = Arc::new(Mutex::new(Shown::default()));
        let events = http.get(format!("{origin}/chat/{persona}/events?since=0"));
        let events = events.header(header::COOKIE, &cookie).send().await.expect("a stream");
        let stream = tokio::spawn(follow(events, shown.clone()));
        let persona = persona.to_owned();
        Self { http, origin, persona, cookie, csrf, shown, stream }
    }

    fn post(&self, what: &str) -> reqwest::RequestBuilder {
        self.http
            .post(format!("{}/chat/{}/{what}", self.origin, self.persona))
            .header(header::COOKIE, &self.cookie)
            .header("X-CSRF-Token", &self.csrf)
    }

    async fn says(&self, text: &str) {
        let fields = [("text", text), ("key", &key())];
        let answer = self.post("say").form(&fields).send().await.expect("answers");
        assert_eq!(answer.status(), 204, "{text}");
    }

    async fn shares(&self, phone: &str) {
        let fields = [("phone", phone), ("key", &key())];
        let answer = self.post("contact").form(&fields).send().await.expect("answers");
        assert_eq!(answer.status(), 204);
    }

    /// Presses what a button would send, under a key of the form.
    async fn sends(&self, data: &str, key: &str) {
        let fields = [("data", data), ("key", key)];
        let answer = self.post("press").form(&fields).send().await.expect("answers");
        assert_eq!(answer.status(), 204);
    }

    async fn presses(&self, label: &str) {
        let data = self.button(label).await;
        self.sends(&data, &key()).await;
    }

    async fn gives(&self, name: &str, content: &[u8]) {
        let mut body = format!(
            "--border\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n{}\r\n\
             --border\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n",
            key()
        )
        .into_bytes();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--border--\r\n");
        let kind = "multipart/form-data; boundary=border";
        let request = self.post("file").header(header::CONTENT_TYPE, kind).body(body);
        let answer = request.send().await.expect("answers");
        assert_eq!(answer.status(), 204, "{name}");
    }

    /// What the newest button with this label sends, once there is one.
    async fn button(&self, label: &str) -> String {
        self.until(&format!("[{label}]"), |shown| {
            shown.messages.values().rev().find_map(|html| {
                html.split("<button").skip(1).find_map(|button| {
                    let (_, value) = button.split_once("value=\"")?;
                    let words = button.split("</button>").next()?;
                    words_of(&format!("<button{words}"))
                        .starts_with(label)
                        .then(|| value.split('"').next().unwrap_or_default().to_owned())
                })
            })
        })
        .await
    }

    /// Waits until the words stand on the page.
    async fn sees(&self, words: &str) {
        self.until(words, |shown| {
            shown.messages.values().any(|html| words_of(html).contains(words)).then_some(())
        })
        .await;
    }

    /// Waits until a toast says the words.
    async fn is_told(&self, words: &str) {
        self.until(words, |shown| {
            shown.toasts.iter().any(|toast| toast.contains(words)).then_some(())
        })
        .await;
    }

    async fn until<T>(&self, what: &str, found: impl Fn(&Shown) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = found(&self.shown.lock().expect("whole")) {
                return found;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{} never sees «{what}»:\n{}",
                self.persona,
                self.text()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How many messages of the program stand there.
    fn held(&self) -> usize {
        let shown = self.shown.lock().expect("whole");
        shown.messages.values().filter(|html| html.contains("msg in")).count()
    }

    fn text(&self) -> String {
        let shown = self.shown.lock().expect("whole");
        shown.messages.values().map(|html| words_of(html)).collect::<Vec<_>>().join("\n")
    }

    fn keys(&self) -> String {
        words_of(&self.shown.lock().expect("whole").keyboard)
    }
}

/// Keeps what a page is told.
async fn follow(mut events: reqwest::Response, shown: Arc<Mutex<Shown>>) {
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = events.chunk().await {
        text.extend_from_slice(&chunk);
        while let Some(end) = text.windows(2).position(|pair| pair == b"\n\n") {
            let event: Vec<u8> = text.drain(..end + 2).collect();
            let event = String::from_utf8_lossy(&event).into_owned();
            let Some((_, data)) = event.split_once("data: ") else { continue };
            let told: Value = serde_json::from_str(data.trim()).expect("JSON");
            let mut shown = shown.lock().expect("whole");
            for item in told["items"].as_array().into_iter().flatten() {
                if let Some(toast) = item["toast"].as_str() {
                    shown.toasts.push(toast.replace('\u{a0}', " "));
                    continue;
                }
                let id = item["id"].as_i64().expect("an id");
                match item["html"].as_str() {
                    Some(html) => shown.messages.insert(id, html.to_owned()),
                    None => shown.messages.remove(&id),
                };
            }
            if let Some(keyboard) = told["keyboard"]["html"].as_str() {
                keyboard.clone_into(&mut shown.keyboard);
            }
        }
    }
}

fn key() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// The words of a page, without its tags.
fn words_of(html: &str) -> String {
    let mut words = String::new();
    let mut inside = false;
    for sign in html.chars() {
        match sign {
            '<' => inside = true,
            '>' => inside = false,
            '\u{a0}' if !inside => words.push(' '),
            sign if !inside => words.push(sign),
            _ => {}
        }
    }
    words
}

const LIST: &str = "саморез 4х25 жёлтый 4000 шт\nскобы 80/10 5 уп";

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_orders_in_twelve_actions_and_three_messages_remain() {
    let demo = Demo::start();
    let guest = demo.page("guest").await;
    let maria = demo.page("maria").await;
    guest.says("/start").await; // 1
    guest
        .until("the contact's key", |shown| shown.keyboard.contains("data-contact").then_some(()))
        .await;
    guest.shares("+7 900 000-00-09").await; // 2
    guest.sees("Фамилия, имя и отчество").await;
    guest.says("Чужой Пётр").await; // 3
    guest.presses("Я частное лицо").await; // 4
    for step in ["Шаг 3", "Шаг 4", "Шаг 5"] {
        guest.sees(step).await;
        guest.presses("Пропустить").await; // 5, 6, 7
    }
    guest.sees("Придумайте пароль").await;
    guest.says("длинный пароль 1").await; // 8
    guest.sees("Готово, Пётр").await;
    assert!(!guest.text().contains("длинный пароль"), "a password stays on the screen");
    guest.says(LIST).await; // 9
    guest.presses("Отправить").await; // 10
    guest.sees("отправлена").await;
    assert!(guest.held() <= 3, "{} messages remain:\n{}", guest.held(), guest.text());
    assert!(guest.keys().contains("Новая заявка"), "{}", guest.keys());
    maria.presses("Принять").await;
    guest.sees("Принята").await;
    maria.sees("В работе: Мария").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_tap_five_times_makes_one_order() {
    let demo = Demo::start();
    let anna = demo.page("anna").await;
    anna.says(LIST).await;
    let send = anna.button("Отправить").await;
    // The same form five times is one event; five taps are five.
    let form = key();
    for _ in 0..5 {
        anna.sends(&send, &form).await;
    }
    for _ in 0..4 {
        anna.sends(&send, &key()).await;
    }
    anna.sees("отправлена").await;
    anna.is_told("уже отправлена").await;
    assert_eq!(demo.orders(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ones_own_is_refused_and_tells_nothing() {
    let demo = Demo::start();
    let (anna, guest) = (demo.page("anna").await, demo.page("guest").await);
    anna.says(LIST).await;
    anna.presses("Отправить").await;
    anna.sees("отправлена").await;
    // An administrator's number that is only typed opens nothing.
    guest.says("/start").await;
    guest.shares("+79000000003").await;
    guest.sees("Фамилия, имя и отчество").await;
    for data in
        ["order.show:1", "order.repeat:1", "draft.review:1", "staff.accept:1:1", "admin.show"]
    {
        guest.sends(data, &key()).await;
    }
    guest.says("/start o_1").await;
    guest.says("/admin").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let told = guest.text();
    for secret in ["Саморез", "Диван-М", "№ 10", "В работе"] {
        assert!(!told.contains(secret), "«{secret}» in:\n{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_at_every_step_loses_and_doubles_nothing() {
    let mut demo = Demo::start();
    let steps = ["list", "send", "accept"];
    for step in steps {
        {
            let (anna, maria) = (demo.page("anna").await, demo.page("maria").await);
            match step {
                "list" => anna.says(LIST).await,
                "send" => anna.presses("Отправить").await,
                _ => maria.presses("Принять").await,
            }
        }
        // Accepted, and perhaps not answered yet.
        demo = demo.crash();
        let (anna, maria) = (demo.page("anna").await, demo.page("maria").await);
        match step {
            "list" => anna.sees("Всё распознано").await,
            "send" => {
                anna.sees("отправлена").await;
                maria.sees("Новая · ").await;
            }
            _ => anna.sees("Принята").await,
        }
    }
    let anna = demo.page("anna").await;
    anna.sees("Принята").await;
    assert!(anna.held() <= 3, "{}", anna.text());
    assert_eq!(demo.orders(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_dropped_read_after_a_crash_and_ordered() {
    let rows: [&[&str]; 3] =
        [&["Товар", "Кол-во"], &["саморез 4х25 жёлтый", "4000"], &["скоба 80/10", "5"]];
    let table = super::buyer_talks::workbook(&[("Лист1", &rows)]);
    let demo = Demo::start();
    {
        let anna = demo.page("anna").await;
        anna.gives("заявка.xlsx", &table).await;
        anna.sees("Файл «заявка.xlsx»: 2 строки").await;
    }
    let demo = demo.crash();
    let anna = demo.page("anna").await;
    anna.presses("Да, распознать").await;
    anna.sees("2 позиции").await;
    anna.presses("Оформить").await;
    anna.presses("Отправить").await;
    anna.sees("отправлена").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_can_still_begin_after_an_order_has_come() {
    let demo = Demo::start();
    let anna = demo.page("anna").await;
    let maria = demo.page("maria").await;
    anna.says(LIST).await;
    anna.presses("Отправить").await;
    maria.sees("Принять").await;
    let page = || async {
        let address = format!("http://{}/chat/maria", demo.running.address);
        reqwest::get(address).await.expect("answers").text().await.expect("text")
    };
    assert!(page().await.contains("Начать"));
    maria.says("/start").await;
    maria.sees("Здравствуйте, Мария!").await;
    assert!(!page().await.contains("data-start"));
    assert!(maria.keys().contains("Новые"), "{}", maria.keys());
}
