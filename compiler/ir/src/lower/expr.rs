//! Expressions.
//!
//! `None` as an answer means that control does not come back: the current block has ended.

use super::build::FunctionBuilder;
use super::{collection, control, format, pattern, place, walk};
use crate::ir::{GlobalId, Op, PartKind, Repr, Terminator, Var};
use weir_abi::layout::{BOX_VALUE, CASE_INDEX, LEN, RANGE_SIZE, case_field, field, shape};
use weir_abi::native::{Gives, NativeId};
use weir_abi::types::{TypeDesc, TypeId};
use weir_check::typed::{Expr, ExprKind, FnId, LocalId, Part, Prim};
use weir_check::types::{Ty, TyKind};
use weir_syntax::span::Span;

/// The value of `e`, in a variable that holds it at least until something else is evaluated.
pub(super) fn value(b: &mut FunctionBuilder<'_, '_>, e: &Expr) -> Option<Var> {
    if let ExprKind::Local(local) = e.kind {
        return Some(Var(local.0));
    }
    let dst = b.temp_of(e.ty);
    lower(b, e, Some(dst))?;
    Some(dst)
}

/// Evaluates `e` and forgets its value.
pub(super) fn effect(b: &mut FunctionBuilder<'_, '_>, e: &Expr) -> Option<()> {
    lower(b, e, None)
}

/// The values of `all`, evaluated in order.
pub(super) fn values<'e>(
    b: &mut FunctionBuilder<'_, '_>,
    all: impl IntoIterator<Item = &'e Expr, IntoIter: Clone>,
) -> Option<Vec<Var>> {
    let mut rest = all.into_iter();
    let mut vars = Vec::with_capacity(rest.size_hint().0);
    while let Some(e) = rest.next() {
        let v = value(b, e)?;
        vars.push(match e.kind {
            ExprKind::Local(local) if rest.clone().any(|later| walk::assigns(later, local)) => {
                snapshot(b, v, e.span)
            }
            _ => v,
        });
    }
    Some(vars)
}

/// A variable with the value that `e` has now, whatever `within` assigns.
pub(super) fn value_during(b: &mut FunctionBuilder<'_, '_>, e: &Expr, within: &Expr) -> Option<Var> {
    let v = value(b, e)?;
    Some(match e.kind {
        ExprKind::Local(local) if !b.is_constant(local) && walk::assigns(within, local) => {
            snapshot(b, v, e.span)
        }
        _ => v,
    })
}

pub(super) fn snapshot(b: &mut FunctionBuilder<'_, '_>, v: Var, span: Span) -> Var {
    let repr = b.vars[v.0 as usize].repr;
    let copy = b.temp(repr);
    b.emit(Op::Move(copy, v), span);
    copy
}

/// Evaluates `e` and, if it is wanted, sets `dst` to its value as the last thing on each path.
pub(super) fn lower(b: &mut FunctionBuilder<'_, '_>, e: &Expr, dst: Option<Var>) -> Option<()> {
    let span = e.span;
    match &e.kind {
        ExprKind::Unit => unit(b, dst, span),
        ExprKind::Int(n) => give(b, dst, span, |d| Op::Const(d, *n)),
        ExprKind::Bool(v) => give(b, dst, span, |d| Op::Const(d, i64::from(*v))),
        ExprKind::Text(text) => lower_text(b, text, dst, span),
        ExprKind::Bytes(bytes) => lower_bytes(b, bytes, dst, span),
        ExprKind::None => give(b, dst, span, Op::Null),
        ExprKind::Global(g) => give(b, dst, span, |d| Op::Global(d, GlobalId(g.0))),
        ExprKind::Local(local) => match dst {
            Some(d) if d.0 != local.0 => give(b, dst, span, |d| Op::Move(d, Var(local.0))),
            _ => Some(()),
        },
        ExprKind::Let(local, init) | ExprKind::Assign(local, init) => {
            lower(b, init, Some(Var(local.0)))?;
            unit(b, dst, span)
        }
        ExprKind::SetGlobal(g, init) => {
            let v = value(b, init)?;
            b.emit(Op::SetGlobal(GlobalId(g.0), v), span);
            unit(b, dst, span)
        }
        ExprKind::Put(place, value) => place::lower_put(b, place, value, dst, span),
        ExprKind::Block(all) => lower_block(b, all, dst, span),
        ExprKind::If(condition, yes, no) => control::lower_if(b, condition, yes, no.as_deref(), dst, span),
        ExprKind::And(..) | ExprKind::Or(..) => control::lower_condition(b, e, dst),
        ExprKind::Match(subject, arms) => pattern::lower_match(b, subject, arms, dst, span),
        ExprKind::For(local, over, body) => {
            control::lower_for(b, control::For { local: *local, over, body, span })?;
            unit(b, dst, span)
        }
        ExprKind::While(condition, body) => {
            control::lower_while(b, condition, body, span)?;
            unit(b, dst, span)
        }
        ExprKind::Loop(body) => {
            control::lower_loop(b, body, span)?;
            unit(b, dst, span)
        }
        ExprKind::Break => control::lower_break(b, span),
        ExprKind::Continue => control::lower_continue(b, span),
        ExprKind::Return(result) => {
            let v = value(b, result)?;
            b.end_with(v, span);
            None
        }
        _ => lower_operation(b, e, dst),
    }
}

/// The expressions that evaluate their parts in order and then do one thing.
fn lower_operation(b: &mut FunctionBuilder<'_, '_>, e: &Expr, dst: Option<Var>) -> Option<()> {
    let span = e.span;
    // What never comes gets a variable of its own: `dst` may be of another repr.
    let dst = if is_never(b, e.ty) { None } else { dst };
    let target = |b: &mut FunctionBuilder<'_, '_>| dst.unwrap_or_else(|| b.temp_of(e.ty));
    match &e.kind {
        ExprKind::Formatted(inner, written) => return format::lower_formatted(b, inner, written, dst, span),
        ExprKind::Interpolate(parts) => return lower_interpolate(b, parts, dst, span),
        ExprKind::Some(inner) => return lower_some(b, inner, dst, span),
        ExprKind::Respond(inner) => return lower_respond(b, inner, dst),
        ExprKind::CallNative { name, types, args } => {
            if let [Expr { kind: ExprKind::Place(place), .. }, others @ ..] = &args[..] {
                let callee = place::Callee::Native(name, types);
                return place::lower_change(b, &callee, place, others, e.ty, dst, span);
            }
            return lower_native(b, e.ty, name, types, args, dst, span);
        }
        ExprKind::Call(callee, args) => {
            if let [Expr { kind: ExprKind::Place(place), .. }, others @ ..] = &args[..] {
                let callee = place::Callee::Function(crate::ir::FuncId(callee.0));
                return place::lower_change(b, &callee, place, others, e.ty, dst, span);
            }
            let args = values(b, args)?;
            let d = target(b);
            b.emit(Op::Call(d, crate::ir::FuncId(callee.0), args), span);
        }
        ExprKind::CallValue(callee, args) => {
            let mut all = values(b, std::iter::once(&**callee).chain(args))?;
            let args = all.split_off(1);
            let d = target(b);
            b.emit(Op::CallClosure(d, all[0], args), span);
        }
        ExprKind::Closure(function, captures) => {
            let d = target(b);
            lower_closure(b, *function, captures, d, span);
        }
        ExprKind::Record(fields) => {
            let words = values(b, fields)?;
            let (shape, size) = b.tables.record(e.ty);
            let d = target(b);
            b.emit(Op::New(d, shape, size, words), span);
        }
        ExprKind::Case(index, fields) => lower_case(b, *index, fields, e.ty, dst, span)?,
        ExprKind::Field(record, index) => {
            let record = value(b, record)?;
            let d = target(b);
            b.emit(Op::Load(d, record, field(*index)), span);
        }
        ExprKind::List(items) => {
            let words = values(b, items)?;
            let of_refs = matches!(b.tables.kind(e.ty), TyKind::List(t) if b.tables.repr(*t).is_ref());
            let d = target(b);
            b.emit(Op::NewList(d, if of_refs { shape::LIST_REF } else { shape::LIST_WORD }, words), span);
        }
        ExprKind::Map(entries) => return collection::lower_map(b, entries, e.ty, dst, span),
        ExprKind::Set(items) => return collection::lower_set(b, items, e.ty, dst, span),
        ExprKind::Index(list, index) => {
            let vars = values(b, [&**list, &**index])?;
            let d = target(b);
            b.emit(Op::ListGet(d, vars[0], vars[1]), span);
        }
        ExprKind::Range { low, high, inclusive } => {
            let mut words = values(b, [&**low, &**high])?;
            words.push(b.word(i64::from(*inclusive), span));
            let d = target(b);
            b.emit(Op::New(d, shape::RANGE, RANGE_SIZE, words), span);
        }
        ExprKind::Prim(prim, operands) => {
            let operands = compared_words(b, *prim, operands).unwrap_or(operands);
            let vars = values(b, operands)?;
            let d = target(b);
            b.emit(Op::Prim(*prim, d, vars[0], vars.get(1).copied()), span);
        }
        other => unreachable!("compiler bug: {other:?} is lowered elsewhere"),
    }
    come_back(b, e.ty, span)
}

/// The operands of `compare` where its result for words is compared with 0, which is comparing the words.
fn compared_words<'e>(b: &FunctionBuilder<'_, '_>, prim: Prim, operands: &'e [Expr]) -> Option<&'e [Expr]> {
    if !matches!(prim, Prim::Eq | Prim::Ne | Prim::Lt | Prim::Le | Prim::Gt | Prim::Ge) {
        return None;
    }
    match operands {
        [
            Expr { kind: ExprKind::CallNative { name, types, args }, .. },
            Expr { kind: ExprKind::Int(0), .. },
        ] if name == "value-compare" && b.tables.is_ordered_word(types[0]) => Some(args),
        _ => None,
    }
}

/// `None`, and the end of the block, behind an operation that does not return.
fn come_back(b: &mut FunctionBuilder<'_, '_>, ty: Ty, span: Span) -> Option<()> {
    if is_never(b, ty) {
        b.end(Terminator::Unreachable, span);
        return None;
    }
    Some(())
}

fn is_never(b: &FunctionBuilder<'_, '_>, ty: Ty) -> bool {
    matches!(b.tables.kind(ty), TyKind::Never)
}

/// Sets `dst`, if it is wanted, by an operation without other effects.
pub(super) fn give(
    b: &mut FunctionBuilder<'_, '_>,
    dst: Option<Var>,
    span: Span,
    op: impl FnOnce(Var) -> Op,
) -> Option<()> {
    if let Some(d) = dst {
        b.emit(op(d), span);
    }
    Some(())
}

/// Sets `dst`, if it is wanted, to `()`.
pub(super) fn unit(b: &mut FunctionBuilder<'_, '_>, dst: Option<Var>, span: Span) -> Option<()> {
    give(b, dst, span, |d| Op::Const(d, 0))
}

pub(super) fn lower_text(
    b: &mut FunctionBuilder<'_, '_>,
    text: &str,
    dst: Option<Var>,
    span: Span,
) -> Option<()> {
    lower_bytes(b, text.as_bytes(), dst, span)
}

fn lower_bytes(b: &mut FunctionBuilder<'_, '_>, bytes: &[u8], dst: Option<Var>, span: Span) -> Option<()> {
    if let Some(d) = dst {
        let id = b.tables.text(bytes);
        b.emit(Op::Text(d, id), span);
    }
    Some(())
}

fn lower_block(b: &mut FunctionBuilder<'_, '_>, all: &[Expr], dst: Option<Var>, span: Span) -> Option<()> {
    let Some((last, others)) = all.split_last() else { return unit(b, dst, span) };
    for e in others {
        effect(b, e)?;
    }
    lower(b, last, dst)
}

fn lower_closure(b: &mut FunctionBuilder<'_, '_>, function: FnId, captures: &[LocalId], d: Var, span: Span) {
    let of = &b.program.functions[function.0 as usize];
    let captured: Vec<Var> = captures.iter().map(|c| Var(c.0)).collect();
    let reprs: Vec<Repr> = captured.iter().map(|v| b.vars[v.0 as usize].repr).collect();
    let (shape, size) = b.tables.closure(&of.name, &reprs);
    let code = if of.is_lambda { crate::ir::FuncId(function.0) } else { b.tables.thunk(function) };
    b.emit(Op::NewClosure(d, shape, size, code, captured), span);
}

fn lower_native(
    b: &mut FunctionBuilder<'_, '_>,
    ty: Ty,
    name: &str,
    types: &[Ty],
    args: &[Expr],
    dst: Option<Var>,
    span: Span,
) -> Option<()> {
    let args = values(b, args)?;
    let d = dst.unwrap_or_else(|| b.temp_of(ty));
    match name {
        "value-compare" if b.tables.is_ordered_word(types[0]) => {
            let (less, greater) = (b.temp(Repr::Word), b.temp(Repr::Word));
            b.emit(Op::Prim(Prim::Lt, less, args[0], Some(args[1])), span);
            b.emit(Op::Prim(Prim::Gt, greater, args[0], Some(args[1])), span);
            b.emit(Op::Prim(Prim::Sub, d, greater, Some(less)), span);
        }
        "list-len" | "text-len" | "map-len" | "set-len" | "bytes-len" => {
            b.emit(Op::Load(d, args[0], LEN), span)
        }
        "map-value" => collection::load_value(b, d, args[0], args[1], span),
        _ => {
            let native = native(name);
            if super::json::NATIVES.contains(&name) {
                b.tables.tell_json(types[0]);
            }
            let types =
                if native.row().types { types.iter().map(|t| TypeId(t.0)).collect() } else { Vec::new() };
            b.emit(Op::CallNative { dst: d, native, types, args }, span);
            if native.row().gives == Gives::Never {
                b.end(Terminator::Unreachable, span);
                return None;
            }
        }
    }
    come_back(b, ty, span)
}

/// The row of a native that the declarations name.
pub(super) fn native(name: &str) -> NativeId {
    NativeId::named(name).unwrap_or_else(|| panic!("compiler bug: no native is called {name:?}"))
}

/// A call of one of the runtime's own natives.
pub(super) fn call_native(b: &mut FunctionBuilder<'_, '_>, dst: Var, name: &str, args: Vec<Var>, span: Span) {
    b.emit(Op::CallNative { dst, native: native(name), types: Vec::new(), args }, span);
}

fn lower_some(b: &mut FunctionBuilder<'_, '_>, inner: &Expr, dst: Option<Var>, span: Span) -> Option<()> {
    let Some(d) = dst else { return effect(b, inner) };
    if b.tables.description(inner.ty).is_nullable_inside_option() {
        return lower(b, inner, Some(d));
    }
    let v = value(b, inner)?;
    let shape = if b.vars[v.0 as usize].repr.is_ref() { shape::BOX_REF } else { shape::BOX_WORD };
    b.emit(Op::New(d, shape, BOX_VALUE as u32 + 8, vec![v]), span);
    Some(())
}

/// A value of an enum: its case's index as a word, the module's object for a case without fields, or a new object.
fn lower_case(
    b: &mut FunctionBuilder<'_, '_>,
    index: u32,
    fields: &[Expr],
    ty: Ty,
    dst: Option<Var>,
    span: Span,
) -> Option<()> {
    if !b.tables.repr(ty).is_ref() {
        return give(b, dst, span, |d| Op::Const(d, i64::from(index)));
    }
    if fields.is_empty() {
        return give(b, dst, span, |d| Op::Case(d, index));
    }
    let mut words = values(b, fields)?;
    words.insert(0, b.word(i64::from(index), span));
    let (shape, size) = b.tables.case(ty, index);
    let d = dst.unwrap_or_else(|| b.temp_of(ty));
    b.emit(Op::New(d, shape, size, words), span);
    Some(())
}

fn lower_interpolate(
    b: &mut FunctionBuilder<'_, '_>,
    parts: &[Part],
    dst: Option<Var>,
    span: Span,
) -> Option<()> {
    let mut literal = String::new();
    let mut joined: Vec<(PartKind, Var)> = Vec::with_capacity(parts.len());
    let flush = |b: &mut FunctionBuilder<'_, '_>, literal: &mut String, joined: &mut Vec<(PartKind, Var)>| {
        if !literal.is_empty() {
            let id = b.tables.text(literal.as_bytes());
            let v = b.temp(Repr::Ref);
            b.emit(Op::Text(v, id), span);
            joined.push((PartKind::Text, v));
            literal.clear();
        }
    };
    for (i, part) in parts.iter().enumerate() {
        match part {
            Part::Literal(text) => literal.push_str(text),
            Part::Value(e) => {
                flush(b, &mut literal, &mut joined);
                let v = value(b, e)?;
                let v = match e.kind {
                    ExprKind::Local(local)
                        if !b.is_constant(local)
                            && parts[i + 1..]
                                .iter()
                                .any(|p| matches!(p, Part::Value(e) if walk::assigns(e, local))) =>
                    {
                        snapshot(b, v, e.span)
                    }
                    _ => v,
                };
                joined.push((part_kind(b, e.ty), v));
            }
        }
    }
    match (&joined[..], dst) {
        ([], _) => lower_text(b, &literal, dst, span),
        ([(PartKind::Text, v)], Some(d)) if literal.is_empty() => give(b, Some(d), span, |d| Op::Move(d, *v)),
        _ => {
            flush(b, &mut literal, &mut joined);
            let d = dst.unwrap_or_else(|| b.temp(Repr::Ref));
            b.emit(Op::Concat(d, joined), span);
            Some(())
        }
    }
}

fn part_kind(b: &FunctionBuilder<'_, '_>, ty: Ty) -> PartKind {
    match b.tables.description(ty) {
        TypeDesc::Text => PartKind::Text,
        TypeDesc::Int => PartKind::Int,
        _ => PartKind::Typed(TypeId(ty.0)),
    }
}

fn lower_respond(b: &mut FunctionBuilder<'_, '_>, inner: &Expr, dst: Option<Var>) -> Option<()> {
    let span = inner.span;
    let d = dst.unwrap_or_else(|| b.temp(Repr::Ref));
    let v = value(b, inner)?;
    respond(b, v, inner.ty, d, span);
    Some(())
}

/// Sets `d` to the response that `v` stands for.
fn respond(b: &mut FunctionBuilder<'_, '_>, v: Var, ty: Ty, d: Var, span: Span) {
    match b.tables.kind(ty) {
        TyKind::Text => call_native(b, d, "respond-text", vec![v], span),
        TyKind::Bytes => call_native(b, d, "respond-bytes", vec![v], span),
        TyKind::Stream(item) if *b.tables.kind(*item) == TyKind::Bytes => {
            call_native(b, d, "respond-chunks", vec![v], span);
        }
        TyKind::Stream(_) => call_native(b, d, "respond-lines", vec![v], span),
        TyKind::Unit => {
            let status = b.word(204, span);
            call_native(b, d, "respond-empty", vec![status], span);
        }
        TyKind::Option(inner) => {
            let (none, some, join) = (b.block(), b.block(), b.block());
            let is_null = b.temp(Repr::Word);
            b.emit(Op::IsNull(is_null, v), span);
            b.end(Terminator::Branch(is_null, none, some), span);
            b.enter(none).expect("the branch leads here");
            let status = b.word(404, span);
            call_native(b, d, "respond-empty", vec![status], span);
            b.jump(join, span);
            b.enter(some).expect("the branch leads here");
            let payload = b.temp_of(*inner);
            pattern::unwrap_some(b, v, *inner, payload, span);
            respond(b, payload, *inner, d, span);
            b.jump(join, span);
            b.enter(join).expect("both sides lead here");
        }
        TyKind::Enum(of) if b.tables.is_result(ty) => {
            let cases = b.tables.cases(*of);
            let (good, failed, join) = (b.block(), b.block(), b.block());
            let case = b.temp(Repr::Word);
            b.emit(Op::Load(case, v, CASE_INDEX), span);
            b.end(Terminator::Branch(case, failed, good), span);
            b.enter(failed).expect("the branch leads here");
            let error = b.temp_of(cases[1].fields[0].1);
            b.emit(Op::Load(error, v, case_field(0)), span);
            call_native(b, d, "respond-error", vec![error], span);
            b.jump(join, span);
            b.enter(good).expect("the branch leads here");
            let item = cases[0].fields[0].1;
            let payload = b.temp_of(item);
            b.emit(Op::Load(payload, v, case_field(0)), span);
            respond(b, payload, item, d, span);
            b.jump(join, span);
            b.enter(join).expect("both sides lead here");
        }
        TyKind::Record(_) if b.tables.description(ty).is_html() => {
            let markup = b.temp(Repr::Ref);
            b.emit(Op::Load(markup, v, field(0)), span);
            let status = b.word(200, span);
            let content_type = b.temp(Repr::Ref);
            let id = b.tables.text(b"text/html; charset=utf-8");
            b.emit(Op::Text(content_type, id), span);
            call_native(b, d, "respond", vec![status, markup, content_type], span);
        }
        // A Response.
        TyKind::Native(_) => b.emit(Op::Move(d, v), span),
        // Any other data, as JSON.
        _ => {
            b.tables.tell_json(ty);
            let args = vec![v, b.word(200, span)];
            let types = vec![TypeId(ty.0)];
            b.emit(Op::CallNative { dst: d, native: native("respond-json"), types, args }, span);
        }
    }
}

/// What stands behind a `not`.
pub(super) fn as_not(e: &Expr) -> Option<&Expr> {
    match &e.kind {
        ExprKind::Prim(Prim::Not, operands) => operands.first(),
        _ => None,
    }
}
