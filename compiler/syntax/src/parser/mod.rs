//! Tokens to the syntax tree.
//!
//! In: the text of a file. Out: a tree, always, and a diagnostic for each mistake.
//!
//! ```text
//! lexer -> layout (newlines, brackets) -> rules (chumsky) -> explain (what did not match, in Weir's words)
//! ```
//!
//! Invariants: an `Error` node has a diagnostic; no tree is deeper than [`MAX_DEPTH`], whatever the input.
//! Not here: what names mean. A tree may still be nonsense, such as an assignment to a call.

mod control;
mod explain;
mod expr;
mod item;
mod layout;
mod pattern;
mod recover;
mod slip;
mod stmt;
mod text;
mod types;

use chumsky::Parser;
use chumsky::inspector::SimpleState;

use crate::ast::File;
use crate::diag::Diagnostic;
use crate::lexer::lex;
use crate::span::FileId;
use layout::Laid;
use slip::Context;

pub use layout::{MAX_DEPTH, MAX_NESTING};

/// What became of a file's text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The tree, with error nodes where the text made no sense.
    pub file: File,
    /// What was wrong, in text order. Empty if and only if the tree says what the text says.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses a program. At most 4 GiB of text.
pub fn parse(file: FileId, text: &str) -> Parsed {
    parse_with(file, text, false)
}

/// Parses a file of the standard library, in which `native` bodies and types may stand.
pub fn parse_library(file: FileId, text: &str) -> Parsed {
    parse_with(file, text, true)
}

/// Deeper trees than this are parsed on a stack of their own.
const ORDINARY_DEPTH: usize = 24;

/// The size of that stack in bytes: room for [`MAX_DEPTH`] levels of an unoptimised build several times over. Only the
/// pages that are used are ever backed by memory.
const DEEP_STACK: usize = 256 << 20;

fn parse_with(file: FileId, text: &str, library: bool) -> Parsed {
    let (raw, mut diagnostics) = lex(file, text);
    let Laid { kinds, spans, depth, diagnostics: from_layout } = layout::lay_out(file, text, &raw, library);
    diagnostics.extend(from_layout);
    let context = Context { file, text, raw: &raw, kinds: &kinds, spans: &spans };
    let (tree, slips) = if depth <= ORDINARY_DEPTH {
        run(&context)
    } else {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(DEEP_STACK);
            match thread.spawn_scoped(scope, || run(&context)) {
                Ok(worker) => worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                // No thread is to be had: the caller's stack has to do.
                Err(_) => run(&context),
            }
        })
    };
    let explained = explain::explain_all(&context, slips, &diagnostics);
    diagnostics.extend(explained);
    // Stable: what the earlier pass said about a place comes first.
    diagnostics.sort_by_key(|diagnostic| diagnostic.span().start);
    Parsed { file: tree, diagnostics }
}

fn run(context: &Context) -> (File, Vec<slip::Slip>) {
    let mut state = SimpleState(context);
    let (tree, slips) = item::file().parse_with_state(context.kinds, &mut state).into_output_errors();
    (tree.unwrap_or_default(), slips)
}

#[cfg(test)]
mod tests;
