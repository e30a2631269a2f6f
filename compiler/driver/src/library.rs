//! The standard library as the checker sees it: modules parsed when a program first names them.
//!
//! In: the texts of `stdlib/*.weir`, built into the binary. Invariant: each module is parsed at most once per program and
//! has one file id, so spans into it can be shown.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use weir_abi::code::Place;
use weir_check::Library;
use weir_syntax::ast;
use weir_syntax::parser::parse_library;
use weir_syntax::span::{Source, Sources, Span};

macro_rules! modules {
    ($($name:literal),* $(,)?) => {
        /// The modules' names and texts.
        pub const MODULES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../stdlib/", $name, ".weir")))),*];
    };
}
modules!(
    "prelude", "int", "text", "list", "range", "option", "duration", "time", "stream", "request", "query",
    "headers", "cookies", "response", "event", "form", "float", "math", "path", "store", "topic", "shared",
    "html", "url", "random", "crypto", "regex", "error", "result", "fs", "process", "csv", "log", "json",
    "map", "set", "bytes", "env", "args", "deferred", "task", "channel", "answer", "repl",
);

/// What the names of the library's files end in.
const SHELF: &str = " (standard library)";

/// Whether a file belongs to the library.
pub fn is_library(source: &Source) -> bool {
    source.name.ends_with(SHELF)
}

/// Parsed modules and the sources they came from.
pub struct Modules {
    parsed: RefCell<HashMap<&'static str, Rc<ast::File>>>,
    sources: RefCell<Sources>,
}

impl Modules {
    /// No module parsed yet; `sources` holds the program's own files.
    pub fn new(sources: Sources) -> Self {
        Self { parsed: RefCell::new(HashMap::new()), sources: RefCell::new(sources) }
    }

    /// All sources: the program's own and the library modules that were used.
    pub fn into_sources(self) -> Sources {
        self.sources.into_inner()
    }
}

impl Library for Modules {
    fn module(&self, name: &str) -> Option<Rc<ast::File>> {
        let &(name, text) = MODULES.iter().find(|(n, _)| *n == name)?;
        if let Some(file) = self.parsed.borrow().get(name) {
            return Some(Rc::clone(file));
        }
        let id = self.sources.borrow_mut().add(Source::new(format!("{name}{SHELF}"), text));
        let parsed = parse_library(id, text);
        debug_assert!(parsed.diagnostics.is_empty(), "stdlib/{name}.weir: {:?}", parsed.diagnostics);
        let file = Rc::new(parsed.file);
        self.parsed.borrow_mut().insert(name, Rc::clone(&file));
        Some(file)
    }

    fn names(&self) -> Vec<String> {
        MODULES.iter().map(|(name, _)| name.to_string()).collect()
    }

    fn place(&self, span: Span) -> String {
        crate::show_place(&self.sources.borrow(), Place { file: span.file.0, start: span.start })
    }
}
