//! The panel of a running program, asked over the wire.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An HTTP request to a program that may die at any moment: the status and the whole answer, or
/// `None` when no status came.
pub fn ask(address: SocketAddr, head: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let request = format!(
        "{head}\r\nHost: 127.0.0.1:{}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        address.port(),
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer))
}

/// A session in the panel: the cookie and the token of its forms.
#[derive(Clone)]
pub struct Session {
    cookie: String,
    csrf: String,
}

fn hidden(page: &str) -> Option<String> {
    let (_, after) = page.split_once("name=\"csrf\" value=\"")?;
    after.split('"').next().map(str::to_owned)
}

fn cookie(answer: &str) -> Option<String> {
    let line = answer.lines().find(|line| line.to_lowercase().starts_with("set-cookie:"))?;
    line.split_once(':')?.1.split(';').next().map(|cookie| cookie.trim().to_owned())
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |coded, byte| coded + &format!("%{byte:02X}"))
}

impl Session {
    /// Signs in with this phone, percent-encoded, and password.
    pub fn open(address: SocketAddr, phone: &str, password: &str) -> Self {
        let (_, page) = ask(address, "GET /admin/login HTTP/1.1", "").expect("a login page");
        let (cookie_before, csrf) =
            (cookie(&page).expect("a cookie"), hidden(&page).expect("a token"));
        let form = format!("csrf={csrf}&phone={phone}&password={}&next=", percent(password));
        let (status, answer) =
            ask(address, &post_head("/admin/login", &cookie_before), &form).expect("an answer");
        assert_eq!(status, 303, "{answer}");
        let cookie = cookie(&answer).expect("a session");
        let mut session = Self { cookie, csrf: String::new() };
        session.refresh(address).expect("the panel");
        session
    }

    /// Learns the token of the forms anew.
    pub fn refresh(&mut self, address: SocketAddr) -> Option<()> {
        self.csrf = hidden(&self.get(address, "/admin")?.1)?;
        Some(())
    }

    /// A page; like [`ask`].
    pub fn get(&self, address: SocketAddr, path: &str) -> Option<(u16, String)> {
        ask(address, &format!("GET {path} HTTP/1.1\r\nCookie: {}", self.cookie), "")
    }

    /// Sends a form; like [`ask`].
    pub fn post(&self, address: SocketAddr, path: &str, form: &str) -> Option<(u16, String)> {
        ask(address, &post_head(path, &self.cookie), &format!("csrf={}&{form}", self.csrf))
    }
}

fn post_head(path: &str, cookie: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nCookie: {cookie}\r\nContent-Type: application/x-www-form-urlencoded"
    )
}
