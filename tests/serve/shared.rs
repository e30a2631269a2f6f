//! What requests share: stores, from several workers.

use crate::support;
use crate::support::client::{Client, Piece};
use crate::support::weir_process::{Launch, Server};
use rustix::process::Signal;
use std::io::Write;
use std::path::Path;
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

const NEWS: &str = "
let news: Topic[Text] = topic(\"news\")
fn handle(req) {
  match req.path {
    \"/read\" => news.subscribe(slow: Block, capacity: 4)
    \"/lose\" => news.subscribe(capacity: 2)
    \"/leave\" => news.subscribe(slow: Disconnect, capacity: 2)
    \"/say\" => { news.publish(req.query.get(\"t\") ?? \"\"); \"said\" }
    \"/long\" => { news.publish(\"x\".repeat(100000)); \"said\" }
    _ => \"{news.subscribers()}\"
  }
}";

/// Clients of `path` who have their heads.
fn readers(server: &Server, path: &str, count: usize) -> Vec<Client> {
    let ask = |_| {
        let mut client = server.connect();
        client.get(path);
        client
    };
    let mut clients: Vec<Client> = (0..count).map(ask).collect();
    for client in &mut clients {
        assert_eq!(client.head().status, 200);
    }
    clients
}

fn say(server: &Server, target: &str) {
    assert_eq!(server.get(target).response().body(), "said");
}

// rule: topic.publish, topic.subscribe
#[test]
fn what_is_published_reaches_everybody_on_all_workers() {
    const READERS: usize = 200;
    let server = serve(NEWS);
    let mut clients = readers(&server, "/read", READERS);
    assert_eq!(server.get("/").response().body(), READERS.to_string());
    for text in ["one", "two", "three"] {
        say(&server, &format!("/say?t={text}"));
        for client in &mut clients {
            assert_eq!(client.chunk(), format!("{text}\n"));
        }
    }
    // Who goes is gone.
    clients.truncate(1);
    server.counters_until("some subscriptions are left", |c| c["subscribers"] == 1);
    drop(clients);
    server.counters_until("something is left", |c| {
        (c["subscribers"], c["queued"], c["scopes"], c["resources"]) == (0, 0, 0, 0)
    });
}

// rule: topic.dead
#[test]
fn one_who_never_reads_holds_up_nobody() {
    let server = serve(NEWS);
    let mut clients = readers(&server, "/read", 20);
    let dead: Vec<Client> =
        ["/read", "/lose", "/leave"].iter().flat_map(|path| readers(&server, path, 1)).collect();
    // More than sockets and queues hold, so that the dead ones' queues fill.
    for _ in 0..60 {
        say(&server, "/long");
        for client in &mut clients {
            assert_eq!(client.chunk().len(), 100_001);
        }
    }
    server.counters_until("queues hold more than they may", |c| c["queued"] <= 8);
    assert_eq!(server.get("/").response().status(), 200);
    drop((clients, dead));
    server.counters_until("something is left", |c| (c["subscribers"], c["queued"], c["scopes"]) == (0, 0, 0));
}

// rule: topic.slow
#[test]
fn a_stream_that_was_too_slow_breaks_off() {
    let server = serve(NEWS);
    let mut slow = readers(&server, "/leave", 1).remove(0);
    // It takes nothing until it is given up: then its body has no end.
    for _ in 0..200 {
        say(&server, "/long");
    }
    let mut whole = 0;
    loop {
        match slow.piece() {
            Piece::Data(chunk) => whole += chunk.len(),
            piece => {
                assert!(matches!(piece, Piece::Cut), "{piece:?}");
                break;
            }
        }
    }
    assert!((1..200).contains(&(whole / 100_001)), "{whole} bytes");
}

const KEPT: &str = "
let hits: Store[Int] = store(\"hits\", file: \"hits.db\")
fn handle(req) {
  match req.path {
    \"/\" => \"{hits.get(\"n\")? ?? 0}\"
    \"/keys\" => \"{hits.keys()?} {hits.len()?}\"
    \"/delete\" => \"{hits.delete(\"n\")?}\"
    _ => \"{hits.update(\"n\", 0, n => n + 1)?}\"
  }
}";

fn keep(folder: &Path) -> Server {
    Launch::new(&["--workers", "3", "-e", KEPT]).dir(folder).start()
}

// rule: store.durable
#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    const CLIENTS: usize = 4;
    const EACH: usize = 25;
    let folder = support::scratch("kept");
    let mut counted = 0;
    for _round in 0..3 {
        let server = keep(&folder);
        let connections: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
        let acknowledged = thread::scope(|scope| {
            let clients = connections.into_iter().map(|mut client| {
                scope.spawn(move || {
                    for _ in 0..EACH {
                        client.get("/count");
                        assert_eq!(client.response().status(), 200);
                    }
                    // One more, which nobody waits for.
                    client.get("/count");
                    client
                })
            });
            clients
                .collect::<Vec<_>>()
                .into_iter()
                .map(|client| client.join().expect("it counts"))
                .collect::<Vec<_>>()
        });
        server.signal(Signal::KILL);
        drop(server);
        drop(acknowledged);
        let server = keep(&folder);
        let kept: usize = server.get("/").response().body().parse().expect("a number");
        let least = counted + CLIENTS * EACH;
        assert!((least..=least + CLIENTS).contains(&kept), "{kept} of {least}");
        counted = kept;
    }
    let server = keep(&folder);
    assert_eq!(server.get("/keys").response().body(), "[\"n\"] 1");
    assert_eq!(server.get("/delete").response().body(), "true");
    assert_eq!(server.get("/").response().body(), "0");
    server.counters_until("something is left", |c| c["scopes"] == 0 && c["resources"] == 0);
}

const LINES: &str = "
let starts: Store[Int] = store(\"starts\")
let lines = share(stream {
  let _ = starts.update(\"n\", 0, n => n + 1)?
  for line in stdin() { yield line }
})
fn handle(req) {
  match req.path {
    \"/\" => \"{starts.get(\"n\")? ?? 0} {lines.subscribers()}\"
    \"/direct\" => stdin()
    _ => lines.subscribe()
  }
}";

// rule: share.once
#[test]
fn a_shared_stream_is_read_once_for_all_and_closed_behind_the_last() {
    const READERS: usize = 40;
    let mut server = Launch::new(&["--workers", "3", "-e", LINES]).piped_stdin().start();
    let mut input = server.stdin.take().expect("stdin is piped");
    let mut clients: Vec<Client> = (0..READERS).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| client.get("/lines"));
    // Heads come 50 ms later, for there is no line yet.
    clients.iter_mut().for_each(|client| assert_eq!(client.head().status, 200));
    assert_eq!(server.get("/").response().body(), format!("1 {READERS}"));
    for line in ["one", "two"] {
        input.write_all(format!("{line}\n").as_bytes()).expect("the server reads");
        for client in &mut clients {
            assert_eq!(client.chunk(), format!("{line}\n"));
        }
    }
    clients.truncate(1);
    server.counters_until("the others are there", |c| c["subscribers"] == 1);
    input.write_all(b"three\n").expect("the server reads");
    assert_eq!(clients[0].chunk(), "three\n");
    drop(clients);
    server.counters_until("something is left", |c| {
        (c["subscribers"], c["shares"], c["scopes"], c["resources"], c["fibers"]) == (0, 0, 0, 0, 0)
    });
    // The source is free for others, and begins anew for the next subscriber.
    let mut direct = server.get("/direct");
    input.write_all(b"four\n").expect("the server reads");
    assert_eq!((direct.head().status, direct.chunk().as_str()), (200, "four\n"));
    drop(direct);
    server.counters_until("the reader is there", |c| c["scopes"] == 0);
    let mut again = server.get("/lines");
    input.write_all(b"five\n").expect("the server reads");
    assert_eq!((again.head().status, again.chunk().as_str()), (200, "five\n"));
    assert_eq!(server.get("/").response().body(), "2 1");
}

// rule: store.lasts, store.type
#[test]
fn a_new_version_finds_the_stores_and_topics_of_the_one_before() {
    let version = |text: &str, ty: &str, start: &str| {
        format!(
            "let hits: Store[{ty}] = store(\"hits\")\nlet news: Topic[{ty}] = topic(\"news\")\n
             fn handle(req) {{
               if req.path == \"/news\" {{ return news.subscribe().map(n => \"{{n}}\") }}
               let n = hits.update(\"n\", {start}, n => n)?
               news.publish(n)
               \"{text} {{n}}\"
             }}"
        )
    };
    let dir = support::scratch("shared-versions");
    let write = |text: String| std::fs::write(dir.join("app.weir"), text).expect("written");
    write(version("one", "Int", "7"));
    let server = Launch::new(&["app.weir", "--workers", "2", "--log-format", "off"]).dir(&dir).start();
    let body = |target: &str| server.get(target).response().body();
    assert_eq!(body("/"), "one 7");
    let mut listener = readers(&server, "/news", 1).remove(0);
    write(version("two", "Int", "0"));
    server.signal(Signal::HUP);
    server.stderr_line("a reload", |line| line.starts_with("weir httpd reloaded app.weir"));
    assert_eq!(body("/"), "two 7");
    assert_eq!(listener.chunk(), "7\n");
    // Another type is refused, and the version before goes on.
    write(version("three", "Text", "\"\""));
    server.signal(Signal::HUP);
    server.stderr_line("why", |line| line.contains("the store \"hits\" is one of `Int`"));
    server.stderr_line("a refusal", |line| line.starts_with("weir httpd goes on"));
    assert_eq!(body("/"), "two 7");
}
