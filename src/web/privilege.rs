//! Loopback privilege: what this very machine may do without a token before there is an
//! administrator.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

use crate::config::Config;

/// Whether the request has the privilege: it comes from this machine, not through a proxy, the
/// program has no public address and no administrator yet.
pub fn loopback(peer: SocketAddr, headers: &HeaderMap, config: &Config, has_admin: bool) -> bool {
    let proxied = headers.keys().any(|name| {
        let name = name.as_str();
        name == "forwarded" || name == "via" || name.starts_with("x-forwarded-")
    });
    peer.ip().to_canonical().is_loopback()
        && !proxied
        && config.server.public_url.is_none()
        && !has_admin
}

/// Who sent the request: the peer, or the nearest one that no trusted proxy is.
pub fn client(peer: SocketAddr, headers: &HeaderMap, config: &Config) -> IpAddr {
    let trusted = |ip: &IpAddr| config.server.trusted_proxies.contains(ip);
    let mut at = peer.ip().to_canonical();
    let lists = headers.get_all("x-forwarded-for").iter().rev();
    // The last one is what our own proxy saw; those before an untrusted one anyone can write.
    for hop in lists.filter_map(|v| v.to_str().ok()).flat_map(|list| list.rsplit(',')) {
        if !trusted(&at) {
            break;
        }
        let Ok(next) = hop.trim().parse::<IpAddr>() else { break };
        at = next.to_canonical();
    }
    at
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn only_this_machine_without_proxy_address_or_administrator_is_privileged() {
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 5000));
        let config = Config::default();
        let none = HeaderMap::new();
        assert!(loopback(here, &none, &config, false));
        assert!(loopback(
            SocketAddr::from((Ipv4Addr::LOCALHOST.to_ipv6_mapped(), 1)),
            &none,
            &config,
            false
        ));
        assert!(loopback(SocketAddr::from((Ipv6Addr::LOCALHOST, 1)), &none, &config, false));
        assert!(!loopback(here, &none, &config, true));
        assert!(!loopback(SocketAddr::from(([192, 168, 1, 5], 1)), &none, &config, false));
        for name in ["x-forwarded-for", "x-forwarded-host", "forwarded", "via"] {
            let mut headers = HeaderMap::new();
            headers.insert(
                axum::http::HeaderName::from_static(name),
                axum::http::HeaderValue::from_static("127.0.0.1"),
            );
            assert!(!loopback(here, &headers, &config, false), "{name}");
        }
        let mut public = Config::default();
        public.server.public_url = Some("https://desk.example".to_owned());
        assert!(!loopback(here, &none, &public, false));
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let mut config = Config::default();
        let proxy = SocketAddr::from(([10, 0, 0, 1], 1));
        let headers = |list: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", list.parse().unwrap());
            headers
        };
        let forged = headers("1.1.1.1, 203.0.113.5");
        assert_eq!(client(proxy, &forged, &config), proxy.ip());
        config.server.trusted_proxies = vec![proxy.ip()];
        assert_eq!(client(proxy, &forged, &config).to_string(), "203.0.113.5");
        let chain = headers("1.1.1.1, 203.0.113.5, 10.0.0.1");
        assert_eq!(client(proxy, &chain, &config).to_string(), "203.0.113.5");
        assert_eq!(client(proxy, &headers("who"), &config), proxy.ip());
    }
}
