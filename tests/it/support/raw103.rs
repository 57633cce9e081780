//! The connection of a 10.3 as it is on the wire: one for the whole session, addresses written as
//! they are, answers with a length.

use std::net::SocketAddr;

use base64::Engine as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::ut103::{LOGIN, PASSWORD};

pub struct Raw103 {
    stream: TcpStream,
    cookie: String,
}

/// An answer: its status and its text, as a Russian Windows reads it.
pub type Answered = (u16, String);

impl Raw103 {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("connects");
        Self { stream, cookie: String::new() }
    }

    /// The same session over a new connection.
    pub async fn again(self, address: SocketAddr) -> Self {
        Self { cookie: self.cookie, ..Self::connect(address).await }
    }

    /// A request as 10.3 writes it; the query is bytes.
    pub fn request(&self, verb: &str, query: &[u8], body: &[u8]) -> Vec<u8> {
        let key = base64::engine::general_purpose::STANDARD.encode(format!("{LOGIN}:{PASSWORD}"));
        let mut request = format!("{verb} /1c_exchange?").into_bytes();
        request.extend_from_slice(query);
        let head = format!(
            " HTTP/1.1\r\nHost: 10.0.0.5\r\nUser-Agent: 1C+Enterprise/8.2\r\nAccept: */*\r\n\
             Authorization: Basic {key}\r\n{}",
            self.cookie
        );
        request.extend(head.bytes());
        if verb == "POST" {
            request.extend(format!("Content-Length: {}\r\n", body.len()).bytes());
        }
        request.extend(b"\r\n");
        request.extend_from_slice(body);
        request
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the connection is there");
    }

    /// All that comes until the server closes the connection.
    pub async fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // It may be reset: what had come before counts.
        let _ = self.stream.read_to_end(&mut rest).await;
        rest
    }

    /// Whether the server has closed the connection.
    pub async fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]).await, Ok(0) | Err(_))
    }

    /// The next answer: one with a length, on a connection that stays.
    pub async fn answer(&mut self) -> Answered {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await.expect("an answer"));
        }
        let head = String::from_utf8(head).expect("ASCII").to_lowercase();
        assert!(
            !head.contains("transfer-encoding") && !head.contains("connection: close"),
            "{head}"
        );
        let status = head.strip_prefix("http/1.1 ").and_then(|rest| rest.get(..3));
        let status = status.and_then(|text| text.parse().ok()).expect("a status");
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next());
        let mut body = vec![0; length.expect("a length").parse().expect("a number")];
        self.stream.read_exact(&mut body).await.expect("the whole answer");
        (status, encoding_rs::WINDOWS_1251.decode(&body).0.into_owned())
    }

    pub async fn get(&mut self, query: &[u8]) -> Answered {
        let request = self.request("GET", query, b"");
        self.send(&request).await;
        self.answer().await
    }

    pub async fn post(&mut self, query: &[u8], body: &[u8]) -> Answered {
        let request = self.request("POST", query, body);
        self.send(&request).await;
        self.answer().await
    }

    /// `checkauth`, then `init` where goods are exchanged.
    pub async fn enter(&mut self, kind: &str) {
        let (_, text) = self.get(format!("type={kind}&mode=checkauth").as_bytes()).await;
        let lines: Vec<&str> = text.split('\n').collect();
        assert_eq!(lines[0], "success", "{text}");
        self.cookie = format!("Cookie: {}={}\r\n", lines[1], lines[2]);
        if kind == "catalog" {
            let (_, text) = self.get(b"type=catalog&mode=init").await;
            assert_eq!(text, "zip=no\nfile_limit=67108864");
        }
    }
}

/// A text in the code page of Windows, as 10.3 puts it into an address.
pub fn windows(text: &str) -> Vec<u8> {
    encoding_rs::WINDOWS_1251.encode(text).0.into_owned()
}
