//! Maps and Sets: their literals, and the value of an entry.

use super::build::FunctionBuilder;
use super::expr::{call_native, native, value};
use crate::ir::{Op, Repr, Var};
use weir_abi::layout::map;
use weir_abi::types::{TypeDesc, TypeId};
use weir_check::typed::Expr;
use weir_check::types::Ty;
use weir_syntax::span::Span;

/// A Map, entry after entry.
pub(super) fn lower_map(
    b: &mut FunctionBuilder<'_, '_>,
    entries: &[(Expr, Expr)],
    ty: Ty,
    dst: Option<Var>,
    span: Span,
) -> Option<()> {
    let types = types_within(b, ty);
    let mut whole = empty(b, span);
    for (key, of) in entries {
        let words = super::expr::values(b, [key, of])?;
        whole = with(b, "map-insert", &types, whole, words, span);
    }
    give_whole(b, whole, dst, span)
}

/// A Set, element after element.
pub(super) fn lower_set(
    b: &mut FunctionBuilder<'_, '_>,
    items: &[Expr],
    ty: Ty,
    dst: Option<Var>,
    span: Span,
) -> Option<()> {
    let types = types_within(b, ty);
    let mut whole = empty(b, span);
    for item in items {
        let word = value(b, item)?;
        whole = with(b, "set-insert", &types, whole, vec![word], span);
    }
    give_whole(b, whole, dst, span)
}

/// Sets `d` to the value of the entry with that number, as a borrow of the map.
pub(super) fn load_value(b: &mut FunctionBuilder<'_, '_>, d: Var, of: Var, entry: Var, span: Span) {
    let values = b.temp(Repr::Ref);
    b.emit(Op::Load(values, of, map::VALUES), span);
    b.emit(Op::ListGetUnchecked(d, values, entry), span);
}

/// The types of what a Map or Set holds.
pub(super) fn types_within(b: &FunctionBuilder<'_, '_>, ty: Ty) -> Vec<TypeId> {
    match b.tables.description(ty) {
        TypeDesc::Map(key, value) => vec![*key, *value],
        TypeDesc::Set(item) => vec![*item],
        _ => unreachable!("compiler bug: a literal of a Map or Set that is of another type"),
    }
}

fn empty(b: &mut FunctionBuilder<'_, '_>, span: Span) -> Var {
    let whole = b.temp(Repr::Ref);
    call_native(b, whole, "map-new", Vec::new(), span);
    whole
}

fn with(
    b: &mut FunctionBuilder<'_, '_>,
    insert: &str,
    types: &[TypeId],
    whole: Var,
    words: Vec<Var>,
    span: Span,
) -> Var {
    let dst = b.temp(Repr::Ref);
    let args = std::iter::once(whole).chain(words).collect();
    b.emit(Op::CallNative { dst, native: native(insert), types: types.to_vec(), args }, span);
    dst
}

fn give_whole(b: &mut FunctionBuilder<'_, '_>, whole: Var, dst: Option<Var>, span: Span) -> Option<()> {
    super::expr::give(b, dst, span, |d| Op::Move(d, whole))
}
