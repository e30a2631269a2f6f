//! The commands besides serving: running, checking, formatting, explaining, and their exit codes.

use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use support::weir_process::{run, run_in, weir};

#[allow(dead_code, reason = "each test binary uses its part of the support")]
mod support;

// rule: cli.run
#[test]
fn code_from_the_command_line() {
    let output = run(&["-e", "print(args())", "a", "b"]);
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (0, "[\"a\", \"b\"]\n", ""));
}

// rule: cli.run
#[test]
fn code_from_standard_input() {
    let output = run_in(&support::root(), &["-", "a"], "print(\"from stdin {args()}\")");
    assert_eq!(
        (output.code, output.stdout.as_str(), output.stderr.as_str()),
        (0, "from stdin [\"a\"]\n", "")
    );
}

#[test]
fn a_script_can_begin_with_a_shebang_or_a_byte_order_mark() {
    for text in ["#!/usr/bin/env weir\nprint(1)\n", "\u{feff}print(1)\n", "print(1)\r\n"] {
        let output = run_in(&support::root(), &["-"], text);
        assert_eq!((output.code, output.stdout.as_str()), (0, "1\n"), "{text:?}: {}", output.stderr);
    }
}

// rule: cli.exit
#[test]
fn exit_codes() {
    let cases: [(&[&str], i32); 8] = [
        (&["-e", "print(1)"], 0),
        (&["-e", "print(1 / [0][0])"], 1),
        (&["no-such-file.weir"], 1),
        (&["--no-such-option"], 2),
        (&["httpd"], 2),
        (&["-e", "print(nowhere)"], 3),
        (&["check", "no-such-file.weir"], 1),
        (&["explain", "E9999"], 1),
    ];
    for (args, code) in cases {
        let output = run(args);
        assert_eq!(output.code, code, "weir {args:?}: {}", output.stderr);
        assert_eq!(output.stderr.is_empty(), code == 0, "weir {args:?}: {}", output.stderr);
    }
}

// rule: cli.exit
#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_is_a_failure() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("every Linux has it");
    let output = weir().args(["-e", "print(1)"]).stdout(full).output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard output cannot be written"));
}

// rule: lex.utf8
#[test]
fn a_script_that_is_not_utf8() {
    let dir = support::scratch("utf8");
    fs::write(dir.join("bad.weir"), b"print(\"\xff\")\n").expect("the directory is writable");
    let output = run_in(&dir, &["bad.weir"], "");
    assert_eq!(output.code, 3, "{}", output.stderr);
    assert!(output.stderr.contains("UTF-8"), "{}", output.stderr);
}

// rule: trap.report
#[test]
fn a_trap_has_a_stack_trace_without_colours() {
    let dir = support::scratch("trap");
    fs::write(dir.join("t.weir"), "fn f(n: Int) -> Int = 1 / n\nprint(f(0))\n")
        .expect("the directory is writable");
    let output = run_in(&dir, &["t.weir"], "");
    assert_eq!(output.code, 1);
    assert_eq!(output.stderr, "weir: trap: division by zero\n  at f (t.weir:1:23)\n  at main (t.weir:2:7)\n");
}

// rule: cli.check-json
#[test]
fn diagnostics_as_json() {
    let dir = support::scratch("json");
    fs::write(dir.join("t.weir"), "print(1)\nprint(nowhere)\n").expect("the directory is writable");
    let output = run_in(&dir, &["check", "--json", "t.weir"], "");
    assert_eq!((output.code, output.stderr.as_str()), (3, ""));
    let found: serde_json::Value = serde_json::from_str(&output.stdout).expect("it is JSON");
    let found = found.as_array().expect("it is a list");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["severity"], "error", "{found:?}");
    assert!(found[0]["code"].as_str().is_some_and(|c| c.starts_with('E')), "{found:?}");
    fs::write(dir.join("t.weir"), "print(1)\n").expect("the directory is writable");
    let output = run_in(&dir, &["check", "--json", "t.weir"], "");
    assert_eq!((output.code, output.stdout.trim()), (0, "[]"));
}

// rule: cli.check
#[test]
fn check_runs_nothing_and_takes_several_files() {
    let dir = support::scratch("check");
    fs::write(dir.join("good.weir"), "print(\"running\")\n").expect("the directory is writable");
    fs::write(dir.join("bad.weir"), "print(nowhere)\n").expect("the directory is writable");
    let output = run_in(&dir, &["check", "good.weir"], "");
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (0, "", ""));
    let output = run_in(&dir, &["check", "good.weir", "bad.weir"], "");
    assert_eq!((output.code, output.stdout.as_str()), (3, ""));
    assert!(output.stderr.contains("bad.weir"), "{}", output.stderr);
}

// rule: cli.check-emit
#[test]
fn every_stage_can_be_shown() {
    for stage in ["tokens", "ast", "typed", "ir", "clif", "asm"] {
        let output = run(&["check", "--emit", stage, "examples/fib.weir"]);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{stage}");
        assert!(!output.stdout.is_empty(), "{stage}");
    }
}

// rule: cli.explain
#[test]
fn every_code_has_its_page() {
    let list = run(&["explain"]);
    assert_eq!(list.code, 0, "{}", list.stderr);
    let codes: Vec<&str> = list.stdout.lines().filter_map(|l| l.split_whitespace().next()).collect();
    assert!(codes.len() > 20, "{codes:?}");
    for code in codes {
        let page = run(&["explain", &code.to_lowercase()]);
        assert_eq!(page.code, 0, "{code}: {}", page.stderr);
        assert!(page.stdout.starts_with(code) && page.stdout.lines().count() > 2, "{code}: {}", page.stdout);
    }
}

// rule: cli.fmt
#[test]
fn formatting() {
    let dir = support::scratch("fmt");
    let file = dir.join("t.weir");
    let untidy = "fn  f( a,b )=a+b # sum\nprint( f(1,2) )\n";
    fs::write(&file, untidy).expect("the directory is writable");
    let output = run_in(&dir, &["fmt", "--check", "t.weir"], "");
    assert_eq!(output.code, 5, "{}", output.stderr);
    assert_eq!(fs::read_to_string(&file).expect("the file is there"), untidy, "--check changes nothing");
    let output = run_in(&dir, &["fmt", "t.weir"], "");
    assert_eq!(output.code, 0, "{}", output.stderr);
    let tidy = fs::read_to_string(&file).expect("the file is there");
    assert_eq!(tidy, "fn f(a, b) = a + b # sum\nprint(f(1, 2))\n");
    let output = run_in(&dir, &["fmt", "--check", "t.weir"], "");
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert_eq!(run_in(&dir, &["fmt", "-"], untidy).stdout, tidy);
    fs::write(&file, "fn f( {").expect("the directory is writable");
    let output = run_in(&dir, &["fmt", "t.weir"], "");
    assert_eq!(output.code, 3, "{}", output.stderr);
    assert_eq!(
        fs::read_to_string(&file).expect("the file is there"),
        "fn f( {",
        "what has mistakes is left alone"
    );
}

#[test]
fn the_examples_and_the_library_are_formatted() {
    for dir in ["examples", "stdlib"] {
        for entry in fs::read_dir(support::root().join(dir)).expect("the directory is there") {
            let path = entry.expect("the directory can be read").path();
            let output = run(&["fmt", "--check", path.to_str().expect("names are UTF-8")]);
            assert_eq!(output.code, 0, "{}", output.stderr);
        }
    }
}

// rule: cli.limits
#[test]
fn help_and_version() {
    let help = run(&["--help"]);
    assert_eq!(help.code, 0);
    for word in ["httpd", "check", "fmt", "explain"] {
        assert!(help.stdout.contains(word), "{}", help.stdout);
    }
    let version = run(&["--version"]);
    assert_eq!(
        (version.code, version.stdout.as_str()),
        (0, concat!("weir ", env!("CARGO_PKG_VERSION"), "\n"))
    );
    // Each limit of the server is in its help with its default.
    let help = run(&["httpd", "--help"]).stdout;
    for limit in [
        "--max-head",
        "--max-target",
        "--max-line",
        "--mem-limit",
        "--drain-timeout",
        "64kb",
        "16kb",
        "8mb",
        "64mb",
        "10s",
    ] {
        assert!(help.contains(limit), "{limit} is not in\n{help}");
    }
}

// rule: cli.interrupt
#[test]
fn a_signal_ends_a_program_with_what_it_put_off() {
    let fifo = support::scratch("interrupt").join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo is everywhere").success());
    // A child that waits, a program in a loop, and one whose statements have ended.
    let script = format!("exec 3>{}; echo begun; sleep 1000 & wait", fifo.display());
    let child = format!("for l in exec-stream(\"sh\", [\"-c\", {script:?}]) {{ print(l) }}");
    let cases = [
        (child.as_str(), "put off", Signal::INT, 130),
        ("print(\"begun\")\nwhile true {}", "put off", Signal::TERM, 143),
        ("background { defer { print(\"inner\") }; print(\"begun\"); sleep(1h) }", "inner", Signal::INT, 130),
    ];
    for (at, (code, last, signal, exit)) in cases.iter().enumerate() {
        let code = format!("fn run() -> ()! {{ defer {{ print(\"put off\") }}\n{code}\nOk(()) }}\nrun()?");
        let mut program =
            weir().args(["-e", &code]).stdout(Stdio::piped()).spawn().expect("the binary starts");
        let reader = (at == 0).then(|| File::open(&fifo).expect("the child opens the other end"));
        let mut lines =
            BufReader::new(program.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        assert!(lines.any(|line| line == "begun"), "{code}");
        kill_process(Pid::from_child(&program), *signal).expect("it runs");
        let rest: Vec<String> = lines.collect();
        assert_eq!(program.wait().expect("it is ours").code(), Some(*exit), "{code}");
        assert_eq!(rest, [*last], "{code}");
        // Nobody has the fifo open any more.
        if let Some(mut reader) = reader {
            let mut left = Vec::new();
            reader.read_to_end(&mut left).expect("an end");
        }
    }
}
