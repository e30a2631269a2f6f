//! Programs that would hurt others if they could: beside each of them a worker goes on answering, and each ends as it should.
//!
//! One worker serves everything, so that an answer to anybody else proves that the hostile handler was interrupted.

use crate::support::client::Piece;
use crate::support::weir_process::{Launch, Server};

/// A server with one worker and these flags.
fn one_worker(code: &str, flags: &[&str]) -> Server {
    let mut args = vec!["-e", code, "--workers", "1"];
    args.extend(flags);
    Launch::new(&args).start()
}

const SPINS: &str = "fn turn(n: Int) = n + 1
fn handle(req) {
  if req.path == \"/ok\" { \"fine\\n\" } else {
    var n = 0
    while true {
      n = turn(n)
    }
    \"{n}\"
  }
}";

// rule: budget.turns
#[test]
fn an_endless_loop_lets_others_be_answered() {
    let server = one_worker(SPINS, &["--cpu-limit", "1h"]);
    let mut client = server.get("/spin");
    for _ in 0..20 {
        assert_eq!(server.get("/ok").response().body(), "fine\n");
    }
    // It still runs. A client that goes ends it.
    assert!(client.is_silent_for(std::time::Duration::from_millis(10)));
    drop(client);
    server.counters_until("a loop goes on although its client is gone", |c| {
        c["scopes"] == 0 && c["fibers"] == 0
    });
}

// rule: limit.cpu
#[test]
fn an_endless_loop_ends_at_the_cpu_limit() {
    let server = one_worker(SPINS, &["--cpu-limit", "100ms"]);
    let mut spins = server.get("/spin");
    assert_eq!(server.get("/ok").response().body(), "fine\n");
    let response = spins.response();
    assert_eq!((response.status(), response.body().as_str()), (503, "Service Unavailable\n"));
    let line = server.stderr_line("error", |l| l.contains(" error #"));
    assert!(line.ends_with("100ms of CPU time without a wait are used up (--cpu-limit)"), "{line}");
    let place = server.stderr_line("frame", |_| true);
    assert!(place.trim_start().starts_with("at handle (-e:5:"), "{place}");
    assert_eq!(server.get("/ok").response().body(), "fine\n");
    server.counters_until("a request lives on", |c| c["scopes"] == 0 && c["chunks"] == 0 && c["fibers"] == 0);
}

// rule: limit.cpu
#[test]
fn many_loops_at_once_end_at_the_cpu_limit() {
    let server = one_worker(SPINS, &["--cpu-limit", "50ms"]);
    let mut clients: Vec<_> = (0..8).map(|_| server.get("/spin")).collect();
    assert_eq!(server.get("/ok").response().body(), "fine\n");
    for client in &mut clients {
        assert_eq!(client.response().status(), 503);
    }
}

// rule: limit.cpu
#[test]
fn a_wait_begins_the_cpu_limit_anew() {
    let code = "fn busy(n: Int) -> Int {
  var x = 0
  for i in 0..n {
    x = (x + i * i) % 7
  }
  x
}
fn handle(req) {
  var x = 0
  for _ in 0..60 {
    x = x + busy(TURNS)
    sleep(1ms)
  }
  \"done {x - x}\\n\"
}";
    // A stress build yields at each turn of the loop.
    let turns = if cfg!(feature = "stress") { "2000" } else { "400000" };
    let server = one_worker(&code.replace("TURNS", turns), &["--cpu-limit", "50ms"]);
    assert_eq!(server.get("/").response().body(), "done 0\n");
}

// rule: limit.cpu
#[test]
fn an_endless_item_is_cut_behind_those_before_it() {
    let code = "fn handle(req) {
  [1, 2, 3].stream().map(n => {
    var left = n
    while n == 3 and left > 0 {
      left = left % 5 + 1
    }
    \"{n}\"
  })
}";
    let server = one_worker(code, &["--cpu-limit", "100ms"]);
    let mut client = server.get("/");
    assert_eq!(client.head().status, 200);
    assert_eq!((client.chunk(), client.chunk()), ("1\n".to_owned(), "2\n".to_owned()));
    assert_eq!(client.piece(), Piece::Cut);
    let line = server.stderr_line("error", |l| l.contains(" error #"));
    assert!(line.ends_with("(--cpu-limit)"), "{line}");
}

// rule: limit.cpu
#[test]
fn a_stream_that_leaves_everything_out_ends_at_the_cpu_limit() {
    let code = "fn lines(path: Text) = if path == \"/ok\" { (7..9).stream() } else { (0..9000000000).stream().drop(8999999999) }
fn handle(req) {
  lines(req.path).map(n => \"{n}\")
}";
    let server = one_worker(code, &["--cpu-limit", "200ms"]);
    let mut client = server.get("/");
    assert_eq!(server.get("/ok").response().body(), "7\n8\n");
    // The head goes out when the first item is late.
    assert_eq!(client.head().status, 200);
    assert_eq!(client.piece(), Piece::Cut);
    server.stderr_line("error", |l| l.ends_with("(--cpu-limit)"));
}

// rule: limit.memory
#[test]
fn an_endless_allocation_ends_at_the_memory_limit() {
    let code = "fn handle(req) {
  if req.path == \"/ok\" { \"fine\\n\" } else {
    var all = [\"\"]
    while true {
      all.push(\"{all.len()}\")
    }
    all[0]
  }
}";
    let server = one_worker(code, &["--mem-limit", "16mb"]);
    for _ in 0..3 {
        let mut client = server.get("/");
        assert_eq!(server.get("/ok").response().body(), "fine\n");
        assert_eq!(client.response().status(), 503);
        let line = server.stderr_line("error", |l| l.contains(" error #"));
        assert!(line.ends_with("out of memory: the heap limit of 16mb is reached (--mem-limit)"), "{line}");
        let place = server.stderr_line("frame", |_| true);
        assert!(place.trim_start().starts_with("at handle (-e:5:"), "{place}");
    }
    server.counters_until("a heap lives on", |c| c["scopes"] == 0 && c["chunks"] == 0);
}

// rule: budget.turns
#[test]
fn an_idle_server_sleeps() {
    let server = Server::code("fn handle(req) { \"fine\\n\" }");
    for _ in 0..3 {
        assert_eq!(server.get("/").response().body(), "fine\n");
        server.counters_until("the clock ticks for nobody", |c| c["clock"] == 0);
    }
}

// rule: limit.request-time
#[test]
fn a_request_that_waits_too_long_is_a_503_and_tells_where_it_waits() {
    let code = "fn nap() { sleep(1h) }
fn handle(req) {
  if req.path == \"/nap\" { nap() }
  \"fine\\n\"
}";
    let server = one_worker(code, &["--request-timeout", "100ms"]);
    let mut client = server.get("/nap");
    assert_eq!(server.get("/").response().body(), "fine\n");
    assert_eq!(client.response().status(), 503);
    let line = server.stderr_line("error", |l| l.contains(" error #"));
    assert!(line.ends_with("no response within 100ms (--request-timeout)"), "{line}");
    for frame in ["at nap (-e:1:", "at handle (-e:3:"] {
        let line = server.stderr_line("frame", |_| true);
        assert!(line.trim_start().starts_with(frame), "{line}");
    }
    server.counters_until("a request lives on", |c| c["scopes"] == 0 && c["timers"] == 0 && c["fibers"] == 0);
}

// rule: limit.request-time
#[test]
fn a_stream_may_take_longer_than_a_request() {
    let code = "fn handle(req) { every(60ms).take(3).map(_ => \"tick\") }";
    let server = one_worker(code, &["--request-timeout", "100ms"]);
    assert_eq!(server.get("/").response().body(), "tick\ntick\ntick\n");
}

// rule: limit.start-time
#[test]
fn a_main_program_that_does_not_end_keeps_the_server_from_starting() {
    for main in ["while true {}", "sleep(1h)"] {
        let code = format!("{main}\nfn handle(req) {{ \"fine\\n\" }}");
        let launch = Launch::new(&["-e", &code, "--start-timeout", "100ms"]);
        let output = launch.try_start().err().expect("the program does not end");
        assert_eq!(output.code, 1, "{}", output.stderr);
        assert!(
            output.stderr.contains("within 100ms (--start-timeout)\n  at main (-e:1:"),
            "{}",
            output.stderr
        );
    }
}

const HOSTILE: &str = r#"type Chain = Link(value: Int, rest: Chain) | End
fn chain(count: Int) -> Chain {
  var made = End
  for value in 0..count {
    made = Link(value, made)
  }
  made
}
fn noise(count: Int) -> List[Int] {
  var x = 7
  var all = []
  for _ in 0..count {
    x = (x * 48271) % 2147483647
    all.push(x)
  }
  all
}
type Tree = Both(left: Tree, right: Tree) | Leaf(value: Int)
fn doubled(times: Int) -> Tree {
  var tree = Leaf(1)
  for _ in 0..times {
    tree = Both(tree, tree)
  }
  tree
}
fn deep(n: Int) -> Int = 1 + deep(n + 1)
fn shout(n: Int) -> Int {
  for at in 0..n {
    print("line {at} of many")
  }
  n
}
fn handle(req) {
  match req.path {
    "/recursion" => "{deep(0)}"
    "/index" => "{[1, 2, 3][10]}"
    "/overflow" => "{9223372036854775807 + req.path.len()}"
    "/deep" => match chain(1_000_000) {
      Link(value, _) => "{value}"
      End => "none"
    }
    "/sort" => "{noise(400_000).sort()[0]}"
    "/order" => "{noise(40_000).sort-by(n => "{n}").len()}"
    "/digest" => crypto.sha256("0123456789".repeat(1_000_000).to-bytes())
    "/regex" => "{regex.is-match("(a|b)*c[0-9]+d", "ab".repeat(2_000_000))}"
    "/print" => "{shout(20_000)}"
    "/equal" => "{doubled(60) == doubled(60)}"
    "/less" => "{doubled(60) < doubled(60)}"
    "/shown" => "{doubled(60)}"
    "/yields" => stream {
      while true {
        yield "again"
      }
    }
    _ => "fine\n"
  }
}"#;

/// The hostile paths, and what they are answered with.
const ENDS: [(&str, u16, &str); 9] = [
    ("/recursion", 500, "Internal Server Error\n"),
    ("/index", 500, "Internal Server Error\n"),
    ("/overflow", 500, "Internal Server Error\n"),
    ("/deep", 200, "999999"),
    ("/sort", 200, "1387"),
    ("/order", 200, "40000"),
    ("/digest", 200, "d52fcc26b48dbd4d79b125eb0a29b803"),
    ("/regex", 200, "false"),
    ("/print", 200, "20000"),
];

// rule: budget.turns
#[test]
fn others_are_answered_beside_everything_at_once() {
    // A stress build looks at the clock at each step.
    let cpu = if cfg!(feature = "stress") { "1h" } else { "5s" };
    let server = one_worker(HOSTILE, &["--mem-limit", "256mb", "--cpu-limit", cpu]);
    for (path, status, body) in ENDS {
        let mut clients = [server.get(path), server.get(path)];
        let mut keeps = server.get("/ok");
        for _ in 0..3 {
            assert_eq!(keeps.response().body(), "fine\n", "beside {path}");
            keeps.get("/ok");
        }
        assert_eq!(keeps.response().status(), 200);
        for client in &mut clients {
            let response = client.response();
            assert_eq!(response.status(), status, "{path}");
            assert!(response.body().starts_with(body), "{path} gives {}", response.body());
        }
    }
    server.counters_until("something of a hostile handler is left", |c| {
        ["scopes", "fibers", "chunks", "objects", "resources"].iter().all(|name| c[*name] == 0)
    });
}

// rule: budget.turns
#[test]
fn a_stream_that_only_yields_lets_others_be_answered() {
    let server = one_worker(HOSTILE, &[]);
    let mut endless = server.get("/yields");
    assert_eq!(endless.head().status, 200);
    for _ in 0..1000 {
        assert_eq!(endless.chunk(), "again\n");
    }
    for _ in 0..10 {
        assert_eq!(server.get("/ok").response().body(), "fine\n");
        assert_eq!(endless.chunk(), "again\n");
    }
    endless.rst();
    server.counters_until("a stream goes on without its client", |c| c["scopes"] == 0 && c["fibers"] == 0);
}

// rule: budget.turns
#[test]
fn a_comparison_without_an_end_lets_others_be_answered() {
    let server = one_worker(HOSTILE, &["--cpu-limit", "200ms", "--mem-limit", "1mb"]);
    for path in ["/equal", "/less"] {
        let mut client = server.get(path);
        for _ in 0..3 {
            assert_eq!(server.get("/ok").response().body(), "fine\n", "beside {path}");
        }
        assert_eq!(client.response().status(), 503, "{path}");
        server.stderr_line("error", |l| l.ends_with("(--cpu-limit)"));
        let place = server.stderr_line("frame", |_| true);
        assert!(place.trim_start().starts_with("at handle (-e:"), "{place}");
    }
    // A text form without an end meets the limit of memory.
    assert_eq!(server.get("/shown").response().status(), 503);
}

/// The path says how deep each of many tasks goes before it says so, and waits.
const DEEP_TASKS: &str = "fn down(n: Int, deep: Channel[Int]) -> Int {
  if n == 0 {
    deep.send(1)
    sleep(1h)
    return 0
  }
  1 + down(n - 1, deep)
}
route GET \"/{depth: Int}\" {
  let deep: Channel[Int] = channel(capacity: 10)
  for _ in 0..1500 { spawn { down(depth, deep) } }
  var count = 0
  for _ in 0..1500 { count = count + (deep.receive() ?? 0) }
  \"{count} tasks\\n\"
}";

// rule: limit.stacks
#[test]
fn deep_stacks_of_many_tasks_count_as_memory() {
    let server = one_worker(DEEP_TASKS, &["--mem-limit", "16mb"]);
    assert_eq!(server.get("/10").response().body(), "1500 tasks\n");
    let response = server.get("/2000").response();
    assert_eq!((response.status(), response.body().as_str()), (503, "Service Unavailable\n"));
    server.stderr_line("error", |l| l.ends_with("the heap limit of 16mb is reached (--mem-limit)"));
    server.stderr_line("frame", |l| l.trim_start().starts_with("at down (-e:"));
    // What a scope with so many tasks leaves is taken down in turns.
    server.counters_until("a task lives on", |c| {
        ["scopes", "fibers", "tasks", "chunks", "resources", "endings"].iter().all(|name| c[*name] == 0)
    });
}

// rule: limit.stacks
#[test]
fn a_stack_that_was_deep_is_not_charged_for_ever() {
    let code = "fn down(n: Int) -> Int = if n == 0 { 0 } else { 1 + down(n - 1) }
fn handle(req) {
  var sum = 0
  for _ in 0..1000 { sum = sum + spawn { down(2000) }.wait() }
  \"{sum}\\n\"
}";
    let server = one_worker(code, &["--mem-limit", "1mb"]);
    assert_eq!(server.get("/").response().body(), "2000000\n");
}
