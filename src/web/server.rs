//! Connections: how many at once, how long a request's head may take, a stop that lets running
//! requests end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
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

/// Connections at one time; more wait in the system's queue.
const CONNECTIONS: usize = 1_024;
/// A pause after the system had no connection for us: it is out of files.
const BREATH: Duration = Duration::from_millis(200);

/// Serves the routes until told to stop; requests that have begun then are answered.
pub async fn serve_router(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
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
        let (router, stop) = (router.clone(), stop.clone());
        #[expect(clippy::disallowed_methods, reason = "a connection's end is no news to anyone")]
        connections.spawn(async move {
            // A panic in a handler is caught by the router's own layer.
            let _place = place;
            serve_connection(stream, peer, router, stop).await;
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
    stop: CancellationToken,
) {
    // Answers are small: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let course = Course::default();
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
    settings.timer(timer).header_read_timeout(HEAD_WITHIN).max_buf_size(HEAD_MAX);
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
