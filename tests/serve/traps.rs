//! A trap ends its own request and nothing else.

use crate::support::client::Piece;
use crate::support::weir_process::{Launch, Server};

const FAULTS: &str = "
fn divide(a, b) = a / b
fn deep(n: Int) -> Int = 1 + deep(n + 1)
fn handle(req) {
  match req.path {
    \"/divide\" => \"{divide(1, 0)}\"
    \"/index\" => \"{[1, 2][5]}\"
    \"/deep\" => \"{deep(0)}\"
    \"/panic\" => panic(\"the cellar is flooded\")
    \"/lines\" => [1, 0].stream().map(n => \"{divide(10, n)}\")
    \"/memory\" => \"0123456789\".repeat(100000000)
    \"/holding\" => { let held = req.path.repeat(3); \"{held.upper()}{divide(1, 0)}{held}\" }
    \"/holding-lines\" => [1, 0].stream().map(n => { let held = req.path.repeat(3); \"{held}{divide(n, 0)}{held}\" })
    _ => \"fine\\n\"
  }
}";

// rule: handle.trap
#[test]
fn a_trap_is_a_500_without_detail_and_the_next_request_works() {
    let server = Server::code(FAULTS);
    let mut client = server.connect();
    for path in ["/divide", "/index", "/deep", "/panic", "/memory", "/holding", "/holding-lines"] {
        for _ in 0..3 {
            client.get(path);
            let response = client.response();
            let status = if path == "/memory" { 503 } else { 500 };
            assert_eq!(response.status(), status, "{path}");
            for detail in ["zero", "divide", "index", "overflow", "cellar", "memory", "handle"] {
                assert!(!response.body().contains(detail), "{path} leaks {detail}: {}", response.body());
            }
            if response.head.field("connection") == Some("close") {
                client = server.connect();
            }
        }
        client.get("/");
        assert_eq!(client.response().body(), "fine\n", "after {path}");
    }
    server.counters_until("a trapped request lives on", |c| {
        c["scopes"] == 0 && c["chunks"] == 0 && c["resources"] == 0
    });
}

// rule: trap.log
#[test]
fn a_trap_is_logged_with_its_stack_and_the_id_of_its_request() {
    let server = Launch::new(&["-e", FAULTS]).start();
    assert_eq!(server.get("/").response().status(), 200);
    assert_eq!(server.get("/divide").response().status(), 500);
    let trap = server.stderr_line("trap", |l| l.ends_with("division by zero"));
    let id = trap.split_whitespace().find(|word| word.starts_with('#')).expect("the line names the request");
    for frame in ["at divide (-e:2:19)", "at handle (-e:6:"] {
        let line = server.stderr_line("frame", |_| true);
        assert!(line.trim_start().starts_with(frame), "{line}");
    }
    let access = server.stderr_line("access line", |l| l.contains("GET /divide 500"));
    assert!(access.contains(&format!(" {id} ")), "{access} is not about {id}");
}

#[test]
fn a_trap_is_logged_as_json() {
    let server = Launch::new(&["-e", FAULTS, "--log-format", "json"]).start();
    assert_eq!(server.get("/divide").response().status(), 500);
    let entry = |what| -> serde_json::Value {
        let line = server.stderr_line(what, |l| l.starts_with('{'));
        serde_json::from_str(&line).expect("a line of the log is JSON")
    };
    let trap = entry("trap");
    assert_eq!(trap["error"], "division by zero", "{trap}");
    assert_eq!(trap["trace"][0], "at divide (-e:2:19)", "{trap}");
    let access = entry("access line");
    assert_eq!((&access["status"], &access["request"]), (&500.into(), &trap["request"]), "{access}");
}

// rule: handle.error-log
#[test]
fn an_error_is_logged_with_its_causes_and_the_id_of_its_request() {
    let code = "fn handle(req) { fs.read(\"no-such-file\").context(\"looking\")? }";
    let server = Launch::new(&["-e", code]).start();
    assert_eq!(server.get("/").response().status(), 404);
    let error = server.stderr_line("error", |l| l.ends_with(" looking"));
    let id = error.split_whitespace().find(|word| word.starts_with('#')).expect("the line names the request");
    for note in ["at -e:1:18", "because no-such-file: no such file (-e:1:18)"] {
        assert_eq!(server.stderr_line("note", |_| true).trim(), note);
    }
    let access = server.stderr_line("access line", |l| l.contains("GET / 404"));
    assert!(access.contains(&format!(" {id} ")), "{access} is not about {id}");
    let server = Launch::new(&["-e", code, "--log-format", "json"]).start();
    assert_eq!(server.get("/").response().status(), 404);
    let line = server.stderr_line("error", |l| l.contains("looking"));
    let error: serde_json::Value = serde_json::from_str(&line).expect("a line of the log is JSON");
    assert_eq!((&error["error"], &error["notes"][0]), (&"looking".into(), &"at -e:1:18".into()), "{line}");
}

// rule: stream.failure
#[test]
fn a_trap_in_mid_stream_cuts_the_response() {
    let server = Launch::new(&["-e", FAULTS]).start();
    let mut client = server.get("/lines");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "10\n");
    assert_eq!(client.piece(), Piece::Cut);
    server.stderr_line("trap", |l| l.contains("division by zero"));
    assert_eq!(server.get("/").response().body(), "fine\n");
}

// rule: stream.failure-status
#[test]
fn a_trap_before_the_first_item_is_a_500() {
    let server = Server::code("fn handle(req) { [0].stream().map(n => \"{1 / n}\") }");
    assert_eq!(server.get("/").response().status(), 500);
}

// rule: trap.stack-overflow
#[test]
fn deep_recursions_at_once() {
    let server = Server::code(FAULTS);
    let mut clients: Vec<_> = (0..8).map(|_| server.get("/deep")).collect();
    for client in &mut clients {
        assert_eq!(client.response().status(), 500);
    }
    assert_eq!(server.get("/").response().body(), "fine\n");
}

#[test]
fn a_trap_at_the_start_ends_the_server_before_it_listens() {
    let launch = Launch::new(&["-e", "let x = 1 / [0][0]\nfn handle(req) { \"{x}\" }"]);
    let output = launch.try_start().err().expect("the program traps before serving");
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stderr.contains("division by zero"), "{}", output.stderr);
}

#[test]
fn mistakes_are_told_before_the_server_listens() {
    let launch = Launch::new(&["-e", "fn handle(req) { req.paht }"]);
    let output = launch.try_start().err().expect("the program does not compile");
    assert_eq!(output.code, 3, "{}", output.stderr);
    assert!(output.stderr.contains("paht"), "{}", output.stderr);
}
