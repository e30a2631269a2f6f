//! Event streams: their form, signs of life, their ends, and a client that comes back.

use crate::support::client::Piece;
use crate::support::upstream::Upstream;
use crate::support::weir_process::{Launch, Server};

// rule: sse.head, sse.items
#[test]
fn events_are_chunks_of_their_own() {
    let server = Server::code(
        r#"
        route GET "/texts" { sse(["a\nb", "c"].stream()) }
        route GET "/events" { sse((1..3).stream().map(n => event("n{n}", id: "{n}", event: "tick")), retry: 2s) }
        route GET "/list" { sse(["a"]) }
        "#,
    );
    let response = server.get("/texts").response();
    assert_eq!(response.pieces, ["data: a\ndata: b\n\n", "data: c\n\n"]);
    assert!(response.complete);
    for (field, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache, no-transform"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(response.head.field(field), Some(value));
    }
    let response = server.get("/events").response();
    let second = "id: 2\nevent: tick\ndata: n2\n\n";
    assert_eq!(response.pieces, ["retry: 2000\nid: 1\nevent: tick\ndata: n1\n\n", second]);
    assert_eq!(server.get("/list").response().pieces, ["data: a\n\n"]);
}

// rule: sse.one-line
#[test]
fn nothing_of_an_event_begins_another_field() {
    let server = Server::code(
        r#"
        route GET "/id" { sse([event("a", id: req.query.get("v"))]) }
        route GET "/name" { sse([event("a", event: req.query.get("v"))]) }
        route GET "/data" { sse([event(req.query.get("v") ?? "")]) }
        "#,
    );
    for bad in ["%0adata:x", "a%0d", "%00"] {
        for target in ["/id", "/name"] {
            assert_eq!(server.get(&format!("{target}?v={bad}")).response().status(), 500, "{target} {bad}");
        }
    }
    let body = server.get("/data?v=a%0d%0aid:%207%0db").response().body();
    assert_eq!(body, "data: a\ndata: id: 7\ndata: b\n\n");
}

// rule: sse.heartbeat
#[test]
fn heartbeats_come_while_nothing_else_does() {
    let server = Server::code(
        r#"
        route GET "/comment" { sse(every(1h).map(t => "{t}"), heartbeat: 5ms) }
        route GET "/ping" { sse(every(1h).map(t => "{t}"), heartbeat: 5ms, ping: "alive", retry: 1s) }
        route GET "/busy" { sse((0..1000).stream().map(n => "{n}"), heartbeat: 1h) }
        "#,
    );
    let mut client = server.get("/comment");
    client.head();
    for _ in 0..3 {
        assert_eq!(client.chunk(), ":\n\n");
    }
    let mut client = server.get("/ping");
    client.head();
    assert_eq!(client.chunk(), "retry: 1000\nevent: alive\ndata:\n\n");
    assert_eq!(client.chunk(), "event: alive\ndata:\n\n");
    let pieces = server.get("/busy").response().pieces;
    assert_eq!((pieces.len(), pieces[999].as_str()), (1000, "data: 999\n\n"));
}

// rule: sse.failure
#[test]
fn a_stream_that_fails_says_so_and_is_cut() {
    let upstream = Upstream::new();
    let url = upstream.url("/");
    let code = format!(
        r#"
        route GET "/later" {{ sse((0..3).stream().map(n => if n == 2 {{ fail "secret" }} else {{ "{{n}}" }})) }}
        route GET "/first" {{ sse((0..3).stream().map(n => if n == 0 {{ fail "secret" }} else {{ "{{n}}" }})) }}
        route GET "/trap" {{ sse((0..3).stream().map(n => "{{6 / (2 - n)}}")) }}
        route GET "/upstream" {{ sse(get-stream("{url}")) }}
        "#
    );
    let server = Launch::new(&["-e", &code]).start();
    for target in ["/later", "/trap"] {
        let response = server.get(target).response();
        let [_, _, last] = &response.pieces[..] else { panic!("{:?}", response.pieces) };
        let id =
            last.strip_prefix("event: error\ndata: {\"request\":\"").and_then(|l| l.strip_suffix("\"}\n\n"));
        let id = id.unwrap_or_else(|| panic!("{last:?}")).to_owned();
        assert!(!response.complete, "{target}");
        server.stderr_line("its line", |line| line.contains(target) && line.contains(&format!("#{id} ")));
    }
    assert_eq!(server.get("/first").response().status(), 500);
    // The head was sent because nothing came for a while: no status can tell the failure any more.
    let mut client = server.get("/upstream");
    let (peer, _) = upstream.accept_request();
    assert_eq!(client.head().status, 200);
    drop(peer);
    assert!(client.chunk().starts_with("event: error\ndata: {"));
    assert_eq!(client.piece(), Piece::Cut);
}

// rule: request.last-event-id
#[test]
fn a_client_that_comes_back_says_what_it_saw() {
    let server = Server::code(
        r#"
        route GET "/" {
          let seen = req.last-event-id.map(id => id.to-int() ?? 0) ?? 0
          sse((seen + 1..4).stream().map(n => event("n{n}", id: "{n}")))
        }
        "#,
    );
    assert_eq!(server.get("/").response().pieces.len(), 3);
    let mut client = server.connect();
    client.request("GET", "/", "Last-Event-ID: 2\r\n");
    assert_eq!(client.response().pieces, ["id: 3\ndata: n3\n\n"]);
    client.request("GET", "/", "Last-Event-ID:\r\n");
    assert_eq!(client.response().pieces.len(), 3);
}

#[test]
fn an_idle_event_stream_ends_with_its_client() {
    let server = Server::code("route GET \"/\" { sse(every(1h).map(t => \"{t}\"), heartbeat: 10m) }");
    let mut client = server.get("/");
    client.head();
    server.counters_until("a stream with two timers", |c| c["streams"] == 1 && c["timers"] == 2);
    client.rst();
    server.counters_until("nothing is left", |c| c["streams"] == 0 && c["timers"] == 0 && c["scopes"] == 0);
}
