//! The bytes of a connection before the HTTP parser has them: an address in a request may hold what
//! addresses may not, and who has been let in may be silent between requests.
//!
//! 1C writes `filename=` as it is: Cyrillic letters in the code page of Windows, blanks. The parser
//! takes an address only in UTF-8 and without blanks, and answers 400 before our code is asked; so
//! request lines are put right on their way. Where one begins is known without reading HTTP twice:
//! what follows a head is held until the parser has said how long the body is. After a body of
//! unknown length bytes pass as they are.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::Extensions;
use hyper::rt::{Sleep, Timer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// The head of a request has to arrive within this time; so long a connection may idle, too.
pub const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// The head of a request, in bytes: the order text of a search is in its address.
pub const HEAD_MAX: usize = 64 * 1024;
/// How long may idle who has been let in as 1C: it writes documents between `query` and `success`.
pub const ONEC_IDLE: Duration = Duration::from_mins(15);

/// Where a connection stands. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Course(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    stage: Stage,
    /// How long a head may take.
    within: Duration,
    /// When the head that is on its way began.
    begun: Option<Instant>,
    /// Whether 1C has been let in.
    onec: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// A request line comes, or nothing yet.
    #[default]
    Line,
    /// The fields of the head come.
    Fields,
    /// The head has been handed on; how long its body is will be told.
    Asked,
    /// So many bytes of the body are still to come.
    Body(u64),
    /// Where requests begin is not known any more.
    Raw,
}

impl Default for State {
    fn default() -> Self {
        Self { stage: Stage::default(), within: HEAD_WITHIN, begun: None, onec: false }
    }
}

impl Course {
    /// The course of a connection whose heads have to arrive within this time.
    pub fn within(within: Duration) -> Self {
        Self(Arc::new(Mutex::new(State { within, ..State::default() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The parser has understood a head: its body has so many bytes; `None`: nobody knows.
    pub fn asked(&self, body: Option<u64>) {
        let mut state = self.state();
        state.begun = None;
        state.stage = match (state.stage, body) {
            (Stage::Asked, Some(0)) => Stage::Line,
            (Stage::Asked, Some(bytes)) => Stage::Body(bytes),
            _ => Stage::Raw,
        };
    }

    /// Notes on the connection of a request that 1C has been let in.
    pub fn onec_is_in(request: &Extensions) {
        if let Some(course) = request.get::<Self>() {
            course.state().onec = true;
        }
    }

    /// Until when a head is waited for that has been waited for since then.
    fn head_until(&self, since: Instant) -> Instant {
        let state = self.state();
        match state.begun {
            Some(begun) => begun.max(since) + state.within,
            None if state.onec => since + ONEC_IDLE,
            None => since + state.within,
        }
    }
}

/// A connection whose request lines are put right.
pub struct Wire<S> {
    stream: S,
    course: Course,
    /// What has come and is not to be handed on yet.
    held: Vec<u8>,
    /// What is to be handed on.
    out: Vec<u8>,
}

impl<S> Wire<S> {
    /// Over a stream.
    pub fn new(stream: S, course: Course) -> Self {
        Self { stream, course, held: Vec::new(), out: Vec::new() }
    }

    /// Moves what may be handed on.
    fn sort(&mut self) {
        let mut state = self.course.state();
        while !self.held.is_empty() {
            match state.stage {
                Stage::Line | Stage::Fields => {
                    if state.begun.is_none() {
                        state.begun = Some(Instant::now());
                    }
                    let Some(end) = self.held.iter().position(|byte| *byte == b'\n') else {
                        if self.held.len() <= HEAD_MAX {
                            return;
                        }
                        // The parser says how it is too long.
                        state.stage = Stage::Raw;
                        continue;
                    };
                    let line = self.held.drain(..=end);
                    let blank = matches!(line.as_slice(), b"\n" | b"\r\n");
                    state.stage = match (state.stage, blank) {
                        (Stage::Line, false) => {
                            put_right(line.as_slice(), &mut self.out);
                            Stage::Fields
                        }
                        (stage, blank) => {
                            self.out.extend_from_slice(line.as_slice());
                            if stage == Stage::Fields && blank { Stage::Asked } else { stage }
                        }
                    };
                }
                Stage::Asked if !self.out.is_empty() => return,
                // The parser wants more than the head that we saw: it knows better.
                Stage::Asked => state.stage = Stage::Raw,
                Stage::Body(left) => {
                    let bytes = usize::try_from(left)
                        .map_or(self.held.len(), |left| left.min(self.held.len()));
                    self.out.extend_from_slice(&self.held[..bytes]);
                    self.held.drain(..bytes);
                    let left = left - bytes as u64;
                    state.stage = if left == 0 { Stage::Line } else { Stage::Body(left) };
                }
                Stage::Raw => self.out.append(&mut self.held),
            }
        }
    }
}

/// A request line with its address as addresses are written.
fn put_right(line: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let first = line.iter().position(|byte| *byte == b' ');
    let last = line.iter().rposition(|byte| *byte == b' ');
    let (Some(first), Some(last)) = (first, last) else { return out.extend_from_slice(line) };
    if first == last || !line[last..].starts_with(b" HTTP/1.") {
        return out.extend_from_slice(line);
    }
    out.extend_from_slice(&line[..=first]);
    for byte in &line[first + 1..last] {
        match byte {
            b' ' | b'"' | b'#' | b'<' | b'>' | 0x80.. => {
                out.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            _ => out.push(*byte),
        }
    }
    out.extend_from_slice(&line[last..]);
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            this.sort();
            if !this.out.is_empty() {
                let count = this.out.len().min(buf.remaining());
                buf.put_slice(&this.out[..count]);
                this.out.drain(..count);
                return Poll::Ready(Ok(()));
            }
            let mut piece = [0; 16 * 1024];
            let mut piece = ReadBuf::new(&mut piece);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut piece))?;
            if piece.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.held.extend_from_slice(piece.filled());
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }
}

/// Times the parser's wait for a head: it sets its timer whenever one is awaited, and counts the
/// silence between two requests as part of the second one's head.
pub struct HeadTimer(pub Course);

struct HeadSleep {
    course: Course,
    since: Instant,
    sleep: Pin<Box<tokio::time::Sleep>>,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(HeadSleep {
            course: self.0.clone(),
            since: Instant::now(),
            sleep: Box::pin(tokio::time::sleep_until(deadline.into())),
        })
    }

    fn now(&self) -> std::time::Instant {
        Instant::now().into()
    }
}

impl Sleep for HeadSleep {}

impl Future for HeadSleep {
    type Output = ();

    /// Polled whenever bytes have come: where the connection stands may have changed.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let until = self.course.head_until(self.since);
        if self.sleep.deadline() != until {
            self.sleep.as_mut().reset(until);
        }
        self.sleep.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    fn line(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        put_right(bytes, &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn an_address_is_written_as_addresses_are() {
        // «Мой #1.xml» in the code page of Windows.
        let raw = b"GET /1c?filename=\xcc\xee\xe9 #1.xml HTTP/1.1\r\n";
        assert_eq!(line(raw), "GET /1c?filename=%CC%EE%E9%20%231.xml HTTP/1.1\r\n");
        for same in ["GET /a?b=%D0&c=d HTTP/1.1\r\n", "GET /\n", "nonsense\n", " HTTP/1.1\n"] {
            assert_eq!(line(same.as_bytes()), same);
        }
    }

    /// A parser of our own: reads heads as they are handed on and tells the bodies' lengths.
    async fn heads_and_bodies(sent: &[u8], cuts: &[usize]) -> (Vec<String>, Vec<Vec<u8>>) {
        let course = Course::default();
        let mut wire = Wire::new(pieces(sent, cuts), course.clone());
        let (mut heads, mut bodies) = (Vec::new(), Vec::new());
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match wire.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => return (heads, bodies),
                }
            }
            let head = String::from_utf8(head).expect("ASCII");
            let length = head.split("Length: ").nth(1).and_then(|rest| rest.split('\r').next());
            let length: u64 = length.map_or(0, |text| text.parse().expect("a number"));
            course.asked(Some(length));
            let mut body = vec![0; usize::try_from(length).expect("small")];
            wire.read_exact(&mut body).await.expect("the body");
            heads.push(head);
            bodies.push(body);
        }
    }

    /// A stream that hands its bytes on in pieces.
    struct Pieces(std::collections::VecDeque<Vec<u8>>);

    fn pieces(sent: &[u8], cuts: &[usize]) -> Pieces {
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut % (sent.len() + 1)).collect();
        at.extend([0, sent.len()]);
        at.sort_unstable();
        at.dedup();
        Pieces(at.windows(2).map(|pair| sent[pair[0]..pair[1]].to_vec()).collect())
    }

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if let Some(piece) = self.0.pop_front() {
                buf.put_slice(&piece);
            }
            Poll::Ready(Ok(()))
        }
    }

    proptest! {
        #[test]
        fn bodies_pass_untouched_however_requests_are_cut_and_joined(
            bodies in proptest::collection::vec(proptest::collection::vec(
                prop_oneof![Just(b' '), Just(b'\n'), Just(b'\r'), Just(0xcc_u8), Just(b'G')], 0..40,
            ), 1..4),
            cuts in proptest::collection::vec(any::<usize>(), 0..12),
        ) {
            let mut sent = Vec::new();
            for body in &bodies {
                sent.extend(b"POST /\xcc a HTTP/1.1\r\nX: y b\r\n");
                sent.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
                sent.extend(body);
            }
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let (heads, read) = runtime.block_on(heads_and_bodies(&sent, &cuts));
            prop_assert_eq!(&read, &bodies);
            for head in heads {
                prop_assert!(head.starts_with("POST /%CC%20a HTTP/1.1\r\nX: y b\r\n"), "{}", head);
            }
        }
    }
}
