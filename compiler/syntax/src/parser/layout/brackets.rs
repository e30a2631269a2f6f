//! Which bracket closes which, and what to do about one that is missing.
//!
//! When all brackets of a file match, nothing is guessed. Otherwise indentation tells where one is missing: a `}` that starts
//! its line closes the `{` whose line is indented as far; a declaration at the very left closes everything; a line that
//! starts a statement closes all `(` and `[`, and so does an operand behind an operand on a line no further indented.

use super::{Layout, MAX_NESTING, Open};
use crate::diag::Diagnostic;
use crate::span::Span;
use crate::token::{Token, TokenKind as K};

/// Whether every bracket has its partner.
pub(super) fn balanced(raw: &[Token]) -> bool {
    let mut due = Vec::new();
    for token in raw {
        if let Some(closer) = token.kind.closer() {
            due.push(closer);
        } else if token.kind.is_closer() && due.pop() != Some(token.kind) {
            return false;
        }
    }
    due.is_empty()
}

impl Layout<'_> {
    pub(super) fn open_bracket(&mut self, token: Token) {
        // A text's own brackets are no nesting that a reader counts, but they do nest.
        if self.open.len() > MAX_NESTING {
            return self.skip_group(token);
        }
        if token.kind == K::LBrace && !self.balanced && self.head_ends_before_brace() {
            self.close_missing(Some(token));
        }
        let last = self.last();
        let operand_before = last.is_some_and(K::ends_operand);
        let method_call =
            operand_before && self.kinds.len() >= 2 && self.kinds[self.kinds.len() - 2] == K::Dot;
        if operand_before
            && !method_call
            && !matches!(token.kind, K::TextStart | K::LBrace)
            && !self.add_link(token.span)
        {
            return self.skip_segment(1);
        }
        let index = self.kinds.len();
        self.push(token.kind, token.span);
        let mut open = Open::new(token.kind, token.span, index);
        if token.kind == K::LBrace {
            let top = self.top();
            top.segment_brace = true;
            // Behind an operator or arrow it opens a block that is an operand.
            let operand = last.is_some_and(|last| {
                last.is_infix()
                    || matches!(last, K::Not | K::Assign | K::FatArrow | K::ArmArrow | K::Arrow | K::FormWord)
                    // It opens a pattern.
                    || matches!(last, K::Let | K::Var | K::For | K::Pipe)
            });
            open.arms = !operand && top.heads.pop();
            open.arrow_due = open.arms;
        }
        open.lambda = token.kind == K::LParen && !operand_before && last != Some(K::Fn);
        self.open.push(open);
        self.depth = self.depth.max(self.links + self.open.len());
    }

    pub(super) fn close_bracket(&mut self, token: Token) {
        match self.matching(token) {
            Some(level) => {
                while self.open.len() - 1 > level {
                    self.close_missing(Some(token));
                }
                self.close(token);
            }
            None => {
                let message = format!("this {} closes nothing", token.kind.describe());
                let help = "remove it, or add the bracket that it should close";
                self.report(
                    Diagnostic::error("E0103", message, token.span, "no open bracket matches").help(help),
                );
            }
        }
    }

    /// The level that `token` closes.
    fn matching(&self, token: Token) -> Option<usize> {
        let top = self.open.len() - 1;
        if token.kind == K::RBrace
            && !self.balanced
            && let Some(indent) = self.indent_of_line_start(token.span)
            && let Some(level) = self.brace_of_line_indent(indent)
        {
            return Some(level);
        }
        for level in (1..=top).rev() {
            let open = &self.open[level];
            if open.kind.closer() == Some(token.kind) {
                return Some(level);
            }
            let crosses = match token.kind {
                K::InterpEnd | K::TextEnd => true,
                K::RBrace => matches!(open.kind, K::LParen | K::LBracket),
                _ => matches!(open.kind, K::LParen | K::LBracket) || self.same_line(open.span, token.span),
            };
            if !crosses || (open.kind == K::InterpStart && !matches!(token.kind, K::InterpEnd | K::TextEnd)) {
                return None;
            }
        }
        None
    }

    fn same_line(&self, a: Span, b: Span) -> bool {
        !self.text[a.start as usize..b.start as usize].contains('\n')
    }

    /// The innermost `{` whose line is indented by `indent`, if it is not further out than one indented less.
    fn brace_of_line_indent(&self, indent: usize) -> Option<usize> {
        for level in (1..self.open.len()).rev() {
            let open = &self.open[level];
            match open.kind {
                K::LBrace if self.line_indent(open.span) == indent => return Some(level),
                K::LBrace if self.line_indent(open.span) < indent => return None,
                K::InterpStart | K::TextStart => return None,
                _ => {}
            }
        }
        None
    }

    /// Closes the innermost bracket, for which `token` stands in the text.
    fn close(&mut self, token: Token) {
        self.drop_trailing_separator();
        let mut open = self.open.pop().expect("only an open bracket is closed");
        self.links -= open.links;
        if open.kind == K::InterpStart && open.index + 1 == self.kinds.len() {
            // Where the `}` is missing as well, the lexer has said so.
            if token.span.start < token.span.end {
                let braces = open.span.to(token.span);
                let message = "this interpolation is empty";
                let diagnostic = Diagnostic::error("E0119", message, braces, "an expression belongs here");
                self.report(diagnostic.help("write `\\{` and `\\}` for the braces themselves"));
            }
            self.push(K::BadLiteral, token.span);
        }
        if open.kind == K::LParen && open.lambda && self.arrow_follows() {
            open.kind = K::LambdaOpen;
            self.kinds[open.index] = K::LambdaOpen;
        }
        let closer = open.kind.closer().expect("only opening brackets are kept");
        self.push(closer, token.span);
    }

    /// Whether the `)` at hand ends the parameters of a lambda. In front of an arm's arrow it does not.
    fn arrow_follows(&mut self) -> bool {
        let Some(next) = self.next_significant() else { return false };
        let top = self.top();
        let arm = top.arms && top.arrow_due;
        matches!(next.kind, K::FatArrow | K::Arrow) && !arm
    }

    /// Closes the innermost bracket, whose partner is missing; `instead` is what was found in its place.
    pub(super) fn close_missing(&mut self, instead: Option<Token>) {
        let open = self.open.last().expect("the caller saw an open bracket");
        let (kind, span, made_up) = (open.kind, open.span, open.made_up);
        let end = self.end();
        // The lexer has spoken about texts; a brace that was put in needs no second message.
        if !made_up && !matches!(kind, K::TextStart | K::InterpStart) {
            let closer = kind.closer().expect("it opens");
            let message = format!("this {} is never closed", kind.describe());
            let mut diagnostic = Diagnostic::error("E0102", message, span, "opened here");
            diagnostic = match instead {
                Some(token) if !token.span.file.eq(&end.file) || token.span.start >= end.start => {
                    let named = token.kind.is_closer() || token.kind == K::LBrace;
                    let found = if named { token.kind.describe() } else { "the next statement" };
                    let place = if token.kind.is_closer() { token.span } else { end };
                    diagnostic.label(place, format!("expected {} before {found}", closer.describe()))
                }
                _ => diagnostic.label(end, format!("expected {} by the end of the file", closer.describe())),
            };
            if kind != K::LBrace {
                diagnostic = diagnostic.fix(end, self.closer_text(closer));
            }
            self.report(diagnostic);
        }
        self.close(Token { kind, span: end });
    }

    fn closer_text(&self, closer: K) -> &'static str {
        if closer == K::RParen { ")" } else { "]" }
    }

    /// In a file with unmatched brackets: what a line that starts with `next` says about the brackets still open.
    pub(super) fn close_before_line(&mut self, next: Token, declares: bool) {
        let leftmost = self.indent_of_line_start(next.span) == Some(0);
        let whole_file = declares
            && leftmost
            && matches!(next.kind, K::Fn | K::Type | K::Pub | K::Use | K::Test | K::Route);
        if self.open.iter().any(|open| open.kind == K::InterpStart) {
            return;
        }
        while self.open.len() > 1
            && (declares && (whole_file || self.top().kind != K::LBrace) || self.leaves_list(next))
        {
            self.close_missing(Some(next));
        }
    }

    /// Whether a line that starts with `next` cannot go on with the `(` or `[` at hand: an operand behind an operand, no
    /// further indented than the line of the bracket.
    fn leaves_list(&self, next: Token) -> bool {
        let open = self.open.last().expect("the file itself is open");
        matches!(open.kind, K::LParen | K::LBracket)
            && self.last().is_some_and(K::ends_operand)
            && matches!(next.kind, K::TextStart | K::Name | K::Int | K::True | K::False)
            && self
                .indent_of_line_start(next.span)
                .is_some_and(|indent| indent <= self.line_indent(open.span))
    }

    pub(super) fn close_at_end(&mut self) {
        while self.open.len() > 1 {
            self.close_missing(None);
        }
    }

    /// Leaves out a bracket that nests too deeply, with all that is in it.
    fn skip_group(&mut self, token: Token) {
        let help = "give inner parts a name with `let`, or make them functions";
        self.report_too_deep(token.span, &format!("brackets nest deeper than {MAX_NESTING} levels"), help);
        let mut depth = 1_usize;
        while depth > 0
            && let Some(next) = self.raw.get(self.at + 1)
        {
            if next.kind.closer().is_some() {
                depth += 1;
            } else if next.kind.is_closer() {
                depth -= 1;
            }
            self.at += 1;
        }
        let closer = token.kind.closer().expect("it opens");
        let end = self.raw[self.at].span;
        self.push(token.kind, token.span);
        if token.kind != K::TextStart {
            self.push(K::BadLiteral, end);
        }
        self.push(closer, end);
    }
}
