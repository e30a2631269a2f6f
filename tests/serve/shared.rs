//! What requests share: stores, from several workers.

use crate::support::weir_process::{Launch, Server};
use std::thread;

const WORKERS: [&str; 3] = ["--workers", "4", "-e"];

fn serve(code: &str) -> Server {
    let mut args = WORKERS.to_vec();
    args.push(code);
    Launch::new(&args).start()
}

const HITS: &str = "
let hits: Store[Int] = store(\"hits\")
let seen: Store[List[Text]] = store(\"seen\")
fn handle(req) {
  match req.path {
    \"/count\" => \"{hits.update(\"n\", 0, n => n + 1)?}\"
    \"/see\" => { let all = seen.update(\"all\", [], all => all.concat([req.query.get(\"k\") ?? \"\"]))?; \"{all.len()}\" }
    \"/seen\" => \"{(seen.get(\"all\")? ?? []).sort()}\"
    _ => \"{hits.get(\"n\")? ?? 0}\"
  }
}";

// rule: store.update
#[test]
fn a_counter_that_all_workers_hammer_is_exact() {
    const CLIENTS: usize = 8;
    const TIMES: usize = 250;
    let server = serve(HITS);
    let connections: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    thread::scope(|scope| {
        for (client, mut connection) in connections.into_iter().enumerate() {
            scope.spawn(move || {
                for n in 0..TIMES {
                    connection.get("/count");
                    assert_eq!(connection.response().status(), 200);
                    if n % 50 == 0 {
                        connection.get(&format!("/see?k={client}-{n}"));
                        assert_eq!(connection.response().status(), 200);
                    }
                }
            });
        }
    });
    assert_eq!(server.get("/").response().body(), (CLIENTS * TIMES).to_string());
    let seen = server.get("/seen").response().body();
    assert_eq!(seen.matches('-').count(), CLIENTS * TIMES / 50, "{seen}");
    server.counters_until("something is left", |c| c["scopes"] == 0 && c["resources"] == 0);
}

// rule: limit.store
#[test]
fn a_full_store_is_a_503_and_takes_more_when_something_went() {
    const CODE: &str = "
let texts: Store[Text] = store(\"texts\")
fn handle(req) {
  match req.path {
    \"/clear\" => \"{texts.delete(\"a\")?}\"
    key => { texts.set(key, \"x\".repeat(40000))?; \"ok\" }
  }
}";
    let server = Launch::new(&["--store-limit", "100kb", "-e", CODE]).start();
    let ask = |target: &str| server.get(target).response().status();
    assert_eq!((ask("/1"), ask("/2"), ask("/3"), ask("/2")), (200, 200, 503, 200));
    server.stderr_line("why", |line| line.contains("--store-limit"));
    let small = Launch::new(&["--store-limit", "100kb", "-e", &CODE.replace("40000", "200000")]).start();
    assert_eq!(small.get("/1").response().status(), 503);
}
