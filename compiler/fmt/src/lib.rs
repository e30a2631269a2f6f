//! `weir fmt`: a program's text in its one spelling.
//!
//! In: the text of a file. Out: the same program with two spaces of indentation, lines of at most [`WIDTH`] characters where
//! they can be broken, at most one blank line in a row, a comma behind the last item of a broken list, and no superfluous
//! parentheses except those between operators, which the author put there for the reader.
//!
//! Invariants: the tree stays the same, every comment is kept, and what is formatted once does not change again.
//! Blocks of one statement stay on the line they were written on while they fit; everything else is decided by the width.
//! A statement with a comment in the middle of an expression is left as it is, because no place for the comment is as good
//! as the author's.
//! Not here: files (`cli`), and what is wrong with a program that does not parse (`weir_syntax`).

mod comments;
mod doc;
mod expr;
mod item;
mod layout;
mod precedence;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use weir_syntax::diag::Diagnostic;
use weir_syntax::lexer::lex;
use weir_syntax::span::FileId;
use weir_syntax::{parse_library, print};

use comments::Comments;
use layout::Formatter;

/// How many characters a line should have at most.
pub const WIDTH: usize = 100;

/// The canonical text of the program `text`, or what is wrong with it; spans point into file 0.
///
/// Should the result ever not be the same program, `text` comes back unchanged.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = parse_library(FileId(0), text);
    if !parsed.diagnostics.is_empty() {
        return Err(parsed.diagnostics);
    }
    let source =
        if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
    let formatted = spelled(&source);
    if same_program(text, &formatted) {
        return Ok(formatted);
    }
    debug_assert!(false, "formatting changed the program:\n{text}\n---\n{formatted}");
    Ok(text.to_string())
}

fn spelled(source: &str) -> String {
    let (tokens, _) = lex(FileId(0), source);
    let parsed = parse_library(FileId(0), source);
    let comments = Comments::new(source, &tokens);
    let mut formatter = Formatter { source, tokens: &tokens, comments };
    let mut out = formatter.file(&parsed.file).set(WIDTH);
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// Whether two texts have the same tree and as many comments.
fn same_program(before: &str, after: &str) -> bool {
    let read = |text: &str| {
        let parsed = parse_library(FileId(0), text);
        let comments = Comments::new(text, &lex(FileId(0), text).0).len();
        (parsed.diagnostics.len(), print::file(&parsed.file), comments)
    };
    read(before) == read(after)
}
