//! Whole servers over TCP and Unix sockets: start, workers, admission, end. Clients are plain blocking sockets.

use std::future::{Pending, pending};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use weir_http::{
    Address, Body, Counters, Limits, Listen, Request, Response, Server, Service, ShutdownHandle,
};

/// A running server; joined when the test ends.
struct Running {
    addresses: Vec<Address>,
    counters: Arc<Counters>,
    shutdown: ShutdownHandle,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Running {
    fn start<S: Service>(
        listens: &[&str],
        workers: usize,
        limits: Limits,
        make: impl Fn(usize) -> S + Send + Sync + 'static,
    ) -> Running {
        let listens: Vec<Listen> = listens.iter().map(|text| text.parse().expect("an address")).collect();
        let bound = Server::bind(&listens).expect("free addresses");
        let (addresses, counters) = (bound.addresses().cloned().collect(), bound.counters());
        let shutdown = ShutdownHandle::new();
        let handle = shutdown.clone();
        let thread = Some(thread::spawn(move || bound.serve(workers, limits, make, handle)));
        Running { addresses, counters, shutdown, thread }
    }

    fn tcp(&self) -> SocketAddr {
        let tcp = self.addresses.iter().find_map(|address| match address {
            Address::Ip(address) => Some(*address),
            Address::Unix(_) => None,
        });
        tcp.expect("a TCP listener")
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.tcp()).expect("it listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
        socket
    }

    fn join(mut self) -> std::io::Result<()> {
        self.thread.take().expect("joined once").join().expect("no panic")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cut();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(thread::panicking() || ended.is_ok_and(|result| result.is_ok()), "the server failed");
        }
    }
}

/// A test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn hello(_worker: usize) -> impl Service {
    |_: Request| std::future::ready(Response::new(200, "hello"))
}

/// Never answers; tells when it was called.
struct Stuck(Sender<()>);

impl Service for Stuck {
    type Future = Pending<Response>;

    fn call(&self, _: Request) -> Pending<Response> {
        self.0.send(()).expect("the test waits");
        pending()
    }
}

fn stuck() -> (impl Fn(usize) -> Stuck + Send + Sync + 'static, Receiver<()>) {
    let (called, calls) = channel();
    (move |_worker| Stuck(called.clone()), calls)
}

fn until(socket: &mut impl Read, end: &str) -> String {
    let mut all = Vec::new();
    let mut byte = [0];
    while !all.ends_with(end.as_bytes()) {
        assert_eq!(socket.read(&mut byte).expect("open"), 1, "{:?}", String::from_utf8_lossy(&all));
        all.push(byte[0]);
    }
    String::from_utf8(all).expect("text")
}

fn rest(socket: &mut impl Read) -> String {
    let mut all = String::new();
    socket.read_to_string(&mut all).expect("no reset");
    all
}

#[test]
fn serves_tcp_and_unix_and_drains() {
    let path = std::env::temp_dir().join(format!("weir-http-{}.sock", std::process::id()));
    let unix = format!("unix:{}", path.display());
    let server = Running::start(&["127.0.0.1:0", &unix], 1, Limits::default(), hello);
    assert_eq!(server.addresses.len(), 2);
    assert_ne!(server.tcp().port(), 0);
    let mut tcp = server.connect();
    let mut unix = UnixStream::connect(&path).expect("it listens");
    for _ in 0..3 {
        tcp.write_all(GET).expect("open");
        unix.write_all(GET).expect("open");
        assert!(until(&mut tcp, "hello").starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(until(&mut unix, "hello").starts_with("HTTP/1.1 200 OK\r\n"));
    }
    assert_eq!((server.counters.requests(), server.counters.open_connections()), (6, 2));
    server.shutdown.drain();
    assert_eq!((rest(&mut tcp), rest(&mut unix)), (String::new(), String::new()));
    let (address, counters) = (server.tcp(), Arc::clone(&server.counters));
    server.join().expect("a clean end");
    assert!(!path.exists());
    assert_eq!(counters.open_connections(), 0);
    assert_eq!(TcpStream::connect(address).expect_err("closed").kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_thread_that_blocks_does_not_keep_the_server() {
    let (release, blocked) = channel::<()>();
    let blocked = Arc::new(std::sync::Mutex::new(blocked));
    let server = Running::start(&["127.0.0.1:0"], 1, Limits::default(), move |_| {
        let blocked = Arc::clone(&blocked);
        move |_: Request| {
            let blocked = Arc::clone(&blocked);
            // Left to itself: nobody waits for it.
            drop(tokio::task::spawn_blocking(move || {
                let _ = blocked.lock().expect("one at a time").recv_timeout(PATIENCE);
            }));
            std::future::ready(Response::new(200, "hello"))
        }
    });
    let mut client = server.connect();
    client.write_all(GET).expect("open");
    until(&mut client, "hello");
    let start = Instant::now();
    server.shutdown.drain();
    server.join().expect("a clean end");
    assert!(start.elapsed() < PATIENCE / 2);
    drop(release);
}

#[test]
fn connections_are_spread_over_workers() {
    let server = Running::start(&["127.0.0.1:0"], 3, Limits::default(), |worker| {
        move |_: Request| std::future::ready(Response::new(200, format!("worker {worker}\n")))
    });
    let ask = |client: &mut TcpStream| {
        client.write_all(GET).expect("open");
        until(client, "\r\n\r\n");
        until(client, "\n")
    };
    let mut clients: Vec<TcpStream> = (0..6).map(|_| server.connect()).collect();
    let mut seen: Vec<String> = clients.iter_mut().map(ask).collect();
    let again: Vec<String> = clients.iter_mut().map(ask).collect();
    assert_eq!(seen, again, "a connection stays where it is");
    seen.sort();
    let expected = ["worker 0\n", "worker 0\n", "worker 1\n", "worker 1\n", "worker 2\n", "worker 2\n"];
    assert_eq!(seen, expected);
    assert_eq!(server.counters.connections_by_worker(), [2, 2, 2]);
    server.shutdown.drain();
    server.join().expect("a clean end");
}

#[test]
fn too_many_connections_are_told() {
    for workers in [1, 2] {
        let limits = Limits { max_conns: 2, ..Limits::default() };
        let server = Running::start(&["127.0.0.1:0"], workers, limits, hello);
        let mut held: Vec<TcpStream> = (0..2).map(|_| server.connect()).collect();
        for client in &mut held {
            client.write_all(GET).expect("open");
            until(client, "hello");
        }
        for _ in 0..3 {
            let mut refused = server.connect();
            // Its request does not destroy the answer.
            let _ = refused.write_all(GET);
            let answer = rest(&mut refused);
            assert!(
                answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: 1\r\n"),
                "{answer}"
            );
        }
        assert_eq!(server.counters.refused_connections(), 3);
        drop(held.pop());
        // A free place is taken as soon as the server has noticed.
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut client = server.connect();
            let _ = client.write_all(GET);
            if until(&mut client, "\r\n\r\n").starts_with("HTTP/1.1 200 ") {
                break;
            }
            assert!(Instant::now() < deadline, "the place stays taken");
        }
    }
}

#[test]
fn what_waits_in_the_accept_queue_is_served_by_a_drain() {
    let listen: Listen = "127.0.0.1:0".parse().expect("an address");
    let bound = Server::bind(&[listen]).expect("a free port");
    let Some(Address::Ip(address)) = bound.addresses().next().cloned() else { panic!("not TCP") };
    let clients: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut client = TcpStream::connect(address).expect("it listens");
            client.write_all(GET).expect("open");
            client
        })
        .collect();
    let shutdown = ShutdownHandle::new();
    shutdown.drain();
    let serving = thread::spawn(move || bound.serve(2, Limits::default(), hello, shutdown));
    for mut client in clients {
        let answer = rest(&mut client);
        assert!(answer.contains("\r\nConnection: close\r\n") && answer.ends_with("hello"), "{answer}");
    }
    serving.join().expect("no panic").expect("a clean end");
}

#[test]
fn a_drain_cuts_what_does_not_end() {
    let (make, calls) = stuck();
    let limits = Limits { drain_timeout: Duration::from_millis(50), ..Limits::default() };
    let server = Running::start(&["127.0.0.1:0"], 2, limits, make);
    let mut client = server.connect();
    client.write_all(GET).expect("open");
    calls.recv_timeout(PATIENCE).expect("called");
    server.shutdown.drain();
    let error = client.read(&mut [0; 1]);
    assert!(matches!(&error, Ok(0)) || error.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
    server.join().expect("a clean end");
}

#[test]
fn a_cut_waits_for_nothing() {
    let (make, calls) = stuck();
    let server = Running::start(&["127.0.0.1:0"], 1, Limits::default(), make);
    let mut client = server.connect();
    client.write_all(GET).expect("open");
    calls.recv_timeout(PATIENCE).expect("called");
    server.shutdown.drain();
    server.shutdown.cut();
    server.join().expect("a clean end");
    assert!(client.read(&mut [0; 1]).map_or(true, |count| count == 0));
}

#[test]
fn timeouts_run_on_the_real_clock_too() {
    let limits = Limits {
        idle_timeout: Duration::from_millis(30),
        header_timeout: Duration::from_millis(30),
        ..Limits::default()
    };
    let server = Running::start(&["127.0.0.1:0"], 1, limits, hello);
    let mut idle = server.connect();
    idle.write_all(GET).expect("open");
    until(&mut idle, "hello");
    assert_eq!(rest(&mut idle), "");
    let mut slow = server.connect();
    slow.write_all(b"GET / HT").expect("open");
    assert!(rest(&mut slow).starts_with("HTTP/1.1 408 "));
}

#[test]
fn a_panic_while_starting_reaches_the_caller() {
    let listen: Listen = "127.0.0.1:0".parse().expect("an address");
    let bound = Server::bind(&[listen]).expect("a free port");
    let make = |worker: usize| {
        if worker == 1 {
            std::panic::resume_unwind(Box::new("on purpose"));
        }
        hello(worker)
    };
    let serve =
        std::panic::AssertUnwindSafe(|| bound.serve(2, Limits::default(), make, ShutdownHandle::new()));
    assert!(std::panic::catch_unwind(serve).is_err());
}

#[test]
fn a_busy_address_is_told_before_anything_runs() {
    let server = Running::start(&["127.0.0.1:0"], 1, Limits::default(), hello);
    let again: Listen = server.tcp().to_string().parse().expect("an address");
    let error = Server::bind(&[again]).expect_err("in use");
    assert!(error.is_in_use());
    let nowhere = Listen::Unix(PathBuf::from("/nonexistent/socket"));
    assert!(!Server::bind(&[nowhere]).expect_err("no folder").is_in_use());
}

#[test]
fn services_are_made_on_their_worker() {
    let server = Running::start(&["127.0.0.1:0"], 2, Limits::default(), |worker| {
        // Not Send, and spawned on the worker's own runtime.
        let made = std::rc::Rc::new(std::cell::Cell::new(0));
        let seen = std::rc::Rc::clone(&made);
        tokio::task::spawn_local(async move { seen.set(seen.get() + 1) });
        let thread = thread::current().name().map(str::to_owned);
        assert_eq!(thread, Some(format!("worker-{worker}")));
        move |_: Request| std::future::ready(Response::new(200 + made.get(), Body::Empty))
    });
    let mut client = server.connect();
    client.write_all(GET).expect("open");
    assert!(until(&mut client, "\r\n\r\n").starts_with("HTTP/1.1 201 "));
}

#[test]
fn the_file_limit_is_raised() {
    let raised = weir_http::raise_file_limit();
    assert_eq!(raised, weir_http::raise_file_limit());
}
