//! Stopping: SIGTERM drains, a second signal cuts, an address that is taken is told.

use crate::support::client::Piece;
use crate::support::weir_process::{Launch, Server};
use rustix::process::Signal;

// rule: cli.sigterm
#[test]
fn an_idle_server_ends_at_once() {
    for signal in [Signal::TERM, Signal::INT] {
        let server = Server::code("fn handle(req) { \"x\" }");
        let mut idle = server.connect();
        idle.get("/");
        assert_eq!(idle.response().status(), 200);
        server.signal(signal);
        idle.expect_closed();
        let (code, _) = server.wait();
        assert_eq!(code, 0, "{signal:?}");
    }
}

// rule: http.drain
#[test]
fn a_running_request_is_answered_and_its_connection_closed() {
    let server = Server::code(
        "fn handle(req) { if req.path == \"/slow\" { warn(\"begun\"); sleep(400ms) }; \"done\\n\" }",
    );
    let mut idle = server.get("/");
    assert_eq!(idle.response().status(), 200);
    let mut slow = server.get("/slow");
    server.stderr_line("the handler's word", |l| l == "begun");
    server.signal(Signal::TERM);
    // The idle connection's end shows that the drain has begun.
    idle.expect_closed();
    let response = slow.response();
    assert_eq!((response.status(), response.body().as_str()), (200, "done\n"));
    assert_eq!(response.head.field("connection"), Some("close"));
    slow.expect_closed();
    assert_eq!(server.wait().0, 0);
}

// rule: http.drain
#[test]
fn an_open_stream_gets_a_bounded_time() {
    let code = "fn handle(req) { every(20ms).map(t => \"tick\") }";
    let server = Launch::new(&["-e", code, "--drain-timeout", "300ms", "--log-format", "off"]).start();
    let mut client = server.get("/");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "tick\n");
    server.signal(Signal::TERM);
    // It goes on for a while, then it is cut: no final chunk pretends that it was complete.
    let mut ticks = 0;
    let end = loop {
        match client.piece() {
            Piece::Data(_) => ticks += 1,
            end => break end,
        }
    };
    assert_eq!(end, Piece::Cut);
    assert!(ticks > 0, "the stream was cut at once");
    assert_eq!(server.wait().0, 0);
}

#[test]
fn a_stream_that_ends_in_time_is_complete() {
    let server = Server::code("fn handle(req) { every(10ms).take(20).map(t => \"tick\") }");
    let mut client = server.get("/");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "tick\n");
    server.signal(Signal::TERM);
    let mut ticks = 1;
    while let Piece::Data(_) = client.piece() {
        ticks += 1;
    }
    assert_eq!(ticks, 20);
    assert_eq!(server.wait().0, 0);
}

// rule: cli.sigterm
#[test]
fn a_second_signal_cuts() {
    let server = Server::code("fn handle(req) { every(1h).map(t => \"tick\") }");
    let mut idle = server.connect();
    idle.request("HEAD", "/", "");
    idle.head();
    let mut client = server.get("/");
    assert_eq!(client.head().status, 200);
    server.signal(Signal::TERM);
    idle.expect_closed();
    server.signal(Signal::TERM);
    assert_eq!(client.piece(), Piece::Cut);
    server.wait();
}

// rule: cli.address-in-use
#[test]
fn an_address_in_use_is_exit_98() {
    let server = Server::code("fn handle(req) { \"first\" }");
    let address = server.tcp().to_string();
    let second = Launch::new(&["-e", "fn handle(req) { \"second\" }", "-l", &address]).try_start();
    let output = second.err().expect("the address is taken");
    assert_eq!(output.code, 98, "{}", output.stderr);
    assert!(output.stderr.contains(&address), "{}", output.stderr);
    assert_eq!(server.get("/").response().body(), "first");
}

// rule: cli.listen
#[test]
fn the_port_option_and_the_environment() {
    let code = "fn handle(req) { \"x\" }";
    let server = Launch::new(&["-e", code, "-l", "127.0.0.1:0"]).start();
    assert_ne!(server.tcp().port(), 0);
    assert_eq!(server.get("/").response().body(), "x");
    let server = Launch::new(&["-e", code]).env("PORT", "1").start();
    assert_ne!(server.tcp().port(), 1, "an option is stronger than the environment");
}
