//! The checker takes whatever tree the parser gives, and the standard library as it stands.

mod support;

use weir_syntax::diag::Severity;
use weir_syntax::span::FileId;

/// In about how many places each program is damaged.
const DAMAGES: usize = 250;

fn programs() -> Vec<String> {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut out = Vec::new();
    for folder in ["tests/mistakes", "../../examples", "../../bench"] {
        for entry in
            std::fs::read_dir(format!("{root}/{folder}")).expect("the folder is part of the repository")
        {
            let path = entry.expect("a readable folder").path();
            match path.extension().and_then(|e| e.to_str()) {
                Some("weir") => out.push(std::fs::read_to_string(path).expect("a readable file")),
                Some("txt") => {
                    let text = std::fs::read_to_string(path).expect("a readable file");
                    let cases =
                        text.split(">>> ").skip(1).filter_map(|c| c.split_once('\n')?.1.split_once("---\n"));
                    // Patterns that take long by intention would take as long in each of their damaged forms.
                    let cases = cases.filter(|(_, told)| !told.contains("E0508"));
                    out.extend(cases.map(|(program, _)| program.to_string()));
                }
                _ => {}
            }
        }
    }
    out
}

/// Checks a damaged program: it must not panic, and a program without errors must come with a tree.
fn survive(text: &str, library: &support::Sources) {
    let parsed = weir_syntax::parse(FileId(0), text);
    let (program, diagnostics) = weir_check::check(&parsed.file, library);
    assert_eq!(program.is_none(), diagnostics.iter().any(|d| d.severity == Severity::Error), "{text}");
    for d in &diagnostics {
        assert_eq!(d.span().file, FileId(0), "the first label is in the program: {text}\n{d:?}");
    }
}

#[test]
fn damaged_programs_are_survived() {
    let library = support::Sources::default();
    for program in programs() {
        let pieces: Vec<&str> = program.split_inclusive(|c: char| !c.is_alphanumeric() && c != '-').collect();
        // Of a long program not every piece, for each is checked with the whole of it.
        let step = pieces.len() / DAMAGES + 1;
        let mut at = 0;
        for (i, piece) in pieces.into_iter().enumerate() {
            if i % step > 0 {
                at += piece.len();
                continue;
            }
            let rest = &program[at + piece.len()..];
            survive(&format!("{}{rest}", &program[..at]), &library);
            match i / step % 4 {
                0 => survive(&program[..at], &library),
                2 => survive(&format!("{}{piece}{piece}{rest}", &program[..at]), &library),
                _ => {}
            }
            at += piece.len();
        }
    }
}

#[test]
fn the_standard_library_checks() {
    let library = support::Sources::default();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../stdlib");
    for entry in std::fs::read_dir(folder).expect("the folder is part of the repository") {
        let path = entry.expect("a readable folder").path();
        // As a file of a program these two mean something else: the types of `request` are those that the checker knows, and a
        // function of the prelude may be called like a module, which it would hide. The programs of `tests/lang` use both.
        let is_apart = path.file_stem().is_some_and(|name| name == "request" || name == "prelude");
        if path.extension().is_none_or(|e| e != "weir") || is_apart {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let parsed = weir_syntax::parse_library(FileId(0), &text);
        let (_, diagnostics) = weir_check::check(&parsed.file, &library);
        assert!(diagnostics.is_empty(), "{}:\n{}", path.display(), support::show(&text, &diagnostics));
    }
}
