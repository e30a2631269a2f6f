//! What the tests of single connections share: a paused clock, sources fed by hand, clients.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task::{spawn_local, yield_now};
use tokio::time::timeout;

use weir_http::{
    Access, ItemSink, Limits, LocalServer, Outcome, Peer, Pull, PullBody, Request, Response, Service,
};

/// Runs a test on a paused clock.
pub fn test<F: Future<Output = ()>>(body: impl FnOnce() -> F) {
    let runtime =
        Builder::new_current_thread().enable_all().start_paused(true).build_local(Default::default());
    runtime.expect("a runtime").block_on(async {
        timeout(Duration::from_secs(3600), body())
            .await
            .expect("the test waits for something that never comes");
    });
}

/// Lets the other side have its turns.
pub async fn settle() {
    for _ in 0..8 {
        yield_now().await;
    }
}

/// A source the test feeds by hand.
#[derive(Default)]
pub struct Source {
    pub items: RefCell<VecDeque<Pull>>,
    pub waker: RefCell<Option<Waker>>,
    pub polls: Cell<u32>,
    pub pulled: Cell<u32>,
    pub dropped: Notify,
    pub is_dropped: Cell<bool>,
}

impl Source {
    pub fn give(&self, pull: Pull) {
        self.items.borrow_mut().push_back(pull);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// The body that pulls it; each item is `item\n`.
pub struct Pulled(pub Rc<Source>);

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
pub struct Endless {
    pub source: Rc<Source>,
    pub item: Bytes,
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
pub struct Recorded<F> {
    pub call: F,
    pub records: Rc<RefCell<Vec<String>>>,
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

pub fn connect<S: Service>(server: &LocalServer<S>) -> UnixStream {
    let (ours, theirs) = UnixStream::pair().expect("descriptors");
    spawn_local(server.serve(theirs.into_std().expect("a socket"), Peer::Unix).expect("a free slot"));
    ours
}

pub async fn connect_tcp<S: Service>(server: &LocalServer<S>) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let ours = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("it listens");
    let (theirs, peer) = listener.accept().await.expect("connected");
    let theirs: OwnedFd = theirs.into_std().expect("a socket").into();
    spawn_local(server.serve(theirs, Peer::Ip(peer)).expect("a free slot"));
    ours
}

pub fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
}

pub async fn rest(socket: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut all = Vec::new();
    socket.read_to_end(&mut all).await.expect("no reset");
    String::from_utf8(all).expect("text")
}

/// Reads until the text ends so.
pub async fn until(socket: &mut (impl AsyncReadExt + Unpin), end: &str) -> String {
    let mut all = Vec::new();
    while !all.ends_with(end.as_bytes()) {
        let count = socket.read_buf(&mut all).await.expect("no reset");
        assert!(count > 0, "expected {end:?} after {:?}", String::from_utf8_lossy(&all));
    }
    String::from_utf8(all).expect("text")
}

/// A server whose every response is the source's stream.
pub fn streaming(source: &Rc<Source>, limits: Limits) -> LocalServer<impl Service + use<>> {
    let source = Rc::clone(source);
    let call = move |_| std::future::ready(Response::stream(200, Pulled(Rc::clone(&source))));
    LocalServer::new(call, limits)
}
