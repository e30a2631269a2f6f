//! What formatting works with, and the two shapes that hold comments: sequences of lines, and bracketed lists.

use std::ops::Range;

use weir_syntax::ast::{Block, File, Item, Stmt};
use weir_syntax::span::Span;
use weir_syntax::token::Token;

use crate::comments::{Comment, Comments};
use crate::doc::{Doc, concat, group, indent, text};

/// The file at hand.
pub struct Formatter<'s> {
    /// Its text, with LF line ends.
    pub source: &'s str,
    /// Its tokens.
    pub tokens: &'s [Token],
    /// Its comments.
    pub comments: Comments,
}

/// An entry of a sequence or list: where it stands in the source, and how it is set.
pub struct Entry {
    /// Where the source has it.
    pub range: Range<usize>,
    /// How it is set.
    pub doc: Doc,
}

/// The byte range of a span.
pub fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

impl Formatter<'_> {
    /// A whole file.
    pub fn file(&mut self, file: &File) -> Doc {
        let entries: Vec<Entry> = file.items.iter().map(|item| self.top(item)).collect();
        let end = self.source.len();
        let (head, lines) = self.lines(entries, 0..end, false);
        debug_assert!(head.is_none());
        concat(lines)
    }

    fn top(&mut self, item: &Item) -> Entry {
        match item {
            Item::Fn(decl) => self.unit(decl.span, |f| f.function(decl)),
            Item::Type(decl) => self.unit(decl.span, |f| f.type_decl(decl)),
            Item::Use(decl) => self.unit(decl.span, |f| f.use_decl(decl)),
            Item::Test(decl) => self.unit(decl.span, |f| f.test_decl(decl)),
            Item::Route(decl) => self.unit(decl.span, |f| f.route_decl(decl)),
            Item::Stmt(stmt) => self.statement(stmt),
        }
    }

    fn statement(&mut self, stmt: &Stmt) -> Entry {
        self.unit(stmt.span, |f| f.stmt(stmt))
    }

    /// An entry that is set by `set`, or left as it is when a comment in it finds no place.
    fn unit(&mut self, span: Span, set: impl FnOnce(&mut Self) -> Doc) -> Entry {
        let range = range(span);
        let doc = set(self);
        if !self.comments.any_left(range.clone()) {
            return Entry { range, doc };
        }
        self.comments.take(range.clone());
        Entry { doc: Doc::Verbatim(self.source[range.clone()].to_string()), range }
    }

    /// The characters of a span.
    pub fn slice(&self, span: Span) -> &str {
        &self.source[range(span)]
    }

    fn newlines(&self, range: Range<usize>) -> usize {
        self.source[range].bytes().filter(|&byte| byte == b'\n').count()
    }

    /// Entries and the comments between them, each on a line of its own, blank lines kept. A comment on the line where the
    /// sequence opens comes first, apart from the rest, if `opens`.
    fn lines(&mut self, entries: Vec<Entry>, within: Range<usize>, opens: bool) -> (Option<Doc>, Vec<Doc>) {
        let mut head = None;
        let mut out = Vec::new();
        let mut at = within.start;
        let mut entries = entries.into_iter();
        loop {
            let entry = entries.next();
            let next = entry.as_ref().map_or(within.end, |entry| entry.range.start);
            for comment in self.comments.take(at..next) {
                let newlines = self.newlines(at..comment.start);
                let shown = text(&self.source[comment.start..comment.end]);
                if newlines == 0 && !out.is_empty() {
                    out.extend([text(" "), shown]);
                } else if newlines == 0 && opens && at == within.start {
                    head = Some(shown);
                } else {
                    push_line(&mut out, newlines, shown);
                }
                at = comment.end;
            }
            let Some(entry) = entry else { break };
            let newlines = self.newlines(at..entry.range.start.max(at));
            push_line(&mut out, newlines, entry.doc);
            at = entry.range.end;
        }
        (head, out)
    }

    /// Entries in braces, each on a line of its own.
    pub fn braced_lines(&mut self, entries: Vec<Entry>, within: Range<usize>) -> Doc {
        let (head, lines) = self.lines(entries, within, true);
        if head.is_none() && lines.is_empty() {
            return text("{}");
        }
        let mut inner = Vec::with_capacity(lines.len() + 3);
        if let Some(head) = head {
            inner.extend([text(" "), head]);
        }
        if !lines.is_empty() {
            inner.push(Doc::Hard);
        }
        inner.extend(lines);
        concat([text("{"), indent(concat(inner)), Doc::Hard, text("}")])
    }

    /// A block, to be put into a group: a single statement may stay on the line of its braces.
    pub fn block(&mut self, block: &Block) -> Doc {
        let outer = range(block.span);
        let inner = outer.start + 1..outer.end - 1;
        let one_line = block.stmts.len() == 1 && !self.source[outer.clone()].contains('\n');
        let entries: Vec<Entry> = block.stmts.iter().map(|stmt| self.statement(stmt)).collect();
        if one_line && !self.comments.any(outer) {
            let parts = entries.into_iter().map(|entry| entry.doc).collect::<Vec<_>>();
            return concat([text("{"), indent(concat([Doc::Line, concat(parts)])), Doc::Line, text("}")]);
        }
        self.braced_lines(entries, inner)
    }

    /// Entries in brackets: on one line if they fit and have no comments between them, else each on its own.
    pub fn list(&mut self, open: &str, entries: Vec<Entry>, close: &str, within: Range<usize>) -> Doc {
        self.spaced_list((open, Doc::Soft, close), entries, within)
    }

    /// A list whose brackets have `edge` inside them.
    pub fn spaced_list(
        &mut self,
        (open, edge, close): (&str, Doc, &str),
        entries: Vec<Entry>,
        within: Range<usize>,
    ) -> Doc {
        let gaps = self.gaps(&entries, within.clone());
        if gaps.iter().all(Vec::is_empty) {
            if entries.is_empty() {
                return text(format!("{open}{close}"));
            }
            let mut inner = Vec::with_capacity(entries.len() * 3);
            inner.push(edge.clone());
            for (index, entry) in entries.into_iter().enumerate() {
                if index > 0 {
                    inner.extend([text(","), Doc::Line]);
                }
                inner.push(entry.doc);
            }
            return group(concat([text(open), indent(concat(inner)), Doc::IfBroken(","), edge, text(close)]));
        }
        let mut inner = Vec::new();
        let mut at = within.start;
        let mut entries = entries.into_iter();
        for comments in gaps {
            for comment in comments {
                let newlines = self.newlines(at.min(comment.start)..comment.start);
                let shown = text(&self.source[comment.start..comment.end]);
                if newlines == 0 {
                    inner.extend([text(" "), shown]);
                } else {
                    inner.extend([Doc::Hard, shown]);
                }
                at = comment.end;
            }
            if let Some(entry) = entries.next() {
                inner.extend([Doc::Hard, entry.doc, text(",")]);
                at = entry.range.end;
            }
        }
        concat([text(open), indent(concat(inner)), Doc::Hard, text(close)])
    }

    /// The comments in front of each entry, and behind the last one.
    fn gaps(&mut self, entries: &[Entry], within: Range<usize>) -> Vec<Vec<Comment>> {
        let mut at = within.start;
        let mut gaps = Vec::with_capacity(entries.len() + 1);
        for entry in entries {
            gaps.push(self.comments.take(at..entry.range.start));
            at = entry.range.end;
        }
        gaps.push(self.comments.take(at..within.end));
        gaps
    }
}

/// A further line, behind a blank one if there were blank lines.
fn push_line(out: &mut Vec<Doc>, newlines: usize, doc: Doc) {
    if !out.is_empty() {
        out.push(Doc::Hard);
        if newlines > 1 {
            out.push(Doc::Hard);
        }
    }
    out.push(doc);
}
