//! Clients that stop reading: what is made for them is held back, and they are cut.

use crate::support::client::Client;
use crate::support::upstream::Upstream;
use crate::support::weir_process::{Launch, Server};
use std::thread;

const CLIENTS: usize = 8;
/// More than the sockets between two sides hold.
const PLENTY: usize = 48 << 20;

fn serve(code: &str) -> Server {
    Launch::new(&["-e", code, "--stall-timeout", "400ms", "--log-format", "json"]).start()
}

/// Clients that have read a head, and then nothing.
fn stop_reading(server: &Server) -> Vec<Client> {
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| server.get("/")).collect();
    for client in &mut clients {
        assert_eq!(client.head().status, 200);
    }
    clients
}

fn are_cut(server: &Server, clients: Vec<Client>) {
    for _ in 0..CLIENTS {
        let line = server.stderr_line("an access line", |line| line.contains("\"target\":\"/\""));
        assert!(line.contains("\"outcome\":\"stalled\""), "{line}");
    }
    server.counters_until("a stalled response is left behind", |now| {
        ["scopes", "chunks", "objects", "resources", "streams", "upstreams"].iter().all(|of| now[*of] == 0)
    });
    drop(clients);
}

// rule: limit.stall
#[test]
#[cfg_attr(feature = "stress", ignore = "byte by byte, megabytes take minutes")]
fn a_generated_body_is_made_no_faster_than_it_is_taken() {
    // It would never end: the counter of its scopes tells that nothing runs on for clients that are cut.
    let server = serve(
        "fn handle(req) { (0..9000000000000).stream().map(n => \"line {n} of the body that nobody reads\") }",
    );
    let clients = stop_reading(&server);
    are_cut(&server, clients);
}

// rule: limit.stall
#[test]
#[cfg_attr(feature = "stress", ignore = "byte by byte, megabytes take minutes")]
fn an_upstream_is_read_no_faster_than_its_answer_is_taken() {
    let upstream = Upstream::new();
    let server = serve(&format!("fn handle(req) {{ get-stream(\"{}\") }}", upstream.url("/")));
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| server.get("/")).collect();
    let lines = "a line of the upstream\n".repeat(700);
    let block = format!("{:x}\r\n{lines}\r\n", lines.len());
    let writers: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (mut peer, block) = (upstream.accept_chunked(), block.clone());
            thread::spawn(move || {
                let mut sent = 0;
                // Ends with an error when the server closes the connection.
                while sent < PLENTY && peer.try_send(block.as_bytes()).is_ok() {
                    sent += block.len();
                }
                sent
            })
        })
        .collect();
    for client in &mut clients {
        assert_eq!(client.head().status, 200);
    }
    are_cut(&server, clients);
    for writer in writers {
        let sent = writer.join().expect("a writer does not panic");
        assert!(sent < PLENTY, "the upstream could send {sent} bytes to a client that reads nothing");
    }
}

// rule: limit.stall
#[test]
fn a_slow_client_is_not_a_stalled_one() {
    let server = serve("fn handle(req) { (0..40).stream().map(n => { sleep(25ms); \"tick {n}\" }) }");
    // Nothing is sent for longer than the timeout in all, but nothing waits for the client.
    let response = server.get("/").response();
    assert!(response.complete && response.pieces.len() == 40);
}

// rule: limit.request-time
#[test]
#[cfg_attr(feature = "stress", ignore = "byte by byte, megabytes take minutes")]
fn a_body_of_known_length_is_part_of_the_request_and_a_stream_is_not() {
    let code = "fn handle(req) {
  if req.path == \"/all\" { respond(body: \"x\".repeat(25165824)) } else {
    respond(body: (0..9000000000000).stream().map(n => \"line {n} of the body that nobody reads\"))
  }
}";
    let args = ["-e", code, "--request-timeout", "300ms", "--stall-timeout", "60s", "--log-format", "json"];
    let server = Launch::new(&args).start();
    let mut stream = server.get("/lines");
    assert_eq!(stream.head().status, 200);
    let mut whole = server.get("/all");
    let head = whole.head();
    assert_eq!(head.field("content-length"), Some("25165824"));
    let line = server.stderr_line("an access line", |line| line.contains("\"target\""));
    assert!(line.contains("\"/all\"") && line.contains("\"outcome\":\"late\""), "{line}");
    assert!(!whole.body_of(head).complete, "a body that was cut looks whole");
    // Its time has passed long ago.
    server.counters_until("the stream goes on", |now| now["streams"] == 1 && now["scopes"] == 1);
    assert!(stream.chunk().starts_with("line 0 "));
}
