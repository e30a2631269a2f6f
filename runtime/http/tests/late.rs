//! The time that a response whose bytes are all there has for being taken, on a virtual clock.

mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};

use support::{Endless, Recorded, Source, connect, get, test, until};
use weir_http::{Limits, LocalServer, Request, Response, Service};

/// More than a socket between two sides holds.
const LARGE: usize = 8 << 20;
const TIME: Duration = Duration::from_secs(10);

type Records = Rc<RefCell<Vec<String>>>;

/// Answers after a second: `/small`, `/large`, and `/stream` without an end; those of known length have ten seconds.
fn server(records: &Records) -> LocalServer<impl Service + use<>> {
    let call = |request: Request| async move {
        sleep(Duration::from_secs(1)).await;
        let item = Bytes::from(vec![b'x'; 1000]);
        match request.head.path() {
            "/small" => Response::new(200, "small"),
            "/large" => Response::new(200, vec![b'x'; LARGE]),
            _ => Response::stream(200, Endless { source: Rc::new(Source::default()), item }),
        }
    };
    let limits =
        Limits { stall_timeout: Duration::from_secs(60), response_time: Some(TIME), ..Limits::default() };
    LocalServer::new(Recorded { call, records: Rc::clone(records) }, limits)
}

/// A client that has sent that, with its server and what that one records.
async fn asked(requests: &[u8]) -> (UnixStream, LocalServer<impl Service + use<>>, Records) {
    let records = Records::default();
    let server = server(&records);
    let mut client = connect(&server);
    client.write_all(requests).await.expect("open");
    (client, server, records)
}

/// Reads a little every second, until the connection ends.
fn trickle(mut client: UnixStream) {
    spawn_local(async move {
        let mut some = vec![0; 1000];
        while client.read(&mut some).await.is_ok_and(|count| count > 0) {
            sleep(Duration::from_secs(1)).await;
        }
    });
}

#[test]
fn a_large_body_that_is_taken_too_slowly_is_cut() {
    test(|| async {
        let (client, server, records) = asked(&get("/large")).await;
        let start = Instant::now();
        trickle(client);
        server.emptied().await;
        let waited = start.elapsed().as_secs();
        assert!((10..=11).contains(&waited), "cut after {waited} s");
        let record = records.borrow()[0].clone();
        let words: Vec<&str> = record.split(' ').collect();
        let bytes: usize = words[2].parse().expect("bytes");
        assert!(words[..2] == ["/large", "Some(200)"] && words[3] == "Late", "{record}");
        assert!(bytes < LARGE, "the record tells what went out: {bytes}");
    });
}

#[test]
fn a_stream_has_all_the_time() {
    test(|| async {
        let (mut client, server, records) = asked(&get("/stream")).await;
        let mut some = [0; 100];
        for _ in 0..4 {
            sleep(TIME).await;
            client.read_exact(&mut some).await.expect("open");
        }
        assert!(records.borrow().is_empty());
        drop(client);
        server.emptied().await;
        assert!(records.borrow()[0].ends_with("Gone"), "{:?}", records.borrow());
    });
}

#[test]
fn the_time_is_that_of_each_request() {
    test(|| async {
        // Eleven seconds on one connection, behind each other.
        let (mut client, _server, records) = asked(&get("/small").repeat(11)).await;
        for _ in 0..11 {
            until(&mut client, "small").await;
        }
        assert!(records.borrow().iter().all(|record| record.ends_with("5 Answered")));
    });
}
