//! Tasks, channels and timed streams in requests: the client goes, and whatever they wait for is given up with them.

use crate::support::client::Piece;
use crate::support::upstream::Upstream;
use crate::support::weir_process::Server;
use rustix::process::Signal;

/// Counts that are 0 when nothing of a request is left.
const IDLE: [&str; 8] =
    ["scopes", "fibers", "tasks", "channels", "timers", "upstreams", "children", "resources"];

const WAITS: &str = r#"
fn waits(how: Text) {
  let numbers: Channel[Int] = channel()
  match how {
    "/sleep" => sleep(1h)
    "/channel" => {
      # Another one could still send.
      spawn { sleep(1h); numbers.send(1) }
      let _ = numbers.receive()
    }
    "/full" => {
      spawn { sleep(1h); numbers.receive() }
      for n in 0..100 { let _ = numbers.send(n) }
    }
    "/par" => { let _ = par(() => waits("/sleep"), () => waits("/channel")) }
    "/par-map" => { let _ = ["/sleep", "/full", "/upstream"].par-map(how => waits(how), limit: 2) }
    "/race" => { let _ = race(() => waits("/par"), () => waits("/sleep")) }
    "/timeout" => { let _ = timeout(1h, () => waits("/race")) }
    "/task" => { let _ = spawn { waits("/par") }.wait() }
    "/child" => { let _ = process.run("sleep", ["1000"]) }
    "/merged" => { let _ = every(1h).merge(get-stream("URL").map(_ => time.now())).first() }
    "/zipped" => { let _ = every(1h).zip(get-stream("URL")).first() }
    "/buffered" => { let _ = get-stream("URL").buffer(4).timeout(1h).heartbeat(1h, "").throttle(1h).first() }
    _ => { let _ = get-stream("URL").first() }
  }
}
"#;

// rule: task.partial
#[test]
fn whatever_tasks_wait_for_goes_with_the_client() {
    let upstream = Upstream::new();
    let code = format!("{WAITS}\nfn handle(req) {{ waits(req.path)\n \"late\" }}");
    let server = Server::code(&code.replace("URL", &upstream.url("/")));
    let upstreams = ["/upstream", "/par-map", "/merged", "/zipped", "/buffered"];
    let paths = [
        "/sleep",
        "/channel",
        "/full",
        "/par",
        "/race",
        "/timeout",
        "/task",
        "/child",
        "/upstream",
        "/merged",
        "/zipped",
        "/buffered",
    ];
    for path in paths {
        for reset in [false, true] {
            let client = server.get(path);
            let peer = upstreams.contains(&path).then(|| upstream.accept_request().0);
            server.counters_until(path, |c| c["fibers"] > 0);
            client.leave(reset);
            if let Some(mut peer) = peer {
                peer.expect_gone();
            }
            server.counters_until(path, |c| IDLE.iter().all(|name| c[*name] == 0));
        }
    }
}

// rule: task.timeout
#[test]
fn what_a_timeout_gives_up_is_given_up_at_once() {
    let upstream = Upstream::new();
    let code = format!(
        "{WAITS}\nfn handle(req) {{ let late = timeout(1ms, () => waits(req.path))\n stream {{ yield \"{{late.is-err()}}\"\n sleep(1h) }} }}"
    );
    let server = Server::code(&code.replace("URL", &upstream.url("/")));
    for path in
        ["/sleep", "/channel", "/full", "/par", "/par-map", "/race", "/timeout", "/task", "/child", "/merged"]
    {
        let mut client = server.get(path);
        assert_eq!(client.head().status, 200, "{path}");
        assert_eq!(client.chunk(), "true\n", "{path}");
        // The request lives on; what is left of it is its stream, which sleeps, and detached tasks.
        server.counters_until(path, |c| c["upstreams"] == 0 && c["children"] == 0 && c["scopes"] == 1);
        client.leave(true);
        server.counters_until(path, |c| IDLE.iter().all(|name| c[*name] == 0));
    }
}

// rule: channel.stream
#[test]
fn a_channel_is_a_body_that_is_sent_as_it_is_filled() {
    let upstream = Upstream::new();
    let server = Server::code(&format!(
        r#"fn handle(req) {{
          let lines = channel(capacity: 1)
          let _ = spawn {{
            for line in get-stream("{}") {{ let _ = lines.send("<{{line}}>") }}
            lines.close()
          }}
          lines.stream()
        }}"#,
        upstream.url("/")
    ));
    let mut client = server.get("/");
    let mut peer = upstream.accept_chunked();
    for line in ["one", "two", "three"] {
        peer.chunk(&format!("{line}\n"));
        if line == "one" {
            assert_eq!(client.head().status, 200);
        }
        assert_eq!(client.chunk(), format!("<{line}>\n"));
    }
    peer.end();
    assert_eq!(client.piece(), Piece::End);
    server.counters_until("a task lives on", |c| IDLE.iter().all(|name| c[*name] == 0));
}

// rule: task.trap
#[test]
fn a_trap_in_a_task_cuts_the_body_and_is_logged() {
    let server = Server::code(
        r#"fn third(xs: List[Int]) = xs[2]
        fn handle(req) {
          spawn { sleep(1ms); third([1]) }
          stream { yield "begun"; sleep(1h) }
        }"#,
    );
    let mut client = server.get("/");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "begun\n");
    assert_eq!(client.piece(), Piece::Cut);
    let line = server.stderr_line("the trap", |line| line.contains("index 2"));
    assert!(line.contains("outside a list of 1"), "{line}");
    server.counters_until("a request lives on", |c| IDLE.iter().all(|name| c[*name] == 0));
}

// rule: cli.sigterm
#[test]
fn a_server_that_is_cut_gives_up_what_still_runs() {
    let server = Server::code(
        r#"
        fn work(name) {
          defer { warn("done: {name}"); sleep(1h); warn("never") }
          sleep(1h)
        }
        fn handle(req) {
          defer { warn("done: handler") }
          stream {
            defer { warn("done: stream") }
            spawn { work("task") }
            yield "begun"
            let _ = par(() => work("left"), () => work("right"))
          }
        }"#,
    );
    let mut client = server.get("/");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "begun\n");
    server.counters_until("its tasks run", |c| c["tasks"] == 3);
    server.signal(Signal::TERM);
    server.signal(Signal::TERM);
    assert_eq!(client.piece(), Piece::Cut);
    let (_, lines) = server.wait();
    let done: Vec<&str> = lines.iter().filter_map(|line| Some(line.split_once("done: ")?.1)).collect();
    assert!(!lines.iter().any(|line| line.contains("panicked") || line.contains("never")), "{lines:?}");
    // The child that was begun last comes first, and takes all the time that there is.
    assert_eq!(done.last(), Some(&"right"), "{done:?}");
}
