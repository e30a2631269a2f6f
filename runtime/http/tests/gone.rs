//! Clients that go, break or do not read: cancellation, backpressure, and closing so that answers arrive.

mod support;

use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use support::{Endless, Recorded, Source, connect, connect_tcp, get, rest, settle, streaming, test, until};
use weir_http::{Body, Failure, Limits, LocalServer, Pull, Request, Response};

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
#[cfg(target_os = "linux")]
fn a_client_that_reads_slowly_is_not_stalled() {
    test(|| async {
        let source = Rc::new(Source::default());
        let size = if cfg!(feature = "stress") { 8 } else { 1000 };
        let shared = Rc::clone(&source);
        let call = move |_| {
            let body = Endless { source: Rc::clone(&shared), item: Bytes::from(vec![b'x'; size]) };
            std::future::ready(Response::stream(200, body))
        };
        let server = LocalServer::new(call, Limits::default());
        let mut client = connect(&server);
        client.write_all(&get("/")).await.expect("open");
        sleep(Duration::from_secs(1)).await;
        // Too little at a time for the kernel to tell of room: what it holds shrinks all the same.
        let mut some = vec![0; source.pulled.get() as usize * size / 10];
        for _ in 0..5 {
            sleep(Duration::from_secs(20)).await;
            client.read_exact(&mut some).await.expect("open");
        }
        assert!(!source.is_dropped.get());
        let start = Instant::now();
        source.dropped.notified().await;
        let waited = start.elapsed().as_secs();
        assert!((20..=60).contains(&waited), "cut after {waited} s");
        server.emptied().await;
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
