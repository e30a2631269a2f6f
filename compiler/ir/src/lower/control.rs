//! Conditions, branches and loops.

use super::build::{FunctionBuilder, LoopTargets};
use super::expr::{as_not, effect, give, lower, unit, value, value_during};
use crate::ir::{BlockId, Op, Repr, Terminator, Var};
use weir_abi::layout::{LEN, RANGE_HIGH, RANGE_INCLUSIVE, RANGE_LOW};
use weir_check::typed::{Expr, ExprKind, LocalId, Prim};
use weir_check::types::TyKind;
use weir_syntax::span::Span;

/// Goes to `yes` or `no` by a Bool, without making one of `and`, `or` and `not`. The current block has ended then.
pub(super) fn branch(b: &mut FunctionBuilder<'_, '_>, condition: &Expr, yes: BlockId, no: BlockId) {
    match &condition.kind {
        ExprKind::And(first, second) => {
            let both = b.block();
            branch(b, first, both, no);
            if b.enter(both).is_some() {
                branch(b, second, yes, no);
            }
        }
        ExprKind::Or(first, second) => {
            let neither = b.block();
            branch(b, first, yes, neither);
            if b.enter(neither).is_some() {
                branch(b, second, yes, no);
            }
        }
        ExprKind::Bool(known) => b.jump(if *known { yes } else { no }, condition.span),
        _ => match as_not(condition) {
            Some(inner) => branch(b, inner, no, yes),
            None => {
                if let Some(v) = value(b, condition) {
                    b.end(Terminator::Branch(v, yes, no), condition.span);
                }
            }
        },
    }
}

/// `and` and `or` where their value is wanted.
pub(super) fn lower_condition(b: &mut FunctionBuilder<'_, '_>, e: &Expr, dst: Option<Var>) -> Option<()> {
    let (ExprKind::And(first, second) | ExprKind::Or(first, second)) = &e.kind else {
        unreachable!("compiler bug: only `and` and `or` come here")
    };
    let is_and = matches!(e.kind, ExprKind::And(..));
    let (more, known, join) = (b.block(), b.block(), b.block());
    if is_and {
        branch(b, first, more, known);
    } else {
        branch(b, first, known, more);
    }
    if b.enter(more).is_some() && lower(b, second, dst).is_some() {
        b.jump(join, e.span);
    }
    if b.enter(known).is_some() {
        give(b, dst, e.span, |d| Op::Const(d, i64::from(!is_and)));
        b.jump(join, e.span);
    }
    b.enter(join)
}

pub(super) fn lower_if(
    b: &mut FunctionBuilder<'_, '_>,
    condition: &Expr,
    yes: &Expr,
    no: Option<&Expr>,
    dst: Option<Var>,
    span: Span,
) -> Option<()> {
    let (then, otherwise, join) = (b.block(), b.block(), b.block());
    branch(b, condition, then, otherwise);
    if b.enter(then).is_some() {
        // Without `else` the value of the branch is not that of the `if`, which is unit.
        let came_back = match no {
            Some(_) => lower(b, yes, dst),
            None => effect(b, yes).and_then(|()| unit(b, dst, span)),
        };
        if came_back.is_some() {
            b.jump(join, span);
        }
    }
    if b.enter(otherwise).is_some() {
        let came_back = match no {
            Some(no) => lower(b, no, dst),
            None => unit(b, dst, span),
        };
        if came_back.is_some() {
            b.jump(join, span);
        }
    }
    b.enter(join)
}

/// A loop's body; goes on behind it to `next` and then back to `head`, with a stop check.
fn lower_body(
    b: &mut FunctionBuilder<'_, '_>,
    body: &Expr,
    targets: LoopTargets,
    head: BlockId,
    span: Span,
    advance: impl FnOnce(&mut FunctionBuilder<'_, '_>),
) {
    b.loops.push(targets);
    if effect(b, body).is_some() {
        b.jump(targets.next, span);
    }
    b.loops.pop();
    if b.enter(targets.next).is_some() {
        advance(b);
        b.emit(Op::Stop, span);
        b.jump(head, span);
    }
}

pub(super) fn lower_while(
    b: &mut FunctionBuilder<'_, '_>,
    condition: &Expr,
    body: &Expr,
    span: Span,
) -> Option<()> {
    let (head, inside, next, exit) = (b.block(), b.block(), b.block(), b.block());
    b.jump(head, span);
    b.enter(head)?;
    branch(b, condition, inside, exit);
    if b.enter(inside).is_some() {
        lower_body(b, body, LoopTargets { next, exit }, head, span, |_| {});
    }
    b.enter(exit)
}

pub(super) fn lower_loop(b: &mut FunctionBuilder<'_, '_>, body: &Expr, span: Span) -> Option<()> {
    let (head, next, exit) = (b.block(), b.block(), b.block());
    b.jump(head, span);
    b.enter(head)?;
    lower_body(b, body, LoopTargets { next, exit }, head, span, |_| {});
    b.enter(exit)
}

pub(super) fn lower_break(b: &mut FunctionBuilder<'_, '_>, span: Span) -> Option<()> {
    let targets = b.loops.last().expect("the checker lets `break` stand in loops only");
    b.jump(targets.exit, span);
    None
}

pub(super) fn lower_continue(b: &mut FunctionBuilder<'_, '_>, span: Span) -> Option<()> {
    let targets = b.loops.last().expect("the checker lets `continue` stand in loops only");
    b.jump(targets.next, span);
    None
}

/// A `for`.
#[derive(Clone, Copy)]
pub(super) struct For<'e> {
    /// What each item is bound to.
    pub local: LocalId,
    /// What is walked over.
    pub over: &'e Expr,
    /// For each item.
    pub body: &'e Expr,
    /// The whole.
    pub span: Span,
}

pub(super) fn lower_for(b: &mut FunctionBuilder<'_, '_>, of: For<'_>) -> Option<()> {
    let is_list = matches!(b.tables.kind(of.over.ty), TyKind::List(_));
    let is_set = matches!(b.tables.kind(of.over.ty), TyKind::Set(_));
    match &of.over.kind {
        ExprKind::Range { low, high, inclusive } => over_ends(b, of, low, high, *inclusive),
        _ if is_list => over_list(b, of),
        _ if is_set => over_set(b, of),
        _ => over_range(b, of),
    }
}

/// The variable that counts for a loop over Ints: the loop's own unless the body assigns that.
fn counter(b: &mut FunctionBuilder<'_, '_>, local: LocalId) -> Var {
    if b.is_constant(local) { Var(local.0) } else { b.temp(Repr::Word) }
}

fn compare(
    b: &mut FunctionBuilder<'_, '_>,
    prim: Prim,
    x: Var,
    y: Var,
    yes: BlockId,
    no: BlockId,
    span: Span,
) {
    let c = b.temp(Repr::Word);
    b.emit(Op::Prim(prim, c, x, Some(y)), span);
    b.end(Terminator::Branch(c, yes, no), span);
}

/// The counter is below something: it was just compared.
fn increment(b: &mut FunctionBuilder<'_, '_>, counter: Var, span: Span) {
    b.emit(Op::Step(counter, counter), span);
}

fn set_loop_variable(b: &mut FunctionBuilder<'_, '_>, local: LocalId, counter: Var, span: Span) {
    if counter.0 != local.0 {
        b.emit(Op::Move(Var(local.0), counter), span);
    }
}

/// Counts while below `end`.
fn up_to_end(b: &mut FunctionBuilder<'_, '_>, of: For<'_>, counter: Var, end: Var) -> Option<()> {
    let For { local, body, span, .. } = of;
    let (head, inside, next, exit) = (b.block(), b.block(), b.block(), b.block());
    b.jump(head, span);
    b.enter(head)?;
    compare(b, Prim::Lt, counter, end, inside, exit, span);
    b.enter(inside)?;
    set_loop_variable(b, local, counter, span);
    lower_body(b, body, LoopTargets { next, exit }, head, span, |b| increment(b, counter, span));
    b.enter(exit)
}

/// Counts from the block `first` on through `last`; compares before it increments, so that the greatest Int may be the
/// last.
fn up_to_last(
    b: &mut FunctionBuilder<'_, '_>,
    of: For<'_>,
    counter: Var,
    last: Var,
    first: BlockId,
    exit: BlockId,
) -> Option<()> {
    let For { local, body, span, .. } = of;
    let (next, step) = (b.block(), b.block());
    if b.enter(first).is_some() {
        set_loop_variable(b, local, counter, span);
        b.loops.push(LoopTargets { next, exit });
        if effect(b, body).is_some() {
            b.jump(next, span);
        }
        b.loops.pop();
    }
    if b.enter(next).is_some() {
        compare(b, Prim::Eq, counter, last, exit, step, span);
        b.enter(step)?;
        increment(b, counter, span);
        b.emit(Op::Stop, span);
        b.jump(first, span);
    }
    b.enter(exit)
}

/// The Ints between two ends that are written there: no Range is made.
fn over_ends(
    b: &mut FunctionBuilder<'_, '_>,
    of: For<'_>,
    low: &Expr,
    high: &Expr,
    inclusive: bool,
) -> Option<()> {
    let counter = counter(b, of.local);
    // The counter is set behind the end: `low` may be a variable that computing the end assigns.
    let mut ends = super::expr::values(b, [low, high])?;
    if let ExprKind::Local(end) = high.kind
        && !b.is_constant(end)
    {
        ends[1] = value_during(b, high, of.body)?;
    }
    b.emit(Op::Move(counter, ends[0]), low.span);
    if inclusive {
        let (first, exit) = (b.block(), b.block());
        compare(b, Prim::Le, counter, ends[1], first, exit, of.over.span);
        up_to_last(b, of, counter, ends[1], first, exit)
    } else {
        up_to_end(b, of, counter, ends[1])
    }
}

/// A Range that is there as a value: its end is turned into its last Int where it has one.
fn over_range(b: &mut FunctionBuilder<'_, '_>, of: For<'_>) -> Option<()> {
    let over = of.over;
    let range = value(b, over)?;
    let counter = counter(b, of.local);
    let last = b.temp(Repr::Word);
    let inclusive = b.temp(Repr::Word);
    let high = b.temp(Repr::Word);
    b.emit(Op::Load(counter, range, RANGE_LOW), over.span);
    b.emit(Op::Load(high, range, RANGE_HIGH), over.span);
    b.emit(Op::Load(inclusive, range, RANGE_INCLUSIVE), over.span);
    let (some, through, below, maybe, one, first, exit) =
        (b.block(), b.block(), b.block(), b.block(), b.block(), b.block(), b.block());
    compare(b, Prim::Lt, counter, high, some, maybe, over.span);
    b.enter(some)?;
    b.end(Terminator::Branch(inclusive, through, below), over.span);
    b.enter(through)?;
    b.emit(Op::Move(last, high), over.span);
    b.jump(first, over.span);
    b.enter(below)?;
    let minus_one = b.word(-1, over.span);
    b.emit(Op::Prim(Prim::Add, last, high, Some(minus_one)), over.span);
    b.jump(first, over.span);
    b.enter(maybe)?;
    compare(b, Prim::Eq, counter, high, one, exit, over.span);
    b.enter(one)?;
    b.end(Terminator::Branch(inclusive, through, exit), over.span);
    up_to_last(b, of, counter, last, first, exit)
}

/// The list as it was: it is held until the loop ends.
fn over_list(b: &mut FunctionBuilder<'_, '_>, of: For<'_>) -> Option<()> {
    let list = value_during(b, of.over, of.body)?;
    over_elements(b, of, list)
}

/// The elements of a set as it was, which is a list that is held until the loop ends.
fn over_set(b: &mut FunctionBuilder<'_, '_>, of: For<'_>) -> Option<()> {
    let set = value(b, of.over)?;
    let list = b.temp(Repr::Ref);
    let types = super::collection::types_within(b, of.over.ty);
    b.emit(
        Op::CallNative { dst: list, native: super::expr::native("set-list"), types, args: vec![set] },
        of.over.span,
    );
    over_elements(b, of, list)
}

fn over_elements(b: &mut FunctionBuilder<'_, '_>, of: For<'_>, list: Var) -> Option<()> {
    let For { local, over, body, span } = of;
    let (index, len) = (b.temp(Repr::Word), b.temp(Repr::Word));
    b.emit(Op::Load(len, list, LEN), over.span);
    b.emit(Op::Const(index, 0), over.span);
    let (head, inside, next, exit) = (b.block(), b.block(), b.block(), b.block());
    b.jump(head, span);
    b.enter(head)?;
    compare(b, Prim::Lt, index, len, inside, exit, span);
    b.enter(inside)?;
    b.emit(Op::ListGetUnchecked(Var(local.0), list, index), over.span);
    lower_body(b, body, LoopTargets { next, exit }, head, span, |b| increment(b, index, span));
    b.enter(exit)
}
