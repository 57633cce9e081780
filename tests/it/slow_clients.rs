//! Clients that send a byte now and then to keep a place: each is cut off by its time limit, and
//! the others are served meanwhile.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base64::Engine as _;

use super::program::{Program, free_port};

/// What became of a slow client.
struct End {
    after: Duration,
    /// The status of the answer; `None`: the connection was closed without one.
    status: Option<u16>,
}

/// Says `begun`, then goes on with a byte each second until it is answered or cut off.
fn trickle(address: SocketAddr, begun: String) -> JoinHandle<End> {
    std::thread::spawn(move || {
        let started = Instant::now();
        let mut stream = TcpStream::connect(address).expect("connects");
        stream.set_read_timeout(Some(Duration::from_secs(1))).expect("set");
        stream.write_all(begun.as_bytes()).expect("written");
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        loop {
            assert!(started.elapsed() < Duration::from_mins(3), "nobody cuts it off");
            let over = match stream.read(&mut piece) {
                Ok(0) => true,
                Ok(count) => {
                    answer.extend_from_slice(&piece[..count]);
                    false
                }
                Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            };
            // What comes after the answer is not read: a write may fail then.
            if over || answer.is_empty() && stream.write_all(b"x").is_err() {
                let text = String::from_utf8_lossy(&answer);
                let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
                return End { after: started.elapsed(), status };
            }
        }
    })
}

/// A 1C that is silent between two requests of one connection: the statuses of both.
fn silent_onec(address: SocketAddr, silence: Duration) -> JoinHandle<[String; 2]> {
    std::thread::spawn(move || {
        let key = base64::engine::general_purpose::STANDARD.encode("1c:a-password-for-1c");
        let request = format!(
            "GET /1c_exchange?type=sale&mode=success HTTP/1.1\r\nHost: 127.0.0.1\r\n\
             Authorization: Basic {key}\r\n\r\n"
        );
        let mut stream = TcpStream::connect(address).expect("connects");
        let mut ask = || {
            stream.write_all(request.as_bytes()).expect("written");
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\nsuccess") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("an answer");
                answer.push(byte[0]);
            }
            String::from_utf8_lossy(&answer[..12]).into_owned()
        };
        let first = ask();
        std::thread::sleep(silence);
        [first, ask()]
    })
}

#[test]
fn slow_clients_are_cut_off_and_keep_nobody_waiting() {
    let plain = free_port();
    // As through a proxy: more than one address may have for itself.
    let settings = format!(
        "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n[onec]\nlisten = \"127.0.0.1:{plain}\"\n\
         [onec.exchange]\npassword = \"a-password-for-1c\"\n"
    );
    let program = Program::new().with("partner-m.toml", &settings);
    let running = program.start(&["serve", "--listen", "127.0.0.1:0"]);
    let host = format!("Host: 127.0.0.1:{}\r\n", running.address.port());
    let heads: Vec<_> = (0..100)
        .map(|_| trickle(running.address, format!("GET /health HTTP/1.1\r\n{host}X-Slow: ")))
        .collect();
    let body = "Connection: close\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n";
    let push =
        trickle(running.address, format!("POST /onec/catalog HTTP/1.1\r\n{host}{body}\r\n["));
    let body = "Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
        Content-Length: 100000\r\n";
    let form =
        trickle(running.address, format!("POST /admin/login HTTP/1.1\r\n{host}{body}\r\np="));

    // It writes documents meanwhile, and comes back over the same connection.
    let onec = [running.address, SocketAddr::from(([127, 0, 0, 1], plain))]
        .map(|address| silent_onec(address, Duration::from_secs(45)));

    let begun = Instant::now();
    assert_eq!(running.get("/health").0, 200);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());

    for head in heads {
        let end = head.join().expect("sound");
        assert!(end.after < Duration::from_secs(45), "a head: {:?}", end.after);
        assert!(matches!(end.status, None | Some(408)), "{:?}", end.status);
    }
    for onec in onec {
        assert_eq!(onec.join().expect("sound"), ["HTTP/1.1 200", "HTTP/1.1 200"]);
    }
    let push = push.join().expect("sound");
    assert_eq!(push.status, Some(408));
    assert!(push.after < Duration::from_secs(90), "a push: {:?}", push.after);
    let form = form.join().expect("sound");
    assert!(form.status.is_none_or(|status| status >= 400), "{:?}", form.status);
    assert!(form.after < Duration::from_secs(90), "a form: {:?}", form.after);
    assert_eq!(running.get("/health").0, 200);
}

#[test]
fn one_address_cannot_take_all_the_places() {
    let program = Program::new();
    let running = program.start(&["serve", "--listen", "127.0.0.1:0"]);
    let connect = || TcpStream::connect(running.address).expect("connects");
    let mut idle: Vec<TcpStream> = (0..200).map(|_| connect()).collect();
    // Those beyond the share are closed at once, the others are waited for.
    let mut open = 0;
    for stream in &mut idle {
        stream.set_read_timeout(Some(Duration::from_millis(50))).expect("set");
        let told = stream.read(&mut [0; 16]);
        open += usize::from(matches!(told, Err(error) if error.kind() == ErrorKind::WouldBlock));
    }
    assert_eq!(open, 64);
    // Another address, of this machine too, is let in as before.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let other = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.2:0".parse().expect("an address")).expect("bound");
        socket.connect(running.address).await.expect("connects").into_std().expect("a stream")
    });
    other.set_nonblocking(false).expect("set");
    let mut other = other;
    other.write_all(b"GET /health HTTP/1.0\r\n\r\n").expect("written");
    let mut answer = String::new();
    other.read_to_string(&mut answer).expect("read");
    assert!(answer.contains(" 200 OK"), "{answer}");
    drop(idle);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(running.get("/health").0, 200, "the places are free again");
}
