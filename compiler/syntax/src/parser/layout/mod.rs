//! Between lexer and parser: which newlines end statements, which brackets belong together.
//!
//! In: all tokens of a file. Out: the tokens the grammar is written in, and diagnostics. What the output promises, whatever
//! the input was:
//!
//! - Brackets are balanced and properly nested; missing ones were reported and put in, stray ones taken out.
//! - `Sep` ends a statement: for a `;`, and for a newline, except inside `(` and `[`, behind an infix operator and its like,
//!   and before a line that starts with `.` or an infix operator other than `-`. There is none right behind `{`, right
//!   before `}`, at the ends of the file, or next to another `Sep` or a `,`.
//! - No tree built from it is deeper than [`MAX_DEPTH`]: what would be is cut out, reported, and a `BadLiteral` stands there.
//! - Words of other languages were reported and replaced by ours (`foreign`).
//!
//! Some kinds are made more precise: `LambdaOpen`, `ArmArrow`, `MinInt`, `FormWord`, `Native`.

mod brackets;
mod foreign;
mod shapes;

use crate::diag::Diagnostic;
use crate::span::{FileId, Span};
use crate::token::{Token, TokenKind as K};

/// How deep brackets may nest. Part of the language.
pub const MAX_NESTING: usize = 256;

/// How deep the tree of one expression may get: nested brackets, plus the operators, calls and `else if`s in a row. It leaves
/// room for 256 nested calls, and keeps every recursive walk of the tree within an ordinary stack.
pub const MAX_DEPTH: usize = 640;

/// The tokens of a file as the grammar sees them.
pub(super) struct Laid {
    /// What they are.
    pub kinds: Vec<K>,
    /// Where they stand; as long as `kinds`.
    pub spans: Vec<Span>,
    /// An upper bound of the tree's depth.
    pub depth: usize,
    /// What was wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// Lays out the tokens of a file.
pub(super) fn lay_out(file: FileId, text: &str, raw: &[Token], library: bool) -> Laid {
    let mut layout = Layout {
        file,
        text,
        raw,
        at: 0,
        kinds: Vec::with_capacity(raw.len() + 8),
        spans: Vec::with_capacity(raw.len() + 8),
        open: vec![Open::new(K::Sep, Span::new(file, 0, 0), 0)],
        links: 0,
        depth: 0,
        balanced: brackets::balanced(raw),
        deep_reported: false,
        library,
        misspelt: Vec::new(),
        diagnostics: Vec::new(),
    };
    layout.run();
    Laid { kinds: layout.kinds, spans: layout.spans, depth: layout.depth, diagnostics: layout.diagnostics }
}

/// An open bracket; the lowest one stands for the file.
struct Open {
    /// The opening token; `Sep` for the file.
    kind: K,
    span: Span,
    /// Its index in the output.
    index: usize,
    /// Where the current statement, item or argument starts in the output.
    segment: usize,
    /// Whether the current segment has had a `{` of its own.
    segment_brace: bool,
    /// How many levels the current segment adds to the tree.
    links: usize,
    /// For the `{` of a `match`: whether the current arm has had its arrow.
    arrow_due: bool,
    /// Whether it holds the arms of a `match`.
    arms: bool,
    /// The heads that wait for their `{`.
    heads: Heads,
    /// Whether a parenthesis here may open the parameters of a lambda.
    lambda: bool,
    /// Put in by recovery.
    made_up: bool,
    /// For a `{` put in place of a `:`: how far the line of its head is indented.
    indented: Option<usize>,
    /// The links that all branches of the current `if ... else if ...` have.
    chain: usize,
}

impl Open {
    fn new(kind: K, span: Span, index: usize) -> Self {
        Self {
            kind,
            span,
            index,
            segment: index + usize::from(kind != K::Sep),
            segment_brace: false,
            links: 0,
            arrow_due: false,
            arms: false,
            heads: Heads::default(),
            lambda: false,
            made_up: false,
            indented: None,
            chain: 0,
        }
    }
}

/// The words at one level whose `{` is still to come, the innermost last: `match if a { 1 } else { 2 } { ... }`.
#[derive(Clone, Copy, Default)]
struct Heads {
    /// One bit for each word, the lowest for the innermost: set for `match`. Beyond 32 the outermost are forgotten.
    matches: u32,
    /// How many they are.
    waiting: u32,
}

impl Heads {
    fn push(&mut self, is_match: bool) {
        self.matches = self.matches << 1 | u32::from(is_match);
        self.waiting += 1;
    }

    /// Whether the innermost word is a `match`. A `{` that no word waits for is none of a `match`.
    fn pop(&mut self) -> bool {
        let is_match = self.matches & 1 == 1;
        self.matches >>= 1;
        self.waiting = self.waiting.saturating_sub(1);
        is_match
    }
}

struct Layout<'t> {
    file: FileId,
    text: &'t str,
    raw: &'t [Token],
    /// The next token of `raw`.
    at: usize,
    kinds: Vec<K>,
    spans: Vec<Span>,
    /// Never empty.
    open: Vec<Open>,
    /// The sum of `links` over `open`.
    links: usize,
    depth: usize,
    /// Whether all brackets of the file match. If so, no guess about missing ones is made.
    balanced: bool,
    deep_reported: bool,
    library: bool,
    /// Names whose spelling was reported.
    misspelt: Vec<&'t str>,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Layout<'t> {
    fn run(&mut self) {
        let mut newline = false;
        while let Some(&token) = self.raw.get(self.at) {
            match token.kind {
                K::Newline => newline = true,
                K::Comment | K::DocComment => {}
                _ => {
                    if newline {
                        newline = false;
                        self.newline_before(token);
                    }
                    self.token(token);
                }
            }
            self.at += 1;
        }
        self.close_at_end();
        self.drop_trailing_separator();
    }

    fn token(&mut self, token: Token) {
        let Some(token) = self.foreign(token) else { return };
        match token.kind {
            K::Semi => self.separate(token.span),
            K::LParen | K::LBracket | K::LBrace | K::InterpStart | K::TextStart => self.open_bracket(token),
            kind if kind.is_closer() => self.close_bracket(token),
            K::FatArrow => {
                let top = self.top();
                let arm = top.arms && top.arrow_due;
                top.arrow_due = false;
                if arm {
                    // The `if` of a guard has no block.
                    top.heads = Heads::default();
                }
                self.link(Token { kind: if arm { K::ArmArrow } else { K::FatArrow }, ..token });
            }
            K::Comma => {
                self.drop_trailing_separator();
                self.push(token.kind, token.span);
                self.new_segment();
            }
            K::Match | K::If | K::For | K::While | K::Loop => {
                self.top().heads.push(token.kind == K::Match);
                self.link(token);
                let top = self.top();
                top.chain = top.links;
            }
            K::Else => {
                if self.next_significant().is_some_and(|next| next.kind == K::LBrace) {
                    self.top().heads.push(false);
                }
                // The branches stand side by side: what the conditions above it hold does not count for this one.
                let top = self.top();
                let (above, kept) = (top.links, top.chain.min(top.links));
                top.links = kept;
                top.chain = kept + 1;
                self.links -= above - kept;
                self.link(token);
            }
            K::Colon if self.indented_block(token) => {}
            kind if adds_level(kind) => self.link(token),
            kind => self.push(kind, token.span),
        }
    }

    fn push(&mut self, kind: K, span: Span) {
        self.kinds.push(kind);
        self.spans.push(span);
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn top(&mut self) -> &mut Open {
        self.open.last_mut().expect("the file's own entry is never popped")
    }

    /// The last token put out.
    fn last(&self) -> Option<K> {
        self.kinds.last().copied()
    }

    /// Behind the last token put out.
    fn end(&self) -> Span {
        self.spans.last().map_or(Span::new(self.file, 0, 0), |span| span.after())
    }

    fn slice(&self, span: Span) -> &'t str {
        &self.text[span.start as usize..span.end as usize]
    }

    /// The first token behind the current one that the grammar sees.
    fn next_significant(&self) -> Option<Token> {
        self.raw.iter().skip(self.at + 1).copied().find(|token| !token.kind.is_trivia())
    }

    /// The next token if it stands on the same line.
    fn next_on_line(&self) -> Option<Token> {
        self.raw.get(self.at + 1).copied().filter(|token| !token.kind.is_trivia())
    }

    /// Whether only blanks stand before `span` on its line, and how wide they are.
    fn indent_of_line_start(&self, span: Span) -> Option<usize> {
        let before = &self.text[..span.start as usize];
        let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
        line.bytes().all(|b| matches!(b, b' ' | b'\t')).then_some(line.len())
    }

    /// How far the line that `span` stands on is indented.
    fn line_indent(&self, span: Span) -> usize {
        let start = self.text[..span.start as usize].rfind('\n').map_or(0, |at| at + 1);
        self.text[start..].bytes().take_while(|b| matches!(b, b' ' | b'\t')).count()
    }

    /// A newline stands between the last token put out and `next`: does it end a statement?
    fn newline_before(&mut self, next: Token) {
        self.close_indented(next);
        let declares = self.starts_declaration(next);
        if !self.balanced {
            self.close_before_line(next, declares);
        }
        if !matches!(self.top().kind, K::LBrace | K::Sep) {
            return;
        }
        let Some(last) = self.last() else { return };
        if continues_after(last) && !declares || continues_before(next.kind) {
            return;
        }
        if next.kind == K::Else || last == K::RBrace && is_elif(self.slice(next.span)) {
            return;
        }
        if self.head_without_brace() {
            if next.kind == K::LBrace {
                let brace = next.span;
                self.report(
                    Diagnostic::error(
                        "E0113",
                        "the `{` of a block stands on the line of its head",
                        brace,
                        "this brace",
                    )
                    .label(self.end(), "move it here"),
                );
                return;
            }
            if !self.balanced {
                let end = self.end();
                self.report(
                    Diagnostic::error(
                        "E0113",
                        "expected `{`, found the end of the line",
                        end,
                        "a `{` is missing here",
                    )
                    .fix(end, " {"),
                );
                self.open_bracket(Token { kind: K::LBrace, span: end });
                self.top().made_up = true;
                return;
            }
        }
        self.separate(self.end());
    }

    /// Ends the current statement.
    fn separate(&mut self, span: Span) {
        if !matches!(self.top().kind, K::LBrace | K::Sep) {
            // A `;` inside parentheses: the parser says that it is not expected.
            return self.push(K::Semi, span);
        }
        if !matches!(self.last(), None | Some(K::Sep | K::Comma | K::LBrace)) {
            self.push(K::Sep, span);
        }
        self.new_segment();
    }

    fn new_segment(&mut self) {
        let index = self.kinds.len();
        let top = self.top();
        let links = std::mem::take(&mut top.links);
        top.segment = index;
        top.segment_brace = false;
        top.arrow_due = top.arms;
        top.heads = Heads::default();
        self.links -= links;
    }

    fn drop_trailing_separator(&mut self) {
        if self.last() == Some(K::Sep) {
            self.kinds.pop();
            self.spans.pop();
        }
    }

    /// Whether the current statement starts with a word that needs a block and has had no `{`.
    fn head_without_brace(&mut self) -> bool {
        let top = self.top();
        let (start, brace) = (top.segment, top.segment_brace);
        let segment = self.kinds.get(start..).unwrap_or(&[]);
        let head = if segment.first() == Some(&K::Pub) { segment.get(1) } else { segment.first() };
        match head {
            Some(K::If | K::While | K::For | K::Match | K::Loop | K::Test | K::Route | K::Defer) => !brace,
            Some(K::Fn) => {
                let short = segment.iter().any(|kind| matches!(kind, K::Assign | K::FatArrow));
                !brace && !short && segment.contains(&K::RParen)
            }
            _ => false,
        }
    }

    /// Whether a line that starts with `token` surely starts a statement of its own.
    fn starts_declaration(&self, token: Token) -> bool {
        match token.kind {
            K::Let | K::Pub | K::Assert | K::Defer => true,
            // `fn f(` may go on with the parameter in the next line.
            K::Var => self.last() != Some(K::LParen),
            // `x ??` and `p =>` may go on with a way out in the next line.
            K::Return | K::Break | K::Continue | K::Fail | K::Yield => {
                !matches!(self.last(), Some(K::Coalesce | K::FatArrow | K::ArmArrow))
            }
            K::Fn => self.next_on_line().is_some_and(|next| next.kind == K::Name),
            K::Use | K::Test => self.next_on_line().is_some_and(|next| next.kind == K::TextStart),
            K::Route => self
                .next_on_line()
                .is_some_and(|next| matches!(next.kind, K::TypeName | K::Name | K::TextStart)),
            K::Type => self.next_on_line().is_some_and(|next| next.kind == K::TypeName),
            _ => false,
        }
    }

    /// Puts out a token that makes the tree one level deeper, or cuts the statement off where it gets too deep.
    fn link(&mut self, token: Token) {
        self.push(token.kind, token.span);
        if !self.add_link(token.span) {
            self.skip_segment(0);
        }
    }

    /// Counts one more level for the current statement; false, and reported, when that is too many.
    fn add_link(&mut self, span: Span) -> bool {
        self.top().links += 1;
        self.links += 1;
        let depth = self.links + self.open.len();
        self.depth = self.depth.max(depth);
        if depth > MAX_DEPTH {
            self.report_too_deep(
                span,
                "this expression has too many parts",
                "give parts of it a name with `let`, or keep them in a list",
            );
        }
        depth <= MAX_DEPTH
    }

    fn report_too_deep(&mut self, span: Span, message: &str, help: &str) {
        if !self.deep_reported {
            self.deep_reported = true;
            self.report(Diagnostic::error("E0118", message, span, "too deep from here on").help(help));
        }
    }

    /// Leaves out the rest of the current statement or argument, inside `depth` brackets; a `BadLiteral` stands for it.
    fn skip_segment(&mut self, mut depth: usize) {
        let span = self.raw[self.at].span;
        let lines = matches!(self.top().kind, K::LBrace | K::Sep);
        while let Some(next) = self.raw.get(self.at + 1) {
            match next.kind {
                kind if kind.closer().is_some() => depth += 1,
                kind if kind.is_closer() && depth == 0 => break,
                kind if kind.is_closer() => depth -= 1,
                K::Semi | K::Comma if depth == 0 => break,
                K::Newline if depth == 0 && lines => {
                    let next = self.raw[self.at + 1..].iter().find(|token| !token.kind.is_trivia());
                    if !next.is_some_and(|token| continues_before(token.kind) || token.kind == K::Else) {
                        break;
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        self.push(K::BadLiteral, span);
    }
}

/// The spellings of other languages for `else if`.
fn is_elif(word: &str) -> bool {
    matches!(word, "elif" | "elsif" | "elseif")
}

/// Whether a line that ends with it goes on.
fn continues_after(kind: K) -> bool {
    kind.is_infix()
        || matches!(
            kind,
            K::Sep
                | K::LBrace
                | K::Comma
                | K::Assign
                | K::OpAssign
                | K::FatArrow
                | K::ArmArrow
                | K::Arrow
                | K::Colon
                | K::Dot
                | K::Pipe
                | K::Not
                | K::Else
        )
}

/// Whether a line that starts with it goes on with the line before.
fn continues_before(kind: K) -> bool {
    kind.is_infix() && kind != K::Minus || matches!(kind, K::Dot | K::Pipe)
}

/// Whether the parser recurses, or the tree gets one level deeper, for each of it in a row.
fn adds_level(kind: K) -> bool {
    kind.is_infix()
        || matches!(
            kind,
            K::Dot | K::Not | K::Arrow | K::Question | K::Bang | K::Pipe | K::Assign | K::OpAssign | K::Fn
        )
}
