//! Stopping: SIGTERM drains, a second signal cuts, an address that is taken is told.

use crate::support::GUARD;
use crate::support::client::{Client, Piece};
use crate::support::weir_process::{Launch, Server, weir};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::thread;

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

/// What an event stream ends with, and for how many milliseconds its client is to wait.
fn farewell(piece: &str) -> u64 {
    let wait = piece.strip_prefix("retry: ").and_then(|rest| rest.strip_suffix("\nevent: drain\ndata:\n\n"));
    wait.and_then(|wait| wait.parse().ok()).unwrap_or_else(|| panic!("{piece:?}"))
}

// rule: sse.drain
#[test]
fn an_event_stream_says_goodbye() {
    let code = "fn events() = stream {
        defer { warn(\"closed\") }
        yield \"first\"
        sleep(1h)
    }
    route GET \"/\" { sse(events()) }
    route GET \"/retry\" { sse(events(), retry: 7s) }
    route GET \"/nothing\" { sse(events().drop(1)) }";
    let server = Launch::new(&["-e", code, "--log-format", "off"]).start();
    let [mut plain, mut own, mut nothing] = ["/", "/retry", "/nothing"].map(|target| server.get(target));
    for client in [&mut plain, &mut own, &mut nothing] {
        assert_eq!(client.head().status, 200);
    }
    assert_eq!(plain.chunk(), "data: first\n\n");
    assert_eq!(own.chunk(), "retry: 7000\ndata: first\n\n");
    server.signal(Signal::TERM);
    let waits = [&mut plain, &mut own, &mut nothing].map(|client| {
        let wait = farewell(&client.chunk());
        assert_eq!(client.piece(), Piece::End);
        client.expect_closed();
        wait
    });
    assert!((1000..2000).contains(&waits[0]) && waits[1] == 7000, "{waits:?}");
    assert_eq!(server.wait(), (0, vec!["closed".to_owned(); 3]));
}

// rule: sse.finish
#[test]
fn an_event_stream_may_go_on_to_its_end() {
    let code = "fn handle(req) { sse(every(10ms).take(20).map(_ => \"tick\"), finish: true) }";
    let server = Server::code(code);
    let mut client = server.get("/");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "data: tick\n\n");
    server.signal(Signal::TERM);
    let rest = std::iter::from_fn(|| match client.piece() {
        Piece::Data(tick) => Some(Ok(tick)),
        Piece::End => None,
        Piece::Cut => Some(Err("cut")),
    });
    assert_eq!(rest.collect::<Result<Vec<_>, _>>(), Ok(vec!["data: tick\n\n".to_owned(); 19]));
    assert_eq!(server.wait().0, 0);
}

// rule: sse.drain
#[test]
#[cfg_attr(feature = "stress", ignore = "byte by byte, megabytes take minutes")]
fn an_event_stream_that_nobody_reads_ends_all_the_same() {
    let code = "fn handle(req) { sse(stream {
        defer { warn(\"closed\") }
        loop { yield \"x\".repeat(60000) }
    }) }";
    let server = Launch::new(&["-e", code, "--log-format", "off"]).start();
    let mut client = server.get("/");
    assert_eq!(client.head().status, 200);
    server.signal(Signal::TERM);
    // It is closed while its client takes nothing, which finds a whole response later.
    server.stderr_line("what it put off", |line| line == "closed");
    let mut pieces = Vec::new();
    while let Piece::Data(piece) = client.piece() {
        pieces.push(piece);
    }
    farewell(pieces.last().expect("an event"));
    client.expect_closed();
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

// rule: cli.sigterm
#[test]
fn a_handler_that_never_ends_does_not_keep_the_process() {
    let code = "fn handle(req) { if req.path == \"/\" { warn(\"begun\"); while true {} }; \"x\" }";
    for workers in ["1", "2"] {
        let server = Launch::new(&["-e", code, "--workers", workers, "--log-format", "off"]).start();
        let mut idle = server.get("/idle");
        assert_eq!(idle.response().status(), 200);
        let mut busy = server.get("/");
        server.stderr_line("the handler's word", |l| l == "begun");
        server.signal(Signal::TERM);
        // Two signals at once would count as one.
        idle.expect_closed();
        server.signal(Signal::TERM);
        busy.expect_closed();
        // Nobody had to end it by force.
        assert_eq!(server.wait(), (0, Vec::new()), "{workers} workers");
    }
}

// rule: cli.sigterm
#[test]
fn outputs_that_nobody_reads_do_not_keep_the_process() {
    let code = "fn handle(req) {
        for i in 0..40 { if req.path == \"/out\" { print(\"x\".repeat(10_000)) } else { warn(\"x\".repeat(10_000)) } }
        \"done\\n\"
    }";
    for path in ["/out", "/err"] {
        let mut command = weir();
        command.args(["httpd", "-e", code, "-p", "0"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("stderr is piped"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("a listening line");
        let address = line.trim_end().rsplit('/').next().expect("an address");
        let mut client = Client::tcp(TcpStream::connect(address).expect("the server accepts"));
        client.get(path);
        assert_eq!(client.response().status(), 200);
        let pid = Pid::from_child(&child);
        for signal in [Signal::USR2, Signal::TERM] {
            kill_process(pid, signal).expect("the server is alive");
        }
        let (done, ended) = channel();
        let waiting = thread::spawn(move || done.send(child.wait().expect("ours to wait for")));
        let status = ended.recv_timeout(GUARD);
        if status.is_err() {
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = waiting.join();
        assert_eq!(status.ok().and_then(|status| status.code()), Some(0), "{path}");
    }
}

// rule: http.drain
#[test]
fn what_was_put_off_is_done_before_the_end() {
    let code = "fn handle(req) {
        if req.path == \"/stream\" {
            return stream {
                defer { sleep(50ms); warn(\"the stream's\") }
                loop { yield \"tick\"; sleep(10ms) }
            }
        }
        defer { sleep(50ms); warn(\"the request's\") }
        warn(\"begun\")
        sleep(1h)
        [\"never\"].stream()
    }";
    for (args, signals) in [(&["--drain-timeout", "100ms"][..], 1), (&[], 2)] {
        let args = [&["-e", code, "--log-format", "off", "--workers", "1"], args].concat();
        let server = Launch::new(&args).start();
        let mut idle = server.connect();
        idle.request("HEAD", "/stream", "");
        idle.head();
        let mut stream = server.get("/stream");
        assert_eq!(stream.head().status, 200);
        assert_eq!(stream.chunk(), "tick\n");
        let _waiting = server.get("/");
        server.stderr_line("the handler's word", |l| l == "begun");
        server.signal(Signal::TERM);
        idle.expect_closed();
        if signals == 2 {
            server.signal(Signal::TERM);
        }
        let (code, mut lines) = server.wait();
        lines.sort();
        assert_eq!((code, lines), (0, vec!["the request's".to_owned(), "the stream's".to_owned()]));
    }
}
