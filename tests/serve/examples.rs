//! Every script of `examples/` does what its comment says.

use crate::support::client::Piece;
use crate::support::root;
use crate::support::upstream::Upstream;
use crate::support::weir_process::{Launch, Server, run};
use std::collections::BTreeSet;
use std::io::Write;

/// The examples that have a test here.
const TESTED: [&str; 6] = ["fib", "hello", "proxy", "shout", "ticks", "tree"];

#[test]
fn no_example_is_forgotten() {
    let names: BTreeSet<String> = std::fs::read_dir(root().join("examples"))
        .expect("there are examples")
        .map(|e| e.expect("the directory can be read").path())
        .filter(|p| p.extension().is_some_and(|e| e == "weir"))
        .map(|p| p.file_stem().expect("a file has a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, TESTED.iter().map(|&t| t.to_owned()).collect());
}

#[test]
fn every_example_checks() {
    for name in TESTED {
        let output = run(&["check", &format!("examples/{name}.weir")]);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{name}");
    }
}

#[test]
fn fib() {
    let output = run(&["examples/fib.weir"]);
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (0, "832040\n", ""));
}

#[test]
fn tree() {
    let output = run(&["examples/tree.weir"]);
    let expected =
        "Add(left: Name(of: \"x\"), right: Times(left: Number(n: 2), right: Number(n: 3)))\n10\nNone\n";
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (0, expected, ""));
}

#[test]
fn hello() {
    let server = Server::example("hello");
    assert_eq!(server.get("/").response().body(), "Hello, world!\n");
    assert_eq!(server.get("/?name=Ada").response().body(), "Hello, Ada!\n");
}

#[test]
fn proxy() {
    let upstream = Upstream::new();
    let server = Launch::new(&["examples/proxy.weir"]).env("UPSTREAM", &upstream.url("/events")).start();
    let mut client = server.get("/");
    let (mut peer, request) = upstream.accept_request();
    assert!(request.starts_with("GET /events HTTP/1.1\r\n"), "{request}");
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    peer.chunk("one\n");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "one\n");
    peer.chunk("two\n");
    assert_eq!(client.chunk(), "two\n");
    peer.end();
    assert_eq!(client.piece(), Piece::End);
}

#[test]
fn shout() {
    let mut server = Launch::new(&["examples/shout.weir"]).piped_stdin().start();
    let mut input = server.stdin.take().expect("stdin is piped");
    let mut client = server.get("/");
    input.write_all(b"hear\n").expect("the server reads");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "HEAR\n");
    drop(input);
    assert_eq!(client.piece(), Piece::End);
}

#[test]
fn ticks() {
    let server = Server::example("ticks");
    let mut client = server.get("/");
    assert_eq!(client.head().status, 200);
    let first = client.chunk();
    let second = client.chunk();
    assert!(first.starts_with("tick 2") && first.ends_with("Z\n"), "{first}");
    assert!(first < second, "{first} then {second}");
}
