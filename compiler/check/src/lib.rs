//! Names, types and instances: syntax tree to typed tree.
//!
//! Pure: no I/O. Every mistake a user can make is reported here at the latest; later passes only meet compiler bugs.
//!
//! In: the main file's tree, and the library's on demand. Out: `typed::Program`, or diagnostics that say why not.
//!
//! ```text
//! syntax tree -> infer (draft tree, types under inference) -> goals solved -> zonk -> typed tree
//! ```
//!
//! `program` walks the file; `infer` has the rules, one file per construct; `instances` decides which body a call needs.

use std::rc::Rc;
use weir_syntax::ast;
use weir_syntax::span::Span;

mod annotate;
pub mod codes;
mod draft;
mod endless;
mod exhaustive;
mod frames;
mod goals;
mod infer;
mod instances;
mod json;
mod modules;
mod moves;
mod order;
#[expect(clippy::result_large_err, reason = "a mistake is told once, and then the program is not compiled")]
mod path_pattern;
pub mod print;
mod program;
mod report;
mod respond;
mod scope;
mod served;
pub mod typed;
pub mod types;
mod unify;
mod ways;
mod zonk;

pub use infer::bound_names;
pub use order::parts;
pub use program::{check, check_library_tests, check_tests, check_units};

/// A file of a program.
#[derive(Debug)]
pub struct Unit<'f> {
    /// The name of the module: its file's without `.weir`. Empty for the main file.
    pub name: String,
    /// Its tree.
    pub file: &'f ast::File,
    /// Where each `use` leads to, in text order.
    pub uses: Vec<Result<usize, Unusable>>,
}

/// Why a `use` leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// The file cannot be read, or its path is none: what is wrong, and what to do.
    File(String, String),
    /// The files use each other: their names from the used one back to it.
    Cycle(Vec<String>),
}

/// The parsed modules of the standard library, on demand.
pub trait Library {
    /// The module `name`, such as `list`; `None` when there is none. Parsed at most once by whoever implements this.
    fn module(&self, name: &str) -> Option<Rc<ast::File>>;

    /// The names of all modules, in the order in which one is looked for.
    fn names(&self) -> Vec<String>;

    /// A place of the program as its errors tell it: `app.weir:3:7`.
    fn place(&self, span: Span) -> String;
}
