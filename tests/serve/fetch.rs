//! `fetch` and `post-stream`: what an upstream is sent, and what becomes of its answers.

use crate::support::client::{Client, Piece};
use crate::support::upstream::{Nobody, Peer, Upstream};
use crate::support::weir_process::{Launch, Server};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A server whose handler is this expression, with `url` for the upstream's URL.
fn server(upstream: &Upstream, body: &str) -> Server {
    Server::code(&handler(&upstream.url("/"), body))
}

fn handler(url: &str, body: &str) -> String {
    format!("let url = \"{url}\"\nfn handle(req) {{ {body} }}")
}

fn sized(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// What a client gets when the upstream answers its one request so.
fn answered(body: &str, answer: &str) -> (u16, String) {
    let upstream = Upstream::new();
    let server = server(&upstream, body);
    let mut client = server.get("/");
    let (mut peer, _) = upstream.accept_request();
    peer.send(answer);
    drop(peer);
    let response = client.response();
    (response.status(), response.body())
}

fn settles(server: &Server) {
    server.counters_until("something is left behind", |now| {
        ["upstreams", "scopes", "fibers", "resources"].iter().all(|name| now[*name] == 0)
    });
}

// rule: fetch.answer
#[test]
fn every_status_is_an_answer() {
    let show = "let a = fetch(\"{url}x?y=1\")?\n\"{a.status} {a.headers.all(\"X-A\")} {a.url.ends-with(\"/x?y=1\")} {a.text()?}\"";
    let (status, body) = answered(show, "HTTP/1.1 418 T\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!((status, body.as_str()), (200, "418 [\"1\", \"2\"] true hi"));
}

// rule: fetch.body
#[test]
fn bodies_are_read_as_they_come_or_whole() {
    let upstream = Upstream::new();
    for (read, first, second) in [("lines", "a\n", "b\n"), ("chunks", "a\nb", "\n")] {
        let server = server(&upstream, &format!("fetch(url)?.{read}()"));
        let mut client = server.get("/");
        let mut peer = upstream.accept_chunked();
        peer.chunk("a\nb");
        client.head();
        assert_eq!(client.chunk(), first);
        peer.chunk("\n");
        assert_eq!(client.chunk(), second);
        peer.end();
        assert_eq!(client.piece(), Piece::End);
    }
    assert_eq!(answered("fetch(url)?.bytes()?", &sized("abc")).1, "abc");
    let json = "let n: Map[Text, Int] = fetch(url)?.json()?\nn[\"a\"]";
    assert_eq!(answered(json, &sized("{\"a\": 7}")), (200, "7".to_owned()));
    for answer in ["{\"a\": \"x\"}", "nonsense"] {
        assert_eq!(answered(json, &sized(answer)).0, 502, "it is the upstream's fault");
    }
}

// rule: fetch.body-once, fetch.success
#[test]
fn bodies_are_read_once_and_successes_told() {
    let twice = "let a = fetch(url)?\nlet b = a.text()?\nmatch a.text() { Ok(_) => b, Err(e) => \"{b} {e.message}\" }";
    assert_eq!(answered(twice, &sized("x")).1, "x the body of the answer was read before");
    let streams = "let a = fetch(url)?\nlet b = a.text()?\na.lines()";
    assert_eq!(answered(streams, &sized("x")).0, 500);
    assert_eq!(answered("fetch(url)?.success()?.text()?", &sized("x")).1, "x");
    let (status, _) =
        answered("fetch(url)?.success()?.text()?", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(status, 502);
    let (_, told) =
        answered("\"{fetch(url)?.is-success()}\"", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(told, "false");
}

// rule: fetch.truncated, fetch.too-large
#[test]
fn bodies_that_break_off_or_do_not_fit_fail() {
    let kind = |read: &str| format!("match fetch(url)?.{read}() {{ Ok(_) => \"whole\", Err(e) => e.kind }}");
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        for read in ["text", "bytes", "lines().collect", "chunks().collect"] {
            assert_eq!(answered(&kind(read), answer).1, "upstream", "{read}");
        }
    }
    assert_eq!(answered(&kind("text"), "HTTP/1.1 200 OK\r\n\r\nabc").1, "whole");
    let upstream = Upstream::new();
    let code = handler(&upstream.url("/"), &kind("text"));
    let server = Launch::new(&["-e", &code, "--mem-limit", "1mb"]).start();
    let mut client = server.get("/");
    let (mut peer, _) = upstream.accept_request();
    peer.send("HTTP/1.1 200 OK\r\n\r\n");
    while peer.try_send(&[b'x'; 64 * 1024]).is_ok() {}
    assert_eq!(client.response().body(), "limit");
    settles(&server);
}

/// What the upstream is sent by this expression, up to `end`.
fn sent(fetch: &str, end: &str) -> String {
    let upstream = Upstream::new();
    let server = server(&upstream, fetch);
    let mut client = server.get("/");
    let mut peer = upstream.accept();
    let text = peer.read_until(end);
    peer.send(sized(""));
    assert_eq!(client.response().status(), 200);
    text.to_lowercase()
}

// rule: fetch.sent, fetch.headers, stream.post
#[test]
fn bodies_and_headers_that_are_sent() {
    let cases = [
        (
            "fetch(url, method: \"PUT\", body: \"hé\")?.text()?",
            "hé",
            "put / ",
            "text/plain; charset=utf-8",
            "3",
        ),
        (
            "fetch(url, method: \"POST\", body: b\"ab\")?.text()?",
            "ab",
            "post / ",
            "application/octet-stream",
            "2",
        ),
        (
            "fetch(url, method: \"POST\", body: {a: [1]})?.text()?",
            "{\"a\":[1]}",
            "post / ",
            "application/json",
            "9",
        ),
        ("post-stream(url, body: \"ab\").join()?", "ab", "post / ", "text/plain; charset=utf-8", "2"),
        (
            "fetch(url, method: \"POST\", body: \"<p>\", headers: [\"Content-Type\": \"text/html\"])?.text()?",
            "<p>",
            "post / ",
            "text/html",
            "3",
        ),
    ];
    for (fetch, body, line, kind, length) in cases {
        let text = sent(fetch, body);
        assert!(text.starts_with(line), "{text}");
        assert_eq!(text.matches("content-type").count(), 1, "{text}");
        assert!(text.contains(&format!("\r\ncontent-type: {kind}\r\n")), "{text}");
        assert!(text.contains(&format!("\r\ncontent-length: {length}\r\n")), "{text}");
    }
    let plain = sent("fetch(url, headers: [\"User-Agent\": \"me\", \"X-A\": \"1\"])?.text()?", "\r\n\r\n");
    assert!(plain.contains("\r\nuser-agent: me\r\n") && plain.contains("\r\nx-a: 1\r\n"), "{plain}");
    assert!(plain.contains("\r\naccept: */*\r\n") && !plain.contains("content-"), "{plain}");
}

// rule: fetch.sent-stream, http.duplex
#[test]
fn a_stream_is_sent_while_its_answer_is_read() {
    let upstream = Upstream::new();
    let server = server(&upstream, "post-stream(url, body: req.lines().map(l => l.upper()))");
    let mut client = server.connect();
    client.request("POST", "/", "Transfer-Encoding: chunked\r\n");
    client.send("2\r\na\n\r\n");
    let mut peer = upstream.accept();
    let text = peer.read_until("2\r\nA\n\r\n");
    assert!(text.to_lowercase().contains("transfer-encoding: chunked"), "{text}");
    peer.send(CHUNKED);
    peer.chunk("got a\n");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "got a\n");
    client.send("2\r\nb\n\r\n");
    peer.read_until("2\r\nB\n\r\n");
    peer.chunk("got b\n");
    assert_eq!(client.chunk(), "got b\n");
    client.send("0\r\n\r\n");
    peer.read_until("0\r\n\r\n");
    peer.end();
    assert_eq!(client.piece(), Piece::End);
    settles(&server);
}

// rule: fetch.coding
#[test]
fn coded_answers_are_bytes() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx";
    for (read, status) in [("text()?", 502), ("lines()", 502), ("bytes()?", 200), ("chunks()", 200)] {
        assert_eq!(answered(&format!("fetch(url)?.{read}"), answer).0, status, "{read}");
    }
    assert!(sent("fetch(url)?.text()?", "\r\n\r\n").contains("\r\naccept-encoding: identity\r\n"));
}

// rule: fetch.redirect, fetch.redirect-origin
#[test]
fn redirections_are_followed() {
    let (first, second) = (Upstream::new(), Upstream::new());
    let fetch = "let a = fetch(url, headers: [\"Authorization\": \"secret\", \"X-A\": \"open\"])?\n\"{a.url} {a.text()?}\"";
    let server = server(&first, fetch);
    let mut client = server.get("/");
    let (mut peer, _) = first.accept_request();
    peer.send("HTTP/1.1 302 Go\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n");
    let head = peer.request();
    assert!(head.starts_with("GET /b ") && head.contains("secret"), "{head}");
    peer.send(format!("HTTP/1.1 302 Go\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", second.url("/c")));
    let (mut other, head) = second.accept_request();
    assert!(!head.contains("secret") && head.contains("open"), "{head}");
    other.send(sized("end"));
    assert_eq!(client.response().body(), format!("{} end", second.url("/c")));
    let kept = "let a = fetch(url, redirects: 0)?\n\"{a.status} {a.headers.get(\"location\") ?? \"\"}\"";
    let (_, text) = answered(kept, "HTTP/1.1 302 Go\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(text, "302 /b");
}

// rule: fetch.redirect-refused, fetch.public-only
#[test]
fn what_must_not_be_asked_is_refused() {
    let kind =
        |terms: &str| format!("match fetch(url{terms}) {{ Ok(_) => \"answered\", Err(e) => e.message }}");
    let (_, text) = answered(&kind(""), "HTTP/1.1 302 Go\r\nLocation: ftp://x/\r\nContent-Length: 0\r\n\r\n");
    assert!(text.contains("begins with http"), "{text}");
    for host in ["127.0.0.1", "[::1]", "localhost", "10.1.2.3", "169.254.169.254", "0.0.0.0"] {
        let server = Server::code(&handler(&format!("http://{host}:1/"), &kind(", public-only: true")));
        let text = server.get("/").response().body();
        assert!(text.contains("is not a public address"), "{host}: {text}");
    }
}

// rule: fetch.tls
#[test]
fn an_upstream_without_a_certificate_is_not_trusted() {
    let upstream = Upstream::new();
    let url = upstream.url("/").replace("http://", "https://");
    let code =
        handler(&url, "match fetch(url) { Ok(_) => \"answered\", Err(e) => \"{e.kind}: {e.message}\" }");
    let launch = Launch::new(&["-e", &code]).env("SSL_CERT_FILE", "/no/such/file");
    let server = launch.env("SSL_CERT_DIR", "/no/such/folder").start();
    let mut client = server.get("/");
    let _peer = upstream.accept();
    let text = client.response().body();
    assert!(text.starts_with("upstream: ") && text.contains("SSL_CERT_FILE"), "{text}");
    settles(&server);
}

// rule: fetch.pool
#[test]
fn connections_are_used_again() {
    let upstream = Upstream::new();
    let server = server(&upstream, "fetch(url)?.text()?");
    let mut client = server.get("/");
    let (mut peer, _) = upstream.accept_request();
    for round in 0..50 {
        peer.send(sized("x"));
        assert_eq!(client.response().body(), "x");
        server.counters_until("the connection does not rest", |now| now["pooled"] == 1 && now["scopes"] == 0);
        if round < 49 {
            client.get("/");
            peer.request();
        }
    }
    // It closes just when it is asked again: a GET may be repeated.
    client.get("/");
    peer.request();
    drop(peer);
    let (mut peer, _) = upstream.accept_request();
    peer.send(sized("y"));
    assert_eq!(client.response().body(), "y");
    drop(peer);
    server.counters_until("a closed connection is kept", |now| now["pooled"] == 0);
}

/// How far an upstream has come when the client goes.
type Bring = fn(&Upstream, &mut Client) -> Peer;

// rule: fetch.gone
#[test]
fn what_an_upstream_is_waited_for_ends_with_the_client() {
    let states: [(&str, &str, Bring); 6] = [
        ("the head", "fetch(url)?.text()?", |upstream, _| upstream.accept_request().0),
        ("a whole body", "fetch(url)?.text()?", |upstream, _| {
            let mut peer = upstream.accept_chunked();
            peer.chunk("part");
            peer
        }),
        ("a line", "let a = fetch(url)?\na.lines()", |upstream, client| {
            let mut peer = upstream.accept_chunked();
            peer.chunk("line\n");
            client.head();
            client.chunk();
            peer
        }),
        (
            "room to send",
            "let a = fetch(url, method: \"POST\", body: forever())?\na.text()?",
            |upstream, _| {
                let mut peer = upstream.accept();
                peer.read_until("\r\n\r\n");
                peer
            },
        ),
        ("its own stream", "post-stream(url, body: every(1h).map(t => \"{t}\"))", |upstream, _| {
            upstream.accept_request().0
        }),
        ("TLS", "fetch(secure)?.text()?", |upstream, _| upstream.accept()),
    ];
    for (what, body, bring) in states {
        for is_reset in [false, true] {
            let upstream = Upstream::new();
            let more = "fn forever() = stream { while true { yield \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" } }\nlet secure = url.replace(\"http:\", \"https:\")\n";
            let server = Server::code(&format!("{}\n{more}", handler(&upstream.url("/"), body)));
            let mut client = server.get("/");
            let mut peer = bring(&upstream, &mut client);
            match is_reset {
                true => client.rst(),
                false => {
                    client.fin();
                    client.read_to_end();
                }
            }
            peer.read_to_end();
            eprintln!("{what}, reset: {is_reset}");
            settles(&server);
            assert_eq!(server.counters()["pooled"], 0, "{what}");
        }
    }
}

// rule: limit.first-byte-time, fetch.timeout
#[test]
fn an_upstream_has_time_for_its_first_byte() {
    let upstream = Upstream::new();
    let code = handler(
        &upstream.url("/"),
        "if req.path == \"/long\" { fetch(url, timeout: 1h)? } else { fetch(url)? }.text()?",
    );
    let server = Launch::new(&["-e", &code, "--first-byte-timeout", "50ms"]).start();
    assert_eq!(server.get("/").response().status(), 504);
    let mut client = server.get("/long");
    assert!(client.is_silent_for(Duration::from_millis(100)));
    let (_short, _) = upstream.accept_request();
    let (mut peer, _) = upstream.accept_request();
    peer.send(sized("late"));
    assert_eq!(client.response().body(), "late");
    // A body may take as long as it likes.
    client.get("/");
    peer.request();
    peer.send(CHUNKED);
    assert!(client.is_silent_for(Duration::from_millis(100)));
    peer.chunk("slow");
    peer.end();
    assert_eq!(client.response().body(), "slow");
    let server = Server::code(&handler(&upstream.url("/"), "fetch(url, timeout: 50ms)?.text()?"));
    assert_eq!(server.get("/").response().status(), 504);
    settles(&server);
}

// rule: limit.connect-time
#[test]
fn a_connection_that_does_not_come_is_given_up() {
    // A listener with room for one that nobody accepts: the kernel does not answer the next ones.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    rustix::net::listen(&listener, 0).expect("a listener can be told again");
    let address = listener.local_addr().expect("an address");
    let mut held = Vec::new();
    while let Ok(held_one) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        held.push(held_one);
    }
    let code = handler(&format!("http://{address}/"), "fetch(url)?.text()?");
    let server = Launch::new(&["-e", &code, "--connect-timeout", "50ms"]).start();
    assert_eq!(server.get("/").response().status(), 504);
    // A client that goes meanwhile takes it along.
    let server = Server::code(&code);
    let client = server.get("/");
    server.counters_until("it is not asked", |now| now["upstreams"] == 1);
    client.rst();
    settles(&server);
}

// rule: fetch.gone
#[test]
fn what_a_task_waits_for_ends_with_the_task() {
    let upstream = Upstream::new();
    let body = "if req.path == \"/race\" { return race(() => fetch(url)?.text()?, () => { sleep(20ms); \"first\" })? }\n\
                if req.path == \"/all\" { return [1, 2, 3].par-map(n => fetch(url)?.text()?)?.join() }\n\
                timeout(20ms, () => fetch(url)?.text()?) ?? \"late\"";
    let server = server(&upstream, body);
    let mut client = server.connect();
    for (path, wanted) in [("/", "late"), ("/race", "first")] {
        client.get(path);
        let (mut peer, _) = upstream.accept_request();
        peer.expect_gone();
        assert_eq!(client.response().body(), wanted);
    }
    client.get("/all");
    let mut peers: Vec<Peer> = (0..3).map(|_| upstream.accept_request().0).collect();
    for peer in peers.iter_mut().rev() {
        peer.send(sized("x"));
    }
    assert_eq!(client.response().body(), "xxx");
    settles(&server);
    assert_eq!(server.counters()["pooled"], 3);
}

/// Bytes of memory that a process has.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells");
    1024 * line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number")
}

// rule: stream.lazy
#[test]
#[cfg_attr(feature = "stress", ignore = "byte by byte, a socket is not full in time")]
fn clients_that_do_not_read_hold_their_upstreams_back() {
    const CLIENTS: usize = 50;
    for read in ["chunks", "lines"] {
        let upstream = Upstream::new();
        let code = handler(&upstream.url("/"), &format!("fetch(url)?.{read}()"));
        let server = Launch::new(&["-e", &code, "--stall-timeout", "1s"]).start();
        // Once there and back, so that what is made once is made.
        let mut first = server.get("/");
        let (mut peer, _) = upstream.accept_request();
        peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
        first.response();
        let before = resident(&server);
        let clients: Vec<Client> = (0..CLIENTS).map(|_| server.get("/")).collect();
        let upstreams: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (mut peer, _) = upstream.accept_request();
                std::thread::spawn(move || {
                    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
                    let line = [[b'x'; 1023].as_slice(), b"\n"].concat().repeat(64);
                    let mut sent = 0_u64;
                    // Until the stall deadline cuts.
                    while peer.try_send(&line).is_ok() {
                        sent += line.len() as u64;
                    }
                    sent
                })
            })
            .collect();
        server.counters_until("not all are proxied", |now| now["streams"] == CLIENTS as i64);
        let most = std::cell::Cell::new(0);
        server.counters_until("nobody is cut", |now| {
            most.set(most.get().max(resident(&server)));
            now["streams"] == 0
        });
        let grown = most.get().saturating_sub(before);
        eprintln!("{read}: {} KiB for each client", grown / CLIENTS as u64 / 1024);
        assert!(
            grown <= (8 << 20) + CLIENTS as u64 * (256 << 10),
            "{read}: {grown} bytes for {CLIENTS} clients"
        );
        for sending in upstreams {
            let sent = sending.join().expect("it sends");
            assert!(sent < 100_000_000, "{read}: {sent} bytes went nowhere");
        }
        drop(clients);
        settles(&server);
    }
}

// rule: fetch.failure
#[test]
fn failures_are_statuses() {
    let nobody = Nobody::new();
    let cases = [
        ("x".to_owned(), 400),
        ("http://a b/".to_owned(), 400),
        (nobody.url("/"), 502),
        ("http://no-such-name.invalid/".to_owned(), 502),
    ];
    for (url, status) in cases {
        let server = Server::code(&handler(&url, "fetch(url)?.text()?"));
        assert_eq!(server.get("/").response().status(), status, "{url}");
        settles(&server);
    }
}
