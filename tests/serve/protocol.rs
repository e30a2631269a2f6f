//! HTTP/1.1 as an application meets it: connections, methods, lengths, refusals. Byte-level cases are transcripts.

use crate::support::client::Client;
use crate::support::weir_process::{Launch, Server};

fn echo() -> Server {
    Server::code("fn handle(req) { \"{req.method} {req.path}\\n\" }")
}

// rule: http.keep-alive
#[test]
fn one_connection_serves_many_requests() {
    let server = echo();
    let mut client = server.connect();
    for i in 0..50 {
        client.get(&format!("/{i}"));
        let response = client.response();
        assert_eq!((response.status(), response.body()), (200, format!("GET /{i}\n")));
        assert!(response.head.field("date").is_some());
    }
    client.request("GET", "/last", "Connection: close\r\n");
    let response = client.response();
    assert_eq!(response.head.field("connection"), Some("close"));
    assert_eq!(response.body(), "GET /last\n");
    client.expect_closed();
}

// rule: http.pipelining
#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = echo();
    let mut client = server.connect();
    let requests: String = (0..100).map(|i| format!("GET /{i} HTTP/1.1\r\nHost: t\r\n\r\n")).collect();
    client.send(requests);
    for i in 0..100 {
        assert_eq!(client.response().body(), format!("GET /{i}\n"));
    }
}

#[test]
fn pipelined_streams_are_answered_in_order() {
    let server = Server::code("fn handle(req) { (1..4).stream().map(i => \"{req.path} {i}\") }");
    let mut client = server.connect();
    client.send("GET /a HTTP/1.1\r\nHost: t\r\n\r\nGET /b HTTP/1.1\r\nHost: t\r\n\r\n");
    for path in ["/a", "/b"] {
        let response = client.response();
        assert_eq!(response.pieces, [1, 2, 3].map(|i| format!("{path} {i}\n")));
        assert!(response.complete);
    }
}

#[test]
fn a_request_in_single_bytes() {
    let server = echo();
    let mut client = server.connect();
    for byte in "GET /slow HTTP/1.1\r\nHost: t\r\n\r\n".bytes() {
        client.send([byte]);
    }
    assert_eq!(client.response().body(), "GET /slow\n");
}

// rule: http.head
#[test]
fn head_has_the_length_and_no_body() {
    let server = echo();
    let mut client = server.connect();
    client.request("HEAD", "/x", "");
    let head = client.response_to_head().head;
    assert_eq!((head.status, head.field("content-length")), (200, Some("8")));
    client.get("/x");
    assert_eq!(client.response().body(), "GET /x\n");
}

// rule: http.request-body
#[test]
fn a_request_body_that_nobody_reads_is_skipped() {
    let server = echo();
    let mut client = server.connect();
    client.send("POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(client.response().body(), "POST /a\n");
    client.send("POST /b HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    assert_eq!(client.response().body(), "POST /b\n");
    client.get("/c");
    assert_eq!(client.response().body(), "GET /c\n");
}

// rule: http.http10
#[test]
fn http_1_0_closes_and_has_no_chunks() {
    let server = Server::code("fn handle(req) { (1..3).stream().map(i => \"{i}\") }");
    let mut client = server.connect();
    client.send("GET / HTTP/1.0\r\n\r\n");
    let response = client.response();
    assert_eq!(response.head.field("transfer-encoding"), None);
    assert_eq!(response.body(), "1\n2\n");
    client.expect_closed();
}

fn refused(server: &Server, request: &[u8], status: u16) {
    let mut client: Client = server.connect();
    client.send(request);
    let response = client.response();
    assert_eq!(response.status(), status, "{:?}", String::from_utf8_lossy(&request[..request.len().min(80)]));
    assert_eq!(response.head.field("connection"), Some("close"));
    client.expect_closed();
}

// rule: http.refused
#[test]
fn malformed_requests_are_refused_and_the_server_goes_on() {
    let server = echo();
    let refusals: [&str; 8] = [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n folded\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
    ];
    for request in refusals {
        refused(&server, request.as_bytes(), 400);
    }
    assert_eq!(server.get("/ok").response().body(), "GET /ok\n");
}

// rule: limit.target, limit.head, limit.fields
#[test]
fn heads_at_their_limits() {
    let server = echo();
    let target = |n: usize| format!("/{}", "a".repeat(n - 1));
    let with_target = |n: usize| format!("GET {} HTTP/1.1\r\nHost: t\r\n\r\n", target(n));
    assert_eq!(server.get(&target(16 * 1024)).response().body(), format!("GET {}\n", target(16 * 1024)));
    refused(&server, with_target(16 * 1024 + 1).as_bytes(), 414);

    // `Host` is one of the fields.
    let with_fields = |n: usize| format!("GET / HTTP/1.1\r\nHost: t\r\n{}\r\n", "X: y\r\n".repeat(n - 1));
    let mut client = server.connect();
    client.send(with_fields(128));
    assert_eq!(client.response().status(), 200);
    refused(&server, with_fields(129).as_bytes(), 431);

    let with_head = |n: usize| {
        let rest = "GET / HTTP/1.1\r\nHost: t\r\nX: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\nHost: t\r\nX: {}\r\n\r\n", "y".repeat(n - rest))
    };
    let mut client = server.connect();
    client.send(with_head(64 * 1024));
    assert_eq!(client.response().status(), 200);
    refused(&server, with_head(64 * 1024 + 1).as_bytes(), 431);
}

// rule: cli.listen-unix
#[test]
fn a_unix_socket() {
    let path = crate::support::scratch("unix").join("weir.sock");
    let place = format!("unix:{}", path.display());
    let server = Launch::new(&["-e", "fn handle(req) { \"by path\\n\" }", "-l", &place]).start();
    assert_eq!(server.get("/").response().body(), "by path\n");
}

// rule: cli.workers
#[test]
fn several_workers_serve_alike() {
    let code = "fn handle(req) { \"{req.path}\\n\" }";
    let server = Launch::new(&["-e", code, "--workers", "3", "--log-format", "off"]).start();
    let mut clients: Vec<Client> = (0..20).map(|i| server.get(&format!("/{i}"))).collect();
    for (i, client) in clients.iter_mut().enumerate() {
        assert_eq!(client.response().body(), format!("/{i}\n"));
    }
}
