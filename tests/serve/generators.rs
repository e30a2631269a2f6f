//! Generators and deferred blocks in requests: items go out as they are yielded, a stack is there in mid-body only, and what
//! was put off is done once, whichever way the request ends.

use crate::support::client::Piece;
use crate::support::upstream::Upstream;
use crate::support::weir_process::Server;

/// The next line of those that the program's deferred blocks and `/mark` write.
fn said(server: &Server) -> String {
    let line = server.stderr_line("a deferred block", |line| line.contains("done:") || line.contains("mark"));
    line.rsplit("done: ").next().unwrap_or_default().to_owned()
}

/// Expects these lines and no more.
#[track_caller]
fn says(server: &Server, expected: &[&str]) {
    for wanted in expected {
        assert_eq!(said(server), *wanted);
    }
    assert_eq!(server.get("/mark").response().status(), 204);
    assert_eq!(said(server), "mark", "something is done twice");
    server.counters_until("a request lives on", |c| c["scopes"] == 0 && c["fibers"] == 0 && c["timers"] == 0);
}

// rule: stream.block
// rule: stream.block-stack
#[test]
fn items_go_out_as_they_are_yielded() {
    let upstream = Upstream::new();
    let server = Server::code(&format!(
        "fn handle(req) {{ stream {{ for line in get-stream(\"{}\") {{ yield \"<{{line}}>\" }} }} }}",
        upstream.url("/")
    ));
    let mut client = server.get("/");
    let mut peer = upstream.accept_chunked();
    for line in ["one", "two"] {
        peer.chunk(&format!("{line}\n"));
        if line == "one" {
            assert_eq!(client.head().status, 200);
        }
        assert_eq!(client.chunk(), format!("<{line}>\n"));
    }
    assert_eq!(server.counters()["fibers"], 1);
    peer.end();
    assert_eq!(client.piece(), Piece::End);
    server.counters_until("a generator lives on", |c| c["fibers"] == 0 && c["scopes"] == 0);
}

// rule: defer.cancelled
#[test]
fn what_was_put_off_is_done_when_the_client_goes() {
    let upstream = Upstream::new();
    let server = Server::code(&format!(
        r#"
        fn done(what: Text) {{ warn("done: {{what}}") }}
        fn wait(how: Text) {{
          defer {{ done("inner") }}
          match how {{
            "/sleep" => sleep(1h)
            "/read" => {{ for line in get-stream("{url}") {{ done(line) }} }}
            _ => {{ let _ = process.run("sleep", ["1000"])? }}
          }}
        }}
        fn handle(req) {{
          if req.path == "/mark" {{
            warn("mark")
            return ()
          }}
          defer {{ done("handler") }}
          if req.query.get("in").is-some() {{
            stream {{
              defer {{ done("stream") }}
              yield "begun"
              wait(req.path)?
            }}
          }} else {{
            wait(req.path)?
            "never\n"
          }}
        }}
        "#,
        url = upstream.url("/")
    ));
    for path in ["/sleep", "/read", "/run"] {
        for reset in [false, true] {
            let client = server.get(path);
            let peer = (path == "/read").then(|| upstream.accept_request().0);
            server.counters_until("it waits", |c| c["fibers"] == 1);
            client.leave(reset);
            says(&server, &["inner", "handler"]);
            if let Some(mut peer) = peer {
                peer.expect_gone();
            }
            let mut client = server.get(&format!("{path}?in=stream"));
            assert_eq!(client.head().status, 200);
            assert_eq!(said(&server), "handler");
            assert_eq!(client.chunk(), "begun\n");
            let peer = (path == "/read").then(|| upstream.accept_request().0);
            client.leave(reset);
            says(&server, &["inner", "stream"]);
            if let Some(mut peer) = peer {
                peer.expect_gone();
            }
        }
    }
}

// rule: defer.trap
#[test]
fn what_was_put_off_is_done_behind_a_trap() {
    let server = Server::code(
        r#"
        fn done(what: Text) { warn("done: {what}") }
        fn element(xs: List[Int], i: Int) -> Int {
          defer { done("inner") }
          xs[i]
        }
        fn handle(req) {
          match req.path {
            "/mark" => {
              warn("mark")
              ()
            }
            "/trap" => {
              defer { done("last") }
              defer { panic("in a deferred block") }
              defer {
                sleep(1ms)
                done("first")
              }
              "{element([1], 2)}"
            }
            _ => stream {
              defer { done("stream") }
              yield "one"
              let read = stream {
                defer { done("read by it") }
                yield element([1], 0)
                yield element([1], 1)
              }
              for n in read { yield "{n}" }
            }
          }
        }
        "#,
    );
    assert_eq!(server.get("/trap").response().status(), 500);
    says(&server, &["inner", "first", "last"]);
    let mut client = server.get("/stream");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "one\n");
    assert_eq!(client.chunk(), "1\n");
    assert_eq!(client.piece(), Piece::Cut);
    says(&server, &["inner", "inner", "read by it", "stream"]);
}
