//! `get-stream` as a response body: what the client sees of an upstream, and when.

use crate::support::client::{Client, Piece};
use crate::support::upstream::{Nobody, Peer, Upstream};
use crate::support::weir_process::{Launch, Server};
use std::process::{Command, Stdio};
use std::time::Duration;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A server that passes `upstream` on.
fn proxy_of(upstream: &Upstream) -> Server {
    proxy_to(&upstream.url("/lines"))
}

fn proxy_to(url: &str) -> Server {
    Server::code(&format!("fn handle(req) {{ get-stream(\"{url}\") }}"))
}

/// A server, a client that asked it, and the upstream's end of the request.
fn asked(upstream: &Upstream) -> (Server, Client, Peer) {
    let server = proxy_of(upstream);
    let client = server.get("/");
    let (peer, _) = upstream.accept_request();
    (server, client, peer)
}

// rule: stream.lazy, stream.get
#[test]
fn a_line_arrives_before_the_next_is_sent() {
    let upstream = Upstream::new();
    let (_server, mut client, mut peer) = asked(&upstream);
    peer.send(CHUNKED);
    peer.chunk("first\n");
    let head = client.head();
    assert_eq!((head.status, head.chunked()), (200, true));
    for line in ["second\n", "third\n", "fourth\n"] {
        client.chunk();
        peer.chunk(line);
    }
    assert_eq!(client.chunk(), "fourth\n");
    peer.end();
    assert_eq!(client.piece(), Piece::End);
}

// rule: stream.body
#[test]
fn every_line_is_a_chunk_of_its_own() {
    let upstream = Upstream::new();
    let (_server, mut client, mut peer) = asked(&upstream);
    let lines: Vec<String> = (0..1000).map(|i| format!("line {i:014}\n")).collect();
    let sent = lines.concat();
    peer.send(format!("{CHUNKED}{:x}\r\n{sent}\r\n0\r\n\r\n", sent.len()));
    let response = client.response();
    assert_eq!(response.pieces, lines);
    assert!(response.complete);
}

// rule: stream.lines
#[test]
fn line_ends_and_empty_lines() {
    let upstream = Upstream::new();
    let (_server, mut client, mut peer) = asked(&upstream);
    peer.send(CHUNKED);
    // CR and LF of one line end in two chunks, a CR alone is no line end, and the last line has none.
    for part in ["a\r\n\nb\r", "\n\r\nc\rd\n", "la", "st"] {
        peer.chunk(part);
    }
    peer.end();
    let response = client.response();
    assert_eq!(response.pieces, ["a\n", "\n", "b\n", "\n", "c\rd\n", "last\n"]);
    assert!(response.complete);
}

#[test]
fn an_empty_body_is_an_empty_stream() {
    let upstream = Upstream::new();
    let (_server, mut client, mut peer) = asked(&upstream);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let response = client.response();
    assert_eq!((response.status(), response.body().as_str(), response.complete), (200, "", true));
}

#[test]
fn a_204_is_an_empty_stream() {
    let upstream = Upstream::new();
    let (_server, mut client, mut peer) = asked(&upstream);
    peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    let response = client.response();
    assert_eq!((response.status(), response.body().as_str(), response.complete), (200, "", true));
}

#[test]
fn a_sized_body_and_a_body_up_to_the_close() {
    let upstream = Upstream::new();
    let (server, mut client, mut peer) = asked(&upstream);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na\nbcd");
    let response = client.response();
    assert_eq!(response.pieces, ["a\n", "bcd\n"]);
    assert!(response.complete);
    drop(peer);

    let mut client = server.get("/");
    let (mut peer, _) = upstream.accept_request();
    peer.send("HTTP/1.0 200 OK\r\n\r\nx\ny");
    drop(peer);
    let response = client.response();
    assert_eq!(response.pieces, ["x\n", "y\n"]);
    assert!(response.complete);
}

#[test]
fn lines_of_a_megabyte() {
    let upstream = Upstream::new();
    let (_server, mut client, mut peer) = asked(&upstream);
    let line = format!("{}\n", "0123456789abcdef".repeat(64 * 1024));
    // The sender has a thread of its own: neither side can hold a megabyte back.
    let sender = std::thread::spawn({
        let line = line.clone();
        move || {
            peer.send(CHUNKED);
            for _ in 0..3 {
                peer.chunk(&line);
            }
            peer.end();
        }
    });
    let response = client.response();
    sender.join().expect("the client reads everything");
    assert!(response.complete);
    assert_eq!(response.pieces.len(), 3);
    assert!(response.pieces.iter().all(|p| *p == line));
}

// rule: limit.line
#[test]
fn lines_at_their_limit() {
    let upstream = Upstream::new();
    let code = format!("fn handle(req) {{ get-stream(\"{}\") }}", upstream.url("/"));
    let server = Launch::new(&["-e", &code, "--max-line", "1kb", "--log-format", "off"]).start();
    let mut client = server.get("/");
    let mut peer = upstream.accept_chunked();
    // The line end does not count, whether it is LF or CRLF.
    for length in [1023, 1024] {
        for end in ["\n", "\r\n"] {
            let line = "x".repeat(length);
            peer.chunk(&format!("{line}{end}"));
            if (length, end) == (1023, "\n") {
                assert_eq!(client.head().status, 200);
            }
            assert_eq!(client.chunk(), format!("{line}\n"));
        }
    }
    peer.chunk(&format!("{}\n", "x".repeat(1025)));
    assert_eq!(client.piece(), Piece::Cut);
    peer.expect_gone();
}

// rule: stream.failure
#[test]
fn an_upstream_that_dies_in_a_chunk_cuts_the_response() {
    let upstream = Upstream::new();
    let (_server, mut client, mut peer) = asked(&upstream);
    peer.send(CHUNKED);
    peer.chunk("whole\n");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "whole\n");
    peer.send("64\r\nhalf");
    drop(peer);
    assert_eq!(client.piece(), Piece::Cut);
}

#[test]
fn an_upstream_that_resets_cuts_the_response() {
    let upstream = Upstream::new();
    let (_server, mut client, mut peer) = asked(&upstream);
    peer.send(CHUNKED);
    peer.chunk("whole\n");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "whole\n");
    peer.rst();
    assert_eq!(client.piece(), Piece::Cut);
}

#[test]
fn an_upstream_that_ends_without_its_final_chunk_cuts_the_response() {
    let upstream = Upstream::new();
    let (_server, mut client, mut peer) = asked(&upstream);
    peer.send(CHUNKED);
    peer.chunk("whole\n");
    drop(peer);
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "whole\n");
    assert_eq!(client.piece(), Piece::Cut);
}

#[test]
fn an_upstream_that_sends_less_than_it_announced_cuts_the_response() {
    let upstream = Upstream::new();
    let (_server, mut client, mut peer) = asked(&upstream);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nwhole\nhalf");
    drop(peer);
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "whole\n");
    assert_eq!(client.piece(), Piece::Cut);
}

#[test]
fn input_that_is_not_utf8_cuts_the_response() {
    let upstream = Upstream::new();
    let (_server, mut client, mut peer) = asked(&upstream);
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ngood\n\xff\xfe\n\n");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "good\n");
    assert_eq!(client.piece(), Piece::Cut);
}

// rule: stream.failure
#[test]
fn curl_notices_a_cut_response() {
    let curl = Command::new("curl").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !curl.is_ok_and(|s| s.success()) {
        println!("skipped: curl is not installed");
        return;
    }
    let upstream = Upstream::new();
    let server = proxy_of(&upstream);
    let curl = Command::new("curl")
        .args(["-sS", "-N", "--max-time", "20", &format!("http://{}/", server.tcp())])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("curl starts");
    let mut peer = upstream.accept_chunked();
    peer.chunk("whole\n");
    peer.send("64\r\nhalf");
    drop(peer);
    let output = curl.wait_with_output().expect("curl ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "whole\n");
    assert_eq!(output.status.code(), Some(18), "{}", String::from_utf8_lossy(&output.stderr));
}

// rule: stream.failure-status
#[test]
fn an_answer_that_is_not_2xx_is_a_502() {
    for answer in ["404 Not Found", "500 Internal Server Error", "304 Not Modified"] {
        let upstream = Upstream::new();
        let (_server, mut client, mut peer) = asked(&upstream);
        peer.send(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n"));
        let response = client.response();
        assert_eq!((response.status(), response.complete), (502, true), "{answer}");
        assert!(!response.body().contains("127.0.0.1"), "the upstream's address leaks: {}", response.body());
    }
}

#[test]
fn an_upstream_that_is_not_http_is_a_502() {
    let upstream = Upstream::new();
    let (_server, mut client, mut peer) = asked(&upstream);
    peer.send("220 ready for mail\r\n\r\n");
    drop(peer);
    assert_eq!(client.response().status(), 502);
}

#[test]
fn an_upstream_that_hangs_up_at_once_is_a_502() {
    let upstream = Upstream::new();
    let (_server, mut client, peer) = asked(&upstream);
    drop(peer);
    assert_eq!(client.response().status(), 502);
}

#[test]
fn nobody_at_the_upstream_is_a_502_and_the_connection_stays() {
    let nobody = Nobody::new();
    let server = proxy_to(&nobody.url("/"));
    let mut client = server.connect();
    for _ in 0..3 {
        client.get("/");
        let response = client.response();
        assert_eq!((response.status(), response.complete), (502, true));
    }
}

// rule: http.first-item-window
#[test]
fn the_head_does_not_wait_for_a_slow_upstream() {
    let upstream = Upstream::new();
    let server = proxy_of(&upstream);
    let mut client = server.get("/");
    // Nobody has accepted yet.
    let head = client.head();
    assert_eq!((head.status, head.chunked()), (200, true));
    let mut peer = upstream.accept_chunked();
    peer.chunk("late\n");
    assert_eq!(client.chunk(), "late\n");
    peer.end();
    assert_eq!(client.piece(), Piece::End);
}

// rule: http.first-item-window
#[test]
fn a_failure_after_the_head_is_a_cut() {
    let upstream = Upstream::new();
    let (_server, mut client, mut peer) = asked(&upstream);
    assert_eq!(client.head().status, 200);
    peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.piece(), Piece::Cut);
}

// rule: http.head
#[test]
fn head_asks_no_upstream() {
    let upstream = Upstream::new();
    let server = proxy_of(&upstream);
    let mut client = server.connect();
    client.request("HEAD", "/", "");
    assert_eq!(client.response_to_head().head.status, 200);
    // A second exchange on the same connection: nothing of a body came, and what the first started would be here by now.
    client.request("HEAD", "/", "");
    assert_eq!(client.response_to_head().head.status, 200);
    assert!(!upstream.is_asked_within(Duration::ZERO));
}

#[test]
fn map_filter_and_take_over_an_upstream() {
    let upstream = Upstream::new();
    let url = upstream.url("/");
    let server = Server::code(&format!(
        "fn handle(req) {{ get-stream(\"{url}\").filter(l => l.starts-with(\"a\")).map(l => l.upper()).take(2) }}"
    ));
    let mut client = server.get("/");
    let mut peer = upstream.accept_chunked();
    for line in ["apple\n", "pear\n", "avocado\n"] {
        peer.chunk(line);
    }
    assert_eq!(client.response().pieces, ["APPLE\n", "AVOCADO\n"]);
    // `take` closes its source, though it has more to give.
    peer.expect_gone();
}

#[test]
fn backpressure_reaches_the_upstream() {
    let upstream = Upstream::new();
    let (server, client, mut peer) = asked(&upstream);
    peer.send(CHUNKED);
    // The client reads nothing. An upstream that is read without limit would take all of this; a regulated one makes
    // the sender wait, so the sender has a thread of its own, and it fails when the client goes.
    let line = "x".repeat(64 * 1024 - 1) + "\n";
    let (started, enough) = std::sync::mpsc::channel();
    let sender = std::thread::spawn(move || {
        let mut sent = 0;
        let chunk = format!("{:x}\r\n{line}\r\n", line.len());
        while peer.try_send(chunk.as_bytes()).is_ok() {
            sent += 1;
            let _ = started.send(sent);
            assert!(sent < 4096, "the server took 256 MiB that nobody reads");
        }
    });
    assert_eq!(enough.recv_timeout(crate::support::GUARD), Ok(1));
    // The server answers others meanwhile.
    let mut other = server.connect();
    other.request("HEAD", "/", "");
    assert_eq!(other.head().status, 200);
    // Nothing moves any more once all buffers on the way are full.
    while enough.recv_timeout(Duration::from_millis(300)).is_ok() {}
    client.rst();
    sender.join().expect("the sender fails when the client has gone");
}
