//! The access log.

use crate::support::weir_process::{Launch, run};
use rustix::process::Signal;

const CODE: &str = "fn handle(req) { if req.path == \"/missing\" { return not-found() }; \"hello\" }";

// rule: log.human
#[test]
fn human_lines() {
    let server = Launch::new(&["-e", CODE, "--log-format", "human"]).start();
    assert_eq!(server.get("/a?b=c").response().status(), 200);
    assert_eq!(server.get("/missing").response().status(), 404);
    let line = server.stderr_line("access line", |l| l.contains("/a?b=c"));
    assert!(line.contains("GET") && line.contains("200"), "{line}");
    let line = server.stderr_line("access line", |l| l.contains("/missing"));
    assert!(line.contains("GET") && line.contains("404"), "{line}");
}

// rule: log.json
#[test]
fn json_lines() {
    let server = Launch::new(&["-e", CODE, "--log-format", "json"]).start();
    assert_eq!(server.get("/a\"b").response().status(), 200);
    let line = server.stderr_line("access line", |l| l.starts_with('{'));
    let entry: serde_json::Value = serde_json::from_str(&line).expect("an access line is JSON");
    assert_eq!(entry["method"], "GET", "{line}");
    assert_eq!(entry["status"], 200, "{line}");
    assert!(
        entry["path"].as_str().or(entry["target"].as_str()).is_some_and(|p| p.starts_with("/a")),
        "{line}"
    );
}

// rule: log.off
#[test]
fn no_lines() {
    let server = Launch::new(&["-e", CODE, "--log-format", "off"]).start();
    for _ in 0..5 {
        assert_eq!(server.get("/a").response().status(), 200);
    }
    server.signal(Signal::TERM);
    let (code, rest) = server.wait();
    assert_eq!(code, 0);
    assert!(rest.iter().all(|l| !l.contains("GET")), "{rest:?}");
}

#[test]
fn lines_are_written_before_the_process_ends() {
    let server = Launch::new(&["-e", CODE, "--log-format", "human"]).start();
    assert_eq!(server.get("/last-words").response().status(), 200);
    server.signal(Signal::TERM);
    let (_, rest) = server.wait();
    assert!(rest.iter().any(|l| l.contains("/last-words")), "{rest:?}");
}

// rule: std.log
#[test]
fn scripts_write_to_the_log() {
    const CODE: &str = r#"type Visit = { page: Text, count: Int }
fn handle(req) {
  log.debug("not shown")
  log.info("seen", Visit(page: "a b", count: 3))
  log.warn("odd\nline")
  "done"
}"#;
    let server = Launch::new(&["-e", CODE, "--log-format", "off"]).start();
    assert_eq!(server.get("/").response().status(), 200);
    let line = server.stderr_line("a note", |l| !l.is_empty());
    assert!(line.contains("Z info #") && line.ends_with(r#" seen page="a b" count=3"#), "{line}");
    let line = server.stderr_line("a note", |l| l.contains("warn"));
    assert!(line.ends_with(r" odd\nline"), "{line}");

    let server = Launch::new(&["-e", CODE, "--log-format", "json"]).start();
    assert_eq!(server.get("/").response().status(), 200);
    let line = server.stderr_line("a note", |l| l.contains("seen"));
    let note: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!((&note["level"], &note["page"], &note["count"]), (&"info".into(), &"a b".into(), &3.into()));
    assert!(note["request"].is_string(), "{line}");

    let output = run(&["-e", r#"log.error("alone", 7)"#]);
    assert!(output.stderr.ends_with("Z error alone value=7\n"), "{}", output.stderr);
    let output = run(&["-e", r#"log.info("here", {user: 1, name: "Ada", is-new: true, tags: ["a"]})"#]);
    let rest = "Z info here user=1 name=Ada is-new=true tags=\"[\\\"a\\\"]\"\n";
    assert!(output.stderr.ends_with(rest), "{}", output.stderr);
}
