//! A headless Chromium, driven by its driver.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::http::Method;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use reqwest::Url;
use serde_json::{Value, json};

/// What a page that did not come to what was waited for looks like: its end, its toasts, its streams.
const SEEN: &str = "return {
    address: location.href, state: document.readyState,
    text: document.body.innerText.slice(-1500),
    toasts: document.querySelector('#toasts')?.innerText,
    revisions: [...document.querySelectorAll('[data-revision]')].map((e) => e.dataset.revision),
    fetched: performance.getEntriesByType('resource').map((e) => `${e.name} ${e.responseStatus}`),
}";

/// A browser of our own; it ends with the test.
pub struct Chrome {
    pub client: Client,
    driver: Child,
    _profile: tempfile::TempDir,
}

/// How a page is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
}

/// Every width that the panel is made for, in both themes.
pub fn looks() -> Vec<Look> {
    let sizes = [(360, 740), (768, 1024), (1440, 900)];
    let both = sizes.map(|(width, height)| [false, true].map(|dark| Look { width, height, dark }));
    both.concat()
}

/// Chromium's driver, or `None` with a word of it. In CI its absence is a failure.
pub fn find() -> Option<PathBuf> {
    let found = std::env::var_os("PATH").into_iter().flat_map(|path| {
        std::env::split_paths(&path).map(|dir| dir.join("chromedriver")).collect::<Vec<_>>()
    });
    let found = found.into_iter().find(|path| path.is_file());
    if found.is_none() {
        let words = "chromedriver is not installed: the browser tests are NOT run";
        assert!(std::env::var_os("CI").is_none(), "{words}");
        eprintln!("{words}");
    }
    found
}

#[derive(Debug)]
struct Raw {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Raw {
    fn endpoint(
        &self,
        base: &Url,
        session: Option<&str>,
    ) -> Result<Url, <Url as std::str::FromStr>::Err> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

impl Chrome {
    pub async fn start() -> Option<Self> {
        let driver = find()?;
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let lines = BufReader::new(driver.stdout.take().expect("it is piped")).lines();
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, rest) = line.split_once("started successfully on port ")?;
                rest.trim_end_matches('.').parse::<u16>().ok()
            })
            .expect("chromedriver says its port");
        let profile = tempfile::tempdir().expect("a temporary folder");
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let capabilities = capabilities.as_object().expect("an object").clone();
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a browser");
        Some(Self { client, driver, _profile: profile })
    }

    async fn raw(&self, path: &'static str, body: Value) -> Value {
        self.client.issue_cmd(Raw { path, body }).await.expect("chromedriver answers")
    }

    async fn devtools(&self, command: &str, parameters: Value) {
        self.raw("goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await;
    }

    /// From now on the window is this wide and the system this dark.
    pub async fn look(&self, look: Look) {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({
                "width": look.width, "height": look.height, "deviceScaleFactor": 1,
                "mobile": look.width < 720,
            }),
        )
        .await;
        let scheme = if look.dark { "dark" } else { "light" };
        self.devtools(
            "Emulation.setEmulatedMedia",
            json!({ "features": [
                { "name": "prefers-color-scheme", "value": scheme },
                { "name": "prefers-reduced-motion", "value": "reduce" },
            ] }),
        )
        .await;
    }

    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.expect("the page opens");
    }

    pub async fn screenshot(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("a picture")
    }

    /// What the console has complained about since the last call.
    pub async fn complaints(&self) -> Vec<String> {
        let entries = self.raw("se/log", json!({ "type": "browser" })).await;
        let entries = entries.as_array().cloned().unwrap_or_default();
        let bad =
            entries.iter().filter(|entry| entry["level"] != "INFO" && entry["level"] != "DEBUG");
        bad.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Violations of WCAG 2.2 AA on the page as it is: rule, element, why. `None` without axe.
    pub async fn violations(&self) -> Option<Vec<String>> {
        let axe = axe()?;
        self.client.execute(&axe, Vec::new()).await.expect("axe loads");
        let found = self
            .client
            .execute_async(
                "const done = arguments[arguments.length - 1];
                 axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa',
                   'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
                   .then((r) => done(r.violations.flatMap((v) => v.nodes.map((n) =>
                     `${v.id}: ${n.target.join(' ')}: ${n.failureSummary.split('\\n')[1] || ''}`))));",
                Vec::new(),
            )
            .await
            .expect("axe runs");
        let found = found.as_array().cloned().unwrap_or_default();
        Some(found.iter().map(|v| v.as_str().unwrap_or_default().to_owned()).collect())
    }

    /// Presses these keys together, wherever the focus is.
    pub async fn keys(&self, keys: &[char]) {
        let down = keys.iter().map(|value| KeyAction::Down { value: *value });
        let up = keys.iter().rev().map(|value| KeyAction::Up { value: *value });
        let keys = KeyActions::new("keys".to_owned());
        let pressed = down.chain(up).fold(keys, InputSource::then);
        self.client.perform_actions(pressed).await.expect("pressed");
    }

    /// How much wider the page is than its window.
    pub async fn overflow(&self) -> i64 {
        let script =
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        self.client.execute(script, Vec::new()).await.ok().and_then(|v| v.as_i64()).unwrap_or(-1)
    }

    /// The element, once it is there.
    pub async fn wait(&self, css: &str) -> fantoccini::elements::Element {
        let wait = self.client.wait().at_most(Duration::from_secs(10));
        wait.for_element(Locator::Css(css)).await.unwrap_or_else(|e| panic!("no {css}: {e}"))
    }

    /// Waits until the script answers `true`.
    pub async fn until(&self, script: &str) {
        for _ in 0..100 {
            let answer = self.client.execute(&format!("return {script}"), Vec::new()).await;
            if answer.is_ok_and(|answer| answer == json!(true)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let seen = self.client.execute(SEEN, Vec::new()).await.unwrap_or_default();
        panic!("never true: {script}\n{seen:#}");
    }

    pub async fn stop(mut self) {
        let _ = self.client.clone().close().await;
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Drop for Chrome {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// axe-core: `$AXE_CORE`, or what `.ci/run` puts into `target/axe`.
fn axe() -> Option<String> {
    let path = std::env::var_os("AXE_CORE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/axe/axe.min.js"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        let words = format!("{} is absent: accessibility is NOT checked", path.display());
        assert!(std::env::var_os("CI").is_none(), "{words}");
        eprintln!("{words}");
    }
    text
}
