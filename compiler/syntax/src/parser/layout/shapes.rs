//! Whole shapes of other languages, and heads whose `)` is missing.
//!
//! In: a token that may begin such a shape. Out: whether it did; then it was reported once and replaced by tokens that the
//! grammar understands, so that what stands around it is read as it was meant.
//! Not here: single words and marks (`foreign`).

use super::{Layout, Open};
use crate::diag::Diagnostic;
use crate::token::{Token, TokenKind as K};

/// How deep `<` may nest to be taken for type arguments.
const MAX_ANGLES: usize = 16;

impl Layout<'_> {
    /// `List<Int>` and `fn first<A>(...)`: reported, and put out with square brackets.
    pub(super) fn angle_brackets(&mut self, token: Token) -> bool {
        let declares = self.kinds.len() >= 2 && self.kinds[self.kinds.len() - 2] == K::Fn;
        let begins = match self.last() {
            Some(K::TypeName) => true,
            Some(K::Name) => declares,
            _ => false,
        };
        let Some(&name) = self.spans.last().filter(|span| begins && span.end == token.span.start) else {
            return false;
        };
        let mut depth = 0;
        let mut kinds = Vec::new();
        for part in &self.raw[self.at..] {
            kinds.push(match part.kind {
                K::Lt => {
                    depth += 1;
                    K::LBracket
                }
                K::Gt => {
                    depth -= 1;
                    K::RBracket
                }
                kind @ (K::TypeName | K::Comma | K::Question) => kind,
                _ => return false,
            });
            if depth == 0 || depth > MAX_ANGLES {
                break;
            }
        }
        if depth != 0 || kinds.len() < 3 {
            return false;
        }
        let end = self.raw[self.at + kinds.len() - 1].span;
        let written = name.to(end);
        let ours = self.slice(written).replace('<', "[").replace('>', "]");
        self.spelling(written, &ours);
        for kind in kinds {
            self.push(kind, self.raw[self.at].span);
            self.at += 1;
        }
        // The caller goes on behind the token at hand.
        self.at -= 1;
        true
    }

    /// `for (let i = 0; i < n; i++)`: reported, and put out as a `for` over something unknown.
    pub(super) fn counting_loop(&mut self, token: Token) -> bool {
        let Some(open) = self.next_on_line().filter(|next| next.kind == K::LParen) else { return false };
        let mut depth = 0_usize;
        let mut counts = false;
        let mut variable = None;
        let mut length = 1;
        for part in &self.raw[self.at + 1..] {
            match part.kind {
                K::Newline => return false,
                kind if kind.closer().is_some() => depth += 1,
                kind if kind.is_closer() => depth -= 1,
                K::Semi => counts = true,
                // The last name in front of the first `=`: `int i = 0` has its type first.
                K::Name
                    if !counts
                        && !self.raw[self.at + 1..].iter().any(|assign| {
                            assign.kind == K::Assign && assign.span.start < part.span.start
                        }) =>
                {
                    variable = Some(part.span);
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
            length += 1;
        }
        if depth != 0 || !counts {
            return false;
        }
        let end = self.raw[self.at + length].span;
        let name = variable.map_or("i", |span| self.slice(span));
        let help = format!("write `for {name} in 0..n {{ ... }}`, or a `while` loop");
        let head = open.span.to(end);
        self.report(
            Diagnostic::error("E0112", "a `for` goes through a range or a list", head, "no counting head")
                .help(help),
        );
        self.token_as_head(token);
        self.push(if variable.is_some() { K::Name } else { K::Underscore }, variable.unwrap_or(head));
        self.push(K::In, head);
        self.push(K::BadLiteral, head);
        self.at += length;
        true
    }

    /// Puts out the word of a loop.
    fn token_as_head(&mut self, token: Token) {
        self.top().heads.push(false);
        self.link(token);
    }

    /// A `:` at the end of a head, with lines further indented below: reported, and taken for the `{` of a block that ends
    /// with the indentation.
    pub(super) fn indented_block(&mut self, token: Token) -> bool {
        if !matches!(self.top().kind, K::LBrace | K::Sep) {
            return false;
        }
        if !self.head_without_brace() && self.last() != Some(K::Else) {
            return false;
        }
        let ends = self.raw.get(self.at + 1).is_some_and(|next| matches!(next.kind, K::Newline | K::Comment));
        let indent = self.line_indent(token.span);
        let Some(next) = self.next_significant().filter(|_| ends) else { return false };
        if self.indent_of_line_start(next.span).is_none_or(|deeper| deeper <= indent) {
            return false;
        }
        let diagnostic =
            Diagnostic::error("E0113", "expected `{`, found `:`", token.span, "a block starts here");
        self.report(
            diagnostic.help("a block stands in braces: write `{` here, and `}` behind its last line"),
        );
        self.open_bracket(Token { kind: K::LBrace, ..token });
        let top: &mut Open = self.top();
        top.made_up = true;
        top.indented = Some(indent);
        true
    }

    /// Ends the indented blocks that the line of `next` does not belong to.
    pub(super) fn close_indented(&mut self, next: Token) {
        while let Some(indent) = self.top().indented
            && self.indent_of_line_start(next.span).is_some_and(|at| at <= indent)
        {
            self.close_missing(Some(next));
        }
    }

    /// In a file with unmatched brackets: whether a `{` here can only be the one that the statement's head waits for, so that
    /// the `(` at hand misses its `)`.
    pub(super) fn head_ends_before_brace(&mut self) -> bool {
        let [.., outer, paren] = &self.open[..] else { return false };
        if paren.kind != K::LParen || outer.segment_brace || !matches!(outer.kind, K::LBrace | K::Sep) {
            return false;
        }
        let own = self.kinds.get(paren.segment);
        if matches!(own, Some(K::If | K::While | K::For | K::Match | K::Loop | K::Not)) {
            return false;
        }
        let head = &self.kinds[outer.segment..];
        let head = if head.first() == Some(&K::Pub) { &head[1..] } else { head };
        let ends = self.last().is_some_and(K::ends_operand);
        match head.first() {
            Some(K::If | K::While | K::For | K::Match) => ends,
            Some(K::Fn) => {
                let parameters =
                    paren.index == outer.segment + 2 + usize::from(self.kinds[outer.segment] == K::Pub);
                let ty = matches!(self.last(), Some(K::TypeName | K::RBracket | K::Question | K::Bang));
                parameters && (ends || ty || self.last() == Some(K::LParen))
            }
            _ => false,
        }
    }
}
