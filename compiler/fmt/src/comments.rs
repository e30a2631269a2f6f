//! The comments of a file, and which of them have been put somewhere.
//!
//! Invariant: a comment is taken at most once; whoever asks for a range gets what is left in it, in text order.

use std::ops::Range;

use weir_syntax::token::{Token, TokenKind};

/// A comment without blanks at its end.
#[derive(Clone, Debug)]
pub struct Comment {
    /// Offset of its `#`.
    pub start: usize,
    /// Offset behind its last character.
    pub end: usize,
    taken: bool,
}

/// All comments of a file.
pub struct Comments {
    all: Vec<Comment>,
}

impl Comments {
    /// The comments among the tokens of `text`.
    pub fn new(text: &str, tokens: &[Token]) -> Self {
        let comments = tokens.iter().filter(|t| matches!(t.kind, TokenKind::Comment | TokenKind::DocComment));
        let all = comments.map(|token| {
            let start = token.span.start as usize;
            let end = start + text[start..token.span.end as usize].trim_end().len();
            Comment { start, end, taken: false }
        });
        Self { all: all.collect() }
    }

    fn within(&self, range: Range<usize>) -> Range<usize> {
        let first = self.all.partition_point(|comment| comment.start < range.start);
        let behind = self.all.partition_point(|comment| comment.start < range.end);
        first..behind.max(first)
    }

    /// Takes those that start in `range` and are left.
    pub fn take(&mut self, range: Range<usize>) -> Vec<Comment> {
        let within = self.within(range);
        let left: Vec<Comment> = self.all[within.clone()].iter().filter(|c| !c.taken).cloned().collect();
        self.all[within].iter_mut().for_each(|comment| comment.taken = true);
        left
    }

    /// Whether one that starts in `range` is left.
    pub fn any_left(&self, range: Range<usize>) -> bool {
        self.all[self.within(range)].iter().any(|comment| !comment.taken)
    }

    /// Whether one starts in `range`, taken or not.
    pub fn any(&self, range: Range<usize>) -> bool {
        !self.within(range).is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }
}
