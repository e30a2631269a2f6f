//! What the tests share: the standard library from its sources, and checking a text.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use weir_check::typed::Program;
use weir_check::{Library, Unit, Unusable};
use weir_syntax::ast::File;
use weir_syntax::diag::{Diagnostic, Severity};
use weir_syntax::span::{FileId, Span};

/// The first file of the library; the program's own come before.
const LIBRARY: u16 = 100;

/// The standard library of this repository, each module parsed when it is first asked for.
#[derive(Default)]
pub struct Sources {
    parsed: RefCell<HashMap<String, Option<Rc<File>>>>,
}

/// Where the library's files are.
const SHELF: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../stdlib");

impl Library for Sources {
    fn module(&self, name: &str) -> Option<Rc<File>> {
        if let Some(known) = self.parsed.borrow().get(name) {
            return known.clone();
        }
        let path = format!("{SHELF}/{name}.weir");
        let file = std::fs::read_to_string(path).ok().map(|text| {
            let id = FileId(self.parsed.borrow().len() as u16 + LIBRARY);
            let parsed = weir_syntax::parse_library(id, &text);
            assert!(parsed.diagnostics.is_empty(), "stdlib/{name}.weir: {:?}", parsed.diagnostics);
            Rc::new(parsed.file)
        });
        self.parsed.borrow_mut().insert(name.to_string(), file.clone());
        file
    }

    fn names(&self) -> Vec<String> {
        let files = std::fs::read_dir(SHELF)
            .expect("the library is there")
            .map(|file| file.expect("readable").path());
        let mut names: Vec<String> =
            files.filter_map(|file| Some(file.file_stem()?.to_str()?.to_string())).collect();
        names.sort();
        names
    }

    fn place(&self, span: Span) -> String {
        format!("{}:{}", span.file.0, span.start)
    }
}

impl Sources {
    /// The modules that were asked for and exist, in alphabetical order.
    #[allow(dead_code, reason = "not every test file asks")]
    pub fn loaded(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.parsed.borrow().iter().filter(|(_, f)| f.is_some()).map(|(n, _)| n.clone()).collect();
        names.sort();
        names
    }
}

/// Parses and checks a program. Mistakes of syntax are given alone.
pub fn check(text: &str) -> (Option<Program>, Vec<Diagnostic>) {
    check_with(text, &Sources::default())
}

/// The same with a library that may be looked at afterwards.
pub fn check_with(text: &str, library: &Sources) -> (Option<Program>, Vec<Diagnostic>) {
    let files = files(text);
    let mut trees = Vec::new();
    for (id, (_, text)) in (0..).zip(&files) {
        let parsed = weir_syntax::parse(FileId(id), text);
        if !parsed.diagnostics.is_empty() {
            return (None, parsed.diagnostics);
        }
        trees.push(parsed.file);
    }
    let unit = |((name, _), file): (&(&str, String), _)| {
        let uses = uses(file, &files);
        Unit { name: name.trim_end_matches(".weir").to_string(), file, uses }
    };
    let units: Vec<Unit> = files.iter().zip(&trees).map(unit).collect();
    weir_check::check_units(&units, library)
}

/// The files of a program: the main one without a name, and behind a line `== NAME` each one it uses; none of them uses one
/// further up.
fn files(text: &str) -> Vec<(&str, String)> {
    let mut files = vec![("", String::new())];
    for line in text.lines() {
        match line.strip_prefix("== ") {
            Some(name) => files.push((name, String::new())),
            None => files.last_mut().expect("the first is there").1.extend([line, "\n"]),
        }
    }
    files
}

/// Where the `use`s of a file lead: the checker takes what the driver found out.
fn uses(file: &File, files: &[(&str, String)]) -> Vec<Result<usize, Unusable>> {
    let paths = file.items.iter().filter_map(|item| match item {
        weir_syntax::ast::Item::Use(decl) => Some(decl.path.text.as_str()),
        _ => None,
    });
    let target = |path: &str| match files.iter().position(|(name, _)| *name == path) {
        Some(at) => Ok(at),
        None if path == "main.weir" => Err(Unusable::Cycle(vec![path.to_string(); 2])),
        None => Err(Unusable::File(format!("`{path}` cannot be read"), "Look for it.".to_string())),
    };
    paths.map(target).collect()
}

/// The typed tree of a program without mistakes, as text.
#[allow(dead_code, reason = "not every test file prints")]
pub fn typed(text: &str) -> String {
    let (program, diagnostics) = check(text);
    let program = program.unwrap_or_else(|| panic!("{text}\n{}", show(text, &diagnostics)));
    assert!(diagnostics.iter().all(|d| d.severity == Severity::Warning));
    weir_check::print::program(&program)
}

/// Diagnostics as lines: code, message, the marked text of each label with its remark, help.
pub fn show(text: &str, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    let files = files(text);
    for d in diagnostics {
        out.push_str(&format!("{} {}\n", d.code, d.message));
        for label in &d.labels {
            let marked = match files.get(label.span.file.0 as usize) {
                Some((_, text)) => {
                    text.get(label.span.start as usize..label.span.end as usize).unwrap_or("?")
                }
                None => "(library)",
            };
            out.push_str(&format!("  {marked:?}: {}\n", label.text));
        }
        for help in &d.help {
            out.push_str(&format!("  help: {help}\n"));
        }
    }
    out
}
