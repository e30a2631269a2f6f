//! Source text to syntax tree, and diagnostics as data.
//!
//! Pure: no I/O, no clock, no global state. Imports no other crate of Weir.

pub mod ast;
pub mod codes;
pub mod diag;
pub mod format;
pub mod lexer;
mod literal;
pub mod naming;
pub mod parser;
pub mod print;
pub mod render;
pub mod span;
pub mod suggest;
pub mod token;

pub use parser::{Parsed, parse, parse_library};
