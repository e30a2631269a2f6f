//! `match`: the arms' tests in order, then their bindings.
//!
//! The last arm is not tested: patterns are exhaustive, so whatever reaches an arm without a successor is taken by it.

use super::build::FunctionBuilder;
use super::expr::{call_native, lower, lower_text, value};
use super::{control, walk};
use crate::ir::{BlockId, Op, Repr, Terminator, Var};
use weir_abi::layout::BOX_VALUE;
use weir_check::typed::{Arm, Expr, ExprKind, Pattern, Prim};
use weir_check::types::{Ty, TyKind};
use weir_syntax::span::Span;

pub(super) fn lower_match(
    b: &mut FunctionBuilder<'_, '_>,
    subject: &Expr,
    arms: &[Arm],
    dst: Option<Var>,
    span: Span,
) -> Option<()> {
    let mut v = value(b, subject)?;
    let in_guard = |local| arms.iter().filter_map(|a| a.guard.as_ref()).any(|g| walk::assigns(g, local));
    if matches!(subject.kind, ExprKind::Local(local) if in_guard(local)) {
        let copy = b.temp_of(subject.ty);
        b.emit(Op::Move(copy, v), subject.span);
        v = copy;
    }
    let join = b.block();
    for (i, arm) in arms.iter().enumerate() {
        let next = b.block();
        let is_last = i + 1 == arms.len() && arm.guard.is_none();
        if is_last {
            bind(b, &arm.pattern, v, subject.ty, subject.span);
        } else {
            test(b, &arm.pattern, v, subject.ty, next, subject.span);
            bind(b, &arm.pattern, v, subject.ty, subject.span);
        }
        let mut taken = true;
        if let Some(guard) = &arm.guard {
            let body = b.block();
            control::branch(b, guard, body, next);
            taken = b.enter(body).is_some();
        }
        if taken && lower(b, &arm.body, dst).is_some() {
            b.jump(join, span);
        }
        if b.enter(next).is_none() {
            // Nothing is left for the arms behind this one.
            return b.enter(join);
        }
    }
    // Only a wrong exhaustiveness check leads here.
    b.end(Terminator::Unreachable, span);
    b.enter(join)
}

/// Goes on in a block where the pattern takes `v`; to `fail` where it does not. Binds nothing.
fn test(b: &mut FunctionBuilder<'_, '_>, pattern: &Pattern, v: Var, ty: Ty, fail: BlockId, span: Span) {
    match pattern {
        Pattern::Wildcard | Pattern::Bind(_) => {}
        Pattern::Int(n) => compare(b, Prim::Eq, v, *n, fail, span),
        Pattern::IntRange(low, high) => {
            compare(b, Prim::Ge, v, *low, fail, span);
            compare(b, Prim::Le, v, *high, fail, span);
        }
        Pattern::Bool(expected) => {
            let ok = b.block();
            let (yes, no) = if *expected { (ok, fail) } else { (fail, ok) };
            go_on(b, v, yes, no, ok, span);
        }
        Pattern::Text(text) => {
            let (literal, equal, ok) = (b.temp(Repr::Ref), b.temp(Repr::Word), b.block());
            lower_text(b, text, Some(literal), span);
            call_native(b, equal, "text-equal", vec![v, literal], span);
            go_on(b, equal, ok, fail, ok, span);
        }
        Pattern::None => {
            let ok = b.block();
            let is_null = is_null(b, v, span);
            go_on(b, is_null, ok, fail, ok, span);
        }
        Pattern::Some(inner) => {
            let ok = b.block();
            let is_null = is_null(b, v, span);
            go_on(b, is_null, fail, ok, ok, span);
            if !matches!(**inner, Pattern::Wildcard | Pattern::Bind(_)) {
                let payload_ty = payload(b, ty);
                let payload = b.temp_of(payload_ty);
                unwrap_some(b, v, payload_ty, payload, span);
                test(b, inner, payload, payload_ty, fail, span);
            }
        }
        Pattern::Or(alternatives) => {
            let ok = b.block();
            for (i, alternative) in alternatives.iter().enumerate() {
                let is_last = i + 1 == alternatives.len();
                let next = if is_last { fail } else { b.block() };
                test(b, alternative, v, ty, next, span);
                b.jump(ok, span);
                if !is_last && b.enter(next).is_none() {
                    // An alternative that takes everything: those behind it are never asked.
                    break;
                }
            }
            b.enter(ok).expect("the first alternative leads here");
        }
    }
}

/// Binds the variables of a pattern that takes `v`.
fn bind(b: &mut FunctionBuilder<'_, '_>, pattern: &Pattern, v: Var, ty: Ty, span: Span) {
    match pattern {
        Pattern::Bind(local) => b.emit(Op::Move(Var(local.0), v), span),
        Pattern::Some(inner) => match &**inner {
            Pattern::Bind(local) => {
                let payload_ty = payload(b, ty);
                unwrap_some(b, v, payload_ty, Var(local.0), span);
            }
            inner if binds(inner) => {
                let payload_ty = payload(b, ty);
                let payload = b.temp_of(payload_ty);
                unwrap_some(b, v, payload_ty, payload, span);
                bind(b, inner, payload, payload_ty, span);
            }
            _ => {}
        },
        _ => {}
    }
}

fn binds(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Bind(_) => true,
        Pattern::Some(inner) => binds(inner),
        _ => false,
    }
}

/// Sets `dst` to the payload, of type `payload_ty`, of an option that is not `None`.
pub(super) fn unwrap_some(b: &mut FunctionBuilder<'_, '_>, v: Var, payload_ty: Ty, dst: Var, span: Span) {
    if b.tables.description(payload_ty).is_nullable_inside_option() {
        b.emit(Op::Move(dst, v), span);
    } else {
        b.emit(Op::Load(dst, v, BOX_VALUE), span);
    }
}

fn payload(b: &FunctionBuilder<'_, '_>, option: Ty) -> Ty {
    match b.tables.kind(option) {
        TyKind::Option(payload) => *payload,
        other => unreachable!("compiler bug: an option's pattern on {other:?}"),
    }
}

fn is_null(b: &mut FunctionBuilder<'_, '_>, v: Var, span: Span) -> Var {
    let c = b.temp(Repr::Word);
    b.emit(Op::IsNull(c, v), span);
    c
}

fn compare(b: &mut FunctionBuilder<'_, '_>, prim: Prim, v: Var, with: i64, fail: BlockId, span: Span) {
    let (literal, c, ok) = (b.word(with, span), b.temp(Repr::Word), b.block());
    b.emit(Op::Prim(prim, c, v, Some(literal)), span);
    go_on(b, c, ok, fail, ok, span);
}

/// Branches and goes on in `ok`, which is one of the targets.
fn go_on(
    b: &mut FunctionBuilder<'_, '_>,
    condition: Var,
    yes: BlockId,
    no: BlockId,
    ok: BlockId,
    span: Span,
) {
    b.end(Terminator::Branch(condition, yes, no), span);
    b.enter(ok).expect("the branch leads here");
}
