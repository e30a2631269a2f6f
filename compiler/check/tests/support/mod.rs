//! What the tests share: the standard library from its sources, and checking a text.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use weir_check::Library;
use weir_check::typed::Program;
use weir_syntax::ast::File;
use weir_syntax::diag::{Diagnostic, Severity};
use weir_syntax::span::{FileId, Span};

/// The standard library of this repository, each module parsed when it is first asked for.
#[derive(Default)]
pub struct Sources {
    parsed: RefCell<HashMap<String, Option<Rc<File>>>>,
}

impl Library for Sources {
    fn module(&self, name: &str) -> Option<Rc<File>> {
        if let Some(known) = self.parsed.borrow().get(name) {
            return known.clone();
        }
        let path = format!("{}/../../stdlib/{name}.weir", env!("CARGO_MANIFEST_DIR"));
        let file = std::fs::read_to_string(path).ok().map(|text| {
            let id = FileId(self.parsed.borrow().len() as u16 + 1);
            let parsed = weir_syntax::parse_library(id, &text);
            assert!(parsed.diagnostics.is_empty(), "stdlib/{name}.weir: {:?}", parsed.diagnostics);
            Rc::new(parsed.file)
        });
        self.parsed.borrow_mut().insert(name.to_string(), file.clone());
        file
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
    let parsed = weir_syntax::parse(FileId(0), text);
    if !parsed.diagnostics.is_empty() {
        return (None, parsed.diagnostics);
    }
    weir_check::check(&parsed.file, library)
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
    for d in diagnostics {
        out.push_str(&format!("{} {}\n", d.code, d.message));
        for label in &d.labels {
            let marked = match label.span.file.0 {
                0 => text.get(label.span.start as usize..label.span.end as usize).unwrap_or("?"),
                _ => "(library)",
            };
            out.push_str(&format!("  {marked:?}: {}\n", label.text));
        }
        for help in &d.help {
            out.push_str(&format!("  help: {help}\n"));
        }
    }
    out
}
