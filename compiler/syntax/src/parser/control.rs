//! `if`, `match`, the loops, and the bodies of arms and lambdas.

use chumsky::input::InputRef;
use chumsky::prelude::*;

use super::expr::{arrow, error};
use super::recover::{close, comma, skip_some, skip_to};
use super::slip::{Boxed, Extra, Extras, Input, Rule, Slip, just};
use super::stmt;
use crate::ast::{Arm, BinaryOp, Block, Cond, Expr, ExprKind, Form, Pattern, PatternKind, Stmt, StmtKind};
use crate::diag::Diagnostic;
use crate::span::Span;
use crate::token::TokenKind as K;

/// What recovery in a head stops at.
const HEAD_STOPS: &[K] = &[K::LBrace, K::Sep];

/// The body of an arm or a lambda: an expression. A statement in its place is reported and put into a block.
pub(super) fn body<'s>(expr: impl Rule<'s, Expr>) -> Boxed<'s, Expr> {
    let assigned = just(K::Assign).ignore_then(expr.clone()).or_not();
    expr.then(assigned)
        .map_with(|(place, value), e| {
            let Some(value) = value else { return place };
            let span = e.state().span(e.span());
            let written = e.state().text(span).to_string();
            let mut diagnostic = Diagnostic::error(
                "E0121",
                "a statement has no value",
                span,
                "an expression is expected here",
            );
            if !written.contains('\n') {
                diagnostic = diagnostic.help(format!("put it into a block: `{{ {written} }}`"));
                diagnostic = diagnostic.fix(span, format!("{{ {written} }}"));
            }
            e.emit(diagnostic.into());
            let kind = StmtKind::Assign { place, value };
            let block = Block { stmts: vec![Stmt { kind, span }], span };
            Expr { kind: ExprKind::Block(block), span }
        })
        .boxed()
}

/// A way out of the function or loop, or an item for the stream, as a value, which only `??` and the arrows may have behind them.
pub(super) fn leave<'s>(expr: impl Rule<'s, Expr>) -> impl Rule<'s, Expr> {
    let begins = custom(|inp: &mut InputRef<'s, '_, Input<'s>, Extra<'s>>| {
        let here = inp.cursor();
        let at: SimpleSpan = inp.span_since(&here);
        let before = at.start.checked_sub(1).map(|before| inp.state().kinds[before]);
        match (before, inp.peek()) {
            (
                Some(K::Coalesce | K::FatArrow | K::ArmArrow | K::Arrow),
                Some(K::Return | K::Fail | K::Break | K::Continue | K::Yield),
            ) => Ok(()),
            _ => Err(Slip { at: at.start, ..Slip::default() }),
        }
    });
    begins.ignore_then(stmt::leave(expr)).map_with(|kind, e| {
        let span = e.state().span(e.span());
        Expr { kind: ExprKind::Leave(Box::new(Stmt { kind, span })), span }
    })
}

/// The block behind a head; what stands in between is reported and skipped.
pub(super) fn head_block<'s>(block: Boxed<'s, Block>) -> Boxed<'s, Block> {
    const STOPS: &[K] = &[K::LBrace, K::Sep, K::Comma];
    let skipped = skip_to(STOPS).ignore_then(block.clone().or_not()).map_with(|block, e| {
        let span = e.state().span(e.span());
        block.unwrap_or(Block { stmts: Vec::new(), span })
    });
    block.recover_with(via_parser(skipped)).boxed()
}

/// A `{` where the head wants a value: reported, and not taken for that value.
fn missing<'s>(wanted: &'static str) -> impl Rule<'s, Expr> {
    just(K::LBrace).rewind().map_with(move |_, e| {
        let at: SimpleSpan = e.span();
        let place = e.state().spans[at.start - 1].after();
        let message = format!("expected {wanted}, found `{{`");
        e.emit(Diagnostic::error("E0101", message, place, "").into());
        Expr { kind: ExprKind::Error, span: place }
    })
}

/// The condition of `if` and `while`.
fn condition<'s>(expr: impl Rule<'s, Expr>, pattern: Boxed<'s, Pattern>) -> Boxed<'s, Cond> {
    let missing = missing("a condition").map(Cond::Expr);
    let binding = just(K::Let)
        .ignore_then(pattern)
        .then_ignore(just(K::Assign))
        .then(expr.clone())
        .map(|(pattern, value)| Cond::Let(pattern, value));
    let assign = just(K::Assign).map_with(|_, e| e.state().span(e.span()));
    let plain = expr.clone().then(assign.then(expr).or_not()).map_with(equality).map(Cond::Expr);
    let skipped = skip_some(HEAD_STOPS).map_with(error).map(Cond::Expr);
    choice((missing, binding, plain)).recover_with(via_parser(skipped)).boxed()
}

/// A condition `a = b` is reported and taken for `a == b`.
fn equality<'s>((left, rest): (Expr, Option<(Span, Expr)>), e: &mut Extras<'s, '_>) -> Expr {
    let Some((op_span, right)) = rest else { return left };
    let diagnostic = Diagnostic::error("E0111", "`=` does not compare", op_span, "this assigns")
        .help("a comparison is written `==`")
        .fix(op_span, "==");
    e.emit(diagnostic.into());
    let span = left.span.to(right.span);
    let (left, right) = (Box::new(left), Box::new(right));
    Expr { kind: ExprKind::Binary { op: BinaryOp::Eq, op_span, left, right }, span }
}

/// `if cond { } else if cond { } else { }`
pub(super) fn if_<'s>(
    expr: impl Rule<'s, Expr>,
    pattern: Boxed<'s, Pattern>,
    block: Boxed<'s, Block>,
) -> Boxed<'s, Expr> {
    let block = head_block(block);
    let branch = just(K::If)
        .map_with(|_, e| e.state().span(e.span()))
        .then(condition(expr, pattern))
        .then(block.clone())
        .map_with(|((start, cond), then), e| (start.to(e.state().span(e.span())), cond, then))
        .boxed();
    let more = just(K::Else).ignore_then(branch.clone()).repeated().collect::<Vec<_>>();
    let last = just(K::Else).ignore_then(block).or_not();
    branch
        .then(more)
        .then(last)
        .map(|((first, more), last)| {
            let mut otherwise =
                last.map(|block| Box::new(Expr { span: block.span, kind: ExprKind::Block(block) }));
            for (span, cond, then) in more.into_iter().rev() {
                otherwise = Some(Box::new(if_expr(span, cond, then, otherwise)));
            }
            let (span, cond, then) = first;
            if_expr(span, cond, then, otherwise)
        })
        .boxed()
}

fn if_expr(span: Span, cond: Cond, then: Block, otherwise: Option<Box<Expr>>) -> Expr {
    let span = otherwise.as_ref().map_or(span, |other| span.to(other.span));
    Expr { kind: ExprKind::If { cond: Box::new(cond), then, otherwise }, span }
}

/// `for pattern in iterable { }`, `while cond { }`, `loop { }`
pub(super) fn loops<'s>(
    expr: impl Rule<'s, Expr>,
    pattern: Boxed<'s, Pattern>,
    block: Boxed<'s, Block>,
) -> Boxed<'s, Expr> {
    let block = head_block(block);
    let skipped_pattern = skip_some(&[K::In, K::LBrace, K::Sep]).map_with(pattern_error);
    let for_ = just(K::For)
        .ignore_then(pattern.clone().recover_with(via_parser(skipped_pattern)))
        .then_ignore(just(K::In))
        .then(expr.clone().recover_with(via_parser(skip_to(HEAD_STOPS).map_with(error))))
        .then(block.clone())
        .map(|((pattern, iterable), body)| ExprKind::For { pattern, iterable: Box::new(iterable), body });
    let while_ = just(K::While)
        .ignore_then(condition(expr, pattern))
        .then(block.clone())
        .map(|(cond, body)| ExprKind::While { cond: Box::new(cond), body });
    let loop_ = just(K::Loop).ignore_then(block).map(ExprKind::Loop);
    choice((for_, while_, loop_)).map_with(|kind, e| Expr { kind, span: e.state().span(e.span()) }).boxed()
}

/// `stream { }`, `spawn { }`, `background { }`
pub(super) fn form<'s>(block: Boxed<'s, Block>) -> Boxed<'s, Expr> {
    let word = just(K::FormWord).map_with(|_, e| {
        let span = e.state().span(e.span());
        Form::named(e.state().text(span)).expect("`layout` marks these words only")
    });
    word.then(block)
        .map_with(|(form, block), e| Expr {
            kind: ExprKind::Form(form, block),
            span: e.state().span(e.span()),
        })
        .boxed()
}

/// The error pattern in place of a skipped range.
pub(super) fn pattern_error<'s>(range: SimpleSpan, e: &mut Extras<'s, '_>) -> Pattern {
    Pattern { kind: PatternKind::Error, span: e.state().span(range) }
}

/// `match subject { arms }`
pub(super) fn match_<'s>(
    expr: impl Rule<'s, Expr>,
    pattern: Boxed<'s, Pattern>,
    body: Boxed<'s, Expr>,
) -> Boxed<'s, Expr> {
    const STOPS: &[K] = &[K::Comma, K::Sep];
    let value = body.recover_with(via_parser(skip_to(STOPS).map_with(error)));
    let guard = just(K::If).ignore_then(expr.clone()).or_not();
    let skipped = skip_some(STOPS).map_with(|range, e| {
        let span = e.state().span(range);
        let pattern = Pattern { kind: PatternKind::Error, span };
        Arm { pattern, guard: None, body: Expr { kind: ExprKind::Error, span } }
    });
    let arm = pattern
        .then(guard)
        .then_ignore(just(K::ArmArrow).ignored().or(arrow()))
        .then(value)
        .map(|((pattern, guard), body)| Arm { pattern, guard, body })
        .recover_with(via_parser(skipped))
        .boxed();
    let separator = just(K::Sep).ignored().or(comma());
    let arms = arm.separated_by(separator).allow_trailing().collect();
    just(K::Match)
        .ignore_then(
            missing("a value").or(expr).recover_with(via_parser(skip_to(HEAD_STOPS).map_with(error))),
        )
        .then_ignore(just(K::LBrace))
        .then(arms)
        .then_ignore(close(K::RBrace))
        .map_with(|(subject, arms), e| Expr {
            kind: ExprKind::Match { subject: Box::new(subject), arms },
            span: e.state().span(e.span()),
        })
        .boxed()
}
