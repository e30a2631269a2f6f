//! Bodies of requests: whole, line by line, and while they are still on their way.

use crate::support::client::{Client, Piece};
use crate::support::weir_process::{Launch, Server};

const CODE: &str = "
fn handle(req) {
  match req.path {
    \"/upper\" => req.lines().map(line => line.upper())
    \"/chunks\" => req.chunks()
    \"/text\" => req.text()
    \"/length\" => \"{req.bytes()?.len()}\"
    \"/first\" => req.lines().first()?
    \"/sum\" => \"{req.chunks().fold(0, (sum, piece) => sum + piece.len())?}\"
    _ => \"ignored\"
  }
}";

fn serve(options: &[&str]) -> Server {
    Launch::new(&[&["-e", CODE], options].concat()).start()
}

/// A chunk as it is sent.
fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}

fn begin_chunked(client: &mut Client, target: &str) {
    client.request("POST", target, "Transfer-Encoding: chunked\r\n");
}

// rule: http.duplex, request.lines
#[test]
fn an_upload_is_answered_line_by_line_while_it_comes() {
    let server = serve(&[]);
    let mut client = server.connect();
    for _ in 0..2 {
        begin_chunked(&mut client, "/upper");
        client.send(chunk("one\n"));
        assert_eq!(client.head().status, 200);
        assert_eq!(client.chunk(), "ONE\n");
        for line in ["two", "three"] {
            // In two pieces, and with an extension that nobody knows.
            let (begin, end) = line.split_at(2);
            client.send(chunk(begin));
            client.send(format!("{:x};note=\"x\"\r\n{end}\n\r\n", end.len() + 1));
            assert_eq!(client.chunk(), format!("{}\n", line.to_uppercase()));
        }
        client.send(chunk("last"));
        client.send("0\r\nX-Trailer: dropped\r\n\r\n");
        assert_eq!(client.chunk(), "LAST\n");
        assert_eq!(client.piece(), Piece::End);
    }
    client.get("/");
    assert_eq!(client.response().body(), "ignored", "both sides finished, so the connection goes on");
}

// rule: http.duplex
#[test]
fn a_connection_goes_on_behind_a_large_upload_that_was_answered_meanwhile() {
    let server = serve(&[]);
    let mut client = server.connect();
    let lines = 40_000;
    client.request("POST", "/upper", &format!("Content-Length: {}\r\n", lines * 10));
    // The answer begins while most of the body is still to come.
    client.send("line 0000\n");
    let head = client.head();
    assert_eq!((head.status, head.field("connection")), (200, None));
    assert_eq!(client.chunk(), "LINE 0000\n");
    for block in 1..lines / 100 {
        client.send("line 0000\n".repeat(100));
        for _ in 0..100 {
            assert_eq!(client.chunk(), "LINE 0000\n", "block {block}");
        }
    }
    client.send("line 0000\n".repeat(99));
    for _ in 0..99 {
        client.chunk();
    }
    assert_eq!(client.piece(), Piece::End);
    client.get("/");
    assert_eq!(client.response().body(), "ignored");
}

// rule: http.duplex, limit.stall
#[test]
#[cfg_attr(feature = "stress", ignore = "byte by byte, megabytes take minutes")]
fn a_client_that_sends_and_never_reads_is_held_back_and_cut() {
    let server = serve(&["--stall-timeout", "300ms", "--log-format", "json"]);
    let mut client = server.connect();
    begin_chunked(&mut client, "/upper");
    let block = chunk(&"a line of the upload\n".repeat(3000));
    let mut sent = 0;
    // Sockets hold a few megabytes in both directions; more is not taken, and then the connection is reset.
    while client.try_send(block.as_bytes()).is_ok() {
        sent += block.len();
        assert!(sent < 64 << 20, "{sent} bytes were taken from a client that reads nothing");
    }
    let line = server.stderr_line("an access line", |line| line.contains("/upper"));
    assert!(line.contains("\"outcome\":\"stalled\""), "{line}");
    server.counters_until("a stalled upload is left behind", |c| c["scopes"] == 0 && c["streams"] == 0);
}

// rule: http.duplex
#[test]
fn a_client_that_sends_everything_first_gets_everything() {
    let server = serve(&[]);
    let mut client = server.connect();
    // As much as sockets hold by themselves.
    let body = "line\n".repeat(2000);
    client.request("POST", "/upper", &format!("Content-Length: {}\r\n", body.len()));
    client.send(&body);
    let response = client.response();
    assert!(response.complete && response.body() == body.to_uppercase());
}

// rule: limit.body
#[test]
fn a_whole_body_is_limited() {
    let server = serve(&["--max-body", "10", "--log-format", "off"]);
    for (length, status) in [(9, 200), (10, 200), (11, 413)] {
        let body = "x".repeat(length);
        let mut declared = server.connect();
        declared.request("POST", "/text", &format!("Content-Length: {length}\r\n"));
        declared.send(&body);
        assert_eq!(declared.response().status(), status, "{length} bytes");
        let mut chunked = server.connect();
        begin_chunked(&mut chunked, "/text");
        chunked.send(chunk(&body[..5]));
        chunked.send(format!("{}0\r\n\r\n", chunk(&body[5..])));
        assert_eq!(chunked.response().status(), status, "{length} bytes in chunks");
    }
    // What is declared is refused before any of it is sent, and no more of a chunked one is read than the limit takes.
    let mut client = server.connect();
    client.request("POST", "/text", "Content-Length: 11\r\n");
    assert_eq!(client.response().status(), 413);
    let mut client = server.connect();
    begin_chunked(&mut client, "/text");
    client.send(chunk("hello"));
    client.send(chunk("hello!"));
    let response = client.response();
    assert_eq!((response.status(), response.body().as_str()), (413, "the request body is too large\n"));
    // Bit by bit it may have any length.
    let mut client = server.connect();
    client.request("POST", "/upper", "Content-Length: 16\r\n");
    client.send("0123456789abcde\n");
    assert_eq!(client.response().body(), "0123456789ABCDE\n");
}

// rule: limit.line
#[test]
fn a_line_of_an_upload_is_limited() {
    let server = serve(&["--max-line", "8", "--log-format", "off"]);
    for (line, status) in [("1234567", 200), ("12345678", 200), ("123456789", 413)] {
        let mut client = server.connect();
        client.request("POST", "/first", &format!("Content-Length: {}\r\n", line.len() + 1));
        client.send(format!("{line}\n"));
        assert_eq!(client.response().status(), status, "{line}");
    }
    let mut client = server.connect();
    begin_chunked(&mut client, "/upper");
    client.send(chunk("short\n"));
    client.head();
    assert_eq!(client.chunk(), "SHORT\n");
    client.send(chunk("much too long, and without an end"));
    assert_eq!(client.piece(), Piece::Cut, "a body that has begun is broken off");
}

// rule: limit.body-time
#[test]
fn a_body_that_does_not_come_is_a_408() {
    let server = serve(&["--body-timeout", "200ms", "--log-format", "off"]);
    for target in ["/text", "/first"] {
        let mut client = server.connect();
        client.request("POST", target, "Content-Length: 10\r\n");
        client.send("half");
        let response = client.response();
        assert_eq!((response.status(), response.head.field("connection")), (408, Some("close")), "{target}");
    }
}

// rule: http.continue
#[test]
fn a_client_that_waits_for_100_gets_it_when_the_body_is_wanted() {
    let server = serve(&["--max-body", "10", "--log-format", "off"]);
    let ask = |target: &str, length: usize| {
        let mut client = server.connect();
        client.request("POST", target, &format!("Content-Length: {length}\r\nExpect: 100-continue\r\n"));
        client
    };
    let mut client = ask("/text", 4);
    assert_eq!(client.head().status, 100);
    client.send("body");
    assert_eq!(client.response().body(), "body");
    let mut client = ask("/upper", 5);
    assert_eq!(client.head().status, 100);
    client.send("body\n");
    assert_eq!(client.response().body(), "BODY\n");
    assert_eq!(ask("/text", 11).response().status(), 413, "too large: no 100");
    assert_eq!(ask("/", 4).response().status(), 200, "nobody reads it: no 100");
    let mut client = server.connect();
    client.request("POST", "/text", "Content-Length: 4\r\nExpect: a miracle\r\n");
    assert_eq!(client.response().status(), 417);
}

// rule: http.truncated-upload
#[test]
fn a_truncated_upload_is_a_failure_of_who_reads_it() {
    let server = Launch::new(&["-e", CODE, "--half-close"]).start();
    for (target, status) in [("/text", 400), ("/length", 400), ("/sum", 400)] {
        let mut client = server.connect();
        client.request("POST", target, "Content-Length: 10\r\n");
        client.send("half");
        client.fin();
        assert_eq!(client.response().status(), status, "{target}");
    }
    let mut client = server.connect();
    begin_chunked(&mut client, "/upper");
    client.send(chunk("one\ntw"));
    client.head();
    assert_eq!(client.chunk(), "ONE\n");
    client.fin();
    assert_eq!(client.piece(), Piece::Cut, "what came is no whole answer");
    server.stderr_line("the failure", |line| line.contains("the request body ended early"));
}

#[test]
fn an_upload_is_released_with_its_client() {
    let server = serve(&["--log-format", "off"]);
    let start = server.counters();
    for target in ["/upper", "/text", "/chunks", "/sum"] {
        for round in 0..10 {
            let mut client = server.connect();
            begin_chunked(&mut client, target);
            client.send(chunk("line\nand"));
            if target == "/upper" {
                client.head();
                client.chunk();
            }
            if round % 2 == 0 { client.rst() } else { drop(client) }
        }
    }
    server.counters_until("uploads are left behind", |now| {
        ["scopes", "chunks", "objects", "resources", "streams", "sockets"]
            .iter()
            .all(|of| now[*of] == start[*of])
    });
}

// rule: limit.memory-of-body
#[test]
#[cfg_attr(feature = "stress", ignore = "byte by byte, megabytes take minutes")]
fn a_body_counts_as_memory_of_its_request() {
    let server = serve(&["--mem-limit", "1mb", "--log-format", "off"]);
    let send = |length: usize| {
        let mut client = server.connect();
        client.request("POST", "/length", &format!("Content-Length: {length}\r\n"));
        // The server may have refused before everything is sent.
        let _ = client.try_send(&vec![b'x'; length]);
        client.response()
    };
    assert_eq!(send(500_000).body(), "500000");
    assert!(send(2_000_000).status() >= 500);
    assert_eq!(send(500_000).body(), "500000");
    // Bit by bit no more than a piece is held.
    let mut client = server.connect();
    client.request("POST", "/sum", "Content-Length: 8000000\r\n");
    client.send(vec![b'x'; 8_000_000]);
    assert_eq!(client.response().body(), "8000000");
}

// rule: limit.conns, limit.conns-per-ip
#[test]
fn connections_are_limited_in_number_and_by_address() {
    for option in ["--max-conns", "--max-conns-per-ip"] {
        let server = serve(&[option, "2", "--log-format", "off"]);
        let mut held: Vec<Client> = (0..2).map(|_| server.connect()).collect();
        for client in &mut held {
            client.get("/");
            assert_eq!(client.response().status(), 200);
        }
        let mut third = server.connect();
        let head = third.head();
        assert_eq!((head.status, head.field("retry-after")), (503, Some("1")), "{option}");
        // Its place is given back about when the server closes in turn.
        let mut second = held.pop().expect("two are held");
        second.fin();
        second.expect_closed();
        let is_admitted = |_: &usize| {
            let mut next = server.connect();
            next.get("/");
            next.response().status() == 200
        };
        assert!((0..1000).find(is_admitted).is_some(), "{option}: a place is free again");
    }
}
