//! The one place that builds HTTP clients: time limits, the user agent, roots of trust, proxy.
//!
//! No client follows a redirect by itself: who wants to does it by hand and without credentials.
//! Verification of certificates is never switched off; a private root is added by file.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Proxy, Url, redirect};

pub use crate::config::trust::{RootsError, is_loopback, stays_private};

use crate::config::trust::roots;
use crate::domain::Timestamp;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("partner-m/", env!("CARGO_PKG_VERSION"));

/// What a client is to be like.
#[derive(Debug, Clone, Default)]
pub struct HttpOptions {
    /// For the whole request with its answer; `None`: the caller limits it.
    pub timeout: Option<Duration>,
    /// How long the other side may be silent; `None`: as long as it likes within `timeout`.
    pub read_timeout: Option<Duration>,
    /// A file with further roots of trust, PEM or DER; added to the built-in and system ones.
    pub ca_bundle: Option<PathBuf>,
    /// `socks5://` or `http://`; `None`: as the environment says (`HTTPS_PROXY`, `NO_PROXY`).
    pub proxy: Option<String>,
    /// Never through a proxy: the other side is this machine.
    pub direct: bool,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum HttpSetupError {
    /// The file with roots of trust is of no use.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// The address cannot be read.
    #[error("адрес «{0}» не читается: нужен http://… или https://…")]
    Address(String),
    /// Plain HTTP to the open network.
    #[error("адрес «{0}» — http без шифрования в открытую сеть: нужен https")]
    Plain(String),
    /// The HTTP library refused.
    #[error("HTTP-клиент не собран: {0}")]
    Library(String),
}

/// A client as the options say.
///
/// # Errors
///
/// [`HttpSetupError`], when the file with roots is of no use or the proxy cannot be read.
pub fn client(options: &HttpOptions) -> Result<Client, HttpSetupError> {
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::none())
        .referer(false);
    if let Some(timeout) = options.timeout {
        builder = builder.timeout(timeout);
    }
    if let Some(timeout) = options.read_timeout {
        builder = builder.read_timeout(timeout);
    }
    if let Some(path) = &options.ca_bundle {
        for certificate in roots(path)? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    if options.direct {
        builder = builder.no_proxy();
    } else if let Some(proxy) = &options.proxy {
        builder = builder.proxy(Proxy::all(proxy).map_err(|e| library(&e))?);
    }
    builder.build().map_err(|error| library(&error))
}

fn library(error: &reqwest::Error) -> HttpSetupError {
    HttpSetupError::Library(causes(error))
}

/// Reads an address and joins a path to it, whether or not it ends with a slash.
pub fn join(base: &str, path: &str) -> Result<Url, HttpSetupError> {
    let wrong = || HttpSetupError::Address(base.to_owned());
    let mut url = Url::parse(base.trim()).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong());
    }
    if !path.is_empty() {
        let joined = format!("{}/{path}", url.path().trim_end_matches('/'));
        url.set_path(&joined);
    }
    Ok(url)
}

/// Why a request got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The certificate leads to no root that we trust.
    UntrustedRoot,
    /// The certificate has expired or is not valid yet.
    Expired,
    /// The certificate is for another name.
    WrongName,
    /// Another fault of TLS.
    Tls,
    /// The name is unknown.
    Name,
    /// Nobody listens there, or no way leads there.
    Connect,
    /// No answer in time.
    Timeout,
    /// The connection broke.
    Broken,
}

/// Tells the faults of the network apart; the text is the causes without the address, which may
/// hold a secret.
pub fn failure(error: reqwest::Error) -> (Failure, String) {
    let timeout = error.is_timeout();
    let connect = error.is_connect();
    let text = causes(&error.without_url());
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let failure = if has(&["UnknownIssuer", "unable to get local issuer", "CaUsedAsEndEntity"]) {
        Failure::UntrustedRoot
    } else if has(&["certificate expired", "Expired", "certificate not valid yet", "NotValidYet"]) {
        Failure::Expired
    } else if has(&["NotValidForName", "not valid for name"]) {
        Failure::WrongName
    } else if has(&["invalid peer certificate", "received fatal alert", "InvalidMessage"]) {
        Failure::Tls
    } else if has(&["dns error", "failed to lookup address"]) {
        Failure::Name
    } else if timeout {
        Failure::Timeout
    } else if connect {
        Failure::Connect
    } else {
        Failure::Broken
    };
    (failure, text)
}

/// The error with all that caused it, on one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// How a body ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Body {
    /// The whole of it.
    Whole(Vec<u8>),
    /// It is longer than the limit; the rest was not read.
    TooLong,
}

/// Reads a body up to the limit, counted after decompression.
pub async fn body(mut response: reqwest::Response, limit: usize) -> Result<Body, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > limit {
            return Ok(Body::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Body::Whole(bytes))
}

/// How long the other side asks to wait: `retry-after-ms`, `Retry-After` in seconds or as a date,
/// or `x-ratelimit-reset-requests: 1s`.
///
/// Source: RFC 9110, 10.2.3 <https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>;
/// OpenAI, rate limits <https://platform.openai.com/docs/guides/rate-limits>.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(millis) = text("retry-after-ms").and_then(|t| t.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(millis / 1_000.0).ok();
    }
    if let Some(value) = text(RETRY_AFTER.as_str()) {
        if let Ok(seconds) = value.parse::<f64>() {
            return Duration::try_from_secs_f64(seconds).ok();
        }
        let date = jiff::fmt::rfc2822::parse(value).ok()?;
        let at = Timestamp::from_millis(date.timestamp().as_millisecond());
        return Some(at.since(now));
    }
    let reset = text("x-ratelimit-reset-requests")?;
    let (number, unit) = reset.split_at(reset.find(|c: char| c.is_ascii_alphabetic())?);
    let number: f64 = number.parse().ok()?;
    let seconds = match unit {
        "ms" => number / 1_000.0,
        "s" => number,
        "m" => number * 60.0,
        _ => return None, // «6m0s»: too long to wait for anyway
    };
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_joined_with_and_without_a_slash() {
        for base in ["https://api.giga.chat/v1", "https://api.giga.chat/v1/"] {
            let url = join(base, "chat/completions").expect("joined");
            assert_eq!(url.as_str(), "https://api.giga.chat/v1/chat/completions");
        }
        assert!(join("file:///etc/passwd", "x").is_err());
        assert!(join("api.openai.com", "x").is_err());
    }

    #[test]
    fn the_wait_is_read_in_every_form() {
        let now = Timestamp::from_millis(1_795_532_400_000); // Tue, 24 Nov 2026 15:00:00 GMT
        let wait = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a value"));
            retry_after(&headers, now)
        };
        assert_eq!(wait("retry-after", "3"), Some(Duration::from_secs(3)));
        assert_eq!(wait("retry-after-ms", "250"), Some(Duration::from_millis(250)));
        let date = wait("retry-after", "Tue, 24 Nov 2026 15:00:20 GMT");
        assert_eq!(date, Some(Duration::from_secs(20)));
        assert_eq!(wait("x-ratelimit-reset-requests", "1.5s"), Some(Duration::from_millis(1_500)));
        assert_eq!(wait("retry-after", "soon"), None);
        assert_eq!(wait("retry-after", "-1"), None);
    }

    #[test]
    fn a_file_without_certificates_is_refused_by_name() {
        let dir = tempfile::tempdir().expect("a folder");
        for (name, text) in [
            ("garbage.pem", "-----BEGIN CERTIFICATE-----\n@@@\n-----END CERTIFICATE-----\n"),
            ("page.pem", "<html>Not found</html>"),
            ("empty.pem", ""),
            ("half.der", "0\u{3}\u{1}"),
        ] {
            let path = dir.path().join(name);
            std::fs::write(&path, text).expect("written");
            let options = HttpOptions { ca_bundle: Some(path), ..HttpOptions::default() };
            let refused = client(&options).expect_err(name).to_string();
            assert!(refused.contains(name), "{refused}");
        }
        let absent = HttpOptions { ca_bundle: Some("/nowhere.pem".into()), ..Default::default() };
        assert!(matches!(
            client(&absent),
            Err(HttpSetupError::Roots(RootsError::Unreadable { .. }))
        ));
    }
}
