//! Which servers are trusted: by roots in files, and where plain HTTP may go.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use reqwest::{Certificate, Client, Url};

use super::io_reason;

/// Why a file with roots of trust is of no use.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// It cannot be read.
    #[error("файл сертификатов {} не читается: {}", path.display(), io_reason(source))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It has no certificate in it.
    #[error("в файле {} нет ни одного сертификата: нужен PEM (-----BEGIN CERTIFICATE-----) или DER", .0.display())]
    NoCertificate(PathBuf),
}

/// The certificates of a file: PEM with any number of them, or one in DER.
///
/// # Errors
///
/// [`RootsError`]
pub fn roots(path: &Path) -> Result<Vec<Certificate>, RootsError> {
    let sound: Vec<_> = written(path)?.into_iter().filter(is_sound).collect();
    if sound.is_empty() { Err(RootsError::NoCertificate(path.to_owned())) } else { Ok(sound) }
}

/// Whether a file has a certificate: less work than to read them all.
///
/// # Errors
///
/// [`RootsError`]
pub fn check_roots(path: &Path) -> Result<(), RootsError> {
    let sound = written(path)?.iter().any(is_sound);
    if sound { Ok(()) } else { Err(RootsError::NoCertificate(path.to_owned())) }
}

fn written(path: &Path) -> Result<Vec<Certificate>, RootsError> {
    let bytes = std::fs::read(path)
        .map_err(|source| RootsError::Unreadable { path: path.to_owned(), source })?;
    let pem = bytes.windows(10).any(|w| w == b"-----BEGIN");
    Ok(if pem {
        // Answers Ok with none for garbage: who asks looks for emptiness.
        Certificate::from_pem_bundle(&bytes).unwrap_or_default()
    } else if bytes.first() == Some(&0x30) {
        Certificate::from_der(&bytes).into_iter().collect()
    } else {
        Vec::new()
    })
}

/// A DER that is none is noticed only when a client is built of it. Without the built-in roots,
/// which take a while to load.
fn is_sound(certificate: &Certificate) -> bool {
    let alone = Client::builder().tls_built_in_root_certs(false);
    alone.add_root_certificate(certificate.clone()).build().is_ok()
}

/// Whether the address is this machine.
pub fn is_loopback(url: &Url) -> bool {
    match host(url) {
        Some(Host::Ip(ip)) => ip.is_loopback(),
        Some(Host::Name(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Whether what is sent there stays private: https, or plain HTTP to this machine, to a private
/// address or to a name without a dot (`http://ollama:11434`).
pub fn stays_private(url: &Url) -> bool {
    if url.scheme() == "https" || is_loopback(url) {
        return true;
    }
    match host(url) {
        Some(Host::Ip(ip)) => private(ip),
        Some(Host::Name(name)) => !name.contains('.'),
        None => false,
    }
}

enum Host<'a> {
    Ip(IpAddr),
    Name(&'a str),
}

fn host(url: &Url) -> Option<Host<'_>> {
    let text = url.host_str()?; // lower case; an IPv6 address is in brackets
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    Some(bare.parse().map_or_else(|_| Host::Name(text.trim_end_matches('.')), Host::Ip))
}

fn private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("an address")
    }

    #[test]
    fn plain_http_is_private_only_nearby() {
        for near in [
            "https://example.com",
            "http://127.0.0.1:11434/v1",
            "http://[::1]:1",
            "http://localhost:1",
            "http://ollama:11434/v1",
            "http://192.168.1.5",
            "http://10.0.0.1",
        ] {
            assert!(stays_private(&url(near)), "{near}");
        }
        for far in ["http://example.com/v1", "http://8.8.8.8", "http://ollama.example:11434"] {
            assert!(!stays_private(&url(far)), "{far}");
        }
    }
}
