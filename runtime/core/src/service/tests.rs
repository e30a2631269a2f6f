//! Requests over real sockets, answered by handlers written as compiled code would be.

use super::*;
use crate::heap::Word;
use crate::testing::{self, Code1, make_text, native};
use std::future::poll_fn;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use weir_abi::context::Ctx;
use weir_http::{Limits, LocalServer};

/// Gives up an owned reference as compiled code does.
fn give_up(ctx: *mut Ctx, word: Word) {
    // SAFETY: an owned reference to a live object.
    unsafe {
        let count = (word as *mut u32).read() - 1;
        (word as *mut u32).write(count);
        if count == 0 {
            native(ctx, "free", &[word]);
        }
    }
}

/// `request.query.get("name")`, or the path.
extern "C" fn echoes(ctx: *mut Ctx, request: Word) -> Word {
    let query = native(ctx, "request-query", &[request]);
    let key = make_text(ctx, "name");
    let mut text = native(ctx, "query-get", &[query, key]);
    if text == 0 {
        text = native(ctx, "request-path", &[request]);
    }
    for word in [query, key, request] {
        give_up(ctx, word);
    }
    native(ctx, "respond-text", &[text])
}

extern "C" fn traps(ctx: *mut Ctx, request: Word) -> Word {
    give_up(ctx, request);
    native(ctx, "trap", &[1, 0, 0])
}

extern "C" fn naps(ctx: *mut Ctx, request: Word) -> Word {
    give_up(ctx, request);
    native(ctx, "sleep", &[3_600_000_000_000]);
    native(ctx, "respond-empty", &[204])
}

extern "C" fn empty(ctx: *mut Ctx, request: Word) -> Word {
    give_up(ctx, request);
    native(ctx, "respond-empty", &[204])
}

extern "C" fn page(ctx: *mut Ctx, request: Word) -> Word {
    give_up(ctx, request);
    let (body, kind) = (make_text(ctx, "<p>"), make_text(ctx, "text/html"));
    let made = native(ctx, "respond", &[201, body, kind]);
    give_up(ctx, kind);
    made
}

/// The lines of a text, as a stream.
extern "C" fn lines(ctx: *mut Ctx, request: Word) -> Word {
    give_up(ctx, request);
    let text = make_text(ctx, "one\ntwo\n\nthree");
    let list = native(ctx, "text-lines", &[text]);
    give_up(ctx, text);
    let stream = native(ctx, "list-stream", &[list]);
    native(ctx, "respond-lines", &[stream])
}

/// `get-stream` of the URL in the query.
extern "C" fn proxies(ctx: *mut Ctx, request: Word) -> Word {
    let query = native(ctx, "request-query", &[request]);
    let key = make_text(ctx, "url");
    let url = native(ctx, "query-get", &[query, key]);
    for word in [query, key, request] {
        give_up(ctx, word);
    }
    let order = native(ctx, "list-new", &[u64::from(weir_abi::layout::shape::LIST_REF), 3]);
    let order = native(ctx, "list-push", &[order, url]);
    let order = native(ctx, "list-push", &[order, make_text(ctx, "GET")]);
    let order = native(ctx, "list-push", &[order, make_text(ctx, "")]);
    let terms = native(ctx, "list-new", &[u64::from(weir_abi::layout::shape::LIST_WORD), 0]);
    let content = make_text(ctx, "");
    let item = u64::from(testing::types::TEXT.0);
    let stream = native(ctx, "fetch-lines", &[item, order, content, 0, terms]);
    for word in [order, content, terms] {
        give_up(ctx, word);
    }
    native(ctx, "respond-lines", &[stream])
}

/// A server with that handler, and a client of it.
async fn connect(handler: Code1) -> TcpStream {
    let app = testing::app(testing::module(testing::nothing, Some(handler)));
    let newest = Newest::of(&Versions::new(app.version()), LogFormat::Off);
    let service = HandlerService { newest, worker: Worker::current(), log: LogFormat::Off };
    let server = LocalServer::new(service, Limits::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let client = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
    let (socket, peer) = listener.accept().await.expect("a connection");
    let socket = socket.into_std().expect("a socket");
    let connection = server.serve(socket, weir_http::Peer::Ip(peer)).expect("room");
    tokio::task::spawn_local(connection);
    client
}

/// What a handler answers to `GET {target}`: head without Date, and the rest.
async fn get(handler: Code1, target: &str) -> (String, String) {
    let mut client = connect(handler).await;
    let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    client.write_all(request.as_bytes()).await.expect("room");
    let mut answer = Vec::new();
    // An aborted response may end in a reset.
    let _ = client.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).expect("UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let head: Vec<_> = head.split("\r\n").filter(|l| !l.to_lowercase().starts_with("date:")).collect();
    (head.join("\n").to_lowercase(), body.to_owned())
}

async fn local<T>(test: impl Future<Output = T>) -> T {
    tokio::task::LocalSet::new().run_until(test).await
}

#[tokio::test]
async fn texts_are_answers() {
    local(async {
        let (head, body) = get(echoes, "/a%20b?x=1").await;
        assert!(head.starts_with("http/1.1 200") && head.contains("content-length: 4"), "{head}");
        assert!(head.contains("content-type: text/plain; charset=utf-8"), "{head}");
        assert_eq!(body, "/a b");
        assert_eq!(get(echoes, "/?name=A+%C3%A9").await.1, "A é");
        let (head, body) = get(page, "/").await;
        assert!(head.starts_with("http/1.1 201") && head.contains("content-type: text/html"), "{head}");
        assert_eq!((body.as_str(), head.matches("content-type").count()), ("<p>", 1));
        let (head, body) = get(empty, "/").await;
        assert!(head.starts_with("http/1.1 204") && !head.contains("content-"), "{head}");
        assert_eq!(body, "");
        assert_eq!(Worker::current().counters.scopes.get(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_trap_is_a_500_that_leaks_nothing() {
    local(async {
        let (head, body) = get(traps, "/").await;
        assert!(head.starts_with("http/1.1 500"), "{head}");
        assert_eq!(body, "Internal Server Error\n");
        assert_eq!(Worker::current().counters.scopes.get(), 0);
    })
    .await;
}

#[tokio::test]
async fn streams_are_one_chunk_per_line() {
    local(async {
        let (head, body) = get(lines, "/").await;
        assert!(head.contains("transfer-encoding: chunked") && head.contains("text/plain"), "{head}");
        assert_eq!(body, "4\r\none\n\r\n4\r\ntwo\n\r\n1\r\n\n\r\n6\r\nthree\n\r\n0\r\n\r\n");
        assert_eq!(Worker::current().counters.streams.get(), 0);
    })
    .await;
}

#[tokio::test]
async fn upstream_failures_are_statuses_or_cuts() {
    local(async {
        let upstream = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = upstream.local_addr().expect("an address");
        let serving = tokio::spawn(async move {
            for answer in ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na\nb\n", "HTTP/1.1 500 Oh\r\n\r\n"] {
                let (mut socket, _) = upstream.accept().await.expect("a connection");
                let _ = socket.read(&mut [0; 1024]).await;
                socket.write_all(answer.as_bytes()).await.expect("room");
            }
        });
        let target = format!("/?url=http://{address}");
        let (head, body) = get(proxies, &target).await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(body, "2\r\na\n\r\n2\r\nb\n\r\n", "no last chunk");
        let (head, _) = get(proxies, &target).await;
        assert!(head.starts_with("http/1.1 502"), "{head}");
        serving.await.expect("served");
        assert!(get(proxies, &target).await.0.starts_with("http/1.1 502"));
    })
    .await;
}

#[tokio::test]
async fn a_client_that_goes_cancels() {
    local(async {
        let counters = Worker::current().counters;
        let mut client = connect(naps).await;
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("room");
        while counters.fibers.get() == 0 {
            tokio::task::yield_now().await;
        }
        drop(client);
        let gone = poll_fn(|cx| {
            cx.waker().wake_by_ref();
            if counters.scopes.get() == 0 { Poll::Ready(()) } else { Poll::Pending }
        });
        tokio::time::timeout(Duration::from_secs(5), gone).await.expect("the request is cancelled");
        assert_eq!((counters.fibers.get(), counters.resources.get()), (0, 0));
    })
    .await;
}
