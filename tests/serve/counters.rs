//! Nothing is left behind: the counters return to where they started, wave after wave.

use crate::support::client::Client;
use crate::support::upstream::Upstream;
use crate::support::weir_process::Server;
use std::collections::BTreeMap;

/// What must return to its value; pools (idle fibers and their stacks) may keep what a wave needed.
const LIVE: [&str; 8] =
    ["fibers", "scopes", "chunks", "objects", "resources", "streams", "upstreams", "timers"];

fn live(counters: &BTreeMap<String, i64>) -> BTreeMap<&str, i64> {
    LIVE.iter()
        .map(|&name| (name, *counters.get(name).unwrap_or_else(|| panic!("no counter {name}"))))
        .collect()
}

fn settles_to(server: &Server, start: &BTreeMap<String, i64>) {
    server.counters_until("something is left behind", |now| {
        live(now) == live(start) && now["sockets"] == start["sockets"]
    });
}

// rule: cli.counters
#[test]
fn waves_of_tick_streams() {
    let server = Server::code("fn handle(req) { every(5ms).map(t => \"tick {t}\") }");
    let start = server.counters();
    for wave in 0..4 {
        let mut clients: Vec<Client> = (0..100).map(|_| server.get("/")).collect();
        for client in &mut clients {
            assert_eq!(client.head().status, 200);
            assert!(client.chunk().starts_with("tick "));
        }
        assert!(server.counters()["streams"] >= 100);
        for (i, mut client) in clients.into_iter().enumerate() {
            // By turns: a reset, a FIN, and a socket that is simply dropped.
            match (i + wave) % 3 {
                0 => client.rst(),
                1 => client.fin(),
                _ => drop(client),
            }
        }
        settles_to(&server, &start);
    }
}

#[test]
fn waves_of_proxied_streams() {
    let upstream = Upstream::new();
    let server = Server::code(&format!(
        "fn handle(req) {{ get-stream(\"{}\").map(l => l.upper()).filter(l => l.len() > 0) }}",
        upstream.url("/")
    ));
    let start = server.counters();
    for wave in 0..3 {
        let mut clients: Vec<Client> = (0..40).map(|_| server.get("/")).collect();
        let mut peers: Vec<_> = (0..40).map(|_| upstream.accept_chunked()).collect();
        for peer in peers.iter_mut().take(20) {
            peer.chunk("line\n");
        }
        for (i, mut client) in clients.drain(..).enumerate() {
            match (i + wave) % 2 {
                0 => client.rst(),
                _ => client.fin(),
            }
        }
        for peer in &mut peers {
            peer.expect_gone();
        }
        drop(peers);
        settles_to(&server, &start);
    }
}

#[test]
fn complete_responses_and_traps() {
    let server = Server::code(
        "fn handle(req) {
           match req.path {
             \"/text\" => \"hello {[1, 2, 3].map(n => \"{n}\").join(\"-\")}\"
             \"/lines\" => (0..50).stream().map(i => \"line {i}\")
             \"/trap\" => \"{[1][req.path.len()]}\"
             _ => not-found()
           }
         }",
    );
    let start = server.counters();
    let mut client = server.connect();
    for _ in 0..100 {
        for (path, status) in [("/text", 200), ("/lines", 200), ("/trap", 500), ("/none", 404)] {
            client.get(path);
            let response = client.response();
            assert_eq!(response.status(), status, "{path}");
            if response.head.field("connection") == Some("close") {
                client = server.connect();
            }
        }
    }
    drop(client);
    settles_to(&server, &start);
}

// rule: http.concurrent-streams
#[test]
fn two_hundred_tick_streams_at_once() {
    let server = Server::code("fn handle(req) { every(20ms).map(t => \"{req.path} {t}\") }");
    let mut clients: Vec<Client> = (0..200).map(|i| server.get(&format!("/{i}"))).collect();
    for client in &mut clients {
        assert_eq!(client.head().status, 200);
    }
    for _ in 0..3 {
        for (i, client) in clients.iter_mut().enumerate() {
            assert!(client.chunk().starts_with(&format!("/{i} ")));
        }
    }
}

#[test]
fn a_busy_handler_does_not_hold_the_others() {
    let server = Server::code(
        "fn spin(n: Int) -> Int { var i = 0; while i < n { i = i + 1 }; i }
         fn handle(req) {
           if req.path == \"/busy\" { warn(\"busy\"); return \"{spin(400000000)}\" }
           \"quick\"
         }",
    );
    let _busy: Vec<Client> = (0..4).map(|_| server.get("/busy")).collect();
    for _ in 0..4 {
        server.stderr_line("the handler's word", |l| l == "busy");
    }
    for _ in 0..20 {
        assert_eq!(server.get("/").response().body(), "quick");
    }
}
