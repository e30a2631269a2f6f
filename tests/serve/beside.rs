//! Tasks of a request whose client takes nothing: they go on, its stream does not.

use crate::support::client::{Client, Piece};
use crate::support::weir_process::{Launch, Server};

/// More rounds than the engine makes batches until the sockets between two sides are full.
const ROUNDS: usize = 200;
/// Likewise of lines.
const PLENTY: i64 = 1000;

/// `/echo` is answered with a body that never ends, while a task of it answers whatever `/ping/N` publishes.
const CODE: &str = r#"
let pings: Topic[Int] = topic("pings")
let pongs: Topic[Int] = topic("pongs")
let sent: Store[Int] = store("sent")
fn answer(asked: Stream[Int]) {
  defer { warn("the task has ended") }
  for n in asked {
    match n {
      -1 => panic("the task fails")
      -2 => while true {}
      n => pongs.publish(n)
    }
  }
}
route GET "/echo" {
  let (asked, lines) = (pings.subscribe(), channel(capacity: 4))
  spawn { answer(asked) ?? () }
  spawn {
    for n in 0..9000000000000 {
      let _ = lines.send("x".repeat(60000))
      let _ = sent.set("lines", n)
    }
  }
  lines.stream()
}
route GET "/ping/{n: Int}" {
  let answers = pongs.subscribe()
  pings.publish(n)
  "{answers.first()? ?? 0}"
}
route GET "/tell/{n: Int}" { pings.publish(n) }
route GET "/sent" { "{sent.get("lines")? ?? 0}" }
"#;

/// A server, and a client of it that has read nothing but the head of a body that fills the sockets.
fn stalled() -> (Server, Client) {
    let server = Launch::new(&[
        "-e",
        CODE,
        "--workers",
        "1",
        "--stall-timeout",
        "1h",
        "--cpu-limit",
        "200ms",
        "--log-format",
        "human",
    ])
    .start();
    let mut client = server.get("/echo");
    assert_eq!(client.head().status, 200);
    let mut other = server.connect();
    for n in 0..ROUNDS {
        other.get(&format!("/ping/{n}"));
        assert_eq!(other.response().body(), n.to_string());
    }
    other.get("/sent");
    let sent: i64 = other.response().body().parse().expect("a number of lines");
    assert!(sent < PLENTY, "{sent} lines were made for a client that takes none");
    (server, client)
}

// rule: task.beside
#[test]
#[cfg_attr(feature = "stress", ignore = "byte by byte, megabytes take minutes")]
fn a_task_goes_on_while_the_client_reads_nothing() {
    let (server, client) = stalled();
    client.rst();
    server.stderr_line("what it put off", |line| line == "the task has ended");
    server.counters_until("nothing is left", |now| {
        ["scopes", "tasks", "streams", "resources", "channels"].iter().all(|of| now[*of] == 0)
    });
}

// rule: task.beside
#[test]
#[cfg_attr(feature = "stress", ignore = "byte by byte, megabytes take minutes")]
fn a_task_that_fails_meanwhile_ends_the_request_at_once() {
    for (message, why) in [(-1, "the task fails"), (-2, "CPU time")] {
        let (server, mut client) = stalled();
        assert_eq!(server.get(&format!("/tell/{message}")).response().status(), 204);
        server.stderr_line("what it put off", |line| line == "the task has ended");
        server.counters_until("its scope has ended", |now| now["scopes"] == 0 && now["tasks"] == 0);
        // The client is told once it reads: the response breaks off.
        let end = loop {
            match client.piece() {
                Piece::Data(_) => {}
                end => break end,
            }
        };
        assert_eq!(end, Piece::Cut);
        server.stderr_line("the trap", |line| line.contains(why));
    }
}
