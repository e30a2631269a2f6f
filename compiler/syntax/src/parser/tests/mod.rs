//! Tests of the parser: trees, mistakes, and what holds for any text.

mod mistakes;
mod properties;
mod trees;

use super::{Parsed, parse};
use crate::print;
use crate::span::FileId;

fn parsed(text: &str) -> Parsed {
    parse(FileId(0), text)
}

/// The dump of a tree on one line: children in parentheses.
fn compact(text: &str) -> String {
    let parsed = parsed(text);
    assert_eq!(parsed.diagnostics, [], "{text}");
    squeeze(&print::file(&parsed.file))
}

fn squeeze(dump: &str) -> String {
    let mut out = String::new();
    let mut depth = 0;
    for line in dump.lines() {
        let indent = (line.len() - line.trim_start().len()) / 2;
        if indent > depth {
            out.push('(');
        } else {
            (indent..depth).for_each(|_| out.push(')'));
            if !out.is_empty() {
                out.push(' ');
            }
        }
        depth = indent;
        out.push_str(line.trim_start());
    }
    (0..depth).for_each(|_| out.push(')'));
    out
}
