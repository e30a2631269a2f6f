//! Expressions: the dispatch over the syntax tree, and the forms that fit on a screen.

use super::{Checker, Origin, Want, Why};
use crate::draft::{Draft, DraftPart, Kind};
use crate::unify::{T, Term};
use std::rc::Rc;
use weir_syntax::ast::{self, ExprKind, TextPart, UnaryOp};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

/// Below this many bytes of stack a new piece is taken, so that deep nesting is no danger: what walks over one type below an
/// expression by recursion, up to its greatest depth, fits into them in unoptimised builds as well.
const STACK_LEFT: usize = 512 * 1024;
/// The size of a new piece of stack, in bytes.
const STACK_PIECE: usize = 4 * 1024 * 1024;

/// A Float is wanted because the other side of an operator is one.
pub const FLOAT: Want = Want::Type(T::FLOAT, Origin { why: Why::Operand, span: None });

/// Whether an expression is made of Int literals only, so that it may be a Float.
pub fn is_int_constant(expr: &ast::Expr) -> bool {
    match &expr.kind {
        ExprKind::Int(_) => true,
        ExprKind::Unary { op: UnaryOp::Neg, operand } => is_int_constant(operand),
        ExprKind::Binary { op, left, right, .. } => {
            use ast::BinaryOp::{Add, Div, Mul, Rem, Sub};
            matches!(op, Add | Sub | Mul | Div | Rem) && is_int_constant(left) && is_int_constant(right)
        }
        _ => false,
    }
}

fn float(value: f64, span: Span) -> Draft {
    Draft::new(Kind::Int(value.to_bits() as i64), T::FLOAT, span)
}

impl<'a> Checker<'a> {
    /// Infers an expression and makes it fit what is wanted.
    pub fn expr(&mut self, expr: &'a ast::Expr, want: Want) -> Draft {
        let draft = stacker::maybe_grow(STACK_LEFT, STACK_PIECE, || self.dispatch(expr, want));
        if self.terms.take_refused() {
            let error = Diagnostic::error(
                "E0317",
                "The type of this is too large",
                expr.span,
                "types nested in types",
            )
            .help("Name a part of it with a record type of your own.");
            self.report(error);
        }
        draft
    }

    fn dispatch(&mut self, expr: &'a ast::Expr, want: Want) -> Draft {
        let span = expr.span;
        let draft = match &expr.kind {
            // These hand the want on to where their value comes from.
            ExprKind::If { cond, then, otherwise } => {
                return self.if_expr(cond, then, otherwise.as_deref(), span, want);
            }
            ExprKind::Match { subject, arms } => return self.match_expr(subject, arms, span, want),
            ExprKind::Block(block) => match self.lone_field(block, want) {
                Some(mistaken) => mistaken,
                None => return self.block(block, want),
            },
            ExprKind::List(items) => self.list(items, span, want),
            ExprKind::Tuple(items) => self.tuple(items, span, want),
            ExprKind::Record(fields) => self.record_literal(fields, span, want),
            ExprKind::Lambda { params, body } => self.lambda(params, body, span, want),
            ExprKind::Form(form, body) => self.form(*form, body, span, want),
            ExprKind::Name(name) => self.name_value(name, want),
            ExprKind::Call { callee, args } => self.call(callee, args, span, want),

            ExprKind::Int(Some(value)) if self.wants_float(want) => float(*value as f64, span),
            ExprKind::Float(value) => float(*value, span),
            ExprKind::Int(value) => {
                value.map_or_else(|| Draft::error(span), |v| Draft::new(Kind::Int(v), T::INT, span))
            }
            ExprKind::Bool(value) => Draft::new(Kind::Bool(*value), T::BOOL, span),
            ExprKind::Duration(nanoseconds) => Draft::new(Kind::Int(*nanoseconds), T::DURATION, span),
            ExprKind::Text(parts) => self.text(parts, span),
            ExprKind::Html(parts) => self.html(parts, span),
            ExprKind::Unit => Draft::unit(span),
            ExprKind::Method { receiver, name, args } => self.method(receiver, name, args, span),
            ExprKind::Field { receiver, name } => self.field(receiver, name, span),
            ExprKind::Index { receiver, index } => self.index(receiver, index, span),
            ExprKind::Unary { op, operand } => self.unary(*op, operand, span, want),
            ExprKind::Binary { op, op_span, left, right } => {
                self.binary(*op, *op_span, left, right, span, want)
            }
            ExprKind::Range { low, high, inclusive } => {
                self.range(low.as_deref(), high.as_deref(), *inclusive, span)
            }
            ExprKind::For { pattern, iterable, body } => self.for_loop(pattern, iterable, body, span),
            ExprKind::While { cond, body } => self.while_loop(cond, body, span),
            ExprKind::Loop(body) => self.loop_forever(body, span),
            ExprKind::Try(operand) => self.try_expr(operand, span, want),
            ExprKind::Leave(stmt) => self.statement(stmt),
            ExprKind::Bytes(bytes) => Draft::new(Kind::Bytes(bytes.clone()), T::BYTES, span),
            ExprKind::Map(entries) => self.map(entries, span, want),
            ExprKind::Error => Draft::error(span),
        };
        self.finish(draft, want)
    }

    /// Whether a Float, or an option of one, is expected.
    pub fn wants_float(&self, want: Want) -> bool {
        self.literal_type(want).is_some_and(|(ty, _)| matches!(self.terms.head(ty), Term::Float))
    }

    fn text(&mut self, parts: &'a [TextPart], span: Span) -> Draft {
        if let [TextPart::Literal(text)] = parts {
            return Draft::new(Kind::Text(text.clone()), T::TEXT, span);
        }
        if parts.is_empty() {
            return Draft::new(Kind::Text(String::new()), T::TEXT, span);
        }
        let drafts = self.text_parts(parts);
        Draft::new(Kind::Interpolate(drafts), T::TEXT, span)
    }

    /// `html"..."`
    fn html(&mut self, parts: &'a [TextPart], span: Span) -> Draft {
        let drafts = self.text_parts(parts);
        let html = self.prelude().and_then(|prelude| self.modules.find_type(prelude, "Html"));
        let Some(html) = html else { return Draft::error(span) };
        let ty = self.terms.add(Term::Record(html, Rc::new([])));
        Draft::new(Kind::Html(drafts), ty, span)
    }

    fn text_parts(&mut self, parts: &'a [TextPart]) -> Vec<DraftPart> {
        let mut drafts = Vec::with_capacity(parts.len());
        for part in parts {
            drafts.push(match part {
                TextPart::Literal(text) => DraftPart::Literal(text.clone()),
                TextPart::Expr(expr, format) => {
                    let value = self.expr(expr, Want::Any);
                    self.need_text_form(&value);
                    DraftPart::Value(match format {
                        Some(format) => self.formatted(value, format),
                        None => value,
                    })
                }
            });
        }
        drafts
    }

    /// The type of the elements where none is expected: that of the first one.
    pub fn fresh_element(&mut self, first: Option<&ast::Expr>) -> (T, Origin) {
        let origin = first.map_or(Origin::of(Why::Element), |first| Origin::new(Why::Element, first.span));
        (self.terms.var(), origin)
    }

    fn list(&mut self, items: &'a [ast::Expr], span: Span, want: Want) -> Draft {
        let expected = match want {
            Want::Type(ty, origin) => match *self.terms.head(ty) {
                Term::List(item) => Some((item, origin)),
                _ => None,
            },
            _ => None,
        };
        let (item, origin) = expected.unwrap_or_else(|| self.fresh_element(items.first()));
        let items = match expected {
            None => self.elements(items, item, origin),
            Some(_) => items.iter().map(|i| self.expr(i, Want::Type(item, origin))).collect(),
        };
        let ty = self.terms.add(Term::List(item));
        Draft::new(Kind::List(items), ty, span)
    }

    /// The elements of a list of which nothing is expected: literal Ints are Floats where another element is one.
    fn elements(&mut self, items: &'a [ast::Expr], item: T, origin: Origin) -> Vec<Draft> {
        let decides = items.iter().position(|i| !is_int_constant(i));
        let mut decided = None;
        if let Some(at) = decides.filter(|at| *at > 0) {
            let draft = self.expr(&items[at], Want::Any);
            if let Term::Float = self.known(draft.ty) {
                self.terms.unify(item, T::FLOAT);
            }
            decided = Some((at, draft));
        }
        let mut drafts = Vec::with_capacity(items.len());
        for (at, each) in items.iter().enumerate() {
            let want = Want::Type(item, origin);
            drafts.push(match decided.take() {
                Some((of, draft)) if of == at => self.finish(draft, want),
                still => {
                    decided = still;
                    self.expr(each, want)
                }
            });
        }
        drafts
    }

    fn range(
        &mut self,
        low: Option<&'a ast::Expr>,
        high: Option<&'a ast::Expr>,
        inclusive: bool,
        span: Span,
    ) -> Draft {
        let (Some(low), Some(high)) = (low, high) else {
            let error =
                Diagnostic::error("E0309", "A range needs both its ends here", span, "an end is missing")
                    .help("Only a slice, `xs[2..]` or `xs[..2]`, may leave one out.");
            self.report(error);
            return Draft::error(span);
        };
        let int = Want::Type(T::INT, Origin::of(Why::Index));
        let (low, high) = (self.expr(low, int), self.expr(high, int));
        Draft::new(Kind::Range(Box::new(low), Box::new(high), inclusive), T::RANGE, span)
    }

    fn unary(&mut self, op: UnaryOp, operand: &'a ast::Expr, span: Span, want: Want) -> Draft {
        match op {
            UnaryOp::Not => {
                let operand = self.expr(operand, Want::Type(T::BOOL, Origin::of(Why::Condition)));
                Draft::new(Kind::Not(Box::new(operand)), T::BOOL, span)
            }
            UnaryOp::Neg => {
                let want = if is_int_constant(operand) && self.wants_float(want) { FLOAT } else { Want::Any };
                let operand = self.expr(operand, want);
                let ty = match self.known(operand.ty) {
                    Term::Duration => T::DURATION,
                    Term::Float => T::FLOAT,
                    Term::Int | Term::Never | Term::Unknown => T::INT,
                    Term::Var => {
                        self.terms.unify(operand.ty, T::INT);
                        T::INT
                    }
                    _ => {
                        let shown = self.terms.show(operand.ty);
                        let message =
                            format!("`-` negates an Int, a Float or a Duration, and this is `{shown}`");
                        self.report(Diagnostic::error(
                            "E0302",
                            message,
                            operand.span,
                            format!("this is `{shown}`"),
                        ));
                        return Draft::error(span);
                    }
                };
                Draft::new(Kind::Neg(Box::new(operand)), ty, span)
            }
        }
    }
}
