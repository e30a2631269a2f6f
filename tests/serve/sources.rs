//! Sources beyond the network: children and files that grow. What they hold is released with their stream, and no sooner.

use crate::support;
use crate::support::client::Piece;
use crate::support::weir_process::Server;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

fn fifo(dir: &Path) -> PathBuf {
    let path = dir.join("fifo");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo is everywhere").success());
    path
}

/// A server whose body is what a shell script writes.
fn shell(script: &str) -> Server {
    Server::code(&format!("fn handle(req) {{ exec-stream(\"sh\", [\"-c\", {script:?}]) }}"))
}

/// A line that a process writes into a fifo; an empty one when nobody has it open any more.
fn line(reader: &mut impl BufRead) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line, or an end");
    line
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).expect("it opens");
    file.write_all(text.as_bytes()).expect("written");
}

// rule: stream.exec
#[test]
fn a_childs_lines_come_one_by_one() {
    let fifo = fifo(&support::scratch("exec-lines"));
    let server = shell(&format!("echo one; read x < {}; echo \"$x\"; exit 4", fifo.display()));
    let mut client = server.get("/");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "one\n");
    // The child goes on only now.
    append(&fifo, "two\n");
    assert_eq!(client.chunk(), "two\n");
    // It failed, so the body is not whole.
    assert_eq!(client.piece(), Piece::Cut);
    server.counters_until("a child outlives its stream", |c| c["children"] == 0 && c["scopes"] == 0);
    let server = Server::code("fn handle(req) { exec-stream(\"no-such-program\") }");
    assert_eq!(server.get("/").response().status(), 500);
}

// rule: stream.exec-end
#[test]
fn a_child_ends_with_its_client_and_takes_those_it_started_along() {
    let fifo = fifo(&support::scratch("exec-group"));
    // The child tidies up; the one that it started does not listen.
    let script = format!(
        "exec 3>{}; trap 'echo bye >&3; exit' TERM; (trap '' TERM; while :; do sleep 1000; done) & echo begun; wait",
        fifo.display()
    );
    let server = shell(&script);
    for reset in [false, true] {
        let mut client = server.get("/");
        let mut reader = BufReader::new(File::open(&fifo).expect("the child opens the other end"));
        assert_eq!(client.head().status, 200);
        assert_eq!(client.chunk(), "begun\n");
        assert_eq!(server.counters()["children"], 1);
        client.leave(reset);
        assert_eq!(line(&mut reader), "bye\n");
        assert_eq!(line(&mut reader), "", "someone still has the fifo open");
        server.counters_until("a child outlives its client", |c| c["children"] == 0 && c["scopes"] == 0);
    }
}

// rule: stream.exec-end
#[test]
fn a_child_that_does_not_listen_is_killed() {
    let fifo = fifo(&support::scratch("exec-kill"));
    let server =
        shell(&format!("exec 3>{}; trap '' TERM; echo begun; while :; do sleep 1000; done", fifo.display()));
    let mut client = server.get("/");
    let mut reader = BufReader::new(File::open(&fifo).expect("the child opens the other end"));
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "begun\n");
    client.leave(true);
    assert_eq!(line(&mut reader), "", "someone still has the fifo open");
    server.counters_until("a child outlives its client", |c| c["children"] == 0);
}

// rule: stream.exec-end
#[test]
fn what_a_child_leaves_running_is_killed_with_it() {
    let fifo = fifo(&support::scratch("exec-left"));
    let server = shell(&format!("exec 3>{}; sleep 1000 >&- & echo last", fifo.display()));
    let mut client = server.get("/");
    let mut reader = BufReader::new(File::open(&fifo).expect("the child opens the other end"));
    assert_eq!(client.response().body(), "last\n");
    assert_eq!(line(&mut reader), "", "someone still has the fifo open");
}

// rule: stream.tail
// rule: stream.tail-rotation
#[test]
fn a_tail_tells_what_is_written() {
    let dir = support::scratch("tail");
    let (log, old) = (dir.join("app.log"), dir.join("app.log.1"));
    append(&log, "before\nbeg");
    let server = Server::code(&format!("fn handle(req) {{ tail-file({:?}) }}", log.display().to_string()));
    let mut client = server.get("/");
    server.counters_until("a tail that has looked", |c| c["tails"] == 1);
    append(&log, "un\n");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "begun\n");
    append(&log, "one\ntw");
    assert_eq!(client.chunk(), "one\n");
    append(&log, "o\n");
    assert_eq!(client.chunk(), "two\n");
    std::fs::rename(&log, &old).expect("renamed");
    append(&old, "three\nfour");
    assert_eq!(client.chunk(), "three\n");
    append(&log, "five\n");
    assert_eq!(client.chunk(), "four\n");
    assert_eq!(client.chunk(), "five\n");
    File::create(&log).expect("truncated");
    append(&log, "6\n");
    assert_eq!(client.chunk(), "6\n");
    client.leave(false);
    server.counters_until("a tail outlives its client", |c| c["tails"] == 0 && c["scopes"] == 0);
}

// rule: stream.tail-missing
#[test]
fn a_tail_waits_for_its_file() {
    let dir = support::scratch("tail-missing");
    let log = dir.join("app.log");
    let server = Server::code(&format!("fn handle(req) {{ tail-file({:?}) }}", log.display().to_string()));
    let mut clients = [server.get("/"), server.get("/")];
    for _ in &clients {
        let line = server.stderr_line("what it waits for", |l| l.contains("tail-file waits for"));
        assert!(line.contains(&log.display().to_string()), "{line}");
    }
    append(&log, "first\n");
    for client in &mut clients {
        assert_eq!(client.head().status, 200);
        assert_eq!(client.chunk(), "first\n");
    }
}

// rule: stream.exec-end
#[test]
fn many_that_come_and_go_leave_nothing() {
    let log = support::scratch("sources-rounds").join("app.log");
    append(&log, "line\n");
    let code = format!(
        "fn handle(req) {{
           if req.path == \"/tail\" {{ tail-file({:?}, all: true) }}
           else {{ exec-stream(\"sh\", [\"-c\", \"echo line; exec sleep 1000\"]) }}
         }}",
        log.display().to_string()
    );
    let server = Server::code(&code);
    let start = server.counters();
    for round in 0..200 {
        let mut client = server.get(if round % 4 < 2 { "/tail" } else { "/exec" });
        if round % 8 < 4 {
            assert_eq!(client.head().status, 200);
            assert_eq!(client.chunk(), "line\n");
        }
        client.leave(round % 2 == 0);
    }
    server.counters_until("something is left", |now| {
        ["scopes", "children", "tails", "resources", "chunks", "streams", "sockets", "endings"]
            .iter()
            .all(|name| now[*name] == start[*name])
    });
}
