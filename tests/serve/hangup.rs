//! The client goes: whatever its request waits for is given up, also while nothing is being written.

use crate::support;
use crate::support::client::Client;
use crate::support::upstream::{Peer, Upstream};
use crate::support::weir_process::Server;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::Command;

/// How a client goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goodbye {
    Fin,
    Rst,
}

/// How far the upstream has come when the client goes.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// The request has arrived there, no answer yet, and the client has nothing either.
    BeforeAnyHead,
    /// Likewise, and the client has its head.
    BeforeTheUpstreamsHead,
    /// The upstream's head is out, no line.
    BeforeTheFirstLine,
    /// A line went through.
    AfterALine,
}

/// Goes without having read what has arrived; keeps the socket of a FIN, since dropping it would reset it.
fn leave_unread(mut client: Client, how: Goodbye) -> Option<Client> {
    match how {
        Goodbye::Fin => {
            client.fin();
            Some(client)
        }
        Goodbye::Rst => {
            client.rst();
            None
        }
    }
}

fn bring_to(moment: Moment, client: &mut Client, peer: &mut Peer) {
    match moment {
        Moment::BeforeAnyHead => {}
        Moment::BeforeTheUpstreamsHead => {
            client.head();
        }
        Moment::BeforeTheFirstLine => {
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            client.head();
        }
        Moment::AfterALine => {
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            peer.chunk("line\n");
            client.head();
            client.chunk();
        }
    }
}

fn upstream_sees(how: Goodbye, moment: Moment) {
    let upstream = Upstream::new();
    let server = Server::code(&format!("fn handle(req) {{ get-stream(\"{}\") }}", upstream.url("/")));
    let mut client = server.get("/");
    let (mut peer, _) = upstream.accept_request();
    bring_to(moment, &mut client, &mut peer);
    client.leave(how == Goodbye::Rst);
    peer.expect_gone();
    let idle = ["scopes", "streams", "upstreams"];
    server.counters_until("a request outlives its client", |c| idle.iter().all(|name| c[*name] == 0));
}

// rule: http.gone
#[test]
fn a_fin_before_any_head() {
    upstream_sees(Goodbye::Fin, Moment::BeforeAnyHead);
}

#[test]
fn an_rst_before_any_head() {
    upstream_sees(Goodbye::Rst, Moment::BeforeAnyHead);
}

#[test]
fn a_fin_before_the_upstreams_head() {
    upstream_sees(Goodbye::Fin, Moment::BeforeTheUpstreamsHead);
}

#[test]
fn an_rst_before_the_upstreams_head() {
    upstream_sees(Goodbye::Rst, Moment::BeforeTheUpstreamsHead);
}

#[test]
fn a_fin_before_the_first_line() {
    upstream_sees(Goodbye::Fin, Moment::BeforeTheFirstLine);
}

#[test]
fn an_rst_before_the_first_line() {
    upstream_sees(Goodbye::Rst, Moment::BeforeTheFirstLine);
}

#[test]
fn a_fin_after_a_line() {
    upstream_sees(Goodbye::Fin, Moment::AfterALine);
}

#[test]
fn an_rst_after_a_line() {
    upstream_sees(Goodbye::Rst, Moment::AfterALine);
}

#[test]
fn while_the_upstream_has_not_accepted() {
    let upstream = Upstream::new();
    let server = Server::code(&format!("fn handle(req) {{ get-stream(\"{}\") }}", upstream.url("/")));
    let mut client = server.get("/");
    client.head();
    client.rst();
    // The request went out before the client left; its connection ends.
    let mut peer = upstream.accept();
    peer.request();
    peer.expect_gone();
}

// rule: std.sleep
#[test]
fn while_the_handler_sleeps() {
    let server = Server::code("fn handle(req) { warn(\"asleep\"); sleep(1h); \"never\" }");
    for how in [Goodbye::Fin, Goodbye::Rst] {
        let client = server.get("/");
        server.stderr_line("the handler's word", |l| l == "asleep");
        client.leave(how == Goodbye::Rst);
        server.counters_until("a sleeping handler outlives its client", |c| {
            c["scopes"] == 0 && c["timers"] == 0
        });
    }
}

// rule: std.process
#[test]
fn while_a_child_runs() {
    let fifo = support::scratch("hangup-child").join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo is everywhere").success());
    let script = format!("exec 3>{}; echo begun >&3; sleep 1000 & sleep 1000", fifo.display());
    let run = format!("process.run(\"sh\", [\"-c\", {script:?}])");
    let server =
        Server::code(&format!("fn handle(req) {{ if {run}.is-ok() {{ \"ended\" }} else {{ \"failed\" }} }}"));
    for how in [Goodbye::Fin, Goodbye::Rst] {
        let client = server.get("/");
        let mut reader = BufReader::new(File::open(&fifo).expect("the child opens the other end"));
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line of the child");
        assert_eq!(line, "begun\n");
        client.leave(how == Goodbye::Rst);
        // The end comes when nobody holds the other end: the child and the one that it started are gone.
        line.clear();
        assert_eq!(reader.read_line(&mut line).expect("an end"), 0, "{line}");
        server.counters_until("a child's handler outlives its client", |c| c["scopes"] == 0);
    }
}

#[test]
fn while_the_next_tick_is_far() {
    let server = Server::code("fn handle(req) { every(1h).map(t => \"tick\") }");
    for how in [Goodbye::Fin, Goodbye::Rst] {
        let mut client = server.get("/");
        assert_eq!(client.head().status, 200);
        server.counters_until("the stream is open", |c| c["streams"] > 0);
        client.leave(how == Goodbye::Rst);
        server.counters_until("a tick stream outlives its client", |c| c["streams"] == 0 && c["timers"] == 0);
    }
}

#[test]
fn while_nothing_is_read() {
    let server = Server::code("fn handle(req) { every(1ms).map(t => \"0123456789\".repeat(10000)) }");
    for how in [Goodbye::Fin, Goodbye::Rst] {
        // Never reads: the server blocks in writing.
        let client = server.get("/");
        server.counters_until("the stream is open", |c| c["streams"] > 0);
        let _half_open = leave_unread(client, how);
        server.counters_until("a blocked writer outlives its client", |c| c["scopes"] == 0);
    }
}

// rule: http.gone
#[test]
#[cfg_attr(feature = "stress", ignore = "a handler that yields has not answered yet when the FIN is seen")]
fn requests_sent_before_the_fin_are_answered_when_their_bytes_are_complete() {
    let server = Server::code("fn handle(req) { \"answer to {req.path}\\n\" }");
    let mut client = server.connect();
    client.send("GET /a HTTP/1.1\r\nHost: t\r\n\r\nGET /b HTTP/1.1\r\nHost: t\r\n\r\n");
    client.fin();
    assert_eq!(client.response().body(), "answer to /a\n");
    assert_eq!(client.response().body(), "answer to /b\n");
    client.expect_closed();
}
