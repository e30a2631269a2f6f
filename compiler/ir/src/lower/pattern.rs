//! `match`: the arms' tests in order, then their bindings.
//!
//! The last arm is not tested: patterns are exhaustive, so whatever reaches an arm without a successor is taken by it.

use super::build::FunctionBuilder;
use super::expr::{call_native, lower, lower_text, value};
use super::{control, walk};
use crate::ir::{BlockId, Op, Repr, Terminator, Var};
use weir_abi::layout::{BOX_VALUE, CASE_INDEX, LEN, case_field, field};
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
    let index = looks_at_cases(arms).then(|| case_index(b, v, span)).filter(|_| arms.len() > 1);
    let join = b.block();
    for (i, arm) in arms.iter().enumerate() {
        let next = b.block();
        let is_last = i + 1 == arms.len() && arm.guard.is_none();
        if is_last {
            bind(b, &arm.pattern, v, subject.ty, subject.span);
        } else {
            match (&arm.pattern, index) {
                (Pattern::Case(_, at, parts), Some(index)) => {
                    compare(b, Prim::Eq, index, i64::from(*at), next, subject.span);
                    test_parts(b, Whole::Case(*at), parts, v, subject.ty, next, subject.span);
                }
                (pattern, _) => test(b, pattern, v, subject.ty, next, subject.span),
            }
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
            if looks(inner) {
                let payload_ty = payload(b, ty);
                let payload = b.temp_of(payload_ty);
                unwrap_some(b, v, payload_ty, payload, span);
                test(b, inner, payload, payload_ty, fail, span);
            }
        }
        Pattern::Case(_, at, parts) => {
            let index = case_index(b, v, span);
            compare(b, Prim::Eq, index, i64::from(*at), fail, span);
            test_parts(b, Whole::Case(*at), parts, v, ty, fail, span);
        }
        Pattern::Tuple(parts) | Pattern::Record(_, parts) => {
            test_parts(b, Whole::Record, parts, v, ty, fail, span)
        }
        Pattern::List(items, rest) => test_list(b, items, rest.is_some(), v, ty, fail, span),
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

/// The tests of the fields of a record, a tuple, or a case, which is known to be this one.
fn test_parts(
    b: &mut FunctionBuilder<'_, '_>,
    whole: Whole,
    parts: &[Pattern],
    v: Var,
    ty: Ty,
    fail: BlockId,
    span: Span,
) {
    for (i, part) in (0..).zip(parts) {
        if looks(part) {
            let (offset, part_ty) = whole.part(b, ty, i);
            let value = load(b, v, offset, part_ty, span);
            test(b, part, value, part_ty, fail, span);
        }
    }
}

/// The tests of a list's length and of its first elements.
fn test_list(
    b: &mut FunctionBuilder<'_, '_>,
    items: &[Pattern],
    may_go_on: bool,
    v: Var,
    ty: Ty,
    fail: BlockId,
    span: Span,
) {
    if !(items.is_empty() && may_go_on) {
        let len = b.temp(Repr::Word);
        b.emit(Op::Load(len, v, LEN), span);
        compare(b, if may_go_on { Prim::Ge } else { Prim::Eq }, len, items.len() as i64, fail, span);
    }
    let item_ty = element(b, ty);
    for (i, item) in (0..).zip(items) {
        if looks(item) {
            let value = b.temp_of(item_ty);
            load_element(b, value, v, i, span);
            test(b, item, value, item_ty, fail, span);
        }
    }
}

/// Sets `dst` to the element at an index that is known to be inside.
fn load_element(b: &mut FunctionBuilder<'_, '_>, dst: Var, list: Var, index: i64, span: Span) {
    let index = b.word(index, span);
    b.emit(Op::ListGetUnchecked(dst, list, index), span);
}

/// Whether a pattern does not take everything.
fn looks(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Wildcard | Pattern::Bind(_) => false,
        Pattern::Tuple(parts) | Pattern::Record(_, parts) => parts.iter().any(looks),
        Pattern::List(items, Some(_)) => !items.is_empty(),
        _ => true,
    }
}

/// Whether an arm asks which case the subject is.
fn looks_at_cases(arms: &[Arm]) -> bool {
    arms.iter().any(|a| matches!(a.pattern, Pattern::Case(..)))
}

/// The index of an enum value's case.
fn case_index(b: &mut FunctionBuilder<'_, '_>, v: Var, span: Span) -> Var {
    if !b.vars[v.0 as usize].repr.is_ref() {
        return v;
    }
    let index = b.temp(Repr::Word);
    b.emit(Op::Load(index, v, CASE_INDEX), span);
    index
}

fn load(b: &mut FunctionBuilder<'_, '_>, v: Var, offset: i32, ty: Ty, span: Span) -> Var {
    let part = b.temp_of(ty);
    b.emit(Op::Load(part, v, offset), span);
    part
}

/// What has fields.
#[derive(Clone, Copy)]
enum Whole {
    /// A record or tuple.
    Record,
    /// The case of an enum with that index.
    Case(u32),
}

impl Whole {
    /// Where the field lies in a value of type `ty`, and the field's type.
    fn part(self, b: &FunctionBuilder<'_, '_>, ty: Ty, at: u32) -> (i32, Ty) {
        let index = at as usize;
        match (self, b.tables.kind(ty)) {
            (Whole::Case(case), TyKind::Enum(of)) => {
                (case_field(at), b.program.types.enumeration(*of).cases[case as usize].fields[index].1)
            }
            (Whole::Record, TyKind::Tuple(parts)) => (field(at), parts[index]),
            (Whole::Record, TyKind::Anonymous(fields)) => (field(at), fields[index].1),
            (Whole::Record, TyKind::Record(of)) => (field(at), b.program.types.record(*of).fields[index].1),
            (_, other) => unreachable!("compiler bug: a pattern with fields on {other:?}"),
        }
    }
}

fn element(b: &FunctionBuilder<'_, '_>, list: Ty) -> Ty {
    match b.tables.kind(list) {
        TyKind::List(item) => *item,
        other => unreachable!("compiler bug: a list's pattern on {other:?}"),
    }
}

/// Binds the variables of a pattern that takes `v`.
fn bind(b: &mut FunctionBuilder<'_, '_>, pattern: &Pattern, v: Var, ty: Ty, span: Span) {
    if !binds(pattern) {
        return;
    }
    match pattern {
        Pattern::Bind(local) => b.emit(Op::Move(Var(local.0), v), span),
        Pattern::Some(inner) => {
            let payload_ty = payload(b, ty);
            let payload = match **inner {
                Pattern::Bind(local) => Var(local.0),
                _ => b.temp_of(payload_ty),
            };
            unwrap_some(b, v, payload_ty, payload, span);
            if !matches!(**inner, Pattern::Bind(_)) {
                bind(b, inner, payload, payload_ty, span);
            }
        }
        Pattern::Case(_, at, parts) => bind_parts(b, Whole::Case(*at), parts, v, ty, span),
        Pattern::Tuple(parts) | Pattern::Record(_, parts) => bind_parts(b, Whole::Record, parts, v, ty, span),
        Pattern::List(items, rest) => bind_list(b, items, rest.as_deref(), v, ty, span),
        // Which of them takes the value was not kept when it was tested.
        Pattern::Or(alternatives) => {
            let done = b.block();
            for (i, alternative) in alternatives.iter().enumerate() {
                let next = b.block();
                if i + 1 < alternatives.len() {
                    test(b, alternative, v, ty, next, span);
                }
                bind(b, alternative, v, ty, span);
                b.jump(done, span);
                if b.enter(next).is_none() {
                    break;
                }
            }
            b.enter(done).expect("the first alternative leads here");
        }
        _ => {}
    }
}

/// Binds the variables of the patterns for fields.
fn bind_parts(b: &mut FunctionBuilder<'_, '_>, whole: Whole, parts: &[Pattern], v: Var, ty: Ty, span: Span) {
    for (i, part) in (0..).zip(parts) {
        match part {
            Pattern::Bind(local) => b.emit(Op::Load(Var(local.0), v, whole.part(b, ty, i).0), span),
            part if binds(part) => {
                let (offset, part_ty) = whole.part(b, ty, i);
                let value = load(b, v, offset, part_ty, span);
                bind(b, part, value, part_ty, span);
            }
            _ => {}
        }
    }
}

/// Binds elements of a list, and the list of those behind them.
fn bind_list(
    b: &mut FunctionBuilder<'_, '_>,
    items: &[Pattern],
    rest: Option<&Pattern>,
    v: Var,
    ty: Ty,
    span: Span,
) {
    let item_ty = element(b, ty);
    for (i, item) in (0..).zip(items) {
        match item {
            Pattern::Bind(local) => load_element(b, Var(local.0), v, i, span),
            item if binds(item) => {
                let value = b.temp_of(item_ty);
                load_element(b, value, v, i, span);
                bind(b, item, value, item_ty, span);
            }
            _ => {}
        }
    }
    if let Some(Pattern::Bind(local)) = rest {
        let (low, high) = (b.word(items.len() as i64, span), b.temp(Repr::Word));
        b.emit(Op::Load(high, v, LEN), span);
        call_native(b, Var(local.0), "list-slice", vec![v, low, high], span);
    }
}

fn binds(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Bind(_) => true,
        Pattern::Some(inner) => binds(inner),
        Pattern::Case(_, _, parts)
        | Pattern::Or(parts)
        | Pattern::Tuple(parts)
        | Pattern::Record(_, parts) => parts.iter().any(binds),
        Pattern::List(items, rest) => items.iter().any(binds) || rest.as_deref().is_some_and(binds),
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
