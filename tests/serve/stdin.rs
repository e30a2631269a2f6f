//! `stdin()` as a response body: one reader at a time, line by line, on demand.

use crate::support::GUARD;
use crate::support::client::Piece;
use crate::support::weir_process::{Launch, Server};
use rustix::process::Signal;
use std::io::Write;
use std::process::ChildStdin;
use std::time::{Duration, Instant};

const UPPER: &str = "fn handle(req) { stdin().map(line => line.upper()) }";

fn upper() -> (Server, ChildStdin) {
    let mut server = Launch::new(&["-e", UPPER, "--log-format", "off"]).piped_stdin().start();
    let input = server.stdin.take().expect("stdin is piped");
    (server, input)
}

// rule: stream.stdin
#[test]
fn a_pipe_that_ends() {
    let (server, mut input) = upper();
    input.write_all(b"a\nb\n").expect("the server reads");
    drop(input);
    let response = server.get("/").response();
    assert_eq!(response.pieces, ["A\n", "B\n"]);
    assert!(response.complete);
    // The input is at its end for everyone.
    let response = server.get("/").response();
    assert_eq!((response.body().as_str(), response.complete), ("", true));
}

#[test]
fn each_line_arrives_when_it_is_written() {
    let (server, mut input) = upper();
    let mut client = server.get("/");
    for line in ["one", "two", "three"] {
        input.write_all(format!("{line}\n").as_bytes()).expect("the server reads");
        if line == "one" {
            assert_eq!(client.head().status, 200);
        }
        assert_eq!(client.chunk(), format!("{}\n", line.to_uppercase()));
    }
    input.write_all(b"half").expect("the server reads");
    drop(input);
    assert_eq!(client.chunk(), "HALF\n");
    assert_eq!(client.piece(), Piece::End);
}

#[test]
fn line_ends_are_taken_off() {
    let (server, mut input) = upper();
    input.write_all(b"crlf\r\n\nlf\n\r\nlast").expect("the server reads");
    drop(input);
    assert_eq!(server.get("/").response().pieces, ["CRLF\n", "\n", "LF\n", "\n", "LAST\n"]);
}

#[test]
fn no_input_is_an_empty_stream() {
    let server = Launch::new(&["-e", UPPER, "--log-format", "off"]).start();
    let response = server.get("/").response();
    assert_eq!((response.status(), response.body().as_str(), response.complete), (200, "", true));
}

// rule: stream.stdin-second-reader
#[test]
fn a_second_reader_is_a_503() {
    let (server, mut input) = upper();
    let mut first = server.get("/");
    input.write_all(b"one\n").expect("the server reads");
    assert_eq!(first.head().status, 200);
    assert_eq!(first.chunk(), "ONE\n");
    assert_eq!(server.get("/").response().status(), 503);
    input.write_all(b"two\n").expect("the server reads");
    assert_eq!(first.chunk(), "TWO\n");
}

#[test]
fn lines_not_yet_pulled_belong_to_the_next_reader() {
    let (server, mut input) = upper();
    let mut first = server.get("/");
    input.write_all(b"one\n").expect("the server reads");
    first.head();
    assert_eq!(first.chunk(), "ONE\n");
    first.fin();
    first.read_to_end();
    let start = Instant::now();
    let mut second = loop {
        let mut second = server.get("/");
        // The first reader's end takes its time to be seen; a head that comes without a line is a stream that waits.
        if second.head().status == 200 {
            break second;
        }
        assert!(start.elapsed() < GUARD, "the first reader was never given up");
    };
    input.write_all(b"two\n").expect("the server reads");
    assert_eq!(second.chunk(), "TWO\n");
}

#[test]
fn take_leaves_the_rest() {
    let code = "fn handle(req) { stdin().take(2) }";
    let mut server = Launch::new(&["-e", code, "--log-format", "off"]).piped_stdin().start();
    let mut input = server.stdin.take().expect("stdin is piped");
    input.write_all(b"1\n2\n3\n4\n5\n").expect("the server reads");
    drop(input);
    assert_eq!(server.get("/").response().pieces, ["1\n", "2\n"]);
    assert_eq!(server.get("/").response().pieces, ["3\n", "4\n"]);
    assert_eq!(server.get("/").response().pieces, ["5\n"]);
}

#[test]
fn input_that_is_not_utf8_cuts_the_response() {
    let (server, mut input) = upper();
    input.write_all(b"good\n\xff\nmore\n").expect("the server reads");
    let mut client = server.get("/");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "GOOD\n");
    assert_eq!(client.piece(), Piece::Cut);
}

// rule: cli.sigterm
#[test]
fn sigterm_ends_the_process_though_input_stays_open() {
    // Once with nobody reading it, once with its reader gone, so that the reading thread is at work.
    let (server, _input) = upper();
    server.signal(Signal::TERM);
    assert_eq!(server.wait().0, 0);

    let (server, mut input) = upper();
    let mut client = server.get("/");
    input.write_all(b"one\n").expect("the server reads");
    client.head();
    assert_eq!(client.chunk(), "ONE\n");
    client.fin();
    client.read_to_end();
    let asked = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.wait().0, 0);
    assert!(asked.elapsed() < Duration::from_secs(8), "that was the drain timeout, not at once");
}
