//! SPEC.md and README.md are true: every example in them runs, and every rule is shown by a test.
//!
//! An example is a block fenced with ```` ```weir ````; the words behind `weir` say what is expected of it:
//!
//! - nothing: it runs to its end; the `# => text` comments in it, in order, are its standard output
//! - `trap`: likewise, up to a trap; a comment `# trap: message` says which
//! - `error=E0301`: it does not compile, and that code is among the reasons
//! - `handler`: it is served; each comment `# GET /path => "body"` is asked, or `=> 404` for a status without body
//!
//! A rule is an id in brackets, `[arith.overflow]` in backticks. A program of `tests/lang` with `# rule: arith.overflow`, or
//! a Rust test with `// rule: arith.overflow` above it, shows it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use support::weir_process::{Launch, run_in};

#[allow(dead_code, reason = "each test binary uses its part of the support")]
mod support;

/// An example of a document.
struct Example {
    /// `SPEC.md:12`
    place: String,
    /// What stands behind `weir`.
    expectation: String,
    code: String,
}

/// The examples of a document; none when there is no such file.
fn examples(document: &str) -> Vec<Example> {
    let Ok(text) = fs::read_to_string(support::root().join(document)) else { return Vec::new() };
    let mut found = Vec::new();
    let mut open: Option<Example> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(example), None) => example.code.push_str(&format!("{line}\n")),
            (None, Some(info)) => {
                let mut words = info.splitn(2, ' ');
                if words.next() == Some("weir") {
                    let expectation = words.next().unwrap_or_default().trim().to_owned();
                    open = Some(Example {
                        place: format!("{document}:{}", number + 1),
                        expectation,
                        code: String::new(),
                    });
                }
            }
            (None, None) => {}
        }
    }
    found
}

impl Example {
    /// What stands behind `mark` in the comments.
    fn remarks<'a>(&'a self, mark: &'a str) -> impl Iterator<Item = &'a str> {
        self.code.lines().filter_map(move |l| l.split_once(mark).map(|(_, rest)| rest.trim()))
    }

    /// What is wrong with it.
    fn check(&self, dir: &Path) -> Result<(), String> {
        fs::write(dir.join("example.weir"), &self.code).map_err(|e| e.to_string())?;
        match self.expectation.as_str() {
            "" => self.runs(dir, 0),
            "trap" => self.runs(dir, 1),
            "handler" => self.answers(dir),
            other => match other.strip_prefix("error=") {
                Some(code) => self.is_rejected(dir, code),
                None => Err(format!("no expectation is called {other:?}")),
            },
        }
    }

    fn runs(&self, dir: &Path, code: i32) -> Result<(), String> {
        let output = run_in(dir, &["example.weir"], "");
        let wanted: String = self.remarks("# => ").map(|l| format!("{l}\n")).collect();
        if output.code != code {
            return Err(format!("exit {} instead of {code}\n{}", output.code, output.stderr));
        }
        if !wanted.is_empty() && output.stdout != wanted {
            return Err(format!("prints\n{}instead of\n{wanted}", output.stdout));
        }
        if code == 0 && !output.stderr.is_empty() {
            return Err(output.stderr);
        }
        match self.remarks("# trap: ").next() {
            Some(message) if output.stderr.lines().next() != Some(&format!("weir: trap: {message}")) => {
                Err(output.stderr)
            }
            _ => Ok(()),
        }
    }

    fn is_rejected(&self, dir: &Path, code: &str) -> Result<(), String> {
        let output = run_in(dir, &["check", "example.weir"], "");
        if output.code != 3 {
            return Err(format!("exit {} instead of 3\n{}", output.code, output.stderr));
        }
        if !output.stderr.contains(code) { Err(output.stderr) } else { Ok(()) }
    }

    fn answers(&self, dir: &Path) -> Result<(), String> {
        let launch = Launch::new(&["example.weir", "--log-format", "off"]).dir(dir);
        let server = launch.try_start().map_err(|output| output.stderr)?;
        let posts = self.remarks("# POST ").map(|remark| ("POST", remark));
        for (method, remark) in self.remarks("# GET ").map(|remark| ("GET", remark)).chain(posts) {
            let (target, wanted) = remark.split_once(" => ").ok_or("an answer stands behind `=>`")?;
            let mut client = server.connect();
            match target.split_once(' ') {
                Some((target, body)) => {
                    client.request(method, target, &format!("Content-Length: {}\r\n", body.len()));
                    client.send(body);
                }
                None => client.request(method, target, ""),
            }
            let response = client.response();
            let got = match wanted.starts_with('"') {
                true => format!("{:?}", response.body()),
                false => response.status().to_string(),
            };
            if got != wanted {
                return Err(format!("{target} gives {got} instead of {wanted}"));
            }
        }
        Ok(())
    }
}

fn check_examples(document: &str) -> usize {
    let dir = support::scratch(document);
    let examples = examples(document);
    let failures: Vec<String> = examples
        .iter()
        .filter_map(|e| e.check(&dir).err().map(|why| format!("{}: {why}\n{}", e.place, e.code)))
        .collect();
    let _ = fs::remove_dir_all(&dir);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    examples.len()
}

#[test]
fn every_example_of_the_specification_is_true() {
    assert!(check_examples("SPEC.md") > 0);
}

#[test]
fn every_example_of_the_readme_is_true() {
    check_examples("README.md");
}

/// The ids of rules in the specification, in order.
fn rules() -> Vec<String> {
    let text = fs::read_to_string(support::root().join("SPEC.md")).expect("there is a specification");
    let pieces = text.split("`[").skip(1).filter_map(|piece| piece.split_once("]`"));
    pieces.map(|(id, _)| id.to_owned()).filter(|id| is_rule(id)).collect()
}

fn is_rule(id: &str) -> bool {
    id.contains('.')
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'))
}

/// Every id that a `rule:` comment below `dir` names, with the file.
fn shown(dir: &Path, found: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(dir).expect("the tests can be read") {
        let path = entry.expect("the tests can be read").path();
        if path.is_dir() {
            shown(&path, found);
            continue;
        }
        let mark = match path.extension().and_then(|e| e.to_str()) {
            Some("weir") => "# rule: ",
            Some("rs") => "// rule: ",
            _ => continue,
        };
        let text = fs::read_to_string(&path).expect("tests are text");
        for line in text.lines().filter_map(|l| l.strip_prefix(mark)) {
            found.extend(line.split(',').map(|id| (id.trim().to_owned(), path.clone())));
        }
    }
}

#[test]
fn every_rule_is_shown_by_a_test() {
    let mut found = Vec::new();
    shown(&support::root().join("tests"), &mut found);
    let shown: BTreeSet<&String> = found.iter().map(|(id, _)| id).collect();
    let missing: Vec<String> = rules().into_iter().filter(|id| !shown.contains(id)).collect();
    assert!(missing.is_empty(), "no test names {}", missing.join(", "));
}

#[test]
fn every_rule_that_a_test_names_exists_once() {
    let rules = rules();
    let known: BTreeSet<&String> = rules.iter().collect();
    assert_eq!(known.len(), rules.len(), "an id stands twice");
    let mut found = Vec::new();
    shown(&support::root().join("tests"), &mut found);
    found.retain(|(id, _)| !known.contains(id));
    assert!(found.is_empty(), "no such rules: {found:?}");
}

/// Where a table that is made by the program stands in the specification.
const MADE: [(&str, &str); 2] = [("limits", "httpd --help"), ("diagnostics", "explain")];

/// The lines of a table as the program knows it.
fn made(table: &str) -> String {
    let lines = |args: &[&str]| run_in(&support::root(), args, "").stdout;
    match table {
        "diagnostics" => {
            let codes = lines(&["explain"]);
            let rows = codes.lines().filter_map(|line| line.split_once("  "));
            let rows: String = rows.map(|(code, title)| format!("| `{code}` | {title} |\n")).collect();
            format!("| Code | |\n|---|---|\n{rows}")
        }
        _ => {
            let help = lines(&["httpd", "--help"]);
            let (_, limits) = help.split_once("\nLimits:\n").expect("the limits have a heading");
            let mut rows = String::new();
            for line in limits.lines() {
                let row = line.trim().split_once(" <").and_then(|(option, rest)| {
                    let (_, text) = rest.split_once("> ")?;
                    let (text, default) = text.trim().strip_suffix(']')?.rsplit_once(" [default: ")?;
                    Some(format!("| `{option}` | {default} | {text} |\n"))
                });
                rows.extend(row);
            }
            format!("| Option | Default | |\n|---|---|---|\n{rows}")
        }
    }
}

#[test]
fn tables_of_the_specification_are_those_of_the_program() {
    let path = support::root().join("SPEC.md");
    let mut text = fs::read_to_string(&path).expect("there is a specification");
    let mut wrong = Vec::new();
    for (table, command) in MADE {
        let start = format!("<!-- `weir {command}` says -->\n");
        let from = text.find(&start).unwrap_or_else(|| panic!("SPEC.md has no {start:?}")) + start.len();
        let to = from + text[from..].find("\n\n").map_or(text.len() - from, |end| end + 1);
        let table = made(table);
        if text[from..to] != table {
            wrong.push(command);
            text.replace_range(from..to, &table);
        }
    }
    if std::env::var_os("WEIR_BLESS").is_some() {
        fs::write(&path, text).expect("the specification can be written");
    } else {
        assert!(wrong.is_empty(), "not as the program says; WEIR_BLESS=1 rewrites them: {wrong:?}");
    }
}
