//! Expressions.

use weir_syntax::ast::{Arg, Arm, BinaryOp, Block, Cond, Expr, ExprKind, TextPart, UnaryOp};
use weir_syntax::span::Span;
use weir_syntax::token::TokenKind;

use crate::doc::{Doc, concat, group, indent, text};
use crate::layout::{Entry, Formatter, range};
use crate::precedence::{self, Level, ends_in_leave, has_bare_form, of_operands, starts_with_brace};

impl Formatter<'_> {
    /// An expression.
    pub fn expr(&mut self, expr: &Expr) -> Doc {
        match &expr.kind {
            ExprKind::Int(_) => text(int(self.slice(expr.span))),
            ExprKind::Float(_)
            | ExprKind::Bool(_)
            | ExprKind::Duration(_)
            | ExprKind::Bytes(_)
            | ExprKind::Error => Doc::Verbatim(self.slice(expr.span).to_string()),
            ExprKind::Unit => text("()"),
            ExprKind::Name(name) => text(&name.text),
            ExprKind::Text(parts) | ExprKind::Html(parts) => self.text(expr.span, parts),
            ExprKind::List(items) => {
                let entries: Vec<Entry> = items.iter().map(|item| self.entry(item)).collect();
                self.list("[", entries, "]", inside(expr.span))
            }
            ExprKind::Tuple(items) => {
                let entries: Vec<Entry> = items.iter().map(|item| self.entry(item)).collect();
                self.list("(", entries, ")", inside(expr.span))
            }
            ExprKind::Map(entries) if entries.is_empty() => {
                // What stands in it keeps the whole as it is.
                text("[:]")
            }
            ExprKind::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| self.map_entry(key, value)).collect();
                self.list("[", entries, "]", inside(expr.span))
            }
            ExprKind::Record(fields) => self.record(fields, inside(expr.span)),
            ExprKind::Call { .. }
            | ExprKind::Method { .. }
            | ExprKind::Field { .. }
            | ExprKind::Index { .. }
            | ExprKind::Try(_) => self.chain(expr),
            ExprKind::Leave(stmt) => self.stmt(stmt),
            ExprKind::Unary { op: UnaryOp::Not, operand } => {
                concat([text("not "), self.operand(operand, Level::Not)])
            }
            ExprKind::Unary { op: UnaryOp::Neg, operand } => {
                concat([text("-"), self.operand(operand, Level::Postfix)])
            }
            ExprKind::Binary { .. } => self.operators(expr),
            ExprKind::Range { low, high, inclusive } => {
                self.range(low.as_deref(), high.as_deref(), *inclusive)
            }
            ExprKind::If { .. } => self.if_(expr),
            ExprKind::Match { subject, arms } => self.match_(expr.span, subject, arms),
            ExprKind::Block(block) => group(self.block(block)),
            ExprKind::For { pattern, iterable, body } => {
                let head = text(format!("for {} in ", self.pattern(pattern)));
                let iterable = self.head(iterable);
                self.headed([head, iterable], body)
            }
            ExprKind::While { cond, body } => {
                let cond = self.cond(cond);
                self.headed([text("while "), cond], body)
            }
            ExprKind::Loop(body) => self.headed([text("loop"), concat([])], body),
            ExprKind::Lambda { params, body } => {
                let within = expr.span.start as usize..body.span.start as usize;
                let params = self.lambda_params(params, within);
                concat([params, self.expr(body)])
            }
            ExprKind::Form(form, body) => {
                let body = group(self.block(body));
                concat([text(form.word()), text(" "), body])
            }
        }
    }

    fn map_entry(&mut self, key: &Expr, value: &Expr) -> Entry {
        let doc = concat([self.expr(key), text(": "), self.expr(value)]);
        Entry { range: key.span.start as usize..value.span.end as usize, doc }
    }

    /// `{a: 1, b}`; a single field is written out, as `{b}` is a block.
    fn record(&mut self, fields: &[Arg], within: std::ops::Range<usize>) -> Doc {
        let alone = fields.len() == 1;
        let mut entries = Vec::with_capacity(fields.len());
        for field in fields {
            entries.push(match field {
                Arg::Named(name, value) if name.span == value.span && !alone => self.entry(value),
                field => self.arg(field),
            });
        }
        self.list("{", entries, "}", within)
    }

    fn arg(&mut self, arg: &Arg) -> Entry {
        let (start, value, prefix) = match arg {
            Arg::Positional(value) => (value.span.start, value, String::new()),
            Arg::Named(name, value) => (name.span.start, value, format!("{}: ", name.text)),
            Arg::Spread(value) => (value.span.start, value, "..".to_string()),
        };
        let doc = concat([text(prefix), self.expr(value)]);
        Entry { range: start as usize..value.span.end as usize, doc }
    }

    fn headed(&mut self, head: [Doc; 2], body: &Block) -> Doc {
        let body = group(self.block(body));
        concat([concat(head), text(" "), body])
    }

    /// An operand, in parentheses if it binds less tightly than `level`.
    fn operand(&mut self, expr: &Expr, level: Level) -> Doc {
        let doc = self.expr(expr);
        // A literal has its minus in it, also the one of `-0`, which its value does not show.
        let negative = matches!(expr.kind, ExprKind::Int(_)) && self.slice(expr.span).starts_with('-');
        let own = if negative { Level::Negation } else { precedence::of(expr) };
        if own < level { parenthesised(doc) } else { doc }
    }

    /// An operand of a binary operator or range. Parentheses between operators are kept: they help the reader.
    fn side(&mut self, expr: &Expr, level: Level) -> Doc {
        let operator = matches!(expr.kind, ExprKind::Binary { .. } | ExprKind::Range { .. });
        let keep = operator && self.is_parenthesised(expr.span);
        let doc = self.operand(expr, level);
        if keep && precedence::of(expr) >= level { parenthesised(doc) } else { doc }
    }

    /// Whether parentheses stand around an operand; right around it, they can only be its own.
    fn is_parenthesised(&self, span: Span) -> bool {
        let around = range(span);
        self.source[..around.start].trim_end().ends_with('(')
            && self.source[around.end..].trim_start().starts_with(')')
    }

    /// A chain of operators of one level: on one line, or broken behind each.
    fn operators(&mut self, expr: &Expr) -> Doc {
        let mut rest = Vec::new();
        let first = self.collect_operators(expr, &mut rest);
        group(concat([first, indent(concat(rest))]))
    }

    /// Puts all but the first operand of a chain into `rest`, and gives the first.
    fn collect_operators(&mut self, expr: &Expr, rest: &mut Vec<Doc>) -> Doc {
        let ExprKind::Binary { op, left, right, .. } = &expr.kind else { return self.expr(expr) };
        let (left_level, right_level) = of_operands(*op);
        let same_level = matches!(&left.kind, ExprKind::Binary { op: inner, .. }
            if precedence::of_binary(*inner) == precedence::of_binary(*op) && left_level == precedence::of_binary(*op));
        let first = if same_level && !self.is_parenthesised(left.span) {
            self.collect_operators(left, rest)
        } else {
            self.side(left, left_level)
        };
        // `x ?? return y` stands as it is: parentheses are for values.
        let leaves = *op == BinaryOp::Coalesce && ends_in_leave(right);
        let right = if leaves { self.expr(right) } else { self.side(right, right_level) };
        rest.extend([text(format!(" {}", op.symbol())), Doc::Line, right]);
        first
    }

    fn range(&mut self, low: Option<&Expr>, high: Option<&Expr>, inclusive: bool) -> Doc {
        let low = low.map(|low| self.side(low, Level::Sum));
        let high = high.map(|high| self.side(high, Level::Sum));
        let dots = text(if inclusive { "..=" } else { ".." });
        concat(low.into_iter().chain([dots]).chain(high).collect::<Vec<_>>())
    }

    /// What stands between a word and a block: must not start with a brace, end in a lambda, or have a form of its own.
    fn head(&mut self, expr: &Expr) -> Doc {
        let doc = self.expr(expr);
        let unclear = starts_with_brace(expr) || precedence::of(expr) == Level::Lambda || has_bare_form(expr);
        if unclear { parenthesised(doc) } else { doc }
    }

    fn cond(&mut self, cond: &Cond) -> Doc {
        match cond {
            Cond::Expr(expr) => self.head(expr),
            Cond::Let(pattern, value) => {
                let head = text(format!("let {} = ", self.pattern(pattern)));
                concat([head, self.head(value)])
            }
        }
    }

    /// `if ... else if ... else ...`: all of its blocks on one line, or none.
    fn if_(&mut self, expr: &Expr) -> Doc {
        let mut parts = Vec::new();
        let mut next = Some(expr);
        while let Some(expr) = next.take() {
            match &expr.kind {
                ExprKind::If { cond, then, otherwise } => {
                    let cond = self.cond(cond);
                    parts.extend([text("if "), cond, text(" "), self.block(then)]);
                    next = otherwise.as_deref();
                    if next.is_some() {
                        parts.push(text(" else "));
                    }
                }
                ExprKind::Block(block) => parts.push(self.block(block)),
                _ => parts.push(self.expr(expr)),
            }
        }
        group(concat(parts))
    }

    fn match_(&mut self, span: Span, subject: &Expr, arms: &[Arm]) -> Doc {
        let head = self.head(subject);
        let entries: Vec<Entry> = arms.iter().map(|arm| self.arm(arm)).collect();
        let open = self.opening_brace(subject.span.end as usize);
        let arms = self.braced_lines(entries, open + 1..span.end as usize - 1);
        concat([text("match "), head, text(" "), arms])
    }

    /// The first `{` behind `from`, which only closing parentheses and comments separate from it.
    fn opening_brace(&self, from: usize) -> usize {
        let first = self.tokens.partition_point(|token| (token.span.start as usize) < from);
        let brace = self.tokens[first..].iter().find(|token| token.kind == TokenKind::LBrace);
        brace.map_or(from, |token| token.span.start as usize)
    }

    fn arm(&mut self, arm: &Arm) -> Entry {
        let mut parts = vec![text(self.pattern(&arm.pattern))];
        if let Some(guard) = &arm.guard {
            let shown = self.operand(guard, Level::Or);
            parts.extend([text(" if "), if has_bare_form(guard) { parenthesised(shown) } else { shown }]);
        }
        parts.extend([text(" => "), self.expr(&arm.body)]);
        Entry { range: arm.pattern.span.start as usize..arm.body.span.end as usize, doc: concat(parts) }
    }

    /// An operand with all that follows it. Several calls in a row that do not fit on a line get a line each.
    fn chain(&mut self, expr: &Expr) -> Doc {
        let mut links = vec![expr];
        let base = loop {
            let last = links[links.len() - 1];
            let inner: &Expr = match &last.kind {
                ExprKind::Call { callee, .. } => callee,
                ExprKind::Method { receiver, .. }
                | ExprKind::Field { receiver, .. }
                | ExprKind::Index { receiver, .. }
                | ExprKind::Try(receiver) => receiver,
                _ => break links.pop().expect("it was just there"),
            };
            // `(x.f)(y)`: without the parentheses it would be a method call.
            if matches!((&last.kind, &inner.kind), (ExprKind::Call { .. }, ExprKind::Field { .. })) {
                break inner;
            }
            links.push(inner);
        };
        let field = matches!(base.kind, ExprKind::Field { .. });
        let mut head =
            vec![if field { parenthesised(self.expr(base)) } else { self.operand(base, Level::Postfix) }];
        let calls = links.iter().filter(|link| matches!(link.kind, ExprKind::Method { .. })).count();
        let mut tail = Vec::new();
        for link in links.into_iter().rev() {
            let doc = self.link(link);
            let method = matches!(link.kind, ExprKind::Method { .. });
            if calls > 1 && (method || !tail.is_empty()) {
                if method || matches!(link.kind, ExprKind::Field { .. }) {
                    tail.push(Doc::Soft);
                }
                tail.push(doc);
            } else {
                head.push(doc);
            }
        }
        if tail.is_empty() { concat(head) } else { group(concat([concat(head), indent(concat(tail))])) }
    }

    /// What one step of a chain adds.
    fn link(&mut self, expr: &Expr) -> Doc {
        let end = expr.span.end as usize;
        match &expr.kind {
            ExprKind::Call { callee, args } => self.args(args, callee.span.end as usize..end),
            ExprKind::Method { name, args, .. } => {
                let args = self.args(args, name.span.end as usize..end);
                concat([text(format!(".{}", name.text)), args])
            }
            ExprKind::Field { name, .. } => text(format!(".{}", name.text)),
            ExprKind::Index { index, .. } => {
                let index = indent(concat([Doc::Soft, self.expr(index)]));
                group(concat([text("["), index, Doc::Soft, text("]")]))
            }
            ExprKind::Try(_) => text("?"),
            _ => self.expr(expr),
        }
    }

    fn args(&mut self, args: &[Arg], within: std::ops::Range<usize>) -> Doc {
        let hugs = hugs(args) && !self.comments_between(args, within.clone());
        let entries: Vec<Entry> = args.iter().map(|arg| self.arg(arg)).collect();
        if !hugs {
            return self.list("(", entries, ")", within);
        }
        let mut parts = vec![text("(")];
        for (index, entry) in entries.into_iter().enumerate() {
            if index > 0 {
                parts.push(text(", "));
            }
            parts.push(entry.doc);
        }
        parts.push(text(")"));
        concat(parts)
    }

    fn comments_between(&self, args: &[Arg], within: std::ops::Range<usize>) -> bool {
        let mut at = within.start;
        for arg in args {
            let (Arg::Positional(value) | Arg::Named(_, value) | Arg::Spread(value)) = arg;
            if self.comments.any(at..value.span.start as usize) {
                return true;
            }
            at = value.span.end as usize;
        }
        self.comments.any(at..within.end)
    }

    /// A text: its pieces as they are written, interpolations set on one line where they can be.
    fn text(&mut self, span: Span, parts: &[TextPart]) -> Doc {
        let within = range(span);
        let mut exprs = parts.iter().filter_map(|part| match part {
            TextPart::Expr(expr, _) => Some(expr),
            TextPart::Literal(_) => None,
        });
        let mut out = String::with_capacity(within.len());
        let mut depth = 0_usize;
        let mut copied = within.start;
        let mut format = None;
        let first = self.tokens.partition_point(|token| (token.span.start as usize) < within.start);
        let behind = self.tokens.partition_point(|token| (token.span.start as usize) < within.end);
        let tokens = self.tokens;
        for token in &tokens[first..behind] {
            let (start, end) = (token.span.start as usize, token.span.end as usize);
            match token.kind {
                TokenKind::InterpStart => {
                    if depth == 0 {
                        out.push_str(&self.source[copied..end]);
                        copied = end;
                        format = None;
                    }
                    depth += 1;
                }
                // The colon in front of it stays with it.
                TokenKind::Format if depth == 1 => format = Some(start - 1),
                TokenKind::InterpEnd => {
                    depth -= 1;
                    if depth == 0 {
                        let expr = exprs.next().expect("each interpolation has an expression");
                        // What is copied keeps its comments.
                        let behind = format.unwrap_or(start);
                        let commented = !self.comments.take(copied..start).is_empty();
                        let flat = if commented { None } else { self.expr(expr).flat() };
                        out.push_str(flat.as_deref().unwrap_or(&self.source[copied..behind]));
                        copied = behind;
                    }
                }
                _ => {}
            }
        }
        out.push_str(&self.source[copied..within.end]);
        Doc::Verbatim(out)
    }
}

/// The range between the brackets of a span.
fn inside(span: Span) -> std::ops::Range<usize> {
    span.start as usize + 1..span.end as usize - 1
}

fn parenthesised(doc: Doc) -> Doc {
    concat([text("("), doc, text(")")])
}

/// A number as written, a minus sign right in front of it, without parentheses in between.
pub fn int(written: &str) -> String {
    let digits = written.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let minus = if written.trim_start().starts_with('-') { "-" } else { "" };
    format!("{minus}{digits}")
}

/// Whether the last argument may spread over lines between the brackets of the call, as in `f(x => {`: the others are
/// short, and it brings braces or brackets of its own.
fn hugs(args: &[Arg]) -> bool {
    let Some((last, init)) = args.split_last() else { return false };
    let (Arg::Positional(last) | Arg::Named(_, last) | Arg::Spread(last)) = last;
    let braced = match &last.kind {
        ExprKind::Lambda { params, body } => {
            params.iter().all(|param| param.ty.is_none())
                && matches!(
                    body.kind,
                    ExprKind::Block(_) | ExprKind::Match { .. } | ExprKind::If { .. } | ExprKind::Form(..)
                )
        }
        ExprKind::List(_)
        | ExprKind::Map(_)
        | ExprKind::Record(_)
        | ExprKind::Match { .. }
        | ExprKind::Form(..)
        | ExprKind::Block(_) => init.is_empty(),
        _ => false,
    };
    braced
        && init.iter().all(|arg| {
            let (Arg::Positional(value) | Arg::Named(_, value) | Arg::Spread(value)) = arg;
            match &value.kind {
                ExprKind::Name(_)
                | ExprKind::Int(_)
                | ExprKind::Float(_)
                | ExprKind::Bool(_)
                | ExprKind::Duration(_) => true,
                ExprKind::Text(_) => value.span.end - value.span.start <= 40,
                _ => false,
            }
        })
}
