//! Infix operators. Arithmetic and comparisons whose types are not known yet become goals.

use super::expr::{FLOAT, is_int_constant};
use super::{Checker, OK, Origin, Want, Why};
use crate::draft::{Draft, DraftArm, Kind};
use crate::goals::{Goal, Operation};
use crate::typed::Pattern;
use crate::unify::{T, Term};
use weir_syntax::ast::{self, BinaryOp};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

impl<'a> Checker<'a> {
    /// `left op right`
    pub fn binary(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        span: Span,
        want: Want,
    ) -> Draft {
        match op {
            BinaryOp::And | BinaryOp::Or => self.logical(op, left, right, span),
            BinaryOp::Coalesce => self.coalesce(left, right, span, want),
            BinaryOp::In => self.membership(left, right, span),
            BinaryOp::Eq | BinaryOp::Ne => self.equality(op, left, right, span),
            _ => self.operation(op, op_span, left, right, span, want),
        }
    }

    fn logical(&mut self, op: BinaryOp, left: &'a ast::Expr, right: &'a ast::Expr, span: Span) -> Draft {
        let bool = Want::Type(T::BOOL, Origin::of(Why::Condition));
        let left = Box::new(self.expr(left, bool));
        let right = Box::new(self.expr(right, bool));
        let kind = if op == BinaryOp::And { Kind::And(left, right) } else { Kind::Or(left, right) };
        Draft::new(kind, T::BOOL, span)
    }

    /// `a ?? b`: a match on the option or result `a`; `b` may be one again.
    fn coalesce(&mut self, left: &'a ast::Expr, right: &'a ast::Expr, span: Span, want: Want) -> Draft {
        let left = self.expr(left, Want::Any);
        let item = match self.known(left.ty) {
            Term::Option(item) => item,
            Term::Record(..) if self.terms.as_result(left.ty).is_some() => {
                self.terms.payload(left.ty).unwrap_or(T::UNKNOWN)
            }
            Term::Unknown | Term::Never => {
                self.expr(right, Want::Any);
                return Draft::error(span);
            }
            Term::Var => {
                let item = self.terms.var();
                let option = self.terms.add(Term::Option(item));
                self.terms.unify(left.ty, option);
                item
            }
            _ => {
                let shown = self.terms.show(left.ty);
                let error = Diagnostic::error(
                    "E0315",
                    format!("`??` gives a fallback for an option or a result, and this is `{shown}`"),
                    left.span,
                    "this always has a value",
                )
                .help("Leave the `??` and what follows it out.");
                self.report(error);
                self.expr(right, Want::Any);
                return Draft { kind: Kind::Error, ..left };
            }
        };
        // An option or result is kept where the fallback is one, as in `a ?? b ?? c`.
        let fallback_want = match want {
            Want::Type(ty, _) if !self.terms.is_var(ty) && self.terms.payload(ty).is_none() => {
                Want::Type(item, Origin::new(Why::Same, left.span))
            }
            _ if is_int_constant(right) && matches!(self.terms.head(item), Term::Float) => FLOAT,
            _ if has_parts(right) => Want::Type(item, Origin::new(Why::Same, left.span)),
            _ => Want::Any,
        };
        let fallback = self.expr(right, fallback_want);
        let local = self.temporary("$value", item, left.span);
        let mut value = Draft::new(Kind::Local(local), item, left.span);
        let (fallback, ty) = if self.terms.is_never(fallback.ty) || matches!(fallback_want, Want::Type(..)) {
            (fallback, item)
        } else if self.terms.option_depth(fallback.ty).0 > self.terms.option_depth(item).0 {
            let whole = match self.terms.as_result(fallback.ty) {
                Some((_, error)) => self.terms.result(item, error),
                None => self.terms.add(Term::Option(item)),
            };
            self.demand(fallback.ty, whole, fallback.span, Origin::new(Why::Same, left.span));
            value = self.lifted(value, whole, left.span);
            (fallback, whole)
        } else {
            (self.coerce(fallback, item, Origin::new(Why::Same, left.span)), item)
        };
        let bound = Pattern::Bind(local);
        let (good, bad) = match self.terms.as_result(left.ty) {
            Some(_) => (self.result_pattern(OK, bound), Pattern::Wildcard),
            None => (Pattern::Some(Box::new(bound)), Pattern::None),
        };
        let arms = vec![
            DraftArm { pattern: good, guard: None, body: value },
            DraftArm { pattern: bad, guard: None, body: fallback },
        ];
        Draft::new(Kind::Match(Box::new(left), arms), ty, span)
    }

    /// `x in xs` is `xs.contains(x)`, with `x` evaluated first.
    fn membership(&mut self, left: &'a ast::Expr, right: &'a ast::Expr, span: Span) -> Draft {
        let item = self.expr(left, Want::Any);
        let whole = self.expr(right, Want::Any);
        let home = match self.known(whole.ty) {
            Term::List(_) => "list",
            Term::Map(..) => "map",
            Term::Set(_) => "set",
            Term::Range => "range",
            Term::Text => "text",
            Term::Unknown | Term::Never => return Draft::new(Kind::Error, T::BOOL, span),
            _ => {
                let shown = self.terms.show(whole.ty);
                let error = Diagnostic::error(
                    "E0316",
                    format!("`in` looks into a List, Map, Set, Range or Text, and this is `{shown}`"),
                    whole.span,
                    format!("this is `{shown}`"),
                );
                self.report(error);
                return Draft::new(Kind::Error, T::BOOL, span);
            }
        };
        let Some(contains) = self.library_fn(home, "contains") else { return Draft::error(span) };
        let mut stmts = Vec::new();
        let item = self.bind_once(item, &mut stmts);
        let call = self.call_with(contains, vec![whole, item], span);
        self.behind(stmts, call)
    }

    /// A value that may be mentioned again or later: itself when plain, else a variable bound in `stmts`.
    pub fn bind_once(&mut self, draft: Draft, stmts: &mut Vec<Draft>) -> Draft {
        if draft.again().is_some() {
            return draft;
        }
        let (ty, span) = (draft.ty, draft.span);
        let local = self.temporary("$value", ty, span);
        stmts.push(Draft::new(Kind::Let(local, Box::new(draft)), T::UNIT, span));
        Draft::new(Kind::Local(local), ty, span)
    }

    /// `value` evaluated behind `stmts`.
    pub fn behind(&mut self, mut stmts: Vec<Draft>, value: Draft) -> Draft {
        if stmts.is_empty() {
            return value;
        }
        let (ty, span) = (value.ty, value.span);
        stmts.push(value);
        Draft::new(Kind::Block(stmts), ty, span)
    }

    /// Both sides of an operator. Int literals are Floats where the other side or the expected result is one.
    fn operands(&mut self, left: &'a ast::Expr, right: &'a ast::Expr, want: Want) -> (Draft, Draft) {
        let expected = if self.wants_float(want) { FLOAT } else { Want::Any };
        match (is_int_constant(left), is_int_constant(right)) {
            (true, true) => (self.expr(left, expected), self.expr(right, expected)),
            (true, false) => {
                let right = self.expr(right, Want::Any);
                let is_float = matches!(self.terms.head(right.ty), Term::Float);
                (self.expr(left, if is_float { FLOAT } else { Want::Any }), right)
            }
            (false, true) => {
                let left = self.expr(left, Want::Any);
                let is_float = matches!(self.terms.head(left.ty), Term::Float);
                let right = self.expr(right, if is_float { FLOAT } else { Want::Any });
                (left, right)
            }
            (false, false) => (self.expr(left, Want::Any), self.expr(right, Want::Any)),
        }
    }

    fn equality(&mut self, op: BinaryOp, left: &'a ast::Expr, right: &'a ast::Expr, span: Span) -> Draft {
        let errors = self.reports.errors();
        let (left, right) = match (has_parts(left), has_parts(right)) {
            (_, true) => {
                let left = self.expr(left, Want::Any);
                let want = self.beside(&left);
                (left, self.expr(right, want))
            }
            (true, false) => {
                let right = self.expr(right, Want::Any);
                let want = self.beside(&right);
                (self.expr(left, want), right)
            }
            _ => self.operands(left, right, Want::Any),
        };
        let is_never = self.terms.is_never(left.ty) || self.terms.is_never(right.ty);
        if !is_never && self.reports.errors() == errors {
            // An option that was built right here takes the type of the other side.
            let origin = Origin::new(Why::Operand, left.span);
            if self.demand(right.ty, left.ty, right.span, origin) {
                self.need_equality(left.ty, span);
            }
        }
        Draft::new(Kind::Operator(op, Box::new(left), Box::new(right)), T::BOOL, span)
    }

    /// What is wanted of a literal beside a value that it is compared with.
    fn beside(&self, value: &Draft) -> Want {
        match self.terms.head(value.ty) {
            Term::Record(..) | Term::Anonymous(..) | Term::Tuple(_) | Term::List(_) => {
                Want::Type(value.ty, Origin::new(Why::Operand, value.span))
            }
            _ => Want::Any,
        }
    }

    fn operation(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        span: Span,
        want: Want,
    ) -> Draft {
        let ordering = matches!(op, BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge);
        let (left, right) = self.operands(left, right, if ordering { Want::Any } else { want });
        let result = if ordering { T::BOOL } else { self.terms.var() };
        let operation = Operation {
            op,
            op_span,
            left: (left.ty, left.span),
            right: (right.ty, right.span),
            result,
            chain: self.here.chain,
        };
        self.settle(Goal::Operation(operation));
        Draft::new(Kind::Operator(op, Box::new(left), Box::new(right)), result, span)
    }

    /// `left op right` of drafts that the checker made itself.
    pub fn add_one(&mut self, draft: Draft) -> Draft {
        let span = draft.span;
        let one = Draft::new(Kind::Int(1), T::INT, span);
        Draft::new(Kind::Operator(BinaryOp::Add, Box::new(draft), Box::new(one)), T::INT, span)
    }
}

/// Whether an expression is a literal of parts, whose type depends on what is expected of it.
fn has_parts(expr: &ast::Expr) -> bool {
    matches!(expr.kind, ast::ExprKind::Record(_) | ast::ExprKind::Tuple(_) | ast::ExprKind::List(_))
}
