//! Orders carried out against upstreams that the tests play.

use super::*;
use crate::scope::Scope;
use crate::testing;
use bytes::Bytes;
use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

mod https;
mod pooling;
mod redirects;
mod uploads;

fn get(url: &str) -> Order {
    Order {
        url: url.to_owned(),
        method: "GET".to_owned(),
        fields: Vec::new(),
        media_type: String::new(),
        content: Bytes::new(),
        terms: Terms {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(30),
            timeout: None,
            redirects: 5,
            public_only: false,
        },
    }
}

/// An upstream that listens.
struct Upstream {
    listener: TcpListener,
    url: String,
}

impl Upstream {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        Self { listener, url }
    }

    async fn accept(&self) -> Peer {
        Peer(self.listener.accept().await.expect("a connection").0)
    }
}

/// A connection of an upstream.
struct Peer(TcpStream);

impl Peer {
    /// Reads up to the empty line.
    async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.expect("a head"));
        }
        String::from_utf8(head).expect("ASCII")
    }

    async fn send(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.expect("room");
    }

    /// Whether the other side went without a word.
    async fn is_gone(&mut self) -> bool {
        let read = tokio::time::timeout(Duration::from_secs(5), self.0.read(&mut [0; 1])).await;
        matches!(read.expect("it goes at once"), Ok(0) | Err(_))
    }
}

async fn ask(scope: &mut Scope, order: Order) -> Result<ReplyBody, Failure> {
    let mut asking = Asking::new(order, None, scope).expect("room");
    poll_fn(|cx| asking.poll(scope, cx)).await
}

async fn read(scope: &mut Scope, mut body: ReplyBody) -> Result<String, Failure> {
    let mut all = Vec::new();
    while let Some(piece) = poll_fn(|cx| body.poll_piece(scope, cx)).await? {
        all.extend_from_slice(&piece);
    }
    Ok(String::from_utf8(all).expect("ASCII"))
}

fn failure(asked: Result<ReplyBody, Failure>) -> Failure {
    match asked {
        Ok(body) => panic!("answered {}", body.head().status),
        Err(failure) => failure,
    }
}

/// Idle connections and connections in use.
fn connections(scope: &Scope) -> (i64, i64) {
    let counters = scope.worker().counters;
    (counters.pooled.get(), counters.upstreams.get())
}

#[tokio::test]
async fn any_status_is_an_answer() {
    let s = &mut testing::scope();
    let upstream = Upstream::new().await;
    let mut order = get(&format!("{}/a?b", upstream.url));
    order.method = "PUT".to_owned();
    order.content = Bytes::from_static(b"hello");
    order.media_type = "text/plain".to_owned();
    order.fields = vec![("X-A".to_owned(), "1".to_owned())];
    let serving = async {
        let mut peer = upstream.accept().await;
        let head = peer.head().await.to_lowercase();
        assert!(head.starts_with("put /a?b http/1.1\r\n"), "{head}");
        for field in ["x-a: 1", "content-length: 5", "content-type: text/plain", "accept-encoding: identity"]
        {
            assert!(head.contains(&format!("\r\n{field}\r\n")), "{field}: {head}");
        }
        let mut body = [0; 5];
        peer.0.read_exact(&mut body).await.expect("the body");
        assert_eq!(&body, b"hello");
        peer.send("HTTP/1.1 404 Not Found\r\nA: 1\r\nA: 2\r\nContent-Length: 2\r\n\r\nno").await;
        peer
    };
    let room = s.heap().room();
    let (answer, _peer) = tokio::join!(ask(s, order), serving);
    let answer = answer.expect("an answer");
    assert_eq!(s.heap().room(), room - link::BUFFER, "the connection's buffer is the request's");
    let head = Rc::clone(answer.head());
    assert_eq!((head.status.as_u16(), head.fields.get_all("a").iter().count()), (404, 2));
    assert_eq!(head.url, format!("{}/a?b", upstream.url));
    assert_eq!(read(s, answer).await.expect("a body"), "no");
    assert_eq!((connections(s), s.heap().room()), ((1, 0), room));
}

#[tokio::test]
async fn methods_are_known_in_any_case() {
    let s = &mut testing::scope();
    for (method, sent) in [("post", "POST /"), ("Patch", "PATCH /"), ("purge", "purge /")] {
        let upstream = Upstream::new().await;
        let mut order = get(&upstream.url);
        order.method = method.to_owned();
        let serving = async {
            let mut peer = upstream.accept().await;
            let head = peer.head().await;
            assert!(head.starts_with(sent), "{head}");
            peer.send("HTTP/1.1 204 No Content\r\n\r\n").await;
        };
        let (answer, ()) = tokio::join!(ask(s, order), serving);
        answer.expect("an answer");
    }
}

#[tokio::test]
async fn what_is_no_order_is_refused() {
    let s = &mut testing::scope();
    let with = |change: fn(&mut Order)| {
        let mut order = get("http://127.0.0.1:1/");
        change(&mut order);
        order
    };
    let cases = [
        (with(|o| o.url = "x".to_owned()), "begins with http"),
        (with(|o| o.method = "A B".to_owned()), "no method"),
        (with(|o| o.method = "CONNECT".to_owned()), "proxies"),
        (with(|o| o.fields = vec![("a".to_owned(), "b\r\nc: d".to_owned())]), "no header field"),
        (with(|o| o.fields = vec![("Transfer-Encoding".to_owned(), "x".to_owned())]), "set by Weir"),
        (with(|o| o.terms.public_only = true), "127.0.0.1 is not a public address"),
    ];
    let room = s.heap().room();
    for (order, why) in cases {
        let failure = failure(ask(s, order).await);
        assert!(failure.kind == "invalid" && failure.message.contains(why), "{why}: {failure}");
    }
    assert_eq!((connections(s), s.heap().room()), ((0, 0), room));
}

#[tokio::test(start_paused = true)]
async fn each_step_has_its_deadline() {
    let s = &mut testing::scope();
    let upstream = Upstream::new().await;
    let begun = tokio::time::Instant::now();
    let late = failure(ask(s, get(&upstream.url)).await);
    assert_eq!((late.kind, late.status, begun.elapsed().as_secs()), ("timeout", 504, 30));
    let begun = tokio::time::Instant::now();
    let mut order = get(&upstream.url);
    order.terms.timeout = Some(Duration::from_secs(90));
    assert_eq!(failure(ask(s, order).await).kind, "timeout");
    assert_eq!(begun.elapsed().as_secs(), 90, "it takes the place of the limit");
    assert_eq!(connections(s), (0, 0));
}

#[tokio::test]
async fn a_dropped_order_closes_its_socket() {
    let s = &mut testing::scope();
    let upstream = Upstream::new().await;
    let mut asking = Asking::new(get(&upstream.url), None, s).expect("room");
    let mut peer = tokio::select! {
        _ = poll_fn(|cx| asking.poll(s, cx)) => panic!("nobody answered"),
        peer = async { let mut peer = upstream.accept().await; peer.head().await; peer } => peer,
    };
    assert_eq!(connections(s), (0, 1));
    drop(asking);
    assert!(peer.is_gone().await);
    assert_eq!(connections(s), (0, 0));
}
