//! Exchanges on one connection: order, cancellation, backpressure, deadlines. Server and client share a thread
//! and a virtual clock; what must not depend on time is awaited, what does is measured on that clock.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, pending};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task::{spawn_local, yield_now};
use tokio::time::{Instant, sleep, timeout};

use weir_http::{
    Access, Body, Failure, ItemSink, Limits, LocalServer, Outcome, Peer, Pull, PullBody, Request, Response,
    Service,
};

/// Runs a test on a paused clock.
fn test<F: Future<Output = ()>>(body: impl FnOnce() -> F) {
    let runtime =
        Builder::new_current_thread().enable_all().start_paused(true).build_local(Default::default());
    runtime.expect("a runtime").block_on(async {
        timeout(Duration::from_secs(3600), body())
            .await
            .expect("the test waits for something that never comes");
    });
}

/// Lets the other side have its turns.
async fn settle() {
    for _ in 0..8 {
        yield_now().await;
    }
}

/// A source the test feeds by hand.
#[derive(Default)]
struct Source {
    items: RefCell<VecDeque<Pull>>,
    waker: RefCell<Option<Waker>>,
    polls: Cell<u32>,
    pulled: Cell<u32>,
    dropped: Notify,
    is_dropped: Cell<bool>,
}

impl Source {
    fn give(&self, pull: Pull) {
        self.items.borrow_mut().push_back(pull);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// The body that pulls it; each item is `item\n`.
struct Pulled(Rc<Source>);

impl PullBody for Pulled {
    fn poll_item(&mut self, cx: &mut Context<'_>, out: &mut ItemSink<'_>) -> Poll<Pull> {
        self.0.polls.set(self.0.polls.get() + 1);
        let Some(pull) = self.0.items.borrow_mut().pop_front() else {
            *self.0.waker.borrow_mut() = Some(cx.waker().clone());
            return Poll::Pending;
        };
        if let Pull::Item = pull {
            self.0.pulled.set(self.0.pulled.get() + 1);
            out.item(&[b"item\n"]);
        }
        Poll::Ready(pull)
    }
}

impl Drop for Pulled {
    fn drop(&mut self) {
        self.0.is_dropped.set(true);
        self.0.dropped.notify_one();
    }
}

/// An endless body of items of one size.
struct Endless {
    source: Rc<Source>,
    item: Bytes,
}

impl PullBody for Endless {
    fn poll_item(&mut self, _: &mut Context<'_>, out: &mut ItemSink<'_>) -> Poll<Pull> {
        self.source.pulled.set(self.source.pulled.get() + 1);
        out.item_bytes(self.item.clone());
        Poll::Ready(Pull::Item)
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.source.dropped.notify_one();
    }
}

/// A service made of a closure that also keeps the records.
struct Recorded<F> {
    call: F,
    records: Rc<RefCell<Vec<String>>>,
}

impl<F, R> Service for Recorded<F>
where
    F: Fn(Request) -> R + 'static,
    R: Future<Output = Response> + 'static,
{
    type Future = R;

    fn call(&self, request: Request) -> R {
        (self.call)(request)
    }

    fn finished(&self, access: &Access<'_>) {
        let target = access.head.map_or("-", |head| head.target());
        let outcome = match access.outcome {
            Outcome::Failed(why) | Outcome::Refused(why) => why.to_owned(),
            other => format!("{other:?}"),
        };
        self.records.borrow_mut().push(format!("{target} {:?} {} {outcome}", access.status, access.bytes));
    }
}

fn connect<S: Service>(server: &LocalServer<S>) -> UnixStream {
    let (ours, theirs) = UnixStream::pair().expect("descriptors");
    spawn_local(server.serve(theirs.into_std().expect("a socket"), Peer::Unix).expect("a free slot"));
    ours
}

async fn connect_tcp<S: Service>(server: &LocalServer<S>) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let ours = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("it listens");
    let (theirs, peer) = listener.accept().await.expect("connected");
    let theirs: OwnedFd = theirs.into_std().expect("a socket").into();
    spawn_local(server.serve(theirs, Peer::Ip(peer)).expect("a free slot"));
    ours
}

fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
}

async fn rest(socket: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut all = Vec::new();
    socket.read_to_end(&mut all).await.expect("no reset");
    String::from_utf8(all).expect("text")
}

/// Reads until the text ends so.
async fn until(socket: &mut (impl AsyncReadExt + Unpin), end: &str) -> String {
    let mut all = Vec::new();
    while !all.ends_with(end.as_bytes()) {
        let count = socket.read_buf(&mut all).await.expect("no reset");
        assert!(count > 0, "expected {end:?} after {:?}", String::from_utf8_lossy(&all));
    }
    String::from_utf8(all).expect("text")
}

/// A server whose every response is the source's stream.
fn streaming(source: &Rc<Source>, limits: Limits) -> LocalServer<impl Service + use<>> {
    let source = Rc::clone(source);
    let call = move |_| std::future::ready(Response::stream(200, Pulled(Rc::clone(&source))));
    LocalServer::new(call, limits)
}

#[test]
fn items_are_on_the_wire_before_the_next_wait() {
    test(|| async {
        let source = Rc::new(Source::default());
        let mut client = connect(&streaming(&source, Limits::default()));
        client.write_all(&get("/")).await.expect("open");
        for _ in 0..5 {
            source.give(Pull::Item);
            assert!(until(&mut client, "5\r\nitem\n\r\n").await.ends_with("5\r\nitem\n\r\n"));
        }
        source.give(Pull::End);
        until(&mut client, "0\r\n\r\n").await;
        assert!(source.is_dropped.get());
        // The clock stood still: nothing waited for a timer.
        client.write_all(&get("/")).await.expect("kept alive");
    });
}

#[test]
fn the_head_waits_for_the_first_item_but_not_for_long() {
    test(|| async {
        let source = Rc::new(Source::default());
        let server = streaming(&source, Limits::default());
        let mut client = connect(&server);
        client.write_all(&get("/")).await.expect("open");
        let start = Instant::now();
        let late = Rc::clone(&source);
        spawn_local(async move {
            sleep(Duration::from_millis(40)).await;
            late.give(Pull::Item);
        });
        // One read: the head did not go alone.
        let mut together = vec![0; 4096];
        let count = client.read(&mut together).await.expect("open");
        if !cfg!(feature = "stress") {
            assert!(together[..count].ends_with(b"item\n\r\n"));
        }
        assert_eq!(start.elapsed().as_millis(), 40);
        source.give(Pull::End);

        let mut client = connect(&server);
        client.write_all(&get("/")).await.expect("open");
        let start = Instant::now();
        let head = until(&mut client, "\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"));
        let waited = start.elapsed().as_millis();
        assert!((50..=51).contains(&waited), "{waited} ms");
    });
}

#[test]
fn a_failure_within_the_window_is_a_status() {
    test(|| async {
        let source = Rc::new(Source::default());
        let server = streaming(&source, Limits::default());
        for (delay, status) in [(0, "HTTP/1.1 504"), (49, "HTTP/1.1 504"), (60, "HTTP/1.1 200")] {
            let mut client = connect(&server);
            client.write_all(&get("/")).await.expect("open");
            sleep(Duration::from_millis(delay)).await;
            source.give(Pull::Failed(Failure::new("late", 504)));
            let mut answer = [0; 12];
            client.read_exact(&mut answer).await.expect("open");
            assert_eq!(answer, status.as_bytes(), "after {delay} ms");
        }
    });
}

#[test]
fn a_fin_drops_an_idle_body() {
    test(|| async {
        for (tail, half_close) in [(0, false), (20_000, false), (0, true)] {
            let source = Rc::new(Source::default());
            let server = streaming(&source, Limits { half_close, ..Limits::default() });
            let mut client = connect_tcp(&server).await;
            client.write_all(&get("/")).await.expect("open");
            source.give(Pull::Item);
            until(&mut client, "item\n\r\n").await;
            // Unread bytes in front of the FIN: the start of a pipelined request.
            client.write_all(&vec![b'x'; tail]).await.expect("room");
            client.shutdown().await.expect("open");
            if half_close {
                settle().await;
                assert!(!source.is_dropped.get());
                source.give(Pull::Item);
                until(&mut client, "item\n\r\n").await;
                // Only breaking the connection counts now.
                client.set_zero_linger().expect("a TCP socket");
                drop(client);
            }
            source.dropped.notified().await;
            server.emptied().await;
        }
    });
}

#[test]
fn a_reset_drops_an_idle_body() {
    test(|| async {
        for half_close in [false, true] {
            let source = Rc::new(Source::default());
            let server = streaming(&source, Limits { half_close, ..Limits::default() });
            let mut client = connect_tcp(&server).await;
            client.write_all(&get("/")).await.expect("open");
            source.give(Pull::Item);
            until(&mut client, "item\n\r\n").await;
            client.set_zero_linger().expect("a TCP socket");
            drop(client);
            source.dropped.notified().await;
            server.emptied().await;
        }
    });
}

#[test]
fn pipelined_bytes_behind_an_open_stream_wait() {
    test(|| async {
        let source = Rc::new(Source::default());
        let server = streaming(&source, Limits::default());
        let mut client = connect(&server);
        client.write_all(&get("/1")).await.expect("open");
        settle().await;
        // The engine looks, and leaves them in the socket; its polls do not spin meanwhile.
        client.write_all(&get("/2")).await.expect("open");
        settle().await;
        let polls = source.polls.get();
        settle().await;
        assert_eq!(source.polls.get(), polls);
        source.give(Pull::Item);
        source.give(Pull::End);
        until(&mut client, "0\r\n\r\n").await;
        source.give(Pull::End);
        until(&mut client, "0\r\n\r\n").await;
        assert_eq!(server.counters().requests(), 2);
    });
}

struct NotifyOnDrop(Rc<Notify>);

impl Drop for NotifyOnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[test]
fn a_fin_drops_a_waiting_handler() {
    test(|| async {
        let (dropped, records) = (Rc::new(Notify::new()), Rc::default());
        let guard = Rc::clone(&dropped);
        let call = move |_request: Request| {
            let held = NotifyOnDrop(Rc::clone(&guard));
            async move {
                let _held = held;
                pending().await
            }
        };
        let server = LocalServer::new(Recorded { call, records: Rc::clone(&records) }, Limits::default());
        // A body that no one reads does not hide the FIN, whole or not.
        let post = |sent: usize| {
            [b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", &b"123456789"[..sent]].concat()
        };
        for request in [get("/"), [get("/"), get("/2")].concat(), post(9), post(4)] {
            let mut client = connect(&server);
            client.write_all(&request).await.expect("open");
            settle().await;
            client.shutdown().await.expect("open");
            dropped.notified().await;
            // With unread bytes behind it the close is a reset; an answer it is never.
            assert!(client.read(&mut [0; 1]).await.map_or(true, |count| count == 0));
            server.emptied().await;
        }
        assert_eq!(*records.borrow(), ["/ None 0 Gone", "/ None 0 Gone", "/p None 0 Gone", "/p None 0 Gone"]);
    });
}

#[test]
fn nothing_is_pulled_while_the_client_does_not_read() {
    test(|| async {
        let source = Rc::new(Source::default());
        let (size, records) = (if cfg!(feature = "stress") { 64 } else { 1000 }, Rc::default());
        let shared = Rc::clone(&source);
        let call = move |_| {
            let body = Endless { source: Rc::clone(&shared), item: Bytes::from(vec![b'x'; size]) };
            std::future::ready(Response::stream(200, body))
        };
        let server = LocalServer::new(Recorded { call, records: Rc::clone(&records) }, Limits::default());
        let mut client = connect(&server);
        client.write_all(&get("/")).await.expect("open");
        // The clock moves only when nothing else can: the server is stuck on the full socket by then.
        sleep(Duration::from_secs(1)).await;
        let stuck = source.pulled.get();
        assert!(stuck > 0);
        sleep(Duration::from_secs(28)).await;
        assert_eq!(source.pulled.get(), stuck);
        // Reading lets it go on, and starts the stall anew.
        let mut some = vec![0; 500_000];
        let mut read = 0;
        while read < some.len() / if cfg!(feature = "stress") { 50 } else { 1 } {
            read += client.read(&mut some).await.expect("open");
        }
        sleep(Duration::from_secs(1)).await;
        let resumed = source.pulled.get();
        assert!(resumed > stuck);
        let start = Instant::now();
        source.dropped.notified().await;
        let waited = start.elapsed().as_secs();
        assert!((28..=30).contains(&waited), "cut after {waited} s");
        server.emptied().await;
        assert!(records.borrow()[0].ends_with("Stalled"), "{:?}", records.borrow());
    });
}

#[test]
fn a_fin_while_writing_is_blocked_drops_the_body() {
    test(|| async {
        let source = Rc::new(Source::default());
        let shared = Rc::clone(&source);
        let call = move |_| {
            let body = Endless { source: Rc::clone(&shared), item: Bytes::from(vec![b'x'; 20_000]) };
            std::future::ready(Response::stream(200, body))
        };
        let server = LocalServer::new(call, Limits::default());
        let mut client = connect(&server);
        client.write_all(&get("/")).await.expect("open");
        sleep(Duration::from_secs(1)).await;
        client.shutdown().await.expect("open");
        let start = Instant::now();
        source.dropped.notified().await;
        assert!(start.elapsed() < Duration::from_millis(100));
    });
}

#[test]
fn large_bodies_arrive_whole() {
    test(|| async {
        let large = Bytes::from((0..1_000_000_u32).map(|n| (n % 251) as u8).collect::<Vec<u8>>());
        let length = if cfg!(feature = "stress") { 20_000 } else { large.len() };
        let body = large.slice(..length);
        let sent = body.clone();
        let call = move |request: Request| {
            let sent = sent.clone();
            async move {
                match request.head.path() {
                    "/sized" => Response::new(200, sent),
                    _ => {
                        let mut request = request;
                        request.body.set_limit(None);
                        Response::new(200, request.body.collect().await.expect("a whole body"))
                    }
                }
            }
        };
        let server = LocalServer::new(call, Limits::default());
        let mut client = connect(&server);
        let (mut read, mut write) = client.split();
        let head = format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        let upload = async {
            write.write_all(&get("/sized")).await.expect("open");
            write.write_all(head.as_bytes()).await.expect("open");
            write.write_all(&body).await.expect("open");
        };
        let mut all = Vec::new();
        let download = async { read.read_to_end(&mut all).await.expect("no reset") };
        tokio::join!(upload, download);
        for _ in 0..2 {
            let start = all.windows(4).position(|end| end == b"\r\n\r\n").expect("a head") + 4;
            assert!(all[start..start + length] == body);
            all.drain(..start + length);
        }
        assert!(all.is_empty());
    });
}

#[test]
fn pipelined_answers_share_a_write() {
    test(|| async {
        let server = LocalServer::new(|_| std::future::ready(Response::new(200, "x")), Limits::default());
        let mut client = connect(&server);
        client.write_all(&get("/").repeat(16)).await.expect("open");
        settle().await;
        let mut answers = vec![0; 64 * 1024];
        let count = client.read(&mut answers).await.expect("open");
        if !cfg!(feature = "stress") {
            let heads = String::from_utf8_lossy(&answers[..count]).matches("HTTP/1.1 200 OK").count();
            assert_eq!(heads, 16);
        }
    });
}

#[test]
fn a_body_may_be_read_in_another_task() {
    test(|| async {
        let call = |mut request: Request| async move {
            let task = spawn_local(async move { request.body.collect().await });
            Response::new(200, task.await.expect("no panic").expect("a whole body"))
        };
        let server = LocalServer::new(call, Limits::default());
        let mut client = connect(&server);
        client
            .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 6\r\n\r\n")
            .await
            .expect("open");
        for piece in [b"on", b"e ", b"by"] {
            settle().await;
            client.write_all(piece).await.expect("open");
        }
        assert!(rest(&mut client).await.ends_with("\r\n\r\none by"));
    });
}

#[test]
fn a_body_kept_beyond_its_exchange_is_closed() {
    test(|| async {
        let kept = Rc::new(RefCell::new(None));
        let keep = Rc::clone(&kept);
        let call = move |request: Request| {
            *keep.borrow_mut() = Some(request.body);
            std::future::ready(Response::new(200, "early"))
        };
        let server = LocalServer::new(call, Limits::default());
        let mut client = connect(&server);
        client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n").await.expect("open");
        until(&mut client, "early").await;
        let mut body = kept.take().expect("called");
        assert_eq!(body.data().await, Some(Err(weir_http::BodyError::Closed)));
        client.write_all(b"123456").await.expect("open");
        client.write_all(&get("/")).await.expect("open");
        until(&mut client, "early").await;
    });
}

#[test]
fn draining_ends_idle_connections_and_lets_exchanges_end() {
    test(|| async {
        let source = Rc::new(Source::default());
        let shared = Rc::clone(&source);
        let call = move |request: Request| {
            std::future::ready(match request.head.path() {
                "/busy" => Response::stream(200, Pulled(Rc::clone(&shared))),
                _ => Response::new(200, "quick"),
            })
        };
        let server = LocalServer::new(call, Limits::default());
        let mut idle = connect(&server);
        idle.write_all(&get("/")).await.expect("open");
        until(&mut idle, "quick").await;
        let mut busy = connect(&server);
        busy.write_all(&get("/busy")).await.expect("open");
        source.give(Pull::Item);
        until(&mut busy, "item\n\r\n").await;
        let mut fresh = connect(&server);
        settle().await;
        server.drain();
        assert_eq!(rest(&mut idle).await, "");
        // A client that has connected may have its request on the way.
        fresh.write_all(&get("/")).await.expect("open");
        let fresh = rest(&mut fresh).await;
        assert!(fresh.contains("\r\nConnection: close\r\n") && fresh.ends_with("quick"), "{fresh}");
        source.give(Pull::Item);
        source.give(Pull::End);
        assert!(rest(&mut busy).await.ends_with("5\r\nitem\n\r\n0\r\n\r\n"));
        server.emptied().await;
    });
}

#[test]
fn cutting_ends_everything() {
    test(|| async {
        let source = Rc::new(Source::default());
        let server = streaming(&source, Limits::default());
        let mut busy = connect(&server);
        busy.write_all(&get("/")).await.expect("open");
        source.give(Pull::Item);
        until(&mut busy, "item\n\r\n").await;
        server.cut();
        source.dropped.notified().await;
        server.emptied().await;
        assert_eq!(rest(&mut busy).await, "");
    });
}

#[test]
fn every_exchange_leaves_one_record() {
    test(|| async {
        let records = Rc::default();
        let call = |request: Request| async move {
            match request.head.path() {
                "/panic" => std::panic::resume_unwind(Box::new("on purpose")),
                "/stream" => {
                    let source = Rc::new(Source::default());
                    source.give(Pull::Item);
                    source.give(Pull::Failed(Failure::new("broke", 502)));
                    Response::stream(200, Pulled(source))
                }
                "/early" => {
                    let source = Rc::new(Source::default());
                    source.give(Pull::Failed(Failure::new("no source", 502)));
                    Response::stream(200, Pulled(source))
                }
                _ => Response::new(201, "twelve bytes"),
            }
        };
        let server = LocalServer::new(Recorded { call, records: Rc::clone(&records) }, Limits::default());
        for request in [get("/a"), get("/panic"), get("/stream"), get("/early"), b"nonsense\r\n".to_vec()] {
            let mut client = connect(&server);
            client.write_all(&request).await.expect("open");
            settle().await;
            client.shutdown().await.expect("open");
            rest(&mut client).await;
        }
        server.emptied().await;
        assert_eq!(
            *records.borrow(),
            [
                "/a Some(201) 12 Answered",
                "/panic Some(500) 22 Panicked",
                "/stream Some(200) 5 broke",
                "/early Some(502) 12 no source",
                "- Some(400) 12 invalid request line",
            ]
        );
    });
}

#[test]
fn a_failed_close_delimited_body_is_reset() {
    test(|| async {
        let source = Rc::new(Source::default());
        let server = streaming(&source, Limits::default());
        let mut client = connect_tcp(&server).await;
        client.write_all(b"GET / HTTP/1.0\r\n\r\n").await.expect("open");
        source.give(Pull::Item);
        until(&mut client, "item\n").await;
        source.give(Pull::Failed(Failure::new("broke", 502)));
        let error = client.read(&mut [0; 16]).await.expect_err("not a clean end");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn lingering_close_delivers_the_answer() {
    test(|| async {
        let server =
            LocalServer::new(|_| std::future::ready(Response::new(413, Body::Empty)), Limits::default());
        let mut client = connect_tcp(&server).await;
        let length = if cfg!(feature = "stress") { 300_000 } else { 400_000 };
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        client.write_all(head.as_bytes()).await.expect("open");
        settle().await;
        // The server has answered and sent its FIN; what still comes must not destroy the answer.
        client.write_all(&vec![b'x'; length]).await.expect("still read");
        let answer = until(&mut client, "\r\n\r\n").await;
        assert!(
            answer.starts_with("HTTP/1.1 413 ") && answer.contains("\r\nConnection: close\r\n"),
            "{answer}"
        );
        assert_eq!(rest(&mut client).await, "");
    });
}
