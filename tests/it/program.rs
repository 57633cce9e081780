//! The real binary in a temporary folder.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A folder to run the program in.
pub struct Program {
    dir: tempfile::TempDir,
}

/// What a command said.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A program that serves.
pub struct Running {
    child: Child,
    pub address: SocketAddr,
    /// What it said before it was ready.
    pub said: String,
    out: RefCell<BufReader<ChildStdout>>,
    log: Arc<Mutex<String>>,
    rest: Option<std::thread::JoinHandle<()>>,
}

impl Program {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub fn data(&self) -> std::path::PathBuf {
        self.dir.path().join("data")
    }

    /// Writes a file into the working folder.
    pub fn with(self, name: &str, text: &str) -> Self {
        std::fs::write(self.dir.path().join(name), text).expect("written");
        self
    }

    /// The command, in the folder, with nothing from our own environment that it would read.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_partner-m"));
        command.args(arguments).current_dir(self.dir.path()).env_clear().stdin(Stdio::null());
        // The tests of the machine itself may need them.
        for name in ["PATH", "HOME", "TMPDIR", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Said {
        said(self.command(arguments).output().expect("the program runs"))
    }

    /// Starts a command that serves and waits until it says that it is ready.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::begin(self.command(arguments))
    }
}

/// Runs a command that was prepared by hand.
pub fn run(mut command: Command) -> Said {
    said(command.output().expect("the program runs"))
}

fn said(output: Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// A port that is free now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

impl Running {
    /// Starts the command and reads its stderr up to «готово».
    pub fn begin(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("stderr"));
        let mut said = String::new();
        while !said.contains("готово за") {
            let mut line = String::new();
            if lines.read_line(&mut line).expect("text") == 0 {
                let status = child.wait().expect("ends");
                panic!("it ended with {status}: {said}");
            }
            said.push_str(&line);
        }
        let mut out = BufReader::new(child.stdout.take().expect("stdout"));
        let mut printed = String::new();
        // What is printed for people or scripts comes before «готово».
        if !said.contains("http://") {
            while !printed.contains("http://") {
                assert!(out.read_line(&mut printed).expect("text") > 0, "{said}{printed}");
            }
        }
        let address = format!("{said}{printed}")
            .split("http://")
            .nth(1)
            .and_then(|rest| rest.split(['/', '"']).next())
            .and_then(|address| address.trim().parse().ok())
            .expect("an address");
        let log = Arc::new(Mutex::new(String::new()));
        let written = log.clone();
        let rest = std::thread::spawn(move || {
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|count| count > 0) {
                written.lock().expect("whole").push_str(&line);
                line.clear();
            }
        });
        Self { child, address, said, out: RefCell::new(out), log, rest: Some(rest) }
    }

    /// What follows `label` on the next line of stdout that has it.
    pub fn out_line(&self, label: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.out.borrow_mut().read_line(&mut line).expect("text") > 0, "no {label}");
            if let Some((_, rest)) = line.split_once(label) {
                return rest.trim().to_owned();
            }
        }
    }

    /// Waits until the log has the text; what it says by then.
    pub fn wait_for_log(&self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let log = format!("{}{}", self.said, self.log.lock().expect("whole"));
            if log.contains(text) {
                return log;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "no «{text}» in: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let status = Command::new("kill").args([&format!("-{name}"), &pid]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits for the end: the exit code, and what was said since the start.
    pub fn wait(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().expect("ends");
        self.rest.take().expect("one wait").join().expect("read");
        (status.code(), self.log.lock().expect("whole").clone())
    }

    /// Asks it to stop and waits.
    pub fn stop(self) -> (Option<i32>, String) {
        self.signal("TERM");
        self.wait()
    }

    /// The status line and body of `GET path`.
    pub fn get(&self, path: &str) -> (u16, String) {
        get(self.address, path)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A bare HTTP GET.
pub fn get(address: SocketAddr, path: &str) -> (u16, String) {
    use std::io::Write;
    let mut stream = std::net::TcpStream::connect(address).expect("connects");
    let host = address.port();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("written");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("read");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    (status, body.unwrap_or_default())
}

/// A bare HTTP POST of JSON: the status and the body.
pub fn post(address: SocketAddr, path: &str, body: &str) -> (u16, String) {
    use std::io::Write;
    let mut stream = std::net::TcpStream::connect(address).expect("connects");
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        address.port(),
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("read");
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    (status, body.unwrap_or_default())
}
