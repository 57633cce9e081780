//! A fake server on a port of its own, over HTTP or over TLS with a private root.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use axum::serve::Listener;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::server::TlsStream;
use tokio_stream::StreamExt as _;

/// A server that ends with the test.
pub struct Server {
    pub address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub async fn http(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let serving = async move { axum::serve(listener, router).await.expect("serves") };
        Self { address, task: tokio::spawn(serving) }
    }

    /// Sends the leaf only, as some servers of the real hierarchy do.
    pub async fn tls(router: Router, leaf: Leaf) -> Self {
        let inner = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = inner.local_addr().expect("an address");
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![leaf.certificate], leaf.key.into())
            .expect("a certificate");
        let listener = TlsListener { inner, acceptor: TlsAcceptor::from(Arc::new(config)) };
        let serving = async move { axum::serve(listener, router).await.expect("serves") };
        Self { address, task: tokio::spawn(serving) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct TlsListener {
    inner: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.inner.accept().await else { continue };
            // A client that does not trust us breaks the handshake off.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.inner.local_addr()
    }
}

/// A private hierarchy as of the НУЦ: a root, a sub that issues, leaves.
pub struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    sub: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

pub struct Leaf {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Authority {
    pub fn new() -> Self {
        let key = || KeyPair::generate().expect("a key");
        let root = CertifiedIssuer::self_signed(authority("Test Root CA"), key()).expect("a root");
        let sub =
            CertifiedIssuer::signed_by(authority("Test Sub CA"), key(), &root).expect("a sub");
        Self { root, sub, folder: tempfile::tempdir().expect("a folder") }
    }

    /// A leaf for 127.0.0.1.
    pub fn leaf(&self) -> Leaf {
        self.issue(&leaf_params())
    }

    /// One that expired years ago.
    pub fn expired_leaf(&self) -> Leaf {
        let mut params = leaf_params();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        self.issue(&params)
    }

    fn issue(&self, params: &CertificateParams) -> Leaf {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.sub).expect("a leaf");
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Leaf { certificate: certificate.der().clone(), key }
    }

    /// A file with the root and the sub, as an operator makes it.
    pub fn bundle(&self) -> PathBuf {
        let path = self.folder.path().join("bundle.pem");
        std::fs::write(&path, format!("{}{}", self.root.pem(), self.sub.pem())).expect("written");
        path
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::<String>::new()).expect("params");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn leaf_params() -> CertificateParams {
    CertificateParams::new(["127.0.0.1".to_owned()]).expect("params")
}

/// What a fake answers in place of its usual answer.
#[derive(Debug, Clone)]
pub enum Scripted {
    /// A status with a JSON body and headers.
    Status(u16, String, Vec<(&'static str, String)>),
    /// 200 with this content type and body.
    Body(&'static str, String),
    /// 200, then bytes without end.
    Endless,
    /// 200, then half a body and the connection closed.
    Cut,
    /// Nothing at all, for ever.
    Silence,
}

impl Scripted {
    pub fn status(status: u16, body: &str) -> Self {
        Self::Status(status, body.to_owned(), Vec::new())
    }

    pub fn with_header(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Status(status, body, mut headers) => {
                headers.push((name, value.to_owned()));
                Self::Status(status, body, headers)
            }
            other => other,
        }
    }

    pub async fn respond(self) -> Response<Body> {
        match self {
            Self::Status(status, body, headers) => {
                let mut response = json(status, body);
                for (name, value) in headers {
                    let value = value.parse().expect("a header");
                    response.headers_mut().insert(name, value);
                }
                response
            }
            Self::Body(kind, body) => Response::builder()
                .header(header::CONTENT_TYPE, kind)
                .body(Body::from(body))
                .expect("a response"),
            Self::Endless => {
                let chunk = || Ok::<_, Infallible>(vec![b'a'; 64 * 1024]);
                Response::new(Body::from_stream(tokio_stream::iter(std::iter::repeat_with(chunk))))
            }
            Self::Cut => {
                let begun = Ok(b"{\"choices\":[{\"mess".to_vec());
                let broken = Err(std::io::Error::other("cut"));
                Response::new(Body::from_stream(tokio_stream::iter([begun, broken])))
            }
            Self::Silence => {
                let mut never = tokio_stream::pending::<()>();
                let _ = tokio::time::timeout(Duration::from_mins(1), never.next()).await;
                Response::new(Body::empty())
            }
        }
    }
}

pub fn json(status: u16, body: impl Into<Body>) -> Response<Body> {
    Response::builder()
        .status(StatusCode::from_u16(status).expect("a status"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into())
        .expect("a response")
}
