//! Runs the real binary: to its end ([`run`]) or as a server ([`Server`]).
//!
//! A server is ready when its listening line was read from stderr; the rest of stderr is drained by a thread, so that it
//! never blocks, and handed to the test line by line. A server that a test forgets is killed when it is dropped.

use super::GUARD;
use super::client::Client;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

/// The binary under test.
pub fn weir() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.env_remove("WEIR_LISTEN").env_remove("PORT").env("NO_COLOR", "1");
    command
}

/// What a finished process left.
#[derive(Debug, Clone)]
pub struct Output {
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs `weir ARGS` in `dir` with `stdin` to its end.
pub fn run_in(dir: &Path, args: &[&str], stdin: &str) -> Output {
    let mut command = weir();
    command.args(args).current_dir(dir);
    finish(command, stdin)
}

/// Runs `weir ARGS` in the repository's root without input.
pub fn run(args: &[&str]) -> Output {
    run_in(&super::root(), args, "")
}

/// Runs a prepared command with `stdin` to its end.
pub fn finish(mut command: Command, stdin: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut input = child.stdin.take().expect("stdin is piped");
    let stdin = stdin.as_bytes().to_vec();
    // A program that does not read its input may end first: a failing write is then right.
    let writer = thread::spawn(move || drop(input.write_all(&stdin)));
    let (done, ended) = channel();
    let stdout = collect(child.stdout.take().expect("stdout is piped"), done.clone());
    let stderr = collect(child.stderr.take().expect("stderr is piped"), done);
    // Disconnected means that both collectors came to their ends.
    if ended.recv_timeout(GUARD) == Err(RecvTimeoutError::Timeout) {
        let _ = child.kill();
        let _ = child.wait();
        panic!("{command:?} was still running after {GUARD:?}");
    }
    let status = child.wait().expect("the child is ours to wait for");
    let _ = writer.join();
    Output {
        code: status.code().unwrap_or(-1),
        stdout: stdout.join().expect("the collector does not panic"),
        stderr: stderr.join().expect("the collector does not panic"),
    }
}

/// Reads a pipe to its end; drops `done` then.
fn collect(
    mut pipe: impl Read + Send + 'static,
    done: std::sync::mpsc::Sender<()>,
) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        drop(done);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Where a server listens.
#[derive(Debug, Clone)]
pub enum Address {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A unix socket's path.
    Unix(PathBuf),
}

/// A running `weir httpd`.
pub struct Server {
    child: Child,
    address: Address,
    lines: Receiver<String>,
    /// The write end of its standard input, where [`Launch::piped_stdin`] asked for one.
    pub stdin: Option<ChildStdin>,
}

/// How to start a server.
pub struct Launch {
    command: Command,
    piped: bool,
}

impl Launch {
    /// `weir httpd ARGS`, without input and on a free port; `-p 0` is added unless an `-l` is among the arguments.
    pub fn new(args: &[&str]) -> Self {
        let mut command = weir();
        command.arg("httpd").args(args).current_dir(super::root());
        if !args.contains(&"-l") {
            command.args(["-p", "0"]);
        }
        Self { command, piped: false }
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in `dir` instead of the repository's root.
    pub fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Gives the test the write end of standard input.
    pub fn piped_stdin(mut self) -> Self {
        self.piped = true;
        self
    }

    /// Starts it and reads its listening line; the whole output where it ends before that.
    pub fn try_start(mut self) -> Result<Server, Output> {
        let stdin = if self.piped { Stdio::piped() } else { Stdio::null() };
        let mut child = self
            .command
            .stdin(stdin)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let lines = drain(child.stderr.take().expect("stderr is piped"));
        let mut stderr = String::new();
        loop {
            match lines.recv_timeout(GUARD) {
                Ok(line) => match listening(&line) {
                    Some(address) => {
                        let stdin = child.stdin.take();
                        return Ok(Server { child, address, lines, stdin });
                    }
                    None => stderr.push_str(&format!("{line}\n")),
                },
                Err(RecvTimeoutError::Timeout) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    panic!("no listening line within {GUARD:?}; stderr: {stderr}");
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = child.wait().expect("the child is ours to wait for");
                    return Err(Output { code: status.code().unwrap_or(-1), stdout: String::new(), stderr });
                }
            }
        }
    }

    /// Starts it; it must come up.
    pub fn start(self) -> Server {
        self.try_start()
            .unwrap_or_else(|output| panic!("the server ended with {}: {}", output.code, output.stderr))
    }
}

/// The address that a listening line names.
fn listening(line: &str) -> Option<Address> {
    let place = line.strip_prefix("weir httpd listening on ")?;
    if let Some(path) = place.strip_prefix("unix:") {
        return Some(Address::Unix(path.into()));
    }
    let address = place.strip_prefix("http://")?.parse().expect("the listening line names an address");
    Some(Address::Tcp(address))
}

/// Hands over the lines of a pipe as they come; never lets the writer wait.
fn drain(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { break };
            // A test that no longer listens does not stop the draining.
            let _ = send.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
    receive
}

impl Server {
    /// Serves a one-liner, without access log.
    pub fn code(code: &str) -> Self {
        Launch::new(&["-e", code, "--log-format", "off"]).start()
    }

    /// Serves an example, without access log.
    pub fn example(name: &str) -> Self {
        Launch::new(&[&format!("examples/{name}.weir"), "--log-format", "off"]).start()
    }

    /// A new connection.
    pub fn connect(&self) -> Client {
        match &self.address {
            Address::Tcp(address) => Client::tcp(TcpStream::connect(address).expect("the server accepts")),
            Address::Unix(path) => Client::unix(UnixStream::connect(path).expect("the server accepts")),
        }
    }

    /// A new connection with `GET target` sent.
    pub fn get(&self, target: &str) -> Client {
        let mut client = self.connect();
        client.get(target);
        client
    }

    /// Its TCP address.
    pub fn tcp(&self) -> SocketAddr {
        match &self.address {
            Address::Tcp(address) => *address,
            Address::Unix(path) => panic!("{} is no TCP address", path.display()),
        }
    }

    /// The first line on stderr, from now on, that `wanted` takes; those before it are dropped.
    pub fn stderr_line(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut seen = String::new();
        loop {
            match self.lines.recv_timeout(GUARD) {
                Ok(line) if wanted(&line) => return line,
                Ok(line) => seen.push_str(&format!("{line}\n")),
                Err(_) => panic!("no {what} on stderr; instead: {seen}"),
            }
        }
    }

    /// Its process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the server is alive");
    }

    /// Its counters, by SIGUSR2.
    pub fn counters(&self) -> BTreeMap<String, i64> {
        self.signal(Signal::USR2);
        let line = self.stderr_line("counters", |l| l.starts_with('{') && l.contains("\"fibers\""));
        let value: serde_json::Value = serde_json::from_str(&line).expect("the counters are one JSON object");
        let object = value.as_object().expect("the counters are one JSON object");
        object.iter().filter_map(|(name, value)| Some((name.clone(), value.as_i64()?))).collect()
    }

    /// Asks for the counters until `accept` takes them; the guard says how long they may need to settle.
    pub fn counters_until(
        &self,
        what: &str,
        accept: impl Fn(&BTreeMap<String, i64>) -> bool,
    ) -> BTreeMap<String, i64> {
        let start = Instant::now();
        loop {
            let counters = self.counters();
            if accept(&counters) {
                return counters;
            }
            assert!(start.elapsed() < GUARD, "{what}: {counters:?}");
        }
    }

    /// Whether the process has ended, without waiting.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("the child is ours to wait for").is_some()
    }

    /// Waits for the process to end; its exit code and what stderr still had.
    pub fn wait(mut self) -> (i32, Vec<String>) {
        let mut rest = Vec::new();
        loop {
            match self.lines.recv_timeout(GUARD) {
                Ok(line) => rest.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the server was still running after {GUARD:?}: {rest:?}")
                }
            }
        }
        let status = self.child.wait().expect("the child is ours to wait for");
        (status.code().unwrap_or(-1), rest)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
