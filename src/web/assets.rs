//! What pages are made of besides HTML: inside the binary, a hash in the address.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};
use sha2::{Digest, Sha256};

#[derive(Embed)]
#[folder = "assets/web/"]
struct Assets;

/// One hash over everything: an address with another one is not cached.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut sum = Sha256::new();
    for name in Assets::iter() {
        sum.update(name.as_bytes());
        if let Some(file) = Assets::get(&name) {
            sum.update(file.metadata.sha256_hash());
        }
    }
    hex(&sum.finalize()[..6])
});

/// The address of an asset: `/assets/{hash}/app.css`.
pub fn url(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

/// `GET /assets/{hash}/{name}`
pub async fn serve(Path((version, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(file) = Assets::get(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let etag = format!("\"{}\"", hex(&file.metadata.sha256_hash()[..8]));
    // Debug builds read the disk: there a page must see what has just been edited.
    let fresh = version == *VERSION && !cfg!(debug_assertions);
    let cache = if fresh { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == etag.as_bytes());
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { body(&name, file) };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

/// `GET /favicon.ico`: browsers ask for it whatever a page says.
pub async fn favicon() -> Response {
    Assets::get("mark.svg")
        .map_or_else(|| StatusCode::NOT_FOUND.into_response(), |file| body("mark.svg", file))
}

fn body(name: &str, file: EmbeddedFile) -> Response {
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    ([(header::CONTENT_TYPE, kind)], file.data.into_owned()).into_response()
}

/// Hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_asset_is_known_by_its_tag_and_nothing_else_is_served() {
        let get = |name: &str, headers| serve(Path((VERSION.clone(), name.to_owned())), headers);
        let response = get("app.css", HeaderMap::new()).await;
        assert_eq!(response.status(), StatusCode::OK);
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, response.headers()[header::ETAG].clone());
        assert_eq!(get("app.css", headers).await.status(), StatusCode::NOT_MODIFIED);
        for name in ["../Cargo.toml", "%2e%2e/Cargo.toml", "absent.css", ""] {
            assert_eq!(get(name, HeaderMap::new()).await.status(), StatusCode::NOT_FOUND, "{name}");
        }
    }

    #[test]
    fn scripts_and_styles_stay_small() {
        use std::io::Write as _;
        let size = |suffix: &str| -> usize {
            let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            for name in Assets::iter().filter(|name| name.ends_with(suffix)) {
                let file = Assets::get(&name).expect("it is listed");
                zip.write_all(&file.data).expect("memory");
            }
            zip.finish().expect("memory").len()
        };
        assert!(size(".js") < 60 * 1024, "{} bytes of scripts", size(".js"));
        assert!(size(".css") < 30 * 1024, "{} bytes of styles", size(".css"));
    }
}
