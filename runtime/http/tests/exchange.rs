//! Exchanges on one connection: order, bodies, records, draining. Server and client share a thread and a
//! virtual clock; what must not depend on time is awaited, what does is measured on that clock.

mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};

use support::{Pulled, Recorded, Source, connect, get, rest, settle, streaming, test, until};
use weir_http::{Failure, Limits, LocalServer, Pull, Request, Response};

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
