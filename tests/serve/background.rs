//! `background { }` in a server: it outlives its request, is drained with the server, and is held to budgets.

use crate::support;
use crate::support::weir_process::{Launch, Server};
use rustix::process::Signal;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A fifo whose reader waits until something is written.
fn gate(name: &str) -> PathBuf {
    let path = support::scratch(&format!("background-{name}")).join("gate");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo is everywhere").success());
    path
}

fn open(gate: &Path) {
    let mut file = OpenOptions::new().write(true).open(gate).expect("its reader waits");
    file.write_all(b"go\n").expect("written");
}

/// A script's words for waiting at a gate.
fn waiting(gate: &Path) -> String {
    format!("let _ = process.run(\"cat\", [{:?}])", gate.display().to_string())
}

fn serve(code: &str, args: &[&str]) -> Server {
    Launch::new(&[&["-e", code, "--log-format", "off", "--workers", "1"], args].concat()).start()
}

// rule: background.answer
#[test]
fn it_goes_on_when_the_client_has_gone() {
    let gate = gate("gone");
    let code = format!(
        "fn handle(req) {{ let name = req.path; background {{ {}; warn(\"done {{name}}\") }}; \"answered\" }}",
        waiting(&gate)
    );
    let server = serve(&code, &[]);
    assert_eq!(server.get("/a").response().body(), "answered");
    let counters = server.counters_until("the request is over", |c| c["sockets"] == 0 && c["scopes"] == 1);
    assert_eq!((counters["background"], counters["children"]), (1, 1));
    open(&gate);
    server.stderr_line("its word", |l| l == "done /a");
    server.counters_until("background work stays", |c| {
        c["background"] == 0 && c["scopes"] == 0 && c["chunks"] == 0
    });
}

// rule: background.failure
#[test]
fn what_goes_wrong_is_logged_with_its_request_and_place() {
    let code = "fn handle(req) {
  let path = req.path
  background {
    if path == \"/fails\" { fail \"no such luck\" }
    panic(\"oh no\")
  }
  \"answered\"
}";
    let server = serve(code, &[]);
    assert_eq!(server.get("/fails").response().body(), "answered");
    let line = server.stderr_line("a failure", |l| l.contains("no such luck"));
    assert!(line.contains(" error #1 "), "{line}");
    assert_eq!(server.get("/traps").response().body(), "answered");
    let line = server.stderr_line("a trap", |l| l.contains("oh no"));
    assert!(line.contains(" error #2 "), "{line}");
    server.stderr_line("where", |l| l.contains("background in handle") && l.contains(":5:"));
    server.counters_until("background work stays", |c| {
        c["scopes"] == 0 && c["fibers"] == 0 && c["chunks"] == 0
    });
}

// rule: background.drain
#[test]
fn a_drain_waits_for_it() {
    let gate = gate("drain");
    let code =
        format!("fn handle(req) {{ background {{ {}; warn(\"done\") }}; \"answered\" }}", waiting(&gate));
    let server = serve(&code, &[]);
    let mut client = server.get("/");
    assert_eq!(client.response().body(), "answered");
    server.signal(Signal::TERM);
    client.expect_closed();
    open(&gate);
    server.stderr_line("its word", |l| l == "done");
    assert_eq!(server.wait().0, 0);
}

// rule: background.drain
#[test]
fn it_ends_with_the_time_for_draining_or_a_second_signal() {
    let code = "fn handle(req) { background { defer { warn(\"put off\") }; warn(\"begun\"); sleep(1h) }; \"answered\" }";
    for (args, signals) in [(&["--drain-timeout", "100ms"][..], 1), (&[], 2)] {
        let server = serve(code, args);
        let mut client = server.get("/");
        assert_eq!(client.response().body(), "answered");
        server.stderr_line("its word", |l| l == "begun");
        server.signal(Signal::TERM);
        client.expect_closed();
        if signals == 2 {
            server.signal(Signal::TERM);
        }
        server.stderr_line("what it put off", |l| l == "put off");
        assert_eq!(server.wait().0, 0);
    }
}

// rule: background.budget
#[test]
fn it_has_budgets_and_there_is_only_so_much_of_it() {
    let code = "fn handle(req) {
  let path = req.path
  background {
    if path == \"/busy\" { while true {} }
    sleep(1h)
  }
  \"answered\"
}";
    let server = serve(code, &["--cpu-limit", "50ms", "--max-background", "2"]);
    assert_eq!(server.get("/busy").response().body(), "answered");
    server.stderr_line("a budget", |l| l.contains("--cpu-limit"));
    server.counters_until("background work stays", |c| c["background"] == 0);
    assert_eq!(server.get("/").response().status(), 200);
    assert_eq!(server.get("/").response().status(), 200);
    assert_eq!(server.get("/").response().status(), 503);
    server.stderr_line("a limit", |l| l.contains("--max-background"));
}

// rule: background.version
#[test]
fn what_a_version_puts_into_the_background_ends_with_it() {
    let dir = support::scratch("background-version");
    let write = |n: u32| {
        let code = format!(
            "let words = [\"version\", \"{n}\"]
fn handle(req) {{ words.join(\" \") }}
let own = [words, [\"own\"]]
background {{
  defer {{ warn(\"{n} ends\") }}
  warn(\"{n} begins: {{own}} {{words}}\")
  sleep(1h)
}}"
        );
        fs::write(dir.join("app.weir"), code).expect("written");
    };
    write(1);
    let args = ["app.weir", "--log-format", "off", "--workers", "2", "--drain-timeout", "100ms"];
    let server = Launch::new(&args).dir(&dir).start();
    server.stderr_line("the first", |l| {
        l == "1 begins: [[\"version\", \"1\"], [\"own\"]] [\"version\", \"1\"]"
    });
    write(2);
    server.signal(Signal::HUP);
    let mut wanted = vec!["1 ends", "2 begins"];
    while !wanted.is_empty() {
        let line = server.stderr_line("both", |l| wanted.iter().any(|w| l.starts_with(w)));
        wanted.retain(|w| !line.starts_with(w));
    }
    assert_eq!(server.get("/").response().body(), "version 2");
    server.counters_until("the first version stays", |c| c["modules"] == 1 && c["background"] == 1);
    server.signal(Signal::TERM);
    server.stderr_line("the second's end", |l| l == "2 ends");
    assert_eq!(server.wait().0, 0);
}
