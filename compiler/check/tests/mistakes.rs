//! Mistakes and what is said about them: `tests/mistakes/*.txt` pair programs with their diagnostics.
//!
//! A case is `>>> title`, the program, `---`, and the diagnostics. `BLESS=1 cargo test` rewrites the diagnostics.

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;
use weir_check::codes::CODES;

struct Case {
    title: String,
    program: String,
    expected: String,
}

fn files() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mistakes");
    let entries = std::fs::read_dir(folder).expect("the folder is part of the crate");
    let mut files: Vec<PathBuf> = entries.map(|e| e.expect("a readable folder").path()).collect();
    files.sort();
    files
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for case in text.split(">>> ").skip(1) {
        let (title, rest) = case.split_once('\n').expect("a title ends with its line");
        let (program, expected) = rest.split_once("---\n").unwrap_or_else(|| panic!("{title}: no `---`"));
        let [title, program, expected] = [title, program, expected.trim_end()].map(str::to_string);
        cases.push(Case { title, program, expected });
    }
    cases
}

#[test]
fn mistakes_are_explained() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut failed = Vec::new();
    for path in files() {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let mut blessed = String::new();
        for case in cases(&text) {
            let (program, diagnostics) = support::check(&case.program);
            let errors = diagnostics.iter().any(|d| d.severity == weir_syntax::diag::Severity::Error);
            assert_eq!(
                program.is_none(),
                errors,
                "{}: a program is there unless there are errors",
                case.title
            );
            let found = support::show(&case.program, &diagnostics);
            if found.trim_end() != case.expected {
                failed.push(format!(
                    "{}\n{}\nfound\n{found}\nexpected\n{}",
                    case.title, case.program, case.expected
                ));
            }
            blessed.push_str(&format!(">>> {}\n{}---\n{}\n\n", case.title, case.program, found.trim_end()));
        }
        if bless {
            std::fs::write(&path, blessed).expect("a writable file");
        }
    }
    assert!(bless || failed.is_empty(), "{}", failed.join("\n=====\n"));
}

#[test]
fn every_code_is_listed_and_shown() {
    let mut shown = BTreeSet::new();
    for path in files() {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        for case in cases(&text) {
            shown.extend(support::check(&case.program).1.iter().map(|d| d.code));
        }
    }
    let listed: BTreeSet<&str> = CODES.iter().map(|c| c.code).collect();
    assert_eq!(shown, listed, "codes that the cases show, and codes of the table");
    let mut emitted = BTreeSet::new();
    source_codes(&PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut emitted);
    let listed: BTreeSet<String> = listed.into_iter().map(str::to_string).collect();
    assert_eq!(emitted, listed, "codes that the sources name, and codes of the table");
    assert!(CODES.is_sorted_by_key(|c| c.code));
    for code in CODES {
        assert!(!code.title.is_empty() && code.explanation.contains('\n'), "{} has an example", code.code);
    }
}

/// The codes that stand as text in the sources.
fn source_codes(folder: &PathBuf, codes: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            source_codes(&path, codes);
        } else if path.file_name().is_some_and(|n| n != "codes.rs") {
            let text = std::fs::read_to_string(&path).expect("a readable file");
            for (at, _) in text.match_indices("\"E0") {
                codes.insert(text[at + 1..at + 6].to_string());
            }
        }
    }
}
