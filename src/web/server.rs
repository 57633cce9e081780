//! Connections: how many at once, in all and from one address, how long a request's head may take,
//! a stop that lets running requests end.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::debug;

use super::wire::{Course, HEAD_MAX, HEAD_WITHIN, HeadTimer, Wire};
use crate::config::Config;

/// Connections at one time; more wait in the system's queue.
const CONNECTIONS: usize = 1_024;
/// Of these, connections from one address; more are closed at once. A browser opens six.
const FROM_ONE: usize = 64;
/// With fewer places left than this, who comes has to say quickly what for.
const FEW: usize = CONNECTIONS / 4;
/// That quickly.
const HURRIED: Duration = Duration::from_secs(5);
/// A pause after the system had no connection for us: it is out of files.
const BREATH: Duration = Duration::from_millis(200);

/// Proxies in front of us: through one come the connections of many.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    named: Vec<IpAddr>,
    /// Whether what comes from this machine comes from a proxy.
    here: bool,
}

impl Proxies {
    /// Those of the settings; with a public address there is one on this machine, named or not.
    pub fn of(config: &Config) -> Self {
        let server = &config.server;
        Self { named: server.trusted_proxies.clone(), here: server.public_url.is_some() }
    }

    fn has(&self, peer: IpAddr) -> bool {
        self.named.iter().any(|named| named.to_canonical() == peer)
            || self.here && peer.is_loopback()
    }
}

/// How many connections each address has.
#[derive(Clone, Default)]
struct Shares(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Shares {
    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more for the address; `None`: it has all that it may have.
    fn take(&self, peer: IpAddr) -> Option<Share> {
        let of = network(peer);
        let mut counts = self.counts();
        let count = counts.entry(of).or_default();
        if *count >= FROM_ONE {
            return None;
        }
        *count += 1;
        Some(Share { shares: self.clone(), of })
    }
}

/// A connection of an address, counted until it is dropped.
struct Share {
    shares: Shares,
    of: IpAddr,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut counts = self.shares.counts();
        if let Some(count) = counts.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.of);
            }
        }
    }
}

/// What belongs to one: an address, of IPv6 the network, which every home has to itself.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

/// Serves the routes until told to stop; requests that have begun then are answered.
pub async fn serve_router(
    listener: TcpListener,
    router: Router,
    proxies: Proxies,
    stop: CancellationToken,
) -> io::Result<()> {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let shares = Shares::default();
    loop {
        let accepted = tokio::select! {
            accepted = async {
                let place = places.clone().acquire_owned().await;
                (place, listener.accept().await)
            } => accepted,
            () = stop.cancelled() => break,
        };
        let (place, (stream, peer)) = match accepted {
            (place, Ok(accepted)) => (place, accepted),
            (_, Err(error)) => {
                debug!("соединение не принято: {error}");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let address = peer.ip().to_canonical();
        let share = if proxies.has(address) {
            None
        } else if let Some(share) = shares.take(address) {
            Some(share)
        } else {
            debug!("соединение закрыто: с этого адреса их уже {FROM_ONE}");
            continue;
        };
        let within = if places.available_permits() < FEW { HURRIED } else { HEAD_WITHIN };
        let (router, stop) = (router.clone(), stop.clone());
        #[expect(clippy::disallowed_methods, reason = "a connection's end is no news to anyone")]
        connections.spawn(async move {
            // A panic in a handler is caught by the router's own layer.
            let _place = (place, share);
            serve_connection(stream, peer, router, within, stop).await;
        });
    }
    connections.close();
    connections.wait().await;
    Ok(())
}

async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    within: Duration,
    stop: CancellationToken,
) {
    // Answers are small: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let course = Course::within(within);
    let (timer, wire) = (HeadTimer(course.clone()), Wire::new(stream, course.clone()));
    let service = service_fn(move |request: Request<Incoming>| {
        course.asked(request.body().size_hint().exact());
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(course.clone());
        let router = router.clone();
        async move { router.oneshot(request).await.map_err(|never: Infallible| never) }
    });
    let mut settings = http1::Builder::new();
    settings.timer(timer).header_read_timeout(within).max_buf_size(HEAD_MAX);
    let mut connection = pin!(settings.serve_connection(TokioIo::new(wire), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!("соединение закрыто: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_has_its_share_and_gives_it_back() {
        let shares = Shares::default();
        let of = |text: &str| text.parse::<IpAddr>().expect("an address");
        let mut held: Vec<_> = (0..FROM_ONE).map(|_| shares.take(of("2001:db8::1"))).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(shares.take(of("2001:db8::ffff")).is_none(), "the same network");
        assert!(shares.take(of("2001:db8:0:1::1")).is_some(), "another one");
        let four: Vec<_> = (0..FROM_ONE).map(|_| shares.take(of("::ffff:10.0.0.1"))).collect();
        assert!(shares.take(of("10.0.0.1")).is_none(), "the same address");
        assert!(shares.take(of("10.0.0.2")).is_some());
        drop(held.pop());
        assert!(shares.take(of("2001:db8::2")).is_some(), "a place is free again");
        drop((held, four));
        assert!(shares.counts().is_empty(), "nothing is kept of who has gone");
    }

    #[test]
    fn proxies_are_those_of_the_settings() {
        let of = |text: &str| text.parse::<IpAddr>().expect("an address");
        let mut config = Config::default();
        assert!(!Proxies::of(&config).has(of("127.0.0.1")));
        config.server.trusted_proxies = vec![of("10.0.0.2")];
        assert!(Proxies::of(&config).has(of("10.0.0.2")));
        assert!(!Proxies::of(&config).has(of("127.0.0.1")));
        config.server.public_url = Some("https://shop.example".to_owned());
        assert!(Proxies::of(&config).has(of("::1")));
        assert!(!Proxies::of(&config).has(of("10.0.0.3")));
    }
}
